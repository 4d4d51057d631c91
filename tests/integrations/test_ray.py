"""Learned and drawn on Ray: two workers of a cluster on this machine, where Ray is installed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sample_tables import people, quick, quick_model

import synthgan
from synthgan.integrations import ray as on_ray
from synthgan.model.out_of_core import Count
from synthgan.model.synthesizer import from_bytes
from synthgan.train.distributed import Ranks

# Ray's own warnings are not ours to mend.
pytestmark = pytest.mark.filterwarnings("default")

ROWS = 8192 + 500


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    found = pytest.importorskip("ray", reason="synthgan[ray] is not installed")
    pytest.importorskip("ray.data")
    found.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=100 << 20,
        runtime_env={"env_vars": {"CUDA_VISIBLE_DEVICES": ""}},
    )
    yield found
    found.shutdown()


def blocks(frame: pd.DataFrame) -> list[pa.Table]:
    """Three tables, sorted, so that no worker would learn the table from one of them."""
    frame = frame.sort_values("age", ignore_index=True)
    size = len(frame) // 3
    parts = [frame.iloc[:size], frame.iloc[size : 2 * size], frame.iloc[2 * size :]]
    return [pa.Table.from_pandas(part, preserve_index=False) for part in parts]


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values(list(frame.columns), ignore_index=True)


def test_without_ray_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    words = r"needs Ray, which is not installed here: pip install 'synthgan\[ray\]'$"
    with pytest.raises(synthgan.SynthganError, match=words):
        on_ray.fit_dataset(None)
    with pytest.raises(synthgan.SynthganError, match=words):
        on_ray.sample_dataset(quick_model(), 5)


def test_what_is_counted_apart_adds_up() -> None:
    frame = people(900).assign(price=lambda f: f["wealth"] // 1)
    frame.loc[:1, "price"] = [0.25, 0.5]  # what a sample of the other rows does not show
    frame["kids"] = np.arange(900) % 4
    sample = frame.iloc[300:].reset_index(drop=True)
    holed = frame.astype({"kids": "Int64"})
    holed.loc[:40, "kids"] = None
    schema = synthgan.infer_schema(sample, constraints=False)
    halves = []
    for part in (holed.iloc[:450], holed.iloc[450:]):
        count = Count(schema, synthgan.SummaryConfig(), declared=False, limit=2**40)
        count.add(part)
        halves.append(count)
    halves[1].merge(halves[0])
    encoder, summary = halves[1].finish()
    assert halves[1].rows == 900
    assert (encoder.schema["price"].decimals, schema["price"].decimals) == (2, None)
    assert (encoder.schema["kids"].dtype, encoder.schema["kids"].nullable) == ("Int64", True)
    whole = synthgan.fit(holed, encoder.schema, quick(1)).summary
    assert summary == whole


def test_shares_are_those_of_the_whole() -> None:
    tokens = np.arange(40).reshape(20, 2)
    parts = [tokens[:7], tokens[7:8], tokens[8:]]
    for rank in range(3):
        share = on_ray._share(iter(parts), Ranks(rank=rank, size=3))
        assert (share == tokens[rank::3]).all()


def test_a_chunk_drawn_alone_is_that_of_the_table() -> None:
    model = from_bytes(quick_model().to_bytes(), device="cpu")
    whole = quick_model().sample(ROWS, where="age > 30", seed=5)
    chunk = model.chunk_drawer(where="age > 30", seed=5)(1, ROWS - 8192)
    pd.testing.assert_frame_equal(chunk, whole.iloc[8192:].reset_index(drop=True))


def test_two_workers_learn_a_dataset(ray: Any, tmp_path: Path) -> None:
    dataset = ray.data.from_arrow(blocks(people()))
    model = on_ray.fit_dataset(dataset, config=quick(24))
    alone = synthgan.fit(people(), config=quick(24))
    assert model.summary == alone.summary
    assert model.schema == alone.schema
    loss = alone.history[-1].validation_loss
    assert model.history[-1].validation_loss == pytest.approx(loss, rel=0.1)
    again = on_ray.fit_dataset(dataset, model.schema, quick(24))
    assert model.sample(50, seed=1).equals(again.sample(50, seed=1))
    model.save(tmp_path / "model.synthgan")
    assert list(synthgan.load(tmp_path / "model.synthgan").sample(5)) == list(people())


def test_what_cannot_be_learned_is_said_in_a_line(ray: Any) -> None:
    dataset = ray.data.from_arrow(blocks(people()))
    other = synthgan.infer_schema(people().drop(columns="age"))
    with pytest.raises(synthgan.SchemaError, match=r"^the table does not follow the schema: "):
        on_ray.fit_dataset(dataset, other, quick(5))
    private = synthgan.Config(privacy=synthgan.PrivacyConfig(epsilon=1.0, delta=1e-6))
    with pytest.raises(synthgan.ConfigError, match="one process"):
        on_ray.fit_dataset(dataset, config=private)
    with pytest.raises(synthgan.TrainingError, match="cannot be shared by 400 workers"):
        on_ray.fit_dataset(dataset, config=quick(5), workers=400)


def test_rows_are_those_of_the_model_though_a_worker_is_lost(ray: Any, tmp_path: Path) -> None:
    marker = tmp_path / "died"

    def die_once(table: pa.Table) -> pa.Table:
        if table.num_rows == ROWS - 8192 and not marker.exists():
            marker.touch()
            os._exit(1)
        return table

    drawn = on_ray.sample_dataset(quick_model(), ROWS, where={"age": (30, None)}, seed=5)
    drawn = drawn.map_batches(die_once, batch_format="pyarrow", batch_size=None)
    drawn.write_parquet(str(tmp_path / "rows"))
    assert marker.exists()
    found = synthgan.read_table(tmp_path / "rows")
    wanted = quick_model().sample(ROWS, where={"age": (30, None)}, seed=5)
    pd.testing.assert_frame_equal(in_order(found), in_order(wanted))
