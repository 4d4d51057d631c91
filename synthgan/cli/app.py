"""The ``synthgan`` group: it puts the commands together and catches what they raise."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

import click

from synthgan.cli.audit import audit
from synthgan.cli.compare import compare
from synthgan.cli.evaluate import evaluate
from synthgan.cli.failures import Stop, one_line
from synthgan.cli.fit import fit
from synthgan.cli.impute import impute
from synthgan.cli.info import info
from synthgan.cli.ledger import ledger
from synthgan.cli.sample import sample
from synthgan.cli.schema import schema
from synthgan.cli.split import split
from synthgan.cli.ui import ui


class _Commands(click.Group):
    """The commands, with failures told in one line and never as a traceback."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        with one_line():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        ctx.obj = Stop()
        # Read once, when PyTorch loads: threads wait some microseconds for each other, then sleep.
        if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys():
            os.environ["GOMP_SPINCOUNT"] = "3000"
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # names may be beyond its alphabet
        with one_line(), ctx.obj.listening():
            return super().invoke(ctx)


@click.group(
    cls=_Commands,
    commands=[audit, compare, evaluate, fit, impute, info, ledger, sample, schema, split, ui],
    invoke_without_command=True,
)
@click.version_option(package_name="synthgan", prog_name="synthgan", message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Learns a table and gives synthetic rows with the same columns and patterns.

    \b
    Examples:
      synthgan fit data.csv               learns it, leaves model.synthgan
      synthgan sample -n 10000            leaves synthetic.csv
      synthgan evaluate data.csv synthetic.csv
      synthgan fit --help                 all about one command
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
