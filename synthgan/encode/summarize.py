"""A table counted chunk by chunk, and what is kept of it in the end.

A :class:`Tally` takes chunks in any order; two tallies of different rows can be merged, so that
a table may be counted on many machines. Numbers are counted exactly up to a number of distinct
values that the caller sets, categories up to a million; beyond, see :meth:`Runs.thinned` and
:class:`CategoryTally`. Rows that have owners are counted with them, all of some owners' if those of
all would be too many; see :mod:`synthgan.schema.owners`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from synthgan.columns.cells import read_cells
from synthgan.columns.column import Kind
from synthgan.config import SummaryConfig
from synthgan.encode.calendar import Almanac, DateCounts
from synthgan.encode.date_difference import Gap, is_new_end, possible_gaps
from synthgan.encode.summary import (
    ColumnSummary,
    Combinations,
    GapSummary,
    NumberSummary,
    Summary,
    Unlearned,
)
from synthgan.encode.tallies import (
    MOST_HASHES,
    CategoryTally,
    NumberTally,
    UnlearnedTally,
    estimated,
)
from synthgan.errors import TableError
from synthgan.schema.check import RuleTally
from synthgan.schema.constraints.base import Cells
from synthgan.schema.owners import Owners, Steps, owners_in, rounded_count
from synthgan.schema.schema import Schema

_CHUNK_ROWS = 1 << 18  # a frame is counted in pieces, so that few of its cells are held twice

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
            self._owners = np.unique(np.concatenate([self._owners, owners]))[:MOST_HASHES]

    def _owners_of_all(self) -> int:
        return round(estimated(self._owners))

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
