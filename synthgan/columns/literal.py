"""What names, values and comparisons mean, by the schema and the levels that are known."""

from __future__ import annotations

import datetime
import decimal
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from synthgan.columns.cell_set import Allowed
from synthgan.columns.cells import HANDLING
from synthgan.columns.column import Column, Kind, Level
from synthgan.columns.datetime import unit_of
from synthgan.columns.dtypes import family, to_dtype
from synthgan.columns.number import WHOLE, can_hold
from synthgan.errors import FEW, ConditionError, displayed, nearest, spelled


class Reader:
    """What names and values mean, by the schema and the known levels."""

    def __init__(self, columns: Iterable[Column], levels: Mapping[str, Sequence[Level]]) -> None:
        self.columns = {column.name: column for column in columns}
        self._levels = levels
        self._places: dict[str, dict[object, Level]] = {}

    def column(self, name: object) -> Column:
        """The column of that name, if rows can be asked for by it."""
        if not isinstance(name, str):
            raise ConditionError(f"columns are named by text, not by {displayed(name)}")
        column = self.columns.get(name)
        if column is None:
            hint = nearest(name, list(self.columns), few=0)
            raise ConditionError(f"there is no column {displayed(name)}; {hint}")
        if not column.kind.is_modelled:
            raise ConditionError(
                f"column {name!r} is not learned but generated ({column.kind.value}), so rows "
                "cannot be asked for by it"
            )
        return column

    def known(self, column: Column) -> Sequence[Level] | None:
        """The levels that can be asked for, or None for any."""
        return self._levels.get(column.name, column.categories)

    def cell(self, column: Column, value: object) -> Level:
        """``value`` as :func:`read_cells` would give it."""
        value = plain(value)
        literal = HANDLING[column.kind].literal
        return self._level(column, value) if literal is None else literal(column, value)

    def _level(self, column: Column, value: object) -> Level:
        known = self.known(column)
        if isinstance(value, bool | int | float | str):
            if known is None:
                is_text = family(to_dtype(column.dtype, column.name)) in ("text", "object")
                return spelled(value) if is_text else value
            if column.name not in self._places:  # True, 1 and "1" are three levels
                self._places[column.name] = {spelled(level): level for level in known} | {
                    (isinstance(level, bool), level): level for level in known
                }
            places = self._places[column.name]
            for key in ((isinstance(value, bool), value), spelled(value)):
                if key in places:
                    return places[key]
        hint = nearest(value, known or (), few=FEW)
        raise ConditionError(f"column {column.name!r} has no value {displayed(value)}; {hint}")

    def compare(self, column: Column, operator: str, value: object) -> Allowed:
        """``column operator value`` for one of the six comparisons."""
        if is_missing(value):
            raise ConditionError(missing_hint(column))
        if column.words is not None:
            return self._compare_with_words(column, operator, value)
        if operator == "==":
            return Allowed(values=frozenset([self.possible(column, value)]), missing="never")
        if operator == "!=":
            cell = self.cell(column, value)
            return Allowed(excluded=frozenset([cell] * can_hold(column, cell)), missing="never")
        if not column.kind.is_numeric:
            return self._by_order(column, operator, value)
        bound = float(self.cell(column, value))
        if operator in ("<", "<="):
            is_open = operator == "<" or bound == -math.inf
            return Allowed(high=bound, high_open=is_open, missing="never")
        is_open = operator == ">" or bound == math.inf
        return Allowed(low=bound, low_open=is_open, missing="never")

    def _by_order(self, column: Column, operator: str, value: object) -> Allowed:
        """A comparison by the order of the categories, where one is declared."""
        levels = column.categories
        if not column.ordered or levels is None:
            raise ConditionError(
                f"column {column.name!r} has no order ({column.kind.value}), so {operator} does "
                "not apply; use == or in [...]"
            )
        at = levels.index(value if value in levels else self._level(column, value))
        at += operator in ("<=", ">")
        found = levels[:at] if operator in ("<", "<=") else levels[at:]
        return Allowed(values=frozenset(found), missing="never")

    def _compare_with_words(self, column: Column, operator: str, value: object) -> Allowed:
        """A comparison in a column that has words among its numbers: those are equal to
        themselves, different from all else, and neither more nor less than anything."""
        numbers, all_words = replace(column, words=None), words_of(column)
        word = all_words.get(value) if isinstance(value, str) else None
        if word is None:
            found = self.compare(numbers, operator, self._number(column, value))
            return replace(found, words=frozenset() if operator != "!=" else None)
        if operator == "==":
            return Allowed(values=frozenset(), words=frozenset([word]), missing="never")
        if operator == "!=":
            others = frozenset(all_words.values()) - {word}
            return Allowed(words=others, missing="never")
        raise ConditionError(
            f"column {column.name!r}: {displayed(value)} is a word among its numbers, so "
            f"{operator} does not apply; use == or in [...]"
        )

    def _number(self, column: Column, value: object) -> object:
        """``value``, which must be a number of a column with words."""
        try:
            self.cell(column, value)
        except ConditionError as error:
            if not isinstance(value, str):
                raise
            hint = nearest(value, list(column.words or ()), few=FEW)
            raise ConditionError(f"{error}; beside numbers it has words, {hint}") from None
        return value

    def possible(self, column: Column, value: object) -> Level:
        """The cell of ``value``, which must be one that a row can have."""
        cell = self.cell(column, value)
        if can_hold(column, cell):
            return cell
        wanted = {Kind.INTEGER: "whole numbers", Kind.DATETIME: f"whole {unit_of(column)}"}.get(
            column.kind, f"numbers with at most {column.decimals} decimals"
        )
        if column.kind is Kind.NUMBER and column.decimals is None:
            wanted = "finite numbers"
        raise ConditionError(
            f"column {column.name!r} holds {wanted}, so no row can satisfy {displayed(value)}"
        )

    def among(self, column: Column, values: Iterable[object], *, absent: bool = False) -> Allowed:
        """``column in values``, or ``not in``; None among them means missing cells too."""
        wanted = list(values)
        if not wanted:
            raise ConditionError(f"column {column.name!r}: the list of values is empty")
        present = [value for value in wanted if not is_missing(value)]
        if column.words is not None and present:
            return self._among_words(column, present, len(present) < len(wanted), absent=absent)
        if absent:
            cells = frozenset(self.cell(column, value) for value in present)
            return Allowed(
                excluded=frozenset(cell for cell in cells if can_hold(column, cell)),
                missing="never",
            )
        if not present:
            return Allowed(missing="only")
        return Allowed(
            values=frozenset(self.possible(column, value) for value in present),
            missing="never" if len(present) == len(wanted) else "any",
        )

    def _among_words(
        self, column: Column, present: list[object], missing: bool, *, absent: bool
    ) -> Allowed:
        """:meth:`among`, in a column that has words among its numbers."""
        places = words_of(column)
        words = frozenset(places[v] for v in present if isinstance(v, str) and v in places)
        rest = [v for v in present if not (isinstance(v, str) and v in places)]
        numbers = replace(column, words=None)
        for value in rest:
            self._number(column, value)
        found = self.among(numbers, rest, absent=absent) if rest else Allowed(missing="never")
        if absent:
            return replace(found, words=frozenset(places.values()) - words)
        return replace(
            found,
            values=found.values if rest else frozenset(),
            missing="any" if missing else "never",
            words=words,
        )

    def settle(self, name: str, allowed: Allowed) -> Allowed:
        """The same cells in the simplest form."""
        column = self.columns[name]
        if column.kind in (Kind.INTEGER, Kind.DATETIME):
            allowed = _in_whole_units(allowed)
        values = allowed.values
        if values is None and allowed.low == allowed.high:
            values = frozenset([allowed.low])
        if values is None and not column.kind.is_numeric:
            known = (False, True) if column.kind is Kind.BOOLEAN else self.known(column)
            if known and allowed.excluded.issuperset(known):
                values = frozenset()
        if values is None:
            return allowed
        left = (cell for cell in values if allowed.lets(cell) and can_hold(column, cell))
        return Allowed(values=frozenset(left), missing=allowed.missing, words=allowed.words)


