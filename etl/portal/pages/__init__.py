"""Pages: one module a noun, each with a router, and content functions that the static files share."""

from etl.portal.pages.access import router as access
from etl.portal.pages.overview import router as overview

PAGES = (access, overview)

__all__ = ["PAGES"]
