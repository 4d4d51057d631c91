"""Usefulness: scores against scikit-learn; gains, agreement and groups on known tables."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import Ridge
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    mean_absolute_error,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
)
from threadpoolctl import threadpool_limits

from synthgan.errors import TableError
from synthgan.metrics.columns import Columns
from synthgan.metrics.measure import Estimate, Findings, Goal, Measure
from synthgan.metrics.tables import Tables
from synthgan.metrics.utility.findings import utility_findings
from synthgan.metrics.utility.models import Trial
from synthgan.metrics.utility.scores import Classes, Values
from synthgan.report.wording.utility import utility


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def table(rows: int, seed: int, spoil: float = 0.0) -> pd.DataFrame:
    """A label, three classes and a number that follow from x, y and a group."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, rows))
    group = rng.choice(["a", "b", "c"], rows, p=[0.6, 0.3, 0.1])
    signal = x + 0.5 * y * (group == "b") + rng.normal(size=rows) * 0.5
    signal = np.where(rng.random(rows) < spoil, rng.normal(size=rows), signal)
    return pd.DataFrame(
        {
            "x": x,
            "y": y,
            "noise": rng.normal(size=rows),
            "more": rng.normal(size=rows),
            "group": group.astype(object),
            "label": np.where(signal > 0.8, "yes", "no").astype(object),
            "class": np.digitize(signal, [-0.5, 0.7]),
            "amount": 10 + 3 * signal,
        }
    )


@cache
def tables(spoil: float = 0.0) -> Tables:
    return Tables.of(table(1500, 1, spoil), table(1500, 2), table(1000, 3))


@cache
def found(target: str, spoil: float = 0.0) -> Findings:
    drop = {
        "label": ["class", "amount"],
        "class": ["label", "amount"],
        "amount": ["label", "class"],
    }
    frames = [
        table(rows, seed, each).drop(columns=drop[target])
        for rows, seed, each in ((1500, 1, spoil), (1500, 2, 0.0), (1000, 3, 0.0))
    ]
    return utility_findings(Tables.of(*frames), target)


def line(findings: Findings, key: str) -> Measure:
    (only,) = [each for each in findings.measures if each.key == key and not each.columns]
    return only


# --- scores against scikit-learn --------------------------------------------------------


def test_scores_of_classes_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 400)
    chances = rng.dirichlet([1, 1, 1], 400) + 0.5 * np.eye(3)[truth]
    chances /= chances.sum(axis=1, keepdims=True)
    made = Classes(truth, chances)
    assert made.main()[0] == pytest.approx(
        roc_auc_score(truth, chances, multi_class="ovr", average="macro")
    )
    guesses = chances.argmax(axis=1)
    assert made.accuracy()[0] == pytest.approx(accuracy_score(truth, guesses))
    assert made.f1()[0] == pytest.approx(f1_score(truth, guesses, average="macro"))


def test_scores_of_numbers_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=300)
    guesses = truth + rng.normal(size=300)
    made = Values(truth, guesses)
    assert made.main()[0] == pytest.approx(r2_score(truth, guesses))
    assert made.rmse()[0] == pytest.approx(root_mean_squared_error(truth, guesses))
    assert made.mae()[0] == pytest.approx(mean_absolute_error(truth, guesses))


def test_calibration_error_is_its_definition_and_sees_boldness() -> None:
    rng = np.random.default_rng(0)
    chance = rng.uniform(0.5, 1, 20_000)
    truth = (rng.random(20_000) < chance).astype(np.int64)
    fair = Classes(truth, np.column_stack([1 - chance, chance]))
    assert fair.calibration()[0] < 0.02
    bold = np.clip(chance + 0.2, 0, 0.999)
    error = Classes(truth, np.column_stack([1 - bold, bold])).calibration()[0]
    parts = np.array_split(np.argsort(bold, kind="stable"), 10)
    plain = sum(len(p) / len(bold) * abs(bold[p].mean() - truth[p].mean()) for p in parts)
    assert error == pytest.approx(plain, abs=1e-3)


@pytest.mark.parametrize("score", ["main", "f1", "accuracy", "calibration"])
def test_intervals_have_the_width_of_a_bootstrap(score: str) -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 500)
    chance = np.clip(0.5 + 0.25 * (truth - 0.5) + 0.2 * rng.normal(size=500), 0.01, 0.99)
    chances = np.column_stack([1 - chance, chance])
    _, influence = getattr(Classes(truth, chances), score)()
    draws = []
    for _ in range(300):
        at = rng.integers(0, 500, 500)
        draws.append(getattr(Classes(truth[at], chances[at]), score)()[0])
    assert math.sqrt(float(np.square(influence).sum())) == pytest.approx(np.std(draws), rel=0.3)


