"""The report as a page: one HTML file with everything in it, and a fragment for notebooks."""

from synthgan.report.page.fragment import notebook
from synthgan.report.page.rendering import render

__all__ = ["notebook", "render"]
