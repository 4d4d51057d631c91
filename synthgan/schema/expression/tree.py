"""The parts of an expression, and what they give for the cells of a table.

Truth has SQL's three values: a pair of masks says which rows hold and which fail, and a row in
neither is unknown.
"""

from __future__ import annotations

import functools
import math
import numbers
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan._typing import Bools, Floats
from synthgan.errors import SchemaError

Cells = Mapping[str, npt.NDArray[Any]]

Read = Callable[[str, object], float | str | bool]
"""From the name of a column and a value that is compared with it, the cell that is meant."""

SIGNS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
OF_ONE: Mapping[str, Callable[[Floats], Floats]] = {
    "abs": np.abs,
    "ceil": np.ceil,
    "floor": np.floor,
}
OF_MANY: Mapping[str, Callable[[Floats, Floats], Floats]] = {"max": np.maximum, "min": np.minimum}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_WHOLE = 2.0**52  # from here on, all floats are whole


def as_written(column: str, value: object) -> float | str | bool:
    """Takes values as the cells that they look like."""
    assert isinstance(value, float | int | str)
    return value


# Cells


class Column(NamedTuple):
    """The cells of a column as floats, NaN where missing.

    Of text, they are places among ``levels``; those are None for numbers, and none at all if
    every cell is missing, which goes with numbers and text alike.
    """

    name: str
    cells: Floats
    levels: Mapping[object, int] | None

    def numbers(self) -> Floats:
        if self.levels:
            raise SchemaError(f"column {self.name!r} holds text, which cannot be counted with")
        return self.cells

    def key(self, value: float | str | bool) -> float:
        """What cells that equal ``value`` hold."""
        if isinstance(value, str) and self.levels is None:
            raise SchemaError(
                f"column {self.name!r} holds numbers, which cannot be compared with text"
            )
        if not isinstance(value, str) and self.levels:
            raise SchemaError(
                f"column {self.name!r} holds text, which cannot be compared with a number; put "
                "the value in quotes"
            )
        return float((self.levels or {}).get(value, -1) if isinstance(value, str) else value)

    def in_places_of(self, other: Column) -> Floats:
        """The cells as places among the levels of ``other``, -1 for text that is not there."""
        if (self.levels is None) != (other.levels is None):
            raise SchemaError(
                f"columns {other.name!r} and {self.name!r} cannot be compared: one holds text, "
                "the other one numbers"
            )
        places = np.array([(other.levels or {}).get(level, -1) for level in self.levels or ()])
        recoded = np.full(len(self.cells), np.nan)
        known = ~np.isnan(self.cells)
        recoded[known] = places[self.cells[known].astype(np.int64)]
        return recoded


def _to_column(name: str, cells: Cells) -> Column:
    if name not in cells:
        raise SchemaError(f"there is no column {name!r}, which the expression names")
    array = np.asarray(cells[name])
    if array.ndim == 1 and array.dtype.kind in "biuf":
        return Column(name, array.astype(np.float64, copy=False), None)
    if array.ndim != 1 or array.dtype.kind not in "OU":
        raise SchemaError(f"column {name!r} must be an array (rows,) of floats or of objects")
    codes, found = pd.factorize(array.astype(object))
    levels = [*found, math.nan]  # place -1 is for missing cells
    if len(found) and all(isinstance(level, numbers.Real | np.bool_) for level in levels):
        return Column(name, np.array(levels, dtype=np.float64)[codes], None)
    places = {level: place for place, level in enumerate(found)}
    return Column(name, np.where(codes < 0, np.nan, codes), places)


class Rows:
    """The cells that an expression looks at, and what is found on the way."""

    def __init__(self, cells: Cells, names: tuple[str, ...], read: Read) -> None:
        self.columns = {name: _to_column(name, cells) for name in names}
        counts = {len(column.cells) for column in self.columns.values()} or {1}
        if len(counts) > 1:
            raise SchemaError("the columns that an expression names must have as many cells each")
        (self.count,) = counts
        self.read = read
        self.divided_by_zero = np.zeros(self.count, dtype=np.bool_)


# The tree


class Numeric:
    """A part that gives a number."""

    def names(self) -> Iterator[str]:
        raise NotImplementedError

    def numbers(self, rows: Rows) -> Floats:
        raise NotImplementedError

    def degree(self, name: str) -> int:
        """0 without the column, 1 if affine in it, 2 for all else."""
        raise NotImplementedError


class Truth:
    """A part that holds or does not."""

    def names(self) -> Iterator[str]:
        raise NotImplementedError

    def truth(self, rows: Rows) -> tuple[Bools, Bools]:
        """Which rows hold, and which fail."""
        raise NotImplementedError


@dataclass(frozen=True)
class Quoted:
    """Text, true or false: goes beside a column only."""

    value: str | bool


@dataclass(frozen=True)
class Number(Numeric):
    value: int | float

    def names(self) -> Iterator[str]:
        return iter(())

    def numbers(self, rows: Rows) -> Floats:
        return np.full(rows.count, float(self.value))

    def degree(self, name: str) -> int:
        return 0


@dataclass(frozen=True)
class Name(Numeric):
    name: str

    def names(self) -> Iterator[str]:
        yield self.name

    def numbers(self, rows: Rows) -> Floats:
        return rows.columns[self.name].numbers()

    def degree(self, name: str) -> int:
        return int(self.name == name)