def test_the_linear_model_is_ridge_regression() -> None:
    frame = tables().columns
    trial = Trial(frame, tables().train, tables().reference, "amount")
    rows = trial.rows(tables().train, "linear")
    ours = trial.score(rows, "linear")
    theirs = Ridge(alpha=1.0).fit(rows.x[:, 1:], rows.target)
    assert isinstance(ours, Values)
    assert np.allclose(ours.guesses, theirs.predict(trial.unseen_linear.x[:, 1:]), atol=0.02)


# --- what is found ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "keys"),
    [
        ("label", ("tstr_auc", "tstr_f1", "tstr_accuracy", "tstr_calibration", "tstr_linear_auc")),
        ("class", ("tstr_auc", "tstr_f1", "tstr_accuracy", "tstr_calibration", "tstr_linear_auc")),
        ("amount", ("tstr_r2", "tstr_rmse", "tstr_mae", "tstr_linear_r2")),
    ],
)
def test_rows_of_the_same_kind_are_as_good_as_real_ones(target: str, keys: tuple[str, ...]) -> None:
    findings = found(target)
    assert line(findings, "tstr").estimate.high > 0.98
    for key in keys:
        each = line(findings, key)
        assert each.floor is not None
        assert each.floor.low <= each.estimate.high
        assert each.estimate.low <= each.floor.high
    assert line(findings, "importance_agreement").estimate.high > 0.8
    assert line(findings, "subgroup_gap").estimate.low <= 1


def test_spoiled_rows_are_seen() -> None:
    findings = found("label", 0.8)
    assert line(findings, "tstr").estimate.high < 1
    assert line(findings, "tstr_auc").estimate.high < line(findings, "tstr_auc").floor.value  # type: ignore[union-attr]
    assert line(findings, "augment_100").estimate.value < 0.5


def test_few_real_rows_are_helped_by_more_of_their_kind_and_not_by_noise() -> None:
    few = line(found("label"), "augment_5")
    assert few.estimate.low > 0
    assert few.floor is not None
    assert few.floor.low > 0
    assert few.baseline is not None
    assert few.baseline.value < few.estimate.low
    assert few.unit == "points"


def test_the_worst_group_is_found() -> None:
    spoiled = table(1500, 1).drop(columns=["class", "amount"])
    rng = np.random.default_rng(0)
    harmed = (spoiled["group"] == "b").to_numpy()
    spoiled.loc[harmed, "label"] = np.where(rng.random(harmed.sum()) < 0.5, "yes", "no")
    real = table(1500, 2).drop(columns=["class", "amount"])
    held = table(1000, 3).drop(columns=["class", "amount"])
    findings = utility_findings(Tables.of(spoiled, real, held), "label")
    gap = line(findings, "subgroup_gap")
    assert gap.estimate.low > 0
    assert [e.columns for e in findings.measures if e.key == "subgroup_gap"][1:] == [("group",)]


def test_agreement_is_spearmans() -> None:
    from synthgan.metrics.utility.insight import _agreement

    one, other = np.array([3.0, 1, 2, 5, 4]), np.array([2.0, 1, 3, 5, 4])
    assert _agreement(one, other).value == pytest.approx(stats.spearmanr(one, other).statistic)
    assert math.isnan(_agreement(one, np.zeros(5)).value)


def test_two_classes_have_reliability_curves() -> None:
    assert [each.key for each in found("label").curves] == ["calibration", "calibration_floor"]
    assert found("class").curves == ()


# --- what cannot be ---------------------------------------------------------------------


def test_reasons_are_given_where_nothing_can_be_measured() -> None:
    frame, held = table(200, 1), table(100, 2)
    with pytest.raises(TableError, match="no column 'income'"):
        utility_findings(Tables.of(frame, frame, held), "income")
    (why,) = utility_findings(Tables.of(frame, frame), "label").left_out
    assert "holdout" in why.why
    constant = held.assign(label="no")
    (why,) = utility_findings(Tables.of(frame, frame, constant), "label").left_out
    assert "one class only" in why.why
    strange = frame.assign(label="other")
    (why,) = utility_findings(Tables.of(strange, frame, held), "label").left_out
    assert "no synthetic row" in why.why


@pytest.mark.parametrize("target", ["label", "amount"])
def test_odd_tables_are_measured_without_a_warning(target: str) -> None:
    frame, held = table(60, 1), table(60, 2)
    for made in (
        frame.head(3),
        frame.assign(x=np.nan, y=np.nan),
        frame.assign(group="new"),
        frame.assign(label="no", amount=1.0),
    ):
        findings = utility_findings(Tables.of(made, frame, held, columns=Columns.of(frame)), target)
        for each in findings.measures:
            assert each.is_defined or each.note, each.key


