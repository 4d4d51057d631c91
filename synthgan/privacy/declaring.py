"""What an owner declares to be public by ``--declare``: :func:`public_part` of a schema.

A schema told from rows holds more than the form of a table: words among numbers, levels, letters
that all identifiers share, whether a cell is missing, how many digits the longest number has. One
row can decide each of these, and no epsilon pays for them. What is left here is the form alone:
names, kinds, dtypes, and formats of a public list. All else is found privately, or not at all.
"""

from __future__ import annotations

import re
from dataclasses import replace

from synthgan.columns.category import is_boolean_pair
from synthgan.columns.column import Column, Kind
from synthgan.columns.date_format import Resolution, is_usual_date_format
from synthgan.columns.dtypes import Family, family, to_dtype
from synthgan.schema.schema import Schema

_PRINTF = re.compile(r"%d|%\.15g|%\.(?P<places>[0-9]{1,2})f")
_OF_PYTHON = ("Decimal", "time", "timedelta", "date", "datetime")
_MOST_PLACES = 15
_OPEN = "9AaFf"  # what stands for any digit or letter in a pattern
_SEPARATORS = " -_./:#()+"
_DECIMAL_PLACES = 9  # of a decimal dtype, for numbers that are not whole


def public_part(schema: Schema) -> Schema:
    """The names, kinds, dtypes and formats of ``schema``, and nothing else.

    Left out: levels and their order, bounds, words among numbers, decimals and resolution (but
    for what the format itself says), references, whose rows they are, locale and constraints.
    Every column can have missing cells, and has a dtype that can hold them: ``Int64`` for whole
    numbers, ``boolean``; a dtype says neither how many levels nor how many digits there are. Of
    formats only those stay that are on a public list: dates as in ``%Y-%m-%d %H:%M``, numbers as
    in ``%.2f`` and ``$#,##0.00``, pairs such as ``no|yes``, and of identifiers the pattern of
    digits, letters and separators without the letters themselves, ``A9999`` for ``\\A9999``.

    Names, kinds, dtypes and formats can each be decided by a row, too (one word makes a column of
    numbers a category): whoever passes them to a private fit declares that they are public.

    >>> from synthgan import Column, Kind, Schema
    >>> number = Column(name="pay", kind=Kind.INTEGER, dtype="str", format="%d", words=("none",))
    >>> public_part(Schema(columns=(number,)))["pay"].words is None
    True
    """
    return Schema(columns=tuple(_public_column(column) for column in schema))


def _public_column(column: Column) -> Column:
    dtype = public_dtype(column)
    format = _public_format(column)
    plain = Column(
        name=column.name, kind=column.kind, dtype=dtype, nullable=True, personal=column.personal
    )
    if format is not None:
        plain = replace(plain, format=format)
    if plain.kind is Kind.NUMBER:
        return replace(plain, decimals=_decimals_of(plain))
    if plain.kind is Kind.DATETIME:
        return replace(plain, resolution=_resolution_of(plain))
    return plain


def public_dtype(column: Column) -> str:
    """The dtype of a column without what its cells have decided: one of the same family that can
    hold missing cells."""
    dtype = column.dtype
    held = family(to_dtype(dtype, column.name))
    if dtype.endswith("[pyarrow]"):
        return _public_arrow(dtype.removesuffix("[pyarrow]"), held, column.kind) + "[pyarrow]"
    if held == "boolean":
        return "boolean"
    if held == "integer":  # as numpy has it, lacking missing cells
        return dtype.replace("uint", "UInt").replace("int", "Int")
    whole = column.kind in (Kind.INTEGER, Kind.IDENTIFIER, Kind.TEXT)
    if held == "float" and whole and not (column.format or "").startswith("%."):
        return "Int64"  # stored as floats because of missing cells, perhaps of one
    return dtype


def _public_arrow(name: str, held: Family, kind: Kind) -> str:
    if name == "null":
        return "string"
    if held == "decimal":
        return f"decimal128(38, {0 if kind is Kind.INTEGER else _DECIMAL_PLACES})"
    levels = re.fullmatch(r"dictionary<values=(.+), indices=u?int\d+, ordered=[01]>", name)
    if levels is not None:
        values = family(to_dtype(f"{levels[1]}[pyarrow]", "levels"))
        return (
            f"dictionary<values={_public_arrow(levels[1], values, kind)}, indices=int32, ordered=0>"
        )
    return name


def _public_format(column: Column) -> str | None:
    format = column.format
    if format is None:
        return None
    if column.kind is Kind.DATETIME:
        usual = format in _OF_PYTHON or is_usual_date_format(format)
        return format if usual else None
    if column.kind is Kind.BOOLEAN:
        no, yes = format.split("|")
        usual = all(word in (word.lower(), word.upper(), word.capitalize()) for word in (no, yes))
        return format if usual and is_boolean_pair(no, yes) else None
    if column.kind.is_numeric:
        spelling = column.spelling
        if spelling is not None:
            return format if spelling.is_usual else None
        found = _PRINTF.fullmatch(format)
        usual = found is not None and int(found["places"] or 0) <= _MOST_PLACES
        return format if usual or format in _OF_PYTHON else None
    return _without_letters(format)


def _without_letters(pattern: str) -> str | None:
    """A pattern in which letters stand for any letter; None if more than separators is left."""
    found = ""
    for itself, character in re.findall(r"\\([9AaFf\\])|(.)", pattern, re.DOTALL):
        fixed = itself or character
        if character and character in _OPEN + _SEPARATORS:
            found += character
        elif re.fullmatch("[0-9]", fixed):
            found += "9"
        elif re.fullmatch("[A-Za-z]", fixed):
            found += "A" if fixed.isupper() else "a"
        else:
            return None
    return found or None


def _decimals_of(column: Column) -> int | None:
    """Digits after the point, where the format says how many there are."""
    if column.spelling is not None:
        return column.spelling.places
    found = _PRINTF.fullmatch(column.format or "")
    return int(found["places"]) if found is not None and found["places"] else None


def _resolution_of(column: Column) -> Resolution | None:
    """The unit of dates, where format or dtype says that there is none finer; None: seconds."""
    format = column.format or ""
    if format == "date" or column.dtype.startswith("date32"):
        return "D"
    if "%" not in format:
        return None
    finest: tuple[tuple[str, Resolution], ...] = (
        ("%9f", "ns"), ("%.f", "us"), ("%f", "us"), ("%3f", "ms"), ("%S", "s"), ("%M", "min"),
    )  # fmt: skip
    return next((unit for directive, unit in finest if directive in format), "D")
