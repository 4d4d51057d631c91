"""Epsilon of what is in a ledger, from the events alone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from synthgan._typing import Floats
from synthgan.privacy.noise import tail_bound

COUNTS: Literal["discrete gaussian counts"] = "discrete gaussian counts"
RELEASE: Literal["thresholded category release"] = "thresholded category release"
GRADIENTS: Literal["poisson subsampled gaussian gradients"] = (
    "poisson subsampled gaussian gradients"
)

_ORDERS = 1 + np.geomspace(1e-4, 1e7, 5_000)  # any set of orders is sound; a dense one is tight
WHOLE_ORDERS = (*range(2, 129), *range(136, 513, 8), 640, 768, 1024, 2048, 4096)
_LOG_FACTORIALS = np.cumsum(np.log(np.maximum(np.arange(max(WHOLE_ORDERS) + 1), 1)))


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
        curve = sum((curve_of(event) for event in events), np.zeros(len(WHOLE_ORDERS)))
        return max(epsilon_of_curve(curve, left), _epsilon_by_library(events, left))
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


def curve_of(event: Event) -> Floats:
    """What an event costs in Renyi DP, at each of the whole orders."""
    if event.kind != GRADIENTS:
        return float(event.rho) * np.array(WHOLE_ORDERS, dtype=np.float64)
    return event.steps * sampled_curve(float(event.sampling), event.noise_multiplier)


def sampled_curve(sampling: float, noise: float) -> Floats:
    """Renyi DP of one noisy sum over a Poisson sample, at each of the whole orders.

    Mironov, Talwar and Zhang (2019), section 3.3: with chance q and noise s, order a costs
    ln(sum over k of binom(a, k) (1 - q)^(a - k) q^k exp((k^2 - k) / 2 s^2)) / (a - 1).
    """
    if not noise**2 > 0.0:  # so little that floats do not tell it from none
        return np.full(len(WHOLE_ORDERS), np.inf)
    if sampling == 1.0:
        return np.array(WHOLE_ORDERS) / (2 * noise**2)
    found = []
    for order in WHOLE_ORDERS:
        k = np.arange(order + 1)
        ways = _LOG_FACTORIALS[order] - _LOG_FACTORIALS[k] - _LOG_FACTORIALS[order - k]
        chances = (order - k) * math.log1p(-sampling) + k * math.log(sampling)
        terms = ways + chances + (k * k - k) / (2 * noise**2)
        found.append(float(np.logaddexp.reduce(terms)) / (order - 1))
    return np.array(found)


def epsilon_of_curve(curve: Floats, delta: float) -> float:
    """As :func:`epsilon_of`, for a cost at each of the whole orders."""
    a = np.array(WHOLE_ORDERS, dtype=np.float64)
    found = curve + np.log1p(-1 / a) - (np.log(delta) + np.log(a)) / (a - 1)
    return max(float(found.min()), 0.0)


def _epsilon_by_library(events: tuple[Event, ...], delta: float) -> float:
    # Imported here: it takes seconds to load, and only private fits need it.
    import dp_accounting
    from dp_accounting import rdp

    sampled = [event for event in events if event.kind == GRADIENTS]
    orders = list(map(float, WHOLE_ORDERS)) if sampled else _ORDERS.tolist()
    accountant = rdp.RdpAccountant(orders=orders)
    counts = Counter(event.rho for event in events if event.kind != GRADIENTS)
    for rho, times in counts.items():
        accountant.compose(dp_accounting.ZCDpEvent(float(rho)), times)
    for event in sampled:
        noise = dp_accounting.GaussianDpEvent(event.noise_multiplier)
        step = dp_accounting.PoissonSampledDpEvent(float(event.sampling), noise)
        accountant.compose(step, event.steps)
    return float(accountant.get_epsilon(delta))
