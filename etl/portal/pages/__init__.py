"""Pages: one module a noun, each with a router, and content functions that the static files share."""

from etl.portal.pages import access, division, downloads, overview, search

PAGES = (access.router, overview.router, division.router, search.router, downloads.router)

__all__ = ["PAGES", "access", "division", "downloads", "overview", "search"]
