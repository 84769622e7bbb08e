"""`quarantine sheet`: from what is held back to the sender, and back again as the next revision."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from etl.cli import main
from etl.daily import run_day
from etl.site import Site
from simulator.simulation import Simulation
from tests.integration.conftest import read_view
from tests.integration.test_pipeline_truth import DAY
from tests.unit.hostile_inputs import HEADER
from tests.unit.test_source_workbooks import book

pytestmark = pytest.mark.integration
OpenFor = Callable[[Simulation], Site]
TOWNSHIP = "371302001"


def sheet(*words: object) -> Result:
    return CliRunner().invoke(main, ["quarantine", "sheet", *map(str, words)])


@pytest.fixture
def small(tmp_path: Path, hotline_url: str, open_for: OpenFor) -> Any:
    simulated = Simulation(
        home=tmp_path / "simulated",
        days=[DAY],
        hotline_url=hotline_url,
        counties=["371302000000"],
        townships_per_county=2,
    )
    with simulated as simulation:
        yield simulation, open_for(simulation)


def batch_of(site: Site, name: str) -> int:
    with site.engine.connect() as conn:
        query = sa.text("SELECT batch_id FROM landing.batch WHERE source_name = :name")
        return int(conn.execute(query, {"name": name}).scalar_one())


def value_of(site: Site, unit: str, measure: str) -> list[int]:
    rows = read_view(site, "mart.daily_statistics", division_code=unit, measure=measure, channel="physical")
    return [int(value) for value in rows["value"].dropna()]


def root(simulation: Simulation, family: str) -> Path:
    name = next(each.id for each in simulation.catalog.platforms.values() if each.family == family)
    return simulation.files_root(name) / f"{DAY:%Y%m%d}"


def test_a_workbook_returned_corrected_and_sent_again_takes_the_place_of_what_it_corrects(
    small: Any, tmp_path: Path
) -> None:
    simulation, site = small
    folder = root(simulation, "workbook")
    unit = next(
        code
        for code in read_view(site, "core.division")["division_code"].sort_values()
        if code.startswith(TOWNSHIP) and not code.endswith("000")
    )
    name = f"village_{TOWNSHIP}_{DAY:%Y%m%d}.xlsx"
    (folder / name).write_bytes(book([[int(unit), "甲村", 3, "四", 1], [None, "合计", 3, 4, 1]]))
    everyone = list(site.catalog.platforms)
    run_day(site, DAY, everyone)
    assert value_of(site, unit, "mediation_accepted") == []

    result = sheet("--batch", batch_of(site, name), "--out", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    file = Path(json.loads(result.stdout)["file"])
    assert file.name == f"village_{TOWNSHIP}_{DAY:%Y%m%d}_r2.xlsx"
    returned = openpyxl.load_workbook(file)
    assert "四 不是数字" in returned["日报表"]["F5"].value
    assert returned["审核意见"]["B7"].value == "日报表!D5"
    returned["日报表"]["D5"] = 4
    returned.save(folder / file.name)

    run_day(site, DAY, everyone)
    assert value_of(site, unit, "mediation_accepted") == [4]
    assert value_of(site, unit, "consultation") == [3]
    held = read_view(site, "quality.quarantine", batch_id=batch_of(site, file.name))
    assert held.empty
    ledger = read_view(site, "mart.ledger", batch_id=batch_of(site, file.name))
    assert ledger["state"].tolist() == ["loaded"]


def test_a_csv_returned_corrected_and_sent_again_takes_the_place_of_what_it_corrects(
    small: Any, tmp_path: Path
) -> None:
    simulation, site = small
    folder = root(simulation, "csv")
    unit, other = f"{TOWNSHIP}000", "371302002000"
    lines = [
        HEADER,
        f"{unit},{DAY},实体,基层法律服务事项,四,,1",
        f"{unit},{DAY},实体,法律援助申请,3,,1",
        f"{other},{DAY},,零报告,0,,1",
    ]
    packed = gzip.compress("\r\n".join(lines).encode("gb18030"), mtime=0)
    name = f"township_371302_{DAY:%Y%m%d}_r1.csv.gz"
    (folder / name).write_bytes(packed)
    Path(f"{folder / name}.sha256").write_text(f"{hashlib.sha256(packed).hexdigest()}  {name}\n")
    everyone = list(site.catalog.platforms)
    run_day(site, DAY, everyone)
    batch = batch_of(site, name)
    file = Path(json.loads(sheet("--batch", batch, "--out", folder, "--json").stdout)["file"])
    assert file.name == f"township_371302_{DAY:%Y%m%d}_r2.csv.gz"

    run_day(site, DAY, everyone)
    again = read_view(site, "quality.quarantine", batch_id=batch_of(site, file.name))
    assert again["reason_code"].tolist() == ["value"], (
        "sent back as it is, it is held again and nothing is lost"
    )
    settled = read_view(site, "quality.quarantine", batch_id=batch)
    assert settled["state"].tolist() == ["corrected"], "the later edition stands for what it replaces"
    newest = batch_of(site, file.name)
    third = Path(json.loads(sheet("--batch", newest, "--out", tmp_path, "--json").stdout)["file"])
    assert third.name.endswith("_r3.csv.gz")

    text = gzip.decompress(third.read_bytes()).decode("gb18030").replace("四", "4", 1)
    packed = gzip.compress(text.encode("gb18030"), mtime=0)
    (folder / third.name).write_bytes(packed)
    Path(f"{folder / third.name}.sha256").write_text(f"{hashlib.sha256(packed).hexdigest()}  {third.name}\n")
    run_day(site, DAY, everyone)
    assert value_of(site, unit, "grassroots_service") == [4]
    assert value_of(site, unit, "legal_aid_application") == [3]


def test_what_has_no_file_or_cannot_be_read_comes_back_as_a_list(small: Any, tmp_path: Path) -> None:
    simulation, site = small
    folder = root(simulation, "workbook")
    name = f"village_{TOWNSHIP}_{DAY:%Y%m%d}.xlsx"
    (folder / name).write_bytes(b"no workbook")
    run_day(site, DAY, list(site.catalog.platforms))
    result = sheet("--batch", batch_of(site, name), "--out", tmp_path / "out", "--json")
    listed = openpyxl.load_workbook(json.loads(result.stdout)["file"])["审核意见"]
    assert "不是 xlsx 工作簿" in listed["E7"].value
    for number, words in ((999_999, "不在台账中"), (batch_of(site, "hotline_daily"), "没有隔离的行")):
        result = sheet("--batch", number, "--out", tmp_path / "out")
        assert (result.exit_code, words in result.stderr) == (2, True)
