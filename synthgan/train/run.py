"""What training works with, and what one step of it does.

:class:`Run` holds all that both phases of training share; the functions below it take one step
of the generator or the critic, or measure the likelihood of the rows set aside.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from synthgan.config import Config, TrainConfig
from synthgan.distributed import ALONE, Ranks
from synthgan.encode import Layout, Tokens
from synthgan.errors import TrainingError
from synthgan.network import Critic, Generator, onehot
from synthgan.objective import (
    Objective,
    auxiliary_loss,
    critic_objective,
    negative_log_likelihood,
    objective_of,
)
from synthgan.records import added
from synthgan.train.replay import Replayed

_STATE_NUMBERS = 24_000_000  # row states a batch may hold: bounds memory on wide tables
_FEWEST_ROWS = 8  # a step; with less memory than that there is no training
_TEMPERATURE = 0.5  # of the Gumbel-softmax in training

Phase = Literal["mixture", "warm start", "adversarial"]
"""A private fit begins with a mixture that agrees with noisy counts, or (critic engine) is
adversarial first."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """Where training is, every few steps. Losses are means over the steps since the last one."""

    phase: Phase
    step: int
    """Steps done in this phase: of the mixture or the generator."""
    of: int
    """Steps that this phase takes at most."""
    seconds: float
    """Wall time since training began."""
    likelihood_loss: float | None = None
    """Negative log-likelihood of training rows, nats a row (hidden cells only)."""
    critic_loss: float | None = None
    """The critic's loss without its penalty. Of WGAN-GP E D(fake) - E D(real): minus the critic's
    estimate of the Wasserstein distance."""
    generator_loss: float | None = None
    """The generator's. Of WGAN-GP - E D(fake)."""
    validation_loss: float | None = None
    """Negative log-likelihood of the rows set aside, nats a row, where it was measured."""
    critic_slope: float | None = None
    """Mean norm of the critic's gradient between real and drawn rows, where it was measured;
    WGAN-GP asks for 1."""
    critic_gap: float | None = None
    """E D(training rows) - E D(rows set aside); far above 0 where the critic learns by heart."""
    generator_gradient: float | None = None
    """Norm of the generator's gradient; near 0 where the critic leaves it nothing to learn."""
    distinct: float | None = None
    """Share of distinct rows among some hundred drawn; low where modes have collapsed."""
    recall: float | None = field(default=None, metadata=added(None))
    """Share of training rows that drawn ones come near; low where kinds of rows are missing."""
    detection: float | None = None
    """AUC of a classifier that tells some hundred drawn rows from rows set aside, where it was
    asked for; .5 where it cannot."""


OnStep = Callable[[Step], None]


