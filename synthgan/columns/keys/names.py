"""What the names of columns say of keys: of whom they are, and whether they are keys at all.

Vocabularies are in English, German, French, Spanish, Italian, Dutch, Polish, Portuguese and
Swedish, as :func:`plain_name` spells them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from synthgan.columns.personal.base import plain_name

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
    "|prescribers?|surgeons?|consultants?|gp|advisors?|officers?|arzt|aerzte|fahrer|lehrer|verkaeufer"
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
_FILLERS = (
    "text|txt|str|string|int|integer|raw|md5|sha1|sha256|sha|hex|enc|anon|anonymi[sz]ed|clean|orig"
    "|original|fk|src"
)
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
class Called:
    """What the name of a column says."""

    of: int = OTHER
    worth: float = 0.0
    """From 0 to 1, that it is a key."""
    is_thing: bool = False
    """Whether it is of no people and nothing of theirs: a product, a place, a year."""
    counts: bool = False
    """Whether it may count (``visit_no``)."""
    is_bare: bool = False
    """Whether nothing says that it is a number of one: ``customer``, or ``households``."""
    is_singular: bool = False
    """Whether it is of one, and so perhaps its number, and not how many there are."""


@lru_cache(maxsize=1024)
def called(name: str) -> Called:
    """What ``name``, of a column, says."""
    words, ends = _parted(name)
    heads = {words[-1] if words else "", "_".join(words[-2:])}
    counts = bool(ends) and set(ends) <= _COUNTING
    for vocabulary, of, worth, bare in _VOCABULARIES:
        if any(map(vocabulary.fullmatch, heads)):
            if any(map(_IS_BARE.fullmatch, heads)):
                worth = bare = 0.8  # of anything else they are no names
            is_bare = not ends and worth != bare
            return Called(
                of=of,
                worth=worth if ends else bare,
                counts=counts,
                is_bare=is_bare,
                is_singular=not words[-1].endswith(("s", "innen", "leute")),
            )
    of_things = any(map(_ALL_THINGS.fullmatch, heads))
    if of_things or any(map(_IS_CODE_OF_THINGS.fullmatch, words)):
        return Called(is_thing=True)
    return _called_key(words, ends, counts=counts)


def _parted(name: str) -> tuple[list[str], list[str]]:
    """The words of a name, and those of them that say that it is a key."""
    words = [word for word in plain_name(name).split("_") if word]
    while len(words) > 1 and (_FILLER.fullmatch(words[-1]) or words[-1].isdigit()):
        words.pop()
    glued = _GLUED.fullmatch(words[-1]) if words else None
    if glued is not None:
        words = [*words[:-1], glued[1], glued[2]]
    ends = []
    while words and _ID.fullmatch(words[-1]):
        ends.append(words.pop())
    if words and not ends and len(words) <= _FEW_WORDS and _LEADS.fullmatch(words[0]):
        ends.append(words.pop(0))
        words = [word for word in words if word not in _ARTICLES]
    return words, ends


_FEW_WORDS = 4
_ARTICLES = {"de", "du", "del", "della", "do", "da", "di", "d", "la", "le", "l", "el", "van"}
_VOCABULARIES = (
    # what it is of, and what its name is worth with a word such as "id", and without
    (_ALL_PEOPLE, PERSON, 0.8, 0.45),
    (_ALL_STAFF, STAFF, 0.75, 0.3),
    (_ALL_DEVICES, DEVICE, 0.75, 0.3),
    (_ALL_EVENTS, EVENT, 0.75, 0.25),
)


def _called_key(words: list[str], ends: list[str], *, counts: bool) -> Called:
    """What words such as "id" say beside ``words`` that are not known."""
    if not ends:
        return Called()
    if words:
        return Called(worth=0.2 if counts or set(ends) <= _CODES else 0.4, counts=counts)
    if any(map(_IS_BARE.fullmatch, ends)):
        return Called(of=GENERIC, worth=0.7)
    return Called(of=GENERIC, worth=0.2 if set(ends) <= _OF_NOTHING else 0.45, counts=counts)
