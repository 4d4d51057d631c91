"""Every knob there is, as frozen keyword-only dataclasses. The defaults are the recipe."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np

from synthgan.errors import ConfigError
from synthgan.serialization import added

ObjectiveName = Literal["wgan-gp", "minimax", "non-saturating", "wgan-clip", "hinge-sn"]
"""What generator and critic play for, see :mod:`synthgan.network.losses`."""

_LARGEST = 2**63 - 1  # of whole numbers

_TYPES: dict[type, tuple[str, tuple[type, ...]]] = {
    bool: ("True or False", (bool, np.bool_)),
    int: ("a whole number", (Integral,)),
    float: ("a number", (Real,)),
    str: ("text", (str,)),
}
"""What a setting of a type is called, and what is taken for it; NumPy's scalars are."""


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ConfigError(message)


_hints = cache(get_type_hints)


def _settle_types(settings: object) -> None:
    """Gives every setting the type that it is declared with, or raises :class:`ConfigError`."""
    for name, hint in _hints(type(settings)).items():  # type: ignore[arg-type]  # types are hashable
        value, kinds = getattr(settings, name), get_args(hint) or (hint,)
        if get_origin(hint) is Literal:
            words = " or ".join(map(repr, kinds))
            _require(value in kinds, f"{name} must be {words}, got {value!r}")
            continue
        if value is not None or type(None) not in kinds:
            object.__setattr__(settings, name, _as_type(kinds[0], value, name))


def _as_type(kind: type, value: Any, name: str) -> object:
    wanted, accepted = _TYPES.get(kind, (f"a {kind.__name__}", (kind,)))
    is_one = isinstance(value, accepted) and (kind is bool or not isinstance(value, bool))
    _require(is_one, f"{name} must be {wanted}, not of type {type(value).__name__}")
    if kind in (int, float):
        _require(not abs(value) > _LARGEST, f"{name} must not be beyond 2**63 - 1")
    return kind(value) if kind in _TYPES else value


