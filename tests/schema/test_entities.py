"""Keys that several rows share: which columns they are, whose rows they say, what they decide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from event_tables import (
    digits,
    events,
    kvnr,
    letters,
    luhn,
    mac,
    nhs,
    nir,
    pesel,
    ssn,
    visits,
)
from numpy.random import Generator
from sample_tables import quick

import synthgan
from synthgan.cli.app import main
from synthgan.columns.column import Column, Kind
from synthgan.encode.summarize import summarize
from synthgan.schema.entities import Hints, sampled
from synthgan.schema.infer import infer_columns
from synthgan.schema.review import find_personal, refuse_doubts
from synthgan.schema.schema import Schema

KEYS: dict[str, Callable[[Generator], str | int]] = {
    "kvnr": kvnr,
    "Versichertennummer": kvnr,
    "unnamed": kvnr,
    "nhs_number": nhs,
    "nhs_int": lambda rng: int(nhs(rng)),
    "PESEL": pesel,
    "numero_securite_sociale": nir,
    "ssn": ssn,
    "tax_id": lambda rng: int(ssn(rng).replace("-", "")),
    "steuer_id": lambda rng: digits(rng, 11),
    "device_imei": lambda rng: int(luhn("35" + digits(rng, 12))),
    "msisdn": lambda rng: "49151" + digits(rng, 8),
    "Handynummer": lambda rng: int("49151" + digits(rng, 8)),
    "Kennzeichen": lambda rng: f"M-{letters(rng, 2)} {rng.integers(1, 9999)}",
    "immatriculation": lambda rng: f"{letters(rng, 2)}-{digits(rng, 3)}-{letters(rng, 2)}",
    "targa": lambda rng: f"{letters(rng, 2)}{digits(rng, 3)}{letters(rng, 2)}",
    "matricula": lambda rng: f"{digits(rng, 4)} {letters(rng, 3)}",
    "registration": lambda rng: f"{letters(rng, 2)}{digits(rng, 2)} {letters(rng, 3)}",
    "mac_address": mac,
    "wifi": mac,
    "vin": lambda rng: letters(rng, 10) + digits(rng, 7),
    "session": lambda rng: rng.bytes(16).hex(),
    "email_sha256": lambda rng: rng.bytes(32).hex(),
    "visitor": lambda rng: rng.bytes(8).hex().upper(),
    "h": lambda rng: rng.bytes(16).hex(),
    "iban": lambda rng: "DE" + digits(rng, 20),
    "customer_id": lambda rng: int(rng.integers(1, 100_000)),
    "Kundennummer": lambda rng: "K" + digits(rng, 6),
    "id_client": lambda rng: int(rng.integers(1, 5_000)),
    "id_paciente": lambda rng: f"P{rng.integers(1, 99_999)}",
    "klantnummer": lambda rng: int(digits(rng, 6)),
    "nr_klienta": lambda rng: int(digits(rng, 5)),
    "patient_mrn": lambda rng: int(digits(rng, 7)),
    "MRN": lambda rng: digits(rng, 8),
    "patientid": lambda rng: int(rng.integers(1, 3_000)),
    "userId": lambda rng: int(digits(rng, 9)),
    "login": lambda rng: f"{letters(rng, 1)}.{letters(rng, 6)}".lower(),
    "handle": lambda rng: f"@{letters(rng, 7).lower()}{rng.integers(9)}",
    "badge_no": lambda rng: int(digits(rng, 4)),
    "policy_no": lambda rng: "POL-" + digits(rng, 7),
    "account_number": lambda rng: int(digits(rng, 8)),
    "order_id": lambda rng: int(digits(rng, 8)),
    "id": lambda rng: int(digits(rng, 6)),
    "passport_no": lambda rng: letters(rng, 2) + digits(rng, 7),
}

THINGS: dict[str, Callable[[Generator], str | int]] = {
    "sku": lambda rng: f"SKU-{rng.integers(1, 60):05d}",
    "product_code": lambda rng: f"AB-{rng.integers(1000, 1050)}",
    "product_id": lambda rng: int(rng.integers(1, 200)),
    "icd10": lambda rng: f"E{rng.integers(10, 40)}.{rng.integers(0, 9)}",
    "airport": lambda rng: str(rng.choice(["JFK", "LAX", "FRA"])),
    "zip": lambda rng: f"{rng.integers(10_000, 10_050)}",
    "store_id": lambda rng: int(rng.integers(1, 20)),
    "year": lambda rng: int(rng.integers(1990, 2024)),
    "county_fips": lambda rng: int(rng.integers(1001, 1100)),
    "station_id": lambda rng: f"ST{rng.integers(100, 160)}",
    "flight": lambda rng: int(rng.integers(1, 4000)),
    "tailnum": lambda rng: f"N{rng.integers(10_000, 10_100)}",
    "price": lambda rng: int(rng.integers(100, 100_000)),
    "weight": lambda rng: int(rng.integers(12_285, 10**6)),
    "visits": lambda rng: int(rng.integers(1, 30)),
    "visit_no": lambda rng: int(rng.integers(1, 9)),
    "customer_type": lambda rng: str(rng.choice(["new", "old", "vip"])),
    "account_type": lambda rng: str(rng.choice(["checking", "savings"])),
    "card_type": lambda rng: str(rng.choice(["visa", "amex"])),
    "timestamp": lambda rng: int(rng.integers(16 * 10**8, 17 * 10**8)),
    "bp": lambda rng: f"{rng.integers(110, 130)}/{rng.integers(70, 80)}",
    "medicare_amount": lambda rng: int(rng.integers(1_000, 90_000)),
    "households": lambda rng: int(rng.integers(1, 900)),
}


def drawn(made: Callable[[Generator], str | int], count: int) -> list[Any]:
    rng = np.random.default_rng(5)
    return [made(rng) for _ in range(count)]


# Which columns are keys


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("people", [12, 90])
def test_keys_that_repeat_are_not_learned(name: str, people: int) -> None:
    frame = events(drawn(KEYS[name], people)).rename(columns={"x": name})
    column = infer_columns(frame)[name]
    assert column.kind is Kind.IDENTIFIER, column
    assert column.repeats
    (found,) = find_personal(frame, infer_columns(frame))
    assert found.score >= 0.7
    assert not any(str(cell) in repr(found) for cell in frame[name].unique())


@pytest.mark.parametrize("name", THINGS)
def test_names_of_things_are_learned_and_stop_nothing(name: str) -> None:
    frame = events(list(range(80))).drop(columns="x")
    frame[name] = drawn(THINGS[name], len(frame))
    schema = infer_columns(frame)
    assert schema[name].kind.is_modelled, schema[name]
    refuse_doubts(frame, schema)
    assert schema.entity is None


@pytest.mark.parametrize("dtype", ["category", "string", "large_string[pyarrow]"])
def test_every_dtype_of_text(dtype: str) -> None:
    frame = events(drawn(kvnr, 40)).astype({"x": dtype})
    assert infer_columns(frame)["x"].repeats


@pytest.mark.parametrize("dtype", ["float64", "Int64", "int32", "uint32", "int64[pyarrow]"])
def test_every_dtype_of_numbers(dtype: str) -> None:
    frame = events([1_000_000 + 7919 * i for i in range(50)]).astype({"x": dtype})
    frame = frame.rename(columns={"x": "patient_id"})
    if dtype in ("float64", "Int64"):
        frame.loc[::7, "patient_id"] = None
    model = synthgan.fit(frame, config=quick(3))
    rows = model.sample(400, seed=1)
    assert str(rows["patient_id"].dtype) == dtype
    assert not set(rows["patient_id"].dropna()) & set(frame["patient_id"].dropna())
    assert rows["patient_id"].dropna().between(10**6, 10**7).all()


def test_what_decides_other_columns_is_a_key_though_nothing_says_so() -> None:
    rng = np.random.default_rng(0)
    frame = events([f"Q{i:04d}" for i in rng.permutation(9_999)[:60]])
    with_person = frame.assign(
        sex=frame["x"].str[-1].isin(list("02468")), year=frame["x"].str[-2:].astype(int) + 1920
    )
    assert infer_columns(frame)["x"].kind is Kind.CATEGORY
    assert infer_columns(with_person)["x"].repeats
    assert infer_columns(with_person).entity == "x"


def test_few_rows_show_no_key() -> None:
    assert infer_columns(events([f"P{i}" for i in range(4)], 4))["x"].kind is Kind.CATEGORY


# Whose rows they are


def test_the_entity_and_what_it_decides() -> None:
    schema = infer_columns(visits())
    assert schema.entity == "patient_id"
    assert [c.name for c in schema if c.per == "patient_id"] == ["name", "ssn", "email"]
    assert [c.name for c in schema if c.repeats] == ["patient_id", "ssn", "email", "doctor_id"]
    assert not schema["visit_id"].repeats
    assert schema["doctor_id"].per is None
    assert all(schema[name].kind.is_modelled for name in ("born", "postcode", "sex", "diagnosis"))
    assert Schema.from_json(schema.to_json()) == schema


@pytest.mark.parametrize(
    ("left", "entity"),
    [
        (["ssn", "name"], "ssn"),
        (["email", "name"], "email"),
        (["name"], "name"),
        (["doctor_id"], None),
        ([], None),
    ],
)
def test_without_a_key_of_people_what_tells_them_apart_is_it(
    left: list[str], entity: str | None
) -> None:
    frame = visits()[["visit_id", *left, "sex", "diagnosis", "cost"]]
    assert infer_columns(frame).entity == entity


def test_the_owner_says_which() -> None:
    frame = visits()
    schema = synthgan.infer_schema(frame, entity="ssn", learn=["email"], identifiers=["cost"])
    assert schema.entity == "ssn"
    assert schema["ssn"].per is None
    assert schema["patient_id"].per == "ssn"
    assert schema["email"].kind is Kind.CATEGORY
    assert schema["cost"].kind is Kind.IDENTIFIER
    with pytest.raises(synthgan.SchemaError, match="there is no column 'sns'"):
        synthgan.infer_schema(frame, entity="sns")
    with pytest.raises(synthgan.SchemaError, match="cannot be learned and be an identifier"):
        synthgan.infer_schema(frame, learn=["ssn"], entity="ssn")
    with pytest.raises(synthgan.SchemaError, match="names of columns"):
        synthgan.infer_schema(frame, learn="ssn")


def test_any_column_can_be_made_the_entity() -> None:
    schema = synthgan.infer_schema(visits())
    for name in ("doctor_id", "name", "diagnosis", "born", "ssn"):
        other = schema.of_entity(name)
        assert other.entity == name
        assert other[name].repeats
        assert not any(name in rule.columns for rule in other.constraints)
        assert Schema.from_json(other.to_json()) == other


def test_a_schema_without_a_key_says_nothing_of_it() -> None:
    schema = infer_columns(visits())
    rest = schema.without("patient_id")
    assert rest.entity is None
    assert not any(column.per for column in rest)
    key = replace(schema["patient_id"], kind=Kind.TEXT, repeats=False, format=None)
    changed = schema.of_columns([key if c.name == key.name else c for c in schema])
    assert changed.entity is None
    assert not any(column.per for column in changed)


def test_of_a_sample_keys_may_repeat_that_do_not_in_it() -> None:
    schema = infer_columns(visits().drop_duplicates("patient_id"))
    assert schema.entity is None
    assert not schema["patient_id"].repeats
    assert sampled(schema).entity == "patient_id"
    assert sampled(schema)["email"].repeats
    assert not sampled(schema)["visit_id"].repeats


def test_fixed_letters_of_few_people_are_not_kept() -> None:
    cells = [f"ZQ-{i}" for i in range(5000, 5004)]
    four = infer_columns(events(cells).rename(columns={"x": "patient_id"}))
    five = infer_columns(events([*cells, "ZQ-5010"]).rename(columns={"x": "patient_id"}))
    assert (four["patient_id"].format, five["patient_id"].format) == ("AA-9999", "ZQ-4999")


# No key in any rule


def test_no_rule_takes_a_key() -> None:
    schema = synthgan.infer_schema(visits())
    keys = {column.name for column in schema if not column.kind.is_modelled}
    assert not any(keys & {*rule.columns} for rule in schema.constraints)


# What comes out


@cache
def model() -> synthgan.Synthesizer:
    return synthgan.fit(visits(), config=quick(5))


def test_a_made_up_person_is_the_same_in_all_rows() -> None:
    rows, real = model().sample(900, seed=3), visits()
    for name in ("name", "ssn", "email"):
        assert rows.groupby("patient_id")[name].nunique().eq(1).all()
    assert rows.groupby("ssn")["patient_id"].nunique().eq(1).all()
    for name in ("patient_id", "ssn", "email"):
        assert not set(rows[name]) & set(real[name]), name
    assert rows["visit_id"].is_unique
    assert rows["patient_id"].str.fullmatch(r"P-6\d{4}").all()  # real ones have a 7
    doctors = rows["doctor_id"].nunique()
    assert doctors <= 32
    assert not set(rows["doctor_id"]) & set(real["doctor_id"])


def test_rows_of_a_person_are_as_many_as_they_were_but_for_the_outlier() -> None:
    known = model().summary.unlearned["patient_id"].sizes
    counts = visits()["patient_id"].value_counts()
    assert len(known) <= 16
    assert list(known) == sorted(known)
    assert max(known) <= counts.iloc[4]
    drawn = model().sample(4000, seed=0)["patient_id"].value_counts()
    assert drawn.mean() == pytest.approx(counts.iloc[1:].mean(), rel=0.15)
    assert drawn.std() == pytest.approx(counts.iloc[1:].std(), rel=0.3)


def test_one_with_very_many_rows_is_not_seen() -> None:
    frame = visits()
    more = pd.concat([frame, *[frame[frame["patient_id"] == "P-70000"]] * 5])
    schema = infer_columns(frame)
    sizes = [
        summarize(each, schema, synthgan.SummaryConfig()).unlearned["patient_id"]
        for each in (frame, more)
    ]
    assert sizes[0] == sizes[1]


def test_fewer_than_five_people_tell_nothing_of_their_rows() -> None:
    frame = events([f"ZQ-{i}" for i in range(5000, 5004)]).rename(columns={"x": "patient_id"})
    schema = infer_columns(frame)
    assert schema.entity == "patient_id"
    with pytest.raises(synthgan.TableError, match="the rows of 4 is too small"):
        summarize(frame, schema, synthgan.SummaryConfig())


def test_chunks_parts_and_seeds(tmp_path: Path) -> None:
    rows = model().sample(20_000, seed=7)
    chunks = pd.concat(model().iter_samples(20_000, seed=7), ignore_index=True)
    pd.testing.assert_frame_equal(rows, chunks)
    assert rows.groupby("patient_id")["email"].nunique().eq(1).all()
    parts = synthgan.Parts(folder=tmp_path / "parts", rows=20_000, chunks=1)
    paths = model().sample_parts(parts, seed=7)
    whole = pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)
    assert whole["patient_id"].tolist() == rows["patient_id"].tolist()
    assert set(rows["patient_id"]) != set(model().sample(20_000, seed=8)["patient_id"])
    german = model().sample(900, seed=7, locale="de_DE")
    assert german["patient_id"].tolist() == rows["patient_id"].tolist()[:900]


def test_keys_that_are_given_stay_and_others_agree_with_them() -> None:
    given = pd.DataFrame({"patient_id": ["me", "you", "me", None, "you"] * 4000})
    rows = model().sample(given=given, seed=0)
    assert rows["patient_id"][given["patient_id"].notna()].tolist() == [
        cell for cell in given["patient_id"] if cell
    ]
    assert rows.groupby("patient_id")["ssn"].nunique().eq(1).all()
    assert rows["ssn"].nunique() == rows["patient_id"].nunique()
    assert rows["patient_id"].notna().all()


def test_holes_are_filled_alike_for_one_person() -> None:
    frame = visits().assign(email=None)
    filled = model().impute(frame, seed=0)
    assert filled.groupby("patient_id")["email"].nunique().eq(1).all()
    assert filled["patient_id"].equals(frame["patient_id"])


def test_a_condition_leaves_keys_in_their_share() -> None:
    rows = model().sample(500, where="diagnosis == 'flu'", seed=1)
    assert rows.groupby("patient_id")["name"].nunique().eq(1).all()
    assert 60 < rows["patient_id"].nunique() < 130


def test_each_order_is_one_customers() -> None:
    rng = np.random.default_rng(0)
    orders = np.repeat(np.arange(300), rng.integers(1, 6, 300))
    customers = rng.integers(0, 70, 300)[orders]
    frame = pd.DataFrame(
        {
            "order_id": 500_000 + 17 * orders,
            "customer_id": [f"C-{10_000 + 37 * i}" for i in customers],
            "price": rng.gamma(2, 20, len(orders)).round(2),
        }
    )
    schema = infer_columns(frame)
    assert (schema.entity, schema["order_id"].within) == ("customer_id", "customer_id")
    rows = synthgan.fit(frame, schema, quick(3)).sample(2_000, seed=0)
    assert rows.groupby("order_id")["customer_id"].nunique().eq(1).all()
    assert rows.groupby("order_id").size().mean() == pytest.approx(3, rel=0.25)
    per = rows.groupby("customer_id")["order_id"].nunique().mean()
    assert per == pytest.approx(300 / 70, rel=0.35)
    with pytest.raises(synthgan.SchemaError, match="within 'price'"):
        Schema(columns=(replace(schema["order_id"], within="price"), schema["price"]))


def test_keys_of_staff_are_other_people() -> None:
    frame = visits().assign(doctor=lambda f: "Dr. Anna " + f["doctor_id"].map(lambda i: "Xyz" * i))
    schema = infer_columns(frame)
    assert schema["doctor"].per == "doctor_id"
    rows = synthgan.fit(frame, schema, quick(3)).sample(500, seed=0)
    assert rows.groupby("doctor_id")["doctor"].nunique().eq(1).all()
    assert not set(rows["doctor"]) & set(rows["name"])


def test_a_private_fit_knows_nothing_of_keys() -> None:
    frame = visits()
    schema = synthgan.infer_schema(frame, constraints=False)
    config = replace(quick(3), privacy=synthgan.PrivacyConfig(epsilon=5))
    private = synthgan.fit(frame, schema, config)
    assert private.summary.unlearned == {}
    rows = private.sample(300, seed=0)
    assert rows["patient_id"].is_unique


def test_two_tables_share_the_parents_names() -> None:
    frame = visits(60)
    owners = frame.drop_duplicates("patient_id")[["patient_id", "sex"]]
    child = frame.drop(columns="sex")
    key = "owners.patient_id=visits.patient_id"
    fitted = synthgan.fit_tables({"owners": owners, "visits": child}, key, config=quick(3))
    assert fitted.schemas["visits"].entity == "patient_id"
    rows = fitted.sample(40, seed=0)["visits"]
    assert rows.groupby("patient_id")["email"].nunique().eq(1).all()
    assert not set(rows["ssn"]) & set(frame["ssn"])


# In doubt


def doubtful(people: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    cells = [f"Q{i:04d}" for i in rng.permutation(9_999)[:people]]
    return events(cells).rename(columns={"x": "vorg"})


def test_a_fit_stops_where_it_is_in_doubt() -> None:
    frame = doubtful()
    with pytest.raises(synthgan.DoubtError, match="60 real values of 'vorg'") as error:
        synthgan.fit(frame, config=quick(3))
    assert not any(cell in str(error.value) for cell in frame["vorg"])
    assert isinstance(error.value, synthgan.SchemaError)
    learned = synthgan.fit(frame, Hints(learn=("vorg",)), quick(3))
    assert learned.schema["vorg"].kind is Kind.CATEGORY
    made_up = synthgan.fit(frame, Hints(identifiers=("vorg",)), quick(3))
    assert made_up.schema["vorg"].repeats
    assert synthgan.fit(frame, infer_columns(frame), quick(3)).schema["vorg"].kind is Kind.CATEGORY


def test_values_that_too_few_people_share_are_in_no_doubt() -> None:
    frame = doubtful()
    refuse_doubts(frame, infer_columns(frame), least=9)
    owned = frame.assign(patient_id=frame["vorg"].map(hash))
    schema = infer_columns(owned)
    assert schema.entity == "patient_id"
    refuse_doubts(owned, schema)


def test_large_files_stop_as_well(tmp_path: Path) -> None:
    doubtful().to_parquet(tmp_path / "x.parquet")
    with pytest.raises(synthgan.DoubtError, match="'vorg'"):
        synthgan.fit(tmp_path / "x.parquet", config=quick(3), memory_limit=1)


def run(*args: str) -> Result:
    return CliRunner().invoke(main, list(args))


def test_the_command_line_stops_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    doubtful().to_csv("events.csv", index=False)
    stopped = run("fit", "events.csv", "--steps", "2")
    assert stopped.exit_code == 2
    assert "60 real values of 'vorg'" in stopped.stderr
    assert "--identifier vorg" in stopped.stderr
    assert not Path("model.synthgan").exists()
    for option in ("--identifier", "--learn", "--not-personal", "--entity"):
        went = run("fit", "events.csv", "--steps", "2", option, "vorg", "--overwrite")
        assert went.exit_code == 0, went.stderr
    assert "'vorg' says whose row it is: what is kept stands for so many people" in went.stderr


def test_the_command_proposes_an_entity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    visits().to_csv("visits.csv", index=False)
    result = run("schema", "visits.csv")
    assert "rows are those of 150 'patient_id' (entity)" in result.stdout
    assert "one for each 'patient_id'" in result.stdout
    assert "'born', 'postcode', 'sex': together single out" in result.stdout
    assert Schema.load("schema.json").entity == "patient_id"
    other = run("schema", "visits.csv", "--entity", "ssn", "--overwrite")
    assert "rows are those of 150 'ssn' (entity)" in other.stdout
    fit = ("fit", "visits.csv", "--steps", "2", "--schema", "schema.json")
    assert run(*fit, "--learn", "email").exit_code == 2
    fitted = run(*fit, "--entity", "patient_id")
    assert fitted.exit_code == 0
    assert synthgan.load("model.synthgan").schema.entity == "patient_id"


# What identifies in combination


def test_what_singles_out_people_is_told() -> None:
    frame = visits()
    schema = infer_columns(frame)
    (found,) = synthgan.find_identifying(frame, schema)
    assert found.columns == ("born", "postcode", "sex")
    assert found.share > 0.9
    assert any("'born', 'postcode', 'sex': together" in note for note in model().notes)
    coarse = frame.assign(born=frame["born"].str[:3] + "0-01-01")
    told = synthgan.find_identifying(coarse, infer_columns(coarse))
    assert not told or told[0].share < found.share


def test_homes_are_told_and_coarse_places_are_not() -> None:
    rng = np.random.default_rng(0)
    places = pd.DataFrame({"lat": rng.random(300) + 47, "lng": rng.random(300) + 8})
    (found,) = synthgan.find_identifying(places, infer_columns(places))
    assert (found.columns, found.share) == (("lat", "lng"), 1.0)
    assert synthgan.find_identifying(places.round(2), infer_columns(places.round(2))) == ()
    made_up = infer_columns(visits()).of_entity("born")
    assert synthgan.find_identifying(visits(), made_up) == ()


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[2] / "datasets").glob("*.csv")))
def test_ordinary_tables_stop_nothing(path: Path) -> None:
    frame = synthgan.read_table(path)
    schema = infer_columns(frame)
    assert schema.entity is None
    refuse_doubts(frame, schema)
    assert synthgan.find_identifying(frame, schema) == ()


# The schema's own checks


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"repeats": True, "kind": Kind.CATEGORY}, "repeats is for kind identifier"),
        ({"within": "y"}, "within is for identifiers that repeat"),
        ({"per": "y", "kind": Kind.CATEGORY}, "per is for kinds identifier and text"),
    ],
)
def test_contradictions_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(synthgan.SchemaError, match=message):
        Column(**{"name": "x", "kind": Kind.IDENTIFIER, "dtype": "object", **fields})


def test_a_learned_entity_is_refused() -> None:
    x = Column(name="x", kind=Kind.CATEGORY, dtype="object")
    with pytest.raises(synthgan.SchemaError, match="entity 'x' is of kind category"):
        Schema(columns=(x,), entity="x")
    with pytest.raises(synthgan.SchemaError, match="entity 'y' is no column"):
        Schema(columns=(x,), entity="y")


# Keys of no name and no form


def decided(cells: list[str] | list[int], name: str) -> pd.DataFrame:
    """Events of people who have a year of birth and may be ill, under a number of some name."""
    frame = events(cells, rows_each=6).rename(columns={"x": name})
    rng = np.random.default_rng(1)
    people = pd.Series(np.arange(len(cells)), index=cells)[frame[name]].to_numpy()
    frame["birth_year"] = rng.integers(1940, 2010, len(cells))[people]
    frame["ill"] = (rng.random(len(cells)) < 0.3)[people]
    return frame


NUMBERS = np.random.default_rng(5).permutation(90_000)[:120]


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("x", (NUMBERS + 10_000).tolist()),
        ("患者编号", (NUMBERS + 10_000).tolist()),
        ("رقم", (NUMBERS + 10_000).tolist()),
        ("patient", list(range(1, 121))),
        ("crm_ref", [f"CRM/{2010 + n % 14}/{n}" for n in NUMBERS]),
        ("acct", [f"{'AB' if n % 2 else 'ab'}{n}" for n in NUMBERS]),
    ],
)
def test_what_decides_much_of_its_rows_is_a_key_whatever_it_is_called(
    name: str, cells: list[str] | list[int]
) -> None:
    frame = decided(cells, name)
    model = synthgan.fit(frame, config=quick(2))
    assert not model.schema[name].kind.is_modelled
    assert len({*model.sample(700, seed=0)[name]} & {*frame[name]}) < 4  # 5 digits, by chance
