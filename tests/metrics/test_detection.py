"""Detectors and the shape of the cloud, held against scikit-learn, scipy and plain loops."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist
from scipy.stats import multivariate_normal
from sklearn.cluster import KMeans
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import auc as area
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from threadpoolctl import threadpool_limits

from synthgan._typing import Floats
from synthgan.metrics.columns import Columns, independent_columns
from synthgan.metrics.fidelity import detection
from synthgan.metrics.fidelity.detection import c2st, detection_findings
from synthgan.metrics.fidelity.geometry import geometry_findings
from synthgan.metrics.fidelity.groups import Groups
from synthgan.metrics.measure import Findings, Goal, Measure, auc
from synthgan.metrics.points import Embedding, nearest, neighbours, squared_distances
from synthgan.metrics.tables import Tables

ALPHAS = np.linspace(0, 1, 30)


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def table(rows: int, seed: int) -> pd.DataFrame:
    """Numbers and words that hang together, and one column that does not."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    level = np.clip(np.floor(x + 0.3 * rng.normal(size=rows)), -2, 1).astype(int) + 2
    return pd.DataFrame(
        {
            "x": x,
            "y": x + 0.3 * rng.normal(size=rows),
            "word": np.array(["red", "green", "blue", "grey"], dtype=object)[level],
            "alone": rng.gamma(2, size=rows),
        }
    )


def whole(findings: Findings) -> dict[str, Measure]:
    return {each.key: each for each in findings.measures if not each.columns}


def floor_of(measure: Measure) -> float:
    assert measure.floor is not None
    return measure.floor.value


def baseline_of(measure: Measure) -> float:
    assert measure.baseline is not None
    return measure.baseline.value


TRAIN, HOLDOUT, FRESH = table(600, 1), table(600, 2), table(600, 3)
COLUMNS = Columns.of(TRAIN)
SHUFFLED = independent_columns(TRAIN, 600, np.random.default_rng(0))
SHIFTED = FRESH.assign(alone=(FRESH["alone"] + 0.7).mask(FRESH["y"] > 1.5))
ODD_Y = FRESH.assign(y=np.random.default_rng(0).permutation(FRESH["y"]))


@cache
def detected(name: str) -> Findings:
    """What the detectors find in ``off``, where y does not go with the rest, and the others."""
    made = {"off": ODD_Y, "fresh": FRESH, "shifted": SHIFTED}[name]
    return detection_findings(Tables.of(made, TRAIN, HOLDOUT, columns=COLUMNS))


# --- nearest points ---


def test_neighbours_are_those_of_a_plain_search() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(300, 5)).astype(np.float32)
    queries = np.vstack([rng.normal(size=(50, 5)).astype(np.float32), points[:3]])
    truth = np.sort(cdist(queries, points), axis=1)
    distances, places = neighbours(points, queries, 4)
    assert distances == pytest.approx(truth[:, :4], abs=1e-9)
    assert np.linalg.norm(queries[:, None] - points[places], axis=2) == pytest.approx(distances)
    assert (distances[-3:, 0] == 0).all()
    assert places[-3:, 0].tolist() == [0, 1, 2]
    assert nearest(points, queries)[0].tolist() == distances[:, 0].tolist()
    assert neighbours(points[:2], queries, 4)[0].shape == (53, 2)
    squares = squared_distances(queries.astype(np.float64), points.astype(np.float64))
    assert squares == pytest.approx(np.square(cdist(queries, points)), abs=1e-12)


def test_levels_of_many_columns_share_the_width() -> None:
    rng = np.random.default_rng(0)
    words = pd.DataFrame({f"c{i}": rng.integers(0, 30, 400).astype(str) for i in range(50)})
    columns = Columns.of(words)
    cells = columns.read(words)
    assert Embedding(columns, cells, levels_width=200).width == 50 * 4
    assert Embedding(columns, cells).width == 50 * 24
    one = columns.read(words[["c0"]].assign(**dict.fromkeys(words.columns[1:], "0")))
    assert len(np.unique(Embedding(columns, cells)(one), axis=0)) == 25


# --- detectors ---


