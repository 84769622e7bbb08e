"""Looking for a division by name or code."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from etl.portal import data
from etl.portal.frame import Asked, Page

FOUND_AT_ONCE = 8
FOUND_ON_PAGE = 50
router = APIRouter()


@router.get("/search")
def search(asked: Page, request: Request, words: Annotated[str, Query(max_length=60)] = "") -> Response:
    """While somebody types, the first few found; as a page, more of them."""
    is_part = request.headers.get("hx-target") == "search-found"
    limit = FOUND_AT_ONCE if is_part else FOUND_ON_PAGE
    template = "search_found.html" if is_part else "search.html"
    return asked.keep(
        template, lambda page: content(page, words, limit), words, limit, live=asked.site.today()
    )


def content(asked: Asked, words: str, limit: int) -> dict[str, Any]:
    """What the page shows."""
    found = data.search(asked.conn, asked.viewer, words, limit)
    return {"words": words.strip(), "found": found, "limit": limit, "more": len(found) == limit}
