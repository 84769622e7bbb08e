"""Links: addresses of pages. The same templates make the live portal and static files, which differ in nothing else."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import quote, urlencode


class Links(Protocol):
    """How a page names others; an empty text where this rendering has no such page."""

    is_live: bool

    def page(self, path: str, **query: object) -> str:
        """Address of a page such as /division/370000000000; query values that are None are left out."""
        ...

    def file(self, name: str) -> str:
        """Address of a file under static/."""
        ...


class LiveLinks:
    """Addresses on the server."""

    is_live = True

    def __init__(self, root: str = "") -> None:
        self._root = root

    def page(self, path: str, **query: object) -> str:
        given = {name: value for name, value in query.items() if value is not None}
        return self._root + quote(path) + (f"?{urlencode(given)}" if given else "")

    def file(self, name: str) -> str:
        return f"{self._root}/static/{name}"
