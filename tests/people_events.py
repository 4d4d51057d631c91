"""Twenty generated tables of events in the forms of six countries, and the truth about them.

In each, people have several rows: one to thirty, most of them few. Some columns name the person
(numbers with right check digits, plates, devices), some are decided by the person (name, birth
date, home), and some belong to the event. What must not come out is known, and so is what must
still be learned.
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Ints = npt.NDArray[np.int64]
Rng = np.random.Generator
Texts = list[str]


@dataclass(frozen=True, eq=False, kw_only=True)
class Events:
    """A table with the truth about its columns."""

    name: str
    frame: pd.DataFrame
    people: Ints
    """The person of each row."""
    keys: dict[str, float]
    """Columns that name the person, and for how many valid values their form has room."""
    bound: dict[str, float]
    """Columns that the person decides, likewise; 0 where common values may come out."""
    learned: tuple[str, ...]
    """Columns of the event: what the table is for."""
    rare: dict[str, Any]
    """Values of such columns that two people have, in as many rows as any two have."""


_NAMES = {
    "US": (
        "James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara "
        "Richard Susan Joseph Jessica Thomas Sarah Daniel Karen Tyrone Keisha Luis Carmen Wei",
        "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez "
        "Lopez Gonzalez Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson "
        "White Harris Okafor Nguyen Abernathy Castellano Whitfield",
    ),
    "DE": (
        "Anna Lukas Marie Felix Sophie Paul Jürgen Käthe Heinz Ursula Klaus Monika Emre Leyla "
        "Jan Lena Uwe Sabine Dieter Renate Torsten Heike Moritz Greta Fritz",
        "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch "
        "Bauer Richter Klein Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Yilmaz "
        "Kowalski Großmann Brinkmeyer Vogelsang Dreyer Quandt",
    ),
    "FR": (
        "Camille Louis Chloé Gabriel Manon Hugo Jeanne Étienne Zoé Mathis Inès Lucas Amélie Rémi "
        "Fatou Karim Sylvie Thierry Odile Marcel Nadia Yann Élodie Benoît Maud",
        "Martin Bernard Dubois Thomas Robert Richard Petit Durand Leroy Moreau Simon Laurent "
        "Lefebvre Michel Garcia David Bertrand Roux Vincent Fournier Morel Girard André Mercier "
        "Diallo Benali Le-Goff Castaing Perrault Delacroix",
    ),
    "GB": (
        "Oliver Amelia George Isla Harry Ava Jack Mia Alfie Freya Nigel Gemma Rhys Siân Callum "
        "Eilidh Imran Aisha Graham Pauline Trevor Hazel Rupert Bronwen Dean",
        "Smith Jones Taylor Brown Williams Wilson Johnson Davies Patel Robinson Wright Thompson "
        "Evans Walker White Roberts Green Hall Wood Harris MacLeod Okonkwo O'Brien Pemberton "
        "Fothergill Hussain Llewellyn Ashworth Tiller Crabtree",
    ),
    "IT": (
        "Giulia Francesco Sofia Alessandro Aurora Lorenzo Chiara Matteo Martina Davide Elena Luca "
        "Paola Marco Rosa Giuseppe Nicolò Beatrice Ciro Agata",
        "Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco Bruno Gallo Conti "
        "Costa Giordano Mancini Rizzo Lombardi Moretti Barbieri Fontana Santoro Caruso Zanetti",
    ),
    "ES": (
        "Lucía Hugo María Martín Paula Daniel Carmen Pablo Sara Álvaro Ana Javier Elena Iker "
        "Nuria Jordi Pilar Andrés Rocío Ramón",
        "García Fernández González Rodríguez López Martínez Sánchez Pérez Gómez Ruiz Díaz Moreno "
        "Muñoz Álvarez Romero Alonso Navarro Torres Domínguez Vázquez Ibáñez Zubiri Pujol Quiroga",
    ),
}  # fmt: skip


def rows_of(people: int, rng: Rng) -> Ints:
    """One to thirty rows a person, most of them few, in the order of the events."""
    counts = 1 + np.minimum(rng.pareto(1.1, people) * 2, 29).astype(np.int64)
    return rng.permutation(np.repeat(np.arange(people), counts))


# --- what the person decides ----------------------------------------------------------------


def distinct(make: Callable[[Rng], str], people: int, rng: Rng) -> Texts:
    """A value each, all of them different."""
    found: dict[str, None] = {}
    while len(found) < people:
        found[make(rng)] = None
    return list(found)


def names(country: str, people: int, rng: Rng, form: str = "{first} {last}") -> Texts:
    firsts, lasts = (each.split() for each in _NAMES[country])
    return [form.format(first=rng.choice(firsts), last=rng.choice(lasts)) for _ in range(people)]


def births(people: int, rng: Rng) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(
        pd.Timestamp("1935-01-01") + pd.to_timedelta(rng.integers(0, 26_000, people), "D")
    )


def logins(who: Sequence[str]) -> Texts:
    """First letter and last name, and a number where that is taken."""
    found: dict[str, None] = {}
    for each in who:
        first, _, last = plain(each).partition(" ")
        base = f"{first[0]}{last}"
        taken = (base, *(f"{base}{i}" for i in range(2, 99)))
        found[next(name for name in taken if name not in found)] = None
    return list(found)


def emails(country: str, people: int, rng: Rng) -> Texts:
    hosts = rng.choice(["example.com", "mail.example.org", "post.example.net"], people)
    who = logins(names(country, people, rng))
    return [f"{each}@{host}" for each, host in zip(who, hosts, strict=True)]


_STREETS = [
    "des Lilas", "Pasteur", "Victor Hugo", "du Moulin", "de la Gare", "Jean Jaurès", "Émile Zola",
]  # fmt: skip


def addresses(people: int, rng: Rng) -> Texts:
    return [f"{rng.integers(1, 200)} rue {rng.choice(_STREETS)}" for _ in range(people)]


def british_postcode(rng: Rng) -> str:
    area, inward = rng.choice(["LS", "M", "B", "SW", "EH"]), some(rng, "ABDEFGHJLNPQRSTUWXYZ", 2)
    return f"{area}{rng.integers(1, 20)} {rng.integers(1, 10)}{inward}"


def plain(text: str) -> str:
    bare = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    return "".join(x for x in bare if x.isascii() and (x.isalnum() or x == " ")).lower()


def some(rng: Rng, letters: str, count: int) -> str:
    return "".join(rng.choice(list(letters), count))


def digits(rng: Rng, count: int) -> str:
    return some(rng, string.digits, count)


# --- numbers with check digits --------------------------------------------------------------


def luhn(body: str) -> str:
    """The check digit of Luhn's rule."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def ssn(rng: Rng) -> str:
    area = rng.choice([x for x in range(1, 900) if x != 666])
    return f"{area:03d}-{rng.integers(1, 100):02d}-{rng.integers(1, 10_000):04d}"


