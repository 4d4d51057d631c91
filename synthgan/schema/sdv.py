"""A schema from SDV's metadata: one table of version V1 or V2 (SDV 2), in JSON.

The metadata says what columns mean, not which dtype, how many decimals or which spelling they
have; those are inferred from the table, as :func:`infer_columns` does. Only the names in the format
are SDV's. Ranges and values that V2 lists are passed over: SDV takes them from the rows, rare ones
included.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthgan.columns.arrow import to_arrow
from synthgan.columns.column import Column, Kind, Personal
from synthgan.columns.date_format import is_date_format, parse_dates, resolution_of
from synthgan.columns.dtypes import family, to_dtype
from synthgan.columns.number import infer_numbers
from synthgan.errors import SchemaError
from synthgan.schema.infer import infer_columns
from synthgan.schema.schema import Schema

_VERSIONS = ("SINGLE_TABLE_V1", "V1", "V2")

_PERSONAL: dict[str, Personal] = {
    "email": "email",
    "phone_number": "phone",
    "first_name": "first_name",
    "last_name": "last_name",
    "name": "name",
    "user_name": "user_name",
    "address": "address",
    "street_address": "street_address",
    "city": "city",
    "postcode": "postcode",
    "ssn": "national_id",
    "credit_card_number": "card",
    "iban": "iban",
    "ipv4_address": "ipv4",
    "ipv6_address": "ipv6",
    "url": "url",
}
"""What we call the sdtypes of cells that are generated. Others that say who somebody is become
neutral words."""


def is_sdv_metadata(plain: object) -> bool:
    """Whether JSON is SDV's metadata, of any version."""
    return isinstance(plain, dict) and (
        "METADATA_SPEC_VERSION" in plain
        or ("synthgan_schema" not in plain and isinstance(plain.get("columns"), dict))
    )


def schema_of_metadata(plain: Mapping[str, Any], frame: pd.DataFrame) -> Schema:
    """The schema that ``plain``, SDV's metadata, describes for ``frame``.

    Raises :class:`SchemaError`, naming the column, for metadata that is malformed, of several
    tables or of sequences, for cells that are not what it says, and for personal numbers that
    nothing could be generated for.
    """
    table = _one_table(plain)
    described = table.get("columns")
    if not isinstance(described, dict) or not all(isinstance(d, dict) for d in described.values()):
        raise SchemaError('SDV metadata: "columns" must be an object that describes each column')
    inferred = infer_columns(frame)
    lacking = [name for name in inferred.names if name not in described]
    unknown = [name for name in described if name not in inferred.names]
    if lacking or unknown:
        what, name = ("does not describe", lacking[0]) if lacking else ("has no", unknown[0])
        who = "SDV metadata" if lacking else "the table"
        raise SchemaError(f"{who} {what} column {name!r}; both need the same columns")
    keys = _keys(table)
    columns = [
        _adapt(column, described[column.name], frame[column.name], column.name in keys)
        for column in inferred
    ]
    return inferred.of_columns(columns)


def _one_table(plain: Mapping[str, Any]) -> Mapping[str, Any]:
    version = plain.get("METADATA_SPEC_VERSION", _VERSIONS[0])
    if version not in _VERSIONS:
        raise SchemaError(f"SDV metadata must have version {', '.join(_VERSIONS)}")
    tables = plain.get("tables")
    if tables is not None:
        if not isinstance(tables, dict) or len(tables) != 1:
            raise SchemaError("SDV metadata of one table is wanted; take one of its tables out")
        (plain,) = tables.values()
    if not isinstance(plain, dict):
        raise SchemaError("SDV metadata: a table must be an object")
    if plain.get("sequence_key") is not None or plain.get("sequence_index") is not None:
        raise SchemaError(
            "SDV metadata describes sequences, which are not learned as such; take out "
            "sequence_key and sequence_index to learn each row by itself"
        )
    return plain


def _keys(table: Mapping[str, Any]) -> set[str]:
    """Columns whose cells all differ."""
    primary, others = table.get("primary_key"), table.get("alternate_keys") or []
    keys = [*([] if primary is None else [primary]), *(others if isinstance(others, list) else [0])]
    if not all(isinstance(key, str) for key in keys):
        raise SchemaError("SDV metadata: keys must be names of single columns")
    return set(map(str, keys))


def _adapt(column: Column, said: Mapping[str, Any], cells: pd.Series[Any], is_key: bool) -> Column:
    """The inferred ``column``, as what metadata ``said`` of it has it."""
    sdtype = said.get("sdtype")
    plain = Column(
        name=column.name, kind=Kind.CATEGORY, dtype=column.dtype, nullable=column.nullable
    )
    present = to_arrow(cells, column.name).drop_null()
    if not isinstance(sdtype, str):
        raise SchemaError(f"column {column.name!r}: SDV metadata gives it no sdtype")
    if sdtype == "id" or (is_key and sdtype not in _PERSONAL):
        found = _identifier(column, plain, said)
        return found if is_key else replace(found, repeats=column.repeats, per=column.per)
    if sdtype == "numerical":
        return _number(column, plain, said, present)
    if sdtype in ("categorical", "ordinal"):
        return _category(plain, said)
    if sdtype == "boolean":
        return _boolean(column, plain, present)
    if sdtype == "datetime":
        return _date(column, plain, said, present)
    if said.get("pii") is False:
        return column if column.kind.is_modelled else plain
    return _made_up(column, plain, sdtype, is_key)


