"""A private summary is near the truth, made of noisy counts alone, and fits the encoder."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import math
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgan.columns.cells import read_cells
from synthgan.columns.column import Column, Kind
from synthgan.encode.encoder import Encoder
from synthgan.encode.summary import CategorySummary, NumberSummary, Summary
from synthgan.errors import ConfigError
from synthgan.privacy import summary as private_summary
from synthgan.privacy.accountant import recompute
from synthgan.privacy.histogram import _plan
from synthgan.privacy.ledger import Ledger
from synthgan.privacy.noise import add_noise
from synthgan.privacy.questions import Crosstab
from synthgan.privacy.rows import PrivateRows
from synthgan.privacy.summary import PrivateSummary, check_budget, plan_budget, summarize_privately
from synthgan.schema.schema import Schema
from synthgan.serialization import from_plain, to_plain

ROWS = 20_000
_RNG = np.random.default_rng(11)
TABLE = pd.DataFrame(
    {
        "id": np.arange(ROWS),
        "age": np.clip(_RNG.normal(40, 12, ROWS).round(), 17, 90).astype("int64"),
        "gain": np.where(_RNG.random(ROWS) < 0.9, 0.0, _RNG.lognormal(8, 1, ROWS).round(2)),
        "ratio": _RNG.beta(2, 5, ROWS),
        "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(_RNG.integers(0, 730, ROWS), unit="D"),
        "town": _RNG.choice(["Ulm", "Bonn", "Kiel", "Jena"], ROWS, p=[0.5, 0.3, 0.19, 0.01]),
        "member": _RNG.random(ROWS) < 0.3,
    }
)
TABLE.loc[_RNG.random(ROWS) < 0.1, "ratio"] = np.nan
TABLE["day"] = TABLE["day"].astype("datetime64[ns]")  # as the schema has it; pandas 3 differs
BOUNDS: dict[str, dict[str, Any]] = {
    "age": {"low": 0.0, "high": 120.0},
    "gain": {"low": 0.0, "high": 100_000.0},
    "ratio": {"low": 0.0, "high": 1.0},
    "day": {"low": "2015-01-01", "high": "2024-12-31"},
    "town": {"categories": ("Ulm", "Kiel", "Bonn", "Jena", "Rome")},
}
UNDECLARED = Schema(
    columns=(
        Column(name="id", kind=Kind.IDENTIFIER, dtype="int64"),
        Column(name="age", kind=Kind.INTEGER, dtype="int64"),
        Column(name="gain", kind=Kind.NUMBER, dtype="float64", decimals=2),
        Column(name="ratio", kind=Kind.NUMBER, dtype="float64", nullable=True),
        Column(name="day", kind=Kind.DATETIME, dtype="datetime64[ns]", resolution="D"),
        Column(name="town", kind=Kind.CATEGORY, dtype="object"),
        Column(name="member", kind=Kind.BOOLEAN, dtype="bool"),
    )
)
DECLARED = Schema(
    columns=tuple(dataclasses.replace(c, **BOUNDS.get(c.name, {})) for c in UNDECLARED)
)


def summarize(
    frame: pd.DataFrame = TABLE,
    schema: Schema = DECLARED,
    *,
    epsilon: float = 1.0,
    mechanism: Callable[..., Any] | None = None,
    seed: int = 0,
    **budget: Any,
) -> tuple[PrivateSummary, PrivateRows]:
    ledger = Ledger(plan_budget(schema, epsilon=epsilon, **{"delta": 1e-6, **budget}))
    fixed = partial(add_noise, source=np.random.default_rng(seed).bytes)
    rows = PrivateRows(frame, schema, ledger, mechanism=mechanism or fixed)
    return summarize_privately(rows, schema), rows


def errors(found: PrivateSummary, frame: pd.DataFrame, schema: Schema) -> dict[str, float]:
    """Of each column: the total variation between the weights and the codes of the rows."""
    encoder, rng = Encoder(schema, found.summary), np.random.default_rng(0)
    distances = {}
    for name, codec in encoder.codecs.items():
        codes, _ = codec.encode(read_cells(frame[name], codec.column), rng.random(len(frame)))
        shares = np.bincount(codes, minlength=codec.width) / len(frame)
        distances[name] = float(np.abs(shares - codec.prior).sum() / 2)
    return distances


@pytest.mark.parametrize("schema", [DECLARED, UNDECLARED], ids=["declared", "undeclared"])
@pytest.mark.parametrize(("epsilon", "most"), [(1.0, 0.08), (10.0, 0.015)])
def test_summaries_are_near_the_truth(schema: Schema, epsilon: float, most: float) -> None:
    found, _ = summarize(schema=schema, epsilon=epsilon)
    assert abs(found.rows - ROWS) < 300 / epsilon
    assert found.summary.rows == 20_000
    far = {name: d for name, d in errors(found, TABLE, schema).items() if d > most}
    assert not far


@pytest.mark.parametrize("schema", [DECLARED, UNDECLARED], ids=["declared", "undeclared"])
def test_the_encoder_works_with_it_unchanged(schema: Schema) -> None:
    found, _ = summarize(schema=schema, epsilon=3.0)
    encoder = Encoder(schema, found.summary)
    assert not encoder.layout.fine.any()
    tokens = encoder.encode(TABLE, np.random.default_rng(0))
    cells = encoder.decode(tokens, np.random.default_rng(1))
    made = encoder.assemble(cells, start=0, rows=len(tokens))
    assert list(made) == list(TABLE)
    assert (made.dtypes == TABLE.dtypes).drop("town").all()
    for name in ("age", "gain", "ratio"):
        spread = TABLE[name].std()
        assert abs(made[name].mean() - TABLE[name].mean()) < 0.1 * spread
    assert abs((made["day"] - TABLE["day"]).dt.days).median() < 60
    assert (made["town"] == TABLE["town"]).mean() > 0.97
    assert (made["member"] == TABLE["member"]).all()
    assert made["ratio"].isna().sum() == TABLE["ratio"].isna().sum()
    kept = from_plain(Summary, to_plain(found.summary))
    assert kept == found.summary


def test_declared_bounds_hold() -> None:
    found, _ = summarize()
    for name, low, high in [("age", 0, 120), ("gain", 0, 100_000), ("ratio", 0, 1)]:
        bottom, top = values_of(found, name)
        assert low - 0.5 <= bottom < top <= high + 0.5


def values_of(found: PrivateSummary, name: str) -> tuple[float, float]:
    known = found.summary.columns[name]
    assert isinstance(known, NumberSummary)
    return known.segments[0].values[0], max(segment.values[-1] for segment in known.segments)


def test_one_row_far_away_does_not_come_out() -> None:
    frame = TABLE.copy()
    frame["town"] = frame["town"].astype(object)
    frame.loc[0, ["gain", "town"]] = [9.87e9, "Atlantis"]
    found, _ = summarize(frame, UNDECLARED, epsilon=10.0)
    assert values_of(found, "gain")[1] < 1e6
    towns = found.summary.columns["town"]
    assert isinstance(towns, CategorySummary)
    assert towns.levels == ("Bonn", "Jena", "Kiel", "Ulm")  # by label


def test_levels_within_the_noise_are_rare() -> None:
    frame = TABLE.assign(town=np.where(np.arange(ROWS) < 3, "Rome", TABLE["town"]))
    found, _ = summarize(frame)
    towns = found.summary.columns["town"]
    assert isinstance(towns, CategorySummary)
    assert towns.levels == ("Bonn", "Jena", "Kiel", "Ulm")
    assert towns.rare_levels == 1


def test_exact_values_are_told_only_where_the_grid_is_public() -> None:
    frame = TABLE.assign(ratio=np.where(np.arange(ROWS) < 9000, 0.123456789, TABLE["ratio"]))
    frame.loc[10_000:14_000, "ratio"] = 1.0
    found, _ = summarize(frame, epsilon=10.0)
    ratios = found.summary.columns["ratio"]
    assert isinstance(ratios, NumberSummary)
    atoms = {segment.values[0] for segment in ratios.segments if not segment.is_bin}
    assert atoms == {1.0}  # a declared bound
    values = {value for segment in ratios.segments for value in segment.values}
    assert 0.123456789 not in values
    assert errors(found, frame, DECLARED)["ratio"] < 0.02


def test_the_budget_is_kept_and_the_rest_is_for_pairs() -> None:
    found, rows = summarize(schema=UNDECLARED)
    ledger = rows.ledger
    assert 0.799 < ledger.rho_left / ledger.rho < 0.801
    encoder = Encoder(UNDECLARED, found.summary)
    rows.encode(encoder.codecs)
    names = list(encoder.codecs)
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    for pair in pairs:
        table = rows.count(Crosstab(columns=pair), found.pair_variance, " x ".join(pair))
        assert table.shape == tuple(encoder.codecs[name].width for name in pair)
    assert ledger.rho_left < ledger.rho / 1000
    guarantee = ledger.guarantee()
    assert guarantee.delta == 1e-6
    assert guarantee.epsilon == pytest.approx(1.0, rel=1e-3)
    assert guarantee.epsilon <= 1.0
    assert recompute(guarantee.events, 1e-6) == guarantee.epsilon


def test_each_event_names_what_was_looked_at() -> None:
    _, rows = summarize()
    names = [event.name for event in rows.ledger.events]
    assert names[:3] == ["number of rows", "ranges of 'age', level 1 of 2", names[2]]
    assert {c for event in rows.ledger.events for c in event.columns} == {
        c.name for c in DECLARED if c.kind.is_modelled
    }
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("schema", [DECLARED, UNDECLARED], ids=["declared", "undeclared"])
@pytest.mark.parametrize("how", ["added", "removed"])
def test_neighbours_differ_in_nothing_but_counts(schema: Schema, how: str) -> None:
    """With the noisy answers frozen, one row more or less changes no question and no outcome,
    and moves each count vector by 1 at most."""
    odd = pd.DataFrame(
        [[7, 10**9, -1e12, 1e300, pd.Timestamp("1700-01-01"), "Atlantis", True]],
        columns=list(TABLE),
    ).astype({"id": "int64", "age": "int64", "member": "bool"})
    with_odd = pd.concat([TABLE, odd.astype({"day": TABLE["day"].dtype})], ignore_index=True)
    frames = (TABLE, with_odd) if how == "added" else (TABLE, TABLE.drop(index=5))
    answers: list[np.ndarray] = []
    counted: list[list[np.ndarray]] = [[], []]
    noise = partial(add_noise, source=np.random.default_rng(3).bytes)

    def first(counts: np.ndarray, variance: Fraction) -> np.ndarray:
        counted[0].append(counts)
        answers.append(noise(counts, variance))
        return answers[-1]

    def second(counts: np.ndarray, variance: Fraction) -> np.ndarray:
        frozen = answers[len(counted[1])]
        counted[1].append(counts)
        if len(counts) != len(frozen):  # a level that only one row has: not released
            frozen = np.insert(frozen, 0, 0)
        return frozen

    outcomes = [
        summarize(frame, schema, mechanism=mechanism)
        for frame, mechanism in zip(frames, (first, second), strict=True)
    ]
    (one, one_rows), (other, other_rows) = outcomes
    assert one_rows.ledger.events == other_rows.ledger.events
    for name in ("summary", "rows", "deviations", "pair_variance"):
        assert getattr(one, name) == getattr(other, name)
    for before, after in zip(*counted, strict=True):
        if len(before) < len(after):
            before = np.insert(before, 0, 0)  # Atlantis comes first
        assert np.abs(after - before).sum() <= 1


def test_people_with_many_rows_count_as_one() -> None:
    frame = TABLE.assign(id=np.arange(ROWS) // 4)
    _, rows = summarize(frame, epsilon=10.0, unit="id", rows_per_unit=2)
    assert {event.sensitivity for event in rows.ledger.events} == {2}
    found, _ = summarize(frame, epsilon=10.0, unit="id", rows_per_unit=2)
    assert abs(found.rows - ROWS / 2) < 100
    _, alone = summarize(epsilon=10.0)
    variance = [float(r.ledger.events[1].variance) for r in (rows, alone)]
    assert variance[0] == pytest.approx(4 * variance[1], rel=1e-3)


def test_too_small_a_budget_is_told_without_a_look_at_the_rows() -> None:
    def check(epsilon: float, rows: int | None = None) -> None:
        check_budget(DECLARED, plan_budget(DECLARED, epsilon=epsilon, delta=1e-6), rows)

    check(0.01)
    check(0.001, 10_000_000)
    message = r"too small for 15 pairs.*about 300 rows.*it would take an epsilon of"
    with pytest.raises(ConfigError, match=message) as caught:
        check(0.3, 300)
    assert "declare" not in str(caught.value)
    with pytest.raises(ConfigError, match="epsilon must be above 0"):
        check(0.0)
    with pytest.raises(ConfigError, match=r"about 100,000 rows.*public, declare them") as caught:
        check(0.001)
    wanted = float(str(caught.value).split("epsilon of about ")[1].split(",")[0])
    assert 0.001 < wanted < 0.1
    check(1.3 * wanted)


@pytest.mark.parametrize("rows", [ROWS, 300, 0])
def test_no_fit_is_refused_for_the_rows_that_there_are(rows: int) -> None:
    assert summarize(TABLE.head(rows), epsilon=0.3)[0].rows >= 1
    assert summarize(TABLE.head(rows), delta=1e-3)[0].rows >= 1


def test_a_table_needs_columns_to_learn() -> None:
    with pytest.raises(ConfigError, match="needs a column that can be modelled"):
        summarize(TABLE[["id"]], Schema(columns=(DECLARED["id"],)))


def alone(column: Column, cells: Any) -> tuple[PrivateSummary, pd.DataFrame]:
    frame = pd.DataFrame({column.name: pd.Series(cells)})
    schema = Schema(columns=(column,))
    found, rows = summarize(frame, schema)
    assert rows.ledger.rho_left < rows.ledger.rho / 1000  # there are no pairs
    assert errors(found, frame, schema)[column.name] < 0.12
    encoder = Encoder(schema, found.summary)
    rng = np.random.default_rng(0)
    width = encoder.codecs[column.name].width
    tokens = np.arange(max(width, 1))[:, None] if len(encoder.layout.spans) else np.zeros((3, 0))
    cells = encoder.decode(tokens.astype(np.int32), rng)
    return found, encoder.assemble(cells, start=0, rows=len(tokens))


NUMBER = {"kind": Kind.NUMBER, "dtype": "float64", "nullable": True}
INTEGER = {"kind": Kind.INTEGER, "dtype": "int64"}
DATE = {"kind": Kind.DATETIME, "dtype": "datetime64[ns]"}


@pytest.mark.parametrize(
    ("fields", "cells"),
    [
        ({**NUMBER}, [np.nan] * 500),
        ({**NUMBER}, [3.25] * 500),
        ({**NUMBER, "decimals": 1}, [0.1, 0.2, 0.3] * 500),
        ({**NUMBER, "low": 5.0, "high": 5.0}, [5.0] * 500),
        ({**NUMBER, "low": 0.0, "high": 0.0}, [0.0] * 500),
        ({**NUMBER, "low": -1e300, "high": 1e300}, [1e299, -1e299] * 500),
        ({**NUMBER, "low": 1e15, "high": 1e15 + 2}, [1e15 + 1] * 500),
        ({**NUMBER, "low": 0.0}, [1.5, 2e6] * 500),
        ({**NUMBER, "high": 0.0}, [-1.5, -2e6] * 500),
        ({**NUMBER, "low": 1e200}, [1e250] * 500),
        ({**NUMBER}, [1e300, -1e300] * 500),
        ({**NUMBER, "decimals": 15, "low": 0.0, "high": 1e6}, [0.5, 5e5] * 500),
        ({**INTEGER}, [-7, 0, 7] * 500),
        ({**INTEGER, "low": 0.0, "high": 1.0}, [0, 1, 1] * 500),
        ({**INTEGER, "low": 0.0, "high": 1e18}, [10**17, 10**18] * 500),
        ({**DATE, "resolution": "ns"}, pd.date_range("1990", periods=2000, freq="37h")),
        ({**DATE, "resolution": "s", "low": "1989-01-01", "high": "2000-01-01T12:00"},
         pd.date_range("1990", periods=2000, freq="37h")),
        ({**DATE, "resolution": "ns", "low": "1989-01-01", "high": "2000-01-01"},
         pd.date_range("1990", periods=2000, freq="37h")),
        ({"kind": Kind.BOOLEAN, "dtype": "bool"}, [True] * 500),
        ({"kind": Kind.BOOLEAN, "dtype": "boolean", "nullable": True}, [True, None] * 500),
        ({"kind": Kind.CATEGORY, "dtype": "object", "nullable": True}, [None] * 500),
        ({"kind": Kind.CATEGORY, "dtype": "int64"}, [5, 5, 9] * 500),
        ({"kind": Kind.CATEGORY, "dtype": "object", "categories": ("a", "b")}, ["a"] * 500),
        ({"kind": Kind.CATEGORY, "dtype": "object", "categories": ("a",)}, ["other"] * 500),
    ],
)  # fmt: skip
def test_odd_columns_are_taken(fields: dict[str, Any], cells: Any) -> None:
    column = Column(name="it", **fields)
    _, made = alone(column, cells)
    if fields["kind"] is Kind.INTEGER and not fields.get("high", 0.0) > 1e15:
        assert made["it"].isin(range(-10, 11)).all()


def test_a_number_without_missing_cells_makes_none() -> None:
    column = Column(name="it", **{**NUMBER, "nullable": False, "low": 0.0, "high": 9.0})
    frame = pd.DataFrame({"it": [1.0, 2.0, np.nan] * 500})
    found, _ = summarize(frame, Schema(columns=(column,)))
    assert found.summary.columns["it"].weights[-1] == 0


def test_plans_depend_on_the_schema_alone() -> None:
    for column in DECLARED:
        if column.kind.is_numeric:
            plan = _plan(column)
            assert plan.levels * len(plan.edges) < 400
            assert (np.diff(plan.edges) > 0).all()
    assert set(inspect.signature(_plan).parameters) == {"column"}


def test_no_cell_is_within_reach() -> None:
    """The module does not even import what could read a table."""
    tree = ast.parse(inspect.getsource(private_summary))
    imported = {
        node.module if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert not imported & {"pandas", "pyarrow", "synthgan.values", "synthgan.table"}


def test_rows_are_told_to_two_digits() -> None:
    assert [private_summary._rounded(rows) for rows in (1.0, 17.4, 26_048.0)] == [1, 17, 26_000]
    assert math.isfinite(summarize(TABLE.head(0), epsilon=1e4)[0].rows)


def test_odd_cells_do_not_decide_how_fine_a_grid_is() -> None:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"t": rng.normal(10, 8, ROWS).round(), "p": rng.normal(0, 1, ROWS)})
    frame.loc[:1, "t"] = [9.333333333, 14.66666667]
    frame["q"] = frame["p"].round(2)
    columns = tuple(
        Column(name=name, kind=Kind.NUMBER, dtype="float64", decimals=decimals, low=-90, high=90)
        for name, decimals in (("t", 9), ("p", None), ("q", 6))
    )
    for epsilon, told in ((10.0, (0, None, 2)), (0.05, (9, None, 6))):
        ledger = Ledger(plan_budget(Schema(columns=columns), epsilon=epsilon, delta=1e-6))
        rows = PrivateRows(frame, Schema(columns=columns), ledger)
        found = summarize_privately(rows, Schema(columns=columns))
        assert tuple(column.decimals for column in found.schema) == told
        asked = [event.name for event in ledger.events if event.name.startswith("decimals")]
        assert asked == ["decimals of 't'", "decimals of 'p'", "decimals of 'q'"]
        summary = found.summary.columns["t"]
        assert isinstance(summary, NumberSummary)
        whole = [s.values[0].is_integer() for s in summary.segments if not s.is_bin]
        assert all(whole)
