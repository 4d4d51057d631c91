"""The page on a port of this machine, for this machine."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import waitress.server

from synthgan.errors import TableError
from synthgan.ui.app import create_app

_MOST_BYTES = 64 * 2**30  # of a table that is sent


def serve(folder: str | Path, *, port: int, on_ready: Callable[[str], None]) -> None:
    """Serves the page on 127.0.0.1 until it is interrupted; ``port`` 0 takes a free one.

    ``on_ready`` gets the address, which has a random token in it. Raises :class:`TableError` if
    the folder or the port cannot be had.
    """
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        scratch = path / ".scratch"
        scratch.mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise TableError(f"{path}: cannot be a folder ({error.strerror}); name another") from None
    tempfile.tempdir = str(scratch.absolute())  # rows on their way stay in the folder, too
    token = secrets.token_urlsafe(24)
    late: list[Callable[..., object]] = []  # the application knows the port once it is taken

    def application(environ: dict[str, object], start: object) -> object:
        return late[0](environ, start)

    try:
        server = waitress.server.create_server(
            application,
            host="127.0.0.1",
            port=port,
            threads=4,
            max_request_body_size=_MOST_BYTES,
            ident=None,
        )
    except OSError as error:
        raise TableError(f"port {port} cannot be had ({error.strerror}); name another") from None
    late.append(create_app(path, token=token, port=server.effective_port))
    on_ready(f"http://127.0.0.1:{server.effective_port}/{token}/")
    try:
        server.run()
    finally:
        server.close()
        shutil.rmtree(scratch, ignore_errors=True)
