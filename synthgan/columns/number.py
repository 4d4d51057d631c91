"""Number columns: inferred, read, written, stored; what a literal means in one."""

from __future__ import annotations

import datetime
import decimal
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthgan._typing import Bools, Floats, Objects
from synthgan.columns.column import Column, Kind, Level, bounds
from synthgan.columns.date_format import NANOSECONDS
from synthgan.columns.dtypes import Dtype, family, to_dtype
from synthgan.columns.frame import (
    from_arrow,
    mismatch,
    numpy_type,
    places,
    spread,
    store,
    unit_of_type,
)
from synthgan.columns.number_format import Spelling
from synthgan.columns.sentinels import MISSING_WORDS, OTHER_WORD, tagged, words_in
from synthgan.errors import ConditionError, SchemaError, displayed


def infer_numbers(
    base: Column, present: pa.Array, fixed: int | None, python_type: str = ""
) -> Column:
    """NUMBER or INTEGER, with decimals; ``python_type`` is what pandas calls objects' type."""
    values = present.cast(pa.float64(), safe=False).to_numpy()
    if not np.isfinite(values).all():
        raise SchemaError(
            f"column {base.name!r}: some numbers are infinite; replace them, for example by "
            "missing cells"
        )
    format = f"%.{fixed}f" if fixed else None
    if base.dtype == "object" and pa.types.is_decimal(present.type):
        format = "Decimal"
    if base.dtype == "object" and python_type in ("time", "timedelta"):
        format = python_type
    if np.array_equal(values, np.rint(values)) and np.abs(values).max() <= 2**53:
        return replace(base, kind=Kind.INTEGER, format=format)
    decimals = fixed or decimals_of(values, single=pa.types.is_float32(present.type))
    if python_type in ("time", "timedelta", "timedelta64"):
        decimals = _decimals_of_seconds(values)
    return replace(base, kind=Kind.NUMBER, decimals=decimals, format=format)


def decimals_of(values: Floats, *, single: bool = False) -> int | None:
    """The smallest number of digits up to 9 that ``values`` have, but for float noise."""
    rest = values[values != np.rint(values)]
    if len(rest) == 0:
        return 0
    # Where floats lie further apart than the digits tried, all of them would pass.
    spacing = np.spacing(np.median(np.abs(rest)).astype(np.float32 if single else np.float64))
    for digits in range(1, 10):
        if 10.0**-digits < spacing:
            return None
        rounded = np.round(rest, digits)
        if single:
            same = rounded.astype(np.float32) == rest.astype(np.float32)
        else:
            noise = np.minimum(4 * np.finfo(float).eps * np.abs(rest), 10.0**-digits * 1e-3)
            same = np.abs(rest - rounded) <= noise
        rest = rest[~same]
        if len(rest) == 0:
            return digits
    return None


def _decimals_of_seconds(values: Floats) -> int | None:
    """Of durations, which are whole milli-, micro- or nanoseconds however long they are."""
    for digits in (3, 6, 9):
        ticks = values * 10.0**digits
        if (np.abs(ticks - np.rint(ticks)) <= 2 * np.spacing(np.abs(values)) * 10.0**digits).all():
            return digits
    return None


def read_numbers(cells: pa.Array, column: Column) -> Floats:
    if pa.types.is_temporal(cells.type):
        raise mismatch(column, "numbers", "the cells are dates")
    if pa.types.is_large_string(cells.type):
        if column.words is not None:
            return _read_with_words(cells, column, column.words)
        if column.spelling is not None:
            return _read_spelled(cells, column, column.spelling)
        cells = pc.utf8_trim_whitespace(cells)
    try:
        floats = cells.cast(pa.float64(), safe=False)
    except pa.ArrowException:
        raise mismatch(column, "numbers", "some cells are other text") from None
    values: Floats = floats.to_numpy(zero_copy_only=False).astype(np.float64)
    if np.isinf(values).any():
        raise mismatch(column, "finite numbers", "some are infinite")
    return values


def _read_spelled(cells: pa.Array, column: Column, spelling: Spelling) -> Floats:
    values = spelling.read(cells)
    missing = pc.or_(cells.is_null(), pc.is_in(cells, MISSING_WORDS.cast(cells.type)))
    if np.isnan(values[~missing.to_numpy(zero_copy_only=False)]).any():
        raise mismatch(column, f"numbers written as {column.format}", "some cells are other text")
    return values


