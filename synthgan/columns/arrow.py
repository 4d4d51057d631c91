"""Cells of any pandas dtype as Arrow, which has one way to say "missing"."""

from __future__ import annotations

import datetime
import decimal
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthgan.columns.dtypes import is_text
from synthgan.errors import SchemaError

_READABLE = (
    pa.types.is_null,
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_decimal,
    pa.types.is_date,
    pa.types.is_timestamp,
)
_OPAQUE = (bytes, bytearray, complex, np.complexfloating, np.timedelta64)
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def to_arrow(series: pd.Series[Any], name: str) -> pa.Array:
    """The cells of ``series``, of any dtype, with null where missing.

    The type is one of large_string, the integers and floats, decimals, boolean, dates and
    timestamps, or null if every cell is missing. Categoricals give the values of their
    categories, durations and times of day their seconds. Floats are never NaN. Raises
    :class:`SchemaError` naming the column for cells of other types.
    """
    try:
        array = _any_to_arrow(series, name)
    except SchemaError:
        raise
    except (pa.ArrowException, ArithmeticError, TypeError, ValueError):
        raise _unreadable(series, name) from None
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if is_text(array.type):
        return array.cast(pa.large_string())
    if pa.types.is_duration(array.type):
        units = array.cast(pa.int64()).cast(pa.float64(), safe=False)
        return pc.divide(units, pa.scalar(float(_PER_SECOND[array.type.unit])))
    if pa.types.is_float16(array.type):
        array = array.cast(pa.float32())
    if pa.types.is_floating(array.type):
        return pc.if_else(pc.is_nan(array), None, array)
    if not any(holds(array.type) for holds in _READABLE):
        raise _unreadable(series, name)
    return array


def _unreadable(series: pd.Series[Any], name: str) -> SchemaError:
    return SchemaError(
        f"column {name!r}: cells of dtype {series.dtype} cannot be read; make them numbers, text, "
        "booleans or dates, or drop the column"
    )


def _any_to_arrow(series: pd.Series[Any], name: str) -> pa.Array | pa.ChunkedArray:
    if isinstance(series.dtype, pd.CategoricalDtype):
        codes = series.cat.codes.to_numpy()
        levels = to_arrow(pd.Series(series.cat.categories), name)
        return levels.take(pa.array(codes, mask=codes < 0))
    if series.dtype == object:
        return _objects_to_arrow(series, name)
    return pa.array(series, from_pandas=True)


def _objects_to_arrow(series: pd.Series[Any], name: str) -> pa.Array:
    cells = series.to_numpy(copy=True)
    here = series.notna().to_numpy()
    cells[~here] = None
    present = cells[here].tolist()
    types = set(map(type, present))

    def all_are(*wanted: type) -> bool:
        return all(issubclass(t, wanted) for t in types)

    if all_are(str):
        return pa.array(cells, pa.large_string())
    if all_are(bool, np.bool_):
        return pa.array(cells, pa.bool_())
    if all_are(datetime.datetime):
        _refuse_time_zones(present, name)
        return pa.array(cells, pa.timestamp("us"))
    if all_are(datetime.date) and not any(issubclass(t, datetime.datetime) for t in types):
        return pa.array(cells, pa.date32())
    if all_are(datetime.timedelta):
        return pa.array(cells, pa.duration("us"))
    if all_are(datetime.time) and all(cell.tzinfo is None for cell in present):
        return pa.array(cells, pa.time64("us")).cast(pa.int64()).cast(pa.duration("us"))
    if all_are(int, float, np.integer, np.floating, decimal.Decimal) and bool not in types:
        return _object_numbers(cells, here, exact=all_are(int, np.integer, decimal.Decimal))
    if any(issubclass(t, _OPAQUE) or (hasattr(t, "__iter__") and t is not str) for t in types):
        raise TypeError("nested or binary cells")
    cells[here] = [str(cell) for cell in present]
    return pa.array(cells, pa.large_string())


def _object_numbers(
    cells: npt.NDArray[np.object_], here: npt.NDArray[np.bool_], *, exact: bool
) -> pa.Array:
    if exact:
        try:
            return pa.array(cells)  # integers or decimals
        except (pa.ArrowException, ArithmeticError, ValueError):
            pass  # beyond Arrow's types, but not beyond floats
    floats = np.full(len(cells), np.nan)
    floats[here] = [_to_float(cell) for cell in cells[here]]
    return pa.array(floats, from_pandas=True)


def _to_float(cell: Any) -> float:
    try:
        return float(cell)
    except OverflowError:
        return math.inf


def _refuse_time_zones(cells: Sequence[datetime.datetime], name: str) -> None:
    if any(cell.tzinfo is not None for cell in cells):
        raise SchemaError(
            f"column {name!r}: it holds Python datetimes with time zones; convert it first, "
            "with pd.to_datetime(column, utc=True)"
        )
