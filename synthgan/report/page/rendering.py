"""The page: one HTML file that needs nothing but a browser.

All figures stand in it as text and small drawings that need no script. Charts are drawn by
plotly, which is packed into the page and unpacked in the browser; nothing is loaded from
anywhere, and the page's own security policy forbids it.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import plotly.graph_objects as go
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from synthgan.metrics.measure import Curve, Goal, Measure
from synthgan.report.page import figures, glossary
from synthgan.report.page.strips import badness, sentence
from synthgan.report.page.templates import percent, read, template
from synthgan.report.page.training_figures import DIAGNOSTICS, diagnostic, history
from synthgan.report.pictures import Association, Distribution
from synthgan.report.report import Report
from synthgan.report.results import INTERNAL, Section, compared

_LEAGUE = 8  # lines of a list of the worst
_LINES = {1: 1000, 2: 100}  # of a key in the table of all measures, by columns that it is about
_HEADLINES = 6
_SMALL_LEVELS = 8
_OFTEN_NOTHING = ("missing", "out_of_range")  # no list where all are 0

SMOKE = (
    "Distance scores are smoke alarms: failing means that training rows show through, or that the "
    "holdout is no random sample; passing means nothing."
)


def render(report: Report) -> str:
    """``report`` as one self-contained HTML page, about 2.5 MB."""
    script = read("page.js")
    return template("page.html.j2").render(
        report=report,
        internal=INTERNAL,
        compared=compared(report.about),
        smoke=SMOKE,
        cards=[_card(section) for section in report.sections],
        panels=[_panel(section) for section in report.sections],
        columns=_columns(report),
        maps=_maps(report.pictures.association),
        pairs=_pairs(report),
        history=_history(report),
        lines=_all_lines(report),
        terms=glossary.terms(each.key for each in report.measures),
        style=Markup(read("style.css")),
        script=Markup(script),
        script_hash=_hash(script),
        plotly=Markup(_packed_plotly()),
        plotly_hash=_hash(get_plotlyjs()),
    )


@cache
def _packed_plotly() -> str:
    return base64.b64encode(gzip.compress(get_plotlyjs().encode(), 9, mtime=0)).decode()


def _hash(script: str) -> str:
    """For the security policy: only scripts with this content may run."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


# --- summary ----------------------------------------------------------------------------


class _Card(NamedTuple):
    """A section in the summary."""

    section: Section
    headlines: tuple[Measure, ...]
    undefined: tuple[Measure, ...]
    """Headlines that are not defined; their notes say why."""


def _card(section: Section) -> _Card:
    whole = tuple(each for each in section.findings.measures if not each.columns)
    chosen = section.headlines or whole
    shown = tuple(each for each in chosen if each.is_defined)[:_HEADLINES]
    return _Card(section, shown, tuple(each for each in chosen if not each.is_defined))


# --- sections ---------------------------------------------------------------------------


class _Chart(NamedTuple):
    """A chart with what stands above and below it."""

    name: str
    title: str
    caption: str
    height: int
    json: Markup


class _League(NamedTuple):
    """The worst lines of one measure."""

    key: str
    title: str
    lines: tuple[Measure, ...]
    beyond: int
    """Lines that are not shown."""


class _Panel(NamedTuple):
    """A section in full."""

    section: Section
    whole: tuple[Measure, ...]
    leagues: tuple[_League, ...]
    charts: tuple[_Chart, ...]


def _panel(section: Section) -> _Panel:
    measures = section.findings.measures
    whole = tuple(each for each in measures if not each.columns)
    return _Panel(section, whole, _leagues(measures), (*_bar_charts(section), *_curves(section)))


def _leagues(measures: Sequence[Measure]) -> tuple[_League, ...]:
    by_key: dict[str, list[Measure]] = {}
    for each in measures:
        if each.columns and each.is_defined:
            by_key.setdefault(each.key, []).append(each)
    leagues = []
    for key, lines in by_key.items():
        if key in _OFTEN_NOTHING and not any(each.estimate.value for each in lines):
            continue
        lines.sort(key=badness, reverse=True)
        if key != "giveaway" and len(lines) > 1:
            lines = [each for each in lines if badness(each) > 0] or lines[:1]
        shown = tuple(lines[:_LEAGUE])
        leagues.append(_League(key, shown[0].name, shown, len(by_key[key]) - len(shown)))
    return tuple(leagues)


