"""Which codes of columns go together, as tables of bits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from synthgan.schema.constraints.kinds import Constraint

_BLOCK = 1 << 24  # rows times combinations that are looked at at once


@dataclass(frozen=True, eq=False)
class Table:
    """Combinations that some columns may have, by classes of their codes."""

    constraint: Constraint
    positions: tuple[int, ...]
    classes: tuple[Tensor, ...]
    """For each column the class of each code; -1: in no combination."""
    rows: Tensor
    """Classes of each combination: (T, k)."""

    def allowed(self, at: int, tokens: Tensor, known: Tensor) -> Tensor:
        """Tokens (B, width) of the column ``at`` that go with those that are ``known`` (B, k)."""
        if len(self.positions) == 2:
            return self._allowed_by_one(at, tokens[:, self.positions[1 - at]], known[:, 1 - at])
        mine, size = self.classes[at], int(self.rows[:, at].max()) + 1
        found = torch.empty((len(tokens), len(mine)), dtype=torch.bool, device=tokens.device)
        block = max(_BLOCK // len(self.rows), 1)
        for start in range(0, len(tokens), block):
            part = slice(start, start + block)
            fits = self._fits(at, tokens[part], known[part])
            left = torch.zeros((len(fits), size + 1), device=tokens.device)
            left.index_add_(1, self.rows[:, at], fits.float())
            found[part] = left[:, mine] > 0  # class -1 is the last, which stays empty
        return found

    def _allowed_by_one(self, at: int, token: Tensor, known: Tensor) -> Tensor:
        """Of two columns: tokens (B, width) that go with the other one's ``token`` (B,)."""
        return self._pairs[at][torch.where(known, token, len(self.classes[1 - at]))]

    @cached_property
    def _pairs(self) -> tuple[Tensor, Tensor]:
        """Tokens that go with each token of the other column, and, last, with some: (K + 1, K)."""
        sizes = [int(column.max()) + 1 for column in self.rows.unbind(1)]
        together = torch.zeros(sizes, dtype=torch.bool, device=self.rows.device)
        together[self.rows[:, 0], self.rows[:, 1]] = True
        found = []
        for table, mine, other in (
            (together.T, self.classes[0], self.classes[1]),
            (together, self.classes[1], self.classes[0]),
        ):
            some = table.any(dim=0, keepdim=True)
            rows = torch.cat([table, some])
            inside = (mine >= 0) & (mine < table.shape[1])
            columns = rows[:, mine.clamp(0, table.shape[1] - 1)] & inside
            bound = (other >= 0) & (other < len(table))
            # A given cell that is in no combination leaves the other column free.
            row_of = torch.where(bound, other, len(table))
            found.append(columns[torch.cat([row_of, row_of.new_tensor([len(table)])])])
        return found[0], found[1]

    def _fits(self, at: int, tokens: Tensor, known: Tensor) -> Tensor:
        """Which combinations (B, T) go with what is known beside the column ``at``."""
        fits = torch.ones((len(tokens), len(self.rows)), dtype=torch.bool, device=tokens.device)
        for i, position in enumerate(self.positions):
            if i == at:
                continue
            token = self.classes[i][tokens[:, position]]
            open_ = ~known[:, i] | (token < 0)  # a given cell may be in no combination
            fits &= open_.unsqueeze(1) | (token.unsqueeze(1) == self.rows[:, i])
        return fits

    def leaves(self, codes: Mapping[int, Tensor]) -> bool:
        """Whether some combination has, at each position, one of the ``codes`` there."""
        fits = torch.ones(len(self.rows), dtype=torch.bool, device=self.rows.device)
        for i, position in enumerate(self.positions):
            if position in codes:
                fits &= torch.isin(self.rows[:, i], self.classes[i][codes[position]])
        return bool(fits.any())

    def admits(self, tokens: Tensor, given: Tensor) -> Tensor:
        """Whether some combination goes with the given cells of each row: (B,)."""
        return self._fits(-1, tokens, given[:, list(self.positions)]).any(dim=1)


@dataclass(frozen=True, eq=False)
class Steps:
    """The order of two columns, at the fine position of one of them."""

    code: int
    """Position of its code; the fine one comes next."""
    ends: Tensor
    """Of each code and step (K, FINE) the cell that decides: the greatest, where the other
    column must not be above, else the least."""
    other: int
    """Position of the other column's code."""
    other_ends: Tensor
    """Of each code and step of it, (K, FINE) or (K, 1), the least cell, or the greatest."""
    is_high: bool
    """Whether the other column must not be above."""

    def allowed(self, tokens: Tensor, known: Tensor) -> Tensor:
        """Steps (B, FINE) that some cell of the other column goes with, where it is ``known``."""
        mine = self.ends[tokens[:, self.code]]
        step = tokens[:, self.other + 1] if self.other_ends.shape[1] > 1 else 0
        limit = self.other_ends[tokens[:, self.other], step].unsqueeze(1)
        outside = (mine < limit) if self.is_high else (mine > limit)  # never where one is NaN
        return ~outside | ~known.unsqueeze(1)
