"""Words among numbers: ``>89``, ``999+``, ``unknown`` in a column whose other cells are numbers.

In arrays of numbers such a cell is a NaN that carries the number of its word, counted from 1. What
reckons with numbers takes it for a missing cell, which it is to a sum or a comparison; only who
asks is told the word. Missing values are tagged like this in R's package haven, too.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthgan._typing import Floats, Ints

MOST_WORDS = 20
"""Words that a column has at most: more are levels, or text."""
OTHER_WORD = 0xFFFF
"""Number of all words that a column does not name."""

_TAG = 0x7FF8_5347_0000_0000  # a quiet NaN that arithmetic does not make
_UNSIGNED = 0x7FFF_FFFF_FFFF_FFFF

_LIKE_A_WORD = (
    r"^[^0-9]*$"  # unknown, N/A, ?
    r"|^[<>≤≥≈~]"  # >89
    r"|[0-9] ?\+$"  # 999+
    r"|^[A-Z]?[a-z]+ [^0-9]*[0-9]"  # over 89
    r"|[0-9] [A-Za-z]+ [A-Za-z]+"  # 90 or more
)
_MOST_SPELLINGS = 100
_LONGEST = 40
_LEAST_NUMBERS = 0.5  # of the cells that are there
_MOST_ODD = 0.01  # of the cells may be words that too few rows have


def tagged(words: Ints) -> Floats:
    """Cells of numbers of ``words``; a plain NaN for 0."""
    cells: Floats = np.where(words > 0, words | _TAG, 0).view(np.float64)
    return np.where(words > 0, cells, np.nan)


def words_in(cells: Floats) -> Ints:
    """The number of the word that each of ``cells`` is, 0 for a number or a missing cell."""
    bits = np.ascontiguousarray(cells, dtype=np.float64).view(np.int64) & _UNSIGNED
    return np.where((bits >> 16) == (_TAG >> 16), bits & 0xFFFF, 0)


def split_words(
    present: pa.Array, distinct: pa.Array, least_rows: int
) -> tuple[tuple[str, ...], pa.Array] | None:
    """Words of a column (most frequent first) that ``least_rows`` rows or more have, and the cells
    of it that do not look like words; None where the column is something else.

    ``present`` are its cells, ``distinct`` the different ones of them (both large_string).
    """
    is_word = pc.match_substring_regex(distinct, _LIKE_A_WORD)
    like_words = distinct.filter(is_word)
    if not 0 < len(like_words) <= _MOST_SPELLINGS or len(like_words) == len(distinct):
        return None
    are_words = pc.is_in(present, like_words)
    rest = present.filter(pc.invert(are_words))
    if len(rest) < _LEAST_NUMBERS * len(present):
        return None
    counted = pc.value_counts(present.filter(are_words)).to_pylist()
    frequent = {
        each["values"]: each["counts"]
        for each in counted
        if each["counts"] >= least_rows and len(each["values"]) <= _LONGEST
    }
    odd = sum(each["counts"] for each in counted) - sum(frequent.values())
    if not 0 < len(frequent) <= MOST_WORDS or odd > _MOST_ODD * len(present):
        return None
    return tuple(sorted(frequent, key=lambda word: (-frequent[word], word))), rest


FIXED_DECIMALS = "synthgan.fixed_decimals"
"""Key of ``DataFrame.attrs`` for CSV columns whose cells all have the same number of digits
after the point, zeros at the end included: ``{column: digits}``."""

MISSING_WORDS = pa.array(["NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "#N/A", "None"])
"""What stands for a missing cell among numbers."""
