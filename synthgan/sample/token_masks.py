"""Constraints on tokens: which may be drawn at a position, given those that are known.

Rules between codes become tables of allowed combinations. While a row is drawn, each table
leaves, of the next position's tokens, those that some allowed combination has together with
the tokens before it and the cells that are given: nothing is drawn in order to be thrown away.
What tokens cannot say (sums, the order of two dates in the same bin) is mended in the cells.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from synthgan._typing import Bools, Floats, Ints
from synthgan.encode.codecs import Codec
from synthgan.encode.date_difference import Gap
from synthgan.encode.encoder import Encoder
from synthgan.encode.number_codec import FINE, NumberCodec
from synthgan.errors import SchemaError
from synthgan.sample.token_tables import Steps, Table
from synthgan.schema.constraints.base import go_together, in_order, pairs
from synthgan.schema.constraints.kinds import Constraint

_MOST_ROWS = 1 << 25  # of all tables together
_MOST_PAIRS = 1 << 30  # of all tables together: codes of two columns that could go together


class Limits:
    """Which tokens may be drawn: those that are drawable at all, and keep the constraints.

    ``drawable`` marks entries (E,). Where what is given leaves nothing, everything is let
    through: the row will be found to be broken.
    """

    def __init__(self, encoder: Encoder, drawable: Bools, device: torch.device) -> None:
        self._spans = encoder.layout.spans
        self._entries = torch.from_numpy(drawable).to(device)
        self.tables = tuple(_affordable(_all_tables(encoder, drawable, device)))
        self._of: dict[int, list[tuple[Table, int]]] = {}
        for table in self.tables:
            for i, position in enumerate(table.positions):
                self._of.setdefault(position, []).append((table, i))
        self._steps: dict[int, list[Steps]] = {}
        codes = _Codes(encoder, drawable)
        for constraint in encoder.schema.constraints:
            for low, high in in_order(constraint):
                for steps in codes.steps(low, high, device):
                    self._steps.setdefault(steps.code + 1, []).append(steps)

    def at(self, p: int, tokens: Tensor, given: Tensor) -> Tensor:
        """Tokens of position ``p`` that may be drawn: (width,), or (B, width).

        Positions before ``p`` are known, and those after it that are ``given`` (B, P).
        """
        span = self._spans[p]
        entries = self._entries[span.start : span.start + span.width]
        if p not in self._of and p not in self._steps:
            return entries
        found = entries.expand(len(tokens), -1)
        for steps in self._steps.get(p, ()):
            found = found & steps.allowed(tokens, given[:, steps.other] | (steps.other < p))
        for table, i in self._of.get(p, ()):
            places = list(table.positions)
            past = torch.tensor([place < p for place in places], device=tokens.device)
            found = found & table.allowed(i, tokens, given[:, places] | past)
        return torch.where(found.any(dim=1, keepdim=True), found, entries)


# --- tables of the kinds of constraints -------------------------------------------------


def _all_tables(encoder: Encoder, drawable: Bools, device: torch.device) -> Iterator[Table]:
    for constraint in encoder.schema.constraints:
        yield from _tables(constraint, encoder, drawable, device)
    yield from _gap_tables(encoder, drawable, device)


def _affordable(tables: Iterator[Table]) -> Iterator[Table]:
    """The tables; :class:`SchemaError` once they take more memory than constraints may."""
    rows, pairs = 0, 0
    for table in tables:
        rows += len(table.rows)
        pairs += math.prod(map(len, table.classes)) if len(table.classes) == 2 else 0
        if rows > _MOST_ROWS or pairs > _MOST_PAIRS:
            raise SchemaError(
                f"constraint {table.constraint}: it, and those before it, are of too many "
                "combinations of cells to be looked at; leave some out"
            )
        yield table


def _tables(
    constraint: Constraint,
    encoder: Encoder,
    drawable: Bools,
    device: torch.device,
) -> Iterator[Table]:
    codes = _Codes(encoder, drawable)
    for each in go_together(constraint, codes):
        yield from codes.table(constraint, each.columns, each.classes, each.rows, device)


def _gap_tables(encoder: Encoder, drawable: Bools, device: torch.device) -> Iterator[Table]:
    """A difference that is learned is there exactly where both of its columns are, and not wider
    or narrower than the later one leaves room for."""
    codes = _Codes(encoder, drawable)
    rows = np.array([(a, a | b, b) for a in (0, 1) for b in (0, 1)], dtype=np.int64)
    for gap in encoder.gaps:
        names = (gap.low, gap.name, gap.high)
        classes = [codes.lacking(name) for name in names]
        if any(each.any() for each in classes):
            yield from codes.table(gap.rule, names, classes, rows, device)
        wide = pairs(gap.name, gap.high, codes.reach(gap))
        yield from codes.table(gap.rule, wide.columns, wide.classes, wide.rows, device)


class _Codes:
    """Codes of columns, as the constraints see them."""

    def __init__(self, encoder: Encoder, drawable: Bools) -> None:
        self._encoder, self.context, self._drawable = encoder, encoder.context, drawable

    def table(
        self,
        constraint: Constraint,
        names: Sequence[str],
        classes: Sequence[Ints],
        rows: Ints,
        device: torch.device,
    ) -> Iterator[Table]:
        """A table over the columns that have positions; of the others the one code counts."""
        layout, positions, kept = self._encoder.layout, [], []
        shown = [self._drawn(name, each) for name, each in zip(names, classes, strict=True)]
        for i, name in enumerate(names):
            rows = rows[np.isin(rows[:, i], shown[i])]
            position = layout.code_position(name)
            if position is not None:
                positions.append(position)
                kept.append(i)
        if not len(rows):
            raise SchemaError(f"constraint {constraint}: nothing that could be drawn keeps it")
        if len(kept) > 1:
            yield Table(
                constraint,
                tuple(positions),
                tuple(torch.from_numpy(shown[i]).to(device) for i in kept),
                torch.from_numpy(np.unique(rows[:, kept], axis=0)).to(device),
            )

    def _drawn(self, name: str, classes: Ints) -> Ints:
        """``classes`` with -1 for codes that are never drawn."""
        layout = self._encoder.layout
        position = layout.code_position(name)
        if position is None:
            return classes.astype(np.int64)
        span = layout.spans[position]
        let = self._drawable[span.start : span.start + span.width]
        return np.where(let, classes, -1).astype(np.int64)

    def steps(self, low: str, high: str, device: torch.device) -> Iterator[Steps]:
        """What the order of two columns means at their fine positions, where they have some."""
        for mine, other, is_high in ((low, high, False), (high, low, True)):
            code = self._encoder.layout.code_position(mine)
            beside = self._encoder.layout.code_position(other)
            if code is None or beside is None or not self._codec(mine).has_fine:
                continue
            # The least cell of the lower one must not be above the greatest of the higher one.
            ends = torch.from_numpy(self._step_ends(mine, top=is_high)).to(device)
            others = torch.from_numpy(self._step_ends(other, top=not is_high)).to(device)
            yield Steps(code, ends, beside, others, is_high)

    def _step_ends(self, name: str, *, top: bool) -> Floats:
        """Least, or greatest, cell of each code and step; of codes without steps the same one."""
        codec = self._codec(name)
        count = FINE if codec.has_fine else 1
        codes = np.repeat(np.arange(codec.width), count)
        steps = np.tile(np.arange(count), codec.width)
        within = np.full(len(codes), 1.0 if top else 0.0)
        places = codec.places(codes, steps, within) if codec.has_fine else within
        return np.asarray(codec.decode(codes, places), dtype=np.float64).reshape(-1, count)

    def reach(self, gap: Gap) -> Bools:
        """Whether codes of a difference (rows) lead from any cell of ``gap.low`` to those of
        ``gap.high``."""
        (narrow, wide), (bottom, top) = self.ends(gap.name), self.ends(gap.high)
        first = self._codec(gap.low)
        assert isinstance(first, NumberCodec), "only numbers have differences"
        least, greatest = first.range()
        with np.errstate(invalid="ignore"):
            short = wide[:, None] + greatest < bottom[None, :]
            long = narrow[:, None] + least > top[None, :]
        return ~np.asarray(short | long)

    def lacking(self, name: str) -> Ints:
        """Whether each code of a numeric column stands for no number: 1, else 0."""
        return np.isnan(self.ends(name)[0]).astype(np.int64)

    def is_missing(self, name: str) -> Bools:
        """Whether each code of a column stands for a missing cell."""
        return self._codec(name).is_missing

    def _codec(self, name: str) -> Codec:
        return self._encoder.codecs[name]

    def cells(self, name: str) -> tuple[npt.NDArray[Any], Bools]:
        """What each code stands for, and whether that is one cell."""
        codec = self._codec(name)
        codes = np.arange(codec.width)
        return codec.decode(codes, np.full(codec.width, 0.5)), ~codec.is_bin

    def ends(self, name: str) -> tuple[Floats, Floats]:
        """Least and greatest cell of each code; NaN where it means missing."""
        codec = self._codec(name)
        assert isinstance(codec, NumberCodec), "constraints on order are for numbers"
        codes, start = np.arange(codec.width), np.zeros(codec.width)
        return codec.decode(codes, start), codec.decode(codes, start + 1)
