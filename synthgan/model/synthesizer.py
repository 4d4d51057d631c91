"""fit(), load() and the fitted Synthesizer: the public face of the model.

A :class:`Synthesizer` exists only fitted. It holds a generator and what is known of the
columns, never a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Literal, NoReturn

import numpy as np
import pandas as pd
import torch

from synthgan.columns.frame import check_frame
from synthgan.config import Config
from synthgan.encode.encoder import Encoder
from synthgan.encode.summary import Summary
from synthgan.errors import ConditionError, ConfigError, near_column
from synthgan.model import file as archive
from synthgan.model.asked import check_apart, rows_to_draw, sampler_of, seed_of, too_many_unasked
from synthgan.model.card import Card
from synthgan.model.notes import caveats, protections
from synthgan.network.generator import Generator
from synthgan.privacy.ledger import Guarantee
from synthgan.progress import Step
from synthgan.sample.balance import Balance
from synthgan.sample.part_files import Parts, claim, seed_in, write
from synthgan.sample.partial_rows import read_given, typical
from synthgan.sample.sampler import Sampler
from synthgan.sample.where import Where
from synthgan.schema.schema import Schema
from synthgan.train.device import choose_device

ACCEPTANCE = "synthgan.acceptance"
"""In ``attrs`` of drawn tables: by constraint, the share of rows that kept it at first, if not
all did. Those that did not were drawn again."""


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

    _card: Card = field(default_factory=_made_by_fit)
    _encoder: Encoder = field(default_factory=_made_by_fit)
    _generator: Generator = field(default_factory=_made_by_fit)
    _checkpoint: Path | None = None
    """The checkpoint of its training, which is of no use once the model is saved."""

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
    def usual_rows(self) -> int:
        """Rows that are drawn if no number is asked for: about as many as were learned.

        Raises :class:`ConfigError` if these are so many that drawing them by oversight would take
        hours, or for ever: a model file may come from a stranger, and say anything.
        """
        rows = max(self.rows, 1)
        if too_many_unasked(rows, self._encoder):
            raise ConfigError(
                f"the model says that it was learned from about {rows:,} rows, which are too many "
                "to be drawn unasked; say how many you want (n=..., or -n on the command line)"
            )
        return rows

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
        gives the same rows on the same kind of device; None draws fresh ones. Generated names,
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
        seed = seed_of(seed)
        known = None
        if given is not None:
            rng = np.random.default_rng([seed, 0])
            known = read_given(
                given, self._encoder, rng, foreign="hide" if extrapolate else "refuse"
            )
        sampler = sampler_of(
            self._encoder, self._generator, where, balance, known, extrapolate=extrapolate
        )
        rows = self.usual_rows if n is None and known is None else rows_to_draw(n, known)
        for chunk in sampler.chunks(rows, seed, locale):
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
        parts only; rows do not depend on who writes them. Without ``seed`` it is that of the parts
        that are there, or a fresh one; shards need one. ``on_part`` is called after each part.

        Raises :class:`ConditionError` as :meth:`sample` does, and where the schema wants rows to
        be unique in the whole table, which part files that do not know of each other cannot see
        to; :class:`TableError` if the folder holds something else, or cannot be written to.
        """
        check_apart(self.schema)
        if seed is None:
            seed = seed_in(parts)
        if seed is None and parts.shard[1] > 1:
            raise ConfigError("shards must all draw from one seed: give it")
        seed = seed_of(seed)
        sampler = sampler_of(
            self._encoder, self._generator, where, balance, None, extrapolate=extrapolate
        )
        about = {
            "model": archive.fingerprint(self._card, self._generator),
            "versions": {"synthgan": version("synthgan"), "torch": torch.__version__},
            "device": self._generator.device.type,
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
        check_apart(self.schema)
        sampler = sampler_of(self._encoder, self._generator, where, None, None, extrapolate=False)
        return partial(sampler.chunk, seed=seed_of(seed))

    def impute(
        self,
        frame: pd.DataFrame,
        n: int = 1,
        *,
        columns: Sequence[str] | None = None,
        how: Literal["draw", "typical"] = "draw",
        seed: int | None = None,
    ) -> pd.DataFrame:
        """``frame`` with its missing cells filled in; every other cell stays as it is, bit for bit.

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
        rows, seed = rows_to_draw(n, None), seed_of(seed)
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
