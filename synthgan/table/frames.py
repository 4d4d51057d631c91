"""Whether what a caller gave is a table at all; an error must not show what else it is."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthgan.errors import TableError


def check_frame(table: object, what: str, *, or_path: bool = False) -> None:
    """Raise :class:`TableError`, which quotes no cell, unless ``table`` is a DataFrame.

    ``what`` it is called; ``or_path``: whether a path would be taken as well.
    """
    if isinstance(table, pd.DataFrame):
        return
    wanted = "a DataFrame or the path of a file" if or_path else "a DataFrame"
    raise TableError(f"{what} must be {wanted}, got {type(table).__name__}{_how_to(table)}")


def _how_to(table: object) -> str:
    """How to make a DataFrame of it, if that is known."""
    if isinstance(table, pd.Series):
        return "; df[['age']] is a table of one column"
    if isinstance(table, np.ndarray | dict | list):
        return "; pandas.DataFrame(...) makes a table of it"
    return "; its to_pandas() gives one" if hasattr(table, "to_pandas") else ""
