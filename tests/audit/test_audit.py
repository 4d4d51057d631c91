"""The audit passes the right fit, notices faults, and proves no more than it may."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
import threading
import warnings
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner
from scipy.stats import binom, norm

import synthgan
from synthgan.audit import leaks
from synthgan.audit import run as run_module
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
from synthgan.audit.bounds import at_most, epsilon_at_least, gaussian_epsilon, mu_at_least, mu_near
from synthgan.audit.claims import claims_are_checked, failures_are_accounted_for
from synthgan.audit.fits import Scene, heard, tiny_game
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
from synthgan.audit.report import RIGHT, Audit, Finding
from synthgan.audit.run import ALPHA, Effort, audit_privacy
from synthgan.audit.stand_ins import Pool
from synthgan.audit.tables import (
    COLUMNS,
    FEW,
    SMALL,
    UNIT,
    at_the_front,
    far_rows,
    lines_of_files,
    near_rows,
    neighbours,
    people,
    rows_of_nobody,
)
from synthgan.cli.app import main
from synthgan.columns.column import Column, Kind
from synthgan.config import PrivacyConfig
from synthgan.errors import ConfigError, SchemaError
from synthgan.privacy.rows import VAULTS as _VAULTS
from synthgan.privacy.rows import PrivateRows
from synthgan.schema.schema import Schema

CONFIG = PrivacyConfig(epsilon=20.0)
ROWS = 300
CRITIC = dataclasses.replace(CONFIG, engine="critic")


def scene(variant: v.Variant, schema: Schema = COLUMNS, config: PrivacyConfig = CONFIG) -> Scene:
    return Scene(schema=schema, config=config, variant=variant)


def flagged(findings: list[Finding]) -> set[str]:
    return {each.check.split(": ")[-1] for each in findings if each.flagged}


# Bounds


@pytest.mark.parametrize(("hits", "runs"), [(0, 10), (3, 10), (10, 10), (7, 500)])
def test_a_rate_is_below_its_bound(hits: int, runs: int) -> None:
    bound = at_most(hits, runs, 1e-3)
    assert hits / runs <= bound <= 1
    if hits < runs:  # as rare as that, by the very definition of the interval
        assert binom.cdf(hits, runs, bound) == pytest.approx(1e-3)


def test_bounds_stay_below_the_truth_and_come_near() -> None:
    mu, runs = 1.0, 100_000
    rate = norm.sf(mu / 2)  # both errors of the best test
    errors = round(rate * runs), round(rate * runs)
    assert 0.95 < mu_at_least(*errors, runs, 1e-3) < mu
    assert mu_near(*errors, runs) == pytest.approx(mu, abs=0.01)
    epsilon = epsilon_at_least(*errors, runs, delta=1e-6, alpha=1e-3)
    assert 0 < epsilon < math.log((1 - rate) / rate) < gaussian_epsilon(mu, 1e-6)


def test_no_attack_proves_nothing() -> None:
    assert mu_at_least(50, 50, 100, 1e-3) == 0
    assert epsilon_at_least(50, 50, 100, delta=1e-6, alpha=1e-3) == 0
    assert epsilon_at_least(0, 100, 100, delta=1e-6, alpha=1e-3) == 0
    assert gaussian_epsilon(0.0, 1e-6) == 0


def test_bounds_hold_with_the_confidence_that_was_asked_for() -> None:
    rng, runs, rate, alpha = np.random.default_rng(0), 200, 0.1, 0.05
    wrong = [at_most(int(hits), runs, alpha) < rate for hits in rng.binomial(runs, rate, 2000)]
    assert np.mean(wrong) < alpha + 0.02


def test_gaussian_epsilon_is_that_of_the_paper() -> None:
    mu, epsilon = 0.7, gaussian_epsilon(0.7, 1e-5)
    above = norm.cdf(mu / 2 - epsilon / mu)
    delta = above - math.exp(epsilon) * norm.cdf(-mu / 2 - epsilon / mu)
    assert delta == pytest.approx(1e-5, rel=1e-3)


# Tables


def test_neighbours_differ_by_one_unit() -> None:
    for pair in [*neighbours(COLUMNS, 20), lines_of_files(COLUMNS, 20)]:
        assert len(pair.more) == len(pair.less) + 1, pair.name
        COLUMNS.check(pair.less)
        COLUMNS.check(pair.more)
    for pair in people(COLUMNS, UNIT, 20, 5):
        assert len(pair.more) == len(pair.less) + 5
        assert pair.more[UNIT].nunique() == pair.less[UNIT].nunique() + 1
    front = at_the_front(SMALL, 20)
    assert front.more[1:].reset_index(drop=True).equals(front.less)


def test_corners_are_apart() -> None:
    near, far = near_rows(COLUMNS, 50), far_rows(COLUMNS, new_levels=True)
    for column in COLUMNS:
        assert not set(far[column.name]) & set(near[column.name]), column.name
    common = far_rows(COLUMNS, new_levels=False)
    assert set(common["job"]) <= set(near["job"])


# Replay


@pytest.mark.parametrize("place", range(7))
def test_the_right_fit_stands_replay(place: int) -> None:
    pair = [*neighbours(COLUMNS, ROWS), lines_of_files(COLUMNS, ROWS)][place]
    here = dataclasses.replace(scene(v.AS_IT_IS), whole=place == 1)
    differs, moves = replay(pair, here)
    assert not differs.flagged, differs.detail
    assert moves.measured == pytest.approx(1)
    assert {"model file", "training", "messages"} <= set(differs.detail[10:].split(", "))


def test_people_with_many_rows_stand_replay_only_if_they_are_capped() -> None:
    config = dataclasses.replace(CONFIG, unit=UNIT, unit_rows=3)
    for pair in people(COLUMNS, UNIT, ROWS, 40):
        assert not flagged(replay(pair, scene(v.AS_IT_IS, config=config)))
        _, moves = replay(pair, scene(v.UNCAPPED, config=config))
        assert moves.measured == pytest.approx(40)


@pytest.mark.parametrize(
    ("variant", "by"),
    [
        (v.COUNTED_TWICE, {"how far counts move"}),
        (v.BOUNDS_FROM_DATA, {"what differs", "how far counts move"}),
        (v.CATEGORIES_FROM_DATA, {"what differs"}),
        (v.EXACT_ROWS, {"what differs"}),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_replay_notices_faults(variant: v.Variant, by: set[str]) -> None:
    found = flagged(replay(neighbours(COLUMNS, ROWS)[0], scene(variant)))
    # With other categories the tables of pairs are others, too, and may move by more.
    assert found == by or (variant is v.CATEGORIES_FROM_DATA and found > by)


@pytest.mark.parametrize(
    ("variant", "by"),
    [
        (v.AS_IT_IS, set()),
        (v.PACKED, {"how far counts move"}),
        (v.FREE_PENALTY, {"what differs"}),
        (v.UNCUT, {"how far counts move"}),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_replay_of_the_critic(variant: v.Variant, by: set[str]) -> None:
    pair = at_the_front(SMALL, 200)
    found = flagged(replay_critic(pair, scene(variant, SMALL, CRITIC)))
    # Critics that differ may see gradients that are farther apart than one row can make them.
    assert found == by or (variant is v.FREE_PENALTY and found > by)


def test_replay_notices_counts_that_nobody_pays_for() -> None:
    class Peeping(PrivateRows):
        __slots__ = ()

        def encode(self, codecs: Any) -> None:
            super().encode(codecs)
            vault = _VAULTS[self]
            vault.mechanism(np.array([vault.rows]), Fraction(1))

    def peep(frame: Any, schema: Any, ledger: Any, mechanism: Any) -> PrivateRows:
        return Peeping(frame, schema, ledger, mechanism=mechanism)

    variant = v.Variant(name="peeping", open=peep)
    differs, _ = replay(neighbours(FEW, ROWS)[0], scene(variant, FEW))
    assert differs.flagged
    assert "more answers than events" in differs.detail


def test_an_error_at_one_neighbour_only_is_a_difference() -> None:
    def refuse(frame: Any, schema: Any, ledger: Any, mechanism: Any) -> PrivateRows:
        if len(frame) > ROWS:
            raise SchemaError("column 'age': 1000000 is too old")
        return PrivateRows(frame, schema, ledger, mechanism=mechanism)

    variant = v.Variant(name="refusing", open=refuse)
    differs, _ = replay(neighbours(FEW, ROWS)[0], scene(variant, FEW))
    assert differs.flagged

    nothing = Schema(columns=(COLUMNS[UNIT],))
    with pytest.raises(ConfigError, match="there is none"):  # nothing could be compared
        replay(neighbours(nothing, 20)[0], scene(v.AS_IT_IS, nothing))


@pytest.mark.parametrize(
    ("variant", "by"),
    [
        (v.AS_IT_IS, set()),
        (v.NOT_SPLIT, {"epsilon of the events"}),
        (leaks.BETTER_GUARANTEE, {"epsilon of the events, over the one that is claimed"}),
        (leaks.UNBOOKED, {"what was told without an event"}),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_the_ledger_is_worked_out_anew(variant: v.Variant, by: set[str]) -> None:
    assert flagged(ledger_adds_up(near_rows(FEW, ROWS), scene(variant, FEW))) == by


def test_noise_must_not_come_again_with_the_seed() -> None:
    table = near_rows(FEW, ROWS)
    (right,) = noise_is_fresh(table, scene(v.AS_IT_IS, FEW), ALPHA)
    (wrong,) = noise_is_fresh(table, scene(v.SEEDED_NOISE, FEW), ALPHA)
    assert not right.flagged
    assert wrong.measured == 1 > wrong.allowed


def test_samples_must_not_come_again_with_the_seed() -> None:
    table = ordinary_rows(FEW, 60)
    (right,) = samples_are_fresh(table, scene(v.AS_IT_IS, FEW, CRITIC))
    (wrong,) = samples_are_fresh(table, scene(v.SEEDED_SAMPLES, FEW, CRITIC))
    assert (right.measured, wrong.measured) == (0, 1)


def test_claims_of_model_files_are_checked() -> None:
    table = near_rows(FEW, ROWS)
    assert not flagged(claims_are_checked(table, scene(v.AS_IT_IS, FEW)))
    (found,) = claims_are_checked(table, scene(leaks.ON_TRUST, FEW))
    assert found.measured >= 6


def test_failed_fits_tell_what_they_spent() -> None:
    table = near_rows(FEW, ROWS)
    (right,) = failures_are_accounted_for(table, scene(v.AS_IT_IS, FEW))
    (wrong,) = failures_are_accounted_for(table, scene(leaks.SILENT_FAILURE, FEW))
    assert right.measured == 0 < wrong.measured
    assert right.detail.startswith(f"{wrong.measured:.0f} events")


def test_what_is_said_is_heard_of_this_thread_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with heard() as said:
        print("mine", file=sys.stderr)  # noqa: T201
        warnings.warn("mine too", stacklevel=1)
        other = threading.Thread(target=lambda: click.echo("not mine", err=True))
        other.start()
        other.join()
    assert said == ["UserWarning: mine too", "mine\n"]
    assert capsys.readouterr().err == "not mine\n"


# Strangers

MUCH = PrivacyConfig(epsilon=100.0)
ORDINARY = ordinary_rows(AWKWARD, 150)
STRANGERS = dict(strangers(AWKWARD, 150))


def test_strangers_have_nothing_in_common_but_their_columns() -> None:
    for name, frame in STRANGERS.items():
        assert list(frame) == list(ORDINARY), name
        assert len(frame) != len(ORDINARY), name
    other = STRANGERS["other rows, five times as many"]
    for column in AWKWARD:
        if column.kind.is_modelled:
            real, seen = (frame[column.name].astype(object) for frame in (ORDINARY, other))
            missing = real.isna().mean(), seen.isna().mean()
            assert 0 < missing[0] < 0.3 < missing[1] or not column.nullable, column.name
            closed = column.categories is not None or column.kind is Kind.BOOLEAN
            assert closed or set(seen.dropna()) != set(real.dropna()), column.name
    job = ORDINARY["job"].value_counts()
    assert list(job.index) == sorted(job.index, reverse=True)  # most frequent last, by label


@pytest.mark.parametrize("name", STRANGERS)
def test_the_right_fit_is_the_same_for_strangers(name: str) -> None:
    (found,) = replay_strangers("rows", ORDINARY, [(name, STRANGERS[name])], awkward(v.AS_IT_IS))
    assert not found.flagged, found.detail


def test_the_right_fit_of_files_is_the_same_for_strangers(tmp_path: Path) -> None:
    files = Files(folder=tmp_path)
    table = files.of("table", ORDINARY)
    others = [
        (name, files.of(f"other-{place}", frame))
        for place, (name, frame) in enumerate(STRANGERS.items())
        if name != "awkward cells"
    ]
    (found,) = replay_strangers("files", table, others, awkward(v.AS_IT_IS))
    assert not found.flagged, found.detail


def test_the_right_fit_of_people_and_critics_is_the_same_for_strangers() -> None:
    of_people = dataclasses.replace(CONFIG, unit=UNIT, unit_rows=3)
    here = scene(v.AS_IT_IS, config=of_people)
    (found,) = replay_strangers(
        "people", near_rows(COLUMNS, 99), people_elsewhere(COLUMNS, 99), here
    )
    assert not found.flagged, found.detail
    here = dataclasses.replace(scene(v.AS_IT_IS, FEW, CRITIC), game=tiny_game(12))
    (found,) = replay_strangers("critic", near_rows(FEW, 60), strangers(FEW, 60)[:2], here)
    assert not found.flagged, found.detail


def awkward(variant: v.Variant) -> Scene:
    return scene(variant, AWKWARD, MUCH)


@pytest.mark.parametrize(
    ("variant", "name", "word"),
    [
        (leaks.LEVELS_BY_FREQUENCY, "one row", "levels of 'job': not what its noisy counts say"),
        (leaks.MISSING_EXACTLY, "one row", "levels of 'job': not what its noisy counts say"),
        (leaks.HALF_BOUNDED, "other rows, five times as many", "questions"),
        (leaks.STEPS_BY_ROWS, "one row", "training"),
        (leaks.DRAWN_BY_ROWS, "one row", "rows drawn"),
        (leaks.ROWS_NOTED, "one row", "notes"),
        (leaks.WARNED, "all cells missing", "messages"),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_strangers_show_faults(variant: v.Variant, name: str, word: str) -> None:
    (found,) = replay_strangers("rows", ORDINARY, [(name, STRANGERS[name])], awkward(variant))
    assert found.flagged
    assert word in found.detail


# Cells and lines


def test_each_awkward_cell_stands_before_all_others() -> None:
    for cell in AWKWARD_CELLS:
        front = in_front(ORDINARY[:3], AWKWARD, cell)
        assert len(front) == 4
        assert front["job"][0] is cell or isinstance(cell, float), spelled(cell)
        assert spelled(cell).isascii()


def test_the_right_fit_reads_each_cell_alone() -> None:
    table = ordinary_rows(AWKWARD, 40)
    others = ((spelled(cell), in_front(table, AWKWARD, cell)) for cell in AWKWARD_CELLS)
    differs, moves = read_alone("one more in front", table, others, awkward(v.AS_IT_IS))
    assert not differs.flagged, differs.detail
    assert moves.measured == pytest.approx(1), moves.detail


@pytest.mark.parametrize(
    ("variant", "cell", "by"),
    [
        (leaks.IN_NANOSECONDS, "2021-01-01 00:00:00.000000001", {"how far counts move"}),
        (leaks.MERGED, True, {"how far counts move"}),
        (leaks.NAMED_BY_FIRST, "A", {"how far counts move"}),
        (leaks.REFUSED, [1, 2], {"what differs"}),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_cells_show_faults(variant: v.Variant, cell: object, by: set[str]) -> None:
    table = ordinary_rows(AWKWARD, 40)
    others = [(spelled(cell), in_front(table, AWKWARD, cell))]
    assert flagged(read_alone("one more in front", table, others, awkward(variant))) >= by


def test_rows_of_nobody_are_no_person() -> None:
    config = dataclasses.replace(CONFIG, unit=UNIT)
    pair = rows_of_nobody(COLUMNS, UNIT, ROWS)
    assert not flagged(replay_by_place(pair, scene(v.AS_IT_IS, config=config)))
    _, moves = replay_by_place(pair, scene(leaks.NAMELESS_TOGETHER, config=config))
    assert moves.measured == pytest.approx(math.sqrt(2))


def test_awkward_lines_are_lines() -> None:
    for name, line in awkward_lines(5):
        assert b"\n" not in line or name == "UTF-16", name


def test_one_line_is_one_row() -> None:
    table = ordinary_rows(AWKWARD, 40)
    (right,) = lines_are_rows(table, v.AS_IT_IS)
    (wrong,) = lines_are_rows(table, leaks.QUOTES_TAKE_LINES)
    assert not right.flagged, right.detail
    assert wrong.measured >= 40
    assert "a quote that is never closed" in wrong.detail


# Before a fit


def test_a_split_has_a_secret_coin_for_each_row() -> None:
    table = ordinary_rows(AWKWARD, 100)
    assert not flagged(split_by_coins(table, v.AS_IT_IS, ALPHA))
    assert len(flagged(split_by_coins(table, leaks.SPLIT_BY_SEED, ALPHA))) == 2


def test_a_split_of_a_file_copies_its_lines() -> None:
    table = ordinary_rows(AWKWARD, 30)
    lines = list(awkward_lines(len(AWKWARD.columns)))
    assert not flagged(files_are_split_by_lines(table, lines[::3], v.AS_IT_IS))
    assert flagged(files_are_split_by_lines(table, lines[:1], leaks.RETYPED))
    torn = [line for line in lines if b"\r" in line[1]]
    assert not flagged(files_are_split_by_lines(table, torn, v.AS_IT_IS))


def test_a_split_by_a_seed_is_refused() -> None:
    table = near_rows(FEW, ROWS)
    assert not flagged(seeds_are_refused(table, scene(v.AS_IT_IS, FEW)))
    assert flagged(seeds_are_refused(table, scene(leaks.UNMARKED, FEW)))


@pytest.mark.parametrize(
    ("variant", "said"),
    [
        (v.AS_IT_IS, "declared alike"),
        (leaks.WORDS_DECLARED, "amount: words"),
        (leaks.ALL_DECLARED, "stage: categories"),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_what_is_declared_tells_of_no_cell(variant: v.Variant, said: str) -> None:
    (found,) = declared_alike(variant)
    assert said in found.detail
    assert found.flagged is (variant is not v.AS_IT_IS)


# Attacks

WHITE = Worlds.of(FEW, PrivacyConfig(epsilon=10.0), 60, new_levels=False)
PAIR = Schema(columns=(COLUMNS["age"], COLUMNS["job"]))
BLACK = Worlds.of(PAIR, PrivacyConfig(epsilon=1.0), 400, new_levels=True)


def white(variant: v.Variant, runs: int) -> tuple[Finding, Finding]:
    found, law = white_box(WHITE, variant, runs=runs, alpha=ALPHA, on_run=lambda: None)
    return found, law


def test_the_right_fit_stands_the_white_box_and_uses_its_budget() -> None:
    found, law = white(v.AS_IT_IS, 80)
    assert not found.flagged
    assert not law.flagged
    about = float(found.detail.split()[2].rstrip(";"))
    assert about == pytest.approx(found.allowed, abs=1.4)  # six standard errors


@pytest.mark.parametrize(
    ("variant", "runs", "is_told_apart"),
    [(v.NO_NOISE, 110, True), (v.HALF_NOISE, 30, False)],  # so few runs prove little
    ids=lambda each: getattr(each, "name", ""),
)
def test_the_white_box_notices_wrong_noise(
    variant: v.Variant, runs: int, is_told_apart: bool
) -> None:
    found, law = white(variant, runs)
    assert law.flagged
    assert found.flagged is is_told_apart


def test_the_pool_hands_each_draw_out_once() -> None:
    asked: list[int] = []

    def count_up(counts: np.ndarray, variance: Fraction) -> np.ndarray:
        asked.append(len(counts))
        return counts + np.arange(len(counts)) + 10**6 * len(asked)

    pool = Pool(count_up)
    zeros = np.zeros(1500, dtype=np.int64)
    found = np.concatenate([pool(zeros, Fraction(1)) for _ in range(5)])
    assert len(np.unique(found)) == len(found)
    assert len(asked) < 5


@pytest.mark.parametrize(
    ("variant", "word"),
    [
        (v.BOUNDS_FROM_DATA, "the top of 'age'"),
        (v.CATEGORIES_FROM_DATA, "how many levels 'job' has"),
        (v.EXACT_ROWS, "the number of rows"),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_the_black_box_notices_what_is_taken_from_the_rows(variant: v.Variant, word: str) -> None:
    (found,) = black_box(BLACK, variant, runs=90, alpha=ALPHA, on_run=lambda: None)
    assert found.flagged
    assert word in found.detail


def test_the_right_fit_stands_the_black_box() -> None:
    (found,) = black_box(BLACK, v.AS_IT_IS, runs=40, alpha=ALPHA, on_run=lambda: None)
    assert found.measured < 0.5


# The whole

OTHERS = ("_people", "_ledgers", "_critics", "_before", "_faults", "_attacks")


def finding(variant: str = RIGHT, measured: float = 0.0) -> Finding:
    return Finding(check="a check", variant=variant, measured=measured, allowed=1.0)


def test_an_audit_passes_if_it_sees_and_there_is_nothing_to_see() -> None:
    passed = Audit(findings=(finding(), finding("a fault"), finding("a fault", 2.0)), seconds=1.0)
    assert passed.passed
    assert passed.controls == {"a fault": True}
    assert [each.verdict for each in passed.findings] == ["holds", "not seen here", "flagged"]
    assert "flagged all 1 faults" in passed.sentences[1]
    for measured in (2.0, math.nan, math.inf):
        broken = Audit(findings=(finding(measured=measured),), seconds=1.0)
        assert not broken.passed
        assert broken.findings[0].verdict == "BROKEN"
        assert "does NOT hold: a check" in broken.sentences[0]
        assert json.loads(broken.to_json())["passed"] is False
    blind = Audit(findings=(finding(), finding("a fault")), seconds=1.0)
    assert blind.missed == ("a fault",)
    assert not blind.passed


def test_a_part_is_told_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [
        run_module._Part(name=name, check=lambda: [finding()], runs=runs)
        for name, runs in (("one", 3), ("two", 4))
    ]
    monkeypatch.setattr(run_module, "_replays", lambda *_: parts)
    for name in OTHERS:
        monkeypatch.setattr(run_module, name, lambda *_: [])
    told: list[tuple[str, int, int]] = []
    found = audit_privacy(on_part=lambda *each: told.append(each))
    assert told == [("one", 0, 7), ("two", 3, 7), ("done", 7, 7)]
    assert found.passed


def test_all_faults_are_in_the_plan() -> None:
    parts = [
        *run_module._replays(COLUMNS, Effort()),
        *run_module._people(),
        *run_module._ledgers(),
        *run_module._critics(),
        *run_module._before(),
        *run_module._faults(),
        *run_module._attacks(Effort(), lambda: None),
    ]
    planned = {part.name.split(", ", 1)[-1] for part in parts}
    faults = [
        each
        for module in (v, leaks)
        for each in vars(module).values()
        if isinstance(each, v.Variant) and each is not v.AS_IT_IS
    ]
    assert {each.name for each in faults} <= planned
    assert len({each.name for each in faults}) >= 20


def test_a_schema_of_ones_own_is_taken_or_refused() -> None:
    column = Column(name="day", kind=Kind.DATETIME, dtype="object")
    parts = run_module._replays(Schema(columns=(column,)), Effort())
    with pytest.raises(SchemaError, match="how dates are spelled must be declared"):
        next(parts).check()


# On the command line


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Callable[[Finding], None]:
    def only(found: Finding) -> None:
        part = run_module._Part(name="one", check=lambda: [found])
        monkeypatch.setattr(run_module, "_replays", lambda *_: [part])
        for name in OTHERS:
            monkeypatch.setattr(run_module, name, lambda *_: [])

    return only


def test_the_command_tells_and_writes(quick: Callable[[Finding], None], tmp_path: Path) -> None:
    quick(finding())
    file = tmp_path / "audit.json"
    done = CliRunner().invoke(main, ["audit", "--json", str(file)])
    assert done.exit_code == 0, done.output
    assert "a check  as it is  0         1        holds" in done.stdout
    assert "Nothing speaks against the guarantee" in done.stdout
    assert json.loads(file.read_text())["findings"][0]["verdict"] == "holds"
    again = CliRunner().invoke(main, ["audit", "--json", str(file)])
    assert again.exit_code == 2


def test_a_broken_guarantee_is_exit_code_1(quick: Callable[[Finding], None]) -> None:
    quick(finding(measured=2.0))
    done = CliRunner().invoke(main, ["audit", "--quiet"])
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.startswith("synthgan: The guarantee does NOT hold")


def test_public_names() -> None:
    assert synthgan.audit_privacy is audit_privacy
    assert synthgan.Audit is Audit
