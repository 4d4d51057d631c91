"""What rows are asked for (being written)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from synthgan.schema import Level, Schema


@dataclass(frozen=True, kw_only=True)
class Allowed:
    values: frozenset[Level] | None = None
    excluded: frozenset[Level] = frozenset()
    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False
    missing: Literal["any", "only", "never"] = "any"


def parse_where(
    where: str | Mapping[str, object], schema: Schema, levels: Mapping[str, Sequence[Level]]
) -> dict[str, Allowed]:
    raise NotImplementedError
