"""Issue: an approved draft becomes a frozen version, with a manifest that proves it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Row

from etl.catalog.report import Report
from etl.clock import SHANGHAI
from etl.issue.draft import IssueError, draft_table, drafted, issued
from etl.issue.files import MANIFEST, sha256_of, whole_folder
from etl.periods import Period
from etl.site import Site
from etl.warehouse import run_sql

ISSUED = ("approved", "delivered", "failed")


@dataclass(frozen=True)
class Issued:
    """A frozen version. is_new: whether it was made now; else no cell differs from it. cells_changed: since the version
    before it, None for the first."""

    issue_id: int
    version: int
    folder: Path
    is_new: bool
    cells_changed: int | None


def issue_table(site: Site, report: Report, division: str | None, period: Period, by: str) -> Issued:
    """Issue a table at once: draft, approve, freeze. When no cell has changed, the last version stays and is returned.

    Run again after a kill, it ends as it would have. Raises IssueError, ReportError.
    """
    draft = draft_table(site, report, division, period, by)
    if draft.state == "refused":
        # It was refused as a draft; whoever issues it now by name has decided otherwise.
        with site.engine.begin() as conn:
            run_sql(conn, "issue/redraft", {"issue_id": draft.issue_id})
    done = approve_draft(site, draft.issue_id, by)
    assert done is not None
    return done if draft.is_new else Issued(done.issue_id, done.version, done.folder, False, 0)


def approve_draft(site: Site, issue_id: int, by: str) -> Issued | None:
    """Approve a draft and freeze it; None when it was refused or replaced by a newer draft meanwhile."""
    with site.engine.begin() as conn:
        run_sql(conn, "issue/decide", {"issue_id": issue_id, "state": "approved", "by": by, "reason": None})
        row = _row(conn, issue_id)
    if row.state not in ISSUED:
        return None
    folder = _freeze(site, row)
    return Issued(row.issue_id, row.version, folder, True, row.cells_changed)


def refuse_draft(site: Site, issue_id: int, by: str, reason: str) -> None:
    """Refuse a draft; nothing of it is delivered. Raises IssueError when it is issued already."""
    with site.engine.begin() as conn:
        run_sql(conn, "issue/decide", {"issue_id": issue_id, "state": "refused", "by": by, "reason": reason})
        row = _row(conn, issue_id)
    if row.state in ISSUED:
        raise IssueError(
            f"{row.title} {row.period} v{row.version} was issued on {row.decided_at:%Y-%m-%d}; it cannot be refused"
            " any more. Correct the figures: that makes a new version."
        )


def _row(conn: Any, issue_id: int) -> Row[Any]:
    row: Row[Any] | None = run_sql(conn, "issue/get", {"issue_id": issue_id}).one_or_none()
    if row is None:
        raise IssueError(f"There is no draft {issue_id}. See: python -m etl issued list")
    return row


def _freeze(site: Site, row: Row[Any]) -> Path:
    """Put the draft's files where issued ones stand, with the manifest. All of it follows from the row: whoever is
    killed in between and does it again does the same."""
    names = {"report": row.report, "division": row.division_code, "period": row.period}
    folder = issued(site, names, row.version)
    if row.manifest_sha256 is not None:
        return folder
    source = drafted(site, names, row.version)
    if not folder.exists():
        with whole_folder(folder) as place:
            for file in row.files:
                shutil.copyfile(source / file["name"], place / file["name"])
                if sha256_of(place / file["name"]) != file["sha256"]:
                    raise IssueError(
                        f"{source / file['name']} is not what was drafted: somebody changed it. Nothing was issued."
                    )
            (place / MANIFEST).write_text(_manifest(row), encoding="utf-8")
    with site.engine.begin() as conn:
        run_sql(conn, "issue/freeze", {"issue_id": row.issue_id, "sha256": sha256_of(folder / MANIFEST)})
    shutil.rmtree(source, ignore_errors=True)
    return folder


def _manifest(row: Row[Any]) -> str:
    content = {
        "report": row.report,
        "title": row.title,
        "division": row.division_code,
        "division_name": row.division_name,
        "period": row.period,
        "version": row.version,
        "replaces": row.version - 1 or None,
        "issued_at": row.decided_at.astimezone(SHANGHAI).isoformat(),
        "issued_by": row.decided_by,
        "known_at": row.known_at.astimezone(SHANGHAI).isoformat(),
        "catalog_digest": row.catalog_digest,
        "scheme_versions": row.scheme_versions,
        "software": _software(),
        "rows": row.row_count,
        "cells_sha256": row.cells_sha256,
        "cells_changed": row.cells_changed,
        "files": row.files,
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _software() -> str:
    try:
        return f"pls-statistics {version('pls-statistics')}"
    except PackageNotFoundError:
        return "pls-statistics"
