"""Distinct values in order, with how many rows and people have each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthgan._typing import Bools, Floats, Ints
from synthgan.schema.owners import Pairs, distinct


@dataclass(frozen=True, eq=False)
class Items:
    """Rows in order of value, or an item for each value and owner."""

    values: Floats
    """(N,)"""
    weights: Floats | None
    """(N,); None: 1 each."""
    owners: Ints | None
    """Numbers of owners (N,); None: each item has its own."""

    def people(self, start: int, stop: int) -> int:
        """Owners of a stretch of items."""
        return stop - start if self.owners is None else distinct(self.owners[start:stop])

    def mean(self, start: int, stop: int) -> float:
        """The mean of a stretch, each owner's mean counting once; also of numbers whose sum is
        none, and between the least and the greatest."""
        values = self.values[start:stop]
        if self.owners is None or self.weights is None:
            found = (values / len(values)).sum()
        else:
            _, which = np.unique(self.owners[start:stop], return_inverse=True)
            weights = self.weights[start:stop]
            shares = weights / np.bincount(which, weights=weights)[which] / (which.max() + 1)
            found = (values * shares).sum()
        return float(np.clip(found, values[0], values[-1]))


@dataclass(frozen=True, eq=False)
class Runs:
    """Rows in order of value."""

    values: Floats
    """Of each run (R,), rising."""
    counts: Ints | Floats
    """Rows of each run (R,); where they have owners, their weight."""
    exact: Bools
    """Whether all rows of a run hold its value (R,): else it is their mean."""
    items: Items | None = None
    """An item for each owner of each run; None: each row has its own owner."""
    sizes: Ints | None = None
    """Owners of each run (R,); None: as many as rows."""

    @staticmethod
    def of(numbers: Floats) -> Runs:
        """The runs of ``numbers`` (rows), none of them NaN."""
        values, counts = np.unique(numbers + 0.0, return_counts=True)  # no minus zero
        return Runs(values, counts.astype(np.int64), np.ones(len(values), dtype=bool))

    @staticmethod
    def owned(pairs: Pairs, weights: Floats) -> Runs:
        """The runs of ``pairs``, which weigh so much (P,)."""
        starts = np.flatnonzero(np.r_[True, np.diff(pairs.keys) > 0][: len(pairs.keys)])
        _, owners = np.unique(pairs.owners, return_inverse=True)
        return Runs(
            pairs.keys[starts],
            np.add.reduceat(weights, starts) if len(starts) else weights,
            np.ones(len(starts), dtype=bool),
            Items(pairs.keys, weights, owners.astype(np.int64)),
            np.diff(np.r_[starts, len(pairs.keys)]).astype(np.int64),
        )

    @property
    def rows(self) -> int:
        """Number of rows; where they have owners, what they weigh."""
        return round(float(self.counts.sum()))

    @property
    def people(self) -> Ints:
        """Owners of each run (R,)."""
        return np.asarray(self.counts if self.sizes is None else self.sizes, dtype=np.int64)

    def owners(self, start: int = 0, stop: int | None = None) -> int:
        """Owners of a stretch of runs."""
        people = self.people
        if self.items is None:
            return int(people[start:stop].sum())
        return self.items.people(int(people[:start].sum()), int(people[:stop].sum()))

    def owners_until(self) -> Ints:
        """Owners of each run and those before it (R,)."""
        if self.items is None or self.items.owners is None:
            return self.people.cumsum()
        new = np.zeros(len(self.items.owners), dtype=np.int64)
        new[np.unique(self.items.owners, return_index=True)[1]] = 1
        found: Ints = np.r_[0, new.cumsum()][self.people.cumsum()]
        return found

    def reversed(self) -> Runs:
        """The same of the rows' negatives."""
        flip = slice(None, None, -1)
        items, sizes = self.items, self.sizes
        if items is not None and items.weights is not None and items.owners is not None:
            items = Items(-items.values[flip], items.weights[flip], items.owners[flip])
        return Runs(
            -self.values[flip],
            self.counts[flip],
            self.exact[flip],
            items,
            None if sizes is None else sizes[flip],
        )

    def expanded(self) -> Items:
        """All items, sorted."""
        if self.items is not None:
            return self.items
        return Items(np.repeat(self.values, self.people), None, None)

    def at(self, places: Ints) -> Floats:
        """The values of the rows at ``places``, counted from the least one."""
        found: Floats = self.values[np.searchsorted(self.counts.cumsum(), places, side="right")]
        return found

    def some(self, which: Bools | slice) -> Runs:
        """The runs that ``which`` picks."""
        items, sizes = self.items, self.sizes
        if items is not None and sizes is not None:
            picked = np.zeros(len(self.values), dtype=bool)
            picked[which] = True
            of = np.repeat(picked, sizes)
            items = Items(items.values[of], _some(items.weights, of), _some(items.owners, of))
            sizes = sizes[which]
        return Runs(self.values[which], self.counts[which], self.exact[which], items, sizes)

    def pulled_in(self, first: int, low: float, last: int, high: float) -> Runs:
        """The runs before ``first`` made one of value ``low``, those after ``last`` of ``high``."""
        values = self.values.copy()
        values[:first], values[last + 1 :] = low, high
        items = self.items
        if items is not None and self.sizes is not None:
            items = Items(np.repeat(values, self.sizes), items.weights, items.owners)
        exact = self.exact.copy()
        exact[:first] = exact[last + 1 :] = True
        return _same_value(Runs(values, self.counts, exact, items, self.sizes))

    def merged(self, other: Runs) -> Runs:
        """The rows of both."""
        values = np.concatenate([self.values, other.values])
        order = np.argsort(values, kind="stable")  # merges what is sorted already
        counts = np.concatenate([self.counts, other.counts])[order]
        exact = np.concatenate([self.exact, other.exact])[order]
        return _same_value(Runs(values[order], counts, exact))

    def thinned(self, most: int, ends: int) -> Runs:
        """These runs, if there are at most ``most``; else neighbours made one by their mean.

        No run made so holds more than 4 / ``most`` of the rows. Runs that alone hold as many, and
        the first and the last ``ends`` runs, stay as they are.
        """
        if len(self.values) <= most or self.items is not None:
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


def _some(array: npt.NDArray[Any] | None, which: Bools) -> npt.NDArray[Any] | None:
    return None if array is None else array[which]


def _same_value(runs: Runs) -> Runs:
    """Runs of equal values, of which there may be several, made one."""
    begins = np.r_[True, np.diff(runs.values) > 0][: len(runs.values)]
    if begins.all():
        return runs
    starts = np.flatnonzero(begins)
    items, sizes = runs.items, runs.sizes
    if items is not None and sizes is not None:
        items, sizes = _once(items, np.repeat(begins.cumsum() - 1, sizes))
    return Runs(
        runs.values[starts],
        np.add.reduceat(runs.counts, starts),
        np.logical_and.reduceat(runs.exact, starts),
        items,
        sizes,
    )


def _once(items: Items, run: Ints) -> tuple[Items, Ints]:
    """Each owner of each ``run`` (N,) once; and how many each run has."""
    assert items.owners is not None, "items of rows are never joined"
    assert items.weights is not None, "items of rows are never joined"
    order = np.lexsort((items.owners, run))
    run, owners, weights = run[order], items.owners[order], items.weights[order]
    starts = np.flatnonzero(np.r_[True, (np.diff(run) > 0) | (np.diff(owners) != 0)])
    found = Items(items.values[order][starts], np.add.reduceat(weights, starts), owners[starts])
    return found, np.bincount(run[starts]).astype(np.int64)
