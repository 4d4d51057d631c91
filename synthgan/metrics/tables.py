"""Who is compared with whom.

A figure of a synthetic table says little on its own. Each one is therefore taken three times,
by the same function against the same real rows, for three candidates with equally many rows:
the synthetic rows, real rows (the floor: as good as it can be) and columns drawn
independently of each other (the baseline: what a figure gives away for nothing).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthgan.errors import TableError
from synthgan.metrics.columns import Cells, Columns
from synthgan.metrics.measure import Estimate, Goal, Measure

_MAX_ROWS = 100_000

Figures = Mapping[tuple[str, ...], Estimate]
"""Figures by the columns that they are about; () is the whole table."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Tables:
    """All that a part of the judge needs: what the columns are, and the cells of each side."""

    columns: Columns
    """As the training rows fixed them."""
    train: Cells
    """Rows that the generator learned from, as far as they are looked at."""
    holdout: Cells | None
    """Rows that it never saw."""
    made: Cells
    """Synthetic rows, as far as they are looked at."""
    reference: Cells
    """Real rows that every candidate is held against: the holdout, or else half of the rest."""
    synthetic: Cells
    """First candidate: as many synthetic rows as there are real ones below."""
    real: Cells
    """Second candidate: training rows, none of them in the reference."""
    independent: Cells
    """Third candidate: training columns drawn independently."""
    seed: int

    @classmethod
    def of(
        cls,
        synthetic: pd.DataFrame,
        train: pd.DataFrame,
        holdout: pd.DataFrame | None = None,
        *,
        columns: Columns | None = None,
        max_rows: int = _MAX_ROWS,
        seed: int = 0,
    ) -> Tables:
        """The tables of a comparison; at most ``max_rows`` of each, drawn with ``seed``.

        Raises :class:`TableError` for tables that cannot be compared.
        """
        columns = columns or Columns.of(train)
        rng = np.random.default_rng(seed)
        sides = [
            None if frame is None else columns.read(_pick(frame, max_rows, rng), what)
            for frame, what in (
                (train, "the real table"),
                (holdout, "the holdout"),
                (synthetic, "the synthetic table"),
            )
        ]
        known, held, made = sides
        assert known is not None
        assert made is not None
        reference, real = (held, known) if held is not None else _halves(known, rng)
        rows = min(len(real), len(made))
        return cls(
            columns=columns,
            train=known,
            holdout=held,
            made=made,
            reference=reference,
            synthetic=made.pick(rows, rng),
            real=real.pick(rows, rng),
            independent=known.shuffled(rows, rng),
            seed=seed,
        )

    def rng(self, purpose: str) -> np.random.Generator:
        """Randomness for ``purpose``: the same in each run, independent of other measures."""
        return np.random.default_rng([self.seed, zlib.crc32(purpose.encode())])

    def compare(
        self,
        figures: Callable[[Cells, Cells], Figures],
        *,
        key: str,
        name: str,
        goal: Goal,
        unit: str = "",
        max_rows: int = _MAX_ROWS,
        note: str = "",
    ) -> list[Measure]:
        """``figures(reference, candidate)`` for each candidate, put together line by line.

        Each side is cut to ``max_rows`` rows first. Both sides are read-only.
        """
        rng = self.rng(key)
        against = self.reference.pick(max_rows, rng)
        made, real, independent = (
            figures(against, side.pick(max_rows, rng))
            for side in (self.synthetic, self.real, self.independent)
        )
        return [
            Measure(
                key=key,
                name=name,
                estimate=estimate,
                goal=goal,
                unit=unit,
                floor=real.get(about),
                baseline=independent.get(about),
                columns=about,
                rows=min(len(self.synthetic), max_rows),
                note=note,
            )
            for about, estimate in made.items()
        ]


def _pick(frame: pd.DataFrame, rows: int, rng: np.random.Generator) -> pd.DataFrame:
    if rows >= len(frame):
        return frame
    return frame.iloc[rng.choice(len(frame), rows, replace=False)]


def _halves(cells: Cells, rng: np.random.Generator) -> tuple[Cells, Cells]:
    if len(cells) < 2:
        raise TableError("a comparison needs at least two real rows, got one")
    order = rng.permutation(len(cells))
    middle = len(cells) // 2
    return cells.take(order[:middle]), cells.take(order[middle:])
