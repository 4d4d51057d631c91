"""Has a model trained on synthetic rows learned the same things, and for everybody?"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from scipy import stats

from synthgan._typing import Floats
from synthgan.metrics.columns import recode
from synthgan.metrics.measure import Estimate, Goal, Measure
from synthgan.metrics.tables import Tables
from synthgan.metrics.utility.models import Model, Rows, Trial

_CELLS = 60_000_000  # scored anew in permutations, at most
_MOST_ROWS = 5_000
_LEVELS = (2, 10)
_FEWEST = 50  # held-out rows of a group


def importance_measure(
    trial: Trial, models: dict[str, Model], halves: tuple[Model, Model], tables: Tables
) -> Measure:
    """Rank correlation of what counts for the models (Breiman 2001, permutation importance).

    The importance of a column is the loss of the main score on held-out rows when the column
    is shuffled. Spearman's correlation of the importances of the model trained on synthetic
    rows with those of the one trained on real rows; floor: of models trained on either half of
    the real rows, a little low as they have fewer rows. The interval is a jackknife over columns.
    """
    width = len(trial.names)
    rows = min(_MOST_ROWS, max(_CELLS // (width * width), 200), len(trial.unseen))
    rng = tables.rng("importance")
    unseen = trial.unseen.take(np.sort(rng.permutation(len(trial.unseen))[:rows]))
    order = rng.permutation(rows)

    def importance(model: Model) -> Floats:
        full = model.predict(unseen).main()[0]
        found = np.empty(width)
        for j in range(width):
            x = unseen.x.copy()
            x[:, j] = x[order, j]
            found[j] = full - model.predict(Rows(x=x, target=unseen.target)).main()[0]
        return found

    real = importance(models["real"])
    note = f"{width} columns, {rows:,} held-out rows"
    estimate = _agreement(importance(models["synthetic"]), real)
    if math.isnan(estimate.value):
        note = "fewer than four columns, or none that counts"
    return Measure(
        key="importance_agreement",
        name="Agreement on what counts (rank correlation)",
        estimate=estimate,
        goal=Goal.HIGH,
        floor=_agreement(*(importance(half) for half in halves)),
        baseline=_agreement(importance(models["independent"]), real),
        rows=len(tables.synthetic),
        note=note,
    )


def _agreement(one: Floats, other: Floats) -> Estimate:
    if len(one) < 4 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return Estimate.undefined()
    value = float(stats.spearmanr(one, other).statistic)
    keep = ~np.eye(len(one), dtype=bool)
    parts = [(one[k], other[k]) for k in keep]
    if any(np.ptp(a) == 0 or np.ptp(b) == 0 for a, b in parts):
        return Estimate(value, -1.0, 1.0)
    without = [float(stats.spearmanr(a, b).statistic) for a, b in parts]
    return Estimate.from_jackknife(value, without, least=-1.0, most=1.0)


def subgroup_measures(
    trial: Trial, models: dict[str, Model], halves: tuple[Model, Model], tables: Tables
) -> list[Measure]:
    """What the groups of people lose when the model is trained on synthetic rows.

    Groups are the levels of categorical columns with 2 to 10 levels that have at least 50
    held-out rows. A group's loss: accuracy trained on real minus trained on synthetic rows, in
    points; for numbers the difference of mean absolute errors, in percent of a standard
    deviation. The first line is the group that loses most, its interval (Bonferroni) widened
    for having looked at all of them; floor: the same for models of either half of the real rows,
    a little high as they have fewer rows. Intervals are over the held-out rows: they leave out
    what training again would change.
    """
    rewards = {name: model.predict(trial.unseen).rewards() for name, model in models.items()}
    first, second = (model.predict(trial.unseen).rewards() for model in halves)
    losses = {
        "estimate": rewards["real"] - rewards["synthetic"],
        "floor": first - second,
        "baseline": rewards["real"] - rewards["independent"],
    }
    groups = _groups(trial)
    looks = sum(len(masks) for masks in groups.values())
    unit = "points" if trial.task != "regression" else "%"

    def line(columns: tuple[str, ...], masks: list[np.ndarray], note: str) -> Measure:
        worst = {
            name: _worst([loss[mask] for mask in masks], looks) for name, loss in losses.items()
        }
        return Measure(
            key="subgroup_gap",
            name="Loss of the group that loses most",
            goal=Goal.LOW,
            unit=unit,
            columns=columns,
            rows=len(tables.synthetic),
            note=note,
            **worst,
        )

    every = [mask for masks in groups.values() for mask in masks]
    note = f"worst of {looks} groups" if looks else "no group has enough held-out rows"
    lines = [line((), every, note)]
    lines += [
        line((name,), masks, f"worst of {len(masks)} levels") for name, masks in groups.items()
    ]
    return lines


def _groups(trial: Trial) -> dict[str, list[np.ndarray]]:
    """For each column of groups, which held-out rows with a target each level has."""
    held = trial.holdout
    present, _ = trial.targets(held)
    found = {}
    for name in trial.names:
        levels = trial.columns.levels.get(name)
        if levels is None or not _LEVELS[0] <= len(levels) <= _LEVELS[1]:
            continue
        codes = recode(held.categories[name], levels, -1, -1)[present]
        masks = [codes == k for k in range(len(levels))]
        masks = [mask for mask in masks if mask.sum() >= _FEWEST]
        if len(masks) >= 2:
            found[name] = masks
    return found


def _worst(losses: list[Floats], looks: int) -> Estimate:
    """The largest mean loss, from simultaneous intervals."""
    if not losses:
        return Estimate.undefined()
    z = NormalDist().inv_cdf(1 - 0.025 / max(looks, 1))
    means = np.array([100 * float(each.mean()) for each in losses])
    errors = np.array([100 * float(each.std()) / math.sqrt(len(each)) for each in losses])
    low, high = float((means - z * errors).max()), float((means + z * errors).max())
    return Estimate(float(means.max()), low, high)
