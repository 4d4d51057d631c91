"""Figures that are never naked: a value, its interval, and what to hold it against.

Most figures of a report are means over rows, or behave like one: each row pulls the figure a
little, by its *influence*, and the spread of a figure is the length of the vector of
influences (for an AUC this is DeLong's interval). One rule thus serves AUC, R2 and their
ratios, without a bootstrap.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import NormalDist
from typing import Literal, NamedTuple

import numpy as np
from scipy import stats
from sklearn.metrics import roc_curve

from synthgan._typing import Bools, Floats

_LEVEL = 0.95
_Z = NormalDist().inv_cdf((1 + _LEVEL) / 2)


class Estimate(NamedTuple):
    """A figure and its 95 % interval; bounds are NaN where the spread is not known."""

    value: float
    low: float
    high: float

    @classmethod
    def from_draws(cls, draws: Sequence[float]) -> Estimate:
        """Mean of ``draws`` with Student's interval; values that are NaN are left out.

        One draw says nothing about spread: its bounds are NaN.
        """
        kept = np.array([draw for draw in draws if not math.isnan(draw)], dtype=np.float64)
        if len(kept) < 2:
            return cls(float(kept[0]) if len(kept) else math.nan, math.nan, math.nan)
        mean = float(kept.mean())
        quantile = float(stats.t.ppf((1 + _LEVEL) / 2, len(kept) - 1))
        half = quantile * float(kept.std(ddof=1)) / math.sqrt(len(kept))
        return cls(mean, mean - half, mean + half)

    @classmethod
    def from_share(cls, hits: float, trials: int) -> Estimate:
        """Share ``hits / trials`` with Wilson's interval; half hits (ties) are allowed."""
        if trials < 1:
            return cls(math.nan, math.nan, math.nan)
        share, pull = hits / trials, _Z**2 / trials
        middle = (share + pull / 2) / (1 + pull)
        half = _Z * math.sqrt(share * (1 - share) / trials + pull / (4 * trials)) / (1 + pull)
        return cls(share, min(max(middle - half, 0.0), share), max(min(middle + half, 1.0), share))

    @classmethod
    def from_count(cls, hits: int, trials: int) -> Estimate:
        """Share ``hits / trials`` with the interval of Clopper and Pearson (1934).

        It covers at least 95 % however few the hits: for rare events, such as the true
        positives of an attack at 0.1 % false positives.
        """
        if trials < 1:
            return cls(math.nan, math.nan, math.nan)
        tail = (1 - _LEVEL) / 2
        low = float(stats.beta.ppf(tail, hits, trials - hits + 1)) if hits else 0.0
        high = float(stats.beta.isf(tail, hits + 1, trials - hits)) if hits < trials else 1.0
        return cls(hits / trials, low, high)

    @classmethod
    def from_jackknife(
        cls,
        value: float,
        without: Sequence[float],
        *,
        least: float = -math.inf,
        most: float = math.inf,
    ) -> Estimate:
        """Normal interval from the figure computed ``without`` each of k equal groups of rows.

        Delete-a-group jackknife (Kott 2001), with Student's quantile for k - 1 degrees.
        """
        kept = np.asarray(without, dtype=np.float64)
        if len(kept) < 2 or not np.isfinite(kept).all() or math.isnan(value):
            return cls(value, math.nan, math.nan)
        k = len(kept)
        spread = math.sqrt((k - 1) / k * float(np.square(kept - kept.mean()).sum()))
        half = float(stats.t.ppf((1 + _LEVEL) / 2, k - 1)) * spread
        return cls(value, max(value - half, least), min(value + half, most))

    @classmethod
    def undefined(cls) -> Estimate:
        """No figure: all NaN."""
        return cls(math.nan, math.nan, math.nan)

    def scaled(self, factor: float) -> Estimate:
        """The same in another unit; ``factor`` must be positive."""
        return Estimate(*(factor * bound for bound in self))

    @classmethod
    def from_influence(
        cls, value: float, influence: Floats, *, least: float = -math.inf, most: float = math.inf
    ) -> Estimate:
        """Normal interval of a figure that row ``i`` moves by ``influence[i]``.

        Bounds are cut to ``least`` and ``most``, the figure's own range.
        """
        half = _Z * float(np.sqrt(np.square(influence).sum()))
        return cls(value, max(value - half, least), min(value + half, most))


