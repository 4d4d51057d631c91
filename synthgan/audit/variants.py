"""The private fit as it is, and the same broken on purpose, in each way that an audit must see.

The faults are wrappers around the product's own parts. The product has no switch for any of
them, so none can be left on.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan._typing import Ints
from synthgan.audit.awkward import Table
from synthgan.audit.replaced import replaced
from synthgan.audit.report import RIGHT
from synthgan.columns.cells import read_cells
from synthgan.columns.column import Column, Kind
from synthgan.columns.date_format import NANOSECONDS
from synthgan.config import Config
from synthgan.model import file as archive
from synthgan.model.synthesizer import Synthesizer
from synthgan.privacy import critic as private_critic
from synthgan.privacy import rows
from synthgan.privacy.accountant import Event
from synthgan.privacy.declaring import public_part
from synthgan.privacy.fit import Learned
from synthgan.privacy.gradients import Booking, GradientPlan, RowGradients
from synthgan.privacy.ledger import Ledger
from synthgan.privacy.noise import add_noise, variance_for
from synthgan.privacy.questions import Partition
from synthgan.privacy.rows import VAULTS, Mechanism, PrivateRows
from synthgan.schema.schema import Schema
from synthgan.table.split import split_table
from synthgan.table.split_files import split_file

Floats = npt.NDArray[np.floating[Any]]

Coins = Callable[[int], bytes]
"""Gives that many random bytes."""
Split = Callable[[pd.DataFrame, str | None, Coins], tuple[pd.DataFrame, pd.DataFrame]]
"""A table, and the column that says what stays together: rows to learn from, rows set aside."""
Open = Callable[[pd.DataFrame, Schema, Ledger, Mechanism], PrivateRows]


def _open(frame: pd.DataFrame, schema: Schema, ledger: Ledger, mechanism: Mechanism) -> PrivateRows:
    return PrivateRows(frame, schema, ledger, mechanism=mechanism)


def _same_schema(frame: pd.DataFrame, schema: Schema) -> Schema:
    return schema


def _exact_noise(seed: int) -> Mechanism:
    return add_noise


def _tell_all(frame: pd.DataFrame, learned: Learned) -> Learned:
    return learned


def _from_file(table: Table) -> Table:
    return table


def _same_settings(table: Table, config: Config) -> Config:
    return config


def _same_model(table: Table, model: Synthesizer) -> Synthesizer:
    return model


def _by_coins(
    frame: pd.DataFrame, by: str | None, coins: Coins
) -> tuple[pd.DataFrame, pd.DataFrame]:
    return split_table(frame, by=by, coins=coins)


def _from_bytes(data: bytes) -> object:
    return archive.from_bytes(data, Path("model"))


def _by_lines(path: Path, train: Path, holdout: Path, coins: Coins) -> None:
    split_file(path, train, holdout, overwrite=True, coins=coins)


def _as_marked(part: pd.DataFrame) -> pd.DataFrame:
    return part


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A private fit; every part that is not named is the product's own."""

    name: str
    open: Open = _open
    """Puts rows behind the counter."""
    noise: Callable[[int], Mechanism] = _exact_noise
    """The noise, given the user's seed."""
    schema: Callable[[pd.DataFrame, Schema], Schema] = _same_schema
    """The schema that the fit works with."""
    tell: Callable[[pd.DataFrame, Learned], Learned] = _tell_all
    """What is passed on of what was learned."""
    read: Callable[[Table], Table] = _from_file
    """What is done to a file, or to rows, before they are fitted."""
    settings: Callable[[Table, Config], Config] = _same_settings
    """What training is called with, given what is fitted."""
    finish: Callable[[Table, Synthesizer], Synthesizer] = _same_model
    """What is done to the model before anyone has it."""
    split: Split = _by_coins
    """How rows are set aside before a fit."""
    split_file: Callable[[Path, Path, Path, Coins], None] = _by_lines
    """The same with files: what is split, both parts."""
    unmarked: Callable[[pd.DataFrame], pd.DataFrame] = _as_marked
    """What becomes of the mark of a part of a table that was split by a seed."""
    load: Callable[[bytes], object] = _from_bytes
    """How the bytes of a model file are read."""
    declare: Callable[[Schema], Schema] = public_part
    """What is public of a schema that was told from rows."""


