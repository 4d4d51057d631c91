"""``synthgan compare``: several generators learn one table, and one judge looks at their rows."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click

import synthgan
from synthgan.cli.options import PATH, WHOLE, device_option, given, overwrite_option, quiet_option
from synthgan.cli.output import print_table
from synthgan.errors import TableError
from synthgan.progress import Progress, say


def _names(
    ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]
) -> tuple[str, ...] | None:
    """``--models synthgan,chow-liu --models vae`` as one tuple; None where nothing was said."""
    named = (each.strip() for text in texts for each in text.split(","))
    return tuple(filter(None, named)) if texts else None


@click.command()
@click.argument("data")
@click.option(
    "--models",
    multiple=True,
    callback=_names,
    help="Which, such as synthgan,chow-liu,vae, or one at a time; without it, the default model "
    "and all baselines.",
)
@click.option("--target", help="A column that models are to predict.")
@click.option("--schema", type=PATH, help="What the columns are: a file of 'synthgan schema'.")
@click.option("--holdout", type=float, help="Share of rows for the holdout; without it, 0.2.")
@click.option("--steps", type=WHOLE, help="Training steps at most, of each model that has some.")
@click.option(
    "-o",
    "--output",
    type=PATH,
    default="comparison.html",
    help="Page to write; without it, comparison.html in the current folder. The same with the "
    "ending .json holds all figures.",
)
@click.option("--seed", type=WHOLE, help="For the split, training and draws; without it, 0.")
@device_option
@overwrite_option
@quiet_option
def compare(data: str, output: Path, *, overwrite: bool, quiet: bool, **how: Any) -> None:
    """Compares the default model with simple generators, on the same rows and by the same judge.

    A fifth of the rows is set aside; each generator learns the others and draws as many. The
    simple ones are independent, markov-chain, chow-liu, copula and vae; wgan-gp, minimax,
    non-saturating, wgan-clip and hinge-sn are the default model trained by that game alone.
    Prints a leaderboard, and writes it as a page and as JSON, for the owner of the rows.

    \b
    Examples:
      synthgan compare data.csv
      synthgan compare data.csv --target income
      synthgan compare data.csv --models synthgan,chow-liu,vae -o some.html
      synthgan compare data.csv --models wgan-gp,minimax,hinge-sn
    """
    if output.suffix.lower() != ".html":
        raise TableError(f"{output} must end in .html; the figures go to the same name with .json")
    files = (output, output.with_suffix(".json"))
    with Progress(quiet=quiet) as progress:
        progress.wait("reading", data)
        synthgan.check_source(data)
        for file in files:
            synthgan.check_target(file, overwrite=overwrite)
        config = _config(how)

        def on_part(part: str, done: int, of: int) -> None:
            if done == 0 and part.endswith("learning"):
                progress.phase("comparing", of, "parts")
            progress.update(done, part)

        found = synthgan.compare(
            data, config, target=how["target"], schema=how["schema"], on_part=on_part
        )
    for file in files:
        found.save(file, overwrite=overwrite)
    if not quiet:
        _show(found)
        say(f"written: {', '.join(map(str, files))}")


def _config(how: dict[str, Any]) -> synthgan.CompareConfig:
    train = synthgan.TrainConfig(**given(steps=how["steps"], device=how["device"]))
    fit = synthgan.Config(train=train, **given(seed=how["seed"]))
    vae = synthgan.VaeConfig(**given(steps=how["steps"]))
    chosen = given(models=how["models"], holdout=how["holdout"])
    return dataclasses.replace(synthgan.CompareConfig(fit=fit, vae=vae), **chosen)


def _show(found: synthgan.Comparison) -> None:
    """The leaderboard on standard output: a line a generator."""
    costs = list(found.entries[0].cost)
    rows = []
    for place, entry in enumerate(found.entries):
        measures = [found.measures(key)[place] for key in found.keys]
        figures = ["" if each is None else f"{each.estimate.value:.3f}" for each in measures]
        rows.append([entry.name, *figures, *entry.cost.values()])
    print_table(["model", *found.keys, *costs], rows)
