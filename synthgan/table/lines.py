"""CSV of which each physical line is one row, malformed or not: for private fits.

A line is read by itself. No quote reaches beyond it, and what is wrong with it (a quote that is
never closed, too many cells or too few, bytes that are no UTF-8) makes it a row of missing cells
and changes no other row. All that holds for the whole file follows from its header, which is as
public as the names in it: delimiter, quotes, and how lines end.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from synthgan.errors import TableError
from synthgan.files import DELIMITERS
from synthgan.table.csv_types import Evidence, csv_frame
from synthgan.table.formats import check_same_columns, chosen_columns
from synthgan.table.part_files import Source

MOST_BYTES = 1 << 20
"""Of a line: a longer one is a row of missing cells."""
_BLOCK_BYTES = 1 << 20
_BLOCK_LINES = 1 << 14
_FIRST_LINE = re.compile(rb"(?:[ \t]*[\r\n])*([^\r\n]*[^ \t\r\n][^\r\n]*)(\r\n|\n|\r|$)")


class LinesTable:
    """The table in one CSV file or several, all columns as text, without a look at any row.

    ``expected`` are the names that the columns must have, in any order, where they are known:
    then an error never quotes the header, which is a row in a file that lacks one.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        columns: Sequence[str] | None,
        expected: Sequence[str] | None = None,
    ) -> None:
        self._files = [_header_of(source, expected) for source in sources]
        first = self._files[0]
        if expected is not None:
            for file in self._files:
                _check_expected(file, expected)
        self.names = chosen_columns(first.source, columns, first.names)
        for file in self._files[1:]:
            check_same_columns(file.source, file.names, first.source, first.names)

    def read(self) -> pd.DataFrame:
        """All of it at once, empty cells missing."""
        frame: pd.DataFrame = self._cells().to_pandas()
        return frame

    def read_typed(self) -> pd.DataFrame:
        """All of it at once, with the dtypes that all cells of a column together ask for."""
        table = self._cells()
        evidence = dict.fromkeys(self.names, Evidence())
        for name in self.names:
            for cells in table.column(name).chunks:
                evidence[name] = evidence[name].with_cells(cells.cast(pa.string()))
        return csv_frame(table, evidence)

    def _cells(self) -> Any:
        schema = pa.schema([(name, pa.large_string()) for name in self.names])
        batches = [batch for file in self._files for batch in self._batches(file)]
        return pa.Table.from_batches(batches, schema)

    def _batches(self, file: _File) -> Iterator[Any]:
        order = [file.names.index(name) for name in self.names]
        missing = (None,) * len(file.names)
        rows: list[Sequence[str | None]] = []
        for line in file.lines():
            if line is not None and len(file.names) > 1 and not line.strip():
                continue
            rows.append((None if line is None else file.cells(line)) or missing)
            if len(rows) == _BLOCK_LINES:
                yield self._batch(rows, order)
                rows = []
        yield self._batch(rows, order)

    def _batch(self, rows: list[Sequence[str | None]], order: Sequence[int]) -> Any:
        cells = list(zip(*rows, strict=True)) if rows else [()] * (max(order) + 1)
        arrays = [pa.array(cells[place], pa.large_string()) for place in order]
        return pa.record_batch(arrays, names=self.names)


@dataclass(frozen=True, kw_only=True)
class _File:
    """A file, and how its header says that it is written."""

    source: Source
    names: tuple[str, ...]
    delimiter: str
    quote: str
    end: bytes
    begin: int
    """Bytes before the first line after the header."""

    def lines(self) -> Iterator[bytes | None]:
        """The lines after the header, without their ends; None for one that is too long."""
        with self.source.decompressed() as stream:
            _skip(stream, self.begin)
            yield from _lines(stream.read, self.end)

    def cells(self, line: bytes) -> Sequence[str | None] | None:
        """The cells of a line, None where empty; no sequence if it is not one of this table."""
        try:
            text = line.decode()
        except UnicodeDecodeError:
            return None
        found = _split(text, self.delimiter, self.quote)
        return found if found is not None and len(found) == len(self.names) else None


