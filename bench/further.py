"""Two costs that must stay small beside the whole day: reasons for bad rows, and one township that restates."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

from bench.databases import checkpoint, create, drop
from bench.day import DAY, Day, pack_files, read_divisions, spoiled
from bench.process import Measured, run_apart
from bench.product import archive_files, restate_units, run_product
from etl.catalog import Catalog
from etl.warehouse import ServerAddress

REVISIONS = 3


@dataclass(frozen=True)
class Ratio:
    """A line of the page: what is compared, the ratio of the best times, its goal, and the times in words."""

    what: str
    goal: str
    value: float
    words: str


def measure_bad_rows(server: ServerAddress, template: str, day: Day, catalog: Catalog, repeats: int) -> Ratio:
    """The gate's time on a day with one bad row in a hundred, against its time on the same day clean."""
    gates: dict[str, list[float]] = {"clean": [], "bad": []}
    files = {"clean": pack_files(day, catalog), "bad": pack_files(spoiled(day), catalog)}
    for number in range(repeats):
        for name, packed in files.items():
            database = f"bench_{name}_{number}"
            create(server, database, template)
            os.environ["PLS_WAREHOUSE"] = server.url(database)
            archive_files(packed)
            checkpoint(server, database)
            gates[name].append(run_apart(run_product).inside["gate"])
            drop(server, database)
    clean, bad = min(gates["clean"]), min(gates["bad"])
    words = f"{bad:.2f} s, clean {clean:.2f} s (added up over the tasks)"
    return Ratio("gate with 1 % bad rows / gate on the clean day", "≤ 1.5", bad / clean, words)


def measure_restated(server: ServerAddress, template: str, day: Day, catalog: Catalog) -> tuple[Ratio, Ratio]:
    """One township's villages restate: loading and rolling up, and the whole way, against those of the day."""
    database = "bench_restated"
    create(server, database, template)
    os.environ["PLS_WAREHOUSE"] = server.url(database)
    archive_files(pack_files(day, catalog))
    checkpoint(server, database)
    whole = run_apart(run_product)
    divisions = read_divisions()
    township = divisions.loc[divisions["level"] == "township", "code"].iloc[0]
    units = divisions.loc[divisions["parent_code"] == township, "code"].tolist()
    restated = [run_apart(restate_units, page(units, revision)) for revision in range(2, 2 + REVISIONS)]
    drop(server, database)
    best = min(restated, key=lambda each: each.total)
    return (
        _share(
            "restated township-day, load and roll-up / of the whole day", best, whole, ("load", "roll-up")
        ),
        _share("restated township-day, archive to mart / of the whole day", best, whole, None),
    )


def _share(what: str, part: Measured, whole: Measured, stages: tuple[str, ...] | None) -> Ratio:
    small, large = (
        sum(seconds for stage, seconds in each.seconds.items() if stages is None or stage in stages)
        for each in (part, whole)
    )
    goal = "≤ 1/20" if stages else "no goal"
    return Ratio(what, goal, small / large, f"{small * 1000:.0f} ms, whole {large:.2f} s")


def page(units: list[str], revision: int) -> bytes:
    """A county platform's page (contract, A) in which these units report one figure each."""
    items = [
        {
            "unit": unit,
            "date": DAY.isoformat(),
            "revision": revision,
            "submitted_at": f"{DAY}T17:21:09+08:00",
            "values": [{"measure": "consultation", "channel": "physical", "value": revision}],
        }
        for unit in units
    ]
    return json.dumps(
        {"code": 0, "msg": "ok", "data": {"total": len(items), "page": 1, "size": 500, "items": items}}
    ).encode()
