"""The page and its pictures: right shares, no rows, nothing loaded, nothing obeyed."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sample_tables import people
from scipy import stats

import synthgan
from synthgan.metrics.association import associations
from synthgan.metrics.columns import independent_columns
from synthgan.metrics.measure import Curve, Estimate, Findings, Goal, LeftOut, Measure
from synthgan.metrics.tables import Tables
from synthgan.report.bins import OTHER
from synthgan.report.origin import Origin, TrainingPoint, _point
from synthgan.report.page import figures, rendering
from synthgan.report.page.glossary import entry_of, terms
from synthgan.report.page.rendering import render
from synthgan.report.page.strips import badness, strip, strips
from synthgan.report.page.templates import notebook
from synthgan.report.page.training_figures import DIAGNOSTICS, diagnostic, history
from synthgan.report.pictures import Distribution, Pictures, picture
from synthgan.report.report import Report
from synthgan.report.results import INTERNAL, About, Section

HOSTILE = '</script><script>alert("x")</script><img src=x onerror=alert(1)> & "quoted" %{y} {{ 1 }}'
CHROMIUM = shutil.which("chromium")


def measure(key: str, value: float = 0.5, *columns: str, **more: object) -> Measure:
    about: dict[str, object] = {"name": f"Name of {key}", "goal": Goal.LOW, "unit": "%", **more}
    return Measure(
        key=key,
        estimate=Estimate(value, value - 0.1, value + 0.1),
        columns=columns,
        floor=Estimate(0.1, 0.05, 0.2),
        baseline=Estimate(0.9, 0.8, 1.0),
        **about,  # type: ignore[arg-type]
    )


def found(names: tuple[str, ...]) -> dict[str, Findings]:
    """Findings of all kinds, about columns ``names``."""
    grid = tuple(np.linspace(0, 1, 11))
    pairs = list(pairwise(names))
    fidelity = Findings(
        measures=(
            measure("c2st", 0.8, goal=Goal.HALF, unit=""),
            measure("shape", 2.0),
            Measure(
                key="nmi", name="Mutual information", estimate=Estimate.undefined(),
                goal=Goal.LOW, note="only one column",
            ),
            *(measure("shape", 1.0 + i, name) for i, name in enumerate(names)),
            *(measure("trend", 1.0 + i, *pair) for i, pair in enumerate(pairs)),
            *(measure("giveaway", 0.1 * i, name, goal=Goal.NONE) for i, name in enumerate(names)),
        ),
        curves=(
            Curve(key="roc_c2st", name="Synthetic", x=grid, y=grid),
            Curve(key="roc_c2st_floor", name="Real", x=grid, y=grid),
        ),
    )  # fmt: skip
    utility = Findings(
        measures=(
            measure("tstr", 0.95, goal=Goal.HIGH, unit=""),
            measure("tstr_auc", 0.9, goal=Goal.HIGH, unit=""),
            measure("augment_5", 0.01, goal=Goal.HIGH, unit=""),
        ),
        curves=(Curve(key="calibration_tstr", name="Synthetic", x=grid, y=grid),),
        left_out=(LeftOut(what="R2", why="the target is a class"),),
    )
    privacy = Findings(
        measures=(measure("mia", 0.51, goal=Goal.HALF, unit=""), measure("brand_new", 3.0)),
        curves=(Curve(key="roc_mia", name="Distance", x=grid, y=grid),),
    )
    return {"fidelity": fidelity, "utility": utility, "privacy": privacy}


def report_of(
    pictures: Pictures,
    findings: dict[str, Findings],
    names: tuple[str, ...],
    origin: Origin | None = None,
) -> Report:
    sections = tuple(
        Section(
            key=key,  # type: ignore[arg-type]
            title=f"{key.capitalize()}: is it?",
            verdict=(f"Verdict of {key}.", "Second.", "Third.", "Fourth."),
            advice=(f"Advice on {key}.",),
            findings=each,
        )
        for key, each in findings.items()
    )
    about = About(
        version="1.2.3", synthetic_rows=300, train_rows=400, holdout_rows=200, looked_at=1000,
        columns=len(names), skipped=("serial",), target=names[-1], seconds=2.0,
    )  # fmt: skip
    return Report(
        about=about,
        sections=sections,
        pictures=pictures,
        origin=origin,
        names=dict.fromkeys(names, "category"),
    )


def hostile_tables() -> Tables:
    train, held = people(600), people(300, seed=1)
    for frame in (train, held):
        frame[HOSTILE] = np.where(frame["age"] > 40, HOSTILE, "tame")
    made = independent_columns(train, 500, np.random.default_rng(0))
    return Tables.of(made, train, held)


ORIGIN = Origin(
    version="1.0",
    rows=400,
    protections=(f"{HOSTILE}: no level of fewer than 10 rows",),
    notes=(),
    guarantee=None,
    history=tuple(
        TrainingPoint(
            phase=HOSTILE,
            step=i,
            losses={"critic": 1.0 / (i + 1)},
            diagnostics={"critic_gap": 0.1 * i, **({"detection": 0.9} if i == 0 else {})},
        )
        for i in range(5)
    ),
)


@cache
def whole_report() -> Report:
    tables = hostile_tables()
    names = tables.columns.names
    findings = found(names)
    return report_of(picture(tables, findings["fidelity"]), findings, names, ORIGIN)


@cache
def whole_page() -> str:
    return render(whole_report())


class Reader(HTMLParser):
    """What a browser would find in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: dict[str, str] = {}
        self.words: list[str] = []
        self._script: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self._script = dict(attrs).get("id") or ""
            self.scripts[self._script] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._script = None

    def handle_data(self, data: str) -> None:
        if self._script is None:
            self.words.append(data)
        else:
            self.scripts[self._script] += data

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


