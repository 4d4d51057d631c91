"""Does the cloud of synthetic rows have the shape of the real one?

Rows become points (see :class:`synthgan.metrics.points.Embedding`). Precision and its kin ask
whether synthetic points lie where real ones do, recall and its kin whether real ones lie where
synthetic ones do: a generator may pass the first by making few kinds of rows. All candidates
have equally many points as the real rows that they are held against, since every figure here
depends on how many these are.

Tables have ties, which images have not: rows repeat, and many are equally far apart. Balls
therefore include their border, and are weighed by what they do hold instead of what they would
hold without ties; where there are none, the figures are those of the papers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from synthgan._typing import Bools, Floats, Ints
from synthgan.metrics.columns import Cells
from synthgan.metrics.fidelity.groups import Groups
from synthgan.metrics.measure import Estimate, Findings, Goal, Measure
from synthgan.metrics.points import Embedding, Points, squared_distances
from synthgan.metrics.tables import Tables

_MAX_ROWS = 5_000
_USUAL_WIDTH = 150  # dimensions; wider clouds get fewer rows, so that all cost the same
_LEAST_ROWS = 20
_LEAST_ROWS_IF_WIDE = 500
_LEVELS_WIDTH = 600  # dimensions that the levels of all categorical columns share
_SLICE = 500
_BALL = 5  # neighbours, as in Naeem et al.
_SUPPORTS = np.linspace(0, 1, 30)  # as in synthcity
_PARTS = 20  # of the jackknife
_FLAT = 1e-10  # of the widest direction: the Gaussians have no width there
_NO_MORE = 1e-12  # of the largest squared norm: squared distances are not exacter
_TRAIN_ROWS = 10_000


def geometry_findings(tables: Tables) -> Findings:
    """Figures of the cloud of rows; at most 5,000 rows a side, fewer for very wide tables.

    - ``alpha_precision``, ``beta_recall`` (Alaa et al. 2022, "How Faithful is your Synthetic
      Data?"), in the standardised space ("naive", no one-class network), 30 supports, 0 to 1.
    - ``precision``, ``recall`` (Kynkäänniemi et al. 2019), ``density``, ``coverage`` (Naeem et
      al. 2020) with five neighbours; 0 to 1, but density may exceed 1.
    - ``frechet``: Fréchet distance of Gaussian fits (Heusel et al. 2017), in squared standard
      deviations; the table's FID.
    - ``inception``: exp of the mean KL(p(y|row) || p(y)) (Salimans et al. 2016), where y is
      one of at most 50 groups of training rows; between 1 and their number.
    - ``modes``: share of these groups that hold at least a quarter of the rows that they should.

    Intervals: Wilson's for shares, delta method for ``density``, ``frechet`` and ``inception``,
    jackknife for the first two, bootstrap for ``modes``. They take balls and groups as given.
    """
    rng = tables.rng("geometry")
    embedding = Embedding(tables.columns, tables.train, levels_width=_LEVELS_WIDTH)
    rows = min(len(tables.reference), len(tables.synthetic), _most_rows(embedding.width))
    if rows < _LEAST_ROWS:
        return Findings(measures=tuple(_undefined(key, rows) for key in _KINDS))

    def points(cells: Cells) -> Points:
        return embedding(cells.pick(rows, rng))

    judge = _Judge(
        reference=_Cloud.of(points(tables.reference)),
        groups=Groups.of(embedding(tables.train.pick(_TRAIN_ROWS, rng)), rows, rng),
        rng=rng,
    )
    made = _Cloud.of(points(tables.synthetic))
    found, floor, baseline = (
        judge(cloud)
        for cloud in (
            made,
            *(_Cloud.of(points(each)) for each in (tables.real, tables.independent)),
        )
    )
    notes = {"modes": judge.groups.missed(made.points)}
    return Findings(
        measures=tuple(
            Measure(
                key=key,
                name=kind.name,
                estimate=found[key],
                goal=kind.goal,
                floor=floor[key],
                baseline=baseline[key],
                rows=rows,
                note=notes.get(key, kind.note),
            )
            for key, kind in _KINDS.items()
        )
    )


class _Kind(NamedTuple):
    name: str
    goal: Goal
    note: str = ""


_KINDS = {
    "alpha_precision": _Kind("Alpha-precision", Goal.HIGH),
    "beta_recall": _Kind("Beta-recall", Goal.HIGH, "real rows reach about half: see the floor"),
    "precision": _Kind("Precision", Goal.HIGH),
    "recall": _Kind("Recall", Goal.HIGH),
    "density": _Kind("Density", Goal.HIGH, "may exceed 1"),
    "coverage": _Kind("Coverage", Goal.HIGH),
    "frechet": _Kind("Fréchet distance", Goal.LOW, "above 0 for real rows too: see the floor"),
    "inception": _Kind("Inception-like score", Goal.NONE, "to be like that of real rows"),
    "modes": _Kind("Groups of rows that are there", Goal.HIGH),
}


def _undefined(key: str, rows: int) -> Measure:
    return Measure(
        key=key,
        name=_KINDS[key].name,
        estimate=Estimate.undefined(),
        goal=_KINDS[key].goal,
        rows=rows,
        note=f"needs {_LEAST_ROWS} rows of either side",
    )


def _most_rows(width: int) -> int:
    """Distances between all rows of either side cost rows squared times width."""
    affordable = int(_MAX_ROWS * math.sqrt(_USUAL_WIDTH / max(width, _USUAL_WIDTH)))
    return max(affordable, _LEAST_ROWS_IF_WIDE)


# --- clouds -----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, kw_only=True)
class _Cloud:
    """Points, and the ball around each that reaches its fifth neighbour; all (rows,)."""

    points: Floats
    """(rows, dimensions)."""
    nearest: Floats
    """Squared distance to the nearest other point."""
    radius: Floats
    """Squared radius of the ball."""
    crowd: Ints
    """Other points in the ball: five, and more where some are equally far."""

    @classmethod
    def of(cls, points: Points) -> _Cloud:
        own = points.astype(np.float64)
        rows, slack = len(own), _slack(own)
        nearest, radius, crowd = np.empty(rows), np.empty(rows), np.empty(rows, dtype=np.int64)
        for start in range(0, rows, _SLICE):
            part = slice(start, min(start + _SLICE, rows))
            gaps = squared_distances(own[part], own)
            gaps[np.arange(len(gaps)), np.arange(rows)[part]] = -1  # itself comes first
            ordered = np.partition(gaps, (1, _BALL), axis=1)
            nearest[part], radius[part] = ordered[:, 1], ordered[:, _BALL]
            crowd[part] = (gaps <= radius[part, None] + slack).sum(axis=1) - 1
        return cls(points=own, nearest=nearest, radius=radius, crowd=crowd)


def _slack(points: Floats) -> float:
    """Squared distances that differ by less are equal."""
    return _NO_MORE * max(float(np.square(points).sum(axis=1).max()), 1.0)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Judge:
    """Holds candidates against the reference."""

    reference: _Cloud
    groups: Groups
    rng: np.random.Generator

    def __call__(self, candidate: _Cloud) -> dict[str, Estimate]:
        meeting = _Meeting.of(self.reference, candidate)
        return {
            "alpha_precision": _alpha_precision(self.reference.points, candidate.points),
            "beta_recall": _beta_recall(meeting, candidate.points),
            "precision": _share(meeting.inside > 0),
            "recall": _share(meeting.reached),
            "density": _density(meeting, self.reference.crowd),
            "coverage": _coverage(meeting),
            "frechet": _frechet(self.reference.points, candidate.points),
            "inception": self.groups.inception(candidate.points),
            "modes": self.groups.modes(candidate.points, self.rng),
        }


@dataclass(frozen=True, eq=False, kw_only=True)
class _Meeting:
    """Which candidates lie in the balls of the reference, and the other way round."""

    inside: Floats
    """(candidates,): the reference's balls around each, one over their crowd each."""
    guests: Ints
    """(references,): candidates in the ball of each."""
    reached: Bools
    """(references,): whether it lies in a candidate's ball."""
    closest: Ints
    """(references,): the nearest candidate."""
    near: Bools
    """(references,): whether that one is at least as near as the nearest other reference."""

    @classmethod
    def of(cls, reference: _Cloud, candidate: _Cloud) -> _Meeting:
        rows = len(reference.points)
        slack = max(_slack(reference.points), _slack(candidate.points))
        inside, guests = np.empty(len(candidate.points)), np.zeros(rows, dtype=np.int64)
        reached, closest = np.zeros(rows, dtype=bool), np.zeros(rows, dtype=np.int64)
        least, weight = np.full(rows, np.inf), 1 / reference.crowd
        for start in range(0, len(candidate.points), _SLICE):
            part = slice(start, start + _SLICE)
            gaps = squared_distances(candidate.points[part], reference.points)
            within = gaps <= reference.radius + slack
            inside[part] = within @ weight
            guests += within.sum(axis=0)
            reached |= (gaps <= candidate.radius[part, None] + slack).any(axis=0)
            places = gaps.argmin(axis=0)
            found = gaps[places, np.arange(rows)]
            better = found < least
            closest[better], least[better] = start + places[better], found[better]
        return cls(
            inside=inside,
            guests=guests,
            reached=reached,
            closest=closest,
            near=least <= reference.nearest + slack,
        )


def _share(hits: Bools) -> Estimate:
    return Estimate.from_share(float(hits.sum()), len(hits))


def _density(meeting: _Meeting, crowd: Ints) -> Estimate:
    """Mean number of reference balls around a candidate, one over its crowd each.

    Naeem et al. (2020), equation 5, divides by k, which is the crowd where no points are
    equally far; with ties that would grow without bound.
    """
    value = float(meeting.inside.mean())
    influence = np.concatenate(
        [
            (meeting.inside - value) / len(meeting.inside),
            meeting.guests / crowd / len(meeting.inside) - value / len(crowd),
        ]
    )
    return Estimate.from_influence(value, influence, least=0.0)


def _coverage(meeting: _Meeting) -> Estimate:
    """Share of the reference's balls that hold a candidate (Naeem et al. 2020, equation 6).

    The interval is Wilson's for as many independent rows as would vary as much, since a
    candidate that is the only one in several balls covers all of these at once. What would be
    lost without each candidate tells how much; that errs on the wide side.
    """
    hits = meeting.guests > 0
    rows = len(hits)
    value = float(hits.mean())
    lost = np.bincount(meeting.closest[meeting.guests == 1], minlength=len(meeting.inside))
    alone = value * (1 - value) / rows
    variance = alone + float(np.square((lost - lost.mean()) / rows).sum())
    worth = max(int(rows * alone / variance), 1) if alone > 0 else rows
    return Estimate.from_share(value * worth, worth)


# --- alpha-precision and beta-recall ----------------------------------------------------


def _alpha_precision(reference: Floats, candidate: Floats) -> Estimate:
    """Of each ball about the real mean: does it hold as many candidates as real rows?

    One minus the mean gap between the two shares over balls that hold 0 to 100 % of the real
    rows, in units of their mean share.
    """
    centre = reference.mean(axis=0)
    real, made = _lengths(reference - centre), _lengths(candidate - centre)

    def figure(kept_real: Bools, kept_made: Bools) -> float:
        radii, shares = _supports(real[kept_real])
        return _agreement(shares, _within(made[kept_made], radii))

    return _jackknife(figure, len(real), len(made))


def _beta_recall(meeting: _Meeting, candidate: Floats) -> Estimate:
    """Of each ball about the candidates' mean: how many real rows does it reach?

    A real row is reached if its nearest candidate lies in the ball and is no further than its
    nearest other real row. As that is so for half of the rows where candidates are real rows,
    about .5 is as good as it can be. Balls hold 0 to 100 % of all candidates, as in the paper;
    synthcity takes them of the nearest candidates only, and so misses how these are spread.
    """
    made = _lengths(candidate - candidate.mean(axis=0))
    closest = np.where(meeting.near, made[meeting.closest], np.inf)

    def figure(kept_real: Bools, kept_made: Bools) -> float:
        radii, shares = _supports(made[kept_made])
        return _agreement(shares, _within(closest[kept_real], radii))

    return _jackknife(figure, len(closest), len(made))


def _lengths(vectors: Floats) -> Floats:
    lengths: Floats = np.sqrt(np.square(vectors).sum(axis=1))
    return lengths


def _supports(lengths: Floats) -> tuple[Floats, Floats]:
    """Radii of the balls, and the share of ``lengths`` in each (more than asked, with ties)."""
    radii = np.quantile(lengths, _SUPPORTS) * (1 + 1e-9)
    return radii, _within(lengths, radii)


def _within(lengths: Floats, radii: Floats) -> Floats:
    counts: Floats = np.searchsorted(np.sort(lengths), radii, side="right") / len(lengths)
    return counts


def _agreement(wanted: Floats, got: Floats) -> float:
    return float(1 - np.abs(wanted - got).sum() / wanted.sum())


def _jackknife(figure: Callable[[Bools, Bools], float], real: int, made: int) -> Estimate:
    """``figure`` of the rows that are kept on either side, all and with a part left out."""
    part, other = np.arange(real) % _PARTS, np.arange(made) % _PARTS
    without = [figure(part != i, other != i) for i in range(_PARTS)]
    return Estimate.from_jackknife(figure(part >= 0, other >= 0), without, least=0.0, most=1.0)


# --- Fréchet distance -------------------------------------------------------------------


def _frechet(reference: Floats, candidate: Floats) -> Estimate:
    """Squared Fréchet distance between Gaussians with the two means and covariances.

    |m - n|² + tr(A + B - 2 (A B)^1/2) (Dowson and Landau 1982), where the trace of the last
    root is the sum of the singular values of A^1/2 B^1/2: always real, whatever the ranks. The
    slope of that sum is half the map that transports one Gaussian to the other, which gives the
    influence of each row.
    """
    one, other = (points - points.mean(axis=0) for points in (reference, candidate))
    shift = candidate.mean(axis=0) - reference.mean(axis=0)
    roots = [_root(each.T @ each / (len(each) - 1)) for each in (one, other)]
    left, values, right = np.linalg.svd(roots[0] @ roots[1])
    spread = sum(float(np.square(root).sum()) for root in roots)
    value = max(float(shift @ shift) + spread - 2 * float(values.sum()), 0.0)
    held = values > _FLAT * values[0]
    scale = np.sqrt(values[held])
    pulls = (
        _frechet_pull(one, -shift, roots[1] @ (right.T[:, held] / scale)),
        _frechet_pull(other, shift, roots[0] @ (left[:, held] / scale)),
    )
    return Estimate.from_influence(value, np.concatenate(pulls), least=0.0)


def _frechet_pull(points: Floats, shift: Floats, root: Floats) -> Floats:
    """Influence of each row of centred ``points``: 2 shift'x + x'(I - M)x, centred, over rows.

    M = ``root`` ``root``' transports this Gaussian to the other one.
    """
    pull = 2 * points @ shift + np.square(points).sum(axis=1)
    pull -= np.square(points @ root).sum(axis=1)
    centred: Floats = pull - pull.mean()
    return centred / len(points)


def _root(covariance: Floats) -> Floats:
    """The symmetric square root."""
    values, vectors = np.linalg.eigh(covariance)
    root: Floats = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return root
