"""How the cells of keys look, and how generated ones are to look."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from synthgan.columns.patterns import FEWEST_SHARING, code_pattern, commonest_pattern

_SPARSE = 20  # times as many numbers as there are, in the range that they could have


@dataclass(frozen=True, kw_only=True)
class Form:
    """How the different cells of a column look."""

    worth: float = 0.0
    words: str = ""
    pattern: str | None = None
    """How generated ones are to look; None: they are numbered."""
    is_token: bool = False
    """Whether they look drawn at random, as hashes do."""
    dense: bool = False
    """Whole numbers that lie close together."""


_TOKEN = r"^[A-Za-z0-9_\-+/=.:{}]{16,}$"


def form_of(distinct: pa.Array) -> Form:
    """Of text (large_string) or whole numbers, all of them different."""
    if not pa.types.is_large_string(distinct.type):
        return _form_of_numbers(distinct.to_numpy(zero_copy_only=False))
    lengths = pc.utf8_length(distinct)
    longest = pc.max(lengths).as_py()
    if longest > 100 or pc.any(pc.match_substring_regex(distinct, r"\s{2}|[\r\n\t]")).as_py():
        return Form()
    blanks = pc.mean(pc.match_substring(distinct, " ")).as_py()
    pattern = code_pattern(distinct) if blanks in (0.0, 1.0) else None
    if blanks == 0 and _are_tokens(distinct, pattern):
        return Form(
            worth=0.8, words="drawn as if at random", pattern=pattern or None, is_token=True
        )
    if pc.all(pc.match_substring_regex(distinct, "^[0-9]+$")).as_py():
        fixed = pc.min(lengths).as_py() == longest >= 5
        return Form(
            worth=0.4 if fixed else 0.2,
            words="digits of one width" if fixed else "digits",
            pattern="9" * _commonest(lengths),
            dense=not fixed and 10**longest < _SPARSE * len(distinct),
        )
    if pattern is None and blanks == 0 and _are_mixed(distinct):
        return Form(worth=0.3, words="codes", pattern=commonest_pattern(distinct))
    if pattern is None:
        return Form()
    open_ = sum(character in "9AaFf" for character in re.sub(r"\\.", "", pattern))
    has_digits = pc.mean(pc.match_substring_regex(distinct, "[0-9]")).as_py() > 0.9
    if not pattern:
        shared = commonest_pattern(distinct)
        return Form(worth=0.3 if has_digits else 0.0, words="codes", pattern=shared)
    of_digits = not set(pattern) - set("9/:.,- x")
    if not has_digits or open_ < (8 if of_digits else 4) or blanks:
        return Form(worth=0.2 if has_digits else 0.0, words="codes", pattern=pattern)
    return Form(worth=0.5 if open_ >= 7 else 0.4, words="codes of one pattern", pattern=pattern)


def _are_tokens(distinct: pa.Array, pattern: str | None) -> bool:
    if pattern and not set(pattern) - set("fF-:.{}") and len(pattern) >= 16:
        return True  # hexadecimal
    if not pc.all(pc.match_substring_regex(distinct, _TOKEN)).as_py():
        return False
    digits = pc.mean(pc.match_substring_regex(distinct, "[0-9]")).as_py()
    mixed = pc.mean(pc.match_substring_regex(distinct, "[A-Za-z][^A-Za-z]*[0-9]|[0-9].*[A-Za-z]"))
    if digits < 0.9 or mixed.as_py() < 0.9:
        return False
    shapes = pc.unique(pc.replace_substring_regex(distinct, "[0-9]", "9"))
    return len(shapes) > 0.9 * len(distinct)


def _are_mixed(distinct: pa.Array) -> bool:
    """Whether nearly all have letters and at least two digits, and few other marks: codes of many
    shapes, as of account numbers that were given out in different ways."""
    code = r"^[\p{L}0-9_\-/.:#]+$"
    fits = pc.match_substring_regex(distinct, code)
    digits = pc.match_substring_regex(distinct, r"[0-9].*[0-9]")
    letters = pc.match_substring_regex(distinct, r"\p{L}")
    return all(float(pc.mean(each).as_py()) > 0.9 for each in (fits, digits, letters))


def _form_of_numbers(values: npt.NDArray[np.generic]) -> Form:
    numbers = values.astype(np.float64)
    low, high = numbers.min(), numbers.max()
    if low < 0 or high > 2**53 or (numbers != np.rint(numbers)).any():
        return Form()
    widths = np.char.str_len(numbers.astype(np.int64).astype(str))
    width = int(np.bincount(widths).argmax())
    if high < 10_000 or 9 * 10 ** (width - 1) < _SPARSE * len(numbers):
        return Form(dense=True)
    if high - low < _SPARSE * len(numbers) and width < 7:
        return Form(worth=0.2, words="whole numbers of many digits", pattern="9" * width)
    one_width = bool((widths == width).all()) and width >= 6
    return Form(
        worth=0.4 if one_width else 0.35,
        words="whole numbers of one width" if one_width else "whole numbers far apart",
        pattern="9" * min(width, 15),
    )


def _commonest(lengths: pa.Array) -> int:
    return int(np.bincount(lengths.to_numpy(zero_copy_only=False)).argmax())


def are_whole_or_text(present: pa.Array) -> bool:
    if not len(present):
        return False
    if pa.types.is_floating(present.type):
        values = present.to_numpy(zero_copy_only=False)
        return bool((values == np.rint(values)).all() and np.abs(values).max() <= 2**53)
    return pa.types.is_integer(present.type) or is_text(present)


def is_text(cells: pa.Array) -> bool:
    return bool(pa.types.is_large_string(cells.type))


def as_whole(present: pa.Array) -> pa.Array:
    return present.cast(pa.int64()) if pa.types.is_floating(present.type) else present


def format_of(form: Form, distinct: pa.Array, dtype: str) -> str | None:
    """How generated cells are to look, so that no real one is among them, or hardly any.

    Where all codes share a digit, as numbers that were given out in turn do, generated ones have
    another one there. Where so many codes differ that others of the pattern would be among them by
    chance, generated ones have two digits more.
    """
    pattern = form.pattern
    if not is_text(distinct):
        if pc.min(distinct).as_py() < 0:
            return None
        pattern = pattern or "9" * (len(str(pc.max(distinct).as_py())) + 2)
        most = _MOST_DIGITS.get(dtype.casefold().removesuffix("[pyarrow]"), 15)
        if len(pattern) > most:
            return None
    if not pattern or "9" not in pattern:
        return pattern
    enough = _SPARSE * len(distinct)
    apart = _with_another_digit(pattern, distinct.cast(pa.large_string()))
    if apart is not None and _space(apart) >= enough:
        return apart
    if _space(pattern) >= enough:
        return pattern
    last = pattern.rindex("9")
    return f"{pattern[:last]}99{pattern[last:]}"


def _space(pattern: str) -> int:
    """How many cells of a pattern there are."""
    slots = re.sub(r"\\.", "", pattern)
    return math.prod(_CHOICES.get(character, 1) for character in slots)


def _with_another_digit(pattern: str, distinct: pa.Array) -> str | None:
    """The pattern with a digit that no cell of ``distinct`` (text) has in that place, while all of
    them have the same; None if there is no such place."""
    places = re.findall(r"\\.|.", pattern)
    lengths = pc.unique(pc.utf8_length(distinct))
    if len(distinct) < FEWEST_SHARING or lengths.to_pylist() != [len(places)]:
        return None
    for place, slot in enumerate(places):
        here = pc.unique(pc.utf8_slice_codeunits(distinct, place, place + 1)).to_pylist()
        if slot == "9" and len(here) == 1:
            digit = int(here[0])
            other = digit - 1 if digit >= 2 else digit + 1  # neither 0 nor 9
            return "".join([*places[:place], str(other), *places[place + 1 :]])
    return None


_CHOICES = {"9": 10, "A": 26, "a": 26, "F": 16, "f": 16}
_MOST_DIGITS = {
    "int8": 2, "uint8": 2, "int16": 4, "uint16": 4, "int32": 9, "uint32": 9, "float": 7,
    "float16": 3, "float32": 7, "float64": 15, "double": 15,
}  # fmt: skip
