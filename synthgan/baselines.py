"""Simple generators, to hold a model against: the same columns, the same tokens, the same judge.

- ``independent``: each column on its own.
- ``markov-chain``: each column given the one before it.
- ``chow-liu``: each column given one other, chosen so that the tree says most of the table
  (Chow & Liu 1968).
- ``copula``: a Gaussian copula, correlations of normal scores (Nelsen 2006, chapter 2).
- ``vae``: a variational autoencoder (Kingma & Welling 2014; on tables Xu et al. 2019).

All learn the tokens of :class:`~synthgan.encode.Encoder`, so that numbers, rare levels and
extremes are protected and written as in any other model here. They hold counts and weights,
never a row, and they are not saved. Conditions and constraints between columns are not theirs.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr, ndtri

from synthgan.autoencoder import Autoencoder, VaeConfig
from synthgan.codec import FINE
from synthgan.config import Config, as_config
from synthgan.constraints import infer_schema
from synthgan.encode import Encoder, Layout
from synthgan.errors import ConfigError
from synthgan.schema import Schema, as_schema
from synthgan.summary import summarize

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BaselineKind = Literal["independent", "markov-chain", "chow-liu", "copula", "vae"]
BASELINES: tuple[BaselineKind, ...] = get_args(BaselineKind)

_PRIOR_ROWS = 1.0  # rows' worth of a column's own shares that are mixed into each conditional
_MOST_ROWS = 20_000  # that mutual information is measured on
_MOST_CELLS = 1_000_000  # of a table of counts; wider pairs are sorted instead


class _Model(Protocol):
    @property
    def size(self) -> int:
        """How many numbers it has learned."""

    def draw(self, n: int, rng: np.random.Generator) -> Ints:
        """Tokens (n, positions)."""


@dataclass(frozen=True, eq=False, repr=False)
class Baseline:
    """A simple generator that has learned a table. Made by :func:`fit_baseline`."""

    kind: BaselineKind
    _encoder: Encoder
    _model: _Model

    def __repr__(self) -> str:
        return f"Baseline({self.kind!r}, {len(self.schema)} columns)"

    @property
    def schema(self) -> Schema:
        """The columns, as they come out."""
        return self._encoder.schema

    @property
    def parameters(self) -> int:
        """How many numbers it has learned: counts, shares, correlations or weights."""
        return self._model.size

    def sample(self, n: int, *, seed: int | None = None) -> pd.DataFrame:
        """``n`` synthetic rows with the columns, order and dtypes of the learned table.

        The same ``seed`` gives the same rows; None draws fresh ones. Raises
        :class:`ConfigError` for an ``n`` that is no number of rows.
        """
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
            raise ConfigError(f"n must be a whole number of rows, at least 1, got {n!r}")
        if seed is not None and not 0 <= seed < 2**63:
            raise ConfigError(f"seed must be 0 to 2**63 - 1, got {seed!r}")
        seed = secrets.randbits(62) if seed is None else seed
        rng = np.random.default_rng(seed)
        cells = self._encoder.decode(self._model.draw(int(n), rng), rng)
        return self._encoder.assemble(
            cells, start=0, rows=int(n), inventor=self._encoder.invent(seed)
        )


def fit_baseline(
    data: pd.DataFrame,
    kind: BaselineKind,
    schema: Schema | str | Path | None = None,
    config: Config | None = None,
    *,
    vae: VaeConfig | None = None,
) -> Baseline:
    """Learns a table with the generator ``kind``.

    ``schema`` and the summary and the seed of ``config`` mean what they mean to
    :func:`synthgan.fit`; ``vae`` has the sizes of the autoencoder.

    Raises :class:`ConfigError` for another kind, or if ``config`` asks for a guarantee, which no
    baseline has; :class:`TableError` or :class:`SchemaError` for a table that cannot be learned.
    """
    config, schema = as_config(config), as_schema(schema, table=data)
    if kind not in BASELINES:
        raise ConfigError(f"kind must be one of {', '.join(BASELINES)}; got {kind!r}")
    if config.privacy is not None:
        raise ConfigError("baselines have no differential privacy; leave privacy out")
    enough = config.summary.min_category_rows
    schema = infer_schema(data, word_rows=enough) if schema is None else schema
    schema.check(data)
    summary = replace(summarize(data, schema, config.summary), gaps=())  # no rule is kept
    encoder = Encoder(schema, summary)
    tokens = encoder.encode(data, np.random.default_rng(config.seed)).astype(np.int64)
    return Baseline(kind, encoder, _learn(kind, tokens, encoder.layout, config.seed, vae))


def _learn(
    kind: BaselineKind, tokens: Ints, layout: Layout, seed: int, vae: VaeConfig | None
) -> _Model:
    if not layout.spans:
        return _Forest.learn(tokens, layout, lambda codes, widths: ((), ()))
    if kind == "copula":
        return _Copula.learn(tokens, layout, np.random.default_rng(seed))
    if kind == "vae":
        return Autoencoder.learn(tokens, layout, vae or VaeConfig(), seed)
    shapes: dict[str, _Shape] = {
        "independent": _no_edges,
        "markov-chain": _chain,
        "chow-liu": _chow_liu,
    }
    return _Forest.learn(tokens, layout, shapes[kind])


# --- trees: each position given one other at most --------------------------------------

_Shape = Callable[[Ints, list[int]], tuple[tuple[int, ...], tuple[int, ...]]]
"""From codes (rows, columns) and their widths: the columns in the order in which they are to be
drawn, and the parent of each column, -1 for none."""


def _no_edges(codes: Ints, widths: list[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(range(len(widths))), (-1,) * len(widths)


def _chain(codes: Ints, widths: list[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(range(len(widths))), tuple(range(-1, len(widths) - 1))


def _chow_liu(codes: Ints, widths: list[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The maximum spanning tree (Prim 1957) of mutual information; a forest where there is none."""
    count = len(widths)
    step = max(len(codes) // _MOST_ROWS, 1)
    shared = np.zeros((count, count))
    for i in range(count):
        for j in range(i):
            some = codes[::step, [i, j]]
            shared[i, j] = shared[j, i] = mutual_information(some, (widths[i], widths[j]))
    order: list[int] = []
    parents, gains = np.full(count, -1), np.zeros(count)
    left = np.ones(count, dtype=bool)
    for _ in range(count):
        i = int(np.argmax(np.where(left, gains, -1.0)))
        left[i] = False
        order.append(i)
        better = left & (shared[i] > gains)
        gains[better], parents[better] = shared[i, better], i
    return tuple(order), tuple(int(each) for each in parents)


def mutual_information(pair: Ints, widths: tuple[int, int]) -> float:
    """Mutual information, in nats, of codes (rows, 2) below ``widths``; 0 at least.

    Corrected for what chance alone would show in so few rows (Miller 1955).
    """
    rows, (one, other) = len(pair), widths
    keys = pair[:, 0] * other + pair[:, 1]
    if one * other <= _MOST_CELLS:
        table = np.bincount(keys, minlength=one * other)
        seen = np.flatnonzero(table)
        counts = table[seen]
    else:
        seen, counts = np.unique(keys, return_counts=True)
    sides = [np.bincount(pair[:, side], minlength=widths[side]) for side in (0, 1)]
    expected = sides[0][seen // other] * (sides[1][seen % other] / rows)
    found = float(counts @ np.log(counts / expected)) / rows
    free = len(seen) - sum(np.count_nonzero(side) for side in sides) + 1
    return max(found - free / (2 * rows), 0.0)


@dataclass(frozen=True, eq=False)
class _Pairs:
    """How often each token of a child came with each token of its parent; only what came."""

    children: Ints
    ends: Ints
    """Rows up to and with each pair, in the order of parents and their children."""
    first: Ints
    """Rows before each parent's pairs (width + 1)."""

    @classmethod
    def count(cls, parent: Ints, child: Ints, widths: tuple[int, int]) -> _Pairs:
        seen, counts = np.unique(parent * widths[1] + child, return_counts=True)
        ends = np.cumsum(counts)
        at = np.searchsorted(seen, np.arange(widths[0] + 1) * widths[1])
        return cls(seen % widths[1], ends, np.r_[0, ends][at])

    def draw(self, parents: Ints, otherwise: Ints, rng: np.random.Generator) -> Ints:
        """Children of ``parents``; ``otherwise`` are draws from the child's own shares."""
        rows = self.first[parents + 1] - self.first[parents]
        place = rng.random(len(parents)) * (rows + _PRIOR_ROWS)
        own = place < rows
        found = otherwise.copy()
        wanted = self.first[parents[own]] + place[own].astype(np.int64)
        found[own] = self.children[np.searchsorted(self.ends, wanted, side="right")]
        return found


@dataclass(frozen=True, eq=False)
class _Forest:
    """P(row) = product over positions of P(token | token of the parent)."""

    order: tuple[int, ...]
    parents: tuple[int, ...]
    shares: tuple[Floats, ...]
    pairs: tuple[_Pairs | None, ...]

    @classmethod
    def learn(cls, tokens: Ints, layout: Layout, shape: _Shape) -> _Forest:
        """A fine position's parent is always its code; ``shape`` gives codes theirs."""
        codes = [p for p, span in enumerate(layout.spans) if span.role == "code"]
        widths = [span.width for span in layout.spans]
        columns, above = shape(tokens[:, codes], [widths[p] for p in codes])
        order, parents = [], [p - 1 for p in range(len(widths))]
        for column in columns:
            parents[codes[column]] = codes[above[column]] if above[column] >= 0 else -1
            own = np.flatnonzero(layout.column_of == column)  # its code, and its fine position
            order += [int(p) for p in own]
        drawable = [layout.drawable[s.start : s.start + s.width] for s in layout.spans]
        pairs: list[_Pairs | None] = []
        for p, parent in enumerate(parents):
            rows = tokens[drawable[p][tokens[:, p]]]
            apart = (rows[:, parent], rows[:, p], (widths[parent], widths[p]))
            pairs.append(None if parent < 0 else _Pairs.count(*apart))
        return cls(tuple(order), tuple(parents), _shares(layout), tuple(pairs))

    @property
    def size(self) -> int:
        return sum(map(len, self.shares)) + sum(len(e.children) for e in self.pairs if e)

    def draw(self, n: int, rng: np.random.Generator) -> Ints:
        tokens = np.zeros((n, len(self.parents)), dtype=np.int64)
        for p in self.order:
            tokens[:, p] = _pick(self.shares[p], rng.random(n))
            pairs = self.pairs[p]
            if pairs is not None:
                tokens[:, p] = pairs.draw(tokens[:, self.parents[p]], tokens[:, p], rng)
        return tokens


def _shares(layout: Layout) -> tuple[Floats, ...]:
    """Of each position's tokens, without those that may not be drawn."""
    found = []
    for span in layout.spans:
        entries = slice(span.start, span.start + span.width)
        shares = layout.prior[entries] * layout.drawable[entries]
        if not shares.sum() > 0:
            shares = layout.drawable[entries].astype(np.float64)
        found.append(shares / shares.sum())
    return tuple(found)


def _pick(shares: Floats, uniform: Floats) -> Ints:
    """For each number in [0, 1), the token whose part of [0, 1) it lies in."""
    at = np.searchsorted(np.cumsum(shares), uniform, side="right")
    return np.asarray(np.minimum(at, np.flatnonzero(shares)[-1]), dtype=np.int64)


# --- copula -----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Copula:
    """Columns as monotone functions of correlated normal numbers.

    A column's cells stand in order of its codes, and of the fine steps within each; categories
    have no order, so theirs is an accident: the copula's known weakness.
    """

    positions: tuple[tuple[int, ...], ...]
    """Of each column: its code and, where it has one, its fine position."""
    shares: tuple[Floats, ...]
    """Of each column's cells that may be drawn."""
    correlation: Floats

    @classmethod
    def learn(cls, tokens: Ints, layout: Layout, rng: np.random.Generator) -> _Copula:
        places, shares, scores = [], [], []
        for column in range(len(layout.columns)):
            own = tuple(int(p) for p in np.flatnonzero(layout.column_of == column))
            span, fine = layout.spans[own[0]], FINE if len(own) > 1 else 1
            cells = tokens[:, own[0]] * fine + (tokens[:, own[1]] if len(own) > 1 else 0)
            counts = np.bincount(cells, minlength=span.width * fine).astype(np.float64)
            before = np.cumsum(counts) - counts
            rank = (before[cells] + counts[cells] * rng.random(len(cells))) / len(cells)
            scores.append(ndtri(np.clip(rank, 1e-9, 1 - 1e-9)))
            entries = slice(span.start, span.start + span.width)
            allowed = counts * np.repeat(layout.drawable[entries], fine)
            allowed = allowed if allowed.sum() > 0 else np.repeat(layout.drawable[entries], fine)
            places.append(own)
            shares.append(allowed / allowed.sum())
        correlation = np.atleast_2d(np.corrcoef(np.stack(scores)))
        return cls(tuple(places), tuple(shares), np.nan_to_num(correlation))

    @property
    def size(self) -> int:
        columns = len(self.positions)
        return sum(map(len, self.shares)) + columns * (columns - 1) // 2

    def draw(self, n: int, rng: np.random.Generator) -> Ints:
        middle = np.zeros(len(self.positions))
        normal = rng.multivariate_normal(middle, self.correlation, n, method="eigh")
        tokens = np.zeros((n, sum(map(len, self.positions))), dtype=np.int64)
        for column, own in enumerate(self.positions):
            cells = _pick(self.shares[column], ndtr(normal[:, column]))
            fine = FINE if len(own) > 1 else 1
            tokens[:, own[0]] = cells // fine
            if len(own) > 1:
                tokens[:, own[1]] = cells % fine
        return tokens
