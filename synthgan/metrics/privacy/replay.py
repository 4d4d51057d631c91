"""Replay: which of the synthetic values are real ones, by column, without a holdout.

A diagnosis that a thousand people have gives nobody away when it comes out; a social security
number does, in whatever kind of column it stands and however many rows its owner has. So only
values that single somebody out are looked for: those that fewer than five people have. Chance
puts some of these into any table (amounts, dates, cities); how many is known from the real
values alone. A value that only two people have would be found among the values of few if either
of the two were a stranger: what share of the cells this holds for is what a table of other
people would show (leave one out, as in Good 1953, "The Population Frequencies of Species and
the Estimation of Population Parameters").
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import stats

from synthgan._typing import Bools, Ints
from synthgan.columns.column import Column, Kind
from synthgan.metrics.columns import Columns, column_numbers, column_words, spell, spelled
from synthgan.metrics.measure import Estimate, Findings, Goal, Measure, Replay, Verdict
from synthgan.metrics.privacy.forms import (
    Place,
    by_form,
    by_neighbours,
    by_parts,
    is_code,
    numbers_in,
    on_clock,
    on_grid,
)
from synthgan.schema.schema import Schema

_FEW = 5  # people; what fewer have singles them out
_LEAST = 10  # real values, to speak of a column of codes
_MOST_ROWS = 50  # a value, of codes that are taken for people's own
_REPEATS = 1.2  # rows a value, of what names somebody who has several rows
_LEVEL = 0.005  # of an interval that holds for all columns, and beside all other alarms
_CHECKED = 10  # of the values of a form, one may be valid: there may be a check digit
_MOST_CHECKED = 0.2  # no more than this by check digits
_COUNTED = 0.5  # share of the numbers around that are real, where numbers stand in a row
_COUNTING_Z = 2.8
_MOST_DECIMALS = 9
_SHARED = ("city", "first_name", "last_name")  # people's, and common property all the same


def replay_findings(
    synthetic: pd.DataFrame, train: pd.DataFrame, columns: Columns, schema: Schema
) -> Findings:
    """``replayed``, in percent: synthetic cells that hold a real value that singles somebody out.

    Looked at are all columns of both tables, whatever their kind. A value singles somebody out
    if fewer than five people have it. People are the schema's ``entity``; without one, what the
    column of most values names that the schema has for an identifier or for personal, or that is
    one of codes (of few forms with room for a million values or more, real ones at most a
    thousandth of these, and 50 rows a value at most), if its values repeat; without any, rows.
    In such a column itself a value belongs to one person, however many rows have it.

    The floor is the largest of these shares: of the real cells, those whose value two to five
    people have (which a table of other people would show, too); of the synthetic numbers' real
    neighbours (which numbers that are drawn nearby, or counted, would hit); and for codes and
    names, ten times the share of real values among all that their form has room for.
    The line is about the column that is furthest beyond its floor. Its interval (Clopper and
    Pearson 1934) is one that holds at 99.5 % for all columns, so that no alarm needs to
    widen it. :attr:`Findings.replays` has a row for each column.
    """
    people = _People.of(train, schema)
    named = [name for name in train.columns if name in synthetic.columns]
    looks = [
        look
        for name in named
        if (look := _look(name, synthetic, train, columns, people)) is not None
    ]
    found = [look.judged(len(looks)) for look in looks]
    worst = max(found, key=lambda each: each.margin, default=None)
    return Findings(
        measures=(_measure(worst, len(looks), [each.replay for each in found]),),
        replays=tuple(each.replay for each in found),
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Judged:
    """A column with its interval and what it is held against."""

    replay: Replay
    share: Estimate
    floor: Estimate
    cells: int

    @property
    def margin(self) -> float:
        return self.share.low - self.floor.high


def _measure(worst: _Judged | None, looks: int, replays: Sequence[Replay]) -> Measure:
    nothing = Estimate(0.0, 0.0, 0.0)
    rung = sum(each.verdict == "replayed" for each in replays)
    note = "no column has values that single anybody out"
    if worst is not None:
        note = (
            f"column {worst.replay.column!r}, the worst of {looks}: {worst.replay.came_out:,} of "
            f"{worst.replay.singling:,} real values that fewer than {_FEW} people have"
        )
        note += f"; {rung} columns do so" if rung > 1 else ""
    return Measure(
        key="replayed",
        name="Real values that single somebody out",
        estimate=worst.share.scaled(100) if worst else nothing,
        goal=Goal.LOW,
        unit="%",
        floor=worst.floor.scaled(100) if worst else nothing,
        rows=worst.cells if worst else 0,
        note=note,
    )


# --- whose values they are ------------------------------------------------------------------


@dataclass(frozen=True, eq=False, kw_only=True)
class _People:
    """Whose row each training row is, and which columns name people, or rows."""

    schema: Schema
    of_rows: Ints
    """A number for each row's owner."""
    owner: str | None
    """The column that says so; None if each row is somebody's own."""
    naming: frozenset[str]
    """Columns whose values belong to one each."""

    @classmethod
    def of(cls, train: pd.DataFrame, schema: Schema) -> _People:
        known = {column.name: column for column in schema}
        naming = frozenset(
            str(name) for name in train.columns if _names(train[name], known.get(str(name)))
        )
        owner = schema.entity if schema.entity in train.columns else None
        if owner is None:
            owner = _finest(train, naming)
        return cls(schema=schema, of_rows=_owners(train, owner), owner=owner, naming=naming)

    def shares(self, name: str) -> bool:
        """Whether values of the column are common property, such as names of cities."""
        known = {column.name: column for column in self.schema}
        return name in known and known[name].personal in _SHARED

    def draws(self, synthetic: pd.DataFrame, cells: int) -> int:
        """How many people a synthetic table tells of, at most one a cell."""
        if self.owner is None or self.owner not in synthetic.columns:
            return cells
        return max(min(int(synthetic[self.owner].astype(object).nunique()), cells), 1)

    def holders(self, name: str, codes: Ints, values: int) -> Ints:
        """How many people have each value of column ``name``."""
        there = codes >= 0
        pairs = pd.DataFrame({"value": codes[there], "owner": self.of_rows[there]})
        if self.owner is None and name in self.naming:
            return np.ones(values, dtype=np.int64)
        counts = np.bincount(pairs.drop_duplicates()["value"], minlength=values)
        return counts.astype(np.int64)


