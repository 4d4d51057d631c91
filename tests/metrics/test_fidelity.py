"""Columns, pairs, joint shares, SDMetrics' scores and rules, held against outside oracles."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp, pearsonr
from sklearn.metrics import normalized_mutual_info_score
from threadpoolctl import threadpool_limits

from synthgan.columns.column import Kind
from synthgan.metrics.columns import Columns
from synthgan.metrics.fidelity.accuracy import accuracy_findings
from synthgan.metrics.fidelity.pairs import pair_findings, trend_error
from synthgan.metrics.fidelity.sdmetrics import sdmetrics_findings
from synthgan.metrics.fidelity.shape import column_findings, missing_error, shape_error
from synthgan.metrics.fidelity.validity import rule_findings
from synthgan.metrics.measure import Findings, Measure
from synthgan.metrics.tables import Tables
from synthgan.schema.infer import infer_columns

PARTS = [column_findings, pair_findings, accuracy_findings, sdmetrics_findings, rule_findings]
DATASETS = Path(__file__).parents[2] / "datasets"


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def orders(rows: int, seed: int, *, noise: float = 0.4) -> pd.DataFrame:
    """Numbers, dates and words that hang together and keep rules, with holes."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    ordered = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, rows), "D")
    code = np.clip(np.floor(x * 2 + 4), 0, 7).astype(int)
    holes = rng.random(rows) < 0.2
    frame = pd.DataFrame(
        {
            "x": x,
            "y": x + noise * rng.normal(size=rows),
            "count": rng.poisson(3, rows),
            "code": 100 + 10 * code,
            "label": np.array([f"area {i}" for i in range(8)], dtype=object)[code],
            "ordered": ordered,
            "shipped": ordered + pd.to_timedelta(rng.integers(0, 400, rows), "D"),
            "width": rng.normal(size=rows),
            "height": rng.normal(size=rows) + x,
            "rare": np.where(rng.random(rows) < 0.04, rng.integers(0, 8, rows), -1).astype(str),
        }
    )
    frame.loc[holes, ["width", "height"]] = np.nan
    return frame


TRAIN, HOLDOUT, HONEST = orders(4000, 1), orders(2000, 2), orders(4000, 3)


def tables(
    made: pd.DataFrame, *, train: pd.DataFrame = TRAIN, holdout: pd.DataFrame | None = HOLDOUT
) -> Tables:
    return Tables.of(made, train, holdout)


def whole(findings: Findings, key: str) -> Measure:
    (found,) = (each for each in findings.measures if each.key == key and not each.columns)
    return found


def line(findings: Findings, key: str, *columns: str) -> Measure:
    (found,) = (each for each in findings.measures if (each.key, each.columns) == (key, columns))
    return found


