"""Tables and lists for the screen, without anything that a terminal would obey."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

import click

import synthgan
from synthgan.progress import printable, tell

_MOST_DECLARED = 30  # columns, of which a fit says what is declared


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints a table on standard output: folded on a terminal, else a line a row."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in header:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    # a file or a pipe has no width to fold at
    console = Console(width=None if sys.stdout.isatty() else 100_000)
    with console.capture() as capture:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in capture.get().splitlines()))


def print_columns(
    schema: synthgan.Schema, counts: Sequence[synthgan.ValueCount] | None = None
) -> None:
    """Prints a line a column: what it is, how its cells are written, how many different ones."""
    rows: list[tuple[str, ...]] = [
        (
            column.name,
            column.kind.value,
            "can be missing" if column.nullable else "",
            column.dtype,
            column.written_as,
        )
        for column in schema
    ]
    header: tuple[str, ...] = ("column", "kind", "", "dtype", "written as")
    if counts is not None:
        header = (*header, "values")
        rows = [(*r, f"{c.distinct:,}") for r, c in zip(rows, counts, strict=True)]
    print_table(header, rows)


def declared_public(schema: synthgan.Schema) -> list[str]:
    """A line for each column of a schema that says what of it is taken as public."""
    lines = [
        ", ".join(
            filter(None, (f"{c.name!r} is {c.kind.value}", c.personal, c.dtype, c.format)),
        )
        for c in schema
    ]
    more = len(lines) - _MOST_DECLARED
    if more > 1:
        lines[_MOST_DECLARED:] = [f"{more} columns more, which 'synthgan schema --public' lists"]
    return lines


def print_rare(counts: Sequence[synthgan.ValueCount]) -> None:
    """Prints which columns would lose much, and what to do."""
    tell_list(
        "much of these would be lost, as few rows share a value:",
        [
            f"{each.column!r}: {each.rare:,} values of few rows each ({each.rare_share:.1%} of "
            f"rows) would be replaced by more frequent ones; {each.advice}"
            for each in counts
            if each.advice
        ],
    )


def print_findings(findings: Sequence[synthgan.PersonalColumn]) -> None:
    """Prints which columns are not learned, or perhaps should not be: how sure, and why."""
    for learned, title in (
        (False, "not learned, but generated:"),
        (True, "learned, but perhaps personal; say so in the schema if they are:"),
    ):
        rows = [each for each in findings if each.learned is learned]
        if rows:
            click.echo()
            tell(title)
            print_table(
                ("  column", "what", "score", "why"),
                ((f"  {r.column}", r.personal or "", f"{r.score:.2f}", r.why) for r in rows),
            )


def print_whose(
    schema: synthgan.Schema,
    counts: Sequence[synthgan.ValueCount],
    identifying: Sequence[synthgan.Identifying],
) -> None:
    """Prints whose rows they are, and what says together who somebody is."""
    if schema.entity is not None:
        known = {each.column: each.distinct for each in counts}
        per = sum(column.per == schema.entity for column in schema)
        click.echo()
        tell(
            f"rows are those of {known[schema.entity]:,} {schema.entity!r} (entity): they are "
            f"counted, not rows; {per} other columns have one generated cell for each"
        )
        tell("  say --entity COLUMN if it is another, or take it out of the schema if it is none")
    tell_list(
        "identifies people in combination; coarser columns (year, region) tell less:",
        [str(each) for each in identifying],
    )


def print_constraints(schema: synthgan.Schema) -> None:
    """Prints the rules between columns, if there are any, a line a rule."""
    if schema.constraints:
        click.echo()
        tell("every row keeps:")
    for constraint in schema.constraints:
        tell(f"  {constraint}")


def tell_list(title: str, lines: Sequence[str]) -> None:
    """Tells ``lines``, if there are any, under a title."""
    if lines:
        click.echo()
        tell(title)
    for line in lines:
        tell(f"  {line}")
