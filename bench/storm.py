"""`python -m bench.storm`: a whole province has reported nothing on one evening; who is told, how fast, and how often.

Every village, township station and county centre of Shandong is missing; townships, counties, cities and the province
have a contact each, villages none. The sender is killed with SIGKILL in the middle of the first round.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import click
import sqlalchemy as sa
import yaml

from bench.databases import make_warehouse, own_server
from etl.alerts import outbox, run_rounds, send_alerts
from etl.alerts.rounds import Ran
from etl.catalog import load_catalog
from etl.clock import SHANGHAI
from etl.deadlines import expect_units
from etl.divisions.division_list import read_division_list
from etl.settings import DIVISIONS_FILE
from etl.site import Site, open_site

DAY = date(2026, 3, 6)
KILLED_AT = 300
PAGE = Path(__file__).resolve().parent.parent / "docs" / "storm.md"
ROUNDS = [
    ("到期提醒 (due)", "2026-03-06T18:30"),
    ("县级中心缺报 (county centres, next morning)", "2026-03-07T10:30"),
    ("截止催报 (cut-off)", "2026-03-09T10:30"),
    ("逾期一个工作日 (county)", "2026-03-10T10:30"),
    ("逾期两个工作日 (city)", "2026-03-11T10:30"),
    ("逾期三个工作日 (province)", "2026-03-12T10:30"),
]
HEAD = """# A storm

Written by `make bench`. Nobody in Shandong has reported on one evening: {villages:,} villages, and every township
station and county centre. Townships, counties, cities and the province have a contact each ({contacts:,}), villages
none. Messages are bounded by contacts, never by villages. Times are of one run on this machine; the divisions of the
day, who is missing and who was told are read anew each time.