def _read_with_words(cells: pa.Array, column: Column, words: Sequence[str]) -> Floats:
    """Numbers where cells are spelled as such, and tags where they are words."""
    encoded = cells.dictionary_encode()
    texts = encoded.dictionary
    if column.spelling is not None:
        numbers = column.spelling.read(texts)
    else:
        numbers = np.array([plain_number(text) for text in texts.to_pylist()], dtype=np.float64)
    place = {word: number for number, word in enumerate(words, start=1)}
    tags = np.array([place.get(text, 0) for text in texts.to_pylist()], dtype=np.int64)
    tags = np.where((tags == 0) & ~np.isfinite(numbers), OTHER_WORD, tags)
    values: Floats = np.append(np.where(tags > 0, tagged(tags), numbers), np.nan)[places(encoded)]
    return values


_PLAIN = re.compile(
    r"\s*[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?\s*", re.ASCII
)


def plain_number(text: str) -> float:
    """The number that ``text`` is, regardless of other cells; NaN for none."""
    return float(text) if _PLAIN.fullmatch(text) else np.nan


def _write_with_words(values: Floats, column: Column, words: Sequence[str]) -> pd.Series[Any]:
    """The reverse; words that have no name, which are never drawn, are missing cells."""
    plain = replace(column, words=None)
    numbers, tags = ~np.isnan(values), words_in(values)
    named = (tags > 0) & (tags <= len(words))
    cells = np.full(len(values), None, dtype=object)
    cells[numbers] = write_numbers(values[numbers], plain).to_numpy(dtype=object)
    cells[named] = np.array([None, *words], dtype=object)[tags[named]]
    return spread(cells[numbers | named], ~(numbers | named), column)


def write_numbers(values: Floats, column: Column) -> pd.Series[Any]:
    if column.words is not None:
        return _write_with_words(values, column, column.words)
    missing = np.isnan(values)
    cells = rounded_cells(np.where(missing, 0.0, values), column)
    dtype = to_dtype(column.dtype, column.name)
    if column.spelling is not None:
        return spread(column.spelling.write(cells[~missing]), missing, column)
    if family(dtype) == "text" or (family(dtype) == "object" and "%" in (column.format or "")):
        default = "%d" if column.kind is Kind.INTEGER else "%.15g"
        return spread(_spell_numbers(cells[~missing], column.format or default), missing, column)
    if family(dtype) == "object":
        return spread(_python_numbers(cells[~missing], column), missing, column)
    if family(dtype) == "duration":
        return _store_durations(cells, missing, column, dtype)
    return store_numbers(cells, missing, column, dtype)


def rounded_cells(cells: Floats, column: Column) -> Floats:
    """``cells`` of a numeric kind as they would be written: within the declared bounds, and in
    whole units of the column."""
    return _rounded(np.clip(cells, *bounds(column)), column) + 0.0  # no minus zero


def _rounded(cells: Floats, column: Column) -> Floats:
    if column.kind is not Kind.NUMBER:
        return np.rint(cells)
    if column.decimals is None:
        return cells
    rounded = cells.copy()
    near = np.abs(cells) < 2**53 / 10**column.decimals  # beyond, floats have no more decimals
    rounded[near] = np.round(cells[near], column.decimals)
    return rounded


def _spell_numbers(cells: Floats, format: str) -> Objects:
    distinct, places = np.unique(cells, return_inverse=True)
    spelled = np.array([format % number for number in distinct.tolist()], dtype=object)
    return spelled[places]


def _python_numbers(cells: Floats, column: Column) -> Objects:
    if column.format in ("time", "timedelta"):
        return _python_durations(cells, as_times=column.format == "time")
    if column.format == "Decimal":
        digits = f"%.{column.decimals or 0}f"
        if column.kind is Kind.NUMBER and column.decimals is None:
            digits = "%.17g"
        return np.array([decimal.Decimal(digits % cell) for cell in cells.tolist()], dtype=object)
    if column.kind is Kind.INTEGER:
        return np.array([int(cell) for cell in cells.tolist()], dtype=object)
    return cells.astype(object)


