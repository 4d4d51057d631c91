"""What must hold between columns, in a text such as ``age >= 18 or married == "no"``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from synthgan._typing import Bools, Floats
from synthgan.errors import SchemaError, short
from synthgan.schema.expression.parse import Parser
from synthgan.schema.expression.tokens import WrongError
from synthgan.schema.expression.tree import Cells, Numeric, Read, Rows, Truth, as_written

_LONGEST = 10_000  # characters of a text
_FORM = 'price * quantity, or age >= 18 or married == "no", with other names in `backticks`'


@dataclass(frozen=True)
class Expression:
    """A formula, which gives a number, or a rule, which holds in a row or does not.

    Raises :class:`SchemaError`, in one line that says where, for a text that is neither.

    ``cells`` are arrays (rows,) by column: floats with NaN where missing (numbers, and dates in
    units since 1970), or objects with None where missing (text, True and False, which count as
    1 and 0). Columns that the expression does not name are not looked at. ``read`` translates
    values that are compared with a column into cells of it, such as a date into its number;
    without it they are taken as written.

    >>> area = Expression("round(above + below * 0.5, 1)")
    >>> area.columns
    ('above', 'below')
    >>> area.numbers({"above": np.array([80.0, 60.0]), "below": np.array([20.5, np.nan])})
    array([90.2,  nan])
    >>> rule = Expression('age >= 18 or married == "no"')
    >>> ages, married = np.array([30.0, 9.0, 9.0]), np.array(["yes", "yes", None], dtype=object)
    >>> rule.truth({"age": ages, "married": married})
    array([ True, False,  True])
    """

    text: str

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise SchemaError(f"an expression is text, not {type(self.text).__name__}")
        if not self.text.strip():
            raise SchemaError(f"the expression is empty; write it like {_FORM}")
        if len(self.text) > _LONGEST:
            raise SchemaError(f"the expression is longer than {_LONGEST:,} characters")
        try:
            _ = self._tree
        except WrongError as error:
            detail, at = error.args
            place = f"at character {at + 1}" if at < len(self.text) else "at the end"
            raise SchemaError(
                f"cannot read the expression {short(self.text)}: {detail} ({place}); write it "
                f"like {_FORM}"
            ) from None

    def __str__(self) -> str:
        return self.text

    @cached_property
    def _tree(self) -> Numeric | Truth:
        return Parser(self.text).read()

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns that are named, each once, in order of their first mention."""
        return tuple(dict.fromkeys(self._tree.names()))

    @property
    def is_truth(self) -> bool:
        """Whether it is a rule, and not a formula."""
        return isinstance(self._tree, Truth)

    def numbers(self, cells: Cells, read: Read = as_written) -> Floats:
        """What the formula gives (rows,).

        NaN where a cell that it needs is missing, where it divides by zero, and where the
        number is too large for a float. Raises :class:`SchemaError`, naming the column, if
        text is counted with or compared with a number.
        """
        if not isinstance(self._tree, Numeric):
            raise SchemaError(f"the expression {short(self.text)} is a rule, not a number")
        rows = Rows(cells, self.columns, read)
        with np.errstate(all="ignore"):
            values = self._tree.numbers(rows) + 0.0  # no minus zero
        return np.where(np.isfinite(values), values, np.nan)

    def truth(self, cells: Cells, read: Read = as_written, *, if_unknown: bool = True) -> Bools:
        """Which rows (rows,) keep the rule.

        A comparison with a missing cell, or with a division by zero, is unknown. A row in
        which the rule stays unknown keeps it, as with SQL's CHECK, or with ``if_unknown=False``
        does not, as with SQL's WHERE. Raises :class:`SchemaError` as :meth:`numbers` does.
        """
        if not isinstance(self._tree, Truth):
            raise SchemaError(f"the expression {short(self.text)} is a number, not a rule")
        rows = Rows(cells, self.columns, read)
        with np.errstate(all="ignore"):
            holds, fails = self._tree.truth(rows)
        return ~fails if if_unknown else holds

    def divides_by_zero(self, cells: Cells, read: Read = as_written) -> Bools:
        """In which rows (rows,) some divisor is zero, whether or not the result hangs on it."""
        rows = Rows(cells, self.columns, read)
        with np.errstate(all="ignore"):
            if isinstance(self._tree, Truth):
                self._tree.truth(rows)
            else:
                self._tree.numbers(rows)
        return rows.divided_by_zero

    def affine_in(self, name: str) -> bool:
        """Whether it is ``a + b * x`` in column ``name``, by its structure.

        ``a`` and ``b`` are without ``x``, and may be anything else; ``b`` may be zero.

        >>> total = Expression("net * (1 + rate) + min(fee, 5)")
        >>> total.affine_in("net"), total.affine_in("fee")
        (True, False)
        """
        return isinstance(self._tree, Numeric) and self._tree.degree(name) == 1
