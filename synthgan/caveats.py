"""What an owner should know of a model before its rows are used, in words.

It follows from what the model file holds anyway, so it costs no privacy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import median

import numpy as np

from synthgan.archive import Card
from synthgan.privacy import Guarantee
from synthgan.schema import LARGE_SHARE, WHAT_TO_DO, Column, Kind, Schema
from synthgan.summary import CategorySummary, ColumnSummary, NumberSummary

_FEW_CODES = 8  # of a number column, that pairs of columns can tell apart
_ROWS_PER_SIGMA = 2.5  # that a pair's cell should hold, as in the private summary
_MANY = 20.0  # times the noise of a count, that rows must be for bounds to stand out of it
_FAR = 10.0  # times the middle half of the rows, to which bounds that fit do not reach


def caveats(card: Card) -> Iterator[str]:
    """A line a fact."""
    for gap in card.summary.gaps:
        yield (
            f"{gap.high!r} is drawn as {gap.low!r} plus a difference that is learned as a column "
            "of its own, because it is small beside what the columns span"
        )
    columns = card.summary.columns
    known = {c.name: columns[c.name] for c in card.schema if c.name in columns}
    if card.guarantee is not None:
        yield from _of_noise(card.schema, known, card.guarantee, card.summary.rows)
        return
    least = card.config.summary.min_category_rows
    whose = "rows" if card.schema.entity is None else f"{card.schema.entity!r}"
    for name, found in known.items():
        if isinstance(found, CategorySummary) and found.weights[-2] > LARGE_SHARE:
            instead = "replaced by more frequent ones" if found.levels else "left empty"
            yield (
                f"{name!r}: {found.rare_levels:,} values with fewer than {least} {whose} each "
                f"({found.weights[-2]:.1%} of rows) are {instead}, and what goes with them is "
                f"lost; {WHAT_TO_DO}"
            )


def _of_noise(
    schema: Schema, known: Mapping[str, ColumnSummary], guarantee: Guarantee, rows: int
) -> Iterator[str]:
    """What noise has hidden in a private fit."""
    if guarantee.delta * rows >= 1:
        yield (
            f"delta {guarantee.delta:g} is not below one over the number of rows, which is about "
            f"{rows:,}: a guarantee like that may tell all of some row; 1e-6 is usual"
        )
    sigmas = [math.sqrt(each.variance) for each in guarantee.events if len(each.columns) == 2]
    codes = math.sqrt(rows / (_ROWS_PER_SIGMA * median(sigmas))) if sigmas else math.inf
    if codes < _FEW_CODES:
        yield (
            f"about {rows:,} rows are few for epsilon {guarantee.epsilon:.4g} and {len(known)} "
            f"columns: the noise of a pair of columns' counts is about {median(sigmas):,.0f} rows, "
            "so numbers and dates are told in a few ranges only; fewer columns, or a larger "
            "epsilon, tell more"
        )
    for name, found in known.items():
        if isinstance(found, CategorySummary) and found.weights[-2] > LARGE_SHARE:
            yield _of_levels(schema[name], found)
    alone = [name for name, found in known.items() if _is_constant(found)]
    if alone:
        yield (
            f"{_listed(alone)}: the same in every row; what else there may be did not stand out of "
            "the noise"
        )
    far = [
        name
        for name, found in known.items()
        if isinstance(found, NumberSummary)
        and found.segments
        and None in (schema[name].low, schema[name].high)
        and (rows < _MANY * _noise_of(name, guarantee) or _reaches_far(found))
    ]
    if far:
        yield (
            f"{_listed(far)}: bounds were asked for privately, and lie far beyond most rows, or "
            "may; declare low and high in the schema"
        )


def _of_levels(column: Column, found: CategorySummary) -> str:
    number, share = len(found.levels), found.weights[-2]
    declare = "declare its categories if they are public"
    if column.categories is not None or column.kind is not Kind.CATEGORY:
        declare = "fewer of them, or a larger epsilon, tell more"
    if not number:
        return f"{column.name!r}: no value could be named, so cells are left empty; {declare}"
    named, come = ("1 value", "comes") if number == 1 else (f"{number:,} values", "come")
    return (
        f"{column.name!r}: only {named} could be named, and {come} out instead of the others "
        f"(about {share:.0%} of rows); {declare}"
    )


def _noise_of(name: str, guarantee: Guarantee) -> float:
    """Of the counts of a column's ranges."""
    found = (math.sqrt(each.variance) for each in guarantee.events if each.columns == (name,))
    return max(found, default=0.0)


def _is_constant(found: ColumnSummary) -> bool:
    if isinstance(found, NumberSummary):
        codes = len(found.segments) + sum(share > 0 for share in found.words)
        is_bin = any(segment.is_bin for segment in found.segments)
        return codes + bool(found.weights[-1]) == 1 and not is_bin
    return len(found.levels) == 1 and found.weights[-2] <= LARGE_SHARE and not found.weights[-1]


def _reaches_far(found: NumberSummary) -> bool:
    """Whether the ends lie far from the middle half of the rows."""
    below = np.cumsum([0.0, *found.weights[:-1]])
    places = np.concatenate(
        [
            start + weight * np.array(segment.positions)
            for start, weight, segment in zip(below, found.weights, found.segments, strict=False)
        ]
    )
    values = np.concatenate([segment.values for segment in found.segments])
    first, third = np.interp(np.array([0.25, 0.75]) * below[-1], places, values)
    return bool(values[-1] - values[0] > _FAR * (third - first) > 0)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))
