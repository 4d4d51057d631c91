"""``synthgan ui``: a page on the own machine to try it on."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click

from synthgan.cli.failures import MENDABLE, fail
from synthgan.cli.options import PATH
from synthgan.progress import say, tell


@click.command()
@click.argument("folder", type=PATH, default="synthgan-ui")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="A port; without it, a free one."
)
@click.option("--open", "show", is_flag=True, help="Open the page in the browser, too.")
def ui(folder: Path, port: int, show: bool) -> None:
    """Serves a page on this machine: drop a table, correct its columns, fit, draw, judge.

    All files stay in FOLDER (synthgan-ui in the current folder without it), in a folder for each
    table. Only this machine can reach the page, by the address that is printed, which has a
    random token in it. Ctrl-C ends it. Needs two more packages: pip install 'synthgan[ui]'.

    \b
    Examples:
      synthgan ui
      synthgan ui ~/tables --open
      synthgan ui --port 8000             for a tunnel: ssh -L 8000:127.0.0.1:8000 machine
    """
    try:
        from synthgan.ui.serve import serve
    except ModuleNotFoundError as error:
        fail(
            f"the page needs {error.name}, which is not installed: pip install 'synthgan[ui]'",
            MENDABLE,
        )

    def on_ready(address: str) -> None:
        say(f"files stay in {folder}; Ctrl-C ends it; open:")
        tell(address)

    def on_file(leading: Path) -> None:
        webbrowser.open(leading.absolute().as_uri())

    serve(folder, port=port, on_ready=on_ready, on_file=on_file if show else None)
    say(f"stopped; the files are in {folder}")
