"""Tables in files: what is read, what is refused and why, what is written."""

from __future__ import annotations

import bz2
import datetime
import gzip
import io
import lzma
import os
import resource
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthgan.errors import TableError
from synthgan.files import check_target, write_bytes_atomically
from synthgan.table.formats import check_writable
from synthgan.table.read import iter_table, read_table
from synthgan.table.write import write_table

TEXT_DTYPE = pd.Series(["a"]).dtype


def csv_file(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read_both_ways(path: Path, chunk_rows: int = 2) -> pd.DataFrame:
    """The whole table, once it is seen that chunks give the same."""
    whole = read_table(path)
    chunks = list(iter_table(path, chunk_rows=chunk_rows))
    assert all(list(chunk.dtypes) == list(whole.dtypes) for chunk in chunks)
    assert all(len(chunk) == chunk_rows for chunk in chunks[:-1])
    assert all(chunk.attrs == whole.attrs for chunk in chunks)
    pd.testing.assert_frame_equal(pd.concat(chunks, ignore_index=True), whole)
    return whole


def column(folder: Path, *cells: str) -> pd.Series:
    """One CSV column with these cells, beside another one so that empty cells are rows."""
    lines = ["a,other", *(f"{cell},x" for cell in cells)]
    return read_both_ways(csv_file(folder, "\n".join(lines) + "\n"))["a"]


def plain(series: pd.Series) -> list[object]:
    return [None if pd.isna(cell) else cell for cell in series]


def refusal(path: Path, **options: object) -> str:
    """The one message with which both ways of reading refuse a file."""
    with pytest.raises(TableError) as whole:
        read_table(path, **options)
    with pytest.raises(TableError) as chunked:
        iter_table(path, **options)
    assert str(whole.value) == str(chunked.value)
    assert "\n" not in str(whole.value)
    return str(whole.value)


# --- what the cells of a CSV column mean --------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "dtype", "values"),
    [
        (["1", "-20", "0"], "int64", [1, -20, 0]),
        (["1", "", "3"], "float64", [1.0, None, 3.0]),
        (["1", '""', "3"], "float64", [1.0, None, 3.0]),
        (["1", "NA", "N/A", "n/a", "NaN", "nan"], "float64", [1.0] + [None] * 5),
        (["1.5", "null", "NULL", "#N/A", "None"], "float64", [1.5] + [None] * 4),
        (["9223372036854775807", "1"], "int64", [2**63 - 1, 1]),
        (["9007199254740993", ""], "Int64", [2**53 + 1, None]),
        (["9007199254740993", "NA"], "Int64", [2**53 + 1, None]),
        (["1.5", "-2", ".5", "1e-3", "1E+05"], "float64", [1.5, -2.0, 0.5, 0.001, 1e5]),
        (["1e308", "1e-320", "0.1"], "float64", [1e308, 1e-320, 0.1]),
        (["inf", "-Infinity", "1"], "float64", [np.inf, -np.inf, 1.0]),
        (["", ""], "float64", [None, None]),
        (["True", "False"], "bool", [True, False]),
        (["True", "", "False"], "boolean", [True, None, False]),
    ],
)
def test_cells_that_are_numbers_or_booleans(
    tmp_path: Path, cells: list[str], dtype: str, values: list[object]
) -> None:
    read = column(tmp_path, *cells)
    assert str(read.dtype) == dtype
    assert plain(read) == values


@pytest.mark.parametrize(
    "cells",
    [
        ["01234", "90210"],  # ZIP codes
        ["00.5", "1.5"],
        ["+49151", "1"],
        ["1", " 2"],
        ["1", "2 "],
        ["0x1F", "1"],
        ["1_000", "1"],
        ["9223372036854775808", "1"],  # beyond int64: a float would lose digits
        ["1", "NA", "x"],
        ["NA", "NA"],
        ["None", "x"],
        ["True", "NA"],
        ["True", "1"],
        ["true", "false"],
        ["TRUE", "True"],
        ["2020-01-01", "2021-12-31"],
        ["1", '"1\n"'],
        ["-", "1"],
        [".", "1"],
        ["1e", "1"],
    ],
)
def test_cells_that_stay_text(tmp_path: Path, cells: list[str]) -> None:
    read = column(tmp_path, *cells)
    assert read.dtype == TEXT_DTYPE
    assert plain(read) == [cell.strip('"') for cell in cells]


