"""Site: what a run works with: the warehouse, the archive, the catalogue, the way to the platforms, and the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from etl.archive import Archive
from etl.catalog import Catalog, load_catalog
from etl.clock import SHANGHAI, Clock, utc_now
from etl.connections import Connect, connection_from_env
from etl.register import register_catalog
from etl.rounding import spelled
from etl.settings import Settings
from etl.warehouse import WarehouseError, open_warehouse, require_schema

CLOCKS_MAY_DIFFER = timedelta(minutes=5)
"""Half of what pulls look back beyond the last one (etl.pull.OVERLAP)."""


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


def confirm_clock(site: Site) -> None:
    """Raise WarehouseError when this machine's clock and the warehouse's differ by more than CLOCKS_MAY_DIFFER.

    Asked before platforms are. By our clock a receipt stamp is cut off that lies in the future (ruling 1), and what
    changed is asked for since the last pull: put back, it would take late submissions for punctual ones; put forward,
    it would never ask for what came meanwhile.
    """
    with site.engine.connect() as conn:
        ahead = site.clock() - conn.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
    if abs(ahead) > CLOCKS_MAY_DIFFER:
        minutes = spelled(abs(ahead) / timedelta(minutes=1))
        raise WarehouseError(
            f"The clock of this machine is {minutes} minutes {'ahead of' if ahead > timedelta() else 'behind'} the"
            " warehouse's. No platform was asked. Let both keep the right time (NTP)."
        )