def _bar_charts(section: Section) -> list[_Chart]:
    """Scores of models side by side; what has another scale stays with the strips."""
    if section.key != "utility":
        return []
    groups = {
        "scores": ("Scores of models, by what they were trained on", "tstr"),
        "augmentation": ("Synthetic rows beside few real ones", "augment"),
    }
    charts: list[_Chart] = []
    for name, (title, start) in groups.items():
        found = [
            each
            for each in section.findings.measures
            if not each.columns and each.is_defined and each.key.split("_")[0] == start
            if start != "tstr" or _is_score(each)
        ]
        units = {each.unit for each in found}
        for unit in sorted(units):
            of_unit = [each for each in found if each.unit == unit]
            figure = figures.bars(of_unit)
            height = 90 + 62 * len(of_unit)
            suffix = f" ({unit})" if unit and len(units) > 1 else ""
            charts.append(
                _chart(
                    f"bars-{name}-{len(charts)}",
                    title + suffix,
                    figure,
                    height,
                    "Whiskers are 95 % intervals.",
                )
            )
    return charts


def _is_score(measure: Measure) -> bool:
    return measure.goal is Goal.HIGH and abs(measure.estimate.value) <= 1.5


_CURVES = {
    "roc_c2st": (
        "Can a detector tell synthetic from real rows?",
        "real rows taken for synthetic",
        "synthetic rows found",
        "The closer to the dashed diagonal, the harder the rows are to tell apart.",
    ),
    "roc_mia": (
        "Can an attacker tell who was in the training rows?",
        "outsiders taken for members",
        "members found",
        "On the diagonal the attack is no better than chance; the left edge matters most.",
    ),
    "calibration": (
        "Do predicted chances come true?",
        "predicted chance",
        "share that came true",
        "On the diagonal a predicted chance of 30 % comes true in 30 of 100 cases.",
    ),
    "": ("Curves", "x", "y", ""),
}


def _curves(section: Section) -> list[_Chart]:
    groups: dict[str, list[Curve]] = {}
    for curve in section.findings.curves:
        start = next(start for start in _CURVES if curve.key.startswith(start))
        groups.setdefault(start, []).append(curve)
    charts = []
    for start, curves in groups.items():
        title, x, y, caption = _CURVES[start]
        figure = figures.curves(curves, x=x, y=y)
        charts.append(_chart(f"{section.key}-{start or 'curves'}", title, figure, 420, caption))
    return charts


def _chart(name: str, title: str, figure: go.Figure, height: int, caption: str = "") -> _Chart:
    return _Chart(name, title, caption, height, Markup(figures.figure_json(figure)))


# --- columns and pairs ------------------------------------------------------------------


class _Column(NamedTuple):
    """A column's small chart."""

    chart: _Chart
    place: int
    kind: str
    shape: Measure | None
    missing: str
    """Shares of missing cells in words; empty if there are none."""
    levels: int
    """Levels that the small chart leaves out."""


def _columns(report: Report) -> tuple[_Column, ...]:
    """The columns, the worst first, as far as their shapes were measured."""
    shapes = {
        each.columns[0]: each
        for each in report.measures
        if each.key == "shape" and len(each.columns) == 1
    }
    found = [
        _column(report, place, each, shapes.get(each.column))
        for place, each in enumerate(report.pictures.distributions)
    ]
    return tuple(sorted(found, key=lambda each: -badness(each.shape) if each.shape else 0.0))


