"""What an owner should know of a model, from what is known of its columns."""

from __future__ import annotations

import re
from typing import Any

import pytest

from synthgan import Column, Config, Event, Guarantee, Kind, Schema
from synthgan.encode.summary import CategorySummary, ColumnSummary, NumberSummary, Segment, Summary
from synthgan.model.card import FORMAT, Card
from synthgan.model.notes import caveats, protections


def card(known: ColumnSummary, *, noise: int | None = None, **declared: Any) -> Card:
    """Of a model of one column, about 1,000 rows; private if counts had that variance."""
    is_number = isinstance(known, NumberSummary)
    kind, dtype = (Kind.INTEGER, "int64") if is_number else (Kind.CATEGORY, "object")
    guarantee = None
    if noise is not None:
        event = Event(
            name="ranges",
            kind="discrete gaussian counts",
            columns=("x",),
            variance_numerator=noise,
            variance_denominator=1,
            sensitivity=1,
        )
        guarantee = Guarantee(epsilon=1.0, delta=1e-6, unit="row", events=(event,))
    return Card(
        format=FORMAT,
        version="1",
        torch_version="2",
        schema=Schema(columns=(Column(name="x", kind=kind, dtype=dtype, **declared),)),
        summary=Summary(columns={"x": known}, rows=1000),
        config=Config(),
        history=(),
        notes=(),
        guarantee=guarantee,
    )


def levels(rare: float, number: int = 2, missing: float = 0.0) -> CategorySummary:
    rest = 1 - rare - missing
    return CategorySummary(
        levels=tuple("abc"[:number]),
        weights=(*[rest / max(number, 1)] * number, rare, missing),
        rare_levels=7,
    )


def numbers(*ends: tuple[float, float]) -> NumberSummary:
    found = [
        Segment(positions=(0.0, 1.0), values=each)
        if each[0] < each[1]
        else Segment(positions=(0.0,), values=each[:1])
        for each in ends
    ]
    return NumberSummary(
        segments=tuple(found), weights=(*[1 / len(ends)] * len(ends), 0.0), fine=False
    )


@pytest.mark.parametrize(("rare", "told"), [(0.09, "protected"), (0.11, "noted")])
def test_many_rows_of_rare_values_are_a_loss_and_no_protection(rare: float, told: str) -> None:
    found = {
        "noted": list(caveats(card(levels(rare)))),
        "protected": list(protections(card(levels(rare)))),
    }
    (line,) = found.pop(told)
    assert "'x': about 7 values with fewer than 5 rows" in line
    assert f"{rare:.1%} of rows" in line
    assert ("split" in line, "never" in line) == (told == "noted", told == "protected")
    assert list(found.values()) == [[]]


@pytest.mark.parametrize(
    ("known", "declared", "said"),
    [
        (levels(0.05), {}, ""),
        (levels(0.5), {}, "only 2 values could be named, and come .*50% of rows.*declare its cat"),
        (levels(0.5, 1), {}, "only 1 value could be named, and comes"),
        (levels(0.5), {"categories": ("a", "b", "c")}, "50% of rows.*larger epsilon"),
        (levels(1.0, 0), {}, "no value could be named, so cells are left empty"),
        (levels(0.0, 1), {}, "the same in every row"),
        (levels(0.0, 1, missing=0.5), {"nullable": True}, ""),
        (numbers((3, 3)), {}, "the same in every row"),
        (numbers((0, 1), (1, 2)), {}, ""),
        (numbers((0, 40), (40, 41), (41, 42), (42, 43)), {}, "declare low and high"),
        (numbers((0, 40), (40, 41), (41, 42), (42, 43)), {"low": 0, "high": 50}, ""),
    ],
)
def test_what_noise_has_hidden(known: ColumnSummary, declared: dict[str, Any], said: str) -> None:
    lines = list(caveats(card(known, noise=4, **declared)))
    assert len(lines) == bool(said)
    if said:
        assert re.search(said, lines[0])


def test_bounds_are_doubted_where_noise_is_large() -> None:
    known = numbers((0, 1), (1, 2))
    for noise, lines in ((49**2, 0), (51**2, 1)):
        assert len(list(caveats(card(known, noise=noise)))) == lines
    assert not list(caveats(card(known, noise=10**6, low=0.0, high=2.0)))
