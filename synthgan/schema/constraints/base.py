"""Rules between the columns of a row, as their owner would state them.

A constraint is declared in a schema or discovered from a table; either way every row that is
drawn keeps it. Of the data a constraint holds nothing but what its fields say.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan._typing import Bools, Floats, Ints
from synthgan.columns.column import Column, Kind, Level
from synthgan.columns.literal import Reader
from synthgan.errors import SchemaError

MOST_WORK = 20_000
"""What all constraints of a schema may ask for together: see :func:`work_of`."""


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a constraint needs of its columns."""

    numbers: tuple[str, ...] = ()
    """Columns that must be of one of the ``kinds``."""
    kinds: tuple[Kind, ...] = (Kind.NUMBER, Kind.INTEGER, Kind.DATETIME)
    what: str = "numbers or dates"
    """The kinds in words."""
    whole: tuple[str, ...] = ()
    """Columns whose categories it reads, and not only the numbers in them."""
    one_scale: bool = False
    """Whether the columns are compared with each other."""


@singledispatch
def needs(constraint: object) -> Needs:
    """What ``constraint`` needs of its columns: nothing, unless its kind says so."""
    return Needs()


@singledispatch
def work_of(constraint: Any) -> int:
    """How many comparisons of columns a row takes, or about so many operations."""
    return len(constraint.columns)


@singledispatch
def leads_to(constraint: Any) -> Mapping[str, frozenset[str]]:
    """Which columns lie before which others: no path may come back to where it began. Formulas
    have paths of their own, whose names end with a NUL."""
    return {}


def check_work(constraints: Sequence[Any]) -> None:
    """Raises :class:`SchemaError` if rows that keep ``constraints`` would never end to be drawn."""
    work = sum(map(work_of, constraints))
    if work > MOST_WORK:
        raise SchemaError(
            f"the {len(constraints):,} constraints take {work:,} comparisons a row, more than "
            f"{MOST_WORK:,}; leave some of them out"
        )


def check_cycles(constraints: Sequence[Any]) -> None:
    """Raises :class:`SchemaError` if rising chains bite their own tail, or formulas do."""
    above: dict[str, set[str]] = {}
    for constraint in constraints:
        for name, after in leads_to(constraint).items():
            if name.endswith("\0") and name in above:
                raise SchemaError(f"constraints: column {name[:-1]!r} has two formulas")
            above.setdefault(name, set()).update(after)
    circle = _circle(above)
    if circle:
        kind = "formulas" if circle.endswith("\0") else "strict inequalities"
        raise SchemaError(
            f"constraints: the {kind} through column {circle.rstrip(chr(0))!r} go in a circle"
        )


def _circle(above: Mapping[str, set[str]]) -> str | None:
    """A node of a directed graph that is on or behind a circle, or None."""
    before: dict[str, list[str]] = {}
    waits_for = {node: len(nexts & above.keys()) for node, nexts in above.items()}
    for node, nexts in above.items():
        for each in nexts & above.keys():
            before.setdefault(each, []).append(node)
    free = [node for node, count in waits_for.items() if not count]
    for node in free:  # grows on the way
        del waits_for[node]
        for each in before.get(node, ()):
            waits_for[each] -= 1
            if not waits_for[each]:
                free.append(each)
    return min(waits_for, default=None)


def check_names(rule: str, columns: Sequence[str], *, least: int) -> None:
    require(rule, len(columns) >= least, f"needs at least {least} columns")
    twice = next((name for name, count in Counter(columns).items() if count > 1), None)
    if twice is not None:
        raise SchemaError(f"constraint {rule}: column {twice!r} is named twice")


def require(rule: str, holds: bool, message: str) -> None:
    if not holds:
        raise SchemaError(f"constraint {rule}: {message}")


def plain_name(name: str) -> str:
    """``name`` as it stands in an expression."""
    return name if name.isidentifier() else f"`{name}`"


def listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))


Cells = MutableMapping[str, npt.NDArray[Any]]
Fixed = Mapping[str, Bools]
Pattern = tuple[Level | None, ...]

_CLOSE = 1e-9  # relative; of numbers that are equal but for the last digits
_CLOSE_NARROW = 1e-5  # the same in floats of 32 bits


@dataclass(frozen=True, eq=False)
class Context:
    """What a constraint needs to know beside its own fields."""

    columns: Mapping[str, Column]
    reader: Reader
    patterns: Mapping[Any, tuple[Pattern, ...]]
    """Combinations that may come out, of the constraints that take them from the table."""
    computed: frozenset[str]
    """Columns that a formula computes."""

    def read(self, name: str, value: object) -> Level:
        """The cell that a literal means in a column."""
        return self.reader.cell(self.reader.column(name), value)


# --- which rows break a constraint ------------------------------------------------------


