"""Survey figures inside indicators and scores, against readers who look for small samples (ruling 18)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from etl.catalog.scheme_indicators import known_indicators
from etl.evaluation import evaluate
from etl.indicators import compute_indicators
from etl.periods.period import Period
from etl.warehouse import ServerAddress
from tests.integration.satisfaction_site import SatisfactionSite, satisfaction_site, survey

pytestmark = pytest.mark.integration
MONTHS = ("2026-02", "2026-03")
PROVINCE, CITY, OPEN, SMALL = "370000000000", "371300000000", "371302000000", "371311000000"
THIRD = "371312000000"
DIVISIONS = f"""
    {PROVINCE},山东省,province,
    {CITY},临沂市,city,{PROVINCE}
    {OPEN},兰山区,county,{CITY}
    {SMALL},罗庄区,county,{CITY}
    {THIRD},河东区,county,{CITY}
"""
SURVEYED = (
    "satisfaction_rate",
    "strict_satisfaction_rate",
    "survey_response_rate",
    "awareness_rate",
    "first_choice_rate",
    "ly_satisfaction",
    "ly_awareness",
    "ly_first_choice",
)
SUPPRESSED = "满意度样本不足，不予公布"


def figures(*answers: int, consultations: int) -> dict[tuple[str, str], int]:
    return {
        **survey(*answers, aware=min(answers[0], 1), first_choice=1),
        ("consultation", "physical"): consultations,
        ("complaint_received", "physical"): 2,
        ("complaint_resolved", "physical"): 1,
    }


@pytest.fixture
def site(server: ServerAddress, tmp_path: Path) -> Iterator[SatisfactionSite]:
    """Two months of three counties. SMALL has three answers in March and many in February, OPEN always many."""
    with satisfaction_site(server, tmp_path, DIVISIONS, "consultation") as made:
        for month, few in (("2026-02", figures(40, 30, 5, 1, 1, consultations=90)), ("2026-03", None)):
            made.total(
                month,
                {
                    OPEN: figures(50, 30, 9, 1, 1, consultations=300),
                    SMALL: few or figures(1, 1, 0, 1, 0, consultations=80),
                    THIRD: figures(20, 30, 5, 1, 1, consultations=200),
                },
            )
            with made.engine.begin() as conn:
                conn.execute(
                    sa.text(
                        "UPDATE mart.period SET totalled_at = now(), days_known = ends_on - starts_on + 1,"
                        " provisional_below = 0"
                    )
                )
            period = Period.parse(month)
            compute_indicators(made.engine, made.catalog, period)
            made.compute(month)
            evaluate(made.engine, made.catalog, period, known_indicators(made.catalog.indicators))
        yield made


def ask(site: SatisfactionSite, query: str, as_reader: bool) -> list[dict[str, Any]]:
    with site.engine.begin() as conn:
        if as_reader:
            conn.execute(sa.text("SET LOCAL ROLE pls_reader"))
        return [dict(row._mapping) for row in conn.execute(sa.text(query))]


def by(rows: list[dict[str, Any]], *names: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    return {tuple(row[name] for name in names): row for row in rows}


def test_indicators_on_surveys_are_shown_to_readers_where_satisfaction_is(site: SatisfactionSite) -> None:
    shown = {
        (row["division_code"], row["period"])
        for row in ask(
            site, "SELECT * FROM mart.satisfaction WHERE channel = 'all' AND answered >= 5", as_reader=True
        )
    }
    assert (SMALL, "2026-03") not in shown
    assert (SMALL, "2026-02") in shown
    query = "SELECT * FROM mart.indicator_value"
    owner = by(ask(site, query, False), "division_code", "period", "indicator")
    reader = by(ask(site, query, True), "division_code", "period", "indicator")
    assert owner.keys() == reader.keys()
    hidden = same = 0
    for key, row in owner.items():
        code, period, indicator = key
        if indicator not in SURVEYED or (code, period) in shown:
            assert reader[key]["value"] == row["value"], key
            same += row["value"] is not None
            continue
        for name in ("numerator", "denominator", "value", "mom", "yoy", "ytd", "attainment", "gap"):
            assert reader[key][name] is None, (key, name)
        if row["value"] is not None:
            assert reader[key]["note_zh"] == SUPPRESSED
            hidden += 1
    assert hidden >= 3
    assert same > 10


def test_a_shown_month_does_not_give_away_the_hidden_one_before_or_after(site: SatisfactionSite) -> None:
    """The change to a hidden month, last year's value and the target of a trend would each be the hidden value."""
    with site.engine.begin() as conn:
        conn.execute(
            sa.text(
                "UPDATE mart.period SET period = CASE period WHEN '2026-02' THEN '2026-04' ELSE period END,"
                " starts_on = CASE period WHEN '2026-02' THEN DATE '2026-04-01' ELSE starts_on END,"
                " ends_on = CASE period WHEN '2026-02' THEN DATE '2026-04-30' ELSE ends_on END"
            )
        )
    query = f"SELECT * FROM mart.indicator_value WHERE division_code = '{SMALL}' AND period = '2026-04'"
    owner, reader = by(ask(site, query, False), "indicator"), by(ask(site, query, True), "indicator")
    looked = 0
    for name in SURVEYED:
        if owner[name,]["value_previous"] is None:
            continue
        assert reader[name,]["value"] == owner[name,]["value"]
        assert reader[name,]["value_previous"] is None
        assert reader[name,]["mom"] is None
        looked += 1
    assert looked >= 1