def test_missing_text_is_missing_and_not_a_word(tmp_path: Path) -> None:
    assert plain(column(tmp_path, "x", "", "NA", '""')) == ["x", None, "NA", None]


@pytest.mark.parametrize(
    ("cells", "digits"),
    [
        (["12.50", "3.25"], 2),
        (["12.50", "", "NA"], 2),
        (["12.5", "3.0"], 1),
        (["12.25", "3.75"], None),  # no zero at an end: the format does not show
        (["12.50", "3.1"], None),
        (["12.50", "3"], None),
        (["12.50", "1e20"], None),
        (["12.50", "x"], None),
    ],
)
def test_fixed_decimals_are_noted(tmp_path: Path, cells: list[str], digits: int | None) -> None:
    path = csv_file(tmp_path, "\n".join(["a,b", *(f"{cell},1" for cell in cells)]))
    expected = {} if digits is None else {"synthgan.fixed_decimals": {"a": digits}}
    assert read_both_ways(path).attrs == expected


def test_types_follow_from_all_rows_not_the_first(tmp_path: Path) -> None:
    rows = [f"{i},{i}.50,True" for i in range(200_000)] + ["x,,"]
    path = csv_file(tmp_path, "a,b,c\n" + "\n".join(rows))
    chunks = iter_table(path, chunk_rows=50_000)
    first = next(chunks)
    assert [str(dtype) for dtype in first.dtypes] == [str(TEXT_DTYPE), "float64", "boolean"]
    assert first.attrs == {"synthgan.fixed_decimals": {"b": 2}}
    assert [len(chunk) for chunk in chunks] == [50_000, 50_000, 50_000, 1]


# --- dialects ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a,b\n1,x;y\n2,z\n", {"a": [1, 2], "b": ["x;y", "z"]}),
        ("a;b\n1;x,y\n2;z\n", {"a": [1, 2], "b": ["x,y", "z"]}),
        ("a\tb\n1\tx,y;z\n2\tz\n", {"a": [1, 2], "b": ["x,y;z", "z"]}),
        ("a|b\n1|x,y\n2|z\n", {"a": [1, 2], "b": ["x,y", "z"]}),
        ('a;b\n1;"x;\ny"\n2;z\n', {"a": [1, 2], "b": ["x;\ny", "z"]}),
        (
            'a,b\n1,"he said ""no"", twice"\n2,😀\n',
            {"a": [1, 2], "b": ['he said "no", twice', "😀"]},
        ),
        ("'a, b','c'\n'x,y',1\n", {"a, b": ["x,y"], "c": [1]}),
        ("a,b\n'tis,'twas\n", {"a": ["'tis"], "b": ["'twas"]}),
        ('name\n"Smith, J"\nDoe\n', {"name": ["Smith, J", "Doe"]}),
        ("name\nDoe\n\n\n", {"name": ["Doe"]}),
        ('name\nDoe\n""\n', {"name": ["Doe", None]}),
        ("a,b\r\n1,2\r\n\r\n", {"a": [1], "b": [2]}),
        ("a,b\r1,2\r", {"a": [1], "b": [2]}),
        ("a,b\n1,2", {"a": [1], "b": [2]}),
        ("\n\na,b\n1,2\n  \n", {"a": [1], "b": [2]}),
        ('"a\nb",c\n1,2\n', {"a\nb": [1], "c": [2]}),
        ("\ufeffa,b\n1,2\n", {"a": [1], "b": [2]}),
        ('\ufeff"a",b\n1,2\n', {"a": [1], "b": [2]}),
        ('a,b\n1,"x\n"\n\n', {"a": [1], "b": ["x\n"]}),
    ],
)
def test_dialects(tmp_path: Path, content: str, expected: dict[str, list[object]]) -> None:
    table = read_both_ways(csv_file(tmp_path, content))
    assert {name: plain(table[name]) for name in table} == expected


def test_a_tsv_file_is_split_at_tabs_only(tmp_path: Path) -> None:
    table = read_both_ways(csv_file(tmp_path, "a,b\n1,2\n", "t.tsv"))
    assert {name: list(table[name]) for name in table} == {"a,b": ["1,2"]}


