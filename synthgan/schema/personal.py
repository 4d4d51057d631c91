"""Which columns say who somebody is, told from how values look and what the column is called.

Two witnesses give a score: the share of values that look like e-mail addresses (say), times how
telling that look is, and the name of the column. Either may do, and both together count as
independent ones: ``score = 1 - (1 - look) * (1 - name)``. From :data:`SURE` on the column is not
learned. Values alone are enough only where nothing else looks so; a name alone never is.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthgan.schema.check_digits import (
    passes_as_person,
    passes_iban,
    passes_imei,
    passes_luhn,
    passes_vin,
)
from synthgan.schema.columns import OF_DIGITS, Kind, Personal

SURE = 0.7
"""The score from which a column is not learned."""

WORTH_A_WORD = 0.4
"""The score from which the owner should be asked."""

_NAMED = 0.7  # what a name that leaves no doubt is worth
_BY_NAME = 0.3  # what values are worth that can be such, in a column that is called so
_HALF_NAMED = 0.3  # and one such as "name" or "customer"
_MOST = 2000  # values that are looked at
_FIRST_FEW = 40  # that tell whether to look at the others
_MANY = 20  # values that make a column of few rows worth looking at
_FEW_PEOPLE = 5  # full names that are enough, where hardly any other words look so
_LONGEST = 300  # characters of a value that says who somebody is


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
class _Look:
    """How the values of one kind of personal data look, and what their columns are called."""

    personal: Personal
    words: str
    """What the values are, in words."""
    name: str
    """Regular expression for names of columns, as :func:`plain_name` gives them."""
    telling: float
    """What it is worth if all values look so, whatever the column is called."""
    looks: Callable[[str], bool]
    named_looks: Callable[[str], bool] | None = None
    """A wider test, for columns that are called so."""
    few_repeats: float = 0.0
    """Distinct values a cell at least: where values repeat more they are ordinary categories."""
    fewest: int = 1
    """Distinct values at least."""
    unique: bool = False
    """Whether no two people share a value."""


def guess_personal(name: str, distinct: pa.Array, cells: int) -> Guess | None:
    """The best guess for a column called ``name``, of text (large_string, no nulls) ``distinct``
    in so many ``cells`` that are not missing; None if nothing speaks for any.

    Some two thousand values are looked at, spread over the column.
    """
    if not len(distinct):
        return None
    values = distinct.take(pa.array(range(0, len(distinct), -(-len(distinct) // _MOST))))
    texts = [text.strip() for text in pc.utf8_slice_codeunits(values, 0, _LONGEST).to_pylist()]
    called = plain_name(name)
    found = [
        (score, why, look)
        for look in _LOOKS
        if _may_be(look, called, len(distinct), cells)
        for score, why in [_judge(look, called, texts)]
        if score > 0
    ]
    people = _judge_people(called, texts) if len(distinct) >= _FEW_PEOPLE else None
    if people is not None:
        found.append(people)
    if not found:
        return None
    score, why, look = max(found, key=lambda each: each[0])
    unique = look.unique and cells >= _MANY
    return Guess(
        personal=look.personal,
        kind=Kind.IDENTIFIER if unique else Kind.TEXT,
        format=_pattern_of(look.personal, texts),
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
    return any(re.search(look.name, called) for look in _LOOKS if look.personal in _SHAPED)


def plain_name(name: str) -> str:
    """``name`` in small ASCII letters, its words joined by underscores: ``E-Mail``,
    ``emailAddress`` and ``Straße`` become ``e_mail``, ``email_address`` and ``strasse``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).casefold()
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def _may_be(look: _Look, called: str, distinct: int, cells: int) -> bool:
    is_called = re.search(look.name, called) is not None
    return (
        (is_called or look.telling >= WORTH_A_WORD)
        and distinct >= look.fewest
        and distinct > look.few_repeats * cells
    )


def _judge(look: _Look, called: str, texts: Sequence[str]) -> tuple[float, str]:
    """Score and reason."""
    is_called = re.search(look.name, called) is not None
    share = _share(texts, look.looks)
    score, why = look.telling * share, f"{share:.0%} of the values look like {look.words}"
    if is_called:
        wider = _share(texts, look.named_looks or look.looks)
        if wider < 0.5:  # called so, but it is something else
            return 0.0, ""
        score = max(score, _BY_NAME * wider)
        why = f"{wider:.0%} of the values can be {look.words}, and it is called so"
        score = 1 - (1 - score) * (1 - _NAMED)
    return score, why


