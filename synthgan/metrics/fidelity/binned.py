"""Cells in few bins, fixed on real rows, so that rows can be counted in joint tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthgan._typing import Floats, Ints
from synthgan.metrics.columns import Cells, Columns, recode

_BINS = 10
_LEVELS = 10


@dataclass(frozen=True, eq=False, kw_only=True)
class Bins:
    """Ten bins of equally many real rows for numbers, ten levels and the rest for categories.

    Missing cells are the last code of their column. A value that many rows share is never cut,
    so that there may be fewer bins. A number that is constant in the real rows has three: below
    it, itself and above it.
    """

    columns: Columns
    edges: dict[str, Floats]
    """Where the bins of each column of numbers meet; a bin holds its upper edge."""

    @classmethod
    def of(cls, columns: Columns, reference: Cells) -> Bins:
        """Bins of the rows ``reference``."""
        edges = {name: _edges(x[~np.isnan(x)]) for name, x in reference.numbers.items()}
        return cls(columns=columns, edges=edges)

    @property
    def sizes(self) -> Ints:
        """Number of codes of each column."""
        return np.array([self._bins(name) + 1 for name in self.columns.names], dtype=np.int64)

    def __call__(self, cells: Cells) -> Ints:
        """Codes of ``cells``: (columns, rows)."""
        return np.stack([self._code(name, cells) for name in self.columns.names])

    def _bins(self, name: str) -> int:
        if name in self.edges:
            return len(self.edges[name]) + 1
        return min(len(self.columns.levels[name]), _LEVELS) + 1  # the rest is one

    def _code(self, name: str, cells: Cells) -> Ints:
        missing = self._bins(name)
        if name not in self.edges:
            levels = self.columns.levels[name][:_LEVELS]
            return recode(cells.categories[name], levels, missing - 1, missing)
        x = cells.numbers[name]
        codes = np.searchsorted(self.edges[name], x, side="left")
        return np.where(np.isnan(x), missing, codes).astype(np.int64)


def _edges(numbers: Floats) -> Floats:
    values, counts = np.unique(numbers, return_counts=True)
    if len(values) == 1:
        return np.array([np.nextafter(values[0], -np.inf), values[0]])
    # A value belongs where the middle of its rows does: one that nine rows in ten share still
    # leaves the tenth a bin.
    middles = (np.cumsum(counts) - counts / 2) / max(len(numbers), 1)
    bins = np.floor(_BINS * middles)
    steps = np.flatnonzero(np.diff(bins))
    edges: Floats = values[steps] / 2 + values[steps + 1] / 2
    return edges
