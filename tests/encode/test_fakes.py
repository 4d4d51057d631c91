"""Generated cells: nothing of the real column, nobody's, consistent, and the same for a seed."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import synthgan
from synthgan.columns.column import Column, Kind, Personal
from synthgan.columns.personal.check_digits import passes_as_person, passes_iban, passes_luhn
from synthgan.encode.fakes import Inventor
from synthgan.encode.summarize import summarize
from synthgan.encode.summary import Unlearned
from synthgan.errors import SchemaError
from synthgan.schema.infer import infer_columns
from synthgan.schema.schema import Schema

PERSONAL = get_args(Personal)
UNIQUE = (
    "email", "user_name", "phone", "national_id", "card", "iban", "imei", "mac", "vin", "plate",
    "ipv4", "ipv6", "url",
)  # fmt: skip
QUICK = synthgan.Config(train=synthgan.TrainConfig(steps=3), seed=0)


def column(personal: Any, **fields: Any) -> Column:
    name = personal or "x"
    kind = Kind.IDENTIFIER if personal in UNIQUE else Kind.TEXT
    return Column(**{"name": name, "kind": kind, "dtype": "object", "personal": personal, **fields})


def made(
    *columns: Column,
    rows: int = 200,
    start: int = 0,
    seed: int = 0,
    locale: str | None = None,
    unlearned: dict[str, Unlearned] | None = None,
    full: bool = False,
) -> pd.DataFrame:
    inventor = Inventor(
        schema=Schema(columns=columns),
        unlearned=unlearned or {},
        seed=seed,
        locale=locale,
        full=full,
    )
    return pd.concat([inventor.cells(c, start, rows) for c in columns], axis=1)


def one(personal: Any, rows: int = 200, locale: str | None = None, **fields: Any) -> pd.Series:
    return made(column(personal, **fields), rows=rows, locale=locale).iloc[:, 0]


# Nobody's


@pytest.mark.parametrize("locale", ["en_US", "de_DE", "ja_JP", "pl_PL"])
def test_e_mail_addresses_are_of_domains_for_examples(locale: str) -> None:
    cells = one("email", 3000, locale)
    assert cells.str.fullmatch(r"[a-z]+[a-z0-9]*\.[a-z]+[a-z0-9]*@example\.(?:org|com|net)").all()
    assert cells.is_unique


def test_internet_addresses_are_nobodys() -> None:
    four = [ipaddress.ip_address(cell) for cell in one("ipv4", 3000)]
    documentation = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4"]
    nets = [ipaddress.ip_network(net) for net in documentation]
    assert all(any(cell in net for net in nets) for cell in four)
    assert all(any(cell in net for net in nets[:3]) for cell in four[:768])
    assert len(set(four)) == 3000
    six = [ipaddress.ip_address(cell) for cell in one("ipv6")]
    assert all(cell in ipaddress.ip_network("2001:db8::/32") for cell in six)
    assert one("url").str.startswith("https://example.org/").all()


PHONES = {
    "en_US": r"1?[2-9]\d\d55501\d\d",
    "en_GB": r"(?:0|44)(?:7700900|1632960|2079460)\d{3}",
    "de_DE": r"(?:0|49)(?:3023125|6990009|4066969|8999998)\d{3}",
    "fr_FR": r"(?:0|33)(?:63998|19900|26191|35301|46571)\d{4}",
    "en_AU": r"(?:0|61)[2378]5550\d{4}",
    "it_IT": r"(?:00)?999\d{4,}",
}


@pytest.mark.parametrize("locale", PHONES)
@pytest.mark.parametrize(
    "format",
    [None, "(999) 999-9999", "+99 9999999999", "9999 9999999", "999-9999", "999999999x999"],
)
def test_telephone_numbers_are_for_films(locale: str, format: str | None) -> None:
    cells = one("phone", 500, locale, format=format)
    assert cells.str.replace(r"\D", "", regex=True).str.fullmatch(PHONES[locale]).all()
    assert cells.is_unique


def test_telephone_numbers_keep_their_pattern() -> None:
    assert one("phone", format="(999) 999-9999").str.fullmatch(r"\(\d{3}\) 555-01\d\d").all()
    german = one("phone", locale="de_DE", format="0999/99999999").iloc[0]
    assert re.fullmatch(r"0\d{3}/\d{8}|\+49 \d{10}", german)
    assert one("phone", dtype="int64", format="9999999999").between(2e9, 1e10).all()


@pytest.mark.parametrize("format", [None, "9999 9999 9999 9999", "9999-999999-99999", "9" * 16])
def test_card_numbers_pass_their_check(format: str | None) -> None:
    cells = one("card", 500, format=format)
    digits = cells.str.replace(r"\D", "", regex=True)
    assert all(map(passes_luhn, digits))
    assert digits.str.startswith("9999").all()
    assert cells.is_unique
    if format:
        assert cells.str.replace(r"\d", "9", regex=True).eq(format).all()


@pytest.mark.parametrize("dtype", ["int64", "float64", "Int64"])
def test_card_numbers_as_numbers(dtype: str) -> None:
    cells = one("card", dtype=dtype, format="9" * 16)
    assert all(passes_luhn(str(int(cell))) for cell in cells)
    assert (str(cells.dtype), cells.is_unique) == (dtype, True)


@pytest.mark.parametrize("locale", ["en_US", "en_GB", "de_DE", "nl_NL", "it_IT", "fr_FR"])
@pytest.mark.parametrize(
    "format", [None, "AA99999999999999999999", "AA99 9999 9999 9999 9999 9999 99"]
)
def test_ibans_pass_their_check(locale: str, format: str | None) -> None:
    cells = one("iban", 300, locale, format=format)
    assert all(passes_iban(cell.replace(" ", "")) for cell in cells)
    assert cells.str.contains(" ").eq(" " in (format or "")).all()
    assert cells.is_unique


def test_numbers_of_persons_that_nobody_has() -> None:
    assert one("national_id", 500, format="999-99-9999").str.fullmatch(r"9\d\d-[0-4]\d-\d{4}").all()
    british = one("national_id", locale="en_GB", format="AA999999A")
    assert british.str.fullmatch(r"QQ\d{6}[ABCD]").all()
    assert one("national_id", dtype="int64", format="9" * 9).between(9e8, 1e9).all()


@pytest.mark.parametrize(
    "format",
    ["A999999999", "9999999999", "99999999999", "999.999.999-99", "999999-9999", "99999999A"],
)
def test_numbers_of_persons_fail_the_checks_of_all_countries(format: str) -> None:
    cells = one("national_id", 500, format=format)
    assert cells.is_unique
    assert not any(passes_as_person(re.sub(r"\W", "", cell)) for cell in cells)
    shape = cells.str.replace(r"\d", "9", regex=True).str.replace("[A-Z]", "A", regex=True)
    assert shape.eq(format).all()


def test_devices_that_nobody_makes() -> None:
    imei = one("imei", 500, format="99 999999 999999 9")
    digits = imei.str.replace(" ", "")
    assert all(map(passes_luhn, digits))
    assert digits.str.startswith("77").all()
    assert one("imei", dtype="int64").between(77 * 10**13, 78 * 10**13).all()
    assert one("mac").str.fullmatch(r"[0-9a-f]2(:[0-9a-f]{2}){5}").all()
    assert one("mac", format="FFFF.FFFF.FFFF").str.fullmatch(r"[0-9A-F]2\S{2}(\.\S{4}){2}").all()
    assert one("vin").str.fullmatch(r"000[A-HJ-NPR-Z0-9]{14}").all()
    assert one("plate", format="A-AA 9999").str.fullmatch(r"[IOQU]-[IOQU]{2} \d{4}").all()


# Consistent, seeded, in chunks


@pytest.mark.parametrize("locale", ["en_US", "de_DE", "fr_FR"])
def test_a_row_is_one_person(locale: str) -> None:
    frame = made(
        *map(column, ("first_name", "last_name", "name", "email", "user_name")), locale=locale
    )
    assert (frame["first_name"] + " " + frame["last_name"] == frame["name"]).all()
    mailbox = frame["email"].str.split("@").str[0].str.replace(r"\d", "", regex=True)
    assert (mailbox.str.replace(".", "_", regex=False) == frame["user_name"]).all()
    assert frame["name"].nunique() == len(frame)


@pytest.mark.parametrize("personal", PERSONAL)
def test_cells_follow_from_seed_and_row(personal: str) -> None:
    whole = made(column(personal), seed=5)
    assert made(column(personal), seed=5).equals(whole)
    assert made(column(personal), seed=5, start=150, rows=50).equals(
        whole.iloc[150:].reset_index(drop=True)
    )
    assert not made(column(personal), seed=6).equals(whole)
    assert len(made(column(personal), rows=0)) == 0


@pytest.mark.parametrize("personal", UNIQUE)
def test_identifiers_differ_between_all_rows(personal: str) -> None:
    first = made(column(personal), rows=5000)[personal]
    later = made(column(personal), start=5000, rows=5000)[personal]
    assert pd.concat([first, later]).is_unique


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(UNIQUE),
    st.integers(0, 10**9),
    st.integers(0, 2**62),
    st.text("9A- ", max_size=9),
)
def test_identifiers_differ_wherever_they_begin(
    personal: str, start: int, seed: int, format: str
) -> None:
    has_pattern = personal in ("phone", "national_id", "card", "iban") and "99" in format
    cells = made(
        column(personal, format=format if has_pattern else None), start=start, seed=seed, rows=300
    )
    assert cells[personal].is_unique


@pytest.mark.parametrize("locale", ["de_DE", "de", "de-DE", "pt", "zh_CN", "ar_AA", "hu_HU"])
def test_locales(locale: str) -> None:
    frame = made(*map(column, PERSONAL), rows=20, locale=locale)
    assert frame.notna().all(axis=None)


def test_identifiers_of_another_seed_are_others() -> None:
    key = Column(name="key", kind=Kind.IDENTIFIER, dtype="object", format="P999999")
    draws = [made(key, rows=500, seed=seed)["key"] for seed in (1, 1, 2)]
    assert draws[0].equals(draws[1])
    assert len(set(draws[0]) & set(draws[2])) < 5
    assert all(draw.is_unique for draw in draws)


def test_a_locale_that_is_not_known() -> None:
    with pytest.raises(SchemaError, match="'xx_XX' is not known; give"):
        one("name", locale="xx_XX")


def test_addresses_in_the_manner_of_the_country() -> None:
    assert one("street_address", locale="de_DE").str.contains(r"[^\d]+ \d").all()
    assert one("postcode", locale="de_DE").str.fullmatch(r"\d{5}").all()
    assert one("postcode", locale="en_GB").str.contains(r"[A-Z]").all()
    assert one("postcode", locale="ja_JP", format="999-9999").str.fullmatch(r"\d{3}-\d{4}").all()
    assert one("postcode", format="AA 99").str.fullmatch(r"[A-Z]{2} \d\d").all()


# Missing cells, references, rows of one person


def test_as_many_cells_are_missing() -> None:
    known = {"email": Unlearned(missing=0.25)}
    cells = column("email", nullable=True)
    share = made(cells, rows=4000, unlearned=known)["email"].isna().mean()
    assert share == pytest.approx(0.25, abs=0.03)
    assert made(cells, unlearned=known, full=True)["email"].notna().all()
    assert made(column("email"), unlearned=known)["email"].notna().all()


@pytest.mark.parametrize("dtype", ["object", "string", "category"])
def test_missing_cells_of_every_dtype(dtype: str) -> None:
    cells = column("email", nullable=True, dtype=dtype)
    found = made(cells, unlearned={"email": Unlearned(missing=0.5)})["email"]
    assert (str(found.dtype), bool(found.isna().any())) == (dtype, True)


@pytest.mark.parametrize(("dtype", "back"), [("int64", "float64"), ("object", "object")])
def test_references_lead_to_rows_before(dtype: str, back: str) -> None:
    key = Column(name="id", kind=Kind.IDENTIFIER, dtype=dtype)
    boss = Column(name="boss", kind=Kind.IDENTIFIER, dtype=back, nullable=True, references="id")
    known = {"boss": Unlearned(missing=0.1, rows_per_value=8)}
    frame = made(key, boss, rows=3000, unlearned=known)
    place = {cell: i for i, cell in enumerate(frame["id"])}
    led = frame["boss"].dropna()
    assert led.isin(frame["id"]).all()
    assert all(place[cell] < row for row, cell in led.items())
    assert frame["boss"].isna().mean() == pytest.approx(0.1, abs=0.03)
    assert len(frame) / led.nunique() == pytest.approx(8, rel=0.3)
    later = made(key, boss, start=2000, rows=1000, unlearned=known)
    pd.testing.assert_frame_equal(later, frame.iloc[2000:].reset_index(drop=True))


def test_rows_share_a_person_as_those_of_the_table_did() -> None:
    mail = column("email", kind=Kind.TEXT)
    known = {"email": Unlearned(rows_per_value=4)}
    frame = made(mail, column("name"), rows=4000, unlearned=known)
    assert len(frame) / frame["email"].nunique() == pytest.approx(4, rel=0.1)
    assert frame.groupby("email")["name"].nunique().eq(1).all()
    alone = made(mail, column("name"), column("phone"), rows=400, unlearned=known)
    assert alone["email"].is_unique  # a phone number a row: rows are people


# Nothing of the real column


def people(rows: int = 120, tag: str = "a") -> pd.DataFrame:
    """Rows of which nothing but the personal columns depends on ``tag``."""
    rng = np.random.default_rng(0)
    places = np.random.default_rng(list(tag.encode())).permutation(9000)[:rows] + 1000
    letters = ("QX", "RT") if tag == "a" else ("WZ", "VS")
    frame = pd.DataFrame(
        {
            "id": [f"{letters[i % 2]}-{place}" for i, place in enumerate(places)],
            "age": rng.integers(18, 80, rows),
            "email": [f"{tag}{place}@{tag}-mail.de" for place in places],
            "phone": [f"(212) 7{tag.encode()[0] % 10}1-{place}" for place in places],
            "ssn": [f"1{tag.encode()[0] % 10}3-45-{place}" for place in places],
            "first_name": [f"Q{tag}w{chr(97 + p % 26)}x{chr(97 + p // 400)}" for p in places],
            "remark": [f"{tag} was here {place} times" for place in places],
            "income": rng.choice(["low", "high"], rows),
        }
    )
    frame["boss"] = frame["id"].to_numpy()[rng.integers(0, 9, rows)]
    frame.loc[::4, "email"] = None
    return frame


HIDDEN = ["id", "email", "phone", "ssn", "first_name", "remark", "boss"]


def test_no_real_cell_comes_out_or_is_kept(tmp_path: Any) -> None:
    """Two tables that differ in personal columns alone give the same model and the same rows.

    So whatever comes out would have come out without those cells: they cannot be read off it.
    """
    one, other = people(tag="a"), people(tag="b")
    assert not any(set(one[name].dropna()) & set(other[name].dropna()) for name in HIDDEN)
    models = [synthgan.fit(frame, None, QUICK) for frame in (one, other)]
    assert models[0].schema == models[1].schema
    assert models[0].summary == models[1].summary
    assert not any(models[0].schema[name].kind.is_modelled for name in HIDDEN)
    drawn = [model.sample(400, seed=3) for model in models]
    pd.testing.assert_frame_equal(drawn[0], drawn[1])
    for frame, model in zip((one, other), models, strict=True):
        model.save(tmp_path / "model.synthgan", overwrite=True)
        kept = (tmp_path / "model.synthgan").read_bytes()
        words = f"{model.schema.to_json()} {model.summary} {model.protections}"
        for name in HIDDEN:
            real = set(frame[name].dropna())
            assert not real & set(drawn[0][name].dropna()), name
            assert not any(cell.encode() in kept for cell in list(real)[:20]), name
            assert not any(cell[:4] in words for cell in real if name != "remark"), name
    assert drawn[0]["boss"].isin(drawn[0]["id"]).all()
    assert drawn[0]["email"].isna().mean() == pytest.approx(0.25, abs=0.08)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(PERSONAL),
    st.lists(st.text(min_size=1, max_size=12), min_size=25, max_size=40, unique=True),
    st.integers(0, 2**62),
)
def test_what_is_made_up_does_not_depend_on_the_cells(
    personal: Any, cells: list[str], seed: int
) -> None:
    """However odd they are: the owner has said what the column is."""
    frame = pd.DataFrame({"x": cells, "y": 1.5})
    schema = Schema(
        columns=(column(personal, name="x"), Column(name="y", kind=Kind.NUMBER, dtype="float64"))
    )
    inventor = Inventor(
        schema=schema,
        unlearned=summarize(frame, schema, synthgan.SummaryConfig()).unlearned,
        seed=seed,
    )
    alone = Inventor(schema=schema, unlearned={}, seed=seed)
    made_up = inventor.cells(schema["x"], 0, 50)
    pd.testing.assert_series_equal(made_up, alone.cells(schema["x"], 0, 50))


def test_a_sample_is_the_same_in_chunks_and_by_seed() -> None:
    model = synthgan.fit(people(), None, QUICK)
    rows = model.sample(9000, seed=1)
    assert rows["id"].is_unique
    assert rows["email"].dropna().is_unique
    assert rows["boss"].isin(rows["id"]).all()
    chunks = list(model.iter_samples(9000, seed=1))
    pd.testing.assert_frame_equal(pd.concat(chunks, ignore_index=True), rows)
    german = model.sample(50, seed=1, locale="de_DE")
    assert german["age"].equals(rows["age"][:50]) or len(german) == 50
    assert not set(german["phone"]) & set(rows["phone"])
    assert any("email" in line for line in model.protections)


def test_given_and_filled_rows_keep_their_cells() -> None:
    frame = people()
    model = synthgan.fit(frame, None, QUICK)
    filled = model.impute(frame, seed=0)
    known = frame["email"].notna()
    assert filled["email"][known].equals(frame["email"][known])
    assert filled["email"].notna().all()
    given = model.sample(given=pd.DataFrame({"email": ["me@here.org", None]}), seed=0)
    assert given["email"][0] == "me@here.org"


def test_the_owner_can_have_a_column_learned() -> None:
    frame = people().assign(first_name=["Ann", "Bob"] * 60)
    schema = infer_columns(frame)
    learned = replace(schema["first_name"], kind=Kind.CATEGORY, personal=None)
    columns = [learned if c.name == "first_name" else c for c in schema]
    model = synthgan.fit(frame, Schema(columns=tuple(columns)), QUICK)
    assert set(model.sample(50, seed=0)["first_name"]) <= {"Ann", "Bob"}


def test_a_category_dtype_stays_one() -> None:
    frame = people().astype({"email": "category"})
    model = synthgan.fit(frame, None, QUICK)
    assert model.schema["email"].personal == "email"
    rows = model.sample(9000, seed=1)
    assert str(rows["email"].dtype) == "category"