# --- pictures ---------------------------------------------------------------------------


def distributions(tables: Tables) -> dict[str, Distribution]:
    return {each.column: each for each in picture(tables, Findings()).distributions}


def test_shares_of_numbers_are_those_of_a_histogram() -> None:
    rng = np.random.default_rng(0)
    train = pd.DataFrame({"x": rng.normal(0, 3, 5000), "y": 0.0})
    made = pd.DataFrame({"x": rng.normal(4, 3, 2000), "y": 0.0})
    drawn = distributions(Tables.of(made, train, train.head(100)))["x"]
    edges = np.array([-np.inf, *drawn.edges[1:-1], np.inf])
    for side, frame in (("real", train), ("synthetic", made), ("holdout", train.head(100))):
        expected = np.histogram(frame["x"], edges)[0] / len(frame)
        assert drawn.shares[side] == pytest.approx(expected, abs=1e-5)  # type: ignore[index]
    assert 20 <= len(drawn.labels) <= 35
    # Most of the shifted rows are in the last bins, tails and all.
    assert sum(drawn.shares["synthetic"]) == pytest.approx(1, abs=1e-3)
    step = np.diff(drawn.edges)
    assert np.allclose(step, step[0])
    assert not set(drawn.edges) & set(train["x"])


def test_whole_numbers_get_bins_that_hold_whole_numbers() -> None:
    ages = np.random.default_rng(0).integers(17, 90, 4000)
    train = pd.DataFrame({"age": ages, "b": 1})
    drawn = distributions(Tables.of(train, train))["age"]
    assert drawn.scale == "number"
    ends = [label.split(" to ") for label in drawn.labels[1:-1]]
    for (low, high), share in zip(ends, drawn.shares["real"][1:-1], strict=True):
        assert share == pytest.approx(np.mean((ages >= int(low)) & (ages <= int(high))), abs=1e-5)


def test_few_whole_numbers_are_shown_value_by_value() -> None:
    train = pd.DataFrame({"n": [0] * 50 + [1] * 30 + [7] * 20 + [99] * 4, "b": "x"})
    made = pd.DataFrame({"n": [0, 1, 2, 99], "b": "x"})
    drawn = distributions(Tables.of(made, train))["n"]
    assert drawn.labels == ("0", "1", "7", OTHER)
    assert drawn.shares["synthetic"] == (0.25, 0.25, 0.0, 0.5)
    assert drawn.shares["real"] == pytest.approx((50 / 104, 30 / 104, 20 / 104, 4 / 104), abs=1e-5)
    assert "holdout" not in drawn.shares


def test_dates_have_bins_of_dates() -> None:
    since = pd.Timestamp("2001-01-01") + pd.to_timedelta(np.arange(3000), "D")
    train = pd.DataFrame({"since": since, "b": 1})
    drawn = distributions(Tables.of(train, train))["since"]
    assert drawn.scale == "date"
    low, _, high = drawn.labels[3].partition(" to ")
    assert drawn.shares["real"][3] == pytest.approx(
        ((since >= low) & (since < high)).mean(), abs=1e-5
    )


