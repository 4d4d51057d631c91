"""Rows to tokens and back: the one place that knows positions.

A row becomes one small integer a *position*. Every modelled column has a code position; a
number column whose bins hold a fair share of rows has a second, *fine* position: in which of
16 steps of its bin the cell lies. Within a step cells are uniform, so the whole table is
small integers and the model is discrete throughout. A column with a single code is a
constant and has no position.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan._typing import Bools, Floats, Ints
from synthgan.columns.cells import read_cells, write_cells
from synthgan.columns.column import Column, Level
from synthgan.columns.sentinels import FIXED_DECIMALS
from synthgan.encode.codecs import CategoryCodec, Codec
from synthgan.encode.date_difference import Gap, close_gaps, in_order, possible_gaps
from synthgan.encode.fakes import Inventor
from synthgan.encode.layout import lay_out
from synthgan.encode.number_codec import NumberCodec
from synthgan.encode.summary import CategorySummary, NumberSummary, Summary
from synthgan.errors import SchemaError
from synthgan.schema.check import context_of, declared_patterns, takes_patterns
from synthgan.schema.constraints.base import Context, Pattern
from synthgan.schema.constraints.kinds import Constraint
from synthgan.schema.schema import Schema
from synthgan.serialization import check_lengths

Tokens = npt.NDArray[np.uint8] | npt.NDArray[np.int16] | npt.NDArray[np.int32]
Cells = Floats | npt.NDArray[np.object_]

_MOST_PLACES = 50_000  # of all identifiers' formats: each is filled for each row


def _check_sizes(schema: Schema, summary: Summary) -> None:
    """Raises :class:`SchemaError` if no file may hold so much, or drawing would never end: before
    anything is trained, and when somebody else's file is read."""
    try:
        check_lengths(schema, "schema")
        check_lengths(summary, "summary")
    except ValueError as error:
        raise SchemaError(str(error)) from None
    places = sum(len(column.format or "") for column in schema if not column.kind.is_modelled)
    if places > _MOST_PLACES:
        raise SchemaError(
            f"the formats of identifiers have {places:,} characters together, more than "
            f"{_MOST_PLACES:,}; leave some out"
        )


def _context_of(schema: Schema, summary: Summary) -> Context:
    """What constraints need to know, the combinations that the table showed among it.

    Raises :class:`SchemaError` if the summary's combinations are not those of the schema.
    """
    patterns: dict[Constraint, tuple[Pattern, ...]] = dict(declared_patterns(schema))
    wanting = [each for each in schema.constraints if takes_patterns(each)]
    if len(summary.combinations) != len(wanting):
        raise SchemaError("the summary does not have the combinations that constraints need")
    for constraint, found in zip(wanting, summary.combinations, strict=True):
        if not found.rows or any(len(row) != len(constraint.columns) for row in found.rows):
            raise SchemaError(f"constraint {constraint}: the summary's combinations do not fit it")
        patterns[constraint] = found.rows
    return context_of(schema, patterns)


def _gaps_of(schema: Schema, summary: Summary) -> tuple[Gap, ...]:
    """The differences that are learned. Raises :class:`SchemaError` if they do not fit."""
    possible = possible_gaps(schema)
    for each in summary.gaps:
        if (each.low, each.high) not in possible or each.numbers.words:
            raise SchemaError("the summary has differences that the schema does not")
    return in_order([Gap.of(schema, each.low, each.high) for each in summary.gaps])


