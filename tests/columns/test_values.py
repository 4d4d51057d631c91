"""Cells become values and values become the same cells, in every dtype and spelling."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from synthgan.columns.cells import factorized, read_cells, write_cells
from synthgan.columns.column import Column, Kind, Level
from synthgan.columns.identifier import make_up
from synthgan.errors import SchemaError
from synthgan.schema.infer import infer_columns

Decimal = decimal.Decimal

INTEGERS = ["int64", "int32", "uint16", "Int64", "UInt8", "int64[pyarrow]", "float64", "object"]
FLOATS = ["float64", "float32", "Float64", "double[pyarrow]", "float[pyarrow]", "object"]
TEXTS = ["object", "string", "str", "string[pyarrow]", "large_string[pyarrow]"]


def series(cells: Sequence[object], dtype: str) -> pd.Series:
    """A column named x; unlike pandas, reads ``str`` and Arrow's types of any name."""
    if dtype == "str":
        return pd.Series(cells, dtype=pd.StringDtype(na_value=np.nan), name="x")
    if dtype.endswith("[pyarrow]"):
        types = {"timestamp[ms, tz=UTC]": pa.timestamp("ms", "UTC")}
        name = dtype.removesuffix("[pyarrow]")
        array = pa.array(cells, types.get(name) or pa.type_for_alias(name))
        return pd.Series(pd.arrays.ArrowExtensionArray(array), name="x")
    return pd.Series(cells, dtype=dtype, name="x")


def there_and_back(cells: pd.Series, kind: Kind | None = None) -> Column:
    """Asserts that ``cells`` come back as they were; the column that was inferred."""
    column = infer_columns(cells.to_frame())["x"]
    assert kind in (None, column.kind)
    if not column.kind.is_modelled:
        return column
    back = write_cells(read_cells(cells, column), column)
    assert (str(back.dtype), back.name) == (str(cells.dtype), "x")
    assert back.isna().tolist() == cells.isna().tolist()
    assert back.dropna().tolist() == cells.dropna().tolist()
    return column


def holes(cells: st.SearchStrategy[Any], dtype: str) -> st.SearchStrategy[list[Any]]:
    can_miss = not (dtype.startswith(("int", "uint", "bool")) and "pyarrow" not in dtype)
    return st.lists(cells | st.none() if can_miss else cells, min_size=1, max_size=30)


# Round trips


@pytest.mark.parametrize("dtype", INTEGERS)
@settings(max_examples=20)
@given(data=st.data())
def test_integers(dtype: str, data: st.DataObject) -> None:
    limits = {"uint16": (0, 2**16 - 1), "UInt8": (0, 255), "int32": (-(2**31), 2**31 - 1)}
    low, high = limits.get(dtype, (-(2**53), 2**53))
    there_and_back(series(data.draw(holes(st.integers(low, high), dtype)), dtype))


@pytest.mark.parametrize("dtype", FLOATS)
@settings(max_examples=20)
@given(data=st.data())
def test_floats(dtype: str, data: st.DataObject) -> None:
    width = 32 if "float32" in dtype or dtype == "float[pyarrow]" else 64
    number = st.floats(allow_nan=False, allow_infinity=False, width=width)
    column = there_and_back(series(data.draw(holes(number, dtype)), dtype))
    assert column.kind in (Kind.NUMBER, Kind.INTEGER, Kind.CATEGORY)


@settings(max_examples=20)
@given(st.lists(st.none() | st.decimals(-(10**6), 10**6, places=3), min_size=1, max_size=30))
def test_decimals(cells: list[Decimal | None]) -> None:
    there_and_back(series(cells, "object"))
    array = pa.array(cells, pa.decimal128(12, 3))
    there_and_back(pd.Series(pd.arrays.ArrowExtensionArray(array), name="x"))


@pytest.mark.parametrize("dtype", TEXTS)
@settings(max_examples=15)
@given(data=st.data(), digits=st.integers(0, 4))
def test_numbers_as_text(dtype: str, data: st.DataObject, digits: int) -> None:
    number = st.integers(-(10**9), 10**9).map(lambda n: f"{n / 10**digits:.{digits}f}")
    cells = data.draw(st.lists(st.none() | number.filter(lambda t: "-0" not in t), min_size=1))
    there_and_back(series([*cells, "-1.5" if digits == 1 else None], dtype))


