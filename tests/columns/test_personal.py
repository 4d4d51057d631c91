"""What says who somebody is is found by value and name; ordinary columns are left alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from faker import Faker

import synthgan
from synthgan.cli.app import main
from synthgan.columns.column import Column, Kind
from synthgan.columns.personal.base import plain_name
from synthgan.columns.personal.check_digits import passes_iban, passes_luhn
from synthgan.errors import SchemaError
from synthgan.schema.infer import infer_columns
from synthgan.schema.review import find_personal
from synthgan.schema.schema import Schema

DATASETS = Path(__file__).parents[2] / "datasets"
LOCALES = ["en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "pt_BR", "nl_NL", "pl_PL", "ja_JP"]


def infer(cells: object, name: str = "x", dtype: object = None) -> Column:
    return infer_columns(pd.DataFrame({name: pd.Series(cells, dtype=dtype)}))[name]


def drawn(locale: str, method: str, rows: int = 120) -> list[str]:
    fake = Faker(locale)
    fake.seed_instance(3)
    return [str(getattr(fake, method)()) for _ in range(rows)]


# What is found


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    ("name", "method", "personal"),
    [
        ("email", "free_email", "email"),
        ("Phone", "phone_number", "phone"),
        ("firstName", "first_name", "first_name"),
        ("Last Name", "last_name", "last_name"),
        ("street", "street_address", "street_address"),
        ("account", "iban", "iban"),
        ("zip_code", "postcode", "postcode"),
        ("user_name", "user_name", "user_name"),
    ],
)
def test_named_columns(locale: str, name: str, method: str, personal: str) -> None:
    found = infer(drawn(locale, method), name)
    assert found.personal == personal
    assert found.kind in (Kind.IDENTIFIER, Kind.TEXT)


@pytest.mark.parametrize(
    ("method", "personal"),
    [
        ("free_email", "email"),
        ("uri", "url"),
        ("ipv4", "ipv4"),
        ("ipv6", "ipv6"),
        ("iban", "iban"),
        ("credit_card_number", "card"),
        ("ssn", "national_id"),
    ],
)
def test_values_are_enough(method: str, personal: str) -> None:
    assert infer(drawn("en_US", method), "x").personal == personal
    if method not in ("uri", "ssn"):  # where they repeat, too
        assert infer(drawn("en_US", method, 30) * 10, "x").personal == personal


@pytest.mark.parametrize("locale", ["en_US", "en_GB", "fr_FR", "es_ES", "it_IT", "pl_PL"])
@pytest.mark.parametrize("name", ["name", "customer", "x"])
def test_people_are_known_by_their_first_names(locale: str, name: str) -> None:
    fake = Faker(locale)
    fake.seed_instance(1)
    names = [f"{fake.first_name()} {fake.last_name()}" for _ in range(60)] * 10
    assert infer(names, name).personal == "name"


def test_surnames_first() -> None:
    fake = Faker("en_US")
    fake.seed_instance(1)
    names = [f"{fake.last_name()}, Mr. {fake.first_name()} {fake.first_name()}" for _ in range(99)]
    assert infer(names, "Name").personal == "name"


@pytest.mark.parametrize("dtype", ["object", "string", "category", "large_string[pyarrow]"])
def test_every_dtype_of_text(dtype: str) -> None:
    found = infer([f"p{i}@mail{i % 3}.com" for i in range(50)], dtype=dtype)
    assert (found.kind, found.personal) == (Kind.IDENTIFIER, "email")


@pytest.mark.parametrize("dtype", ["int64", "float64", "Int64", "object"])
def test_numbers_that_are_called_so(dtype: str) -> None:
    rng = np.random.default_rng(0)
    phones = pd.Series(rng.integers(2_000_000_000, 9_999_999_999, 80)).astype(dtype)
    assert infer(phones, "phone").personal == "phone"
    assert infer(phones, "phone").format == "9999999999"
    assert infer(phones, "income").personal is None
    assert infer(phones % 90 + 10, "phone_calls").personal is None


def test_card_numbers_as_numbers() -> None:
    cards = pd.Series(drawn("en_US", "credit_card_number")).str.slice(0, 16).astype(int)
    cards = cards[[passes_luhn(str(card)) and len(str(card)) == 16 for card in cards]]
    assert infer(cards.to_list(), "x").personal == "card"
    assert infer((cards + 1).to_list(), "x").personal is None


# What is left alone


@pytest.mark.parametrize("path", sorted(DATASETS.glob("*.csv")), ids=lambda p: p.name)
def test_ordinary_tables_are_learned_whole(path: Path) -> None:
    frame = synthgan.read_table(path)
    schema = infer_columns(frame)
    assert all(column.kind.is_modelled for column in schema)
    assert find_personal(frame, schema) == ()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("city", ["New York", "Paris", "San Jose", "St. Louis", "Victoria", "Santa Rosa"]),
        ("zip", ["10115", "94105", "20095", "80331"]),
        ("zipcode", [98001, 98103, 98178]),
        ("street", ["Pave", "Grvl"]),
        ("occupation", ["Adm-clerical", "Sales", "Prof-specialty", "Craft-repair"]),
        ("name", ["Apple Watch", "Galaxy Tab", "Pixel Phone"]),
        ("tailnum", ["N14228", "N24211", "N619AA"]),
        ("phone", ["yes", "no"]),
        ("phone", ["none", "yes, registered under the customers name"]),
        ("PhoneService", ["Yes", "No", "No phone service"]),
        ("email_status", ["sent", "bounced", "opened"]),
        ("address_type", ["home", "work", "other"]),
        ("version", ["1.2.3", "1.2.4", "2.0.1"]),
        ("server", ["10.0.0.1", "10.0.0.2"]),
        ("source", ["https://a.example/x", "https://b.example/y"]),
        ("state", ["Virginia", "Georgia", "Carolina"]),
        ("month", ["April", "May", "June", "August"]),
        ("product_code", ["AB-1234", "CD-5678", "EF-9012"]),
        ("card", ["visa", "amex"]),
        ("ip", [1, 2, 3]),
        ("first_name_length", [4, 5, 6]),
    ],
)
def test_ordinary_columns_are_learned(name: str, values: Sequence[Any]) -> None:
    column = infer(list(values) * 40, name)
    assert column.kind.is_modelled, column
    assert column.personal is None


def test_cities_and_postcodes_are_learned_where_they_repeat() -> None:
    cities, codes = drawn("de_DE", "city", 300), drawn("de_DE", "postcode", 300)
    assert infer(sorted(set(cities)), "city").personal == "city"
    assert infer(codes, "plz").personal == "postcode"
    assert infer(cities * 5, "city").kind is Kind.CATEGORY
    assert infer(codes * 5, "plz").kind is Kind.CATEGORY


def test_many_words_without_people_are_categories() -> None:
    jobs = [f"{a} {b}" for a in ("Senior", "Junior", "Chief") for b in drawn("en_US", "job", 30)]
    assert infer(jobs * 5, "name").personal is None


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("E-Mail", "e_mail"),
        ("emailAddress", "email_address"),
        ("Straße", "strasse"),
        (" Téléphone ", "telephone"),
        ("", ""),
        ("😀", ""),
    ],
)
def test_names_of_columns(name: str, plain: str) -> None:
    assert plain_name(name) == plain


@pytest.mark.parametrize(
    "cell", ["a" * 5000, "1 " * 2500, "a@" * 2000, "A-" * 2000, "1, " * 1500, "(" * 3000, "\n" * 99]
)
def test_hostile_text_takes_no_time(cell: str) -> None:
    cells = [f"{cell}{i}" for i in range(300)]
    for name in ("x", "address", "name", "phone", "user_name", "passport", "zip"):
        infer(cells, name)


@pytest.mark.parametrize(("digits", "passes"), [("4111111111111111", True), ("79927398714", False)])
def test_luhn(digits: str, passes: bool) -> None:
    assert passes_luhn(digits) is passes


def test_iban() -> None:
    assert passes_iban("GB82WEST12345698765432")
    assert not passes_iban("GB83WEST12345698765432")


# Keys that refer to other rows


def staff(keys: Callable[[int], object], name: str = "manager_id", rows: int = 60) -> pd.DataFrame:
    names = [keys(i) for i in range(rows)]
    return pd.DataFrame({"id": names, name: [names[i // 7] for i in range(rows)]})


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        (lambda i: f"P-{i:04d}", "x"),
        (lambda i: 10_000 + i * 7919, "x"),
        (lambda i: i + 1, "manager_id"),
        (lambda i: i + 1, "parentId"),
        (lambda i: 5 * i, "reply_to"),
        (lambda i: f"p{i}@mail.com", "boss"),
    ],
)
def test_references(keys: Callable[[int], object], name: str) -> None:
    found = infer_columns(staff(keys, name))[name]
    assert (found.kind, found.references) == (Kind.IDENTIFIER, "id")
    holed = staff(keys, name)
    holed.loc[::3, name] = None  # whole numbers become floats
    found = infer_columns(holed)[name]
    assert (found.references, found.nullable) == ("id", True)


@pytest.mark.parametrize("name", ["age", "store_id", "children", "head_count", "parents"])
def test_small_numbers_are_no_references(name: str) -> None:
    assert infer_columns(staff(lambda i: i + 1, name))[name].kind is Kind.INTEGER


def test_cells_of_no_key_are_no_references() -> None:
    frame = staff(lambda i: f"P-{i:04d}")
    frame.loc[5, "manager_id"] = "P-9999"
    assert infer_columns(frame)["manager_id"].references is None


def test_two_copies_of_a_key() -> None:
    frame = staff(lambda i: f"P-{i:04d}").assign(copy=lambda f: f["id"])
    schema = infer_columns(frame)
    assert [column.references for column in schema] == [None, "id", "id"]


# The schema


def column(**fields: Any) -> Column:
    return Column(**{"name": "x", "kind": Kind.TEXT, "dtype": "object", **fields})


def test_json_comes_back() -> None:
    frame = staff(lambda i: f"p{i}@mail.com").assign(phone=drawn("en_US", "phone_number", 60))
    schema = infer_columns(frame)
    assert Schema.from_json(schema.to_json()) == schema
    plain = json.loads(schema.to_json())
    assert plain["columns"][0]["personal"] == "email"
    assert plain["columns"][1]["references"] == "id"
    assert "locale" not in plain
    plain["locale"] = "fr_FR"
    assert Schema.from_json(json.dumps(plain)).locale == "fr_FR"


def test_schemas_from_before_load() -> None:
    text = '{"synthgan_schema": 1, "columns": [{"name": "x", "kind": "text", "dtype": "object"}]}'
    assert Schema.from_json(text) == Schema(columns=(column(),))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": Kind.CATEGORY, "personal": "email"}, "leave it out to learn"),
        ({"kind": Kind.NUMBER, "dtype": "float64", "personal": "phone"}, "leave it out to learn"),
        ({"personal": "shoe_size"}, "must be one of"),
        ({"kind": Kind.IDENTIFIER, "dtype": "int64", "personal": "email"}, "dtype int64"),
        ({"dtype": "int64"}, "kind text does not go with dtype int64"),
        ({"references": "y"}, "references is for kind identifier"),
        ({"personal": "email", "format": "aaa"}, "format is for"),
    ],
)
def test_contradictions_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(SchemaError, match=f"'x'.*{message}"):
        column(**fields)


@pytest.mark.parametrize("key", ["z", "y", "x"])
def test_references_lead_to_identifiers(key: str) -> None:
    first = column(kind=Kind.IDENTIFIER, references=key)
    with pytest.raises(SchemaError, match=rf"'x': references '{key}', which"):
        Schema(columns=(first, column(name="y", kind=Kind.TEXT)))


@pytest.mark.parametrize("locale", ["german", "de_DE_x", "../de", ""])
def test_locales_are_checked(locale: str) -> None:
    with pytest.raises(SchemaError, match="such as de_DE"):
        Schema(columns=(column(),), locale=locale)


# What the owner is told


def test_scores_and_reasons_hold_no_cell() -> None:
    frame = pd.DataFrame(
        {
            "mail": [f"secret{i}@mail.com" for i in range(50)],
            "id": [f"S-{i:03d}" for i in range(50)],
            "boss": [f"S-{i // 9:03d}" for i in range(50)],
            "note": [f"secret number {i} told" for i in range(50)],
            "phone": ["555 1234 99"] * 25 + ["none"] * 25,
            "age": range(50),
        }
    )
    schema = infer_columns(frame)
    found = {each.column: each for each in find_personal(frame, schema)}
    assert set(found) >= {"mail", "id", "boss", "note"}
    assert (found["mail"].personal, found["mail"].learned) == ("email", False)
    assert found["mail"].score > 0.95
    assert "'id'" in found["boss"].why
    assert "secret" not in repr(found)
    changed = Schema(columns=tuple(column(name=n, personal="name") for n in frame))
    assert {each.why for each in find_personal(frame.astype(str), changed)} >= {
        "the schema says so"
    }
    learned = Schema(columns=tuple(column(name=n, kind=Kind.CATEGORY) for n in frame))
    assert {f.column: f.learned for f in find_personal(frame.astype(str), learned)}["mail"]


def test_the_command_tells_and_the_owner_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    staff(lambda i: f"p{i}@mail.com", "boss").to_csv("staff.csv", index=False)
    result = CliRunner().invoke(main, ["schema", "staff.csv"])
    assert result.exit_code == 0
    assert "not learned, but generated" in result.stdout
    assert "look like e-mail addresses" in result.stdout
    plain = json.loads(Path("schema.json").read_text())
    plain["columns"] = [{"name": n, "kind": "category", "dtype": "object"} for n in ("id", "boss")]
    Path("schema.json").write_text(json.dumps(plain))
    assert all(column.kind.is_modelled for column in Schema.load("schema.json"))


@pytest.mark.parametrize("locale", ["de_DE", "en_US", "it_IT", "pt_BR", "cs_CZ"])
def test_titles_and_degrees_are_no_part_of_a_name(locale: str) -> None:
    names = drawn(locale, "name", 150)
    dressed = [
        f"{('Frau Dr.', 'Herr', 'Dipl.-Ing.', 'Mrs.')[i % 4]} {n}" for i, n in enumerate(names)
    ]
    found = infer(dressed, "Patient name"), infer(names, "Name")
    assert [(each.kind, each.personal) for each in found] == [(Kind.TEXT, "name")] * 2
