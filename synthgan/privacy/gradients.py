"""Gradients of single rows, cut and summed (DP-SGD, Abadi et al. 2016)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from synthgan._typing import Ints
from synthgan.privacy.noise import random_words

Floats = npt.NDArray[np.floating[Any]]

RowGradients = Callable[[Ints, Ints], Floats]
"""Tokens (:data:`CHUNK`, columns) and random words (CHUNK,) to vectors (CHUNK, size). Trusted:
a row of what it gives depends on the same row of what it takes, and on nothing else that is
private; what it takes is not kept. See :meth:`PrivateRows.noisy_gradient`."""

CHUNK = 128
"""Rows whose vectors are asked for at once: always so many, filled up with rows of zeros that
are not counted, so that how many there are changes nothing in how one is worked out."""


@dataclass(frozen=True, kw_only=True)
class GradientPlan:
    """Noisy sums of vectors over random rows, in advance. Nothing of it depends on rows."""

    size: int
    """Numbers in a vector."""
    clip: float
    """The length (L2) that a row's vector is cut to."""
    units: int
    """How many steps of the grid, on which vectors are rounded, ``clip`` is long."""
    variance: Fraction
    """Of the discrete Gaussian noise in each number of a sum, in squared steps of the grid."""
    sampling: Fraction
    """The chance that a unit, with all its rows, is in a step's sample: must be public."""
    steps: int
    """Sums at most."""


@dataclass(frozen=True, eq=False)
class Booking:
    """Gradients that were paid for."""

    columns: tuple[str, ...]
    plan: GradientPlan


def sample(units: Ints, sampling: Fraction) -> Ints:
    """Rows of units that won a coin each, in order; the chance rounded down by 2**-62 at most."""
    drawn = random_words(int(units.max(initial=-1)) + 1)
    wins = drawn < int(sampling * (1 << 62)) if sampling < 1 else np.ones(len(drawn), dtype=bool)
    return np.flatnonzero(wins[units])


def cut(vectors: Floats, plan: GradientPlan) -> Ints:
    """Whole-number vectors (m, size), none longer than ``plan.units``: checked without rounding.

    Rounding to the nearest step hardly ever makes a vector too long. Where it does, rounding
    towards zero does not, unless floats have slipped; then the vector does not count.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.square(vectors, dtype=np.float64).sum(axis=1)  # einsum may split rows anyhow
    finite = np.isfinite(squares)
    vectors = vectors if finite.all() else np.where(finite[:, None], vectors, 0)
    lengths = np.sqrt(np.maximum(np.where(finite, squares, 1.0), 1e-200))
    # Of a vector on the sphere, rounding adds about size / 12 to the squared length.
    room = math.sqrt(max(plan.units**2 - plan.size / 10, plan.units**2 / 4)) / plan.units
    scales = plan.units / plan.clip * np.minimum(1.0, room * plan.clip / lengths)
    scaled = vectors * scales[:, None].astype(vectors.dtype)
    cut: Ints = np.rint(scaled).astype(np.int64)
    long = _squares(cut) > plan.units**2
    cut[long] = np.trunc(scaled[long])
    cut[_squares(cut) > plan.units**2] = 0
    return cut


def _squares(vectors: Ints) -> Ints:
    """Squared lengths, exactly: no number is much above the plan's units."""
    found: Ints = np.einsum("ij,ij->i", vectors, vectors)
    return found