@pytest.mark.parametrize("dtype", TEXTS)
@settings(max_examples=15)
@given(data=st.data())
def test_text(dtype: str, data: st.DataObject) -> None:
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    words = st.sampled_from(["a", "😀", "x\ny", "", " ", "01234", "NA", "yes", "2024-02-30"])
    cells = data.draw(st.lists(st.none() | text.filter(lambda t: not _is_number(t)) | words))
    there_and_back(series([*cells, "a"], dtype), Kind.CATEGORY)


def _is_number(text: str) -> bool:
    return any(character.isdigit() for character in text)


@pytest.mark.parametrize("dtype", ["bool", "boolean", "bool[pyarrow]", "object"])
@settings(max_examples=10)
@given(data=st.data())
def test_booleans(dtype: str, data: st.DataObject) -> None:
    cells = data.draw(holes(st.booleans(), dtype))
    column = there_and_back(series(cells, dtype))
    assert column.kind is (Kind.CATEGORY if set(cells) == {None} else Kind.BOOLEAN)


@pytest.mark.parametrize("dtype", TEXTS)
@pytest.mark.parametrize("pair", [("no", "yes"), ("F", "T"), ("Off", "ON")])
def test_booleans_as_text(dtype: str, pair: tuple[str, str]) -> None:
    cells = series([*pair, None, pair[0]], dtype)
    column = there_and_back(cells, Kind.BOOLEAN)
    assert read_cells(cells, column).tolist() == [False, True, None, False]


@settings(max_examples=20)
@given(
    st.lists(st.none() | st.integers(), max_size=20)
    | st.lists(st.none() | st.text("abc😀\n", max_size=2), max_size=20)
    | st.lists(st.none() | st.booleans(), max_size=20)
    | st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), max_size=20),
    st.booleans(),
)
def test_categoricals(cells: list[Any], ordered: bool) -> None:
    levels = sorted({cell for cell in cells if cell is not None})
    assume(all(abs(level) < 2**63 for level in levels if not isinstance(level, str)))
    categories = pd.Categorical([*cells, None], categories=levels, ordered=ordered)
    column = there_and_back(pd.Series(categories, name="x"), Kind.CATEGORY)
    assert column.ordered == ordered


NUMPY_DATES = ["datetime64[s]", "datetime64[ms]", "datetime64[us]"]
ARROW_DATES = ["timestamp[s][pyarrow]", "timestamp[us][pyarrow]", "timestamp[ms, tz=UTC][pyarrow]"]
DATES = [*NUMPY_DATES, *ARROW_DATES, "date32[day][pyarrow]", "datetime64[ns]"]


@pytest.mark.parametrize("dtype", DATES)
@settings(max_examples=15)
@given(data=st.data())
def test_dates(dtype: str, data: st.DataObject) -> None:
    unit = next(u for u in ("day", "ms", "us", "ns", "s") if f"[{u}" in dtype)
    step = {"day": "D"}.get(unit, unit)
    # Within 2**53 microseconds and nanoseconds, which is what floats count exactly.
    reach = {"ns": 2**53 - 1, "us": 2**53 - 1}.get(step, 10**18)
    first = np.datetime64("0001-01-01", step).astype(int) if step != "ns" else -reach
    last = np.datetime64("9999-12-31", step).astype(int) if step != "ns" else reach
    count = st.integers(max(int(first), -reach), min(int(last), reach))
    counts = data.draw(st.lists(count | st.none(), min_size=1, max_size=30))
    cells = np.array(
        ["NaT" if c is None else np.datetime64(c, step) for c in counts], f"M8[{step}]"
    )
    if dtype.endswith("[pyarrow]"):
        array = pa.array(cells)
        if "tz" in dtype:
            array = array.cast(pa.timestamp("ms", "UTC"))
        frame = pd.Series(pd.arrays.ArrowExtensionArray(array), name="x")
    else:
        frame = pd.Series(cells, name="x")
    there_and_back(frame)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "UTC+02:00"])
