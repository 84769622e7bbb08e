"""Connections to the platforms, spelled as Airflow spells them, read without Airflow.

Both forms of AIRFLOW_CONN_* are parsed as the task SDK of Airflow 3 parses them, so that the command line and a task
meet the same connection; tests compare the two. Where Airflow would go on with half a connection (`extra` that is not
a JSON object), this module refuses it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import sqlalchemy as sa

from etl.failures import Refused

HTTP_TYPES = ("http", "https")
FIELDS = {"conn_type", "description", "host", "port", "login", "password", "schema", "extra"}


class ConnectionMissing(Refused):
    """A platform's connection is not there or cannot be used; the message (Chinese) says what to set where."""


@dataclass(frozen=True, repr=False)
class Connection:
    """Where a platform is and how to sign in. Its text form shows neither address nor secrets."""

    conn_id: str
    conn_type: str
    host: str = ""
    port: int | None = None
    login: str = ""
    password: str = ""
    schema: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Connection({self.conn_id!r}, {self.conn_type!r})"

    def base_url(self) -> str:
        """Base URL of an HTTP platform, without a slash at its end.

        The protocol is the host's own, else the schema, else https for the type https, else http.
        Raises ConnectionMissing when there is no host or the schema is not a protocol.
        """
        protocol, separator, address = self.host.partition("://")
        if not separator:
            default = "https" if self.conn_type == "https" else "http"
            protocol, address = self.schema or default, self.host
        protocol = protocol.lower()
        if protocol not in HTTP_TYPES:
            raise ConnectionMissing(f"连接 {self.conn_id} 的 schema 只能是 http 或 https，现为 {protocol}")
        host, slash, path = address.rstrip("/").partition("/")
        if not host:
            raise ConnectionMissing(f"连接 {self.conn_id} 没有主机：请填写 host")
        if host.count(":") > 1 and not host.startswith("["):
            host = f"[{host}]"
        port = f":{self.port}" if self.port is not None else ""
        if not host.endswith(port):
            host += port
        return f"{protocol}://{host}{slash}{path}"

    def sqlalchemy_url(self) -> sa.URL:
        """URL of a database platform; PostgreSQL is spoken to through psycopg 3 unless the type names its driver.

        A host with a slash is the folder of a socket; for SQLite the schema, else the host, is the file. Every extra
        is an option of the driver, but for sqlalchemy_scheme, which replaces the type.
        Raises ConnectionMissing when there is no type or an extra is not a plain value.
        """
        options = dict(self.extra)
        driver = str(options.pop("sqlalchemy_scheme", self.conn_type))
        if not driver:
            raise ConnectionMissing(f"连接 {self.conn_id} 没有类型：请填写 conn_type，如 postgres")
        if driver in ("postgres", "postgresql"):
            driver = "postgresql+psycopg"
        if driver.partition("+")[0] == "sqlite":
            return sa.URL.create(driver, database=self.schema or self.host)
        query = {name: self._plain(name, value) for name, value in options.items()}
        host, port = self.host, self.port
        if "/" in host:
            query |= {"host": host} | ({"port": str(port)} if port is not None else {})
            host, port = "", None
        return sa.URL.create(
            driver, self.login or None, self.password or None, host or None, port, self.schema or None, query
        )

    def _plain(self, name: str, value: Any) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, str | int | float):
            return str(value)
        raise ConnectionMissing(f"连接 {self.conn_id} 的 extra.{name} 应为文字或数字")


Connect: TypeAlias = Callable[[str], Connection]


def connection_from_env(conn_id: str) -> Connection:
    """The connection that AIRFLOW_CONN_<ID> holds, as JSON or as URI. Raises ConnectionMissing."""
    variable = f"AIRFLOW_CONN_{conn_id.upper()}"
    text = os.environ.get(variable, "").strip()
    if not text:
        raise ConnectionMissing(
            f"未配置平台连接 {conn_id}：请设置环境变量 {variable}，或在 Airflow 中建立该连接"
        )
    form = "JSON" if text.startswith("{") else "URI"
    try:
        connection = _from_json(conn_id, text) if form == "JSON" else _from_uri(conn_id, text)
    except (ValueError, TypeError, RecursionError):
        # The error's own words may quote the text, and with it a password.
        raise ConnectionMissing(
            f"环境变量 {variable} 不是 Airflow 连接的 {form}：请按 Airflow 的写法改正"
        ) from None
    return _usable(connection)


def connection_from_airflow(conn: Any) -> Connection:
    """The same from Airflow's own connection object (airflow.sdk.Connection). Raises ConnectionMissing."""
    try:
        extra = _extra(conn.extra_dejson)
    except ValueError:
        raise ConnectionMissing(f"连接 {conn.conn_id} 的 extra 不是 JSON 对象：请在 Airflow 中改正") from None
    return _usable(
        Connection(
            conn_id=conn.conn_id,
            conn_type=_type(conn.conn_type),
            host=conn.host or "",
            port=conn.port or None,
            login=conn.login or "",
            password=conn.password or "",
            schema=conn.schema or "",
            extra=extra,
        )
    )


def _usable(connection: Connection) -> Connection:
    if connection.conn_type in HTTP_TYPES:
        connection.base_url()
    return connection


def _type(name: str | None) -> str:
    return "postgres" if name == "postgresql" else (name or "").replace("-", "_")


def _extra(value: Any) -> dict[str, Any]:
    parsed = json.loads(value) if isinstance(value, str) and value else value or {}
    if not isinstance(parsed, dict):
        raise ValueError("extra is not an object")
    return parsed


def _from_json(conn_id: str, text: str) -> Connection:
    fields = json.loads(text)
    if unknown := fields.keys() - FIELDS:
        raise ValueError(f"unknown fields {sorted(unknown)}")
    port = fields.get("port")
    return Connection(
        conn_id=conn_id,
        conn_type=_type(_text(fields.get("conn_type"))),
        host=_text(fields.get("host")),
        port=int(port) if port else None,
        login=_text(fields.get("login")),
        password=_text(fields.get("password")),
        schema=_text(fields.get("schema")),
        extra=_extra(fields.get("extra")),
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | dict | list):
        raise TypeError("text was expected")
    return str(value)


def _from_uri(conn_id: str, text: str) -> Connection:
    """Airflow's URI form: type://login:password@host:port/schema?key=value.

    The host may carry a protocol of its own: type://protocol://login:password@host:port/schema.
    """
    protocols = text.count("://")
    if protocols not in (1, 2):
        raise ValueError("one :// was expected, or two")
    kind = urlsplit(text).scheme
    if not kind:
        raise ValueError("no type")
    rest = text.replace(f"{kind}://", "" if protocols == 2 else "//")
    parts = urlsplit(rest)
    host = _host(parts)
    if protocols == 2:
        before = rest.partition("://")[0]
        if "@" in before or ":" in before:
            raise ValueError("sign-in data before the host's protocol")
        host = f"{parts.scheme}://{host}" if host else host
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return Connection(
        conn_id=conn_id,
        conn_type=_type(kind),
        host=host,
        port=parts.port or None,
        login=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        schema=unquote(parts.path[1:]),
        extra=_extra(query.get("__extra__", query)),
    )


def _host(parts: SplitResult) -> str:
    """The host in small letters, but a path (of a socket, a file) as it was written."""
    host = unquote(parts.hostname or "")
    if "/" in host:
        return unquote(parts.netloc.rpartition("@")[2].partition(":")[0])
    return host
