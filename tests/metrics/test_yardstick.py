"""The yardstick, held against SDMetrics, scikit-learn, plain arithmetic and known cheats."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats.contingency import association
from sklearn.ensemble import HistGradientBoostingClassifier as Classifier
from sklearn.ensemble import HistGradientBoostingRegressor as Regressor
from sklearn.metrics import r2_score, roc_auc_score
from threadpoolctl import threadpool_limits

from synthgan.columns.column import Column, Kind
from synthgan.errors import TableError
from synthgan.metrics.columns import Columns, independent_columns
from synthgan.metrics.fidelity.detection import c2st
from synthgan.metrics.fidelity.pairs import trend_error
from synthgan.metrics.fidelity.shape import missing_error, shape_error
from synthgan.metrics.measure import Estimate, auc
from synthgan.metrics.privacy.copies import exact_copies
from synthgan.metrics.privacy.distances import dcr_share, membership_auc
from synthgan.metrics.utility.models import infer_task
from synthgan.metrics.utility.prediction import tstr
from synthgan.schema.schema import Schema

WORDS = ["red", "green", "blue", "grey"]


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Small problems gain nothing from threads, and wait for them on a busy machine."""
    with threadpool_limits(1):
        yield


def table(rows: int, seed: int, noise: float = 0.3) -> pd.DataFrame:
    """Numbers, dates, flags and words that hang together; no holes."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    level = np.clip(np.floor(x + noise * rng.normal(size=rows)), -2, 1).astype(int) + 2
    return pd.DataFrame(
        {
            "x": x,
            "y": x + noise * rng.normal(size=rows),
            "count": rng.poisson(3, rows),
            "word": np.array(WORDS, dtype=object)[level],
            "flag": x + noise * rng.normal(size=rows) > 0.5,
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, rows), "D"),
        }
    )


def with_holes(frame: pd.DataFrame, seed: int, share: float = 0.2) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return frame.astype({"flag": object, "count": float}).mask(rng.random(frame.shape) < share)


REAL, OTHER = table(1200, 1), table(1000, 2, noise=0.8)


# --- estimates ---


def test_interval_of_draws_is_students() -> None:
    value, low, high = Estimate.from_draws([0.5, 0.6, math.nan, 0.7])
    assert value == pytest.approx(0.6)
    assert high - value == pytest.approx(4.302653 * 0.1 / math.sqrt(3), rel=1e-5)
    assert value - low == pytest.approx(high - value)


def test_spread_of_one_draw_is_not_known() -> None:
    value, low, high = Estimate.from_draws([0.5])
    assert (value, math.isnan(low), math.isnan(high)) == (0.5, True, True)
    assert math.isnan(Estimate.from_draws([]).value)


def test_interval_of_a_share_is_wilsons() -> None:
    assert Estimate.from_share(0, 10) == pytest.approx((0.0, 0.0, 0.27753), abs=1e-5)
    assert Estimate.from_share(4, 10) == pytest.approx((0.4, 0.16818, 0.68733), abs=1e-5)
    assert Estimate.from_share(10, 10).high == 1


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=30))
def test_auc_counts_pairs(rows: list[tuple[bool, int]]) -> None:
    labels = np.array([row[0] for row in rows])
    scores = np.array([row[1] for row in rows], dtype=float)
    labels[0], labels[1] = True, False
    value, influence = auc(labels, scores)
    wins = np.sign(scores[labels][:, None] - scores[~labels][None, :])
    assert value == pytest.approx((wins.mean() + 1) / 2)
    assert influence.sum() == pytest.approx(0, abs=1e-9)


def test_interval_of_an_auc_holds_what_it_says() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([True, False], [150, 250])
    truth = 0.76025  # P(Z < 1 / sqrt 2)
    held = 0
    for _ in range(400):
        value, influence = auc(labels, rng.normal(size=400) + labels)
        estimate = Estimate.from_influence(value, influence)
        held += estimate.low <= truth <= estimate.high
    assert 0.915 <= held / 400 <= 0.98


# --- shape ---


@given(
    st.lists(st.integers(-5, 5), min_size=1, max_size=40),
    st.lists(st.integers(-5, 5), min_size=1, max_size=40),
)
@settings(max_examples=50)
def test_shape_of_numbers_is_ks_and_of_words_total_variation(a: list[int], b: list[int]) -> None:
    one, other = pd.DataFrame({"n": a}), pd.DataFrame({"n": b})
    shares = [[sum(x <= v for x in side) / len(side) for v in range(-5, 6)] for side in (a, b)]
    steps = np.abs(np.subtract(*shares))
    assert shape_error(one, other)["n"] == pytest.approx(100 * steps.max())
    words = shape_error(one.map(lambda v: f"w{v}"), other.map(lambda v: f"w{v}"))["n"]
    gaps = [abs(a.count(v) / len(a) - b.count(v) / len(b)) for v in range(-5, 6)]
    assert words == pytest.approx(100 * sum(gaps) / 2)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("holes", [False, True])
def test_shape_agrees_with_sdmetrics(holes: bool) -> None:
    properties = pytest.importorskip("sdmetrics.reports.single_table._properties")
    real, other = (with_holes(REAL, 1), with_holes(OTHER, 2)) if holes else (REAL, OTHER)
    theirs = properties.ColumnShapes().get_score(real, other, METADATA)
    assert shape_error(real, other).mean() == pytest.approx(100 * (1 - theirs), abs=1e-4)


def test_holes_are_a_figure_of_their_own() -> None:
    holed = REAL.assign(x=REAL["x"].mask(np.arange(len(REAL)) % 4 == 0), word=None)
    missing = missing_error(REAL, holed)
    assert missing["x"] == pytest.approx(25)
    assert missing["word"] == 100
    assert missing["y"] == 0
    shape = shape_error(REAL, holed)
    assert shape["x"] < 5
    assert shape["word"] == 100  # nothing is left to be like
    assert math.isnan(shape_error(holed, REAL)["word"])


METADATA = {
    "columns": {
        "x": {"sdtype": "numerical"},
        "y": {"sdtype": "numerical"},
        "count": {"sdtype": "numerical"},
        "word": {"sdtype": "categorical"},
        "flag": {"sdtype": "boolean"},
        "day": {"sdtype": "datetime"},
    }
}


# --- trend ---


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("holes", [False, True])
def test_each_pair_agrees_with_sdmetrics(holes: bool) -> None:
    pairs = pytest.importorskip("sdmetrics.column_pairs")
    real, other = (with_holes(REAL, 1), with_holes(OTHER, 2)) if holes else (REAL, OTHER)
    first = pd.Timestamp("2020-01-01")
    days = [frame.assign(day=(frame["day"] - first).dt.days) for frame in (real, other)]
    numbers = {"x", "y", "count", "day"}
    for (a, b), row in trend_error(real, other).iterrows():
        one, two = (frame[[a, b]].copy() for frame in days)
        if {a, b} <= numbers:
            theirs = pairs.CorrelationSimilarity.compute(one, two)
        else:
            cut = [name for name in (a, b) if name in numbers] or None
            theirs = pairs.ContingencySimilarity.compute(one, two, continuous_column_names=cut)
        assert row["error"] == pytest.approx(100 * (1 - theirs), abs=1e-6), (a, b)


@pytest.mark.filterwarnings("ignore")
def test_mean_trend_agrees_with_sdmetrics_where_extremes_are_equal() -> None:
    properties = pytest.importorskip("sdmetrics.reports.single_table._properties")
    # Same extremes, far from the bulk: both tables are binned alike, and the extra bin that
    # SDMetrics gives to the maximum holds one row.
    ends = pd.concat([REAL.iloc[:1]] * 2).assign(
        x=[-5.0, 5.0],
        y=[-6.0, 6.0],
        count=[0, 30],
        day=pd.to_datetime(["2019-12-01", "2022-09-01"]),
    )
    real, other = (pd.concat([f, ends], ignore_index=True) for f in (REAL, OTHER))
    theirs = properties.ColumnPairTrends()
    pairs = trend_error(real, other)
    assert pairs["error"].mean() == pytest.approx(
        100 * (1 - theirs.get_score(real, other, METADATA)), abs=0.02
    )
    theirs.real_correlation_threshold, theirs.real_association_threshold = 0.5, 0.3
    strong = pairs.loc[pairs["associated"], "error"]
    assert 2 <= len(strong) < len(pairs)
    assert strong.mean() == pytest.approx(
        100 * (1 - theirs.get_score(real, other, METADATA)), abs=0.02
    )


def test_a_stretched_column_is_seen() -> None:
    moved = REAL.assign(x=REAL["x"] * 50 + 1000)
    assert trend_error(REAL, moved).loc[("x", "word"), "error"] > 80


def test_a_collapsed_column_counts_as_uncorrelated() -> None:
    collapsed = REAL.assign(x=0.1)
    real = np.corrcoef(REAL["x"], REAL["y"])[0, 1]
    assert trend_error(REAL, collapsed).loc[("x", "y"), "error"] == pytest.approx(50 * real)
    assert math.isnan(trend_error(collapsed, REAL).loc[("x", "y"), "error"])


def test_many_levels_take_the_sparse_way_to_the_same_figures() -> None:
    rng = np.random.default_rng(0)
    wide = pd.DataFrame({c: rng.integers(0, 400, 500).astype(str) for c in "ab"})
    narrow = wide.iloc[:400]
    pair = trend_error(wide, narrow).iloc[0]
    one, two = (frame.value_counts(["a", "b"]) / len(frame) for frame in (wide, narrow))
    gaps = one.subtract(two, fill_value=0).abs()
    assert pair["error"] == pytest.approx(50 * gaps.sum())
    crossed = pd.crosstab(wide["a"], wide["b"]).to_numpy()
    assert pair["association"] == pytest.approx(association(crossed))


def test_whole_numbers_that_floats_cannot_tell_apart_do_no_harm() -> None:
    large = pd.DataFrame({"n": [2**60, 2**60 + 1] * 20, "b": ["u", "v"] * 20})
    assert trend_error(large, large)["error"].max() == 0
    apart = trend_error(large, large.assign(n=2**61))
    assert apart.loc[("n", "b"), "error"] == 100


def test_one_column_has_no_pairs() -> None:
    assert trend_error(REAL[["x"]], OTHER[["x"]]).empty


# --- tables from any tool ---


def test_dtypes_of_the_other_tool_do_not_matter() -> None:
    holed = with_holes(OTHER, 3)
    spelled = holed.assign(
        x=holed["x"].astype("Float64"),
        y=holed["y"].map(lambda v: None if pd.isna(v) else repr(v)),
        count=holed["count"].astype("Int64"),
        word=holed["word"].astype("category"),
        flag=holed["flag"].astype("boolean"),
        day=holed["day"].dt.strftime("%Y-%m-%d"),
    )
    pd.testing.assert_series_equal(shape_error(REAL, spelled), shape_error(REAL, holed))
    pd.testing.assert_frame_equal(trend_error(REAL, spelled), trend_error(REAL, holed))
    assert exact_copies(spelled.assign(y=holed["y"]), holed, OTHER).estimate.value == 100


@pytest.mark.parametrize(
    "dtypes",
    [
        {"x": "double[pyarrow]", "count": "int64[pyarrow]", "word": "string[pyarrow]"},
        {"flag": "bool[pyarrow]", "day": "timestamp[us][pyarrow]"},
        {"word": "category", "day": "datetime64[ns, UTC]", "count": "UInt8"},
    ],
)
def test_dtypes_of_the_real_table_do_not_matter(dtypes: dict[str, str]) -> None:
    frame = REAL.assign(day=REAL["day"].dt.tz_localize("UTC")) if "word" in dtypes else REAL
    typed = frame.astype({k: v for k, v in dtypes.items() if k != "day" or frame is REAL})
    pd.testing.assert_series_equal(shape_error(typed, OTHER), shape_error(REAL, OTHER))


def test_a_schema_says_what_a_column_is() -> None:
    real = pd.DataFrame({"id": range(40), "code": [1, 2] * 20, "on": ["24.12.2020"] * 40})
    made = pd.DataFrame({"id": range(40), "code": [1, 3] * 20, "on": ["25.12.2020"] * 40})
    kinds = {"id": Kind.IDENTIFIER, "code": Kind.CATEGORY, "on": Kind.DATETIME}
    formats = {"on": "%d.%m.%Y"}
    schema = Schema(
        columns=tuple(
            Column(name=name, kind=kind, dtype=str(real[name].dtype), format=formats.get(name))
            for name, kind in kinds.items()
        )
    )
    columns = Columns.of(real, schema)
    assert columns.names == ("code", "on")
    assert shape_error(real, made, columns=columns)["code"] == 50
    assert columns.read(made).numbers["on"][0] - columns.read(real).numbers["on"][0] == 86_400


def dates_read(cells: object, format: str, like: object) -> np.ndarray:
    """Days since 2020-02-01 of ``cells``, read as a column of this format that holds ``like``."""
    column = Column(name="on", kind=Kind.DATETIME, dtype="object", format=format)
    columns = Columns.of(pd.DataFrame({"on": like}), Schema(columns=(column,)))
    seconds = columns.read(pd.DataFrame({"on": cells})).numbers["on"]
    return (seconds - pd.Timestamp("2020-02-01").timestamp()) / 86_400


@pytest.mark.parametrize(
    ("format", "first", "later"),
    [
        ("%-d.%-m.%Y", "1.2.2020", "2.3.2020"),
        ("%d/%m/%Y", "01/02/2020", "02/03/2020"),
        ("%Y-%m-%d %H:%M:%S.%3f", "2020-02-01 00:00:00.000", "2020-03-02 00:00:00.000"),
        ("%Y-%m-%dT%H:%M:%S%.f", "2020-02-01T00:00:00", "2020-03-02T00:00:00"),
        ("%B %-d, %Y %-I %p", "February 1, 2020 12 AM", "March 2, 2020 12 AM"),
        ("date", datetime.date(2020, 2, 1), datetime.date(2020, 3, 2)),
        ("datetime", datetime.datetime(2020, 2, 1), datetime.datetime(2020, 3, 2)),
    ],
)
def test_dates_are_read_as_their_column_spells_them(
    format: str, first: object, later: object
) -> None:
    like = pd.Series([first, later, None], dtype=object)
    np.testing.assert_array_equal(dates_read(like, format, like), [0, 30, np.nan])
    stamps = pd.to_datetime(["2020-02-01", "2020-03-02", None])
    np.testing.assert_array_equal(dates_read(stamps, format, like), [0, 30, np.nan])
    iso = ["2020-02-01", "2020-03-02", None]
    np.testing.assert_array_equal(dates_read(iso, format, like), [0, 30, np.nan])


def test_a_date_that_does_not_follow_its_format_is_a_hole() -> None:
    like = ["01/02/2020", "02/03/2020"]
    cells = ["01/02/2020", "2020-02-01", "31/02/2020", "word", "02/03/2020", ""]
    expected = [0, np.nan, np.nan, np.nan, 30, np.nan]
    np.testing.assert_array_equal(dates_read(cells, "%d/%m/%Y", like), expected)


@pytest.mark.parametrize("dtype", ["int64", "float64"])
def test_dates_may_be_written_as_numbers(dtype: str) -> None:
    cells = pd.Series([20200201, 20200302], dtype=dtype)
    np.testing.assert_array_equal(dates_read(cells, "%Y%m%d", ["20200201"]), [0, 30])


ODD_CELLS = {
    "durations": pd.to_timedelta([1, 2], "D"),
    "durations in Arrow": pd.array([1, 2], dtype="duration[s][pyarrow]"),
    "periods": pd.period_range("2020-01", periods=2, freq="M"),
    "intervals": pd.interval_range(0, 2),
    "complex numbers": [1j, 2 + 1j],
    "sparse numbers": pd.arrays.SparseArray([0.0, 1.0]),
    "decimals in Arrow": pd.array([1, 2], dtype=pd.ArrowDtype(pa.decimal128(5, 2))),
    "a fixed offset": pd.to_datetime(["2020-01-01T00:00:00+01:00", "2020-01-02T00:00:00+01:00"]),
    "bytes": [b"a", b"b"],
    "lists": [[1], [2]],
    "lists in Arrow": pd.array([[1], [2]], dtype=pd.ArrowDtype(pa.list_(pa.int64()))),
    "a mixture": [1, {"a": "\ud800"}],
}


@pytest.mark.parametrize("name", ODD_CELLS)
def test_tables_of_any_dtype_are_judged(name: str) -> None:
    two = pd.DataFrame({"x": ODD_CELLS[name], "y": [1.0, 2.0]})
    real, made = two.iloc[[0, 1] * 20], two.iloc[[0, 0, 0, 1] * 10]
    assert shape_error(real, made)["x"] == 25
    assert exact_copies(made, real, real).estimate.value == 100
    assert 0 <= dcr_share(made, real, real).value <= 1


@pytest.mark.parametrize("name", ODD_CELLS)
@pytest.mark.parametrize("plain", [[1.0, 2.0], pd.to_datetime(["2020-01-01", "2021-01-01"])])
def test_odd_cells_among_numbers_and_dates_do_no_harm(name: str, plain: object) -> None:
    real, made = pd.DataFrame({"x": plain}), pd.DataFrame({"x": ODD_CELLS[name]})
    assert 0 <= missing_error(real, made)["x"] <= 100


def test_infinities_are_holes_and_huge_numbers_do_no_harm() -> None:
    real = pd.DataFrame({"a": [1e308, -1e308, 2.0, 3.0] * 20, "b": [1.0, 2.0, 3.0, 5.0] * 20})
    made = real.assign(a=[math.inf, -1e308, 2.0, 3.0] * 20)
    assert missing_error(real, made)["a"] == 25
    assert trend_error(real, made)["error"].notna().all()
    assert 0 <= dcr_share(made, real, real).value <= 1


def test_tables_that_cannot_be_compared_say_so() -> None:
    with pytest.raises(TableError, match="lacks column 'day'"):
        shape_error(REAL, OTHER.drop(columns="day"))
    with pytest.raises(TableError, match="no rows"):
        shape_error(REAL, OTHER.head(0))
    with pytest.raises(TableError, match="0 rows and 6 columns"):
        trend_error(REAL.head(0), OTHER)
    with pytest.raises(TableError, match="'x' comes twice"):
        shape_error(pd.concat([REAL, REAL[["x"]]], axis=1), OTHER)
    with pytest.raises(TableError, match="at least 5 rows of each table, got 3"):
        c2st(REAL, OTHER.head(3))


@given(st.integers(1, 60), st.integers(1, 90), st.integers(0, 3))
@settings(max_examples=25)
def test_independent_columns_keep_each_column(size: int, rows: int, seed: int) -> None:
    frame = with_holes(REAL, 4).head(size)
    shuffled = independent_columns(frame, rows, np.random.default_rng(seed))
    assert len(shuffled) == rows
    assert (shuffled.dtypes == frame.dtypes).all()
    if rows == size:
        for name in frame:
            assert sorted(map(str, shuffled[name])) == sorted(map(str, frame[name]))


# --- C2ST ---


def test_c2st_cannot_tell_real_from_real_and_tells_independent_columns() -> None:
    fresh = c2st(REAL, table(1200, 9), max_rows=500, folds=3)
    assert fresh.low <= 0.5 <= fresh.high
    shuffled = independent_columns(REAL, 1200, np.random.default_rng(0))
    assert shape_error(REAL, shuffled).max() == 0
    told = c2st(REAL, shuffled, max_rows=500, folds=3)
    assert told.low > 0.75
    assert told == c2st(REAL, shuffled, max_rows=500, folds=3)


# --- utility ---


def test_training_rows_are_worth_what_they_are() -> None:
    for target, task in (("flag", "binary"), ("word", "multiclass"), ("y", "regression")):
        use = tstr(REAL.head(400), REAL.head(400), OTHER, target)
        assert use.task == task
        assert use.tstr == use.trtr
        assert use.ratio == pytest.approx((1, 1, 1))
        assert use.trtr.low < use.trtr.value < use.trtr.high


def test_shuffled_columns_are_worth_nothing() -> None:
    shuffled = independent_columns(REAL, 1200, np.random.default_rng(0))
    flag, y = (tstr(shuffled, REAL, table(800, 5), target) for target in ("flag", "y"))
    assert abs(flag.tstr.value - 0.5) < 0.1
    assert flag.trtr.low > 0.9
    assert flag.ratio.high < 0.7
    assert y.tstr.value < 0.1
    assert y.trtr.low > 0.8


def test_scores_are_those_of_scikit_learn() -> None:
    real, holdout = (f[["x", "y", "word"]] for f in (REAL.head(400), table(500, 6)))
    codes = real["word"].map(real["word"].value_counts().index.get_loc)
    x = np.column_stack([real["x"], codes])
    unseen = np.column_stack(
        [holdout["x"], holdout["word"].map(real["word"].value_counts().index.get_loc)]
    )
    guess = Regressor(categorical_features=[1], random_state=0).fit(x, real["y"]).predict(unseen)
    mine = tstr(real, real, holdout, "y")
    assert mine.trtr.value == pytest.approx(r2_score(holdout["y"], guess))
    model = Classifier(random_state=0).fit(real[["x", "y"]].to_numpy(), real["word"])
    odds = model.predict_proba(holdout[["x", "y"]].to_numpy())
    theirs = roc_auc_score(holdout["word"], odds, multi_class="ovr", average="macro")
    assert tstr(real, real, holdout, "word").trtr.value == pytest.approx(theirs)


def test_classes_that_the_sample_lacks_count_as_guessed() -> None:
    real = REAL[["x", "word"]].head(400)
    assert tstr(real.assign(word="red"), real, OTHER, "word").tstr == (0.5, 0.5, 0.5)
    strange = real.assign(word=real["word"].replace("grey", "never seen"))
    use = tstr(strange, real, OTHER, "word")
    assert 0.5 < use.tstr.value < use.trtr.value


def test_rows_without_a_target_are_left_out() -> None:
    real = REAL.head(300)
    holed = [pd.concat([f, f.assign(y=math.nan)], ignore_index=True) for f in (real, OTHER)]
    columns = Columns.of(real)
    use = tstr(holed[0], holed[0], holed[1], "y", columns=columns)
    assert use == tstr(real, real, OTHER, "y", columns=columns)


@pytest.mark.parametrize(
    ("values", "task"),
    [
        ([0, 1, 1, 0], "binary"),
        ([True, False, True, True], "binary"),
        (["a", "b", "c", "a"], "multiclass"),
        ([1, 2, 3, 3], "multiclass"),
        ([0.5, 1.0, 2.0, 3.5], "regression"),
        (list(range(40)), "regression"),
        (pd.date_range("2020", periods=4), "regression"),
    ],
)
def test_the_task_follows_from_the_target(values: list[object], task: str) -> None:
    assert infer_task(pd.DataFrame({"t": values}), "t") == task


def test_targets_that_cannot_be_scored_say_so_without_a_cell() -> None:
    secret = OTHER.assign(word="secret-word", y=123.25)
    for target, text in (("word", "one class"), ("y", "one value")):
        with pytest.raises(TableError, match=text) as caught:
            tstr(REAL, REAL, secret, target)
        assert "secret" not in str(caught.value)
        assert "123" not in str(caught.value)
    with pytest.raises(TableError, match="no column 'income'"):
        tstr(REAL, REAL, OTHER, "income")
    with pytest.raises(TableError, match="'word' holds categories"):
        tstr(REAL, REAL, OTHER, "word", "regression")
    with pytest.raises(TableError, match="2200 classes"):
        tstr(REAL, REAL, OTHER, "x", "multiclass")
    with pytest.raises(TableError, match="only column"):
        tstr(REAL[["y"]], REAL[["y"]], OTHER[["y"]], "y")
    with pytest.raises(TableError, match="all missing"):
        tstr(REAL.assign(y=math.nan), REAL, OTHER, "y")


# --- attacks ---


def test_alarms_ring_for_copies_and_near_copies() -> None:
    train, holdout = table(800, 1), table(700, 2)
    rng = np.random.default_rng(0)
    near = train.assign(x=train["x"] + 1e-6 * rng.normal(size=800))
    assert exact_copies(train, train, holdout).estimate.value == 100
    assert exact_copies(near, train, holdout).estimate.value == 0
    for copies in (train, near):
        assert dcr_share(copies, train, holdout).low > 0.9
        assert membership_auc(copies, train, holdout).low > 0.9


def test_alarms_are_quiet_for_fresh_rows() -> None:
    train, holdout, fresh = table(800, 1), table(700, 2), table(900, 3)
    for alarm in (dcr_share, membership_auc):
        estimate = alarm(fresh, train, holdout)
        assert estimate.low <= 0.5 <= estimate.high
        assert estimate == alarm(fresh, train, holdout)


def test_ties_of_distance_count_half() -> None:
    both = table(300, 1)
    assert dcr_share(both, both, both) == (0.5, 0.5, 0.5)
    assert membership_auc(both, both, both).value == 0.5


def test_copies_are_held_against_the_holdouts_own() -> None:
    train = pd.DataFrame({"a": [0.0, 1.5, math.nan, 2.0], "b": ["u", "v", "u", None]})
    holdout = pd.DataFrame({"a": [1.5, 9.0], "b": ["v", "v"]})
    made = pd.DataFrame({"a": [-0.0, math.nan, 2.0, 2.0, 1.5], "b": ["u", "u", None, "new", "u"]})
    found = exact_copies(made, train, holdout)
    assert found.estimate.value == pytest.approx(60)
    assert found.floor is not None
    assert found.floor.value == 50
    assert found.estimate.low < 60 < found.estimate.high


def test_a_popular_closest_record_widens_the_interval() -> None:
    rng = np.random.default_rng(0)
    train, holdout = (pd.DataFrame({"a": rng.normal(size=200)}) for _ in range(2))
    spread = pd.DataFrame({"a": rng.normal(size=2000)})
    heaped = pd.DataFrame({"a": rng.normal(size=20).repeat(100)})
    widths = [
        each.high - each.low for each in (dcr_share(f, train, holdout) for f in (spread, heaped))
    ]
    assert widths[1] > 2 * widths[0]


def test_truth_values_are_read_in_other_spellings() -> None:
    train = pd.DataFrame({"b": [True, False, None, True], "x": [1.0, 2, 3, 4]})
    columns = Columns.of(train)
    for spelled in (
        ["true", "false", None, "true"],
        [1.0, 0.0, np.nan, 1.0],
        ["1", "0", None, "1"],
    ):
        cells = columns.read(train.assign(b=spelled)).categories["b"]
        assert [None if pd.isna(each) else each for each in cells] == [
            "True",
            "False",
            None,
            "True",
        ]


def test_a_hole_among_whole_levels_changes_none() -> None:
    train = pd.DataFrame({"c": pd.Categorical([1, 2, 1, 2])})
    holed = Columns.of(train).read(pd.DataFrame({"c": [1.0, 2.0, np.nan]})).categories["c"]
    assert list(holed[:2]) == ["1", "2"]
