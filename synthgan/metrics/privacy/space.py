"""The ground on which training and held-out rows meet, treated alike.

An attack asks whether training rows stand out from held-out ones, so nothing that it measures
with may lean to either side: scales and levels are those of equally many rows of both. Held-out
rows with a level that the training rows lack would else seem to lie closer to everything.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from synthgan._typing import Floats
from synthgan.metrics.columns import Cells, Columns
from synthgan.metrics.measure import Estimate, Findings, LeftOut
from synthgan.metrics.points import Embedding
from synthgan.metrics.tables import Tables

_SCALE_ROWS = 20_000
_LEVELS_WIDTH = 600  # dimensions that the levels of all categorical columns share
_USUAL_WIDTH = 256  # dimensions; wider points come in fewer rows, so that all cost the same
_TIE = 1e-9
_LEAST_BEHIND = 50  # rows behind a baseline: what fewer say is noise


def no_holdout(what: str) -> Findings:
    """Says that ``what`` was left out."""
    return Findings(left_out=(LeftOut(what=what, why="no holdout was given"),))


def baseline_of(estimate: Estimate, rows: int) -> Estimate | None:
    """``estimate``, or None if fewer than 50 rows are behind it."""
    return estimate if rows >= _LEAST_BEHIND else None


@dataclass(frozen=True, eq=False, kw_only=True)
class Ground:
    """Columns, scales and levels of training and held-out rows together."""

    columns: Columns
    real: Cells
    """Equally many rows of either."""

    @classmethod
    def of(cls, tables: Tables, holdout: Cells) -> Ground:
        """The ground of ``tables.train`` and ``holdout``; up to 20,000 rows of either."""
        rng = tables.rng("ground")
        rows = min(len(tables.train), len(holdout), _SCALE_ROWS)
        real = stack(tables.train.pick(rows, rng), holdout.pick(rows, rng))
        levels = {}
        for name, cells in real.categories.items():
            counts = np.bincount(cells.codes[cells.codes >= 0], minlength=len(cells.categories))
            # Ties are drawn: who comes first must not depend on the side.
            order = np.lexsort((rng.random(len(counts)), -counts))
            levels[name] = np.asarray(cells.categories, dtype=object)[order]
        return cls(columns=replace(tables.columns, levels=levels), real=real)

    @cached_property
    def width(self) -> int:
        """Dimensions of a point in all columns."""
        return self.embedding().width

    def embedding(self, names: Collection[str] | None = None) -> Embedding:
        """Points of the columns ``names``, or of all."""
        return embedding(self.columns, self.real, names)


def embedding(columns: Columns, real: Cells, names: Collection[str] | None = None) -> Embedding:
    """Points of the columns ``names`` (None: all) in the scale of ``real``.

    The more categorical columns the table has, the fewer levels of each have a dimension; a
    column has the same dimensions among few columns as among all.
    """
    held = Cells(
        rows=real.rows,
        numbers={name: x for name, x in real.numbers.items() if names is None or name in names},
        categories={
            name: x for name, x in real.categories.items() if names is None or name in names
        },
    )
    each = max(_LEVELS_WIDTH // max(len(real.categories), 1), 2)
    return Embedding(columns, held, levels_width=each * len(held.categories))


def affordable(rows: int, width: int) -> int:
    """How many of ``rows`` to look at if points have ``width`` dimensions."""
    return math.ceil(rows * math.sqrt(min(1.0, _USUAL_WIDTH / max(width, 1))))


def stack(first: Cells, second: Cells) -> Cells:
    """The rows of both, those of ``first`` first."""
    return Cells(
        rows=first.rows + second.rows,
        numbers={
            name: np.concatenate([x, second.numbers[name]]) for name, x in first.numbers.items()
        },
        categories={
            name: pd.api.types.union_categoricals([x, second.categories[name]])
            for name, x in first.categories.items()
        },
    )


def closer(these: Floats, those: Floats) -> Floats:
    """1 where ``these`` distances are smaller than ``those``, .5 where they tie, else 0.

    Distances of equal rows may differ in their last digits, by the order of a sum.
    """
    gaps = those - these
    return np.where(np.abs(gaps) <= _TIE, 0.5, (gaps > 0).astype(np.float64))
