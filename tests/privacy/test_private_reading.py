"""Behind the private door a cell is read alone: no other cell changes what it says."""

from __future__ import annotations

import datetime as dt
import enum
import math
import struct
import uuid
import warnings
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthgan import read_table
from synthgan.columns.cells import factorized, read_cells
from synthgan.columns.column import Column, Kind
from synthgan.columns.date_format import coerce_dates, read_date
from synthgan.columns.sentinels import words_in
from synthgan.encode.codecs import CategoryCodec
from synthgan.encode.number_codec import NumberCodec
from synthgan.encode.summary import CategorySummary, NumberSummary, Segment
from synthgan.privacy.ledger import Budget, Ledger
from synthgan.privacy.plain import Instant, plain_cell
from synthgan.privacy.questions import Decimals, Grid, Levels, Ranges, Total, Words
from synthgan.privacy.reading import read_column, read_names, reader_of
from synthgan.privacy.rows import PrivateRows
from synthgan.schema.schema import Schema

UTC = dt.timezone.utc


class Hostile:
    """Fails whatever is asked of it."""

    def __repr__(self) -> str:
        raise ValueError("no")

    __str__ = __repr__
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise ValueError("no")


class Warns:
    def __str__(self) -> str:
        warnings.warn("look at me", stacklevel=1)
        return "1"


class Colour(str, enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    ONE = 1


NUMBERS: list[Any] = [
    0, 1, 2, -1, 7, True, False, 0.0, -0.0, 1.0, 1.5, -2.25, 0.1, math.nan, math.inf, -math.inf,
    1e308, -1e308, 5e-324, 1e16, 2**53 + 1, 2**63, -(2**63) - 1, 2**64, 10**400, 300, -129,
    Decimal("1"), Decimal("1.0"), Decimal("1.00"), Decimal("0.1"), Decimal("-0"), Decimal("NaN"),
    Decimal("sNaN"), Decimal("Infinity"), Decimal("1E+999999"), Decimal("1E-999999"),
    Decimal("9007199254740993"), np.int8(1), np.int64(7), np.uint64(2**63 + 1), np.float32(0.1),
    np.float16(1.5), np.float64(1.0), np.float64("nan"), np.bool_(True), np.longdouble("1e400"),
    Fraction(1, 2), 1 + 2j, np.complex128(1), Level.ONE,
]  # fmt: skip
TEXTS = [
    "", " ", "1", "1.0", " 1 ", "+1", "01", "1.50", "-0.0", "1e3", "1e400", "1e-400", "9" * 5000,
    "9" * 10**5 + "x", "." + "9" * 10**5, "1" * 10**5 + "e-999999", " " * 10**5 + "x",
    "9007199254740993", "18446744073709551615", "nan", "inf", "NA", "None", "x", "0x10", "1_000",
    "1,000", "1,000.50", "$1,234.50", "45 %", "(5)", "-$3.00", "True", "False", "true", "yes",
    "no", "Y", "N", "a", "b", "red", "\u0661", "\ud800", "a\udfffb", "\x00", "x\x00y", "\u00e9",
    "1.0000000000000001", ">89", "999+", "unknown", "2020-01-01", "2020-01-01 10:20:30",
    "2020-01-01T10:20:30.123456789", "9999-12-31", "9999-12-31 00:00:00", "0001-01-01",
    "2021-01-01 00:00:00.000000001", "2021-01-01 00:00:00.123456789", "2020-13-01", "2020-02-30",
    "31/12/1999", "01/02/2020", "2020-01-01 00:00:00+02:00", "2020-01-01 00:00:00Z", "01:30:00",
    "999999999:59:59", "0 days 01:30:00", "-1 days +22:00:00", "1 days 00:00:00.000001",
    "999999 days 23:59:59", "$1", "1\n2", '"', "a,b",
]  # fmt: skip
DATES: list[Any] = [
    dt.date(2020, 1, 1), dt.date(9999, 12, 31), dt.date(1, 1, 1), dt.datetime(2020, 1, 1),
    dt.datetime(2020, 1, 1, 1, 2, 3, 4), dt.datetime(9999, 12, 31), dt.datetime(1, 1, 1),
    dt.datetime(2020, 1, 1, tzinfo=UTC),
    dt.datetime(2020, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30))),
    pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-01 00:00:00.000000001"),
    pd.Timestamp("2020-01-01").as_unit("s"), pd.Timestamp("9999-12-31").as_unit("us"),
    pd.Timestamp("2020-01-01", tz="Europe/Berlin"), np.datetime64("2020-01-01"),
    np.datetime64("9999-12-31", "s"), np.datetime64("2020", "Y"), np.datetime64("NaT"),
    np.datetime64("2020-01-01T00:00:00.000000001", "ns"), np.datetime64(1, "ps"),
    dt.time(1, 30), dt.time(1, 30, tzinfo=UTC), dt.timedelta(hours=1),
    dt.timedelta(days=-1, microseconds=1), pd.Timedelta("1h"), pd.Timedelta(1, "ns"),
    np.timedelta64(1, "h"), np.timedelta64(1, "Y"), np.timedelta64("NaT"),
    dt.timedelta.max, dt.timedelta.min, pd.Period("2020-01", "M"),
]  # fmt: skip
OTHERS: list[Any] = [
    None, pd.NA, pd.NaT, [1, 2], (1, 2), {"a": 1}, {1}, b"1", bytearray(b"1"), Hostile(), Warns(),
    np.array([1]), np.array(1), np.str_("a"), np.bytes_(b"a"), np.void(b"abcd"), Colour.RED,
    pd.Interval(0, 1), uuid.UUID(int=1), object, pd.Series([1]), memoryview(b"a"),
]  # fmt: skip
POOL = NUMBERS + TEXTS + DATES + OTHERS

