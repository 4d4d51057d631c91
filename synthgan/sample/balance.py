"""Shares that a column is to have, as the user wrote them, to shares of its levels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from synthgan.columns.column import Column, Kind, Level
from synthgan.columns.literal import Reader, is_missing
from synthgan.encode.options import FEW_CHOICES, Shares
from synthgan.errors import ConditionError, displayed
from synthgan.schema.schema import Schema

Balance = str | Sequence[str] | Mapping[str, Mapping[object, float] | None]
"""A column, or several, whose levels are to be equally frequent; or shares of some levels."""

_TOLERANCE = 1e-6


def parse_balance(
    balance: Balance, schema: Schema, levels: Mapping[str, Sequence[Level]]
) -> dict[str, Shares]:
    """Shares by column; ``levels`` has those of categories, and of numbers that have few values.
    Levels that are not named share what is left, as they did before.

    An empty mapping of shares stands for equal shares of all known levels. Raises
    :class:`ConditionError` for columns without levels, unknown levels and shares that are no
    shares.
    """
    reader = Reader(schema, levels)
    if isinstance(balance, str):
        balance = [balance]
    wanted = dict(balance) if isinstance(balance, Mapping) else dict.fromkeys(balance)
    if not wanted:
        raise ConditionError("balance names no column; leave it out, or name one")
    return {
        column.name: _shares(column, shares, reader)
        for column, shares in ((reader.column(name), each) for name, each in wanted.items())
    }


def _shares(column: Column, shares: object, reader: Reader) -> Shares:
    known = reader.known(column) or ()
    if column.kind.is_numeric and not known:
        raise ConditionError(
            f"column {column.name!r} holds many different numbers or dates ({column.kind.value}); "
            f"balance takes categories, and numbers of at most {FEW_CHOICES} values: ask for a "
            "range with where, or make it kind category in the schema and fit again"
        )
    if shares is None:
        return {level: 1 / len(known) for level in known}
    if not isinstance(shares, Mapping) or not shares:
        raise ConditionError(
            f"column {column.name!r}: shares are written as {{level: share}}, such as "
            "{'yes': 0.5}"
        )
    found: dict[Level | None, float] = {}
    for level, share in shares.items():
        key = None if is_missing(level) else reader.cell(column, _as_number(column, level))
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise ConditionError(
                f"column {column.name!r}: a share is a number from 0 to 1, got {displayed(share)}"
            )
        if key in found:
            raise ConditionError(f"column {column.name!r}: a level is named twice")
        found[key] = float(share)
    total = math.fsum(found.values())
    if total > 1 + _TOLERANCE:
        raise ConditionError(f"column {column.name!r}: shares sum up to {total:g}, more than 1")
    if total <= 0:
        raise ConditionError(f"column {column.name!r}: no share is above 0")
    return found


def _as_number(column: Column, level: object) -> object:
    """A number that stands in text, as in JSON all keys do, for a column of numbers."""
    if column.kind in (Kind.NUMBER, Kind.INTEGER) and isinstance(level, str):
        try:
            return float(level)
        except ValueError:
            return level
    return level
