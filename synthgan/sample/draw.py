"""Rows under way: what is given so far; and two helpers on arrays, resampling and snapping."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from synthgan.condition import Allowed
from synthgan.errors import ConditionError
from synthgan.schema import Column, Kind

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass
class Draw:
    """Rows under way: what is given so far, and how the conditioned cells are to be decoded."""

    tokens: Tensor
    mask: Tensor
    strata: Ints
    """Rows of one stratum were given the same before any condition was drawn."""
    places: dict[str, Floats]
    values: dict[str, Floats]

    def take(self, index: Ints) -> Draw:
        """The rows at ``index``, in that order."""
        at = torch.from_numpy(index).to(self.tokens.device)
        return Draw(
            self.tokens[at],
            self.mask[at],
            self.strata[index],
            {name: places[index] for name, places in self.places.items()},
            {name: values[index] for name, values in self.values.items()},
        )


def resample(log_weights: Floats, strata: Ints, wanted: Ints, rng: np.random.Generator) -> Ints:
    """Systematic resampling (Kitagawa 1996) within strata, one index for each row ``wanted``.

    ``strata`` are those of the candidates; each that is wanted has some.
    """
    order = np.argsort(strata, kind="stable")
    names, first, size = np.unique(strata[order], return_index=True, return_counts=True)
    group = np.repeat(np.arange(len(names)), size)
    logs = np.maximum(log_weights[order], -1e9)  # a condition that a constraint rules out
    weights = np.exp(logs - np.maximum.reduceat(logs, first)[group])
    total = np.cumsum(weights)
    before = np.r_[0.0, total[first[1:] - 1]]
    edges = group + (total - before[group]) / np.add.reduceat(weights, first)[group]
    index = np.empty(len(wanted), dtype=np.int64)
    rows = rng.permutation(len(wanted))
    rows = rows[np.argsort(wanted[rows], kind="stable")]
    which, start, count = np.unique(wanted[rows], return_index=True, return_counts=True)
    place = np.arange(len(rows)) - np.repeat(start, count)
    points = (place + np.repeat(rng.random(len(which)), count)) / np.repeat(count, count)
    at = np.searchsorted(names, np.repeat(which, count))
    found = np.searchsorted(edges, at + points)
    index[rows] = order[np.clip(found, first[at], first[at] + size[at] - 1)]
    return index


def snap(cells: Floats, column: Column, allowed: Allowed) -> Floats:
    """Rounds ``cells`` as the column is written, without leaving what is allowed."""
    return np.where(np.isnan(cells), cells, _snap(cells, column, allowed))


def _snap(cells: Floats, column: Column, allowed: Allowed) -> Floats:
    step = 1.0
    if column.kind is Kind.NUMBER:
        if column.decimals is None:
            low = np.nextafter(allowed.low, math.inf) if allowed.low_open else allowed.low
            high = np.nextafter(allowed.high, -math.inf) if allowed.high_open else allowed.high
            return np.clip(cells, low, high)
        step = 10.0**-column.decimals
    low = np.ceil(allowed.low / step - 1e-9) * step
    high = np.floor(allowed.high / step + 1e-9) * step
    low += step * (allowed.low_open and math.isclose(low, allowed.low, abs_tol=step / 1e6))
    high -= step * (allowed.high_open and math.isclose(high, allowed.high, abs_tol=step / 1e6))
    if low > high:
        raise ConditionError(
            f"column {column.name!r}: no number with its {column.decimals or 0} decimals "
            "lies in the range asked for"
        )
    snapped = np.clip(np.round(cells / step) * step, low, high)
    excluded = np.array([float(value) for value in allowed.excluded])
    for move in (step, -step):
        for _ in range(2 * len(excluded)):
            bad = np.isclose(snapped[:, None], excluded[None, :], atol=step / 4, rtol=0).any(axis=1)
            snapped = np.clip(np.where(bad, snapped + move, snapped), low, high)
    return snapped
