"""Private fits under observation: every question, what was counted, what was answered.

The product is not built to be watched, so for the time of a fit the audit stands in its place
at two points: :class:`Watched` where ``private_fit`` opens :class:`PrivateRows`, and, for fits
that are run by the hundred, cheaper stand-ins where what follows sees noisy counts alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from synthgan import private_fit
from synthgan.audit.replaced import replaced
from synthgan.audit.variants import Variant
from synthgan.config import PrivacyConfig
from synthgan.mixture import fit_mixture
from synthgan.privacy import Event, Ledger, PrivateRows, Released, add_noise
from synthgan.privacy import ledger as accounting
from synthgan.privacy import rows as counter
from synthgan.privacy.noise import random_words
from synthgan.privacy.rows import (
    Booking,
    Codes,
    GradientPlan,
    Mechanism,
    Partition,
    RowGradients,
)
from synthgan.private_fit import Learned
from synthgan.schema import Schema

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.int64]
Labels = tuple[object, ...]

SEED = 0
"""The user's seed in every fit."""

_DRAWN_ROWS = 200  # in fits that are run by the hundred
_POOL = 1 << 12


@dataclass(frozen=True, kw_only=True, eq=False)
class Asked:
    """One question that was put to the rows."""

    question: str
    """The partition, and with how much noise, in full."""
    labels: Labels
    """What each count counts."""
    counts: Ints
    """Exact."""
    answer: Ints
    event: Event
    """What was booked for it."""
    shift: Ints | None = None
    """What the same question counts among the rows of one unit alone, if they were given."""


Answer = Callable[[int, Labels, Ints, Fraction], Ints]
"""The number of a question, what its counts are of, the counts, a variance: noisy counts."""


class _Free(Ledger):
    """Of rows that nobody protects."""

    def spend(self, event: Event) -> None:
        self._events.append(event)


class _Alone:
    """The rows of one unit, of which everything may be known."""

    def __init__(self, unit: pd.DataFrame, schema: Schema, ledger: Ledger, variant: Variant):
        self.rows = variant.open(unit, schema, _Free(ledger.budget), self._exact)
        self._counts = np.zeros(0, dtype=np.int64)

    def count(self, partition: Partition, variance: Fraction) -> Ints:
        """Exact counts."""
        self.rows.count(partition, variance, "")
        return self._counts

    def count_levels(self, column: str, variance: Fraction, labels: Labels) -> Ints:
        """Exact counts of levels, and of missing cells, in the order of ``labels``."""
        own = level_labels(self.rows, column)
        self.rows.release_levels(column, variance, 0.5, "")
        known = dict(zip(own, self._counts.tolist(), strict=True))
        return np.array([known.get(label, 0) for label in labels], dtype=np.int64)

    def _exact(self, counts: Ints, variance: Fraction) -> Ints:
        self._counts = counts
        return counts


class Watched:
    """Passes questions on to :class:`PrivateRows` and writes down what comes and goes."""

    def __init__(
        self,
        frame: pd.DataFrame,
        schema: Schema,
        ledger: Ledger,
        variant: Variant,
        answer: Answer,
        unit: pd.DataFrame | None = None,
    ) -> None:
        self.asked: list[Asked] = []
        self.answers = 0
        """How often counts were given out, booked or not."""
        self.told: list[bytes] = []
        """What the fit was told for them."""
        self._answer = answer
        self._labels: Labels | None = None
        self._seen: tuple[Labels, Ints, Ints] | None = None
        self._rows = variant.open(frame, schema, ledger, self._mechanism)
        self._alone = None if unit is None else _Alone(unit, schema, ledger, variant)

    @property
    def ledger(self) -> Ledger:
        """Where questions are booked."""
        return self._rows.ledger

    def count(self, partition: Partition, variance: Fraction, name: str) -> Ints:
        """See :meth:`PrivateRows.count`."""
        self._labels = None
        found = self._rows.count(partition, variance, name)
        self.told.append(found.tobytes())
        shift = None if self._alone is None else self._alone.count(partition, variance)
        self._write_down(f"count {name}: {partition!r}, variance {variance}", shift)
        return found

    def release_levels(self, column: str, variance: Fraction, delta: float, name: str) -> Released:
        """See :meth:`PrivateRows.release_levels`."""
        labels = self._labels = level_labels(self._rows, column)
        found = self._rows.release_levels(column, variance, delta, name)
        self.told.append(repr(found.levels).encode() + found.counts.tobytes())
        alone = self._alone
        shift = None if alone is None else alone.count_levels(column, variance, labels)
        self._write_down(f"release {name}: {column!r}, variance {variance}, delta {delta!r}", shift)
        return found

    def encode(self, codecs: Mapping[str, Codes]) -> None:
        """See :meth:`PrivateRows.encode`."""
        self._rows.encode(codecs)
        if self._alone is not None:
            self._alone.rows.encode(codecs)

    def book_gradients(self, columns: Sequence[str], plan: GradientPlan, name: str) -> Booking:
        """See :meth:`PrivateRows.book_gradients`."""
        return self._rows.book_gradients(columns, plan, name)

    def noisy_gradient(self, booking: Booking, gradients: RowGradients) -> Floats:
        """See :meth:`PrivateRows.noisy_gradient`."""
        self._labels = None
        found = self._rows.noisy_gradient(booking, gradients)
        self.told.append(found.tobytes())
        self._write_down(f"gradient: {booking.columns!r}, {booking.plan!r}", None)
        return found

    def _mechanism(self, counts: Ints, variance: Fraction) -> Ints:
        labels = tuple(range(len(counts))) if self._labels is None else self._labels
        answer = self._answer(self.answers, labels, counts, variance)
        self.answers += 1
        self._seen = labels, counts.copy(), answer
        return answer

    def _write_down(self, question: str, shift: Ints | None) -> None:
        assert self._seen is not None, "every question has counts"
        labels, counts, answer = self._seen
        event = self.ledger.events[-1]
        self.asked.append(
            Asked(
                question=question,
                labels=labels,
                counts=counts,
                answer=answer,
                event=event,
                shift=shift,
            )
        )


