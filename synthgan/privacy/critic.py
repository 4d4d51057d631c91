"""A generator trained against a critic that learns from private rows by DP-SGD.

The critic's gradients (WGAN-GP, Gulrajani et al. 2017, the penalty's part included) are worked
out row by row, cut to a length, summed over a random sample of the rows and noised (Abadi et
al. 2016), all behind :class:`PrivateRows`. What becomes of noisy gradients is
post-processing: the critic's weights, the generator that is trained through it, the rows that
the generator draws. A row is compared with a fake of its own at a mix of its own, never with
other rows: no packing, no norm over a batch.

The generator sees no row: it starts from the noisy shares of single columns, is kept near them
while it plays, and is asked for whole rows only, with nothing given. Conditions are learned
afterwards, from rows it draws.

Fakes come from a pool that knows nothing of the sample; which of them a row meets, and where
between the two the penalty looks, is in the row's own random word. So one row more in the
sample changes nothing for the others, even if the pool's seed is known.

One thing is not exact: the gradient of a row is worked out in floating-point numbers, beside
others in one product of matrices. A row's numbers should not depend on what is beside it, and
do not where this was tested, but no standard promises it for the last bit.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.func import functional_call, grad, vmap

from synthgan._typing import Ints
from synthgan.config import NetworkConfig
from synthgan.encode.layout import Layout
from synthgan.network.critic import Critic
from synthgan.network.generator import Generator
from synthgan.network.geometry import onehot
from synthgan.network.losses import critic_objective, generator_loss, objective_of
from synthgan.network.optim import fade
from synthgan.privacy.gradients import GradientPlan
from synthgan.privacy.ledger import Ledger
from synthgan.privacy.rows import PrivateRows
from synthgan.progress import OnStep, Step

_MOST_SIGMA = 8192  # of the noise, in steps of the grid: beyond, exact noise gets slow
_MOST_UNITS, _FEWEST_UNITS = 4096, 64  # steps of the grid that clip is long
_WORD_BITS = 30  # of a row's random word, for each of the two things that it decides
_TEMPERATURE = 0.5  # of the Gumbel-softmax
_DECAY = 0.99  # of the averaged weights
_REPORT_EVERY = 10
_CHUNK = 5_000  # rows drawn at once


@dataclass(frozen=True, kw_only=True)
class Game:
    """How generator and critic are trained. Public, as all settings are."""

    steps: int = 1000
    """Steps of the critic; the generator takes as many."""
    batch_size: int = 512
    """Rows in a sample, on average."""
    generator_batch_size: int = 512
    clip: float = 1.0
    """Length that the gradient of a row is cut to."""
    gradient_penalty: float = 1.0
    share_weight: float = 3.0
    """Weight of the generator's squared error in the noisy shares of single columns."""
    critic_lr: float = 2e-3
    generator_lr: float = 2e-3
    pool: int = 512
    """Fakes that a step's rows are compared with."""
    network: NetworkConfig = field(
        default_factory=lambda: NetworkConfig(critic_width=32, critic_depth=2)
    )
    """Of both networks. A small critic: noise grows with the number of its weights."""


GAME = Game()


def plan_gradients(ledger: Ledger, game: Game, *, size: int, rows: float) -> GradientPlan:
    """Noise with which ``game`` uses up what is left of the budget, for vectors of ``size``.

    ``rows`` is the noisy number of rows, so that the chance of a row to be in a sample is
    public. Raises :class:`ConfigError` if nothing is left.
    """
    sampling = min(Fraction(max(round(game.batch_size / rows * 2**30), 1), 2**30), Fraction(1))
    noise = ledger.noise_multiplier(sampling, game.steps)
    most = ledger.budget.rows_per_unit
    units = int(np.clip(_MOST_SIGMA / (noise * most), _FEWEST_UNITS, _MOST_UNITS))
    return GradientPlan(
        size=size,
        clip=game.clip,
        units=units,
        variance=Fraction(math.ceil((noise * units * most) ** 2)),
        sampling=sampling,
        steps=game.steps,
    )


