"""The language of conditions in a text, such as ``income == ">50K" and age >= 30``.

The text is cut into tokens, every name and value is put aside, and what is left is read with
Python's own grammar and walked over: nothing of it is ever run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from synthgan.columns.cell_set import Allowed
from synthgan.columns.column import Column
from synthgan.columns.literal import Reader, missing_hint
from synthgan.errors import ConditionError, displayed, one_line, short
from synthgan.schema.expression.tokens import NOTHING, QUOTED, Atom, Tokens, UnreadableError

_LONGEST = 10_000  # characters of a text
_BLANKED = re.compile(QUOTED, re.VERBOSE | re.DOTALL)
_DECIMAL_COMMA = re.compile(r"(?<![\w.])([-+]?\d+),(\d+)(?![\w.,])")
_WORD = re.compile(r"[^\W\d]\w*")
_OPERATORS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def read_text(where: str, reader: Reader) -> Iterator[tuple[str, Allowed]]:
    """What each comparison of the text allows, with the name of its column."""
    if not where.strip():
        raise ConditionError("the condition is empty; leave it out to ask for any rows")
    if len(where) > _LONGEST:
        raise ConditionError(f"the condition is longer than {_LONGEST:,} characters")
    try:
        text, atoms = Tokens(where, reader.columns).read()
        tree = ast.parse(text, mode="eval").body
    except (UnreadableError, SyntaxError) as error:
        detail = f": {error}" if isinstance(error, UnreadableError) else ""
        raise ConditionError(
            _with_backticks(where, reader.columns)
            or f"cannot read the condition {short(where)}{detail}; write it like "
            """income == ">50K" and age >= 30, with other names in `backticks`"""
        ) from None
    for part in _joined(tree):
        if not isinstance(part, ast.Compare):
            comma = _DECIMAL_COMMA.search(_BLANKED.sub(" ", where))
            if comma:
                raise ConditionError(
                    f"a number has a point, not a comma: write {comma[1]}.{comma[2]}"
                )
            raise ConditionError(f"{short(where)} is not comparisons joined by 'and'")
        sides = [part.left, *part.comparators]
        for left, operator, right in zip(sides[:-1], part.ops, sides[1:], strict=True):
            yield _read_comparison(operator, _side(left, atoms), _side(right, atoms), reader)


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
    corrected = one_line("".join([*pieces, where[end:]])).strip()
    shown = corrected if len(corrected) <= 200 else corrected[:197] + "..."
    return f"names that are no plain words stand in backticks; write: {shown}"


def _joined(node: ast.expr) -> Iterator[ast.expr]:
    """The parts that ``and`` joins."""
    if isinstance(node, ast.BoolOp):
        for part in node.values:
            yield from _joined(part)
    else:
        yield node


def _side(node: ast.expr, atoms: Sequence[Atom]) -> Atom | list[Atom]:
    if isinstance(node, ast.Name):
        return atoms[int(node.id[1:])]
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        sides = [_side(each, atoms) for each in node.elts]
        flat = [side for side in sides if isinstance(side, Atom)]
        if len(flat) == len(sides):
            return flat
    raise ConditionError("a comparison is between a column and a value or a list of values")


def _read_comparison(
    operator: ast.cmpop, left: Atom | list[Atom], right: Atom | list[Atom], reader: Reader
) -> tuple[str, Allowed]:
    sign = _OPERATORS.get(type(operator))
    if isinstance(left, Atom) and isinstance(right, Atom) and sign:
        if right.is_name and (not left.is_name or _is_value(left, right, reader)):
            left, right, sign = right, left, _TURNED[sign]
        column = _named(left, reader)
        return column.name, reader.compare(column, sign, _value(right, column, reader))
    if isinstance(left, list):
        raise ConditionError("a list stands on the right of 'in' or 'not in'")
    column = _named(left, reader)
    if isinstance(operator, ast.Is | ast.IsNot):
        if not (isinstance(right, Atom) and right.value is None):
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


def _is_value(left: Atom, right: Atom, reader: Reader) -> bool:
    """Of two names, whether the left one must be meant as a value."""
    return left.value not in reader.columns and right.value in reader.columns


def _named(atom: Atom, reader: Reader) -> Column:
    if atom.is_name:
        return reader.column(atom.value)
    hint = "; names stand in backticks, not in quotes" if atom.value in reader.columns else ""
    raise ConditionError(f"a comparison needs a column, but got {displayed(atom.value)}{hint}")


def _value(atom: Atom, column: Column, reader: Reader) -> object:
    if not atom.is_name:
        return atom.value
    word = str(atom.value)
    if word in reader.columns:
        raise ConditionError(
            f"columns {column.name!r} and {word!r} cannot be compared with each other; a text "
            "value stands in quotes"
        )
    if word.lower() in NOTHING:
        raise ConditionError(missing_hint(column))
    shown = one_line(word if len(word) <= 60 else word[:57] + "...")
    raise ConditionError(f'column {column.name!r}: put the value in quotes: "{shown}"')
