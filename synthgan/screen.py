"""Words for the screen, without anything that a terminal would obey."""

from __future__ import annotations

from pathlib import Path

import click


def printable(text: str) -> str:
    """``text`` on one line, with what is not printable spelt as in Python."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def say(text: str) -> None:
    """Prints a message: one line on standard error."""
    click.echo(printable(text), err=True)


def tell(text: str) -> None:
    """Prints what was asked for: one line on standard output."""
    click.echo(printable(text))


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
