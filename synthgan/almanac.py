"""Which days and times of day the dates of a column keep to: weekdays, ends of months, hours.

Bins of dates are wider than days, so a date within one is drawn evenly: on Sundays too, and at
night. An :class:`Almanac` is what may be known of the rhythm beside the bins, and moves such
dates to the days and times that the column prefers. It is made of sums over rows
(:class:`DateCounts`), so it can be counted in parts, and holds nothing that stands for fewer
than ``SummaryConfig.min_category_rows`` rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.config import SummaryConfig
from synthgan.records import at_most
from synthgan.schema import NANOSECONDS, Column, Dtype, to_dtype

Bools = npt.NDArray[np.bool_]
Dates = npt.NDArray[np.datetime64]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_MINUTES = 1440
_QUARTERS = 96
_WINDOW = 15  # days by which a date may be moved
_LAST = 31  # place of the last days of months, after their 1st to 31st
_LEAST_ROWS = 100
_KNOWN = 0.5  # of the rows whose dates bins know by themselves: the rhythm would count twice
_WEEKS, _MONTHS = 21, 120  # days that must be spanned to tell weekdays, and days of months
_TELLING = 6.0  # standard deviations of chi-squared above its mean


@dataclass(frozen=True, kw_only=True)
class Almanac:
    """How often dates fall on days and at times, compared with evenly spread ones."""

    weekdays: tuple[float, ...] = ()
    """Monday first; empty if weekdays are alike."""
    month_days: tuple[float, ...] = ()
    """The 1st to the 31st of months where they are not the last, then last days."""
    times: tuple[tuple[float, float], ...] = field(default=(), metadata=at_most(2 * _MINUTES))
    """Stretches of a day in which there are times: minutes at which each begins and ends; empty if
    the column holds days only."""
    time_weights: tuple[float, ...] = ()
    """Share of rows in each stretch."""

    def __post_init__(self) -> None:
        for name, length in (
            ("weekdays", (0, 7)),
            ("month_days", (0, _LAST + 1)),
            ("time_weights", (len(self.times),)),
        ):
            weights = getattr(self, name)
            if len(weights) not in length or any(not 0 <= w < np.inf for w in weights):
                raise ValueError(f"{name} must be {length[-1]} finite weights, not below 0")
            if weights and not any(weights):
                raise ValueError(f"{name} must not all be 0")
        ends = [minute for stretch in self.times for minute in stretch]
        if any(len(stretch) != 2 or stretch[0] > stretch[1] for stretch in self.times):
            raise ValueError("times must be stretches")
        if ends and not (min(ends) >= 0 and max(ends) <= _MINUTES):
            raise ValueError(f"times must be minutes, 0 to {_MINUTES}")

    def follow(
        self, cells: Floats, widths: Floats, column: Column, rng: np.random.Generator
    ) -> Floats:
        """``cells`` of ``column`` (see :func:`synthgan.values.read_cells`), moved to days and times
        that it prefers.

        ``widths`` says within which stretch of its units each cell is as good as any other; cells
        of width 0, and missing ones, stay.
        """
        moves = np.flatnonzero((widths > 0) & ~np.isnan(cells))
        if not len(moves):
            return cells
        a_day = NANOSECONDS["D"] / NANOSECONDS[column.resolution or "s"]
        wall = _to_wall(np.rint(cells[moves]), column) / a_day
        spread = widths[moves] / a_day
        days = np.floor(wall).astype(np.int64)
        minutes = (wall - days) * _MINUTES
        if self.weekdays or self.month_days:
            days = self._move_days(days, spread, rng)
        if self.times:
            minutes = self._move_times(minutes, spread, rng)
        moved = cells.copy()
        units = np.floor((days + minutes / _MINUTES) * a_day + 1e-3)  # 16:59:59.9 is not yet 17
        moved[moves] = _from_wall(units, column)
        return moved

    def nudge(self, cells: Floats, column: Column, rng: np.random.Generator) -> Floats:
        """``cells``, none of them missing, that are right to about a day: moved to times of that
        day that the column prefers, and by a day where it comes less often than others."""
        a_day = NANOSECONDS["D"] / NANOSECONDS[column.resolution or "s"]
        days = np.floor(_to_wall(np.rint(cells), column) / a_day).astype(np.int64)
        stays = rng.random(len(cells)) < self._weigh(days)
        return self.follow(cells, np.where(stays, 1.0, 2.0) * a_day, column, rng)

    def _move_days(self, days: Ints, spread: Floats, rng: np.random.Generator) -> Ints:
        offsets = np.arange(-_WINDOW, _WINDOW + 1)
        around = days[:, None] + offsets
        weights = self._weigh(around.ravel()).reshape(around.shape)
        near = np.abs(offsets) <= np.minimum(spread / 2, _WINDOW)[:, None]
        wanted = weights * near
        lost = ~wanted.any(axis=1)  # no day nearby is one that the column has: the nearest is
        if lost.any():
            closeness = np.where(weights[lost] > 0, 1e-6 ** np.abs(offsets / _WINDOW), 0.0) ** 3
            closeness[~closeness.any(axis=1), _WINDOW] = 1.0
            wanted[lost] = closeness
        return days + offsets[_draw(wanted, rng)]

    def _weigh(self, days: Ints) -> Floats:
        weights = np.ones(len(days))
        if self.weekdays:
            weights *= np.array(self.weekdays)[_weekday(days)]
        if self.month_days:
            weights *= np.array(self.month_days)[_month_day(days)]
        return weights

    def _move_times(self, minutes: Floats, spread: Floats, rng: np.random.Generator) -> Floats:
        starts, ends = np.array(self.times).T
        there = np.array(self.time_weights) > 0
        starts, ends, weights = starts[there], ends[there], np.array(self.time_weights)[there]
        chosen = rng.choice(len(starts), len(minutes), p=weights / weights.sum())
        narrow = spread < 0.5  # the bins know the time: at most it is put right
        after = np.clip(np.searchsorted(starts, minutes, side="right"), 1, len(starts))
        before, following = after - 1, np.minimum(after, len(starts) - 1)
        is_nearer = starts[following] - minutes < minutes - ends[before]
        chosen = np.where(narrow, np.where(is_nearer, following, before), chosen)
        drawn = starts[chosen] + (ends - starts)[chosen] * rng.random(len(minutes))
        stays = narrow & (minutes >= starts[before]) & (minutes <= ends[before])
        return np.where(stays, minutes, np.minimum(drawn, _MINUTES * (1 - 1e-9)))


def _draw(weights: Floats, rng: np.random.Generator) -> Ints:
    """A column for each row of ``weights``, by weight."""
    sums = np.cumsum(weights, axis=1)
    at = rng.random(len(weights)) * sums[:, -1]
    passed: Ints = (sums <= at[:, None]).sum(axis=1)
    found: Ints = np.minimum(passed, weights.shape[1] - 1)
    return found


def _weekday(days: Ints) -> Ints:
    return np.asarray((days + 3) % 7)  # 1970 began on a Thursday


def _month_day(days: Ints) -> Ints:
    dates: Dates = days.astype("M8[D]")
    months: Dates = dates.astype("M8[M]")
    is_last: Bools = (dates + np.timedelta64(1, "D")).astype("M8[M]") != months
    found: Ints = np.where(is_last, _LAST, (dates - months.astype("M8[D]")).astype(np.int64))
    return found


# Wall time of columns that count in UTC


def _zone(column: Column) -> Any:
    dtype: Dtype = to_dtype(column.dtype, column.name)
    return getattr(getattr(dtype, "pyarrow_dtype", dtype), "tz", None)


def _to_wall(cells: Floats, column: Column) -> Floats:
    zone = _zone(column)
    if zone is None:
        return cells
    utc = _index(cells, column).tz_localize("UTC")
    offset = utc.tz_convert(zone).tz_localize(None) - utc.tz_localize(None)
    return cells + offset.total_seconds().to_numpy() * _per_second(column)


def _from_wall(cells: Floats, column: Column) -> Floats:
    zone = _zone(column)
    if zone is None:
        return cells
    wall = _index(cells, column)
    utc = wall.tz_localize(zone, ambiguous=np.ones(len(wall), bool), nonexistent="shift_forward")
    offset = wall - utc.tz_convert("UTC").tz_localize(None)
    return cells - offset.total_seconds().to_numpy() * _per_second(column)


def _per_second(column: Column) -> float:
    return 10**9 / NANOSECONDS[column.resolution or "s"]


def _index(cells: Floats, column: Column) -> pd.DatetimeIndex:
    seconds = np.floor(cells / _per_second(column)).astype(np.int64)
    return pd.DatetimeIndex(seconds.astype("M8[s]"))


# From rows


@dataclass(frozen=True)
class DateCounts:
    """Sums over dates of one column: can be taken of parts of a table, and added."""

    rows: int
    shared: int
    """Rows, and those whose date enough rows share for bins to know it."""
    weekdays: Ints
    month_days: Ints
    minutes: Ints
    """Rows in each minute of the day."""
    on_minute: Ints
    """Of these, rows without seconds."""
    first: int
    last: int
    """Days since 1970 of the first and the last date; of none, the last is before the first."""

    @staticmethod
    def of(cells: Floats, column: Column, config: SummaryConfig) -> DateCounts:
        """Counts of ``cells`` (rows), NaN where missing, without dates so frequent that they have
        a code of their own: those are drawn as they are, and may be no part of the rhythm."""
        present = cells[~np.isnan(cells)]
        _, which, rows = np.unique(present, return_inverse=True, return_counts=True)
        shared = int((rows[which] >= max(config.min_category_rows, 2)).sum())
        frequent = max(config.min_category_rows, 8, np.ceil(len(present) / config.bins))
        loose = present[rows[which] < frequent]
        a_day = NANOSECONDS["D"] / NANOSECONDS[column.resolution or "s"]
        wall = _to_wall(loose, column) / a_day
        days = np.floor(wall).astype(np.int64)
        exact = np.round((wall - days) * _MINUTES, 6)
        minutes = np.minimum(exact.astype(np.int64), _MINUTES - 1)
        return DateCounts(
            rows=len(present),
            shared=shared,
            weekdays=np.bincount(_weekday(days), minlength=7),
            month_days=np.bincount(_month_day(days), minlength=_LAST + 1),
            minutes=np.bincount(minutes, minlength=_MINUTES),
            on_minute=np.bincount(minutes[exact == minutes], minlength=_MINUTES),
            first=int(days.min(initial=2**31)),
            last=int(days.max(initial=-(2**31))),
        )

    def __add__(self, other: DateCounts) -> DateCounts:
        return DateCounts(
            rows=self.rows + other.rows,
            shared=self.shared + other.shared,
            weekdays=self.weekdays + other.weekdays,
            month_days=self.month_days + other.month_days,
            minutes=self.minutes + other.minutes,
            on_minute=self.on_minute + other.on_minute,
            first=min(self.first, other.first),
            last=max(self.last, other.last),
        )

    def almanac(self, column: Column, config: SummaryConfig) -> Almanac | None:
        """What may be kept; None if dates have no rhythm that bins would not show."""
        if self.weekdays.sum() < _LEAST_ROWS or self.shared > _KNOWN * self.rows:
            return None
        enough = config.min_category_rows
        days = np.arange(self.first, min(self.last, self.first + 40_000) + 1)
        weekdays: tuple[float, ...] = ()
        month_days: tuple[float, ...] = ()
        times: tuple[tuple[float, float], ...] = ()
        weights: tuple[float, ...] = ()
        if len(days) >= _WEEKS:
            even = np.bincount(_weekday(days), minlength=7)
            weekdays = _preferences(self.weekdays, even, enough)
        if len(days) >= _MONTHS:
            even = np.bincount(_month_day(days), minlength=_LAST + 1)
            month_days = _preferences(self.month_days, even, enough)
        if column.resolution != "D":
            times, weights = _stretches(self.minutes, self.on_minute, enough)
        if not (weekdays or month_days or times):
            return None
        return Almanac(weekdays=weekdays, month_days=month_days, times=times, time_weights=weights)


def _preferences(counts: Ints, even: Ints, enough: int) -> tuple[float, ...]:
    """How many times as often as evenly spread dates each kind of day comes; empty if the
    difference may be chance."""
    there = even > 0
    expected = counts.sum() * even / even.sum()
    distance = np.sum((counts[there] - expected[there]) ** 2 / expected[there])
    freedom = int(there.sum()) - 1
    if distance < freedom + _TELLING * np.sqrt(2 * freedom):
        return ()
    ratio = counts / np.maximum(expected, 1e-9)
    few = there & (counts < enough)
    if few.any():  # what hardly comes is told of all such days together
        rows, wanted = int(counts[few].sum()), float(expected[few].sum())
        alike = rows / wanted if rows >= enough else float(wanted < 4 * enough)
        ratio[few] = np.where(expected[few] >= 4 * enough, 0.0, alike)
    ratio = np.where(there, ratio, 1.0)
    return tuple(np.round(ratio, 4).tolist()) if ratio.any() else ()


def _stretches(
    minutes: Ints, on_minute: Ints, enough: int
) -> tuple[tuple[tuple[float, float], ...], tuple[float, ...]]:
    """Frequent minutes, and what quarters of an hour hold beside them."""
    quarters = minutes.reshape(_QUARTERS, -1)
    usual = np.median(quarters, axis=1, keepdims=True)
    is_spike = (quarters >= enough) & (quarters > 2 * usual + 3 * np.sqrt(usual) + 3)
    rest = np.where(is_spike, 0, quarters).sum(axis=1)
    found: list[tuple[float, float, int]] = [
        (float(start), float(start if on_minute[start] >= 0.9 * minutes[start] else start + 1), n)
        for start, n in ((int(m), int(minutes[m])) for m in np.flatnonzero(is_spike.ravel()))
    ]
    found += [(15.0 * q, 15.0 * q + 15, int(rest[q])) for q in np.flatnonzero(rest >= enough)]
    found.sort()
    total = sum(n for *_, n in found)
    if not total:
        return (), ()
    return tuple((a, b) for a, b, _ in found), tuple(round(n / total, 6) for *_, n in found)