def test_time_zones(zone: str) -> None:
    naive = pd.Series(pd.to_datetime(["2024-01-01 00:30", "2024-07-01 05:00", None]), name="x")
    dtype = f"datetime64[us, {zone}]"
    cells = naive.dt.tz_localize("UTC").astype(dtype)
    column = there_and_back(cells, Kind.DATETIME)
    first = read_cells(cells, column)[0]
    assert first == pd.Timestamp("2024-01-01 00:30").timestamp() / 60


@settings(max_examples=15)
@given(st.lists(st.none() | st.dates(), min_size=1), st.lists(st.none() | st.datetimes()))
def test_python_dates(dates: list[Any], stamps: list[Any]) -> None:
    near = [s.replace(year=max(s.year, 1700) % 300 + 1900) for s in stamps if s and s.day < 29]
    for cells in (dates, [*near, datetime.datetime(2024, 1, 1)]):
        there_and_back(series(cells, "object"))
        assert all(type(a) is type(cells[0]) for a in cells if cells[0] and a)
    column = infer_columns(pd.DataFrame({"x": [datetime.datetime(2024, 1, 1)]}, dtype=object))["x"]
    back = write_cells(np.array([5.0]), column)
    assert type(back[0]) is datetime.datetime


SPELLINGS: dict[str, Callable[[datetime.datetime], str]] = {
    "iso": lambda d: f"{d.year:04d}-{d.month:02d}-{d.day:02d}",
    "slashes": lambda d: f"{d.month:02d}/{d.day:02d}/{d.year:04d}",
    "bare": lambda d: f"{d.month}/{d.day}/{d.year:04d}",
    "dots": lambda d: f"{d.day:02d}.{d.month:02d}.{d.year:04d}",
    "compact": lambda d: f"{1900 + d.year % 100:04d}{d.month:02d}{min(d.day, 28):02d}",
    "seconds": lambda d: d.replace(microsecond=0).isoformat(),
    "blank": lambda d: d.replace(microsecond=0).isoformat(" ") + "+05:30",
    "zulu": lambda d: d.isoformat(timespec="milliseconds") + "Z",
    "clock": lambda d: (
        f"{d.month}/{d.day}/{d.year:04d} {d.hour % 12 or 12}:{d.minute:02d} "
        + "AP"[d.hour // 12]
        + "M"
    ),
    "trimmed": lambda d: d.replace(microsecond=1 + d.microsecond // 2).isoformat().rstrip("0"),
    "oracle": lambda d: (
        f"{d.day:02d}-{'JFMAMJJASOND'[d.month - 1]}"
        + ["an", "eb", "ar", "pr", "ay", "un", "ul", "ug", "ep", "ct", "ov", "ec"][d.month - 1]
        + f"-{d.year:04d}"
    ),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@settings(max_examples=15)
@given(data=st.data())
def test_dates_as_text(spelling: str, data: st.DataObject) -> None:
    fine = spelling in ("zulu", "trimmed")
    low, high = (1700, 2200) if fine else (1, 9999)
    stamps = st.datetimes(datetime.datetime(low, 1, 1), datetime.datetime(high, 12, 31))
    cells = data.draw(st.lists(st.none() | stamps.map(SPELLINGS[spelling]), min_size=1))
    dtype = data.draw(st.sampled_from(TEXTS))
    column = there_and_back(series([*cells, SPELLINGS[spelling](_A_DAY)], dtype), Kind.DATETIME)
    assert column.format is not None


_A_DAY = datetime.datetime(1999, 12, 31, 23, 59, 58, 123000)


@pytest.mark.parametrize(
    "dtype", ["object", "float64", "Int64", "string", "datetime64[ns]", "category"]
)
def test_all_missing(dtype: str) -> None:
    there_and_back(series([None, None], dtype), Kind.CATEGORY)


def test_arrow_dictionaries() -> None:
    dtype = pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))
    there_and_back(pd.Series(["b", None, "a"], name="x").astype(dtype), Kind.CATEGORY)


def test_huge_numbers() -> None:
    there_and_back(series([1e308, -1e308, 0.5], "float64"))
    for dtype in ("int64", "uint64", "Int64", "int64[pyarrow]"):
        cells = series([2**63 - 1, 7], dtype)
        column = infer_columns(cells.to_frame())["x"]
        back = write_cells(read_cells(cells, column), column)
        assert str(back.dtype) == dtype
        assert int(back[0]) == pytest.approx(2**63, rel=1e-15)


# Reading in another dtype than the schema's


@pytest.mark.parametrize(
    ("kind", "dtype", "cells", "values"),
    [
        (Kind.INTEGER, "int64", ["37", " 5 ", None], [37, 5, np.nan]),
        (Kind.INTEGER, "int64", [37.0, 5.0, None], [37, 5, np.nan]),
        (Kind.INTEGER, "int64", [True, False], [1, 0]),
        (Kind.INTEGER, "int64", [1.5, 2.0], [1.5, 2]),
        (Kind.NUMBER, "float64", [1, 2], [1, 2]),
        (Kind.NUMBER, "float64", ["1e3", "-.5"], [1000, -0.5]),
        (Kind.NUMBER, "float64", [Decimal("1.5")], [1.5]),
        (Kind.NUMBER, "float64", pd.Categorical([1.5, None]), [1.5, np.nan]),
        (Kind.NUMBER, "object", [1, 2.5], [1, 2.5]),
        (Kind.DATETIME, "datetime64[ns]", ["1970-01-02", None], [1, np.nan]),
        (Kind.DATETIME, "datetime64[ns]", ["1970-01-02T12:00"], [1.5]),
        (Kind.DATETIME, "datetime64[ns]", [datetime.date(1969, 12, 31)], [-1]),
        (Kind.DATETIME, "object", np.array(["1970-01-02"], "M8[s]"), [1]),
        (Kind.DATETIME, "datetime64[ns, UTC]", ["1970-01-02 06:00:00+06:00"], [1]),
        (Kind.DATETIME, "datetime64[ns, UTC]", ["1970-01-01 18:00:00-0600"], [1]),
    ],
)
def test_numbers_from_another_dtype(
    kind: Kind, dtype: str, cells: Any, values: list[float]
) -> None:
    resolution = "D" if kind is Kind.DATETIME else None
    column = Column(name="x", kind=kind, dtype=dtype, resolution=resolution)  # type: ignore[arg-type]
    found = read_cells(pd.Series(cells), column)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize(
    ("kind", "dtype", "cells", "values"),
    [
        (Kind.CATEGORY, "object", [1, 2], ["1", "2"]),
        (Kind.CATEGORY, "object", [1.0, None], ["1", None]),
        (Kind.CATEGORY, "string", ["a", None], ["a", None]),
        (Kind.CATEGORY, "int64", [1.0, None], [1, None]),
        (Kind.CATEGORY, "category", np.array([1, 2], "int8"), [1, 2]),
        (Kind.CATEGORY, "object", [1, "a", None], ["1", "a", None]),
        (Kind.BOOLEAN, "bool", ["true", "FALSE"], [True, False]),
        (Kind.BOOLEAN, "bool", [1, 0], [True, False]),
        (Kind.BOOLEAN, "object", [1.0, None, 0.0], [True, None, False]),
        (Kind.BOOLEAN, "boolean", ["Yes", "no", None], [True, False, None]),
    ],
)
def test_levels_from_another_dtype(
    kind: Kind, dtype: str, cells: Any, values: list[Level | None]
) -> None:
    found = read_cells(pd.Series(cells), Column(name="x", kind=kind, dtype=dtype)).tolist()
    assert [(type(level), level) for level in found] == [(type(level), level) for level in values]


def test_declared_levels_are_found_in_another_dtype() -> None:
    column = Column(name="x", kind=Kind.CATEGORY, dtype="category", categories=(1, 2))
    assert read_cells(pd.Series(["1", "2", "3"]), column).tolist() == [1, 2, "3"]


@pytest.mark.parametrize(
    ("kind", "dtype", "cells"),
    [
        (Kind.NUMBER, "float64", ["1", "secret"]),
        (Kind.NUMBER, "float64", ["1", "inf"]),
        (Kind.NUMBER, "float64", [np.inf]),
        (Kind.INTEGER, "int64", pd.to_datetime(["2024-01-01"])),
        (Kind.INTEGER, "int64", [1, "secret"]),
        (Kind.DATETIME, "datetime64[ns]", ["2024-01-01", "secret"]),
        (Kind.DATETIME, "datetime64[ns]", [1, 2]),
        (Kind.DATETIME, "datetime64[ns]", pd.to_datetime(["2024-01-01"], utc=True)),
        (Kind.DATETIME, "datetime64[ns, UTC]", pd.to_datetime(["2024-01-01"])),
        (Kind.DATETIME, "datetime64[ns, UTC]", ["2024-01-01"]),
        (Kind.BOOLEAN, "bool", ["yes", "secret"]),
        (Kind.BOOLEAN, "bool", [0, 2]),
        (Kind.CATEGORY, "object", pd.to_datetime(["2024-01-01"])),
        (Kind.CATEGORY, "object", [["secret"]]),
        (Kind.TEXT, "object", ["secret"]),
    ],
)
def test_cells_of_another_kind_are_refused(kind: Kind, dtype: str, cells: Any) -> None:
    with pytest.raises(SchemaError, match=r"column 'a\\nb'") as caught:
        read_cells(pd.Series(cells), Column(name="a\nb", kind=kind, dtype=dtype))
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


# Writing what no row held


def column(kind: Kind, dtype: str, **fields: Any) -> Column:
    return Column(name="x", kind=kind, dtype=dtype, **fields)


@pytest.mark.parametrize(
    ("written", "cells"),
    [
        (column(Kind.INTEGER, "int8"), [3, -128, 127]),
        (column(Kind.INTEGER, "UInt8"), [3, 0, 255]),
        (column(Kind.INTEGER, "uint16[pyarrow]"), [3, 0, 2**16 - 1]),
        (column(Kind.INTEGER, "int64", low=0.0, high=10.0), [3, 0, 10]),
        (column(Kind.NUMBER, "float64", decimals=1), [2.6, -1e300, 1e300]),
        (column(Kind.NUMBER, "float32", decimals=0), [3, *np.finfo("f4").max * np.array([-1, 1])]),
        (column(Kind.NUMBER, "object", format="%.2f"), ["2.60", f"{-1e300:.2f}", f"{1e300:.2f}"]),
    ],
)
def test_numbers_are_rounded_and_pulled_in(written: Column, cells: list[object]) -> None:
    assert write_cells(np.array([2.6001, -1e300, 1e300]), written).tolist() == pytest.approx(cells)


def test_decimal_numbers_fit_their_precision() -> None:
    written = column(Kind.NUMBER, "decimal128(4, 1)[pyarrow]", decimals=1)
    cells = write_cells(np.array([2.66, -1e300, 1e300, np.nan]), written)
    assert cells.tolist()[:3] == [Decimal("2.7"), Decimal("-999.9"), Decimal("999.9")]
    assert cells.isna().tolist() == [False, False, False, True]


def test_no_minus_zero() -> None:
    written = column(Kind.NUMBER, "object", decimals=2, format="%.2f")
    assert write_cells(np.array([-0.001, -0.0]), written).tolist() == ["0.00", "0.00"]


@pytest.mark.parametrize(
    ("dtype", "first", "last"),
    [
        ("datetime64[s]", "0001-01-01", "9999-12-31"),
        ("datetime64[ns]", "1677-09-22", "2262-04-11"),
        ("datetime64[ns, UTC]", "1677-09-22", "2262-04-11"),
        ("timestamp[ns][pyarrow]", "1677-09-22", "2262-04-11"),
        ("date32[day][pyarrow]", "0001-01-01", "9999-12-31"),
        ("object", "0001-01-01", "9999-12-31"),
    ],
)
def test_dates_are_rounded_and_pulled_in(dtype: str, first: str, last: str) -> None:
    written = column(Kind.DATETIME, dtype, resolution="D", nullable=True)
    cells = write_cells(np.array([0.6, -1e9, 1e9, np.nan]), written)
    assert [str(cell)[:10] for cell in cells[:3]] == ["1970-01-02", first, last]
    assert cells.isna().tolist() == [False, False, False, True]


@pytest.mark.parametrize("resolution", ["D", "h", "min", "s", "ms", "us", "ns"])
@pytest.mark.parametrize("format", ["%Y-%m-%d", None])
def test_dates_are_spelled_in_any_year(resolution: Any, format: str | None) -> None:
    written = column(Kind.DATETIME, "object", resolution=resolution, format="%Y-%m-%d")
    if format is None:
        written = column(Kind.DATETIME, "string", resolution=resolution)
    cells = write_cells(np.array([-1e30, 1e30]), written)
    years = ("1677", "2262") if resolution == "ns" else ("0001", "9999")
    assert [cell[:4] for cell in cells] == list(years)


def test_declared_dates_bound_what_is_written() -> None:
    bounds = {"low": "1970-01-02", "high": "1970-01-05 12:00"}
    written = column(Kind.DATETIME, "datetime64[s]", resolution="h", **bounds)
    cells = write_cells(np.array([-1e6, 30.0, 1e6]), written)
    assert cells.dt.strftime("%dT%H").tolist() == ["02T00", "02T06", "05T12"]


@pytest.mark.parametrize(
    ("written", "values"),
    [
        (column(Kind.INTEGER, "int64"), np.array([1.0, np.nan])),
        (column(Kind.CATEGORY, "int64"), np.array([1, None], dtype=object)),
        (column(Kind.CATEGORY, "bool"), np.array([None], dtype=object)),
        (column(Kind.BOOLEAN, "bool"), np.array([True, None], dtype=object)),
    ],
)
def test_dtypes_that_cannot_be_missing(written: Column, values: Any) -> None:
    with pytest.raises(SchemaError, match=r"'x'.*cannot hold missing cells"):
        write_cells(values, written)


def test_levels_that_the_dtype_cannot_hold() -> None:
    with pytest.raises(SchemaError, match=r"'x'.*levels of dtype int64") as caught:
        write_cells(np.array(["secret"], dtype=object), column(Kind.CATEGORY, "int64"))
    assert "secret" not in str(caught.value)


def test_chunks_share_their_categories() -> None:
    written = column(Kind.CATEGORY, "category")
    values = np.array(["b", None, "a", "b"], dtype=object)
    chunks = [write_cells(values[i : i + 2], written, ("b", "a", "c")) for i in (0, 2)]
    assert chunks[0].dtype == chunks[1].dtype
    assert list(chunks[0].cat.categories) == ["a", "b", "c"]
    assert pd.concat(chunks).dtype == "category"
    extra = write_cells(np.array(["d", "a"], dtype=object), written, ("b", "a"))
    assert list(extra.cat.categories) == ["a", "b", "d"]
    declared = column(Kind.CATEGORY, "category", categories=("lo", "hi"), ordered=True)
    ordered = write_cells(np.array(["hi"], dtype=object), declared, ("hi", "lo"))
    assert list(ordered.cat.categories) == ["lo", "hi"]
    assert ordered.cat.ordered


@pytest.mark.parametrize("kind", [Kind.NUMBER, Kind.INTEGER, Kind.DATETIME])
@pytest.mark.parametrize("dtype", ["object", "string", "str"])
def test_no_rows(kind: Kind, dtype: str) -> None:
    assert len(write_cells(np.zeros(0), column(kind, dtype))) == 0
    assert len(read_cells(series([], dtype), column(kind, dtype))) == 0


# Generated cells


@pytest.mark.parametrize("dtype", ["int64", "Int64", "int64[pyarrow]", "float64"])
def test_numbered_rows(dtype: str) -> None:
    cells = make_up(column(Kind.IDENTIFIER, dtype), 5, 3)
    assert (cells.tolist(), str(cells.dtype), cells.name) == ([6, 7, 8], dtype, "x")


def test_too_many_rows_for_the_dtype() -> None:
    assert make_up(column(Kind.IDENTIFIER, "int8"), 0, 127).max() == 127
    with pytest.raises(SchemaError, match=r"'x'.*int8 cannot number 128 rows"):
        make_up(column(Kind.IDENTIFIER, "int8"), 120, 8)


@pytest.mark.parametrize("dtype", [*TEXTS, "category"])
@pytest.mark.parametrize(
    ("format", "shape"),
    [
        ("AA-9999", r"[A-Z]{2}-\d{4}"),
        ("é9a", r"é\d[a-z]\d*"),
        ("ffff-FF", r"[0-9a-f]{4}-[0-9A-F]{2}"),
        (r"\A\F\9\a\\x-9999", r"AF9a\\x-\d{4}"),
    ],
)
def test_patterns(dtype: str, format: str, shape: str) -> None:
    written = column(Kind.IDENTIFIER, dtype, format=format)
    cells = make_up(written, 0, 1000)
    assert str(cells.dtype) == dtype
    text = cells.astype(str)
    assert text.str.fullmatch(shape).all()
    assert text.is_unique
    assert make_up(written, 100, 50).astype(str).tolist() == text[100:150].tolist()
    assert text.tolist() != sorted(text)


@settings(max_examples=30)
@given(st.text("9Aaf-.x", min_size=1, max_size=5), st.integers(0, 10**9))
def test_identifiers_are_unique(format: str, start: int) -> None:
    written = column(Kind.IDENTIFIER, "object", format=format)
    cells = make_up(written, start, 300)
    assert cells.is_unique
    assert not set(cells) & set(make_up(written, start + 300, 300))


def test_a_pattern_is_used_up_before_it_grows() -> None:
    cells = make_up(column(Kind.IDENTIFIER, "object", format="9A"), 0, 520)
    assert (cells[:260].str.len() == 2).all()
    assert (cells[260:].str.len() == 3).all()
    assert cells.is_unique


@pytest.mark.parametrize(
    ("name", "prefix"), [("customer id", "CUSTOMER_ID"), ("😀\n", "ID"), ("", "ID"), ("_Nr.", "NR")]
)
def test_identifiers_without_pattern(name: str, prefix: str) -> None:
    cells = make_up(Column(name=name, kind=Kind.IDENTIFIER, dtype="object"), 8, 2)
    assert cells.tolist() == [f"{prefix}-00000009", f"{prefix}-00000010"]
    assert cells.name == name


@pytest.mark.parametrize("dtype", [*TEXTS, "category"])
def test_filler_text(dtype: str) -> None:
    written = column(Kind.TEXT, dtype)
    cells = make_up(written, 0, 200).astype(str)
    assert set(cells.str.split().str.len()) == {3, 4, 5, 6}
    assert cells.nunique() > 190
    assert make_up(written, 150, 50).astype(str).tolist() == cells[150:].tolist()
    assert str(make_up(written, 0, 2).dtype) == dtype


def test_large_numbers_are_not_rounded_to_decimals_that_they_cannot_have() -> None:
    cells = pd.Series([14411518807587.0, 1.9375], name="x")
    assert there_and_back(cells).decimals == 4


def test_columns_of_text_have_words_of_their_own() -> None:
    one, other = (make_up(Column(name=n, kind=Kind.TEXT, dtype="object"), 0, 50) for n in "ab")
    assert (one != other).mean() > 0.9


def test_no_rows_made_up() -> None:
    for kind in (Kind.IDENTIFIER, Kind.TEXT):
        for format in ("AA-9", None) if kind is Kind.IDENTIFIER else (None,):
            assert len(make_up(column(kind, "object", format=format), 7, 0)) == 0
    assert len(make_up(column(Kind.IDENTIFIER, "int64"), 7, 0)) == 0


def test_only_what_is_not_modelled_is_made_up() -> None:
    with pytest.raises(SchemaError, match=r"'x'"):
        make_up(column(Kind.NUMBER, "float64"), 0, 1)
    with pytest.raises(SchemaError, match=r"'x'"):
        write_cells(np.array(["a"], dtype=object), column(Kind.TEXT, "object"))


@given(
    st.lists(
        st.sampled_from(["a", "a\0b", "a\0", "", "\0", "b", None, 1, 1.0, True, 0.0]), max_size=9
    )
)
def test_levels_that_differ_are_told_apart(cells: list[Level | None]) -> None:
    held = np.empty(len(cells), dtype=object)
    held[:] = cells
    factors, levels = factorized(held)
    for cell, factor in zip(cells, factors.tolist(), strict=True):
        level = levels[factor] if factor < len(levels) else None
        assert (type(level), level) == (type(cell), cell)
