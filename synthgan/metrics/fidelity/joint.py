"""Tables of counts for many pairs of columns at once.

A cell of a pair's table is a place in one long row of cells, table after table, so that one
count serves many pairs. Tables of mostly zeros keep only the cells that occur.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthgan._typing import Floats, Ints

_MOST_CELLS = 200_000  # of a block, and of one pair before its table counts as sparse
_MOST_PLACES = 1_000_000


@dataclass(frozen=True, eq=False, kw_only=True)
class Block:
    """Some pairs, with the cells of their tables in a row."""

    pairs: slice
    """Which of the pairs."""
    places: tuple[Ints, ...]
    """The cell of each row, for each of the tables: (pairs, rows)."""
    starts: Ints
    """First cell of each pair: (pairs,)."""
    first: Ints
    """Level of the first column in each cell, counted over all columns: (cells,)."""
    second: Ints
    """Level of the second column in each cell, likewise."""

    def shares(self, table: int) -> Floats:
        """Share of the rows in each cell: (cells,)."""
        places = self.places[table]
        counts = np.bincount(places.ravel(), minlength=len(self.first))
        shares: Floats = counts / places.shape[1]
        return shares

    def sums(self, cells: Floats) -> Floats:
        """Sums by pair: (pairs,)."""
        sums: Floats = np.add.reduceat(cells, self.starts)
        return sums

    def pulls(self, table: int, cells: Floats, weights: Floats) -> Floats:
        """What the rows pick up from their ``cells``, summed over pairs by ``weights``.

        ``weights``: (sums, pairs); returns (sums, rows).
        """
        used = weights.any(axis=0)
        picked = cells.astype(np.float32)[self.places[table][used]]
        pulls: Floats = (weights[:, used].astype(np.float32) @ picked).astype(np.float64)
        return pulls


def margins(codes: Ints, sizes: Ints) -> Floats:
    """Share of each level of each column, columns one after another: (levels,)."""
    shares = [
        np.bincount(column, minlength=size) / max(len(column), 1)
        for column, size in zip(codes, sizes, strict=True)
    ]
    return np.concatenate(shares)


def blocks(tables: Sequence[Ints], sizes: Ints, pairs: Ints) -> Iterator[Block]:
    """Blocks of ``pairs`` (pairs, 2), which are sorted by their first column.

    ``tables``: codes of each table, (columns, rows), below ``sizes`` (columns,).
    """
    bases = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    for part in _parts(sizes, pairs, max(table.shape[1] for table in tables)):
        a, others = int(pairs[part.start, 0]), pairs[part, 1]
        widths = sizes[a] * sizes[others]
        starts = np.cumsum(widths) - widths
        places = tuple(
            table[a] * sizes[others][:, None] + table[others] + starts[:, None] for table in tables
        )
        if widths[0] > _MOST_CELLS:
            cells, places = _compressed(places)
        else:
            cells = np.arange(widths.sum()) - np.repeat(starts, widths)
        across = np.repeat(sizes[others], widths) if len(others) > 1 else sizes[others]
        onset = np.repeat(bases[others], widths) if len(others) > 1 else bases[others]
        yield Block(
            pairs=part,
            places=places,
            starts=starts,
            first=bases[a] + cells // across,
            second=onset + cells % across,
        )


def _parts(sizes: Ints, pairs: Ints, rows: int) -> Iterator[slice]:
    """Runs of pairs with the same first column that are small enough to be counted at once."""
    widths = sizes[pairs[:, 0]] * sizes[pairs[:, 1]]
    start, cells = 0, 0
    for i in range(len(pairs)):
        cells += int(widths[i])
        full = cells > _MOST_CELLS or (i + 1 - start) * rows > _MOST_PLACES
        if i > start and (full or pairs[i, 0] != pairs[start, 0]):
            yield slice(start, i)
            start, cells = i, int(widths[i])
    if len(pairs):
        yield slice(start, len(pairs))


def _compressed(places: tuple[Ints, ...]) -> tuple[Ints, tuple[Ints, ...]]:
    """The cells that occur, and the places among these."""
    joint, cells = pd.factorize(np.concatenate([each[0] for each in places]))
    ends = np.cumsum([each.shape[1] for each in places])
    return cells, tuple(each[None, :] for each in np.split(joint.astype(np.int64), ends[:-1]))
