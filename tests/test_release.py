"""What a release says of itself, and brings along."""

from __future__ import annotations

import re
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner

import synthgan
from synthgan.cli.app import main

ROOT = Path(__file__).parent.parent


def said(file: str, pattern: str) -> str:
    (found,) = re.findall(pattern, (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
    return str(found)


def test_one_version_everywhere() -> None:
    wanted = said("pyproject.toml", r'^version = "(.+)"$')
    assert said("CITATION.cff", r"^version: (.+)$") == wanted
    assert synthgan.__version__ == version("synthgan")
    result = CliRunner().invoke(main, ["--version"])
    assert result.output == f"synthgan {version('synthgan')}\n"


@pytest.mark.parametrize(
    "name", ["py.typed", "report/page/page.html.j2", "report/page/style.css", "ui/pages/page.js"]
)
def test_files_that_are_no_code_come_along(name: str) -> None:
    assert files("synthgan").joinpath(name).is_file()


def test_the_shell_completes_commands_and_options() -> None:
    complete = BashComplete(main, {}, "synthgan", "_SYNTHGAN_COMPLETE")
    assert [each.value for each in complete.get_completions(["sample"], "--loc")] == ["--locale"]
    assert "fit" in [each.value for each in complete.get_completions([], "f")]
