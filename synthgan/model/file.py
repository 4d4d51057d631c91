"""The model file: one safetensors file with the generator's weights and one JSON text.

A file of two tables holds two such descriptions in its text, and both generators' weights.

It holds schema, summary, settings, history and versions, and never a row, a row's number,
the critic (which has learned real rows) or an optimiser. A file may come from a stranger:
loading runs no code from it, checks every field and every tensor's name, type and shape
before a network is built, and answers anything unexpected with one clear line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from synthgan.encode.encoder import Encoder
from synthgan.errors import ModelFileError, SynthganError, TableError
from synthgan.files import write_bytes_atomically
from synthgan.model.card import FORMAT, Card, TablesCard
from synthgan.network.generator import Generator
from synthgan.privacy.ledger import Guarantee, check_claim, unit_in_words
from synthgan.schema.foreign_key import ForeignKey
from synthgan.serialization import from_plain, to_plain
from synthgan.table.formats import format_of

_READ = (1, FORMAT)

_KEY = "synthgan"
_KEY_OF_TABLES = "key"
"""In the JSON text of a model of two tables only."""
_PARTS = ("parent", "child")
"""What the names of their tensors begin with, and a slash."""
_MOST_BYTES = 4 * 2**30
_MOST_TEXT = 64 * 2**20
_LONGEST_NOTE = 50_000
_LONGEST_ERROR = 1_000

_Card = TypeVar("_Card", Card, TablesCard)


def save(path: str | Path, card: Card, generator: Generator, *, overwrite: bool = False) -> None:
    """Writes the model file atomically. Raises :class:`TableError` if it cannot be written."""
    write_bytes_atomically(path, to_bytes(card, generator), overwrite=overwrite)


def fingerprint(card: Card, generator: Generator) -> str:
    """SHA-256 of the model file, in hexadecimal digits: the same for the same model."""
    return hashlib.sha256(to_bytes(card, generator)).hexdigest()


def save_tables(
    path: str | Path,
    card: TablesCard,
    generators: tuple[Generator, Generator],
    *,
    overwrite: bool = False,
) -> None:
    """Writes the model file of a parent and a child atomically, as :func:`save` does."""
    tensors = {
        f"{part}/{name}": value
        for part, generator in zip(_PARTS, generators, strict=True)
        for name, value in _weights(generator).items()
    }
    write_bytes_atomically(path, _packed(card, tensors), overwrite=overwrite)


def load(path: str | Path) -> tuple[Card, Encoder, Generator]:
    """Reads and checks a model file. Raises :class:`ModelFileError` for anything unexpected."""
    return from_bytes(_read(Path(path)), Path(path))


def from_bytes(data: bytes, where: Path) -> tuple[Card, Encoder, Generator]:
    """The model in the bytes of a model file, which errors name as ``where``."""
    plain = _description(data, where)
    if _KEY_OF_TABLES in plain:
        raise ModelFileError(f"{where}: this is a model of two tables; load_tables reads it")
    card = _as_card(Card, plain, where)
    encoder, generator = _build(card, _tensors(data, where), where)
    return card, encoder, generator


def load_tables(
    path: str | Path,
) -> tuple[TablesCard, tuple[Encoder, Generator], tuple[Encoder, Generator]]:
    """Reads and checks the model file of a parent and a child, as :func:`load` does."""
    where = Path(path)
    data = _read(where)
    plain = _description(data, where)
    if _KEY_OF_TABLES not in plain:
        raise ModelFileError(f"{where}: this is a model of one table; load reads it")
    card = _as_card(TablesCard, plain, where)
    if any(each.guarantee or each.config.privacy for each in (card.parent, card.child)):
        raise ModelFileError(
            f"{where}: it claims to be private, but no fit of two tables has a guarantee"
        )
    tensors = _tensors(data, where)
    strange = [name for name in tensors if name.split("/")[0] not in _PARTS]
    if strange:
        raise ModelFileError(f"{where}: weights do not fit the model (tensor {min(strange)!r})")
    parent, child = (
        _build(each, _of_part(tensors, part), where)
        for part, each in zip(_PARTS, (card.parent, card.child), strict=True)
    )
    return card, parent, child


def _of_part(tensors: dict[str, Tensor], part: str) -> dict[str, Tensor]:
    begin = f"{part}/"
    return {n.removeprefix(begin): x for n, x in tensors.items() if n.startswith(begin)}


def tables_in(path: str | Path) -> tuple[str, ...]:
    """Names of the tables of a model file, the parent first; none where it is of one table.

    Raises :class:`ModelFileError` for a file that is no model.
    """
    where = Path(path)
    key = _description(_read(where), where).get(_KEY_OF_TABLES)
    if key is None:
        return ()
    try:
        return from_plain(ForeignKey, key, _KEY_OF_TABLES).tables
    except (ValueError, SynthganError) as error:
        raise damaged(where, error) from None


def to_bytes(card: Card, generator: Generator) -> bytes:
    """The bytes of the model file."""
    return _packed(card, _weights(generator))


def _packed(card: Card | TablesCard, tensors: Mapping[str, Tensor]) -> bytes:
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    text = json.dumps(to_plain(card), ensure_ascii=False, allow_nan=False, sort_keys=True)
    return bytes(save_tensors(plain, {_KEY: text}))


def _weights(generator: Generator) -> dict[str, Tensor]:
    return dict(sorted(generator.state_dict().items()))


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise ModelFileError(f"{path}: larger than any model file ({size:,} bytes)")
        return path.read_bytes()
    except FileNotFoundError:
        raise ModelFileError(
            f"{path}: there is no such file; a model is made with 'synthgan fit DATA'"
        ) from None
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read ({error.strerror or 'error'})") from None


def _header_text(data: bytes, path: Path) -> str:
    """The JSON text among the metadata, found without reading any tensor."""
    length = int.from_bytes(data[:8], "little") if len(data) >= 8 else 0
    if not 2 <= length <= min(len(data) - 8, _MOST_TEXT):
        raise _no_model(path, "cut short")
    try:
        header = json.loads(data[8 : 8 + length])
        text = header["__metadata__"][_KEY]
    except (ValueError, RecursionError, KeyError, TypeError):
        raise _no_model(path, "damaged") from None
    if not isinstance(text, str):
        raise _no_model(path, "damaged")
    return text


def _no_model(path: Path, otherwise: str) -> ModelFileError:
    try:
        format_of(path)
        hint = f"is it a table? 'synthgan fit {path.name}' learns one"
    except TableError:
        hint = "'synthgan fit DATA' makes one"
    return ModelFileError(f"{path} is no model file, or it is {otherwise}; {hint}")


def _description(data: bytes, path: Path) -> dict[str, Any]:
    """The JSON object among the metadata, of the format that is known."""
    text = _header_text(data, path)
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError):
        raise ModelFileError(f"{path}: the description inside is damaged") from None
    found = plain.get("format") if isinstance(plain, dict) else None
    if type(found) is not int or found not in _READ:
        raise ModelFileError(
            f"{path}: file format {found!r} is none that this version reads (1 to {FORMAT}); "
            "use the synthgan version that wrote it"
        )
    if found == 1:
        _refuse_older_private(plain, path)
    return dict(plain)


def _refuse_older_private(plain: Mapping[str, Any], path: Path) -> None:
    for part in (plain, *(plain.get(name) for name in _PARTS)):
        if not isinstance(part, dict):
            continue
        config = part.get("config")
        asked = isinstance(config, dict) and config.get("privacy") is not None
        if not asked and part.get("guarantee") is None:
            continue
        raise ModelFileError(
            f"{path}: it was fitted with epsilon by an earlier version, in which one person's odd "
            "cell could change how the cells of others were read, so that its guarantee does not "
            "hold; fit it again"
        )


def _check_guarantee(card: Card, encoder: Encoder, path: Path) -> None:
    """Raises :class:`ModelFileError` for a guarantee that the file's own ledger does not bear."""
    if card.guarantee is None:
        if card.config.privacy is not None:
            raise ModelFileError(f"{path}: it says that it is private, but has no guarantee")
        return
    try:
        check_claim(card.guarantee)
        _check_as_asked(card, card.guarantee)
        _check_covered(card, encoder, card.guarantee)
    except ValueError as error:
        raise ModelFileError(f"{path}: its guarantee does not hold: {error}") from None