def test_levels_that_few_rows_have_are_not_named() -> None:
    names = [f"level {i:02}" for i in range(30) for _ in range(40 - i)]
    train = pd.DataFrame({"c": [*names, *["rare"] * 4, None], "b": 1.0})
    made = pd.DataFrame({"c": ["level 00", "rare", "made up", None], "b": 1.0})
    drawn = distributions(Tables.of(made, train))["c"]
    assert drawn.labels == (*(f"level {i:02}" for i in range(20)), OTHER)
    assert drawn.shares["synthetic"][0] == pytest.approx(1 / 3, abs=1e-5)
    assert drawn.shares["synthetic"][-1] == pytest.approx(2 / 3, abs=1e-5)
    counts = train["c"].value_counts() / train["c"].count()
    assert drawn.shares["real"][:20] == pytest.approx(counts[list(drawn.labels[:20])], abs=1e-5)
    assert drawn.missing == pytest.approx({"real": 1 / len(train), "synthetic": 0.25}, abs=1e-5)


def test_no_rare_level_reaches_the_page() -> None:
    assert "astronaut" not in whole_page()  # a job of two rows
    assert "clerk" in whole_page()


def test_the_worst_pairs_are_counted_together() -> None:
    tables = hostile_tables()
    pairs = [("job", "rich"), ("age", "job"), ("job", "since")]
    lines = [measure("trend", float(i), *pair) for i, pair in enumerate(pairs, 1)]
    lines += [measure("trend", math.nan, "age", "rich"), measure("trend", 99.0)]
    # Real rows are as far off there: nothing is wrong with it.
    lines += [replace(measure("trend", 9.0, "age", "since"), floor=Estimate(9.5, 9.0, 10.0))]
    drawn = picture(tables, Findings(measures=tuple(lines))).pairs
    assert [each.columns for each in drawn] == pairs[::-1]
    frame = people(600)
    jobs = frame["job"].where(frame["job"] != "astronaut", OTHER).fillna("(missing)")
    expected = pd.crosstab(jobs, frame["rich"], normalize=True)
    found = pd.DataFrame(drawn[-1].real, *map(list, drawn[-1].labels))
    pd.testing.assert_frame_equal(
        found.loc[expected.index, expected.columns], expected, check_names=False, atol=1e-5
    )
    assert drawn[0].synthetic.sum() == pytest.approx(1, abs=1e-3)


def test_only_six_pairs_are_drawn() -> None:
    tables = hostile_tables()
    names = tables.columns.names
    lines = [measure("trend", 1.0, a, b) for a in names for b in names if a < b]
    assert len(picture(tables, Findings(measures=tuple(lines))).pairs) == 6


# --- associations -----------------------------------------------------------------------


def associations_of(frame: pd.DataFrame) -> pd.DataFrame:
    tables = Tables.of(frame, frame)
    names = tables.columns.names
    matrix = associations(tables.columns, tables.train, names)
    return pd.DataFrame(matrix, index=list(names), columns=list(names))


def test_numbers_correlate_as_pandas_says() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(500, 3)), columns=["a", "b", "c"])
    frame["b"] -= frame["a"]
    frame.loc[frame["c"] > 1, "b"] = np.nan
    pd.testing.assert_frame_equal(associations_of(frame), frame.corr())


def test_categories_go_by_cramers_v() -> None:
    rng = np.random.default_rng(1)
    a = rng.choice(list("xyz"), 800)
    frame = pd.DataFrame({"a": a, "b": np.where(rng.random(800) < 0.6, a, "x")}).astype(object)
    table = pd.crosstab(frame["a"], frame["b"]).to_numpy()
    share = stats.chi2_contingency(table, correction=False).statistic / 800
    share -= 4 / 799  # Bergsma 2013, equations 2 to 5, for a table of 3 x 3
    assert associations_of(frame).loc["a", "b"] == pytest.approx(
        math.sqrt(share / (3 - 4 / 799 - 1)), rel=1e-9
    )


