"""What rows are asked for: a mapping or a text, turned into one :class:`Allowed` a column.

Text such as ``income == ">50K" and age >= 30`` is cut into tokens, every name and value is
put aside, and what is left is read with Python's own grammar and walked over: nothing of it
is ever run. As in SQL, a comparison leaves missing cells out; ``is missing`` asks for them.
"""

from __future__ import annotations

import ast
import datetime
import decimal
import difflib
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from synthgan.errors import ConditionError
from synthgan.schema import Column, Kind, Level, Schema, family, parse_dates, to_dtype
from synthgan.values import read_cells

Where = str | Mapping[str, object]

_FEW = 10  # levels or names that an error lists in full
_LONGEST = 10_000  # characters of a text
_DEEPEST = 20  # brackets within brackets
_WHOLE = 2.0**53  # beyond, floats have gaps


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """The cells of one column that a condition lets through.

    Cells must meet all fields at once. For numeric kinds, values and bounds are in the units
    of :func:`synthgan.values.read_cells`.
    """

    values: frozenset[Level] | None = None
    """The only cells allowed; None: any."""
    excluded: frozenset[Level] = frozenset()
    """Cells that are not allowed."""
    low: float = -math.inf
    """Lower bound; numeric kinds only, as are the three that follow."""
    high: float = math.inf
    low_open: bool = False
    """Whether the lower bound itself is not allowed."""
    high_open: bool = False
    missing: Literal["any", "only", "never"] = "any"
    """Whether missing cells are allowed beside the others, alone, or not."""

    def admits(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
        """Which of ``values`` (rows), as :func:`read_cells` gives them, are let through."""
        if values.dtype == object:
            places, distinct = pd.factorize(cast("npt.NDArray[np.object_]", values))
            let = [self._lets(level) for level in distinct.tolist()]
            absent, inside = places < 0, np.array([*let, False], dtype=np.bool_)[places]
        else:
            numbers = values.astype(np.float64)
            absent, inside = np.isnan(numbers), self._lets_numbers(numbers)
        if self.missing == "only":
            return absent
        return np.where(absent, self.missing == "any", inside)

    def _lets_numbers(self, cells: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        inside = (cells > self.low) if self.low_open else (cells >= self.low)
        inside &= (cells < self.high) if self.high_open else (cells <= self.high)
        if self.values is not None:
            inside &= np.isin(cells, [float(value) for value in self.values])
        return inside & ~np.isin(cells, [float(value) for value in self.excluded])

    def _lets(self, level: Level) -> bool:
        """Whether a cell that is not missing is let through."""
        if level in self.excluded or (self.values is not None and level not in self.values):
            return False
        if isinstance(level, str):
            return True
        above = level > self.low or (level == self.low and not self.low_open)
        return above and (level < self.high or (level == self.high and not self.high_open))

    def intersect(self, other: Allowed) -> Allowed:
        """What both let through."""
        values = self.values
        if other.values is not None:
            values = other.values if values is None else values & other.values
        low, low_open = max((self.low, self.low_open), (other.low, other.low_open))
        high, high_shut = min((self.high, not self.high_open), (other.high, not other.high_open))
        both = {self.missing, other.missing}
        missing: Literal["any", "only", "never"] = "any"
        if both == {"only", "never"}:
            values, missing = frozenset(), "never"
        elif both != {"any"}:
            missing = "only" if "only" in both else "never"
        return Allowed(
            values=values,
            excluded=self.excluded | other.excluded,
            low=low,
            high=high,
            low_open=low_open,
            high_open=not high_shut,
            missing=missing,
        )

    @property
    def is_single(self) -> Level | None:
        """The one cell that is let through, or None where there are more, or none.

        The cell may be False or 0: compare with None.
        """
        if self.values is None or self.missing != "never":
            return None
        left = list(filter(self._lets, self.values))
        return left[0] if len(left) == 1 else None

    @property
    def is_empty(self) -> bool:
        """Whether no cell at all is let through, missing ones included."""
        if self.missing != "never":
            return False
        if self.values is not None:
            return not any(map(self._lets, self.values))
        return self.low > self.high or (self.low == self.high and not self._lets(self.low))


def parse_where(
    where: Where, schema: Schema, levels: Mapping[str, Sequence[Level]]
) -> dict[str, Allowed]:
    """What ``where`` allows of each column that it names.

    A mapping gives for a column one cell; a list, set, array or index of cells; a tuple
    ``(low, high)`` of numbers or dates, ends included, of which either may be None for no
    bound; or None (NaN, NA) for missing. None in a list allows missing cells too.

    A text joins comparisons by ``and``: ``==``, ``!=``, ``<``, ``<=``, ``>``, ``>=``,
    ``30 <= age < 40``, ``in [...]``, ``not in [...]``, ``is missing``, ``is not missing``.
    Names that are no plain words stand in backticks, text values and dates in quotes, where a
    backslash goes before a quote or a backslash that is part of the value.

    Dates are ISO, or spelled as in the column. One without a time means midnight, so
    ``date <= "2013-06-30"`` leaves out the hours of that day. In a column with a time zone,
    a time without one is local; of an hour that comes twice in a year it is the first.

    ``levels`` are those that the model knows of CATEGORY and BOOLEAN columns; in a column
    that it lacks any level may be asked for. Bounds on whole numbers, and on dates, which
    are whole units of the column's resolution, come out closed where floats are exact; beside
    ``values`` there are neither bounds nor ``excluded``.

    Raises :class:`ConditionError`, in one line, for unknown columns and levels, with what
    comes near, for values of a wrong type, and for what no row can satisfy.
    """
    reader = _Reader(schema, levels)
    if isinstance(where, str):
        parts = _read_text(where, reader)
    elif isinstance(where, Mapping):
        parts = _read_mapping(where, reader)
    else:
        raise ConditionError(f"a condition is a text or a mapping, not a {type(where).__name__}")
    found: dict[str, Allowed] = {}
    for name, part in parts:
        found[name] = found[name].intersect(part) if name in found else part
    if not found:
        raise ConditionError("the condition is empty; leave it out to ask for any rows")
    for name, allowed in found.items():
        found[name] = reader.settle(name, allowed)
        if found[name].is_empty:
            raise ConditionError(f"column {name!r}: no row can satisfy the condition")
    return found


# Columns and values


class _Reader:
    """What names and values mean, by the schema and the known levels."""

    def __init__(self, schema: Schema, levels: Mapping[str, Sequence[Level]]) -> None:
        self.columns = {column.name: column for column in schema}
        self._levels = levels
        self._places: dict[str, dict[object, Level]] = {}

    def column(self, name: object) -> Column:
        if not isinstance(name, str):
            raise ConditionError(f"columns are named by text, not by {_shown(name)}")
        column = self.columns.get(name)
        if column is None:
            hint = _hint(name, list(self.columns), few=0)
            raise ConditionError(f"there is no column {_shown(name)}; {hint}")
        if not column.kind.is_modelled:
            raise ConditionError(
                f"column {name!r} is not learned but made anew ({column.kind.value}), so rows "
                "cannot be asked for by it"
            )
        return column

    def known(self, column: Column) -> Sequence[Level] | None:
        """The levels that can be asked for, or None for any."""
        return self._levels.get(column.name, column.categories)

    def cell(self, column: Column, value: object) -> Level:
        """``value`` as :func:`read_cells` would give it."""
        value = _plain(value)
        if column.kind is Kind.DATETIME:
            return _date(column, value)
        if column.kind.is_numeric:
            return _number(column, value)
        if column.kind is Kind.BOOLEAN:
            return _truth(column, value)
        return self._level(column, value)

    def _level(self, column: Column, value: object) -> Level:
        known = self.known(column)
        if isinstance(value, bool | int | float | str):
            if known is None:
                is_text = family(to_dtype(column.dtype, column.name)) in ("text", "object")
                return _text(value) if is_text else value
            if column.name not in self._places:  # True, 1 and "1" are three levels
                self._places[column.name] = {_text(level): level for level in known} | {
                    (isinstance(level, bool), level): level for level in known
                }
            places = self._places[column.name]
            for key in ((isinstance(value, bool), value), _text(value)):
                if key in places:
                    return places[key]
        hint = _hint(value, known or (), few=_FEW)
        raise ConditionError(f"column {column.name!r} has no value {_shown(value)}; {hint}")

    def compare(self, column: Column, operator: str, value: object) -> Allowed:
        """``column operator value`` for one of the six comparisons."""
        if _is_missing(value):
            raise ConditionError(_is_missing_hint(column))
        if operator == "==":
            return Allowed(values=frozenset([self.possible(column, value)]), missing="never")
        if operator == "!=":
            cell = self.cell(column, value)
            return Allowed(excluded=frozenset([cell] * _can_hold(column, cell)), missing="never")
        if not column.kind.is_numeric:
            raise ConditionError(
                f"column {column.name!r} has no order ({column.kind.value}), so {operator} does "
                "not apply; use == or in [...]"
            )
        bound = float(self.cell(column, value))
        if operator in ("<", "<="):
            is_open = operator == "<" or bound == -math.inf
            return Allowed(high=bound, high_open=is_open, missing="never")
        is_open = operator == ">" or bound == math.inf
        return Allowed(low=bound, low_open=is_open, missing="never")

    def possible(self, column: Column, value: object) -> Level:
        """The cell of ``value``, which must be one that a row can have."""
        cell = self.cell(column, value)
        if _can_hold(column, cell):
            return cell
        wanted = {Kind.INTEGER: "whole numbers", Kind.DATETIME: f"whole {_unit(column)}"}.get(
            column.kind, f"numbers with at most {column.decimals} decimals"
        )
        if column.kind is Kind.NUMBER and column.decimals is None:
            wanted = "finite numbers"
        raise ConditionError(
            f"column {column.name!r} holds {wanted}, so no row can satisfy {_shown(value)}"
        )

    def among(self, column: Column, values: Iterable[object], *, absent: bool = False) -> Allowed:
        """``column in values``, or ``not in``; None among them means missing cells too."""
        wanted = list(values)
        if not wanted:
            raise ConditionError(f"column {column.name!r}: the list of values is empty")
        present = [value for value in wanted if not _is_missing(value)]
        if absent:
            cells = frozenset(self.cell(column, value) for value in present)
            return Allowed(
                excluded=frozenset(cell for cell in cells if _can_hold(column, cell)),
                missing="never",
            )
        if not present:
            return Allowed(missing="only")
        return Allowed(
            values=frozenset(self.possible(column, value) for value in present),
            missing="never" if len(present) == len(wanted) else "any",
        )

    def settle(self, name: str, allowed: Allowed) -> Allowed:
        """The same cells in the simplest form."""
        column = self.columns[name]
        if column.kind in (Kind.INTEGER, Kind.DATETIME):
            allowed = _in_whole_units(allowed)
        values = allowed.values
        if values is None and allowed.low == allowed.high:
            values = frozenset([allowed.low])
        if values is None and not column.kind.is_numeric:
            known = (False, True) if column.kind is Kind.BOOLEAN else self.known(column)
            if known and allowed.excluded.issuperset(known):
                values = frozenset()
        if values is None:
            return allowed
        left = (cell for cell in values if allowed._lets(cell) and _can_hold(column, cell))
        return Allowed(values=frozenset(left), missing=allowed.missing)


def _in_whole_units(allowed: Allowed) -> Allowed:
    low, high, excluded = allowed.low, allowed.high, allowed.excluded
    low_open, high_open = allowed.low_open, allowed.high_open
    if abs(low) < _WHOLE:
        low, low_open = float(math.floor(low) + 1 if low_open else math.ceil(low)), False
        for _ in excluded:
            low += low in excluded
    if abs(high) < _WHOLE:
        high, high_open = float(math.ceil(high) - 1 if high_open else math.floor(high)), False
        for _ in excluded:
            high -= high in excluded
    return replace(allowed, low=low, high=high, low_open=low_open, high_open=high_open)


def _can_hold(column: Column, cell: Level) -> bool:
    """Whether a row of the column can have ``cell``, which is of its type."""
    if not column.kind.is_numeric:
        return True
    number = float(cell)
    if column.kind is not Kind.NUMBER:
        return number.is_integer()
    if column.decimals is None or abs(number) >= _WHOLE:
        return math.isfinite(number)
    return _narrowed(column, round(number, column.decimals)) == number


def _unit(column: Column) -> str:
    names = {"D": "days", "h": "hours", "min": "minutes", "s": "seconds"}
    return names.get(column.resolution or "s", f"{column.resolution}")


def _plain(value: object) -> object:
    """Scalars of numpy and decimals as Python's own, dates as Timestamps."""
    try:
        if isinstance(value, np.datetime64 | datetime.date):
            return pd.Timestamp(value)
    except (ValueError, OverflowError):
        return value
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, np.generic) and not isinstance(value, np.timedelta64):
        return value.item()
    return value


def _is_missing(value: Any) -> bool:
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def _number(column: Column, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        hint = "; write numbers without quotes" if isinstance(value, str) else ""
        raise ConditionError(f"column {column.name!r} holds numbers, not {_shown(value)}{hint}")
    try:
        return _narrowed(column, float(value))
    except OverflowError:  # an integer beyond all floats
        return math.inf if value > 0 else -math.inf


def _narrowed(column: Column, number: float) -> float:
    """``number`` as a column of narrower floats would hold it."""
    dtype = to_dtype(column.dtype, column.name)
    plain = getattr(dtype, "numpy_dtype", dtype)
    if plain not in (np.dtype(np.float16), np.dtype(np.float32)):
        return number
    with np.errstate(over="ignore"):
        return float(plain.type(number))


def _truth(column: Column, value: object) -> bool:
    spellings = (column.format or "False|True").split("|")
    if isinstance(value, str):
        for same in (str, str.casefold):
            found = [same(value) == same(spelling) for spelling in spellings]
            if sum(found) == 1:
                return found[1]
    elif isinstance(value, bool | int | float) and value in (0, 1):
        return bool(value)
    raise ConditionError(
        f"column {column.name!r} has no value {_shown(value)}; it has {_listed(spellings)}"
    )


# Dates

_ISO = re.compile(
    r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2}(?:[T ][0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)?"
    r" ?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?)?)?"
)
_TIME_OF_DAY = re.compile(r".%-?[HI]")


def _date(column: Column, value: object) -> float:
    """Units of the column since 1970."""
    stamp = value if isinstance(value, pd.Timestamp) else None
    if isinstance(value, str):
        stamp = _spelled(column, value.strip())
    if stamp is None:
        example = '"2020-01-31"'
        if "%" in (column.format or ""):
            example += " or as the column spells it"
        raise ConditionError(
            f"column {column.name!r} holds dates, not {_shown(value)}; write a date in quotes, "
            f"such as {example}"
        )
    zone = _zone(column)
    if zone is None and stamp.tzinfo is not None:
        raise ConditionError(f"column {column.name!r} has no time zone: leave it out of the date")
    if zone is not None and stamp.tzinfo is None:
        try:
            stamp = stamp.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
        except (ValueError, OverflowError, NotImplementedError):  # beyond year 9999 in UTC
            raise ConditionError(f"column {column.name!r}: the date is out of range") from None
    dates = pd.DatetimeIndex(np.array([stamp.to_datetime64()]))  # of the stamp's own unit
    cells = pd.Series(dates.tz_localize("UTC") if zone is not None else dates)
    return float(read_cells(cells, column)[0])


def _zone(column: Column) -> str | datetime.tzinfo | None:
    dtype = to_dtype(column.dtype, column.name)
    found: str | datetime.tzinfo | None
    found = getattr(getattr(dtype, "pyarrow_dtype", dtype), "tz", None)
    return found


def _spelled(column: Column, text: str) -> pd.Timestamp | None:
    """The date that ``text`` spells as the column does, with or without the time, or in ISO."""
    try:
        if "%" in (column.format or ""):
            cell = pa.array([text], pa.large_string())
            full = column.format or ""
            for format in (full, _TIME_OF_DAY.split(full)[0]):
                dates = parse_dates(cell, format)
                if dates is not None:
                    return pd.Timestamp(dates[0])
        return pd.Timestamp(text) if _ISO.fullmatch(text) else None
    except (ValueError, OverflowError, pa.ArrowException):
        return None


# Words in errors


def _shown(value: object) -> str:
    """What the user wrote, in a line of bounded length."""
    if isinstance(value, str):
        return _short(value)
    if value is None or isinstance(value, bool | float):
        return repr(value)
    if isinstance(value, int):
        return str(value) if abs(value) < 10**30 else "so large an integer"
    return f"a value of type {type(value).__name__}"


def _text(value: Level) -> str:
    """``str(value)``, or hexadecimal for integers that Python refuses to spell."""
    return str(value) if not isinstance(value, int) or abs(value) < 10**300 else hex(value)


def _is_missing_hint(column: Column) -> str:
    return f"column {column.name!r}: for missing cells write 'is missing' or 'is not missing'"


def _line(text: str) -> str:
    return "".join(mark if mark.isprintable() else " " for mark in text)


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _listed(values: Sequence[Level]) -> str:
    shown = ", ".join(_shown(value) for value in values[:_FEW])
    return shown + ", ..." * (len(values) > _FEW)


def _hint(word: object, known: Sequence[Level], *, few: int) -> str:
    """All that is known if it is not more than ``few``, else what comes near ``word``."""
    near: list[str] = []
    folded = {str(each).casefold(): each for each in known}
    if len(known) > few and isinstance(word, str):
        near = difflib.get_close_matches(word[:100].casefold(), folded, n=3, cutoff=0.5)
    if near:
        return f"nearest: {_listed([folded[each] for each in near])}"
    return f"known: {_listed(known) or 'none'}"


# Mappings

_SEVERAL = (list, Set, range, np.ndarray, pd.Index, pd.Series, pd.api.extensions.ExtensionArray)


def _read_mapping(where: Mapping[str, object], reader: _Reader) -> Iterator[tuple[str, Allowed]]:
    for name, wanted in where.items():
        column = reader.column(name)
        if isinstance(wanted, np.ndarray) and wanted.ndim == 0:
            wanted = wanted[()]
        if isinstance(wanted, tuple):
            yield column.name, _range(column, wanted, reader)
        elif isinstance(wanted, slice):
            raise ConditionError(
                f"column {column.name!r}: a slice has no meaning here; write a range as (low, high)"
            )
        elif isinstance(wanted, _SEVERAL):
            yield column.name, reader.among(column, wanted)
        elif _is_missing(wanted):
            yield column.name, Allowed(missing="only")
        else:
            yield column.name, reader.compare(column, "==", wanted)


def _range(column: Column, ends: tuple[object, ...], reader: _Reader) -> Allowed:
    if not column.kind.is_numeric or len(ends) != 2:
        raise ConditionError(
            f"column {column.name!r}: a tuple means a range (low, high) of numbers or dates; "
            "for a choice of values give a list"
        )
    found = Allowed(missing="never")
    for operator, end in zip((">=", "<="), ends, strict=True):
        if not _is_missing(end):
            found = found.intersect(reader.compare(column, operator, end))
    return found


# Text

_QUOTED = r"""`[^`]*` | "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*'"""
_TOKEN = re.compile(
    rf"""(?P<space>\s+)
    | (?P<quoted>{_QUOTED})
    | (?P<number>(?:[0-9][0-9_]*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![\w.]))
    | (?P<word>[^\W\d]\w*)
    | (?P<open>[(\[{{]) | (?P<close>[)\]}}]) | (?P<comma>,)
    | (?P<sign>[+-])
    | (?P<operator>[<>=!]=|[<>](?![<>]))""",
    re.VERBOSE | re.DOTALL,
)
_BLANKED = re.compile(_QUOTED, re.VERBOSE | re.DOTALL)
_WORD = re.compile(r"[^\W\d]\w*")
_KEYWORDS = ("and", "or", "not", "in", "is")
_NOTHING = ("missing", "null", "none", "nan", "na")
_OPERATORS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_ONLY_AND = "conditions are joined by 'and'; for alternatives of one column write: column in [...]"


@dataclass(frozen=True, kw_only=True)
class _Atom:
    """A name or a value that was put aside."""

    value: object
    is_name: bool = False


def _read_text(where: str, reader: _Reader) -> Iterator[tuple[str, Allowed]]:
    if not where.strip():
        raise ConditionError("the condition is empty; leave it out to ask for any rows")
    if len(where) > _LONGEST:
        raise ConditionError(f"the condition is longer than {_LONGEST:,} characters")
    try:
        text, atoms = _Tokens(where, reader.columns).read()
        tree = ast.parse(text, mode="eval").body
    except (_UnreadableError, SyntaxError) as error:
        detail = f": {error}" if isinstance(error, _UnreadableError) else ""
        raise ConditionError(
            _with_backticks(where, reader.columns)
            or f"cannot read the condition {_short(where)}{detail}; write it like "
            """income == ">50K" and age >= 30, with other names in `backticks`"""
        ) from None
    for part in _joined(tree):
        if not isinstance(part, ast.Compare):
            raise ConditionError(f"{_short(where)} is not comparisons joined by 'and'")
        sides = [part.left, *part.comparators]
        for left, operator, right in zip(sides[:-1], part.ops, sides[1:], strict=True):
            yield _read_comparison(operator, _side(left, atoms), _side(right, atoms), reader)


class _UnreadableError(Exception):
    """Says what is wrong with a text."""


class _Tokens:
    """A text on its way to Python's grammar.

    Names and values become ``_0``, ``_1`` and so on. Of what could nest without end, only
    brackets remain, and those are counted, so that the grammar is given nothing deep.
    """

    def __init__(self, where: str, columns: Mapping[str, Column]) -> None:
        self._where, self._columns = where, columns
        self._atoms: list[_Atom] = []
        self._out: list[str] = []
        self._depth = 0
        self._after_operand = False

    def read(self) -> tuple[str, list[_Atom]]:
        at, sign = 0, ""
        while at < len(self._where):
            found = _TOKEN.match(self._where, at)
            if found is None:
                raise _UnreadableError(self._refused(at))
            at, kind, token = found.end(), found.lastgroup or "", found[0]
            if kind == "space":
                continue
            if sign and kind != "number":
                raise _UnreadableError("a sign goes before a number")
            if kind == "sign" and self._after_operand:
                raise _UnreadableError("there is no arithmetic, and dates stand in quotes")
            if kind == "sign":
                sign = token
                continue
            self._take(kind, sign + token)
            sign = ""
        self._check_not()
        if self._depth:
            raise _UnreadableError("a bracket is not closed")
        return " ".join(self._out), self._atoms

    def _take(self, kind: str, token: str) -> None:
        if kind in ("operator", "comma", "close"):
            self._depth -= kind == "close"
            self._put(token, is_operand=kind == "close")
        elif kind == "open":
            self._depth += 1
            if self._depth > _DEEPEST:
                raise ConditionError(f"the condition has more than {_DEEPEST} brackets in brackets")
            self._operand(token)
            self._after_operand = False
        elif kind == "quoted" and token[0] == "`":
            self._keep(_Atom(value=token[1:-1], is_name=True))
        elif kind == "quoted":
            self._keep(_Atom(value=re.sub(r"""\\(['"\\])""", r"\1", token[1:-1])))
        elif kind == "number":
            self._keep(_Atom(value=_literal_number(token)))
        else:
            self._take_word(token)

    def _take_word(self, word: str) -> None:
        if word in _KEYWORDS:
            if word == "or":
                raise ConditionError(_ONLY_AND)
            self._put(word, is_operand=False)
        elif word == "None" or (word.lower() in _NOTHING and self._is_after_is()):
            self._keep(_Atom(value=None))
        elif word.lower() in ("true", "false") and word not in self._columns:
            self._keep(_Atom(value=word.lower() == "true"))
        else:
            self._keep(_Atom(value=word, is_name=True))

    def _is_after_is(self) -> bool:
        return self._out[-1:] == ["is"] or self._out[-2:] == ["is", "not"]

    def _keep(self, atom: _Atom) -> None:
        self._operand(f"_{len(self._atoms)}")
        self._atoms.append(atom)

    def _operand(self, text: str) -> None:
        if self._after_operand:
            raise _UnreadableError("an operator or quotes are lacking")
        self._put(text, is_operand=True)

    def _put(self, text: str, *, is_operand: bool) -> None:
        self._check_not(text)
        self._out.append(text)
        self._after_operand = is_operand

    def _check_not(self, follows: str = "") -> None:
        """``not`` must be part of ``not in`` or ``is not``."""
        if self._out[-1:] == ["not"] and follows != "in" and self._out[-2:] != ["is", "not"]:
            raise ConditionError(_ONLY_AND)

    def _refused(self, at: int) -> str:
        rest = self._where[at:]
        if rest[0] in "\"'`":
            return "a quote is not closed"
        if rest[0] == "=":
            raise ConditionError(f"for 'equals' use ==, not =, in {_short(self._where)}")
        if rest[0] in "&|!~^":
            raise ConditionError(_ONLY_AND)
        return f"{_short(rest[:10])} has no meaning here"


def _literal_number(token: str) -> int | float:
    digits = token.replace("_", "")
    if not re.fullmatch(r"[+-]?[0-9]+", digits):
        return float(digits)
    if len(digits) > 300:
        return float(digits)  # infinite
    if re.fullmatch(r"[+-]?0[0-9]+", digits):
        raise _UnreadableError("a number has no leading zeros, and codes stand in quotes")
    return int(digits)


def _with_backticks(where: str, columns: Iterable[str]) -> str | None:
    """An error with the text corrected, if it has names that lack their backticks."""
    odd = [c for c in columns if not _WORD.fullmatch(c) and _WORD.search(c) and "`" not in c]
    if not odd:
        return None
    names = "|".join(re.escape(name) for name in sorted(odd, key=len, reverse=True))
    bare = _BLANKED.sub(lambda quoted: " " * len(quoted[0]), where)
    pieces, end = [], 0
    for found in re.finditer(rf"(?<!\w)(?:{names})(?!\w)", bare):
        pieces += [where[end : found.start()], f"`{found[0]}`"]
        end = found.end()
    if not pieces:
        return None
    corrected = _line("".join([*pieces, where[end:]])).strip()
    shown = corrected if len(corrected) <= 200 else corrected[:197] + "..."
    return f"names that are no plain words stand in backticks; write: {shown}"


def _joined(node: ast.expr) -> Iterator[ast.expr]:
    """The parts that ``and`` joins."""
    if isinstance(node, ast.BoolOp):
        for part in node.values:
            yield from _joined(part)
    else:
        yield node


def _side(node: ast.expr, atoms: Sequence[_Atom]) -> _Atom | list[_Atom]:
    if isinstance(node, ast.Name):
        return atoms[int(node.id[1:])]
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        sides = [_side(each, atoms) for each in node.elts]
        flat = [side for side in sides if isinstance(side, _Atom)]
        if len(flat) == len(sides):
            return flat
    raise ConditionError("a comparison is between a column and a value or a list of values")


def _read_comparison(
    operator: ast.cmpop, left: _Atom | list[_Atom], right: _Atom | list[_Atom], reader: _Reader
) -> tuple[str, Allowed]:
    sign = _OPERATORS.get(type(operator))
    if isinstance(left, _Atom) and isinstance(right, _Atom) and sign:
        if right.is_name and (not left.is_name or _is_value(left, right, reader)):
            left, right, sign = right, left, _TURNED[sign]
        column = _named(left, reader)
        return column.name, reader.compare(column, sign, _value(right, column, reader))
    if isinstance(left, list):
        raise ConditionError("a list stands on the right of 'in' or 'not in'")
    column = _named(left, reader)
    if isinstance(operator, ast.Is | ast.IsNot):
        if not (isinstance(right, _Atom) and right.value is None):
            raise ConditionError(
                f"column {column.name!r}: 'is' goes with 'missing' or 'not missing'; for values "
                "use =="
            )
        return column.name, Allowed(missing="only" if isinstance(operator, ast.Is) else "never")
    if sign or not isinstance(right, list):
        raise ConditionError(
            f"column {column.name!r}: a list goes with 'in' or 'not in', such as: in [1, 2]"
        )
    values = [_value(each, column, reader) for each in right]
    absent = isinstance(operator, ast.NotIn)
    return column.name, reader.among(column, values, absent=absent)


def _is_value(left: _Atom, right: _Atom, reader: _Reader) -> bool:
    """Of two names, whether the left one must be meant as a value."""
    return left.value not in reader.columns and right.value in reader.columns


def _named(atom: _Atom, reader: _Reader) -> Column:
    if atom.is_name:
        return reader.column(atom.value)
    hint = "; names stand in backticks, not in quotes" if atom.value in reader.columns else ""
    raise ConditionError(f"a comparison needs a column, but got {_shown(atom.value)}{hint}")


def _value(atom: _Atom, column: Column, reader: _Reader) -> object:
    if not atom.is_name:
        return atom.value
    word = str(atom.value)
    if word in reader.columns:
        raise ConditionError(
            f"columns {column.name!r} and {word!r} cannot be compared with each other; a text "
            "value stands in quotes"
        )
    if word.lower() in _NOTHING:
        raise ConditionError(_is_missing_hint(column))
    shown = _line(word if len(word) <= 60 else word[:57] + "...")
    raise ConditionError(f'column {column.name!r}: put the value in quotes: "{shown}"')
