"""Cells of one column <-> codes: what a summary says, made to work both ways.

A code is a small integer; the place in [0, 1) says where in a bin's quantile function a
number lies. The last code of a column is "missing", the one before it in a categorical
column "rare" (levels too rare to be named, never drawn); either exists only where rows
held it. Words among numbers have codes after all of these, the last one for those without a name.
"""

from __future__ import annotations

import bisect
import itertools
import math

import numpy as np

from synthgan._typing import Bools, Floats, Ints
from synthgan.columns.cell_set import Allowed
from synthgan.columns.column import Column, Level
from synthgan.columns.number import rounded_cells
from synthgan.columns.sentinels import OTHER_WORD, tagged, words_in
from synthgan.encode.options import FEW_CHOICES, Options, any_codes, join, whole_codes
from synthgan.encode.summary import NumberSummary, Segment

FINE = 16
"""Steps into which a fine position divides a bin."""

_SLIGHT = 1e-6  # a width that tells a value which may be moved from one that may not


class NumberCodec:
    """A number, integer or date column."""

    levels: tuple[()] = ()

    def __init__(self, column: Column, summary: NumberSummary) -> None:
        self.column = column
        segments = summary.segments
        is_bin = [segment.is_bin for segment in segments]
        has_missing = summary.weights[-1] > 0 or not (segments or summary.words)
        self._missing = len(segments)
        self._has_missing = has_missing
        self._first_word = len(segments) + int(has_missing)
        has_others = bool(summary.words) and summary.words[-1] > 0
        words = summary.words[: len(summary.words) - int(not has_others)]
        self._words = len(words) - int(has_others)
        self.width = self._first_word + len(words)
        weights = (*summary.weights[: self._first_word], *words)
        self.prior = np.array(weights, dtype=np.float64)
        self.is_bin = np.array(is_bin + [False] * (self.width - len(segments)), dtype=bool)
        self.drawable = np.ones(self.width, dtype=bool)
        if has_others and self.width > 1:
            self.drawable[-1] = False
        self.has_fine = summary.fine and bool(self.is_bin.any())
        self._atom_codes = np.flatnonzero(~self.is_bin[: len(segments)])
        self._atoms = np.array([segments[i].values[0] for i in self._atom_codes], dtype=np.float64)
        self._bin_codes = np.flatnonzero(self.is_bin)
        self._bins: list[Segment] = [segments[i] for i in self._bin_codes]
        # One quantile function for all bins: position b + p is place p in the b-th bin.
        self._positions = np.array([b + p for b, s in enumerate(self._bins) for p in s.positions])
        self._values = np.array([v for s in self._bins for v in s.values])
        self._edges = np.array([_step_edges(s) for s in self._bins]).reshape(-1, FINE + 1)
        shares = self.prior[self._bin_codes] / max(self.prior[self._bin_codes].sum(), 1e-12)
        self.fine_prior = shares @ np.diff(self._edges, axis=1)

    @property
    def is_missing(self) -> Bools:
        """Whether each code means "missing"."""
        codes = np.arange(self.width)
        return (codes >= self._missing) & (codes < self._first_word)

    @property
    def choices(self) -> tuple[Level, ...]:
        """The cells whose shares can be chosen, by code: none unless all are a few exact ones."""
        few = 0 < len(self._atoms) <= FEW_CHOICES and not self._bins and not self._words
        # In a small table an atom may be the mean of some rows' values, which is none of them.
        exact = few and np.array_equal(rounded_cells(self._atoms, self.column), self._atoms)
        return tuple(self._atoms.tolist()) if exact else ()

    def ranks(self) -> tuple[Floats, Floats]:
        """For each code, the share of present rows below it (plus half of its own unless it
        is a bin), and the share within it if it is a bin."""
        shares = self.prior.copy()
        shares[self._missing :] = 0
        shares /= max(shares.sum(), 1e-12)
        below = np.cumsum(shares) - shares
        rank = np.where(self.is_bin, below, below + shares / 2)
        rank[self._missing :] = 0.5
        return rank, np.where(self.is_bin, shares, 0.0)

    def encode(self, cells: Floats, chances: Floats) -> tuple[Ints, Floats]:
        """Codes and places of ``cells``; rows that share a value spread over its places, each by
        its chance (0 to 1)."""
        missing = np.isnan(cells)
        known = np.where(missing, 0.0, cells)
        if len(self._atoms) or len(self._bins):  # extremes were pulled in, maybe to an atom
            known = np.clip(known, *self.range())
        codes = np.full(len(cells), self._missing, dtype=np.int64)
        places = np.full(len(cells), 0.5)
        if len(self._bins):
            position = self._position(known, chances)
            which = np.clip(position.astype(np.int64), 0, len(self._bins) - 1)
            places = np.clip(position - which, 0.0, 1 - 1e-9)
            codes = self._bin_codes[which]
        if len(self._atoms):
            nearest = _nearest(self._atoms, known)
            use = (self._atoms[nearest] == known) | (len(self._bins) == 0)
            codes = np.where(use, self._atom_codes[nearest], codes)
        codes = np.where(missing, self._missing, codes)
        if not self._has_missing:  # too few people have one for that to be known
            codes[missing], places[missing] = any_codes(
                self.prior * self.drawable, chances[missing]
            )
        return (self._with_words(cells, codes) if self.column.words is not None else codes), places

    def _with_words(self, cells: Floats, codes: Ints) -> Ints:
        """``codes`` with those of words in their places; words that are not known become those
        without a name, or else what missing cells do."""
        words = words_in(cells)
        known = (words > 0) & (words <= self._words)
        others = self._first_word + self._words
        codes = np.where(known, self._first_word + words - 1, codes)
        return np.where((words > 0) & ~known & (others < self.width), others, codes)

    def steps(self, codes: Ints, places: Floats) -> Ints:
        """Fine steps of ``places`` within the bins of ``codes``; 0 for other codes."""
        which = self._which_bin(codes)
        steps = np.zeros(len(codes), dtype=np.int64)
        inside = which >= 0
        # Edges rise to 1, so the step is the number of edges passed.
        passed = self._edges[which[inside], 1:-1] <= places[inside, None]
        steps[inside] = passed.sum(axis=1)
        return steps

    def places(self, codes: Ints, steps: Ints, within: Floats) -> Floats:
        """Places that lie ``within`` (0 to 1) the fine ``steps`` of the bins of ``codes``."""
        which = self._which_bin(codes)
        places = within.copy()
        inside = which >= 0
        low = self._edges[which[inside], steps[inside]]
        high = self._edges[which[inside], steps[inside] + 1]
        places[inside] = low + (high - low) * within[inside]
        return places

    def _which_bin(self, codes: Ints) -> Ints:
        """Number of the bin that each code stands for, -1 for other codes."""
        index = np.full(self.width, -1, dtype=np.int64)
        index[self._bin_codes] = np.arange(len(self._bins))
        return index[codes]

    def decode(self, codes: Ints, places: Floats) -> Floats:
        """Cells of ``codes`` at ``places``, NaN where missing, tagged where words are."""
        lookup = np.full(self.width, np.nan)
        named = np.arange(self._words)
        lookup[self._first_word + named] = tagged(named + 1)
        lookup[self._first_word + self._words :] = tagged(np.array([OTHER_WORD]))
        lookup[self._atom_codes] = self._atoms
        cells: Floats = lookup[codes]
        if len(self._bins):
            which = self._which_bin(codes)
            inside = which >= 0
            position = which[inside].astype(np.float64) + np.clip(places[inside], 1e-9, 1 - 1e-9)
            cells[inside] = self._value_at(position)
        return cells

    def widths(self, codes: Ints, places: Floats) -> Floats:
        """How wide, in values, the fine step (or, without steps, the bin) is that each place lies
        in; 0 for missing cells and for single values that enough rows share."""
        found = np.zeros(len(codes))
        which = self._which_bin(codes)
        inside = np.flatnonzero(which >= 0)
        if not len(inside):
            return found
        bins, parts = which[inside], FINE if self.has_fine else 1
        steps = self.steps(codes[inside], places[inside]) if self.has_fine else 0 * bins
        edges = np.clip(self._edges[:, :: FINE // parts], 1e-9, 1 - 1e-9)
        values = self._value_at(edges + np.arange(len(edges))[:, None])
        width = values[bins, steps + 1] - values[bins, steps]
        # Where a mean of rows stands for all of a step, that is no width to go by.
        width = np.where(width > 0, width, (values[bins, -1] - values[bins, 0]) / parts)
        at = bins + np.clip(places[inside], 1e-9, 1 - 1e-9)
        after = np.clip(np.searchsorted(self._positions, at), 1, len(self._positions) - 1)
        value = self._values[after]
        is_whole = (value == self._values[after - 1]) & (value == np.rint(value))
        # At the ends of a bin, a whole number may be the mean of a few rows as well.
        is_end = (self._positions[after - 1] <= bins) | (self._positions[after] >= bins + 1)
        found[inside] = np.where(is_whole, np.where(is_end, _SLIGHT, 0.0), width)
        return found

    def _value_at(self, positions: Floats) -> Floats:
        return np.asarray(np.interp(positions, self._positions, self._values))

    def options(self, allowed: Allowed) -> Options:
        """Codes and places whose cells ``allowed`` lets through."""
        found = self._numbers(allowed)
        more = np.zeros(self.width, dtype=bool)
        more[self._missing : self._first_word] = allowed.missing != "never"
        words = np.arange(1, self._words + 1)
        more[self._first_word : self._first_word + self._words] = allowed.admits(tagged(words))
        return join(found, whole_codes(np.flatnonzero(more))) if more.any() else found

    def _numbers(self, allowed: Allowed) -> Options:
        if allowed.missing == "only":
            found = Options(*(np.empty(0, kind) for kind in (np.int64, float, float, float)))
        elif allowed.values is not None:
            found = self._points(np.array(sorted(float(v) for v in allowed.values)))
        else:
            found = self._stretches(allowed.low, allowed.high)
        return found

    def beyond(self, allowed: Allowed) -> Options:
        """Cells outside of the range that was shown, each at the end of the range next to it.

        Single values are taken as they are; of a range nine even steps, or the end that is
        nearest where the other is open.
        """
        bottom, top = self.range()
        if allowed.missing == "only" or math.isnan(bottom):
            points = np.zeros(0)
        elif allowed.values is not None:
            points = np.array(sorted(float(value) for value in allowed.values))
        elif math.isfinite(allowed.low) and math.isfinite(allowed.high):
            points = np.linspace(allowed.low, allowed.high, 9)
        else:
            points = np.array([allowed.low if allowed.low > top else allowed.high])
        codes, places = self.encode(np.clip(points, bottom, top), np.full(len(points), 0.5))
        return Options(codes, places, places, points)

    def _points(self, points: Floats) -> Options:
        """Single values, each with the places that it takes up in its code."""
        bottom, top = self.range()
        points = points[(points >= bottom) & (points <= top)]
        codes, places = self.encode(points, np.full(len(points), 0.5))
        first, last = places.copy(), places.copy()
        first[~self.is_bin[codes]], last[~self.is_bin[codes]] = 0.0, 1.0
        exact = self.decode(codes, places) == points
        keep = self.is_bin[codes] | exact
        return Options(codes[keep], first[keep], last[keep], points[keep])

    def _stretches(self, low: float, high: float) -> Options:
        within = (self._atoms >= low) & (self._atoms <= high)
        found = whole_codes(self._atom_codes[within])
        for code, segment in zip(self._bin_codes, self._bins, strict=True):
            values, positions = np.array(segment.values), np.array(segment.positions)
            if values[-1] < low or values[0] > high:
                continue
            first = _place(positions, values, low, "left")
            last = _place(positions, values, high, "right")
            if last > first:
                part = (np.array([v]) for v in (code, first, last, np.nan))
                found = join(found, Options(*part))
        bottom, top = self.range()
        if not len(found.codes) and max(low, bottom) <= min(high, top):
            # A narrow range may lie between two bins, where their neighbours' rows are.
            return self._points(np.linspace(max(low, bottom), min(high, top), 9))
        return found

    def are_atoms(self, cells: Floats) -> Bools:
        """Which ``cells`` are values that so many rows share that they have a code of their own."""
        return np.isin(cells, self._atoms)

    def range(self) -> tuple[float, float]:
        """Smallest and largest value that can come out; NaN if none can."""
        ends = np.r_[self._atoms, self._values]
        return (float(ends.min()), float(ends.max())) if len(ends) else (np.nan, np.nan)

    def _position(self, cells: Floats, chances: Floats) -> Floats:
        """Position of each cell in the joint quantile function, by chance within flat pieces."""
        left = np.searchsorted(self._values, cells, side="left")
        right = np.searchsorted(self._values, cells, side="right")
        low = self._positions[np.minimum(left, len(self._values) - 1)]
        high = self._positions[np.maximum(right - 1, 0)]
        between = np.interp(cells, self._values, self._positions)
        within: Floats = low + (high - low) * chances
        return np.asarray(np.where(right > left, within, between))


def _step_edges(segment: Segment) -> Floats:
    """Places at which a bin's fine steps begin and end, so that no step holds parts of a value.

    Where the bin's shared values leave few enough steps, each value is a step of its own;
    otherwise the steps are of like width, moved to the nearest edge of a value.
    """
    if all(low < high for low, high in itertools.pairwise(segment.values)):
        return np.arange(FINE + 1) / FINE
    positions, values = np.array(segment.positions), np.array(segment.values)
    flat = values[1:] == values[:-1]

    def in_flat(places: Floats) -> Bools:
        left = np.searchsorted(positions, places, side="right") - 1
        return np.asarray(flat[np.clip(left, 0, len(flat) - 1)])

    edges = np.unique(np.r_[0.0, positions[:-1][flat], positions[1:][flat], 1.0])
    if len(edges) > FINE + 1:
        wanted = np.arange(FINE + 1) / FINE
        nearest = edges[np.abs(wanted[:, None] - edges[None, :]).argmin(axis=1)]
        edges = np.unique(np.where(in_flat(wanted), nearest, wanted))
    places = edges.tolist()
    flats, starts = flat.tolist(), positions.tolist()

    def width(low: float, high: float) -> float:
        at = min(max(bisect.bisect_right(starts, (low + high) / 2) - 1, 0), len(flats) - 1)
        return 0.0 if flats[at] else high - low

    widths = [width(low, high) for low, high in itertools.pairwise(places)]
    while len(places) < FINE + 1:  # the widest steps that hold more than a value are halved
        i = widths.index(max(widths))
        if widths[i] <= 1 / FINE:
            break
        places.insert(i + 1, (places[i] + places[i + 1]) / 2)
        widths[i : i + 1] = [width(*places[j : j + 2]) for j in (i, i + 1)]
    return np.array(places + [1.0] * (FINE + 1 - len(places)))


def _place(positions: Floats, values: Floats, cell: float, side: str) -> float:
    """Where in a bin ``cell`` lies; of a flat piece its left or its right end."""
    if side == "left":
        at = int(np.searchsorted(values, cell, side="left"))
    else:
        at = int(np.searchsorted(values, cell, side="right")) - 1
    if 0 <= at < len(values) and values[at] == cell:
        return float(positions[at])
    return float(np.interp(cell, values, positions))


def _nearest(sorted_values: Floats, cells: Floats) -> Ints:
    right = np.clip(np.searchsorted(sorted_values, cells), 0, len(sorted_values) - 1)
    left = np.maximum(right - 1, 0)
    nearer = np.abs(cells - sorted_values[left]) < np.abs(cells - sorted_values[right])
    return np.where(nearer, left, right)
