"""DP-SGD on the critic: the plain critic's loss, row by row; nobody's row counts for too much."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sample_tables import people, quick
from test_private_fit import declared

import synthgan
from synthgan.columns.column import Column, Kind
from synthgan.config import NetworkConfig
from synthgan.encode.encoder import Encoder
from synthgan.network.losses import objective_of
from synthgan.privacy import critic as private_critic
from synthgan.privacy import rows as rows_module
from synthgan.privacy.accountant import recompute
from synthgan.privacy.critic import Game, Players, draw_rows, plan_gradients, play
from synthgan.privacy.gradients import CHUNK, GradientPlan
from synthgan.privacy.gradients import cut as _cut
from synthgan.privacy.ledger import Budget, Guarantee, Ledger, UnchargedAccessError
from synthgan.privacy.rows import PrivateRows
from synthgan.privacy.summary import PrivateSummary, plan_budget, summarize_privately
from synthgan.schema.schema import Schema
from synthgan.serialization import from_plain, to_plain
from synthgan.train.steps import step_critic

CPU = torch.device("cpu")
SMALL = Game(
    steps=6,
    batch_size=64,
    generator_batch_size=64,
    pool=128,
    network=NetworkConfig(width=16, head_width=8, noise_width=8, critic_width=16, critic_depth=2),
)
EVERYTHING = Fraction(1)


def exact(counts: np.ndarray, variance: Fraction) -> np.ndarray:
    return counts


def opened(
    n: int = 2 * CHUNK, epsilon: float = 1e9, **settings: Any
) -> tuple[PrivateRows, Encoder, PrivateSummary]:
    """Rows that are encoded, with what is left of the budget."""
    frame = people(n)
    schema = declared(frame)
    ledger = Ledger(plan_budget(schema, epsilon=epsilon, delta=1e-6))
    rows = PrivateRows(frame, schema, ledger, **settings)
    found = summarize_privately(rows, schema)
    encoder = Encoder(schema, found.summary)
    rows.encode(encoder.codecs)
    return rows, encoder, found


def numbers(values: list[int], **settings: Any) -> PrivateRows:
    """Rows of one column ``x`` of small whole numbers, encoded as they are."""

    class AsIs:
        width = 100

        def encode(self, cells: Any, chances: Any) -> Any:
            return cells.astype(np.int64), cells

    unit = settings.pop("unit", None)
    frame = pd.DataFrame({"x": np.array(values, dtype=np.int64), "who": unit or values})
    columns = (
        Column(name="x", kind=Kind.INTEGER, dtype="int64"),
        Column(name="who", kind=Kind.IDENTIFIER, dtype="int64"),
    )
    most = settings.pop("rows_per_unit", 1)
    budget = Budget(epsilon=1e9, delta=1e-6, unit="who" if unit else None, rows_per_unit=most)
    rows = PrivateRows(frame, Schema(columns=columns), Ledger(budget), **settings)
    rows.encode({"x": AsIs()})
    return rows


def plan(size: int = 2, **changes: Any) -> GradientPlan:
    fields: dict[str, Any] = {
        "size": size,
        "clip": 1.0,
        "units": 1000,
        "variance": Fraction(1),
        "sampling": EVERYTHING,
        "steps": 1,
    }
    return GradientPlan(**{**fields, **changes})


# One loss for both


def test_without_clip_and_noise_a_step_is_the_plain_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, encoder, _ = opened(mechanism=exact)
    players = Players.start(encoder.layout, replace(SMALL, critic_lr=1.0), seed=3, device=CPU)
    plain = copy.deepcopy(players.critic)
    players._critic_optimizer = torch.optim.SGD(players.critic.parameters(), lr=1.0)
    met = []

    def spy(critic: Any, *args: Any) -> Any:
        met.append(args[:3])
        return gradients(critic, *args)

    gradients = private_critic.row_gradients
    monkeypatch.setattr(private_critic, "row_gradients", spy)
    size = sum(weight.numel() for weight in plain.parameters())
    loose = plan(size, clip=1000.0, units=2**30, variance=Fraction(2**60))  # nothing is cut
    booking = rows.book_gradients(encoder.layout.columns, loose, "gradients")
    players.move_critic(rows.noisy_gradient(booking, players.meet()) / (2 * CHUNK), 1.0)

    assert len(met) == 2
    real, fake, mix = (torch.cat(part) for part in zip(*met, strict=True))
    optimizer = torch.optim.SGD(plain.parameters(), lr=1.0)
    step_critic(plain, optimizer, real, fake, mix, objective_of("wgan-gp", SMALL.gradient_penalty))
    for private, public in zip(players.critic.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(private, public, atol=1e-5, rtol=0)
    start = Players.start(encoder.layout, SMALL, seed=3, device=CPU).critic
    assert any(
        (a - b).abs().max() > 0.01
        for a, b in zip(start.parameters(), plain.parameters(), strict=True)
    )


# How much one row can do


def test_no_vector_is_longer_than_the_clip() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(200, 50)) * 10.0 ** rng.integers(-6, 30, size=(200, 1))
    vectors[:3] = [[np.nan], [np.inf], [1e300]]
    vectors[3] = 0
    vectors[4] = [0.5 / 64] * 50  # on the brink of rounding up, all at once
    for units in (3, 64, 4096, 2**30):
        cut = _cut(vectors, plan(50, units=units))
        squares = (cut.astype(object) ** 2).sum(axis=1)
        assert max(squares) <= units**2
        assert not cut[[0, 1, 3]].any()
    unit = vectors[5:] / np.linalg.norm(vectors[5:], axis=1, keepdims=True)
    short = _cut(unit / 2, plan(50, units=4096)) / 4096
    np.testing.assert_allclose(short, unit / 2, atol=0.5 / 4096)  # these are not cut
    single = _cut(unit.astype(np.float32), plan(50, units=4096))
    assert (np.linalg.norm(single, axis=1) > 0.99 * 4096).all()


def moved(gradients: Any, less: list[int], more: list[int]) -> float:
    """How far (in clips) the sum of a table's vectors is from that of another."""
    sums = []

    def record(total: np.ndarray, variance: Fraction) -> np.ndarray:
        sums.append(total)
        return total

    for values in (less, more):
        rows = numbers(values, mechanism=record)
        rows.noisy_gradient(rows.book_gradients(("x",), plan(), "g"), gradients)
    return float(np.linalg.norm(sums[1] - sums[0])) / 1000


