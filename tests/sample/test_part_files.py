"""Part files: the same rows whoever writes them, resumed, shared, and never mixed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sample_tables import people, quick, quick_model

import synthgan
from synthgan.errors import ConditionError, ConfigError, TableError
from synthgan.schema.constraints.unique import Unique

ROWS = 3 * 8192 + 100


def parts(folder: Path, **settings: object) -> synthgan.Parts:
    wanted: dict[str, object] = {"rows": ROWS, "chunks": 1, **settings}
    return synthgan.Parts(folder=folder, **wanted)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parts") / "whole"
    paths = quick_model().sample_parts(parts(folder), seed=5)
    assert [path.name for path in paths] == [f"part-0000{i}-of-00004.parquet" for i in "1234"]
    return folder


def test_parts_are_the_rows_of_one_sample(whole: Path) -> None:
    table = synthgan.read_table(whole)
    wanted = pd.concat(quick_model().iter_samples(ROWS, seed=5), ignore_index=True)
    pd.testing.assert_frame_equal(table, wanted, check_dtype=False)


def test_shards_write_the_same_files(whole: Path, tmp_path: Path) -> None:
    for number in (2, 1):
        mine = parts(tmp_path / "shards", shard=(number, 2))
        written = quick_model().sample_parts(mine, seed=5)
        assert [int(path.name[5:10]) % 2 for path in written] == [number % 2] * 2
    for path in sorted(whole.iterdir()):
        assert (tmp_path / "shards" / path.name).read_bytes() == path.read_bytes(), path.name


def test_what_is_there_is_kept_and_the_seed_with_it(whole: Path, tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stop(path: Path) -> None:
        if "00002" in path.name:
            raise Stop

    folder = tmp_path / "resumed"
    with pytest.raises(Stop):
        quick_model().sample_parts(parts(folder), seed=5, on_part=stop)
    kept = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert len(kept) == 3  # two parts and the manifest
    done: list[str] = []
    quick_model().sample_parts(parts(folder), on_part=lambda path: done.append(path.name))
    assert len(done) == 4
    assert all((folder / name).stat().st_mtime_ns == then for name, then in kept.items())
    for path in whole.iterdir():
        assert (folder / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("settings", "options", "word"),
    [
        ({"rows": ROWS + 1}, {}, "rows"),
        ({"chunks": 2}, {}, "part rows"),
        ({"ending": ".csv"}, {}, "ending"),
        ({}, {"seed": 6}, "seed"),
        ({}, {"where": "age > 30"}, "where"),
        ({}, {"balance": "rich"}, "balance"),
        ({}, {"locale": "de_DE"}, "locale"),
    ],
)
def test_other_arguments_are_refused(
    whole: Path, settings: dict[str, object], options: dict[str, object], word: str
) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in whole.iterdir()}
    with pytest.raises(TableError, match=f"parts of another table: {word} differs"):
        quick_model().sample_parts(parts(whole, **settings), **options)  # type: ignore[arg-type]
    assert {path.name: path.stat().st_mtime_ns for path in whole.iterdir()} == before


def test_another_model_is_refused_and_the_same_one_from_a_file_is_not(
    whole: Path, tmp_path: Path
) -> None:
    quick_model().save(tmp_path / "m.synthgan")
    again = synthgan.load(tmp_path / "m.synthgan", device="cpu")
    assert len(again.sample_parts(parts(whole))) == 4
    other = synthgan.fit(people(), config=quick(3))
    with pytest.raises(TableError, match="model differs"):
        other.sample_parts(parts(whole))


def test_conditions_hold_in_parts(tmp_path: Path) -> None:
    wanted = parts(tmp_path / "rich", rows=300, ending=".csv.gz")
    quick_model().sample_parts(wanted, where='rich == "yes"', balance="member", seed=1)
    table = synthgan.read_table(tmp_path / "rich")
    assert len(table) == 300
    assert set(table["rich"]) == {"yes"}
    assert abs(table["member"].mean() - 0.5) < 0.01
    manifest = json.loads((tmp_path / "rich" / "_synthgan.json").read_text())
    assert manifest["where"] == 'rich == "yes"'
    assert (manifest["rows"], manifest["seed"]) == (300, 1)


@pytest.mark.parametrize("shard", [(0, 4), (5, 4), (1, 0), (-1, 2)])
def test_a_shard_out_of_range_is_refused(shard: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match=r"shard .* is out of range: shards are numbered 1/"):
        parts(Path("x"), shard=shard)
    with pytest.raises(ConfigError, match="rows must be at least 1"):
        parts(Path("x"), rows=0)


def test_shards_need_one_seed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="one seed"):
        quick_model().sample_parts(parts(tmp_path / "x", shard=(1, 2)))
    assert not (tmp_path / "x").exists()


def test_more_shards_than_parts(tmp_path: Path) -> None:
    few = parts(tmp_path / "few", rows=10, shard=(3, 4))
    assert quick_model().sample_parts(few, seed=1) == []


def test_folders_of_something_else_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(TableError, match=r"holds other files, such as mine\.txt"):
        quick_model().sample_parts(parts(tmp_path), seed=1)
    with pytest.raises(TableError, match="is a file"):
        quick_model().sample_parts(parts(tmp_path / "mine.txt"), seed=1)
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "_synthgan.json").write_text("{}")
    with pytest.raises(TableError, match="does not say what the parts"):
        quick_model().sample_parts(parts(tmp_path / "odd"), seed=1)
    with pytest.raises(TableError, match="cannot be made"):
        quick_model().sample_parts(parts(tmp_path / "no" / "where"), seed=1)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_keys_of_the_whole_table_are_refused(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": np.arange(400) // 20, "b": np.arange(400) % 20, "c": 1.0})
    schema = synthgan.infer_schema(frame, constraints=False)
    keyed = synthgan.Schema(columns=schema.columns, constraints=(Unique(columns=("a", "b")),))
    model = synthgan.fit(frame, keyed, quick(3))
    with pytest.raises(ConditionError, match="unique in the whole table"):
        model.sample_parts(parts(tmp_path / "x"), seed=1)
    assert not (tmp_path / "x").exists()
