"""The quarantine desk: what a person lets go counts and can be traced, what is discarded never counts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from etl.daily import run_day
from etl.desk import Correction, DeskError, discard, release
from etl.site import Site
from simulator.simulation import Simulation
from tests.integration.conftest import read_sorted, read_view
from tests.integration.test_pipeline_truth import COUNTS, DAY, small_world

pytestmark = pytest.mark.integration
OpenFor = Callable[[Simulation], Site]
CITY = "371300000000"


@pytest.fixture
def site_of(
    tmp_path: Path, hotline_url: str, open_for: OpenFor, request: pytest.FixtureRequest
) -> Callable[[str], Site]:
    """A site after the day of a scenario was run once."""

    def run(scenario: str) -> Site:
        simulation = small_world(tmp_path, hotline_url, scenario)
        simulation.__enter__()
        request.addfinalizer(lambda: simulation.__exit__(None, None, None))
        site = open_for(simulation)
        run_day(site, DAY, list(site.catalog.platforms))
        return site

    return run


def held(site: Site) -> pd.DataFrame:
    rows = read_view(site, "quality.quarantine", state="held")
    return rows.join(pd.DataFrame(list(rows["raw"]), index=rows.index))


def figure(site: Site, unit: str, measure: str, channel: str) -> Any:
    found = read_view(
        site, "mart.daily_statistics", division_code=unit, stat_date=DAY, measure=measure, channel=channel
    )
    return None if found.empty else found["value"].iloc[0]


def revisions(site: Site) -> dict[int, int]:
    """Of each unit the revision that counts; the hotline's are left out."""
    query = (
        "SELECT unit_id, max(revision) FROM core.submission JOIN core.platform USING (platform_id)"
        " WHERE known_to = 'infinity' AND family <> 'database' GROUP BY unit_id"
    )
    with site.engine.connect() as conn:
        return {unit: revision for unit, revision in conn.execute(sa.text(query))}  # noqa: C416


def ledger_adds_up(site: Site) -> bool:
    ledger = read_view(site, "mart.ledger")
    return bool((ledger["rows_received"] == ledger[COUNTS[1:]].sum(axis=1)).all()) and len(ledger) > 0


def test_a_value_above_the_ceiling_counts_once_a_person_lets_it_go(site_of: Callable[[str], Site]) -> None:
    site = site_of("value_ceiling")
    row = held(site).iloc[0]
    before = figure(site, CITY, row["measure"], row["channel"]) or 0
    done = release(site, [int(row["quarantine_id"])], "王科长", "电话核实，当日开展集中宣传")
    assert (done.rows, done.loaded, done.held_again, done.days) == (1, 1, 0, [DAY])
    assert figure(site, CITY, row["measure"], row["channel"]) == before + int(row["value"])
    assert ledger_adds_up(site)
    decision = read_view(site, "quality.decision").iloc[0]
    assert (decision["action"], decision["decided_by"]) == ("released", "王科长")
    # The figure's provenance is the release; those beside it keep the sender's batch.
    with site.engine.connect() as conn:
        batches = conn.execute(
            sa.text(
                "SELECT count.batch_id, batch.kind FROM core.daily_count AS count JOIN core.division"
                " ON division_id = unit_id JOIN landing.batch USING (batch_id) WHERE division_code = :unit"
            ),
            {"unit": row["unit"]},
        ).all()
    assert [kind for _, kind in batches].count("release") == 1
    assert len(batches) > 1


def test_a_release_repeated_changes_nothing_and_says_so(site_of: Callable[[str], Site]) -> None:
    site = site_of("value_ceiling")
    number = int(held(site)["quarantine_id"].iloc[0])
    release(site, [number], "王科长", "核实")
    marts = [read_sorted(site, view) for view in ("mart.daily_statistics", "mart.ledger")]
    with pytest.raises(DeskError, match=f"Row {number} is released already"):
        release(site, [number], "王科长", "核实")
    assert all(
        each.equals(read_sorted(site, view))
        for each, view in zip(marts, ("mart.daily_statistics", "mart.ledger"), strict=True)
    )


def test_a_text_for_a_number_is_held_again_as_it_stands_and_counts_once_corrected(
    site_of: Callable[[str], Site],
) -> None:
    site = site_of("value_text")
    row = held(site).iloc[0]
    again = release(site, [int(row["quarantine_id"])], "李", "试放")
    assert (again.loaded, again.held_again) == (0, 1)
    newest = int(held(site)["quarantine_id"].max())
    before = figure(site, CITY, row["measure"], row["channel"]) or 0
    done = release(site, [newest], "李", "与单位核对", Correction(value="17"))
    assert (done.loaded, done.held_again) == (1, 0)
    assert figure(site, CITY, row["measure"], row["channel"]) == before + 17
    kept = read_view(site, "quality.decision", quarantine_id=newest)["correction"].iloc[0]
    assert kept["value"] == "17"
    assert ledger_adds_up(site)