def _column(report: Report, place: int, found: Distribution, shape: Measure | None) -> _Column:
    words = f"Distribution of {found.column}"
    if shape is not None:
        words += f"; {shape.name}: {sentence(shape)}"
    figure = figures.distribution(found)
    is_long = not figure.layout.meta.get("upright", True)
    return _Column(
        chart=_chart(f"column-{place}", str(found.column), figure, 200, words),
        place=place,
        kind=report.names.get(found.column, ""),
        shape=shape,
        missing=_missing(found),
        levels=max(len(found.labels) - _SMALL_LEVELS, 0) if is_long else 0,
    )


def _missing(found: Distribution) -> str:
    if not any(found.missing.values()):
        return ""
    sides = (f"{figures.NAMES[side].lower()} {percent(x)}" for side, x in found.missing.items())
    return f"missing: {', '.join(sides)}"


class _Maps(NamedTuple):
    """The heat-maps of all pairs."""

    charts: tuple[_Chart, ...]
    about: Association


def _maps(found: Association | None) -> _Maps | None:
    if found is None:
        return None
    gap = found.difference
    most = max(float(abs(gap[gap == gap]).max(initial=0.0)), 0.1)
    sides = (("Real", found.real, 1.0), ("Synthetic", found.synthetic, 1.0))
    charts = [
        _chart(
            f"map-{title.lower()}",
            title,
            figures.heatmap(matrix, found.columns, most=limit),
            360,
            f"Heat-map of the strength of each pair of columns: {title.lower()}",
        )
        for title, matrix, limit in (*sides, ("Synthetic less real", gap, most))
    ]
    return _Maps(tuple(charts), found)


class _Pair(NamedTuple):
    """A pair of columns, zoomed."""

    columns: tuple[str, str]
    trend: Measure | None
    charts: tuple[_Chart, _Chart]


def _pairs(report: Report) -> tuple[_Pair, ...]:
    trends = {each.columns: each for each in report.measures if each.key == "trend"}
    pairs = []
    for place, found in enumerate(report.pictures.pairs):
        real, synthetic = figures.pair_tables(found)
        about = f"Table of {found.columns[0]} and {found.columns[1]}"
        charts = (
            _chart(f"pair-{place}-real", "Real", real, 300, f"{about}, real rows"),
            _chart(f"pair-{place}-made", "Synthetic", synthetic, 300, f"{about}, synthetic rows"),
        )
        pairs.append(_Pair(found.columns, trends.get(found.columns), charts))
    return tuple(pairs)


# --- training, table --------------------------------------------------------------------


def _history(report: Report) -> tuple[_Chart, ...]:
    points = report.origin.history if report.origin else ()
    phases = dict.fromkeys(point.phase for point in points)
    charts = [
        _chart(f"history-{place}", phase or "Training", history(points, phase), 320)
        for place, phase in enumerate(phases)
    ]
    for phase in phases:
        for name, title in DIAGNOSTICS.items():
            told = [p for p in points if p.phase == phase and name in p.diagnostics]
            if len(told) > 1:
                drawn = diagnostic(told, name)
                charts.append(_chart(f"history-{len(charts)}", f"{title}, {phase}", drawn, 220))
    return tuple(charts)


class _Lines(NamedTuple):
    """The table of all measures."""

    lines: tuple[tuple[Section, Measure], ...]
    left_out: int
    """Lines about columns and pairs that are not shown: those least beyond their floor."""
    counts: dict[str, int]
    """Of lines about the whole table, columns and pairs."""


def _all_lines(report: Report) -> _Lines:
    kept: list[tuple[Section, Measure]] = []
    total = 0
    for section in report.sections:
        by_key: dict[tuple[str, int], list[Measure]] = {}
        for each in section.findings.measures:
            by_key.setdefault((each.key, min(len(each.columns), 2)), []).append(each)
        for (_, about), lines in sorted(by_key.items(), key=lambda item: item[0][1]):
            total += len(lines)
            if about:
                lines = sorted(lines, key=badness, reverse=True)[: _LINES[about]]
            kept += [(section, each) for each in lines]
    counts = {"table": 0, "column": 0, "pair": 0}
    for _, each in kept:
        counts[("table", "column", "pair")[min(len(each.columns), 2)]] += 1
    return _Lines(tuple(kept), total - len(kept), counts)
