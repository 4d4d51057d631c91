"""Bins for pictures of columns, and their labels."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from synthgan._typing import Floats, Ints
from synthgan.columns.column import Kind
from synthgan.metrics.columns import Cells, recode
from synthgan.metrics.tables import Tables

Side = Literal["real", "holdout", "synthetic"]
Scale = Literal["number", "date", "values", "levels"]

OTHER, MISSING = "(other)", "(missing)"

_VALUES = 20
"""Whole numbers with at most so many values are shown value by value."""

_HELD_BY = 5
_TAIL = 0.005
_LEAST_STEP = 1e-300  # finer ones are no longer numbers of full precision

_DAY, _YEAR = 86_400.0, 365.25 * 86_400
_DATE_STEPS = (
    1.0, 5.0, 15.0, 30.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 10_800.0, 21_600.0, 43_200.0,
    _DAY, 2 * _DAY, 7 * _DAY, 14 * _DAY, 28 * _DAY, 91 * _DAY, 182 * _DAY, _YEAR,
)  # fmt: skip


class Bins(NamedTuple):
    """How the cells of a column are counted: a code below ``len(labels)``, or -1 if missing."""

    scale: Scale
    edges: Floats
    labels: tuple[str, ...]
    values: Floats | None
    """The numbers that are counted one by one, for levels of a column of numbers."""

    def __call__(self, cells: Cells, name: str) -> Ints:
        if name not in cells.numbers:
            named = np.array(self.labels[:-1], dtype=object)
            return recode(cells.categories[name], named, len(named), -1)
        numbers = cells.numbers[name]
        present = ~np.isnan(numbers)
        if self.values is None:
            codes = np.searchsorted(self.edges[1:-1], numbers, side="right")
        else:
            codes = np.searchsorted(self.values, numbers)
            nearest = np.minimum(codes, max(len(self.values) - 1, 0))
            known = self.values[nearest] == numbers if len(self.values) else np.zeros_like(present)
            codes = np.where(known, nearest, len(self.values))
        return np.where(present, codes, -1).astype(np.int64)


def bins_of(tables: Tables, name: str, *, bins: int, levels: int) -> Bins:
    """Bins of a column; the last level is for all that are not named."""
    train = tables.train
    if name not in train.numbers:
        known = tables.columns.levels[name]
        codes = recode(train.categories[name], known, -1, -1)
        counts = np.bincount(codes[codes >= 0], minlength=len(known))
        order = np.argsort(-counts, kind="stable")[:levels]
        named = tuple(str(known[i]) for i in order if counts[i] >= _HELD_BY)
        return Bins("levels", np.zeros(0), (*named, OTHER), None)
    numbers = train.numbers[name]
    numbers = numbers[~np.isnan(numbers)]
    kind = next(column.kind for column in tables.columns.layout if column.name == name)
    if kind is Kind.DATETIME:
        edges = _edges(numbers, bins, dates=True, whole=False)
        return Bins("date", edges, _date_labels(edges), None)
    whole = bool(np.all(np.mod(numbers, 1) == 0)) and bool(np.all(np.abs(numbers) < 2**53))
    values, counts = np.unique(numbers, return_counts=True)
    if whole and len(values) <= min(_VALUES, levels + 1):
        values = values[counts >= _HELD_BY]
        named = tuple(f"{value:.0f}" for value in values)
        return Bins("values", np.zeros(0), (*named, OTHER), values)
    edges = _edges(numbers, bins, dates=False, whole=whole)
    return Bins("number", edges, _number_labels(edges, whole), None)


def _edges(numbers: Floats, bins: int, *, dates: bool, whole: bool) -> Floats:
    """Round figures from one robust quantile to the other, at most ``bins`` apart."""
    if not len(numbers):
        return np.array([0.0, 1.0])
    low, high = (float(q) for q in np.quantile(numbers, [_TAIL, 1 - _TAIL]))
    if low == high:
        low, high = float(numbers.min()), float(numbers.max())
    if low == high:
        margin = max(0.5, abs(low) * 1e-3)
        low, high = low - margin, high + margin
    least = (high - low) / bins
    if least < _LEAST_STEP:
        return np.array([low, high])
    step = _date_step(least) if dates else _step(least, whole)
    first, last = math.floor(low / step), math.ceil(high / step)
    edges = np.arange(first, max(last, first + 1) + 1, dtype=np.float64) * step
    if whole:  # a bin of whole numbers begins with one: draw the border half-way before it
        edges = edges - 0.5 if edges[-1] > high else np.append(edges, edges[-1] + step) - 0.5
    if len(edges) > 2 * bins + 3 or not bool(np.all(np.diff(edges) > 0)):
        return np.array([low, high])  # closer together than numbers can be
    return edges


def _step(least: float, whole: bool) -> float:
    """The next round figure: 1, 2, 2.5, 3, 4, 5, 6 or 8 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(least))
    steps = [factor * power for factor in (1, 2, 2.5, 3, 4, 5, 6, 8, 10)]
    if whole:
        steps = [step for step in steps if step >= 1 and step % 1 == 0] or [1.0]
    return next((step for step in steps if step >= least * (1 - 1e-9)), steps[-1])


def _date_step(least: float) -> float:
    for step in _DATE_STEPS:
        if step >= least:
            return step
    return _YEAR * _step(least / _YEAR, True)


def _number_labels(edges: Floats, whole: bool) -> tuple[str, ...]:
    if whole:
        ends = [(math.ceil(a), math.ceil(b) - 1) for a, b in pairwise(edges.tolist())]
        labels = [f"{a}" if a == b else f"{a} to {b}" for a, b in ends]
        first, last = f"{ends[0][1]} or less", f"{ends[-1][0]} or more"
    else:
        labels = [f"{a:.6g} to {b:.6g}" for a, b in pairwise(edges.tolist())]
        first, last = f"below {edges[1]:.6g}", f"from {edges[-2]:.6g}"
    return _ends(labels, first, last)


def _date_labels(edges: Floats) -> tuple[str, ...]:
    unit: Literal["D", "s"] = "D" if edges[1] - edges[0] >= _DAY else "s"
    stamps = [spell_seconds(edge, unit) for edge in edges.tolist()]
    labels = [f"from {a}" if unit == "s" else f"{a} to {b}" for a, b in pairwise(stamps)]
    return _ends(labels, f"before {stamps[1]}", f"from {stamps[-2]}")


def _ends(labels: list[str], first: str, last: str) -> tuple[str, ...]:
    if len(labels) > 1:
        labels[0], labels[-1] = first, last
    return tuple(labels)


def spell_seconds(seconds: float, unit: Literal["D", "s"] = "s") -> str:
    """Seconds since 1970 as a date, or as a date and a time."""
    return str(np.datetime64(round(seconds), "s").astype(f"M8[{unit}]")).replace("T", " ")
