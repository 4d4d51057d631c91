"""Attacks on worst-case pairs, many times over, and what their success proves.

Each attack is fixed before any run: which score, which threshold. So its error rates are
those of a fixed test, and the bounds of :mod:`synthgan.audit.bounds` hold as they stand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2

from synthgan._typing import Floats, Ints
from synthgan.audit.bounds import epsilon_at_least, gaussian_epsilon, mu_at_least, mu_near
from synthgan.audit.report import Finding
from synthgan.audit.stand_ins import Pool, cheap, learn
from synthgan.audit.tables import corners, far_rows, levels_of, near_rows
from synthgan.audit.variants import Variant
from synthgan.audit.watch import SEED, Asked, drawn
from synthgan.columns.cells import read_cells
from synthgan.columns.column import Column
from synthgan.config import PrivacyConfig
from synthgan.encode.summary import CategorySummary, NumberSummary
from synthgan.privacy.accountant import rho_of
from synthgan.privacy.fit import Learned
from synthgan.schema.schema import Schema

OnRun = Callable[[], None]
"""Called after each run."""

_BINS = 50


@dataclass(frozen=True, kw_only=True, eq=False)
class Worlds:
    """A worst-case pair for attacks: ``base``, and in the other world ``unit`` as well."""

    schema: Schema
    config: PrivacyConfig
    base: pd.DataFrame
    unit: pd.DataFrame

    @staticmethod
    def of(schema: Schema, config: PrivacyConfig, rows: int, *, new_levels: bool) -> Worlds:
        """``rows`` rows in one corner, one in the other; ``new_levels`` as in :func:`far_rows`."""
        base, unit = near_rows(schema, rows), far_rows(schema, new_levels=new_levels)
        return Worlds(schema=schema, config=config, base=base, unit=unit)

    @property
    def tables(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Without and with the unit."""
        return self.base, pd.concat([self.base, self.unit], ignore_index=True)


# White box: all noisy counts


def white_box(
    worlds: Worlds, variant: Variant, *, runs: int, alpha: float, on_run: OnRun
) -> list[Finding]:
    """Tells the worlds apart by all noisy counts, and tests the noise in them.

    The score is the log likelihood ratio, the threshold 0. For counts c or c + d with noise of
    variance v, noisy counts y add (d (y - c) - d^2 / 2) / v to it; questions depend on answers
    before them alone, so they add nothing. That is exact: for the discrete Gaussian, too.

    Claimed is mu = sqrt(2 rho) for the rho that epsilon and delta allow for (Bun and Steinke
    2016): what Gaussian noise of that price has.
    """
    noise = drawn(Pool(variant.noise(SEED)))
    scores: list[list[float]] = [[], []]
    draws: dict[float, list[Ints]] = {}
    with cheap():
        for _ in range(runs):
            for world, table in enumerate(worlds.tables):
                _, watched = learn(table, worlds.schema, worlds.config, variant, noise, worlds.unit)
                scores[world].append(sum(_ratio(asked, world) for asked in watched.asked))
                for asked in watched.asked:
                    draws.setdefault(float(asked.event.variance), []).append(
                        asked.answer - asked.counts
                    )
            on_run()
    joined = {variance: np.concatenate(found) for variance, found in draws.items()}
    return [_told_apart(scores, worlds.config, variant, alpha), _law(joined, variant, alpha)]


def _ratio(asked: Asked, world: int) -> float:
    """What one answer adds to the log likelihood ratio."""
    assert asked.shift is not None, "the unit's own counts were asked for"
    without = asked.counts - (asked.shift if world else 0)
    score = asked.shift * (asked.answer - without) - asked.shift**2 / 2
    return float(score.sum() / float(asked.event.variance))


def _told_apart(
    scores: list[list[float]], config: PrivacyConfig, variant: Variant, alpha: float
) -> Finding:
    false_alarms, misses = (np.array(scores[0]) > 0).sum(), (np.array(scores[1]) <= 0).sum()
    runs = len(scores[0])
    found = mu_at_least(int(false_alarms), int(misses), runs, alpha)
    near = mu_near(int(false_alarms), int(misses), runs)
    rho = rho_of(config.epsilon, config.delta)
    return Finding(
        check="white box: mu at least",
        variant=variant.name,
        measured=found,
        allowed=math.sqrt(2 * rho),
        detail=(
            f"mu about {near:.2f}; as epsilon at delta {config.delta:g}: at least "
            f"{gaussian_epsilon(found, config.delta):.2f} where {config.epsilon:g} was asked for; "
            f"{runs} runs a world"
        ),
    )


# The law of the noise


def _law(draws: dict[float, Ints], variant: Variant, alpha: float) -> Finding:
    """Whether the noise is the discrete Gaussian that was booked: Pearson's chi-square test.

    A draw is turned into a place in [0, 1) that is even if the law is right.
    """
    rng = np.random.default_rng()
    places = np.concatenate([_places(found, v, rng) for v, found in draws.items()])
    counts = np.bincount((places * _BINS).astype(np.int64).clip(0, _BINS - 1), minlength=_BINS)
    even = len(places) / _BINS
    return Finding(
        check="noise: chi-square of its law",
        variant=variant.name,
        measured=float(((counts - even) ** 2 / even).sum()),
        allowed=float(chi2.isf(alpha, _BINS - 1)),
        detail=f"{len(places):,} draws at {len(draws)} variances, against what was booked",
    )


