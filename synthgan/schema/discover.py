"""Constraints that every row of a table keeps, and that would be broken by chance.

A rule is proposed only if columns drawn independently would break it in 1 % of the rows at
least, and in 30 of as many rows as there are; what another proposed rule implies is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from synthgan.schema.constraints.bands import find_bands
from synthgan.schema.constraints.fixed_combinations import find_dependencies
from synthgan.schema.constraints.fixed_increments import find_steps
from synthgan.schema.constraints.formula import find_formulas
from synthgan.schema.constraints.inequality import find_inequalities
from synthgan.schema.constraints.kinds import Constraint
from synthgan.schema.constraints.missing_when import find_missing
from synthgan.schema.constraints.one_hot import find_one_hot
from synthgan.schema.constraints.survey import Seen
from synthgan.schema.constraints.unique import find_unique
from synthgan.schema.entities import Hints
from synthgan.schema.infer import WORD_ROWS, infer_columns
from synthgan.schema.owners import Owners, distinct, owners_in
from synthgan.schema.review import refuse_doubts
from synthgan.schema.schema import Schema

_FEWEST = 100  # rows, and people


def infer_schema(
    frame: pd.DataFrame,
    *,
    constraints: bool = True,
    word_rows: int = WORD_ROWS,
    entity: str | None = None,
    learn: Sequence[str] = (),
    identifiers: Sequence[str] = (),
    owners: Owners | None = None,
) -> Schema:
    """The schema of ``frame``, judged by its values: columns as :func:`infer_columns` tells
    them, with the constraints that :func:`discover_constraints` finds (if wanted). Words among
    numbers are named if at least ``word_rows`` rows have them, and values in constraints if they
    are of as many people: of ``owners`` (hashes, rows), or of the entity that columns tell.

    ``entity`` names the column that says whose row it is; without it, one is found where rows
    share one. Columns of ``learn`` are learned whatever they look like, and those of
    ``identifiers`` are not.

    Raises :class:`TableError` for a table without rows and :class:`SchemaError` (naming the
    column) for names that are no text or not unique, and for cells that cannot be modelled.
    """
    hints = Hints(entity=entity, learn=learn, identifiers=identifiers)
    schema, owners = _columns(frame, hints, word_rows, owners)
    if not constraints:
        return schema
    found = discover_constraints(frame, schema, enough=word_rows, owners=owners)
    return replace(schema, constraints=found)


def schema_to_fit(
    frame: pd.DataFrame, hints: Hints | None, *, least: int, owners: Owners | None = None
) -> Schema:
    """The schema that a fit of ``frame`` goes by where none was given. What ``least`` rows, or
    people, share may come out: ``owners`` (hashes, rows), or those of the entity.

    Raises as :func:`infer_schema`, and :class:`DoubtError` where it is in doubt whether a column
    is personal of which real values would come out.
    """
    hints = hints or Hints()
    schema, owners = _columns(frame, hints, least, owners)
    refuse_doubts(frame, schema, hints, least=least)
    found = discover_constraints(frame, schema, enough=least, owners=owners)
    return replace(schema, constraints=found)


def _columns(
    frame: pd.DataFrame, hints: Hints, enough: int, owners: Owners | None
) -> tuple[Schema, Owners | None]:
    """The columns, with words that ``enough`` people have, and whose rows they are."""
    schema = infer_columns(frame, word_rows=enough, hints=hints)
    if owners is None and schema.entity is not None:
        owners = owners_in(frame[schema.entity])
    if owners is not None:
        schema = _with_shared_words(schema, frame, owners, enough)
    return schema, owners


def _with_shared_words(schema: Schema, frame: pd.DataFrame, owners: Owners, enough: int) -> Schema:
    """The schema without the names of words that fewer than ``enough`` owners have."""
    columns = []
    for column in schema:
        if column.words is not None:
            cells = frame[column.name].astype(object)
            counts = {word: distinct(owners[(cells == word).to_numpy()]) for word in column.words}
            kept = tuple(word for word, count in counts.items() if count >= enough)
            column = replace(column, words=kept)
        columns.append(column)
    return replace(schema, columns=tuple(columns))


def discover_constraints(
    frame: pd.DataFrame,
    schema: Schema,
    *,
    enough: int = WORD_ROWS,
    owners: Owners | None = None,
) -> tuple[Constraint, ...]:
    """The constraints that hold in every row of ``frame`` and say more than its columns do.

    Functional dependencies, bands, formulas (a sum, a product, a ratio, a multiple), orders,
    one-hot groups, steps, patterns of missing cells, pairs that are unique. Fewer than 100
    rows show nothing. Values that a constraint names are of at least ``enough`` people: of
    ``owners`` (hashes, rows), or of the schema's entity; without either each row is somebody's.
    """
    if len(frame) < _FEWEST:
        return ()
    rng = np.random.default_rng(0)
    if owners is None and schema.entity is not None:
        owners = owners_in(frame[schema.entity])
    seen = Seen.of(frame, schema, rng, enough=enough, owners=owners)
    if seen.people < _FEWEST:
        return ()
    formulas = find_formulas(seen)
    dependencies = list(find_dependencies(seen))
    orders = find_inequalities(seen, formulas, dependencies)
    found = [
        *dependencies,
        *find_bands(seen),
        *formulas,
        *orders,
        *find_one_hot(seen),
        *find_steps(seen),
        *find_missing(seen),
        *find_unique(seen),
    ]
    return tuple(found)
