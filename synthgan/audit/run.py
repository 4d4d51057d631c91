"""The audit: which checks of which variants, in order."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from synthgan.audit import leaks
from synthgan.audit import variants as v
from synthgan.audit.attacks import Worlds, black_box, white_box
from synthgan.audit.awkward import (
    AWKWARD,
    AWKWARD_CELLS,
    Files,
    awkward_lines,
    in_front,
    ordinary_rows,
    people_elsewhere,
    spelled,
    strangers,
)
from synthgan.audit.before import (
    declared_alike,
    files_are_split_by_lines,
    lines_are_rows,
    seeds_are_refused,
    split_by_coins,
)
from synthgan.audit.claims import claims_are_checked, failures_are_accounted_for
from synthgan.audit.fits import Scene, tiny_game
from synthgan.audit.replay import (
    ledger_adds_up,
    noise_is_fresh,
    read_alone,
    replay,
    replay_by_place,
    replay_critic,
    replay_strangers,
    samples_are_fresh,
)
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
    rows_of_nobody,
    without_constraints,
)
from synthgan.config import PrivacyConfig
from synthgan.schema.schema import Schema
from synthgan.table.read import read_table

OnPart = Callable[[str, int, int], None]
"""Called with the name of a part, how many runs are done, and how many there are in all."""

ALPHA = 1e-8
"""Chance that one statistical check flags the right fit; there are fewer than ten of them."""

_ROWS, _FEW_ROWS, _FEWEST_ROWS = 300, 200, 100  # of tables that are replayed
_CRITIC_STEPS = 20  # on strangers: more than some have rows
_OF_ONE, _KEPT = 40, 3  # rows of one person: that there are, that are kept
_REPLAYED = PrivacyConfig(epsilon=20.0)  # little noise, so that fits ask more questions
_REPLAYED_AS_DECLARED = PrivacyConfig(epsilon=1000.0)  # enough for very many columns
_OF_PEOPLE = dataclasses.replace(_REPLAYED, unit=UNIT, unit_rows=_KEPT)
_AWKWARD = Scene(schema=AWKWARD, config=PrivacyConfig(epsilon=100.0), variant=v.AS_IT_IS)
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

    Fits generated worst-case tables with and without one unit, in several ways (docs/audit.md),
    and then the same with faults built in on purpose, to see whether it would notice. Replay on
    neighbours is exact; attacks flag the right fit with a chance below 1e-7 in all.

    ``schema`` gives replay other columns than the generated ones; its constraints play no part.
    ``thorough`` runs attacks four times as often. ``on_part`` is told how far it is.

    While it runs, no private fit may run in the same process. Raises :class:`SchemaError` for
    a schema that no private fit takes.
    """
    began, effort = time.monotonic(), THOROUGH if thorough else QUICK
    columns = COLUMNS if schema is None else without_constraints(schema)
    shown = _Shown(on_part)
    parts = [
        *_replays(columns, effort),
        *_people(),
        *_ledgers(),
        *_critics(),
        *_before(),
        *_faults(),
        *_attacks(effort, shown.run),
    ]
    shown.of = sum(part.runs for part in parts)
    findings: list[Finding] = []
    for part in parts:
        shown.start(part)
        findings += part.check()
    shown.end()
    return Audit(findings=tuple(findings), seconds=time.monotonic() - began)


def _replays(columns: Schema, effort: Effort) -> Iterator[_Part]:
    """Replay on neighbours and on strangers, and cells and lines that are read badly."""
    config = _REPLAYED if columns is COLUMNS else _REPLAYED_AS_DECLARED
    scene = Scene(schema=columns, config=config, variant=v.AS_IT_IS)
    for place, pair in enumerate([*neighbours(columns, _ROWS), lines_of_files(columns, _ROWS)]):
        here = dataclasses.replace(scene, whole=place < effort.wholes)
        yield _Part(name="replay on neighbours", check=partial(replay, pair, here))
    if columns is COLUMNS:
        columns, scene = AWKWARD, dataclasses.replace(_AWKWARD, variant=v.AS_IT_IS)
        for pair in neighbours(columns, _ROWS):
            yield _Part(name="replay on neighbours", check=partial(replay, pair, scene))
    yield _Part(name="strangers", check=partial(_strangers, columns, scene))
    yield _Part(name="strangers in files", check=partial(_strangers_in_files, columns, scene))
    yield _Part(name="cells", check=partial(_cells, columns, scene, AWKWARD_CELLS), runs=150)
    yield _Part(name="lines", check=partial(_lines, columns, scene), runs=150)


