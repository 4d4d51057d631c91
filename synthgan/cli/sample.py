"""``synthgan sample``: draws synthetic rows from a model file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import synthgan
from synthgan.cli.failures import INTERRUPTED, fail
from synthgan.cli.options import (
    PATH,
    device_option,
    given,
    is_stdout,
    model_argument,
    overwrite_option,
    quiet_option,
)
from synthgan.cli.output import say
from synthgan.cli.progress import Progress

if TYPE_CHECKING:
    import pandas as pd


@click.command()
@model_argument
@click.option("-n", "--rows", "n", type=click.IntRange(min=1), required=True, help="How many rows.")
@click.option(
    "-o",
    "--output",
    type=PATH,
    default="synthetic.csv",
    help="File to write; its ending is its format (.csv, .tsv, .parquet, .feather; .csv.gz and "
    "the like), - is standard output. Without it, synthetic.csv in the current folder.",
)
@click.option(
    "--where",
    help="""Only rows such as 'income == ">50K" and age >= 30'; without it, rows of all kinds.""",
)
@click.option("--seed", type=int, help="The same seed gives the same rows; without it, fresh ones.")
@device_option
@overwrite_option
@quiet_option
def sample(
    model: Path, n: int, output: Path, device: str | None, overwrite: bool, quiet: bool, **how: Any
) -> None:
    """Draws synthetic rows from a model file.

    Without MODEL, the model file is model.synthgan in the current folder.

    \b
    Examples:
      synthgan sample -n 10000
      synthgan sample people.synthgan -n 1000000 -o people.parquet --seed 7
      synthgan sample -n 500 --where 'income == ">50K" and age >= 30' -o rich.csv
      synthgan sample -n 100 -o - --quiet | head
    """
    chunks = synthgan.load(model, **given(device=device)).iter_samples(n, **given(**how))
    try:
        with Progress(quiet=quiet) as progress:
            progress.phase("drawing", n, "rows")
            rows = synthgan.write_table(_counted(chunks, progress), output, overwrite=overwrite)
    except KeyboardInterrupt:
        if is_stdout(output):
            fail("interrupted", INTERRUPTED)  # some rows may be out
        raise
    if not quiet and not is_stdout(output):
        say(f"{rows:,} synthetic rows are in {output}")


def _counted(chunks: Iterator[pd.DataFrame], progress: Progress) -> Iterator[pd.DataFrame]:
    """The chunks; each is shown as done once the next one is asked for."""
    done = 0
    for chunk in chunks:
        yield chunk
        done += len(chunk)
        progress.update(done)
