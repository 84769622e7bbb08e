"""What platforms hold, over HTTP and SFTP into the archive, against bare loops that write the same bytes to files.

The platforms are the simulator's for one city, in a process of their own: half of its counties, with all below them,
report over REST, the others' townships and villages by file, and the hotline by a view.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from time import perf_counter

import asyncssh
import httpx
import orjson
import yaml

from bench.databases import Ground, create, drop
from bench.day import DAY, PAGE_SIZE, read_divisions
from bench.process import say
from bench.proof import prove_same
from bench.report import Line
from etl.batches import register_batch
from etl.connections import Connection
from etl.site import Site, open_site
from etl.sources import SOURCES, Pulled
from simulator.plan import FIRST
from simulator.simulation import Simulation

CITY = "371300000000"
HOTLINE = "bench_hotline"


@dataclass
class City:
    """sent: what the figures of each family add up to. pulled: by family, what its platforms gave, once it is there."""

    sent: Mapping[str, int]
    pulled: dict[str, list[Pulled]]


@contextmanager
def serve_city(ground: Ground) -> Iterator[City]:
    """The city's platforms while the context lasts; the environment names their catalogue and connections."""
    before = dict(os.environ)
    create(ground.server, HOTLINE, "template1")
    with tempfile.TemporaryDirectory() as folder:
        catalog = Path(folder) / "catalog"
        _declare(catalog / "platforms")
        processes = multiprocessing.get_context("spawn")
        here, there = processes.Pipe()
        url = ground.server.url(HOTLINE)
        server = processes.Process(target=_serve, args=(Path(folder), catalog, url, there))
        server.start()
        there.close()
        try:
            connections, sent = here.recv()
            os.environ |= {**connections, "PLS_CATALOG": str(catalog)}
            yield City(sent, {})
        finally:
            os.environ.clear()
            os.environ.update(before)
            server.terminate()
            server.join()
    drop(ground.server, HOTLINE)


def measure_pull(ground: Ground, city: City) -> list[Line]:
    """A pull over HTTP and one over SFTP, beside the bare loops; what came stays with the city."""
    ours: dict[str, list[float]] = {"REST": [], "SFTP": []}
    bare: dict[str, list[float]] = {"REST": [], "SFTP": []}
    words = {}
    for number in range(1, ground.repeats + 1):
        say(f"pull, repeat {number} of {ground.repeats}")
        with ground.warehouse("bench_pull"), tempfile.TemporaryDirectory() as folder:
            os.environ["PLS_ARCHIVE"] = f"{folder}/archive"
            site = open_site()
            for over, families, loop in (
                ("REST", ("rest",), _bare_http),
                ("SFTP", ("csv", "workbook"), _bare_sftp),
            ):
                started = perf_counter()
                city.pulled |= {family: _pull(site, family) for family in families}
                ours[over].append(perf_counter() - started)
                started = perf_counter()
                found = asyncio.run(loop(_connections(site, families), Path(folder)))
                bare[over].append(perf_counter() - started)
                parts = [part for each in families for pulled in city.pulled[each] for part in pulled.parts]
                prove_same(f"pull over {over}", sorted(map(len, parts)), sorted(found))
                words[over] = f"{len(parts):,} bodies, {sum(found) / 1e6:.1f} MB"
            site.engine.dispose()
    del os.environ["PLS_ARCHIVE"]
    return [
        Line(
            f"pull over {over}, speed of a bare {loop} loop",
            min(bare[over]) / min(ours[over]),
            f"{min(ours[over]):.2f} s, bare {min(bare[over]):.2f} s; {words[over]}",
        )
        for over, loop in (("REST", "httpx"), ("SFTP", "asyncssh"))
    ]


def _pull(site: Site, family: str) -> list[Pulled]:
    """What the family's platforms have of the day, kept in the archive and registered in the ledger."""
    arrived = []
    for platform in site.catalog.platforms.values():
        if platform.family == family:
            listing = SOURCES[family].pull_day(platform, site.connect(platform.conn_id), DAY, ())
            for pulled in listing.pulled:
                register_batch(site.engine, site.archive, platform, pulled, site.clock())
                arrived.append(pulled)
    return arrived


def _connections(site: Site, families: tuple[str, ...]) -> list[Connection]:
    return [site.connect(each.conn_id) for each in site.catalog.platforms.values() if each.family in families]


async def _bare_http(connections: list[Connection], folder: Path) -> list[int]:
    """Sizes of the pages, which are written to the folder."""
    sizes = []
    for connection in connections:
        headers = {"Authorization": f"Bearer {connection.password}"}
        async with httpx.AsyncClient(headers=headers, trust_env=False) as client:
            number = last = 1
            while number <= last:
                asked = {"date": DAY.isoformat(), "page": str(number), "size": str(PAGE_SIZE)}
                page = (await client.get(f"{connection.base_url()}/api/v1/submissions", params=asked)).content
                (folder / f"{number}.json").write_bytes(page)
                sizes.append(len(page))
                last = -(-orjson.loads(page)["data"]["total"] // PAGE_SIZE)
                number += 1
    return sizes


async def _bare_sftp(connections: list[Connection], folder: Path) -> list[int]:
    """Sizes of the files, which are written to the folder."""
    sizes = []
    for connection in connections:
        root = f"{connection.extra['root']}/{DAY:%Y%m%d}"
        async with (
            asyncssh.connect(
                connection.host,
                connection.port or 22,
                username=connection.login,
                password=connection.password,
                known_hosts=None,
            ) as ssh,
            ssh.start_sftp_client() as sftp,
        ):
            for name in await sftp.listdir(root):
                if name.endswith((".gz", ".xlsx")):
                    async with sftp.open(f"{root}/{name}", "rb") as file:
                        body = await file.read()
                    (folder / name).write_bytes(body)
                    sizes.append(len(body))
    return sizes


def _declare(folder: Path) -> None:
    divisions = read_divisions()
    counties = divisions.loc[divisions["parent_code"] == CITY, "code"].tolist()
    platforms = {
        "rest": (["county", "township", "village"], counties[: len(counties) // 2]),
        "csv": (["township"], [CITY]),
        "workbook": (["village"], [CITY]),
        "database": (["county"], [CITY]),
    }
    declared = [
        {
            "id": f"bench-{family}",
            "family": family,
            "level": levels,
            "datasets": ["daily"],
            "conn_id": f"bench_{family}",
            "area": area,
            "calendar": "everyday",
        }
        for family, (levels, area) in platforms.items()
    ]
    folder.mkdir(parents=True)
    (folder / "bench.yaml").write_text(yaml.safe_dump(declared), encoding="utf-8")


def _serve(home: Path, catalog: Path, hotline: str, pipe: Pipe) -> None:
    simulation = Simulation(home, [DAY], prefix=CITY[:4], catalog=catalog, hotline_url=hotline)
    sent: dict[str, int] = {}
    for batch in simulation.plan.batches(FIRST):
        figures = [figure.value for submission in batch.submissions for figure in submission.figures]
        sent[batch.family] = sent.get(batch.family, 0) + sum(map(int, figures))
    with simulation:
        pipe.send((simulation.environment(), sent))
        pipe.recv()
