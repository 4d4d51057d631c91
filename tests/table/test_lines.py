"""CSV for a private fit: a physical line is a row, and no line says how another one is read."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthgan import Column, Kind, TableError, read_table, split_file
from synthgan.privacy.reading import read_column
from synthgan.table.lines import MOST_BYTES

LINES = [b"1,a", b'2,"b, ""c"""', b"3,", b",d", b'"4","e"', b"5,f\tg", "6,\u00e9".encode()]
ROWS = [["1", "a"], ["2", 'b, "c"'], ["3", None], [None, "d"], ["4", "e"], ["5", "f\tg"],
        ["6", "\u00e9"]]  # fmt: skip
MALFORMED = [
    b'7,"oops', b'"7,oops', b'7,oops"', b'7,o"ops', b'"', b'""x,1', b'"a"b",c', b"1,2,3", b"1",
    b"1,2,", b"\xff,1", b"1,\xe4", b"\x00,1", b"1,a\x00", b"\xed\xa0\x80,1", b"," * 500,
    b'"",' * 300_000, b"1," + b"x" * (MOST_BYTES + 5),
    b'1,"' + b"x" * (2 * MOST_BYTES + 5),
]  # fmt: skip


def rows_of(path: Path, **more: Any) -> list[list[str | None]]:
    frame = read_table(path, as_text=True, **more).astype(object)
    return [[None if pd.isna(cell) else cell for cell in row] for row in frame.to_numpy().tolist()]


def written(path: Path, lines: list[bytes], *, header: bytes = b"x,t", end: bytes = b"\n") -> Path:
    path.write_bytes(end.join([header, *lines]) + end)
    return path


def test_lines_are_read(tmp_path: Path) -> None:
    assert rows_of(written(tmp_path / "t.csv", LINES)) == ROWS