def npi(rng: Rng) -> str:
    body = f"1{digits(rng, 8)}"
    return body + luhn(f"80840{body}")


def kvnr(rng: Rng) -> str:
    """German health insurance number: a letter, eight digits, a check digit."""
    letter, body = some(rng, string.ascii_uppercase, 1), digits(rng, 8)
    total = 0
    for place, digit in enumerate(f"{ord(letter) - 64:02d}{body}"):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return f"{letter}{body}{total % 10}"


def steuer_id(rng: Rng) -> str:
    """German tax number: ISO 7064 mod 11,10."""
    body, product = f"{rng.integers(1, 10)}{digits(rng, 9)}", 10
    for digit in body:
        total = (int(digit) + product) % 10 or 10
        product = 2 * total % 11
    return f"{body}{(11 - product) % 10}"


def nir(rng: Rng) -> str:
    """French social security number with its key."""
    body = (
        f"{rng.integers(1, 3)}{rng.integers(30, 100):02d}{rng.integers(1, 13):02d}"
        f"{rng.integers(1, 95):02d}{rng.integers(1, 600):03d}{rng.integers(1, 999):03d}"
    )
    return f"{body}{97 - int(body) % 97:02d}"


def nhs(rng: Rng) -> str:
    """British health service number: mod 11."""
    while True:
        body = f"{rng.integers(4, 8)}{digits(rng, 8)}"
        check = 11 - sum(int(x) * (10 - i) for i, x in enumerate(body)) % 11
        if check != 10:
            return f"{body}{check % 11}"


