"""Card numbers and IBANs: recognised and generated."""

from __future__ import annotations

import re

from synthgan._typing import Objects
from synthgan.columns.dtypes import family, to_dtype
from synthgan.columns.identifier import to_slots
from synthgan.columns.personal.base import Look, digits
from synthgan.columns.personal.check_digits import passes_iban, passes_luhn
from synthgan.columns.personal.locale import Task, as_objects

_CARD = re.compile(r"[2-6]\d{3}([ -]?)\d{4}\1\d{4}\1\d{1,7}|3[47]\d{2}([ -]?)\d{6}\2\d{5}")
_CAN_BE_CARD = re.compile(r"\d[\d -]{11,22}")


def _is_card(text: str) -> bool:
    return _CARD.fullmatch(text) is not None and passes_luhn(re.sub(r"\D", "", text))


def _can_be_card(text: str) -> bool:
    return _CAN_BE_CARD.fullmatch(text) is not None and 12 <= digits(text) <= 19


_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")


def _is_iban(text: str) -> bool:
    plain = text.replace(" ", "")
    return _IBAN.fullmatch(plain) is not None and passes_iban(plain)


def _can_be_iban(text: str) -> bool:
    return _IBAN.fullmatch(text.replace(" ", "").upper()) is not None


BANK_LOOKS = (
    Look(
        personal="iban",
        words="IBANs, check digits included",
        name=r"(?:^|_)iban(?:_|$)",
        telling=0.97,
        looks=_is_iban,
        named_looks=_can_be_iban,
        unique=True,
    ),
    Look(
        personal="card",
        words="card numbers, check digit included",
        name=r"(?:^|_)(?:card|credit_?card|cc|pan|kreditkarte\w*|carte|tarjeta)"
        r"(?:_?(?:no|nr|num|number|nummer|numero))?$",
        telling=0.95,
        looks=_is_card,
        named_looks=_can_be_card,
        fewest=5,
        unique=True,
    ),
)

_NO_ISSUER = "9999"  # "for national use" in country 999, which is none (ISO/IEC 7812-1)


def card(task: Task) -> Objects:
    pattern = task.pattern if task.pattern.count("9") >= 13 else "9" * 16
    if family(to_dtype(task.column.dtype, task.column.name)) == "float":
        pattern = "9" * 15  # as many digits as a float holds
    length = pattern.count("9")
    bodies = task.fill([*_NO_ISSUER, *["0123456789"] * (length - 5)])
    digits = (iter(body[: length - 1] + luhn_digit(body[: length - 1])) for body in bodies)
    return as_objects(["".join(next(own) if c == "9" else c for c in pattern) for own in digits])


def luhn_digit(body: str) -> str:
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


def iban(task: Task) -> Objects:
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
    return as_objects(cells)


def _iban_digits(country: str, body: str) -> str:
    """The check digits of ISO 13616."""
    number = int("".join(str(int(character, 36)) for character in f"{body}{country}00"))
    return f"{98 - number % 97:02d}"