def _places(draws: Ints, variance: float, rng: np.random.Generator) -> Floats:
    """Even in [0, 1) if ``draws`` have the law that they should: the chance of all below a draw,
    and a random part of its own."""
    reach = int(12 * math.sqrt(variance)) + 10
    mass = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * variance))
    mass /= mass.sum()
    below = np.cumsum(mass) - mass
    at = np.clip(draws, -reach, reach) + reach
    found: Floats = below[at] + rng.random(len(draws)) * mass[at]
    return found


# Black box: what is told


def black_box(
    worlds: Worlds, variant: Variant, *, runs: int, alpha: float, on_run: OnRun
) -> list[Finding]:
    """Tells the worlds apart by what comes of a fit: number of rows, limits, levels, weights,
    and rows drawn from the counts. Training adds nothing that was not in these.

    Each test is a yes or no that was settled beforehand; ``alpha`` is for all together.
    """
    tests = dict(_tests(worlds))
    hits = {name: [0, 0] for name in tests}
    noise = drawn(Pool(variant.noise(SEED)))
    with cheap():
        for _ in range(runs):
            for world, table in enumerate(worlds.tables):
                learned, _ = learn(table, worlds.schema, worlds.config, variant, noise)
                for name, test in tests.items():
                    hits[name][world] += test(learned)
            on_run()
    delta = worlds.config.delta
    bounds = {}
    for name, (without, present) in hits.items():
        # A test that says no where the unit is counts as its opposite.
        both = [(without, runs - present), (runs - without, present)]
        bounds[name] = max(
            epsilon_at_least(*errors, runs, delta=delta, alpha=alpha / len(tests) / 2)
            for errors in both
        )
    best = max(bounds, key=lambda name: bounds[name])
    return [
        Finding(
            check="black box: epsilon at least",
            variant=variant.name,
            measured=bounds[best],
            allowed=worlds.config.epsilon,
            detail=(
                f"most by: {best}: yes in {hits[best][1]} of {runs} fits with the unit, "
                f"{hits[best][0]} without; {len(tests)} tests"
            ),
        )
    ]


Test = Callable[[Learned], bool]


def _tests(worlds: Worlds) -> Iterator[tuple[str, Test]]:
    rows = len(worlds.base)
    yield "the number of rows", lambda learned: learned.summary.rows > rows
    for column in worlds.schema:
        if column.kind.is_numeric:
            yield f"the top of {column.name!r}", _top_is_far(column)
        else:
            yield f"the levels of {column.name!r}", _has_far_level(column)
            yield f"how many levels {column.name!r} has", _has_more_levels(column)
        yield f"the weights of {column.name!r}", _has_weight(column, worlds)
        yield f"rows drawn, {column.name!r}", _is_drawn(column)


def _top_is_far(column: Column) -> Test:
    _, near, far = corners(column)

    def test(learned: Learned) -> bool:
        known = learned.summary.columns[column.name]
        assert isinstance(known, NumberSummary)
        ends = [segment.values[-1] for segment in known.segments]
        return bool(ends) and max(ends) > (near + far) / 2

    return test


def _has_far_level(column: Column) -> Test:
    _, far = levels_of(column)

    def test(learned: Learned) -> bool:
        known = learned.summary.columns[column.name]
        assert isinstance(known, CategorySummary)
        return far in known.levels

    return test


def _has_more_levels(column: Column) -> Test:
    """Whether there are more levels, with the rare ones, than the near rows have."""
    near, _ = levels_of(column)

    def test(learned: Learned) -> bool:
        known = learned.summary.columns[column.name]
        assert isinstance(known, CategorySummary)
        return len(known.levels) + known.rare_levels > len(near)

    return test


def _has_weight(column: Column, worlds: Worlds) -> Test:
    """Whether the unit's own code has more weight than half a row."""
    cells = read_cells(worlds.unit[column.name], column)

    def test(learned: Learned) -> bool:
        codec = learned.encoder.codecs.get(column.name)
        if codec is None:
            return False
        (code,), _ = codec.encode(cells, np.full(len(cells), 0.5))
        return bool(codec.prior[code] * len(worlds.base) > 0.5)

    return test


def _is_drawn(column: Column) -> Test:
    """Whether any row that was drawn lies on the unit's side."""

    def test(learned: Learned) -> bool:
        encoder = learned.encoder
        cells = encoder.decode(learned.tokens, np.random.default_rng(0))[column.name]
        if column.kind.is_numeric:
            _, near, far = corners(column)
            return bool((np.nan_to_num(cells.astype(float), nan=near) > (near + far) / 2).any())
        return bool((cells == levels_of(column)[1]).any())

    return test
