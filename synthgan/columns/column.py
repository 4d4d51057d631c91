"""What one column is: its kind, type, format and limits."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, get_args

import numpy as np

from synthgan._typing import Dates, Floats
from synthgan.columns.date_format import NANOSECONDS, Resolution, is_date_format, tick_of
from synthgan.columns.dtypes import Family, family, to_dtype
from synthgan.columns.number_format import Spelling
from synthgan.errors import SchemaError
from synthgan.serialization import added


class Kind(Enum):
    """What the cells of a column mean."""

    NUMBER = "number"
    INTEGER = "integer"
    CATEGORY = "category"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    IDENTIFIER = "identifier"
    """Names a row; never modelled, generated."""
    TEXT = "text"
    """Free text; never modelled, generated."""

    @property
    def is_numeric(self) -> bool:
        """Whether cells have an order and a distance (numbers, integers, dates)."""
        return self in (Kind.NUMBER, Kind.INTEGER, Kind.DATETIME)

    @property
    def is_modelled(self) -> bool:
        """Whether the model learns the column at all."""
        return self not in (Kind.IDENTIFIER, Kind.TEXT)


Personal = Literal[
    "first_name",
    "last_name",
    "name",
    "user_name",
    "email",
    "phone",
    "street_address",
    "address",
    "city",
    "postcode",
    "national_id",
    "card",
    "iban",
    "imei",
    "mac",
    "vin",
    "plate",
    "ipv4",
    "ipv6",
    "url",
]
"""What the cells of a column say of a person. Such cells are never learned: they are generated."""

_PATTERNED = (
    "phone",
    "postcode",
    "national_id",
    "card",
    "iban",
    "imei",
    "mac",
    "vin",
    "plate",
)  # have a format
OF_DIGITS = ("phone", "postcode", "national_id", "card", "imei")
"""Personal data that may be held as numbers."""

_NUMBERS = (Kind.NUMBER, Kind.INTEGER, Kind.CATEGORY, Kind.BOOLEAN, Kind.IDENTIFIER)
_KINDS_OF: dict[Family, tuple[Kind, ...]] = {
    "text": tuple(Kind),
    "object": tuple(Kind),
    "integer": _NUMBERS,
    "float": _NUMBERS,
    "decimal": _NUMBERS,
    "boolean": (Kind.BOOLEAN, Kind.CATEGORY),
    "date": (Kind.DATETIME, Kind.CATEGORY),
    "duration": (Kind.NUMBER, Kind.INTEGER, Kind.CATEGORY),
    "category": (Kind.CATEGORY, Kind.IDENTIFIER, Kind.TEXT),
}
_MOST_DECLARED_WORDS = 1000
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
    hexadecimal digits, other characters, and those after a backslash, for themselves; likewise
    with ``personal`` phone, postcode, national_id, card, iban, imei, mac, vin or plate. An
    identifier of whole numbers may have one, too: generated ones have as many digits. None: cells
    are not text. With
    dtype ``object``, ``Decimal``, ``date``, ``datetime``, ``time`` or ``timedelta`` names the
    Python type of the cells; the last two are numbers of seconds, as durations of other dtypes
    are."""
    categories: tuple[Level, ...] | None = None
    """CATEGORY: the levels, where the owner declared them; never filled in from rows."""
    ordered: bool = False
    """CATEGORY: whether the pandas categorical dtype is ordered."""
    low: float | str | None = None
    """Declared lower bound (inclusive; an ISO date for DATETIME); never filled in from rows."""
    high: float | str | None = None
    """Declared upper bound, likewise."""
    words: tuple[str, ...] | None = field(default=None, metadata=added(None))
    """NUMBER, INTEGER in text: cells that stand among the numbers and are none, such as ``>89`` or
    ``unknown``. Inferred ones are shared by as many rows as a category must have to be named;
    declared ones may come out whatever the rows hold. Words that are not among them are learned
    together, and never come out. None: all cells are numbers."""
    personal: Personal | None = None
    """IDENTIFIER, TEXT: what is generated. Of an identifier, cells of all rows differ."""
    references: str | None = None
    """IDENTIFIER: the identifier column of this table whose cells these are, as those of a
    column of managers are among the keys of employees."""

    repeats: bool = field(default=False, metadata=added(False))
    """IDENTIFIER: whether rows may share a cell, as the visits of one patient share the patient's
    number; without it, cells of all rows differ."""
    per: str | None = field(default=None, metadata=added(None))
    """IDENTIFIER, TEXT: the repeating identifier of this table that decides the cells of this
    column, as a patient's number decides the patient's name: rows that share one share the
    other."""

    within: str | None = field(default=None, metadata=added(None))
    """IDENTIFIER that repeats: another one in whose rows its rows lie, as the orders of a customer:
    all rows of one order are of one customer."""

    @property
    def written_as(self) -> str:
        """How cells are written, or generated, in a few words; empty if there is nothing to say."""
        if self.personal is not None or self.references is not None:
            what = self.personal or f"as in {self.references}"
            return what if self.format is None else f"{what} {self.format}"
        if self.words is not None:
            return f"{self.format}, or words: {len(self.words)}"
        if self.format is not None:
            return self.format
        if self.decimals is not None:
            return f"{self.decimals} decimals"
        return "" if self.resolution is None else f"down to {self.resolution}"

    def __post_init__(self) -> None:
        self._check_kind()
        self._require(
            self.decimals is None or (self.kind is Kind.NUMBER and 0 <= self.decimals <= 15),
            "decimals must be 0 to 15, and are for kind number only",
        )
        self._require(
            self.resolution is None or self.kind is Kind.DATETIME,
            "resolution is for kind datetime only",
        )
        self._require(
            not self.repeats or (self.kind is Kind.IDENTIFIER and self.references is None),
            "repeats is for kind identifier without references only",
        )
        self._require(
            self.per is None or not (self.kind.is_modelled or self.references),
            "per is for kinds identifier and text without references only",
        )
        self._require(
            self.within is None or (self.repeats and self.per is None),
            "within is for identifiers that repeat, without per",
        )
        self._check_categories()
        self._check_bounds()
        self._check_words()
        if self.format is not None:
            self._require(len(self.format) <= 200, "format is longer than 200 characters")
            self._check_format(self.format)

    @property
    def spelling(self) -> Spelling | None:
        """How text spells the numbers of the column, where :attr:`format` is a pattern."""
        of_numbers = self.kind in (Kind.NUMBER, Kind.INTEGER) and self.format is not None
        if not of_numbers or _PRINTF.fullmatch(self.format or ""):
            return None
        return Spelling.of(self.format or "")

    def _require(self, holds: bool, message: str) -> None:
        if not holds:
            raise SchemaError(f"column {self.name!r}: {message}")

    def _check_kind(self) -> None:
        held = family(to_dtype(self.dtype, self.name))
        of_digits = held in ("integer", "float") and self.personal in OF_DIGITS
        self._require(
            self.kind in _KINDS_OF[held] or (self.kind is Kind.TEXT and of_digits),
            f"kind {self.kind.value} does not go with dtype {self.dtype}",
        )
        if self.personal is not None:
            self._require(
                self.personal in get_args(Personal), f"personal must be one of {get_args(Personal)}"
            )
            self._require(
                self.kind in (Kind.IDENTIFIER, Kind.TEXT),
                "personal is for kinds identifier and text; leave it out to learn the column",
            )
            self._require(
                held in ("text", "object", "category") or of_digits,
                f"personal {self.personal} does not go with dtype {self.dtype}",
            )
        if self.references is not None:
            self._require(
                self.kind is Kind.IDENTIFIER and self.personal is None,
                "references is for kind identifier without personal; leave it out otherwise",
            )

    def _check_categories(self) -> None:
        levels = self.categories
        self._require(not self.ordered or self.kind is Kind.CATEGORY, "only categories are ordered")
        if levels is None:
            return
        self._require(self.kind is Kind.CATEGORY, "categories are for kind category only")
        self._require(len(levels) > 0, "categories must not be empty: leave them out instead")
        self._require(len({*map(str, levels)}) == len(levels), "categories must be unique")
        plain = all(isinstance(v, str) or _is_finite(v) for v in levels)
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
            fit = all(_is_finite(bound) for bound in bounds)
            self._require(fit, "low and high must be finite numbers")
            self._require(float(bounds[0]) <= float(bounds[-1]), "low must not be above high")

    def _check_words(self) -> None:
        if self.words is None:
            return
        self._require(
            self.kind in (Kind.NUMBER, Kind.INTEGER)
            and family(to_dtype(self.dtype, self.name)) in ("text", "object")
            and self.format not in (None, "Decimal", "time", "timedelta"),
            "words are for numbers held as text, with a format such as %d",
        )
        few = len(self.words) <= _MOST_DECLARED_WORDS
        self._require(few, f"at most {_MOST_DECLARED_WORDS} words can be named")
        self._require(len(set(self.words)) == len(self.words), "words must be unique")
        self._require(all(len(word) <= 200 for word in self.words), "a word is too long")

    def _check_format(self, format: str) -> None:
        if self.kind is Kind.BOOLEAN:
            spellings = format.split("|")
            self._require(
                len(spellings) == 2 and all(spellings) and spellings[0] != spellings[1],
                "format must be two different spellings, false first, such as no|yes",
            )
        elif self.kind is Kind.DATETIME:
            fit = format in ("date", "datetime") or is_date_format(format)
            self._require(fit, "format must be a strftime format with a year, such as %Y-%m-%d")
        elif self.kind in (Kind.NUMBER, Kind.INTEGER):
            spelling = self.spelling
            fit = (
                format in ("Decimal", "time", "timedelta") or _PRINTF.fullmatch(format) is not None
            )
            self._require(
                fit or spelling is not None,
                "format must be a printf conversion, such as %.2f, or a pattern, such as #,##0.00",
            )
            if spelling is not None:
                held = family(to_dtype(self.dtype, self.name))
                self._require(
                    held in ("text", "object"), f"format {format} does not go with {self.dtype}"
                )
                self._require(
                    self.kind is Kind.NUMBER or spelling.places == 0,
                    "format must have no digits after the point, as kind integer has none",
                )
        else:
            has_pattern = self.kind is Kind.IDENTIFIER or self.personal in _PATTERNED
            self._require(
                has_pattern and bool(format),
                "format is for identifiers (a pattern), numbers, dates and booleans",
            )
            of_text = family(to_dtype(self.dtype, self.name)) in ("text", "object", "category")
            self._require(
                of_text or any(character in "0123456789" for character in format),
                f"format must have digits, such as 9999, as dtype {self.dtype} holds numbers",
            )


def _is_finite(value: object) -> bool:
    """Whether it is a number that a float can hold."""
    return isinstance(value, int | float) and abs(value) <= sys.float_info.max


Level = str | int | float | bool
"""One category: what a cell of a categorical column can hold."""


def bounds(column: Column) -> tuple[float, float]:
    """The declared bounds, in the units of :func:`read_cells`."""

    def value(bound: float | str | None, default: float) -> float:
        if isinstance(bound, str):
            date = np.array([bound], dtype="datetime64[us]")
            return float(count(date, column.resolution or "s")[0])
        return default if bound is None else float(bound)

    return value(column.low, -np.inf), value(column.high, np.inf)


def count(dates: Dates, resolution: Resolution) -> Floats:
    """``dates`` in units of ``resolution`` since 1970, NaN for NaT."""
    tick, ticks = tick_of(dates), dates.astype(np.int64)
    if tick >= NANOSECONDS[resolution]:
        counts = ticks.astype(np.float64) * (tick // NANOSECONDS[resolution])
    else:
        whole, rest = np.divmod(ticks, NANOSECONDS[resolution] // tick)
        counts = whole + rest / (NANOSECONDS[resolution] // tick)
    return np.where(np.isnat(dates), np.nan, counts)
