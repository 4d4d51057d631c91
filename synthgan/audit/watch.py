"""Private fits under observation: every question, what was counted, what was answered.

The product is not built to be watched, so for the time of a fit the audit stands in its place
at two points: :class:`Watched` where ``private_fit`` opens :class:`PrivateRows`, and, for fits
that are run by the hundred, cheaper stand-ins where what follows sees noisy counts alone.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan._typing import Ints
from synthgan.audit.replaced import replaced
from synthgan.audit.variants import Variant
from synthgan.columns.column import Level
from synthgan.privacy import fit as private_fit
from synthgan.privacy import rows as counter
from synthgan.privacy.accountant import Event
from synthgan.privacy.gradients import Booking, GradientPlan, RowGradients
from synthgan.privacy.ledger import Ledger
from synthgan.privacy.noise import add_noise, random_words
from synthgan.privacy.questions import (
    Crosstab,
    Decimals,
    Levels,
    Partition,
    Ranges,
    Released,
    Words,
)
from synthgan.privacy.rows import Codes, Mechanism, PrivateRows
from synthgan.schema.schema import Schema

Floats = npt.NDArray[np.floating[Any]]

Labels = tuple[object, ...]

SEED = 0
"""The user's seed in every fit."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Asked:
    """One question that was put to the rows, and all that is known of it."""

    question: str
    """The partition, and with how much noise, in full."""
    labels: Labels
    """What each count counts."""
    counts: Ints
    """Exact."""
    answer: Ints
    event: Event
    """What was booked for it."""
    given: object
    """What the fit was given."""
    ask: Callable[[Watched], object]
    """Puts the question again, to other rows."""
    shift: Ints | None = None
    """What the same question counts among the rows of one unit alone, if they were given."""


Answer = Callable[[int, Labels, Ints, Fraction], Ints]
"""The number of a question, what its counts are of, the counts, a variance: noisy counts."""


class Free(Ledger):
    """Of rows that nobody protects."""

    def spend(self, event: Event) -> None:
        self._events.append(event)


class _Alone:
    """The rows of one unit, of which everything may be known."""

    def __init__(self, unit: pd.DataFrame, schema: Schema, ledger: Ledger, variant: Variant):
        self.rows = variant.open(unit, schema, Free(ledger.budget), self._exact)
        self._counts = np.zeros(0, dtype=np.int64)

    def count(self, partition: Partition, variance: Fraction) -> Ints:
        """Exact counts."""
        self.rows.count(partition, variance, "")
        return self._counts

    def count_levels(self, column: str, variance: Fraction, labels: Labels) -> Ints:
        """Exact counts of levels, and of missing cells, in the order of ``labels``."""
        own = (*map(label_of, levels_in(self.rows, column)), None)
        self.rows.release_levels(column, variance, 0.5, "")
        known: dict[object, int] = dict(zip(own, self._counts.tolist(), strict=True))
        return np.array([known.get(label, 0) for label in labels], dtype=np.int64)

    def _exact(self, counts: Ints, variance: Fraction) -> Ints:
        self._counts = counts
        return counts


