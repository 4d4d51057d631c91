"""Generated cells of columns that are never learned, from the numbers of rows and a seed alone.

Nothing here reads a row of the real table: the values do not depend on what the column held.
Words come from `Faker <https://faker.readthedocs.io>`_: a few thousand names, streets and places
of a locale, drawn once; which of them a row gets follows from its number and the seed. So a row's
first name, last name, full name, user name and e-mail address are those of one person.

Where something is set aside for examples it is used, so that no cell can belong to anybody:
e-mail and web addresses at example.org, .com and .net (RFC 2606), IP addresses for documentation
(RFC 5737, RFC 3849) or never assigned (RFC 1112), telephone numbers for films, card numbers of an
issuer and IBANs of a bank that cannot be.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import gcd
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan._typing import Bools, Ints, Objects
from synthgan.columns.column import Column, Kind
from synthgan.columns.identifier import make_up_rows, mix, write_text
from synthgan.columns.personal.kinds import MAKERS
from synthgan.columns.personal.locale import (
    DEFAULT_LOCALE,
    Task,
    find_locale,
    hashed,
    words_of_locale,
)
from synthgan.encode.summary import Unlearned
from synthgan.schema.schema import Schema

_DECK = 16  # cells at least of an identifier, in the rows of which as many share one as on average
_MOST_ROWS = 10**6  # of a cell
_OF_PEOPLE = ("email", "user_name", "national_id", "phone", "iban", "card")  # tell people apart


@dataclass(frozen=True, kw_only=True)
class Inventor:
    """Makes up the columns of a schema that are not modelled, for any rows.

    Raises :class:`SchemaError` for a locale that Faker does not know.
    """

    schema: Schema
    unlearned: Mapping[str, Unlearned]
    seed: int
    locale: str | None = None
    """Instead of the schema's."""
    full: bool = False
    """Whether no cell is to be missing."""
    owners: Mapping[str, Ints] = field(default_factory=dict)
    """By identifier that repeats: the number, from 0, of the cell that each of the rows asked for
    has already; -1 where it has none. Columns that the identifier decides agree with it."""

    def cells(self, column: Column, start: int, count: int) -> pd.Series[Any]:
        """Cells of ``column`` for rows ``start`` to ``start + count - 1``."""
        rows = np.arange(start, start + count, dtype=np.int64)
        if column.references is not None:
            targets = self._targets(column, rows)
            missing = self._missing(column, rows)
            if column.nullable and not self.full:
                missing |= targets == rows  # the first row has none before it
            cells = self._made(self.schema[column.references], targets, column.dtype)
            return _emptied(cells.rename(column.name), missing, column)
        numbers = self._numbers(column, rows)
        missing = self._missing(column, rows if column.per is None else numbers)
        if column.personal is None:
            made = make_up_rows(column, numbers, self._key_of(column))
            return _emptied(made, missing, column)
        return write_text(self._texts(column, numbers), missing, column)

    def _made(self, column: Column, rows: Ints, dtype: str) -> pd.Series[Any]:
        """Cells of an identifier for any rows, as another dtype."""
        numbers = self._values(column, rows) if column.repeats else rows
        column, key = replace(column, dtype=dtype), self._key_of(column)
        if column.personal is None:
            return make_up_rows(column, numbers, key)
        return write_text(self._texts(column, numbers), np.zeros(len(rows), dtype=bool), column)

    def _texts(self, column: Column, people: Ints) -> Objects:
        assert column.personal is not None, "called for personal columns only"
        if not len(people):
            return np.empty(0, dtype=object)
        words = words_of_locale(find_locale(self.locale or self.schema.locale or DEFAULT_LOCALE))
        return MAKERS[column.personal](Task(column, people, words, self._key_of(column)))

    def _key_of(self, column: Column) -> int:
        """What scrambles a column: the same for all columns of one person, and another for those
        of other people in the same rows."""
        key = column.per or (column.name if column.repeats else None)
        if self.schema.entity == key:
            return self._key
        return int(mix(np.array([self._key + zlib.crc32(f"of {key}".encode())]))[0])

    def _numbers(self, column: Column, rows: Ints) -> Ints:
        """What each row's cell is generated from: rows of one number have the same cell."""
        if column.per is not None or column.repeats:
            return self._values(self.schema[column.per or column.name], rows)
        if column.kind is Kind.IDENTIFIER or column.personal is None:
            return rows
        return self._people(int(rows[0]), len(rows)) if len(rows) else rows

    def _values(self, key: Column, rows: Ints) -> Ints:
        """The number of each row's cell of an identifier that repeats: as many rows share one as
        those of the table did.

        Rows are dealt out deck by deck. A deck has the same cells, of other numbers, and gives
        each its rows in another order: place p of R is p times a number near the golden ratio of
        R and without a common factor, so that rows of one cell lie apart.
        """
        owner = key if key.within is None else self.schema[key.within]
        ends = self._deck(owner)
        in_deck = int(ends[-1])
        golden = int(0.618 * in_deck) + 1
        step = next(n for n in range(golden, golden + in_deck) if gcd(n, in_deck) == 1)
        deck, place = np.divmod(rows, in_deck)
        place = (place * step + self._hash(deck, f"deck of {owner.name}")) % in_deck
        if owner is not key:  # the rows of each owner in the deck are shared out among its own
            ends = _within(ends, float(np.mean(self._deck_sizes(key))))
        numbers = deck * len(ends) + np.searchsorted(ends, place, side="right")
        owners = self.owners.get(key.name)
        if owners is None or len(owners) != len(rows):
            return numbers
        return np.where(owners >= 0, 2 * owners, 2 * numbers + 1)

    def _deck_sizes(self, key: Column) -> npt.NDArray[np.float64]:
        known = self.unlearned.get(key.name, Unlearned()).sizes or (1.0,)
        return np.repeat(np.minimum(known, _MOST_ROWS), -(-_DECK // len(known)))

    def _deck(self, key: Column) -> Ints:
        """Of each cell in a deck, the place after its last row, were rows in order."""
        return np.floor(np.cumsum(self._deck_sizes(key)) + 0.5).astype(np.int64)

    @cached_property
    def _key(self) -> int:
        return int(mix(np.array([self.seed % 2**62]))[0])

    def _hash(self, numbers: Ints, purpose: str) -> Ints:
        return hashed(numbers, self._key, purpose)

    def _missing(self, column: Column, rows: Ints) -> Bools:
        known = self.unlearned.get(column.name, Unlearned())
        share = known.missing if column.nullable and not self.full else 0.0
        return np.asarray(self._hash(rows, f"missing {column.name}") < share * 2**31)

    def _targets(self, column: Column, rows: Ints) -> Ints:
        """For each row the number of one before it, so that references form no cycle.

        Those referred to are evenly spread, as many as the table had to so many rows.
        """
        each = self.unlearned.get(column.name, Unlearned()).rows_per_value
        choices = np.maximum(np.ceil(rows / each), 1).astype(np.int64)
        chosen = self._hash(rows, f"reference {column.name}") % choices
        return np.minimum((chosen * each).astype(np.int64), np.maximum(rows - 1, 0))

    def _people(self, start: int, count: int) -> Ints:
        """The number of each row's person: several rows share one if those of the table did."""
        rows = np.arange(start, start + count, dtype=np.int64)
        each = self._rows_per_person
        first = int(start / each)
        people = max(int((start + count) / each) - first, 1)
        return rows if each == 1 else first + self._hash(rows, "person") % people

    @cached_property
    def _rows_per_person(self) -> float:
        telling = [column for column in self.schema if column.personal in _OF_PEOPLE]
        if not telling or any(column.kind is Kind.IDENTIFIER for column in telling):
            return 1.0
        known = (self.unlearned.get(column.name, Unlearned()) for column in telling)
        return min(each.rows_per_value for each in known)


def _within(ends: Ints, rows_each: float) -> Ints:
    """Stretches of about ``rows_each`` rows within those that end at ``ends``."""
    begins = np.r_[0, ends[:-1]]
    parts = np.maximum(np.floor((ends - begins) / rows_each + 0.5), 1).astype(np.int64)
    owner = np.repeat(np.arange(len(ends)), parts)
    turn = np.arange(len(owner)) - np.repeat(np.cumsum(parts) - parts, parts) + 1
    rows = (ends - begins)[owner]
    return np.asarray(begins[owner] + rows * turn // parts[owner], dtype=np.int64)


def _emptied(cells: pd.Series[Any], missing: Bools, column: Column) -> pd.Series[Any]:
    if not missing.any():
        return cells
    emptied = cells.mask(missing)
    return emptied.astype(cells.dtype) if str(emptied.dtype) != column.dtype else emptied
