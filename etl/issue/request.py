"""Request (送审说明): what a person is told who approves a draft, beside its files, as Markdown."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy.engine import Row

from etl.clock import SHANGHAI
from etl.connections import ConnectionMissing
from etl.periods import Period
from etl.reports.changes import Changes
from etl.reports.notes import completeness, quality_counts
from etl.reports.table import Table
from etl.site import Site

FILE = "送审说明.md"


def write_request(table: Table, changes: Changes | None, version: int, folder: Path) -> None:
    """Write what is known of the draft as it is made into its folder."""
    since = (
        "首次报出"
        if changes is None
        else f"与第{changes.version}版相比改动 {len(changes.cells):,} 个数据，逐项见工作簿“变更说明”"
    )
    state = "初步数（报送率低于规定比例或报告期未满，不排名、不比较）" if table.is_provisional else "正式数"
    targets = "、".join(table.report.deliveries)
    lines = {
        "表名": table.report.title,
        "表号": table.report.number,
        "填报单位": f"{table.division_name}（{table.division_code}）",
        "报告期": table.period.name_zh,
        "版次": f"第{version}版，{since}",
        "数据状态": state,
        "报送情况": completeness(table),
        "数据质量": quality_counts(table),
        "行数": f"{len(table.rows):,}",
        "数据截至": f"{table.known_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
        "批准后": f"按此稿冻结为第{version}版，" + (f"投递至 {targets}" if targets else "在门户提供下载"),
    }
    text = "".join(f"- **{name}**：{words}\n" for name, words in lines.items() if words)
    (folder / FILE).write_text(text, encoding="utf-8")


def question_of(site: Site, row: Row[Any], folder: Path) -> tuple[str, str]:
    """Subject and body of what is asked about a draft, from its row in mart.issue and its folder."""
    period = Period.parse(row.period)
    subject = f"{row.title}（{row.division_name}，{period.name_zh}，第{row.version}版）待批准报出"
    # The workbook, which is what people read, first.
    names = sorted((each["name"] for each in row.files), key=lambda name: (not name.endswith(".xlsx"), name))
    address = _portal(site)
    if address is None:
        files = [f"`{folder / name}`" for name in names]
    else:
        place = f"{address}/drafts/{row.report}/{row.period}/{row.division_code}/v{row.version}"
        files = [f"[{name}]({place}/{quote(name)})" for name in names]
    listed = "".join(f"- {each}\n" for each in files)
    return subject, f"{(folder / FILE).read_text(encoding='utf-8')}\n**送审稿**\n\n{listed}"


def _portal(site: Site) -> str | None:
    """Address of the portal; None where no connection names it."""
    try:
        return site.connect(site.catalog.delivery().link_conn_id).base_url()
    except ConnectionMissing:
        return None
