"""Noisy contingency tables to rows: a mixture that agrees with all of them at once.

A fixed codebook of latent vectors goes through a small network to chances of each column's
tokens; given a latent code columns are independent, so the table of any two columns is a mean
over codes of outer products. Training moves these tables towards the measured ones, and stops
where they agree as well as the noise allows: closer would be to learn the noise. Nothing here
sees a row of a private table, so both the fit and rows drawn from it are post-processing.

Relaxed projection (Aydore et al. 2021) and GEM (Liu, Vietri and Wu 2021) fit rows or a network
to noisy counts in the same spirit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synthgan._typing import Ints
from synthgan.network.kernels import linear

_CODES = 1024  # components of the mixture
_NOISE_WIDTH, _WIDTH = 64, 128  # of a latent code, of the network's hidden layers
_STEPS = 1200  # at most
_RATE, _RAMP = 4e-3, 120  # the highest learning rate, steps until it is reached
_ANNEAL = 60  # steps over which the rate falls to nothing once the tables agree
_CHECK_EVERY = 25
_AGREES = 1.0  # mean squared error of cells over their noise's variance: that of the truth
_LEAST_VARIANCE = 40.0  # of a count, lest exact counts of empty cells outweigh all others
_BLOCK = 512  # tokens whose tables are compared in one step: bounds time and memory
_CHECKED_BLOCKS = 8
_CHUNK = 65_536  # rows drawn at once


@dataclass(frozen=True, kw_only=True)
class Table:
    """Noisy counts of rows, by the tokens of one column or of two."""

    columns: tuple[int, ...]
    """Which columns: one, or two different ones."""
    counts: Ints
    """A count for each token, or each pair of tokens in the order of ``columns``; flat or not."""
    sigma: float
    """Standard deviation of the noise in each count."""

    def __post_init__(self) -> None:
        if len(self.columns) not in (1, 2) or len(set(self.columns)) != len(self.columns):
            raise ValueError("a table is of one column or of two different ones")
        if not 0 <= self.sigma < math.inf:
            raise ValueError("sigma must be finite, not negative")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where the fit is, every few steps."""

    step: int
    of: int
    """Steps at most; most fits stop before."""
    error: float
    """Mean squared error of the cells of two columns, over their noise's variance: about 1
    for the truth, below it for tables that have learned some of the noise."""


OnStep = Callable[[Progress], None]


class Mixture:
    """Chances of each column's tokens given a latent code: made to draw rows."""

    def __init__(self, columns: Sequence[Tensor], *, n_hat: float, error: float) -> None:
        self.columns = tuple(columns)
        """For each column, chances (codes, tokens)."""
        self.n_hat = n_hat
        """Estimated number of rows behind the tables, at least 1."""
        self.error = error
        """See :class:`Progress`; NaN where columns are independent for want of tables."""

    def rows(self, n: int, rng: torch.Generator) -> Ints:
        """``n`` rows of tokens (n, columns).

        All codes are used equally often, but for the remainder: less chance than in
        independent draws, and the same distribution of each row.
        """
        drawn = torch.zeros((n, len(self.columns)), dtype=torch.int64)
        which = _spread(n, len(self.columns[0]) if self.columns else 1, rng)
        for column, chances in enumerate(self.columns):
            mass = chances.cumsum(dim=1)
            for part in torch.split(torch.arange(n), _CHUNK):
                own = mass[which[part]]
                uniform = torch.rand((len(part), 1), generator=rng, dtype=own.dtype)
                # Below 1, so that the draw falls before the last token that has any chance.
                target = uniform.clamp(max=1 - 1e-9) * own[:, -1:]
                token = torch.searchsorted(own, target, right=True).squeeze(1)
                drawn[part, column] = token.clamp(max=chances.shape[1] - 1)
        return drawn.numpy()


