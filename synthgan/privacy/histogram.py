"""Noisy histograms of number columns, refined where rows are."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby, pairwise

import numpy as np

from synthgan._typing import Floats, Ints
from synthgan.columns.column import Column, Kind
from synthgan.columns.date_format import NANOSECONDS
from synthgan.encode.summary import NumberSummary, Segment
from synthgan.privacy.questions import Grid, Ranges
from synthgan.privacy.rows import PrivateRows

_BRANCHES = 16
_FLAT = 64  # so few ticks are counted one by one, in one go
_OCTAVES = 45  # without bounds: powers of two, up to 2**44 ticks
_REFINEMENTS = 4  # levels below the first one, without bounds
_MOST_LEVELS = 4  # with bounds
_MOST_TICKS = 2.0**40  # between bounds, for ticks to be the schema's
_SPLIT, _SPLIT_UNDECLARED = 6.0, 3.6  # times sigma that a range must hold to be split

STANDS_OUT = 3.0  # times sigma at which a count is more than noise
_TOGETHER_STAND_OUT = 2.0  # the same for neighbours, none of which does
_PART_STANDS_OUT = 2.0  # the same for a part of a range that does

_LEAST_BIN = 0.004  # share of present rows that a bin should hold


@dataclass(frozen=True)
class Estimate:
    value: float
    variance: float


@dataclass(frozen=True, kw_only=True, eq=False)
class _Plan:
    """How a number column is counted. Nothing of it depends on rows."""

    grid: Grid
    is_exact: bool
    """Whether ticks are the very values that cells have, not just close to them."""
    anchors: dict[int, float]
    """Ticks that stand for one public value in any case: zero and the declared bounds."""
    edges: Ints
    """Ranges of the first level."""
    levels: int
    has_bounds: bool


@dataclass(kw_only=True, eq=False)
class _Node:
    """A range of ticks, from ``first`` to before ``stop``, and what is known of its rows."""

    first: int
    stop: int
    count: float
    variance: float
    parts: list[_Node] = field(default_factory=list)

    def stands_out(self, times: float) -> bool:
        return self.count > times * math.sqrt(self.variance)

    def leaves(self) -> list[_Node]:
        return [leaf for part in self.parts for leaf in part.leaves()] or [self]


@dataclass(frozen=True, kw_only=True, eq=False)
class CountedRanges:
    """Noisy counts of a number column: ranges that follow one another, each maybe in parts."""

    plan: _Plan
    nodes: list[_Node]
    missing: float
    variance: float
    """Of a range's count that was taken once."""
    total: Estimate | None
    """What it tells of the number of rows."""
    words: Floats | None = None
    """Rows of each word, of other words, and of missing cells; None where there are no words."""

    def summarize(self, column: Column, rows: float, codes: int) -> NumberSummary:
        """About ``codes`` atoms and bins that hold like numbers of rows."""
        limit = STANDS_OUT * math.sqrt(self.variance / self.plan.levels)
        missing = self.missing if column.nullable and self.missing > limit else 0.0
        words = np.zeros(0)
        if self.words is not None:
            words, missing = self.words[:-1], float(self.words[-1]) * column.nullable
        pieces = _settle(self.nodes)
        edges = np.array([*(first for first, _, _ in pieces), pieces[-1][1]], dtype=np.int64)
        masses = np.array([mass for _, _, mass in pieces])
        if not masses.sum() > 0:
            if missing and not words.any():
                return NumberSummary(
                    segments=(), weights=(1.0,), fine=False, words=(0.0,) * len(words)
                )
            masses = np.diff(edges).astype(np.float64)  # nothing stood out: anything may be
            masses /= masses.sum() if words.any() else 1.0
        segments, weights = _segments(self.plan, edges, masses, codes)
        shares = np.array([*weights, missing, *words])
        shares = shares / shares.sum()
        known = len(weights) + 1
        return NumberSummary(
            segments=tuple(segments),
            weights=tuple(shares[:known].tolist()),
            fine=False,
            words=tuple(shares[known:].tolist()),
        )


