"""The summary of a private fit: all that may be known of each column, from noisy counts alone.

The counterpart of :func:`synthgan.encode.summarize.summarize`, for rows that stand behind
:class:`~synthgan.privacy.rows.PrivateRows`. It sees noisy counts of partitions and never a cell, so
its outcome is as private as the ledger says; all that it does with the counts is free.

*Numbers and dates* are counted on a public grid of ticks (the schema's decimals or
resolution), in ranges that get finer where rows are: a tree in which each level splits the
ranges that stand out of the noise into sixteen. Between declared bounds the first level is
sixteen even ranges; without bounds it is powers of two, and the outermost ones that hold rows
become the bounds. *Categories* are counted level by level; undeclared levels are told only
where so many rows hold them that nobody's single row can matter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from synthgan._typing import Floats
from synthgan.columns.column import Column, Kind, Level
from synthgan.encode.summary import CategorySummary, Summary
from synthgan.errors import ConfigError
from synthgan.privacy.accountant import epsilon_of
from synthgan.privacy.histogram import STANDS_OUT, CountedRanges, Estimate, count_numbers
from synthgan.privacy.ledger import Budget
from synthgan.privacy.questions import Decimals, Levels, Total, Words
from synthgan.privacy.rows import PrivateRows
from synthgan.schema.schema import Schema

ONE_WAY_SHARE = 0.2
"""Share of the budget that single columns get; pairs get the rest."""

MANY_ROWS = 100_000
"""By which a budget is judged without a look at the rows, where their number is not declared."""

_FEW_DECIMALS = 3  # columns of more are asked how many their numbers have
_DECIMALS_SHARE = 0.1  # of what such a column gets, for that question
_ODD_SHARE = 0.05  # of the numbers may have more decimals than the rest
_RELEASE_SHARE = 0.1  # of delta, for columns whose levels are not declared
_TOTAL_SHARE = 0.02  # of what single columns get, for the number of rows

_WORDS_SHARE = 0.2  # of a number column's budget, to count the words among its numbers

_FEWEST_CODES, _MOST_CODES = 4, 32  # of a number column

_ROWS_PER_SIGMA = 2.5  # a pair's cell should hold this many times the noise of its count


@dataclass(frozen=True, kw_only=True, eq=False)
class PrivateSummary:
    """What came of the counts; all of it may be told."""

    summary: Summary
    schema: Schema
    """The schema, with as many decimals as nearly all numbers of a column have."""
    rows: float
    """Estimate of the number of rows, at least 1."""
    deviations: dict[str, float]
    """For each column, about the noise (standard deviation) of one code's count."""
    pair_variance: Fraction
    """Variance with which each pair of columns could be counted if all got the same."""


def plan_budget(
    schema: Schema, *, epsilon: float, delta: float, unit: str | None = None, rows_per_unit: int = 1
) -> Budget:
    """The budget of a fit; part of ``delta`` is put aside if levels must be found privately."""
    return Budget(
        epsilon=epsilon,
        delta=delta,
        release_delta=_RELEASE_SHARE * delta if _releases(schema) else 0.0,
        unit=unit,
        rows_per_unit=rows_per_unit,
    )


def summarize_privately(rows: PrivateRows, schema: Schema) -> PrivateSummary:
    """Counts every modelled column of ``rows`` and says what stands out of the noise.

    Spends ``ONE_WAY_SHARE`` of the budget (all of it if there is one column only).

    Raises :class:`ConfigError` if no column can be modelled; for whether the budget is enough, see
    :func:`check_budget`.
    """
    columns = [column for column in schema if column.kind.is_modelled]
    if not columns:
        raise _nothing_to_learn()
    ledger = rows.ledger
    pairs, one_way, each = _shares(ledger.rho, len(columns))
    pair_variance = ledger.budget.variance((ledger.rho - one_way) / pairs if pairs else each)
    whole = ledger.budget.variance(one_way * Fraction(_TOTAL_SHARE))
    total = rows.count(Total(), whole, "number of rows")
    delta = ledger.budget.release_delta / max(len(_releases(schema)), 1)
    counted = [_count_column(rows, column, each, delta) for column in columns]
    settled = {column.name: column for column, _ in counted}
    sums = [found.total for _, found in counted if found.total is not None]
    count = _combine([Estimate(float(total[0]), float(whole)), *sums])
    codes = int(np.clip(_codes_that_fit(count, pair_variance), _FEWEST_CODES, _MOST_CODES))
    return PrivateSummary(
        summary=Summary(
            columns={
                column.name: found.summarize(column, count, codes) for column, found in counted
            },
            rows=_rounded(count),
        ),
        schema=replace(schema, columns=tuple(settled.get(c.name, c) for c in schema)),
        rows=count,
        deviations={column.name: math.sqrt(found.variance) for column, found in counted},
        pair_variance=pair_variance,
    )