@dataclass(frozen=True)
class Sum(Numeric):
    terms: tuple[tuple[bool, Numeric], ...]
    """Each with whether it is taken away."""

    def names(self) -> Iterator[str]:
        for _, term in self.terms:
            yield from term.names()

    def numbers(self, rows: Rows) -> Floats:
        total = np.zeros(rows.count)
        for minus, term in self.terms:
            total += -term.numbers(rows) if minus else term.numbers(rows)
        return total

    def degree(self, name: str) -> int:
        return max(term.degree(name) for _, term in self.terms)


@dataclass(frozen=True)
class Product(Numeric):
    factors: tuple[tuple[bool, Numeric], ...]
    """Each with whether it is a divisor."""

    def names(self) -> Iterator[str]:
        for _, factor in self.factors:
            yield from factor.names()

    def numbers(self, rows: Rows) -> Floats:
        total = np.ones(rows.count)
        for divides, factor in self.factors:
            values = factor.numbers(rows)
            if divides:
                rows.divided_by_zero |= values == 0
                total /= np.where(values == 0, np.nan, values)
            else:
                total *= values
        return total

    def degree(self, name: str) -> int:
        return min(2, sum(factor.degree(name) * (1 + divides) for divides, factor in self.factors))


@dataclass(frozen=True)
class Call(Numeric):
    function: str
    of: tuple[Numeric, ...]
    digits: int = 0
    """Of ``round``."""

    def names(self) -> Iterator[str]:
        for each in self.of:
            yield from each.names()

    def numbers(self, rows: Rows) -> Floats:
        values = [each.numbers(rows) for each in self.of]
        if self.function in OF_MANY:
            return functools.reduce(OF_MANY[self.function], values)
        if self.function in OF_ONE:
            return OF_ONE[self.function](values[0])
        exact = (np.abs(values[0]) >= _WHOLE) & (self.digits >= 0)
        return np.where(exact, values[0], np.round(values[0], self.digits))

    def degree(self, name: str) -> int:
        return 2 * (name in self.names())


@dataclass(frozen=True)
class Compare(Truth):
    """``a < b <= c``: every side with the next one."""

    sides: tuple[Numeric | Quoted, ...]
    signs: tuple[str, ...]

    def names(self) -> Iterator[str]:
        for side in self.sides:
            if isinstance(side, Numeric):
                yield from side.names()

    def truth(self, rows: Rows) -> tuple[Bools, Bools]:
        holds, fails = np.ones(rows.count, np.bool_), np.zeros(rows.count, np.bool_)
        for left, sign, right in zip(self.sides[:-1], self.signs, self.sides[1:], strict=True):
            if isinstance(right, Name):
                left, sign, right = right, _TURNED[sign], left
            lefts, rights = _pair(left, sign, right, rows)
            known = ~(np.isnan(lefts) | np.isnan(rights))
            found = SIGNS[sign](lefts, rights)
            holds &= found & known
            fails |= ~found & known
        return holds, fails


def _pair(
    left: Numeric | Quoted, sign: str, right: Numeric | Quoted, rows: Rows
) -> tuple[Floats, Floats]:
    """Floats that compare as the sides do. A column alone stands left, if there is one."""
    if not isinstance(left, Name):
        assert isinstance(left, Numeric)
        assert isinstance(right, Numeric)
        return left.numbers(rows), right.numbers(rows)
    column = rows.columns[left.name]
    if column.levels and sign not in ("==", "!="):
        raise SchemaError(
            f"column {left.name!r} holds text, which has no order: compare it with ==, != or in"
        )
    if isinstance(right, Number | Quoted):
        key = column.key(rows.read(left.name, right.value))
        return column.cells, np.full(rows.count, key)
    if isinstance(right, Name) and (column.levels or rows.columns[right.name].levels):
        return column.cells, rows.columns[right.name].in_places_of(column)
    return left.numbers(rows), right.numbers(rows)


@dataclass(frozen=True)
class Among(Truth):
    side: Numeric
    values: tuple[int | float | str | bool, ...]

    def names(self) -> Iterator[str]:
        return self.side.names()

    def truth(self, rows: Rows) -> tuple[Bools, Bools]:
        if isinstance(self.side, Name):
            column = rows.columns[self.side.name]
            cells = column.cells
            keys = [column.key(rows.read(column.name, value)) for value in self.values]
        else:
            cells, keys = self.side.numbers(rows), [float(value) for value in self.values]
        found, known = np.isin(cells, keys), ~np.isnan(cells)
        return found & known, ~found & known


@dataclass(frozen=True)
class Missing(Truth):
    name: str

    def names(self) -> Iterator[str]:
        yield self.name

    def truth(self, rows: Rows) -> tuple[Bools, Bools]:
        missing = np.isnan(rows.columns[self.name].cells)
        return missing, ~missing


@dataclass(frozen=True)
class Not(Truth):
    part: Truth

    def names(self) -> Iterator[str]:
        return self.part.names()

    def truth(self, rows: Rows) -> tuple[Bools, Bools]:
        holds, fails = self.part.truth(rows)
        return fails, holds


@dataclass(frozen=True)
class Joined(Truth):
    parts: tuple[Truth, ...]
    by_and: bool

    def names(self) -> Iterator[str]:
        for part in self.parts:
            yield from part.names()

    def truth(self, rows: Rows) -> tuple[Bools, Bools]:
        holds, fails = self.parts[0].truth(rows)
        for part in self.parts[1:]:
            more_hold, more_fail = part.truth(rows)
            holds = holds & more_hold if self.by_and else holds | more_hold
            fails = fails | more_fail if self.by_and else fails & more_fail
        return holds, fails
