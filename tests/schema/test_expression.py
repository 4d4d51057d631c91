"""Expressions: what they give, what they refuse, and that no text harms."""

from __future__ import annotations

import copy
import datetime as dt
import itertools
import re
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from synthgan.errors import SchemaError
from synthgan.schema.expression.expression import Expression
from synthgan.serialization import from_plain, to_plain

NAN = np.nan


def floats(*cells: float) -> npt.NDArray[np.float64]:
    return np.array(cells, dtype=np.float64)


def objects(*cells: object) -> npt.NDArray[Any]:
    array = np.empty(len(cells), dtype=object)
    array[:] = cells
    return array


def value(text: str, **cells: float) -> float:
    return float(Expression(text).numbers({name: floats(cell) for name, cell in cells.items()})[0])


CELLS = {
    "age": floats(30, 9, 9, 17, NAN, NAN),
    "married": objects("yes", "no", "yes", None, "no", "yes"),
    "member": objects(True, False, None, True, False, True),
    "job": objects("yes", "boss", "yes", "no", None, "clerk"),
    "hours-per week": floats(40, 0, 20, 10, NAN, 5),
    "empty": objects(*[None] * 6),
}


def kept(text: str) -> list[int]:
    return [int(keeps) for keeps in Expression(text).truth(CELLS)]


# Formulas


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a + b", 10.0),
        ("a - b - 1", 3.0),
        ("a - (b - 1)", 5.0),
        ("a + b * 2", 13.0),
        ("(a + b) * 2", 20.0),
        ("a / b / 2", 7 / 3 / 2),
        ("a / b * 2", 7 / 3 * 2),
        ("-a * -b", 21.0),
        ("- - - a", -7.0),
        ("+a--b", 10.0),
        ("a * 1_000 + .5 - 2. + 1e-3", 6998.501),
        ("abs(b - a)", 4.0),
        ("min(a, b, 2)", 2.0),
        ("max(b, a - 1)", 6.0),
        ("floor(a / b)", 2.0),
        ("ceil(a / b)", 3.0),
        ("round(a / b)", 2.0),
        ("round(a / b, 2)", 2.33),
        ("round(a * 111, -2)", 800.0),
        ("round(b / 2)", 2.0),  # 1.5 and 2.5 go to the even digit
        ("round((b + 2) / 2)", 2.0),
        ("`a`", 7.0),
        ("a\n+\tb", 10.0),
        ("a * (2 - 3 / 3)", 7.0),
    ],
)
def test_formulas(text: str, wanted: float) -> None:
    assert value(text, a=7, b=3) == wanted
    assert not Expression(text).is_truth


def test_a_formula_lacks_what_its_cells_lack() -> None:
    cells = {"a": floats(1, NAN, 3), "b": floats(1, 1, NAN)}
    for text in ("a + b", "a * b", "min(a, b)", "max(b, a)", "a / b", "a - b"):
        found = Expression(text).numbers(cells)
        assert np.isnan(found).tolist() == [False, True, True], text
    assert Expression("a * 0").numbers(cells).tolist()[0::2] == [0, 0]


def test_division_by_zero_gives_nothing_and_is_told() -> None:
    cells = {"a": floats(1, 0, NAN, 4), "b": floats(0, 0, 0, 2)}
    half = Expression("a / b")
    np.testing.assert_array_equal(half.numbers(cells), [NAN, NAN, NAN, 2])
    assert half.divides_by_zero(cells).tolist() == [True, True, True, False]
    rule = Expression("a > 0 or 1 / (b - 2) + b > 0")
    assert rule.divides_by_zero(cells).tolist() == [False, False, False, True]
    assert Expression("a / b > 1").truth(cells).tolist() == [True] * 4
    assert Expression("a / b > 1").truth(cells, if_unknown=False).tolist() == [False] * 3 + [True]
    assert not Expression("a + b").divides_by_zero(cells).any()
    assert not Expression("a > b").divides_by_zero(cells).any()


