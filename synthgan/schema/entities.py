"""Whose rows they are: which key stands for people, and which columns it decides."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import pyarrow.compute as pc

from synthgan.columns.arrow import to_arrow
from synthgan.columns.column import Column, Kind, Personal
from synthgan.columns.dtypes import family, to_dtype
from synthgan.columns.keys.forms import are_whole_or_text, as_whole, form_of, format_of, is_text
from synthgan.columns.keys.names import DEVICE, GENERIC, OTHER, PERSON, STAFF, called
from synthgan.columns.keys.repeating import (
    FEW_REPEATS,
    FEWEST_VALUES,
    MANY_VALUES,
    Cells,
    KeyGuess,
    decided_by,
    guess_keys,
    may_be_key,
)
from synthgan.columns.personal.base import SURE, plain_name
from synthgan.columns.personal.kinds import guess_column
from synthgan.errors import SchemaError
from synthgan.schema.schema import Schema

_FEWEST_PEOPLE = 5  # letters that all codes share are kept if they are of so many
_ONE_TO_ONE = 0.95
_ROWS_OF_A_NAME = 2  # on average, for namesakes to be one person

_OF_ONE: tuple[Personal, ...] = (
    "national_id", "email", "user_name", "phone", "iban", "card", "imei", "mac", "vin", "plate",
)  # fmt: skip
"""Personal data that tells people apart, the best first."""


@dataclass(frozen=True, kw_only=True)
class Hints:
    """What the owner says of columns whose kinds are inferred.

    Attributes:
        entity: The column that says whose row it is.
        learn: Columns that are learned even if they look personal.
        identifiers: Columns that name people or things, and are not learned.
    """

    entity: str | None = None
    learn: Sequence[str] = ()
    identifiers: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name in ("learn", "identifiers"):
            given = getattr(self, name)
            if isinstance(given, str) or not all(isinstance(each, str) for each in given):
                raise SchemaError(f"{name} must be names of columns, as in {name}=['name']")
            object.__setattr__(self, name, tuple(given))
        both = {*self.learn} & {*self.identifiers, self.entity}
        if both:
            raise SchemaError(
                f"column {min(map(str, both))!r} cannot be learned and be an identifier; leave out "
                "one"
            )

    def within(self, names: Collection[str]) -> Hints:
        """What is said of these columns."""
        return Hints(
            entity=self.entity if self.entity in names else None,
            learn=tuple(name for name in self.learn if name in names),
            identifiers=tuple(name for name in self.identifiers if name in names),
        )

    def check(self, names: Collection[str]) -> None:
        """Raises :class:`SchemaError` for names that are no columns."""
        for name in (*self.learn, *self.identifiers, *([self.entity] if self.entity else [])):
            if name not in names:
                raise SchemaError(f"there is no column {name!r}; there are {_some(names)}")


def _some(names: Collection[str]) -> str:
    shown = ", ".join(map(repr, list(names)[:8]))
    return f"{shown} and {len(names) - 8} more" if len(names) > 8 else shown


def find_entities(
    frame: pd.DataFrame, columns: Sequence[Column], hints: Hints
) -> tuple[tuple[Column, ...], str | None]:
    """``columns``, keys among them not learned and what they decide marked so; and the entity."""
    guesses = guess_keys(frame, columns)
    forced = {*hints.identifiers, *([hints.entity] if hints.entity else [])}
    found = []
    for place, column in enumerate(columns):
        guess = guesses.get(column.name)
        sure = guess is not None and guess.score >= SURE and column.name not in hints.learn
        learned = column.kind is not Kind.IDENTIFIER and column.personal is None
        if column.name in forced or (sure and learned):
            column = _as_key(column, frame.iloc[:, place], guess)
        found.append(_repeating(column, frame.iloc[:, place]))
    cells = Cells(frame, found)
    entity = hints.entity or _choose(cells, found)
    if entity is not None:
        found = [_as_entity(c) if c.name == entity else c for c in found]
    found = _beside_first_names(found, hints)
    if entity is not None:
        found = [
            column if column.name in hints.learn else _judged_by_people(cells, column, entity)
            for column in found
        ]
    found = [_shared(cells, column) for column in _with_owners(cells, found, entity)]
    if entity is not None:
        found = [_within(cells, column, entity) for column in found]
    few = entity is not None and len(cells.counts(entity)) < _FEWEST_PEOPLE
    return tuple(_without_letters(c) if few else c for c in found), entity


def sampled(schema: Schema) -> Schema:
    """A schema that a sample of rows told, in which rows of one person may be one row: keys that
    are called after people and devices may repeat, and one of people is the entity."""
    columns = [_may_repeat(column) for column in schema]
    if schema.entity is not None:
        return replace(schema, columns=tuple(columns))
    of_people = (
        c.name for c in columns if c.repeats and not c.personal and called(c.name).of == PERSON
    )
    return replace(schema, columns=tuple(columns), entity=next(of_people, None))


def _may_repeat(column: Column) -> Column:
    if column.kind is not Kind.IDENTIFIER or column.references is not None:
        return column
    says = called(column.name)
    is_key = says.of in (PERSON, DEVICE, STAFF) and says.worth >= SURE
    return replace(column, repeats=column.repeats or is_key or column.personal in _OF_ONE)


def _as_key(column: Column, series: pd.Series[Any], guess: KeyGuess | None) -> Column:
    """The column as an identifier; one that its owner names, with any cells."""
    if column.kind is Kind.IDENTIFIER:
        return column
    if column.personal is not None:
        return replace(column, kind=Kind.IDENTIFIER)
    held = family(to_dtype(column.dtype, column.name))
    if held in ("boolean", "date", "duration", "decimal"):
        raise SchemaError(f"column {column.name!r} of dtype {column.dtype} cannot be an identifier")
    present = to_arrow(series, column.name).drop_null()
    format = None
    if are_whole_or_text(present):
        distinct = pc.unique(as_whole(present))
        form = form_of(distinct) if guess is None else guess.form
        format = format_of(form, distinct, column.dtype)
    return Column(
        name=column.name,
        kind=Kind.IDENTIFIER,
        dtype=column.dtype,
        nullable=column.nullable,
        format=format,
    )


def _repeating(column: Column, series: pd.Series[Any]) -> Column:
    if column.kind is not Kind.IDENTIFIER or column.references is not None:
        return column
    return replace(column, repeats=bool(series.dropna().duplicated().any()))


def _beside_first_names(columns: Sequence[Column], hints: Hints) -> list[Column]:
    """``columns`` in which what is called a name alone, beside first names, is a last name."""
    if not any(column.personal == "first_name" for column in columns):
        return list(columns)
    return [
        Column(
            name=column.name,
            kind=Kind.TEXT,
            dtype=column.dtype,
            nullable=column.nullable,
            personal="last_name",
        )
        if column.kind is Kind.CATEGORY
        and column.name not in hints.learn
        and family(to_dtype(column.dtype, column.name)) in ("text", "object", "category")
        and _A_NAME.fullmatch(plain_name(column.name))
        else column
        for column in columns
    ]


_A_NAME = re.compile(r"name|nom|nome|nombre|naam|namn|cognome|apellido|sobrenome|apelido")


def _judged_by_people(cells: Cells, column: Column, entity: str) -> Column:
    """A learned column that the entity decides, judged as in a table of one row a person."""
    judged = column.kind in (Kind.CATEGORY, Kind.INTEGER) and may_be_key(column)
    people = len(cells.counts(entity))
    if not judged or people < _FEWEST_PEOPLE or not cells.decides(entity, column.name):
        return column
    place = [each.name for each in cells.columns].index(column.name)
    present = to_arrow(cells.frame.iloc[:, place], column.name).drop_null()
    if not are_whole_or_text(present):
        return column
    distinct = pc.unique(as_whole(present))
    plain = Column(
        name=column.name, kind=Kind.CATEGORY, dtype=column.dtype, nullable=column.nullable
    )
    guess = guess_column(column.name, distinct, people=people)
    if guess is not None and guess.score >= SURE:
        repeats = guess.kind is Kind.IDENTIFIER
        return replace(
            plain, kind=guess.kind, personal=guess.personal, format=guess.format, repeats=repeats
        )
    if len(distinct) < _ONE_TO_ONE * people:
        return column
    form = form_of(distinct)
    if form.worth >= 0.4 or (is_text(distinct) and form.worth):
        format = format_of(form, distinct, column.dtype)
        return replace(plain, kind=Kind.IDENTIFIER, format=format, repeats=True)
    words = is_text(distinct) and people >= MANY_VALUES
    return replace(plain, kind=Kind.TEXT) if words else column


def _as_entity(column: Column) -> Column:
    return replace(column, kind=Kind.IDENTIFIER, repeats=True, per=None)


def _choose(cells: Cells, columns: Sequence[Column]) -> str | None:
    """The column that stands for people best, of keys that repeat and what tells people apart.

    Where each row has a person's key of its own, rows are people, unless a key puts them together
    that is one of people itself, as of households.
    """
    of_rows = any(_is_of_one_row(column) for column in columns)
    best: tuple[tuple[float, ...], str] | None = None
    for place, column in enumerate(columns):
        rank = _rank(cells, column)
        if rank is not None and (rank[0] == PERSON or not of_rows):
            rated = (*rank, -place), column.name
            best = rated if best is None or rated[0] > best[0] else best
    return None if best is None else best[1]


def _is_of_one_row(column: Column) -> bool:
    """Whether the column is a person's key of which each row has its own."""
    if column.kind is not Kind.IDENTIFIER or column.repeats or column.references is not None:
        return False
    return column.personal in _OF_ONE or called(column.name).of == PERSON


