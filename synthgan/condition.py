"""What rows are asked for: a mapping or a text, turned into one :class:`Allowed` a column.

Text such as ``income == ">50K" and age >= 30`` is read with Python's own grammar and then
walked over by hand: nothing of it is ever run. As in SQL, a comparison leaves missing cells
out; ``is missing`` asks for them.
"""

from __future__ import annotations

import ast
import difflib
import io
import math
import tokenize
import warnings
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.errors import ConditionError
from synthgan.schema import NANOSECONDS, Column, Kind, Level, Schema

_LONGEST = 10_000  # characters of a condition; longer ones are not read
_DEEPEST = 50  # brackets within brackets, and minus signs before a number

Where = str | Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """The cells of one column that a condition lets through.

    For numeric kinds, values and bounds are in the units of
    :func:`synthgan.values.read_cells`.
    """

    values: frozenset[Level] | None = None
    """The only cells allowed; None: any."""
    excluded: frozenset[Level] = frozenset()
    """Cells that are not allowed."""
    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    """Whether the lower bound itself is not allowed."""
    high_open: bool = False
    missing: Literal["any", "only", "never"] = "any"
    """Whether missing cells are allowed beside the others, alone, or not."""

    def admits(self, cells: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
        """Which of ``cells`` (rows), as :func:`read_cells` gives them, are let through."""
        absent = np.asarray(pd.isna(cells))
        if self.missing == "only":
            return absent
        if cells.dtype == object:
            inside = np.array([self._lets(cell) for cell in cells.tolist()], dtype=bool)
        else:
            inside = self._lets_numbers(cells.astype(np.float64))
        return np.where(absent, self.missing == "any", inside)

    def _lets(self, cell: Level | None) -> bool:
        if cell is None or (self.values is not None and not _holds(self.values, cell)):
            return False
        return not _holds(self.excluded, cell)

    def _lets_numbers(self, cells: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        inside = (cells > self.low) if self.low_open else (cells >= self.low)
        inside &= (cells < self.high) if self.high_open else (cells <= self.high)
        if self.values is not None:
            inside &= np.isin(cells, [float(value) for value in self.values])
        return inside & ~np.isin(cells, [float(value) for value in self.excluded])

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
    def is_empty(self) -> bool:
        """Whether no cell at all is let through, missing ones included."""
        if self.missing == "only":
            return False
        shut = self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))
        left = None if self.values is None else [v for v in self.values if self._lets_any(v)]
        return (shut or left == []) and self.missing == "never"

    def _lets_any(self, value: Level) -> bool:
        if isinstance(value, str | bool):
            return self._lets(value)
        return bool(self._lets_numbers(np.array([float(value)]))[0])


def _holds(values: Set[Level], cell: Level) -> bool:
    """Membership in which 1, 1.0 and True are three things, as they are among levels."""
    return any(value == cell and type(value) is type(cell) for value in values)


def parse_where(
    where: Where, schema: Schema, levels: Mapping[str, Sequence[Level]]
) -> dict[str, Allowed]:
    """What ``where`` allows of each column that it names.

    A mapping gives, for a column, a cell, a list or set of cells, a tuple ``(low, high)`` of
    which either may be None, or None for missing. A text joins comparisons by ``and``:
    ``==``, ``!=``, ``<``, ``<=``, ``>``, ``>=``, ``in [...]``, ``not in [...]``, ``is missing``,
    ``is not missing``; names that are no Python names stand in backticks. ``levels`` are the
    levels that the model knows of each categorical column. Dates are quoted text; a date
    without a time means midnight.

    Raises :class:`ConditionError` naming what is unknown and what comes near.
    """
    reader = _Reader(schema, levels)
    pairs = _read_text(where, reader) if isinstance(where, str) else _read_mapping(where, reader)
    allowed: dict[str, Allowed] = {}
    for name, part in pairs:
        allowed[name] = allowed[name].intersect(part) if name in allowed else part
        if allowed[name].is_empty:
            raise ConditionError(f"column {name!r}: no cell can satisfy the condition")
    if not allowed:
        raise ConditionError("the condition is empty; leave it out to ask for any rows")
    return allowed