def level_labels(rows: PrivateRows, column: str) -> Labels:
    """What the counts of :meth:`PrivateRows.release_levels` are of: levels, then missing cells."""
    _, distinct = counter._factorize(counter._VAULTS[rows].cells[column])
    return (*sorted(map(counter._label, distinct)), None)


def drawn(noise: Mechanism) -> Answer:
    """Answers with ``noise``."""
    return lambda number, labels, counts, variance: noise(counts, variance)


def frozen(script: Sequence[Asked]) -> Answer:
    """Answers as in ``script``, whatever the counts.

    A level that the script does not know is answered by 0, so it is not told: that it is told
    all the same is what the booked delta is for. Where the script has nothing to go by, the
    counts get fresh noise, and the questions will differ.
    """

    def answer(number: int, labels: Labels, counts: Ints, variance: Fraction) -> Ints:
        if number < len(script):
            known = dict(zip(script[number].labels, script[number].answer.tolist(), strict=True))
            if labels and not isinstance(labels[-1], int):
                return np.array([known.get(label, 0) for label in labels], dtype=np.int64)
            if len(known) == len(labels):
                return script[number].answer
        return add_noise(counts, variance)

    return answer


class Pool:
    """Noise that is drawn ahead in bulk, by the mechanism itself: the same law, less waiting."""

    def __init__(self, noise: Mechanism) -> None:
        self._noise = noise
        self._drawn: dict[Fraction, Ints] = {}

    def __call__(self, counts: Ints, variance: Fraction) -> Ints:
        left = self._drawn.get(variance, np.zeros(0, dtype=np.int64))
        if len(left) < len(counts):
            more = self._noise(np.zeros(_POOL + len(counts), dtype=np.int64), variance)
            left = np.concatenate([left, more])
        self._drawn[variance] = left[len(counts) :]
        return counts + left[: len(counts)]


def learn(
    frame: pd.DataFrame,
    schema: Schema,
    config: PrivacyConfig,
    variant: Variant,
    answer: Answer,
    unit: pd.DataFrame | None = None,
) -> tuple[Learned, Watched]:
    """A private fit but for the network's training, which sees rows drawn from noisy counts
    and nothing else; and what was seen of it. Each question is also put to the rows of
    ``unit`` alone."""
    opened: list[Watched] = []

    def opens(frame: pd.DataFrame, schema: Schema, ledger: Ledger) -> PrivateRows:
        opened.append(Watched(frame, schema, ledger, variant, answer, unit))
        return cast(PrivateRows, opened[-1])

    with replaced(private_fit, PrivateRows=opens):
        learned = private_fit.learn_privately(
            frame, variant.schema(frame, schema), config, seed=SEED, device=torch.device("cpu")
        )
    (watched,) = opened
    return variant.tell(frame, learned), watched


@contextmanager
def same_words() -> Iterator[None]:
    """Within it, the random words of all rows are one and the same.

    It is one of the outcomes that they may have, so what is claimed holds for it as well; and
    in which place a row stands makes no difference.
    """
    word = int(random_words(1)[0])
    with replaced(counter, random_words=lambda size: np.full(size, word, dtype=np.int64)):
        yield


@contextmanager
def cheap() -> Iterator[None]:
    """Within it, fits are fast from the last noisy count on.

    Rows are drawn from the tables of single columns alone, a few only; and what is worked out
    from a budget or from events is remembered.
    """
    with (
        replaced(private_fit, fit_mixture=_independent, DRAWN_ROWS=_DRAWN_ROWS),
        replaced(
            accounting,
            recompute=functools.lru_cache(accounting.recompute),
            rho_of=functools.lru_cache(accounting.rho_of),
        ),
    ):
        yield


def _independent(tables: Any, *args: Any, **settings: Any) -> Any:
    singles = [table for table in tables if len(table.columns) == 1]
    return fit_mixture(singles, *args, **settings)
