"""What was asked of the rows, and what that costs: events in, a guarantee out.

Every measurement is a frozen :class:`Event` that says what happened (which columns, how much
noise, how far one unit can move it), not what it costs; costs are worked out from the events,
here or by anyone else (:func:`recompute`). All noise is discrete Gaussian, so events compose
in zero-concentrated differential privacy (Bun and Steinke 2016): an event of variance v and
L2 sensitivity s costs rho = s^2 / 2v, rhos add up, and rho gives epsilon at any delta.

Sums over random samples of the rows (each unit in or out by a coin of its own) cost less than
that, which zCDP cannot say but Renyi differential privacy can (Mironov 2017; Mironov, Talwar
and Zhang 2019). With such an event on the list, all are composed in Renyi DP, at whole orders
only: at these the discrete Gaussian has the very moments of the continuous one, and mirroring
swaps its two worlds, so the bound for the continuous one, which dp-accounting has, is a proof
for the discrete one as well.

Releases of undeclared levels also fail with a small probability, an event's own
``delta``: that a level which only one unit has comes out. These deltas add up, and the rest
of the budget's delta goes to rho. Plain addition holds: where no such level comes out, which
is all but that share of the coins at every step whatever came before, the rest is one
composition of Gaussian measurements of the levels that both tables share.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from synthgan.errors import ConfigError, SynthganError
from synthgan.privacy.accountant import (
    GRADIENTS,
    WHOLE_ORDERS,
    Event,
    curve_of,
    epsilon_of,
    epsilon_of_curve,
    recompute,
    rho_of,
    sampled_curve,
)
from synthgan.privacy.noise import variance_for


def compose(guarantees: Sequence[Guarantee], *, delta: float | None = None) -> Guarantee:
    """One guarantee for all that was released of the same rows.

    Every event of every release counts; epsilon is worked out once for all of them, which is
    less than the sum of the epsilons. ``delta`` is the sum of theirs, unless it is given.

    Raises :class:`ConfigError` if there are none, or if they are about different units.
    """
    if not guarantees:
        raise ConfigError("at least one guarantee is needed")
    units = {guarantee.unit for guarantee in guarantees}
    if len(units) > 1:
        raise ConfigError(
            f"guarantees for one {' and for one '.join(sorted(units))} cannot be added up"
        )
    events = tuple(event for guarantee in guarantees for event in guarantee.events)
    total = sum(guarantee.delta for guarantee in guarantees) if delta is None else delta
    try:
        epsilon = recompute(events, total)
    except ValueError as error:
        raise ConfigError(f"delta {total:g} does not do: {error}") from None
    return Guarantee(epsilon=epsilon, delta=total, unit=units.pop(), events=events)


_MOST_GRADIENTS = 64  # events of gradients that a ledger has at most
_MOST_NOISE = 1e4  # of gradients, in sensitivities


class UnchargedAccessError(SynthganError, RuntimeError):
    """Code asked for rows without the budget for it: a fault of the program, not of its user."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What may be spent on a table at most, and on whose behalf."""

    epsilon: float
    delta: float
    """A fixed public number, far below one over the number of rows; never made from it."""
    release_delta: float = 0.0
    """The part of ``delta`` that releases of undeclared levels share."""
    unit: str | None = None
    """The column that names whose rows they are; None: each row is a unit."""
    rows_per_unit: int = 1
    """Rows that are kept of one unit at most."""

    def __post_init__(self) -> None:
        if not 0 < self.epsilon < float("inf"):
            raise ConfigError(f"epsilon must be above 0 and finite, got {self.epsilon}")
        if not 0 < self.delta < 1:
            raise ConfigError(
                f"delta must be above 0 and below 1, got {self.delta}; it should be far below one "
                "over the number of rows, such as 1e-6"
            )
        if not 0 <= self.release_delta < self.delta:
            raise ConfigError("release_delta must be at least 0 and below delta")
        if self.rows_per_unit < 1 or (self.unit is None and self.rows_per_unit != 1):
            raise ConfigError(
                f"rows_per_unit must be at least 1, and 1 without a unit column, got "
                f"{self.rows_per_unit}"
            )

    @property
    def rho(self) -> Fraction:
        """The zCDP that it allows for, rounded down."""
        return Fraction(rho_of(self.epsilon, self.delta - self.release_delta))

    @property
    def sensitivity(self) -> int:
        """How far one unit more moves the counts of a partition (L2): by all its rows, which may
        be in one cell."""
        return self.rows_per_unit

    def variance(self, rho: Fraction) -> Fraction:
        """The variance of the noise with which counts cost ``rho``."""
        return variance_for(rho, self.sensitivity)


@dataclass(frozen=True, kw_only=True)
class Guarantee:
    """Differential privacy of all that came of the rows, with what it was worked out from."""

    epsilon: float
    delta: float
    neighbours: Literal["add-or-remove-one"] = "add-or-remove-one"
    """Two tables are neighbours if one has the rows of one more unit than the other."""
    unit: str
    """Whose rows they are: ``row``, or ``at most 5 rows a value of 'person'``."""
    events: tuple[Event, ...]

    @property
    def difference(self) -> str:
        """By what neighbours differ, in words."""
        return "one row" if self.unit == "row" else self.unit


