"""Kinds are inferred from values; schemas travel as JSON; errors name the column, not its cells."""

from __future__ import annotations

import datetime
import decimal
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthgan.columns.column import Column, Kind
from synthgan.errors import SchemaError, TableError
from synthgan.schema.infer import infer_columns
from synthgan.schema.review import count_values
from synthgan.schema.schema import Schema

Decimal = decimal.Decimal
UTC = datetime.timezone.utc


def infer(cells: object, name: str = "x", dtype: object = None) -> Column:
    """The column that is inferred for ``cells``."""
    return infer_columns(pd.DataFrame({name: pd.Series(cells, dtype=dtype)}))[name]


def arrow(cells: Sequence[object], type: pa.DataType) -> pd.Series:
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.array(cells, type)))


# Numbers


@pytest.mark.parametrize("dtype", ["int8", "int64", "uint16", "Int64", "UInt8", "int32[pyarrow]"])
def test_integers(dtype: str) -> None:
    found = infer([3, 1, 1], dtype=dtype)
    assert found == Column(name="x", kind=Kind.INTEGER, dtype=dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32", "Float64", "double[pyarrow]", "object"])
def test_whole_floats_with_holes_are_integers(dtype: str) -> None:
    found = infer([3.0, None, 1.0], dtype=dtype)
    assert found == Column(name="x", kind=Kind.INTEGER, dtype=dtype, nullable=True)


@pytest.mark.parametrize(
    ("cells", "decimals"),
    [
        ([1.5, 2.0], 1),
        ([0.1 + 0.2, 1.25], 2),
        ([1e308, 0.5], 1),
        ([1e15, 12.34], 2),
        ([0.000_000_001, 3.0], 9),
        ([np.pi, np.e], None),
        ([1e-300, 1.5], None),
    ],
)
def test_decimals(cells: list[float], decimals: int | None) -> None:
    found = infer(cells)
    assert (found.kind, found.decimals) == (Kind.NUMBER, decimals)


@pytest.mark.parametrize("decimals", [1, 2, 4])
def test_decimals_of_single_precision(decimals: int) -> None:
    cells = np.round(np.random.default_rng(0).uniform(0, 90, 500), decimals)
    assert infer(cells.astype("float32")).decimals == decimals


@settings(max_examples=40)
@given(st.integers(1, 6), st.lists(st.integers(-(10**8), 10**8), min_size=1, max_size=30))
def test_decimals_are_those_of_the_written_numbers(digits: int, cells: list[int]) -> None:
    texts = [f"{cell / 10**digits:.{digits}f}" for cell in cells]
    needed = max(len(text.rstrip("0").partition(".")[2]) for text in texts)
    found = infer([float(text) for text in texts])
    if needed:
        assert (found.kind, found.decimals) == (Kind.NUMBER, needed)
    else:
        assert found.kind in (Kind.INTEGER, Kind.IDENTIFIER)


@pytest.mark.parametrize("value", [2**53 + 1, 2**63, -(2**63), 2**64 - 1, 10**30])
def test_huge_integers_are_numbers(value: int) -> None:
    assert infer([value, 7]).kind in (Kind.INTEGER, Kind.NUMBER)


@pytest.mark.parametrize("infinite", [np.inf, -np.inf, Decimal("Infinity"), 10**400])
def test_infinities_are_refused(infinite: object) -> None:
    with pytest.raises(SchemaError, match=r"'x'.*infinite; replace them"):
        infer([infinite, 1.5, None], dtype=object)


def test_fixed_decimals_of_the_text_are_kept() -> None:
    frame = pd.DataFrame({"price": [1.5, 2.25], "whole": [12.0, 13.0], "free": [1.5, 2.25]})
    frame.attrs["synthgan.fixed_decimals"] = {"price": 3, "whole": 2}
    price, whole, free = infer_columns(frame)
    assert (price.kind, price.decimals, price.format) == (Kind.NUMBER, 3, "%.3f")
    assert (whole.kind, whole.decimals, whole.format) == (Kind.INTEGER, None, "%.2f")
    assert (free.kind, free.decimals, free.format) == (Kind.NUMBER, 2, None)
    assert {price.dtype, whole.dtype, free.dtype} == {"float64"}


def test_decimal_numbers() -> None:
    cells = [Decimal("1.25"), None, Decimal("3")]
    found = infer(cells, dtype=object)
    assert (found.kind, found.decimals, found.format) == (Kind.NUMBER, 2, "Decimal")
    found = infer_columns(pd.DataFrame({"x": arrow(cells, pa.decimal128(10, 3))}))["x"]
    assert (found.kind, found.decimals, found.dtype) == (
        Kind.NUMBER,
        2,
        "decimal128(10, 3)[pyarrow]",
    )


@pytest.mark.parametrize("dtype", ["object", "string", "string[pyarrow]", "large_string[pyarrow]"])
@pytest.mark.parametrize(
    ("cells", "kind", "decimals", "format"),
    [
        (["12.50", "1000.00", None], Kind.NUMBER, 2, "%.2f"),
        (["12.5", "1000", "-3"], Kind.NUMBER, 1, "%.15g"),
        (["1e3", "2.5e-2"], Kind.NUMBER, 3, "%.15g"),
        (["12", "1000", "-3"], Kind.INTEGER, None, "%d"),
        ([str(i * i) for i in range(30)], Kind.INTEGER, None, "%d"),
    ],
)
def test_numbers_as_text(
    dtype: str, cells: list[str], kind: Kind, decimals: int | None, format: str
) -> None:
    found = infer(cells, dtype=dtype)
    assert (found.kind, found.decimals, found.format) == (kind, decimals, format)
    text = pd.Series(["a"], dtype=dtype)
    assert found.dtype in (dtype, str(text.dtype))


@pytest.mark.parametrize(
    "cells",
    [
        ["01234", "10115", "94105"] * 30,
        [str(10_000 + 7 * i) for i in range(40)] * 2,
        ["1", "2", "3"] * 30,
        ["12", "n/a", "1000"],
        ["1.2.3", "1.2.4"],
        ["1234567890123456789", "12"],
        ["+1", "+2"],
    ],
)
def test_codes_stay_text(cells: list[str]) -> None:
    assert infer(cells).kind is Kind.CATEGORY


# Booleans


@pytest.mark.parametrize("dtype", ["bool", "boolean", "bool[pyarrow]", "object"])
def test_booleans(dtype: str) -> None:
    assert infer([True, False], dtype=dtype).kind is Kind.BOOLEAN


def test_booleans_with_holes() -> None:
    found = infer([True, None, False], dtype=object)
    assert found == Column(name="x", kind=Kind.BOOLEAN, dtype="object", nullable=True)


@pytest.mark.parametrize(
    ("cells", "format"),
    [
        (["yes", "no", "no"], "no|yes"),
        (["No", "YES", None], "No|YES"),
        (["T", "F"], "F|T"),
        (["N", "Y"], "N|Y"),
        (["True", "False"], "False|True"),
        (["off", "on"], "off|on"),
    ],
)
def test_booleans_as_text(cells: list[str], format: str) -> None:
    found = infer(cells)
    assert (found.kind, found.format) == (Kind.BOOLEAN, format)


@pytest.mark.parametrize(
    "cells", [["yes", "yes"], ["yes", "no", "No"], ["yes", "true"], ["0", "1"]]
)
def test_no_booleans(cells: list[str]) -> None:
    assert infer(cells).kind is Kind.CATEGORY


def test_zeros_and_ones_are_integers() -> None:
    assert infer([0, 1, 1]).kind is Kind.INTEGER


# Dates


@pytest.mark.parametrize(
    ("dates", "resolution"),
    [
        (["2024-02-29", "1066-10-14"], "D"),
        (["2024-02-29T05", "2024-03-01T00"], "h"),
        (["2024-02-29T05:30"], "min"),
        (["1500-02-28T05:30:59"], "s"),
        (["2024-02-29T05:30:59.5"], "ms"),
        (["2024-02-29T05:30:59.000001"], "us"),
        (["2024-02-29T05:30:59.000000001"], "ns"),
        (["1970-01-01"], "D"),
    ],
)
def test_resolution(dates: list[str], resolution: str) -> None:
    cells = np.array([*dates, "NaT"], dtype="M8[ns]" if resolution == "ns" else "M8[us]")
    found = infer_columns(pd.DataFrame({"x": cells}))["x"]
    assert (found.kind, found.resolution, found.nullable) == (Kind.DATETIME, resolution, True)
    assert found.dtype == f"datetime64[{'ns' if resolution == 'ns' else 'us'}]"


def test_dates_of_every_dtype() -> None:
    stamp = datetime.datetime(2024, 2, 29, 5, 30)
    naive = pd.Series(pd.to_datetime([stamp])).astype("datetime64[s]")
    cells = {
        "numpy": naive,
        "zoned": naive.dt.tz_localize("Europe/Berlin"),
        "arrow": arrow([stamp], pa.timestamp("us")),
        "arrow zoned": arrow([stamp], pa.timestamp("ms", "UTC")),
        "python": pd.Series([stamp], dtype=object),
    }
    for column in infer_columns(pd.DataFrame(cells)):
        assert (column.kind, column.resolution) == (Kind.DATETIME, "min")
        assert column.dtype == str(cells[column.name].dtype)
    date = infer_columns(pd.DataFrame({"x": arrow([stamp.date()], pa.date32())}))["x"]
    assert (date.kind, date.resolution) == (Kind.DATETIME, "D")
    assert infer([stamp.date(), None], dtype=object).format == "date"
    assert infer([stamp, None], dtype=object).format == "datetime"


@pytest.mark.parametrize(
    ("cells", "format", "resolution"),
    [
        (["2024-02-29", None, "0001-01-01", "9999-12-31"], "%Y-%m-%d", "D"),
        (["2024/02/29"], "%Y/%m/%d", "D"),
        (["20240229", "19991231"], "%Y%m%d", "D"),
        (["02/03/2024", "12/11/2024"], "%m/%d/%Y", "D"),
        (["02/03/2024", "13/11/2024"], "%d/%m/%Y", "D"),
        (["02/03/2024", "11/13/2024"], "%m/%d/%Y", "D"),
        (["2/3/2024", "11/13/2024"], "%-m/%-d/%Y", "D"),
        (["10/11/24", "02/03/68"], "%m/%d/%y", "D"),
        (["02.03.2024"], "%d.%m.%Y", "D"),
        (["02.13.2024"], "%m.%d.%Y", "D"),
        (["02-03-2024"], "%d-%m-%Y", "D"),
        (["2.3.2024", "12.12.1999"], "%-d.%-m.%Y", "D"),
        (["05-Jan-2024"], "%d-%b-%Y", "D"),
        (["May 5, 2024", "June 12, 2024"], "%B %-d, %Y", "D"),
        (["2024-02-29 05:30:00", "2024-02-29 06:00:00"], "%Y-%m-%d %H:%M:%S", "min"),
        (["2024-02-29T05:30"], "%Y-%m-%dT%H:%M", "min"),
        (["2024-02-29T05:30:01Z"], "%Y-%m-%dT%H:%M:%SZ", "s"),
        (["2024-02-29 05:30:01+02:00"], "%Y-%m-%d %H:%M:%S+02:00", "s"),
        (["2024-02-29T05:30:01.250"], "%Y-%m-%dT%H:%M:%S.%3f", "ms"),
        (["2024-02-29T05:30:01.250001Z"], "%Y-%m-%dT%H:%M:%S.%fZ", "us"),
        (["2024-02-29 05:30:01.000000001"], "%Y-%m-%d %H:%M:%S.%9f", "ns"),
        (["2024-02-29 05:30:01", "2024-02-29 05:30:01.5"], "%Y-%m-%d %H:%M:%S%.f", "ms"),
        (["2/29/2024 5:30 PM", "2/28/2024 12:00 AM"], "%-m/%-d/%Y %-I:%M %p", "min"),
    ],
)
def test_dates_as_text(cells: list[str], format: str, resolution: str) -> None:
    found = infer(cells)
    assert (found.kind, found.format) == (Kind.DATETIME, format)
    assert found.resolution == resolution


@pytest.mark.parametrize(
    "cells",
    [
        ["2024-02-30"],
        ["2023-02-29"],
        ["0000-01-01"],
        ["2024-02-29", "soon"],
        ["2024-02-29", "29.02.2024"],
        ["2024-02-29", "2024-02-29 00:00:00"],
        ["13/13/2024"],
        ["12:30", "13:45"],
        ["10-11-12"],
        ["99999999"],
    ],
)
def test_no_dates(cells: list[str]) -> None:
    assert infer(cells).kind is Kind.CATEGORY


@pytest.mark.parametrize(
    "cells",
    [
        ["2024-01-01T00:00:00+01:00", "2024-07-01T00:00:00+02:00"],
        ["2024-01-01 00:00:00Z", "2024-07-01 00:00:00"],
        ["2024-01-01 00:00:00.5+02", "2024-01-01 00:00:00.25+01"],
        [datetime.datetime(2024, 1, 1, tzinfo=UTC), datetime.datetime(2024, 1, 1)],
    ],
)
def test_mixed_time_zones_are_refused(cells: list[object]) -> None:
    with pytest.raises(SchemaError, match=r"'x'.*time zones; convert.*utc=True"):
        infer(cells, dtype=object)


# Names of rows, and free text


@pytest.mark.parametrize(
    ("cells", "format"),
    [
        ([f"AB-{i:04d}" for i in range(30)], r"\AB-9999"),
        ([f"{'PQ'[i % 2]}X{i:04d}a\\" for i in range(30)], r"AX9999\a\\"),
        ([f"{'AP'[i % 2]}{i:04d}" for i in range(30)], "A9999"),
        ([f"ord{i}" for i in range(5, 30)], None),
        ([f"{i:02x}0e8400-e29b-41d4-a716-4466554400{i:02x}" for i in range(100, 140)], "uuid"),
        ([f"{i * 7919:08X}" for i in range(1000, 1040)], "FFFFFFFF"),
        ([f"00{i}" for i in range(100, 140)], "99999"),
        ([str(i) for i in range(1, 120)], "999"),
        ([f"+49-{i * 37}-{i}" for i in range(1, 60)], None),
    ],
)
def test_codes_that_name_rows(cells: list[str], format: str | None) -> None:
    found = infer([*cells, None])
    uuid = "ffffffff-ffff-ffff-ffff-ffffffffffff"
    assert (found.kind, found.format) == (Kind.IDENTIFIER, uuid if format == "uuid" else format)
    assert infer(cells[:19]).kind is not Kind.IDENTIFIER


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("row", range(40)),
        ("row", range(70_000, 70_040)),
        ("row", np.random.default_rng(0).permutation(40)),
        ("customer_id", [i * i for i in range(40)]),
        ("OrderNo", [i * i for i in range(40)]),
        ("passengerid", [i * i for i in range(40)]),
    ],
)
def test_integers_that_name_rows(name: str, cells: Sequence[int]) -> None:
    assert infer(list(cells), name).kind is Kind.IDENTIFIER
    assert infer(list(cells)[:19], name).kind is Kind.INTEGER
    numbers = infer([float(cell) for cell in cells], name)
    assert numbers.kind is (Kind.INTEGER if name == "row" else Kind.IDENTIFIER)


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("income", [i * i for i in range(40)]),
        ("year", range(1980, 2020)),
        ("paid", [i * i for i in range(40)]),
        ("customers", [i // 2 for i in range(40)]),
        ("row", [*range(40), None]),
    ],
)
def test_integers_that_measure(name: str, cells: Sequence[int | None]) -> None:
    assert infer(list(cells), name).kind is Kind.INTEGER


