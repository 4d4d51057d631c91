"""Rows of a chunk while they are drawn: what is given so far, and how cells are written."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from synthgan._typing import Floats, Ints
from synthgan.columns.cell_set import Allowed
from synthgan.columns.column import Column, Kind
from synthgan.errors import ConditionError


@dataclass
class Draw:
    """Rows that are being drawn: cells given so far, and how conditioned cells are decoded."""

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


Rngs = tuple[np.random.Generator, torch.Generator]

CHUNK_ROWS = 8192
"""Rows a chunk. Part of what a seed means: another number gives other rows."""

BLOCK_ROWS = 2048  # that a CPU draws at once, so that their states stay in its cache
CANDIDATES = 4  # a row wanted, where candidates are weighted
