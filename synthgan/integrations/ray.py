"""Ray: a table that lives in a cluster is learned there, and rows are drawn there.

Ray decides where work is done; what is done is that of :mod:`synthgan.model.out_of_core` and
:mod:`distributed`. Rows stay on the workers: this process sees a bounded sample, if it
has to tell the columns from one, and what has been counted. Tokens wait in Ray's object store,
which is as private as the dataset itself. Needs ``pip install 'synthgan[ray]'``.
"""

from __future__ import annotations

import math
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import torch

from synthgan.config import Config
from synthgan.encode.encoder import Encoder, Tokens
from synthgan.encode.summary import Summary
from synthgan.errors import ConfigError, SynthganError, TableError, TrainingError
from synthgan.model.fit import fit_own_rows
from synthgan.model.out_of_core import Count, half_of_memory, rows_to_look_at
from synthgan.model.synthesizer import Synthesizer, from_bytes
from synthgan.sample.draw import CHUNK_ROWS
from synthgan.sample.where import Where
from synthgan.schema.discover import schema_to_fit
from synthgan.schema.entities import sampled
from synthgan.schema.schema import Schema
from synthgan.table.arrow_read import frame_of
from synthgan.table.arrow_write import arrow_of
from synthgan.train.distributed import Ranks, join_ranks

_MOST_BLOCKS = 10_000  # of drawn rows; Ray keeps a note of each
_BLOCKS = {"batch_format": "pyarrow", "batch_size": None}
"""For Ray: a call for each block, as an Arrow table."""


def fit_dataset(
    dataset: Any, schema: Schema | None = None, config: Config | None = None, *, workers: int = 2
) -> Synthesizer:
    """Learns a ``ray.data.Dataset`` with as many processes of Ray Train as there are ``workers``.

    The dataset is read three times (once less with a ``schema``): for a sample, which tells the
    columns and constraints as :func:`synthgan.fit` does for tables beyond its memory, to count,
    and to encode. Workers then train together, each on its share of the rows; each takes a CPU,
    or a GPU if the cluster has enough and ``config.train.device`` allows. The same blocks, config
    and number of workers give the same model on the same kind of device.

    Raises :class:`TableError` or :class:`SchemaError` for a dataset that cannot be learned,
    :class:`TrainingError` if training fails, or a worker is lost, :class:`ConfigError` for a
    private fit, which must be in one process.
    """
    _require_ray()
    config = config or Config()
    if config.privacy is not None:
        raise ConfigError(
            "a private fit runs in one process: measuring in each would look at the rows again, "
            "and pay again; use synthgan.fit"
        )
    if workers < 1:
        raise ConfigError(f"workers must be at least 1, got {workers}")
    with _in_order(dataset):
        count = _counted(dataset, schema, config)
        rows = count.rows
        encoder, summary = count.finish()
        if rows < 2 * workers:
            raise TrainingError(f"{rows} rows cannot be shared by {workers} workers; use fewer")
        if not encoder.layout.spans:  # no column varies
            return fit_own_rows(np.zeros((rows, 0), np.uint8), encoder, summary, config)
        encode = partial(_encode, schema=encoder.schema, summary=summary, seed=config.seed)
        tokens = dataset.map_batches(encode, **_BLOCKS).materialize()
    task = {"schema": encoder.schema, "summary": summary, "config": config}
    return from_bytes(_trained({**task, "tokens": tokens.to_numpy_refs(column="tokens")}, workers))


def sample_dataset(
    model: Synthesizer, n: int, *, where: Where | None = None, seed: int | None = None
) -> Any:
    """``n`` synthetic rows as a ``ray.data.Dataset``, drawn when it is used, such as by
    ``.write_parquet(folder)``.

    They are the rows of :meth:`Synthesizer.sample` on a CPU, with the same ``where`` and ``seed``
    (None: a fresh one). Chunk i depends on the seed and i alone: if a worker is lost, Ray has
    another one draw its unfinished chunks, and nothing else.

    Raises :class:`ConditionError` as :meth:`Synthesizer.chunk_drawer` does.
    """
    ray = _require_ray()
    if n < 1:
        raise ConfigError(f"n must be at least 1, got {n}")
    seed = secrets.randbits(62) if seed is None else seed
    first = model.chunk_drawer(where=where, seed=seed)(0, min(n, CHUNK_ROWS))
    draw = partial(
        _draw,
        data=model.to_bytes(),
        rows=n,
        where=where,
        seed=seed,
        types=arrow_of(first).schema,  # those of all blocks
    )
    chunks = math.ceil(n / CHUNK_ROWS)
    numbers = ray.data.range(chunks, override_num_blocks=min(chunks, _MOST_BLOCKS))
    return numbers.map_batches(draw, batch_size=1)


def _require_ray() -> Any:
    try:
        import ray
        import ray.data
        import ray.train.torch
    except ImportError:
        raise SynthganError(
            "synthgan.integrations.ray needs Ray, which is not installed here: "
            "pip install 'synthgan[ray]'"
        ) from None
    return ray


@contextmanager
def _in_order(dataset: Any) -> Iterator[None]:
    """Has Ray keep the order of blocks, so that the same ones give the same model."""
    options = dataset.context.execution_options
    before, options.preserve_order = options.preserve_order, True
    try:
        yield
    finally:
        options.preserve_order = before


