"""Setting rows aside: every row on one side, groups together, files as they were."""

from __future__ import annotations

import io
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

import synthgan
from synthgan.cli.app import main
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
    _, held = synthgan.split_table(frame, seed=0)
    assert held["n"].mean() == pytest.approx(5_000, abs=250)
    pd.testing.assert_frame_equal(held, synthgan.split_table(frame, seed=0)[1])
    assert not held.index.equals(synthgan.split_table(frame, seed=1)[1].index)


def test_rows_of_one_person_stay_together() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"person": rng.integers(0, 300, 3_000).astype(float)})
    frame.loc[::50, "person"] = np.nan
    train, held = synthgan.split_table(frame, by="person", holdout=0.3, seed=0)
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
        synthgan.split_table(pd.DataFrame({"n": [1, 2]}), holdout=0.1, seed=0)
    with pytest.raises(TableError, match="too few different cells in column 'n'"):
        synthgan.split_table(pd.DataFrame({"n": [1] * 50}), by="n", seed=0)
    with pytest.raises(TableError, match="did you mean 'person'"):
        synthgan.split_table(pd.DataFrame({"person": [1, 2]}), by="persn")


def test_the_command_leaves_two_files_with_cells_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [f"{i:05d},{i / 4:.2f},{'' if i % 3 else 'x'}" for i in range(50)]
    Path("data.csv").write_text("\n".join(["zip,price,mark", *lines, ""]))
    result = run("data.csv", "--holdout", 0.3, "--seed", 0)
    assert result.exit_code == 0
    *said, note, then = result.stderr.splitlines()
    assert "private fit (--epsilon) of these parts would not cover" in note
    assert [*said, then] == [
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
    assert run("data.parquet", "--overwrite", "--quiet", "--seed", 0).exit_code == 0
    assert len(pd.read_parquet("holdout.parquet")) == 4
    both = run("data.parquet", "--train-file", "a.csv", "--holdout-file", "a.csv")
    assert both.exit_code == 2
    assert "name two files" in both.stderr


# --- secret coins -----------------------------------------------------------------------


def stream(data: bytes) -> Callable[[int], bytes]:
    """Bytes of a source that gives the same each time, from the beginning."""
    return io.BytesIO(data).read


KEY = bytes(range(32))


@given(coins=st.binary(min_size=8, max_size=8), rows=st.integers(0, 40), seed=st.integers(0, 99))
def test_a_row_more_in_front_changes_no_other_rows_coin(coins: bytes, rows: int, seed: int) -> None:
    frame = pd.DataFrame({"n": np.arange(rows)}, dtype=object)
    others = np.random.default_rng(seed).bytes(8 * rows)
    before = synthgan.split_table(frame, holdout=0.5, coins=stream(KEY + others))
    more = pd.concat([pd.DataFrame({"n": ["new"]}, dtype=object), frame])
    after = synthgan.split_table(more, holdout=0.5, coins=stream(KEY + coins + others))
    for one, other in zip(before, after, strict=True):
        assert [n for n in other["n"] if n != "new"] == one["n"].tolist()


CELLS = st.one_of(
    st.integers(-3, 3),
    st.sampled_from([True, 1.0, -0.0, 0.5, np.nan, None, "1", "a", "A", 10**400, Decimal("1.50")]),
)


@given(units=st.lists(CELLS, max_size=20), new=CELLS, place=st.integers(0, 20))
def test_a_unit_more_moves_no_other_unit(units: list[object], new: object, place: int) -> None:
    def sides(cells: list[object]) -> list[bool]:
        frame = pd.DataFrame({"who": pd.Series(cells, dtype=object)})
        _, held = synthgan.split_table(
            frame, by="who", holdout=0.5, coins=stream(KEY + bytes(8 * len(cells)))
        )
        return [i in set(held.index) for i in range(len(cells))]

    more = [*units[:place], new, *units[place:]]
    found, where = sides(more), min(place, len(units))
    assert [*found[:where], *found[where + 1 :]] == sides(units)


def test_equal_units_share_a_coin_and_rows_without_one_have_their_own() -> None:
    people = [f"p{i % 200}" if i % 5 else None for i in range(5000)]
    frame = pd.DataFrame({"who": people})
    train, held = synthgan.split_table(frame, by="who", holdout=0.5)
    assert not set(train["who"].dropna()) & set(held["who"].dropna())
    assert 300 < held["who"].isna().sum() < 700
    whole, held_floats = (
        synthgan.split_table(pd.DataFrame({"who": [1, 2, 3, 4] * 3}).astype(dtype), by="who",
                             coins=stream(KEY + bytes(96)))[1]
        for dtype in ("int64", "float64")
    )  # fmt: skip
    assert whole.index.equals(held_floats.index)


def test_secret_coins_differ_each_time_and_meet_the_share() -> None:
    frame = pd.DataFrame({"n": np.arange(10_000)})
    (_, one), (_, other) = (synthgan.split_table(frame) for _ in range(2))
    assert not one.index.equals(other.index)
    for held in (one, other):
        assert abs(len(held) - 2_000) < 240  # 6 deviations
    assert synthgan.split_table(frame[:0])[0].empty


def test_the_odds_of_a_row_do_not_hang_on_the_number_of_rows() -> None:
    """Of a seeded split, a third of the rows are others with one row more."""
    frame = pd.DataFrame({"n": np.arange(3_000)})
    seeded = [set(synthgan.split_table(f, seed=0)[0]["n"]) for f in (frame, frame[1:])]
    assert len(seeded[0] ^ seeded[1]) > 300
    coins = np.random.default_rng(0).bytes(8 * 3_000)
    sources = (stream(KEY + coins), stream(KEY + coins[8:]))
    secret = [
        set(synthgan.split_table(f, coins=c)[0]["n"])
        for f, c in zip((frame, frame[1:]), sources, strict=True)
    ]
    assert secret[0] ^ secret[1] <= {0}


# --- what a private fit refuses -----------------------------------------------------------


def fit_privately(data: object, schema: synthgan.Schema, *, told: bool = False) -> object:
    privacy = synthgan.PrivacyConfig(epsilon=5, public_split=told)
    train = synthgan.TrainConfig(steps=1, device="cpu")
    config = synthgan.Config(privacy=privacy, train=train)
    return synthgan.fit(data, schema, config)  # type: ignore[arg-type]


def test_a_private_fit_refuses_a_seeded_split_unless_told_that_it_is_public(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame({"a": [1, 2, 3, 4] * 100, "b": ["x", "y"] * 200})
    frame.to_csv("data.csv", index=False)
    schema = synthgan.public_part(synthgan.infer_schema(frame, constraints=False))
    part = synthgan.split_table(frame, seed=1)[0]
    assert run("data.csv", "--seed", 3).exit_code == 0
    again = run("train.csv", "--train-file", "t2.csv", "--holdout-file", "h2.csv")
    assert "would not cover the table" in again.stderr  # a part of a part
    synthgan.write_table(part[:100], "written.parquet")
    Path("parts").mkdir()
    for name in ("train.csv", "train.csv.split.json"):
        Path("parts", name).write_bytes(Path(name).read_bytes())
    read = synthgan.read_table("train.csv")
    for data in (part, part[:50], read, "train.csv", "t2.csv", "written.parquet", "parts"):
        with pytest.raises(TableError, match="public_split=True"):
            fit_privately(data, schema)
    model = fit_privately("parts", schema, told=True)
    assert "is public which" in "\n".join(model.protections)  # type: ignore[attr-defined]
    assert fit_privately(synthgan.split_table(frame)[0], schema)
    refused = CliRunner().invoke(main, ["fit", "train.csv", "--epsilon", "5", "--declare"])
    assert refused.exit_code == 2
    assert "--public-split" in refused.stderr
    told = ("--public-split", "--steps", "1", "--device", "cpu")
    allowed = CliRunner().invoke(main, ["fit", "train.csv", "--epsilon", "5", "--declare", *told])
    assert allowed.exit_code == 0, allowed.stderr
    alone = CliRunner().invoke(main, ["fit", "data.csv", "--public-split"])
    assert "go with --epsilon" in alone.stderr


def test_marks_go_when_files_are_replaced_and_foreign_files_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pd.DataFrame({"a": range(50)}).to_csv("data.csv", index=False)
    marks = [Path("train.csv.split.json"), Path("holdout.csv.split.json")]
    assert run("data.csv", "--seed", 0).exit_code == 0
    assert all(mark.exists() for mark in marks)
    assert run("data.csv", "--overwrite").exit_code == 0
    assert not any(mark.exists() for mark in marks)
    assert run("data.csv", "--records", "--overwrite").exit_code == 0
    synthgan.write_table(pd.DataFrame({"a": [1]}), "train.csv", overwrite=True)
    assert [mark.exists() for mark in marks] == [False, True]
    marks[0].write_text('{"mine": 1}')
    assert run("data.csv", "--overwrite").exit_code == 0
    assert marks[0].read_text() == '{"mine": 1}'
    assert "already exists" in run("data.csv", "--overwrite", "--seed", 0).stderr
    few = run("data.csv", "--seed", 0, "--holdout", 0.001, "--train-file", "x.csv")
    assert few.exit_code == 2
    assert not Path("x.csv.split.json").exists()


def test_a_unit_that_cannot_be_spelled_names_nobody() -> None:
    class Hostile:
        def __str__(self) -> str:
            raise ValueError("no")

    whole = pd.DataFrame({"who": pd.Series([Hostile(), "a", Hostile(), "a"], dtype=object)})
    train, holdout = synthgan.split_table(whole, by="who")
    assert len(train) + len(holdout) == 4
    days = np.array([-62_135_596_800 - 10**7, 0], dtype="M8[s]")
    zoned = pd.Series(days).dt.tz_localize("UTC").dt.tz_convert("America/New_York")
    train, holdout = synthgan.split_table(zoned.to_frame("who"), by="who")
    assert len(train) + len(holdout) == 2
