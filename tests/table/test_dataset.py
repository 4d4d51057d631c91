"""Tables in several part files: folders, globs, URLs, and parts that do not agree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sample_tables import people

from synthgan.errors import TableError
from synthgan.table.read import count_cells, iter_table, open_dataset, read_table
from synthgan.table.write import write_table

WRITERS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    ".parquet": lambda frame, path: frame.to_parquet(path, index=False),
    ".feather": write_table,
    ".csv": lambda frame, path: frame.to_csv(path, index=False),
    ".csv.gz": lambda frame, path: frame.to_csv(path, index=False),
}


def parts(folder: Path, frame: pd.DataFrame, ending: str, count: int = 4) -> Path:
    """A folder with the rows of ``frame`` in ``count`` part files."""
    folder.mkdir()
    for number, rows in enumerate(np.array_split(np.arange(len(frame)), count)):
        WRITERS[ending](frame.iloc[rows].reset_index(drop=True), folder / f"part-{number}{ending}")
    return folder


@pytest.mark.parametrize("ending", WRITERS)
def test_part_files_are_one_table(tmp_path: Path, ending: str) -> None:
    frame = people(500)
    frame.loc[200:, "age"] = frame.loc[200:, "age"].where(frame.loc[200:, "age"] % 9 > 0)
    frame["age"] = frame["age"].astype("Int64")  # the first part has no holes
    WRITERS[ending](frame, tmp_path / f"whole{ending}")
    whole = read_table(tmp_path / f"whole{ending}")
    folder = parts(tmp_path / "parts", frame, ending)
    (folder / "_SUCCESS").touch()
    (folder / ".hidden").write_text("not a part")
    for where in (folder, f"{folder}/", f"{tmp_path}/*/part-?{ending}", folder.as_uri()):
        pd.testing.assert_frame_equal(read_table(where), whole)
        chunks = list(iter_table(where, chunk_rows=90))
        assert [len(chunk) for chunk in chunks] == [90] * 5 + [50]
        for chunk in chunks:
            assert chunk.dtypes.equals(whole.dtypes)
        pd.testing.assert_frame_equal(pd.concat(chunks, ignore_index=True), whole)


def test_fsspec_reads_what_arrow_does_not_know(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    frame = people(60)
    folder = parts(tmp_path / "parts", frame, ".parquet", 3)
    memory = fsspec.filesystem("memory")
    memory.put(f"{folder}/", "/deep/parts/", recursive=True)
    whole = read_table(folder)
    for where in ("memory://deep/parts", "memory://deep/*/part-*.parquet", "memory://deep/**/p*"):
        pd.testing.assert_frame_equal(read_table(where), whole)
    with pytest.raises(TableError, match="no such file"):
        read_table("memory://deep/none.parquet")
    with pytest.raises(TableError, match="no file has such a name"):
        read_table("memory://deep/*.csv")
    with pytest.raises(TableError, match="cannot be read"):
        read_table("nosuch://x/y.csv")


def test_categoricals_with_other_levels_in_each_part(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": pd.Categorical(["x"] * 5 + ["y"] * 5), "b": range(10)})
    for number, rows in enumerate((slice(0, 5), slice(5, 10))):
        part = frame.iloc[rows].copy()
        part["a"] = part["a"].cat.remove_unused_categories()
        part.to_parquet(tmp_path / f"{number}.parquet")
    found = read_table(tmp_path)
    assert found["a"].dtype == "category"
    assert found["a"].tolist() == frame["a"].tolist()


def test_a_part_without_a_cell_and_one_without_a_row(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [None, None], "b": [1, 2]}), tmp_path / "0.parquet")
    pq.write_table(pa.table({"b": [3], "a": ["x"]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"a": ["x"][:0], "b": [3][:0]}), tmp_path / "2.parquet")
    found = read_table(tmp_path)
    assert found["a"].isna().tolist() == [True, True, False]
    assert (found["a"][2], found["b"].tolist()) == ("x", [1, 2, 3])
    for number, text in enumerate(("a,b\n", "a,b\n1,x\n", "b,a\ny,2.5\n")):
        (tmp_path / f"{number}.csv").write_text(text)
    assert read_table(f"{tmp_path}/*.csv").to_dict("list") == {"a": [1.0, 2.5], "b": ["x", "y"]}


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"a": [1]}, ("1.parquet has no column 'b'", "0.parquet")),
        ({"a": [1], "b": ["x"], "c": [0]}, ("1.parquet has a column 'c'",)),
        ({"a": ["secret"], "b": ["x"]}, ("1.parquet: column 'a' is string, but int64",)),
    ],
)
def test_parts_that_do_not_agree_are_refused(
    tmp_path: Path, other: dict[str, list[object]], words: tuple[str, ...]
) -> None:
    pq.write_table(pa.table({"a": [1, 2], "b": ["x", "y"]}), tmp_path / "0.parquet")
    pq.write_table(pa.table(other), tmp_path / "1.parquet")
    for read in (read_table, open_dataset):
        with pytest.raises(TableError) as caught:
            read(tmp_path)
        assert all(word in str(caught.value) for word in words), caught.value
        assert "secret" not in str(caught.value)


def test_csv_parts_with_other_columns_are_refused(tmp_path: Path) -> None:
    (tmp_path / "0.csv").write_text("a,b\n1,2\n")
    (tmp_path / "1.csv").write_text("a,c\n1,2\n")
    with pytest.raises(TableError, match=r"1\.csv has no column 'b', but .*0\.csv has"):
        read_table(tmp_path)


def test_folders_that_are_no_table(tmp_path: Path) -> None:
    def said() -> str:
        with pytest.raises(TableError) as caught:
            read_table(tmp_path)
        return str(caught.value)

    assert "without part files" in said()
    (tmp_path / "a.csv").write_text("a\n1\n")
    (tmp_path / "b.parquet").write_bytes(b"PAR1")
    assert "one format" in said()
    (tmp_path / "b.parquet").unlink()
    (tmp_path / "year=2020").mkdir()
    assert "year=2020" in said()
    (tmp_path / "year=2020").rmdir()
    (tmp_path / "b.csv").touch()
    assert "b.csv is empty" in said()
    with pytest.raises(TableError, match="no file has such a name"):
        read_table(tmp_path / "*.feather")


def test_a_sample_comes_from_all_over_the_table(tmp_path: Path) -> None:
    folder = parts(tmp_path / "parts", pd.DataFrame({"row": np.arange(20_000)}), ".parquet")
    dataset = open_dataset(folder)
    assert (dataset.rows, dataset.columns) == (20_000, 1)
    rows = dataset.sample(1000, np.random.default_rng(0))["row"]
    assert 800 < len(rows) < 1200
    assert rows.is_monotonic_increasing
    assert np.histogram(rows, bins=4, range=(0, 20_000))[0].min() > 180
    assert len(dataset.sample(10**9, np.random.default_rng(0))) == 20_000


def test_cells_are_counted_without_reading_them(tmp_path: Path) -> None:
    frame = people(2000)
    folder = parts(tmp_path / "parquet", frame, ".parquet")
    assert count_cells(folder) == frame.size
    assert 0.3 < count_cells(parts(tmp_path / "csv", frame, ".csv")) / frame.size < 3
