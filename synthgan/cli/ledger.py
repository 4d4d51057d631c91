"""``synthgan ledger``: what several private releases of one table add up to."""

from __future__ import annotations

from pathlib import Path

import click

import synthgan
from synthgan.cli.options import PATH
from synthgan.progress import tell


@click.group()
def ledger() -> None:
    """Accounts for several private releases.

    \b
    Examples:
      synthgan ledger add january.synthgan february.synthgan
      synthgan ledger add --help
    """


@ledger.command()
@click.argument("models", type=PATH, nargs=-1, required=True)
@click.option("--delta", type=float, help="Delta of the whole; without it, the sum of theirs.")
def add(models: tuple[Path, ...], delta: float | None) -> None:
    """Adds up what model files fitted to the same rows cost together.

    MODELS may also be the ledgers (.ledger.json) that fits left which failed after they had asked
    the rows: what they spent is spent.

    A model that is drawn from twice costs nothing more; a table that is fitted twice does.

    \b
    Examples:
      synthgan ledger add january.synthgan february.synthgan
      synthgan ledger add a.synthgan b.synthgan --delta 1e-6
      synthgan ledger add model.synthgan model.synthgan.ledger.json
    """
    found = []
    for path in models:
        guarantee = synthgan.load_ledger(path)
        if guarantee is None:
            guarantee = synthgan.load(path, device="cpu").guarantee
        if guarantee is None:
            raise synthgan.ConfigError(
                f"{path} was fitted without epsilon: there is no bound on what it tells"
            )
        tell(f"{path}: epsilon {guarantee.epsilon:.6g}, delta {guarantee.delta:.3g}")
        found.append(guarantee)
    whole = synthgan.compose(found, delta=delta)
    tell(
        f"together: epsilon {whole.epsilon:.6g}, delta {whole.delta:.3g}, for adding or removing "
        f"{whole.difference}, if all were fitted to rows of the same people"
    )