@singledispatch
def broken(constraint: object, cells: Cells, context: Context) -> Bools:
    """Which rows (n,) break ``constraint``."""
    raise TypeError(type(constraint).__name__)


@singledispatch
def mend(constraint: object, cells: Cells, fixed: Fixed, context: Context) -> None:
    """Changes ``cells``, where they are not ``fixed``, so that rows keep ``constraint``.

    Most kinds are kept when tokens are drawn, and need nothing here.
    """


# --- which codes go together ------------------------------------------------------------


class Codes(Protocol):
    """Codes of columns, as constraints see them."""

    context: Context

    def cells(self, name: str) -> tuple[npt.NDArray[Any], Bools]:
        """What each code of a column stands for, and whether that is one cell."""

    def ends(self, name: str) -> tuple[Floats, Floats]:
        """Least and greatest cell of each code of a numeric column; NaN where it is missing."""

    def is_missing(self, name: str) -> Bools:
        """Whether each code of a column stands for a missing cell."""


@dataclass(frozen=True, kw_only=True)
class Together:
    """Combinations of codes that satisfy a constraint."""

    columns: tuple[str, ...]
    classes: Sequence[Ints]
    """The class of each code, of each column."""
    rows: Ints
    """Combinations of classes (combinations, columns)."""


def pairs(first: str, second: str, fits: Bools) -> Together:
    """Of two columns, those codes that go together where ``fits`` (codes, codes)."""
    classes = [np.arange(width) for width in fits.shape]
    return Together(columns=(first, second), classes=classes, rows=np.argwhere(fits))


_MOST_CELLS = 200_000  # combinations of codes that a rule is tried on


def all_combinations(
    columns: Mapping[str, tuple[npt.NDArray[Any], Bools]], sizes: Sequence[int]
) -> tuple[Ints, Cells] | None:
    """All combinations of codes (columns, combinations), of so many codes a column, and the cells
    of ``columns``, which are the last ones; None if codes do not say it all, or are many."""
    if math.prod(sizes) > _MOST_CELLS or not all(exact.all() for _, exact in columns.values()):
        return None
    grid = np.indices(sizes).reshape(len(sizes), -1)
    last = grid[len(sizes) - len(columns) :]
    cells = {name: of[codes] for (name, (of, _)), codes in zip(columns.items(), last, strict=True)}
    return grid, cells


@singledispatch
def go_together(constraint: object, codes: Codes) -> Iterator[Together]:
    """Which codes go together by ``constraint``: any, as far as codes tell, unless its kind says
    more."""
    yield from ()


@singledispatch
def in_order(constraint: object) -> Iterator[tuple[str, str]]:
    """Pairs of columns of which the first is never above the second."""
    yield from ()


def combination_codes(
    columns: list[npt.NDArray[Any]], context: Context, constraint: object
) -> Ints:
    """Which of the constraint's combinations each row has, -1 for none of them: (rows,)."""
    patterns = context.patterns.get(constraint, ())
    known = np.zeros(len(patterns), dtype=np.int64)
    rows = np.zeros(len(columns[0]), dtype=np.int64)
    for i, cells in enumerate(columns):
        column = np.empty(len(patterns), dtype=object)
        column[:] = [pattern[i] for pattern in patterns]
        both = pd.Series(np.concatenate([column, cells.astype(object)]), dtype=object)
        codes = pd.factorize(both, use_na_sentinel=True)[0] + 1
        keys = np.concatenate([known, rows]) * (len(both) + 1) + codes
        keys = pd.factorize(keys)[0].astype(np.int64)
        known, rows = keys[: len(patterns)], keys[len(patterns) :]
    place = np.full(int(max([*known, *rows], default=0)) + 1, -1, dtype=np.int64)
    place[known] = np.arange(len(known))
    return np.asarray(place[rows])


def differ(found: Floats, wanted: Floats, column: Column) -> Bools:
    """Where both are there, and ``found`` is not ``wanted`` as the column would be written."""
    close = _CLOSE_NARROW if "32" in column.dtype else _CLOSE
    tolerance = close * np.abs(wanted)
    if column.kind is not Kind.NUMBER:
        tolerance = tolerance + 0.5 + 1e-6
    elif column.decimals is not None:
        tolerance = tolerance + (0.5 + 1e-6) * 10.0**-column.decimals
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(found - wanted) > tolerance)


def at_least(numbers: Floats, column: Column, *, strict: bool) -> Floats:
    """The least cell of ``column`` that is at least ``numbers``, or above with ``strict``."""
    if column.kind is Kind.NUMBER and column.decimals is None:
        return np.nextafter(numbers, np.inf) if strict else numbers
    unit = 10.0 ** -(column.decimals or 0)
    steps = numbers / unit
    up = np.floor(steps + 1e-6) + 1 if strict else np.ceil(steps - 1e-6)
    return np.asarray(up * unit)


def rows(cells: Cells) -> int:
    return len(next(iter(cells.values())))
