"""Arguments and options that several commands have."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

import synthgan

MODEL = "model.synthgan"
"""The model file where none is named."""

PATH = click.Path(path_type=Path)
"""A file of ours. Tables are plain text: they may be URLs, which a Path would bend."""


class WholeNumber(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.3
    """A whole number, refused in plain words."""

    name = "integer"

    def __init__(self, least: int | None = None) -> None:
        self._least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            number = int(value)
        except ValueError:
            self.fail(f"{value!r} is no whole number, such as 1000", param, ctx)
        if self._least is not None and number < self._least:
            self.fail(f"{number} is too little: at least {self._least} is wanted", param, ctx)
        return number


WHOLE = WholeNumber()

_UNITS = {"": 1, "B": 1, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
_UNITS |= {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def as_bytes(ctx: click.Context, param: click.Parameter, text: str | None) -> int | None:
    """The number of bytes that an option such as 3GiB or 500MB says."""
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([A-Za-z]*)", text.replace(" ", ""))
    unit = _UNITS.get(found[2].upper()) if found else None
    if found is None or unit is None or not 1 <= float(found[1]) * unit < 2**63:
        raise click.BadParameter("say a size as in 3GiB, 500MB or 1000000000", ctx, param)
    return int(float(found[1]) * unit)


def as_shard(
    ctx: click.Context, param: click.Parameter, text: str | None
) -> tuple[int, int] | None:
    """The number of a share and how many there are, of an option such as 3/16."""
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text.strip())
    if found is None:
        raise click.BadParameter("say a shard as in 3/16, the third of 16", ctx, param)
    return int(found[1]), int(found[2])


model_argument = click.argument("model", type=PATH, default=MODEL)
device_option = click.option(
    "--device", help="cpu, cuda, cuda:1 or mps; without it, the fastest that there is."
)
quiet_option = click.option("--quiet", is_flag=True, help="Print errors only.")
overwrite_option = click.option(
    "--overwrite", is_flag=True, help="Replace the output file if there is one."
)
safe_option = click.option(
    "--safe-csv",
    is_flag=True,
    help="Put an apostrophe before text of a CSV file that a spreadsheet would run as a formula.",
)


def _as_delimiter(ctx: click.Context, param: click.Parameter, text: str | None) -> str | None:
    return "\t" if text == "tab" else text


delimiter_option = click.option(
    "--delimiter",
    type=click.Choice([",", ";", "|", "tab"]),
    callback=_as_delimiter,
    help="What stands between the cells of a CSV file that is written; without it, a comma.",
)


entity_option = click.option(
    "--entity",
    metavar="COLUMN",
    help="Column that says whose row it is, where one person has several rows: it is not learned, "
    "and what is kept counts people. Without it, one is found by its name and its values.",
)
learn_option = click.option(
    "--learn",
    "--not-personal",
    "learn",
    metavar="COLUMN",
    multiple=True,
    help="A column to learn as it is, though it looks as if it named somebody. Repeatable.",
)
identifier_option = click.option(
    "--identifier",
    "identifiers",
    metavar="COLUMN",
    multiple=True,
    help="A column that names people or things: generated, and never learned. Repeatable.",
)


def hints(options: dict[str, Any]) -> synthgan.Hints:
    """Takes what is said of columns whose kinds are inferred out of ``options``."""
    names = ("entity", "learn", "identifiers")
    return synthgan.Hints(**{name: options.pop(name) for name in names})


def given(**options: Any) -> dict[str, Any]:
    """The options that were given: defaults are the package's business."""
    return {name: value for name, value in options.items() if value is not None}


def is_stdout(output: str | Path) -> bool:
    """Whether ``-`` was given as the file to write."""
    return str(output) == "-"
