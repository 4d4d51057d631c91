"""A condition, mapping or text, to one :class:`Allowed` a column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set

import numpy as np
import pandas as pd

from synthgan.columns.cell_set import Allowed
from synthgan.columns.column import Column, Level
from synthgan.columns.literal import Reader, is_missing
from synthgan.errors import ConditionError
from synthgan.sample.where_text import read_text
from synthgan.schema.schema import Schema

Where = str | Mapping[str, object]

_SEVERAL = (list, Set, range, np.ndarray, pd.Index, pd.Series, pd.api.extensions.ExtensionArray)


def parse_where(
    where: Where, schema: Schema, levels: Mapping[str, Sequence[Level]]
) -> dict[str, Allowed]:
    """What ``where`` allows of each column that it names.

    A mapping gives for a column one cell; a list, set, array or index of cells; a tuple
    ``(low, high)`` of numbers, dates or ordered categories, ends included, of which either may be
    None for no bound; or None (NaN, NA) for missing. None in a list allows missing cells too.

    A text joins comparisons by ``and``: ``==``, ``!=``, ``<``, ``<=``, ``>``, ``>=``,
    ``30 <= age < 40``, ``in [...]``, ``not in [...]``, ``is missing``, ``is not missing``.
    Names that are no plain words stand in backticks, text values and dates in quotes, where a
    backslash goes before a quote or a backslash that is part of the value.

    Dates are ISO, or spelled as in the column. One without a time means midnight, so
    ``date <= "2013-06-30"`` leaves out the hours of that day. In a column with a time zone,
    a time without one is local; of an hour that comes twice in a year it is the first.

    ``levels`` are those that the model knows of CATEGORY and BOOLEAN columns; in a column
    that it lacks any level may be asked for. Bounds on whole numbers, and on dates, which
    are whole units of the column's resolution, come out closed where floats are exact; beside
    ``values`` there are neither bounds nor ``excluded``.

    Raises :class:`ConditionError`, in one line, for unknown columns and levels, with what
    comes near, for values of a wrong type, and for what no row can satisfy.
    """
    reader = Reader(schema, levels)
    if isinstance(where, str):
        parts = read_text(where, reader)
    elif isinstance(where, Mapping):
        parts = _read_mapping(where, reader)
    else:
        raise ConditionError(f"a condition is a text or a mapping, not a {type(where).__name__}")
    found: dict[str, Allowed] = {}
    for name, part in parts:
        found[name] = found[name].intersect(part) if name in found else part
    if not found:
        raise ConditionError("the condition is empty; leave it out to ask for any rows")
    for name, allowed in found.items():
        found[name] = reader.settle(name, allowed)
        if found[name].is_empty:
            raise ConditionError(f"column {name!r}: no row can satisfy the condition")
    return found


def _read_mapping(where: Mapping[str, object], reader: Reader) -> Iterator[tuple[str, Allowed]]:
    for name, wanted in where.items():
        column = reader.column(name)
        if isinstance(wanted, np.ndarray) and wanted.ndim == 0:
            wanted = wanted[()]
        if isinstance(wanted, tuple):
            yield column.name, _range(column, wanted, reader)
        elif isinstance(wanted, slice):
            raise ConditionError(
                f"column {column.name!r}: a slice has no meaning here; write a range as (low, high)"
            )
        elif isinstance(wanted, _SEVERAL):
            yield column.name, reader.among(column, wanted)
        elif is_missing(wanted):
            yield column.name, Allowed(missing="only")
        else:
            yield column.name, reader.compare(column, "==", wanted)


def _range(column: Column, ends: tuple[object, ...], reader: Reader) -> Allowed:
    if not (column.kind.is_numeric or column.ordered) or len(ends) != 2:
        raise ConditionError(
            f"column {column.name!r}: a tuple means a range (low, high) of numbers or dates; "
            "for a choice of values give a list"
        )
    found = Allowed(missing="never")
    for operator, end in zip((">=", "<="), ends, strict=True):
        if not is_missing(end):
            found = found.intersect(reader.compare(column, operator, end))
    return found