def count_numbers(rows: PrivateRows, column: Column, rho: Fraction) -> CountedRanges:
    plan = _plan(column)
    variance = rows.ledger.budget.variance(rho / plan.levels)
    noise = float(variance)

    def ask(edges: Ints, level: int) -> tuple[Floats, float]:
        ranges = Ranges(column=column.name, grid=plan.grid, edges=tuple(edges.tolist()))
        name = f"ranges of {column.name!r}, level {level} of {plan.levels}"
        found = rows.count(ranges, variance, name).astype(np.float64)
        return found[:-1], float(found[-1])

    counts, missing = ask(plan.edges, 1)
    total = Estimate(float(counts.sum()) + missing, noise * (len(counts) + 1))
    nodes = _nodes(plan.edges, counts, noise)
    if not plan.has_bounds:
        nodes = _within_bounds(nodes)
    split = (_SPLIT if plan.has_bounds else _SPLIT_UNDECLARED) * math.sqrt(noise)
    for level in range(2, plan.levels + 1):
        leaves = [leaf for node in nodes for leaf in node.leaves()]
        pieces = [_edges(leaf, leaf.count > split) for leaf in leaves]
        edges = np.unique(np.concatenate(pieces))
        counts, more_missing = ask(edges, level)
        for leaf, piece in zip(leaves, pieces, strict=True):
            start = int(np.searchsorted(edges, leaf.first))
            _refine(leaf, piece, counts[start : start + len(piece) - 1], noise)
        missing += (more_missing - missing) / level
    return CountedRanges(plan=plan, nodes=nodes, missing=missing, variance=noise, total=total)


def _plan(column: Column) -> _Plan:
    low, high = _bounds(column)
    grid, is_exact = _grid(column, low, high)
    first, last = grid.ticks(np.array([low, high])).tolist()
    if math.isfinite(last - first):
        anchors = {int(first): low, int(last): high}
        if first <= 0 <= last:
            anchors[0] = 0.0
        edges, levels = _edges_between(int(first), int(last))
        # Zero and caps often have a meaning of their own, so they are counted by themselves.
        alone = [edge for tick in anchors for edge in (tick, tick + 1)]
        return _Plan(
            grid=grid,
            is_exact=is_exact,
            anchors=anchors,
            edges=np.unique(np.r_[edges, alone]).astype(np.int64),
            levels=levels,
            has_bounds=True,
        )
    powers = 2 ** np.arange(_OCTAVES, dtype=np.int64)
    edges = np.r_[1 - powers[::-1], powers]
    # With one bound declared, nothing is counted beyond it.
    first, last = np.clip([first, last + 1], edges[0], edges[-1]).tolist()
    inside = edges[(edges > first) & (edges < last)]
    return _Plan(
        grid=grid,
        is_exact=is_exact,
        anchors={0: 0.0},
        edges=np.array([first, *inside, max(last, first + 1)], dtype=np.int64),
        levels=1 + _REFINEMENTS,
        has_bounds=False,
    )


def _edges_between(first: int, last: int) -> tuple[Ints, int]:
    """Edges of the first level's ranges, and how many levels there are."""
    width = last - first + 1
    if width <= _FLAT:
        return np.arange(first, last + 2), 1
    levels = int(np.clip(math.ceil(math.log(width, _BRANCHES) - 0.1), 2, _MOST_LEVELS))
    return _even(first, last + 1), levels


def _bounds(column: Column) -> tuple[float, float]:
    """The declared bounds, in the units of :func:`synthgan.columns.cells.read_cells`."""

    def value(bound: float | str | None, default: float) -> float:
        if bound is None:
            return default
        if isinstance(bound, str):
            microseconds = int(np.datetime64(bound, "us").astype(np.int64))
            return microseconds * 1000 / NANOSECONDS[column.resolution or "s"]
        return float(bound)

    return value(column.low, -math.inf), value(column.high, math.inf)


