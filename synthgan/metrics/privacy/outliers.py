"""Outlier risk: are the training rows that are unlike all others given away?

Averages hide the few who are most exposed (Stadler et al. 2022, "Synthetic Data: Anonymisation
Groundhog Day"). Here the most outlying training rows are attacked alone, against held-out rows
that are as outlying. They are counted, and never shown. An attack that succeeds shows that
outliers were memorised; one that fails shows nothing (Yao et al. 2025, "The DCR Delusion"). Only
differential privacy gives a guarantee.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from synthgan._typing import Bools, Floats
from synthgan.metrics.columns import Cells
from synthgan.metrics.measure import Estimate, Findings, Goal, LeftOut, Measure, auc
from synthgan.metrics.points import Points, nearest, neighbours
from synthgan.metrics.privacy.space import Ground, affordable, baseline_of, no_holdout, stack
from synthgan.metrics.tables import Tables

_REAL_ROWS = 8_000  # of either side
_SYNTHETIC_ROWS = 100_000
_SHARE = 0.01
_LEAST = 20
_CLAIM = 1 / 3


def outlier_findings(tables: Tables) -> Findings:
    """Membership attack on the most outlying rows: ``outlier_mia`` and ``outliers_exposed``.

    Up to 8,000 training and as many held-out rows are put together; the outliers are the 1 % of
    them (at least 40) with the longest way to any other of these rows, ties drawn at random. As
    no side is treated better, training and held-out rows among them are as outlying. Each is
    scored by how much closer a synthetic row is (among up to 100,000) than any other real row.

    - ``outlier_mia``: AUC of that score, 0 to 1; .5 is best (the floor). The interval is
      DeLong's.
    - ``outliers_exposed``: training rows among the outliers with a synthetic row at less than a
      third of the way to the closest other real row, beyond as many as held-out rows among
      them have; in rows, cut at 0 (the floor). The interval is Newcombe's (1998) for the
      difference of two shares.

    Above the floor: outliers were memorised. At the floor: nothing is shown.
    """
    if tables.holdout is None:
        return no_holdout("attacks on outliers")
    ground = Ground.of(tables, tables.holdout)
    rng = tables.rng("outliers")
    rows = min(len(tables.train), len(tables.holdout), affordable(_REAL_ROWS, ground.width))
    sides = tables.train.pick(rows, rng), tables.holdout.pick(rows, rng)
    found = _Outliers.of(ground, *sides, rng)
    if found is None:
        why = f"fewer than {_LEAST} training or held-out rows"
        return Findings(left_out=(LeftOut(what="attacks on outliers", why=why),))
    most = affordable(_SYNTHETIC_ROWS, ground.width)
    made, independent = (side.pick(most, rng) for side in (tables.made, tables.independent))
    to_made, to_independent = (
        found.distances(ground.embedding()(side)) for side in (made, independent)
    )
    note = (
        f"{int(found.member.sum()):,} training and {int((~found.member).sum()):,} held-out rows, "
        f"the most outlying of {rows:,} of either"
    )
    behind = len(independent)
    exposed = Measure(
        key="outliers_exposed",
        name="Outlying training rows given away",
        estimate=found.exposed(to_made),
        goal=Goal.LOW,
        unit="rows",
        floor=Estimate(0.0, 0.0, 0.0),
        baseline=baseline_of(found.exposed(to_independent), behind),
        rows=len(made),
        note=note,
    )
    attack = Measure(
        key="outlier_mia",
        name="Membership attack on outliers",
        estimate=found.area(to_made),
        goal=Goal.HALF,
        floor=Estimate(0.5, 0.5, 0.5),
        baseline=baseline_of(found.area(to_independent), behind),
        rows=len(made),
        note=note,
    )
    return Findings(measures=(attack, exposed))


@dataclass(frozen=True, eq=False, kw_only=True)
class _Outliers:
    """Outlying rows of both sides."""

    points: Points
    member: Bools
    to_real: Floats
    """Distance to the closest other real row."""

    @classmethod
    def of(
        cls, ground: Ground, train: Cells, holdout: Cells, rng: np.random.Generator
    ) -> _Outliers | None:
        """The outliers among equally many rows of both; None if there are too few rows."""
        if len(train) < _LEAST:
            return None
        points = ground.embedding()(stack(train, holdout))
        to_real = neighbours(points, points, 2)[0][:, 1]  # the first is the row itself
        count = min(max(math.ceil(_SHARE * len(points)), 2 * _LEAST), len(points))
        places = np.lexsort((rng.random(len(points)), -to_real))[:count]
        member = places < len(train)
        if member.all() or not member.any():
            return None
        return cls(points=points[places], member=member, to_real=to_real[places])

    def distances(self, made: Points) -> Floats:
        """From each outlier to the closest row of ``made``."""
        return nearest(made, self.points)[0]

    def area(self, to_made: Floats) -> Estimate:
        """AUC of the attack."""
        apart = self.to_real[self.to_real > 0]
        least = 0.01 * float(np.median(apart)) if len(apart) else 1.0
        scores = np.log(self.to_real + least) - np.log(to_made + least)
        value, influence = auc(self.member, scores)
        return Estimate.from_influence(value, influence, least=0.0, most=1.0)

    def exposed(self, to_made: Floats) -> Estimate:
        """Members claimed beyond the share of others claimed, as a number of rows."""
        claimed = to_made < _CLAIM * self.to_real
        sides = [claimed[self.member], claimed[~self.member]]
        one, other = (Estimate.from_share(float(side.sum()), len(side)) for side in sides)
        gap = one.value - other.value
        low = gap - math.hypot(one.value - one.low, other.high - other.value)
        high = gap + math.hypot(one.high - one.value, other.value - other.low)
        return Estimate(*(len(sides[0]) * max(bound, 0.0) for bound in (gap, low, high)))
