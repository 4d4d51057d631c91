"""Two tables of which one's rows belong to the other's: customers and their orders.

The *parent* is learned as any table, with one more column: how many rows of the child belong to
each row. The *child* is learned given all of that, row by row: each in the light of its parent's
row, its place among the rows of that parent, and the row before it. Rows of one parent come in
the order of the child's first column of dates, or else as the table has them.

To draw, parents come first, their number of children with them; then the first child of each,
then the second of those that have one, and so on. Keys are made up anew: those of parents all
differ, and each child holds one of them.

What the child's model knows of the parent's columns is what the parent's model may know of them,
so a parent with many children is no less protected than one with few. And a value of the child
counts once for each parent, so that one parent's habits are not told, however often they recur.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from synthgan import archive
from synthgan.condition import Where
from synthgan.config import Config, SummaryConfig
from synthgan.constraints import infer_schema, takes_patterns
from synthgan.encode import Encoder
from synthgan.errors import ConfigError, ModelFileError, SchemaError, SynthganError, TableError
from synthgan.given import read_given
from synthgan.making_up import Inventor
from synthgan.network import Generator
from synthgan.protections import protections
from synthgan.sample import CHUNK_ROWS, Sampler
from synthgan.schema import Column, Constraint, ForeignKey, Inequality, Kind, Schema
from synthgan.summary import (
    ColumnSummary,
    Combinations,
    NumberSummary,
    Summary,
    summarize,
)
from synthgan.synthesizer import Synthesizer
from synthgan.table import check_target, check_writable, read_table, write_table
from synthgan.train import Step, Trained, choose_device, train
from synthgan.values import read_cells

Ints = npt.NDArray[np.int64]

Table = pd.DataFrame | str | Path
"""A DataFrame, or the path of a file."""

_FEWEST_ORDERED = 100  # rows in which dates of two tables must be in order, to be no chance


def fit_tables(
    tables: Mapping[str, Table],
    key: ForeignKey | str,
    *,
    schemas: Mapping[str, Schema] | None = None,
    config: Config | None = None,
    on_step: Callable[[str, Step], None] | None = None,
) -> TablesSynthesizer:
    """Learns a parent table and its child table.

    ``tables`` are two by name, each a DataFrame or the path of a file; ``key`` says how they
    belong together, such as ``"customers.id=orders.customer_id"``. ``schemas`` say what the
    columns of a table are; what they leave out is inferred. ``on_step`` is called every few
    training steps with the name of the table and a :class:`Step`. ``config`` is for each of the
    two fits; they share ``max_minutes``. A KeyboardInterrupt while the child is learned keeps the
    best state until then.

    Rows of the child without a parent, as their key is missing or no parent has it, are left
    out; the notes say how many.

    Raises :class:`TableError` for keys of the parent that are missing or not unique, or a table
    that cannot be learned, :class:`SchemaError` for a key that names no columns of the tables,
    and :class:`ConfigError` for a private fit.
    """
    config = config or Config()
    if config.privacy is not None:
        raise ConfigError(
            "two tables cannot be fitted with differential privacy: what one parent's rows "
            "change in both has not been worked out; fit each table on its own with epsilon, the "
            "child with its key as the unit"
        )
    key = _read_key(key, tables)
    schemas = dict(schemas or {})
    for name in schemas:
        if name not in key.tables:
            raise SchemaError(f"there is a schema for {name!r}, but no table of that name")
    minutes = config.train.max_minutes
    halved = replace(config.train, max_minutes=None if minutes is None else minutes / 2)
    config = replace(config, train=halved)
    choose_device(config.train.device)
    pair = _Pair.of(tables, key, schemas)
    names = _Names(key)
    with _naming(key.parent):
        summary = summarize(pair.parent, pair.parent_schema, config.summary)
        parent, trained = _learn(
            pair.parent, pair.parent_schema, summary, config, _of_table(on_step, key.parent)
        )
    if trained.interrupted:
        raise KeyboardInterrupt  # without a child there is nothing to keep
    with _naming(key.child):
        schema, summary, whole = _child_summary(pair, names, summary, config.summary)
        joined = pair.joined(names, list(_own(schema, names)))
        child, trained_child = _learn(
            joined, schema, summary, config, _of_table(on_step, key.child), names
        )
    known = [c for c in pair.child_schema.constraints if c in schema.constraints]
    card = archive.TablesCard(
        format=archive.FORMAT,
        key=key,
        parent=parent,
        child=child,
        child_schema=replace(pair.child_schema, constraints=tuple(known)),
        unlearned=whole.unlearned,
        order=pair.order,
        notes=pair.notes,
    )
    encoders = (Encoder(parent.schema, parent.summary), Encoder(child.schema, child.summary))
    return TablesSynthesizer(card, encoders, (trained.generator, trained_child.generator))


def load_tables(path: str | Path, *, device: str = "auto") -> TablesSynthesizer:
    """Reads the model file of two tables; rows will be drawn on ``device``.

    Raises :class:`ModelFileError` for a file that is damaged, foreign or of one table.
    """
    card, (parent, parent_net), (child, child_net) = archive.load_tables(path)
    try:
        _check(card)
    except SynthganError as error:
        raise ModelFileError(f"{path}: the description inside is damaged: {error}") from None
    on = choose_device(device)
    return TablesSynthesizer(card, (parent, child), (parent_net.to(on), child_net.to(on)))


def tables_in(path: str | Path) -> tuple[str, ...]:
    """Names of the tables of a model file, the parent first; none where it is of one table.

    Raises :class:`ModelFileError` for a file that is no model.
    """
    return archive.tables_in(path)


@dataclass(frozen=True, eq=False, repr=False)
class TablesSynthesizer:
    """A fitted model of a parent table and its child. Made by :func:`fit_tables` and
    :func:`load_tables`."""

    _card: archive.TablesCard
    _encoders: tuple[Encoder, Encoder]
    _generators: tuple[Generator, Generator]

    def __repr__(self) -> str:
        of = " and ".join(f"about {rows:,} {name}" for name, rows in self.rows.items())
        return f"TablesSynthesizer({self.key}, learned from {of})"

    @property
    def key(self) -> ForeignKey:
        """How the tables belong together."""
        return self._card.key

    @property
    def schemas(self) -> dict[str, Schema]:
        """The columns of each table, as they come out."""
        counts = _Names(self.key).count
        columns = tuple(c for c in self._card.parent.schema if c.name != counts)
        parent = replace(self._card.parent.schema, columns=columns)
        return dict(zip(self.key.tables, (parent, self._card.child_schema), strict=True))

    @property
    def rows(self) -> dict[str, int]:
        """Number of rows learned from, rounded to two digits, by table."""
        cards = (self._card.parent, self._card.child)
        return {t: c.summary.rows for t, c in zip(self.key.tables, cards, strict=True)}

    @property
    def config(self) -> Config:
        """The settings of both fits; each had half of ``max_minutes``."""
        return self._card.parent.config

    @property
    def history(self) -> dict[str, tuple[Step, ...]]:
        """Losses in training, by table."""
        cards = (self._card.parent, self._card.child)
        return {t: c.history for t, c in zip(self.key.tables, cards, strict=True)}

    @property
    def notes(self) -> tuple[str, ...]:
        """What the owner should know of rows that were left out, and of training."""
        cards = zip(self.key.tables, (self._card.parent, self._card.child), strict=True)
        return (*self._card.notes, *(f"{t}: {note}" for t, c in cards for note in c.notes))

    @property
    def parameters(self) -> int:
        """Number of weights of both generators."""
        return sum(w.numel() for each in self._generators for w in each.parameters())

    @property
    def versions(self) -> Mapping[str, str]:
        """Versions of the packages that made the model."""
        return {"synthgan": self._card.parent.version, "torch": self._card.parent.torch_version}

    @property
    def protections(self) -> tuple[str, ...]:
        """What is protected in each column of both tables, in words, a line a fact."""
        names, child = _Names(self.key), self._card.child
        own = {n: x for n, x in child.summary.columns.items() if not names.is_context(n)}
        out = replace(
            child, schema=self._card.child_schema, summary=replace(child.summary, columns=own)
        )
        return (
            *(f"{self.key.parent}: {line}" for line in protections(self._card.parent)),
            *(f"{self.key.child}: {line}" for line in protections(out)),
            f"{self.key.child}: rows that say the same count once for each row of "
            f"{self.key.parent} that they belong to",
        )

    def sample(
        self,
        n: int | None = None,
        *,
        where: Where | None = None,
        extrapolate: bool = False,
        seed: int | None = None,
        locale: str | None = None,
    ) -> dict[str, pd.DataFrame]:
        """``n`` synthetic rows of the parent, and those of the child that belong to them; without
        ``n`` about as many as were learned.

        Each table has the columns, order and dtypes of the learned one; all in memory. Rows of
        the child stand in the order of their parents. ``where`` asks for parents, and the other
        arguments are those of :meth:`Synthesizer.sample`. Every key of the child is one of the
        parent, whose keys differ.

        Raises :class:`ConditionError` for a condition that cannot be met.
        """
        names, seed = _Names(self.key), secrets.randbits(62) if seed is None else seed
        parent = Synthesizer(self._card.parent, self._encoders[0], self._generators[0])
        parents = parent.sample(n, where=where, extrapolate=extrapolate, seed=seed, locale=locale)
        owners, own = self._children(parents, names, seed)
        child = self._assembled(parents[self.key.primary_key], owners, own, seed, locale)
        return {self.key.parent: parents.drop(columns=names.count), self.key.child: child}

    def _children(
        self, parents: pd.DataFrame, names: _Names, seed: int
    ) -> tuple[Ints, pd.DataFrame]:
        """The learned cells of all children, and the place of each one's parent."""
        counts = parents[names.count].to_numpy(dtype=np.int64)
        columns = list(_own(self._card.child.schema, names))
        last = pd.DataFrame(index=np.arange(len(parents)), columns=columns, dtype=object)
        drawn, owners, seen = [], [], set[object]()
        for place in range(1, int(counts.max(initial=0)) + 1):
            alive = np.flatnonzero(counts >= place)
            places = np.full(len(alive), place)
            given = _context(names, self._card.parent.schema, parents, alive, places)
            given = pd.concat([given, _previous(names, last.loc[alive])], axis=1)
            words = np.random.SeedSequence([seed, place]).generate_state(1, np.uint64)
            last = self._draw(given, int(words[0] >> np.uint64(2)), seen)[columns]
            last.index = pd.Index(alive)
            drawn.append(last)
            owners.append(alive)
        if not drawn:  # nobody has a child: the columns come from one that is forgotten
            given = _context(names, self._card.parent.schema, parents, np.zeros(1, int), [1])
            given = pd.concat([given, _previous(names, last.iloc[:1])], axis=1)
            return np.zeros(0, dtype=np.int64), self._draw(given, seed, seen)[columns].iloc[:0]
        whole = _concatenated(drawn)
        owner = np.concatenate(owners)
        order = _in_order(owner, whole, self._card.child_schema, self._card.order)
        return owner[order], whole.iloc[order].reset_index(drop=True)

    def _draw(self, given: pd.DataFrame, seed: int, seen: set[object]) -> pd.DataFrame:
        """One child for each row of ``given``; ``seen`` are what must be unique, until now."""
        encoder, chunks = self._encoders[1], []
        rng = np.random.default_rng([seed, 0])
        known = read_given(given, encoder, rng, foreign="hide", holes=())
        known = replace(known, frame=known.frame[[]])  # they are not wanted back
        sampler = Sampler(encoder, self._generators[1], given=known, extrapolate=True)
        for number, start in enumerate(range(0, len(given), CHUNK_ROWS)):
            rows = min(CHUNK_ROWS, len(given) - start)
            chunks.append(sampler.chunk(number, rows, seed, seen))
        return _concatenated(chunks)

    def _assembled(
        self,
        keys: pd.Series[Any],
        owners: Ints,
        own: pd.DataFrame,
        seed: int,
        locale: str | None,
    ) -> pd.DataFrame:
        """The child's columns in their order: keys, learned cells, and those made up."""
        schema, name = self._card.child_schema, self.key.foreign_key
        inventor = Inventor(schema=schema, unlearned=self._card.unlearned, seed=seed, locale=locale)
        columns = {
            column.name: keys.iloc[owners].reset_index(drop=True)
            if column.name == name
            else own[column.name]
            if column.name in own
            else inventor.cells(column, 0, len(owners)).reset_index(drop=True)
            for column in schema
        }
        frame = pd.DataFrame(columns)
        frame.attrs = dict(own.attrs)
        return frame

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Writes the model file, atomically. Raises :class:`TableError` if it cannot."""
        archive.save_tables(path, self._card, self._generators, overwrite=overwrite)


def write_tables(
    tables: Mapping[str, pd.DataFrame],
    folder: str | Path,
    *,
    ending: str = ".csv",
    overwrite: bool = False,
) -> list[Path]:
    """Writes each table to a file of its name in ``folder``, which is made if need be.

    All are written before the first takes its place, so that a failure leaves what was there.
    Gives the paths. Raises :class:`TableError` if a file cannot be written, or is there and not
    to be replaced.
    """
    folder = Path(folder)
    paths = [folder / f"{name}{ending}" for name in tables]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TableError(f"{folder} cannot be made: {error.strerror or 'error'}") from None
    for path in paths:
        check_writable(path, overwrite=overwrite)
    try:
        with tempfile.TemporaryDirectory(prefix=".synthgan-", dir=folder) as place:
            for table, path in zip(tables.values(), paths, strict=True):
                write_table(table, Path(place) / path.name)
            for path in paths:
                check_target(path, overwrite=overwrite)  # somebody else may have been faster
            for path in paths:
                (Path(place) / path.name).replace(path)
    except OSError as error:
        raise TableError(f"{folder} cannot be written: {error.strerror or 'error'}") from None
    return paths


# Names, and schemas


@dataclass(frozen=True)
class _Names:
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

    def of_parent(self, column: str) -> str:
        return f"{self.key.parent}: {column}"

    def previous(self, column: str) -> str:
        return f"previous {self.key.child}: {column}"

    def is_context(self, column: str) -> bool:
        """Whether a column of the child's model is given, and not drawn."""
        begins = (self.of_parent(""), self.previous(""))
        return column == self.place or column.startswith(begins)


