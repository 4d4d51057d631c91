"""Columns, cells and lines that software reads badly, and tables that are no neighbours.

What is told of a row because of how another one is read shows with cells such as these, and
what is told of all rows without being paid for shows between tables that share nothing but
their public schema.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import tempfile
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.audit.tables import UNIT, bounds_of, corners, levels_of
from synthgan.columns.cells import write_cells
from synthgan.columns.column import Column, Kind, Level
from synthgan.columns.identifier import make_up
from synthgan.schema.schema import Schema
from synthgan.table.write import write_table

Table = pd.DataFrame | Path
"""What is fitted: rows, or a file of them."""

AWKWARD = Schema(
    columns=(
        Column(name=UNIT, kind=Kind.IDENTIFIER, dtype="int64"),
        Column(name="age", kind=Kind.INTEGER, dtype="Int64", nullable=True, low=0),
        Column(name="income", kind=Kind.NUMBER, dtype="float64", nullable=True, high=90_000),
        Column(name="weight", kind=Kind.NUMBER, dtype="float64", nullable=True, low=0, high=300),
        Column(
            name="price",
            kind=Kind.NUMBER,
            dtype="object",
            format="Decimal",
            decimals=2,
            nullable=True,
        ),
        Column(
            name="score",
            kind=Kind.INTEGER,
            dtype="object",
            format="%d",
            words=("unknown", ">89"),
            nullable=True,
        ),
        Column(
            name="until",
            kind=Kind.DATETIME,
            dtype="object",
            format="%Y-%m-%d %H:%M:%S%.f",
            resolution="s",
            low="2000-01-01",
            high="9999-12-31",
            nullable=True,
        ),
        Column(
            name="seen",
            kind=Kind.DATETIME,
            dtype="object",
            format="%Y-%m-%d",
            resolution="D",
            low="2000-01-01",
            nullable=True,
        ),
        Column(
            name="stamp", kind=Kind.DATETIME, dtype="datetime64[ns]", resolution="s", nullable=True
        ),
        Column(name="job", kind=Kind.CATEGORY, dtype="object", nullable=True),
        Column(name="sex", kind=Kind.CATEGORY, dtype="object"),
        Column(name="grade", kind=Kind.CATEGORY, dtype="float64", nullable=True),
        Column(
            name="floor", kind=Kind.CATEGORY, dtype="Int64", categories=(1, 2, 3, 9), nullable=True
        ),
        Column(name="stage", kind=Kind.CATEGORY, dtype="category", ordered=True, nullable=True),
        Column(
            name="tint",
            kind=Kind.CATEGORY,
            dtype="dictionary<values=string, indices=int32, ordered=0>[pyarrow]",
            nullable=True,
        ),
        Column(name="member", kind=Kind.BOOLEAN, dtype="object", format="no|yes", nullable=True),
        Column(name="stay", kind=Kind.NUMBER, dtype="timedelta64[ns]", nullable=True),
    )
)
"""Columns that leave much to be found out: bounds declared by half, words among numbers,
decimals and levels undeclared, fractions of seconds, ordered and dictionary types."""

_MISSING, _MISSING_ELSEWHERE = 0.1, 0.45  # shares of cells
_WORDS = 0.25  # share of words among numbers
_AT_THE_END = 0.2  # share of numbers and dates at the declared upper bound
_LEVELS, _LEVELS_ELSEWHERE = ("a", "b", "c"), ("b", "q", "z")
_NUMBERS, _NUMBERS_ELSEWHERE = (0, 1, 2), (2, 7, 19)


def ordinary_rows(schema: Schema, rows: int) -> pd.DataFrame:
    """The table that others are compared with; always the same."""
    rng = np.random.default_rng(21)
    return pd.DataFrame({c.name: _cells(c, rows, rng, elsewhere=False) for c in schema})


def strangers(schema: Schema, rows: int) -> list[tuple[str, pd.DataFrame]]:
    """Tables that share nothing with :func:`ordinary_rows` but the schema: other numbers of
    rows, frequencies, extremes, levels, and shares of missing cells."""
    rng = np.random.default_rng(22)
    other = pd.DataFrame({c.name: _cells(c, rows * 5 + 7, rng, elsewhere=True) for c in schema})
    empty = other.assign(**{c.name: _nothing(other[c.name]) for c in schema if c.kind.is_modelled})
    return [
        ("other rows, five times as many", other),
        ("one row", other[:1].reset_index(drop=True)),
        ("no rows", other[:0]),
        ("all cells missing", empty[: rows // 2]),
        ("awkward cells", _rows_of(other, AWKWARD_CELLS)),
    ]


def people_elsewhere(schema: Schema, rows: int) -> list[tuple[str, pd.DataFrame]]:
    """The same for tables whose :data:`UNIT` column names whose rows they are: nobody, one
    person, or few people who have many rows each."""
    found = []
    for name, frame in strangers(schema, rows)[:2]:
        count = len(frame)
        for who, cells in (
            ("one person", np.zeros(count)),
            ("few people", np.arange(count) % 7),
            ("rows of nobody", np.full(count, np.nan)),
        ):
            found.append((f"{name}, {who}", frame.assign(**{UNIT: cells})))
    return found


def _cells(
    column: Column, rows: int, rng: np.random.Generator, *, elsewhere: bool
) -> pd.Series[Any]:
    if not column.kind.is_modelled:
        return make_up(column, 10**6 * elsewhere, rows)
    share = _MISSING_ELSEWHERE if elsewhere else _MISSING
    missing = column.nullable & (rng.random(rows) < share)
    if column.kind.is_numeric:
        low, near, far = corners(column)
        ends = (near, far) if elsewhere else (low, near)
        values = np.round(rng.uniform(min(ends), max(ends), rows), 4 if elsewhere else 1)
        end = bounds_of(column)[1]
        if math.isfinite(end):
            values[rng.random(rows) < _AT_THE_END] = end
        cells = write_cells(np.where(missing, np.nan, values), column)
        return _with_words(cells, column, rng, elsewhere=elsewhere)
    levels = np.empty(rows, dtype=object)
    known = _levels(column, elsewhere=elsewhere)
    levels[:] = [known[i] for i in rng.choice(len(known), rows, p=_shares(len(known)))]
    levels[missing] = None
    return write_cells(levels, column)


def _levels(column: Column, *, elsewhere: bool) -> Sequence[Level]:
    if column.kind is Kind.BOOLEAN:
        return (True, False) if elsewhere else (False, True)
    if column.categories is not None:
        return column.categories[::-1] if elsewhere else column.categories
    if isinstance(levels_of(column)[1], str):
        return _LEVELS_ELSEWHERE if elsewhere else _LEVELS
    return _NUMBERS_ELSEWHERE if elsewhere else _NUMBERS


def _shares(count: int) -> npt.NDArray[np.float64]:
    """Of levels in the order of their labels: the last one is the most frequent."""
    weights = 2.0 ** np.arange(count)
    shares: npt.NDArray[np.float64] = weights / weights.sum()
    return shares


def _with_words(
    cells: pd.Series[Any], column: Column, rng: np.random.Generator, *, elsewhere: bool
) -> pd.Series[Any]:
    if not column.words:
        return cells
    words = ("refused", column.words[-1]) if elsewhere else column.words
    where = rng.random(len(cells)) < _WORDS
    return cells.where(~where, rng.choice(words, len(cells)))


def _nothing(cells: pd.Series[Any]) -> pd.Series[Any]:
    return cells.mask(np.ones(len(cells), dtype=bool))


# Cells


class _Unreadable:
    """What nothing can be made of, and what cannot be shown."""

    def __repr__(self) -> str:
        raise ValueError("no")

    __str__ = __repr__
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise ValueError("no")

    def __bool__(self) -> bool:
        raise ValueError("no")


AWKWARD_TEXT = (
    "", " ", "NA", "nan", "NaN", "None", "<NA>", "inf", "-inf", "1e308", "-1e308", "1e400", "-0.0",
    "0", "1", "1.0", "1.50", "01", " 1", "1,000", "1_000", "0x10", "1+2j", "\u0661", "9" * 400,
    "9223372036854775808", "18446744073709551616", "9007199254740993", "0.1234567890123456",
    "True", "true", "yes", "A", "a ", "\u00e4", "a\u0308", "\ufeffa", "unknown", "refused", ">89",
    "2021-01-01 00:00:00.000000001", "2021-01-01 00:00:00.5", "9999-12-31", "9999-12-31 23:59:59",
    "0001-01-01", "2020-02-30", "31/12/2020", "2020-01-01T00:00:00+05:00", "20200101",
    "1 days 00:00:00", "999999999 days", "a\nb", "a\x00b", "'", "\\", "a" * 70_000,
)  # fmt: skip
"""Text that some column takes for a value and others do not."""

AWKWARD_CELLS: tuple[Any, ...] = (
    *AWKWARD_TEXT, "\ud800",
    True, False, 0, 1, -1, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 2**64, 10**30, 10**400,
    1.0, 0.5, -0.0, 0.1, 1e-320, 1e16, 1e300, -1e308, 1e308, math.inf, -math.inf, math.nan,
    np.bool_(True), np.int8(1), np.uint64(2**64 - 1), np.float32(0.1), np.float16(1), np.str_("a"),
    Decimal("1.50"), Decimal("1"), Decimal("1E+30"), Decimal("1E-30"), Decimal("NaN"),
    Decimal("sNaN"), Decimal("-0"), Fraction(1, 3), 1 + 2j,
    dt.date(2020, 1, 1), dt.date(9999, 12, 31), dt.date(1, 1, 1), dt.datetime(2020, 1, 1),
    dt.datetime(9999, 12, 31, 23, 59, 59, 999999), dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
    dt.time(1, 2, 3), dt.timedelta(days=1), dt.timedelta.max,
    np.datetime64("2021-01-01T00:00:00.000000001"), np.datetime64("9999-12-31"),
    np.datetime64("NaT"), np.timedelta64(1, "ns"), pd.Timestamp("2021-01-01 00:00:00.000000001"),
    pd.Timestamp("2020-01-01", tz="Asia/Tokyo"), pd.Timedelta(1), pd.Interval(0, 1),
    pd.Period("2020-01"), pd.NaT, pd.NA, None,
    b"a", bytearray(b"a"), [1, 2], [], (1, 2), (), {"a": 1}, {1}, np.array([1, 2]), object(),
    int, len, _Unreadable(),
)  # fmt: skip
"""Cells of any type, as a DataFrame may hold them."""


def spelled(cell: Any) -> str:
    """How a finding names an awkward cell."""
    try:
        text = repr(cell)
    except ValueError:
        text = "a cell that cannot be shown"
    text = text.encode("ascii", "backslashreplace").decode()
    return text if len(text) <= 40 else f"{text[:37]}..."


def in_front(frame: pd.DataFrame, schema: Schema, cell: Any) -> pd.DataFrame:
    """``frame`` with a row before all others that has ``cell`` in every modelled column."""
    return pd.DataFrame(
        {
            c.name: _objects([cell if c.kind.is_modelled else 10**7, *frame[c.name].astype(object)])
            for c in schema
        }
    )


def _rows_of(frame: pd.DataFrame, cells: Sequence[Any]) -> pd.DataFrame:
    """A row a cell, with that cell in every column but the unit's."""
    columns = {name: _objects(list(cells)) for name in frame if name != UNIT}
    return pd.DataFrame({UNIT: range(len(cells)), **columns})[list(frame)]


