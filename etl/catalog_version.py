"""Catalogue versions: what the catalogue declared when figures were made by it, kept so that they can be made again."""

from __future__ import annotations

import hashlib
import json

from sqlalchemy.engine import Connection

from etl.catalog import Catalog
from etl.failures import Refused
from etl.warehouse import run_sql

KEPT = {
    "channels", "measures", "platforms", "calendars", "exceptions", "periods", "indicators", "schemes", "evidence",
    "satisfaction", "reports",
}  # fmt: skip
"""Folders of which figures are made; whom to tell and where to deliver is no part of them."""


class CatalogVersionError(Refused):
    """A version of the catalogue that is named is not kept."""


def content_of(catalog: Catalog) -> str:
    """What figures depend on, as JSON; the same for the same declarations in the same order."""
    return catalog.model_dump_json(include=KEPT, exclude_unset=True)


def digest_of(catalog: Catalog) -> str:
    """SHA-256 of the content, in hexadecimal."""
    return hashlib.sha256(content_of(catalog).encode()).hexdigest()


def keep_catalog(conn: Connection, catalog: Catalog) -> str:
    """Keep the version unless it is kept already; returns its digest."""
    content = content_of(catalog)
    digest = hashlib.sha256(content.encode()).hexdigest()
    run_sql(conn, "issue/keep_catalog", {"digest": digest, "content": content})
    return digest


def read_catalog(conn: Connection, digest: str, current: Catalog) -> Catalog:
    """The catalogue as it was in a version; what no figure depends on is that of today. Raises CatalogVersionError."""
    content = run_sql(conn, "issue/catalog_content", {"digest": digest}).scalar_one_or_none()
    if content is None:
        raise CatalogVersionError(
            f"The catalogue version {digest[:12]} is not kept in this warehouse (core.catalog_version): figures made by"
            " it cannot be made again."
        )
    declared = json.loads(current.model_dump_json(exclude_unset=True)) | json.loads(content)
    return Catalog.model_validate(declared)
