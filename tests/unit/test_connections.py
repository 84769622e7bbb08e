"""Connections: AIRFLOW_CONN_* as Airflow reads them, and the addresses made of them."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.connections import Connection, ConnectionMissing, connection_from_airflow, connection_from_env

VARIABLE = "AIRFLOW_CONN_PLS_COUNTY_371302"
CONN_ID = "pls_county_371302"

Parse = Callable[[str], Connection]


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Airflow's own connection class, imported with a home that is not the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
        from airflow.sdk import Connection as AirflowConnection

        yield AirflowConnection


@pytest.fixture
def parse(monkeypatch: pytest.MonkeyPatch) -> Parse:
    def parse(text: str) -> Connection:
        monkeypatch.setenv(VARIABLE, text)
        return connection_from_env(CONN_ID)

    return parse


def dumped(**fields: Any) -> str:
    return json.dumps(fields)


URIS = [
    "http://:token@127.0.0.1:8101/http",
    "http://token@127.0.0.1:8101/https",
    "https://:token@justice.example.org",
    "http://https://justice.example.org:8443/",
    "http://https://:t%3Aok@justice.example.org:8443/",
    "http://JUSTICE.Example.org/",
    "http://[::1]:8101/",
    "http://u:p%40ss%2Fw%3A@h:1/https?timeout=5&verify=&timeout=6",
    "sftp://station:p%25w@10.0.0.1:2222/?root=%2Fdata%2Ftown&host_key=ssh-ed25519+AAAA%2BB%2F",
    "file://?path=%2Fsrv%2Fvillage",
    "file:///?path=%2Fsrv%2Fvillage",
    "http://h/?__extra__=%7B%22path%22%3A+%22%2Fsrv%22%2C+%22size%22%3A+5%7D",
    "http://h/?__extra__=%7B%22a%22%3A+1%7D&b=2",
    "postgres://u:p@h:5432/db",
    "postgresql://u:p@h/db",
    "postgresql://u:p@%2Fvar%2Frun%2FPG/db",
    "postgresql+psycopg://u:p@h/db?sslmode=require",
    "postgresql+psycopg://u@/db?host=%2Fvar%2Frun&port=5433",
    "my-own-type://h",
    "google-cloud-platform://?project=x",
    "sqlite:////srv/hotline.db",
    "HTTP://h:80/",
    "  http://h:80/  ",
]
JSONS = [
    dumped(conn_type="http", host="127.0.0.1", port=8101, password="token", schema="http"),
    dumped(conn_type="http", host="127.0.0.1", port="8101", password="token"),
    dumped(conn_type="http", host="https://justice.example.org", description="county"),
    dumped(
        conn_type="postgresql", host="h", login="u", password="p", schema="db", extra={"sslmode": "require"}
    ),
    dumped(conn_type="my-own-type", host="h", extra='{"a": [1, {"b": null}]}'),
    dumped(conn_type="file", extra={"path": "/srv/村"}),
    dumped(conn_type="file", extra="", host=None, port=None, login=None),
    dumped(conn_type="sftp", host="h", port=0, extra=None),
    " " + dumped(conn_type="http", host="h") + "\n",
]


def facts(connection: Connection) -> tuple[Any, ...]:
    return (
        connection.conn_id,
        connection.conn_type,
        connection.host,
        connection.port,
        connection.login,
        connection.password,
        connection.schema,
        connection.extra,
    )


def airflows(airflow: Any, text: str) -> tuple[Any, ...]:
    """What Airflow's backend for environment variables makes of the text, with nothing for None."""
    text = text.strip()
    conn = airflow.from_json(text, conn_id=CONN_ID) if text[0] == "{" else airflow(conn_id=CONN_ID, uri=text)
    return (
        conn.conn_id,
        conn.conn_type or "",
        conn.host or "",
        conn.port or None,
        conn.login or "",
        conn.password or "",
        conn.schema or "",
        conn.extra_dejson,
    )


