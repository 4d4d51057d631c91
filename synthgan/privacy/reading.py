"""A cell and what its column is declared to be, in; a value or "missing", out.

Nothing here looks at two cells at once. How a cell is read must not hang on its neighbours: if
it did, one row more could move the counts of all others. So type, unit and scale of a value come
from the column's declaration, never from the dtype that a frame happens to have, which one odd
cell can change. Whatever a cell does when it is looked at, also an error or a warning, makes it
missing, and nothing else.

Cells that come often are read once. That is no look at others: only cells of one type and of the
very same content are taken together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthgan._typing import Ints
from synthgan.columns.category import BOOLEAN_WORDS
from synthgan.columns.column import Column, Kind, Level
from synthgan.columns.date_format import NANOSECONDS, read_date, read_iso_date, utc_offset
from synthgan.columns.dtypes import Dtype, Family, family, has_time_zone, is_text, to_dtype
from synthgan.columns.number import plain_number
from synthgan.columns.sentinels import OTHER_WORD, tagged
from synthgan.privacy.plain import MOST_DIGITS, SECOND, Instant, Plain, Span, of_decimal, plain_cell

Read = Callable[[object], Any]
"""A cell to its value; never fails."""


# One cell


def reader_of(column: Column) -> Read:
    """What reads cells of ``column``, each by itself.

    NUMBER and INTEGER give a float, NaN where missing, a tagged NaN where there is a word;
    DATETIME the same, in units of the column's resolution since 1970; CATEGORY and BOOLEAN a
    level, None where missing. See :func:`read_cells`, whose values these are.
    """
    if column.kind is Kind.DATETIME:
        return _guarded(_dates(column), math.nan)
    if column.kind.is_numeric:
        return _guarded(_numbers(column), math.nan)
    if column.kind is Kind.BOOLEAN:
        return _guarded(_booleans(column), None)
    return _guarded(_levels(column), None)


def _guarded(read: Callable[[Plain], Any], missing: float | None) -> Read:
    def alone(cell: object) -> Any:
        try:
            plain = plain_cell(cell)
            return missing if plain is None else read(plain)
        except Exception:  # noqa: BLE001 -- a word of it would tell of a row
            return missing

    return alone


# Numbers and dates


def _numbers(column: Column) -> Callable[[Plain], float]:
    spelling = column.spelling
    tags = {
        word: float(tagged(np.array([place]))[0])
        for place, word in enumerate(column.words or (), start=1)
    }
    other = math.nan if column.words is None else float(tagged(np.array([OTHER_WORD]))[0])

    def read(cell: Plain) -> float:
        if isinstance(cell, str):
            if cell in tags:
                return tags[cell]
            found = plain_number(cell.strip()) if spelling is None else spelling.read_one(cell)
            return found + 0.0 if math.isfinite(found) else other
        if isinstance(cell, Instant) or cell is None:
            return math.nan
        value = cell.nanoseconds / SECOND if isinstance(cell, Span) else float(cell)
        return value + 0.0 if math.isfinite(value) else math.nan  # no minus zero

    return read


def _dates(column: Column) -> Callable[[Plain], float]:
    in_utc = has_time_zone(to_dtype(column.dtype, column.name))
    unit = NANOSECONDS[column.resolution or "s"]
    format = column.format if "%" in (column.format or "") else None
    offset = utc_offset(format) if format is not None and in_utc else 0

    def spelled(text: str) -> int | None:
        if format is None:
            return read_iso_date(text, zoned=in_utc)
        found = read_date(text, format)
        return None if found is None or offset is None else found - offset * 60 * SECOND

    def read(cell: Plain) -> float:
        if isinstance(cell, str):
            found = spelled(cell)
        else:
            fits = isinstance(cell, Instant) and cell.zoned == in_utc
            found = cell.nanoseconds if isinstance(cell, Instant) and fits else None
        if found is None:
            return math.nan
        whole, rest = divmod(found, unit)
        return whole + rest / unit

    return read


# Booleans and categories


def _booleans(column: Column) -> Callable[[Plain], bool | None]:
    words: dict[str, bool] = dict(BOOLEAN_WORDS)
    if column.format:
        no, yes = column.format.split("|")
        words = {**words, no: False, yes: True}

    def read(cell: Plain) -> bool | None:
        text = _as_text(cell)
        return None if text is None else words.get(text, words.get(text.lower()))

    return read


def _levels(column: Column) -> Callable[[Plain], Level | None]:
    canonical = _canonical(to_dtype(column.dtype, column.name))
    declared = {
        str(found): level
        for level in column.categories or ()
        if (found := canonical(level)) is not None
    }

    def read(cell: Plain) -> Level | None:
        found = canonical(cell)
        return None if found is None else declared.get(str(found), found)

    return read


def _canonical(dtype: Dtype) -> Callable[[Plain], Level | None]:
    """The one form that equal levels of a column have, which its dtype says: so that 1, 1.0 and
    "1" are one level where they are the same, and never by what stands in another row."""
    held: Family = family(dtype)
    if held == "category" and isinstance(dtype, pd.ArrowDtype):
        return _canonical(pd.ArrowDtype(dtype.pyarrow_dtype.value_type))
    if held == "integer":
        bounds = np.iinfo(_numpy_type(dtype))
        return lambda cell: _as_whole(cell, int(bounds.min), int(bounds.max))
    if held == "float":
        plain = _numpy_type(dtype)
        return lambda cell: _as_float(cell, plain)
    if held == "decimal":
        return lambda cell: _as_float(cell, np.dtype(np.float64))
    if held == "boolean":
        return lambda cell: _TRUTHS.get(_as_text(cell) or "")
    if held in ("text", "object"):
        return _as_text
    return _as_it_is if held == "category" else lambda cell: None


_TRUTHS = {"True": True, "False": False, "1": True, "0": False}


def _numpy_type(dtype: Dtype) -> np.dtype[Any]:
    found: np.dtype[Any] = dtype if isinstance(dtype, np.dtype) else dtype.numpy_dtype  # type: ignore[attr-defined]
    return found


def _exactly(cell: Plain) -> int | float | Decimal | None:
    """The number that a cell is, with all of its digits; None if it is none, or not finite."""
    if isinstance(cell, str):
        text = cell.strip()
        if not math.isfinite(plain_number(text)):
            return None
        return of_decimal(text) if len(text) <= 2 * MOST_DIGITS else plain_number(text)
    if cell is None or isinstance(cell, Instant | Span):
        return None
    if isinstance(cell, int):
        return int(cell)
    return cell if math.isfinite(cell) else None


def _as_whole(cell: Plain, low: int, high: int) -> int | None:
    number = _exactly(cell)
    if number is None or number != (whole := int(number)):
        return None
    return whole if low <= whole <= high else None


def _as_float(cell: Plain, dtype: np.dtype[Any]) -> float | None:
    number = _exactly(cell)
    if number is None:
        return None
    with np.errstate(over="ignore"):
        found = float(dtype.type(float(number))) + 0.0  # no minus zero
    return found if math.isfinite(found) else None


def _as_text(cell: Plain) -> str | None:
    if isinstance(cell, Instant | Span) or cell is None:
        return None
    if isinstance(cell, float | Decimal) and math.isfinite(cell):
        cell = int(cell) if cell == int(cell) else float(cell)
    text = str(cell)
    text.encode()  # a lone surrogate can be in no file
    return text


def _as_it_is(cell: Plain) -> Level | None:
    """Of a pandas categorical, whose dtype does not say what its levels are: numbers that are
    equal are the same, text and booleans are others."""
    if isinstance(cell, bool):
        return cell
    if isinstance(cell, str):
        return _as_text(cell)
    whole = _as_whole(cell, -(2**63), 2**63 - 1)
    return _as_float(cell, np.dtype(np.float64)) if whole is None else whole


# A column


def read_column(series: pd.Series[Any], column: Column) -> npt.NDArray[Any]:
    """The cells of ``series`` (rows) as :func:`reader_of` reads each: float64 of a numeric kind,
    else an object array of levels."""
    with np.errstate(all="ignore"):
        if column.kind in (Kind.NUMBER, Kind.INTEGER):
            floats = _floats(series)
            if floats is not None:
                return floats
        return _read(series, reader_of(column), np.float64 if column.kind.is_numeric else object)


def read_names(series: pd.Series[Any], column: Column) -> list[Level | None]:
    """Whose each row is, by a column that names units; None where a cell names nobody.

    The form of a name is that of the column's declared dtype, as for levels.
    """
    with np.errstate(all="ignore"):
        named: list[Level | None] = _read(
            series, _guarded(_canonical(to_dtype(column.dtype, column.name)), None), object
        ).tolist()
    return named


def _read(series: pd.Series[Any], read: Read, dtype: Any) -> npt.NDArray[Any]:
    cells, places = _distinct(series)
    values = np.empty(len(cells), dtype=dtype)
    for i, cell in enumerate(cells):
        values[i] = read(cell)
    found: npt.NDArray[Any] = values[places]
    return found


def _floats(series: pd.Series[Any]) -> npt.NDArray[np.float64] | None:
    """Numbers of a column that numpy holds, each as a reader would give it; None for others."""
    dtype = series.dtype
    if not isinstance(dtype, np.dtype) or dtype.kind not in "iufb" or dtype.itemsize > 8:
        return None
    values = series.to_numpy().astype(np.float64)
    return np.where(np.isfinite(values), values, np.nan) + 0.0


def _distinct(series: pd.Series[Any]) -> tuple[Sequence[object], Ints]:
    """Cells of which none comes twice as far as that is easily seen, and which each row has."""
    array: Any = series.array
    if isinstance(series.dtype, pd.CategoricalDtype):
        levels, at = _distinct(pd.Series(array.categories))
        codes = np.asarray(array.codes, dtype=np.int64)
        return [*levels, None], np.append(at, len(levels))[codes]  # code -1 is the last
    if isinstance(array, pd.arrays.ArrowExtensionArray):
        cells = array.__arrow_array__()
        chunks = cells.chunks if isinstance(cells, pa.ChunkedArray) else [cells]
        return _joined([_arrow_cells(chunk) for chunk in chunks])
    if isinstance(array, pd.arrays.DatetimeArray) and array.tz is not None:
        # In UTC: to make objects of them, pandas asks the time zone, which knows no far dates.
        cells, places = _distinct(pd.Series(array.tz_convert(None)))
        return [_in_utc(cell) for cell in cells], places
    dtype = series.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "iufbMm" and dtype.itemsize <= 8:
        held = series.to_numpy()
        _, first, places = np.unique(
            held.view(f"u{dtype.itemsize}"), return_index=True, return_inverse=True
        )
        return list(held[first]), places.astype(np.int64)  # numpy scalars, with their unit
    return _of_objects(series.astype(object).to_numpy())


def _in_utc(cell: object) -> Instant | None:
    found = plain_cell(cell)
    return Instant(found.nanoseconds, zoned=True) if isinstance(found, Instant) else None


def _of_objects(cells: npt.NDArray[np.object_]) -> tuple[Sequence[object], Ints]:
    """Text and integers once each, all else as often as it comes: equal is not the same."""
    texts: dict[str, int] = {}
    wholes: dict[int, int] = {}
    found: list[object] = []
    places = np.empty(len(cells), dtype=np.int64)
    for i, cell in enumerate(cells):
        kind = type(cell)
        known: dict[Any, int] | None = texts if kind is str else wholes if kind is int else None
        place = len(found) if known is None else known.setdefault(cell, len(found))
        if place == len(found):
            found.append(cell)
        places[i] = place
    return found, places


def _joined(parts: Sequence[tuple[Sequence[object], Ints]]) -> tuple[Sequence[object], Ints]:
    cells: list[object] = []
    places = [np.zeros(0, dtype=np.int64)]
    for more, at in parts:
        places.append(at + len(cells))
        cells.extend(more)
    return cells, np.concatenate(places)


def _arrow_cells(cells: Any) -> tuple[Sequence[object], Ints]:
    """The same for an Arrow array; its types are read as they are, never by way of pandas."""
    kind = cells.type
    if pa.types.is_dictionary(kind):
        levels, at = _arrow_cells(cells.dictionary)
        return [*levels, None], np.append(at, len(levels))[_places(cells.indices, len(at))]
    convert = _CONVERTED.get(str(kind).split("[")[0])
    if is_text(kind):
        cells, convert = cells.cast(pa.large_binary()), _decoded
    elif convert is not None:
        unit: Any = getattr(kind, "unit", "D" if pa.types.is_date32(kind) else "ms")
        short = pa.types.is_date32(kind) or pa.types.is_time32(kind)
        cells = (cells.cast(pa.int32()) if short else cells).cast(pa.int64())
        convert = convert(NANOSECONDS[unit], getattr(kind, "tz", None) is not None)
    elif pa.types.is_float16(kind):
        cells = cells.cast(pa.float32())
    elif not any(holds(kind) for holds in _SIMPLE):
        return [None], np.zeros(len(cells), dtype=np.int64)
    encoded = cells.dictionary_encode()
    distinct = encoded.dictionary.to_pylist()
    found = distinct if convert is None else [None if c is None else convert(c) for c in distinct]
    return [*found, None], _places(encoded.indices, len(found))


_SIMPLE = (
    pa.types.is_null,
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
)


def _instants(unit: int, zoned: bool) -> Callable[[int], Instant]:
    return lambda count: Instant(count * unit, zoned)


def _spans(unit: int, zoned: bool) -> Callable[[int], Span]:
    return lambda count: Span(count * unit)


_CONVERTED: dict[str, Any] = {
    "timestamp": _instants,
    "date32": _instants,
    "date64": _instants,
    "time32": _spans,
    "time64": _spans,
    "duration": _spans,
}


def _places(indices: Any, missing: int) -> Ints:
    """Places in a dictionary, ``missing`` where there is none."""
    found: Ints = pc.fill_null(indices.cast(pa.int64()), missing).to_numpy(zero_copy_only=False)
    return found


def _decoded(cell: bytes) -> str | None:
    try:
        return cell.decode()
    except UnicodeDecodeError:
        return None
