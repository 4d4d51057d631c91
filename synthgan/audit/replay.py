"""Replay on neighbouring tables: with the noisy answers frozen, nothing else may differ.

A fit is run on one table and its noisy answers are kept. Then it is run on a neighbour, and
given the same answers. Whatever differs now, questions or outcomes, got out of the rows
without paying; and how far the exact counts moved is the sensitivity that was booked, or more.
No chance is involved, so a difference of one byte is a proof.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binom

from synthgan import archive, private_critic, synthesizer
from synthgan.audit.replaced import replaced
from synthgan.audit.report import Finding
from synthgan.audit.tables import Pair
from synthgan.audit.variants import Variant
from synthgan.audit.watch import SEED, Asked, Watched, cheap, drawn, frozen, learn, same_words
from synthgan.config import Config, NetworkConfig, PrivacyConfig, TrainConfig
from synthgan.errors import SynthganError
from synthgan.privacy import recompute
from synthgan.private_critic import Game
from synthgan.private_fit import Learned
from synthgan.records import to_plain
from synthgan.schema import Schema

Artefacts = dict[str, bytes]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """A fit, all that came of it, and all that was seen of it."""

    watched: Watched | None
    learned: Learned | None
    artefacts: Artefacts
    """By name; they are to be the same for neighbours."""

    @property
    def asked(self) -> list[Asked]:
        """The questions, if the fit came to ask any."""
        return [] if self.watched is None else self.watched.asked


def replay(
    pair: Pair, schema: Schema, config: PrivacyConfig, variant: Variant, *, whole: bool
) -> list[Finding]:
    """Compares fits on two neighbours.

    Raises what the fit of the first one raises.

    With ``whole``, ``fit`` itself is run, down to the bytes of the model file; otherwise all
    of it but the mixture of pairs and the network, which see noisy counts alone.
    """
    tables = (pair.more, pair.less) if pair.is_removal else (pair.less, pair.more)
    first = _run(tables[0], schema, config, variant, None, whole)
    second = _run(tables[1], schema, config, variant, first.asked, whole)
    names = sorted(first.artefacts.keys() | second.artefacts.keys())
    different = [name for name in names if first.artefacts.get(name) != second.artefacts.get(name)]
    different += [] if _all_booked(first) else ["more answers than events"]
    said = f"differ: {', '.join(different)}" if different else f"compared: {', '.join(names)}"
    moved, where = _moved(first.asked, second.asked)
    check = f"replay, {pair.name}"
    return [
        Finding(
            check=f"{check}: what differs",
            variant=variant.name,
            measured=len(different),
            allowed=0,
            detail=said,
        ),
        Finding(
            check=f"{check}: how far counts move",
            variant=variant.name,
            measured=moved,
            allowed=1,
            detail=f"L2, in sensitivities as booked; most in: {where}",
        ),
    ]


def replay_critic(
    pair: Pair, schema: Schema, config: PrivacyConfig, variant: Variant
) -> list[Finding]:
    """The same for the engine that trains a critic on noisy gradients: a few steps of it."""
    game = Game(steps=3, batch_size=256, pool=64, network=_TINY)  # 256: more than rows, so all
    with replaced(private_critic, GAME=game), same_words():
        return replay(pair, schema, config, variant, whole=False)


_TINY = NetworkConfig(width=16, head_width=8, noise_width=8, critic_width=16, critic_depth=2)


def ledger_adds_up(
    table: pd.DataFrame, schema: Schema, config: PrivacyConfig, variant: Variant
) -> list[Finding]:
    """Works the guarantee out again, from the events alone."""
    run = _run(table, schema, config, variant, None, False)
    assert run.learned is not None, "the made-up tables can be learned"
    events = run.learned.guarantee.events
    found = Finding(
        check="ledger: epsilon of the events",
        variant=variant.name,
        measured=recompute(events, config.delta),
        allowed=config.epsilon,
        detail=f"{len(events)} events, worked out anew at delta {config.delta:g}",
    )
    return [found]


def noise_is_fresh(
    table: pd.DataFrame, schema: Schema, config: PrivacyConfig, variant: Variant, alpha: float
) -> list[Finding]:
    """Fits the same table twice with the same seed: noise must not come twice."""
    runs = [_run(table, schema, config, variant, None, False).asked for _ in range(2)]
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
        variant=variant.name,
        measured=same / drawn_twice,
        allowed=float(binom.isf(alpha, drawn_twice, chance)) / drawn_twice,
        detail=f"of {drawn_twice} draws in two fits with one seed",
    )
    return [found]


def _run(
    table: pd.DataFrame,
    schema: Schema,
    config: PrivacyConfig,
    variant: Variant,
    script: list[Asked] | None,
    whole: bool,
) -> Run:
    answer = drawn(variant.noise(SEED)) if script is None else frozen(script)
    kept: list[tuple[Learned, Watched]] = []

    def learned_under_watch(
        frame: pd.DataFrame, schema: Schema, config: PrivacyConfig, **rest: Any
    ) -> Learned:
        kept.append(learn(frame, schema, config, variant, answer))
        return kept[-1][0]

    found: Artefacts = {}
    with contextlib.nullcontext() if whole else cheap():
        try:
            if whole:
                with replaced(synthesizer, learn_privately=learned_under_watch):
                    found = dict(_model_file(synthesizer.fit(table, schema, _tiny(config))))
            else:
                learned_under_watch(table, schema, config)
        except SynthganError as error:
            if script is None:
                raise  # there is nothing to compare with
            # As good as an artefact: whoever runs the fit can read it.
            found["error"] = f"{type(error).__name__}: {error}".encode()
    if not kept:
        return Run(watched=None, learned=None, artefacts=found)
    learned, watched = kept[-1]
    return Run(watched=watched, learned=learned, artefacts=found | dict(_artefacts(*kept[-1])))


def _tiny(config: PrivacyConfig) -> Config:
    """Training is the shortest that there is: it works on rows that nobody lives behind."""
    return Config(privacy=config, train=TrainConfig(steps=1, batch_size=256, device="cpu"))


def _artefacts(learned: Learned, watched: Watched) -> Iterator[tuple[str, bytes]]:
    yield "questions", "\n".join(each.question for each in watched.asked).encode()
    yield "answers", b"".join(watched.told)
    yield "shapes", repr([len(each.counts) for each in watched.asked if each.labels[-1]]).encode()
    yield "ledger", repr(learned.guarantee).encode()
    yield "summary", json.dumps(to_plain(learned.summary)).encode()
    yield "schema", learned.encoder.schema.to_json().encode()
    yield "layout", repr(learned.encoder.layout.spans).encode()
    yield "rows drawn", learned.tokens.tobytes()


def _model_file(model: synthesizer.Synthesizer) -> Iterator[tuple[str, bytes]]:
    # Seconds that steps took are the one thing in the file that never comes twice.
    history = tuple(dataclasses.replace(step, seconds=0.0) for step in model.history)
    card = dataclasses.replace(model._card, history=history)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.synthgan"
        archive.save(path, card, model._generator)
        yield "model file", path.read_bytes()


def _all_booked(run: Run) -> bool:
    if run.watched is None:
        return True
    return run.watched.answers == sum(event.steps for event in run.watched.ledger.events)


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
