"""Column by column: are the distributions, and the holes, those of the real table?

Shape errors follow SDMetrics (Column Shapes), as errors in percent; they are easy to pass (the
independent columns have the best of all) and say where a table goes wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from synthgan._typing import Bools, Floats
from synthgan.metrics.columns import Cells, Columns, recode, union
from synthgan.metrics.measure import Estimate, Findings, Goal
from synthgan.metrics.tables import Figures, Tables

_DIGITS = 14  # numbers that differ later than this are ties, as in SDMetrics
_PERCENT = 100.0


def column_findings(tables: Tables) -> Findings:
    """``shape`` and ``missing``: the whole table (mean over columns), then each column.

    Figures are those of :func:`shape_error` (percent) and :func:`missing_error` (points), with
    intervals by the delta method; the mean adds up what a row does to each of its columns. A
    column of dates counts as numbers.
    """
    shapes = tables.compare(
        lambda real, made: _figures(_gaps(real, made, tables.columns, column_gap)),
        key="shape",
        name="Column shape error",
        goal=Goal.LOW,
        unit="%",
    )
    missing = tables.compare(
        lambda real, made: _figures(_gaps(real, made, tables.columns, _missing_gap)),
        key="missing",
        name="Missing cells, difference",
        goal=Goal.LOW,
        unit="points",
    )
    measures = [
        each if each.is_defined else replace(each, note="the real rows have no cell to be like")
        for each in (*shapes, *missing)
    ]
    return Findings(measures=tuple(measures))


def shape_error(
    real: pd.DataFrame, synthetic: pd.DataFrame, *, columns: Columns | None = None
) -> pd.Series[float]:
    """Distance between the distributions of each column, in percent, by column name.

    Numbers and dates: the Kolmogorov-Smirnov statistic. Categories: total variation. Both
    look at present cells only (see :func:`missing_error` for the holes). A column that is
    all missing in ``synthetic`` alone counts 100, one that is all missing in ``real`` NaN.
    The mean is 100 minus SDMetrics' Column Shapes.
    """
    return _errors(real, synthetic, columns, column_gap, "shape error")


def missing_error(
    real: pd.DataFrame, synthetic: pd.DataFrame, *, columns: Columns | None = None
) -> pd.Series[float]:
    """Difference between the shares of missing cells, in points, by column name."""
    return _errors(real, synthetic, columns, _missing_gap, "missing error")


class Gap(NamedTuple):
    """Distance between a column of two tables, from 0 to 1, and how rows pull it."""

    value: float
    """NaN where it is not defined."""
    pulls: tuple[Floats, Floats]
    """Influence of each real row, and of each synthetic one."""


def column_gap(real: Cells, synthetic: Cells, name: str) -> Gap:
    """Kolmogorov-Smirnov statistic, or total variation, of the present cells of a column."""
    if name in real.numbers:
        cells = real.numbers[name], synthetic.numbers[name]
        held = ~np.isnan(cells[0]), ~np.isnan(cells[1])
    else:
        levels = union(real.categories[name], synthetic.categories[name])
        codes = [recode(each.categories[name], levels, -1, -1) for each in (real, synthetic)]
        cells = codes[0].astype(np.float64), codes[1].astype(np.float64)
        held = codes[0] >= 0, codes[1] >= 0
    none = np.zeros(len(real)), np.zeros(len(synthetic))
    if not held[0].any() or not held[1].any():
        return Gap(1.0 if held[0].any() else math.nan, none)
    one, other = cells[0][held[0]], cells[1][held[1]]
    value, signs = _ks(one, other) if name in real.numbers else _variation(one, other)
    return Gap(value, (_spread(signs[0], held[0]), _spread(signs[1], held[1])))


def mean_gap(gaps: Mapping[str, Gap]) -> tuple[float, Floats]:
    """Mean over the columns whose gap is defined, and the influence of all rows on it."""
    kept = [gap for gap in gaps.values() if not math.isnan(gap.value)]
    if not kept:
        return math.nan, np.zeros(0)
    sides = [np.sum([gap.pulls[side] for gap in kept], axis=0) for side in (0, 1)]
    return float(np.mean([gap.value for gap in kept])), np.concatenate(sides) / len(kept)


def _ks(real: Floats, synthetic: Floats) -> tuple[float, tuple[Floats, Floats]]:
    """Largest gap between the two distribution functions, and which rows widen it."""
    one, other = np.round(real, _DIGITS), np.round(synthetic, _DIGITS)
    ordered = np.sort(one), np.sort(other)
    steps = np.concatenate(ordered)
    below, above = (np.searchsorted(x, steps, side="right") / len(x) for x in ordered)
    gaps = below - above
    widest = int(np.abs(gaps).argmax())
    sign = 1.0 if gaps[widest] >= 0 else -1.0
    return abs(float(gaps[widest])), (
        sign * (one <= steps[widest]),
        -sign * (other <= steps[widest]),
    )


def _variation(real: Floats, synthetic: Floats) -> tuple[float, tuple[Floats, Floats]]:
    """Total variation between two columns of codes, and which rows widen it."""
    codes = real.astype(np.int64), synthetic.astype(np.int64)
    size = 1 + max(int(each.max()) for each in codes)
    one, other = (np.bincount(each, minlength=size) / len(each) for each in codes)
    signs = np.sign(one - other) / 2
    return float(np.abs(one - other).sum() / 2), (signs[codes[0]], -signs[codes[1]])


def _spread(signs: Floats, held: Bools) -> Floats:
    """Influence of all rows, from what the present ones say."""
    pull = np.zeros(len(held))
    pull[held] = (signs - signs.mean()) / len(signs)
    return pull


def _missing_gap(real: Cells, synthetic: Cells, name: str) -> Gap:
    one, other = (_holes(cells, name) for cells in (real, synthetic))
    difference = float(one.mean() - other.mean())
    sign = 1.0 if difference >= 0 else -1.0
    pulls = sign * (one - one.mean()) / len(one), sign * (other.mean() - other) / len(other)
    return Gap(abs(difference), pulls)


def _holes(cells: Cells, name: str) -> Floats:
    if name in cells.numbers:
        return np.isnan(cells.numbers[name]).astype(np.float64)
    return (cells.categories[name].codes < 0).astype(np.float64)


_OnColumn = Callable[[Cells, Cells, str], Gap]


def _gaps(real: Cells, made: Cells, columns: Columns, gap: _OnColumn) -> dict[str, Gap]:
    return {name: gap(real, made, name) for name in columns.names}


def _figures(gaps: Mapping[str, Gap]) -> Figures:
    """Percent: the mean first, then each column."""
    figures: dict[tuple[str, ...], Estimate] = {(): _percent(*mean_gap(gaps))}
    for name, gap in gaps.items():
        figures[name,] = _percent(gap.value, np.concatenate(gap.pulls))
    return figures


def _percent(value: float, influence: Floats) -> Estimate:
    if math.isnan(value):
        return Estimate.undefined()
    return Estimate.from_influence(value, influence, least=0.0, most=1.0).scaled(_PERCENT)


def _errors(
    real: pd.DataFrame,
    synthetic: pd.DataFrame,
    columns: Columns | None,
    gap: _OnColumn,
    name: str,
) -> pd.Series[float]:
    columns = columns or Columns.of(real)
    gaps = _gaps(columns.read(real), columns.read(synthetic), columns, gap)
    errors = {column: each.value for column, each in gaps.items()}
    return pd.Series(errors, dtype=np.float64, name=name) * _PERCENT
