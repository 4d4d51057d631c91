"""What the owner is shown of columns, to agree or to say otherwise: why they are not learned, how
many values they have, and what they would lose."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthgan.schema.arrow import to_arrow
from synthgan.schema.columns import Column, Kind, Personal, Schema
from synthgan.schema.infer import guess_column
from synthgan.schema.personal import SURE, WORTH_A_WORD, Guess

LARGE_SHARE = 0.1
"""Share of rows with values that are not named from which that is a loss, not a protection."""

WHAT_TO_DO = (
    "split cells of several numbers into columns, make the column kind text in the schema, or "
    "lower min_category_rows"
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
    rows are rare. Raises :class:`SchemaError` for a table that does not follow the schema."""
    schema.check(frame)
    return tuple(_count(frame, column, least) for column in schema)


def _count(frame: pd.DataFrame, column: Column, least: int) -> ValueCount:
    cells = to_arrow(frame[column.name], column.name).drop_null()
    counts = pc.value_counts(cells).field("counts").to_numpy()
    rare = counts[counts < least] if column.kind is Kind.CATEGORY else counts[:0]
    share = float(rare.sum() / max(len(frame), 1))
    return ValueCount(
        column=column.name,
        distinct=len(counts),
        rare=len(rare),
        rare_share=share,
        advice=WHAT_TO_DO if share > LARGE_SHARE else "",
    )


def find_personal(frame: pd.DataFrame, schema: Schema) -> tuple[PersonalColumn, ...]:
    """Columns of ``frame`` that ``schema`` has not learned, and those that perhaps should not be.

    From a score of 0.7 on, :func:`infer_schema` takes a column out; from 0.4 on it is listed.
    Some two thousand values of each are looked at. Raises :class:`SchemaError` for a table that
    does not follow the schema.
    """
    schema.check(frame)
    found = (_find(frame, column) for column in schema)
    return tuple(each for each in found if each is not None)


def _find(frame: pd.DataFrame, column: Column) -> PersonalColumn | None:
    cells = to_arrow(frame[column.name], column.name).drop_null()
    guess = guess_column(column.name, cells)
    learned = column.kind.is_modelled
    if learned and (guess is None or guess.score < WORTH_A_WORD):
        return None
    personal = column.personal
    if learned or (guess is not None and guess.personal == column.personal):
        assert guess is not None, "told apart above"
        personal, score, why = guess.personal, guess.score, guess.why
    else:
        score, why = _other_reason(column, cells, guess)
    return PersonalColumn(
        column=column.name, personal=personal, score=score, why=why, learned=learned
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
