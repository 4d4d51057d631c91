"""Who may ask: whoever has the address with its token, from a page of this server.

Another page in the same browser can send requests to this machine, and can have its own name
resolve to it (DNS rebinding). So the name asked for must be a loopback name, whatever says
where a request comes from must say this page, and every path begins with a token.
"""

from __future__ import annotations

import secrets

from flask import Flask, Response, abort, request

_PAGE = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_REPORT = "sandbox allow-scripts allow-downloads allow-modals; frame-ancestors 'none'"


def guard(app: Flask, token: str, port: int) -> None:
    """Refuses all requests but those of the owner's own page."""
    hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    @app.before_request
    def refuse() -> None:
        if request.host not in hosts:
            abort(400, "this page answers to 127.0.0.1 and localhost only")
        first = request.path.split("/")[1]
        if not secrets.compare_digest(first.encode(), token.encode()):
            abort(404, "open the address that 'synthgan ui' has printed, with its token")
        origin = request.headers.get("Origin")
        if origin is not None and origin != f"http://{request.host}":
            abort(403, "requests of other pages are refused")
        came = request.headers.get("Sec-Fetch-Site", "none")
        if request.method == "POST" and came not in ("same-origin", "none"):
            abort(403, "requests of other pages are refused")

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
