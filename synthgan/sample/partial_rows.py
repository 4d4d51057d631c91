"""Partly filled rows: what is known of them as tokens and a mask, and the cells themselves.

A hole is a cell that is to be filled in. What is known enters the network as tokens, and comes
out as it went in: numbers are not rounded to the middle of a step, and a category that the
model does not know is kept though it tells the model nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan._typing import Bools, Floats, Ints
from synthgan.columns.cells import read_cells, write_cells
from synthgan.columns.column import Column, Kind
from synthgan.columns.frame import check_frame
from synthgan.columns.sentinels import tagged, words_in
from synthgan.encode.codecs import CategoryCodec
from synthgan.encode.encoder import Encoder
from synthgan.errors import ConditionError, SynthganError, near_column
from synthgan.schema.constraints.base import Cells
from synthgan.schema.schema import Schema


@dataclass(frozen=True, eq=False)
class Given:
    """Rows of which some cells are known."""

    frame: pd.DataFrame
    """As it came, with those of its columns that the schema has, in its order."""
    tokens: Ints
    """Shape (rows, positions); arbitrary where cells are missing."""
    mask: npt.NDArray[np.float32]
    """Shape (rows, columns of the layout): 1 where a cell is known to the network."""
    cells: dict[str, npt.NDArray[Any]]
    """Of modelled columns, as :func:`read_cells` gives them."""
    settled: dict[str, Bools]
    """Which of these are not to be filled in: they are known, or stay missing."""
    excused: Bools
    """Rows that need not keep constraints: they break one as they came."""
    owners: dict[str, Ints] = field(default_factory=dict)
    """Of identifiers that repeat: the number of each row's cell, -1 where it is missing."""

    def __len__(self) -> int:
        return len(self.frame)

    def rows(self, first: int, last: int) -> Given:
        """The rows from ``first`` to before ``last``."""
        return self._at(slice(first, last))

    def some(self, rows: int) -> Given:
        """At most ``rows`` rows from all over the table."""
        places = np.linspace(0, len(self) - 1, min(rows, len(self))).round().astype(np.int64)
        return self._at(places)

    def _at(self, places: slice | Ints) -> Given:
        return Given(
            self.frame.iloc[places],
            self.tokens[places],
            self.mask[places],
            {name: values[places] for name, values in self.cells.items()},
            {name: settled[places] for name, settled in self.settled.items()},
            self.excused[places],
            {name: numbers[places] for name, numbers in self.owners.items()},
        )

    def keep_in(self, drawn: pd.DataFrame) -> pd.DataFrame:
        """``drawn`` with its own dtypes, and with the known cells in their places."""
        filled = drawn.copy()
        for name in self.frame:
            known = self.frame[name].notna().to_numpy()
            if known.any():
                filled[name] = _mix(filled[name], self.frame[name], known)
        return filled

    def fill(self, drawn: pd.DataFrame, columns: Collection[str]) -> pd.DataFrame:
        """The given rows, dtypes and index, with ``drawn`` cells where ``columns`` miss some."""
        filled = self.frame.copy()
        for name in columns:
            holes = self.frame[name].isna().to_numpy()
            if holes.any():
                filled[name] = _mix(self.frame[name], drawn[name], holes)
        return filled


def read_given(
    frame: pd.DataFrame,
    encoder: Encoder,
    rng: np.random.Generator,
    *,
    foreign: Literal["refuse", "hide"],
    holes: Collection[str] | None = None,
) -> Given:
    """What is known in ``frame``, of some of the schema's columns; missing cells are to be filled.

    ``holes`` are the columns whose missing cells are holes; None: all. In the others a missing
    cell is known to be missing, as far as the training data had any there.
    ``foreign``: a category that the training data never showed is refused, or hidden from
    the network and kept. Raises :class:`ConditionError` for columns that the schema does not
    have and for foreign cells, :class:`SchemaError` for cells that are not of their kind.
    """
    check_frame(frame, "the given table")
    _check_names(frame, encoder.schema)
    if not len(frame):
        raise ConditionError("the given table has no rows; at least one is needed")
    layout = encoder.layout
    tokens = np.zeros((len(frame), len(layout.spans)), dtype=np.int64)
    mask = np.zeros((len(frame), len(layout.columns)), dtype=np.float32)
    read: dict[str, npt.NDArray[Any]] = {}
    settled: dict[str, Bools] = {}
    for name, codec in encoder.codecs.items():
        if name not in frame:
            continue
        cells = read[name] = _read(frame[name], codec.column)
        known = ~pd.isna(cells)
        missing = ~known
        settled[name] = known | (holes is not None and name not in holes)
        if isinstance(codec, CategoryCodec):
            known &= _is_level(cells, codec, known, foreign)
        else:
            _check_range(cells, known, codec.range(), codec.column, foreign)
            words = words_in(cells)
            missing &= words == 0
            known |= _are_words(words, codec.column, foreign)
        if holes is not None and name not in holes and codec.is_missing.any():
            known |= missing
        at = layout.code_position(name)
        if at is None:
            continue
        codes, places = codec.encode(cells, rng.random(len(cells)))
        tokens[:, at] = codes
        if codec.has_fine:
            tokens[:, at + 1] = codec.steps(codes, places)
        mask[:, layout.columns.index(name)] = known
    _tell_gaps(encoder, read, settled, (tokens, mask), rng)
    names = [name for name in encoder.schema.names if name in frame]
    excused = np.zeros(len(frame), dtype=bool)
    owners = {
        column.name: np.asarray(pd.factorize(frame[column.name])[0], dtype=np.int64)
        for column in encoder.schema
        if column.repeats and column.per is None and column.name in names
    }
    return Given(frame[names], tokens, mask, read, settled, excused, owners)


