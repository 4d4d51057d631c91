"""The chain generator: (noise, given cells) to rows of tokens."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synthgan.config import NetworkConfig
from synthgan.encode.layout import Layout
from synthgan.network.geometry import Geometry, OrderedTables, own_spread
from synthgan.network.kernels import (
    categorical,
    dropped,
    head_activation,
    linear,
    residual,
    row_states,
)


class Drawable(Protocol):
    """Which tokens may be drawn."""

    def at(self, p: int, tokens: Tensor, given: Tensor) -> Tensor:
        """At position ``p``: (width,), or (B, width), of rows ``tokens`` (B, P) of which the
        positions before ``p`` and those ``given`` (B, P) are known. Some in every row."""


@dataclass(frozen=True)
class GroupLogits:
    """Logits of positions of similar widths."""

    positions: Tensor
    """(n,), ascending."""
    values: Tensor
    """(n, B, width of the widest); minus infinity beyond a position's own tokens."""


@dataclass(frozen=True)
class _Tables:
    """The generator's weights by position, ready for use in one pass."""

    given: tuple[Tensor, ...]
    embedding: tuple[Tensor, ...]
    out: tuple[Tensor, ...]
    out_bias: tuple[Tensor, ...]
    head_in: tuple[Tensor, ...]
    head_bias: tuple[Tensor, ...]
    head_mid: tuple[Tensor, ...]
    head_mid_bias: tuple[Tensor, ...]


