"""``synthgan evaluate``: judges a synthetic table against the real one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

import synthgan
from synthgan.cli.failures import BELOW, fail
from synthgan.cli.options import PATH, WHOLE, given, overwrite_option, quiet_option
from synthgan.cli.output import print_table
from synthgan.cli.tables import judge_tables
from synthgan.errors import TableError
from synthgan.progress import Progress, say, tell


def _ending(*endings: str) -> Callable[[click.Context, click.Parameter, Path | None], Path | None]:
    """Lets files of these endings through."""

    def check(ctx: click.Context, param: click.Parameter, path: Path | None) -> Path | None:
        if path is not None and path.suffix.lower() not in endings:
            raise click.BadParameter(f"{path} must end in {' or '.join(endings)}", ctx, param)
        return path

    return check


def _limits(ctx: click.Context, param: click.Parameter, text: str | None) -> dict[str, float]:
    """``c2st=0.6,tstr=0.95`` as a dict."""
    limits = {}
    for part in text.split(",") if text else ():
        key, _, limit = part.partition("=")
        try:
            value = float(limit)
        except ValueError:
            raise click.BadParameter(f"{part!r} is no limit; c2st=0.6 is one", ctx, param) from None
        if key.strip() in limits:
            raise click.BadParameter(f"{key.strip()} has two limits; give one", ctx, param)
        limits[key.strip()] = value
    return limits


@click.command()
@click.argument("data", nargs=-1, required=True, metavar="REAL SYNTHETIC")
@click.option(
    "--key",
    help="Judge two tables, a parent and its child, that belong together like "
    "customers.id=orders.customer_id.",
)
@click.option("--holdout", help="Real rows that the generator never saw.")
@click.option("--target", help="A column that models are to predict.")
@click.option(
    "-o",
    "--output",
    type=PATH,
    callback=_ending(".html"),
    default="report.html",
    help="Page to write; without it, report.html in the current folder.",
)
@click.option(
    "--json", "json_file", type=PATH, callback=_ending(".json"), help="Write all figures there too."
)
@click.option(
    "--card", type=PATH, callback=_ending(".json", ".md"), help="Write what may be published."
)
@click.option("--model", type=PATH, help="The model file, for its protections and its training.")
@click.option("--schema", type=PATH, help="What the columns are: a file of 'synthgan schema'.")
@click.option(
    "--fail-under",
    callback=_limits,
    help="Limits such as c2st=0.6,tstr=0.95: exit code 1 when a figure is worse.",
)
@click.option("--seed", type=WHOLE, help="For the choice of rows and folds; without it, 0.")
@overwrite_option
@quiet_option
@click.pass_context
def evaluate(
    ctx: click.Context, /, data: tuple[str, ...], key: str | None, output: Path, **how: Any
) -> None:
    """Judges a synthetic table, made by any tool, against the real one.

    REAL holds the rows that the generator learned from. With --holdout, rows of the same kind
    that it never saw, usefulness and privacy are judged too. The page is for the owner of the
    real rows; --card writes what may be handed out.

    With --key, the links between two tables are judged: REAL is a parent and its child,
    SYNTHETIC the folder of the synthetic ones, or both files. The figures are printed.

    \b
    Examples:
      synthgan evaluate train.csv synthetic.csv
      synthgan evaluate train.csv synthetic.csv --holdout held.csv --target income
      synthgan evaluate train.csv synthetic.csv --model model.synthgan --card card.md
      synthgan evaluate train.csv synthetic.csv --holdout held.csv --fail-under c2st=0.6,mia=0.55
      synthgan evaluate customers.csv orders.csv synthetic/ --key customers.id=orders.customer_id
    """
    if key is not None:
        _refuse_of_one_table(ctx)
        judge_tables(data, key, how)
        return
    if len(data) != 2:
        hint = "; for a parent and its child give --key too" if len(data) > 2 else ""
        raise click.UsageError(f"REAL and SYNTHETIC are needed; got {len(data)} of them{hint}")
    real, synthetic = data
    files = [each for each in (output, how["json_file"], how["card"]) if each is not None]
    twice = [
        each for i, each in enumerate(files) if each.absolute() in map(Path.absolute, files[:i])
    ]
    if twice:
        raise TableError(f"{twice[0]} was named for two files to write; name two")
    with Progress(quiet=how["quiet"]) as progress:
        progress.wait("reading", real)
        for table in filter(None, (real, synthetic, how["holdout"])):
            synthgan.check_source(table)
        synthgan.check_limits(how["fail_under"])
        for file in files:
            synthgan.check_target(file, overwrite=how["overwrite"])
        report = _judge(real, synthetic, how, progress)
    failures = report.check(how["fail_under"])
    for file in files:
        saved = report.card() if file is how["card"] else report
        saved.save(file, overwrite=how["overwrite"])
    if not how["quiet"]:
        _show(report)
        say(f"written: {', '.join(map(str, files))}")
    if failures:
        fail("; ".join(each.what for each in failures), BELOW)


def _refuse_of_one_table(ctx: click.Context) -> None:
    for name in ("holdout", "target", "output", "json_file", "card", "model", "schema"):
        if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT:
            option = name.removesuffix("_file")
            raise click.UsageError(f"--{option} is for the judging of one table")


def _judge(real: str, synthetic: str, how: dict[str, Any], progress: Progress) -> synthgan.Report:
    known = how["schema"]
    schema = None if known is None else synthgan.Schema.load(known, table=real)
    config = synthgan.EvaluateConfig(**given(schema=schema, seed=how["seed"]))

    def on_part(part: str, done: int, of: int) -> None:
        if done == 0:
            progress.phase("judging", of, "parts")
        progress.update(done, part)

    return synthgan.evaluate(
        synthetic,
        train=real,
        holdout=how["holdout"],
        target=how["target"],
        model=None if how["model"] is None else synthgan.load(how["model"], device="cpu"),
        config=config,
        on_part=on_part,
    )


def _show(report: synthgan.Report) -> None:
    """Verdicts and headline figures on standard output."""
    for section in report.sections:
        tell(section.title)
        for sentence in section.verdict:
            tell(f"  {sentence}")
        for missing in section.findings.left_out:
            tell(f"  Left out: {missing.what} ({missing.why}).")
    tell("")
    summary = report.summary
    print_table([str(name) for name in summary], summary.itertuples(index=False))
