"""The noise follows the law that the proofs assume, exactly, and comes from the system alone."""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from synthgan.privacy import noise
from synthgan.privacy.noise import (
    add_noise,
    discrete_gaussian,
    random_words,
    tail_bound,
    tail_limit,
    variance_for,
)


def stream(seed: int) -> Callable[[int], bytes]:
    """A source that gives the same bytes every time, for tests alone."""
    return np.random.default_rng(seed).bytes


def law(variance: Fraction, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Values from -most to most and their probabilities."""
    x = np.arange(-most, most + 1)
    weights = np.exp(-(x**2) / (2 * float(variance)))
    return x, weights / weights.sum()


@pytest.mark.parametrize(
    "variance", [Fraction(1, 7), Fraction(1), Fraction(9, 4), Fraction(688173, 256)]
)
def test_draws_follow_the_discrete_gaussian(variance: Fraction) -> None:
    size = 100_000
    drawn = discrete_gaussian(variance, size, stream(1))
    x, chances = law(variance, 12 * math.isqrt(int(variance)) + 12)
    assert np.isin(drawn, x).all()
    observed = np.bincount(drawn + x[-1], minlength=len(x)).astype(float)
    group = np.cumsum(chances * size) // 50  # cells of about 50 expected draws at least
    pairs = [(observed[group == g].sum(), size * chances[group == g].sum()) for g in set(group)]
    kept = [(o, e) for o, e in pairs if e >= 5]
    left = size - sum(e for _, e in kept), size - sum(o for o, _ in kept)
    if left[0] > 1:
        kept.append((left[1], left[0]))
    statistic = sum((o - e) ** 2 / e for o, e in kept)
    assert stats.chi2.sf(statistic, len(kept) - 1) > 1e-6


def test_large_variances_take_exact_integers_too() -> None:
    sigma = 10**6  # squares of its draws times their denominators are beyond int64
    drawn = discrete_gaussian(Fraction(sigma**2), 400, stream(2)).astype(float)
    assert stats.kstest(drawn / sigma, "norm").pvalue > 1e-6


def test_both_ways_of_calculating_follow_one_law(monkeypatch: pytest.MonkeyPatch) -> None:
    variance = Fraction(25, 2)
    fast = discrete_gaussian(variance, 2000, stream(3))
    monkeypatch.setattr(noise, "_FITS", 1)  # Python's integers for everything
    slow = discrete_gaussian(variance, 2000, stream(4))
    assert stats.ks_2samp(fast, slow).pvalue > 1e-6


def test_noise_is_symmetric_and_has_its_variance() -> None:
    drawn = discrete_gaussian(Fraction(400), 100_000, stream(5))
    assert abs(drawn.mean()) < 5 * 20 / math.sqrt(100_000)
    assert abs(drawn.var() / 400 - 1) < 5 * math.sqrt(2 / 100_000)
    above, below = int((drawn > 0).sum()), int((drawn < 0).sum())
    assert abs(above - below) < 5 * math.sqrt(100_000)


def test_the_same_bytes_give_the_same_noise() -> None:
    draws = [discrete_gaussian(Fraction(30), 50, stream(6)).tolist() for _ in range(2)]
    assert draws[0] == draws[1]


def test_randomness_comes_from_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    for function in (discrete_gaussian, add_noise, random_words):
        assert inspect.signature(function).parameters["source"].default is os.urandom
    state = np.random.default_rng(0)  # a seeded generator elsewhere changes nothing
    draws = []
    for _ in range(2):
        state = np.random.default_rng(0)
        draws.append(discrete_gaussian(Fraction(10**6), 20).tolist())
    assert draws[0] != draws[1]
    assert state.integers(10) >= 0


def test_noise_is_added_to_counts_of_any_shape() -> None:
    noisy = add_noise(np.full((3, 4, 2), 1000), Fraction(1, 100), stream(7))
    assert noisy.dtype == np.int64
    assert (noisy == 1000).all()  # so little noise is none
    assert add_noise(np.zeros(0, dtype=np.int64), Fraction(4)).shape == (0,)


@pytest.mark.parametrize("rho", [Fraction(1, 10**7), Fraction(186, 10**6), Fraction(3, 2)])
@pytest.mark.parametrize("sensitivity", [1, 20])
def test_variances_never_cost_more_than_they_may(rho: Fraction, sensitivity: int) -> None:
    variance = variance_for(rho, sensitivity)
    cost = Fraction(sensitivity**2) / (2 * variance)
    assert rho * Fraction(99_999, 100_000) < cost <= rho
    assert variance.denominator <= 2**20


@pytest.mark.parametrize("variance", [Fraction(1, 4), Fraction(2), Fraction(1538), Fraction(10**5)])
@pytest.mark.parametrize("delta", [1e-3, 1e-7, 1e-12])
def test_tail_limits_hold_and_are_tight(variance: Fraction, delta: float) -> None:
    limit = tail_limit(variance, delta)
    x, chances = law(variance, 12 * math.isqrt(int(variance)) + 40)
    assert chances[x > limit].sum() <= delta
    assert chances[x > limit].sum() <= tail_bound(variance, limit) <= delta
    spare = max(2, math.isqrt(int(variance)) // 10)  # the bound is loose by this much at most
    assert chances[x > limit - spare].sum() > delta


def test_a_tail_is_wide_where_floats_end() -> None:
    assert tail_bound(Fraction(2) ** 1022, 4) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("variance", [Fraction(0), Fraction(-1)])
def test_no_variance_is_refused(variance: Fraction) -> None:
    with pytest.raises(ValueError, match="above 0"):
        discrete_gaussian(variance, 1)
    with pytest.raises(ValueError, match="above 0"):
        variance_for(variance, 1)


@pytest.mark.parametrize("delta", [0.0, 1.0, float("nan")])
def test_delta_of_a_tail_is_a_chance(delta: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        tail_limit(Fraction(2), delta)
