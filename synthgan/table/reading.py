"""Reading tables: the public functions, and the formats that say what their columns are.

Parquet, Feather and Arrow files carry types, and the notes of pandas if it wrote them. What
they leave open, such as whether an integer column has holes, is told from the cells.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from synthgan.errors import TableError
from synthgan.table.csv_cells import nullable_array
from synthgan.table.csv_reading import read_csv, survey_csv
from synthgan.table.files import (
    DELIMITERS,
    check_source,
    chosen_columns,
    format_of,
    read_errors,
    require_rows,
)


def read_table(
    path: str | Path, *, columns: Sequence[str] | None = None, as_text: bool = False
) -> pd.DataFrame:
    """The table in a file, or only ``columns`` of it, in that order.

    In CSV an empty cell is missing, and so are words such as ``NA`` among numbers. Columns
    of integers become int64 (float64 where cells are missing, as pandas has it; Int64 if
    that would round them), of decimal numbers float64, of ``True`` and ``False`` bool
    (boolean where cells are missing); all others stay text. With ``as_text`` all columns of
    CSV stay text, so that no cell decides how another one is read.

    Raises :class:`TableError` for anything that is no table with at least one row.
    """
    path = Path(path)
    ending, compression = format_of(path)
    with read_errors(path):
        check_source(path)
        if ending in DELIMITERS:
            return read_csv(path, compression, DELIMITERS[ending], columns, as_text=as_text)
        return _read_arrow(path, ending, columns)


def iter_table(
    path: str | Path, *, chunk_rows: int = 65_536, columns: Sequence[str] | None = None
) -> Iterator[pd.DataFrame]:
    """The table in a file as frames of ``chunk_rows`` rows (the last may have fewer).

    Memory does not grow with the file. The file is read twice, so that every chunk has the
    dtypes that :func:`read_table` would give the whole; errors of the first reading are
    raised by the call itself.
    """
    if chunk_rows < 1:
        raise TableError(f"chunk_rows must be at least 1, got {chunk_rows}")
    path = Path(path)
    ending, compression = format_of(path)
    with read_errors(path):
        check_source(path)
        if ending in DELIMITERS:
            batches, to_frame = survey_csv(path, compression, DELIMITERS[ending], columns)
        else:
            batches, to_frame = _survey_arrow(path, ending, columns, chunk_rows)
    return _frames(path, _regrouped(batches, chunk_rows), to_frame)


def _frames(
    path: Path, tables: Iterator[Any], to_frame: Callable[[Any], pd.DataFrame]
) -> Iterator[pd.DataFrame]:
    with read_errors(path):
        for table in tables:
            yield to_frame(table)


def _regrouped(batches: Iterator[Any], rows: int) -> Iterator[Any]:
    """Tables of exactly ``rows`` rows, the last perhaps shorter, from batches of any size."""
    held: list[Any] = []
    count = 0
    for batch in batches:
        rest = batch
        while count + rest.num_rows >= rows:
            yield pa.Table.from_batches([*held, rest.slice(0, rows - count)])
            rest = rest.slice(rows - count)
            held, count = [], 0
        if rest.num_rows:
            held.append(rest)
            count += rest.num_rows
    if held:
        yield pa.Table.from_batches(held)


# --- Parquet, Feather, Arrow ------------------------------------------------------------


def _read_arrow(path: Path, ending: str, columns: Sequence[str] | None) -> pd.DataFrame:
    names = chosen_columns(path, columns, _arrow_names(path, ending))
    table = _arrow_table(path, ending, names)
    require_rows(path, table.num_rows)
    return _arrow_frame(table, _plan_arrow(table.to_batches(), table.schema))


def _survey_arrow(
    path: Path, ending: str, columns: Sequence[str] | None, chunk_rows: int
) -> tuple[Iterator[Any], Callable[[Any], pd.DataFrame]]:
    """As :func:`survey_csv`, judging only the columns whose type leaves something open."""
    names = chosen_columns(path, columns, _arrow_names(path, ending))
    schema = _arrow_schema(path, ending)
    categorical, _ = _categorical(schema)
    unsure = [n for n in names if n in categorical or _has_no_missing(schema.field(n).type)]
    plan = _plan_arrow(_arrow_batches(path, ending, unsure or names[:1], chunk_rows), schema)
    require_rows(path, plan.rows)
    return _arrow_batches(path, ending, names, chunk_rows), partial(_arrow_frame, plan=plan)


def _arrow_schema(path: Path, ending: str) -> Any:
    if ending == ".parquet":
        with pq.ParquetFile(path) as file:
            return file.schema_arrow
    with _ipc_reader(path) as reader:
        return reader.schema


def _arrow_names(path: Path, ending: str) -> list[str]:
    """Columns of the file, without the row labels that pandas may have put there."""
    names = _arrow_schema(path, ending).names
    return [name for name in names if not re.fullmatch(r"__index_level_\d+__", name)]


def _ipc_reader(path: Path) -> Any:
    source = pa.memory_map(str(path))
    try:
        return pa.ipc.open_file(source)
    except pa.ArrowInvalid:
        source.seek(0)
        return pa.ipc.open_stream(source)


def _arrow_table(path: Path, ending: str, names: list[str]) -> Any:
    if ending == ".parquet":
        with pq.ParquetFile(path) as file:
            return file.read(columns=names).select(names)
    with _ipc_reader(path) as reader:
        return _validated(reader.read_all().select(names))


def _arrow_batches(path: Path, ending: str, names: list[str], rows: int) -> Iterator[Any]:
    if ending == ".parquet":
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=rows, columns=names):
                yield batch.select(names)
        return
    with _ipc_reader(path) as reader:
        if isinstance(reader, pa.RecordBatchFileReader):
            for i in range(reader.num_record_batches):
                yield _validated(reader.get_batch(i).select(names))
        else:
            for batch in reader:
                yield _validated(batch.select(names))


def _validated(cells: Any) -> Any:
    """The batch or table, once no offset in it points elsewhere: that would be a crash."""
    cells.validate(full=True)
    return cells


@dataclass(frozen=True, kw_only=True)
class _ArrowPlan:
    """What is only known after all batches, and every chunk must agree on."""

    rows: int
    holed: frozenset[str]
    """Columns with missing cells."""
    categories: dict[str, Any]
    """Levels of the columns that are pandas categoricals, as Arrow arrays."""
    ordered: frozenset[str]
    """Those of them whose levels are in order."""


def _plan_arrow(batches: Iterable[Any], schema: Any) -> _ArrowPlan:
    categorical, ordered = _categorical(schema)
    rows = 0
    holed: set[str] = set()
    levels: dict[str, Any] = {}
    for batch in batches:
        rows += batch.num_rows
        for name, cells in zip(batch.schema.names, batch.columns, strict=True):
            if cells.null_count:
                holed.add(name)
            if name in categorical:
                found = cells.dictionary if pa.types.is_dictionary(cells.type) else cells.unique()
                known = levels.get(name, found.slice(0, 0))
                levels[name] = pa.chunked_array([known, found]).unique().drop_null()
    for name in levels:
        # Parquet keeps only levels that are text; the others lose their own order
        if not pa.types.is_dictionary(schema.field(name).type):
            levels[name] = levels[name].take(pc.array_sort_indices(levels[name]))
    return _ArrowPlan(
        rows=rows, holed=frozenset(holed), categories=levels, ordered=frozenset(ordered)
    )


def _categorical(schema: Any) -> tuple[set[str], set[str]]:
    """Names of categorical columns, and of the ordered ones among them."""
    types = {name: schema.field(name).type for name in schema.names}
    names = {name for name, kind in types.items() if pa.types.is_dictionary(kind)}
    ordered = {name for name in names if types[name].ordered}
    for entry in _pandas_columns(schema):
        name = entry["field_name"]
        if name in types and name not in names and entry["pandas_type"] == "categorical":
            names.add(name)
            if (entry["metadata"] or {}).get("ordered"):
                ordered.add(name)
    return names, ordered


def _pandas_columns(schema: Any) -> list[dict[str, Any]]:
    """What pandas noted of the columns when it wrote the file, where it makes sense."""
    metadata = schema.pandas_metadata
    entries = metadata.get("columns", ()) if isinstance(metadata, dict) else ()
    keys = {"name", "field_name", "pandas_type", "numpy_type", "metadata"}
    return [each for each in entries if isinstance(each, dict) and keys <= each.keys()]


def _arrow_frame(table: Any, plan: _ArrowPlan) -> pd.DataFrame:
    for position, name in enumerate(table.column_names):
        if name in plan.categories:
            cells = table.column(name)
            values = cells.cast(plan.categories[name].type)
            codes = pc.index_in(values, plan.categories[name]).combine_chunks()
            levels = pa.DictionaryArray.from_arrays(
                codes, plan.categories[name], ordered=name in plan.ordered
            )
            table = table.set_column(position, name, levels)
    try:
        frame: pd.DataFrame = _without_row_labels(table).to_pandas()
    except (KeyError, TypeError):  # notes that pandas does not understand: do without
        frame = table.replace_schema_metadata(None).to_pandas()
    frame.columns = pd.Index(table.column_names)
    for name in table.column_names:
        kind = table.schema.field(name).type
        bare = isinstance(frame[name].dtype, np.dtype)
        if name in plan.holed and bare and _has_no_missing(kind):
            frame[name] = nullable_array(table.column(name))
    return frame


def _has_no_missing(kind: Any) -> bool:
    """Whether numpy has no missing value for the type."""
    return bool(pa.types.is_integer(kind) or pa.types.is_boolean(kind))


def _without_row_labels(table: Any) -> Any:
    """The table with pandas metadata that makes no column an index and sets no attrs."""
    kept = [e for e in _pandas_columns(table.schema) if e["field_name"] in table.column_names]
    if not kept:
        return table.replace_schema_metadata(None)
    metadata = {"columns": kept, "index_columns": [], "column_indexes": []}
    return table.replace_schema_metadata({b"pandas": json.dumps(metadata).encode()})
