"""Detects personal data by the values and the name of a column.

Two witnesses give a score: the share of values that look like e-mail addresses (say), times how
telling that look is, and the name of the column. Either may do, and both together count as
independent ones: ``score = 1 - (1 - look) * (1 - name)``. From :data:`SURE` on the column is not
learned. Values alone are enough only where nothing else looks so; a name alone never is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthgan._typing import Objects
from synthgan.columns.column import OF_DIGITS, Kind
from synthgan.columns.personal.address import ADDRESS_LOOKS, address, city, postcode, street_address
from synthgan.columns.personal.bank import BANK_LOOKS, card, iban
from synthgan.columns.personal.base import (
    BY_NAME,
    FEW_PEOPLE,
    FEWEST_CALLED_SO,
    FIRST_FEW,
    HALF_NAMED,
    LONGEST,
    MANY,
    MOST,
    NAMED,
    WORTH_A_WORD,
    Guess,
    Look,
    plain_name,
)
from synthgan.columns.personal.devices import DEVICE_LOOKS, imei, mac, plate, vin
from synthgan.columns.personal.internet import INTERNET_LOOKS, ipv4, ipv6, url
from synthgan.columns.personal.locale import Task
from synthgan.columns.personal.national_id import NATIONAL_LOOKS, national_id
from synthgan.columns.personal.people import (
    HALF_NAMES,
    PEOPLE_LOOKS,
    THINGS,
    email,
    first_name,
    first_names,
    is_full,
    is_one,
    last_name,
    name,
    user_name,
    without_titles,
    words,
)
from synthgan.columns.personal.phone import PHONE_LOOKS, phone
from synthgan.columns.personal.shapes import SHAPED, pattern_of


def guess_personal(name: str, distinct: pa.Array, cells: int) -> Guess | None:
    """The best guess for a column called ``name``, of text (large_string, no nulls) ``distinct``
    in so many ``cells`` that are not missing; None if nothing speaks for any.

    Some two thousand values are looked at, spread over the column.
    """
    if not len(distinct):
        return None
    values = distinct.take(pa.array(range(0, len(distinct), -(-len(distinct) // MOST))))
    texts = [text.strip() for text in pc.utf8_slice_codeunits(values, 0, LONGEST).to_pylist()]
    called = plain_name(name)
    found = [
        (score, why, look)
        for look in _LOOKS
        if _may_be(look, called, len(distinct), cells)
        for score, why in [_judge(look, called, texts)]
        if score > 0
    ]
    people = _judge_people(called, texts) if len(distinct) >= FEW_PEOPLE else None
    if people is not None:
        found.append(people)
    if not found:
        return None
    score, why, look = max(found, key=lambda each: each[0])
    unique = look.unique and cells >= MANY
    return Guess(
        personal=look.personal,
        kind=Kind.IDENTIFIER if unique else Kind.TEXT,
        format=pattern_of(look.personal, texts),
        score=round(score, 2),
        why=why,
    )


_LIKE_A_PERSON = 10**8  # numbers below it have fewer digits than those of persons


def guess_column(name: str, present: pa.Array, people: int | None = None) -> Guess | None:
    """What a column of ``present`` cells seems to say of people, if they can say anything; they
    are those of so many ``people``, where that is known, and else of one each."""
    if not len(present):
        return None
    cells = len(present) if people is None else people
    if pa.types.is_large_string(present.type):
        return guess_personal(name, pc.unique(present), cells)
    if pa.types.is_integer(present.type) or pa.types.is_floating(present.type):
        return _guess_numbers(name, present, cells)
    return None


def _guess_numbers(name: str, present: pa.Array, cells: int) -> Guess | None:
    """A guess from numbers that may be written as text as well: phone numbers and the like."""
    values = present.to_numpy(zero_copy_only=False)
    low, high = values.min(), values.max()
    if low < 0 or high > 2**63 - 1 or not (is_called_personal(name) or low >= _LIKE_A_PERSON):
        return None
    if pa.types.is_floating(present.type) and (high > 2**53 or (values != np.rint(values)).any()):
        return None
    distinct = pc.unique(present.cast(pa.int64()))
    guess = guess_personal(name, distinct.cast(pa.large_string()), cells)
    return guess if guess is None or guess.personal in OF_DIGITS else None


def is_called_personal(name: str) -> bool:
    """Whether a column of numbers may hold phone numbers and the like, by its name."""
    called = plain_name(name)
    return any(re.search(look.name, called) for look in _LOOKS if look.personal in SHAPED)


def _may_be(look: Look, called: str, distinct: int, cells: int) -> bool:
    is_called = re.search(look.name, called) is not None
    may_be_few = is_called and look.named_looks is not None and look.fewest < MANY
    fewest = min(look.fewest, FEWEST_CALLED_SO) if may_be_few else look.fewest
    return (
        (is_called or look.telling >= WORTH_A_WORD)
        and distinct >= fewest
        and distinct > look.few_repeats * cells
    )


def _judge(look: Look, called: str, texts: Sequence[str]) -> tuple[float, str]:
    """Score and reason."""
    is_called = re.search(look.name, called) is not None
    share = _share(texts, look.looks)
    score, why = look.telling * share, f"{share:.0%} of the values look like {look.words}"
    if is_called:
        wider = _share(texts, look.named_looks or look.looks)
        if wider < 0.5:  # called so, but it is something else
            return 0.0, ""
        score = max(score, BY_NAME * wider)
        why = f"{wider:.0%} of the values can be {look.words}, and it is called so"
        score = 1 - (1 - score) * (1 - NAMED)
    return score, why


def _share(texts: Sequence[str], looks: Callable[[str], bool]) -> float:
    first = texts[:FIRST_FEW]
    if sum(map(looks, first)) < len(first) / 4:
        return 0.0
    return sum(map(looks, texts)) / len(texts)


_LOOKS = (
    *INTERNET_LOOKS,
    *BANK_LOOKS,
    *NATIONAL_LOOKS,
    *DEVICE_LOOKS,
    *PHONE_LOOKS,
    *ADDRESS_LOOKS,
    *PEOPLE_LOOKS,
)
_BY_PERSONAL = {look.personal: look for look in _LOOKS}


def _judge_people(called: str, texts: Sequence[str]) -> tuple[float, str, Look] | None:
    """Whether the values are people's names, by the first names among them."""
    if THINGS.search(called):
        return None
    plain = [without_titles(text) for text in texts]
    shaped = [text for text in plain if text[:1].isupper() and (is_full(text) or is_one(text))]
    if len(shaped) < 0.8 * len(texts):
        return None
    known = first_names()
    share = sum(any(w in known for w in words(text)) for text in shaped) / len(texts)
    full = sum(" " in text for text in shaped) > 0.5 * len(shaped)
    if len(texts) < MANY and not (full and share >= 0.8):
        return None
    half_named = HALF_NAMES.search(called) is not None and share > 0.2
    score = 0.95 * min(1.0, (1.6 if half_named else 1.4) * share)
    why = f"{share:.0%} of the values have a common first name"
    if half_named:
        score = 1 - (1 - score) * (1 - HALF_NAMED)
        why += ", and it is called so"
    return score, why, _BY_PERSONAL["name" if full else "first_name"]


MAKERS: dict[str, Callable[[Task], Objects]] = {
    "first_name": first_name,
    "last_name": last_name,
    "name": name,
    "user_name": user_name,
    "email": email,
    "phone": phone,
    "street_address": street_address,
    "address": address,
    "city": city,
    "postcode": postcode,
    "national_id": national_id,
    "card": card,
    "iban": iban,
    "imei": imei,
    "mac": mac,
    "vin": vin,
    "plate": plate,
    "ipv4": ipv4,
    "ipv6": ipv6,
    "url": url,
}
