"""Setting rows of a file aside: cells are copied, never read and written again.

Of CSV a row is a physical line, copied byte by byte behind the file's own header. So a line that is
no row, such as one with an odd quote, costs itself alone, and never joins others: its coin, like
every coin (:mod:`synthgan.table.splitting`), has nothing to do with another line. Which delimiter
and quotes a file has is asked only where a column is named, and told from the header alone.
Quoted cells that go on in the next line are kept whole where rows are *records*; then a quote
decides over the lines after it, so such a split, like one by a seed, is marked.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from synthgan.errors import TableError
from synthgan.table.arrow_reading import ArrowTable
from synthgan.table.files import (
    DELIMITERS,
    check_target,
    compressing,
    format_of,
    near_column,
    read_errors,
    replacing,
)
from synthgan.table.sources import Source, find_sources
from synthgan.table.split_marks import Mark, clear_mark, mark_of_sources, write_mark
from synthgan.table.splitting import Bools, Coins, check_share, seeded, unit_name
from synthgan.table.splitting import Source as Random
from synthgan.table.writing import delimiter_of

_ROWS_AT_ONCE = 1 << 14
_GROUP_ROWS = 1 << 16
_HEADER_LINES = 100  # that quoted names may take


@dataclass(frozen=True, kw_only=True)
class FileSplit:
    """What :func:`split_file` has left."""

    train: int
    """Rows to learn from."""
    holdout: int
    """Rows set aside."""
    mark: Mark | None
    """Why a private fit of the parts would not cover the table; None where it does."""
    torn: bool = False
    """Whether quoted cells of a CSV file go on in the next line, which may be in the other part."""


@dataclass(frozen=True, kw_only=True)
class SplitConfig:
    """How :func:`split_file` sets rows of a file aside.

    Raises :class:`TableError` for a share that is not between 0 and 1.

    Attributes:
        holdout: The chance of each row to be set aside; with a seed, the share of rows.
        by: Column whose equal cells stay together, by their text, such as a person's rows; rows
            in which it is empty have a coin each.
        seed: Sets an exact share aside, the same rows each time; a private fit of the parts then
            does not cover the table. None: secret coins.
        records: Whether cells in quotes may hold line breaks, as they may with a seed; a private
            fit of the parts then does not cover the table. Without it, each line of CSV is a row.
    """

    holdout: float = 0.2
    by: str | None = None
    seed: int | None = None
    records: bool = False

    def __post_init__(self) -> None:
        check_share(self.holdout)


def split_file(
    data: str | Path,
    train_file: str | Path,
    holdout_file: str | Path,
    config: SplitConfig | None = None,
    *,
    delimiter: str | None = None,
    overwrite: bool = False,
    coins: Random = os.urandom,
) -> FileSplit:
    """Writes the rows of a file to two: rows to learn from, and rows set aside to judge against.

    ``data`` is as for :func:`read_table`; the parts have its format. Each row is set aside by a
    secret coin of its own, as :func:`split_table` does it. Lines of CSV are copied byte by byte,
    empty ones left out; Arrow's types stay in Parquet, Feather and Arrow files.

    Of CSV one line is one row, as for a private fit. With ``config.records``, or a ``config.seed``,
    a private fit of the parts does not cover the table, and each gets a mark beside it
    (``train.csv.split.json``) by which it refuses them. With a ``delimiter`` the lines are
    written anew, with that between their cells, in UTF-8. ``coins`` gives random bytes; only
    tests pass another source.

    Raises :class:`TableError` as :func:`split_table`, if a file cannot be read or written, and
    unless the parts have the format of ``data``.
    """
    files = (Path(train_file), Path(holdout_file))
    if files[0].absolute() == files[1].absolute():
        raise TableError(f"both parts would be written to {files[0]}; name two files")
    how = _How(data, find_sources(data), config or SplitConfig(), coins)
    _check_formats(how.sources[0], files)
    wanted = None if delimiter is None else delimiter_of(files[0], delimiter)
    if how.is_text:
        with read_errors(data):
            form = _form_of(how)
        write = partial(_split_text, how, form, files, wanted)
    else:
        with read_errors(data):
            write = partial(_split_arrow, how, _table_of(how), files)
    for file in files:
        check_target(file, overwrite=overwrite)
    return write()


def _check_formats(source: Source, files: tuple[Path, Path]) -> None:
    for file in files:
        if format_of(file)[0] != source.ending:
            raise TableError(
                f"{file}: rows are copied as they are, so the file must end in {source.ending}, as "
                f"{source} does"
            )


@dataclass(frozen=True)
class _How:
    """What is to be split, and how."""

    data: str | Path
    sources: tuple[Source, ...]
    config: SplitConfig
    coins: Random

    @property
    def is_text(self) -> bool:
        return self.sources[0].ending in DELIMITERS

    @property
    def of_records(self) -> bool:
        return self.config.records or self.config.seed is not None

    @property
    def mark(self) -> Mark | None:
        """The mark of both parts: of a part of a marked table, that one's."""
        if self.config.seed is not None:
            return "seed"
        return "records" if self.config.records and self.is_text else mark_of_sources(self.sources)

    def aside_of_all(self, rows: int, names: list[bytes | None] | None) -> Bools:
        """Which of all rows are set aside."""
        share, by, seed = self.config.holdout, self.config.by, self.config.seed
        if seed is not None:
            return seeded(rows, names, share=share, seed=seed, by=by)
        secret = Coins(share, self.coins)
        return secret.of_rows(rows) if names is None else secret.of_units(names)

    def no_column(self, names: Iterable[str]) -> TableError:
        by = str(self.config.by)
        return TableError(f"{self.data} has no column {by!r} to split by; {near_column(by, names)}")


