"""Keys that repeat: columns of many values of few rows each that name people, devices or events.

A table of visits, orders or log-ins has several rows a person, so the person's number comes again
and again, as categories do. Four witnesses tell the two apart, each from 0 to 1, and together
count as independent ones, ``score = 1 - (1 - a) (1 - b) ...``: what the column is called; how its
cells look (a code of one pattern, a hash, whole numbers far apart); how many values of few rows
each it has; and which other columns it decides, as a patient's number decides the patient's name.
From :data:`SURE` on the column is not learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthgan._typing import Ints
from synthgan.columns.arrow import to_arrow
from synthgan.columns.column import Column, Kind
from synthgan.columns.keys.forms import Form, are_whole_or_text, as_whole, form_of, is_text
from synthgan.columns.keys.names import EVENT, PERSON, Called, called
from synthgan.columns.personal.base import SURE

FEWEST_VALUES = 3
"""Of a key."""
MANY_VALUES = 20
FEW_REPEATS = 10
"""Rows that come again, at least, to see what a key decides."""
_FEWEST_CELLS = 20  # a table of fewer rows shows no key
_FEW_ROWS = 50  # of the middle value, where a column has few rows a value
_AGREEING = 0.9  # of the rows that come again, beyond those that would by chance
_ALONE = 0.65  # what looks are worth where neither name nor other columns agree
_FEW_EVENTS = 30  # of a person, that ``visit_no`` may count
_CALLED_KEY = 0.4  # what a name such as "x_id" is worth
_CALLED_CODE = 0.25  # one such as "x_code" is worth less
_ONE_FORM = 0.4  # and codes of one pattern
_FAR_APART = 0.35  # and whole numbers far apart
_OF_MANY = 0.3  # what many values of few rows each are worth


# What is decided by what


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of all columns as codes, -1 where missing."""

    frame: pd.DataFrame
    columns: Sequence[Column]
    _known: dict[str, Ints] = field(default_factory=dict)

    def codes(self, name: str) -> Ints:
        """Codes of the cells (rows)."""
        if name not in self._known:
            place = [column.name for column in self.columns].index(name)
            series = self.frame.iloc[:, place]
            try:
                codes = pd.factorize(series)[0]
            except TypeError:  # cells of mixed types
                codes = pd.factorize(series.astype(str).where(series.notna()))[0]
            self._known[name] = np.asarray(codes, dtype=np.int64)
        return self._known[name]

    def counts(self, name: str) -> Ints:
        """Rows of each value."""
        codes = self.codes(name)
        return np.bincount(codes[codes >= 0])

    def decides(self, key: str, other: str) -> bool:
        """Whether rows with the same ``key`` have the same ``other``, but for few of them, and by
        no chance."""
        keys, values = self.codes(key), self.codes(other)
        keys, values = keys[keys >= 0], values[keys >= 0]
        if not len(keys):
            return False
        _, first, owner = np.unique(keys, return_index=True, return_inverse=True)
        again = np.ones(len(keys), dtype=bool)
        again[first] = False
        if again.sum() < FEW_REPEATS:
            return False
        same = float((values[first][owner] == values)[again].mean())
        shares = np.bincount(values + 1) / len(values)
        by_chance = float((shares**2).sum())
        return by_chance < 1 and (same - by_chance) / (1 - by_chance) >= _AGREEING

    @cached_property
    def varied(self) -> list[str]:
        """Columns of more than one value."""
        codes = {column.name: self.codes(column.name) for column in self.columns}
        return [name for name, each in codes.items() if each.min() != each.max()]


# What is a key


@dataclass(frozen=True, kw_only=True)
class KeyGuess:
    """What speaks for the cells of a column naming whose rows they are."""

    score: float
    """From 0 to 1."""
    why: str
    """A few words."""
    form: Form
    of: int


def guess_keys(frame: pd.DataFrame, columns: Sequence[Column]) -> dict[str, KeyGuess]:
    """Columns of ``frame`` that may be keys that repeat, by name."""
    if len(frame) < _FEWEST_CELLS:
        return {}
    cells = Cells(frame, columns)
    found = {}
    for place, column in enumerate(columns):
        if may_be_key(column):
            guess = _guess(cells, column, to_arrow(frame.iloc[:, place], column.name).drop_null())
            if guess is not None and guess.score > 0:
                found[column.name] = guess
    return found


def may_be_key(column: Column) -> bool:
    of_kind = column.kind in (Kind.CATEGORY, Kind.INTEGER, Kind.TEXT, Kind.IDENTIFIER)
    plain = column.words is None and not column.ordered and column.categories is None
    spelled = column.kind is Kind.INTEGER and (column.format or "%d")[-1:] not in "df"
    return of_kind and plain and not spelled and column.references is None


