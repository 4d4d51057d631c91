"""A category that says in which range a number lies: declared, found, checked, repaired."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
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
    at_least,
    broken,
    check_names,
    go_together,
    mend,
    needs,
    pairs,
    plain_name,
    require,
    work_of,
)
from synthgan.schema.constraints.survey import TRUSTED, Seen


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
        check_names(self.rule, self.columns, least=2)
        rising = all(low < high for low, high in zip(self.cuts[:-1], self.cuts[1:], strict=True))
        require(self.rule, len(self.cuts) > 0 and rising, "cuts must rise, and be at least one")
        fit = len(self.values) == len(self.cuts) + 1
        require(self.rule, fit, "values must be one more than cuts")

    @property
    def columns(self) -> tuple[str, ...]:
        """The code, then the number."""
        return (self.column, self.of)

    def __str__(self) -> str:
        return f"{plain_name(self.column)} is a band of {plain_name(self.of)}"


@work_of.register
def _(constraint: Bands) -> int:
    return len(constraint.values)


_MOST_BANDS = 50


def find_bands(seen: Seen) -> Iterator[Bands]:
    """Codes that stand for stretches of a number of many values."""
    for of, numbers in seen.numbers.items():
        if of in seen.codes or seen.columns[of].kind is Kind.DATETIME:
            continue
        order = np.argsort(numbers[seen.sample])
        for name, codes in seen.codes.items():
            if len(seen.levels[name]) > _MOST_BANDS or seen.missing[name].any():
                continue
            sampled = codes[seen.sample][order]
            if (np.diff(sampled) != 0).sum() >= len(seen.levels[name]):
                continue
            band = _band_of(seen, name, of)
            if band is not None:
                yield band


def _band_of(seen: Seen, name: str, of: str) -> Bands | None:
    numbers, codes = seen.numbers[of], seen.codes[name]
    present = ~np.isnan(numbers)
    numbers, codes = numbers[present], codes[present]
    low = np.full(len(seen.levels[name]), np.inf)
    high = np.full(len(seen.levels[name]), -np.inf)
    np.minimum.at(low, codes, numbers)
    np.maximum.at(high, codes, numbers)
    counts = np.bincount(codes, minlength=len(low))
    people = seen.people_of(seen.codes[name], len(low), present)
    order = np.argsort(low)
    gaps = list(zip(high[order][:-1], low[order][1:], strict=True))
    trusted = max(TRUSTED, seen.enough)
    if (people < trusted).any() or not all(below < above for below, above in gaps):
        return None
    shares = counts / counts.sum()
    if 1 - float((shares**2).sum()) < seen.least:
        return None
    values: list[Level] = [seen.levels[name][i] for i in order]
    cuts = tuple(_roundest(below, above) for below, above in gaps)
    for cut in cuts:  # a number that is some few people's cell would be told
        if 0 < seen.count(seen.numbers[of] == cut) < seen.enough:
            return None
    return Bands(column=name, of=of, cuts=cuts, values=tuple(values))


def _roundest(below: float, above: float) -> float:
    """The number with the fewest digits above ``below`` and not above ``above``."""
    unit = 10.0 ** np.ceil(np.log10(max(abs(below), abs(above), above - below)) + 1)
    for _ in range(30):
        number = float(f"{np.floor(above / unit) * unit:.12g}")
        if below < number <= above:
            return number
        unit /= 10
    return float(above)


@broken.register
def _(constraint: Bands, cells: Cells, context: Context) -> Bools:
    wanted, number = _band(constraint, cells, context), cells[constraint.of]
    found = cells[constraint.column]
    known = ~np.isnan(number) & ~pd.isna(found)
    return np.asarray(known & (found != wanted))


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
        top = -at_least(np.array([-high]), column, strict=True)[0]
        cells[of] = np.where(outside, np.clip(cells[of], low, top), cells[of])


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


@needs.register
def _(constraint: Bands) -> Needs:
    return Needs(numbers=(constraint.of,))


@go_together.register
def _(constraint: Bands, codes: Codes) -> Iterator[Together]:
    bottom, top = codes.ends(constraint.of)
    edges = np.array([-np.inf, *constraint.cuts, np.inf])
    cells, _ = codes.cells(constraint.column)
    fits = np.ones((len(cells), len(bottom)), dtype=bool)
    for i, value in enumerate(constraint.values):
        wanted = codes.context.read(constraint.column, value)
        with np.errstate(invalid="ignore"):
            apart = (top < edges[i]) | (bottom >= edges[i + 1])
        fits[np.asarray(cells == wanted)] = ~apart
    yield pairs(constraint.column, constraint.of, fits)
