"""Register: the catalogue's measures, channels, cells, platforms and indicators as rows that figures can refer to."""

from __future__ import annotations

import json

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from etl.catalog import Catalog
from etl.warehouse import run_sql, statement

REGISTER_LOCK = 7_300_004


def register_catalog(engine: Engine, catalog: Catalog) -> dict[tuple[str, str], int]:
    """Bring the warehouse's tables in line with the catalogue; returns the cell number of every (measure, channel).

    Nothing is deleted: what the catalogue no longer names stays readable. Run again, it changes nothing.
    """
    with engine.begin() as conn:
        return write_catalog(conn, catalog)


def write_catalog(conn: Connection, catalog: Catalog) -> dict[tuple[str, str], int]:
    """The same in the caller's transaction."""
    measures = list(catalog.measures.values())
    carried = catalog.carried_measures()
    pairs = [(measure.code, "all") for measure in measures] + catalog.pairs()
    pairs += [(measure.code, channel) for measure in carried for channel in measure.channels]
    known = _known_cells(conn)
    if not set(pairs) <= known.keys() or not _is_current(conn, catalog):
        conn.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": REGISTER_LOCK})
        conn.execute(
            statement("register/measure"),
            [
                {
                    "measure": each.code,
                    "measure_name": each.name_zh,
                    "unit": each.unit,
                    "kind": each.kind,
                    "position": n,
                    "levels": [level.value for level in each.levels],
                    "is_required": each.required,
                }
                for n, each in enumerate(measures, start=1)
            ],
        )
        for each in carried:
            names = {"measure": each.code, "sums": each.sums, "carrying": each.carrying}
            run_sql(conn, "register/carried", names)
        for channel in catalog.channels.values():
            run_sql(conn, "register/channel", {"channel": channel.code, "channel_name": channel.name_zh})
        conn.execute(statement("register/cell"), [{"measure": m, "channel": c} for m, c in pairs])
        conn.execute(statement("register/platform"), _platform_rows(catalog))
        run_sql(conn, "register/retire_platforms", {"declared": list(catalog.platforms)})
        declared = {"declared": json.dumps(_indicator_rows(catalog), ensure_ascii=False)}
        for name in ("indicator", "indicator_version"):
            run_sql(conn, f"register/{name}", declared)
        known = _known_cells(conn)
    return known


def _known_cells(conn: Connection) -> dict[tuple[str, str], int]:
    return {(row.measure, row.channel): row.cell_id for row in run_sql(conn, "register/known")}


def _platform_rows(catalog: Catalog) -> list[dict[str, object]]:
    return [
        {
            "platform": each.id,
            "family": each.family,
            "levels": [level.value for level in each.level],
            "datasets": list(each.datasets),
            "area": list(each.area),
            "is_everyday": catalog.calendars[each.calendar].days == "every",
        }
        for each in catalog.platforms.values()
    ]


def _indicator_rows(catalog: Catalog) -> list[dict[str, object]]:
    return [
        {"code": each.code, "position": n, "declaration": each.model_dump(mode="json", exclude_none=True)}
        for n, each in enumerate(catalog.indicators.values(), start=1)
    ]


def _is_current(conn: Connection, catalog: Catalog) -> bool:
    query = sa.text(
        "SELECT platform, family, levels, datasets, area, is_everyday FROM core.platform WHERE is_declared"
    )
    stored = {row.platform: dict(row._mapping) for row in conn.execute(query)}
    names = sa.text("SELECT measure, measure_name, unit, levels, is_required FROM core.measure")
    written = {(*row[:3], tuple(row.levels), row.is_required) for row in conn.execute(names)}
    declared = {
        (each.code, each.name_zh, each.unit, tuple(each.levels), each.required)
        for each in catalog.measures.values()
    }
    versions = sa.text("SELECT position, declaration FROM core.indicator_version WHERE known_to = 'infinity'")
    known = {row.position: row.declaration for row in conn.execute(versions)}
    if known != {row["position"]: row["declaration"] for row in _indicator_rows(catalog)}:
        return False
    return stored == {str(row["platform"]): row for row in _platform_rows(catalog)} and declared <= written
