"""The losses, as pure functions of scores and logits, and what keeps the critic in bounds.

WGAN-GP (Gulrajani et al. 2017): the critic D maximises E D(real) - E D(fake) under a penalty
on its gradient, the generator maximises E D(fake). The other objectives are for comparison; each
is two functions and a constraint (:func:`objective_of`). Everything here is minimised: where a
paper maximises, the sign is turned. The likelihood term is the teacher-forced cross entropy of
every cell that was not given, given the cells before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from synthgan.config import ObjectiveName
from synthgan.network.critic import Critic
from synthgan.network.generator import GroupLogits

Scorer = Callable[[Tensor], Tensor]
"""Features (B, F) to scores (B,), high for real."""

_CriticLoss = Callable[[Tensor, Tensor], Tensor]
_GeneratorLoss = Callable[[Tensor], Tensor]

_CLIP = 0.01  # weights of a clipped critic (Arjovsky et al. 2017, c)
_POWER_STEPS = 12  # of the power iteration


# --- losses -----------------------------------------------------------------------------


def critic_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """E D(fake) - E D(real), from scores (B,): the Wasserstein estimate with its sign turned."""
    return fake_scores.mean() - real_scores.mean()


def generator_loss(fake_scores: Tensor) -> Tensor:
    """- E D(fake), from scores (B,)."""
    return -fake_scores.mean()


def cross_entropy_critic_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """- E log s(D(real)) - E log(1 - s(D(fake))), with s the logistic function (Goodfellow et al.
    2014): the scores are logits, and - log s(x) = softplus(-x)."""
    return F.softplus(-real_scores).mean() + F.softplus(fake_scores).mean()


def minimax_generator_loss(fake_scores: Tensor) -> Tensor:
    """E log(1 - s(D(fake))): the generator's side of the game as it is defined.

    Its gradient vanishes where the critic is sure that a row is fake.
    """
    return -F.softplus(fake_scores).mean()


def non_saturating_generator_loss(fake_scores: Tensor) -> Tensor:
    """- E log s(D(fake)): the same fixed point, with a gradient where the critic is sure."""
    return F.softplus(-fake_scores).mean()


def hinge_critic_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """E max(0, 1 - D(real)) + E max(0, 1 + D(fake)) (Lim & Ye 2017, Miyato et al. 2018).

    The generator's side is :func:`generator_loss`.
    """
    return F.relu(1 - real_scores).mean() + F.relu(1 + fake_scores).mean()


def classification_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """- E sum_k y_k log C_k(x), from logits of C (B, K) and one-hot labels y (B, K) (Odena et al.
    2017): the mean over rows that have a label, and 0 if none has."""
    return -(labels * F.log_softmax(logits, dim=1)).sum() / labels.sum().clamp(min=1.0)


def auxiliary_loss(critic: Critic, features: Tensor, *, drawn: bool) -> Tensor | float:
    """:func:`classification_loss` of the classifier beside ``critic``, of rows by their features
    (B, F); 0 without a classifier.

    Of rows that were ``drawn`` those count whose class was given. Where the class is drawn too,
    it may come after the cells that would have to agree with it, and what is easily told is what
    the generator would choose to draw.
    """
    classifier = critic.classifier
    if classifier is None:
        return 0.0
    labels = classifier.labels(features)
    if drawn:
        labels = labels * classifier.given(features)
    return classification_loss(classifier(features), labels)


# --- constraints on the critic ----------------------------------------------------------


def slopes(critic: Scorer, real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """||grad D(x)|| (B,) at x = mix real + (1 - mix) fake, from features (B, F) and mix (B, 1)."""
    between = (real * mix + fake * (1 - mix)).detach()
    gradient = torch.func.grad(lambda x: critic(x).sum())(between)
    norm: Tensor = (gradient.square().sum(dim=1) + 1e-12).sqrt()
    return norm


def gradient_penalty(critic: Scorer, real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """E (||grad D(x)|| - 1)^2 at points between real and fake rows, see :func:`slopes`.

    ``mix`` (B, 1) is uniform in [0, 1].
    """
    return (slopes(critic, real, fake, mix) - 1).square().mean()


def spectral_norm(weight: Tensor) -> Tensor:
    """Largest singular value of ``weight`` (outputs, inputs), by power iteration from a fixed
    start: a little too small where the two largest are close. Has a gradient in ``weight``."""
    with torch.no_grad():
        right = F.normalize(torch.ones_like(weight[0]), dim=0)
        for _ in range(_POWER_STEPS):
            left = F.normalize(weight @ right, dim=0)
            right = F.normalize(weight.T @ left, dim=0)
    return left @ weight @ right


@dataclass(frozen=True, kw_only=True)
class Constraint:
    """What keeps a critic from becoming steep; nothing does by default."""

    penalty_weight: float = 0.0
    """Of :func:`gradient_penalty`."""
    clip: float | None = None
    """Weights are cut to +- this after each step (Arjovsky et al. 2017)."""
    spectral: bool = False
    """Whether each matrix is used divided by its :func:`spectral_norm` (Miyato et al. 2018)."""

    def scorer(self, critic: nn.Module) -> Scorer:
        """``critic`` as it is to be used."""
        if not self.spectral:
            return critic
        weights = {
            name: weight / spectral_norm(weight) if weight.ndim == 2 else weight
            for name, weight in _scoring(critic)
        }

        def scores(features: Tensor) -> Tensor:
            found: Tensor = functional_call(critic, weights, (features,))
            return found

        return scores

    @torch.no_grad()
    def project(self, critic: nn.Module) -> None:
        """Brings ``critic`` back to what is allowed, after a step."""
        if self.clip is not None:
            for _, weight in _scoring(critic):
                weight.clamp_(-self.clip, self.clip)


def _scoring(critic: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """The weights that scores come from: all but those of a classifier."""
    named = critic.named_parameters()
    return ((name, each) for name, each in named if not name.startswith("classifier."))


# --- objectives -------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Objective:
    """What generator and critic play for: two losses to be minimised, and a constraint."""

    critic: _CriticLoss
    """Of the critic, from its scores of real and of fake rows."""
    generator: _GeneratorLoss
    """Of the generator, from the critic's scores of its rows."""
    constraint: Constraint
    least: float | None = None
    """The critic's loss where it tells all rows apart, if there is a least one."""


