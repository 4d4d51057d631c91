"""Ways to satisfy a condition, and requested shares of codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from synthgan._typing import Floats, Ints
from synthgan.columns.column import Level

_POINT_SHARE = 1e-3  # what a single value inside a bin counts for


@dataclass(frozen=True, eq=False)
class Options:
    """The ways in which a cell can meet a condition: one entry a way.

    An option is a code and a stretch of places within it; its share of the code's rows is
    about ``last - first``. ``value`` is the cell itself where it is fixed, NaN elsewhere.
    """

    codes: Ints
    first: Floats
    last: Floats
    value: Floats

    @property
    def share(self) -> Floats:
        """Share of the code's rows that each option covers."""
        fixed = ~np.isnan(self.value)
        return np.where(
            fixed, np.maximum(self.last - self.first, _POINT_SHARE), self.last - self.first
        )


def any_codes(mass: Floats, chances: Floats) -> tuple[Ints, Floats]:
    """A code for each of ``chances``, by the ``mass`` that codes have; and a place in it, which is
    as random as they are."""
    mass = mass if mass.sum() > 0 else np.ones(len(mass))
    ends = np.cumsum(mass) / mass.sum()
    open_codes = np.flatnonzero(mass > 0)  # rounding must not lead to one of the others
    codes: Ints = open_codes[
        np.minimum(np.searchsorted(ends[open_codes], chances, side="right"), len(open_codes) - 1)
    ]
    starts, shares = ends[codes] - mass[codes] / mass.sum(), mass[codes] / mass.sum()
    return codes, np.clip((chances - starts) / shares, 0.0, 1 - 1e-9)


def whole_codes(codes: Ints) -> Options:
    ones = np.ones(len(codes))
    return Options(codes.astype(np.int64), 0 * ones, ones, np.nan * ones)


def join(a: Options, b: Options) -> Options:
    return Options(
        np.r_[a.codes, b.codes],
        np.r_[a.first, b.first],
        np.r_[a.last, b.last],
        np.r_[a.value, b.value],
    )


Shares = Mapping[Level | None, float]
"""Shares of the levels that were named; None stands for missing cells."""

FEW_CHOICES = 20
"""Exact values that a number column has at most for their shares to be chosen."""
