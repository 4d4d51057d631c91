"""CSV files as text columns: how a file is written, where its rows are, what is wrong with it.

Delimiter, quotes and encoding are inferred from a sample at the beginning of the file; Arrow
does the parsing. Where it fails, the file is looked at again to name the line.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any, TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv

from synthgan.errors import TableError
from synthgan.files import DELIMITERS
from synthgan.table.csv_types import Evidence, csv_frame
from synthgan.table.formats import check_same_columns, chosen_columns, require_rows
from synthgan.table.part_files import Source

T = TypeVar("T")

_SAMPLE_BYTES = 1 << 18
"""The part of a CSV file from which delimiter, quotes and encoding are told."""
_BLOCK_BYTES = 1 << 21
"""CSV is parsed in blocks of this size; no row can be longer."""


@dataclass(frozen=True, kw_only=True)
class _CsvFile:
    """Where a delimited text file is and how it is written."""

    path: Source
    delimiter: str
    quote: str
    encoding: str
    guessed: bool
    """Whether the encoding could still turn out to be another one after the sample."""
    header: tuple[str, ...]
    bare: bool
    """Whether there is nothing but the header."""

    def open(self) -> Any:
        """The decompressed bytes, as an Arrow stream."""
        return self.path.decompressed()


class _NotUtf8(TableError):
    """Bytes after the sample are not UTF-8."""


def _sniffed(path: Source) -> _CsvFile:
    """How the file is written, as a sample shows it; its ending speaks for a delimiter."""
    delimiter = DELIMITERS[path.ending]
    with path.decompressed() as stream:
        head = stream.read(_SAMPLE_BYTES)
    complete = len(head) < _SAMPLE_BYTES
    text, encoding, guessed = _decoded(path, head, complete)
    if not text.strip():
        raise TableError(f"{path} is empty; a table has a header and at least one row")
    # apostrophes are quotes only where they wrap the header
    quote = "'" if re.match(r"\s*'[^\r\n]*'[ \t]*(?:[\r\n]|$)", text) else '"'
    candidates = delimiter if delimiter == "\t" else ",;\t|"
    parsed = {each: _sample_rows(text, each, quote, complete) for each in candidates}
    best = max(parsed, key=lambda each: _fitness(parsed[each]))
    rows = parsed[best]
    return _CsvFile(
        path=path,
        delimiter=best,
        quote=quote,
        encoding=encoding,
        guessed=guessed,
        header=tuple(rows[0]) if rows else (),
        bare=complete and len(rows) == 1,
    )


def _decoded(path: object, head: bytes, complete: bool) -> tuple[str, str, bool]:
    """A sample as text, its encoding, and whether that is only the best guess so far."""
    encoding = "utf-8"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif head.startswith(codecs.BOM_UTF8):
        encoding = "utf-8-sig"
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head, complete)
    except UnicodeDecodeError:
        encoding = "cp1252"
        text = head.decode(encoding, errors="replace")
    controls = len(re.findall(r"[\x00-\x08\x0e-\x1f]", text))
    if "\0" in text or controls * 10 > len(text):
        raise TableError(f"{path} is no text table: it holds binary data")
    if "\ufffd" in text and encoding == "cp1252":
        raise _not_text(path)
    return text, encoding, encoding == "utf-8" and text.isascii()


def _not_text(path: object) -> TableError:
    return TableError(f"{path} is neither UTF-8 nor Windows-1252 text; save it as UTF-8")


def _sample_rows(text: str, delimiter: str, quote: str, complete: bool) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote)
    rows: list[list[str]] = []
    with suppress(csv.Error):  # an endless cell: the reading proper will say so
        rows.extend(row for row in islice(reader, 1000) if row)
    if not complete and 1 < len(rows) < 1000:
        rows.pop()  # cut off by the end of the sample
    return rows


def _fitness(rows: list[list[str]]) -> tuple[bool, float, int]:
    """How well a delimiter explains a sample: it splits, evenly, and into many cells."""
    if not rows:
        return False, 0.0, 0
    width = len(rows[0])
    even = sum(len(row) == width for row in rows[1:]) / max(1, len(rows) - 1)
    return width > 1, even, width


def _csv_options(source: _CsvFile, names: Sequence[str]) -> dict[str, Any]:
    return {
        "read_options": pa_csv.ReadOptions(
            encoding="utf8" if source.encoding.startswith("utf-8") else source.encoding,
            block_size=_BLOCK_BYTES,
        ),
        "parse_options": pa_csv.ParseOptions(
            delimiter=source.delimiter,
            quote_char=source.quote,
            newlines_in_values=True,
            invalid_row_handler=_skip_blank_row,
        ),
        "convert_options": pa_csv.ConvertOptions(
            column_types={name: pa.string() for name in source.header},
            include_columns=list(names),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    }


def _skip_blank_row(row: Any) -> str:
    return "error" if row.text.strip() else "skip"


@contextmanager
def _parse_errors(source: _CsvFile) -> Iterator[None]:
    """Say what is wrong with a CSV file without quoting it."""
    try:
        yield
    except UnicodeDecodeError:
        raise _not_text(source.path) from None
    except pa.ArrowInvalid as error:
        message = str(error)
        if "UTF8" in message:
            raise _NotUtf8(
                f"{source.path} begins as UTF-8, but not all of it is; save it as UTF-8"
            ) from None
        if "straddl" in message:
            raise TableError(
                f"{source.path} has a row longer than {_BLOCK_BYTES >> 20} MB;"
                " a quote may never be closed"
            ) from None
        if re.search(r"Expected \d+ columns", message):
            raise _ragged(source) from None
        raise


def _ragged(source: _CsvFile) -> TableError:
    """The error for a file whose rows have unequal numbers of cells: where it happens."""
    width = len(source.header)
    unclosed = "a quote opened there may never be closed"
    with (
        source.open() as raw,
        io.TextIOWrapper(raw, source.encoding, errors="replace", newline="") as text,
    ):
        reader = csv.reader(text, delimiter=source.delimiter, quotechar=source.quote)
        before = 0
        try:
            for row in reader:
                if len(row) != width and "".join(row).strip():
                    hint = f"; {unclosed}" if reader.line_num > before + 1 else ""
                    cells = "1 cell" if len(row) == 1 else f"{len(row)} cells"
                    return TableError(
                        f"{source.path}: line {before + 1} has {cells},"
                        f" but the header has {width}{hint}"
                    )
                before = reader.line_num
        except csv.Error:
            return TableError(f"{source.path}: line {before + 1} cannot be read; {unclosed}")
    return TableError(f"{source.path}: not all rows have {width} cells as the header has")


def _check_closed(source: _CsvFile, cells: Any) -> None:
    """Raise if the last cell of a file, of the given last column, is an unclosed quote.

    Such a cell has swallowed all lines after it, and nothing else gives it away.
    """
    last = cells[-1].as_py()
    if last is None or not re.search(r"[\r\n]", last):
        return
    tail = ""
    with source.open() as raw, io.TextIOWrapper(raw, source.encoding, newline="") as text:
        while block := text.read(1 << 20):
            tail = (tail + block)[-(1 << 16) :]
    if not tail.rstrip().endswith(source.quote):
        raise TableError(f"{source.path}: a quote opened in the last row is never closed")


def _csv_batches(source: _CsvFile, names: Sequence[str]) -> Iterator[Any]:
    """Record batches of text columns."""
    with (
        _parse_errors(source),
        source.open() as stream,
        pa_csv.open_csv(stream, **_csv_options(source, names)) as reader,
    ):
        _check_parsed_names(source, reader.schema.names, names)
        yield from reader


def _check_parsed_names(source: _CsvFile, parsed: Sequence[str], names: Sequence[str]) -> None:
    if list(parsed) != list(names):
        raise TableError(f"{source.path}: the header cannot be read; check its quotes")


def _in_right_encoding(source: _CsvFile, work: Callable[[_CsvFile], T]) -> tuple[_CsvFile, T]:
    """What ``work`` makes of the file, and the file with the encoding that let it."""
    try:
        return source, work(source)
    except _NotUtf8:
        if not source.guessed:
            raise
        source = replace(source, encoding="cp1252")
        return source, work(source)


class CsvTable:
    """The table in one CSV file or several, once all of them have been looked through."""

    def __init__(self, sources: Sequence[Source], columns: Sequence[str] | None) -> None:
        files = [_sniffed(source) for source in sources]
        self.names = chosen_columns(sources[0], columns, files[0].header)
        for file in files[1:]:
            check_same_columns(file.path, file.header, sources[0], files[0].header)
        self._files = [file for file in files if not file.bare]
        if not self._files:
            require_rows(_whole(files), 0)
        self._evidence = dict.fromkeys(self.names, Evidence())

    def read(self) -> pd.DataFrame:
        """All of it at once."""
        tables = []
        for number, file in enumerate(self._files):
            self._files[number], table = _in_right_encoding(
                file, partial(_csv_table, names=self.names)
            )
            if self.names[-1] == file.header[-1] and table.num_rows:
                _check_closed(self._files[number], table.column(self.names[-1]))
            tables.append(table)
        table = pa.concat_tables(tables)
        require_rows(_whole(self._files), table.num_rows)
        for name in self.names:
            for cells in table.column(name).chunks:
                self._evidence[name] = self._evidence[name].with_cells(cells)
        return self.frame(table)

    def survey(self, batch_rows: int) -> int:
        """Judges the columns by all cells; gives the number of rows."""
        rows = 0
        for number, file in enumerate(self._files):
            before = dict(self._evidence)
            self._files[number], (evidence, found) = _in_right_encoding(
                file, partial(_survey, before=before)
            )
            self._evidence.update(evidence)
            rows += found
        require_rows(_whole(self._files), rows)
        return rows

    def batches(self, rows: int) -> Iterator[Any]:
        """Record batches of text columns, of as many rows as a block of the file has."""
        for file in self._files:
            yield from _csv_batches(file, self.names)

    def frame(self, table: Any) -> pd.DataFrame:
        """Rows of the text table as a frame, with the dtypes that the evidence asks for."""
        return csv_frame(table, self._evidence)


def _whole(files: Sequence[_CsvFile]) -> str:
    return str(files[0].path) if len(files) == 1 else f"{files[0].path} and the other parts"


def _csv_table(source: _CsvFile, names: Sequence[str]) -> Any:
    """All rows at once: Arrow reads them with several threads."""
    with _parse_errors(source), source.open() as stream:
        table = pa_csv.read_csv(stream, **_csv_options(source, names))
    _check_parsed_names(source, table.column_names, names)
    return table


def _survey(source: _CsvFile, before: Mapping[str, Evidence]) -> tuple[dict[str, Evidence], int]:
    """What a file's cells show beside the evidence ``before``, and how many rows it has."""
    evidence, names = dict(before), list(before)
    rows = 0
    last: Any = None
    for batch in _csv_batches(source, names):
        rows += batch.num_rows
        last = batch if batch.num_rows else last
        for name, cells in zip(names, batch.columns, strict=True):
            evidence[name] = evidence[name].with_cells(cells)
    if last is not None and names[-1] == source.header[-1]:
        _check_closed(source, last.column(len(names) - 1))
    return evidence, rows
