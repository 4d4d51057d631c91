"""Do synthetic rows help beside the real ones?

A model is trained on a share of the real rows, alone and with synthetic rows added; the gain is
the difference of the main score on the same held-out rows. The floor is the gain from as many
other real rows, where there are some; the baseline from columns drawn independently.
"""

from __future__ import annotations

import numpy as np

from synthgan.report.measure import Estimate, Goal, Ints, Measure
from synthgan.report.tables import Tables
from synthgan.report.utility.models import Rows, Trial
from synthgan.report.utility.scores import Classes, Score, difference

_SHARES = {"augment_5": 0.05, "augment_20": 0.2, "augment_100": 1.0}
_MOST = 10_000  # real rows, and synthetic ones
_FEWEST = 20


def augmentation_measures(trial: Trial, tables: Tables) -> list[Measure]:
    """``augment_5``, ``augment_20``, ``augment_100`` and, for classes, ``augment_balanced``."""
    rng = tables.rng("augmentation")
    real, made, naive = (
        trial.rows(cells.pick(_MOST, rng))
        for cells in (tables.real, tables.synthetic, tables.independent)
    )
    found = [
        _gain(trial, key, real.take(slice(0, round(share * len(real)))), real, (made, naive))
        for key, share in _SHARES.items()
    ]
    if trial.task != "regression":
        found.append(_balanced(trial, real, made, naive, rng))
    return found


def _gain(trial: Trial, key: str, few: Rows, real: Rows, added: tuple[Rows, Rows]) -> Measure:
    share = _SHARES[key]
    name = "AUC" if trial.task != "regression" else "R2"
    estimates: list[Estimate | None] = [None, None, None]
    note = f"{len(few):,} real rows, {len(added[0]):,} synthetic; floor: other real rows"
    if len(few) < _FEWEST:
        estimates[0] = Estimate.undefined()
        note = f"only {len(few)} real rows to learn from"
    else:
        alone = trial.score(few).main()
        others = real.take(slice(len(few), None))
        for place, more in ((0, added[0]), (1, others), (2, added[1])):
            if len(more) and (place != 1 or share <= 0.5):
                estimates[place] = _points(difference(trial.score(few + more).main(), alone))
    assert estimates[0] is not None
    return Measure(
        key=key,
        name=f"Gain in {name} from synthetic rows beside {share:.0%} of the real ones".replace(
            "%", " %"
        ),
        estimate=estimates[0],
        goal=Goal.HIGH,
        unit="points",
        floor=estimates[1],
        baseline=estimates[2],
        rows=len(added[0]),
        note=note,
    )


def _balanced(
    trial: Trial, real: Rows, made: Rows, naive: Rows, rng: np.random.Generator
) -> Measure:
    """Gain in macro F1 when scarce classes are filled up to the size of the largest.

    The floor fills up with the same real rows again: what a resampler gives for nothing.
    """
    key, name = "augment_balanced", "Gain in F1 from filling up scarce classes"
    alone = _f1(trial, real)
    gains = []
    for pool in (made, real, naive):
        extra = _scarce(real.target, pool.target, rng)
        if not len(extra):
            gains.append(Estimate.undefined())
        else:
            gains.append(_points(difference(_f1(trial, real + pool.take(extra)), alone)))
    note = "floor: real rows of the scarce classes repeated"
    if np.isnan(gains[0].value):
        note = "classes are level already, or no synthetic row has a scarce one"
    return Measure(
        key=key,
        name=name,
        estimate=gains[0],
        goal=Goal.HIGH,
        unit="points",
        floor=gains[1],
        baseline=gains[2],
        rows=len(made),
        note=note,
    )


def _scarce(real: np.ndarray, pool: np.ndarray, rng: np.random.Generator) -> Ints:
    """Places in ``pool`` of rows that make the classes of ``real`` level."""
    counts = np.bincount(np.asarray(real, dtype=np.int64))
    chosen = []
    for k, count in enumerate(counts):
        places = np.flatnonzero(pool == k)
        wanted = int(counts.max() - count)
        if count and wanted and len(places):
            chosen.append(rng.choice(places, wanted, replace=wanted > len(places)))
    return np.concatenate(chosen).astype(np.int64) if chosen else np.zeros(0, dtype=np.int64)


def _f1(trial: Trial, rows: Rows) -> Score:
    prediction = trial.score(rows)
    assert isinstance(prediction, Classes)
    return prediction.f1()


def _points(score: Score) -> Estimate:
    return Estimate.from_influence(100 * score[0], 100 * score[1])