def _put_marks(files: tuple[Path, Path], mark: Mark | None) -> None:
    """Marks the files that are about to take their places: none is ever there without."""
    for file in files:
        if mark is not None:
            write_mark(file, mark)


def _take_old_marks(files: tuple[Path, Path], mark: Mark | None) -> None:
    """Those of files that were replaced by ones that need none."""
    for file in files:
        if mark is None:
            clear_mark(file)


# Text


class _Row(NamedTuple):
    text: str
    name: bytes | None
    """Of its unit, where rows go by one."""


@dataclass(frozen=True)
class _Form:
    """How a text file is written. Bytes of encodings that hold ASCII are read as Latin-1, one
    character a byte, so that whatever they mean they come out as they were."""

    codec: str
    header: str
    names: tuple[str, ...]
    delimiter: str
    quote: str

    def cells(self, text: str) -> list[str] | None:
        """The cells of a line by itself; None unless it is one whole row."""
        dialect: dict[str, Any] = {"delimiter": self.delimiter, "quotechar": self.quote}
        try:
            rows = list(csv.reader(_physical(text), strict=True, **dialect))
        except csv.Error:
            return None
        return rows[0] if len(rows) == 1 and len(rows[0]) == len(self.names) else None

    def is_open(self, text: str) -> bool:
        """Whether a quote of a line is closed in a later one, if anywhere."""
        return text.count(self.quote) % 2 == 1 and self.cells(text) is None

    def decoded(self, text: str) -> str:
        """What characters that stand for bytes mean: UTF-8, or else Windows-1252."""
        if self.codec != "latin-1":
            return text
        held = text.encode("latin-1")
        try:
            return held.decode("utf-8-sig")
        except UnicodeDecodeError:
            return held.decode("cp1252", errors="replace")


def _split_text(
    how: _How, form: _Form, files: tuple[Path, Path], delimiter: str | None
) -> FileSplit:
    spell = _as_it_was(form) if delimiter is None else _with_delimiter(form, delimiter)
    counts, torn, mark = [0, 0], False, how.mark
    with ExitStack() as stack:
        sinks = [stack.enter_context(_text_sink(file)) for file in files]
        for sink in sinks:
            sink.write(spell(form.header, True))
        for row, aside in _thrown(how, form):
            counts[aside] += 1
            torn = torn or (not how.of_records and form.is_open(row.text))
            sinks[aside].write(spell(row.text, False))
        _put_marks(files, mark)
    _take_old_marks(files, mark)
    return FileSplit(train=counts[0], holdout=counts[1], mark=mark, torn=torn)


