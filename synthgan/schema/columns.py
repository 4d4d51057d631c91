"""What the columns of a table are: :class:`Kind`, :class:`Column`, :class:`Schema`, and JSON."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd

from synthgan.errors import SchemaError
from synthgan.records import added, at_most, from_plain, is_unicode, to_plain
from synthgan.schema.constraints import (
    Bands,
    Constraint,
    FixedCombinations,
    FixedIncrements,
    FixedNullCombinations,
    Formula,
    Inequality,
    Level,
    MissingWhen,
    OneHot,
    Unique,
    check_cycles,
    check_work,
)
from synthgan.schema.dates import Resolution, is_date_format
from synthgan.schema.dtypes import Family, family, to_dtype
from synthgan.schema.spelling import Spelling
from synthgan.table import check_frame, near_words, take_table, write_bytes_atomically

_VERSION = 1


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
"""What the cells of a column say of a person. Such cells are never learned: they are made up."""

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
_LOCALE = re.compile(r"[a-z]{2,3}(?:_[A-Z]{2})?")

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
    identifier of whole numbers may have one, too: made-up ones have as many digits. None: cells
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
    """IDENTIFIER, TEXT: what is made up. Of an identifier, cells of all rows differ."""
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
        """How cells are written, or made up, in a few words; empty if there is nothing to say."""
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


@dataclass(frozen=True, kw_only=True)
class Schema:
    """The columns of a table, in their order, and the rules between them. Names are unique."""

    columns: tuple[Column, ...] = field(metadata=at_most(5_000))
    constraints: tuple[Constraint, ...] = field(default=(), metadata=at_most(5_000))
    """Rules that every row that is drawn keeps."""
    locale: str | None = None
    """Language and country of made-up names, addresses and the like, such as ``de_DE``; None
    is ``en_US``."""
    entity: str | None = field(default=None, metadata=added(None))
    """The identifier column that says whose row it is (a person, a household, a device), where
    one entity may have several rows: what is kept of the table is then counted in entities, not
    in rows. None: each row is an entity of its own."""

    def __post_init__(self) -> None:
        if len(self._by_name) < len(self.columns):
            twice = next(n for n, count in Counter(self.names).items() if count > 1)
            raise SchemaError(f"column names must be unique, but {twice!r} comes twice")
        if self.locale is not None and not _LOCALE.fullmatch(self.locale):
            raise SchemaError("locale must be a language and a country, such as de_DE")
        for column in self.columns:
            if column.references is not None:
                self._check_reference(column, column.references)
            if column.per is not None:
                self._check_per(column, "per", column.per)
            if column.within is not None:
                self._check_per(column, "within", column.within)
        if self.entity is not None:
            self._check_entity(self.entity)
        for constraint in self.constraints:
            self._check_constraint(constraint)
        check_cycles(self.constraints)
        check_work(self.constraints)

    def _check_reference(self, column: Column, key: str) -> None:
        about = f"column {column.name!r}: references {key!r}"
        if key not in self._by_name:
            raise SchemaError(f"{about}, which is no column{_near(key, self.names)}")
        if self[key].kind is not Kind.IDENTIFIER or self[key].references is not None:
            raise SchemaError(f"{about}, which must be an identifier that references no other")

    def _check_per(self, column: Column, field: str, key: str) -> None:
        about = f"column {column.name!r}: {field} {key!r}"
        if key not in self.names:
            raise SchemaError(f"{about}, which is no column{_near(key, self.names)}")
        known = self[key]
        follows = known.per is not None or (field == "within" and known.within is not None)
        if key == column.name or not known.repeats or follows:
            raise SchemaError(
                f"{about}, which must be another column, an identifier that repeats and has no "
                f"{field} itself"
            )

    def _check_entity(self, name: str) -> None:
        if name not in self.names:
            raise SchemaError(f"entity {name!r} is no column{_near(name, self.names)}")
        if self[name].kind.is_modelled:
            raise SchemaError(
                f"entity {name!r} is of kind {self[name].kind.value}, but whose row it is must not "
                "be learned: make it kind identifier, with repeats, or take the entity out of the "
                "schema"
            )

    def _check_constraint(self, constraint: Constraint) -> None:
        about = f"constraint {constraint.rule} ({constraint})"
        for name in constraint.columns:
            if name not in self._by_name:
                raise SchemaError(f"{about}: there is no column {name!r}{_near(name, self.names)}")
            if not self[name].kind.is_modelled:
                raise SchemaError(
                    f"{about}: column {name!r} is made anew ({self[name].kind.value}), not learned"
                )
            if self[name].words is not None and name in _whole_cells(constraint):
                raise SchemaError(
                    f"{about}: column {name!r} has words among its numbers, of which this rule "
                    "cannot tell; make it a category in the schema"
                )
        if isinstance(constraint, OneHot):
            wanted, what = (Kind.BOOLEAN, Kind.INTEGER, Kind.NUMBER), "0 and 1, or booleans"
        else:
            wanted, what = (Kind.NUMBER, Kind.INTEGER, Kind.DATETIME), "numbers or dates"
        for name in _numeric(constraint):
            if self[name].kind not in wanted:
                raise SchemaError(
                    f"{about}: column {name!r} must hold {what}, but is {self[name].kind.value}"
                )
        if isinstance(constraint, Inequality):
            self._check_one_scale(about, constraint.columns)

    def _check_one_scale(self, about: str, names: Sequence[str]) -> None:
        scales = {(self[name].kind is Kind.DATETIME, self[name].resolution) for name in names}
        if len(scales) > 1:
            raise SchemaError(
                f"{about}: numbers, and dates of different resolution, cannot be compared; give "
                "the dates the finer resolution in the schema"
            )

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __getitem__(self, name: str) -> Column:
        """The column of that name; :class:`SchemaError` with near matches if there is none."""
        found = self._by_name.get(name)
        if found is None:
            raise SchemaError(f"there is no column {name!r}{_near(name, self.names)}")
        return found

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Column names, in table order."""
        return tuple(column.name for column in self.columns)

    def of_entity(self, name: str) -> Schema:
        """The schema whose entity is ``name``, an identifier that repeats then."""
        own = self[name]
        if own.kind is Kind.IDENTIFIER:
            own = replace(own, repeats=True, references=None, per=None, within=None)
        elif own.kind is Kind.TEXT and own.personal is not None:
            own = replace(own, kind=Kind.IDENTIFIER, repeats=True, per=None)
        else:
            own = Column(
                name=name,
                kind=Kind.IDENTIFIER,
                dtype=own.dtype,
                nullable=own.nullable,
                repeats=True,
            )
        kept = tuple(rule for rule in self.constraints if name not in rule.columns)
        columns = tuple(own if column.name == name else column for column in self.columns)
        return replace(self, columns=columns, constraints=kept, entity=name)

    def of_columns(
        self, columns: Sequence[Column], constraints: Sequence[Constraint] = ()
    ) -> Schema:
        """The schema with ``columns`` and ``constraints`` in place of its own. What columns say of
        others that are keys no longer is left out, and so is the entity."""
        keys = {c.name for c in columns if c.kind is Kind.IDENTIFIER and c.references is None}
        owners = {c.name for c in columns if c.repeats and c.per is None}
        kept = (
            replace(
                column,
                per=column.per if column.per in owners else None,
                within=column.within if column.within in owners else None,
                references=column.references if column.references in keys else None,
            )
            for column in columns
        )
        return replace(
            self,
            columns=tuple(kept),
            constraints=tuple(constraints),
            entity=self.entity if self.entity in owners else None,
        )

    def without(self, name: str) -> Schema:
        """The schema without a column, its rules, and what others say of it."""
        kept = [column for column in self.columns if column.name != name]
        rules = [rule for rule in self.constraints if name not in rule.columns]
        return self.of_columns(kept, rules)

    def check(self, frame: pd.DataFrame) -> None:
        """Raises :class:`SchemaError` unless ``frame`` has exactly these columns, in any order.

        Whether the cells fit is found where they are read, in :mod:`synthgan.values`.
        """
        found = checked_names(frame)
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

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Writes :meth:`to_json` to a file, in UTF-8, whole or not at all.

        Raises :class:`TableError` if the file cannot be written or is there already.
        """
        write_bytes_atomically(path, f"{self.to_json()}\n".encode(), overwrite=overwrite)

    @staticmethod
    def load(path: str | Path, *, table: pd.DataFrame | str | Path | None = None) -> Schema:
        """The schema in a file; :class:`SchemaError`, naming it, if there is none.

        SDV's metadata of one table, version V1, is taken as well. It needs the ``table`` (or
        the path of it) that it describes, as it says nothing of dtypes and decimals.
        """
        try:
            text = Path(path).read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            raise SchemaError(f"{path}: there is no such file") from None
        except OSError as error:
            raise SchemaError(f"{path} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise SchemaError(f"{path} is no schema: it is not UTF-8 text") from None
        try:
            return _of_metadata(text, table) or Schema.from_json(text)
        except SchemaError as error:
            raise SchemaError(f"{path}: {error}") from None

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


def _of_metadata(text: str, table: pd.DataFrame | str | Path | None) -> Schema | None:
    """The schema that SDV's metadata describes; None if ``text`` is something else."""
    from synthgan.schema.sdv import is_sdv_metadata, schema_of_metadata  # builds on this module

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


