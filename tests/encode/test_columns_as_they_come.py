"""Awkward columns keep what makes them what they are, without a model in between."""

from __future__ import annotations

import decimal

import numpy as np
import pandas as pd
import pytest
from sample_tables import quick

import synthgan
from synthgan.columns.column import Kind
from synthgan.config import SummaryConfig
from synthgan.encode.encoder import Encoder
from synthgan.encode.summarize import summarize
from synthgan.schema.infer import infer_columns

RNG = np.random.default_rng(0)
ROWS = 2000


def again(cells: object) -> pd.Series:
    frame = pd.DataFrame({"x": cells})
    schema = infer_columns(frame)
    encoder = Encoder(schema, summarize(frame, schema, SummaryConfig()))
    rng = np.random.default_rng(1)
    tokens = encoder.encode(frame, rng)
    return encoder.assemble(encoder.decode(tokens, rng), start=0, rows=len(frame))["x"]


def test_zeros_and_decimals_of_amounts() -> None:
    cells = np.where(RNG.random(ROWS) < 0.7, 0, RNG.lognormal(3, 1, ROWS).round(2))
    found = again(cells)
    assert (found == 0).mean() == (cells == 0).mean()
    assert (found.round(2) == found).all()
    assert (found[found > 0] > 0.5).all()


def test_ends_of_a_scale() -> None:
    cells = np.clip(RNG.normal(80, 20, ROWS), 0, 100).round(1)
    found = again(cells)
    assert found.max() == 100
    assert found.min() >= 0
    assert (found == 100).mean() == (cells == 100).mean()


def test_two_peaks_leave_a_gap() -> None:
    cells = np.where(RNG.random(ROWS) < 0.4, RNG.normal(0, 1, ROWS), RNG.normal(50, 1, ROWS))
    found = again(cells)
    assert found.between(10, 40).mean() < 0.002
    assert (found < 25).mean() == pytest.approx((cells < 25).mean(), abs=0.002)


def test_heavy_tails() -> None:
    cells = RNG.pareto(1.2, ROWS)
    found = again(cells)
    for q in (0.1, 0.5, 0.9, 0.99):
        assert found.quantile(q) == pytest.approx(np.quantile(cells, q), rel=0.1)
    assert found.max() <= np.sort(cells)[-5]


def test_ordinal_codes_are_only_those_shown() -> None:
    cells = RNG.choice([1, 2, 3, 5, 8], ROWS)
    assert again(cells).tolist() == cells.tolist()


def test_exact_decimals() -> None:
    cells = [decimal.Decimal(int(cents)) / 100 for cents in RNG.integers(0, 10**6, 500)]
    found = again(cells)
    assert all(isinstance(cell, decimal.Decimal) for cell in found)
    assert all(cell.as_tuple().exponent == -2 for cell in found)


@pytest.mark.parametrize("rows", [110, 250, 400])
def test_numbers_of_small_tables_are_not_a_few_means(rows: int) -> None:
    cells = RNG.normal(0, 1, rows)
    found = again(cells)
    assert found.nunique() > rows / 3
    assert found.std() == pytest.approx(cells.std(), rel=0.2)


def test_extremes_are_pulled_in_to_the_value_beyond_the_bins() -> None:
    low = RNG.normal(0, 1, 1000)
    cells = np.r_[low, np.full(60, 90.0), 95, 96, 97]
    found = again(cells)
    assert (found == 90).sum() == 63


def test_lists_stay_whole() -> None:
    cells = RNG.choice(["a|b", "a", "b|c|d"], ROWS)
    assert again(cells).tolist() == cells.tolist()


def test_many_categories() -> None:
    cells = [f"c{i % 20_000}" for i in range(100_000)]
    frame = pd.DataFrame({"x": cells})
    schema = infer_columns(frame)
    summary = summarize(frame, schema, SummaryConfig())
    assert schema["x"].kind is Kind.CATEGORY
    encoder = Encoder(schema, summary)
    assert encoder.layout.entries == 10_001
    assert encoder.encode(frame, np.random.default_rng(0)).nbytes == 2 * len(frame)


@pytest.mark.parametrize("cell", [[1, 2], {"a": 1}, b"secret", 1j], ids=lambda c: type(c).__name__)
def test_nested_and_binary_cells_are_refused(cell: object) -> None:
    with pytest.raises(synthgan.SchemaError, match=r"'x'.*drop the column") as caught:
        synthgan.fit(pd.DataFrame({"x": pd.Series([cell] * 30)}))
    assert "secret" not in str(caught.value)


def test_tiny_tables_are_learned_or_refused_in_one_line() -> None:
    with pytest.raises(synthgan.TableError, match="3 rows is too small"):
        synthgan.fit(pd.DataFrame({"x": [1, 2, 3]}))
    model = synthgan.fit(pd.DataFrame({"x": range(6), "y": list("aaabbb")}), config=quick(3))
    assert len(model.sample(20)) == 20


def test_columns_that_are_nearly_the_same_stay_so() -> None:
    first = RNG.normal(0, 1, 600).round(2)
    frame = pd.DataFrame({"a": first, "b": first, "c": RNG.integers(0, 2, 600)})
    found = synthgan.fit(frame, config=quick(200, adversarial=False)).sample(300, seed=0)
    assert np.corrcoef(found["a"], found["b"])[0, 1] > 0.5