def _spread(n: int, codes: int, rng: torch.Generator) -> Tensor:
    """``n`` codes in random order, each as often as any other or once more."""
    rounds = [torch.randperm(codes, generator=rng) for _ in range(-(-n // codes))]
    which = torch.cat([*rounds, torch.zeros(0, dtype=torch.int64)])[:n]
    return which[torch.randperm(n, generator=rng)]


def fit_mixture(
    tables: Sequence[Table],
    widths: Sequence[int],
    rng: torch.Generator,
    *,
    device: torch.device,
    on_step: OnStep | None = None,
) -> Mixture:
    """The mixture that agrees with ``tables``; ``widths`` are the columns' numbers of tokens.

    Pairs of columns may lack a table. ``rng`` (of the CPU) makes the codebook and the weights,
    and chooses which tables a step looks at where there are too many for one. Raises
    ValueError for a table that does not fit ``widths``.
    """
    goal = _Goal.of(tables, widths, device)
    if not goal.pairs or goal.rows <= 1:
        alone = [share.double().unsqueeze(0) for share in goal.start]
        return Mixture(alone, n_hat=goal.rows, error=math.nan)
    network = _Network(goal, rng).to(device)
    error = _train(network, goal, rng, on_step)
    with torch.no_grad():
        # Column by column, so that memory stays small on wide tables.
        columns = [network(goal.entries([c]), [c]).cpu().double() for c in range(len(widths))]
    return Mixture(columns, n_hat=goal.rows, error=error)


def count_rows(tables: Sequence[Table]) -> float:
    """How many rows ``tables`` tell of, at least 1: the mean of their totals by precision."""
    if not tables:
        return 1.0
    totals = np.array([float(table.counts.sum()) for table in tables])
    variances = np.array([table.counts.size * max(table.sigma, 1e-3) ** 2 for table in tables])
    return max(float(totals @ (1 / variances) / (1 / variances).sum()), 1.0)


@dataclass(frozen=True)
class _Measured:
    """Shares of rows in some cells, as they were measured."""

    share: Tensor
    variance: Tensor
    """Of the noise in each share; infinite where nothing was measured."""

    @staticmethod
    def nothing(*shape: int, device: torch.device) -> _Measured:
        infinite = torch.full(shape, torch.inf, device=device)
        return _Measured(torch.zeros(shape, device=device), infinite)

    @staticmethod
    def mean(
        tables: Sequence[Table], shape: Sequence[int], rows: float, device: torch.device
    ) -> _Measured:
        """Of several measurements of the same columns, in ascending order, by precision."""
        total, precision = np.zeros(shape), 0.0
        for table in tables:
            counts = table.counts.astype(np.float64)
            if table.columns == tuple(sorted(table.columns)):
                counts = counts.reshape(shape)
            else:
                counts = counts.reshape(shape[::-1]).T
            weight = 1 / max(table.sigma, 1e-3) ** 2
            total += weight * counts
            precision += weight
        share = torch.from_numpy(total / precision / rows).float().to(device)
        return _Measured(share, torch.full_like(share, 1 / precision / rows**2))

    def put(self, where: tuple[slice, ...], other: _Measured) -> None:
        self.share[where], self.variance[where] = other.share, other.variance

    def weight(self, rows: float) -> Tensor:
        """Precision of each share as one of the rows' source: noise and chance together."""
        noise = self.variance.clamp(min=_LEAST_VARIANCE / rows**2)
        return 1 / (noise + self.share.clamp(min=0) / rows)


@dataclass(frozen=True)
class _Goal:
    """All that was measured, on the device."""

    widths: tuple[int, ...]
    rows: float
    single: dict[int, _Measured]
    pairs: dict[tuple[int, int], _Measured]
    device: torch.device

    @staticmethod
    def of(tables: Sequence[Table], widths: Sequence[int], device: torch.device) -> _Goal:
        rows = count_rows(tables)
        same: dict[tuple[int, ...], list[Table]] = {}
        for table in tables:
            same.setdefault(tuple(sorted(table.columns)), []).append(table)
        found = {
            columns: _Measured.mean(each, [widths[c] for c in columns], rows, device)
            for columns, each in same.items()
        }
        single = {columns[0]: each for columns, each in found.items() if len(columns) == 1}
        pairs = {(c[0], c[-1]): each for c, each in found.items() if len(c) == 2}
        return _Goal(tuple(widths), rows, single, pairs, device)

    @property
    def start(self) -> list[Tensor]:
        """For each column, its tokens' shares by its own table, or else by those it is in."""
        found = []
        for column, width in enumerate(self.widths):
            share = torch.zeros(width)
            if column in self.single:
                share = self.single[column].share.cpu()
            else:
                for pair, table in self.pairs.items():
                    if column in pair:
                        share = share + table.share.sum(dim=1 - pair.index(column)).cpu()
            share = share.clamp(min=0)
            found.append(share / share.sum() if share.sum() > 0 else share + 1 / width)
        return found

    @property
    def linked(self) -> Tensor:
        """Which columns (C, C) have a table in common, as 0 or 1."""
        found = torch.zeros(len(self.widths), len(self.widths))
        for a, b in self.pairs:
            found[a, b] = found[b, a] = 1
        return found

    def entries(self, columns: Sequence[int]) -> Tensor:
        """Numbers of the tokens of ``columns`` among those of all columns."""
        starts = np.cumsum((0, *self.widths))
        parts = [torch.arange(int(starts[c]), int(starts[c + 1])) for c in columns]
        return torch.cat(parts).to(self.device)

    def block(self, columns: Sequence[int]) -> _Block:
        """What was measured of ``columns``, which must ascend."""
        at = np.cumsum([0, *[self.widths[c] for c in columns]]).tolist()
        own = {c: slice(at[i], at[i + 1]) for i, c in enumerate(columns)}
        single = _Measured.nothing(at[-1], device=self.device)
        pairs = _Measured.nothing(at[-1], at[-1], device=self.device)
        for i, a in enumerate(columns):
            if a in self.single:
                single.put((own[a],), self.single[a])
            for b in columns[i + 1 :]:
                if (a, b) in self.pairs:
                    pairs.put((own[a], own[b]), self.pairs[a, b])
        weights = single.weight(self.rows), pairs.weight(self.rows)
        scale = 4 * at[-1] / float(weights[0].sum() + weights[1].sum())
        scaled = weights[0] * scale, weights[1] * scale
        return _Block(list(columns), self.entries(columns), single, pairs, scaled)


@dataclass(frozen=True)
class _Block:
    """Columns whose tables are compared with the mixture's in one step."""

    columns: list[int]
    entries: Tensor
    single: _Measured
    pairs: _Measured
    weights: tuple[Tensor, Tensor]

    def loss(self, chances: Tensor) -> Tensor:
        """How far off ``chances`` (codes, entries) are: squared errors of shares, weighted."""
        alone = (chances.mean(dim=0) - self.single.share).square() * self.weights[0]
        paired = (_tables(chances) - self.pairs.share).square() * self.weights[1]
        return alone.sum() + paired.sum()

    def squares(self, chances: Tensor) -> tuple[float, int]:
        """Sum of squared errors over the noise's variance, and of how many cells."""
        squares = (_tables(chances) - self.pairs.share).square() / self.pairs.variance
        return float(squares.sum()), int(torch.isfinite(self.pairs.variance).sum())


def _tables(chances: Tensor) -> Tensor:
    """Shares of rows by the tokens of any two columns: (entries, entries)."""
    return chances.T @ chances / len(chances)


class _Blocks:
    """What each step looks at: all columns, or as many as :data:`_BLOCK` lets through."""

    def __init__(self, goal: _Goal, rng: torch.Generator) -> None:
        self._goal, self._rng, self._linked = goal, rng, goal.linked
        fits = sum(goal.widths) <= _BLOCK
        self._all = goal.block(range(len(goal.widths))) if fits else None

    def next(self) -> _Block:
        return self._all or self._goal.block(self._choose())

    def some(self) -> list[_Block]:
        """Enough to judge by."""
        return [self._all] if self._all else [self.next() for _ in range(_CHECKED_BLOCKS)]

    def _choose(self) -> list[int]:
        """Two columns that share a table, then more that share some with those before."""
        weight = self._linked.sum(dim=1)
        chosen: list[int] = []
        size = 0
        while float(weight.sum()) > 0:
            column = int(torch.multinomial(weight, 1, generator=self._rng))
            size += self._goal.widths[column]
            if len(chosen) >= 2 and size > _BLOCK:
                break
            chosen.append(column)
            weight = self._linked[chosen].sum(dim=0)
            weight[chosen] = 0
        return sorted(chosen)


class _Network(nn.Module):
    """A fixed codebook, and what turns its codes into chances of tokens."""

    def __init__(self, goal: _Goal, rng: torch.Generator) -> None:
        super().__init__()
        start = torch.cat(goal.start)
        owner = torch.repeat_interleave(torch.tensor(goal.widths))
        self.codebook: Tensor
        self.segments: Tensor
        self.register_buffer("codebook", torch.randn((_CODES, _NOISE_WIDTH), generator=rng))
        self.register_buffer("segments", F.one_hot(owner, len(goal.widths)).float())
        self.first = linear(_NOISE_WIDTH, _WIDTH, rng)
        self.second = linear(_WIDTH + _NOISE_WIDTH, _WIDTH, rng)
        self.last = linear(2 * _WIDTH + _NOISE_WIDTH, len(start), rng, scale=0.3)
        # The batch is always the whole codebook, so its statistics are no estimates.
        self.norms = nn.ModuleList(
            nn.BatchNorm1d(_WIDTH, track_running_stats=False) for _ in range(2)
        )
        with torch.no_grad():
            self.last.bias.copy_(start.clamp(min=1e-4).log())

    def forward(self, entries: Tensor, columns: Sequence[int]) -> Tensor:
        """Chances (codes, entries) of the tokens of ``columns``."""
        z = self.codebook
        one = F.relu(self.norms[0](self.first(z)))
        two = F.relu(self.norms[1](self.second(torch.cat((one, z), dim=1))))
        weight, bias = self.last.weight[entries], self.last.bias[entries]
        logits = F.linear(torch.cat((two, one, z), dim=1), weight, bias)
        chances = torch.exp(logits.clamp(-30, 30))
        segments = self.segments[entries][:, columns]  # the product sums up each column's
        return chances / ((chances @ segments) @ segments.T)


def _train(network: _Network, goal: _Goal, rng: torch.Generator, on_step: OnStep | None) -> float:
    """Trains until the tables agree, or steps run out; returns the error that is left."""
    blocks = _Blocks(goal, rng)
    optimizer = torch.optim.Adam(network.parameters(), betas=(0.9, 0.99))
    end = _STEPS
    for step in range(1, _STEPS + 1):
        for group in optimizer.param_groups:
            group["lr"] = _rate(step, end)
        block = blocks.next()
        loss = block.loss(network(block.entries, block.columns))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        if step >= end:
            break
        if step % _CHECK_EVERY == 0:
            error = _error(network, blocks)
            if on_step is not None:
                on_step(Progress(step=step, of=_STEPS, error=error))
            if error < _AGREES:
                end = min(end, step + _ANNEAL)
    return _error(network, blocks)


@torch.no_grad()
def _error(network: _Network, blocks: _Blocks) -> float:
    """See :class:`Progress`."""
    found = [block.squares(network(block.entries, block.columns)) for block in blocks.some()]
    squares, cells = map(sum, zip(*found, strict=True))
    return squares / max(cells, 1)


def _rate(step: int, end: int) -> float:
    """Linear rise, cosine down to nothing; a steeper fall before an early ``end``."""
    rise = min(1.0, step / _RAMP)
    fall = 0.5 * (1 + math.cos(math.pi * step / (_STEPS + 1)))
    early = min(1.0, (end + 1 - step) / _ANNEAL) if end < _STEPS else 1.0
    return _RATE * rise * fall * early
