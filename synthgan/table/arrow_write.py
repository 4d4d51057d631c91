"""Frames to Arrow tables, and to Parquet and Feather files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from synthgan.errors import TableError
from synthgan.table.arrow_files import arrow_file
from synthgan.table.csv_write import SLICE_ROWS


def without_attrs(frame: pd.DataFrame) -> pd.DataFrame:
    frame.attrs = {}
    return frame


def write_arrow(
    frames: Iterator[pd.DataFrame], path: Path, ending: str, like: pd.DataFrame | None
) -> int:
    first = next(frames)
    dtypes = {name: first[name].dtype for name in first.columns}
    wanted = None if like is None else _arrow_columns(like, None).schema
    table = _arrow_columns(first, wanted)
    rows = len(first)
    with arrow_file(ending).writer(path, table.schema) as writer:
        writer.write_table(table, SLICE_ROWS)
        for frame in frames:
            frame = _with_levels(frame, dtypes)
            writer.write_table(_arrow_columns(frame, table.schema), SLICE_ROWS)
            rows += len(frame)
    return rows


def _with_levels(frame: pd.DataFrame, dtypes: Mapping[str, Any]) -> pd.DataFrame:
    """A later chunk with the categorical levels of the first."""
    for name, dtype in dtypes.items():
        if isinstance(dtype, pd.CategoricalDtype) and frame[name].dtype != dtype:
            known = frame[name].isin(dtype.categories) | frame[name].isna()
            if not known.all():
                raise TableError(f"column {name!r}: a later chunk has categories the first lacks")
            frame[name] = frame[name].astype(dtype)
    return frame


_CONVERSION_ERRORS = (pa.ArrowException, TypeError, ValueError, OverflowError)


def arrow_of(frame: pd.DataFrame, schema: Any = None) -> Any:
    """The frame as an Arrow table, of the Arrow ``schema`` that chunks of one table share.

    Raises :class:`TableError` if it does not fit.
    """
    frame = frame.copy(deep=False)
    frame.attrs = {}
    return _arrow_columns(frame, schema)


def _arrow_columns(frame: pd.DataFrame, schema: Any) -> Any:
    """The frame as an Arrow table; a column that does not fit its type is named."""
    try:
        table = pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
    except _CONVERSION_ERRORS:
        raise TableError(_misfit(frame, schema)) from None
    for position, kind in enumerate(table.schema):
        if pa.types.is_null(kind.type):  # nothing but missing cells yet: text may follow
            cells = table.column(position).cast(pa.string())
            table = table.set_column(position, kind.name, cells)
    return table


def _misfit(frame: pd.DataFrame, schema: Any) -> str:
    for name in frame.columns:
        kind = None if schema is None else schema.field(name).type
        try:
            pa.array(frame[name], type=kind, from_pandas=True)
        except _CONVERSION_ERRORS:
            wanted = "one type" if kind is None else f"the type {kind} of the first chunk"
            return (
                f"column {name!r} has cells that do not fit {wanted}, which Parquet and Arrow"
                " files need; make them alike, or write CSV"
            )
    return "the columns do not fit Parquet and Arrow files; write CSV"
