"""Where everything is kept: a folder of the owner's choice, with a folder for each table in it.

Nothing is ever replaced but the schema, which is what its owner edits: fits, rows and reports
are numbered.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthgan.errors import TableError
from synthgan.files import COMPRESSIONS, FORMATS

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
_ENDING = re.compile(
    rf"({'|'.join(map(re.escape, FORMATS))})({'|'.join(map(re.escape, COMPRESSIONS))})?", re.I
)
_SHOWN = re.compile(r"schema\.json|(model-\d+\.synthgan)|((rows|report|card|ledger)-\d+\.[a-z]+)")


@dataclass(frozen=True)
class Kept:
    """The folder of one table."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def data(self) -> Path:
        """The table as it was given."""
        (found,) = self.path.glob("data.*")
        return found

    @property
    def ending(self) -> str:
        return self.data.name.removeprefix("data")

    @property
    def schema(self) -> Path:
        return self.path / "schema.json"

    @property
    def inferred(self) -> Path:
        """The schema as it was inferred from the values, to go back to."""
        return self.path / "inferred.json"

    @property
    def files(self) -> list[Path]:
        """What may be taken away, newest first."""
        found = [each for each in self.path.iterdir() if _SHOWN.fullmatch(each.name)]
        return sorted(found, key=lambda each: (_number(each), each.name), reverse=True)

    def all(self, what: str) -> list[Path]:
        """All files of a sort, such as ``model``, newest first."""
        return [each for each in self.files if each.name.startswith(f"{what}-")]

    def file(self, name: str) -> Path | None:
        """One of :attr:`files`."""
        return next((each for each in self.files if each.name == name), None)

    def next_number(self, what: str) -> int:
        return 1 + max((_number(each) for each in self.path.glob(f"{what}-*")), default=0)

    def note(self, about: str, facts: Mapping[str, Any]) -> None:
        """Writes facts beside a file, such as what rows were asked for."""
        text = json.dumps(facts, ensure_ascii=False)
        (self.path / f".{about}.json").write_text(text, encoding="utf-8")

    def noted(self, about: str) -> dict[str, Any]:
        """What :meth:`note` wrote; empty if it did not."""
        try:
            found = json.loads((self.path / f".{about}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def _number(path: Path) -> int:
    found = re.search(r"-(\d+)\.", path.name)
    return int(found[1]) if found else 0


@dataclass(frozen=True)
class Folder:
    """The folder of all tables."""

    path: Path

    @property
    def tables(self) -> list[Kept]:
        found = [Kept(each) for each in self.path.iterdir() if _NAME.fullmatch(each.name)]
        return sorted((each for each in found if any(each.path.glob("data.*"))), key=_by_name)

    def table(self, name: str) -> Kept | None:
        return next((each for each in self.tables if each.name == name), None)

    def add(self, filename: str) -> Path:
        """Makes a folder for a table of that file's name; gives the file to write.

        Raises :class:`TableError` for an ending that no table has.
        """
        plain = re.split(r"[/\\]", filename)[-1]
        ending = _ENDING.search(plain)
        if ending is None or ending.end() != len(plain):
            raise TableError(
                f"a table is a file that ends in {', '.join(FORMATS)} (text also in one of "
                f"{', '.join(COMPRESSIONS)} after that); save it as one"
            )
        stem = re.sub(r"[^a-z0-9]+", "-", plain[: ending.start()].lower()).strip("-")[:40]
        name, number = stem or "table", 1
        while (self.path / name).exists():
            number += 1
            name = f"{stem or 'table'}-{number}"
        (self.path / name).mkdir()
        return self.path / name / f"data{ending[0].lower()}"


def _by_name(kept: Kept) -> str:
    return kept.name