def test_a_quoted_cell_longer_than_the_sample(tmp_path: Path) -> None:
    long = "x,\n" * 200_000
    table = read_both_ways(csv_file(tmp_path, f'a,b\n1,"{long}"\n2,y\n'))
    assert list(table["b"]) == [long, "y"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("lead", [0, 100_000])
def test_encodings(tmp_path: Path, encoding: str, lead: int) -> None:
    """Also where the first sign of the encoding comes late."""
    content = "a,b\n" + "plain,1\n" * lead + "Zoë,2\nJosé,3\n"
    table = read_both_ways(csv_file(tmp_path, content.encode(encoding)), chunk_rows=30_000)
    assert list(table["a"][-2:]) == ["Zoë", "José"]


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz", ".zip", ".zst"])
def test_compressed_files(tmp_path: Path, ending: str) -> None:
    raw = "a;b\n1;Zoë\n".encode("cp1252")
    if ending == ".zip":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("inside.txt", raw)
        packed = buffer.getvalue()
    else:
        pack = {
            ".gz": gzip.compress,
            ".bz2": bz2.compress,
            ".xz": lzma.compress,
            ".zst": lambda data: pa.compress(data, "zstd", asbytes=True),
        }
        packed = pack[ending](raw)
    table = read_both_ways(csv_file(tmp_path, packed, f"t.CSV{ending}"))
    assert table.to_dict("list") == {"a": [1], "b": ["Zoë"]}


# --- columns ------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["csv", "parquet", "feather"])
def test_columns_are_chosen_in_the_order_asked_for(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"t.{ending}"
    write_table(pd.DataFrame({"age": [1, 2], "b": ["x", "y"], "c": [0.5, 1.5]}), path)
    assert read_table(path, columns=["c", "age"]).to_dict("list") == {
        "c": [0.5, 1.5],
        "age": [1, 2],
    }
    (chunk,) = iter_table(path, columns=["c", "age"])
    assert list(chunk) == ["c", "age"]
    assert "no column 'aeg'; did you mean 'age'?" in refusal(path, columns=["aeg"])
    assert "has no column 'zzz'; there are 'age', 'b', 'c'" in refusal(path, columns=["zzz"])
    assert "'b' comes twice" in refusal(path, columns=["b", "b"])
    assert "columns is empty" in refusal(path, columns=[])


# --- what is refused ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("a,b\n", "no rows"),
        ("a,b", "no rows"),
        ("a,b,a\n1,2,3\n", "'a' comes twice"),
        ("a,,c\n1,2,3\n", "column 2 has no name"),
        (",a\n0,1\n", "column 1 has no name"),
        ("a,b,c\n1,2,3\n\n1,2\n", "line 4 has 2 cells, but the header has 3"),
        ("a,b\n1,2\nsecret\n", "line 3 has 1 cell, but the header has 2"),
        ('a,b\n"x\ny",2\n1,2,secret\n', "line 4 has 3 cells, but the header has 2"),
        ('a,b\n"secret,2\n3,4\n', "line 2 has 1 cell, but the header has 2; a quote opened there"),
        ('a,b\n1,"secret\n3,4\n', "a quote opened in the last row is never closed"),
        ("a,b\n1,\0secret\n", "binary"),
        (b"\x89PNG\r\n\x1a\n\x01\x02\x03\x04", "binary"),
        ("a,b\nZoë,1\n".encode("utf-16-le"), "binary"),
        (b"a,b\nsecret\x81,1\n", "neither UTF-8 nor Windows-1252"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "binary"),
    ],
)
def test_bad_csv_is_refused_in_one_line(tmp_path: Path, content: str | bytes, message: str) -> None:
    said = refusal(csv_file(tmp_path, content))
    assert message in said
    assert "secret" not in said


@pytest.mark.parametrize(
    ("late", "message"),
    [
        (b"1,2,secret\n", "line 100002 has 3 cells"),
        (b"secret\x81,1\n", "neither UTF-8 nor Windows-1252"),
        (b'"secret,1\n' + b"x,1\n" * 50_000, "line 100002"),
        (b'"secret,1\n' + b"x,1\n" * 2_000_000, "longer than 2 MB; a quote may never be closed"),
    ],
)
def test_faults_far_from_the_start_are_found(tmp_path: Path, late: bytes, message: str) -> None:
    said = refusal(csv_file(tmp_path, b"a,b\n" + b"x,1\n" * 100_000 + late))
    assert message in said
    assert "secret" not in said


