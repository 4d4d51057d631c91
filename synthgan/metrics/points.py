"""Rows as points, and the points nearest to them.

Numbers are standardised (a hole is the mean; clipped at 6 standard deviations); categories are
one-hot over the square root of two, so that two different levels are 1 apart. Distances are
Euclidean.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.neighbors import NearestNeighbors

from synthgan._typing import Floats, Ints
from synthgan.metrics.columns import Cells, Columns, recode

_NAMED_LEVELS = 60
_LEVELS_WIDTH = 1_200
_CLIP = 6.0
_SLICE = 1_000

Points = npt.NDArray[np.float32]
"""Shape (rows, dimensions)."""


class Embedding:
    """Rows as points; scales and levels are those of the training rows.

    Each of the 60 most frequent levels of a categorical column has a dimension, of fewer where
    all columns' would be more than ``levels_width``; the other levels lie together at zero.
    """

    def __init__(
        self, columns: Columns, train: Cells, *, levels_width: int = _LEVELS_WIDTH
    ) -> None:
        share = levels_width // max(len(train.categories), 1)
        named = min(max(share, 1), _NAMED_LEVELS)
        self._scales = {}
        for name, numbers in train.numbers.items():
            series = pd.Series(numbers)
            mean, spread = float(series.mean()), float(series.std())
            self._scales[name] = (mean, spread if spread > 0 else 1.0)
        self._levels = {}
        for name, cells in train.categories.items():
            # A hole is a level like any other, and competes for its place among the named.
            levels = columns.levels[name]
            codes = recode(cells, levels, len(levels) + 1, len(levels))
            counts = np.bincount(codes, minlength=len(levels) + 2)[: len(levels) + 1]
            held = np.argsort(-counts, kind="stable")[:named]
            self._levels[name] = (levels, held[counts[held] > 0])

    @property
    def width(self) -> int:
        """Dimensions of a point."""
        return len(self._scales) + sum(len(held) for _, held in self._levels.values())

    def __call__(self, cells: Cells) -> Points:
        """Points of ``cells``: (rows, dimensions)."""
        points = np.zeros((cells.rows, self.width), dtype=np.float32)
        for i, (name, (mean, spread)) in enumerate(self._scales.items()):
            points[:, i] = np.clip(
                np.nan_to_num((cells.numbers[name] - mean) / spread), -_CLIP, _CLIP
            )
        start = len(self._scales)
        for name, (levels, held) in self._levels.items():
            codes = recode(cells.categories[name], levels, len(levels) + 1, len(levels))
            place = np.full(len(levels) + 2, -1)
            place[held] = start + np.arange(len(held))
            rows = np.flatnonzero(place[codes] >= 0)
            points[rows, place[codes][rows]] = np.sqrt(0.5)
            start += len(held)
        return points


def nearest(points: Points, queries: Points) -> tuple[Floats, Ints]:
    """Distance of each query to its nearest point, exactly 0 for a copy, and which it is."""
    distances, places = neighbours(points, queries, 1)
    return distances[:, 0], places[:, 0]


def neighbours(points: Points, queries: Points, k: int) -> tuple[Floats, Ints]:
    """Distances of each query to its ``k`` nearest points, the nearest first, and which these are.

    Both (queries, ``k``), or with as many columns as there are points if these are fewer. A
    copy is at exactly 0; a query that is itself among ``points`` finds itself.
    """
    index = NearestNeighbors(n_neighbors=min(k, len(points)), algorithm="brute").fit(points)
    shape = (len(queries), min(k, len(points)))
    distances, places = np.empty(shape), np.empty(shape, dtype=np.int64)
    for start in range(0, len(queries), _SLICE):
        part = slice(start, start + _SLICE)
        places[part] = index.kneighbors(queries[part], return_distance=False)
        # The search expands the square and loses digits; ties need them.
        for j, found in enumerate(places[part].T):
            gaps = queries[part].astype(np.float64) - points[found]
            distances[part, j] = np.sqrt(np.square(gaps).sum(axis=1))
    order = np.argsort(distances, axis=1, kind="stable")
    return np.take_along_axis(distances, order, axis=1), np.take_along_axis(places, order, axis=1)


def squared_distances(queries: Floats, points: Floats) -> Floats:
    """(queries, points); exact to some 1e-14 of the squared norms, and never below 0."""
    gaps: Floats = queries @ (-2 * points.T)
    gaps += np.square(queries).sum(axis=1)[:, None]
    gaps += np.square(points).sum(axis=1)
    return np.maximum(gaps, 0.0, out=gaps)
