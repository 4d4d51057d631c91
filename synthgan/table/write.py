"""Writing tables, whole or in chunks.

CSV is put together in Arrow, column by column: what a cell looks like as text is decided for
a whole column at once. In the other formats the first chunk decides the types of all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

from synthgan.columns.frame import check_frame
from synthgan.columns.sentinels import FIXED_DECIMALS
from synthgan.errors import TableError
from synthgan.files import DELIMITERS, replacing
from synthgan.table.arrow_write import without_attrs, write_arrow
from synthgan.table.csv_write import CSV_DELIMITERS, without_formulas, write_csv, write_stdout
from synthgan.table.formats import check_names, check_writable, compressing, format_of
from synthgan.table.split_marks import Mark, clear_mark, mark_of, write_mark


def write_table(
    chunks: pd.DataFrame | Iterable[pd.DataFrame],
    path: str | Path,
    *,
    overwrite: bool = False,
    like: pd.DataFrame | None = None,
    safe_csv: bool = False,
    delimiter: str | None = None,
) -> int:
    """Write a frame, or chunks of one, to ``path``; return the number of rows written.

    The row index is not written. ``path`` ``-`` writes CSV to standard output. CSV comes as
    UTF-8 with commas, or the ``delimiter`` (``;``, ``|`` or a tab, which ``.tsv`` always has),
    missing cells empty, numbers in their shortest exact form, dates as ISO 8601. In Parquet and
    Arrow formats the first chunk, or ``like``, rows of the same columns, decides the types.

    With ``safe_csv``, text of a CSV file that a spreadsheet would run as a formula gets an
    apostrophe before it, names of columns included. Numbers stay as they are.

    A part of a split by a seed (:func:`split_table`) stays marked as one, by a small file beside.

    Raises :class:`TableError` if the file cannot be written; then there is no new file, and
    an old one is as it was.
    """
    marks: set[Mark] = set()
    frames = _checked(iter([chunks]) if isinstance(chunks, pd.DataFrame) else iter(chunks), marks)
    if safe_csv:
        frames = map(without_formulas, frames)
    if str(path) == "-":
        return write_stdout(frames, delimiter_of(path, delimiter))
    check_writable(path, overwrite=overwrite)
    ending, compression = format_of(Path(path))
    if safe_csv and ending not in DELIMITERS:
        raise TableError(f"{path}: safe_csv is for CSV files; cells of {ending} are never formulas")
    comma = delimiter_of(path, delimiter)
    with replacing(path) as temporary:
        if ending in DELIMITERS:
            inner = Path(path).name.removesuffix(Path(path).suffix) if compression else ""
            with compressing(temporary, compression, inner) as sink:
                rows = write_csv(frames, sink.write, comma)
        else:
            rows = write_arrow(map(without_attrs, frames), temporary, ending, like)
        for mark in marks:
            write_mark(path, mark)
    if not marks:
        clear_mark(path)
    return rows


def delimiter_of(path: str | Path, wanted: str | None) -> str:
    """What stands between the cells of a file to write; nothing in formats that are no text.

    Raises :class:`TableError` for a delimiter that would not be known again on reading.
    """
    ending = ".csv" if str(path) == "-" else format_of(path)[0]
    usual = DELIMITERS.get(ending, "")
    if wanted is None or wanted == usual:
        return usual
    if not usual or usual == "\t":
        raise TableError(f"{path}: only .csv files have a choice of delimiters, not {ending}")
    if wanted not in CSV_DELIMITERS:
        raise TableError(f"delimiter must be one of {', '.join(map(repr, CSV_DELIMITERS))}")
    return wanted


def _checked(frames: Iterator[pd.DataFrame], marks: set[Mark]) -> Iterator[pd.DataFrame]:
    """The frames with text names and no attrs, once their columns are seen to agree; their marks
    are added to ``marks``."""
    names: list[str] | None = None
    for frame in frames:
        check_frame(frame, "a table to write")
        mark = mark_of(frame)
        marks |= {mark} if mark else set()
        if frame.columns.nlevels > 1:
            raise TableError("a table to write must have plain column names, not several levels")
        frame = frame.copy(deep=False)
        # Of attrs, fixed decimals are kept, which only CSV can show.
        frame.attrs = {key: frame.attrs[key] for key in (FIXED_DECIMALS,) if key in frame.attrs}
        frame.columns = pd.Index([str(name) for name in frame.columns], dtype=object)
        if names is None:
            names = list(frame.columns)
            check_names("the table to write", names)
        if list(frame.columns) != names:
            raise TableError("the chunks of a table must all have the same columns in one order")
        yield frame
    if names is None:
        raise TableError("there is nothing to write: not a single chunk of rows came")
