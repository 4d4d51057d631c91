"""Names of people, user names and e-mail addresses: recognised and generated."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module

import numpy as np

from synthgan._typing import Objects
from synthgan.columns.personal.base import Look, regex
from synthgan.columns.personal.locale import Task, as_objects, slug

_A_NAME = r"[^\W\d_][^\W\d_'\u2019.]*(?:[-'\u2019][^\W\d_]+)*\.?"
is_first_or_last = regex(rf"{_A_NAME}(?: {_A_NAME}){{0,3}}")
is_full = regex(rf"{_A_NAME},?(?: \(?{_A_NAME}\)?,?){{1,6}}|[^\W\d_a-zA-Z]{{2,5}}")

_USER_NAME = re.compile(r"@?[^\W_][\w.\-]{1,40}")


def _can_be_user_name(text: str) -> bool:
    """One word; a number alone is a key."""
    return _USER_NAME.fullmatch(text) is not None and not text.isdigit()


PEOPLE_LOOKS = (
    Look(
        personal="first_name",
        words="first names",
        name=r"(?:^|_)(?:first_?name|given_?name|fore_?name|middle_?name|vorname|prenom|nombre_de_pila"
        r"|primer_nombre|primeiro_nome|voornaam|fname|imie)s?$",
        telling=0.1,
        looks=is_first_or_last,
        fewest=3,
    ),
    Look(
        personal="last_name",
        words="last names",
        name=r"(?:^|_)(?:last_?name|sur_?name|family_?name|nach_?name|familienname|maiden_?name"
        r"|nom_de_famille|apellidos?|cognome|sobrenome|achternaam|lname|efternamn|nazwisko)s?$",
        telling=0.1,
        looks=is_first_or_last,
        fewest=3,
    ),
    Look(
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
        looks=is_full,
        fewest=3,
    ),
    Look(
        personal="user_name",
        words="user names",
        name=r"(?:^|_)(?:user_?name|user_?login|login(?:_?name)?|screen_?name|nick_?name|handle"
        r"|benutzername|benutzer_?kennung|anmelde_?name|kennung|utilisateur|identifiant|usuario"
        r"|nome_?utente|gebruikers_?naam|uzytkownik|anvandar_?namn|account_?name|user"
        r"|twitter|instagram|telegram|github)(?:_?(?:name|handle|text|str))?$",
        telling=0.1,
        looks=regex(r"@?[^\W_][\w.\-]{1,40}"),
        named_looks=_can_be_user_name,
        few_repeats=0.02,
        fewest=5,
        unique=True,
    ),
)

HALF_NAMES = re.compile(
    r"(?:^|_)(?:name|nom|nome|nombre|naam|namn|customer|client|kunde|patient|employee|person"
    r"|passenger|contact|member|student|owner|holder|doctor|physician|teacher|manager|author|guest"
    r"|sender|recipient|cast|director)$"
)
THINGS = re.compile(  # called after people, many of them
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
def first_names() -> frozenset[str]:
    """First names of many languages, in small letters."""
    found: set[str] = set()
    for locale in _LISTS:
        provider = import_module(f"faker.providers.person.{locale}").Provider
        for part in ("first_names", "first_names_male", "first_names_female"):
            found.update(str(name).casefold() for name in getattr(provider, part, ()))
    return frozenset(name for name in found if len(name) > 2)


is_one = regex(_A_NAME)

_TITLE = re.compile(
    "dr|prof|univ|dipl|ing|mag|med|phil|rer|nat|jur|habil|hc|herr|frau|hr|fr"  # German
    "|mr|mrs|ms|mx|miss|sir|rev|hon|ind|misc|jr|sr|ii|iii|iv|v|esq|phd|md|dds|dvm|mba"  # English
    "|b|m|ba|ma|bsc|msc|sc|a|eng|beng|meng|bc|mgr|ph|d"  # degrees, also in letters apart
    "|mme|mlle|monsieur|madame|mademoiselle|sra|srta|dra|señora?|sig|ra|dott|dottssa|ssa|avv"
    "|dhr|mevr|mw|drs|ir|pan|pan[ií]|slečna|judr|mudr|rndr|mvdr|phdr|csc|dis|dsc|th|arch"
    "|bay|bayan|uz|öğr|çev|okt|arş|gör|yrd|doç|av"
)


def without_titles(text: str) -> str:
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


def words(text: str) -> list[str]:
    return re.split(r"[\s,.\-]+", text.casefold())


def first_name(task: Task) -> Objects:
    return np.asarray(task.words.first[task.names[0]])


def last_name(task: Task) -> Objects:
    return np.asarray(task.words.last[task.names[1]])


def name(task: Task) -> Objects:
    first, last = first_name(task), last_name(task)
    language = task.words.locale[:2]
    if language in ("zh", "ko"):
        return np.asarray(last + first)
    return np.asarray(last + " " + first if language in ("ja", "hu", "vi") else first + " " + last)


def user_name(task: Task) -> Objects:
    return _joined_names(task, "_")


def email(task: Task) -> Objects:
    domains = as_objects(["@example.org", "@example.com", "@example.net"])
    return np.asarray(_joined_names(task, ".") + task.pick(domains, "domain"))


def _joined_names(task: Task, separator: str) -> Objects:
    """Names in Latin letters: no two alike, with a number once all pairs are used up."""
    first, last, rounds = task.names
    firsts = [slug(name) or _letters(i) for i, name in enumerate(task.words.first)]
    lasts = [slug(name) or _letters(i) for i, name in enumerate(task.words.last)]
    joined = as_objects(firsts)[first] + separator + as_objects(lasts)[last]
    joined[rounds > 0] += rounds[rounds > 0].astype(str).astype(object)
    return np.asarray(joined)


def _letters(number: int) -> str:
    """Letters for a name that has no Latin ones; no digits, as a number may follow."""
    return "x" + "".join(chr(ord("a") + int(digit)) for digit in str(number)) + "x"
