"""How rows of files are set aside, and where they go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from synthgan._typing import Bools
from synthgan.errors import TableError, near_column
from synthgan.files import DELIMITERS
from synthgan.table.part_files import Source
from synthgan.table.split import Coins, check_share, seeded
from synthgan.table.split import Source as Random
from synthgan.table.split_marks import Mark, clear_mark, mark_of_sources, write_mark


@dataclass(frozen=True, kw_only=True)
class FileSplit:
    """What :func:`split_file` has left."""

    train: int
    """Rows to learn from."""
    holdout: int
    """Rows set aside."""
    mark: Mark | None
    """Why a private fit of the parts would not cover the table; None where it does."""
    torn: bool = False
    """Whether quoted cells of a CSV file go on in the next line, which may be in the other part."""


@dataclass(frozen=True, kw_only=True)
class SplitConfig:
    """How :func:`split_file` sets rows of a file aside.

    Raises :class:`TableError` for a share that is not between 0 and 1.

    Attributes:
        holdout: The chance of each row to be set aside; with a seed, the share of rows.
        by: Column whose equal cells stay together, by their text, such as a person's rows; rows
            in which it is empty have a coin each.
        seed: Sets an exact share aside, the same rows each time; a private fit of the parts then
            does not cover the table. None: secret coins.
        records: Whether cells in quotes may hold line breaks, as they may with a seed; a private
            fit of the parts then does not cover the table. Without it, each line of CSV is a row.
    """

    holdout: float = 0.2
    by: str | None = None
    seed: int | None = None
    records: bool = False

    def __post_init__(self) -> None:
        check_share(self.holdout)


@dataclass(frozen=True)
class How:
    """What is to be split, and how."""

    data: str | Path
    sources: tuple[Source, ...]
    config: SplitConfig
    coins: Random

    @property
    def is_text(self) -> bool:
        return self.sources[0].ending in DELIMITERS

    @property
    def of_records(self) -> bool:
        return self.config.records or self.config.seed is not None

    @property
    def mark(self) -> Mark | None:
        """The mark of both parts: of a part of a marked table, that one's."""
        if self.config.seed is not None:
            return "seed"
        return "records" if self.config.records and self.is_text else mark_of_sources(self.sources)

    def aside_of_all(self, rows: int, names: list[bytes | None] | None) -> Bools:
        """Which of all rows are set aside."""
        share, by, seed = self.config.holdout, self.config.by, self.config.seed
        if seed is not None:
            return seeded(rows, names, share=share, seed=seed, by=by)
        secret = Coins(share, self.coins)
        return secret.of_rows(rows) if names is None else secret.of_units(names)

    def no_column(self, names: Iterable[str]) -> TableError:
        by = str(self.config.by)
        return TableError(f"{self.data} has no column {by!r} to split by; {near_column(by, names)}")


def put_marks(files: tuple[Path, Path], mark: Mark | None) -> None:
    """Marks the files that are about to take their places: none is ever there without."""
    for file in files:
        if mark is not None:
            write_mark(file, mark)


def take_old_marks(files: tuple[Path, Path], mark: Mark | None) -> None:
    """Those of files that were replaced by ones that need none."""
    for file in files:
        if mark is None:
            clear_mark(file)
