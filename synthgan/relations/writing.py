"""Tables to files of their names in one folder."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from synthgan.errors import TableError
from synthgan.table import check_target, check_writable, mode_of, write_table


def write_tables(
    tables: Mapping[str, pd.DataFrame],
    folder: str | Path,
    *,
    ending: str = ".csv",
    overwrite: bool = False,
) -> list[Path]:
    """Writes each table to a file of its name in ``folder``, which is made if need be.

    All are written before the first takes its place, so that a failure leaves what was there.
    Gives the paths. Raises :class:`TableError` if a file cannot be written, or is there and not
    to be replaced.
    """
    folder = Path(folder)
    paths = [folder / f"{name}{ending}" for name in tables]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TableError(f"{folder} cannot be made: {error.strerror or 'error'}") from None
    for path in paths:
        check_writable(path, overwrite=overwrite)
    try:
        with tempfile.TemporaryDirectory(prefix=".synthgan-", dir=folder) as place:
            for table, path in zip(tables.values(), paths, strict=True):
                write_table(table, Path(place) / path.name)
            for path in paths:
                check_target(path, overwrite=overwrite)  # somebody else may have been faster
            for path in paths:
                mode = mode_of(path)
                if mode is not None:  # nobody reads it who could not read the old file
                    (Path(place) / path.name).chmod(mode)
                (Path(place) / path.name).replace(path)
    except OSError as error:
        raise TableError(f"{folder} cannot be written: {error.strerror or 'error'}") from None
    return paths
