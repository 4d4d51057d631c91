"""Durations and times of day are numbers of seconds to the model, and come back as they were."""

from __future__ import annotations

import datetime
import io
from pathlib import Path

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
from synthgan.metrics.columns import Columns
from synthgan.schema.infer import infer_columns
from synthgan.schema.schema import Schema


def arrow(cells: list[datetime.timedelta | None], unit: str) -> pd.Series:
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.array(cells, pa.duration(unit))), name="x")


def back(cells: pd.Series) -> Column:
    """Asserts that ``cells`` come back; the column."""
    column = infer_columns(cells.to_frame())["x"]
    assert Schema.from_json(Schema(columns=(column,)).to_json())["x"] == column
    pd.testing.assert_series_equal(write_cells(read_cells(cells, column), column), cells)
    return column


spans = st.timedeltas(datetime.timedelta(days=-9000), datetime.timedelta(days=9000))


@given(st.lists(spans, min_size=1, max_size=20), st.sampled_from(["s", "ms", "us", "ns"]))
def test_durations_come_back(cells: list[datetime.timedelta], unit: str) -> None:
    numpy = np.array(cells, dtype="m8[us]").astype(f"m8[{unit}]")
    back(pd.Series(numpy, name="x"))
    back(pd.Series([*numpy, pd.NaT], name="x", dtype=f"m8[{unit}]"))
    back(pd.Series(cells, name="x", dtype=object))
    back(arrow([*numpy.astype("m8[s]").astype(object), None], "ms"))


@given(st.lists(st.times(), min_size=1, max_size=20))
def test_times_of_day_come_back(cells: list[datetime.time]) -> None:
    column = back(pd.Series([*cells, None], name="x", dtype=object))
    assert column.format == "time"


def test_their_values_are_seconds() -> None:
    cells = pd.Series(pd.to_timedelta(["00:01:30", "2 days", None]), name="x")
    column = infer_columns(cells.to_frame())["x"]
    assert (column.kind, column.dtype) == (Kind.INTEGER, str(cells.dtype))
    assert read_cells(cells, column)[:2].tolist() == [90, 172_800]
    halves = pd.Series(pd.to_timedelta(["00:00:00.5", "00:00:01"]), name="x")
    assert infer_columns(halves.to_frame())["x"].decimals == 3


def test_durations_are_learned_asked_for_and_judged() -> None:
    rng = np.random.default_rng(0)
    waits = pd.to_timedelta(rng.exponential(3600, 300).round(), "s")
    frame = pd.DataFrame({"wait": waits, "n": rng.integers(0, 3, 300)})
    model = synthgan.fit(frame, config=quick(10))
    free = model.sample(200, seed=0)
    assert free["wait"].dtype == frame["wait"].dtype
    assert free["wait"].between(waits.min(), waits.max()).all()
    hour = pd.Timedelta(hours=1)
    long = model.sample(100, where={"wait": (hour, 3 * hour)}, seed=0)["wait"]
    assert long.between(hour, 3 * hour).all()
    numbers = Columns.of(frame).read(free).numbers["wait"]
    np.testing.assert_allclose(numbers, free["wait"].dt.total_seconds())


@pytest.mark.parametrize("kind", [Kind.BOOLEAN, Kind.DATETIME, Kind.TEXT])
def test_durations_are_nothing_else(kind: Kind) -> None:
    with pytest.raises(synthgan.SchemaError, match="timedelta64"):
        Column(name="x", kind=kind, dtype="timedelta64[ns]")
    cells = pd.Series(pd.to_timedelta([1], "s"), name="x")
    with pytest.raises(synthgan.SchemaError, match="durations"):
        read_cells(cells, Column(name="x", kind=Kind.CATEGORY, dtype="timedelta64[ns]"))


@given(
    st.lists(st.integers(-(10**13), 10**13), min_size=1, max_size=20),
    st.sampled_from([1, 500, 10**3, 10**6, 3600 * 10**6, 86_400 * 10**6]),
)
def test_durations_in_csv_are_read_back_as_such(microseconds: list[int], unit: int) -> None:
    limit = 10**14 // unit
    cells = np.array([tick % limit * unit for tick in microseconds], dtype="m8[us]")
    cells = np.append(cells, -cells)
    text = pd.DataFrame({"x": cells}).to_csv(index=False)
    with_times = not text.splitlines()[1].endswith("days")  # else: whole days, a unit as any
    frame = pd.read_csv(io.StringIO(text))
    column = back(frame["x"].rename("x"))
    assert column.kind in (Kind.INTEGER, Kind.NUMBER)
    assert (column.format or "").startswith("0 days")
    seconds = cells / np.timedelta64(1, "s" if with_times else "D")
    np.testing.assert_allclose(read_cells(frame["x"], column), seconds, rtol=1e-12, atol=1e-9)


def test_durations_go_through_a_file_and_a_model(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    spans = pd.to_timedelta(rng.integers(0, 300_000, 300), unit="s")
    frame = pd.DataFrame({"span": spans, "x": rng.integers(0, 3, 300)})
    synthgan.write_table(frame, tmp_path / "spans.csv")
    model = synthgan.fit(tmp_path / "spans.csv", config=quick(5))
    assert model.schema["span"].format == "0 days 00:00:00"
    made = model.sample(50, where="span > '1 days 00:00:00'", seed=0)
    synthgan.write_table(made, tmp_path / "made.csv")
    again = pd.to_timedelta(synthgan.read_table(tmp_path / "made.csv")["span"])
    assert (again > pd.Timedelta(days=1)).all()


@pytest.mark.parametrize(
    "cells",
    [
        ["0 days 25:00:00", "1 days 00:00:00"],
        ["0 days 00:00:00.5", "1 days 00:00:00"],
        ["-1 days 00:00:00", "1 days 00:00:00"],
        ["0 days 00:00:00", "soon"],
    ],
)
def test_what_pandas_does_not_write_stays_text(cells: list[str]) -> None:
    assert infer_columns(pd.DataFrame({"x": cells * 30}))["x"].kind is Kind.CATEGORY


@pytest.mark.parametrize("places", [6, 9])
def test_zeros_of_a_fraction_are_kept_where_all_cells_have_them(places: int) -> None:
    clocks = [f"{n} days 0{n}:00:01.{'0' * places}" for n in range(5)]
    cells = pd.Series([*clocks, f"-1 days +23:59:59.{'5' * places}"], name="x")
    assert back(cells).format == f"0 days 00:00:00.{'0' * places}"
