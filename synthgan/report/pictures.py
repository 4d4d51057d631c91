"""What the page draws: shares in bins and tables, never rows.

The training rows fix the bins and the levels; all tables are counted in the same ones. Bins
meet at round figures, not at cells, and a level is named only if at least five training rows
have it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from synthgan.report.association import associations
from synthgan.report.columns import Cells, recode
from synthgan.report.measure import Findings, Floats, Ints, Measure
from synthgan.report.tables import Tables
from synthgan.schema import Kind

Side = Literal["real", "holdout", "synthetic"]
Scale = Literal["number", "date", "values", "levels"]

OTHER, MISSING = "(other)", "(missing)"

_BINS = 30
_LEVELS = 20
_VALUES = 20
"""Whole numbers with at most so many values are shown value by value."""
_PAIR_BINS = 12
_PAIR_LEVELS = 10
_PAIRS = 6
_HELD_BY = 5
_TAIL = 0.005
_LEAST_STEP = 1e-300  # finer ones are no longer numbers of full precision
_MATRIX_COLUMNS = 200
_MATRIX_ROWS = 10_000
_DIGITS = 5

_DAY, _YEAR = 86_400.0, 365.25 * 86_400
_DATE_STEPS = (
    1.0, 5.0, 15.0, 30.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 10_800.0, 21_600.0, 43_200.0,
    _DAY, 2 * _DAY, 7 * _DAY, 14 * _DAY, 28 * _DAY, 91 * _DAY, 182 * _DAY, _YEAR,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """One column in all tables."""

    column: str
    scale: Scale
    edges: tuple[float, ...]
    """Where the bins of numbers and dates (seconds since 1970) meet, one more than bins; empty
    for levels. The end bins hold the tails."""
    labels: tuple[str, ...]
    """What is counted in each bin or level."""
    shares: Mapping[Side, tuple[float, ...]]
    """Shares of the present cells; there is no "holdout" if there was none."""
    missing: Mapping[Side, float]
    """Shares of missing cells."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Association:
    """How each two columns hold together, in the real and in the synthetic table."""

    columns: tuple[str, ...]
    real: Floats
    """(columns, columns), from -1 to 1; NaN where not defined."""
    synthetic: Floats
    left_out: int
    """Columns beyond what can be shown."""
    rows: int
    """Rows of either table that were looked at, at most."""

    @property
    def difference(self) -> Floats:
        """Synthetic less real; a column that became constant counts as unrelated."""
        gap: Floats = np.nan_to_num(self.synthetic) - self.real
        np.fill_diagonal(gap, np.where(np.isnan(np.diag(self.real)), np.nan, 0.0))
        return gap


@dataclass(frozen=True, eq=False, kw_only=True)
class PairTable:
    """Two columns counted together: shares of all rows."""

    columns: tuple[str, str]
    labels: tuple[tuple[str, ...], tuple[str, ...]]
    ordered: tuple[bool, bool]
    """Whether the labels rise, as those of numbers and dates do."""
    real: Floats
    """(bins of the first, bins of the second)."""
    synthetic: Floats


@dataclass(frozen=True, eq=False, kw_only=True)
class Pictures:
    """Data of the page's pictures."""

    distributions: tuple[Distribution, ...] = ()
    """In table order."""
    association: Association | None = None
    """None for a table of one column."""
    pairs: tuple[PairTable, ...] = ()
    """Those furthest from the real ones, the furthest first."""


def picture(
    tables: Tables, findings: Findings, *, unnamed: Collection[str] = frozenset()
) -> Pictures:
    """Takes the pictures of ``tables``.

    ``findings`` name the pairs to look at: those whose ``trend`` error is furthest above its floor.
    ``unnamed``: columns all of whose levels single somebody out, so that none is named.
    """
    return Pictures(
        distributions=tuple(_distribution(tables, name, unnamed) for name in tables.columns.names),
        association=_association(tables),
        pairs=tuple(_pair(tables, pair, unnamed) for pair in _worst_pairs(tables, findings)),
    )


# --- one column -------------------------------------------------------------------------


class _Bins(NamedTuple):
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


def _distribution(tables: Tables, name: str, unnamed: Collection[str]) -> Distribution:
    bins = _bins(tables, name, bins=_BINS, levels=_levels_of(name, _LEVELS, unnamed))
    sides: dict[Side, Cells | None] = {
        "real": tables.train,
        "holdout": tables.holdout,
        "synthetic": tables.made,
    }
    codes = {side: bins(cells, name) for side, cells in sides.items() if cells is not None}
    shares = {side: _shares(code, len(bins.labels)) for side, code in codes.items()}
    labels = bins.labels
    if bins.scale in ("values", "levels") and not any(share[-1] for share in shares.values()):
        labels = labels[:-1]  # there are no others
    return Distribution(
        column=name,
        scale=bins.scale,
        edges=tuple(bins.edges.tolist()),
        labels=labels,
        shares={side: share[: len(labels)] for side, share in shares.items()},
        missing={side: round(float((code < 0).mean()), _DIGITS) for side, code in codes.items()},
    )


