"""Model files taken apart and put together again, as a forger would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load, save


def parts(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The weights of a model file, and its description."""
    with safe_open(path, framework="pt") as file:
        text = json.loads(file.metadata()["synthgan"])
    return load(path.read_bytes()), text


def rewritten(folder: Path, tensors: dict[str, torch.Tensor], text: object) -> Path:
    """A model file of these, in ``folder``; ``text`` that is a string is taken as it is."""
    target = folder / "other.synthgan"
    words = text if isinstance(text, str) else json.dumps(text)
    target.write_bytes(save(tensors, {"synthgan": words}))
    return target
