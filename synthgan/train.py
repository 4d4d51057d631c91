"""The training loop: a likelihood warm start, then WGAN-GP. The third door for rows.

The warm start teaches the generator by teacher forcing until the likelihood of rows set
aside stops improving. Then the critic learns to tell its rows from real ones, and the
generator to fool the critic, with the likelihood kept as a regulariser. What is returned is
an exponential average of the generator's weights: no row, no critic (which has learned real
rows), no optimiser.

Sampling from the average and the schedule follow the measured recipe in docs/benchmarks.md.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from synthgan.config import Config, TrainConfig
from synthgan.encode import Layout, Tokens
from synthgan.errors import TrainingError
from synthgan.network import Critic, Generator, onehot
from synthgan.objective import critic_objective, generator_loss, negative_log_likelihood

_WARM_STEPS = 3000
_ADVERSARIAL_STEPS = 100  # after a warm start
_WGAN_STEPS = 2000  # without one
_CRITIC_HEAD_START = 50
_RAMP = 50  # steps over which a learning rate rises
_REPORT_EVERY = 10
_STATE_NUMBERS = 24_000_000  # row states a batch may hold: bounds memory on wide tables
_PATIENCE = 100  # steps without a better validation likelihood before the rate is cut
_TOLERANCE = 5e-3  # nats by which the validation likelihood must improve to count
_TEMPERATURE = 0.5  # of the Gumbel-softmax in training


@dataclass(frozen=True, kw_only=True)
class Step:
    """Where training is, every few steps. Losses are means over the steps since the last one."""

    phase: Literal["mixture", "warm start", "adversarial"]
    """A private fit begins with a mixture that agrees with noisy counts, or (critic engine) is
    adversarial first."""
    step: int
    """Steps done in this phase: of the mixture or the generator."""
    of: int
    """Steps that this phase takes at most."""
    seconds: float
    """Wall time since training began."""
    likelihood_loss: float | None = None
    """Negative log-likelihood of training rows, nats a row (hidden cells only)."""
    critic_loss: float | None = None
    """E D(fake) - E D(real): minus the critic's estimate of the Wasserstein distance."""
    generator_loss: float | None = None
    """- E D(fake)."""
    validation_loss: float | None = None
    """Negative log-likelihood of the rows set aside, nats a row, where it was measured."""


@dataclass(frozen=True)
class Trained:
    """What training leaves behind."""

    generator: Generator
    history: tuple[Step, ...]
    notes: tuple[str, ...]
    """What the owner should know: stopped early, diverged."""


OnStep = Callable[[Step], None]