def test_unique_measures_and_dates_do_not_name_rows() -> None:
    rng = np.random.default_rng(0)
    assert infer(rng.normal(size=100), "price").kind is Kind.NUMBER
    assert infer(pd.date_range("2024-01-01", periods=60), "id").kind is Kind.DATETIME
    days = pd.date_range("2024-01-01", periods=31).strftime("%Y%m%d")
    assert infer(list(days), "day").kind is Kind.DATETIME


@pytest.mark.parametrize(
    "cells",
    [
        [f"{first} Smith" for first in map(chr, range(65, 90))],
        [chr(65 + i) * 3 + chr(97 + i) for i in range(25)],
        [f"it took {i} days" for i in range(10)] * 2 + [f"late by {i}" for i in range(10)],
    ],
)
def test_free_text(cells: list[str]) -> None:
    assert infer(cells).kind is Kind.TEXT


def test_short_text_that_comes_again_is_a_category() -> None:
    assert infer(["New York", "Paris", "Rome"] * 20).kind is Kind.CATEGORY
    assert infer(["a b", "c d", "e f"]).kind is Kind.CATEGORY


# Categories


@pytest.mark.parametrize("cells", [["b", None, "a"], [3, 1, None], [True, False, None], [0.5, 2.0]])
def test_the_category_dtype_means_category(cells: list[object]) -> None:
    found = infer(cells, dtype="category")
    assert (found.kind, found.dtype, found.categories) == (Kind.CATEGORY, "category", None)
    assert found.nullable == (None in cells)


