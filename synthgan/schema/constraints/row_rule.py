"""A condition that every row satisfies: declared, checked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from synthgan._typing import Bools
from synthgan.schema.constraints.base import Cells, Context, broken, require, work_of
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
