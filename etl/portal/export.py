"""Export: the portal's pages of one period as files that open without a server and without the internet."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection

from etl.failures import Refused
from etl.portal import data
from etl.portal.frame import Asked
from etl.portal.links import FileLinks
from etl.portal.pages import division, overview
from etl.portal.reader import reader_of, snapshot
from etl.portal.viewer import Viewer
from etl.site import Site

STATIC = Path(__file__).parent / "static"
LOWEST = "township"
"""The lowest level with a page of its own; what is below it stands in its parent's table."""


@dataclass(frozen=True)
class Exported:
    """Where the first page is, and how many there are."""

    index: Path
    pages: int


def export_portal(site: Site, period: str, out: Path, division_code: str | None = None) -> Exported:
    """Write the overview and every reporting division down to townships, with the villages in their townships' tables.

    division_code: only this one and what is below it. `out` must not exist, or be an earlier export, which is replaced
    once the new one is complete. Raises Refused, NotFound.
    """
    marker = ".portal"
    if out.exists() and not (out / marker).exists():
        raise Refused(f"{out} is there already and not of an earlier export. Name another folder.")
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(f".{out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(STATIC, unfinished / "static")
    (unfinished / marker).touch()
    viewer = Viewer("", division_code)
    engine = reader_of(site.engine)
    try:
        with snapshot(engine) as conn:
            top = data.look(conn, viewer, None).place
            places = [top, *_below(conn, viewer, top, period)]
            files = {f"/division/{each['division_code']}": _file(each) for each in places} | {
                "/": "index.html"
            }

            def asked(here: str) -> Asked:
                links = FileLinks(files, here)
                return Asked(site=site, viewer=viewer, links=links, conn=conn, here=here)

            first = asked("index.html")
            _write(unfinished, first, "overview.html", overview.content(first, period))
            for each in places:
                page = asked(_file(each))
                content = division.content(page, each["division_code"], period)
                content["children"] = list(_all_children(conn, viewer, each["division_code"], period))
                _write(unfinished, page, "division.html", content)
    finally:
        engine.dispose()
    names = [[each["division_name"], each["above"], _file(each)] for each in places[1:]]
    text = f"window.portalPlaces = {json.dumps(names, ensure_ascii=False, separators=(',', ':'))};\n"
    (unfinished / "places.js").write_text(text, encoding="utf-8")
    shutil.rmtree(out, ignore_errors=True)
    unfinished.rename(out)
    return Exported(out / "index.html", len(places) + 1)


def _below(conn: Connection, viewer: Viewer, place: dict[str, Any], period: str) -> Iterator[dict[str, Any]]:
    """Divisions below one that owe or sent anything, each before those below it; `above` names those over it."""
    if place["level"] == LOWEST:
        return
    above = f"{place.get('above', '')} {place['division_name']}".strip()
    for row in _all_children(conn, viewer, place["division_code"], period):
        if row["level"] == "village" or not (row["expected"] or row["received"]):
            continue
        named = row | {"above": above}
        yield named
        yield from _below(conn, viewer, named, period)


def _all_children(conn: Connection, viewer: Viewer, code: str, period: str) -> Iterator[dict[str, Any]]:
    here = data.look(conn, viewer, code, period)
    offset, total = 0, 1
    while offset < total:
        found = data.children(here, limit=data.LONGEST_PAGE, offset=offset)
        yield from found["rows"]
        offset, total = offset + data.LONGEST_PAGE, found["rows_total"]


def _file(place: dict[str, Any]) -> str:
    return f"division/{place['division_code']}.html"


def _write(root: Path, asked: Asked, template: str, content: dict[str, Any]) -> None:
    file = root / asked.here
    file.parent.mkdir(exist_ok=True)
    file.write_text(asked.render(template, content), encoding="utf-8")
