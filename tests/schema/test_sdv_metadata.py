"""SDV's metadata is a schema, and a script of the shape of its quick start works with our calls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from sample_tables import quick

import synthgan
from synthgan import Kind, Schema, SchemaError
from synthgan.cli.app import main


def guests(rows: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 300, rows), "D")
    return pd.DataFrame(
        {
            "guest_email": [f"guest{i}@mail{i % 7}.org" for i in range(rows)],
            "has_rewards": rng.random(rows) < 0.3,
            "room_type": rng.choice(["BASIC", "DELUXE", "SUITE"], rows),
            "amenities_fee": rng.exponential(20, rows).round(2),
            "stars": rng.integers(1, 6, rows).astype(str),
            "checkin_date": days.strftime("%d %b %Y"),
            "room": [f"{chr(65 + i % 26)}{i:03d}" for i in range(rows)],
            "billing_address": [f"{i} Some Street\nTown {i}" for i in range(rows)],
            "card": rng.integers(4 * 10**15, 5 * 10**15, rows).astype(str),
            "note": [f"free {i}" for i in range(rows)],
            "city": rng.choice(["Rome", "Oslo"], rows),
        }
    )


def metadata(**changed: Any) -> dict[str, Any]:
    columns = {
        "guest_email": {"sdtype": "email", "pii": True},
        "has_rewards": {"sdtype": "boolean"},
        "room_type": {"sdtype": "categorical", "order": ["BASIC", "DELUXE", "SUITE"]},
        "amenities_fee": {"sdtype": "numerical", "computer_representation": "Float"},
        "stars": {"sdtype": "numerical", "computer_representation": "Int64"},
        "checkin_date": {"sdtype": "datetime", "datetime_format": "%d %b %Y"},
        "room": {"sdtype": "id", "regex_format": "[A-Z][0-9]{3}"},
        "billing_address": {"sdtype": "address", "pii": True},
        "card": {"sdtype": "credit_card_number", "pii": True},
        "note": {"sdtype": "unknown"},
        "city": {"sdtype": "city", "pii": False},
    }
    return {
        "METADATA_SPEC_VERSION": "SINGLE_TABLE_V1",
        "primary_key": "guest_email",
        "columns": {name: changed.pop(name, said) for name, said in columns.items()},
        **changed,
    }


def saved(folder: Path, plain: object) -> Path:
    path = folder / "metadata.json"
    path.write_text(json.dumps(plain), encoding="utf-8")
    return path


def load(folder: Path, plain: object) -> Schema:
    return Schema.load(saved(folder, plain), table=guests())


def test_each_sdtype_has_its_kind(tmp_path: Path) -> None:
    schema = load(tmp_path, metadata())
    assert {column.name: column.kind for column in schema} == {
        "guest_email": Kind.IDENTIFIER,
        "has_rewards": Kind.BOOLEAN,
        "room_type": Kind.CATEGORY,
        "amenities_fee": Kind.NUMBER,
        "stars": Kind.INTEGER,
        "checkin_date": Kind.DATETIME,
        "room": Kind.IDENTIFIER,
        "billing_address": Kind.TEXT,
        "card": Kind.IDENTIFIER,
        "note": Kind.TEXT,
        "city": Kind.CATEGORY,
    }
    assert schema["guest_email"].personal == "email"
    assert (schema["card"].personal, schema["billing_address"].personal) == ("card", "address")
    assert schema["room"].format == "A999"
    assert schema["checkin_date"].format == "%d %b %Y"
    assert schema["amenities_fee"].decimals == 2
    assert schema["room_type"].categories == ("BASIC", "DELUXE", "SUITE")
    schema.check(guests())


def test_one_table_of_a_multi_table_file_is_taken(tmp_path: Path) -> None:
    plain = metadata()
    version = plain.pop("METADATA_SPEC_VERSION")
    assert version == "SINGLE_TABLE_V1"
    several = {"METADATA_SPEC_VERSION": "V1", "tables": {"guests": plain}, "relationships": []}
    assert load(tmp_path, several) == load(tmp_path, metadata())
    several["tables"] = {"guests": plain, "hotels": plain}
    with pytest.raises(SchemaError, match="one table"):
        load(tmp_path, several)


def test_metadata_of_sdv_2_tells_no_more_than_the_rows_may(tmp_path: Path) -> None:
    """Its ranges and values are those of the rows, each of them."""
    plain = metadata(
        amenities_fee={"sdtype": "numerical", "decimal_places": 2, "range_max": 1e9},
        room_type={"sdtype": "ordinal", "range_values": ["DELUXE", "BASIC", "SUITE", "SECRET"]},
        city={"sdtype": "categorical", "range_values": ["Rome", "Oslo", "SECRET"]},
        stars={"sdtype": "numerical", "range_min": 1},
    )
    del plain["METADATA_SPEC_VERSION"]
    several = {"METADATA_SPEC_VERSION": "V2", "tables": {"guests": plain}, "relationships": []}
    schema = load(tmp_path, several)
    assert schema["room_type"].kind is schema["city"].kind is Kind.CATEGORY
    assert schema["amenities_fee"].high is None
    assert "SECRET" not in schema.to_json()


@pytest.mark.parametrize(
    ("regex", "pattern"),
    [
        ("[A-Z]{2}-[0-9]{4}", "AA-9999"),
        (r"ID_\d{3}", "ID_999"),
        ("^[a-z]{3}[0-9]$", "aaa9"),
        ("(a|b)+", "A999"),
        ("AB[0-9]{2}", "A999"),
    ],
)
def test_simple_regular_expressions_become_patterns(
    tmp_path: Path, regex: str, pattern: str
) -> None:
    """Others leave the pattern to the cells."""
    schema = load(tmp_path, metadata(room={"sdtype": "id", "regex_format": regex}))
    assert schema["room"].format == pattern


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"room_type": {"sdtype": "numerical"}}, "'room_type'.*numbers"),
        ({"room_type": {"sdtype": "datetime", "datetime_format": "%Y"}}, "'room_type'.*dates"),
        ({"amenities_fee": {"sdtype": "latitude", "pii": True}}, "'amenities_fee'.*pii"),
        (
            {"amenities_fee": {"sdtype": "numerical", "computer_representation": "Int64"}},
            "'amenities_fee'.*whole",
        ),
        ({"city": {}}, "'city'.*sdtype"),
        ({"sequence_key": "room"}, "sequence"),
        ({"primary_key": ["a", "b"]}, "keys"),
        ({"METADATA_SPEC_VERSION": "V9"}, "version"),
        ({"columns": []}, "columns"),
        ({"columns": {"city": {"sdtype": "city"}}}, "does not describe column 'guest_email'"),
    ],
)
def test_what_does_not_fit_is_one_line(
    tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(SchemaError, match=message) as caught:
        load(tmp_path, metadata(**changed))
    assert "metadata.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_metadata_needs_its_table(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="table="):
        Schema.load(saved(tmp_path, metadata()))


def test_a_schema_of_ours_is_still_one(tmp_path: Path) -> None:
    schema = synthgan.infer_schema(guests())
    schema.save(tmp_path / "schema.json")
    assert Schema.load(tmp_path / "schema.json", table=guests()) == schema


def test_a_script_of_the_shape_of_the_quick_start(tmp_path: Path) -> None:
    real_data = guests()
    schema = Schema.load(saved(tmp_path, metadata()), table=real_data)
    synthesizer = synthgan.fit(real_data, schema, quick(5))
    synthetic_data = synthesizer.sample(50, seed=0)
    synthesizer.save(tmp_path / "my_synthesizer.synthgan")
    again = synthgan.load(tmp_path / "my_synthesizer.synthgan").sample(50, seed=0)
    pd.testing.assert_frame_equal(again, synthetic_data)
    assert list(synthetic_data) == list(real_data)
    assert synthetic_data.dtypes.equals(real_data.dtypes)
    assert not set(synthetic_data["guest_email"]) & set(real_data["guest_email"])
    assert synthetic_data["guest_email"].is_unique
    pd.to_datetime(synthetic_data["checkin_date"], format="%d %b %Y")


def test_the_command_takes_metadata(tmp_path: Path) -> None:
    guests().to_csv(tmp_path / "guests.csv", index=False)
    file = str(saved(tmp_path, metadata(room_type={"sdtype": "numerical"})))
    found = CliRunner().invoke(
        main, ["fit", str(tmp_path / "guests.csv"), "--schema", file, "-o", str(tmp_path / "m")]
    )
    assert (found.exit_code, found.stderr.count("\n")) == (2, 1)
    assert "room_type" in found.stderr
    private = ["fit", str(tmp_path / "guests.csv"), "--schema", file, "--epsilon", "1"]
    found = CliRunner().invoke(main, [*private, "-o", str(tmp_path / "m")])
    assert found.exit_code == 2
    assert "private fit" in found.stderr
