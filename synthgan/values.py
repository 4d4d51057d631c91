"""The cells of one column <-> plain numpy values: a transform and its inverse side by side.

:func:`read_cells` takes a column in any dtype that holds its values; :func:`write_cells`
gives it back in the dtype and the spelling that the schema names. Columns that are never
modelled have no values to read: :func:`make_up` writes them from the number of the row alone
(:mod:`synthgan.making_up` those that say who somebody is).
"""

from __future__ import annotations

import datetime
import decimal
import re
import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthgan.errors import SchemaError
from synthgan.schema import (
    NANOSECONDS,
    OTHER_WORD,
    Column,
    Dtype,
    Kind,
    Level,
    Resolution,
    Spelling,
    family,
    find_date_format,
    has_time_zone,
    parse_dates,
    spell_dates,
    tagged,
    tick_of,
    to_arrow,
    to_dtype,
    utc_offset,
    words_in,
)
from synthgan.table import MISSING_WORDS

Bools = npt.NDArray[np.bool_]
Dates = npt.NDArray[np.datetime64]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Objects = npt.NDArray[np.object_]


def read_cells(series: pd.Series[Any], column: Column) -> npt.NDArray[Any]:
    """The cells of ``series`` as values (rows) of ``column``'s kind, from whatever dtype.

    NUMBER, INTEGER: float64, NaN where missing, or where there is a word (:func:`words_in` tells
    which). DATETIME: the same, counting units of
    ``column.resolution`` since 1970-01-01, in UTC if the column's dtype has a time zone and
    in wall time if not; cells between two units become fractions. CATEGORY, BOOLEAN: an
    object array of Python levels (True and False for BOOLEAN), None where missing.

    Raises :class:`SchemaError`, naming the column, if cells cannot be read as its kind.
    """
    cells = to_arrow(series, column.name)
    if column.kind is Kind.DATETIME:
        return _read_dates(cells, column)
    if column.kind.is_numeric:
        return _read_numbers(cells, column)
    if column.kind is Kind.BOOLEAN:
        return _read_booleans(cells, column)
    if column.kind is Kind.CATEGORY:
        return _read_levels(cells, column)
    raise SchemaError(f"column {column.name!r}: kind {column.kind.value} has no values to read")


def write_cells(
    values: npt.NDArray[Any], column: Column, levels: Sequence[Level] | None = None
) -> pd.Series[Any]:
    """The reverse of :func:`read_cells`: ``values`` in the column's own dtype and spelling.

    Numbers are rounded to the column's decimals and dates to its resolution; both are
    pulled in to the declared bounds and to what the dtype can hold. ``levels`` are the
    categories of a pandas categorical, so that every chunk gets the same dtype.

    Raises :class:`SchemaError`, naming the column, if a cell is missing and the dtype has no
    missing value, or if a level does not go with the dtype.
    """
    if column.kind is Kind.DATETIME:
        return _write_dates(values, column)
    if column.kind.is_numeric:
        return _write_numbers(values, column)
    if column.kind is Kind.BOOLEAN:
        return _write_booleans(values, column)
    if column.kind is Kind.CATEGORY:
        return _write_levels(values, column, levels)
    raise SchemaError(f"column {column.name!r}: kind {column.kind.value} has no values to write")


def _mismatch(column: Column, wanted: str, found: str) -> SchemaError:
    return SchemaError(
        f"column {column.name!r}: {wanted} are wanted, but {found}; change the cells, or the "
        "column's kind in the schema"
    )


# Numbers


def _read_numbers(cells: pa.Array, column: Column) -> Floats:
    if pa.types.is_temporal(cells.type):
        raise _mismatch(column, "numbers", "the cells are dates")
    if pa.types.is_large_string(cells.type):
        if column.words is not None:
            return _read_with_words(cells, column, column.words)
        if column.spelling is not None:
            return _read_spelled(cells, column, column.spelling)
        cells = pc.utf8_trim_whitespace(cells)
    try:
        floats = cells.cast(pa.float64(), safe=False)
    except pa.ArrowException:
        raise _mismatch(column, "numbers", "some cells are other text") from None
    values: Floats = floats.to_numpy(zero_copy_only=False).astype(np.float64)
    if np.isinf(values).any():
        raise _mismatch(column, "finite numbers", "some are infinite")
    return values