class _Reader:
    """Names and values, checked against the schema and the known levels."""

    def __init__(self, schema: Schema, levels: Mapping[str, Sequence[Level]]) -> None:
        self.schema, self.levels = schema, levels

    def column(self, name: object) -> Column:
        for column in self.schema:
            if column.name == name:
                if not column.kind.is_modelled:
                    raise ConditionError(
                        f"column {name!r} is made up anew ({column.kind.value}), so rows cannot "
                        "be asked for by it"
                    )
                return column
        near = difflib.get_close_matches(str(name), self.schema.names, n=3, cutoff=0.5)
        hint = f"; nearest: {_listed(near)}" if near else f"; known: {_listed(self.schema.names)}"
        raise ConditionError(f"there is no column {name!r}{hint}")

    def value(self, column: Column, value: object) -> Level:
        """``value`` in the units of the column's cells."""
        if isinstance(value, np.generic):
            value = value.item()
        if column.kind.is_numeric:
            return self._number(column, value)
        if column.kind is Kind.BOOLEAN:
            return self._truth(column, value)
        return self._level(column, value)

    def _number(self, column: Column, value: object) -> float:
        plain = isinstance(value, int | float) and not isinstance(value, bool)
        if column.kind is not Kind.DATETIME:
            if not plain:
                raise ConditionError(f"column {column.name!r} holds numbers, but got {value!r}")
            return float(cast(float, value))
        try:
            if plain or isinstance(value, bool):
                raise ValueError("a number is no date")
            return _count_units(pd.Timestamp(cast(str, value)), column)
        except (ValueError, TypeError, OverflowError):
            raise ConditionError(
                f"column {column.name!r} holds dates, but got {value!r}; "
                'write a date in quotes, such as "2020-01-31"'
            ) from None

    def _truth(self, column: Column, value: object) -> bool:
        if isinstance(value, bool):
            return value
        spellings = (column.format or "False|True").split("|")
        if isinstance(value, str) and value in spellings:
            return spellings.index(value) == 1
        if isinstance(value, int | float) and value in (0, 1):
            return bool(value)
        raise ConditionError(
            f"column {column.name!r} holds {_listed(spellings)}, but got {value!r}"
        )

    def _level(self, column: Column, value: object) -> Level:
        known = self.levels.get(column.name, ())
        for level in known:
            if level == value and isinstance(level, bool) == isinstance(value, bool):
                return level
        texts = {str(level): level for level in known}
        if not isinstance(value, str) and str(value) in texts:
            return texts[str(value)]
        near = difflib.get_close_matches(str(value), list(texts), n=3, cutoff=0.4)
        if len(known) > 10 and near:
            hint = f"nearest: {_listed([texts[each] for each in near])}"
        else:
            hint = f"it has {_listed(known[:10])}" + (", ..." if len(known) > 10 else "")
        raise ConditionError(f"column {column.name!r} has no value {value!r}; {hint}")

    def compare(self, column: Column, operator: str, value: object) -> Allowed:
        """``column operator value`` for one of the six comparisons."""
        if operator in ("==", "!="):
            one = frozenset([self.value(column, value)])
            if operator == "==":
                self._check_whole(column, value)
                return Allowed(values=one, missing="never")
            return Allowed(excluded=one, missing="never")
        if not column.kind.is_numeric:
            raise ConditionError(
                f"column {column.name!r} has no order ({column.kind.value}), so {operator!r} "
                "does not apply; use == or in [...]"
            )
        bound = float(self.value(column, value))
        if math.isnan(bound):
            raise ConditionError(f"column {column.name!r}: NaN is no bound; use 'is missing'")
        if operator in ("<", "<="):
            return Allowed(high=bound, high_open=operator == "<", missing="never")
        return Allowed(low=bound, low_open=operator == ">", missing="never")

    def _check_whole(self, column: Column, value: object) -> None:
        if column.kind is Kind.INTEGER and isinstance(value, float) and value % 1:
            raise ConditionError(f"column {column.name!r} holds whole numbers, but got {value!r}")

    def among(self, column: Column, values: Sequence[object]) -> Allowed:
        """``column in values``; None among them allows missing cells too."""
        if not values:
            raise ConditionError(f"column {column.name!r}: the list of values is empty")
        present = [value for value in values if not _is_missing(value)]
        cells = frozenset(self.value(column, value) for value in present)
        if not present:
            return Allowed(missing="only")
        return Allowed(values=cells, missing="never" if len(present) == len(values) else "any")