@pytest.mark.parametrize("text", URIS + JSONS)
def test_a_connection_is_read_as_airflow_reads_it(airflow: Any, parse: Parse, text: str) -> None:
    connection = parse(text)
    assert facts(connection) == airflows(airflow, text)


def test_the_cases_compared_with_airflow_fill_every_field(parse: Parse) -> None:
    read = [facts(parse(text)) for text in URIS + JSONS]
    assert len(read) == 32
    assert all(any(each[field] for each in read) for field in range(8))


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12)
HOSTS = st.sampled_from(
    ["", "127.0.0.1", "justice.example.org", "/var/run/pg", "https://justice.example.org"]
)


@settings(max_examples=150, deadline=None)
@given(
    host=HOSTS,
    port=st.none() | st.integers(1, 65535),
    login=WORDS,
    password=WORDS,
    schema=WORDS,
    extra=st.dictionaries(WORDS.filter(bool), WORDS | st.integers() | st.booleans(), max_size=3),
)
def test_what_airflow_writes_as_uri_or_json_is_read_back_as_airflow_reads_it(
    airflow: Any, **fields: Any
) -> None:
    extra = json.dumps(fields.pop("extra"))
    conn = airflow(conn_id=CONN_ID, conn_type="sftp", extra=extra, **fields)
    for text in (conn.get_uri(), conn.as_json()):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(VARIABLE, text)
            try:
                expected = airflows(airflow, text)
            except Exception:
                with pytest.raises(ConnectionMissing):
                    connection_from_env(CONN_ID)
            else:
                assert facts(connection_from_env(CONN_ID)) == expected


@pytest.mark.parametrize("text", URIS + JSONS)
def test_a_task_and_the_command_line_meet_the_same_connection(airflow: Any, parse: Parse, text: str) -> None:
    stripped = text.strip()
    is_json = stripped[0] == "{"
    conn = airflow.from_json(stripped, conn_id=CONN_ID) if is_json else airflow(conn_id=CONN_ID, uri=stripped)
    assert connection_from_airflow(conn) == parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "justice.example.org",
        "http://a://b://c",
        "http://h:port/",
        "http://h:70000/",
        "http://u:s3cret@https://h",
        "http://h/?__extra__=s3cret",
        "http://h/?__extra__=%5B1%5D",
        '{"conn_type": "http", "password": "s3cret"',
        dumped(conn_type="http", host="h", port="s3cret"),
        dumped(conn_type="http", host="h", pasword="s3cret"),
        dumped(conn_type="http", host={"s3cret": 1}),
        dumped(conn_type="file", extra=["s3cret"]),
        dumped(conn_type="file", extra="s3cret"),
    ],
)
def test_a_connection_that_cannot_be_read_names_its_variable_and_nothing_of_its_text(
    parse: Parse, text: str
) -> None:
    with pytest.raises(ConnectionMissing) as refused:
        parse(text)
    assert VARIABLE in str(refused.value)
    assert "s3cret" not in "".join(traceback.format_exception(refused.value, chain=False))
    assert refused.value.__suppress_context__


