"""public_part: the form of a table, and nothing that its rows have decided beyond it."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import synthgan
from synthgan import Column, Kind, Schema, public_part
from synthgan.cli.app import main
from synthgan.ui import forms

ROWS = 120


def public(frame: pd.DataFrame) -> Schema:
    return public_part(synthgan.infer_schema(frame, constraints=False))


def table(word: str, level: str, letters: str, *, full: bool, digits: int, days: int) -> Any:
    """A table of one form; what the arguments decide is not part of it."""
    rng = np.random.default_rng(0)
    whole = pd.Series(rng.integers(0, 5000, ROWS).astype(object))
    counts: Any = rng.integers(0, 500, ROWS)
    amounts = pd.Series(rng.integers(0, 5000, ROWS).astype(str))
    amounts[: 0 if full else 5] = word
    levels = [*sorted({"hi", "lo"}), level]
    return pd.DataFrame(
        {
            "amount": amounts,
            "level": pd.Categorical(rng.choice(["lo", "hi"], ROWS), levels[::-1], ordered=not full),
            "code": [f"{letters}{i:04d}" for i in range(ROWS)],
            "count": counts if full else pd.Series(counts).where(np.arange(ROWS) > 0),
            "flag": pd.array([True, *[False] * (ROWS - 2), True if full else None]),
            "rate": np.r_[rng.integers(0, 9, ROWS - 1) + 0.5, 1 + 10.0**-digits],
            "cost": pd.array(
                [Decimal(10) ** digits + Decimal(1) / 4 for _ in range(ROWS)],
                dtype=pd.ArrowDtype(pa.decimal128(digits + 3, 2)),
            ),
            "when": pd.date_range("2020", periods=ROWS, freq=f"{days}D" if full else f"{days}h"),
            "born": pd.date_range("1950", periods=ROWS, freq=f"{days}D").strftime("%d.%m.%Y"),
            "paid": [f"${n:,}.00" for n in whole],
        }
    )


@settings(max_examples=25)
@given(
    word=st.sampled_from(["HIV-positive", "unknown", ">89"]),
    level=st.sampled_from(["SECRET", "zz"]),
    letters=st.sampled_from(["XQ", "AF", "HI"]),
    full=st.booleans(),
    digits=st.integers(1, 9),
    days=st.integers(1, 40),
)
def test_tables_of_one_form_have_one_public_part(
    word: str, level: str, letters: str, full: bool, digits: int, days: int
) -> None:
    other = public(table(word, level, letters, full=full, digits=digits, days=days))
    plain = public(table("n/a", "mid", "KW", full=True, digits=2, days=3))
    assert other.to_json() == plain.to_json()
    assert not any(each in other.to_json() for each in (word, level, f"{letters}9"))


def test_every_field_is_thought_of() -> None:
    """Fields that are not names, kinds, dtypes and formats have one value whatever the schema."""
    known = {"name", "kind", "dtype", "format", "personal", "decimals", "resolution"}
    seen = Schema(
        columns=(
            Column(name="k", kind=Kind.IDENTIFIER, dtype="int64"),
            Column(name="r", kind=Kind.IDENTIFIER, dtype="int64", references="k"),
            Column(
                name="c", kind=Kind.CATEGORY, dtype="category", categories=("b", "a"), ordered=True
            ),
            Column(name="n", kind=Kind.NUMBER, dtype="float64", low=0, high=1, decimals=4),
            Column(name="w", kind=Kind.INTEGER, dtype="str", format="%d", words=("secret",)),
            Column(name="d", kind=Kind.DATETIME, dtype="datetime64[us]", resolution="min"),
        ),
        constraints=(synthgan.Unique(columns=("c", "n")),),
        locale="de_DE",
    )
    left = public_part(seen)
    assert left == Schema(columns=left.columns)
    for column in left:
        plain = Column(name=column.name, kind=column.kind, dtype=column.dtype, nullable=True)
        for each in fields(Column):
            if each.name not in known:
                assert getattr(column, each.name) == getattr(plain, each.name), each.name
    assert [left[name].decimals for name in ("n", "w")] == [None, None]
    assert left["d"].resolution is None
    assert left["k"].dtype == "Int64"


@pytest.mark.parametrize(
    ("kind", "format", "left"),
    [
        (Kind.DATETIME, "%Y-%m-%d", "%Y-%m-%d"),
        (Kind.DATETIME, "%-m/%-d/%y %-I:%M:%S.%f %p +02:00", "%-m/%-d/%y %-I:%M:%S.%f %p +02:00"),
        (Kind.DATETIME, "Ward 7, %Y-%m-%d", None),
        (Kind.BOOLEAN, "No|Yes", "No|Yes"),
        (Kind.BOOLEAN, "healthy|ill", None),
        (Kind.BOOLEAN, "nO|yEs", None),
        (Kind.NUMBER, "%.2f", "%.2f"),
        (Kind.NUMBER, "$#,##0.00", "$#,##0.00"),
        (Kind.NUMBER, "US$ 0.00;(US$ 0.00)", "US$ 0.00;(US$ 0.00)"),
        (Kind.NUMBER, "0.0 km²", "0.0 km²"),
        (Kind.NUMBER, "HI$0.00", None),
        (Kind.INTEGER, "0 Zebras", None),
        (Kind.INTEGER, "0 days", "0 days"),
        (Kind.IDENTIFIER, r"X\A-99/a", "AA-99/a"),
        (Kind.IDENTIFIER, "ffff-FFFF", "ffff-FFFF"),
        (Kind.IDENTIFIER, "99é", None),
    ],
)
def test_formats_of_the_public_list_stay(kind: Kind, format: str, left: str | None) -> None:
    column = Column(name="x", kind=kind, dtype="str", format=format)
    assert public_part(Schema(columns=(column,)))["x"].format == left


def test_personal_columns_keep_what_is_made_up_and_no_letters() -> None:
    column = Column(
        name="x", kind=Kind.TEXT, dtype="str", personal="iban", format="DE99 9999", nullable=False
    )
    assert public_part(Schema(columns=(column,)))["x"] == replace(
        column, format="AA99 9999", nullable=True
    )


def test_every_kind_can_be_fitted_privately_by_its_public_part() -> None:
    frame = table("HIV-positive", "SECRET", "XQ", full=False, digits=2, days=5)
    frame["text"] = [f"some longer text about number {i}" for i in range(ROWS)]
    frame["zebras"] = [f"{i} zebras" for i in range(ROWS)]
    train = synthgan.TrainConfig(steps=1, device="cpu")
    config = synthgan.Config(train=train, privacy=synthgan.PrivacyConfig(epsilon=1000))
    schema = public(frame)
    model = synthgan.fit(frame, schema, config)
    rows = model.sample(200, seed=0)
    assert rows["text"].notna().all()
    for name in ("amount", "count", "rate", "when", "born", "paid", "cost"):
        assert rows[name].notna().any(), name
    held = model.to_bytes()
    assert not any(word in held for word in (b"HIV-positive", b"SECRET", b"XQ9"))


def test_the_command_line_says_what_is_declared_and_takes_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    frame = table("HIV-positive", "SECRET", "XQ", full=False, digits=2, days=5)
    frame.astype({"level": str}).to_csv("data.csv", index=False)

    def run(*args: str) -> Any:
        found = CliRunner().invoke(main, [*args])
        assert found.exit_code == 0, found.stderr
        return found

    shown = run("schema", "data.csv", "--public")
    assert "HIV" not in Path("schema.json").read_text() + shown.stdout + shown.stderr
    plain = json.loads(Path("schema.json").read_text())
    assert {key for column in plain["columns"] for key in column} <= {
        *("name", "kind", "dtype", "nullable", "format", "decimals", "resolution")
    }
    said = run("fit", "data.csv", "--declare", "--epsilon", "9", "--steps", "1", "--device", "cpu")
    assert (
        f"declared public: 'amount' is integer, {plain['columns'][0]['dtype']}, %d" in said.stderr
    )
    assert b"HIV-positive" not in Path("model.synthgan").read_bytes()
    loaded = synthgan.load("model.synthgan").schema
    told = Schema.load("schema.json")
    assert [replace(c, decimals=None) for c in loaded] == [replace(c, decimals=None) for c in told]


def test_the_page_keeps_what_its_owner_has_set_by_hand_and_drops_what_rows_told() -> None:
    told = Schema(
        columns=(
            Column(name="n", kind=Kind.INTEGER, dtype="str", format="%d", words=("ill",)),
            Column(name="c", kind=Kind.CATEGORY, dtype="str"),
            Column(name="m", kind=Kind.NUMBER, dtype="float64", decimals=3),
        ),
        constraints=(synthgan.Unique(columns=("c", "m")),),
    )
    n, c, m = told.columns
    by_hand = (
        replace(n, low=0, high=99),
        replace(c, categories=("x", "y")),
        replace(m, decimals=2),
    )
    kept = forms.declared(replace(told, columns=by_hand), told)
    assert kept.columns == (
        replace(n, low=0, high=99, words=None, nullable=True),
        replace(c, categories=("x", "y"), nullable=True),
        replace(m, decimals=2, nullable=True),
    )
    assert kept.constraints == ()
    assert forms.declared(told, told) == public_part(told)
    with pytest.raises(synthgan.SchemaError, match="other columns"):
        forms.declared(Schema(columns=(n,)), told)


@pytest.mark.parametrize(
    "line", [b'7,"oops', b"1,2,3", b"7,\x00", b"\xff,x", b'"', b"1e308,x", b"", b"7,x" * 500_000]
)
def test_declaring_does_not_fail_for_a_line(tmp_path: Path, line: bytes) -> None:
    rows = [f"{i},{'xyz'[i % 3]}".encode() for i in range(60)]
    data = tmp_path / "data.csv"
    told = []
    for lines in ([*rows, line], [line, *rows], [line], []):
        data.write_bytes(b"\n".join([b"n,c", *lines]) + b"\n")
        done = CliRunner().invoke(main, ["schema", str(data), "--public", "-o", "-"])
        assert done.exit_code == 0, done.output
        told.append(done.stdout)
    assert told[0] == told[1]


def test_declaring_and_fitting_do_not_fail_for_a_line(tmp_path: Path) -> None:
    data, model = tmp_path / "data.csv", tmp_path / "m.synthgan"
    private = ["fit", str(data), "-o", str(model), "--overwrite", "--declare", "--epsilon", "5"]
    for lines in ("7,x\n" * 60 + '7,"oops\n', ""):
        data.write_text("n,c\n" + lines)
        done = CliRunner().invoke(main, [*private, "--steps", "1"])
        assert done.exit_code == 0, done.output


@pytest.mark.parametrize("ending", [".parquet", ".feather"])
def test_declaring_does_not_fail_for_a_cell(tmp_path: Path, ending: str) -> None:
    text = pa.array([b"a", b"b", b"\xff"]).view(pa.string())
    days = pa.array([0, 1, 2**30], pa.int32()).view(pa.date32())
    whole = pa.table({"t": text, "d": days, "n": pa.array([1, 2, 3])})
    data = tmp_path / f"data{ending}"
    for table in (whole, whole.slice(0, 0)):
        if ending == ".parquet":
            pq.write_table(table, data)
        else:
            with pa.ipc.new_file(str(data), table.schema) as file:
                file.write_table(table)
        public = CliRunner().invoke(main, ["schema", str(data), "--public", "-o", "-"])
        assert public.exit_code == 0, public.output
        columns = json.loads(public.stdout)["columns"]
        assert [column["name"] for column in columns] == ["t", "d", "n"]
