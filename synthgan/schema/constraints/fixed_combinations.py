"""Combinations of categories that there are: declared, found, checked."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from synthgan._typing import Bools, Ints
from synthgan.columns.column import Level
from synthgan.errors import SchemaError
from synthgan.schema.constraints.base import (
    Cells,
    Codes,
    Context,
    Needs,
    Together,
    broken,
    check_names,
    combination_codes,
    go_together,
    listed,
    needs,
    require,
    work_of,
)
from synthgan.schema.constraints.survey import TRUSTED, Seen, in_order


@dataclass(frozen=True, kw_only=True)
class FixedCombinations:
    """Only those combinations of cells that the table has: a functional dependency, or pairs
    such as city and country. ``values`` declares them; None takes those that enough rows share.
    """

    rule: ClassVar[str] = "fixed_combinations"
    columns: tuple[str, ...]
    values: tuple[tuple[Level | None, ...], ...] | None = None

    def __post_init__(self) -> None:
        check_names(self.rule, self.columns, least=2)
        for row in self.values or ():
            require(
                self.rule, len(row) == len(self.columns), "each of values needs a cell a column"
            )
        require(self.rule, self.values is None or len(self.values) > 0, "values must not be empty")

    def __str__(self) -> str:
        return f"{listed(self.columns)} only in combinations that the table has"


@work_of.register
def _(constraint: FixedCombinations) -> int:
    return len(constraint.columns) + len(constraint.values or ()) // 1000


_MOSTLY = 0.5  # of the rows must have such a value


def find_dependencies(seen: Seen) -> Iterator[FixedCombinations]:
    """Columns that decide another one, as few constraints as say it all."""
    named = [name for name in seen.codes if _can_be_named(seen, name)]
    decides = {first: set[str]() for first in named}
    for first, second in itertools.permutations(named, 2):
        if _decides(seen, first, second):
            decides[first].add(second)
    groups: list[tuple[str, ...]] = []
    for name in decides:  # those that decide each other are one
        if not any(name in group for group in groups):
            groups.append((name, *(o for o in decides[name] if name in decides[o])))
    yield from (FixedCombinations(columns=in_order(seen, g)) for g in groups if len(g) > 1)
    heads = [group[0] for group in groups]
    for first, second in itertools.permutations(heads, 2):
        if second in decides[first]:
            between = (o for o in heads if o in decides[first] and second in decides[o])
            if all(o == second for o in between):
                yield FixedCombinations(columns=(first, second))


def _can_be_named(seen: Seen, name: str) -> bool:
    """Whether enough people have each value of a number column: others have no code of their own,
    so that nothing could be said of them."""
    if name not in seen.numbers:
        return True
    people = seen.people_of(seen.codes[name], len(seen.levels[name]))
    return bool(people.min() >= seen.enough)


def _decides(seen: Seen, first: str, second: str) -> bool:
    """Whether rows with the same value of ``first`` share that of ``second``, and by no chance."""
    size = len(seen.levels[first])
    a, b = seen.codes[first], seen.codes[second]
    if size < len(seen.levels[second]) or _decided(a[seen.sample], b[seen.sample], size) is None:
        return False
    decided = _decided(a, b, size)
    if decided is None:
        return False
    held = (a >= 0) & (b >= 0)
    decided[seen.people_of(a, size, held) < TRUSTED] = -1
    wanted = decided[a[held]]
    shares = np.bincount(b[held]) / max(held.sum(), 1)  # where the first says anything
    expected = (1 - shares[wanted[wanted >= 0]]).sum() / seen.rows
    return bool(expected >= seen.least and (wanted >= 0).mean() >= _MOSTLY)


def _decided(first: Ints, second: Ints, size: int) -> Ints | None:
    """What each value of ``first`` decides; None if some decides nothing."""
    held = (first >= 0) & (second >= 0)
    first, second = first[held], second[held]
    values = np.full(size, -1)
    values[first] = second
    if (values[first] != second).any():
        return None
    return values


@broken.register
def _(constraint: FixedCombinations, cells: Cells, context: Context) -> Bools:
    known = combination_codes([cells[name] for name in constraint.columns], context, constraint)
    return np.asarray(known < 0)


@needs.register
def _(constraint: FixedCombinations) -> Needs:
    return Needs(whole=constraint.columns)


@go_together.register
def _(constraint: FixedCombinations, codes: Codes) -> Iterator[Together]:
    patterns = codes.context.patterns[constraint]
    classes, columns = [], []
    for i, name in enumerate(constraint.columns):
        cells, exact = codes.cells(name)
        if not exact.all():
            raise SchemaError(
                f"constraint {constraint}: column {name!r} has too many different numbers to "
                "be combined; make it a category in the schema"
            )
        place = {_key(cell): code for code, cell in enumerate(cells.tolist())}
        classes.append(np.arange(len(cells), dtype=np.int64))
        columns.append([place.get(_key(pattern[i]), -1) for pattern in patterns])
    rows = np.array(columns, dtype=np.int64).T
    kept = rows[(rows >= 0).all(axis=1)]
    yield Together(columns=constraint.columns, classes=classes, rows=kept)


def _key(cell: object) -> object:
    """Cells that are one level have one key: 1 and 1.0, but neither True nor "1"."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return None
    return (isinstance(cell, bool), cell)