def _strangers(columns: Schema, scene: Scene) -> list[Finding]:
    table = ordinary_rows(columns, _ROWS)
    return replay_strangers("rows", table, strangers(columns, _ROWS), scene)


def _strangers_in_files(columns: Schema, scene: Scene) -> list[Finding]:
    with Files.temporary() as folder:
        files = Files(folder=Path(folder))
        others = [
            (name, files.of(f"other-{place}", frame))
            for place, (name, frame) in enumerate(strangers(columns, _ROWS)[:-1])
        ]
        table = files.of("table", ordinary_rows(columns, _ROWS))
        return replay_strangers("files", table, others, scene)


def _cells(columns: Schema, scene: Scene, cells: Sequence[Any]) -> list[Finding]:
    table = ordinary_rows(columns, _FEWEST_ROWS)
    others = ((spelled(cell), in_front(table, columns, cell)) for cell in cells)
    return read_alone("one more in front", table, others, scene)


def _lines(columns: Schema, scene: Scene) -> list[Finding]:
    with Files.temporary() as folder:
        files = Files(folder=Path(folder))
        path = files.of("table", ordinary_rows(columns, _FEWEST_ROWS))
        others = (
            (name, read_table(files.with_line(path, "more", line, first=True), as_text=True))
            for name, line in awkward_lines(len(columns.columns))
        )
        table = read_table(path, as_text=True)
        return read_alone("one line more in a file", table, others, scene)


def _people() -> Iterator[_Part]:
    """Tables in which one person may have several rows."""
    scene = Scene(schema=COLUMNS, config=_OF_PEOPLE, variant=v.AS_IT_IS)
    for pair in people(COLUMNS, UNIT, _ROWS, _OF_ONE):
        for variant in (v.AS_IT_IS, v.UNCAPPED):
            here = dataclasses.replace(scene, variant=variant)
            yield _Part(name=f"people, {variant.name}", check=partial(replay, pair, here))
    one_each = dataclasses.replace(_OF_PEOPLE, unit_rows=1)
    pair = rows_of_nobody(COLUMNS, UNIT, _ROWS)
    for variant in (v.AS_IT_IS, leaks.NAMELESS_TOGETHER):
        here = dataclasses.replace(scene, config=one_each, variant=variant)
        yield _Part(name=f"people, {variant.name}", check=partial(replay_by_place, pair, here))
    table, others = near_rows(COLUMNS, _ROWS), people_elsewhere(COLUMNS, _ROWS)
    check = partial(replay_strangers, "people", table, others, scene)
    yield _Part(name="strangers, people", check=check)


def _ledgers() -> Iterator[_Part]:
    """What was booked, and whether noise is fresh."""
    scene = Scene(schema=COLUMNS, config=_REPLAYED, variant=v.AS_IT_IS)
    table = near_rows(COLUMNS, _ROWS)
    for variant in (v.AS_IT_IS, v.NOT_SPLIT, leaks.UNBOOKED, leaks.BETTER_GUARANTEE):
        here = dataclasses.replace(scene, variant=variant)
        yield _Part(name=f"ledger, {variant.name}", check=partial(ledger_adds_up, table, here))
    for variant in (v.AS_IT_IS, leaks.ON_TRUST):
        here = dataclasses.replace(scene, variant=variant)
        yield _Part(name=f"claims, {variant.name}", check=partial(claims_are_checked, table, here))
    for variant in (v.AS_IT_IS, leaks.SILENT_FAILURE):
        here = dataclasses.replace(scene, variant=variant)
        check = partial(failures_are_accounted_for, table, here)
        yield _Part(name=f"failures, {variant.name}", check=check)
    for variant in (v.AS_IT_IS, v.SEEDED_NOISE):
        here = dataclasses.replace(scene, variant=variant)
        yield _Part(
            name=f"fresh noise, {variant.name}", check=partial(noise_is_fresh, table, here, ALPHA)
        )


