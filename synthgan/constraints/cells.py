"""What a constraint means for the cells of rows: which rows break it, and how to mend them.

Cells are those of :func:`synthgan.values.read_cells`, by column. Mending moves only cells that
are not fixed, and those by as little as it can; a row that no mending helps is drawn again.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.condition import Reader
from synthgan.schema import (
    Bands,
    Column,
    Constraint,
    Expression,
    FixedCombinations,
    FixedIncrements,
    FixedNullCombinations,
    Formula,
    Inequality,
    Kind,
    Level,
    MissingWhen,
    OneHot,
    RowRule,
    Schema,
    Unique,
)
from synthgan.values import rounded_cells

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
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
    patterns: Mapping[Constraint, tuple[Pattern, ...]]
    """Combinations that may come out, of the constraints that take them from the table."""
    computed: frozenset[str]
    """Columns that a formula computes."""

    def read(self, name: str, value: object) -> Level:
        """The cell that a literal means in a column."""
        return self.reader.cell(self.reader.column(name), value)

    @staticmethod
    def of(schema: Schema, patterns: Mapping[Constraint, tuple[Pattern, ...]]) -> Context:
        """The context of a schema's constraints."""
        return Context(
            columns={column.name: column for column in schema},
            reader=Reader(schema, {}),
            patterns=patterns,
            computed=frozenset(c.column for c in schema.constraints if isinstance(c, Formula)),
        )


# --- which rows break a constraint ------------------------------------------------------


@singledispatch
def broken(constraint: Constraint, cells: Cells, context: Context) -> Bools:
    """Which rows (n,) break ``constraint``."""
    raise TypeError(type(constraint).__name__)


@broken.register
def _(constraint: FixedCombinations, cells: Cells, context: Context) -> Bools:
    known = combination_codes([cells[name] for name in constraint.columns], context, constraint)
    return np.asarray(known < 0)


@broken.register
def _(constraint: FixedNullCombinations, cells: Cells, context: Context) -> Bools:
    holes = [np.asarray(pd.isna(cells[name]), dtype=object) for name in constraint.columns]
    return np.asarray(combination_codes(holes, context, constraint) < 0)


@broken.register
def _(constraint: MissingWhen, cells: Cells, context: Context) -> Bools:
    missing, wanted = pd.isna(cells[constraint.column]), _holds(constraint, cells, context)
    return np.asarray(wanted & ~missing | (missing & ~wanted if constraint.only else False))


@broken.register
def _(constraint: Inequality, cells: Cells, context: Context) -> Bools:
    wrong = np.zeros(_rows(cells), dtype=bool)
    for low, high in itertools.combinations(constraint.columns, 2):
        with np.errstate(invalid="ignore"):
            wrong |= cells[low] > cells[high]
            wrong |= constraint.strict & (cells[low] == cells[high])
    return wrong


@broken.register
def _(constraint: Formula, cells: Cells, context: Context) -> Bools:
    found, wanted = cells[constraint.column], constraint.expression.numbers(cells)
    return differ(found, wanted, context.columns[constraint.column])


@broken.register
def _(constraint: OneHot, cells: Cells, context: Context) -> Bools:
    table = np.stack([cells[name] for name in constraint.columns])
    ones = (table == 1).sum(axis=0)
    odd = ((table != 1) & (table != 0)).any(axis=0)
    return np.asarray(odd | (ones > 1) | ((ones == 0) & (not constraint.or_none)))


@broken.register
def _(constraint: FixedIncrements, cells: Cells, context: Context) -> Bools:
    steps = (cells[constraint.column] - constraint.start) / constraint.step
    return np.asarray(np.abs(steps - np.round(steps)) > 1e-6)


@broken.register
def _(constraint: Bands, cells: Cells, context: Context) -> Bools:
    wanted, number = _band(constraint, cells, context), cells[constraint.of]
    found = cells[constraint.column]
    known = ~np.isnan(number) & ~pd.isna(found)
    return np.asarray(known & (found != wanted))


@broken.register
def _(constraint: Unique, cells: Cells, context: Context) -> Bools:
    table = pd.DataFrame({name: cells[name] for name in constraint.columns})
    return table.duplicated().to_numpy()


@broken.register
def _(constraint: RowRule, cells: Cells, context: Context) -> Bools:
    return ~constraint.expression.truth(cells, context.read)


# --- mending ----------------------------------------------------------------------------


@singledispatch
def mend(constraint: Constraint, cells: Cells, fixed: Fixed, context: Context) -> None:
    """Changes ``cells``, where they are not ``fixed``, so that rows keep ``constraint``.

    Most kinds are kept when tokens are drawn, and need nothing here.
    """


@mend.register
def _(constraint: MissingWhen, cells: Cells, fixed: Fixed, context: Context) -> None:
    empty = _holds(constraint, cells, context) & ~fixed[constraint.column]
    column = cells[constraint.column].copy()
    column[empty] = None if column.dtype == object else np.nan
    cells[constraint.column] = column


