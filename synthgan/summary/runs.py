"""Sorted numbers as runs of equal ones: what a column of numbers is while it is counted.

A run is a value and how many rows hold it. Two tables' runs are merged by adding up counts, so
that a column can be counted in chunks, on many machines, in any order. Where that would take too
many runs, neighbours are made one (:meth:`Runs.thinned`): the column's quantiles move by less
than the share of rows that one run may hold then.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Runs:
    """Rows in order of value."""

    values: Floats
    """Of each run (R,), rising."""
    counts: Ints
    """Rows of each run (R,)."""
    exact: Bools
    """Whether all rows of a run hold its value (R,): else it is their mean."""

    @staticmethod
    def of(numbers: Floats) -> Runs:
        """The runs of ``numbers`` (rows), none of them NaN."""
        values, counts = np.unique(numbers + 0.0, return_counts=True)  # no minus zero
        return Runs(values, counts.astype(np.int64), np.ones(len(values), dtype=bool))

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.counts.sum())

    def expanded(self) -> Floats:
        """The value of each row, sorted."""
        return np.repeat(self.values, self.counts)

    def at(self, places: Ints) -> Floats:
        """The values of the rows at ``places``, counted from the least one."""
        found: Floats = self.values[np.searchsorted(self.counts.cumsum(), places, side="right")]
        return found

    def some(self, which: Bools | slice) -> Runs:
        """The runs that ``which`` picks."""
        return Runs(self.values[which], self.counts[which], self.exact[which])

    def clipped(self, low: float, high: float) -> Runs:
        """Rows beyond ``low`` and ``high`` pulled in to them."""
        return _joined(Runs(np.clip(self.values, low, high), self.counts, self.exact))

    def merged(self, other: Runs) -> Runs:
        """The rows of both."""
        values = np.concatenate([self.values, other.values])
        order = np.argsort(values, kind="stable")  # merges what is sorted already
        counts = np.concatenate([self.counts, other.counts])[order]
        exact = np.concatenate([self.exact, other.exact])[order]
        return _joined(Runs(values[order], counts, exact))

    def thinned(self, most: int, ends: int) -> Runs:
        """These runs, if there are at most ``most``; else neighbours made one by their mean.

        No run made so holds more than 4 / ``most`` of the rows. Runs that alone hold as many, and
        the first and the last ``ends`` runs, stay as they are.
        """
        if len(self.values) <= most:
            return self
        most_rows = max(4 * self.rows // most, 2)
        group = (self.counts.cumsum() - self.counts) // most_rows
        alone = self.counts >= most_rows
        alone[:ends] = alone[len(alone) - ends :] = True
        begins = np.r_[True, (np.diff(group) > 0) | alone[1:] | alone[:-1]]
        starts = np.flatnonzero(begins)
        counts = np.add.reduceat(self.counts, starts)
        shares = self.counts / np.repeat(counts, np.diff(np.r_[starts, len(begins)]))
        means = np.add.reduceat(self.values * shares, starts)  # no sum beyond what floats hold
        lasts = np.r_[starts[1:], len(begins)] - 1
        single = starts == lasts
        means = np.clip(means, self.values[starts], self.values[lasts])
        return Runs(
            np.where(single, self.values[starts], means), counts, single & self.exact[starts]
        )


def _joined(runs: Runs) -> Runs:
    """Runs of equal values, of which there may be several, made one."""
    begins = np.r_[True, np.diff(runs.values) > 0][: len(runs.values)]
    if begins.all():
        return runs
    starts = np.flatnonzero(begins)
    return Runs(
        runs.values[starts],
        np.add.reduceat(runs.counts, starts),
        np.logical_and.reduceat(runs.exact, starts),
    )