def nino(rng: Rng) -> str:
    letters = "ABCEGHJKLMNPRSTWXYZ"
    return f"{some(rng, letters, 1)}{some(rng, 'ABCEGHJKLMNPRSTWXYZ', 1)}{digits(rng, 6)}" + some(
        rng, "ABCD", 1
    )


_ODD = (
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
)  # fmt: skip


def codice_fiscale(rng: Rng) -> str:
    consonants = "BCDFGLMNPRSTVZ"
    body = (
        f"{some(rng, consonants, 6)}{rng.integers(30, 100):02d}{some(rng, 'ABCDEHLMPRST', 1)}"
        f"{rng.integers(1, 32):02d}{some(rng, 'ABCDEFGHIL', 1)}{rng.integers(1, 1000):03d}"
    )
    total = 0
    for place, sign in enumerate(body):
        value = int(sign) if sign.isdigit() else ord(sign) - 65
        total += value if place % 2 else _ODD[value]
    return body + chr(65 + total % 26)


def dni(rng: Rng) -> str:
    number = int(rng.integers(10_000_000, 99_999_999))
    return f"{number}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}"


def iban(country: str, digits_: int) -> Callable[[Rng], str]:
    def make(rng: Rng) -> str:
        bank = digits(rng, digits_)
        if country == "GB":
            bank = f"{rng.choice(['BARC', 'LOYD', 'NWBK', 'HBUK'])}{bank}"
        if country == "IT":
            bank = f"{some(rng, string.ascii_uppercase, 1)}{bank}"
        as_number = "".join(x if x.isdigit() else str(ord(x) - 55) for x in f"{bank}{country}00")
        return f"{country}{98 - int(as_number) % 97:02d}{bank}"

    return make


def card(rng: Rng) -> str:
    body = f"4{digits(rng, 14)}"
    return body + luhn(body)


def imei(rng: Rng) -> int:
    body = f"35{digits(rng, 12)}"
    return int(body + luhn(body))


def mac(rng: Rng) -> str:
    return ":".join(f"{x:02x}" for x in rng.integers(0, 256, 6))


def uuid4(rng: Rng) -> str:
    x = some(rng, "0123456789abcdef", 32)
    return f"{x[:8]}-{x[8:12]}-4{x[13:16]}-{'89ab'[int(x[16], 16) % 4]}{x[17:20]}-{x[20:]}"


def cookie(rng: Rng) -> str:
    return some(rng, "0123456789abcdef", 32)


def plate(country: str) -> Callable[[Rng], str]:
    letters = "ABCDEFGHJKLMNPRSTVWXYZ"
    forms: dict[str, Callable[[Rng], str]] = {
        "US": lambda r: f"{some(r, letters, 3)}-{digits(r, 4)}",
        "DE": lambda r: (
            f"{r.choice(['B', 'M', 'HH', 'K', 'S', 'LÖ'])}-{some(r, letters, 2)} "
            f"{r.integers(10, 10_000)}"
        ),
        "FR": lambda r: f"{some(r, letters, 2)}-{digits(r, 3)}-{some(r, letters, 2)}",
        "GB": lambda r: f"{some(r, letters, 2)}{r.integers(51, 75)} {some(r, letters, 3)}",
        "IT": lambda r: f"{some(r, letters, 2)}{digits(r, 3)}{some(r, letters, 2)}",
        "ES": lambda r: f"{digits(r, 4)} {some(r, 'BCDFGHJKLMNPRSTVWXYZ', 3)}",
    }
    return forms[country]