def play(
    rows: PrivateRows,
    layout: Layout,
    *,
    count: float,
    seed: int,
    device: torch.device,
    game: Game | None = None,
    on_step: OnStep | None = None,
) -> Generator:
    """Spends all that is left of the budget of ``rows`` (encoded) on a generator for ``layout``.

    ``count`` is the noisy number of rows. ``seed`` has no part in noise and samples. Raises
    :class:`ConfigError` if nothing of the budget is left.
    """
    assert not layout.fine.any(), "rows tell their codes only, which is all that private fits have"
    players = Players.start(layout, game or GAME, seed=seed, device=device)
    game, began = players.game, time.monotonic()
    size = sum(weight.numel() for weight in players.critic.parameters())
    plan = plan_gradients(rows.ledger, game, size=size, rows=count)
    booking = rows.book_gradients(layout.columns, plan, "gradients of the critic")
    batch = float(plan.sampling) * count
    for step in range(1, game.steps + 1):
        rate = fade(step, game.steps)
        total = rows.noisy_gradient(booking, players.meet())
        players.move_critic(total / batch, rate)
        loss = players.move_generator(rate)
        if on_step is not None and (step % _REPORT_EVERY == 0 or step == game.steps):
            seconds = round(time.monotonic() - began, 2)
            told = float(loss)
            on_step(
                Step(
                    phase="adversarial",
                    step=step,
                    of=game.steps,
                    seconds=seconds,
                    generator_loss=told if math.isfinite(told) else None,
                )
            )
    return players.average.eval()


@dataclass
class Players:
    """Both networks and all that changes while they play. Of rows it holds nothing."""

    game: Game
    generator: Generator
    critic: Critic
    rng: torch.Generator
    average: Generator = field(init=False)

    @staticmethod
    def start(layout: Layout, game: Game, *, seed: int, device: torch.device) -> Players:
        """Networks as they are before any step."""
        generator = Generator(layout, game.network, torch.Generator().manual_seed(seed))
        critic = Critic(layout, game.network, torch.Generator().manual_seed(seed + 1))
        rng = torch.Generator(device).manual_seed(seed)
        return Players(game, generator.to(device), critic.to(device), rng)

    def __post_init__(self) -> None:
        prior = torch.from_numpy(self.generator.layout.prior).float()
        self.shares = prior.to(self.generator.device)
        self.average = copy.deepcopy(self.generator).requires_grad_(False)
        self._critic_optimizer = _adam(self.critic, self.game.critic_lr)
        self._generator_optimizer = _adam(self.generator, self.game.generator_lr)

    def meet(self) -> Callable[[Ints, Ints], npt.NDArray[np.floating[Any]]]:
        """What tells the gradients of rows, with fakes for one step; see
        :data:`~synthgan.privacy.gradients.RowGradients`."""
        pool = self._draw(self.game.pool)
        with torch.no_grad():
            fakes = self._features(onehot(pool, self.critic.geometry))

        def gradients(tokens: Ints, words: Ints) -> npt.NDArray[np.floating[Any]]:
            device = fakes.device
            with torch.no_grad():
                rows = torch.from_numpy(tokens).to(device)
                real = self._features(onehot(rows, self.critic.geometry))
            which = torch.from_numpy(words % len(fakes)).to(device)
            share = (words >> _WORD_BITS) % (1 << _WORD_BITS) / (1 << _WORD_BITS)
            mix = torch.from_numpy(share.astype(np.float32)).to(device).unsqueeze(1)
            found = row_gradients(self.critic, real, fakes[which], mix, self.game.gradient_penalty)
            return found.cpu().numpy()

        return gradients

    def move_critic(self, gradient: npt.NDArray[np.floating[Any]], rate: float) -> None:
        """One step of the critic along ``gradient``, that of all its weights in a row."""
        weights = list(self.critic.parameters())
        parts = torch.split(torch.from_numpy(gradient).float(), [w.numel() for w in weights])
        for weight, part in zip(weights, parts, strict=True):
            weight.grad = part.view_as(weight).to(weight.device)
        _move(self._critic_optimizer, self.game.critic_lr * rate)

    def move_generator(self, rate: float) -> Tensor:
        """One step of the generator through the critic: its loss."""
        size, generator = self.game.generator_batch_size, self.generator
        z, nothing, mask = self._blank(size)
        fake = generator.relaxed(z, nothing, mask, self.rng, _TEMPERATURE)
        self.critic.requires_grad_(False)
        loss = generator_loss(self.critic(self._features(fake)))
        self.critic.requires_grad_(True)
        off = (fake.mean(dim=0) - self.shares).square().sum()
        self._generator_optimizer.zero_grad(set_to_none=True)
        (loss + self.game.share_weight * off).backward()  # type: ignore[no-untyped-call]
        _move(self._generator_optimizer, self.game.generator_lr * rate)
        with torch.no_grad():
            average: list[Tensor] = list(self.average.parameters())
            torch._foreach_lerp_(average, list(generator.parameters()), 1 - _DECAY)
        return loss.detach()

    def _draw(self, size: int) -> Tensor:
        z, nothing, mask = self._blank(size)
        return self.generator.draw(z, nothing, mask, self.rng)

    def _blank(self, size: int) -> tuple[Tensor, Tensor, Tensor]:
        return _blank(self.generator, size, self.rng)

    def _features(self, onehots: Tensor) -> Tensor:
        columns = self.critic.geometry.columns
        return self.critic.features(onehots, onehots.new_zeros(len(onehots), columns))


