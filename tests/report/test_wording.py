"""The report's words, limits, files and card, on measures made by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import synthgan
from synthgan.errors import ConfigError, TableError
from synthgan.metrics.catalog import check_limits
from synthgan.metrics.measure import Estimate, Findings, Goal, LeftOut, Measure
from synthgan.metrics.tables import Tables
from synthgan.report.origin import Origin, TrainingPoint
from synthgan.report.report import Report
from synthgan.report.results import INTERNAL, About, Section
from synthgan.report.wording import figures as wording
from synthgan.report.wording.fidelity import fidelity as fidelity_
from synthgan.report.wording.privacy import privacy as privacy_
from synthgan.report.wording.readings import is_alarm
from synthgan.report.wording.utility import utility as utility_

FORBIDDEN = ("anonymous", "gdpr")


def measure(
    key: str,
    value: float,
    floor: float | None = None,
    baseline: float | None = None,
    *,
    goal: Goal = Goal.LOW,
    columns: tuple[str, ...] = (),
    unit: str = "",
) -> Measure:
    def around(middle: float) -> Estimate:
        return Estimate(middle, middle - 0.01, middle + 0.01)

    return Measure(
        key=key,
        name=f"The {key}",
        estimate=around(value),
        goal=goal,
        floor=None if floor is None else around(floor),
        baseline=None if baseline is None else around(baseline),
        columns=columns,
        unit=unit,
        rows=1000,
    )


UNDEFINED = Measure(
    key="tstr",
    name="TSTR / TRTR",
    estimate=Estimate.undefined(),
    goal=Goal.HIGH,
    note="the target does not vary",
)


def report(
    *fidelity: Measure,
    utility: tuple[Measure, ...] = (),
    origin: Origin | None = None,
    privacy: tuple[Measure, ...] = (),
) -> Report:
    from synthgan.report.pictures import picture

    table = pd.DataFrame({"age": range(40), "<b>": ["x", "y"] * 20})
    parts = {
        "fidelity": Findings(measures=fidelity),
        "utility": Findings(
            measures=utility, left_out=(LeftOut(what="models", why="no target was named"),)
        ),
        "privacy": Findings(measures=privacy),
    }
    worded = {
        "fidelity": fidelity_(parts["fidelity"]),
        "utility": utility_(parts["utility"], "income"),
        "privacy": privacy_(parts["privacy"], None),
    }
    return Report(
        about=About(
            version="1.2.3",
            synthetic_rows=40,
            train_rows=40,
            holdout_rows=None,
            looked_at=100_000,
            columns=2,
            skipped=("id",),
            target=None,
            seconds=1.5,
        ),
        sections=tuple(
            Section(
                key=key,  # type: ignore[arg-type]
                title=key.title(),
                verdict=worded[key][0],
                advice=worded[key][1],
                findings=findings,
            )
            for key, findings in parts.items()
        ),
        pictures=picture(Tables.of(table, table), parts["fidelity"]),
        origin=origin,
        names={"age": "number", "<b>": "category"},
    )


ORIGIN = Origin(
    version="0.9",
    rows=1200,
    protections=("'id': new ones are generated",),
    notes=(),
    guarantee=None,
    history=(TrainingPoint(phase="warm start", step=10, losses={"likelihood": 2.5}),),
)


# --- limits -----------------------------------------------------------------------------


def test_limits_follow_the_goal_of_a_measure() -> None:
    found = report(
        measure("c2st", 0.62, 0.5, 0.9, goal=Goal.HALF),
        measure("shape", 3.0, 1.0, 0.9, unit="%"),
        measure("coverage", 0.8, 0.95, 0.1, goal=Goal.HIGH),
    )
    assert found.check({"c2st": 0.63, "shape": 3.5, "coverage": 0.79}) == ()
    beyond = found.check({"c2st": 0.6, "shape": 2.9, "coverage": 0.81})
    assert [each.key for each in beyond] == ["c2st", "shape", "coverage"]
    assert "0.620 (0.610 to 0.630), above 0.6" in beyond[0].what
    assert "below 0.81" in beyond[2].what


def test_what_was_not_measured_is_beyond_any_limit() -> None:
    (absent,) = report().check({"mia": 1.0})
    (undefined,) = report(utility=(UNDEFINED,)).check({"tstr": 0.0})
    assert "was not measured" in absent.what
    assert "the target does not vary" in undefined.what


def test_a_limit_on_nothing_names_what_is_near() -> None:
    with pytest.raises(ConfigError, match="did you mean 'c2st'"):
        report().check({"c2s": 0.6})


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"c2st": math.nan}, "the limit on 'c2st' must be a finite number, got nan"),
        ({"c2st": math.inf}, "must be a finite number"),
        ({"c2st": "0.6"}, "must be a number, got str"),
        ({"duplicates": 3.0}, "no limit can be set on 'duplicates'"),
        ({"mia_distanc": 0.6}, "'mia_distance' or 'mia_distance_tpr1' or 'mia_distance_tpr01'"),
        ({"zzz": 0.6}, "some are .*'c2st'.*'trend'"),
    ],
)
def test_limits_that_hold_nothing_are_refused_before_judging(
    limits: dict[str, float], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        check_limits(limits)
    with pytest.raises(ConfigError, match=words):
        report().check(limits)


def test_no_rule_is_no_broken_rule() -> None:
    none = replace(UNDEFINED, key="broken_rules", goal=Goal.LOW, note="no rule was found")
    assert report(none).check({"broken_rules": 0.0}) == ()


# --- words ------------------------------------------------------------------------------


def test_the_verdict_gives_the_figure_its_interval_and_its_yardsticks() -> None:
    (near,) = fidelity_(Findings(measures=(measure("c2st", 0.53, 0.5, 0.98),)))[0][:1]
    assert "hard to tell apart" in near
    for part in ("0.530 (0.520 to 0.540)", "real from real rows 0.500", "independently 0.980"):
        assert part in near
    (far,) = fidelity_(Findings(measures=(measure("c2st", 0.9, 0.5, 0.98),)))[0][:1]
    assert "easily distinguished" in far


@pytest.mark.parametrize(
    ("value", "floor", "words"),
    [
        (1.0, 1.0, "cannot be read"),
        (0.66, 0.63, "cannot be read"),
        (0.66, 0.54, "rows are distinguished:"),
        (0.57, 0.51, "distinguished at times"),
        (0.55, 0.495, "distinguished at times"),
        (0.2, 0.5, "Rows are repeated across the tables"),
    ],
)
def test_the_detector_is_worded_by_its_floor(value: float, floor: float, words: str) -> None:
    (said,) = fidelity_(Findings(measures=(measure("c2st", value, floor),)))[0][:1]
    assert words in said
    assert "hard to tell" not in said


def test_at_times_takes_more_than_the_floors_own_spread() -> None:
    wide = replace(measure("c2st", 0.555, 0.5), floor=Estimate(0.5, 0.45, 0.55))
    (said,) = fidelity_(Findings(measures=(wide,)))[0][:1]
    assert "at times" not in said


def test_an_alarm_needs_a_floor() -> None:
    assert not is_alarm(measure("exact_copies", 30.0, unit="%"))
    assert is_alarm(measure("exact_copies", 30.0, 1.0, unit="%"))


def test_what_independent_columns_pass_as_well_is_named() -> None:
    found = Findings(
        measures=(
            measure("shape", 1.0, 0.9, 0.9, unit="%"),
            measure("trend", 1.0, 0.9, 20.0, unit="%"),
        )
    )
    (blind,) = [each for each in fidelity_(found)[0] if "independently" in each]
    assert blind == (
        "Not telling on this table, as columns drawn independently of each other get what real "
        "rows get: The shape."
    )


def test_what_independent_columns_win_without_being_like_real_rows_is_no_blindness() -> None:
    found = Findings(measures=(measure("trend", 30.0, 0.9, 20.0, unit="%"),))
    (lost,) = [each for each in fidelity_(found)[0] if "independently" in each]
    assert lost == "No better than columns drawn independently of each other on: The trend."


def test_the_worst_columns_are_named_and_those_like_real_rows_are_not() -> None:
    found = Findings(
        measures=(
            measure("shape", 9.0, 1.0, columns=("age",), unit="%"),
            measure("shape", 1.0, 1.0, columns=("sex",), unit="%"),
        )
    )
    (worst,) = fidelity_(found)[0]
    assert worst == (
        "Columns with the largest shape error (in brackets: what real rows get): "
        "'age' 9.00 % (1.00 %)."
    )


def test_an_alarm_is_told_and_passing_is_no_proof() -> None:
    quiet, nothing_to_do = privacy_(Findings(measures=(measure("mia", 0.5, goal=Goal.HALF),)), None)
    assert any("passing means nothing" in each for each in quiet)
    assert any("No guarantee" in each for each in quiet)
    assert any("7 alarms" in each for each in quiet)
    assert "personal data unless a guarantee or your own assessment" in nothing_to_do[0]
    loud, advice = privacy_(Findings(measures=(measure("mia", 0.7, goal=Goal.HALF),)), "epsilon 1")
    assert loud[0] == "Guarantee: epsilon 1"
    assert "Training rows show through: The mia 0.700" in loud[1]
    assert "Do not hand out" in advice[0]


def test_a_figure_that_is_not_defined_says_why() -> None:
    assert wording.figure(UNDEFINED) == "not defined: the target does not vary"
    assert wording.interval(Estimate(0.5, math.nan, math.nan)) == "0.500"
    assert wording.interval(Estimate(1.234, 1.0, 2.0), "%") == "1.23 % (1.00 to 2.00 %)"
    assert wording.interval(Estimate(12345.6, 1.0, 2.0)) == "12,346 (1.000 to 2.000)"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0, "", "0.000"),
        (0.00004, "", "0.00004"),
        (-0.002, "points", "-0.002 points"),
        (3e-12, "", "3e-12"),
        (1e100, "", "1e+100"),
        (2_500_000.0, "", "2,500,000"),
    ],
)
def test_figures_are_neither_lost_nor_endless(value: float, unit: str, text: str) -> None:
    assert wording.number(value, unit) == text


def test_the_worst_of_many_columns_by_chance_is_not_named() -> None:
    rng = np.random.default_rng(0)

    def columns(count: int) -> Findings:
        errors = 0.01 / 1.96 * rng.normal(size=(2, count))
        return Findings(
            measures=tuple(
                measure("shape", 1 + a, 1 + b, columns=(f"c{i}",))
                for i, (a, b) in enumerate(errors.T)
            )
        )

    named = [len(fidelity_(columns(200))[0]) for _ in range(100)]
    assert sum(named) <= 12  # 5 are to be expected at most


def test_alarms_ring_seldom_for_nothing() -> None:
    rng = np.random.default_rng(0)
    keys = ("dcr_share_worst", "mia", "outlier_mia")
    rung = 0
    for _ in range(400):
        values = 0.5 + 0.01 / 1.96 * rng.normal(size=len(keys))
        found = [measure(k, v, goal=Goal.HALF) for k, v in zip(keys, values, strict=True)]
        rung += any(is_alarm(each) for each in found)
    assert rung <= 14  # 5 are to be expected; without the correction 30


def test_few_rows_that_are_not_told_apart_are_no_praise() -> None:
    vague = replace(measure("c2st", 0.5, 0.5, 0.9), estimate=Estimate(0.5, 0.3, 0.7))
    (said,) = fidelity_(Findings(measures=(vague,)))[0][:1]
    assert "too few to say more" in said
    assert "hard to tell" not in said


def test_a_loss_that_all_groups_share_is_not_called_a_gap_between_them() -> None:
    gap = measure("subgroup_gap", 5.0, 0.1, unit="points")
    (advice,) = utility_(Findings(measures=(gap,)), "income")[1]
    assert "more than others" not in advice
    level = measure("subgroup_gap", 0.1, 0.2, unit="points")
    assert utility_(Findings(measures=(level,)), "income")[1] == ()


def test_no_sentence_promises_too_much() -> None:
    found = report(
        measure("c2st", 0.9, 0.5, 0.98, goal=Goal.HALF),
        privacy=(measure("mia", 0.5, goal=Goal.HALF),),
        origin=ORIGIN,
    )
    text = (found.to_markdown() + found.card().to_markdown() + found.to_json()).lower()
    assert not [word for word in FORBIDDEN if word in text]


# --- files ------------------------------------------------------------------------------


def test_every_measure_is_a_line_of_the_frame_and_of_the_json() -> None:
    found = report(
        measure("shape", 3.0, 1.0, 0.9),
        measure("shape", 4.0, 1.0, 0.9, columns=("age",)),
        utility=(UNDEFINED,),
        origin=ORIGIN,
    )
    assert found.frame["key"].tolist() == ["shape", "shape", "tstr"]
    assert found.frame["columns"].tolist() == ["", "age", ""]
    assert found.frame.loc[1, ["low", "value", "high"]].tolist() == pytest.approx([3.99, 4, 4.01])
    read = json.loads(found.to_json())
    assert read["notice"] == INTERNAL
    assert read["sections"][0]["measures"][0]["floor"]["value"] == 1.0
    assert read["sections"][1]["measures"][0]["estimate"] is None
    assert read["origin"]["history"][0]["losses"] == {"likelihood": 2.5}
    assert found["shape"].estimate.value == 3.0
    assert "shape 3.000" in repr(found)
    assert list(found.summary["measure"]) == ["The shape", "TSTR / TRTR"]


def test_markdown_gives_all_and_obeys_no_name() -> None:
    text = report(measure("shape", 9.0, 1.0, 0.9, columns=("<b>|",))).to_markdown()
    assert INTERNAL in text
    assert "\\<b\\>\\|" in text
    assert "no target was named" in text


@pytest.mark.parametrize("ending", ["html", "json", "md"])
def test_a_report_is_saved_by_its_ending_and_never_over_another(
    tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"report.{ending}"
    found = report(measure("shape", 3.0, 1.0, 0.9))
    found.save(path)
    before = path.read_bytes()
    assert b"not for publication" in before
    with pytest.raises(TableError, match="overwrite"):
        found.save(path)
    assert path.read_bytes() == before
    with pytest.raises(TableError, match="html"):
        found.save(tmp_path / "report.pdf")


# --- the card ---------------------------------------------------------------------------


def test_the_card_holds_no_figure(tmp_path: Path) -> None:
    found = report(
        measure("c2st", 0.53125, 0.5, 0.98, goal=Goal.HALF),
        privacy=(measure("mia", 0.51171875, goal=Goal.HALF),),
        origin=ORIGIN,
    )
    card = found.card()
    for text in (card.to_json(), card.to_markdown()):
        assert "0.53" not in text
        assert "0.51" not in text
        assert "1200" not in text
        assert "The c2st" in text
        assert "None. No bound is known" in text
    assert json.loads(card.to_json())["columns"] == {"age": "number", "<b>": "category"}
    card.save(tmp_path / "card.md")
    assert (tmp_path / "card.md").read_text() == card.to_markdown()
    with pytest.raises(TableError, match=r"\.json or \.md"):
        card.save(tmp_path / "card.html")


def test_the_card_repeats_a_guarantee() -> None:
    told = Origin(**{**vars(ORIGIN), "guarantee": "epsilon 1, delta 1e-6"})
    assert "epsilon 1, delta 1e-6" in report(origin=told).card().to_markdown()


def test_public_names_are_those_of_the_report() -> None:
    assert synthgan.Report is Report
