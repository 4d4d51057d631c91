"""What a caller gave as a schema."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from synthgan.errors import SchemaError
from synthgan.schema.columns import Schema
from synthgan.schema.entities import Hints


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
