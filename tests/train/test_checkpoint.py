"""Checkpoints: training that was stopped goes on to the same model; and what guards them."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import signal
import stat
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load, save
from sample_tables import people, quick

import synthgan
from synthgan import CheckpointConfig, Step, Synthesizer
from synthgan.errors import ConfigError, TableError, TrainingError
from synthgan.train import phases
from synthgan.train.run import Run
from synthgan.train.steps import critic_step, likelihood


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Ctrl-C works, also where the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


@cache
def schema() -> synthgan.Schema:
    return synthgan.infer_schema(people(200))


def fitted(config: synthgan.Config, rows: int = 200, **how: Any) -> Synthesizer:
    return synthgan.fit(people(rows), schema(), config, **how)


@cache
def whole(config: synthgan.Config) -> Synthesizer:
    """The model of a fit that was not stopped."""
    return fitted(config)


def stop_at(phase: str, number: int) -> Callable[[Step], None]:
    def on_step(step: Step) -> None:
        if (step.phase, step.step) == (phase, number):
            raise KeyboardInterrupt

    return on_step


def same(one: Synthesizer, other: Synthesizer) -> bool:
    """Whether weights, history and notes are the same, bit for bit."""
    weights = [model._generator.state_dict() for model in (one, other)]
    history = [
        tuple(dataclasses.replace(step, seconds=0.0) for step in model.history)
        for model in (one, other)
    ]
    return (
        all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
        and history[0] == history[1]
        and one.notes == other.notes
        and one.config == other.config
    )


# --- going on ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phases", "stop"),
    [
        ({}, ("warm start", 10)),
        ({}, ("warm start", 20)),  # the last step of the phase
        ({}, ("adversarial", 4)),  # the last one of all
        ({"adversarial": False}, ("warm start", 20)),
        ({"warm_start": False}, ("adversarial", 20)),
        ({"warm_start": False, "auxiliary": "job", "detection_every": 5}, ("adversarial", 15)),
    ],
)
def test_a_stopped_fit_goes_on_to_the_same_model(
    tmp_path: Path, phases: dict[str, object], stop: tuple[str, int]
) -> None:
    config, path = quick(24, **phases), tmp_path / "checkpoint"
    part = fitted(config, checkpoint=CheckpointConfig(path=path), on_step=stop_at(*stop))
    assert "interrupted" in part.notes[0]
    again = fitted(config, checkpoint=CheckpointConfig(path=path, resume=True))
    assert same(whole(config), again)
    assert not same(whole(config), part)


def test_signals_wait_for_the_end_of_a_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, path, calls, real = quick(24), tmp_path / "checkpoint", 0, critic_step

    def struck(*args: Any) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == 3:  # while the critic has its head start
            signal.raise_signal(signal.SIGINT)
        return real(*args)

    monkeypatch.setattr(phases, "critic_step", struck)
    part = fitted(config, checkpoint=CheckpointConfig(path=path))
    assert (calls, part.history[-1].phase) == (3, "warm start")
    again = fitted(config, checkpoint=CheckpointConfig(path=path, resume=True))
    assert same(whole(config), again)


def test_a_second_signal_does_not_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, path = likelihood, tmp_path / "checkpoint"

    def struck(*args: Any) -> torch.Tensor:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        return real(*args)

    monkeypatch.setattr(phases, "likelihood", struck)
    model = fitted(quick(24), checkpoint=CheckpointConfig(path=path))
    assert "interrupted" in model.notes[0]
    assert not path.exists()  # it would have been taken in the middle of a step


def test_a_fit_can_crash_and_go_on_many_times(tmp_path: Path) -> None:
    """Also from checkpoints in the middle of what is reported together."""
    config, path, resume = quick(24), tmp_path / "checkpoint", False
    for steps in (3, 8, 10, 2, 2):  # the last one is in the second phase
        with pytest.raises(ZeroDivisionError):
            _crash(steps, config, CheckpointConfig(path=path, minutes=1e-9, resume=resume))
        resume = True
    assert json_of(path)["schedule"]["phase"] == "adversarial"
    again = fitted(config, checkpoint=CheckpointConfig(path=path, resume=True))
    assert same(whole(config), again)


def _crash(steps: int, config: synthgan.Config, checkpoint: CheckpointConfig) -> None:
    """As if the power failed in the middle of step ``steps`` from here."""
    real, left = Run.blend, steps

    def blend(*args: Any) -> None:
        nonlocal left
        left -= 1
        if not left:
            raise ZeroDivisionError
        real(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "blend", blend)
        fitted(config, checkpoint=checkpoint)


def test_time_that_was_spent_counts(tmp_path: Path) -> None:
    config, path = quick(100_000, max_minutes=0.05), tmp_path / "checkpoint"
    fitted(config, checkpoint=CheckpointConfig(path=path), on_step=stop_at("warm start", 10))
    spent = json_of(path)["seconds"]
    again = fitted(config, checkpoint=CheckpointConfig(path=path, resume=True))
    assert again.history[1].seconds >= spent


# --- the file ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of a fit that was stopped in its second phase."""
    path = tmp_path_factory.mktemp("stopped") / "checkpoint"
    checkpoint = CheckpointConfig(path=path)
    fitted(quick(24), checkpoint=checkpoint, on_step=stop_at("adversarial", 4))
    return path