def test_utf8_that_breaks_off_is_not_taken_for_another_encoding(tmp_path: Path) -> None:
    content = "a,b\n" + "Zoë,1\n" * 60_000
    path = csv_file(tmp_path, content.encode() + "José,2\n".encode("cp1252"))
    assert "begins as UTF-8" in refusal(path)


@pytest.mark.parametrize("delimiter", [";", "|", "\t"])
def test_another_delimiter_is_written_and_told_again(tmp_path: Path, delimiter: str) -> None:
    frame = pd.DataFrame({"a,b": ["1,50", "x;y", "t\tu|v"], "c": [0.5, 1.5, 2.5]})
    write_table(frame, tmp_path / "t.csv", delimiter=delimiter)
    assert (tmp_path / "t.csv").read_text().splitlines()[0] == f'"a,b"{delimiter}c'
    assert read_table(tmp_path / "t.csv").equals(frame)


@pytest.mark.parametrize(
    ("name", "delimiter", "says"),
    [
        ("t.csv", "x", "delimiter must be one of"),
        ("t.tsv", ";", "only .csv files"),
        ("t.parquet", ";", "only .csv files"),
    ],
)
def test_a_delimiter_that_would_not_be_known_is_refused(
    tmp_path: Path, name: str, delimiter: str, says: str
) -> None:
    with pytest.raises(TableError, match=says):
        write_table(pd.DataFrame({"a": [1]}), tmp_path / name, delimiter=delimiter)


def test_no_file_a_folder_an_unknown_ending(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "none.csv")
    assert "too long" in refusal(tmp_path / ("x" * 300 + ".csv"))
    (tmp_path / "folder.csv").mkdir()
    assert "is a folder" in refusal(tmp_path / "folder.csv")
    assert "save the table as CSV" in refusal(csv_file(tmp_path, "a\n1\n", "t.xlsx"))
    said = refusal(csv_file(tmp_path, "a\n1\n", "t.json"))
    assert all(ending in said for ending in (".csv", ".tsv", ".gz", ".parquet", ".feather"))
    with pytest.raises(TableError, match="chunk_rows must be at least 1"):
        iter_table(csv_file(tmp_path, "a\n1\n"), chunk_rows=0)


@pytest.mark.parametrize(
    "name",
    ["t.parquet", "t.feather", "t.arrow", "t.csv.gz", "t.csv.bz2", "t.csv.xz", "t.csv.zst"],
)
@pytest.mark.parametrize("kept", [-1, -20, 30])
def test_truncated_files_are_refused(tmp_path: Path, name: str, kept: int) -> None:
    path = tmp_path / name
    write_table(pd.DataFrame({"a": np.arange(1000), "b": "x"}), path)
    path.write_bytes(path.read_bytes()[:kept])
    assert "damaged" in refusal(path)


@pytest.mark.parametrize("ending", ["parquet", "feather", "arrow", "csv.gz", "csv.zip", "csv.xz"])
def test_files_that_are_not_what_their_ending_says(tmp_path: Path, ending: str) -> None:
    assert "damaged, or not what its ending says" in refusal(
        csv_file(tmp_path, "a,b\n1,2\n", f"t.{ending}")
    )


