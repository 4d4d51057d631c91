"""Baseline: a Gaussian copula."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from synthgan._typing import Floats, Ints
from synthgan.compare.trees import pick
from synthgan.encode.layout import Layout
from synthgan.encode.number_codec import FINE


@dataclass(frozen=True, eq=False)
class Copula:
    """Columns as monotone functions of correlated normal numbers.

    A column's cells stand in order of its codes, and of the fine steps within each; categories
    have no order, so theirs is an accident: the copula's known weakness.
    """

    positions: tuple[tuple[int, ...], ...]
    """Of each column: its code and, where it has one, its fine position."""
    shares: tuple[Floats, ...]
    """Of each column's cells that may be drawn."""
    correlation: Floats

    @classmethod
    def learn(cls, tokens: Ints, layout: Layout, rng: np.random.Generator) -> Copula:
        places, shares, scores = [], [], []
        for column in range(len(layout.columns)):
            own = tuple(int(p) for p in np.flatnonzero(layout.column_of == column))
            span, fine = layout.spans[own[0]], FINE if len(own) > 1 else 1
            cells = tokens[:, own[0]] * fine + (tokens[:, own[1]] if len(own) > 1 else 0)
            counts = np.bincount(cells, minlength=span.width * fine).astype(np.float64)
            before = np.cumsum(counts) - counts
            rank = (before[cells] + counts[cells] * rng.random(len(cells))) / len(cells)
            scores.append(ndtri(np.clip(rank, 1e-9, 1 - 1e-9)))
            entries = slice(span.start, span.start + span.width)
            allowed = counts * np.repeat(layout.drawable[entries], fine)
            allowed = allowed if allowed.sum() > 0 else np.repeat(layout.drawable[entries], fine)
            places.append(own)
            shares.append(allowed / allowed.sum())
        correlation = np.atleast_2d(np.corrcoef(np.stack(scores)))
        return cls(tuple(places), tuple(shares), np.nan_to_num(correlation))

    @property
    def size(self) -> int:
        columns = len(self.positions)
        return sum(map(len, self.shares)) + columns * (columns - 1) // 2

    def draw(self, n: int, rng: np.random.Generator) -> Ints:
        middle = np.zeros(len(self.positions))
        normal = rng.multivariate_normal(middle, self.correlation, n, method="eigh")
        tokens = np.zeros((n, sum(map(len, self.positions))), dtype=np.int64)
        for column, own in enumerate(self.positions):
            cells = pick(self.shares[column], ndtr(normal[:, column]))
            fine = FINE if len(own) > 1 else 1
            tokens[:, own[0]] = cells // fine
            if len(own) > 1:
                tokens[:, own[1]] = cells % fine
        return tokens
