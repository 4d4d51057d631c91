"""Rules between columns at work: found in a table, checked on it, kept by the rows drawn.

Modules, each importing only those before it: ``cells`` (which rows break a constraint, and how
to mend them), ``check`` (a table against its schema), ``seen``, ``arithmetic`` and ``discover``
(the search for constraints).
"""

from synthgan.constraints.cells import Cells, Context, Pattern, broken, holds, mend
from synthgan.constraints.check import (
    RuleTally,
    declared_patterns,
    takes_patterns,
)
from synthgan.constraints.discover import discover_constraints, infer_schema

__all__ = [
    "Cells",
    "Context",
    "Pattern",
    "RuleTally",
    "broken",
    "declared_patterns",
    "discover_constraints",
    "holds",
    "infer_schema",
    "mend",
    "takes_patterns",
]
