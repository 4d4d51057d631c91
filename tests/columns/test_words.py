"""Words among numbers: a column of ages with ``>89`` and ``unknown`` in it stays one of numbers."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rewriting import parts, rewritten
from sample_tables import quick

import synthgan
from synthgan.columns.cells import read_cells, write_cells
from synthgan.columns.column import Column, Kind
from synthgan.columns.sentinels import tagged, words_in
from synthgan.encode.encoder import Encoder
from synthgan.encode.summarize import summarize
from synthgan.encode.summary import NumberSummary
from synthgan.errors import ConditionError, ModelFileError, SchemaError
from synthgan.metrics.columns import Columns
from synthgan.metrics.fidelity.shape import shape_error
from synthgan.schema.constraints.fixed_combinations import FixedCombinations
from synthgan.schema.constraints.inequality import Inequality
from synthgan.schema.constraints.missing_when import MissingWhen
from synthgan.schema.constraints.row_rule import RowRule
from synthgan.schema.infer import infer_columns
from synthgan.schema.schema import Schema

AGE = Column(name="x", kind=Kind.INTEGER, dtype="object", format="%d", words=(">89", "unknown"))


def ages(rows: int = 1200, seed: int = 0) -> pd.DataFrame:
    """Ages of which one in ten is not known; women alone are above 89."""
    rng = np.random.default_rng(seed)
    sex = np.where(rng.random(rows) < 0.5, "f", "m").astype(object)
    age = rng.integers(18, 90, rows)
    cells = age.astype(str).astype(object)
    cells[(rng.random(rows) < 0.2) & (sex == "f")] = ">89"
    cells[rng.random(rows) < 0.1] = "unknown"
    until = (age + rng.integers(1, 30, rows)).astype(str).astype(object)
    until[rng.random(rows) < 0.1] = "never"
    return pd.DataFrame({"sex": sex, "age": cells, "until": until})


@cache
def model() -> synthgan.Synthesizer:
    return synthgan.fit(ages(), config=quick(400, adversarial=False))


def column_of(cells: list[str | None]) -> Column:
    return infer_columns(pd.DataFrame({"x": pd.Series(cells, dtype=object)}))["x"]


NUMBERS = [str(x) for x in range(18, 80)] * 3


@pytest.mark.parametrize(
    ("cells", "kind", "format", "words"),
    [
        ([*NUMBERS, *[">89"] * 9, *["unknown"] * 5], Kind.INTEGER, "%d", (">89", "unknown")),
        ([*NUMBERS, *["N/A"] * 6, *["?"] * 7], Kind.INTEGER, "%d", ("?", "N/A")),
        ([*[f"{x}.50" for x in NUMBERS], *["<5"] * 8], Kind.NUMBER, "%.2f", ("<5",)),
        ([*[f"${x},000" for x in NUMBERS], *["<$9,000"] * 8], Kind.INTEGER, "$#,##0", ("<$9,000",)),
        ([*[f"{x} %" for x in NUMBERS], *["100+"] * 8, None], Kind.INTEGER, "0 %", ("100+",)),
        ([*NUMBERS * 4, *["90 or more"] * 5, "o"], Kind.INTEGER, "%d", ("90 or more",)),
    ],
)  # fmt: skip
def test_numbers_with_a_few_words_are_numbers(
    cells: list[str | None], kind: Kind, format: str, words: tuple[str, ...]
) -> None:
    column = column_of(cells)
    assert (column.kind, column.format, column.words) == (kind, format, words)
    assert column.nullable == (None in cells)
    assert Schema.from_json(Schema(columns=(column,)).to_json())["x"] == column
    read = read_cells(pd.Series(cells, dtype=object), column)
    wanted = [None if cell == "o" else cell for cell in cells]
    assert write_cells(read, column).tolist() == wanted


@pytest.mark.parametrize(
    "cells",
    [
        ["0", "1", "2", "3+"] * 50,  # few numbers: levels
        [*NUMBERS, *["V57"] * 9],  # a code
        [*NUMBERS, *["12A"] * 9],
        [*NUMBERS, *[">89"] * 4],  # too few rows to be named
        [*NUMBERS, *[f"{word}!" for word in "abcdefghijklmnopqrstuvwxyz" for _ in range(5)]],
        [*NUMBERS, *["unknown"] * 300],  # more words than numbers
        [*[f"{x:05d}" for x in range(186)], *["unknown"] * 9],  # leading zeros: codes
        ["red", "green"] * 50,
    ],
)
def test_other_text_is_no_numbers(cells: list[str]) -> None:
    column = column_of(list(cells))
    assert column.words is None
    assert column.kind in (Kind.CATEGORY, Kind.TEXT)


def test_numbers_alone_have_no_words() -> None:
    assert column_of(list(NUMBERS)) == Column(
        name="x", kind=Kind.INTEGER, dtype="object", format="%d"
    )


cell = st.one_of(
    st.integers(-(10**9), 10**9).map(str), st.sampled_from([">89", "unknown"]), st.none()
)


@given(st.lists(cell, min_size=1))
def test_cells_come_back_to_the_letter(cells: list[str | None]) -> None:
    values = read_cells(pd.Series(cells, dtype=object), AGE)
    assert write_cells(values, AGE).tolist() == cells
    words = [0 if cell not in (AGE.words or ()) else 1 + (cell == "unknown") for cell in cells]
    assert words_in(values).tolist() == words


@pytest.mark.parametrize("dtype", ["object", "str", "string", "string[pyarrow]"])
@pytest.mark.parametrize("last", [">89", None])
def test_any_dtype_of_text_comes_back(dtype: str, last: str | None) -> None:
    if dtype == "string[pyarrow]":
        kind: object = pd.ArrowDtype(pa.string())
    else:
        kind = dtype
    cells = pd.Series([*NUMBERS, *[">89"] * 9, last], dtype=kind, name="x")  # type: ignore[call-overload]
    column = infer_columns(cells.to_frame())["x"]
    assert column.words == (">89",)
    pd.testing.assert_series_equal(write_cells(read_cells(cells, column), column), cells)


@given(st.lists(cell, min_size=1, max_size=40))
def test_tokens_keep_words_and_holes(cells: list[str | None]) -> None:
    frame = pd.DataFrame({"x": pd.Series(cells, dtype=object)})
    schema = Schema(columns=(replace(AGE, nullable=True),))
    config = synthgan.SummaryConfig(min_category_rows=1, extreme_rows=1)
    encoder = Encoder(schema, summarize(frame, schema, config))
    rng = np.random.default_rng(0)
    found = encoder.decode(encoder.encode(frame, rng), rng)
    assert encoder.assemble(found, start=0, rows=len(frame))["x"].tolist() == cells


@given(st.lists(st.integers(0, 1000)))
def test_tags_are_holes_to_arithmetic(words: list[int]) -> None:
    numbers = np.array(words, dtype=np.int64)
    cells = tagged(numbers)
    assert np.isnan(cells).all()
    assert words_in(cells).tolist() == words
    assert not words_in(np.array([1.0, np.nan, -np.nan, np.inf, 0.0])).any()


def test_rows_keep_words_shares_and_relations() -> None:
    real, made = ages(), model().sample(1200, seed=1)
    for name in ("age", "until"):
        assert model().schema[name].kind is Kind.INTEGER
        numbers = pd.to_numeric(made[name], errors="coerce")
        assert set(made[name][numbers.isna()]) == set(model().schema[name].words or ())
        assert numbers.median() == pytest.approx(
            pd.to_numeric(real[name], errors="coerce").median(), abs=8
        )
        for word in model().schema[name].words or ():
            share = (real[name] == word).mean()
            assert (made[name] == word).mean() == pytest.approx(share, abs=0.04)
    of = made["sex"][made["age"] == ">89"]
    assert (of == "f").mean() > 0.8
    both = made[["age", "until"]].apply(pd.to_numeric, errors="coerce").dropna()
    assert Inequality(columns=("age", "until"), strict=True) in model().schema.constraints
    assert (both["age"] < both["until"]).all()


def asked(where: object) -> pd.Series:
    return model().sample(80, where=where, seed=3)["age"]  # type: ignore[arg-type]


def test_conditions_name_numbers_and_words() -> None:
    assert (asked("age > 50").astype(int) > 50).all()
    assert (asked({"age": (30, 40)}).astype(int).between(30, 40)).all()
    assert set(asked("age == '>89'")) == {">89"}
    assert set(asked({"age": ["unknown", 40]})) == {"unknown", "40"}
    others = asked("age != '>89' and age != 30")
    assert not {">89", "30"} & set(others)
    assert "unknown" in set(others)
    assert (asked("age not in ['unknown', '>89'] and age < 30").astype(int) < 30).all()
    assert ">89" in set(asked("age is not missing"))


@pytest.mark.parametrize(
    "where", ["age > '>89'", "age == '>90'", "age is missing", "age == '>89' and age < 30"]
)
def test_conditions_that_no_row_meets_are_refused(where: str) -> None:
    with pytest.raises(ConditionError, match="age") as error:
        asked(where)
    assert "\n" not in str(error.value)


def test_given_words_stay_and_holes_are_filled() -> None:
    known = pd.DataFrame({"age": [">89", "unknown", "33", None] * 10}, dtype=object)
    made = model().sample(given=known, seed=0)
    held = known["age"].notna()
    assert made["age"][held].tolist() == known["age"][held].tolist()
    assert (made["sex"][made["age"] == ">89"] == "f").mean() > 0.8
    filled = model().impute(made.assign(age=known["age"]), n=3, how="typical")
    assert filled["age"].notna().all()
    assert filled["age"][held].tolist() == known["age"][held].tolist()
    with pytest.raises(ConditionError, match="neither numbers nor words"):
        model().sample(given=pd.DataFrame({"age": ["old"]}))


def test_rare_words_never_come_out() -> None:
    frame = ages()
    frame.loc[:3, "age"] = "secret"
    frame.loc[4:6, "age"] = "hidden"
    found = synthgan.fit(frame, config=quick(20))
    assert set(found.schema["age"].words or ()) == {">89", "unknown"}
    assert "secret" not in set(found.sample(2000, seed=0)["age"])
    assert any("words" in line for line in found.protections)
    assert b"secret" not in found.to_bytes()
    strict = synthgan.Config(
        network=quick().network,
        train=quick(20).train,
        summary=synthgan.SummaryConfig(min_category_rows=200),
    )
    assert synthgan.fit(frame, config=strict).schema["age"].words is None


def test_a_declared_word_may_be_in_no_row() -> None:
    frame = ages(400)
    schema = infer_columns(frame)
    columns = tuple(
        Column(name=c.name, kind=c.kind, dtype=c.dtype, format=c.format, words=(*c.words, "new"))
        if c.words
        else c
        for c in schema
    )
    found = synthgan.fit(frame, Schema(columns=columns), config=quick(10))
    assert len(found.sample(50)) == 50


def test_model_files_keep_words(tmp_path: Path) -> None:
    path = tmp_path / "m.synthgan"
    model().save(path)
    again = synthgan.load(path, device="cpu")
    assert again.sample(100, seed=2).equals(model().sample(100, seed=2))
    tensors, text = parts(path)
    for damage in ([0.1], [0.5, 0.5, 0.5], [], [-0.1, 0.2, 0.0]):
        text["summary"]["columns"]["age"]["words"] = damage
        damaged = rewritten(tmp_path, tensors, text)
        with pytest.raises(ModelFileError):
            synthgan.load(damaged)


def test_chunks_tell_the_same_words(tmp_path: Path) -> None:
    ages().to_csv(tmp_path / "ages.csv", index=False)
    whole = synthgan.fit(tmp_path / "ages.csv", config=quick(5))
    parts = synthgan.fit(tmp_path / "ages.csv", config=quick(5), memory_limit=1)
    assert parts.summary == whole.summary
    assert parts.schema.columns == whole.schema.columns


def test_a_private_fit_counts_declared_words() -> None:
    frame = ages(3000)[["age"]]
    frame.loc[:200, "age"] = "secret"
    config = synthgan.Config(
        network=quick().network,
        train=quick(200).train,
        privacy=synthgan.PrivacyConfig(epsilon=5),
    )
    words = ("unknown", ">89", "nobody")
    column = Column(name="age", kind=Kind.INTEGER, dtype="object", format="%d", words=words)
    found = synthgan.fit(frame, Schema(columns=(column,)), config=config)
    known = found.summary.columns["age"]
    assert isinstance(known, NumberSummary)
    real = [(frame["age"] == word).mean() for word in (*words, "secret")]
    assert known.words == pytest.approx(real, abs=0.02)
    assert known.weights[-1] == 0
    made = found.sample(2000, seed=0)["age"]
    assert (made == "unknown").mean() == pytest.approx(real[0], abs=0.06)
    assert "secret" not in set(made)
    assert (made == "nobody").mean() < 0.02
    assert pd.to_numeric(made, errors="coerce").between(10, 100).mean() > 0.6
    assert found.guarantee is not None
    assert found.guarantee.epsilon <= 5
    assert b"secret" not in found.to_bytes()


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": Kind.CATEGORY, "format": None},
        {"dtype": "float64"},
        {"format": None},
        {"format": "Decimal"},
        {"words": ("a", "a")},
        {"words": ("a" * 201,)},
    ],
)
def test_words_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    fields = {"name": "x", "kind": Kind.INTEGER, "dtype": "object", "format": "%d", "words": ("a",)}
    with pytest.raises(SchemaError, match="'x'"):
        Column(**{**fields, **wrong})  # type: ignore[arg-type]


def test_rules_on_whole_cells_are_refused() -> None:
    columns = (*infer_columns(ages()).columns,)
    for rule in (
        FixedCombinations(columns=("age", "sex")),
        MissingWhen(column="age", when="sex == 'f'"),
    ):
        with pytest.raises(SchemaError, match="words among its numbers"):
            Schema(columns=columns, constraints=(rule,))
    schema = Schema(columns=columns, constraints=(RowRule(keep="age < 80"),))
    old = ages()["age"].isin(map(str, range(80, 90)))
    frame = ages().assign(age=ages()["age"].where(~old, "79"))
    made = synthgan.fit(frame, schema, config=quick(10)).sample(300)
    assert (pd.to_numeric(made["age"], errors="coerce").dropna() < 80).all()


def test_the_judge_sees_numbers_and_words() -> None:
    real = ages(800)
    schema = infer_columns(real)
    columns = Columns.of(real, schema)
    assert columns.names == ("sex", "age", "until", "age (words)", "until (words)")
    cells = columns.read(real)
    assert np.isnan(cells.numbers["age"]).sum() == real["age"].isin([">89", "unknown"]).sum()
    assert (cells.categories["age (words)"] == ">89").sum() == (real["age"] == ">89").sum()
    assert columns.unreadable(real.assign(age=">90")) == {"age": 800}
    assert columns.unreadable(real) == {}
    swapped = real.assign(age=real["age"].replace({">89": "unknown", "unknown": ">89"}))
    shape = shape_error(real, swapped, columns=columns)
    assert shape["age"] == 0
    assert shape["age (words)"] > 1
