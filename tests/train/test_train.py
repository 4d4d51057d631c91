"""Training: what it reports, keeps, gives up and repeats."""

from __future__ import annotations

import copy
import dataclasses
import math
import time

import numpy as np
import pandas as pd
import pytest
import torch
from sample_tables import people, quick

import synthgan
from synthgan import Step
from synthgan.config import ObjectiveName
from synthgan.encode.encoder import Encoder, Tokens
from synthgan.encode.layout import Layout
from synthgan.encode.summarize import summarize
from synthgan.network.critic import Critic
from synthgan.network.generator import Generator
from synthgan.network.losses import objective_of
from synthgan.schema.infer import infer_columns
from synthgan.train import phases
from synthgan.train.device import choose_device
from synthgan.train.loop import train
from synthgan.train.probe import Probe, _auc, detection, look, warnings
from synthgan.train.replay import Replayed
from synthgan.train.run import Run


def tokens_of(frame: pd.DataFrame) -> tuple[Tokens, Layout]:
    schema = infer_columns(frame)
    encoder = Encoder(schema, summarize(frame, schema, synthgan.SummaryConfig()))
    return encoder.encode(frame, np.random.default_rng(0)), encoder.layout


@pytest.fixture(scope="module")
def table() -> tuple[Tokens, Layout]:
    return tokens_of(people())


def test_both_phases_are_reported_in_order(table: tuple[Tokens, Layout]) -> None:
    seen: list[Step] = []
    trained = train(*table, quick(60), on_step=seen.append)
    assert tuple(seen) == trained.history
    assert [s.phase for s in seen] == sorted((s.phase for s in seen), reverse=True)
    warm = [s for s in seen if s.phase == "warm start"]
    game = [s for s in seen if s.phase == "adversarial"]
    assert warm[-1].of == 50
    assert (game[-1].step, game[-1].of) == (10, 10)
    assert all(s.likelihood_loss is not None and s.critic_loss is None for s in warm)
    assert all(s.critic_loss is not None and s.generator_loss is not None for s in game)
    assert game[-1].validation_loss is not None


def test_the_likelihood_improves() -> None:
    history = train(*tokens_of(people(2000)), quick(150, adversarial=False)).history
    checked = [s.validation_loss for s in history if s.validation_loss is not None]
    assert min(checked) < checked[0] - 0.5


@pytest.mark.parametrize("phases", [{}, {"adversarial": False}, {"warm_start": False}])
def test_the_same_seed_gives_the_same_weights(
    table: tuple[Tokens, Layout], phases: dict[str, bool]
) -> None:
    first = train(*table, quick(12, **phases)).generator.state_dict()
    again = train(*table, quick(12, **phases)).generator.state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    other = copy.deepcopy(quick(12, **phases))
    other = synthgan.Config(network=other.network, train=other.train, seed=1)
    assert not torch.equal(train(*table, other).generator.out, first["out"])


def test_interruption_keeps_what_was_learned(table: tuple[Tokens, Layout]) -> None:
    def stop(step: Step) -> None:
        if step.step >= 30:
            raise KeyboardInterrupt

    trained = train(*table, quick(1000), on_step=stop)
    assert "interrupted" in trained.notes[0]
    untrained = train(*table, quick(1)).generator
    assert not torch.equal(trained.generator.embedding, untrained.embedding)
    assert all(w.isfinite().all() for w in trained.generator.parameters())


def test_time_is_kept(table: tuple[Tokens, Layout]) -> None:
    started = time.monotonic()
    trained = train(*table, quick(100_000, max_minutes=1 / 60))
    assert time.monotonic() - started < 20
    assert trained.history[-1].phase == "adversarial"
    assert any("the time was up" in note for note in trained.notes)


def test_divergence_is_noticed_and_undone(table: tuple[Tokens, Layout]) -> None:
    trained = train(*table, quick(120, generator_lr=1.0, likelihood_weight=0.0))
    assert any("diverged" in note for note in trained.notes)
    best = min(s.validation_loss for s in trained.history if s.validation_loss is not None)
    warm = [s.validation_loss for s in trained.history if s.phase == "warm start"]
    assert best == min(v for v in warm if v is not None)


