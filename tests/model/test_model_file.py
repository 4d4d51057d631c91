"""The model file: complete, free of rows, and safe to open."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rewriting import parts, rewritten
from sample_tables import people, quick, quick_model

import synthgan
from synthgan.errors import ModelFileError, TableError


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.synthgan"
    quick_model().save(path)
    return path


def test_a_loaded_model_gives_the_same_rows(model_file: Path) -> None:
    model, again = quick_model(), synthgan.load(model_file, device="cpu")
    assert again.sample(300, seed=4).equals(model.sample(300, seed=4))
    assert again.schema == model.schema
    assert again.summary == model.summary
    assert again.config == model.config
    assert again.history == model.history
    assert again.notes == model.notes
    assert again.protections == model.protections


def test_no_row_and_no_lone_value_is_inside(tmp_path: Path) -> None:
    frame = people(500)
    rng = np.random.default_rng(9)
    frame["salary"] = rng.integers(10**8, 10**9, 500)  # as good as unique
    frame["name"] = [f"Zyx{i} Wvut{i * 7919 % 977}" for i in range(500)]
    frame["email"] = [f"q{i * 31 % 997}@example.org" for i in range(500)]
    frame["patient"] = [f"PX-{i * 7919 % 99991:05d}" for i in range(500)]
    path = tmp_path / "model.synthgan"
    synthgan.fit(frame, config=quick(20)).save(path)
    data = path.read_bytes()
    ordered = np.sort(frame["salary"])
    for value in frame["salary"]:
        if value not in (ordered[4], ordered[-5]):
            assert str(value).encode() not in data
            assert np.float64(value).tobytes() not in data
            assert np.int64(value).tobytes() not in data
    for name in ("name", "email", "patient"):
        assert not any(str(cell).encode() in data for cell in frame[name]), name
    assert b"astronaut" not in data
    # Nothing inside has one entry a row: no row numbers, no order of rows.
    tensors, text = parts(path)
    assert all(500 not in tensor.shape for tensor in tensors.values())
    assert all(len(each) not in (499, 500) for each in lists(text))
    assert text["summary"]["rows"] == 500  # type: ignore[index,call-overload]


def lists(plain: object) -> list[list[object]]:
    if isinstance(plain, dict):
        return [found for value in plain.values() for found in lists(value)]
    if isinstance(plain, list):
        return [plain, *(found for value in plain for found in lists(value))]
    return []


def test_neither_critic_nor_optimiser_is_inside(model_file: Path) -> None:
    tensors, _ = parts(model_file)
    model = synthgan.load(model_file)
    assert sum(t.numel() for t in tensors.values()) == model.parameters
    assert not any("critic" in name or "moment" in name or "score" in name for name in tensors)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00", b"not a model", b"PK\x03\x04" + b"x" * 100, b"\x80\x04\x95" + b"\x00" * 50,
     (2**40).to_bytes(8, "little") + b"{}", (2).to_bytes(8, "little") + b"{}",
     (8).to_bytes(8, "little") + b"[[[[[[[[", (60_000).to_bytes(8, "little") + b"[" * 60_000],
    ids=["empty", "byte", "text", "zip", "pickle", "huge header", "no text", "cut", "deep"],
)  # fmt: skip
def test_foreign_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.synthgan"
    path.write_bytes(content)
    with pytest.raises(ModelFileError) as error:
        synthgan.load(path)
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


def test_missing_files_and_folders_are_said_so(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="synthgan fit"):
        synthgan.load(tmp_path / "none.synthgan")
    with pytest.raises(ModelFileError, match="cannot be read"):
        synthgan.load(tmp_path)


def test_oversized_files_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "model.synthgan"
    with path.open("wb") as file:
        os.truncate(file.fileno(), 5 * 2**30)  # sparse: takes no room
    with pytest.raises(ModelFileError, match="larger than any"):
        synthgan.load(path)


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.999])
def test_truncated_files_are_refused(model_file: Path, tmp_path: Path, share: float) -> None:
    data = model_file.read_bytes()
    path = tmp_path / "model.synthgan"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ModelFileError):
        synthgan.load(path)


@settings(max_examples=60, deadline=None)
@given(at=st.floats(0, 0.2), byte=st.integers(0, 255))
def test_mutilated_files_are_refused_or_sound(model_file: Path, at: float, byte: int) -> None:
    data = bytearray(model_file.read_bytes())
    data[int(at * len(data))] = byte
    path = model_file.with_name("mutilated.synthgan")
    path.write_bytes(data)
    with suppress(ModelFileError):
        assert len(synthgan.load(path).schema) == len(people(5).columns)


def change(text: dict[str, object], where: str, value: object) -> None:
    *path, last = where.split(".")
    place: object = text
    for key in path:
        place = place[int(key)] if isinstance(place, list) else place[key]  # type: ignore[index]
    if value is KeyError:
        del place[last]  # type: ignore[attr-defined]
    else:
        place[last] = value  # type: ignore[index]


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("format", 3), ("format", True), ("format", KeyError), ("surprise", 1),
        ("version", KeyError),
        ("schema.columns.0.kind", "spell"), ("schema.columns.0.name", 7),
        ("schema.columns.1.name", "age"), ("config.network.width", 10**9),
        ("config.network.width", 16_000), ("config.network.head_width", 16_000),
        ("config.network.width", -1), ("config.train.batch_size", "many"),
        ("summary.columns.age.weights", [0.5]), ("summary.columns.age.segments", []),
        ("summary.columns.job.levels", ["a", "a"]), ("summary.columns.job", KeyError),
        ("summary.columns.age.weights.0", float("nan")), ("history", [1]),
    ],
)  # fmt: skip
def test_strange_descriptions_are_refused(
    model_file: Path, tmp_path: Path, where: str, value: object
) -> None:
    tensors, text = parts(model_file)
    if where.endswith(".0") and isinstance(value, float):
        text["summary"]["columns"]["age"]["weights"][0] = value  # type: ignore[index,call-overload]
    else:
        change(text, where, value)
    with pytest.raises(ModelFileError) as error:
        synthgan.load(rewritten(tmp_path, tensors, text))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("how", ["missing", "extra", "shape", "type", "nan", "empty"])
def test_strange_weights_are_refused(model_file: Path, tmp_path: Path, how: str) -> None:
    tensors, text = parts(model_file)
    if how == "missing":
        del tensors["out"]
    elif how == "extra":
        tensors["rows"] = torch.zeros(3)
    elif how == "shape":
        tensors["out"] = tensors["out"][:-1].contiguous()
    elif how == "type":
        tensors["out"] = tensors["out"].double()
    elif how == "nan":
        tensors["out"][0, 0] = torch.nan
    else:
        tensors = {}
    with pytest.raises(ModelFileError, match="weights"):
        synthgan.load(rewritten(tmp_path, tensors, text))


def test_a_model_is_never_overwritten_unasked(tmp_path: Path) -> None:
    path = tmp_path / "model.synthgan"
    quick_model().save(path)
    before = path.read_bytes()
    with pytest.raises(TableError, match="already exists"):
        quick_model().save(path)
    assert path.read_bytes() == before
    quick_model().save(path, overwrite=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.synthgan"]


def test_saving_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    quick_model().save(tmp_path / "a.synthgan")
    quick_model().save(tmp_path / "b.synthgan")
    assert (tmp_path / "a.synthgan").read_bytes() == (tmp_path / "b.synthgan").read_bytes()


def test_a_model_of_made_up_columns_alone_can_be_saved(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [f"K-{i:04d}" for i in range(60)]})
    model = synthgan.fit(frame, config=quick(5))
    model.save(tmp_path / "m.synthgan")
    rows = synthgan.load(tmp_path / "m.synthgan").sample(80, seed=0)
    assert rows["id"].is_unique
    assert len(rows) == 80
