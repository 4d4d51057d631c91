"""Scores of predictions on held-out rows, each with the influence of every row on it.

With influences, the interval of a difference or of a ratio of two models' scores knows that both
were scored on the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthgan._typing import Floats, Ints
from synthgan.metrics.measure import auc

Score = tuple[float, Floats]
"""A score, and the influence of each held-out row on it: shape (rows,)."""

_BINS = 10


@dataclass(frozen=True, eq=False)
class Classes:
    """Predicted probabilities (rows, classes) beside the true classes (rows,)."""

    truth: Ints
    chances: Floats

    @property
    def guesses(self) -> Ints:
        """The likeliest class of each row."""
        return np.asarray(self.chances.argmax(axis=1), dtype=np.int64)

    def main(self) -> Score:
        """Mean over the classes that occur of the AUC of one against the rest."""
        parts = [auc(self.truth == k, self.chances[:, k]) for k in np.unique(self.truth)]
        influences = np.mean([part[1] for part in parts], axis=0)
        return float(np.mean([part[0] for part in parts])), influences

    def accuracy(self) -> Score:
        """Share of rows whose likeliest class is the true one."""
        return _mean(self.rewards())

    def rewards(self) -> Floats:
        """1 for each row that is classified right, 0 for the others."""
        return np.asarray(self.guesses == self.truth, dtype=np.float64)

    def f1(self) -> Score:
        """Macro F1: 2 TP / (positives + predicted positives), averaged over the classes."""
        parts = []
        for k in np.unique(self.truth):
            is_k, said_k = self.truth == k, self.guesses == k
            both = (is_k & said_k).astype(np.float64)
            total = float(is_k.sum() + said_k.sum())
            value = 2 * float(both.sum()) / total
            parts.append((value, (2 * both - value * (is_k.astype(float) + said_k)) / total))
        return float(np.mean([part[0] for part in parts])), np.mean(
            [part[1] for part in parts], axis=0
        )

    def calibration(self) -> Score:
        """Expected calibration error (Guo et al. 2017), with ten bins of equally many rows.

        Mean distance between the chance that the likeliest class was given and how often it
        is the true one; 0 is best. It is above 0 for perfect chances, too: see the floor.
        """
        chance, hits = self.chances.max(axis=1), self.rewards()
        bins = np.empty(len(chance), dtype=np.int64)
        bins[np.argsort(chance, kind="stable")] = np.arange(len(chance)) * _BINS // len(chance)
        gaps = np.bincount(bins, weights=chance - hits, minlength=_BINS)
        pulls = np.sign(gaps)[bins] * (chance - hits)
        return _mean(pulls)


@dataclass(frozen=True, eq=False)
class Values:
    """Predicted numbers beside the true ones, both (rows,)."""

    truth: Floats
    guesses: Floats

    def main(self) -> Score:
        """R2: the share of the variance that is explained."""
        apart = self.truth - self.truth.mean()
        size = float(np.abs(apart).max()) or 1.0  # squares must not vanish
        errors, spread = np.square((self.truth - self.guesses) / size), np.square(apart / size)
        value = float(1 - errors.mean() / spread.mean())
        return value, ((1 - value) * spread - errors) / spread.sum()

    def rmse(self) -> Score:
        """Root mean square error, in the target's unit."""
        errors = np.square(self.truth - self.guesses)
        value = float(np.sqrt(errors.mean()))
        return value, (errors - errors.mean()) / (2 * max(value, 1e-300) * len(errors))

    def mae(self) -> Score:
        """Mean absolute error, in the target's unit."""
        return _mean(np.abs(self.truth - self.guesses))

    def rewards(self) -> Floats:
        """Minus each row's absolute error, in standard deviations of the target."""
        return -np.abs(self.truth - self.guesses) / (float(self.truth.std()) or 1.0)


Prediction = Classes | Values


def difference(one: Score, other: Score) -> Score:
    """``one - other``, on the same rows."""
    return one[0] - other[0], one[1] - other[1]


def _mean(values: npt.NDArray[np.float64]) -> Score:
    value = float(values.mean())
    return value, (values - value) / len(values)
