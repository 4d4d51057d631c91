"""The templates of this folder. Whatever is put into one is escaped."""

from __future__ import annotations

import math
import re
from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from synthgan.metrics.measure import Measure
from synthgan.report.page.glossary import entry_of
from synthgan.report.page.strips import GOALS, strip, strips
from synthgan.report.report import Report
from synthgan.report.wording import figures as wording
from synthgan.report.wording.privacy import REPLAY_VERDICTS


def notebook(report: Report) -> str:
    """A compact piece of HTML for ``_repr_html_``; its colours are the notebook's own."""
    return template("fragment.html.j2").render(report=report)


_OPTION = re.compile(r"--[a-z-]+( [A-Z]+)?")


@cache
def template(name: str) -> Template:
    """The template ``name``."""
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=FunctionLoader(read),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = wording.figure
    environment.filters["value"] = lambda measure: wording.number(
        measure.estimate.value, _sign(measure)
    )
    environment.filters["sign"] = _sign
    environment.filters["in_unit"] = lambda measure: (
        "" if measure.unit == _sign(measure) else f"in {measure.unit}; "
    )
    environment.filters["bounds"] = _bounds
    environment.filters["yardstick"] = wording.yardstick
    environment.filters["strip"] = strip
    environment.filters["strips"] = strips
    environment.filters["goal"] = lambda measure: GOALS[measure.goal]
    environment.filters["unbroken"] = _unbroken
    environment.filters["in_percent"] = lambda value: wording.number(value, "%")
    environment.filters["replay_verdict"] = lambda replay: REPLAY_VERDICTS[replay.verdict]
    environment.filters["entry"] = lambda measure: entry_of(measure.key)
    return environment.get_template(name)


def _unbroken(text: str) -> Markup:
    """``text`` with options of the command line in one piece."""
    return Markup(_OPTION.sub(r'<span class="nowrap">\g<0></span>', str(escape(text))))


def _bounds(measure: Measure) -> str:
    """The interval alone; empty where it is not known."""
    _, *ends = measure.estimate
    if not all(map(math.isfinite, ends)):
        return ""
    unit = _sign(measure)
    low, high = (wording.number(end, unit) for end in ends)
    return f"{low.removesuffix(unit).strip()} to {high}".replace(" %", "\N{NO-BREAK SPACE}%")


def _sign(measure: Measure) -> str:
    """The unit, as far as it stands beside each figure; a word is said once."""
    return "%" if measure.unit == "%" else ""


def read(name: str) -> str:
    """The text of a file of this folder."""
    return files("synthgan.report.page").joinpath(name).read_text(encoding="utf-8")


def percent(share: float) -> str:
    """``0.123`` as ``12.3 %``."""
    return f"{100 * share:.1f} %"