def test_too_large_a_number_is_missing_and_there_is_no_minus_zero() -> None:
    assert np.isnan(value("a * a", a=1e200))
    assert np.isnan(value("a * a - a * a", a=1e200))
    assert str(value("-a", a=0)) == "0.0"
    assert str(value("round(a)", a=-0.2)) == "0.0"


def test_round_leaves_what_is_whole() -> None:
    assert value("round(a, 15)", a=1e300) == 1e300
    assert value("round(a, 3)", a=2.0**53 - 1) == 2.0**53 - 1
    assert value("round(a, -3)", a=1.2345678e16) == 1.2345678e16
    assert value("round(a, -15)", a=1.6e15) == 2e15


def test_booleans_and_numbers_as_objects_count() -> None:
    cells = {"a": objects(True, False, None), "b": objects(2, 3.5, 4), "c": np.array([1, 2, 3])}
    np.testing.assert_array_equal(Expression("a + b * c").numbers(cells), [3, 7, NAN])
    flags = {"a": np.array([True, False])}
    assert Expression("a == true").truth(flags).tolist() == [True, False]


def test_nothing_is_changed() -> None:
    cells = {"a": floats(1, 2), "b": floats(3, 4)}
    found = Expression("a").numbers(cells)
    found[:] = 0
    for text in ("a + b", "a * b", "-a", "abs(a)", "min(a, b)", "round(a, 1)"):
        Expression(text).numbers(cells)
    assert cells["a"].tolist() == [1, 2]
    assert cells["b"].tolist() == [3, 4]


# Rules


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('age >= 18 or married == "no"', [1, 1, 0, 1, 1, 1]),
        ("age == 9", [0, 1, 1, 0, 1, 1]),
        ("age != 9", [1, 0, 0, 1, 1, 1]),
        ("10 < age <= 17", [0, 0, 0, 1, 1, 1]),
        ("17 > age", [0, 1, 1, 0, 1, 1]),
        ("9 == age", [0, 1, 1, 0, 1, 1]),
        ("age in [9, 17]", [0, 1, 1, 1, 1, 1]),
        ("age not in (9, 17,)", [1, 0, 0, 0, 1, 1]),
        ("age in {-9, +9}", [0, 1, 1, 0, 1, 1]),
        ("age - 9 in [0, 8]", [0, 1, 1, 1, 1, 1]),
        ("age is missing", [0, 0, 0, 0, 1, 1]),
        ("age is not missing", [1, 1, 1, 1, 0, 0]),
        ("married is null", [0, 0, 0, 1, 0, 0]),
        ("(married) is not None", [1, 1, 1, 0, 1, 1]),
        ("empty is missing", [1] * 6),
        ("member == true", [1, 0, 1, 1, 0, 1]),
        ("member != True", [0, 1, 1, 0, 1, 0]),
        ("member in [false]", [0, 1, 1, 0, 1, 0]),
        ("married in ['yes', \"maybe\"]", [1, 0, 1, 1, 0, 1]),
        ('"yes" == married', [1, 0, 1, 1, 0, 1]),
        ("married == 'never seen'", [0, 0, 0, 1, 0, 0]),
        ("married != 'never seen'", [1] * 6),
        ("married == job", [1, 0, 1, 1, 1, 0]),
        ("married != job", [0, 1, 0, 1, 1, 1]),
        ("job != married", [0, 1, 0, 1, 1, 1]),
        ("empty == job and empty == age and age == empty and empty == 'x'", [1] * 6),
        ("empty > 3 and empty in ['x', 'y'] and empty + 1 > age", [1] * 6),
        ("age > `hours-per week`", [0, 1, 0, 1, 1, 1]),
        ("`hours-per week` < age", [0, 1, 0, 1, 1, 1]),
        ("age + 1 > `hours-per week` / 2", [1, 1, 0, 1, 1, 1]),
        ("age * 2 == 18", [0, 1, 1, 0, 1, 1]),
        ("18 == age * 2", [0, 1, 1, 0, 1, 1]),
        ("30 - 3 * 7 == age", [0, 1, 1, 0, 1, 1]),
        ("not age == 9", [1, 0, 0, 1, 1, 1]),
        ("not not age == 9", [0, 1, 1, 0, 1, 1]),
        ("not age in [9]", [1, 0, 0, 1, 1, 1]),
        ("not (age == 9 and married == 'no')", [1, 0, 1, 1, 1, 1]),
        ("member == true or age == 30 and married == 'no'", [1, 0, 1, 1, 1, 1]),
        ("age == 9 and (married == 'no' or member == true)", [0, 1, 1, 0, 1, 1]),
    ],
)
def test_rules(text: str, wanted: list[int]) -> None:
    assert kept(text) == wanted
    assert Expression(text).is_truth


