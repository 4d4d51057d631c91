"""The critic: scores rows, high for real."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synthgan.config import NetworkConfig
from synthgan.encode import Layout
from synthgan.network.geometry import Geometry, soft_rank
from synthgan.network.kernels import linear

_WIDE = 256  # one-hots wider than this reach the critic through a random projection
_PROJECTED = 32


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
        self.layers = nn.ModuleList(linear(a, b, rng) for a, b in pairwise(sizes))
        self.score = linear(sizes[-1], 1, rng)

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
