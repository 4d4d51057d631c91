"""All kinds of constraints."""

from __future__ import annotations

from typing import TypeAlias

from synthgan.schema.constraints.bands import Bands
from synthgan.schema.constraints.fixed_combinations import FixedCombinations
from synthgan.schema.constraints.fixed_increments import FixedIncrements
from synthgan.schema.constraints.fixed_null_combinations import FixedNullCombinations
from synthgan.schema.constraints.formula import Formula
from synthgan.schema.constraints.inequality import Inequality
from synthgan.schema.constraints.missing_when import MissingWhen
from synthgan.schema.constraints.one_hot import OneHot
from synthgan.schema.constraints.row_rule import RowRule
from synthgan.schema.constraints.unique import Unique

Constraint: TypeAlias = (
    FixedCombinations
    | FixedNullCombinations
    | MissingWhen
    | Inequality
    | Formula
    | OneHot
    | FixedIncrements
    | Bands
    | Unique
    | RowRule
)
