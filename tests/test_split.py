"""Setting rows aside: every row on one side, groups together, files as they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

import synthgan
from synthgan.cli import main
from synthgan.errors import TableError


def run(*args: object) -> Result:
    return CliRunner().invoke(main, ["split", *map(str, args)])


@given(
    rows=st.integers(2, 300),
    holdout=st.floats(0.2, 0.8),
    seed=st.integers(0, 9),
)
def test_every_row_is_on_one_side(rows: int, holdout: float, seed: int) -> None:
    frame = pd.DataFrame({"n": np.arange(rows)})
    if not 0 < round(holdout * rows) < rows:
        return
    train, held = synthgan.split_table(frame, holdout=holdout, seed=seed)
    assert len(held) == round(holdout * rows)
    pd.testing.assert_frame_equal(pd.concat([train, held]).sort_index(), frame)
    assert train.index.is_monotonic_increasing
    assert held.index.is_monotonic_increasing


def test_rows_are_set_aside_at_random_and_the_seed_decides() -> None:
    frame = pd.DataFrame({"n": np.arange(10_000)})
    _, held = synthgan.split_table(frame)
    assert held["n"].mean() == pytest.approx(5_000, abs=250)
    pd.testing.assert_frame_equal(held, synthgan.split_table(frame, seed=0)[1])
    assert not held.index.equals(synthgan.split_table(frame, seed=1)[1].index)


def test_rows_of_one_person_stay_together() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"person": rng.integers(0, 300, 3_000).astype(float)})
    frame.loc[::50, "person"] = np.nan
    train, held = synthgan.split_table(frame, by="person", holdout=0.3)
    assert not set(train["person"].dropna()) & set(held["person"].dropna())
    assert len(held) / len(frame) == pytest.approx(0.3, abs=0.02)
    assert held["person"].isna().any()
    assert train["person"].isna().any()


@pytest.mark.parametrize("holdout", [0, 1, -1, 2, float("nan")])
def test_a_share_is_between_0_and_1(holdout: float) -> None:
    with pytest.raises(TableError, match="between 0 and 1"):
        synthgan.split_table(pd.DataFrame({"n": [1, 2, 3]}), holdout=holdout)


def test_a_part_without_rows_is_refused() -> None:
    with pytest.raises(TableError, match="too few rows"):
        synthgan.split_table(pd.DataFrame({"n": [1, 2]}), holdout=0.1)
    with pytest.raises(TableError, match="too few different cells in column 'n'"):
        synthgan.split_table(pd.DataFrame({"n": [1] * 50}), by="n")
    with pytest.raises(TableError, match="did you mean 'person'"):
        synthgan.split_table(pd.DataFrame({"person": [1, 2]}), by="persn")


def test_the_command_leaves_two_files_with_cells_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [f"{i:05d},{i / 4:.2f},{'' if i % 3 else 'x'}" for i in range(50)]
    Path("data.csv").write_text("\n".join(["zip,price,mark", *lines, ""]))
    result = run("data.csv", "--holdout", 0.3)
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        "35 rows: train.csv",
        "15 rows: holdout.csv",
        "next: synthgan fit train.csv",
    ]
    parts = [Path(name).read_text().splitlines() for name in ("train.csv", "holdout.csv")]
    assert [part[0] for part in parts] == ["zip,price,mark"] * 2
    assert sorted(parts[0][1:] + parts[1][1:]) == sorted(lines)


def test_the_command_writes_the_delimiter_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data.csv").write_bytes("größe;wert\n".encode("cp1252") + b"1;2,5\n3;4,5\n" * 10)
    assert run("data.csv", "--delimiter", ";").exit_code == 0
    assert Path("train.csv").read_text("utf-8").splitlines()[0] == "größe;wert"
    assert run("data.csv", "--delimiter", "tab", "--overwrite").exit_code == 0
    assert "\t" in Path("holdout.csv").read_text("utf-8")


def test_the_command_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pd.DataFrame({"n": range(20)}).to_parquet("data.parquet")
    Path("holdout.parquet").write_text("mine")
    result = run("data.parquet")
    assert result.exit_code == 2
    assert "holdout.parquet already exists" in result.stderr
    assert not Path("train.parquet").exists()
    assert run("data.parquet", "--overwrite", "--quiet").exit_code == 0
    assert len(pd.read_parquet("holdout.parquet")) == 4
    both = run("data.parquet", "--train-file", "a.csv", "--holdout-file", "a.csv")
    assert both.exit_code == 2
    assert "name two files" in both.stderr
