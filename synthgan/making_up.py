"""Made-up cells of columns that are never learned, from the numbers of rows and a seed alone.

Nothing here reads a row of the real table: what comes out is the same whatever the column held.
Words come from `Faker <https://faker.readthedocs.io>`_: a few thousand names, streets and places
of a locale, drawn once; which of them a row gets follows from its number and the seed. So a row's
first name, last name, full name, user name and e-mail address are those of one person.

Where something is set aside for examples it is used, so that no cell can belong to anybody:
e-mail and web addresses at example.org, .com and .net (RFC 2606), IP addresses for documentation
(RFC 5737, RFC 3849) or never assigned (RFC 1112), telephone numbers for films, card numbers of an
issuer and IBANs of a bank that cannot be.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from math import gcd
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.errors import SchemaError
from synthgan.schema import Column, Kind, Schema, family, passes_as_person, to_dtype
from synthgan.summary import Unlearned
from synthgan.values import (
    fill_slots,
    first_digit_counts,
    make_up_rows,
    mix,
    scrambled,
    to_slots,
    write_text,
)

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Objects = npt.NDArray[np.object_]

DEFAULT_LOCALE = "en_US"

_DECK = 16  # cells at least of an identifier, in the rows of which as many share one as on average
_MOST_ROWS = 10**6  # of a cell
_OF_PEOPLE = ("email", "user_name", "national_id", "phone", "iban", "card")  # tell people apart


@dataclass(frozen=True, kw_only=True)
class Inventor:
    """Makes up the columns of a schema that are not modelled, for any rows.

    Raises :class:`SchemaError` for a locale that Faker does not know.
    """

    schema: Schema
    unlearned: Mapping[str, Unlearned]
    seed: int
    locale: str | None = None
    """Instead of the schema's."""
    full: bool = False
    """Whether no cell is to be missing."""
    owners: Mapping[str, Ints] = field(default_factory=dict)
    """By identifier that repeats: the number, from 0, of the cell that each of the rows asked for
    has already; -1 where it has none. Columns that the identifier decides agree with it."""

    def cells(self, column: Column, start: int, count: int) -> pd.Series[Any]:
        """Cells of ``column`` for rows ``start`` to ``start + count - 1``."""
        rows = np.arange(start, start + count, dtype=np.int64)
        if column.references is not None:
            targets = self._targets(column, rows)
            missing = self._missing(column, rows)
            if column.nullable and not self.full:
                missing |= targets == rows  # the first row has none before it
            cells = self._made(self.schema[column.references], targets, column.dtype)
            return _emptied(cells.rename(column.name), missing, column)
        numbers = self._numbers(column, rows)
        missing = self._missing(column, rows if column.per is None else numbers)
        if column.personal is None:
            made = make_up_rows(column, numbers, self._key_of(column))
            return _emptied(made, missing, column)
        return write_text(self._texts(column, numbers), missing, column)

    def _made(self, column: Column, rows: Ints, dtype: str) -> pd.Series[Any]:
        """Cells of an identifier for any rows, as another dtype."""
        numbers = self._values(column, rows) if column.repeats else rows
        column, key = replace(column, dtype=dtype), self._key_of(column)
        if column.personal is None:
            return make_up_rows(column, numbers, key)
        return write_text(self._texts(column, numbers), np.zeros(len(rows), dtype=bool), column)

    def _texts(self, column: Column, people: Ints) -> Objects:
        assert column.personal is not None, "called for personal columns only"
        if not len(people):
            return np.empty(0, dtype=object)
        words = _words(_find_locale(self.locale or self.schema.locale or DEFAULT_LOCALE))
        return _MAKERS[column.personal](_Task(column, people, words, self._key_of(column)))

    def _key_of(self, column: Column) -> int:
        """What scrambles a column: the same for all columns of one person, and another for those
        of other people in the same rows."""
        key = column.per or (column.name if column.repeats else None)
        if self.schema.entity == key:
            return self._key
        return int(mix(np.array([self._key + zlib.crc32(f"of {key}".encode())]))[0])

    def _numbers(self, column: Column, rows: Ints) -> Ints:
        """What each row's cell is made up from: rows of one number have the same cell."""
        if column.per is not None or column.repeats:
            return self._values(self.schema[column.per or column.name], rows)
        if column.kind is Kind.IDENTIFIER or column.personal is None:
            return rows
        return self._people(int(rows[0]), len(rows)) if len(rows) else rows

    def _values(self, key: Column, rows: Ints) -> Ints:
        """The number of each row's cell of an identifier that repeats: as many rows share one as
        those of the table did.

        Rows are dealt out deck by deck. A deck has the same cells, of other numbers, and gives
        each its rows in another order: place p of R is p times a number near the golden ratio of
        R and without a common factor, so that rows of one cell lie apart.
        """
        known = self.unlearned.get(key.name, Unlearned()).sizes or (1.0,)
        sizes = np.repeat(np.minimum(known, _MOST_ROWS), -(-_DECK // len(known)))
        ends = np.floor(np.cumsum(sizes) + 0.5).astype(np.int64)
        in_deck = int(ends[-1])
        golden = int(0.618 * in_deck) + 1
        step = next(n for n in range(golden, golden + in_deck) if gcd(n, in_deck) == 1)
        deck, place = np.divmod(rows, in_deck)
        place = (place * step + self._hash(deck, f"deck of {key.name}")) % in_deck
        numbers = deck * len(ends) + np.searchsorted(ends, place, side="right")
        owners = self.owners.get(key.name)
        if owners is None or len(owners) != len(rows):
            return numbers
        return np.where(owners >= 0, owners, numbers + owners.max(initial=-1) + 1)

    @cached_property
    def _key(self) -> int:
        return int(mix(np.array([self.seed % 2**62]))[0])

    def _hash(self, numbers: Ints, purpose: str) -> Ints:
        return _hashed(numbers, self._key, purpose)

    def _missing(self, column: Column, rows: Ints) -> Bools:
        known = self.unlearned.get(column.name, Unlearned())
        share = known.missing if column.nullable and not self.full else 0.0
        return np.asarray(self._hash(rows, f"missing {column.name}") < share * 2**31)

    def _targets(self, column: Column, rows: Ints) -> Ints:
        """For each row the number of one before it, so that nobody is his manager's manager.

        Those referred to are evenly spread, as many as the table had to so many rows.
        """
        each = self.unlearned.get(column.name, Unlearned()).rows_per_value
        choices = np.maximum(np.ceil(rows / each), 1).astype(np.int64)
        chosen = self._hash(rows, f"reference {column.name}") % choices
        return np.minimum((chosen * each).astype(np.int64), np.maximum(rows - 1, 0))

    def _people(self, start: int, count: int) -> Ints:
        """The number of each row's person: several rows share one if those of the table did."""
        rows = np.arange(start, start + count, dtype=np.int64)
        each = self._rows_per_person
        first = int(start / each)
        people = max(int((start + count) / each) - first, 1)
        return rows if each == 1 else first + self._hash(rows, "person") % people

    @cached_property
    def _rows_per_person(self) -> float:
        telling = [column for column in self.schema if column.personal in _OF_PEOPLE]
        if not telling or any(column.kind is Kind.IDENTIFIER for column in telling):
            return 1.0
        known = (self.unlearned.get(column.name, Unlearned()) for column in telling)
        return min(each.rows_per_value for each in known)


def _emptied(cells: pd.Series[Any], missing: Bools, column: Column) -> pd.Series[Any]:
    if not missing.any():
        return cells
    emptied = cells.mask(missing)
    return emptied.astype(cells.dtype) if str(emptied.dtype) != column.dtype else emptied


def _hashed(numbers: Ints, key: int, purpose: str) -> Ints:
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


def _find_locale(name: str) -> str:
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
def _words(locale: str) -> _Words:
    from faker import Faker

    fake = Faker(locale, use_weighting=False)
    fake.seed_instance(0)

    def drawn(method: str, count: int = _DRAWS) -> list[str]:
        return list(dict.fromkeys(str(getattr(fake, method)()) for _ in range(count)))

    return _Words(
        locale,
        _as_objects(_spelled_apart(drawn("first_name"))),
        _as_objects(_spelled_apart(drawn("last_name"))),
        _as_objects(drawn("city")),
        _as_objects(drawn("postcode")),
        tuple(tuple(re.split(r"(\d+)", each)) for each in drawn("street_address")),
        tuple(tuple(re.split(r"(\d+)", each)) for each in drawn("address", _DRAWS // 2)),
    )


def _as_objects(texts: Sequence[str]) -> Objects:
    found = np.empty(len(texts), dtype=object)
    found[:] = texts
    return found


def _spelled_apart(names: Sequence[str]) -> list[str]:
    """One of those that an e-mail address spells alike, none with a title or the like."""
    return list({_slug(name) or name: name for name in reversed(names)}.values())[::-1]


_SPELLED = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "o", "ł": "l", "æ": "ae"}
)


def _slug(name: str) -> str:
    """``name`` as an e-mail address spells it; empty if it has no Latin letters."""
    small = unicodedata.normalize("NFC", name.casefold()).translate(_SPELLED)
    plain = unicodedata.normalize("NFKD", small).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z]", "", plain)


# A maker for each kind of personal data


@dataclass(frozen=True)
class _Task:
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
        return _hashed(self.people, self.key, purpose)

    def pick(self, words: Objects, purpose: str) -> Objects:
        return np.asarray(words[self.hash(purpose) % len(words)])

    def fill(self, slots: Sequence[str]) -> Objects:
        return fill_slots(slots, self.people, self.key)


def _first_name(task: _Task) -> Objects:
    return np.asarray(task.words.first[task.names[0]])


def _last_name(task: _Task) -> Objects:
    return np.asarray(task.words.last[task.names[1]])


def _name(task: _Task) -> Objects:
    first, last = _first_name(task), _last_name(task)
    language = task.words.locale[:2]
    if language in ("zh", "ko"):
        return np.asarray(last + first)
    return np.asarray(last + " " + first if language in ("ja", "hu", "vi") else first + " " + last)


def _user_name(task: _Task) -> Objects:
    return _joined_names(task, "_")


def _email(task: _Task) -> Objects:
    domains = _as_objects(["@example.org", "@example.com", "@example.net"])
    return np.asarray(_joined_names(task, ".") + task.pick(domains, "domain"))


def _joined_names(task: _Task, separator: str) -> Objects:
    """Names in Latin letters: no two alike, with a number once all pairs are used up."""
    first, last, rounds = task.names
    firsts = [_slug(name) or _letters(i) for i, name in enumerate(task.words.first)]
    lasts = [_slug(name) or _letters(i) for i, name in enumerate(task.words.last)]
    joined = _as_objects(firsts)[first] + separator + _as_objects(lasts)[last]
    joined[rounds > 0] += rounds[rounds > 0].astype(str).astype(object)
    return np.asarray(joined)


def _letters(number: int) -> str:
    """Letters for a name that has no Latin ones; no digits, as a number may follow."""
    return "x" + "".join(chr(ord("a") + int(digit)) for digit in str(number)) + "x"


def _city(task: _Task) -> Objects:
    return task.pick(task.words.cities, "city")


def _postcode(task: _Task) -> Objects:
    shaped = [each for each in task.words.postcodes if _has_shape(each, task.pattern)]
    if shaped or not task.pattern:
        return task.pick(_as_objects(shaped or list(task.words.postcodes)), "postcode")
    return task.fill(first_digit_counts(to_slots(task.pattern)))


def _has_shape(text: str, pattern: str) -> bool:
    shape = re.sub("[0-9]", "9", re.sub("[a-z]", "a", re.sub("[A-Z]", "A", text)))
    return shape == pattern


def _street_address(task: _Task) -> Objects:
    return _renumbered(task, task.words.streets)


def _address(task: _Task) -> Objects:
    return _renumbered(task, task.words.addresses)


def _renumbered(task: _Task, templates: Sequence[Sequence[str]]) -> Objects:
    """Templates, with other digits in the places of theirs."""
    cells = []
    chosen = task.hash("address") % len(templates)
    for at, one, other in zip(chosen, task.hash("digits"), task.hash("more digits"), strict=True):
        digits = iter(f"{one:010d}{other:010d}"[::-1])  # the last digits vary most
        cells.append("".join(_pieces(templates[at], digits)))
    return _as_objects(cells)


def _pieces(template: Sequence[str], digits: Iterator[str]) -> Iterator[str]:
    for place, piece in enumerate(template):
        if place % 2:
            fresh = "".join(next(digits, "7") for _ in piece)
            piece = f"3{fresh[1:]}" if fresh[0] == "0" and piece[0] != "0" else fresh
        yield piece


# Numbers


_RANGES = {
    # Country code, trunk prefix, national numbers that are set aside for films; N is 2 to 9,
    # Z any digit but 1 (no 911), X any.
    "US": ("1", "", ("NZX55501XX",)),
    "GB": ("44", "0", ("7700900XXX", "1632960XXX", "2079460XXX")),
    "DE": ("49", "0", ("3023125XXX", "6990009XXX", "4066969XXX", "8999998XXX")),
    "FR": ("33", "0", ("63998XXXX", "19900XXXX", "26191XXXX", "35301XXXX", "46571XXXX")),
    "AU": ("61", "0", ("25550XXXX", "35550XXXX", "75550XXXX", "85550XXXX")),
    "IE": ("353", "0", ("2091XXXXX",)),
}
_RANGES["CA"] = _RANGES["US"]
_NOWHERE = ("999", "", ("XXXXXXXXX",))  # a country code that nobody has
_DIGIT_CLASSES = {"N": "23456789", "Z": "023456789", "X": "0123456789"}


def _phone(task: _Task) -> Objects:
    country, trunk, ranges = _RANGES.get(task.words.country, _NOWHERE)
    pattern = re.split(r" ?(?:x|a)", task.pattern)[0].replace("A", "")
    found = [_dialled(pattern, country, trunk, each) for each in ranges]
    which = task.people % len(found)
    cells = np.empty(len(task.people), dtype=object)
    for number, slots in enumerate(found):
        own = which == number
        cells[own] = fill_slots(slots, task.people[own] // len(found), task.key)
    return cells


def _dialled(pattern: str, country: str, trunk: str, national: str) -> list[str]:
    """Slots of ``pattern`` with a number in them; of a pattern of our own where none fits."""
    length = pattern.count("9")
    number = next((n for n in _spelled(pattern, country, trunk, national) if len(n) == length), "")
    if not number:
        number = country + national
        groups = "999-999-9999" if country == "1" else "9" * len(national)
        pattern = f"+{'9' * len(country)} {groups}"
    digits = iter(number)
    return [
        _DIGIT_CLASSES.get(digit, digit)
        for digit in (next(digits) if character == "9" else character for character in pattern)
    ]


def _spelled(pattern: str, country: str, trunk: str, national: str) -> Iterator[str]:
    """The ways to write a number, from abroad or at home."""
    abroad = pattern.startswith("+")
    optional = "(9)" in pattern  # as in +49 (0) 30 ...
    if country == _NOWHERE[0]:  # with as many digits as there are, and never from home
        prefix = country if abroad else "00" + country
        yield prefix + "X" * max(pattern.count("9") - len(prefix), 4)
        return
    if not abroad:
        yield from (trunk + national, "00" + country + national)
    yield country + (trunk if optional else "") + national


def _national_id(task: _Task) -> Objects:
    shape = task.pattern or ("AA 99 99 99 A" if task.words.country == "GB" else "999-99-9999")
    if "9" not in shape:
        return task.fill(to_slots(shape))
    slots = first_digit_counts(to_slots(shape))
    digits = [place for place, character in enumerate(shape) if character == "9"]
    bare = re.sub(r"\W", "", shape)
    if bare == "9" * 9:  # no social security number begins with 9, no tax number goes on so
        slots[digits[0]], slots[digits[3]] = "9", "01234"
    elif bare == "AA999999A":  # no national insurance number begins with Q
        slots[0], slots[1], slots[-1] = "Q", "Q", "ABCD"
    else:
        return _as_objects(_failing(task, shape, slots))
    return task.fill(slots)


def _failing(task: _Task, shape: str, slots: list[str]) -> list[str]:
    """Numbers that are nobody's, as they fail the check of every country that has such: the last
    character is one that makes them fail."""
    last = max(place for place, character in enumerate(shape) if character in "9Aa")
    bodies = task.fill([*slots[:last], "0", *slots[last + 1 :]])
    choices = slots[last]
    found = []
    for body, turn in zip(bodies, task.hash("check digit"), strict=True):
        for offset in range(len(choices)):
            character = choices[(turn + offset) % len(choices)]
            cell = body[:last] + character + body[last + 1 :]
            if not passes_as_person(re.sub(r"\W", "", cell)):
                break
        found.append(cell)
    return found


_NO_ISSUER = "9999"  # "for national use" in country 999, which is none (ISO/IEC 7812-1)


def _card(task: _Task) -> Objects:
    pattern = task.pattern if task.pattern.count("9") >= 13 else "9" * 16
    if family(to_dtype(task.column.dtype, task.column.name)) == "float":
        pattern = "9" * 15  # as many digits as a float holds
    length = pattern.count("9")
    bodies = task.fill([*_NO_ISSUER, *["0123456789"] * (length - 5)])
    digits = (iter(body[: length - 1] + _luhn_digit(body[: length - 1])) for body in bodies)
    return _as_objects(["".join(next(own) if c == "9" else c for c in pattern) for own in digits])


def _luhn_digit(body: str) -> str:
    """The check digit of ISO/IEC 7812-1."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        doubled = int(digit) * (2 - place % 2)
        total += doubled - 9 * (doubled > 9)
    return str(-total % 10)


_BANKS = {
    # What follows the check digits: the bank's code, that no bank has, and the account.
    "DE": "00000000" + "9" * 10,
    "GB": "XXXX000000" + "9" * 8,
    "FR": "0000000000" + "9" * 13,
    "ES": "0000000000" + "9" * 10,
    "IT": "X0000000000" + "9" * 12,
    "NL": "XXXX" + "9" * 10,
    "BE": "000" + "9" * 9,
    "AT": "00000" + "9" * 11,
    "CH": "00000" + "9" * 12,
    "IE": "XXXX000000" + "9" * 8,
    "PL": "00000000" + "9" * 16,
    "PT": "00000000" + "9" * 13,
    "SE": "000" + "9" * 17,
    "DK": "0000" + "9" * 10,
    "FI": "000000" + "9" * 8,
    "NO": "0000" + "9" * 7,
    "LU": "000" + "9" * 13,
}


def _iban(task: _Task) -> Objects:
    pattern = re.sub(r"[^9A]", "", task.pattern)
    shapes = {
        c: "AA99" + re.sub("[0-9]", "9", bank).replace("X", "A") for c, bank in _BANKS.items()
    }
    fitting = [country for country, shape in shapes.items() if shape == pattern]
    own = task.words.country
    country = own if own in fitting or (not fitting and own in _BANKS) else [*fitting, "DE"][0]
    bodies = task.fill(to_slots(_BANKS[country]))
    cells = [f"{country}{_iban_digits(country, body)}{body}" for body in bodies]
    if " " in task.pattern:
        cells = [" ".join(re.findall(".{1,4}", cell)) for cell in cells]
    return _as_objects(cells)


def _iban_digits(country: str, body: str) -> str:
    """The check digits of ISO 13616."""
    number = int("".join(str(int(character, 36)) for character in f"{body}{country}00"))
    return f"{98 - number % 97:02d}"


_FOR_DOCUMENTATION = _as_objects(["192.0.2.", "198.51.100.", "203.0.113."])


def _ipv4(task: _Task) -> Objects:
    (net, host), rounds = scrambled(task.people, [3, 256], task.key)
    cells = _FOR_DOCUMENTATION[net] + host.astype(str).astype(object)
    later = np.flatnonzero(rounds)  # 768 addresses for documentation are few
    parts, _ = scrambled(task.people[later] - 768, [15, 256, 256, 256], task.key)
    cells[later] = [f"{240 + a}.{b}.{c}.{d}" for a, b, c, d in zip(*parts, strict=True)]
    return np.asarray(cells)


def _imei(task: _Task) -> Objects:
    pattern = task.pattern if task.pattern.count("9") == 15 else "9" * 15
    bodies = task.fill([*_NO_MAKER, *["0123456789"] * 12])
    digits = (iter(body + _luhn_digit(body)) for body in (each[:14] for each in bodies))
    return _as_objects(["".join(next(own) if c == "9" else c for c in pattern) for own in digits])


_NO_MAKER = "77"  # no body that hands out IMEIs has this number (3GPP TS 23.003)


def _mac(task: _Task) -> Objects:
    slots = to_slots(task.pattern or "ff:ff:ff:ff:ff:ff")
    second = [place for place, characters in enumerate(slots) if len(characters) > 1][1:2]
    for place in second:  # of addresses that are set by hand, and of no maker (IEEE 802)
        slots[place] = "2"
    return task.fill(slots)


def _vin(task: _Task) -> Objects:
    # No maker begins with a zero (ISO 3780), and the year is no zero either.
    body = ["0"] * 3 + ["ABCDEFGHJKLMNPRSTUVWXYZ0123456789"] * 5
    return task.fill([*body, "X", "0", *["0123456789"] * 7])


def _plate(task: _Task) -> Objects:
    slots = to_slots(task.pattern or "AA-AA 9999")
    # Few countries give out these letters, as they look like digits.
    unlike = [_NO_LETTERS if len(each) == 26 and each.isupper() else each for each in slots]
    return task.fill(unlike)


_NO_LETTERS = "IOQU"


def _ipv6(task: _Task) -> Objects:
    return task.fill([*"2001:db8:", *to_slots("ffff:ffff"), *"::", *to_slots("ffff")])


def _url(task: _Task) -> Objects:
    pages = task.fill([*to_slots("aaaaaa"), "-", *to_slots("9999")])
    return np.asarray("https://example.org/" + pages)


_MAKERS: dict[str, Callable[[_Task], Objects]] = {
    "first_name": _first_name,
    "last_name": _last_name,
    "name": _name,
    "user_name": _user_name,
    "email": _email,
    "phone": _phone,
    "street_address": _street_address,
    "address": _address,
    "city": _city,
    "postcode": _postcode,
    "national_id": _national_id,
    "card": _card,
    "iban": _iban,
    "imei": _imei,
    "mac": _mac,
    "vin": _vin,
    "plate": _plate,
    "ipv4": _ipv4,
    "ipv6": _ipv6,
    "url": _url,
}
