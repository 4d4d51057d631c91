"""Differential privacy: what may be asked of the rows, with which noise, and at what price.

Modules, each importing only those before it: ``noise`` (exact discrete Gaussian noise),
``ledger`` (events, budget, guarantee), ``rows`` (:class:`PrivateRows`, the only door to rows
in a private fit); ``mixture`` learns from what came out of that door and sees no row.
"""

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
    Crosstab,
    Grid,
    Levels,
    Partition,
    PrivateRows,
    Ranges,
    Released,
    Total,
)

__all__ = [
    "Budget",
    "Crosstab",
    "Event",
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
    "add_noise",
    "discrete_gaussian",
    "epsilon_of",
    "recompute",
    "variance_for",
]