def shuffled(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    rng = np.random.default_rng(9)
    return frame.assign(**{name: rng.permutation(frame[name].to_numpy()) for name in names})


def covers(figure: Callable[[pd.DataFrame], Measure], redraws: int = 300) -> float:
    """Spread of the figure over redraws of the candidate, in half-widths of its interval."""
    rng = np.random.default_rng(0)
    draws = [HONEST.iloc[rng.integers(len(HONEST), size=len(HONEST))] for _ in range(redraws)]
    values = [figure(draw).estimate.value for draw in draws]
    middle = figure(HONEST).estimate
    return 1.96 * float(np.std(values)) / (middle.high - middle.value)


# --- columns ---


def test_column_figures_are_those_of_shape_and_missing_error() -> None:
    found = column_findings(tables(HONEST))
    expected = shape_error(HOLDOUT, HONEST, columns=Columns.of(TRAIN))
    assert whole(found, "shape").estimate.value == pytest.approx(expected.mean())
    assert whole(found, "missing").estimate.value == pytest.approx(
        missing_error(HOLDOUT, HONEST).mean()
    )
    for name in TRAIN:
        assert line(found, "shape", name).estimate.value == pytest.approx(expected[name])
    steps = ks_2samp(HOLDOUT["x"], HONEST["x"]).statistic
    assert line(found, "shape", "x").estimate.value == pytest.approx(100 * steps)


def test_intervals_of_a_column_are_those_of_shares() -> None:
    made = HONEST.assign(label=HONEST["label"].where(HONEST["code"] > 130, "area 7"))
    found = column_findings(tables(made))
    # Of levels that are too frequent or too rare, total variation is a difference of two shares.
    levels = [frame["label"].value_counts(normalize=True) for frame in (HOLDOUT, made)]
    above = levels[0].sub(levels[1], fill_value=0) > 0
    p, q = (float(share[above.index[above]].sum()) for share in (
        levels[0], levels[1].reindex(above.index, fill_value=0)
    ))  # fmt: skip
    estimate = line(found, "shape", "label").estimate
    assert estimate.value == pytest.approx(100 * (p - q))
    half = 196 * math.sqrt(p * (1 - p) / 2000 + q * (1 - q) / 4000)
    assert estimate.high - estimate.value == pytest.approx(half, rel=1e-3)


def test_the_interval_of_the_mean_knows_that_columns_move_together() -> None:
    twins = [frame[["x"]].assign(x2=frame["x"], x3=frame["x"]) for frame in (TRAIN, HOLDOUT)]
    made = pd.DataFrame(dict.fromkeys(("x", "x2", "x3"), HONEST["x"] + 0.3))
    found = column_findings(Tables.of(made, *twins))
    assert tuple(whole(found, "shape").estimate) == pytest.approx(
        tuple(line(found, "shape", "x").estimate)
    )


def test_a_shifted_number_and_lost_holes_are_seen_where_they_are() -> None:
    made = HONEST.assign(x=HONEST["x"] + 0.5, width=HONEST["width"].fillna(0.0))
    found = column_findings(tables(made))
    for key, name in (("shape", "x"), ("missing", "width")):
        lines = [each for each in found.measures if each.key == key and each.columns]
        assert max(lines, key=lambda each: each.estimate.value).columns == (name,)
        worst = line(found, key, name)
        assert worst.floor is not None
        assert worst.estimate.low > worst.floor.high


@pytest.mark.parametrize("holdout", [HOLDOUT, None], ids=["holdout", "no holdout"])
def test_honest_rows_are_not_blamed(holdout: pd.DataFrame | None) -> None:
    for part in PARTS:
        if holdout is None and part is sdmetrics_findings:
            continue  # its floor is of half as many rows then
        for each in part(tables(HONEST, holdout=holdout)).measures:
            if not each.columns and each.floor is not None and each.is_defined:
                assert each.estimate.low <= each.floor.high, each.key
                assert each.estimate.high >= each.floor.low, each.key


# --- pairs ---


def test_pair_figures_are_those_of_trend_error() -> None:
    found = pair_findings(tables(HONEST))
    expected = trend_error(HOLDOUT, HONEST, columns=Columns.of(TRAIN))
    assert whole(found, "all_pairs").estimate.value == pytest.approx(expected["error"].mean())
    strong = expected.loc[expected["associated"], "error"]
    assert 3 < len(strong) < len(expected)
    assert whole(found, "trend").estimate.value == pytest.approx(strong.mean())
    for pair in combinations(TRAIN.columns, 2):
        assert line(found, "trend", *pair).estimate.value == pytest.approx(expected["error"][pair])


def test_the_spread_of_a_correlation_is_known_in_theory() -> None:
    rng = np.random.default_rng(0)
    frames = []
    for rho in (0.8, 0.8, 0.5):
        x, e = rng.normal(size=(2, 4000))
        frame = pd.DataFrame({"x": x, "y": rho * x + math.sqrt(1 - rho**2) * e})
        frames.append(frame.assign(y=frame["y"].where(rng.random(4000) > 0.3)))
    train, holdout, made = frames
    found = pair_findings(Tables.of(made, train, holdout))
    estimate = whole(found, "trend").estimate
    pairs = [frame.dropna() for frame in (holdout, made)]
    gap = np.subtract(*(pearsonr(pair["x"], pair["y"]).statistic for pair in pairs))
    assert estimate.value == pytest.approx(50 * abs(gap))
    # Of two Gaussians, the standard error is (1 - rho^2) / sqrt(n).
    errors = [(1 - rho**2) / math.sqrt(len(p)) for rho, p in zip((0.8, 0.5), pairs, strict=True)]
    half = 50 * 1.96 * math.hypot(*errors)
    assert estimate.high - estimate.value == pytest.approx(half, rel=0.07)
    assert tuple(estimate) == pytest.approx(tuple(line(found, "trend", "x", "y").estimate))


def test_the_mean_over_pairs_of_holed_numbers_moves_with_its_rows() -> None:
    """Leaving out a row moves the mean by that row's influence (Efron's jackknife)."""
    rng = np.random.default_rng(0)

    def numbers(rows: int, noise: float) -> pd.DataFrame:
        x = rng.normal(size=(rows, 1)) + noise * rng.normal(size=(rows, 4))
        return pd.DataFrame(x, columns=list("abcd")).mask(rng.random((rows, 4)) < 0.2)

    train, holdout, made = numbers(150, 0.4), numbers(150, 0.4), numbers(150, 0.9)
    estimate = whole(pair_findings(Tables.of(made, train, holdout)), "trend").estimate

    def mean(one: pd.DataFrame, other: pd.DataFrame) -> float:
        return float(
            50 * (one.corr() - other.corr()).abs().to_numpy()[np.triu_indices(4, 1)].mean()
        )

    assert estimate.value == pytest.approx(mean(holdout, made))
    without = [
        [mean(holdout.drop(index=i), made) for i in range(150)],
        [mean(holdout, made.drop(index=i)) for i in range(150)],
    ]
    variance = sum(149 * float(np.var(values)) for values in without)
    assert estimate.high - estimate.value == pytest.approx(1.96 * math.sqrt(variance), rel=0.05)


def test_intervals_cover_what_redraws_do() -> None:
    def trend(made: pd.DataFrame) -> Measure:
        return whole(pair_findings(tables(shuffled(made, "y", "label"))), "trend")

    # A redraw moves the synthetic half only; the interval counts the real rows as well, which
    # are half as many: sqrt(1 / 3) of it is what redraws do.
    assert covers(trend, redraws=40) == pytest.approx(math.sqrt(1 / 3), rel=0.35)


def test_shuffled_columns_are_seen_in_pairs_alone() -> None:
    made = shuffled(HONEST, *HONEST.columns)
    found = pair_findings(tables(made))
    for key in ("trend", "all_pairs", "nmi"):
        each = whole(found, key)
        assert each.floor is not None
        assert each.baseline is not None
        assert each.estimate.low > 3 * each.floor.high
        assert each.estimate.value == pytest.approx(each.baseline.value, rel=0.1)
    assert whole(column_findings(tables(made)), "shape").estimate.value < 3


def test_mutual_information_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)

    def words(rows: int, share: float) -> pd.DataFrame:
        a, b = rng.integers(0, 4, (2, rows))
        c = np.where(rng.random(rows) < share, a, b)
        frame = pd.DataFrame({"a": a, "b": b, "c": c, "d": rng.integers(0, 3, rows)}).astype(str)
        return frame.mask(rng.random(frame.shape) < 0.1)

    train, holdout, made = words(3000, 0.9), words(3000, 0.9), words(3000, 0.6)
    weights, gaps = [], []
    for a, b in combinations(train, 2):
        one, two = (
            normalized_mutual_info_score(frame[a].fillna("-"), frame[b].fillna("-"))
            for frame in (holdout, made)
        )
        weights.append(one)
        gaps.append(abs(one - two))
    found = whole(pair_findings(Tables.of(made, train, holdout)), "nmi")
    assert found.estimate.value == pytest.approx(np.average(gaps, weights=weights))
    assert found.estimate.low < found.estimate.value < found.estimate.high


