"""Partly filled rows, balanced columns, imputation: what is given stays, the rest follows it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st
from sample_tables import people, quick, quick_model

import synthgan
from synthgan.errors import ConditionError, ConfigError


def seeds(rows: int = 200) -> pd.DataFrame:
    """Rows of the learned table that hold nothing rare or extreme, with holes."""
    frame = people()
    frame = frame[frame["job"] != "astronaut"].head(rows).reset_index(drop=True)
    frame = frame[["score", "job", "age", "member"]]
    frame["score"] = frame["score"].clip(-1.5, 2)
    frame["age"] = frame["age"].clip(25, 80).astype(float)
    frame.loc[::3, "age"] = np.nan
    return frame


def holes(frame: pd.DataFrame, share: float, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return frame.apply(lambda cells: cells.mask(rng.random(len(cells)) < share))


def same_where_known(known: pd.DataFrame, filled: pd.DataFrame) -> bool:
    return all(
        (known[name].notna().to_numpy() <= (known[name] == filled[name]).to_numpy()).all()
        for name in known
    )


# --- given rows -------------------------------------------------------------------------


def test_given_rows_come_back_filled_up() -> None:
    known, frame = seeds(), people()
    rows = quick_model().sample(given=known, seed=1)
    assert len(rows) == len(known)
    assert list(rows.columns) == list(frame.columns)
    assert rows.dtypes.equals(frame.dtypes)
    assert same_where_known(known, rows)
    assert rows["age"].notna().all()


def test_what_is_given_conditions_the_whole_row() -> None:
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 2, 3000)
    before = np.where(rng.random(3000) < 0.95, kind, 1 - kind)
    frame = pd.DataFrame({"before": before, "x": rng.integers(-2, 3, 3000), "kind": kind})
    train = synthgan.TrainConfig(steps=150, adversarial=False, device="cpu")
    model = synthgan.fit(frame, config=synthgan.Config(train=train))
    known = pd.DataFrame({"kind": np.arange(1000) % 2})
    rows = model.sample(given=known, seed=0)
    assert (rows["kind"] == known["kind"]).all()
    assert (rows["before"] == rows["kind"]).mean() > 0.85
    rows = model.sample(given=known, where="x > 0", seed=0)
    assert (rows["x"] > 0).all()
    assert (rows["before"] == rows["kind"]).mean() > 0.85
    filled = model.impute(pd.DataFrame({"before": np.nan, "x": np.nan, "kind": known["kind"]}))
    assert (filled["before"] == filled["kind"]).mean() > 0.85


def test_thousands_of_rows_are_drawn_in_chunks_that_do_not_depend_on_each_other() -> None:
    known = pd.concat([seeds(500)] * 20, ignore_index=True)
    model = quick_model()
    whole = model.sample(given=known, seed=5)
    assert same_where_known(known, whole)
    first = next(iter(model.iter_samples(given=known, seed=5)))
    assert first.equals(whole.head(len(first)))


def test_a_column_that_is_not_learned_is_kept() -> None:
    frame = people().assign(key=[f"K-{i:04d}" for i in range(600)])
    model = synthgan.fit(frame, config=quick(4))
    assert model.schema["key"].kind is synthgan.Kind.IDENTIFIER
    rows = model.sample(given=pd.DataFrame({"key": ["K-0007", None], "age": [40, 50]}), seed=0)
    assert rows["key"][0] == "K-0007"
    assert rows["key"].notna().all()


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"agee": [1]}, "no column 'agee'; did you mean 'age'"),
        ({"job": ["pilot"]}, "column 'job': 1 of the given cells hold a category"),
        ({"age": [200]}, "column 'age': 1 of the given cells lie outside"),
        ({"age": ["old"]}, "column 'age'"),
        ({"age": []}, "no rows"),
    ],
)
def test_rows_that_do_not_fit_are_refused(known: dict[str, list[object]], words: str) -> None:
    with pytest.raises(ConditionError, match=words) as caught:
        quick_model().sample(given=pd.DataFrame(known))
    assert "pilot" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_was_never_shown_may_be_asked_for_on_purpose() -> None:
    known = pd.DataFrame({"age": [200, 20], "job": ["pilot", "clerk"]})
    rows = quick_model().sample(given=known, extrapolate=True, seed=0)
    assert rows["age"].tolist() == [200, 20]
    assert rows["job"].tolist() == ["pilot", "clerk"]
    for where in ("age > 200", "age == 200", "age >= 150 and age <= 170"):
        with pytest.raises(ConditionError, match="no training row"):
            quick_model().sample(5, where=where)
        rows = quick_model().sample(50, where=where, extrapolate=True, seed=0)
        assert rows.eval(where).all()


def test_one_cell_cannot_be_asked_for_twice() -> None:
    model, known = quick_model(), pd.DataFrame({"job": ["clerk"]})
    with pytest.raises(ConditionError, match="'job' is given"):
        model.sample(given=known, where='job == "boss"')
    with pytest.raises(ConditionError, match="'job' is given"):
        model.sample(given=known, balance="job")
    with pytest.raises(ConditionError, match="'job' is balanced"):
        model.sample(5, balance="job", where='job == "boss"')
    with pytest.raises(ConfigError, match="leave n out"):
        model.sample(5, given=known)


# --- balance ----------------------------------------------------------------------------


def test_a_balanced_column_has_equal_shares() -> None:
    rows = quick_model().sample(900, balance="job", seed=1)
    assert rows["job"].value_counts().tolist() == pytest.approx([300] * 3, abs=1)
    rows = quick_model().sample(800, balance=["rich", "member"], seed=1)
    assert rows["rich"].value_counts().tolist() == pytest.approx([400] * 2, abs=1)
    assert rows["member"].value_counts().tolist() == pytest.approx([400] * 2, abs=1)


def test_shares_are_met_and_the_others_keep_their_proportions() -> None:
    rows = quick_model().sample(1000, balance={"job": {"boss": 0.7}}, seed=1)
    shares = rows["job"].value_counts(normalize=True, dropna=False)
    assert shares["boss"] == pytest.approx(0.7, abs=0.002)
    real = people()["job"].value_counts(normalize=True, dropna=False)
    assert shares["smith"] / shares["clerk"] == pytest.approx(
        real["smith"] / real["clerk"], rel=0.1
    )
    rows = quick_model().sample(100, balance={"job": {None: 1.0}}, seed=1)
    assert rows["job"].isna().all()


def test_balance_goes_with_conditions_and_with_given_rows() -> None:
    rows = quick_model().sample(400, balance="rich", where="age > 40 and wealth > 0", seed=1)
    assert rows["rich"].value_counts().tolist() == [200, 200]
    assert ((rows["age"] > 40) & (rows["wealth"] > 0)).all()
    known = pd.DataFrame({"age": [30.0] * 100})
    rows = quick_model().sample(given=known, balance="rich", seed=1)
    assert rows["rich"].value_counts().tolist() == [50, 50]


def test_numbers_of_few_values_are_balanced_like_categories() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=300), "again": (rng.random(300) < 0.1).astype(int)})
    frame["score"] = rng.choice([1.5, 2.0, np.nan], 300)
    frame["day"] = pd.to_datetime(rng.choice(["2024-01-01", "2024-02-01"], 300, p=[0.9, 0.1]))
    frame["most"], frame["more"] = np.arange(300) % 20, np.arange(300) % 21
    model = synthgan.fit(frame, config=quick(4))
    assert model.balanceable == ("again", "score", "day", "most")
    rows = model.sample(200, balance=["again", "day"], seed=1)
    assert rows["again"].value_counts().tolist() == [100, 100]
    assert rows["day"].value_counts().tolist() == [100, 100]
    rows = model.sample(200, balance={"score": {"1.5": 0.25, None: 0.5}}, seed=1)
    assert rows["score"].value_counts(dropna=False).sort_index().tolist() == [50, 50, 100]
    with pytest.raises(ConditionError, match="no training row"):
        model.sample(20, balance={"again": {2: 0.5}})


@pytest.mark.parametrize(
    ("balance", "words"),
    [
        ("agee", "no column 'agee'"),
        ("age", r"many different numbers.*where.*kind category in the schema"),
        ({"job": {"pilot": 0.5}}, "no value 'pilot'"),
        ({"job": {"boss": 1.5}}, "from 0 to 1"),
        ({"job": {"boss": 0.7, "clerk": 0.7}}, "more than 1"),
        ({"job": {"boss": 0.0}}, "no share is above 0"),
        ({"rich": {None: 0.5}}, "missing cells"),
        ({"job": {}}, "shares are written"),
        ([], "names no column"),
    ],
)
def test_a_balance_that_cannot_be_is_refused(balance: object, words: str) -> None:
    with pytest.raises(ConditionError, match=words):
        quick_model().sample(10, balance=balance)  # type: ignore[arg-type]


# --- imputation -------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@examples(share=st.floats(0, 1), seed=st.integers(0, 1000))
def test_imputation_fills_every_hole_and_touches_nothing_else(share: float, seed: int) -> None:
    known = holes(people(80, seed), share, seed).sample(frac=1, random_state=seed)
    filled = quick_model().impute(known, seed=seed)
    assert filled.notna().all(axis=None)
    assert filled.index.equals(known.index)
    assert filled.dtypes.equals(known.dtypes)
    assert same_where_known(known, filled)


def test_a_table_without_holes_comes_back_as_it_is() -> None:
    whole = people().dropna()
    pd.testing.assert_frame_equal(quick_model().impute(whole), whole)


def test_several_draws_differ_where_there_were_holes_alone() -> None:
    known = holes(people(100), 0.3)
    filled = quick_model().impute(known, 3, seed=1)
    assert filled.index.names == ["draw", None]
    first, second = filled.loc[0], filled.loc[1]
    assert same_where_known(known, second)
    assert not first.equals(second)
    assert first.equals(quick_model().impute(known, 3, seed=1).loc[0])


def test_the_typical_value_is_mean_or_mode() -> None:
    known = pd.DataFrame({"age": [80.0, np.nan], "rich": [None, "no"], "score": [np.nan, np.nan]})
    filled = quick_model().impute(known, 200, how="typical", seed=1)
    draws = quick_model().impute(known, 200, seed=1)
    assert filled.index.equals(known.index)
    by_row = draws.groupby(level=1)
    assert filled["score"].tolist() == pytest.approx(by_row["score"].mean().tolist(), abs=1e-3)
    assert filled.loc[0, "rich"] == draws.xs(0, level=1)["rich"].mode()[0]


def test_an_unknown_category_is_kept_and_does_no_harm() -> None:
    known = pd.DataFrame({"job": ["pilot", "clerk", None], "age": [np.nan, np.nan, 30.0]})
    filled = quick_model().impute(known, seed=0)
    assert filled["job"].tolist()[:2] == ["pilot", "clerk"]
    assert filled.notna().all(axis=None)


def test_pandas_categories_stay_categories() -> None:
    frame = people().assign(job=lambda f: f["job"].astype("category"))
    model = synthgan.fit(frame, config=quick(4))
    known = holes(frame.head(50), 0.4)
    filled = model.impute(known, seed=0)
    assert isinstance(filled["job"].dtype, pd.CategoricalDtype)
    assert filled["job"].notna().all()


def test_holes_of_other_columns_stay_and_tell_that_they_are_empty() -> None:
    rng = np.random.default_rng(0)
    works = rng.random(1_500) < 0.5
    frame = pd.DataFrame(
        {
            "age": rng.normal(np.where(works, 30, 70), 3).round(1),
            "wage": np.where(works, rng.normal(20, 2, 1_500).round(1), np.nan),
        }
    )
    model = synthgan.fit(frame)
    asked = pd.DataFrame({"age": [np.nan] * 400, "wage": [np.nan] * 200 + [20.0] * 200})
    filled = model.impute(asked, columns=["age"], seed=0)
    assert filled["wage"].equals(asked["wage"])
    assert filled["age"].notna().all()
    assert filled["age"][:200].mean() > 60 > 40 > filled["age"][200:].mean()
    everything = model.impute(asked, seed=0)
    assert everything["wage"].notna().all()
    with pytest.raises(ConditionError, match="no column 'agge' to fill; did you mean 'age'"):
        model.impute(asked, columns=["agge"])


def test_a_wrong_way_to_impute_is_refused() -> None:
    with pytest.raises(ConfigError, match="'draw' or 'typical'"):
        quick_model().impute(people(), how="mean")  # type: ignore[arg-type]
    with pytest.raises(ConditionError, match="no column 'agee'"):
        quick_model().impute(pd.DataFrame({"agee": [1.0]}))