class Ledger:
    """The one place where budget is spent. Events are kept in order."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._rho = budget.rho
        self._delta = budget.release_delta
        self._events: list[Event] = []

    @property
    def events(self) -> tuple[Event, ...]:
        """What was spent until now, in order."""
        return tuple(self._events)

    @property
    def rho(self) -> Fraction:
        """All that the budget allows for, in zCDP."""
        return self._rho

    @property
    def rho_left(self) -> Fraction:
        """What is left of it for counts; none after gradients, which are composed otherwise."""
        if any(event.kind == GRADIENTS for event in self._events):
            return Fraction(0)
        return self._rho - sum((event.rho for event in self._events), Fraction(0))

    def spend(self, event: Event) -> None:
        """Books ``event``. Raises :class:`UnchargedAccessError` if the budget does not allow it,
        or if it counts a unit as fewer rows than it may have."""
        if event.sensitivity < self.budget.rows_per_unit:
            raise UnchargedAccessError(f"{event.name}: a unit may have more rows than it counts")
        if event.kind == GRADIENTS:
            if recompute((*self._events, event), self._delta_of_rho) > self.budget.epsilon:
                raise UnchargedAccessError(f"{event.name}: not so much is left of the budget")
        elif event.rho > self.rho_left:
            raise UnchargedAccessError(
                f"{event.name}: it costs rho {float(event.rho):.3g}, but only "
                f"{float(self.rho_left):.3g} is left of the budget"
            )
        spent = sum(e.delta for e in self._events) + event.delta
        if spent > self._delta * (1 + 1e-9):
            raise UnchargedAccessError(f"{event.name}: the budget's release_delta is spent")
        self._events.append(event)

    @property
    def _delta_of_rho(self) -> float:
        """The budget's delta, less what releases could still take of it."""
        return self.budget.delta - self._delta + sum(event.delta for event in self._events)

    def noise_multiplier(self, sampling: Fraction, steps: int) -> float:
        """The least noise (standard deviation, in sensitivities), to a millionth and from
        above, with which gradients of so many steps use up what is left of the budget.

        Raises :class:`ConfigError` if nothing is.
        """

        def fits(noise: float) -> bool:
            curve = spent + steps * sampled_curve(float(sampling), noise)
            return epsilon_of_curve(curve, delta) <= self.budget.epsilon

        delta = self.budget.delta - self._delta
        spent = sum((curve_of(event) for event in self._events), np.zeros(len(WHOLE_ORDERS)))
        low, high = 1e-3, _MOST_NOISE
        if not fits(high):
            raise ConfigError(
                f"epsilon {self.budget.epsilon:g} leaves nothing for {steps:,} steps of the critic"
            )
        while high - low > 1e-7 * high:
            middle = (low + high) / 2
            low, high = (low, middle) if fits(middle) else (middle, high)
        return high * (1 + 1e-6)  # so that no rounding in either accountant reaches beyond

    def guarantee(self) -> Guarantee:
        """What holds for all that was measured until now."""
        return Guarantee(
            epsilon=recompute(self.events, self.budget.delta),
            delta=self.budget.delta,
            unit=unit_in_words(self.budget.unit, self.budget.rows_per_unit),
            events=self.events,
        )


def unit_in_words(unit: str | None, most: int) -> str:
    """Whose rows they are, as a guarantee says it: ``most`` rows of each value of ``unit``."""
    rows = "1 row" if most == 1 else f"{most:,} rows"
    return "row" if unit is None else f"at most {rows} a value of {unit!r}"


def check_claim(guarantee: Guarantee) -> None:
    """Raises ``ValueError`` unless ``guarantee`` follows from its events: its epsilon must not be
    below what they cost, and no unit may have more rows than they count."""
    events = guarantee.events
    if sum(event.kind == GRADIENTS for event in events) > _MOST_GRADIENTS:
        raise ValueError("the ledger has more events of gradients than any fit")
    found = re.fullmatch(r"row|at most ([0-9,]+) rows? a value of .+", guarantee.unit, re.DOTALL)
    if found is None:
        raise ValueError("the guarantee does not say whose rows it is about")
    most = int((found[1] or "1").replace(",", ""))
    if any(event.sensitivity < most for event in events):
        raise ValueError("the ledger counts a unit as fewer rows than the guarantee says")
    left = guarantee.delta - math.fsum(event.delta for event in events)
    if not 0 < left < 1:
        raise ValueError("the guarantee's delta is not above the sum of its events' deltas")
    cost = _own_epsilon(events, left)
    if not guarantee.epsilon >= cost * (1 - 1e-6):
        raise ValueError(
            f"the guarantee claims epsilon {guarantee.epsilon:.6g}, but its ledger gives {cost:.6g}"
        )


def _own_epsilon(events: tuple[Event, ...], delta: float) -> float:
    """Epsilon without the library, which takes seconds to load; both agree to a millionth."""
    try:
        with np.errstate(all="ignore"):  # what is beyond all floats is infinite
            if any(event.kind == GRADIENTS for event in events):
                curve = sum((curve_of(event) for event in events), np.zeros(len(WHOLE_ORDERS)))
                return epsilon_of_curve(curve, delta)
            rho = math.fsum(float(event.rho) for event in events)
            return epsilon_of(rho, delta) if events else 0.0
    except OverflowError:
        return math.inf
