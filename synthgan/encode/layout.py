"""Positions of a row of tokens: which column each belongs to, and how wide it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from synthgan._typing import Bools, Floats, Ints
from synthgan.encode.codecs import Codec
from synthgan.encode.number_codec import FINE, NumberCodec


@dataclass(frozen=True)
class Span:
    """One position: tokens 0 to ``width - 1``, one-hot entries from ``start`` on."""

    column: str
    role: Literal["code", "fine"]
    start: int
    width: int


@dataclass(frozen=True, eq=False)
class Layout:
    """Positions of the modelled columns in table order, and what their entries mean.

    The arrays run over one-hot *entries*: all tokens of all positions, one after the other.
    """

    spans: tuple[Span, ...]
    prior: Floats
    """Share of rows of each entry (of the rows in bins, for fine positions)."""
    drawable: Bools
    """Whether an entry may be drawn: all but the rare codes."""
    is_bin: Bools
    """Whether an entry is the code of a bin."""
    is_number: Bools
    """Whether an entry belongs to a column whose values have an order."""
    rank: Floats
    """Share of present rows below the entry's value, see :meth:`NumberCodec.ranks`."""
    rank_width: Floats
    """Share of present rows within the entry, if it is a bin; 0 elsewhere."""

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Columns that have positions."""
        return tuple(span.column for span in self.spans if span.role == "code")

    @cached_property
    def entries(self) -> int:
        """Number of one-hot entries."""
        return sum(span.width for span in self.spans)

    @cached_property
    def starts(self) -> Ints:
        """First entry of each position."""
        return np.array([span.start for span in self.spans], dtype=np.int64)

    @cached_property
    def column_of(self) -> Ints:
        """For each position, the index of its column in :attr:`columns`."""
        index = {name: i for i, name in enumerate(self.columns)}
        return np.array([index[span.column] for span in self.spans], dtype=np.int64)

    def middle_rank(self, span: Span) -> Floats:
        """Where in [0, 1] the middle of each entry of a number column's ``span`` lies: among
        the column's rows, or of a fine position within its bin."""
        if span.role == "fine":
            return (np.arange(FINE) + 0.5) / FINE
        entries = slice(span.start, span.start + span.width)
        return self.rank[entries] + self.rank_width[entries] / 2

    def code_position(self, column: str) -> int | None:
        """The code position of ``column``; None for a constant."""
        return self._code_positions.get(column)

    @cached_property
    def _code_positions(self) -> dict[str, int]:
        return {s.column: i for i, s in enumerate(self.spans) if s.role == "code"}

    @cached_property
    def fine(self) -> Bools:
        """For each position, whether it is a fine one (the position before it is its code)."""
        return np.array([span.role == "fine" for span in self.spans], dtype=bool)


def lay_out(codecs: Mapping[str, Codec]) -> Layout:
    spans: list[Span] = []
    parts: list[tuple[Floats, Bools, Bools, Bools, Floats, Floats]] = []
    start = 0
    for name, codec in codecs.items():
        if codec.width <= 1:
            continue
        rank, rank_width = codec.ranks()
        numeric = np.full(codec.width, isinstance(codec, NumberCodec))
        spans.append(Span(name, "code", start, codec.width))
        parts.append((codec.prior, codec.drawable, codec.is_bin, numeric, rank, rank_width))
        start += codec.width
        if codec.has_fine:
            spans.append(Span(name, "fine", start, FINE))
            yes, no = np.ones(FINE, dtype=bool), np.zeros(FINE, dtype=bool)
            parts.append((codec.fine_prior, yes, no, yes, np.zeros(FINE), np.zeros(FINE)))
            start += FINE
    if not spans:
        empty, none = np.zeros(0), np.zeros(0, dtype=bool)
        return Layout((), empty, none, none, none, empty, empty)
    prior, drawable, is_bin, numeric, rank, rank_width = map(
        np.concatenate, zip(*parts, strict=True)
    )
    return Layout(tuple(spans), prior, drawable, is_bin, numeric, rank, rank_width)