# --- Counting and encoding --------------------------------------------------------------


def _counted(dataset: Any, schema: Schema | None, config: Config) -> Count:
    """All rows, counted block by block where they are, and added up here."""
    declared = schema is not None
    enough = config.summary.min_category_rows
    if schema is None:
        schema = sampled(schema_to_fit(_some_rows(dataset, config.seed), None, least=enough))
    begin = partial(Count, schema, config.summary, declared=declared, limit=half_of_memory())
    total = begin()
    found = dataset.map_batches(partial(_count, begin=begin), **_BLOCKS)
    for batch in found.iter_batches(batch_format="pandas", batch_size=None):
        for each in batch["found"]:
            if isinstance(each, SynthganError):
                raise each
            total.merge(each)
    return total


def _some_rows(dataset: Any, seed: int) -> pd.DataFrame:
    """Rows from all over the dataset, about as many as are enough to tell columns from."""
    rows = dataset.count()
    if rows == 0:
        raise TableError("the dataset has no rows")
    share = rows_to_look_at(len(dataset.columns())) / rows
    picked = dataset if share >= 1 else dataset.random_sample(share, seed=seed)
    tables = list(picked.iter_batches(**_BLOCKS))
    return frame_of(pa.concat_tables(tables, promote_options="permissive"))


def _count(table: pa.Table, begin: Callable[[], Count]) -> pd.DataFrame:
    """One block, counted; or what is wrong with it, which Ray would bury in its own errors."""
    count = begin()
    try:
        if table.num_rows:
            count.add(frame_of(table))
    except SynthganError as error:
        return pd.DataFrame({"found": [error]})
    return pd.DataFrame({"found": [count]})


def _encode(table: pa.Table, schema: Schema, summary: Summary, seed: int) -> dict[str, Tokens]:
    """The tokens (rows x positions) of a block. They depend on seed and rows, not on the worker."""
    encoder, frame = Encoder(schema, summary), frame_of(table)
    words = pd.util.hash_pandas_object(
        frame[[n for n in encoder.codecs if n in frame]], index=False
    )
    rng = np.random.default_rng([seed, int(words.sum())])
    return {"tokens": encoder.encode(frame, rng)}


# --- Training ---------------------------------------------------------------------------


class _Box:
    """Where the first worker leaves the model. An actor: workers need no common storage."""

    def __init__(self) -> None:
        self._data = b""

    def put(self, data: bytes) -> None:
        self._data = data

    def take(self) -> bytes:
        return self._data


def _trained(task: Mapping[str, Any], workers: int) -> bytes:
    """The bytes of the model file that workers of Ray Train make together."""
    ray = _require_ray()
    box = ray.remote(num_cpus=0)(_Box).remote()
    gpus = ray.cluster_resources().get("GPU", 0) >= workers
    use_gpu = gpus and task["config"].train.device.startswith(("auto", "cuda"))
    with tempfile.TemporaryDirectory(prefix="synthgan-") as notes:  # Ray's own, not the model's
        trainer = ray.train.torch.TorchTrainer(
            _work,
            train_loop_config={**task, "box": box},
            scaling_config=ray.train.ScalingConfig(num_workers=workers, use_gpu=use_gpu),
            run_config=ray.train.RunConfig(storage_path=notes),
        )
        try:
            trainer.fit()
        except Exception as error:  # Ray's, of several kinds, and the workers' own
            raise TrainingError(
                "training on Ray failed, or a worker was lost; the error above says more. No "
                "model was made: fit again"
            ) from error
    data: bytes = ray.get(box.take.remote())
    return data


def _work(task: Mapping[str, Any]) -> None:
    """What each worker does, in the process group that Ray Train has set up."""
    ray = _require_ray()
    with join_ranks() as ranks:
        encoder = Encoder(task["schema"], task["summary"])
        tokens = _share(map(ray.get, task["tokens"]), ranks)
        model = fit_own_rows(tokens, encoder, task["summary"], task["config"])
        if ranks.first:
            ray.get(task["box"].put.remote(model.to_bytes()))


def _share(blocks: Iterator[Tokens], ranks: Ranks) -> Tokens:
    """Every n-th row of all blocks: shares are alike, however the dataset is sorted."""
    shares, seen = [], 0
    for block in blocks:
        shares.append(block[(ranks.rank - seen) % ranks.size :: ranks.size].copy())
        seen += len(block)
    return cast("Tokens", np.concatenate(shares))


# --- Drawing ----------------------------------------------------------------------------


def _draw(
    batch: Mapping[str, Any], data: bytes, rows: int, where: Where | None, seed: int, types: Any
) -> pa.Table:
    """The one chunk whose number is in ``batch``."""
    torch.set_num_threads(1)  # Ray gives a task one CPU; and rows are the same
    (number,) = batch["id"]
    size = min(CHUNK_ROWS, rows - int(number) * CHUNK_ROWS)
    frame = _loaded(data).chunk_drawer(where=where, seed=seed)(int(number), size)
    return arrow_of(frame, types)


@lru_cache(maxsize=1)
def _loaded(data: bytes) -> Synthesizer:
    """The model, read once in a process that draws several chunks."""
    return from_bytes(data, device="cpu")
