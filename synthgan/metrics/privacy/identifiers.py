"""Copies in columns that are not compared otherwise: identifiers and free text.

Whoever copies names, keys or remarks of training rows gives people away, whatever the other
columns look like. A cell that was made by counting on hits training cells too, where these are
numbers in a row; so as many hits as counting makes are nobody's fault.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan._typing import Bools, Floats, Objects
from synthgan.metrics.columns import spelled
from synthgan.metrics.measure import Estimate, Findings, Goal, Measure
from synthgan.metrics.privacy.worst import z_of

_DIGITS = re.compile(r"\d+")
_LEAST = 50  # rows behind a floor; as many numbers of one pattern are needed to speak of a row
_REPEATS = 10  # expected, for their lack to say something
_AROUND = 25  # numbers on either side that say how densely they lie
_MOST_DIGITS = 18  # of a number that 64 bits hold


def identifier_findings(
    synthetic: pd.DataFrame,
    train: pd.DataFrame,
    holdout: pd.DataFrame | None,
    names: Sequence[str],
) -> Findings:
    """``copied_identifiers``, in percent: cells that stand verbatim in the training column.

    For each column of ``names``, the share of the synthetic cells that are not missing and stand
    among the training cells. The line is about the column furthest above its floor, and its note
    names it; the interval (Wilson's) is widened for the number of columns (Bonferroni). The
    floor is the larger of two shares: that of held-out cells (without 50 of them: of training
    cells that come twice), and that which counting would make, from how densely the numbers in
    training cells of one pattern lie around that in the synthetic cell (none where synthetic
    numbers neither begin at 0 or 1 nor repeat, as counted and drawn ones do). Nothing is measured
    where there are no such columns, or no cells in them.
    """
    found = [
        (name, *each)
        for name in names
        if (each := _column(synthetic[name], train[name], _held(holdout, name))) is not None
    ]
    if not found:
        return Findings()
    name, share, floor, cells = max(found, key=lambda each: each[1].value - each[2].value)
    wider = z_of(len(found)) / z_of()
    low, high = (share.value + wider * (bound - share.value) for bound in share[1:])
    measure = Measure(
        key="copied_identifiers",
        name="Cells copied in columns that are not compared",
        estimate=Estimate(share.value, max(low, 0.0), min(high, 1.0)).scaled(100),
        goal=Goal.LOW,
        unit="%",
        floor=floor.scaled(100) if len(train) >= _LEAST else None,
        rows=cells,
        note=f"column {name!r}, the worst of {len(found)} that are not compared otherwise",
    )
    return Findings(measures=(measure,))


def _held(holdout: pd.DataFrame | None, name: str) -> pd.Series | None:
    return None if holdout is None or name not in holdout.columns else holdout[name]


def _column(
    synthetic: pd.Series, train: pd.Series, holdout: pd.Series | None
) -> tuple[Estimate, Estimate, int] | None:
    """Share copied, its floor, and synthetic cells; None if there are no cells."""
    made, known = spelled(synthetic), spelled(train)
    if not len(made) or not len(known):
        return None
    held = spelled(holdout) if holdout is not None else known[:0]
    if len(held) >= _LEAST:
        usual = _share(_within(held, known))
    else:
        usual = _share(np.asarray(pd.Series(known).duplicated(keep=False)))
    counted = _by_counting(made, known)
    if counted > usual.value:
        usual = Estimate.from_share(counted * len(made), len(made))
    return _share(_within(made, known)), usual, len(made)


def _within(words: Objects, known: Objects) -> Bools:
    return np.asarray(pd.Index(words).isin(known))


def _share(found: Bools) -> Estimate:
    return Estimate.from_share(float(found.sum()), len(found))


def _by_counting(made: Objects, known: Objects) -> float:
    """Share of ``made`` to be expected in ``known`` if its numbers had been drawn anew nearby."""
    rows = {pattern: np.unique(numbers) for pattern, numbers in _patterns(known).items()}
    hits = 0.0
    for pattern, numbers in _patterns(made).items():
        row = rows.get(pattern)
        if row is None or len(row) < _LEAST or _is_taken_over(numbers):
            continue
        places = np.searchsorted(row, numbers)
        first = np.clip(places - _AROUND, 0, len(row) - 2 * _AROUND)
        last = first + 2 * _AROUND - 1
        density: Floats = (2 * _AROUND) / (row[last] - row[first] + 1).astype(np.float64)
        within = (numbers >= row[0]) & (numbers <= row[-1])
        hits += float(density[within].sum())
    return hits / len(made)


def _is_taken_over(numbers: npt.NDArray[np.int64]) -> bool:
    """Whether numbers neither count from 0 or 1 nor repeat as often as drawn ones would."""
    if numbers.min() <= 1:
        return False
    count, span = len(numbers), float(numbers.max() - numbers.min()) + 1
    repeats = count - span * (1 - math.exp(-count / span))
    return repeats >= _REPEATS and count - len(np.unique(numbers)) < repeats / 3


def _patterns(words: Objects) -> dict[str, npt.NDArray[np.int64]]:
    """Words by what is left of them without digits, and their digits as one number."""
    found: dict[str, list[int]] = {}
    for word in words:
        digits = "".join(_DIGITS.findall(word))
        if digits and len(digits) <= _MOST_DIGITS:
            found.setdefault(_DIGITS.sub("#", word), []).append(int(digits))
    return {pattern: np.array(numbers, dtype=np.int64) for pattern, numbers in found.items()}
