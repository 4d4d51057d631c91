"""Column by column: are the distributions, and the holes, those of the real table?

Shape errors follow SDMetrics (Column Shapes), as errors in percent; they are easy to pass (the
independent columns have the best of all) and say where a table goes wrong.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from synthgan.report.columns import Cells, Columns, recode, union
from synthgan.report.measure import Floats

_DIGITS = 14  # numbers that differ later than this are ties, as in SDMetrics


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


def _ks(real: Floats, synthetic: Floats) -> float:
    one, other = (np.sort(np.round(x[~np.isnan(x)], _DIGITS)) for x in (real, synthetic))
    if not len(one) or not len(other):
        return 1.0 if len(one) else math.nan
    steps = np.concatenate([one, other])
    shares = [np.searchsorted(x, steps, side="right") / len(x) for x in (one, other)]
    return float(np.abs(shares[0] - shares[1]).max())


def _variation(real: pd.Categorical, synthetic: pd.Categorical) -> float:
    levels = union(real, synthetic)
    one, other = (recode(cells, levels, -1, -1) for cells in (real, synthetic))
    one, other = one[one >= 0], other[other >= 0]
    if not len(one) or not len(other):
        return 1.0 if len(one) else math.nan
    shares = [np.bincount(x, minlength=len(levels)) / len(x) for x in (one, other)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def _missing_rates(cells: Cells) -> dict[str, float]:
    numbers = {name: float(np.isnan(x).mean()) for name, x in cells.numbers.items()}
    categories = {name: float((x.codes < 0).mean()) for name, x in cells.categories.items()}
    return numbers | categories