TEXT_DTYPES = ("object", "str", "string", "string[pyarrow]", "large_string[pyarrow]")
NUMBER_DTYPES = (
    "float64", "float32", "Float64", "int64", "int8", "uint64", "Int64", "double[pyarrow]",
    "int32[pyarrow]", "decimal128(10, 2)[pyarrow]",
)  # fmt: skip
DATE_FORMATS = (
    "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S.%9f", "%-d.%-m.%Y", "%d %b %Y %I:%M %p",
)  # fmt: skip


def column(kind: Kind, dtype: str, **fields: Any) -> Column:
    return Column(name="c", kind=kind, dtype=dtype, nullable=True, **fields)


def declarations() -> list[Column]:
    """Every way to declare a column, more or less."""
    found: list[Column] = []
    for kind in (Kind.NUMBER, Kind.INTEGER):
        found += [column(kind, dtype) for dtype in (*NUMBER_DTYPES, *TEXT_DTYPES)]
        found += [column(kind, dtype) for dtype in ("timedelta64[ns]", "duration[us][pyarrow]")]
        found += [column(kind, "object", format=f) for f in ("Decimal", "time", "timedelta")]
        found += [column(kind, "object", format=f) for f in ("#,##0", "0 %", "00:00:00", "%d")]
        words = (">89", "999+", "unknown", "1")
        found += [column(kind, "object", format=f, words=words) for f in ("%d", "#,##0")]
    found += [
        column(Kind.NUMBER, "object", format=f)
        for f in ("$#,##0.00", "0.###", "$0.00;($0.00)", "0 days 00:00:00.######")
    ]
    for resolution in ("D", "s", "us", "ns"):
        found += [column(Kind.DATETIME, "object", format=f, resolution=resolution)
                  for f in (*DATE_FORMATS, "date", "datetime")]  # fmt: skip
    found += [
        column(Kind.DATETIME, dtype, resolution="s")
        for dtype in ("datetime64[ns]", "datetime64[s]", "datetime64[ns, UTC]",
                      "timestamp[us][pyarrow]", "timestamp[ns, tz=UTC][pyarrow]",
                      "date32[day][pyarrow]")
    ]  # fmt: skip
    offset = "%Y-%m-%d %H:%M:%S+02:00"
    found.append(column(Kind.DATETIME, "datetime64[ns, UTC]", format=offset, resolution="s"))
    for dtype in (*NUMBER_DTYPES, *TEXT_DTYPES, "bool", "boolean", "category", "bool[pyarrow]",
                  "dictionary<values=string, indices=int32, ordered=0>[pyarrow]"):  # fmt: skip
        found.append(column(Kind.CATEGORY, dtype))
    found += [
        column(Kind.CATEGORY, "object", categories=("a", "b", "1")),
        column(Kind.CATEGORY, "int64", categories=(1, 2, 7)),
        column(Kind.CATEGORY, "float64", categories=(1, 1.5)),
        column(Kind.CATEGORY, "category", categories=("a", 1, 1.5)),
    ]
    for dtype in ("bool", "boolean", "int64", "float64", "object", "str", "bool[pyarrow]"):
        found.append(column(Kind.BOOLEAN, dtype))
    found += [column(Kind.BOOLEAN, "object", format=f) for f in ("no|yes", "N|Y", "1|2", "a|b")]
    return found