def test_mutual_information_sees_a_bend() -> None:
    def bent(rows: int, seed: int) -> pd.DataFrame:
        x = np.random.default_rng(seed).normal(size=rows)
        return pd.DataFrame({"x": x, "y": x**2})

    made = shuffled(bent(2000, 3), "y")
    found = pair_findings(Tables.of(made, bent(2000, 1), bent(2000, 2)))
    assert not whole(found, "trend").is_defined  # the correlation is nothing: not associated
    assert "no pair" in whole(found, "trend").note
    assert whole(found, "nmi").estimate.low > 0.3


def test_the_worst_pairs_of_a_wide_table_are_shown() -> None:
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.normal(size=(900, 70)), columns=[f"c{i}" for i in range(70)])
    wide["c69"] = wide["c3"]
    found = pair_findings(Tables.of(shuffled(wide, "c69"), wide))
    lines = [each for each in found.measures if each.columns]
    assert len(lines) == 500
    assert max(lines, key=lambda each: each.estimate.value).columns == ("c3", "c69")
    assert "500 worst of 2,415" in lines[0].note


# --- joint shares ---


def variation(one: pd.DataFrame, other: pd.DataFrame, names: list[str]) -> float:
    a, b = (frame.value_counts(names) / len(frame) for frame in (one, other))
    return float(a.subtract(b, fill_value=0).abs().sum() / 2)


