"""The critic: scores rows, high for real. And a classifier beside it, if one is wanted."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synthgan.config import NetworkConfig
from synthgan.encode.layout import Layout
from synthgan.errors import ConfigError
from synthgan.network.geometry import Geometry, soft_rank
from synthgan.network.kernels import linear

_WIDE = 256  # one-hots wider than this reach the critic through a random projection
_PROJECTED = 32


class Critic(nn.Module):
    """Scores rows: (B, features) to (B,). High means real."""

    def __init__(
        self,
        layout: Layout,
        config: NetworkConfig,
        rng: torch.Generator,
        *,
        auxiliary: str | None = None,
    ) -> None:
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
        self.layers, self.score = _layers(inputs, 1, config, rng)
        self.classifier: Classifier | None = None
        if auxiliary is not None:
            p = next(p for p in self._codes if layout.spans[p].column == auxiliary)
            before = [w for q, w in zip(self._codes, widths, strict=True) if q < p]
            start = sum(min(w, _PROJECTED) if w > _WIDE else w for w in before)
            given = inputs - g.columns + self._codes.index(p)
            at = slice(start, start + layout.spans[p].width)
            self.classifier = Classifier(inputs, at, given, config, rng)

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
        return _through(self.layers, self.score, features).squeeze(1)


class Classifier(nn.Module):
    """Tells a row's cell of one column from its other cells: the critic's features (B, features)
    to logits (B, K) of the column's codes.

    A network of its own and no head of the critic's: that one sees the cell, and what keeps it
    from becoming steep would keep a classifier from becoming sure.
    """

    def __init__(
        self, inputs: int, at: slice, given: int, config: NetworkConfig, rng: torch.Generator
    ) -> None:
        super().__init__()
        self._at, self._given = at, given
        seen = torch.ones(inputs)
        seen[at], seen[given] = 0.0, 0.0
        self.seen: Tensor
        """1 for features that say nothing of the cell."""
        self.register_buffer("seen", seen, persistent=False)
        self.layers, self.score = _layers(inputs, at.stop - at.start, config, rng)

    def labels(self, features: Tensor) -> Tensor:
        """What is to be told: the cell's one-hot code (B, K)."""
        return features[:, self._at].detach()

    def given(self, features: Tensor) -> Tensor:
        """1 where the cell was given, else 0: (B, 1)."""
        return features[:, self._given : self._given + 1]

    def forward(self, features: Tensor) -> Tensor:
        return _through(self.layers, self.score, features * self.seen)


def _layers(
    inputs: int, outputs: int, config: NetworkConfig, rng: torch.Generator
) -> tuple[nn.ModuleList, nn.Linear]:
    """Hidden layers of the critic's sizes, and the one after them."""
    sizes = [inputs] + [config.critic_width] * config.critic_depth
    layers = nn.ModuleList(linear(a, b, rng) for a, b in pairwise(sizes))
    return layers, linear(sizes[-1], outputs, rng)


def _through(layers: nn.ModuleList, last: nn.Module, features: Tensor) -> Tensor:
    hidden = features
    for layer in layers:
        hidden = F.leaky_relu(layer(hidden), 0.2)
    found: Tensor = last(hidden)
    return found


def check_auxiliary(layout: Layout, column: str) -> None:
    """Raises :class:`ConfigError` unless a classifier can be had for ``column``."""
    named = {span.column: span for span in layout.spans if span.role == "code"}
    span = named.get(column)
    if span is None:
        raise ConfigError(
            f"auxiliary names column {column!r}, which is not there, is not learned or has one "
            f"value only; name one of categories or booleans{_some(layout)}"
        )
    if layout.is_number[span.start]:
        raise ConfigError(
            f"auxiliary names column {column!r}, which holds numbers or dates; name one of "
            f"categories or booleans{_some(layout)}, or declare it a category in the schema"
        )
    if span.width > _WIDE:
        raise ConfigError(
            f"auxiliary names column {column!r}, which has {span.width:,} categories; at most "
            f"{_WIDE} can be distinguished"
        )


def _some(layout: Layout) -> str:
    """Columns that a classifier can be had for, in brackets; at most a handful."""
    names = [
        span.column
        for span in layout.spans
        if span.role == "code" and not layout.is_number[span.start] and span.width <= _WIDE
    ]
    return f" ({', '.join(map(repr, names[:5]))}{', ...' * (len(names) > 5)})" if names else ""
