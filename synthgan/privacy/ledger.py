"""What was asked of the rows, and what that costs: events in, a guarantee out.

Every measurement is a frozen :class:`Event` that says what happened (which columns, how much
noise, how far one unit can move it), not what it costs; costs are worked out from the events,
here or by anyone else (:func:`recompute`). All noise is discrete Gaussian, so events compose
in zero-concentrated differential privacy (Bun and Steinke 2016): an event of variance v and
L2 sensitivity s costs rho = s^2 / 2v, rhos add up, and rho gives epsilon at any delta.

Releases of levels that nobody declared also fail with a small probability, an event's own
``delta``: that a level which only one unit has comes out. These deltas add up, and the rest
of the budget's delta goes to rho. Plain addition holds: where no such level comes out, which
is all but that share of the coins at every step whatever came before, the rest is one
composition of Gaussian measurements of the levels that both tables share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from synthgan.errors import ConfigError, SynthganError
from synthgan.privacy.noise import tail_bound

COUNTS: Literal["discrete gaussian counts"] = "discrete gaussian counts"
RELEASE: Literal["thresholded category release"] = "thresholded category release"

_ORDERS = 1 + np.geomspace(1e-4, 1e7, 5_000)  # any set of orders is sound; a dense one is tight


class UnchargedAccessError(SynthganError, RuntimeError):
    """Code asked for rows without the budget for it: a fault of the program, not of its user."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One measurement of the rows: whole-number counts of a partition, with noise added."""

    name: str
    """What was measured, in words."""
    kind: Literal["discrete gaussian counts", "thresholded category release"]
    columns: tuple[str, ...]
    """Columns whose cells were looked at; none for the number of rows."""
    variance_numerator: int
    variance_denominator: int
    """The discrete Gaussian's parameter, as an exact fraction."""
    sensitivity: int
    """How far one unit can move the counts (L2): every row is in one cell, so as many rows as
    a unit may have, for all of them may be in the same."""
    threshold: int | None = None
    """Releases: levels whose noisy count is at most this are not told."""
    delta: float = 0.0
    """Releases: the chance that a level which only one unit has is told."""

    def __post_init__(self) -> None:
        if min(self.variance_numerator, self.variance_denominator, self.sensitivity) < 1:
            raise ValueError("an event's variance and sensitivity must be above 0")
        if (self.kind == RELEASE) != (self.threshold is not None):
            raise ValueError("a release has a threshold, and nothing else has one")
        if self.delta < (0.0 if self.threshold is None else self._chance_of_release):
            raise ValueError("a release's threshold must be high enough for its delta")

    @property
    def variance(self) -> Fraction:
        """The discrete Gaussian's parameter."""
        return Fraction(self.variance_numerator, self.variance_denominator)

    @property
    def rho(self) -> Fraction:
        """What it costs, in zCDP."""
        return self.sensitivity**2 / (2 * self.variance)

    @property
    def _chance_of_release(self) -> float:
        # A unit of s rows brings at most s levels of its own, of at most s rows each.
        limit = (self.threshold or 0) - self.sensitivity
        return self.sensitivity * tail_bound(self.variance, limit) if limit >= 0 else 1.0


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What may be spent on a table at most, and on whose behalf."""

    epsilon: float
    delta: float
    """A fixed public number, far below one over the number of rows; never made from it."""
    release_delta: float = 0.0
    """The part of ``delta`` that releases of undeclared levels share."""
    unit: str | None = None
    """The column that names whose rows they are; None: each row is somebody else's."""
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
        """What is left of it."""
        return self._rho - sum((event.rho for event in self._events), Fraction(0))

    def spend(self, event: Event) -> None:
        """Books ``event``. Raises :class:`UnchargedAccessError` if the budget does not allow it,
        or if it counts a unit as fewer rows than it may have."""
        if event.sensitivity < self.budget.rows_per_unit:
            raise UnchargedAccessError(f"{event.name}: a unit may have more rows than it counts")
        if event.rho > self.rho_left:
            raise UnchargedAccessError(
                f"{event.name}: it costs rho {float(event.rho):.3g}, but only "
                f"{float(self.rho_left):.3g} is left of the budget"
            )
        spent = sum(e.delta for e in self._events) + event.delta
        if spent > self._delta * (1 + 1e-9):
            raise UnchargedAccessError(f"{event.name}: the budget's release_delta is spent")
        self._events.append(event)

    def guarantee(self) -> Guarantee:
        """What holds for all that was measured until now."""
        unit, most = self.budget.unit, self.budget.rows_per_unit
        rows = "1 row" if most == 1 else f"{most:,} rows"
        return Guarantee(
            epsilon=recompute(self.events, self.budget.delta),
            delta=self.budget.delta,
            unit="row" if unit is None else f"at most {rows} a value of {unit!r}",
            events=self.events,
        )


def recompute(events: Iterable[Event], delta: float) -> float:
    """Epsilon of ``events`` at ``delta``, from nothing but what they say.

    Two accountants work it out, the library dp-accounting and this module; the larger value
    counts. Raises ``ValueError`` if ``delta`` is too small for the events' own deltas.
    """
    events = tuple(events)
    left = delta - sum(event.delta for event in events)
    if not 0 < left < 1:
        raise ValueError("delta must be below 1 and above the sum of the events' deltas")
    if not events:
        return 0.0
    rho = sum((event.rho for event in events), Fraction(0))
    return max(epsilon_of(float(rho), left), _epsilon_by_library(events, left))


def epsilon_of(rho: float, delta: float) -> float:
    """The least epsilon for which rho-zCDP gives (epsilon, delta), to a millionth, from above.

    Canonne, Kamath, Steinke (2020), proposition 12: for every order a above 1,
    epsilon = a rho + ln(1 - 1/a) - (ln delta + ln a) / (a - 1).
    """
    a = _ORDERS
    found = a * rho + np.log1p(-1 / a) - (np.log(delta) + np.log(a)) / (a - 1)
    return max(float(found.min()), 0.0)


def rho_of(epsilon: float, delta: float) -> float:
    """The largest rho for which rho-zCDP gives (epsilon, delta), rounded down."""
    low, high = 0.0, epsilon + 1.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if epsilon_of(middle, delta) <= epsilon else (low, middle)
    return low * (1 - 1e-9)  # so that no rounding in either accountant reaches beyond epsilon


def _epsilon_by_library(events: tuple[Event, ...], delta: float) -> float:
    # Imported here: it takes seconds to load, and only private fits need it.
    import dp_accounting
    from dp_accounting import rdp

    accountant = rdp.RdpAccountant(orders=_ORDERS.tolist())
    for rho, times in Counter(event.rho for event in events).items():
        accountant.compose(dp_accounting.ZCDpEvent(float(rho)), times)
    return float(accountant.get_epsilon(delta))
