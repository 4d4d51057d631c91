"""The chain generator: (noise, given cells) to rows of tokens."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synthgan.config import NetworkConfig
from synthgan.encode import Layout
from synthgan.network.geometry import Geometry, OrderedTables
from synthgan.network.kernels import (
    categorical,
    head_activation,
    inverse_rms,
    linear,
    prefix_sum,
    random_mask,
)


@dataclass(frozen=True)
class _Tables:
    """The generator's tables of entries, ready for use in one pass."""

    given: Tensor
    embedding: tuple[Tensor, ...]
    out: tuple[Tensor, ...]
    out_bias: tuple[Tensor, ...]


class Generator(nn.Module):
    """The chain: (z, given cells) to rows of tokens."""

    def __init__(self, layout: Layout, config: NetworkConfig, rng: torch.Generator) -> None:
        super().__init__()
        self.layout, self.config = layout, config
        self.geometry = Geometry(layout)
        entries, positions, columns = layout.entries, len(layout.spans), len(layout.columns)
        width, head = config.width, config.head_width
        self.noise = linear(config.noise_width, width, rng)
        self.given = nn.Parameter(torch.empty(entries, width).normal_(0, 1.0, generator=rng))
        self.given_mask = linear(max(columns, 1), width, rng)
        self.trunk_in = linear(width, width, rng)
        self.trunk_out = linear(width, width, rng, scale=0.3)
        bound = 1 / math.sqrt(width)
        self.head_in = nn.Parameter(
            torch.empty(positions, width, head).uniform_(-bound, bound, generator=rng)
        )
        self.head_bias = nn.Parameter(torch.zeros(positions, 1, head))
        bound = 0.3 / math.sqrt(head)
        self.out = nn.Parameter(torch.empty(entries, head).uniform_(-bound, bound, generator=rng))
        self.out_bias = nn.Parameter(torch.from_numpy(layout.prior).float().add(1e-5).log())
        self.embedding = nn.Parameter(torch.empty(entries, width).normal_(0, 0.3, generator=rng))
        self.ordered = OrderedTables(layout, (width, width, head), rng)

    def tables(self) -> _Tables:
        """The tables of entries, once for a pass.

        Taken apart by position here: a slice a position would cost its backward pass a tensor
        of zeros as large as the whole table.
        """
        widths = [span.width for span in self.geometry.spans]
        given, embedding, out = self.ordered(self.given, self.embedding, self.out)
        parts = (torch.split(table, widths) for table in (embedding, out, self.out_bias))
        return _Tables(given, *parts)

    def trunk(self, z: Tensor, tokens: Tensor, mask: Tensor, tables: _Tables) -> Tensor:
        """The row state before the first position: (B, Z), (B, P), (B, C) to (B, W).

        ``mask`` is 1 for the columns whose cells in ``tokens`` are given.
        """
        g = self.geometry
        given = mask[:, g.column_of] * g.applies(tokens)
        cells = F.embedding_bag(
            tokens + g.starts, tables.given, mode="sum", per_sample_weights=given
        )
        state: Tensor = self.noise(z) + self.given_mask(mask) + cells
        hidden = F.silu(self.trunk_in(state) * inverse_rms(state))
        change: Tensor = self.trunk_out(hidden)
        return state + change

    def logits(
        self, z: Tensor, tokens: Tensor, mask: Tensor, rng: torch.Generator | None
    ) -> list[Tensor]:
        """Teacher forced: for each position, logits (B, width) given the tokens before it.

        ``rng`` draws the heads' dropout; None switches it off.
        """
        tables = self.tables()
        gates = self.geometry.applies(tokens)
        steps = [F.embedding(tokens[:, p], table) for p, table in enumerate(tables.embedding)]
        for p in self.geometry.fine_positions:
            steps[p] = steps[p] * gates[:, p : p + 1]
        states = prefix_sum(self.trunk(z, tokens, mask, tables), steps)
        keep = 1.0 if rng is None else 1 - round(self.config.head_dropout * 256) / 256
        shape = (*states.shape[:2], self.config.head_width)
        kept = None if rng is None or keep == 1 else random_mask(shape, keep, rng, z.device)
        hidden = head_activation(states, self.head_in, self.head_bias, kept)
        heads = zip(hidden.unbind(0), tables.out, tables.out_bias, strict=True)
        return [F.linear(each, weight / keep, bias) for each, weight, bias in heads]

    @torch.no_grad()
    def draw(
        self,
        z: Tensor,
        tokens: Tensor,
        mask: Tensor,
        rng: torch.Generator,
        *,
        drawable: Tensor | None = None,
    ) -> Tensor:
        """Fills in the cells of ``tokens`` (B, P) that ``mask`` (B, C) does not give.

        Of all entries (E), only those that are ``drawable`` are drawn; None lets all through.
        """
        chain = Chain(self, z, tokens, mask, drawable)
        for p in range(len(self.geometry.spans)):
            chain.advance(p, rng)
        return chain.tokens

    def relaxed(
        self, z: Tensor, tokens: Tensor, mask: Tensor, rng: torch.Generator, tau: float
    ) -> Tensor:
        """One-hot rows (B, E) with straight-through gradients; given cells as they are."""
        g, tables = self.geometry, self.tables()
        state = self.trunk(z, tokens, mask, tables)
        given = mask[:, g.column_of] > 0
        onehots: list[Tensor] = []
        heads = self.head_in.unbind(0), self.head_bias.unbind(0), tables.out, tables.out_bias
        for p, (span, *head) in enumerate(zip(g.spans, *heads, strict=True)):
            logits = _head(state, *head)
            uniform = torch.rand(logits.shape, generator=rng, device=logits.device)
            gumbel = -torch.log(-torch.log(uniform.clamp(1e-9, 1 - 1e-7)))
            soft = F.softmax((logits + gumbel) / tau, dim=1)
            hard = torch.where(given[:, p], tokens[:, p], soft.argmax(dim=1))
            free = (~given[:, p]).unsqueeze(1).to(soft.dtype)
            onehot = F.one_hot(hard, span.width).to(soft.dtype) + (soft - soft.detach()) * free
            step = onehot @ tables.embedding[p]
            if span.role == "fine":
                step = step * (onehots[-1] @ g.is_bin[g.entries_of(p - 1)]).unsqueeze(1)
            state = state + step
            onehots.append(onehot)
        return torch.cat(onehots, dim=1)


