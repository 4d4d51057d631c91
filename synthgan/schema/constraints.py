"""Rules between the columns of a row, as their owner would state them.

A constraint is declared in a schema or discovered from a table; either way every row that is
drawn keeps it. Of the data a constraint holds nothing but what its fields say.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, singledispatch
from typing import Any, ClassVar, TypeAlias

from synthgan.errors import SchemaError
from synthgan.schema.expression import Expression

Level = str | int | float | bool
"""One category: what a cell of a categorical column can hold."""


@dataclass(frozen=True, kw_only=True)
class FixedCombinations:
    """Only those combinations of cells that the table has: a functional dependency, or pairs
    such as city and country. ``values`` declares them; None takes those that enough rows share.
    """

    rule: ClassVar[str] = "fixed_combinations"
    columns: tuple[str, ...]
    values: tuple[tuple[Level | None, ...], ...] | None = None

    def __post_init__(self) -> None:
        _check_names(self.rule, self.columns, least=2)
        for row in self.values or ():
            _require(
                self.rule, len(row) == len(self.columns), "each of values needs a cell a column"
            )
        _require(self.rule, self.values is None or len(self.values) > 0, "values must not be empty")

    def __str__(self) -> str:
        return f"{_listed(self.columns)} only in combinations that the table has"


@dataclass(frozen=True, kw_only=True)
class FixedNullCombinations:
    """Cells of these columns are missing together only in the patterns that the table has."""

    rule: ClassVar[str] = "fixed_null_combinations"
    columns: tuple[str, ...]

    def __post_init__(self) -> None:
        _check_names(self.rule, self.columns, least=2)

    def __str__(self) -> str:
        return f"{_listed(self.columns)} missing only in patterns that the table has"


@dataclass(frozen=True, kw_only=True)
class MissingWhen:
    """A cell is missing exactly where ``when`` holds; with ``only`` false, at least there."""

    rule: ClassVar[str] = "missing_when"
    column: str
    when: str
    only: bool = True

    def __post_init__(self) -> None:
        _require(self.rule, self.condition.is_truth, f"{self.when!r} is no comparison")
        _check_names(self.rule, self.columns, least=2)

    @cached_property
    def condition(self) -> Expression:
        """``when``, ready to be evaluated."""
        return Expression(self.when)

    @property
    def columns(self) -> tuple[str, ...]:
        """The column, then those that decide."""
        return (self.column, *self.condition.columns)

    def __str__(self) -> str:
        return f"{self.column!r} is missing {'exactly ' * self.only}where {self.when}"


@dataclass(frozen=True, kw_only=True)
class Inequality:
    """Numbers or dates that never fall from column to column: start <= end <= paid.

    Missing cells are left out of the chain.
    """

    rule: ClassVar[str] = "inequality"
    columns: tuple[str, ...]
    strict: bool = False
    """Whether they must rise."""

    def __post_init__(self) -> None:
        _check_names(self.rule, self.columns, least=2)

    def __str__(self) -> str:
        return (" < " if self.strict else " <= ").join(map(plain_name, self.columns))


@dataclass(frozen=True, kw_only=True)
class Formula:
    """A number that follows from others, rounded as its column is; where none is missing."""

    rule: ClassVar[str] = "formula"
    column: str
    formula: str

    def __post_init__(self) -> None:
        _require(self.rule, not self.expression.is_truth, f"{self.formula!r} is no number")
        _check_names(self.rule, self.columns, least=2)

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


@dataclass(frozen=True, kw_only=True)
class OneHot:
    """Exactly one of these columns of 0 and 1, or of truth values, is set in a row."""

    rule: ClassVar[str] = "one_hot"
    columns: tuple[str, ...]
    or_none: bool = False
    """Whether a row may have none of them set."""

    def __post_init__(self) -> None:
        _check_names(self.rule, self.columns, least=2)

    def __str__(self) -> str:
        return f"{'at most' if self.or_none else 'exactly'} one of {_listed(self.columns)} is set"


@dataclass(frozen=True, kw_only=True)
class FixedIncrements:
    """Numbers in steps: ``start`` plus a multiple of ``step``."""

    rule: ClassVar[str] = "fixed_increments"
    column: str
    step: float
    start: float = 0.0

    def __post_init__(self) -> None:
        fit = math.isfinite(self.step) and self.step > 0 and math.isfinite(self.start)
        _require(self.rule, fit, "step must be finite and above 0, start finite")

    @property
    def columns(self) -> tuple[str, ...]:
        """The column, as a tuple."""
        return (self.column,)

    def __str__(self) -> str:
        start = f"{self.start:g} plus " * (self.start != 0)
        return f"{plain_name(self.column)} is {start}a multiple of {self.step:g}"


@dataclass(frozen=True, kw_only=True)
class Bands:
    """A code that stands for a stretch of a number: an age group, a tax class, a grade.

    Code i stands for numbers from ``cuts[i - 1]`` to below ``cuts[i]``.
    """

    rule: ClassVar[str] = "bands"
    column: str
    of: str
    cuts: tuple[float, ...]
    values: tuple[Level, ...]

    def __post_init__(self) -> None:
        _check_names(self.rule, self.columns, least=2)
        rising = all(low < high for low, high in zip(self.cuts[:-1], self.cuts[1:], strict=True))
        _require(self.rule, len(self.cuts) > 0 and rising, "cuts must rise, and be at least one")
        fit = len(self.values) == len(self.cuts) + 1
        _require(self.rule, fit, "values must be one more than cuts")

    @property
    def columns(self) -> tuple[str, ...]:
        """The code, then the number."""
        return (self.column, self.of)

    def __str__(self) -> str:
        return f"{plain_name(self.column)} is a band of {plain_name(self.of)}"


@dataclass(frozen=True, kw_only=True)
class Unique:
    """No two rows of a sample have the same cells in these columns; missing ones count too."""

    rule: ClassVar[str] = "unique"
    columns: tuple[str, ...]

    def __post_init__(self) -> None:
        _check_names(self.rule, self.columns, least=1)

    def __str__(self) -> str:
        return f"{_listed(self.columns)} {'is' if len(self.columns) == 1 else 'are'} unique"


@dataclass(frozen=True, kw_only=True)
class RowRule:
    """Any rule that a row can be checked for, such as ``age >= 18 or married == "no"``.

    As a check in SQL, it is kept where missing cells leave it open.
    """

    rule: ClassVar[str] = "row_rule"
    keep: str

    def __post_init__(self) -> None:
        _require(self.rule, self.expression.is_truth, f"{self.keep!r} is no comparison")

    @cached_property
    def expression(self) -> Expression:
        """``keep``, ready to be evaluated."""
        return Expression(self.keep)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it names."""
        return self.expression.columns

    def __str__(self) -> str:
        return self.keep