def _read_spelled(cells: pa.Array, column: Column, spelling: Spelling) -> Floats:
    values = spelling.read(cells)
    missing = pc.or_(cells.is_null(), pc.is_in(cells, MISSING_WORDS.cast(cells.type)))
    if np.isnan(values[~missing.to_numpy(zero_copy_only=False)]).any():
        raise _mismatch(column, f"numbers written as {column.format}", "some cells are other text")
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
    values: Floats = np.append(np.where(tags > 0, tagged(tags), numbers), np.nan)[_places(encoded)]
    return values


_PLAIN = re.compile(
    r"\s*[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?\s*", re.ASCII
)


def plain_number(text: str) -> float:
    """The number that ``text`` is by itself, whatever stands in other cells; NaN for none."""
    return float(text) if _PLAIN.fullmatch(text) else np.nan


def _write_with_words(values: Floats, column: Column, words: Sequence[str]) -> pd.Series[Any]:
    """The reverse; words that have no name, which are never drawn, are missing cells."""
    plain = replace(column, words=None)
    numbers, tags = ~np.isnan(values), words_in(values)
    named = (tags > 0) & (tags <= len(words))
    cells = np.full(len(values), None, dtype=object)
    cells[numbers] = _write_numbers(values[numbers], plain).to_numpy(dtype=object)
    cells[named] = np.array([None, *words], dtype=object)[tags[named]]
    return _spread(cells[numbers | named], ~(numbers | named), column)


def _write_numbers(values: Floats, column: Column) -> pd.Series[Any]:
    if column.words is not None:
        return _write_with_words(values, column, column.words)
    missing = np.isnan(values)
    cells = rounded_cells(np.where(missing, 0.0, values), column)
    dtype = to_dtype(column.dtype, column.name)
    if column.spelling is not None:
        return _spread(column.spelling.write(cells[~missing]), missing, column)
    if family(dtype) == "text" or (family(dtype) == "object" and "%" in (column.format or "")):
        default = "%d" if column.kind is Kind.INTEGER else "%.15g"
        return _spread(_spell_numbers(cells[~missing], column.format or default), missing, column)
    if family(dtype) == "object":
        return _spread(_python_numbers(cells[~missing], column), missing, column)
    if family(dtype) == "duration":
        return _store_durations(cells, missing, column, dtype)
    return _store_numbers(cells, missing, column, dtype)


def rounded_cells(cells: Floats, column: Column) -> Floats:
    """``cells`` of a numeric kind as they would be written: within the declared bounds, and in
    whole units of the column."""
    return _rounded(np.clip(cells, *_bounds(column)), column) + 0.0  # no minus zero


def _rounded(cells: Floats, column: Column) -> Floats:
    if column.kind is not Kind.NUMBER:
        return np.rint(cells)
    if column.decimals is None:
        return cells
    rounded = cells.copy()
    near = np.abs(cells) < 2**53 / 10**column.decimals  # beyond, floats have no more decimals
    rounded[near] = np.round(cells[near], column.decimals)
    return rounded


