"""Several generators on one split: who is better, and what it took."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner
from sample_tables import people, quick

import synthgan
from synthgan.cli.app import main
from synthgan.compare import compare as comparison

PARTS: list[tuple[str, int, int]] = []


@cache
def compared() -> synthgan.Comparison:
    """A comparison that many tests can share, with its progress in ``PARTS``."""
    config = synthgan.CompareConfig(
        models=("independent", "synthgan", "chow-liu"), fit=quick(6), holdout=0.4
    )
    table = people(500)[["age", "rich", "member"]]
    return synthgan.compare(table, config, on_part=lambda *part: PARTS.append(part))


def test_who_knows_pairs_is_ahead_of_who_does_not() -> None:
    found = compared()
    assert {e.name for e in found.entries} == {"independent", "synthgan", "chow-liu"}
    ranks = [max(e.report["c2st"].estimate.value, 0.5) for e in found.entries]
    assert ranks == sorted(ranks)
    frame = found.frame.set_index("model")
    assert frame.loc["chow-liu", "trend"] < frame.loc["independent", "trend"]
    assert (frame["fit_seconds"] > 0).all()
    assert frame.loc["synthgan", "parameters"] > frame.loc["independent", "parameters"]
    assert {e.report.about.train_rows for e in found.entries} == {300}
    assert {e.report.about.synthetic_rows for e in found.entries} == {300}


def test_progress_names_each_part_and_ends_below_the_total() -> None:
    compared()
    assert [p for p in PARTS if p[0].endswith(("learning", "drawing"))] == [
        (f"{name}: {what}", 3 * i + k, 9)
        for i, name in enumerate(("independent", "synthgan", "chow-liu"))
        for k, what in enumerate(("learning", "drawing"))
    ]
    assert any(part == "chow-liu: judging, detectors" for part, _, _ in PARTS)


def test_the_page_and_the_figures_have_every_generator_and_no_cell(tmp_path: Path) -> None:
    found = compared()
    for ending in (".html", ".json"):
        found.save(tmp_path / f"out{ending}")
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    for entry in found.entries:
        assert page.count(f'<th scope="row">{entry.name}</th>') == 2 + len(found.keys)
    assert "<script" not in page
    assert page.count('<svg class="strip"') == 3 * len(found.keys)
    assert "http" not in page.replace("http-equiv", "")
    figures = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert [each["model"] for each in figures["models"]] == [e.name for e in found.entries]
    assert "Internal" in figures["notice"]
    assert figures["models"][0]["report"]["sections"]
    with pytest.raises(synthgan.TableError, match="already exists"):
        found.save(tmp_path / "out.html")
    with pytest.raises(synthgan.TableError, match=r"\.html or \.json"):
        found.save(tmp_path / "out.pdf")
    assert found["chow-liu"].name == "chow-liu"
    assert repr(found).startswith("Comparison(")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"models": ("synthgan", "ctgan")}, "no model 'ctgan'"),
        ({"models": ()}, "at least one"),
        ({"models": ("vae", "vae")}, "twice"),
        (
            {"fit": synthgan.Config(privacy=synthgan.PrivacyConfig(epsilon=1))},
            "no differential privacy",
        ),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, object], words: str) -> None:
    with pytest.raises(synthgan.ConfigError, match=words):
        synthgan.CompareConfig(**settings)  # type: ignore[arg-type]


def test_an_objective_names_the_default_model_trained_by_that_game_alone() -> None:
    table = people(60)[["age", "rich"]]
    config = synthgan.CompareConfig(models=("hinge-sn",), fit=quick(2))
    model = comparison._fit("hinge-sn", table, synthgan.infer_schema(table), config)
    assert isinstance(model, synthgan.Synthesizer)
    assert model.config.train.objective == "hinge-sn"
    assert [step.phase for step in model.history] == ["adversarial"]
    assert model.history[-1].step == 2


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ([], comparison.MODELS),
        (["--models", "vae, chow-liu"], ("vae", "chow-liu")),
        (["--models", "vae", "--models", "chow-liu,copula"], ("vae", "chow-liu", "copula")),
    ],
)
def test_models_are_named_with_commas_or_one_at_a_time(
    said: list[str],
    wanted: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = []

    def compare(data: str, config: synthgan.CompareConfig, **rest: object) -> None:
        seen.append(config.models)
        raise synthgan.TableError("that is all")

    monkeypatch.setattr(synthgan, "compare", compare)
    page, data = str(tmp_path / "page.html"), tmp_path / "data.csv"
    data.write_text("a\n1\n")
    assert CliRunner().invoke(main, ["compare", str(data), "-o", page, *said]).exit_code == 2
    assert seen == [wanted]


def test_the_command_leaves_a_page_and_figures(tmp_path: Path) -> None:
    data, page = tmp_path / "data.csv", tmp_path / "page.html"
    synthgan.write_table([people(300)[["age", "rich", "member"]]], data)
    args = [
        "compare",
        str(data),
        "--models",
        "independent,chow-liu",
        "--seed",
        "1",
        "-o",
        str(page),
    ]
    result = CliRunner().invoke(main, args)
    assert result.exit_code == 0, result.output
    head, *lines = result.stdout.splitlines()
    assert head.split()[:2] == ["model", "c2st"]
    assert {line.split()[0] for line in lines} == {"independent", "chow-liu"}
    assert page.exists()
    assert page.with_suffix(".json").exists()
    again = CliRunner().invoke(main, args)
    assert again.exit_code == 2
    assert "Traceback" not in again.output
    wrong = CliRunner().invoke(main, ["compare", str(data), "-o", "page.csv"])
    assert wrong.exit_code == 2
    assert ".html" in wrong.stderr


def test_a_target_that_is_not_there_is_told_before_anything_is_learned() -> None:
    parts: list[str] = []
    table = people(200)[["age", "rich", "member"]]
    with pytest.raises(synthgan.TableError, match="did you mean 'rich'"):
        synthgan.compare(table, target="rihc", on_part=lambda part, *_: parts.append(part))
    assert parts == []
