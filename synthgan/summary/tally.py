"""A table counted chunk by chunk, and what is kept of it in the end.

A :class:`Tally` takes chunks in any order; two tallies of different rows can be merged, so that
a table may be counted on many machines. Numbers are counted exactly up to a number of distinct
values that the caller sets, categories up to a million; beyond, see :meth:`Runs.thinned` and
:class:`CategoryTally`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.almanac import DateCounts
from synthgan.config import SummaryConfig
from synthgan.constraints import Cells, Gap, RuleTally, is_new_end, possible_gaps
from synthgan.errors import TableError
from synthgan.schema import Column, Kind, Level, Schema, words_in
from synthgan.summary.kept import (
    MOST_SIZES,
    CategorySummary,
    ColumnSummary,
    Combinations,
    GapSummary,
    NumberSummary,
    Summary,
    Unlearned,
)
from synthgan.summary.numbers import summarize_runs
from synthgan.summary.runs import Runs
from synthgan.values import read_cells

Floats = npt.NDArray[np.float64]
Hashes = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int64]

_CHUNK_ROWS = 1 << 18  # a frame is counted in pieces, so that few of its cells are held twice
_MOST_LEVELS = 1 << 20
_MOST_HASHES = 1 << 20
_NARROW = 0.1  # a gap's share of what its columns span, each between its quartiles
_FEWEST_GAPS = 100  # rows


def summarize(frame: pd.DataFrame, schema: Schema, config: SummaryConfig) -> Summary:
    """Reads ``frame`` (rows x columns), and keeps what may be kept.

    Raises :class:`TableError` if there are too few rows to keep anything of,
    :class:`SchemaError` (naming the column) if cells do not fit the schema, or (naming the
    constraint, with their number) if rows break one.
    """
    _check_rows(len(frame), config)
    tally = Tally(schema, config)
    for start in range(0, len(frame), _CHUNK_ROWS):
        tally.add(frame.iloc[start : start + _CHUNK_ROWS])
    return tally.summary()


class Tally:
    """What the chunks of a table have shown so far.

    ``most_values`` bounds how many distinct values are held of a number column; None: no bound.
    """

    def __init__(
        self, schema: Schema, config: SummaryConfig, *, most_values: int | None = None
    ) -> None:
        self.rows = 0
        self.rules = RuleTally(schema)
        self.columns: dict[str, NumberTally | CategoryTally | UnlearnedTally] = {}
        self.dates: dict[str, DateCounts] = {}
        self._schema, self._config = schema, config
        self._gaps = {
            Gap.of(schema, *pair): NumberTally(config, most_values)
            for pair in possible_gaps(schema)
        }
        for column in schema:
            if not column.kind.is_modelled:
                self.columns[column.name] = UnlearnedTally(column)
            elif column.kind.is_numeric:
                self.columns[column.name] = NumberTally(config, most_values, column.words)
            else:
                self.columns[column.name] = CategoryTally(column)

    def add(self, frame: pd.DataFrame) -> Cells:
        """Counts a chunk (rows x columns); gives the cells of its modelled columns.

        Raises :class:`SchemaError`, naming the column, if cells do not fit the schema.
        """
        cells: Cells = {}
        for column in self._schema:
            tally = self.columns[column.name]
            if isinstance(tally, UnlearnedTally):
                tally.add(frame[column.name])
            else:
                cells[column.name] = read_cells(frame[column.name], column)
                tally.add(cells[column.name])
            if column.kind is Kind.DATETIME:
                counts = DateCounts.of(cells[column.name], column, self._config)
                self._add_dates({column.name: counts})
        for gap, numbers in self._gaps.items():
            numbers.add(gap.cells(cells))
        self.rules.add(cells, len(frame))
        self.rows += len(frame)
        return cells

    def merge(self, other: Tally) -> None:
        """Adds what another tally, of the same schema, has counted."""
        self.rows += other.rows
        self.rules.merge(other.rules)
        self._add_dates(other.dates)
        for mine, theirs in zip(self._gaps.values(), other._gaps.values(), strict=True):
            mine.merge(theirs)
        for name, tally in self.columns.items():
            tally.merge(other.columns[name])  # type: ignore[arg-type]  # of one schema

    def _add_dates(self, more: Mapping[str, DateCounts]) -> None:
        for name, counts in more.items():
            self.dates[name] = self.dates[name] + counts if name in self.dates else counts

    def follow(self, schema: Schema) -> None:
        """Goes on with a schema of the same columns that says more of what their cells may be,
        or has fewer constraints."""
        self.rules.keep(schema)
        possible = set(possible_gaps(schema))
        self._gaps = {g: n for g, n in self._gaps.items() if (g.low, g.high) in possible}
        for column in schema:
            tally = self.columns[column.name]
            if isinstance(tally, UnlearnedTally):
                tally.column = column

    def summary(self) -> Summary:
        """What is kept. Raises as :func:`summarize`."""
        _check_rows(self.rows, self._config)
        columns: dict[str, ColumnSummary] = {}
        unlearned: dict[str, Unlearned] = {}
        for name, tally in self.columns.items():
            if isinstance(tally, UnlearnedTally):
                unlearned[name] = tally.summary(self._config)
            elif isinstance(tally, NumberTally):
                columns[name] = tally.summary()
            else:
                columns[name] = tally.summary(self._config)
        kept = {
            column.name: self.dates[column.name].almanac(column, self._config)
            for column in self._schema
            if column.name in self.dates
        }
        self.rules.check()
        patterns = self.rules.patterns(self._config.min_category_rows)
        return Summary(
            columns=columns,
            rows=_rounded(self.rows),
            combinations=tuple(Combinations(rows=rows) for rows in patterns.values()),
            almanacs={name: almanac for name, almanac in kept.items() if almanac is not None},
            unlearned={name: each for name, each in unlearned.items() if each != Unlearned()},
            gaps=tuple(self._kept_gaps(columns)),
        )

    def _kept_gaps(self, columns: Mapping[str, ColumnSummary]) -> Iterator[GapSummary]:
        """Differences that bins of their columns are too wide for: at most one to a column."""
        kept: list[tuple[str, str]] = []
        for gap, numbers in self._gaps.items():
            spans = [
                tally.span
                for tally in (self.columns[gap.low], self.columns[gap.high])
                if isinstance(tally, NumberTally)
            ]
            known = (columns[gap.low], columns[gap.high])
            in_bins = all(isinstance(each, NumberSummary) and each.fine for each in known)
            narrow = in_bins and numbers.span <= _NARROW * min(spans)
            if narrow and numbers.rows >= _FEWEST_GAPS and is_new_end(kept, gap.low, gap.high):
                kept.append((gap.low, gap.high))
                yield GapSummary(low=gap.low, high=gap.high, numbers=numbers.summary())


class NumberTally:
    """Counts numbers or dates, in the units of :func:`synthgan.values.read_cells`, and words."""

    def __init__(
        self, config: SummaryConfig, most_values: int | None, words: Sequence[str] | None = None
    ) -> None:
        self.missing = 0
        # Rows without a word, of each word, and of words that have no name.
        self._words = None if words is None else np.zeros(len(words) + 2, dtype=np.int64)
        self._config, self._most = config, most_values
        self._runs = Runs.of(np.zeros(0))
        self._waiting: list[Floats] = []  # sorting many rows at once is cheaper
        self._waiting_rows = 0

    def add(self, cells: Floats) -> None:
        """Counts ``cells`` (rows), which hold NaN where missing."""
        present = cells[~np.isnan(cells)]
        self.missing += len(cells) - len(present)
        if self._words is not None:
            found = np.minimum(words_in(cells), len(self._words) - 1)
            counts = np.bincount(found, minlength=len(self._words))
            self._words += counts
            self.missing -= int(counts[1:].sum())
        self._waiting.append(present)
        self._waiting_rows += len(present)
        if self._most is not None and self._waiting_rows >= self._most:
            self._settle()

    def merge(self, other: NumberTally) -> None:
        """Adds what another tally has counted."""
        self.missing += other.missing
        if self._words is not None and other._words is not None:
            self._words += other._words
        self._settle(other._settle())

    def summary(self) -> NumberSummary:
        """What is kept of the column."""
        words = [] if self._words is None else self._words[1:].tolist()
        return summarize_runs(self._settle(), self.missing, self._config, words)

    @property
    def rows(self) -> int:
        """Rows with a number."""
        return self._settle().rows

    @property
    def span(self) -> float:
        """The distance of the quartiles; 0 where there is no number."""
        runs = self._settle()
        if not runs.rows:
            return 0.0
        low, high = runs.at(np.array([runs.rows // 4, (3 * runs.rows) // 4]))
        return float(high - low)

    def _settle(self, more: Runs | None = None) -> Runs:
        runs = self._runs if more is None else self._runs.merged(more)
        if self._waiting:
            runs = runs.merged(Runs.of(np.concatenate(self._waiting)))
        if self._most is not None:
            runs = runs.thinned(self._most, self._config.extreme_rows)
        self._runs, self._waiting, self._waiting_rows = runs, [], 0
        return runs


class CategoryTally:
    """Counts the levels of a categorical or boolean column.

    Of more than a million levels the rarest are forgotten by and by, though not their rows: they
    count as rare ones. What is kept of a level is then no more than it has.
    """

    def __init__(self, column: Column) -> None:
        self.missing = 0
        self._column = column
        self._counts: dict[Level, int] = {}
        self._forgotten_rows = self._forgotten_levels = 0

    def add(self, cells: npt.NDArray[np.object_]) -> None:
        """Counts ``cells`` (rows), which hold None where missing."""
        counts = pd.Series(cells, dtype=object).value_counts(dropna=True)
        found = dict(zip(counts.index, counts.tolist(), strict=True))
        self.missing += len(cells) - sum(found.values())
        self._count(found)

    def merge(self, other: CategoryTally) -> None:
        """Adds what another tally has counted."""
        self.missing += other.missing
        self._forgotten_rows += other._forgotten_rows
        self._forgotten_levels += other._forgotten_levels
        self._count(other._counts)

    def _count(self, found: Mapping[Level, int]) -> None:
        counts = self._counts
        for level, rows in found.items():
            counts[level] = counts.get(level, 0) + rows
        if len(counts) > _MOST_LEVELS:
            rarest = sorted(counts, key=counts.__getitem__)[: len(counts) - _MOST_LEVELS // 2]
            self._forgotten_levels += len(rarest)
            self._forgotten_rows += sum(counts.pop(level) for level in rarest)

    def summary(self, config: SummaryConfig) -> CategorySummary:
        """What is kept of the column."""
        ordered = sorted(self._counts.items(), key=lambda each: (-each[1], str(each[0])))
        found = dict(ordered)
        if self._column.kind is Kind.BOOLEAN:
            kept = list(found)  # that a yes-or-no column says yes and no is no secret
        elif self._column.categories is None:
            kept = [v for v, rows in found.items() if rows >= config.min_category_rows]
            kept = kept[: config.max_categories]
        else:
            kept = list(self._column.categories)
        present = sum(found.values()) + self._forgotten_rows
        total = present + self.missing
        counts = [found.get(level, 0) for level in kept]
        counts += [present - sum(counts), self.missing]
        named = set(kept)
        rare = sum(level not in named for level in found)
        return CategorySummary(
            levels=tuple(kept),
            weights=tuple(count / total for count in counts),
            rare_levels=rare + self._forgotten_levels,
        )


class UnlearnedTally:
    """Counts missing and distinct cells of a column that is not modelled, and rows of each.

    Cells are told apart by 64-bit hashes. Of more than a million the least are held, whose
    spread tells how many there are (Bar-Yossef et al. 2002), to about 0.1 %. A hash that is held
    in the end has been held all along, so its rows are all counted.
    """

    def __init__(self, column: Column) -> None:
        self.missing = 0
        self.column = column
        self._rows = 0
        personal = column.personal is not None and column.kind is Kind.TEXT
        repeats = column.references is not None or personal or column.repeats
        self._may_repeat = repeats and column.per is None
        self._hashes: Hashes = np.zeros(0, dtype=np.uint64)
        self._counts: Counts = np.zeros(0, dtype=np.int64)

    def add(self, cells: pd.Series[Any]) -> None:
        """Counts ``cells`` (rows)."""
        present = cells.dropna()
        self._rows += len(cells)
        self.missing += len(cells) - len(present)
        if self._may_repeat:
            hashes = np.asarray(pd.util.hash_pandas_object(present, index=False), np.uint64)
            self._take(hashes, np.ones(len(hashes), dtype=np.int64))

    def merge(self, other: UnlearnedTally) -> None:
        """Adds what another tally has counted."""
        self._rows += other._rows
        self.missing += other.missing
        self._take(other._hashes, other._counts)

    def _take(self, hashes: Hashes, counts: Counts) -> None:
        found, place = np.unique(np.concatenate([self._hashes, hashes]), return_inverse=True)
        summed = np.bincount(place, np.concatenate([self._counts, counts]), len(found))
        self._hashes = found[:_MOST_HASHES]
        self._counts = summed[:_MOST_HASHES].astype(np.int64)

    def summary(self, config: SummaryConfig) -> Unlearned:
        """What is kept of the column."""
        rows, missing = self._rows, self.missing
        if missing < config.min_category_rows or not self.column.nullable:
            share = 0.0
        else:  # a few cells that are there are not told from none
            share = 1.0 if rows - missing < config.min_category_rows else round(missing / rows, 2)
        if self.column.repeats and self._may_repeat:
            return Unlearned(missing=share, sizes=self._sizes(config.min_category_rows))
        repeats = (rows - missing) / max(self._distinct(), 1) if self._may_repeat else 1.0
        return Unlearned(missing=share, rows_per_value=max(float(f"{repeats:.2g}"), 1.0))

    def _sizes(self, least: int) -> tuple[float, ...]:
        """Rows of a cell, of groups of at least ``least`` cells; those with the most rows count as
        the least of so many does, since one with far more could be told from the mean."""
        if len(self._counts) < least:
            return ()
        counts = np.sort(self._counts)
        counts = np.minimum(counts, counts[-least])
        groups = np.array_split(counts, min(MOST_SIZES, len(counts) // least))
        sizes = [float(f"{group.mean():.2g}") for group in groups]
        return tuple(sizes) if len(set(sizes)) > 1 else tuple(sizes[:1])

    def _distinct(self) -> float:
        count = len(self._hashes)
        if count < _MOST_HASHES:
            return count
        return (count - 1) / (float(self._hashes[-1]) / 2.0**64)


def _check_rows(rows: int, config: SummaryConfig) -> None:
    if rows < config.min_category_rows:
        raise TableError(
            f"a table of {rows} rows is too small: what is kept must stand for at least "
            f"{config.min_category_rows} rows (min_category_rows)"
        )


def _rounded(rows: int) -> int:
    """``rows`` to two significant digits: enough to judge by. Exact shares still tell the rest."""
    unit = int(10 ** max(len(str(rows)) - 2, 0))
    return (rows + unit // 2) // unit * unit
