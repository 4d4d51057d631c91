"""Which tables are parts of a split that is public, so that a private fit can refuse them.

A part's rows were chosen by something that others know or that other rows decide: a seed, or quotes
that join lines. Then one row more in the whole table changes which of the others are in the part,
and what a guarantee says of the part it does not say of the whole. The mark stands in the ``attrs``
of a DataFrame, and in a small file beside a file.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from synthgan.errors import TableError
from synthgan.files import check_target, read_small, write_bytes_atomically
from synthgan.table.part_files import MARK_ENDING, Source, find_sources

SPLIT = "synthgan.split"
"""Key of ``DataFrame.attrs`` whose value is a :data:`Mark`."""

Mark = Literal["seed", "records"]
"""What chose the rows of a part: a seed, or coins for records, which quotes of other rows can
join."""

_VERSION = 1
_HOW: dict[Mark, str] = {
    "seed": "chosen by a seed and the number of rows",
    "records": "split by records, which one odd quote joins",
}


def mark_of(frame: pd.DataFrame) -> Mark | None:
    """The mark of a frame; rows taken from it keep it."""
    found = frame.attrs.get(SPLIT)
    return found if found in _HOW else None


def split_mark(data: pd.DataFrame | str | Path) -> Mark | None:
    """The mark of a table, or of the file, or one of the part files, that it is the path of."""
    if isinstance(data, pd.DataFrame):
        return mark_of(data)
    return mark_of_sources(find_sources(data))


def mark_of_sources(sources: tuple[Source, ...]) -> Mark | None:
    """The first mark that there is beside any of ``sources``."""
    found = (_parsed(source.beside(MARK_ENDING)) for source in sources)
    return next((mark for mark in found if mark is not None), None)


def refuse_public_split(data: pd.DataFrame | str | Path, *, told: bool) -> None:
    """Raises :class:`TableError` if a private fit would not cover the table ``data`` came from,
    unless the owner has ``told`` that the split is public."""
    mark = None if told else split_mark(data)
    if mark is None:
        return
    what = "these rows" if isinstance(data, pd.DataFrame) else str(data)
    raise TableError(
        f"{what}: a part of a table, {_HOW[mark]}, so that one row more in the table would have "
        "changed which other rows are in it, and a guarantee for the part is none for the table. "
        "Split the table again without a seed ('synthgan split', split_table), or, if it is public "
        "knowledge which rows are in the part, say so: --public-split, or "
        "PrivacyConfig(public_split=True)"
    )


def write_mark(path: str | Path, mark: Mark) -> None:
    """Puts the mark beside a file that is, or will be, at ``path``; raises :class:`TableError`."""
    beside = _beside(path)
    check_target(beside, overwrite=_read(beside) is not None)
    text = json.dumps({"synthgan_split": _VERSION, "rows": mark, "private_fit": "not covered"})
    write_bytes_atomically(beside, f"{text}\n".encode(), overwrite=True)


def clear_mark(path: str | Path) -> None:
    """Takes the mark of an older file at ``path`` away; raises :class:`TableError`."""
    beside = _beside(path)
    if _read(beside) is not None:
        try:
            beside.unlink()
        except OSError as error:
            raise TableError(f"{beside} cannot be removed: {error.strerror}") from None


def _beside(path: str | Path) -> Path:
    return Path(f"{os.fspath(path)}{MARK_ENDING}")


def _read(beside: Path) -> Mark | None:
    """The mark in a file; None where there is none, or a file of somebody else's."""
    with suppress(OSError):
        return _parsed(read_small(beside))
    return None


def _parsed(text: bytes | None) -> Mark | None:
    try:
        plain: Any = json.loads(text or b"null")
    except ValueError:
        return None
    if not isinstance(plain, dict) or "synthgan_split" not in plain:
        return None
    return "records" if plain.get("rows") == "records" else "seed"
