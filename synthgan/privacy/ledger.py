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

Releases of levels that nobody declared also fail with a small probability, an event's own
``delta``: that a level which only one unit has comes out. These deltas add up, and the rest
of the budget's delta goes to rho. Plain addition holds: where no such level comes out, which
is all but that share of the coins at every step whatever came before, the rest is one
composition of Gaussian measurements of the levels that both tables share.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
import numpy.typing as npt

from synthgan.errors import ConfigError, SynthganError
from synthgan.privacy.noise import tail_bound

COUNTS: Literal["discrete gaussian counts"] = "discrete gaussian counts"
RELEASE: Literal["thresholded category release"] = "thresholded category release"
GRADIENTS: Literal["poisson subsampled gaussian gradients"] = (
    "poisson subsampled gaussian gradients"
)

_ORDERS = 1 + np.geomspace(1e-4, 1e7, 5_000)  # any set of orders is sound; a dense one is tight
_WHOLE_ORDERS = (*range(2, 129), *range(136, 513, 8), 640, 768, 1024, 2048, 4096)
_LOG_FACTORIALS = np.cumsum(np.log(np.maximum(np.arange(max(_WHOLE_ORDERS) + 1), 1)))
_MOST_GRADIENTS = 64  # events of gradients that a ledger has at most
_MOST_NOISE = 1e4  # of gradients, in sensitivities

Floats = npt.NDArray[np.float64]


class UnchargedAccessError(SynthganError, RuntimeError):
    """Code asked for rows without the budget for it: a fault of the program, not of its user."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One measurement of the rows: whole-number counts of a partition, with noise added; or
    sums over rows of whole-number vectors of limited length, with noise added, several times
    over, each over a new random sample of the units (Abadi et al. 2016)."""

    name: str
    """What was measured, in words."""
    kind: Literal[
        "discrete gaussian counts",
        "thresholded category release",
        "poisson subsampled gaussian gradients",
    ]
    columns: tuple[str, ...]
    """Columns whose cells were looked at; none for the number of rows."""
    variance_numerator: int
    variance_denominator: int
    """The discrete Gaussian's parameter, as an exact fraction."""
    sensitivity: int
    """How far one unit can move the counts (L2): every row is in one cell, so as many rows as
    a unit may have, for all of them may be in the same. Gradients: that many times the length
    that a row's vector can have at most, in steps of its grid."""
    threshold: int | None = None
    """Releases: levels whose noisy count is at most this are not told."""
    delta: float = 0.0
    """Releases: the chance that a level which only one unit has is told."""
    steps: int = 1
    """Gradients: how often a sum was told at most; each has noise and a sample of its own."""
    sampling_numerator: int = 1
    sampling_denominator: int = 1
    """Gradients: the chance that a unit is in a step's sample, as an exact fraction."""
    clip: float | None = None
    """Gradients: the length that a row's vector is cut to, in the gradient's own measure. It is
    there to be read; costs follow from ``sensitivity``, which is the same in steps of the grid."""

    def __post_init__(self) -> None:
        if min(self.variance_numerator, self.variance_denominator, self.sensitivity) < 1:
            raise ValueError("an event's variance and sensitivity must be above 0")
        self._check_sampling()
        if (self.kind == RELEASE) != (self.threshold is not None):
            raise ValueError("a release has a threshold, and nothing else has one")
        if self.delta < (0.0 if self.threshold is None else self._chance_of_release):
            raise ValueError("a release's threshold must be high enough for its delta")

    @property
    def variance(self) -> Fraction:
        """The discrete Gaussian's parameter."""
        return Fraction(self.variance_numerator, self.variance_denominator)

    def _check_sampling(self) -> None:
        if not 1 <= self.sampling_numerator <= self.sampling_denominator or self.steps < 1:
            raise ValueError("an event's chance of sampling is above 0, its steps at least 1")
        if (self.kind == GRADIENTS) != (self.clip is not None):
            raise ValueError("an event of gradients has a clip, and nothing else has one")
        if self.clip is None and (self.steps, self.sampling_denominator) != (1, 1):
            raise ValueError("an event that is no sum of gradients has one step, over all rows")
        if self.clip is not None and not 0 < self.clip < float("inf"):
            raise ValueError("an event's clip must be above 0 and finite")

    @property
    def sampling(self) -> Fraction:
        """The chance that a unit is in a step's sample."""
        return Fraction(self.sampling_numerator, self.sampling_denominator)

    @property
    def noise_multiplier(self) -> float:
        """The noise's standard deviation, in sensitivities."""
        return math.sqrt(self.variance) / self.sensitivity

    @property
    def rho(self) -> Fraction:
        """What it costs, in zCDP; of gradients a bound that makes nothing of the sampling."""
        return self.steps * self.sensitivity**2 / (2 * self.variance)

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
            curve = spent + steps * _sampled_curve(float(sampling), noise)
            return _epsilon_of_curve(curve, delta) <= self.budget.epsilon

        delta = self.budget.delta - self._delta
        spent = sum((_curve(event) for event in self._events), np.zeros(len(_WHOLE_ORDERS)))
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
    if any(event.kind == GRADIENTS for event in events):
        curve = sum((_curve(event) for event in events), np.zeros(len(_WHOLE_ORDERS)))
        return max(_epsilon_of_curve(curve, left), _epsilon_by_library(events, left))
    rho = sum((event.rho for event in events), Fraction(0))
    return max(epsilon_of(float(rho), left), _epsilon_by_library(events, left))


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
                curve = sum((_curve(event) for event in events), np.zeros(len(_WHOLE_ORDERS)))
                return _epsilon_of_curve(curve, delta)
            rho = math.fsum(float(event.rho) for event in events)
            return epsilon_of(rho, delta) if events else 0.0
    except OverflowError:
        return math.inf


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


