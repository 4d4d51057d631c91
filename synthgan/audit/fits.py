"""Whole private fits under observation: what goes in, what comes out, and all that is said.

Training works on rows that nobody lives behind, so for most runs what it was called with is
written down and an untrained network stands in for what it would have made of that.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import io
import json
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

import numpy as np
import pandas as pd
import torch

from synthgan.audit.awkward import Table
from synthgan.audit.replaced import replaced
from synthgan.audit.stand_ins import independent
from synthgan.audit.variants import Variant
from synthgan.audit.watch import SEED, Answer, Asked, Watched, in_bytes, watching
from synthgan.config import Config, NetworkConfig, PrivacyConfig, TrainConfig
from synthgan.encode.encoder import Tokens
from synthgan.encode.layout import Layout
from synthgan.model import file as archive
from synthgan.model import fit as fitting
from synthgan.model.fit import fit
from synthgan.model.synthesizer import Synthesizer
from synthgan.network.generator import Generator
from synthgan.privacy import critic as private_critic
from synthgan.privacy import fit as private_fit
from synthgan.privacy.critic import Game
from synthgan.privacy.fit import Learned
from synthgan.progress import Step
from synthgan.schema.schema import Schema
from synthgan.serialization import to_plain
from synthgan.train.loop import Trained, train

Artefacts = dict[str, bytes]

_TINY = NetworkConfig(width=16, head_width=8, noise_width=8, critic_width=16, critic_depth=2)
_LAYOUT = ("prior", "drawable", "is_bin", "is_number", "rank", "rank_width")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """What is the same in the fits that are compared: all that is public."""

    schema: Schema
    config: PrivacyConfig
    variant: Variant
    whole: bool = False
    """Whether mixture and network are really trained, for one step, on what they are given."""
    game: Game | None = None
    """The critic's, where it is shorter than the product's."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """A fit, all that came of it, and all that was seen of it."""

    watched: Watched | None
    learned: Learned | None
    artefacts: Artefacts
    """By name; they are to be the same for neighbours, and for strangers with the same answers."""
    error: Exception | None
    """What the fit raised."""

    @property
    def asked(self) -> list[Asked]:
        """The questions, if the fit came to ask any."""
        return [] if self.watched is None else self.watched.asked

    @property
    def faults(self) -> list[str]:
        """What is wrong with this fit by itself."""
        if self.watched is None:
            return []
        booked = sum(event.steps for event in self.watched.ledger.events)
        found = list(dict.fromkeys(self.watched.odd))
        return found + ["more answers than events"] * (self.watched.answers > booked)


def tiny_game(steps: int) -> Game:
    """A short game of small networks, whose samples hold all rows of a small table; gradients
    are mostly longer than they are cut to."""
    return Game(steps=steps, batch_size=256, clip=0.25, pool=64, network=_TINY)


def run(table: Table, scene: Scene, answer: Answer, script: Sequence[Asked] | None = None) -> Run:
    """Fits ``table``, with all that it asks answered by ``answer``, or as the ``script`` has it.

    Whatever the fit raises is among the artefacts, as ``error``: everybody can read it.
    """
    _load()
    learned: list[Learned] = []
    watched: list[Watched] = []
    found: Artefacts = {}
    steps: list[Step] = []
    raised: Exception | None = None
    variant = scene.variant
    # Whatever stands there now: a fault may stand in its place.
    own = vars(fitting)["learn_privately"], vars(private_fit)["fit_mixture"]

    def learned_under_watch(
        frame: pd.DataFrame, schema: Schema, config: PrivacyConfig, **rest: Any
    ) -> Learned:
        with watching(variant, answer, watched, script=script):
            public = variant.schema(frame, schema)
            learned.append(variant.tell(frame, own[0](frame, public, config, **rest)))
        found.update(_artefacts(learned[-1], watched[-1]))
        return learned[-1]

    def trained(tokens: Tokens, layout: Layout, config: Config, **rest: Any) -> Trained:
        config = variant.settings(frame, config)
        found["training"] = _training(tokens, layout, config, rest)
        return _train(tokens, layout, config, rest, really=scene.whole)

    def mixed(*args: Any, **settings: Any) -> Any:
        found["mixture"] = _mixing(*args, **settings)
        return (own[1] if scene.whole else independent)(*args, **settings)

    with contextlib.ExitStack() as stack:
        said = stack.enter_context(heard())
        stack.enter_context(replaced(fitting, learn_privately=learned_under_watch, train=trained))
        stack.enter_context(replaced(private_fit, fit_mixture=mixed))
        if scene.game is not None:
            stack.enter_context(replaced(private_critic, GAME=scene.game))
        try:
            frame = variant.read(table)
            settings = Config(privacy=scene.config, train=TrainConfig(device="cpu"), seed=SEED)
            model = fit(frame, scene.schema, settings, on_step=steps.append)
            model = variant.finish(frame, model)
            found.update(_told_by(model))
        except Exception as error:  # noqa: BLE001 -- whatever it is, it tells of a row
            raised = error
            found["error"] = f"{type(error).__name__}: {error}".encode(errors="replace")
    found["messages"] = "\n".join(said).encode(errors="replace")
    found["steps"] = repr([_timeless(step) for step in steps]).encode()
    return Run(
        watched=watched[-1] if watched else None,
        learned=learned[-1] if learned else None,
        artefacts=found,
        error=raised,
    )


def _load() -> None:
    """Imports what a fit imports later, so that it has nothing to say then."""
    importlib.import_module("dp_accounting.rdp")


@contextlib.contextmanager
def heard() -> Iterator[list[str]]:
    """Warnings, standard output and standard error; complete once it is over."""
    said: list[str] = []
    output = io.StringIO()
    with (
        warnings.catch_warnings(record=True) as warned,
        contextlib.redirect_stdout(_Heard(output, sys.stdout)),
        contextlib.redirect_stderr(_Heard(output, sys.stderr)),
    ):
        warnings.filterwarnings("always")
        try:
            yield said
        finally:
            said += [f"{each.category.__name__}: {each.message}" for each in warned]
            said.append(output.getvalue())


class _Heard(io.TextIOBase):
    """Keeps what this thread writes; others, such as the one that shows how far the audit is, go
    on to where they wrote before."""

    def __init__(self, kept: io.StringIO, before: TextIO) -> None:
        self._thread = threading.get_ident()
        self._kept, self._before = kept, before

    def write(self, text: str) -> int:
        mine = threading.get_ident() == self._thread
        return (self._kept if mine else self._before).write(text)

    def flush(self) -> None:
        if threading.get_ident() != self._thread:
            self._before.flush()


def _train(
    tokens: Tokens, layout: Layout, config: Config, rest: dict[str, Any], *, really: bool
) -> Trained:
    if really:
        shortest = dataclasses.replace(config.train, steps=1, batch_size=256)
        return train(tokens, layout, dataclasses.replace(config, train=shortest), **rest)
    rng = torch.Generator().manual_seed(config.seed)
    return Trained(Generator(layout, config.network, rng).eval(), (), ())


# What there is to compare


def _artefacts(learned: Learned, watched: Watched) -> Iterator[tuple[str, bytes]]:
    yield "questions", "\n".join(each.question for each in watched.asked).encode()
    yield "answers", b"\n".join(in_bytes(each.given) for each in watched.asked)
    yield "shapes", repr([len(each.counts) for each in watched.asked if each.labels[-1]]).encode()
    yield "ledger", repr(learned.guarantee).encode()
    yield "summary", json.dumps(to_plain(learned.summary)).encode()
    yield "schema", learned.encoder.schema.to_json().encode()
    yield "layout", _layout(learned.encoder.layout)
    yield "rows drawn", f"{learned.tokens.shape}".encode() + learned.tokens.tobytes()


def _layout(layout: Layout) -> bytes:
    arrays = [getattr(layout, name).tobytes() for name in _LAYOUT]
    return repr(layout.spans).encode() + b"".join(arrays)


def _training(tokens: Tokens, layout: Layout, config: Config, rest: dict[str, Any]) -> bytes:
    """What training was called with, but for whom it tells how far it is."""
    settings = {name: value for name, value in rest.items() if name != "on_step"}
    rows = f"{tokens.dtype} {tokens.shape} ".encode() + tokens.tobytes()
    return rows + _layout(layout) + f"{config!r} {settings!r}".encode()


def _mixing(tables: Any, widths: Any, rng: torch.Generator, **settings: Any) -> bytes:
    measured = [(each.columns, np.asarray(each.counts).tolist(), each.sigma) for each in tables]
    state = rng.get_state().numpy().tobytes()
    return f"{measured!r} {list(widths)!r} {settings['device']}".encode() + state


def _told_by(model: Synthesizer) -> Iterator[tuple[str, bytes]]:
    # Seconds that steps took are the one thing in the file that never comes twice.
    history = tuple(_timeless(step) for step in model.history)
    card = dataclasses.replace(model._card, history=history)
    yield "model file", archive.to_bytes(card, model._generator)
    yield "notes", repr(model.notes).encode()
    yield "protections", repr(model.protections).encode()
    yield "model", f"{model!r} {model.rows} {model.guarantee!r} {model.versions!r}".encode()


def _timeless(step: Step) -> Step:
    return dataclasses.replace(step, seconds=0.0)