def test_joint_accuracy_is_counted_by_hand() -> None:
    rng = np.random.default_rng(0)
    frames = [
        pd.DataFrame(rng.integers(0, 3, (rows, 4)), columns=list("abcd")).astype(str)
        for rows in (3000, 2000, 3000)
    ]
    train, holdout, made = frames
    made["b"] = made["a"]
    found = accuracy_findings(Tables.of(made, train, holdout))
    for size in (1, 2, 3):
        errors = [variation(holdout, made, list(names)) for names in combinations("abcd", size)]
        estimate = whole(found, f"accuracy_{size}").estimate
        assert estimate.value == pytest.approx(100 * (1 - np.mean(errors)))
        assert estimate.low < estimate.value < estimate.high
        shares = [holdout.value_counts(list(n)) / 2000 for n in combinations("abcd", size)]
        noise = [
            0.5 * np.sqrt(2 / np.pi * (p * (1 - p) / 2000 + p * (1 - p) / 3000)).sum()
            for p in shares
        ]
        most = whole(found, f"accuracy_{size}_most").estimate.value
        assert most == pytest.approx(100 * (1 - np.mean(noise)))


def test_real_rows_reach_what_chance_allows() -> None:
    found = accuracy_findings(tables(HONEST))
    for size in (1, 2, 3):
        each, most = whole(found, f"accuracy_{size}"), whole(found, f"accuracy_{size}_most")
        assert each.floor is not None
        assert each.floor.value == pytest.approx(most.estimate.value, abs=1.5)
        assert each.estimate.value == pytest.approx(most.estimate.value, abs=1.5)
    broken = accuracy_findings(tables(shuffled(HONEST, "label", "y")))
    single = [whole(each, "accuracy_1").estimate.value for each in (broken, found)]
    assert single[0] == pytest.approx(single[1])
    for size in (2, 3):
        each = whole(broken, f"accuracy_{size}")
        assert each.floor is not None
        assert each.estimate.high < each.floor.low


def test_bins_do_not_hide_what_most_rows_share() -> None:
    rng = np.random.default_rng(0)

    def gains(rows: int, share: float, constant: float) -> pd.DataFrame:
        spent = np.where(rng.random(rows) < share, rng.exponential(100, rows), 0.0)
        top = np.where(rng.random(rows) < share, -spent, 99.0)
        return pd.DataFrame({"spent": spent, "top": top, "constant": constant})

    train, holdout = gains(2000, 0.05, 7.0), gains(2000, 0.05, 7.0)
    honest = accuracy_findings(Tables.of(gains(2000, 0.05, 7.0), train, holdout))
    assert whole(honest, "accuracy_1").estimate.value > 98
    made = gains(2000, 0.30, 7.0)
    more = whole(accuracy_findings(Tables.of(made, train, holdout)), "accuracy_1")
    assert more.estimate.value == pytest.approx(100 - 25 * 2 / 3, abs=2.0)
    moved = made.assign(spent=train["spent"], top=train["top"], constant=8.0)
    lost = whole(accuracy_findings(Tables.of(moved, train, holdout)), "accuracy_1")
    assert lost.estimate.value == pytest.approx(100 * 2 / 3, abs=2.0)


# --- SDMetrics ---


def read_dataset(name: str) -> pd.DataFrame:
    frame = pd.read_csv(DATASETS / f"{name}.csv")
    if "scheduled" in frame:
        frame["scheduled"] = pd.to_datetime(frame["scheduled"])
    return frame


def theirs(real: pd.DataFrame, synthetic: pd.DataFrame) -> dict[str, float]:
    """SDMetrics' own two scores."""
    reports = pytest.importorskip("sdmetrics.reports.single_table.quality_report")

    def kind(column: pd.Series) -> str:
        if pd.api.types.is_datetime64_any_dtype(column.dtype):
            return "datetime"
        is_number = pd.api.types.is_any_real_numeric_dtype(column.dtype)
        return "numerical" if is_number else "categorical"

    report = reports.QualityReport()
    metadata = {"columns": {str(name): {"sdtype": kind(real[name])} for name in real}}
    report.generate(real, synthetic, metadata, verbose=False)
    scores = report.get_properties().set_index("Property")["Score"]
    return {str(name): float(score) for name, score in scores.items()}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["census", "german", "diamonds", "flights", "orders"])
