"""A table as the search for constraints sees it: codes, numbers, holes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.schema import Column, Kind, Level, Schema
from synthgan.values import read_cells

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FEW_VALUES = 128
"""A number column with at most this many distinct values is read as codes too."""

_MOST_LEVELS = 10_000
_SAMPLE = 2_000


@dataclass(frozen=True, eq=False)
class Seen:
    """The modelled columns of a table that vary."""

    rows: int
    columns: dict[str, Column]
    numbers: dict[str, Floats]
    """NaN where missing."""
    codes: dict[str, Ints]
    """Of columns with few values; -1 where missing."""
    levels: dict[str, list[Level]]
    """What the codes stand for."""
    missing: dict[str, Bools]
    sample: Ints
    """Rows that most rules fail on already."""

    @staticmethod
    def of(frame: pd.DataFrame, schema: Schema, rng: np.random.Generator) -> Seen:
        """``frame`` as it is seen by ``schema``."""
        seen = Seen(
            len(frame), {}, {}, {}, {}, {}, rng.permutation(len(frame))[:_SAMPLE].astype(np.int64)
        )
        for column in schema:
            if column.kind.is_modelled:
                seen._read(column, read_cells(frame[column.name], column))
        return seen

    def _read(self, column: Column, cells: npt.NDArray[Any]) -> None:
        name = column.name
        if column.words is not None:  # the numbers alone are looked at, and missing cells are not
            self.columns[name], self.numbers[name] = column, cells
            self.missing[name] = np.isnan(cells)
            return
        codes, distinct = pd.factorize(cells)
        if len(distinct) < 2 and not (codes < 0).any():
            return
        self.columns[name] = column
        self.missing[name] = np.asarray(codes < 0)
        if column.kind.is_numeric:
            self.numbers[name] = cells
        most = FEW_VALUES if column.kind.is_numeric else _MOST_LEVELS
        if len(distinct) <= min(most, max(self.rows // 5, 2)):
            self.codes[name] = codes.astype(np.int64)
            self.levels[name] = distinct.tolist()

    @property
    def least(self) -> float:
        """Share of rows that columns drawn on their own must break a rule in, to make it worth
        being stated: 1 %, and 30 rows, so that hardly any rule holds by chance."""
        return max(0.01, 30 / self.rows)

    def of_kind(self, *kinds: Kind) -> list[str]:
        """Names of the columns of these kinds."""
        return [name for name, column in self.columns.items() if column.kind in kinds]
