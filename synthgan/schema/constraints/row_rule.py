"""A condition that every row satisfies: declared, checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from synthgan._typing import Bools
from synthgan.schema.constraints.base import (
    Cells,
    Codes,
    Context,
    Together,
    all_combinations,
    broken,
    go_together,
    require,
    work_of,
)
from synthgan.schema.expression.expression import Expression


@dataclass(frozen=True, kw_only=True)
class RowRule:
    """Any rule that a row can be checked for, such as ``age >= 18 or married == "no"``.

    As a check in SQL, it is kept where missing cells leave it open.
    """

    rule: ClassVar[str] = "row_rule"
    keep: str

    def __post_init__(self) -> None:
        require(self.rule, self.expression.is_truth, f"{self.keep!r} is no comparison")

    @cached_property
    def expression(self) -> Expression:
        """``keep``, ready to be evaluated."""
        return Expression(self.keep)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it names."""
        return self.expression.columns

    def __str__(self) -> str:
        return self.keep


@work_of.register
def _(constraint: RowRule) -> int:
    return len(constraint.columns) + len(constraint.keep) // 10


@broken.register
def _(constraint: RowRule, cells: Cells, context: Context) -> Bools:
    return ~constraint.expression.truth(cells, context.read)


@go_together.register
def _(constraint: RowRule, codes: Codes) -> Iterator[Together]:
    columns = {name: codes.cells(name) for name in constraint.columns}
    found = all_combinations(columns, [len(cells) for cells, _ in columns.values()])
    if found is None:
        return
    grid, cells = found
    classes = [np.arange(len(each), dtype=np.int64) for each, _ in columns.values()]
    kept = grid.T[~broken(constraint, cells, codes.context)]
    yield Together(columns=constraint.columns, classes=classes, rows=kept)
