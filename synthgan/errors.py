"""Everything that SynthGAN raises on purpose, as one tree.

::

    SynthganError
    ├── ConfigError          a setting is out of range
    ├── TableError           a table cannot be read, written or used
    ├── SchemaError          a schema is malformed, or table and schema disagree
    │   └── DoubtError       real values of a column may be personal; its owner must say
    ├── ConditionError       a condition names what is not there, or asks the impossible
    ├── ModelFileError       a model file is damaged, foreign or of another version
    └── TrainingError        training cannot start or cannot go on

Each message says what was wanted, what came and what to do, names the column, and never
quotes a cell of the table: messages end up in logs, and logs travel.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable, Sequence


class SynthganError(Exception):
    """Base of the tree: catch this to catch everything that is the caller's to mend."""


class ConfigError(SynthganError, ValueError):
    """A setting is out of range or contradicts another one."""


class TableError(SynthganError, ValueError):
    """A table cannot be read, written or used."""


class SchemaError(SynthganError, ValueError):
    """A schema is malformed, or a table does not follow its schema."""


class DoubtError(SchemaError):
    """Nobody said what the columns are, and real values of one that may be personal would come
    out."""


class ConditionError(SynthganError, ValueError):
    """A condition names an unknown column or value, or cannot be met."""


class ModelFileError(SynthganError, ValueError):
    """A model file is damaged, foreign or of another version."""


class TrainingError(SynthganError, RuntimeError):
    """Training cannot start or cannot go on."""


def near_text(name: str, names: Sequence[str]) -> str:
    shown = " or ".join(map(repr, near_words(name, names, most=3)))
    return f" (did you mean {shown}?)" if shown else ""


def some(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:5]))
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"


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


_LONGEST_NEAR = 100  # characters of words that may have been meant
_MOST_NEAR = 1000
_MOST_NAMES = 10  # of columns, in an error


def near_words(word: str, known: Iterable[str], *, most: int, cutoff: float = 0.6) -> list[str]:
    """Those of ``known`` that ``word`` may have meant, the nearest first.

    Only the first few that are short are looked at, as comparing takes the square of a length.
    """
    short = itertools.islice((each for each in known if len(each) <= _LONGEST_NEAR), _MOST_NEAR)
    folded = {each.casefold().strip(): each for each in short}
    looked_for = word[:_LONGEST_NEAR].casefold().strip()
    found = difflib.get_close_matches(looked_for, folded, n=most, cutoff=cutoff)
    return [folded[each] for each in found]


def near_column(name: str, names: Iterable[object]) -> str:
    """For an error: the column that ``name`` may have meant, or those that there are."""
    known = [str(each) for each in names]
    near = near_words(name, known, most=1)
    if near:
        return f"did you mean {near[0]!r}?"
    more = f" and {len(known) - _MOST_NAMES} more" if len(known) > _MOST_NAMES else ""
    return f"there are {', '.join(map(repr, known[:_MOST_NAMES]))}{more}"
