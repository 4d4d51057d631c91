"""Reading tables, whole or in chunks, from one file or from several part files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from synthgan.columns.frame import check_frame
from synthgan.errors import TableError
from synthgan.files import DELIMITERS
from synthgan.table.arrow_files import estimate_cells
from synthgan.table.arrow_read import ArrowTable, frame_of_held
from synthgan.table.csv_read import CsvTable
from synthgan.table.formats import read_errors
from synthgan.table.lines import LinesTable
from synthgan.table.part_files import Source, find_sources
from synthgan.table.split_marks import SPLIT, mark_of_sources

_CHUNK_ROWS, _CHUNK_CELLS = 65_536, 2_000_000


def read_table(
    path: str | Path,
    *,
    columns: Sequence[str] | None = None,
    as_text: bool = False,
    expected: Sequence[str] | None = None,
) -> pd.DataFrame:
    """The table in a file, or only ``columns`` of it, in that order.

    ``path`` may also be a folder of part files (all of them one format, with the same columns), a
    glob such as ``data/*.parquet``, or a URL that Arrow's file systems or fsspec know.

    In CSV an empty cell is missing, and so are words such as ``NA`` among numbers. Columns
    of integers become int64 (float64 where cells are missing, as pandas has it; Int64 if
    that would round them), of decimal numbers float64, of ``True`` and ``False`` bool
    (boolean where cells are missing); all others stay text.

    With ``as_text`` no row decides how another one is read: all columns of CSV stay text, and
    each physical line is one row (:mod:`synthgan.table.lines`); columns of other formats keep the
    types of their file. There may be no rows then. ``expected`` are the names that the columns must
    have, for files that are read like this. A part of a split by a seed (:func:`split_file`) is
    marked as one in ``attrs``.

    Raises :class:`TableError` for anything that is no table with at least one row.
    """
    sources = find_sources(path)
    with read_errors(path):
        if not as_text:
            frame = _table(sources, columns).read()
        elif sources[0].ending in DELIMITERS:
            frame = LinesTable(sources, columns, expected).read()
        else:
            frame = ArrowTable(sources, columns).read_as_typed()
        mark = mark_of_sources(sources)
    if mark is not None:
        frame.attrs[SPLIT] = mark
    return frame


def read_alone(path: str | Path) -> pd.DataFrame:
    """The table in a file, with dtypes as :func:`read_table` gives them, for telling what its
    columns are before a private fit, which must not fail for a row.

    Each physical line of CSV is one row, as for the fit itself, and cells that cannot be read are
    missing. A table without rows is one of missing cells.
    """
    sources = find_sources(path)
    with read_errors(path):
        if sources[0].ending in DELIMITERS:
            frame = LinesTable(sources, None).read_typed()
        else:
            frame = frame_of_held(ArrowTable(sources, None).cells())
    return frame if len(frame) else frame.reindex([0])


def check_source(path: str | Path) -> None:
    """Raise :class:`TableError` if there is no table at ``path``, without reading any.

    To be called before long work, not after it. ``path`` is as for :func:`read_table`.
    """
    find_sources(path)


def take_table(
    table: pd.DataFrame | str | Path,
    what: str,
    *,
    as_text: bool = False,
    expected: Sequence[str] | None = None,
) -> pd.DataFrame:
    """``table`` itself, or the one in the file that it is the path of; ``what`` it is called.

    Raises :class:`TableError`, which quotes no cell, for what is neither.
    """
    if isinstance(table, str | Path):
        return read_table(table, as_text=as_text, expected=expected)
    check_frame(table, what, or_path=True)
    return table


def iter_table(
    path: str | Path, *, chunk_rows: int = _CHUNK_ROWS, columns: Sequence[str] | None = None
) -> Iterator[pd.DataFrame]:
    """The table in a file as frames of ``chunk_rows`` rows (the last may have fewer).

    ``path`` is as for :func:`read_table`. Memory does not grow with the file. The file is read
    twice, so that every chunk has the dtypes that :func:`read_table` would give the whole;
    errors of the first reading are raised by the call itself.
    """
    return open_dataset(path, columns=columns, chunk_rows=chunk_rows).chunks()


def open_dataset(
    path: str | Path, *, columns: Sequence[str] | None = None, chunk_rows: int | None = None
) -> Dataset:
    """A table that is to be read several times, in chunks, looked through once.

    Without ``chunk_rows`` the chunks of a wide table have fewer rows. Raises as
    :func:`read_table`.
    """
    if chunk_rows is not None and chunk_rows < 1:
        raise TableError(f"chunk_rows must be at least 1, got {chunk_rows}")
    sources = find_sources(path)
    with read_errors(path):
        table = _table(sources, columns)
        width = len(table.names)
        if chunk_rows is None:
            chunk_rows = min(_CHUNK_ROWS, max(_CHUNK_CELLS // width, 1))
        return Dataset(path, table.survey(chunk_rows), width, chunk_rows, table)


def count_cells(path: str | Path) -> int:
    """About how many cells a table has, without reading all of it."""
    return estimate_cells(find_sources(path))


def _table(sources: Sequence[Source], columns: Sequence[str] | None) -> CsvTable | ArrowTable:
    if sources[0].ending in DELIMITERS:
        return CsvTable(sources, columns)
    return ArrowTable(sources, columns)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A table in files, to be read in chunks; made by :func:`open_dataset`."""

    path: str | Path
    rows: int
    columns: int
    chunk_rows: int
    _table: CsvTable | ArrowTable

    def chunks(self) -> Iterator[pd.DataFrame]:
        """All rows, in frames of ``chunk_rows`` (the last may have fewer)."""
        with read_errors(self.path):
            for table in self._pieces():
                yield self._table.frame(table)

    def sample(self, rows: int, rng: np.random.Generator) -> pd.DataFrame:
        """About ``rows`` rows, drawn at random from every chunk, in their order."""
        share = min(rows / self.rows, 1.0)
        with read_errors(self.path):
            picked = [
                table.take(np.flatnonzero(rng.random(table.num_rows) < share))
                for table in self._pieces()
            ]
            return self._table.frame(pa.concat_tables(picked))

    def _pieces(self) -> Iterator[Any]:
        return _regrouped(self._table.batches(self.chunk_rows), self.chunk_rows)


def _regrouped(batches: Iterator[Any], rows: int) -> Iterator[Any]:
    """Tables of exactly ``rows`` rows, the last perhaps shorter, from batches of any size."""
    held: list[Any] = []
    count = 0
    for batch in batches:
        rest = batch
        while count + rest.num_rows >= rows:
            yield pa.Table.from_batches([*held, rest.slice(0, rows - count)])
            rest = rest.slice(rows - count)
            held, count = [], 0
        if rest.num_rows:
            held.append(rest)
            count += rest.num_rows
    if held:
        yield pa.Table.from_batches(held)