def test_the_order_of_the_real_rows_does_not_matter() -> None:
    """Halves and shares of a sorted table would hold other rows than the whole."""
    made, real, held = (
        table(rows, seed).drop(columns=["class", "amount"])
        for rows, seed in ((1500, 1), (1500, 2), (1000, 3))
    )
    ordered = real.sort_values(["label", "x"], ignore_index=True)
    findings = utility_findings(Tables.of(made, ordered, held), "label")
    few, agreement = (line(findings, key) for key in ("augment_5", "importance_agreement"))
    assert few.is_defined
    assert few.estimate.value < 25  # beside one class alone it would be nearly 40
    assert agreement.floor is not None
    assert agreement.floor.value > 0.5


def test_one_class_to_learn_from_is_the_class_that_is_guessed() -> None:
    sides = tables()
    trial = Trial(sides.columns, sides.train, sides.reference, "label")
    rows = trial.rows(sides.train)
    yes = int(np.flatnonzero(trial.classes == "yes")[0])
    said = trial.score(rows.take(np.flatnonzero(rows.target == yes)))
    assert isinstance(said, Classes)
    assert (said.guesses == yes).all()
    assert said.main()[0] == 0.5


def test_what_is_added_is_as_much_of_each_sort() -> None:
    for key, size in (("augment_5", 1425), ("augment_20", 1200), ("augment_100", 1500)):
        each = line(found("label"), key)
        assert each.rows == size
        assert each.note.startswith(f"{size:,} synthetic beside")
    all_of_them = line(found("label"), "augment_100")
    assert all_of_them.floor is not None
    assert math.isnan(all_of_them.floor.value)  # there are no other real rows
    assert "learned" not in all_of_them.note
    assert "the generator has learned from 1,500" in line(found("label"), "augment_5").note


def test_very_many_scarce_classes_are_filled_up_to_a_bearable_size() -> None:
    from synthgan.metrics.utility.augmentation import _scarce

    rng = np.random.default_rng(0)
    real = np.concatenate([np.zeros(9000), np.repeat(np.arange(1, 100), 10)]).astype(np.int64)
    assert len(_scarce(real, real, rng)) <= 20_000
    few = np.array([0] * 30 + [1] * 10)
    assert np.bincount(np.append(few, few[_scarce(few, few, rng)])).tolist() == [30, 30]


def test_the_linear_model_of_a_wide_table_has_bounded_features() -> None:
    rng = np.random.default_rng(0)

    def wide(rows: int) -> pd.DataFrame:
        levels = rng.integers(0, 40, (rows, 150))
        frame = pd.DataFrame(levels).astype(str).rename(columns=str)
        return frame.assign(y=np.where(levels[:, 0] > 20, "a", "b"))

    frames = [wide(300) for _ in range(2)]
    sides = Tables.of(frames[0], frames[0], frames[1])
    trial = Trial(sides.columns, sides.train, sides.reference, "y")
    assert trial.unseen_linear.x.shape[1] <= 1000


@pytest.mark.parametrize("size", [1e-200, 1e30, 1e90])
def test_the_size_of_the_numbers_to_predict_does_not_matter(size: float) -> None:
    frames = [
        table(rows, seed)[["x", "y", "noise", "amount"]].assign(
            amount=lambda frame: frame["amount"] * size
        )
        for rows, seed in ((300, 1), (300, 2), (200, 3))
    ]
    found = utility_findings(Tables.of(*frames), "amount")
    assert line(found, "tstr_r2").estimate.value > 0.6


def test_a_ratio_to_what_is_no_better_than_chance_is_not_given() -> None:
    rng = np.random.default_rng(0)

    def noise(rows: int) -> pd.DataFrame:
        x = rng.normal(size=(rows, 2))
        return pd.DataFrame(x, columns=["a", "y"]).assign(flag=rng.choice(["u", "v"], rows))

    tables = Tables.of(noise(300), noise(300), noise(200))
    for target in ("y", "flag"):
        findings = utility_findings(tables, target)
        ratio = line(findings, "tstr")
        assert not ratio.is_defined
        assert ratio.floor is None
        assert "no better than chance" in ratio.note
        said = utility(findings, target)[0]
        assert "no share of that: it is no better than chance" in said[0]
        assert "% of that" not in said[0]


def test_the_gain_is_told_with_its_unit_and_its_rows() -> None:
    measure = Measure(
        key="augment_5",
        name="Gain in AUC from synthetic rows beside 5 % of the real ones",
        estimate=Estimate(2.5, 1.0, 4.0),
        goal=Goal.HIGH,
        unit="points",
        note="475 synthetic beside 25 real rows",
    )
    (said,) = utility(Findings(measures=(measure,)), "risk")[0]
    assert "475 synthetic beside 25 real rows" in said
    assert "2.50 points (1.00 to 4.00) of AUC x 100" in said
