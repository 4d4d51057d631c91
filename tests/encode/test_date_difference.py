"""How far apart columns in order are: learned where it is small, and right in what is drawn."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rewriting import parts, rewritten
from sample_tables import quick
from scipy.stats import ks_2samp

import synthgan
from synthgan import Inequality
from synthgan.encode.date_difference import Gap, close_gaps, in_order
from synthgan.encode.summary import GapSummary
from synthgan.errors import ConditionError, ModelFileError, SchemaError
from synthgan.schema.infer import infer_columns


@cache
def stays(rows: int = 900) -> pd.DataFrame:
    """A year of stays of some days, which decide their cost; few cells are missing."""
    rng = np.random.default_rng(0)
    severe = rng.random(rows) < 0.3
    begun = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 365 * 1440, rows), "min")
    days = rng.gamma(2, 2.0, rows) * np.where(severe, 2, 1) + 0.2
    frame = pd.DataFrame(
        {
            "admitted": begun,
            "discharged": (begun + pd.to_timedelta(days, "D")).floor("min"),
            "severe": np.where(severe, "yes", "no").astype(object),
            "cost": np.round(days * 310),
        }
    )
    frame.loc[rng.random(rows) < 0.05, "discharged"] = pd.NaT
    return frame


@cache
def model() -> synthgan.Synthesizer:
    return synthgan.fit(stays(), config=quick(250))


def days(frame: pd.DataFrame) -> pd.Series:
    return (frame["discharged"] - frame["admitted"]).dt.total_seconds() / 86400


LONGEST = float(days(stays()).max())


def test_stays_within_a_year_keep_their_length_and_what_goes_with_it() -> None:
    (note,) = model().notes
    assert note.startswith("'discharged' is drawn as 'admitted' plus a difference")
    assert any("the difference of 'discharged' and 'admitted'" in p for p in model().protections)
    rows = model().sample(2000, seed=0)
    assert list(rows) == list(stays())
    assert (rows["discharged"] < rows["admitted"]).sum() == 0
    assert ks_2samp(days(rows).dropna(), days(stays()).dropna()).statistic < 0.08
    assert days(rows).max() <= LONGEST
    assert days(rows).corr(rows["cost"]) > 0.75
    for name in ("admitted", "discharged"):
        assert rows[name].min() >= stays()[name].min()
        assert rows[name].max() <= stays()[name].max()
        assert ks_2samp(rows[name].dropna(), stays()[name].dropna()).statistic < 0.08
    assert 0.02 < rows["discharged"].isna().mean() < 0.1


@pytest.mark.parametrize(
    "where",
    [
        {"admitted": ("2023-05-01", "2023-05-31")},
        {"discharged": ("2023-05-01", "2023-05-31")},
        {"discharged": "2023-05-09 12:00"},
        {"admitted": "2023-05-09 12:00"},
        {"admitted": ("2023-05-01", "2023-06-30"), "discharged": ("2023-05-01", "2023-06-30")},
    ],
)
def test_conditions_on_either_date_are_met_and_stays_stay(where: dict[str, object]) -> None:
    rows = model().sample(400, where=where, seed=1)
    for name, wanted in where.items():
        low, high = wanted if isinstance(wanted, tuple) else (wanted, wanted)
        assert rows[name].between(pd.Timestamp(low), pd.Timestamp(high)).all()
    assert days(rows).min() >= 0
    assert days(rows).corr(rows["cost"]) > 0.6
    assert len(where) > 1 or days(rows).max() <= LONGEST


def test_both_dates_as_given_tell_what_the_stay_costs() -> None:
    both = {"admitted": "2023-05-01 12:00"}
    short = model().sample(200, where=both | {"discharged": "2023-05-02 12:00"}, seed=1)
    long = model().sample(200, where=both | {"discharged": "2023-05-11 12:00"}, seed=1)
    assert (days(short) == 1).all()
    assert (days(long) == 10).all()
    assert short["cost"].median() < 0.5 * long["cost"].median()


def test_holes_are_filled_so_that_stays_go_with_their_cost() -> None:
    rng, frame = np.random.default_rng(1), stays().dropna(ignore_index=True).copy()
    for name in ("admitted", "discharged", "cost"):
        frame[name] = frame[name].mask(rng.random(len(frame)) < 0.3)
    filled = model().impute(frame, seed=1)
    assert filled.notna().all(axis=None)
    for name in frame:
        known = frame[name].notna()
        assert filled.loc[known, name].equals(frame.loc[known, name])
    assert (filled["admitted"] <= filled["discharged"]).all()
    for name in ("admitted", "discharged", "cost"):
        alone = frame[name].isna() & frame.drop(columns=name).notna().all(axis=1)
        part = filled[alone]
        assert days(part).corr(part["cost"]) > 0.5
        assert days(part).max() <= LONGEST
    given = frame[["admitted"]].dropna().head(200)
    assert days(model().sample(given=given, extrapolate=True, seed=1)).max() <= LONGEST


def test_a_missing_date_that_is_not_to_be_filled_stays() -> None:
    frame = stays()
    filled = model().impute(frame, columns=["cost"], seed=0)
    pd.testing.assert_frame_equal(filled, frame)


def test_a_loaded_model_draws_the_same_and_a_forged_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.synthgan"
    model().save(path)
    loaded = synthgan.load(path, device="cpu")
    assert loaded.sample(100, seed=3).equals(model().sample(100, seed=3))
    tensors, text = parts(path)
    (gap,) = text["summary"]["gaps"]
    for gaps in ([gap | {"low": "cost"}], [gap, gap], [gap | {"high": "nobody"}]):
        text["summary"]["gaps"] = gaps
        forged = rewritten(tmp_path, tensors, text)
        with pytest.raises(ModelFileError, match="difference"):
            synthgan.load(forged)


def test_chunks_of_a_file_show_the_same_difference(tmp_path: Path) -> None:
    stays().to_parquet(tmp_path / "stays.parquet")
    found = synthgan.fit(tmp_path / "stays.parquet", config=quick(2), memory_limit=1)
    assert found.summary.gaps == model().summary.gaps != ()


def test_what_is_wide_or_computed_is_no_column_of_its_own() -> None:
    rng = np.random.default_rng(0)
    low = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 500_000, 500), "min")
    more = pd.to_timedelta(rng.integers(0, 5_000, 500), "min")
    frame = pd.DataFrame({"low": low, "high": low + 100 * more})
    rule = Inequality(columns=("low", "high"))
    schema = replace(infer_columns(frame), constraints=(rule,))

    def gaps(frame: pd.DataFrame, schema: synthgan.Schema) -> tuple[GapSummary, ...]:
        return synthgan.fit(frame, schema, quick(2)).summary.gaps

    assert gaps(frame, schema) == ()
    frame["high"] = low + more
    assert [(gap.low, gap.high) for gap in gaps(frame, schema)] == [("low", "high")]
    numbers = frame.astype("int64") // 60_000_000
    assert gaps(numbers, replace(infer_columns(numbers), constraints=(rule,))) == ()


def test_private_fits_learn_no_differences() -> None:
    frame = stays().dropna(ignore_index=True)
    columns = (
        replace(column, low="2023-01-01", high="2024-12-31")
        if column.name in ("admitted", "discharged")
        else replace(column, low=0, high=20_000)
        if column.name == "cost"
        else column
        for column in infer_columns(frame)
    )
    rule = Inequality(columns=("admitted", "discharged"))
    schema = synthgan.Schema(columns=tuple(columns), constraints=(rule,))
    config = replace(quick(5), privacy=synthgan.PrivacyConfig(epsilon=5.0, delta=1e-5))
    fitted = synthgan.fit(frame, schema, config)
    assert fitted.summary.gaps == ()
    assert not any("difference" in note for note in fitted.notes)


def test_long_stays_end_on_the_days_and_at_the_times_that_the_column_keeps_to() -> None:
    rng, frame = np.random.default_rng(0), stays()[["admitted"]].copy()
    nights = rng.integers(2, 12, len(frame))
    end = frame["admitted"].dt.normalize() + pd.to_timedelta(nights, "D")
    end -= pd.to_timedelta(np.maximum(end.dt.day_of_week - 4, 0), "D")  # on Fridays at the latest
    end += pd.to_timedelta(rng.integers(9 * 60, 12 * 60, len(frame)), "min")
    frame["discharged"] = end.where(end > frame["admitted"], end + pd.Timedelta(days=3))
    fitted = synthgan.fit(frame, config=quick(20))
    assert fitted.summary.gaps
    rows = fitted.sample(1000, seed=0)
    long = rows[days(rows) > 3]
    assert (long["discharged"].dt.day_of_week < 5).mean() > 0.97
    assert long["discharged"].dt.hour.between(9, 12).mean() > 0.97


def test_a_date_that_means_never_comes_out_as_it_is() -> None:
    frame = stays().dropna(ignore_index=True).copy()
    frame["discharged"] = frame["discharged"].mask(np.arange(len(frame)) % 10 == 0, "2099-12-31")
    fitted = synthgan.fit(frame, config=quick(60))
    assert fitted.summary.gaps
    rows = fitted.sample(1000, seed=0)
    never = rows["discharged"] > "2025-01-01"
    assert 0.05 < never.mean() < 0.2
    assert (rows["discharged"][never] == "2099-12-31").all()
    assert ks_2samp(rows["admitted"], frame["admitted"]).statistic < 0.1
    assert days(rows)[~never].median() == pytest.approx(days(stays()).median(), rel=0.2)


def test_chains_are_closed_from_what_is_fixed() -> None:
    columns = infer_columns(pd.DataFrame(dict.fromkeys("cba", stays()["admitted"]))).columns
    schema = synthgan.Schema(columns=columns, constraints=(Inequality(columns=("a", "b", "c")),))
    gaps = in_order([Gap.of(schema, "b", "c"), Gap.of(schema, "a", "b")])
    assert [gap.high for gap in gaps] == ["b", "c"]
    rng = np.random.default_rng(0)
    drawn = {name: rng.integers(0, 1000, 64).astype(float) for name in "abc"}
    apart = [rng.integers(0, 9, 64).astype(float) for _ in gaps]
    fixed = {name: np.arange(64) // 2**i % 2 == 1 for i, name in enumerate("abc")}
    cells = drawn | {gap.name: each for gap, each in zip(gaps, apart, strict=True)}
    close_gaps(gaps, cells, fixed, dict.fromkeys("abc", (-1e9, 1e9)), lambda _, dates: dates)
    assert set(cells) == set("abc")
    for name in "abc":
        assert np.array_equal(cells[name][fixed[name]], drawn[name][fixed[name]])
    for (low, high), each in zip(("ab", "bc"), apart, strict=True):
        free = ~(fixed[low] & fixed[high])
        free &= ~(fixed["a"] & fixed["c"]) if high == "b" else True
        assert np.array_equal((cells[high] - cells[low])[free], each[free])


def test_differences_that_go_in_a_circle_are_refused() -> None:
    frame = pd.DataFrame(dict.fromkeys("ab", stays()["admitted"]))
    rules = (Inequality(columns=("a", "b")), Inequality(columns=("b", "a")))
    schema = replace(infer_columns(frame), constraints=rules)
    both = [Gap.of(schema, "a", "b"), Gap.of(schema, "b", "a")]
    with pytest.raises(SchemaError, match="in a circle"):
        in_order(both)
    fitted = synthgan.fit(frame, schema, quick(2))
    assert [(gap.low, gap.high) for gap in fitted.summary.gaps] == [("a", "b")]
    rows = fitted.sample(50, seed=0)
    assert (rows["a"] == rows["b"]).all()


def test_a_condition_that_the_order_forbids_is_refused() -> None:
    with pytest.raises(ConditionError):
        model().sample(5, where={"admitted": "2023-06-01", "discharged": "2023-05-01"}, seed=0)


def test_a_child_table_keeps_the_length_of_its_stays() -> None:
    patients = pd.DataFrame({"id": [f"P-{n:03d}" for n in range(300)], "age": [30, 40, 50] * 100})
    child = stays().assign(patient=np.repeat(patients["id"].to_numpy(), 3))
    tables = {"patients": patients, "stays": child}
    fitted = synthgan.fit_tables(tables, "patients.id=stays.patient", config=quick(60))
    assert any(
        n.startswith("stays: 'discharged' is drawn as 'admitted' plus") for n in fitted.notes
    )
    drawn = fitted.sample(100, seed=0)["stays"]
    assert (drawn["discharged"] < drawn["admitted"]).sum() == 0
    assert days(drawn).max() <= LONGEST
