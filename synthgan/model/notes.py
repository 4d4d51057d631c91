"""What an owner should know of a model before its rows are used, in words.

It follows from what the model file holds anyway, so it costs no privacy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import median

import numpy as np

from synthgan.columns.column import Column, Kind
from synthgan.encode.summary import CategorySummary, ColumnSummary, NumberSummary
from synthgan.model.card import Card
from synthgan.privacy.ledger import Guarantee
from synthgan.schema.check import takes_patterns
from synthgan.schema.review import LARGE_SHARE, WHAT_TO_DO
from synthgan.schema.schema import Schema

_WITHOUT_CELLS = 2  # the file format from which on no cell can be worked out
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
    if card.format < _WITHOUT_CELLS and card.guarantee is None:
        yield (
            "made by an older version: the file holds means from which single cells can be worked "
            "out, and exact shares of rows; fit again before you give it away"
        )
    columns = card.summary.columns
    known = {c.name: columns[c.name] for c in card.schema if c.name in columns}
    if card.guarantee is not None:
        yield from _of_noise(card.schema, known, card.guarantee, card.summary.rows)
        return
    least = card.config.summary.min_category_rows
    whose = "rows" if card.schema.entity is None else "people"
    for name, found in known.items():
        if isinstance(found, CategorySummary) and found.weights[-2] > LARGE_SHARE:
            instead = "replaced by more frequent ones" if found.levels else "left empty"
            yield (
                f"{name!r}: about {found.rare_levels:,} values with fewer than {least} {whose} "
                f"each ({found.weights[-2]:.1%} of rows) are {instead}, and what goes with them is "
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


def protections(card: Card) -> Iterator[str]:
    """A line a fact."""
    yield from _guaranteed(card)
    if card.guarantee is None and card.schema.entity is not None:
        yield (
            f"{card.schema.entity!r} says whose row it is: what is kept stands for so many people "
            "(or whatever it names), not rows; all rows without one are taken to be one's"
        )
    for column in card.schema:
        if not column.kind.is_modelled:
            yield f"{column.name!r}: {_made_up(column)}"
        elif card.guarantee is None:  # else what is rare or extreme is as protected as the rest
            yield from _of_rare(card, column.name)
    wanting = [each for each in card.schema.constraints if takes_patterns(each)]
    for constraint, found in zip(wanting, card.summary.combinations, strict=True):
        yield (
            f"{constraint}: combinations of fewer than {_enough(card)} never come out; "
            f"{len(found.rows):,} are known"
        )
    rare = [
        repr(column.name)
        for column in card.schema
        if isinstance(known := card.summary.columns.get(column.name), CategorySummary)
        and column.kind is Kind.CATEGORY
        and column.categories is None
        and not known.weights[-2]
    ]
    if rare and card.guarantee is None and card.config.summary.min_category_rows > 1:
        yield f"{', '.join(rare)}: values with fewer than {_enough(card)} never come out"
    if card.guarantee is None and card.format >= _WITHOUT_CELLS:  # notes tell of older ones
        yield from _of_numbers(card)


def _enough(card: Card) -> str:
    whose = "rows" if card.schema.entity is None else "people"
    return f"{card.config.summary.min_category_rows} {whose}"


def _of_rare(card: Card, name: str) -> Iterator[str]:
    """What a column has that is too rare to come out."""
    known = card.summary.columns.get(name)
    if isinstance(known, CategorySummary) and 0 < known.weights[-2] <= LARGE_SHARE:
        instead = "more frequent ones do instead" if known.levels else "cells are left empty"
        yield (
            f"{name!r}: about {known.rare_levels:,} values with fewer than {_enough(card)} "
            f"({known.weights[-2]:.1%} of rows) never come out; {instead}"
        )
    elif isinstance(known, NumberSummary) and known.words and known.words[-1] > 0:
        yield (
            f"{name!r}: words among numbers with fewer than {_enough(card)} "
            f"({known.words[-1]:.1%} of rows) never come out"
        )


def _of_numbers(card: Card) -> Iterator[str]:
    """What is known of numbers and dates."""
    settings = card.config.summary
    names = [
        repr(column.name)
        for column in card.schema
        if isinstance(known := card.summary.columns.get(column.name), NumberSummary)
        and known.segments
    ]
    names += [f"the difference of {gap.high!r} and {gap.low!r}" for gap in card.summary.gaps]
    if names and settings.extreme_rows > 1:
        of = "" if card.schema.entity is None else " of different people"
        yield (
            f"{', '.join(names)}: nothing below the {_ordinal(settings.extreme_rows)} smallest or "
            f"above the {_ordinal(settings.extreme_rows)} largest value{of} comes out"
        )
    if names and settings.min_category_rows > 1:
        yield (
            f"numbers and dates: of values that fewer than {_enough(card)} share, only rounded "
            "means over at least as many are known, and no two of these have a row in common"
        )


def _guaranteed(card: Card) -> Iterator[str]:
    if card.guarantee is not None:
        g = card.guarantee
        yield (
            f"everything: differential privacy with epsilon {g.epsilon:.4g}, delta {g.delta:.4g}, "
            f"for adding or removing {g.difference}"
        )
        if card.config.privacy is not None and card.config.privacy.public_split:
            yield (
                "the guarantee is for the part of a table that was fitted; that it is public which "
                "rows are in that part was declared"
            )


def _made_up(column: Column) -> str:
    if column.per is not None:
        what = "" if column.personal is None else f" ({column.personal.replace('_', ' ')})"
        return f"not learned; generated cells{what} come out, one for each {column.per!r}"
    if column.personal is not None:
        return f"not learned; generated cells ({column.personal.replace('_', ' ')}) come out"
    if column.references is not None:
        return f"not learned; generated cells of {column.references!r} come out"
    if column.kind is Kind.IDENTIFIER and column.repeats and column.per is None:
        return (
            "not learned; generated keys come out, shared by about as many rows each as real ones"
        )
    if column.kind is Kind.IDENTIFIER:
        return "identifiers are not learned; new ones are generated"
    return "text is not learned; filler text is generated"


def _ordinal(number: int) -> str:
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
