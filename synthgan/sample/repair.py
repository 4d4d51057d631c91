"""Repair of rows that violate constraints; those that cannot be repaired are counted."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock

import numpy as np

from synthgan._typing import Bools
from synthgan.columns.number import rounded_cells
from synthgan.schema.constraints.base import Cells, Context, broken, mend
from synthgan.schema.constraints.fixed_increments import FixedIncrements
from synthgan.schema.constraints.inequality import Inequality
from synthgan.schema.constraints.kinds import Constraint
from synthgan.schema.constraints.unique import Unique

_PASSES = 2  # one constraint's mending may break another


class Rules:
    """The constraints that rows are to keep."""

    def __init__(self, constraints: tuple[Constraint, ...], context: Context) -> None:
        self._together = [c for c in constraints if isinstance(c, Unique)]
        alone = [c for c in constraints if not isinstance(c, Unique)]
        # Increments first: what other rules compute or compare has to lie on the grid.
        self._alone = sorted(alone, key=lambda c: not isinstance(c, FixedIncrements))
        self.orders = tuple(
            c
            for c in constraints
            if isinstance(c, Inequality) and not context.computed & {*c.columns}
        )
        """Inequalities of what is drawn."""
        self._context = context
        self._drawn = 0
        self._broken: dict[Constraint, int] = dict.fromkeys(constraints, 0)
        self._counting = Lock()  # chunks are drawn in threads

    @property
    def look_back(self) -> bool:
        """Whether a row may depend on those of earlier chunks."""
        return bool(self._together)

    @property
    def exist(self) -> bool:
        """Whether there are any."""
        return bool(self._broken)

    @property
    def acceptance(self) -> dict[str, float]:
        """Of the rows first drawn, the share that kept each constraint, if not all did."""
        return {
            str(constraint): 1 - count / self._drawn
            for constraint, count in self._broken.items()
            if count
        }

    def disordered(self, cells: Cells) -> Bools:
        """Rows that break an inequality of what is drawn."""
        rows = [broken(constraint, cells, self._context) for constraint in self.orders]
        return np.asarray(np.logical_or.reduce(rows))

    def mend(self, cells: Cells, fixed: Mapping[str, Bools], *, count: bool) -> Bools:
        """Mends ``cells`` where they are not ``fixed``; which rows are broken all the same.

        With ``count`` the rows are part of :attr:`acceptance`.
        """
        for name, values in cells.items():
            column = self._context.columns[name]
            if column.kind.is_numeric:
                cells[name] = np.where(fixed[name], values, rounded_cells(values, column))
        for _ in range(_PASSES):
            for constraint in self._alone:
                mend(constraint, cells, fixed, self._context)
        wrong = np.zeros(len(next(iter(cells.values()))), dtype=bool)
        counts: dict[Constraint, int] = {}
        for constraint in self._alone:
            rows = broken(constraint, cells, self._context)
            counts[constraint] = int(rows.sum())
            wrong |= rows
        if count:
            with self._counting:
                self._drawn += len(wrong)
                for each, found in counts.items():
                    self._broken[each] += found
        return wrong

    def breaking(self, cells: Cells, known: Mapping[str, Bools]) -> dict[Constraint, Bools]:
        """Rows whose ``known`` cells alone violate a constraint."""
        found = {}
        for constraint in (*self._alone, *self._together):
            if all(name in known for name in constraint.columns):
                whole = np.logical_and.reduce([known[name] for name in constraint.columns])
                if whole.any():
                    part = {name: cells[name][whole] for name in constraint.columns}
                    found[constraint] = np.zeros(len(whole), dtype=bool)
                    found[constraint][whole] = broken(constraint, part, self._context)
        return {constraint: rows for constraint, rows in found.items() if rows.any()}

    def taken(self, cells: Cells, settled: Mapping[str, Bools]) -> set[object]:
        """Keys that rows have before anything is drawn: all of their cells are ``settled``."""
        found: set[object] = set()
        for number, constraint in enumerate(self._together):
            if all(name in settled for name in constraint.columns):
                whole = np.logical_and.reduce([settled[name] for name in constraint.columns])
                part = {name: cells[name][whole] for name in constraint.columns}
                found.update(self._keys(number, constraint, part))
        return found

    def repeats(
        self, cells: Cells, settled: Mapping[str, Bools], seen: set[object], *, count: bool
    ) -> Bools:
        """Rows that repeat an earlier one, of this chunk or of those before (``seen``), in cells
        that are not all ``settled``."""
        wrong = np.zeros(len(next(iter(cells.values()))), dtype=bool)
        for number, constraint in enumerate(self._together):
            repeated = np.zeros(len(wrong), dtype=bool)
            whole = np.logical_and.reduce([settled.get(n, repeated) for n in constraint.columns])
            here: set[object] = set()
            for i, key in enumerate(self._keys(number, constraint, cells)):
                if whole[i]:
                    continue
                repeated[i] = key in seen or key in here
                here.add(key)
            self._broken[constraint] += int(repeated.sum()) * count
            wrong |= repeated
        return wrong

    def remember(self, cells: Cells, seen: set[object]) -> None:
        """Adds the rows of a chunk to those ``seen``."""
        for number, constraint in enumerate(self._together):
            seen.update(self._keys(number, constraint, cells))

    @staticmethod
    def _keys(number: int, constraint: Constraint, cells: Cells) -> list[object]:
        columns = []
        for name in constraint.columns:
            values = cells[name].tolist()
            columns.append([None if value != value else value for value in values])  # NaN
        return [(number, *row) for row in zip(*columns, strict=True)]


REPLACINGS = 16  # times that places within a stretch of values are drawn again
ROUNDS = 100  # in which rows that break a constraint are drawn again
FRUITLESS = 10  # such rounds in turn without a row that keeps all, before giving up
LEAST_AGAIN = 512  # rows drawn in such a round: the same ones several times, if there are fewer