def test_a_number_goes_by_its_correlation_ratio_with_a_category() -> None:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"c": rng.choice(list("pqr"), 300)}).astype(object)
    frame["x"] = frame["c"].map({"p": 0.0, "q": 1.0, "r": 3.0}) + rng.normal(0, 1, 300)
    f = stats.f_oneway(*(group["x"] for _, group in frame.groupby("c"))).statistic
    # Kelley's epsilon squared from the F of the analysis of variance.
    expected = math.sqrt((f - 1) / (f + (300 - 3) / 2))
    assert associations_of(frame).loc["c", "x"] == pytest.approx(expected, rel=1e-9)


def test_what_is_unrelated_reads_as_nothing() -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"a": rng.integers(0, 20, 4000), "b": rng.integers(0, 20, 4000)})
    frame = frame.astype(str).astype(object).assign(x=rng.normal(size=4000))
    matrix = associations_of(frame).to_numpy()
    assert np.abs(matrix - np.eye(3)).max() < 0.05


def test_a_copied_column_holds_together_and_a_constant_one_is_not_defined() -> None:
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"a": rng.choice(list("xy"), 400)}).astype(object)
    frame = frame.assign(b=frame["a"], x=(frame["a"] == "x") * 2.0, one=1.0, same="s")
    matrix = associations_of(frame)
    assert matrix.loc[["a", "b", "x"], ["a", "b", "x"]].to_numpy() == pytest.approx(1)
    assert matrix.loc[:, ["one", "same"]].isna().to_numpy().all()


def test_the_difference_sees_a_lost_link() -> None:
    train = people(2000)
    made = independent_columns(train, 2000, np.random.default_rng(0))
    drawn = picture(Tables.of(made, train, people(500, seed=1)), Findings()).association
    assert drawn is not None
    gap = pd.DataFrame(drawn.difference, list(drawn.columns), list(drawn.columns))
    assert gap.loc["rich", "member"] < -0.5
    assert np.diag(gap) == pytest.approx(0)
    honest = picture(Tables.of(people(2000, seed=2), train), Findings()).association
    assert honest is not None
    assert np.nanmax(np.abs(honest.difference)) < 0.15


# --- odd tables -------------------------------------------------------------------------