class Generator(nn.Module):
    """The chain: (z, given cells) to rows of tokens."""

    def __init__(self, layout: Layout, config: NetworkConfig, rng: torch.Generator) -> None:
        super().__init__()
        self.layout, self.config = layout, config
        self.geometry = Geometry(layout)
        entries, positions = layout.entries, len(layout.spans)
        width, head = config.width, config.head_width
        self.noise = linear(config.noise_width, width, rng)
        spread = own_spread(layout)
        self.given = nn.Parameter(torch.empty(entries, width).normal_(generator=rng) * spread)
        bound = 1 / math.sqrt(width)
        self.head_in = nn.Parameter(
            torch.empty(positions, width, head).uniform_(-bound, bound, generator=rng)
        )
        self.head_bias = nn.Parameter(torch.zeros(positions, 1, head))
        self.deeper = _Deeper(positions, config, rng) if config.block_width else None
        bound = 0.3 / math.sqrt(head)
        self.out = nn.Parameter(torch.empty(entries, head).uniform_(-bound, bound, generator=rng))
        self.out_bias = nn.Parameter(torch.from_numpy(layout.prior).float().add(1e-5).log())
        self.embedding = nn.Parameter(torch.empty(entries, width).normal_(generator=rng) * spread)
        self.ordered = OrderedTables(layout, (width, width), head, rng)

    @staticmethod
    def least_size(layout: Layout, config: NetworkConfig) -> int:
        """Weights that a generator has at least, known without building one."""
        positions, width, head = len(layout.spans), config.width, config.head_width
        size = positions * width * head + (layout.entries + width) * (width + head)
        size += (config.noise_width + len(layout.columns)) * width
        if config.block_width:
            size += 2 * width * config.block_width + positions * head**2
        return size

    @property
    def device(self) -> torch.device:
        """Where its weights are, and its rows are drawn."""
        return self.out.device

    def tables(self) -> _Tables:
        """The weights by position, once for a pass.

        Taken apart by position here: a slice a position would cost its backward pass a tensor
        of zeros as large as the whole table.
        """
        widths = [span.width for span in self.geometry.spans]
        tables = (*self.ordered(self.given, self.embedding, self.out), self.out_bias)
        heads = [self.head_in, self.head_bias]
        heads += [] if self.deeper is None else [self.deeper.head_mid, self.deeper.head_mid_bias]
        by_head = [head.unbind(0) for head in heads] + [()] * (4 - len(heads))
        return _Tables(*(torch.split(table, widths) for table in tables), *by_head)

    def start(self, z: Tensor, tokens: Tensor, mask: Tensor, tables: _Tables) -> Tensor:
        """The row state before the first position: (B, Z), (B, P), (B, C) to (B, W).

        ``mask`` is 1 for the columns whose cells in ``tokens`` are given.
        """
        g = self.geometry
        given = mask[:, g.column_of] * g.applies(tokens)
        cells = F.embedding_bag(
            tokens + g.starts, torch.cat(tables.given), mode="sum", per_sample_weights=given
        )
        state: Tensor = self.noise(z) + cells
        return state

    def logits(
        self, z: Tensor, tokens: Tensor, mask: Tensor, rng: torch.Generator | None
    ) -> list[GroupLogits]:
        """Teacher forced: for each position, logits given the tokens before it.

        ``rng`` draws the heads' dropout; None switches it off.
        """
        g = self.geometry
        given, embedding, out = self.ordered(self.given, self.embedding, self.out)
        nothing = g.entries  # a row of zeros, for cells that mean nothing or are not given
        entries = torch.where(g.applies(tokens) > 0, tokens + g.starts, nothing).T
        ahead = torch.where(mask[:, g.column_of].T > 0, entries, nothing)
        states = row_states(
            self.noise(z),
            F.embedding(entries, F.pad(embedding, (0, 0, 0, 1)), padding_idx=nothing),
            F.embedding(ahead, F.pad(given, (0, 0, 0, 1)), padding_idx=nothing),
        )
        hidden = self._hidden(states, rng)
        found = []
        for group in g.groups:
            weight = F.embedding(group.entries, out)
            bias = self.out_bias[group.entries].masked_fill(group.beyond, -torch.inf)
            heads = hidden[group.positions] if len(g.groups) > 1 else hidden
            logits = torch.baddbmm(bias.unsqueeze(1), heads, weight.mT)
            found.append(GroupLogits(group.positions, logits))
        return found

    def _hidden(self, states: Tensor, rng: torch.Generator | None) -> Tensor:
        """What the heads make of all row states: (P, B, W) to (P, B, H). ``rng`` as above."""
        share, rows, device = self.config.head_dropout, states.shape[:2], states.device
        if self.deeper is not None:
            width = self.config.block_width
            states = self.deeper.mixed(states, dropped((*rows, width), share, rng, device))
        kept = dropped((*rows, self.config.head_width), share, rng, device)
        hidden = head_activation(states, self.head_in, self.head_bias, kept)
        return hidden if self.deeper is None else self.deeper.second(hidden)

    def head(self, p: int, state: Tensor, tables: _Tables) -> Tensor:
        """One position's head: row state (B, W) to logits (B, width)."""
        if self.deeper is not None:
            state = self.deeper.mixed(state)
        weight, bias = tables.head_in[p].unsqueeze(0), tables.head_bias[p].unsqueeze(0)
        hidden = head_activation(state.unsqueeze(0), weight, bias, None).squeeze(0)
        if self.deeper is not None:
            before = torch.addmm(tables.head_mid_bias[p], hidden, tables.head_mid[p])
            hidden = F.silu(before).add_(hidden)
        return F.linear(hidden, tables.out[p], tables.out_bias[p])

    @torch.no_grad()
    def draw(
        self,
        z: Tensor,
        tokens: Tensor,
        mask: Tensor,
        rng: torch.Generator,
        *,
        drawable: Drawable | None = None,
        candidates: int = 1,
    ) -> Tensor:
        """Fills in the cells of ``tokens`` (B, P) that ``mask`` (B, C) does not give.

        Only what is ``drawable`` is drawn; None lets all through.
        Of several ``candidates`` for a row, one is chosen by its weight, see :class:`Chain`,
        as soon as no given cell is ahead.
        """
        chain, behind = self._candidates(z, tokens, mask, rng, drawable, candidates)
        if behind:
            chain.choose(candidates, rng)
        for p in range(behind, len(self.geometry.spans)):
            chain.advance(p, rng)
        return chain.tokens

    @torch.no_grad()
    def effective_share(
        self,
        z: Tensor,
        tokens: Tensor,
        mask: Tensor,
        rng: torch.Generator,
        *,
        drawable: Drawable | None = None,
        candidates: int,
    ) -> float:
        """How much of ``candidates`` counts: their effective sample size (Kong 1992), as a share
        of their number, mean over rows; 1 where no draw looks ahead. Arguments as in :meth:`draw`.
        """
        chain, behind = self._candidates(z, tokens, mask, rng, drawable, candidates)
        if not behind:
            return 1.0
        size = 1 / chain.weights(candidates).square().sum(dim=1)
        return float(size.mean()) / candidates

    def _candidates(
        self,
        z: Tensor,
        tokens: Tensor,
        mask: Tensor,
        rng: torch.Generator,
        drawable: Drawable | None,
        candidates: int,
    ) -> tuple[Chain, int]:
        """Weighted candidates after the last draw that looks ahead, and which position is next.

        If there is no such draw, or a single candidate, the rows themselves, and 0.
        """
        behind = self._last_given(mask) + 1 if candidates > 1 else 0
        if not behind:
            return Chain(self, z, tokens, mask, drawable), 0
        z, tokens, mask = (each.repeat_interleave(candidates, 0) for each in (z, tokens, mask))
        chain = Chain(self, z, tokens, mask, drawable, weigh=True)
        for p in range(behind):
            chain.advance(p, rng)
        return chain, behind

    def _last_given(self, mask: Tensor) -> int:
        """The last position that is given in any row and has one before it that is not; or -1."""
        given = (mask[:, self.geometry.column_of] > 0).cpu()
        after = (~given).cumsum(dim=1) > 0
        places = torch.nonzero((given & after).any(dim=0))
        return int(places.max()) if len(places) else -1

    def relaxed(
        self, z: Tensor, tokens: Tensor, mask: Tensor, rng: torch.Generator, tau: float
    ) -> Tensor:
        """One-hot rows (B, E) with straight-through gradients; given cells as they are."""
        g, tables = self.geometry, self.tables()
        state = self.start(z, tokens, mask, tables)
        given = mask[:, g.column_of] > 0
        onehots: list[Tensor] = []
        for p, span in enumerate(g.spans):
            logits = self.head(p, state, tables)
            uniform = torch.rand(logits.shape, generator=rng, device=logits.device)
            gumbel = -torch.log(-torch.log(uniform.clamp(1e-9, 1 - 1e-7)))
            soft = F.softmax((logits + gumbel) / tau, dim=1)
            hard = torch.where(given[:, p], tokens[:, p], soft.argmax(dim=1))
            free = (~given[:, p]).unsqueeze(1).to(soft.dtype)
            onehot = F.one_hot(hard, span.width).to(soft.dtype) + (soft - soft.detach()) * free
            ahead = F.embedding(tokens[:, p], tables.given[p])
            step = onehot @ tables.embedding[p] - given[:, p : p + 1] * ahead
            if span.role == "fine":
                step = step * (onehots[-1] @ g.is_bin[g.entries_of(p - 1)]).unsqueeze(1)
            state = state + step
            onehots.append(onehot)
        return torch.cat(onehots, dim=1)


