"""Exact noise: whole numbers whose law is what the proof says, not a rounded neighbour of it.

The discrete Gaussian N_Z(0, v) has P[x] proportional to exp(-x^2 / 2v) on the integers. It is
sampled as in Canonne, Kamath, Steinke (2020), algorithms 1 to 3: by rejection, where every
accept is a comparison of whole numbers. No floating-point number takes part, so there are no
rounded tails and no gaps for an attack on floats (Mironov 2012) to find.

Randomness comes from the operating system and from nowhere else: a seed would let whoever
knows it take the noise away again. What is *not* hidden is how long a draw takes.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from synthgan._typing import Bools, Ints

Source = Callable[[int], bytes]
"""Gives that many uniformly random bytes. Only tests pass another one than ``os.urandom``."""

_BATCH = 1 << 17  # candidates at a time, for memory
_WORD = 62  # random bits in a word
_FITS = 1 << 61  # products below this are worked out in int64


def add_noise(counts: Ints, variance: Fraction, source: Source = os.urandom) -> Ints:
    """``counts`` (any shape), each with its own discrete Gaussian noise."""
    noise = discrete_gaussian(variance, counts.size, source)
    return counts.astype(np.int64) + noise.reshape(counts.shape)


def discrete_gaussian(variance: Fraction, size: int, source: Source = os.urandom) -> Ints:
    """``size`` independent draws from the discrete Gaussian with parameter ``variance``.

    About a microsecond a draw while ``variance`` is a fraction of small whole numbers (see
    :func:`variance_for`); beyond int64 the same steps run on Python's integers, slowly.

    >>> [abs(int(x)) < 100 for x in discrete_gaussian(Fraction(9, 4), 3)]
    [True, True, True]
    """
    if variance <= 0:
        raise ValueError("variance must be above 0")
    top, bottom = variance.numerator, variance.denominator
    scale = math.isqrt(top // bottom) + 1  # floor(sigma) + 1, of the Laplace proposals
    drawn, done = np.zeros(size, dtype=np.int64), 0
    while done < size:
        wanted = min(size - done, _BATCH)
        candidates = _laplace(scale, wanted + wanted // 2 + 16, source)
        # Accepted with probability exp(-(|y| - v/t)^2 / 2v), written over one denominator.
        step = scale * bottom
        gaps = _exact(np.abs(candidates), step + top) * step - top
        squares = _exact(np.abs(gaps), int(np.abs(gaps).max(initial=1))) ** 2
        accepted = _happens_exp(squares, 2 * top * bottom * scale**2, source)
        found = candidates[accepted][:wanted]
        drawn[done : done + len(found)] = found
        done += len(found)
    return drawn


def variance_for(rho: Fraction, sensitivity: int) -> Fraction:
    """The least variance, on a grid of small fractions, whose noise costs at most ``rho``.

    zCDP: noise of variance v on counts that one unit moves by at most ``sensitivity`` (L2)
    costs sensitivity^2 / 2v. Rounding up wastes a few millionths of it, unless v is far below 1.
    """
    if rho <= 0:
        raise ValueError("rho must be above 0")
    exact = Fraction(sensitivity**2) / (2 * rho)
    whole_bits = (exact.numerator // exact.denominator).bit_length()
    bottom = 1 << min(max(20 - whole_bits, 0), 20)
    return Fraction(math.ceil(exact * bottom), bottom)


def tail_bound(variance: Fraction, limit: int) -> float:
    """An upper bound on P[noise > ``limit``], for ``limit`` at least 0.

    With m = limit + 1: the sum of exp(-x^2 / 2v) over x >= m is at most the geometric series
    exp(-m^2 / 2v) / (1 - exp(-m / v)), as (m + j)^2 >= m^2 + 2 m j; and the sum over all x is
    at least max(1, sqrt(2 pi v)), by Poisson summation. The last factor covers rounding.
    """
    v, m = float(variance), limit + 1
    log_bound = -m * m / (2 * v) - math.log(-math.expm1(-m / v))
    log_bound -= max(0.0, 0.5 * (math.log(2 * math.pi) + math.log(v)))  # the product may overflow
    return math.exp(min(log_bound, 0.0)) * (1 + 1e-9)


def tail_limit(variance: Fraction, delta: float) -> int:
    """The least limit for which :func:`tail_bound` is at most ``delta``."""
    if not 0 < delta < 1:
        raise ValueError("delta must be between 0 and 1")
    high = 1
    while tail_bound(variance, high) > delta:
        high *= 2
    low = -1  # the bound falls with the limit, so halving finds the least one
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if tail_bound(variance, middle) <= delta else (middle, high)
    return high


def random_words(size: int, source: Source = os.urandom) -> Ints:
    """``size`` uniform whole numbers from 0 to 2**62 - 1."""
    words = np.frombuffer(source(8 * size), dtype=np.uint64)
    return (words >> np.uint64(64 - _WORD)).astype(np.int64)


# Below, arrays hold int64 where all products fit, and Python's integers (dtype object) where
# not; the same lines serve both.


def _laplace(scale: int, size: int, source: Source) -> Ints:
    """At most ``size`` draws with P[x] proportional to exp(-|x| / scale)."""
    remainder = _below(np.full(size, scale), source)
    remainder = remainder[_happens_exp_below_one(remainder, scale, source)]
    size = len(remainder)
    quotient, going = np.zeros(size, dtype=np.int64), np.arange(size)
    while len(going):
        going = going[_happens_exp_once(len(going), source)]
        quotient[going] += 1
    found = remainder + scale * quotient
    negative = random_words(size, source) & 1 == 1
    signed = np.where(negative, -found, found)
    kept: Ints = signed[~(negative & (found == 0))]  # zero would count twice
    return kept


def _happens_exp(tops: npt.NDArray[Any], bottom: int, source: Source) -> Bools:
    """For each top: True with probability exp(-top / bottom)."""
    tops = tops if bottom < _FITS else tops.astype(object)
    whole = (tops // bottom).astype(np.int64)
    happens = _happens_exp_below_one(tops % bottom, bottom, source)
    going = np.flatnonzero(happens & (whole > 0))
    while len(going):  # once more for each whole part: exp(-1) each
        held = _happens_exp_once(len(going), source)
        happens[going[~held]] = False
        going = going[held]
        whole[going] -= 1
        going = going[whole[going] > 0]
    return happens


def _happens_exp_once(size: int, source: Source) -> Bools:
    return _happens_exp_below_one(np.ones(size, dtype=np.int64), 1, source)


def _happens_exp_below_one(tops: npt.NDArray[Any], bottom: int, source: Source) -> Bools:
    """The same for top <= bottom: the first k at which a chance of top / (bottom k) fails is
    odd with probability exp(-top / bottom), as the alternating series says."""
    happens, going, k = np.zeros(len(tops), dtype=bool), np.arange(len(tops)), 1
    while len(going):
        held = _below(_exact(np.full(len(going), bottom), k) * k, source) < tops[going]
        happens[going[~held]] = k % 2 == 1
        going, k = going[held], k + 1
    return happens


def _below(bounds: npt.NDArray[Any], source: Source) -> Ints:
    """For each bound, a uniform whole number from 0 to bound - 1."""
    if bounds.dtype == object:
        return np.array([_below_one(int(bound), source) for bound in bounds], dtype=object)
    limits = (1 << _WORD) // bounds * bounds  # beyond, remainders would not be equally likely
    words = random_words(len(bounds), source)
    again = np.flatnonzero(words >= limits)
    while len(again):
        words[again] = random_words(len(again), source)
        again = again[words[again] >= limits[again]]
    found: Ints = words % bounds
    return found


def _below_one(bound: int, source: Source) -> int:
    bits = (bound - 1).bit_length()
    while True:
        drawn = int.from_bytes(source((bits + 7) // 8 or 1), "little") & ((1 << bits) - 1)
        if drawn < bound:
            return drawn


def _exact(values: npt.NDArray[Any], factor: int) -> npt.NDArray[Any]:
    """``values`` in a type in which their product with ``factor`` is exact."""
    largest = int(values.max(initial=1))
    return values if largest * factor < _FITS else values.astype(object)
