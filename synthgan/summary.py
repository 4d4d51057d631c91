"""All that the model may know of each column: quantile functions, categories and weights.

This is the second of the three doors through which rows enter. What comes out is small and
holds nothing that stands for fewer than ``SummaryConfig.min_category_rows`` rows: rare
categories share one code without a name, numbers are kept as quantile functions whose knots
are means over that many rows or values that that many rows share, and numeric extremes are
pulled in to the ``extreme_rows``-th value from either end.

A number column becomes *codes in order of value*: an **atom** for each frequent value (zeros,
caps, round numbers) and a **bin** for each quantile range of the rest, in which a piecewise
linear quantile function says where the rows lie.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.almanac import Almanac, DateCounts
from synthgan.config import SummaryConfig
from synthgan.constraints import check_constraints, find_patterns
from synthgan.errors import TableError
from synthgan.schema import Column, Kind, Level, Schema
from synthgan.values import read_cells

Floats = npt.NDArray[np.float64]

FEW_VALUES = 128
"""A number column with at most this many distinct values gets one code a value."""

_FINE_SHARE = 0.02  # of rows that must lie in bins, for places within them to matter
_KNOTS = 16  # a bin's quantile function gets at most about this many knots between its atoms
_SHARED_VALUES = 64  # and at most this many exact values


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One code of a number column: an atom, or a bin with its quantile function.

    ``values[i]`` is the quantile at ``positions[i]``; both rise, positions from 0 to 1. An
    atom has the one position 0 and the one value that it stands for.
    """

    positions: tuple[float, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.positions or len(self.positions) != len(self.values):
            raise ValueError("a segment needs as many values as positions, and at least one")
        for name in ("positions", "values"):
            if np.any(np.diff(getattr(self, name)) < 0):
                raise ValueError(f"a segment's {name} must rise")
        if self.is_bin and (self.positions[0], self.positions[-1]) != (0.0, 1.0):
            raise ValueError("a bin's positions must run from 0 to 1")

    @property
    def is_bin(self) -> bool:
        """Whether the code stands for a range of values."""
        return len(self.values) > 1


@dataclass(frozen=True, kw_only=True)
class NumberSummary:
    """A number or date column, in the units of :func:`synthgan.values.read_cells`."""

    segments: tuple[Segment, ...]
    """Codes in order of value; bins do not overlap."""
    weights: tuple[float, ...]
    """Share of rows of each code, then of missing cells; sums to 1."""
    fine: bool
    """Whether bins hold rows enough for places within them to matter."""

    def __post_init__(self) -> None:
        _check_weights(self.weights, len(self.segments) + 1)
        tops = [segment.values[-1] for segment in self.segments if segment.is_bin]
        bottoms = [segment.values[0] for segment in self.segments if segment.is_bin]
        if any(low < high for low, high in zip(bottoms[1:], tops[:-1], strict=True)):
            raise ValueError("bins must be in order of value and must not overlap")


@dataclass(frozen=True, kw_only=True)
class CategorySummary:
    """A categorical or boolean column."""

    levels: tuple[Level, ...]
    """Levels that enough rows share, most frequent first."""
    weights: tuple[float, ...]
    """Share of rows of each level, then of all rare levels, then of missing cells."""
    rare_levels: int
    """How many levels were too rare to be named."""

    def __post_init__(self) -> None:
        _check_weights(self.weights, len(self.levels) + 2)
        if len(set(map(repr, self.levels))) != len(self.levels):
            raise ValueError("levels must be distinct")


ColumnSummary = NumberSummary | CategorySummary


@dataclass(frozen=True, kw_only=True)
class Combinations:
    """The combinations of cells (None: missing) that enough rows share, of one constraint."""

    rows: tuple[tuple[Level | None, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Unlearned:
    """All that is known of the cells of a column that is made anew."""

    missing: float = 0.0
    """Share of rows without a cell, rounded to whole percents."""
    rows_per_value: float = 1.0
    """How many rows share a cell on average, rounded to two digits."""

    def __post_init__(self) -> None:
        if not (0 <= self.missing <= 1 and 1 <= self.rows_per_value < np.inf):
            raise ValueError("missing must be 0 to 1, and rows_per_value at least 1")


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What is known of every modelled column, by name, and of the table."""

    columns: dict[str, ColumnSummary]
    rows: int
    """Number of rows seen, rounded to two significant digits."""
    combinations: tuple[Combinations, ...] = ()
    """Of the schema's constraints that take their combinations from the table, in order."""
    almanacs: dict[str, Almanac] = field(default_factory=dict)
    """Of date columns, those that keep to days or times, by name."""
    unlearned: dict[str, Unlearned] = field(default_factory=dict)
    """Of columns that are not modelled, those of which anything is known, by name."""


def summarize(frame: pd.DataFrame, schema: Schema, config: SummaryConfig) -> Summary:
    """Reads ``frame`` (rows x columns), column by column, and keeps what may be kept.

    Raises :class:`TableError` if there are too few rows to keep anything of,
    :class:`SchemaError` (naming the column) if cells do not fit the schema, or (naming the
    constraint, with their number) if rows break one.
    """
    if len(frame) < config.min_category_rows:
        raise TableError(
            f"a table of {len(frame)} rows is too small: what is kept must stand for at least "
            f"{config.min_category_rows} rows (min_category_rows)"
        )
    columns: dict[str, ColumnSummary] = {}
    almanacs: dict[str, Almanac] = {}
    unlearned: dict[str, Unlearned] = {}
    for column in schema:
        if not column.kind.is_modelled:
            unlearned[column.name] = _count_unlearned(frame[column.name], column, config)
            continue
        cells = read_cells(frame[column.name], column)
        if column.kind.is_numeric:
            columns[column.name] = summarize_numbers(cells, config)
        else:
            columns[column.name] = summarize_categories(cells, column, config)
        if column.kind is Kind.DATETIME:
            almanac = DateCounts.of(cells, column, config).almanac(column, config)
            almanacs |= {} if almanac is None else {column.name: almanac}
    check_constraints(frame, schema)
    patterns = find_patterns(frame, schema, config.min_category_rows)
    combinations = tuple(Combinations(rows=rows) for rows in patterns.values())
    return Summary(
        columns=columns,
        rows=_rounded(len(frame)),
        combinations=combinations,
        almanacs=almanacs,
        unlearned={name: each for name, each in unlearned.items() if each != Unlearned()},
    )


def _count_unlearned(cells: pd.Series[Any], column: Column, config: SummaryConfig) -> Unlearned:
    rows, missing = len(cells), int(cells.isna().sum())
    if missing < config.min_category_rows or not column.nullable:
        share = 0.0
    else:  # a few cells that are there are not told from none
        share = 1.0 if rows - missing < config.min_category_rows else round(missing / rows, 2)
    repeats = 1.0
    if column.references is not None or (column.personal is not None and column.kind is Kind.TEXT):
        repeats = (rows - missing) / max(cells.nunique(), 1)
    return Unlearned(missing=share, rows_per_value=max(float(f"{repeats:.2g}"), 1.0))


def summarize_categories(
    cells: npt.NDArray[np.object_], column: Column, config: SummaryConfig
) -> CategorySummary:
    """Levels and weights of ``cells`` (rows), which hold None where missing."""
    counts = pd.Series(cells, dtype=object).value_counts(dropna=True)
    order = sorted(range(len(counts)), key=lambda i: (-int(counts.iloc[i]), str(counts.index[i])))
    found = {counts.index[i]: int(counts.iloc[i]) for i in order}
    if column.kind is Kind.BOOLEAN:
        kept = list(found)  # that a yes-or-no column says yes and no is no secret
    elif column.categories is None:
        kept = [v for v, rows in found.items() if rows >= config.min_category_rows]
        kept = kept[: config.max_categories]
    else:
        kept = list(column.categories)
    present = sum(found.values())
    weights = [found.get(level, 0) for level in kept]
    weights += [present - sum(weights), len(cells) - present]
    named = set(kept)
    return CategorySummary(
        levels=tuple(kept),
        weights=_shares(weights, len(cells)),
        rare_levels=sum(level not in named for level in found),
    )


def summarize_numbers(cells: Floats, config: SummaryConfig) -> NumberSummary:
    """Atoms and bins of ``cells`` (rows), which hold NaN where missing."""
    present = np.sort(cells[~np.isnan(cells)])
    missing = len(cells) - len(present)
    if len(present) < max(config.min_category_rows, 1):  # too few to keep anything of
        return NumberSummary(segments=(), weights=(1.0,), fine=False)
    present = _pull_in_extremes(present, config.extreme_rows)
    atoms, rest = _split_atoms(present, config)
    segments = [Segment(positions=(0.0,), values=(float(value),)) for value in atoms]
    counts = [int(np.sum(present == value)) for value in atoms]
    bins = _bins(rest, len(present), config)
    for rows in bins:
        segments.append(_quantile_function(rows, config.min_category_rows))
        counts.append(len(rows))
    if len(rest) and not bins:
        nearest = np.abs(rest[:, None] - atoms[None, :]).argmin(axis=1)
        counts = list(np.asarray(counts) + np.bincount(nearest, minlength=len(atoms)))
    order = sorted(
        range(len(segments)), key=lambda i: (segments[i].values[0], segments[i].values[-1])
    )
    return NumberSummary(
        segments=tuple(segments[i] for i in order),
        weights=_shares([int(counts[i]) for i in order] + [missing], len(cells)),
        fine=bool(bins) and len(rest) >= _FINE_SHARE * len(cells),
    )


def _pull_in_extremes(values: Floats, rows: int) -> Floats:
    if len(values) < 2 * rows and rows > 1:
        return np.full(len(values), _mean(values))
    return np.clip(values, values[rows - 1], values[-rows])


def _split_atoms(values: Floats, config: SummaryConfig) -> tuple[Floats, Floats]:
    """Frequent values, and the sorted rows that hold none of them."""
    distinct, counts = np.unique(values, return_counts=True)
    enough = config.min_category_rows
    if len(distinct) > FEW_VALUES:
        enough = max(enough, 8, int(np.ceil(len(values) / config.bins)))
    atoms = distinct[counts >= enough]
    return atoms, values[~np.isin(values, atoms)]


def _bins(rest: Floats, present: int, config: SummaryConfig) -> list[Floats]:
    """Splits the sorted ``rest`` into quantile ranges that keep equal values together."""
    if len(rest) == 0 or len(rest) < min(config.min_category_rows, present):
        return []
    wanted = max(round(config.bins * len(rest) / present), 8)
    # A bin of less than twice as many rows is a single value, the mean of them: good enough for
    # the few that frequent values leave over, but not for a column of different numbers.
    enough = config.min_category_rows
    least = 2 * enough if len(rest) >= 20 * enough else enough
    wanted = max(min(wanted, len(rest) // least), 1)
    targets = np.arange(1, wanted) * len(rest) // wanted
    starts = np.unique(np.searchsorted(rest, rest[targets], side="left"))
    pieces = np.split(rest, starts[starts > 0])
    # A range of too few rows, left over where many values are equal, joins its neighbour.
    merged: list[Floats] = []
    for piece in pieces:
        if merged and min(len(piece), len(merged[-1])) < config.min_category_rows:
            merged[-1] = np.concatenate([merged[-1], piece])
        else:
            merged.append(piece)
    return merged


def _quantile_function(rows: Floats, enough: int) -> Segment:
    """A piecewise linear quantile function of sorted ``rows``, none of whose knots is a row.

    Values that at least ``enough`` rows share are kept as they are, as flat pieces. Between
    them, knots are means over groups of at least ``enough`` neighbouring rows.
    """
    if rows[0] == rows[-1] or len(rows) < 2 * enough:
        return Segment(positions=(0.0,), values=(_mean(rows),))
    distinct, starts, counts = np.unique(rows, return_index=True, return_counts=True)
    shared = np.flatnonzero(counts >= enough)
    shared = np.sort(shared[np.argsort(-counts[shared], kind="stable")][:_SHARED_VALUES])
    knots: list[tuple[float, float]] = []
    done = 0
    for i in shared:
        start, stop = int(starts[i]), int(starts[i] + counts[i])
        knots += _stretch(rows, done, start, enough)
        knots += [(start / len(rows), float(distinct[i])), (stop / len(rows), float(distinct[i]))]
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


def _shares(counts: list[int], total: int) -> tuple[float, ...]:
    return tuple(count / total for count in counts)


def _check_weights(weights: tuple[float, ...], expected: int) -> None:
    if len(weights) != expected:
        raise ValueError(f"{expected} weights are needed, got {len(weights)}")
    if min(weights) < 0 or abs(sum(weights) - 1) > 1e-6:
        raise ValueError("weights must be at least 0 and sum to 1")


def _rounded(rows: int) -> int:
    """``rows`` to two significant digits: enough to judge by. Exact shares still tell the rest."""
    unit = int(10 ** max(len(str(rows)) - 2, 0))
    return (rows + unit // 2) // unit * unit
