"""Atoms and bins of a number column, from its runs.

Of values that fewer than ``min_category_rows`` people share only means of disjoint groups of at
least so many people are kept, rounded to a hundredth or so of what a group spans. A group lies
between two values that are kept as they are, so that none of them is part of its mean: of what is
kept no linear combination is a single cell.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthgan._typing import Bools, Floats, Ints
from synthgan.config import SummaryConfig
from synthgan.encode.rounding import Absent, Rounding
from synthgan.encode.sorted_values import Items, Runs
from synthgan.encode.summary import NumberSummary, Segment
from synthgan.schema.owners import Steps

FEW_VALUES = 128
"""A number column with at most this many distinct values gets one code a value."""

_FINE_SHARE = 0.02  # of rows that must lie in bins, for places within them to matter
_FEW_LEFT = 0.25  # of the rows, that frequent values leave over
_KNOTS = 16  # a bin's quantile function gets at most about this many knots between its atoms
_SHARED_VALUES = 64  # and at most this many exact values

_NEARBY = 0.5  # of a bin, by which its end may be moved

_BEYOND = 0.5  # of the way from the second knot to the first, that a bin goes on beyond it


def summarize_runs(
    present: Runs, absent: Absent, config: SummaryConfig, rounding: Rounding, steps: Steps
) -> NumberSummary:
    """What is kept of a column of the rows ``present`` and ``absent``, in the table's ``steps``."""
    enough = config.min_category_rows
    if present.owners() < max(enough, 1):  # too few to keep anything of
        counts = (absent.counts[0] + float(present.counts.sum()), *absent.counts[1:])
        people = (max(absent.people[0], enough), *absent.people[1:])
        shares = steps.shares(counts, people)
        return NumberSummary(segments=(), weights=shares[:1], fine=False, words=shares[1:])
    total = float(present.counts.sum())
    present = _pull_in_extremes(present, config.extreme_rows, rounding)
    is_atom = _are_atoms(present, config)
    atoms, rest = present.some(is_atom), present.some(~is_atom)
    bins = _bins(rest, total, config)
    limits = present.values[[0, -1]]
    drafts = [_pieces(part, limits, rounding) for part in bins]
    of_atoms = atoms.counts.astype(np.float64)
    if rest.owners() and not bins:
        items = rest.expanded()
        apart = np.abs(items.values[:, None] - atoms.values[None, :])
        of_atoms += np.bincount(apart.argmin(axis=1), items.weights, minlength=len(of_atoms))
    strewn, rooms = _strewn(rest, bins, drafts), _rooms(drafts, rounding)
    counted = [sum(piece.count for piece in pieces) for pieces in drafts]
    few = float(strewn.counts.sum()) * any(map(any, rooms))
    shares = steps.shares(
        [*of_atoms, *counted, few, *absent.counts],
        [*[enough] * (len(of_atoms) + len(bins)), strewn.owners(), *absent.people],
    )
    known = len(of_atoms)
    few, missing, *words = shares[known + len(bins) :]
    weights, parts = [*shares[:known]], []
    for pieces, room, share in zip(drafts, rooms, shares[known:], strict=False):
        weights.append(share + few * sum(room))
        parts.append(_placed(pieces, [few * each for each in room], share, steps))
    segments = [Segment(positions=(0.0,), values=(float(value),)) for value in atoms.values]
    segments += _quantile_functions(parts, limits)
    order = sorted(
        range(len(segments)), key=lambda i: (segments[i].values[0], segments[i].values[-1])
    )
    return NumberSummary(
        segments=tuple(segments[i] for i in order),
        weights=(*(weights[i] for i in order), missing),
        fine=bool(bins) and float(rest.counts.sum()) >= _FINE_SHARE * (total + sum(absent.counts)),
        words=tuple(words),
    )


# --- limits -----------------------------------------------------------------------------


