"""The server beneath the page: it looks at a request's headers before it takes in its body.

Every user of a machine, and every web page in its browser, can reach a port on it. So a request
is refused as soon as its headers are there, and then no more of it is read; only a table that
the owner sends may be large; a connection that has not shown the token is closed after a few
seconds, or sooner when many wait, so that nobody can lock the owner out by holding connections.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.utilities import Error

from synthgan.ui.guard import Door

_MOST_SENT = 64 * 2**30  # bytes of a table
_MOST_OF_A_FORM = 4 * 2**20  # bytes of any other request
_MOST_HEADERS = 16 * 2**10  # bytes
_MOST_WAITING = 64  # connections that have not shown the token
_PATIENCE = 10.0  # seconds that such a connection may take
_IDLE = 60  # seconds without a byte, for the owner's own
_LOOK_AFTER = 2  # seconds between two looks at who waits

_HEADERS = {"HOST": "Host", "ORIGIN": "Origin", "SEC_FETCH_SITE": "Sec-Fetch-Site"}
_REASONS = {400: "Bad Request", 403: "Forbidden", 404: "Not Found"}


class Server(TcpWSGIServer):  # type: ignore[misc]  # waitress has no types
    """Serves ``application`` on 127.0.0.1; ``port`` 0 takes a free one.

    :attr:`door` must be set before the first request, once the port is known. Raises
    :class:`OSError` where the port cannot be had.
    """

    door: Door

    def __init__(self, application: Callable[..., Any], port: int) -> None:
        self.channel_class = _Channel
        super().__init__(
            application,
            host="127.0.0.1",
            port=port,
            threads=4,
            ident=None,
            max_request_header_size=_MOST_HEADERS,
            max_request_body_size=_MOST_SENT,
            channel_timeout=_IDLE,
            cleanup_interval=_LOOK_AFTER,
            connection_limit=8 * _MOST_WAITING,
        )

    def maintenance(self, now: float) -> None:
        """Closes connections that wait too long."""
        super().maintenance(now)
        for channel in self.strangers():
            if now - channel.creation_time > _PATIENCE:
                channel.will_close = True

    def strangers(self) -> list[_Channel]:
        """Connections that have not shown the token yet, the oldest first."""
        waiting = [each for each in self.active_channels.values() if not each.is_owner]
        return sorted(waiting, key=lambda channel: channel.creation_time)


class _Channel(HTTPChannel):  # type: ignore[misc]
    """One connection."""

    is_owner = False
    """Whether a request over it has shown the token."""

    def __init__(self, server: Server, *others: Any, **more: Any) -> None:
        super().__init__(server, *others, **more)
        for channel in server.strangers()[:-_MOST_WAITING]:
            channel.will_close = True

    def parser_class(self, adj: Any) -> _Request:
        """A reader for the next request."""
        return _Request(adj, self)


class _Request(HTTPRequestParser):  # type: ignore[misc]
    """One request, read as it comes."""

    error: Error | None

    def __init__(self, adj: Any, channel: _Channel) -> None:
        super().__init__(adj)
        self._channel = channel
        self._refused: Error | None = None
        self.adj = copy.copy(adj)
        self.adj.max_request_body_size = _MOST_OF_A_FORM

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        door = self._channel.server.door
        named = {name: self.headers[key] for key, name in _HEADERS.items() if key in self.headers}
        refused = door.refusal(self.command, self.path, named)
        if refused is not None:
            self._refused = Error(refused[1])
            self._refused.code, self._refused.reason = refused[0], _REASONS[refused[0]]
            return
        self._channel.is_owner = True
        if door.is_upload(self.command, self.path):
            self.adj.max_request_body_size = _MOST_SENT

    def received(self, data: bytes) -> int:
        taken: int = super().received(data)
        if self._refused is None and self.error is None:
            return taken
        if self._refused is not None:
            self.error = self._refused
        self.expect_continue, self.completed = False, True
        return len(data)  # what follows is never looked at: the connection is closed
