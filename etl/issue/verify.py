"""Verify: an issued file is the one that was issued, and every cell of it is what the warehouse knew then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Row

from etl.issue.as_known import as_known_at
from etl.issue.cells import FILE, Cells, in_words
from etl.issue.draft import IssueError, issued, known_of
from etl.issue.files import MANIFEST, sha256_of
from etl.periods import Period
from etl.reports.compose import compose_table
from etl.reports.table import ReportError
from etl.site import Site
from etl.warehouse import run_sql

MOST_NAMED = 200


@dataclass(frozen=True)
class Verdict:
    """What was proved of an issued table. findings: what is not as issued, in Chinese and English; empty when all is
    proved. cells: how many were recomputed."""

    report: str
    division_code: str
    period: str
    version: int
    files: int
    cells: int
    findings: tuple[str, ...]

    @property
    def is_proved(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def verify_issue(site: Site, path: Path) -> Verdict:
    """Prove a manifest, its folder, or a file of an issued table: by SHA-256 that it is the one issued, and by making
    the table again from the warehouse as known then that every cell is right.

    Raises IssueError when nothing says which issued table it should be.
    """
    row, findings = _identify(site, path)
    names = {"report": row.report, "division": row.division_code, "period": row.period}
    folder = issued(site, names, row.version)
    looked_at = list(_files(path, folder, row))
    for file, name, digest in looked_at:
        if not file.is_file():
            findings.append(f"文件缺失 / missing file: {name}")
        elif sha256_of(file) != digest:
            findings.append(f"文件不是报出的原件 / not the file that was issued: {name}")
    frozen_file = folder / FILE
    digests = {each["name"]: each["sha256"] for each in row.files}
    if not frozen_file.is_file() or sha256_of(frozen_file) != digests[FILE]:
        findings.append(f"冻结的数据缺失或被改动 / the frozen cells are gone or changed: {frozen_file}")
        return _verdict(row, len(looked_at), 0, findings)
    frozen = Cells.read(frozen_file)
    try:
        again = recompute(site, row)
    except ReportError as error:
        findings.append(f"无法重算 / the table cannot be made again: {error}")
        return _verdict(row, len(looked_at), 0, findings)
    different = list(islice(frozen.differences(again), MOST_NAMED + 1))
    for row_key, column, old, new in different[:MOST_NAMED]:
        name = (frozen.rows.get(row_key) or again.rows[row_key])[0]
        heads = "·".join(frozen.columns.get(column) or again.columns[column])
        findings.append(
            f"{name}（{row_key}）{heads}：报出 {in_words(old)}，重算 {in_words(new)}"
            f" / {row_key} {column}: issued {in_words(old)}, recomputed {in_words(new)}"
        )
    if len(different) > MOST_NAMED:
        findings.append(f"另有更多单元格不同 / more cells differ than the {MOST_NAMED} named")
    if not different and again.sha256() != row.cells_sha256:
        findings.append("行或列的顺序不同 / rows or columns stand in another order")
    return _verdict(row, len(looked_at), len(frozen.rows) * len(frozen.columns), findings)


def recompute(site: Site, row: Row[Any]) -> Cells:
    """The cells of an issued version, made again from the warehouse as known then. Raises IssueError when its report
    was not declared then."""
    period = Period.parse(row.period)
    with as_known_at(site.engine, site.catalog, period, known_of(row)) as (conn, catalog):
        report = catalog.reports.get(row.report)
        if report is None:
            raise IssueError(f"The catalogue of then declares no report {row.report}.")
        return Cells.of(compose_table(conn, catalog, report, row.division_code, period))


def _identify(site: Site, path: Path) -> tuple[Row[Any], list[str]]:
    """The row of the issued table that a path belongs to, by the manifest beside it, else by the file's own digest."""
    folder = path if path.is_dir() else path.parent
    manifest = folder / MANIFEST
    with site.engine.connect() as conn:
        if not manifest.is_file():
            if not path.is_file():
                raise IssueError(
                    f"{path}: a manifest, its folder, or a file of an issued table was expected."
                )
            row = run_sql(conn, "issue/find_by_file", {"sha256": sha256_of(path)}).one_or_none()
            if row is None:
                raise IssueError(
                    f"{path} 不是本库报出的文件，或已被改动 / was not issued from this warehouse, or was changed."
                    " Put it beside its manifest.json to see which table it should be."
                )
            return row, []
        try:
            named = json.loads(manifest.read_text(encoding="utf-8"))
            key = {name: named[name] for name in ("report", "division", "period", "version")}
        except (ValueError, KeyError, TypeError):
            raise IssueError(f"{manifest} is not a manifest of an issued table.") from None
        row = run_sql(conn, "issue/find", key).one_or_none()
    if row is None:
        raise IssueError(
            f"{manifest}: {key['report']} {key['period']} {key['division']} v{key['version']} was not issued from this"
            " warehouse."
        )
    changed = sha256_of(manifest) != row.manifest_sha256
    return row, ["清单不是报出的原件 / not the manifest that was issued"] if changed else []


def _files(path: Path, folder: Path, row: Row[Any]) -> Iterator[tuple[Path, str, str]]:
    """The files to look at: the one named, or all beside the manifest."""
    digests = {each["name"]: each["sha256"] for each in row.files}
    if path.is_dir() or path.name == MANIFEST:
        place = path if path.is_dir() else path.parent
        yield from ((place / name, name, digest) for name, digest in digests.items())
    elif path.name in digests:
        yield path, path.name, digests[path.name]
    else:
        found = sha256_of(path)
        yield path, path.name, found if found in digests.values() else "(none)"


def _verdict(row: Row[Any], files: int, cells: int, findings: list[str]) -> Verdict:
    return Verdict(row.report, row.division_code, row.period, row.version, files, cells, tuple(findings))
