"""The report as Markdown: verdicts, advice and the measures of the whole table."""

from __future__ import annotations

from collections.abc import Iterator

from synthgan.report.card import escaped
from synthgan.report.report import Report
from synthgan.report.results import INTERNAL, Section, compared
from synthgan.report.wording import figures as wording


def render(report: Report) -> str:
    """The report as a page of Markdown."""
    lines = ["# Synthetic table, judged", "", f"*{INTERNAL}*", "", f"{compared(report.about)}."]
    for section in report.sections:
        lines += ["", f"## {section.title}", "", *_section(section)]
    return "\n".join(lines) + "\n"


def _section(section: Section) -> Iterator[str]:
    yield from (f"{escaped(sentence)}\n" for sentence in section.verdict)
    yield from (f"- {escaped(advice)}" for advice in section.advice)
    whole = [each for each in section.findings.measures if not each.columns]
    if whole:
        yield from ("", "| measure | figure (95 %) | real rows | independent columns |")
        yield "|---|---|---|---|"
    for each in whole:
        cells = (
            each.name,
            wording.figure(each),
            wording.yardstick(each.floor, each.unit),
            wording.yardstick(each.baseline, each.unit),
        )
        yield f"| {' | '.join(escaped(cell) for cell in cells)} |"
    if section.findings.left_out:
        yield from ("", "Left out:", "")
    for missing in section.findings.left_out:
        yield f"- {escaped(missing.what)}: {escaped(missing.why)}"