def _combine(estimates: Sequence[Estimate]) -> float:
    """The mean of estimates of one number, weighted by their precision; at least 1."""
    weights = [1 / estimate.variance for estimate in estimates]
    values = [estimate.value for estimate in estimates]
    return max(float(np.dot(weights, values) / sum(weights)), 1.0)


def _codes_that_fit(rows: float, pair_variance: Fraction) -> float:
    """How many codes two columns may have for the cells of their table to stand out."""
    return math.sqrt(rows / (_ROWS_PER_SIGMA * math.sqrt(pair_variance)))


def check_budget(schema: Schema, budget: Budget, rows: int | None = None) -> None:
    """Raises :class:`ConfigError` if ``budget`` is too small for the columns of ``schema`` and so
    many ``rows``, a public number (None: :data:`MANY_ROWS`), or if there is nothing to learn.

    What depends on the rows is no reason to refuse: saying so would tell of them, and by then they
    have been asked. What their noise has hidden is in the model's notes.
    """
    columns = sum(column.kind.is_modelled for column in schema)
    if not columns:
        raise _nothing_to_learn()
    pairs, one_way, _ = _shares(budget.rho, columns)
    if not pairs:
        return
    variance = budget.variance((budget.rho - one_way) / pairs)
    known = MANY_ROWS if rows is None else rows
    if _codes_that_fit(known, variance) >= 2:
        return
    wanted = float(budget.rho) * (4 * _ROWS_PER_SIGMA * math.sqrt(variance) / known) ** 2
    epsilon = epsilon_of(wanted, budget.delta - budget.release_delta)
    more = "; if there are more rows, and that is public, declare them (--rows)"
    raise ConfigError(
        f"epsilon {budget.epsilon:g} is too small for {pairs:,} pairs of columns and about "
        f"{known:,} rows: the noise of each count, about {math.sqrt(variance):,.0f} rows, would "
        f"hide them; it would take an epsilon of about {epsilon:.2g}, or fewer columns"
        + (more if rows is None else "")
    )


def _nothing_to_learn() -> ConfigError:
    return ConfigError("a private fit needs a column that can be modelled, but there is none")


def _shares(rho: Fraction, columns: int) -> tuple[int, Fraction, Fraction]:
    """The number of pairs of columns; what all single columns get of ``rho``; what each gets."""
    pairs = columns * (columns - 1) // 2
    one_way = rho * (Fraction(ONE_WAY_SHARE) if pairs else 1)
    return pairs, one_way, one_way * (1 - Fraction(_TOTAL_SHARE)) / columns


def _releases(schema: Schema) -> list[str]:
    """Columns whose levels are not declared."""
    return [c.name for c in schema if c.kind is Kind.CATEGORY and c.categories is None]


def _count_column(
    rows: PrivateRows, column: Column, rho: Fraction, delta: float
) -> tuple[Column, CountedRanges | _Levels]:
    """The column as it is to be taken, and what was counted."""
    if column.kind is Kind.NUMBER and (column.decimals is None or column.decimals > _FEW_DECIMALS):
        spent = rho * Fraction(_DECIMALS_SHARE)
        column, rho = _settle_decimals(rows, column, spent), rho - spent
    if column.words is not None:
        spent = rho * Fraction(_WORDS_SHARE)
        words = _count_words(rows, column, spent)
        return column, replace(count_numbers(rows, column, rho - spent), words=words)
    if column.kind.is_numeric:
        return column, count_numbers(rows, column, rho)
    return column, _count_levels(rows, column, rho, delta)


