"""Intervals for the largest of several figures, and for the rates of rare events.

Who looks at several figures and reports the largest finds something where nothing is. Here each
of k figures gets an interval at level 1 - .05 / k (Bonferroni); all hold at once with 95 %, so
the largest true figure lies between the largest lower and the largest upper bound.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from scipy import stats

from synthgan._typing import Floats
from synthgan.metrics.measure import Estimate

_ALPHA = 0.05


def z_of(comparisons: int = 1) -> float:
    """Half width, in standard errors, of one of ``comparisons`` simultaneous 95 % intervals."""
    return NormalDist().inv_cdf(1 - _ALPHA / (2 * max(comparisons, 1)))


def largest_share(figures: Sequence[tuple[float, Floats]]) -> Estimate:
    """The largest of several shares or AUCs, from values and influences of rows (0 to 1).

    The influences are those of :meth:`Estimate.from_influence`.
    """
    z = z_of(len(figures))
    parts = []
    for value, influence in figures:
        half = z * float(np.sqrt(np.square(influence).sum()))
        parts.append(Estimate(value, max(value - half, 0.0), min(value + half, 1.0)))
    return largest(parts)


def largest(parts: Sequence[Estimate]) -> Estimate:
    """The largest figure, from simultaneous intervals; those not defined are left out."""
    defined = [part for part in parts if not math.isnan(part.value)]
    if not defined:
        return Estimate.undefined()
    value, low, high = (max(part[i] for part in defined) for i in range(3))
    return Estimate(value, low, high)


def true_positive_rate(members: Floats, others: Floats, rate: float) -> Estimate:
    """Share of ``members`` claimed at a threshold that claims the share ``rate`` of ``others``.

    Scores are higher for likelier members, shape (rows,); ties are broken at random, on
    average. The interval knows that the threshold itself is an estimate: two order statistics
    of ``others`` hold the true threshold, the intervals of Clopper and Pearson (1934) at either
    hold the rate, each at 97.5 %. With too few ``others`` the lower bound is 0; with fewer
    than 1 / ``rate`` the figure is not defined.
    """
    n, m = len(others), len(members)
    if n * rate < 1 or m < 1:
        return Estimate.undefined()
    tail = _ALPHA / 4
    fewest, most = (int(stats.binom.ppf(p, n, rate)) for p in (tail, 1 - tail))
    place = (n + 1) * rate
    below, part = math.floor(place), place - math.floor(place)
    ordered = -np.sort(-others)
    hits = (1 - part) * _claimed(members, ordered, below)
    hits += part * _claimed(members, ordered, below + 1)
    few, many = _claimed(members, ordered, fewest), _claimed(members, ordered, most + 1)
    low = float(stats.beta.ppf(tail, few, m - few + 1)) if fewest and few else 0.0
    high = float(stats.beta.isf(tail, many + 1, m - many)) if many < m else 1.0
    return Estimate(hits / m, min(low, hits / m), max(high, hits / m))


def _claimed(members: Floats, ordered: Floats, place: int) -> float:
    """How many members score above the ``place``-th largest (from 1) of ``ordered``."""
    if place < 1:
        return 0.0
    if place > len(ordered):
        return float(len(members))
    bar = ordered[place - 1]
    first = int(np.searchsorted(-ordered, -bar, side="left"))
    tied = int(np.searchsorted(-ordered, -bar, side="right")) - first
    share = (place - first) / (tied + 1)  # of a tied member, to be sorted above that place
    return float((members > bar).sum() + share * (members == bar).sum())