class Encoder:
    """A schema and a summary, made to turn tables into tokens and tokens into tables."""

    def __init__(self, schema: Schema, summary: Summary) -> None:
        _check_sizes(schema, summary)
        self.schema = schema
        self.unlearned = summary.unlearned
        self._almanacs = summary.almanacs
        self.gaps = _gaps_of(schema, summary)
        """Differences of columns, each learned as a column before the later one of its two."""
        differences = {each.high: each.numbers for each in summary.gaps}
        place = {name: i for i, name in enumerate(schema.names)}
        self.codecs: dict[str, Codec] = {}
        before: dict[str, list[Gap]] = {}
        for gap in self.gaps:
            later = max(gap.low, gap.high, key=place.__getitem__)
            before.setdefault(later, []).append(gap)
        for column in schema:
            if not column.kind.is_modelled:
                continue
            for gap in before.get(column.name, ()):
                self.codecs[gap.name] = NumberCodec(gap.column, differences[gap.high])
            known = summary.columns.get(column.name)
            if (
                column.kind.is_numeric
                and isinstance(known, NumberSummary)
                and len(known.words) == (0 if column.words is None else len(column.words) + 1)
            ):
                self.codecs[column.name] = NumberCodec(column, known)
            elif not column.kind.is_numeric and isinstance(known, CategorySummary):
                self.codecs[column.name] = CategoryCodec(column, known)
            else:
                raise SchemaError(f"column {column.name!r}: the summary does not fit its kind")
        self.layout = lay_out(self.codecs)
        self.context = _context_of(schema, summary)
        self._fixed_decimals = {
            column.name: int((column.format or "")[2:-1])
            for column in schema
            if column.dtype.startswith("float") and re.fullmatch(r"%\.\d+f", column.format or "")
        }

    @property
    def levels(self) -> Mapping[str, tuple[Level, ...]]:
        """The named levels of each categorical column."""
        return {n: c.levels for n, c in self.codecs.items() if isinstance(c, CategoryCodec)}

    @property
    def choices(self) -> Mapping[str, tuple[Level, ...]]:
        """Of each column whose cells' shares can be chosen, those cells."""
        return {
            name: codec.choices
            for name, codec in self.codecs.items()
            if codec.choices or isinstance(codec, CategoryCodec)
        }

    @property
    def missing_entries(self) -> Bools:
        """Which entries (E) mean "missing", in columns that have other cells too."""
        found = np.zeros(self.layout.entries, dtype=bool)
        for span in self.layout.spans:
            codec = self.codecs[span.column]
            if span.role == "code" and (codec.drawable & ~codec.is_missing).any():
                found[span.start + np.flatnonzero(codec.is_missing)] = True
        return found

    @property
    def token_type(self) -> np.dtype[Any]:
        """The smallest type that holds every token, and that PyTorch computes with."""
        widest = max((span.width for span in self.layout.spans), default=1)
        if widest <= 256:
            return np.dtype(np.uint8)
        return np.dtype(np.int16 if widest <= 2**15 else np.int32)

    def encode(self, frame: pd.DataFrame, rng: np.random.Generator) -> Tokens:
        """Tokens (rows x positions) of ``frame``, as :attr:`token_type`.

        ``rng`` spreads rows that share a value over the places that the value takes up.
        """
        spans = self.layout.spans
        tokens: Tokens = np.zeros((len(frame), len(spans)), dtype=self.token_type)
        for position, span in enumerate(spans):
            if span.role == "fine":
                continue
            codec = self.codecs[span.column]
            codes, places = codec.encode(self._cells(frame, codec.column), rng.random(len(frame)))
            tokens[:, position] = codes
            if codec.has_fine:
                tokens[:, position + 1] = codec.steps(codes, places)
        return tokens

    def _cells(self, frame: pd.DataFrame, column: Column) -> npt.NDArray[Any]:
        """The cells of a column of ``frame``, or of a difference of two."""
        for gap in self.gaps:
            if gap.column is column:
                ends = (gap.low, gap.high)
                return gap.cells({n: read_cells(frame[n], self.schema[n]) for n in ends})
        return read_cells(frame[column.name], column)

    def tokens_of_gap(self, gap: Gap, apart: Floats, rng: np.random.Generator) -> Ints:
        """Tokens (rows x 1 or 2 positions) of a difference, from its code position on."""
        codec = self.codecs[gap.name]
        assert isinstance(codec, NumberCodec), "differences are numbers"
        codes, places = codec.encode(apart, rng.random(len(apart)))
        found = [codes, *[codec.steps(codes, places)] * codec.has_fine]
        return np.stack(found, axis=1)

    def decode(
        self,
        tokens: Tokens | Ints,
        rng: np.random.Generator,
        places: Mapping[str, Floats] | None = None,
    ) -> dict[str, Cells]:
        """Cells of each modelled column, and of differences that are learned, of ``tokens`` (rows
        x positions).

        ``rng`` draws places within steps; ``places`` gives, for some columns, the places
        within bins instead.
        """
        cells: dict[str, Cells] = {}
        for name, codec in self.codecs.items():
            codes, steps = self._codes(name, tokens)
            within = rng.random(len(tokens))
            if steps is not None:
                within = codec.places(codes, steps, within)
            if places is not None and name in places:
                within = places[name]
            cells[name] = codec.decode(codes, within)
            if name in self._almanacs and isinstance(codec, NumberCodec):
                cells[name] = self._kept_to_days(codec, codes, within, rng)
        return cells

    def _kept_to_days(
        self, codec: NumberCodec, codes: Ints, places: Floats, rng: np.random.Generator
    ) -> Floats:
        """Dates of ``codes`` and ``places``, on days and at times that their column keeps to."""
        dates, widths = codec.decode(codes, places), codec.widths(codes, places)
        almanac = self._almanacs[codec.column.name]
        return almanac.follow_within(codec.range(), dates, widths, codec.column, rng)

    def close_gaps(
        self,
        cells: MutableMapping[str, npt.NDArray[Any]],
        fixed: Mapping[str, Bools],
        rng: np.random.Generator,
    ) -> None:
        """Makes columns of ``cells`` (see :meth:`decode`) as far apart as the differences among
        them say, which are taken out. What is ``fixed`` stays, and so do later cells that many rows
        share, such as a cap, or a date that means "never".

        Dates that are moved keep to the days and times that their columns prefer.
        """

        def keep(name: str, dates: Floats) -> Floats:
            almanac = self._almanacs.get(name)
            return dates if almanac is None else almanac.nudge(dates, self.schema[name], rng)

        codecs = {n: c for n, c in self.codecs.items() if isinstance(c, NumberCodec)}
        stays = dict(fixed)
        for gap in self.gaps:
            stays[gap.high] = fixed[gap.high] | codecs[gap.high].are_atoms(cells[gap.high])
        ends = {n: codecs[n].range() for gap in self.gaps for n in (gap.low, gap.high)}
        close_gaps(self.gaps, cells, stays, ends, keep)

    def invent(
        self,
        seed: int,
        locale: str | None = None,
        *,
        full: bool = False,
        owners: Mapping[str, Ints] | None = None,
    ) -> Inventor:
        """Makes up the columns that are not modelled; see there."""
        return Inventor(
            schema=self.schema,
            unlearned=self.unlearned,
            seed=seed,
            locale=locale,
            full=full,
            owners=owners or {},
        )

    def assemble(
        self,
        cells: Mapping[str, Cells],
        *,
        start: int,
        rows: int,
        inventor: Inventor | None = None,
    ) -> pd.DataFrame:
        """A table of ``cells``, with the schema's columns, order and dtypes.

        ``start`` is the number of the first row; from it ``inventor`` (None: that of seed 0)
        makes up the columns that are not modelled.
        """
        inventor = inventor or self.invent(0)
        series = []
        for column in self.schema:
            codec = self.codecs.get(column.name)
            if codec is None:
                series.append(inventor.cells(column, start, rows))
            else:
                series.append(write_cells(cells[column.name], column, codec.levels or None))
        frame = pd.concat(series, axis=1)
        if self._fixed_decimals:  # for files of text, where 12.5 and 12.50 differ
            frame.attrs[FIXED_DECIMALS] = dict(self._fixed_decimals)
        return frame

    def _codes(self, name: str, tokens: Tokens | Ints) -> tuple[Ints, Ints | None]:
        """Codes and, where it has them, fine steps of one column."""
        at = self.layout.code_position(name)
        if at is None:
            return np.zeros(len(tokens), dtype=np.int64), None
        codes = tokens[:, at].astype(np.int64)
        return codes, tokens[:, at + 1].astype(np.int64) if self.codecs[name].has_fine else None
