"""Finds rules that all real rows keep, and that columns drawn independently would break.

Three kinds: one column is never above another; one column of few values decides another; where
one column is missing, another is too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from synthgan._typing import Bools, Floats, Ints, Objects
from synthgan.columns.column import Kind
from synthgan.metrics.columns import Cells, Columns, recode

_LEAST_SHARE = 0.01  # of rows that independent columns must break a rule in
_LEAST_BROKEN = 30  # and as many rows
_SAMPLE = 2_000  # rows that most rules fail on already
_FEW_VALUES = 100
_TRUSTED = 5  # rows that show which value another one decides
_MOST_RULES = 2_000  # of a kind


@dataclass(frozen=True, eq=False, kw_only=True)
class Coded:
    """One table as rules see it."""

    rows: int
    numbers: dict[str, Floats]
    codes: dict[str, Ints]
    """Columns of few values; -1 where missing, the number of values where unknown."""
    missing: dict[str, Bools]


@dataclass(frozen=True, eq=False, kw_only=True)
class Values:
    """What the columns may hold, as the real rows fixed it."""

    columns: Columns
    numbers: dict[str, Floats]
    """Values of each column of numbers that has few."""
    levels: dict[str, Objects]
    """Levels of each categorical column."""

    @classmethod
    def of(cls, columns: Columns, real: Cells) -> Values:
        """The values in ``real``."""
        numbers = {}
        for name, x in real.numbers.items():
            distinct = np.unique(x[~np.isnan(x)])
            if len(distinct) <= _FEW_VALUES:
                numbers[name] = distinct
        levels = {
            name: np.asarray(cells.categories, dtype=object)
            for name, cells in real.categories.items()
        }
        return cls(columns=columns, numbers=numbers, levels=levels)

    def size(self, name: str) -> int:
        """Number of values of a column that has codes."""
        return len(self.numbers[name] if name in self.numbers else self.levels[name])

    def read(self, cells: Cells) -> Coded:
        """``cells`` as rules see them."""
        codes = {
            name: recode(cells.categories[name], levels, len(levels), -1)
            for name, levels in self.levels.items()
        }
        for name, values in self.numbers.items():
            x = cells.numbers[name]
            places = np.searchsorted(values, x)
            known = np.append(values, np.nan)[places] == x
            codes[name] = np.where(np.isnan(x), -1, np.where(known, places, len(values)))
        missing = {name: np.isnan(x) for name, x in cells.numbers.items()}
        missing |= {name: np.asarray(x.codes < 0) for name, x in cells.categories.items()}
        return Coded(rows=len(cells), numbers=cells.numbers, codes=codes, missing=missing)


@dataclass(frozen=True, kw_only=True)
class Order:
    """One column is never above another, where both are present."""

    columns: tuple[str, str]

    @property
    def text(self) -> str:
        """In words."""
        return f"{self.columns[0]!r} is never above {self.columns[1]!r}"

    def broken(self, table: Coded) -> Bools:
        """Which rows break it."""
        broken: Bools = table.numbers[self.columns[0]] > table.numbers[self.columns[1]]
        return broken


@dataclass(frozen=True, eq=False, kw_only=True)
class Decides:
    """A functional dependency: rows with the same value of one column share that of another."""

    columns: tuple[str, str]
    values: Ints
    """Code of the second column by code of the first; -1 where it is not known."""

    @property
    def text(self) -> str:
        """In words."""
        return f"{self.columns[0]!r} decides {self.columns[1]!r}"

    def broken(self, table: Coded) -> Bools:
        """Which rows violate it; missing cells violate nothing."""
        wanted = self.values[table.codes[self.columns[0]]]
        found = table.codes[self.columns[1]]
        broken: Bools = (wanted >= 0) & (found >= 0) & (found != wanted)
        return broken


@dataclass(frozen=True, kw_only=True)
class Missing:
    """Where one column is missing, another is; ``both``: and the other way round."""

    columns: tuple[str, str]
    both: bool

    @property
    def text(self) -> str:
        """In words."""
        first, second = self.columns
        if self.both:
            return f"{first!r} and {second!r} are missing together"
        return f"where {first!r} is missing, {second!r} is too"

    def broken(self, table: Coded) -> Bools:
        """Which rows break it."""
        first, second = (table.missing[name] for name in self.columns)
        return first != second if self.both else first & ~second


Rule = Order | Decides | Missing


def find_rules(
    values: Values, real: Cells, independent: Cells, rng: np.random.Generator
) -> list[Rule]:
    """Rules that every row of ``real`` keeps.

    Columns drawn independently break each in 1 % of the rows at least, and in 30 of as many rows
    as ``real`` has, so that hardly any is kept by chance. At most 2,000 of a kind.
    """
    table = values.read(real)
    sample = values.read(real.pick(_SAMPLE, rng))
    naive = values.read(independent.pick(_SAMPLE, rng))
    least = max(_LEAST_SHARE, _LEAST_BROKEN / table.rows)
    return [
        *islice(_orders(values, table, sample, naive, least), _MOST_RULES),
        *islice(_dependencies(values, table, sample, least), _MOST_RULES),
        *islice(_missing(values, table, least), _MOST_RULES),
    ]


def _orders(
    values: Values, table: Coded, sample: Coded, naive: Coded, least: float
) -> Iterator[Order]:
    layout = [column for column in values.columns.layout if column.kind.is_numeric]
    for dates in (False, True):
        names = [column.name for column in layout if (column.kind is Kind.DATETIME) == dates]
        if len(names) < 2:
            continue
        seen, drawn = (np.stack([side.numbers[name] for name in names]) for side in (sample, naive))
        for a, name in enumerate(names):
            kept = ~(seen[a] > seen).any(axis=1)
            kept &= (drawn[a] > drawn).mean(axis=1) >= least
            for b in np.flatnonzero(kept):
                rule = Order(columns=(name, names[b]))
                if not rule.broken(table).any():
                    yield rule


def _dependencies(values: Values, table: Coded, sample: Coded, least: float) -> Iterator[Decides]:
    names = [name for name in values.columns.names if name in sample.codes]
    names = [name for name in names if values.size(name) > 1]
    codes = {name: table.codes[name] for name in names}
    for first in names:
        size = values.size(first)
        for second in names:
            if first == second or _decided(sample.codes[first], sample.codes[second], size) is None:
                continue
            decided = _decided(codes[first], codes[second], size)
            if decided is None:
                continue
            if _expected(codes[first], codes[second], decided, values.size(second)) >= least:
                yield Decides(columns=(first, second), values=decided)


def _decided(first: Ints, second: Ints, size: int) -> Ints | None:
    """What each value of ``first`` decides, on enough rows; None if some decides nothing."""
    held = (first >= 0) & (second >= 0)
    first, second = first[held], second[held]
    values = np.full(size + 2, -1)  # the last two: unknown, missing
    values[first] = second
    if (values[first] != second).any():
        return None
    values[np.bincount(first, minlength=size + 2) < _TRUSTED] = -1
    return values


def _expected(first: Ints, second: Ints, decided: Ints, size: int) -> float:
    """Share of rows in which columns drawn independently break a dependency."""
    held = first[first >= 0]
    wanted = decided[held]
    shares = np.bincount(second[second >= 0], minlength=size) / len(second)
    present = float(shares.sum())
    return float((present - shares[wanted[wanted >= 0]]).sum() / len(first))


def _missing(values: Values, table: Coded, least: float) -> Iterator[Missing]:
    counts = {name: int(table.missing[name].sum()) for name in values.columns.names}
    names = [name for name, count in counts.items() if 0 < count < table.rows]
    if len(names) < 2:
        return
    holes = np.stack([table.missing[name] for name in names]).astype(np.float32)
    alone = holes @ (1 - holes).T
    shares = np.array([counts[name] for name in names]) / table.rows
    rule = (alone == 0) & (np.outer(shares, 1 - shares) >= least)
    np.fill_diagonal(rule, False)
    for a, b in np.argwhere(rule):
        if alone[b, a] > 0:
            yield Missing(columns=(names[a], names[b]), both=False)
        elif a < b:
            yield Missing(columns=(names[a], names[b]), both=True)