def _count_units(stamp: pd.Timestamp, column: Column) -> float:
    """Units of the column since 1970; a time without a zone is in the column's."""
    zone = getattr(pd.api.types.pandas_dtype(column.dtype), "tz", None)
    if zone is not None and stamp.tzinfo is None:
        stamp = stamp.tz_localize(zone)
    if stamp.tzinfo is not None:
        stamp = stamp.tz_convert("UTC").tz_localize(None)
    microseconds = int(stamp.to_datetime64().astype("datetime64[us]").astype(np.int64))
    return microseconds * 1000 / NANOSECONDS[column.resolution or "s"]


def _is_missing(value: object) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or value != value


def _listed(values: Sequence[object]) -> str:
    return ", ".join(repr(value) for value in values) or "nothing"


# --- mappings ----------------------------------------------------------------------------


def _read_mapping(where: Mapping[str, object], reader: _Reader) -> Iterator[tuple[str, Allowed]]:
    if not isinstance(where, Mapping):
        raise ConditionError(f"a condition is a text or a mapping, got {type(where).__name__}")
    for name, wanted in where.items():
        column = reader.column(name)
        if isinstance(wanted, tuple):
            yield column.name, _range(column, wanted, reader)
        elif isinstance(wanted, list | Set | np.ndarray | pd.Index | pd.Series):
            yield column.name, reader.among(column, list(wanted))
        elif _is_missing(wanted):
            yield column.name, Allowed(missing="only")
        else:
            yield column.name, reader.compare(column, "==", wanted)


def _range(column: Column, ends: tuple[object, ...], reader: _Reader) -> Allowed:
    if not column.kind.is_numeric or len(ends) != 2:
        raise ConditionError(
            f"column {column.name!r}: a tuple means a range (low, high) of numbers or dates; "
            "for some values give a list"
        )
    found = Allowed(missing="never")
    for operator, end in zip((">=", "<="), ends, strict=True):
        if not _is_missing(end):
            found = found.intersect(reader.compare(column, operator, end))
    return found


# --- text --------------------------------------------------------------------------------

_OPERATORS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def _read_text(where: str, reader: _Reader) -> Iterator[tuple[str, Allowed]]:
    text, quoted = _prepared(where, reader)
    try:
        with warnings.catch_warnings(record=True):  # such as "'is' with a literal"
            tree = ast.parse(f"({text})", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ConditionError(
            f"cannot read the condition {_short(where)}; write it like "
            """income == ">50K" and age >= 30, with other names in `backticks`"""
        ) from None
    parts = tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else [tree]
    for part in parts:
        if not isinstance(part, ast.Compare):
            raise ConditionError(
                "conditions are comparisons joined by 'and'; for alternatives of one column "
                "write: column in [...]"
            )
        yield from _read_comparison(part, reader, quoted)


def _prepared(where: str, reader: _Reader) -> tuple[str, dict[str, str]]:
    """``where`` with backticked names, ``missing`` and ``null`` replaced by plain names."""
    if not where.strip():
        raise ConditionError("the condition is empty; leave it out to ask for any rows")
    if len(where) > _LONGEST or _depth(where) > _DEEPEST:
        raise ConditionError("the condition is too long or too deeply nested")
    quoted: dict[str, str] = {}
    pieces: list[str] = []
    for is_name, piece in _split_backticks(where):
        if is_name:
            stand_in = f"__column{len(quoted)}__"
            quoted[stand_in] = piece
            pieces.append(stand_in)
        else:
            pieces.append(piece)
    text = "".join(pieces)
    _check_hyphens(text, reader)
    return _replace_words(text, where), quoted


def _depth(where: str) -> int:
    return max(sum(where.count(mark) for mark in "([{"), where.count("--"), where.count("~"))


def _split_backticks(where: str) -> Iterator[tuple[bool, str]]:
    """Pieces of ``where``, each with whether it stood in backticks outside of quotes."""
    quote, start, inside = "", 0, False
    for at, mark in enumerate(where):
        if inside and mark == "`":
            yield True, where[start:at]
            inside, start = False, at + 1
        elif not inside and quote:
            quote = "" if mark == quote and where[at - 1] != "\\" else quote
        elif not inside and mark in "'\"":
            quote = mark
        elif not inside and mark == "`":
            yield False, where[start:at]
            inside, start = True, at + 1
    if inside:
        raise ConditionError(f"a backtick is not closed in the condition {_short(where)}")
    yield False, where[start:]


def _check_hyphens(text: str, reader: _Reader) -> None:
    for column in reader.schema:
        name = column.name
        plain = name.replace("-", "").replace(" ", "").replace(".", "")
        if not name.isidentifier() and plain.isidentifier() and _outside_quotes(text, name):
            raise ConditionError(f"put the column's name in backticks: `{name}`")


def _outside_quotes(text: str, name: str) -> bool:
    bare = "".join(part for i, part in enumerate(text.replace('"', "'").split("'")) if i % 2 == 0)
    return name in bare


def _replace_words(text: str, where: str) -> str:
    """``is missing`` and ``is null`` as Python knows them; a lone ``=`` is pointed out."""
    out: list[tuple[int, str]] = []
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(f"({text.strip()})").readline))
    except (tokenize.TokenError, SyntaxError, IndentationError):
        return text.strip()
    before = ""
    for token in tokens:
        word = token.string
        if token.type == tokenize.OP and word == "=":
            raise ConditionError(f"use == for 'equals' in the condition {_short(where)}")
        if word in ("missing", "null", "NULL") and before in ("is", "not"):
            word = "None"
        out.append((token.type, word))
        before = token.string
    return str(tokenize.untokenize(out)).strip()