def objective_of(name: ObjectiveName, penalty_weight: float) -> Objective:
    """The objective ``name``; ``penalty_weight`` is that of WGAN-GP's gradient penalty."""
    cross_entropy, free = cross_entropy_critic_loss, Constraint()
    losses: dict[ObjectiveName, tuple[_CriticLoss, _GeneratorLoss, Constraint]] = {
        "wgan-gp": (critic_loss, generator_loss, Constraint(penalty_weight=penalty_weight)),
        "wgan-clip": (critic_loss, generator_loss, Constraint(clip=_CLIP)),
        "minimax": (cross_entropy, minimax_generator_loss, free),
        "non-saturating": (cross_entropy, non_saturating_generator_loss, free),
        "hinge-sn": (hinge_critic_loss, generator_loss, Constraint(spectral=True)),
    }
    critic, generator, constraint = losses[name]
    least = None if critic is critic_loss else 0.0
    return Objective(critic=critic, generator=generator, constraint=constraint, least=least)


def critic_objective(
    critic: Scorer, real: Tensor, fake: Tensor, mix: Tensor, objective: Objective
) -> tuple[Tensor, Tensor]:
    """What the critic minimises, and the part of it that is no penalty.

    Means over rows, so the gradient for a batch is the mean of the gradients for each row with
    its own fake and mix alone: with ``torch.func`` it can be had row by row (Abadi et al. 2016).
    """
    loss = objective.critic(critic(real), critic(fake))
    weight = objective.constraint.penalty_weight
    if weight == 0:
        return loss, loss
    return loss + weight * gradient_penalty(critic, real, fake, mix), loss


# --- likelihood -------------------------------------------------------------------------


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