"""


class Sink(BaseHTTPRequestHandler):
    """Takes every digest and remembers its number."""

    numbers: ClassVar[Counter[int]] = Counter()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.numbers[json.loads(body)["alert_id"]] += 1
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@click.command()
@click.option("--die-after", type=int, hidden=True, help="Be the sender that is killed.")
def main(die_after: int | None) -> None:
    """Measure the storm and write docs/storm.md."""
    if die_after is not None:
        _send_and_die(die_after)
    load = os.getloadavg()[0]
    with _sink() as url, _site(url) as (site, villages, contacts):
        lines = ["| round | missing | digests | seconds | sent | sending, s |", "|---|---|---|---|---|---|"]
        killed = _first_round(site, lines)
        for name, moment in ROUNDS[1:]:
            ran, took = _run(site, moment)
            sent, sending = _send(site, moment)
            lines.append(_line(name, ran, took, sent, sending))
        _everybody_reports(site)
        ran, took = _run(site, "2026-03-12T12:00")
        lines.append(
            f"| 全部补报 (everybody reports: all-clears) | 0 | {ran.all_clears:,} | {took:.1f} | | |"
        )
        with site.engine.connect() as conn:
            total = conn.execute(
                sa.text(
                    "SELECT count(*), count(DISTINCT recipient) FROM quality.alert WHERE reason <> 'cleared'"
                )
            ).one()
        twice = sum(times - 1 for times in Sink.numbers.values())
        words = [
            "",
            f"In all {total[0]:,} digests to {total[1]:,} contacts about {villages:,} villages. {killed}",
            "",
            (
                f"Over all rounds {twice} message was delivered twice, none was recorded twice. The process took"
                f" {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MB. Load of the machine: {load:.1f}"
                f" before, {os.getloadavg()[0]:.1f} after, on {os.cpu_count()} cores."
            ),
        ]
        page = HEAD.format(villages=villages, contacts=contacts) + "\n".join(lines + words) + "\n"
    click.echo(page)
    PAGE.write_text(page, encoding="utf-8")


def _first_round(site: Site, lines: list[str]) -> str:
    """The evening: the round twice, a sender that is killed, and one that goes on."""
    name, moment = ROUNDS[0]
    ran, took = _run(site, moment)
    again, _ = _run(site, moment)
    assert again.digests == 0, "a second run writes nothing"
    killed = subprocess.run(
        [sys.executable, "-m", "bench.storm", "--die-after", str(KILLED_AT)], env=os.environ, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    sent, sending = _send(site, moment)
    lines.append(_line(name, ran, took, KILLED_AT - 1 + sent, sending))
    assert sent == ran.digests - (KILLED_AT - 1)
    twice = [number for number, times in Sink.numbers.items() if times > 1]
    assert len(Sink.numbers) == ran.digests
    return (
        f"The sender was killed after message {KILLED_AT}, before it was marked: {len(twice)} message went out a"
        " second time, under the same number, and none is missing."
    )


def _run(site: Site, moment: str) -> tuple[Ran, float]:
    at = datetime.fromisoformat(moment).replace(tzinfo=SHANGHAI)
    with site.engine.begin() as conn:
        conn.execute(
            sa.text(
                "INSERT INTO landing.pull (run_key, platform_id, kind, since, started_at, finished_at, outcome)"
                " SELECT :key, platform_id, 'since', :at, :at, :at, 'done' FROM core.platform ON CONFLICT DO NOTHING"
            ),
            {"key": moment, "at": at},
        )
    started = time.perf_counter()
    ran = run_rounds(site.engine, site.catalog, at)
    return ran, time.perf_counter() - started


def _send(site: Site, moment: str) -> tuple[int, float]:
    at = datetime.fromisoformat(moment).replace(tzinfo=SHANGHAI)
    started = time.perf_counter()
    sent = send_alerts(replace(site, clock=lambda: at)).sent
    return sent, time.perf_counter() - started


def _line(name: str, ran: Ran, took: float, sent: int, sending: float) -> str:
    click.echo(f"{name}: {took:.1f} s, {sent:,} sent in {sending:.1f} s", err=True)
    return f"| {name} | {ran.units_missing:,} | {ran.digests:,} | {took:.1f} | {sent:,} | {sending:.1f} |"


def _send_and_die(times: int) -> None:
    deliver, seen = outbox.deliver, 0

    def deliver_and_die(*args: Any) -> None:
        nonlocal seen
        deliver(*args)
        seen += 1
        if seen == times:
            os.kill(os.getpid(), signal.SIGKILL)

    outbox.deliver = deliver_and_die
    at = datetime.fromisoformat(ROUNDS[0][1]).replace(tzinfo=SHANGHAI)
    send_alerts(replace(open_site(), clock=lambda: at))


def _everybody_reports(site: Site) -> None:
    with site.engine.begin() as conn:
        conn.execute(
            sa.text(
                "WITH batch AS (INSERT INTO landing.batch (platform_id, dataset, stat_date, source_name, sha256,"
                " pulled_at, state) SELECT min(platform_id), 'daily', :day, 'x', repeat('a', 64), :at, 'loaded'"
                " FROM core.platform RETURNING batch_id, platform_id)"
                " INSERT INTO core.submission (stat_date, unit_id, platform_id, batch_id, dataset, revision,"
                " received_at, known_from, is_nil, cells, figures, row_numbers)"
                " SELECT :day, unit_id, platform_id, batch_id, 'daily', 1, :at, :at, true, NULL, NULL, NULL"
                " FROM batch, core.expected_day CROSS JOIN LATERAL unnest(unit_ids) AS unit_id"
                " WHERE stat_date = :day AND due_at IS NOT NULL"
            ),
            {"day": DAY, "at": datetime(2026, 3, 12, 11, tzinfo=SHANGHAI)},
        )


@contextmanager
def _sink() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()


@contextmanager
def _site(url: str) -> Iterator[tuple[Site, int, int]]:
    """The province on an embedded server of its own; nothing of it stays."""
    with own_server() as server:
        catalog = Path(os.environ["PLS_HOME"]) / "catalog"
        villages, contacts = _declare(catalog, url)
        os.environ |= {"PLS_CATALOG": str(catalog), "PLS_WAREHOUSE": server.url("storm")}
        make_warehouse(server, "storm", load_catalog(catalog), DAY)
        site = open_site()
        with site.engine.begin() as conn:
            conn.execute(sa.text("SELECT core.ensure_month(:day)"), {"day": DAY})
        expect_units(site.engine, site.catalog, "daily", DAY)
        yield site, villages, contacts
        site.engine.dispose()


def _declare(folder: Path, url: str) -> tuple[int, int]:
    """Three platforms a city, and a contact for every division above the villages."""
    divisions = list(read_division_list(DIVISIONS_FILE).table.itertuples(index=False))
    cities = [each for each in divisions if each.level == "city"]
    kinds = [
        ("county", "rest", "everyday"),
        ("township", "csv", "workdays"),
        ("village", "workbook", "workdays"),
    ]
    platforms = [
        {
            "id": f"{level}-{city.code[:6]}",
            "family": family,
            "level": level,
            "datasets": ["daily"],
            "conn_id": "x",
            "area": [city.code],
            "calendar": calendar,
        }
        for city in cities
        for level, family, calendar in kinds
    ]
    recipients = [
        {"id": f"contact-{each.code}", "name": each.name, "division": each.code, "webhook": url}
        for each in divisions
        if each.level != "village"
    ]
    for name, entries in (("platforms", platforms), ("recipients", recipients)):
        (folder / name).mkdir(parents=True)
        (folder / name / "all.yaml").write_text(yaml.safe_dump(entries, allow_unicode=True), "utf-8")
    return sum(each.level == "village" for each in divisions), len(recipients)


if __name__ == "__main__":
    main()
