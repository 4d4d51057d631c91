"""``synthgan schema``: tells what the columns of a table are, and which rules it keeps."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

import synthgan
from synthgan.cli.options import (
    PATH,
    entity_option,
    hints,
    identifier_option,
    is_stdout,
    learn_option,
    overwrite_option,
)
from synthgan.cli.output import (
    print_columns,
    print_constraints,
    print_findings,
    print_rare,
    print_whose,
)
from synthgan.progress import say


@click.command()
@click.argument("data")
@click.option(
    "-o",
    "--output",
    type=PATH,
    default="schema.json",
    help="File to write, - is standard output; without it, schema.json in the current folder.",
)
@click.option(
    "--public",
    is_flag=True,
    help="Only names, kinds, dtypes and formats: what 'synthgan fit --declare' declares public.",
)
@entity_option
@learn_option
@identifier_option
@overwrite_option
def schema(data: str, output: Path, public: bool, overwrite: bool, **rest: Any) -> None:
    """Tells what the columns of a table are, and which rules between them all rows keep.

    Columns that say who somebody is, and names of rows, are not learned but generated: it
    tells how sure it is of each (0 to 1), and why. Where several rows share a person's key, it
    says which, and what several columns together say of people. Prints all, and writes it as
    JSON, to be edited and given to 'synthgan fit --schema'. Take out a rule that holds by chance,
    add those that you know: docs/constraints.md; docs/personal-data.md.

    \b
    Examples:
      synthgan schema data.csv
      synthgan schema data.csv -o - | less
      synthgan schema secret.csv --public
      synthgan schema visits.csv --entity patient_id
      synthgan fit data.csv --schema schema.json
    """
    synthgan.check_source(data)
    if not is_stdout(output):
        synthgan.check_target(output, overwrite=overwrite)
    table = synthgan.read_alone(data) if public else synthgan.read_table(data)
    told = hints(rest)
    found = synthgan.infer_schema(
        table,
        constraints=not public,
        entity=told.entity,
        learn=told.learn,
        identifiers=told.identifiers,
    )
    found = synthgan.public_part(found) if public else found
    if is_stdout(output):
        click.echo(f"{found.to_json()}\n".encode(), nl=False)  # UTF-8 and \n wherever it goes
        return
    found.save(output, overwrite=overwrite)
    if public:
        print_columns(found)
        say(f"the schema is in {output}; it has nothing else that was inferred from the rows")
        return
    counts = synthgan.count_values(table, found)
    print_columns(found, counts)
    print_rare(counts)
    print_findings(synthgan.find_personal(table, found))
    print_whose(found, counts, synthgan.find_identifying(table, found))
    print_constraints(found)
    say(
        f"the schema is in {output}; edit it, then: synthgan fit {shlex.quote(data)}"
        f" --schema {shlex.quote(str(output))}"
    )
    say(
        "its formats, words and rules are inferred from the rows: a fit with --epsilon takes them "
        "as public, so take out first what is no public knowledge, or use --public"
    )
