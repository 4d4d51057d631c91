"""What a table is, as its owner would publish it: columns, kinds and formats, no statistics.

A :class:`Schema` is inferred from the *values* of a table (:func:`infer_schema`, one of the
three doors through which rows enter), written as JSON for the owner to edit, and from then
on the only description of the table that other modules read.

Cells of every pandas dtype pass through Arrow (:func:`to_arrow`), which knows them all and
has one way to say "missing"; text that holds dates goes through :func:`parse_dates` and
:func:`spell_dates`, which know every year from 1 to 9999.
"""

from __future__ import annotations

import datetime
import decimal
import difflib
import json
import math
import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthgan.errors import SchemaError, TableError
from synthgan.records import from_plain, to_plain

Dates = npt.NDArray[np.datetime64]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

Level = str | int | float | bool
"""One category: what a cell of a categorical column can hold."""

Resolution = Literal["D", "h", "min", "s", "ms", "us", "ns"]
"""Unit in which the dates of a column count, numpy's names."""

Family = Literal["text", "integer", "float", "decimal", "boolean", "date", "category", "object"]
"""What a dtype can hold, whoever implements it: numpy, pandas or Arrow."""

NANOSECONDS: dict[Resolution, int] = {
    "D": 86_400 * 10**9,
    "h": 3_600 * 10**9,
    "min": 60 * 10**9,
    "s": 10**9,
    "ms": 10**6,
    "us": 10**3,
    "ns": 1,
}
"""Length of each resolution, coarsest first."""

_VERSION = 1
_FEW_ROWS = 20  # too few to tell a name of a row from a property of it
_NEARLY_UNIQUE = 0.95


class Kind(Enum):
    """What the cells of a column mean."""

    NUMBER = "number"
    INTEGER = "integer"
    CATEGORY = "category"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    IDENTIFIER = "identifier"
    """Names a row; never modelled, made anew."""
    TEXT = "text"
    """Free text; never modelled, made anew."""

    @property
    def is_numeric(self) -> bool:
        """Whether cells have an order and a distance (numbers, integers, dates)."""
        return self in (Kind.NUMBER, Kind.INTEGER, Kind.DATETIME)

    @property
    def is_modelled(self) -> bool:
        """Whether the model learns the column at all."""
        return self not in (Kind.IDENTIFIER, Kind.TEXT)


