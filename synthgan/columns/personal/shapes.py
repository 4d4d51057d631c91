"""The pattern that values of a personal kind share: what generated ones look like."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from synthgan.columns.column import Personal
from synthgan.columns.personal.base import FEW_PEOPLE

SHAPED = ("phone", "postcode", "national_id", "card", "iban", "imei", "plate", "vin")
_SHARED = 5  # values that must have the shape, so that it tells of none of them
_TO_SHAPE = (
    (re.compile(r"[0-9]"), "9"),
    (re.compile(r"[A-Z]"), "A"),
    (re.compile(r"[a-z]"), "a"),
)


_HEXADECIMAL = ((re.compile(r"[0-9A-F]"), "F"), (re.compile(r"[0-9a-f]"), "f"))


def pattern_of(personal: Personal, texts: Sequence[str]) -> str | None:
    if personal == "mac":
        is_lower = any(character in "abcdef" for text in texts for character in text)
        digits, stand_in = _HEXADECIMAL[is_lower]
        shapes = {digits.sub(stand_in, text) for text in texts}
        return shapes.pop() if len(shapes) == 1 and len(texts) >= FEW_PEOPLE else None
    return _pattern(texts) if personal in SHAPED else None


def _pattern(texts: Sequence[str]) -> str | None:
    """The commonest shape, with 9, A and a for digits and letters; None if few values have it."""
    shapes: Counter[str] = Counter()
    for text in texts:
        for characters, stand_in in _TO_SHAPE:
            text = characters.sub(stand_in, text)
        shapes[text] += 1
    shape, times = shapes.most_common(1)[0]
    common = times >= max(_SHARED, len(texts) / 4)
    return shape if common and shape.isascii() and 0 < len(shape) <= 60 else None