def _settle_decimals(rows: PrivateRows, column: Column, rho: Fraction) -> Column:
    """The column with as many decimals as nearly all of its numbers have, if that is few.

    One odd cell may have shown the schema many more, and numbers on so fine a grid are smeared.
    """
    variance = rows.ledger.budget.variance(rho)
    asked = Decimals(column=column.name, most=_FEW_DECIMALS)
    counts = rows.count(asked, variance, f"decimals of {column.name!r}")[:-1].astype(np.float64)
    left = counts[::-1].cumsum()[::-1][1:]  # numbers that need more than 0, 1, ... decimals
    odd = _ODD_SHARE * counts.sum()
    enough = np.flatnonzero(left <= odd)
    if odd < STANDS_OUT * math.sqrt(float(variance) * len(counts)) or not len(enough):
        return column  # too much noise to tell, or numbers that do need them
    return replace(column, decimals=int(enough[0]))


def _count_words(rows: PrivateRows, column: Column, rho: Fraction) -> Floats:
    """About how many rows have each word that is named, another one, or no cell; those that do
    not stand out of the noise count as none."""
    variance = rows.ledger.budget.variance(rho)
    asked = Words(column=column.name, words=len(column.words or ()))
    counts = rows.count(asked, variance, f"words of {column.name!r}")[1:].astype(np.float64)
    return np.where(counts > STANDS_OUT * math.sqrt(float(variance)), counts, 0.0)


def _count_levels(rows: PrivateRows, column: Column, rho: Fraction, delta: float) -> _Levels:
    variance = rows.ledger.budget.variance(rho)
    name = f"levels of {column.name!r}"
    if column.kind is Kind.CATEGORY and column.categories is None:
        found = rows.release_levels(column.name, variance, delta, name)
        return _Levels(
            levels=found.levels,
            counts=found.counts.astype(np.float64),
            missing=float(found.missing),
            other=None,
            variance=float(variance),
        )
    levels: tuple[Level, ...] = (False, True)
    if column.categories is not None:
        levels = tuple(sorted(column.categories, key=str))
    counts = rows.count(Levels(column=column.name, levels=levels), variance, name)
    return _Levels(
        levels=levels,
        counts=counts[:-2].astype(np.float64),
        missing=float(counts[-1]),
        other=float(counts[-2]),
        variance=float(variance),
    )


# Categories


@dataclass(frozen=True, kw_only=True, eq=False)
class _Levels:
    """Noisy counts of a categorical column."""

    levels: tuple[Level, ...]
    counts: Floats
    missing: float
    other: float | None
    """Levels that are not declared; None where none are, and what is left is not counted."""
    variance: float

    @property
    def total(self) -> Estimate | None:
        """What it tells of the number of rows."""
        if self.other is None:
            return None
        value = float(self.counts.sum()) + self.other + self.missing
        return Estimate(value, self.variance * (len(self.levels) + 2))

    def summarize(self, column: Column, rows: float, codes: int) -> CategorySummary:
        """Levels that stand out of the noise, by label; the others are rare together."""
        limit = STANDS_OUT * math.sqrt(self.variance)
        missing = self.missing if column.nullable and self.missing > limit else 0.0
        kept = self.counts > limit
        if not kept.any() and len(kept) and not missing:
            kept = self.counts == self.counts.max()
        weights = np.maximum(self.counts[kept], 1.0)
        if self.other is None:
            rare = rows - float(weights.sum()) - missing
            noise = self.variance * (len(weights) + 1)
        else:
            rare = float(self.counts[~kept].sum()) + self.other
            noise = self.variance * (int((~kept).sum()) + 1)
        rare = rare if rare > STANDS_OUT * math.sqrt(noise) else 0.0
        shares = np.array([*weights, rare, missing])
        if not shares.sum() > 0:  # nothing stood out
            shares[-2] = 1.0
        return CategorySummary(
            levels=tuple(level for level, keep in zip(self.levels, kept, strict=True) if keep),
            weights=tuple((shares / shares.sum()).tolist()),
            rare_levels=int((~kept).sum()),
        )


def _rounded(rows: float) -> int:
    """``rows`` to two significant digits, as in every summary."""
    unit = int(10 ** max(len(str(round(rows))) - 2, 0))
    return round(rows / unit) * unit