_NUMBERS = (Kind.NUMBER, Kind.INTEGER, Kind.CATEGORY, Kind.BOOLEAN, Kind.IDENTIFIER)
_KINDS_OF: dict[Family, tuple[Kind, ...]] = {
    "text": tuple(Kind),
    "object": tuple(Kind),
    "integer": _NUMBERS,
    "float": _NUMBERS,
    "decimal": _NUMBERS,
    "boolean": (Kind.BOOLEAN, Kind.CATEGORY),
    "date": (Kind.DATETIME, Kind.CATEGORY),
    "category": (Kind.CATEGORY, Kind.IDENTIFIER, Kind.TEXT),
}
_PRINTF = re.compile(r"%[-+ 0]?[0-9]{0,2}(?:\.[0-9]{1,2})?[dfeEgG]")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?")


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: its name, what its cells mean, and how they are written.

    Raises :class:`SchemaError`, naming the column, for fields that contradict each other.
    """

    name: str
    kind: Kind
    dtype: str
    """The pandas dtype in which the column came and comes back, as ``str(series.dtype)``."""
    nullable: bool = False
    """Whether cells can be missing."""
    decimals: int | None = None
    """NUMBER: digits after the point that cells have at most; None means full precision."""
    resolution: Resolution | None = None
    """DATETIME: the coarsest unit that holds every cell exactly."""
    format: str | None = None
    """How cells held as text are spelled. DATETIME: a strftime format, in which ``%-d`` has no
    leading zero, ``%3f`` and ``%9f`` have three and nine digits, and ``%.f`` is a fraction
    with its point and without trailing zeros. BOOLEAN: the two spellings, false first, as in
    ``no|yes``. NUMBER and INTEGER: a printf format such as ``%.2f``. IDENTIFIER: a pattern in
    which ``9`` stands for a digit, ``A`` and ``a`` for letters, ``F`` and ``f`` for
    hexadecimal digits, other characters for themselves. None: cells are not text. With dtype
    ``object``, ``Decimal``, ``date`` or ``datetime`` names the Python type of the cells."""
    categories: tuple[Level, ...] | None = None
    """CATEGORY: the levels, where the owner declared them; never filled in from rows."""
    ordered: bool = False
    """CATEGORY: whether the pandas categorical dtype is ordered."""
    low: float | str | None = None
    """Declared lower bound (inclusive; an ISO date for DATETIME); never filled in from rows."""
    high: float | str | None = None
    """Declared upper bound, likewise."""

    def __post_init__(self) -> None:
        held = family(to_dtype(self.dtype, self.name))
        self._require(
            self.kind in _KINDS_OF[held],
            f"kind {self.kind.value} does not go with dtype {self.dtype}",
        )
        self._require(
            self.decimals is None or (self.kind is Kind.NUMBER and 0 <= self.decimals <= 15),
            "decimals must be 0 to 15, and are for kind number only",
        )
        self._require(
            self.resolution is None or self.kind is Kind.DATETIME,
            "resolution is for kind datetime only",
        )
        self._check_categories()
        self._check_bounds()
        if self.format is not None:
            self._check_format(self.format)

    def _require(self, holds: bool, message: str) -> None:
        if not holds:
            raise SchemaError(f"column {self.name!r}: {message}")

    def _check_categories(self) -> None:
        levels = self.categories
        self._require(not self.ordered or self.kind is Kind.CATEGORY, "only categories are ordered")
        if levels is None:
            return
        self._require(self.kind is Kind.CATEGORY, "categories are for kind category only")
        self._require(len(levels) > 0, "categories must not be empty: leave them out instead")
        self._require(len({*map(str, levels)}) == len(levels), "categories must be unique")
        plain = all(
            isinstance(v, str) or (isinstance(v, int | float) and math.isfinite(v)) for v in levels
        )
        self._require(plain, "categories must be text, finite numbers or booleans")
        if family(to_dtype(self.dtype, self.name)) in ("text", "object"):
            are_text = all(isinstance(level, str) for level in levels)
            self._require(are_text, "categories must be text, as the cells are")

    def _check_bounds(self) -> None:
        bounds = [bound for bound in (self.low, self.high) if bound is not None]
        if not bounds:
            return
        self._require(self.kind.is_numeric, "low and high are for numbers and dates only")
        if self.kind is Kind.DATETIME:
            fit = all(isinstance(b, str) and _ISO_DATE.fullmatch(b) for b in bounds)
            self._require(fit, "low and high must be ISO dates, such as 2024-12-31")
            try:
                ends = [np.datetime64(str(bound)) for bound in bounds]
            except ValueError:
                raise SchemaError(f"column {self.name!r}: low or high is no date") from None
            self._require(bool(ends[0] <= ends[-1]), "low must not be above high")
        else:
            fit = all(isinstance(b, int | float) and np.isfinite(b) for b in bounds)
            self._require(fit, "low and high must be finite numbers")
            self._require(float(bounds[0]) <= float(bounds[-1]), "low must not be above high")

    def _check_format(self, format: str) -> None:
        if self.kind is Kind.BOOLEAN:
            spellings = format.split("|")
            self._require(
                len(spellings) == 2 and all(spellings) and spellings[0] != spellings[1],
                "format must be two different spellings, false first, such as no|yes",
            )
        elif self.kind is Kind.DATETIME:
            fit = format in ("date", "datetime") or _is_date_format(format)
            self._require(fit, "format must be a strftime format with a year, such as %Y-%m-%d")
        elif self.kind in (Kind.NUMBER, Kind.INTEGER):
            fit = format == "Decimal" or _PRINTF.fullmatch(format) is not None
            self._require(fit, "format must be one printf conversion, such as %.2f")
        else:
            fit = self.kind is Kind.IDENTIFIER and 1 <= len(format) <= 200
            self._require(fit, "format is for identifiers (a pattern), numbers, dates and booleans")


@dataclass(frozen=True, kw_only=True)
class Schema:
    """The columns of a table, in their order. Names are unique."""

    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for column in self.columns:
            if column.name in seen:
                raise SchemaError(f"column names must be unique, but {column.name!r} comes twice")
            seen.add(column.name)

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __getitem__(self, name: str) -> Column:
        """The column of that name; :class:`SchemaError` with near matches if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise SchemaError(f"there is no column {name!r}{_near(name, self.names)}")

    @property
    def names(self) -> tuple[str, ...]:
        """Column names, in table order."""
        return tuple(column.name for column in self.columns)

    def check(self, frame: pd.DataFrame) -> None:
        """Raises :class:`SchemaError` unless ``frame`` has exactly these columns, in any order.

        Whether the cells fit is found where they are read, in :mod:`synthgan.values`.
        """
        found = _checked_names(frame)
        missing = [name for name in self.names if name not in set(found)]
        extra = [name for name in found if name not in set(self.names)]
        parts = []
        if missing:
            near = _near(missing[0], extra)
            parts.append(f"columns are missing: {_some(missing)}{near}")
        if extra:
            parts.append(f"columns are not in the schema: {_some(extra)}")
        if parts:
            raise SchemaError("the table does not follow the schema: " + "; ".join(parts))

    def to_json(self) -> str:
        """The schema as indented JSON, made to be edited; defaults are left out."""
        plain = to_plain(self, skip_defaults=True)
        assert isinstance(plain, dict)
        return json.dumps({"synthgan_schema": _VERSION, **plain}, indent=2, ensure_ascii=False)

    @staticmethod
    def from_json(text: str) -> Schema:
        """The reverse of :meth:`to_json`; :class:`SchemaError` for anything malformed."""
        try:
            plain = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise SchemaError(f"the schema is not valid JSON: {error}") from None
        if not isinstance(plain, dict) or type(plain.get("synthgan_schema")) is not int:
            raise SchemaError('a schema is a JSON object with "synthgan_schema": 1 in it')
        version = plain.pop("synthgan_schema")
        if version != _VERSION:
            raise SchemaError(f"the schema has version {version}, this SynthGAN reads {_VERSION}")
        try:
            return from_plain(Schema, plain, "schema")
        except (ValueError, OverflowError, RecursionError) as error:
            raise SchemaError(str(error)) from None


