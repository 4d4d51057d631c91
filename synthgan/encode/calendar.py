"""Which days and times of day the dates of a column keep to: weekdays, ends of months, hours.

Bins of dates are wider than days, so a date within one is drawn evenly: on Sundays too, and at
night. An :class:`Almanac` is what may be known of the rhythm beside the bins, and moves such
dates to the days and times that the column prefers. It is made of sums over rows
(:class:`DateCounts`), so it can be counted in parts, and holds nothing that stands for fewer
than ``SummaryConfig.min_category_rows`` rows (people, where rows have owners); shares are rounded
as all others are (:class:`synthgan.schema.owners.Steps`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan._typing import Bools, Dates, Floats, Ints
from synthgan.columns.column import Column
from synthgan.columns.date_format import NANOSECONDS
from synthgan.columns.dtypes import Dtype, to_dtype
from synthgan.config import SummaryConfig
from synthgan.schema.owners import Steps
from synthgan.serialization import at_most

_MINUTES = 1440
_QUARTERS = 96
_WINDOW = 15  # days by which a date may be moved
_LAST = 31  # place of the last days of months, after their 1st to 31st
_LEAST_ROWS = 100
_KNOWN = 0.5  # of the rows whose dates bins know by themselves: the rhythm would count twice
_MOST_DAYS = 40_000
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
        """``cells`` of ``column`` (see :func:`read_cells`), moved to days and times
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

    def follow_within(
        self,
        ends: tuple[float, float],
        cells: Floats,
        widths: Floats,
        column: Column,
        rng: np.random.Generator,
    ) -> Floats:
        """The same, without going beyond ``ends``: what would is moved farther inwards first."""
        a_day = NANOSECONDS["D"] / NANOSECONDS[column.resolution or "s"]
        found = self.follow(cells, widths, column, rng)
        for days in (0, 1, 2, 4, 8, 16):
            with np.errstate(invalid="ignore"):
                inwards = (found < ends[0]) * 1.0 - (found > ends[1]) * 1.0
            beyond = np.flatnonzero(inwards)
            if len(beyond):
                start = np.clip(cells[beyond] + inwards[beyond] * days * a_day, *ends)
                found[beyond] = self.follow(start, widths[beyond], column, rng)
        return np.clip(found, *ends)

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
    """Sums over dates of one column: can be taken of parts of a table, and added.

    Where rows have owners they are weights, those of one owner 1 together, and cannot be added.
    """

    rows: float
    shared: float
    """Rows, and those whose date enough rows share for bins to know it."""
    weekdays: Floats
    month_days: Floats
    minutes: Floats
    """Rows in each minute of the day."""
    on_minute: Floats
    """Of these, rows without seconds."""
    people: People | None = None
    """Owners of what is counted, where rows have any."""

    @staticmethod
    def of(cells: Floats, column: Column, config: SummaryConfig) -> DateCounts:
        """Counts of ``cells`` (rows), NaN where missing, without dates so frequent that they have
        a code of their own: those are drawn as they are, and may be no part of the rhythm."""
        present = cells[~np.isnan(cells)]
        _, which, rows = np.unique(present, return_inverse=True, return_counts=True)
        ones = np.ones(len(present))
        return DateCounts._counted(present, ones, rows[which], rows[which], None, column, config)

    @staticmethod
    def owned(
        dates: Floats, weights: Floats, owners: Ints, column: Column, config: SummaryConfig
    ) -> DateCounts:
        """The same of different ``dates`` of each of ``owners``, all (N,)."""
        _, which, people = np.unique(dates, return_inverse=True, return_counts=True)
        rows = np.bincount(which, weights)
        return DateCounts._counted(
            dates, weights, rows[which], people[which], owners, column, config
        )

    @staticmethod
    def _counted(
        dates: Floats,
        weights: Floats,
        rows: npt.NDArray[Any],
        people: Ints,
        owners: Ints | None,
        column: Column,
        config: SummaryConfig,
    ) -> DateCounts:
        """Counts of ``dates``, each of which so many ``rows`` and ``people`` share."""
        enough = config.min_category_rows
        frequent = max(8, np.ceil(weights.sum() / config.bins))
        loose = (people < enough) | (rows < frequent)
        a_day = NANOSECONDS["D"] / NANOSECONDS[column.resolution or "s"]
        wall = _to_wall(dates[loose], column) / a_day
        days = np.floor(wall).astype(np.int64)
        exact = np.round((wall - days) * _MINUTES, 6)
        minutes = np.minimum(exact.astype(np.int64), _MINUTES - 1)
        parts = (_weekday(days), 7), (_month_day(days), _LAST + 1), (minutes, _MINUTES)
        sums = [np.bincount(of, weights[loose], size).astype(np.float64) for of, size in parts]
        on_minute = exact == minutes
        whose = None
        if owners is not None:
            whose = People(*(_owners_of(of, owners[loose], size) for of, size in parts))
        return DateCounts(
            rows=float(weights.sum()),
            shared=float(weights[people >= max(enough, 2)].sum()),
            weekdays=sums[0],
            month_days=sums[1],
            minutes=sums[2],
            on_minute=np.bincount(minutes[on_minute], weights[loose][on_minute], _MINUTES).astype(
                np.float64
            ),
            people=whose,
        )

    def __add__(self, other: DateCounts) -> DateCounts:
        return DateCounts(
            rows=self.rows + other.rows,
            shared=self.shared + other.shared,
            weekdays=self.weekdays + other.weekdays,
            month_days=self.month_days + other.month_days,
            minutes=self.minutes + other.minutes,
            on_minute=self.on_minute + other.on_minute,
        )

    def almanac(self, column: Column, ends: tuple[float, float], enough: int) -> Almanac | None:
        """What may be kept; None if dates have no rhythm that bins would not show.

        ``ends`` are the least and the greatest cell that the model knows; what is kept stands for
        at least ``enough`` people.
        """
        if self.weekdays.sum() < _LEAST_ROWS or self.shared > _KNOWN * self.rows:
            return None
        a_day = NANOSECONDS["D"] / NANOSECONDS[column.resolution or "s"]
        first, last = np.floor(_to_wall(np.rint(np.array(ends)), column) / a_day).astype(np.int64)
        days = np.arange(first, min(last, first + _MOST_DAYS) + 1)
        steps = Steps.of(round(float(self.weekdays.sum())), enough)
        whose = self.people
        if whose is None:
            counted = (self.weekdays, self.month_days, self.minutes)
            whose = People(*(np.rint(each).astype(np.int64) for each in counted))
        weekdays: tuple[float, ...] = ()
        month_days: tuple[float, ...] = ()
        times: tuple[tuple[float, float], ...] = ()
        weights: tuple[float, ...] = ()
        if len(days) >= _WEEKS:
            even = np.bincount(_weekday(days), minlength=7)
            weekdays = _preferences(self.weekdays, whose.weekdays, even, steps)
        if len(days) >= _MONTHS:
            even = np.bincount(_month_day(days), minlength=_LAST + 1)
            month_days = _preferences(self.month_days, whose.month_days, even, steps)
        if column.resolution != "D":
            times, weights = self._stretches(whose.minutes, steps)
        if not (weekdays or month_days or times):
            return None
        return Almanac(weekdays=weekdays, month_days=month_days, times=times, time_weights=weights)

    def _stretches(
        self, people: Ints, steps: Steps
    ) -> tuple[tuple[tuple[float, float], ...], tuple[float, ...]]:
        """Frequent minutes, and what quarters of an hour hold beside them."""
        quarters, enough = self.minutes.reshape(_QUARTERS, -1), steps.enough
        usual = np.median(quarters, axis=1, keepdims=True)
        known = people.reshape(_QUARTERS, -1) >= enough
        is_spike = known & (quarters > 2 * usual + 3 * np.sqrt(usual) + 3)
        rest = np.where(is_spike, 0, quarters).sum(axis=1)
        # Of different minutes the owners may be the same: at least those of the most frequent.
        owners = np.where(is_spike, 0, people.reshape(_QUARTERS, -1))
        of_rest = owners.sum(axis=1) if self.people is None else owners.max(axis=1)
        found: list[tuple[float, float, float]] = []
        for start in np.flatnonzero(is_spike.ravel()).tolist():
            sharp = self.on_minute[start] >= 0.9 * self.minutes[start]
            found.append((start, start if sharp else start + 1, float(self.minutes[start])))
        for quarter in np.flatnonzero(of_rest >= enough).tolist():
            found.append((15.0 * quarter, 15.0 * quarter + 15, float(rest[quarter])))
        found.sort()
        if not found:
            return (), ()
        shares = steps.shares([n for *_, n in found], [enough] * len(found))
        return tuple((float(a), float(b)) for a, b, _ in found), shares