AS_IT_IS = Variant(name=RIGHT)


# Wrong noise


def _half(counts: Ints, variance: Fraction) -> Ints:
    return add_noise(counts, variance / 4)


def _none(counts: Ints, variance: Fraction) -> Ints:
    return counts


def _from_the_seed(seed: int) -> Mechanism:
    return partial(add_noise, source=np.random.default_rng(seed).bytes)


HALF_NOISE = Variant(name="noise halved", noise=lambda seed: _half)
NO_NOISE = Variant(name="no noise", noise=lambda seed: _none)
SEEDED_NOISE = Variant(name="noise from the user's seed", noise=_from_the_seed)


# Wrong counts


def _open_twice(
    frame: pd.DataFrame, schema: Schema, ledger: Ledger, mechanism: Mechanism
) -> PrivateRows:
    return _open(pd.concat([frame, frame], ignore_index=True), schema, ledger, mechanism)


def _open_uncapped(
    frame: pd.DataFrame, schema: Schema, ledger: Ledger, mechanism: Mechanism
) -> PrivateRows:
    budget = dataclasses.replace(ledger.budget, unit=None, rows_per_unit=1)
    return _open(frame, schema, Ledger(budget), mechanism)


COUNTED_TWICE = Variant(name="rows counted twice", open=_open_twice)
UNCAPPED = Variant(name="all rows of a person kept", open=_open_uncapped)


# Wrong sums


class _Forgetful(Ledger):
    """A ledger that never runs out."""

    @property
    def rho_left(self) -> Fraction:
        return self.rho

    def spend(self, event: Event) -> None:
        self._events.append(event)


class _Unsplit(PrivateRows):
    """Each count is measured as if nothing else was."""

    __slots__ = ()

    def count(self, partition: Partition, variance: Fraction, name: str) -> Ints:
        ledger = self.ledger
        whole = variance_for(ledger.rho, ledger.budget.rows_per_unit)
        return super().count(partition, whole, name)


def _open_unsplit(
    frame: pd.DataFrame, schema: Schema, ledger: Ledger, mechanism: Mechanism
) -> PrivateRows:
    return _Unsplit(frame, schema, _Forgetful(ledger.budget), mechanism=mechanism)


NOT_SPLIT = Variant(name="budget not split among questions", open=_open_unsplit)


# Wrong gradients


class _Packed(PrivateRows):
    """The critic looks at two rows at once (Lin et al. 2018), and their gradient counts as one."""

    __slots__ = ()

    def noisy_gradient(self, booking: Booking, gradients: RowGradients) -> Floats:
        def packed(tokens: Ints, words: Ints) -> Floats:
            each = gradients(tokens, words)
            joint = np.zeros_like(each)
            joint[::2] = each[::2] + each[1::2]
            return joint

        return super().noisy_gradient(booking, packed)


class _FreePenalty(PrivateRows):
    """The gradient penalty's part is added after the noise: its mean over the rows, exactly."""

    __slots__ = ()

    def noisy_gradient(self, booking: Booking, gradients: RowGradients) -> Floats:
        plain = private_critic.row_gradients

        def loss(critic: Any, real: Any, fake: Any, mix: Any, weight: float) -> Any:
            return plain(critic, real, fake, mix, 0.0)

        def penalty(critic: Any, real: Any, fake: Any, mix: Any, weight: float) -> Any:
            return plain(critic, real, fake, mix, weight) - plain(critic, real, fake, mix, 0.0)

        with replaced(private_critic, row_gradients=loss):
            noisy = super().noisy_gradient(booking, gradients)
        codes = VAULTS[self].codes
        tokens = np.stack([codes[name] for name in booking.columns], axis=1)
        with replaced(private_critic, row_gradients=penalty):
            exact = gradients(tokens, np.zeros(len(tokens), dtype=np.int64))
        told: Floats = noisy + exact.sum(axis=0)
        return told


