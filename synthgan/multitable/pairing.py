"""Rows of two tables that belong together, and what a row of the child is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synthgan._typing import Ints
from synthgan.columns.cells import read_cells
from synthgan.columns.column import Column, Kind
from synthgan.encode.summary import ColumnSummary, NumberSummary
from synthgan.errors import SchemaError, SynthganError, TableError
from synthgan.schema.discover import schema_to_fit
from synthgan.schema.entities import Hints
from synthgan.schema.foreign_key import ForeignKey
from synthgan.schema.infer import infer_columns
from synthgan.schema.owners import Owners, owners_in, rounded_count
from synthgan.schema.schema import Schema
from synthgan.table.read import take_table

Table = pd.DataFrame | str | Path
"""A DataFrame, or the path of a file."""


@dataclass(frozen=True)
class Names:
    """What the columns are called that both models have beside those of the tables."""

    key: ForeignKey

    @property
    def count(self) -> str:
        """How many children a parent has."""
        return f"number of {self.key.child}"

    @property
    def place(self) -> str:
        """Of a child, from 1, among those of its parent."""
        return f"place among {self.key.child}"

    @property
    def count_column(self) -> Column:
        return Column(name=self.count, kind=Kind.INTEGER, dtype="int64")

    @property
    def place_column(self) -> Column:
        return Column(name=self.place, kind=Kind.INTEGER, dtype="int64")

    def of_parent(self, column: str) -> str:
        return f"{self.key.parent}: {column}"

    def previous(self, column: str) -> str:
        return f"previous {self.key.child}: {column}"

    def is_context(self, column: str) -> bool:
        """Whether a column of the child's model is given, and not drawn."""
        begins = (self.of_parent(""), self.previous(""))
        return column == self.place or column.startswith(begins)


def child_columns(names: Names, parent: Schema, child: Schema) -> tuple[Column, ...]:
    """The columns of the child's model: those of its parent, its place, those of the row before,
    and its own. ``parent`` has the number of children."""
    above = (column for column in parent if column.kind.is_modelled)
    own = tuple(column for column in child if column.kind.is_modelled)
    return (
        *(replace(column, name=names.of_parent(column.name)) for column in above),
        names.place_column,
        *(_as_previous(column, names) for column in own),
        *own,
    )


def _as_previous(column: Column, names: Names) -> Column:
    """The column of the row before, which the first row has not."""
    dtype = column.dtype
    if column.kind.is_modelled and dtype.startswith(("int", "uint")):
        dtype = dtype.replace("int", "Int").replace("uInt", "UInt")
    if dtype == "bool":
        dtype = "boolean"
    return replace(column, name=names.previous(column.name), nullable=True, dtype=dtype)


MOST_CHILDREN = 10_000
"""Of one parent: they are drawn one after the other."""
_MOST_CELLS = 100_000  # of the children of one parent, with what is given for each


