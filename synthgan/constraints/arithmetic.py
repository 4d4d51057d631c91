"""The search for rules between numbers: formulas, orders, steps."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from synthgan.constraints.cells import differ
from synthgan.constraints.seen import Seen
from synthgan.errors import SchemaError
from synthgan.schema import (
    FixedCombinations,
    FixedIncrements,
    Formula,
    Inequality,
    Kind,
)
from synthgan.schema.constraints import check_cycles, plain_name

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_FEWEST_VALUES = 10  # distinct values of a number that a formula gives
_FEWEST_PRESENT = 100  # rows
_TRIED = 24  # rows on which most formulas fail
_MOST_COLUMNS = 200
_MOST_WHOLE = 2**53

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


def find_steps(seen: Seen) -> Iterator[FixedIncrements]:
    """Numbers of many values that lie on a grid coarser than their decimals."""
    for name in seen.of_kind(Kind.NUMBER, Kind.INTEGER):
        decimals = seen.columns[name].decimals if seen.columns[name].kind is Kind.NUMBER else 0
        if name in seen.codes or decimals is None:
            continue
        numbers = seen.numbers[name][~seen.missing[name]] * 10.0**decimals
        if np.abs(numbers).max() >= _MOST_WHOLE:
            continue
        whole = np.rint(numbers).astype(np.int64)
        step = int(np.gcd.reduce(whole - whole.min()))
        if step > 1:
            start = int(whole.min() % step) / 10.0**decimals
            yield FixedIncrements(column=name, step=step / 10.0**decimals, start=start)
