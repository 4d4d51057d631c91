"""What rows may be asked: partitions of a table, of which each row is in one cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthgan._typing import Ints
from synthgan.columns.cells import factorized
from synthgan.columns.column import Level


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Ticks of a number column: tick t stands for the value t / scale."""

    scale: float = 1.0

    def ticks(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The nearest tick of each value."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.rint(values * self.scale)  # what is beyond all floats is beyond all edges

    def values(self, ticks: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """The value of each tick, or between two."""
        found: npt.NDArray[np.float64] = ticks / self.scale
        return found


@dataclass(frozen=True, kw_only=True)
class Total:
    """All rows in one cell."""

    columns: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Ranges:
    """Cells of a number column: ticks from one edge to before the next, then missing.

    What lies beyond the outermost edges is counted in the outermost cells.
    """

    column: str
    grid: Grid
    edges: tuple[int, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)


@dataclass(frozen=True, kw_only=True)
class Decimals:
    """Cells by how many decimals a number needs: 0, 1, up to ``most``, more; then missing."""

    column: str
    most: int

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)


@dataclass(frozen=True, kw_only=True)
class Words:
    """Cells of a number column by the word that stands there: none (a number), each of the
    ``words`` that its schema names, another one, missing."""

    column: str
    words: int

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)


@dataclass(frozen=True, kw_only=True)
class Levels:
    """Cells of a categorical or boolean column: each level, then all other levels, then missing."""

    column: str
    levels: tuple[Level, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)


@dataclass(frozen=True, kw_only=True)
class Crosstab:
    """Every combination of the codes of some columns, after :meth:`PrivateRows.encode`."""

    columns: tuple[str, ...]


Partition = Total | Ranges | Decimals | Words | Levels | Crosstab


@dataclass(frozen=True, kw_only=True, eq=False)
class Released:
    """Levels that were told, in the order of their labels, with their noisy counts."""

    levels: tuple[Level, ...]
    counts: Ints
    missing: int
    """Noisy count of missing cells."""


def place_numbers(cells: npt.NDArray[np.float64], partition: Ranges) -> Ints:
    edges = np.array(partition.edges, dtype=np.float64)
    missing = np.isnan(cells)
    ticks = partition.grid.ticks(np.where(missing, 0.0, cells))
    inside = np.searchsorted(edges, ticks, side="right") - 1
    places: Ints = np.where(missing, len(edges) - 1, np.clip(inside, 0, len(edges) - 2))
    return places


def place_decimals(cells: npt.NDArray[np.float64], partition: Decimals) -> Ints:
    missing = np.isnan(cells)
    places = np.full(len(cells), partition.most + 1, dtype=np.int64)
    for decimals in range(partition.most, -1, -1):
        places[np.round(cells, decimals) == cells] = decimals
    places[missing] = partition.most + 2
    return places


def place_levels(cells: npt.NDArray[np.object_], levels: tuple[Level, ...]) -> Ints:
    factors, distinct = factorized(cells)
    index = {(type(level), level): i for i, level in enumerate(levels)}
    lookup = [index.get((type(level), level), len(levels)) for level in distinct]
    places: Ints = np.array([*lookup, len(levels) + 1], dtype=np.int64)[factors]
    return places


_factorize = factorized  # the number of each cell's level, past the last where missing; and levels


def label(level: Level) -> tuple[str, str]:
    return str(level), type(level).__name__
