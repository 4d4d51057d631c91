"""fit, load and Synthesizer as a user meets them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sample_tables import people, quick, quick_model

import synthgan
from synthgan import Kind, Schema, infer_schema
from synthgan.sample.draw import CHUNK_ROWS


def test_rows_look_like_the_table() -> None:
    frame, rows = people(), quick_model().sample(500, seed=0)
    assert list(rows.columns) == list(frame.columns)
    assert (rows.dtypes == frame.dtypes).all()
    assert rows["age"].between(18, 90).all()
    assert set(rows["rich"]) == {"yes", "no"}
    assert set(rows["job"].dropna()) <= {"boss", "clerk", "smith"}
    assert rows["since"].between(frame["since"].min(), frame["since"].max()).all()
    assert (rows["since"] == rows["since"].dt.normalize()).all()
    assert 0.2 < (rows["wealth"] == 0).mean() < 0.6
    assert 0.02 < rows["score"].isna().mean() < 0.25
    assert (rows["score"].dropna().round(3) == rows["score"].dropna()).all()


def test_rows_depend_on_each_other_as_in_the_table() -> None:
    rows = synthgan.fit(people(2000), config=quick(400)).sample(2000, seed=0)
    assert (rows.loc[rows["job"] == "boss", "rich"] == "yes").mean() > 0.8
    assert (rows.loc[rows["job"] == "clerk", "rich"] == "no").mean() > 0.8


def test_a_seed_repeats_rows_and_none_does_not() -> None:
    model = quick_model()
    assert model.sample(50, seed=3).equals(model.sample(50, seed=3))
    assert not model.sample(50, seed=3).equals(model.sample(50, seed=4))
    assert not model.sample(50).equals(model.sample(50))


def test_fitting_twice_gives_the_same_model() -> None:
    a, b = (synthgan.fit(people(300), config=quick(12)) for _ in range(2))
    assert a.sample(100, seed=0).equals(b.sample(100, seed=0))


def test_neither_fit_nor_sample_touches_global_randomness() -> None:
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    synthgan.fit(people(100), config=quick(6)).sample(10)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert (np.random.get_state()[1] == numpy_state).all()  # noqa: NPY002


def test_chunks_do_not_depend_on_who_draws_them() -> None:
    model, rows = quick_model(), CHUNK_ROWS + 100
    chunks = list(model.iter_samples(rows, seed=5))
    assert [len(chunk) for chunk in chunks] == [CHUNK_ROWS, 100]
    whole = model.sample(rows, seed=5)
    assert pd.concat(chunks, ignore_index=True).equals(whole)
    assert model.sample(CHUNK_ROWS, seed=5).equals(whole.head(CHUNK_ROWS))


def test_the_table_is_left_as_it_was() -> None:
    frame = people(200)
    copy = frame.copy(deep=True)
    synthgan.fit(frame, config=quick(6))
    pd.testing.assert_frame_equal(frame, copy)


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".feather"])
def test_fit_reads_files(tmp_path: Path, ending: str) -> None:
    frame = people(150)
    path = tmp_path / f"people{ending}"
    synthgan.write_table(frame, path)
    rows = synthgan.fit(path, config=quick(6)).sample(20, seed=0)
    assert list(rows.columns) == list(frame.columns)
    assert rows["age"].dtype == frame["age"].dtype


def test_fixed_decimals_come_back_in_text(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    prices = [f"{cents / 100:.2f}" if cents % 7 else "" for cents in rng.integers(0, 9000, 300)]
    (tmp_path / "in.csv").write_text("price,n\n" + "".join(f"{p},{len(p)}\n" for p in prices))
    model = synthgan.fit(tmp_path / "in.csv", config=quick(6))
    synthgan.write_table(model.iter_samples(200, seed=0), tmp_path / "out.csv")
    cells = [line.split(",")[0] for line in (tmp_path / "out.csv").read_text().splitlines()[1:]]
    assert all(re.fullmatch(r"(\d+\.\d\d)?", cell) for cell in cells)
    assert any(cell.endswith("0") for cell in cells)
    assert "" in cells
    assert model.sample(200, seed=0)["price"].dtype == np.float64


def test_a_schema_overrides_what_would_be_inferred() -> None:
    frame = people(200)
    inferred = infer_schema(frame)
    schema = Schema.from_json(inferred.to_json().replace('"integer"', '"category"'))
    assert schema["age"].kind is Kind.CATEGORY
    rows = synthgan.fit(frame, schema, quick(6)).sample(100, seed=0)
    counts = frame["age"].value_counts()
    assert set(rows["age"].dropna()) <= set(counts.index[counts >= 5])


def test_a_schema_of_another_table_is_refused() -> None:
    with pytest.raises(synthgan.SchemaError, match="job"):
        synthgan.fit(people(50).drop(columns="job"), infer_schema(people(50)), quick(6))


@pytest.mark.parametrize("n", [0, -1, 1.5, "10", True])
def test_a_number_of_rows_must_be_one(n: object) -> None:
    with pytest.raises(synthgan.ConfigError, match="at least 1"):
        quick_model().sample(n)  # type: ignore[arg-type]
    assert len(quick_model().sample(seed=0)) == quick_model().rows


@pytest.mark.parametrize("dtype", ["category", "string", "Int64", "boolean", "float32", "int8",
                                   "datetime64[ns, Europe/Oslo]", "string[pyarrow]"])  # fmt: skip
def test_dtypes_come_back(dtype: str) -> None:
    rng = np.random.default_rng(0)
    if dtype in {"category", "string", "string[pyarrow]"}:
        series = pd.Series(rng.choice(["a", "b", None], 120)).astype(dtype)
    elif dtype.startswith("datetime64"):
        stamps = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 500, 120), "h")
        series = pd.Series(stamps).dt.tz_localize("UTC").dt.tz_convert("Europe/Oslo").astype(dtype)
    elif dtype == "boolean":
        series = pd.Series(pd.array(rng.choice([True, False, None], 120), dtype="boolean"))
    else:
        series = pd.Series(rng.integers(0, 50, 120)).astype(dtype)
    if dtype == "Int64":
        series[rng.random(120) < 0.2] = pd.NA
    frame = pd.DataFrame({"x": series, "y": rng.random(120)})
    rows = synthgan.fit(frame, config=quick(6)).sample(40, seed=0)
    assert str(rows["x"].dtype) == str(series.dtype)
    assert rows["x"].isna().any() or not series.isna().any()


@pytest.mark.parametrize("rows", [5, 7])
def test_tiny_tables_can_be_learned(rows: int) -> None:
    drawn = synthgan.fit(people(rows), config=quick(6)).sample(5, seed=0)
    assert list(drawn.columns) == list(people(rows).columns)


def test_wide_tables_can_be_learned() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"c{i}": rng.integers(0, 3, 60) for i in range(500)})
    assert synthgan.fit(frame, config=quick(2)).sample(7, seed=0).shape == (7, 500)


def test_columns_that_name_rows_are_generated() -> None:
    frame = people(300)
    frame.insert(0, "id", [f"AB-{i * 37 % 9973:04d}" for i in range(300)])
    model = synthgan.fit(frame, config=quick(6))
    rows = model.sample(CHUNK_ROWS + 500, seed=0)
    assert rows["id"].is_unique
    assert rows["id"].str.fullmatch(r"[A-Z]{2}-\d{4,}").all()
    assert any("'id'" in line and "generated" in line for line in model.protections)


def test_protections_are_said() -> None:
    lines = quick_model().protections
    assert any("'job'" in line and "fewer than 5 rows never come" in line for line in lines)
    assert any("'wealth'" in line and "5th largest" in line for line in lines)
    assert not any("astronaut" in line for line in lines)


@pytest.mark.parametrize(
    ("rare", "said"),
    [
        (("x", "y"), "'c': values with fewer than 5 rows never come out"),  # of four rows
        (("x", "y", "z"), "about 5 values with fewer than 5 rows (3.1% of rows) never come out"),
    ],
)
def test_rare_values_are_counted_in_words(rare: tuple[str, ...], said: str) -> None:
    cells = ["a", "b"] * (100 - len(rare)) + list(rare) * 2
    table = pd.DataFrame({"c": cells, "n": np.arange(200.0) % 7})
    model = synthgan.fit(table, config=synthgan.Config(train=synthgan.TrainConfig(steps=2)))
    assert any(said in line for line in model.protections), model.protections


def test_unprotected_fits_say_nothing_of_extremes() -> None:
    config = synthgan.Config(
        summary=synthgan.SummaryConfig(min_category_rows=1, extreme_rows=1),
        network=quick().network,
        train=quick(6).train,
    )
    model = synthgan.fit(people(200), config=config)
    assert not any("largest" in line for line in model.protections)
    assert "astronaut" in model.summary.columns["job"].levels  # type: ignore[union-attr]


def test_interrupted_fits_are_kept_and_said() -> None:
    def stop(step: synthgan.Step) -> None:
        raise KeyboardInterrupt

    model = synthgan.fit(people(200), config=quick(50), on_step=stop)
    assert "interrupted" in model.notes[0]
    assert len(model.sample(10)) == 10


def test_a_model_describes_itself() -> None:
    model = quick_model()
    assert repr(model) == "Synthesizer(7 columns, learned from about 600 rows)"
    assert model.rows == 600
    assert set(model.versions) == {"synthgan", "torch"}
    assert model.parameters > 1000


def test_many_levels_can_be_learned() -> None:
    rng = np.random.default_rng(0)
    levels = np.array([f"town {i}" for i in range(10_000)])
    frame = pd.DataFrame({"town": levels[np.arange(60_000) % 10_000], "x": rng.random(60_000)})
    model = synthgan.fit(frame, config=quick(4))
    assert model.parameters < 100 * 10_000
    assert set(model.sample(500, seed=0)["town"]) <= set(levels)
