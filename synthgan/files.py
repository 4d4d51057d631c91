"""Files: the formats of tables by ending; writing, checked beforehand, whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from synthgan.errors import TableError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

DELIMITERS = {".csv": ",", ".tsv": "\t"}
"""Endings of text formats, and what stands between cells."""
ARROW_ENDINGS = (".parquet", ".feather", ".arrow")
"""Endings of formats that hold types; how each is read and written is in
:mod:`synthgan.table.arrow_files`."""
COMPRESSIONS = (".gz", ".bz2", ".xz", ".zip", ".zst")
"""Endings that may follow that of a text format."""
FORMATS = (*DELIMITERS, *ARROW_ENDINGS)
"""Endings of all formats."""
OFFERED = (".csv", ".parquet", ".feather")
"""Those that are offered for downloads, one a format."""


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


def reason_of(error: OSError, otherwise: str) -> str:
    """What the system says; an error that a library made up has no number."""
    return os.strerror(error.errno) if error.errno else otherwise


@contextmanager
def write_errors(path: str | Path) -> Iterator[None]:
    """Turn what the system raises when it refuses a write into :class:`TableError`."""
    try:
        yield
    except OSError as error:
        reason = reason_of(error, "the system refused it")
        raise TableError(f"{path} cannot be written: {reason}") from error


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
    """Removes what killed processes of this user have left: files on which no lock is held.

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