MOST_WORK = 20_000
"""What all constraints of a schema may ask for together: see :func:`work_of`."""

Constraint: TypeAlias = (
    FixedCombinations
    | FixedNullCombinations
    | MissingWhen
    | Inequality
    | Formula
    | OneHot
    | FixedIncrements
    | Bands
    | Unique
    | RowRule
)


@singledispatch
def work_of(constraint: Any) -> int:
    """How many comparisons of columns a row takes, or about so many operations."""
    return len(constraint.columns)


@work_of.register
def _(constraint: Inequality) -> int:
    return len(constraint.columns) * (len(constraint.columns) - 1) // 2  # each column with each


@work_of.register
def _(constraint: Bands) -> int:
    return len(constraint.values)


@work_of.register
def _(constraint: FixedCombinations) -> int:
    return len(constraint.columns) + len(constraint.values or ()) // 1000


@work_of.register
def _(constraint: Formula) -> int:
    return len(constraint.columns) + len(constraint.formula) // 10


@work_of.register
def _(constraint: MissingWhen) -> int:
    return len(constraint.columns) + len(constraint.when) // 10


@work_of.register
def _(constraint: RowRule) -> int:
    return len(constraint.columns) + len(constraint.keep) // 10


@singledispatch
def leads_to(constraint: Any) -> Mapping[str, frozenset[str]]:
    """Which columns lie before which others: no path may come back to where it began. Formulas
    have paths of their own, whose names end with a NUL."""
    return {}


@leads_to.register
def _(constraint: Inequality) -> Mapping[str, frozenset[str]]:
    steps = zip(constraint.columns[:-1], constraint.columns[1:], strict=True)
    return {low: frozenset([high]) for low, high in steps} if constraint.strict else {}


@leads_to.register
def _(constraint: Formula) -> Mapping[str, frozenset[str]]:
    sources = frozenset(name + "\0" for name in constraint.expression.columns)
    return {constraint.column + "\0": sources}


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


def _check_names(rule: str, columns: Sequence[str], *, least: int) -> None:
    _require(rule, len(columns) >= least, f"needs at least {least} columns")
    twice = next((name for name, count in Counter(columns).items() if count > 1), None)
    if twice is not None:
        raise SchemaError(f"constraint {rule}: column {twice!r} is named twice")


def _require(rule: str, holds: bool, message: str) -> None:
    if not holds:
        raise SchemaError(f"constraint {rule}: {message}")


def plain_name(name: str) -> str:
    """``name`` as it stands in an expression."""
    return name if name.isidentifier() else f"`{name}`"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))