def infer_schema(frame: pd.DataFrame) -> Schema:
    """The schema of ``frame``, judged by its values: one :class:`Column` a column.

    The dtype alone decides little: whole numbers stored as floats are INTEGER; text is read
    as booleans (``no``/``yes`` and the like), numbers or dates where every cell can be, and
    stays text where it looks like codes (leading zeros, digits of one width, few values).
    Slashed dates that could be either are month first, all others day first. Columns that
    name their rows are IDENTIFIER, nearly unique or long text is TEXT, the rest CATEGORY.
    An object column of mixed types is read as text, cell by cell, as ``str`` gives it. The
    dtype ``category`` always means CATEGORY; the order of an ordered one, where it is not
    that of sorting, is its owner's declaration and is kept as ``categories``.

    ``frame.attrs["synthgan.fixed_decimals"]`` may map a column to the number of digits that
    its text always had after the point.

    Raises :class:`TableError` for a table without rows and :class:`SchemaError` (naming the
    column) for names that are no text or not unique, and for cells that cannot be modelled.
    """
    names = _checked_names(frame)
    if len(frame) == 0:
        raise TableError("a table with rows is needed, but this one has none")
    fixed = frame.attrs.get("synthgan.fixed_decimals", {})
    return Schema(
        columns=tuple(
            _infer_column(frame.iloc[:, i], name, fixed.get(name)) for i, name in enumerate(names)
        )
    )


def _checked_names(frame: pd.DataFrame) -> list[str]:
    if frame.shape[1] == 0:
        raise SchemaError("a table with columns is needed, but this one has none")
    if isinstance(frame.columns, pd.MultiIndex):
        raise SchemaError("column names have several levels: join them into one text each")
    if not all(isinstance(name, str) for name in frame.columns):
        raise SchemaError("column names must be text: use df.columns = df.columns.astype(str)")
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise SchemaError(f"column names must be unique, but {_some(list(twice))} come twice")
    return [str(name) for name in frame.columns]


def _near(name: str, names: Sequence[str]) -> str:
    folded = {other.casefold().strip(): other for other in names}
    found = difflib.get_close_matches(name.casefold().strip(), folded, n=3)
    shown = " or ".join(repr(folded[match]) for match in found)
    return f" (did you mean {shown}?)" if found else ""


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:5]))
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"


# Kinds from values


def _infer_column(series: pd.Series[Any], name: str, fixed: int | None) -> Column:
    cells = to_arrow(series, name)
    base = Column(
        name=name, kind=Kind.CATEGORY, dtype=str(series.dtype), nullable=cells.null_count > 0
    )
    present = cells.drop_null()
    if family(series.dtype) == "category":
        return _infer_category(base, series, present)
    if len(present) == 0:
        return base
    if pa.types.is_boolean(present.type):
        return replace(base, kind=Kind.BOOLEAN)
    if pa.types.is_temporal(present.type):
        return _infer_dates(base, present)
    if pa.types.is_large_string(present.type):
        return _infer_text(base, present)
    if pa.types.is_integer(present.type):
        values = present.to_numpy(zero_copy_only=False)
        names_rows = base.dtype != "object" and not base.nullable and _count_rows(name, values)
        return replace(base, kind=Kind.IDENTIFIER if names_rows else Kind.INTEGER)
    return _infer_numbers(base, present, fixed)


def _infer_category(base: Column, series: pd.Series[Any], present: pa.Array) -> Column:
    if pa.types.is_temporal(present.type) or pa.types.is_decimal(present.type):
        raise SchemaError(
            f"column {base.name!r}: categories must be text, numbers or booleans; "
            "use astype(str), or the dtype of the categories themselves"
        )
    ordered = isinstance(series.dtype, pd.CategoricalDtype) and bool(series.dtype.ordered)
    if not ordered:
        return base
    levels = to_arrow(pd.Series(series.cat.categories), base.name).to_pylist()
    declared = tuple(levels) if levels != sorted(levels) else None
    return replace(base, ordered=True, categories=declared)


def _infer_dates(base: Column, present: pa.Array) -> Column:
    dates = present.to_numpy(zero_copy_only=False)
    marker = None
    if base.dtype == "object":
        marker = "date" if pa.types.is_date(present.type) else "datetime"
    return replace(base, kind=Kind.DATETIME, resolution=_resolution(dates), format=marker)


def _resolution(dates: Dates) -> Resolution:
    """The coarsest unit of which all ``dates`` (no NaT) are multiples."""
    step = int(np.gcd.reduce(dates.astype(np.int64))) * tick_of(dates)
    return next(name for name, length in NANOSECONDS.items() if step % length == 0)


def tick_of(dates: Dates) -> int:
    """Nanoseconds in the unit of ``dates``."""
    unit = np.datetime_data(dates.dtype)[0]
    return NANOSECONDS["min" if unit == "m" else unit]  # type: ignore[index]


def _infer_numbers(base: Column, present: pa.Array, fixed: int | None) -> Column:
    values = present.cast(pa.float64(), safe=False).to_numpy()
    if not np.isfinite(values).all():
        raise SchemaError(
            f"column {base.name!r}: some numbers are infinite; replace them, for example by "
            "missing cells"
        )
    format = f"%.{fixed}f" if fixed else None
    if base.dtype == "object" and pa.types.is_decimal(present.type):
        format = "Decimal"
    if np.array_equal(values, np.rint(values)) and np.abs(values).max() <= 2**53:
        return replace(base, kind=Kind.INTEGER, format=format)
    decimals = fixed or _decimals(values, single=pa.types.is_float32(present.type))
    return replace(base, kind=Kind.NUMBER, decimals=decimals, format=format)


