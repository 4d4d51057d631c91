"""How strongly each two columns hold together, as one matrix to look at.

Numbers with numbers: Pearson's correlation, which has a sign. A number with a category: the
correlation ratio. Two categories: Cramér's V. The last two are corrected for what chance alone
gives columns of many levels (Kelley 1935; Bergsma 2013), so that nothing reads as nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synthgan._typing import Floats, Ints
from synthgan.metrics.columns import Cells, Columns, recode

_LEVELS = 20  # the most frequent ones; the rest are one level, missing cells another


def associations(columns: Columns, cells: Cells, names: Sequence[str]) -> Floats:
    """Strength of each pair of the columns ``names``: (columns, columns), from -1 to 1.

    NaN where a column does not vary. A number counts on the rows where it is present; missing
    cells of a category are a level of their own.
    """
    numbers = [i for i, name in enumerate(names) if name in cells.numbers]
    levelled = [i for i, name in enumerate(names) if name not in cells.numbers]
    codes = [_codes(columns, cells, names[i]) for i in levelled]
    matrix = np.full((len(names), len(names)), np.nan)
    if numbers:
        table = _standardised(cells, [names[i] for i in numbers])
        matrix[np.ix_(numbers, numbers)] = pd.DataFrame(table).corr().to_numpy()
        for i, code in zip(levelled, codes, strict=True):
            matrix[i, numbers] = matrix[numbers, i] = _correlation_ratios(code, table)
    for a, i in enumerate(levelled):
        for b in range(a, len(levelled)):
            j = levelled[b]
            matrix[i, j] = matrix[j, i] = _cramers_v(codes[a], codes[b])
    clipped: Floats = np.clip(matrix, -1.0, 1.0)
    return clipped


def _codes(columns: Columns, cells: Cells, name: str) -> Ints:
    levels = columns.levels[name][:_LEVELS]
    return recode(cells.categories[name], levels, _LEVELS, _LEVELS + 1)


def _standardised(cells: Cells, names: Sequence[str]) -> Floats:
    """(rows, columns) with NaN where missing; all NaN where a column does not vary."""
    table = np.column_stack([cells.numbers[name] for name in names])
    count = np.maximum((~np.isnan(table)).sum(axis=0), 1)
    table = table - np.nansum(table, axis=0) / count
    spread = np.sqrt(np.nansum(np.square(table), axis=0) / count)
    scaled: Floats = table / np.where(spread > 0, spread, np.nan)
    return scaled


def _correlation_ratios(codes: Ints, table: Floats) -> Floats:
    """Of one categorical column with each column of numbers: (columns,)."""
    present = (~np.isnan(table)).astype(np.float64)
    filled = np.nan_to_num(table)
    member = np.eye(_LEVELS + 2)[codes]
    held, sums = member.T @ present, member.T @ filled
    count, groups = present.sum(axis=0), np.count_nonzero(held, axis=0)
    total = np.square(filled).sum(axis=0) - np.square(filled.sum(axis=0)) / np.maximum(count, 1)
    between = np.square(sums) / np.maximum(held, 1)
    within = np.square(filled).sum(axis=0) - between.sum(axis=0)
    defined = (groups > 1) & (count > groups) & (total > 0)
    spread = np.where(defined, total / np.maximum(count - 1, 1), 1.0)
    explained = 1 - within / np.maximum(count - groups, 1) / spread
    return np.where(defined, np.sqrt(np.maximum(explained, 0.0)), np.nan)


def _cramers_v(a: Ints, b: Ints) -> float:
    size = _LEVELS + 2
    joint = np.bincount(a * size + b, minlength=size * size).reshape(size, size).astype(np.float64)
    rows, count = joint.sum(axis=1, keepdims=True), joint.sum()
    columns = joint.sum(axis=0, keepdims=True)
    r, c = int(np.count_nonzero(rows)), int(np.count_nonzero(columns))
    if min(r, c) < 2 or count < 2:
        return float("nan")
    expected = rows @ columns / count
    seen = expected > 0
    share = float((np.square(joint - expected)[seen] / expected[seen]).sum() / count)
    share = max(share - (r - 1) * (c - 1) / (count - 1), 0.0)
    least = min(r - (r - 1) ** 2 / (count - 1), c - (c - 1) ** 2 / (count - 1)) - 1
    return float(np.sqrt(min(share / least, 1.0))) if least > 0 else float("nan")
