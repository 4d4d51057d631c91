"""What the model behind a synthetic table says of itself, where there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from synthgan.schema import Schema

_LOSSES = ("likelihood_loss", "critic_loss", "generator_loss", "validation_loss")


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
    def history(self) -> Sequence[object]:
        """Losses in training: each with phase, step and the losses."""


@dataclass(frozen=True, kw_only=True)
class TrainingPoint:
    """The losses at one step of a model's training."""

    phase: str
    step: int
    losses: dict[str, float]


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
            guarantee=None,
            history=tuple(_point(step) for step in model.history),
        )


def _point(step: object) -> TrainingPoint:
    losses = {name.removesuffix("_loss"): getattr(step, name, None) for name in _LOSSES}
    return TrainingPoint(
        phase=str(getattr(step, "phase", "")),
        step=int(getattr(step, "step", 0)),
        losses={name: float(loss) for name, loss in losses.items() if loss is not None},
    )
