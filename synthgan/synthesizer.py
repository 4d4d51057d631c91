"""fit(), load() and the fitted Synthesizer: the public face of the model.

A :class:`Synthesizer` exists only fitted. It holds a generator and what is known of the
columns, never a row.
"""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Literal, NoReturn

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from synthgan import archive
from synthgan.caveats import caveats
from synthgan.chunked_fit import encoded_in_chunks, fits_in_memory, half_of_memory
from synthgan.codec import balanced
from synthgan.condition import Balance, Where, parse_balance, parse_where
from synthgan.config import CheckpointConfig, Config, as_config
from synthgan.constraints import schema_to_fit, takes_patterns
from synthgan.distributed import Ranks, current_ranks
from synthgan.encode import Encoder, Tokens
from synthgan.errors import ConditionError, ConfigError, SchemaError, TableError
from synthgan.given import Given, read_given, typical
from synthgan.network import Generator
from synthgan.parts import Parts, claim, seed_in, write
from synthgan.privacy import Guarantee, spending
from synthgan.private_fit import Learned, learn_privately
from synthgan.protections import protections
from synthgan.sample import Sampler
from synthgan.schema import (
    Constraint,
    Hints,
    Schema,
    Unique,
    as_hints,
    as_schema,
    identifying_notes,
)
from synthgan.summary import Summary, summarize
from synthgan.table import (
    check_frame,
    count_cells,
    near_column,
    open_dataset,
    refuse_public_split,
    take_table,
)
from synthgan.train import Checkpoints, OnStep, Step, choose_device, fingerprint, train

ACCEPTANCE = "synthgan.acceptance"
"""In ``attrs`` of drawn tables: by constraint, the share of rows that kept it at first, if not
all did. Those that did not were drawn again."""


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
    memory, are read in chunks: columns and constraints are then told from a sample and held
    against all rows, and tokens may go to a temporary file (:mod:`synthgan.chunked_fit`).
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
                model = _train(encoded.tokens, encoder, encoded.summary, config, how)
                return _noted(model, encoded.notes)
    frame = take_table(data, "data")
    if schema is None:
        schema = schema_to_fit(frame, hints, least=config.summary.min_category_rows)
    schema.check(frame)
    summary = summarize(frame, schema, config.summary)
    encoder = Encoder(schema, summary)
    Sampler.check(encoder)
    tokens = encoder.encode(frame, np.random.default_rng(config.seed))
    model = _train(tokens, encoder, summary, config, how)
    return _noted(model, identifying_notes(frame, schema))


def _noted(model: Synthesizer, notes: Sequence[str]) -> Synthesizer:
    """The model with ``notes`` before its own."""
    return replace(model, _card=replace(model._card, notes=(*notes, *model._card.notes)))


def fit_own_rows(tokens: Tokens, encoder: Encoder, summary: Summary, config: Config) -> Synthesizer:
    """Learns, with the other processes of :func:`join_ranks`, a table of which each has a share
    (at least 2 rows) as ``tokens`` already; all get the same model."""
    choose_device(config.train.device)
    ranks = replace(current_ranks(), apart=True)
    how = _Training(on_step=None, checkpoint=None, ranks=ranks)
    return _train(tokens, encoder, summary, config, how)


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
            "as told from the rows, are public, by passing "
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
    schema = replace(schema, constraints=tuple(declared))
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
    model = _train(learned.tokens, learned.encoder, learned.summary, config, how, learned.guarantee)
    notes = (
        f"left out: {rule}; a private fit cannot take combinations from the rows, so declare them "
        "as 'values' if they are public"
        for rule in left_out
    )
    return _noted(model, list(notes))