class Goal(Enum):
    """Which way a figure gets better."""

    LOW = "low"
    HIGH = "high"
    HALF = "half"
    """.5 is best; above is what to look for."""
    NONE = "none"
    """Neither: the figure is to be read beside its yardsticks."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One line of a report: a figure beside its yardsticks."""

    key: str
    """Short name that does not change, for machines: ``c2st``."""
    name: str
    """What it is called, for people."""
    estimate: Estimate
    """NaN where the figure is not defined; ``note`` then says why."""
    goal: Goal
    unit: str = ""
    """``%``, ``points`` and the like; empty for a plain number."""
    floor: Estimate | None = None
    """The same figure for real rows in place of synthetic ones: as good as it can be."""
    baseline: Estimate | None = None
    """The same figure for columns drawn independently (the naive generator)."""
    columns: tuple[str, ...] = ()
    """The columns it is about; empty means the whole table."""
    rows: int = 0
    """Rows of the synthetic table that were looked at."""
    note: str = ""
    """What a reader of this line must know, in a few words."""

    @property
    def is_defined(self) -> bool:
        """Whether there is a figure."""
        return not math.isnan(self.estimate.value)


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A line to draw: ROC curves and the like."""

    key: str
    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]

    @classmethod
    def roc(cls, key: str, name: str, positive: Bools, scores: Floats) -> Curve:
        """The ROC curve of ``scores``, thinned to 101 points."""
        share, hits, _ = roc_curve(positive, scores)
        grid = np.linspace(0, 1, 101)
        return cls(key=key, name=name, x=tuple(grid), y=tuple(np.interp(grid, share, hits)))


Verdict = Literal["replayed", "chance", "counting", "nothing"]


@dataclass(frozen=True, kw_only=True)
class Replay:
    """How many real values of a column come out again that single somebody out."""

    column: str
    distinct: int
    """Real values that differ."""
    singling: int
    """Those of them that few people have: see :func:`replay_findings`."""
    came_out: int
    """Those of ``singling`` that stand in the synthetic column."""
    share: float
    """Percent of the synthetic cells that are not missing and hold one of ``singling``."""
    chance: float
    """Percent to be expected of cells that were generated, at most."""
    verdict: Verdict
    """``replayed``: more than chance explains. ``counting``: as much as numbers in a row make.
    ``nothing``: no value singles anybody out, or none came out."""


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """Something that was not measured, and why."""

    what: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a part of the judge has found."""

    measures: tuple[Measure, ...] = ()
    curves: tuple[Curve, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    replays: tuple[Replay, ...] = ()

    def __add__(self, other: Findings) -> Findings:
        return Findings(
            measures=self.measures + other.measures,
            curves=self.curves + other.curves,
            left_out=self.left_out + other.left_out,
            replays=self.replays + other.replays,
        )


def auc(positive: Bools, scores: Floats) -> tuple[float, Floats]:
    """Area under the ROC curve and each row's influence on it (DeLong et al. 1988).

    ``positive`` and ``scores``: shape (rows,), at least one row of either side. Ties count
    half.
    """
    is_positive = np.asarray(positive, dtype=bool)
    above, below = scores[is_positive], scores[~is_positive]
    ranks = stats.rankdata(scores)
    wins = (ranks[is_positive] - stats.rankdata(above)) / len(below)
    losses = 1 - (ranks[~is_positive] - stats.rankdata(below)) / len(above)
    value = float(wins.mean())
    influence = np.empty(len(scores))
    influence[is_positive] = (wins - value) / len(above)
    influence[~is_positive] = (losses - value) / len(below)
    return value, influence