@pytest.mark.parametrize("text", [None, "", "  "])
def test_a_missing_connection_names_the_variable_to_set(
    monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if text is not None:
        monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(ConnectionMissing, match=f"未配置平台连接 {CONN_ID}：请设置环境变量 {VARIABLE}"):
        connection_from_env(CONN_ID)


def test_an_airflow_connection_whose_extra_is_a_list_is_refused(airflow: Any) -> None:
    with pytest.raises(ConnectionMissing, match=f"连接 {CONN_ID} 的 extra 不是 JSON 对象"):
        connection_from_airflow(airflow(conn_id=CONN_ID, conn_type="file", extra="[1]"))


def test_no_text_form_shows_a_secret() -> None:
    connection = Connection(CONN_ID, "sftp", "h", 22, "t0ken", "s3cret", "sch3ma", {"private_key": "k3y"})
    for text in (repr(connection), str(connection), f"{connection}", f"{[connection]}"):
        assert CONN_ID in text
        assert not [secret for secret in ("t0ken", "s3cret", "sch3ma", "k3y") if secret in text]


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"host": "127.0.0.1", "port": 8101}, "http://127.0.0.1:8101"),
        ({"host": "h", "schema": "https"}, "https://h"),
        ({"host": "h", "schema": "HTTPS", "port": 8443}, "https://h:8443"),
        ({"host": "h", "conn_type": "https"}, "https://h"),
        ({"host": "h", "conn_type": "https", "schema": "http"}, "http://h"),
        ({"host": "https://h", "schema": "http"}, "https://h"),
        ({"host": "https://h/pls/", "port": 8443}, "https://h:8443/pls"),
        ({"host": "https://h:8443", "port": 8443}, "https://h:8443"),
        ({"host": "h/pls", "port": 81}, "http://h:81/pls"),
        ({"host": "::1", "port": 81}, "http://[::1]:81"),
        ({"host": "[::1]"}, "http://[::1]"),
    ],
)
def test_the_base_url_takes_its_protocol_from_host_schema_or_type(fields: dict[str, Any], url: str) -> None:
    assert Connection(**{"conn_id": CONN_ID, "conn_type": "http"} | fields).base_url() == url


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("http://:s3cret@/http", "没有主机"),
        ("http://:s3cret@h:80/county", "schema 只能是 http 或 https，现为 county"),
        (dumped(conn_type="http", host="ftp://h"), "schema 只能是 http 或 https，现为 ftp"),
    ],
)
def test_an_http_connection_that_makes_no_url_is_refused_when_read(
    parse: Parse, text: str, words: str
) -> None:
    with pytest.raises(ConnectionMissing, match=f"连接 {CONN_ID} .*{words}") as refused:
        parse(text)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("postgres://u:p%40@h:5432/db", "postgresql+psycopg://u:p%40@h:5432/db"),
        ("postgresql://u@h/db", "postgresql+psycopg://u@h/db"),
        ("postgresql+psycopg://u@h/db?sslmode=require", "postgresql+psycopg://u@h/db?sslmode=require"),
        ("postgresql+psycopg2://u@h/db", "postgresql+psycopg2://u@h/db"),
        ("postgresql://u@%2Frun%2FPG:5433/db", "postgresql+psycopg://u@/db?host=%2Frun%2FPG&port=5433"),
        ("mysql+pymysql://u@h/db", "mysql+pymysql://u@h/db"),
        ("sqlite:////srv/hotline.db", "sqlite:////srv/hotline.db"),
        (dumped(conn_type="sqlite", host="/srv/Hotline.db"), "sqlite:////srv/Hotline.db"),
        (
            dumped(conn_type="postgres", host="h", extra={"connect_timeout": 5, "keepalives": True}),
            "postgresql+psycopg://h?connect_timeout=5&keepalives=true",
        ),
        (
            dumped(conn_type="generic", host="h", schema="db", extra={"sqlalchemy_scheme": "mssql+pyodbc"}),
            "mssql+pyodbc://h/db",
        ),
    ],
)
def test_a_database_connection_becomes_an_sqlalchemy_url(parse: Parse, text: str, url: str) -> None:
    assert parse(text).sqlalchemy_url().render_as_string(hide_password=False) == url


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"host": "h"}, "没有类型"),
        ({"conn_type": "postgres", "extra": {"options": {"a": "s3cret"}}}, "extra.options 应为文字或数字"),
    ],
)
def test_a_database_connection_that_makes_no_url_is_refused(
    parse: Parse, fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConnectionMissing, match=words) as refused:
        parse(dumped(**fields)).sqlalchemy_url()
    assert "s3cret" not in str(refused.value)
