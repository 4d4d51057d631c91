"""How far apart two tables are in what holds between each two columns, for all pairs at once.

Two columns of numbers are compared by their correlation, all others by their joint table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from synthgan._typing import Bools, Floats, Ints
from synthgan.metrics.fidelity.correlation import Correlations
from synthgan.metrics.fidelity.joint import Block, blocks, margins
from synthgan.metrics.measure import Estimate

STRONG_CORRELATION = 0.5
STRONG_ASSOCIATION = 0.3


@dataclass(frozen=True, eq=False, kw_only=True)
class Side:
    """One table, ready to be compared."""

    codes: Ints
    """(columns, rows)."""
    correlations: Correlations
    """Of the columns of numbers, in table order."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Gaps:
    """Distances of two tables by pair of columns, from 0 to 1."""

    errors: Floats
    """(pairs,); NaN where a correlation is not defined."""
    spreads: Floats
    """Standard errors of these: (pairs,)."""
    strengths: Floats
    """Absolute correlation or Cramér's V in the real table: (pairs,)."""
    strong: Bools
    """Whether that is above .5 or .3: (pairs,)."""
    pulls: Floats
    """Influence of all rows of both tables on the means over strong pairs and all: (2, rows)."""

    def mean(self, *, strong_only: bool) -> Estimate:
        """Mean error over strong or all pairs that have one."""
        errors = self.errors[self.strong] if strong_only else self.errors
        errors = errors[~np.isnan(errors)]
        if not len(errors):
            return Estimate.undefined()
        pull = self.pulls[0 if strong_only else 1]
        return Estimate.from_influence(float(errors.mean()), pull, least=0.0, most=1.0)


def column_pairs(columns: int) -> Ints:
    """Places of the columns of all pairs, in order: (pairs, 2)."""
    return np.stack(np.triu_indices(columns, 1), axis=1).astype(np.int64)


def pair_gaps(
    real: Side, others: Sequence[Side], sizes: Ints, numbers: Bools, *, all_pairs: bool = True
) -> list[Gaps]:
    """Distances of each of ``others`` from ``real``, over :func:`column_pairs`.

    ``sizes`` (columns,): codes of each column are below. ``numbers`` (columns,): which columns
    have correlations. Without ``all_pairs`` the influences on the mean over all pairs are left
    out, which is faster where few pairs are strong.
    """
    pairs = column_pairs(len(sizes))
    correlated = np.asarray(numbers[pairs].all(axis=1))
    found = [_Work(len(pairs), real, side) for side in others]
    _correlations(real, others, (np.cumsum(numbers) - 1)[pairs[correlated]], correlated, found)
    tabled = np.flatnonzero(~correlated)
    codes = [real.codes, *(side.codes for side in others)]
    margin = margins(real.codes, sizes) if len(tabled) else np.zeros(0)
    for block in blocks(codes, sizes, pairs[tabled]) if len(tabled) else ():
        shares = block.shares(0)
        strengths = _cramers_v(block, shares, margin)
        weights = np.stack([strengths > STRONG_ASSOCIATION, np.full(len(strengths), all_pairs)])
        for i, work in enumerate(found, start=1):
            work.strengths[tabled[block.pairs]] = strengths
            _variation(block, shares, i, work, tabled[block.pairs], weights.astype(np.float64))
    return [work.gaps(correlated) for work in found]


class _Work:
    """Gaps in the making."""

    def __init__(self, pairs: int, real: Side, other: Side) -> None:
        self.errors = np.full(pairs, np.nan)
        self.variances = np.zeros(pairs)
        self.strengths = np.full(pairs, np.nan)
        self.real = np.zeros((2, real.codes.shape[1]))
        self.other = np.zeros((2, other.codes.shape[1]))

    def gaps(self, correlated: Bools) -> Gaps:
        strong = self.strengths > np.where(correlated, STRONG_CORRELATION, STRONG_ASSOCIATION)
        defined = ~np.isnan(self.errors)
        counts = np.maximum([(strong & defined).sum(), defined.sum()], 1)
        pulls = [(p - p.mean(axis=1, keepdims=True)) / p.shape[1] for p in (self.real, self.other)]
        return Gaps(
            errors=self.errors,
            spreads=np.sqrt(self.variances),
            strengths=self.strengths,
            strong=strong,
            pulls=np.concatenate(pulls, axis=1) / counts[:, None],
        )


def _correlations(
    real: Side, others: Sequence[Side], places: Ints, among: Bools, found: list[_Work]
) -> None:
    """Fills in the pairs ``among`` all, which are ``places`` (pairs, 2) in the correlations."""
    if not len(places):
        return
    where = places[:, 0], places[:, 1]
    value, spread = real.correlations.value[where], real.correlations.errors()[where]
    for side, work in zip(others, found, strict=True):
        gap = value - side.correlations.value[where]
        work.strengths[among] = np.abs(value)
        work.errors[among] = np.abs(gap) / 2
        work.variances[among] = (spread**2 + side.correlations.errors()[where] ** 2) / 4
        defined = ~np.isnan(gap)
        for i, group in enumerate((np.abs(value) > STRONG_CORRELATION, defined)):
            weights = np.zeros_like(real.correlations.value)
            weights[where] = np.where(group & defined, np.where(gap >= 0, 0.5, -0.5), 0.0)
            work.real[i] += len(work.real[i]) * real.correlations.influence(weights)
            work.other[i] -= len(work.other[i]) * side.correlations.influence(weights)


def _cramers_v(block: Block, shares: Floats, margin: Floats) -> Floats:
    """Of each pair; 0 where a column has one level."""
    ends = np.append(block.starts, len(shares))
    expected = margin[block.first] * margin[block.second]
    held = shares > 0
    surplus = block.sums(np.where(held, np.square(shares) / np.where(held, expected, 1.0), 0.0)) - 1
    levels = np.array(
        [
            min(
                len(np.unique(side[low:high][held[low:high]]))
                for side in (block.first, block.second)
            )
            for low, high in pairwise(ends)
        ]
    )
    return np.asarray(np.sqrt(np.maximum(surplus, 0.0) / np.maximum(levels - 1, 1)) * (levels > 1))


def _variation(
    block: Block, shares: Floats, table: int, work: _Work, pairs: Ints, weights: Floats
) -> None:
    """Total variation of each pair, and what the rows do to its sums by ``weights``."""
    made = block.shares(table)
    signs = np.sign(shares - made) / 2
    work.errors[pairs] = block.sums(np.abs(shares - made)) / 2
    for side, rows in ((shares, work.real.shape[1]), (made, work.other.shape[1])):
        spread = block.sums(side * np.square(signs)) - np.square(block.sums(side * signs))
        work.variances[pairs] += np.maximum(spread, 0.0) / rows
    work.real += block.pulls(0, signs, weights)
    work.other -= block.pulls(table, signs, weights)
