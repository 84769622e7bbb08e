"""Write a bulletin: read one snapshot, compose, and put HTML, an editable text and a PDF into a folder."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from sqlalchemy.engine import Connection

from etl.bulletin.compose import compose
from etl.bulletin.figure import BulletinError
from etl.bulletin.page import write_page
from etl.bulletin.pdf import write_pdf
from etl.bulletin.read import read_facts
from etl.catalog import Catalog
from etl.catalog.bulletin import Bulletin
from etl.periods import Period


def write_bulletin(
    conn: Connection, catalog: Catalog, division: str, period: Period, folder: Path, made_on: date
) -> list[Path]:
    """Write the bulletin of a province, city or county; returns the files: .html, .docx and .pdf.

    Reads one snapshot: the connection is in a transaction of isolation level REPEATABLE READ. made_on: its date, in
    Asia/Shanghai. The same warehouse and date give the same bytes. Raises BulletinError where no bulletin is declared
    for the kind of period, the division is none of those, the period was not computed, fonts are missing, or, with the
    other files written, where pango is.
    """
    bulletin = next(
        (
            each
            for each in catalog.bulletins.values()
            if isinstance(each, Bulletin) and period.kind in each.periods
        ),
        None,
    )
    if bulletin is None:
        raise BulletinError(
            f"No bulletin is declared for a {period.kind} such as {period.name}: add it to bulletins/ of the catalogue."
        )
    document = compose(catalog, bulletin, read_facts(conn, catalog, bulletin, division, period), made_on)
    from etl.bulletin.docx import write_docx

    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{document.name}.{kind}" for kind in ("html", "docx", "pdf")]
    page = write_page(document, made_on)
    files[0].write_text(page, encoding="utf-8")
    write_docx(document, files[1], made_on)
    write_pdf(page, files[2])
    return files