class _Deeper(nn.Module):
    """Second layers: a residual block for all row states, and one more layer in each head.

    A state is a sum of what its cells say one by one. The block, shared by all positions, is
    where they meet: what it learns of a pair of cells serves every column that comes later.
    """

    def __init__(self, positions: int, config: NetworkConfig, rng: torch.Generator) -> None:
        super().__init__()
        width, block, head = config.width, config.block_width, config.head_width

        def uniform(*shape: int) -> nn.Parameter:
            bound = 1 / math.sqrt(shape[-2])
            return nn.Parameter(torch.empty(shape).uniform_(-bound, bound, generator=rng))

        self.block_in, self.block_out = uniform(width, block), uniform(block, width)
        self.block_bias = nn.Parameter(torch.zeros(block))
        self.head_mid = uniform(positions, head, head)
        self.head_mid_bias = nn.Parameter(torch.zeros(positions, 1, head))

    def mixed(self, states: Tensor, kept: Tensor | None = None) -> Tensor:
        """Row states (..., W) after the block; ``kept`` (..., S) are the factors of dropout."""
        return residual(states, self.block_in, self.block_bias, self.block_out, kept)

    def second(self, hidden: Tensor) -> Tensor:
        """Hidden layers (P, B, H) of all heads after one more."""
        before = torch.baddbmm(self.head_mid_bias, hidden, self.head_mid)
        return F.silu(before).add_(hidden)


