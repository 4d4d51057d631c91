"""What is kept of a table: its columns' quantile functions, categories and weights."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from synthgan.columns.column import Level
from synthgan.encode.calendar import Almanac
from synthgan.serialization import added, at_most

MOST_ROWS = 10**12
"""Rows that a table has at most."""


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One code of a number column: an atom, or a bin with its quantile function.

    ``values[i]`` is the quantile at ``positions[i]``; both rise, positions from 0 to 1. An
    atom has the one position 0 and the one value that it stands for.
    """

    positions: tuple[float, ...] = field(metadata=at_most(10_000))
    values: tuple[float, ...] = field(metadata=at_most(10_000))

    def __post_init__(self) -> None:
        if not self.positions or len(self.positions) != len(self.values):
            raise ValueError("a segment needs as many values as positions, and at least one")
        for name in ("positions", "values"):
            if _falls(getattr(self, name)):
                raise ValueError(f"a segment's {name} must rise")
        if self.is_bin and (self.positions[0], self.positions[-1]) != (0.0, 1.0):
            raise ValueError("a bin's positions must run from 0 to 1")

    @property
    def is_bin(self) -> bool:
        """Whether the code stands for a range of values."""
        return len(self.values) > 1


@dataclass(frozen=True, kw_only=True)
class NumberSummary:
    """A number or date column, in the units of :func:`synthgan.columns.cells.read_cells`."""

    segments: tuple[Segment, ...] = field(metadata=at_most(10_000))
    """Codes in order of value; bins do not overlap."""
    weights: tuple[float, ...]
    """Share of rows of each code, then of missing cells; with ``words`` they sum to 1. Like all
    shares here they are rounded (:class:`Steps`); each person's rows weigh alike.
    """
    fine: bool
    """Whether bins hold rows enough for places within them to matter."""
    words: tuple[float, ...] = field(default=(), metadata=added(()))
    """Share of rows of each of the column's words, then of all others; empty if it has none."""

    def __post_init__(self) -> None:
        if len(self.weights) != len(self.segments) + 1:
            raise ValueError(
                f"{len(self.segments) + 1} weights are needed, got {len(self.weights)}"
            )
        _check_weights(self.weights + self.words, len(self.weights) + len(self.words))
        tops = [segment.values[-1] for segment in self.segments if segment.is_bin]
        bottoms = [segment.values[0] for segment in self.segments if segment.is_bin]
        if any(low < high for low, high in zip(bottoms[1:], tops[:-1], strict=True)):
            raise ValueError("bins must be in order of value and must not overlap")


@dataclass(frozen=True, kw_only=True)
class CategorySummary:
    """A categorical or boolean column."""

    levels: tuple[Level, ...]
    """Levels that enough people share, most frequent first as far as ``weights`` tell."""
    weights: tuple[float, ...]
    """Share of rows of each level, then of all rare levels, then of missing cells."""
    rare_levels: int
    """About how many levels were too rare to be named; 0 if fewer people than that have any."""

    def __post_init__(self) -> None:
        _check_weights(self.weights, len(self.levels) + 2)
        if len(set(map(repr, self.levels))) != len(self.levels):
            raise ValueError("levels must be distinct")


ColumnSummary = NumberSummary | CategorySummary


@dataclass(frozen=True, kw_only=True)
class Combinations:
    """The combinations of cells (None: missing) that enough people share, of one constraint."""

    rows: tuple[tuple[Level | None, ...], ...]


@dataclass(frozen=True, kw_only=True)
class GapSummary:
    """The difference of two columns of dates in order, where it is learned beside them."""

    low: str
    high: str
    numbers: NumberSummary


MOST_SIZES = 16
"""Groups of cells of an identifier, by how many rows have each."""


@dataclass(frozen=True, kw_only=True)
class Unlearned:
    """What is kept of a column whose values are generated, not learned."""

    missing: float = 0.0
    """Share of rows without a cell, rounded to whole percents."""
    rows_per_value: float = 1.0
    """How many rows share a cell on average, rounded to two digits."""
    sizes: tuple[float, ...] = field(default=(), metadata=added(()))
    """Of an identifier that repeats: its cells, in order of how many rows have each, were put
    into so many groups of equally many; how many rows a cell of each group has on average, rounded
    to two digits. Empty: a row has a cell of its own."""

    def __post_init__(self) -> None:
        if not (0 <= self.missing <= 1 and 1 <= self.rows_per_value < np.inf):
            raise ValueError("missing must be 0 to 1, and rows_per_value at least 1")
        if len(self.sizes) > MOST_SIZES or not all(1 <= each < 1e9 for each in self.sizes):
            raise ValueError(
                f"sizes must be at most {MOST_SIZES} numbers from 1 to a thousand million"
            )


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What is known of every modelled column, by name, and of the table."""

    columns: dict[str, ColumnSummary]
    rows: int
    """Number of rows seen, rounded to two significant digits, or to a multiple of what a statement
    must stand for."""
    combinations: tuple[Combinations, ...] = ()
    """Of the schema's constraints that take their combinations from the table, in order."""
    almanacs: dict[str, Almanac] = field(default_factory=dict)
    """Of date columns, those that keep to days or times, by name."""
    unlearned: dict[str, Unlearned] = field(default_factory=dict)
    """Of columns that are not modelled, those of which anything is known, by name."""
    gaps: tuple[GapSummary, ...] = field(default=(), metadata=added(()))
    """Differences of dates that are learned as columns of their own."""

    def __post_init__(self) -> None:
        if not 0 <= self.rows <= MOST_ROWS:
            raise ValueError(f"rows must be 0 to {MOST_ROWS:,}")


def _falls(numbers: Sequence[float]) -> bool:
    return any(after < before for before, after in itertools.pairwise(numbers))


def _check_weights(weights: tuple[float, ...], expected: int) -> None:
    if len(weights) != expected:
        raise ValueError(f"{expected} weights are needed, got {len(weights)}")
    if min(weights) < 0 or abs(sum(weights) - 1) > 1e-6:
        raise ValueError("weights must be at least 0 and sum to 1")
