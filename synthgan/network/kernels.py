"""Parts that both networks are made of, and the operations that training spends its time in."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def linear(inputs: int, outputs: int, rng: torch.Generator, *, scale: float = 1.0) -> nn.Linear:
    """A linear layer with weights uniform in +- ``scale`` / sqrt(inputs), and no bias yet."""
    # By way of "meta", so that the global generator is left alone.
    layer = nn.Linear(inputs, outputs, device="meta").to_empty(device="cpu")
    bound = scale / math.sqrt(inputs)
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=rng)
        layer.bias.zero_()
    return layer


def inverse_rms(state: Tensor) -> Tensor:
    """1 / root mean square over the last axis, kept as an axis of 1 (Zhang & Sennrich 2019)."""
    norm = torch.linalg.vector_norm(state, dim=-1, keepdim=True)
    mean: Tensor = norm.square() / state.shape[-1]
    return (mean + 1e-6).rsqrt()


class _RowStates(torch.autograd.Function):
    """Row states (P, B, W) before each position, see :func:`row_states`."""

    @staticmethod
    def forward(start: Tensor, past: Tensor, ahead: Tensor) -> Tensor:
        out = torch.empty_like(past)
        torch.add(start, ahead.sum(dim=0), out=out[0])
        if out.is_cuda:  # one launch, where a CPU does the loop several times faster
            steps = torch.cat((out[:1], past[:-1] - ahead[:-1]))
            return torch.cumsum(steps, dim=0, out=out)
        for p in range(1, len(out)):
            torch.add(out[p - 1], past[p - 1], out=out[p]).sub_(ahead[p - 1])
        return out

    @staticmethod
    def setup_context(ctx: object, inputs: object, output: Tensor) -> None:
        return None

    @staticmethod
    def backward(ctx: object, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        (grad,) = grads
        total = grad.sum(dim=0)
        # A step moves all states after it; a cell given ahead, all until its place.
        if grad.is_cuda:
            before = torch.cumsum(grad, dim=0)
            return total, total - before, before
        before = torch.empty_like(grad)
        before[0] = grad[0]
        for p in range(1, len(grad)):
            torch.add(before[p - 1], grad[p], out=before[p])
        return total, total - before, before


def row_states(start: Tensor, past: Tensor, ahead: Tensor) -> Tensor:
    """Row states (P, B, W) before each position.

    ``start`` (B, W) is the state if nothing is given; ``past`` (P, B, W) is what each cell adds
    from its place on, ``ahead`` (P, B, W) what it adds before that because it is given.
    """
    states: Tensor = _RowStates.apply(start, past, ahead)  # type: ignore[no-untyped-call]
    return states


class _HeadActivation(torch.autograd.Function):
    """``silu((x / rms(x)) @ weight + bias)`` for (P, B, W), (P, W, H), (P, 1, H), with dropout.

    All heads' hidden layers at once, in place where it can be: this is where training spends
    its time. The norm (Zhang & Sennrich 2019; no gain, as the weight has it) is applied after
    the product, to the smaller tensor. ``kept`` are the factors (P, B, H) of dropout, or None.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, kept: Tensor | None) -> Tensor:
        scale = inverse_rms(x)
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


def head_activation(x: Tensor, weight: Tensor, bias: Tensor, kept: Tensor | None) -> Tensor:
    """All heads' hidden layers (P, B, H), see :class:`_HeadActivation`."""
    hidden: Tensor = _HeadActivation.apply(x, weight, bias, kept)  # type: ignore[no-untyped-call]
    return hidden


class _Residual(torch.autograd.Function):
    """``x + silu((x / rms(x)) @ inner + bias) @ outer`` with dropout, see :func:`residual`."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, inner: Tensor, bias: Tensor, outer: Tensor, kept: Tensor | None
    ) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])
        kept = None if kept is None else kept.reshape(-1, len(bias))
        scale = inverse_rms(rows)
        before = torch.mm(rows, inner).mul_(scale).add_(bias)
        hidden = F.silu(before)
        if kept is not None:
            hidden.mul_(kept)
        ctx.save_for_backward(rows, inner, bias, outer, kept, before, hidden, scale)
        return torch.addmm(rows, hidden, outer).view(x.shape)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, None]:
        rows, inner, bias, outer, kept, before, hidden, scale = ctx.saved_tensors
        grad_out = grads[0].reshape(rows.shape)
        grad = torch.mm(grad_out, outer.T)
        if kept is not None:
            grad.mul_(kept)
        grad = torch.ops.aten.silu_backward(grad, before)
        # d(1 / rms) meets the product, which is what came before the bias.
        along = (torch.linalg.vecdot(grad, before) - torch.mv(grad, bias)).unsqueeze(-1)
        bias_grad = grad.sum(dim=0)
        grad = grad.mul_(scale)
        x_grad = torch.addmm(grad_out, grad, inner.T)
        x_grad.addcmul_(rows, along.mul_(scale.square()).div_(-rows.shape[-1]))
        inner_grad, outer_grad = torch.mm(rows.T, grad), torch.mm(hidden.T, grad_out)
        return x_grad.view(grads[0].shape), inner_grad, bias_grad, outer_grad, None


def residual(
    x: Tensor, inner: Tensor, bias: Tensor, outer: Tensor, kept: Tensor | None = None
) -> Tensor:
    """A residual block (He et al. 2016), ``x + silu(norm(x) @ inner + bias) @ outer``.

    Of (..., W), (W, S), (S,) and (S, W) to (..., W), the same for all rows and positions; the
    norm is that of :func:`head_activation`. ``kept`` (..., S) multiplies the hidden layer.
    """
    out: Tensor = _Residual.apply(x, inner, bias, outer, kept)  # type: ignore[no-untyped-call]
    return out


def dropped(
    shape: tuple[int, ...], share: float, rng: torch.Generator | None, device: torch.device
) -> Tensor | None:
    """Dropout's factors: about a ``share`` are 0, the others make up for it.

    None where nothing is dropped: without a generator, or a share.
    """
    keep = 1 - round(share * 256) / 256
    return None if rng is None or keep == 1 else random_mask(shape, keep, rng, device).div_(keep)


def random_mask(
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
