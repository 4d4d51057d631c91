"""What the text cells of a CSV column are, and the column that they make.

A CSV file does not say what its columns hold, so each is judged by *all* its cells
(:class:`Evidence`): it becomes numbers only where no cell loses by that, so that codes such
as ``01234`` stay what they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Flag, auto
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthgan.columns.sentinels import FIXED_DECIMALS, MISSING_WORDS

_WHOLE = r"^-?(?:0|[1-9][0-9]*)$"
_DECIMAL = (
    r"^-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
    r"|^[+-]?(?i:inf|infinity)$"
)

_BOOLEANS = pa.array(["True", "False"])


class _Form(Flag):
    """Forms that the cells of a CSV column have."""

    NONE = 0
    EMPTY = auto()
    MISSING_WORD = auto()
    BOOLEAN = auto()
    INTEGER = auto()
    WIDE = auto()
    """An integer that a float64 would round."""
    HUGE = auto()
    """An integer beyond int64."""
    DECIMAL = auto()
    FINAL_ZERO = auto()
    """A decimal number written with a zero at its end."""
    TEXT = auto()

    NUMBER = INTEGER | HUGE | DECIMAL
    HOLE = EMPTY | MISSING_WORD


@dataclass(frozen=True)
class Evidence:
    """What the cells of one CSV column have shown so far."""

    forms: _Form = _Form.NONE
    digits: frozenset[int] = frozenset()
    """Numbers of digits after the point; -1 for a number with an exponent."""

    def with_cells(self, cells: Any) -> Evidence:
        """This and more cells, an Arrow array of strings."""
        if self.forms & _Form.TEXT:  # nothing can change that
            return self
        forms = self.forms | (_Form.EMPTY if cells.null_count else _Form.NONE)
        digits = self.digits
        rest = cells.drop_null()
        integers, rest = _split(rest, pc.match_substring_regex(rest, _WHOLE))
        decimals, rest = _split(rest, pc.match_substring_regex(rest, _DECIMAL))
        words, rest = _split(rest, pc.is_in(rest, MISSING_WORDS))
        booleans, rest = _split(rest, pc.is_in(rest, _BOOLEANS))
        if len(integers):
            forms |= _integer_forms(integers)
            digits |= {0}
        if len(decimals):
            zero = pc.any(pc.ends_with(decimals, "0")).as_py()
            forms |= _Form.DECIMAL | (_Form.FINAL_ZERO if zero else _Form.NONE)
            if len(digits) < 2:  # they can still all be alike
                digits |= _digits(decimals)
        for found, form in (
            (words, _Form.MISSING_WORD),
            (booleans, _Form.BOOLEAN),
            (rest, _Form.TEXT),
        ):
            forms |= form if len(found) else _Form.NONE
        return Evidence(forms, digits)

    @property
    def dtype(self) -> str:
        """The dtype that holds every cell: a pandas name, or ``text``."""
        forms = self.forms
        mixed = forms & _Form.BOOLEAN and forms & (_Form.NUMBER | _Form.MISSING_WORD)
        if forms & _Form.TEXT or mixed:
            return "text"
        if forms & _Form.BOOLEAN:
            return "boolean" if forms & _Form.EMPTY else "bool"
        if not forms & _Form.NUMBER:
            return "text" if forms & _Form.MISSING_WORD else "float64"
        if forms & _Form.DECIMAL:
            return "float64"
        if forms & _Form.HUGE:
            return "text"
        if not forms & _Form.HOLE:
            return "int64"
        return "Int64" if forms & _Form.WIDE else "float64"

    @property
    def fixed_decimals(self) -> int | None:
        """The common number of digits after the point, if some cell shows it by a zero."""
        if self.dtype != "float64" or not self.forms & _Form.FINAL_ZERO or len(self.digits) != 1:
            return None
        (digits,) = self.digits
        return digits if digits >= 1 else None


def _split(cells: Any, mask: Any) -> tuple[Any, Any]:
    """The cells that the mask picks, and the others."""
    picked = pc.sum(mask).as_py() or 0
    if picked in (0, len(cells)):  # no need to copy
        return cells.slice(0, picked), cells.slice(picked)
    return cells.filter(mask), cells.filter(pc.invert(mask))


def _integer_forms(cells: Any) -> _Form:
    try:
        bounds = pc.min_max(cells.cast(pa.int64())).as_py()
    except pa.ArrowInvalid:
        return _Form.HUGE
    wide = max(-bounds["min"], bounds["max"]) > 2**53
    return _Form.INTEGER | _Form.WIDE if wide else _Form.INTEGER


def _digits(cells: Any) -> set[int]:
    point = pc.find_substring(cells, ".")
    after = pc.subtract(pc.subtract(pc.binary_length(cells), point), 1)
    plain = pc.match_substring_regex(cells, r"^[-.0-9]*$")
    counts = pc.if_else(plain, pc.if_else(pc.less(point, 0), 0, after), -1)
    return set(pc.unique(counts).to_pylist())


def csv_frame(table: Any, evidence: Mapping[str, Evidence]) -> pd.DataFrame:
    """A frame from text columns, each turned into the dtype that its evidence asks for."""
    dtypes = {name: evidence[name].dtype for name in table.column_names}
    columns = [_converted(table.column(name), evidence[name]) for name in dtypes]
    typed = pa.table(columns, names=list(dtypes))
    frame: pd.DataFrame = typed.to_pandas()
    for name, dtype in dtypes.items():
        if dtype in ("Int64", "boolean"):
            frame[name] = nullable_array(typed.column(name))
    fixed = {name: evidence[name].fixed_decimals for name in dtypes}
    fixed = {name: digits for name, digits in fixed.items() if digits is not None}
    if fixed:
        frame.attrs[FIXED_DECIMALS] = fixed
    return frame


def _converted(cells: Any, evidence: Evidence) -> Any:
    dtype = evidence.dtype
    if dtype == "text":
        return cells
    if dtype in ("bool", "boolean"):
        return pc.equal(cells, "True")
    if evidence.forms & _Form.MISSING_WORD:
        missing = pc.is_in(cells, MISSING_WORDS)
        cells = pc.if_else(missing, pa.scalar(None, pa.string()), cells)
    return cells.cast(pa.float64() if dtype == "float64" else pa.int64())


def nullable_array(cells: Any) -> Any:
    """Arrow integers or booleans as the pandas array that can have missing cells."""
    name = str(cells.type).replace("uint", "UInt").replace("int", "Int")
    dtype: Any = pd.api.types.pandas_dtype("boolean" if name == "bool" else name)
    return dtype.__from_arrow__(cells)