def _names(cells: pd.Series, column: Column | None) -> bool:
    """Whether values belong to one person, device or row each."""
    if column is not None:
        if column.personal in _SHARED:
            return False
        if column.kind is Kind.IDENTIFIER or column.personal is not None:
            return True
        if column.kind in (Kind.DATETIME, Kind.BOOLEAN):
            return False
    if pd.api.types.is_datetime64_any_dtype(cells.dtype):
        return False
    words = spelled(cells)
    distinct = pd.unique(words)
    if not len(distinct) or len(words) > _MOST_ROWS * len(distinct):
        return False
    return is_code(list(distinct))


def _finest(train: pd.DataFrame, naming: frozenset[str]) -> str | None:
    """The column of most values among those that name somebody in several rows."""
    sizes = {}
    for name in naming:
        cells = train[name].astype(object)
        values = cells.nunique()
        if values >= _LEAST and cells.notna().sum() >= _REPEATS * values:
            sizes[name] = values
    order = {str(name): place for place, name in enumerate(train.columns)}
    return max(sizes, key=lambda name: (sizes[name], -order[name]), default=None)


def _owners(train: pd.DataFrame, owner: str | None) -> Ints:
    """A number for each row's owner; rows without one are their own."""
    rows = np.arange(len(train), dtype=np.int64)
    if owner is None:
        return rows
    codes = pd.factorize(train[owner].astype(object))[0].astype(np.int64)
    return np.where(codes < 0, len(train) + rows, codes)


# --- one column -----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, kw_only=True)
class _Look:
    """What one column shows."""

    column: str
    distinct: int
    singling: int
    came_out: int
    hits: float
    """Share of the synthetic cells that hold a value that singles out."""
    draws: int
    """Values that the generator drew independently, at most."""
    cells: int
    floors: tuple[Estimate, ...]
    """What chance makes, by each of several reckonings."""
    counted: float
    """Of these, what counting makes, in a column that names somebody."""

    def judged(self, looks: int) -> _Judged:
        share = _exact(self.hits, self.draws, _LEVEL / looks)
        floor = max(self.floors, key=lambda each: each.high)
        verdict: Verdict
        if not self.came_out:
            verdict = "nothing"
        elif share.low > floor.high:
            verdict = "replayed"
        else:
            verdict = "counting" if self.counted >= _COUNTED else "chance"
        return _Judged(
            replay=Replay(
                column=self.column,
                distinct=self.distinct,
                singling=self.singling,
                came_out=self.came_out,
                share=100 * self.hits,
                chance=100 * floor.value,
                verdict=verdict,
            ),
            share=share,
            floor=floor,
            cells=self.cells,
        )


def _exact(share: float, draws: int, level: float) -> Estimate:
    """Interval of Clopper and Pearson at ``1 - level``."""
    hits = share * draws
    low = float(stats.beta.ppf(level / 2, hits, draws - hits + 1)) if hits else 0.0
    high = float(stats.beta.isf(level / 2, hits + 1, draws - hits)) if hits < draws else 1.0
    return Estimate(share, min(low, share), max(high, share))