ODD = {
    "all missing": pd.DataFrame({"x": [np.nan] * 8, "c": [None] * 8, "k": range(8)}),
    "constant": pd.DataFrame({"x": [3.5] * 8, "c": ["a"] * 8, "n": [4] * 8}),
    "two rows": pd.DataFrame({"x": [1.5, 2.5], "c": ["a", "b"], "n": [1, 2]}),
    "one column": pd.DataFrame({"x": np.linspace(0, 1, 50)}),
    "huge": pd.DataFrame({"x": [1e300, -1e300, 0.0, np.inf] * 10, "y": 1e17 + np.arange(40) * 64}),
    "tiny": pd.DataFrame({"x": [5e-324, 0.0] * 20, "y": np.arange(40) * 1e-310}),
    "close": pd.DataFrame({"x": 1e15 + np.arange(40) * 0.125, "y": np.arange(40) / 3}),
    "dates": pd.DataFrame({"d": pd.to_datetime(["1700-01-01", "2200-01-01", None] * 9), "b": 1}),
    "seconds": pd.DataFrame({"d": pd.date_range("2020-01-01", periods=40, freq="s"), "b": 1}),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_tables_are_drawn(name: str) -> None:
    train = ODD[name]
    made = train.head(1).copy()
    tables = Tables.of(made, train)
    names = tables.columns.names
    findings = found(names)
    drawn = picture(tables, findings["fidelity"])
    for each in drawn.distributions:
        for side, shares in each.shares.items():
            assert len(shares) == len(each.labels)
            assert sum(shares) == pytest.approx(float(each.missing[side] < 1), abs=1e-3)
        assert not each.edges or len(each.edges) == len(each.labels) + 1
    assert "figure-column-0" in render(report_of(drawn, findings, names))


def test_levels_of_the_synthetic_table_alone_are_others() -> None:
    train = pd.DataFrame({"c": ["a"] * 20 + ["b"] * 20, "x": np.arange(40) / 7})
    made = pd.DataFrame({"c": ["new"] * 30, "x": np.arange(30) + 1000.0})
    drawn = distributions(Tables.of(made, train))
    assert drawn["c"].shares["synthetic"] == (0.0, 0.0, 1.0)
    assert drawn["x"].shares["synthetic"][-1] == 1.0


# --- strips -----------------------------------------------------------------------------


@pytest.mark.parametrize("goal", Goal)
@pytest.mark.parametrize("value", [-3.0, 0.0, 1e-9, 0.5, 0.97, 42.0, 1e7])
def test_a_strip_stays_on_its_line(goal: Goal, value: float) -> None:
    drawn = strip(measure("x", value, goal=goal, unit=""))
    assert drawn is not None
    places = [drawn.value, drawn.low, drawn.high, drawn.floor, drawn.baseline]
    assert all(place is not None and 0 <= place <= 100 for place in places)
    assert float(drawn.begin.replace(",", "")) < float(drawn.end.replace(",", ""))


def test_a_strip_keeps_order_and_leaves_out_what_is_not_known() -> None:
    drawn = strip(measure("x", 0.5))
    assert drawn is not None
    low, high, floor, base = drawn.low, drawn.high, drawn.floor, drawn.baseline
    assert None not in (drawn.value, low, high, floor, base)
    assert floor < low < drawn.value < high < base  # type: ignore[operator]
    bare = Measure(key="x", name="x", estimate=Estimate(1, math.nan, math.nan), goal=Goal.LOW)
    alone = strip(bare)
    assert alone is not None
    assert (alone.low, alone.high, alone.floor, alone.baseline) == (None,) * 4
    assert strip(Measure(key="x", name="x", estimate=Estimate.undefined(), goal=Goal.LOW)) is None


def test_strips_of_one_list_share_a_scale() -> None:
    large, small = strips([measure("x", 40.0), measure("x", 2.0)])
    assert large is not None
    assert small is not None
    assert (large.begin, large.end) == (small.begin, small.end)
    assert large.value / small.value == pytest.approx(20, rel=1e-2)  # type: ignore[operator]


def test_badness_knows_which_way_is_bad() -> None:
    assert badness(measure("x", 3.0)) > badness(measure("x", 2.0))
    high = [measure("x", value, goal=Goal.HIGH) for value in (0.3, 0.4)]
    assert badness(high[0]) > badness(high[1])
    assert badness(measure("x", math.nan)) == -math.inf


# --- page -------------------------------------------------------------------------------


def test_the_page_loads_nothing() -> None:
    seen = Reader(whole_page())
    for tag, attributes in seen.tags:
        for name in ("src", "href", "action", "data", "poster", "srcset"):
            target = attributes.get(name)
            assert target is None or target.startswith(("#", "data:,")), (tag, target)
        assert not any(name.startswith("on") for name in attributes), tag
    policy = next(a["content"] for t, a in seen.tags if t == "meta" and "http-equiv" in a)
    assert policy is not None
    assert policy.startswith("default-src 'none';")
    own = seen.scripts[""]
    assert base64.b64encode(hashlib.sha256(own.encode()).digest()).decode() in policy
    assert 'plotlyServerURL: ""' in own  # plotly 7 offers to upload charts
    styles = whole_page().split("<style>")[1].split("</style>")[0]
    assert "url(" not in styles
    assert "@import" not in styles


def test_hostile_names_are_text() -> None:
    page = whole_page()
    seen = Reader(page)
    assert "alert(" not in "".join(
        text for name, text in seen.scripts.items() if not name.startswith("figure-")
    )
    assert "img" not in {tag for tag, _ in seen.tags}
    assert HOSTILE in seen.text
    kinds = {a.get("type") for tag, a in seen.tags if tag == "script"}
    assert kinds == {None, "application/json", "text/plain"}
    figures = {name: text for name, text in seen.scripts.items() if name.startswith("figure-")}
    assert len(figures) > 12
    for text in figures.values():
        assert "<" not in text
        assert set(json.loads(text)) == {"data", "layout"}
    shown = json.dumps([json.loads(text) for text in figures.values()])
    assert "<img" not in shown  # plotly obeys some tags in names
    assert "&lt;/script" in shown


def test_each_chart_has_its_figure_and_a_name() -> None:
    seen = Reader(whole_page())
    charts = [a for tag, a in seen.tags if tag == "div" and "data-figure" in a]
    assert len({a["data-figure"] for a in charts}) == len(charts)
    for attributes in charts:
        assert f"figure-{attributes['data-figure']}" in seen.scripts
        assert attributes["role"] == "img"
        assert attributes["aria-label"]


def test_links_lead_somewhere_and_ids_are_unique() -> None:
    seen = Reader(whole_page())
    ids = [a["id"] for _, a in seen.tags if a.get("id")]
    assert len(set(ids)) == len(ids)
    for _, attributes in seen.tags:
        target = attributes.get("href") or ""
        assert not target.startswith("#") or target[1:] in ids, target
    labels = [a["aria-labelledby"] for _, a in seen.tags if a.get("aria-labelledby")]
    assert set(labels) <= set(ids)


def test_the_page_says_what_the_report_says() -> None:
    text = Reader(whole_page()).text
    report = whole_report()
    for section in report.sections:
        for words in (*section.verdict, *section.advice, section.title):
            assert words in text
        for each in section.findings.measures:
            assert each.name in text
    for words in (
        INTERNAL,
        "R2 : the target is a class",
        "not defined: only one column",
        "or that the holdout is no random sample; passing means nothing",
        "None. No bound is known",
        "300 synthetic rows against 400 training rows and 200 held-out rows",
        "0.800 (0.700 to 0.900)",
        "Training history",
        "Scripts are off",
        "Lopez-Paz",
    ):
        assert words in text
    assert "anonymous" not in text


def test_a_guarantee_is_told() -> None:
    origin = Origin(
        version="1", rows=10, protections=(), notes=(), guarantee="epsilon 3", history=()
    )
    report = report_of(Pictures(), {"privacy": Findings()}, ("a",), origin)
    text = Reader(render(report)).text
    assert "epsilon 3" in text
    assert "No bound is known" not in text
    assert "Training history" not in text


def test_a_page_without_findings_says_why() -> None:
    why = Findings(left_out=(LeftOut(what="All attacks", why="no holdout was given"),))
    findings = {"fidelity": Findings(), "utility": Findings(), "privacy": why}
    text = Reader(render(report_of(Pictures(), findings, ("a",)))).text
    assert "Nothing was measured: no holdout was given" in text
    assert "All attacks : no holdout was given" in text


def test_columns_come_worst_first() -> None:
    seen = Reader(whole_page())
    order = [a["data-name"] for tag, a in seen.tags if tag == "figure" and "data-worst" in a]
    assert order == list(whole_report().names)[::-1]  # the shape errors rise


def test_two_hundred_columns_stay_below_six_megabytes() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"column {i}": rng.normal(size=120) for i in range(205)})
    for i in range(0, 205, 3):
        frame[f"column {i}"] = rng.choice([f"some level {j}" for j in range(12)], 120)
    tables = Tables.of(frame, frame, frame)
    names = tables.columns.names
    pairs = tuple(
        measure("trend", float(i + j), names[i], names[j]) for i in range(205) for j in range(i)
    )
    findings = found(names) | {"utility": Findings(measures=pairs)}
    drawn = picture(tables, findings["utility"])
    assert drawn.association is not None
    assert (len(drawn.association.columns), drawn.association.left_out) == (200, 5)
    page = render(report_of(drawn, findings, names))
    assert len(page.encode()) < 6e6
    assert len(whole_page().encode()) < 2.6e6
    text = Reader(page).text
    assert "5 more are not shown" in text
    assert re.search(r"20,\d\d\d lines about columns and pairs", text)