def _check_as_asked(card: Card, guarantee: Guarantee) -> None:
    """Raises ``ValueError`` unless the fit asked for a guarantee, and for one of these units."""
    privacy = card.config.privacy
    if privacy is None:
        raise ValueError("the fit did not ask for any")
    if guarantee.unit != unit_in_words(privacy.unit, privacy.unit_rows):
        raise ValueError("it is for other units than the fit asked for")


def _check_covered(card: Card, encoder: Encoder, guarantee: Guarantee) -> None:
    """Raises ``ValueError`` for what the file models and no event of the ledger tells of: each
    column by itself, and each two together, by an event of the two or of more."""
    asked = [event.columns for event in guarantee.events]
    alone = {columns[0] for columns in asked if len(columns) == 1}
    modelled = {column.name for column in card.schema if column.kind.is_modelled}
    unasked = sorted((modelled | set(card.summary.columns)) - alone)
    if unasked:
        raise ValueError(
            f"column {unasked[0]!r} is modelled, but no event of the ledger is about it"
        )
    pairs = {frozenset(columns) for columns in asked if len(columns) == 2}
    more = [set(columns) for columns in asked if len(columns) > 2]
    for pair in combinations(encoder.layout.columns, 2):
        if frozenset(pair) not in pairs and not any(each.issuperset(pair) for each in more):
            raise ValueError(
                f"columns {pair[0]!r} and {pair[1]!r} are modelled together, but no event of the "
                "ledger is about both"
            )
    beyond = (card.summary.unlearned, card.summary.almanacs, card.summary.combinations)
    if any(beyond) or card.summary.gaps:
        raise ValueError("the summary has more than the ledger tells of")