DECLARATIONS = declarations()


def test_there_are_many_declarations() -> None:
    assert len(DECLARATIONS) > 120


def name_of(declared: Column) -> str:
    return f"{declared.kind.value}-{declared.dtype}-{declared.written_as}"


def content(value: object) -> object:
    """What two values must share to be the same: type, and every bit."""
    if isinstance(value, float):
        return float, struct.pack("d", value)
    return type(value), value


def objects(cells: Sequence[object]) -> pd.Series[Any]:
    held = np.empty(len(cells), dtype=object)
    for i, cell in enumerate(cells):
        held[i] = cell
    return pd.Series(held, dtype=object, name="c")


def contents(values: np.ndarray[Any, Any]) -> list[object]:
    return [content(value) for value in values.tolist()]


@pytest.mark.parametrize("declared", DECLARATIONS, ids=name_of)
def test_a_cell_says_the_same_alone_and_in_company(declared: Column) -> None:
    read = reader_of(declared)
    alone = [content(read(cell)) for cell in POOL]
    for order in (slice(None), slice(None, None, -1)):
        company = contents(read_column(objects(POOL[order]), declared))
        assert company == alone[order]
    for cell, value in zip(POOL, alone, strict=True):
        assert contents(read_column(objects([cell]), declared)) == [value]
    rng = np.random.default_rng(0)
    for _ in range(3):
        chosen = rng.integers(0, len(POOL), 30).tolist()
        company = contents(read_column(objects([POOL[i] for i in chosen]), declared))
        assert company == [alone[i] for i in chosen]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(DECLARATIONS),
    st.lists(
        st.one_of(
            st.sampled_from(range(len(POOL))).map(lambda i: POOL[i]),
            st.text(max_size=8), st.integers(), st.floats(), st.booleans(), st.dates(),
            st.datetimes(), st.decimals(), st.timedeltas(), st.times(), st.binary(max_size=3),
            st.complex_numbers(), st.datetimes(timezones=st.just(UTC)),
        ),
        min_size=1, max_size=12,
    ),
)  # fmt: skip
def test_any_cells_are_read_alone(declared: Column, cells: list[object]) -> None:
    read = reader_of(declared)
    with warnings.catch_warnings():
        warnings.filterwarnings("error")
        assert contents(read_column(objects(cells), declared)) == [content(read(c)) for c in cells]


def texts() -> list[str | None]:
    return [text for text in TEXTS if text.isprintable() and text.strip()] + [None]