@pytest.fixture
def copy(stopped: Path, tmp_path: Path) -> Path:
    path = tmp_path / "checkpoint"
    path.write_bytes(stopped.read_bytes())
    return path


def json_of(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(load(path.read_bytes())["record"].numpy().tobytes())
    return found


def rewrite(path: Path, change: Callable[[dict[str, torch.Tensor], dict[str, Any]], None]) -> None:
    tensors, plain = load(path.read_bytes()), json_of(path)
    change(tensors, plain)
    text = json.dumps(plain).encode()
    tensors["record"] = torch.frombuffer(bytearray(text), dtype=torch.uint8)
    path.write_bytes(save(tensors))


def resumed(path: Path, config: synthgan.Config | None = None, rows: int = 200) -> Synthesizer:
    checkpoint = CheckpointConfig(path=path, resume=True)
    return fitted(config or quick(24), rows, checkpoint=checkpoint)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_the_file_is_for_its_owner_alone(stopped: Path) -> None:
    assert stat.S_IMODE(stopped.stat().st_mode) == 0o600


def test_it_goes_when_the_finished_model_is_saved(copy: Path, tmp_path: Path) -> None:
    part = fitted(
        quick(24),
        checkpoint=CheckpointConfig(path=copy, overwrite=True),
        on_step=stop_at("warm start", 10),
    )
    part.save(tmp_path / "part")
    assert copy.exists()
    model = resumed(copy)
    assert copy.exists()  # the model is in memory only
    model.save(tmp_path / "model")
    assert not copy.exists()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["model", "part"]


def test_no_row_is_inside(tmp_path: Path) -> None:
    frame, path = people(500), tmp_path / "checkpoint"
    frame["salary"] = np.random.default_rng(9).integers(10**8, 10**9, 500)
    frame["email"] = [f"q{i * 31 % 997}@example.org" for i in range(500)]
    checkpoint = CheckpointConfig(path=path)
    synthgan.fit(frame, config=quick(24), checkpoint=checkpoint, on_step=stop_at("warm start", 10))
    data = path.read_bytes()
    for name in ("salary", "email"):
        assert not any(str(cell).encode() in data for cell in frame[name])
    assert all(500 not in tensor.shape for tensor in load(data).values())


@pytest.mark.parametrize(
    ("config", "rows", "word"),
    [
        (quick(25), 200, "settings"),
        (dataclasses.replace(quick(24), seed=1), 200, "settings"),
        (quick(24), 201, "rows"),
    ],
)
def test_another_fit_is_refused(
    stopped: Path, config: synthgan.Config, rows: int, word: str
) -> None:
    with pytest.raises(TrainingError, match=rf"another fit \(.*{word}.* differ\)"):
        resumed(stopped, config, rows)


def test_other_cells_are_refused(stopped: Path) -> None:
    frame = people(200)
    frame["member"] = frame["member"].to_numpy()[::-1]  # the same summary
    with pytest.raises(TrainingError, match=r"another fit \(rows differ\)"):
        synthgan.fit(
            frame, config=quick(24), checkpoint=CheckpointConfig(path=stopped, resume=True)
        )


def test_other_formats_and_versions_are_refused(copy: Path) -> None:
    rewrite(copy, lambda _, plain: plain.update(format=99))
    with pytest.raises(TrainingError, match="format 99"):
        resumed(copy)
    rewrite(copy, lambda _, plain: plain.update(format=1))
    rewrite(copy, lambda _, plain: plain["fingerprint"].update(versions="0" * 64))
    with pytest.raises(TrainingError, match=r"\(versions differ\)"):
        resumed(copy)


def _drop(name: str) -> Callable[[dict[str, torch.Tensor], dict[str, Any]], None]:
    return lambda tensors, _: tensors.pop(next(each for each in tensors if each.startswith(name)))


def _put(name: str, tensor: torch.Tensor) -> Callable[..., None]:
    return lambda tensors, _: tensors.update({name: tensor})


def _say(**what: object) -> Callable[..., None]:
    return lambda _, plain: plain.update(what)


def _plan(**what: object) -> Callable[..., None]:
    return lambda _, plain: plain["schedule"].update(what)


@pytest.mark.parametrize(
    "change",
    [
        _drop("generator/"), _drop("critic/"), _drop("best/"), _drop("generator_optimizer/"),
        _drop("rng/"), _put("extra/x", torch.zeros(3)), _put("generator/out", torch.zeros(3)),
        _put("rng/states", torch.zeros(1, 3, dtype=torch.uint8)),
        _put("critic_optimizer/0/exp_avg", torch.zeros(3)),
        _put("critic_optimizer/999/exp_avg", torch.zeros(3)),
        _put("critic_optimizer/x/exp_avg", torch.zeros(3)),
        _put("critic_optimizer/0/evil", torch.zeros(3)),
        _say(history=[1]), _say(surprise=1), _say(seconds="long"), _say(schedule=None),
        _plan(phase="warm start"), _plan(phase="other"), _plan(step=-1), _plan(step=10**9),
    ],
)  # fmt: skip
def test_damage_is_told_in_one_line(copy: Path, change: Callable[..., None]) -> None:
    rewrite(copy, change)
    with pytest.raises(TrainingError, match="checkpoint is damaged") as error:
        resumed(copy)
    assert "\n" not in str(error.value)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_bytes_that_were_changed_never_crash(
    stopped: Path, copy: Path, data: st.DataObject
) -> None:
    """A changed weight is not noticed, anything else is told; nothing else is raised."""
    content = bytearray(stopped.read_bytes())
    at = data.draw(st.integers(0, min(len(content), 6000) - 1))
    content[at:] = data.draw(st.sampled_from([b"", content[at + 1 :], b"\xff" + content[at + 1 :]]))
    copy.write_bytes(content)
    with contextlib.suppress(TrainingError):
        resumed(copy)


# --- before and beside training ---------------------------------------------------------


def test_bad_beginnings_are_told_at_once(tmp_path: Path, copy: Path) -> None:
    nowhere = tmp_path / "none"
    for checkpoint, error, word in (
        (CheckpointConfig(path=nowhere, resume=True), TrainingError, "no checkpoint to go on from"),
        (CheckpointConfig(path=copy), TableError, "--resume"),
        (CheckpointConfig(path=nowhere / "deep"), TableError, "no folder"),
    ):
        with pytest.raises(error, match=word):
            synthgan.fit(
                "missing.csv" if error is TrainingError else people(), checkpoint=checkpoint
            )


def test_private_fits_have_none(tmp_path: Path) -> None:
    frame = people(200)[["age", "job"]]
    schema = synthgan.infer_schema(frame, constraints=False)
    config = dataclasses.replace(quick(5), privacy=synthgan.PrivacyConfig(epsilon=1))
    checkpoint = CheckpointConfig(path=tmp_path / "checkpoint")
    with pytest.raises(ConfigError, match="private fit has no checkpoints"):
        synthgan.fit(frame, schema, config, checkpoint=checkpoint)


@pytest.mark.parametrize(
    "wrong",
    [{"minutes": 0}, {"minutes": math.inf}, {"minutes": "often"}, {"path": ""}, {"path": 7},
     {"resume": "yes"}],
)  # fmt: skip
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        CheckpointConfig(**{"path": "checkpoint", **wrong})


def test_a_full_disk_does_not_end_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise TableError("no space left")

    monkeypatch.setattr("synthgan.train.checkpoint.write_bytes_atomically", full)
    checkpoint = CheckpointConfig(path=tmp_path / "checkpoint", minutes=1e-9)
    model = fitted(quick(12), checkpoint=checkpoint)
    assert model.notes == ("a checkpoint could not be written: no space left",)
    assert same(whole(quick(12)), dataclasses.replace(model, _card=_without_notes(model)))


def _without_notes(model: Synthesizer) -> Any:
    return dataclasses.replace(model._card, notes=())


def test_a_table_with_nothing_to_learn_needs_none(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": ["a"] * 30})
    checkpoint = CheckpointConfig(path=tmp_path / "checkpoint")
    assert synthgan.fit(frame, config=quick(5), checkpoint=checkpoint).history == ()
    assert not checkpoint.path.exists()  # type: ignore[union-attr]
