"""What is asked of a model: how many rows, which ones, by which seed."""

from __future__ import annotations

import secrets

import numpy as np

from synthgan._typing import Floats
from synthgan.encode.codecs import balanced
from synthgan.encode.encoder import Encoder
from synthgan.errors import ConditionError, ConfigError
from synthgan.network.generator import Generator
from synthgan.sample.balance import Balance, parse_balance
from synthgan.sample.partial_rows import Given
from synthgan.sample.sampler import Sampler
from synthgan.sample.where import Where, parse_where
from synthgan.schema.constraints.unique import Unique
from synthgan.schema.schema import Schema

_MOST_ROWS_UNASKED = 2_000_000
MOST_UNASKED = 50_000_000  # cells, or constraints of rows
_CELL = 20  # characters of text that count as one


def sampler_of(
    encoder: Encoder,
    generator: Generator,
    where: Where | None,
    balance: Balance | None,
    given: Given | None,
    *,
    extrapolate: bool,
) -> Sampler:
    """What draws rows as they are asked for. Raises :class:`ConditionError` if there are none."""
    allowed = {} if where is None else parse_where(where, encoder.schema, encoder.levels)
    if where is not None and not allowed:
        raise ConditionError("where is empty; leave it out to draw from the whole table")
    return Sampler(
        encoder,
        generator,
        allowed,
        shares={} if balance is None else _shares(encoder, balance),
        given=given,
        extrapolate=extrapolate,
    )


def too_many_unasked(rows: int, encoder: Encoder) -> bool:
    """Whether drawing so many rows, a number that was not asked for, would take hours."""
    return rows > _MOST_ROWS_UNASKED or rows * work_of_row(encoder) > MOST_UNASKED


def check_apart(schema: Schema) -> None:
    """Raises :class:`ConditionError` if chunks cannot be drawn apart from each other."""
    together = [each for each in schema.constraints if isinstance(each, Unique)]
    if together:
        raise ConditionError(
            f"the constraint {together[0]} wants rows to be unique in the whole table, and "
            "part files do not know of each other; write one file, or fit with a schema "
            "without the constraint"
        )


def _shares(encoder: Encoder, balance: Balance) -> dict[str, Floats]:
    wanted = parse_balance(balance, encoder.schema, encoder.choices)
    return {name: balanced(encoder.codecs[name], shares) for name, shares in wanted.items()}


def work_of_row(encoder: Encoder) -> int:
    """About how many short cells and constraints there are in a row."""
    levels, schema = encoder.levels.values(), encoder.schema
    texts = sum(max((len(str(each)) for each in cells), default=0) for cells in levels)
    texts += sum(len(column.format or "") for column in schema)
    return len(schema) + len(schema.constraints) + texts // _CELL


def rows_to_draw(n: object, given: Given | None) -> int:
    """How many rows to draw: one for each that is given, or ``n``."""
    if given is not None:
        if n is not None and n != len(given):
            raise ConfigError("each given row gives one row: leave n out, or repeat the rows")
        return len(given)
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise ConfigError(f"n must be a whole number of rows, at least 1, got {n!r}")
    return int(n)


def seed_of(seed: int | None) -> int:
    whole = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    if seed is not None and not (whole and 0 <= seed < 2**63):
        raise ConfigError(f"seed must be a whole number, 0 to 2**63 - 1, got {seed!r}")
    return secrets.randbits(62) if seed is None else int(seed)
