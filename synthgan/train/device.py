"""Which device PyTorch is to use."""

from __future__ import annotations

import torch

from synthgan.errors import TrainingError
from synthgan.train.distributed import own_gpu


def choose_device(name: str) -> torch.device:
    """The device that ``name`` means; ``auto`` is CUDA, else MPS, else the CPU.

    Where ``torchrun`` has started several processes, ``auto`` and ``cuda`` are this one's own GPU.
    Raises :class:`TrainingError` if there is no such device here.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return own_gpu()
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise TrainingError(
            f"no such device: {name!r}; use auto, cpu, cuda, cuda:N or mps"
        ) from None
    counts = {
        "cpu": 1,
        "cuda": torch.cuda.device_count(),
        "mps": int(torch.backends.mps.is_available()),
    }
    if counts.get(device.type, 0) <= (device.index or 0):
        raise TrainingError(
            f"device {name!r} was requested, but this machine has none that PyTorch can use; "
            "use --device auto or cpu"
        )
    return own_gpu() if device == torch.device("cuda") else device
