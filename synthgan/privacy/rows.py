"""Rows behind a counter: code can ask how many, with noise and at a price, and nothing else.

:class:`PrivateRows` takes a table and lets no cell out. Its doors are
:meth:`~PrivateRows.count` and :meth:`~PrivateRows.release_levels`, and both book an event in
the ledger *before* they look. What is counted is a *partition*: a description, made without
the rows, of cells of which every row is in exactly one. So code which was not given budget
cannot read rows, not by mistake either, and all that a fit knows of them is in the ledger.

A third door, :meth:`~PrivateRows.book_gradients`, is for training on rows: sums over random
rows of a vector for each, cut to a length, with noise (DP-SGD, Abadi et al. 2016). There a
function is handed tokens of rows to make vectors of. It is *trusted*: nothing here can keep it
from putting rows aside, or from letting one row's vector depend on another row; whoever writes
one must see to it that each vector depends on its own row and random word alone.

Each row is read by itself: what its cells mean depends on the schema alone, never on other
rows. Cells that do not fit the schema are counted as missing, without a word, because a word
would tell of a row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import wraps
from typing import Any, NoReturn, ParamSpec, Protocol, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan._typing import Ints
from synthgan.columns.cells import factorized
from synthgan.columns.column import Kind
from synthgan.columns.sentinels import words_in
from synthgan.errors import SchemaError
from synthgan.privacy.accountant import COUNTS, GRADIENTS, RELEASE, Event
from synthgan.privacy.gradients import (
    CHUNK,
    Booking,
    Floats,
    GradientPlan,
    RowGradients,
    cut,
    sample,
)
from synthgan.privacy.ledger import Ledger, UnchargedAccessError
from synthgan.privacy.noise import add_noise, random_words, tail_limit
from synthgan.privacy.questions import (
    Crosstab,
    Decimals,
    Levels,
    Partition,
    Ranges,
    Released,
    Total,
    Words,
    label,
    place_decimals,
    place_levels,
    place_numbers,
)
from synthgan.privacy.reading import read_column as _read
from synthgan.privacy.units import at_most, number_units
from synthgan.schema.schema import Schema

Mechanism = Callable[[Ints, Fraction], Ints]
"""Exact counts and a variance in, noisy counts out. Only tests and audits pass another one
than :func:`synthgan.privacy.noise.add_noise`."""


class Codes(Protocol):
    """What makes codes of one column's cells: a codec of :mod:`synthgan.encode.number_codec`."""

    width: int

    def encode(
        self, cells: Any, chances: npt.NDArray[np.float64], /
    ) -> tuple[Ints, npt.NDArray[np.float64]]:
        """Codes of cells, 0 to ``width - 1``, each from its own cell and chance (0 to 1) alone;
        and places."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Vault:
    """What :class:`PrivateRows` guards."""

    rows: int
    ledger: Ledger
    mechanism: Mechanism
    cells: dict[str, npt.NDArray[Any]]
    units: Ints
    """For each row, the number of its unit."""
    codes: dict[str, Ints] = field(default_factory=dict)
    widths: dict[str, int] = field(default_factory=dict)
    left: dict[Booking, int] = field(default_factory=dict)
    """Steps that were paid for and not yet taken."""


P = ParamSpec("P")
T = TypeVar("T")


def _silent(method: Callable[P, T]) -> Callable[P, T]:
    """Behind the door nothing is said of numbers that are too large: it would tell of a row."""

    @wraps(method)
    def quiet(*args: P.args, **more: P.kwargs) -> T:
        with np.errstate(all="ignore"):
            return method(*args, **more)

    return quiet


VAULTS: WeakKeyDictionary[PrivateRows, _Vault] = WeakKeyDictionary()


class PrivateRows:
    """A table of which nothing can be had but noisy counts, charged to a ledger."""

    __slots__ = ("__weakref__",)

    def __init__(
        self,
        frame: pd.DataFrame,
        schema: Schema,
        ledger: Ledger,
        *,
        mechanism: Mechanism = add_noise,
    ) -> None:
        """Reads ``frame`` once. Of each unit at most ``ledger.budget.rows_per_unit`` rows are
        kept, drawn at random; rows that name no unit are left out. How a cell is read follows from
        the schema and the cell alone, see :mod:`synthgan.privacy.reading`.

        Raises :class:`SchemaError` for a table without the schema's columns, and for a schema
        that leaves the meaning of cells to the rows.
        """
        schema.check(frame)
        unit = ledger.budget.unit
        _check_schema(schema, unit)
        units = number_units(frame, None if unit is None else schema[unit])
        if unit is not None:
            kept = at_most(units, ledger.budget.rows_per_unit)
            frame, units = frame.iloc[kept], units[kept]
        VAULTS[self] = _Vault(
            rows=len(frame),
            ledger=ledger,
            mechanism=mechanism,
            cells={c.name: _read(frame[c.name], c) for c in schema if c.kind.is_modelled},
            units=units,
        )

    @property
    def ledger(self) -> Ledger:
        """Where questions are recorded."""
        return VAULTS[self].ledger

    @_silent
    def count(self, partition: Partition, variance: Fraction, name: str) -> Ints:
        """Noisy counts of the rows in each cell of ``partition``.

        Books an event called ``name``. Raises :class:`UnchargedAccessError` if the budget does
        not cover it; then nothing was looked at.
        """
        vault = VAULTS[self]
        _check_columns(partition, vault)
        vault.ledger.spend(_event(vault, COUNTS, name, partition.columns, variance))
        places, shape = _place(partition, vault)
        counts = np.bincount(places, minlength=math.prod(shape)).astype(np.int64)
        return vault.mechanism(counts, variance).reshape(shape)

    @_silent
    def release_levels(self, column: str, variance: Fraction, delta: float, name: str) -> Released:
        """The levels of ``column`` whose noisy count is high enough to tell them.

        High enough means that a level which only one unit has is told with a chance of at most
        ``delta``, which is recorded together with the noise.
        """
        vault = VAULTS[self]
        _check_columns(Levels(column=column, levels=()), vault)
        most = vault.ledger.budget.rows_per_unit
        threshold = most + tail_limit(variance, delta / most)
        event = _event(vault, RELEASE, name, (column,), variance, threshold, delta)
        vault.ledger.spend(event)
        factors, distinct = factorized(vault.cells[column])
        order = sorted(range(len(distinct)), key=lambda i: label(distinct[i]))
        counts = np.bincount(factors, minlength=len(distinct) + 1)[[*order, len(distinct)]]
        noisy = vault.mechanism(counts.astype(np.int64), variance)
        told = np.flatnonzero(noisy[:-1] > threshold)
        return Released(
            levels=tuple(distinct[order[i]] for i in told),
            counts=noisy[told],
            missing=int(noisy[-1]),
        )

    @_silent
    def encode(self, codecs: Mapping[str, Codes]) -> None:
        """Makes codes of the cells, in here, for :class:`Crosstab` to count. Whatever chance is
        in a code is of a random word that the row gets from the operating system."""
        vault = VAULTS[self]
        for name, codec in codecs.items():
            if name not in vault.cells:
                raise UnchargedAccessError(f"column {name!r} is not modelled")
            chances = row_words(vault.rows) / float(1 << 62)
            codes, _ = codec.encode(vault.cells[name], chances)
            if len(codes) and not (codes.min() >= 0 and codes.max() < codec.width):
                raise UnchargedAccessError(f"column {name!r}: codes must be below its width")
            vault.codes[name], vault.widths[name] = codes.astype(np.int64), codec.width

    def book_gradients(self, columns: Sequence[str], plan: GradientPlan, name: str) -> Booking:
        """Pays for ``plan.steps`` times :meth:`noisy_gradient` on ``columns``, which must have
        been encoded; all at once, as if all were asked for.

        Books an event called ``name``. Raises :class:`UnchargedAccessError` if the budget does
        not cover it.
        """
        vault = VAULTS[self]
        _check_columns(Crosstab(columns=tuple(columns)), vault)
        event = Event(
            name=name,
            kind=GRADIENTS,
            columns=tuple(columns),
            variance_numerator=plan.variance.numerator,
            variance_denominator=plan.variance.denominator,
            sensitivity=plan.units * vault.ledger.budget.sensitivity,
            steps=plan.steps,
            sampling_numerator=plan.sampling.numerator,
            sampling_denominator=plan.sampling.denominator,
            clip=plan.clip,
        )
        vault.ledger.spend(event)
        booking = Booking(tuple(columns), plan)
        vault.left[booking] = plan.steps
        return booking

    @_silent
    def noisy_gradient(self, booking: Booking, gradients: RowGradients) -> Floats:
        """The noisy sum over a new random sample of the rows of their vectors, each cut to the
        plan's clip: (size,). One of the booking's steps is over, even if this fails.

        A unit is in the sample by a coin of its own. Each row gets a random word of 62 bits,
        also from the operating system, for whatever chance is in its vector: were that chance
        known to others, and dealt to rows by their place in the sample, then one row more would
        change it for all after it. Vectors are cut and rounded as whole numbers, whose length
        is checked exactly, and the noise is exact; one that is not finite counts as 0.
        """
        vault, plan = VAULTS[self], booking.plan
        if vault.left.get(booking, 0) < 1:
            raise UnchargedAccessError("gradients: no step is left that was paid for")
        vault.left[booking] -= 1
        chosen = sample(vault.units, plan.sampling)
        tokens = np.stack([vault.codes[name][chosen] for name in booking.columns], axis=1)
        total = np.zeros(plan.size, dtype=np.int64)
        for start in range(0, len(tokens), CHUNK):
            part = tokens[start : start + CHUNK]
            padded = np.zeros((CHUNK, tokens.shape[1]), dtype=np.int64)
            padded[: len(part)] = part
            found = gradients(padded, row_words(CHUNK))
            if found.shape != (CHUNK, plan.size):
                raise UnchargedAccessError("gradients: one vector a row, of the plan's size")
            total += cut(found[: len(part)], plan).sum(axis=0)
        noisy: Floats = vault.mechanism(total, plan.variance) * (plan.clip / plan.units)
        return noisy

    def __repr__(self) -> str:
        return "PrivateRows(ask count())"  # as a debugger or a traceback may show it

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)  # Python itself asks for these
        raise _closed(f"attribute {name!r}")

    def __len__(self) -> NoReturn:
        raise _closed("their number")

    def __iter__(self) -> NoReturn:
        raise _closed("going through them")

    def __getitem__(self, key: object) -> NoReturn:
        raise _closed("indexing")

    def __contains__(self, key: object) -> NoReturn:
        raise _closed("looking for a value")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise _closed("copying or pickling")


def _closed(what: str) -> UnchargedAccessError:
    return UnchargedAccessError(
        f"private rows: {what} is not open, as nothing would be charged for it; ask count() or "
        "release_levels()"
    )


def _event(
    vault: _Vault,
    kind: Any,
    name: str,
    columns: Sequence[str],
    variance: Fraction,
    threshold: int | None = None,
    delta: float = 0.0,
) -> Event:
    return Event(
        name=name,
        kind=kind,
        columns=tuple(columns),
        variance_numerator=variance.numerator,
        variance_denominator=variance.denominator,
        sensitivity=vault.ledger.budget.sensitivity,
        threshold=threshold,
        delta=delta,
    )


# Where each row falls


def _check_columns(partition: Partition, vault: _Vault) -> None:
    known = vault.codes if isinstance(partition, Crosstab) else vault.cells
    if not isinstance(partition, Partition):
        raise UnchargedAccessError(
            "a partition is one of Total, Ranges, Decimals, Words, Levels and Crosstab"
        )
    for name in partition.columns:
        if name not in known:
            raise UnchargedAccessError(f"column {name!r} is not modelled, or not encoded yet")


def _place(partition: Partition, vault: _Vault) -> tuple[Ints, tuple[int, ...]]:
    """The cell of each row, and the shape of all cells."""
    if isinstance(partition, Total):
        return np.zeros(vault.rows, dtype=np.int64), (1,)
    if isinstance(partition, Crosstab):
        shape = tuple(vault.widths[name] for name in partition.columns)
        codes = tuple(vault.codes[name] for name in partition.columns)
        return np.ravel_multi_index(codes, shape), shape
    cells = vault.cells[partition.column]
    if isinstance(partition, Ranges):
        return place_numbers(cells, partition), (len(partition.edges),)
    if isinstance(partition, Decimals):
        return place_decimals(cells, partition), (partition.most + 3,)
    if isinstance(partition, Words):
        words = np.minimum(words_in(cells), partition.words + 1)
        is_missing = np.isnan(cells) & (words == 0)
        return np.where(is_missing, partition.words + 2, words), (partition.words + 3,)
    return place_levels(cells, partition.levels), (len(partition.levels) + 2,)


def row_words(rows: int) -> Ints:
    """For each row a random word of 62 bits, for whatever chance is in what is made of it."""
    return random_words(rows)


def _check_schema(schema: Schema, unit: str | None) -> None:
    if unit is not None and schema[unit].kind.is_modelled:
        raise SchemaError(
            f"column {unit!r} names the unit, so it cannot be modelled: give it kind identifier"
        )
    for column in schema:
        of_text = column.dtype in ("str", "object") or column.dtype.startswith("string")
        if column.kind is Kind.DATETIME and of_text and "%" not in (column.format or ""):
            if column.format in ("date", "datetime"):
                continue
            raise SchemaError(
                f"column {column.name!r}: how dates are spelled must be declared, or it would be "
                "read off the rows: give it a format such as %Y-%m-%d"
            )