def _train(
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
    card = archive.Card(
        format=archive.FORMAT,
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


def load(path: str | Path, *, device: str = "auto") -> Synthesizer:
    """Reads a model file; rows will be drawn on ``device``.

    Raises :class:`ModelFileError` for a file that is damaged, foreign or of another version.
    """
    card, encoder, generator = archive.load(path)
    return Synthesizer(card, encoder, generator.to(choose_device(device)))


def from_bytes(data: bytes, *, device: str = "auto") -> Synthesizer:
    """The model of :meth:`Synthesizer.to_bytes`. Raises as :func:`load`."""
    card, encoder, generator = archive.from_bytes(data, Path("model"))
    return Synthesizer(card, encoder, generator.to(choose_device(device)))


def _made_by_fit() -> NoReturn:
    raise ConfigError(
        "a Synthesizer exists only fitted: model = synthgan.fit(df), or synthgan.load(path)"
    )


@dataclass(frozen=True, eq=False, repr=False)
class Synthesizer:
    """A fitted model of one table. Made by :func:`fit` and :func:`load`."""

    _card: archive.Card = field(default_factory=_made_by_fit)
    _encoder: Encoder = field(default_factory=_made_by_fit)
    _generator: Generator = field(default_factory=_made_by_fit)
    _checkpoint: Path | None = None
    """What training left on the way, and nobody needs once the model is saved."""

    def __repr__(self) -> str:
        return f"Synthesizer({len(self.schema)} columns, learned from about {self.rows:,} rows)"

    @property
    def schema(self) -> Schema:
        """The columns, as they come out."""
        return self._card.schema

    @property
    def summary(self) -> Summary:
        """What the model knows of each column beside the generator's weights."""
        return self._card.summary

    @property
    def config(self) -> Config:
        """The settings of the fit."""
        return self._card.config

    @property
    def history(self) -> tuple[Step, ...]:
        """Losses in training."""
        return self._card.history

    @property
    def notes(self) -> tuple[str, ...]:
        """What the owner should know: what happened in training, and what columns have lost."""
        return (*self._card.notes, *caveats(self._card))

    @property
    def rows(self) -> int:
        """Number of rows learned from, rounded to two digits."""
        return self._card.summary.rows

    @property
    def versions(self) -> Mapping[str, str]:
        """Versions of the packages that made the model."""
        return {"synthgan": self._card.version, "torch": self._card.torch_version}

    @property
    def parameters(self) -> int:
        """Number of weights of the generator."""
        return sum(weight.numel() for weight in self._generator.parameters())

    @property
    def balanceable(self) -> tuple[str, ...]:
        """Columns that ``balance`` takes: categories, and numbers or dates of a few values."""
        return tuple(name for name, cells in self._encoder.choices.items() if cells)

    @property
    def guarantee(self) -> Guarantee | None:
        """Differential privacy of the model and all that it draws; None without any."""
        return self._card.guarantee

    @property
    def protections(self) -> tuple[str, ...]:
        """What is protected in each column, in words, a line a fact."""
        return tuple(protections(self._card))

    def sample(
        self,
        n: int | None = None,
        *,
        where: Where | None = None,
        given: pd.DataFrame | None = None,
        balance: Balance | None = None,
        extrapolate: bool = False,
        seed: int | None = None,
        locale: str | None = None,
    ) -> pd.DataFrame:
        """``n`` synthetic rows with the columns, order and dtypes of the learned table; without
        ``n`` about as many as were learned.

        ``where`` asks for rows such as ``'income == ">50K" and age >= 30'`` or
        ``{"income": ">50K", "age": (30, None)}``. ``given`` are partly filled rows: some
        columns, holes allowed; each gives one row, filled up, and ``n`` is left out.
        ``balance`` names columns whose levels are to be equally frequent, or gives shares:
        ``{"income": {">50K": 0.5}}``; other levels keep their proportions. Numbers and dates
        of at most 20 values, such as 0 and 1, have levels, too (:attr:`balanceable`). What the
        training data never showed is refused, unless ``extrapolate`` lets numbers and dates
        beyond their range, and unknown categories in ``given``, through. The same ``seed``
        gives the same rows on the same kind of device; None draws fresh ones. Made-up names,
        addresses and the like are those of ``locale``, such as ``de_DE``; None: the schema's.

        Every row keeps the schema's constraints. What share did when it was first drawn, and
        needed no second draw, is in ``attrs["synthgan.acceptance"]``, by constraint.

        Raises :class:`ConditionError` for a condition that cannot be met.
        """
        chunks = list(
            self.iter_samples(
                n,
                where=where,
                given=given,
                balance=balance,
                extrapolate=extrapolate,
                seed=seed,
                locale=locale,
            )
        )
        frame = pd.concat(chunks, ignore_index=True)
        for name, dtype in chunks[0].dtypes.items():  # categories that differ between chunks
            if isinstance(dtype, pd.CategoricalDtype):
                frame[name] = frame[name].astype("category")
        frame.attrs = dict(chunks[-1].attrs)
        return frame

    def iter_samples(
        self,
        n: int | None = None,
        *,
        where: Where | None = None,
        given: pd.DataFrame | None = None,
        balance: Balance | None = None,
        extrapolate: bool = False,
        seed: int | None = None,
        locale: str | None = None,
    ) -> Iterator[pd.DataFrame]:
        """The rows of :meth:`sample` in chunks, in constant memory.

        Chunk i depends on ``seed`` and i alone.
        """
        seed = _seed(seed)
        known = None
        if given is not None:
            rng = np.random.default_rng([seed, 0])
            known = read_given(
                given, self._encoder, rng, foreign="hide" if extrapolate else "refuse"
            )
        sampler = self._sampler(where, balance, known, extrapolate=extrapolate)
        for chunk in sampler.chunks(_count(n, known, self.rows), seed, locale):
            chunk.attrs[ACCEPTANCE] = sampler.acceptance
            yield chunk

    def sample_parts(
        self,
        parts: Parts,
        *,
        where: Where | None = None,
        balance: Balance | None = None,
        extrapolate: bool = False,
        seed: int | None = None,
        locale: str | None = None,
        on_part: Callable[[Path], None] | None = None,
    ) -> list[Path]:
        """Writes rows as :meth:`iter_samples` draws them as part files, in constant memory.

        Gives the paths of the parts. Those that are there already, from a run with the same model
        and options, are kept; a folder with others is refused. A shard writes its share of the
        parts only: the same rows, whoever writes them. Without ``seed`` it is that of the parts
        that are there, or a fresh one; shards need one. ``on_part`` is called after each part.

        Raises :class:`ConditionError` as :meth:`sample` does, and where the schema wants rows to
        be unique in the whole table, which part files that do not know of each other cannot see
        to; :class:`TableError` if the folder holds something else, or cannot be written to.
        """
        self._check_apart()
        if seed is None:
            seed = seed_in(parts)
        if seed is None and parts.shard[1] > 1:
            raise ConfigError("shards must all draw from one seed: give it")
        seed = _seed(seed)
        sampler = self._sampler(where, balance, None, extrapolate=extrapolate)
        about = {
            "model": archive.fingerprint(self._card, self._generator),
            "versions": {"synthgan": version("synthgan"), "torch": torch.__version__},
            "device": self._generator.out.device.type,
            "seed": seed,
            "where": where,
            "balance": balance,
            "extrapolate": extrapolate,
            "locale": locale,
        }
        claim(parts, about)
        draw = partial(sampler.chunk, seed=seed, locale=locale)
        return write(parts, draw, on_part or (lambda path: None))

    def chunk_drawer(
        self, *, where: Where | None = None, seed: int
    ) -> Callable[[int, int], pd.DataFrame]:
        """Draws single chunks of :meth:`iter_samples`: given the number i of a chunk and its
        rows (8,192, the last one what is left). It depends on ``seed`` and i alone, whoever
        draws it, on the same kind of device.

        Raises :class:`ConditionError` as :meth:`sample_parts` does.
        """
        self._check_apart()
        sampler = self._sampler(where, None, None, extrapolate=False)
        return partial(sampler.chunk, seed=_seed(seed))

    def _check_apart(self) -> None:
        """Raises :class:`ConditionError` if chunks cannot be drawn apart from each other."""
        together = [c for c in self.schema.constraints if isinstance(c, Unique)]
        if together:
            raise ConditionError(
                f"the constraint {together[0]} wants rows to be unique in the whole table, and "
                "part files do not know of each other; write one file, or fit with a schema "
                "without the constraint"
            )

    def impute(
        self,
        frame: pd.DataFrame,
        n: int = 1,
        *,
        columns: Sequence[str] | None = None,
        how: Literal["draw", "typical"] = "draw",
        seed: int | None = None,
    ) -> pd.DataFrame:
        """``frame`` with its holes filled in; every other cell stays as it is, bit for bit.

        ``columns`` are those to fill; None: all. In the others a missing cell stays, and tells
        the model that it is missing: no wage, because no work.

        ``how="draw"`` draws each hole from the model given the row's known cells (multiple
        imputation, Rubin 1987): with ``n`` above 1 the n tables stand one below the other,
        with the number of the draw as a first level of the index. ``how="typical"`` gives the
        mean of n draws (of numbers and dates) or the most frequent one, for a single table to
        look at; it has less spread than real rows.

        Columns that the model does not have are refused. A category that it does not know
        stays, and tells it nothing. Raises :class:`ConditionError` for a table that does not
        fit the model.
        """
        if how not in ("draw", "typical"):
            raise ConfigError(f"how must be 'draw' or 'typical', got {how!r}")
        rows, seed = _count(n, None, None), _seed(seed)
        rng = np.random.default_rng([seed, 0])
        check_frame(frame, "the table to fill")
        for name in columns or ():
            if name not in frame:
                hint = near_column(name, frame.columns)
                raise ConditionError(f"the table has no column {name!r} to fill; {hint}")
        known = read_given(frame, self._encoder, rng, foreign="hide", holes=columns)
        sampler = Sampler(self._encoder, self._generator, given=known, fill=True)
        words = np.random.SeedSequence(seed).generate_state(rows, np.uint64) >> np.uint64(2)
        draws = [
            pd.concat(sampler.chunks(len(known), int(word)), ignore_index=True) for word in words
        ]
        names = list(map(str, known.frame)) if columns is None else list(columns)
        if how == "typical":
            return known.fill(typical(draws, self.schema), names)
        filled = [known.fill(draw, names) for draw in draws]
        if n == 1:
            return filled[0]
        return pd.concat(filled, keys=range(n), names=["draw"])

    def _sampler(
        self,
        where: Where | None,
        balance: Balance | None,
        given: Given | None,
        *,
        extrapolate: bool,
    ) -> Sampler:
        allowed = {} if where is None else parse_where(where, self.schema, self._encoder.levels)
        if where is not None and not allowed:
            raise ConditionError("where is empty; leave it out to draw from the whole table")
        return Sampler(
            self._encoder,
            self._generator,
            allowed,
            shares={} if balance is None else self._shares(balance),
            given=given,
            extrapolate=extrapolate,
        )

    def _shares(self, balance: Balance) -> dict[str, npt.NDArray[np.float64]]:
        wanted = parse_balance(balance, self.schema, self._encoder.choices)
        return {
            name: balanced(self._encoder.codecs[name], shares) for name, shares in wanted.items()
        }

    def to_bytes(self) -> bytes:
        """What :meth:`save` writes."""
        return archive.to_bytes(self._card, self._generator)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Writes the model file, atomically, and removes the checkpoint of its training, unless
        that was interrupted. Raises :class:`TableError` if it cannot."""
        archive.save(path, self._card, self._generator, overwrite=overwrite)
        if self._checkpoint is not None:
            with suppress(OSError):  # the model is safe, and the command line looks
                self._checkpoint.unlink(missing_ok=True)


def _count(n: object, given: Given | None, usual: int | None) -> int:
    """How many rows to draw: one for each that is given, ``n``, or ``usual``."""
    if given is not None:
        if n is not None and n != len(given):
            raise ConfigError("each given row gives one row: leave n out, or repeat the rows")
        return len(given)
    if n is None and usual is not None:
        return max(usual, 1)
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise ConfigError(f"n must be a whole number of rows, at least 1, got {n!r}")
    return int(n)


def _seed(seed: int | None) -> int:
    whole = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    if seed is not None and not (whole and 0 <= seed < 2**63):
        raise ConfigError(f"seed must be a whole number, 0 to 2**63 - 1, got {seed!r}")
    return secrets.randbits(62) if seed is None else int(seed)