def test_three_valued_logic() -> None:
    """Kleene's tables, as SQL has them."""
    true, unknown, false = 2, 1, 0
    cell = {true: 1.0, unknown: NAN, false: 0.0}
    pairs = list(itertools.product(cell, cell))
    cells = {
        "a": floats(*[cell[left] for left, _ in pairs]),
        "b": floats(*[cell[right] for _, right in pairs]),
    }
    for text, wanted in [
        ("a == 1 and b == 1", [min(pair) for pair in pairs]),
        ("a == 1 or b == 1", [max(pair) for pair in pairs]),
        ("not a == 1", [2 - left for left, _ in pairs]),
        ("not (a == 1 and not b == 1)", [max(2 - left, right) for left, right in pairs]),
        ("1 <= a <= b", [min(left, _at_most(left, right)) for left, right in pairs]),
    ]:
        rule = Expression(text)
        assert rule.truth(cells).tolist() == [each != false for each in wanted], text
        certain = rule.truth(cells, if_unknown=False)
        assert certain.tolist() == [each == true for each in wanted], text


def _at_most(left: int, right: int) -> int:
    return 1 if 1 in (left, right) else 2 * (left <= right)


def test_dates_are_read_by_the_caller() -> None:
    day = dt.date(1970, 1, 1)
    cells = {"since": floats(10, 40, NAN), "until": floats(20, 30, 5), "code": objects("1", "2", 1)}
    asked = []

    def read(column: str, value: object) -> float | str | bool:
        asked.append((column, value))
        if column == "code":
            return str(value)
        return float((dt.date.fromisoformat(str(value)) - day).days)

    rule = Expression('"1970-01-05" < since < "1970-02-01" and until != \'1970-01-06\'')
    assert rule.truth(cells, read).tolist() == [True, False, False]
    assert asked == [("since", "1970-01-05"), ("since", "1970-02-01"), ("until", "1970-01-06")]
    rule = Expression("until in ['1970-01-21'] or code == 2")
    assert rule.truth(cells, read=read).tolist() == [True, True, False]
    assert asked[-1] == ("code", 2)
    assert type(asked[-1][1]) is int
    assert Expression("since <= until - 5").truth(cells, read).tolist() == [True, False, True]


def test_quotes_hold_their_quotes() -> None:
    cells = {"a": objects("O'Brien", 'say "x"', "b\\c", "`d`")}
    for i, text in enumerate([r"'O\'Brien'", r'"say \"x\""', r"'b\\c'", "'`d`'"]):
        assert np.flatnonzero(Expression(f"a == {text}").truth(cells)).tolist() == [i]


def test_names() -> None:
    assert Expression("b + `c d` * a - abs(b) + `and`").columns == ("b", "c d", "a", "and")
    assert Expression("z in [1] or not y is missing and 3 > x > w").columns == ("z", "y", "x", "w")
    assert Expression("min * max(min, größe)").columns == ("min", "größe")
    odd = {"hours-per week": floats(2), 'a"b': floats(3), "x > 3": floats(4), "": floats(5)}
    text = " + ".join(f"`{name}`" for name in odd)
    assert Expression(text).numbers(odd).tolist() == [14]
    assert Expression("`true` == `None`").columns == ("true", "None")


