"""The PDF: the page on A4, its fonts inside."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any

from etl.bulletin.figure import BulletinError


def write_pdf(page: str, file: Path) -> None:
    """Write the page as a PDF; the same page gives the same bytes.

    Raises BulletinError where pango, which sets the lines, is not on this machine.
    """
    try:
        import weasyprint
    except OSError as error:
        library = str(error).split(":")[0]
        raise BulletinError(
            f"No PDF: the library pango is not on this machine ({library}). Install Debian's packages:"
            " apt-get install libpango-1.0-0 libpangoft2-1.0-0"
        ) from None
    for name in ("weasyprint", "fontTools"):
        logging.getLogger(name).setLevel(logging.ERROR)
    file.write_bytes(
        weasyprint.HTML(string=page, url_fetcher=_fetch_data_only()).write_pdf(
            pdf_identifier=hashlib.sha256(page.encode()).digest()[:16], pdf_tags=True
        )
    )


def _fetch_data_only() -> Any:
    """Nothing is fetched from outside: all pictures are in the page."""
    from weasyprint.urls import URLFetcher

    return URLFetcher(allowed_protocols=("data",))
