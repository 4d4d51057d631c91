"""A value as the user wrote it, to the cell that it means in a column.

Cells are those of :func:`synthgan.values.read_cells`: numbers, dates as whole units since
1970, truth values. What a column cannot mean by a value is refused; whether a row can have
the cell is another question (:func:`can_hold`).
"""

from __future__ import annotations

import datetime
import decimal
import math
import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from synthgan.condition.wording import displayed, listed
from synthgan.errors import ConditionError
from synthgan.schema import Column, Kind, Level, parse_dates, to_dtype
from synthgan.schema.arrow import to_arrow
from synthgan.values import read_dates

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


def unit_of(column: Column) -> str:
    """What the dates of the column are counted in, in words."""
    names = {"D": "days", "h": "hours", "min": "minutes", "s": "seconds"}
    return names.get(column.resolution or "s", f"{column.resolution}")


def plain(value: object) -> object:
    """Scalars of numpy and decimals as Python's own, dates as Timestamps."""
    try:
        if isinstance(value, np.datetime64 | datetime.date):
            return pd.Timestamp(value)
    except (ValueError, OverflowError):
        return value
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, np.generic) and not isinstance(value, np.timedelta64):
        return value.item()
    return value


def is_missing(value: Any) -> bool:
    """Whether ``value`` means a missing cell: None, NaN, NA, NaT."""
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


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


# Dates

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
