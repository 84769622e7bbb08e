"""What the role of portal and reports may read: satisfaction as it is shown, and no survey figures
elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from etl.periods.period import Period
from etl.rollup import roll_up_day
from etl.warehouse import ServerAddress
from tests.integration.divisions_site import DivisionsSite, divisions_site
from tests.integration.satisfaction_site import SatisfactionSite, random_survey, satisfaction_site, survey
from tests.unit.test_satisfaction_suppression import FEWEST, below

pytestmark = pytest.mark.integration
DAY = date(2026, 3, 2)
CITY, COUNTY, TOWN, VILLAGE = "371300000000", "371302000000", "371302001000", "371302001001"
DIVISIONS = f"""
    {CITY},临沂市,city,
    {COUNTY},兰山区,county,{CITY}
    {TOWN},兰山街道,township,{COUNTY}
    {VILLAGE},甲村委会,village,{TOWN}
"""
CHANNELS = ("physical", "hotline", "network")


SURVEYED = "SELECT measure FROM core.measure WHERE kind NOT IN ('flow', 'stock')"


def read_as_reader(engine: sa.Engine, query: str) -> list[Any]:
    with engine.begin() as conn:
        conn.execute(sa.text("SET LOCAL ROLE pls_reader"))
        return list(conn.execute(sa.text(query)))


@pytest.fixture
def daily(server: ServerAddress, tmp_path: Path) -> Iterator[DivisionsSite]:
    with divisions_site(server, tmp_path) as made:
        made.load(
            f"370000000000,山东省,province,\n{CITY},临沂市,city,370000000000\n" + DIVISIONS.split("\n", 2)[2]
        )
        figures = survey(2, 0, 0, 1) | {("consultation", "physical"): 3}
        made.submit(DAY, {VILLAGE: figures})
        roll_up_day(made.engine, made.catalog, DAY, whole=True)
        yield made


def test_readers_see_services_and_no_survey_in_the_daily_statistics(daily: DivisionsSite) -> None:
    shown = (
        "SELECT measure, count(*) AS rows FROM mart.daily_statistics WHERE value IS NOT NULL GROUP BY measure"
    )
    owner = {row.measure: row.rows for row in daily.frame(shown).itertuples()}
    reader = {row.measure: row.rows for row in read_as_reader(daily.engine, shown)}
    assert owner.keys() >= {"consultation", "survey_asked", "survey_answered", "dissatisfied"}
    assert reader == {"consultation": owner["consultation"]}


def test_no_view_that_readers_may_read_names_a_survey_measure(daily: DivisionsSite) -> None:
    views = read_as_reader(
        daily.engine,
        "SELECT format('%I.%I', n.nspname, c.relname) AS name, EXISTS (SELECT FROM pg_attribute AS a WHERE"
        " a.attrelid = c.oid AND a.attname = 'measure') AS has_measure FROM pg_class AS c"
        " JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname IN ('mart', 'core', 'landing', 'quality')"
        " AND c.relkind IN ('r', 'p', 'v', 'm') AND has_table_privilege(c.oid, 'SELECT')",
    )
    names = {view.name for view in views}
    assert names >= {"mart.daily_statistics", "mart.satisfaction", "mart.follow_up", "mart.submission_status"}
    assert all(name.startswith("mart.") for name in names)
    looked_at = 0
    for view in views:
        if view.has_measure:
            found = {
                row.measure
                for row in read_as_reader(daily.engine, f"SELECT DISTINCT measure FROM {view.name}")
            }
            # mart.measure has the names of all that may be read, whether there are figures or not.
            of_surveys = set(daily.frame(SURVEYED)["measure"])
            assert not found & of_surveys, f"{view.name} shows {found & of_surveys}"
            assert found <= {"consultation"} or view.name == "mart.measure"
            looked_at += 1
    assert looked_at >= 1


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM mart.satisfaction_figure",
        "SELECT * FROM mart.period_own",
        "SELECT * FROM mart.daily_total",
        "SELECT * FROM mart.daily_sum",
        "SELECT * FROM core.submission",
        "SELECT * FROM quality.dissatisfied",
        "SELECT * FROM mart.daily_statistics_as_of('2030-01-01', '2026-03-02')",
    ],
)
def test_readers_have_no_way_round_the_views(daily: DivisionsSite, query: str) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        read_as_reader(daily.engine, query)


def test_a_function_of_the_reader_s_own_sees_no_row_that_is_left_out(daily: DivisionsSite) -> None:
    with daily.engine.begin() as conn:
        conn.execute(sa.text("SET LOCAL ROLE pls_reader"))
        conn.execute(sa.text("SET LOCAL client_min_messages = notice"))
        notices: list[str] = []
        raw = conn.connection.driver_connection
        assert raw is not None
        raw.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
        conn.execute(
            sa.text(
                "CREATE FUNCTION pg_temp.peek(name text, value bigint) RETURNS boolean LANGUAGE plpgsql"
                " COST 0.0000001 AS $$ BEGIN RAISE NOTICE '% %', name, value; RETURN true; END $$"
            )
        )
        conn.execute(sa.text("SELECT * FROM mart.daily_statistics WHERE pg_temp.peek(measure, value)")).all()
    assert any("consultation" in notice for notice in notices)
    assert not any("survey" in notice or "satisfied" in notice for notice in notices)


@pytest.mark.parametrize("seed", range(3))
def test_nothing_hidden_follows_from_all_that_readers_see_of_a_quarter(
    server: ServerAddress, tmp_path: Path, seed: int
) -> None:
    """The published views against an attacker who solves every equation between divisions, channels and
    months."""
    towns = [f"3713020{n:02}000" for n in range(1, 5)]
    villages = [f"{town[:9]}{n:03}" for town in towns for n in range(1, 5)]
    lines = [f"{CITY},市,city,", f"{COUNTY},区,county,{CITY}"]
    lines += [f"{town},镇{town},township,{COUNTY}" for town in towns]
    lines += [f"{village},村{village},village,{village[:9]}000" for village in villages]
    random = np.random.default_rng(seed)
    with satisfaction_site(server, tmp_path, "\n".join(lines)) as site:
        own = np.zeros((3, len(site.parents), 3), dtype=np.int64)
        quarter: dict[str, dict[tuple[str, str], int]] = {code: {} for code in site.parents}
        for month in range(3):
            figures = {code: random_survey(random, 3 if code in villages else 12) for code in site.parents}
            site.total(f"2026-0{month + 1}", figures)
            for number, code in enumerate(site.parents):
                for cell, value in figures[code].items():
                    quarter[code][cell] = quarter[code].get(cell, 0) + value
                for place, channel in enumerate(CHANNELS):
                    own[month, number, place] = figures[code].get(("survey_answered", channel), 0)
        site.total("2026Q1", quarter)
        names = ["2026-01", "2026-02", "2026-03", "2026Q1"]
        for name in names:
            site.compute(name)
        shown = read_as_reader(
            site.engine, "SELECT division_code, period, channel, answered FROM mart.satisfaction"
        )
        assert _what_follows(site, own, shown) == []


def _what_follows(site: SatisfactionSite, own: Any, shown: list[Any]) -> list[tuple[str, str, str]]:
    codes = list(site.parents)
    parent = [codes.index(above) if (above := site.parents[code]) is not None else -1 for code in codes]
    tree = below(parent)
    known, secrets = [], []
    for row in shown:
        months = np.array([row.period in ("2026Q1", f"2026-0{month + 1}") for month in range(3)], dtype=float)
        channels = np.array([row.channel in ("all", channel) for channel in CHANNELS], dtype=float)
        form = np.einsum("m,u,c->muc", months, tree[codes.index(row.division_code)], channels).ravel()
        value = int(form @ own.ravel())
        if row.answered is not None:
            assert row.answered == value
            assert value == 0 or value >= FEWEST
            known.append(form)
        elif 0 < value < FEWEST:
            secrets.append(((row.division_code, Period.parse(row.period).name, row.channel), form))
    assert len(known) > 20
    assert len(secrets) > 10
    forms = np.array(known)
    is_free = ~forms[forms @ own.ravel() == 0].any(axis=0)
    _, values, right = np.linalg.svd(forms[:, is_free], full_matrices=True)
    null = right[int((values > 1e-9).sum()) :]
    return [name for name, form in secrets if np.abs(null @ form[is_free]).max(initial=0) < 1e-8]
