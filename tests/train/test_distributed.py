"""Several processes as one: their gradients, their model, and what they will not do."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from sample_tables import people, quick

import synthgan
from synthgan.train.device import choose_device
from synthgan.train.distributed import ALONE

SCRIPT = Path(__file__).parents[1] / "rank.py"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def start(*command: str, folder: Path) -> list[subprocess.Popen[str]]:
    """Two processes, as torchrun would start them."""
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": "2"}
    calm = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", **place}
    processes = []
    for rank in range(2):
        with (folder / f"{rank}.err").open("w") as said:
            processes.append(
                subprocess.Popen(
                    [sys.executable, *command],
                    cwd=folder,
                    env={**calm, "RANK": str(rank), "LOCAL_RANK": str(rank)},
                    stderr=said,
                    text=True,
                )
            )
    return processes


def ended(processes: list[subprocess.Popen[str]]) -> list[int]:
    try:
        return [each.wait(timeout=120) for each in processes]
    finally:
        for each in processes:
            each.kill()


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What rank 0 and rank 1 found, see rank.py."""
    folder = tmp_path_factory.mktemp("ranks")
    codes = ended(start(str(SCRIPT), str(folder), folder=folder))
    assert codes == [0, 0], [(folder / f"{rank}.err").read_text() for rank in range(2)]
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]


def test_two_ranks_give_the_gradients_of_one_process(found: list[dict[str, Any]]) -> None:
    for each in found:
        for name in ("likelihood", "critic"):
            assert each["gradients"][name] < 1e-5
            assert each["gradients"][f"{name} of a half"] > 1e-3  # it is no empty claim


def test_all_ranks_have_the_same_model(found: list[dict[str, Any]]) -> None:
    assert found[0]["weights"] == found[1]["weights"]
    assert found[0]["validation"] == found[1]["validation"]
    assert [each["rank"] for each in found] == [[0, 2, [1, 2]], [1, 2, [2, 2]]]


def test_two_ranks_learn_as_well_as_one(found: list[dict[str, Any]]) -> None:
    alone = synthgan.fit(people(), config=quick(24))
    assert alone.history[-1].validation_loss == pytest.approx(found[0]["validation"], rel=0.1)


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("rows", "TrainingError: processes must work on the same, but"),
        ("settings", "TrainingError: processes must work on the same, but settings of rank 1"),
        ("too few", "TrainingError: 3 rows cannot be shared by 2 processes"),
    ],
)
def test_all_ranks_refuse_what_does_not_fit(
    found: list[dict[str, Any]], case: str, words: str
) -> None:
    assert all(each["refused"][case].startswith(words) for each in found)


def test_a_signal_to_one_stops_all_at_the_same_step(found: list[dict[str, Any]]) -> None:
    assert found[0]["stopped"] == found[1]["stopped"]
    note, step, weights = found[0]["stopped"]
    assert (note[:24], step) == ("training was interrupted", 10)
    assert weights != found[0]["weights"]


def test_they_go_on_to_the_same_model(found: list[dict[str, Any]]) -> None:
    assert found[0]["again"] == found[0]["whole"]
    assert found[1]["weights again"] == found[0]["weights"]


def test_a_rank_that_dies_leaves_a_checkpoint(tmp_path: Path) -> None:
    people().to_csv(tmp_path / "data.csv", index=False)
    options = ("--steps", "100000", "--batch-size", "50", "--device", "cpu")
    command = ("-m", "synthgan", "fit", "data.csv", *options, "--checkpoint-every", "1e-9")
    processes = start(*command, folder=tmp_path)
    checkpoint = tmp_path / "model.synthgan.checkpoint"
    deadline = time.monotonic() + 60
    while not checkpoint.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    processes[1].kill()
    assert ended(processes)[0] == 2
    line = (tmp_path / "0.err").read_text().splitlines()[-1]
    assert line.startswith("synthgan: lost touch with another process")
    assert "--resume" in line
    assert (tmp_path / "1.err").read_text() == ""  # the first one speaks for all
    assert checkpoint.exists()
    assert not (tmp_path / "model.synthgan").exists()
    # and the checkpoint of two is none of one
    with pytest.raises(synthgan.TrainingError, match=r"numbers of processes"):
        synthgan.fit(
            tmp_path / "data.csv",
            config=synthgan.Config(
                train=synthgan.TrainConfig(steps=100_000, batch_size=50, device="cpu")
            ),
            checkpoint=synthgan.CheckpointConfig(path=checkpoint, resume=True),
        )


def test_an_ordinary_process_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for variables in ({}, {"WORLD_SIZE": "1"}):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with synthgan.join_ranks() as ranks:
            assert ranks is ALONE
        assert synthgan.launched_shard() is None
    assert (ALONE.first, ALONE.total(1.5, 2)) == (True, (1.5, 2))


@pytest.mark.parametrize(
    "variables", [{}, {"RANK": "one"}, {"RANK": "0"}, {"RANK": "0", "MASTER_ADDR": "127.0.0.1"}]
)
def test_half_a_launch_is_refused(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"WORLD_SIZE": "2", **variables}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(synthgan.TrainingError, match="does not fit"), synthgan.join_ranks():
        pass
    if variables.get("RANK") != "0":
        with pytest.raises(synthgan.TrainingError, match="RANK does not fit"):
            synthgan.launched_shard()


def test_each_process_has_its_own_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setenv("LOCAL_RANK", "6")
    assert choose_device("auto") == torch.device("cuda")  # nobody else is there
    monkeypatch.setenv("WORLD_SIZE", "8")
    assert choose_device("auto") == choose_device("cuda") == torch.device("cuda:2")
    assert choose_device("cuda:1") == torch.device("cuda:1")
    assert choose_device("cpu") == torch.device("cpu")