@dataclass(frozen=True, kw_only=True)
class SummaryConfig:
    """What may be known of each column.

    Attributes:
        bins: Codes that a number column gets beside the codes of its frequent values.
        min_category_rows: Whatever is kept (a category, an exact number, a mean, a combination, a
            step in which shares are told) stands for at least this many people: rows with different
            cells of the schema's entity, or simply rows where it has none. Rarer categories share
            one code. 1 switches the protection off.
        extreme_rows: Numbers beyond the value that this many people reach, at either end, are
            pulled in to it, or to a mean of it and others where too few share it. 1 switches the
            protection off.
        max_categories: Most frequent categories that get a code of their own; the others share one.
    """

    bins: int = 50
    min_category_rows: int = 5
    extreme_rows: int = 5
    max_categories: int = 10_000

    def __post_init__(self) -> None:
        _settle_types(self)
        _require(2 <= self.bins <= 1000, f"bins must be 2 to 1000, got {self.bins}")
        _require(
            self.min_category_rows >= 1,
            f"min_category_rows must be at least 1, got {self.min_category_rows}",
        )
        _require(
            self.extreme_rows >= 1, f"extreme_rows must be at least 1, got {self.extreme_rows}"
        )
        _require(
            self.max_categories >= 2,
            f"max_categories must be at least 2, got {self.max_categories}",
        )


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """Sizes of the two networks.

    Attributes:
        noise_width: Width of the latent noise z.
        width: Width of the generator's row state.
        block_width: Hidden width of the residual block that a row state goes through before each
            head. 0 leaves out the block, and the second layer of the heads.
        head_width: Hidden width of each column's head.
        head_dropout: Dropout in block and heads while the likelihood is trained.
        critic_width: Width of the critic's hidden layers.
        critic_depth: Number of the critic's hidden layers.
    """

    noise_width: int = 64
    width: int = 128
    block_width: int = field(default=64, metadata=added(0))
    head_width: int = 64
    head_dropout: float = 0.25
    critic_width: int = 256
    critic_depth: int = 3

    def __post_init__(self) -> None:
        _settle_types(self)
        for name in ("noise_width", "width", "head_width", "critic_width", "critic_depth"):
            value = getattr(self, name)
            _require(1 <= value <= 16_384, f"{name} must be 1 to 16384, got {value}")
        _require(
            0 <= self.block_width <= 16_384,
            f"block_width must be 0 to 16384, got {self.block_width}",
        )
        _require(
            0 <= self.head_dropout < 1, f"head_dropout must be in [0, 1), got {self.head_dropout}"
        )


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """The two phases of training: likelihood warm start, then a game, WGAN-GP by default.

    Attributes:
        warm_start: Whether the generator first learns by teacher-forced likelihood.
        adversarial: Whether the generator is then trained against the critic.
        objective: What generator and critic play for; the others are for comparison.
        auxiliary: A column of categories or booleans that a classifier tells from the other cells,
            beside the critic; generator and classifier are both paid for it (AC-GAN). None: no such
            term.
        steps: Generator steps at most, both phases together; None lets the rows decide.
        max_minutes: Wall time at most; what was learned until then is kept.
        batch_size: Rows a step.
        critic_steps: Critic steps before each generator step.
        gradient_penalty: Weight of WGAN-GP's gradient penalty (Gulrajani et al. 2017, lambda).
        likelihood_weight: Weight of the likelihood in the generator's adversarial loss, after a
            warm start.
        warm_start_lr: Learning rate of the warm start (AdamW).
        generator_lr: Adversarial learning rate of the generator; None: 1e-4 after a warm start,
            else 4e-4.
        critic_lr: Learning rate of the critic.
        validation_share: Share of rows that training sets aside to know when to stop.
        detection_every: Generator steps after which a classifier tries again to tell drawn rows
            from rows set aside (C2ST), and at the end of each phase. None: never, since a look
            takes as long as some steps.
        cuda_graphs: Whether steps on CUDA are recorded and replayed; the numbers are the same
            either way.
        device: ``auto`` (CUDA, then MPS, then CPU), or a torch device such as ``cpu`` or
            ``cuda:1``.
    """

    warm_start: bool = True
    adversarial: bool = True
    objective: ObjectiveName = "wgan-gp"
    auxiliary: str | None = None
    steps: int | None = None
    max_minutes: float | None = None
    batch_size: int = 500
    critic_steps: int = 2
    gradient_penalty: float = 1.0
    likelihood_weight: float = 1.0
    warm_start_lr: float = 2e-3
    generator_lr: float | None = None
    critic_lr: float = 5e-4
    validation_share: float = 0.05
    detection_every: int | None = None
    cuda_graphs: bool = True
    device: str = "auto"

    def __post_init__(self) -> None:
        _settle_types(self)
        _require(
            self.warm_start or self.adversarial, "warm_start and adversarial cannot both be off"
        )
        _require(
            self.auxiliary is None or self.adversarial,
            "auxiliary is a part of the game: leave adversarial on, or auxiliary out",
        )
        _require(
            self.steps is None or self.steps >= 1, f"steps must be at least 1, got {self.steps}"
        )
        _require(
            self.max_minutes is None or 0 < self.max_minutes < math.inf,
            f"max_minutes must be above 0 and finite, got {self.max_minutes}",
        )
        _require(self.batch_size >= 2, f"batch_size must be at least 2, got {self.batch_size}")
        _require(
            self.critic_steps >= 1, f"critic_steps must be at least 1, got {self.critic_steps}"
        )
        _require(
            self.detection_every is None or self.detection_every >= 1,
            f"detection_every must be at least 1, got {self.detection_every}",
        )
        for name in ("gradient_penalty", "likelihood_weight"):
            _require(0 <= getattr(self, name) < math.inf, f"{name} must be finite, not negative")
        for name in ("warm_start_lr", "generator_lr", "critic_lr"):
            rate = getattr(self, name)
            _require(rate is None or 0 < rate <= 1, f"{name} must be in (0, 1], got {rate}")
        _require(
            0 < self.validation_share <= 0.5,
            f"validation_share must be in (0, 0.5], got {self.validation_share}",
        )


