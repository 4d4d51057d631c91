"""Columns whose cells are those of an identifier of the same table: a manager among employees."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthgan.columns.arrow import to_arrow
from synthgan.columns.column import Column, Kind
from synthgan.columns.personal.base import plain_name

_FEW_ROWS = 20
_FEWEST = 2  # cells that differ
_ROLES = re.compile(
    r"(?:^|_)(?:manager|parent|supervisor|boss|superior|lead|leader|head|mentor|sponsor|referrer"
    r"|referred|reports|reply|replies|previous|prev|predecessor|original|root|ancestor|mother"
    r"|father|spouse|partner|sibling|vorgesetzte\w*|chef)(?:_|$)"
)
_NAMING = re.compile(r"(?:^|_|[a-z])(?:id|ids|key|nr|no|number|to|by|ref)$")
_TELLING_LENGTH = 3  # characters that text has on average, to be found in a key by no chance
_SPARSE = 20  # whole numbers a row between the least and the largest key


def find_references(frame: pd.DataFrame, columns: Sequence[Column]) -> tuple[Column, ...]:
    """``columns``, those among them that reference an identifier turned into identifiers too.

    The identifier's cells must differ.

    All cells must be among the key's, and that must be no chance: whole numbers must lie far
    apart, or the column must be called so (``manager_id``); a column of small numbers is
    within row numbers anyway.
    """
    keys = [
        column
        for place, column in enumerate(columns)
        if column.kind is Kind.IDENTIFIER and not frame.iloc[:, place].dropna().duplicated().any()
    ]
    found: dict[str, str] = {}
    for key in keys if len(frame) >= _FEW_ROWS else ():
        if key.name in found:
            continue
        cells = _distinct(frame, key)
        if cells is None:
            continue
        for column in columns:
            free = column.name not in found and column.name not in found.values()
            if column is not key and free and _references(frame, column, key, cells):
                found[column.name] = key.name
    return tuple(
        Column(
            name=column.name,
            kind=Kind.IDENTIFIER,
            dtype=column.dtype,
            nullable=column.nullable,
            references=found[column.name],
        )
        if column.name in found
        else column
        for column in columns
    )


def _distinct(frame: pd.DataFrame, column: Column) -> pa.Array | None:
    """Distinct cells as whole numbers or text; None for others."""
    cells = to_arrow(frame[column.name], column.name).drop_null()
    if pa.types.is_floating(cells.type):
        values = cells.to_numpy(zero_copy_only=False)
        if (values != np.rint(values)).any() or np.abs(values).max(initial=0) > 2**53:
            return None
    elif not pa.types.is_integer(cells.type):
        return pc.unique(cells) if pa.types.is_large_string(cells.type) else None
    try:
        return pc.unique(cells.cast(pa.int64()))
    except pa.ArrowInvalid:
        return None


def _references(frame: pd.DataFrame, column: Column, key: Column, keys: pa.Array) -> bool:
    if column.kind not in (Kind.INTEGER, Kind.CATEGORY, Kind.IDENTIFIER, Kind.TEXT):
        return False
    if column.ordered or (column.kind is Kind.TEXT and column.personal is None):
        return False
    called = plain_name(column.name)
    in_role = _ROLES.search(called) is not None
    if not in_role and pa.types.is_integer(keys.type) and _is_dense(keys):
        return False
    cells = _distinct(frame, column)
    if cells is None or cells.type != keys.type or len(cells) < _FEWEST:
        return False
    if not all(pc.all(pc.is_in(c, keys)).as_py() for c in (cells.slice(0, 50), cells)):
        return False
    if pa.types.is_integer(keys.type):
        return (in_role and (_NAMING.search(called) is not None or not _is_dense(keys))) or (
            not _is_dense(keys) and len(cells) >= 5
        )
    return in_role or pc.mean(pc.utf8_length(cells)).as_py() >= _TELLING_LENGTH


def _is_dense(keys: pa.Array) -> bool:
    """Whether whole numbers lie so close that others are among them by chance."""
    ends = pc.min_max(keys).as_py()
    return bool(ends["max"] - ends["min"] + 1 < _SPARSE * len(keys))
