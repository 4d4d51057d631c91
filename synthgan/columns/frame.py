"""Whether what a caller gave is a table at all; an error must not show what else it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthgan._typing import Bools, Ints, Objects
from synthgan.columns.column import Column
from synthgan.columns.dtypes import Dtype, to_dtype
from synthgan.errors import SchemaError, TableError


def check_frame(table: object, what: str, *, or_path: bool = False) -> None:
    """Raise :class:`TableError`, which quotes no cell, unless ``table`` is a DataFrame.

    ``what`` it is called; ``or_path``: whether a path would be taken as well.
    """
    if isinstance(table, pd.DataFrame):
        return
    wanted = "a DataFrame or the path of a file" if or_path else "a DataFrame"
    raise TableError(f"{what} must be {wanted}, got {type(table).__name__}{_how_to(table)}")


def _how_to(table: object) -> str:
    """How to make a DataFrame of it, if that is known."""
    if isinstance(table, pd.Series):
        return "; df[['age']] is a table of one column"
    if isinstance(table, np.ndarray | dict | list):
        return "; pandas.DataFrame(...) makes a table of it"
    return "; its to_pandas() gives one" if hasattr(table, "to_pandas") else ""


def mismatch(column: Column, wanted: str, found: str) -> SchemaError:
    return SchemaError(
        f"column {column.name!r}: {wanted} are wanted, but {found}; change the cells, or the "
        "column's kind in the schema"
    )


def unit_of_type(dtype: Dtype) -> str:
    if isinstance(dtype, pd.ArrowDtype) and pa.types.is_date32(dtype.pyarrow_dtype):
        return "D"
    if isinstance(dtype, np.dtype):
        return np.datetime_data(dtype)[0]
    return str(getattr(getattr(dtype, "pyarrow_dtype", dtype), "unit", "ms"))


def read_distinct(cells: pa.Array, read: Any) -> Objects:
    """``read`` of each distinct cell, None where missing."""
    encoded = cells.dictionary_encode()
    lookup = np.empty(len(encoded.dictionary) + 1, dtype=object)
    for i, cell in enumerate(encoded.dictionary.to_pylist()):
        lookup[i] = read(cell)
    found: Objects = lookup[places(encoded)]
    return found


def places(encoded: pa.DictionaryArray) -> Ints:
    """For each cell its place in the dictionary, or one past its end where missing."""
    filled = pc.fill_null(encoded.indices.cast(pa.int64()), len(encoded.dictionary))
    places: Ints = filled.to_numpy(zero_copy_only=False)
    return places


def store(cells: npt.NDArray[Any], missing: Bools, column: Column, dtype: Dtype) -> pd.Series[Any]:
    """Numbers or booleans, of the dtype's own numpy type, as a column."""
    check_missing(missing, column, dtype)
    if isinstance(dtype, pd.ArrowDtype):
        return from_arrow(pa.array(cells, mask=missing).cast(dtype.pyarrow_dtype), column)
    series = pd.Series(cells, name=column.name).astype(dtype)
    return series.mask(missing) if missing.any() else series


def spread(present: Objects, missing: Bools, column: Column) -> pd.Series[Any]:
    """Python objects for the cells that are not missing, as a column."""
    dtype = to_dtype(column.dtype, column.name)
    check_missing(missing, column, dtype)
    cells = np.full(len(missing), None, dtype=object)
    cells[~missing] = present
    if not isinstance(dtype, pd.ArrowDtype):
        return pd.Series(cells, dtype=dtype, name=column.name)
    arrow = dtype.pyarrow_dtype
    if not pa.types.is_dictionary(arrow):
        return from_arrow(pa.array(cells, arrow), column)
    encoded = pa.array(cells, arrow.value_type).dictionary_encode()
    return from_arrow(encoded.cast(arrow), column)


def check_missing(missing: Bools, column: Column, dtype: Dtype) -> None:
    if isinstance(dtype, np.dtype) and dtype.kind in "iub" and missing.any():
        raise SchemaError(
            f"column {column.name!r}: dtype {column.dtype} cannot hold missing cells; make it "
            "nullable, for example Int64 or boolean"
        )


def numpy_type(dtype: Dtype) -> np.dtype[Any]:
    if isinstance(dtype, np.dtype):
        return dtype
    found: np.dtype[Any] = dtype.numpy_dtype  # type: ignore[attr-defined]
    return found


def from_arrow(cells: pa.Array, column: Column) -> pd.Series[Any]:
    return pd.Series(pd.arrays.ArrowExtensionArray(cells), name=column.name)
