"""Columns prepared for the search for constraints: codes, numbers, missing-value masks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan._typing import Bools, Floats, Ints
from synthgan.columns.cells import read_cells
from synthgan.columns.column import Column, Kind, Level
from synthgan.schema.owners import Owners

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
    enough: int
    """People that a value must be shared by to be named in a rule."""
    owners: Ints | None
    """Numbers of those whose rows they are (rows); None: each row is a person's own."""

    @staticmethod
    def of(
        frame: pd.DataFrame,
        columns: Iterable[Column],
        rng: np.random.Generator,
        *,
        enough: int,
        owners: Owners | None = None,
    ) -> Seen:
        """The ``columns`` of ``frame``, whose rows are each somebody's own unless ``owners`` (rows)
        say whose they are."""
        seen = Seen(
            rows=len(frame),
            columns={},
            numbers={},
            codes={},
            levels={},
            missing={},
            sample=rng.permutation(len(frame))[:_SAMPLE].astype(np.int64),
            enough=enough,
            owners=None if owners is None else np.unique(owners, return_inverse=True)[1],
        )
        for column in columns:
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
        if len(distinct) <= min(most, max(self.people // 5, 2)):
            self.codes[name] = codes.astype(np.int64)
            self.levels[name] = distinct.tolist()

    @property
    def least(self) -> float:
        """Share of rows that columns drawn on their own must break a rule in, to make it worth
        being stated: 1 %, and 30 rows (those of 30 people, where these have several), so that
        hardly any rule holds by chance."""
        return max(0.01, 30 / self.people)

    @cached_property
    def people(self) -> int:
        """Whose rows they are: as many as rows, unless these have owners."""
        return self.rows if self.owners is None else int(self.owners.max()) + 1

    def people_of(self, codes: Ints, size: int, rows: Bools | None = None) -> Ints:
        """How many have each code below ``size``, in some of the ``rows``."""
        rows = codes >= 0 if rows is None else rows
        if self.owners is None:
            return np.bincount(codes[rows], minlength=size)
        pairs = np.unique(codes[rows] * self.people + self.owners[rows])
        return np.bincount(pairs // self.people, minlength=size)

    def count(self, rows: Bools) -> int:
        """How many have one of ``rows``."""
        return int(self.people_of(np.zeros(self.rows, dtype=np.int64), 1, rows)[0])

    def of_kind(self, *kinds: Kind) -> list[str]:
        """Names of the columns of these kinds."""
        return [name for name, column in self.columns.items() if column.kind in kinds]


TRUSTED = 5  # people that show which value another one decides


def in_order(seen: Seen, names: set[str] | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in seen.columns if name in names)
