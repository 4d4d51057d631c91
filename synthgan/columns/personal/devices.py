"""Phones, network devices and vehicles: how their numbers look, and generated ones."""

from __future__ import annotations

import re

from synthgan._typing import Objects
from synthgan.columns.identifier import to_slots
from synthgan.columns.personal.bank import luhn_digit
from synthgan.columns.personal.base import Look, digits, regex
from synthgan.columns.personal.check_digits import passes_imei, passes_vin
from synthgan.columns.personal.locale import Task, as_objects


def _is_imei(text: str) -> bool:
    return passes_imei(re.sub(r"[ -]", "", text))


_MAC = r"[0-9a-f]{2}(?:(:|-)[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}"
_PLATES = "|".join(
    (
        r"[A-ZÄÖÜ]{1,3}-[A-Z]{1,2} \d{1,4}[EH]?",  # Germany
        r"[A-HJ-NP-TV-Z]{2}-\d{3}-[A-HJ-NP-TV-Z]{2}",  # France
        r"[A-Z]{2}\d{2} [A-Z]{3}",  # United Kingdom
    )
)
_CAN_BE_PLATE = re.compile(r"[A-ZÄÖÜ0-9][A-ZÄÖÜ0-9 ·.\-]{2,11}", re.IGNORECASE)


def _can_be_plate(text: str) -> bool:
    return _CAN_BE_PLATE.fullmatch(text) is not None and digits(text) >= 1


DEVICE_LOOKS = (
    Look(
        personal="imei",
        words="IMEIs of phones, check digit included",
        name=r"(?:^|_)(?:imei|meid|imeisv)(?:_?(?:no|nr|num|number|nummer|id|sv|1|2|int|text))*$"
        r"|(?:^|_)imei(?:_|$)",
        telling=0.9,
        looks=_is_imei,
        named_looks=regex(r"\d{14,16}|\d{2}[ -]\d{6}[ -]\d{6}[ -]\d|[0-9A-F]{14}", re.IGNORECASE),
        fewest=3,
        unique=True,
    ),
    Look(
        personal="mac",
        words="addresses of network devices",
        name=r"(?:^|_)(?:mac|bssid|bluetooth|bt_?addr\w*)(?:_?(?:addr|address|adresse|id|no))*$",
        telling=0.95,
        looks=regex(_MAC, re.IGNORECASE),
        named_looks=regex(rf"{_MAC}|[0-9a-f]{{12}}", re.IGNORECASE),
        fewest=3,
        unique=True,
    ),
    Look(
        personal="vin",
        words="numbers of vehicles, check digit included",
        name=r"(?:^|_)(?:vin|chassis|fahrgestell|fin|vehicle_?identification|telaio|bastidor)"
        r"(?:_?(?:no|nr|num|number|nummer|numero|id))*$",
        telling=0.9,
        looks=passes_vin,
        named_looks=regex(r"[A-HJ-NPR-Z0-9]{17}", re.IGNORECASE),
        fewest=3,
        unique=True,
    ),
    Look(
        personal="plate",
        words="plates of vehicles",
        name=r"(?:^|_)(?:plate|license_?plate|licence_?plate|number_?plate|kennzeichen|kfz\w*|kfz_?\w+"
        r"|amtl_?kennz\w*|immatriculation|immat|plaque|targa|matricula|placa|kenteken|tablica"
        r"|nr_?rej\w*|numer_?rejestracyjny|rejestracja|reg_?(?:no|nr|num|number|plate|mark)|vrm"
        r"|registration|registration_?(?:no|nr|number|plate|mark)|vehicle_?reg\w*|regnr"
        r"|registreringsnummer|nummerplade)(?:_?(?:no|nr|num|number|nummer|numero))?$",
        telling=0.75,
        looks=regex(_PLATES),
        named_looks=_can_be_plate,
        few_repeats=0.004,
        fewest=5,
        unique=True,
    ),
)


def imei(task: Task) -> Objects:
    pattern = task.pattern if task.pattern.count("9") == 15 else "9" * 15
    bodies = task.fill([*_NO_MAKER, *["0123456789"] * 12])
    digits = (iter(body + luhn_digit(body)) for body in (each[:14] for each in bodies))
    return as_objects(["".join(next(own) if c == "9" else c for c in pattern) for own in digits])


_NO_MAKER = "77"  # no body that hands out IMEIs has this number (3GPP TS 23.003)


def mac(task: Task) -> Objects:
    slots = to_slots(task.pattern or "ff:ff:ff:ff:ff:ff")
    second = [place for place, characters in enumerate(slots) if len(characters) > 1][1:2]
    for place in second:  # of addresses that are set by hand, and of no maker (IEEE 802)
        slots[place] = "2"
    return task.fill(slots)


def vin(task: Task) -> Objects:
    # No maker begins with a zero (ISO 3780), and the year is no zero either.
    body = ["0"] * 3 + ["ABCDEFGHJKLMNPRSTUVWXYZ0123456789"] * 5
    return task.fill([*body, "X", "0", *["0123456789"] * 7])


def plate(task: Task) -> Objects:
    slots = to_slots(task.pattern or "AA-AA 9999")
    # Few countries give out these letters, as they look like digits.
    unlike = [_NO_LETTERS if len(each) == 26 and each.isupper() else each for each in slots]
    return task.fill(unlike)


_NO_LETTERS = "IOQU"