def check_children(most: float, columns: int) -> None:
    """Raises :class:`SchemaError` for a parent of so many children that drawing them would hardly
    end. Each takes a time of its own for each of the ``columns`` of the child's model."""
    let = min(MOST_CHILDREN, _MOST_CELLS // max(columns, 1))
    if not most <= let:
        raise SchemaError(
            f"a row of the parent has {most:,.0f} children, more than {let:,}, which is the most "
            f"where the child is learned with {columns:,} columns (its own twice, and the "
            "parent's); children are drawn one after the other, so split parents of so many, by "
            "month or the like, or leave columns out"
        )


def most_children(known: ColumnSummary | None) -> float:
    """The highest number of children in what is known of the column of these numbers."""
    segments = known.segments if isinstance(known, NumberSummary) else ()
    return max((segment.values[-1] for segment in segments), default=0.0)


def drawn_columns(schema: Schema, names: Names) -> Iterator[str]:
    """Columns of the child's model that are drawn."""
    return (column.name for column in schema if not names.is_context(column.name))


def in_order(owners: Ints, child: pd.DataFrame, schema: Schema, order: str | None) -> Ints:
    """Places of the rows by parent, and in the order of dates within each."""
    dates = np.zeros(len(child)) if order is None else read_cells(child[order], schema[order])
    return np.lexsort((dates, owners))  # stable; no date comes last


def given_of_parent(
    names: Names, schema: Schema, parents: pd.DataFrame, owners: Ints, places: Any
) -> pd.DataFrame:
    """What is given of a child's parent, and its place."""
    columns = [column.name for column in schema if column.kind.is_modelled]
    frame = parents[columns].iloc[owners].reset_index(drop=True)
    frame.columns = pd.Index([names.of_parent(name) for name in columns])
    return frame.assign(**{names.place: np.asarray(places, dtype=np.int64)})


def given_before(names: Names, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows before, under other names."""
    return rows.rename(columns=names.previous).reset_index(drop=True)


def concatenated(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """One table; columns of categories, whose levels may differ, stay such."""
    whole = pd.concat(frames, ignore_index=True)
    for name, dtype in frames[0].dtypes.items():
        if isinstance(dtype, pd.CategoricalDtype) and whole[name].dtype == object:
            whole[name] = whole[name].astype("category")
    whole.attrs = dict(frames[0].attrs)
    return whole


@dataclass(frozen=True, kw_only=True)
class Known:
    """What goes for the columns of both tables where no schema says what they are."""

    least: int
    """Rows or parents that must share what may come out."""
    hints: Hints = field(default_factory=Hints)

    def schema(
        self, frame: pd.DataFrame, entity: str | None = None, owners: Owners | None = None
    ) -> Schema:
        """The columns and rules of a table of which only ``entity`` is known, and whose rows they
        are."""
        hints = self.hints.within(list(map(str, frame)))
        if entity is not None:
            hints = replace(hints, entity=entity)
        return schema_to_fit(frame, hints, least=self.least, owners=owners)


# Both tables, checked


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """Both tables, checked and in order."""

    parent: pd.DataFrame
    """With the number of children."""
    parent_schema: Schema
    child: pd.DataFrame
    """Without rows that have no parent; those of one parent together and in order."""
    child_schema: Schema
    owners: Ints
    """Of each row of the child, the place of its parent."""
    order: str | None
    notes: tuple[str, ...]
    whose: Owners
    """Hashes of those whose rows of the child they are: the parents', or of the entity that these
    are of."""

    @classmethod
    def of(
        cls,
        tables: Mapping[str, Table],
        key: ForeignKey,
        schemas: Mapping[str, Schema],
        known: Known,
    ) -> Pair:
        """Both tables. Words among numbers that no schema names must be in ``known.least`` rows of
        the parent, or in rows of so many parents, to be named."""
        names = Names(key)
        parent = _frame(tables[key.parent], key.parent, key.primary_key)
        child = _frame(tables[key.child], key.child, key.foreign_key)
        owners, notes = _owners(parent[key.primary_key], child[key.foreign_key], key, known.least)
        child, owners = child[owners >= 0].reset_index(drop=True), owners[owners >= 0]
        with naming(key.parent):
            given = schemas.get(key.parent)
            schema = _parent_schema(parent, names, given, known)
            whose = _whose(schema, parent)
        parent = parent.assign(**{names.count: np.bincount(owners, minlength=len(parent))})
        with naming(key.child):
            foreign = replace(schema[key.primary_key], name=key.foreign_key)
            given = schemas.get(key.child)
            child_schema = _child_schema(child, foreign, given, known, whose[owners])
            _refuse_helpers(child, [str(n) for n in child if names.is_context(str(n))])
            dates = (c.name for c in child_schema if c.kind is Kind.DATETIME)
            order = next(dates, None)
            place = in_order(owners, child, child_schema, order)
        return cls(
            parent=parent,
            parent_schema=schema,
            child=child.iloc[place].reset_index(drop=True),
            child_schema=child_schema,
            owners=owners[place],
            order=order,
            notes=notes,
            whose=whose[owners[place]],
        )

    @property
    def places(self) -> Ints:
        """Of each row of the child, from 1, among those of its parent."""
        counted = pd.Series(self.owners).groupby(self.owners).cumcount()
        return np.asarray(counted, dtype=np.int64) + 1

    def joined(self, names: Names, columns: list[str]) -> pd.DataFrame:
        """The child's ``columns`` after all that each row is learned in the light of."""
        own, places = self.child[columns], self.places
        before = own.reindex(np.where(places > 1, np.arange(len(own)) - 1, -1))  # -1: no row
        context = given_of_parent(names, self.parent_schema, self.parent, self.owners, places)
        return pd.concat([context, given_before(names, before), own], axis=1)


def _frame(table: Table, name: str, key: str) -> pd.DataFrame:
    with naming(name):
        frame = take_table(table, "the table")
        if key not in frame:
            raise SchemaError(f"there is no column {key!r}; it has {list(frame.columns)}")
        return frame.reset_index(drop=True)


def _owners(
    keys: pd.Series[Any], foreign: pd.Series[Any], key: ForeignKey, enough: int
) -> tuple[Ints, tuple[str, ...]]:
    """For each row of the child the place of its parent, -1 where there is none; and notes."""
    about = f"table {key.parent!r}: the key {key.primary_key!r}"
    if keys.isna().any():
        raise TableError(f"{about} is missing in {int(keys.isna().sum()):,} rows; fill them in")
    twice = int(keys.duplicated().sum())
    if twice:
        raise TableError(
            f"{about} must differ in all rows, but {twice:,} rows repeat one; is the key the "
            "other way round?"
        )
    held = foreign.notna().to_numpy()
    owners = np.full(len(foreign), -1, dtype=np.int64)
    cells = pd.Index(foreign[held].astype(object))
    owners[held] = pd.Index(keys.astype(object)).get_indexer(cells)
    if not (owners >= 0).any():
        raise TableError(
            f"no row of {key.child!r} holds in {key.foreign_key!r} a key of {key.parent!r}: are "
            "the columns the right ones, and their dtypes the same?"
        )
    counts = ((~held).sum(), "have no key"), (((owners < 0) & held).sum(), "hold a key of no row")
    # Notes are a part of the model file: they give away no exact number either.
    notes = tuple(
        f"{_about(int(rows), enough)} of about {rounded_count(len(foreign), enough):,} rows of "
        f"{key.child!r} {what} of {key.parent!r}: they were left out"
        for rows, what in counts
        if rows
    )
    return owners, notes


def _about(rows: int, enough: int) -> str:
    few = rows < max(enough, 2)
    return f"fewer than {max(enough, 2)}" if few else f"about {rounded_count(rows, enough):,}"


def _whose(schema: Schema, parent: pd.DataFrame) -> Owners:
    """Hashes of those whose rows of the parent they are."""
    one_each = pd.Series(np.arange(len(parent)))
    return owners_in(one_each if schema.entity is None else parent[schema.entity])


def _as_key(column: Column) -> Column:
    """A column of keys: generated, never missing, all different."""
    if column.references is not None or column.kind is not Kind.IDENTIFIER:
        personal = column.personal if column.kind is Kind.TEXT else None
        format = column.format if personal else None
        column = Column(
            name=column.name,
            kind=Kind.IDENTIFIER,
            dtype=column.dtype,
            personal=personal,
            format=format,
        )
    return replace(column, nullable=False, repeats=False, per=None)


def _parent_schema(
    frame: pd.DataFrame, names: Names, schema: Schema | None, known: Known
) -> Schema:
    """What the parent's columns are, and the number of children beside them."""
    key = names.key.primary_key
    _refuse_helpers(frame, [names.count])
    if schema is None:
        rest = frame.drop(columns=key)
        inferred = known.schema(rest) if len(rest.columns) else Schema(columns=())
        one = _as_key(infer_columns(frame[[key]])[key])
        others = {column.name: column for column in inferred}
        columns = tuple(others.get(str(name), one) for name in frame)
        schema = replace(inferred, columns=columns)
    else:
        schema.check(frame)
        columns = tuple(_as_key(c) if c.name == key else c for c in schema)
        schema = replace(schema, columns=columns)
    return replace(schema, columns=(*schema.columns, names.count_column))


def _child_schema(
    frame: pd.DataFrame, key: Column, schema: Schema | None, known: Known, whose: Owners
) -> Schema:
    """What the child's columns are; that of the ``key`` is the parent's, under its name, and says
    whose rows they are."""
    if schema is None:
        schema = known.schema(frame, entity=key.name, owners=whose)
    schema.check(frame)
    key = replace(key, repeats=True)
    columns = tuple(key if c.name == key.name else c for c in schema)
    return replace(schema, columns=columns)


def _refuse_helpers(frame: pd.DataFrame, names: list[str]) -> None:
    for name in names:
        if name in frame:
            raise SchemaError(
                f"a column is called {name!r}, as one that is added for the model; rename it"
            )


@contextmanager
def naming(table: str) -> Iterator[None]:
    """Errors of what is done inside say which table they are about."""
    try:
        yield
    except SynthganError as error:
        if str(error).startswith("table "):
            raise
        raise type(error)(f"table {table!r}: {error}") from None
