"""The local page in a browser, by keyboard alone, at two widths.

Runs where Chromium and the package playwright are (``pip install playwright``); pictures of the
pages are left in ``SCREENSHOTS``, if that is the name of a folder.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sample_tables import people

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

WIDTHS = (1200, 400)
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
_FOCUSED = """() => {
    const e = document.activeElement;
    const labels = [...(e.labels || [])].map(label => label.innerText);
    return [e.innerText, e.ariaLabel, e.name, ...labels].join(" ");
}"""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "synthgan", "ui", str(tmp_path / "folder"), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as server:
        assert server.stdout is not None
        found = None
        while found is None:
            line = server.stdout.readline().decode()
            assert line, "the server ended"
            found = re.search(r"http://127\.0\.0\.1:\d+/\S+", line)
        yield found.group()
        server.terminate()


def tab_to(page: Any, wanted: str) -> None:
    """Presses Tab until what has the focus is called ``wanted``."""
    page.evaluate("() => document.activeElement.blur()")
    met = []
    for _ in range(150):
        page.keyboard.press("Tab")
        met.append(page.evaluate(_FOCUSED))
        if re.search(wanted, met[-1]):
            return
    raise AssertionError(f"Tab never came to {wanted!r}, only to {sorted(set(met))}")


def press(page: Any, wanted: str) -> None:
    """Presses Enter on what is called ``wanted``."""
    tab_to(page, wanted)
    page.keyboard.press("Enter")


def look(page: Any, name: str) -> None:
    """Whether the page fits its window at each width; leaves pictures."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        if folder := os.environ.get("SCREENSHOTS"):
            page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
        wide = page.evaluate("() => document.documentElement.scrollWidth")
        assert wide <= width, f"{name} is {wide} wide in a window of {width}"


def test_from_a_table_to_its_report_by_keyboard(address: str, tmp_path: Path) -> None:
    table = tmp_path / "people.csv"
    people(200).to_csv(table, index=False)
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=list(_FLAGS))
        page = browser.new_page()
        page.set_default_timeout(120_000)
        failed: list[str] = []
        page.on("pageerror", lambda error: failed.append(str(error)))
        page.goto(address)
        walk_through(page, table)
        assert failed == []
        browser.close()


def walk_through(page: Any, table: Path) -> None:
    look(page, "home")
    with page.expect_file_chooser() as chooser:
        press(page, "choose one")
    chooser.value.set_files(str(table))
    press(page, "Read it")
    page.wait_for_selector("#fit")
    look(page, "columns")

    press(page, "^More")
    tab_to(page, "Steps at most")
    page.keyboard.type("6")
    press(page, "^Fit ")
    page.wait_for_selector("#rows")
    look(page, "model")

    tab_to(page, "Only rows such as")
    page.keyboard.type("age >= 30")
    press(page, "^Draw rows")
    page.wait_for_selector("#report")
    look(page, "rows")

    press(page, "^Judge")
    page.wait_for_selector("#report a")
    look(page, "judged")
    press(page, r"^report-1\.html")
    page.wait_for_selector("h1")
    assert "judged" in page.inner_text("h1")
    look(page, "report")
