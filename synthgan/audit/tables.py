"""Worst-case tables: many rows in one corner of the domain, and one unit in the opposite one.

A unit that shares no cell with anybody else is the easiest one to find, so what cannot be
told of it cannot be told of anyone's row.
"""

from __future__ import annotations

import dataclasses
import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.columns.cells import write_cells
from synthgan.columns.column import Column, Kind, Level
from synthgan.columns.date_format import NANOSECONDS
from synthgan.columns.dtypes import family, to_dtype
from synthgan.columns.identifier import make_up
from synthgan.schema.schema import Schema
from synthgan.table.read import read_table
from synthgan.table.write import write_table

UNIT = "person"
"""The column of :data:`COLUMNS` that names whose rows they are."""

COLUMNS = Schema(
    columns=(
        Column(name=UNIT, kind=Kind.IDENTIFIER, dtype="int64"),
        Column(name="age", kind=Kind.INTEGER, dtype="int64", low=0, high=120),
        Column(name="income", kind=Kind.NUMBER, dtype="float64", nullable=True),
        Column(name="town", kind=Kind.CATEGORY, dtype="object", categories=("a", "b", "c", "z")),
        Column(name="rooms", kind=Kind.CATEGORY, dtype="int64", categories=(1, 2, 3, 9)),
        Column(name="job", kind=Kind.CATEGORY, dtype="object", nullable=True),
        Column(name="member", kind=Kind.BOOLEAN, dtype="bool"),
        Column(
            name="day",
            kind=Kind.DATETIME,
            dtype="datetime64[ns]",
            resolution="D",
            low="2000-01-01",
            high="2030-12-31",
        ),
    )
)
"""Columns of every kind, declared and not: what the audit works on where nobody gives another."""

SMALL = Schema(columns=tuple(COLUMNS[name] for name in ("age", "income", "town", "job")))
"""Fewer of them, for what is run hundreds of times."""

FEW = Schema(columns=tuple(COLUMNS[name] for name in ("age", "town", "job")))
"""Fewer still, for faults that show anywhere."""

_FAR_UNDECLARED = 1e6
_ELSEWHERE = 10**6  # the number of a row that nobody else has
_NEAR_WIDTH = 1 / 32  # of the domain


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """Two tables that differ by one unit."""

    name: str
    """How they differ, in words."""
    less: pd.DataFrame
    more: pd.DataFrame
    """``less``, and after it the rows of one unit more."""
    is_removal: bool = False
    """Whether ``more`` is the table that stands for the world, and ``less`` for its neighbour."""


def near_rows(schema: Schema, rows: int) -> pd.DataFrame:
    """Rows in the lower corner of the domain; always the same."""
    rng = np.random.default_rng(20)
    return pd.DataFrame({c.name: _near(c, rows, rng) for c in schema})


def far_rows(
    schema: Schema, rows: int = 1, *, new_levels: bool, start: int = 10**6
) -> pd.DataFrame:
    """Rows of one unit in the upper corner of the domain.

    Where levels are not declared they have one of their own, or, without ``new_levels``, one
    that :func:`near_rows` have. Identifiers are nobody else's.
    """
    return pd.DataFrame({c.name: _far(c, rows, new_levels) for c in schema})


def neighbours(schema: Schema, rows: int) -> list[Pair]:
    """Pairs of tables that differ by one row, each in its own awkward way."""
    base, last = near_rows(schema, rows), rows
    far = _joined(base, far_rows(schema, new_levels=True))
    beyond, empty = _joined(base, _beyond(schema)), base.reindex(range(rows + 1))
    wrong = base.astype(object).reindex(range(rows + 1))
    wrong.loc[last] = pd.Series({c.name: "?" for c in schema})
    return [
        Pair(name="one row more, at the far end of every column", less=base, more=far),
        Pair(name="one row more, beyond all bounds", less=base, more=beyond),
        Pair(name="one row more, all cells missing", less=base, more=empty),
        Pair(name="one row more, of cells of a wrong kind", less=base, more=wrong),
        Pair(name="one row less, like all others", less=base[:-1], more=base, is_removal=True),
        Pair(name="one row less, unlike all others", less=base, more=far, is_removal=True),
    ]


