"""The page on a port of this machine, for this machine."""

from __future__ import annotations

import html
import logging
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from synthgan.errors import TableError
from synthgan.ui.app import create_app
from synthgan.ui.guard import Door
from synthgan.ui.server import Server


def serve(
    folder: str | Path,
    *,
    port: int,
    on_ready: Callable[[str], None],
    on_file: Callable[[Path], None] | None = None,
) -> None:
    """Serves the page on 127.0.0.1 until it is interrupted; ``port`` 0 takes a free one.

    ``on_ready`` gets the address, which has a random token in it. ``on_file`` gets a file that
    leads a browser to it and that its owner alone can read, for as long as the page is served: what
    one program calls another with, everybody on the machine can list. Raises :class:`TableError`
    if the folder or the port cannot be had.
    """
    path = Path(folder)
    try:
        scratch = _own_folder(path)
    except OSError as error:
        raise TableError(f"{path}: cannot be a folder ({error.strerror}); name another") from None
    tempfile.tempdir = str(scratch.absolute())  # rows on their way stay in the folder, too
    token = secrets.token_urlsafe(24)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # strangers could fill the screen
    late: list[Callable[..., object]] = []  # the application knows the port once it is taken

    def application(environ: dict[str, object], start: object) -> object:
        return late[0](environ, start)

    try:
        server = Server(application, port)
    except OSError as error:
        raise TableError(f"port {port} cannot be had ({error.strerror}); name another") from None
    server.door = Door(token=token, port=int(server.effective_port))
    late.append(create_app(path, token=token, port=server.door.port))
    address = f"http://127.0.0.1:{server.effective_port}/{token}/"
    leading = path / f"open-{secrets.token_hex(8)}.html"
    try:
        on_ready(address)
        if on_file is not None:
            _write_for_owner(leading, _leading_to(address))
            on_file(leading)
        server.run()
    finally:
        server.close()
        leading.unlink(missing_ok=True)
        shutil.rmtree(scratch, ignore_errors=True)


def _own_folder(path: Path) -> Path:
    """Makes ``path`` a folder for its owner alone, and an empty one in it for what is on its way.

    Raises :class:`OSError` where it cannot, as with a folder of somebody else.
    """
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.chmod(0o700)
    scratch = path / ".scratch"
    scratch.mkdir(exist_ok=True, mode=0o700)
    if not stat.S_ISDIR(scratch.lstat().st_mode):
        raise NotADirectoryError(0, f"{scratch.name} in it is a link")
    scratch.chmod(0o700)
    return scratch


def _write_for_owner(path: Path, data: bytes) -> None:
    """Makes a file that its owner alone can read, from its first moment."""
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def _leading_to(address: str) -> bytes:
    """A page from which a browser goes on to ``address``."""
    goal = html.escape(address)
    return (
        '<!doctype html><meta charset="utf-8"><title>SynthGAN</title>'
        '<meta name="referrer" content="no-referrer">'
        f'<meta http-equiv="refresh" content="0; url={goal}"><a href="{goal}">SynthGAN</a>\n'
    ).encode()
