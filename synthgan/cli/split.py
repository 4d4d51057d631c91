"""``synthgan split``: sets rows aside before a fit, to judge against."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import synthgan
from synthgan.cli.options import (
    PATH,
    WholeNumber,
    delimiter_option,
    given,
    overwrite_option,
    quiet_option,
)
from synthgan.progress import count, say

_COMPRESSED = (".gz", ".bz2", ".xz", ".zst")

_NOT_COVERED = (
    "note: a private fit (--epsilon) of these parts would not cover the table, so it refuses them; "
    "without --seed and --records it does"
)
_TORN = (
    "note: in DATA a cell in quotes goes on in the next line, or a quote is never closed; each "
    "line was taken for a row, as a private fit does. With --records such cells stay whole"
)
_EMPTY = "note: {} has no row: with so few rows chance can do that; --seed gives an exact share"


@click.command()
@click.argument("data")
@click.option("--holdout", type=float, help="Share of rows for the holdout; without it, 0.2.")
@click.option("--by", metavar="COLUMN", help="Rows with equal cells here stay together.")
@click.option("--train-file", type=PATH, help="Rows to learn from; without it, train.ENDING.")
@click.option("--holdout-file", type=PATH, help="File of the holdout; without it, holdout.ENDING.")
@click.option(
    "--seed",
    type=WholeNumber(0),
    help="An exact share, and the same rows each time; a private fit of the parts is then not "
    "covered. Without it, secret coins decide.",
)
@click.option(
    "--records",
    is_flag=True,
    help="Cells in quotes may hold line breaks, as they may with --seed; a private fit of the "
    "parts is then not covered. Without it, each line of a CSV file is a row.",
)
@delimiter_option
@overwrite_option
@quiet_option
def split(
    data: str,
    train_file: Path | None,
    holdout_file: Path | None,
    delimiter: str | None,
    overwrite: bool,
    quiet: bool,
    **how: Any,
) -> None:
    """Sets rows of a table aside at random, before a fit, so that there is something to judge by.

    Leaves two files in the current folder, with the ending of DATA, and cells as they were. Each
    row is set aside by a secret coin of its own, whatever other rows there are: a private fit of
    a part then covers the whole table, and how many rows are set aside is random, too. Where a
    person has several rows, --by keeps them together: rows of one person on both sides would hide
    what a model has memorised.

    \b
    Examples:
      synthgan split data.csv
      synthgan split visits.parquet --by patient_id --holdout 0.3
      synthgan evaluate train.csv synthetic.csv --holdout holdout.csv
    """
    name = Path(data)
    ending = "".join(name.suffixes[-2:] if name.suffix in _COMPRESSED else name.suffixes[-1:])
    files = (train_file or Path(f"train{ending}"), holdout_file or Path(f"holdout{ending}"))
    config = synthgan.SplitConfig(**given(**how))
    done = synthgan.split_file(data, *files, config, delimiter=delimiter, overwrite=overwrite)
    if quiet:
        return
    for rows, file in zip((done.train, done.holdout), files, strict=True):
        say(f"{count(rows, 'row')}: {file}")
    for rows, file in zip((done.train, done.holdout), files, strict=True):
        if not rows:
            say(_EMPTY.format(file))
    if done.mark is not None:
        say(_NOT_COVERED)
    if done.torn:
        say(_TORN)
    say(f"next: synthgan fit {files[0]}")
