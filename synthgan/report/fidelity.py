"""How like the real table is the synthetic one: column by column, pair by pair, and whole.

Shape and trend follow SDMetrics (Column Shapes, Column Pair Trends), as errors in percent;
they are easy to pass and say where a table goes wrong. C2ST, a classifier that tries to tell
the two tables apart, sees what they do not: .5 means that it cannot, 1 that it always can.
None of them is zero for real rows against real rows: hold each against that floor.
"""

from __future__ import annotations

import math
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from synthgan.errors import TableError
from synthgan.report.columns import Cells, Columns, recode
from synthgan.report.measure import Estimate, Floats, Ints, Objects, auc

_BINS = 10
_STRONG_CORRELATION = 0.5
_STRONG_ASSOCIATION = 0.3
_DIGITS = 14  # numbers that differ later than this are ties, as in SDMetrics
_CONSTANT = 1e-12  # variance, in squared standard deviations of the column


def shape_error(
    real: pd.DataFrame, synthetic: pd.DataFrame, *, columns: Columns | None = None
) -> pd.Series[float]:
    """Distance between the distributions of each column, in percent, by column name.

    Numbers and dates: the Kolmogorov-Smirnov statistic. Categories: total variation. Both
    look at present cells only (see :func:`missing_error` for the holes). A column that is
    all missing in ``synthetic`` alone counts 100, one that is all missing in ``real`` NaN.
    The mean is 100 minus SDMetrics' Column Shapes.
    """
    columns = columns or Columns.of(real)
    one, other = columns.read(real), columns.read(synthetic)
    errors = {
        name: _ks(one.numbers[name], other.numbers[name])
        if name in one.numbers
        else _variation(one.categories[name], other.categories[name])
        for name in columns.names
    }
    return pd.Series(errors, dtype=np.float64, name="shape error") * 100


def missing_error(
    real: pd.DataFrame, synthetic: pd.DataFrame, *, columns: Columns | None = None
) -> pd.Series[float]:
    """Difference between the shares of missing cells, in points, by column name."""
    columns = columns or Columns.of(real)
    one, other = (_missing_rates(columns.read(frame)) for frame in (real, synthetic))
    errors = {name: abs(one[name] - other[name]) for name in columns.names}
    return pd.Series(errors, dtype=np.float64, name="missing error") * 100


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


def c2st(
    real: pd.DataFrame,
    synthetic: pd.DataFrame,
    *,
    seed: int = 0,
    folds: int = 5,
    max_rows: int = 10_000,
    columns: Columns | None = None,
) -> Estimate:
    """AUC of gradient-boosted trees that tell ``synthetic`` from ``real`` rows; .5 is best.

    Classifier two-sample test: equally many rows of either table (``max_rows`` at most),
    every row scored by a classifier that did not see it, ``folds`` folds. ``real`` should
    be rows that the generator never saw. Pass ``columns`` of the training rows so that
    levels which the holdout happens to lack are known. The interval is DeLong's; it leaves
    out what another draw from the same generator would change (about .01).
    """
    columns = columns or Columns.of(real)
    rows = min(len(real), len(synthetic), max_rows)
    if rows < folds:
        raise TableError(f"C2ST needs at least {folds} rows of each table, got {rows}")
    sides = [columns.read(f.sample(rows, random_state=seed)) for f in (real, synthetic)]
    parts = [columns.matrix(side) for side in sides]
    labels = np.repeat([False, True], rows)
    scores = cross_val_predict(
        HistGradientBoostingClassifier(categorical_features=parts[0][1], random_state=seed),
        np.vstack([part[0] for part in parts]),
        labels,
        cv=StratifiedKFold(folds, shuffle=True, random_state=seed),
        method="predict_proba",
    )[:, 1]
    value, influence = auc(labels, scores)
    return Estimate.from_influence(value, influence, least=0.0, most=1.0)


def _ks(real: Floats, synthetic: Floats) -> float:
    one, other = (np.sort(np.round(x[~np.isnan(x)], _DIGITS)) for x in (real, synthetic))
    if not len(one) or not len(other):
        return 1.0 if len(one) else math.nan
    steps = np.concatenate([one, other])
    shares = [np.searchsorted(x, steps, side="right") / len(x) for x in (one, other)]
    return float(np.abs(shares[0] - shares[1]).max())


def _variation(real: pd.Categorical, synthetic: pd.Categorical) -> float:
    levels = _union(real, synthetic)
    one, other = (recode(cells, levels, -1, -1) for cells in (real, synthetic))
    one, other = one[one >= 0], other[other >= 0]
    if not len(one) or not len(other):
        return 1.0 if len(one) else math.nan
    shares = [np.bincount(x, minlength=len(levels)) / len(x) for x in (one, other)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def _union(real: pd.Categorical, synthetic: pd.Categorical) -> Objects:
    both = [np.asarray(cells.categories, dtype=object) for cells in (real, synthetic)]
    return np.asarray(pd.unique(np.concatenate(both)), dtype=object)


def _missing_rates(cells: Cells) -> dict[str, float]:
    numbers = {name: float(np.isnan(x).mean()) for name, x in cells.numbers.items()}
    categories = {name: float((x.codes < 0).mean()) for name, x in cells.categories.items()}
    return numbers | categories


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
    levels = _union(*pair)
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