def _pull_in_extremes(present: Runs, extreme: int, rounding: Rounding) -> Runs:
    """Rows beyond either limit pulled in to it; or all to a mean, where they are too few."""
    runs = len(present.values)
    low = _limit(present, extreme, rounding.enough)
    back = _limit(present.reversed(), extreme, rounding.enough)
    high = None if back is None else (runs - back[1], runs - back[0])
    if low is None or high is None or (low[1] > high[0] and low != high):
        middle = (0, runs) if low is None or high is None else (low[0], high[1])
        if present.owners(*middle) < rounding.enough:
            middle = (0, runs)
        value = _value(present, middle, rounding)
        return present.pulled_in(runs, value, runs, value)
    least = _value(present, low, rounding)
    greatest = least if low == high else _value(present, high, rounding)
    return present.pulled_in(low[1], least, high[0] - 1, greatest)


def _limit(runs: Runs, extreme: int, enough: int) -> tuple[int, int] | None:
    """The runs (from, to) of which the lower limit is the mean: the value that ``extreme`` people
    reach, if enough share it; else those from there on, to the next such value at most.

    None where there are too few.
    """
    reached = runs.owners_until()
    if reached[-1] < extreme:
        return None
    start = int(np.searchsorted(reached, extreme))
    shared = np.flatnonzero(_are_shared(runs, enough)[start:])
    stop = start + int(shared[0]) if len(shared) else len(reached)
    if stop > start:
        between = runs.some(slice(start, stop)).owners_until()
        if between[-1] >= enough:
            return start, start + int(np.searchsorted(between, enough)) + 1
    return None if stop == len(reached) else (stop, stop + 1)


def _value(runs: Runs, stretch: tuple[int, int], rounding: Rounding) -> float:
    items = runs.some(slice(*stretch)).expanded()
    return rounding.mean(items, 0, len(items.values))


def _are_shared(runs: Runs, enough: int) -> Bools:
    return np.asarray(runs.exact & (runs.people >= enough))


def _are_atoms(present: Runs, config: SummaryConfig) -> Bools:
    """Which runs are frequent values."""
    shared = _are_shared(present, config.min_category_rows)
    if len(present.values) <= FEW_VALUES:
        return shared
    least = max(8, np.ceil(present.counts.sum() / config.bins))
    return np.asarray(shared & (present.counts >= least))


# --- bins -------------------------------------------------------------------------------


