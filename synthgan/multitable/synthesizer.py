"""The fitted :class:`TablesSynthesizer`, and its file."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from synthgan._typing import Ints
from synthgan.columns.column import Kind
from synthgan.config import Config
from synthgan.encode.encoder import Encoder
from synthgan.encode.fakes import Inventor
from synthgan.encode.summary import NumberSummary
from synthgan.errors import ConfigError, SchemaError, SynthganError, TableError
from synthgan.files import check_target, mode_of
from synthgan.model import file as archive
from synthgan.model.asked import MOST_UNASKED, work_of_row
from synthgan.model.card import Card, TablesCard
from synthgan.model.notes import caveats, protections
from synthgan.model.synthesizer import Synthesizer
from synthgan.multitable.pairing import (
    Names,
    check_children,
    child_columns,
    concatenated,
    drawn_columns,
    given_before,
    given_of_parent,
    in_order,
    most_children,
)
from synthgan.network.generator import Generator
from synthgan.progress import Step
from synthgan.sample.draw import CHUNK_ROWS
from synthgan.sample.partial_rows import read_given
from synthgan.sample.sampler import Sampler
from synthgan.sample.where import Where
from synthgan.schema.foreign_key import ForeignKey
from synthgan.schema.schema import Schema
from synthgan.table.formats import check_writable
from synthgan.table.write import write_table
from synthgan.train.device import choose_device

_ROWS_A_PLACE = 4_000
"""Children that are drawn at once take the time of so many rows, however few they are."""


def load_tables(path: str | Path, *, device: str = "auto") -> TablesSynthesizer:
    """Reads the model file of two tables; rows will be drawn on ``device``.

    Raises :class:`ModelFileError` for a file that is damaged, foreign or of one table.
    """
    card, (parent, parent_net), (child, child_net) = archive.load_tables(path)
    try:
        _check(card)
    except SynthganError as error:
        raise archive.damaged(path, error) from None
    on = choose_device(device)
    return TablesSynthesizer(card, (parent, child), (parent_net.to(on), child_net.to(on)))


def tables_in(path: str | Path) -> tuple[str, ...]:
    """Names of the tables of a model file, the parent first; none where it is of one table.

    Raises :class:`ModelFileError` for a file that is no model.
    """
    return archive.tables_in(path)


def _made_by_fit() -> NoReturn:
    raise ConfigError("a TablesSynthesizer exists only fitted: use fit_tables or load_tables")


@dataclass(frozen=True, eq=False, repr=False)
class TablesSynthesizer:
    """A fitted model of a parent table and its child. Made by :func:`fit_tables` and
    :func:`load_tables`."""

    _card: TablesCard = field(default_factory=_made_by_fit)
    _encoders: tuple[Encoder, Encoder] = field(default_factory=_made_by_fit)
    _generators: tuple[Generator, Generator] = field(default_factory=_made_by_fit)

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
        counts = Names(self.key).count
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
        """What the owner should know: of rows left out, training, and what columns have lost."""
        cards = zip(self.key.tables, (self._card.parent, self._own_child), strict=True)
        return (
            *self._card.notes,
            *(f"{t}: {note}" for t, card in cards for note in (*card.notes, *caveats(card))),
        )

    @property
    def _own_child(self) -> Card:
        """What is known of the child's own columns, without those of the parent."""
        names, child = Names(self.key), self._card.child
        own = {n: x for n, x in child.summary.columns.items() if not names.is_context(n)}
        summary = replace(child.summary, columns=own)
        return replace(child, schema=self._card.child_schema, summary=summary)

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
        return (
            *(f"{self.key.parent}: {line}" for line in protections(self._card.parent)),
            *(f"{self.key.child}: {line}" for line in protections(self._own_child)),
            f"{self.key.child}: what must stand for so many rows stands for those of as many rows "
            f"of {self.key.parent}, each of which counts once however many it has",
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
        names, seed = Names(self.key), secrets.randbits(62) if seed is None else seed
        parent = Synthesizer(self._card.parent, self._encoders[0], self._generators[0])
        parents = parent.sample(n, where=where, extrapolate=extrapolate, seed=seed, locale=locale)
        counts = parents[names.count]
        # Bounds and constraints of the column may have it so.
        check_children(float(counts.max()), len(self._card.child.schema))
        rows = int(counts.sum()) + _ROWS_A_PLACE * int(counts.max())
        if n is None and rows * work_of_row(self._encoders[1]) > MOST_UNASKED:
            raise ConfigError(
                f"the model gives {len(parents):,} rows of {self.key.parent!r} about "
                f"{int(counts.sum()):,} of {self.key.child!r}, which are too many to be drawn "
                "unasked; say how many of the parent you want (n=..., or -n on the command line)"
            )
        owners, own = self._children(parents, names, seed)
        child = self._assembled(parents[self.key.primary_key], owners, own, seed, locale)
        return {self.key.parent: parents.drop(columns=names.count), self.key.child: child}

    def _children(
        self, parents: pd.DataFrame, names: Names, seed: int
    ) -> tuple[Ints, pd.DataFrame]:
        """The learned cells of all children, and the place of each one's parent."""
        counts = parents[names.count].to_numpy(dtype=np.int64)
        columns = list(drawn_columns(self._card.child.schema, names))
        last = pd.DataFrame(index=np.arange(len(parents)), columns=columns, dtype=object)
        drawn, owners, seen = [], [], set[object]()
        for place in range(1, int(counts.max(initial=0)) + 1):
            alive = np.flatnonzero(counts >= place)
            places = np.full(len(alive), place)
            given = given_of_parent(names, self._card.parent.schema, parents, alive, places)
            given = pd.concat([given, given_before(names, last.loc[alive])], axis=1)
            words = np.random.SeedSequence([seed, place]).generate_state(1, np.uint64)
            last = self._draw(given, int(words[0] >> np.uint64(2)), seen)[columns]
            last.index = pd.Index(alive)
            drawn.append(last)
            owners.append(alive)
        if not drawn:  # no row has a child: the columns come from one that is dropped
            given = given_of_parent(names, self._card.parent.schema, parents, np.zeros(1, int), [1])
            given = pd.concat([given, given_before(names, last.iloc[:1])], axis=1)
            return np.zeros(0, dtype=np.int64), self._draw(given, seed, seen)[columns].iloc[:0]
        whole = concatenated(drawn)
        owner = np.concatenate(owners)
        order = in_order(owner, whole, self._card.child_schema, self._card.order)
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
        return concatenated(chunks)

    def _assembled(
        self,
        keys: pd.Series[Any],
        owners: Ints,
        own: pd.DataFrame,
        seed: int,
        locale: str | None,
    ) -> pd.DataFrame:
        """The child's columns in their order: keys, learned cells, and generated ones."""
        schema, name = self._card.child_schema, self.key.foreign_key
        inventor = Inventor(
            schema=schema,
            unlearned=self._card.unlearned,
            seed=seed,
            locale=locale,
            owners={name: owners} if schema[name].repeats else {},
        )
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


def _check(card: TablesCard) -> None:
    """Raises :class:`SchemaError` unless the two models fit together."""
    names, key = Names(card.key), card.key
    parent, child, out = card.parent.schema, card.child.schema, card.child_schema
    if parent[key.primary_key].kind is not Kind.IDENTIFIER or names.count not in parent.names:
        raise SchemaError("the parent has no key, or no number of children")
    if out[key.foreign_key].kind is not Kind.IDENTIFIER:
        raise SchemaError("the child's key is no identifier")
    if parent[names.count] != names.count_column:
        raise SchemaError("the number of children must be a whole number")
    if child.columns != child_columns(names, parent, out):
        raise SchemaError("the columns of the two models do not fit together")
    own = [column.name for column in out if column.kind.is_modelled]
    if card.order is not None and card.order not in own:
        raise SchemaError("the order of the child's rows is that of no column")
    counts = card.parent.summary.columns.get(names.count)
    lowest = min((s.values[0] for s in getattr(counts, "segments", ())), default=0.0)
    if not isinstance(counts, NumberSummary) or lowest < 0:
        raise SchemaError("the numbers of children are out of range")
    check_children(most_children(counts), len(child))


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
                check_target(path, overwrite=overwrite)  # another process may have been faster
            for path in paths:
                mode = mode_of(path)
                if mode is not None:  # it has the permissions of the file that it replaces
                    (Path(place) / path.name).chmod(mode)
                (Path(place) / path.name).replace(path)
    except OSError as error:
        raise TableError(f"{folder} cannot be written: {error.strerror or 'error'}") from None
    return paths