def losses(monkeypatch: pytest.MonkeyPatch, *values: float) -> list[dict[str, torch.Tensor]]:
    """Has validation say ``values``, then the last one again; the weights that it saw."""
    left, seen = list(values), []

    def validation_loss(run: Run) -> float:
        seen.append({k: v.clone() for k, v in run.average.state_dict().items()})
        return left.pop(0) if len(left) > 1 else left[0]

    monkeypatch.setattr(phases, "validation_loss", validation_loss)
    return seen


def equal(generator: Generator, weights: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(v, weights[k]) for k, v in generator.state_dict().items())


@pytest.mark.parametrize("bad", [math.nan, math.inf, 14.0])
def test_a_warm_start_that_diverges_goes_on_once(
    table: tuple[Tokens, Layout], monkeypatch: pytest.MonkeyPatch, bad: float
) -> None:
    seen = losses(monkeypatch, 10.0, bad, 9.0, bad)
    trained = train(*table, quick(1000, adversarial=False))
    assert len(seen) == 4
    assert equal(trained.generator, seen[2])
    first, second = trained.notes
    assert "the warm start diverged at step 20" in first
    assert "went on from it with a lower rate" in first
    assert "the warm start diverged again at step 40" in second


def test_a_small_loss_is_no_divergence(
    table: tuple[Tokens, Layout], monkeypatch: pytest.MonkeyPatch
) -> None:
    losses(monkeypatch, 10.0, 13.0)
    assert train(*table, quick(50, adversarial=False)).notes == ()


