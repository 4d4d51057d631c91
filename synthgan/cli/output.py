"""Words and tables for the screen, without anything that a terminal would obey."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

import synthgan


def printable(text: str) -> str:
    """``text`` on one line, with what is not printable spelt as in Python."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def say(text: str) -> None:
    """Prints a message: one line on standard error."""
    click.echo(printable(text), err=True)


def tell(text: str) -> None:
    """Prints what was asked for: one line on standard output."""
    click.echo(printable(text))


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


def print_columns(schema: synthgan.Schema) -> None:
    """Prints a line a column: what it is and how its cells are written."""
    rows = [
        (
            column.name,
            column.kind.value,
            "can be missing" if column.nullable else "",
            column.dtype,
            _spelling(column),
        )
        for column in schema
    ]
    print_table(("column", "kind", "", "dtype", "written as"), rows)


def print_findings(findings: Sequence[synthgan.PersonalColumn]) -> None:
    """Prints which columns are not learned, or perhaps should not be: how sure, and why."""
    for learned, title in (
        (False, "not learned, but made up anew:"),
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


def print_constraints(schema: synthgan.Schema) -> None:
    """Prints the rules between columns, if there are any, a line a rule."""
    if schema.constraints:
        click.echo()
        tell("every row keeps:")
    for constraint in schema.constraints:
        tell(f"  {constraint}")


def _spelling(column: synthgan.Column) -> str:
    """How the cells of a column are written, in words."""
    if column.personal is not None or column.references is not None:
        what = column.personal or f"as in {column.references}"
        return what if column.format is None else f"{what} {column.format}"
    if column.words is not None:
        return f"{column.format}, or words: {len(column.words)}"
    if column.format is not None:
        return column.format
    if column.decimals is not None:
        return f"{column.decimals} decimals"
    return "" if column.resolution is None else f"down to {column.resolution}"


def tell_list(title: str, lines: Sequence[str]) -> None:
    """Tells ``lines``, if there are any, under a title."""
    if lines:
        click.echo()
        tell(title)
    for line in lines:
        tell(f"  {line}")


def count(number: int, what: str) -> str:
    """So many of ``what``, which is a word for one of them."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def count_are(number: int, what: str) -> str:
    """``3 rows are``, ``1 row is``."""
    return f"{count(number, what)} {'is' if number == 1 else 'are'}"


def duration(seconds: float) -> str:
    """A time in words, to the second or the minute."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def file_size(path: Path) -> str:
    """The size of a file in words."""
    size = path.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"
