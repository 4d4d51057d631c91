"""A table counted chunk by chunk, and what is kept of it in the end.

A :class:`Tally` takes chunks in any order; two tallies of different rows can be merged, so that
a table may be counted on many machines. Numbers are counted exactly up to a number of distinct
values that the caller sets, categories up to a million; beyond, see :meth:`Runs.thinned` and
:class:`CategoryTally`. Rows that have owners are counted with them, all of some owners' if those of
all would be too many; see :mod:`synthgan.people`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.almanac import Almanac, DateCounts
from synthgan.config import SummaryConfig
from synthgan.constraints import Cells, Gap, RuleTally, is_new_end, possible_gaps
from synthgan.errors import TableError
from synthgan.people import (
    Gathered,
    OwnedCounts,
    Owners,
    Pairs,
    Steps,
    owners_in,
    rounded_count,
    weigh,
)
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
from synthgan.summary.numbers import Absent, Rounding, summarize_runs
from synthgan.summary.runs import Runs
from synthgan.values import read_cells

Floats = npt.NDArray[np.float64]
Hashes = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]

_CHUNK_ROWS = 1 << 18  # a frame is counted in pieces, so that few of its cells are held twice
_MOST_LEVELS = 1 << 20
_MOST_HASHES = 1 << 20
_FEWEST_PAIRS = 1 << 20  # of a column whose rows have owners, at least where all are held
_NARROW = 0.1  # a gap's share of what its columns span, each between its quartiles
_FEWEST_GAPS = 100  # rows


def summarize(
    frame: pd.DataFrame,
    schema: Schema,
    config: SummaryConfig,
    *,
    owners: Owners | None = None,
) -> Summary:
    """Reads ``frame`` (rows x columns), and keeps what may be kept.

    ``owners`` are hashes (rows) of whose rows they are; None: the schema's entity tells.

    Raises :class:`TableError` if there are too few rows to keep anything of,
    :class:`SchemaError` (naming the column) if cells do not fit the schema, or (naming the
    constraint, with their number) if rows break one.
    """
    tally = Tally(schema, config, owned=owners is not None)
    for start in range(0, len(frame), _CHUNK_ROWS):
        part = slice(start, start + _CHUNK_ROWS)
        tally.add(frame.iloc[part], None if owners is None else owners[part])
    return tally.summary()


class Tally:
    """What the chunks of a table have shown so far.

    ``most_values`` bounds how many distinct values are held of a number column; None: no bound.
    Rows have owners if the schema has an entity, or if they are ``owned``.
    """

    def __init__(
        self,
        schema: Schema,
        config: SummaryConfig,
        *,
        most_values: int | None = None,
        owned: bool = False,
    ) -> None:
        self.rows = 0
        self._owned = owned or schema.entity is not None
        most = most_values
        if self._owned and most is not None:
            most = max(most, _FEWEST_PAIRS)
        self.rules = RuleTally(schema, most, owned=self._owned)
        self.columns: dict[str, NumberTally | CategoryTally | UnlearnedTally] = {}
        self.dates: dict[str, DateCounts] = {}
        self._owners: Owners = np.zeros(0, dtype=np.uint64)  # the least ones
        self._schema, self._config = schema, config
        self._gaps = {
            gap: NumberTally(config, most, column=gap.column, owned=self._owned)
            for gap in (Gap.of(schema, *pair) for pair in possible_gaps(schema))
        }
        for column in schema:
            if not column.kind.is_modelled:
                self.columns[column.name] = UnlearnedTally(column, most, owned=self._owned)
            elif column.kind.is_numeric:
                self.columns[column.name] = NumberTally(
                    config, most, column.words, column=column, owned=self._owned
                )
            else:
                self.columns[column.name] = CategoryTally(column, most, owned=self._owned)

    @property
    def owners(self) -> int:
        """Whose rows they are: rows, unless they have owners."""
        return self._owners_of_all() if self._owned else self.rows

    def add(self, frame: pd.DataFrame, owners: Owners | None = None) -> Cells:
        """Counts a chunk (rows x columns); gives the cells of its modelled columns.

        ``owners`` are hashes (rows); None: the schema's entity tells, if there is one.

        Raises :class:`SchemaError`, naming the column, if cells do not fit the schema.
        """
        if owners is None and self._schema.entity is not None:
            owners = owners_in(frame[self._schema.entity])
        cells: Cells = {}
        for column in self._schema:
            tally = self.columns[column.name]
            if isinstance(tally, UnlearnedTally):
                tally.add(frame[column.name], owners)
            else:
                cells[column.name] = read_cells(frame[column.name], column)
                tally.add(cells[column.name], owners)
            if column.kind is Kind.DATETIME and owners is None:
                counts = DateCounts.of(cells[column.name], column, self._config)
                self._add_dates({column.name: counts})
        for gap, numbers in self._gaps.items():
            numbers.add(gap.cells(cells), owners)
        self.rules.add(cells, len(frame), owners)
        self.rows += len(frame)
        self._add_owners(owners)
        return cells

    def merge(self, other: Tally) -> None:
        """Adds what another tally, of the same schema, has counted."""
        self.rows += other.rows
        self._add_owners(other._owners)
        self.rules.merge(other.rules)
        self._add_dates(other.dates)
        for mine, theirs in zip(self._gaps.values(), other._gaps.values(), strict=True):
            mine.merge(theirs)
        for name, tally in self.columns.items():
            tally.merge(other.columns[name])  # type: ignore[arg-type]  # of one schema

    def _add_owners(self, owners: Owners | None) -> None:
        if owners is not None:
            self._owners = np.unique(np.concatenate([self._owners, owners]))[:_MOST_HASHES]

    def _owners_of_all(self) -> int:
        return round(_estimated(self._owners))

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
            elif isinstance(tally, NumberTally):
                tally.follow(column)

    def summary(self) -> Summary:
        """What is kept. Raises as :func:`summarize`."""
        config, owners = self._config, self.owners
        self._check_size(owners)
        steps = Steps.of(owners, config.min_category_rows)
        columns: dict[str, ColumnSummary] = {}
        unlearned: dict[str, Unlearned] = {}
        for name, tally in self.columns.items():
            if isinstance(tally, UnlearnedTally):
                unlearned[name] = tally.summary(config, steps)
            else:
                columns[name] = tally.summary(config, steps)
        self.rules.check()
        patterns = self.rules.patterns(config.min_category_rows)
        return Summary(
            columns=columns,
            rows=rounded_count(self.rows, config.min_category_rows),
            combinations=tuple(Combinations(rows=rows) for rows in patterns.values()),
            almanacs=dict(self._almanacs(columns)),
            unlearned={name: each for name, each in unlearned.items() if each != Unlearned()},
            gaps=tuple(self._kept_gaps(columns, steps)),
        )

    def _check_size(self, owners: int) -> None:
        enough = self._config.min_category_rows
        if owners < enough:
            what = f"{owners} rows" if not self._owned else f"the rows of {owners}"
            whose = "rows" if not self._owned else "people, or whatever its rows are of"
            raise TableError(
                f"a table of {what} is too small: what is kept must stand for at least {enough} "
                f"{whose} (min_category_rows)"
            )

    def _almanacs(self, columns: Mapping[str, ColumnSummary]) -> Iterator[tuple[str, Almanac]]:
        for column in self._schema:
            known, tally = columns.get(column.name), self.columns[column.name]
            if column.kind is not Kind.DATETIME or not isinstance(known, NumberSummary):
                continue
            counts = self.dates.get(column.name)
            if self._owned and isinstance(tally, NumberTally):
                counts = tally.dates(column)
            if counts is not None and known.segments:
                ends = known.segments[0].values[0], known.segments[-1].values[-1]
                found = counts.almanac(column, ends, self._config.min_category_rows)
                if found is not None:
                    yield column.name, found

    def _kept_gaps(
        self, columns: Mapping[str, ColumnSummary], steps: Steps
    ) -> Iterator[GapSummary]:
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
                found = numbers.summary(self._config, steps)
                yield GapSummary(low=gap.low, high=gap.high, numbers=found)


class NumberTally:
    """Counts numbers or dates, in the units of :func:`synthgan.values.read_cells`, and words."""

    def __init__(
        self,
        config: SummaryConfig,
        most_values: int | None,
        words: Sequence[str] | None = None,
        *,
        column: Column | None = None,
        owned: bool = False,
    ) -> None:
        # Cells that are missing, of each word, and of words that have no name.
        self._absent = np.zeros(1 if words is None else len(words) + 2, dtype=np.int64)
        self._config, self._most = config, most_values
        self._rounding = Rounding.of(column, config)
        self._runs = Runs.of(np.zeros(0))
        self._waiting: list[Floats] = []  # sorting many rows at once is cheaper
        self._waiting_rows = 0
        self._owned = OwnedNumbers(most_values) if owned else None

    @property
    def missing(self) -> int:
        """Rows with neither a number nor a word."""
        return int(self._absent[0])

    def add(self, cells: Floats, owners: Owners | None = None) -> None:
        """Counts ``cells`` (rows), which hold NaN where missing."""
        there = ~np.isnan(cells)
        present, last = cells[there], len(self._absent) - 1
        absent = np.minimum(words_in(cells[~there]), last) if last else np.zeros(0, dtype=np.int64)
        if not last:
            self._absent[0] += len(cells) - len(present)
        else:
            self._absent += np.bincount(absent, minlength=last + 1)
        if self._owned is not None and owners is not None:
            absent = absent if last else np.zeros(len(cells) - len(present), dtype=np.int64)
            self._owned.add(present, owners[there], absent, owners[~there])
            return
        self._waiting.append(present)
        self._waiting_rows += len(present)
        if self._most is not None and self._waiting_rows >= self._most:
            self._settle()

    def merge(self, other: NumberTally) -> None:
        """Adds what another tally has counted."""
        self._absent += other._absent
        if self._owned is not None and other._owned is not None:
            self._owned.merge(other._owned)
        else:
            self._settle(other._settle())

    def summary(
        self, config: SummaryConfig | None = None, steps: Steps | None = None
    ) -> NumberSummary:
        """What is kept of the column; ``steps`` are those of its table."""
        config = config or self._config
        runs = self._settle()
        if self._owned is None:
            counts = tuple(map(float, self._absent.tolist()))
            absent = Absent(counts, tuple(self._absent.tolist()))
        else:
            absent = self._owned.absent(len(self._absent))
        if steps is None:
            steps = Steps.of(runs.rows + round(sum(absent.counts)), config.min_category_rows)
        return summarize_runs(runs, absent, config, self._rounding, steps)

    def follow(self, column: Column) -> None:
        """Goes on with a column that says more of what cells may be."""
        self._rounding = Rounding.of(column, self._config)

    def dates(self, column: Column) -> DateCounts:
        """What dates that have owners keep to."""
        items = self._settle().expanded()
        assert items.weights is not None, "rows have owners"
        assert items.owners is not None, "rows have owners"
        return DateCounts.owned(items.values, items.weights, items.owners, column, self._config)

    @property
    def rows(self) -> int:
        """Rows with a number; what they weigh, where they have owners."""
        return self._settle().rows

    @property
    def span(self) -> float:
        """The distance of the quartiles; 0 where there is no number."""
        runs = self._settle()
        if not len(runs.values):
            return 0.0
        below = runs.counts.cumsum()
        low, high = runs.values[
            np.searchsorted(below, below[-1] * np.array([0.25, 0.75]), side="right")
        ]
        return float(high - low)

    def _settle(self, more: Runs | None = None) -> Runs:
        if self._owned is not None:
            return self._owned.runs()
        runs = self._runs if more is None else self._runs.merged(more)
        if self._waiting:
            runs = runs.merged(Runs.of(np.concatenate(self._waiting)))
        if self._most is not None:
            ends = self._config.extreme_rows + self._config.min_category_rows
            runs = runs.thinned(self._most, ends)
        self._runs, self._waiting, self._waiting_rows = runs, [], 0
        return runs


class OwnedNumbers:
    """Numbers of a column and whose they are, and who has none."""

    def __init__(self, most: int | None) -> None:
        self._present, self._absent = Gathered(most), Gathered(most)
        self._runs: Runs | None = None

    def add(self, numbers: Floats, whose: Owners, absent: Ints, without: Owners) -> None:
        """Counts rows with a number, and rows without."""
        self._runs = None
        self._present.add(Pairs.of(numbers, whose))
        self._absent.add(Pairs.of(absent.astype(np.float64), without))

    def merge(self, other: OwnedNumbers) -> None:
        """Adds what another one has counted."""
        self._runs = None
        self._present.add(other._present.settled())
        self._absent.add(other._absent.settled())

    def _pairs(self) -> tuple[Pairs, Pairs]:
        """With a number, and without; of the same owners."""
        halvings = max(each.settled().halvings for each in (self._present, self._absent))
        return self._present.settled(halvings), self._absent.settled(halvings)

    def runs(self) -> Runs:
        """The numbers, weighed by owner."""
        if self._runs is None:
            present, absent = self._pairs()
            self._runs = Runs.owned(present, weigh(present, absent)[0])
        return self._runs

    def absent(self, kinds: int) -> Absent:
        """What is known of rows without a number: missing cells, and each word."""
        present, absent = self._pairs()
        _, weights = weigh(present, absent)
        keys = absent.keys.astype(np.int64)
        people = np.bincount(keys, minlength=kinds)
        counts = np.bincount(keys, weights, minlength=kinds).astype(np.float64)
        return Absent(tuple(counts.tolist()), tuple(people.tolist()))


class CategoryTally:
    """Counts the levels of a categorical or boolean column.

    Of more than a million levels the rarest are forgotten by and by, though not their rows: they
    count as rare ones. What is kept of a level is then no more than it has.
    """

    def __init__(
        self, column: Column, most_pairs: int | None = None, *, owned: bool = False
    ) -> None:
        self.missing = 0
        self._column = column
        self._counts: dict[Level, int] = {}
        self._forgotten_rows = self._forgotten_levels = 0
        self._owned = OwnedCounts[Level | None](most_pairs) if owned else None

    def add(self, cells: npt.NDArray[np.object_], owners: Owners | None = None) -> None:
        """Counts ``cells`` (rows), which hold None where missing."""
        if self._owned is not None and owners is not None:
            codes, levels = pd.factorize(pd.Series(cells, dtype=object), use_na_sentinel=True)
            self.missing += int((codes < 0).sum())
            self._owned.add([*levels.tolist(), None], codes, owners)
            return
        counts = pd.Series(cells, dtype=object).value_counts(dropna=True)
        found = dict(zip(counts.index, counts.tolist(), strict=True))
        self.missing += len(cells) - sum(found.values())
        self._count(found)

    def merge(self, other: CategoryTally) -> None:
        """Adds what another tally has counted."""
        self.missing += other.missing
        if self._owned is not None and other._owned is not None:
            self._owned.merge(other._owned)
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

    def summary(self, config: SummaryConfig, steps: Steps | None = None) -> CategorySummary:
        """What is kept of the column; ``steps`` are those of its table."""
        enough = config.min_category_rows
        found, people, missing, without = self._found()
        ordered = sorted(found, key=lambda level: (-found[level], str(level)))
        if self._column.kind is Kind.BOOLEAN:
            kept = ordered  # that a yes-or-no column says yes and no is no secret
        elif self._column.categories is None:
            kept = [level for level in ordered if people[level] >= enough]
            kept = kept[: config.max_categories]
        else:
            kept = list(self._column.categories)
        named = set(kept)
        rare = [level for level in ordered if level not in named]
        counts = [found.get(level, 0) for level in kept]
        counts += [sum(found[level] for level in rare) + self._forgotten_rows, missing]
        known = [people.get(level, 0) for level in kept]
        if self._column.kind is Kind.BOOLEAN:
            known = [max(each, enough) for each in known]
        known += [self._owners_of(rare) + self._forgotten_rows, without]
        if steps is None:
            steps = Steps.of(round(sum(counts)), enough)
        *weights, of_rare, of_missing = steps.shares(counts, known)
        if self._column.categories is None:  # not even by their order counts are told
            told = sorted(zip(kept, weights, strict=True), key=lambda x: (-x[1], str(x[0])))
            kept, weights = [level for level, _ in told], [weight for _, weight in told]
        levels = len(rare) + self._forgotten_levels
        return CategorySummary(
            levels=tuple(kept),
            weights=(*weights, of_rare, of_missing),
            rare_levels=max(rounded_count(levels, enough), enough) if of_rare > 0 else 0,
        )

    def _found(self) -> tuple[Mapping[Level, float], Mapping[Level, int], float, int]:
        """What each level weighs, and how many people have it; the same of missing cells."""
        if self._owned is None:
            return self._counts, self._counts, float(self.missing), self.missing
        weights, people = self._owned.weights(), self._owned.people()
        missing, without = weights.pop(None, 0.0), people.pop(None, 0)
        levels = {level: x for level, x in weights.items() if level is not None}
        return levels, {level: people[level] for level in levels}, missing, without

    def _owners_of(self, levels: Sequence[Level]) -> int:
        if self._owned is not None:
            return self._owned.owners_of(levels)
        return sum(self._counts[level] for level in levels)


class UnlearnedTally:
    """Counts missing and distinct cells of a column that is not modelled, and rows of each.

    Cells are told apart by 64-bit hashes. Of more than a million the least are held, whose
    spread tells how many there are (Bar-Yossef et al. 2002), to about 0.1 %. A hash that is held
    in the end has been held all along, so its rows are all counted.
    """

    def __init__(
        self, column: Column, most_pairs: int | None = None, *, owned: bool = False
    ) -> None:
        self.missing = 0
        self.column = column
        personal = column.personal is not None and column.kind is Kind.TEXT
        repeats = column.references is not None or personal or column.repeats
        self._may_repeat = repeats and column.per is None
        self._rows = 0
        self._hashes: Hashes = np.zeros(0, dtype=np.uint64)
        self._counts: Ints = np.zeros(0, dtype=np.int64)
        self._owned = OwnedCounts[bool](most_pairs) if owned else None
        """Whether rows have no cell, by owner."""

    def add(self, cells: pd.Series[Any], owners: Owners | None = None) -> None:
        """Counts ``cells`` (rows)."""
        there = cells.notna().to_numpy()
        present = cells[there]
        self._rows += len(cells)
        self.missing += len(cells) - len(present)
        if self._owned is not None and owners is not None:
            self._owned.add([False, True], (~there).astype(np.int64), owners)
        if self._may_repeat:
            hashes = pd.util.hash_pandas_object(present, index=False)
            self._take(np.asarray(hashes, np.uint64), np.ones(len(present), dtype=np.int64))

    def merge(self, other: UnlearnedTally) -> None:
        """Adds what another tally has counted."""
        self._rows += other._rows
        self.missing += other.missing
        if self._owned is not None and other._owned is not None:
            self._owned.merge(other._owned)
        self._take(other._hashes, other._counts)

    def _take(self, hashes: Hashes, counts: Ints) -> None:
        found, which = np.unique(np.concatenate([self._hashes, hashes]), return_inverse=True)
        both = np.concatenate([self._counts, counts])
        self._hashes = found[:_MOST_HASHES]
        self._counts = np.bincount(which, both, len(found)).astype(np.int64)[:_MOST_HASHES]

    def summary(self, config: SummaryConfig, steps: Steps) -> Unlearned:
        """What is kept of the column; ``steps`` are those of its table."""
        people: list[int] = [self._rows - self.missing, self.missing]
        counts: list[float] = [*map(float, people)]
        if self._owned is not None:
            known, weights = self._owned.people(), self._owned.weights()
            people = [known.get(key, 0) for key in (False, True)]
            counts = [weights.get(key, 0.0) for key in (False, True)]
        share = 0.0
        if self.column.nullable and people[1] >= max(config.min_category_rows, 1):
            # A few cells that are there are not told from none.
            share = round(steps.shares(counts, people)[1], 2)
        if self.column.repeats and self._may_repeat:
            return Unlearned(missing=share, sizes=self._sizes(config.min_category_rows))
        return Unlearned(missing=share, rows_per_value=self._rows_per_value(config))

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

    def _rows_per_value(self, config: SummaryConfig) -> float:
        """To two digits. The most frequent values count as ``extreme_rows`` of them do."""
        if not len(self._counts):
            return 1.0
        extreme = min(config.extreme_rows, len(self._counts))
        most = np.partition(self._counts, -extreme)[-extreme]
        if len(self._hashes) < _MOST_HASHES:
            mean = float(np.minimum(self._counts, most).mean())
        else:
            excess = float((self._counts - np.minimum(self._counts, most)).sum())
            mean = (self._rows - self.missing - excess) / _estimated(self._hashes)
        return max(float(f"{mean:.2g}"), 1.0)


def _estimated(hashes: Hashes) -> float:
    """How many there are, of which ``hashes`` are the least."""
    if len(hashes) < _MOST_HASHES:
        return float(len(hashes))
    return (len(hashes) - 1) / (float(hashes[-1]) / 2.0**64)
