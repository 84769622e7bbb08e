"""Two costs that must stay small beside the whole day: reasons for bad rows, and one township that restates."""

from __future__ import annotations

from bench.databases import Ground, checkpoint
from bench.day import DAY, Day, pack_files, page_of, read_divisions, spoiled
from bench.process import run_apart, say
from bench.product import archive_files, restate_units, run_product
from bench.report import Line

REVISIONS = 3


def measure_bad_rows(ground: Ground, day: Day) -> Line:
    """The gate's time on a day with one bad row in a hundred, against its time on the same day clean."""
    files = {"clean": pack_files(day, ground.catalog), "bad": pack_files(spoiled(day), ground.catalog)}
    gates: dict[str, list[float]] = {name: [] for name in files}
    for number in range(1, ground.repeats + 1):
        say(f"bad rows, repeat {number} of {ground.repeats}")
        for name, packed in files.items():
            with ground.warehouse(f"bench_{name}") as database:
                archive_files(packed)
                checkpoint(ground.server, database)
                gates[name].append(run_apart(run_product).inside["gate"])
    clean, bad = min(gates["clean"]), min(gates["bad"])
    words = f"{bad:.2f} s, clean {clean:.2f} s (added up over the tasks)"
    return Line("dense: gate with 1 % bad rows / gate on the clean day", bad / clean, words, at_most=1.5)


def measure_restated(ground: Ground, day: Day) -> list[Line]:
    """One township's villages restate: loading and rolling up, and the whole way, against those of the day."""
    say("a township that restates")
    with ground.warehouse("bench_restated") as database:
        archive_files(pack_files(day, ground.catalog))
        checkpoint(ground.server, database)
        whole = run_apart(run_product)
        divisions = read_divisions()
        township = divisions.loc[divisions["level"] == "township", "code"].iloc[0]
        units = divisions.loc[divisions["parent_code"] == township, "code"].tolist()
        restated = [
            run_apart(restate_units, restated_page(units, revision)) for revision in range(2, 2 + REVISIONS)
        ]
    best = min(restated, key=lambda each: each.total)
    share = "realistic: restated township-day, {} / of the whole day"
    part, all_units = (each.seconds["load"] + each.seconds["roll-up"] for each in (best, whole))
    return [
        _share(share.format("load and roll-up"), part, all_units, at_most=1 / 20),
        _share(share.format("archive to mart"), best.total, whole.total, at_most=None),
    ]


def _share(what: str, part: float, whole: float, at_most: float | None) -> Line:
    return Line(what, part / whole, f"{part * 1000:.0f} ms, whole {whole:.2f} s", at_most=at_most)


def restated_page(units: list[str], revision: int) -> bytes:
    """A county platform's page in which these units report one figure each."""
    items: list[dict[str, object]] = [
        {
            "unit": unit,
            "date": DAY.isoformat(),
            "revision": revision,
            "submitted_at": f"{DAY}T17:21:09+08:00",
            "values": [{"measure": "consultation", "channel": "physical", "value": revision}],
        }
        for unit in units
    ]
    return page_of(items, len(items))