def _share(texts: Sequence[str], looks: Callable[[str], bool]) -> float:
    first = texts[:_FIRST_FEW]
    if sum(map(looks, first)) < len(first) / 4:
        return 0.0
    return sum(map(looks, texts)) / len(texts)


def _regex(pattern: str, flags: int = 0) -> Callable[[str], bool]:
    compiled = re.compile(pattern, flags)
    return lambda text: compiled.fullmatch(text) is not None


# Values with a form of their own


def _is_ip(version: int) -> Callable[[str], bool]:
    def looks(text: str) -> bool:
        if text.count(".") != 3 and text.count(":") < 2:
            return False
        try:
            return ipaddress.ip_address(text).version == version
        except ValueError:
            return False

    return looks


_CARD = re.compile(r"[2-6]\d{3}([ -]?)\d{4}\1\d{4}\1\d{1,7}|3[47]\d{2}([ -]?)\d{6}\2\d{5}")
_CAN_BE_CARD = re.compile(r"\d[\d -]{11,22}")


def _is_card(text: str) -> bool:
    return _CARD.fullmatch(text) is not None and passes_luhn(re.sub(r"\D", "", text))


def _can_be_card(text: str) -> bool:
    return _CAN_BE_CARD.fullmatch(text) is not None and 12 <= _digits(text) <= 19


_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")


def _is_iban(text: str) -> bool:
    plain = text.replace(" ", "")
    return _IBAN.fullmatch(plain) is not None and passes_iban(plain)


def _can_be_iban(text: str) -> bool:
    return _IBAN.fullmatch(text.replace(" ", "").upper()) is not None


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
    return _CAN_BE_PLATE.fullmatch(text) is not None and _digits(text) >= 1


_PHONE = re.compile(
    r"(?:\+|00)[1-9]\d?[ ./()\-\d]{6,18}|\(\+?\d{2,5}\)[ ./\-\d]{5,14}|(?:\d{3}[-. ]){2}\d{4}"
    r"|(?:\+?1[-. ]?)?\(\d{3}\) ?\d{3}[-. ]?\d{4}",
)
_EXTENSION = re.compile(r" ?(?:x|ext\.? ?)\d{1,6}$")
_DIALLED = re.compile(r"\+?[\d ./()\-]+")


def _is_phone(text: str) -> bool:
    plain = _EXTENSION.sub("", text)
    return _PHONE.fullmatch(plain) is not None and 7 <= _digits(plain) <= 15


def _can_be_phone(text: str) -> bool:
    plain = _EXTENSION.sub("", text)
    return _DIALLED.fullmatch(plain) is not None and 6 <= _digits(plain) <= 15


def _digits(text: str) -> int:
    return sum(character.isdigit() for character in text)


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
    return _PASS.fullmatch(text) is not None and _digits(text) >= 4


# Words


_A_NAME = r"[^\W\d_][^\W\d_'\u2019.]*(?:[-'\u2019][^\W\d_]+)*\.?"
_is_first_or_last = _regex(rf"{_A_NAME}(?: {_A_NAME}){{0,3}}")
_is_full = _regex(rf"{_A_NAME},?(?: \(?{_A_NAME}\)?,?){{1,6}}|[^\W\d_a-zA-Z]{{2,5}}")
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
    return _has_letters(text) is not None and (len(text.split()) > 1 or _digits(text) > 0)


_A_POSTCODE = re.compile(r"\d{4,}|\b[A-Z]{1,2}\d[A-Z0-9]? ?\d[A-Z]{2}\b")


def _is_whole_address(text: str) -> bool:
    first, *rest = re.split(r"\n|, ", text)
    return _digits(first) > 0 and any(_A_POSTCODE.search(line) for line in rest)


_ADDRESS_LINE = re.compile(_ADDRESS, re.IGNORECASE)


def _is_street_address(text: str) -> bool:
    return _ADDRESS_LINE.fullmatch(text) is not None and not _is_whole_address(text)


_USER_NAME = re.compile(r"@?[^\W_][\w.\-]{1,40}")


def _can_be_user_name(text: str) -> bool:
    """One word; a number alone is a key."""
    return _USER_NAME.fullmatch(text) is not None and not text.isdigit()


