"""The project's SQL against what Citus supports, without a Citus server."""

from __future__ import annotations

import re

import pglast
import pytest

from etl.settings import SQL_DIR
from tests.citus_rules import (
    RULES,
    Layout,
    broken,
    files,
    find_in_migrations,
    find_in_statements,
    read_layout,
    statements,
)

DISTRIBUTION = (SQL_DIR / "citus" / "0001_distribute.sql").read_text(encoding="utf-8")
SMALL = Layout({"core.fact": "unit_id", "core.other": "unit_id"}, {"core.division"})
JOINED = "JOIN core.other ON other.unit_id = fact.unit_id"


@pytest.fixture(scope="module")
def layout() -> Layout:
    return read_layout(DISTRIBUTION)


def test_the_facts_are_spread_and_what_they_refer_to_is_whole(layout: Layout) -> None:
    assert layout.distributed == {
        "core.submission": "unit_id",
        "mart.daily_sum": "division_id",
        "mart.daily_reporting": "division_id",
    }
    assert {"core.division", "core.division_period", "core.cell"} <= layout.reference
    # The script names them a second time, where it drops the keys between them and what stays on the coordinator.
    named = [
        set(re.findall(r"'(\w+\.\w+)'", array))
        for array in re.findall(r"regclass\[\] := ARRAY\[([^]]+)\]", DISTRIBUTION)
    ]
    assert named == [set(layout.distributed), layout.reference]


def test_every_statement_of_the_project_is_parsed(layout: Layout) -> None:
    names = {name for name, _ in statements()}
    runnable = [file for file in files() if file.parent.name != "schema"]
    assert len(names) == len(runnable) > 200
    assert len(layout.views) > 20


def test_citus_refuses_nothing(layout: Layout) -> None:
    assert sorted({*find_in_migrations(layout), *find_in_statements(layout)}) == []


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ("SELECT 1 FROM core.fact FOR UPDATE", "lock"),
        ("WITH RECURSIVE up AS (SELECT 1 UNION SELECT 1 FROM up) SELECT 1 FROM core.fact, up", "recursive"),
        ("SELECT sum(value) FROM core.fact GROUP BY ROLLUP (day)", "grouping sets"),
        ("SELECT 1 FROM core.fact TABLESAMPLE system (1)", "sample"),
        (
            "SELECT EXISTS (SELECT FROM core.fact WHERE fact.unit_id = told.unit_id) FROM unnest($1) AS told (unit_id)",
            "correlated",
        ),
        ("SELECT 1 FROM d WHERE EXISTS (SELECT FROM core.fact WHERE fact.day = d.day)", "correlated"),
        (
            "SELECT 1 FROM d CROSS JOIN LATERAL (SELECT 1 FROM core.fact WHERE fact.day = d.day) AS x",
            "correlated",
        ),
        ("SELECT 1 FROM core.fact JOIN core.other ON other.day = fact.day", "join"),
        ("WITH gone AS (DELETE FROM core.fact RETURNING 1) SELECT 1 FROM gone", "writing CTE"),
        ("UPDATE core.fact SET at = clock_timestamp()", "volatile"),
        ("UPDATE core.fact SET unit_id = 1", "moves a row"),
        ("INSERT INTO core.fact SELECT 1 ON CONFLICT (day) DO NOTHING", "conflict"),
        ("INSERT INTO core.fact VALUES ((SELECT 1))", "values"),
        ("INSERT INTO core.division VALUES ((SELECT 1))", "values"),
        ("UPDATE core.division SET name = x.name FROM x WHERE x.id = division.id", "update of a reference"),
        ("SELECT EXISTS (SELECT FROM core.fact)", "hollow"),
        ("DELETE FROM core.fact WHERE $1 OR unit_id IN (SELECT touched.unit_id FROM touched)", "folded"),
        ("SELECT 1 FROM unnest($1, $2) AS x (a, b) JOIN core.fact ON unit_id = a", "arrays"),
        ("MERGE INTO core.fact USING x ON true WHEN MATCHED THEN DELETE", "merge"),
        ("DECLARE one CURSOR FOR SELECT 1 FROM core.fact", "cursor"),
        ("DELETE FROM core.fact WHERE ctid = '(0,1)'", "ctid"),
    ],
)
def test_each_rule_finds_what_breaks_it(query: str, rule: str) -> None:
    assert rule in RULES
    assert rule in set(broken(pglast.parse_sql(query)[0].stmt, SMALL))


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT sum(value) FROM core.fact {JOINED} GROUP BY day",
        "SELECT 1 FROM core.fact WHERE EXISTS (SELECT FROM core.other WHERE other.unit_id = fact.unit_id)",
        "SELECT 1 FROM core.fact WHERE unit_id IN (SELECT touched.unit_id FROM touched)",
        "INSERT INTO core.fact SELECT 1 ON CONFLICT (day, unit_id) DO UPDATE SET value = 2",
        "WITH RECURSIVE up AS (SELECT 1 UNION SELECT 1 FROM up) SELECT 1 FROM up, core.division",
        "WITH sent AS MATERIALIZED (SELECT * FROM core.fact) SELECT 1 FROM d WHERE d.day NOT IN (SELECT day FROM sent)",
        "UPDATE core.fact SET known_to = now() FROM verdict WHERE fact.unit_id = verdict.unit_id",
        "UPDATE core.division SET name = '' WHERE id IN (SELECT x.id FROM x)",
        "SELECT EXISTS (SELECT 1 FROM core.fact)",
    ],
)
def test_what_citus_plans_is_let_through(query: str) -> None:
    assert set(broken(pglast.parse_sql(query)[0].stmt, SMALL)) == set()


@pytest.mark.parametrize(
    ("definition", "rule"),
    [
        ("CREATE TABLE core.fact (day date PRIMARY KEY)", "key"),
        ("CREATE UNIQUE INDEX ON core.fact (day)", "key"),
        ("CREATE TABLE core.other (a integer REFERENCES core.fact)", "foreign key"),
        ("CREATE TABLE core.division (a integer REFERENCES core.fact)", "foreign key"),
        ("ALTER TABLE core.fact ADD CONSTRAINT x EXCLUDE USING gist (day WITH =)", "exclusion"),
        ("CREATE TRIGGER x AFTER INSERT ON core.fact FOR EACH ROW EXECUTE FUNCTION f()", "trigger"),
        (
            "CREATE TABLE core.part PARTITION OF core.fact FOR VALUES IN (1) PARTITION BY RANGE (day)",
            "partition",
        ),
    ],
)
def test_each_rule_of_definitions_finds_what_breaks_it(
    definition: str, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = [("x", pglast.parse_sql(definition)[0].stmt)]
    monkeypatch.setattr("tests.citus_rules.migrations", lambda: iter(parsed))
    assert {each.rule for each in find_in_migrations(SMALL)} == {rule}
