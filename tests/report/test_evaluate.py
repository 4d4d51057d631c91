"""evaluate() as a whole: from tables to a report, from the command line to files and exit codes."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from sample_tables import people, quick_model
from threadpoolctl import threadpool_limits

import synthgan
from synthgan.cli.app import main
from synthgan.errors import ConfigError, TableError
from synthgan.metrics.catalog import MEASURES


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


@cache
def tables() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Synthetic, training and held-out rows, all of one kind."""
    frame = people(1200, seed=1)
    frame.insert(0, "key", [f"K-{i:05d}" for i in range(1200)])
    return frame.iloc[:500], frame.iloc[500:1000], frame.iloc[1000:]


@cache
def full() -> synthgan.Report:
    synthetic, train, holdout = tables()
    return synthgan.evaluate(
        synthetic, train=train, holdout=holdout, target="rich", model=quick_model()
    )


@cache
def without_holdout() -> synthgan.Report:
    synthetic, train, _ = tables()
    return synthgan.evaluate(synthetic, train=train)


def whole(report: synthgan.Report) -> dict[str, synthgan.Measure]:
    return {each.key: each for each in report.measures if not each.columns}


# --- what a report holds ----------------------------------------------------------------


def test_every_measure_that_limits_can_be_set_on_is_there() -> None:
    found = set(whole(full()))
    regression = {"tstr_r2", "tstr_rmse", "tstr_mae", "tstr_linear_r2"}
    assert found >= MEASURES - regression, MEASURES - regression - found
    assert all(each.key in MEASURES | {"giveaway"} for each in full().headlines)


def test_rows_of_the_same_kind_are_not_blamed() -> None:
    report = full()
    assert report["c2st"].estimate.low < 0.55
    assert report["mia"].estimate.low <= 0.5
    assert report["exact_copies"].estimate.value == 0
    privacy = report.sections[2]
    assert privacy.verdict[0].startswith("No alarm went off in the attacks and distances below")
    assert any("not judged otherwise: columns 'key'." in each for each in privacy.verdict)
    (advice,) = privacy.advice
    assert "Passing proves nothing: treat the table as personal data" in advice


def test_no_figure_is_naked() -> None:
    for each in full().headlines:
        if each.is_defined:
            assert each.floor is not None or each.baseline is not None, each.key
            assert not math.isnan(each.estimate.low), each.key
            assert each.estimate.low <= each.estimate.value <= each.estimate.high, each.key
            assert each.rows > 0, each.key
        else:
            assert each.note, each.key


def test_what_is_not_compared_is_said() -> None:
    assert full().about.skipped == ("key",)
    assert full().about.train_rows == 500
    assert full().origin is not None
    assert without_holdout().origin is None


def test_without_a_holdout_what_needs_one_is_left_out_and_said() -> None:
    report = without_holdout()
    found = whole(report)
    assert {"c2st", "shape", "trend", "coverage"} <= set(found)
    assert not {"mia", "dcr_share", "tstr", "attribute"} & set(found)
    reasons = [each.why for section in report.sections for each in section.findings.left_out]
    assert any("holdout" in reason for reason in reasons)
    (failure,) = report.check({"mia": 0.6})
    assert "not measured" in failure.what


def test_the_same_tables_give_the_same_report() -> None:
    synthetic, train, holdout = tables()
    again = synthgan.evaluate(
        synthetic, train=train, holdout=holdout, target="rich", model=quick_model()
    )
    pd.testing.assert_frame_equal(again.frame, full().frame)


def test_progress_is_told() -> None:
    synthetic, train, _ = tables()
    told: list[tuple[str, int, int]] = []
    synthgan.evaluate(
        synthetic.head(60), train=train.head(60), on_part=lambda *part: told.append(part)
    )
    assert [done for _, done, _ in told] == list(range(len(told)))
    assert {of for _, _, of in told} == {len(told)}


