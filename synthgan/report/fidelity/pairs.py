"""Pair by pair: does what holds between two real columns hold between the synthetic ones?"""

from __future__ import annotations

import math
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from synthgan.report.columns import Cells, Columns, recode, union
from synthgan.report.measure import Floats, Ints

_BINS = 10
_STRONG_CORRELATION = 0.5
_STRONG_ASSOCIATION = 0.3
_CONSTANT = 1e-12  # variance, in squared standard deviations of the column


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
    counts as uncorrelated. A pair that is constant in ``real`` is NaN in both.
    """
    columns = columns or Columns.of(real)
    one, other = columns.read(real), columns.read(synthetic)
    numbers = [name for name in columns.names if name in one.numbers]
    place = {name: i for i, name in enumerate(numbers)}
    correlation = _correlations(one, numbers)
    gap = np.abs(correlation - np.nan_to_num(_correlations(other, numbers))) / 2
    codes = {name: _pair_codes(columns, name, one, other) for name in columns.names}
    pairs = list(combinations(columns.names, 2))
    errors, strengths, strong = np.empty(len(pairs)), np.empty(len(pairs)), []
    for i, (a, b) in enumerate(pairs):
        if a in place and b in place:
            errors[i] = gap[place[a], place[b]]
            strengths[i] = abs(correlation[place[a], place[b]])
            strong.append(bool(strengths[i] > _STRONG_CORRELATION))
        else:
            errors[i], strengths[i] = _contingency(codes[a], codes[b])
            strong.append(bool(strengths[i] > _STRONG_ASSOCIATION))
    return pd.DataFrame(
        {"error": errors * 100, "association": strengths, "associated": np.array(strong, bool)},
        index=pd.MultiIndex.from_tuples(pairs, names=["first", "second"]) if pairs else None,
    )


def _correlations(cells: Cells, names: list[str]) -> Floats:
    """Pearson correlations (columns, columns), each on the rows where both are present.

    NaN where a column does not vary on those rows. Five matrix products do all pairs.
    """
    table = np.column_stack([cells.numbers[n] for n in names]) if names else np.empty((1, 0))
    present = ~np.isnan(table)
    count = np.maximum(present.sum(axis=0), 1)
    table = np.where(present, table, 0.0)
    table = np.where(present, table - table.sum(axis=0) / count, 0.0)
    spread = np.sqrt(np.square(table).sum(axis=0) / count)
    table = table / np.where(spread > 0, spread, 1.0)
    mask = present.astype(np.float64)
    both = np.maximum(mask.T @ mask, 1.0)
    mean = (table.T @ mask) / both
    variance = (np.square(table).T @ mask) / both - np.square(mean)
    product = variance * variance.T
    varies = (variance > _CONSTANT) & (variance.T > _CONSTANT)
    covariance = (table.T @ table) / both - mean * mean.T
    return np.where(varies, covariance / np.sqrt(np.where(varies, product, 1.0)), np.nan)


class _Codes(NamedTuple):
    """One column of both tables as codes below ``size``."""

    real: Ints
    synthetic: Ints
    size: int


def _pair_codes(columns: Columns, name: str, real: Cells, synthetic: Cells) -> _Codes:
    if name in real.numbers:
        one, other = real.numbers[name], synthetic.numbers[name]
        inner = _inner_edges(one[~np.isnan(one)])
        binned = [
            np.where(np.isnan(x), _BINS, np.searchsorted(inner, x, side="right"))
            for x in (one, other)
        ]
        return _Codes(binned[0], binned[1], _BINS + 1)
    pair = real.categories[name], synthetic.categories[name]
    levels = union(*pair)
    coded = [recode(cells, levels, -1, len(levels)) for cells in pair]
    return _Codes(coded[0], coded[1], len(levels) + 1)


def _inner_edges(numbers: Floats) -> Floats:
    """Where the bins of a column meet; the first and the last bin have no outer end."""
    if not len(numbers):
        return np.zeros(0)
    low, high = float(numbers.min()), float(numbers.max())
    if low == high:
        margin = max(0.5, abs(low) * 1e-9)
        low, high = low - margin, high + margin
    return np.linspace(low, high, _BINS + 1)[1:-1]


def _contingency(a: _Codes, b: _Codes) -> tuple[float, float]:
    """Total variation between two contingency tables, and Cramér's V of the real one."""
    one, other = a.real * b.size + b.real, a.synthetic * b.size + b.synthetic
    if a.size * b.size <= 4 * (len(one) + len(other)):
        keys = np.arange(a.size * b.size)
    else:  # a table of mostly zeros: keep what occurs
        keys, joint = np.unique(np.concatenate([one, other]), return_inverse=True)
        one, other = joint[: len(one)], joint[len(one) :]
    real = np.bincount(one, minlength=len(keys)) / len(one)
    synthetic = np.bincount(other, minlength=len(keys)) / len(other)
    rows = np.bincount(a.real, minlength=a.size) / len(one)
    cols = np.bincount(b.real, minlength=b.size) / len(one)
    levels = min(np.count_nonzero(rows), np.count_nonzero(cols))
    held = real > 0
    expected = rows[keys[held] // b.size] * cols[keys[held] % b.size]
    surplus = max(float((np.square(real[held]) / expected).sum()) - 1, 0.0)
    strength = math.sqrt(surplus / (levels - 1)) if levels > 1 else 0.0
    return float(np.abs(real - synthetic).sum() / 2), strength
