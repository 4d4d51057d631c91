"""What a model file claims, and what is left of a fit that fails: no more than the events allow,
and no less than was spent.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pandas as pd

from synthgan._typing import Ints
from synthgan.audit.fits import Scene, run
from synthgan.audit.report import Finding
from synthgan.audit.watch import Answer, Labels, drawn
from synthgan.errors import SynthganError
from synthgan.model import file as archive
from synthgan.privacy.ledger import Guarantee
from synthgan.privacy.noise import add_noise
from synthgan.privacy.spent import spent_in

_BEFORE = (0, 4)  # questions that are answered before a fit fails


def claims_are_checked(table: pd.DataFrame, scene: Scene) -> list[Finding]:
    """Forges model files that claim more than their events allow for: each is to be refused."""
    written = run(table, scene, drawn(add_noise)).artefacts["model file"]
    card, _, generator = archive.from_bytes(written, Path("model"))
    assert card.guarantee is not None, "the fit was private"
    taken = []
    for name, claim in _forged(card.guarantee):
        forged = archive.to_bytes(dataclasses.replace(card, guarantee=claim), generator)
        try:
            scene.variant.load(forged)
        except SynthganError:
            continue
        taken.append(name)
    return [
        Finding(
            check="claims: model files that say too much and are read",
            variant=scene.variant.name,
            measured=len(taken),
            allowed=0,
            detail=", ".join(taken) or "none of them",
        )
    ]


def _forged(own: Guarantee) -> Iterator[tuple[str, Guarantee | None]]:
    """Claims that ``own`` does not bear out, and what each is."""
    column = own.events[-1].columns[0]
    fewer = tuple(event for event in own.events if column not in event.columns)
    quieter = dataclasses.replace(own.events[0], variance_numerator=1, variance_denominator=1000)
    yield "half of epsilon", dataclasses.replace(own, epsilon=own.epsilon / 2)
    yield "a smaller delta", dataclasses.replace(own, delta=own.delta / 1000)
    yield "a column without events", dataclasses.replace(own, events=fewer)
    if any(len(event.columns) == 2 for event in own.events):
        alone = tuple(event for event in own.events if len(event.columns) < 2)
        cheap = dataclasses.replace(own, events=alone, epsilon=own.epsilon * 0.9)
        yield "pairs of columns without events", cheap
    yield "less noise", dataclasses.replace(own, events=(quieter, *own.events[1:]))
    yield "more rows a person", dataclasses.replace(own, unit="at most 9 rows a value of 'job'")
    yield "no events", dataclasses.replace(own, events=())
    yield "no guarantee", None


def failures_are_accounted_for(table: pd.DataFrame, scene: Scene) -> list[Finding]:
    """Has fits fail amid their questions: the error must tell all that was spent until then."""
    missing, told = 0, 0
    for before in _BEFORE:
        found = run(table, scene, _failing(before))
        assert found.watched is not None, "the fit has begun"
        assert found.error is not None, "the fit has failed"
        spent = spent_in(found.error)
        events = () if spent is None else spent.events
        asked = found.watched.ledger.events
        missing += sum(event not in events for event in asked)
        told += len(events)
    return [
        Finding(
            check="failures: what was spent and is not told",
            variant=scene.variant.name,
            measured=missing,
            allowed=0,
            detail=f"{told} events told by fits that failed after {_BEFORE} answers",
        )
    ]


def _failing(before: int) -> Answer:
    def answer(number: int, labels: Labels, counts: Ints, variance: Fraction) -> Ints:
        if number >= before:
            raise RuntimeError("the fit fails here, as it was asked to")
        return add_noise(counts, variance)

    return answer
