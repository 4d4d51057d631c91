"""Mutual information: does one column tell as much of another as it does in the real table?

It sees bends and jumps that a correlation does not, whatever the kinds of the two columns.
"""

from __future__ import annotations

import math

import numpy as np

from synthgan._typing import Floats, Ints
from synthgan.metrics.fidelity.binned import Bins
from synthgan.metrics.fidelity.joint import Block, blocks, margins
from synthgan.metrics.measure import Estimate, Goal, Measure
from synthgan.metrics.tables import Tables

_MOST_CELLS = 100_000_000  # rows times pairs
_LEAST_ROWS = 5_000
_MOST_ROWS = 50_000


def nmi_measure(tables: Tables, pairs: Ints) -> Measure:
    """``nmi``: the difference of normalised mutual information over ``pairs``, from 0 to 1.

    The mean of |NMI real - NMI synthetic|, weighted by NMI real: pairs that have nothing to do
    with each other do not dilute it. NMI(x, y) = 2 I(x; y) / (H(x) + H(y)), on ten quantile
    bins a number and the ten most frequent levels a category, missing cells a level. Few rows
    make any two columns look related, so both sides have equally many. Interval by the delta
    method.
    """
    most = int(np.clip(_MOST_CELLS // max(len(pairs), 1), _LEAST_ROWS, _MOST_ROWS))
    rows = min(len(tables.reference), len(tables.synthetic), most)
    rng = tables.rng("nmi")
    bins = Bins.of(tables.columns, tables.reference)
    sides = (tables.reference, tables.synthetic, tables.real, tables.independent)
    codes = [bins(side.pick(rows, rng)) for side in sides]
    made, real, independent = _differences(codes, bins.sizes, pairs)
    return Measure(
        key="nmi",
        name="Mutual information, difference",
        estimate=made,
        goal=Goal.LOW,
        floor=real,
        baseline=independent,
        rows=rows,
        note="" if not math.isnan(made.value) else "no two real columns tell of each other",
    )


def _differences(codes: list[Ints], sizes: Ints, pairs: Ints) -> list[Estimate]:
    """Of each table with the first."""
    margin = [margins(each, sizes) for each in codes]
    ahead = [_Sums(codes[0].shape[1]) for _ in codes[1:]]
    for block in blocks(codes, sizes, pairs) if len(pairs) else ():
        real, slope = _information(block, 0, margin[0])
        for i, sums in enumerate(ahead, start=1):
            made, other = _information(block, i, margin[i])
            sign = np.where(real >= made, 1.0, -1.0)
            gap = np.abs(real - made)
            sums.weight += float(real.sum())
            sums.gap += float(real @ gap)
            sums.real += block.pulls(0, slope, np.stack([gap + real * sign, np.ones(len(real))]))
            sums.made -= block.pulls(i, other, (real * sign)[None, :])[0]
    return [sums.estimate() for sums in ahead]


def _information(block: Block, table: int, margin: Floats) -> tuple[Floats, Floats]:
    """NMI of each pair, and the influence on it of a row in each cell, times the rows."""
    shares = block.shares(table)
    first, second = margin[block.first], margin[block.second]
    held = shares > 0
    one, other = (np.log(np.where(held, side, 1.0)) for side in (first, second))
    surprise = np.where(held, np.log(np.where(held, shares, 1.0)) - one - other, 0.0)
    entropy = -block.sums(shares * (one + other))
    information = np.maximum(block.sums(shares * surprise), 0.0)
    varies = entropy > 0
    entropy = np.where(varies, entropy, 1.0)
    nmi = np.where(varies, 2 * information / entropy, 0.0)
    widths = np.diff(np.append(block.starts, len(shares)))
    slope = 2 * surprise + np.repeat(nmi, widths) * (one + other)
    return nmi, slope / np.repeat(entropy, widths)


class _Sums:
    """Sums over pairs, for a weighted mean of gaps and its influences."""

    def __init__(self, rows: int) -> None:
        self.weight = 0.0
        self.gap = 0.0
        self.real = np.zeros((2, rows))
        self.made = np.zeros(rows)

    def estimate(self) -> Estimate:
        if self.weight <= 0:
            return Estimate.undefined()
        value = self.gap / self.weight
        # The weights are figures of the real rows too: these move both sums of the mean.
        pulls = np.concatenate([self.real[0] - value * self.real[1], self.made])
        influence = pulls / self.weight / len(self.made)
        return Estimate.from_influence(value, influence, least=0.0, most=1.0)