@dataclass(frozen=True)
class People:
    """How many owners each count of dates stands for."""

    weekdays: Ints
    month_days: Ints
    minutes: Ints


def _owners_of(keys: Ints, owners: Ints, size: int) -> Ints:
    """How many different owners each key below ``size`` has."""
    most = int(owners.max(initial=0)) + 1
    pairs = np.unique(keys * most + owners)
    return np.bincount(pairs // most, minlength=size).astype(np.int64)


def _preferences(counts: Floats, people: Ints, even: Ints, steps: Steps) -> tuple[float, ...]:
    """How many times as often as evenly spread dates each kind of day comes; empty if the
    difference may be chance."""
    there, enough = even > 0, steps.enough
    expected = counts.sum() * even / even.sum()
    distance = np.sum((counts[there] - expected[there]) ** 2 / expected[there])
    freedom = int(there.sum()) - 1
    if distance < freedom + _TELLING * np.sqrt(2 * freedom):
        return ()
    few = there & (people < enough)
    # What hardly comes is told of all such days together.
    alike = float(counts[few].sum() / max(expected[few].sum(), 1e-9))
    if people[few].max(initial=0) == 0 or counts[few].sum() < enough:
        alike = float(expected[few].sum() < 4 * enough)
    shares = np.array(steps.shares(np.where(there, counts, 0.0), people))
    ratio = shares * even.sum() / np.maximum(even, 1)
    ratio[few] = np.where(expected[few] >= 4 * enough, 0.0, round(alike, 1))
    ratio = np.where(there, ratio, 1.0)
    return tuple(np.round(ratio, 4).tolist()) if ratio.any() else ()
