"""How a kind of personal data is recognised: by name, values and how they repeat."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from synthgan.columns.column import Kind, Personal

SURE = 0.7
"""The score from which a column is not learned."""

WORTH_A_WORD = 0.4
"""The score from which the owner should be asked."""

NAMED = 0.7  # what a name that leaves no doubt is worth
BY_NAME = 0.3  # what values are worth that can be such, in a column that is called so
HALF_NAMED = 0.3  # and one such as "name" or "customer"
MOST = 2000  # values that are looked at
FIRST_FEW = 40  # that tell whether to look at the others
MANY = 20  # values that make a column of few rows worth looking at
FEWEST_CALLED_SO = 3  # values that can be such, in a column that is called so
FEW_PEOPLE = 5  # full names that are enough, where hardly any other words look so
LONGEST = 300  # characters of a personal value


@dataclass(frozen=True, kw_only=True)
class Guess:
    """What a column seems to say of people."""

    personal: Personal
    kind: Kind
    """IDENTIFIER if no two people share a value, whether or not rows do; else TEXT."""
    format: str | None
    score: float
    """From 0 to 1."""
    why: str
    """A few words."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """How the values of one kind of personal data look, and what their columns are called."""

    personal: Personal
    words: str
    """What the values are, in words."""
    name: str
    """Regular expression for names of columns, as :func:`plain_name` gives them."""
    telling: float
    """What it is worth if all values look so, for any column name."""
    looks: Callable[[str], bool]
    named_looks: Callable[[str], bool] | None = None
    """A wider test, for columns that are called so."""
    few_repeats: float = 0.0
    """Distinct values a cell at least: where values repeat more they are ordinary categories."""
    fewest: int = 1
    """Distinct values at least."""
    unique: bool = False
    """Whether no two people share a value."""


def plain_name(name: str) -> str:
    """``name`` in small ASCII letters, its words joined by underscores: ``E-Mail``,
    ``emailAddress`` and ``Straße`` become ``e_mail``, ``email_address`` and ``strasse``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).casefold()
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def regex(pattern: str, flags: int = 0) -> Callable[[str], bool]:
    compiled = re.compile(pattern, flags)
    return lambda text: compiled.fullmatch(text) is not None


def digits(text: str) -> int:
    return sum(character.isdigit() for character in text)
