"""A table against the constraints of its schema: what it breaks, and what it shows."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.constraints.cells import Cells, Context, Pattern, broken
from synthgan.errors import SchemaError
from synthgan.schema import (
    Constraint,
    FixedCombinations,
    FixedNullCombinations,
    Formula,
    Schema,
)
from synthgan.values import read_cells


def check_constraints(frame: pd.DataFrame, schema: Schema) -> None:
    """Raises :class:`SchemaError`, with how many rows break which constraint, if any do.

    One that takes its combinations from the table cannot be broken by it.
    """
    context = Context.of(schema, declared_patterns(schema))
    for constraint in schema.constraints:
        if isinstance(constraint, FixedNullCombinations):
            continue
        if isinstance(constraint, FixedCombinations) and constraint.values is None:
            continue
        cells = read_columns(frame, schema, constraint)
        if isinstance(constraint, Formula):
            zeros = int(constraint.expression.divides_by_zero(cells).sum())
            if zeros:
                raise SchemaError(f"constraint {constraint}: divides by zero in {zeros:,} rows")
        wrong = int(broken(constraint, cells, context).sum())
        if wrong:
            verb = "breaks" if wrong == 1 else "break"
            raise SchemaError(
                f"constraint {constraint}: {wrong:,} of {len(frame):,} rows {verb} it; mend "
                "the table, or take the constraint out of the schema"
            )


def find_patterns(
    frame: pd.DataFrame, schema: Schema, enough: int
) -> dict[Constraint, tuple[Pattern, ...]]:
    """The combinations that at least ``enough`` rows share, by the constraint that wants them."""
    found: dict[Constraint, tuple[Pattern, ...]] = {}
    for constraint in schema.constraints:
        if constraint in declared_patterns(schema) or not takes_patterns(constraint):
            continue
        cells = read_columns(frame, schema, constraint)
        columns = [_plain_cells(cells[name], constraint).tolist() for name in constraint.columns]
        counts = Counter(zip(*columns, strict=True))
        kept = sorted((row for row, rows in counts.items() if rows >= enough), key=repr)
        if not kept:
            raise SchemaError(
                f"constraint {constraint}: no combination is shared by {enough} rows "
                "(min_category_rows), so none could come out"
            )
        found[constraint] = tuple(kept)
    return found


def declared_patterns(schema: Schema) -> dict[Constraint, tuple[Pattern, ...]]:
    """The combinations that the schema itself declares, as cells."""
    context = Context.of(schema, {})
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


def read_columns(frame: pd.DataFrame, schema: Schema, constraint: Constraint) -> Cells:
    """The cells of the columns that the constraint names."""
    return {name: read_cells(frame[name], schema[name]) for name in constraint.columns}


def _plain_cells(cells: npt.NDArray[Any], constraint: Constraint) -> npt.NDArray[np.object_]:
    """Cells as Python values, None where missing; or whether they are missing."""
    missing = np.asarray(pd.isna(cells))
    if isinstance(constraint, FixedNullCombinations):
        return missing.astype(object)
    plain: npt.NDArray[np.object_] = cells.astype(object)
    plain[missing] = None
    return plain