def _identifier(column: Column, plain: Column, said: Mapping[str, Any]) -> Column:
    if family(to_dtype(plain.dtype, plain.name)) not in ("text", "object", "category"):
        return replace(plain, kind=Kind.IDENTIFIER)
    found = column.format if column.kind is Kind.IDENTIFIER and not column.personal else None
    regex = said.get("regex_format")
    pattern = _to_pattern(regex) if isinstance(regex, str) else None
    return replace(plain, kind=Kind.IDENTIFIER, format=pattern or found)


_PIECE = re.compile(
    r"(?:(\[0-9\]|\\d)|(\[A-Z\])|(\[a-z\])"
    r"|\\?([^\w\\\[\]{}()|*+?.^$]|_|[B-EG-Zb-eg-z0-8]))(?:\{(\d{1,2})\})?",
    re.ASCII,
)
"""One piece of a regular expression that a pattern can say; ``9``, ``A``, ``F`` and their like
themselves cannot be said."""


def _to_pattern(regex: str) -> str | None:
    """A simple regular expression as a pattern of ours, None if there is none."""
    pattern, place = "", 0
    regex = regex.removeprefix("^").removesuffix("$")
    while place < len(regex):
        found = _PIECE.match(regex, place)
        if found is None:
            return None
        digit, capital, small, itself, times = found.groups()
        slot = "9" if digit else "A" if capital else "a" if small else itself
        pattern += slot * int(times or 1)
        place = found.end()
    return pattern if 0 < len(pattern) <= 60 else None


def _number(column: Column, plain: Column, said: Mapping[str, Any], present: pa.Array) -> Column:
    held = str(said.get("computer_representation", ""))
    if not (column.kind.is_numeric and column.kind is not Kind.DATETIME):
        column = _as_numbers(plain, present)
    if held.startswith(("Int", "UInt")) and column.kind is Kind.NUMBER:
        raise SchemaError(
            f"column {column.name!r}: SDV metadata says whole numbers (computer_representation), "
            "but some are not; change it to Float"
        )
    return column


def _as_numbers(plain: Column, present: pa.Array) -> Column:
    is_text = pa.types.is_large_string(present.type)
    try:
        numbers = present.cast(pa.float64(), safe=False)
    except pa.ArrowException:
        raise _unfit(plain, "numerical", "numbers") from None
    if pa.types.is_temporal(present.type) or pa.types.is_boolean(present.type):
        raise _unfit(plain, "numerical", "numbers")
    if not len(numbers):
        return replace(plain, kind=Kind.NUMBER) if not is_text else plain
    column = infer_numbers(plain, numbers, None)
    if is_text:
        return replace(column, format="%d" if column.kind is Kind.INTEGER else "%.15g")
    return column


def _unfit(column: Column, sdtype: str, wanted: str) -> SchemaError:
    return SchemaError(
        f"column {column.name!r}: SDV metadata says {sdtype}, but not all cells are {wanted}; "
        "change the sdtype"
    )


def _category(plain: Column, said: Mapping[str, Any]) -> Column:
    order = said.get("order")
    if isinstance(order, list) and order and all(isinstance(x, str | int | float) for x in order):
        return replace(plain, categories=tuple(order))
    return plain


def _boolean(column: Column, plain: Column, present: pa.Array) -> Column:
    if column.kind is Kind.BOOLEAN or not len(present):
        return column
    is_text = pa.types.is_large_string(present.type)
    if not is_text and set(pc.unique(present).to_pylist()) <= {0, 1}:
        return replace(plain, kind=Kind.BOOLEAN)
    return plain  # two words that are no spelling of no and yes are levels


def _date(column: Column, plain: Column, said: Mapping[str, Any], present: pa.Array) -> Column:
    format = said.get("datetime_format")
    if not pa.types.is_large_string(present.type):
        if column.kind is not Kind.DATETIME and len(present):
            raise _unfit(plain, "datetime", "dates")
        return column
    if isinstance(format, str) and is_date_format(format):
        dates = parse_dates(present, format)
        if dates is not None and len(dates):
            resolution = resolution_of(dates)
            return replace(plain, kind=Kind.DATETIME, format=format, resolution=resolution)
    if column.kind is not Kind.DATETIME:
        raise _unfit(plain, "datetime", "dates of its datetime_format")
    return column


def _made_up(column: Column, plain: Column, sdtype: str, is_key: bool) -> Column:
    personal = _PERSONAL.get(sdtype)
    if column.personal is not None and column.personal == personal:
        return replace(column, kind=Kind.IDENTIFIER if is_key else column.kind)
    kind = Kind.IDENTIFIER if is_key else Kind.TEXT
    if family(to_dtype(plain.dtype, plain.name)) in ("text", "object", "category"):
        return replace(plain, kind=kind, personal=personal)
    try:
        return replace(plain, kind=kind, personal=personal)
    except SchemaError:
        raise SchemaError(
            f"column {plain.name!r}: SDV metadata says {sdtype!r}, for which no {plain.dtype} can "
            'be generated; give it "pii": false to learn it, or leave it out'
        ) from None
