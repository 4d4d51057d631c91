"""Identifiers and text: which columns are such, and generated values for them."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthgan._typing import Bools, Ints, Objects
from synthgan.columns.column import Column, Kind
from synthgan.columns.dtypes import family, to_dtype
from synthgan.columns.frame import numpy_type, spread, store
from synthgan.columns.number import store_numbers
from synthgan.errors import SchemaError

FEW_ROWS = 20  # too few to tell a name of a row from a property of it
NEARLY_UNIQUE = 0.95

_NAMING_WORDS = {"id", "ids", "key", "nr", "no", "number", "uuid", "guid", "index"}
_NAMING_ENDS = re.compile(
    r"(?:(?:user|customer|client|order|row|record|patient|person|member|employee|student|account"
    r"|case|object|transaction|product|item|session|event|device|passenger)id|number|uuid|index)$"
)


def _is_naming(name: str) -> bool:
    """Whether a column of this name is likely to name its rows: ``id``, ``order_no``, ``rowId``."""
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+", name)
    return bool(words and words[-1].lower() in _NAMING_WORDS) or bool(
        _NAMING_ENDS.search(name.lower())
    )


def are_row_names(name: str, values: npt.NDArray[Any]) -> bool:
    """Whether whole numbers name their rows: unique, and called so or without a gap."""
    rows = len(values)
    if rows < FEW_ROWS:
        return False
    if _is_naming(name):
        return len(np.unique(values)) > NEARLY_UNIQUE * rows
    low, high = int(values.min()), int(values.max())
    is_year = low >= 1000 and high <= 2200
    return high - low + 1 == rows and not is_year and len(np.unique(values)) == rows


def all_match(text: pa.Array, pattern: str) -> bool:
    first = text.slice(0, 1)  # most columns are settled by their first cell
    return all(pc.all(pc.match_substring_regex(t, pattern)).as_py() for t in (first, text))


_FILLER = (
    "amber", "basin", "birch", "bridge", "canal", "cedar", "cloud", "copper", "coral", "dune",
    "ember", "fern", "field", "flint", "garden", "glade", "granite", "grove", "harbour", "hazel",
    "heath", "hill", "island", "ivory", "lake", "lantern", "linen", "maple", "marble", "meadow",
    "mist", "moss", "oak", "ocean", "olive", "orchard", "paper", "pebble", "pine", "plain",
    "prairie", "quartz", "reed", "ridge", "river", "saddle", "sage", "sand", "shore", "silver",
    "slate", "spring", "spruce", "stone", "stream", "summit", "timber", "tundra", "valley",
    "violet", "walnut", "willow", "winter", "wool",
)  # fmt: skip
_SLOTS = {
    "9": "0123456789",
    "A": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "a": "abcdefghijklmnopqrstuvwxyz",
    "F": "0123456789ABCDEF",
    "f": "0123456789abcdef",
}


def make_up(column: Column, start: int, count: int) -> pd.Series[Any]:
    """Cells of an IDENTIFIER or TEXT column for rows ``start`` to ``start + count - 1``.

    They follow from the number of the row alone. Identifiers differ between all rows: they fill
    the column's pattern, with digits after it once the pattern's space is used up; without a
    pattern numbers count from 1, and text is the column's name with a number. Text is a few
    neutral words, others for a column of another name. No cell is missing.

    Raises :class:`SchemaError`, naming the column, if the dtype cannot count so far.
    """
    return make_up_rows(column, np.arange(start, start + count, dtype=np.int64))


def make_up_rows(column: Column, rows: Ints, key: int = 0) -> pd.Series[Any]:
    """Cells as :func:`make_up` writes them, for the rows numbered ``rows``, in that order; each
    ``key`` fills a pattern in another order."""
    here = np.zeros(len(rows), dtype=bool)
    dtype = to_dtype(column.dtype, column.name)
    if column.kind is Kind.TEXT:
        return write_text(_filler(rows, zlib.crc32(column.name.encode())), here, column)
    if column.kind is not Kind.IDENTIFIER:
        raise SchemaError(f"column {column.name!r}: kind {column.kind.value} is not generated")
    if family(dtype) not in ("text", "object", "category") and column.format:
        slots = first_digit_counts(to_slots(column.format))
        return write_text(fill_slots(slots, rows, key), here, column)
    if family(dtype) not in ("text", "object", "category"):
        series = store_numbers((rows + 1).astype(np.float64), here, column, dtype)
        # of halves of a float, Arrow cannot tell which is greatest
        if len(rows) and series.to_numpy(dtype=np.float64).max() != rows.max() + 1:
            raise SchemaError(
                f"column {column.name!r}: dtype {column.dtype} cannot number {rows.max() + 1} "
                "rows; use a wider one"
            )
        return series
    if not column.format:
        return write_text(_named(column, rows), here, column)
    return write_text(fill_slots(to_slots(column.format), rows, key), here, column)


_MOST_DIGITS = 18  # that a whole number surely holds


def write_text(cells: Objects, missing: Bools, column: Column) -> pd.Series[Any]:
    """Text ``cells`` (rows) in the column's dtype: digits as whole numbers, if it holds numbers.

    Raises :class:`SchemaError`, naming the column, if they do not fit the dtype.
    """
    dtype = to_dtype(column.dtype, column.name)
    if family(dtype) in ("text", "object", "category"):
        return spread(cells[~missing], missing, column)
    digits = [re.sub(r"\D", "", cell) for cell in cells]
    fit = all(len(each) <= _MOST_DIGITS for each in digits)
    numbers = np.array([int(each) for each in digits] if fit else [0], dtype=np.int64)
    stored = np.where(missing, 0, numbers).astype(numpy_type(dtype))
    written = np.where(missing, 0, numbers).astype(np.float64)
    if not fit or (stored.astype(np.float64) != written).any():
        raise SchemaError(
            f"column {column.name!r}: dtype {column.dtype} cannot hold generated cells of "
            f"{column.personal or 'so many digits'}; use a wider one"
        )
    return store(stored, missing, column, dtype)


def _filler(rows: Ints, key: int) -> Objects:
    words = pa.array(_FILLER)
    hashed = mix(rows + mix(np.array([key]))) * 8
    lengths = 3 + mix(hashed) % 4
    parts = [
        pa.array((mix(hashed + 1 + i) % len(_FILLER)).astype(np.int64), mask=i >= lengths)
        for i in range(6)
    ]
    joined = pc.binary_join_element_wise(*map(words.take, parts), " ", null_handling="skip")
    cells: Objects = joined.to_numpy(zero_copy_only=False)
    return cells


def _named(column: Column, rows: Ints) -> Objects:
    prefix = re.sub(r"[^A-Z0-9]+", "_", column.name.upper()).strip("_") or "ID"
    digits = pc.utf8_lpad(pa.array(rows + 1).cast(pa.string()), 8, "0")
    cells: Objects = pc.binary_join_element_wise(prefix, digits, "-").to_numpy(zero_copy_only=False)
    return cells


def to_slots(pattern: str) -> list[str]:
    """For each place of a cell, the characters that an identifier's format has there.

    After a backslash one of ``9``, ``A``, ``a``, ``F``, ``f`` or a backslash stands for itself.
    """
    found = re.findall(r"\\([9AaFf\\])|(.)", pattern, re.DOTALL)
    return [itself or _SLOTS.get(character, character) for itself, character in found]


def first_digit_counts(slots: list[str]) -> list[str]:
    """``slots`` without zero at the first digit, which numbers would lose."""
    for place, characters in enumerate(slots):
        if len(characters) == 10:
            return [*slots[:place], characters[1:], *slots[place + 1 :]]
    return slots


def fill_slots(slots: Sequence[str], rows: Ints, key: int = 0) -> Objects:
    """For each row a text with one character of each slot, in an order that ``key`` scrambles.

    Texts of different rows differ: once all are used up, digits are added.
    """
    open_ = [place for place, characters in enumerate(slots) if len(characters) > 1]
    alphabets = [np.array(list(slots[place])) for place in open_]
    digits, rounds = scrambled(rows, [len(alphabet) for alphabet in alphabets], key)
    letters = np.empty((len(rows), len(slots)), dtype="U1")
    letters[:] = [characters[0] for characters in slots]
    for place, alphabet, digit in zip(open_, alphabets, digits, strict=True):
        letters[:, place] = alphabet[digit]
    cells: Objects = letters.view(f"U{len(slots)}").ravel().astype(object)
    again = rounds > 0
    cells[again] += rounds[again].astype(str).astype(object)
    return cells


def scrambled(rows: Ints, radices: Sequence[int], key: int = 0) -> tuple[list[Ints], Ints]:
    """Digits of each row's number that look random yet differ between rows, and how often
    the numbers before it have used up all that the digits can say. Each ``key`` scrambles in
    another way."""
    digits: list[Ints] = []
    rest = rows
    for radix in reversed(radices):
        rest, digit = np.divmod(rest, radix)
        digits.insert(0, digit)
    # Each digit is turned by a hash of those already turned, once from either end. Both
    # passes can be undone, so no two numbers meet.
    for order in (range(len(radices) - 1, -1, -1), range(len(radices))):
        hashed = np.full(len(rows), len(radices) + key, dtype=np.int64)
        for place in order:
            digits[place] = (digits[place] + mix(hashed) % radices[place]) % radices[place]
            hashed = mix(hashed + digits[place] + 1)
    return digits, rest


def mix(numbers: Ints) -> Ints:
    """A hash of ``numbers`` to 0 .. 2**31 - 1 (the finaliser of splitmix64, Steele et al. 2014)."""
    z = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(33)).astype(np.int64)
