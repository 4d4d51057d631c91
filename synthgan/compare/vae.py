"""A variational autoencoder on tokens (Kingma & Welling 2014), as a baseline.

It maximises the evidence lower bound: E log p(row | z) - KL(q(z | row) || p(z)), with z standard
normal and the tokens of a row independent given z.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synthgan._typing import Ints
from synthgan.encode.layout import Layout
from synthgan.errors import ConfigError
from synthgan.network.kernels import linear

_BLOCK_ROWS = 4096  # drawn or measured at once
_CHECK_EVERY = 50  # steps between two looks at the rows set aside
_PATIENCE = 6  # such looks without a better bound before training ends


@dataclass(frozen=True, kw_only=True)
class VaeConfig:
    """Sizes and training of the variational autoencoder.

    Attributes:
        latent_width: Width of the latent z.
        width: Width of the hidden layers, one in the encoder and two in the decoder.
        steps: Steps at most; training ends before if the bound of rows set aside gets no better.
        batch_size: Rows a step.
        learning_rate: Of Adam.
    """

    latent_width: int = 32
    width: int = 256
    steps: int = 3000
    batch_size: int = 500
    learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        for name in ("latent_width", "width", "steps", "batch_size"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ConfigError(f"{name} must be a whole number from 1, got {value!r}")
        if not 0 < self.learning_rate <= 1:
            raise ConfigError(f"learning_rate must be in (0, 1], got {self.learning_rate}")


class Autoencoder(nn.Module):
    """Encoder and decoder of rows in tokens (B, P)."""

    def __init__(self, layout: Layout, config: VaeConfig, rng: torch.Generator) -> None:
        super().__init__()
        self.widths = [span.width for span in layout.spans]
        entries, width, latent = layout.entries, config.width, config.latent_width
        self.latent = latent
        self.starts: Tensor
        self.fine: Tensor
        self.is_bin: Tensor
        self.drawable: Tensor
        self.register_buffer("starts", torch.from_numpy(layout.starts))
        self.register_buffer("fine", torch.from_numpy(layout.fine))
        self.register_buffer("is_bin", torch.from_numpy(layout.is_bin))
        self.register_buffer("drawable", torch.from_numpy(layout.drawable))
        table = torch.empty((entries, width)).normal_(0, 1, generator=rng)
        self.embedding = nn.Parameter(table / math.sqrt(len(self.widths)))
        self.posterior = linear(width, 2 * latent, rng)
        self.decoder = nn.ModuleList((linear(latent, width, rng), linear(width, width, rng)))
        self.out = linear(width, entries, rng)

    @classmethod
    def learn(cls, tokens: Ints, layout: Layout, config: VaeConfig, seed: int) -> Autoencoder:
        """Trained on ``tokens`` (rows, P), of which some are set aside to know when to stop."""
        rng = torch.Generator().manual_seed(seed)
        model, best = cls(layout, config, rng), None
        rows = torch.from_numpy(tokens)[torch.randperm(len(tokens), generator=rng)]
        aside = min(max(len(rows) // 20, 1), 2000)
        held, learned = rows[:aside], rows[aside:] if len(rows) > 1 else rows
        optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
        least, waited = math.inf, 0
        for step in range(1, config.steps + 1):
            batch = torch.randint(len(learned), (config.batch_size,), generator=rng)
            optimizer.zero_grad(set_to_none=True)
            model.loss(learned[batch], rng).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            if step % _CHECK_EVERY and step != config.steps:
                continue
            with torch.no_grad():  # the same noise each time, so that bounds can be compared
                loss = float(model.loss(held, torch.Generator().manual_seed(seed + 1)))
            waited = 0 if loss < least else waited + 1
            if loss < least:
                least, best = loss, copy.deepcopy(model.state_dict())
            if waited == _PATIENCE:
                break
        if best is not None:
            model.load_state_dict(best)
        return model.eval()

    @property
    def size(self) -> int:
        """How many weights it has."""
        return sum(weight.numel() for weight in self.parameters())

    def loss(self, tokens: Tensor, rng: torch.Generator) -> Tensor:
        """Minus the evidence lower bound, in nats a row; ``rng`` draws z."""
        hidden = F.silu(F.embedding(tokens + self.starts, self.embedding).sum(dim=1))
        mean, log_variance = self.posterior(hidden).chunk(2, dim=1)
        noise = torch.randn(mean.shape, generator=rng)
        logits = self._decode(mean + noise * (log_variance / 2).exp())
        divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum() / 2
        means = self._means(tokens)
        missed = torch.zeros(())
        for p, each in enumerate(torch.split(logits, self.widths, dim=1)):
            missed = missed + F.cross_entropy(each, tokens[:, p], reduction="none") @ means[:, p]
        loss: Tensor = (missed + divergence) / len(tokens)
        return loss

    @torch.no_grad()
    def draw(self, n: int, rng: np.random.Generator) -> Ints:
        """Tokens (n, P) that may be drawn."""
        torch_rng = torch.Generator().manual_seed(int(rng.integers(2**62)))
        blocks = []
        for start in range(0, n, _BLOCK_ROWS):
            z = torch.randn((min(_BLOCK_ROWS, n - start), self.latent), generator=torch_rng)
            logits = self._decode(z).masked_fill(~self.drawable, -math.inf)
            picked = [
                torch.multinomial(each.softmax(dim=1), 1, generator=torch_rng)
                for each in torch.split(logits, self.widths, dim=1)
            ]
            blocks.append(torch.cat(picked, dim=1).numpy())
        return np.concatenate(blocks)

    def _decode(self, z: Tensor) -> Tensor:
        """Logits (B, E) of all tokens."""
        for layer in self.decoder:
            z = F.silu(layer(z))
        logits: Tensor = self.out(z)
        return logits

    def _means(self, tokens: Tensor) -> Tensor:
        """1 where a token (B, P) means something: fine steps only do within a bin."""
        in_bin = self.is_bin[tokens + self.starts]
        before = torch.roll(in_bin, 1, dims=1)
        return torch.where(self.fine, before, torch.ones_like(before)).float()
