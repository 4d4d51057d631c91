"""Reading the formats that say what their columns are: Parquet, Feather, Arrow.

These files carry types, and the notes of pandas if it wrote them. What they leave open, such as
whether an integer column has holes, is told from the cells.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthgan.errors import TableError
from synthgan.table.arrow_files import batches_of, schema_of, table_of
from synthgan.table.csv_types import nullable_array
from synthgan.table.formats import check_same_columns, chosen_columns, require_rows
from synthgan.table.part_files import Source


class ArrowTable:
    """The table in one such file or several, whose columns have the same types."""

    def __init__(self, sources: Sequence[Source], columns: Sequence[str] | None) -> None:
        self._sources = sources
        first = schema_of(sources[0])
        self.names = chosen_columns(sources[0], columns, _names_of(first))
        types = {name: first.field(name).type for name in self.names}
        for source in sources[1:]:
            other = schema_of(source)
            check_same_columns(source, _names_of(other), sources[0], _names_of(first))
            for name in self.names:
                found = other.field(name).type
                types[name] = _common_type(types[name], found, source, name, sources[0])
        self._schema = first
        self._types = types
        for name, kind in types.items():
            place = self._schema.get_field_index(name)
            self._schema = self._schema.set(place, self._schema.field(place).with_type(kind))
        self._plan = _ArrowPlan()

    def cells(self) -> Any:
        """All of it as an Arrow table, with the types and the notes that its files have; pandas's
        notes of row labels, which count the rows, are left out."""
        table = self._whole_table(_sound)
        notes = dict(table.schema.metadata or {})
        notes.pop(b"pandas", None)
        kept = _without_row_labels(table).schema.metadata or {}
        return table.replace_schema_metadata(notes | kept)

    def read(self) -> pd.DataFrame:
        """All of it at once."""
        table = self._whole_table()
        require_rows(self._whole, table.num_rows)
        self._plan = _plan_arrow(table.to_batches(), self._schema)
        return self.frame(table)

    def read_as_typed(self) -> pd.DataFrame:
        """All of it, each column of the Arrow type that the files name: no cell, not even a missing
        one, changes what another one is held as. There may be no rows."""
        columns = self._whole_table(_sound).columns
        arrays = [pd.arrays.ArrowExtensionArray(cells) for cells in columns]
        return pd.DataFrame(dict(zip(self.names, arrays, strict=True)), copy=False)

    def survey(self, batch_rows: int) -> int:
        """Judges the columns whose type leaves something open; gives the number of rows."""
        categorical, _ = _categorical(self._schema)
        unsure = [n for n, kind in self._types.items() if n in categorical or _has_no_missing(kind)]
        self._plan = _plan_arrow(self._batches(unsure or self.names[:1], batch_rows), self._schema)
        require_rows(self._whole, self._plan.rows)
        return self._plan.rows

    def batches(self, rows: int) -> Iterator[Any]:
        """Record batches of at most about ``rows`` rows."""
        return self._batches(self.names, rows)

    def frame(self, table: Any) -> pd.DataFrame:
        """Rows of the table as a frame, with the dtypes that all of it asks for."""
        return _arrow_frame(table, self._plan)

    def _whole_table(self, check: Callable[[Any], Any] | None = None) -> Any:
        tables = [self._alike(table_of(source, self.names, check)) for source in self._sources]
        return tables[0] if len(tables) == 1 else pa.concat_tables(tables)

    def _batches(self, names: list[str], rows: int) -> Iterator[Any]:
        for source in self._sources:
            for batch in batches_of(source, names, rows):
                yield self._alike(batch)

    def _alike(self, cells: Any) -> Any:
        """The batch or table of one part with the types that all parts have."""
        if len(self._sources) == 1:
            return cells
        columns = [
            cells.column(name) if cells.schema.field(name).type == self._types[name]
            else cells.column(name).cast(self._types[name])
            for name in cells.schema.names
        ]  # fmt: skip
        fields = [self._schema.field(name) for name in cells.schema.names]
        schema = pa.schema(fields, metadata=self._schema.metadata)
        return type(cells).from_arrays(columns, schema=schema)

    @property
    def _whole(self) -> str:
        return str(self._sources[0]) + (" and the other parts" if len(self._sources) > 1 else "")


def _common_type(one: Any, other: Any, source: Source, name: str, first: Source) -> Any:
    """The type of a column in all parts; one without any cell has none of its own."""
    plain = [k.value_type if pa.types.is_dictionary(k) else k for k in (one, other)]
    if one == other and not pa.types.is_dictionary(one):
        return one
    if pa.types.is_null(plain[1]) or _are_alike(*plain):
        return plain[0]
    if pa.types.is_null(plain[0]):
        return plain[1]
    raise TableError(
        f"{source}: column {name!r} is {plain[1]}, but {plain[0]} in {first}; all parts need the "
        "same types"
    )


def _are_alike(one: Any, other: Any) -> bool:
    text = (pa.types.is_string, pa.types.is_large_string)
    return one == other or all(any(holds(each) for holds in text) for each in (one, other))


def _names_of(schema: Any) -> list[str]:
    """Columns of a file, without the row labels that pandas may have put there."""
    return [name for name in schema.names if not re.fullmatch(r"__index_level_\d+__", name)]


def _sound(table: Any) -> Any:
    """The table, once no offset in it points elsewhere. What a cell says is the affair of its row:
    a text that is no UTF-8, a date or a number that its type does not allow."""
    for column in table.columns:
        for cells in column.chunks:
            _check_places(cells)
    return table


def _check_places(cells: Any) -> None:
    """Raises :class:`pyarrow.ArrowInvalid` for an offset that points elsewhere."""
    kind = cells.type
    if pa.types.is_dictionary(kind):
        nothing = pa.nulls(len(cells.dictionary))
        pa.DictionaryArray.from_arrays(cells.indices, nothing)
        _check_places(cells.dictionary)
    elif kind in _BYTES_OF:
        cells.view(_BYTES_OF[kind]).validate(full=True)
    elif any(holds(kind) for holds in _OF_ONE_WIDTH):
        cells.validate()
    elif pa.types.is_struct(kind):
        cells.validate()
        for place in range(kind.num_fields):
            _check_places(cells.field(place))
    elif isinstance(cells, pa.ListArray | pa.LargeListArray | pa.MapArray):
        nothing = pa.nulls(len(cells.values))
        of = pa.LargeListArray if pa.types.is_large_list(kind) else pa.ListArray
        of.from_arrays(cells.offsets, nothing).validate(full=True)
        _check_places(cells.values)
    elif isinstance(cells, pa.ExtensionArray):
        _check_places(cells.storage)
    else:
        cells.validate(full=True)


_BYTES_OF = {
    pa.string(): pa.binary(),
    pa.large_string(): pa.large_binary(),
    pa.string_view(): pa.binary_view(),
    pa.binary(): pa.binary(),
    pa.large_binary(): pa.large_binary(),
}
_OF_ONE_WIDTH = (
    pa.types.is_null,
    pa.types.is_primitive,
    pa.types.is_decimal,
    pa.types.is_fixed_size_binary,
)


@dataclass(frozen=True, kw_only=True)
class _ArrowPlan:
    """What is only known after all batches, and every chunk must agree on."""

    rows: int = 0
    holed: frozenset[str] = frozenset()
    """Columns with missing cells."""
    categories: dict[str, Any] = field(default_factory=dict)
    """Levels of the columns that are pandas categoricals, as Arrow arrays."""
    ordered: frozenset[str] = frozenset()
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


def frame_of(table: Any) -> pd.DataFrame:
    """A whole Arrow table as a frame: integers stay integers, also beside missing cells."""
    return _arrow_frame(table, _plan_arrow(table.to_batches(), table.schema))


_NOT_HELD = (pa.ArrowException, ValueError, ArithmeticError)


def frame_of_held(table: Any) -> pd.DataFrame:
    """As :func:`frame_of`; cells that Python cannot hold, such as dates beyond its calendar, are
    missing."""
    try:
        return frame_of(table)
    except _NOT_HELD:
        columns = [
            pc.if_else(pa.array([_is_held(cell) for cell in column], pa.bool_()), column, None)
            for column in table.columns
        ]
        return frame_of(pa.Table.from_arrays(columns, schema=table.schema))


def _is_held(cell: Any) -> bool:
    try:
        pa.array([cell.as_py()], cell.type).to_pandas()
    except _NOT_HELD:
        return False
    return True


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
    except (KeyError, TypeError, ArithmeticError):  # notes that pandas does not understand
        frame = _without_notes(table)
    frame.columns = pd.Index(table.column_names)
    for name in table.column_names:
        kind = table.schema.field(name).type
        bare = isinstance(frame[name].dtype, np.dtype)
        if name in plan.holed and bare and _has_no_missing(kind):
            frame[name] = nullable_array(table.column(name))
    return frame


def _without_notes(table: Any) -> pd.DataFrame:
    try:
        frame: pd.DataFrame = table.replace_schema_metadata(None).to_pandas()
    except (KeyError, ArithmeticError):  # no such time zone; decimals beyond their digits
        raise pa.ArrowInvalid("cells that Python cannot hold") from None
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
