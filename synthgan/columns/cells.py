"""The cells of one column <-> plain numpy values: a transform and its inverse side by side.

:func:`read_cells` takes a column in any dtype that holds its values; :func:`write_cells`
gives it back in the dtype and the spelling that the schema names. Columns that are never
modelled have no values to read: :func:`make_up` writes them from the number of the row alone
(:mod:`synthgan.encode.fakes` those that say who somebody is).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from synthgan._typing import Ints, Objects
from synthgan.columns.arrow import to_arrow
from synthgan.columns.category import (
    infer_boolean_text,
    read_booleans,
    read_levels,
    to_truth,
    write_booleans,
    write_levels,
)
from synthgan.columns.column import Column, Kind, Level
from synthgan.columns.datetime import infer_date_text, read_dates, to_date, write_dates
from synthgan.columns.number import read_numbers, to_number, write_numbers
from synthgan.errors import SchemaError


class Handling(NamedTuple):
    """What is done with cells of one kind."""

    read: Callable[[pa.Array, Column], npt.NDArray[Any]]
    write: Callable[[npt.NDArray[Any], Column, Sequence[Level] | None], pd.Series[Any]]
    literal: Callable[[Column, object], Level] | None = None
    """The cell that a value in a condition means; None: one of the column's levels."""
    infer_text: Callable[[Column, pa.Array], Column | None] | None = None
    """The column of this kind that different texts are, if all are; tried in order of kinds."""


_NUMBERS = Handling(
    read=read_numbers,
    write=lambda cells, column, _: write_numbers(cells, column),
    literal=to_number,
)
HANDLING: dict[Kind, Handling] = {
    Kind.BOOLEAN: Handling(
        read=read_booleans,
        write=lambda cells, column, _: write_booleans(cells, column),
        literal=to_truth,
        infer_text=infer_boolean_text,
    ),
    Kind.DATETIME: Handling(
        read=read_dates,
        write=lambda cells, column, _: write_dates(cells, column),
        literal=to_date,
        infer_text=infer_date_text,
    ),
    Kind.NUMBER: _NUMBERS,
    Kind.INTEGER: _NUMBERS,
    Kind.CATEGORY: Handling(read=read_levels, write=write_levels),
}
"""The kinds whose cells have values, which are learned."""


def read_cells(series: pd.Series[Any], column: Column) -> npt.NDArray[Any]:
    """The cells of ``series`` as values (rows) of ``column``'s kind, from any dtype.

    NUMBER, INTEGER: float64, NaN where missing, or where there is a word (:func:`words_in` tells
    which). DATETIME: the same, counting units of
    ``column.resolution`` since 1970-01-01, in UTC if the column's dtype has a time zone and
    in wall time if not; cells between two units become fractions. CATEGORY, BOOLEAN: an
    object array of Python levels (True and False for BOOLEAN), None where missing.

    Raises :class:`SchemaError`, naming the column, if cells cannot be read as its kind.
    """
    handled = HANDLING.get(column.kind)
    if handled is None:
        raise SchemaError(f"column {column.name!r}: kind {column.kind.value} has no values to read")
    return handled.read(to_arrow(series, column.name), column)


def write_cells(
    values: npt.NDArray[Any], column: Column, levels: Sequence[Level] | None = None
) -> pd.Series[Any]:
    """The reverse of :func:`read_cells`: ``values`` in the column's own dtype and spelling.

    Numbers are rounded to the column's decimals and dates to its resolution; both are
    pulled in to the declared bounds and to what the dtype can hold. ``levels`` are the
    categories of a pandas categorical, so that every chunk gets the same dtype.

    Raises :class:`SchemaError`, naming the column, if a cell is missing and the dtype has no
    missing value, or if a level does not go with the dtype.
    """
    handled = HANDLING.get(column.kind)
    if handled is None:
        raise SchemaError(
            f"column {column.name!r}: kind {column.kind.value} has no values to write"
        )
    return handled.write(values, column, levels)


def factorized(cells: Objects) -> tuple[Ints, list[Level]]:
    """For each of ``cells`` the number of its level, one past the last where it is missing; and
    the levels, in the order in which they come. True, 1 and 1.0 are three levels."""
    kinds = {*map(type, cells)} - {type(None)}
    if len(kinds) <= 1 and str not in kinds:  # pandas takes text to end at a NUL
        factors, distinct = pd.factorize(pd.Series(cells, dtype=object), use_na_sentinel=True)
        return np.where(factors < 0, len(distinct), factors).astype(np.int64), list(distinct)
    numbers: dict[tuple[type, Any], int] = {}
    found = [
        -1 if is_missing else numbers.setdefault((type(cell), cell), len(numbers))
        for cell, is_missing in zip(cells, pd.isna(cells), strict=True)
    ]
    factors = np.array(found, dtype=np.int64)
    return np.where(factors < 0, len(numbers), factors), [level for _, level in numbers]
