"""``synthgan sample``: draws synthetic rows from a model file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import synthgan
from synthgan.cli.failures import INTERRUPTED, fail
from synthgan.cli.options import (
    WHOLE,
    WholeNumber,
    as_shard,
    delimiter_option,
    device_option,
    given,
    is_stdout,
    model_argument,
    overwrite_option,
    quiet_option,
    safe_option,
)
from synthgan.cli.tables import is_of_tables, sample_tables
from synthgan.progress import Progress, count, count_are, say

if TYPE_CHECKING:
    import pandas as pd


@click.command()
@model_argument
@click.option(
    "-n",
    "--rows",
    "n",
    type=WholeNumber(1),
    help="How many rows, of two tables in the parent; without it, about as many as were learned.",
)
@click.option(
    "-o",
    "--output",
    default="synthetic.csv",
    help="File to write; its ending is its format (.csv, .tsv, .parquet, .feather; .csv.gz and "
    "the like), - is standard output. Without it, synthetic.csv in the current folder. With a "
    "slash at its end, a folder for part files, or for two tables.",
)
@click.option(
    "--parts",
    is_flag=True,
    help="Write part files to the folder that -o names, of about a million rows each. Those that "
    "are there from an earlier run of the same command are kept.",
)
@click.option(
    "--shard",
    callback=as_shard,
    help="Write only this share of the part files, such as 3/16, the third of 16; needs --seed.",
)
@click.option(
    "--format", "ending", help="Format of part files (.parquet without it) or of two tables (.csv)."
)
@click.option(
    "--where",
    help="""Only rows such as 'income == ">50K" and age >= 30'; without it, rows of all kinds.""",
)
@click.option(
    "--given",
    "given_file",
    help="A table of partly filled rows; each comes out filled up, and -n is left out.",
)
@click.option(
    "--balance",
    multiple=True,
    help="A column whose values are to be equally frequent, or shares as JSON: "
    """'{"income": {">50K": 0.5}}'. May be given more than once.""",
)
@click.option(
    "--extrapolate",
    is_flag=True,
    help="Let numbers and dates through that lie beyond what the training data showed.",
)
@click.option(
    "--locale",
    help="Language and country of generated names, addresses and the like, such as de_DE; without "
    "it the schema's, or en_US.",
)
@click.option(
    "--seed", type=WHOLE, help="The same seed gives the same rows; without it, fresh ones."
)
@safe_option
@delimiter_option
@device_option
@overwrite_option
@quiet_option
def sample(
    model: Path, n: int | None, output: str, overwrite: bool, quiet: bool, **how: Any
) -> None:
    """Draws synthetic rows from a model file.

    Without MODEL, the model file is model.synthgan in the current folder. Started by torchrun,
    each process writes its shard of the part files.

    \b
    Examples:
      synthgan sample -n 10000
      synthgan sample people.synthgan -n 1_000_000_000 -o rows/ --seed 7 --shard 3/16
      synthgan sample -n 500 --where 'income == ">50K" and age >= 30' -o rich.csv
      synthgan sample -n 1000 --balance income -o balanced.csv
      synthgan sample --given seeds.csv -o filled.csv
      synthgan sample -n 100 -o - --quiet | head
      synthgan sample shop.synthgan -n 1000 -o synthetic/     a model of two tables
    """
    with Progress(quiet=quiet) as progress:
        progress.wait("reading", str(model))
        of_tables = is_of_tables(model)
        progress.hush()  # what comes has a display of its own
    if of_tables:
        sample_tables(model, n, output, how, overwrite=overwrite, quiet=quiet)
        return
    _sample_one(model, n, output, how, overwrite=overwrite, quiet=quiet)


def _sample_one(
    model: Path, n: int | None, output: str, how: dict[str, Any], *, overwrite: bool, quiet: bool
) -> None:
    """Draws rows of one table."""
    launched, ending = synthgan.launched_shard(), how.pop("ending")
    dialect = {name: how.pop(name) for name in ("safe_csv", "delimiter")}
    shard = _shard(how.pop("shard"), launched)
    quiet = quiet or (launched or (1, 1))[0] != 1  # one speaks for all
    if how.pop("parts") or output.endswith(("/", os.sep)):
        if how["given_file"] is not None or overwrite:
            raise click.UsageError(
                "part files go with neither --given nor --overwrite: to write them anew, remove "
                "the folder"
            )
        loaded = synthgan.load(model, **given(device=how["device"]))
        settings = given(shard=shard, ending=ending and f".{ending.lstrip('.')}")
        settings |= {"rows": n or loaded.usual_rows, **dialect}
        parts = synthgan.Parts(folder=output, **settings)
        _sample_parts(loaded, parts, how, quiet=quiet)
        return
    if launched is not None:
        raise click.UsageError(
            "processes that torchrun has started write part files: give --parts, or a FOLDER/"
        )
    if shard is not None or ending is not None:
        raise click.UsageError("--shard and --format are for part files: give --parts too")
    seeds = None if how["given_file"] is None else synthgan.read_table(how["given_file"])
    if n is not None and seeds is not None:
        raise click.UsageError("give either -n, the number of rows, or --given, a table of them")
    loaded = synthgan.load(model, **given(device=how["device"]))
    chunks = loaded.iter_samples(n, given=seeds, **_asked(how))
    kept: dict[str, float] = {}
    total = len(seeds) if seeds is not None else n or loaded.usual_rows
    try:
        with Progress(quiet=quiet) as progress:
            progress.phase("drawing", total, "rows")
            rows = synthgan.write_table(
                _counted(chunks, progress, kept), output, overwrite=overwrite, **dialect
            )
    except KeyboardInterrupt:
        if is_stdout(output):
            fail("interrupted", INTERRUPTED)  # some rows may be out
        raise
    if not quiet and not is_stdout(output):
        say(f"{count_are(rows, 'synthetic row')} in {output}")
        for text, share in kept.items():
            say(f"note: {share:.1%} of the rows kept {text} at once; the others were drawn again")


def _shard(
    wanted: tuple[int, int] | None, launched: tuple[int, int] | None
) -> tuple[int, int] | None:
    """The share of the part files to write, if that is not all."""
    if wanted is not None and launched is not None:
        raise click.UsageError(
            "torchrun gives each process its shard: leave --shard out, or torchrun"
        )
    return wanted or launched


def _sample_parts(
    model: synthgan.Synthesizer, parts: synthgan.Parts, how: dict[str, Any], *, quiet: bool
) -> None:
    """Draws the part files that are not there yet."""
    done = 0

    def on_part(path: Path) -> None:
        nonlocal done
        done += 1
        progress.update(done)

    try:
        with Progress(quiet=quiet) as progress:
            progress.phase("drawing", max(len(parts.paths), 1), "part files")
            model.sample_parts(parts, on_part=on_part, **_asked(how))
    except KeyboardInterrupt:
        fail(
            f"interrupted; {done:,} of {len(parts.paths):,} part files are in {parts.folder}, and "
            "the same command goes on from there",
            INTERRUPTED,
        )
    if not quiet:
        share = "" if parts.shard[1] == 1 else f" (shard {parts.shard[0]} of {parts.shard[1]})"
        of = count(parts.rows, "synthetic row")
        are = "is" if done == 1 else "are"
        say(f"{count(done, 'part file')} of {of}{share} {are} in {parts.folder}")


def _asked(how: dict[str, Any]) -> dict[str, Any]:
    """What rows are asked for, as the package takes it."""
    wanted = given(where=how["where"], balance=_shares(how["balance"]), seed=how["seed"])
    return {"extrapolate": how["extrapolate"], **wanted, **given(locale=how["locale"])}


def _shares(texts: tuple[str, ...]) -> dict[str, Any] | None:
    """Columns to balance: each a name, or a JSON object of shares by column."""
    found: dict[str, Any] = {}
    for text in texts:
        if not text.lstrip().startswith("{"):
            found[text] = None
            continue
        try:
            found |= json.loads(text)
        except (ValueError, RecursionError):
            raise click.BadParameter(
                """--balance takes a column, or JSON such as '{"income": {">50K": 0.5}}'"""
            ) from None
    return found or None


def _counted(
    chunks: Iterator[pd.DataFrame], progress: Progress, kept: dict[str, float]
) -> Iterator[pd.DataFrame]:
    """The chunks; each is shown as done once the next one is asked for. ``kept`` gets what
    share of the rows kept each constraint at first."""
    done = 0
    for chunk in chunks:
        kept |= chunk.attrs.get("synthgan.acceptance", {})
        yield chunk
        done += len(chunk)
        progress.update(done)
