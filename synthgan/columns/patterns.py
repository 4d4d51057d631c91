"""The pattern that codes share: which of their places hold digits, and which letters."""

from __future__ import annotations

import string

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

FEWEST_SHARING = 5
"""Codes that must share a letter for it to be kept."""


def code_pattern(distinct: pa.Array) -> str | None:
    """The pattern that all cells share; empty if they are codes of several shapes, None if
    they do not look like codes."""
    shapes = pc.unique(_mapped(distinct, _TO_SHAPE))
    first: str = shapes[0].as_py()
    if len(shapes) == 1 and ("9" in first or "a" not in first):
        return _with_fixed_letters(distinct, first)
    for table in (_TO_LOWER_HEX, _TO_UPPER_HEX):
        hexadecimal = pc.unique(_mapped(distinct, table))
        pattern: str = hexadecimal[0].as_py()
        if len(hexadecimal) == 1 and len(pattern) >= 8 and not set(pattern) - set("fF-:.{}"):
            return pattern
    outlines = pc.unique(pc.replace_substring_regex(shapes, "9+|A+|a+", "#"))
    with_digit = pc.mean(pc.match_substring(shapes, "9")).as_py()
    one_length = len(pc.unique(pc.utf8_length(shapes))) == 1
    one_outline = with_digit == 1 and len(outlines) == 1
    return "" if one_outline or (one_length and with_digit > 0.9) else None


def commonest_pattern(distinct: pa.Array) -> str | None:
    """The pattern that most of ``distinct`` share, which are of several; None if few share one."""
    shapes = _mapped(distinct, _TO_SHAPE)
    counted = pc.value_counts(shapes)
    most = int(counted.field("counts").to_numpy().argmax())
    shape: str = counted.field("values")[most].as_py()
    if counted.field("counts")[most].as_py() < FEWEST_SHARING:
        return None
    return _with_fixed_letters(distinct.filter(pc.equal(shapes, shape)), shape)


def _with_fixed_letters(distinct: pa.Array, shape: str) -> str:
    """The ``shape`` of all cells, in which a letter that all of them share stands for itself, if
    they are so many that it tells of none of them."""
    if len(distinct) < FEWEST_SHARING:
        return shape
    pattern = ""
    for place, stand_in in enumerate(shape):
        here = pc.unique(pc.utf8_slice_codeunits(distinct, place, place + 1))
        itself = here[0].as_py()
        if stand_in == "9" or len(here) > 1:
            pattern += stand_in
        else:
            pattern += f"\\{itself}" if itself in "AaFf\\" else itself
    return pattern


def _table(*classes: tuple[str, str]) -> npt.NDArray[np.uint8]:
    table = np.arange(256, dtype=np.uint8)
    for characters, stand_in in classes:
        table[np.frombuffer(characters.encode(), dtype=np.uint8)] = ord(stand_in)
    return table


_TO_SHAPE = _table(
    (string.digits, "9"), (string.ascii_uppercase, "A"), (string.ascii_lowercase, "a")
)
_TO_LOWER_HEX = _table((string.digits + "abcdef", "f"))
_TO_UPPER_HEX = _table((string.digits + "ABCDEF", "F"))


def _mapped(text: pa.Array, table: npt.NDArray[np.uint8]) -> pa.Array:
    """``text`` (large_string, no nulls) with each ASCII character replaced as ``table`` says."""
    validity, offsets, data = text.buffers()
    characters = table[np.frombuffer(data, dtype=np.uint8)]
    buffers = [validity, offsets, pa.py_buffer(characters)]
    return pa.Array.from_buffers(text.type, len(text), buffers, offset=text.offset)
