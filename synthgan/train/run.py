"""What training works with, and what one step of it does.

:class:`Run` holds all that both phases of training share; the functions below it take one step
of the generator or the critic, or measure the likelihood of the rows set aside.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from synthgan.config import Config, TrainConfig
from synthgan.encode.encoder import Tokens
from synthgan.encode.layout import Layout
from synthgan.errors import TrainingError
from synthgan.network.generator import Generator
from synthgan.network.losses import Objective, objective_of
from synthgan.progress import OnStep, Step
from synthgan.train.batches import Rows
from synthgan.train.distributed import ALONE, Ranks
from synthgan.train.replay import Replayed

_STATE_NUMBERS = 24_000_000  # row states a batch may hold: bounds memory on wide tables
_FEWEST_ROWS = 8  # a step; with less memory than that there is no training


@dataclass
class Run:
    """The state of training, common to all phases."""

    generator: Generator
    rows: Rows
    config: Config
    on_step: OnStep | None = None
    ranks: Ranks = ALONE
    average: Generator = field(init=False)
    best: dict[str, Tensor] | None = None
    """The averaged weights at the last good check."""
    best_loss: float = math.inf
    shrunk: int = 1
    """What batches are divided by, for want of memory."""
    history: list[Step] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    @staticmethod
    def begin(
        tokens: Tokens,
        layout: Layout,
        config: Config,
        device: torch.device,
        *,
        on_step: OnStep | None = None,
        ranks: Ranks = ALONE,
        context: int = 0,
    ) -> Run:
        """Untrained networks, and this rank's share of the rows."""
        own = tokens if ranks.apart else tokens[ranks.rank :: ranks.size]
        rows = Rows.split(own, config, device, context)
        if ranks.size > 1:
            words = np.random.SeedSequence([config.seed, ranks.rank])
            rows.rng.manual_seed(int(words.generate_state(1)[0]))  # no two draw the same
        return Run(_untrained(layout, config).to(device), rows, config, on_step, ranks)

    def __post_init__(self) -> None:
        self.average = copy.deepcopy(self.generator).requires_grad_(False)

    @property
    def settings(self) -> TrainConfig:
        return self.config.train

    @cached_property
    def objective(self) -> Objective:
        """What generator and critic play for."""
        return objective_of(self.settings.objective, self.settings.gradient_penalty)

    @property
    def device(self) -> torch.device:
        return self.rows.training.device

    @property
    def batch_size(self) -> int:
        """Rows a step on this rank: fewer than asked for where a row's states would fill the
        memory."""
        numbers = len(self.generator.layout.spans) * self.config.network.width
        wanted = math.ceil(self.settings.batch_size / self.ranks.size)
        return max(min(wanted, max(_STATE_NUMBERS // numbers, 32)) // self.shrunk, 1)

    def shrink(self) -> None:
        """Halves batches, since the device's memory did not hold one, and notes it.

        Raises :class:`TrainingError` where that is not for one process to decide, or no help.
        """
        size = self.batch_size
        if size < 2 * _FEWEST_ROWS or self.ranks.size > 1:
            raise TrainingError(
                f"the memory of {self.device} does not hold a step of {size:,} rows; use a smaller "
                "--batch-size, smaller networks, another device, or fewer columns"
            )
        self.shrunk *= 2
        self.notes.append(
            f"the memory of {self.device} did not hold a step of {size:,} rows; training went on "
            f"with {self.batch_size:,}"
        )

    @property
    def adversarial_batch_size(self) -> int:
        """Real and fake rows a critic step: half a batch after a warm start, which has done
        most of the work."""
        return max(self.batch_size // 2, 1) if self.settings.warm_start else self.batch_size

    def detection_is_due(self, step: int, *, last: bool) -> bool:
        """Whether a classifier is to look at drawn rows after ``step`` steps of a phase."""
        every = self.settings.detection_every
        return every is not None and (last or step % every == 0)

    def out_of_time(self, share: float = 1.0) -> bool:
        """Whether ``share`` of the allowed wall time is over, by the clock of rank 0."""
        limit = self.settings.max_minutes
        return limit is not None and self.ranks.lead(self.elapsed > 60 * limit * share)

    def blend(self, decay: float, step: int) -> None:
        """Moves the averaged weights towards the current ones; faster in the first steps."""
        decay = min(decay, (1 + step) / (10 + step))
        with torch.no_grad():
            average: list[Tensor] = list(self.average.parameters())
            current: list[Tensor] = list(self.generator.parameters())
            torch._foreach_lerp_(average, current, 1 - decay)

    def keep(self, loss: float) -> None:
        """Remembers the averaged weights as the best so far."""
        self.best_loss = loss
        self.best = {k: v.clone() for k, v in self.average.state_dict().items()}

    def return_to_best(self) -> None:
        """Goes on from the best averaged weights; from untrained ones if there are none yet."""
        weights = self.best
        if weights is None:
            weights = _untrained(self.generator.layout, self.config).state_dict()
        self.generator.load_state_dict(weights)
        self.average.load_state_dict(weights)

    def report(self, step: Step) -> None:
        self.history.append(step)
        if self.on_step is not None:
            self.on_step(step)

    @property
    def elapsed(self) -> float:
        """Seconds of wall time since training began."""
        return time.monotonic() - self.started

    @property
    def seconds(self) -> float:
        return round(self.elapsed, 2)


def _untrained(layout: Layout, config: Config) -> Generator:
    return Generator(layout, config.network, torch.Generator().manual_seed(config.seed))


def replayed(
    run: Run,
    step: Callable[[], Tensor],
    modules: Sequence[torch.nn.Module],
    optimizers: Sequence[torch.optim.Optimizer],
) -> Replayed:
    """``step``, which moves ``modules``; see there."""
    weights = [each for module in modules for each in module.parameters()]
    allowed = run.settings.cuda_graphs and run.ranks.size == 1
    return Replayed(step, weights, optimizers, run.rows.rng, allowed=allowed)


def mean_of(values: list[Tensor]) -> float | None:
    """Mean of ``values``, which are then forgotten; None where it is no number."""
    mean = float(torch.stack(values).mean())
    values.clear()
    return finite(mean)


def finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