def _bounds(column: Column) -> tuple[float, float]:
    """The declared bounds, in the units of :func:`read_cells`."""

    def value(bound: float | str | None, default: float) -> float:
        if isinstance(bound, str):
            date = np.array([bound], dtype="datetime64[us]")
            return float(_count(date, column.resolution or "s")[0])
        return default if bound is None else float(bound)

    return value(column.low, -np.inf), value(column.high, np.inf)


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
    unit = _unit(dtype)
    per_second = 10**9 // NANOSECONDS[unit]  # type: ignore[index]
    digits = column.decimals if column.kind is Kind.NUMBER else 0
    counted = min(per_second, 10**9 if digits is None else 10**digits)  # floats end before ticks do
    top = (2.0**63 - 2048) / (per_second // counted)
    whole = np.rint(np.clip(seconds * counted, -top, top)).astype(np.int64)
    whole *= per_second // counted
    cells = whole.astype(f"m8[{unit}]")
    cells[missing] = np.array("NaT", cells.dtype)
    if isinstance(dtype, pd.ArrowDtype):
        return _from_arrow(pa.array(cells).cast(dtype.pyarrow_dtype), column)
    return pd.Series(cells, name=column.name)


def _store_numbers(cells: Floats, missing: Bools, column: Column, dtype: Dtype) -> pd.Series[Any]:
    if family(dtype) == "decimal":
        arrow = dtype.pyarrow_dtype  # type: ignore[union-attr]
        top = 10.0 ** (arrow.precision - arrow.scale) - 10.0**-arrow.scale
        top = np.nextafter(top, 0) if arrow.precision > 15 else top
        return _store(np.clip(cells, -top, top), missing, column, dtype)
    plain = _numpy_type(dtype)
    if plain.kind == "f":
        top = np.finfo(plain).max
        return _store(np.clip(cells, -top, top).astype(plain), missing, column, dtype)
    whole = np.rint(cells)
    low, high = (float(np.iinfo(plain).min), float(np.iinfo(plain).max))
    if high > np.iinfo(plain).max:
        high = np.nextafter(high, 0)
    return _store(np.clip(whole, low, high).astype(plain), missing, column, dtype)


# Dates

_SECONDS_A_DAY = 86_400
_DEFAULT_FORMATS: dict[Resolution, str] = {
    "D": "%Y-%m-%d",
    "h": "%Y-%m-%d %H:%M:%S",
    "min": "%Y-%m-%d %H:%M:%S",
    "s": "%Y-%m-%d %H:%M:%S",
    "ms": "%Y-%m-%d %H:%M:%S.%3f",
    "us": "%Y-%m-%d %H:%M:%S.%f",
    "ns": "%Y-%m-%d %H:%M:%S.%9f",
}
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896  # 0001-01-01 and 9999-12-31


def _read_dates(cells: pa.Array, column: Column) -> Floats:
    in_utc = has_time_zone(to_dtype(column.dtype, column.name))
    if pa.types.is_large_string(cells.type):
        dates = _read_date_text(cells, column, in_utc)
    elif pa.types.is_temporal(cells.type) or pa.types.is_null(cells.type):
        zone = getattr(cells.type, "tz", None)
        if zone is not None and not in_utc:
            raise _mismatch(column, "dates without time zone", "the cells have one")
        if zone is None and in_utc and cells.null_count < len(cells):
            raise _mismatch(column, "dates with a time zone", "the cells have none")
        if pa.types.is_null(cells.type):
            cells = cells.cast(pa.timestamp("s"))
        dates = cells.to_numpy(zero_copy_only=False)
    else:
        raise _mismatch(column, "dates", "the cells are numbers or booleans")
    return _count(dates, column.resolution or "s")


def _read_date_text(cells: pa.Array, column: Column, in_utc: bool) -> Dates:
    encoded = cells.dictionary_encode()
    distinct = encoded.dictionary
    if len(distinct) == 0:
        return np.full(len(cells), "NaT", dtype="M8[s]")
    format = column.format if "%" in (column.format or "") else None
    dates = parse_dates(distinct, format) if format else None
    if dates is None:
        format = find_date_format(distinct, column.name)
        dates = parse_dates(distinct, format) if format else None
    if format is None or dates is None:
        raise _mismatch(column, "dates of one format", "some cells are other text")
    if in_utc:
        dates = dates - _offset(format, column)
    lookup = np.append(dates, np.array(["NaT"], dates.dtype))
    return lookup[_places(encoded)]


def _offset(format: str, column: Column) -> np.timedelta64:
    minutes = utc_offset(format)
    if minutes is None:
        raise _mismatch(column, "dates with a time zone", "the cells have none")
    return np.timedelta64(minutes, "m")


def _count(dates: Dates, resolution: Resolution) -> Floats:
    """``dates`` in units of ``resolution`` since 1970, NaN for NaT."""
    tick, ticks = tick_of(dates), dates.astype(np.int64)
    if tick >= NANOSECONDS[resolution]:
        counts = ticks.astype(np.float64) * (tick // NANOSECONDS[resolution])
    else:
        whole, rest = np.divmod(ticks, NANOSECONDS[resolution] // tick)
        counts = whole + rest / (NANOSECONDS[resolution] // tick)
    return np.where(np.isnat(dates), np.nan, counts)


def _write_dates(values: Floats, column: Column) -> pd.Series[Any]:
    missing = np.isnan(values)
    resolution = column.resolution or "s"
    counts = np.clip(np.where(missing, 0.0, values), *_bounds(column))
    dtype = to_dtype(column.dtype, column.name)
    held = family(dtype)
    if held == "date":
        dates = _from_counts(counts, resolution, in_nanoseconds=_unit(dtype) == "ns")
        return _store_dates(dates, missing, column, dtype)
    dates = _from_counts(counts, resolution)[~missing]
    if held == "text" or "%" in (column.format or ""):
        spelled = spell_dates(dates, column.format or _DEFAULT_FORMATS[resolution])
        return _spread(spelled.to_numpy(zero_copy_only=False), missing, column)
    unit = "D" if column.format == "date" else "us"
    return _spread(dates.astype(f"M8[{unit}]").astype(object), missing, column)


def _from_counts(counts: Floats, resolution: Resolution, *, in_nanoseconds: bool = False) -> Dates:
    """Dates of ``counts``, rounded, from year 1 to 9999 or as far as nanoseconds reach."""
    a_day = NANOSECONDS["D"] // NANOSECONDS[resolution]
    low, high = _FIRST_DAY * a_day, (_LAST_DAY + 1) * a_day - 1
    if in_nanoseconds or resolution == "ns":
        high = (2**63 - 2048) // NANOSECONDS[resolution]
        low = -high
    whole = np.rint(np.clip(counts, low, high)).astype(np.int64)
    unit = "m" if resolution == "min" else resolution
    dates: Dates = np.clip(whole, low, high).astype(f"M8[{unit}]")
    return dates


def _store_dates(dates: Dates, missing: Bools, column: Column, dtype: Dtype) -> pd.Series[Any]:
    cells = dates.astype(f"M8[{_unit(dtype)}]")
    cells[missing] = np.array("NaT", cells.dtype)
    if isinstance(dtype, pd.DatetimeTZDtype):
        index = pd.DatetimeIndex(cells).tz_localize("UTC").tz_convert(dtype.tz)
        return pd.Series(index, name=column.name)
    if not isinstance(dtype, pd.ArrowDtype):
        return pd.Series(cells, name=column.name)
    arrow = pa.array(cells)
    if has_time_zone(dtype):
        arrow = pc.assume_timezone(arrow, "UTC")
    return _from_arrow(arrow.cast(dtype.pyarrow_dtype), column)


def _unit(dtype: Dtype) -> str:
    if isinstance(dtype, pd.ArrowDtype) and pa.types.is_date32(dtype.pyarrow_dtype):
        return "D"
    if isinstance(dtype, np.dtype):
        return np.datetime_data(dtype)[0]
    return str(getattr(getattr(dtype, "pyarrow_dtype", dtype), "unit", "ms"))


# Booleans and categories

BOOLEAN_WORDS = {
    **dict.fromkeys(("false", "f", "no", "n", "off", "0"), False),
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True),
}
"""What booleans are spelled like, whatever their case."""


def _read_booleans(cells: pa.Array, column: Column) -> Objects:
    words: dict[str, bool] = dict(BOOLEAN_WORDS)
    if column.format:
        no, yes = column.format.split("|")
        words = {**words, no: False, yes: True}

    def truth(cell: object) -> bool:
        text = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
        found = words.get(text, words.get(text.lower()))
        if found is None:
            raise _mismatch(column, "two spellings of a boolean", "some cells are neither")
        return found

    return _read_distinct(cells, truth)


def _read_levels(cells: pa.Array, column: Column) -> Objects:
    if pa.types.is_temporal(cells.type) and cells.null_count < len(cells):
        raise _mismatch(column, "categories", "the cells are dates")
    dtype = to_dtype(column.dtype, column.name)
    held = family(dtype)
    if held == "duration" and cells.null_count < len(cells):
        raise _mismatch(column, "categories", "the cells are durations")
    declared = {str(level): level for level in column.categories or ()}

    def level(cell: Any) -> Level:
        plain: Level = float(cell) if isinstance(cell, decimal.Decimal) else cell
        is_whole = isinstance(plain, float) and plain.is_integer()
        if is_whole and held in ("text", "object", "integer"):
            plain = int(plain)  # stored as a float because of holes
        if held in ("text", "object"):
            plain = str(plain)
        return declared.get(str(plain), plain)

    return _read_distinct(cells, level)


def _read_distinct(cells: pa.Array, read: Any) -> Objects:
    """``read`` of each distinct cell, None where missing."""
    encoded = cells.dictionary_encode()
    lookup = np.empty(len(encoded.dictionary) + 1, dtype=object)
    for i, cell in enumerate(encoded.dictionary.to_pylist()):
        lookup[i] = read(cell)
    found: Objects = lookup[_places(encoded)]
    return found


def _places(encoded: pa.DictionaryArray) -> Ints:
    """For each cell its place in the dictionary, or one past its end where missing."""
    filled = pc.fill_null(encoded.indices.cast(pa.int64()), len(encoded.dictionary))
    places: Ints = filled.to_numpy(zero_copy_only=False)
    return places


def factorized(cells: Objects) -> tuple[Ints, list[Level]]:
    """For each of ``cells`` the number of its level, one past the last where it is missing; and
    the levels, in the order in which they come. True, 1 and 1.0 are three levels."""
    kinds = {*map(type, cells)} - {type(None)}
    if len(kinds) <= 1 and str not in kinds:  # pandas takes text to end at a NUL
        factors, distinct = pd.factorize(pd.Series(cells, dtype=object), use_na_sentinel=True)
        return np.where(factors < 0, len(distinct), factors).astype(np.int64), list(distinct)
    numbers: dict[tuple[type, Any], int] = {}
    found = [
        -1 if is_missing else numbers.setdefault((type(cell), cell), len(numbers))
        for cell, is_missing in zip(cells, pd.isna(cells), strict=True)
    ]
    factors = np.array(found, dtype=np.int64)
    return np.where(factors < 0, len(numbers), factors), [level for _, level in numbers]


def _write_booleans(values: Objects, column: Column) -> pd.Series[Any]:
    missing = np.asarray(pd.isna(values))
    truth = values[~missing].astype(bool)
    dtype = to_dtype(column.dtype, column.name)
    held = family(dtype)
    if held == "text" or (held == "object" and column.format):
        no, yes = (column.format or "false|true").split("|")
        return _spread(np.array([no, yes], dtype=object)[truth.astype(int)], missing, column)
    if held == "object":
        return _spread(truth.astype(object), missing, column)
    cells = np.zeros(len(values), dtype=bool)
    cells[~missing] = truth
    if held == "boolean":
        return _store(cells, missing, column, dtype)
    return _store_numbers(cells.astype(np.float64), missing, column, dtype)


def _write_levels(
    values: Objects, column: Column, levels: Sequence[Level] | None
) -> pd.Series[Any]:
    missing = np.asarray(pd.isna(values))
    dtype = to_dtype(column.dtype, column.name)
    held = family(dtype)
    if isinstance(dtype, pd.CategoricalDtype):
        categories = _categories(values[~missing], column, levels)
        cells = pd.Categorical(values, categories=categories, ordered=column.ordered)
        return pd.Series(cells, name=column.name)
    if held in ("text", "object", "category") or missing.all():
        return _spread(values[~missing], missing, column)
    if held in ("date", "duration"):
        raise _mismatch(column, "missing cells", "some are not")
    _check_missing(missing, column, dtype)
    try:
        if held == "decimal":
            floats = np.where(missing, 0.0, values).astype(np.float64)
            return _store_numbers(floats, missing, column, dtype)
        return _store(
            np.where(missing, 0, values).astype(_numpy_type(dtype)), missing, column, dtype
        )
    except (TypeError, ValueError, OverflowError):
        raise _mismatch(column, f"levels of dtype {column.dtype}", "some are not") from None


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


# From numpy and Python to any dtype


def _store(cells: npt.NDArray[Any], missing: Bools, column: Column, dtype: Dtype) -> pd.Series[Any]:
    """Numbers or booleans, of the dtype's own numpy type, as a column."""
    _check_missing(missing, column, dtype)
    if isinstance(dtype, pd.ArrowDtype):
        return _from_arrow(pa.array(cells, mask=missing).cast(dtype.pyarrow_dtype), column)
    series = pd.Series(cells, name=column.name).astype(dtype)
    return series.mask(missing) if missing.any() else series


def _spread(present: Objects, missing: Bools, column: Column) -> pd.Series[Any]:
    """Python objects for the cells that are not missing, as a column."""
    dtype = to_dtype(column.dtype, column.name)
    _check_missing(missing, column, dtype)
    cells = np.full(len(missing), None, dtype=object)
    cells[~missing] = present
    if not isinstance(dtype, pd.ArrowDtype):
        return pd.Series(cells, dtype=dtype, name=column.name)
    arrow = dtype.pyarrow_dtype
    if not pa.types.is_dictionary(arrow):
        return _from_arrow(pa.array(cells, arrow), column)
    encoded = pa.array(cells, arrow.value_type).dictionary_encode()
    return _from_arrow(encoded.cast(arrow), column)


def _check_missing(missing: Bools, column: Column, dtype: Dtype) -> None:
    if isinstance(dtype, np.dtype) and dtype.kind in "iub" and missing.any():
        raise SchemaError(
            f"column {column.name!r}: dtype {column.dtype} cannot hold missing cells; make it "
            "nullable, for example Int64 or boolean"
        )


def _numpy_type(dtype: Dtype) -> np.dtype[Any]:
    if isinstance(dtype, np.dtype):
        return dtype
    found: np.dtype[Any] = dtype.numpy_dtype  # type: ignore[attr-defined]
    return found


def _from_arrow(cells: pa.Array, column: Column) -> pd.Series[Any]:
    return pd.Series(pd.arrays.ArrowExtensionArray(cells), name=column.name)


# Columns that are never modelled

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
        raise SchemaError(f"column {column.name!r}: kind {column.kind.value} is not made up")
    if family(dtype) not in ("text", "object", "category") and column.format:
        slots = first_digit_counts(to_slots(column.format))
        return write_text(fill_slots(slots, rows, key), here, column)
    if family(dtype) not in ("text", "object", "category"):
        series = _store_numbers((rows + 1).astype(np.float64), here, column, dtype)
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
        return _spread(cells[~missing], missing, column)
    digits = [re.sub(r"\D", "", cell) for cell in cells]
    fit = all(len(each) <= _MOST_DIGITS for each in digits)
    numbers = np.array([int(each) for each in digits] if fit else [0], dtype=np.int64)
    stored = np.where(missing, 0, numbers).astype(_numpy_type(dtype))
    if (
        not fit
        or (stored.astype(np.float64) != np.where(missing, 0, numbers).astype(np.float64)).any()
    ):
        raise SchemaError(
            f"column {column.name!r}: dtype {column.dtype} cannot hold made-up cells of "
            f"{column.personal or 'so many digits'}; use a wider one"
        )
    return _store(stored, missing, column, dtype)


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
