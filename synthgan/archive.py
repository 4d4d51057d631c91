"""The model file: one safetensors file with the generator's weights and one JSON text.

It holds schema, summary, settings, history and versions, and never a row, a row's number,
the critic (which has learned real rows) or an optimiser. A file may come from a stranger:
loading runs no code from it, checks every field and every tensor's name, type and shape
before a network is built, and answers anything unexpected with one clear line.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from synthgan.config import Config
from synthgan.encode import Encoder
from synthgan.errors import ModelFileError, SynthganError
from synthgan.network import Generator
from synthgan.privacy import Guarantee
from synthgan.records import from_plain, to_plain
from synthgan.schema import Schema
from synthgan.summary import Summary
from synthgan.table import write_bytes_atomically
from synthgan.train import Step

FORMAT = 1
"""Version of the file format; another one is refused."""

_KEY = "synthgan"
_MOST_BYTES = 4 * 2**30
_MOST_TEXT = 64 * 2**20


@dataclass(frozen=True, kw_only=True)
class Card:
    """All of a model but its weights."""

    format: int
    version: str
    """The synthgan version that wrote the file."""
    torch_version: str
    schema: Schema
    summary: Summary
    config: Config
    history: tuple[Step, ...]
    notes: tuple[str, ...]
    guarantee: Guarantee | None = None
    """What holds of the whole file, and the ledger that it was worked out from."""


def save(path: str | Path, card: Card, generator: Generator, *, overwrite: bool = False) -> None:
    """Writes the model file atomically. Raises :class:`TableError` if it cannot be written."""
    write_bytes_atomically(path, to_bytes(card, generator), overwrite=overwrite)


def fingerprint(card: Card, generator: Generator) -> str:
    """SHA-256 of the model file, in hexadecimal digits: the same for the same model."""
    return hashlib.sha256(to_bytes(card, generator)).hexdigest()


def load(path: str | Path) -> tuple[Card, Encoder, Generator]:
    """Reads and checks a model file. Raises :class:`ModelFileError` for anything unexpected."""
    return from_bytes(_read(Path(path)), Path(path))


def from_bytes(data: bytes, where: Path) -> tuple[Card, Encoder, Generator]:
    """The model in the bytes of a model file, which errors name as ``where``."""
    text = _header_text(data, where)
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError):
        raise ModelFileError(f"{where}: the description inside is damaged") from None
    card = _card(plain, where)
    try:
        encoder = Encoder(card.schema, card.summary)
    except (SynthganError, ValueError) as error:
        raise ModelFileError(f"{where}: {error}") from None
    try:
        tensors = load_tensors(data)
    except (SafetensorError, ValueError, KeyError, RuntimeError):
        raise ModelFileError(f"{where}: the weights are damaged or cut short") from None
    return card, encoder, _build(card, encoder, tensors, where)


def to_bytes(card: Card, generator: Generator) -> bytes:
    """The bytes of the model file."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in _weights(generator)}
    text = json.dumps(to_plain(card), ensure_ascii=False, allow_nan=False, sort_keys=True)
    return bytes(save_tensors(tensors, {_KEY: text}))


def _weights(generator: Generator) -> list[tuple[str, Tensor]]:
    return sorted(generator.state_dict().items())


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise ModelFileError(f"{path}: larger than any model file ({size:,} bytes)")
        return path.read_bytes()
    except FileNotFoundError:
        raise ModelFileError(
            f"{path}: no such model file; make one with 'synthgan fit DATA'"
        ) from None
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read ({error.strerror or 'error'})") from None


def _header_text(data: bytes, path: Path) -> str:
    """The JSON text among the metadata, found without reading any tensor."""
    length = int.from_bytes(data[:8], "little") if len(data) >= 8 else 0
    if not 2 <= length <= min(len(data) - 8, _MOST_TEXT):
        raise ModelFileError(f"{path}: this is no synthgan model file, or it is cut short")
    try:
        header = json.loads(data[8 : 8 + length])
        text = header["__metadata__"][_KEY]
    except (ValueError, RecursionError, KeyError, TypeError):
        raise ModelFileError(f"{path}: this is no synthgan model file, or it is damaged") from None
    if not isinstance(text, str):
        raise ModelFileError(f"{path}: this is no synthgan model file, or it is damaged")
    return text


def _card(plain: object, path: Path) -> Card:
    found = plain.get("format") if isinstance(plain, dict) else None
    if found != FORMAT:
        raise ModelFileError(
            f"{path}: file format {found!r} is not the one that this version reads ({FORMAT}); "
            "use the synthgan version that wrote it"
        )
    try:
        return from_plain(Card, plain, "model")
    except (ValueError, SynthganError, RecursionError) as error:
        raise ModelFileError(f"{path}: the description inside is damaged: {error}") from None


def _build(card: Card, encoder: Encoder, tensors: dict[str, Tensor], path: Path) -> Generator:
    """The generator with ``tensors`` as weights, every one checked."""
    network, layout = card.config.network, encoder.layout
    # Before anything is built: a small file must not ask for a huge network.
    wanted = len(layout.spans) * network.width * network.head_width
    wanted += (layout.entries + network.width) * (network.width + network.head_width)
    wanted += (network.noise_width + len(layout.columns)) * network.width
    if wanted > 2 * sum(tensor.numel() for tensor in tensors.values()) + 2**20:
        raise ModelFileError(f"{path}: weights do not fit the model (too few)")
    generator = Generator(layout, network, torch.Generator())
    expected = generator.state_dict()
    if expected.keys() != tensors.keys():
        name = min(expected.keys() ^ tensors.keys())
        raise ModelFileError(f"{path}: weights do not fit the model (tensor {name!r})")
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape or tensor.dtype != torch.float32:
            raise ModelFileError(f"{path}: weights do not fit the model (tensor {name!r})")
        if not bool(tensor.isfinite().all()):
            raise ModelFileError(f"{path}: weights are not finite (tensor {name!r})")
    generator.load_state_dict(tensors)
    return generator.eval()