def _rank(cells: Cells, column: Column) -> tuple[float, ...] | None:
    """How well a column stands for people, the greater the better; None if it does not."""
    is_name = column.personal in ("name", "user_name") and column.kind is Kind.TEXT
    if not (column.repeats or is_name) or column.references is not None:
        return None
    counts = cells.counts(column.name)
    if len(counts) < FEWEST_VALUES or counts.sum() - len(counts) < FEW_REPEATS:
        return None
    if is_name and counts.mean() < _ROWS_OF_A_NAME:
        return None
    decided = decided_by(cells, column.name)
    of = called(column.name).of
    said = sum(c.personal is not None for c in cells.columns if c.name in decided)
    if column.personal is not None:
        if column.personal == "ipv4" or column.personal == "ipv6" or column.personal == "url":
            return None
        of = DEVICE if column.personal in _OF_ONE[:3] else STAFF if is_name else GENERIC
    elif of == OTHER and not said and len(decided) < (len(cells.varied) - 1) / 2:
        return None
    elif of == OTHER:
        of = GENERIC
    if called(column.name).of == STAFF and not decided:
        return None
    return of, said, len(decided), -len(counts)


def _with_owners(cells: Cells, columns: Sequence[Column], entity: str | None) -> list[Column]:
    """Columns that are not learned, with the key that decides them."""
    keys = [c for c in columns if c.repeats and c.kind is Kind.IDENTIFIER]
    keys.sort(key=lambda c: (c.name != entity, len(cells.counts(c.name))))
    owners: dict[str, str] = {}
    for column in columns:
        if column.kind.is_modelled or column.references or column.name == entity:
            continue
        is_key = column.repeats
        for key in keys:
            if key.name == column.name or key.name in owners or column.name in owners.values():
                continue
            if not cells.decides(key.name, column.name):
                continue
            one_to_one = len(cells.counts(column.name)) >= _ONE_TO_ONE * len(cells.counts(key.name))
            if one_to_one or not is_key or column.personal is not None:
                owners[column.name] = key.name
                break
    return [replace(c, per=owners[c.name]) if c.name in owners else c for c in columns]


def _within(cells: Cells, column: Column, entity: str) -> Column:
    """A key of which each is one entity's, though an entity may have several: orders, devices."""
    is_key = column.repeats and column.per is None and column.name != entity
    nested = is_key and cells.decides(column.name, entity)
    return replace(column, within=entity) if nested else column


def _shared(cells: Cells, column: Column) -> Column:
    """A column of names that nothing decides, as of agents in a list of calls, as a key."""
    if column.personal != "name" or column.kind is not Kind.TEXT or column.per is not None:
        return column
    counts = cells.counts(column.name)
    again = counts.sum() - len(counts) >= FEW_REPEATS
    return replace(column, kind=Kind.IDENTIFIER, repeats=True) if again else column


def _without_letters(column: Column) -> Column:
    """The column without letters that all of its codes share, as they are of few people."""
    if column.kind is not Kind.IDENTIFIER or not column.format or column.personal is not None:
        return column
    plain = re.sub(r"\\[Ff]|[A-EG-Z]", "A", re.sub(r"\\[Aa]|[b-eg-z]", "a", column.format))
    return replace(column, format=plain)