def test_a_score_with_a_hidden_part_is_not_shown_to_readers(site: SatisfactionSite) -> None:
    query = "SELECT * FROM mart.evaluation WHERE period = '2026-03'"
    owner, reader = (by(ask(site, query, each), "division_code", "scheme") for each in (False, True))
    assert owner.keys() == reader.keys()
    surveyed = {
        row["scheme"]
        for row in ask(site, "SELECT * FROM mart.evaluation_item", False)
        if row["indicator"] in SURVEYED
    }
    mine = [
        key for key in owner if key[0] == SMALL and key[1] in surveyed and owner[key]["score"] is not None
    ]
    others = [key for key in owner if key[0] == OPEN and owner[key]["score"] is not None]
    assert mine
    assert others
    for key in mine:
        for name in ("score", "grade", "rank_in_parent", "rank_in_province"):
            assert reader[key][name] is None
        # A gap in the ranks of the others would tell between which scores this one lies.
        assert owner[key]["rank_in_parent"] is None
    for key in others:
        assert reader[key]["score"] == owner[key]["score"]
        assert reader[key]["rank_in_parent"] == owner[key]["rank_in_parent"]
    items = "SELECT * FROM mart.evaluation_item WHERE period = '2026-03'"
    owned, read = (
        by(ask(site, items, each), "division_code", "scheme", "indicator") for each in (False, True)
    )
    # A sibling is hidden with the small one, or the parent would give it away.
    satisfaction = (
        "SELECT * FROM mart.satisfaction WHERE channel = 'all' AND period = '2026-03' AND answered IS NULL"
    )
    unseen = {row["division_code"] for row in ask(site, satisfaction, True)}
    assert SMALL in unseen
    hidden = 0
    for key, row in owned.items():
        if key[0] in unseen and key[2] in SURVEYED:
            for name in ("numerator", "denominator", "value", "points", "score"):
                assert read[key][name] is None
            assert read[key]["reason"] == SUPPRESSED
            hidden += row["value"] is not None
        else:
            assert read[key] == row
    assert hidden >= 1


@pytest.mark.parametrize("view", ["mart.indicator_value", "mart.evaluation_item"])
def test_a_function_of_the_reader_s_own_sees_no_hidden_figure(site: SatisfactionSite, view: str) -> None:
    column = "numerator"
    secret = {
        str(row[column])
        for row in ask(
            site,
            f"SELECT {column} FROM {view} WHERE division_code = '{SMALL}' AND period = '2026-03'"
            f" AND indicator = ANY(ARRAY{list(SURVEYED)!r}) AND {column} IS NOT NULL",
            False,
        )
    }
    assert secret
    notices: list[str] = []
    with site.engine.begin() as conn:
        conn.execute(sa.text("SET LOCAL ROLE pls_reader"))
        conn.execute(sa.text("SET LOCAL client_min_messages = notice"))
        raw = conn.connection.driver_connection
        assert raw is not None
        raw.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
        conn.execute(
            sa.text(
                "CREATE FUNCTION pg_temp.peek(code text, name text, value numeric) RETURNS boolean LANGUAGE plpgsql"
                " COST 0.0000001 AS $$ BEGIN RAISE NOTICE '% % %', code, name, value; RETURN true; END $$"
            )
        )
        conn.execute(
            sa.text(
                f"SELECT * FROM {view} WHERE period = '2026-03' AND pg_temp.peek(division_code, indicator, {column})"
            )
        ).all()
    assert len(notices) > 5
    leaked = [each for each in notices if each.split()[0] == SMALL and each.split()[1] in SURVEYED]
    assert leaked
    assert all(each.split()[2] == "<NULL>" for each in leaked)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM mart.indicator_figure",
        "SELECT * FROM mart.indicator_figure_shown",
        "SELECT * FROM mart.evaluation_part",
        "SELECT * FROM mart.evaluation_score",
        "SELECT * FROM mart.period_statistics_of('2026-03', 'county', NULL)",
        "SELECT * FROM mart.period_figure_of(1)",
        "SELECT * FROM mart.period_statistics_among('2026-03', ARRAY[1], NULL)",
        "SELECT * FROM mart.submission_status_among(now(), NULL, current_date, current_date)",
        "SELECT * FROM quality.quarantine",
    ],
)
def test_readers_reach_nothing_below_the_views(site: SatisfactionSite, query: str) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        ask(site, query, True)


def test_readers_read_the_period_statistics_without_the_survey(site: SatisfactionSite) -> None:
    query = "SELECT * FROM mart.period_statistics WHERE period = '2026-03'"
    owner, reader = (
        by(ask(site, query, each), "division_code", "measure", "channel") for each in (False, True)
    )
    assert {key[1] for key in owner} >= {"consultation", "survey_answered", "dissatisfied"}
    assert {key[1] for key in reader} == {"consultation", "complaint_received", "complaint_resolved"}
    assert all(owner[key] == row for key, row in reader.items())
    for function in (
        "SELECT * FROM mart.trend_shown(3, 'survey_answered', ARRAY[1, 2])",
        "SELECT * FROM mart.figure_parts_as_of('2026-03-02', 'daily', 1, 'dissatisfied', 'all', NULL, 50, 0)",
        "SELECT * FROM mart.figure_days_shown('2026-03-01', '2026-03-31', 1, 'survey_answered', 'all')",
        "SELECT * FROM mart.period_statistics_shown('2026-03', 'county', NULL, ARRAY['dissatisfied'])",
        "SELECT * FROM mart.period_statistics_shown('2026-03', NULL, ARRAY[1, 2, 3], ARRAY['dissatisfied'])",
    ):
        assert ask(site, function, True) == []
