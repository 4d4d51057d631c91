"""Phone numbers: recognised and generated."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from synthgan._typing import Objects
from synthgan.columns.identifier import fill_slots
from synthgan.columns.personal.base import Look, digits
from synthgan.columns.personal.locale import Task

_PHONE = re.compile(
    r"(?:\+|00)[1-9]\d?[ ./()\-\d]{6,18}|\(\+?\d{2,5}\)[ ./\-\d]{5,14}|(?:\d{3}[-. ]){2}\d{4}"
    r"|(?:\+?1[-. ]?)?\(\d{3}\) ?\d{3}[-. ]?\d{4}",
)
_EXTENSION = re.compile(r" ?(?:x|ext\.? ?)\d{1,6}$")
_DIALLED = re.compile(r"\+?[\d ./()\-]+")


def _is_phone(text: str) -> bool:
    plain = _EXTENSION.sub("", text)
    return _PHONE.fullmatch(plain) is not None and 7 <= digits(plain) <= 15


def _can_be_phone(text: str) -> bool:
    plain = _EXTENSION.sub("", text)
    return _DIALLED.fullmatch(plain) is not None and 6 <= digits(plain) <= 15


PHONE_LOOKS = (
    Look(
        personal="phone",
        words="phone numbers",
        name=r"(?:^|_)(?:phone|telephone|mobile|cell|cellphone|cell_?phone|tel|telefon|handy|fax"
        r"|telefono|telefone|telefoon|celular|movil|msisdn|rufnummer|rufnr|anrufer\w*|portable"
        r"|mobil|mobilfunk|mobiel|komorka|komorkowy|cellulare|telemovel|caller|callee|calling"
        r"|called_?(?:no|number|party)|a_?number|b_?number|whatsapp|cli)"
        r"(?:_?(?:no|nr|num|number|nummer|numero|work|home|mobile|privat|int|text|str|id|party|[0-9]))*$"
        r"|phone_?(?:no|nr|num|number)|^phone|phone$|(?:^|_)msisdn(?:_|$)",
        telling=0.75,
        looks=_is_phone,
        named_looks=_can_be_phone,
        fewest=5,
        unique=True,
    ),
)

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


def phone(task: Task) -> Objects:
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
