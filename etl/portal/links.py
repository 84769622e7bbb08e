"""Links: addresses of pages. The same templates make the live portal and static files, which differ in nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol
from urllib.parse import quote, urlencode


class Links(Protocol):
    """How a page names others; an empty text where this rendering has no such page."""

    is_live: bool
    root: str
    """What stands before the address of the first page's folder."""

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
        self.root = root

    def page(self, path: str, **query: object) -> str:
        given = {name: value for name, value in query.items() if value is not None}
        return self.root + quote(path) + (f"?{urlencode(given)}" if given else "")

    def file(self, name: str) -> str:
        return f"{self.root}/static/{name}"


class FileLinks:
    """Addresses between files, relative to a page's own folder; what was not written has none."""

    is_live = False

    def __init__(self, files: Mapping[str, str], here: str) -> None:
        """files: file by path of every page that is written. here: this page's file."""
        self._files = files
        self.root = "../" * here.count("/")

    def page(self, path: str, **_: object) -> str:
        return self.root + self._files[path] if path in self._files else ""

    def file(self, name: str) -> str:
        return f"{self.root}static/{name}"