def alone(tokens: np.ndarray, words: np.ndarray) -> np.ndarray:
    return np.where(tokens == 9, [[1e9, 0.0]], [[0.0, 1e9]])


def packed(tokens: np.ndarray, words: np.ndarray) -> np.ndarray:
    """One vector for two rows: against the rules."""
    same = tokens[::2] == tokens[1::2]
    found = np.zeros((CHUNK, 2))
    found[::2] = np.where(same, [[1e9, 0.0]], [[0.0, 1e9]])
    return found


def test_one_row_more_moves_the_sum_by_one_clip_and_packs_by_more() -> None:
    assert 0.999 < moved(alone, [1, 2], [1, 2, 9]) <= 1.0
    assert moved(packed, [1, 1, 2, 3], [9, 1, 1, 2, 3]) > 1.0  # the pairs are others now
    assert moved(packed, [1], [1, 1]) == pytest.approx(math.sqrt(2), abs=1e-2)


def test_the_critic_s_gradients_of_the_strangest_row_are_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        rows_module, "row_words", lambda size: np.arange(size) * 2**40 + np.arange(size)
    )
    sums = []

    def record(total: np.ndarray, variance: Fraction) -> np.ndarray:
        sums.append(total)
        return total

    rows, encoder, _ = opened(mechanism=exact)
    frame = people(2 * CHUNK)
    schema = declared(frame)
    odd = pd.concat([frame, frame.iloc[:1]], ignore_index=True).astype(object)
    odd.loc[len(frame), ["age", "job", "wealth"]] = [1e30, "?", -1e30]
    game = replace(SMALL, clip=1e-3)
    for table in (frame, odd):
        ledger = Ledger(Budget(epsilon=1e9, delta=1e-6))
        rows = PrivateRows(table, schema, ledger, mechanism=record)
        rows.encode(encoder.codecs)
        players = Players.start(encoder.layout, game, seed=0, device=CPU)
        size = sum(weight.numel() for weight in players.critic.parameters())
        booking = rows.book_gradients(encoder.layout.columns, plan(size, clip=1e-3), "g")
        rows.noisy_gradient(booking, players.meet())
    distance = float(np.linalg.norm(sums[1] - sums[0]))
    assert 900 < distance <= 1000  # one row is there, cut to the clip; no other has moved


def test_a_row_s_gradient_does_not_depend_on_what_is_beside_it() -> None:
    _, encoder, _ = opened(mechanism=exact)
    gradients = Players.start(encoder.layout, SMALL, seed=0, device=CPU).meet()
    rng = np.random.default_rng(0)
    widths = [span.width for span in encoder.layout.spans]
    tokens = np.stack([rng.integers(0, width, CHUNK) for width in widths], axis=1)
    words = rng.integers(0, 2**62, CHUNK)
    order = rng.permutation(CHUNK)
    found = gradients(tokens, words)
    assert np.array_equal(gradients(tokens[order], words[order]), found[order])
    cutting = plan(found.shape[1], clip=float(np.linalg.norm(found, axis=1).mean()))
    assert np.array_equal(_cut(found[order], cutting), _cut(found, cutting)[order])
    few = np.where(np.arange(CHUNK)[:, None] < 5, tokens, 0)
    assert np.array_equal(gradients(few, words)[:5], found[:5])


# Paying


