"""Cheaper stand-ins for parts of a private fit, where it is run by the hundred."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import torch

from synthgan._typing import Ints
from synthgan.audit.replaced import replaced
from synthgan.audit.variants import Variant
from synthgan.audit.watch import SEED, Answer, Watched, watching
from synthgan.config import PrivacyConfig
from synthgan.privacy import fit as private_fit
from synthgan.privacy import ledger as accounting
from synthgan.privacy.accountant import recompute, rho_of
from synthgan.privacy.fit import Learned
from synthgan.privacy.mixture import fit_mixture
from synthgan.privacy.rows import Mechanism
from synthgan.schema.schema import Schema

_DRAWN_ROWS = 200  # in fits that are run by the hundred
_POOL = 1 << 12


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
    with watching(variant, answer, opened, unit=unit):
        learned = private_fit.learn_privately(
            frame, variant.schema(frame, schema), config, seed=SEED, device=torch.device("cpu")
        )
    (watched,) = opened
    return variant.tell(frame, learned), watched


@contextmanager
def cheap() -> Iterator[None]:
    """Within it, fits are fast from the last noisy count on.

    Rows are drawn from the tables of single columns alone, a few only; and what is worked out
    from a budget or from events is remembered.
    """
    with (
        replaced(private_fit, fit_mixture=independent, DRAWN_ROWS=_DRAWN_ROWS),
        replaced(
            accounting,
            recompute=functools.lru_cache(recompute),
            rho_of=functools.lru_cache(rho_of),
        ),
    ):
        yield


class _Shares:
    """Columns that have nothing to do with each other: drawn in no time."""

    def __init__(self, shares: Sequence[torch.Tensor]) -> None:
        self._shares = shares

    def rows(self, n: int, rng: torch.Generator) -> Ints:
        """As those of a mixture."""
        drawn = [
            torch.multinomial(each, n, replacement=True, generator=rng) for each in self._shares
        ]
        found: Ints = torch.stack(drawn, dim=1).numpy() if drawn else np.zeros((n, 0), np.int64)
        return found


def independent(tables: Any, *args: Any, **settings: Any) -> Any:
    """What stands in for a mixture: it knows the tables of single columns alone."""
    singles = [table for table in tables if len(table.columns) == 1]
    mixture = fit_mixture(singles, *args, **settings)
    return _Shares([chances[0] for chances in mixture.columns])