@pytest.mark.parametrize("odd", MALFORMED, ids=lambda line: repr(line[:12]))
def test_a_malformed_line_is_a_row_of_missing_cells(odd: bytes, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    for place in (0, 3, len(LINES)):
        found = rows_of(written(path, [*LINES[:place], odd, *LINES[place:]]))
        assert found == [*ROWS[:place], [None, None], *ROWS[place:]]


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    lines=st.lists(st.binary(max_size=12).filter(lambda b: b"\n" not in b), max_size=6),
    place=st.integers(0, 6),
    odd=st.binary(max_size=12).filter(lambda b: b"\n" not in b),
    end=st.sampled_from([b"\n", b"\r\n"]),
)
def test_any_line_adds_a_row_at_most_and_changes_none(
    lines: list[bytes], place: int, odd: bytes, end: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    place = min(place, len(lines))
    before, alone, after = (
        rows_of(written(path, some, end=end)) for some in (lines[:place], [odd], lines[place:])
    )
    assert len(alone) <= 1
    found = rows_of(written(path, [*lines[:place], odd, *lines[place:]], end=end))
    assert found == [*before, *alone, *after]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_the_header_says_how_lines_end(end: bytes, tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", LINES, end=end)
    assert rows_of(path) == ROWS
    path.write_bytes(path.read_bytes().removesuffix(end))
    assert rows_of(path) == ROWS
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert rows_of(path) == ROWS


def test_a_line_of_many_quotes_is_read_soon(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", [b'""' * 500_000 + b",", b'"' + b'""' * 500_000 + b'",x'])
    assert rows_of(path) == [['"' * 499_999, None], ['"' * 500_000, "x"]]


def test_blank_lines_are_no_rows_but_of_a_single_column(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", [b"", *LINES, b" ", b"\r"])
    assert rows_of(path) == ROWS
    path = written(tmp_path / "one.csv", [b"a", b"", b"b", b'""'], header=b"x")
    assert rows_of(path) == [["a"], [None], ["b"], [None]]


@pytest.mark.parametrize("delimiter", [";", "|", "\t", ","])
def test_the_header_says_the_delimiter(delimiter: str, tmp_path: Path) -> None:
    header = f"x{delimiter}t".encode()
    odd = [b"a,b,c,d,e,f"] * 50 if delimiter != "," else [b"a;b;c;d"] * 50
    good = f"1{delimiter}a".encode()
    found = rows_of(written(tmp_path / "t.csv", [good, *odd], header=header))
    assert found == [["1", "a"], *[[None, None]] * 50]
    ending = ".tsv" if delimiter == "\t" else ".csv"
    path = written(tmp_path / f"u{ending}", [good], header=header)
    assert rows_of(path, expected=["t", "x"]) == [["1", "a"]]


def test_names_that_are_known_settle_the_delimiter(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", [b"1;a,b"], header=b"x;t,u,v")
    assert len(read_table(path, as_text=True).columns) == 3
    assert rows_of(path, expected=["x", "t,u,v"]) == [["1", "a,b"]]


def test_what_is_wrong_with_a_header_quotes_none_of_it(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    for header in (b"Ann,HIV", b"x,t,HIV", b"x,x", b"x", b'x,"t', b"x,\xe4", b"\xff\xfex\x00"):
        written(path, LINES, header=header)
        with pytest.raises(TableError) as caught:
            read_table(path, as_text=True, expected=["x", "t"])
        assert "HIV" not in str(caught.value)
        assert "Ann" not in str(caught.value)
    path.write_bytes(b"\n \n")
    with pytest.raises(TableError, match="is empty"):
        read_table(path, as_text=True)


def test_parts_and_compressed_files(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    written(folder / "a.csv", [LINES[0], b'9,"oops'])
    (folder / "b.csv.gz").write_bytes(gzip.compress(b't;x\r\na;1\r\n\r\n"oops;2\r\nb;3'))
    with zipfile.ZipFile(folder / "c.csv.zip", "w") as archive:
        archive.writestr("c.csv", "x,t\n")
    found = rows_of(folder, expected=["x", "t"])
    assert found == [["1", "a"], [None, None], ["1", "a"], [None, None], ["3", "b"]]
    written(folder / "d.csv", LINES, header=b"x,HIV")
    with pytest.raises(TableError, match=r"d\.csv.*no column 't'") as caught:
        read_table(folder, as_text=True, expected=["x", "t"])
    assert "HIV" not in str(caught.value)


def test_a_header_may_be_quoted(tmp_path: Path) -> None:
    for header in (b'"x","t"', b"'x','t'"):
        assert rows_of(written(tmp_path / "t.csv", [b"1,a"], header=header)) == [["1", "a"]]


def test_a_file_may_have_no_rows(tmp_path: Path) -> None:
    frame = read_table(written(tmp_path / "t.csv", []), as_text=True)
    assert list(frame) == ["x", "t"]
    assert len(frame) == 0
    pd.DataFrame({"x": [1]})[:0].to_parquet(tmp_path / "t.parquet")
    assert len(read_table(tmp_path / "t.parquet", as_text=True)) == 0


def test_many_lines_come_in_their_order(tmp_path: Path) -> None:
    lines = [f"{i},{'x' * (i % 97)}".encode() for i in range(40_000)]
    frame = read_table(written(tmp_path / "t.csv", lines), as_text=True, columns=["t", "x"])
    assert list(frame) == ["t", "x"]
    assert frame["x"].tolist() == [str(i) for i in range(40_000)]
    assert frame["t"].fillna("").str.len().tolist() == [i % 97 for i in range(40_000)]


def test_other_formats_keep_their_types_whatever_is_missing(tmp_path: Path) -> None:
    wide = 2**53 + 1
    for cells in ([wide, 1], [wide, None]):
        pa.feather.write_feather(pa.table({"x": pa.array(cells)}), tmp_path / "t.feather")
        assert read_table(tmp_path / "t.feather", as_text=True)["x"][0] == wide


def test_text_that_is_no_utf8_is_the_affair_of_its_row(tmp_path: Path) -> None:
    bad = pa.array([b"a", b"\xff", b"b"]).view(pa.string())
    pa.feather.write_feather(
        pa.table({"x": bad}), tmp_path / "t.feather", compression="uncompressed"
    )
    frame = read_table(tmp_path / "t.feather", as_text=True)
    column = Column(name="x", kind=Kind.CATEGORY, dtype="object")
    assert read_column(frame["x"], column).tolist() == ["a", None, "b"]


def of_bytes(kind: Any, *cells: int) -> Any:
    """An Arrow array whose type does not allow all of its cells."""
    size = kind.bit_width // 8
    held = b"".join(cell.to_bytes(size, "little", signed=True) for cell in cells)
    return pa.Array.from_buffers(kind, len(cells), [None, pa.py_buffer(held)])


BAD_TEXT = pa.array([b"a", b"\xff"]).view(pa.string())
ONE_EACH = pa.array([0, 1, 2], pa.int32())
NOT_ALLOWED = [
    of_bytes(pa.date64(), 0, 12_345),
    of_bytes(pa.time32("s"), 0, 90_000),
    of_bytes(pa.time64("us"), 0, -5),
    of_bytes(pa.decimal128(5, 2), 100, 10**9),
    pa.DictionaryArray.from_arrays(pa.array([0, 1]), BAD_TEXT),
    pa.ListArray.from_arrays(ONE_EACH, BAD_TEXT),
    pa.StructArray.from_arrays([BAD_TEXT], ["x"]),
    pa.MapArray.from_arrays(ONE_EACH, BAD_TEXT, pa.array([1, 2])),
]


@pytest.mark.parametrize("cells", NOT_ALLOWED, ids=lambda cells: str(cells.type))
def test_a_cell_that_its_type_does_not_allow_is_the_affair_of_its_row(
    tmp_path: Path, cells: Any
) -> None:
    names = ("t", "train", "holdout")
    table, train, holdout = (tmp_path / f"{name}.feather" for name in names)
    ipc(table, pa.table({"x": cells, "y": pa.array([1, 2])}))
    assert read_table(table, as_text=True)["y"].tolist() == [1, 2]
    done = split_file(table, train, holdout)
    assert done.train + done.holdout == 2


def test_cells_that_lie_elsewhere_are_damage(tmp_path: Path) -> None:
    offsets = pa.array([0, 900, 1], pa.int32()).buffers()[1]
    text = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"ab")])
    lists = pa.Array.from_buffers(
        pa.list_(pa.int8()), 2, [None, offsets], children=[pa.nulls(1, pa.int8())]
    )
    levels = pa.DictionaryArray.from_arrays(pa.array([0, 7]), pa.array(["a"]), safe=False)
    for cells in (text, lists, levels):
        ipc(tmp_path / "t.feather", pa.table({"x": cells}))
        with pytest.raises(TableError, match="damaged"):
            read_table(tmp_path / "t.feather", as_text=True)


def ipc(path: Path, table: Any) -> None:
    with pa.ipc.new_file(str(path), table.schema) as file:
        file.write_table(table)