def _open_packed(
    frame: pd.DataFrame, schema: Schema, ledger: Ledger, mechanism: Mechanism
) -> PrivateRows:
    return _Packed(frame, schema, ledger, mechanism=mechanism)


def _open_free_penalty(
    frame: pd.DataFrame, schema: Schema, ledger: Ledger, mechanism: Mechanism
) -> PrivateRows:
    return _FreePenalty(frame, schema, ledger, mechanism=mechanism)


class _SeededSamples(PrivateRows):
    """Which rows are in a sample follows from the user's seed."""

    __slots__ = ()

    def noisy_gradient(self, booking: Booking, gradients: RowGradients) -> Floats:
        def seeded(units: Ints, sampling: Fraction) -> Ints:
            coins = np.random.default_rng(0).random(int(units.max(initial=-1)) + 1)
            won: Ints = np.flatnonzero((coins < float(sampling))[units])
            return won

        with replaced(rows, sample=seeded):
            return super().noisy_gradient(booking, gradients)


class _Uncut(PrivateRows):
    """Gradients of rows are as long as they are."""

    __slots__ = ()

    def noisy_gradient(self, booking: Booking, gradients: RowGradients) -> Floats:
        def uncut(vectors: Floats, plan: GradientPlan) -> Ints:
            whole: Ints = np.rint(vectors * (plan.units / plan.clip)).astype(np.int64)
            return whole

        with replaced(rows, cut=uncut):
            return super().noisy_gradient(booking, gradients)


def _open_seeded_samples(
    frame: pd.DataFrame, schema: Schema, ledger: Ledger, mechanism: Mechanism
) -> PrivateRows:
    return _SeededSamples(frame, schema, ledger, mechanism=mechanism)


def _open_uncut(
    frame: pd.DataFrame, schema: Schema, ledger: Ledger, mechanism: Mechanism
) -> PrivateRows:
    return _Uncut(frame, schema, ledger, mechanism=mechanism)


SEEDED_SAMPLES = Variant(name="samples from the user's seed", open=_open_seeded_samples)
UNCUT = Variant(name="gradients that are not cut", open=_open_uncut)
PACKED = Variant(name="critic that looks at two rows at once", open=_open_packed)
FREE_PENALTY = Variant(name="gradient penalty without noise", open=_open_free_penalty)


# What is taken from the rows without asking


def _bounded(frame: pd.DataFrame, schema: Schema) -> Schema:
    columns = [bounds_of_rows(c, frame[c.name]) for c in schema]
    return dataclasses.replace(schema, columns=tuple(columns))


def bounds_of_rows(column: Column, cells: pd.Series[Any]) -> Column:
    """``column`` with the least and the largest of its cells for bounds, where there are any."""
    values = read_cells(cells, column) if column.kind.is_numeric else np.full(1, np.nan)
    if np.isnan(values).all():
        return column
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if column.kind is not Kind.DATETIME:
        return dataclasses.replace(column, low=low, high=high)
    unit = NANOSECONDS[column.resolution or "s"]
    ends = [np.datetime64(int(end * unit) // 1000, "us") for end in (low, high)]
    return dataclasses.replace(column, low=str(ends[0]), high=str(ends[1]))


def _with_categories(frame: pd.DataFrame, schema: Schema) -> Schema:
    return dataclasses.replace(
        schema,
        columns=tuple(
            dataclasses.replace(
                c, categories=tuple(sorted(frame[c.name].dropna().unique().tolist()))
            )
            if c.kind is Kind.CATEGORY
            else c
            for c in schema
        ),
    )


def _with_exact_rows(frame: pd.DataFrame, learned: Learned) -> Learned:
    summary = dataclasses.replace(learned.summary, rows=len(frame))
    return dataclasses.replace(learned, summary=summary)


BOUNDS_FROM_DATA = Variant(name="bounds from the rows", schema=_bounded)
CATEGORIES_FROM_DATA = Variant(name="categories from the rows", schema=_with_categories)
EXACT_ROWS = Variant(name="exact number of rows told", tell=_with_exact_rows)
