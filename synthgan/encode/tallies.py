"""One column counted chunk by chunk: numbers, categories, what is not learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan._typing import Floats, Hashes, Ints
from synthgan.columns.column import Column, Kind, Level
from synthgan.columns.sentinels import words_in
from synthgan.config import SummaryConfig
from synthgan.encode.calendar import DateCounts
from synthgan.encode.quantiles import summarize_runs
from synthgan.encode.rounding import Absent, Rounding
from synthgan.encode.sorted_values import Runs
from synthgan.encode.summary import MOST_SIZES, CategorySummary, NumberSummary, Unlearned
from synthgan.schema.owners import Gathered, OwnedCounts, Owners, Pairs, Steps, rounded_count, weigh

_MOST_LEVELS = 1 << 20
MOST_HASHES = 1 << 20


class NumberTally:
    """Counts numbers or dates, in the units of :func:`read_cells`, and words."""

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

    Cells are distinguished by 64-bit hashes. Of more than a million the least are held, whose
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
        self._hashes = found[:MOST_HASHES]
        self._counts = np.bincount(which, both, len(found)).astype(np.int64)[:MOST_HASHES]

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
            # Shares of a few present cells are rounded away.
            share = round(steps.shares(counts, people)[1], 2)
        if self.column.repeats and self._may_repeat:
            return Unlearned(missing=share, sizes=self._sizes(config.min_category_rows))
        return Unlearned(missing=share, rows_per_value=self._rows_per_value(config))

    def _sizes(self, least: int) -> tuple[float, ...]:
        """Rows of a cell, of groups of at least ``least`` cells; those with the most rows count as
        the least of so many does, since one with far more could be recognised from the mean."""
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
        if len(self._hashes) < MOST_HASHES:
            mean = float(np.minimum(self._counts, most).mean())
        else:
            excess = float((self._counts - np.minimum(self._counts, most)).sum())
            mean = (self._rows - self.missing - excess) / estimated(self._hashes)
        return max(float(f"{mean:.2g}"), 1.0)


def estimated(hashes: Hashes) -> float:
    """How many there are, of which ``hashes`` are the least."""
    if len(hashes) < MOST_HASHES:
        return float(len(hashes))
    return (len(hashes) - 1) / (float(hashes[-1]) / 2.0**64)
