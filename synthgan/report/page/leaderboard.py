"""The leaderboard as a page, in the report's style: tables and small drawings, no script."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from markupsafe import Markup

from synthgan.report.leaderboard import Comparison
from synthgan.report.markdown import compared
from synthgan.report.measure import Measure
from synthgan.report.page.strips import Strip, strips
from synthgan.report.page.templates import read, template
from synthgan.report.report import INTERNAL


class _Race(NamedTuple):
    """One measure of all generators, on one line each."""

    measure: Measure
    """Of the first: for its name and its goal."""
    lines: list[tuple[str, Measure, Strip]]


def render(comparison: Comparison) -> str:
    """``comparison`` as one self-contained page."""
    return template("leaderboard.html.j2").render(
        comparison=comparison,
        compared=compared(comparison.entries[0].report.about),
        internal=INTERNAL,
        races=list(_races(comparison)),
        style=Markup(read("style.css")),
    )


def _races(comparison: Comparison) -> Iterator[_Race]:
    names = [entry.name for entry in comparison.entries]
    for key in comparison.keys:
        pairs = zip(names, comparison.measures(key), strict=True)
        found = [(name, each) for name, each in pairs if each is not None]
        drawn = strips([measure for _, measure in found])
        lines = [(*pair, line) for pair, line in zip(found, drawn, strict=True) if line]
        yield _Race(found[0][1], lines)
