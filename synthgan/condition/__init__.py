"""What rows are asked for: a mapping or a text, turned into one :class:`Allowed` a column.

As in SQL, a comparison leaves missing cells out; ``is missing`` asks for them.

Modules, each importing only those before it: ``allowed`` (:class:`Allowed`), ``wording``
(errors), ``cells`` (a value to the cell that it means), ``meaning`` (names, values and
comparisons), ``tokens``, ``text``, ``parse`` (mappings, and :func:`parse_where`), ``balance``.
"""

from synthgan.condition.allowed import Allowed
from synthgan.condition.balance import FEW_CHOICES, Balance, Shares, parse_balance
from synthgan.condition.meaning import Reader
from synthgan.condition.parse import Where, parse_where

__all__ = [
    "FEW_CHOICES",
    "Allowed",
    "Balance",
    "Reader",
    "Shares",
    "Where",
    "parse_balance",
    "parse_where",
]
