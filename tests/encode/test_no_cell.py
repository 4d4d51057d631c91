"""From all that a plain model file says of a column, no cell of the table can be worked out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rewriting import parts
from sample_tables import quick

import synthgan
from synthgan.columns.cells import read_cells
from synthgan.columns.column import Column, Kind
from synthgan.config import SummaryConfig
from synthgan.encode.rounding import Rounding
from synthgan.encode.sorted_values import Items
from synthgan.encode.summarize import summarize
from synthgan.encode.summary import NumberSummary
from synthgan.encode.tallies import NumberTally
from synthgan.schema.infer import infer_columns
from synthgan.schema.owners import Steps, rounded_count
from synthgan.schema.schema import Schema
from synthgan.serialization import to_plain

Rng = np.random.Generator
FEW = 5


def salaries(rng: Rng, rows: int) -> pd.Series:
    return pd.Series(np.round(rng.lognormal(10.5, 0.6, rows), 2))


def seconds(rng: Rng, rows: int) -> pd.Series:
    start = pd.Timestamp("2020-01-01")
    return pd.Series(start + pd.to_timedelta(rng.integers(0, 9 * 10**7, rows), "s"))


def whole(rng: Rng, rows: int) -> pd.Series:
    return pd.Series(rng.integers(0, 10**6, rows))


def with_ties(rng: Rng, rows: int) -> pd.Series:
    round_ones = np.round(rng.gamma(2.0, 20.0, rows)) * 100.0
    return pd.Series(np.where(rng.random(rows) < 0.7, round_ones, salaries(rng, rows)))


def with_holes(rng: Rng, rows: int) -> pd.Series:
    return salaries(rng, rows).mask(rng.random(rows) < 0.9 * rng.random())


def heavy_tail(rng: Rng, rows: int) -> pd.Series:
    return pd.Series(np.round(rng.standard_cauchy(rows) * 1000, 2))


MAKERS = (salaries, seconds, whole, with_ties, with_holes, heavy_tail)


def column_of(cells: pd.Series) -> Column:
    return infer_columns(cells.to_frame("x"))["x"]


def kept(cells: pd.Series, **settings: int) -> NumberSummary:
    frame = cells.to_frame("x")
    found = summarize(frame, infer_columns(frame), SummaryConfig(**settings)).columns["x"]
    assert isinstance(found, NumberSummary)
    return found


def values_in(plain: Any) -> np.ndarray:
    """Every number among the segments of a column's description."""
    return np.unique([v for segment in plain["segments"] for v in segment["values"]])


def worked_out(values: np.ndarray) -> Iterator[np.ndarray]:
    """What means of groups would give: if one of m rows is part of one of m + d, the mean of the d
    others (one: a cell); if two of m share all but a row, what these differ by; and whatever is
    simply there."""
    yield values
    for apart in range(1, min(7, len(values))):
        low, high = values[:-apart], values[apart:]
        for one, other in ((low, high), (high, low)):
            for more in (1, 2, 3):
                for rows in range(1, 14):
                    yield ((rows + more) * one - rows * other) / more
    a, b, c = values[:-2], values[1:-1], values[2:]
    for x, y, z in ((5, 5, 9), (5, 6, 10), (6, 6, 11), (1, 1, 1), (5, -9, -5), (7, 7, 13)):
        yield x * a + z * c - y * b


def granular(ticks: np.ndarray) -> np.ndarray:
    """The largest power of ten that divides each: to what it may have been rounded."""
    found = np.ones(len(ticks), dtype=np.int64)
    for _ in range(12):
        found = np.where((ticks % (found * 10) == 0) & (ticks != 0), found * 10, found)
    return found


def recovered(plain: Any, cells: np.ndarray, column: Column) -> tuple[int, float]:
    """Cells of fewer than five rows that are worked out, and how many would be by chance: by the
    same guesses, some of the units away in which they are."""
    scale = 10.0 ** (column.decimals or 0)
    ticks, counts = np.unique(np.rint(cells[~np.isnan(cells)] * scale), return_counts=True)
    rare = ticks[counts < FEW].astype(np.int64)
    all_of = np.concatenate([*worked_out(values_in(plain))]) * scale
    guesses = np.unique(np.rint(all_of[np.abs(all_of) < 1e17]).astype(np.int64))
    found = int(np.isin(guesses, rare).sum())
    units, away = granular(guesses), [k for k in range(-20, 21) if k]
    by_chance = [int(np.isin(guesses + k * units, rare).sum()) for k in away]
    return found, float(np.mean(by_chance))


def is_chance(found: int, by_chance: float) -> bool:
    return found <= by_chance + 5 * np.sqrt(by_chance) + 4


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("rows", [40, 300, 1230, 1499, 4000])
def test_no_cell_comes_out_by_subtraction(make: Callable[[Rng, int], pd.Series], rows: int) -> None:
    cells = make(np.random.default_rng(rows), rows)
    column = column_of(cells)
    plain = json.loads(json.dumps(to_plain(kept(cells))))
    found, by_chance = recovered(plain, read_cells(cells, column), column)
    assert is_chance(found, by_chance), (found, by_chance)


def test_overlapping_means_would_have_been_found() -> None:
    """The attack above, on what was once kept: a bin's first five rows beside its first group."""
    cells = np.sort(salaries(np.random.default_rng(3), 1230))
    starts = np.arange(0, 1200, 24)
    means = [cells[s : s + n].mean() for s in starts for n in (5, 6)]
    plain = {"segments": [{"values": means}]}
    found, by_chance = recovered(plain, cells, column_of(pd.Series(cells)))
    assert found > by_chance + 45


