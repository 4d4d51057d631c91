"""Optimisers, and how their rates rise and fall."""

from __future__ import annotations

import math

import torch
from torch import Tensor

RAMP = 50  # steps over which a learning rate rises


def fade(step: int, steps: int) -> float:
    """Linear rise over the first steps, then a cosine down to 2 %."""
    rise = min(1.0, step / RAMP)
    return rise * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def adamw(module: torch.nn.Module, rate: float) -> torch.optim.Optimizer:
    """With which the warm start learns."""
    lr, capturable = _rate(module, rate)
    return torch.optim.AdamW(
        module.parameters(),
        lr=lr,
        betas=(0.9, 0.99),
        weight_decay=0.05,
        fused=True,
        capturable=capturable,
    )


def adam(module: torch.nn.Module, rate: float) -> torch.optim.Optimizer:
    """With which generator and critic play."""
    lr, capturable = _rate(module, rate)
    return torch.optim.Adam(
        module.parameters(), lr=lr, betas=(0.0, 0.99), fused=True, capturable=capturable
    )


def _rate(module: torch.nn.Module, rate: float) -> tuple[float | Tensor, bool]:
    """A learning rate; on CUDA as a tensor, which a recorded step looks up when it is replayed."""
    device = next(module.parameters()).device
    on_cuda = device.type == "cuda"
    return (torch.tensor(rate, device=device) if on_cuda else rate), on_cuda


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Changes the learning rate for the steps to come."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate
