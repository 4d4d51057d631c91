"""Numbers that people write come back to the letter, from the table to the model and out again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_tables import quick

import synthgan
from synthgan.columns.cells import read_cells, write_cells
from synthgan.columns.column import Column, Kind
from synthgan.columns.number_format import Spelling
from synthgan.errors import SchemaError
from synthgan.metrics.columns import Columns
from synthgan.schema.infer import infer_columns
from synthgan.schema.schema import Schema


def dotted(text: str) -> str:
    """English digits as German ones."""
    return text.translate(str.maketrans(",.", ".,"))


WAYS: dict[str, tuple[int, Callable[[float], str]]] = {
    "$#,##0.00": (2, lambda x: f"{'-' * bool(x < 0)}${abs(x):,.2f}"),
    "$-#,##0.00": (2, lambda x: f"${x:,.2f}"),
    "$#,##0.00;($#,##0.00)": (2, lambda x: f"(${-x:,.2f})" if x < 0 else f"${x:,.2f}"),
    "0 %": (0, lambda x: f"{x:.0f} %"),
    "0.0%": (1, lambda x: f"{x:.1f}%"),
    "#.##0,00 €": (2, lambda x: dotted(f"{x:,.2f} €")),
    "0,00": (2, lambda x: dotted(f"{x:.2f}")),
    "#,##0": (0, lambda x: f"{x:,.0f}"),
    "#\u00a0##0,00 €": (2, lambda x: f"{x:,.2f} €".replace(",", "\u00a0").replace(".", ",")),
    "CHF #'##0.00": (2, lambda x: f"{'-' * bool(x < 0)}CHF {abs(x):,.2f}".replace(",", "'")),
    "0.## km": (2, lambda x: f"{x:.2f}".rstrip("0").rstrip(".") + " km"),
    "0 years": (0, lambda x: f"{x:.0f} years"),
}


def column_of(texts: list[str]) -> Column:
    return infer_columns(pd.DataFrame({"x": texts}))["x"]


@pytest.mark.parametrize("pattern", WAYS)
def test_numbers_come_back_as_they_were_written(pattern: str) -> None:
    places, spell = WAYS[pattern]
    numbers = np.random.default_rng(0).normal(0, 4000, 400).round(places) + 0.0
    texts = pd.Series([spell(x) for x in numbers], name="x", dtype=object)
    column = column_of(list(texts))
    assert (column.format, column.decimals) == (pattern, places or None)
    assert column.kind is (Kind.NUMBER if places else Kind.INTEGER)
    values = read_cells(texts, column)
    np.testing.assert_allclose(values, numbers)
    assert write_cells(values, column).tolist() == list(texts)
    assert Schema.from_json(Schema(columns=(column,)).to_json())["x"] == column


@given(
    st.sampled_from(sorted(WAYS)),
    st.integers(-(10**12), 10**12).map(lambda x: x / 100),
)
def test_what_is_written_is_read(pattern: str, number: float) -> None:
    spelling = Spelling.of(pattern)
    assert spelling is not None
    assert spelling.pattern == pattern
    number = round(number, spelling.places)
    texts = spelling.write(np.array([number]))
    assert spelling.read(pa.array(texts, pa.large_string())).tolist() == pytest.approx([number])
    if number:
        assert texts[0] == WAYS[pattern][1](number)


@pytest.mark.parametrize(
    ("pattern", "spell", "unit"),
    [
        ("00:00:00", lambda s: f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}", 1),
        ("0:00:00", lambda s: f"{s // 3600}:{s // 60 % 60:02d}:{s % 60:02d}", 1),
        ("00:00", lambda s: f"{s // 3600:02d}:{s // 60 % 60:02d}", 60),
    ],
)
def test_clock_times_count_their_last_field(
    pattern: str, spell: Callable[[int], str], unit: int
) -> None:
    seconds = np.random.default_rng(0).integers(0, 100_000, 300) // unit * unit
    texts = pd.Series([spell(int(s)) for s in seconds], name="x", dtype=object)
    column = column_of(list(texts))
    assert (column.kind, column.format) == (Kind.INTEGER, pattern)
    values = read_cells(texts, column)
    assert values.tolist() == (seconds / unit).tolist()
    assert write_cells(values, column).tolist() == list(texts)


@pytest.mark.parametrize(
    "texts",
    [
        ["$5", "6"],
        ["$5", "€6"],
        ["$1,23", "$4.56"],
        ["1,00", "01,00"],
        ["12 %", "7%"],
        ["A1", "A2"],
        ["3rd", "4th"],
        ["16:10", "4:03"],
        ["(5", "6"],
        ["$--5", "$5"],
        ["1,000,00", "2"],
        ["$1234567890123456.00", "$1.00"],
    ],
)
def test_what_would_not_come_back_stays_text(texts: list[str]) -> None:
    assert column_of(texts).kind is Kind.CATEGORY


def test_words_for_missing_cells_are_missing_cells() -> None:
    texts = pd.Series(["$1.00", "N/A", "$2.50", None], name="x", dtype=object)
    column = infer_columns(texts.to_frame())["x"]
    assert (column.format, column.nullable) == ("$0.00", True)
    np.testing.assert_array_equal(read_cells(texts, column), [1.0, np.nan, 2.5, np.nan])
    assert column_of(["$1.00", "unknown"]).kind is Kind.CATEGORY


def test_cells_of_another_spelling_are_refused_without_quoting_them() -> None:
    column = column_of([f"${x},000.00" for x in range(1, 40)])
    for cell in ("7.5", "€3.00", "$1.234,50", "$3.00)"):
        with pytest.raises(SchemaError, match="'x'") as caught:
            read_cells(pd.Series(["$3.00", cell], name="x"), column)
        assert cell not in str(caught.value)
    assert read_cells(pd.Series(["$-3.50", "-$1234"]), column).tolist() == [-3.5, -1234.0]


@pytest.mark.parametrize(
    ("format", "kind"),
    [("0.00", "integer"), ("#,##0,00", "number"), ("$", "number"), ("0;(1)", "integer")],
)
def test_patterns_that_say_nothing_are_refused(format: str, kind: str) -> None:
    with pytest.raises(SchemaError, match="format"):
        Column(name="x", kind=Kind(kind), dtype="object", format=format)


def test_a_pattern_needs_text() -> None:
    with pytest.raises(SchemaError, match="float64"):
        Column(name="x", kind=Kind.NUMBER, dtype="float64", format="0 %", decimals=0)


def prices(rows: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    amounts = np.where(rng.random(rows) < 0.3, 0, rng.lognormal(7, 1, rows)).round(2)
    return pd.DataFrame({"price": [f"${x:,.2f}" for x in amounts], "n": rng.integers(0, 3, rows)})


def test_prices_are_learned_as_numbers_and_asked_for_by_number_or_text() -> None:
    frame = prices()
    model = synthgan.fit(frame, config=quick())
    made = model.sample(200, where="price > 1000", seed=1)
    amounts = made["price"].str.removeprefix("$").str.replace(",", "").astype(float)
    assert (amounts > 1000).all()
    assert made["price"].str.fullmatch(r"\$\d{1,3}(,\d{3})*\.\d\d").all()
    assert (model.sample(20, where={"price": "$0.00"})["price"] == "$0.00").all()
    free = model.sample(1000, seed=2)["price"]
    assert (free == "$0.00").mean() == pytest.approx((frame["price"] == "$0.00").mean(), abs=0.15)


def test_the_judge_reads_prices_as_numbers() -> None:
    frame = prices()
    columns = Columns.of(frame, infer_columns(frame))
    numbers = columns.read(frame).numbers["price"]
    spelled = frame["price"].str.replace("[$,]", "", regex=True).astype(float)
    assert numbers.tolist() == spelled.tolist()
    assert columns.read(frame.assign(price=spelled)).numbers["price"].tolist() == spelled.tolist()


def test_a_private_fit_reads_each_cell_by_itself() -> None:
    from synthgan.privacy.reading import read_column

    column = column_of(list(prices()["price"]))
    odd = pd.Series(["$1,234.50", "12", None, "oops", "-$3.00"], name="price", dtype=object)
    whole = read_column(odd, column)
    alone = [read_column(odd.iloc[i : i + 1], column)[0] for i in range(len(odd))]
    np.testing.assert_array_equal(whole, np.array(alone))
    np.testing.assert_array_equal(whole, [1234.5, np.nan, np.nan, np.nan, -3.0])