class Chain:
    """Rows on their way through the generator, position by position, without gradients.

    A draw that looks ahead to a given cell comes from what the network has learned of columns
    against their order, which is less exact than the chain in its own order. With ``weigh``,
    ``log_weight`` (B,) is the logarithm of how much likelier a row is in the chain that was given
    nothing (given cells counted) than it was to be drawn: an importance weight, up to a
    factor that all candidates for a row share.
    """

    def __init__(
        self,
        generator: Generator,
        z: Tensor,
        tokens: Tensor,
        mask: Tensor,
        drawable: Drawable | None = None,
        *,
        weigh: bool = False,
    ) -> None:
        self._generator, self._drawable = generator, drawable
        self._tables = generator.tables()
        self._given = mask[:, generator.geometry.column_of] > 0
        # Asked of a CPU alone: a GPU would have to stop for it.
        self._is_free = mask.device.type == "cpu" and not bool(mask.any())
        self._state = generator.start(z, tokens, mask, self._tables)
        self._blind = generator.noise(z) if weigh else None  # the state if nothing were given
        self.log_weight = z.new_zeros(len(z))
        self.tokens = tokens.clone()

    def logits(self, p: int) -> Tensor:
        """Logits (B, width) of position ``p``, which must be the next one."""
        logits = self._generator.head(p, self._state, self._tables)
        if self._drawable is None:
            return logits
        drawable = self._drawable.at(p, self.tokens, self._given)
        return logits.masked_fill(~drawable, -torch.inf)

    def advance(self, p: int, rng: torch.Generator) -> None:
        """Draws position ``p`` where it is not given, and goes on to the next."""
        logits, given = self.logits(p), self._given[:, p]
        token = torch.where(given, self.tokens[:, p], categorical(logits, rng))
        self.tokens[:, p] = token
        g = self._generator.geometry
        step = F.embedding(token, self._tables.embedding[p])
        if self._is_free and self._blind is None:  # the same, in a third of the time
            if g.spans[p].role == "fine":
                step *= g.is_bin[self.tokens[:, p - 1] + g.spans[p - 1].start].unsqueeze(1)
            self._state += step
            return
        ahead = F.embedding(token, self._tables.given[p]) * given.unsqueeze(1)
        if g.spans[p].role == "fine":
            gate = g.is_bin[self.tokens[:, p - 1] + g.spans[p - 1].start]
            step, ahead = step * gate.unsqueeze(1), ahead * gate.unsqueeze(1)
        else:
            gate = torch.ones_like(self.log_weight)
        if self._blind is not None:
            blind = self._generator.head(p, self._blind, self._tables)
            gain = _log_chance(blind, token)
            gain -= torch.where(given, 0.0, _log_chance(logits, token))
            self.log_weight += torch.where(gate > 0, gain, 0.0)
            self._blind = self._blind + step
        self._state = self._state + step - ahead

    def weights(self, candidates: int) -> Tensor:
        """Of each ``candidates`` rows in turn, the weights that sum to 1: (B / n, n)."""
        return self.log_weight.view(-1, candidates).softmax(dim=1)

    def choose(self, candidates: int, rng: torch.Generator) -> None:
        """Keeps one of each ``candidates`` rows in turn, by weight; ends the weighing."""
        weights = self.weights(candidates)
        chosen = torch.multinomial(weights, 1, generator=rng).squeeze(1)
        index = chosen + candidates * torch.arange(len(weights), device=chosen.device)
        self.tokens, self._state = self.tokens[index], self._state[index]
        self._given, self.log_weight = self._given[index], self.log_weight[index]
        self._blind = None


def _log_chance(logits: Tensor, token: Tensor) -> Tensor:
    """Log probability (B,) of ``token`` (B,) under ``logits`` (B, width)."""
    chosen: Tensor = logits.gather(1, token.unsqueeze(1)).squeeze(1)
    return chosen - logits.logsumexp(dim=1)
