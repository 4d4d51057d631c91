"""What the model behind a synthetic table says of itself, where there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from synthgan.schema.schema import Schema

_DIAGNOSTICS = (
    "critic_slope",
    "critic_gap",
    "generator_gradient",
    "distinct",
    "recall",
    "detection",
)
_LOSSES = ("likelihood_loss", "critic_loss", "generator_loss", "validation_loss")


class Promise(Protocol):
    """What is asked of a privacy guarantee: :class:`synthgan.Guarantee` has it."""

    @property
    def epsilon(self) -> float:
        """The bound."""

    @property
    def delta(self) -> float:
        """The chance that it fails."""

    @property
    def unit(self) -> str:
        """Whose rows two neighbouring tables differ by."""


class Model(Protocol):
    """What is asked of a model: :class:`synthgan.Synthesizer` has it."""

    @property
    def schema(self) -> Schema:
        """The columns that it makes."""

    @property
    def rows(self) -> int:
        """Rows learned from, rounded."""

    @property
    def versions(self) -> Mapping[str, str]:
        """Versions of the packages that made it."""

    @property
    def protections(self) -> tuple[str, ...]:
        """What is protected in each column, in words."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What happened in training."""

    @property
    def guarantee(self) -> Promise | None:
        """What bounds all that it can tell of its rows, if anything does."""

    @property
    def history(self) -> Sequence[object]:
        """Losses in training: each with phase, step and the losses."""


@dataclass(frozen=True, kw_only=True)
class TrainingPoint:
    """The losses at one step of a model's training."""

    phase: str
    step: int
    losses: dict[str, float]
    diagnostics: dict[str, float] = field(default_factory=dict)
    """How the game between generator and critic stood, by the names of ``synthgan.Step``."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What the model that made the synthetic table says of itself."""

    version: str
    rows: int
    """Rows learned from, rounded."""
    protections: tuple[str, ...]
    notes: tuple[str, ...]
    guarantee: str | None
    """The privacy guarantee in words; None if the model has none."""
    history: tuple[TrainingPoint, ...]

    @classmethod
    def of(cls, model: Model) -> Origin:
        """What ``model`` says."""
        return cls(
            version=model.versions.get("synthgan", ""),
            rows=model.rows,
            protections=tuple(model.protections),
            notes=tuple(model.notes),
            guarantee=None if model.guarantee is None else _words(model.guarantee),
            history=tuple(_point(step) for step in model.history),
        )


def _words(promise: Promise) -> str:
    unit = "one row" if promise.unit == "row" else promise.unit
    return (
        f"Differential privacy with epsilon {promise.epsilon:.4g} and delta {promise.delta:.4g} "
        f"for adding or removing {unit}, of the model and of all rows drawn from it. What its "
        "schema declares is taken as public."
    )


def _point(step: object) -> TrainingPoint:
    return TrainingPoint(
        phase=str(getattr(step, "phase", "")),
        step=int(getattr(step, "step", 0)),
        losses={n.removesuffix("_loss"): value for n, value in _told(step, _LOSSES)},
        diagnostics=dict(_told(step, _DIAGNOSTICS)),
    )


def _told(step: object, names: Sequence[str]) -> Iterator[tuple[str, float]]:
    for name in names:
        value = getattr(step, name, None)
        if value is not None:
            yield name, float(value)
