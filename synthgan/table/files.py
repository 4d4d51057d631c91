"""Files as such: which names are tables, what cannot be read or written and why.

Files are written beside their final place and then moved there: a failed write leaves
nothing behind, and the old file as it was. Nothing here knows what a cell is.
"""

from __future__ import annotations

import difflib
import errno
import gzip
import itertools
import lzma
import os
import secrets
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa

from synthgan.errors import TableError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

DELIMITERS = {".csv": ",", ".tsv": "\t"}
_ARROW_ENDINGS = (".parquet", ".feather", ".arrow")
_SPREADSHEETS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")
_COMPRESSIONS = (".gz", ".bz2", ".xz", ".zip", ".zst")
CODECS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
"""The compressions that Arrow knows."""
_LONGEST_NEAR = 100  # characters of words that may have been meant
_MOST_NEAR = 1000
_MOST_NAMES = 10  # of columns, in an error


def format_of(path: str | Path) -> tuple[str, str]:
    """Ending and compression of a name: ``.csv`` and ``.gz``, or ``.parquet`` and nothing."""
    name = Path(path).name.lower()
    compression = next((each for each in _COMPRESSIONS if name.endswith(each)), "")
    ending = Path(name.removesuffix(compression)).suffix
    if ending in DELIMITERS or (ending in _ARROW_ENDINGS and not compression):
        return ending, compression
    if ending in _SPREADSHEETS:
        raise TableError(
            f"{path} is a spreadsheet, which is neither read nor written: save the table as CSV in "
            "Excel, or read it with pandas.read_excel and use synthgan from Python; for output "
            "name a .csv file, which Excel opens"
        )
    raise TableError(
        f"{path}: the ending does not name a known format; known are {', '.join(DELIMITERS)}"
        f" (also followed by {', '.join(_COMPRESSIONS)}), {', '.join(_ARROW_ENDINGS)}"
    )


def check_writable(path: str | Path, *, overwrite: bool = False) -> None:
    """Raise :class:`TableError` if :func:`write_table` could not write to ``path``.

    To be called before long work, not after it.
    """
    if str(path) == "-":
        return
    format_of(Path(path))
    check_target(path, overwrite=overwrite)


def check_target(path: str | Path, *, overwrite: bool = False) -> None:
    """As :func:`check_writable`, for a file of any ending."""
    with write_errors(path):
        target = Path(os.path.realpath(path))
        if target.is_dir():
            raise TableError(f"{path} is a folder; give the name of a file")
        if target.exists() and not target.is_file():
            raise TableError(f"{path} is no regular file and cannot be replaced")
        if target.exists() and not overwrite:
            raise TableError(
                f"{path} already exists; pass --overwrite to replace it (overwrite=True in Python)"
            )
        if not target.parent.is_dir():
            raise TableError(f"{path}: there is no folder {target.parent}; create it first")
        with tempfile.TemporaryFile(dir=target.parent):  # permission bits do not tell all
            pass


def write_bytes_atomically(
    path: str | Path, data: bytes, *, overwrite: bool = False, secret: bool = False
) -> None:
    """Write ``data`` to ``path`` whole or not at all.

    A ``secret`` file is for its owner alone to read. Raises :class:`TableError` if writing fails;
    then an old file is as it was.
    """
    check_target(path, overwrite=overwrite)
    with replacing(path, secret=secret) as temporary:
        temporary.write_bytes(data)


def write_by_ending(
    path: str | Path, texts: Mapping[str, Callable[[], str]], what: str, *, overwrite: bool
) -> None:
    """Writes that of ``texts`` whose key is the ending of ``path``; ``what`` they all tell of.

    Raises :class:`TableError` for another ending and where the file cannot be written.
    """
    ending = Path(path).suffix.lower()
    if ending not in texts:
        *others, last = texts
        wanted = f"{', '.join(others)} or {last}"
        raise TableError(f"{path}: {what} is written as {wanted}, not {ending or 'so'}")
    write_bytes_atomically(path, texts[ending]().encode(), overwrite=overwrite)


def _reason(error: OSError, otherwise: str) -> str:
    """What the system says; an error that a library made up has no number."""
    return os.strerror(error.errno) if error.errno else otherwise


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
        raise TableError(f"{path} cannot be read: {_reason(error, damaged)}") from None
    except _DAMAGE:
        raise TableError(f"{path} cannot be read: {damaged}") from None


