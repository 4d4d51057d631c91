"""The documentation is true: its code runs, its links lead somewhere, its commands exist."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
from pathlib import Path

import click
import pytest

import synthgan
from synthgan.cli.app import main

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.py"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=lambda p: p.name)
def test_code_blocks_run_one_after_the_other(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "datasets").symlink_to(ROOT / "datasets")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for number, code in enumerate(blocks(page, "python")):
        exec(compile(code, f"{page.name}, block {number}", "exec"), names)


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda p: p.name)
def test_examples_run(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    code = script.read_text(encoding="utf-8")
    assert "\nSTEPS = None  #" in code
    for slow, quick in (("STEPS = None", "STEPS = 5"), ("DRAWS = 10\n", "DRAWS = 2\n")):
        code = code.replace(slow, quick)
    exec(compile(code, script.name, "exec"), {"__name__": script.stem})


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            found = (page.parent / target).resolve()
            assert found.exists(), target
            inside = page.is_relative_to(ROOT / "docs")  # a site is built of that folder alone
            assert not inside or found.is_relative_to(ROOT / "docs"), target


def test_every_page_is_in_the_table_of_contents() -> None:
    contents = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        name = page.relative_to(ROOT / "docs").as_posix()
        assert re.search(rf": {re.escape(name)}$", contents, re.MULTILINE), name


def test_every_public_name_and_setting_is_documented() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", prose))))
    assert set(synthgan.__all__) <= words, set(synthgan.__all__) - words
    for settings in (
        synthgan.SummaryConfig,
        synthgan.NetworkConfig,
        synthgan.TrainConfig,
        synthgan.PrivacyConfig,
    ):
        (row,) = re.findall(rf"^\| `{settings.__name__}` \| (.*) \|$", text, re.MULTILINE)
        fields = [field.name for field in dataclasses.fields(settings)]
        assert re.findall(r"`(\w+)`", row) == fields


def test_every_public_name_has_its_docstring_on_the_site() -> None:
    text = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^::: synthgan\.(\w+)$", text, re.MULTILINE)) == synthgan.__all__
    for name in synthgan.__all__:
        assert (getattr(synthgan, name).__doc__ or "").strip(), name


def test_nothing_on_the_site_is_fetched_from_elsewhere() -> None:
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert re.search(r"^  font: false\b", settings, re.MULTILINE)
    assert "http" not in settings
    assert "http" not in (ROOT / "docs" / "site.css").read_text(encoding="utf-8")


def test_every_command_and_option_is_documented() -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert isinstance(main, click.Group)
    assert set(sections) == set(main.commands)
    for name, command in main.commands.items():
        options = [p for p in command.params if isinstance(p, click.Option)]
        known = {opt for option in options for opt in option.opts} - {"--help"}
        said = set(re.findall(r"`(--?[a-z-]+)`", sections[name]))
        assert known <= said, f"{name}: not documented: {known - said}"
        assert {s for s in said if s.startswith("--")} <= known | {"--help"}, name


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_commands_in_the_documentation_exist(page: Path) -> None:
    assert isinstance(main, click.Group)
    for line in "\n".join(blocks(page, "sh")).splitlines():
        for name, rest in re.findall(r"\bsynthgan (\w+)([^&#]*)", line):
            command = main.commands[name]
            known = {opt for param in command.params for opt in param.opts}
            outside_quotes = re.sub(r"'[^']*'", "", rest)
            assert set(re.findall(r"(?<= )--?[a-z][a-z-]*", outside_quotes)) <= known, line


def test_ci_runs_what_the_readme_says() -> None:
    commands = blocks(ROOT / "README.md", "sh")
    assert commands[0].strip() == (
        "pip install . && synthgan fit datasets/census.csv && synthgan sample -n 10000"
    )
    assert commands[1].strip() == 'pip install -e ".[test]" && pytest'
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (reading,) = re.findall(r"< <\((.*)\)$", script, flags=re.MULTILINE)
    found = subprocess.run(
        ["bash", "-c", reading], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout == "".join(commands[:2])
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