def _decimals(values: Floats, *, single: bool = False) -> int | None:
    """The smallest number of digits up to 9 that ``values`` have, but for float noise."""
    rest = values[values != np.rint(values)]
    if len(rest) == 0:
        return 0
    # Where floats lie further apart than the digits tried, all of them would pass.
    spacing = np.spacing(np.median(np.abs(rest)).astype(np.float32 if single else np.float64))
    for digits in range(1, 10):
        if 10.0**-digits < spacing:
            return None
        rounded = np.round(rest, digits)
        if single:
            same = rounded.astype(np.float32) == rest.astype(np.float32)
        else:
            noise = np.minimum(4 * np.finfo(float).eps * np.abs(rest), 10.0**-digits * 1e-3)
            same = np.abs(rest - rounded) <= noise
        rest = rest[~same]
        if len(rest) == 0:
            return digits
    return None


_NAMING_WORDS = {"id", "ids", "key", "nr", "no", "number", "uuid", "guid", "index"}
_NAMING_ENDS = re.compile(
    r"(?:(?:user|customer|client|order|row|record|patient|person|member|employee|student|account"
    r"|case|object|transaction|product|item|session|event|device|passenger)id|number|uuid|index)$"
)


def _is_naming(name: str) -> bool:
    """Whether a column of this name is likely to name its rows: ``id``, ``order_no``, ``rowId``."""
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+", name)
    return bool(words and words[-1].lower() in _NAMING_WORDS) or bool(
        _NAMING_ENDS.search(name.lower())
    )


def _count_rows(name: str, values: npt.NDArray[Any]) -> bool:
    """Whether whole numbers name their rows: unique, and called so or without a gap."""
    rows = len(values)
    if rows < _FEW_ROWS:
        return False
    if _is_naming(name):
        return len(np.unique(values)) > _NEARLY_UNIQUE * rows
    low, high = int(values.min()), int(values.max())
    is_year = low >= 1000 and high <= 2200
    return high - low + 1 == rows and not is_year and len(np.unique(values)) == rows


_FALSE_TO_TRUE = {"false": "true", "f": "t", "no": "yes", "n": "y", "off": "on"}
_WHOLE = r"^-?(?:0|[1-9][0-9]{0,14})$"
_FIXED = r"^-?(?:0|[1-9][0-9]{0,13})\.[0-9]{1,14}$"
_ANY_NUMBER = r"^-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,14})?(?:[eE][-+]?[0-9]{1,2})?$"


def _infer_text(base: Column, present: pa.Array) -> Column:
    distinct = pc.unique(present)
    format = _boolean_format(distinct)
    if format is not None:
        return replace(base, kind=Kind.BOOLEAN, format=format)
    format = find_date_format(distinct, base.name)
    dates = parse_dates(distinct, format) if format else None
    if dates is not None:
        return replace(base, kind=Kind.DATETIME, format=format, resolution=_resolution(dates))
    number = _infer_number_text(base, present, distinct)
    return number or _infer_words(base, present, distinct)


def _boolean_format(distinct: pa.Array) -> str | None:
    if len(distinct) != 2:
        return None
    for no, yes in (distinct.to_pylist(), distinct.to_pylist()[::-1]):
        if _FALSE_TO_TRUE.get(no.lower()) == yes.lower():
            return f"{no}|{yes}"
    return None


def _infer_number_text(base: Column, present: pa.Array, distinct: pa.Array) -> Column | None:
    """Numbers held as text; None where the text is something else, such as codes."""
    if not _all_match(distinct, _ANY_NUMBER):
        return None
    lengths = pc.unique(pc.utf8_length(distinct))
    values = distinct.cast(pa.float64()).to_numpy()
    if _all_match(distinct, _WHOLE):
        one_width = len(lengths) == 1
        if len(distinct) == len(present) and _count_rows(base.name, values):
            pattern = "9" * pc.max(lengths).as_py()
            return replace(base, kind=Kind.IDENTIFIER, format=pattern)
        if values.min() >= 0 and (len(distinct) <= 20 or (one_width and lengths[0].as_py() >= 5)):
            return None
        return replace(base, kind=Kind.INTEGER, format="%d")
    if _all_match(distinct, _FIXED):
        digits = pc.unique(pc.utf8_length(pc.replace_substring_regex(distinct, r"^.*\.", "")))
        if len(digits) == 1:
            places = digits[0].as_py()
            return replace(base, kind=Kind.NUMBER, decimals=places, format=f"%.{places}f")
    return replace(base, kind=Kind.NUMBER, decimals=_decimals(values), format="%.15g")


def _all_match(text: pa.Array, pattern: str) -> bool:
    first = text.slice(0, 1)  # most columns are settled by their first cell
    return all(pc.all(pc.match_substring_regex(t, pattern)).as_py() for t in (first, text))


