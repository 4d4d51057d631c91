"""Arguments and options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

MODEL = "model.synthgan"
"""The model file where none is named."""

PATH = click.Path(path_type=Path)

model_argument = click.argument("model", type=PATH, default=MODEL)
device_option = click.option(
    "--device", help="cpu, cuda, cuda:1 or mps; without it, the fastest that there is."
)
quiet_option = click.option("--quiet", is_flag=True, help="Print errors only.")
overwrite_option = click.option(
    "--overwrite", is_flag=True, help="Replace the output file if there is one."
)


def given(**options: Any) -> dict[str, Any]:
    """The options that were given: defaults are the package's business."""
    return {name: value for name, value in options.items() if value is not None}


def is_stdout(output: Path) -> bool:
    """Whether ``-`` was given as the file to write."""
    return str(output) == "-"
