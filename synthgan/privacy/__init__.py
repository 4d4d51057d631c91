"""Differential privacy: what may be asked of the rows, with which noise, and at what price.

Modules, each importing only those before it: ``noise`` (exact discrete Gaussian noise),
``ledger`` (events, budget, guarantee), ``composition`` (of several releases), ``rows``
(:class:`PrivateRows`, the only door to rows in a private fit).
"""

from synthgan.privacy.composition import compose
from synthgan.privacy.ledger import (
    Budget,
    Event,
    Guarantee,
    Ledger,
    UnchargedAccessError,
    epsilon_of,
    recompute,
)
from synthgan.privacy.noise import add_noise, discrete_gaussian, variance_for
from synthgan.privacy.rows import (
    Booking,
    Crosstab,
    Decimals,
    GradientPlan,
    Grid,
    Levels,
    Partition,
    PrivateRows,
    Ranges,
    Released,
    Total,
    Words,
)

__all__ = [
    "Booking",
    "Budget",
    "Crosstab",
    "Decimals",
    "Event",
    "GradientPlan",
    "Grid",
    "Guarantee",
    "Ledger",
    "Levels",
    "Partition",
    "PrivateRows",
    "Ranges",
    "Released",
    "Total",
    "UnchargedAccessError",
    "Words",
    "add_noise",
    "compose",
    "discrete_gaussian",
    "epsilon_of",
    "recompute",
    "variance_for",
]
