"""Draws lines on two logarithmic axes as an SVG file, panel beside panel."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape

_COLOURS = ("#4269d0", "#d1495b", "#3a7d44")
_WIDTH, _HEIGHT = 320, 260  # of a panel's axes
_LEFT, _TOP, _GAP, _BOTTOM = 60, 34, 50, 150
_ROW = 17  # between lines of the legend


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line; all of its values above 0."""

    label: str
    y: list[float]
    colour: int
    dashed: bool = False


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Lines over the same x."""

    title: str
    x: list[float]
    lines: tuple[Line, ...]


def draw_panels(panels: list[Panel], unit: str) -> str:
    """The SVG text; all panels share the vertical axis, which is labelled ``unit``."""
    low, high = _decades([y for panel in panels for line in panel.lines for y in line.y])
    width = _LEFT + len(panels) * (_WIDTH + _GAP)
    height = _TOP + _HEIGHT + _BOTTOM
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="8" y="18">{escape(unit)}</text>',
    ]
    for i, panel in enumerate(panels):
        left = _LEFT + i * (_WIDTH + _GAP)
        body += _panel(panel, left, low, high)
    body += _legend(panels[0], _TOP + _HEIGHT + 52)
    return "\n".join([*body, "</svg>"]) + "\n"


def _decades(values: list[float]) -> tuple[int, int]:
    """Powers of ten around all values."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _panel(panel: Panel, left: float, low: int, high: int) -> Iterator[str]:
    first, last = _decades(panel.x)

    def across(x: float) -> float:
        return left + _WIDTH * (math.log10(x) - first) / (last - first)

    def down(y: float) -> float:
        return _TOP + _HEIGHT * (high - math.log10(y)) / (high - low)

    yield _text(left + _WIDTH / 2, 18, panel.title, "middle")
    for power in range(low, high + 1):
        at = down(10.0**power)
        yield _rule(left, at, left + _WIDTH, at)
        yield _text(left - 6, at + 4, f"{10.0**power:g}", "end")
    for power in range(first, last + 1):
        at = across(10.0**power)
        yield _rule(at, _TOP, at, _TOP + _HEIGHT)
        yield _text(at, _TOP + _HEIGHT + 16, f"{10**power:,}", "middle")
    for line in panel.lines:
        yield from _line(panel, line, across, down)


def _line(
    panel: Panel, line: Line, across: Callable[[float], float], down: Callable[[float], float]
) -> Iterator[str]:
    points = [(across(x), down(y)) for x, y in zip(panel.x, line.y, strict=True)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    yield f'<polyline points="{path}" fill="none" {_stroke(line)}/>'
    if not line.dashed:
        colour = _COLOURS[line.colour]
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points)


def _legend(panel: Panel, top: float) -> Iterator[str]:
    for i, line in enumerate(panel.lines):
        at = top + i * _ROW
        yield f'<path d="M{_LEFT},{at} h30" fill="none" {_stroke(line)}/>'
        yield _text(_LEFT + 38, at + 4, line.label, "start")


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _stroke(line: Line) -> str:
    dash = ' stroke-dasharray="5 4"' if line.dashed else ""
    return f'stroke="{_COLOURS[line.colour]}" stroke-width="2"{dash}'


def _rule(x0: float, y0: float, x1: float, y1: float) -> str:
    return f'<path d="M{x0:.1f},{y0:.1f} L{x1:.1f},{y1:.1f}" stroke="#ddd" fill="none"/>'
