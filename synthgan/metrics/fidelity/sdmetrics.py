"""The two scores of SDMetrics' QualityReport, quirks and all, to compare with figures elsewhere.

Definitions as of SDMetrics 0.32. They are repeated here and not called, since the library is a
large dependency and slow; nothing else in a report depends on them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synthgan._typing import Floats, Ints
from synthgan.columns.column import Kind
from synthgan.metrics.columns import Cells, Columns, recode
from synthgan.metrics.fidelity.correlation import Correlations
from synthgan.metrics.fidelity.pairs import all_levels
from synthgan.metrics.fidelity.shape import column_gap, mean_gap
from synthgan.metrics.fidelity.trends import Side, pair_gaps
from synthgan.metrics.measure import Estimate, Findings, Goal, Measure
from synthgan.metrics.tables import Tables

_BINS = 10
_NANOSECONDS = 1e9
_MOST_CELLS = 200_000_000  # rows times pairs
_LEAST_ROWS = 10_000
_MOST_ROWS = 100_000
_AS_IN = "as in SDMetrics 0.32"


def sdmetrics_findings(tables: Tables) -> Findings:
    """``sdmetrics_shapes`` and ``sdmetrics_trends``: from 0 to 1, synthetic rows against train.

    Column Shapes: the mean of 1 - Kolmogorov-Smirnov (numbers, dates) and 1 - total variation
    (categories), without columns that are all missing in either table. Column Pair Trends: the
    mean over pairs with an absolute correlation above .5 or Cramér's V above .3 in train; two
    columns of numbers by 1 - half the difference of correlations (left out if either table has
    none), others by 1 - total variation of the joint table. For that, numbers are cut into ten
    bins of equal width between the extremes *of their own table*, so that a shifted or stretched
    column goes unseen; the maximum and the missing cells share one more bin.

    SDMetrics compares joint tables on 50,000 rows drawn at random; here all rows count that
    are looked at (of very wide tables, 10,000). The floor holds real rows that are not in
    train against it (without a holdout: one half of train against the other).
    """
    pairs = len(tables.columns.names) * (len(tables.columns.names) - 1) // 2
    most = int(np.clip(_MOST_CELLS // max(pairs, 1), _LEAST_ROWS, _MOST_ROWS))
    rng = tables.rng("sdmetrics")
    train, made, independent = (
        side.pick(most, rng) for side in (tables.train, tables.made, tables.independent)
    )
    found = _Scores.of(tables.columns, train, [made, independent])
    known, fresh = tables.train, tables.holdout
    if fresh is None:
        known, fresh = tables.reference, tables.real
    floor = _Scores.of(tables.columns, known.pick(most, rng), [fresh.pick(most, rng)])
    return Findings(
        measures=(
            _measure(
                "sdmetrics_shapes",
                "SDMetrics Column Shapes",
                found.shapes,
                floor.shapes,
                made,
                note=f"{_AS_IN}; real columns shuffled independently get 1 by construction",
            ),
            _measure(
                "sdmetrics_trends", "SDMetrics Column Pair Trends", found.trends, floor.trends, made
            ),
        )
    )


class _Scores:
    """Both scores of some tables against a real one."""

    def __init__(self, shapes: list[Estimate], trends: list[Estimate]) -> None:
        self.shapes = shapes
        self.trends = trends

    @classmethod
    def of(cls, columns: Columns, real: Cells, others: Sequence[Cells]) -> _Scores:
        return cls(
            [_shapes(columns, real, each) for each in others], _trends(columns, real, others)
        )


def _measure(
    key: str,
    name: str,
    found: list[Estimate],
    floor: list[Estimate],
    made: Cells,
    note: str = _AS_IN,
) -> Measure:
    return Measure(
        key=key,
        name=name,
        estimate=found[0],
        goal=Goal.HIGH,
        floor=floor[0],
        baseline=found[1],
        rows=len(made),
        note=note if found[0].value == found[0].value else "nothing to score",
    )


def _score(error: float, influence: Floats) -> Estimate:
    return Estimate.from_influence(1 - error, influence, least=0.0, most=1.0)


def _shapes(columns: Columns, real: Cells, made: Cells) -> Estimate:
    names = [name for name in columns.names if _has_cells(real, name) and _has_cells(made, name)]
    if not names:
        return Estimate.undefined()
    return _score(*mean_gap({name: column_gap(real, made, name) for name in names}))


def _has_cells(cells: Cells, name: str) -> bool:
    if name in cells.numbers:
        return not bool(np.isnan(cells.numbers[name]).all())
    return bool((cells.categories[name].codes >= 0).any())


def _trends(columns: Columns, real: Cells, others: Sequence[Cells]) -> list[Estimate]:
    tables = [real, *others]
    coded = [_codes(columns, name, tables) for name in columns.names]
    numbers = [name for name in columns.names if name in real.numbers]
    sides = [
        Side(
            codes=np.stack([codes[i] for codes, _ in coded]),
            correlations=Correlations.of(cells, numbers),
        )
        for i, cells in enumerate(tables)
    ]
    sizes = np.array([size for _, size in coded])
    is_number = np.array([name in real.numbers for name in columns.names])
    gaps = pair_gaps(sides[0], sides[1:], sizes, is_number, all_pairs=False)
    means = [each.mean(strong_only=True) for each in gaps]
    return [Estimate(1 - each.value, 1 - each.high, 1 - each.low) for each in means]


def _codes(columns: Columns, name: str, tables: Sequence[Cells]) -> tuple[list[Ints], int]:
    """A column of each table as codes, and their number."""
    if name in tables[0].categories:
        levels = all_levels([cells.categories[name] for cells in tables])
        size = len(levels) + 1
        return [recode(cells.categories[name], levels, -1, size - 1) for cells in tables], size
    is_date = Kind.DATETIME in {each.kind for each in columns.layout if each.name == name}
    scale = _NANOSECONDS if is_date else 1.0  # the unit decides how edges are rounded
    codes = [_digitised(cells.numbers[name] * scale) for cells in tables]
    if any(each is None for each in codes):  # SDMetrics gives up on pairs with such a column
        return [np.zeros(len(cells), dtype=np.int64) for cells in tables], 1
    return [each for each in codes if each is not None], _BINS + 2


def _digitised(numbers: Floats) -> Ints | None:
    """Bins between the table's own extremes; None if these are too close for ten."""
    held = numbers[~np.isnan(numbers)]
    try:
        edges = np.histogram_bin_edges(held, bins=_BINS)
    except ValueError:
        return None
    return np.digitize(numbers, edges).astype(np.int64)
