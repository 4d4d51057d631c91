"""Cells that a condition empties: declared, found, checked, repaired."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import pandas as pd

from synthgan._typing import Bools
from synthgan.columns.column import Kind, Level
from synthgan.schema.constraints.base import (
    Cells,
    Codes,
    Context,
    Fixed,
    Needs,
    Together,
    all_combinations,
    broken,
    check_names,
    go_together,
    mend,
    needs,
    plain_name,
    require,
    work_of,
)
from synthgan.schema.constraints.fixed_null_combinations import FixedNullCombinations
from synthgan.schema.constraints.survey import Seen, in_order
from synthgan.schema.expression.expression import Expression


@dataclass(frozen=True, kw_only=True)
class MissingWhen:
    """A cell is missing exactly where ``when`` holds; with ``only`` false, at least there."""

    rule: ClassVar[str] = "missing_when"
    column: str
    when: str
    only: bool = True

    def __post_init__(self) -> None:
        require(self.rule, self.condition.is_truth, f"{self.when!r} is no comparison")
        check_names(self.rule, self.columns, least=2)

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


@work_of.register
def _(constraint: MissingWhen) -> int:
    return len(constraint.columns) + len(constraint.when) // 10


def find_missing(seen: Seen) -> Iterator[MissingWhen | FixedNullCombinations]:
    counts = {name: int(holes.sum()) for name, holes in seen.missing.items()}
    names = [
        name
        for name, count in counts.items()
        if 0 < count < seen.rows and seen.columns[name].words is None
    ]
    explained = set()
    for name in names:
        found = next(_told_by_a_level(seen, name), None)
        if found is not None:
            explained.add(name)
            yield found
    left = [name for name in names if name not in explained]
    linked = {name: {name} for name in left}
    for a, b in itertools.combinations(left, 2):
        shares = counts[a] / seen.rows, counts[b] / seen.rows
        for (first, second), (p, q) in zip(((a, b), (b, a)), (shares, shares[::-1]), strict=True):
            alone = (seen.missing[first] & ~seen.missing[second]).any()
            if not alone and p * (1 - q) >= seen.least:
                group = linked[a] | linked[b]
                for each in group:
                    linked[each] = group
    done: set[str] = set()
    for name in left:
        if len(linked[name]) > 1 and name not in done:
            done |= linked[name]
            yield FixedNullCombinations(columns=in_order(seen, linked[name]))


def _told_by_a_level(seen: Seen, name: str) -> Iterator[MissingWhen]:
    """Where ``name`` is missing exactly in the rows with one level of another column."""
    holes = seen.missing[name]
    share = float(holes.mean())
    if 2 * share * (1 - share) < seen.least:
        return
    first = int(np.argmax(holes))
    for other, codes in seen.codes.items():
        code = codes[first]
        known = seen.count(holes) >= seen.enough
        if known and other != name and code >= 0 and np.array_equal(codes == code, holes):
            level = seen.levels[other][code]
            yield MissingWhen(
                column=name, when=f"{plain_name(other)} == {_literal(seen, other, level)}"
            )


def _literal(seen: Seen, name: str, level: Level) -> str:
    kind = seen.columns[name].kind
    if kind is Kind.BOOLEAN:
        return "true" if level else "false"
    if kind is Kind.CATEGORY and isinstance(level, str):
        escaped = level.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return repr(int(level)) if float(level).is_integer() else repr(level)


@broken.register
def _(constraint: MissingWhen, cells: Cells, context: Context) -> Bools:
    missing, wanted = pd.isna(cells[constraint.column]), _holds(constraint, cells, context)
    return np.asarray(wanted & ~missing | (missing & ~wanted if constraint.only else False))


@mend.register
def _(constraint: MissingWhen, cells: Cells, fixed: Fixed, context: Context) -> None:
    empty = _holds(constraint, cells, context) & ~fixed[constraint.column]
    column = cells[constraint.column].copy()
    column[empty] = None if column.dtype == object else np.nan
    cells[constraint.column] = column


def holds(condition: Expression, cells: Cells, context: Context) -> Bools:
    """Where ``condition`` is true for certain: what missing cells leave open is not."""
    return condition.truth(cells, context.read, if_unknown=False)


def _holds(constraint: MissingWhen, cells: Cells, context: Context) -> Bools:
    return holds(constraint.condition, cells, context)


@needs.register
def _(constraint: MissingWhen) -> Needs:
    return Needs(whole=(constraint.column,))


@go_together.register
def _(constraint: MissingWhen, codes: Codes) -> Iterator[Together]:
    others = {name: codes.cells(name) for name in constraint.columns[1:]}
    found = all_combinations(others, [2, *(len(cells) for cells, _ in others.values())])
    if found is None:
        return
    grid, cells = found
    classes = [codes.is_missing(constraint.column).astype(np.int64)]
    classes += [np.arange(len(each), dtype=np.int64) for each, _ in others.values()]
    wanted = holds(constraint.condition, cells, codes.context)
    keeps = (grid[0] == 1) == wanted if constraint.only else (grid[0] == 1) | ~wanted
    yield Together(columns=constraint.columns, classes=classes, rows=grid.T[keeps])
