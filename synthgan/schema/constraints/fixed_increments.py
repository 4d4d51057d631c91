"""Numbers in steps: declared, found, checked, repaired."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from synthgan._typing import Bools
from synthgan.columns.column import Kind
from synthgan.columns.number import rounded_cells
from synthgan.schema.constraints.base import (
    Cells,
    Context,
    Fixed,
    Needs,
    broken,
    mend,
    needs,
    plain_name,
    require,
)
from synthgan.schema.constraints.survey import Seen


@dataclass(frozen=True, kw_only=True)
class FixedIncrements:
    """Numbers in steps: ``start`` plus a multiple of ``step``."""

    rule: ClassVar[str] = "fixed_increments"
    column: str
    step: float
    start: float = 0.0

    def __post_init__(self) -> None:
        fit = math.isfinite(self.step) and self.step > 0 and math.isfinite(self.start)
        require(self.rule, fit, "step must be finite and above 0, start finite")

    @property
    def columns(self) -> tuple[str, ...]:
        """The column, as a tuple."""
        return (self.column,)

    def __str__(self) -> str:
        start = f"{self.start:g} plus " * (self.start != 0)
        return f"{plain_name(self.column)} is {start}a multiple of {self.step:g}"


_MOST_WHOLE = 2**53


def find_steps(seen: Seen) -> Iterator[FixedIncrements]:
    """Numbers of many values that lie on a grid coarser than their decimals."""
    for name in seen.of_kind(Kind.NUMBER, Kind.INTEGER):
        decimals = seen.columns[name].decimals if seen.columns[name].kind is Kind.NUMBER else 0
        if name in seen.codes or decimals is None:
            continue
        numbers = seen.numbers[name][~seen.missing[name]] * 10.0**decimals
        if np.abs(numbers).max() >= _MOST_WHOLE:
            continue
        whole = np.rint(numbers).astype(np.int64)
        step = int(np.gcd.reduce(whole - whole.min()))
        if step > 1:
            start = int(whole.min() % step) / 10.0**decimals
            yield FixedIncrements(column=name, step=step / 10.0**decimals, start=start)


@broken.register
def _(constraint: FixedIncrements, cells: Cells, context: Context) -> Bools:
    steps = (cells[constraint.column] - constraint.start) / constraint.step
    return np.asarray(np.abs(steps - np.round(steps)) > 1e-6)


@mend.register
def _(constraint: FixedIncrements, cells: Cells, fixed: Fixed, context: Context) -> None:
    name, column = constraint.column, context.columns[constraint.column]
    steps = np.round((cells[name] - constraint.start) / constraint.step)
    nearest = rounded_cells(constraint.start + constraint.step * steps, column)
    # A step so small that no float counts them leaves each cell on one.
    stays = fixed[name] | ~np.isfinite(steps)
    cells[name] = np.where(stays, cells[name], nearest)


@needs.register
def _(constraint: FixedIncrements) -> Needs:
    return Needs(numbers=constraint.columns)
