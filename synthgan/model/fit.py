"""Learning a table: in memory, in chunks, or with differential privacy."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from synthgan.columns.column import Kind
from synthgan.columns.frame import check_frame
from synthgan.config import CheckpointConfig, Config, as_config
from synthgan.encode.encoder import Encoder, Tokens
from synthgan.encode.summarize import summarize
from synthgan.encode.summary import Summary
from synthgan.errors import ConfigError, SchemaError, TableError
from synthgan.model.card import FORMAT, Card
from synthgan.model.out_of_core import encoded_in_chunks, fits_in_memory, half_of_memory
from synthgan.model.synthesizer import Synthesizer
from synthgan.privacy.fit import Learned, learn_privately
from synthgan.privacy.ledger import Guarantee
from synthgan.privacy.spent import spending
from synthgan.progress import OnStep, Step
from synthgan.sample.sampler import Sampler
from synthgan.schema.check import takes_patterns
from synthgan.schema.constraints.kinds import Constraint
from synthgan.schema.discover import schema_to_fit
from synthgan.schema.entities import Hints
from synthgan.schema.identifying import identifying_notes
from synthgan.schema.loading import as_hints, as_schema
from synthgan.schema.schema import Schema
from synthgan.table.read import count_cells, open_dataset, take_table
from synthgan.table.split_marks import refuse_public_split
from synthgan.train.checkpoint import Checkpoints, fingerprint
from synthgan.train.device import choose_device
from synthgan.train.distributed import Ranks, current_ranks
from synthgan.train.loop import train


@dataclass(frozen=True, kw_only=True)
class _Training:
    """What training has beside settings and rows."""

    on_step: OnStep | None
    checkpoint: CheckpointConfig | None
    ranks: Ranks

    def refuse(self) -> None:
        """Raises :class:`ConfigError` for what a private fit cannot have."""
        if self.checkpoint is not None or self.ranks.size > 1:
            raise ConfigError(
                "a private fit has no checkpoints and runs in one process: going on, or measuring "
                "in each process, would look at the rows again, and pay again; leave that out"
            )


def fit(
    data: pd.DataFrame | str | Path,
    schema: Schema | Hints | str | Path | None = None,
    config: Config | None = None,
    *,
    memory_limit: int | None = None,
    on_step: Callable[[Step], None] | None = None,
    checkpoint: CheckpointConfig | None = None,
    on_rows: Callable[[str, int, int], None] | None = None,
) -> Synthesizer:
    """Learns a table.

    ``data`` is a DataFrame or the path of a CSV, Parquet or Feather file, of a folder of such
    part files, a glob, or a URL. ``schema``, or the path of its file, says what its columns are
    and which constraints its rows keep; None infers both, and :class:`Hints` say what the
    owner knows of columns that are inferred, such as ``Hints(entity="patient_id")``. ``config`` has
    all settings, such as
    ``Config(train=TrainConfig(max_minutes=5), privacy=PrivacyConfig(epsilon=1), seed=7)``.
    ``on_step`` is called every few training steps with a :class:`Step`; ``with show_progress()
    as on_step`` gives one that shows bars. A KeyboardInterrupt during training keeps the best
    state until then.

    Files whose fit would take more than ``memory_limit`` bytes, None: half of the machine's
    memory, are read in chunks: columns and constraints are then inferred from a sample and checked
    against all rows, and tokens may go to a temporary file (:mod:`synthgan.model.out_of_core`).
    ``on_rows`` is called after each chunk with what is done, and how many rows of how many.

    ``checkpoint`` has a long training leave what it needs to go on after a stop, and go on: to
    the same model, bit for bit on the CPU. Processes that have called :func:`join_ranks` fit one
    model together: all give the same arguments, each trains on its share of the rows, and all get
    the same model.

    Raises :class:`TableError` or :class:`SchemaError` for a table that cannot be learned,
    :class:`DoubtError`, before training, where columns are inferred and real values of one that
    may be personal would come out, :class:`TrainingError` if ``config.train.device`` is not
    there, the checkpoint is of another fit, or a process is lost, :class:`ConfigError` if a
    private fit is to have either. A private fit refuses a part of a table that was split by a
    seed (:func:`split_table`), unless ``config.privacy.public_split``.
    """
    config = as_config(config)
    if not isinstance(data, str | Path):
        check_frame(data, "data", or_path=True)
    choose_device(config.train.device)
    private = config.privacy is not None
    _warn_of_index(data)
    hints, given = as_hints(schema)
    schema = as_schema(given, table=None if private else data)
    how = _Training(on_step=on_step, checkpoint=checkpoint, ranks=current_ranks())
    if config.privacy is not None:
        how.refuse()
        refuse_public_split(data, told=config.privacy.public_split)
    if checkpoint is not None and how.ranks.first:
        Checkpoints.check(checkpoint)
    if memory_limit is not None and memory_limit < 1:
        raise ConfigError(f"memory_limit must be at least 1 byte, got {memory_limit}")
    if private:
        _check_private(schema, memory_limit)
        return _fit_privately(data, schema, config, how)
    if isinstance(data, str | Path):
        limit = half_of_memory() if memory_limit is None else memory_limit
        if not fits_in_memory(count_cells(data), limit):
            dataset = open_dataset(data)
            progress = on_rows or _say_nothing
            known = hints if schema is None else schema
            with encoded_in_chunks(dataset, known, config, limit, progress) as encoded:
                encoder = encoded.encoder
                model = train_model(encoded.tokens, encoder, encoded.summary, config, how)
                return _noted(model, encoded.notes)
    frame = take_table(data, "data")
    if schema is None:
        schema = schema_to_fit(frame, hints, least=config.summary.min_category_rows)
    schema.check(frame)
    summary = summarize(frame, schema, config.summary)
    encoder = Encoder(schema, summary)
    Sampler.check(encoder)
    tokens = encoder.encode(frame, np.random.default_rng(config.seed))
    model = train_model(tokens, encoder, summary, config, how)
    return _noted(model, identifying_notes(frame, schema))


def _of_unit(schema: Schema, unit: str | None) -> Schema:
    """The schema whose entity is the unit of the guarantee, unless it names another."""
    known = unit in schema.names and schema.entity is None and unit is not None
    if not known or schema[str(unit)].kind is not Kind.IDENTIFIER or schema[str(unit)].references:
        return schema
    return schema.of_entity(str(unit))


def _noted(model: Synthesizer, notes: Sequence[str]) -> Synthesizer:
    """The model with ``notes`` before its own."""
    return replace(model, _card=replace(model._card, notes=(*notes, *model._card.notes)))


def fit_own_rows(tokens: Tokens, encoder: Encoder, summary: Summary, config: Config) -> Synthesizer:
    """Learns, with the other processes of :func:`join_ranks`, a table of which each has a share
    (at least 2 rows) as ``tokens`` already; all get the same model."""
    choose_device(config.train.device)
    ranks = replace(current_ranks(), apart=True)
    how = _Training(on_step=None, checkpoint=None, ranks=ranks)
    return train_model(tokens, encoder, summary, config, how)


def _warn_of_index(data: object) -> None:
    """Says that a row index with a name, which may have been a column, is not learned."""
    names = data.index.names if isinstance(data, pd.DataFrame) else []
    named = [repr(name) for name in names if name is not None]
    if named:
        warnings.warn(
            f"the row index ({', '.join(named)}) is not learned; df.reset_index() makes columns "
            "of it, df.reset_index(drop=True) leaves it out",
            stacklevel=3,
        )


def _say_nothing(doing: str, done: int, of: int) -> None:
    """Nobody wants to know how far it is."""


def _check_private(schema: Schema | None, memory_limit: int | None) -> None:
    """Refuses a private fit for what is known without a look at any row."""
    if memory_limit is not None:
        raise TableError(
            "a private fit holds the whole table in memory, however large: whether it keeps to a "
            "limit would tell of the number of rows; leave memory_limit out"
        )
    if schema is None:
        raise SchemaError(
            "a private fit needs a schema that is public knowledge, since kinds and formats told "
            "from the rows would be paid for by nobody; write one (synthgan schema on a table of "
            "the same form that is no secret), or declare that names, kinds, dtypes and formats, "
            "as inferred from the rows, are public, by passing "
            "public_part(infer_schema(frame, constraints=False))"
        )


def _fit_privately(
    data: pd.DataFrame | str | Path,
    schema: Schema | None,
    config: Config,
    how: _Training,
) -> Synthesizer:
    """A fit in which whatever depends on the rows is paid for."""
    assert config.privacy is not None, "called for private fits only"
    assert schema is not None, "a private fit has a schema"
    device = choose_device(config.train.device)
    left_out = [rule for rule in schema.constraints if takes_patterns(rule)]
    declared = [rule for rule in schema.constraints if rule not in left_out]
    schema = _of_unit(replace(schema, constraints=tuple(declared)), config.privacy.unit)
    frame = take_table(data, "data", as_text=True, expected=schema.names)
    learned = learn_privately(
        frame, schema, config.privacy, seed=config.seed, device=device, on_step=how.on_step
    )
    with spending(lambda: learned.guarantee):
        return _of_learned(learned, left_out, config, how)


def _of_learned(
    learned: Learned, left_out: Sequence[Constraint], config: Config, how: _Training
) -> Synthesizer:
    """The model of what a private fit has learned; no row is looked at again."""
    Sampler.check(learned.encoder)
    # No critic: it would learn from rows drawn from the mixture, which hold nothing that the
    # likelihood has not.
    config = replace(config, train=replace(config.train, warm_start=True, adversarial=False))
    model = train_model(
        learned.tokens, learned.encoder, learned.summary, config, how, learned.guarantee
    )
    notes = (
        f"left out: {rule}; a private fit cannot take combinations from the rows, so declare them "
        "as 'values' if they are public"
        for rule in left_out
    )
    return _noted(model, list(notes))


def train_model(
    tokens: Tokens,
    encoder: Encoder,
    summary: Summary,
    config: Config,
    how: _Training,
    guarantee: Guarantee | None = None,
) -> Synthesizer:
    checkpoints = None
    if how.checkpoint is not None or how.ranks.size > 1:
        parts = fingerprint(
            tokens,
            choose_device(config.train.device),
            how.ranks,
            settings=config,
            columns=[encoder.schema, summary],
        )
        same = {name: digest for name, digest in parts.items() if name != "rows"}
        how.ranks.check_same(same if how.ranks.apart else parts)
        if how.checkpoint is not None:
            checkpoints = Checkpoints(config=how.checkpoint, fingerprint=parts)
    trained = train(
        tokens,
        encoder.layout,
        config,
        on_step=how.on_step,
        checkpoints=checkpoints,
        ranks=how.ranks,
    )
    card = Card(
        format=FORMAT,
        version=version("synthgan"),
        torch_version=torch.__version__,
        schema=encoder.schema,
        summary=summary,
        config=config,
        history=trained.history,
        notes=trained.notes,
        guarantee=guarantee,
    )
    done = None if checkpoints is None or trained.interrupted else checkpoints.path
    return Synthesizer(card, encoder, trained.generator, done)