def _bins(rest: Runs, present: float, config: SummaryConfig) -> list[Runs]:
    """Splits ``rest`` into quantile ranges that keep equal values together."""
    people, enough = rest.owners(), config.min_category_rows
    if people < max(enough, 1):
        return []
    below = rest.counts.cumsum()
    wanted = max(round(config.bins * float(below[-1]) / present), 8)
    # A bin of less than twice as many rows is a single value, the mean of them: good enough for
    # the few that frequent values leave over, but not for a column of different numbers.
    are_few = people < 2 * enough or (people < 16 * enough and below[-1] < present * _FEW_LEFT)
    least = enough if are_few else 2 * enough
    wanted = max(min(wanted, int(rest.people.sum()) // least), 1)
    targets = np.arange(1, wanted) * float(below[-1]) / wanted
    starts = np.unique(np.searchsorted(below, targets, side="right"))
    if people >= 4 * enough * wanted:
        starts = np.unique(_at_gaps(rest.values, below, starts, float(below[-1]) / wanted))
    edges = [0, *starts[(starts > 0) & (starts < len(below))].tolist(), len(below)]
    # A range of too few people, left over where many values are equal, joins its neighbour.
    needed = enough if rest.items is None else least  # the same people may be in several ranges
    ends: list[int] = [0]
    for start, stop in itertools.pairwise(edges):
        of_few = min(rest.owners(start, stop), rest.owners(*ends[-2:])) if ends[1:] else needed
        ends[-1 if of_few < needed else len(ends) :] = [stop]
    return [rest.some(slice(a, b)) for a, b in itertools.pairwise(ends)]


def _at_gaps(values: Floats, below: npt.NDArray[Any], starts: Ints, rows: float) -> Ints:
    """Where bins of about so many ``rows`` begin, moved to the widest gap nearby where that is
    wider than all else there: so that no bin lies on both sides of it."""
    moved = starts.copy()
    near = np.searchsorted(below, below[starts, None] + _NEARBY * rows * np.array([-1, 1]))
    for i, (low, high) in enumerate(near.tolist()):
        apart = np.diff(values[low : high + 1] / 2)
        if len(apart) > 1 and apart.max() > apart.sum() / 2:
            moved[i] = low + 1 + int(apart.argmax())
    return moved


@dataclass(frozen=True)
class _Piece:
    """Part of a bin: a value that enough people share, or groups of alike many rows."""

    count: float
    values: tuple[float, ...]
    """The value, or the mean of each group."""
    is_flat: bool
    after: int
    start: int
    """Its first run, and the first of the few before it, between two values, that have no piece."""


def _pieces(part: Runs, limits: Floats, rounding: Rounding) -> list[_Piece]:
    """The pieces of a bin in order."""
    shared = np.flatnonzero(_are_shared(part, rounding.enough))
    is_limit = np.isin(part.values[shared], limits)
    first = np.lexsort((-part.counts[shared], ~is_limit))[:_SHARED_VALUES]
    whole = float(part.counts.sum())
    people = np.r_[0, part.people.cumsum()].tolist()  # at most: one may have several values
    found: list[_Piece] = []
    done = 0
    for i in [*np.sort(shared[first]).tolist(), len(part.values)]:
        if people[i] - people[done] >= max(rounding.enough, 1):
            between = part.some(slice(done, i))
            means = _means(between, whole, rounding)
            if means:
                found.append(_Piece(float(between.counts.sum()), means, False, done, done))
                done = i
        if i < len(part.values):
            value = (float(part.values[i]),)
            found.append(_Piece(float(part.counts[i]), value, True, done, i))
            done = i + 1
    return found


def _means(between: Runs, whole: float, rounding: Rounding) -> tuple[float, ...]:
    """Means of groups of neighbouring rows, none of which is a value that is kept."""
    people = between.owners()
    if people < max(rounding.enough, 1):
        return ()
    wanted = round(_KNOTS * float(between.counts.sum()) / whole)
    groups = max(1, min(people // rounding.enough, wanted))
    items = between.expanded()
    rows = len(items.values)
    edges = np.arange(groups + 1) * rows // groups
    if items.weights is not None:
        below = items.weights.cumsum()
        inner = np.searchsorted(below, np.arange(1, groups) * below[-1] / groups)
        edges = _joined(items, np.r_[0, inner, rows].tolist(), rounding.enough)
    means = [rounding.mean(items, a, b) for a, b in itertools.pairwise(edges.tolist())]
    return tuple(np.maximum.accumulate(means).tolist())


def _joined(items: Items, edges: Sequence[int], enough: int) -> npt.NDArray[np.int64]:
    """``edges`` of groups, without those of groups of fewer than ``enough`` people."""
    kept = [0]
    for edge in edges[1:-1]:
        if items.people(kept[-1], edge) >= enough:
            kept.append(edge)
    while len(kept) > 1 and items.people(kept[-1], edges[-1]) < enough:
        kept.pop()
    return np.array([*kept, edges[-1]], dtype=np.int64)


# --- quantile functions -----------------------------------------------------------------


def _strewn(rest: Runs, bins: Sequence[Runs], drafts: Sequence[Sequence[_Piece]]) -> Runs:
    """The few rows that lie between two values which enough people share, of all bins."""
    few = np.zeros(len(rest.values), dtype=bool)
    begin = 0
    for part, pieces in zip(bins, drafts, strict=True):
        for piece in pieces:
            few[begin + piece.after : begin + piece.start] = True
        begin += len(part.values)
    return rest.some(few)


def _rooms(drafts: Sequence[Sequence[_Piece]], rounding: Rounding) -> list[list[float]]:
    """Where such rows are taken to lie: the share, for each piece, of the room that there is
    between it and the one before, if both are values with others between them."""
    step = 0.0 if rounding.places is None else 10.0**-rounding.places
    found = []
    for pieces in drafts:
        rooms = [0.0] * len(pieces)
        for i, (before, after) in enumerate(itertools.pairwise(pieces)):
            room = after.values[0] / 2 - before.values[0] / 2 - step / 2
            if before.is_flat and after.is_flat and room > step / 4:
                rooms[i + 1] = room
        found.append(rooms)
    widest = max((max(rooms, default=0.0) for rooms in found), default=0.0) or 1.0
    total = sum(room / widest for rooms in found for room in rooms) or 1.0
    return [[room / widest / total for room in rooms] for rooms in found]


@dataclass(frozen=True)
class _Placed:
    """A piece of a bin, and what shares of the bin lie in it and in the room before it."""

    before: float
    share: float
    values: tuple[float, ...]
    is_flat: bool


def _placed(
    pieces: Sequence[_Piece], rooms: Sequence[float], share: float, steps: Steps
) -> list[_Placed]:
    """The pieces of a bin that has so large a ``share`` of the rows, and ``rooms`` beside it."""
    counts, least = [piece.count for piece in pieces], [len(piece.values) for piece in pieces]
    whole = share + sum(rooms)
    shares = steps.part(share).shares(counts, [steps.enough] * len(counts), least)
    return [
        _Placed(room / whole, part * share / whole, piece.values, piece.is_flat)
        for piece, room, part in zip(pieces, rooms, shares, strict=True)
    ]


def _quantile_functions(parts: Sequence[Sequence[_Placed]], limits: Floats) -> list[Segment]:
    """Piecewise linear quantile functions through the middles of groups, and through all of a
    value that enough people share.

    Beyond the middle of its outermost group a bin goes on as between its last two knots, for half
    as far, and at most half way to its neighbour.
    """
    knots = [_knots(pieces) for pieces in parts]
    before = [float(limits[0]), *(each[-1][1] for each in knots)]
    after = [*(each[0][1] for each in knots[1:]), float(limits[-1])]
    found = []
    for each, below, above in zip(knots, before, after, strict=False):
        if each[0][1] == each[-1][1]:
            found.append(Segment(positions=(0.0,), values=(each[0][1],)))
            continue
        bottom = max(_end(each), each[0][1] / 2 + below / 2)
        backwards = [(1 - p, v) for p, v in each[::-1]]
        top = min(_end(backwards), each[-1][1] / 2 + above / 2)
        found.append(_segment([(0.0, bottom), *each, (1.0, top)]))
    return found


def _knots(pieces: Sequence[_Placed]) -> list[tuple[float, float]]:
    """Positions and values, without those of the ends."""
    found: list[tuple[float, float]] = []
    done = 0.0
    for piece in pieces:
        done += piece.before
        step = piece.share / len(piece.values)
        if piece.is_flat:
            found += [(done, piece.values[0]), (done + step, piece.values[0])]
        else:
            found += [(done + (i + 0.5) * step, value) for i, value in enumerate(piece.values)]
        done += piece.share
    if pieces[-1].is_flat:
        found[-1] = (1.0, found[-1][1])  # whatever sums of floats are
    return found


def _end(knots: Sequence[tuple[float, float]]) -> float:
    """Where the bin begins, by its first two knots."""
    (place, value), (then, other) = knots[:2]
    if not 0 < place < then:  # a value that enough people share
        return value
    return value - min(place / (then - place), _BEYOND) * (other - value)


def _segment(knots: Sequence[tuple[float, float]]) -> Segment:
    positions = np.clip(np.array([p for p, _ in knots]), 0.0, 1.0)
    values = np.maximum.accumulate(np.array([v for _, v in knots]))
    positions[-1] = 1.0
    keep = np.r_[True, (np.diff(positions) > 0) | (np.diff(values) > 0)]
    return Segment(positions=tuple(positions[keep].tolist()), values=tuple(values[keep].tolist()))
