"""Setting rows aside, before anything is learned from a table.

Each row has a coin of its own, secret and from the operating system; rows of one unit (a person)
share one, a keyed hash of its name. No coin depends on another row, nor on how many rows there are,
so that one row more in the table is one row more in one of the parts. That is what a private fit of
a part needs: its guarantee then holds for the whole table. A split by a seed does not have it, and
its parts are marked (:mod:`synthgan.table.split_marks`).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan._typing import Bools
from synthgan.columns.frame import check_frame
from synthgan.errors import TableError, near_column
from synthgan.table.split_marks import SPLIT

Source = Callable[[int], bytes]
"""Gives that many uniformly random bytes. Only tests pass another one than ``os.urandom``."""

_COIN_BYTES = 8
_KEY_BYTES = 32


class Coins:
    """Secret coins, each of which sets aside what it is thrown for with one chance."""

    def __init__(self, share: float, source: Source = os.urandom) -> None:
        self._limit = int(share * (1 << 8 * _COIN_BYTES))
        self._source = source
        self._key = source(_KEY_BYTES)

    def of_rows(self, count: int) -> Bools:
        """A new coin for each of ``count`` rows."""
        return self._below(self._source(_COIN_BYTES * count))

    def of_units(self, names: Sequence[bytes | None]) -> Bools:
        """The coin of each row's unit, the same one for the same name: a keyed hash, so that
        nothing has to be remembered. Rows without a name (None) have a coin each."""
        aside = self.of_rows(len(names))
        for place, name in enumerate(names):
            if name is not None:
                hashed = hashlib.blake2b(name, key=self._key, digest_size=_COIN_BYTES)
                aside[place] = int.from_bytes(hashed.digest(), "little") < self._limit
        return aside

    def _below(self, words: bytes) -> Bools:
        found: Bools = np.frombuffer(words, dtype="<u8") < np.uint64(self._limit)
        return found


def split_table(
    frame: pd.DataFrame,
    *,
    holdout: float = 0.2,
    by: str | None = None,
    seed: int | None = None,
    coins: Source = os.urandom,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows to learn from, and rows set aside at random to judge against, both in their old order.

    Each row is set aside with a chance of ``holdout``, by a secret coin of its own, whatever the
    other rows are and however many: so the parts' sizes are random, too (of 10,000 rows and a
    fifth, 2,000 give or take 80), and one of them may be empty where rows are few. ``by`` names a
    column whose equal cells stay together, such as a person with many rows, by one coin; rows
    where it is missing have a coin each. A private fit of either part covers the whole table.

    With a ``seed`` the share is exact (with ``by``, as close as the groups allow), and the same
    seed gives the same rows. Then one row more changes which others are set aside, a private fit
    of the parts does not cover the table, and the parts are marked (``attrs["synthgan.split"]``)
    for it to refuse them. ``coins`` gives random bytes; only tests pass another source.

    Raises :class:`TableError` for a share that is not between 0 and 1, an unknown column, and,
    with a ``seed``, where either part would have no row.
    """
    check_frame(frame, "the table to split")
    check_share(holdout)
    names = None if by is None else _names_in(frame, by)
    if seed is None:
        secret = Coins(holdout, coins)
        aside = secret.of_rows(len(frame)) if names is None else secret.of_units(names)
    else:
        aside = seeded(len(frame), names, share=holdout, seed=seed, by=by)
    parts = frame[~aside], frame[aside]
    if seed is not None:
        for part in parts:
            part.attrs = {**part.attrs, SPLIT: "seed"}
    return parts


def check_share(holdout: float) -> None:
    """Raises :class:`TableError` unless some rows are set aside and others are not."""
    if not 0 < holdout < 1:
        raise TableError(f"holdout must be a share between 0 and 1, got {holdout}")


def seeded(
    rows: int, names: Sequence[bytes | None] | None, *, share: float, seed: int, by: str | None
) -> Bools:
    """Which of ``rows`` are set aside by a permutation: an exact ``share`` of them, or, by the
    ``names`` of their units in column ``by``, as near to it as whole units come.

    Raises :class:`TableError` where either part would have no row.
    """
    rng = np.random.default_rng(seed)
    aside = np.zeros(rows, dtype=bool)
    if names is None:
        aside[rng.permutation(rows)[: round(share * rows)]] = True
    else:
        aside = _groups_aside(_groups(names), share, rng)
    if not 0 < aside.sum() < rows:
        what = "rows" if by is None else f"different cells in column {by!r}"
        raise TableError(f"too few {what} to set {share:.0%} of {rows:,} rows aside")
    return aside


def unit_name(cell: Any) -> bytes | None:
    """What a unit is called whose cell is ``cell``, which is not missing: the same for 7 and 7.0,
    as a column's dtype, and so how it holds whole numbers, can hang on its other cells.

    None for a cell that cannot be read as a name: an error would reveal it.
    """
    try:
        return _spelled(cell)
    except Exception:  # noqa: BLE001 -- whatever a cell does when it is looked at
        return None


def _spelled(cell: Any) -> bytes:
    if isinstance(cell, np.generic):
        cell = cell.item()
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    if isinstance(cell, int):
        text = f"{int(cell):x}"  # True is 1; decimals of a long one would be refused
    elif isinstance(cell, Decimal) and cell.is_finite():
        text = str(cell.normalize())
    else:
        text = str(cell)
    return text.encode("utf-8", "surrogatepass")


def _names_in(frame: pd.DataFrame, by: str) -> list[bytes | None]:
    if by not in frame:
        hint = near_column(by, frame.columns)
        raise TableError(f"the table has no column {by!r} to split by; {hint}")
    missing = frame[by].isna().tolist()
    cells = frame[by]
    if isinstance(cells.dtype, pd.DatetimeTZDtype):  # time zones know no far dates
        cells = cells.dt.tz_convert(None)
    cells = cells.astype(object)
    return [None if gone else unit_name(cell) for cell, gone in zip(cells, missing, strict=True)]


def _groups(names: Sequence[bytes | None]) -> npt.NDArray[np.int64]:
    """The number of each row's group; a row without a name is one by itself."""
    numbers: dict[bytes | int, int] = {}
    keys = ((place if name is None else name) for place, name in enumerate(names))
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def _groups_aside(groups: npt.NDArray[np.int64], share: float, rng: np.random.Generator) -> Bools:
    """Which rows are set aside: whole groups, in random order, until their rows are enough."""
    sizes = np.bincount(groups)
    order = rng.permutation(len(sizes))
    before = np.cumsum(sizes[order]) - sizes[order]
    chosen = np.zeros(len(sizes), dtype=bool)
    chosen[order] = before + sizes[order] / 2 <= share * len(groups)
    found: Bools = chosen[groups]
    return found
