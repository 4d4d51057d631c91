"""How likely is it that a value made up in a column's form is a real one?

A form is what the values of a column have in common: their length, their signs, and which
characters stand where. If a real number of nine digits comes out of a generator, chance is no
excuse; if one of three digits does, it may be. The size of a form is estimated from the real
values alone, so that no holdout is needed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

import numpy as np

from synthgan._typing import Floats, Ints

Place = tuple[Hashable, int] | None
"""A kind of number (its pattern, its roundness) and the number; None where there is none."""

_LEAST = 10  # real values of a form, for its size to be known
_LOOKED_AT = 20_000  # values that say what a form is
_AROUND = 25  # numbers on either side that say how densely they lie
_MOST_DIGITS = 18  # of a number that 64 bits hold
_MOST_ZEROS = 6
_DIGITS = re.compile(r"\d+")
_PARTS = re.compile(r"\d+|[^\W\d_]+|[\W_]+")
_NUMBER = re.compile(r"[-+]?\d*[.,]?\d+")
_MIXED = 0.5  # of the values are numbers, where a column holds numbers
_WIDE = 1e6  # values that a code's form must have room for
_SPARSE = 1e-3  # of which real ones are at most this share
_PLAIN_DIGITS = 7  # digits of a code that has nothing but digits
_ROUND = 0.25  # share of a quantity's values that end in 0, and that of no code
_LARGEST = 700.0  # logarithm of a size that a float holds
_MOST = 0.9  # of the values have one of the forms


def room(words: Sequence[str]) -> tuple[float, float]:
    """For how many values the forms of ``words`` have room, and the share of real ones in it.

    ``words`` are distinct. A form says at which places letters stand, digits, and which signs
    (for codes that mix letters and digits anywhere, such as hexadecimal ones: either); it has room
    for as many values as the characters seen at each place combine to. Values of forms with fewer
    than ten values are left out; (0, 1) if most are.
    """
    groups = _told(_by_shape(words, _shape_of(words)))
    told = sum(map(len, groups.values()))
    if told < _MOST * len(words):
        return 0.0, 1.0
    size = sum(map(_combinations, groups.values()))
    return size, min(told / size, 1.0)


def is_code(words: Sequence[str]) -> bool:
    """Whether ``words`` (distinct) are codes: of few forms, that have room for far more values.

    Words of letters alone are none, nor are numbers with a fraction, whole ones whose width
    varies, short ones, and those of which many are round, as quantities are.
    """
    words = words[:_LOOKED_AT]
    if len(words) < _LEAST or sum(map(_has_digit, words)) < _MOST * len(words):
        return False
    if sum(_NUMBER.fullmatch(word) is not None for word in words) > _MIXED * len(words):
        widths = {len(word) for word in words}
        round_ones = sum(word.endswith("0") for word in words)
        if not all(word.isdigit() for word in words) or len(widths) > 1:
            return False
        if widths.pop() < _PLAIN_DIGITS or round_ones > _ROUND * len(words):
            return False
    size, share = room(words)
    return size >= _WIDE and share <= _SPARSE


def by_form(real: Sequence[str], made: Sequence[str]) -> Floats:
    """For each of ``made`` the chance to be one of ``real`` (distinct), by its form.

    NaN where the real values of that form are too few to tell.
    """
    shape = _shape_of(real)
    groups = _told(_by_shape(real, shape))
    shares = {key: len(group) / _combinations(group) for key, group in groups.items()}
    return np.array([shares.get(shape(word), math.nan) for word in made], dtype=np.float64)


def by_parts(real: Sequence[str], made: Sequence[str]) -> Floats:
    """For each of ``made`` the chance to be one of ``real``, by putting parts together anew.

    Parts are words, numbers and what stands between them: with 50 first and 60 last names there
    is room for 3,000 names. NaN where there is no room, or too few real values to tell.
    """
    groups: dict[tuple[str, ...], list[list[str]]] = {}
    for word in real:
        parts = _PARTS.findall(word)
        groups.setdefault(_plan(parts), []).append(parts)
    shares = {
        plan: len(rows) / size
        for plan, rows in groups.items()
        if len(rows) >= _LEAST and (size := _combinations(rows)) > len(rows)
    }
    plans = (_plan(_PARTS.findall(word)) for word in made)
    return np.array([shares.get(plan, math.nan) for plan in plans], dtype=np.float64)


def numbers_in(words: Iterable[str]) -> list[Place]:
    """Each word as what is left of it without digits, and its digits as one number."""
    found: list[Place] = []
    for word in words:
        digits = "".join(_DIGITS.findall(word))
        known = bool(digits) and len(digits) <= _MOST_DIGITS
        found.append((_DIGITS.sub("#", word), int(digits)) if known else None)
    return found


def on_grid(numbers: Floats, decimals: int) -> list[Place]:
    """Each number as its roundness (zeros at its end) and its place on a grid of that step."""
    scaled = np.round(numbers * 10.0**decimals)
    found: list[Place] = []
    for each in scaled:
        if not abs(each) < 10.0**_MOST_DIGITS:
            found.append(None)
            continue
        place, zeros = int(each), 0
        while zeros < _MOST_ZEROS and place and place % 10 == 0:
            place, zeros = place // 10, zeros + 1
        found.append((zeros, place))
    return found


_UNITS = (86_400_000_000, 3_600_000_000, 60_000_000, 1_000_000, 1_000, 1)


def on_clock(seconds: Floats) -> list[Place]:
    """Each time as the largest unit (day to microsecond) that holds it, and how many of that."""
    found: list[Place] = []
    for each in np.round(seconds * 1e6):
        place = int(each)
        unit = next(unit for unit in _UNITS if place % unit == 0)
        found.append((unit, place // unit))
    return found


def by_neighbours(real: Sequence[Place], made: Sequence[Place], *, least: int = 1) -> Floats:
    """For each of ``made`` the share of numbers close to it that are ``real``: 0 to 1.

    Numbers drawn anew close by, or counted through, hit as many. Numbers of one kind (pattern,
    roundness) are held against each other; close by are the 50 next real ones of its kind. Kinds
    of fewer than ``least`` real numbers are no row, and hit by chance no more than their form is.
    """
    rows: dict[Hashable, list[int]] = {}
    for each in real:
        if each is not None:
            rows.setdefault(each[0], []).append(each[1])
    ordered = {kind: np.unique(np.array(row, dtype=np.int64)) for kind, row in rows.items()}
    ordered = {kind: row for kind, row in ordered.items() if len(row) >= least}
    places: dict[Hashable, list[int]] = {}
    for place, each in enumerate(made):
        if each is not None and each[0] in ordered:
            places.setdefault(each[0], []).append(place)
    chance = np.zeros(len(made), dtype=np.float64)
    for kind, found in places.items():
        numbers = np.array([each[1] for i in found if (each := made[i])], dtype=np.int64)
        chance[found] = _density(ordered[kind], numbers)
    return chance


def _density(row: Ints, numbers: Ints) -> Floats:
    """Share of the numbers around each of ``numbers`` that ``row`` (sorted) holds."""
    width = min(2 * _AROUND, len(row))
    first = np.clip(np.searchsorted(row, numbers) - width // 2, 0, len(row) - width)
    last = first + width - 1
    share: Floats = width / ((row[last] - row[first]).astype(np.float64) + 1)
    return np.where((numbers >= row[0]) & (numbers <= row[-1]), share, 0.0)


Shape = Callable[[str], str]


def _shape_of(words: Sequence[str]) -> Shape:
    """What tells the forms of ``words`` apart: the finer one, if it is of few forms."""
    told = _told(_by_shape(words, _fine))
    return _fine if sum(map(len, told.values())) >= _MOST * len(words) else _coarse


def _by_shape(words: Sequence[str], shape: Shape) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for word in words:
        groups.setdefault(shape(word), []).append(word)
    return groups


def _told(groups: dict[str, list[str]]) -> dict[str, list[str]]:
    """Those of enough values."""
    return {shape: group for shape, group in groups.items() if len(group) >= _LEAST}


def _fine(word: str) -> str:
    return "".join("9" if x.isdigit() else "a" if x.isalpha() else x for x in word)


def _coarse(word: str) -> str:
    return "".join("x" if x.isalnum() else x for x in word)


def _plan(parts: Sequence[str]) -> tuple[str, ...]:
    """What kind of part stands where: a number, a word, or the very signs between."""
    return tuple(_kind(part) for part in parts)


def _kind(part: str) -> str:
    return "9" if part[0].isdigit() else "a" if part[0].isalpha() else part


def _combinations(rows: Sequence[Sequence[str]]) -> float:
    """How many rows there can be if each place takes any of what stands there."""
    return math.exp(min(sum(math.log(len(set(place))) for place in _places(rows)), _LARGEST))


def _places(rows: Sequence[Sequence[str]]) -> Iterator[tuple[str, ...]]:
    return zip(*rows[:_LOOKED_AT], strict=True)


def _has_digit(word: str) -> bool:
    return any(map(str.isdigit, word))
