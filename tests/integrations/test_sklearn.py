"""The faces for scikit-learn: its own checks, pipelines, and what is added or filled in."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from sample_tables import people, quick
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils.estimator_checks import check_estimator

from synthgan import Config, SynthGANImputer, SynthGANOverSampler, TrainConfig

QUICK = quick(2)


def two_classes(rows: int = 300, share: float = 0.15) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(0)
    y = rng.random(rows) < share
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=rows) + 2 * y,
            "word": np.where(rng.random(rows) < 0.5 + 0.4 * y, "up", "down").astype(object),
            "count": rng.integers(0, 9, rows),
        }
    )
    return frame, pd.Series(np.where(y, "rare", "common"), name="kind", dtype=object)


@pytest.mark.parametrize(
    "estimator",
    [
        SynthGANImputer(config=QUICK, random_state=0),
        SynthGANOverSampler(config=QUICK, random_state=0),
    ],
    ids=lambda each: type(each).__name__,
)
def test_scikit_learn_finds_nothing_wrong(estimator: Any) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Skipping check")
        results = check_estimator(estimator, on_fail=None)
    assert len(results) > 30
    assert [r["check_name"] for r in results if r["status"] == "failed"] == []


# --- oversampling -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("strategy", "added"),
    [
        ("auto", 1.0),
        ("minority", 1.0),
        (0.5, 0.5),
        ({"rare": 100}, None),
        (lambda y: {"rare": 100}, None),
    ],
)
def test_the_scarce_class_grows_to_what_is_asked_for(strategy: Any, added: float | None) -> None:
    X, y = two_classes()
    sampler = SynthGANOverSampler(sampling_strategy=strategy, config=QUICK, random_state=0)
    more, labels = sampler.fit_resample(X, y)
    wanted = 100 if added is None else int(added * (y == "common").sum())
    assert (labels == "rare").sum() == wanted
    assert (labels == "common").sum() == (y == "common").sum()
    pd.testing.assert_frame_equal(more.head(len(X)), X)
    assert more.dtypes.equals(X.dtypes)
    assert labels.head(len(y)).tolist() == y.tolist()
    assert labels.name == "kind"


def test_arrays_stay_arrays_and_labels_keep_their_type() -> None:
    X, y = two_classes()
    numbers = X[["x", "count"]].to_numpy()
    more, labels = SynthGANOverSampler(config=QUICK).fit_resample(numbers, (y == "rare").to_numpy())
    assert isinstance(more, np.ndarray)
    assert more.dtype == numbers.dtype
    assert labels.dtype == bool
    assert labels.mean() == pytest.approx(0.5, abs=0.01)


def test_the_rows_that_are_added_are_like_their_class() -> None:
    X, y = two_classes(1500)
    config = Config(train=TrainConfig(adversarial=False, device="cpu"))
    more, labels = SynthGANOverSampler(config=config, random_state=0).fit_resample(X, y)
    new, kind = more.iloc[len(X) :], labels.iloc[len(X) :]
    assert set(kind) == {"rare"}
    assert new["x"].mean() == pytest.approx(2, abs=0.6)  # 0 in the other class
    assert (new["word"] == "up").mean() == pytest.approx(0.9, abs=0.15)  # 0.5 in the other


def test_it_works_inside_a_pipeline_with_cross_validation() -> None:
    X, y = two_classes()
    numbers = X[["x", "count"]]
    model = make_sampling_pipeline(
        SynthGANOverSampler(config=QUICK, random_state=0), HistGradientBoostingClassifier()
    )
    scores = cross_val_score(model, numbers, y == "rare", cv=3, scoring="roc_auc")
    assert len(scores) == 3
    assert scores.mean() > 0.7


def test_several_classes_and_nothing_to_add() -> None:
    X, _ = two_classes(90)
    y = np.repeat(["a", "b", "c"], [60, 20, 10])
    _, labels = SynthGANOverSampler(config=QUICK).fit_resample(X, y)
    assert dict(zip(*np.unique(labels, return_counts=True), strict=True)) == dict.fromkeys(
        "abc", 60
    )
    level = np.repeat(["a", "b", "c"], 30)
    same, labels = SynthGANOverSampler(config=QUICK).fit_resample(X, level)
    assert same is X
    assert labels is level


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        ("most", "must be one of"),
        (1.5, "above 0 and at most 1"),
        (0.01, "more level"),
        ({"odd": 10}, "no class in y"),
        ({"rare": 1}, "never taken out"),
    ],
)
def test_a_strategy_that_cannot_be_is_refused(strategy: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        SynthGANOverSampler(sampling_strategy=strategy, config=QUICK).fit_resample(*two_classes())


# --- imputing ---------------------------------------------------------------------------


def test_the_imputer_fills_and_keeps() -> None:
    frame = people().drop(columns="since")
    imputer = SynthGANImputer(config=QUICK, random_state=0).fit(frame)
    filled = imputer.transform(frame)
    assert filled.notna().all(axis=None)
    known = frame.notna()
    assert filled.where(known).equals(frame.where(known))
    assert imputer.transform(frame).equals(filled)
    assert list(imputer.get_feature_names_out()) == list(frame)


def test_the_imputer_works_in_a_column_transformer() -> None:
    frame = people()
    y = frame["rich"] == "yes"
    columns = make_column_transformer(
        (SynthGANImputer(how="typical", draws=3, config=QUICK), ["age", "wealth", "score"]),
        (
            make_pipeline(SynthGANImputer(config=QUICK), OneHotEncoder(handle_unknown="ignore")),
            ["job"],
        ),
    )
    model = make_pipeline(columns, HistGradientBoostingClassifier(max_iter=5))
    assert cross_val_score(model, frame, y, cv=2).mean() > 0.5


def test_whole_numbers_are_not_taken_for_names_of_rows() -> None:
    numbers = np.arange(60.0).reshape(30, 2)
    numbers[3, 1] = np.nan
    filled = SynthGANImputer(config=QUICK).fit_transform(numbers)
    assert filled.shape == numbers.shape
    assert 0 <= filled[3, 1] <= 60


def test_keys_that_repeat_are_numbers_to_an_estimator() -> None:
    rng = np.random.default_rng(0)
    whose = np.repeat(np.arange(60), 5)
    frame = pd.DataFrame(
        {
            "customer_id": 10_000 + 7 * whose,
            "mail": [f"p{i}@mail.de" for i in whose],
            "age": (20.0 + whose) + rng.integers(0, 2, len(whose)),
        }
    )
    frame.loc[::9, "age"] = np.nan
    frame.loc[::8, "mail"] = None
    filled = SynthGANImputer(config=quick(5), draws=2).fit_transform(frame)
    assert pd.DataFrame(filled).notna().all(axis=None)
