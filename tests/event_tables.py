"""Generated tables of events, in which people come again and again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.random import Generator

Made = Callable[[Generator], str | int]


def digits(rng: Generator, count: int) -> str:
    """So many digits, the first of them no zero."""
    return str(rng.integers(1, 10)) + "".join(map(str, rng.integers(0, 10, count - 1)))


def letters(rng: Generator, count: int) -> str:
    return "".join(rng.choice(list("ABCDEFGHJKLMNPRSTUVWXYZ"), count))


def luhn(body: str) -> str:
    """``body`` with its check digit."""
    doubled = [int(d) * (2 - place % 2) for place, d in enumerate(reversed(body))]
    return body + str(-sum(d - 9 * (d > 9) for d in doubled) % 10)


def kvnr(rng: Generator) -> str:
    """Of an insured person in Germany."""
    letter, body = chr(65 + rng.integers(26)), digits(rng, 8)
    doubled = [int(d) * (1 + p % 2) for p, d in enumerate(f"{ord(letter) - 64:02d}{body}")]
    return f"{letter}{body}{sum(d - 9 * (d > 9) for d in doubled) % 10}"


def nhs(rng: Generator) -> str:
    """Of a patient in England."""
    while True:
        body = digits(rng, 9)
        rest = 11 - sum(int(d) * w for d, w in zip(body, range(10, 1, -1), strict=True)) % 11
        if rest != 10:
            return f"{body}{rest % 11}"


def pesel(rng: Generator) -> str:
    """Of a person in Poland."""
    year, month, day = rng.integers(40, 99), rng.integers(1, 13), rng.integers(1, 29)
    body = f"{year:02d}{month:02d}{day:02d}{rng.integers(0, 10_000):04d}"
    weights = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)
    return f"{body}{-sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 10}"


def nir(rng: Generator) -> str:
    """Of a person in France."""
    body = f"{rng.integers(1, 3)}{rng.integers(40, 99)}{rng.integers(1, 13):02d}{digits(rng, 8)}"
    return f"{body}{97 - int(body) % 97:02d}"


def ssn(rng: Generator) -> str:
    return f"{rng.integers(100, 665)}-{rng.integers(10, 99)}-{rng.integers(1000, 9999)}"


def mac(rng: Generator) -> str:
    return ":".join(f"{octet:02x}" for octet in rng.integers(0, 256, 6))


def events(cells: list[str] | list[int], rows_each: int = 8, seed: int = 0) -> pd.DataFrame:
    """Rows in no order, ``rows_each`` for each of ``cells`` in a column ``x``, beside what happened
    and what it cost."""
    rng = np.random.default_rng(seed)
    places = rng.permutation(np.repeat(np.arange(len(cells)), rows_each))
    kind = object if isinstance(cells[0], str) else np.int64
    return pd.DataFrame(
        {
            "x": np.array(cells, dtype=kind)[places],
            "what": rng.choice(["seen", "sent", "back"], len(places)),
            "cost": rng.gamma(2, 20, len(places)).round(2),
        }
    )


def visits(people: int = 150, seed: int = 0) -> pd.DataFrame:
    """Visits of patients, one of whom came 120 times."""
    rng = np.random.default_rng(seed)
    counts = 1 + rng.poisson(5, people)
    counts[0] = 120
    whose = rng.permutation(np.repeat(np.arange(people), counts))
    names = ["James", "Maria", "Olga", "Ahmed", "Priya", "Sofia", "Emma", "Paul"]
    last = ["Smith", "Garcia", "Ivanova", "Hassan", "Patel", "Rossi", "Novak"]
    born = pd.Timestamp("1940-01-01") + pd.to_timedelta(rng.integers(0, 25_000, people), "D")
    person = {
        "patient_id": [f"P-{70_000 + 13 * i}" for i in range(people)],
        "name": [f"{names[i % 8]} {last[i // 8 % 7]}" for i in range(people)],
        "ssn": [ssn(rng) for _ in range(people)],
        "email": [f"{names[i % 8].lower()}{i}@mail{i % 7}.com" for i in range(people)],
        "born": [f"{each:%Y-%m-%d}" for each in born],
        "postcode": [f"{rng.integers(10_000, 10_040)}" for _ in range(people)],
        "sex": rng.choice(["f", "m"], people).tolist(),
    }
    frame = pd.DataFrame({k: np.array(v, dtype=object)[whose] for k, v in person.items()})
    frame.insert(0, "visit_id", [f"V{i:06d}" for i in rng.permutation(len(whose))])
    frame["doctor_id"] = rng.integers(1, 13, len(whose))
    frame["diagnosis"] = rng.choice(["flu", "burn", "cold", "cut"], len(whose))
    frame["cost"] = rng.gamma(2, 30, len(whose)).round(2)
    return frame