def _split(text: str, delimiter: str, quote: str) -> Sequence[str | None] | None:
    """The cells of one line, or None if it is malformed."""
    if "\0" in text:
        return None
    if quote not in text:
        return [cell or None for cell in text.split(delimiter)]
    if text.count(quote) % 2:
        return None
    # A quoted cell ends at a quote that is not one of a pair.
    quoted = re.compile(f"{quote}([^{quote}]*(?:{quote}{quote}[^{quote}]*)*){quote}")
    cells: list[str | None] = []
    place = 0  # cells are not cut off the text one by one, as there may be very many
    while place <= len(text):
        if text.startswith(quote, place):
            found = quoted.match(text, place)
            if found is None:
                return None
            cell, place = found[1].replace(quote * 2, quote), found.end()
            if place < len(text) and text[place] != delimiter:
                return None
        else:
            end = text.find(delimiter, place)
            end = len(text) if end < 0 else end
            cell, place = text[place:end], end
        cells.append(cell or None)
        place += 1
    return cells


def _skip(stream: Any, size: int) -> None:
    while size > 0:
        read = len(stream.read(min(size, _BLOCK_BYTES)))
        if not read:
            return
        size -= read


def _lines(read: Callable[[int], bytes], end: bytes) -> Iterator[bytes | None]:
    """Pieces of what ``read`` gives between ``end`` and ``end``; the last needs none."""
    rest = b""
    while block := read(_BLOCK_BYTES):
        first, *more = block.split(end)
        rest += first if len(rest) <= MOST_BYTES else b""
        for piece in more:
            yield _one(rest)
            rest = piece
    if rest:
        yield _one(rest)


def _one(line: bytes) -> bytes | None:
    line = line.removesuffix(b"\r")
    return line if len(line) <= MOST_BYTES else None


def _header_of(source: Source, expected: Sequence[str] | None) -> _File:
    with source.decompressed() as stream:
        head = stream.read(2 * MOST_BYTES)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise TableError(f"{source} is UTF-16; save it as UTF-8 for a private fit")
    begin = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    found = re.compile(rb"(?:[ \t]*[\r\n])*([^\r\n]*[^ \t\r\n][^\r\n]*)(\r\n|\n|\r|$)").match(
        head, begin
    )
    if found is None or len(found[1]) > MOST_BYTES:
        raise TableError(f"{source} is empty; a table has a header")
    try:
        text = found[1].decode()
    except UnicodeDecodeError:
        raise TableError(
            f"{source}: the header is no UTF-8; save the file as UTF-8 for a private fit"
        ) from None
    # Apostrophes are quotes only where they wrap the header.
    quote = "'" if re.fullmatch(r"\s*'.*'[ \t]*", text) else '"'
    delimiter = DELIMITERS[source.ending]
    candidates = delimiter if delimiter == "\t" else ",;\t|"
    wanted = None if expected is None else sorted(expected)
    parsed = {each: _split(text, each, quote) or () for each in candidates}
    best = max(
        parsed,
        key=lambda each: (sorted(parsed[each], key=str) == wanted, len(parsed[each])),
    )
    if not parsed[best]:
        raise TableError(f"{source}: the header cannot be read; check its quotes")
    return _File(
        source=source,
        names=tuple(name or "" for name in parsed[best]),
        delimiter=best,
        quote=quote,
        end=b"\r" if found[2] == b"\r" else b"\n",
        begin=found.end(),
    )


def _check_expected(file: _File, expected: Sequence[str]) -> None:
    if sorted(file.names) != sorted(expected):
        missing = [name for name in expected if name not in file.names]
        what = f"has no column {missing[0]!r}" if missing else "has other columns as well"
        raise TableError(
            f"{file.source}: the first line must be a header with the {len(expected)} columns of "
            f"the schema, each once, but {what}"
        )
