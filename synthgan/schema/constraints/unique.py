"""Columns whose combinations are unique: declared, found, checked."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from synthgan._typing import Bools, Ints
from synthgan.columns.column import Kind
from synthgan.schema.constraints.base import (
    Cells,
    Context,
    Needs,
    broken,
    check_names,
    listed,
    needs,
)
from synthgan.schema.constraints.survey import Seen


@dataclass(frozen=True, kw_only=True)
class Unique:
    """No two rows of a sample have the same cells in these columns; missing ones count too."""

    rule: ClassVar[str] = "unique"
    columns: tuple[str, ...]

    def __post_init__(self) -> None:
        check_names(self.rule, self.columns, least=1)

    def __str__(self) -> str:
        return f"{listed(self.columns)} {'is' if len(self.columns) == 1 else 'are'} unique"


def find_unique(seen: Seen) -> Iterator[Unique]:
    """Pairs of columns that, together, name a row."""
    codes = {}
    for name, column in seen.columns.items():
        if column.kind in (Kind.NUMBER, Kind.BOOLEAN) or column.words is not None:
            continue
        if name in seen.codes:
            codes[name] = seen.codes[name]
        elif column.kind.is_numeric:
            codes[name] = pd.factorize(seen.numbers[name])[0].astype(np.int64)
    # Two rows are compared, never one with itself: a column of many values hardly ever clashes.
    alike = {name: _pairs_alike(each) for name, each in codes.items()}
    least = seen.least * seen.rows
    rng = np.random.default_rng(0)
    for a, b in itertools.combinations(codes, 2):
        if alike[a] * alike[b] * seen.rows * (seen.rows - 1) / 2 < least:
            continue
        keys = codes[a] * (int(codes[b].max()) + 2) + codes[b] + 1
        if not all(_repeats(part) == 0 for part in (keys[seen.sample], keys)):
            continue
        if _repeats(keys - codes[b] + rng.permutation(codes[b])) >= least:
            yield Unique(columns=(a, b))


def _pairs_alike(codes: Ints) -> float:
    """The share of all pairs of rows that have the same code; missing cells count as one."""
    counts = np.bincount(codes + 1).astype(np.float64)
    return float((counts * (counts - 1)).sum() / (len(codes) * (len(codes) - 1)))


def _repeats(keys: Ints) -> int:
    """Rows whose key another one has before them."""
    return len(keys) - len(np.unique(keys))


@broken.register
def _(constraint: Unique, cells: Cells, context: Context) -> Bools:
    table = pd.DataFrame({name: cells[name] for name in constraint.columns})
    return table.duplicated().to_numpy()


@needs.register
def _(constraint: Unique) -> Needs:
    return Needs(whole=constraint.columns)