def test_scores_are_those_of_sdmetrics(name: str) -> None:
    pytest.importorskip("sdmetrics")
    real = TRAIN if name == "orders" else read_dataset(name)
    if name == "flights":  # its thousands of tail numbers take SDMetrics a minute
        real = real.drop(columns=["tail_number"]).iloc[:4000]
    half = len(real) // 2
    train, made = real.iloc[:half], real.iloc[half:].reset_index(drop=True)
    broken = list(real.columns[::3])
    made = shuffled(made, *broken)
    made[real.columns[-1]] = made[real.columns[-1]].where(made.index % 7 > 0)
    found = sdmetrics_findings(Tables.of(made, train))
    scores = theirs(train, made)
    shapes, trends = whole(found, "sdmetrics_shapes"), whole(found, "sdmetrics_trends")
    assert shapes.estimate.value == pytest.approx(scores["Column Shapes"], abs=1e-6)
    assert trends.estimate.value == pytest.approx(scores["Column Pair Trends"], abs=1e-6)
    for each in (shapes, trends):
        assert each.estimate.low < each.estimate.value < each.estimate.high
        assert each.floor is not None
        assert each.baseline is not None
    assert trends.floor is not None
    assert trends.baseline is not None
    assert trends.floor.low > trends.baseline.high


@pytest.mark.filterwarnings("ignore")
def test_scores_leave_out_what_sdmetrics_leaves_out() -> None:
    pytest.importorskip("sdmetrics")
    made = HONEST.assign(y=1.0, label=None, width=np.nan)
    found = sdmetrics_findings(tables(made))
    scores = theirs(TRAIN, made)
    assert whole(found, "sdmetrics_shapes").estimate.value == pytest.approx(
        scores["Column Shapes"], abs=1e-6
    )
    assert whole(found, "sdmetrics_trends").estimate.value == pytest.approx(
        scores["Column Pair Trends"], abs=1e-6
    )


# --- rules ---


def rules(findings: Findings) -> dict[tuple[str, ...], Measure]:
    return {each.columns: each for each in findings.measures if each.key == "broken_rules"}


def test_rules_are_found_and_nothing_else() -> None:
    found = rules(rule_findings(tables(HONEST)))
    texts = {each.note for columns, each in found.items() if columns}
    assert texts == {
        "rule: 'ordered' is never above 'shipped'",
        "rule: 'code' decides 'label'",
        "rule: 'label' decides 'code'",
        "rule: 'width' and 'height' are missing together",
    }
    assert found[()].note == "4 rules"
    assert all(each.estimate.value == 0 for each in found.values())
    assert all(0 < each.estimate.high < 0.2 for each in found.values())


def test_broken_rules_are_counted() -> None:
    made = HONEST.copy()
    made.loc[:99, "shipped"] = made.loc[:99, "ordered"] - pd.Timedelta("3D")
    made.loc[80:239, "label"] = np.where(made.loc[80:239, "code"] == 140, "area 3", "area 4")
    made.loc[1000:1039, "width"] = np.where(made.loc[1000:1039, "width"].isna(), 0.0, np.nan)
    found = rules(rule_findings(tables(made)))
    assert found["ordered", "shipped"].estimate.value == pytest.approx(100 * 100 / 4000)
    assert found["code", "label"].estimate.value == pytest.approx(100 * 160 / 4000)
    assert found["width", "height"].estimate.value == pytest.approx(100 * 40 / 4000)
    assert found[()].estimate.value == pytest.approx(100 * 280 / 4000)
    assert found[()].floor is not None
    assert found[()].estimate.low > found[()].floor.high
    assert found[()].baseline is not None
    assert found[()].baseline.value > 50
    assert list(found)[1:3] == [("code", "label"), ("label", "code")]  # the worst come first