def _infer_words(base: Column, present: pa.Array, distinct: pa.Array) -> Column:
    share = len(distinct) / len(present)
    if len(present) < _FEW_ROWS or share <= 0.5:
        return base
    lengths = pc.utf8_length(distinct)
    blanks = pc.mean(pc.match_substring_regex(distinct, r"\s")).as_py()
    if share > _NEARLY_UNIQUE:
        if blanks == 0 and pc.max(lengths).as_py() <= 64:
            pattern = _code_pattern(distinct)
            if pattern is not None:
                return replace(base, kind=Kind.IDENTIFIER, format=pattern or None)
        return replace(base, kind=Kind.TEXT)
    is_long = blanks > 0.5 or pc.mean(lengths).as_py() > 30
    return replace(base, kind=Kind.TEXT) if is_long else base


def _code_pattern(distinct: pa.Array) -> str | None:
    """The pattern that all cells share; empty if they are codes of several shapes, None if
    they do not look like codes."""
    shapes = pc.unique(_mapped(distinct, _TO_SHAPE))
    first: str = shapes[0].as_py()
    if len(shapes) == 1 and ("9" in first or "a" not in first):
        return first
    for table in (_TO_LOWER_HEX, _TO_UPPER_HEX):
        hexadecimal = pc.unique(_mapped(distinct, table))
        pattern: str = hexadecimal[0].as_py()
        if len(hexadecimal) == 1 and len(pattern) >= 8 and not set(pattern) - set("fF-"):
            return pattern
    outlines = pc.unique(pc.replace_substring_regex(shapes, "9+|A+|a+", "#"))
    with_digit = pc.mean(pc.match_substring(shapes, "9")).as_py()
    one_length = len(pc.unique(pc.utf8_length(shapes))) == 1
    one_outline = with_digit == 1 and len(outlines) == 1
    return "" if one_outline or (one_length and with_digit > 0.9) else None


def _table(*classes: tuple[str, str]) -> npt.NDArray[np.uint8]:
    table = np.arange(256, dtype=np.uint8)
    for characters, stand_in in classes:
        table[np.frombuffer(characters.encode(), dtype=np.uint8)] = ord(stand_in)
    return table


_TO_SHAPE = _table(
    (string.digits, "9"), (string.ascii_uppercase, "A"), (string.ascii_lowercase, "a")
)
_TO_LOWER_HEX = _table((string.digits + "abcdef", "f"))
_TO_UPPER_HEX = _table((string.digits + "ABCDEF", "F"))


def _mapped(text: pa.Array, table: npt.NDArray[np.uint8]) -> pa.Array:
    """``text`` (large_string, no nulls) with each ASCII character replaced as ``table`` says."""
    validity, offsets, data = text.buffers()
    characters = table[np.frombuffer(data, dtype=np.uint8)]
    buffers = [validity, offsets, pa.py_buffer(characters)]
    return pa.Array.from_buffers(text.type, len(text), buffers, offset=text.offset)


# Cells of any dtype as Arrow


def to_arrow(series: pd.Series[Any], name: str) -> pa.Array:
    """The cells of ``series``, of whatever dtype, with null where missing.

    The type is one of large_string, the integers and floats, decimals, boolean, dates and
    timestamps, or null if every cell is missing. Categoricals give the values of their
    categories. Floats are never NaN. Raises :class:`SchemaError` naming the column for cells
    of other types.
    """
    try:
        array = _any_to_arrow(series, name)
    except SchemaError:
        raise
    except (pa.ArrowException, ArithmeticError, TypeError, ValueError):
        raise _unreadable(series, name) from None
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if _is_text(array.type):
        return array.cast(pa.large_string())
    if pa.types.is_float16(array.type):
        array = array.cast(pa.float32())
    if pa.types.is_floating(array.type):
        return pc.if_else(pc.is_nan(array), None, array)
    if not any(holds(array.type) for holds in _READABLE):
        raise _unreadable(series, name)
    return array


_READABLE = (
    pa.types.is_null,
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_decimal,
    pa.types.is_date,
    pa.types.is_timestamp,
)


def _is_text(type: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(type) or pa.types.is_large_string(type) or type == pa.string_view()
    )


def _unreadable(series: pd.Series[Any], name: str) -> SchemaError:
    return SchemaError(
        f"column {name!r}: cells of dtype {series.dtype} cannot be read; make them numbers, text, "
        "booleans or dates, or drop the column"
    )


def _any_to_arrow(series: pd.Series[Any], name: str) -> pa.Array | pa.ChunkedArray:
    if isinstance(series.dtype, pd.CategoricalDtype):
        codes = series.cat.codes.to_numpy()
        levels = to_arrow(pd.Series(series.cat.categories), name)
        return levels.take(pa.array(codes, mask=codes < 0))
    if series.dtype == object:
        return _objects_to_arrow(series, name)
    return pa.array(series, from_pandas=True)


_OPAQUE = (bytes, bytearray, complex, np.complexfloating, datetime.timedelta, np.timedelta64)


def _objects_to_arrow(series: pd.Series[Any], name: str) -> pa.Array:
    cells = series.to_numpy(copy=True)
    here = series.notna().to_numpy()
    cells[~here] = None
    present = cells[here].tolist()
    types = set(map(type, present))

    def all_are(*wanted: type) -> bool:
        return all(issubclass(t, wanted) for t in types)

    if all_are(str):
        return pa.array(cells, pa.large_string())
    if all_are(bool, np.bool_):
        return pa.array(cells, pa.bool_())
    if all_are(datetime.datetime):
        _refuse_time_zones(present, name)
        return pa.array(cells, pa.timestamp("us"))
    if all_are(datetime.date) and not any(issubclass(t, datetime.datetime) for t in types):
        return pa.array(cells, pa.date32())
    if all_are(int, float, np.integer, np.floating, decimal.Decimal) and bool not in types:
        return _object_numbers(cells, here, exact=all_are(int, np.integer, decimal.Decimal))
    if any(issubclass(t, _OPAQUE) or (hasattr(t, "__iter__") and t is not str) for t in types):
        raise TypeError("nested or binary cells")
    cells[here] = [str(cell) for cell in present]
    return pa.array(cells, pa.large_string())