def _thrown(how: _How, form: _Form) -> Iterator[tuple[_Row, bool]]:
    """All rows, and whether each is set aside."""
    if how.config.seed is not None:
        names = [row.name for row in _rows(how, form)]
        aside = how.aside_of_all(len(names), None if how.config.by is None else names)
        yield from zip(_rows(how, form), aside.tolist(), strict=True)
        return
    secret = Coins(how.config.holdout, how.coins)
    rows = _rows(how, form)
    while some := list(islice(rows, _ROWS_AT_ONCE)):
        thrown = secret.of_units([row.name for row in some])
        yield from zip(some, thrown.tolist(), strict=True)


def _rows(how: _How, form: _Form) -> Iterator[_Row]:
    """Lines, or records, that are not empty, without the header."""
    place = None if how.config.by is None else form.names.index(how.config.by)
    for number, source in enumerate(how.sources):
        lines = _lines(source, form.codec)
        _check_header(how, form, _header_of(lines, source), source)
        if how.of_records:
            texts = _records(lines, form, source)
        else:
            texts = _lines(source, form.codec, _end_of(form.header))
            _header_of(texts, source)
        more = number + 1 < len(how.sources)
        for text in texts:
            if not text.rstrip("\r\n"):
                continue
            name = None
            if place is not None:
                cells = form.cells(text)
                name = unit_name(cells[place]) if cells and cells[place] else None
            yield _Row(text + "\n" if more and text[-1] not in "\r\n" else text, name)


def _lines(source: Source, codec: str, end: str = "") -> Iterator[str]:
    """Physical lines with their ends, which are a line feed, a carriage return or both; or only
    ``end``."""
    errors = "strict" if codec == "latin-1" else "surrogatepass"
    with (
        read_errors(source),
        source.decompressed() as raw,
        io.TextIOWrapper(raw, codec, errors=errors, newline=end) as text,
    ):
        yield from text


def _end_of(header: str) -> str:
    """How lines end, which the header decides and no other line, as in
    :mod:`synthgan.table.lines`: what is one line there must not become two here."""
    return "\r" if header.endswith("\r") else "\n"


def _records(lines: Iterator[str], form: _Form, source: Source) -> Iterator[str]:
    """Lines, joined where a quoted cell goes on in the next one."""
    taken: list[str] = []

    def tapped() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    try:
        for _ in csv.reader(tapped(), delimiter=form.delimiter, quotechar=form.quote):
            yield "".join(taken)
            taken.clear()
    except csv.Error:
        raise TableError(f"{source} has a cell without end; a quote may never be closed") from None


def _form_of(how: _How) -> _Form:
    source = how.sources[0]
    with source.decompressed() as raw:
        mark = bytes(raw.read(2))
    codec = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}.get(mark)
    codec = codec or "latin-1"
    header = _header_of(_lines(source, codec), source)
    known = _Form(codec, header, (), ",", '"')
    text = known.decoded(header).removeprefix("\ufeff").rstrip("\r\n")
    if "\0" in text:
        raise TableError(f"{source} is no text table: it holds binary data")
    quote = "'" if re.fullmatch(r"\s*'.*'[ \t]*", text) else '"'
    tries = "\t" if source.ending == ".tsv" else ",;\t|"
    names = {each: _names(text, each, quote) for each in tries}
    fitting = [each for each in tries if how.config.by is None or how.config.by in names[each]]
    bare = re.sub(f"{quote}[^{quote}]*{quote}", "", text)
    delimiter = max(fitting or tries, key=bare.count)
    if not fitting:
        raise how.no_column(names[delimiter])
    found = names[delimiter]
    if how.config.by is not None and found.count(how.config.by) > 1:
        raise TableError(
            f"{source}: column names must be unique, but {how.config.by!r} comes twice"
        )
    return _Form(codec, header, found, delimiter, quote)


def _header_of(lines: Iterator[str], source: Source) -> str:
    """The first line that is not empty; and those after it until its quotes are closed."""
    header = ""
    for number, line in enumerate(lines):
        header = line if not header.strip("\r\n") else header + line
        if header.strip("\r\n") and (header.count('"') % 2 == 0 or number > _HEADER_LINES):
            break
    if not header.strip("\ufeff\r\n \t"):
        raise TableError(f"{source} is empty; a table has a header and at least one row")
    if header.count('"') % 2:
        raise TableError(f"{source}: the header cannot be read; check its quotes")
    return header