def _own(schema: Schema, names: _Names) -> Iterator[str]:
    """Columns of the child's model that are drawn."""
    return (column.name for column in schema if not names.is_context(column.name))


def _read_key(key: ForeignKey | str, tables: Mapping[str, Table]) -> ForeignKey:
    if len(tables) != 2:
        raise SchemaError(f"two tables are needed, a parent and its child, got {len(tables)}")
    found = ForeignKey.parse(key, tables) if isinstance(key, str) else key
    for name in found.tables:
        if name not in tables:
            raise SchemaError(
                f"the key {found} is of a table {name!r}, but the tables are {list(tables)}"
            )
    return found


def _as_key(column: Column) -> Column:
    """A column of keys: made anew, never missing, all different."""
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
    return replace(column, nullable=False)


def _parent_schema(frame: pd.DataFrame, key: str, count: str, schema: Schema | None) -> Schema:
    """What the parent's columns are, and the number of children beside them."""
    _refuse_helpers(frame, [count])
    if schema is None:
        schema = infer_schema(frame.drop(columns=key)) if len(frame.columns) > 1 else None
        one = _as_key(infer_schema(frame[[key]], constraints=False)[key])
        others = {} if schema is None else {column.name: column for column in schema}
        columns = tuple(others.get(str(name), one) for name in frame)
        schema = Schema(columns=columns, constraints=schema.constraints if schema else ())
    else:
        schema.check(frame)
        columns = tuple(_as_key(c) if c.name == key else c for c in schema)
        schema = replace(schema, columns=columns)
    number = Column(name=count, kind=Kind.INTEGER, dtype="int64")
    return replace(schema, columns=(*schema.columns, number))