def _curve(event: Event) -> Floats:
    """What an event costs in Renyi DP, at each of the whole orders."""
    if event.kind != GRADIENTS:
        return float(event.rho) * np.array(_WHOLE_ORDERS, dtype=np.float64)
    return event.steps * _sampled_curve(float(event.sampling), event.noise_multiplier)


def _sampled_curve(sampling: float, noise: float) -> Floats:
    """Renyi DP of one noisy sum over a Poisson sample, at each of the whole orders.

    Mironov, Talwar and Zhang (2019), section 3.3: with chance q and noise s, order a costs
    ln(sum over k of binom(a, k) (1 - q)^(a - k) q^k exp((k^2 - k) / 2 s^2)) / (a - 1).
    """
    if not noise**2 > 0.0:  # so little that floats do not tell it from none
        return np.full(len(_WHOLE_ORDERS), np.inf)
    if sampling == 1.0:
        return np.array(_WHOLE_ORDERS) / (2 * noise**2)
    found = []
    for order in _WHOLE_ORDERS:
        k = np.arange(order + 1)
        ways = _LOG_FACTORIALS[order] - _LOG_FACTORIALS[k] - _LOG_FACTORIALS[order - k]
        chances = (order - k) * math.log1p(-sampling) + k * math.log(sampling)
        terms = ways + chances + (k * k - k) / (2 * noise**2)
        found.append(float(np.logaddexp.reduce(terms)) / (order - 1))
    return np.array(found)


def _epsilon_of_curve(curve: Floats, delta: float) -> float:
    """As :func:`epsilon_of`, for a cost at each of the whole orders."""
    a = np.array(_WHOLE_ORDERS, dtype=np.float64)
    found = curve + np.log1p(-1 / a) - (np.log(delta) + np.log(a)) / (a - 1)
    return max(float(found.min()), 0.0)


def _epsilon_by_library(events: tuple[Event, ...], delta: float) -> float:
    # Imported here: it takes seconds to load, and only private fits need it.
    import dp_accounting
    from dp_accounting import rdp

    sampled = [event for event in events if event.kind == GRADIENTS]
    orders = list(map(float, _WHOLE_ORDERS)) if sampled else _ORDERS.tolist()
    accountant = rdp.RdpAccountant(orders=orders)
    counts = Counter(event.rho for event in events if event.kind != GRADIENTS)
    for rho, times in counts.items():
        accountant.compose(dp_accounting.ZCDpEvent(float(rho)), times)
    for event in sampled:
        noise = dp_accounting.GaussianDpEvent(event.noise_multiplier)
        step = dp_accounting.PoissonSampledDpEvent(float(event.sampling), noise)
        accountant.compose(step, event.steps)
    return float(accountant.get_epsilon(delta))
