"""Groups of alike rows: does the candidate fill each of them?

K-means groups of the training rows stand in for the classes of a picture classifier: an
inception-like score needs classes, and a generator that has collapsed leaves some of them empty.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.special import rel_entr
from sklearn.cluster import kmeans_plusplus

from synthgan._typing import Bools, Floats, Ints
from synthgan.metrics.measure import Estimate
from synthgan.metrics.points import Points, squared_distances

_MOST_GROUPS = 50
_ROWS_A_GROUP = 50
_LEAST_EXPECTED = 20  # Poisson: a group that is there is taken for missing once in 60,000
_FILLED = 0.25
_ROUNDS = 15
_DRAWS = 500


@dataclass(frozen=True, eq=False, kw_only=True)
class Groups:
    """K-means groups of the training rows."""

    centres: Floats
    """(groups, dimensions)."""
    shares: Floats
    """(groups,): of the training rows."""
    spread: float
    """Variance a dimension within groups."""
    judged: Bools
    """(groups,): large enough for their absence to mean something."""

    @classmethod
    def of(cls, train: Points, rows: int, rng: np.random.Generator) -> Groups:
        """At most 50 groups of ``train``, such that ``rows`` rows would hold 50 in each."""
        distinct, counts = np.unique(train, axis=0, return_counts=True)
        size = min(max(rows // _ROWS_A_GROUP, 1), _MOST_GROUPS, len(distinct))
        points, weights = distinct.astype(np.float64), counts.astype(np.float64)
        centres = _centres(points, weights, size, rng)
        gaps = squared_distances(points, centres)
        shares = np.bincount(gaps.argmin(axis=1), weights=weights, minlength=size) / len(train)
        spread = float(gaps.min(axis=1) @ weights) / train.size
        return cls(
            centres=centres,
            shares=shares,
            spread=max(spread, 1e-12),
            judged=shares * rows >= _LEAST_EXPECTED,
        )

    def inception(self, points: Floats) -> Estimate:
        """exp of the mean KL(p(y|row) || p(y)); p(y|row) as if groups were equal round Gaussians.

        The influence of a row is its own KL: that of p(y) cancels.
        """
        gaps = squared_distances(points, self.centres)
        odds = np.exp((gaps.min(axis=1, keepdims=True) - gaps) / (2 * self.spread))
        odds /= odds.sum(axis=1, keepdims=True)
        surprise = rel_entr(odds, odds.mean(axis=0)).sum(axis=1)
        value = math.exp(float(surprise.mean()))
        influence = value * (surprise - surprise.mean()) / len(points)
        return Estimate.from_influence(value, influence, least=1.0, most=float(len(self.centres)))

    def modes(self, points: Floats, rng: np.random.Generator) -> Estimate:
        """Share of the judged groups with at least a quarter of the rows that they should hold."""
        if not self.judged.any():
            return Estimate.undefined()
        counts = self._counts(points)
        draws = rng.multinomial(len(points), counts / len(points), size=_DRAWS)
        value = float(self._filled(counts, len(points)).mean())
        low, high = np.quantile(self._filled(draws, len(points)).mean(axis=1), (0.025, 0.975))
        return Estimate(value, min(float(low), value), max(float(high), value))

    def missed(self, points: Floats) -> str:
        """What is not there, in numbers."""
        if not self.judged.any():
            return "training rows form no group that is large enough"
        gone = ~self._filled(self._counts(points), len(points))
        share = 100 * float(self.shares[self.judged][gone].sum())
        return (
            f"{int(gone.sum())} of {len(gone)} groups nearly empty, to which {share:.1f} % of the "
            "training rows belong"
        )

    def _counts(self, points: Floats) -> Ints:
        places = squared_distances(points, self.centres).argmin(axis=1)
        return np.bincount(places, minlength=len(self.centres)).astype(np.int64)

    def _filled(self, counts: Ints, rows: int) -> Bools:
        """(..., judged groups)."""
        filled: Bools = counts[..., self.judged] >= _FILLED * rows * self.shares[self.judged]
        return filled


def _centres(points: Floats, weights: Floats, size: int, rng: np.random.Generator) -> Floats:
    """K-means (Lloyd) from k-means++ starts, on distinct points.

    By hand, since scikit-learn's warns where it finds fewer groups than it was asked for.
    """
    seed = int(rng.integers(2**31))
    centres: Floats
    centres, _ = kmeans_plusplus(points, size, sample_weight=weights, random_state=seed)
    for _ in range(_ROUNDS):
        places = squared_distances(points, centres).argmin(axis=1)
        member = csr_array((weights, (places, np.arange(len(points)))), (size, len(points)))
        filled = np.bincount(places, minlength=size) > 0
        totals = np.asarray(member.sum(axis=1))
        centres[filled] = (member @ points)[filled] / totals[filled, None]
    return centres
