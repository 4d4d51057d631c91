"""The two networks: a chain generator and the critic. Plain torch modules.

**Generator.** A row state h starts from noise z and the cells that are given; position by
position, in table order, a small head reads h, a token is drawn, and the token's embedding
is added to h. Given cells enter twice: through the trunk, so that every draw is conditioned
on all of them whatever their place in the order, and in their turn, instead of a draw. The
same weights are run in three ways: :meth:`Generator.logits` (teacher forced on real rows, all
positions at once), :meth:`Generator.draw` (tokens, no gradient) and
:meth:`Generator.relaxed` (straight-through Gumbel-softmax, Jang et al. 2017, for the
gradient that comes from the critic).

**Critic.** A perceptron on one-hot codes, within-bin offsets, global ranks and the mask of
given cells; no normalisation, as the gradient penalty needs rows to be judged one by one.

Shapes: B rows, P positions, E one-hot entries, C columns that have positions, W row state.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synthgan.config import NetworkConfig
from synthgan.encode import FINE, Layout

_WAVES = 4  # octaves of sine and cosine of the rank that later positions see
_WIDE = 256  # one-hots wider than this reach the critic through a random projection
_PROJECTED = 32


class _PrefixSum(torch.autograd.Function):
    """Row states before each position: the trunk's state plus the steps of earlier positions.

    (B, W) and P times (B, W) give (P, B, W); the last step leads nowhere and is left out.
    Sums position by position, which a CPU does several times faster than ``torch.cumsum``
    along the first axis.
    """

    @staticmethod
    def forward(state: Tensor, *steps: Tensor) -> Tensor:
        out = state.new_empty((len(steps), *state.shape))
        out[0] = state
        for p in range(1, len(steps)):
            torch.add(out[p - 1], steps[p - 1], out=out[p])
        return out

    @staticmethod
    def setup_context(ctx: object, inputs: object, output: Tensor) -> None:
        return None

    @staticmethod
    def backward(ctx: object, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (grad,) = grads
        total = grad[-1]
        steps: list[Tensor | None] = [None]
        for p in range(len(grad) - 2, -1, -1):
            steps.append(total)
            total = total + grad[p]
        return (total, *reversed(steps))


class _HeadActivation(torch.autograd.Function):
    """``silu((x / rms(x)) @ weight + bias)`` for (P, B, W), (P, W, H), (P, 1, H), with dropout.

    All heads' hidden layers at once, in place where it can be: this is where training spends
    its time. The norm (Zhang & Sennrich 2019; no gain, as the weight has it) is applied after
    the product, to the smaller tensor. ``kept`` is a mask (P, B, H) of zeros and ones, or None.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, kept: Tensor | None
    ) -> Tensor:
        scale = _inverse_rms(x)
        before = torch.bmm(x, weight).mul_(scale).add_(bias)
        ctx.save_for_backward(x, weight, bias, kept, before, scale)
        hidden = F.silu(before)
        return hidden if kept is None else hidden.mul_(kept)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        x, weight, bias, kept, before, scale = ctx.saved_tensors
        grad = grads[0] if kept is None else grads[0] * kept
        grad = torch.ops.aten.silu_backward(grad, before)
        # d(1 / rms) meets the product, which is what came before the bias.
        along = torch.linalg.vecdot(grad, before).unsqueeze(-1) - torch.bmm(grad, bias.mT)
        bias_grad = grad.sum(dim=1, keepdim=True)
        grad = grad.mul_(scale)
        x_grad = torch.bmm(grad, weight.mT)
        x_grad.addcmul_(x, along.mul_(scale.square()).div_(-x.shape[-1]))
        return x_grad, torch.bmm(x.mT, grad), bias_grad, None


def _linear(inputs: int, outputs: int, rng: torch.Generator, *, scale: float = 1.0) -> nn.Linear:
    # By way of "meta", so that the global generator is left alone.
    layer = nn.Linear(inputs, outputs, device="meta").to_empty(device="cpu")
    bound = scale / math.sqrt(inputs)
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=rng)
        layer.bias.zero_()
    return layer


