"""A text as tokens that Python's grammar can be given, with names and values put aside."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from synthgan.columns.column import Column
from synthgan.errors import ConditionError, short
from synthgan.schema.expression.tree import OF_MANY, OF_ONE

_DEEPEST = 20  # brackets within brackets

QUOTED = r"""`[^`]*` | "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*'"""
"""A name in backticks or a value in quotes."""
_OPERANDS = rf"""(?P<space>\s+)
    | (?P<quoted>{QUOTED})
    | (?P<number>(?:[0-9][0-9_]*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![\w.]))
    | (?P<word>[^\W\d]\w*)
    | (?P<open>[(\[{{]) | (?P<close>[)\]}}]) | (?P<comma>,)"""
_COMPARISONS = "[<>=!]=|[<>](?![<>])"
_TOKEN = re.compile(
    rf"{_OPERANDS} | (?P<sign>[+-]) | (?P<operator>{_COMPARISONS})", re.VERBOSE | re.DOTALL
)
KEYWORDS = ("and", "or", "not", "in", "is")
NOTHING = ("missing", "null", "none", "nan", "na")
"""Words for a missing cell, after ``is``."""
_ONLY_AND = "conditions are joined by 'and'; for alternatives of one column write: column in [...]"


@dataclass(frozen=True, kw_only=True)
class Atom:
    """A name or a value that was put aside."""

    value: object
    is_name: bool = False


class UnreadableError(Exception):
    """Says what is wrong with a text."""


class Tokens:
    """A text on its way to Python's grammar.

    Names and values become ``_0``, ``_1`` and so on. Of what could nest without end, only
    brackets remain, and those are counted, so that the grammar is given nothing deep.
    """

    def __init__(self, where: str, columns: Mapping[str, Column]) -> None:
        self._where, self._columns = where, columns
        self._atoms: list[Atom] = []
        self._out: list[str] = []
        self._depth = 0
        self._after_operand = False

    def read(self) -> tuple[str, list[Atom]]:
        """The text for the grammar, and what its ``_0``, ``_1`` and so on stand for."""
        at, sign = 0, ""
        while at < len(self._where):
            found = _TOKEN.match(self._where, at)
            if found is None:
                raise UnreadableError(self._refused(at))
            at, kind, token = found.end(), found.lastgroup or "", found[0]
            if kind == "space":
                continue
            if sign and kind != "number":
                raise UnreadableError("a sign goes before a number")
            if kind == "sign" and self._after_operand:
                raise UnreadableError("there is no arithmetic, and dates stand in quotes")
            if kind == "sign":
                sign = token
                continue
            self._take(kind, sign + token)
            sign = ""
        self._check_not()
        if self._depth:
            raise UnreadableError("a bracket is not closed")
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
            self._keep(Atom(value=token[1:-1], is_name=True))
        elif kind == "quoted":
            self._keep(Atom(value=re.sub(r"""\\(['"\\])""", r"\1", token[1:-1])))
        elif kind == "number":
            self._keep(Atom(value=_literal_number(token)))
        else:
            self._take_word(token)

    def _take_word(self, word: str) -> None:
        if word in KEYWORDS:
            if word == "or":
                raise ConditionError(_ONLY_AND)
            self._put(word, is_operand=False)
        elif word == "None" or (word.lower() in NOTHING and self._is_after_is()):
            self._keep(Atom(value=None))
        elif word.lower() in ("true", "false") and word not in self._columns:
            self._keep(Atom(value=word.lower() == "true"))
        else:
            self._keep(Atom(value=word, is_name=True))

    def _is_after_is(self) -> bool:
        return self._out[-1:] == ["is"] or self._out[-2:] == ["is", "not"]

    def _keep(self, atom: Atom) -> None:
        self._operand(f"_{len(self._atoms)}")
        self._atoms.append(atom)

    def _operand(self, text: str) -> None:
        if self._after_operand:
            raise UnreadableError("an operator or quotes are lacking")
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
            raise ConditionError(f"for 'equals' use ==, not =, in {short(self._where)}")
        if rest[0] in "&|!~^":
            raise ConditionError(_ONLY_AND)
        return f"{short(rest[:10])} has no meaning here"


def _literal_number(token: str) -> int | float:
    digits = token.replace("_", "")
    if not re.fullmatch(r"[+-]?[0-9]+", digits):
        return float(digits)
    if len(digits) > 300:
        return float(digits)  # infinite
    if re.fullmatch(r"[+-]?0[0-9]+", digits):
        raise UnreadableError("a number has no leading zeros, and codes stand in quotes")
    return int(digits)


CLOSING = {"(": ")", "[": "]", "{": "}"}
FUNCTIONS = tuple(sorted([*OF_ONE, *OF_MANY, "round"]))


class WrongError(Exception):
    """What is wrong with a text, and at which of its characters."""

    def __init__(self, detail: str, at: int) -> None:
        super().__init__(detail, at)


# Tokens


class Token(NamedTuple):
    kind: str
    text: str
    at: int


_EXPRESSION_TOKEN = re.compile(
    rf"{_OPERANDS} | (?P<operator>{_COMPARISONS} | [+-] | \*(?!\*) | /(?!/))",
    re.VERBOSE | re.DOTALL,
)
_HINTS = {
    "=": "for 'equals' use ==",
    "<>": "for 'differs' use !=",
    "**": "there are no powers; multiply",
    "//": "for whole parts use floor(a / b)",
    "%": "there is no %",
    ":=": "nothing can be assigned",
    ".": "there are no attributes, and names with a dot in them stand in backticks",
    "&": "use 'and'",
    "|": "use 'or'",
    "!": "use 'not'",
    "~": "use 'not'",
    '"': "a quote is not closed",
    "'": "a quote is not closed",
    "`": "a backtick is not closed",
}


def cut(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        found = _EXPRESSION_TOKEN.match(text, at)
        if found is None:
            meant = [hint for mark, hint in _HINTS.items() if text.startswith(mark, at)]
            raise WrongError(
                meant[0] if meant else f"{short(text[at : at + 10])} has no meaning here", at
            )
        if found.lastgroup != "space":
            yield Token(found.lastgroup or "", found[0], at)
        at = found.end()
    yield Token("end", "", at)


def literal(token: Token) -> int | float:
    digits = token.text.replace("_", "")
    if re.fullmatch("0[0-9]+", digits):
        raise WrongError("a number has no leading zeros, and codes stand in quotes", token.at)
    # Python refuses to read integers of very many digits, and no float holds them
    is_whole = digits.isdigit() and len(digits) <= 300
    value = int(digits) if is_whole else float(digits)
    if math.isinf(value):
        raise WrongError("the number is too large", token.at)
    return value