def test_arrow_dictionaries_are_categories() -> None:
    dictionary = pa.dictionary(pa.int32(), pa.string())
    cells = pd.Series(["b", "a", None]).astype(pd.ArrowDtype(dictionary))
    found = infer_columns(pd.DataFrame({"x": cells}))["x"]
    assert (found.kind, found.nullable) == (Kind.CATEGORY, True)
    assert found.dtype == "dictionary<values=string, indices=int32, ordered=0>[pyarrow]"


def test_an_order_that_is_not_that_of_sorting_is_kept() -> None:
    low, high = ["low", "mid", "high"], ["a", "b", "c"]
    found = infer(pd.Categorical(["mid"], categories=low, ordered=True))
    assert (found.ordered, found.categories) == (True, ("low", "mid", "high"))
    found = infer(pd.Categorical(["b"], categories=high, ordered=True))
    assert (found.ordered, found.categories) == (True, None)
    found = infer(pd.Categorical(["mid"], categories=low))
    assert (found.ordered, found.categories) == (False, None)


@pytest.mark.parametrize("cells", [[1, "a", 2.5], [True, "yes"], [datetime.time(1, 2), "a"]])
def test_mixed_types_are_categories_of_text(cells: list[object]) -> None:
    found = infer([*cells, None], dtype=object)
    assert (found.kind, found.dtype, found.nullable) == (Kind.CATEGORY, "object", True)


