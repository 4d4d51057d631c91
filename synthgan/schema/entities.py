"""Whose rows they are: keys that repeat, what they decide, and which of them is a person's.

A table of visits, orders or log-ins has several rows a person, so the person's number comes again
and again, as categories do. Four witnesses tell the two apart, each from 0 to 1, and together
count as independent ones, ``score = 1 - (1 - a) (1 - b) ...``: what the column is called; how its
cells look (a code of one pattern, a hash, whole numbers far apart); how many values of few rows
each it has; and which other columns it decides, as a patient's number decides the patient's name.
From :data:`SURE` on the column is not learned.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthgan.errors import SchemaError
from synthgan.schema.arrow import to_arrow
from synthgan.schema.columns import Column, Kind, Personal, Schema
from synthgan.schema.dtypes import family, to_dtype
from synthgan.schema.patterns import code_pattern
from synthgan.schema.personal import SURE, plain_name

Ints = npt.NDArray[np.int64]

_FEWEST_CELLS = 20  # a table of fewer rows shows no key
_FEWEST_VALUES = 3
_MANY_VALUES = 20
_FEW_ROWS = 50  # of the middle value, where a column has few rows a value
_FEW_REPEATS = 10  # rows that come again, at least, to see what a key decides
_AGREEING = 0.9  # of the rows that come again, beyond those that would by chance
_SPARSE = 20  # times as many numbers as there are, in the range that they could have
_FEWEST_PEOPLE = 5  # letters that all codes share are kept if they are of so many
_ONE_TO_ONE = 0.95
_ALONE = 0.65  # what looks are worth where neither name nor other columns agree
_FEW_EVENTS = 30  # of a person, that ``visit_no`` may count
_OF_MANY = 0.3  # what many values of few rows each are worth

# What columns are called


_PEOPLE = (
    "patient(?:en|in|innen|s)?|pat|pt|customers?|cust|clients?|users?|usr|members?|persons?|pers|people"
    "|employees?|emp|students?|pupils?|learner|subscribers?|households?|hh|famil(?:y|ies)|citizens?"
    "|residents?|passengers?|visitors?|guests?|insured|insuree|beneficiar(?:y|ies)|participants?"
    "|respondents?|subjects?|subj|borrowers?|applicants?|candidates?|owners?|holders?|donors?"
    "|voters?|tenants?|players?|riders?|card_?holders?|policy_?holders?|contacts?|individuals?"
    "|consumers?|buyers?|shoppers?|callers?|enrollees?|claimants?|taxpayers?|recipients?|senders?"
    "|kunden?|mandant(?:en)?|klient(?:en|a)?|mitglied(?:er|s)?|mitarbeiter|versicherten?"
    "|personen|personal|schueler|schuler|studierenden?|nutzer|benutzer|einwohner|halter|inhaber"
    "|haushalts?|teilnehmer|probanden?|bewerber|empfaenger|fahrgast|mieter"
    "|usagers?|abonnes?|adherents?|assures?|salaries?|eleves?|etudiants?|menages?|foyers?"
    "|utilisateurs?|personnes?|membres?"
    "|clientes?|pacientes?|usuarios?|socios?|empleados?|alumnos?|asegurados?|hogar(?:es)?|personas?"
    "|pazient[ei]|utent[ei]|assistit[oi]|dipendent[ei]|student[ei]|soci[oa]?|persona|famiglia"
    "|klant(?:en)?|gebruikers?|lid|leden|medewerkers?|leerling(?:en)?|huishoudens?|persoon|clienten"
    "|pacjent(?:a|ow)?|uzytkownik(?:a)?|pracownik(?:a)?|osob[ay]|uczen|ucznia|czlonek"
    "|alunos?|funcionarios?|segurados?|pessoas?|utilizador|agregado"
    "|kund|anvandare|medlem|anstalld|elev"
)
_DEVICES = (
    "devices?|handset|phone|sim|imei|imsi|iccid|msisdn|mac|account|accounts?|acct|acc|konto|compte"
    "|cuenta|conto|conta|rekening|rachunk(?:u)?|card|karten?|carte|tarjeta|carta|kaart|karta|badge"
    "|ausweis|cookie|cookies|session|sess|sitzung|login|token|vehicle|car|fahrzeug|vehicule|vin"
    "|policy|policen?|polices?|polizza|poliza|apolice|polisy?|polis|versicherung(?:s|sschein)?"
    "|contracts?|vertrag(?:s)?|contrat|contrato|contratto|umow[ay]|meter|zaehler|zahler|licen[cs]e"
    "|membership|loyalty|wallet|profile|mandate|mandats?|iban|fingerprint|browser_?fingerprint"
    "|advertising|idfa|gaid|ad|anonymous|anon|tracking|mrn|medical_?record|chart|akten?|dossier"
    "|record|hospital_?number|insurance|assurance|seguro|assicurazione|verzekering|ubezpieczenia"
)
_EVENTS = (
    "orders?|invoices?|tickets?|cases?|visits?|encounters?|enc|admissions?|stays?|transactions?"
    "|trans|txn|tx|bookings?|reservations?|claims?|calls?|trips?|rides?|prescriptions?|rx"
    "|rezept(?:e|s)?|events?|requests?|messages?|samples?|specimens?|shipments?|parcels?|payments?"
    "|loans?|applications?|appointments?|episodes?|sales?|purchases?|baskets?|receipts?|logs?|rows?"
    "|rechnung(?:s|en)?|bestell(?:ung|ungs)?|auftrag(?:s)?|buchung(?:s)?|beleg|vorgang(?:s)?"
    "|sendung(?:s)?|fall|faelle|besuch(?:s)?|aufenthalt(?:s)?|termin|probe(?:n)?|fahrt(?:en)?"
    "|factures?|commandes?|ordonnances?|visites?|dossiers?|factura|pedidos?|receta|visita"
    "|fattura|fatture|ordin[ei]|ricetta|visite|factuur|bestelling|bezoek|rit|faktur[ay]|zamowieni[ae]"
    "|wizyt[ay]|recept[ay]?|fatura|encomenda|consulta"
)
_STAFF = (
    "doctors?|dr|physicians?|nurses?|agents?|drivers?|teachers?|cashiers?|operators?|sellers?"
    "|sales_?(?:persons?|reps?|m[ae]n)|reps?|managers?|staff|technicians?|providers?|clinicians?"
    "|prescribers?|surgeons?|consultants?|advisors?|officers?|arzt|aerzte|fahrer|lehrer|verkaeufer"
    "|actors?|authors?|artists?|speakers?|directors?|reviewers?|judges?|coach(?:es)?|engineers?"
    "|kassierer|berater|medecins?|chauffeur|vendeur|medicos?|medico|conductor|vendedor|autista"
    "|arts|lekarz(?:a)?|kierowc[ay]|npi|lanr|rpps"
)
_THINGS = (
    "products?|prod|produkt(?:e)?|produit|producto|prodotto|sku|items?|articles?|artikel|parts?"
    "|models?|brands?|stores?|shops?|branch(?:es)?|filialen?|stations?|airports?|airlines?|flights?"
    "|carriers?|tail|tailnum|routes?|lines?|zip|zip_?code|post(?:al)?|post_?code|plz|cep|county|fips"
    "|regions?|states?|city|cities|countr(?:y|ies)|districts?|zones?|areas?|types?|typ|kinds?"
    "|class(?:es)?|categor(?:y|ies)|cat|groups?|gruppe|status|grades?|levels?|versions?|icd\\w*"
    "|diagnos\\w*|dx|atc|loinc|cpt|hcpcs|drg|ndc|pzn|procedures?|proc|ops|years?|months?|weeks?|days?"
    "|hours?|quarters?|minutes?|date|time|currency|language|lang|department|dept|abteilung|sites?"
    "|locations?|warehouses?|facilit(?:y|ies)|hospitals?|clinics?|schools?|campaigns?|channels?"
    "|platforms?|browser|os|tracts?|blocks?|sectors?|industry|occupation|sic|naics|isic|nace|pages?"
    "|url|colou?rs?|barcode|ean|gtin|upc|isbn|asin|country_?code|iso|swift|bic|bank|blz|sort|gender"
    "|sex|race|plan|tariff?|tarif|service|ward|room|bed|seat|gate|machine|sensor|house|building"
    "|lab|test|analyte|drug|medication|medicine|substance|movie|film|book|song|track|courses?|subject_?code"
    "|isin|cusip|sedol|wkn|symbol|ticker|instrument|security|company|firm|vendors?|suppliers?|lieferanten?|manufacturers?|organi[sz]ation|org|institution"
    "|town|village|place|ort|stadt|ville|ciudad|citta|plaats|miasto|cidade|street|strasse|rue"
    "|genre|album|artist|media|media_?type|playlist|territor(?:y|ies)|address|inventory|shelf|asset"
    "|league|team|club|season|game|match|round|experiment|batch|lot|plate_?well|gene|species"
)
_IDS = (
    "id|ids|no|nr|num|number|nummer|numero|nro|num|key|schluessel|code|codes|uuid|guid|hash|token|ref"
    "|reference|referenz|identifier|identifiant|identificador|identificatore|idn|sk|pk|fk|matricule"
    "|pid|uid|puid|suid|cid|custno|custnr|kdnr|empno|persnr|patnr"
    "|codigo|codice|kod|kennung|numer|numeru|nummber|pseudonym|pseudo_?id|hashed|alias"
)
_FILLERS = "text|txt|str|string|int|integer|raw|md5|sha1|sha256|sha|hex|enc|anon|anonymi[sz]ed|clean|orig|original|fk|src"
_BARE = (
    "mrn|imei|imsi|iccid|msisdn|mac|cookie|cookies|session|token|uuid|guid|login|vin|badge|fingerprint"
    "|pid|uid|puid|suid|cid|custno|custnr|kdnr|empno|persnr|patnr|medical_?record|matricule|npi|lanr|rpps|iban|hash|pseudonym|idfa|gaid"
)
_LEADING = "id|nr|no|numero|num|n|cod|code|codigo|codice|uuid|guid|hash|matricule|numer|kod"
_CODES = {"code", "codes", "kod", "codigo", "codice", "ref", "reference", "referenz"}
_OF_NOTHING = {"number", "num", "numero", "n", *_CODES}
_COUNTING = {"no", "nr", "num", "number", "nummer", "numero", "numer", "n"}

_ALL_PEOPLE, _ALL_DEVICES, _ALL_EVENTS, _ALL_STAFF, _ALL_THINGS = (
    re.compile(words) for words in (_PEOPLE, _DEVICES, _EVENTS, _STAFF, _THINGS)
)
_ID, _FILLER, _IS_BARE = (re.compile(words) for words in (_IDS, _FILLERS, _BARE))
_IS_CODE_OF_THINGS = re.compile(
    r"zip|zip_?code|plz|post|postal|postcode|fips|icd\w*|diagnosis|diagnose|sku|product|flight|tail"
    r"|airport|station|store|item|article|model|version|type|class|category"
)
_LEADS = re.compile(_LEADING)
_GLUED = re.compile(
    rf"({_PEOPLE}|{_DEVICES}|{_EVENTS}|{_STAFF}|{_THINGS})s?(id|nr|no|nummer|number|num|key|code|uuid|hash|token)"
)

PERSON, DEVICE, GENERIC, STAFF, EVENT, OTHER = 5, 4, 3, 2, 1, 0
"""What a key is of, the likelier to be whose rows they are, the greater."""


@dataclass(frozen=True, kw_only=True)
class _Called:
    """What the name of a column says."""

    of: int = OTHER
    worth: float = 0.0
    is_thing: bool = False
    counts: bool = False
    """Whether it may count (``visit_no``)."""
    is_bare: bool = False
    """Whether nothing says that it is a number of one: ``customer``, or ``households``."""


@lru_cache(maxsize=1024)
def _called(name: str) -> _Called:
    words = [word for word in plain_name(name).split("_") if word]
    while len(words) > 1 and (_FILLER.fullmatch(words[-1]) or words[-1].isdigit()):
        words.pop()
    glued = _GLUED.fullmatch(words[-1]) if words else None
    if glued is not None:
        words = [*words[:-1], glued[1], glued[2]]
    ends = []
    while words and _ID.fullmatch(words[-1]):
        ends.append(words.pop())
    if words and not ends and len(words) <= 4 and _LEADS.fullmatch(words[0]):
        ends.append(words.pop(0))
        words = [word for word in words if word not in ("de", "du", "del", "della", "do", "da", "di", "d", "la", "le", "l", "el", "van")]
    head = words[-1] if words else ""
    two = "_".join(words[-2:])
    counts = bool(ends) and set(ends) <= _COUNTING
    for vocabulary, of, worth, bare in (
        (_ALL_PEOPLE, PERSON, 0.8, 0.45),
        (_ALL_STAFF, STAFF, 0.75, 0.3),
        (_ALL_DEVICES, DEVICE, 0.75, 0.3),
        (_ALL_EVENTS, EVENT, 0.75, 0.2),
    ):
        if vocabulary.fullmatch(head) or (len(words) > 1 and vocabulary.fullmatch(two)):
            if _IS_BARE.fullmatch(head) or _IS_BARE.fullmatch(two):
                worth = bare = 0.8  # of anything else they are no names
            return _Called(of=of, worth=worth if ends else bare, counts=counts, is_bare=not ends and worth != bare)
    if _ALL_THINGS.fullmatch(head) or (len(words) > 1 and _ALL_THINGS.fullmatch(two)):
        return _Called(is_thing=True)
    if any(_IS_CODE_OF_THINGS.fullmatch(word) for word in words):
        return _Called(is_thing=True)
    if not ends:
        return _Called(worth=0.0)
    if not words and any(map(_IS_BARE.fullmatch, ends)):
        return _Called(of=GENERIC, worth=0.7)
    if not words:
        return _Called(of=GENERIC, worth=0.2 if set(ends) <= _OF_NOTHING else 0.45, counts=counts)
    return _Called(worth=0.2 if counts or set(ends) <= _CODES else 0.4, counts=counts)


# How cells look


@dataclass(frozen=True, kw_only=True)
class _Form:
    """How the different cells of a column look."""

    worth: float = 0.0
    words: str = ""
    pattern: str | None = None
    """How made-up ones are to look; None: they are numbered."""
    is_token: bool = False
    """Whether they look drawn at random, as hashes do."""
    dense: bool = False
    """Whole numbers that lie close together."""


_TOKEN = r"^[A-Za-z0-9_\-+/=.:{}]{16,}$"


def _form_of(distinct: pa.Array) -> _Form:
    """Of text (large_string) or whole numbers, all of them different."""
    if not pa.types.is_large_string(distinct.type):
        return _form_of_numbers(distinct.to_numpy(zero_copy_only=False))
    lengths = pc.utf8_length(distinct)
    longest = pc.max(lengths).as_py()
    if longest > 100 or pc.any(pc.match_substring_regex(distinct, r"\s{2}|[\r\n\t]")).as_py():
        return _Form()
    blanks = pc.mean(pc.match_substring(distinct, " ")).as_py()
    pattern = code_pattern(distinct) if blanks in (0.0, 1.0) else None
    if blanks == 0 and _are_tokens(distinct, pattern):
        return _Form(worth=0.8, words="drawn as if at random", pattern=pattern or None, is_token=True)
    if pc.all(pc.match_substring_regex(distinct, "^[0-9]+$")).as_py():
        fixed = pc.min(lengths).as_py() == longest >= 5
        return _Form(
            worth=0.4 if fixed else 0.2,
            words="digits of one width" if fixed else "digits",
            pattern="9" * _commonest(lengths),
            dense=not fixed and 10**longest < _SPARSE * len(distinct),
        )
    if pattern is None:
        return _Form()
    open_ = sum(character in "9AaFf" for character in re.sub(r"\\.", "", pattern))
    has_digits = pc.mean(pc.match_substring_regex(distinct, "[0-9]")).as_py() > 0.9
    if not pattern:
        return _Form(worth=0.3 if has_digits else 0.0, words="codes")
    of_digits = not set(pattern) - set("9/:.,- x")
    if not has_digits or open_ < (8 if of_digits else 4) or blanks:
        return _Form(worth=0.2 if has_digits else 0.0, words="codes", pattern=pattern)
    return _Form(worth=0.4, words="codes of one pattern", pattern=pattern)


def _are_tokens(distinct: pa.Array, pattern: str | None) -> bool:
    if pattern and not set(pattern) - set("fF-:.{}") and len(pattern) >= 16:
        return True  # hexadecimal
    if not pc.all(pc.match_substring_regex(distinct, _TOKEN)).as_py():
        return False
    digits = pc.mean(pc.match_substring_regex(distinct, "[0-9]")).as_py()
    mixed = pc.mean(pc.match_substring_regex(distinct, "[A-Za-z][^A-Za-z]*[0-9]|[0-9].*[A-Za-z]"))
    if digits < 0.9 or mixed.as_py() < 0.9:
        return False
    shapes = pc.unique(pc.replace_substring_regex(distinct, "[0-9]", "9"))
    return len(shapes) > 0.9 * len(distinct)


def _form_of_numbers(values: npt.NDArray[np.generic]) -> _Form:
    numbers = values.astype(np.float64)
    low, high = numbers.min(), numbers.max()
    if low < 0 or high > 2**53 or (numbers != np.rint(numbers)).any():
        return _Form()
    widths = np.char.str_len(numbers.astype(np.int64).astype(str))
    width = int(np.bincount(widths).argmax())
    if high < 10_000 or 9 * 10 ** (width - 1) < _SPARSE * len(numbers):
        return _Form(dense=True)
    if high - low < _SPARSE * len(numbers) and width < 7:
        return _Form(worth=0.2, words="whole numbers of many digits", pattern="9" * width)
    one_width = bool((widths == width).all()) and width >= 6
    return _Form(
        worth=0.4 if one_width else 0.35,
        words="whole numbers of one width" if one_width else "whole numbers far apart",
        pattern="9" * min(width, 15),
    )


def _commonest(lengths: pa.Array) -> int:
    return int(np.bincount(lengths.to_numpy(zero_copy_only=False)).argmax())


# What is decided by what


@dataclass(frozen=True, eq=False)
class _Cells:
    """The cells of all columns as codes, -1 where missing."""

    frame: pd.DataFrame
    columns: Sequence[Column]
    _known: dict[str, Ints] = field(default_factory=dict)

    def codes(self, name: str) -> Ints:
        """Codes of the cells (rows)."""
        if name not in self._known:
            place = [column.name for column in self.columns].index(name)
            series = self.frame.iloc[:, place]
            try:
                codes = pd.factorize(series)[0]
            except TypeError:  # cells of mixed types
                codes = pd.factorize(series.astype(str).where(series.notna()))[0]
            self._known[name] = np.asarray(codes, dtype=np.int64)
        return self._known[name]

    def counts(self, name: str) -> Ints:
        """Rows of each value."""
        codes = self.codes(name)
        return np.bincount(codes[codes >= 0])

    def decides(self, key: str, other: str) -> bool:
        """Whether rows with the same ``key`` have the same ``other``, but for few of them, and by
        no chance."""
        keys, values = self.codes(key), self.codes(other)
        keys, values = keys[keys >= 0], values[keys >= 0]
        if not len(keys):
            return False
        _, first, owner = np.unique(keys, return_index=True, return_inverse=True)
        again = np.ones(len(keys), dtype=bool)
        again[first] = False
        if again.sum() < _FEW_REPEATS:
            return False
        same = float((values[first][owner] == values)[again].mean())
        shares = np.bincount(values + 1) / len(values)
        by_chance = float((shares**2).sum())
        return by_chance < 1 and (same - by_chance) / (1 - by_chance) >= _AGREEING

    @cached_property
    def varied(self) -> list[str]:
        """Columns of more than one value."""
        return [c.name for c in self.columns if len(np.unique(self.codes(c.name))) > 1]


# What is a key


@dataclass(frozen=True, kw_only=True)
class KeyGuess:
    """What speaks for the cells of a column naming whose rows they are."""

    score: float
    """From 0 to 1."""
    why: str
    """A few words."""
    form: _Form
    of: int


def guess_keys(
    frame: pd.DataFrame, columns: Sequence[Column], among: Collection[str] | None = None
) -> dict[str, KeyGuess]:
    """Columns of ``frame`` that may be keys that repeat (``among`` some, None: all), by name."""
    if len(frame) < _FEWEST_CELLS:
        return {}
    cells = _Cells(frame, columns)
    found = {}
    for place, column in enumerate(columns):
        if (among is None or column.name in among) and _may_be_key(column):
            guess = _guess(cells, column, to_arrow(frame.iloc[:, place], column.name).drop_null())
            if guess is not None and guess.score > 0:
                found[column.name] = guess
    return found


def _may_be_key(column: Column) -> bool:
    of_kind = column.kind in (Kind.CATEGORY, Kind.INTEGER, Kind.TEXT, Kind.IDENTIFIER)
    plain = column.words is None and not column.ordered and column.categories is None
    spelled = column.kind is Kind.INTEGER and column.format not in (None, "%d")
    return of_kind and plain and not spelled and column.references is None


def _guess(cells: _Cells, column: Column, present: pa.Array) -> KeyGuess | None:
    if pa.types.is_boolean(present.type) or not _are_whole_or_text(present):
        return None
    counts = cells.counts(column.name)
    called = _called(column.name)
    if len(counts) < _FEWEST_VALUES or len(present) < _FEWEST_CELLS:
        return None
    form = _form_of(pc.unique(_as_whole(present)))
    common = np.median(counts) > _FEW_ROWS and called.worth < SURE
    if (called.is_thing or common) and not form.is_token:
        return None
    few = _worth_of_counts(counts)
    decided = _decided_by(cells, column.name) if called.worth or form.worth else []
    worth = _worth_of_name(called, form, counts, present)
    name_and_form = _settled(worth, form, few, decided, cells, is_text=_is_text(present))
    if name_and_form is None:
        return None
    worth, of_form = name_and_form
    of_rules = _worth_of_decided(cells, decided)
    score = 1 - (1 - worth) * (1 - of_form) * (1 - few) * (1 - of_rules)
    if not worth and not decided and not form.is_token:
        score = min(score, _ALONE)  # looks alone are of many things
    return KeyGuess(
        score=round(score, 2),
        why=_reason(counts, worth, form if of_form else _Form(), decided),
        form=form,
        of=called.of,
    )


def _are_whole_or_text(present: pa.Array) -> bool:
    if not len(present):
        return False
    if pa.types.is_floating(present.type):
        values = present.to_numpy(zero_copy_only=False)
        return bool((values == np.rint(values)).all() and np.abs(values).max() <= 2**53)
    return pa.types.is_integer(present.type) or _is_text(present)


def _is_text(cells: pa.Array) -> bool:
    return bool(pa.types.is_large_string(cells.type))


def _as_whole(present: pa.Array) -> pa.Array:
    return present.cast(pa.int64()) if pa.types.is_floating(present.type) else present


def _worth_of_counts(counts: Ints) -> float:
    middle = float(np.median(counts))
    if middle > _FEW_ROWS or len(counts) < _MANY_VALUES:
        return 0.15 if middle <= _FEW_ROWS else 0.0
    if middle > _FEW_ROWS / 2 and len(counts) < counts.sum() / 100:
        return 0.15  # as many rows as a category has
    return 0.5 if middle <= _FEW_ROWS / 5 and len(counts) >= counts.sum() / 20 else 0.3


def _worth_of_name(called: _Called, form: _Form, counts: Ints, present: pa.Array) -> float:
    """What the name is worth for such cells: ``visit_no`` may count, and ``visits`` does."""
    few = len(counts) < counts.sum() / 20 or (called.of == EVENT and len(counts) <= _FEW_EVENTS)
    if called.counts and form.dense and few:
        return 0.0
    if called.is_bare and not _is_text(present) and form.worth < 0.4:
        return 0.0
    return called.worth


def _settled(
    worth: float,
    form: _Form,
    few: float,
    decided: Sequence[str],
    cells: _Cells,
    *,
    is_text: bool,
) -> tuple[float, float] | None:
    """What name and form are worth beside each other; None if that is nothing."""
    if form.is_token or worth >= SURE:
        return worth, form.worth
    if not is_text and worth < 0.4:  # numbers that are not called a key mean something
        strong = len(decided) >= max(2, len(cells.varied) / 2) and form.worth >= 0.4
        return (0.0, form.worth) if strong else None
    if not is_text and form.dense and not decided and worth <= 0.45:
        return (worth, 0.0) if few >= _OF_MANY else None
    if is_text and worth < 0.4 and form.worth < (0.4 if worth else 0.3):
        return None
    if is_text and worth == 0 and few < _OF_MANY:
        return None
    if worth == 0 and form.worth == 0:
        return None
    return worth, form.worth


def _decided_by(cells: _Cells, key: str) -> list[str]:
    return [name for name in cells.varied if name != key and cells.decides(key, name)]


def _worth_of_decided(cells: _Cells, decided: Sequence[str]) -> float:
    said = {c.name for c in cells.columns if c.personal is not None}
    if said & set(decided):
        return 0.5
    enough = len(decided) >= 2 and len(decided) >= 0.2 * len(cells.varied)
    return 0.35 if enough else 0.15 if decided else 0.0


def _reason(counts: Ints, worth: float, form: _Form, decided: Sequence[str]) -> str:
    reasons = [f"{len(counts):,} values of {np.median(counts):,.0f} rows each"]
    if form.worth:
        reasons.append(form.words)
    if worth >= 0.3:
        reasons.append("called so")
    if decided:
        reasons.append("decides 1 column" if len(decided) == 1 else f"decides {len(decided)} columns")
    return ", ".join(reasons)


# The columns that follow from it


_OF_ONE: tuple[Personal, ...] = (
    "national_id", "email", "user_name", "phone", "iban", "card", "imei", "mac", "vin", "plate",
)  # fmt: skip
"""Personal data that tells people apart, the best first."""


@dataclass(frozen=True, kw_only=True)
class Hints:
    """What the owner says of columns whose kinds are inferred.

    Attributes:
        entity: The column that says whose row it is.
        learn: Columns that are learned, whatever they look like.
        identifiers: Columns that name somebody or something, and are not learned.
    """

    entity: str | None = None
    learn: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("learn", "identifiers"):
            given = getattr(self, name)
            if isinstance(given, str) or not all(isinstance(each, str) for each in given):
                raise SchemaError(f"{name} must be names of columns, as in {name}=['name']")
            object.__setattr__(self, name, tuple(given))
        both = {*self.learn} & {*self.identifiers, self.entity}
        if both:
            raise SchemaError(
                f"column {min(map(str, both))!r} cannot be learned and be an identifier; leave out one"
            )

    def within(self, names: Collection[str]) -> Hints:
        """What is said of these columns."""
        return Hints(
            entity=self.entity if self.entity in names else None,
            learn=tuple(name for name in self.learn if name in names),
            identifiers=tuple(name for name in self.identifiers if name in names),
        )

    def check(self, names: Collection[str]) -> None:
        """Raises :class:`SchemaError` for names that are no columns."""
        for name in (*self.learn, *self.identifiers, *([self.entity] if self.entity else [])):
            if name not in names:
                raise SchemaError(f"there is no column {name!r}; there are {_some(names)}")


def _some(names: Collection[str]) -> str:
    shown = ", ".join(map(repr, list(names)[:8]))
    return f"{shown} and {len(names) - 8} more" if len(names) > 8 else shown


def find_entities(
    frame: pd.DataFrame, columns: Sequence[Column], hints: Hints
) -> tuple[tuple[Column, ...], str | None]:
    """``columns``, keys among them not learned and what they decide marked so; and the entity."""
    guesses = guess_keys(frame, columns)
    forced = {*hints.identifiers, *([hints.entity] if hints.entity else [])}
    found = []
    for place, column in enumerate(columns):
        guess = guesses.get(column.name)
        sure = guess is not None and guess.score >= SURE and column.name not in hints.learn
        if column.name in forced or (sure and column.kind is not Kind.IDENTIFIER and not column.personal):
            column = _as_key(column, frame.iloc[:, place], guess)
        found.append(_repeating(column, frame.iloc[:, place]))
    cells = _Cells(frame, found)
    entity = hints.entity or _choose(cells, found, guesses)
    if entity is not None:
        found = [_as_entity(c) if c.name == entity else c for c in found]
    found = [_shared(cells, column) for column in _with_owners(cells, found, entity)]
    few = entity is not None and len(cells.counts(entity)) < _FEWEST_PEOPLE
    return tuple(_without_letters(c) if few else c for c in found), entity


def sampled(schema: Schema) -> Schema:
    """A schema that a sample of rows told, in which rows of one person may be one row: keys that
    are called after people and devices may repeat, and one of people is the entity."""
    columns = [_may_repeat(column) for column in schema]
    if schema.entity is not None:
        return replace(schema, columns=tuple(columns))
    of_people = (
        c.name for c in columns if c.repeats and not c.personal and _called(c.name).of == PERSON
    )
    return replace(schema, columns=tuple(columns), entity=next(of_people, None))


def _may_repeat(column: Column) -> Column:
    if column.kind is not Kind.IDENTIFIER or column.references is not None:
        return column
    called = _called(column.name)
    is_key = called.of in (PERSON, DEVICE, STAFF) and called.worth >= SURE
    return replace(column, repeats=column.repeats or is_key or column.personal in _OF_ONE)


def _as_key(column: Column, series: pd.Series, guess: KeyGuess | None) -> Column:  # type: ignore[type-arg]
    """The column as an identifier; one that its owner names, whatever its cells are."""
    if column.kind is Kind.IDENTIFIER:
        return column
    if column.personal is not None:
        return replace(column, kind=Kind.IDENTIFIER)
    held = family(to_dtype(column.dtype, column.name))
    if held in ("boolean", "date", "duration", "decimal"):
        raise SchemaError(f"column {column.name!r} of dtype {column.dtype} cannot be an identifier")
    form = _Form() if guess is None else guess.form
    if guess is None and len(series.dropna()):
        present = to_arrow(series, column.name).drop_null()
        form = _form_of(pc.unique(_as_whole(present))) if _are_whole_or_text(present) else form
    return Column(
        name=column.name,
        kind=Kind.IDENTIFIER,
        dtype=column.dtype,
        nullable=column.nullable,
        format=_held(form.pattern, column.dtype) if form.pattern else None,
    )


def _held(pattern: str, dtype: str) -> str | None:
    """``pattern``, shortened to the digits that a dtype of numbers can hold."""
    plain = dtype.casefold().removesuffix("[pyarrow]")
    most = next((digits for name, digits in _MOST_DIGITS.items() if plain == name), None)
    return pattern if most is None else pattern[:most] or None


_MOST_DIGITS = {
    "int8": 2, "uint8": 2, "int16": 4, "uint16": 4, "int32": 9, "uint32": 9, "float": 7,
    "float16": 3, "float32": 7, "float64": 15, "double": 15,
}  # fmt: skip


def _repeating(column: Column, series: pd.Series) -> Column:  # type: ignore[type-arg]
    if column.kind is not Kind.IDENTIFIER or column.references is not None:
        return column
    return replace(column, repeats=bool(series.dropna().duplicated().any()))


def _as_entity(column: Column) -> Column:
    return replace(column, kind=Kind.IDENTIFIER, repeats=True, per=None)


def _choose(
    cells: _Cells, columns: Sequence[Column], guesses: Mapping[str, KeyGuess]
) -> str | None:
    """The column that stands for people best, of keys that repeat and of what tells people apart."""
    best: tuple[tuple[float, ...], str] | None = None
    for place, column in enumerate(columns):
        rank = _rank(cells, column)
        if rank is not None:
            rated = (*rank, -place), column.name
            best = rated if best is None or rated[0] > best[0] else best
    return None if best is None else best[1]


def _rank(cells: _Cells, column: Column) -> tuple[float, ...] | None:
    """How well a column stands for people, the greater the better; None if it does not."""
    is_name = column.personal in ("name", "user_name") and column.kind is Kind.TEXT
    if not (column.repeats or is_name) or column.references is not None:
        return None
    counts = cells.counts(column.name)
    if len(counts) < _FEWEST_VALUES or counts.sum() - len(counts) < _FEW_REPEATS:
        return None
    decided = _decided_by(cells, column.name)
    of = _called(column.name).of
    said = sum(c.personal is not None for c in cells.columns if c.name in decided)
    if column.personal is not None:
        if column.personal == "ipv4" or column.personal == "ipv6" or column.personal == "url":
            return None
        of = DEVICE if column.personal in _OF_ONE[:3] else STAFF if is_name else GENERIC
    elif of == OTHER and not said and len(decided) < len(cells.varied) / 2:
        return None
    elif of == OTHER:
        of = GENERIC
    if of == STAFF and not decided:
        return None
    return of, said, len(decided), -len(counts)


def _with_owners(
    cells: _Cells, columns: Sequence[Column], entity: str | None
) -> list[Column]:
    """Columns that are not learned, with the key that decides them."""
    keys = [c for c in columns if c.repeats and c.kind is Kind.IDENTIFIER]
    keys.sort(key=lambda c: (c.name != entity, len(cells.counts(c.name))))
    owners: dict[str, str] = {}
    for column in columns:
        if column.kind.is_modelled or column.references or column.name == entity:
            continue
        is_key = column.repeats
        for key in keys:
            if key.name == column.name or key.name in owners or column.name in owners.values():
                continue
            if not cells.decides(key.name, column.name):
                continue
            one_to_one = len(cells.counts(column.name)) >= _ONE_TO_ONE * len(cells.counts(key.name))
            if one_to_one or not is_key or column.personal is not None:
                owners[column.name] = key.name
                break
    return [replace(c, per=owners[c.name]) if c.name in owners else c for c in columns]


def _shared(cells: _Cells, column: Column) -> Column:
    """A column of names that nothing decides, as of agents in a list of calls, as a key."""
    if column.personal != "name" or column.kind is not Kind.TEXT or column.per is not None:
        return column
    counts = cells.counts(column.name)
    again = counts.sum() - len(counts) >= _FEW_REPEATS
    return replace(column, kind=Kind.IDENTIFIER, repeats=True) if again else column


def _without_letters(column: Column) -> Column:
    """The column without letters that all of its codes share, as they are of few people."""
    if column.kind is not Kind.IDENTIFIER or not column.format or column.personal is not None:
        return column
    plain = re.sub(r"\\[Ff]|[A-EG-Z]", "A", re.sub(r"\\[Aa]|[b-eg-z]", "a", column.format))
    return replace(column, format=plain)