def test_a_zip_file_must_hold_one_table(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.csv.zip", "w") as archive:
        archive.writestr("a.csv", "a\n1\n")
        archive.writestr("b.csv", "a\n1\n")
    assert "exactly one file" in refusal(tmp_path / "t.csv.zip")


@pytest.mark.parametrize("ending", ["parquet", "feather", "arrow"])
def test_arrow_files_without_rows_or_with_bad_names(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"t.{ending}"
    write_table(pd.DataFrame({"a": pd.Series([], dtype="int64")}), path)
    assert "no rows" in refusal(path)
    pq.write_table(pa.table([[1], [2]], names=["a", "a"]), tmp_path / "twice.parquet")
    assert "'a' comes twice" in refusal(tmp_path / "twice.parquet")


# --- Parquet, Feather, Arrow ---------------------------------------------------------------

RICH = pd.DataFrame(
    {
        "i": [1, 2, 3],
        "small": np.array([1, 2, 3], dtype="int8"),
        "f": [0.5, None, 1.5],
        "f32": np.array([0.1, 1, 2], dtype="float32"),
        "b": [True, False, True],
        "text": ["x", None, "😀\n"],
        "Int64": pd.Series([1, None, 2**60], dtype="Int64"),
        "boolean": pd.Series([True, None, False], dtype="boolean"),
        "string": pd.Series(["x", None, "y"], dtype="string"),
        "arrow": pd.Series([1, None, 3], dtype="int64[pyarrow]"),
        "category": pd.Categorical(["x", None, "y"], categories=["y", "unused", "x"]),
        "ordered": pd.Categorical(["lo", "hi", "lo"], categories=["lo", "hi"], ordered=True),
        "codes": pd.Categorical([3, 1, None], categories=[1, 3]),
        "date": pd.to_datetime(["2020-01-01", None, "2020-02-29"]),
        "zone": pd.to_datetime(["2020-01-01", None, "2020-07-01"]).tz_localize("Europe/Berlin"),
        "span": pd.to_timedelta([1, None, 3], unit="s"),
    }
)


@pytest.mark.parametrize("ending", ["parquet", "feather", "arrow"])
def test_arrow_formats_keep_every_dtype(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"t.{ending}"
    assert write_table(RICH, path) == 3
    pd.testing.assert_frame_equal(read_both_ways(path), RICH)
    chunked = tmp_path / f"chunked.{ending}"
    assert write_table((RICH.iloc[i : i + 1] for i in range(3)), chunked) == 3
    pd.testing.assert_frame_equal(read_both_ways(chunked, chunk_rows=1), RICH)


@pytest.mark.parametrize("labels", [[7, 8], ["x", "y"]])
def test_row_labels_of_pandas_are_left_out_or_columns(tmp_path: Path, labels: list[object]) -> None:
    path = tmp_path / "t.parquet"
    frame = pd.DataFrame({"a": [1, 2]}, index=labels)
    frame.to_parquet(path)
    assert read_both_ways(path).to_dict("list") == {"a": [1, 2]}
    frame.rename_axis("key").to_parquet(path)
    assert read_both_ways(path).to_dict("list") == {"a": [1, 2], "key": labels}
    write_table(frame, path, overwrite=True)
    assert pq.read_schema(path).names == ["a"]


def test_files_of_other_programs_keep_their_types(tmp_path: Path) -> None:
    """Integers and booleans with holes, of which numpy has none; levels that differ by part."""
    parts = [
        pa.table({"i": [1, 2], "b": [True, False], "u": pa.array([1, 2], pa.uint8())}),
        pa.table({"i": [None, 3], "b": [None, True], "u": pa.array([None, 3], pa.uint8())}),
    ]
    levels = [pa.array(cells).dictionary_encode() for cells in (["x", "y"], ["z", None])]
    parts = [part.append_column("c", [each]) for part, each in zip(parts, levels, strict=True)]
    with pq.ParquetWriter(tmp_path / "t.parquet", parts[0].schema) as writer:
        for part in parts:
            writer.write_table(part)
    table = read_both_ways(tmp_path / "t.parquet")
    assert [str(dtype) for dtype in table.dtypes] == ["Int64", "boolean", "UInt8", "category"]
    assert plain(table["i"]) == [1, 2, None, 3]
    assert plain(table["c"]) == ["x", "y", "z", None]


def test_an_arrow_file_may_be_a_stream(tmp_path: Path) -> None:
    table = pa.table({"a": [1, None, 3]})
    with pa.ipc.new_stream(str(tmp_path / "t.arrow"), table.schema) as writer:
        writer.write_table(table)
    assert plain(read_both_ways(tmp_path / "t.arrow")["a"]) == [1, None, 3]


def test_attrs_of_a_frame_are_not_written(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1]})
    frame.attrs = {"note": "secret"}
    write_table(frame, tmp_path / "t.parquet")
    assert b"secret" not in (tmp_path / "t.parquet").read_bytes()
    assert frame.attrs == {"note": "secret"}


# --- writing CSV ----------------------------------------------------------------------------


def test_other_rows_may_decide_the_types(tmp_path: Path) -> None:
    holes = pd.DataFrame({"day": pd.Series([None, None], dtype=object)})
    days = pd.DataFrame({"day": [datetime.date(2024, 1, 2)]})
    for name, like in (("without.parquet", None), ("with.parquet", days)):
        write_table(holes, tmp_path / name, like=like)
    types = [
        pq.read_schema(tmp_path / f"{name}.parquet").field("day").type
        for name in ("without", "with")
    ]
    assert types == [pa.string(), pa.date32()]


def written(folder: Path, frame: pd.DataFrame, name: str = "t.csv") -> str:
    write_table(frame, folder / name, overwrite=True)
    return (folder / name).read_bytes().decode()


def test_csv_is_written_as_pandas_writes_it(tmp_path: Path) -> None:
    numbers = [1.0, -0.0, 0.1, 1e15, 1e16, 1e22, 1e-4, 1e-5, 1 / 3, 5e-324, 1e308, 12345678901.5]
    frame = pd.DataFrame(
        {
            "f": [*numbers, np.nan, np.inf, -np.inf],
            "i": np.arange(15) - 7,
            "wide": pd.Series([2**63 - 1, None] * 7 + [1], dtype="Int64"),
            "b": [True, False, True] * 5,
            "bn": pd.Series([True, None, False] * 5, dtype="boolean"),
            "t": ["x", 'say "hi"', "a,b"] * 5,
            "n": [None, "two\nlines", ""] * 5,
            "mixed": [1, "a", None] * 5,
            "c": pd.Categorical([1.5, None, 2.5] * 5),
            "d": pd.to_datetime(["2020-01-01", None, "1999-12-31"] * 5),
            "dt": pd.to_datetime(["2020-01-01 00:00:01", None, "1999-12-31 23:59:59"] * 5),
            "p": pd.period_range("2020", periods=15, freq="M"),
            "date": [datetime.date(1500, 1, 2), None, datetime.date(9999, 1, 1)] * 5,
            "time": [datetime.time(1, 2, 3), None, datetime.time(0)] * 5,
            "Zoë 😀": "é",
        }
    )
    assert written(tmp_path, frame) == frame.to_csv(index=False)
    assert written(tmp_path, frame, "t.tsv").startswith("f\ti\twide")


def test_dates_are_written_in_one_form_a_column(tmp_path: Path) -> None:
    stamps = ["2020-01-01 00:00:00", "2020-07-01 12:00:00.5"]
    frame = pd.DataFrame(
        {"a": pd.to_datetime(stamps, format="ISO8601"), "day": pd.to_datetime(["2020-01-01"] * 2)}
    )
    frame["zone"] = frame["a"].dt.tz_localize("Europe/Berlin")
    assert written(tmp_path, frame).splitlines()[1:] == [
        "2020-01-01 00:00:00.000,2020-01-01,2020-01-01 00:00:00.000+01:00",
        "2020-07-01 12:00:00.500,2020-01-01,2020-07-01 12:00:00.500+02:00",
    ]


def test_numbers_that_look_whole_stay_floats(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [1, 2]})
    write_table(frame, tmp_path / "t.csv")
    pd.testing.assert_frame_equal(read_both_ways(tmp_path / "t.csv"), frame, check_exact=True)