def test_the_same_report_gives_the_same_page() -> None:
    assert render(whole_report()) == whole_page()


@pytest.mark.parametrize(
    ("key", "entry"),
    [
        ("c2st_linear", "c2st"),
        ("tstr_linear_auc", "tstr"),
        ("mia_density_tpr01", "mia"),
        ("accuracy_3", "accuracy"),
        ("near_copies", "copies"),
        ("outliers_exposed", "outlier"),
        ("brand_new", ""),
    ],
)
def test_the_glossary_explains_a_measure(key: str, entry: str) -> None:
    assert entry_of(key) == entry
    assert not entry or entry in {term.key for term in terms([key])}


# --- notebook ---------------------------------------------------------------------------


def test_the_notebook_fragment_is_small_and_safe() -> None:
    report = whole_report()
    text = notebook(report)
    seen = Reader(text)
    assert not {"script", "style", "img", "link"} & {tag for tag, _ in seen.tags}
    for words in ("Verdict of privacy.", "Advice on utility.", "0.800 (0.700 to 0.900)"):
        assert words in seen.text
    assert len(text) < 20_000
    names = ("a", HOSTILE)
    odd = report_of(Pictures(), {"privacy": Findings(measures=(measure(HOSTILE, 1.0),))}, names)
    assert "alert(" not in "".join(Reader(notebook(odd)).scripts.values())