def test_how_often_unseen_real_rows_break_a_rule_is_the_floor() -> None:
    unlike = HOLDOUT.copy()
    unlike.loc[0, "shipped"] = unlike.loc[0, "ordered"] - pd.Timedelta("1D")
    unlike.loc[0, "label"] = "area 9"
    unlike.loc[0, ["width", "height"]] = [np.nan, 0.0]
    found = rules(rule_findings(tables(HONEST, holdout=unlike)))
    assert found[()].floor is not None
    assert found[()].floor.value == pytest.approx(100 / len(unlike))
    for pair in (("ordered", "shipped"), ("code", "label"), ("width", "height")):
        floor = found[pair].floor
        assert floor is not None
        assert floor.value == pytest.approx(100 / len(unlike)), pair


def test_a_hole_that_follows_another_is_a_rule() -> None:
    unlike = TRAIN.copy()
    unlike.loc[0, ["width", "height"]] = [np.nan, 0.0]
    found = rules(rule_findings(tables(HONEST, train=unlike)))
    assert found["height", "width"].note == "rule: where 'height' is missing, 'width' is too"


def test_rules_that_hold_by_chance_are_no_reproach() -> None:
    """Of 400 pairs of columns, some are in order in all training rows, and not by a law."""
    rng = np.random.default_rng(0)

    def skewed(rows: int) -> pd.DataFrame:
        shared, shift = 5 * rng.normal(size=(rows, 1)), np.linspace(0, 6.0, 20)
        return pd.DataFrame(shared + rng.normal(size=(rows, 20)) + shift).rename(columns=str)

    found = rules(rule_findings(Tables.of(skewed(400), skewed(400), skewed(2000))))[()]
    assert found.estimate.value > 0
    assert found.floor is not None
    assert found.estimate.low <= found.floor.high
    assert found.floor.low <= found.estimate.high


def test_whole_numbers_are_ordered_as_well() -> None:
    rng = np.random.default_rng(0)

    def parts(rows: int) -> pd.DataFrame:
        part = rng.integers(0, 5000, rows)
        return pd.DataFrame({"part": part, "all": part + rng.integers(0, 5000, rows) / 2})

    train = parts(1000)
    columns = Columns.of(train, infer_columns(train))
    assert {column.kind for column in columns.layout} == {Kind.INTEGER, Kind.NUMBER}
    made = shuffled(parts(1000), "all")
    found = rules(rule_findings(Tables.of(made, train, parts(500), columns=columns)))
    expected = 100 * (made["part"] > made["all"]).mean()
    assert found["part", "all"].estimate.value == pytest.approx(expected)
    assert expected > 10


def test_chance_makes_no_rules() -> None:
    rng = np.random.default_rng(0)

    def dull(rows: int) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "small": rng.random(rows),
                "large": rng.random(rows) + 5,  # above `small` whatever happens
                "constant": "x",
                "rare": np.where(rng.random(rows) < 0.002, "a", "b"),
                "almost": np.where(rng.random(rows) < 0.001, np.nan, 1.0),
                "unique": np.arange(rows).astype(str),
            }
        )

    found = rules(rule_findings(Tables.of(dull(2000), dull(2000), dull(1000))))
    assert list(found) == [()]
    assert not found[()].is_defined
    assert "no rule" in found[()].note


def test_rare_levels_are_held_against_a_fresh_sample() -> None:
    found = rule_findings(tables(HONEST))
    levels = TRAIN["rare"].value_counts()
    rare = levels[(levels < 40) & (levels >= 5)]
    each = line(found, "rare_coverage", "rare")
    assert len(rare) == 8
    assert each.note == "8 rare levels"
    assert each.estimate.value == 100 * rare.index.isin(HONEST["rare"]).mean()
    assert each.floor is not None
    assert each.floor.value == pytest.approx(100 * (1 - (1 - rare / 4000) ** 4000).mean())
    lost = rule_findings(tables(HONEST.assign(rare=HONEST["rare"].replace({"3": "-1", "5": "-1"}))))
    missing = line(lost, "rare_coverage", "rare")
    assert missing.estimate.value == 75
    assert missing.floor is not None
    assert missing.estimate.high < missing.floor.value