@pytest.mark.parametrize("compression", ["", ".gz", ".bz2", ".xz", ".zip", ".zst"])
@pytest.mark.parametrize("ending", [".csv", ".tsv"])
def test_compressed_writing_is_the_same_every_time(
    tmp_path: Path, ending: str, compression: str
) -> None:
    frame = pd.DataFrame({"a": range(1000), "b": "Zoë"})
    names = [tmp_path / f"{stem}{ending}{compression}" for stem in ("one", "two")]
    for path in names:
        write_table(frame, path)
        pd.testing.assert_frame_equal(read_table(path), frame)
    if compression != ".zip":  # a ZIP file holds the name
        assert names[0].read_bytes() == names[1].read_bytes()


@pytest.mark.parametrize("compression", [".gz", ".bz2", ".xz", ".zip"])
def test_pandas_reads_what_is_compressed_here(tmp_path: Path, compression: str) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    write_table(frame, tmp_path / f"t.csv{compression}")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / f"t.csv{compression}"), frame)


cells = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8) | st.text(
    ",;|\t\"'\n\r \\😀é\ufeffx", max_size=8
)
names = cells.filter(lambda name: name.strip() and not name.startswith("\ufeff"))


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    data=st.data(),
    header=st.lists(names, min_size=1, max_size=4, unique=True),
    ending=st.sampled_from(["csv", "tsv", "parquet", "feather"]),
)
def test_text_survives_the_round_trip(
    tmp_path: Path, data: st.DataObject, header: list[str], ending: str
) -> None:
    rows = data.draw(st.integers(1, 6))
    table = {
        # a cell with a letter keeps the column text
        name: ["q", *data.draw(st.lists(cells, min_size=rows, max_size=rows))]
        for name in header
    }
    frame = pd.DataFrame(table)
    path = tmp_path / f"t.{ending}"
    write_table(frame, path, overwrite=True)
    expected = frame if ending in ("parquet", "feather") else frame.where(frame != "", None)
    read = read_table(path)
    assert list(read) == header
    assert {name: plain(read[name]) for name in read} == {
        name: plain(expected[name]) for name in header
    }


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    floats=st.lists(st.floats(allow_nan=True), min_size=1, max_size=8),
    integers=st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=8),
)
def test_numbers_survive_the_round_trip(
    tmp_path: Path, floats: list[float], integers: list[int]
) -> None:
    for values in (floats, integers):
        frame = pd.DataFrame({"a": values})
        write_table(frame, tmp_path / "t.csv", overwrite=True)
        read = read_table(tmp_path / "t.csv")
        pd.testing.assert_frame_equal(read, frame, check_exact=True)
        assert np.array_equal(np.signbit(read["a"]), np.signbit(frame["a"])) or read["a"].hasnans


