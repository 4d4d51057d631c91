"""A table to training tokens under differential privacy: every look at a row is on the ledger.

Rows go behind :class:`PrivateRows`, which answers noisy counts alone. Counts of single columns
make the summary; counts of pairs, a mixture that agrees with all of them as well as the noise
allows. From then on nothing touches a row: tokens are drawn from the mixture, and the generator
is trained on those as it would be on real ones. So what holds of the counts holds of the model,
and conditions, imputation and constraints work as ever.

With ``engine="critic"`` the mixture makes way for a generator trained against a critic that
learns from noisy gradients, see :mod:`synthgan.private_critic`; all else stays.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from synthgan.config import PrivacyConfig
from synthgan.constraints import takes_patterns
from synthgan.encode import Encoder, Tokens
from synthgan.errors import SchemaError
from synthgan.mixture import Progress, Table, fit_mixture
from synthgan.privacy import Crosstab, Guarantee, Ledger, PrivateRows
from synthgan.private_critic import draw_rows, play
from synthgan.private_summary import PrivateSummary, plan_budget, summarize_privately
from synthgan.schema import Schema
from synthgan.summary import Summary

Ints = npt.NDArray[np.int64]

DRAWN_ROWS = 50_000
"""Rows drawn to train on."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Learned:
    """What a private fit knows; all of it may be told."""

    summary: Summary
    encoder: Encoder
    tokens: Tokens
    """Rows (:data:`DRAWN_ROWS` x positions) that nobody lives behind."""
    guarantee: Guarantee


def learn_privately(
    frame: pd.DataFrame,
    schema: Schema,
    config: PrivacyConfig,
    *,
    seed: int,
    device: torch.device,
    on_step: Callable[[Progress], None] | None = None,
) -> Learned:
    """Counts ``frame`` and draws rows like it, under the guarantee that ``config`` asks for.

    ``seed`` has no part in the noise, which comes from the operating system. Raises
    :class:`SchemaError` for what the schema leaves to the rows, :class:`ConfigError` if the
    budget is too small for so many columns.
    """
    _check_constraints(schema)
    budget = plan_budget(
        schema,
        epsilon=config.epsilon,
        delta=config.delta,
        unit=config.unit,
        rows_per_unit=config.unit_rows,
    )
    rows = PrivateRows(frame, schema, Ledger(budget))
    found = summarize_privately(rows, schema)
    encoder = Encoder(found.schema, found.summary)
    rows.encode(encoder.codecs)
    widths = [span.width for span in encoder.layout.spans]
    if config.engine == "critic" and len(widths) > 1:
        drawn = _draw_by_critic(rows, found, encoder, seed, device)
    else:
        tables = [*_singles(found, encoder), *_pairs(rows, found, encoder)]
        rng = torch.Generator().manual_seed(seed)
        mixture = fit_mixture(tables, widths, rng, device=device, on_step=on_step)
        drawn = mixture.rows(DRAWN_ROWS, rng)
    return Learned(
        summary=found.summary,
        encoder=encoder,
        tokens=drawn.astype(np.uint8) if max(widths, default=1) <= 256 else drawn.astype(np.int32),
        guarantee=rows.ledger.guarantee(),
    )


def _draw_by_critic(
    rows: PrivateRows, found: PrivateSummary, encoder: Encoder, seed: int, device: torch.device
) -> Ints:
    generator = play(rows, encoder.layout, count=found.rows, seed=seed, device=device)
    return draw_rows(generator, DRAWN_ROWS, torch.Generator(device).manual_seed(seed))


def _check_constraints(schema: Schema) -> None:
    for constraint in schema.constraints:
        if takes_patterns(constraint):
            raise SchemaError(
                f"constraint {constraint}: a private fit cannot take combinations from the rows; "
                "declare them as 'values', or leave the constraint out"
            )


def _singles(found: PrivateSummary, encoder: Encoder) -> Iterator[Table]:
    """Tables of single columns, as the summary has settled them."""
    for place, name in enumerate(encoder.layout.columns):
        counts = np.rint(encoder.codecs[name].prior * found.rows).astype(np.int64)
        yield Table(columns=(place,), counts=counts, sigma=found.deviations[name])


def _pairs(rows: PrivateRows, found: PrivateSummary, encoder: Encoder) -> Iterator[Table]:
    sigma = math.sqrt(found.pair_variance)
    for (a, first), (b, second) in itertools.combinations(enumerate(encoder.layout.columns), 2):
        name = f"pairs of {first!r} and {second!r}"
        counts = rows.count(Crosstab(columns=(first, second)), found.pair_variance, name)
        yield Table(columns=(a, b), counts=counts, sigma=sigma)
