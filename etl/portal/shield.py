"""Shield: what goes round every answer: headers that keep a page to itself, and requests no larger than a form."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 16 * 1024
"""Bytes; the only bodies that the portal takes are forms of a few lines."""
PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'"
)
"""What a page may load; pages that are files carry it themselves."""
POLICY = f"{PAGE_POLICY}; frame-ancestors 'none'"
DOCS_POLICY = (
    "sandbox allow-scripts allow-popups allow-top-navigation-by-user-activation;"
    " default-src 'self' 'unsafe-inline' data:; object-src 'none'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
"""Data Docs are Great Expectations' own pages, with scripts in them: they run apart from the portal's session."""
HEADERS = {
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


class Shield:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        is_docs = path.startswith("/data-docs/")

        async def send_shielded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers["Content-Security-Policy"] = DOCS_POLICY if is_docs else POLICY
                if is_docs:
                    # The sandbox makes an origin of its own, to which the site's files are another's.
                    headers["Cross-Origin-Resource-Policy"] = "cross-origin"
                    if path.startswith("/data-docs/assets/"):
                        headers["Access-Control-Allow-Origin"] = "*"
                headers.setdefault(
                    "Cache-Control", "max-age=3600" if path.startswith("/static/") else "private, no-cache"
                )
            await send(message)

        if _length(scope) > LARGEST_BODY:
            await _too_large(send_shielded)
            return
        await self._app(scope, _bounded(receive), send_shielded)


def _length(scope: MutableMapping[str, Any]) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else LARGEST_BODY + 1
    return 0


def _bounded(receive: Receive) -> Receive:
    """A body that says no length is cut off where it grows too large."""
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        return message if taken <= LARGEST_BODY else {"type": "http.disconnect"}

    return bounded


async def _too_large(send: Send) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": 413,
            "headers": [(b"content-type", b"text/plain; charset=utf-8")],
        }
    )
    await send({"type": "http.response.body", "body": "请求过大。".encode()})