def choose_device(name: str) -> torch.device:
    """The device that ``name`` means; ``auto`` is CUDA, else MPS, else the CPU.

    Raises :class:`TrainingError` if there is no such device here.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise TrainingError(
            f"no such device: {name!r}; use auto, cpu, cuda, cuda:N or mps"
        ) from None
    counts = {
        "cpu": 1,
        "cuda": torch.cuda.device_count(),
        "mps": int(torch.backends.mps.is_available()),
    }
    if counts.get(device.type, 0) <= (device.index or 0):
        raise TrainingError(
            f"device {name!r} was asked for, but this machine has none that PyTorch can use; "
            "use --device auto or cpu"
        )
    return device


def train(
    tokens: Tokens, layout: Layout, config: Config, *, on_step: OnStep | None = None
) -> Trained:
    """Trains a generator on ``tokens`` (rows x positions, from :meth:`Encoder.encode`).

    ``on_step`` is called every few steps; a KeyboardInterrupt, from there or the keyboard,
    ends training early and keeps the best state. Raises :class:`TrainingError` for a device
    that is not there.
    """
    device = choose_device(config.train.device)
    generator = Generator(layout, config.network, torch.Generator().manual_seed(config.seed))
    generator = generator.to(device)
    if not layout.spans or len(tokens) < 2:
        return Trained(generator.eval(), (), ("nothing to learn: no column varies",))
    run = _Run(generator, _Rows.split(tokens, config, device), config, on_step)
    try:
        if config.train.warm_start:
            _warm_start(run)
        if config.train.adversarial:
            _adversarial(run, Critic(layout, config.network, torch.Generator().manual_seed(1)))
    except KeyboardInterrupt:
        run.notes.append(
            "training was interrupted; the best state until then was kept, which may be a poor one"
        )
    run.average.load_state_dict(run.best or run.average.state_dict())
    return Trained(run.average.eval(), tuple(run.history), tuple(run.notes))


@dataclass
class _Rows:
    """Training and validation tokens on the device, and the randomness of batches."""

    training: Tensor
    validation: Tensor
    rng: torch.Generator
    gaps: Tensor | None = None
    """Of a file of tokens, which stays as it is: for each validation row, how many training rows
    lie before it."""

    @staticmethod
    def split(tokens: Tokens, config: Config, device: torch.device) -> _Rows:
        share = round(config.train.validation_share * len(tokens))
        held = min(max(share, min(200, len(tokens) // 4)), 2000)
        rng = torch.Generator(device).manual_seed(config.seed)
        order = np.random.default_rng(config.seed)
        if isinstance(tokens, np.memmap):
            away = np.sort(order.choice(len(tokens), max(held, 1), replace=False, shuffle=False))
            gaps = torch.from_numpy(away - np.arange(len(away))).to(device)
            validation = torch.from_numpy(tokens[away]).to(device)
            return _Rows(torch.from_numpy(tokens).to(device), validation, rng, gaps)
        rows = torch.from_numpy(tokens[order.permutation(len(tokens))]).to(device)
        return _Rows(rows[held:], rows[: max(held, 1)], rng)

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
        each number as often as any other."""
        device = self.training.device
        uniform = torch.rand((size, columns + 2), generator=self.rng, device=device)
        count = 1 + (uniform[:, 1:2] * (columns - 1)).floor()
        rank = uniform[:, 2:].argsort(dim=1).argsort(dim=1)
        some = (uniform[:, :1] < 0.5) & (rank < count.clamp(max=columns - 1))
        return some.float()

    def noise(self, size: int, width: int) -> Tensor:
        return torch.randn((size, width), generator=self.rng, device=self.training.device)