def test_steps_are_paid_for_in_advance_and_no_more_are_taken() -> None:
    seen = []

    def spy(tokens: np.ndarray, words: np.ndarray) -> np.ndarray:
        seen.append(tokens)
        return alone(tokens, words)

    rows = numbers([1, 2, 3])
    booking = rows.book_gradients(("x",), plan(steps=2, variance=Fraction(10**6)), "gradients")
    (event,) = rows.ledger.events
    assert (event.steps, event.sensitivity, event.clip, event.columns) == (2, 1000, 1.0, ("x",))
    for _ in range(2):
        rows.noisy_gradient(booking, spy)
    for other in (rows, numbers([1])):
        with pytest.raises(UnchargedAccessError, match="no step is left"):
            other.noisy_gradient(booking, spy)
    assert len(seen) == 2
    with pytest.raises(UnchargedAccessError, match="not encoded"):
        rows.book_gradients(("who",), plan(), "gradients")


def test_what_the_budget_does_not_cover_is_not_looked_at() -> None:
    rows, encoder, found = opened(epsilon=3.0)
    planned = plan_gradients(rows.ledger, SMALL, size=2, rows=found.rows)
    less = replace(planned, variance=planned.variance * Fraction(99, 100))
    with pytest.raises(UnchargedAccessError, match="left of the budget"):
        rows.book_gradients(encoder.layout.columns, less, "gradients")
    rows.book_gradients(encoder.layout.columns, planned, "gradients")
    assert 2.99 < rows.ledger.guarantee().epsilon <= 3.0


def test_vectors_of_another_size_are_refused() -> None:
    rows = numbers([1])
    with pytest.raises(UnchargedAccessError, match="of the plan's size"):
        rows.noisy_gradient(rows.book_gradients(("x",), plan(3), "g"), alone)


# Chance


def test_units_are_sampled_whole_each_by_its_own_coin() -> None:
    values = [i // 2 for i in range(2 * 90)]
    rows = numbers(values, unit=values, rows_per_unit=2, mechanism=exact)
    sizes = []

    def count(tokens: np.ndarray, words: np.ndarray) -> np.ndarray:
        found: np.ndarray = np.eye(100)[tokens[:, 0]]
        return found

    booking = rows.book_gradients(("x",), plan(100, sampling=Fraction(1, 3), steps=60), "g")
    assert rows.ledger.events[0].sensitivity == 2000  # both rows of a unit
    for _ in range(60):
        total = np.rint(rows.noisy_gradient(booking, count)).astype(int)
        assert set(total[:90].tolist()) <= {0, 2}
        sizes.append(total.sum() // 2)
    assert np.mean(sizes) == pytest.approx(30, abs=6 * math.sqrt(20 / 60))
    assert np.var(sizes) == pytest.approx(20, rel=0.9)


def test_noise_is_as_large_as_planned_and_no_seed_repeats_it() -> None:
    rows = numbers([])
    wanted = plan(20_000, clip=0.5, variance=Fraction(3000**2), steps=2)
    booking = rows.book_gradients(("x",), wanted, "g")
    noise, again = (rows.noisy_gradient(booking, alone) for _ in range(2))
    assert float(noise.std()) == pytest.approx(3 * 0.5, rel=0.03)
    assert not np.array_equal(noise, again)


def test_a_game_uses_up_its_budget_and_draws_rows() -> None:
    told = []
    rows, encoder, found = opened(500, epsilon=4.0)
    made = play(
        rows, encoder.layout, count=found.rows, seed=0, device=CPU, game=SMALL, on_step=told.append
    )
    assert [step.step for step in told] == [6]
    assert told[0].critic_loss is None  # it would be of real rows
    guarantee = rows.ledger.guarantee()
    assert 3.99 < guarantee.epsilon <= 4.0
    read = from_plain(Guarantee, json.loads(json.dumps(to_plain(guarantee))))
    assert read == guarantee
    assert recompute(read.events, read.delta) == guarantee.epsilon
    drawn = draw_rows(made, 300, torch.Generator().manual_seed(0))
    assert drawn.shape == (300, len(encoder.layout.spans))
    assert (drawn < [span.width for span in encoder.layout.spans]).all()
    rows, _, _ = opened(500, epsilon=4.0)
    other = play(rows, encoder.layout, count=found.rows, seed=0, device=CPU, game=SMALL)
    assert not torch.equal(made.out, other.out)  # the seed is the same, the noise is not


def test_fit_takes_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_critic, "GAME", SMALL)
    frame = people(600)
    privacy = synthgan.PrivacyConfig(epsilon=5.0, engine="critic")
    model = synthgan.fit(frame, declared(frame), replace(quick(5), privacy=privacy))
    assert model.guarantee is not None
    assert 4.99 < model.guarantee.epsilon <= 5.0
    assert model.guarantee.events[-1].steps == SMALL.steps
    rows = model.sample(50, where='job == "boss"', seed=0)
    assert (rows["job"] == "boss").all()
    with pytest.raises(synthgan.ConfigError, match="engine must be 'marginals' or 'critic'"):
        synthgan.PrivacyConfig(epsilon=1.0, engine="gan")  # type: ignore[arg-type]
