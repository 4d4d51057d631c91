"""Whose rows they are, where a guarantee is for people; and how many of each are kept."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthgan._typing import Ints
from synthgan.columns.column import Column
from synthgan.privacy.noise import random_words
from synthgan.privacy.reading import read_names


def number_units(frame: pd.DataFrame, unit: Column | None) -> Ints:
    """For each row the number of its unit, -1 where it names none."""
    if unit is None:
        return np.arange(len(frame))
    numbers: dict[object, int] = {}
    named = read_names(frame[unit.name], unit)
    return np.array(
        [
            -1 if name is None else numbers.setdefault((type(name), name), len(numbers))
            for name in named
        ],
        dtype=np.int64,
    )


def at_most(units: Ints, rows: int) -> Ints:
    """Which rows to keep, in order, so that each unit keeps ``rows`` of its own at most; those of
    no unit (-1) are left out."""
    order = np.lexsort((random_words(len(units)), units))
    starts = np.flatnonzero(np.r_[True, np.diff(units[order]) != 0]) if len(units) else order
    rank = np.arange(len(units)) - np.repeat(starts, np.diff(np.r_[starts, len(units)]))
    kept: Ints = np.sort(order[(rank < rows) & (units[order] >= 0)])
    return kept
