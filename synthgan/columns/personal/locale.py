"""Words of a country, and the cells of a column to generate."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from synthgan._typing import Ints, Objects
from synthgan.columns.column import Column
from synthgan.columns.identifier import fill_slots, mix, scrambled
from synthgan.errors import SchemaError

DEFAULT_LOCALE = "en_US"


def hashed(numbers: Ints, key: int, purpose: str) -> Ints:
    """Of each number something from 0 to 2**31 - 1, another for each key and purpose."""
    return mix(numbers + mix(np.array([key + zlib.crc32(purpose.encode())])))


# Words of a locale


@dataclass(frozen=True)
class _Words:
    """What Faker knows of a locale. No two first names, nor last ones, are spelled alike."""

    locale: str
    first: Objects
    last: Objects
    cities: Objects
    postcodes: Objects
    streets: tuple[tuple[str, ...], ...]
    """Text and runs of digits in turn."""
    addresses: tuple[tuple[str, ...], ...]

    @property
    def country(self) -> str:
        return self.locale[-2:]


_DRAWS = 2000


def find_locale(name: str) -> str:
    """Faker's name for ``name``, which may lack the country."""
    from faker.config import AVAILABLE_LOCALES

    name = name.replace("-", "_")
    usual = {"en": "en_US", "pt": "pt_BR", "zh": "zh_CN"}.get(name, f"{name}_{name.upper()}")
    known = sorted(AVAILABLE_LOCALES)
    found = [name, usual, *(each for each in known if each.startswith(f"{name}_"))]
    for each in found:
        if each in known and "_" in each:
            return each
    raise SchemaError(
        f"locale {name!r} is not known; give a language and a country that Faker has, such as "
        "de_DE, en_GB or fr_FR"
    )


@lru_cache(maxsize=8)
def words_of_locale(locale: str) -> _Words:
    from faker import Faker

    fake = Faker(locale, use_weighting=False)
    fake.seed_instance(0)

    def drawn(method: str, count: int = _DRAWS) -> list[str]:
        return list(dict.fromkeys(str(getattr(fake, method)()) for _ in range(count)))

    return _Words(
        locale,
        as_objects(_spelled_apart(drawn("first_name"))),
        as_objects(_spelled_apart(drawn("last_name"))),
        as_objects(drawn("city")),
        as_objects(drawn("postcode")),
        tuple(tuple(re.split(r"(\d+)", each)) for each in drawn("street_address")),
        tuple(tuple(re.split(r"(\d+)", each)) for each in drawn("address", _DRAWS // 2)),
    )


def as_objects(texts: Sequence[str]) -> Objects:
    found = np.empty(len(texts), dtype=object)
    found[:] = texts
    return found


def _spelled_apart(names: Sequence[str]) -> list[str]:
    """One of those that an e-mail address spells alike, none with a title or the like."""
    return list({slug(name) or name: name for name in reversed(names)}.values())[::-1]


_SPELLED = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "o", "ł": "l", "æ": "ae"}
)


def slug(name: str) -> str:
    """``name`` as an e-mail address spells it; empty if it has no Latin letters."""
    small = unicodedata.normalize("NFC", name.casefold()).translate(_SPELLED)
    plain = unicodedata.normalize("NFKD", small).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z]", "", plain)


# A maker for each kind of personal data


@dataclass(frozen=True)
class Task:
    """Cells of one column to make up: a text for each of ``people`` (numbers)."""

    column: Column
    people: Ints
    words: _Words
    key: int

    @cached_property
    def names(self) -> tuple[Ints, Ints, Ints]:
        """Each person's first and last name, and how often that pair has been given away.

        All pairs are used up before any comes again."""
        radices = [len(self.words.first), len(self.words.last)]
        (first, last), rounds = scrambled(self.people, radices, self.key)
        return first, last, rounds

    @property
    def pattern(self) -> str:
        return self.column.format or ""

    def hash(self, purpose: str) -> Ints:
        return hashed(self.people, self.key, purpose)

    def pick(self, words: Objects, purpose: str) -> Objects:
        return np.asarray(words[self.hash(purpose) % len(words)])

    def fill(self, slots: Sequence[str]) -> Objects:
        return fill_slots(slots, self.people, self.key)
