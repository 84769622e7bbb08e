"""Pages: one module a noun, each with a router, and content functions that the static files share."""

from etl.portal.pages import (
    access,
    acknowledgement,
    division,
    downloads,
    evaluation,
    overview,
    provenance,
    quality,
    search,
    submissions,
)

PAGES = (
    access.router,
    acknowledgement.router,
    overview.router,
    division.router,
    search.router,
    submissions.router,
    quality.router,
    provenance.router,
    evaluation.router,
    downloads.router,
)

__all__ = [
    "PAGES",
    "access",
    "acknowledgement",
    "division",
    "downloads",
    "evaluation",
    "overview",
    "provenance",
    "quality",
    "search",
    "submissions",
]