def _object_numbers(
    cells: npt.NDArray[np.object_], here: npt.NDArray[np.bool_], *, exact: bool
) -> pa.Array:
    if exact:
        try:
            return pa.array(cells)  # integers or decimals
        except (pa.ArrowException, ArithmeticError, ValueError):
            pass  # beyond Arrow's types, but not beyond floats
    floats = np.full(len(cells), np.nan)
    floats[here] = [_to_float(cell) for cell in cells[here]]
    return pa.array(floats, from_pandas=True)


def _to_float(cell: Any) -> float:
    try:
        return float(cell)
    except OverflowError:
        return math.inf


def _refuse_time_zones(cells: Sequence[datetime.datetime], name: str) -> None:
    if any(cell.tzinfo is not None for cell in cells):
        raise SchemaError(
            f"column {name!r}: it holds Python datetimes with time zones; convert it first, "
            "with pd.to_datetime(column, utc=True)"
        )


# Dtypes by name

Dtype = np.dtype[Any] | pd.api.extensions.ExtensionDtype


def to_dtype(dtype: str, column: str) -> Dtype:
    """The pandas dtype that ``str`` gave as ``dtype``; :class:`SchemaError` names ``column``."""
    found = _find_dtype(dtype)
    if found is None:
        raise SchemaError(
            f"column {column!r}: dtype {dtype} is not supported; use numbers, text, booleans, "
            "categories, or dates with a named time zone or none"
        )
    return found


@lru_cache(maxsize=1024)
def _find_dtype(dtype: str) -> Dtype | None:
    try:
        if dtype == "str":
            found: Dtype = pd.StringDtype(na_value=np.nan)  # older pandas reads it as numpy's
        elif dtype.endswith("[pyarrow]"):  # pandas reads string[pyarrow] as its own string
            found = pd.ArrowDtype(_arrow_type(dtype.removesuffix("[pyarrow]")))
        else:
            found = pd.api.types.pandas_dtype(dtype)
    except (TypeError, ValueError, KeyError, NotImplementedError, pa.ArrowException):
        return None
    return found if _family(found) else None


def _arrow_type(name: str) -> pa.DataType:
    if found := re.fullmatch(r"timestamp\[(s|ms|us|ns), tz=(.+)\]", name):
        return pa.timestamp(found[1], found[2])
    if found := re.fullmatch(r"decimal(32|64|128|256)\((\d+), (\d+)\)", name):
        make = getattr(pa, f"decimal{found[1]}")
        return make(int(found[2]), int(found[3]))
    if found := re.fullmatch(r"dictionary<values=(.+), indices=(u?int\d+), ordered=([01])>", name):
        index = pa.type_for_alias(found[2])
        return pa.dictionary(index, _arrow_type(found[1]), found[3] == "1")
    return pa.type_for_alias(name)


def family(dtype: Dtype) -> Family:
    """What ``dtype``, which :func:`to_dtype` knows, can hold."""
    found = _family(dtype)
    assert found is not None
    return found


_FAMILY_OF_KIND: dict[str, Family] = {
    "b": "boolean", "i": "integer", "u": "integer", "f": "float", "M": "date", "O": "object"
}  # fmt: skip


def _family(dtype: Dtype) -> Family | None:
    if isinstance(dtype, pd.ArrowDtype):
        return _arrow_family(dtype.pyarrow_dtype)
    if isinstance(dtype, pd.CategoricalDtype):
        return "category"
    if isinstance(dtype, pd.StringDtype):
        return "text"
    if isinstance(dtype, pd.DatetimeTZDtype):
        return "date"
    if isinstance(dtype, np.dtype) or hasattr(dtype, "numpy_dtype"):
        return _FAMILY_OF_KIND.get(dtype.kind)
    return None


def _arrow_family(type: pa.DataType) -> Family | None:
    if _is_text(type) or pa.types.is_null(type):
        return "text"
    tests: dict[Family, Any] = {
        "boolean": pa.types.is_boolean,
        "integer": pa.types.is_integer,
        "float": pa.types.is_floating,
        "decimal": pa.types.is_decimal,
        "category": pa.types.is_dictionary,
        "date": lambda t: pa.types.is_timestamp(t) or pa.types.is_date(t),
    }
    return next((name for name, holds in tests.items() if holds(type)), None)


# Dates in text

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_TWO = tuple(f"{i:02d}" for i in range(100))
_ONE = tuple(str(i) for i in range(100))


def _spelling(field: str, pattern: str, numbers: Sequence[str]) -> tuple[str, str, pa.Array]:
    return field, pattern, pa.array(numbers, pa.large_string())