# --- the tables -----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, kw_only=True)
class _Draft:
    """What is put together row by row."""

    people: int
    of: Ints
    rng: Rng

    @property
    def rows(self) -> int:
        return len(self.of)

    def each(self, make: Callable[[Rng], object]) -> npt.NDArray[np.object_]:
        """A different value for each person, at each row."""
        return self.spread(distinct(lambda rng: str(make(rng)), self.people, self.rng))

    def spread(self, values: object) -> npt.NDArray[np.object_]:
        """Values of people, at each row."""
        return np.asarray(pd.Series(values), dtype=object)[self.of]

    def numbers(self, values: npt.ArrayLike) -> npt.NDArray[np.generic]:
        return np.asarray(values)[self.of]

    def pick(self, levels: Sequence[str], weight: float = 0.7) -> npt.NDArray[np.object_]:
        """One of few levels a row, the first more often."""
        shares = weight ** np.arange(len(levels))
        chosen = self.rng.choice(len(levels), self.rows, p=shares / shares.sum())
        return np.asarray(levels, dtype=object)[chosen]

    def of_person(self, levels: Sequence[str]) -> npt.NDArray[np.object_]:
        """One of few levels a person."""
        return self.spread([levels[i] for i in self.rng.integers(0, len(levels), self.people)])

    def times(self, start: str, days: int, unit: str = "s") -> pd.DatetimeIndex:
        seconds = self.rng.integers(0, days * 86_400, self.rows)
        return (pd.Timestamp(start) + pd.to_timedelta(seconds, "s")).floor(unit)

    def money(self, size: float) -> npt.NDArray[np.float64]:
        return np.round(self.rng.gamma(2.0, size, self.rows), 2)


def _draft(place: int, people: int) -> _Draft:
    rng = np.random.default_rng([20, place])
    return _Draft(people=people, of=rows_of(people, rng), rng=rng)


def _text(dates: pd.DatetimeIndex, form: str) -> Texts:
    return [f"{each:{form}}" for each in dates]


_DX = ["E11.9", "I10", "J06.9", "M54.5", "F32.1", "K21.0", "N39.0", "B20"]
_MAKERS: list[Callable[[], Events]] = []


def _table(make: Callable[[], Events]) -> Callable[[], Events]:
    _MAKERS.append(make)
    return make


def _events(
    name: str,
    draft: _Draft,
    columns: dict[str, object],
    *,
    keys: dict[str, float],
    bound: dict[str, float],
    learned: Sequence[str],
    rare: dict[str, Any] | None = None,
) -> Events:
    frame = pd.DataFrame({key: np.asarray(cells) for key, cells in columns.items()})
    busiest = np.argsort(-np.bincount(draft.of))[:2]
    for column, value in (rare or {}).items():
        frame.loc[np.isin(draft.of, busiest), column] = value
    return Events(
        name=name,
        frame=frame,
        people=draft.of,
        keys=keys,
        bound=bound,
        learned=tuple(learned),
        rare=rare or {},
    )


@_table
def us_hospital() -> Events:
    d = _draft(0, 250)
    born = births(d.people, d.rng)
    return _events(
        "US hospital visits",
        d,
        {
            "patient_ssn": d.each(ssn),
            "mrn": d.numbers(
                d.rng.choice(np.arange(1_000_000, 9_999_999), d.people, replace=False)
            ),
            "patient_name": d.spread(names("US", d.people, d.rng, "{last}, {first}")),
            "dob": d.spread(_text(born, "%m/%d/%Y")),
            "zip": d.each(lambda r: f"{r.integers(10_000, 99_999)}"),
            "sex": d.of_person(["F", "M"]),
            "admitted": d.times("2023-01-01", 700, "D"),
            "diagnosis": d.pick(_DX),
            "ward": d.pick(["ER", "ICU", "Surgery", "Medicine"]),
            "charge": d.money(900),
        },
        keys={"patient_ssn": 8e8, "mrn": 9e6},
        bound={"patient_name": 2e4, "dob": 26_000, "zip": 9e4, "sex": 0},
        learned=("admitted", "diagnosis", "ward", "charge"),
        rare={"diagnosis": "G10", "charge": 77_777.77},
    )


