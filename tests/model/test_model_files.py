"""Model files that were written once can still be read: one of each format is kept."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

import synthgan
from synthgan.model.card import FORMAT

FOLDER = Path(__file__).parents[1] / "models"
FILES = sorted(FOLDER.glob("*.synthgan"))


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    found = importlib.util.spec_from_file_location("make_models", FOLDER / "make.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_the_present_format_has_its_file() -> None:
    assert FOLDER / f"format-{FORMAT}.synthgan" in FILES


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_stored_file_draws_rows_of_its_table(path: Path, maker: ModuleType) -> None:
    table = maker.table()
    model = synthgan.load(path, device="cpu")
    assert model.schema.names == synthgan.infer_schema(table).names
    if path.stem == f"format-{FORMAT}":
        assert model.schema == synthgan.infer_schema(table)
    assert model.rows == len(table)
    rows = model.sample(300, seed=1)
    assert list(rows.columns) == list(table.columns)
    assert (rows.dtypes == table.dtypes).all()
    model.schema.check(rows)
    assert set(rows["group"]) <= set(table["group"])
    assert rows["amount"].between(table["amount"].min(), table["amount"].max()).all()
    assert rows["day"].between(table["day"].min(), table["day"].max()).all()
    assert rows["key"].str.fullmatch(r"[A-Z]-\d{5}").all()
    assert rows["key"].is_unique
    assert rows["count"].isna().any()
    pd.testing.assert_frame_equal(rows, model.sample(300, seed=1))
    asked = model.sample(20, where='group == "west" and amount > 90', seed=1)
    assert (asked["group"] == "west").all()
    assert (asked["amount"] > 90).all()


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_stored_file_is_small_and_comes_back_as_it_was(path: Path, tmp_path: Path) -> None:
    assert path.stat().st_size < 40_000
    model = synthgan.load(path, device="cpu")
    model.save(tmp_path / "again.synthgan")
    if path.stem == f"format-{FORMAT}":
        assert (tmp_path / "again.synthgan").read_bytes() == path.read_bytes()


def test_another_format_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "old.synthgan"
    shutil.copy(FOLDER / f"format-{FORMAT}.synthgan", path)
    text = path.read_bytes()
    old = f'\\"format\\": {FORMAT}'.encode()
    assert text.count(old) == 1
    path.write_bytes(text.replace(old, b'\\"format\\": 9'))
    with pytest.raises(synthgan.ModelFileError, match="use the synthgan version that wrote it"):
        synthgan.load(path)


def test_a_file_that_an_older_version_wrote_says_what_it_gives_away(tmp_path: Path) -> None:
    old, new = (synthgan.load(FOLDER / f"format-{n}.synthgan", device="cpu") for n in (1, FORMAT))
    assert any("made by an older version" in note for note in old.notes)
    assert not any("older version" in note for note in new.notes)
    assert not any("rounded means" in line for line in old.protections)
    assert any("rounded means" in line for line in new.protections)
    old.save(tmp_path / "again.synthgan")  # it stays what it was
    assert synthgan.load(tmp_path / "again.synthgan", device="cpu").notes == old.notes
