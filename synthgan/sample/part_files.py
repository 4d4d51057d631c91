"""Rows without end, as part files of one table: resumed after a stop, shared by machines.

A part is a fixed run of chunks, and a chunk depends on the seed and its number alone: whoever
writes a part writes the same rows. A small file beside the parts, the *manifest*, says what they
are parts of, so that rows of another model, seed or condition are not added.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from synthgan.errors import ConfigError, TableError
from synthgan.files import read_small, write_bytes_atomically
from synthgan.sample.draw import CHUNK_ROWS
from synthgan.table.formats import format_of
from synthgan.table.write import delimiter_of, write_table

MANIFEST = "_synthgan.json"
"""The file beside the parts; readers of part files pass over names that begin so."""

_VERSION = 1
_WRITTEN_CHUNKS = 8  # written at once


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Part files to write.

    Raises :class:`ConfigError` for settings out of range, :class:`TableError` for an ending that
    is no format.
    """

    folder: str | Path
    """Made if it is not there. Parts in it that are finished are kept."""
    rows: int
    """Of the whole table."""
    shard: tuple[int, int] = (1, 1)
    """Which share of the parts to write: (3, 16) is the third of 16."""
    ending: str = ".parquet"
    """Format of the parts, such as ``.csv.gz``."""
    chunks: int = 128
    """Chunks of 8,192 rows that make a part."""
    safe_csv: bool = False
    """As for :func:`write_table`."""
    delimiter: str | None = None
    """As for :func:`write_table`."""

    def __post_init__(self) -> None:
        number, of = self.shard
        if not 1 <= number <= of:
            raise ConfigError(
                f"shard {number}/{of} is out of range: shards are numbered 1/{max(of, 1)} to "
                f"{max(of, 1)}/{max(of, 1)}"
            )
        if "".join(format_of(f"part{self.ending}")) != self.ending.lower():  # it is no path
            raise TableError(f"ending must be one such as .csv.gz, got {self.ending!r}")
        delimiter_of(f"part{self.ending}", self.delimiter)
        for name in ("rows", "chunks"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, got {getattr(self, name)}")

    @property
    def part_rows(self) -> int:
        """Rows of a part; the last one may have fewer."""
        return self.chunks * CHUNK_ROWS

    @property
    def paths(self) -> dict[int, Path]:
        """The parts that this shard writes, by their number from 0."""
        count, folder = math.ceil(self.rows / self.part_rows), Path(self.folder)
        number, of = self.shard
        return {
            part: folder / f"part-{part + 1:05d}-of-{count:05d}{self.ending}"
            for part in range(number - 1, count, of)
        }


def seed_in(parts: Parts) -> int | None:
    """The seed of the parts that are in the folder; None if none are."""
    seed = _read(Path(parts.folder) / MANIFEST).get("seed")
    return seed if isinstance(seed, int) else None


def claim(parts: Parts, about: Mapping[str, object]) -> None:
    """Makes the folder and its manifest, which says what the parts are parts of.

    Raises :class:`TableError` if there are parts of something else, or other files.
    """
    folder = Path(parts.folder)
    if folder.exists() and not folder.is_dir():
        raise TableError(f"{folder} is a file; part files need a folder")
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise TableError(f"{folder} cannot be made: {error.strerror}") from None
    wanted = {
        "synthgan_parts": _VERSION,
        "rows": parts.rows,
        "part_rows": parts.part_rows,
        "ending": parts.ending,
        **({"safe_csv": True} if parts.safe_csv else {}),
        **({"delimiter": parts.delimiter} if parts.delimiter else {}),
        **json.loads(json.dumps(about, default=str)),
    }
    path = folder / MANIFEST
    others = sorted(each.name for each in folder.iterdir() if not each.name.startswith((".", "_")))
    found = _read(path)
    if not found:
        if others:
            raise TableError(
                f"{folder} holds other files, such as {others[0]}; give an empty or a new one"
            )
        text = json.dumps(wanted, indent=2, sort_keys=True)
        write_bytes_atomically(path, f"{text}\n".encode(), overwrite=True)
        return
    for name in sorted(found.keys() | wanted.keys()):
        if found.get(name) != wanted.get(name):
            raise TableError(
                f"{folder} holds parts of another table: {_called(name, wanted)} differs; go on "
                "with the same model and options, or give another folder"
            )


def _called(name: str, wanted: Mapping[str, object]) -> str:
    return name.replace("_", " ") if name in wanted else "an entry of its manifest"


def write(
    parts: Parts, draw: Callable[[int, int], pd.DataFrame], on_part: Callable[[Path], None]
) -> list[Path]:
    """Writes the parts that are not there yet, each whole or not at all; gives all paths.

    ``draw`` gives the chunk of a number, of so many rows. ``on_part`` is called after each part,
    also after those that are there.
    """
    first: pd.DataFrame | None = None
    for number, path in parts.paths.items():
        if not path.exists():
            if first is None:  # its types are those of all parts
                first = draw(0, min(CHUNK_ROWS, parts.rows))
            frames = _frames(parts, draw, number)
            write_table(
                frames, path, like=first, safe_csv=parts.safe_csv, delimiter=parts.delimiter
            )
        on_part(path)
    return list(parts.paths.values())


def _frames(
    parts: Parts, draw: Callable[[int, int], pd.DataFrame], part: int
) -> Iterator[pd.DataFrame]:
    last = math.ceil(min((part + 1) * parts.part_rows, parts.rows) / CHUNK_ROWS)
    numbers = range(part * parts.chunks, last)
    for start in range(0, len(numbers), _WRITTEN_CHUNKS):
        chunks = [
            draw(number, min(CHUNK_ROWS, parts.rows - number * CHUNK_ROWS))
            for number in numbers[start : start + _WRITTEN_CHUNKS]
        ]
        frame = pd.concat(chunks, ignore_index=True)
        frame.attrs = dict(chunks[0].attrs)
        yield frame


_MOST_BYTES = 1 << 26  # of a manifest


def _read(path: Path) -> dict[str, object]:
    """The manifest; empty if there is none."""
    try:
        plain = json.loads(read_small(path, _MOST_BYTES))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        plain = None
    if not isinstance(plain, dict) or plain.get("synthgan_parts") != _VERSION:
        raise TableError(f"{path} does not say what the parts beside it are; give another folder")
    return plain