@_table
def us_claims() -> Events:
    d = _draft(1, 180)
    return _events(
        "US insurance claims",
        d,
        {
            "claim_no": [f"CL{100_000 + i}" for i in range(d.rows)],
            "member_id": d.each(lambda r: f"W{digits(r, 9)}"),
            "dependent_ssn": d.each(lambda r: ssn(r).replace("-", "")),
            "plan": d.of_person(["HMO", "PPO", "EPO"]),
            "procedure": d.pick(["99213", "99214", "80053", "71046", "93000", "36415"]),
            "paid": d.money(120),
            "service_date": d.times("2022-01-01", 900, "D"),
        },
        keys={"member_id": 1e9, "dependent_ssn": 8e8},
        bound={"plan": 0},
        learned=("procedure", "paid", "service_date"),
        rare={"paid": 1_234.56, "service_date": pd.Timestamp("2019-02-17")},
    )


@_table
def us_calls() -> Events:
    d = _draft(2, 300)
    return _events(
        "US calls",
        d,
        {
            "imei": d.numbers(np.array([imei(d.rng) for _ in range(d.people)])),
            "msisdn": d.each(
                lambda r: f"+1{r.integers(201, 990)}{r.integers(200, 999)}{digits(r, 4)}"
            ),
            "home_lat": d.numbers(np.round(d.rng.uniform(30, 47, d.people), 5)),
            "home_lon": d.numbers(np.round(d.rng.uniform(-120, -75, d.people), 5)),
            "started": d.times("2024-03-01", 30),
            "seconds": d.rng.gamma(1.5, 90, d.rows).astype(int),
            "direction": d.pick(["in", "out", "missed"]),
        },
        keys={"imei": 1e12, "msisdn": 5e9},
        bound={"home_lat": 1.7e6, "home_lon": 4.5e6},
        learned=("started", "seconds", "direction"),
        rare={"seconds": 86_399},
    )


@_table
def us_orders() -> Events:
    d = _draft(3, 400)
    product = d.pick([f"SKU-{i:03d}" for i in range(1, 13)], 0.8)
    return _events(
        "US orders",
        d,
        {
            "customer_id": d.numbers(10_000 + 13 * np.arange(d.people)),
            "email": d.spread(emails("US", d.people, d.rng)),
            "product": product,
            "quantity": 1 + d.rng.poisson(0.6, d.rows),
            "amount": d.money(25),
            "ordered_at": d.times("2024-01-01", 200),
        },
        keys={"customer_id": 5_200, "email": 1e4},
        bound={},
        learned=("product", "quantity", "amount", "ordered_at"),
        rare={"product": "SKU-999", "quantity": 40},
    )


@_table
def de_insured() -> Events:
    d = _draft(4, 220)
    return _events(
        "DE Verordnungen",
        d,
        {
            "KVNR": d.each(kvnr),
            "Name": d.spread(names("DE", d.people, d.rng)),
            "Geburtsdatum": d.spread(_text(births(d.people, d.rng), "%d.%m.%Y")),
            "PLZ": d.each(lambda r: f"{r.integers(1_000, 99_999):05d}"),
            "Geschlecht": d.of_person(["w", "m"]),
            "Wirkstoff": d.pick(["Metformin", "Ramipril", "Ibuprofen", "Sertralin", "Insulin"]),
            "Packungen": 1 + d.rng.poisson(0.4, d.rows),
            "Zuzahlung": np.round(5 + d.rng.random(d.rows) * 5, 2),
            "Datum": d.times("2023-01-01", 500, "D"),
        },
        keys={"KVNR": 2.6e9},
        bound={"Name": 2e4, "Geburtsdatum": 26_000, "PLZ": 9.9e4, "Geschlecht": 0},
        learned=("Wirkstoff", "Packungen", "Zuzahlung", "Datum"),
        rare={"Wirkstoff": "Nusinersen", "Packungen": 17},
    )