def _look(
    name: str, synthetic: pd.DataFrame, train: pd.DataFrame, columns: Columns, people: _People
) -> _Look | None:
    """What column ``name`` shows; None if it has no cells, or no value that singles out."""
    known, made = (_Values.of(frame[name], name, columns) for frame in (train, synthetic))
    if not len(known.index) or not len(made.index) or people.shares(name):
        return None
    holders = people.holders(name, known.codes, len(known.index))
    single = holders < _FEW
    if not single.any():
        return None
    hit = np.asarray(made.index.isin(known.index[single]))
    cells = int(made.cells.sum())
    naming = name in people.naming
    draws = len(made.index) if naming else people.draws(synthetic, cells)
    met = _met(known, holders, people)
    counted = _by_counting(known.only(single), made, draws, naming)
    floors = [met, counted]
    if naming:
        floors += _by_form(known.only(single), made, met.value)
    if len(floors) > 2 and not met.value:
        floors = floors[1:]  # the form says more than that no two people have met
    return _Look(
        column=name,
        distinct=len(known.index),
        singling=int(single.sum()),
        came_out=int(hit.sum()),
        hits=float(made.cells[hit].sum()) / cells,
        draws=draws,
        cells=cells,
        floors=tuple(floors),
        counted=counted.value if naming else 0.0,
    )


def _met(known: _Values, holders: Ints, people: _People) -> Estimate:
    """Share of the real cells whose value few others have: what strangers would show."""
    there = known.codes >= 0
    of_rows = holders[known.codes[there]]
    share = float(((of_rows > 1) & (of_rows <= _FEW)).mean())
    owners = len(np.unique(people.of_rows[there]))
    return Estimate.from_share(share * owners, owners)


def _by_counting(known: _Values, made: _Values, draws: int, naming: bool) -> Estimate:
    """Share of the synthetic cells that numbers drawn close by, or counted, would hit."""
    theirs = made.grid(naming, known.decimals)
    chances = by_neighbours(known.grid(naming), theirs, least=_LEAST if naming else 1)
    share = float(np.average(chances, weights=made.cells))
    if not naming:
        return Estimate.from_share(share * draws, draws)
    half = _COUNTING_Z * math.sqrt(share * (1 - share) / draws)
    return Estimate(share, max(share - half, 0.0), min(share + half, 1.0))


def _by_form(known: _Values, made: _Values, otherwise: float) -> list[Estimate]:
    """Share of the synthetic cells that values made up in the form of the real ones would hit."""
    words, theirs = known.words(), made.words()
    chances = by_form(words, theirs)
    open_ = np.isnan(chances)
    if open_.any():
        chances[open_] = by_parts(words, [theirs[i] for i in np.flatnonzero(open_)])
    told = ~np.isnan(chances)
    if not told.any():
        return []
    share = float(np.average(np.where(told, chances, otherwise), weights=made.cells))
    return [Estimate(share, share, max(share, min(_CHECKED * share, _MOST_CHECKED)))]


@dataclass(frozen=True, eq=False, kw_only=True)
class _Values:
    """The cells of a column: numbers or words, each value once."""

    codes: Ints
    """For each row the place of its value in ``index``; -1 where missing."""
    index: pd.Index
    cells: Ints
    """How many hold each value."""
    is_time: bool

    @classmethod
    def of(cls, cells: pd.Series, name: str, columns: Columns) -> _Values:
        """Numbers and times as numbers, as the column has them; all else as text."""
        column = next((each for each in columns.layout if each.name == name), None)
        if column is not None and column.kind.is_numeric and name not in columns.words:
            found = pd.Series(column_numbers(cells, column))
        else:
            found = pd.Series(column_words(cells))
        codes, index = pd.factorize(found)
        counts = np.bincount(codes[codes >= 0], minlength=len(index))
        is_time = column is not None and column.kind is Kind.DATETIME
        return cls(
            codes=codes.astype(np.int64),
            index=pd.Index(index),
            cells=counts.astype(np.int64),
            is_time=is_time,
        )

    def only(self, chosen: Bools) -> _Values:
        """The values that are chosen, without rows."""
        return replace(self, index=self.index[chosen], cells=self.cells[chosen])

    @property
    def are_numbers(self) -> bool:
        return bool(pd.api.types.is_float_dtype(self.index.dtype))

    @cached_property
    def decimals(self) -> int:
        """Digits after the point that numbers have at most."""
        if not self.are_numbers:
            return 0
        spelled = (f"{each:.{_MOST_DECIMALS}f}".rstrip("0") for each in self.index)
        return max((len(each.partition(".")[2]) for each in spelled), default=0)

    def words(self) -> list[str]:
        """Each value as text."""
        return [spell(each) for each in self.index]

    def grid(self, naming: bool, decimals: int | None = None) -> list[Place]:
        """Where each value lies among others of its kind."""
        if self.is_time:
            return on_clock(self.index.to_numpy(dtype=np.float64))
        if self.are_numbers and not naming:
            numbers = self.index.to_numpy(dtype=np.float64)
            return on_grid(numbers, self.decimals if decimals is None else decimals)
        return numbers_in(self.words())
