"""How far apart two columns in order are, as a column of its own.

Bins of dates that span a year are wider than most stays are long: of an admission and a discharge
drawn side by side hardly more is right than their order. So where the difference is small beside
what the columns span it is learned as well, and the later column is written as the earlier one
plus the difference. It never comes out by itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synthgan._typing import Bools, Floats
from synthgan.columns.column import Column, Kind
from synthgan.columns.date_format import NANOSECONDS, Resolution
from synthgan.columns.number import rounded_cells
from synthgan.errors import SchemaError
from synthgan.schema.constraints.base import Cells, Fixed
from synthgan.schema.constraints.formula import Formula
from synthgan.schema.constraints.inequality import Inequality
from synthgan.schema.schema import Schema

_LONG = 2  # days: of a longer gap, the time of day at its end says more than its length to the hour

Keep = Callable[[str, Floats], Floats]
"""Moves dates of a column, by a day or two at most, to days and times that the column keeps to."""


@dataclass(frozen=True)
class Gap:
    """The difference of two columns of dates."""

    low: str
    high: str
    column: Column
    """What its cells are: whole numbers in units of the two, 0 or more."""
    resolution: Resolution
    """Their unit."""
    rule: Inequality
    """By which they are in order."""

    @property
    def name(self) -> str:
        """Its name, where columns are distinguished by name."""
        return self.column.name

    @staticmethod
    def of(schema: Schema, low: str, high: str) -> Gap:
        """The difference of two columns of ``schema``."""
        name = f"{high} - {low}"
        while name in schema.names:
            name += "'"
        column = Column(name=name, kind=Kind.INTEGER, dtype="float64", nullable=True)
        rule = next(
            each
            for each in schema.constraints
            if isinstance(each, Inequality) and (low, high) in itertools.pairwise(each.columns)
        )
        return Gap(low, high, column, schema[low].resolution or "s", rule)

    def cells(self, cells: Cells) -> Floats:
        """The difference (rows); NaN where either date is missing."""
        low, high = cells[self.low], cells[self.high]
        known = ~np.isnan(low) & ~np.isnan(high)
        found = np.full(len(low), np.nan)
        found[known] = rounded_cells(high[known] - low[known], self.column)
        return found


def possible_gaps(schema: Schema) -> tuple[tuple[str, str], ...]:
    """Neighbours (low, high) in chains of dates that never fall, and that no formula computes.

    Numbers are left alone: amounts are often round, which the sum of two drawn ones is not.
    """
    computed = {rule.column for rule in schema.constraints if isinstance(rule, Formula)}
    pairs = (
        pair
        for rule in schema.constraints
        if isinstance(rule, Inequality)
        for pair in itertools.pairwise(rule.columns)
        if not computed & {*pair} and schema[pair[0]].kind is Kind.DATETIME
    )
    return tuple(dict.fromkeys(pairs))


def in_order(gaps: Sequence[Gap]) -> tuple[Gap, ...]:
    """``gaps``, each after that of the column it begins with.

    Raises :class:`SchemaError` if two end with one column, or if they go in a circle.
    """
    by_high = {gap.high: gap for gap in gaps}
    if len(by_high) < len(gaps):
        raise SchemaError("two differences end with the same column")
    depths = {}
    for gap in gaps:
        depth, at = 0, gap
        while at.low in by_high:
            depth, at = depth + 1, by_high[at.low]
            if depth > len(gaps):
                raise SchemaError(f"differences through column {gap.high!r} go in a circle")
        depths[gap.name] = depth
    return tuple(sorted(gaps, key=lambda gap: depths[gap.name]))


def is_new_end(gaps: Sequence[tuple[str, str]], low: str, high: str) -> bool:
    """Whether a gap from ``low`` to ``high`` can go with ``gaps``; see :func:`in_order`."""
    before = {end: start for start, end in gaps}
    at: str | None = low
    while at is not None and at != high:
        at = before.get(at)
    return at is None and high not in before


def close_gaps(
    gaps: Sequence[Gap],
    cells: Cells,
    fixed: Fixed,
    ends: Mapping[str, tuple[float, float]],
    keep: Keep,
) -> None:
    """Makes columns of ``cells`` as far apart as their gaps say, and takes the gaps out.

    ``gaps`` are :func:`in_order`. Where the later column is ``fixed``, or would come to lie beyond
    its ``ends`` (least and greatest cell), the earlier one is moved instead, if it is free. A gap
    wider than all that the earlier column spans says less than the two columns, and moves nothing.
    """
    stays = {name: fixed[name].copy() for gap in gaps for name in (gap.low, gap.high)}
    for gap in reversed(gaps):
        low, high, between = cells[gap.low], cells[gap.high], cells[gap.name]
        with np.errstate(invalid="ignore"):
            back = (stays[gap.high] | (low + between > ends[gap.high][1])) & ~stays[gap.low]
        back &= _known(gap, cells, ends)
        cells[gap.low] = _moved(gap, back, high - between, cells, (gap.low, ends[gap.low]), keep)
        stays[gap.low] |= back
        stays[gap.high] |= back
    for gap in gaps:
        low, high, between = cells[gap.low], cells[gap.high], cells[gap.name]
        forth = ~stays[gap.high] & _known(gap, cells, ends)
        cells[gap.high] = _moved(gap, forth, low + between, cells, (gap.high, ends[gap.high]), keep)
    for gap in gaps:
        del cells[gap.name]


def _known(gap: Gap, cells: Cells, ends: Mapping[str, tuple[float, float]]) -> Bools:
    least, greatest = ends[gap.low]
    with np.errstate(invalid="ignore"):
        narrow = cells[gap.name] <= greatest - least
    return np.asarray(narrow & ~np.isnan(cells[gap.low]) & ~np.isnan(cells[gap.high]))


def _moved(
    gap: Gap,
    rows: Bools,
    to: Floats,
    cells: Cells,
    end: tuple[str, tuple[float, float]],
    keep: Keep,
) -> Floats:
    """The column at one ``end`` of a gap, moved to other cells in some ``rows``."""
    name, (least, greatest) = end
    found = np.where(rows, np.clip(to, least, greatest), cells[name])
    a_day = NANOSECONDS["D"] / NANOSECONDS[gap.resolution]
    with np.errstate(invalid="ignore"):
        long = np.flatnonzero(rows & (cells[gap.name] >= _LONG * a_day))
    if len(long):
        other = cells[gap.low if name == gap.high else gap.high][long]
        kept = np.clip(keep(name, found[long]), least, greatest)
        ordered = kept > other if name == gap.high else kept < other
        found[long] = np.where(ordered, kept, found[long])
    return found