@_table
def de_bank() -> Events:
    d = _draft(5, 160)
    return _events(
        "DE Umsätze",
        d,
        {
            "IBAN": d.each(iban("DE", 18)),
            "Kontoinhaber": d.spread(names("DE", d.people, d.rng, "{last}, {first}")),
            "Steuer-ID": d.each(steuer_id),
            "Buchungstag": d.times("2024-01-01", 180, "D"),
            "Betrag": np.round(d.rng.normal(-20, 150, d.rows), 2),
            "Verwendungszweck": d.pick(["Miete", "Lebensmittel", "Gehalt", "Strom", "Bargeld"]),
        },
        keys={"IBAN": 1e18, "Steuer-ID": 1e10},
        bound={"Kontoinhaber": 2e4},
        learned=("Buchungstag", "Betrag", "Verwendungszweck"),
        rare={"Betrag": -1_913.07, "Verwendungszweck": "Pfändung"},
    )


@_table
def de_parking() -> Events:
    d = _draft(6, 350)
    return _events(
        "DE Parkvorgänge",
        d,
        {
            "kennzeichen": d.each(plate("DE")),
            "einfahrt": d.times("2024-05-01", 60, "min"),
            "minuten": 5 * d.rng.integers(1, 80, d.rows),
            "parkhaus": d.pick(["Mitte", "Bahnhof", "Messe", "Klinik"]),
            "fahrzeug": d.of_person(["Pkw", "Kombi", "Lkw"]),
        },
        keys={"kennzeichen": 2e7},
        bound={"fahrzeug": 0},
        learned=("einfahrt", "minuten", "parkhaus"),
    )


@_table
def de_logins() -> Events:
    d = _draft(7, 120)
    return _events(
        "DE Anmeldungen",
        d,
        {
            "benutzer": d.spread(logins(names("DE", d.people, d.rng))),
            "mac": d.each(mac),
            "zeit": d.times("2024-06-01", 14),
            "erfolg": d.rng.random(d.rows) < 0.93,
            "system": d.pick(["ERP", "Mail", "VPN", "Wiki"]),
        },
        keys={"benutzer": 1e4, "mac": 2.8e14},
        bound={},
        learned=("zeit", "erfolg", "system"),
    )


@_table
def fr_reimbursed() -> Events:
    d = _draft(8, 280)
    return _events(
        "FR remboursements",
        d,
        {
            "nir": d.each(nir),
            "nom": d.spread([x.split()[-1] for x in names("FR", d.people, d.rng)]),
            "prenom": d.spread([x.split()[0] for x in names("FR", d.people, d.rng)]),
            "date_naissance": d.spread(births(d.people, d.rng)),
            "code_postal": d.each(lambda r: f"{r.integers(1, 96):02d}{digits(r, 3)}"),
            "date_soins": d.times("2023-01-01", 365, "D"),
            "acte": d.pick(["C", "CS", "G", "AMI", "B"]),
            "montant": d.money(15),
        },
        keys={"nir": 1e11},
        bound={"nom": 0, "prenom": 0, "date_naissance": 26_000, "code_postal": 9.5e4},
        learned=("date_soins", "acte", "montant"),
        rare={"acte": "ZZQ", "date_soins": pd.Timestamp("2019-02-03")},
    )


@_table
def fr_deliveries() -> Events:
    d = _draft(9, 200)
    return _events(
        "FR livraisons",
        d,
        {
            "client": d.each(lambda r: f"CLI{r.integers(10_000, 99_999)}"),
            "telephone": d.each(lambda r: f"0{r.integers(6, 8)}{digits(r, 8)}"),
            "adresse": d.spread(addresses(d.people, d.rng)),
            "latitude": d.numbers(np.round(d.rng.uniform(43, 50, d.people), 6)),
            "longitude": d.numbers(np.round(d.rng.uniform(-1, 7, d.people), 6)),
            "livre_le": d.times("2024-02-01", 90, "h"),
            "poids_kg": np.round(d.rng.gamma(2, 1.5, d.rows), 1),
            "statut": d.pick(["livré", "absent", "refusé"]),
        },
        keys={"client": 9e4, "telephone": 2e8},
        bound={"adresse": 2e4, "latitude": 7e6, "longitude": 8e6},
        learned=("livre_le", "poids_kg", "statut"),
    )  # fmt: skip