def test_the_file_itself_has_no_more(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"salary": salaries(rng, 1230), "at": seconds(rng, 1230)})
    frame["kind"] = rng.choice(list("ab"), 1230)
    model = synthgan.fit(frame, config=quick(1))
    model.save(tmp_path / "m.synthgan")
    _, card = parts(tmp_path / "m.synthgan")
    for name in ("salary", "at"):
        column = model.schema[name]
        found, by_chance = recovered(
            card["summary"]["columns"][name], read_cells(frame[name], column), column
        )
        assert is_chance(found, by_chance), (found, by_chance)
    assert model.rows == 1200
    shares = np.concatenate([c["weights"] for c in card["summary"]["columns"].values()])
    fits = [n for n in range(1150, 1250) if np.abs(shares * n - np.rint(shares * n)).max() < 1e-6]
    assert 1230 not in fits


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(MAKERS),
    st.integers(1, 800),
    st.integers(2, 9),
    st.integers(1, 9),
    st.integers(0, 2**32),
)
def test_means_are_of_groups_that_share_no_row(
    make: Callable[[Rng, int], pd.Series], rows: int, enough: int, extreme: int, seed: int
) -> None:
    cells = make(np.random.default_rng(seed), rows)
    column = Column(name="x", kind=Kind.NUMBER, dtype="float64", decimals=2)
    numbers = cells.astype("int64") / 1e9 if cells.dtype.kind == "M" else cells.to_numpy(float)
    groups: list[np.ndarray] = []

    class Spy(Rounding):
        def mean(self, items: Items, start: int, stop: int) -> float:
            groups.append(items.values[start:stop])
            return super().mean(items, start, stop)

    config = SummaryConfig(min_category_rows=enough, extreme_rows=extreme)
    tally = NumberTally(config, None, column=column)
    tally._rounding = Spy(enough, 2)
    tally.add(np.asarray(numbers))
    summary = tally.summary()
    present = np.asarray(numbers)[~np.isnan(numbers)]
    values, counts = np.unique(present, return_counts=True)
    assert all(len(group) >= enough for group in groups)
    groups = [group for group in groups if group[0] < group[-1]]  # others are one value
    if groups:
        used, times = np.unique(np.concatenate(groups), return_counts=True)
        of = dict(zip(values.tolist(), counts.tolist(), strict=True))
        assert all(n <= of.get(v, 0) for v, n in zip(used.tolist(), times.tolist(), strict=True))
        # No mean has a row in it whose value is kept as it is.
        alone = {s.values[0] for s in summary.segments if not s.is_bin}
        told = alone & {v for v, n in of.items() if n >= enough}
        assert not told & set(used.tolist())


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=60), st.integers(2, 30))
def test_shares_are_told_in_steps_of_more_rows_than_a_statement_stands_for(
    counts: list[int], enough: int
) -> None:
    total = sum(counts)
    if total < enough:
        return
    shares = np.array(Steps.of(total, enough).shares(counts, counts))
    assert shares.sum() == pytest.approx(1)
    told = np.unique(np.r_[0.0, shares])
    steps = np.diff(told) * total
    assert len(steps) == 0 or steps.min() > enough * 0.99
    for share, count in zip(shares, counts, strict=True):
        assert (share > 0) == (count >= enough) or max(counts) < enough


@given(st.integers(1, 10**9), st.integers(1, 50))
def test_counts_are_rounded(count: int, enough: int) -> None:
    found = rounded_count(count, enough)
    assert abs(found - count) <= max(count * 0.05, enough / 2)
    assert found % enough == 0 or len(str(found).rstrip("0")) <= 2


def test_all_counts_of_a_description_are_rounded_alike() -> None:
    """Shares of two columns over the same rows, of days and of missing cells."""
    rng = np.random.default_rng(1)
    n = 2371
    frame = pd.DataFrame(
        {
            "kind": rng.choice(list("abc"), n, p=[0.6, 0.3999, 0.0001]).astype(object),
            "age": pd.Series(rng.integers(0, 90, n)).mask(rng.random(n) < 0.1),
            "at": seconds(rng, n).dt.floor("min"),
            "note": pd.Series(["x y z " * 9 + str(i) for i in range(n)]).mask(rng.random(n) < 0.3),
        }
    )
    frame["kind2"] = frame["kind"].where(np.arange(n) > 3, None)
    summary = summarize(frame, infer_columns(frame), SummaryConfig())
    q = int(2400 / (1.25 * FEW))
    for name in ("kind", "kind2", "age"):
        told = np.array(summary.columns[name].weights) * q
        assert told == pytest.approx(np.rint(told), abs=1e-6), name
    assert summary.columns["kind2"].weights[-1] == 0  # four rows
    assert summary.unlearned["note"].missing * 100 == pytest.approx(30, abs=2)


def test_small_tables_do_not_tell_their_rows_either() -> None:
    for rows in (12, 23, 57):
        frame = pd.DataFrame({"a": list("xy") * 40, "b": np.arange(80.0) % 7}).head(rows)
        schema = Schema(
            columns=(
                Column(name="a", kind=Kind.CATEGORY, dtype="object"),
                Column(name="b", kind=Kind.NUMBER, dtype="float64", decimals=0),
            )
        )
        assert summarize(frame, schema, SummaryConfig()).rows % 5 == 0