@pytest.mark.parametrize(
    "dtype", ["object", "float64", "Int64", "string", "datetime64[ns]", "category"]
)
def test_all_missing(dtype: str) -> None:
    found = infer([None, None], dtype=dtype)
    assert found == Column(name="x", kind=Kind.CATEGORY, dtype=dtype, nullable=True)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NaT, pd.NA, Decimal("NaN")])
def test_every_missing_value_counts(missing: object) -> None:
    for cells, kind in ((["a", missing], Kind.CATEGORY), ([1, missing], Kind.INTEGER)):
        found = infer(cells, dtype=object)
        assert (found.kind, found.nullable) == (kind, True)


@pytest.mark.parametrize(
    ("cell", "kind"),
    [(1, Kind.INTEGER), (0.5, Kind.NUMBER), ("a", Kind.CATEGORY), (True, Kind.BOOLEAN)],
)
def test_constant_columns_keep_their_kind(cell: object, kind: Kind) -> None:
    assert infer([cell] * 50).kind is kind


@pytest.mark.parametrize(
    "cells",
    [
        pd.Series(pd.to_timedelta([1, 2])).astype("category"),
        pd.Series([1j]),
        pd.Series([[1], [2, 3]]),
        pd.Series([{"a": 1}]),
        pd.Series([b"secret"]),
        pd.Series(["\ud800secret"], dtype=object),
        pd.Series(pd.period_range("2024", "2025", freq="M")),
        pd.Series([0, 1], dtype="Sparse[int64]"),
        pd.cut(pd.Series([1, 2, 3]), 2),
        pd.Series(pd.to_datetime(["2024-01-01"])).astype("category"),
        arrow([[1]], pa.list_(pa.int64())),
        arrow([b"secret"], pa.binary()),
    ],
)
def test_what_cannot_be_modelled_is_refused(cells: pd.Series) -> None:
    with pytest.raises(SchemaError, match="column 'x'") as caught:
        infer_columns(pd.DataFrame({"x": cells}))
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


