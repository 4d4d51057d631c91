"""The losses, as pure functions of scores and logits.

WGAN-GP (Gulrajani et al. 2017): the critic D maximises E D(real) - E D(fake) under a penalty
on its gradient, the generator maximises E D(fake). The likelihood term is the teacher-forced
cross entropy of every cell that was not given, given the cells before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

from synthgan.network import GroupLogits


def critic_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """E D(fake) - E D(real), from scores (B,): the Wasserstein estimate with its sign turned."""
    return fake_scores.mean() - real_scores.mean()


def gradient_penalty(
    critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, mix: Tensor
) -> Tensor:
    """E (||grad D(x)|| - 1)^2 at x = mix real + (1 - mix) fake, from features (B, F).

    ``mix`` (B, 1) is uniform in [0, 1].
    """
    between = (real * mix + fake * (1 - mix)).detach()
    gradient = torch.func.grad(lambda x: critic(x).sum())(between)
    norm: Tensor = (gradient.square().sum(dim=1) + 1e-12).sqrt()
    return (norm - 1).square().mean()


def critic_objective(
    critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, mix: Tensor, weight: float
) -> tuple[Tensor, Tensor]:
    """What the critic minimises, and the part of it that is no penalty: :func:`critic_loss`.

    Means over rows, so the gradient for a batch is the mean of the gradients for each row with
    its own fake and mix alone: with ``torch.func`` it can be had row by row (Abadi et al. 2016).
    """
    loss = critic_loss(critic(real), critic(fake))
    return loss + weight * gradient_penalty(critic, real, fake, mix), loss


def generator_loss(fake_scores: Tensor) -> Tensor:
    """- E D(fake), from scores (B,)."""
    return -fake_scores.mean()


def negative_log_likelihood(
    logits: Iterable[GroupLogits], tokens: Tensor, counts: Tensor
) -> Tensor:
    """Mean over rows of the summed cross entropy of the cells that count, in nats.

    ``logits`` of all positions; ``tokens`` (B, P); ``counts`` (B, P): 1 where a
    cell is to be learned, 0 where it was given or means nothing.
    """
    total = counts.new_zeros(())
    for some in logits:
        wanted = tokens[:, some.positions].T.flatten()
        losses = F.cross_entropy(some.values.flatten(0, 1), wanted, reduction="none")
        total = total + losses @ counts[:, some.positions].T.flatten()
    return total / len(tokens)