def _critics() -> Iterator[_Part]:
    """The engine that trains a critic."""
    config = dataclasses.replace(_REPLAYED, engine="critic")
    scene = Scene(schema=SMALL, config=config, variant=v.AS_IT_IS)
    pair = at_the_front(SMALL, _FEW_ROWS)
    for variant in (v.AS_IT_IS, v.PACKED, v.FREE_PENALTY, v.UNCUT):
        here = dataclasses.replace(scene, variant=variant)
        yield _Part(name=f"critic, {variant.name}", check=partial(replay_critic, pair, here))
    table = ordinary_rows(SMALL, _FEWEST_ROWS)
    for variant in (v.AS_IT_IS, v.SEEDED_SAMPLES):
        here = dataclasses.replace(scene, variant=variant)
        yield _Part(name=f"samples, {variant.name}", check=partial(samples_are_fresh, table, here))
    others = strangers(SMALL, _FEWEST_ROWS)[:2]
    here = dataclasses.replace(scene, game=tiny_game(_CRITIC_STEPS))
    check = partial(replay_strangers, "critic", table, others, here)
    yield _Part(name="critic on strangers", check=check, runs=40)


def _before() -> Iterator[_Part]:
    """What happens before a fit."""
    table = ordinary_rows(AWKWARD, _FEWEST_ROWS)
    for variant in (v.AS_IT_IS, leaks.QUOTES_TAKE_LINES):
        check = partial(lines_are_rows, table, variant)
        yield _Part(name=f"lines, {variant.name}", check=check)
    for variant in (v.AS_IT_IS, leaks.SPLIT_BY_SEED):
        check = partial(split_by_coins, table, variant, ALPHA)
        yield _Part(name=f"split, {variant.name}", check=check)
    lines = tuple(awkward_lines(len(AWKWARD.columns)))
    for variant, more in ((v.AS_IT_IS, lines), (leaks.RETYPED, lines[:2])):
        check = partial(files_are_split_by_lines, table, more, variant)
        yield _Part(name=f"split of files, {variant.name}", check=check)
    scene = Scene(schema=SMALL, config=_REPLAYED, variant=v.AS_IT_IS)
    for variant in (v.AS_IT_IS, leaks.UNMARKED):
        here = dataclasses.replace(scene, variant=variant)
        check = partial(seeds_are_refused, near_rows(SMALL, _ROWS), here)
        yield _Part(name=f"split by seed, {variant.name}", check=check)
    for variant in (v.AS_IT_IS, leaks.WORDS_DECLARED, leaks.ALL_DECLARED):
        yield _Part(name=f"declared, {variant.name}", check=partial(declared_alike, variant))


def _faults() -> Iterator[_Part]:
    """Faults that replay and awkward cells must show, each on the least that should do."""
    far = neighbours(COLUMNS, _ROWS)[0]
    for variant in (v.COUNTED_TWICE, v.BOUNDS_FROM_DATA, v.CATEGORIES_FROM_DATA, v.EXACT_ROWS):
        scene = Scene(schema=COLUMNS, config=_REPLAYED, variant=variant)
        yield _Part(name=f"replay, {variant.name}", check=partial(replay, far, scene))
    table, other = ordinary_rows(AWKWARD, _ROWS), strangers(AWKWARD, _ROWS)[:1]
    empty = strangers(AWKWARD, _ROWS)[3:4]
    for variant, others in (
        (leaks.LEVELS_BY_FREQUENCY, other),
        (leaks.MISSING_EXACTLY, other),
        (leaks.HALF_BOUNDED, other),
        (leaks.STEPS_BY_ROWS, empty),
        (leaks.DRAWN_BY_ROWS, other),
        (leaks.ROWS_NOTED, other),
        (leaks.WARNED, empty),
    ):
        scene = dataclasses.replace(_AWKWARD, variant=variant)
        check = partial(replay_strangers, "rows", table, others, scene)
        yield _Part(name=f"strangers, {variant.name}", check=check)
    for variant, cell in (
        (leaks.IN_NANOSECONDS, "2021-01-01 00:00:00.000000001"),
        (leaks.MERGED, True),
        (leaks.NAMED_BY_FIRST, "A"),
        (leaks.REFUSED, [1, 2]),
    ):
        scene = dataclasses.replace(_AWKWARD, variant=variant)
        check = partial(_cells, AWKWARD, scene, (cell,))
        yield _Part(name=f"cells, {variant.name}", check=check)


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
