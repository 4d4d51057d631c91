"""Dtypes by name, and what each can hold, of numpy, pandas and Arrow alike."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from synthgan.errors import SchemaError

Dtype = np.dtype[Any] | pd.api.extensions.ExtensionDtype

Family = Literal[
    "text", "integer", "float", "decimal", "boolean", "date", "duration", "category", "object"
]
"""What a dtype can hold."""


_LONGEST = 200  # characters


def to_dtype(dtype: str, column: str) -> Dtype:
    """The pandas dtype that ``str`` gave as ``dtype``; :class:`SchemaError` names ``column``."""
    found = _find_dtype(dtype) if len(dtype) <= _LONGEST else None
    if found is None:
        dtype = dtype if len(dtype) <= _LONGEST else f"{dtype[:_LONGEST]}..."
        raise SchemaError(
            f"column {column!r}: dtype {dtype!r} is not supported; use numbers, text, booleans, "
            "categories, or dates with a named time zone or none"
        )
    return found


@lru_cache(maxsize=1024)
def _find_dtype(dtype: str) -> Dtype | None:
    try:
        if dtype == "str":
            found: Dtype = pd.StringDtype(na_value=np.nan)  # older pandas reads it as numpy's
        elif dtype.endswith("[pyarrow]"):  # pandas reads string[pyarrow] as its own string
            found = pd.ArrowDtype(_arrow_type(dtype.removesuffix("[pyarrow]")))
        elif re.fullmatch(r"[<>=|]?a[0-9]*", dtype):  # bytes, of which NumPy warns
            return None
        else:
            found = pd.api.types.pandas_dtype(dtype)
    except (TypeError, ValueError, KeyError, NotImplementedError, pa.ArrowException):
        return None
    return found if _family(found) else None


def _arrow_type(name: str) -> pa.DataType:
    if found := re.fullmatch(r"timestamp\[(s|ms|us|ns), tz=(.+)\]", name):
        return pa.timestamp(found[1], found[2])
    if found := re.fullmatch(r"decimal(32|64|128|256)\((\d+), (\d+)\)", name):
        make = getattr(pa, f"decimal{found[1]}")
        return make(int(found[2]), int(found[3]))
    if found := re.fullmatch(r"dictionary<values=(.+), indices=(u?int\d+), ordered=([01])>", name):
        index = pa.type_for_alias(found[2])
        return pa.dictionary(index, _arrow_type(found[1]), found[3] == "1")
    return pa.type_for_alias(name)


def family(dtype: Dtype) -> Family:
    """What ``dtype``, which :func:`to_dtype` knows, can hold."""
    found = _family(dtype)
    assert found is not None
    return found


_FAMILY_OF_KIND: dict[str, Family] = {
    "b": "boolean", "i": "integer", "u": "integer", "f": "float", "M": "date", "m": "duration",
    "O": "object",
}  # fmt: skip


def _family(dtype: Dtype) -> Family | None:
    if isinstance(dtype, pd.ArrowDtype):
        return _arrow_family(dtype.pyarrow_dtype)
    if isinstance(dtype, pd.CategoricalDtype):
        return "category"
    if isinstance(dtype, pd.StringDtype):
        return "text"
    if isinstance(dtype, pd.DatetimeTZDtype):
        return "date"
    if isinstance(dtype, np.dtype) or hasattr(dtype, "numpy_dtype"):
        return _FAMILY_OF_KIND.get(dtype.kind)
    return None


_ARROW_FAMILIES: tuple[tuple[Family, Callable[[pa.DataType], bool]], ...] = (
    ("boolean", pa.types.is_boolean),
    ("integer", pa.types.is_integer),
    ("float", pa.types.is_floating),
    ("decimal", pa.types.is_decimal),
    ("category", pa.types.is_dictionary),
    ("date", pa.types.is_timestamp),
    ("date", pa.types.is_date),
    ("duration", pa.types.is_duration),
)


def _arrow_family(type: pa.DataType) -> Family | None:
    if is_text(type) or pa.types.is_null(type):
        return "text"
    return next((name for name, holds in _ARROW_FAMILIES if holds(type)), None)


def is_text(type: pa.DataType) -> bool:
    """Whether an Arrow type is text, of any layout."""
    return bool(
        pa.types.is_string(type) or pa.types.is_large_string(type) or type == pa.string_view()
    )


def has_time_zone(dtype: Dtype) -> bool:
    """Whether dates of ``dtype`` are instants rather than wall time."""
    arrow = dtype.pyarrow_dtype if isinstance(dtype, pd.ArrowDtype) else None
    return isinstance(dtype, pd.DatetimeTZDtype) or getattr(arrow, "tz", None) is not None
