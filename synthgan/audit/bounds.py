"""From error rates of an attack to what they prove about the guarantee.

All bounds are one-sided and hold with the confidence that the caller asks for, whatever the
attack: a bad attack proves little, but never too much.
"""

from __future__ import annotations

import math

from scipy.stats import beta, norm


def at_most(hits: int, runs: int, alpha: float) -> float:
    """Upper bound on a rate of which ``hits`` were seen in ``runs``; wrong with chance ``alpha``.

    Clopper and Pearson (1934).
    """
    return 1.0 if hits >= runs else float(beta.ppf(1 - alpha, hits + 1, runs - hits))


def mu_at_least(false_alarms: int, misses: int, runs: int, alpha: float) -> float:
    """Lower bound on mu of a mu-GDP mechanism, from ``runs`` in each of both worlds.

    Dong, Roth, Su (2022): no test of such a mechanism has Phi^-1(1 - false alarms) -
    Phi^-1(misses) above mu. Nasr et al. (2023) audit with it, as it sees more than a bound on
    epsilon at one point does.
    """
    alarms, missed = (at_most(hits, runs, alpha / 2) for hits in (false_alarms, misses))
    return max(float(norm.isf(alarms) - norm.ppf(missed)), 0.0)


def mu_near(false_alarms: int, misses: int, runs: int) -> float:
    """The same without allowance for chance: what mu is most likely to be at least."""
    alarms, missed = ((hits + 0.5) / (runs + 1) for hits in (false_alarms, misses))
    return max(float(norm.isf(alarms) - norm.ppf(missed)), 0.0)


def epsilon_at_least(
    false_alarms: int, misses: int, runs: int, *, delta: float, alpha: float
) -> float:
    """Lower bound on epsilon at ``delta``, from ``runs`` in each of both worlds.

    Kairouz, Oh, Viswanath (2015): of a private mechanism no test has both kinds of error below
    what 1 - delta - misses <= e^epsilon false alarms, and the same with the two exchanged,
    leave to it. Jagielski et al. (2020) audit with it.
    """
    rates = [at_most(hits, runs, alpha / 2) for hits in (false_alarms, misses)]
    found = 0.0
    for one, other in (rates, rates[::-1]):
        if one > 0 and 1 - delta - other > 0:
            found = max(found, math.log((1 - delta - other) / one))
    return found


def gaussian_epsilon(mu: float, delta: float) -> float:
    """Epsilon of a mu-GDP mechanism at ``delta``: Balle and Wang (2018), theorem 8."""
    if mu <= 0:
        return 0.0

    def holds(epsilon: float) -> bool:
        above = norm.cdf(mu / 2 - epsilon / mu)
        below = math.exp(epsilon + norm.logcdf(-mu / 2 - epsilon / mu))
        return bool(above - below <= delta)

    low, high = 0.0, 1.0
    while not holds(high):
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
