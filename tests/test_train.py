"""Training: what it reports, keeps, gives up and repeats."""

from __future__ import annotations

import copy
import math
import time

import numpy as np
import pandas as pd
import pytest
import torch
from sample_tables import people, quick

import synthgan
from synthgan import Step
from synthgan.encode import Encoder, Layout, Tokens
from synthgan.network import Generator
from synthgan.schema import infer_columns
from synthgan.summary import summarize
from synthgan.train import choose_device, phases, train
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


def test_the_likelihood_improves(table: tuple[Tokens, Layout]) -> None:
    history = train(*table, quick(150, adversarial=False)).history
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
