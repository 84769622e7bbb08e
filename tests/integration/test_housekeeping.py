"""Only what can be made again is let go of, and a backup gives back everything."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from etl.daily import run_day
from etl.housekeeping.backup import BackupError, back_up, drop_old_backups, restore
from etl.housekeeping.retention import tidy
from etl.periods.lock import close_month
from etl.settings import Settings
from etl.site import Site
from etl.verify import verify
from etl.warehouse import embedded_server, open_warehouse, stop_embedded
from simulator.simulation import Simulation
from tests.integration.conftest import make_template, read_view
from tests.integration.test_pipeline_truth import DAY, small_world

pytestmark = pytest.mark.integration
OpenFor = Callable[[Simulation], Site]
MOMENT = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)


def four_years_later(site: Site) -> Site:
    return replace(site, clock=lambda: datetime(DAY.year + 4, DAY.month, 1, tzinfo=UTC))


@pytest.fixture
def site(tmp_path: Path, hotline_url: str, open_for: OpenFor) -> Site:
    """A day with rows held back and a restated unit."""
    with small_world(tmp_path, hotline_url, "value_text") as simulation:
        site = open_for(simulation)
        run_day(site, DAY, list(site.catalog.platforms))
    return site


def objects(site: Site) -> set[str]:
    files = (path for path in (site.settings.home / "archive").rglob("*") if path.is_file())
    return {path.name for path in files if "documents" not in path.parts}


def test_objects_of_a_closed_month_are_dropped_once_every_row_is_found_again(site: Site) -> None:
    with site.engine.begin() as conn:
        conn.execute(sa.text("UPDATE quality.quarantine SET state = 'discarded'"))
    close_month(site, DAY.replace(day=1), "李", "季度封账")
    before = objects(site)
    assert tidy(site).objects == 0, "nothing is old"
    done = tidy(four_years_later(site))
    assert done.kept == []
    assert done.objects == len(before) > 5
    assert objects(site) == set()
    assert done.bytes > 0
    assert verify(site).differences == [], "what was let go is not missed"
    rows = read_view(site, "landing.dropped_object")
    assert rows["rows_found"].sum() == read_view(site, "mart.ledger")["rows_received"].sum()


def test_what_is_undecided_or_open_stays(site: Site) -> None:
    held = set(read_view(site, "quality.quarantine", state="held")["batch_id"])
    assert held
    assert tidy(four_years_later(site)).objects == 0, "the month is open"
    close_month(site, DAY.replace(day=1), "李", "季度封账")
    tidy(four_years_later(site))
    left = read_view(site, "mart.ledger").set_index("batch_id")["sha256"]
    assert objects(site) == set(left[list(held)])


def test_an_object_whose_rows_the_warehouse_has_lost_is_kept_and_named(site: Site) -> None:
    with site.engine.begin() as conn:
        conn.execute(sa.text("UPDATE quality.quarantine SET state = 'discarded'"))
        tampered = (
            "UPDATE core.submission SET figures = array_replace(figures, figures[1], figures[1] + 1000003)"
        )
        found = conn.execute(
            sa.text(
                f"{tampered} WHERE batch_id = (SELECT min(batch_id) FROM core.submission WHERE cardinality(cells) > 0)"
                " RETURNING batch_id"
            )
        ).all()
    close_month(site, DAY.replace(day=1), "李", "季度封账")
    done = tidy(four_years_later(site))
    ledger = read_view(site, "mart.ledger").set_index("batch_id")
    assert len(done.kept) == 1
    assert done.kept[0].startswith(ledger.at[found[0].batch_id, "source_name"])
    assert objects(site) == {ledger.at[found[0].batch_id, "sha256"]}


def test_old_pages_are_dropped_by_their_day(site: Site) -> None:
    today = site.today().isoformat()
    for day in ("2019-01-01", today):
        (site.settings.home / "data_docs" / day).mkdir(parents=True, exist_ok=True)
        site.archive.write_document(f"validations/{day}/daily-1.json", b"{}")
    assert tidy(site).docs == 1
    names = {path.name for path in (site.settings.home / "data_docs").iterdir()}
    assert today in names
    assert "2019-01-01" not in names
    kept = site.archive.document_folders("validations")
    assert today in kept
    assert "2019-01-01" not in kept


@pytest.fixture
def homes() -> Iterator[tuple[Settings, Settings]]:
    """An embedded warehouse with divisions, and a place for its restoration."""
    root = Path(tempfile.mkdtemp(prefix="pls-backup-", dir="/var/tmp"))
    root.chmod(0o755)
    first, second = (Settings(root / name, "embedded", str(root / name / "archive"), None) for name in "ab")
    try:
        address = embedded_server(first.home)
        make_template(address)
        engine = open_warehouse(first)
        engine.dispose()
        with sa.create_engine(address.url("postgres"), isolation_level="AUTOCOMMIT").connect() as conn:
            conn.execute(sa.text("DROP DATABASE pls"))
            conn.execute(sa.text("ALTER DATABASE pls_template RENAME TO pls"))
        yield first, second
    finally:
        for settings in (first, second):
            stop_embedded(settings.home)
        shutil.rmtree(root, ignore_errors=True)


def test_a_backup_gives_back_everything_and_only_into_an_empty_place(
    homes: tuple[Settings, Settings],
) -> None:
    first, second = homes
    file = back_up(first, MOMENT)
    assert file.name == "pls_20261126T030000Z.dump"
    with pytest.raises(BackupError, match="has a warehouse already"):
        restore(first, file)
    restore(second, file)
    tables = (
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
        " WHERE schemaname IN ('core', 'landing', 'mart', 'quality') ORDER BY 1"
    )
    contents = []
    for settings in homes:
        engine = open_warehouse(settings)
        with engine.connect() as conn:
            names = list(conn.execute(sa.text(tables)).scalars())
            contents.append(
                {
                    name: conn.execute(
                        sa.text(
                            f"SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {name} AS t"
                        )
                    ).one()
                    for name in names
                }
            )
        engine.dispose()
    assert contents[0] == contents[1]
    assert contents[0]["core.division_period"][0] > 60_000


def test_a_damaged_backup_leaves_nothing_behind(homes: tuple[Settings, Settings]) -> None:
    first, second = homes
    file = back_up(first, MOMENT)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(BackupError, match="pg_restore failed"):
        restore(second, file)
    address = embedded_server(second.home)
    with sa.create_engine(address.url("postgres")).connect() as conn:
        assert conn.execute(sa.text("SELECT count(*) FROM pg_database WHERE datname = 'pls'")).scalar() == 0


def test_a_warehouse_on_a_server_is_not_backed_up_from_here(tmp_path: Path) -> None:
    settings = Settings(tmp_path, "postgresql+psycopg://pls:secret@db/pls", str(tmp_path), None)
    with pytest.raises(BackupError, match="its own operators") as error:
        back_up(settings, MOMENT)
    assert "secret" not in str(error.value)


def test_the_newest_backup_is_never_dropped(tmp_path: Path) -> None:
    settings = Settings(tmp_path, "embedded", str(tmp_path), None)
    folder = tmp_path / "backups"
    folder.mkdir()
    for back in (100, 60, 40):
        (folder / (MOMENT - timedelta(days=back)).strftime("pls_%Y%m%dT%H%M%SZ.dump")).touch()
    assert drop_old_backups(settings, MOMENT - timedelta(days=30)) == 2
    assert len(list(folder.iterdir())) == 1