# Tables


def test_names_of_any_text() -> None:
    names = ["", "a\nb", "😀", "%d", 'quote"s', "a|b"]
    frame = pd.DataFrame([[1] * len(names)], columns=names)
    schema = infer_columns(frame)
    assert schema.names == tuple(names)
    assert Schema.from_json(schema.to_json()) == schema


def test_tables_that_cannot_be_used() -> None:
    with pytest.raises(SchemaError, match=r"df.columns.astype\(str\)"):
        infer_columns(pd.DataFrame([[1, 2]]))
    with pytest.raises(SchemaError, match=r"'a'.*more than once"):
        infer_columns(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(SchemaError, match="several levels"):
        infer_columns(pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])))
    with pytest.raises(SchemaError, match="columns"):
        infer_columns(pd.DataFrame(index=range(3)))
    with pytest.raises(TableError, match="rows"):
        infer_columns(pd.DataFrame({"a": []}))


def test_the_schema_holds_nothing_of_the_rows() -> None:
    frame = pd.DataFrame(
        {
            "number": [123.25, 4567.5, 89.75] * 10,
            "category": ["rare-secret"] + ["common"] * 29,
            "dtype": pd.Categorical(["rare-secret"] + ["common"] * 29),
            "text": [f"rare-secret number {i}" for i in range(30)],
        }
    )
    text = infer_columns(frame).to_json()
    assert not any(cell in text for cell in ("secret", "common", "4567", "123"))


