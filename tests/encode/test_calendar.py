"""Dates that are drawn keep to the weekdays, days of months and hours of those learned."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sample_tables import quick

import synthgan
from synthgan.columns.cells import read_cells
from synthgan.config import SummaryConfig
from synthgan.encode.calendar import Almanac, DateCounts
from synthgan.encode.encoder import Encoder
from synthgan.encode.summarize import summarize
from synthgan.schema.infer import infer_columns
from synthgan.serialization import from_plain, to_plain

ROWS = 1500


def weekdays(rng: np.random.Generator, rows: int = ROWS) -> pd.Series:
    days = rng.integers(0, 150, rows) * 7 + rng.integers(0, 5, rows)
    return pd.Series(pd.Timestamp("2022-01-03") + pd.to_timedelta(days, "D"))


def office_hours(rng: np.random.Generator, rows: int = ROWS) -> pd.Series:
    seconds = pd.to_timedelta(rng.integers(9 * 3600, 17 * 3600, rows), "s")
    return weekdays(rng, rows) + pd.Series(seconds)


def month_ends(rng: np.random.Generator) -> pd.Series:
    ends = pd.Series(pd.date_range("1980-01-31", periods=500, freq="ME"))
    return ends.iloc[rng.integers(0, 500, ROWS)].reset_index(drop=True)


def often_midnight(rng: np.random.Generator) -> pd.Series:
    times = office_hours(rng)
    return times.where(rng.random(ROWS) < 0.6, times.dt.normalize())


def again(dates: pd.Series, seed: int = 0) -> pd.Series:
    """``dates`` encoded and decoded, without a model in between."""
    frame = dates.to_frame("x")
    schema = infer_columns(frame)
    encoder = Encoder(schema, summarize(frame, schema, SummaryConfig()))
    rng = np.random.default_rng(seed)
    tokens = encoder.encode(frame, rng)
    found = encoder.assemble(encoder.decode(tokens, rng), start=0, rows=len(frame))["x"]
    assert found.dtype == dates.dtype
    return found


def off_hours(dates: pd.Series) -> float:
    return float(((dates.dt.hour < 9) | (dates.dt.hour >= 17)).mean())


def at_midnight(dates: pd.Series) -> float:
    return float((dates == dates.dt.normalize()).mean())


SHARES: list[tuple[Callable[..., pd.Series], Callable[[pd.Series], float], float]] = [
    (weekdays, lambda dates: float((dates.dt.day_of_week > 4).mean()), 0.0),
    (office_hours, lambda dates: float((dates.dt.day_of_week > 4).mean()), 0.0),
    (office_hours, off_hours, 0.0),
    (month_ends, lambda dates: float(dates.dt.is_month_end.mean()), 0.02),
    (often_midnight, at_midnight, 0.05),
]


@pytest.mark.parametrize(("make", "share", "within"), SHARES)
@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_days_and_times_are_kept(
    make: Callable[..., pd.Series],
    share: Callable[[pd.Series], float],
    within: float,
    zone: str | None,
) -> None:
    dates = make(np.random.default_rng(0))
    dates = dates if zone is None else dates.dt.tz_localize(zone)
    assert share(again(dates)) == pytest.approx(share(dates), abs=within)


def test_the_era_is_kept_too() -> None:
    dates = office_hours(np.random.default_rng(0))
    gaps = (again(dates) - dates).abs()
    assert gaps.median() < pd.Timedelta(days=2)
    assert gaps.max() < pd.Timedelta(days=60)


def test_scarce_days_stay_scarce_where_rows_share_the_others() -> None:
    rng = np.random.default_rng(3)
    days = pd.Series(pd.date_range("2014-05-02", periods=370, freq="D"))
    weights = np.where(days.dt.day_of_week >= 5, 0.04, 1.0)
    dates = days.iloc[rng.choice(370, 8000, p=weights / weights.sum())].reset_index(drop=True)
    shares = [(each.dt.day_of_week >= 5).mean() for each in (dates, again(dates))]
    assert shares[1] == pytest.approx(shares[0], abs=0.01)


def test_even_dates_have_no_rhythm() -> None:
    rng = np.random.default_rng(0)
    days = pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 3000, ROWS), "D"))
    frame = days.to_frame("x")
    assert summarize(frame, infer_columns(frame), SummaryConfig()).almanacs == {}


def test_counts_of_parts_are_counts_of_all() -> None:
    frame = office_hours(np.random.default_rng(0)).to_frame("x")
    column = infer_columns(frame)["x"]
    cells = read_cells(frame["x"], column)
    config = SummaryConfig()
    parts = [DateCounts.of(part, column, config) for part in np.array_split(cells, 3)]
    ends = float(cells.min()), float(cells.max())
    whole = DateCounts.of(cells, column, config).almanac(column, ends, 5)
    assert (parts[0] + parts[1] + parts[2]).almanac(column, ends, 5) == whole


def test_nothing_is_kept_of_few_rows() -> None:
    """One night among office hours, in a quarter of an hour of its own."""
    dates = office_hours(np.random.default_rng(0))
    dates.iloc[:3] = pd.Timestamp("2023-03-05 03:10:11")  # a Sunday
    frame = dates.to_frame("x")
    almanac = summarize(frame, infer_columns(frame), SummaryConfig()).almanacs["x"]
    assert almanac.times[0][0] == 9 * 60
    assert almanac.weekdays[5:] == (0.0, 0.0)


def test_conditions_and_seeds_hold() -> None:
    frame = pd.DataFrame({"at": office_hours(np.random.default_rng(0))})
    frame["n"] = np.arange(ROWS) % 3
    model = synthgan.fit(frame, config=quick(10))
    found = model.sample(300, where='at >= "2022-05-01" and at < "2022-05-20"', seed=1)
    assert found["at"].between("2022-05-01", "2022-05-20", inclusive="left").all()
    assert off_hours(found["at"]) < 0.05
    assert off_hours(model.sample(300, seed=2)["at"]) == 0
    pd.testing.assert_frame_equal(model.sample(50, seed=3), model.sample(50, seed=3))


def test_an_almanac_travels_as_json_and_is_checked() -> None:
    almanac = Almanac(
        weekdays=(1.0,) * 5 + (0.0,) * 2, times=((540.0, 600.0),), time_weights=(1.0,)
    )
    assert from_plain(Almanac, to_plain(almanac)) == almanac
    for wrong in (
        {"weekdays": (1.0,)},
        {"weekdays": (0.0,) * 7},
        {"times": ((600.0, 540.0),)},
        {"times": ((0.0, 2000.0),)},
        {"time_weights": ()},
        {"month_days": (-1.0,) * 32},
    ):
        with pytest.raises(ValueError, match="must"):
            dataclasses.replace(almanac, **wrong)
