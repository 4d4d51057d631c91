"""Who may ask: the one who has the address with its token, from a page of this server.

Another page in the same browser can send requests to this machine, and can have its own name
resolve to it (DNS rebinding). So the name asked for must be a loopback name, whatever says
where a request comes from must say this page, and every path begins with a token. All of that
stands in the headers of a request, so that :mod:`synthgan.ui.server` can refuse it before its
body is there.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Flask, Response, abort, request

_PAGE = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_REPORT = "sandbox allow-scripts allow-downloads allow-modals; frame-ancestors 'none'"


@dataclass(frozen=True, kw_only=True)
class Door:
    """Whom the page answers."""

    token: str
    """The first part of every path."""
    port: int

    def refusal(self, method: str, path: str, headers: Mapping[str, str]) -> tuple[int, str] | None:
        """Status and reason why a request is refused; None for one of the owner's own page.

        ``headers`` has the request's Host, Origin and Sec-Fetch-Site, as far as it names them.
        """
        host = headers.get("Host", "")
        if host not in (f"127.0.0.1:{self.port}", f"localhost:{self.port}"):
            return 400, "this page answers to 127.0.0.1 and localhost only"
        first = path.split("/")[1] if "/" in path else ""
        if not secrets.compare_digest(first.encode(), self.token.encode()):
            return 404, "open the address that 'synthgan ui' has printed, with its token"
        origin = headers.get("Origin")
        if origin is not None and origin != f"http://{host}":
            return 403, "requests of other pages are refused"
        came = headers.get("Sec-Fetch-Site", "none")
        if method != "GET" and came not in ("same-origin", "none"):
            return 403, "requests of other pages are refused"
        return None

    def is_upload(self, method: str, path: str) -> bool:
        """Whether a request that is not refused sends a table, and so may be large."""
        return method == "POST" and path == f"/{self.token}/tables"


def guard(app: Flask, door: Door) -> None:
    """Refuses all requests but those of the owner's own page."""

    @app.before_request
    def refuse() -> None:
        refused = door.refusal(request.method, request.path, dict(request.headers))
        if refused is not None:
            abort(*refused)

    @app.after_request
    def harden(response: Response) -> Response:
        is_report = request.endpoint == "report"
        response.headers["Content-Security-Policy"] = _REPORT if is_report else _PAGE
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers["Cache-Control"] = "no-store"
        return response
