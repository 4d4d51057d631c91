"""Steps of training as CUDA graphs: hundreds of launches recorded once and replayed as one.

A step of a small network is over sooner on a GPU than Python can launch its kernels. So the
first steps on CUDA are taken as everywhere else, then one is recorded, checked against the
same step without a graph, and replayed from then on. Where recording fails, or gives other
numbers, steps go on as before. On other devices nothing of this happens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

_FIRST_STEPS = 4  # without a graph, so that libraries and optimisers have all they need
_TOLERANCE = 1e-3  # of a check, relative to the largest weight: sums may be taken in another order


class Replayed:
    """Calls ``step``, which must do the same each time but for what it draws from ``rng``.

    ``step`` reads and writes the same tensors each time, and takes no decision that depends on
    their values; learning rates must be tensors on CUDA. ``weights`` are those that it changes
    and ``optimizers`` those that it uses.
    """

    def __init__(
        self,
        step: Callable[[], Tensor],
        weights: Sequence[Tensor],
        optimizers: Sequence[torch.optim.Optimizer],
        rng: torch.Generator,
        *,
        allowed: bool = True,
    ) -> None:
        self._step, self._weights, self._optimizers, self._rng = step, weights, optimizers, rng
        self._left = _FIRST_STEPS if allowed and rng.device.type == "cuda" else -1
        self._graph: torch.cuda.CUDAGraph | None = None
        self._result: Tensor | None = None

    @property
    def is_graph(self) -> bool:
        """Whether steps are replayed now."""
        return self._graph is not None

    def __call__(self) -> Tensor:
        """One step: what ``step`` returns, detached."""
        if self._graph is not None:
            assert self._result is not None
            self._graph.replay()
            return self._result.clone()
        self._left -= self._left >= 0
        if self._left == 0:
            self._left = -1
            return self._record()
        return self._step().detach()

    def _record(self) -> Tensor:
        """Takes a step without a graph, which is what counts, then records one and checks it
        against that."""
        touched = self._touched()
        before, drawn = [each.clone() for each in touched], self._rng.get_state()
        told = self._step().detach()
        after, drawn_after = [each.clone() for each in touched], self._rng.get_state()
        self._rng.set_state(drawn)
        _copy(before, touched)
        try:
            graph, result = self._capture()
            graph.replay()
            if all(map(_are_alike, touched, after)):
                self._graph, self._result = graph, result
        except RuntimeError:  # what this step does, or this build of PyTorch, cannot be recorded
            torch.cuda.synchronize(self._rng.device)
        self._rng.set_state(drawn_after)
        _copy(after, touched)
        return told

    def _capture(self) -> tuple[torch.cuda.CUDAGraph, Tensor]:
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self._rng)
        for optimizer in self._optimizers:
            optimizer.zero_grad(set_to_none=True)
        torch.cuda.synchronize(self._rng.device)
        with torch.cuda.graph(graph):
            result = self._step().detach()
        return graph, result

    def _touched(self) -> list[Tensor]:
        """Weights, and what optimisers remember."""
        held = [
            value
            for optimizer in self._optimizers
            for state in optimizer.state.values()
            for value in state.values()
            if isinstance(value, Tensor)
        ]
        return [*self._weights, *held]


@torch.no_grad()
def _copy(values: Sequence[Tensor], into: Sequence[Tensor]) -> None:
    for value, each in zip(values, into, strict=True):
        each.copy_(value)


def _are_alike(one: Tensor, other: Tensor) -> bool:
    scale = float(one.abs().max()) if one.numel() else 0.0
    return torch.allclose(one, other, rtol=_TOLERANCE, atol=_TOLERANCE * scale)