def _levels_of(name: str, most: int, unnamed: Collection[str]) -> int:
    return 0 if name in unnamed else most


def _shares(codes: Ints, size: int) -> tuple[float, ...]:
    present = codes[codes >= 0]
    counts = np.bincount(present, minlength=size) / max(len(present), 1)
    return tuple(np.round(counts, _DIGITS).tolist())


def _bins(tables: Tables, name: str, *, bins: int, levels: int) -> _Bins:
    """Bins of a column; the last level is for all that are not named."""
    train = tables.train
    if name not in train.numbers:
        known = tables.columns.levels[name]
        codes = recode(train.categories[name], known, -1, -1)
        counts = np.bincount(codes[codes >= 0], minlength=len(known))
        order = np.argsort(-counts, kind="stable")[:levels]
        named = tuple(str(known[i]) for i in order if counts[i] >= _HELD_BY)
        return _Bins("levels", np.zeros(0), (*named, OTHER), None)
    numbers = train.numbers[name]
    numbers = numbers[~np.isnan(numbers)]
    kind = next(column.kind for column in tables.columns.layout if column.name == name)
    if kind is Kind.DATETIME:
        edges = _edges(numbers, bins, dates=True, whole=False)
        return _Bins("date", edges, _date_labels(edges), None)
    whole = bool(np.all(np.mod(numbers, 1) == 0)) and bool(np.all(np.abs(numbers) < 2**53))
    values, counts = np.unique(numbers, return_counts=True)
    if whole and len(values) <= min(_VALUES, levels + 1):
        values = values[counts >= _HELD_BY]
        named = tuple(f"{value:.0f}" for value in values)
        return _Bins("values", np.zeros(0), (*named, OTHER), values)
    edges = _edges(numbers, bins, dates=False, whole=whole)
    return _Bins("number", edges, _number_labels(edges, whole), None)


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


# --- all pairs --------------------------------------------------------------------------


def _association(tables: Tables) -> Association | None:
    names = tables.columns.names[:_MATRIX_COLUMNS]
    if len(names) < 2:
        return None
    rng = tables.rng("association")
    real, synthetic = (
        associations(tables.columns, side.pick(_MATRIX_ROWS, rng), names)
        for side in (tables.train, tables.made)
    )
    return Association(
        columns=names,
        real=real,
        synthetic=synthetic,
        left_out=len(tables.columns.names) - len(names),
        rows=_MATRIX_ROWS,
    )


# --- the worst pairs --------------------------------------------------------------------


def _worst_pairs(tables: Tables, findings: Findings) -> list[tuple[str, str]]:
    known = set(tables.columns.names)
    trends = [
        each
        for each in findings.measures
        if each.key == "trend" and len(each.columns) == 2 and _excess(each) > 0
    ]
    trends.sort(key=lambda each: -_excess(each))
    pairs = [
        (each.columns[0], each.columns[1]) for each in trends if known.issuperset(each.columns)
    ]
    return pairs[:_PAIRS]


def _excess(trend: Measure) -> float:
    """How far a trend error is above that of real rows; NaN if it is not defined."""
    floor = trend.floor.value if trend.floor is not None else math.nan
    return trend.estimate.value - (0.0 if math.isnan(floor) else floor)


def _pair(tables: Tables, pair: tuple[str, str], unnamed: Collection[str]) -> PairTable:
    counted = [
        _bins(tables, name, bins=_PAIR_BINS, levels=_levels_of(name, _PAIR_LEVELS, unnamed))
        for name in pair
    ]
    sizes = [len(bins.labels) + 1 for bins in counted]  # and one for missing cells
    real, synthetic = (_joint(side, pair, counted, sizes) for side in (tables.train, tables.made))
    used = [
        np.flatnonzero((real.sum(axis=axis) > 0) | (synthetic.sum(axis=axis) > 0))
        for axis in (1, 0)
    ]
    labels = [(*_begins(bins), MISSING) for bins in counted]
    first, second = (
        tuple(text[i] for i in places) for text, places in zip(labels, used, strict=True)
    )
    kept = np.ix_(*used)
    ordered = [bins.scale != "levels" for bins in counted]
    return PairTable(
        columns=pair,
        labels=(first, second),
        ordered=(ordered[0], ordered[1]),
        real=real[kept],
        synthetic=synthetic[kept],
    )


def _begins(bins: _Bins) -> tuple[str, ...]:
    """Labels that are short: a date is told by its beginning."""
    return tuple(
        label.partition(" to ")[0] if bins.scale == "date" else label for label in bins.labels
    )


def _joint(cells: Cells, pair: tuple[str, str], counted: list[_Bins], sizes: list[int]) -> Floats:
    codes = [bins(cells, name) for bins, name in zip(counted, pair, strict=True)]
    filled = [np.where(code < 0, size - 1, code) for code, size in zip(codes, sizes, strict=True)]
    counts = np.bincount(filled[0] * sizes[1] + filled[1], minlength=sizes[0] * sizes[1])
    return np.round(counts.reshape(sizes) / max(len(cells), 1), _DIGITS)