def _child_schema(frame: pd.DataFrame, key: Column, schema: Schema | None) -> Schema:
    """What the child's columns are; that of the ``key`` is the parent's, under its name."""
    if schema is None:
        rest = frame.drop(columns=key.name)
        inferred = infer_schema(rest) if len(rest.columns) else Schema(columns=())
        known = {column.name: column for column in inferred}
        columns = tuple(known.get(str(name), key) for name in frame)
        return Schema(columns=columns, constraints=inferred.constraints)
    schema.check(frame)
    return replace(schema, columns=tuple(key if c.name == key.name else c for c in schema))


def _refuse_helpers(frame: pd.DataFrame, names: list[str]) -> None:
    for name in names:
        if name in frame:
            raise SchemaError(
                f"a column is called {name!r}, as one that is added for the model; rename it"
            )


# Rows that belong together


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pair:
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

    @classmethod
    def of(
        cls, tables: Mapping[str, Table], key: ForeignKey, schemas: Mapping[str, Schema]
    ) -> _Pair:
        names = _Names(key)
        parent = _frame(tables[key.parent], key.parent, key.primary_key)
        child = _frame(tables[key.child], key.child, key.foreign_key)
        owners, notes = _owners(parent[key.primary_key], child[key.foreign_key], key)
        child, owners = child[owners >= 0].reset_index(drop=True), owners[owners >= 0]
        with _naming(key.parent):
            schema = _parent_schema(parent, key.primary_key, names.count, schemas.get(key.parent))
        parent = parent.assign(**{names.count: np.bincount(owners, minlength=len(parent))})
        with _naming(key.child):
            foreign = replace(schema[key.primary_key], name=key.foreign_key)
            child_schema = _child_schema(child, foreign, schemas.get(key.child))
            _refuse_helpers(child, [str(n) for n in child if names.is_context(str(n))])
            dates = (c.name for c in child_schema if c.kind is Kind.DATETIME)
            order = next(dates, None)
            place = _in_order(owners, child, child_schema, order)
        return cls(
            parent=parent,
            parent_schema=schema,
            child=child.iloc[place].reset_index(drop=True),
            child_schema=child_schema,
            owners=owners[place],
            order=order,
            notes=notes,
        )

    @property
    def places(self) -> Ints:
        """Of each row of the child, from 1, among those of its parent."""
        counted = pd.Series(self.owners).groupby(self.owners).cumcount()
        return np.asarray(counted, dtype=np.int64) + 1

    def joined(self, names: _Names, columns: list[str]) -> pd.DataFrame:
        """The child's ``columns`` after all that each row is learned in the light of."""
        own, places = self.child[columns], self.places
        before = own.reindex(np.where(places > 1, np.arange(len(own)) - 1, -1))  # -1: no row
        context = _context(names, self.parent_schema, self.parent, self.owners, places)
        return pd.concat([context, _previous(names, before), own], axis=1)


