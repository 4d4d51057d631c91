"""Differential privacy: what may be asked of the rows, with which noise, and at what price.

Modules, each importing only those before it: ``noise`` (exact discrete Gaussian noise),
``ledger`` (events, budget, guarantee), ``composition`` (of several releases), ``spent`` (what
was spent by a fit that failed), ``plain`` and ``reading`` (a cell to its value), ``rows``
(:class:`PrivateRows`, the only door to rows in a private fit).
"""

from synthgan.privacy.composition import compose
from synthgan.privacy.ledger import (
    Budget,
    Event,
    Guarantee,
    Ledger,
    UnchargedAccessError,
    check_claim,
    epsilon_of,
    recompute,
    unit_in_words,
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
from synthgan.privacy.spent import load_ledger, save_ledger, spending, spent_in

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
    "check_claim",
    "compose",
    "discrete_gaussian",
    "epsilon_of",
    "load_ledger",
    "recompute",
    "save_ledger",
    "spending",
    "spent_in",
    "unit_in_words",
    "variance_for",
]
