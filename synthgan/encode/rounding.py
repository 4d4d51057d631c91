"""Means of groups of rows, rounded so that no cell can be worked out from them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from synthgan.columns.column import Column, Kind
from synthgan.config import SummaryConfig
from synthgan.encode.sorted_values import Items

_DIGITS = 2  # a mean is rounded to a hundredth or less of what its group spans
_FINEST = 300  # digits after the point

_HUGE = 1e300  # numbers that rounding could make infinite


@dataclass(frozen=True)
class Absent:
    """Rows of a column without a number."""

    counts: tuple[float, ...]
    """Of missing cells, then of each word; weights where rows have owners."""
    people: tuple[int, ...]
    """Who they stand for."""


@dataclass(frozen=True)
class Rounding:
    """To what means are rounded, and how many people one must stand for."""

    enough: int
    places: int | None
    """Digits after the point that cells have; None: any number."""

    @staticmethod
    def of(column: Column | None, config: SummaryConfig) -> Rounding:
        """What goes for the means of a column."""
        places = None
        if column is not None:
            places = column.decimals if column.kind is Kind.NUMBER else 0
        return Rounding(config.min_category_rows, places)

    def mean(self, items: Items, start: int, stop: int) -> float:
        """The mean of a stretch of sorted ``items``, rounded."""
        exact = items.mean(start, stop)
        low, high = float(items.values[start]), float(items.values[stop - 1])
        spread = high / 2 - low / 2
        if self.enough <= 1 or abs(exact) > _HUGE:
            return exact
        if not spread > 0:  # one value, or means already
            return exact if self.places is None else round(exact, self.places)
        digits = _DIGITS - math.floor(math.log10(spread) + math.log10(2))
        digits = min(digits, _FINEST if self.places is None else self.places)
        found = round(exact, digits)
        if not low < found < high and digits != self.places:
            unit = 10.0**-digits
            found = round(exact + (unit if found <= low else -unit), digits)
        return found if low <= found <= high else exact
