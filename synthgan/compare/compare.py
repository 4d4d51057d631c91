"""compare(): several generators learn one table, and one judge looks at their rows.

All learn the same rows with the same schema, draw as many as they learned, and are judged
against the same rows set aside.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, get_args

import pandas as pd

from synthgan.compare.baselines import BASELINES, fit_baseline
from synthgan.compare.leaderboard import Comparison, Entry
from synthgan.compare.vae import VaeConfig
from synthgan.config import Config, ObjectiveName
from synthgan.errors import ConfigError
from synthgan.metrics.columns import Columns
from synthgan.model.fit import fit
from synthgan.report.evaluate import EvaluateConfig, evaluate, refuse_target
from synthgan.schema.discover import infer_schema
from synthgan.schema.loading import as_schema
from synthgan.schema.schema import Schema
from synthgan.table.read import take_table
from synthgan.table.split import split_table

OnPart = Callable[[str, int, int], None]
"""Called with what is done next, how many parts are done, and of how many."""

DEFAULT = "synthgan"
MODELS = (DEFAULT, *BASELINES)
"""The models that are compared by default."""

OBJECTIVES: tuple[ObjectiveName, ...] = get_args(ObjectiveName)
"""Each names the default model trained by that game alone, without a warm start."""

_KNOWN = (*MODELS, *OBJECTIVES)

_LOOK_EVERY = 0.02  # seconds between two looks at the memory


@dataclass(frozen=True, kw_only=True)
class CompareConfig:
    """How generators are compared. Raises :class:`ConfigError` for settings out of range.

    Attributes:
        models: Names: ``synthgan`` (the default model), the baselines; and objectives such as
            ``wgan-gp`` or ``minimax``, for the default model trained by that game alone, without a
            warm start.
        holdout: Share of rows that are set aside to judge by.
        fit: Settings of the trained models; its summary and seed are those of all.
        vae: Settings of the autoencoder.
        max_rows: Rows a table that the judge looks at, at most.
    """

    models: tuple[str, ...] = MODELS
    holdout: float = 0.2
    fit: Config = field(default_factory=Config)
    vae: VaeConfig = field(default_factory=VaeConfig)
    max_rows: int = 100_000

    def __post_init__(self) -> None:
        object.__setattr__(self, "models", tuple(self.models))
        if not self.models:
            raise ConfigError(f"models must name at least one of {', '.join(_KNOWN)}")
        for name in self.models:
            if name not in _KNOWN:
                raise ConfigError(f"there is no model {name!r}; known are {', '.join(_KNOWN)}")
        if len(set(self.models)) < len(self.models):
            raise ConfigError("models must not name one twice")
        if self.fit.privacy is not None:
            raise ConfigError(
                "baselines have no differential privacy, so a private model cannot be compared "
                "with them like with like; leave privacy out"
            )


def compare(
    data: pd.DataFrame | str | Path,
    config: CompareConfig | None = None,
    *,
    target: str | None = None,
    schema: Schema | str | Path | None = None,
    on_part: OnPart | None = None,
) -> Comparison:
    """Learns ``data`` with several generators and judges them on the same rows set aside.

    ``target`` is a column that models are to predict. ``schema`` says what the columns are;
    None infers it from the rows to learn from. ``on_part`` is called before each part.

    Raises what :func:`synthgan.fit` and :func:`synthgan.evaluate` raise.
    """
    config = config or CompareConfig()
    if not isinstance(config, CompareConfig):
        kind = type(config).__name__
        hint = "; settings of the fits are CompareConfig(fit=...)" if kind == "Config" else ""
        raise ConfigError(f"config must be a CompareConfig, got {kind}{hint}")
    frame = take_table(data, "data")
    seed = config.fit.seed
    train, held = split_table(frame, holdout=config.holdout, seed=seed)
    train, held = train.reset_index(drop=True), held.reset_index(drop=True)
    enough = config.fit.summary.min_category_rows
    schema = as_schema(schema, table=frame)
    schema = infer_schema(train, word_rows=enough) if schema is None else schema
    refuse_target(target, train, Columns.of(train, schema))  # before anything is learned
    judge = EvaluateConfig(schema=schema, max_rows=config.max_rows, seed=seed)
    tell, total = on_part or _say_nothing, 3 * len(config.models)
    entries = []
    for place, name in enumerate(config.models):
        tell(f"{name}: learning", 3 * place, total)
        with _Memory() as memory:
            began = time.perf_counter()
            model = _fit(name, train, schema, config)
            learned = time.perf_counter()
            tell(f"{name}: drawing", 3 * place + 1, total)
            begun = time.perf_counter()
            rows = model.sample(len(train), seed=seed)
            drawn = time.perf_counter()

        def on_judge(part: str, done: int, of: int, name: str = name, place: int = place) -> None:
            tell(f"{name}: judging, {part}", 3 * place + 2, total)

        report = evaluate(
            rows, train=train, holdout=held, target=target, config=judge, on_part=on_judge
        )
        entries.append(
            Entry(
                name=name,
                report=report,
                parameters=model.parameters,
                fit_seconds=learned - began,
                sample_seconds=drawn - begun,
                memory_mib=memory.risen_mib,
                notes=getattr(model, "notes", ()),
            )
        )
    return Comparison.of(entries)


class _Drawable(Protocol):
    """What is asked of a generator that has learned."""

    @property
    def parameters(self) -> int:
        """How many numbers it has learned."""

    def sample(self, n: int, *, seed: int | None = None) -> pd.DataFrame:
        """``n`` rows."""


def _fit(name: str, train: pd.DataFrame, schema: Schema, config: CompareConfig) -> _Drawable:
    for kind in BASELINES:
        if name == kind:
            return fit_baseline(train, kind, schema, config.fit, vae=config.vae)
    settings = config.fit
    for objective in OBJECTIVES:
        if name == objective:
            game = replace(settings.train, objective=objective, warm_start=False, adversarial=True)
            settings = replace(settings, train=game)
    return fit(train, schema, settings)


def _say_nothing(doing: str, done: int, of: int) -> None:
    """Nobody wants to know how far it is."""


class _Memory:
    """How far resident memory rises within a block."""

    risen_mib: float | None = None

    def __enter__(self) -> _Memory:
        self._start = self._most = _resident_mib()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()
        if self._start is not None and self._most is not None:
            self.risen_mib = round(max(self._most, _resident_mib() or 0.0) - self._start, 1)

    def _look(self) -> None:
        while not self._over.wait(_LOOK_EVERY):
            now = _resident_mib()
            if now is not None and self._most is not None:
                self._most = max(self._most, now)


def _resident_mib() -> float | None:
    """Resident memory of this process; None where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
