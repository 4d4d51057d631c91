"""Atoms and bins of a number column, from its runs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from synthgan.config import SummaryConfig
from synthgan.summary.kept import NumberSummary, Segment
from synthgan.summary.runs import Runs

Floats = npt.NDArray[np.float64]

FEW_VALUES = 128
"""A number column with at most this many distinct values gets one code a value."""

_FINE_SHARE = 0.02  # of rows that must lie in bins, for places within them to matter
_KNOTS = 16  # a bin's quantile function gets at most about this many knots between its atoms
_SHARED_VALUES = 64  # and at most this many exact values


def summarize_runs(
    present: Runs, missing: int, config: SummaryConfig, words: Sequence[int] = ()
) -> NumberSummary:
    """What is kept of a column of the rows ``present``, ``missing`` ones without a cell, and those
    of each of its ``words``."""
    rows = present.rows
    total = rows + missing + sum(words)
    shares = tuple(count / total for count in words)
    if rows < max(config.min_category_rows, 1):  # too few to keep anything of
        return NumberSummary(segments=(), weights=(1 - sum(shares),), fine=False, words=shares)
    present = _pull_in_extremes(present, config.extreme_rows)
    is_atom = _are_atoms(present, config)
    atoms, rest = present.some(is_atom), present.some(~is_atom)
    segments = [Segment(positions=(0.0,), values=(float(value),)) for value in atoms.values]
    counts = atoms.counts.tolist()
    bins = _bins(rest, rows, config)
    for part in bins:
        segments.append(_quantile_function(part, config.min_category_rows))
        counts.append(part.rows)
    if rest.rows and not bins:
        apart = np.abs(rest.expanded()[:, None] - atoms.values[None, :])
        nearest = np.bincount(apart.argmin(axis=1), minlength=len(atoms.values))
        counts = list(np.asarray(counts) + nearest)
    order = sorted(
        range(len(segments)), key=lambda i: (segments[i].values[0], segments[i].values[-1])
    )
    weights = [int(counts[i]) / total for i in order]
    return NumberSummary(
        segments=tuple(segments[i] for i in order),
        weights=(*weights, missing / total),
        fine=bool(bins) and rest.rows >= _FINE_SHARE * total,
        words=shares,
    )


def _pull_in_extremes(present: Runs, rows: int) -> Runs:
    count = present.rows
    if count < 2 * rows and rows > 1:
        return Runs.of(np.full(count, _mean(present.expanded())))
    low, high = present.at(np.array([rows - 1, count - rows]))
    return present.clipped(float(low), float(high))


def _are_atoms(present: Runs, config: SummaryConfig) -> npt.NDArray[np.bool_]:
    """Which runs are frequent values."""
    enough = config.min_category_rows
    if len(present.values) > FEW_VALUES:
        enough = max(enough, 8, int(np.ceil(present.rows / config.bins)))
    return present.exact & (present.counts >= enough)


def _bins(rest: Runs, present: int, config: SummaryConfig) -> list[Runs]:
    """Splits ``rest`` into quantile ranges that keep equal values together."""
    rows = rest.rows
    if rows == 0 or rows < min(config.min_category_rows, present):
        return []
    wanted = max(round(config.bins * rows / present), 8)
    # A bin of less than twice as many rows is a single value, the mean of them: good enough for
    # the few that frequent values leave over, but not for a column of different numbers.
    enough = config.min_category_rows
    least = 2 * enough if rows >= 20 * enough else enough
    wanted = max(min(wanted, rows // least), 1)
    targets = np.arange(1, wanted) * rows // wanted
    starts = np.unique(np.searchsorted(rest.values, rest.at(targets)))
    edges = [0, *starts[starts > 0].tolist(), len(rest.values)]
    # A range of too few rows, left over where many values are equal, joins its neighbour.
    ends: list[int] = [0]
    sizes: list[int] = []
    for start, stop in itertools.pairwise(edges):
        size = int(rest.counts[start:stop].sum())
        if sizes and min(size, sizes[-1]) < config.min_category_rows:
            ends[-1], sizes[-1] = stop, sizes[-1] + size
        else:
            ends.append(stop)
            sizes.append(size)
    return [rest.some(slice(a, b)) for a, b in itertools.pairwise(ends)]


def _quantile_function(part: Runs, enough: int) -> Segment:
    """A piecewise linear quantile function of ``part``, none of whose knots is a row.

    Values that at least ``enough`` rows share are kept as they are, as flat pieces. Between
    them, knots are means over groups of at least ``enough`` neighbouring rows.
    """
    rows = part.expanded()
    if rows[0] == rows[-1] or len(rows) < 2 * enough:
        return Segment(positions=(0.0,), values=(_mean(rows),))
    shared = np.flatnonzero(part.exact & (part.counts >= enough))
    shared = np.sort(shared[np.argsort(-part.counts[shared], kind="stable")][:_SHARED_VALUES])
    starts = part.counts.cumsum() - part.counts
    knots: list[tuple[float, float]] = []
    done = 0
    for i in shared:
        start, stop, value = int(starts[i]), int(starts[i] + part.counts[i]), float(part.values[i])
        knots += _stretch(rows, done, start, enough)
        knots += [(start / len(rows), value), (stop / len(rows), value)]
        done = stop
    knots += _stretch(rows, done, len(rows), enough)
    positions = np.array([p for p, _ in knots])
    values = np.maximum.accumulate(np.array([v for _, v in knots]))
    positions, values = np.r_[0.0, positions, 1.0], np.r_[values[0], values, values[-1]]
    keep = np.r_[True, (np.diff(positions) > 0) | (np.diff(values) > 0)]
    return Segment(positions=tuple(positions[keep].tolist()), values=tuple(values[keep].tolist()))


def _stretch(rows: Floats, start: int, stop: int, enough: int) -> list[tuple[float, float]]:
    """Knots of ``rows[start:stop]``, which share no value often enough to keep it."""
    length = stop - start
    if length < enough:
        return []
    groups = max(1, min(length // enough, round(_KNOTS * length / len(rows))))
    edges = start + np.arange(groups + 1) * length // groups
    knots = [
        ((low + high) / 2 / len(rows), _mean(rows[low:high]))
        for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    ]
    if start == 0:
        knots.insert(0, (0.0, _mean(rows[:enough])))
    if stop == len(rows):
        knots.append((1.0, _mean(rows[-enough:])))
    return knots


def _mean(rows: Floats) -> float:
    """The mean, also of numbers whose sum is none; between the least and the greatest."""
    return float(np.clip((rows / len(rows)).sum(), rows[0], rows[-1]))