def _frame(table: Table, name: str, key: str) -> pd.DataFrame:
    with _naming(name):
        frame = table if isinstance(table, pd.DataFrame) else read_table(table)
        if key not in frame:
            raise SchemaError(f"there is no column {key!r}; it has {list(frame.columns)}")
        return frame.reset_index(drop=True)


def _owners(
    keys: pd.Series[Any], foreign: pd.Series[Any], key: ForeignKey
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
    notes = tuple(
        f"{int(rows):,} of {len(foreign):,} rows of {key.child!r} {what} of {key.parent!r}: they "
        "were left out"
        for rows, what in counts
        if rows
    )
    return owners, notes


def _in_order(owners: Ints, child: pd.DataFrame, schema: Schema, order: str | None) -> Ints:
    """Places of the rows by parent, and in the order of dates within each."""
    dates = np.zeros(len(child)) if order is None else read_cells(child[order], schema[order])
    return np.lexsort((dates, owners))  # stable; no date comes last


def _context(
    names: _Names, schema: Schema, parents: pd.DataFrame, owners: Ints, places: Any
) -> pd.DataFrame:
    """What is given of a child's parent, and its place."""
    columns = [column.name for column in schema if column.kind.is_modelled]
    frame = parents[columns].iloc[owners].reset_index(drop=True)
    frame.columns = pd.Index([names.of_parent(name) for name in columns])
    return frame.assign(**{names.place: np.asarray(places, dtype=np.int64)})


def _previous(names: _Names, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows before, under other names."""
    return rows.rename(columns=names.previous).reset_index(drop=True)


def _concatenated(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """One table; columns of categories, whose levels may differ, stay such."""
    whole = pd.concat(frames, ignore_index=True)
    for name, dtype in frames[0].dtypes.items():
        if isinstance(dtype, pd.CategoricalDtype) and whole[name].dtype == object:
            whole[name] = whole[name].astype("category")
    whole.attrs = dict(frames[0].attrs)
    return whole


# Learning


def _child_summary(
    pair: _Pair, names: _Names, parent: Summary, config: SummaryConfig
) -> tuple[Schema, Summary, Summary]:
    """Schema and summary of the child's model; and the summary of the child as a table."""
    child, key = pair.child_schema, names.key.foreign_key
    rest = replace(child, columns=tuple(c for c in child if c.name != key))
    own = tuple(column for column in rest if column.kind.is_modelled)
    whole = summarize(pair.child, rest, config)
    shared = {c.name: _once(pair, [c], (), config).columns[c.name] for c in own}
    kept: dict[Constraint, tuple[Combinations, ...]] = {}
    for each in child.constraints:
        found: tuple[Combinations, ...] = ()
        if takes_patterns(each):
            found = _once(pair, [child[n] for n in each.columns], (each,), config).combinations
        if all(combinations.rows for combinations in found):
            kept[each] = found
    first = float((pair.places == 1).mean())
    place = Column(name=names.place, kind=Kind.INTEGER, dtype="int64")
    places = pd.DataFrame({names.place: pair.places})
    columns: dict[str, ColumnSummary] = {
        names.of_parent(name): each for name, each in parent.columns.items()
    }
    columns |= summarize(places, Schema(columns=(place,)), config).columns
    columns |= {names.previous(name): _with_holes(each, first) for name, each in shared.items()}
    above = [c for c in pair.parent_schema if c.kind.is_modelled]
    schema = Schema(
        columns=(
            *(replace(c, name=names.of_parent(c.name)) for c in above),
            place,
            *(_as_previous(c, names) for c in own),
            *own,
        ),
        constraints=(*kept, *_date_orders(pair, names, above, own)),
        locale=child.locale,
    )
    combinations = tuple(each for found in kept.values() for each in found)
    summary = replace(whole, columns=columns | shared, combinations=combinations, unlearned={})
    return schema, summary, whole


def _once(
    pair: _Pair, columns: list[Column], constraints: tuple[Constraint, ...], config: SummaryConfig
) -> Summary:
    """The summary of ``columns`` in which rows of one parent that say the same are one."""
    rows = pair.child[[column.name for column in columns]]
    differ = ~pd.concat([pd.Series(pair.owners, name=0), rows], axis=1).duplicated()
    return summarize(rows[differ], Schema(columns=tuple(columns), constraints=constraints), config)


def _with_holes(known: ColumnSummary, share: float) -> ColumnSummary:
    """What is known of a column of which a ``share`` of rows has no cell."""
    weights = [(1 - share) * weight for weight in known.weights]
    weights[-1] += share
    return replace(known, weights=tuple(weights))


def _as_previous(column: Column, names: _Names) -> Column:
    """The column of the row before, which the first row has not."""
    dtype = column.dtype
    if column.kind.is_modelled and dtype.startswith(("int", "uint")):
        dtype = dtype.replace("int", "Int").replace("uInt", "UInt")
    if dtype == "bool":
        dtype = "boolean"
    return replace(column, name=names.previous(column.name), nullable=True, dtype=dtype)


def _date_orders(
    pair: _Pair, names: _Names, above: list[Column], own: tuple[Column, ...]
) -> Iterator[Inequality]:
    """Dates of the parent that no date of its children comes before: joined <= ordered."""
    for one in above if len(pair.child) >= _FEWEST_ORDERED else ():
        for other in own:
            both = {one.kind, other.kind} == {Kind.DATETIME}
            if not both or one.resolution != other.resolution:
                continue
            first = read_cells(pair.parent[one.name], one)[pair.owners]
            then = read_cells(pair.child[other.name], other)
            if not (first > then).any() and (first <= then).sum() >= _FEWEST_ORDERED:
                yield Inequality(columns=(names.of_parent(one.name), other.name))


def _learn(
    frame: pd.DataFrame,
    schema: Schema,
    summary: Summary,
    config: Config,
    on_step: Callable[[Step], None] | None,
    names: _Names | None = None,
) -> tuple[archive.Card, Trained]:
    """A model of ``frame``; with ``names``, that of a child, given its context."""
    encoder = Encoder(schema, summary)
    Sampler.check(encoder)
    given = [n for n in encoder.layout.columns if names is not None and names.is_context(n)]
    if names is not None and len(given) == len(encoder.layout.columns):
        config = replace(config, train=replace(config.train, steps=1, adversarial=False))
    tokens = encoder.encode(frame, np.random.default_rng(config.seed))
    trained = train(tokens, encoder.layout, config, on_step=on_step, context=len(given))
    card = archive.Card(
        format=archive.FORMAT,
        version=version("synthgan"),
        torch_version=torch.__version__,
        schema=schema,
        summary=summary,
        config=config,
        history=trained.history,
        notes=trained.notes,
    )
    return card, trained


def _check(card: archive.TablesCard) -> None:
    """Raises :class:`SchemaError` unless the two models fit together."""
    names, key = _Names(card.key), card.key
    parent, child, out = card.parent.schema, card.child.schema, card.child_schema
    if parent[key.primary_key].kind is not Kind.IDENTIFIER or names.count not in parent.names:
        raise SchemaError("the parent has no key, or no number of children")
    if out[key.foreign_key].kind is not Kind.IDENTIFIER:
        raise SchemaError("the child's key is no identifier")
    if parent[names.count].kind is not Kind.INTEGER:
        raise SchemaError("the number of children must be a whole number")
    own = [column.name for column in out if column.kind.is_modelled]
    above = [column.name for column in parent if column.kind.is_modelled]
    context = [*map(names.of_parent, above), names.place, *map(names.previous, own)]
    if list(child.names) != [*context, *own]:
        raise SchemaError("the columns of the two models do not fit together")
    if card.order is not None and card.order not in own:
        raise SchemaError("the order of the child's rows is that of no column")
    counts = card.parent.summary.columns.get(names.count)
    highest = max((s.values[-1] for s in getattr(counts, "segments", ())), default=0.0)
    lowest = min((s.values[0] for s in getattr(counts, "segments", ())), default=0.0)
    if not isinstance(counts, NumberSummary) or not 0 <= lowest <= highest < 2**31:
        raise SchemaError("the numbers of children are out of range")


def _of_table(
    on_step: Callable[[str, Step], None] | None, table: str
) -> Callable[[Step], None] | None:
    return None if on_step is None else lambda step: on_step(table, step)


@contextmanager
def _naming(table: str) -> Iterator[None]:
    """Errors of what is done inside say which table they are about."""
    try:
        yield
    except SynthganError as error:
        if str(error).startswith("table "):
            raise
        raise type(error)(f"table {table!r}: {error}") from None
