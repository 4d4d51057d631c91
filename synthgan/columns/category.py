"""Categorical and boolean columns: inferred, read, written; what a literal means in one."""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from synthgan._typing import Objects
from synthgan.columns.column import Column, Kind, Level
from synthgan.columns.dtypes import family, to_dtype
from synthgan.columns.frame import check_missing, mismatch, numpy_type, read_distinct, spread, store
from synthgan.columns.number import store_numbers
from synthgan.errors import ConditionError, displayed, listed

BOOLEAN_WORDS = {
    **dict.fromkeys(("false", "f", "no", "n", "off", "0"), False),
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True),
}
"""Spellings of booleans, in any case."""


_FALSE_TO_TRUE = {"false": "true", "f": "t", "no": "yes", "n": "y", "off": "on"}


def is_boolean_pair(no: str, yes: str) -> bool:
    """Whether two words mean false and true, as a pair, in small or capital letters or both."""
    return _FALSE_TO_TRUE.get(no.lower()) == yes.lower()


def infer_boolean_text(base: Column, distinct: pa.Array) -> Column | None:
    """A column of two words for false and true; None if they are others."""
    if len(distinct) != 2:
        return None
    one, other = distinct.to_pylist()
    for no, yes in ((one, other), (other, one)):
        if is_boolean_pair(no, yes):
            return replace(base, kind=Kind.BOOLEAN, format=f"{no}|{yes}")
    return None


def read_booleans(cells: pa.Array, column: Column) -> Objects:
    words: dict[str, bool] = dict(BOOLEAN_WORDS)
    if column.format:
        no, yes = column.format.split("|")
        words = {**words, no: False, yes: True}

    def truth(cell: object) -> bool:
        text = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
        found = words.get(text, words.get(text.lower()))
        if found is None:
            raise mismatch(column, "two spellings of a boolean", "some cells are neither")
        return found

    return read_distinct(cells, truth)


def read_levels(cells: pa.Array, column: Column) -> Objects:
    if pa.types.is_temporal(cells.type) and cells.null_count < len(cells):
        raise mismatch(column, "categories", "the cells are dates")
    dtype = to_dtype(column.dtype, column.name)
    held = family(dtype)
    if held == "duration" and cells.null_count < len(cells):
        raise mismatch(column, "categories", "the cells are durations")
    declared = {str(level): level for level in column.categories or ()}

    def level(cell: Any) -> Level:
        plain: Level = float(cell) if isinstance(cell, decimal.Decimal) else cell
        is_whole = isinstance(plain, float) and plain.is_integer()
        if is_whole and held in ("text", "object", "integer"):
            plain = int(plain)  # stored as a float because some are missing
        if held in ("text", "object"):
            plain = str(plain)
        return declared.get(str(plain), plain)

    return read_distinct(cells, level)


def write_booleans(values: Objects, column: Column) -> pd.Series[Any]:
    missing = np.asarray(pd.isna(values))
    truth = values[~missing].astype(bool)
    dtype = to_dtype(column.dtype, column.name)
    held = family(dtype)
    if held == "text" or (held == "object" and column.format):
        no, yes = (column.format or "false|true").split("|")
        return spread(np.array([no, yes], dtype=object)[truth.astype(int)], missing, column)
    if held == "object":
        return spread(truth.astype(object), missing, column)
    cells = np.zeros(len(values), dtype=bool)
    cells[~missing] = truth
    if held == "boolean":
        return store(cells, missing, column, dtype)
    return store_numbers(cells.astype(np.float64), missing, column, dtype)


def write_levels(values: Objects, column: Column, levels: Sequence[Level] | None) -> pd.Series[Any]:
    missing = np.asarray(pd.isna(values))
    dtype = to_dtype(column.dtype, column.name)
    held = family(dtype)
    if isinstance(dtype, pd.CategoricalDtype):
        categories = _categories(values[~missing], column, levels)
        cells = pd.Categorical(values, categories=categories, ordered=column.ordered)
        return pd.Series(cells, name=column.name)
    if held in ("text", "object", "category") or missing.all():
        return spread(values[~missing], missing, column)
    if held in ("date", "duration"):
        raise mismatch(column, "missing cells", "some are not")
    check_missing(missing, column, dtype)
    try:
        if held == "decimal":
            floats = np.where(missing, 0.0, values).astype(np.float64)
            return store_numbers(floats, missing, column, dtype)
        return store(np.where(missing, 0, values).astype(numpy_type(dtype)), missing, column, dtype)
    except (TypeError, ValueError, OverflowError):
        raise mismatch(column, f"levels of dtype {column.dtype}", "some are not") from None


def _categories(present: Objects, column: Column, levels: Sequence[Level] | None) -> list[Level]:
    """Categories of the dtype: as declared, else the sorted ``levels``, else those present;
    then what is present but not among them."""
    seen = list(pd.unique(present))
    known = list(column.categories or _in_order(levels or seen))
    return known + _in_order(set(seen) - set(known))


def _in_order(levels: Any) -> list[Level]:
    try:
        return sorted(levels)
    except TypeError:
        return sorted(levels, key=lambda level: (type(level).__name__, level))


def to_truth(column: Column, value: object) -> bool:
    """A truth value, also by its spelling in the column, or as 0 or 1."""
    spellings = (column.format or "False|True").split("|")
    if isinstance(value, str):
        for same in (str, str.casefold):
            found = [same(value) == same(spelling) for spelling in spellings]
            if sum(found) == 1:
                return found[1]
    elif isinstance(value, bool | int | float) and value in (0, 1):
        return bool(value)
    raise ConditionError(
        f"column {column.name!r} has no value {displayed(value)}; it has {listed(spellings)}"
    )