@_table
def fr_tolls() -> Events:
    d = _draft(10, 150)
    return _events(
        "FR péages",
        d,
        {
            "immatriculation": d.each(plate("FR")),
            "badge": d.numbers(
                d.rng.choice(np.arange(300_000_000, 399_999_999), d.people, replace=False)
            ),
            "passage": d.times("2024-07-01", 31),
            "gare": d.pick(["Saint-Arnoult", "Fleury", "Vienne", "Lançon", "Buchelay"]),
            "classe": d.pick(["1", "2", "4"]),
            "tarif": d.rng.choice([2.3, 4.8, 7.1, 12.6, 19.9], d.rows),
        },
        keys={"immatriculation": 2.3e8, "badge": 1e8},
        bound={},
        learned=("passage", "gare", "classe", "tarif"),
        rare={"gare": "Clermont", "tarif": 31.4},
    )


@_table
def fr_sessions() -> Events:
    d = _draft(11, 400)
    return _events(
        "FR sessions web",
        d,
        {
            "session_cookie": d.each(cookie),
            "user_uuid": d.each(uuid4),
            "navigateur": d.of_person(["Firefox", "Chrome", "Safari"]),
            "page": d.pick(["/accueil", "/panier", "/produit", "/aide", "/compte"]),
            "ms": d.rng.lognormal(6, 0.6, d.rows).astype(int),
            "quand": d.times("2024-04-01", 7),
        },
        keys={"session_cookie": 1e38, "user_uuid": 1e36},
        bound={"navigateur": 0},
        learned=("page", "ms", "quand"),
    )


@_table
def gb_appointments() -> Events:
    d = _draft(12, 240)
    return _events(
        "GB appointments",
        d,
        {
            "nhs_number": d.each(nhs),
            "surname": d.spread([x.split()[-1] for x in names("GB", d.people, d.rng)]),
            "date_of_birth": d.spread(_text(births(d.people, d.rng), "%d/%m/%Y")),
            "postcode": d.each(british_postcode),
            "appointment": d.times("2024-01-01", 150, "min"),
            "clinic": d.pick(["GP", "Diabetes", "Antenatal", "HIV", "Asthma"]),
            "attended": d.rng.choice(["yes", "no"], d.rows, p=[0.85, 0.15]),
        },
        keys={"nhs_number": 4e8},
        bound={"surname": 0, "date_of_birth": 26_000, "postcode": 3.4e5},
        learned=("appointment", "clinic", "attended"),
        rare={"clinic": "Huntington", "attended": "died"},
    )  # fmt: skip


@_table
def gb_cards() -> Events:
    d = _draft(13, 130)
    return _events(
        "GB card payments",
        d,
        {
            "card_number": d.numbers(np.array([int(card(d.rng)) for _ in range(d.people)])),
            "cardholder": d.spread(names("GB", d.people, d.rng)),
            "iban": d.each(iban("GB", 14)),
            "merchant": d.pick(["Tesco", "TfL", "Boots", "Shell", "Greggs"]),
            "pence": d.rng.gamma(2, 700, d.rows).astype(int),
            "at": d.times("2024-01-01", 90),
        },
        keys={"card_number": 1e14, "iban": 4e14},
        bound={"cardholder": 2e4},
        learned=("merchant", "pence", "at"),
    )


@_table
def gb_payroll() -> Events:
    d = _draft(14, 90)
    return _events(
        "GB payslips",
        d,
        {
            "ni_number": d.each(nino),
            "employee": d.numbers(d.rng.choice(np.arange(20_000, 99_999), d.people, replace=False)),
            "month": d.pick([f"2024-{m:02d}" for m in range(1, 13)], 0.95),
            "grade": d.of_person(["A", "B", "C"]),
            "gross": np.round(d.rng.normal(2_800, 600, d.rows), 2),
            "overtime": np.round(np.maximum(d.rng.normal(2, 4, d.rows), 0), 1),
        },
        keys={"ni_number": 1e9, "employee": 8e4},
        bound={"grade": 0},
        learned=("month", "gross", "overtime"),
        rare={"month": "2019-03", "overtime": 61.7},
    )