# --- browser ----------------------------------------------------------------------------


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
def test_a_browser_draws_every_chart_without_an_error(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(whole_page(), encoding="utf-8")
    assert CHROMIUM is not None
    flags = (
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--enable-logging=stderr", "--window-size=1280,12000", "--virtual-time-budget=30000",
        f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom",
    )  # fmt: skip
    command = [CHROMIUM, *flags, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "CONSOLE" not in done.stderr
    seen = Reader(done.stdout)
    charts = [a for tag, a in seen.tags if tag == "div" and "data-figure" in a]
    drawn = [a for a in charts if "js-plotly-plot" in (a.get("class") or "")]
    assert len(drawn) == len(charts) > 12
    assert "data-ready" in dict(seen.tags[0][1])
    assert "img" not in {tag for tag, _ in seen.tags}
    shown = [a for tag, a in seen.tags if tag == "tr" and "data-about" in a and "hidden" not in a]
    assert {a["data-about"] for a in shown} == {"table"}


def test_adversarial_losses_have_an_axis_of_their_own() -> None:
    points = [
        TrainingPoint(
            phase="both", step=i, losses={"likelihood": 9.0, "critic": 0.1, "generator": 0.7}
        )
        for i in range(3)
    ]
    drawn = history(points, "both")
    assert [trace.yaxis for trace in drawn.data] == ["y", "y2", "y2"]
    assert drawn.layout.yaxis2.title.text == "adversarial loss"
    alone = [replace(point, losses={"critic": 0.1}) for point in points]
    assert [trace.yaxis for trace in history(alone, "both").data] == ["y"]


def test_how_the_game_stood_is_drawn_where_it_was_looked_at_twice() -> None:
    report = whole_report()
    titles = [chart.title for chart in rendering._history(report)]
    assert titles[0] == HOSTILE
    assert [t.split(",")[0] for t in titles[1:]] == [DIAGNOSTICS["critic_gap"]]
    assert report.origin is not None
    (line,) = diagnostic(report.origin.history, "critic_gap").data
    assert list(line.y) == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])


def test_what_a_model_says_of_its_training_is_all_taken_up() -> None:
    step = synthgan.Step(phase="adversarial", step=50, of=60, seconds=1.0, critic_loss=-0.5,
                         critic_slope=0.9, critic_gap=0.0, generator_gradient=0.2, distinct=1.0,
                         recall=0.9, detection=0.6)  # fmt: skip
    point = _point(step)
    assert point.losses == {"critic": -0.5}
    assert set(point.diagnostics) == set(DIAGNOSTICS)
    assert point.diagnostics["critic_gap"] == 0


def test_axes_of_shares_end_at_all() -> None:
    table = pd.DataFrame({"a": ["x"] * 30, "b": np.arange(30.0)})
    for drawn in distributions(Tables.of(table, table)).values():
        axes = figures.distribution(drawn).layout
        axis = axes.yaxis if drawn.edges else axes.xaxis
        assert (axis.minallowed, axis.maxallowed) == (0, 1)


def test_a_list_of_nothing_but_zeros_is_not_shown() -> None:
    def page(value: float) -> str:
        lines = [
            replace(measure(key, value, "age"), estimate=Estimate(value, 0, 1))
            for key in ("shape", "missing", "out_of_range")
        ]
        return render(report_of(Pictures(), {"fidelity": Findings(measures=tuple(lines))}, ("a",)))

    shown = "Name of {}, worst first"
    assert shown.format("shape") in page(0.0)
    for key in ("missing", "out_of_range"):
        assert shown.format(key) not in page(0.0)
        assert shown.format(key) in page(0.5)


def test_an_option_of_the_command_line_is_not_torn() -> None:
    left = LeftOut(what="models", why=f"no target was named (--target COLUMN) {HOSTILE}")
    page = render(report_of(Pictures(), {"utility": Findings(left_out=(left,))}, ("a",)))
    assert '(<span class="nowrap">--target COLUMN</span>)' in page
    assert HOSTILE not in page
