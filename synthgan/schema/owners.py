"""Whose rows are counted, and how what is counted is told: in people, and rounded.

Where a column says whose row it is (:attr:`Schema.entity`), one person may have a thousand rows.
So rows are counted with their owners (:class:`Pairs`), distinguished by 64-bit hashes: a value
stands for the owners that have it, and an owner's rows together weigh as much as another's. Rows
without an owner's name are taken to be one owner's. Without such a column each row is an owner of
its own.

What is published of counts is their shares of the whole, in steps of more than the rows (or owners)
that a statement must stand for (:class:`Steps`): the counts themselves, and their differences,
cannot be worked out from them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan._typing import Floats, Ints

Owners = npt.NDArray[np.uint64]

Key = TypeVar("Key", bound=Hashable)

_WIDE = 1.25  # a step over the rows that a statement stands for: the number of rows is rounded
_MOST_STEPS = 1_000_000
_WAITING = 1 << 20  # pairs that may wait to be merged
_NAMELESS = np.uint64(0)


def owners_in(cells: pd.Series[Any]) -> Owners:
    """A hash of each cell (rows), the same in every chunk; all rows without a cell have one."""
    codes, distinct = pd.factorize(cells)
    texts = np.array([_text(each) for each in distinct.tolist()], dtype=object)
    hashes = np.asarray(pd.util.hash_array(texts, categorize=False), dtype=np.uint64)
    hashes[texts == ""] = _NAMELESS
    return np.append(hashes, _NAMELESS)[codes]


def _text(cell: object) -> str:
    """How a chunk of whole numbers, and one of them and missing ones, spell the same name."""
    whole = isinstance(cell, float) and cell.is_integer()
    return str(int(cell)) if whole else str(cell).strip()  # type: ignore[call-overload]


@dataclass(frozen=True, eq=False)
class Pairs:
    """How many rows each owner has with each key, sorted by key."""

    keys: Floats
    """Of each pair (P,)."""
    owners: Owners
    """Their hashes (P,)."""
    rows: Ints
    """(P,)"""
    halvings: int = 0
    """Of all owners, those whose hashes are below ``2**(64 - halvings)`` are held: a sample by
    owner, the same wherever it is taken (Gibbons 2001)."""

    @staticmethod
    def of(keys: Floats, owners: Owners) -> Pairs:
        """The pairs of rows: their ``keys``, none of them NaN, and their ``owners``."""
        return _joined(keys + 0.0, owners, np.ones(len(keys), dtype=np.int64), 0)

    def merged(self, *others: Pairs) -> Pairs:
        """The rows of all."""
        parts = (self, *others)
        return _joined(
            np.concatenate([each.keys for each in parts]),
            np.concatenate([each.owners for each in parts]),
            np.concatenate([each.rows for each in parts]),
            max(each.halvings for each in parts),
        )

    def sampled(self, halvings: int) -> Pairs:
        """Those of fewer owners."""
        if halvings <= self.halvings:
            return self
        kept = self.owners <= np.uint64(2 ** (64 - halvings) - 1)
        return Pairs(self.keys[kept], self.owners[kept], self.rows[kept], halvings)

    def thinned(self, most: int | None) -> Pairs:
        """Those of so few owners that there are at most ``most``; None: no bound."""
        found = self
        while most is not None and len(found.keys) > most and found.halvings < 63:
            found = found.sampled(found.halvings + 1)
        return found


def _joined(keys: Floats, owners: Owners, rows: Ints, halvings: int) -> Pairs:
    if halvings:
        kept = owners <= np.uint64(2 ** (64 - halvings) - 1)
        keys, owners, rows = keys[kept], owners[kept], rows[kept]
    order = np.lexsort((owners, keys))
    keys, owners, rows = keys[order], owners[order], rows[order]
    begins = np.r_[True, (np.diff(keys) != 0) | (owners[1:] != owners[:-1])][: len(keys)]
    starts = np.flatnonzero(begins)
    if len(starts) < len(keys):
        rows = np.add.reduceat(rows, starts)
    return Pairs(keys[starts], owners[starts], rows, halvings)


class Gathered:
    """Pairs of rows that come in chunks, merged by and by; of some owners if there are too many."""

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._pairs = Pairs.of(np.zeros(0), np.zeros(0, dtype=np.uint64))
        self._waiting: list[Pairs] = []  # merging many at once is cheaper
        self._rows = 0

    def add(self, pairs: Pairs) -> None:
        """Adds those of other rows."""
        self._waiting.append(pairs)
        self._rows += len(pairs.keys)
        if self._rows >= max(len(self._pairs.keys), _WAITING):
            self.settled()

    def settled(self, halvings: int = 0) -> Pairs:
        """All that were added, of fewer owners at least by so many ``halvings``."""
        if self._waiting:
            self._pairs = self._pairs.merged(*self._waiting).thinned(self._most)
            self._waiting, self._rows = [], 0
        self._pairs = self._pairs.sampled(halvings)
        return self._pairs


def weigh(*parts: Pairs) -> tuple[Floats, ...]:
    """For each of ``parts``, of which each row is in one, the weights of its pairs: those of one
    owner sum to 1."""
    _, which = np.unique(np.concatenate([each.owners for each in parts]), return_inverse=True)
    rows = np.concatenate([each.rows for each in parts])
    weights = rows / np.bincount(which, weights=rows)[which] if len(rows) else rows.astype(float)
    return tuple(np.split(weights, np.cumsum([len(each.keys) for each in parts])[:-1]))


def distinct(owners: Owners | Ints) -> int:
    """How many there are."""
    return len(np.unique(owners))


class OwnedCounts(Generic[Key]):
    """Owners and their rows, counted by keys of any kind, in chunks."""

    def __init__(self, most: int | None) -> None:
        self._codes: dict[Key, int] = {}
        self._gathered = Gathered(most)

    def add(self, keys: Sequence[Key], codes: Ints, owners: Owners) -> None:
        """Counts rows: a place among ``keys`` (-1: the last), and an owner of each."""
        known = self._codes
        numbers = np.array([known.setdefault(key, len(known)) for key in keys], dtype=np.float64)
        self._gathered.add(Pairs.of(numbers[codes], owners))

    def add_each(self, keys: Sequence[Key], owners: Owners) -> None:
        """Counts rows: a key and an owner of each."""
        found = dict.fromkeys(keys)
        places = dict(zip(found, range(len(found)), strict=True))
        codes = np.fromiter((places[key] for key in keys), dtype=np.int64, count=len(keys))
        self.add([*found], codes, owners)

    def merge(self, other: OwnedCounts[Key]) -> None:
        """Adds what another one has counted."""
        known, theirs = self._codes, other._gathered.settled()
        numbers = [known.setdefault(key, len(known)) for key in other._codes]
        keys = np.array(numbers, dtype=np.float64)[theirs.keys.astype(np.int64)]
        self._gathered.add(Pairs(keys, theirs.owners, theirs.rows, theirs.halvings))

    def people(self) -> dict[Key, int]:
        """Owners of each key that has any."""
        return {key: int(n) for key, n in self._sums(None)}

    def weights(self) -> dict[Key, float]:
        """The weight of each key's rows, where those of one owner weigh 1."""
        (weights,) = weigh(self._gathered.settled())
        return dict(self._sums(weights))

    def owners_of(self, keys: Iterable[Key]) -> int:
        """How many have one of ``keys``."""
        wanted = np.array([self._codes[key] for key in keys], dtype=np.float64)
        pairs = self._gathered.settled()
        return distinct(pairs.owners[np.isin(pairs.keys, wanted)])

    def _sums(self, weights: Floats | None) -> Iterator[tuple[Key, float]]:
        """Each key that has rows, and their sum."""
        keys = self._gathered.settled().keys.astype(np.int64)
        there = np.bincount(keys, minlength=len(self._codes))
        found = np.bincount(keys, weights=weights, minlength=len(self._codes))
        for (key, code), pairs in zip(self._codes.items(), there.tolist(), strict=True):
            if pairs:
                yield key, float(found[code])


