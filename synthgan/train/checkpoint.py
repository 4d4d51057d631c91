"""A checkpoint: all that training needs to go on as if it had never stopped.

One safetensors file with weights, their average and their best state, what the current phase
remembers, and the state of the randomness; a JSON text among them has the rest. The critic and
the optimisers have learned rows, so the file is for its owner alone, and it is removed when the
model is saved. It may have been damaged or exchanged: reading it runs no code, and checks every
field and every tensor before anything is used.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from synthgan.config import CheckpointConfig
from synthgan.encode.encoder import Tokens
from synthgan.errors import TableError, TrainingError
from synthgan.files import check_target, write_bytes_atomically
from synthgan.progress import Step
from synthgan.serialization import from_plain, to_plain
from synthgan.train.distributed import Ranks
from synthgan.train.phases import AnyPhase, Schedule, phases_of
from synthgan.train.run import Run, finite

FORMAT = 1
"""Version of the file format; another one is refused."""

_TEXT = "record"
_MOST_BYTES = 64 * 2**30
_OF_ADAM = {"step", "exp_avg", "exp_avg_sq"}


@dataclass(frozen=True, kw_only=True)
class Record:
    """All of a checkpoint that is no tensor."""

    format: int
    fingerprint: dict[str, str]
    schedule: Schedule
    best_loss: float | None
    seconds: float
    """Wall time of training so far."""
    history: tuple[Step, ...]
    notes: tuple[str, ...]


def fingerprint(
    tokens: Tokens, device: torch.device, ranks: Ranks, **described: object
) -> dict[str, str]:
    """Digests of all that a fit depends on, by what they are of; ``described`` has a JSON form."""
    rows = hashlib.sha256(f"{tokens.shape} {tokens.dtype.str}".encode())
    for start in range(0, len(tokens), 2**16):
        rows.update(np.ascontiguousarray(tokens[start : start + 2**16]).data)
    described = {
        **described,
        "versions": [version("synthgan"), torch.__version__],
        "kinds of device": device.type,
        "numbers of processes": ranks.size,
    }
    texts = {name: json.dumps(to_plain(each), sort_keys=True) for name, each in described.items()}
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    return {**digests, "rows": rows.hexdigest()}


@dataclass(kw_only=True)
class Checkpoints:
    """The checkpoint file of one fit."""

    config: CheckpointConfig
    fingerprint: dict[str, str]
    _written: float = field(default_factory=time.monotonic)

    @staticmethod
    def check(config: CheckpointConfig) -> None:
        """Raises before long work: :class:`TrainingError` if there is nothing to go on from,
        :class:`TableError` if the file cannot be written."""
        path = Path(config.path)
        if config.resume and not path.is_file():
            raise TrainingError(f"{path}: there is no checkpoint to go on from; fit anew")
        if path.exists() and not (config.resume or config.overwrite):
            raise TableError(
                f"{path} is the checkpoint of a fit that was stopped; go on from it with --resume "
                "(resume=True in Python), or replace it with --overwrite (overwrite=True)"
            )
        check_target(path, overwrite=True)

    @property
    def path(self) -> Path:
        return Path(self.config.path)

    @property
    def is_due(self) -> bool:
        return time.monotonic() - self._written >= 60 * self.config.minutes

    def write(self, run: Run, phase: AnyPhase) -> None:
        """Takes a checkpoint between two steps, on all ranks at once; a failure is noted."""
        self._written = time.monotonic()
        states = run.ranks.gather(run.rows.rng.get_state())
        if not run.ranks.first:
            return
        tensors = {"rng/states": states, **_tensors(run, phase)}
        record = Record(
            format=FORMAT,
            fingerprint=self.fingerprint,
            schedule=phase.at,
            best_loss=finite(run.best_loss),
            seconds=run.elapsed,
            history=tuple(run.history),
            notes=tuple(run.notes),
        )
        text = json.dumps(to_plain(record), allow_nan=False).encode()
        tensors[_TEXT] = torch.frombuffer(bytearray(text), dtype=torch.uint8)
        data = save_tensors({name: each.detach().cpu() for name, each in tensors.items()})
        try:
            write_bytes_atomically(self.path, data, overwrite=True, secret=True)
        except TableError as error:
            note = f"a checkpoint could not be written: {error}"
            run.notes += [note] if note not in run.notes else []

    def restore(self, run: Run) -> AnyPhase:
        """Restores ``run``; gives the phase that it was in.

        Raises :class:`TrainingError` for a damaged file, and for that of another fit.
        """
        data = run.ranks.share(self._read() if run.ranks.first else b"")
        damaged = TrainingError(f"{self.path}: the checkpoint is damaged; fit anew, without it")
        try:
            tensors = load_tensors(data)
            text = tensors.pop(_TEXT).numpy().tobytes()
            plain = json.loads(text)
        except (SafetensorError, ValueError, KeyError, RuntimeError, RecursionError):
            raise damaged from None
        self._check_origin(plain)
        try:
            return _restored(run, from_plain(Record, plain, "checkpoint"), tensors)
        except (ValueError, LookupError, TypeError, RuntimeError, RecursionError):
            raise damaged from None

    def _read(self) -> bytes:
        try:
            if self.path.stat().st_size > _MOST_BYTES:
                raise TrainingError(f"{self.path}: larger than any checkpoint")
            return self.path.read_bytes()
        except OSError as error:
            raise TrainingError(
                f"{self.path}: cannot be read ({error.strerror or 'error'})"
            ) from None

    def _check_origin(self, plain: object) -> None:
        """Raises unless the checkpoint is of this version, and of a fit of the same things."""
        found = plain if isinstance(plain, dict) else {}
        if found.get("format") != FORMAT:
            raise TrainingError(
                f"{self.path}: checkpoint format {found.get('format')!r} is not the one that this "
                f"version reads ({FORMAT}); use the synthgan version that wrote it"
            )
        theirs = found.get("fingerprint")
        theirs = theirs if isinstance(theirs, dict) else {}
        names = sorted(theirs.keys() | self.fingerprint.keys())
        other = [str(name) for name in names if theirs.get(name) != self.fingerprint.get(name)]
        if other:
            raise TrainingError(
                f"{self.path} is the checkpoint of another fit ({', '.join(other)} differ); give "
                "the same data, schema and options as then, or fit anew without --resume"
            )


def _tensors(run: Run, phase: AnyPhase) -> dict[str, Tensor]:
    """All that training remembers in tensors, by owner and name."""
    named: dict[str, Mapping[str, Tensor]] = {
        "generator": run.generator.state_dict(),
        "average": run.average.state_dict(),
        "best": run.best or {},
    }
    for owner, kept in phase.memory.items():
        if isinstance(kept, torch.nn.Module):
            named[owner] = kept.state_dict()
        elif isinstance(kept, list):
            named[owner] = {"all": torch.stack(kept)} if kept else {}
        else:
            states = kept.state_dict()["state"]
            named[owner] = {
                f"{i}/{key}": v for i, each in states.items() for key, v in each.items()
            }
    return {f"{owner}/{name}": v for owner, each in named.items() for name, v in each.items()}


def _restored(run: Run, record: Record, tensors: dict[str, Tensor]) -> AnyPhase:
    """Undoes :func:`_tensors`. Raises ``ValueError`` and the like for what does not fit."""
    owned: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        owner, _, rest = name.partition("/")
        owned.setdefault(owner, {})[rest] = tensor.to("cpu" if owner == "rng" else run.device)
    kind = {each.phase: each for each in phases_of(run)}[record.schedule.phase]
    _load(run.generator, owned.pop("generator"))
    _load(run.average, owned.pop("average"))
    run.best = owned.pop("best", None)
    if run.best is not None:
        _check(run.generator.state_dict(), run.best)
    run.best_loss = float("inf") if record.best_loss is None else record.best_loss
    run.history, run.notes = list(record.history), list(record.notes)
    run.started = time.monotonic() - record.seconds
    phase = kind(run)
    phase.at = record.schedule
    if not 0 <= phase.at.step <= phase.steps:
        raise ValueError("there are not so many steps")
    for owner, kept in phase.memory.items():
        found = owned.pop(owner, {})
        if isinstance(kept, torch.nn.Module):
            _load(kept, found)
        elif isinstance(kept, list):
            kept.extend(found["all"].unbind() if found else ())
        else:
            _load_optimizer(kept, found)
    states = owned.pop("rng")["states"]
    run.rows.rng.set_state(states[run.ranks.rank].clone())
    if owned:
        raise ValueError("something is left over")
    return phase


def _check(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    if expected.keys() != found.keys():
        raise ValueError("other names")
    for name, tensor in found.items():
        if tensor.shape != expected[name].shape or tensor.dtype != expected[name].dtype:
            raise ValueError("another shape or type")


def _load(module: torch.nn.Module, found: Mapping[str, Tensor]) -> None:
    _check(module.state_dict(), found)
    module.load_state_dict(found)


def _load_optimizer(optimizer: torch.optim.Optimizer, found: Mapping[str, Tensor]) -> None:
    plain, weights = optimizer.state_dict(), optimizer.param_groups[0]["params"]
    states: dict[int, dict[str, Tensor]] = {}
    for name, tensor in found.items():
        index, _, key = name.partition("/")
        shape = torch.Size() if key == "step" else weights[int(index)].shape
        if key not in _OF_ADAM or tensor.shape != shape or tensor.dtype != torch.float32:
            raise ValueError("no such state")
        states.setdefault(int(index), {})[key] = tensor
    if any(state.keys() != _OF_ADAM for state in states.values()):
        raise ValueError("half a state")
    optimizer.load_state_dict({**plain, "state": states})
