"""The audit: which checks of which variants, in order."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from synthgan.audit import variants as v
from synthgan.audit.attacks import Worlds, black_box, white_box
from synthgan.audit.replay import ledger_adds_up, noise_is_fresh, replay, replay_critic
from synthgan.audit.report import Audit, Finding
from synthgan.audit.tables import (
    COLUMNS,
    FEW,
    SMALL,
    UNIT,
    at_the_front,
    lines_of_files,
    near_rows,
    neighbours,
    people,
    without_constraints,
)
from synthgan.config import PrivacyConfig
from synthgan.schema import Schema

OnPart = Callable[[str, int, int], None]
"""Called with the name of a part, how many runs are done, and how many there are in all."""

ALPHA = 1e-8
"""Chance that one statistical check flags the right fit; there are fewer than ten of them."""

_ROWS, _FEW_ROWS = 300, 200  # of tables that are replayed
_OF_ONE, _KEPT = 40, 3  # rows of one person: that there are, that are kept
_REPLAYED = PrivacyConfig(epsilon=20.0)  # little noise, so that fits ask more questions
_REPLAYED_AS_DECLARED = PrivacyConfig(epsilon=1000.0)  # enough for very many columns
_OF_PEOPLE = dataclasses.replace(_REPLAYED, unit=UNIT, unit_rows=_KEPT)
_WHITE, _WHITE_ROWS = PrivacyConfig(epsilon=10.0), 60
_BLACK, _BLACK_ROWS = PrivacyConfig(epsilon=1.0), 400


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How often fits are run: in each world of a pair."""

    right: int = 300
    """White box, of the right fit and of faults that are near to it."""
    plain: int = 200
    """White box, of faults that nobody could overlook."""
    told: int = 100
    """Black box."""
    wholes: int = 1
    """How many pairs are replayed down to the model file."""


QUICK, THOROUGH = Effort(), Effort(right=1200, plain=400, told=400, wholes=99)


@dataclass(frozen=True, kw_only=True)
class _Part:
    name: str
    check: Callable[[], list[Finding]]
    runs: int = 20
    """How long it takes, in runs of an attack."""


@dataclass
class _Shown:
    """How far the audit is."""

    on_part: OnPart | None
    of: int = 0
    _name: str = ""
    _before: int = 0
    _done: int = 0

    def start(self, part: _Part) -> None:
        """Says that all parts before ``part`` are done."""
        self._name, self._done = part.name, self._before
        self._before += part.runs
        self._tell()

    def run(self) -> None:
        """Says that one more run of the part is done."""
        self._done += 1
        self._tell()

    def end(self) -> None:
        """Says that all parts are done."""
        self._name, self._done = "done", self.of
        self._tell()

    def _tell(self) -> None:
        if self.on_part is not None:
            self.on_part(self._name, self._done, self.of)


def audit_privacy(
    schema: Schema | None = None, *, thorough: bool = False, on_part: OnPart | None = None
) -> Audit:
    """Whether the guarantee of private fits holds, as far as attacks on them can tell.

    Fits made-up worst-case tables with and without one unit, in several ways (docs/audit.md),
    and then the same with faults built in on purpose, to see whether it would notice. Replay on
    neighbours is exact; attacks flag the right fit with a chance below 1e-7 in all.

    ``schema`` gives replay other columns than the made-up ones; its constraints play no part.
    ``thorough`` runs attacks four times as often. ``on_part`` is told how far it is.

    While it runs, no private fit may run in the same process. Raises :class:`SchemaError` for
    a schema that no private fit takes.
    """
    began, effort = time.monotonic(), THOROUGH if thorough else QUICK
    columns = COLUMNS if schema is None else without_constraints(schema)
    shown = _Shown(on_part)
    parts = [*_replays(columns, effort), *_critics(), *_attacks(effort, shown.run)]
    shown.of = sum(part.runs for part in parts)
    findings: list[Finding] = []
    for part in parts:
        shown.start(part)
        findings += part.check()
    shown.end()
    return Audit(findings=tuple(findings), seconds=time.monotonic() - began)


def _replays(columns: Schema, effort: Effort) -> Iterator[_Part]:
    """Replay on neighbours, the ledger, and whether noise is fresh."""
    pairs = [*neighbours(columns, _ROWS), lines_of_files(columns, _ROWS)]
    config = _REPLAYED if columns is COLUMNS else _REPLAYED_AS_DECLARED
    for place, pair in enumerate(pairs):
        whole = place < effort.wholes
        check = partial(replay, pair, columns, config, v.AS_IT_IS, whole=whole)
        yield _Part(name="replay on neighbours", check=check)
    # What follows works on the made-up columns, where it is known that faults show.
    for pair in people(COLUMNS, UNIT, _ROWS, _OF_ONE):
        for variant in (v.AS_IT_IS, v.UNCAPPED):
            check = partial(replay, pair, COLUMNS, _OF_PEOPLE, variant, whole=False)
            yield _Part(name=f"replay on people, {variant.name}", check=check)
    far = neighbours(COLUMNS, _ROWS)[0]
    for variant in (v.COUNTED_TWICE, v.BOUNDS_FROM_DATA, v.CATEGORIES_FROM_DATA, v.EXACT_ROWS):
        check = partial(replay, far, COLUMNS, _REPLAYED, variant, whole=False)
        yield _Part(name=f"replay, {variant.name}", check=check)
    table = near_rows(COLUMNS, _ROWS)
    for variant in (v.AS_IT_IS, v.NOT_SPLIT):
        check = partial(ledger_adds_up, table, COLUMNS, _REPLAYED, variant)
        yield _Part(name=f"ledger, {variant.name}", check=check)
    for variant in (v.AS_IT_IS, v.SEEDED_NOISE):
        check = partial(noise_is_fresh, table, COLUMNS, _REPLAYED, variant, ALPHA)
        yield _Part(name=f"fresh noise, {variant.name}", check=check)


def _critics() -> Iterator[_Part]:
    """Replay of the engine that trains a critic."""
    pair = at_the_front(SMALL, _FEW_ROWS)
    config = dataclasses.replace(_REPLAYED, engine="critic")
    for variant in (v.AS_IT_IS, v.PACKED, v.FREE_PENALTY):
        check = partial(replay_critic, pair, SMALL, config, variant)
        yield _Part(name=f"critic, {variant.name}", check=check)


def _attacks(effort: Effort, on_run: Callable[[], None]) -> Iterator[_Part]:
    """White box and black box: all columns for the right fit, fewer for the faults."""
    for variant, runs in (
        (v.AS_IT_IS, effort.right),
        (v.HALF_NOISE, effort.right),
        (v.COUNTED_TWICE, effort.right),
        (v.NO_NOISE, effort.plain),
        (v.NOT_SPLIT, effort.plain),
    ):
        schema = SMALL if variant is v.AS_IT_IS else FEW
        worlds = Worlds.of(schema, _WHITE, _WHITE_ROWS, new_levels=False)
        check = partial(white_box, worlds, variant, runs=runs, alpha=ALPHA, on_run=on_run)
        yield _Part(name=f"white box, {variant.name}", check=check, runs=runs)
    for variant in (v.AS_IT_IS, v.BOUNDS_FROM_DATA, v.CATEGORIES_FROM_DATA, v.EXACT_ROWS):
        schema = SMALL if variant is v.AS_IT_IS else FEW
        worlds = Worlds.of(schema, _BLACK, _BLACK_ROWS, new_levels=True)
        check = partial(black_box, worlds, variant, runs=effort.told, alpha=ALPHA, on_run=on_run)
        yield _Part(name=f"black box, {variant.name}", check=check, runs=effort.told)