def test_no_rows() -> None:
    cells = {"a": floats(), "b": objects()}
    assert Expression("a / 2").numbers(cells).shape == (0,)
    assert Expression("a > 2 and b == 'x' and b == a").truth(cells).shape == (0,)
    assert Expression("a / a").divides_by_zero(cells).shape == (0,)


# Affine


@pytest.mark.parametrize(
    ("text", "affine"),
    [
        ("x", True),
        ("y", False),
        ("y + 3 * -x", True),
        ("x - (x + y)", True),
        ("x * y + x", True),
        ("x / 2 / y", True),
        ("(x + 1) * (y + 2) / 3", True),
        ("x * x", False),
        ("(x + 1) * (y + x)", False),
        ("y / x", False),
        ("y / (1 + x)", False),
        ("x * (y / x)", False),
        ("x + abs(x)", False),
        ("x + abs(y) + min(y, 2)", True),
        ("round(x, 2)", False),
        ("x > 3", False),
    ],
)
def test_affine(text: str, affine: bool) -> None:
    assert Expression(text).affine_in("x") is affine


def test_long_products_are_affine_in_no_time() -> None:
    assert not Expression("*".join(["x"] * 3000)).affine_in("x")
    assert Expression("+".join(["x"] * 3000)).affine_in("x")


