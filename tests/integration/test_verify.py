"""`verify` finds what was tampered with, wherever it stands, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from etl.cli import main
from etl.daily import run_day
from etl.desk import Correction, release
from etl.site import Site
from etl.verify import verify
from simulator.simulation import Simulation
from tests.integration.conftest import read_view
from tests.integration.test_pipeline_truth import DAY, small_world

pytestmark = pytest.mark.integration
OpenFor = Callable[[Simulation], Site]
TAMPERING = {
    "ledger": "UPDATE landing.batch SET rows_loaded = rows_loaded + 1, rows_received = rows_received + 1"
    " WHERE batch_id = (SELECT min(batch_id) FROM landing.batch WHERE rows_loaded > 0)",
    "roll-up": "UPDATE mart.daily_total SET value = value + 1"
    " WHERE cell_id = (SELECT min(cell_id) FROM mart.daily_total)",
}


@pytest.fixture
def site(tmp_path: Path, hotline_url: str, open_for: OpenFor) -> Site:
    """A site with restated figures, held rows and a release."""
    with small_world(tmp_path, hotline_url, "value_text") as simulation:
        site = open_for(simulation)
        everyone = list(site.catalog.platforms)
        run_day(site, DAY, everyone)
        simulation.advance()
        run_day(site, DAY, everyone)
        held = read_view(site, "quality.quarantine", state="held")
        release(site, [int(held["quarantine_id"].iloc[0])], "李", "核对", Correction(value="7"))
        return site


def test_a_sound_site_shows_no_difference_and_says_how_much_it_looked_at(site: Site) -> None:
    found = verify(site)
    assert found.differences == []
    assert found.objects > 5
    assert found.days == 1
    assert CliRunner().invoke(main, ["verify"]).exit_code == 0


@pytest.mark.parametrize("part", TAMPERING)
def test_a_number_that_was_tampered_with_is_named(part: str, site: Site) -> None:
    with site.engine.begin() as conn:
        assert conn.execute(sa.text(TAMPERING[part])).rowcount > 0
    found = verify(site, DAY)
    assert {each.part for each in found.differences} == {part}
    assert CliRunner().invoke(main, ["verify", "--date", DAY.isoformat()]).exit_code == 1


@pytest.mark.parametrize("damage", ["changed", "gone"])
def test_an_object_that_is_damaged_or_gone_is_named(damage: str, site: Site) -> None:
    kept = [file for file in (site.settings.home / "archive").rglob("*") if file.is_file()]
    file = sorted(kept)[0]
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-1] + b"?")
    (difference,) = verify(site).differences
    assert difference.part == "archive"
    assert file.name in difference.message


def test_a_batch_that_nobody_finished_is_named(site: Site) -> None:
    with site.engine.begin() as conn:
        conn.execute(
            sa.text(
                "UPDATE landing.batch SET state = 'registered'"
                " WHERE batch_id = (SELECT min(batch_id) FROM landing.batch)"
            )
        )
    assert "never finished" in verify(site).differences[0].message
