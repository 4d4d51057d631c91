"""The report as Markdown: verdicts, advice and the measures of the whole table."""

from __future__ import annotations

from collections.abc import Iterator

from synthgan.report import wording
from synthgan.report.card import escaped
from synthgan.report.report import INTERNAL, About, Report, Section


def render(report: Report) -> str:
    """The report as a page of Markdown."""
    lines = ["# Synthetic table, judged", "", f"*{INTERNAL}*", "", f"{compared(report.about)}."]
    for section in report.sections:
        lines += ["", f"## {section.title}", "", *_section(section)]
    return "\n".join(lines) + "\n"


def compared(about: About) -> str:
    """What was compared, in a sentence."""
    held = "no" if about.holdout_rows is None else f"{about.holdout_rows:,}"
    return (
        f"{about.synthetic_rows:,} synthetic rows against {about.train_rows:,} training rows and "
        f"{held} held-out rows, {about.columns} columns"
    )


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
