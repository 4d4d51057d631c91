"""Files as such: which names are tables, what cannot be read or written and why.

Files are written beside their final place and then moved there: a failed write leaves
nothing behind, and the old file as it was. Nothing here knows what a cell is.
"""

from __future__ import annotations

import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from synthgan.errors import TableError, near_column
from synthgan.files import ARROW_ENDINGS, COMPRESSIONS, DELIMITERS, check_target, reason_of

_SPREADSHEETS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")
CODECS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
"""The compressions that Arrow knows."""


def format_of(path: str | Path) -> tuple[str, str]:
    """Ending and compression of a name: ``.csv`` and ``.gz``, or ``.parquet`` and nothing."""
    name = Path(path).name.lower()
    compression = next((each for each in COMPRESSIONS if name.endswith(each)), "")
    ending = Path(name.removesuffix(compression)).suffix
    if ending in DELIMITERS or (ending in ARROW_ENDINGS and not compression):
        return ending, compression
    if ending in _SPREADSHEETS:
        raise TableError(
            f"{path} is a spreadsheet, which is neither read nor written: save the table as CSV in "
            "Excel, or read it with pandas.read_excel and use synthgan from Python; for output "
            "name a .csv file, which Excel opens"
        )
    raise TableError(
        f"{path}: the ending does not name a known format; known are {', '.join(DELIMITERS)}"
        f" (also followed by {', '.join(COMPRESSIONS)}), {', '.join(ARROW_ENDINGS)}"
    )


def check_writable(path: str | Path, *, overwrite: bool = False) -> None:
    """Raise :class:`TableError` if :func:`write_table` could not write to ``path``.

    To be called before long work, not after it.
    """
    if str(path) == "-":
        return
    format_of(Path(path))
    check_target(path, overwrite=overwrite)


_DAMAGE = (
    pa.ArrowException,
    zipfile.BadZipFile,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    NotImplementedError,
    ValueError,
)
"""What reading a damaged file raises, beside OSError."""


@contextmanager
def read_errors(path: object) -> Iterator[None]:
    """Turn what a failed reading raises into :class:`TableError`."""
    # "from None": the causes quote cells
    damaged = "it is damaged, or not what its ending says"
    try:
        yield
    except TableError:
        raise
    except OSError as error:
        raise TableError(f"{path} cannot be read: {reason_of(error, damaged)}") from None
    except _DAMAGE:
        raise TableError(f"{path} cannot be read: {damaged}") from None


def require_rows(path: object, rows: int) -> None:
    """Raise :class:`TableError` if a table has no rows."""
    if not rows:
        raise TableError(f"{path} has columns, but no rows; at least one row is needed")


def check_names(where: str, names: Sequence[str]) -> None:
    """Raise :class:`TableError` unless there are column names, none blank, none twice."""
    if not names:
        raise TableError(f"{where} has no columns")
    for position, name in enumerate(names, start=1):
        if not name.strip():
            raise TableError(
                f"{where}: column {position} has no name; name it, or leave it out"
                " (a pandas row index is left out with index=False)"
            )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise TableError(f"{where}: column names must be unique, but {twice!r} comes twice")


def chosen_columns(path: object, columns: Sequence[str] | None, names: Sequence[str]) -> list[str]:
    """The columns to read, all of them checked to exist."""
    check_names(str(path), names)
    if columns is None:
        return list(names)
    if not columns:
        raise TableError("columns is empty; name at least one, or leave it out to read all")
    check_names("columns", columns)
    for name in columns:
        if name not in names:
            raise TableError(f"{path} has no column {name!r}; {near_column(name, names)}")
    return list(columns)


@contextmanager
def compressing(path: Path, compression: str, inner: str) -> Iterator[Any]:
    """A sink whose bytes reach ``path`` compressed; ``inner`` is the name inside a ZIP."""
    sink: Any
    if compression == ".xz":
        with lzma.open(path, "wb") as sink:
            yield sink
    elif compression == ".gz":  # neither name nor date inside: same rows, same bytes
        with path.open("wb") as file, gzip.GzipFile("", "wb", 6, file, 0) as sink:
            yield sink
    elif compression == ".zip":
        member = zipfile.ZipInfo(inner)
        member.compress_type = zipfile.ZIP_DEFLATED
        with (
            zipfile.ZipFile(path, "w") as archive,
            archive.open(member, "w", force_zip64=True) as sink,
        ):
            yield sink
    else:
        with pa.output_stream(str(path), compression=CODECS.get(compression)) as sink:
            yield sink


def check_same_columns(
    path: object, names: Sequence[str], first: object, wanted: Sequence[str]
) -> None:
    """Raise :class:`TableError`, naming file and column, unless two parts have the same columns."""
    check_names(str(path), names)
    for name in wanted:
        if name not in names:
            raise TableError(
                f"{path} has no column {name!r}, but {first} has; all parts need the same columns"
            )
    for name in names:
        if name not in wanted:
            raise TableError(
                f"{path} has a column {name!r}, but {first} has none; all parts need the same "
                "columns"
            )