def test_cells_out_of_range_are_counted() -> None:
    made = HONEST.copy()
    made["x"] = made["x"].clip(TRAIN["x"].min(), TRAIN["x"].max())
    made.loc[:39, "x"] = 99.0
    made.loc[:9, "label"] = "nowhere"
    made.loc[:19, "count"] = np.nan
    made.loc[:199, "width"] = np.nan  # where the real column has holes too
    found = rule_findings(tables(made))
    shares = {"x": 1.0, "label": 0.25}
    for name, share in shares.items():
        assert line(found, "out_of_range", name).estimate.value == pytest.approx(share)
    outside = (made["count"] > TRAIN["count"].max()) | made["count"].isna()
    assert line(found, "out_of_range", "count").estimate.value == pytest.approx(
        100 * outside.mean()
    )
    lines = [each for each in found.measures if each.key == "out_of_range"]
    assert lines[0].estimate.value == pytest.approx(
        np.mean([each.estimate.value for each in lines[1:]])
    )
    assert line(found, "out_of_range", "label").floor == pytest.approx((0, 0, 0.18427), abs=1e-4)


def test_repeated_rows_are_counted() -> None:
    made = pd.concat([HONEST.iloc[:3000], HONEST.iloc[:500], HONEST.iloc[:500]])
    each = whole(rule_findings(tables(made)), "duplicates")
    assert each.estimate.value == pytest.approx(100 * made.duplicated().mean())
    assert each.estimate.low < 25 < each.estimate.high
    assert each.floor is not None
    assert each.floor.value == 0
    assert 0 < each.floor.high < 0.1


# --- odd tables ---


def odd(name: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame | None]:
    rng = np.random.default_rng(0)
    plain = pd.DataFrame(
        {"a": rng.normal(size=40), "b": rng.choice(["u", "v"], 40), "c": rng.normal(size=40)}
    )
    empty = plain.assign(a=np.nan, b=None)
    return {
        "missing in real": (plain, empty, empty),
        "missing in synthetic": (empty, plain, plain),
        "missing in both": (empty, empty, None),
        "constant": (plain, plain.assign(a=1.0, b="u"), plain.assign(a=1.0, b="u")),
        "constant synthetic": (plain.assign(a=1.0, b="u", c=0.1), plain, plain),
        "one row": (plain.iloc[:1], plain.iloc[:2], plain.iloc[:1]),
        "one synthetic row": (plain.iloc[:1], plain, plain),
        "one column": (plain[["b"]], plain[["b"]], plain[["b"]]),
        "disjoint": (plain.assign(a=plain["a"] + 1e3, b="w"), plain, plain),
        "huge": (plain.assign(a=plain["a"] * 1e300, c=1e-300), plain.assign(c=-1e300), None),
        "words only": (plain[["b", "b"]].set_axis(["b", "d"], axis=1),) * 3,
    }[name]


@pytest.mark.parametrize(
    "name",
    [
        "missing in real",
        "missing in synthetic",
        "missing in both",
        "constant",
        "constant synthetic",
        "one row",
        "one synthetic row",
        "one column",
        "disjoint",
        "huge",
        "words only",
    ],
)
@pytest.mark.parametrize("part", PARTS)
def test_odd_tables_give_figures_or_a_reason(part: Callable[[Tables], Findings], name: str) -> None:
    made, train, holdout = odd(name)
    measures = part(Tables.of(made, train, holdout)).measures
    assert measures
    for each in measures:
        if not each.is_defined:
            assert each.note
            continue
        if each.unit:
            assert 0 <= each.estimate.value <= 100 + 1e-9
        if not each.key.endswith("_most"):
            assert each.estimate.low <= each.estimate.value + 1e-9
            assert each.estimate.value <= each.estimate.high + 1e-9
    assert len({(each.key, each.columns, each.note) for each in measures}) == len(measures)


def test_two_hundred_columns_take_seconds() -> None:
    rng = np.random.default_rng(0)

    def wide(rows: int) -> pd.DataFrame:
        x = rng.normal(size=(rows, 200)) + rng.normal(size=(rows, 1))
        frame = pd.DataFrame(x, columns=[f"c{i}" for i in range(200)])
        for name in frame.columns[::3]:
            frame[name] = np.where(frame[name] > 0, "high", "low")
        return frame

    found = Tables.of(wide(400), wide(400), wide(200))
    for part in PARTS:
        for each in part(found).measures:
            assert each.is_defined or each.note


def test_the_same_seed_gives_the_same_figures() -> None:
    for part in PARTS:
        assert repr(part(tables(HONEST))) == repr(part(tables(HONEST)))