def test_detectors_tell_broken_rows_and_not_real_ones() -> None:
    found = whole(detected("off"))
    assert found["c2st"].estimate.low > 0.7
    assert baseline_of(found["c2st"]) > 0.8
    for key in ("c2st", "c2st_linear"):
        assert abs(floor_of(found[key]) - 0.5) < 0.06
        assert (found[key].goal, found[key].rows) == (Goal.HALF, 600)
    assert abs(found["c2st_linear"].estimate.value - 0.5) < 0.06  # blind to what is between
    honest = whole(detected("fresh"))
    for key in ("c2st", "c2st_linear"):
        assert honest[key].estimate.low < 0.53
        assert honest[key].estimate.high > 0.47


def test_trees_are_those_of_scikit_learn() -> None:
    sides = [COLUMNS.matrix(COLUMNS.read(frame)) for frame in (HOLDOUT, ODD_Y)]
    labels = np.repeat([0, 1], 600)
    scores = cross_val_predict(
        HistGradientBoostingClassifier(categorical_features=sides[0][1], random_state=0),
        np.vstack([side[0] for side in sides]),
        labels,
        cv=StratifiedKFold(5, shuffle=True, random_state=0),
        method="predict_proba",
    )[:, 1]
    found = detected("off")
    line = whole(found)["c2st"].estimate
    assert line.value == pytest.approx(roc_auc_score(labels, scores))
    # Models share what they learned from, so DeLong's interval alone is too narrow.
    influence = auc(labels == 1, scores)[1]
    folds = StratifiedKFold(5, shuffle=True, random_state=0).split(scores, labels)
    of_folds = [roc_auc_score(labels[unseen], scores[unseen]) for _, unseen in folds]
    variance = np.square(influence).sum() + np.var(of_folds, ddof=1) / 5
    assert line.high - line.value == pytest.approx(1.96 * math.sqrt(variance), rel=1e-3)
    public = c2st(HOLDOUT, ODD_Y, columns=COLUMNS)
    assert line.value == pytest.approx(public.value, abs=0.03)
    areas = {curve.key: area(curve.x, curve.y) for curve in found.curves}
    assert list(areas) == ["roc_c2st", "roc_c2st_floor", "roc_c2st_baseline"]
    assert areas["roc_c2st"] == pytest.approx(line.value, abs=0.01)
    assert areas["roc_c2st_floor"] == pytest.approx(floor_of(whole(found)["c2st"]), abs=0.01)
    assert areas["roc_c2st_baseline"] == pytest.approx(baseline_of(whole(found)["c2st"]), abs=0.01)


def test_regression_is_that_of_scikit_learn() -> None:
    found = whole(detected("shifted"))
    frames = pd.concat([HOLDOUT, SHIFTED], ignore_index=True)
    numbers = (frames[["x", "y", "alone"]] - TRAIN.mean(numeric_only=True)) / TRAIN.std(
        numeric_only=True
    )
    x = pd.concat(
        [
            numbers.fillna(0).clip(-6, 6),
            pd.get_dummies(frames["word"]) * math.sqrt(0.5),
            frames["alone"].isna(),
        ],
        axis=1,
    ).to_numpy(np.float64)
    labels = np.repeat([0, 1], 600)
    scores = cross_val_predict(
        LogisticRegression(max_iter=1000, tol=1e-8),
        x,
        labels,
        cv=StratifiedKFold(3, shuffle=True, random_state=0),
        method="decision_function",
    )
    truth = roc_auc_score(labels, scores)
    assert truth > 0.6
    assert found["c2st_linear"].estimate.value == pytest.approx(truth, abs=2e-3)


def test_the_column_that_is_off_gives_rows_away() -> None:
    clues = [each for each in detected("shifted").measures if each.key == "giveaway"]
    assert clues[0].columns == ("alone",)
    assert clues[0].estimate.low > 5
    assert clues[0].unit == "points"
    assert all(each.estimate.low < 2 for each in clues[1:])
    assert {each.columns[0] for each in clues} == set(TRAIN)
    values = [each.estimate.value for each in clues]
    assert values == sorted(values, reverse=True)