@mend.register
def _(constraint: Inequality, cells: Cells, fixed: Fixed, context: Context) -> None:
    rows = np.flatnonzero(broken(constraint, cells, context))
    names = constraint.columns
    table = np.stack([cells[name][rows] for name in names])
    free = np.stack([~fixed[name][rows] & (name not in context.computed) for name in names])
    pairs = list(itertools.combinations(range(len(names)), 2))
    for _ in names:  # sorting keeps what each row has
        swapped = False
        for i, j in pairs:
            swap = (table[i] > table[j]) & free[i] & free[j]
            if swap.any():
                table[i], table[j] = np.where(swap, (table[j], table[i]), (table[i], table[j]))
                swapped = True
        if not swapped:
            break
    _push_up(table, free, [context.columns[name] for name in names], strict=constraint.strict)
    back = [context.columns[name] for name in reversed(names)]
    mirrored = -table[::-1]
    _push_up(mirrored, free[::-1], back, strict=constraint.strict)
    table = -mirrored[::-1]
    for name, column in zip(names, table, strict=True):
        cells[name] = cells[name].copy()
        cells[name][rows] = rounded_cells(column, context.columns[name])


@mend.register
def _(constraint: Formula, cells: Cells, fixed: Fixed, context: Context) -> None:
    name, column = constraint.column, context.columns[constraint.column]
    for source in constraint.expression.columns:
        if not constraint.expression.affine_in(source) or source in context.computed:
            continue
        wrong = differ(cells[name], constraint.expression.numbers(cells), column)
        wrong &= fixed[name] & ~fixed[source] & ~np.isnan(cells[source])
        if wrong.any():
            _solve(constraint, source, np.flatnonzero(wrong), cells, context)
    wanted = rounded_cells(constraint.expression.numbers(cells), column)
    free = ~fixed[name] & ~np.isnan(wanted) & ~np.isnan(cells[name])
    cells[name] = np.where(free, wanted, cells[name])


@mend.register
def _(constraint: FixedIncrements, cells: Cells, fixed: Fixed, context: Context) -> None:
    name, column = constraint.column, context.columns[constraint.column]
    steps = np.round((cells[name] - constraint.start) / constraint.step)
    nearest = rounded_cells(constraint.start + constraint.step * steps, column)
    # A step so small that no float counts them leaves each cell on one.
    stays = fixed[name] | ~np.isfinite(steps)
    cells[name] = np.where(stays, cells[name], nearest)


@mend.register
def _(constraint: Bands, cells: Cells, fixed: Fixed, context: Context) -> None:
    name, of = constraint.column, constraint.of
    wrong = broken(constraint, cells, context)
    again = wrong & ~fixed[name]
    cells[name] = np.where(again, _band(constraint, cells, context), cells[name])
    edges = [-np.inf, *constraint.cuts, np.inf]
    for value, low, high in zip(constraint.values, edges[:-1], edges[1:], strict=True):
        wanted = context.read(name, value)
        outside = wrong & fixed[name] & ~fixed[of] & (cells[name] == wanted)
        column = context.columns[of]
        top = -_at_least(np.array([-high]), column, strict=True)[0]
        cells[of] = np.where(outside, np.clip(cells[of], low, top), cells[of])


def _push_up(table: Floats, free: Bools, columns: list[Column], *, strict: bool) -> None:
    """Moves free numbers of a chain (columns, rows) up to those before them."""
    before = np.full(table.shape[1], -np.inf)
    for i, column in enumerate(columns):
        least = _at_least(before, column, strict=strict)
        table[i] = np.where(free[i] & (table[i] < least), least, table[i])
        before = np.where(np.isnan(table[i]), before, np.maximum(before, table[i]))


def _solve(formula: Formula, source: str, rows: Ints, cells: Cells, context: Context) -> None:
    """Moves ``source`` in ``rows`` so that the formula gives what its column has."""
    part = {name: cells[name][rows] for name in formula.columns}
    zero = formula.expression.numbers({**part, source: np.zeros(len(rows))})
    slope = formula.expression.numbers({**part, source: np.ones(len(rows))}) - zero
    with np.errstate(divide="ignore", invalid="ignore"):
        solved = (part[formula.column] - zero) / slope
    solved = np.where(np.isfinite(solved), solved, part[source])
    cells[source] = cells[source].copy()
    cells[source][rows] = rounded_cells(solved, context.columns[source])


# --- helpers ----------------------------------------------------------------------------


def combination_codes(
    columns: list[npt.NDArray[Any]], context: Context, constraint: Constraint
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


def holds(condition: Expression, cells: Cells, context: Context) -> Bools:
    """Where ``condition`` is true for certain: what missing cells leave open is not."""
    return condition.truth(cells, context.read, if_unknown=False)


def _holds(constraint: MissingWhen, cells: Cells, context: Context) -> Bools:
    return holds(constraint.condition, cells, context)


def _band(constraint: Bands, cells: Cells, context: Context) -> npt.NDArray[Any]:
    values = [context.read(constraint.column, value) for value in constraint.values]
    table = np.empty(len(values), dtype=cells[constraint.column].dtype)
    table[:] = values
    found: npt.NDArray[Any] = table[
        np.searchsorted(constraint.cuts, cells[constraint.of], side="right").clip(
            max=len(values) - 1
        )
    ]
    return found


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


def _at_least(numbers: Floats, column: Column, *, strict: bool) -> Floats:
    """The least cell of ``column`` that is at least ``numbers``, or above with ``strict``."""
    if column.kind is Kind.NUMBER and column.decimals is None:
        return np.nextafter(numbers, np.inf) if strict else numbers
    unit = 10.0 ** -(column.decimals or 0)
    steps = numbers / unit
    up = np.floor(steps + 1e-6) + 1 if strict else np.ceil(steps - 1e-6)
    return np.asarray(up * unit)


def _rows(cells: Cells) -> int:
    return len(next(iter(cells.values())))
