"""Batches of rows on the device."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from synthgan.config import Config
from synthgan.encode.encoder import Tokens


@dataclass
class Rows:
    """Training and validation tokens on the device, and the randomness of batches."""

    training: Tensor
    validation: Tensor
    rng: torch.Generator
    gaps: Tensor | None = None
    """Of a file of tokens, which stays as it is: for each validation row, how many training rows
    lie before it."""
    context: int = 0
    """So many columns, the first ones, are given in each row."""

    @staticmethod
    def split(tokens: Tokens, config: Config, device: torch.device, context: int = 0) -> Rows:
        share = round(config.train.validation_share * len(tokens))
        held = min(max(share, min(200, len(tokens) // 4)), 2000)
        rng = torch.Generator(device).manual_seed(config.seed)
        order = np.random.default_rng(config.seed)
        if isinstance(tokens, np.memmap):
            away = np.sort(order.choice(len(tokens), max(held, 1), replace=False, shuffle=False))
            gaps = torch.from_numpy(away - np.arange(len(away))).to(device)
            validation = torch.from_numpy(tokens[away]).to(device)
            return Rows(torch.from_numpy(tokens).to(device), validation, rng, gaps, context)
        rows = torch.from_numpy(tokens[order.permutation(len(tokens))]).to(device)
        return Rows(rows[held:], rows[: max(held, 1)], rng, None, context)

    def batch(self, size: int) -> Tensor:
        """``size`` training rows with replacement: (size, P), int64."""
        shape = (size,)
        device = self.training.device
        rows = len(self.training) - (0 if self.gaps is None else len(self.gaps))
        index = torch.randint(rows, shape, generator=self.rng, device=device)
        if self.gaps is not None:
            index += torch.searchsorted(self.gaps, index, right=True)
        return self.training[index].long()

    def mask(self, size: int, columns: int) -> Tensor:
        """Given cells (size, columns): half of the rows none, the others 1 to columns - 1,
        each number as often as any other. The columns of the context come on top."""
        device = self.training.device
        columns -= self.context
        uniform = torch.rand((size, columns + 2), generator=self.rng, device=device)
        count = 1 + (uniform[:, 1:2] * (columns - 1)).floor()
        rank = uniform[:, 2:].argsort(dim=1).argsort(dim=1)
        some = (uniform[:, :1] < 0.5) & (rank < count.clamp(max=columns - 1))
        mask = self.least_mask(size, columns + self.context)
        mask[:, self.context :] = some.float()
        return mask

    def least_mask(self, size: int, columns: int) -> Tensor:
        """Given cells (size, columns) where there are as few as can be: the context."""
        mask = torch.zeros((size, columns), device=self.training.device)
        mask[:, : self.context] = 1.0
        return mask

    def noise(self, size: int, width: int) -> Tensor:
        return torch.randn((size, width), generator=self.rng, device=self.training.device)