def test_what_gives_away_is_permutation_importance() -> None:
    found = detected("off")
    sides = [COLUMNS.matrix(COLUMNS.read(frame)) for frame in (HOLDOUT, ODD_Y)]
    x, labels = np.vstack([side[0] for side in sides]), np.repeat([0, 1], 600)
    drops = []
    for seen, unseen in StratifiedKFold(5, shuffle=True, random_state=0).split(x, labels):
        model = HistGradientBoostingClassifier(categorical_features=sides[0][1], random_state=0)
        model.fit(x[seen], labels[seen])
        theirs = permutation_importance(
            model, x[unseen], labels[unseen], scoring="roc_auc", n_repeats=3, random_state=0
        )
        drops.append(100 * theirs["importances_mean"])
    truth = dict(zip(COLUMNS.names, np.mean(drops, axis=0), strict=True))
    for each in found.measures:
        if each.key == "giveaway":
            # Folds pooled here, averaged there; shuffled once here, thrice there.
            assert each.estimate.value == pytest.approx(truth[each.columns[0]], abs=2.5)
            assert each.estimate.low < truth[each.columns[0]] < each.estimate.high


def test_many_columns_are_shuffled_among_fewer_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    full = detected("off")
    monkeypatch.setattr(detection, "_SHUFFLED_CELLS", 1200 * 16 // 3)
    part = detection_findings(Tables.of(ODD_Y, TRAIN, HOLDOUT, columns=COLUMNS))
    one, other = (
        {each.columns: each.estimate for each in found.measures if each.columns}
        for found in (full, part)
    )
    assert one.keys() == other.keys()
    for key, (value, low, high) in one.items():
        assert other[key].high - other[key].low > high - low
        assert other[key].low - 1 < value < other[key].high + 1


# --- the cloud ---


def embedded(*frames: pd.DataFrame) -> list[Floats]:
    embed = Embedding(COLUMNS, COLUMNS.read(TRAIN), levels_width=600)
    return [embed(COLUMNS.read(frame)).astype(np.float64) for frame in frames]


def prdc_of(real: Floats, made: Floats, k: int = 5) -> dict[str, float]:
    """Naeem et al. (2020), section 3, in plain loops."""
    real_radius = np.sort(cdist(real, real), axis=1)[:, k]
    made_radius = np.sort(cdist(made, made), axis=1)[:, k]
    gaps = cdist(real, made)
    n, m = gaps.shape
    inside = [[gaps[i, j] <= real_radius[i] for i in range(n)] for j in range(m)]
    return {
        "precision": sum(any(row) for row in inside) / m,
        "density": sum(sum(row) for row in inside) / (k * m),
        "coverage": sum(any(inside[j][i] for j in range(m)) for i in range(n)) / n,
        "recall": sum(any(gaps[i, j] <= made_radius[j] for j in range(m)) for i in range(n)) / n,
    }


def alaa_of(real: Floats, made: Floats) -> dict[str, float]:
    """Alaa et al. (2022), section 3, in plain loops, with the nearest real neighbour."""
    to_real, to_made = (x - real.mean(axis=0) for x in (real, made))
    radii = np.quantile(np.linalg.norm(to_real, axis=1), ALPHAS)
    precision = [np.mean(np.linalg.norm(to_made, axis=1) <= r) for r in radii]
    spread = np.linalg.norm(made - made.mean(axis=0), axis=1)
    gaps, own = cdist(real, made), np.sort(cdist(real, real), axis=1)[:, 1]
    recall = []
    for radius in np.quantile(spread, ALPHAS):
        hits = 0
        for i in range(len(real)):
            j = int(gaps[i].argmin())
            hits += gaps[i, j] <= own[i] and spread[j] <= radius
        recall.append(hits / len(real))
    return {
        "alpha_precision": 1 - np.abs(ALPHAS - precision).sum() / ALPHAS.sum(),
        "beta_recall": 1 - np.abs(ALPHAS - recall).sum() / ALPHAS.sum(),
    }


@pytest.mark.parametrize("made", [FRESH, ODD_Y, SHUFFLED], ids=["fresh", "odd", "independent"])
def test_the_cloud_is_measured_as_in_the_papers(made: pd.DataFrame) -> None:
    found = whole(geometry_findings(Tables.of(made, TRAIN, HOLDOUT, columns=COLUMNS)))
    real, other = embedded(HOLDOUT, made)
    for key, value in prdc_of(real, other).items():
        assert found[key].estimate.value == pytest.approx(value, abs=1e-9)
    for key, value in alaa_of(real, other).items():  # shares of rows differ from levels by 1 / n
        assert found[key].estimate.value == pytest.approx(value, abs=4e-3)
    a, b = np.cov(real.T), np.cov(other.T)
    shift = real.mean(axis=0) - other.mean(axis=0)
    ridge = 1e-9 * np.eye(len(a))
    root = np.real(sqrtm((a + ridge) @ (b + ridge)))
    truth = shift @ shift + np.trace(a + b - 2 * root)
    assert found["frechet"].estimate.value == pytest.approx(truth, abs=1e-3)
    for each in found.values():
        assert each.estimate.low <= each.estimate.value <= each.estimate.high
        assert each.floor is not None
        assert each.baseline is not None
        assert each.rows == 600


def test_frechet_distance_of_known_gaussians() -> None:
    rng = np.random.default_rng(0)
    frames = [
        pd.DataFrame(multivariate_normal(mean, cov, seed=rng).rvs(2000), columns=["a", "b"])
        for mean, cov in (
            ([0, 0], [[1, 0], [0, 1]]),
            ([0, 0], [[1, 0], [0, 1]]),
            ([0.6, 0], [[1, 0], [0, 2.25]]),
        )
    ]
    found = whole(geometry_findings(Tables.of(frames[2], frames[0], frames[1])))["frechet"]
    assert found.estimate.low < 0.36 + 0.25 < found.estimate.high
    assert found.estimate.high - found.estimate.low < 0.25
    assert floor_of(found) < 0.01


def test_intervals_are_as_wide_as_figures_vary() -> None:
    draws: dict[str, list[tuple[float, float]]] = {}
    for seed in range(25):
        frames = [table(250, 1000 + 3 * seed + i) for i in range(3)]
        frames[0]["y"] += 0.3 * np.random.default_rng(seed).normal(size=250)
        tables = Tables.of(*frames, columns=COLUMNS, seed=seed)
        for key, each in whole(geometry_findings(tables)).items():
            draws.setdefault(key, []).append(
                (each.estimate.value, (each.estimate.high - each.estimate.low) / 2 / 1.96)
            )
    for key in ("alpha_precision", "beta_recall", "precision", "density", "coverage", "frechet"):
        values, claimed = np.array(draws[key]).T
        assert 0.6 < claimed.mean() / values.std(ddof=1) < 2.6, key


def test_lost_groups_are_counted_and_not_described() -> None:
    collapsed = table(3000, 4).query("x < 0.5").head(600)
    found = whole(geometry_findings(Tables.of(collapsed, TRAIN, HOLDOUT)))
    modes, inception = found["modes"], found["inception"]
    assert modes.estimate.high < 0.9
    assert floor_of(modes) == 1
    assert modes.note.endswith("of the training rows belong")
    assert inception.estimate.high < floor_of(inception)
    assert found["coverage"].estimate.high < floor_of(found["coverage"])
    honest = whole(geometry_findings(Tables.of(FRESH, TRAIN, HOLDOUT)))["modes"]
    assert honest.estimate.value == honest.estimate.high == 1
    assert honest.note.startswith("0 of ")


def test_groups_are_as_tight_as_those_of_scikit_learn() -> None:
    points = embedded(TRAIN)[0].astype(np.float32)
    groups = Groups.of(points, 600, np.random.default_rng(0))
    theirs = KMeans(len(groups.centres), n_init=3, random_state=0).fit(points)
    inertia = groups.spread * points.size
    assert theirs.inertia_ * 0.98 < inertia < theirs.inertia_ * 1.25
    assert groups.shares.sum() == pytest.approx(1)


def test_inception_like_score_is_exp_of_mean_divergence() -> None:
    points = embedded(TRAIN)[0]
    groups = Groups.of(points.astype(np.float32), 600, np.random.default_rng(0))
    density = np.array(
        [
            multivariate_normal(centre, groups.spread, allow_singular=True).pdf(points)
            if points.shape[1] == 1
            else np.exp(-np.square(points - centre).sum(axis=1) / (2 * groups.spread))
            for centre in groups.centres
        ]
    ).T
    chance = density / density.sum(axis=1, keepdims=True)
    mean = chance.mean(axis=0)
    logs = np.log(np.where(chance > 0, chance / mean, 1))
    truth = math.exp((chance * logs).sum(axis=1).mean())
    assert 1 < truth < len(groups.centres)
    assert groups.inception(points).value == pytest.approx(truth)


def test_repeated_rows_do_not_blow_figures_up() -> None:
    rng = np.random.default_rng(0)
    few = [
        pd.DataFrame({"a": rng.choice(["u", "v", "w"], 400), "b": rng.integers(0, 3, 400)})
        for _ in range(3)
    ]
    found = whole(geometry_findings(Tables.of(*few)))
    for key in ("alpha_precision", "beta_recall", "precision", "recall", "coverage"):
        assert found[key].estimate.value > 0.9, key
    assert found["density"].estimate.value == pytest.approx(1, abs=0.2)


# --- odd tables ---


def odd_tables() -> dict[str, Tables]:
    rng = np.random.default_rng(0)
    constant = pd.DataFrame({"n": [1.0] * 90, "w": ["a"] * 90})
    empty = pd.DataFrame({"n": [math.nan] * 90, "w": pd.Series([None] * 90, dtype=object)})
    wide = pd.DataFrame(rng.normal(size=(60, 200)), columns=[f"c{i}" for i in range(200)])
    train, holdout, fresh = TRAIN.head(120), HOLDOUT.head(120), FRESH.head(120)
    apart = train.assign(x=train["x"] + 1e9, word="unheard of")
    huge = train.assign(x=train["x"] * 1e99)
    holed = fresh.mask(rng.random(fresh.shape) < 0.5)
    rare = fresh.assign(x=fresh["x"].where(fresh.index == 7))
    return {
        "constant": Tables.of(constant, constant, constant),
        "changed constant": Tables.of(constant.assign(n=2.0, w="b"), constant, constant),
        "all missing": Tables.of(empty, empty, empty),
        "only real missing": Tables.of(constant, empty, empty),
        "only synthetic missing": Tables.of(empty, constant, constant),
        "one number": Tables.of(rare, rare, rare),
        "wide": Tables.of(wide, wide + 0.1, wide - 0.1),
        "apart": Tables.of(apart, train, holdout),
        "huge": Tables.of(huge, huge, huge),
        "holes": Tables.of(holed, train, holdout),
        "no holdout": Tables.of(fresh, train),
        "one column": Tables.of(fresh[["x"]], train[["x"]], holdout[["x"]]),
        "copies": Tables.of(train, train, train),
    }


ODD = odd_tables()


@cache
def judged(name: str) -> Findings:
    return geometry_findings(ODD[name]) + detection_findings(ODD[name])


@pytest.mark.parametrize("name", ODD)
def test_odd_tables_have_figures_and_no_warning(name: str) -> None:
    found = judged(name)
    for each in found.measures:
        assert each.is_defined, each.key
        for estimate in (each.estimate, each.floor, each.baseline):
            if estimate is not None:
                assert np.isfinite(estimate).all(), each.key
                assert estimate.low <= estimate.value + 1e-12
                assert estimate.value <= estimate.high + 1e-12


def test_odd_tables_are_told_or_not() -> None:
    apart = whole(judged("apart"))
    assert apart["c2st"].estimate.value == 1
    assert apart["precision"].estimate.value == apart["coverage"].estimate.value == 0
    same = whole(judged("constant"))
    assert same["c2st"].estimate.value == same["c2st_linear"].estimate.value == 0.5
    for key in ("alpha_precision", "precision", "recall", "coverage", "modes"):
        assert same[key].estimate.value == 1
    assert same["frechet"].estimate.value == 0


def test_too_few_rows_are_said_to_be_too_few() -> None:
    for made, train, holdout in (
        (FRESH.head(1), TRAIN, HOLDOUT),
        (FRESH, TRAIN, HOLDOUT.head(1)),
        (FRESH, TRAIN.head(10), HOLDOUT),
    ):
        tables = Tables.of(made, train, holdout)
        for found in (geometry_findings(tables), detection_findings(tables)):
            assert found.measures
            for each in found.measures:
                assert not each.is_defined
                assert each.note.startswith("needs ")


def test_figures_are_the_same_in_each_run() -> None:
    first, second = (Tables.of(FRESH, TRAIN, HOLDOUT.head(60), seed=5) for _ in range(2))
    assert geometry_findings(first) == geometry_findings(second)
    assert detection_findings(first) == detection_findings(second)
