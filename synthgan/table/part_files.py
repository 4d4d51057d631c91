"""Where the part files of a table are: a file, a folder, a glob, or a URL.

URLs are those of Arrow's file systems (``s3://``, ``gs://``, ``hdfs://``, ``file://``), and of
fsspec, where it is installed, whatever it knows.
"""

from __future__ import annotations

import fnmatch
import glob
import lzma
import os
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.fs as pa_fs

from synthgan.errors import TableError
from synthgan.files import read_small
from synthgan.table.formats import CODECS, format_of, read_errors

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_WILD = re.compile(r"[*?\[]")

MARK_ENDING = ".split.json"
"""What follows a file's name in that of the mark beside it (:mod:`synthgan.table.split_marks`)."""


@dataclass(frozen=True)
class Source:
    """One file to read."""

    path: str
    """In its file system."""
    files: Any = None
    """An Arrow file system; None: this machine's files."""

    def __str__(self) -> str:
        return self.path

    @property
    def size(self) -> int:
        """Bytes of the file."""
        if self.files is None:
            return os.stat(self.path).st_size
        return int(self.files.get_file_info(self.path).size or 0)

    @property
    def ending(self) -> str:
        """Which format it is, such as ``.csv``."""
        return format_of(self.path)[0]

    def open(self) -> Any:
        """Its bytes, as an Arrow file that can be read at any place."""
        if self.files is None:
            return pa.OSFile(self.path)
        return self.files.open_input_file(self.path)

    def mapped(self) -> Any:
        """As :meth:`open`, without copying what lies on this machine."""
        return pa.memory_map(self.path) if self.files is None else self.open()

    def beside(self, ending: str) -> bytes | None:
        """What the file holds that has the same name, followed by ``ending``; None for none."""
        other = Source(self.path + ending, self.files)
        if self.files is None:
            with suppress(OSError):
                return read_small(other.path)
            return None
        if not self.files.get_file_info(other.path).is_file:
            return None
        with other.open() as file:
            return bytes(file.read())

    def decompressed(self) -> Any:
        """Its bytes from the beginning, decompressed, as an Arrow stream."""
        compression = format_of(self.path)[1]
        if compression == ".xz":
            return pa.PythonFile(lzma.open(self.open()), mode="r")
        if compression == ".zip":
            with zipfile.ZipFile(self.open()) as archive:
                members = [each for each in archive.infolist() if not each.filename.endswith("/")]
                if len(members) != 1 or members[0].flag_bits & 1:
                    raise TableError(f"{self} must hold exactly one file, and not encrypted")
                return pa.PythonFile(archive.open(members[0]), mode="r")
        if self.files is None:
            return pa.input_stream(self.path, compression=CODECS.get(compression))
        return self.files.open_input_stream(self.path, compression=CODECS.get(compression))


def find_sources(where: str | Path) -> tuple[Source, ...]:
    """The part files that ``where`` names, in the order of their names.

    Of a folder, files that begin with ``.`` or ``_`` are no parts, nor are marks. Raises
    :class:`TableError` if there are none, if one is empty, or if they are of several formats.
    """
    if not isinstance(where, str | Path):
        raise TableError(
            f"the path of a file, a folder or a glob is wanted, got {type(where).__name__}"
        )
    with read_errors(where):
        if _URL.match(str(where)):
            found = list(_remote(str(where)))
        else:
            found = [Source(path) for path in _local(str(where))]
        for source in found:
            if source.ending != found[0].ending:
                raise TableError(
                    f"{where}: all parts must have one format, but {found[0]} is "
                    f"{found[0].ending} and {source} is {source.ending}"
                )
            if not source.size:
                raise TableError(f"{source} is empty; a table has a header and at least one row")
    return tuple(found)


def _local(text: str) -> list[str]:
    path = Path(text)
    if not path.exists() and _WILD.search(text):
        names = sorted(name for name in glob.glob(text, recursive=True) if os.path.isfile(name))
        if not names:
            raise TableError(f"{text}: no file has such a name")
        return names
    if not path.exists():
        if path.suffix:
            format_of(text)
        raise TableError(f"{text}: there is no such file")
    if not path.is_dir():
        return [text]
    with os.scandir(path) as entries:
        names = sorted(each.name for each in entries if _is_part(each.name))
    within = [str(path / name) for name in names]
    _check_folder(text, within, [each for each in within if os.path.isdir(each)])
    return within


def _is_part(name: str) -> bool:
    return not name.startswith((".", "_")) and not name.endswith(MARK_ENDING)


def _check_folder(where: str, within: list[str], folders: list[str]) -> None:
    if not within:
        raise TableError(f"{where} is a folder without part files")
    if folders:
        raise TableError(
            f"{where} holds folders, such as {folders[0]}, whose names may say what their files do "
            "not; if they do not, read the files by a glob such as 'folder/**/*.parquet'"
        )


def _remote(url: str) -> Iterator[Source]:
    files, path = _file_system(url)
    wild = _WILD.search(path)
    if wild:
        base = path[: wild.start()].rpartition("/")[0]
        infos = files.get_file_info(pa_fs.FileSelector(base, recursive=True, allow_not_found=True))
        names = sorted(i.path for i in infos if i.is_file and _matches(i.path, path))
        if not names:
            raise TableError(f"{url}: no file has such a name")
        yield from (Source(name, files) for name in names)
        return
    info = files.get_file_info(path)
    if info.type == pa_fs.FileType.NotFound:
        raise TableError(f"{url}: there is no such file")
    if info.is_file:
        yield Source(path, files)
        return
    infos = files.get_file_info(pa_fs.FileSelector(path))
    infos = sorted((i for i in infos if _is_part(i.base_name)), key=_path_of)
    _check_folder(url, [i.path for i in infos], [i.path for i in infos if not i.is_file])
    yield from (Source(i.path, files) for i in infos)


def _path_of(info: Any) -> str:
    return str(info.path)


def _matches(path: str, pattern: str) -> bool:
    if "**" in pattern:
        return fnmatch.fnmatchcase(path, pattern.replace("**/", "*"))
    parts, wanted = PurePosixPath(path).parts, PurePosixPath(pattern).parts
    alike = (fnmatch.fnmatchcase(a, b) for a, b in zip(parts, wanted, strict=False))
    return len(parts) == len(wanted) and all(alike)


def _file_system(url: str) -> tuple[Any, str]:
    """An Arrow file system and the path in it."""
    scheme = url.partition("://")[0]
    try:
        files, path = pa_fs.FileSystem.from_uri(url)
        return files, str(path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        pass  # not one of Arrow's, or not as Arrow spells it
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise TableError(f"{url}: to read {scheme}:// install fsspec") from None
    with _unknown(url):
        files, path = url_to_fs(url)
    return pa_fs.PyFileSystem(pa_fs.FSSpecHandler(files)), str(path)


@contextmanager
def _unknown(url: str) -> Iterator[None]:
    """Says which package a kind of URL wants, where fsspec knows."""
    try:
        yield
    except (ValueError, ImportError) as error:
        reason = "nothing installed here reads it" if isinstance(error, ValueError) else error
        raise TableError(f"{url} cannot be read: {reason}") from None