class Watched:
    """Passes questions on to :class:`PrivateRows` and writes down what comes and goes.

    With a ``script``, questions are put to the rows all the same, but the fit is given what the
    script has for them, as long as it asks the same questions.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        schema: Schema,
        ledger: Ledger,
        variant: Variant,
        answer: Answer,
        *,
        unit: pd.DataFrame | None = None,
        script: Sequence[Asked] | None = None,
    ) -> None:
        self.asked: list[Asked] = []
        self.answers = 0
        """How often counts were given out, booked or not."""
        self.odd: list[str] = []
        """Questions after which the fit was given something else than its answer."""
        self._answer = answer
        self._script = script
        self._labels: Labels | None = None
        self.codecs: Mapping[str, Codes] = {}
        """What makes codes of cells, once the fit knows."""
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
        shape = _shape(partition, self.codecs)
        shift = None if self._alone is None else self._alone.count(partition, variance)
        question = f"count {name}: {partition!r}, variance {variance}"
        self._write_down(
            question,
            found,
            lambda answer: answer.reshape(shape),
            lambda rows: rows.count(partition, variance, name),
            shift,
        )
        return cast(Ints, self.asked[-1].given)

    def release_levels(self, column: str, variance: Fraction, delta: float, name: str) -> Released:
        """See :meth:`PrivateRows.release_levels`."""
        levels = levels_in(self._rows, column)
        self._labels = (*map(label_of, levels), None)
        found = self._rows.release_levels(column, variance, delta, name)
        threshold = self.ledger.events[-1].threshold or 0
        shift = None
        if self._alone is not None:
            shift = self._alone.count_levels(column, variance, self._labels)
        question = f"release {name}: {column!r}, variance {variance}, delta {delta!r}"
        self._write_down(
            question,
            found,
            lambda answer: told(answer, levels, threshold),
            lambda rows: rows.release_levels(column, variance, delta, name),
            shift,
        )
        return cast(Released, self.asked[-1].given)

    def encode(self, codecs: Mapping[str, Codes]) -> None:
        """See :meth:`PrivateRows.encode`."""
        self.codecs = codecs
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
        step = booking.plan.clip / booking.plan.units
        question = f"gradient: {booking.columns!r}, {booking.plan!r}"
        self._write_down(
            question,
            found,
            lambda answer: answer * step,
            lambda rows: rows.noisy_gradient(booking, gradients),
            None,
        )
        return cast(Floats, self.asked[-1].given)

    def _mechanism(self, counts: Ints, variance: Fraction) -> Ints:
        labels: Labels = tuple(range(len(counts)))
        if self._labels is not None and len(self._labels) == len(counts):
            labels = self._labels
        answer = self._answer(self.answers, labels, counts, variance)
        self.answers += 1
        self._seen = labels, counts.copy(), answer
        return answer.copy()

    def _write_down(
        self,
        question: str,
        found: object,
        expected: Callable[[Ints], object],
        ask: Callable[[Watched], object],
        shift: Ints | None,
    ) -> None:
        """Writes a question down, and what the fit is given for it: ``found``, or what the script
        has. What was found should be what is ``expected`` of the noisy answer alone."""
        place, event = len(self.asked), self.ledger.events[-1]
        labels: Labels
        if self._seen is None:  # the rows have answered without the mechanism
            labels, counts, answer = (), np.zeros(0, np.int64), np.zeros(0, np.int64)
            self.odd.append(f"{event.name}: no noise")
        else:
            labels, counts, answer = self._seen
            self._check(event.name, found, expected, answer)
        self._seen = None
        if self._script is not None and place < len(self._script):
            planned = self._script[place]
            found = planned.given if planned.question == question else found
        self.asked.append(
            Asked(
                question=question,
                labels=labels,
                counts=counts,
                answer=answer,
                event=event,
                given=copy.copy(found),
                ask=ask,
                shift=shift,
            )
        )

    def _check(
        self, name: str, found: object, expected: Callable[[Ints], object], answer: Ints
    ) -> None:
        try:
            same = in_bytes(found) == in_bytes(expected(answer))
        except ValueError:  # counts of other things than there are
            same = False
        if not same:
            self.odd.append(f"{name}: not what its noisy counts say")


def told(answer: Ints, levels: Sequence[Level], threshold: int) -> Released:
    """What :meth:`PrivateRows.release_levels` is to give for a noisy ``answer``: ``levels`` in
    the order of their labels, if their noisy count is above the threshold."""
    if len(answer) != len(levels) + 1:
        raise ValueError("a count for each level, and one for missing cells")
    high = np.flatnonzero(answer[:-1] > threshold)
    return Released(
        levels=tuple(levels[i] for i in high.tolist()), counts=answer[high], missing=int(answer[-1])
    )


def in_bytes(given: object) -> bytes:
    """All that is in what a fit was given: whatever it has to tell."""
    if isinstance(given, np.ndarray):
        return f"{given.dtype} {given.shape} ".encode() + given.tobytes()
    if isinstance(given, Released):
        return b"; ".join(f"{k} ".encode() + in_bytes(v) for k, v in sorted(vars(given).items()))
    return repr(given).encode("utf-8", "surrogatepass")


def _shape(partition: Partition, codecs: Mapping[str, Codes]) -> tuple[int, ...]:
    """The shape of the counts of ``partition``, which is public."""
    if isinstance(partition, Crosstab):
        return tuple(codecs[name].width for name in partition.columns)
    if isinstance(partition, Ranges):
        return (len(partition.edges),)
    if isinstance(partition, Decimals):
        return (partition.most + 3,)
    if isinstance(partition, Words):
        return (partition.words + 3,)
    return (len(partition.levels) + 2,) if isinstance(partition, Levels) else (1,)


def levels_in(rows: PrivateRows, column: str) -> list[Level]:
    """The levels of a column, by their labels; levels of other types are other levels."""
    cells = counter.VAULTS[rows].cells[column]
    found: dict[tuple[str, str], Level] = {}
    for cell in cells:
        if not pd.isna(cell):
            found.setdefault(label_of(cell), cell)
    return [found[label] for label in sorted(found)]


def label_of(level: Level) -> tuple[str, str]:
    """What says which level it is, and in which order levels come."""
    return str(level), type(level).__name__


def drawn(noise: Mechanism) -> Answer:
    """Answers with ``noise``."""
    return lambda number, labels, counts, variance: noise(counts, variance)


def never_exact(noise: Mechanism) -> Answer:
    """Answers with ``noise`` that is never 0: one of the outcomes that it may have, in which
    whatever is told without noise shows."""
    rng = np.random.default_rng()

    def answer(number: int, labels: Labels, counts: Ints, variance: Fraction) -> Ints:
        noisy = noise(counts, variance)
        steps: Ints = np.where(rng.random(len(counts)) < 0.5, -1, 1)
        return np.where(noisy == counts, counts + steps, noisy)

    return answer


def exactly(number: int, labels: Labels, counts: Ints, variance: Fraction) -> Ints:
    """Answers without noise, for tables whose answers nobody is given."""
    return counts


def frozen(script: Sequence[Asked]) -> Answer:
    """Answers as in ``script``, whatever the counts.

    A level that the script does not know is answered by 0, so it is not told: that it is told
    all the same is what the booked delta is for. Where the script has nothing to go by, the
    counts get fresh noise, and the questions will differ.
    """

    def answer(number: int, labels: Labels, counts: Ints, variance: Fraction) -> Ints:
        if number < len(script):
            known = dict(zip(script[number].labels, script[number].answer.tolist(), strict=True))
            if labels and labels[-1] is None:
                return np.array([known.get(label, 0) for label in labels], dtype=np.int64)
            if len(known) == len(labels):
                return script[number].answer
        return add_noise(counts, variance)

    return answer


@contextmanager
def watching(
    variant: Variant,
    answer: Answer,
    opened: list[Watched],
    *,
    unit: pd.DataFrame | None = None,
    script: Sequence[Asked] | None = None,
) -> Iterator[None]:
    """Within it, private fits are watched, and added to ``opened``. See :class:`Watched`."""

    def opens(frame: pd.DataFrame, schema: Schema, ledger: Ledger) -> PrivateRows:
        opened.append(Watched(frame, schema, ledger, variant, answer, unit=unit, script=script))
        return cast(PrivateRows, opened[-1])

    with replaced(private_fit, PrivateRows=opens):
        yield


@contextmanager
def same_words(*, coins: bool = True) -> Iterator[None]:
    """Within it, the random words of all rows are one and the same, and unless told otherwise
    the ``coins`` by which rows are chosen.

    It is one of the outcomes that they may have, so what is claimed holds for it as well; and
    in which place a row stands makes no difference.
    """
    word = int(random_words(1)[0])

    def words(size: int) -> Ints:
        return np.full(size, word, dtype=np.int64)

    with replaced(counter, row_words=words, **({"random_words": words} if coins else {})):
        yield