def _is_finite(value: object) -> bool:
    """Whether it is a number that a float can hold."""
    return isinstance(value, int | float) and abs(value) <= sys.float_info.max


def _numeric(constraint: Constraint) -> tuple[str, ...]:
    """Columns of the constraint that must not be categories."""
    if isinstance(constraint, Bands):
        return (constraint.of,)
    is_numeric = isinstance(constraint, Inequality | Formula | FixedIncrements | OneHot)
    return constraint.columns if is_numeric else ()


def _whole_cells(constraint: Constraint) -> tuple[str, ...]:
    """Columns of the constraint of which it must know more than the numbers in them."""
    if isinstance(constraint, MissingWhen):
        return (constraint.column,)
    of_cells = FixedCombinations | FixedNullCombinations | OneHot | Unique
    return constraint.columns if isinstance(constraint, of_cells) else ()


def checked_names(frame: pd.DataFrame) -> list[str]:
    check_frame(frame, "the table")
    if frame.shape[1] == 0:
        raise SchemaError("a table with columns is needed, but this one has none")
    if isinstance(frame.columns, pd.MultiIndex):
        raise SchemaError("column names have several levels: join them into one text each")
    if not all(isinstance(name, str) for name in frame.columns):
        raise SchemaError("column names must be text: use df.columns = df.columns.astype(str)")
    if not all(map(is_unicode, frame.columns)):
        raise SchemaError("column names must be text that UTF-8 can express (no lone surrogates)")
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        names = list(dict.fromkeys(twice))
        verb = "comes" if len(names) == 1 else "come"
        raise SchemaError(f"column names must be unique, but {_some(names)} {verb} more than once")
    return [str(name) for name in frame.columns]


def _near(name: str, names: Sequence[str]) -> str:
    shown = " or ".join(map(repr, near_words(name, names, most=3)))
    return f" (did you mean {shown}?)" if shown else ""


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:5]))
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
