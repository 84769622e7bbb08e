"""What was issued, to take away; and Great Expectations' own pages on the days' data."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, RedirectResponse, Response

from etl.portal import data
from etl.portal.frame import Page
from etl.site import Site

ROWS = 100
router = APIRouter()


@router.get("/downloads")
def downloads(asked: Page, offset: Annotated[int, Query(ge=0, le=100_000)] = 0) -> Response:
    """The issued tables of the viewer's own part, the latest first."""
    found = data.issued(asked.conn, asked.viewer, ROWS, offset)
    shown = [row | {"folder": folder_of(row), "names": _names(row["files"])} for row in found["rows"]]
    days = _days_with_docs(asked.site) if asked.viewer.division_code is None else []
    return asked.show(
        "downloads.html",
        {"rows": shown, "rows_total": found["rows_total"], "offset": offset, "page_size": ROWS, "days": days},
    )


@router.get("/issued/{report}/{period}/{division}/{version}/{name}")
def issued_file(asked: Page, report: str, period: str, division: str, version: str, name: str) -> Response:
    """One file of an issued table, to people in whose part of the tree its division lies."""
    data.look(asked.conn, asked.viewer, division)
    root = asked.site.settings.home / "reports" / "issued"
    file = confined(root, f"{report}/{period}/{division}/{version}/{name}")
    return FileResponse(file, filename=file.name)


@router.get("/drafts/{report}/{period}/{division}/{version}/{name}")
def draft_file(asked: Page, report: str, period: str, division: str, version: str, name: str) -> Response:
    """One file of a draft, to those who approve it: who sees everything."""
    if asked.viewer.division_code is not None:
        raise data.NotYours("送审稿尚未报出，只对全省查看权限开放。")
    root = asked.site.settings.home / "reports" / "drafts"
    file = confined(root, f"{report}/{period}/{division}/{version}/{name}")
    return FileResponse(file, filename=file.name)


@router.get("/data-docs/assets/{path:path}")
def data_docs_assets(request: Request, path: str) -> Response:
    """What these pages load. They run in an origin of their own, without the session; these files are public."""
    return FileResponse(confined(request.app.state.site.settings.home / "data_docs" / "assets", path))


@router.get("/data-docs/{path:path}")
def data_docs(asked: Page, path: str) -> Response:
    """A page of Data Docs. They hold rows of every platform, so only who sees everything sees them."""
    if asked.viewer.division_code is not None:
        raise data.NotYours("数据质量文档含全省各平台的数据，只对全省查看权限开放。")
    return FileResponse(confined(asked.site.settings.home / "data_docs", path or "index.html"))


@router.get("/data-docs")
def data_docs_index() -> Response:
    """The list of days."""
    return RedirectResponse("/data-docs/index.html", 303)


def confined(root: Path, path: str) -> Path:
    """A file below a folder. Raises NotFound for what is not there, hidden, or leads out, by links too."""
    parts = PurePosixPath(path).parts
    if "\0" in path or any(part in ("/", "..") or part.startswith(".") for part in parts):
        raise data.NotFound("没有这个文件。")
    folder = root.resolve()
    file = folder.joinpath(*parts).resolve()
    if not file.is_relative_to(folder) or not file.is_file():
        raise data.NotFound("没有这个文件。")
    return file


def folder_of(row: dict[str, object]) -> str:
    """Where the files of an issued table stand below reports/issued."""
    return f"{row['report']}/{row['period']}/{row['division_code']}/v{row['version']}"


def _names(files: list[dict[str, object]] | None) -> list[dict[str, object]]:
    return [
        {"name": PurePosixPath(str(each["name"])).name, "bytes": each.get("bytes")} for each in files or []
    ]


def _days_with_docs(site: Site) -> list[str]:
    found = (site.settings.home / "data_docs").glob("????-??-??/index.html")
    return sorted((each.parent.name for each in found), reverse=True)[:31]