# --- writing: what is refused, and what is left behind -------------------------------------


def test_chunks_must_agree(tmp_path: Path) -> None:
    one = pd.DataFrame({"a": [1], "c": pd.Categorical(["x"])})
    for chunks, message in (
        ([], "nothing to write"),
        ([one, one[["c", "a"]]], "same columns"),
        ([one, one.assign(a="secret")], "column 'a' has cells that do not fit the type int64"),
        ([one, one.assign(c=pd.Categorical(["secret"]))], "column 'c': a later chunk"),
        (pd.DataFrame({"m": [1, "secret"]}), "column 'm' has cells that do not fit one type"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "'a' comes twice"),
        (pd.DataFrame({" ": [1]}), "column 1 has no name"),
        (pd.DataFrame(index=[1]), "no columns"),
    ):
        with pytest.raises(TableError, match=message) as caught:
            write_table(chunks, tmp_path / "t.parquet")
        assert "secret" not in str(caught.value)
        assert not list(tmp_path.iterdir())


def test_a_chunk_may_know_fewer_categories_or_only_holes(tmp_path: Path) -> None:
    chunks = [
        pd.DataFrame({"c": pd.Categorical(["x", "y"]), "t": [None, None]}),
        pd.DataFrame({"c": pd.Categorical(["y"]), "t": ["late"]}),
    ]
    write_table(chunks, tmp_path / "t.parquet")
    read = read_both_ways(tmp_path / "t.parquet")
    assert plain(read["c"]) == ["x", "y", "y"]
    assert plain(read["t"]) == [None, None, "late"]


