"""Site: what a run works with: the warehouse, the archive, the catalogue, the way to the platforms, and the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy.engine import Engine

from etl.archive import Archive
from etl.catalog import Catalog, load_catalog
from etl.clock import SHANGHAI, Clock, utc_now
from etl.connections import Connect, connection_from_env
from etl.register import register_catalog
from etl.settings import Settings
from etl.warehouse import open_warehouse, require_schema


@dataclass(frozen=True)
class Site:
    """Opened once at the edge (command line, task) and handed to every step."""

    settings: Settings
    engine: Engine
    archive: Archive
    catalog: Catalog
    cells: Mapping[tuple[str, str], int]
    connect: Connect
    clock: Clock = utc_now

    def today(self) -> date:
        """The calendar day in Asia/Shanghai."""
        return self.clock().astimezone(SHANGHAI).date()


def open_site(connect: Connect = connection_from_env, role: str = "pls_loader") -> Site:
    """Open the site that the environment names, with the rights of a role of the warehouse (open_warehouse).

    Raises WarehouseError or CatalogError in words for a person.
    """
    settings = Settings.from_env()
    catalog = load_catalog(settings.catalog)
    engine = open_warehouse(settings, role)
    require_schema(engine)
    return Site(
        settings=settings,
        engine=engine,
        archive=Archive(settings.archive),
        catalog=catalog,
        cells=register_catalog(engine, catalog),
        connect=connect,
    )
