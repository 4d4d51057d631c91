"""What a model protects in each column, in words."""

from __future__ import annotations

from collections.abc import Iterator

from synthgan.archive import Card
from synthgan.constraints import takes_patterns
from synthgan.schema import LARGE_SHARE, Column, Kind
from synthgan.summary import CategorySummary, NumberSummary

_WITHOUT_CELLS = 2
"""The file format from which on no cell can be worked out from what is kept of numbers."""


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
        return f"not learned; made-up cells{what} come out, one for each {column.per!r}"
    if column.personal is not None:
        return f"not learned; made-up cells ({column.personal.replace('_', ' ')}) come out"
    if column.references is not None:
        return f"not learned; made-up cells of {column.references!r} come out"
    if column.kind is Kind.IDENTIFIER and column.repeats and column.per is None:
        return "not learned; made-up keys come out, shared by about as many rows each as real ones"
    if column.kind is Kind.IDENTIFIER:
        return "identifiers are not learned; new ones are made up"
    return "text is not learned; filler text is made up"


def _ordinal(number: int) -> str:
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