def test_text_that_utf8_cannot_express(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": pd.Series(["\ud800"], dtype=object)})
    with pytest.raises(TableError, match="column 'a' holds text that UTF-8 cannot"):
        write_table(frame, tmp_path / "t.csv")
    assert not list(tmp_path.iterdir())


def test_an_existing_file_is_kept_unless_told(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "old")
    for refuse in (
        lambda: check_writable(path),
        lambda: check_target(path),
        lambda: write_table(RICH, path),
        lambda: write_bytes_atomically(path, b"new"),
    ):
        with pytest.raises(TableError, match=r"already exists; pass --overwrite .*overwrite=True"):
            refuse()
    assert path.read_text() == "old"
    path.chmod(0o640)
    check_writable(path, overwrite=True)
    assert write_table(pd.DataFrame({"a": [1]}), path, overwrite=True) == 1
    assert path.read_text() == "a\n1\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    write_bytes_atomically(path, b"new", overwrite=True)
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_places_where_nothing_can_be_written(tmp_path: Path) -> None:
    for path, message in (
        (tmp_path / "none" / "t.csv", "no folder"),
        (tmp_path / "t.json", r"known are \.csv"),
        (tmp_path / "t.xlsx", "name a .csv file"),
        (tmp_path / ("x" * 300 + ".csv"), "too long"),
        ("", "ending"),
    ):
        with pytest.raises(TableError, match=message):
            check_writable(path)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(TableError, match="is a folder"):
        check_writable(tmp_path / "folder.csv", overwrite=True)
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(TableError, match="no regular file"):
        check_writable(tmp_path / "pipe.csv", overwrite=True)
    check_writable("-")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(TableError, match="Permission denied"):
        check_writable(tmp_path / "t.csv")


def test_a_link_is_followed_not_replaced(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "old")
    (tmp_path / "link.csv").symlink_to(path)
    write_table(pd.DataFrame({"a": [1]}), tmp_path / "link.csv", overwrite=True)
    assert (tmp_path / "link.csv").is_symlink()
    assert path.read_text() == "a\n1\n"


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.csv.xz", "t.parquet", "t.feather"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, name: str) -> None:
    path = csv_file(tmp_path, "old", name)
    noise = np.random.default_rng(0)
    chunks = [pd.DataFrame({"a": noise.normal(size=20_000)}) for _ in range(3)]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(TableError, match=r"cannot be written: File too large"):
            write_table(chunks, path, overwrite=True)
        with pytest.raises(TableError, match=r"cannot be written: File too large"):
            write_bytes_atomically(path, bytes(200_000), overwrite=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["t.csv", "t.csv.zip", "t.parquet", "t.arrow"])
@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt])
def test_a_source_that_fails_leaves_nothing(
    tmp_path: Path, name: str, kind: type[BaseException]
) -> None:
    def chunks() -> Iterator[pd.DataFrame]:
        yield RICH
        raise kind("stop")

    with pytest.raises(kind, match="stop"):
        write_table(chunks(), tmp_path / name)
    assert not list(tmp_path.iterdir())


# --- standard output -------------------------------------------------------------------------


def test_a_dash_is_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert write_table([pd.DataFrame({"a": [1, None]}), pd.DataFrame({"a": ["é"]})], "-") == 3
    assert capfdbinary.readouterr().out == 'a\n1.0\n""\né\n'.encode()


def test_a_reader_that_has_enough_is_no_error() -> None:
    program = (
        "import pandas as pd\n"
        "from synthgan import write_table\n"
        "chunk = pd.DataFrame({'a': range(50_000)})\n"
        "rows = write_table((chunk for _ in range(1000)), '-')\n"
        "assert rows < 50_000_000\n"
    )
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"a\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


# --- memory ----------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["csv", "parquet", "feather"])
def test_memory_does_not_grow_with_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    """Copied chunk by chunk, a table is never in memory whole, or even half."""
    monkeypatch.setattr("synthgan.table.csv_read._BLOCK_BYTES", 1 << 15)
    chunk = pd.DataFrame({"a": np.arange(20_000) / 3, "b": "some words in a cell"})
    path = tmp_path / f"t.{ending}"
    write_table((chunk for _ in range(20)), path)
    before = pa.total_allocated_bytes()
    whole = pa.Table.from_pandas(pd.concat([chunk] * 20)).nbytes
    held = 0

    def watched() -> Iterator[pd.DataFrame]:
        nonlocal held
        for each in iter_table(path, chunk_rows=5_000):
            held = max(held, pa.total_allocated_bytes() - before)
            yield each

    assert write_table(watched(), tmp_path / f"copy.{ending}") == 400_000
    assert 0 < held < whole / 2


def test_the_header_comes_once_also_after_an_empty_chunk(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2]})
    assert write_table([frame.head(0), frame], tmp_path / "t.csv") == 2
    assert (tmp_path / "t.csv").read_text().splitlines() == ["a", "1", "2"]
