"""A cell of whichever library's type, as what it says: text, a number, a date, a duration."""

from __future__ import annotations

import datetime
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from synthgan.columns.date_format import NANOSECONDS

SECOND = NANOSECONDS["s"]
MOST_DIGITS = 400
"""Of a number before its point: beyond, it is beyond all floats."""
_EPOCH = datetime.datetime(1970, 1, 1)
_OPAQUE = (bytes, bytearray, memoryview, np.void)


@dataclass(frozen=True)
class Instant:
    """A date, or a date and a time."""

    nanoseconds: int
    """Since 1970; wall time, or UTC if it is ``zoned``."""
    zoned: bool


@dataclass(frozen=True)
class Span:
    """A duration, or a time of day."""

    nanoseconds: int


Plain = None | bool | int | float | Decimal | str | Instant | Span
"""A cell without the type that a library gave it; None: missing."""


def plain_cell(cell: object) -> Plain:
    """``cell`` as what it says, whichever type holds it; may raise anything."""
    kind = type(cell)
    if kind is str or kind is bool or kind is int:
        return cell  # type: ignore[return-value]
    if kind is float:
        return None if cell != cell else cell  # type: ignore[return-value]
    if cell is None or cell is pd.NA or cell is pd.NaT or kind is Instant or kind is Span:
        return cell if kind is Instant or kind is Span else None  # type: ignore[return-value]
    for types, convert in _CONVERSIONS:
        if issubclass(kind, types):
            return convert(cell)
    if issubclass(kind, _OPAQUE) or hasattr(kind, "__iter__"):
        return None
    with warnings.catch_warnings():
        warnings.filterwarnings("error")  # within: a warning is an error, and so a missing cell
        return str(cell)


def _of_float(cell: Any) -> float | None:
    found = float(cell)
    return None if math.isnan(found) else found


def _of_complex(cell: Any) -> float | None:
    """A real number stays one: beside one complex cell pandas makes all others complex, too."""
    return _of_float(cell.real) if cell.imag == 0 else None


def of_decimal(cell: Any) -> Decimal | None:
    """A decimal number without digits that no float has; may raise anything."""
    found = Decimal(cell)
    if found.is_nan():
        return None
    if found.is_finite() and found and abs(found.adjusted()) > MOST_DIGITS:
        return None if found.adjusted() > 0 else Decimal(0)  # as floats have it
    return found


def _of_datetime(cell: Any) -> Instant:
    zoned = cell.tzinfo is not None
    if isinstance(cell, pd.Timestamp):
        return Instant(_counted(cell.asm8), zoned)
    since = cell - (_EPOCH.replace(tzinfo=datetime.timezone.utc) if zoned else _EPOCH)
    return Instant(_of_python_span(since), zoned)


def _of_date(cell: Any) -> Instant:
    return Instant((cell.toordinal() - _EPOCH.toordinal()) * NANOSECONDS["D"], zoned=False)


def _of_timedelta(cell: Any) -> Span:
    return Span(_counted(cell.asm8) if isinstance(cell, pd.Timedelta) else _of_python_span(cell))


def _of_python_span(span: datetime.timedelta) -> int:
    return (span.days * 86_400 + span.seconds) * SECOND + span.microseconds * 1000


def _of_time(cell: Any) -> Span | None:
    if cell.tzinfo is not None:
        return None
    seconds = (cell.hour * 60 + cell.minute) * 60 + cell.second
    return Span(seconds * SECOND + cell.microsecond * 1000)


def _of_numpy_date(cell: Any) -> Instant | None:
    return None if np.isnat(cell) else Instant(_counted(cell), zoned=False)


def _of_numpy_span(cell: Any) -> Span | None:
    return None if np.isnat(cell) else Span(_counted(cell))


_FINER = {"ps": 10**3, "fs": 10**6, "as": 10**9}  # a nanosecond's parts


def _counted(cell: Any) -> int:
    """Nanoseconds that a ``datetime64`` or ``timedelta64`` counts, whatever its unit."""
    unit, step = np.datetime_data(cell.dtype)
    if unit in ("Y", "M") and cell.dtype.kind == "M":
        cell, unit, step = cell.astype("M8[D]"), "D", 1
    count = int(cell.astype(np.int64)) * step
    if unit in _FINER:
        return count // _FINER[unit]
    if unit == "W":
        return count * 7 * NANOSECONDS["D"]
    return count * NANOSECONDS["min" if unit == "m" else unit]  # type: ignore[index]


_CONVERSIONS: tuple[tuple[Any, Callable[[Any], Plain]], ...] = (
    (str, str.__str__),
    (np.bool_, bool),
    (np.timedelta64, _of_numpy_span),  # which numpy takes for integers
    ((int, np.integer), int),
    ((float, np.floating), _of_float),
    ((complex, np.complexfloating), _of_complex),
    (Decimal, of_decimal),
    (datetime.datetime, _of_datetime),
    (datetime.date, _of_date),
    (datetime.timedelta, _of_timedelta),
    (datetime.time, _of_time),
    (np.datetime64, _of_numpy_date),
)