def row_gradients(critic: Critic, real: Tensor, fake: Tensor, mix: Tensor, weight: float) -> Tensor:
    """For each row with its own fake (features (B, F)) and mix (B, 1), the gradient of
    :func:`~synthgan.network.losses.critic_objective` in all weights of the critic: (B, weights)."""
    weights = {name: each.detach() for name, each in critic.named_parameters()}
    game = objective_of("wgan-gp", weight)

    def objective(weights: dict[str, Tensor], *row: Tensor) -> tuple[Tensor, Tensor]:
        def scores(features: Tensor) -> Tensor:
            found: Tensor = functional_call(critic, weights, (features,))
            return found

        real, fake, mix = (each.unsqueeze(0) for each in row)
        return critic_objective(scores, real, fake, mix, game)

    each_row = vmap(grad(objective, has_aux=True), in_dims=(None, 0, 0, 0))
    found, _ = each_row(weights, real, fake, mix)
    return torch.cat([found[name].flatten(1) for name in weights], dim=1)


def draw_rows(generator: Generator, n: int, rng: torch.Generator) -> Ints:
    """``n`` rows of tokens (n, positions), with nothing given. ``rng``: on the device."""
    chunks = []
    for start in range(0, n, _CHUNK):
        z, nothing, mask = _blank(generator, min(_CHUNK, n - start), rng)
        chunks.append(generator.draw(z, nothing, mask, rng).cpu().numpy())
    return np.concatenate(chunks)


def _blank(generator: Generator, size: int, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Noise, and rows of which nothing is given."""
    device, g = generator.device, generator.geometry
    z = torch.randn((size, generator.config.noise_width), generator=rng, device=device)
    nothing = torch.zeros((size, len(g.spans)), dtype=torch.int64, device=device)
    return z, nothing, torch.zeros((size, g.columns), device=device)


def _adam(module: torch.nn.Module, rate: float) -> torch.optim.Optimizer:
    return torch.optim.Adam(module.parameters(), lr=rate, betas=(0.0, 0.99), fused=True)


def _move(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
