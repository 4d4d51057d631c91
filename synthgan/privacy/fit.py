"""A table to training tokens under differential privacy: every look at a row is on the ledger.

Rows go behind :class:`PrivateRows`, which answers noisy counts alone. Counts of single columns
make the summary; counts of pairs, a mixture that agrees with all of them as well as the noise
allows. From then on nothing touches a row: tokens are drawn from the mixture, and the generator
is trained on those as it would be on real ones. So what holds of the counts holds of the model,
and conditions, imputation and constraints work as ever.

With ``engine="critic"`` the mixture makes way for a generator trained against a critic that
learns from noisy gradients, see :mod:`synthgan.privacy.critic`; all else stays.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd
import torch

from synthgan.config import PrivacyConfig
from synthgan.encode.encoder import Encoder, Tokens
from synthgan.encode.summary import Summary
from synthgan.errors import SchemaError
from synthgan.privacy.critic import draw_rows, play
from synthgan.privacy.ledger import Guarantee, Ledger
from synthgan.privacy.mixture import Progress, Table, fit_mixture
from synthgan.privacy.questions import Crosstab
from synthgan.privacy.rows import PrivateRows
from synthgan.privacy.spent import spending
from synthgan.privacy.summary import PrivateSummary, check_budget, plan_budget, summarize_privately
from synthgan.progress import OnStep, Step
from synthgan.schema.check import takes_patterns
from synthgan.schema.schema import Schema

DRAWN_ROWS = 50_000
"""Rows drawn to train on."""

_FINENESS = 10_000  # of the square roots by which pairs share the budget


@dataclass(frozen=True, kw_only=True, eq=False)
class Learned:
    """What a private fit knows; all of it may be told."""

    summary: Summary
    encoder: Encoder
    tokens: Tokens
    """Synthetic rows (:data:`DRAWN_ROWS` x positions)."""
    guarantee: Guarantee


def learn_privately(
    frame: pd.DataFrame,
    schema: Schema,
    config: PrivacyConfig,
    *,
    seed: int,
    device: torch.device,
    on_step: OnStep | None = None,
) -> Learned:
    """Counts ``frame`` and draws rows like it, under the guarantee that ``config`` asks for.

    ``seed`` has no part in the noise, which comes from the operating system. ``on_step`` is
    called every few steps of the mixture, or of the critic's game. Raises
    :class:`SchemaError` for what the schema leaves to the rows, :class:`ConfigError` if the
    budget is too small for so many columns, which is judged without a look at the rows. An error
    after the first question, or an interruption, tells what was spent
    (:func:`synthgan.privacy.spent.spent_in`).
    """
    _check_constraints(schema)
    budget = plan_budget(
        schema,
        epsilon=config.epsilon,
        delta=config.delta,
        unit=config.unit,
        rows_per_unit=config.unit_rows,
    )
    check_budget(schema, budget, config.rows)
    ledger = Ledger(budget)
    with spending(ledger.guarantee):
        rows = PrivateRows(frame, schema, ledger)
        return _learned(rows, schema, config, seed=seed, device=device, on_step=on_step)


def _learned(
    rows: PrivateRows,
    schema: Schema,
    config: PrivacyConfig,
    *,
    seed: int,
    device: torch.device,
    on_step: OnStep | None,
) -> Learned:
    found = summarize_privately(rows, schema)
    encoder = Encoder(found.schema, found.summary)
    rows.encode(encoder.codecs)
    widths = [span.width for span in encoder.layout.spans]
    if config.engine == "critic" and len(widths) > 1:
        count = found.rows
        player = play(rows, encoder.layout, count=count, seed=seed, device=device, on_step=on_step)
        drawn = draw_rows(player, DRAWN_ROWS, torch.Generator(device).manual_seed(seed))
    else:
        tables = [*_singles(found, encoder), *_pairs(rows, encoder)]
        rng = torch.Generator().manual_seed(seed)
        mixture = fit_mixture(tables, widths, rng, device=device, on_step=_as_steps(on_step))
        drawn = mixture.rows(DRAWN_ROWS, rng)
    return Learned(
        summary=found.summary,
        encoder=encoder,
        tokens=drawn.astype(np.uint8) if max(widths, default=1) <= 256 else drawn.astype(np.int32),
        guarantee=rows.ledger.guarantee(),
    )


def _as_steps(on_step: OnStep | None) -> Callable[[Progress], None] | None:
    """What tells ``on_step`` how far the mixture is."""
    began = time.monotonic()

    def tell(progress: Progress) -> None:
        assert on_step is not None
        seconds = round(time.monotonic() - began, 2)
        on_step(Step(phase="mixture", step=progress.step, of=progress.of, seconds=seconds))

    return None if on_step is None else tell


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


def _pairs(rows: PrivateRows, encoder: Encoder) -> Iterator[Table]:
    """Tables of pairs of columns, for all that is left of the budget.

    Larger tables get more of it, by the square root of their cells, because their rows are
    spread over more of them; Zhang et al. (2021, PrivSyn) have the power 2/3.
    """
    widths = [span.width for span in encoder.layout.spans]
    pairs = list(itertools.combinations(enumerate(encoder.layout.columns), 2))
    shares = [max(math.isqrt(_FINENESS * widths[a] * widths[b]), 1) for (a, _), (b, _) in pairs]
    left = rows.ledger.rho_left
    for ((a, first), (b, second)), share in zip(pairs, shares, strict=True):
        rho = left * Fraction(share, sum(shares))
        variance = rows.ledger.budget.variance(rho)
        name = f"pairs of {first!r} and {second!r}"
        counts = rows.count(Crosstab(columns=(first, second)), variance, name)
        yield Table(columns=(a, b), counts=counts, sigma=math.sqrt(variance))
