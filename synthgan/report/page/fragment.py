"""The report in a notebook's cell: verdicts and the headline figures, no script."""

from __future__ import annotations

from synthgan.report.page.templates import template
from synthgan.report.report import Report


def notebook(report: Report) -> str:
    """A compact piece of HTML for ``_repr_html_``; its colours are the notebook's own."""
    return template("fragment.html.j2").render(report=report)
