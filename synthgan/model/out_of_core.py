"""A table too large for memory, on its way to tokens: read in chunks, three times.

Columns and rules are inferred from a sample, and checked against all rows while these are counted;
what does not hold in all rows is corrected or dropped, as it was not declared. Then the rows become
tokens, in memory or, where they would be too many, in a scratch file that is always removed.
Chunk i draws from (seed, i), so that its tokens do not depend on who encodes it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan._typing import Floats
from synthgan.columns.column import Column, Kind
from synthgan.config import Config, SummaryConfig
from synthgan.encode.encoder import Encoder, Tokens
from synthgan.encode.summarize import Tally
from synthgan.encode.summary import Summary
from synthgan.errors import SchemaError, TableError
from synthgan.sample.sampler import Sampler
from synthgan.schema.discover import schema_to_fit
from synthgan.schema.entities import Hints, sampled
from synthgan.schema.identifying import identifying_notes
from synthgan.schema.schema import Schema
from synthgan.table.read import Dataset

OnRows = Callable[[str, int, int], None]
"""Called with what is being done, and how many rows of how many it is done with."""

SAMPLE_ROWS = 200_000
"""Rows from which columns and rules of a large table are told; fewer of a wide one."""

_SAMPLE_CELLS = 6_000_000
_LIBRARIES = 600 << 20  # bytes that Python and PyTorch take before any row
_CELL_BYTES = 40  # that a fit takes at its peak for a cell of a table in memory
_TALLY_SHARE = 0.25  # of the memory beyond the libraries', for counting
_TOKENS_SHARE = 0.2  # and for tokens, which training holds twice
_RUN_BYTES = 64  # that a distinct value takes, while runs are merged
_FEWEST_VALUES = 1 << 16


def half_of_memory() -> int:
    """Half of the bytes that this machine, or the container on it, lets a process have."""
    try:
        found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # not every system tells
        found = 8 << 30
    with suppress(OSError, ValueError):  # "max": no limit
        found = min(found, int(Path("/sys/fs/cgroup/memory.max").read_text("ascii")))
    return found // 2


def fits_in_memory(cells: int, limit: int) -> bool:
    """Whether a fit of a table of so many ``cells`` takes at most ``limit`` bytes, by and large."""
    return _LIBRARIES + cells * _CELL_BYTES <= limit


def rows_to_look_at(columns: int) -> int:
    """Of how many rows columns and rules are told, in a table of so many columns."""
    return min(SAMPLE_ROWS, _SAMPLE_CELLS // columns)


class Count:
    """Chunks of a table, counted in about a quarter of ``limit`` bytes, and held against a schema.

    What others have counted of other chunks can be merged. Of a schema that a sample told (not
    ``declared``), what the rows do not bear out is mended or dropped in the end.
    """

    def __init__(
        self, schema: Schema, config: SummaryConfig, *, declared: bool, limit: int
    ) -> None:
        self._schema, self._declared, self._enough = schema, declared, config.min_category_rows
        room = max(limit - _LIBRARIES, 0)
        numbers = sum(column.kind.is_numeric for column in schema)
        most = max(int(_TALLY_SHARE * room / max(numbers, 1) / _RUN_BYTES), _FEWEST_VALUES)
        self._tally = Tally(schema, config, most_values=most)
        self._exceptions = _Exceptions(schema)

    @property
    def rows(self) -> int:
        """How many have been counted."""
        return self._tally.rows

    def add(self, frame: pd.DataFrame) -> None:
        """Counts a chunk (rows x columns). Raises :class:`SchemaError` if it does not fit."""
        self._schema.check(frame)
        cells = self._tally.add(frame)
        if not self._declared:
            self._exceptions.look(cells)

    def merge(self, other: Count) -> None:
        """Adds what another one, of the same schema, has counted."""
        self._tally.merge(other._tally)
        self._exceptions.merge(other._exceptions)

    def finish(self) -> tuple[Encoder, Summary]:
        """What is kept. Raises as :func:`synthgan.encode.summarize.summarize`."""
        schema = self._schema
        if not self._declared:
            schema = self._exceptions.mended(self._tally, self._enough)
            self._tally.follow(schema)
        summary = self._tally.summary()
        encoder = Encoder(schema, summary)
        Sampler.check(encoder)
        return encoder, summary


@dataclass(frozen=True)
class Encoded:
    """A table that was read in chunks."""

    tokens: Tokens
    encoder: Encoder
    summary: Summary
    notes: tuple[str, ...] = ()


@contextmanager
def encoded_in_chunks(
    dataset: Dataset, known: Schema | Hints | None, config: Config, limit: int, on_rows: OnRows
) -> Iterator[Encoded]:
    """The tokens of ``dataset``, in about ``limit`` bytes, for as long as the context lasts.

    Without a ``known`` schema it is inferred from :data:`SAMPLE_ROWS` rows, drawn from all over the
    table.

    Raises :class:`DoubtError` as :func:`schema_to_fit`, :class:`SchemaError` for rows that do not
    follow it, :class:`TableError` if there is no room for the scratch file.
    """
    declared = isinstance(known, Schema)
    notes: tuple[str, ...] = ()
    if isinstance(known, Schema):
        schema = known
    else:
        on_rows("looking at a sample", 0, dataset.rows)
        rows = rows_to_look_at(dataset.columns)
        sample = dataset.sample(rows, np.random.default_rng(config.seed))
        schema = schema_to_fit(sample, known, least=config.summary.min_category_rows)
        schema = sampled(schema) if len(sample) < dataset.rows else schema
        notes = identifying_notes(sample, schema)
    room = max(limit - _LIBRARIES, 0)
    count = Count(schema, config.summary, declared=declared, limit=limit)
    for frame in dataset.chunks():
        count.add(frame)
        on_rows("counting", count.rows, dataset.rows)
    encoder, summary = count.finish()
    del count
    with _room_for_tokens(dataset.rows, encoder, _TOKENS_SHARE * room) as tokens:
        done = 0
        for number, frame in enumerate(dataset.chunks()):
            part = encoder.encode(frame, np.random.default_rng([config.seed, number]))
            if done + len(part) <= dataset.rows:
                tokens[done : done + len(part)] = part
            done += len(part)
            on_rows("encoding", done, dataset.rows)
        if done != dataset.rows:
            raise TableError(
                f"{dataset.path} had {dataset.rows:,} rows at first and {done:,} later; it must "
                "not change while it is read"
            )
        yield Encoded(tokens, encoder, summary, notes)


@contextmanager
def _room_for_tokens(rows: int, encoder: Encoder, most_bytes: float) -> Iterator[Tokens]:
    """An array (rows x positions), in memory or in a scratch file."""
    shape, dtype = (rows, len(encoder.layout.spans)), encoder.token_type
    needed = rows * shape[1] * dtype.itemsize
    if needed <= most_bytes:
        yield np.zeros(shape, dtype=dtype)
        return
    with _scratch_file(needed) as file:
        tokens: Tokens = np.memmap(file, dtype, "r+", shape=shape)
        yield tokens


@contextmanager
def _scratch_file(needed: int) -> Iterator[IO[bytes]]:
    """A file of so many bytes that has no name, so that it goes whatever ends the process.

    Its bytes are there for certain: writing to a mapped file that the disk has no room for would
    be a crash.
    """
    with tempfile.TemporaryFile(prefix="synthgan-") as file:
        try:
            _fill(file, needed)
        except OSError as error:
            raise TableError(
                f"{tempfile.gettempdir()} has no room for a scratch file of "
                f"{needed / 2**30:.3g} GiB ({error.strerror}); name another folder in TMPDIR, or "
                "set a higher memory limit. Nothing was lost, and the scratch file is removed"
            ) from None
        yield file


def _fill(file: IO[bytes], needed: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, needed)
        return
    block = bytes(1 << 20)
    for start in range(0, needed, len(block)):
        file.write(block[: needed - start])
    file.flush()


class _Exceptions:
    """Cells beyond what a sample said of their columns."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._decimals: dict[str, int | None] = {}
        """Digits after the point of columns that have more than was said; None: any."""

    def look(self, cells: Mapping[str, npt.NDArray[np.object_] | Floats]) -> None:
        """Looks at the cells of a chunk. Raises :class:`SchemaError` for dates between units."""
        for column in self._schema:
            if not column.kind.is_numeric or self._of(column) is None:
                continue
            numbers = cells[column.name].astype(np.float64, copy=False)
            digits, narrow = self._of(column), "32" in column.dtype
            if _are_whole(numbers, digits, narrow=narrow):
                continue
            if column.kind is Kind.DATETIME:
                raise SchemaError(
                    f"column {column.name!r}: a sample shows dates of resolution "
                    f"{column.resolution}, but some of all rows have a finer one; declare it in a "
                    "schema"
                )
            more = range((digits or 0) + 1, 10)
            fits = (each for each in more if _are_whole(numbers, each, narrow=narrow))
            self._decimals[column.name] = next(fits, None)

    def merge(self, other: _Exceptions) -> None:
        """Adds what another one, of the same schema, has seen."""
        for name, digits in other._decimals.items():
            known = self._decimals.get(name, 0)
            self._decimals[name] = None if known is None or digits is None else max(known, digits)

    def _of(self, column: Column) -> int | None:
        own = column.decimals if column.kind is Kind.NUMBER else 0
        return self._decimals.get(column.name, own)

    def mended(self, tally: Tally, enough: int) -> Schema:
        """The schema that all rows follow, with the rules that all of them keep."""
        columns = []
        for column in self._schema:
            if tally.columns[column.name].missing:
                column = replace(column, nullable=True, dtype=_with_missing(column.dtype))
            if column.name in self._decimals:
                digits = self._decimals[column.name]
                format = None if column.words is None else "%.15g"
                column = replace(column, kind=Kind.NUMBER, decimals=digits, format=format)
            columns.append(column)
        rules = (
            rule
            for rule in tally.rules.holding(enough)
            if not {*rule.columns} & self._decimals.keys()
        )
        return replace(self._schema, columns=tuple(columns), constraints=tuple(rules))


def _with_missing(dtype: str) -> str:
    """The dtype that holds the same cells and missing ones."""
    if dtype.rstrip("0123456789") in ("int", "uint"):
        return dtype.replace("uint", "UInt").replace("int", "Int")
    return "boolean" if dtype == "bool" else dtype


def _are_whole(numbers: Floats, digits: int | None, *, narrow: bool) -> bool:
    """Whether present ``numbers`` have at most so many digits after the point, but for noise:
    that of ``narrow`` floats has 32 bits."""
    if digits is None:
        return True
    rest = np.abs(numbers - np.round(numbers, digits))
    spacing = 4 * np.finfo(np.float32 if narrow else np.float64).eps * np.abs(numbers)
    return not (rest > np.minimum(spacing, 10.0**-digits * 1e-3)).any()  # nor are missing ones
