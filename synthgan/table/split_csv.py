"""Lines of text files set aside, byte by byte."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from synthgan.errors import TableError
from synthgan.files import replacing
from synthgan.table.formats import compressing, format_of, read_errors
from synthgan.table.part_files import Source
from synthgan.table.split import Coins, unit_name
from synthgan.table.split_config import FileSplit, How, put_marks, take_old_marks

_ROWS_AT_ONCE = 1 << 14

_HEADER_LINES = 100  # that quoted names may take


class _Row(NamedTuple):
    text: str
    name: bytes | None
    """Of its unit, where rows go by one."""


@dataclass(frozen=True)
class _Form:
    """How a text file is written. Bytes of encodings that hold ASCII are read as Latin-1, one
    character a byte, so that they come out as they were."""

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


def split_text(how: How, form: _Form, files: tuple[Path, Path], delimiter: str | None) -> FileSplit:
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
        put_marks(files, mark)
    take_old_marks(files, mark)
    return FileSplit(train=counts[0], holdout=counts[1], mark=mark, torn=torn)


def _thrown(how: How, form: _Form) -> Iterator[tuple[_Row, bool]]:
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


def _rows(how: How, form: _Form) -> Iterator[_Row]:
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


def form_of(how: How) -> _Form:
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


def _check_header(how: How, form: _Form, header: str, source: Source) -> None:
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