HOLDERS: dict[str, Callable[[list[Any]], Any]] = {
    "str": lambda cells: pd.Series(cells, dtype="str" if pd.__version__ >= "3" else "string"),
    "python": lambda cells: pd.Series(cells, dtype="string[python]"),
    "arrow": lambda cells: pd.Series(cells, dtype="string[pyarrow]"),
    "large": lambda cells: pd.Series(pd.arrays.ArrowExtensionArray(pa.array(cells))),
    "chunks": lambda cells: pd.Series(
        pd.arrays.ArrowExtensionArray(pa.chunked_array([cells[:9], cells[9:]], pa.large_string()))
    ),
    "dictionary": lambda cells: pd.Series(
        pd.arrays.ArrowExtensionArray(pa.array(cells, pa.string()).dictionary_encode())
    ),
    "category": lambda cells: pd.Series(cells).astype("category"),
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_text_says_the_same_whatever_holds_it(holder: str) -> None:
    cells = texts()
    held = HOLDERS[holder](cells)
    for declared in DECLARATIONS:
        read = reader_of(declared)
        assert contents(read_column(held, declared)) == [content(read(cell)) for cell in cells]


def test_text_in_a_file_says_the_same(tmp_path: Path) -> None:
    cells = texts()
    path = tmp_path / "c.csv"
    lines = ["" if cell is None else '"' + cell.replace('"', '""') + '"' for cell in cells]
    path.write_text("c\n" + "\n".join(lines) + "\n", encoding="utf-8")
    held = read_table(path, as_text=True)["c"]
    for declared in DECLARATIONS:
        read = reader_of(declared)
        assert contents(read_column(held, declared)) == [content(read(cell)) for cell in cells]


TYPED: list[tuple[list[Any], tuple[str, ...]]] = [
    ([0, 1, 2, 7, 100], ("int64", "int8", "uint16", "Int64", "float64", "float32", "Float64",
                         "int64[pyarrow]", "double[pyarrow]", "float[pyarrow]")),
    ([0.5, -1.25, 3.0, -0.0], ("float64", "float32", "float16", "Float64", "double[pyarrow]",
                               "halffloat[pyarrow]")),
    ([True, False], ("bool", "boolean", "bool[pyarrow]")),
    ([2**53 + 1, 2**62], ("int64", "Int64", "int64[pyarrow]")),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "dtypes"), TYPED)
def test_numbers_say_the_same_whatever_holds_them(
    cells: list[Any], dtypes: tuple[str, ...]
) -> None:
    for declared in DECLARATIONS:
        read = reader_of(declared)
        alone = [content(read(cell)) for cell in cells]
        for dtype in dtypes:
            if isinstance(cells[0], bool) or "category" not in declared.dtype:
                assert contents(read_column(pd.Series(cells, dtype=dtype), declared)) == alone
            assert contents(read_column(pd.Series(cells).astype("category"), declared)) == alone


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_dates_say_the_same_in_any_unit(unit: str) -> None:
    cells = [dt.datetime(1999, 12, 31, 23, 59, 1), dt.datetime(1970, 1, 1), None]
    zoned = [None if cell is None else cell.replace(tzinfo=UTC) for cell in cells]
    spans = [dt.timedelta(hours=1), dt.timedelta(days=-1), None]
    for declared in DECLARATIONS:
        read = reader_of(declared)
        for given_, dtypes in (
            (cells, (f"datetime64[{unit}]", f"timestamp[{unit}][pyarrow]")),
            (zoned, (f"datetime64[{unit}, UTC]", f"timestamp[{unit}, tz=UTC][pyarrow]")),
            (spans, (f"timedelta64[{unit}]", f"duration[{unit}][pyarrow]")),
        ):
            alone = [content(read(cell)) for cell in given_]
            for dtype in dtypes:
                assert contents(read_column(pd.Series(given_, dtype=dtype), declared)) == alone