# Schemas


def numbers(*names: str) -> Schema:
    return Schema(columns=tuple(Column(name=n, kind=Kind.NUMBER, dtype="float64") for n in names))


def test_columns_by_name() -> None:
    schema = numbers("age", "income")
    assert schema["age"].name == "age"
    with pytest.raises(SchemaError, match=r"no column 'Agee' \(did you mean 'age'\?\)"):
        schema["Agee"]
    with pytest.raises(SchemaError, match=r"no column 'zzz'$"):
        schema["zzz"]


def test_check() -> None:
    schema = numbers("age", "income")
    schema.check(pd.DataFrame({"income": [1.0], "age": ["anything"]}))
    with pytest.raises(SchemaError, match=r"missing: 'age' \(did you mean 'Age'\?\); .*'Age'$"):
        schema.check(pd.DataFrame({"income": [1.0], "Age": [1.0]}))
    with pytest.raises(SchemaError, match=r"not in the schema: 'extra'$"):
        schema.check(pd.DataFrame({"income": [1.0], "age": [1.0], "extra": [1.0]}))
    many = pd.DataFrame({"age": [1.0], "income": [1.0], **{f"x{i}": [1] for i in range(50)}})
    with pytest.raises(SchemaError, match=r"'x4' and 45 more$"):
        schema.check(many)


def test_json_leaves_out_defaults_and_comes_back() -> None:
    column = Column(name="x", kind=Kind.CATEGORY, dtype="category", categories=(1, "a", 2.5, True))
    schema = Schema(columns=(column,))
    plain = json.loads(schema.to_json())
    assert plain["synthgan_schema"] == 1
    assert set(plain["columns"][0]) == {"name", "kind", "dtype", "categories"}
    assert Schema.from_json(schema.to_json()) == schema
    assert "\n" in schema.to_json()