# Refusals


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("a" * 10_001, "longer than 10,000 characters"),
        ("1 + 2", "no column is named"),
        ("'a'", "no column is named"),
        ("a b", "an operator is lacking before this (at character 3)"),
        ("a +", "an operand is lacking (at the end)"),
        ("* a", "an operand is lacking (at character 1)"),
        ("a + and", "an operand is lacking (at character 5)"),
        ("a == not b == 1", "an operand is lacking (at character 6)"),
        ("(a", "the bracket is not closed (at the end)"),
        ("(a b)", "')' or an operator is lacking before this (at character 4)"),
        ("(a]", "')' or an operator is lacking before this (at character 3)"),
        ("a)", "a bracket is closed that was not opened (at character 2)"),
        ("()", "an operand is lacking"),
        ("`a", "a backtick is not closed"),
        ("a == 'x", "a quote is not closed (at character 6)"),
        ("a = 3", "for 'equals' use =="),
        ("a === 3", "for 'equals' use =="),
        ("a <> 3", "use !="),
        ("a << 3", "has no meaning here"),
        ("a ** 2", "there are no powers"),
        ("a // 2", "floor(a / b)"),
        ("a % 2", "there is no %"),
        ("a @ b", "has no meaning here"),
        ("a > 1 & b > 1", "use 'and'"),
        ("a > 1 | b > 1", "use 'or'"),
        ("!a", "use 'not'"),
        ("~a", "use 'not'"),
        ("a.real", "there are no attributes"),
        ("a[0]", "an operator is lacking"),
        ("a > (b := 3)", "nothing can be assigned"),
        ("lambda x: x", "has no meaning here"),
        ("lambda: 3", "has no meaning here"),
        ("f'{a}'", "an operator is lacking"),
        ("[a for a in b]", "a list stands after 'in'"),
        ("a if b else c", "an operator is lacking"),
        ("a > 1, b > 1", "an operator is lacking"),
        ("__import__('os')", "there is no function '__import__'; known are abs, ceil, floor"),
        ("min(a)", "two numbers or more"),
        ("abs(a, b)", "one number"),
        ("round(a, 1, 2)", "one number"),
        ("round(a, b)", "-15 to 15 digits"),
        ("round(a, 1.5)", "-15 to 15 digits"),
        ("round(a, 16)", "-15 to 15 digits"),
        ("min()", "an operand is lacking"),
        ("a / 0", "this divides by zero (at character 5)"),
        ("a / 0.0", "divides by zero"),
        ("1 / 0 + a", "divides by zero"),
        ("a / -0", "divides by zero"),
        ("a / (1 - 1)", "divides by zero"),
        ("1e999 * a", "the number is too large"),
        ("9" * 400 + " * a", "the number is too large"),
        ("a + 1e300 * 1e300", "the number is too large"),
        ("007 + a", "codes stand in quotes"),
        ("a == 3x", "'3x' has no meaning here (at character 6)"),
        ("1 < 2 and a > 1", "a comparison needs a column"),
        ("'age' > 3", "a comparison needs a column, which stands without quotes"),
        ("a + 'x'", "compared with a column alone"),
        ("a + 1 == 'x'", "compared with a column alone"),
        ("a * true", "compared with a column alone"),
        ("-'x' == a", "compared with a column alone"),
        ("a - 1 in ['x']", "compared with a column alone"),
        ("a and b > 1", "a comparison is wanted here, such as: column == true"),
        ("b > 1 or a + 1", "a comparison is wanted here (at character 10)"),
        ("not a", "a comparison is wanted here"),
        ("(a > 1) + 1", "a comparison cannot be counted with"),
        ("(a > 1) == (b > 1)", "join comparisons with 'and' or 'or'"),
        ("abs(a > 1)", "a comparison cannot be counted with"),
        ("(a > 1) in [1]", "a comparison cannot be counted with"),
        ("(a > 1) is missing", "goes with a column"),
        ("a + 1 is missing", "goes with a column"),
        ("a is 3", "'is' goes with 'missing' or 'not missing'"),
        ("a is", "'is' goes with 'missing' or 'not missing'"),
        ("a == None", "for missing cells write 'is missing'"),
        ("null != a", "for missing cells write 'is missing'"),
        ("a > 1 in [1]", "comparisons are joined by 'and' or 'or'"),
        ("a is missing == b", "comparisons are joined by 'and' or 'or'"),
        ("a not > 3", "'not' goes before a comparison, or before 'in'"),
        ("a in 3", "a list goes with 'in'"),
        ("a in []", "the list is empty"),
        ("a in [b]", "a list holds numbers"),
        ("a in [1", "not closed"),
        ("a in [1 2]", "']' or an operator is lacking"),
        ("a in [[1]]", "a list stands after 'in'"),
        ("3 in [a]", "'in' goes with a column"),
        ("(" * 5000, "more than 20 brackets in brackets (at character 21)"),
        ("abs(" * 21 + "a" + ")" * 21, "more than 20 brackets in brackets"),
        ("a\x00", "has no meaning here"),
        ("\ud800", "has no meaning here"),
    ],
)
def test_refusals(text: str, says: str) -> None:
    with pytest.raises(SchemaError, match=re.escape(says)) as caught:
        Expression(text)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400


def test_an_error_shows_the_form() -> None:
    with pytest.raises(SchemaError, match=re.escape("write it like price * quantity, or age >= 1")):
        Expression("a b")


def test_an_expression_is_text() -> None:
    with pytest.raises(SchemaError, match="an expression is text, not int"):
        Expression(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("age == 'x'", "column 'age' holds numbers, which cannot be compared with text"),
        ("age in [3, 'x']", "column 'age' holds numbers"),
        ("married == 3", "column 'married' holds text, which cannot be compared with a number"),
        ("married in ['x', true]", "column 'married' holds text"),
        ("married > 'a'", "column 'married' holds text, which has no order"),
        ("'a' > married", "column 'married' holds text, which has no order"),
        ("married < job", "column 'married' holds text, which has no order|'job'"),
        ("married == age", "columns 'married' and 'age' cannot be compared|'age' and 'married'"),
        ("age == married", "columns 'age' and 'married' cannot be compared|'married' and 'age'"),
        ("age > married", "'married'"),
        ("age + married > 3", "column 'married' holds text, which cannot be counted with"),
        ("married == age + 1", "column 'married' holds text, which cannot be counted with"),
        ("abs(married) in [3]", "column 'married' holds text, which cannot be counted with"),
        ("other > 3", "there is no column 'other'"),
    ],
)
def test_cells_that_do_not_go_together(text: str, says: str) -> None:
    with pytest.raises(SchemaError, match=says) as caught:
        Expression(text).truth(CELLS)
    assert not re.search("yes|boss|clerk|30|17", str(caught.value))  # no cell is told


