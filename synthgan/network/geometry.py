"""What tokens mean as numbers: gates, offsets within bins, global ranks. Nothing is learned but
what codes of near value share."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from synthgan.encode.layout import Layout
from synthgan.encode.number_codec import FINE

_MOST_PADDING = 1.3  # entries of a group's rectangle, for each that means something
_WAVES = 4  # octaves of sine and cosine in what codes of near value share

# How far apart entries begin (standard deviations of their weights). A number begins as little
# more than a smooth function of its rank: with weights of their own as large as those of
# categories, its codes are 50 strangers, and what is learned of one says nothing of the next.
_OWN = 0.3
_OWN_OF_NUMBER = 0.03
_SHARED = 0.15  # of what codes of near value share, in what they add
_SHARED_OUT = 0.02  # and in their own logits
_WITHIN = 0.3  # share of these for a place within a bin, which says less than the bin


class Group(nn.Module):
    """Positions of similar widths, whose heads are one product of matrices."""

    def __init__(self, layout: Layout, positions: list[int]) -> None:
        super().__init__()
        spans = [layout.spans[p] for p in positions]
        width = max(span.width for span in spans)
        steps = torch.arange(width)
        widths = torch.tensor([span.width for span in spans]).unsqueeze(1)
        starts = torch.tensor([span.start for span in spans]).unsqueeze(1)
        self.positions: Tensor
        self.entries: Tensor
        self.beyond: Tensor
        """Which places (n, width) are beyond a position's own tokens."""
        self.register_buffer("positions", torch.tensor(positions), persistent=False)
        self.register_buffer("entries", starts + torch.minimum(steps, widths - 1), persistent=False)
        self.register_buffer("beyond", steps >= widths, persistent=False)


def _group(layout: Layout) -> list[Group]:
    """Positions from wide to narrow, cut where padding would be more than a share of the work."""
    order = sorted(range(len(layout.spans)), key=lambda p: -layout.spans[p].width)
    groups: list[list[int]] = []
    filled = 0
    for p in order:
        width = layout.spans[p].width
        widest = layout.spans[groups[-1][0]].width if groups else 0
        if groups and widest * (len(groups[-1]) + 1) <= _MOST_PADDING * (filled + width):
            groups[-1].append(p)
            filled += width
        else:
            groups.append([p])
            filled = width
    return [Group(layout, sorted(positions)) for positions in groups]


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
        self.groups = _group(layout)
        for i, group in enumerate(self.groups):
            self.add_module(f"group_{i}", group)  # so that its tensors move with the others

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


def onehot(tokens: Tensor, geometry: Geometry) -> Tensor:
    """One-hot rows of ``tokens``: (B, P) to (B, E)."""
    rows = torch.zeros((len(tokens), geometry.entries), device=tokens.device)
    return rows.scatter_(1, tokens + geometry.starts, 1.0)


def soft_rank(g: Geometry, p: int, code: Tensor, fine: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Global rank, bin gate and offset (B,) of the column at ``p``, from its one-hots."""
    entries = g.entries_of(p)
    middle = (torch.arange(FINE, device=fine.device) + 0.5) / FINE
    offset = fine @ middle
    rank = code @ g.rank[entries] + (code @ g.rank_width[entries]) * offset
    return rank, code @ g.is_bin[entries], offset


def own_spread(layout: Layout) -> Tensor:
    """Standard deviation (E, 1) with which what each entry adds to a row's state begins."""
    spread = torch.where(torch.from_numpy(layout.is_number), _OWN_OF_NUMBER, _OWN)
    for span in layout.spans:
        if span.role == "fine":
            spread[span.start : span.start + span.width] *= _WITHIN
    return spread.unsqueeze(1)


class OrderedTables(nn.Module):
    """What number codes share with codes of near value, for several tables of entries at once.

    An entry of a number column gets, beside its own weights, a smooth function of its rank,
    so that rows of one value teach something about its neighbours. Entries without an order
    get nothing.
    """

    def __init__(
        self, layout: Layout, widths: tuple[int, ...], outputs: int, rng: torch.Generator
    ) -> None:
        """Of tables whose rows are ``widths`` wide, that of ``outputs`` last."""
        super().__init__()
        self._widths = (*widths, outputs)
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
        shape = (len(spans), basis.shape[-1], sum(self._widths))
        spread = torch.full(shape, _SHARED)
        spread[..., -outputs:] = _SHARED_OUT
        spread[[span.role == "fine" for span in spans]] *= _WITHIN
        self.weight = nn.Parameter(torch.empty(shape).normal_(generator=rng) * spread)

    def forward(self, *tables: Tensor) -> list[Tensor]:
        """``tables``, each (E, width), with the shared part added."""
        if not len(self.entries):
            return list(tables)
        shared = torch.bmm(self.basis, self.weight).flatten(0, 1)[self.rows]
        parts = torch.split(shared, list(self._widths), dim=1)
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