_LOOKS = (
    _Look(
        personal="email",
        words="e-mail addresses",
        name=r"(?:^|_)e?_?mails?(?:_|$)|email|correo",
        telling=0.97,
        looks=_regex(r"[^@\s<>(),;:]+@[^@\s.,;]+(?:\.[^@\s.,;]+)+"),
        unique=True,
    ),
    _Look(
        personal="url",
        words="web addresses",
        name=r"(?:^|_)(?:url|website|web_?site|homepage|link|profile_?link)s?$",
        telling=0.95,
        looks=_regex(r"(?:https?|ftp)://\S+|www\.[^\s.]+\.\S+", re.IGNORECASE),
        few_repeats=0.05,
        fewest=5,
        unique=True,
    ),
    _Look(
        personal="ipv4",
        words="IP addresses",
        name=r"(?:^|_)ip(?:_?v?4)?(?:_|$)|ip_?addr",
        telling=0.8,
        looks=_is_ip(4),
        fewest=5,
        unique=True,
    ),
    _Look(
        personal="ipv6",
        words="IP addresses",
        name=r"(?:^|_)ip(?:_?v?6)?(?:_|$)|ip_?addr",
        telling=0.9,
        looks=_is_ip(6),
        fewest=5,
        unique=True,
    ),
    _Look(
        personal="iban",
        words="IBANs, check digits included",
        name=r"(?:^|_)iban(?:_|$)",
        telling=0.97,
        looks=_is_iban,
        named_looks=_can_be_iban,
        unique=True,
    ),
    _Look(
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
    _Look(
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
    _Look(
        personal="imei",
        words="IMEIs of phones, check digit included",
        name=r"(?:^|_)(?:imei|meid|imeisv)(?:_?(?:no|nr|num|number|nummer|id|sv|1|2|int|text))*$"
        r"|(?:^|_)imei(?:_|$)",
        telling=0.9,
        looks=_is_imei,
        named_looks=_regex(r"\d{14,16}|\d{2}[ -]\d{6}[ -]\d{6}[ -]\d|[0-9A-F]{14}", re.IGNORECASE),
        fewest=3,
        unique=True,
    ),
    _Look(
        personal="mac",
        words="addresses of network devices",
        name=r"(?:^|_)(?:mac|bssid|bluetooth|bt_?addr\w*)(?:_?(?:addr|address|adresse|id|no))*$",
        telling=0.95,
        looks=_regex(_MAC, re.IGNORECASE),
        named_looks=_regex(rf"{_MAC}|[0-9a-f]{{12}}", re.IGNORECASE),
        fewest=3,
        unique=True,
    ),
    _Look(
        personal="vin",
        words="numbers of vehicles, check digit included",
        name=r"(?:^|_)(?:vin|chassis|fahrgestell|fin|vehicle_?identification|telaio|bastidor)"
        r"(?:_?(?:no|nr|num|number|nummer|numero|id))*$",
        telling=0.9,
        looks=passes_vin,
        named_looks=_regex(r"[A-HJ-NPR-Z0-9]{17}", re.IGNORECASE),
        fewest=3,
        unique=True,
    ),
    _Look(
        personal="plate",
        words="plates of vehicles",
        name=r"(?:^|_)(?:plate|license_?plate|licence_?plate|number_?plate|kennzeichen|kfz\w*|kfz_?\w+"
        r"|amtl_?kennz\w*|immatriculation|immat|plaque|targa|matricula|placa|kenteken|tablica"
        r"|nr_?rej\w*|numer_?rejestracyjny|rejestracja|reg_?(?:no|nr|num|number|plate|mark)|vrm"
        r"|registration|registration_?(?:no|nr|number|plate|mark)|vehicle_?reg\w*|regnr"
        r"|registreringsnummer|nummerplade)(?:_?(?:no|nr|num|number|nummer|numero))?$",
        telling=0.75,
        looks=_regex(_PLATES),
        named_looks=_can_be_plate,
        few_repeats=0.004,
        fewest=5,
        unique=True,
    ),
    _Look(
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
    _Look(
        personal="address",
        words="postal addresses",
        name=r"(?:^|_)(?:address|addr|adresse|anschrift|direccion|indirizzo|endereco|adres)$",
        telling=0.6,
        looks=_is_whole_address,
        few_repeats=0.02,
        fewest=5,
    ),
    _Look(
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
    _Look(
        personal="city",
        words="places",
        name=r"(?:^|_)(?:city|town|ort|stadt|wohnort|ville|ciudad|citta|cidade|localidad|plaats"
        r"|municipality|suburb)(?:_?name)?$",
        telling=0.1,
        looks=_is_first_or_last,
        few_repeats=0.5,
        fewest=_MANY,
    ),
    _Look(
        personal="postcode",
        words="postcodes",
        name=r"(?:^|_)(?:zip|zip_?code|post_?code|postal_?code|plz|postleitzahl|code_postal|cap|cep"
        r"|codigo_postal)$",
        telling=0.1,
        looks=_regex(r"(?=.*\d)[A-Z0-9](?:[A-Z0-9]|[ -](?=[A-Z0-9])){2,9}", re.IGNORECASE),
        few_repeats=0.5,
        fewest=_MANY,
    ),
    _Look(
        personal="first_name",
        words="first names",
        name=r"(?:^|_)(?:first_?name|given_?name|fore_?name|middle_?name|vorname|prenom|nombre_de_pila"
        r"|primer_nombre|primeiro_nome|voornaam|fname|imie)s?$",
        telling=0.1,
        looks=_is_first_or_last,
        fewest=3,
    ),
    _Look(
        personal="last_name",
        words="last names",
        name=r"(?:^|_)(?:last_?name|sur_?name|family_?name|nach_?name|familienname|maiden_?name"
        r"|nom_de_famille|apellidos?|cognome|sobrenome|achternaam|lname|efternamn|nazwisko)s?$",
        telling=0.1,
        looks=_is_first_or_last,
        fewest=3,
    ),
    _Look(
        personal="name",
        words="names of people",
        name=r"(?:^|_)(?:full_?name|(?:customer|client|patient|employee|person|passenger|contact"
        r"|member|student|user|owner|holder|card_?holder|account_?holder|doctor|physician|teacher"
        r"|manager|author|guest|subscriber|applicant|borrower|tenant|driver|player|agent|operator|nurse"
        r"|cashier|seller|buyer|insured|initials|last_?first|first_?last|kunden?|patienten?"
        r"|mitarbeiter|fahrer|arzt|versicherten?|cliente|paciente|paziente|klant|medewerker)"
        r"_?name|last_?first|first_?last|nom_?(?:complet|prenom|du_?\w+)|nombre_?(?:completo|y_\w+)"
        r"|apellidos_y_nombre|nome_?(?:completo|e_cognome|cognome)|cognome_(?:e_)?nome"
        r"|naam_?volledig|volledige_?naam|imie_i_nazwisko|imie_nazwisko|fullt_?namn)$",
        telling=0.1,
        looks=_is_full,
        fewest=3,
    ),
    _Look(
        personal="user_name",
        words="user names",
        name=r"(?:^|_)(?:user_?name|user_?login|login(?:_?name)?|screen_?name|nick_?name|handle"
        r"|benutzername|benutzer_?kennung|anmelde_?name|kennung|utilisateur|identifiant|usuario"
        r"|nome_?utente|gebruikers_?naam|uzytkownik|anvandar_?namn|account_?name|user"
        r"|twitter|instagram|telegram|github)(?:_?(?:id|name|handle|text|str))?$",
        telling=0.1,
        looks=_regex(r"@?[^\W_][\w.\-]{1,40}"),
        named_looks=_can_be_user_name,
        few_repeats=0.02,
        fewest=5,
        unique=True,
    ),
)
_BY_PERSONAL = {look.personal: look for look in _LOOKS}


# Names of people, known by their first names


_HALF_NAMES = re.compile(
    r"(?:^|_)(?:name|nom|nome|nombre|naam|namn|customer|client|kunde|patient|employee|person"
    r"|passenger|contact|member|student|owner|holder|doctor|physician|teacher|manager|author|guest"
    r"|sender|recipient|cast|director)$"
)
_THINGS = re.compile(  # called after people, many of them
    r"(?:^|_)(?:manufacturer|maker?|brand|company|firm|vendor|supplier|shop|store|model|team|club"
    r"|city|town|ort|county|region|state|province|district|country|place|station|airport|airline"
    r"|carrier|ship|school|university|hospital|bank|title|product|job|profession|occupation|month"
    r"|religion|species|breed|genre|language)(?:_?name)?s?$"
)
_LISTS = (
    "en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pt_BR", "pl_PL", "sv_SE",
    "da_DK", "fi_FI", "no_NO", "cs_CZ", "tr_TR", "en_IN", "ro_RO", "hu_HU",
)  # fmt: skip


@lru_cache(maxsize=1)
def _first_names() -> frozenset[str]:
    """First names of many languages, in small letters."""
    found: set[str] = set()
    for locale in _LISTS:
        provider = import_module(f"faker.providers.person.{locale}").Provider
        for part in ("first_names", "first_names_male", "first_names_female"):
            found.update(str(name).casefold() for name in getattr(provider, part, ()))
    return frozenset(name for name in found if len(name) > 2)


def _judge_people(called: str, texts: Sequence[str]) -> tuple[float, str, _Look] | None:
    """Whether the values are people's names, by the first names among them."""
    if _THINGS.search(called):
        return None
    plain = [_without_titles(text) for text in texts]
    shaped = [text for text in plain if text[:1].isupper() and (_is_full(text) or _is_one(text))]
    if len(shaped) < 0.8 * len(texts):
        return None
    known = _first_names()
    share = sum(any(w in known for w in _words(text)) for text in shaped) / len(texts)
    full = sum(" " in text for text in shaped) > 0.5 * len(shaped)
    if len(texts) < _MANY and not (full and share >= 0.8):
        return None
    half_named = _HALF_NAMES.search(called) is not None and share > 0.2
    score = 0.95 * min(1.0, (1.6 if half_named else 1.4) * share)
    why = f"{share:.0%} of the values have a common first name"
    if half_named:
        score = 1 - (1 - score) * (1 - _HALF_NAMED)
        why += ", and it is called so"
    return score, why, _BY_PERSONAL["name" if full else "first_name"]


_is_one = _regex(_A_NAME)

_TITLE = re.compile(
    "dr|prof|univ|dipl|ing|mag|med|phil|rer|nat|jur|habil|hc|herr|frau|hr|fr"  # German
    "|mr|mrs|ms|mx|miss|sir|rev|hon|ind|misc|jr|sr|ii|iii|iv|v|esq|phd|md|dds|dvm|mba"  # English
    "|b|m|ba|ma|bsc|msc|sc|a|eng|beng|meng|bc|mgr|ph|d"  # degrees, also in letters apart
    "|mme|mlle|monsieur|madame|mademoiselle|sra|srta|dra|señora?|sig|ra|dott|dottssa|ssa|avv"
    "|dhr|mevr|mw|drs|ir|pan|pan[ií]|slečna|judr|mudr|rndr|mvdr|phdr|csc|dis|dsc|th|arch"
    "|bay|bayan|uz|öğr|çev|okt|arş|gör|yrd|doç|av"
)


def _without_titles(text: str) -> str:
    """A name without titles and degrees before and after it; as it is, if it is nothing else."""
    words = text.split()
    while len(words) > 1 and _is_title(words[0]):
        words = words[1:]
    while len(words) > 1 and _is_title(words[-1]):
        words = words[:-1]
    return " ".join(words).rstrip(",")


def _is_title(word: str) -> bool:
    parts = [part for part in re.split(r"[.\-]", word.strip(",").casefold()) if part]
    return bool(parts) and all(map(_TITLE.fullmatch, parts))


def _words(text: str) -> list[str]:
    return re.split(r"[\s,.\-]+", text.casefold())


# The shape that most values have

_SHAPED = ("phone", "postcode", "national_id", "card", "iban", "imei", "plate", "vin")
_SHARED = 5  # values that must have the shape, so that it tells of none of them
_TO_SHAPE = (
    (re.compile(r"[0-9]"), "9"),
    (re.compile(r"[A-Z]"), "A"),
    (re.compile(r"[a-z]"), "a"),
)


_HEXADECIMAL = ((re.compile(r"[0-9A-F]"), "F"), (re.compile(r"[0-9a-f]"), "f"))


def _pattern_of(personal: Personal, texts: Sequence[str]) -> str | None:
    if personal == "mac":
        is_lower = any(character in "abcdef" for text in texts for character in text)
        digits, stand_in = _HEXADECIMAL[is_lower]
        shapes = {digits.sub(stand_in, text) for text in texts}
        return shapes.pop() if len(shapes) == 1 and len(texts) >= _FEW_PEOPLE else None
    return _pattern(texts) if personal in _SHAPED else None


def _pattern(texts: Sequence[str]) -> str | None:
    """The commonest shape, with 9, A and a for digits and letters; None if few values have it."""
    shapes: Counter[str] = Counter()
    for text in texts:
        for characters, stand_in in _TO_SHAPE:
            text = characters.sub(stand_in, text)
        shapes[text] += 1
    shape, times = shapes.most_common(1)[0]
    common = times >= max(_SHARED, len(texts) / 4)
    return shape if common and shape.isascii() and 0 < len(shape) <= 60 else None
