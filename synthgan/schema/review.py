"""What the owner is shown of columns, to agree or to say otherwise: why they are not learned, how
many values they have, and what they would lose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthgan._typing import Ints
from synthgan.columns.arrow import to_arrow
from synthgan.columns.column import Column, Kind, Personal
from synthgan.columns.keys.repeating import KeyGuess, guess_keys
from synthgan.columns.personal.base import SURE, WORTH_A_WORD, Guess
from synthgan.columns.personal.kinds import guess_column
from synthgan.errors import DoubtError
from synthgan.schema.entities import Hints
from synthgan.schema.schema import Schema

LARGE_SHARE = 0.1
"""Share of rows with values that are not named from which that is a loss, not a protection."""

WHAT_TO_DO = (
    "split cells of several numbers into columns, put rare values into groups, or make the column "
    "kind text in the schema"
)
"""About values that too few rows share."""

_NEARLY_UNIQUE = 0.95


@dataclass(frozen=True, kw_only=True)
class PersonalColumn:
    """What speaks for not learning a column. Holds no cell of it."""

    column: str
    personal: Personal | None
    """What the cells seem to say of people, if anything."""
    score: float
    """How sure that is, from 0 to 1."""
    why: str
    """A few words."""
    learned: bool
    """Whether the schema has the column learned all the same."""


@dataclass(frozen=True, kw_only=True)
class ValueCount:
    """How many values a column has. Holds no cell of it."""

    column: str
    distinct: int
    """Different cells, missing ones aside."""
    rare: int
    """Of a learned category: values of too few rows to come out."""
    rare_share: float
    """Share of all rows that have them."""
    advice: str
    """What to do where that is more than a tenth of the rows; else empty."""


def count_values(frame: pd.DataFrame, schema: Schema, *, least: int = 5) -> tuple[ValueCount, ...]:
    """Counts of the values of each column, in the schema's order; values of fewer than ``least``
    rows, or entities where the schema names one, are rare. Raises :class:`SchemaError` for a table
    that does not follow the schema."""
    schema.check(frame)
    owners = owners_of(frame, schema)
    return tuple(_count(frame, column, least, owners) for column in schema)


def owners_of(frame: pd.DataFrame, schema: Schema) -> Ints:
    """Of each row of ``frame`` the number of its entity; rows without one are their own."""
    rows = np.arange(len(frame), dtype=np.int64)
    if schema.entity is None:
        return rows
    codes = np.asarray(pd.factorize(frame[schema.entity])[0], dtype=np.int64)
    return np.where(codes >= 0, codes, rows + len(frame))


def _count(frame: pd.DataFrame, column: Column, least: int, owners: Ints) -> ValueCount:
    counts, people = _rows_and_people(frame, column, owners)
    rare = counts[people < least] if column.kind is Kind.CATEGORY else counts[:0]
    share = float(rare.sum() / max(len(frame), 1))
    return ValueCount(
        column=column.name,
        distinct=len(counts),
        rare=len(rare),
        rare_share=share,
        advice=WHAT_TO_DO if share > LARGE_SHARE else "",
    )


def _rows_and_people(frame: pd.DataFrame, column: Column, owners: Ints) -> tuple[Ints, Ints]:
    """Of each value of a column, the rows that have it, and the owners that these rows are of."""
    cells = to_arrow(frame[column.name], column.name)
    codes = pc.fill_null(cells.dictionary_encode().indices, -1).to_numpy(zero_copy_only=False)
    held = codes >= 0
    values, whose = codes[held].astype(np.int64), owners[held]
    counts = np.bincount(values)
    pairs = np.unique(np.stack([values, whose]), axis=1)[0] if len(values) else values
    return counts, np.bincount(pairs, minlength=len(counts))


def find_personal(frame: pd.DataFrame, schema: Schema) -> tuple[PersonalColumn, ...]:
    """Columns of ``frame`` that ``schema`` has not learned, and those that perhaps should not be.

    From a score of 0.7 on, :func:`infer_schema` takes a column out; from 0.4 on it is listed.
    Some two thousand values of each are looked at. Raises :class:`SchemaError` for a table that
    does not follow the schema.
    """
    schema.check(frame)
    frame = frame[list(schema.names)]
    keys = guess_keys(frame, schema.columns)
    found = (_find(frame, column, keys.get(column.name)) for column in schema)
    return tuple(each for each in found if each is not None)


def _find(frame: pd.DataFrame, column: Column, key: KeyGuess | None) -> PersonalColumn | None:
    cells = to_arrow(frame[column.name], column.name).drop_null()
    guess = guess_column(column.name, cells)
    learned = column.kind.is_modelled
    if learned:
        return _find_learned(column, guess, key)
    personal = column.personal
    if guess is not None and guess.personal == column.personal:
        score, why = guess.score, guess.why
    elif key is not None and personal is None and column.repeats:
        score, why = key.score, key.why
    else:
        score, why = _other_reason(column, cells, guess)
    if column.per is not None:
        why += f"; one for each {column.per!r}"
    return PersonalColumn(
        column=column.name, personal=personal, score=score, why=why, learned=learned
    )


def _find_learned(
    column: Column, guess: Guess | None, key: KeyGuess | None
) -> PersonalColumn | None:
    scores = 0.0 if guess is None else guess.score, 0.0 if key is None else key.score
    if max(scores) < WORTH_A_WORD:
        return None
    if guess is not None and scores[0] >= scores[1]:
        personal, why = guess.personal, guess.why
    else:
        assert key is not None, "its score is above zero"
        personal, why = None, key.why
    return PersonalColumn(
        column=column.name, personal=personal, score=max(scores), why=why, learned=True
    )


def refuse_doubts(
    frame: pd.DataFrame, schema: Schema, hints: Hints | None = None, *, least: int = 5
) -> None:
    """Raises :class:`DoubtError` if columns of ``frame`` that ``schema`` has learned may be
    personal, and values of them that ``least`` rows (or entities) share would come out; those that
    ``hints`` have learned are left out."""
    learn = () if hints is None else hints.learn
    doubtful = [each for each in find_personal(frame, schema) if each.learned]
    doubtful = [each for each in doubtful if each.column not in learn]
    if not doubtful:
        return
    owners = owners_of(frame, schema)
    told = []
    for each in doubtful:
        _, people = _rows_and_people(frame, schema[each.column], owners)
        coming = int((people >= least).sum())
        if coming:
            what = f" (perhaps personal: {each.personal})" if each.personal else ""
            told.append(
                (each.column, f"{coming:,} real values of {each.column!r}{what}: {each.why}")
            )
    if told:
        name = told[0][0]
        raise DoubtError(
            f"it is in doubt whether these would say who somebody is, and they would come out: "
            f"{'; '.join(line for _, line in told)}. Say what each is: never learned (--identifier "
            f"{name}, or infer_schema(df, identifiers=[{name!r}])), learned as it is (--learn "
            f"{name}, or learn=[{name!r}]), or write it into a schema (--schema)"
        )


def _other_reason(column: Column, cells: pa.Array, guess: Guess | None) -> tuple[float, str]:
    share = len(pc.unique(cells)) / max(len(cells), 1)
    if column.references is not None:
        return 0.9, f"every cell is one of {column.references!r}"
    if column.personal is not None:
        return 1.0, "the schema says so"
    if column.kind is Kind.IDENTIFIER:
        return round(share, 2), f"{share:.0%} of the cells differ, as names of rows do"
    hint = ""
    if guess is not None and WORTH_A_WORD <= guess.score < SURE:
        hint = f"; perhaps personal: {guess.personal} ({guess.score:.2f})"
    if share > _NEARLY_UNIQUE:
        return round(share, 2), f"{share:.0%} of the cells differ{hint}"
    return 0.8, f"long text of which {share:.0%} differs{hint}"
