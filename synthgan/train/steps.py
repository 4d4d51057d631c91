"""One step of each player, and the losses that it goes by."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from synthgan.network.critic import Critic
from synthgan.network.generator import Generator
from synthgan.network.geometry import onehot
from synthgan.network.losses import (
    Objective,
    auxiliary_loss,
    critic_objective,
    negative_log_likelihood,
)
from synthgan.train.batches import Rows
from synthgan.train.distributed import ALONE, Ranks
from synthgan.train.run import Run

_TEMPERATURE = 0.5  # of the Gumbel-softmax in training


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
    fixed = Rows(held, held, rng, None, run.rows.context)
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