def test_cells_of_another_shape() -> None:
    with pytest.raises(SchemaError, match="as many cells each"):
        Expression("a + b").numbers({"a": floats(1), "b": floats(1, 2)})
    for array in (np.zeros((2, 2)), np.zeros(2, dtype="datetime64[s]"), np.array(3.0)):
        with pytest.raises(SchemaError, match="column 'a' must be an array"):
            Expression("a").numbers({"a": array})
    assert Expression("a").numbers({"a": floats(1), "b": floats(1, 2)}).tolist() == [1]


def test_a_rule_is_no_number() -> None:
    with pytest.raises(SchemaError, match="is a rule, not a number"):
        Expression("age > 3").numbers(CELLS)
    with pytest.raises(SchemaError, match="is a number, not a rule"):
        Expression("age + 3").truth(CELLS)


# As a value


def test_an_expression_is_its_text() -> None:
    one = Expression("a + b")
    assert str(one) == "a + b"
    assert repr(one) == "Expression(text='a + b')"
    assert one == Expression("a + b") != Expression("a+b")
    assert len({one, Expression("a + b")}) == 1
    assert from_plain(Expression, to_plain(one)) == one
    assert copy.deepcopy(one).columns == ("a", "b")


# Long and hostile


def test_long_expressions() -> None:
    terms = [f"c{i}" for i in range(300)]
    cells = {name: floats(i) for i, name in enumerate(terms)}
    assert Expression(" + ".join(terms)).numbers(cells).tolist() == [sum(range(300))]
    cells = {"a": floats(1, 2)}
    for text, wanted in [
        ("+".join(["a"] * 5000), [5000, 10_000]),
        ("/".join(["a"] * 5000), [1, 0]),
        ("-" * 9998 + "a", [1, 2]),
        ("-" * 9999 + "a", [-1, -2]),
        ("min(" + ",".join(["a"] * 4000) + ")", [1, 2]),
        ("(" * 20 + "a" + ")" * 20, [1, 2]),
    ]:
        np.testing.assert_allclose(Expression(text).numbers(cells), wanted, atol=1e-9)
    for text in [
        "not " * 2400 + "a>1",
        " or ".join(["a>1"] * 1400),
        "a" + ">=a" * 3000 + ">1",
        f"a in [{'2,' * 4000}]",
    ]:
        assert Expression(text).truth(cells).shape == (2,)


def test_the_deepest_text_needs_little_of_the_stack() -> None:
    text = "a>0 and not (" * 20 + "a>1" + ")" * 20
    frames = 0
    frame = sys._getframe()
    while frame.f_back is not None:
        frame, frames = frame.f_back, frames + 1
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(frames + 350)
    try:
        rule = Expression(text)
        rule.truth({"a": floats(1, 2)})
        assert rule.columns == ("a",)
    finally:
        sys.setrecursionlimit(limit)


PIECES = (
    "( ) [ ] { } , + - * / < <= > >= == != and or not in is missing a b `c` 'x' \"y\" 1 0 2.5 "
    "1e9 true None abs( min( round( foo( = ** . : := ` ' \" \\ % ! \x00 é ² lambda"
)