def _grid(column: Column, low: float, high: float) -> tuple[Grid, bool]:
    """Ticks a step of the schema's decimals or resolution apart, and True; where there are
    none, or too many, ticks that are close enough together, and False."""
    width = high - low
    if column.kind is Kind.DATETIME and not math.isfinite(width):
        scale = min(NANOSECONDS[column.resolution or "s"] / NANOSECONDS["s"], 1.0)
        return Grid(scale=scale), scale == 1.0
    largest = max(abs(low), abs(high))
    if column.kind is not Kind.NUMBER or column.decimals is not None:
        scale = 10.0 ** (column.decimals or 0)
        if not math.isfinite(width) or (width * scale <= _MOST_TICKS and largest * scale < 2**52):
            return Grid(scale=scale), True
    if not math.isfinite(width):
        return Grid(scale=2.0**20), False
    width = max(width, largest * 2.0**-20) or 1.0
    largest = max(largest, width)
    steps = min(29 - math.floor(math.log2(width)), 51 - math.floor(math.log2(largest)))
    return Grid(scale=2.0**steps), False


def _nodes(edges: Ints, counts: Floats, variance: float) -> list[_Node]:
    return [
        _Node(first=first, stop=stop, count=count, variance=variance)
        for (first, stop), count in zip(pairwise(edges.tolist()), counts.tolist(), strict=True)
    ]