# For each directive the field that it spells, a pattern, and the spelling of each number.
_SPELLINGS = {
    "%Y": _spelling("year", "[0-9]{4}", tuple(f"{i:04d}" for i in range(10_000))),
    "%y": _spelling("short year", "[0-9]{2}", _TWO),
    "%m": _spelling("month", "[0-9]{2}", ("", *_TWO[1:13])),
    "%-m": _spelling("month", "[0-9]{1,2}", ("", *_ONE[1:13])),
    "%b": _spelling("month", "[A-Za-z]{3}", ("", *(name[:3] for name in _MONTHS))),
    "%B": _spelling("month", "[A-Za-z]{3,9}", ("", *_MONTHS)),
    "%d": _spelling("day", "[0-9]{2}", ("", *_TWO[1:32])),
    "%-d": _spelling("day", "[0-9]{1,2}", ("", *_ONE[1:32])),
    "%H": _spelling("hour", "[0-9]{2}", _TWO[:24]),
    "%-H": _spelling("hour", "[0-9]{1,2}", _ONE[:24]),
    "%I": _spelling("half hour", "[0-9]{2}", (_TWO[12], *_TWO[1:12])),
    "%-I": _spelling("half hour", "[0-9]{1,2}", (_ONE[12], *_ONE[1:12])),
    "%p": _spelling("half", "[AP]M", ("AM", "PM")),
    "%M": _spelling("minute", "[0-9]{2}", _TWO[:60]),
    "%S": _spelling("second", "[0-9]{2}", _TWO[:60]),
}
_FRACTIONS = {
    "%3f": "[0-9]{3}",
    "%f": "[0-9]{6}",
    "%9f": "[0-9]{9}",
    "%.f": r"(?:\.[0-9]{0,8}[1-9])?",
}
_DIRECTIVE = re.compile(r"(%(?:-?[A-Za-z]|[39.]f|%))")

# In order of preference, where more than one reads all cells.
_DATE_FORMATS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d",
    "%m/%d/%Y", "%d/%m/%Y", "%-m/%-d/%Y", "%-d/%-m/%Y",
    "%m/%d/%y", "%d/%m/%y", "%-m/%-d/%y", "%-d/%-m/%y",
    "%d.%m.%Y", "%m.%d.%Y", "%-d.%-m.%Y", "%d.%m.%y", "%-d.%-m.%y",
    "%d-%m-%Y", "%m-%d-%Y", "%-d-%-m-%Y", "%-m-%-d-%Y",
    "%d-%b-%Y", "%-d-%b-%Y", "%d-%b-%y", "%-d-%b-%y", "%d/%b/%Y",
    "%d %b %Y", "%-d %b %Y", "%d %B %Y", "%-d %B %Y",
    "%b %d, %Y", "%b %-d, %Y", "%B %d, %Y", "%B %-d, %Y",
    "%Y-%-m-%-d", "%Y/%-m/%-d",
)  # fmt: skip
_DATE_LIKE = (
    r"^(?P<date>[0-9A-Za-z ,./-]{6,18}?)"
    r"(?:(?P<sep>[T ])(?P<time>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)"
    r"(?P<half> ?[AP]M)?(?P<offset> ?(?:Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?))?)?$"
)
_SAMPLE = 200


def find_date_format(text: pa.Array, name: str) -> str | None:
    """The first format that reads every cell of ``text`` (large_string, no nulls), or None.

    Reading is strict: :func:`spell_dates` gives the same text back. Raises
    :class:`SchemaError`, naming the column, if the cells differ in their time zones.
    """
    sample = text.slice(0, _SAMPLE)
    like = re.match(_DATE_LIKE, sample[0].as_py())
    if like is None:
        return None
    date = pa.array([like["date"]], pa.large_string())
    for day in _DATE_FORMATS:
        if parse_dates(date, day) is None:
            continue
        if day == "%Y%m%d" and not 1800 <= int(like["date"][:4]) < 2200:
            continue  # more likely a code
        for time in _time_formats(like):
            if all(parse_dates(cells, day + time) is not None for cells in (sample, text)):
                return day + time
    if like["time"]:
        _refuse_mixed_offsets(text, name)
    return None


def _time_formats(like: re.Match[str]) -> list[str]:
    """Formats of the time of day of which ``like`` is an example; with what comes after it."""
    if not like["time"]:
        return [""]
    hours = ("%I", "%-I") if like["half"] else ("%H", "%-H")
    _, colon, rest = like["time"][3:].partition(":")
    fractions = [""]
    if colon:
        digits = len(rest.partition(".")[2])
        fractions = [{0: "", 3: ".%3f", 6: ".%f", 9: ".%9f"}.get(digits, "%.f"), "%.f"]
    half = re.sub("[AP]M", "%p", like["half"] or "")
    return [
        f"{like['sep']}{hour}:%M{':%S' if colon else ''}{fraction}{half}{like['offset'] or ''}"
        for hour in hours
        for fraction in fractions
    ]


def _refuse_mixed_offsets(text: pa.Array, name: str) -> None:
    parts = pc.extract_regex(text, _DATE_LIKE)
    if parts.null_count or len(pc.unique(parts.field("offset"))) == 1:
        return
    fields = [parts.field(part) for part in ("date", "sep", "time", "half")]
    naive = pc.binary_join_element_wise(*fields, pa.scalar("", pa.large_string()))
    if find_date_format(naive, name) is not None:
        raise SchemaError(
            f"column {name!r}: its dates have different time zones; convert them to UTC first, "
            "with pd.to_datetime(column, utc=True)"
        )


