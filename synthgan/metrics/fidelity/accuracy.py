"""Are the shares of rows in the bins of one, two and three columns those of the real table?

Binned total variation as in Platzer and Reutterer (2021), "Holdout-Based Empirical Assessment
of Mixed-Type Synthetic Data". Even real rows differ from each other by chance; how far is
known, and stands beside each figure.
"""

from __future__ import annotations

import math
from itertools import combinations
from typing import NamedTuple

import numpy as np

from synthgan._typing import Floats, Ints
from synthgan.metrics.fidelity.binned import Bins
from synthgan.metrics.measure import Estimate, Findings, Goal, Measure
from synthgan.metrics.tables import Tables

_MOST_PAIRS = 2_000
_MOST_TRIPLES = 1_000
_MOST_CELLS = 50_000_000  # rows times groups of columns
_LEAST_ROWS = 10_000
_MOST_ROWS = 100_000
_PERCENT = 100.0

_NAMES = {1: "one column", 2: "two columns", 3: "three columns"}
_NOUNS = {1: "columns", 2: "pairs", 3: "triples"}


def accuracy_findings(tables: Tables) -> Findings:
    """``accuracy_1``, ``accuracy_2``, ``accuracy_3``: 100 (1 - total variation), in percent.

    The mean over all columns, at most 2,000 pairs and 1,000 triples, drawn at random. Numbers
    are cut into ten bins of equally many real rows, categories into the ten most frequent
    levels and the rest; missing cells are a level. Intervals by the delta method.

    ``accuracy_1_most`` and so on: what rows of the same kind would reach, as expected from
    1/2 sum sqrt(2/pi (p(1-p)/n1 + p(1-p)/n2)) over cells with the real shares p. Cells that no
    real row is in do not count, so that it is a little high where there are few rows.
    """
    rng = tables.rng("accuracy")
    groups = {size: _groups(len(tables.columns.names), size, rng) for size in (1, 2, 3)}
    number = max(sum(len(each) for each in groups.values()), 1)
    rows = int(np.clip(_MOST_CELLS // number, _LEAST_ROWS, _MOST_ROWS))
    bins = Bins.of(tables.columns, tables.reference)
    against, *candidates = (
        bins(side.pick(rows, rng))
        for side in (tables.reference, tables.synthetic, tables.real, tables.independent)
    )
    measures: list[Measure] = []
    for size, found in groups.items():
        result = _variation(against, candidates, bins.sizes, found)
        measures += _measures(size, found, result, candidates[0].shape[1])
    return Findings(measures=tuple(measures))


class _Result(NamedTuple):
    estimates: list[Estimate]
    """Accuracy of each candidate."""
    most: Estimate


def _groups(columns: int, size: int, rng: np.random.Generator) -> Ints:
    """Places of the columns that are looked at together: (groups, size)."""
    most = {1: columns, 2: _MOST_PAIRS, 3: _MOST_TRIPLES}[size]
    if math.comb(columns, size) <= 4 * most:
        every = np.array(list(combinations(range(columns), size)), dtype=np.int64)
        every = every.reshape(-1, size)
        return every if len(every) <= most else rng.permutation(every)[:most]
    drawn = np.sort(rng.integers(columns, size=(4 * most, size)), axis=1)
    distinct = np.unique(drawn[(np.diff(drawn, axis=1) > 0).all(axis=1)], axis=0)
    return rng.permutation(distinct)[:most]


def _measures(size: int, groups: Ints, result: _Result, rows: int) -> list[Measure]:
    made, real, independent = result.estimates
    note = f"{len(groups):,} {_NOUNS[size]}" if len(groups) else f"needs {size} columns"
    return [
        Measure(
            key=f"accuracy_{size}",
            name=f"Joint accuracy of {_NAMES[size]}",
            estimate=made,
            goal=Goal.HIGH,
            unit="%",
            floor=real,
            baseline=independent,
            rows=rows,
            note=note,
        ),
        Measure(
            key=f"accuracy_{size}_most",
            name=f"The most that chance allows, {_NAMES[size]}",
            estimate=result.most,
            goal=Goal.NONE,
            unit="%",
            rows=rows,
            note=note,
        ),
    ]


def _variation(real: Ints, candidates: list[Ints], sizes: Ints, groups: Ints) -> _Result:
    if not len(groups):
        return _Result([Estimate.undefined() for _ in candidates], Estimate.undefined())
    totals, noise = [0.0] * len(candidates), 0.0
    pulls = [(np.zeros(real.shape[1]), np.zeros(each.shape[1])) for each in candidates]
    for group in groups:
        places = _places(real, sizes, group)
        cells = int(np.prod(sizes[group]))
        shares = _shares(places, cells)
        noise += float(np.sqrt(shares * (1 - shares)).sum())
        for i, candidate in enumerate(candidates):
            others = _places(candidate, sizes, group)
            gaps = shares - _shares(others, cells)
            signs = np.sign(gaps)
            totals[i] += float(np.abs(gaps).sum())
            pulls[i][0][:] += signs[places]
            pulls[i][1][:] -= signs[others]
    estimates = [
        _accuracy(total / 2 / len(groups), [pull / 2 / len(groups) for pull in pair])
        for total, pair in zip(totals, pulls, strict=True)
    ]
    scale = np.sqrt(2 / np.pi * (1 / real.shape[1] + 1 / candidates[0].shape[1]))
    most = max(_PERCENT * (1 - float(scale) * noise / 2 / len(groups)), 0.0)
    return _Result(estimates, Estimate(most, math.nan, math.nan))


def _places(codes: Ints, sizes: Ints, group: Ints) -> Ints:
    """The cell of each row in the joint table of the columns ``group``."""
    places: Ints = codes[group[0]]
    for column in group[1:]:
        places = places * sizes[column] + codes[column]
    return places


def _shares(places: Ints, cells: int) -> Floats:
    shares: Floats = np.bincount(places, minlength=cells) / len(places)
    return shares


def _accuracy(error: float, pulls: list[Floats]) -> Estimate:
    influence = np.concatenate([(pull - pull.mean()) / len(pull) for pull in pulls])
    return Estimate.from_influence(max(1 - error, 0.0), influence, least=0.0, most=1.0).scaled(
        _PERCENT
    )
