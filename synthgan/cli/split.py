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
from synthgan.errors import TableError
from synthgan.screen import count, say

_COMPRESSED = (".gz", ".bz2", ".xz", ".zst")


@click.command()
@click.argument("data")
@click.option("--holdout", type=float, help="Share of rows to set aside; without it, 0.2.")
@click.option("--by", metavar="COLUMN", help="Rows with equal cells here stay together.")
@click.option("--train-file", type=PATH, help="Rows to learn from; without it, train.ENDING.")
@click.option("--holdout-file", type=PATH, help="Rows set aside; without it, holdout.ENDING.")
@click.option("--seed", type=WholeNumber(0), help="For the choice of rows; without it, 0.")
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

    Leaves two files in the current folder, with the ending of DATA. Where a person has several
    rows, --by keeps them together: rows of one person on both sides would hide what a model
    has memorised.

    \b
    Examples:
      synthgan split data.csv
      synthgan split visits.parquet --by patient_id --holdout 0.3
      synthgan evaluate train.csv synthetic.csv --holdout holdout.csv
    """
    name = Path(data)
    ending = "".join(name.suffixes[-2:] if name.suffix in _COMPRESSED else name.suffixes[-1:])
    files = (train_file or Path(f"train{ending}"), holdout_file or Path(f"holdout{ending}"))
    if files[0].absolute() == files[1].absolute():
        raise TableError(f"both parts would be written to {files[0]}; name two files")
    parts = synthgan.split_table(synthgan.read_table(data), **given(**how))
    for file in files:
        synthgan.check_target(file, overwrite=overwrite)
    for part, file in zip(parts, files, strict=True):
        synthgan.write_table([part], file, overwrite=overwrite, delimiter=delimiter)
        if not quiet:
            say(f"{count(len(part), 'row')}: {file}")
    if not quiet:
        say(f"next: synthgan fit {files[0]}")
