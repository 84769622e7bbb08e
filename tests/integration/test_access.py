"""Least privilege: what each role of the warehouse may do, and that the work is done in these roles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
import sqlalchemy as sa

from etl.rollup import roll_up_day
from etl.settings import Settings
from etl.warehouse import act_as, migrate, open_warehouse
from tests.integration.divisions_site import divisions_site

pytestmark = pytest.mark.integration
DAY = date(2026, 3, 2)
COUNTY, TOWN, VILLAGE, OTHER = "371302000000", "371302001000", "371302001001", "371311001001"
DIVISIONS = f"""
    370000000000,山东省,province,
    371300000000,临沂市,city,370000000000
    {COUNTY},兰山区,county,371300000000
    {TOWN},兰山街道,township,{COUNTY}
    {VILLAGE},甲村委会,village,{TOWN}
    371311000000,罗庄区,county,371300000000
    371311001000,罗庄街道,township,371311000000
    {OTHER},乙村委会,village,371311001000
"""
DENIED = "permission denied|must be owner"


def fresh(server, name: str) -> sa.Engine:
    server.ensure_database(name)
    engine = open_warehouse(Settings(server.socket_dir, server.url(name), "", None))
    migrate(engine)
    return engine


@pytest.fixture(scope="module")
def engine(server) -> Iterator[sa.Engine]:
    made = fresh(server, "access")
    yield made
    made.dispose()


def refused(engine: sa.Engine, role: str, statement: str) -> None:
    with engine.connect() as conn:
        act_as(conn, role)
        with pytest.raises(sa.exc.ProgrammingError, match=DENIED):
            conn.execute(sa.text(statement))
        conn.rollback()


def done(engine: sa.Engine, role: str, statement: str) -> None:
    with engine.connect() as conn:
        act_as(conn, role)
        conn.execute(sa.text(statement))
        conn.rollback()


def test_everything_belongs_to_the_owner_and_nothing_to_the_public(engine: sa.Engine) -> None:
    query = sa.text(
        "SELECT c.oid::regclass::text AS name, c.relowner::regrole::text AS owner,"
        " EXISTS (SELECT FROM aclexplode(c.relacl) AS a WHERE a.grantee = 0) AS is_public"
        " FROM pg_class AS c"
        " WHERE c.relnamespace::regnamespace::text IN ('landing', 'core', 'quality', 'mart', 'county')"
    )
    with engine.connect() as conn:
        found = conn.execute(query).all()
    assert len(found) > 100
    assert {row.owner for row in found} == {"pls_owner"}
    assert [row.name for row in found if row.is_public] == []


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM core.submission",
        "DELETE FROM quality.decision",
        "TRUNCATE landing.batch",
        "DROP TABLE core.submission",
        "ALTER TABLE mart.daily_sum ADD COLUMN x integer",
        "CREATE TABLE core.x (x integer)",
        "INSERT INTO landing.migration (migration_name, sha256) VALUES ('x', 'x')",
        "CREATE SCHEMA x",
    ],
)
def test_the_loader_lets_nothing_go_that_came_in(engine: sa.Engine, statement: str) -> None:
    refused(engine, "pls_loader", statement)


def test_the_loader_makes_partitions_and_statistics(engine: sa.Engine) -> None:
    done(engine, "pls_loader", "SELECT core.ensure_month('2031-05-01')")
    done(
        engine,
        "pls_loader",
        "SELECT mart.ensure_period('2031-05', 'month', '2031-05-01', '2031-05-31'),"
        " core.refresh_statistics('mart.stock_total')",
    )


def test_statistics_are_made_of_marts_alone(engine: sa.Engine) -> None:
    with engine.connect() as conn:
        act_as(conn, "pls_loader")
        with pytest.raises(sa.exc.DBAPIError, match="is no mart"):
            conn.execute(sa.text("SELECT core.refresh_statistics('core.submission')"))


def test_the_clerk_decides_and_writes_nothing_else(engine: sa.Engine) -> None:
    done(engine, "pls_clerk", "UPDATE quality.quarantine SET state = 'discarded' WHERE false")
    done(engine, "pls_clerk", "SELECT * FROM core.submission")
    for statement in (
        "UPDATE core.submission SET revision = 2",
        "INSERT INTO core.measure DEFAULT VALUES",
        "DELETE FROM quality.quarantine",
        "UPDATE quality.decision SET reason = 'x'",
        "SELECT core.ensure_month('2031-05-01')",
        "DELETE FROM mart.daily_sum",
    ):
        refused(engine, "pls_clerk", statement)


def test_the_reader_reads_views_and_no_table(engine: sa.Engine) -> None:
    done(engine, "pls_reader", "SELECT * FROM mart.daily_statistics")
    for table in (
        "core.submission",
        "mart.daily_sum",
        "mart.daily_total",
        "quality.quarantine",
        "landing.batch",
    ):
        refused(engine, "pls_reader", f"SELECT * FROM {table}")
    refused(engine, "pls_reader", "SELECT core.ensure_month('2031-05-01')")


def test_a_site_works_as_the_loader_also_on_its_second_connection(engine: sa.Engine) -> None:
    site = open_warehouse(
        Settings(None, engine.url.render_as_string(hide_password=False), "", None), "pls_loader"
    )  # type: ignore[arg-type]
    with site.connect() as one, site.connect() as other:
        for conn in (one, other):
            assert conn.execute(sa.text("SELECT current_user")).scalar_one() == "pls_loader"
            conn.rollback()
            assert conn.execute(sa.text("SELECT current_user")).scalar_one() == "pls_loader"
    site.dispose()


def test_one_who_is_in_no_role_works_as_before(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        conn.execute(sa.text("DROP ROLE IF EXISTS plain"))
        conn.execute(sa.text("CREATE ROLE plain LOGIN"))
    try:
        with engine.connect() as conn:
            conn.execute(sa.text("SET SESSION AUTHORIZATION plain"))
            act_as(conn, "pls_loader")
            assert conn.execute(sa.text("SELECT current_user")).scalar_one() == "plain"
            conn.execute(sa.text("RESET SESSION AUTHORIZATION"))
    finally:
        with engine.begin() as conn:
            conn.execute(sa.text("DROP ROLE plain"))


def test_a_county_sees_its_own_rows_and_can_use_nothing_else(server, tmp_path) -> None:
    with divisions_site(server, tmp_path) as made:
        made.load(DIVISIONS)
        made.submit(
            DAY, {VILLAGE: {("consultation", "physical"): 3}, OTHER: {("consultation", "physical"): 5}}
        )
        roll_up_day(made.engine, made.catalog, DAY, whole=True)
        with made.engine.begin() as conn:
            conn.execute(sa.text("DROP ROLE IF EXISTS lanshan"))
            conn.execute(sa.text("CREATE ROLE lanshan LOGIN"))
            conn.execute(sa.text("GRANT pls_county TO lanshan"))
        try:
            assert seen_by_lanshan(made.engine, "daily_statistics") == set()
            with made.engine.begin() as conn:
                scope = "INSERT INTO core.reader_scope VALUES ('lanshan', :county)"
                conn.execute(sa.text(scope), {"county": COUNTY})
            assert seen_by_lanshan(made.engine, "daily_statistics") == {COUNTY, TOWN, VILLAGE}
            for view in (
                "period_statistics",
                "indicator_value",
                "evaluation",
                "evaluation_item",
                "satisfaction",
            ):
                assert seen_by_lanshan(made.engine, view) == set()
            assert seen_by_lanshan(made.engine, f"submission_status('{DAY}')", "unit_code") == {
                COUNTY,
                TOWN,
                VILLAGE,
            }
            assert seen_by_lanshan(made.engine, "reporting_rate") <= {COUNTY, TOWN, VILLAGE}
            for forbidden in (
                "SELECT * FROM mart.daily_statistics",
                "SELECT mart.may_see_survey()",
                "SELECT * FROM core.reader_scope",
                "INSERT INTO core.reader_scope VALUES ('lanshan', '371311000000')",
            ):
                with made.engine.connect() as conn:
                    conn.execute(sa.text("SET SESSION AUTHORIZATION lanshan"))
                    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
                        conn.execute(sa.text(forbidden))
                    conn.rollback()
                    conn.execute(sa.text("RESET SESSION AUTHORIZATION"))
                    conn.commit()
        finally:
            with made.engine.begin() as conn:
                conn.execute(sa.text("DROP ROLE lanshan"))


def seen_by_lanshan(engine: sa.Engine, view: str, code: str = "division_code") -> set[str]:
    with engine.connect() as conn:
        conn.execute(sa.text("SET SESSION AUTHORIZATION lanshan"))
        found = set(conn.execute(sa.text(f"SELECT DISTINCT {code} FROM county.{view}")).scalars())
        conn.execute(sa.text("RESET SESSION AUTHORIZATION"))
        conn.commit()
    return found
