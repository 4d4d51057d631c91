"""Date columns: inferred, read, written, stored; what a literal means in one."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthgan._typing import Bools, Dates, Floats
from synthgan.columns.arrow import to_arrow
from synthgan.columns.column import Column, Kind, bounds, count
from synthgan.columns.date_format import (
    NANOSECONDS,
    Resolution,
    find_date_format,
    parse_dates,
    resolution_of,
    spell_dates,
    utc_offset,
)
from synthgan.columns.dtypes import Dtype, family, has_time_zone, to_dtype
from synthgan.columns.frame import from_arrow, mismatch, places, spread, unit_of_type
from synthgan.errors import ConditionError, displayed

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


def infer_dates(base: Column, present: pa.Array) -> Column:
    """A column of ``present`` cells that are dates by type."""
    dates = present.to_numpy(zero_copy_only=False)
    marker = None
    if base.dtype == "object":
        marker = "date" if pa.types.is_date(present.type) else "datetime"
    return replace(base, kind=Kind.DATETIME, resolution=resolution_of(dates), format=marker)


def infer_date_text(base: Column, distinct: pa.Array) -> Column | None:
    """A column of text that is dates of one format; None if it is something else."""
    format = find_date_format(distinct, base.name)
    dates = parse_dates(distinct, format) if format else None
    if dates is None:
        return None
    return replace(base, kind=Kind.DATETIME, format=format, resolution=resolution_of(dates))


def read_dates(cells: pa.Array, column: Column) -> Floats:
    in_utc = has_time_zone(to_dtype(column.dtype, column.name))
    if pa.types.is_large_string(cells.type):
        dates = _read_date_text(cells, column, in_utc)
    elif pa.types.is_temporal(cells.type) or pa.types.is_null(cells.type):
        zone = getattr(cells.type, "tz", None)
        if zone is not None and not in_utc:
            raise mismatch(column, "dates without time zone", "the cells have one")
        if zone is None and in_utc and cells.null_count < len(cells):
            raise mismatch(column, "dates with a time zone", "the cells have none")
        if pa.types.is_null(cells.type):
            cells = cells.cast(pa.timestamp("s"))
        dates = cells.to_numpy(zero_copy_only=False)
    else:
        raise mismatch(column, "dates", "the cells are numbers or booleans")
    return count(dates, column.resolution or "s")


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
        raise mismatch(column, "dates of one format", "some cells are other text")
    if in_utc:
        dates = dates - _offset(format, column)
    lookup = np.append(dates, np.array(["NaT"], dates.dtype))
    return lookup[places(encoded)]


def _offset(format: str, column: Column) -> np.timedelta64:
    minutes = utc_offset(format)
    if minutes is None:
        raise mismatch(column, "dates with a time zone", "the cells have none")
    return np.timedelta64(minutes, "m")


def write_dates(values: Floats, column: Column) -> pd.Series[Any]:
    missing = np.isnan(values)
    resolution = column.resolution or "s"
    counts = np.clip(np.where(missing, 0.0, values), *bounds(column))
    dtype = to_dtype(column.dtype, column.name)
    held = family(dtype)
    if held == "date":
        dates = _from_counts(counts, resolution, in_nanoseconds=unit_of_type(dtype) == "ns")
        return _store_dates(dates, missing, column, dtype)
    dates = _from_counts(counts, resolution)[~missing]
    if held == "text" or "%" in (column.format or ""):
        spelled = spell_dates(dates, column.format or _DEFAULT_FORMATS[resolution])
        return spread(spelled.to_numpy(zero_copy_only=False), missing, column)
    unit = "D" if column.format == "date" else "us"
    return spread(dates.astype(f"M8[{unit}]").astype(object), missing, column)


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
    cells = dates.astype(f"M8[{unit_of_type(dtype)}]")
    cells[missing] = np.array("NaT", cells.dtype)
    if isinstance(dtype, pd.DatetimeTZDtype):
        index = pd.DatetimeIndex(cells).tz_localize("UTC").tz_convert(dtype.tz)
        return pd.Series(index, name=column.name)
    if not isinstance(dtype, pd.ArrowDtype):
        return pd.Series(cells, name=column.name)
    arrow = pa.array(cells)
    if has_time_zone(dtype):
        arrow = pc.assume_timezone(arrow, "UTC")
    return from_arrow(arrow.cast(dtype.pyarrow_dtype), column)


def unit_of(column: Column) -> str:
    """What the dates of the column are counted in, in words."""
    names = {"D": "days", "h": "hours", "min": "minutes", "s": "seconds"}
    return names.get(column.resolution or "s", f"{column.resolution}")


_ISO = re.compile(
    r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2}(?:[T ][0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)?"
    r" ?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?)?)?"
)
_TIME_OF_DAY = re.compile(r".%-?[HI]")


def to_date(column: Column, value: object) -> float:
    """Units of the column since 1970."""
    stamp = value if isinstance(value, pd.Timestamp) else None
    if isinstance(value, str):
        stamp = _stamp_of(column, value.strip())
    if stamp is None:
        example = '"2020-01-31"'
        if "%" in (column.format or ""):
            example += " or as the column spells it"
        raise ConditionError(
            f"column {column.name!r} holds dates, not {displayed(value)}; write a date in quotes, "
            f"such as {example}"
        )
    zone = _zone(column)
    if zone is None and stamp.tzinfo is not None:
        raise ConditionError(f"column {column.name!r} has no time zone: leave it out of the date")
    if zone is not None and stamp.tzinfo is None:
        try:
            stamp = stamp.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
        except (ValueError, OverflowError, NotImplementedError):  # beyond year 9999 in UTC
            raise ConditionError(f"column {column.name!r}: the date is out of range") from None
    dates = pd.DatetimeIndex(np.array([stamp.to_datetime64()]))  # of the stamp's own unit
    cells = pd.Series(dates.tz_localize("UTC") if zone is not None else dates)
    return float(read_dates(to_arrow(cells, column.name), column)[0])


def _zone(column: Column) -> str | datetime.tzinfo | None:
    dtype = to_dtype(column.dtype, column.name)
    found: str | datetime.tzinfo | None
    found = getattr(getattr(dtype, "pyarrow_dtype", dtype), "tz", None)
    return found


def _stamp_of(column: Column, text: str) -> pd.Timestamp | None:
    """The date that ``text`` spells as the column does, with or without the time, or in ISO."""
    try:
        if "%" in (column.format or ""):
            cell = pa.array([text], pa.large_string())
            full = column.format or ""
            for format in (full, _TIME_OF_DAY.split(full)[0]):
                dates = parse_dates(cell, format)
                if dates is not None:
                    return pd.Timestamp(dates[0])
        return pd.Timestamp(text) if _ISO.fullmatch(text) else None
    except (ValueError, OverflowError, pa.ArrowException):
        return None