def _inverse_rms(state: Tensor) -> Tensor:
    """1 / root mean square over the last axis, kept as an axis of 1 (Zhang & Sennrich 2019)."""
    norm = torch.linalg.vector_norm(state, dim=-1, keepdim=True)
    return (norm.square() / state.shape[-1] + 1e-6).rsqrt()


class Geometry(nn.Module):
    """What tokens mean as numbers: offsets within bins and global ranks, on the device.

    Built from the layout alone; nothing in it is learned.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.spans = layout.spans
        self.entries = layout.entries
        self.columns = len(layout.columns)
        positions = torch.arange(len(layout.spans))
        fine = torch.from_numpy(layout.fine)
        rank = torch.from_numpy(layout.rank).float()
        self.starts: Tensor
        self.column_of: Tensor
        self.fine_at: Tensor
        self.rank: Tensor
        self.rank_width: Tensor
        self.is_bin: Tensor
        self.drawable: Tensor
        self._hold("starts", torch.from_numpy(layout.starts))
        self._hold("column_of", torch.from_numpy(layout.column_of))
        self._hold("fine_at", positions[fine])
        self._hold("rank", rank)
        self._hold("rank_width", torch.from_numpy(layout.rank_width).float())
        self._hold("is_bin", torch.from_numpy(layout.is_bin).float())
        self._hold("drawable", torch.from_numpy(layout.drawable))
        self.fine_positions = tuple(int(p) for p in positions[fine])
        self._fine_of = {int(p) - 1: i for i, p in enumerate(positions[fine])}

    def _hold(self, name: str, value: Tensor) -> None:
        self.register_buffer(name, value, persistent=False)

    def entries_of(self, position: int) -> slice:
        """The one-hot entries of ``position``."""
        span = self.spans[position]
        return slice(span.start, span.start + span.width)

    def fine_index(self, position: int) -> int | None:
        """Index among the fine positions of the fine position that follows ``position``."""
        return self._fine_of.get(position)

    def applies(self, tokens: Tensor) -> Tensor:
        """Whether each position of ``tokens`` (B, P) means something: (B, P), 0 or 1.

        A fine position does only where its code is a bin.
        """
        gate = torch.ones(tokens.shape, device=tokens.device)
        if len(self.fine_at):
            codes = tokens[:, self.fine_at - 1] + self.starts[self.fine_at - 1]
            gate[:, self.fine_at] = self.is_bin[codes]
        return gate


class OrderedTables(nn.Module):
    """What number codes share with codes of near value, for several tables of entries at once.

    An entry of a number column gets, beside its own weights, a smooth function of its rank,
    so that rows of one value teach something about its neighbours. Entries without an order
    get nothing.
    """

    def __init__(self, layout: Layout, widths: tuple[int, ...], rng: torch.Generator) -> None:
        super().__init__()
        self._widths = widths
        spans = [s for s in layout.spans if layout.is_number[s.start]]
        most = max((span.width for span in spans), default=0)
        basis = torch.zeros(len(spans), most, 2 + 2 * _WAVES)
        entries, rows = [], []
        for i, span in enumerate(spans):
            rank = torch.from_numpy(layout.middle_rank(span)).float()
            basis[i, : span.width] = _smooth(rank)
            entries.append(torch.arange(span.start, span.start + span.width))
            rows.append(torch.arange(i * most, i * most + span.width))
        self.basis: Tensor
        self.entries: Tensor
        self.rows: Tensor
        none = torch.zeros(0, dtype=torch.int64)
        self.register_buffer("basis", basis, persistent=False)
        self.register_buffer("entries", torch.cat(entries or [none]), persistent=False)
        self.register_buffer("rows", torch.cat(rows or [none]), persistent=False)
        shape = (len(spans), basis.shape[-1], sum(widths))
        self.weight = nn.Parameter(torch.empty(shape).normal_(0, 0.02, generator=rng))

    def forward(self, *tables: Tensor) -> list[Tensor]:
        """``tables``, each (E, width), with the shared part added."""
        if not len(self.entries):
            return list(tables)
        shared = torch.bmm(self.basis, self.weight).flatten(0, 1)[self.rows]
        parts = shared.split(self._widths, dim=1)
        return [
            table.index_add(0, self.entries, part)
            for table, part in zip(tables, parts, strict=True)
        ]


def _smooth(rank: Tensor) -> Tensor:
    """Smooth functions of a rank in [0, 1]: (K,) to (K, 2 + 2 waves)."""
    score = torch.special.ndtri(rank.clamp(1e-3, 1 - 1e-3))
    angles = rank.unsqueeze(-1) * (2 * math.pi * 2.0 ** torch.arange(_WAVES))
    line = torch.stack((rank - 0.5, 0.5 * score), dim=-1)
    return torch.cat((line, 0.5 * angles.sin(), 0.5 * angles.cos()), dim=-1)


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
        self.noise = _linear(config.noise_width, width, rng)
        self.given = nn.Parameter(torch.empty(entries, width).normal_(0, 0.02, generator=rng))
        self.given_mask = _linear(max(columns, 1), width, rng)
        self.trunk_in = _linear(width, width, rng)
        self.trunk_out = _linear(width, width, rng, scale=0.3)
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
        return _Tables(given, embedding.split(widths), out.split(widths), self.out_bias.split(widths))

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
        hidden = F.silu(self.trunk_in(state) * _inverse_rms(state))
        return state + self.trunk_out(hidden)

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
        states = _PrefixSum.apply(self.trunk(z, tokens, mask, tables), *steps)
        keep = 1.0 if rng is None else 1 - round(self.config.head_dropout * 256) / 256
        shape = (*states.shape[:2], self.config.head_width)
        kept = None if rng is None or keep == 1 else _random_mask(shape, keep, rng, z.device)
        hidden = _HeadActivation.apply(states, self.head_in, self.head_bias, kept)
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
        only_drawable: bool = False,
    ) -> Tensor:
        """Fills in the cells of ``tokens`` (B, P) that ``mask`` (B, C) does not give.

        With ``only_drawable``, rare codes are never drawn.
        """
        chain = Chain(self, z, tokens, mask, only_drawable=only_drawable)
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
        *,
        only_drawable: bool,
    ) -> None:
        self._generator, self._only_drawable = generator, only_drawable
        self._tables = generator.tables()
        self._given = mask[:, generator.geometry.column_of] > 0
        self._state = generator.trunk(z, tokens, mask, self._tables)
        self.tokens = tokens.clone()

    def logits(self, p: int) -> Tensor:
        """Logits (B, width) of position ``p``, which must be the next one."""
        generator, tables = self._generator, self._tables
        head = generator.head_in[p], generator.head_bias[p], tables.out[p], tables.out_bias[p]
        logits = _head(self._state, *head)
        if not self._only_drawable:
            return logits
        g = generator.geometry
        return logits.masked_fill(~g.drawable[g.entries_of(p)], -torch.inf)

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
    hidden = F.silu((state @ head_in) * _inverse_rms(state) + bias)
    return F.linear(hidden, out, out_bias)


def soft_rank(g: Geometry, p: int, code: Tensor, fine: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Global rank, bin gate and offset (B,) of the column at ``p``, from its one-hots."""
    entries = g.entries_of(p)
    middle = (torch.arange(FINE, device=fine.device) + 0.5) / FINE
    offset = fine @ middle
    rank = code @ g.rank[entries] + (code @ g.rank_width[entries]) * offset
    return rank, code @ g.is_bin[entries], offset