def test_a_table_of_noise_is_told_apart_and_a_copy_rings() -> None:
    _, train, holdout = tables()
    rng = np.random.default_rng(0)
    noise = train.apply(lambda cells: rng.permutation(cells.to_numpy()))
    report = synthgan.evaluate(noise, train=train, holdout=holdout, target="rich")
    assert report["c2st"].estimate.low > 0.6
    assert report["tstr"].estimate.high < 1
    copy = synthgan.evaluate(train, train=train, holdout=holdout, target="rich")
    assert copy["exact_copies"].estimate.low > 90
    assert "Training rows show through" in " ".join(copy.sections[2].verdict)
    assert "Do not hand out" in copy.sections[2].advice[0]


def test_a_holdout_of_some_training_rows_is_said_before_all_else() -> None:
    synthetic, train, holdout = tables()
    mixed = pd.concat([train.head(60), holdout.head(140)])
    report = synthgan.evaluate(synthetic, train=train, holdout=mixed)
    for section in report.sections:
        assert section.verdict[0].startswith("The holdout is not unseen: 30.00 % of its rows")
        assert "cannot be trusted" in section.verdict[0]
    assert not any("not unseen" in each for section in full().sections for each in section.verdict)


def test_a_holdout_that_is_another_table_is_refused() -> None:
    synthetic, train, holdout = tables()
    with pytest.raises(TableError, match=r"100\.0 % of its rows stand in the training rows"):
        synthgan.evaluate(synthetic, train=train, holdout=train.sample(200, random_state=0))
    with pytest.raises(TableError, match="stand in the synthetic table; set rows aside"):
        synthgan.evaluate(synthetic, train=train, holdout=synthetic)
    coarse = [each[["job"]] for each in tables()]  # all rows are repeats, and nobody is to blame
    made, known, held = (each.head(60) for each in coarse)
    synthgan.evaluate(made, train=known, holdout=held)
    assert holdout is not None


def test_a_holdout_that_is_no_random_sample_is_said_and_blames_nobody() -> None:
    frame = people(900, seed=3).sort_values("since", ignore_index=True)
    made, train, holdout = frame.iloc[:600:2], frame.iloc[1:600:2], frame.iloc[600:]
    report = synthgan.evaluate(made, train=train, holdout=holdout)
    for section in report.sections:
        assert section.verdict[0].startswith("Held-out rows are unlike the training rows")
        assert "set aside at random" in section.verdict[0]
        assert not any("memorised" in each for each in (*section.verdict, *section.advice))
        assert not any("hard to tell" in each for each in section.verdict)


def test_copied_identifiers_and_text_ring() -> None:
    synthetic, train, holdout = tables()
    stolen = synthetic.assign(key=train["key"].to_numpy())
    report = synthgan.evaluate(stolen, train=train, holdout=holdout)
    found = report["copied_identifiers"]
    assert found.estimate.value == 100
    assert "'key'" in found.note
    (said,) = [each for each in report.sections[2].verdict if each.startswith("Training rows show")]
    assert "'key'" in said
    assert "K-0" not in repr(report.sections)
    assert report.check({"copied_identifiers": 1.0})


def test_the_card_lists_every_column_and_says_which_were_not_judged() -> None:
    synthetic, train, _ = tables()
    card = synthgan.evaluate(synthetic, train=train).card()
    assert list(card.columns) == list(synthetic.columns)
    assert card.columns["key"] == "identifier, not judged"
    assert "8 columns. Made by: unknown (no model was named)" in card.to_markdown()


def test_without_a_holdout_privacy_is_not_called_quiet() -> None:
    verdict = without_holdout().sections[2].verdict
    assert verdict[0].startswith("Privacy was not judged: no holdout was given")
    assert not any("No alarm went off" in each for each in verdict)


def test_without_a_holdout_copies_that_chance_makes_do_not_ring() -> None:
    frame = people(600, seed=4)[["rich", "member", "job"]]
    report = synthgan.evaluate(frame.iloc[:300], train=frame.iloc[300:])
    assert report["exact_copies"].estimate.value > 50
    assert "come twice" in report["exact_copies"].note
    assert not any("Training rows show through" in each for each in report.sections[2].verdict)
    table = people(600, seed=4)
    stolen = synthgan.evaluate(table.head(300), train=table.head(300))
    assert any("Training rows show through" in each for each in stolen.sections[2].verdict)
    assert "Nothing but copies was looked for: no holdout was given." in stolen.sections[2].verdict


