"""What a model protects in each column, in words."""

from __future__ import annotations

from collections.abc import Iterator

from synthgan.archive import Card
from synthgan.constraints import takes_patterns
from synthgan.schema import LARGE_SHARE, Column, Kind
from synthgan.summary import CategorySummary, NumberSummary


def protections(card: Card) -> Iterator[str]:
    """A line a fact."""
    yield from _guaranteed(card)
    yield from _of_entity(card)
    settings = card.config.summary
    pulled_in: list[str] = []
    wanting = [each for each in card.schema.constraints if takes_patterns(each)]
    for column in card.schema:
        name = repr(column.name)
        known = card.summary.columns.get(column.name)
        if not column.kind.is_modelled:
            yield f"{name}: {_made_up(column)}"
        elif card.guarantee is not None:
            continue  # what is rare or extreme is as well protected as the rest
        elif isinstance(known, CategorySummary) and 0 < known.weights[-2] <= LARGE_SHARE:
            one = known.rare_levels == 1
            values, come = (
                ("1 value", "comes") if one else (f"{known.rare_levels:,} values", "come")
            )
            instead = "more frequent ones do instead" if known.levels else "cells are left empty"
            yield (
                f"{name}: {values} with fewer than {settings.min_category_rows} rows "
                f"({known.weights[-2]:.1%} of rows) never {come} out; {instead}"
            )
        elif isinstance(known, NumberSummary) and known.segments:
            pulled_in.append(name)
            if known.words and known.words[-1] > 0:
                yield (
                    f"{name}: words among numbers with fewer than {settings.min_category_rows} "
                    f"rows ({known.words[-1]:.1%} of rows) never come out"
                )
    pulled_in += [f"the difference of {gap.high!r} and {gap.low!r}" for gap in card.summary.gaps]
    for constraint, found in zip(wanting, card.summary.combinations, strict=True):
        yield (
            f"{constraint}: combinations of fewer than {settings.min_category_rows} rows never "
            f"come out; {len(found.rows):,} are known"
        )
    if pulled_in and settings.extreme_rows > 1:
        yield (
            f"{', '.join(pulled_in)}: nothing below the {_ordinal(settings.extreme_rows)} smallest "
            f"or above the {_ordinal(settings.extreme_rows)} largest value comes out"
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


def _of_entity(card: Card) -> Iterator[str]:
    if card.schema.entity is not None and card.guarantee is None:
        yield f"rows with the same {card.schema.entity!r} count once, as they are somebody's"


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
