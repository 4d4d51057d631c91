"""Tables beyond a memory limit: the same model parts, whatever is read in how many chunks."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sample_tables import people, quick

import synthgan
from synthgan.columns.column import Kind
from synthgan.errors import ConfigError, SchemaError, TableError
from synthgan.model import out_of_core as chunked_fit
from synthgan.model.out_of_core import encoded_in_chunks, fits_in_memory
from synthgan.schema.constraints.fixed_combinations import FixedCombinations
from synthgan.schema.constraints.inequality import Inequality
from synthgan.schema.constraints.missing_when import MissingWhen
from synthgan.table.read import open_dataset
from synthgan.train.batches import Rows as _Rows
from synthgan.train.loop import train

TINY = 1  # byte: nothing fits


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    frame = people(900)
    (tmp_path / "parts").mkdir()
    for number in range(3):
        part = frame.iloc[number * 300 : number * 300 + 300].reset_index(drop=True)
        part.to_parquet(tmp_path / "parts" / f"{number}.parquet")
    return tmp_path / "parts"


def weights(model: synthgan.Synthesizer) -> dict[str, torch.Tensor]:
    return model._generator.state_dict()


def test_a_table_that_fits_gives_the_model_of_the_frame(folder: Path) -> None:
    one = synthgan.fit(folder, config=quick(6), memory_limit=2**40)
    other = synthgan.fit(people(900), config=quick(6))
    assert one.summary == other.summary
    assert all(torch.equal(weights(one)[name], each) for name, each in weights(other).items())


def test_chunks_give_the_summary_of_the_whole(folder: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    found = synthgan.fit(
        folder,
        config=quick(6),
        memory_limit=TINY,
        on_rows=lambda doing, done, of: seen.append((doing, done, of)),
    )
    whole = synthgan.fit(people(900), config=quick(6))
    assert found.summary == whole.summary
    assert found.schema == whole.schema
    assert [doing for doing, done, of in seen if done == of == 900] == ["counting", "encoding"]
    assert len(found.sample(20, seed=0)) == 20


def test_tokens_do_not_depend_on_where_they_lie(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = open_dataset(folder, chunk_rows=200)
    kinds = []
    tokens = []
    for limit in (2**40, TINY):
        with encoded_in_chunks(dataset, None, quick(), limit, lambda *_: None) as encoded:
            kinds.append(isinstance(encoded.tokens, np.memmap))
            tokens.append(np.array(encoded.tokens))
            if limit == TINY:
                before = np.array(encoded.tokens)
                trained = train(encoded.tokens, encoded.encoder.layout, quick(20))
                assert np.array_equal(before, encoded.tokens)
                assert trained.history[-1].likelihood_loss is not None or trained.history
    assert kinds == [False, True]
    assert np.array_equal(*tokens)
    frame = pd.concat(dataset.chunks(), ignore_index=True)
    whole = encoded.encoder.encode(frame, np.random.default_rng(0))
    same = [span.role == "code" for span in encoded.encoder.layout.spans]
    assert (whole == tokens[0])[:, same].mean() > 0.98  # but for ties at the edges of bins


def test_validation_rows_are_never_trained_on(tmp_path: Path) -> None:
    tokens = np.memmap(tmp_path / "tokens", np.int32, "w+", shape=(400, 1))
    tokens[:, 0] = np.arange(400)
    rows = _Rows.split(tokens, quick(), torch.device("cpu"))
    drawn = set(rows.batch(20_000).ravel().tolist())
    held = set(rows.validation.ravel().tolist())
    assert len(held) == 100
    assert drawn == set(range(400)) - held


def test_what_a_sample_got_wrong_is_mended_by_all_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    low = rng.integers(0, 50, 4000).astype(float)
    frame = pd.DataFrame(
        {
            "low": low,
            "high": low + rng.integers(1, 100, 4000),
            "whole": rng.integers(0, 500, 4000).astype(float),
            "city": rng.choice(["bonn", "rome", "lima"], 4000),
        }
    )
    frame["land"] = frame["city"].map({"bonn": "de", "rome": "it", "lima": "pe"})
    frame.to_parquet(tmp_path / "t.parquet")
    monkeypatch.setattr(chunked_fit, "SAMPLE_ROWS", 1500)
    config = quick(4)
    found = synthgan.fit(tmp_path / "t.parquet", config=config, memory_limit=TINY).schema
    kinds = {type(each) for each in found.constraints}
    assert {Inequality, FixedCombinations} <= kinds
    assert found["whole"].kind is Kind.INTEGER
    dataset = open_dataset(tmp_path / "t.parquet")
    seen = dataset.sample(1500, np.random.default_rng(0)).index  # of the sample, not of the table
    assert len(seen) < 2000
    drawn = np.random.default_rng(config.seed).random(4000) < 1500 / 4000
    odd = int(np.flatnonzero(~drawn)[7])
    frame.loc[odd, ["low", "whole", "land"]] = [500.0, 3.25, "pe"]
    frame.loc[odd, "city"] = "bonn"
    frame.loc[int(np.flatnonzero(~drawn)[8]), "high"] = np.nan
    frame.to_parquet(tmp_path / "t.parquet")
    found = synthgan.fit(tmp_path / "t.parquet", config=config, memory_limit=TINY).schema
    assert not {Inequality, FixedCombinations} & {type(each) for each in found.constraints}
    assert (found["whole"].kind, found["whole"].decimals) == (Kind.NUMBER, 2)
    assert [column.name for column in found if column.nullable] == ["high"]


def test_a_declared_rule_that_rows_break_is_refused(folder: Path) -> None:
    schema = synthgan.infer_schema(people(900))
    rule = MissingWhen(column="score", when="age > 20")
    declared = synthgan.Schema(columns=schema.columns, constraints=(rule,))
    with pytest.raises(SchemaError, match=r"of 900 rows break it"):
        synthgan.fit(folder, declared, quick(4), memory_limit=TINY)


def test_a_full_scratch_disk_is_one_clear_error(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    monkeypatch.setattr(chunked_fit.os, "posix_fallocate", full, raising=False)
    with pytest.raises(TableError, match=r"no room for a scratch file.*No space left.*TMPDIR"):
        synthgan.fit(folder, config=quick(4), memory_limit=TINY)
    assert not list((tmp_path / "scratch").iterdir())


def test_the_scratch_file_is_gone_when_training_fails(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))

    def fail(step: synthgan.Step) -> None:
        assert not list((tmp_path / "scratch").iterdir())  # it has no name even now
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        synthgan.fit(folder, config=quick(40), memory_limit=TINY, on_step=fail)


def test_a_private_fit_beyond_the_limit_says_so(folder: Path) -> None:
    config = synthgan.Config(privacy=synthgan.PrivacyConfig(epsilon=1.0))
    schema = synthgan.infer_schema(people(900), constraints=False)
    with pytest.raises(TableError, match="private fit holds the whole table in memory"):
        synthgan.fit(folder, schema, config, memory_limit=TINY)


def test_a_table_that_changes_while_it_is_read_is_refused(folder: Path) -> None:
    def more(doing: str, done: int, of: int) -> None:
        if doing == "counting":
            people(300).to_parquet(folder / "0.parquet")
            people(10).to_parquet(folder / "2.parquet")

    with pytest.raises(TableError, match="had 900 rows at first and 610 later"):
        synthgan.fit(folder, config=quick(4), memory_limit=TINY, on_rows=more)


def test_limits() -> None:
    with pytest.raises(ConfigError, match="memory_limit"):
        synthgan.fit("none.csv", memory_limit=0)
    assert fits_in_memory(1_000_000, 3 << 30)
    assert not fits_in_memory(200_000_000, 3 << 30)


def test_wide_columns_take_two_bytes(tmp_path: Path) -> None:
    levels = [f"v{i:03d}" for i in range(300)]
    frame = pd.DataFrame({"a": levels * 10, "b": np.arange(3000) % 7})
    frame.to_parquet(tmp_path / "t.parquet")
    dataset = open_dataset(tmp_path / "t.parquet")
    with encoded_in_chunks(dataset, None, quick(), 2**40, lambda *_: None) as encoded:
        assert encoded.tokens.dtype == np.int16
        assert encoded.tokens[:, 0].max() == 299
    model = synthgan.fit(frame, config=quick(4))
    assert set(model.sample(50, seed=0)["a"]) <= set(levels)