def _read_comparison(
    part: ast.Compare, reader: _Reader, quoted: Mapping[str, str]
) -> Iterator[tuple[str, Allowed]]:
    sides = [part.left, *part.comparators]
    for left, operator, right in zip(sides[:-1], part.ops, sides[1:], strict=True):
        if isinstance(left, ast.Name):
            column = reader.column(quoted.get(left.id, left.id))
            yield column.name, _read_operation(column, operator, right, reader, quoted)
        elif isinstance(right, ast.Name) and type(operator) in _OPERATORS:
            column = reader.column(quoted.get(right.id, right.id))
            sign = _TURNED[_OPERATORS[type(operator)]]
            yield column.name, reader.compare(column, sign, _literal(left, column))
        else:
            raise ConditionError(
                "a comparison needs a column's name on one side; "
                "names that are no plain words go in `backticks`"
            )


def _read_operation(
    column: Column,
    operator: ast.cmpop,
    right: ast.expr,
    reader: _Reader,
    quoted: Mapping[str, str],
) -> Allowed:
    if isinstance(operator, ast.Is | ast.IsNot):
        if not (isinstance(right, ast.Constant) and right.value is None):
            raise ConditionError(
                f"column {column.name!r}: 'is' goes with 'missing' or 'not missing'; "
                "for values use =="
            )
        return Allowed(missing="only" if isinstance(operator, ast.Is) else "never")
    if isinstance(operator, ast.In | ast.NotIn):
        if not isinstance(right, ast.List | ast.Tuple | ast.Set):
            raise ConditionError(f"column {column.name!r}: 'in' needs a list, such as in [1, 2]")
        among = reader.among(column, [_literal(each, column) for each in right.elts])
        if isinstance(operator, ast.In):
            return among
        return Allowed(excluded=among.values or frozenset(), missing="never")
    value = _literal(right, column)
    if value is None:
        raise ConditionError(f"column {column.name!r}: write 'is missing' or 'is not missing'")
    return reader.compare(column, _OPERATORS[type(operator)], value)


def _literal(node: ast.expr, column: Column) -> object:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _literal(node.operand, column)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.Constant) and (
        node.value is None or isinstance(node.value, bool | int | float | str)
    ):
        return node.value
    if isinstance(node, ast.Name):
        raise ConditionError(
            f'column {column.name!r}: put the value in quotes: "{node.id}" (columns cannot be '
            "compared with each other)"
        )
    raise ConditionError(
        f"column {column.name!r}: a value is a number, a quoted text, True or False"
    )


def _short(where: str) -> str:
    text = " ".join(where.split())
    return repr(text if len(text) <= 60 else text[:57] + "...")
