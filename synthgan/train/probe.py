"""How the game stands: a look at generator and critic now and then, that changes neither.

It has its own random stream, so that results of training do not change.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from synthgan.network.critic import Critic
from synthgan.network.geometry import onehot
from synthgan.network.losses import Objective, slopes
from synthgan.train.run import Run

_ROWS = 500  # of each kind that are looked at
_FEWEST = 20  # of each kind that trees can learn from
_TREES = 30  # of a detector: more of them take longer, and find little more in so few rows
_COLLAPSED = 0.5  # of the real rows' share of distinct ones
_NEIGHBOURS = 5  # within which a row counts as reached
_SURE = 0.2  # of the critic's loss above the least; 1.4 or 2 where it tells nothing apart
_FLAT = 0.1  # of the slope, where 1 would measure a distance
_SIGMAS = 4.0  # by which a gap must be beyond chance


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What was seen, on a few hundred rows of each kind."""

    slope: float
    """Mean norm of the critic's gradient between real and drawn rows; WGAN-GP asks for 1."""
    gap: float
    """E D(training rows) - E D(rows set aside)."""
    gap_error: float
    """Standard error of ``gap``."""
    distance: float
    """E D(training rows) - E D(drawn rows)."""
    distinct: float
    """Share of distinct rows among those drawn."""
    real_distinct: float
    """The same of as many training rows."""
    recall: float
    """Share of training rows that drawn ones come near, see :func:`_recall`."""


@torch.no_grad()
def look(run: Run, critic: Critic) -> Probe:
    """What there is to see now, of the averaged generator."""
    rows, generator = run.rows, run.average
    rng = torch.Generator(run.device).manual_seed(11 + run.ranks.rank)
    known, held = rows.training[:_ROWS].long(), rows.validation[:_ROWS].long()
    mask = torch.zeros((len(known), generator.geometry.columns), device=run.device)
    z = torch.randn((len(known), generator.config.noise_width), generator=rng, device=run.device)
    drawn = generator.draw(z, known, mask, rng)
    scorer = run.objective.constraint.scorer(critic)

    def seen(tokens: Tensor) -> Tensor:
        return critic.features(onehot(tokens, critic.geometry), mask[:1].expand(len(tokens), -1))

    real, fake = seen(known), seen(drawn)
    mix = torch.rand((len(known), 1), generator=rng, device=run.device)
    on_known, on_held = scorer(real), scorer(seen(held))
    spread = [each.var(correction=0) / len(each) for each in (on_known, on_held)]
    return Probe(
        slope=float(slopes(scorer, real, fake, mix).mean()),
        gap=float(on_known.mean() - on_held.mean()),
        gap_error=float(sum(spread[1:], spread[0]).sqrt()),
        distance=float(on_known.mean() - scorer(fake).mean()),
        distinct=_distinct(drawn),
        real_distinct=_distinct(known),
        recall=_recall(real, fake),
    )


@torch.no_grad()
def detection(run: Run) -> float | None:
    """AUC of boosted trees that tell rows drawn from the averaged generator from rows set aside,
    each scored by trees that did not see it (C2ST, Lopez-Paz & Oquab 2017; two folds).

    None where rows are too few. Of 500 rows of each kind its standard error is .02.
    """
    rows, generator = run.rows, run.average
    held = rows.validation[:_ROWS].long()
    if len(held) < _FEWEST:
        return None
    rng = torch.Generator(run.device).manual_seed(13 + run.ranks.rank)
    mask = rows.least_mask(len(held), generator.geometry.columns)
    z = torch.randn((len(held), generator.config.noise_width), generator=rng, device=run.device)
    drawn = generator.draw(z, held, mask, rng)
    tokens = torch.stack([held, drawn], dim=1).flatten(0, 1).cpu().numpy()
    auc = _auc(tokens, np.arange(len(tokens)) % 2)
    return auc if math.isfinite(auc) else None


def _auc(tokens: npt.NDArray[np.int64], labels: npt.NDArray[np.int64]) -> float:
    """Of rows (n, P) that come in pairs, one of each kind; pairs are scored by turns."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score

    scores, fold = np.zeros(len(tokens)), np.arange(len(tokens)) // 2 % 2
    with threadpool_limits(limits=1):
        for part in (0, 1):
            trees = HistGradientBoostingClassifier(
                max_iter=_TREES, max_leaf_nodes=8, early_stopping=False, random_state=0
            ).fit(tokens[fold != part], labels[fold != part])
            scores[fold == part] = trees.decision_function(tokens[fold == part])
    aucs = [roc_auc_score(labels[fold == part], scores[fold == part]) for part in (0, 1)]
    return float(np.mean(aucs))


def gradient_norm(module: torch.nn.Module) -> float:
    """Norm of the gradient that is left in ``module`` from its last step."""
    norms = [each.grad.norm() for each in module.parameters() if each.grad is not None]
    return float(torch.stack(norms).norm()) if norms else 0.0


def warnings(objective: Objective, probe: Probe, critic_loss: float | None) -> Iterator[str]:
    """What the owner should know of a game that ended as ``probe`` saw it, and what to change."""
    if probe.distinct < _COLLAPSED * probe.real_distinct:
        yield (
            f"mode collapse: {probe.distinct:.0%} of the rows drawn are distinct, of as many real "
            f"ones {probe.real_distinct:.0%}; lower generator_lr, or keep the warm start"
        )
    if objective.least is not None and critic_loss is not None:
        if critic_loss < objective.least + _SURE:
            yield (
                "the critic is saturated: it tells all rows apart, so that little is left for the "
                "generator to learn from; lower critic_lr or critic_steps, or use wgan-gp"
            )
    elif objective.constraint.clip is not None and probe.slope < _FLAT:
        yield (
            f"the critic's slope is {probe.slope:.2g}, where 1 would measure a distance: clipping "
            "its weights leaves it flat; use wgan-gp"
        )
    beyond_chance = probe.gap > _SIGMAS * probe.gap_error
    if beyond_chance and probe.gap > 0.5 * abs(probe.distance):
        yield (
            "the critic scores training rows higher than rows set aside: it has begun to learn "
            "rows by heart; take fewer steps, or a smaller critic_width"
        )


def _recall(real: Tensor, fake: Tensor) -> float:
    """Share of rows ``real`` that lie no farther from some row of ``fake`` than that one's fifth
    neighbour among its own kind does (Kynkaanniemi et al. 2019), by features (B, F) and (B', F)."""
    nearest = min(_NEIGHBOURS + 1, len(fake))  # the first is the row itself
    reach = torch.cdist(fake, fake).kthvalue(nearest, dim=1).values
    return float((torch.cdist(real, fake) <= reach).any(dim=1).float().mean())


def _distinct(tokens: Tensor) -> float:
    return len(torch.unique(tokens, dim=0)) / len(tokens)
