"""Postal addresses, places and postcodes: recognised and generated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from synthgan._typing import Objects
from synthgan.columns.identifier import first_digit_counts, to_slots
from synthgan.columns.personal.base import MANY, Look, digits, regex
from synthgan.columns.personal.locale import Task, as_objects
from synthgan.columns.personal.people import is_first_or_last

_has_letters = re.compile(r"[^\W\d_]{2}").search

_WAYS = (
    "street|st|road|rd|avenue|ave|lane|ln|drive|dr|boulevard|blvd|way|court|ct|place|pl|square"
    "|terrace|trail|parkway|pkwy|circle|close|crescent|highway|hwy"
)
_ADDRESS = (
    rf"\d+[A-Za-z]?,? [^\d\n]*\b(?:{_WAYS})\b\.?(?:[ ,\n].*)?"
    r"|[^\d\n]+(?:stra(?:ß|ss)e|str\.|weg|platz|allee|gasse|ring|straat|laan|gatan|vägen) ?\d+.*"
    r"|(?:\d+[a-z]*,? )?(?:rue|avenue|boulevard|chemin|place|impasse|via|viale|piazza|corso|calle"
    r"|avenida|plaza|paseo|rua|travessa|ul\.|ulica)\b [^\n]+(?:\n.*)?"
)


def _can_be_address(text: str) -> bool:
    return _has_letters(text) is not None and (len(text.split()) > 1 or digits(text) > 0)


_A_POSTCODE = re.compile(r"\d{4,}|\b[A-Z]{1,2}\d[A-Z0-9]? ?\d[A-Z]{2}\b")


def _is_whole_address(text: str) -> bool:
    first, *rest = re.split(r"\n|, ", text)
    return digits(first) > 0 and any(_A_POSTCODE.search(line) for line in rest)


_ADDRESS_LINE = re.compile(_ADDRESS, re.IGNORECASE)


def _is_street_address(text: str) -> bool:
    return _ADDRESS_LINE.fullmatch(text) is not None and not _is_whole_address(text)


ADDRESS_LOOKS = (
    Look(
        personal="address",
        words="postal addresses",
        name=r"(?:^|_)(?:address|addr|adresse|anschrift|direccion|indirizzo|endereco|adres)$",
        telling=0.6,
        looks=_is_whole_address,
        few_repeats=0.02,
        fewest=5,
    ),
    Look(
        personal="street_address",
        words="street addresses",
        name=r"(?:^|_)(?:street|street_?(?:address|name)|address(?:_?line)?(?:_?1)?|addr(?:_?1)?"
        r"|strasse|str|adresse|anschrift|rue|calle|via|indirizzo|rua|endereco|direccion|straat"
        r"|adres)(?:_?(?:nr|no|und_nr|und_hausnummer))?$",
        telling=0.75,
        looks=_is_street_address,
        named_looks=_can_be_address,
        few_repeats=0.02,
        fewest=5,
    ),
    Look(
        personal="city",
        words="places",
        name=r"(?:^|_)(?:city|town|ort|stadt|wohnort|ville|ciudad|citta|cidade|localidad|plaats"
        r"|municipality|suburb)(?:_?name)?$",
        telling=0.1,
        looks=is_first_or_last,
        few_repeats=0.5,
        fewest=MANY,
    ),
    Look(
        personal="postcode",
        words="postcodes",
        name=r"(?:^|_)(?:zip|zip_?code|post_?code|postal_?code|plz|postleitzahl|code_postal|cap|cep"
        r"|codigo_postal)$",
        telling=0.1,
        looks=regex(r"(?=.*\d)[A-Z0-9](?:[A-Z0-9]|[ -](?=[A-Z0-9])){2,9}", re.IGNORECASE),
        few_repeats=0.5,
        fewest=MANY,
    ),
)


def city(task: Task) -> Objects:
    return task.pick(task.words.cities, "city")


def postcode(task: Task) -> Objects:
    shaped = [each for each in task.words.postcodes if _has_shape(each, task.pattern)]
    if shaped or not task.pattern:
        return task.pick(as_objects(shaped or list(task.words.postcodes)), "postcode")
    return task.fill(first_digit_counts(to_slots(task.pattern)))


def _has_shape(text: str, pattern: str) -> bool:
    shape = re.sub("[0-9]", "9", re.sub("[a-z]", "a", re.sub("[A-Z]", "A", text)))
    return shape == pattern


def street_address(task: Task) -> Objects:
    return _renumbered(task, task.words.streets)


def address(task: Task) -> Objects:
    return _renumbered(task, task.words.addresses)


def _renumbered(task: Task, templates: Sequence[Sequence[str]]) -> Objects:
    """Templates, with other digits in the places of theirs."""
    cells = []
    chosen = task.hash("address") % len(templates)
    for at, one, other in zip(chosen, task.hash("digits"), task.hash("more digits"), strict=True):
        digits = iter(f"{one:010d}{other:010d}"[::-1])  # the last digits vary most
        cells.append("".join(_pieces(templates[at], digits)))
    return as_objects(cells)


def _pieces(template: Sequence[str], digits: Iterator[str]) -> Iterator[str]:
    for place, piece in enumerate(template):
        if place % 2:
            fresh = "".join(next(digits, "7") for _ in piece)
            piece = f"3{fresh[1:]}" if fresh[0] == "0" and piece[0] != "0" else fresh
        yield piece
