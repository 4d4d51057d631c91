"""A table against the constraints of its schema: what it breaks, and what it shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan._typing import Hashes
from synthgan.columns.column import Level
from synthgan.columns.literal import Reader
from synthgan.errors import SchemaError
from synthgan.schema.constraints.base import Cells, Context, Pattern, broken
from synthgan.schema.constraints.fixed_combinations import FixedCombinations
from synthgan.schema.constraints.fixed_null_combinations import FixedNullCombinations
from synthgan.schema.constraints.formula import Formula
from synthgan.schema.constraints.kinds import Constraint
from synthgan.schema.constraints.unique import Unique
from synthgan.schema.owners import OwnedCounts, Owners
from synthgan.schema.schema import Schema

_MOST_COMBINATIONS = 1 << 20


def context_of(schema: Schema, patterns: Mapping[Constraint, tuple[Pattern, ...]]) -> Context:
    """The context of a schema's constraints."""
    return Context(
        columns={column.name: column for column in schema},
        reader=Reader(schema, {}),
        patterns=patterns,
        computed=frozenset(c.column for c in schema.constraints if isinstance(c, Formula)),
    )


class RuleTally:
    """A schema's constraints, held against a table chunk by chunk.

    One that takes its combinations from the table cannot be broken by it. Rows that are to be
    unique are distinguished by 64-bit hashes, 8 bytes a row and constraint. Where rows are
    ``owned``, combinations are counted by owner, and ``most`` bounds how many of these are held.
    """

    def __init__(self, schema: Schema, most: int | None = None, *, owned: bool = False) -> None:
        self._rows = 0
        self._schema = schema
        self._context = context_of(schema, declared_patterns(schema))
        taken = [each for each in schema.constraints if takes_patterns(each)]
        self._combinations: dict[Constraint, Counter[Pattern]] = {each: Counter() for each in taken}
        self._owned = {each: OwnedCounts[Pattern](most) for each in taken} if owned else None
        self._forgetful: set[Constraint] = set()
        self._zeros: Counter[Constraint] = Counter()
        self._broken: Counter[Constraint] = Counter()
        self._keys: dict[Constraint, list[Hashes]] = {}

    def add(self, cells: Cells, rows: int, owners: Owners | None = None) -> None:
        """Holds the constraints against a chunk of so many rows: its ``cells``, by column, and
        whose rows they are."""
        self._rows += rows
        for constraint in self._schema.constraints:
            part = {name: cells[name] for name in constraint.columns}
            if constraint in self._combinations:
                columns = [_plain_cells(each, constraint).tolist() for each in part.values()]
                patterns = list(zip(*columns, strict=True))
                self._count(constraint, Counter(patterns))
                if self._owned is not None and owners is not None:
                    self._owned[constraint].add_each(patterns, owners)
            elif isinstance(constraint, Unique):
                self._keys.setdefault(constraint, []).append(_hashes(part))
            else:
                if isinstance(constraint, Formula):
                    zeros = constraint.expression.divides_by_zero(part)
                    self._zeros[constraint] += int(zeros.sum())
                self._broken[constraint] += int(broken(constraint, part, self._context).sum())

    def merge(self, other: RuleTally) -> None:
        """Adds what another tally, of the same schema, has counted."""
        self._rows += other._rows
        self._zeros += other._zeros
        self._broken += other._broken
        self._forgetful |= other._forgetful
        for constraint, counts in other._combinations.items():
            self._count(constraint, counts)
            if self._owned is not None and other._owned is not None:
                self._owned[constraint].merge(other._owned[constraint])
        for constraint, keys in other._keys.items():
            self._keys.setdefault(constraint, []).extend(keys)

    def _count(self, constraint: Constraint, found: Counter[Pattern]) -> None:
        counts = self._combinations[constraint]
        counts.update(found)
        if len(counts) > _MOST_COMBINATIONS:  # rare ones could not come out anyway
            self._forgetful.add(constraint)
            kept = counts.most_common(_MOST_COMBINATIONS // 2)
            self._combinations[constraint] = Counter(dict(kept))

    def check(self) -> None:
        """Raises :class:`SchemaError`, with how many rows break which constraint, if any do."""
        for constraint in self._schema.constraints:
            zeros, wrong = self._zeros[constraint], self._count_broken(constraint)
            if zeros:
                raise SchemaError(f"constraint {constraint}: divides by zero in {zeros:,} rows")
            if wrong:
                verb = "breaks" if wrong == 1 else "break"
                raise SchemaError(
                    f"constraint {constraint}: {wrong:,} of {self._rows:,} rows {verb} it; mend "
                    "the table, or take the constraint out of the schema"
                )

    def holding(self, enough: int) -> tuple[Constraint, ...]:
        """The constraints that hold in all rows, as those must that were not declared.

        Of fixed combinations the first column must decide the others, as it does where they are
        discovered, and ``enough`` people must share one.
        """
        return tuple(
            each
            for each in self._schema.constraints
            if not self._zeros[each]
            and not self._count_broken(each)
            and self._decides(each)
            and (
                each not in self._combinations
                or max(self._people(each).values(), default=0) >= enough
            )
        )

    def _people(self, constraint: Constraint) -> Mapping[Pattern, int]:
        """How many have each combination: rows, unless these have owners."""
        if self._owned is None:
            return self._combinations[constraint]
        return self._owned[constraint].people()

    def keep(self, schema: Schema) -> None:
        """Forgets constraints that ``schema`` does not have."""
        self._schema = schema
        kept = set(schema.constraints)
        self._combinations = {c: n for c, n in self._combinations.items() if c in kept}

    def patterns(self, enough: int) -> dict[Constraint, tuple[Pattern, ...]]:
        """The combinations that at least ``enough`` people share, by the constraint that wants
        them.

        Raises :class:`SchemaError` if there are none.
        """
        found: dict[Constraint, tuple[Pattern, ...]] = {}
        whose = "rows" if self._owned is None else "people, or whatever rows are of"
        for constraint in self._combinations:
            counts = self._people(constraint)
            kept = sorted((row for row, people in counts.items() if people >= enough), key=repr)
            if not kept:
                raise SchemaError(
                    f"constraint {constraint}: no combination is shared by {enough} {whose} "
                    "(min_category_rows), so none could come out"
                )
            found[constraint] = tuple(kept)
        return found

    def _count_broken(self, constraint: Constraint) -> int:
        if constraint not in self._keys:
            return self._broken[constraint]
        keys = np.concatenate(self._keys[constraint])
        self._keys[constraint] = [keys]
        return len(keys) - len(np.unique(keys))

    def _decides(self, constraint: Constraint) -> bool:
        if not isinstance(constraint, FixedCombinations) or constraint.values is not None:
            return True
        if constraint in self._forgetful:
            return False
        decided: dict[tuple[int, Level], Level] = {}
        for first, *others in self._combinations[constraint]:
            for place, cell in enumerate(others):
                if first is None or cell is None:
                    continue
                if decided.setdefault((place, first), cell) != cell:
                    return False
        return True


def _hashes(part: Cells) -> Hashes:
    """A hash of each row, the same wherever it is taken."""
    table = pd.DataFrame(
        {name: each if each.dtype == object else each + 0.0 for name, each in part.items()}
    )
    hashes: Hashes = np.asarray(pd.util.hash_pandas_object(table, index=False), dtype=np.uint64)
    return hashes


def declared_patterns(schema: Schema) -> dict[Constraint, tuple[Pattern, ...]]:
    """The combinations that the schema itself declares, as cells."""
    context = context_of(schema, {})
    found: dict[Constraint, tuple[Pattern, ...]] = {}
    for constraint in schema.constraints:
        if isinstance(constraint, FixedCombinations) and constraint.values is not None:
            found[constraint] = tuple(
                tuple(
                    None if cell is None else context.read(name, cell)
                    for name, cell in zip(constraint.columns, row, strict=True)
                )
                for row in constraint.values
            )
    return found


def takes_patterns(constraint: Constraint) -> bool:
    """Whether the constraint takes its combinations from the table."""
    if isinstance(constraint, FixedCombinations):
        return constraint.values is None
    return isinstance(constraint, FixedNullCombinations)


def _plain_cells(cells: npt.NDArray[Any], constraint: Constraint) -> npt.NDArray[np.object_]:
    """Cells as Python values, None where missing; or whether they are missing."""
    missing = np.asarray(pd.isna(cells))
    if isinstance(constraint, FixedNullCombinations):
        return missing.astype(object)
    plain: npt.NDArray[np.object_] = cells.astype(object)
    plain[missing] = None
    return plain
