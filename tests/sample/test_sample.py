"""Conditions: satisfied by every row, and by rows that are as likely as they should be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from sample_tables import people, quick, quick_model

import synthgan


def test_every_row_satisfies_the_condition() -> None:
    model = quick_model()
    cases = {
        'rich == "yes"': lambda f: f["rich"] == "yes",
        "age >= 30 and age < 40": lambda f: f["age"].between(30, 39),
        'rich == "no" and age > 60': lambda f: (f["rich"] == "no") & (f["age"] > 60),
        'job in ["boss", "clerk"]': lambda f: f["job"].isin(["boss", "clerk"]),
        'job != "boss"': lambda f: f["job"].notna() & (f["job"] != "boss"),
        "job is missing": lambda f: f["job"].isna(),
        "score is not missing and score > 0.5": lambda f: f["score"] > 0.5,
        "wealth > 0": lambda f: f["wealth"] > 0,
        "wealth == 0 and member == True": lambda f: (f["wealth"] == 0) & f["member"],
        'since < "2005-01-01"': lambda f: f["since"] < "2005-01-01",
        "age != 44 and age > 42 and age < 47": lambda f: f["age"].isin([43, 45, 46]),
        "score > 0.2 and score < 0.3": lambda f: (f["score"] > 0.2) & (f["score"] < 0.3),
    }
    for text, holds in cases.items():
        rows = model.sample(200, where=text, seed=1)
        assert len(rows) == 200
        assert holds(rows).all(), text


@pytest.mark.parametrize("where", [None, "age > 30"])
def test_rows_do_not_depend_on_the_number_of_threads(where: str | None) -> None:
    before = torch.get_num_threads()
    drawn = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            drawn.append(quick_model().sample(20_000, where=where, seed=4))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    pd.testing.assert_frame_equal(*drawn)


def test_chunks_that_nobody_waits_for_are_not_drawn() -> None:
    chunks = quick_model().iter_samples(10**9, seed=1)
    assert len(next(chunks)) == 8192
    chunks.close()  # type: ignore[attr-defined]


def test_mappings_say_the_same_as_text() -> None:
    model = quick_model()
    pairs = [
        ('rich == "yes"', {"rich": "yes"}),
        ("age >= 30 and age <= 40", {"age": (30, 40)}),
        ('job in ["boss", "clerk"]', {"job": ["boss", "clerk"]}),
        ("job is missing", {"job": None}),
    ]
    for text, mapping in pairs:
        rows = model.sample(50, where=mapping, seed=2)
        assert rows.equals(model.sample(50, where=text, seed=2)), text


def test_a_given_number_comes_back_to_the_digit() -> None:
    frame = people()
    value = float(frame["score"].dropna().iloc[3])
    rows = quick_model().sample(20, where={"score": value}, seed=0)
    assert (rows["score"] == value).all()


def test_any_range_within_what_was_seen_can_be_asked_for() -> None:
    model, frame = quick_model(), people()
    low, high = frame["since"].quantile(0.02), frame["since"].quantile(0.98)
    for days in range(0, (high - low).days - 5, 97):
        start = low.normalize() + pd.Timedelta(days=days)
        end = start + pd.Timedelta(days=3)
        rows = model.sample(5, where={"since": (start, end)}, seed=0)
        assert rows["since"].between(start, end).all()


def test_conditions_condition_the_whole_row() -> None:
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 2, 3000)
    before = np.where(rng.random(3000) < 0.95, kind, 1 - kind)
    frame = pd.DataFrame({"before": before, "x": rng.integers(0, 5, 3000), "kind": kind * 10})
    train = synthgan.TrainConfig(steps=150, adversarial=False, device="cpu")
    model = synthgan.fit(frame, config=synthgan.Config(train=train))
    rows = model.sample(1000, where="kind > 5", seed=0)
    assert rows["before"].mean() > 0.85
    rows = model.sample(1000, where="kind > 5 and x >= 1", seed=0)
    assert rows["before"].mean() > 0.85


def test_two_ranges_are_drawn_as_likely_as_they_are() -> None:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 4, 6000)
    b = np.where(rng.random(6000) < 0.9, a, rng.integers(0, 4, 6000))
    frame = pd.DataFrame({"a": a.astype(str), "b": b.astype(str)}).replace(
        {"0": "p", "1": "q", "2": "r", "3": "s"}
    )
    model = synthgan.fit(frame, config=quick(500))
    where = {"a": ["p", "q"], "b": ["q", "r", "s"]}
    real = frame[frame["a"].isin(where["a"]) & frame["b"].isin(where["b"])]
    rows = model.sample(4000, where=where, seed=0)
    wanted = real.value_counts(normalize=True)
    got = rows.value_counts(normalize=True).reindex(wanted.index, fill_value=0)
    assert (wanted - got).abs().sum() / 2 < 0.08


def test_a_condition_on_a_constant_column() -> None:
    frame = people(100).assign(one="x")
    model = synthgan.fit(frame, config=quick(6))
    assert (model.sample(10, where={"one": "x"}, seed=0)["one"] == "x").all()
    with pytest.raises(synthgan.ConditionError, match="one"):
        model.sample(10, where={"one": "y"})


def test_a_level_that_no_row_had_is_not_said_to_have_been_shown() -> None:
    dtype = pd.CategoricalDtype(["lo", "mid", "hi", "never"], ordered=True)
    frame = pd.DataFrame({"c": pd.Series(["lo", "mid", "hi"] * 20, dtype=dtype)})
    model = synthgan.fit(frame, config=quick(2))
    with pytest.raises(synthgan.ConditionError, match=r"its values are 'lo', 'mid', 'hi'$"):
        model.sample(3, where={"c": "never"})
    assert set(model.sample(30, where="c >= 'mid'", seed=0)["c"]) == {"mid", "hi"}


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("age > 300", "18|no training row"),
        ('since > "2100-01-01"', "no training row"),
        ("age is missing", "no missing"),
        ({"rich": "maybe"}, "yes"),
        ({"ages": 3}, "age"),
        ({}, "where|empty"),
        ("", "where|empty"),
    ],
)
def test_impossible_conditions_are_refused(where: object, says: str) -> None:
    with pytest.raises(synthgan.ConditionError, match=says) as error:
        quick_model().sample(5, where=where)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)