@dataclass
class _Rows:
    """Training and validation tokens on the device, and the randomness of batches."""

    training: Tensor
    validation: Tensor
    rng: torch.Generator
    gaps: Tensor | None = None
    """Of a file of tokens, which stays as it is: for each validation row, how many training rows
    lie before it."""
    context: int = 0
    """So many columns, the first ones, are given in each row."""

    @staticmethod
    def split(tokens: Tokens, config: Config, device: torch.device, context: int = 0) -> _Rows:
        share = round(config.train.validation_share * len(tokens))
        held = min(max(share, min(200, len(tokens) // 4)), 2000)
        rng = torch.Generator(device).manual_seed(config.seed)
        order = np.random.default_rng(config.seed)
        if isinstance(tokens, np.memmap):
            away = np.sort(order.choice(len(tokens), max(held, 1), replace=False, shuffle=False))
            gaps = torch.from_numpy(away - np.arange(len(away))).to(device)
            validation = torch.from_numpy(tokens[away]).to(device)
            return _Rows(torch.from_numpy(tokens).to(device), validation, rng, gaps, context)
        rows = torch.from_numpy(tokens[order.permutation(len(tokens))]).to(device)
        return _Rows(rows[held:], rows[: max(held, 1)], rng, None, context)

    def batch(self, size: int) -> Tensor:
        """``size`` training rows with replacement: (size, P), int64."""
        shape = (size,)
        device = self.training.device
        rows = len(self.training) - (0 if self.gaps is None else len(self.gaps))
        index = torch.randint(rows, shape, generator=self.rng, device=device)
        if self.gaps is not None:
            index += torch.searchsorted(self.gaps, index, right=True)
        return self.training[index].long()

    def mask(self, size: int, columns: int) -> Tensor:
        """Given cells (size, columns): half of the rows none, the others 1 to columns - 1,
        each number as often as any other. The columns of the context come on top."""
        device = self.training.device
        columns -= self.context
        uniform = torch.rand((size, columns + 2), generator=self.rng, device=device)
        count = 1 + (uniform[:, 1:2] * (columns - 1)).floor()
        rank = uniform[:, 2:].argsort(dim=1).argsort(dim=1)
        some = (uniform[:, :1] < 0.5) & (rank < count.clamp(max=columns - 1))
        mask = self.least_mask(size, columns + self.context)
        mask[:, self.context :] = some.float()
        return mask

    def least_mask(self, size: int, columns: int) -> Tensor:
        """Given cells (size, columns) where there are as few as can be: the context."""
        mask = torch.zeros((size, columns), device=self.training.device)
        mask[:, : self.context] = 1.0
        return mask

    def noise(self, size: int, width: int) -> Tensor:
        return torch.randn((size, width), generator=self.rng, device=self.training.device)


@dataclass
class Run:
    """All that changes while training runs, whatever the phase."""

    generator: Generator
    rows: _Rows
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
        rows = _Rows.split(own, config, device, context)
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


def likelihood(run: Run, size: int) -> Tensor:
    """Teacher-forced negative log-likelihood of the hidden cells of ``size`` rows."""
    rows, generator = run.rows, run.generator
    tokens = rows.batch(size)
    mask = rows.mask(len(tokens), generator.geometry.columns)
    z = rows.noise(len(tokens), run.config.network.noise_width)
    return nll(generator, tokens, mask, z, rows.rng)


def nll(
    generator: Generator, tokens: Tensor, mask: Tensor, z: Tensor, rng: torch.Generator | None
) -> Tensor:
    """Mean over rows of the negative log-likelihood of the cells that ``mask`` hides."""
    g = generator.geometry
    logits = generator.logits(z, tokens, mask, rng)
    counts = g.applies(tokens) * (1 - mask[:, g.column_of])
    return negative_log_likelihood(logits, tokens, counts)


@torch.no_grad()
def validation_loss(run: Run) -> float:
    """Of the averaged weights on the rows set aside: half with nothing given, half with some.

    Noise and masks are the same each time, so that values can be compared. Ranks measure their
    shares of the rows, and get the mean over all of them.
    """
    held = run.rows.validation
    rng = torch.Generator(held.device).manual_seed(7 + run.ranks.rank)
    fixed = _Rows(held, held, rng, None, run.rows.context)
    columns = run.average.geometry.columns
    total = torch.zeros((), dtype=torch.float64, device=held.device)  # read once, at the end
    for chunk in _chunks(held, run.batch_size):
        tokens = chunk.long()
        for mask in (fixed.least_mask(len(tokens), columns), None):
            mask = fixed.mask(len(tokens), columns) if mask is None else mask
            z = fixed.noise(len(tokens), run.config.network.noise_width)
            total += nll(run.average, tokens, mask, z, None).double() * len(tokens)
    loss, rows = run.ranks.total(float(total), len(held))
    return loss / rows / 2


def _chunks(rows: Tensor, size: int) -> Iterator[Tensor]:
    return iter(torch.split(rows, size))


def critic_step(run: Run, critic: Critic, optimizer: torch.optim.Optimizer, steps: int) -> Tensor:
    """``steps`` critic updates, each on real rows and fakes that share their given cells."""
    rows, generator, size = run.rows, run.generator, run.adversarial_batch_size
    tokens = rows.batch(size * steps)
    mask = rows.mask(len(tokens), generator.geometry.columns)
    with torch.no_grad():
        z = rows.noise(len(tokens), run.config.network.noise_width)
        drawn = generator.draw(z, tokens, mask, rows.rng)
        real = critic.features(onehot(tokens, critic.geometry), mask)
        fake = critic.features(onehot(drawn, critic.geometry), mask)
    total = torch.zeros((), device=tokens.device)
    for i in range(steps):
        part = slice(i * size, (i + 1) * size)
        mix = torch.rand((size, 1), generator=rows.rng, device=tokens.device)
        pair = (real[part], fake[part])
        total += step_critic(critic, optimizer, *pair, mix, run.objective, run.ranks) / steps
    return total


def step_critic(
    critic: Critic,
    optimizer: torch.optim.Optimizer,
    real: Tensor,
    fake: Tensor,
    mix: Tensor,
    objective: Objective,
    ranks: Ranks = ALONE,
) -> Tensor:
    """One critic update on features (B, F) and mixes (B, 1): the loss without its penalty."""
    scorer = objective.constraint.scorer(critic)
    wanted, loss = critic_objective(scorer, real, fake, mix, objective)
    descend(critic, optimizer, wanted + auxiliary_loss(critic, real, drawn=False), ranks)
    objective.constraint.project(critic)
    return loss.detach()


def generator_step(run: Run, critic: Critic, optimizer: torch.optim.Optimizer) -> Tensor:
    """One generator update through the critic, with the likelihood beside it."""
    rows, generator = run.rows, run.generator
    tokens = rows.batch(run.adversarial_batch_size)
    mask = rows.mask(len(tokens), generator.geometry.columns)
    z = rows.noise(len(tokens), run.config.network.noise_width)
    fake = generator.relaxed(z, tokens, mask, rows.rng, _TEMPERATURE)
    critic.requires_grad_(False)
    scorer = run.objective.constraint.scorer(critic)
    features = critic.features(fake, mask)
    adversarial = run.objective.generator(scorer(features))
    loss = adversarial + auxiliary_loss(critic, features, drawn=True)
    critic.requires_grad_(True)
    if run.settings.warm_start and run.settings.likelihood_weight > 0:
        loss = loss + run.settings.likelihood_weight * likelihood(run, run.adversarial_batch_size)
    descend(generator, optimizer, loss, run.ranks)
    return adversarial.detach()


def descend(
    module: torch.nn.Module, optimizer: torch.optim.Optimizer, objective: Tensor, ranks: Ranks
) -> None:
    """One step of ``optimizer`` along the gradient of ``objective`` in the weights of ``module``,
    which is the mean over ranks."""
    optimizer.zero_grad(set_to_none=True)
    objective.backward()  # type: ignore[no-untyped-call]
    ranks.average_gradients(module)
    optimizer.step()


def adamw(module: torch.nn.Module, rate: float) -> torch.optim.Optimizer:
    """With which the warm start learns."""
    lr, capturable = _rate(module, rate)
    return torch.optim.AdamW(
        module.parameters(),
        lr=lr,
        betas=(0.9, 0.99),
        weight_decay=0.05,
        fused=True,
        capturable=capturable,
    )


def adam(module: torch.nn.Module, rate: float) -> torch.optim.Optimizer:
    """With which generator and critic play."""
    lr, capturable = _rate(module, rate)
    return torch.optim.Adam(
        module.parameters(), lr=lr, betas=(0.0, 0.99), fused=True, capturable=capturable
    )


def _rate(module: torch.nn.Module, rate: float) -> tuple[float | Tensor, bool]:
    """A learning rate; on CUDA as a tensor, which a recorded step looks up when it is replayed."""
    device = next(module.parameters()).device
    on_cuda = device.type == "cuda"
    return (torch.tensor(rate, device=device) if on_cuda else rate), on_cuda


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Changes the learning rate for the steps to come."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


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