@contextmanager
def write_errors(path: str | Path) -> Iterator[None]:
    """Turn what the system raises when it refuses a write into :class:`TableError`."""
    try:
        yield
    except OSError as error:
        reason = _reason(error, "the system refused it")
        raise TableError(f"{path} cannot be written: {reason}") from error


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


def near_words(word: str, known: Iterable[str], *, most: int, cutoff: float = 0.6) -> list[str]:
    """Those of ``known`` that ``word`` may have meant, the nearest first.

    Only the first few that are short are looked at, as comparing takes the square of a length.
    """
    short = itertools.islice((each for each in known if len(each) <= _LONGEST_NEAR), _MOST_NEAR)
    folded = {each.casefold().strip(): each for each in short}
    looked_for = word[:_LONGEST_NEAR].casefold().strip()
    found = difflib.get_close_matches(looked_for, folded, n=most, cutoff=cutoff)
    return [folded[each] for each in found]


def near_column(name: str, names: Iterable[object]) -> str:
    """For an error: the column that ``name`` may have meant, or those that there are."""
    known = [str(each) for each in names]
    near = near_words(name, known, most=1)
    if near:
        return f"did you mean {near[0]!r}?"
    more = f" and {len(known) - _MOST_NAMES} more" if len(known) > _MOST_NAMES else ""
    return f"there are {', '.join(map(repr, known[:_MOST_NAMES]))}{more}"


@contextmanager
def replacing(path: str | Path, *, secret: bool = False) -> Iterator[Path]:
    """A new empty file that takes the place of ``path`` if all goes well, else vanishes."""
    with write_errors(path):
        target = Path(os.path.realpath(path))
        _sweep(target.parent)
        temporary, lock = _new_file(target.parent, 0o600 if secret else mode_of(target))
        try:
            yield temporary
            descriptor = os.open(temporary, os.O_RDWR)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
            os.close(lock)


def mode_of(path: Path) -> int | None:
    """Who may read and write a file that is there; None where there is none."""
    return stat.S_IMODE(path.stat().st_mode) & 0o777 if path.exists() else None


def _new_file(folder: Path, mode: int | None) -> tuple[Path, int]:
    """An empty file with a name of its own, and a lock on it that ends with this process.

    At no moment can more people open it than ``mode`` lets: what the umask took away of an old
    file's mode is given back after it was made.
    """
    while True:
        path = folder / f".synthgan-{secrets.token_hex(8)}.tmp"
        lock = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666 if mode is None else mode)
        if mode is not None:
            path.chmod(mode)
        _lock(lock)
        if path.exists():
            return path, lock
        os.close(lock)  # swept away before it was locked


def _sweep(folder: Path) -> None:
    """Removes what processes of this user that were killed have left: nobody holds a lock on it.

    In a folder that others write to, a file of that name can be anything: only a regular one of
    our own is opened, never a pipe, which would wait for ever, nor what a link leads to.
    """
    for path in folder.glob(".synthgan-*.tmp"):
        with suppress(OSError):
            if not _is_own_file(path.lstat()):
                continue
            descriptor = os.open(path, os.O_WRONLY | _AS_IT_IS)
            try:
                if _is_own_file(os.fstat(descriptor)) and _lock(descriptor, wait=False):
                    path.unlink()
            finally:
                os.close(descriptor)


_AS_IT_IS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""Opens neither what a link leads to, nor waits for the other end of a pipe."""


def _is_own_file(found: os.stat_result) -> bool:
    """Whether it is a regular file of this user, with no other name."""
    owner = os.geteuid() if hasattr(os, "geteuid") else found.st_uid
    return stat.S_ISREG(found.st_mode) and found.st_uid == owner and found.st_nlink == 1


def read_small(path: str | Path, most: int = 1 << 20) -> bytes:
    """What a small regular file holds, such as a note beside a table.

    Raises :class:`OSError` where it cannot be read, is no regular file, or holds more than ``most``
    bytes. A pipe is not waited for.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > most:
            raise OSError(errno.EINVAL, "no regular file, or too large")
        return file.read(most)


def _lock(descriptor: int, *, wait: bool = True) -> bool:
    """Whether this process has the lock on a file now; there are none on some systems."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


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
