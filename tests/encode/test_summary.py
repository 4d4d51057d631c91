"""What is kept of each column, and what is not."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_tables import people
from scipy import stats

from synthgan.columns.column import Column, Kind
from synthgan.config import SummaryConfig
from synthgan.encode.summarize import Tally, summarize
from synthgan.encode.summary import CategorySummary, NumberSummary, Segment, Summary
from synthgan.encode.tallies import CategoryTally, NumberTally
from synthgan.errors import SchemaError, TableError
from synthgan.schema.constraints.fixed_combinations import FixedCombinations
from synthgan.schema.constraints.unique import Unique
from synthgan.schema.infer import infer_columns
from synthgan.schema.schema import Schema
from synthgan.serialization import from_plain, to_plain

JOB = Column(name="job", kind=Kind.CATEGORY, dtype="object")


def summarize_numbers(cells: np.ndarray, config: SummaryConfig) -> NumberSummary:
    tally = NumberTally(config, None)
    tally.add(cells)
    return tally.summary()


def summarize_categories(
    cells: np.ndarray, column: Column, config: SummaryConfig
) -> CategorySummary:
    tally = CategoryTally(column)
    tally.add(cells)
    return tally.summary(config)


def numbers(cells: np.ndarray, **settings: int) -> NumberSummary:
    return summarize_numbers(cells.astype(float), SummaryConfig(**settings))


def stored(summary: NumberSummary) -> set[float]:
    return {value for segment in summary.segments for value in segment.values}


def test_rare_levels_are_counted_but_not_named() -> None:
    cells = ["a"] * 200 + ["b"] * 50 + ["hermit"] * 4 + ["monk"] * 3 + ["nun"] * 2 + [None] * 30
    summary = summarize_categories(np.array(cells, dtype=object), JOB, SummaryConfig())
    assert summary.levels == ("a", "b")
    assert summary.rare_levels == 5  # about
    shares = (200 / 289, 50 / 289, 9 / 289, 30 / 289)
    assert summary.weights == pytest.approx(shares, abs=0.03)
    assert sum(summary.weights) == pytest.approx(1)


def test_what_fewer_rows_have_than_a_category_needs_is_not_there_at_all() -> None:
    cells = np.array(["a"] * 40 + ["b"] * 50 + ["hermit"] * 4 + [None] * 4, dtype=object)
    summary = summarize_categories(cells, JOB, SummaryConfig())
    assert (summary.rare_levels, summary.weights[-2:]) == (0, (0.0, 0.0))
    found = numbers(np.r_[np.full(4, np.nan), np.random.default_rng(0).normal(0, 1, 500)])
    assert found.weights[-1] == 0


def test_levels_of_equal_number_and_truth_value_stay_apart() -> None:
    cells = np.array([1] * 6 + ["1"] * 6, dtype=object)
    summary = summarize_categories(cells, JOB, SummaryConfig())
    assert sorted(map(repr, summary.levels)) == ["'1'", "1"]


def test_declared_categories_all_get_a_code_in_their_order() -> None:
    column = Column(name="job", kind=Kind.CATEGORY, dtype="object", categories=("c", "b", "a"))
    summary = summarize_categories(np.array(["a"] * 9, dtype=object), column, SummaryConfig())
    assert summary.levels == ("c", "b", "a")


def test_a_yes_or_no_column_keeps_both_whatever_their_number() -> None:
    column = Column(name="x", kind=Kind.BOOLEAN, dtype="bool")
    cells = np.array([True] + [False] * 99, dtype=object)
    assert set(summarize_categories(cells, column, SummaryConfig()).levels) == {True, False}


def test_frequent_numbers_become_atoms() -> None:
    rng = np.random.default_rng(0)
    cells = np.r_[np.zeros(300), rng.lognormal(5, 1, 700)]
    summary = numbers(cells)
    atoms = [s for s in summary.segments if not s.is_bin]
    assert [a.values for a in atoms] == [(0.0,)]
    assert summary.weights[summary.segments.index(atoms[0])] == pytest.approx(0.3)
    assert summary.fine


def test_a_number_of_few_values_gets_one_code_a_value() -> None:
    rng = np.random.default_rng(0)
    cells = rng.integers(1, 60, 5000).astype(float)
    summary = numbers(cells)
    assert [s.values for s in summary.segments] == [(float(v),) for v in range(1, 60)]
    assert not summary.fine


def test_the_quantile_function_follows_the_rows() -> None:
    rng = np.random.default_rng(1)
    cells = rng.gamma(2.0, 100.0, 20_000)
    summary = numbers(cells)
    shares = np.array(summary.weights[:-1])
    codes = rng.choice(len(shares), size=20_000, p=shares / shares.sum())
    segments = summary.segments
    places = rng.random(20_000)
    drawn = [
        np.interp(u, segments[c].positions, segments[c].values)
        for c, u in zip(codes, places, strict=True)
    ]
    assert stats.ks_2samp(cells, drawn).statistic < 0.02


@pytest.mark.parametrize("kind", ["lonely", "grouped", "heavy tail"])
def test_no_lone_value_is_stored(kind: str) -> None:
    rng = np.random.default_rng(2)
    cells = {
        "lonely": rng.normal(0, 1e6, 3000),
        "grouped": np.r_[rng.integers(0, 500, 2700).astype(float) * 10, rng.normal(0, 1e4, 300)],
        "heavy tail": rng.standard_cauchy(3000) * 1000,
    }[kind]
    values, counts = np.unique(cells, return_counts=True)
    # Of round numbers, the mean of five may be a sixth by chance.
    lone = set(values[(counts < 5) & (values % 10 != 0)])
    assert not stored(numbers(cells)) & lone


def test_nothing_beyond_the_fifth_extreme_is_stored() -> None:
    cells = np.r_[np.random.default_rng(3).normal(50, 10, 2000), [9999.0, -9999.0]]
    summary, ordered = numbers(cells), np.sort(cells)
    assert ordered[4] < min(stored(summary)) < ordered[9]
    assert ordered[-10] < max(stored(summary)) < ordered[-5]


@pytest.mark.parametrize("filled", [1, 3, 4, 5, 7, 9])
def test_a_column_of_few_filled_cells_keeps_none_of_them(filled: int) -> None:
    cells = np.full(300, np.nan)
    cells[:filled] = np.random.default_rng(filled).normal(1e5, 1e4, filled)
    assert not stored(numbers(cells)) & set(cells[:filled])


def test_protection_can_be_switched_off() -> None:
    cells = np.arange(40.0)
    summary = numbers(cells, min_category_rows=1, extreme_rows=1)
    assert stored(summary) == set(cells)


@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=60), st.integers(1, 9))
def test_any_numbers_give_a_valid_summary(values: list[float], rows: int) -> None:
    cells = np.array([*values, np.nan])
    summary = numbers(cells, min_category_rows=rows, extreme_rows=rows)
    assert sum(summary.weights) == pytest.approx(1)
    assert all(min(values) <= value <= max(values) for value in stored(summary))
    assert bool(summary.segments) == (len(values) >= rows)
    assert from_plain(NumberSummary, json.loads(json.dumps(to_plain(summary)))) == summary


def test_an_all_missing_number_column_is_missing_only() -> None:
    summary = numbers(np.full(10, np.nan))
    assert summary.segments == ()
    assert summary.weights == (1.0,)


def test_the_row_count_is_rounded() -> None:
    frame = people(613)
    summary = summarize(frame, infer_columns(frame), SummaryConfig())
    assert summary.rows == 610
    assert set(summary.columns) == set(frame.columns)


@pytest.mark.parametrize("rows", [0, 1, 4])
def test_too_few_rows_to_keep_anything_of_is_an_error(rows: int) -> None:
    frame = people(10)
    with pytest.raises(TableError, match="too small"):
        summarize(frame.head(rows), infer_columns(frame), SummaryConfig())


def test_numbers_whose_sum_overflows() -> None:
    cells = np.linspace(1e307, 1.7e308, 400)
    values = sorted(stored(numbers(cells)))
    assert 0.8e308 < values[len(values) // 2] < 1e308


def test_a_summary_survives_json() -> None:
    frame = people()
    summary = summarize(frame, infer_columns(frame), SummaryConfig())
    text = json.dumps(to_plain(summary))
    assert from_plain(Summary, json.loads(text)) == summary
    assert isinstance(summary.columns["job"], CategorySummary)
    assert "astronaut" not in text


@pytest.mark.parametrize(
    ("positions", "values"),
    [((), ()), ((0.0,), (1.0, 2.0)), ((0.0, 1.0), (2.0, 1.0)), ((0.1, 1.0), (1.0, 2.0))],
)
def test_impossible_segments_are_refused(positions: tuple[float], values: tuple[float]) -> None:
    with pytest.raises(ValueError, match=r"segment|bin"):
        Segment(positions=positions, values=values)


def test_weights_must_be_shares() -> None:
    with pytest.raises(ValueError, match="weights"):
        CategorySummary(levels=("a",), weights=(0.5, 0.2, 0.1), rare_levels=0)
    with pytest.raises(ValueError, match="weights"):
        NumberSummary(segments=(), weights=(0.5, 0.5), fine=False)


def test_pandas_missing_values_of_all_kinds_count_as_missing() -> None:
    whole = pd.array([1, None, 3] * 4, dtype="Int64")
    frame = pd.DataFrame({"x": whole, "y": ["a", None, "b"] * 4})
    summary = summarize(frame, infer_columns(frame), SummaryConfig(min_category_rows=1))
    assert summary.columns["x"].weights[-1] == pytest.approx(1 / 3)
    assert summary.columns["y"].weights[-1] == pytest.approx(1 / 3)


# --- chunk by chunk ---------------------------------------------------------------------


def test_chunks_counted_apart_and_merged_give_the_whole_tables_summary() -> None:
    frame = people(2000)
    schema = infer_columns(frame)
    rows = np.random.default_rng(1).permutation(len(frame))
    tallies = [Tally(schema, SummaryConfig(), most_values=5000) for _ in range(3)]
    for number, part in enumerate(np.array_split(rows, 8)):
        tallies[number % 3].add(frame.iloc[part])
    for other in tallies[1:]:
        tallies[0].merge(other)
    assert tallies[0].summary() == summarize(frame, schema, SummaryConfig())


@given(
    st.lists(st.lists(st.integers(0, 30).map(float) | st.just(np.nan), max_size=40), max_size=6),
    st.integers(1, 4),
)
def test_any_chunks_of_numbers_give_the_summary_of_all(chunks: list[list[float]], few: int) -> None:
    config = SummaryConfig(min_category_rows=few, extreme_rows=few)
    tallies = [NumberTally(config, 40) for _ in (*chunks, 0)]
    for tally, chunk in zip(tallies, chunks, strict=False):
        tally.add(np.array(chunk, dtype=float))
        tallies[-1].merge(tally)
    whole = NumberTally(config, None)
    whole.add(np.array([cell for chunk in chunks for cell in chunk], dtype=float))
    if whole.missing + sum(map(len, chunks)):
        assert tallies[-1].summary() == whole.summary()


@pytest.mark.parametrize("order", ["shuffled", "sorted"])
def test_too_many_values_to_hold_give_nearly_the_same_quantiles(order: str) -> None:
    rng = np.random.default_rng(0)
    cells = np.where(rng.random(60_000) < 0.2, 3.0, rng.lognormal(0, 2, 60_000))
    config, counted = SummaryConfig(), NumberTally(SummaryConfig(), 16_384)
    cells = np.sort(cells) if order == "sorted" else cells
    for chunk in np.split(cells, 20):
        counted.add(chunk)
    exact, found = summarize_numbers(cells, config), counted.summary()
    assert stored(found) >= {3.0}  # a frequent value stays an atom
    assert max(found.weights) == max(exact.weights)
    assert (min(stored(found)), max(stored(found))) == (min(stored(exact)), max(stored(exact)))
    knots = sorted(stored(found))
    places = np.searchsorted(np.sort(cells), knots) / len(cells)
    wanted = np.searchsorted(np.sort(cells), sorted(stored(exact))) / len(cells)
    assert stats.wasserstein_distance(places, wanted) < 0.01
    bins = [segment for segment in found.segments if segment.is_bin]
    assert len(bins) == len(found.segments) - 1
    flat = [np.diff(s.positions)[np.diff(s.values) == 0].sum() for s in bins]
    assert np.mean(flat) < 0.02  # no mean of neighbours passes for a value that rows share


def test_the_rarest_of_too_many_levels_count_as_rare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthgan.encode.tallies._MOST_LEVELS", 100)
    tally = CategoryTally(JOB)
    for start in range(0, 400, 50):
        levels = [f"once {i}" for i in range(start, start + 50)]
        tally.add(np.array([*levels, *["often"] * 25, None], dtype=object))
    summary = tally.summary(SummaryConfig())
    assert summary.levels == ("often",)
    assert summary.rare_levels == 400
    assert summary.weights == pytest.approx((200 / 608, 400 / 608, 8 / 608), abs=0.01)


@pytest.mark.parametrize("most", [200, 100_000])
def test_repeats_of_cells_that_are_made_up_are_counted(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthgan.encode.tallies.MOST_HASHES", most)
    names = [f"name {i % 2000}" for i in range(8000)]
    frame = pd.DataFrame({"who": pd.Series(names, dtype=object), "age": np.arange(8000) % 70})
    who = Column(name="who", kind=Kind.TEXT, dtype="object", personal="name")
    schema = Schema(columns=(who, infer_columns(frame)["age"]))
    tally = Tally(schema, SummaryConfig())
    for start in range(0, 8000, 1000):
        tally.add(frame.iloc[start : start + 1000])
    found = tally.summary().unlearned["who"].rows_per_value
    assert found == pytest.approx(4, rel=0.2 if most == 200 else 0)


def test_rules_are_held_against_all_chunks() -> None:
    frame = pd.DataFrame({"a": np.arange(400) % 200, "b": np.arange(400) // 40, "c": 1.5})
    columns = infer_columns(frame).columns
    decides, apart = FixedCombinations(columns=("a", "b")), Unique(columns=("a", "b"))
    schema = Schema(columns=columns, constraints=(decides, apart))
    tallies = [Tally(schema, SummaryConfig()) for _ in range(2)]
    tallies[0].add(frame.iloc[:200])
    assert tallies[0].rules.holding(1) == (decides, apart)
    tallies[1].add(frame.iloc[200:])
    tallies[1].merge(tallies[0])
    assert tallies[1].rules.holding(1) == (apart,)  # 0 goes with 0 and with 5
    tallies[1].add(frame.iloc[:3])
    assert tallies[1].rules.holding(1) == ()
    with pytest.raises(SchemaError, match="3 of 403 rows break it"):
        tallies[1].rules.check()