def lines_of_files(schema: Schema, rows: int) -> Pair:
    """Two CSV files of which one has a line more, whose cells are spelled like nothing else;
    read as a private fit reads them."""
    base = near_rows(schema, rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        write_table([base], path)
        less = read_table(path, as_text=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(",".join(["?"] * len(schema)) + "\n")
        more = read_table(path, as_text=True)
    return Pair(name="one line more in a file, of odd spellings", less=less, more=more)


def people(schema: Schema, unit: str, rows: int, of_one: int) -> list[Pair]:
    """Pairs of tables that differ by one person, who has ``of_one`` rows; all others have one."""
    base = near_rows(schema, rows)
    base[unit] = make_up(schema[unit], 0, rows)
    person = far_rows(schema, of_one, new_levels=True)
    person[unit] = make_up(schema[unit], _ELSEWHERE, 1).repeat(of_one).to_numpy()
    more = _joined(base, person)
    return [
        Pair(name=f"one person more, with {of_one} rows", less=base, more=more),
        Pair(name=f"one person less, with {of_one} rows", less=base, more=more, is_removal=True),
    ]


def rows_of_nobody(schema: Schema, unit: str, rows: int) -> Pair:
    """Two tables in which some rows do not say whose they are, and one has one of these more."""
    base = near_rows(schema, rows)
    base[unit] = make_up(schema[unit], 0, rows).astype(object)
    base.loc[: rows // 5, unit] = None
    nobody = far_rows(schema, new_levels=False).astype({unit: object})
    nobody[unit] = None
    more = _joined(nobody, base)
    return Pair(name="one row more that is nobody's, before all others", less=base, more=more)


def at_the_front(schema: Schema, rows: int) -> Pair:
    """Two tables of which one has a row more, before all others: each is in another place.

    Two rows of one corner are followed by two of the other, and so on: whatever takes rows
    together by their place takes others together with one row more.
    """
    base, far = near_rows(schema, rows), far_rows(schema, rows, new_levels=False)
    places = np.arange(rows)
    places[places % 4 >= 2] += rows
    less = _joined(base, far).iloc[places].reset_index(drop=True)
    return Pair(name="one row more, before all others", less=less, more=_joined(far[:1], less))


def bounds_of(column: Column) -> tuple[float, float]:
    """The declared bounds, infinite where there are none, as numbers: dates count units of the
    column's resolution since 1970."""
    ends = []
    for bound, default in ((column.low, -math.inf), (column.high, math.inf)):
        if isinstance(bound, str):
            microseconds = int(np.datetime64(bound, "us").astype(np.int64))
            ends.append(microseconds * 1000 / NANOSECONDS[column.resolution or "s"])
        else:
            ends.append(default if bound is None else float(bound))
    return ends[0], ends[1]


def corners(column: Column) -> tuple[float, float, float]:
    """Of a number column: the least and the largest value of near rows, and that of far ones."""
    low, high = bounds_of(column)
    if math.isfinite(high - low):
        return low, low + (high - low) * _NEAR_WIDTH, high
    if math.isfinite(high):
        return high - 50, high, high - _FAR_UNDECLARED
    start = low if math.isfinite(low) else 0.0
    return start, start + 50, start + _FAR_UNDECLARED


def levels_of(column: Column, *, new_levels: bool = True) -> tuple[list[Level], Level]:
    """Of a column with levels: those of near rows, and that of far ones."""
    if column.kind is Kind.BOOLEAN:
        return [False], True
    if column.categories is not None:
        return list(column.categories[: max(min(len(column.categories) - 1, 2), 1)]), (
            column.categories[-1]
        )
    held = family(to_dtype(column.dtype, column.name))
    near: list[Level] = ["a", "b"]
    far: Level = "nobody else"
    if held not in _NAMED:
        near, far = [1, 2], 101
    return near, far if new_levels else near[0]


_NAMED = ("text", "object", "category")


def _near(column: Column, rows: int, rng: np.random.Generator) -> pd.Series[Any]:
    if not column.kind.is_modelled:
        return make_up(column, 0, rows)
    if column.kind.is_numeric:
        low, high, _ = corners(column)
        return write_cells(rng.uniform(low, high, rows), column)
    levels, _ = levels_of(column)
    return write_cells(_levels([levels[i] for i in rng.integers(0, len(levels), rows)]), column)


def _far(column: Column, rows: int, new_levels: bool) -> pd.Series[Any]:
    if not column.kind.is_modelled:
        return make_up(column, _ELSEWHERE, rows)
    if column.kind.is_numeric:
        return write_cells(np.full(rows, corners(column)[-1]), column)
    _, far = levels_of(column, new_levels=new_levels)
    return write_cells(_levels([far] * rows), column)


def _beyond(schema: Schema) -> pd.DataFrame:
    """A row far beyond all that was declared, or new to it, as far as dtypes can hold that."""
    row = far_rows(schema, new_levels=True)
    for column in schema:
        held = family(to_dtype(column.dtype, column.name))
        cell: Any = None
        if column.kind in (Kind.NUMBER, Kind.INTEGER) and held == "float":
            cell = 1e30
        elif column.kind in (Kind.NUMBER, Kind.INTEGER) and column.dtype in _INTEGERS:
            cell = np.iinfo(column.dtype).max
        elif column.kind is Kind.CATEGORY and held in ("text", "object"):
            cell = "a town of one"
        if cell is not None:
            row[column.name] = pd.Series([cell]).astype(row[column.name].dtype)
    return row


_INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def _joined(base: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([base, rows], ignore_index=True)


def _levels(levels: list[Level]) -> npt.NDArray[np.object_]:
    found = np.empty(len(levels), dtype=object)
    found[:] = levels
    return found


def without_constraints(schema: Schema) -> Schema:
    """Rows are generated here without regard to rules between columns."""
    return dataclasses.replace(schema, constraints=())
