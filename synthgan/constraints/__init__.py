"""Rules between columns at work: found in a table, checked on it, kept by the rows drawn.

Modules, each importing only those before it: ``cells`` (which rows break a constraint, and how
to mend them), ``gaps`` (how far apart columns in order are), ``check`` (a table against its
schema), ``seen``, ``arithmetic`` and ``discover`` (the search for constraints).
"""

from synthgan.constraints.cells import Cells, Context, Pattern, broken, holds, mend
from synthgan.constraints.check import (
    RuleTally,
    context_of,
    declared_patterns,
    takes_patterns,
)
from synthgan.constraints.discover import discover_constraints, infer_schema, schema_to_fit
from synthgan.constraints.gaps import Gap, close_gaps, in_order, is_new_end, possible_gaps

__all__ = [
    "Cells",
    "Context",
    "Gap",
    "Pattern",
    "RuleTally",
    "broken",
    "close_gaps",
    "context_of",
    "declared_patterns",
    "discover_constraints",
    "holds",
    "in_order",
    "infer_schema",
    "is_new_end",
    "mend",
    "possible_gaps",
    "schema_to_fit",
    "takes_patterns",
]
