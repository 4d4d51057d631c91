"""Formats that hold types, one class each: how a file is read, and what writes one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from synthgan.files import DELIMITERS
from synthgan.table.formats import format_of, read_errors
from synthgan.table.part_files import Source

_SHORT_CELL = 4  # bytes


class ArrowFile(Protocol):
    """A format."""

    def schema(self, source: Source) -> Any:
        """Names and Arrow types of the columns."""

    def table(self, source: Source, names: list[str], check: Callable[[Any], Any]) -> Any:
        """The columns of these names, once ``check`` lets them pass where offsets may lie."""

    def batches(self, source: Source, names: list[str], rows: int) -> Iterator[Any]:
        """The same, in batches of about so many rows."""

    def cells(self, source: Source) -> int:
        """About how many cells there are; long text counts as several."""

    def writer(self, path: Path, schema: Any) -> Any:
        """What has ``write_table`` and ends a with-block."""


class Parquet:
    """Apache Parquet."""

    def schema(self, source: Source) -> Any:
        with pq.ParquetFile(source.open()) as file:
            return file.schema_arrow

    def table(self, source: Source, names: list[str], check: Callable[[Any], Any]) -> Any:
        with pq.ParquetFile(source.open()) as file:
            return file.read(columns=names).select(names)

    def batches(self, source: Source, names: list[str], rows: int) -> Iterator[Any]:
        with pq.ParquetFile(source.open()) as file:
            for batch in file.iter_batches(batch_size=rows, columns=names):
                yield batch.select(names)

    def cells(self, source: Source) -> int:
        with pq.ParquetFile(source.open()) as file:
            about = file.metadata
            groups = range(about.num_row_groups)
            unpacked = sum(about.row_group(i).total_byte_size for i in groups)
            return int(max(about.num_rows * len(file.schema_arrow.names), unpacked // 10))

    def writer(self, path: Path, schema: Any) -> Any:
        return pq.ParquetWriter(path, schema)


class Feather:
    """Arrow's own format, as a file or a stream."""

    def schema(self, source: Source) -> Any:
        with _ipc_reader(source) as reader:
            return reader.schema

    def table(self, source: Source, names: list[str], check: Callable[[Any], Any]) -> Any:
        with _ipc_reader(source) as reader:
            return check(reader.read_all().select(names))

    def batches(self, source: Source, names: list[str], rows: int) -> Iterator[Any]:
        with _ipc_reader(source) as reader:
            if isinstance(reader, pa.RecordBatchFileReader):
                for i in range(reader.num_record_batches):
                    yield validated(reader.get_batch(i).select(names))
            else:
                for batch in reader:
                    yield validated(batch.select(names))

    def cells(self, source: Source) -> int:
        return source.size // _SHORT_CELL

    def writer(self, path: Path, schema: Any) -> Any:
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        return pa.ipc.new_file(str(path), schema, options=options)


def arrow_file(ending: str) -> ArrowFile:
    """The format of an ending, one of :data:`synthgan.files.ARROW_ENDINGS`."""
    return Parquet() if ending == ".parquet" else Feather()


def estimate_cells(sources: Iterable[Source]) -> int:
    """About how many cells a table has, by the sizes of its files."""
    cells = 0
    for source in sources:
        with read_errors(source):
            if source.ending in DELIMITERS:
                packed = 8 if format_of(source.path)[1] else 1
                cells += source.size * packed // 5  # bytes that a short cell takes
            else:
                cells += arrow_file(source.ending).cells(source)
    return cells


def schema_of(source: Source) -> Any:
    """Names and types of a file's columns."""
    return arrow_file(source.ending).schema(source)


def table_of(source: Source, names: list[str], check: Callable[[Any], Any] | None = None) -> Any:
    """Columns of a file."""
    return arrow_file(source.ending).table(source, names, check or validated)


def batches_of(source: Source, names: list[str], rows: int) -> Iterator[Any]:
    """Columns of a file, in batches."""
    yield from arrow_file(source.ending).batches(source, names, rows)


def validated(cells: Any) -> Any:
    """The batch or table, once no offset in it points elsewhere: that would be a crash."""
    cells.validate(full=True)
    return cells


def _ipc_reader(where: Source) -> Any:
    source = where.mapped()
    try:
        return pa.ipc.open_file(source)
    except pa.ArrowInvalid:
        source.seek(0)
        return pa.ipc.open_stream(source)