@dataclass
class _Run:
    """All that changes while training runs."""

    generator: Generator
    rows: _Rows
    config: Config
    on_step: OnStep | None
    average: Generator = field(init=False)
    best: dict[str, Tensor] | None = None
    best_loss: float = math.inf
    history: list[Step] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.average = copy.deepcopy(self.generator).requires_grad_(False)

    @property
    def settings(self) -> TrainConfig:
        return self.config.train

    @property
    def batch_size(self) -> int:
        """Rows a step: fewer than asked for where a row's states would fill the memory."""
        numbers = len(self.generator.layout.spans) * self.config.network.width
        return min(self.settings.batch_size, max(_STATE_NUMBERS // numbers, 32))

    @property
    def adversarial_batch_size(self) -> int:
        """Real and fake rows a critic step: half a batch after a warm start, which has done
        most of the work."""
        return max(self.batch_size // 2, 1) if self.settings.warm_start else self.batch_size

    def out_of_time(self, share: float = 1.0) -> bool:
        """Whether ``share`` of the allowed wall time is over."""
        limit = self.settings.max_minutes
        return limit is not None and time.monotonic() - self.started > 60 * limit * share

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
        """Goes on from the best averaged weights."""
        if self.best is not None:
            self.generator.load_state_dict(self.best)
            self.average.load_state_dict(self.best)

    def report(self, step: Step) -> None:
        self.history.append(step)
        if self.on_step is not None:
            self.on_step(step)

    @property
    def seconds(self) -> float:
        return round(time.monotonic() - self.started, 2)


def _warm_start(run: _Run) -> None:
    """Teacher-forced likelihood, until the validation likelihood has stopped improving thrice."""
    settings, rows = run.settings, run.rows
    steps = settings.steps or _WARM_STEPS
    if settings.adversarial and settings.steps:
        steps = math.ceil(settings.steps * 5 / 6)
    check_every = max(min(round(len(rows.training) / run.batch_size), 50), 10)
    rate, best_step, cuts = settings.warm_start_lr, 0, 0
    optimizer = _adamw(run.generator, rate)
    losses: list[Tensor] = []
    for step in range(1, steps + 1):
        _set_rate(optimizer, rate * min(1.0, step / _RAMP))
        loss = _likelihood(run, run.batch_size)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        run.blend(0.98, step)
        losses.append(loss.detach())
        last = step == steps or run.out_of_time(0.75 if settings.adversarial else 1.0)
        checked = step % check_every == 0 or last
        validation = _validation_loss(run) if checked else None
        if checked or step % _REPORT_EVERY == 0:
            run.report(
                Step(
                    phase="warm start",
                    step=step,
                    of=steps,
                    seconds=run.seconds,
                    likelihood_loss=_mean(losses),
                    validation_loss=_finite(validation),
                )
            )
        if validation is not None:
            if validation < run.best_loss - _TOLERANCE:
                run.keep(validation)
                best_step = step
            elif step - best_step >= _PATIENCE:
                cuts, best_step, rate = cuts + 1, step, rate * 0.3
                run.return_to_best()
                optimizer = _adamw(run.generator, rate)
        if cuts == 3 or last:
            break
    run.return_to_best()


def _adversarial(run: _Run, critic: Critic) -> None:
    """WGAN-GP; after a warm start a short one, with the likelihood as a regulariser."""
    settings, warm = run.settings, run.settings.warm_start
    critic = critic.to(run.rows.training.device)
    steps = _ADVERSARIAL_STEPS if warm else _WGAN_STEPS
    if settings.steps:
        steps = max(settings.steps // 6, 1) if warm else settings.steps
    generator_rate = settings.generator_lr or (1e-4 if warm else 4e-4)
    generator_optimizer = _adam(run.generator, generator_rate)
    critic_optimizer = _adam(critic, settings.critic_lr)
    start_loss = run.best_loss
    if warm:
        for step in range(min(_CRITIC_HEAD_START, steps)):
            _set_rate(critic_optimizer, settings.critic_lr * min(1.0, (step + 1) / _RAMP))
            _critic_step(run, critic, critic_optimizer, 1)
    critic_losses: list[Tensor] = []
    generator_losses: list[Tensor] = []
    for step in range(1, steps + 1):
        share = fade(step, steps)
        _set_rate(critic_optimizer, settings.critic_lr * share)
        _set_rate(generator_optimizer, generator_rate * share)
        critic_losses.append(_critic_step(run, critic, critic_optimizer, settings.critic_steps))
        generator_losses.append(_generator_step(run, critic, generator_optimizer))
        run.blend(0.99, step if not warm else 10**6)
        last = step == steps or run.out_of_time()
        checked = step % 50 == 0 or last
        validation = _validation_loss(run) if checked else None
        if checked or step % _REPORT_EVERY == 0:
            run.report(
                Step(
                    phase="adversarial",
                    step=step,
                    of=steps,
                    seconds=run.seconds,
                    critic_loss=_mean(critic_losses),
                    generator_loss=_mean(generator_losses),
                    validation_loss=_finite(validation),
                )
            )
        if validation is not None and not _accept(run, validation, start_loss):
            return
        if last:
            return


def _accept(run: _Run, validation: float, start_loss: float) -> bool:
    """Keeps the state unless it diverged: then says so, and goes back to the best one.

    The adversarial loss is another goal than the likelihood, so a small loss of likelihood
    is no divergence.
    """
    limit = start_loss + 0.02 * abs(start_loss) + 0.1
    if math.isfinite(validation) and (validation <= limit or not run.settings.warm_start):
        run.keep(validation)
        return True
    run.notes.append(
        "adversarial training diverged (validation likelihood fell); the last good state was kept"
    )
    run.return_to_best()
    return False


def _likelihood(run: _Run, size: int) -> Tensor:
    """Teacher-forced negative log-likelihood of the hidden cells of ``size`` rows."""
    rows, generator = run.rows, run.generator
    tokens = rows.batch(size)
    mask = rows.mask(len(tokens), generator.geometry.columns)
    z = rows.noise(len(tokens), run.config.network.noise_width)
    return _nll(generator, tokens, mask, z, rows.rng)


def _nll(
    generator: Generator, tokens: Tensor, mask: Tensor, z: Tensor, rng: torch.Generator | None
) -> Tensor:
    g = generator.geometry
    logits = generator.logits(z, tokens, mask, rng)
    counts = g.applies(tokens) * (1 - mask[:, g.column_of])
    return negative_log_likelihood(logits, tokens, counts)


@torch.no_grad()
def _validation_loss(run: _Run) -> float:
    """Of the averaged weights on the rows set aside: half with nothing given, half with some.

    Noise and masks are the same each time, so that values can be compared.
    """
    held = run.rows.validation
    fixed = _Rows(held, held, torch.Generator(held.device).manual_seed(7))
    columns, total = run.average.geometry.columns, 0.0
    for chunk in _chunks(held, run.batch_size):
        tokens = chunk.long()
        for mask in (torch.zeros(len(tokens), columns, device=held.device), None):
            mask = fixed.mask(len(tokens), columns) if mask is None else mask
            z = fixed.noise(len(tokens), run.config.network.noise_width)
            total += float(_nll(run.average, tokens, mask, z, None)) * len(tokens)
    return total / len(held) / 2


def _chunks(rows: Tensor, size: int) -> Iterator[Tensor]:
    return iter(torch.split(rows, size))


def _critic_step(run: _Run, critic: Critic, optimizer: torch.optim.Optimizer, steps: int) -> Tensor:
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
        weight = run.settings.gradient_penalty
        total += step_critic(critic, optimizer, real[part], fake[part], mix, weight) / steps
    return total


def step_critic(
    critic: Critic,
    optimizer: torch.optim.Optimizer,
    real: Tensor,
    fake: Tensor,
    mix: Tensor,
    weight: float,
) -> Tensor:
    """One critic update on features (B, F) and mixes (B, 1): the loss without its penalty."""
    objective, loss = critic_objective(critic, real, fake, mix, weight)
    optimizer.zero_grad(set_to_none=True)
    objective.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return loss.detach()


def _generator_step(run: _Run, critic: Critic, optimizer: torch.optim.Optimizer) -> Tensor:
    """One generator update through the critic, with the likelihood beside it."""
    rows, generator = run.rows, run.generator
    tokens = rows.batch(run.adversarial_batch_size)
    mask = rows.mask(len(tokens), generator.geometry.columns)
    z = rows.noise(len(tokens), run.config.network.noise_width)
    fake = generator.relaxed(z, tokens, mask, rows.rng, _TEMPERATURE)
    critic.requires_grad_(False)
    adversarial = generator_loss(critic(critic.features(fake, mask)))
    critic.requires_grad_(True)
    loss = adversarial
    if run.settings.warm_start and run.settings.likelihood_weight > 0:
        loss = loss + run.settings.likelihood_weight * _likelihood(run, run.adversarial_batch_size)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return adversarial.detach()


def _adamw(generator: Generator, rate: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(
        generator.parameters(), lr=rate, betas=(0.9, 0.99), weight_decay=0.05, fused=True
    )


def _adam(module: torch.nn.Module, rate: float) -> torch.optim.Optimizer:
    return torch.optim.Adam(module.parameters(), lr=rate, betas=(0.0, 0.99), fused=True)


def _set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate


def fade(step: int, steps: int) -> float:
    """Linear rise over the first steps, then a cosine down to 2 %."""
    rise = min(1.0, step / _RAMP)
    return rise * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def _mean(values: list[Tensor]) -> float | None:
    """Mean of ``values``, which are then forgotten; None where it is no number."""
    mean = float(torch.stack(values).mean())
    values.clear()
    return _finite(mean)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
