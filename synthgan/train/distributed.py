"""The few lines of torch.distributed: processes that train one model or draw one table together.

``torchrun`` starts the processes; each is a *rank*. Ranks average their gradients, agree on
what decides how training goes on, and rank 0 alone writes and prints. A process that was
started in the ordinary way is rank 0 of 1, and everything here costs it nothing.

What ranks tell one another are tensors and bytes; nothing is pickled.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from synthgan.errors import TrainingError


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranks:
    """This process among those that work together. Made by :func:`join_ranks`."""

    rank: int = 0
    """The number of this process, from 0."""
    size: int = 1
    """How many processes there are."""
    apart: bool = False
    """Whether each process is given rows of its own; else all are given all, and share them."""
    _talk: dist.ProcessGroup | None = None
    """For what the CPU knows; gradients on a GPU go the default way."""

    @property
    def first(self) -> bool:
        """Whether this is the process that writes files and shows progress."""
        return self.rank == 0

    def average_gradients(self, module: torch.nn.Module) -> None:
        """Gives every rank the mean over ranks of the gradients of ``module``."""
        if self.size == 1:
            return
        gradients = [each.grad for each in module.parameters() if each.grad is not None]
        flat = torch.cat([each.flatten() for each in gradients])
        self._sum(flat)
        parts = torch.split(flat.div_(self.size), [each.numel() for each in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def total(self, *values: float) -> tuple[float, ...]:
        """The sum over ranks of each value, the same bits on all of them."""
        if self.size == 1:
            return values
        sums = torch.tensor(values, dtype=torch.float64)
        self._sum(sums)
        return tuple(sums.tolist())

    def any(self, *flags: bool) -> tuple[bool, ...]:
        """Of each flag, whether a rank has raised it."""
        return tuple(count > 0 for count in self.total(*map(float, flags)))

    def lead(self, flag: bool) -> bool:
        """The flag of rank 0."""
        return self.any(flag and self.first)[0]

    def gather(self, data: Tensor) -> Tensor:
        """``data`` (n,), bytes, of every rank: (ranks, n)."""
        if self.size == 1:
            return data.unsqueeze(0)
        found = [torch.empty_like(data) for _ in range(self.size)]
        with _in_touch():
            dist.all_gather(found, data, group=self._talk)
        return torch.stack(found)

    def share(self, data: bytes) -> bytes:
        """What rank 0 holds."""
        if self.size == 1:
            return data
        length = int(self.total(float(len(data)) if self.first else 0.0)[0])
        held = torch.zeros(length, dtype=torch.uint8)
        if self.first and length:
            held = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        with _in_touch():
            dist.broadcast(held, src=0, group=self._talk)
        return held.numpy().tobytes()

    def check_same(self, parts: Mapping[str, str]) -> None:
        """Raises :class:`TrainingError` on every rank if ``parts`` (hexadecimal digests of one
        length, by what they are of) differ between ranks, and says in what."""
        if self.size == 1:
            return
        for name, digest in sorted(parts.items()):
            found = self.gather(torch.frombuffer(bytearray(digest.encode()), dtype=torch.uint8))
            other = torch.nonzero((found != found[0]).any(dim=1)).flatten().tolist()
            if other:
                raise TrainingError(
                    f"processes must work on the same, but {name} of rank {other[0]} differ from "
                    "those of rank 0; give all of them the same file and the same options"
                )

    def _sum(self, values: Tensor) -> None:
        with _in_touch():
            dist.all_reduce(values, group=None if values.is_cuda else self._talk)


ALONE = Ranks()
"""An ordinary process."""

_CURRENT: ContextVar[Ranks] = ContextVar("ranks", default=ALONE)


def current_ranks() -> Ranks:
    """The ranks that :func:`join_ranks` has joined, within its block."""
    return _CURRENT.get()


@contextmanager
def join_ranks() -> Iterator[Ranks]:
    """Joins the processes that ``torchrun`` has started, if it has started this one.

    Within the block they fit one model together, so all are to call :func:`synthgan.fit` alike. A
    group that is there already, such as that of Ray Train, is used and left as it is.

    Raises :class:`TrainingError` if the others cannot be reached.
    """
    if not dist.is_available() or not (_is_launched() or dist.is_initialized()):
        yield ALONE
        return
    ours = not dist.is_initialized()
    if ours:
        _begin()
    try:
        with _in_touch():
            talk = dist.new_group(backend="gloo")
        ranks = Ranks(rank=dist.get_rank(), size=dist.get_world_size(), _talk=talk)
        token = _CURRENT.set(ranks)
        try:
            yield ranks
        finally:
            _CURRENT.reset(token)
    finally:
        if ours:
            dist.destroy_process_group()


def launched_shard() -> tuple[int, int] | None:
    """Which share of part files is this process's, for :class:`synthgan.Parts`: (3, 16) is the
    third of 16. None unless ``torchrun`` has started several.

    Parts need no talk between processes: one that dies costs no more than its current part.
    """
    if not _is_launched():
        return None
    _check_launch("RANK", "WORLD_SIZE")
    return int(os.environ["RANK"]) + 1, int(os.environ["WORLD_SIZE"])


def own_gpu() -> torch.device:
    """The GPU that is this process's among those of its machine; the first, if it is alone."""
    local = os.environ.get("LOCAL_RANK", "")
    if not _is_launched() or not local.isdecimal():
        return torch.device("cuda")
    return torch.device("cuda", int(local) % max(torch.cuda.device_count(), 1))


def _is_launched() -> bool:
    return os.environ.get("WORLD_SIZE", "1") != "1"


def _check_launch(*names: str) -> None:
    """Raises :class:`TrainingError` unless the variables that torchrun sets are there."""
    for name in names:
        value = os.environ.get(name, "")
        if not value or (name in ("RANK", "WORLD_SIZE") and not value.isdecimal()):
            raise TrainingError(
                f"WORLD_SIZE says that processes work together, but {name} does not fit: start "
                "them with torchrun, or unset WORLD_SIZE to work in one process"
            )


def _begin() -> None:
    _check_launch("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    try:
        dist.init_process_group(backend)
    except (RuntimeError, ValueError) as error:
        raise TrainingError(
            f"the other processes cannot be reached ({type(error).__name__}); see RANK, "
            "WORLD_SIZE, MASTER_ADDR and MASTER_PORT, which torchrun sets"
        ) from None


@contextmanager
def _in_touch() -> Iterator[None]:
    """Turns a broken connection into :class:`TrainingError`."""
    try:
        yield
    except RuntimeError:
        raise TrainingError(
            "lost touch with another process, which has failed or was stopped; if there is a "
            "checkpoint, start all of them again with --resume"
        ) from None
