"""What a model file says beside its weights."""

from __future__ import annotations

from dataclasses import dataclass, field

from synthgan.config import Config
from synthgan.encode.summary import Summary, Unlearned
from synthgan.privacy.ledger import Guarantee
from synthgan.progress import Step
from synthgan.schema.foreign_key import ForeignKey
from synthgan.schema.schema import Schema
from synthgan.serialization import at_most

FORMAT = 2
"""Version of the file format that is written. Plain models of format 1 are read as well: the means
that they hold of numbers, and their exact shares, give single cells away (see docs/privacy.md).
Private ones of format 1 are not, as what they guarantee did not hold."""


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
    history: tuple[Step, ...] = field(metadata=at_most(200_000))
    notes: tuple[str, ...] = field(metadata=at_most(10_000))
    guarantee: Guarantee | None = None
    """What holds of the whole file, and the ledger that it was worked out from."""


@dataclass(frozen=True, kw_only=True)
class TablesCard:
    """All of the models of a parent table and its child table but their weights."""

    format: int
    key: ForeignKey
    parent: Card
    child: Card
    child_schema: Schema
    """The child's columns as they come out."""
    unlearned: dict[str, Unlearned] = field(default_factory=dict)
    """Of the child's columns that are not modelled, those of which anything is known."""
    order: str | None = None
    """The child's column of dates in whose order rows of one parent come."""
    notes: tuple[str, ...] = field(default=(), metadata=at_most(10_000))
    """What happened to rows that the owner should know."""
