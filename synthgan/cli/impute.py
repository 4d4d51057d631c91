"""``synthgan impute``: fills the missing cells of a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import synthgan
from synthgan.cli.options import (
    MODEL,
    PATH,
    WHOLE,
    WholeNumber,
    delimiter_option,
    device_option,
    given,
    is_stdout,
    overwrite_option,
    quiet_option,
    safe_option,
)
from synthgan.errors import TableError
from synthgan.progress import Progress, count, say

_DRAW = "draw"


@click.command()
@click.argument("data")
@click.argument("model", type=PATH, default=MODEL)
@click.option(
    "-o",
    "--output",
    type=PATH,
    default="imputed.csv",
    help="File to write; its ending is its format, - is standard output. Without it, imputed.csv "
    "in the current folder.",
)
@click.option(
    "-n",
    "--draws",
    "n",
    type=WholeNumber(1),
    help="How many times to fill in; above 1, a first column 'draw' tells them apart.",
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    help="Fill this column only; may be repeated. Without it, all are filled.",
)
@click.option(
    "--how",
    type=click.Choice(["draw", "typical"]),
    help="Draw each hole (without it), or take the mean or the most frequent of n draws.",
)
@click.option(
    "--seed", type=WHOLE, help="The same seed gives the same cells; without it, fresh ones."
)
@safe_option
@delimiter_option
@device_option
@overwrite_option
@quiet_option
def impute(
    data: str,
    model: Path,
    output: Path,
    columns: tuple[str, ...],
    overwrite: bool,
    quiet: bool,
    **how: Any,
) -> None:
    """Fills the missing cells of a table with a model of it; what is filled stays as it is.

    Each hole is drawn given what is known of its row. Several draws (-n 5) show how sure the
    model is; '--how typical -n 20' gives one likely value. Without MODEL, the model file is
    model.synthgan in the current folder.

    \b
    Examples:
      synthgan impute survey.csv
      synthgan impute survey.csv people.synthgan -n 5 -o five.parquet
      synthgan impute survey.csv --column age --column income
      synthgan impute survey.csv --how typical -n 20 --seed 1
    """
    with Progress(quiet=quiet) as progress:
        progress.wait("filling", data)
        dialect = {name: how.pop(name) for name in ("safe_csv", "delimiter")}
        synthgan.check_source(data)
        if not is_stdout(output):
            synthgan.check_target(output, overwrite=overwrite)
        frame = synthgan.read_table(data)
        fitted = synthgan.load(model, **given(device=how.pop("device")))
        filled = fitted.impute(frame, columns=columns or None, **given(**how))
    if filled.index.nlevels > 1:
        if _DRAW in filled:
            raise TableError(f"the table has a column {_DRAW!r} of its own; rename it")
        filled = filled.reset_index(level=_DRAW)
    synthgan.write_table([filled], output, overwrite=overwrite, **dialect)
    if not quiet and not is_stdout(output):
        holes = int(frame.isna().sum().sum())
        of = count(len(frame), "row")
        done = f"{count(holes, 'missing cell')} of {of} {'is' if holes == 1 else 'are'}"
        say(f"{done} filled in {output}")
