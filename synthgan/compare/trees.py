"""Baseline: a tree of the strongest pairs of columns (Chow and Liu, 1968)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from synthgan._typing import Floats, Ints
from synthgan.encode.layout import Layout

_PRIOR_ROWS = 1.0  # rows' worth of a column's own shares that are mixed into each conditional
_MOST_ROWS = 20_000  # that mutual information is measured on
_MOST_CELLS = 1_000_000  # of a table of counts; wider pairs are sorted instead

Shape = Callable[[Ints, list[int]], tuple[tuple[int, ...], tuple[int, ...]]]
"""From codes (rows, columns) and their widths: the columns in the order in which they are to be
drawn, and the parent of each column, -1 for none."""


def no_edges(codes: Ints, widths: list[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(range(len(widths))), (-1,) * len(widths)


def chain(codes: Ints, widths: list[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(range(len(widths))), tuple(range(-1, len(widths) - 1))


def chow_liu(codes: Ints, widths: list[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The maximum spanning tree (Prim 1957) of mutual information; a forest where there is none."""
    count = len(widths)
    step = max(len(codes) // _MOST_ROWS, 1)
    shared = np.zeros((count, count))
    for i in range(count):
        for j in range(i):
            some = codes[::step, [i, j]]
            shared[i, j] = shared[j, i] = mutual_information(some, (widths[i], widths[j]))
    order: list[int] = []
    parents, gains = np.full(count, -1), np.zeros(count)
    left = np.ones(count, dtype=bool)
    for _ in range(count):
        i = int(np.argmax(np.where(left, gains, -1.0)))
        left[i] = False
        order.append(i)
        better = left & (shared[i] > gains)
        gains[better], parents[better] = shared[i, better], i
    return tuple(order), tuple(int(each) for each in parents)


def mutual_information(pair: Ints, widths: tuple[int, int]) -> float:
    """Mutual information, in nats, of codes (rows, 2) below ``widths``; 0 at least.

    Corrected for what chance alone would show in so few rows (Miller 1955).
    """
    rows, (one, other) = len(pair), widths
    keys = pair[:, 0] * other + pair[:, 1]
    if one * other <= _MOST_CELLS:
        table = np.bincount(keys, minlength=one * other)
        seen = np.flatnonzero(table)
        counts = table[seen]
    else:
        seen, counts = np.unique(keys, return_counts=True)
    sides = [np.bincount(pair[:, side], minlength=widths[side]) for side in (0, 1)]
    expected = sides[0][seen // other] * (sides[1][seen % other] / rows)
    found = float(counts @ np.log(counts / expected)) / rows
    free = len(seen) - sum(np.count_nonzero(side) for side in sides) + 1
    return max(found - free / (2 * rows), 0.0)


@dataclass(frozen=True, eq=False)
class _Pairs:
    """How often each token of a child came with each token of its parent; only what came."""

    children: Ints
    ends: Ints
    """Rows up to and with each pair, in the order of parents and their children."""
    first: Ints
    """Rows before each parent's pairs (width + 1)."""

    @classmethod
    def count(cls, parent: Ints, child: Ints, widths: tuple[int, int]) -> _Pairs:
        seen, counts = np.unique(parent * widths[1] + child, return_counts=True)
        ends = np.cumsum(counts)
        at = np.searchsorted(seen, np.arange(widths[0] + 1) * widths[1])
        return cls(seen % widths[1], ends, np.r_[0, ends][at])

    def draw(self, parents: Ints, otherwise: Ints, rng: np.random.Generator) -> Ints:
        """Children of ``parents``; ``otherwise`` are draws from the child's own shares."""
        rows = self.first[parents + 1] - self.first[parents]
        place = rng.random(len(parents)) * (rows + _PRIOR_ROWS)
        own = place < rows
        found = otherwise.copy()
        wanted = self.first[parents[own]] + place[own].astype(np.int64)
        found[own] = self.children[np.searchsorted(self.ends, wanted, side="right")]
        return found


@dataclass(frozen=True, eq=False)
class Forest:
    """P(row) = product over positions of P(token | token of the parent)."""

    order: tuple[int, ...]
    parents: tuple[int, ...]
    shares: tuple[Floats, ...]
    pairs: tuple[_Pairs | None, ...]

    @classmethod
    def learn(cls, tokens: Ints, layout: Layout, shape: Shape) -> Forest:
        """A fine position's parent is always its code; ``shape`` gives codes theirs."""
        codes = [p for p, span in enumerate(layout.spans) if span.role == "code"]
        widths = [span.width for span in layout.spans]
        columns, above = shape(tokens[:, codes], [widths[p] for p in codes])
        order, parents = [], [p - 1 for p in range(len(widths))]
        for column in columns:
            parents[codes[column]] = codes[above[column]] if above[column] >= 0 else -1
            own = np.flatnonzero(layout.column_of == column)  # its code, and its fine position
            order += [int(p) for p in own]
        drawable = [layout.drawable[s.start : s.start + s.width] for s in layout.spans]
        pairs: list[_Pairs | None] = []
        for p, parent in enumerate(parents):
            rows = tokens[drawable[p][tokens[:, p]]]
            apart = (rows[:, parent], rows[:, p], (widths[parent], widths[p]))
            pairs.append(None if parent < 0 else _Pairs.count(*apart))
        return cls(tuple(order), tuple(parents), _shares(layout), tuple(pairs))

    @property
    def size(self) -> int:
        return sum(map(len, self.shares)) + sum(len(e.children) for e in self.pairs if e)

    def draw(self, n: int, rng: np.random.Generator) -> Ints:
        tokens = np.zeros((n, len(self.parents)), dtype=np.int64)
        for p in self.order:
            tokens[:, p] = pick(self.shares[p], rng.random(n))
            pairs = self.pairs[p]
            if pairs is not None:
                tokens[:, p] = pairs.draw(tokens[:, self.parents[p]], tokens[:, p], rng)
        return tokens


def _shares(layout: Layout) -> tuple[Floats, ...]:
    """Of each position's tokens, without those that may not be drawn."""
    found = []
    for span in layout.spans:
        entries = slice(span.start, span.start + span.width)
        shares = layout.prior[entries] * layout.drawable[entries]
        if not shares.sum() > 0:
            shares = layout.drawable[entries].astype(np.float64)
        found.append(shares / shares.sum())
    return tuple(found)


def pick(shares: Floats, uniform: Floats) -> Ints:
    """For each number in [0, 1), the token whose part of [0, 1) it lies in."""
    at = np.searchsorted(np.cumsum(shares), uniform, side="right")
    return np.asarray(np.minimum(at, np.flatnonzero(shares)[-1]), dtype=np.int64)