def test_few_rows_are_said_to_be_too_few() -> None:
    synthetic, train, holdout = tables()
    report = synthgan.evaluate(synthetic.head(12), train=train.head(100), holdout=holdout.head(40))
    for section in report.sections:
        assert section.verdict[0].startswith("So few rows cannot be judged: synthetic rows 12, ")
        assert "held-out rows 40" in section.verdict[0]
    found = whole(report)
    assert not {"dcr_share", "dcr_share_worst", "near_copies", "mia"} & set(found)
    reasons = [each.why for each in report.sections[2].findings.left_out]
    assert reasons.count("fewer than 20 rows in one of the tables") == 3


def test_cells_that_cannot_be_read_are_counted_and_not_shown() -> None:
    synthetic, train, _ = tables()
    age = synthetic["age"].astype(object)
    age.iloc[:37] = "unspeakable"
    report = synthgan.evaluate(synthetic.assign(age=age), train=train)
    (said,) = [each for each in report.sections[0].verdict if "cannot be read" in each]
    assert "'age' 37" in said
    assert "unspeakable" not in repr(report.sections)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"model": "m.synthgan"}, "model must be a model of synthgan.fit .* got str"),
        ({"config": {"seed": 1}}, "config must be an EvaluateConfig, got dict"),
        ({"target": 3}, "target must be the name of a column, a str, got int"),
        ({"holdout": [1, 2]}, "holdout must be a DataFrame or the path of a file, got list"),
        ({"synthetic": None}, "synthetic must be a DataFrame .* got NoneType"),
        ({"train": 3}, "train must be a DataFrame .* got int"),
    ],
)
def test_arguments_of_another_type_are_named(how: dict[str, object], words: str) -> None:
    synthetic, train, _ = tables()
    given: dict[str, object] = {"synthetic": synthetic, "train": train, **how}
    with pytest.raises(synthgan.SynthganError, match=words):
        synthgan.evaluate(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("which", ["synthetic", "train", "holdout"])
def test_two_columns_of_one_name_are_refused_in_any_table(which: str) -> None:
    frames = dict(zip(("synthetic", "train", "holdout"), tables(), strict=True))
    frames[which] = pd.concat([frames[which], frames[which][["age"]]], axis=1)
    with pytest.raises(TableError, match=f"'age' comes twice in {which}"):
        synthgan.evaluate(**frames)


def test_what_is_lacking_names_its_table() -> None:
    synthetic, train, holdout = tables()
    with pytest.raises(TableError, match="the holdout lacks column 'age'"):
        synthgan.evaluate(synthetic, train=train, holdout=holdout.drop(columns="age"))
    with pytest.raises(TableError, match="the synthetic table lacks column 'age'"):
        synthgan.evaluate(synthetic.drop(columns="age"), train=train, holdout=holdout)


def test_without_a_target_and_a_holdout_both_are_named() -> None:
    (left,) = without_holdout().sections[1].findings.left_out
    assert "no target was named" in left.why
    assert "no holdout was given" in left.why


# --- odd tables -------------------------------------------------------------------------


def test_columns_must_be_there() -> None:
    synthetic, train, holdout = tables()
    with pytest.raises(TableError, match="lacks column 'wealth'"):
        synthgan.evaluate(synthetic.drop(columns="wealth"), train=train, holdout=holdout)
    with pytest.raises(TableError, match=r"target 'richh' is not there; .* did you mean 'rich'"):
        synthgan.evaluate(synthetic, train=train, holdout=holdout, target="richh")
    with pytest.raises(TableError, match=r"target 'key' is an identifier .* there are '"):
        synthgan.evaluate(synthetic, train=train, holdout=holdout, target="key")
    with pytest.raises(TableError, match="no rows"):
        synthgan.evaluate(synthetic.head(0), train=train, holdout=holdout)
    with pytest.raises(ConfigError, match="max_rows"):
        synthgan.EvaluateConfig(max_rows=1)


@pytest.mark.parametrize("name", ["one row", "missing", "constant", "disjoint", "words", "columns"])
def test_odd_tables_give_figures_or_reasons_and_no_warning(name: str) -> None:
    frame = people(120, seed=2)
    synthetic, train, holdout = frame.iloc[:40], frame.iloc[40:80], frame.iloc[80:]
    if name == "one row":
        synthetic = synthetic.head(1)
    elif name == "missing":
        synthetic = synthetic.assign(score=np.nan, job=None)
    elif name == "constant":
        synthetic, train = synthetic.assign(age=3, job="x"), train.assign(member=True)
    elif name == "disjoint":
        synthetic = synthetic.assign(age=synthetic["age"] + 1000, job="new", rich="maybe")
    elif name == "words":
        synthetic = synthetic.astype(object).astype(str)
    elif name == "columns":
        synthetic, train, holdout = (each[["age"]] for each in (synthetic, train, holdout))
    target = None if name == "columns" else "rich"
    with warnings.catch_warnings():
        warnings.filterwarnings("error")
        report = synthgan.evaluate(synthetic, train=train, holdout=holdout, target=target)
    for each in report.measures:
        assert each.is_defined or each.note, each.key
    read = json.loads(report.to_json())
    assert read["sections"][0]["measures"]
    assert "nan" not in report.to_markdown().lower().replace("finance", "")
    assert "<html" in report.to_html()


# --- the command line -------------------------------------------------------------------


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with three tables in it."""
    for name, frame in zip(("made", "real", "held"), tables(), strict=True):
        frame.head(80).to_csv(tmp_path / f"{name}.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args: object) -> Result:
    return CliRunner().invoke(main, ["evaluate", *(str(each) for each in args)])


def test_evaluate_writes_all_that_is_asked_for(here: Path) -> None:
    quick_model().save(here / "m.synthgan")
    files = ("--json", "r.json", "--card", "card.md", "--model", "m.synthgan")
    result = run("real.csv", "made.csv", "--holdout", "held.csv", "--target", "rich", *files)
    assert result.exit_code == 0, result.output
    assert "Fidelity: is it like the real table?" in result.stdout
    assert "independent columns" in result.stdout
    assert "written: report.html, r.json, card.md" in result.stderr
    assert "not for publication" in (here / "report.html").read_text()
    assert json.loads((here / "r.json").read_text())["about"]["target"] == "rich"
    assert "None. No bound is known" in (here / "card.md").read_text()
    before = (here / "report.html").read_bytes()
    again = run("real.csv", "made.csv", "--quiet")
    assert again.exit_code == 2
    assert "--overwrite" in again.stderr
    assert (here / "report.html").read_bytes() == before


def test_a_figure_beyond_its_limit_is_exit_code_1(here: Path) -> None:
    result = run("real.csv", "made.csv", "--quiet", "--fail-under", "shape=0.001,c2st=1")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("synthgan: shape is")
    assert (here / "report.html").exists()
    assert run("real.csv", "made.csv", "--quiet", "--overwrite").exit_code == 0


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["real.csv", "none.csv"], "no such file"),
        (["real.csv", "made.csv", "-o", "report.pdf"], "must end in .html"),
        (["real.csv", "made.csv", "--card", "card.txt"], "must end in .json or .md"),
        (["real.csv", "made.csv", "--fail-under", "c2st"], "is no limit"),
        (["real.csv", "made.csv", "--fail-under", "c2s=1"], "did you mean 'c2st'"),
        (["real.csv", "made.csv", "--target", "nothing"], "target 'nothing' is not there"),
        (["real.csv", "made.csv", "--seed", "-1"], "seed must be"),
    ],
)
def test_a_wrong_call_gets_one_line(here: Path, args: list[str], words: str) -> None:
    result = run(*args)
    assert result.exit_code == 2, result.output
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (here / "report.html").exists()
