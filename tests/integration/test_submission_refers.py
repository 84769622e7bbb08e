"""What a submission refers to is there, whoever writes it and whichever way; and stays there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

DAY = "2026-03-02"
INSERT = (
    "INSERT INTO {table} (stat_date, unit_id, platform_id, batch_id, dataset, revision, received_at, known_from,"
    " is_nil, cells, figures, row_numbers)"
    " SELECT %(day)s, unit_id, 1, %(batch)s, 'daily', 1, now(), now(), true, '{{}}', '{{}}', '{{}}'"
    " FROM unnest(%(units)s::integer[]) AS unit (unit_id)"
)
REFUSED = psycopg.errors.ForeignKeyViolation


@pytest.fixture
def url(database: Callable[[], str]) -> str:
    made = database().replace("+psycopg", "")
    with psycopg.connect(made) as conn:
        conn.execute("SELECT core.ensure_month(%s)", [DAY])
        conn.execute(
            "INSERT INTO core.platform (platform, family, levels, datasets, area)"
            " VALUES ('one', 'csv', '{}', '{}', '{}')"
        )
        for name in ("a", "b"):
            conn.execute(
                "INSERT INTO landing.batch (platform_id, dataset, stat_date, source_name, sha256, pulled_at, state)"
                " SELECT platform_id, 'daily', %s, %s, repeat('0', 64), now(), 'gated' FROM core.platform",
                [DAY, name],
            )
    return made


@pytest.fixture
def conn(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as made:
        yield made


def write(conn: psycopg.Connection, units: list[int], batch: int = 1, table: str = "core.submission") -> None:
    conn.execute(INSERT.format(table=table), {"day": DAY, "batch": batch, "units": units})


def units(conn: psycopg.Connection, count: int) -> list[int]:
    query = "SELECT division_id FROM core.division ORDER BY division_code DESC LIMIT %s"
    return [number for (number,) in conn.execute(query, [count]).fetchall()]


@pytest.mark.parametrize("table", ["core.submission", "core.submission_202603"])
def test_a_submission_of_an_unknown_unit_or_batch_is_refused_and_nothing_of_its_statement_is_in(
    conn: psycopg.Connection, table: str
) -> None:
    known = units(conn, 3)
    with pytest.raises(REFUSED, match="unit -7 in batch 1"):
        write(conn, [*known, -7], table=table)
    with pytest.raises(REFUSED, match="in batch 99"):
        write(conn, known, batch=99, table=table)
    assert conn.execute("SELECT count(*) FROM core.submission").fetchone() == (0,)
    write(conn, known, table=table)
    assert conn.execute("SELECT count(*) FROM core.submission").fetchone() == (3,)


def test_a_submission_that_is_copied_in_is_checked_too(conn: psycopg.Connection) -> None:
    columns = (
        "stat_date, unit_id, platform_id, batch_id, dataset, revision, received_at, known_from, is_nil, cells,"
        " figures, row_numbers"
    )
    with (
        pytest.raises(REFUSED, match="unit -7"),
        conn.cursor().copy(f"COPY core.submission ({columns}) FROM STDIN") as copy,
    ):
        copy.write(f"{DAY}\t-7\t1\t1\tdaily\t1\t{DAY}\t{DAY}\tt\t{{}}\t{{}}\t{{}}\n")


@pytest.mark.parametrize("change", ["unit_id = -7", "batch_id = 2"])
def test_unit_and_batch_of_a_submission_are_not_changed(conn: psycopg.Connection, change: str) -> None:
    write(conn, units(conn, 1))
    with pytest.raises(REFUSED, match="not changed"):
        conn.execute(f"UPDATE core.submission SET {change}")
    conn.execute("UPDATE core.submission SET known_to = now()")


def test_what_submissions_refer_to_is_not_taken_away(conn: psycopg.Connection) -> None:
    (unit, other) = units(conn, 2)
    write(conn, [unit])
    conn.execute("DELETE FROM core.division_period")
    for statement in (
        "DELETE FROM core.division",
        "DELETE FROM landing.batch",
        "UPDATE landing.batch SET batch_id = DEFAULT WHERE batch_id = 1",
        "TRUNCATE core.division CASCADE",
        "TRUNCATE landing.batch CASCADE",
    ):
        with pytest.raises(REFUSED):
            conn.execute(statement)
    conn.execute("DELETE FROM core.division WHERE division_id = %s", [other])
    assert conn.execute("DELETE FROM landing.batch WHERE batch_id = 2").rowcount == 1


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM core.division WHERE division_id = {unit}", "DELETE FROM landing.batch WHERE batch_id = 1"],
)
def test_who_takes_it_away_waits_for_who_is_writing(
    url: str, conn: psycopg.Connection, statement: str
) -> None:
    (unit,) = units(conn, 1)
    conn.execute("DELETE FROM core.division_period")
    with psycopg.connect(url) as writer:
        write(writer, [unit])
        with pytest.raises(psycopg.errors.LockNotAvailable):
            conn.execute(f"SET lock_timeout = '300ms'; {statement.format(unit=unit)}")
        writer.commit()
    with pytest.raises(REFUSED):
        conn.execute(statement.format(unit=unit))