def parse_dates(text: pa.Array, format: str) -> Dates | None:
    """Dates that ``text`` (large_string, no nulls) spells, or None unless all cells do.

    The unit is microseconds, or nanoseconds where cells need it. Time zones are part of the
    format's own text, so the dates are wall time.
    """
    pieces = _DIRECTIVE.split(format)
    pattern = "".join(_pattern(piece, i) for i, piece in enumerate(pieces))
    groups = pc.extract_regex(text, f"^{pattern}$")
    if groups.null_count:
        return None
    fields: dict[str, Ints] = {}
    for i, piece in enumerate(pieces):
        if piece in _FRACTIONS:
            digits = pc.replace_substring(groups.field(f"g{i}"), ".", "")
            fields["nano"] = pc.utf8_rpad(digits, 9, "0").cast(pa.int64()).to_numpy()
        elif piece in _SPELLINGS:
            field, _, spellings = _SPELLINGS[piece]
            found = pc.index_in(groups.field(f"g{i}"), spellings)
            if found.null_count:
                return None
            fields[field] = found.to_numpy().astype(np.int64)
    return _compose(fields, len(text))


def _pattern(piece: str, place: int) -> str:
    if piece in _FRACTIONS:
        return f"(?P<g{place}>{_FRACTIONS[piece]})"
    if piece in _SPELLINGS:
        return f"(?P<g{place}>{_SPELLINGS[piece][1]})"
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", "%" if piece == "%%" else piece)


def _compose(fields: dict[str, Ints], rows: int) -> Dates | None:
    zero = np.zeros(rows, dtype=np.int64)
    if "year" in fields:
        year = fields["year"]
    else:  # as POSIX has it
        year = fields["short year"] + np.where(fields["short year"] < 69, 2000, 1900)
    month = (year - 1970) * 12 + fields.get("month", zero + 1) - 1
    months = month.astype("M8[M]")
    days = months.astype("M8[D]") + (fields.get("day", zero + 1) - 1)
    if rows and (year.min() < 1 or not np.array_equal(days.astype("M8[M]"), months)):
        return None  # no such day
    hour = fields.get("hour", zero) + fields.get("half hour", zero) + 12 * fields.get("half", zero)
    second = hour * 3600 + fields.get("minute", zero) * 60 + fields.get("second", zero)
    nano = fields.get("nano", zero)
    dates: Dates = days.astype("M8[us]") + (second * 10**6 + nano // 1000).astype("m8[us]")
    if not np.any(nano % 1000):
        return dates
    if year.min() < 1678 or year.max() > 2261:
        return None  # nanoseconds do not reach so far
    fine: Dates = dates.astype("M8[ns]") + (nano % 1000).astype("m8[ns]")
    return fine


def spell_dates(dates: Dates, format: str) -> pa.Array:
    """``dates`` (no NaT, years 1 to 9999) as text (large_string), the reverse of
    :func:`parse_dates`."""
    fields = _decompose(dates)
    parts: list[Any] = []
    for piece in _DIRECTIVE.split(format):
        if piece in _FRACTIONS:
            parts.append(_spell_fraction(fields["nano"], piece))
        elif piece in _SPELLINGS:
            field, _, spellings = _SPELLINGS[piece]
            parts.append(spellings.take(pa.array(fields[field])))
        elif piece:
            literal = "%" if piece == "%%" else piece
            parts.append(pa.scalar(literal, pa.large_string()))
    return pc.binary_join_element_wise(*parts, pa.scalar("", pa.large_string()))


def _decompose(dates: Dates) -> dict[str, Ints]:
    # By hand, as numpy overflows near the ends of what nanoseconds reach.
    tick = tick_of(dates)
    day, rest = np.divmod(dates.astype(np.int64), NANOSECONDS["D"] // tick)
    nano = rest * tick
    days = day.astype("M8[D]")
    months = days.astype("M8[M]")
    year = months.astype(np.int64) // 12 + 1970
    second = nano // 10**9
    hour = second // 3600
    return {
        "year": year,
        "short year": year % 100,
        "month": months.astype(np.int64) % 12 + 1,
        "day": (days - months.astype("M8[D]")).astype(np.int64) + 1,
        "hour": hour,
        "half hour": hour % 12,
        "half": hour // 12,
        "minute": second // 60 % 60,
        "second": second % 60,
        "nano": nano % 10**9,
    }


def _spell_fraction(nano: Ints, directive: str) -> pa.Array:
    digits = pc.utf8_lpad(pa.array(nano).cast(pa.large_string()), 9, "0")
    if directive == "%.f":
        point = pa.array(np.where(nano == 0, "", "."), pa.large_string())
        trimmed = pc.utf8_rtrim(digits, "0")
        return pc.binary_join_element_wise(point, trimmed, pa.scalar("", pa.large_string()))
    return pc.utf8_slice_codeunits(digits, 0, {"%3f": 3, "%f": 6, "%9f": 9}[directive])


def _is_date_format(format: str) -> bool:
    pieces = _DIRECTIVE.split(format)
    directives = [piece for piece in pieces[1::2] if piece != "%%"]
    known = all(piece in _SPELLINGS or piece in _FRACTIONS for piece in directives)
    return known and "%" not in "".join(pieces[::2]) and bool({"%Y", "%y"} & set(directives))
