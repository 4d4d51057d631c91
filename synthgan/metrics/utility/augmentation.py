"""Do synthetic rows help beside the real ones?

A model is trained on a share of the real rows, alone and with synthetic rows added; the gain is
the difference of the main score on the same held-out rows. The floor is the gain from as many
other real rows, where there are some; the baseline from columns drawn independently. The
generator has learned from all the real rows: beside a share of them, a gain is what it has kept
of the others, and more than who has that share alone could hope for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from synthgan._typing import Ints
from synthgan.metrics.measure import Estimate, Goal, Measure
from synthgan.metrics.tables import Tables
from synthgan.metrics.utility.models import Rows, Trial
from synthgan.metrics.utility.scores import Classes, Prediction, Score, difference

_SHARES = {"augment_5": 0.05, "augment_20": 0.2, "augment_100": 1.0}
_MOST_ADDED = 10_000  # beside a share of the real rows
_FEWEST = 20


@dataclass(frozen=True, eq=False, kw_only=True)
class Pools:
    """Rows to learn from, in random order."""

    real: Rows
    synthetic: Rows
    independent: Rows


def augmentation_measures(
    trial: Trial, pools: Pools, alone: Prediction, tables: Tables
) -> list[Measure]:
    """``augment_5``, ``augment_20``, ``augment_100`` and, for classes, ``augment_balanced``.

    ``alone`` is what a model says that was trained on all of ``pools.real``.
    """
    learned = len(tables.train)
    found = [
        _gain(trial, key, pools, alone if share == 1 else None, learned)
        for key, share in _SHARES.items()
    ]
    if isinstance(alone, Classes):
        found.append(_balanced(trial, pools, alone, tables.rng("augmentation")))
    return found


def _gain(trial: Trial, key: str, pools: Pools, alone: Prediction | None, learned: int) -> Measure:
    """The gain beside the first real rows; ``alone``: what these predict, if it is known."""
    share, real = _SHARES[key], pools.real
    count = round(share * len(real))
    few, others = real.take(slice(0, count)), real.take(slice(count, None))
    # As many of each sort, so that rows are compared and not numbers of rows.
    added = [pools.synthetic, *([others] if share < 1 else []), pools.independent]
    size = min([len(each) for each in added] + ([_MOST_ADDED] if share < 1 else []))
    gains = [Estimate.undefined()] * 3
    note = f"only {count} real rows to learn from"
    if count >= _FEWEST and size:
        before = (alone or trial.score(few)).main()
        found = [trial.score(few + more.take(slice(0, size))).main() for more in added]
        made, *other, naive = [_points(difference(after, before)) for after in found]
        gains = [made, other[0] if other else Estimate.undefined(), naive]
        note = f"{size:,} synthetic beside {count:,} real rows"
        if count < learned:
            note += f"; the generator has learned from {learned:,}"
    score = "R2" if trial.task == "regression" else "AUC"
    return Measure(
        key=key,
        name=f"Gain in {score} from synthetic rows beside {100 * share:.0f} % of the real ones",
        estimate=gains[0],
        goal=Goal.HIGH,
        unit="points",
        floor=gains[1],
        baseline=gains[2],
        rows=size,
        note=note,
    )


def _balanced(trial: Trial, pools: Pools, alone: Classes, rng: np.random.Generator) -> Measure:
    """Gain in macro F1 when scarce classes are filled up to the size of the largest.

    The floor fills up with the same real rows again: what a resampler gives for nothing.
    """
    real = pools.real
    gains = []
    for pool in (pools.synthetic, real, pools.independent):
        extra = _scarce(real.target, pool.target, rng)
        if not len(extra):
            gains.append(Estimate.undefined())
        else:
            gains.append(_points(difference(_f1(trial, real + pool.take(extra)), alone.f1())))
    note = "real rows: those of the scarce classes repeated"
    if math.isnan(gains[0].value):
        note = "classes are level already, or no synthetic row has a scarce one"
    return Measure(
        key="augment_balanced",
        name="Gain in F1 from filling up scarce classes",
        estimate=gains[0],
        goal=Goal.HIGH,
        unit="points",
        floor=gains[1],
        baseline=gains[2],
        rows=len(pools.synthetic),
        note=note,
    )


def _scarce(real: np.ndarray, pool: np.ndarray, rng: np.random.Generator) -> Ints:
    """Places in ``pool`` of rows that make the classes of ``real`` level.

    Of very many classes, the level is lower than the largest: 10,000 rows and as many as
    ``real`` has are enough.
    """
    counts = np.bincount(np.asarray(real, dtype=np.int64))
    level = min(int(counts.max()), (len(real) + _MOST_ADDED) // int(np.count_nonzero(counts)))
    chosen = []
    for k, count in enumerate(counts.tolist()):
        places = np.flatnonzero(pool == k)
        wanted = level - count
        if count and wanted > 0 and len(places):
            chosen.append(rng.choice(places, wanted, replace=wanted > len(places)))
    return np.concatenate(chosen).astype(np.int64) if chosen else np.zeros(0, dtype=np.int64)


def _f1(trial: Trial, rows: Rows) -> Score:
    prediction = trial.score(rows)
    assert isinstance(prediction, Classes)
    return prediction.f1()


def _points(score: Score) -> Estimate:
    return Estimate.from_influence(100 * score[0], 100 * score[1])
