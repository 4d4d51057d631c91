"""Figures in words: what was found, in sentences that a person can act on.

A verdict says what was done, the figure with its interval, and the yardsticks. What is judged
"hard to tell" or "easily" is judged by the distance from the floor, not by the figure alone.
"""

from __future__ import annotations

from synthgan.metrics.measure import Estimate, Measure


def number(value: float, unit: str = "") -> str:
    """A figure, to as many digits as are worth reading."""
    digits = 2 if unit in ("%", "points") else 3
    size = abs(value)
    if size >= 1e9 or 0 < size < 0.5e-6:
        text = f"{value:.3g}"
    elif size >= 100:
        text = f"{value:,.{0 if size >= 1000 else 1}f}"
    else:
        # What is not 0 does not read as 0: one row in a million may be a memorised one.
        while size and round(size, digits) == 0:
            digits += 1
        text = f"{value:,.{digits}f}"
    return f"{text} %" if unit == "%" else f"{text} {unit}" if unit else text


def interval(estimate: Estimate, unit: str = "") -> str:
    """``0.53 (0.52 to 0.55)``; without brackets where no spread is known."""
    text = number(estimate.value, unit)
    if estimate.low != estimate.low or estimate.high != estimate.high:
        return text
    bare = "%" if unit == "%" else ""
    low, high = (number(bound, unit).removesuffix(unit).strip() for bound in estimate[1:])
    return f"{text} ({low} to {high}{' ' + bare if bare else ''})"


def figure(measure: Measure) -> str:
    """The measure's figure with its interval, or why there is none."""
    if not measure.is_defined:
        return f"not defined: {measure.note}" if measure.note else "not defined"
    return interval(measure.estimate, measure.unit)


def yardstick(estimate: Estimate | None, unit: str = "") -> str:
    """A floor or a baseline; a dash where there is none."""
    return (
        "-"
        if estimate is None or estimate.value != estimate.value
        else number(estimate.value, unit)
    )
