"""What a caller gave as a schema."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from synthgan.errors import SchemaError
from synthgan.schema.entities import Hints
from synthgan.schema.schema import Schema
from synthgan.schema.sdv import is_sdv_metadata, schema_of_metadata
from synthgan.table.read import take_table


def as_hints(schema: object) -> tuple[Hints | None, object]:
    """What is said of columns whose kinds are inferred, and the schema if there is one."""
    return (schema, None) if isinstance(schema, Hints) else (None, schema)


def as_schema(schema: object, *, table: pd.DataFrame | str | Path | None = None) -> Schema | None:
    """``schema`` itself, the one in the file that it is the path of, or None.

    ``table`` is for SDV's metadata, see :meth:`Schema.load`. Raises :class:`SchemaError` for
    anything else, with what to write instead.
    """
    if schema is None or isinstance(schema, Schema):
        return schema
    if isinstance(schema, str | Path):
        return Schema.load(schema, table=table)
    kind = type(schema).__name__
    hint = "; settings are given by name: config=Config(...)" if kind.endswith("Config") else ""
    if isinstance(schema, dict):
        hint = "; Schema.from_json(json.dumps(...)) reads what is written as JSON"
    raise SchemaError(f"schema must be a Schema or the path of its file, got {kind}{hint}")


def of_metadata(text: str, table: pd.DataFrame | str | Path | None) -> Schema | None:
    """The schema that SDV's metadata describes; None if ``text`` is something else."""
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError):
        return None  # what is wrong is said where schemas are read
    if not is_sdv_metadata(plain):
        return None
    if table is None:
        raise SchemaError(
            "SDV metadata leaves dtypes and decimals to the table, so it is read together with "
            "one: Schema.load(path, table=...); without one, and for a private fit, write a "
            "schema first ('synthgan schema')"
        )
    frame = take_table(table, "table")
    return schema_of_metadata(plain, frame)