def test_an_adversarial_phase_that_diverges_goes_on_once(
    table: tuple[Tokens, Layout], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = quick(1500, warm_start=False, critic_steps=1)
    seen = losses(monkeypatch, 10.0, math.nan, 9.0, math.nan)
    trained = train(*table, config)
    assert len(seen) == 4
    assert equal(trained.generator, seen[2])
    assert ["again" in note for note in trained.notes] == [False, True]
    assert trained.history[-1].step == 200


def test_what_never_learned_anything_is_no_model(
    table: tuple[Tokens, Layout], monkeypatch: pytest.MonkeyPatch
) -> None:
    losses(monkeypatch, math.nan)
    with pytest.raises(synthgan.TrainingError, match="diverged twice before"):
        train(*table, quick(100))


def test_small_tables_stop_before_they_are_learned_by_heart() -> None:
    history = train(*tokens_of(people(60)), quick(5000, adversarial=False)).history
    assert history[-1].step < 5000


def test_tables_without_anything_to_learn_pass_through() -> None:
    frame = pd.DataFrame({"x": ["a"] * 30})
    trained = train(*tokens_of(frame), quick(10))
    assert trained.history == ()
    assert "nothing to learn" in trained.notes[0]


def test_a_handful_of_rows_is_enough_to_run() -> None:
    frame = pd.DataFrame({"x": [True, False] * 3, "y": np.arange(6) / 2})
    assert train(*tokens_of(frame), quick(6)).history


@pytest.mark.parametrize("name", ["cuda:99", "tpu", "nonsense", ""])
def test_devices_that_are_not_there_are_refused(name: str) -> None:
    with pytest.raises(synthgan.TrainingError, match=r"device"):
        choose_device(name)


def test_auto_finds_a_device() -> None:
    assert choose_device("auto").type in {"cpu", "cuda", "mps"}


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_training_runs_on_the_gpu(table: tuple[Tokens, Layout]) -> None:
    trained = train(*table, quick(30, device="cuda"))
    assert trained.generator.out.device.type == "cuda"
    assert trained.history[-1].phase == "adversarial"


@pytest.mark.parametrize("warm_start", [True, False])
def test_batches_are_halved_where_memory_does_not_hold_them(
    table: tuple[Tokens, Layout], monkeypatch: pytest.MonkeyPatch, warm_start: bool
) -> None:
    def scarce(name: str) -> None:
        real = getattr(Generator, name)

        def method(self: Generator, z: torch.Tensor, *args: object) -> object:
            if len(z) > 30 and torch.is_grad_enabled():
                raise torch.OutOfMemoryError("out of memory")
            return real(self, z, *args)

        monkeypatch.setattr(Generator, name, method)

    scarce("logits")
    scarce("relaxed")
    trained = train(*table, quick(20, warm_start=warm_start))
    assert [note.split()[-1] for note in trained.notes] == ["50", "25"]
    assert trained.history[-1].validation_loss is not None
    monkeypatch.setattr("synthgan.train.run._FEWEST_ROWS", 50)
    with pytest.raises(synthgan.TrainingError, match="--batch-size"):
        train(*table, quick(20, warm_start=warm_start))


def test_without_cuda_a_step_is_taken_as_it_is() -> None:
    taken = []

    def step() -> torch.Tensor:
        taken.append(torch.ones(1, requires_grad=True))
        return taken[-1]

    replayed = Replayed(step, [], [], torch.Generator())
    found = [replayed() for _ in range(8)]
    assert len(taken) == 8
    assert not replayed.is_graph
    assert not any(each.requires_grad for each in found)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA")
@pytest.mark.parametrize("phases", [{"adversarial": False}, {"warm_start": False}])
def test_steps_replayed_on_cuda_give_the_same_numbers(
    table: tuple[Tokens, Layout], phases: dict[str, bool]
) -> None:
    def weights(*, cuda_graphs: bool) -> dict[str, torch.Tensor]:
        config = quick(12, device="cuda", cuda_graphs=cuda_graphs, **phases)
        return train(*table, config).generator.state_dict()

    plain, recorded = weights(cuda_graphs=False), weights(cuda_graphs=True)
    for name, each in plain.items():
        torch.testing.assert_close(recorded[name], each, rtol=1e-2, atol=1e-3)


# Objectives and what is told of the game


@pytest.mark.parametrize("name", ["minimax", "non-saturating", "wgan-clip", "hinge-sn"])
def test_each_objective_trains_both_networks(name: str, table: tuple[Tokens, Layout]) -> None:
    game = {"warm_start": False, "objective": name}
    found = train(*table, quick(20, **game))
    plain = train(*table, quick(20, warm_start=False))
    assert [s.step for s in found.history] == [10, 20]
    assert all(s.critic_loss is not None and math.isfinite(s.critic_loss) for s in found.history)
    assert not torch.equal(found.generator.out, plain.generator.out)
    again = train(*table, quick(20, **game))
    assert torch.equal(found.generator.out, again.generator.out)


def test_the_game_is_looked_at_where_it_is_checked(table: tuple[Tokens, Layout]) -> None:
    *before, last = train(*table, quick(60, warm_start=False)).history
    told = ("critic_slope", "critic_gap", "generator_gradient", "distinct", "recall")
    assert all(getattr(last, name) is not None for name in told)
    assert all(getattr(s, name) is None for s in before if s.step != 50 for name in told)
    assert last.distinct == pytest.approx(1, abs=0.02)
    assert last.recall is not None
    assert 0.3 < last.recall <= 1
    assert last.generator_gradient is not None
    assert last.generator_gradient > 0


def test_looking_changes_nothing(
    table: tuple[Tokens, Layout], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = train(*table, quick(12)).generator.state_dict()
    monkeypatch.setattr(phases.Adversarial, "_diagnosis", lambda self: {})
    monkeypatch.setattr(phases.Adversarial, "finish", lambda self: None)
    unseen = train(*table, quick(12)).generator.state_dict()
    assert all(torch.equal(looked[name], unseen[name]) for name in looked)


def test_a_clipped_critic_is_said_to_be_flat(table: tuple[Tokens, Layout]) -> None:
    notes = train(*table, quick(5, warm_start=False, objective="wgan-clip")).notes
    assert any("slope" in note and "clipping" in note for note in notes)
    assert train(*table, quick(5, warm_start=False)).notes == ()


def test_a_generator_that_always_says_the_same_is_said_to_have_collapsed(
    table: tuple[Tokens, Layout], monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = Generator.draw

    def same(self: Generator, *args: torch.Tensor) -> torch.Tensor:
        drawn = draw(self, *args)  # type: ignore[arg-type]
        return drawn[:1].expand_as(drawn)

    monkeypatch.setattr(Generator, "draw", same)
    trained = train(*table, quick(5, warm_start=False))
    assert any("mode collapse" in note for note in trained.notes)
    assert trained.history[-1].distinct == pytest.approx(0, abs=0.01)
    assert trained.history[-1].recall == pytest.approx(0, abs=0.01)


SOUND = Probe(
    slope=0.9, gap=0.1, gap_error=0.05, distance=1.0, distinct=0.9, real_distinct=1.0, recall=0.9
)


@pytest.mark.parametrize(
    ("name", "seen", "critic_loss", "words"),
    [
        ("wgan-gp", {}, -1.0, []),
        ("minimax", {}, 1.2, []),
        ("wgan-gp", {"distinct": 0.3}, -1.0, ["mode collapse: 30% of the rows drawn"]),
        ("wgan-gp", {"distinct": 0.3, "real_distinct": 0.4}, -1.0, []),
        ("minimax", {}, 0.05, ["saturated"]),
        ("hinge-sn", {}, 0.05, ["saturated"]),
        ("wgan-gp", {}, 0.05, []),
        ("wgan-clip", {"slope": 0.01}, 0.0, ["slope is 0.01"]),
        ("wgan-gp", {"slope": 0.01}, 0.0, []),
        ("wgan-gp", {"gap": 0.8}, -1.0, ["by heart"]),
        ("wgan-gp", {"gap": 0.8, "gap_error": 0.5}, -1.0, []),
        ("wgan-gp", {"gap": -0.8}, -1.0, []),
        ("non-saturating", {"gap": 0.8, "distinct": 0.0}, 0.0, ["collapse", "saturated", "heart"]),
    ],
)
def test_what_is_wrong_with_a_game_is_said_in_words(
    name: ObjectiveName, seen: dict[str, float], critic_loss: float, words: list[str]
) -> None:
    probe = dataclasses.replace(SOUND, **seen)
    said = list(warnings(objective_of(name, 1.0), probe, critic_loss))
    assert len(said) == len(words)
    assert all(word in sentence for word, sentence in zip(words, said, strict=True))


def test_the_gap_is_what_the_critic_has_learned_by_heart(table: tuple[Tokens, Layout]) -> None:
    tokens, layout = table
    run = Run.begin(tokens, layout, quick(1), torch.device("cpu"))
    critic = Critic(layout, quick(1).network, torch.Generator().manual_seed(0))
    before = look(run, critic)
    assert abs(before.gap) < 4 * before.gap_error
    run.rows.training = run.rows.validation[:1].expand_as(run.rows.training)
    after = look(run, critic)  # one row, over and over
    assert after.real_distinct < 0.01
    assert before.real_distinct > 0.9


# Rows set aside against rows drawn


def test_looking_for_detection_changes_nothing_but_what_is_told(
    table: tuple[Tokens, Layout],
) -> None:
    plain = train(*table, quick(24))
    asked = train(*table, quick(24, detection_every=8))
    weights = plain.generator.state_dict()
    assert all(torch.equal(each, weights[n]) for n, each in asked.generator.state_dict().items())
    assert all(step.detection is None for step in plain.history)
    told = {(s.phase, s.step): s.detection for s in asked.history if s.detection is not None}
    assert set(told) == {("warm start", 8), ("warm start", 16), ("warm start", 20),
                         ("adversarial", 4)}  # fmt: skip
    assert all(0.4 < each < 1 for each in told.values())


def test_detection_falls_as_rows_become_like_real_ones() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 4, 3000)
    letters = np.array(list("abcd"))
    found = tokens_of(pd.DataFrame({"x": letters[x], "y": letters[(x + 1) % 4]}))
    config = quick(120, adversarial=False, detection_every=5, validation_share=0.2)
    told = [s.detection for s in train(*found, config).history if s.detection is not None]
    assert told[0] > 0.8
    assert told[-1] < 0.6


def test_a_detector_tells_what_can_be_told() -> None:
    rng = np.random.default_rng(0)
    tokens, labels = rng.integers(0, 5, (800, 3)), np.arange(800) % 2
    assert _auc(tokens, labels) == pytest.approx(0.5, abs=0.08)
    tokens[:, 1] = np.where(rng.random(800) < 0.8, labels, tokens[:, 1])
    assert _auc(tokens, labels) > 0.85
    tokens[:, 2] = labels
    assert _auc(tokens, labels) == 1


def test_too_few_rows_cannot_be_told_apart(table: tuple[Tokens, Layout]) -> None:
    run = Run.begin(*table, quick(1), torch.device("cpu"))
    assert detection(run) is not None
    run.rows.validation = run.rows.validation[:19]
    assert detection(run) is None


def test_private_fits_have_no_rows_to_be_told_from() -> None:
    settings = synthgan.TrainConfig(detection_every=10)
    with pytest.raises(synthgan.ConfigError, match="leave detection_every out"):
        synthgan.Config(train=settings, privacy=synthgan.PrivacyConfig(epsilon=1))
    with pytest.raises(synthgan.ConfigError, match="at least 1"):
        synthgan.TrainConfig(detection_every=0)
