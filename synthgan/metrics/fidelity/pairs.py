"""Pair by pair: does what holds between two real columns hold between the synthetic ones?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synthgan._typing import Floats, Ints, Objects
from synthgan.metrics.columns import Cells, Columns, recode
from synthgan.metrics.fidelity.correlation import Correlations
from synthgan.metrics.fidelity.mutual import nmi_measure
from synthgan.metrics.fidelity.trends import Gaps, Side, column_pairs, pair_gaps
from synthgan.metrics.measure import Estimate, Findings, Goal, Measure
from synthgan.metrics.tables import Tables

_BINS = 10
_PERCENT = 100.0
_MOST_CELLS = 100_000_000  # rows times pairs
_LEAST_ROWS = 5_000
_MOST_ROWS = 100_000
_MANY_COLUMNS = 60
_WORST_PAIRS = 500


def pair_findings(tables: Tables) -> Findings:
    """``trend``, ``all_pairs`` and ``nmi``: what holds between two columns.

    ``trend`` is the mean error of :func:`trend_error` in percent over the pairs that are
    associated in the real rows, then one line a pair (of more than 60 columns, the 500 worst);
    ``all_pairs`` the mean over all. ``nmi``: see :func:`nmi_measure`. Intervals by the delta
    method, bins taken as given. Rows are fewer for wide tables: 5,000 for 200 columns.
    """
    names = tables.columns.names
    pairs = column_pairs(len(names))
    rows = int(np.clip(_MOST_CELLS // max(len(pairs), 1), _LEAST_ROWS, _MOST_ROWS))
    rng = tables.rng("pairs")
    sides = (tables.reference, tables.synthetic, tables.real, tables.independent)
    picked = [side.pick(rows, rng) for side in sides]
    found = _gaps(tables.columns, picked[0], picked[1:])
    looked_at = len(picked[1])
    measures = [
        _mean("trend", "Trend error", found, looked_at, strong_only=True),
        *_lines(names, pairs, found, looked_at),
        _mean("all_pairs", "Trend error over all pairs", found, looked_at, strong_only=False),
        nmi_measure(tables, pairs),
    ]
    return Findings(measures=tuple(measures))


def trend_error(
    real: pd.DataFrame, synthetic: pd.DataFrame, *, columns: Columns | None = None
) -> pd.DataFrame:
    """Distance between what holds among each pair of columns, one row a pair.

    The index holds the two names. ``error`` (percent): for two columns of numbers half the
    difference between their Pearson correlations, on rows where both are present; otherwise
    the total variation between the contingency tables, numbers cut into ten bins of equal
    width between the extremes of ``real``, missing cells a level of their own.
    ``association``: how strong the pair is in ``real``, the absolute correlation or Cramér's V.
    ``associated``: whether that is above .5 or .3.

    SDMetrics since 0.27 averages over associated pairs only; before, and in most papers,
    over all pairs. Where this differs from SDMetrics 0.32: its report bins each table
    between its own extremes, so that a shifted or stretched column goes unseen, puts the
    maximum and the missing cells into one extra bin, and draws 50,000 rows at random; it
    also leaves out a pair with a column that became constant in ``synthetic``, which here
    counts as uncorrelated. A pair that is constant in ``real`` is NaN in both. With both,
    a column of very many levels is associated with any other by chance.
    """
    columns = columns or Columns.of(real)
    (found,) = _gaps(columns, columns.read(real), [columns.read(synthetic)])
    pairs = [(columns.names[a], columns.names[b]) for a, b in column_pairs(len(columns.names))]
    return pd.DataFrame(
        {
            "error": found.errors * _PERCENT,
            "association": found.strengths,
            "associated": found.strong,
        },
        index=pd.MultiIndex.from_tuples(pairs, names=["first", "second"]) if pairs else None,
    )


def _gaps(columns: Columns, real: Cells, others: Sequence[Cells]) -> list[Gaps]:
    """Of each of ``others`` from ``real``."""
    numbers = [name for name in columns.names if name in real.numbers]
    tables = [real, *others]
    coded = [_codes(name, tables) for name in columns.names]
    sides = [
        Side(
            codes=np.stack([codes[i] for codes, _ in coded]),
            correlations=Correlations.of(cells, numbers),
        )
        for i, cells in enumerate(tables)
    ]
    filled = [Side(codes=side.codes, correlations=side.correlations.filled()) for side in sides[1:]]
    is_number = np.array([name in real.numbers for name in columns.names])
    return pair_gaps(sides[0], filled, np.array([size for _, size in coded]), is_number)


def _codes(name: str, tables: Sequence[Cells]) -> tuple[list[Ints], int]:
    """A column of each table as codes, the last of which is a hole, and their number."""
    if name not in tables[0].numbers:
        levels = all_levels([cells.categories[name] for cells in tables])
        size = len(levels) + 1
        return [recode(cells.categories[name], levels, -1, size - 1) for cells in tables], size
    numbers = [cells.numbers[name] for cells in tables]
    inner = _inner_edges(numbers[0][~np.isnan(numbers[0])])
    codes = [
        np.where(np.isnan(x), _BINS, np.searchsorted(inner, x, side="right")).astype(np.int64)
        for x in numbers
    ]
    return codes, _BINS + 1


def all_levels(columns: Sequence[pd.Categorical]) -> Objects:
    """Levels of any of the columns."""
    levels = [np.asarray(cells.categories, dtype=object) for cells in columns]
    return np.asarray(pd.unique(np.concatenate(levels)), dtype=object)


def _inner_edges(numbers: Floats) -> Floats:
    """Where the bins of a column meet; the first and the last bin have no outer end."""
    if not len(numbers):
        return np.zeros(0)
    low, high = float(numbers.min()), float(numbers.max())
    if low == high:
        margin = max(0.5, abs(low) * 1e-9)
        low, high = low - margin, high + margin
    return np.linspace(low, high, _BINS + 1)[1:-1]


def _mean(key: str, name: str, found: list[Gaps], rows: int, *, strong_only: bool) -> Measure:
    made, real, independent = (each.mean(strong_only=strong_only) for each in found)
    defined = ~np.isnan(found[0].errors)
    number = int((defined & found[0].strong).sum() if strong_only else defined.sum())
    what = "associated in the real rows" if strong_only else "of columns"
    of = f" of {int(defined.sum()):,}" if strong_only else ""
    return Measure(
        key=key,
        name=name,
        estimate=made.scaled(_PERCENT),
        goal=Goal.LOW,
        unit="%",
        floor=real.scaled(_PERCENT),
        baseline=independent.scaled(_PERCENT),
        rows=rows,
        note=f"{number:,}{of} pairs {what}" if number else f"no pair {what}",
    )


def _lines(names: Sequence[str], pairs: Ints, found: list[Gaps], rows: int) -> list[Measure]:
    """One line a pair, or the worst ones if there are many."""
    errors = found[0].errors
    shown, note = np.arange(len(pairs)), ""
    if len(names) > _MANY_COLUMNS:
        worst = np.argsort(-np.nan_to_num(errors, nan=-1.0), kind="stable")[:_WORST_PAIRS]
        shown, note = np.sort(worst), f"among the {_WORST_PAIRS} worst of {len(pairs):,} pairs"
    return [
        Measure(
            key="trend",
            name="Trend error",
            estimate=_line(found[0], i),
            goal=Goal.LOW,
            unit="%",
            floor=_line(found[1], i),
            baseline=_line(found[2], i),
            columns=(names[pairs[i, 0]], names[pairs[i, 1]]),
            rows=rows,
            note="a real column does not vary" if np.isnan(errors[i]) else note,
        )
        for i in shown.tolist()
    ]


def _line(found: Gaps, pair: int) -> Estimate:
    if np.isnan(found.errors[pair]):
        return Estimate.undefined()
    value, pull = float(found.errors[pair]), found.spreads[pair : pair + 1]
    return Estimate.from_influence(value, pull, least=0.0, most=1.0).scaled(_PERCENT)