def _physical(text: str) -> Iterator[str]:
    """The lines of a text: not at all that str.splitlines takes for the end of one."""
    return io.StringIO(text, newline="")


def _names(header: str, delimiter: str, quote: str) -> tuple[str, ...]:
    try:
        return tuple(next(csv.reader(_physical(header), delimiter=delimiter, quotechar=quote), ()))
    except csv.Error:
        return ()


def _check_header(how: _How, form: _Form, header: str, source: Source) -> None:
    ends = [_end_of(each) for each in (header, form.header)]
    if header.rstrip("\r\n") != form.header.rstrip("\r\n") or ends[0] != ends[1]:
        raise TableError(
            f"{source} has another header than {how.sources[0]}; lines are copied as they are, so "
            "all parts must be written alike: split them one by one"
        )


@contextmanager
def _text_sink(path: Path) -> Iterator[Any]:
    """Where to write bytes that come to stand in ``path``, compressed as its name says."""
    compression = format_of(path)[1]
    inner = path.name.removesuffix(path.suffix) if compression else ""
    with replacing(path) as temporary, compressing(temporary, compression, inner) as sink:
        yield sink


def _as_it_was(form: _Form) -> Callable[[str, bool], bytes]:
    errors = "strict" if form.codec == "latin-1" else "surrogatepass"
    return lambda text, of_names: text.encode(form.codec, errors)


def _with_delimiter(form: _Form, delimiter: str) -> Callable[[str, bool], bytes]:
    """Lines with other delimiters; one that is no row by itself stays as it is."""

    def spell(text: str, of_names: bool) -> bytes:
        text = text.removeprefix("\xef\xbb\xbf" if form.codec == "latin-1" else "\ufeff")
        cells = form.cells(text)
        special = '[",;|\t\r\n]' + ("|^'" if of_names else "")
        line = form.decoded(text).rstrip("\r\n")
        if cells is not None:
            quoted = (_quoted(form.decoded(cell), special) for cell in cells)
            line = delimiter.join(quoted) or '""'
        return f"{line}\n".encode("utf-8", "surrogatepass")

    return spell


def _quoted(cell: str, special: str) -> str:
    doubled = cell.replace('"', '""')
    return f'"{doubled}"' if re.search(special, cell) else cell


# Parquet, Feather, Arrow


def _table_of(how: _How) -> Any:
    table = ArrowTable(how.sources, None).cells()
    if how.config.by is not None and how.config.by not in table.column_names:
        raise how.no_column(table.column_names)
    return table


def _split_arrow(how: _How, table: Any, files: tuple[Path, Path]) -> FileSplit:
    names = None
    if how.config.by is not None:
        names = [_name_of(cell) for cell in table.column(how.config.by)]
    aside = how.aside_of_all(table.num_rows, names)
    parts = [table.filter(pa.array(mask)) for mask in (~aside, aside)]
    mark = how.mark
    with ExitStack() as stack:
        temporary = [stack.enter_context(replacing(file)) for file in files]
        for part, path in zip(parts, temporary, strict=True):
            _write_arrow(part, path, how.sources[0].ending)
        _put_marks(files, mark)
    _take_old_marks(files, mark)
    return FileSplit(train=parts[0].num_rows, holdout=parts[1].num_rows, mark=mark)


def _name_of(scalar: Any) -> bytes | None:
    """The unit's name; None where the cell is missing, is not a number, or says what Python cannot
    hold, such as a date beyond its calendar."""
    try:
        cell = scalar.as_py()
        is_missing = cell is None or cell != cell  # as nothing else but NaN is
    except (ValueError, ArithmeticError):
        return None
    return None if is_missing else unit_name(cell)


def _write_arrow(table: Any, path: Path, ending: str) -> None:
    if ending == ".parquet":
        with pq.ParquetWriter(path, table.schema) as parquet:
            parquet.write_table(table, _GROUP_ROWS)
        return
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_file(str(path), table.schema, options=options) as feather:
        feather.write_table(table.unify_dictionaries(), _GROUP_ROWS)