@_table
def gb_gym() -> Events:
    d = _draft(15, 60)
    return _events(
        "GB class attendance",
        d,
        {
            "membership": d.each(lambda r: f"GYM-{some(r, 'ABCDEFGH', 2)}-{digits(r, 5)}"),
            "member_email": d.spread(emails("GB", d.people, d.rng)),
            "class": d.pick(["Spin", "Yoga", "Pilates", "Boxing"]),
            "day": d.times("2024-01-01", 120, "D"),
            "minutes": d.rng.choice([30, 45, 60], d.rows),
            "pulse": d.rng.normal(130, 15, d.rows).round().astype(int),
        },
        keys={"membership": 6.4e6, "member_email": 1e4},
        bound={},
        learned=("class", "day", "minutes", "pulse"),
    )


@_table
def it_prescriptions() -> Events:
    d = _draft(16, 210)
    return _events(
        "IT ricette",
        d,
        {
            "codice_fiscale": d.each(codice_fiscale),
            "assistito": d.spread(names("IT", d.people, d.rng, "{last} {first}")),
            "data_nascita": d.spread(births(d.people, d.rng)),
            "farmaco": d.pick(["Eutirox", "Cardioaspirin", "Tachipirina", "Lasix"]),
            "ticket": d.rng.choice([0.0, 2.0, 4.0], d.rows),
            "data": d.times("2023-06-01", 300, "D"),
        },
        keys={"codice_fiscale": 1e15},
        bound={"assistito": 2e4, "data_nascita": 26_000},
        learned=("farmaco", "ticket", "data"),
        rare={"farmaco": "Zolgensma", "ticket": 9.5},
    )


@_table
def it_accounts() -> Events:
    d = _draft(17, 140)
    return _events(
        "IT movimenti",
        d,
        {
            "iban": d.each(iban("IT", 22)),
            "ndg": d.numbers(
                d.rng.choice(np.arange(10_000_000, 99_999_999), d.people, replace=False)
            ),
            "causale": d.pick(["bonifico", "prelievo", "POS", "stipendio"]),
            "importo": np.round(d.rng.normal(0, 300, d.rows), 2),
            "valuta": d.times("2024-01-01", 240, "D"),
        },
        keys={"iban": 1e23, "ndg": 9e7},
        bound={},
        learned=("causale", "importo", "valuta"),
    )


@_table
def es_emergencies() -> Events:
    d = _draft(18, 260)
    return _events(
        "ES urgencias",
        d,
        {
            "dni": d.each(dni),
            "historia_clinica": d.each(lambda r: f"HC{digits(r, 8)}"),
            "paciente": d.spread(names("ES", d.people, d.rng, "{first} {last}")),
            "fecha_nacimiento": d.spread(_text(births(d.people, d.rng), "%d/%m/%Y")),
            "llegada": d.times("2024-01-01", 120, "min"),
            "triaje": d.pick(["verde", "amarillo", "naranja", "rojo"]),
            "espera_min": d.rng.gamma(2, 30, d.rows).astype(int),
        },
        keys={"dni": 9e7, "historia_clinica": 1e8},
        bound={"paciente": 2e4, "fecha_nacimiento": 26_000},
        learned=("llegada", "triaje", "espera_min"),
        rare={"triaje": "negro", "espera_min": 1_439},
    )


@_table
def es_rides() -> Events:
    d = _draft(19, 320)
    return _events(
        "ES viajes",
        d,
        {
            "viaje": np.arange(1, d.rows + 1),
            "usuario": d.numbers(d.rng.choice(np.arange(1_000, 250_000), d.people, replace=False)),
            "movil": d.each(lambda r: f"+34 6{digits(r, 2)} {digits(r, 3)} {digits(r, 3)}"),
            "matricula": d.each(plate("ES")),
            "inicio": d.times("2024-05-01", 60),
            "km": np.round(d.rng.gamma(2, 1.8, d.rows), 1),
            "zona": d.pick(["Centro", "Norte", "Sur", "Playa"]),
        },
        keys={"usuario": 2.5e5, "movil": 1e8, "matricula": 8e7},
        bound={},
        learned=("inicio", "km", "zona"),
    )


@cache
def event_tables() -> tuple[Events, ...]:
    """All twenty; not to be changed, as they are shared."""
    return tuple(make() for make in _MAKERS)
