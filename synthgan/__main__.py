"""``python -m synthgan``: the command line."""

from __future__ import annotations

from synthgan.cli.app import main

if __name__ == "__main__":
    main(prog_name="synthgan")
