"""National ids: recognised and generated."""

from __future__ import annotations

import re

from synthgan._typing import Objects
from synthgan.columns.identifier import first_digit_counts, to_slots
from synthgan.columns.personal.base import Look, digits
from synthgan.columns.personal.check_digits import passes_as_person
from synthgan.columns.personal.locale import Task, as_objects

_NATIONAL = "|".join(
    (
        r"(?!000|666)\d{3}-(?!00)\d{2}-(?!0000)\d{4}",  # United States
        r"[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]",  # United Kingdom
        r"\d{3}\.\d{3}\.\d{3}-\d{2}",  # Brazil
        r"[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]",  # Italy
        r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z0-9]\d",  # Mexico
        r"[12] ?\d{2} ?\d{2} ?\d[0-9AB] ?\d{3} ?\d{3} ?\d{2}",  # France
    )
)
_PASS = re.compile(r"[A-Z0-9][A-Z0-9 ./+\-]{4,24}", re.IGNORECASE)
_NATIONAL_FORM = re.compile(_NATIONAL)


def _is_national_id(text: str) -> bool:
    """Of a country's form, or with check digits that are right."""
    plain = re.sub(r"[ .\-+/]", "", text)
    return _NATIONAL_FORM.fullmatch(text) is not None or passes_as_person(plain)


def _can_be_national_id(text: str) -> bool:
    return _PASS.fullmatch(text) is not None and digits(text) >= 4


NATIONAL_LOOKS = (
    Look(
        personal="national_id",
        words="numbers of persons",
        name=r"(?:^|_)(?:ssn|social_?security|social_?insurance|national_?(?:id|insurance|identity)"
        r"|nino|nin|tax_?(?:id|no|number|payer)\w*|tin|itin|ein|fein|employer_?id\w*"
        r"|steuer_?(?:id|nr|nummer|identifikations)\w*|idnr|svnr|rvnr|renten_?versicherung\w*"
        r"|sozial_?versicherung\w*|insee|nir|num_?secu|numero_?(?:de_?)?securite\w*|securite_?sociale"
        r"|dni|nie|nif|cif|cuil|cuit|curp|rfc|rut|cpf|cnpj|rg|pis|nis|cns|aadhaar|aadhar|uidai"
        r"|pan_?(?:no|number)|pesel|nip|regon|bsn|burger_?service\w*|person_?nummer|personnr|pnr"
        r"|fodselsnummer|hetu|cpr|codice_?fiscale|cod_?fisc\w*|cnp|ahv\w*|avs|oib|egn|rodne_?cislo"
        r"|passport\w*|pass_?(?:nr|no|nummer)|passeport\w*|pasaporte\w*|passaporto\w*|paszport\w*"
        r"|reisepass\w*|ausweis\w*|personalausweis\w*|id_?card\w*|carte_?d?_?identite\w*"
        r"|driv\w+_?licen[cs]e\w*|licen[cs]e_?(?:no|nr|number)|fuehrerschein\w*|permis\w*"
        r"|kvnr|kv_?(?:nr|nummer)|kranken_?versicher\w*|versicherten_?(?:nr|nummer|id|no)"
        r"|krankenkassen_?(?:nr|nummer)|nhs|nhs_?(?:no|nr|num|number|id)|chi_?(?:no|number)"
        r"|medicare|medicaid|health_?(?:card|insurance|care)_?(?:no|nr|num|number|id)"
        r"|tessera_?sanitaria|tarjeta_?sanitaria|carte_?vitale|carte?_?nacional\w*)"
        r"(?:_?(?:no|nr|num|number|nummer|id|text|str))?$|(?:^|_)(?:ssn|kvnr|pesel|cpf|bsn|nhs)(?:_|$)",
        telling=0.8,
        looks=_is_national_id,
        named_looks=_can_be_national_id,
        fewest=3,
        unique=True,
    ),
)


def national_id(task: Task) -> Objects:
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
        return as_objects(_failing(task, shape, slots))
    return task.fill(slots)


def _failing(task: Task, shape: str, slots: list[str]) -> list[str]:
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
