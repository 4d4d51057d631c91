"""A column computed from others: declared, found, checked, repaired."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from synthgan._typing import Bools, Floats, Ints
from synthgan.columns.column import Kind
from synthgan.columns.number import rounded_cells
from synthgan.errors import SchemaError
from synthgan.schema.constraints.base import (
    Cells,
    Context,
    Fixed,
    Needs,
    broken,
    check_cycles,
    check_names,
    differ,
    leads_to,
    mend,
    needs,
    plain_name,
    require,
    work_of,
)
from synthgan.schema.constraints.survey import Seen
from synthgan.schema.expression.expression import Expression


@dataclass(frozen=True, kw_only=True)
class Formula:
    """A number that follows from others, rounded as its column is; where none is missing."""

    rule: ClassVar[str] = "formula"
    column: str
    formula: str

    def __post_init__(self) -> None:
        require(self.rule, not self.expression.is_truth, f"{self.formula!r} is no number")
        check_names(self.rule, self.columns, least=2)

    @cached_property
    def expression(self) -> Expression:
        """``formula``, ready to be evaluated."""
        return Expression(self.formula)

    @property
    def columns(self) -> tuple[str, ...]:
        """The column, then those that it follows from."""
        return (self.column, *self.expression.columns)

    def __str__(self) -> str:
        return f"{plain_name(self.column)} == {self.formula}"


@work_of.register
def _(constraint: Formula) -> int:
    return len(constraint.columns) + len(constraint.formula) // 10


@leads_to.register
def _(constraint: Formula) -> Mapping[str, frozenset[str]]:
    sources = frozenset(name + "\0" for name in constraint.expression.columns)
    return {constraint.column + "\0": sources}


_FEWEST_VALUES = 10  # distinct values of a number that a formula gives
_FEWEST_PRESENT = 100  # rows
_TRIED = 24  # rows on which most formulas fail
_MOST_COLUMNS = 200

_PAIRS: tuple[tuple[str, Callable[[Floats, Floats], Floats], bool], ...] = (
    ("{} + {}", np.add, True),
    ("{} * {}", np.multiply, True),
    ("{} / {}", np.divide, False),
)
"""How two numbers make a third, and whether their order is all one."""


def find_formulas(seen: Seen) -> list[Formula]:
    """Numbers that follow from one other, or two: at most one formula a column, no circles."""
    names = [
        name
        for name in seen.of_kind(Kind.NUMBER, Kind.INTEGER)
        if len(np.unique(seen.numbers[name][seen.sample])) > _FEWEST_VALUES
    ][:_MOST_COLUMNS]
    found: list[Formula] = []
    taken: set[frozenset[str]] = set()
    for formula in itertools.chain(_multiples(seen, names), _of_two(seen, names)):
        parts = frozenset(formula.columns)
        has_one = any(other.column == formula.column for other in found)
        if has_one or any(parts >= other for other in taken):
            continue
        try:
            check_cycles([*found, formula])
        except SchemaError:
            continue
        found.append(formula)
        taken.add(parts)
    return found


def _multiples(seen: Seen, names: Sequence[str]) -> Iterator[Formula]:
    """One number is another one, or so many times it."""
    tried = seen.sample[:_TRIED]
    table = np.stack([seen.numbers[name][tried] for name in names]) if names else np.zeros((0, 0))
    for first in names:
        for second in (names[k] for k in _nearly_multiples(table, names.index(first)).tolist()):
            formula = _multiple(seen, first, second)
            if formula is not None and _holds(seen, formula):
                yield formula


def _nearly_multiples(table: Floats, of: int) -> Ints:
    """Columns (d, rows) that are about some number times the column ``of``."""
    with np.errstate(all="ignore"):
        ratios = np.where(table[of] != 0, table / table[of], np.nan)
        low, high = np.fmin.reduce(ratios, axis=1), np.fmax.reduce(ratios, axis=1)
        near = high - low <= 0.2 * np.maximum(np.abs(low), np.abs(high))
    near[of] = False
    return np.flatnonzero(near)


def _multiple(seen: Seen, first: str, second: str) -> Formula | None:
    """The second as so many times the first, if it is about that."""
    x, y = seen.numbers[first][seen.sample], seen.numbers[second][seen.sample]
    with np.errstate(all="ignore"):
        ratios = y / x
    ratios = ratios[np.isfinite(ratios) & (x != 0)]
    if len(ratios) < _FEWEST_VALUES or np.ptp(ratios) > 0.1 * abs(float(np.median(ratios))):
        return None
    largest = np.nanargmax(np.abs(np.where(np.isfinite(y), x, np.nan)))
    factor = float(f"{y[largest] / x[largest]:.4g}")
    if factor == 0:
        return None
    name = plain_name(first)
    return Formula(column=second, formula=name if factor == 1 else f"{name} * {factor:.15g}")


def _of_two(seen: Seen, names: Sequence[str]) -> Iterator[Formula]:
    """Sums, products and ratios."""
    tried = seen.sample[:_TRIED]
    table = np.stack([seen.numbers[name][tried] for name in names]) if names else np.zeros((0, 0))
    columns = [seen.columns[name] for name in names]
    for template, operate, commutes in _PAIRS:
        for i, j in itertools.permutations(range(len(names)), 2):
            if commutes and i > j:
                continue
            with np.errstate(all="ignore"):
                made = operate(table[i], table[j])
            for k in np.flatnonzero(_near(table, made)).tolist():
                if k in (i, j) or differ(table[k], made, columns[k]).any():
                    continue
                text = template.format(plain_name(names[i]), plain_name(names[j]))
                formula = Formula(column=names[k], formula=text)
                if _holds(seen, formula) and _needs_both(seen, formula, names[i], names[j]):
                    yield formula


def _near(table: Floats, made: Floats) -> Bools:
    """Which columns (d, rows) are about ``made``: half a unit apart at most."""
    with np.errstate(invalid="ignore"):
        apart = np.abs(table - made) > 0.51 + 1e-6 * np.abs(made)
    return np.asarray(~apart.any(axis=1))


def _holds(seen: Seen, formula: Formula) -> bool:
    cells = {name: seen.numbers[name] for name in formula.columns}
    wanted = formula.expression.numbers(cells)
    found = cells[formula.column]
    present = ~np.isnan(wanted) & ~np.isnan(found)
    if present.sum() < max(_FEWEST_PRESENT, seen.rows / 2):
        return False
    divides = formula.expression.divides_by_zero(cells).any()
    return not (divides or differ(found, wanted, seen.columns[formula.column]).any())


def _needs_both(seen: Seen, formula: Formula, first: str, second: str) -> bool:
    """Whether neither part alone would do nearly always."""
    found = seen.numbers[formula.column]
    tolerance = 0.01 * np.abs(found)
    for part in (first, second):
        with np.errstate(invalid="ignore"):
            if (np.abs(found - seen.numbers[part]) > tolerance).mean() < seen.least:
                return False
    return True


@broken.register
def _(constraint: Formula, cells: Cells, context: Context) -> Bools:
    found, wanted = cells[constraint.column], constraint.expression.numbers(cells)
    return differ(found, wanted, context.columns[constraint.column])


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


@needs.register
def _(constraint: Formula) -> Needs:
    return Needs(numbers=constraint.columns)
