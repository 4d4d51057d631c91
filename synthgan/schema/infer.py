"""Kinds from values: which :class:`Column` the cells of a table call for."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthgan.columns.arrow import to_arrow
from synthgan.columns.cells import HANDLING
from synthgan.columns.column import Column, Kind
from synthgan.columns.datetime import infer_dates
from synthgan.columns.dtypes import family
from synthgan.columns.identifier import FEW_ROWS, NEARLY_UNIQUE, all_match, are_row_names
from synthgan.columns.number import decimals_of, infer_numbers
from synthgan.columns.number_format import find_spelling
from synthgan.columns.patterns import code_pattern
from synthgan.columns.personal.base import SURE, Guess
from synthgan.columns.personal.kinds import guess_column, guess_personal
from synthgan.columns.sentinels import FIXED_DECIMALS, MISSING_WORDS, split_words
from synthgan.config import SummaryConfig
from synthgan.errors import SchemaError, TableError
from synthgan.schema.entities import Hints, find_entities
from synthgan.schema.references import find_references
from synthgan.schema.schema import Schema, checked_names

WORD_ROWS = SummaryConfig().min_category_rows
"""Rows that must have a word among numbers for it to be named."""

_FEW_NUMBERS = 20  # different ones, which may as well be codes


def infer_columns(
    frame: pd.DataFrame, *, word_rows: int = WORD_ROWS, hints: Hints | None = None
) -> Schema:
    """The schema of ``frame``, judged by its values: one :class:`Column` a column.

    The dtype alone decides little: whole numbers stored as floats are INTEGER; text is read
    as booleans (``no``/``yes`` and the like), numbers or dates where every cell can be, and
    stays text where it looks like codes (leading zeros, digits of one width, few values). Numbers
    with currencies, units, decimal commas or thousands set apart, and clock times, are read
    if each cell can be written again to the letter. Where most of the text is such numbers and the
    rest a few words (``>89``, ``unknown``), those that at least ``word_rows`` rows have are
    ``words``.
    Slashed dates that could be either are month first, all others day first. Columns that
    name their rows are IDENTIFIER, nearly unique or long text is TEXT, the rest CATEGORY.
    What says who somebody is (names, addresses, e-mail, numbers of phones, cards and accounts)
    is ``personal``, and a column of cells of an identifier references it: :func:`find_personal`
    tells how sure that is. Keys that several rows share, as visits share a patient, are IDENTIFIER
    that ``repeats``; one of them may be the schema's ``entity``, and columns that one decides are
    ``per`` that one (:mod:`synthgan.schema.entities`). ``hints`` are what the owner says of
    that. An object column of mixed types is read as text, cell by cell, as
    ``str`` gives it. The dtype ``category`` means CATEGORY unless it is personal; the order of an
    ordered one, where it is not that of sorting, is its owner's declaration and is kept as
    ``categories``.

    ``frame.attrs["synthgan.fixed_decimals"]`` may map a column to the number of digits that
    its text always had after the point.

    Raises :class:`TableError` for a table without rows and :class:`SchemaError` (naming the
    column) for names that are no text or not unique, and for cells that cannot be modelled.
    """
    names = checked_names(frame)
    if len(frame) == 0:
        raise TableError("a table with rows is needed, but this one has none")
    hints = hints or Hints()
    hints.check(names)
    fixed = frame.attrs.get(FIXED_DECIMALS, {})
    columns = [
        _infer_learned(frame.iloc[:, i], name, fixed.get(name), word_rows)
        if name in hints.learn
        else _infer_column(frame.iloc[:, i], name, fixed.get(name), word_rows)
        for i, name in enumerate(names)
    ]
    named, entity = find_entities(frame, find_references(frame, columns), hints)
    return Schema(columns=named, entity=entity)


def _infer_learned(series: pd.Series[Any], name: str, fixed: int | None, word_rows: int) -> Column:
    """A column that its owner has learned: as it would be without a name, else a category."""
    column = replace(_infer_column(series, "", fixed, word_rows), name=name)
    if column.kind.is_modelled:
        return column
    plain = Column(name=name, kind=Kind.CATEGORY, dtype=column.dtype, nullable=column.nullable)
    present = to_arrow(series, name).drop_null()
    if pa.types.is_integer(present.type) or pa.types.is_floating(present.type):
        return infer_numbers(plain, present, fixed)
    return plain


def _infer_column(series: pd.Series[Any], name: str, fixed: int | None, word_rows: int) -> Column:
    cells = to_arrow(series, name)
    base = Column(
        name=name, kind=Kind.CATEGORY, dtype=str(series.dtype), nullable=cells.null_count > 0
    )
    present = cells.drop_null()
    if family(series.dtype) == "category":
        return _infer_category(base, series, present)
    if len(present) == 0:
        return base
    if pa.types.is_boolean(present.type):
        return replace(base, kind=Kind.BOOLEAN)
    if pa.types.is_temporal(present.type):
        return infer_dates(base, present)
    if pa.types.is_large_string(present.type):
        return _infer_text(base, present, word_rows)
    guess = guess_column(name, present)
    if guess is not None and guess.score >= SURE:
        return _as_guessed(base, guess)
    if pa.types.is_integer(present.type):
        values = present.to_numpy(zero_copy_only=False)
        names_rows = base.dtype != "object" and not base.nullable and are_row_names(name, values)
        return replace(base, kind=Kind.IDENTIFIER if names_rows else Kind.INTEGER)
    return infer_numbers(base, present, fixed, pd.api.types.infer_dtype(series, skipna=True))


def _infer_category(base: Column, series: pd.Series[Any], present: pa.Array) -> Column:
    odd = pa.types.is_temporal(present.type) or pa.types.is_decimal(present.type)
    if odd or (
        isinstance(series.dtype, pd.CategoricalDtype) and series.cat.categories.dtype.kind == "m"
    ):
        raise SchemaError(
            f"column {base.name!r}: categories must be text, numbers or booleans; "
            "use astype(str), or the dtype of the categories themselves"
        )
    guess = guess_column(base.name, present) if pa.types.is_large_string(present.type) else None
    if guess is not None and guess.score >= SURE:
        return _as_guessed(base, guess)
    ordered = isinstance(series.dtype, pd.CategoricalDtype) and bool(series.dtype.ordered)
    if not ordered:
        return base
    levels = to_arrow(pd.Series(series.cat.categories), base.name).to_pylist()
    declared = tuple(levels) if levels != sorted(levels) else None
    return replace(base, ordered=True, categories=declared)


def _as_guessed(base: Column, guess: Guess) -> Column:
    return replace(base, kind=guess.kind, personal=guess.personal, format=guess.format)


_WHOLE = r"^-?(?:0|[1-9][0-9]{0,14})$"
_FIXED = r"^-?(?:0|[1-9][0-9]{0,13})\.[0-9]{1,14}$"
_ANY_NUMBER = r"^-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,14})?(?:[eE][-+]?[0-9]{1,2})?$"


def _infer_text(base: Column, present: pa.Array, word_rows: int) -> Column:
    distinct = pc.unique(present)
    for handled in HANDLING.values():
        found = None if handled.infer_text is None else handled.infer_text(base, distinct)
        if found is not None:
            return found
    guess = guess_personal(base.name, distinct, len(present))
    if guess is not None and guess.score >= SURE:
        return _as_guessed(base, guess)
    number = _infer_number_text(base, present, distinct)
    number = number or _infer_with_words(base, present, distinct, word_rows)
    return number or _infer_words(base, present, distinct)


def _infer_number_text(base: Column, present: pa.Array, distinct: pa.Array) -> Column | None:
    """Numbers held as text; None where the text is something else, such as codes."""
    if not all_match(distinct, _ANY_NUMBER):
        return _infer_spelled(base, distinct)
    lengths = pc.unique(pc.utf8_length(distinct))
    values = distinct.cast(pa.float64()).to_numpy()
    if all_match(distinct, _WHOLE):
        one_width = len(lengths) == 1
        if len(distinct) == len(present) and are_row_names(base.name, values):
            pattern = "9" * pc.max(lengths).as_py()
            return replace(base, kind=Kind.IDENTIFIER, format=pattern)
        few = len(distinct) <= _FEW_NUMBERS
        if values.min() >= 0 and (few or (one_width and lengths[0].as_py() >= 5)):
            return None
        return replace(base, kind=Kind.INTEGER, format="%d")
    if all_match(distinct, _FIXED):
        digits = pc.unique(pc.utf8_length(pc.replace_substring_regex(distinct, r"^.*\.", "")))
        if len(digits) == 1:
            places = digits[0].as_py()
            return replace(base, kind=Kind.NUMBER, decimals=places, format=f"%.{places}f")
    return replace(base, kind=Kind.NUMBER, decimals=decimals_of(values), format="%.15g")


def _infer_spelled(base: Column, distinct: pa.Array) -> Column | None:
    """Numbers as people write them, with currencies, units or thousands set apart."""
    is_word = pc.is_in(distinct, MISSING_WORDS.cast(distinct.type))
    spelling = find_spelling(distinct.filter(pc.invert(is_word)))
    has_words = bool(pc.any(is_word).as_py())
    if spelling is None or (has_words and re.fullmatch(r"0(?:\.[0#]+)?", spelling.pattern)):
        return None  # plain numbers and words: codes, unless a file of text says otherwise
    base = replace(base, nullable=base.nullable or has_words)
    if spelling.places == 0:
        return replace(base, kind=Kind.INTEGER, format=spelling.pattern)
    return replace(base, kind=Kind.NUMBER, decimals=spelling.places, format=spelling.pattern)


def _infer_with_words(
    base: Column, present: pa.Array, distinct: pa.Array, word_rows: int
) -> Column | None:
    """Numbers, with a few words among them that come again and again."""
    split = split_words(present, distinct, word_rows)
    if split is None:
        return None
    words, rest = split
    numbers = pc.unique(rest)
    if len(numbers) <= _FEW_NUMBERS:  # levels tell as much
        return None
    number = _infer_number_text(base, rest, numbers)
    if number is None or not number.kind.is_numeric:
        return None
    return replace(number, words=words)


def _infer_words(base: Column, present: pa.Array, distinct: pa.Array) -> Column:
    share = len(distinct) / len(present)
    if len(present) < FEW_ROWS or share <= 0.5:
        return base
    lengths = pc.utf8_length(distinct)
    blanks = pc.mean(pc.match_substring_regex(distinct, r"\s")).as_py()
    if share > NEARLY_UNIQUE:
        if blanks == 0 and pc.max(lengths).as_py() <= 64:
            pattern = code_pattern(distinct)
            if pattern is not None:
                return replace(base, kind=Kind.IDENTIFIER, format=pattern or None)
        return replace(base, kind=Kind.TEXT)
    is_long = blanks > 0.5 or pc.mean(lengths).as_py() > 30
    return replace(base, kind=Kind.TEXT) if is_long else base
