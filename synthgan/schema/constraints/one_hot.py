"""Columns of which exactly one is 1: declared, found, checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from synthgan._typing import Bools
from synthgan.columns.column import Kind
from synthgan.schema.constraints.base import (
    Cells,
    Codes,
    Context,
    Needs,
    Together,
    broken,
    check_names,
    go_together,
    listed,
    needs,
)
from synthgan.schema.constraints.survey import Seen


@dataclass(frozen=True, kw_only=True)
class OneHot:
    """Exactly one of these columns of 0 and 1, or of truth values, is set in a row."""

    rule: ClassVar[str] = "one_hot"
    columns: tuple[str, ...]
    or_none: bool = False
    """Whether a row may have none of them set."""

    def __post_init__(self) -> None:
        check_names(self.rule, self.columns, least=2)

    def __str__(self) -> str:
        return f"{'at most' if self.or_none else 'exactly'} one of {listed(self.columns)} is set"


def find_one_hot(seen: Seen) -> Iterator[OneHot]:
    names = [
        name
        for name, levels in seen.levels.items()
        if set(levels) <= {0, 1}
        and seen.columns[name].kind in (Kind.BOOLEAN, Kind.INTEGER, Kind.NUMBER)
        and not seen.missing[name].any()
    ]
    if len(names) < 2:
        return
    levels = {name: np.array(seen.levels[name], dtype=np.float64) for name in names}
    ones = np.stack([levels[name][seen.codes[name]] for name in names]).astype(np.float32)
    together = ones @ ones.T
    left = list(np.argsort(-ones.sum(axis=1)))
    while len(left) > 1:
        group = [left.pop(0)]
        for i in list(left):
            if not together[i, group].any():
                group.append(i)
                left.remove(i)
        counts = ones[group].sum(axis=1)
        full = counts.sum() == seen.rows
        expected = 1 - float(
            np.prod(1 - counts / seen.rows) * (1 + (counts / (seen.rows - counts + 1e-9)).sum())
        )
        if len(group) > 1 and (full or len(group) > 2) and expected >= seen.least:
            columns = tuple(names[i] for i in sorted(group))
            yield OneHot(columns=columns, or_none=not full)


@broken.register
def _(constraint: OneHot, cells: Cells, context: Context) -> Bools:
    table = np.stack([cells[name] for name in constraint.columns])
    ones = (table == 1).sum(axis=0)
    odd = ((table != 1) & (table != 0)).any(axis=0)
    return np.asarray(odd | (ones > 1) | ((ones == 0) & (not constraint.or_none)))


@needs.register
def _(constraint: OneHot) -> Needs:
    kinds = (Kind.BOOLEAN, Kind.INTEGER, Kind.NUMBER)
    columns = constraint.columns
    return Needs(numbers=columns, kinds=kinds, what="0 and 1, or booleans", whole=columns)


@go_together.register
def _(constraint: OneHot, codes: Codes) -> Iterator[Together]:
    classes = [(codes.cells(name)[0] == 1).astype(np.int64) for name in constraint.columns]
    rows = np.eye(len(classes), dtype=np.int64)
    rows = np.vstack([rows, 0 * rows[:1]]) if constraint.or_none else rows
    yield Together(columns=constraint.columns, classes=classes, rows=rows)
