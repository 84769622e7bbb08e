"""Every figure opens into the rows that it sums, and a table asked for as of an earlier moment is the table of then."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from etl.cli import main
from etl.daily import run_day
from etl.desk import Correction, release
from etl.divisions import load_divisions
from etl.provenance import ProvenanceError, explain_daily
from etl.settings import DIVISIONS_FILE
from etl.site import Site
from simulator.simulation import Simulation
from tests.integration.conftest import clock, read_view
from tests.integration.test_pipeline_truth import DAY, small_world

pytestmark = pytest.mark.integration
OpenFor = Callable[[Simulation], Site]
CITY = "371300000000"
KEY = ["division_code", "measure", "channel"]


def today(site: Site) -> pd.DataFrame:
    shown = read_view(site, "mart.daily_statistics", stat_date=DAY)
    return shown.sort_values(KEY, ignore_index=True)


def as_known(site: Site, moment: datetime) -> pd.DataFrame:
    with site.engine.connect() as conn:
        query = sa.text("SELECT * FROM mart.daily_statistics_as_of(:moment, :day)")
        result = conn.execute(query, {"moment": moment, "day": DAY})
        shown = pd.DataFrame(result.all(), columns=list(result.keys()))
    return shown.sort_values(KEY, ignore_index=True)


def test_a_table_as_of_then_is_the_table_of_then_digit_for_digit(
    tmp_path: Path, hotline_url: str, open_for: OpenFor
) -> None:
    with small_world(tmp_path, hotline_url, "restated") as simulation:
        site = open_for(simulation)
        everyone = list(site.catalog.platforms)
        snapshots: list[tuple[datetime, pd.DataFrame]] = []

        def remember() -> None:
            snapshots.append((clock(site), today(site)))

        run_day(site, DAY, everyone[: len(everyone) // 2])
        remember()
        run_day(site, DAY, everyone)
        remember()
        simulation.advance()
        run_day(site, DAY, everyone)
        remember()
        listed = pd.read_csv(DIVISIONS_FILE, dtype=str, keep_default_na=False)
        changed = listed[listed["code"] != "371302001001"].copy()
        changed.loc[changed["code"] == "371302000000", "name"] = "新兰山区"
        changed.to_csv(tmp_path / "changed.csv", index=False)
        load_divisions(site.engine, tmp_path / "changed.csv", DAY, DAY)
        run_day(site, DAY, everyone)
        remember()
        assert len({len(shown) for _, shown in snapshots} | {int(s["value"].sum()) for _, s in snapshots}) > 4
        for moment, shown in snapshots:
            pd.testing.assert_frame_equal(as_known(site, moment), shown)
        assert not snapshots[2][1].equals(snapshots[3][1])


@pytest.mark.parametrize(
    ("division", "channel"), [(CITY, "all"), (CITY, "physical"), ("371302000000", "all")]
)
def test_the_rows_under_a_figure_add_up_to_it_now_and_as_known_before(
    division: str, channel: str, tmp_path: Path, hotline_url: str, open_for: OpenFor
) -> None:
    with small_world(tmp_path, hotline_url, "restated") as simulation:
        site = open_for(simulation)
        everyone = list(site.catalog.platforms)
        run_day(site, DAY, everyone)
        first = clock(site)
        simulation.advance()
        run_day(site, DAY, everyone)
        shown = today(site).query("division_code == @division and channel == @channel").set_index("measure")
        before = as_known(site, first).query("division_code == @division and channel == @channel")
        before = before.set_index("measure")
        assert len(shown) > 5
        changed = 0
        for measure, value in shown["value"].items():
            now = explain_daily(site.engine, division, DAY, measure, channel)
            then = explain_daily(site.engine, division, DAY, measure, channel, first)
            assert sum(part["value"] for part in now.parts) == now.value == value
            assert sum(part["value"] for part in then.parts) == then.value == before["value"][measure]
            changed += now.parts != then.parts
        assert changed > 0


def test_a_part_names_the_file_and_the_row_that_was_sent(
    tmp_path: Path, hotline_url: str, open_for: OpenFor
) -> None:
    with small_world(tmp_path, hotline_url, "value_text") as simulation:
        site = open_for(simulation)
        run_day(site, DAY, list(site.catalog.platforms))
        rows = read_view(site, "quality.quarantine", state="held")
        row = rows[rows["place"].str.contains("xlsx|csv|!")].iloc[0]
        unit, measure, channel = (row["raw"][name] for name in ("unit", "measure", "channel"))
        release(site, [int(row["quarantine_id"])], "李", "与单位核对", Correction(value="23"))
        parts = explain_daily(site.engine, unit, DAY, measure, channel).parts
        (part,) = [each for each in parts if each["unit_code"] == unit]
        assert (part["value"], part["ordinal"]) == (23, 1)
        assert part["source_name"] == f"release-{row['quarantine_id']}.json"
        body = b"".join(site.archive.get(part["sha256"], [size_of(site, part["sha256"])]))
        document = json.loads(body)
        assert document["by"] == "李"
        assert document["rows"][part["row_number"] - 1]["value"] == "23"
        others = explain_daily(site.engine, CITY, DAY, measure, channel).parts
        files = {each["source_name"] for each in others}
        assert len(files) > 1
        assert (
            sum(each["value"] for each in others)
            == today(site)
            .query("division_code == @CITY and measure == @measure and channel == @channel")["value"]
            .iloc[0]
        )


def size_of(site: Site, sha256: str) -> int:
    with site.engine.connect() as conn:
        query = sa.text("SELECT part_sizes[1] FROM landing.batch WHERE sha256 = :sha256")
        return int(conn.execute(query, {"sha256": sha256}).scalar_one())


def test_a_figure_that_is_not_there_is_refused_in_plain_words(
    tmp_path: Path, hotline_url: str, open_for: OpenFor
) -> None:
    with small_world(tmp_path, hotline_url, "clean") as simulation:
        site = open_for(simulation)
        run_day(site, DAY, list(site.catalog.platforms))
        with pytest.raises(ProvenanceError, match="no row for 371300000000 on 2026-03-02, population"):
            explain_daily(site.engine, CITY, DAY, "population")
        words = [
            "explain",
            "mart.daily_statistics",
            "--date",
            str(DAY),
            "--measure",
            "consultation",
            "--division",
        ]
        result = CliRunner().invoke(main, [*words, CITY, "--json"])
        found = json.loads(result.stdout)
        assert sum(part["value"] for part in found["parts"]) == found["value"] > 0
        assert CliRunner().invoke(main, [*words, "999999999999"]).exit_code == 2