@pytest.mark.parametrize("resolution", ["D", "h", "min", "s", "ms", "us", "ns"])
@pytest.mark.parametrize("format", [f for f in DATE_FORMATS if "%Y" in f])
def test_far_dates_survive_at_any_resolution(format: str, resolution: Any) -> None:
    read = reader_of(column(Kind.DATETIME, "object", format=format, resolution=resolution))
    fields = {
        "%-d": "9", "%-m": "8", "%m": "08", "%d": "09", "%b": "Aug", "%H": "23", "%I": "11",
        "%M": "59", "%S": "58", "%p": "PM", "%.f": ".000000001", "%9f": "000000001", "%f": "000001",
    }  # fmt: skip
    for year in (1, 1969, 2020, 9999):
        written = format.replace("%Y", f"{year:04d}")
        for directive, digits in fields.items():
            written = written.replace(directive, digits)
        days = (dt.date(year, 8, 9) - dt.date(1970, 1, 1)).days
        a_day = {"D": 1, "h": 24, "min": 1440}.get(resolution) or (
            86_400 * {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[resolution]
        )
        assert days * a_day <= read(written) <= (days + 1) * a_day
        assert days * a_day <= read(dt.date(year, 8, 9)) < (days + 1) * a_day


@pytest.mark.parametrize("format", DATE_FORMATS)
def test_one_date_is_read_as_all_of_a_column_are(format: str) -> None:
    texts = [text for text in TEXTS if max(text, default="a") < "\udc00" and text.isprintable()]
    for text in [*texts, "29.2.2020", "1.12.1999", "02/29/21", "02/28/21", "03 Feb 2020 12:00 AM"]:
        many = coerce_dates(pa.array([text], pa.large_string()), format)[0]
        one = read_date(text, format)
        if one is not None and (one % 1000 == 0 or 1678 < int(text[:4]) < 2261):
            unit = {"us": 1000, "ns": 1}[np.datetime_data(many.dtype)[0]]
            assert int(many.astype(np.int64)) * unit == one
        else:  # nanoseconds of far years, for which a column has no room
            assert np.isnat(many)


PLAIN: list[tuple[Column, list[Any]]] = [
    (column(Kind.NUMBER, "float64"), [1.5, 2.0, None, -3.25]),
    (column(Kind.NUMBER, "object"), ["1.5", " 2", None, "-3.25e2"]),
    (column(Kind.NUMBER, "object", format="Decimal"), [Decimal("1.50"), Decimal(2), None]),
    (column(Kind.NUMBER, "object", format="time"), [dt.time(1, 2, 3), dt.time(23, 0, 0, 5)]),
    (column(Kind.NUMBER, "object", format="timedelta"), [dt.timedelta(hours=1.5)]),
    (column(Kind.NUMBER, "object", format="$#,##0.00"), ["$1,234.50", "-$3.00", None]),
    (column(Kind.INTEGER, "object", format="%d", words=(">89",)), ["17", ">89", "odd", None]),
    (column(Kind.INTEGER, "int64"), [1, 2, 2**40]),
    (column(Kind.BOOLEAN, "object", format="no|yes"), ["no", "yes", None]),
    (column(Kind.BOOLEAN, "bool"), [True, False]),
    (column(Kind.BOOLEAN, "float64"), [0.0, 1.0, None]),
    (column(Kind.CATEGORY, "object"), ["a", "b", None, " c"]),
    (column(Kind.CATEGORY, "int64", categories=(1, 2)), [1, 2, 3]),
    (column(Kind.CATEGORY, "float64"), [0.5, 1.0, None]),
    (column(Kind.DATETIME, "object", format="%d/%m/%Y", resolution="D"), ["01/02/2020", None]),
    (column(Kind.DATETIME, "object", format="date", resolution="D"), [dt.date(2020, 2, 1), None]),
    (column(Kind.DATETIME, "datetime64[ns]", resolution="ns"), [pd.Timestamp(7000), None]),
    (column(Kind.DATETIME, "datetime64[ns]", resolution="D"), [pd.Timestamp("2020-01-01 06:00")]),
]  # fmt: skip


@pytest.mark.parametrize(("declared", "cells"), PLAIN)
def test_what_fits_is_read_as_a_plain_fit_reads_it(declared: Column, cells: list[Any]) -> None:
    plain = read_cells(objects(cells), declared)
    private = read_column(objects(cells), declared)
    assert contents(private) == contents(plain)
    assert private.dtype == plain.dtype


@pytest.mark.parametrize(
    ("dtype", "cells", "told"),
    [
        ("int64", [1, True, 1.0, "1", " 1.0", Decimal("1.00"), np.int8(1)], 1),
        ("float64", [0, -0.0, "-0.0", False, Decimal("-0")], 0.0),
        ("float32", [0.1, np.float32(0.1), "0.1"], float(np.float32(0.1))),
        ("object", ["1", 1, 1.0, Decimal("1.0")], "1"),
        ("bool", [True, 1, "True", 1.0, np.bool_(True)], True),
        ("category", [2, 2.0, np.int8(2), Decimal("2.0")], 2),
    ],
)
def test_levels_have_the_form_that_their_dtype_says(
    dtype: str, cells: list[Any], told: Any
) -> None:
    found = read_column(objects(cells), column(Kind.CATEGORY, dtype))
    assert set(contents(found)) == {content(told)}


def test_what_no_cell_of_a_dtype_can_be_is_missing() -> None:
    for dtype, cells in (("int8", [128, -129, "1.5", 2**64]), ("object", ["\ud800", [1], b"a"])):
        assert set(read_column(objects(cells), column(Kind.CATEGORY, dtype))) == {None}


def test_booleans_and_numbers_stay_apart_where_the_dtype_leaves_both() -> None:
    cells = objects([True, 1, "1", "True", 1.0])
    found = read_column(cells, column(Kind.CATEGORY, "category"))
    factors, levels = factorized(found)
    assert factors.tolist() == [0, 1, 2, 3, 1]
    assert [content(level) for level in levels] == [content(x) for x in (True, 1, "1", "True")]


def test_dates_are_told_apart_by_what_they_are() -> None:
    assert plain_cell(pd.Timestamp("2020-01-01", tz="Europe/Berlin")) == Instant(
        1_577_833_200 * 10**9, zoned=True
    )
    assert plain_cell(dt.date(1970, 1, 2)) == Instant(86_400 * 10**9, zoned=False)


def exact(counts: Any, variance: Fraction) -> Any:
    return counts


def counts(cells: Sequence[object], declared: Column) -> list[list[int]]:
    ledger = Ledger(Budget(epsilon=1e6, delta=1e-6, release_delta=1e-7))
    schema = Schema(columns=(declared,))
    rows = PrivateRows(objects(cells).to_frame(), schema, ledger, mechanism=exact)
    return [rows.count(asked, Fraction(1), "x").tolist() for asked in questions(declared)]


def questions(declared: Column) -> list[Any]:
    if not declared.kind.is_numeric:
        return [Levels(column="c", levels=declared.categories or (False, True, "a", "1", 1, 1.5))]
    asked: list[Any] = [
        Ranges(column="c", grid=Grid(scale=scale), edges=(-(2**44), -5, 0, 1, 2, 100, 2**44))
        for scale in (1.0, 100.0, 2.0**20)
    ]
    return [*asked, Decimals(column="c", most=3), Words(column="c", words=4)]


@pytest.mark.parametrize("declared", DECLARATIONS[::11], ids=name_of)
def test_one_row_more_moves_one_count_by_one_and_says_nothing(
    declared: Column, capfd: pytest.CaptureFixture[str]
) -> None:
    read = reader_of(declared)
    base = [cell for cell in POOL if content(read(cell)) != content(read(None))][:20]
    before = counts(base, declared)
    for odd in POOL[::2]:
        for less, more in zip(before, counts([odd, *base], declared), strict=True):
            assert sorted(np.subtract(more, less).tolist()) == [0] * (len(less) - 1) + [1]
    assert capfd.readouterr() == ("", "")


def test_codes_are_those_of_their_own_cells() -> None:
    numbers = NumberCodec(
        column(Kind.NUMBER, "float64"),
        NumberSummary(
            segments=(
                Segment(positions=(0.0,), values=(0.0,)),
                Segment(positions=(0.0, 1.0), values=(1.0, 9.0)),
            ),
            weights=(0.4, 0.5, 0.1),
            fine=False,
        ),
    )
    levels = CategoryCodec(
        column(Kind.CATEGORY, "category"),
        CategorySummary(levels=(1, "1", True), weights=(0.2, 0.2, 0.2, 0.2, 0.2), rare_levels=2),
    )
    for codec, declared in ((numbers, numbers.column), (levels, levels.column)):
        cells = read_column(objects(POOL), declared)
        for company in (cells, cells[::-1]):
            chances = np.random.default_rng(0).random(len(company))
            codes, _ = codec.encode(company, chances)
            alone = [
                int(codec.encode(company[i : i + 1], chances[i : i + 1])[0][0])
                for i in range(len(company))
            ]
            assert codes.tolist() == alone


# Whose rows they are


@pytest.mark.parametrize("dtype", ["object", "int64", "str", "category"])
def test_a_name_of_a_unit_is_read_alone(dtype: str) -> None:
    unit = Column(name="c", kind=Kind.IDENTIFIER, dtype=dtype)
    company = read_names(objects(POOL), unit)
    assert [content(name) for name in company] == [
        content(read_names(objects([cell]), unit)[0]) for cell in POOL
    ]


def test_rows_that_name_nobody_take_no_part() -> None:
    schema = Schema(
        columns=(
            Column(name="p", kind=Kind.IDENTIFIER, dtype="int64"),
            Column(name="c", kind=Kind.CATEGORY, dtype="object", categories=("a",)),
        )
    )
    people: list[Any] = [1, "1", 1.0, 2, 3, Decimal("3.0")]
    nobody: list[Any] = [None, math.nan, pd.NA, "Ann", [1], Hostile(), 2**70, "", "\ud800"]

    def total(names: list[Any]) -> int:
        frame = objects(names).to_frame("p").assign(c="a")
        budget = Budget(epsilon=1e6, delta=1e-6, unit="p", rows_per_unit=1)
        rows = PrivateRows(frame, schema, Ledger(budget), mechanism=exact)
        return int(rows.count(Total(), Fraction(1), "rows")[0])

    assert total(people) == 3
    for name in nobody:
        assert total([name, *people, name]) == 3
    assert total(nobody) == 0
    assert total([]) == 0


def test_words_are_tagged_alone() -> None:
    declared = column(Kind.INTEGER, "object", format="%d", words=(">89", "none"))
    cells = objects(["17", ">89", "none", "odd", None, 5, True, "\ud800"])
    assert words_in(read_column(cells, declared)).tolist() == [0, 1, 2, 0xFFFF, 0, 0, 0, 0xFFFF]


def test_dates_that_a_time_zone_does_not_know_are_dates() -> None:
    far = [-62_135_596_800 - 10**7, 0, 253_402_300_800 + 10**6]
    naive = np.array(far, dtype="M8[s]")
    cells = pd.Series(naive).dt.tz_localize("UTC").dt.tz_convert("America/New_York")
    declared = column(Kind.DATETIME, "datetime64[s, America/New_York]", resolution="s")
    assert read_column(cells, declared).tolist() == far
    assert read_column(cells.astype("category"), declared).tolist() == far


def test_real_numbers_beside_a_complex_one_stay_as_they_are() -> None:
    real = pd.Series([1.0, 2.5, math.nan])
    company = pd.concat([real, pd.Series([1j])], ignore_index=True)
    assert company.dtype == "complex128"
    for declared in (column(Kind.NUMBER, "float64"), column(Kind.CATEGORY, "float64")):
        alone = [content(cell) for cell in read_column(real, declared)]
        found = [content(cell) for cell in read_column(company, declared)]
        assert found == [*alone, alone[2]]