class Chain:
    """Rows on their way through the generator, position by position, without gradients."""

    def __init__(
        self,
        generator: Generator,
        z: Tensor,
        tokens: Tensor,
        mask: Tensor,
        drawable: Tensor | None = None,
    ) -> None:
        self._generator, self._drawable = generator, drawable
        self._tables = generator.tables()
        self._given = mask[:, generator.geometry.column_of] > 0
        self._state = generator.trunk(z, tokens, mask, self._tables)
        self.tokens = tokens.clone()

    def logits(self, p: int) -> Tensor:
        """Logits (B, width) of position ``p``, which must be the next one."""
        generator, tables = self._generator, self._tables
        head = generator.head_in[p], generator.head_bias[p], tables.out[p], tables.out_bias[p]
        logits = _head(self._state, *head)
        if self._drawable is None:
            return logits
        return logits.masked_fill(~self._drawable[generator.geometry.entries_of(p)], -torch.inf)

    def advance(self, p: int, rng: torch.Generator) -> None:
        """Draws position ``p`` where it is not given, and goes on to the next."""
        token = categorical(self.logits(p), rng)
        token = torch.where(self._given[:, p], self.tokens[:, p], token)
        self.tokens[:, p] = token
        g = self._generator.geometry
        step = F.embedding(token, self._tables.embedding[p])
        if g.spans[p].role == "fine":
            step = step * g.is_bin[self.tokens[:, p - 1] + g.spans[p - 1].start].unsqueeze(1)
        self._state = self._state + step


def _head(state: Tensor, head_in: Tensor, bias: Tensor, out: Tensor, out_bias: Tensor) -> Tensor:
    """One column's head: row state (B, W) to logits (B, width)."""
    hidden = F.silu((state @ head_in) * inverse_rms(state) + bias)
    return F.linear(hidden, out, out_bias)
