"""A day with hostile files among the deliveries: it ends, the ledger adds up, everybody else's figures are in."""

from __future__ import annotations

import gzip
import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
import sqlalchemy as sa

from etl.daily import run_day
from etl.divisions import DayDivisions
from etl.site import Site
from simulator.plan import FIRST
from simulator.simulation import Simulation
from tests.integration.conftest import read_view
from tests.integration.test_pipeline_truth import COUNTS, DAY
from tests.unit.hostile_inputs import HEAD_ROWS, HEADER, village, workbook

pytestmark = pytest.mark.integration
OpenFor = Callable[[Simulation], Site]


def formula() -> bytes:
    """The only village's only figure is a formula that nobody calculated."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "日报表"
    for row in (["统计日期：2026-03-02"], ["单位代码", "单位名称", "实体"], [None, None, "解答法律咨询"]):
        sheet.append(row)
    sheet.append(["=1+1", "=B1", "=cmd|' /C calc'!A0"])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


REJECTED: list[Callable[[], bytes]] = [
    lambda: b"",
    lambda: b"PK\x03\x04" + b"\x00" * 5_000,
    lambda: workbook("", more={"xl/x.xml": bytes(60_000_000)}),
    lambda: workbook(HEAD_ROWS, more={"xl/x.xml": b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'}),
    lambda: workbook(
        HEAD_ROWS + "".join(village(n, f'<c r="C{n}" t="s"><v>0</v></c>') for n in range(5, 2_000)),
        f"<si><t>{'x' * 1_000_000}</t></si>",
    ),
    lambda: workbook(HEAD_ROWS + '<row r="5"><c r="EQXD5"><v>1</v></c></row>'),
]
READ: list[Callable[[], bytes]] = [
    formula,
    lambda: workbook(
        HEAD_ROWS + village(5, f'<c r="C5" t="inlineStr"><is><t>{"7" * 5_000_000}</t></is></c>')
    ),
]


def hostile_csv(unit: str) -> bytes:
    lines = [
        f"{unit},2026-03-02,实体,解答法律咨询,\x00,17:40\x00\x1b[31m,9\x00",
        f"{unit},46083,实体,解答法律咨询,1,,1",
        f"{unit},2026-03-02,\x00热线,=1+1,{'9' * 400},,1",
        f"\x00{unit},2026-03-02,实体,解答法律咨询,1,,1",
        f"{unit},2026-03-02,实体,调解受理,{'x' * 5_000_000},,1",
        f"{unit},2026-03-02",
        f"{unit},2026-03-02,实体,公证咨询,３,,1",
    ]
    return gzip.compress("\r".join([HEADER, *lines]).encode("gb18030"), mtime=0)


def test_hostile_files_stop_nobody_else(tmp_path: Path, hotline_url: str, open_for: OpenFor) -> None:
    simulated = Simulation(
        home=tmp_path / "simulated",
        days=[DAY],
        hotline_url=hotline_url,
        counties=["371302000000", "371311000000"],
        townships_per_county=8,
    )
    with simulated as simulation:
        site = open_for(simulation)
        family = {each.id: each.family for each in site.catalog.platforms.values()}
        folders = [
            simulation.files_root(name) / f"{DAY:%Y%m%d}"
            for name in family
            if family[name] in ("csv", "workbook")
        ]
        books = sorted(file for folder in folders for file in folder.glob("*.xlsx"))
        makers = [*REJECTED, *READ]
        assert len(books) > len(makers)
        for file, make in zip(books, makers, strict=False):
            file.write_bytes(make())
        csv_file = sorted(file for folder in folders for file in folder.glob("*.csv.gz"))[0]
        county = csv_file.name.split("_")[1]
        packed = hostile_csv(f"{county}001000")
        csv_file.write_bytes(packed)
        digest = hashlib.sha256(packed).hexdigest()
        Path(f"{csv_file}.sha256").write_text(f"{digest}  {csv_file.name}\n")
        for folder in folders:
            (folder / "loop.xlsx").symlink_to("loop.xlsx")
            (folder / "a\nb\x1b[31m.xlsx").write_bytes(b"x")

        troubles = run_day(site, DAY, list(site.catalog.platforms))

        assert sorted(each.name for each in troubles) == sorted(file.name for file in books[: len(REJECTED)])
        assert {each.state for each in troubles} == {"rejected"}
        assert all(any("\u4e00" <= letter <= "\u9fff" for letter in each.message) for each in troubles)
        ledger = read_view(site, "mart.ledger")
        assert (ledger["rows_received"] == ledger[COUNTS[1:]].sum(axis=1)).all()
        held = read_view(site, "quality.quarantine")
        names = held.merge(ledger[["batch_id", "platform"]], on="batch_id")["platform"].map(family)
        assert (names == "csv").sum() == 6
        assert (names == "workbook").sum() >= 2
        mart = read_view(site, "mart.daily_statistics", stat_date=DAY)
        touched = {f"{file.name.split('_')[1]}000" for file in books[: len(makers)]}
        with site.engine.connect() as conn:
            listed = conn.execute(sa.text("SELECT division_code FROM core.division")).scalars().all()
            table = DayDivisions(conn, DAY, listed).table
        codes = dict(zip(table["division_id"], table.index, strict=True))
        parents = dict(zip(table["division_id"], table["parent_id"], strict=True))

        def is_touched(number: int | None) -> bool:
            while number in codes:
                if codes[number] in touched or codes[number].startswith(county):
                    return True
                number = parents[number]
            return False

        untouched = {code for number, code in codes.items() if not is_touched(number)}
        differences = simulation.truth(FIRST).differences(mart)
        above = {f"{code[:4]}00000000" for code in touched} | {f"{code[:6]}000000" for code in touched}
        wrong = differences[differences["division_code"].isin(untouched - above - {"370000000000"})]
        assert wrong.empty, wrong.to_string()
        assert mart["division_code"].isin(untouched).sum() > 50