def _guess(cells: Cells, column: Column, present: pa.Array) -> KeyGuess | None:
    counts = cells.counts(column.name)
    says = called(column.name)
    if (
        not are_whole_or_text(present)
        or min(len(counts) - FEWEST_VALUES, len(present) - _FEWEST_CELLS) < 0
    ):
        return None
    form = form_of(pc.unique(as_whole(present)))
    text = is_text(present) and column.kind is not Kind.INTEGER
    common = np.median(counts) > _FEW_ROWS and says.worth < SURE
    if (says.is_thing or common) and not form.is_token:
        return None
    few = _worth_of_counts(counts)
    decided = decided_by(cells, column.name) if says.worth or form.worth else []
    worth = _worth_of_name(says, form, counts, present, decides=len(decided) > 0)
    recurs = not text and _recur(form, counts, present)
    if not recurs and not _is_worth_a_look(worth, form, few, (decided, cells.varied), text=text):
        return None
    if not text and worth < _CALLED_KEY:
        worth = 0.0
    if not text and form.dense and worth < SURE:
        form = Form(dense=True)
    score = 1 - (1 - worth) * (1 - form.worth) * (1 - few) * (1 - _worth_of_decided(cells, decided))
    if not worth and not decided and not form.is_token:
        score = min(score, _ALONE)
    return KeyGuess(
        score=round(score, 2), why=_reason(counts, worth, form, decided), form=form, of=says.of
    )


def _worth_of_counts(counts: Ints) -> float:
    middle = float(np.median(counts))
    if middle > _FEW_ROWS or len(counts) < MANY_VALUES:
        return 0.15 if middle <= _FEW_ROWS else 0.0
    if middle > _FEW_ROWS / 2 and len(counts) < counts.sum() / 100:
        return 0.15  # as many rows as a category has
    return 0.5 if middle <= _FEW_ROWS / 5 and len(counts) >= counts.sum() / 20 else 0.3


def _worth_of_name(
    says: Called, form: Form, counts: Ints, present: pa.Array, *, decides: bool
) -> float:
    """What the name is worth for such cells: ``visit_no`` may count, and ``visits`` does. A bare
    ``patient`` of whole numbers in a row is a key if it ``decides`` anything."""
    few = len(counts) < counts.sum() / 20 or (says.of == EVENT and len(counts) <= _FEW_EVENTS)
    if says.counts and form.dense and (few or _are_counted(present)):
        return 0.0
    least = _FAR_APART if says.is_singular else _ONE_FORM
    if says.is_bare and not is_text(present) and form.worth < least:
        if says.is_singular and says.of == PERSON and decides and form.dense:
            return _CALLED_KEY
        return 0.0
    return says.worth


_ROUND = 0.3  # of numbers that mean something end in a zero, or more: of keys a tenth


def _recur(form: Form, counts: Ints, present: pa.Array) -> bool:
    """Whether whole numbers far apart come again and again to the last digit, as keys do whatever
    they are called, and neither amounts, which are often round, nor days."""
    if form.worth < _ONE_FORM or len(counts) < MANY_VALUES or np.median(counts) < 2:
        return False
    values = np.unique(as_whole(present).to_numpy(zero_copy_only=False).astype(np.int64))
    year, month, day = values // 10_000, values // 100 % 100, values % 100
    is_day = (year >= 1900) & (year <= 2100) & (month >= 1) & (month <= 12) & (day >= 1)
    return bool((values % 10 == 0).mean() < _ROUND and not (is_day & (day <= 31)).all())


def _are_counted(present: pa.Array) -> bool:
    """Whether whole numbers count from 0 or 1 again and again, so that small ones are frequent."""
    if is_text(present):
        return False
    values = as_whole(present).to_numpy(zero_copy_only=False)
    counts = np.bincount(values[values >= 0])
    return bool(values.min() in (0, 1) and counts[:3].max() > 3 * max(np.median(counts), 1))


def _is_worth_a_look(
    worth: float, form: Form, few: float, decided: tuple[list[str], list[str]], *, text: bool
) -> bool:
    """Whether a name of some ``worth`` and a form go together; ``decided`` are the columns that the
    column decides, and all that vary."""
    if form.is_token or worth >= SURE:
        return True
    much = len(decided[0]) >= max(2, len(decided[1]) / 3)
    if not text and worth < _CALLED_KEY:  # numbers that are not called a key mean something
        return much and form.worth >= _FAR_APART
    if worth < _CALLED_CODE and few < _OF_MANY:
        return False
    if not text and form.dense and not decided[0]:
        return few >= _OF_MANY
    wanted = _ONE_FORM if worth and not much else _OF_MANY
    if text and worth < _CALLED_KEY and form.worth < wanted:
        return False
    return bool(worth or (form.worth and few >= _OF_MANY))


def decided_by(cells: Cells, key: str) -> list[str]:
    return [name for name in cells.varied if name != key and cells.decides(key, name)]


def _worth_of_decided(cells: Cells, decided: Sequence[str]) -> float:
    said = {c.name for c in cells.columns if c.personal is not None}
    if said & set(decided):
        return 0.5
    enough = len(decided) >= 2 and len(decided) >= 0.2 * len(cells.varied)
    return 0.35 if enough else 0.15 if decided else 0.0


def _reason(counts: Ints, worth: float, form: Form, decided: Sequence[str]) -> str:
    reasons = [f"{len(counts):,} values of {np.median(counts):,.0f} rows each"]
    if form.worth:
        reasons.append(form.words)
    if worth >= 0.3:
        reasons.append("called so")
    if decided:
        reasons.append(
            "decides 1 column" if len(decided) == 1 else f"decides {len(decided)} columns"
        )
    return ", ".join(reasons)