def _objects(cells: list[Any]) -> pd.Series[Any]:
    found = np.empty(len(cells), dtype=object)
    for i, cell in enumerate(cells):  # at once, numpy would look into lists
        found[i] = cell
    return pd.Series(found, dtype=object)  # as it is: pandas would make dates of some


# Lines


def awkward_lines(columns: int) -> Iterator[tuple[str, bytes]]:
    """Lines of a CSV file, which one row may bring, for a table of so many columns; with names."""
    cells = [text for text in AWKWARD_TEXT if "\n" not in text]
    for text in cells:
        line = ",".join([f'"{text}"' if "," in text else text] * columns)
        yield spelled(text), line.encode()
    filled = b",".join([b"1"] * (columns - 1))
    yield "a quote that is never closed", b'7,"oops'
    yield "a quote alone", b'"'
    yield "a quote at the end", filled + b',1"'
    yield "quotes within a cell", filled + b',a"b"c'
    yield "text after a closing quote", filled + b',"a"b'
    yield "too few cells", b"1"
    yield "too many cells", filled + b",1,1,1,1"
    yield "no cells", b""
    yield "blanks", b"   "
    yield "no UTF-8", filled + b",\xff\xfe"
    yield "UTF-16", filled.decode().encode("utf-16")
    yield "a byte-order mark", b"\xef\xbb\xbf" + filled + b",1"
    yield "a NUL", filled + b",\x00"
    yield "a carriage return within", filled + b",a\rb"
    yield "a carriage return at the end", filled + b",1\r"
    yield "other separators of lines", filled + ",a\u2028b\x0bc\x0cd\x85".encode()
    yield "semicolons", filled.replace(b",", b";")
    yield "tabs", filled.replace(b",", b"\t")
    yield "a comment", b"# " + filled
    yield "a backslash at the end", filled + b",1\\"
    yield "the names again", b",".join(b"column" for _ in range(columns))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Files:
    """CSV files in a temporary folder."""

    folder: Path

    def of(self, name: str, frame: pd.DataFrame) -> Path:
        """``frame`` as a file."""
        path = self.folder / f"{name}.csv"
        write_table([frame], path, overwrite=True)
        return path

    def with_line(self, path: Path, name: str, line: bytes, *, first: bool) -> Path:
        """The file at ``path`` with one line more, before or after all others."""
        head, _, body = path.read_bytes().partition(b"\n")
        rows = [line + b"\n", body] if first else [body, line + b"\n"]
        more = self.folder / f"{name}.csv"
        more.write_bytes(head + b"\n" + b"".join(rows))
        return more

    @staticmethod
    def temporary() -> tempfile.TemporaryDirectory[str]:
        """A folder for them."""
        return tempfile.TemporaryDirectory(prefix="synthgan-audit-")
