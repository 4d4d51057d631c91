"""Patterns of missing cells that there are: declared, checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from synthgan._typing import Bools
from synthgan.schema.constraints.base import (
    Cells,
    Codes,
    Context,
    Needs,
    Together,
    broken,
    check_names,
    combination_codes,
    go_together,
    listed,
    needs,
)


@dataclass(frozen=True, kw_only=True)
class FixedNullCombinations:
    """Cells of these columns are missing together only in the patterns that the table has."""

    rule: ClassVar[str] = "fixed_null_combinations"
    columns: tuple[str, ...]

    def __post_init__(self) -> None:
        check_names(self.rule, self.columns, least=2)

    def __str__(self) -> str:
        return f"{listed(self.columns)} missing only in patterns that the table has"


@broken.register
def _(constraint: FixedNullCombinations, cells: Cells, context: Context) -> Bools:
    holes = [np.asarray(pd.isna(cells[name]), dtype=object) for name in constraint.columns]
    return np.asarray(combination_codes(holes, context, constraint) < 0)


@needs.register
def _(constraint: FixedNullCombinations) -> Needs:
    return Needs(whole=constraint.columns)


@go_together.register
def _(constraint: FixedNullCombinations, codes: Codes) -> Iterator[Together]:
    classes = [codes.is_missing(name).astype(np.int64) for name in constraint.columns]
    rows = np.array(codes.context.patterns[constraint], dtype=np.int64)
    yield Together(columns=constraint.columns, classes=classes, rows=rows)