@dataclass(frozen=True, kw_only=True)
class PrivacyConfig:
    """Differential privacy of everything that depends on the rows.

    Attributes:
        epsilon: How much one unit can change what comes out, at most; see docs/privacy.md.
        delta: A fixed public number, far below one over the number of rows.
        unit: Column that names whose rows they are; None: each row is a person's own.
        unit_rows: Rows that are kept of one unit at most, where ``unit`` names a column.
        engine: What most of the budget goes to: ``marginals``, counts of pairs of columns; or
            ``critic``, the gradients of a critic (DP-SGD), which is far worse on the tables that
            were measured.
        public_split: Whether it is public knowledge which rows of a larger table these are, so
            that a part of a split by a seed may be fitted; the guarantee is then for the part.
        rows: About how many rows the table has, if that is public: a fit whose noise would hide
            so many is refused before anything is asked. None: 100,000 may be enough.
    """

    epsilon: float
    delta: float = 1e-6
    unit: str | None = None
    unit_rows: int = 1
    engine: Literal["marginals", "critic"] = "marginals"
    public_split: bool = field(default=False, metadata=added(False))
    rows: int | None = field(default=None, metadata=added(None))

    def __post_init__(self) -> None:
        _settle_types(self)
        _require(
            0 < self.epsilon < math.inf, f"epsilon must be above 0 and finite, got {self.epsilon}"
        )
        _require(
            0 < self.delta < 1,
            f"delta must be above 0 and below 1, far below one over the number of rows, such as "
            f"1e-6, got {self.delta}",
        )
        _require(self.unit_rows >= 1, f"unit_rows must be at least 1, got {self.unit_rows}")
        _require(
            self.unit is not None or self.unit_rows == 1,
            "unit_rows is for a unit column: name it",
        )
        _require(self.rows is None or self.rows >= 1, f"rows must be at least 1, got {self.rows}")


@dataclass(frozen=True, kw_only=True)
class Config:
    """All settings of a fit.

    Attributes:
        summary: What may be known of each column.
        network: Sizes of the two networks.
        train: How long and how training goes.
        privacy: None: no guarantee.
        seed: Same data, config and seed on the same device give the same model.
    """

    summary: SummaryConfig = field(default_factory=SummaryConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    privacy: PrivacyConfig | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        _settle_types(self)
        _require(0 <= self.seed < 2**63, f"seed must be 0 to 2**63 - 1, got {self.seed}")
        _require(
            self.privacy is None or self.train.auxiliary is None,
            "a private fit has no classifier of its own beside the critic: leave auxiliary out",
        )
        _require(
            self.privacy is None or self.train.detection_every is None,
            "a private fit has no real rows set aside to be told from: leave detection_every out",
        )


def as_config(config: object) -> Config:
    """``config`` itself, or the default for None; :class:`ConfigError`, with what to write, for
    anything else."""
    if config is None or isinstance(config, Config):
        return config or Config()
    kind = type(config).__name__
    parts = {
        part.__name__: name
        for name, hint in _hints(Config).items()
        for part in get_args(hint) or (hint,)
    }
    how = f"config=Config({parts[kind]}={kind}(...))" if kind in parts else _WAY_TO_WRITE
    raise ConfigError(f"config must be a Config, got {kind}; write {how}")


_WAY_TO_WRITE = "config=Config(train=TrainConfig(max_minutes=5), seed=1) or the like"


@dataclass(frozen=True, kw_only=True)
class CheckpointConfig:
    """Where training leaves what it needs to go on after a stop. No part of :class:`Config`:
    a model is the same with and without.

    Attributes:
        path: The file. It holds a critic and optimisers, which have learned rows: guard it like the
            table. It is removed when the finished model is saved.
        minutes: Wall time between two checkpoints.
        resume: Whether to go on from the checkpoint that is there.
        overwrite: Whether a checkpoint that is there, and not resumed from, may be replaced.
    """

    path: str | Path
    minutes: float = 10.0
    resume: bool = False
    overwrite: bool = False

    def __post_init__(self) -> None:
        for name in ("minutes", "resume", "overwrite"):
            kind = float if name == "minutes" else bool
            object.__setattr__(self, name, _as_type(kind, getattr(self, name), name))
        is_path = isinstance(self.path, str | Path) and str(self.path) != ""
        _require(is_path, "path must name the file to write")
        object.__setattr__(self, "path", Path(self.path))
        _require(
            0 < self.minutes < math.inf,
            f"minutes must be above 0 and finite, got {self.minutes}",
        )
