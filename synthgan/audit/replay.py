"""Replay: with the noisy answers frozen, nothing else may differ between two fits.

A fit is run on one table and its noisy answers are kept. Then it is run on another one, and
given the same answers. Whatever differs now, questions or outcomes, got out of the rows without
paying. No chance is involved, so a difference of one byte is a proof.

The other table is a *neighbour*, with one unit more or less: then the noise is frozen where it
is drawn, and how far the exact counts moved is the sensitivity that was booked, or more. Or it
is a *stranger*, which shares nothing with the first but the public schema: then the rows' whole
answers are frozen, and what differs may be as large as can be.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
from scipy.stats import binom

from synthgan.audit.awkward import Table
from synthgan.audit.fits import Run, Scene, heard, run, tiny_game
from synthgan.audit.report import Finding
from synthgan.audit.tables import Pair
from synthgan.audit.watch import (
    SEED,
    Answer,
    Asked,
    Free,
    Watched,
    drawn,
    exactly,
    frozen,
    never_exact,
    same_words,
)
from synthgan.privacy.accountant import GRADIENTS, recompute
from synthgan.privacy.rows import Mechanism

Named = tuple[str, Table]
"""A table, and what is special about it."""

_CRITIC_STEPS = 3  # on neighbours: critics that differ soon see other gradients
_MOST_SAID = 4  # tables whose differences a finding tells


def replay(pair: Pair, scene: Scene) -> list[Finding]:
    """Compares fits on two neighbours. Raises what the fit of the first one raises."""
    first, other = (pair.more, pair.less) if pair.is_removal else (pair.less, pair.more)
    return replay_neighbours(pair.name, first, [(pair.name, other)], scene)


def replay_by_place(pair: Pair, scene: Scene) -> list[Finding]:
    """The same where chance alone says which rows of a person are kept: the first ones."""
    with same_words():
        return replay(pair, scene)


def replay_critic(pair: Pair, scene: Scene) -> list[Finding]:
    """The same for the engine that trains a critic on noisy gradients: a few steps of it."""
    scene = dataclasses.replace(scene, game=tiny_game(_CRITIC_STEPS))
    with same_words():
        return replay(pair, scene)


@same_words(coins=False)
def replay_neighbours(
    what: str, first: Table, others: Iterable[Named], scene: Scene
) -> list[Finding]:
    """Compares the fit of ``first`` with those of neighbours of it."""
    before = _first(first, scene)
    differences, most, where = {"the first table": before.faults}, 0.0, "none"
    for name, other in others:
        after = run(other, scene, frozen(before.asked))
        differences[name] = _differences(before, after)
        moved, question = _moved(before.asked, after.asked)
        if moved > most:
            most, where = moved, f"{question} ({name})"
    return [
        _differs(f"replay, {what}", scene, before, differences),
        _moves(f"replay, {what}", scene, most, where),
    ]


@same_words()
def read_alone(
    what: str, first: pd.DataFrame, others: Iterable[tuple[str, pd.DataFrame]], scene: Scene
) -> list[Finding]:
    """Puts all questions of the fit of ``first`` to neighbours of it, and looks how far the exact
    counts move, and whether anything is said: quicker than whole fits, for very many cells."""
    before = _first(first, scene)
    assert before.watched is not None, "the fit has come through"
    differences, most, where = {"the first table": before.faults}, 0.0, "none"
    for name, other in others:
        with heard() as said:
            try:
                asked, odd = _asked_again(other, before.watched, scene)
            except Exception as error:  # noqa: BLE001 -- whatever it is, it tells of a row
                differences[name] = [type(error).__name__]
                continue
        differences[name] = list(dict.fromkeys([*odd, *filter(None, said)]))
        moved, question = _moved(before.asked, asked)
        if moved > most:
            most, where = moved, f"{question} ({name})"
    return [
        _differs(f"cells, {what}", scene, before, differences),
        _moves(f"cells, {what}", scene, most, where),
    ]


def _asked_again(
    frame: pd.DataFrame, before: Watched, scene: Scene
) -> tuple[list[Asked], list[str]]:
    """The questions of a fit, put to other rows; and those that were answered oddly."""
    schema, variant = scene.variant.schema(frame, scene.schema), scene.variant
    rows = Watched(frame, schema, Free(before.ledger.budget), variant, exactly)
    rows.encode(before.codecs)
    for each in before.asked:
        each.ask(rows)
    return rows.asked, rows.odd


def replay_strangers(
    what: str, first: Table, others: Iterable[Named], scene: Scene
) -> list[Finding]:
    """Compares the fit of ``first`` with those of tables that are no neighbours of it."""
    with same_words() if scene.game else contextlib.nullcontext():
        before = _first(first, scene)
        differences = {"the first table": before.faults}
        for name, other in others:
            after = run(other, scene, exactly, before.asked)
            differences[name] = _differences(before, after)
    return [_differs(f"strangers, {what}", scene, before, differences)]


def ledger_adds_up(table: pd.DataFrame, scene: Scene) -> list[Finding]:
    """Works the guarantee out again, from the events alone; and asks whether they cover all
    that was told, and whether the model claims more than they allow."""
    found = _first(table, scene)
    assert found.learned is not None, "the generated tables can be learned"
    guarantee, config, variant = found.learned.guarantee, scene.config, scene.variant.name
    worked_out = recompute(guarantee.events, config.delta)
    looked_at = {name for event in guarantee.events for name in event.columns}
    unpaid = [c.name for c in scene.schema if c.kind.is_modelled and c.name not in looked_at]
    answers = [each.event for each in found.asked]
    missing = [event.name for event in answers if event not in guarantee.events] + found.faults
    return [
        Finding(
            check="ledger: epsilon of the events",
            variant=variant,
            measured=worked_out,
            allowed=config.epsilon,
            detail=f"{len(guarantee.events)} events, worked out anew at delta {config.delta:g}",
        ),
        Finding(
            check="ledger: epsilon of the events, over the one that is claimed",
            variant=variant,
            measured=worked_out / guarantee.epsilon,
            allowed=1 + 1e-9,
            detail=f"claimed: {guarantee.epsilon:.6g} at delta {guarantee.delta:g}",
        ),
        Finding(
            check="ledger: what was told without an event",
            variant=variant,
            measured=len(unpaid) + len(missing) + (guarantee.delta > config.delta),
            allowed=0,
            detail=", ".join([*unpaid, *missing]) or f"{len(answers)} answers",
        ),
    ]


def noise_is_fresh(table: pd.DataFrame, scene: Scene, alpha: float) -> list[Finding]:
    """Fits the same table twice with the same seed: noise must not come twice."""
    runs = [_first(table, scene, drawn).asked for _ in range(2)]
    same = drawn_twice = 0
    chance = 0.0
    for one, other in zip(*runs, strict=False):
        if one.question != other.question or len(one.counts) != len(other.counts):
            break
        same += int((one.answer - one.counts == other.answer - other.counts).sum())
        drawn_twice += len(one.counts)
        # Two draws agree with a chance of at most P[0], which is at most 1 / sqrt(2 pi v),
        # and 1 where v is so small that this says nothing.
        chance = max(chance, min(1.0, (2 * np.pi * float(one.event.variance)) ** -0.5))
    found = Finding(
        check="fresh noise: draws that come again with the seed",
        variant=scene.variant.name,
        measured=same / drawn_twice,
        allowed=float(binom.isf(alpha, drawn_twice, chance)) / drawn_twice,
        detail=f"of {drawn_twice} draws in two fits with one seed",
    )
    return [found]


def samples_are_fresh(table: pd.DataFrame, scene: Scene) -> list[Finding]:
    """Fits the same table twice with a critic that sees half of the rows in a step: the samples
    must not come twice with the seed.

    The noise is frozen, and each row's random word is the same, so that the first step's exact
    sum of gradients follows from its sample alone; two of 2**rows samples are hardly the same.
    """
    game = dataclasses.replace(tiny_game(1), batch_size=len(table) // 2)
    scene = dataclasses.replace(scene, game=game)
    with same_words(coins=False):
        first = _first(table, scene)
        second = run(table, scene, frozen(first.asked))
    sums = [
        [each.counts.tobytes() for each in found.asked if each.event.kind == GRADIENTS]
        for found in (first, second)
    ]
    return [
        Finding(
            check="fresh samples: sums of gradients that come again with the seed",
            variant=scene.variant.name,
            measured=sum(a == b for a, b in zip(*sums, strict=True)),
            allowed=0,
            detail=f"of {len(sums[0])}, each over about half of {len(table)} rows",
        )
    ]


def _first(table: Table, scene: Scene, answers: Callable[[Mechanism], Answer] = never_exact) -> Run:
    """The fit that others are compared with. Raises what it raises."""
    found = run(table, scene, answers(scene.variant.noise(SEED)))
    if found.error is not None:
        raise found.error
    return found


def _differences(first: Run, other: Run) -> list[str]:
    """What differs in the other fit, and what is wrong with it alone."""
    one, two = first.artefacts, other.artefacts
    names = sorted(one.keys() | two.keys())
    different = [each for each in names if one.get(each) != two.get(each)]
    return different + [fault for fault in other.faults if fault not in first.faults]


def _differs(check: str, scene: Scene, first: Run, differences: dict[str, list[str]]) -> Finding:
    """``differences``: by the table, what differs there."""
    said = [f"{name}: {', '.join(what)}" for name, what in differences.items() if what]
    more = len(said) - _MOST_SAID
    said[_MOST_SAID:] = [f"and {more} more tables"] if more > 0 else []
    return Finding(
        check=f"{check}: what differs",
        variant=scene.variant.name,
        measured=sum(map(len, differences.values())),
        allowed=0,
        detail=f"differ in {'; '.join(said)}"
        if said
        else f"compared: {', '.join(sorted(first.artefacts))}",
    )


def _moves(check: str, scene: Scene, most: float, where: str) -> Finding:
    return Finding(
        check=f"{check}: how far counts move",
        variant=scene.variant.name,
        measured=most,
        allowed=1,
        detail=f"L2, in sensitivities as booked; most in: {where}",
    )


def _moved(one: list[Asked], other: list[Asked]) -> tuple[float, str]:
    """How far (L2) a question's counts moved at most, in sensitivities; and which question's."""
    most, where = 0.0, "none"
    for before, after in zip(one, other, strict=False):
        counts = [dict(zip(a.labels, a.counts.tolist(), strict=True)) for a in (before, after)]
        labels = counts[0].keys() | counts[1].keys()
        squares = sum((counts[1].get(each, 0) - counts[0].get(each, 0)) ** 2 for each in labels)
        moved = squares**0.5 / before.event.sensitivity
        if moved > most:
            most, where = moved, before.event.name
    return most, where