def _as_card(kind: type[_Card], plain: object, path: Path) -> _Card:
    try:
        card = from_plain(kind, plain, "model")
        _check_notes(card)
        return card
    except (ValueError, ArithmeticError, SynthganError, RecursionError) as error:
        raise damaged(path, error) from None


def damaged(path: str | Path, error: Exception) -> ModelFileError:
    """The error of a description that is damaged, in as many words as are read: names and values
    of a stranger's file may be of any length."""
    return ModelFileError(f"{path}: the description inside is damaged: {_short(error)}")


def _short(error: Exception) -> str:
    text, half = str(error), _LONGEST_ERROR // 2
    return text if len(text) <= _LONGEST_ERROR else f"{text[:half]} ... {text[-half:]}"


def _check_notes(card: Card | TablesCard) -> None:
    """Raises ``ValueError`` for notes that would fill more than a screen."""
    for note in card.notes:
        if len(note) > _LONGEST_NOTE:
            raise ValueError(f"model.notes: one has more than {_LONGEST_NOTE:,} characters")
    if isinstance(card, TablesCard):
        _check_notes(card.parent)
        _check_notes(card.child)


def _tensors(data: bytes, path: Path) -> dict[str, Tensor]:
    try:
        return load_tensors(data)
    except (SafetensorError, ValueError, KeyError, RuntimeError):
        raise ModelFileError(f"{path}: the weights are damaged or cut short") from None


def _build(card: Card, tensors: dict[str, Tensor], path: Path) -> tuple[Encoder, Generator]:
    """The encoder of ``card``, and the generator with ``tensors`` as weights, each checked."""
    try:
        encoder = Encoder(card.schema, card.summary)
    except (SynthganError, ValueError, ArithmeticError) as error:
        raise ModelFileError(f"{path}: {_short(error)}") from None
    _check_guarantee(card, encoder, path)
    return encoder, _with_weights(card, encoder, tensors, path)


def _with_weights(
    card: Card, encoder: Encoder, tensors: dict[str, Tensor], path: Path
) -> Generator:
    network, layout = card.config.network, encoder.layout
    # Before anything is built: a small file must not ask for a huge network.
    held = sum(tensor.numel() for tensor in tensors.values())
    if Generator.least_size(layout, network) > 2 * held + 2**20:
        raise ModelFileError(f"{path}: weights do not fit the model (too few)")
    generator = Generator(layout, network, torch.Generator())
    expected = generator.state_dict()
    if expected.keys() != tensors.keys():
        name = min(expected.keys() ^ tensors.keys())
        raise ModelFileError(f"{path}: weights do not fit the model (tensor {name!r})")
    for name, tensor in sorted(tensors.items()):  # they come in any order
        if tensor.shape != expected[name].shape or tensor.dtype != torch.float32:
            raise ModelFileError(f"{path}: weights do not fit the model (tensor {name!r})")
        if not bool(tensor.isfinite().all()):
            raise ModelFileError(f"{path}: weights are not finite (tensor {name!r})")
    generator.load_state_dict(tensors)
    return generator.eval()
