"""Words in errors: what the user wrote, what is known, and what of it comes near."""

from __future__ import annotations

from collections.abc import Sequence

from synthgan.schema import Column
from synthgan.table import near_words

FEW = 10
"""Levels or names that an error lists in full."""


def displayed(value: object) -> str:
    """What the user wrote, in a line of bounded length."""
    if isinstance(value, str):
        return short(value)
    if value is None or isinstance(value, bool | float):
        return repr(value)
    if isinstance(value, int):
        return str(value) if abs(value) < 10**30 else "so large an integer"
    return f"a value of type {type(value).__name__}"


def spelled(value: object) -> str:
    """``str(value)``, or hexadecimal for integers that Python refuses to spell."""
    return str(value) if not isinstance(value, int) or abs(value) < 10**300 else hex(value)


def missing_hint(column: Column) -> str:
    """How to ask for missing cells."""
    return f"column {column.name!r}: for missing cells write 'is missing' or 'is not missing'"


def one_line(text: str) -> str:
    """``text`` with a space for each mark that cannot be printed."""
    return "".join(mark if mark.isprintable() else " " for mark in text)


def short(text: str) -> str:
    """``text`` in quotes, cut where it is long."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def listed(values: Sequence[object]) -> str:
    """The first few of ``values``."""
    shown = ", ".join(displayed(value) for value in values[:FEW])
    return shown + ", ..." * (len(values) > FEW)


def nearest(word: object, known: Sequence[object], *, few: int) -> str:
    """All that is known if it is not more than ``few``, else what comes near ``word``."""
    near: list[str] = []
    spelled = {str(each): each for each in known}
    if len(known) > few and isinstance(word, str):
        near = near_words(word, spelled, most=3, cutoff=0.5)
    if near:
        return f"nearest: {listed([spelled[each] for each in near])}"
    return f"known: {listed(known) or 'none'}"
