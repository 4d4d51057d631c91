"""Pearson correlations of all pairs of columns at once, and how much each row pulls them.

Holes make each pair a matter of its own rows. All sums over these are products of matrices of
powers, in which a hole is zero, so that no pair is looked at one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import comb

import numpy as np

from synthgan._typing import Floats
from synthgan.metrics.columns import Cells

_CONSTANT = 1e-12  # variance, in squared standard deviations of the column


@dataclass(frozen=True, eq=False, kw_only=True)
class Correlations:
    """Correlations of columns of numbers, each pair on the rows where both are present."""

    value: Floats
    """(columns, columns); NaN where a column does not vary on those rows."""
    table: Floats
    """(rows, columns): cells in standard deviations from the mean; 0 for a hole."""
    present: Floats
    """(rows, columns): 1, or 0 for a hole."""
    count: Floats
    """(columns, columns): rows where both are present, at least 1."""
    mean: Floats
    """(columns, columns): of the first column, on the rows of the pair."""
    variance: Floats
    """(columns, columns): of the first column, on the rows of the pair."""

    @classmethod
    def of(cls, cells: Cells, names: Sequence[str]) -> Correlations:
        """Correlations of the columns ``names``."""
        numbers = [cells.numbers[name] for name in names]
        table = np.column_stack(numbers) if names else np.empty((len(cells), 0))
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
        varies = (variance > _CONSTANT) & (variance.T > _CONSTANT)
        variance = np.where(varies, variance, 1.0)
        covariance = (table.T @ table) / both - mean * mean.T
        return cls(
            value=np.where(varies, covariance / np.sqrt(variance * variance.T), np.nan),
            table=table,
            present=mask,
            count=both,
            mean=mean,
            variance=variance,
        )

    def filled(self) -> Correlations:
        """The same with 0 in place of NaN: what does not vary is not correlated."""
        return replace(self, value=np.nan_to_num(self.value))

    def errors(self) -> Floats:
        """Standard errors by the delta method: (columns, columns)."""
        powers = [self.present, self.table, self.table**2, self.table**3, self.table**4]

        def moment(j: int, k: int) -> Floats:
            """Mean of the first column's j-th power times the second's k-th, both centred."""
            total = np.zeros_like(self.count)
            for p in range(j + 1):
                for q in range(k + 1):
                    shift = (-self.mean) ** (j - p) * (-self.mean.T) ** (k - q)
                    raw = powers[p].T @ powers[q] / self.count
                    total += comb(j, p) * comb(k, q) * shift * raw
            return total / self.variance ** (j / 2) / self.variance.T ** (k / 2)

        rho, both, one = np.nan_to_num(self.value), moment(2, 2), moment(4, 0)
        skewed = moment(3, 1)
        squares = both + rho**2 / 4 * (one + one.T + 2 * both) - rho * (skewed + skewed.T)
        return np.asarray(np.sqrt(np.maximum(squares, 0.0) / self.count))

    def influence(self, weights: Floats) -> Floats:
        """Of each row on the sum of ``weights`` (columns, columns) times the correlations.

        Only weights of pairs whose correlation is defined may differ from 0.
        """
        rho = np.nan_to_num(self.value)
        pull = (weights + weights.T) / 2 / self.count
        product = pull / np.sqrt(self.variance * self.variance.T)
        square = pull * rho / self.variance
        linear = 2 * (square * self.mean - product * self.mean.T)
        constant = product * self.mean * self.mean.T - square * np.square(self.mean)
        rows = self.table * (self.table @ product.T + self.present @ linear.T)
        rows += self.present * (self.present @ constant.T)
        rows -= np.square(self.table) * (self.present @ square.T)
        total: Floats = rows.sum(axis=1)
        return total
