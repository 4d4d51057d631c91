"""Rows of files set aside: lines copied byte by byte, each by a coin that no other line decides."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import synthgan
from synthgan import SplitConfig, split_file
from synthgan.errors import TableError
from synthgan.table.formats import format_of

KEY = bytes(range(32))


def stream(data: bytes) -> Callable[[int], bytes]:
    return io.BytesIO(data).read


def split(
    folder: Path, data: bytes, config: SplitConfig | None = None, coins: bytes | None = None
) -> tuple[bytes, bytes]:
    """What becomes of the bytes of a CSV file."""
    (folder / "data.csv").write_bytes(data)
    files = (folder / "train.csv", folder / "holdout.csv")
    more = {} if coins is None else {"coins": stream(coins)}
    split_file(folder / "data.csv", *files, config, overwrite=True, **more)  # type: ignore[arg-type]
    return files[0].read_bytes(), files[1].read_bytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("split")


LINE = st.one_of(
    st.binary(max_size=12).map(lambda b: b.replace(b"\n", b"").replace(b"\r", b"")),
    st.sampled_from(
        [b'7,"oops', b'"', b"1.50,NA", b"007,x", b"a,b,c,d", b'"a""b",1', b"\xff\xfe,1", b" ",
         b"1e308,-0", b"\xc2\x85,\xe2\x80\xa8", b"\x0b\x0c\x1c,1", b"x,\x00"]
    ),
).filter(len)  # fmt: skip
END = st.sampled_from([b"\n", b"\r\n", b"\r"])


@settings(max_examples=50)
@given(lines=st.lists(LINE, max_size=8), new=LINE, end=END, seed=st.integers(0, 99))
@example(lines=[b"1,2", b"3,4"], new=b'7,"oops', end=b"\n", seed=0)
def test_lines_are_copied_and_a_line_more_moves_no_other(
    folder: Path, lines: list[bytes], new: bytes, end: bytes, seed: int
) -> None:
    coins = np.random.default_rng(seed).bytes(8 * (len(lines) + 1))
    half = SplitConfig(holdout=0.5)

    def parts(rows: list[bytes], coins: bytes) -> list[list[bytes]]:
        found = split(folder, end.join([b"x,y", *rows, b""]), half, KEY + coins)
        assert all(part.startswith(b"x,y" + end) for part in found)
        return [part.removeprefix(b"x,y" + end).split(end)[:-1] for part in found]

    before, after = parts(lines, coins[8:]), parts([new, *lines], coins)
    words = np.frombuffer(coins, "<u8")
    sides = [[], []]  # type: list[list[bytes]]
    for line, word in zip(lines, words[1:], strict=True):
        sides[int(word < 2**63)].append(line)
    assert before == sides
    sides[int(words[0] < 2**63)].insert(0, new)
    assert after == sides


UNIT = st.sampled_from(["", "ann", "bob", "Zoë", "NA", "007", '"q,1"', "7"])


@settings(max_examples=40)
@given(units=st.lists(UNIT, max_size=10), new=st.one_of(UNIT, st.just('"open')))
def test_a_line_more_moves_no_other_unit(folder: Path, units: list[str], new: str) -> None:
    def held(who: list[str]) -> set[int]:
        lines = [f"{number},{unit}" for number, unit in who]  # type: ignore[misc]
        data = "\n".join(["n,who", *lines, ""]).encode()
        part = split(folder, data, SplitConfig(holdout=0.5, by="who"), KEY + bytes(8 * len(who)))
        return {int(line.split(b",")[0]) for line in part[1].splitlines()[1:]}

    numbered = list(enumerate(units, start=1))
    assert held([(0, new), *numbered]) - {0} == held(numbered)  # type: ignore[list-item]


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_units_stay_together_in_every_encoding(folder: Path, codec: str) -> None:
    lines = [f"{'Zoë' if i % 3 else 'Jörg'};{i}" for i in range(60)]
    data = "\n".join(["name;größe", *lines, ""]).encode(codec)
    parts = split(folder, data, SplitConfig(by="name", holdout=0.5))
    text = [part.decode(codec) for part in parts]
    assert all(each.startswith("name;größe\n") for each in text)
    names = [{line.split(";")[0] for line in each.splitlines()[1:]} for each in text]
    assert not names[0] & names[1]
    assert sorted(line for each in text for line in each.splitlines()[1:]) == sorted(lines)
    with pytest.raises(TableError, match="did you mean 'größe'"):
        split(folder, data, SplitConfig(by="grösse"))


def test_records_with_line_breaks_stay_whole_by_flag_or_seed_and_are_told_of(
    tmp_path: Path,
) -> None:
    rows = [f'{i},"two\nlines, {i}"' for i in range(40)]
    (tmp_path / "data.csv").write_text("\n".join(["n,text", *rows, ""]))
    files = (tmp_path / "a.csv", tmp_path / "b.csv")
    for config in (SplitConfig(records=True), SplitConfig(seed=1, holdout=0.5)):
        done = split_file(tmp_path / "data.csv", *files, config, overwrite=True)
        assert done.train + done.holdout == 40
        assert done.mark == ("records" if config.records else "seed")
        found = [file.read_text().removeprefix("n,text\n") for file in files]
        assert all(each in found[0] + found[1] for each in rows)
        assert sum(map(len, found)) == sum(len(row) + 1 for row in rows)
    torn = split_file(tmp_path / "data.csv", *files, overwrite=True)
    assert torn.torn
    assert torn.mark is None
    assert torn.train + torn.holdout == 80


@pytest.mark.parametrize("ending", [".csv.gz", ".csv.zip", ".csv.xz", ".tsv", ".csv"])
def test_compressed_files_and_other_folders(tmp_path: Path, ending: str) -> None:
    frame = pd.DataFrame({"a": [f"{i:03d}" for i in range(90)], "b": ["1.50"] * 90})
    data = tmp_path / f"data{ending}"
    synthgan.write_table(frame, data)
    (tmp_path / "out").mkdir()
    files = (tmp_path / "out" / f"t{ending}", tmp_path / "out" / f"h{ending}")
    split_file(data, *files)
    parts = [synthgan.read_table(file, as_text=True) for file in files]
    both = pd.concat(parts).sort_values("a", ignore_index=True)
    assert both.astype(object).equals(frame.astype(object))
    with pytest.raises(TableError, match="already exists"):
        split_file(data, *files)
    other = tmp_path / f"t{'.parquet' if format_of(data)[0] == '.csv' else '.csv'}"
    with pytest.raises(TableError, match="rows are copied as they are"):
        split_file(data, other, files[1], overwrite=True)


def test_part_files_are_split_together_where_they_are_written_alike(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "1.csv").write_text("a,b\n1,2\n3,4")
    (folder / "2.csv").write_text("a,b\n5,6\n")
    done = split_file(folder, tmp_path / "t.csv", tmp_path / "h.csv")
    assert done.train + done.holdout == 3
    lines = [(tmp_path / f"{each}.csv").read_text().splitlines()[1:] for each in "th"]
    assert sorted(lines[0] + lines[1]) == ["1,2", "3,4", "5,6"]
    (folder / "2.csv").write_text("b,a\n5,6\n")
    with pytest.raises(TableError, match="another header"):
        split_file(folder, tmp_path / "t.csv", tmp_path / "h.csv", overwrite=True)


@pytest.mark.parametrize("ending", [".parquet", ".feather", ".arrow"])
def test_arrow_types_stay_as_they_are(tmp_path: Path, ending: str) -> None:
    frame = pd.DataFrame(
        {
            "small": np.arange(50, dtype="int8"),
            "holes": pd.array([1, None] * 25, dtype="Int64"),
            "level": pd.Categorical(["lo", "hi"] * 25, ["lo", "hi", "none"], ordered=True),
            "when": pd.date_range("2020", periods=50, tz="Europe/Berlin"),
            "who": [f"p{i // 5}" for i in range(50)],
        }
    )
    table = pa.Table.from_pandas(frame).append_column(
        "price", pa.array([None, *range(49)], pa.decimal128(9, 2))
    )
    data = tmp_path / f"data{ending}"
    if ending == ".parquet":
        pq.write_table(table, data)
    else:
        with pa.ipc.new_file(str(data), table.schema) as sink:
            sink.write_table(table, 7)
    files = (tmp_path / f"t{ending}", tmp_path / f"h{ending}")
    done = split_file(data, *files, SplitConfig(by="who", holdout=0.4))
    assert done.train + done.holdout == 50
    read = [
        pq.read_table(f) if ending == ".parquet" else pa.ipc.open_file(str(f)).read_all()
        for f in files
    ]
    for part in read:
        assert part.schema.equals(table.schema)
        assert b"RangeIndex" not in (part.schema.metadata or {}).get(b"pandas", b"")
        assert b'"stop"' not in (part.schema.metadata or {}).get(b"pandas", b"")
    assert sorted(read[0]["small"].to_pylist() + read[1]["small"].to_pylist()) == list(range(50))
    who = [set(part["who"].to_pylist()) for part in read]
    assert not who[0] & who[1]
    for file, part in zip(files, read, strict=True):
        if part.num_rows:
            dtypes = synthgan.read_table(file).dtypes
            assert dtypes["small"] == "int8"
            assert dtypes["level"].ordered


def test_a_file_without_rows_gives_two_without(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("a,b\n")
    done = split_file(tmp_path / "data.csv", tmp_path / "t.csv", tmp_path / "h.csv")
    assert (done.train, done.holdout) == (0, 0)
    assert (tmp_path / "t.csv").read_text() == (tmp_path / "h.csv").read_text() == "a,b\n"
    (tmp_path / "data.csv").write_text("\n\n")
    with pytest.raises(TableError, match="is empty"):
        split_file(tmp_path / "data.csv", tmp_path / "t.csv", tmp_path / "h.csv", overwrite=True)
    (tmp_path / "data.csv").write_text('a,"b\n1,2\n')
    with pytest.raises(TableError, match="header cannot be read"):
        split_file(tmp_path / "data.csv", tmp_path / "t.csv", tmp_path / "h.csv", overwrite=True)


def test_another_delimiter_changes_nothing_else(tmp_path: Path) -> None:
    text = 'größe;wert\n1.50;"a;b"\n007;"say ""x"""\n"open;1\nNA;,\n'
    (tmp_path / "data.csv").write_bytes(text.encode("cp1252"))
    files = (tmp_path / "t.csv", tmp_path / "h.csv")
    split_file(tmp_path / "data.csv", *files, delimiter=",")
    parts = [file.read_text("utf-8").splitlines() for file in files]
    assert parts[0][0] == parts[1][0] == "größe,wert"
    wanted = ['"open;1', '007,"say ""x"""', '1.50,"a;b"', 'NA,","']
    assert sorted(parts[0][1:] + parts[1][1:]) == wanted


@pytest.mark.parametrize(
    "units",
    [
        pa.array([0, 2**62]).view(pa.timestamp("us")),
        pa.array([0, 2**30], pa.int32()).view(pa.date32()),
        pa.array([0, 2**55]).view(pa.duration("us")),
        pa.array([b"a", b"\xff"]).view(pa.string()),
    ],
    ids=lambda units: str(units.type),
)
def test_a_unit_that_python_cannot_hold_names_nobody(tmp_path: Path, units: Any) -> None:
    files = tuple(tmp_path / f"{name}.parquet" for name in ("data", "train", "holdout"))
    pq.write_table(pa.table({"who": units}), files[0])
    done = split_file(*files, SplitConfig(by="who"))
    assert done.train + done.holdout == 2