def _python_durations(seconds: Floats, *, as_times: bool) -> Objects:
    if as_times:
        seconds = np.clip(seconds, 0, _SECONDS_A_DAY - 1e-6)
    spans = [datetime.timedelta(microseconds=round(second * 1e6)) for second in seconds.tolist()]
    found = np.empty(len(spans), dtype=object)
    found[:] = [(datetime.datetime.min + span).time() for span in spans] if as_times else spans
    return found


def _store_durations(
    seconds: Floats, missing: Bools, column: Column, dtype: Dtype
) -> pd.Series[Any]:
    unit = unit_of_type(dtype)
    per_second = 10**9 // NANOSECONDS[unit]  # type: ignore[index]
    digits = column.decimals if column.kind is Kind.NUMBER else 0
    counted = min(per_second, 10**9 if digits is None else 10**digits)  # floats end before ticks do
    top = (2.0**63 - 2048) / (per_second // counted)
    whole = np.rint(np.clip(seconds * counted, -top, top)).astype(np.int64)
    whole *= per_second // counted
    cells = whole.astype(f"m8[{unit}]")
    cells[missing] = np.array("NaT", cells.dtype)
    if isinstance(dtype, pd.ArrowDtype):
        return from_arrow(pa.array(cells).cast(dtype.pyarrow_dtype), column)
    return pd.Series(cells, name=column.name)


def store_numbers(cells: Floats, missing: Bools, column: Column, dtype: Dtype) -> pd.Series[Any]:
    if family(dtype) == "decimal":
        arrow = dtype.pyarrow_dtype  # type: ignore[union-attr]
        top = 10.0 ** (arrow.precision - arrow.scale) - 10.0**-arrow.scale
        top = np.nextafter(top, 0) if arrow.precision > 15 else top
        return store(np.clip(cells, -top, top), missing, column, dtype)
    plain = numpy_type(dtype)
    if plain.kind == "f":
        top = np.finfo(plain).max
        return store(np.clip(cells, -top, top).astype(plain), missing, column, dtype)
    whole = np.rint(cells)
    low, high = (float(np.iinfo(plain).min), float(np.iinfo(plain).max))
    if high > np.iinfo(plain).max:
        high = np.nextafter(high, 0)
    return store(np.clip(whole, low, high).astype(plain), missing, column, dtype)


# Dates

_SECONDS_A_DAY = 86_400

WHOLE = 2.0**53
"""Beyond, floats have gaps."""


def can_hold(column: Column, cell: Level) -> bool:
    """Whether a row of the column can have ``cell``, which is of its type."""
    if not column.kind.is_numeric:
        return True
    number = float(cell)
    if column.kind is not Kind.NUMBER:
        return number.is_integer()
    if column.decimals is None or abs(number) >= WHOLE:
        return math.isfinite(number)
    return _narrowed(column, round(number, column.decimals)) == number


def to_number(column: Column, value: object) -> float:
    """A number as the column holds it, also as it spells it; infinite where floats end."""
    if isinstance(value, str) and column.spelling is not None:
        spelled = float(column.spelling.read(pa.array([value], pa.large_string()))[0])
        value = value if math.isnan(spelled) else spelled
    if column.format in ("time", "timedelta") or column.dtype.startswith(("timedelta", "duration")):
        value = _seconds(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        hint = "; write numbers without quotes" if isinstance(value, str) else ""
        raise ConditionError(f"column {column.name!r} holds numbers, not {displayed(value)}{hint}")
    try:
        return _narrowed(column, float(value))
    except OverflowError:  # an integer beyond all floats
        return math.inf if value > 0 else -math.inf


def _seconds(value: object) -> object:
    """Seconds of durations and times of day; other values as they are."""
    if isinstance(value, datetime.timedelta | np.timedelta64) and not pd.isna(value):
        return pd.Timedelta(value).total_seconds()
    if isinstance(value, datetime.time):
        return (value.hour * 60 + value.minute) * 60 + value.second + value.microsecond / 1e6
    return value


def _narrowed(column: Column, number: float) -> float:
    """``number`` as a column of narrower floats would hold it."""
    dtype = to_dtype(column.dtype, column.name)
    held = getattr(dtype, "numpy_dtype", dtype)
    if held not in (np.dtype(np.float16), np.dtype(np.float32)):
        return number
    with np.errstate(over="ignore"):
        return float(held.type(number))