def _even(first: int, stop: int) -> Ints:
    """Edges of sixteen ranges (or one a tick) from ``first`` to before ``stop``."""
    steps = min(_BRANCHES, stop - first)
    offsets = [(stop - first) * step // steps for step in range(steps + 1)]
    return first + np.array(offsets, dtype=np.int64)


def _edges(leaf: _Node, is_split: bool) -> Ints:
    return _even(leaf.first, leaf.stop) if is_split else np.array([leaf.first, leaf.stop])


def _within_bounds(nodes: list[_Node]) -> list[_Node]:
    """Only what lies between the outermost ranges that stand out of the noise of all."""
    times = math.sqrt(2 * math.log(max(len(nodes), 2)))
    most = max(node.count for node in nodes)
    heavy = [i for i, node in enumerate(nodes) if node.stands_out(times) or node.count == most]
    return nodes[heavy[0] : heavy[-1] + 1]


def _refine(leaf: _Node, edges: Ints, counts: Floats, noise: float) -> None:
    """Joins new counts with what was known of ``leaf``.

    A range and its parts are two readings of the same rows: the difference is shared out by
    precision (Hay et al. 2010).
    """
    apart = len(counts) * noise
    total = (leaf.count * apart + counts.sum() * leaf.variance) / (apart + leaf.variance)
    leaf.count, leaf.variance = float(total), leaf.variance * apart / (apart + leaf.variance)
    if len(counts) > 1:
        leaf.parts = _nodes(edges, counts + (total - counts.sum()) / len(counts), noise)


def _settle(nodes: list[_Node]) -> list[tuple[int, int, float]]:
    """First tick, tick after the last, and mass of every range; masses are not negative.

    Ranges stand if they stand out of the noise. Neighbours that do not are taken together:
    they stand evenly if together they stand out.
    """
    found: list[tuple[int, int, float]] = []
    for stands, run in groupby(nodes, key=lambda node: node.stands_out(STANDS_OUT)):
        group = list(run)
        count = sum(node.count for node in group)
        noise = math.sqrt(sum(node.variance for node in group))
        even = count / len(group) if count > _TOGETHER_STAND_OUT * noise else 0.0
        for node in group:
            found += _share_out(node, node.count if stands else even)
    return found


def _share_out(node: _Node, mass: float) -> list[tuple[int, int, float]]:
    """``mass`` among the parts of ``node``; those that do not stand out share evenly what the
    others leave."""
    if not node.parts:
        return [(node.first, node.stop, mass)]
    stands = [part.stands_out(_PART_STANDS_OUT) for part in node.parts]
    taken = sum(part.count for part, yes in zip(node.parts, stands, strict=True) if yes)
    even = max(mass - taken, 0.0) / max(stands.count(False), 1)
    shares = [part.count if yes else even for part, yes in zip(node.parts, stands, strict=True)]
    scale = mass / max(sum(shares), 1e-9)
    return [
        piece
        for part, share in zip(node.parts, shares, strict=True)
        for piece in _share_out(part, share * scale)
    ]


def _segments(
    plan: _Plan, edges: Ints, masses: Floats, codes: int
) -> tuple[list[Segment], list[float]]:
    """Codes in order of value, and the mass of each.

    Single ticks that hold as much as an even code would are atoms. The rest is cut into bins
    of like mass; within a bin, rows lie as the ranges say.
    """
    is_atom = (np.diff(edges) == 1) & (masses >= masses.sum() / codes)
    if not plan.is_exact:  # cells are not at ticks, and their exact values are not told
        is_atom &= np.isin(edges[:-1], list(plan.anchors))
    found = [
        (_atom(plan, tick), mass)
        for tick, mass in zip(edges[:-1][is_atom].tolist(), masses[is_atom].tolist(), strict=True)
    ]
    low, high, rest = edges[:-1][~is_atom], edges[1:][~is_atom], masses[~is_atom]
    if rest.sum() > 0:
        most = max(int(rest.sum() / (_LEAST_BIN * masses.sum())), 1)
        wanted = min(max(codes - int(is_atom.sum()), 2), most)
        for start, stop in pairwise(_cuts(rest, wanted)):
            part = slice(start, stop)
            found.append(_bin(plan, low[part], high[part], rest[part]))
    found.sort(key=lambda pair: (pair[0].values[0], pair[0].values[-1]))
    return [segment for segment, _ in found], [mass for _, mass in found]


def _cuts(masses: Floats, wanted: int) -> list[int]:
    """Where to cut ranges into bins of like mass, each with some; ranges stay whole, as nobody
    knows where in one its rows lie."""
    below = np.r_[0.0, np.cumsum(masses)]
    targets = np.arange(1, wanted) * below[-1] / wanted
    after = np.searchsorted(below, targets)
    nearest = np.where(targets - below[after - 1] < below[after] - targets, after - 1, after)
    cuts = [0]
    for cut in np.unique(nearest).tolist():
        if below[cuts[-1]] < below[cut] < below[-1]:
            cuts.append(cut)
    return [*cuts, len(masses)]


def _atom(plan: _Plan, tick: int) -> Segment:
    value = plan.anchors.get(tick, float(plan.grid.values(np.array([tick]))[0]))
    return Segment(positions=(0.0,), values=(value,))


def _bin(plan: _Plan, low: Ints, high: Ints, masses: Floats) -> tuple[Segment, float]:
    """The code of some ranges that follow one another, and its mass.

    A tick's rows lie evenly from half a tick below to half a tick above it, so that rounding
    to the grid gives the tick back.
    """
    mass = float(masses.sum())
    if len(low) == 1 and high[0] - low[0] == 1 and (plan.is_exact or int(low[0]) in plan.anchors):
        return _atom(plan, int(low[0])), mass
    # Neighbours of one density are one range.
    density = masses / (high - low)
    goes_on = np.isclose(density[1:], density[:-1], rtol=1e-9, atol=0.0) & (low[1:] == high[:-1])
    starts = np.flatnonzero(np.r_[True, ~goes_on])
    low, high = low[starts], high[np.r_[starts[1:] - 1, len(high) - 1]]
    places = np.r_[0.0, np.cumsum(np.add.reduceat(masses, starts)) / mass]
    places[-1] = 1.0
    positions = np.minimum(np.c_[places[:-1], places[1:]].ravel(), 1.0)
    values = plan.grid.values(np.c_[low - 0.5, high - 0.5].ravel())
    keep = np.r_[True, (np.diff(positions) > 0) | (np.diff(values) > 0)]
    return Segment(
        positions=tuple(positions[keep].tolist()), values=tuple(values[keep].tolist())
    ), mass