@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from([*PIECES.split(), "\n"]), max_size=20).map(" ".join)
)
def test_no_text_harms(text: str) -> None:
    try:
        expression = Expression(text)
        cells = {name: floats(0, 1, NAN) for name in expression.columns}
        evaluate = expression.truth if expression.is_truth else expression.numbers
        found = evaluate(cells).shape, expression.divides_by_zero(cells).shape
    except SchemaError as error:
        message = str(error)
    else:
        message = ""
        assert found == ((3,), (3,))
    assert len(message.splitlines()) <= 1


# Against numpy

ROWS = {
    "a": floats(0, 1, -2.5, 3, NAN, 1e6, 0.1),
    "b": floats(0, 2, 4, -1, 1, NAN, 0.3),
    "c": floats(5, 0, 0.5, -3, 2, 1, NAN),
}
ORACLE: dict[str, Any] = {
    "abs": np.abs,
    "floor": np.floor,
    "ceil": np.ceil,
    "min": np.minimum,
    "max": np.maximum,
    "round": np.round,
}


def _grown(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(parts, parts)
    return st.one_of(
        st.tuples(parts, st.sampled_from(["+", "-", "*", "/"]), parts).map(" ".join),
        parts.map(lambda part: f"({part})"),
        parts.map(lambda part: f"-{part}"),
        st.tuples(st.sampled_from(["abs", "floor", "ceil", "round"]), parts).map(
            lambda call: f"{call[0]}({call[1]})"
        ),
        parts.map(lambda part: f"round({part}, 2)"),
        pair.map(lambda of: f"min({of[0]}, {of[1]})"),
        pair.map(lambda of: f"max({of[0]}, {of[1]})"),
    )


ARITHMETIC = st.recursive(
    st.sampled_from(["a", "b", "c", "1", "2.5", "0.1", "7"]), _grown, max_leaves=12
)


@given(ARITHMETIC)
def test_arithmetic_is_that_of_numpy(text: str) -> None:
    try:
        expression = Expression(text)
    except SchemaError as error:
        assume(not re.search("no column is named|divides by zero|brackets in", str(error)))
        raise
    with np.errstate(all="ignore"):
        wanted = eval(text, dict(ORACLE), ROWS) + np.zeros(7)
    wanted[~np.isfinite(wanted) | expression.divides_by_zero(ROWS)] = NAN
    np.testing.assert_array_equal(expression.numbers(ROWS), wanted)


@given(ARITHMETIC, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), ARITHMETIC)
def test_comparisons_are_those_of_numpy(left: str, sign: str, right: str) -> None:
    try:
        rule, lefts, rights = (Expression(x) for x in (f"{left} {sign} {right}", left, right))
    except SchemaError:
        assume(False)
        raise
    with np.errstate(all="ignore"):
        one, other = (eval(side, dict(ORACLE), ROWS) for side in (left, right))
        found = eval(f"one {sign} other", {"one": one, "other": other})
    undefined = np.isnan(one) | np.isnan(other) | rule.divides_by_zero(ROWS)
    np.testing.assert_array_equal(rule.truth(ROWS), found | undefined)
    np.testing.assert_array_equal(rule.truth(ROWS, if_unknown=False), found & ~undefined)
    either = lefts.divides_by_zero(ROWS) | rights.divides_by_zero(ROWS)
    np.testing.assert_array_equal(rule.divides_by_zero(ROWS), either)


@given(ARITHMETIC)
def test_what_is_affine_runs_straight(text: str) -> None:
    try:
        expression = Expression(f"{text} - 2 * a")
    except SchemaError:
        return
    if not expression.affine_in("a"):
        return
    others = {"b": floats(3, -1, 0.5), "c": floats(2, 5, -0.25)}
    zero, one, four = (
        expression.numbers({**others, "a": floats(*[x] * 3)}) for x in (0.0, 1.0, 4.0)
    )
    scale = 1 + np.nan_to_num(np.abs(zero) + np.abs(four)).max()
    np.testing.assert_allclose((four - zero) / scale, 4 * (one - zero) / scale, atol=1e-9)
