"""From the text of an expression to its tree.

The text is cut into tokens and read by descent: nothing of it is ever run. Only brackets nest,
and they are counted; sums, products, chains of ``and`` and rows of ``not`` of any length stay
flat, so that no text makes the tree deep.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import numpy as np

from synthgan.errors import short
from synthgan.schema.expression.tokens import (
    CLOSING,
    FUNCTIONS,
    KEYWORDS,
    NOTHING,
    Token,
    WrongError,
    cut,
    literal,
)
from synthgan.schema.expression.tree import (
    OF_MANY,
    SIGNS,
    Among,
    Call,
    Compare,
    Joined,
    Missing,
    Name,
    Not,
    Number,
    Numeric,
    Product,
    Quoted,
    Rows,
    Sum,
    Truth,
    as_written,
)

_DEEPEST = 20  # brackets within brackets

Node = Numeric | Truth | Quoted


def _number(node: Node, at: int) -> Numeric:
    if isinstance(node, Quoted):
        raise WrongError("text, true and false are compared with a column alone", at)
    if isinstance(node, Truth):
        raise WrongError(
            "a comparison cannot be counted with or compared; join comparisons with 'and' or 'or'",
            at,
        )
    return node


def _truth(node: Node, at: int) -> Truth:
    if not isinstance(node, Truth):
        example = ", such as: column == true" if isinstance(node, Name) else ""
        raise WrongError(f"a comparison is wanted here{example}", at)
    return node


def _folded(node: Numeric, at: int) -> Numeric:
    """``node``, as a number if it names no column."""
    if next(node.names(), None) is not None:
        return node
    with np.errstate(all="ignore"):
        value = float(node.numbers(Rows({}, (), as_written))[0])
    if not math.isfinite(value):
        raise WrongError("the number is too large", at)
    return Number(value)


class Parser:
    """Reads by descent. Only brackets come back to the top, and those are counted."""

    def __init__(self, text: str) -> None:
        self._tokens = list(cut(text))
        self._place = 0
        self._depth = 0

    def read(self) -> Numeric | Truth:
        node = self._either()
        here = self._here
        if here.kind == "close":
            raise WrongError("a bracket is closed that was not opened", here.at)
        if here.text in SIGNS or here.text in ("in", "is", "not"):
            raise WrongError("comparisons are joined by 'and' or 'or'", here.at)
        if here.kind != "end":
            raise WrongError("an operator is lacking before this", here.at)
        if isinstance(node, Number | Quoted):
            raise WrongError("no column is named", 0)
        return node

    @property
    def _here(self) -> Token:
        return self._tokens[self._place]

    def _next(self) -> Token:
        token = self._here
        self._place += token.kind != "end"
        return token

    def _take(self, *texts: str) -> bool:
        is_there = self._here.text in texts
        self._place += is_there
        return is_there

    def _open(self, bracket: Token) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise WrongError(f"there are more than {_DEEPEST} brackets in brackets", bracket.at)

    def _close(self, bracket: Token) -> None:
        if not self._take(CLOSING[bracket.text]):
            what = "the bracket is not closed"
            if self._here.kind != "end":
                what = f"{CLOSING[bracket.text]!r} or an operator is lacking before this"
            raise WrongError(what, self._here.at)
        self._depth -= 1

    # From what binds least to what binds most

    def _either(self) -> Node:
        return self._joined("or", self._both)

    def _both(self) -> Node:
        return self._joined("and", self._negated)

    def _joined(self, word: str, read: Callable[[], Node]) -> Node:
        at = self._here.at
        first = read()
        if self._here.text != word:
            return first
        parts = [_truth(first, at)]
        while self._take(word):
            at = self._here.at
            parts.append(_truth(read(), at))
        return Joined(tuple(parts), by_and=word == "and")

    def _negated(self) -> Node:
        times = 0
        while self._take("not"):
            times += 1
        at = self._here.at
        node = self._comparison()
        if not times:
            return node
        return Not(_truth(node, at)) if times % 2 else _truth(node, at)

    def _comparison(self) -> Node:
        at = self._here.at
        side = self._sum()
        if self._take("is"):
            return self._missing(side, at)
        absent = self._take("not")
        if self._take("in"):
            among = self._among(side, at)
            return Not(among) if absent else among
        if absent:
            raise WrongError("'not' goes before a comparison, or before 'in'", self._here.at)
        if self._here.text not in SIGNS:
            return side
        sides, signs = [side], []
        while self._here.text in SIGNS:
            signs.append(self._next().text)
            sides.append(self._sum())
            _check_pair(sides[-2], sides[-1], at)
        return Compare(tuple(side for side in sides if not isinstance(side, Truth)), (*signs,))

    def _missing(self, side: Node, at: int) -> Truth:
        absent = self._take("not")
        token = self._next()
        if token.text.lower() not in NOTHING:
            raise WrongError("'is' goes with 'missing' or 'not missing'", token.at)
        if not isinstance(side, Name):
            raise WrongError("'is missing' goes with a column", at)
        return Not(Missing(side.name)) if absent else Missing(side.name)

    def _among(self, side: Node, at: int) -> Truth:
        if isinstance(side, Number | Quoted):
            raise WrongError("'in' goes with a column; values stand in a list after it", at)
        bracket = self._next()
        if bracket.kind != "open":
            raise WrongError("a list goes with 'in', such as: in [1, 2]", bracket.at)
        self._open(bracket)
        if self._here.kind == "close":
            raise WrongError("the list is empty", bracket.at)
        values = [self._value(side)]
        while self._take(","):
            if self._here.kind == "close":
                break
            values.append(self._value(side))
        self._close(bracket)
        return Among(_number(side, at), tuple(values))

    def _value(self, side: Node) -> int | float | str | bool:
        at = self._here.at
        node = self._signed()
        if not isinstance(node, Number | Quoted):
            raise WrongError("a list holds numbers, true, false and text in quotes", at)
        if not isinstance(side, Name):
            _number(node, at)
        return node.value

    def _sum(self) -> Node:
        at = self._here.at
        first = self._product()
        if self._here.text not in ("+", "-"):
            return first
        terms = [(False, _number(first, at))]
        while self._here.text in ("+", "-"):
            minus = self._next().text == "-"
            at_term = self._here.at
            terms.append((minus, _number(self._product(), at_term)))
        return _folded(Sum(tuple(terms)), at)

    def _product(self) -> Node:
        at = self._here.at
        first = self._signed()
        if self._here.text not in ("*", "/"):
            return first
        factors = [(False, _number(first, at))]
        while self._here.text in ("*", "/"):
            divides = self._next().text == "/"
            at_factor = self._here.at
            factor = _number(self._signed(), at_factor)
            if divides and isinstance(factor, Number) and not factor.value:
                raise WrongError("this divides by zero", at_factor)
            factors.append((divides, factor))
        return _folded(Product(tuple(factors)), at)

    def _signed(self) -> Node:
        at, signs = self._here.at, []
        while self._here.text in ("+", "-"):
            signs.append(self._next().text)
        node = self._operand()
        if not signs:
            return node
        part = _number(node, at)
        if signs.count("-") % 2 == 0:
            return part
        return Number(-part.value) if isinstance(part, Number) else Sum(((True, part),))

    def _operand(self) -> Node:
        token = self._next()
        if token.kind == "number":
            return Number(literal(token))
        if token.kind == "quoted" and token.text[0] == "`":
            return Name(token.text[1:-1])
        if token.kind == "quoted":
            return Quoted(re.sub(r"""\\(['"\\])""", r"\1", token.text[1:-1]))
        if token.kind == "word" and token.text not in KEYWORDS:
            return self._call(token) if self._here.text == "(" else _word(token)
        if token.text != "(":
            what = "a list stands after 'in'" if token.kind == "open" else "an operand is lacking"
            raise WrongError(what, token.at)
        self._open(token)
        node = self._either()
        self._close(token)
        return node

    def _call(self, token: Token) -> Numeric:
        name, bracket = token.text, self._next()
        if name not in FUNCTIONS:
            known = ", ".join(FUNCTIONS)
            raise WrongError(f"there is no function {short(name)}; known are {known}", token.at)
        self._open(bracket)
        of: list[Numeric] = []
        while not of or self._take(","):
            at = self._here.at
            of.append(_number(self._either(), at))
        self._close(bracket)
        if name in OF_MANY and len(of) < 2:
            raise WrongError(f"{name} goes with two numbers or more", token.at)
        digits = 0
        if name == "round" and len(of) > 1:
            digits = _digits(of.pop(), token.at)
        if name not in OF_MANY and len(of) > 1:
            raise WrongError(f"{name} goes with one number", token.at)
        return _folded(Call(name, tuple(of), digits), token.at)


def _word(token: Token) -> Node:
    if token.text == "None" or token.text.lower() == "null":
        raise WrongError("for missing cells write 'is missing' or 'is not missing'", token.at)
    if token.text.lower() in ("true", "false"):
        return Quoted(token.text.lower() == "true")
    return Name(token.text)


def _digits(node: Numeric, at: int) -> int:
    if isinstance(node, Number) and node.value == int(node.value) and abs(node.value) <= 15:
        return int(node.value)
    raise WrongError("round(x, digits) goes with -15 to 15 digits", at)


def _check_pair(left: Node, right: Node, at: int) -> None:
    if isinstance(left, Number | Quoted) and isinstance(right, Number | Quoted):
        raise WrongError("a comparison needs a column, which stands without quotes", at)
    if not (isinstance(left, Name) and isinstance(right, Quoted)) and not (
        isinstance(left, Quoted) and isinstance(right, Name)
    ):
        _number(left, at)
        _number(right, at)