def _random_mask(
    shape: tuple[int, ...], share: float, rng: torch.Generator, device: torch.device
) -> Tensor:
    """Zeros, and ones in about ``share`` of the entries, rounded to a 256th.

    From random bytes, which cost a tenth of random floats.
    """
    count = math.prod(shape)
    words = torch.empty(-(-count // 8), dtype=torch.int64, device=device)
    values = words.random_(-(2**63), None, generator=rng).view(torch.uint8)[:count]
    return (values < round(share * 256)).view(shape).float()


def categorical(logits: Tensor, rng: torch.Generator) -> Tensor:
    """One draw a row from ``softmax(logits)``: (B, K) to (B,)."""
    weights = torch.exp(logits - logits.amax(dim=1, keepdim=True))
    mass = weights.cumsum(dim=1)
    uniform = torch.rand((len(logits), 1), generator=rng, device=logits.device)
    # Below 1, so that the draw falls before the last entry that has any mass.
    target = uniform.clamp(max=1 - 1e-6) * mass[:, -1:]
    return torch.searchsorted(mass, target, right=True).squeeze(1).clamp(max=logits.shape[1] - 1)


class Critic(nn.Module):
    """Scores rows: (B, features) to (B,). High means real."""

    def __init__(self, layout: Layout, config: NetworkConfig, rng: torch.Generator) -> None:
        super().__init__()
        self.geometry = Geometry(layout)
        g = self.geometry
        self._codes = [i for i, span in enumerate(layout.spans) if span.role == "code"]
        self._ranked = [p for p in self._codes if bool(layout.is_number[layout.spans[p].start])]
        widths = [layout.spans[p].width for p in self._codes]
        inputs = sum(min(w, _PROJECTED) if w > _WIDE else w for w in widths)
        inputs += len(self._ranked) + len(g.fine_at) + g.columns
        for p in self._codes:
            if layout.spans[p].width > _WIDE:
                shape = (layout.spans[p].width, _PROJECTED)
                projection = torch.empty(shape).normal_(0, 1, generator=rng) / math.sqrt(_PROJECTED)
                self.register_buffer(f"projection_{p}", projection)
        sizes = [inputs] + [config.critic_width] * config.critic_depth
        self.layers = nn.ModuleList(
            _linear(a, b, rng) for a, b in zip(sizes[:-1], sizes[1:], strict=True)
        )
        self.score = _linear(sizes[-1], 1, rng)

    def features(self, onehots: Tensor, mask: Tensor) -> Tensor:
        """What the critic sees of rows (B, E) of which ``mask`` (B, C) was given."""
        g = self.geometry
        parts, ranks, offsets = [], [], []
        for p in self._codes:
            entries = g.entries_of(p)
            code = onehots[:, entries]
            wide = g.spans[p].width > _WIDE
            parts.append(code @ self.get_buffer(f"projection_{p}") if wide else code)
            if g.fine_index(p) is not None:
                rank, gate, offset = soft_rank(g, p, code, onehots[:, g.entries_of(p + 1)])
                offsets.append((offset - 0.5) * 2 * gate)
                ranks.append(rank)
            elif p in self._ranked:
                ranks.append(code @ (g.rank[entries] + g.rank_width[entries] / 2))
        columns = [3.46 * (rank - 0.5) for rank in ranks] + offsets
        if columns:
            parts.append(torch.stack(columns, dim=1))
        return torch.cat([*parts, mask], dim=1)

    def forward(self, features: Tensor) -> Tensor:
        hidden = features
        for layer in self.layers:
            hidden = F.leaky_relu(layer(hidden), 0.2)
        score: Tensor = self.score(hidden)
        return score.squeeze(1)


def onehot(tokens: Tensor, geometry: Geometry) -> Tensor:
    """One-hot rows of ``tokens``: (B, P) to (B, E)."""
    rows = torch.zeros((len(tokens), geometry.entries), device=tokens.device)
    return rows.scatter_(1, tokens + geometry.starts, 1.0)
