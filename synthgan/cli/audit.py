"""``synthgan audit``: does the privacy guarantee hold?"""

from __future__ import annotations

from pathlib import Path

import click

import synthgan
from synthgan.cli.failures import BELOW, fail
from synthgan.cli.options import PATH, overwrite_option, quiet_option
from synthgan.cli.output import print_table
from synthgan.progress import Progress, duration, say, tell


@click.command()
@click.option("--schema", type=PATH, help="Replay with these columns: a file of 'synthgan schema'.")
@click.option("--thorough", is_flag=True, help="Run attacks four times as often.")
@click.option("--json", "json_file", type=PATH, help="Write all findings there too.")
@overwrite_option
@quiet_option
def audit(
    schema: Path | None, thorough: bool, json_file: Path | None, overwrite: bool, quiet: bool
) -> None:
    """Asks whether the guarantee of private fits holds: fits tables with and without one
    person's row, and tries to tell the two apart.

    Needs no data: the tables are generated, as bad as can be. Faults are then built in on
    purpose, to see whether the audit would notice. Exit code 0: nothing speaks against the
    guarantee, and all faults were noticed; 1: otherwise. See docs/audit.md.

    \b
    Examples:
      synthgan audit
      synthgan audit --schema schema.json
      synthgan audit --thorough --json audit.json
    """
    if json_file is not None:
        synthgan.check_target(json_file, overwrite=overwrite)
    columns = None if schema is None else synthgan.Schema.load(schema)
    found = _run(columns, thorough, quiet)
    if json_file is not None:
        found.save(json_file, overwrite=overwrite)
    if not quiet:
        _show(found)
    if not found.passed:
        fail(found.sentences[0] if found.broken else found.sentences[1], BELOW)


def _run(columns: synthgan.Schema | None, thorough: bool, quiet: bool) -> synthgan.Audit:
    with Progress(quiet=quiet) as progress:
        begun = False

        def on_part(part: str, done: int, of: int) -> None:
            nonlocal begun
            if not begun:
                progress.phase("auditing", of, "runs")
                begun = True
            progress.update(done, part)

        return synthgan.audit_privacy(columns, thorough=thorough, on_part=on_part)


def _show(found: synthgan.Audit) -> None:
    """All findings, and what they come to, on standard output."""
    rows = [
        (each.check, each.variant, f"{each.measured:.3g}", f"{each.allowed:.3g}", each.verdict)
        for each in found.findings
    ]
    print_table(("check", "variant", "measured", "allowed", "verdict"), rows)
    click.echo()
    for sentence in found.sentences:
        tell(sentence)
    say(f"took {duration(found.seconds)}")
