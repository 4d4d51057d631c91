"""Columns in order: declared, found, checked, repaired."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from synthgan._typing import Bools, Floats
from synthgan.columns.column import Column, Kind
from synthgan.columns.number import rounded_cells
from synthgan.schema.constraints.base import (
    Cells,
    Codes,
    Context,
    Fixed,
    Needs,
    Together,
    at_least,
    broken,
    check_names,
    go_together,
    in_order,
    leads_to,
    mend,
    needs,
    pairs,
    plain_name,
    rows,
    work_of,
)
from synthgan.schema.constraints.fixed_combinations import FixedCombinations
from synthgan.schema.constraints.formula import Formula
from synthgan.schema.constraints.survey import Seen


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
        check_names(self.rule, self.columns, least=2)

    def __str__(self) -> str:
        return (" < " if self.strict else " <= ").join(map(plain_name, self.columns))


@work_of.register
def _(constraint: Inequality) -> int:
    return len(constraint.columns) * (len(constraint.columns) - 1) // 2  # each column with each


@leads_to.register
def _(constraint: Inequality) -> Mapping[str, frozenset[str]]:
    steps = zip(constraint.columns[:-1], constraint.columns[1:], strict=True)
    return {low: frozenset([high]) for low, high in steps} if constraint.strict else {}


def find_inequalities(
    seen: Seen, formulas: Sequence[Formula], dependencies: Iterable[FixedCombinations]
) -> list[Inequality]:
    """Chains of numbers, or of dates, that never fall."""
    told = {
        frozenset(pair) for each in dependencies for pair in itertools.combinations(each.columns, 2)
    }
    for formula in formulas:
        told |= _ordered_by(seen, formula)
    told |= _multiples_of_one(formulas)
    edges: dict[str, set[str]] = {name: set() for name in seen.numbers}
    for low, high in _pairs(seen):
        if frozenset((low, high)) not in told and low not in edges[high]:
            edges[low].add(high)
    return [Inequality(columns=chain, strict=_rises(seen, chain)) for chain in _chains(edges)]


def _ordered_by(seen: Seen, formula: Formula) -> set[frozenset[str]]:
    """Pairs whose order the formula implies: of a multiple, or of a sum, product or ratio of
    numbers that are not negative (and, where they multiply or divide, not below 1)."""
    target, *parts = formula.columns
    least = {part: np.nanmin(seen.numbers[part]) for part in parts}
    if len(parts) == 1:
        return {frozenset((target, parts[0]))}
    if min(least.values()) < 0:
        return set()
    first, second = parts
    implied = {part for part, other in ((first, second), (second, first)) if least[other] >= 1}
    if "+" in formula.formula:
        implied = {first, second}
    elif "/" in formula.formula:
        implied &= {first}
    return {frozenset((target, part)) for part in implied}


def _multiples_of_one(formulas: Iterable[Formula]) -> set[frozenset[str]]:
    """Pairs of columns that are multiples of the same one."""
    alike: dict[str, set[str]] = {}
    for formula in formulas:
        target, *parts = formula.columns
        if len(parts) == 1:
            group = alike.get(target, {target}) | alike.get(parts[0], {parts[0]})
            alike |= dict.fromkeys(group, group)
    groups = alike.values()
    return {frozenset(pair) for group in groups for pair in itertools.combinations(group, 2)}


def _pairs(seen: Seen) -> Iterator[tuple[str, str]]:
    for kinds in ((Kind.NUMBER, Kind.INTEGER), (Kind.DATETIME,)):
        names = seen.of_kind(*kinds)
        if len(names) < 2:
            continue
        table = np.stack([seen.numbers[name][seen.sample] for name in names])
        for i, low in enumerate(names):
            kept = ~(table[i] > table).any(axis=1)
            for j in np.flatnonzero(kept):
                same = seen.columns[low].resolution == seen.columns[names[j]].resolution
                if i != j and same and _is_order(seen, low, names[j]):
                    yield low, names[j]


def _is_order(seen: Seen, low: str, high: str) -> bool:
    below, above = seen.numbers[low], seen.numbers[high]
    both = ~np.isnan(below) & ~np.isnan(above)
    if both.mean() < 0.1 or (below[both] > above[both]).any():
        return False
    ordered = np.sort(above[both][: len(seen.sample)])
    by_chance = np.searchsorted(ordered, below[both][: len(seen.sample)], side="left").mean()
    return bool(by_chance / len(ordered) * both.mean() >= seen.least)


def _rises(seen: Seen, chain: Sequence[str]) -> bool:
    """Whether no two of the chain are ever equal, though they are counted in like units."""
    kinds = {seen.columns[name].kind for name in chain}
    if kinds == {Kind.NUMBER}:
        return False
    pairs = itertools.combinations(chain, 2)
    return not any((seen.numbers[a] == seen.numbers[b]).any() for a, b in pairs)


def _chains(edges: dict[str, set[str]]) -> Iterator[tuple[str, ...]]:
    """Paths through a directed graph without circles that, with what they imply, say all of it."""
    direct = {
        node: {o for o in nexts if not any(o in edges[between] for between in nexts)}
        for node, nexts in edges.items()
    }
    enters = {name for nexts in direct.values() for name in nexts}
    starts = [name for name in direct if name not in enters]
    for start in [*starts, *direct]:
        while direct[start]:
            chain = [start]
            while direct[chain[-1]]:
                chain.append(direct[chain[-1]].pop())
            yield tuple(chain)


@broken.register
def _(constraint: Inequality, cells: Cells, context: Context) -> Bools:
    wrong = np.zeros(rows(cells), dtype=bool)
    for low, high in itertools.combinations(constraint.columns, 2):
        with np.errstate(invalid="ignore"):
            wrong |= cells[low] > cells[high]
            wrong |= constraint.strict & (cells[low] == cells[high])
    return wrong


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


def _push_up(table: Floats, free: Bools, columns: list[Column], *, strict: bool) -> None:
    """Moves free numbers of a chain (columns, rows) up to those before them."""
    before = np.full(table.shape[1], -np.inf)
    for i, column in enumerate(columns):
        least = at_least(before, column, strict=strict)
        table[i] = np.where(free[i] & (table[i] < least), least, table[i])
        before = np.where(np.isnan(table[i]), before, np.maximum(before, table[i]))


@needs.register
def _(constraint: Inequality) -> Needs:
    return Needs(numbers=constraint.columns, one_scale=True)


@in_order.register
def _(constraint: Inequality) -> Iterator[tuple[str, str]]:
    yield from itertools.combinations(constraint.columns, 2)


@go_together.register
def _(constraint: Inequality, codes: Codes) -> Iterator[Together]:
    for low, high in in_order(constraint):
        bottom, top = codes.ends(low)[0], codes.ends(high)[1]
        with np.errstate(invalid="ignore"):
            fits = ~np.asarray(bottom[:, None] > top[None, :])
        yield pairs(low, high, fits)