def words_of(column: Column) -> dict[str, int]:
    """Numbers of the column's words."""
    return {word: number for number, word in enumerate(column.words or (), start=1)}


def _in_whole_units(allowed: Allowed) -> Allowed:
    low, high, excluded = allowed.low, allowed.high, allowed.excluded
    low_open, high_open = allowed.low_open, allowed.high_open
    if abs(low) < WHOLE:
        low, low_open = float(math.floor(low) + 1 if low_open else math.ceil(low)), False
        for _ in excluded:
            low += low in excluded
    if abs(high) < WHOLE:
        high, high_open = float(math.ceil(high) - 1 if high_open else math.floor(high)), False
        for _ in excluded:
            high -= high in excluded
    return replace(allowed, low=low, high=high, low_open=low_open, high_open=high_open)


def plain(value: object) -> object:
    """Scalars of numpy and decimals as Python's own, dates as Timestamps."""
    try:
        if isinstance(value, np.datetime64 | datetime.date):
            return pd.Timestamp(value)
    except (ValueError, OverflowError):
        return value
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, np.generic) and not isinstance(value, np.timedelta64):
        return value.item()
    return value


def is_missing(value: Any) -> bool:
    """Whether ``value`` means a missing cell: None, NaN, NA, NaT."""
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def missing_hint(column: Column) -> str:
    """How to ask for missing cells."""
    return f"column {column.name!r}: for missing cells write 'is missing' or 'is not missing'"
