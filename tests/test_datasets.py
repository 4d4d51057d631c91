"""The tables in datasets/ are the ones that datasets/README.md describes."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pandas as pd
import pytest

from synthgan.table.read import read_table

FOLDER = Path(__file__).resolve().parents[1] / "datasets"
README = (FOLDER / "README.md").read_text("utf-8")
CHECKSUMS = {
    name: digest for digest, name in re.findall(r"^([0-9a-f]{64})  (\S+)$", README, re.MULTILINE)
}
SHAPES = {
    name: (int(rows.replace(",", "")), int(columns))
    for name, rows, columns in re.findall(r"^\| `(\S+)` \| ([\d,]+) \| (\d+) \|", README, re.M)
}


def test_every_table_is_described_and_small() -> None:
    files = list(FOLDER.glob("*.csv"))
    assert {file.name for file in files} == set(CHECKSUMS) == set(SHAPES)
    assert sum(file.stat().st_size for file in files) <= 4_000_000


@pytest.mark.parametrize("name", CHECKSUMS)
def test_a_table_is_the_one_described(name: str) -> None:
    path = FOLDER / name
    assert hashlib.sha256(path.read_bytes()).hexdigest() == CHECKSUMS[name]
    assert f"**{name}**: " in README
    assert read_table(path).shape == SHAPES[name]


def test_the_example_of_the_readme_has_people_holes_and_a_target() -> None:
    census = read_table(FOLDER / "census.csv")
    assert set(census["income"]) == {"<=50K", ">50K"}
    assert census["age"].between(18, 90).all()
    assert census["occupation"].isna().any()
    assert census.attrs == {"synthgan.fixed_decimals": {"hourly_wage": 2}}


def test_flights_have_dates_and_holes() -> None:
    flights = read_table(FOLDER / "flights.csv")
    assert pd.to_datetime(flights["scheduled"]).dt.year.eq(2013).all()
    assert flights["arrival_delay"].isna().any()
