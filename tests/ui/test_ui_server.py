"""The local page asked over sockets, by those who have its address and those who have not."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlparse

import pandas as pd
import pytest

pytest.importorskip("waitress")

BLOCK = b"x" * (1 << 20)


@dataclass(frozen=True)
class Page:
    """A page that is being served."""

    folder: Path
    port: int
    path: str
    opened: Path
    """Where the browser put what it was called with."""
    pid: int

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def get(self) -> int:
        return self.ask("GET", "")

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> int:
        """The status of the answer."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, self.path + path, body or None, headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status

    def stored(self) -> int:
        """Bytes of files that the server holds open and that have no name, or one in scratch."""
        total = 0
        for link in Path(f"/proc/{self.pid}/fd").iterdir():
            with suppress(OSError):
                if str(self.folder) in os.readlink(link):
                    total += link.stat().st_size
        return total


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    if os.name != "posix":
        pytest.skip("a shell script plays the browser")
    here = tmp_path_factory.mktemp("page")
    browser, opened = here / "browser", here / "opened"
    browser.write_text(f'#!/bin/sh\necho "$@" > {opened}.part && mv {opened}.part {opened}\n')
    browser.chmod(0o700)
    folder = here / "kept"
    folder.mkdir(mode=0o755)
    server = subprocess.Popen(
        [sys.executable, "-m", "synthgan", "ui", str(folder), "--open"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "BROWSER": str(browser)},
        text=True,
    )
    assert server.stdout is not None
    try:
        address = urlparse(server.stdout.readline().strip())
        assert address.port is not None
        yield Page(folder, address.port, address.path, opened, server.pid)
    finally:
        server.terminate()
        server.communicate(timeout=30)


@pytest.mark.parametrize(
    "head",
    [
        "POST / HTTP/1.1\r\nHost: {host}",
        "POST {path}tables HTTP/1.1\r\nHost: evil.example",
        "POST {path}tables HTTP/1.1\r\nHost: {host}\r\nOrigin: http://evil.example",
        "POST {path}tables HTTP/1.1\r\nHost: {host}\r\nSec-Fetch-Site: cross-site",
        "PUT {path}tables HTTP/1.1\r\nHost: {host}\r\nSec-Fetch-Site: cross-site",
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nHost: evil.example",
    ],
)
@pytest.mark.parametrize("size", ["Content-Length: 314572800", "Transfer-Encoding: chunked"])
def test_no_body_of_a_refused_request_is_stored(page: Page, head: str, size: str) -> None:
    head = head.format(host=page.host, path=page.path)
    most, answer = 0, b""
    with closing(page.connect()) as stranger:
        stranger.sendall(f"{head}\r\n{size}\r\n\r\n".encode())
        with suppress(OSError):  # cut off
            for _ in range(20):
                stranger.sendall(b"100000\r\n" + BLOCK + b"\r\n" if "chunked" in size else BLOCK)
                most = max(most, page.stored())
        with suppress(OSError):
            answer = stranger.recv(1 << 16)
    assert most < 1 << 20
    assert answer == b"" or answer.split(b" ")[1] in (b"400", b"403", b"404")
    assert page.path.strip("/").encode() not in answer


def test_what_follows_a_refusal_is_not_looked_at(page: Page) -> None:
    with closing(page.connect()) as stranger:
        refused = f"POST / HTTP/1.1\r\nHost: {page.host}\r\nContent-Length: 999\r\n\r\n"
        smuggled = f"GET {page.path} HTTP/1.1\r\nHost: {page.host}\r\n\r\n"
        stranger.sendall(f"{refused}{smuggled}".encode())
        stranger.settimeout(20)
        found = b""
        with suppress(ConnectionResetError):
            while more := stranger.recv(1 << 16):
                found += more
    assert found.count(b"HTTP/1.1") <= 1
    assert b"200 OK" not in found


def test_forms_are_small_and_tables_may_be_large(page: Page) -> None:
    assert page.ask("POST", "t/none/fit", **{"Content-Length": str(5 << 20)}) == 413
    table = pd.DataFrame({"note": ["some words of a long note " * 50] * 6000}).to_csv(index=False)
    edge = "edge"
    body = (
        f'--{edge}\r\nContent-Disposition: form-data; name="table"; filename="t.csv"\r\n\r\n'
        f"{table}\r\n--{edge}--\r\n"
    ).encode()
    assert len(body) > 5 << 20
    form = {"Content-Type": f"multipart/form-data; boundary={edge}"}
    assert page.ask("POST", "tables", body, **form) == 303


def test_the_page_answers_while_strangers_hold_connections(page: Page) -> None:
    with_body = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nx"
    waiting = [page.connect() for _ in range(150)]
    try:
        for number, stranger in enumerate(waiting):
            with suppress(OSError):
                stranger.sendall((b"", b"GET / HT", with_body)[number % 3])
        began = time.monotonic()
        assert page.get() == 200
        assert time.monotonic() - began < 10
    finally:
        for stranger in waiting:
            stranger.close()


def test_a_stranger_who_says_nothing_is_not_waited_for(page: Page) -> None:
    with closing(page.connect()) as stranger:
        stranger.settimeout(30)
        assert stranger.recv(1) == b""


def test_the_browser_is_led_by_a_file_of_the_owners(page: Page) -> None:
    for _ in range(100):
        if page.opened.exists():
            break
        time.sleep(0.1)
    called = page.opened.read_text().strip()
    token = page.path.strip("/")
    assert token not in called
    (leading,) = page.folder.glob("open-*.html")
    assert called == leading.as_uri()
    assert leading.stat().st_mode & 0o777 == 0o600
    assert f"url=http://{page.host}/{token}/" in leading.read_text()


def test_a_folder_that_was_there_is_closed_to_others(page: Page) -> None:
    assert page.folder.stat().st_mode & 0o777 == 0o700
