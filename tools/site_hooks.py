"""Hooks of the site's build: docstrings' Sphinx roles become code, linked where there is a place.

Docstrings say ``:class:`Schema```, which help() shows as it is and Markdown does not know.
"""

from __future__ import annotations

import re
from typing import Any

_ROLE = re.compile(r":(?:class|func|meth|attr|mod|data):<code>(~?[\w.]+)</code>")


def on_page_content(html: str, page: Any, **_: Any) -> str:
    """The page with roles written as code; public names lead to their docstrings."""

    def written(match: re.Match[str]) -> str:
        name = match[1].lstrip("~")
        anchor = f"synthgan.{name.removeprefix('synthgan.')}"
        code = f"<code>{name}</code>"
        return f'<a href="#{anchor}">{code}</a>' if f'id="{anchor}"' in html else code

    return _ROLE.sub(written, html)