def test_files_come_back_and_are_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    first, second = (
        Schema(columns=(Column(name=name, kind=Kind.NUMBER, dtype="float64"),))
        for name in ("größe 😀", "b")
    )
    first.save(path)
    assert path.read_bytes() == f"{first.to_json()}\n".encode()
    assert Schema.load(str(path)) == first
    with pytest.raises(TableError, match="already exists"):
        second.save(path)
    assert Schema.load(path) == first
    second.save(path, overwrite=True)
    assert Schema.load(path) == second
    assert [each.name for each in tmp_path.iterdir()] == ["schema.json"]


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "schema.json"
    schema = Schema(columns=(Column(name="x", kind=Kind.NUMBER, dtype="float64"),))
    schema.save(path)
    before = path.read_bytes()

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(TableError, match="cannot be written: No space"):
        schema.save(path, overwrite=True)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["schema.json"]


def test_a_name_that_comes_often_is_named_once() -> None:
    frame = pd.DataFrame([[1, 2, 3, 4, 5]], columns=["c", "c", "c", "d", "d"])
    with pytest.raises(SchemaError, match=r"unique, but 'c', 'd' come more than once$"):
        infer_columns(frame)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "there is no such file"), (b"\xff\xfe", "not UTF-8"), (b"{", "not valid JSON")],
)
def test_a_file_without_a_schema_is_named(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "odd.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SchemaError, match=rf"odd\.json.*{reason}"):
        Schema.load(path)


@settings(max_examples=30)
@given(
    st.builds(
        Column,
        name=st.text(),
        kind=st.just(Kind.NUMBER),
        dtype=st.sampled_from(["float64", "Int64", "decimal128(10, 2)[pyarrow]", "object"]),
        nullable=st.booleans(),
        decimals=st.none() | st.integers(0, 9),
        low=st.none() | st.floats(-1e300, 0),
        high=st.none() | st.floats(0, 1e300),
    )
)
def test_json_round_trip(column: Column) -> None:
    schema = Schema(columns=(column,))
    assert Schema.from_json(schema.to_json()) == schema


COLUMN = '{"name": "x", "kind": "number", "dtype": "float64"}'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        '{"columns": []}',
        '{"synthgan_schema": 2, "columns": []}',
        '{"synthgan_schema": true, "columns": []}',
        '{"synthgan_schema": 1}',
        '{"synthgan_schema": 1, "columns": [], "more": 1}',
        '{"synthgan_schema": 1, "columns": [{"name": "x"}]}',
        f'{{"synthgan_schema": 1, "columns": [{COLUMN}, {COLUMN}]}}',
        f'{{"synthgan_schema": 1, "columns": [{COLUMN.replace("number", "none")}]}}',
        f'{{"synthgan_schema": 1, "columns": [{COLUMN.replace("float64", "V8")}]}}',
        f'{{"synthgan_schema": 1, "columns": [{COLUMN[:-1]}, "low": NaN}}]}}',
        f'{{"synthgan_schema": 1, "columns": [{COLUMN[:-1]}, "low": 1{"0" * 400}}}]}}',
        f'{{"synthgan_schema": 1, "columns": [{COLUMN[:-1]}, "nullable": 1}}]}}',
    ],
)
def test_malformed_json_is_one_line(text: str) -> None:
    with pytest.raises(SchemaError) as caught:
        Schema.from_json(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": Kind.BOOLEAN, "dtype": "object", "format": "no"}, "two different spellings"),
        ({"kind": Kind.BOOLEAN, "dtype": "object", "format": "no|no"}, "two different spellings"),
        ({"kind": Kind.BOOLEAN, "dtype": "object", "format": "|yes"}, "two different spellings"),
        ({"kind": Kind.NUMBER, "low": 2.0, "high": 1.0}, "low must not be above high"),
        ({"kind": Kind.NUMBER, "low": float("nan")}, "finite"),
        ({"kind": Kind.NUMBER, "low": "2024-01-01"}, "finite numbers"),
        ({"kind": Kind.DATETIME, "dtype": "datetime64[ns]", "low": "today"}, "ISO dates"),
        ({"kind": Kind.DATETIME, "dtype": "datetime64[ns]", "low": "2024-13-01"}, "no date"),
        (
            {
                "kind": Kind.DATETIME,
                "dtype": "datetime64[ns]",
                "low": "2024-01-02",
                "high": "2024-01-01",
            },
            "low must not be above high",
        ),
        ({"kind": Kind.CATEGORY, "dtype": "object", "low": 1.0}, "for numbers and dates"),
        ({"kind": Kind.CATEGORY, "dtype": "object", "categories": ()}, "empty"),
        ({"kind": Kind.CATEGORY, "dtype": "object", "categories": ("a", "a")}, "unique"),
        ({"kind": Kind.CATEGORY, "dtype": "object", "categories": (1, 2)}, "must be text"),
        ({"kind": Kind.NUMBER, "categories": (1.0,)}, "kind category only"),
        ({"kind": Kind.CATEGORY, "categories": (1.0, np.inf)}, "finite"),
        ({"kind": Kind.NUMBER, "ordered": True}, "ordered"),
        ({"kind": Kind.NUMBER, "decimals": 40}, "0 to 15"),
        ({"kind": Kind.INTEGER, "decimals": 2}, "kind number only"),
        ({"kind": Kind.NUMBER, "resolution": "D"}, "kind datetime only"),
        ({"kind": Kind.NUMBER, "format": "%s"}, "printf"),
        ({"kind": Kind.NUMBER, "format": "%999999999d"}, "printf"),
        ({"kind": Kind.DATETIME, "dtype": "object", "format": "%m-%d"}, "strftime"),
        ({"kind": Kind.DATETIME, "dtype": "object", "format": "%Y-%Q"}, "strftime"),
        ({"kind": Kind.CATEGORY, "dtype": "object", "format": "9"}, "format is for"),
        ({"kind": Kind.DATETIME, "dtype": "int64"}, "does not go with dtype int64"),
        ({"kind": Kind.NUMBER, "dtype": "bool"}, "does not go with dtype bool"),
        ({"kind": Kind.NUMBER, "dtype": "complex128"}, "not supported"),
        ({"kind": Kind.NUMBER, "dtype": "nonsense"}, "not supported"),
        ({"kind": Kind.NUMBER, "dtype": "nonsense[pyarrow]"}, "not supported"),
        ({"kind": Kind.DATETIME, "dtype": "datetime64[ns, Mars/Base]"}, "not supported"),
    ],
)
def test_fields_that_contradict_each_other(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(SchemaError, match=message) as caught:
        Column(**{"name": "a\nb", "dtype": "float64", **fields})
    assert r"'a\nb'" in str(caught.value)


@pytest.mark.parametrize("format", ["%d%%|%Y", "%-d.%-m.%y", "on %Y-%m-%d (local)", "%Y"])
def test_formats_of_the_owner(format: str) -> None:
    column = Column(name="x", kind=Kind.DATETIME, dtype="object", format=format)
    assert Schema.from_json(Schema(columns=(column,)).to_json())["x"] == column


def test_values_are_counted_and_rare_ones_that_cost_much_are_told() -> None:
    frame = pd.DataFrame(
        {
            "pressure": [f"{100 + i % 40}/{60 + i % 5}" for i in range(100)],
            "ward": ["A", "B"] * 48 + ["C", "D", None, "A"],
            "n": [i % 60 for i in range(100)],
        }
    )
    schema = infer_columns(frame)
    pressure, ward, n = count_values(frame, schema)
    assert schema["pressure"].kind is Kind.CATEGORY
    assert (pressure.distinct, pressure.rare, pressure.rare_share) == (40, 40, 1.0)
    assert "split cells of several numbers" in pressure.advice
    assert (ward.distinct, ward.rare, ward.rare_share, ward.advice) == (4, 2, 0.02, "")
    assert (n.distinct, n.rare) == (60, 0)
    assert count_values(frame, schema, least=1)[0].advice == ""
