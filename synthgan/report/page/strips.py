"""A figure on a line: a dot with its interval, and the yardsticks beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from synthgan.metrics.measure import Estimate, Goal, Measure
from synthgan.report.wording import figures as wording

GOALS = {
    Goal.LOW: "lower is better",
    Goal.HIGH: "higher is better",
    Goal.HALF: "0.5 is best",
    Goal.NONE: "read beside the floor",
}


class Strip(NamedTuple):
    """Places along the line, in percent of its length; None for what there is none of."""

    value: float | None
    low: float | None
    high: float | None
    floor: float | None
    baseline: float | None
    begin: str
    """What the line's left end stands for."""
    end: str
    best: str
    """Which end is good: "left", "right", or "" for neither."""
    words: str
    """The same in a sentence."""


def strips(measures: Sequence[Measure]) -> list[Strip | None]:
    """``measures`` of one kind on lines of one scale, so that their dots can be compared."""
    defined = [measure for measure in measures if measure.is_defined]
    ends = _ends(defined) if defined else (0.0, 1.0)
    return [_strip(measure, *ends) if measure.is_defined else None for measure in measures]


def strip(measure: Measure) -> Strip | None:
    """``measure`` as a strip of its own scale; None if it is not defined."""
    return strips([measure])[0]


def _strip(measure: Measure, begin: float, end: float) -> Strip:

    def place(value: float | None) -> float | None:
        if value is None or not math.isfinite(value):
            return None
        return round(100 * (min(max(value, begin), end) - begin) / (end - begin), 2)

    return Strip(
        value=place(measure.estimate.value),
        low=place(measure.estimate.low),
        high=place(measure.estimate.high),
        floor=place(measure.floor.value if measure.floor else None),
        baseline=place(measure.baseline.value if measure.baseline else None),
        begin=_end(begin),
        end=_end(end),
        best=_best(measure, begin),
        words=sentence(measure),
    )


def sentence(measure: Measure) -> str:
    """Figure, floor and baseline in words."""
    parts = [f"synthetic {wording.figure(measure)}"]
    for name, side in (("floor", measure.floor), ("baseline", measure.baseline)):
        if side is not None and math.isfinite(side.value):
            parts.append(f"{name} {wording.interval(side, measure.unit)}")
    return "; ".join(parts)


def _ends(measures: Sequence[Measure]) -> tuple[float, float]:
    """What the line reaches from and to: round figures around all that is shown."""
    known = [value for measure in measures for value in _shown(measure) if math.isfinite(value)]
    low, high = min(known), max(known)
    measure = measures[0]
    if measure.goal is Goal.HALF:
        return (0.5 if low > 0.45 else 0.0), max(1.0, high)
    if low >= 0 and (measure.goal is not Goal.HIGH or low < high / 2):
        low = 0.0
    step = _step((high - low) / 4) if high > low else max(abs(high), 1.0)
    begin, end = math.floor(low / step) * step, math.ceil(high / step) * step
    most = 100.0 if measure.unit == "%" else 1.0
    if high <= most < end:
        end = most
    return begin, end if end > begin else begin + step


def _shown(measure: Measure) -> tuple[float, ...]:
    sides = (measure.floor, measure.baseline)
    return (*measure.estimate, *(side.value for side in sides if side is not None))


def _step(least: float) -> float:
    power: float = 10.0 ** math.floor(math.log10(least))
    return next(power * f for f in (1, 2, 2.5, 5, 10) if power * f >= least * (1 - 1e-9))


def _end(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 1e6 else f"{value:.2g}"


def _best(measure: Measure, begin: float) -> str:
    if measure.goal is Goal.HALF:
        return "left" if begin == 0.5 else ""
    return {Goal.LOW: "left", Goal.HIGH: "right"}.get(measure.goal, "")


def badness(measure: Measure) -> float:
    """How far a figure is on the bad side of its floor; larger is worse."""
    floor = _known(measure.floor, 0.5 if measure.goal is Goal.HALF else 0.0)
    gap = measure.estimate.value - floor
    if measure.goal is Goal.HIGH:
        gap = -gap
    return -math.inf if math.isnan(gap) else gap


def _known(estimate: Estimate | None, otherwise: float) -> float:
    return otherwise if estimate is None or math.isnan(estimate.value) else estimate.value