def _tell_gaps(
    encoder: Encoder,
    cells: Cells,
    settled: Mapping[str, Bools],
    known: tuple[Ints, npt.NDArray[np.float32]],
    rng: np.random.Generator,
) -> None:
    """Writes differences of columns of which both cells are there into what is ``known``: tokens
    and mask."""
    tokens, mask = known
    for gap in encoder.gaps:
        at = encoder.layout.code_position(gap.name)
        if at is None or gap.low not in cells or gap.high not in cells:
            continue
        apart = gap.cells(cells)
        there = apart >= 0  # where not, the row breaks their order
        if encoder.codecs[gap.name].is_missing.any():
            for name in (gap.low, gap.high):
                there |= settled[name] & pd.isna(cells[name])
        found = encoder.tokens_of_gap(gap, apart, rng)
        tokens[:, at : at + found.shape[1]] = found
        mask[:, encoder.layout.columns.index(gap.name)] = there


def typical(draws: Sequence[pd.DataFrame], schema: Schema) -> pd.DataFrame:
    """Cell by cell the mean of ``draws`` (numbers, dates) or the most frequent of them."""
    found = []
    for column in schema:
        cells = [draw[column.name] for draw in draws]
        if column.kind.is_numeric:
            values = _middle(np.stack([read_cells(each, column) for each in cells]))
            if column.kind is not Kind.NUMBER:
                values = np.round(values)
            found.append(write_cells(values, column))
        else:
            codes, distinct = pd.factorize(pd.concat(cells, ignore_index=True))
            table = codes.reshape(len(draws), -1)
            counts = np.stack([(table == code).sum(axis=0) for code in range(len(distinct))])
            best = counts.argmax(axis=0)
            found.append(pd.Series(pd.Index(distinct).take(best), name=column.name))
    return pd.concat(found, axis=1)


def _middle(draws: Floats) -> Floats:
    """The mean (rows,) of ``draws`` (draws, rows), or a word where that is more frequent."""
    words = words_in(draws)
    if not words.any():
        return np.asarray(draws.mean(axis=0))
    names = np.unique(words)
    counts = np.stack([(words == name).sum(axis=0) for name in names])
    most = names[counts.argmax(axis=0)]
    numbers = np.where(words > 0, 0.0, draws).sum(axis=0) / np.maximum(counts[0], 1)
    return np.where(most > 0, tagged(most), numbers)


def _check_names(frame: pd.DataFrame, schema: Schema) -> None:
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise ConditionError(f"column names must be unique, but {twice[0]!r} comes twice")
    for name in frame.columns:
        if name not in schema.names:
            hint = near_column(str(name), schema.names)
            raise ConditionError(f"the model has no column {name!r}; {hint}")


def _read(cells: pd.Series[Any], column: Column) -> npt.NDArray[Any]:
    try:
        return read_cells(cells, column)
    except SynthganError as error:
        raise ConditionError(f"the given table does not fit: {error}") from None


def _is_level(cells: npt.NDArray[Any], codec: CategoryCodec, known: Bools, foreign: str) -> Bools:
    """Which cells hold a level that the codec can tell from others."""
    levels = {(type(level), level) for level in codec.levels}
    codes, distinct = pd.factorize(pd.Series(cells, dtype=object))
    named = np.array([(type(cell), cell) in levels for cell in distinct] + [False])[codes]
    strange = int((known & ~named).sum())
    if strange and foreign == "refuse":
        raise ConditionError(
            f"column {codec.column.name!r}: {strange:,} of the given cells hold a category that "
            f"the model does not know; it knows {_some(codec.levels)}"
        )
    return np.asarray(named, dtype=bool)


def _are_words(words: Ints, column: Column, foreign: str) -> Bools:
    """Which cells hold a word that the column names."""
    known = column.words or ()
    strange = int((words > len(known)).sum())
    if strange and foreign == "refuse":
        raise ConditionError(
            f"column {column.name!r}: {strange:,} of the given cells are neither numbers nor words "
            f"that the model knows; it knows {_some(known)}"
        )
    return np.asarray((words > 0) & (words <= len(known)))


def _check_range(
    cells: npt.NDArray[Any],
    known: Bools,
    limits: tuple[float, float],
    column: Column,
    foreign: str,
) -> None:
    outside = int((known & ((cells < limits[0]) | (cells > limits[1]))).sum())
    if outside and foreign == "refuse":
        raise ConditionError(
            f"column {column.name!r}: {outside:,} of the given cells lie outside of what the "
            "training data showed; extrapolate lets them through"
        )


def _some(levels: Sequence[object]) -> str:
    return ", ".join(repr(level) for level in levels[:10]) + (", ..." if len(levels) > 10 else "")


def _mix(cells: pd.Series[Any], others: pd.Series[Any], where: Bools) -> pd.Series[Any]:
    """``cells`` with those of ``others`` at ``where``, in the dtype of ``cells``."""
    others = others.set_axis(cells.index)
    if cells.dtype == others.dtype:
        return cells.where(~where, others)
    mixed = cells.astype(object).where(~where, others.astype(object))
    if not isinstance(cells.dtype, pd.CategoricalDtype):
        return mixed.astype(cells.dtype)
    levels = cells.cat.categories
    new = [each for each in mixed[where].unique() if each not in levels]
    return mixed.astype(pd.CategoricalDtype([*levels, *new], cells.cat.ordered))