def test_a_wrong_measure_is_let_go_under_the_right_name(site_of: Callable[[str], Site]) -> None:
    site = site_of("measure_unknown")
    row = held(site).iloc[0]
    before = figure(site, CITY, "complaint_received", row["channel"]) or 0
    had = figure(site, row["unit"], "complaint_received", row["channel"]) or 0
    done = release(site, [int(row["quarantine_id"])], "李", "应为投诉受理", Correction(measure="投诉受理"))
    assert done.loaded == 1
    assert figure(site, CITY, "complaint_received", row["channel"]) == before - had + int(row["value"])


def test_of_two_values_for_one_cell_the_desk_takes_one(site_of: Callable[[str], Site]) -> None:
    site = site_of("twice_different")
    pair = held(site).groupby(["unit", "measure", "channel"]).filter(lambda each: len(each) == 2).iloc[:2]
    assert len(pair) == 2
    row = pair.iloc[1]
    assert release(site, [int(row["quarantine_id"])], "李", "后一数为准").loaded == 1
    assert discard(site, [int(pair["quarantine_id"].iloc[0])], "李", "前一数有误") == 1
    own = read_view(site, "core.daily_count")
    assert (own["value"] == int(row["value"])).any()
    assert figure(site, CITY, row["measure"], row["channel"]) is not None
    assert set(read_view(site, "quality.decision")["action"]) == {"released", "discarded"}


def test_a_submission_out_of_balance_counts_whole_once_it_is_let_go(site_of: Callable[[str], Site]) -> None:
    site = site_of("balance")
    rows = held(site)
    unit = rows["unit"].iloc[0]
    theirs = rows[rows["unit"] == unit]
    done = release(site, [int(each) for each in theirs["quarantine_id"]], "李", "合计填错，明细无误")
    assert (done.loaded, done.held_again) == (len(theirs), 0)
    own = read_view(site, "mart.daily_statistics", division_code=unit, stat_date=DAY)
    assert len(own) > 0


def test_what_is_discarded_stays_on_record_and_out_of_the_mart(site_of: Callable[[str], Site]) -> None:
    site = site_of("value_negative")
    marts = read_sorted(site, "mart.daily_statistics")
    ids = [int(each) for each in held(site)["quarantine_id"]]
    assert discard(site, ids, "李", "单位确认误填") == len(ids) > 1
    assert held(site).empty
    assert set(read_view(site, "quality.quarantine")["state"]) == {"discarded"}
    assert marts.equals(read_sorted(site, "mart.daily_statistics"))
    with pytest.raises(DeskError, match="is discarded already"):
        release(site, ids[:1], "李", "反悔")


def test_a_later_revision_of_the_sender_settles_what_was_held(
    tmp_path: Path, hotline_url: str, open_for: OpenFor
) -> None:
    with small_world(tmp_path, hotline_url, "restated") as simulation:
        site = open_for(simulation)
        everyone = list(site.catalog.platforms)
        run_day(site, DAY, everyone)
        loaded = revisions(site)
        simulation.advance()
        with site.engine.begin() as conn:
            conn.execute(
                sa.text(
                    "INSERT INTO quality.quarantine"
                    " (batch_id, row_number, place, unit_code, stat_date, reason_code, reason, reason_en, raw)"
                    " SELECT batch_id, 90000 + unit_id, '', division_code, stat_date, 'value', 'x', 'x',"
                    " jsonb_build_object('revision', revision) FROM core.submission"
                    " JOIN core.division ON division_id = unit_id JOIN core.platform USING (platform_id)"
                    " WHERE family <> 'database' AND NOT is_nil"
                )
            )
        run_day(site, DAY, everyone)
        rows = read_view(site, "quality.quarantine")
        units = {unit for unit, revision in revisions(site).items() if revision > loaded.get(unit, revision)}
        assert 0 < len(units) < len(loaded)
        settled = set(rows.loc[rows["state"] == "corrected", "row_number"] - 90000)
        assert settled
        assert settled == {unit for unit in units if unit + 90000 in set(rows["row_number"])}


def test_rows_that_nobody_holds_are_refused_in_plain_words(site_of: Callable[[str], Site]) -> None:
    site = site_of("clean")
    with pytest.raises(DeskError, match="No row 7 in the quarantine"):
        release(site, [7], "李", "无")