# --- what is told -----------------------------------------------------------------------


def rounded_count(count: int, enough: int) -> int:
    """``count`` to two significant digits, or to a multiple of ``enough`` where that is coarser."""
    unit = max(int(10 ** max(len(str(count)) - 2, 0)), enough)
    return (count + unit // 2) // unit * unit


@dataclass(frozen=True)
class Steps:
    """Steps in which shares of a table of about so many ``owners`` are told, so that each stands
    for more than ``enough`` of them; ``enough`` of 1 switches this off."""

    owners: int
    """Rounded, see :func:`rounded_count`."""
    enough: int

    @staticmethod
    def of(owners: int, enough: int) -> Steps:
        """The steps for a table of exactly so many ``owners``."""
        return Steps(rounded_count(owners, enough), enough)

    def part(self, share: float) -> Steps:
        """The steps for a ``share``, itself rounded, of the table."""
        return Steps(int(share * self.owners), self.enough)

    def shares(
        self,
        counts: Sequence[float] | Floats,
        people: Sequence[int] | Ints,
        least: Sequence[int] | None = None,
    ) -> tuple[float, ...]:
        """Shares that sum to 1, of ``counts`` for each of which stand so many ``people``.

        What fewer than ``enough`` people stand for is 0, all else at least one step, or those that
        ``least`` says.
        """
        exact, known = np.asarray(counts, dtype=np.float64), np.asarray(people) >= self.enough
        if self.enough <= 1:
            return _tuple(exact / exact.sum())
        exact = np.where(known, exact, 0.0)
        if not exact.sum() > 0:  # too few of each: the first stands for all
            exact = np.arange(len(exact)) == 0.0
        floor = (exact > 0) * np.array([1] * len(exact) if least is None else least)
        steps = min(int(self.owners / (_WIDE * self.enough)), _MOST_STEPS)
        steps = max(steps, int(floor.sum()), 1)
        wanted = exact / exact.sum() * steps
        given = np.maximum(np.floor(wanted).astype(np.int64), floor)
        while (over := int(given.sum()) - steps) != 0:  # by largest remainders
            loose = np.flatnonzero((given > floor) if over > 0 else (exact > 0))
            order = np.argsort((wanted - given)[loose] * np.sign(over), kind="stable")
            given[loose[order[: abs(over)]]] -= np.sign(over)
        return _tuple(given / steps)


def _tuple(numbers: Floats) -> tuple[float, ...]:
    return tuple(map(float, numbers.tolist()))
