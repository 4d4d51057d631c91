"""What a condition lets through of one column: :class:`Allowed`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.columns.column import Level
from synthgan.columns.sentinels import words_in


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """The cells of one column that a condition lets through.

    Cells must meet all fields at once. For numeric kinds, values and bounds are in the units
    of :func:`synthgan.columns.cells.read_cells`.
    """

    values: frozenset[Level] | None = None
    """The only cells allowed; None: any."""
    excluded: frozenset[Level] = frozenset()
    """Cells that are not allowed."""
    low: float = -math.inf
    """Lower bound; numeric kinds only, as are the three that follow."""
    high: float = math.inf
    low_open: bool = False
    """Whether the lower bound itself is not allowed."""
    high_open: bool = False
    missing: Literal["any", "only", "never"] = "any"
    """Whether missing cells are allowed beside the others, alone, or not."""
    words: frozenset[int] | None = None
    """Numbers of the words that are allowed among a column's numbers, as :func:`words_in` gives
    them; None: all. The other fields say nothing of words, but for ``missing="only"``."""

    def admits(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
        """Which of ``values`` (rows), as :func:`read_cells` gives them, are let through."""
        if values.dtype == object:
            places, distinct = pd.factorize(cast("npt.NDArray[np.object_]", values))
            let = [self.lets(level) for level in distinct.tolist()]
            absent, inside = places < 0, np.array([*let, False], dtype=np.bool_)[places]
        else:
            numbers = values.astype(np.float64)
            words = words_in(numbers)
            absent, inside = np.isnan(numbers) & (words == 0), self._lets_numbers(numbers)
            inside = np.where(words > 0, self._lets_words(words), inside)
        if self.missing == "only":
            return absent
        return np.where(absent, self.missing == "any", inside)

    def _lets_words(self, words: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        return np.isin(words, list(self.words)) if self.words is not None else words > 0

    def _lets_numbers(self, cells: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        inside = (cells > self.low) if self.low_open else (cells >= self.low)
        inside &= (cells < self.high) if self.high_open else (cells <= self.high)
        if self.values is not None:
            inside &= np.isin(cells, [float(value) for value in self.values])
        return inside & ~np.isin(cells, [float(value) for value in self.excluded])

    def lets(self, level: Level) -> bool:
        """Whether a cell that is not missing is let through."""
        if level in self.excluded or (self.values is not None and level not in self.values):
            return False
        if isinstance(level, str):
            return True
        above = level > self.low or (level == self.low and not self.low_open)
        return above and (level < self.high or (level == self.high and not self.high_open))

    def intersect(self, other: Allowed) -> Allowed:
        """What both let through."""
        values = self.values
        if other.values is not None:
            values = other.values if values is None else values & other.values
        low, low_open = max((self.low, self.low_open), (other.low, other.low_open))
        high, high_shut = min((self.high, not self.high_open), (other.high, not other.high_open))
        both = {self.missing, other.missing}
        missing: Literal["any", "only", "never"] = "any"
        if both == {"only", "never"}:
            values, missing = frozenset(), "never"
        elif both != {"any"}:
            missing = "only" if "only" in both else "never"
        words = self.words
        if other.words is not None:
            words = other.words if words is None else words & other.words
        return Allowed(
            values=values,
            excluded=self.excluded | other.excluded,
            low=low,
            high=high,
            low_open=low_open,
            high_open=not high_shut,
            missing=missing,
            words=words,
        )

    @property
    def is_single(self) -> Level | None:
        """The one cell that is let through, or None where there are more, or none.

        The cell may be False or 0: compare with None.
        """
        if self.values is None or self.missing != "never" or self.words:
            return None
        left = list(filter(self.lets, self.values))
        return left[0] if len(left) == 1 else None

    @property
    def is_empty(self) -> bool:
        """Whether no cell at all is let through, missing ones included."""
        if self.missing != "never" or self.words:
            return False
        if self.values is not None:
            return not any(map(self.lets, self.values))
        return self.low > self.high or (self.low == self.high and not self.lets(self.low))
