"""Setting rows aside, before anything is learned from a table."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.errors import TableError
from synthgan.table.files import near_column
from synthgan.table.frames import check_frame


def split_table(
    frame: pd.DataFrame, *, holdout: float = 0.2, by: str | None = None, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows to learn from, and rows set aside at random to judge against, both in their old order.

    ``holdout`` is the share of rows that are set aside. ``by`` names a column whose equal
    cells stay together, such as a person with many rows (rows where it is missing stand for
    themselves); the share is then met as closely as the groups allow. The same ``seed`` gives
    the same rows.

    Raises :class:`TableError` for a share that is not between 0 and 1, an unknown column, and
    where either part would have no row.
    """
    check_frame(frame, "the table to split")
    if not 0 < holdout < 1:
        raise TableError(f"holdout must be a share between 0 and 1, got {holdout}")
    rng, rows = np.random.default_rng(seed), len(frame)
    if by is None:
        order = rng.permutation(rows)
        aside = order[: round(holdout * rows)]
    else:
        aside = np.flatnonzero(_groups_aside(_groups(frame, by), holdout, rng))
    if not 0 < len(aside) < rows:
        what = "rows" if by is None else f"different cells in column {by!r}"
        raise TableError(f"too few {what} to set {holdout:.0%} of {rows:,} rows aside")
    is_aside = np.zeros(rows, dtype=bool)
    is_aside[aside] = True
    return frame[~is_aside], frame[is_aside]


def _groups(frame: pd.DataFrame, by: str) -> npt.NDArray[np.int64]:
    """The number of each row's group."""
    if by not in frame:
        hint = near_column(by, frame.columns)
        raise TableError(f"the table has no column {by!r} to split by; {hint}")
    codes = pd.factorize(frame[by])[0].astype(np.int64)
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(int(alone.sum()))
    return codes


def _groups_aside(
    groups: npt.NDArray[np.int64], share: float, rng: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Which rows are set aside: whole groups, in random order, until their rows are enough."""
    sizes = np.bincount(groups)
    order = rng.permutation(len(sizes))
    before = np.cumsum(sizes[order]) - sizes[order]
    chosen = np.zeros(len(sizes), dtype=bool)
    chosen[order] = before + sizes[order] / 2 <= share * len(groups)
    found: npt.NDArray[np.bool_] = chosen[groups]
    return found
