"""Connections to the platforms, spelled as Airflow spells them, read without Airflow."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

import sqlalchemy as sa

POSTGRES_TYPES = ("postgres", "postgresql")


class ConnectionMissing(Exception):
    """A platform's connection is not there or cannot be read; the message says which variable to set."""


@dataclass(frozen=True)
class Connection:
    """Where a platform is and how to sign in. Secrets never appear in its text form."""

    conn_id: str
    conn_type: str
    host: str = ""
    port: int | None = None
    login: str = ""
    password: str = field(default="", repr=False)
    schema: str = ""
    extra: dict[str, Any] = field(default_factory=dict, repr=False)

    def base_url(self) -> str:
        """Base URL of an HTTP platform, without a slash at its end; http unless the schema says https."""
        if "://" in self.host:
            address = self.host.rstrip("/")
        else:
            address = f"{self.schema or 'http'}://{self.host.rstrip('/')}"
        head, separator, tail = address.partition("://")
        host, slash, path = tail.partition("/")
        port = f":{self.port}" if self.port is not None else ""
        return f"{head}{separator}{host}{port}{slash}{path}"

    def sqlalchemy_url(self) -> sa.URL:
        """URL of a database platform; PostgreSQL is spoken to through psycopg 3."""
        driver = "postgresql+psycopg" if self.conn_type in POSTGRES_TYPES else self.conn_type.replace("-", "_")
        driver = self.extra.get("sqlalchemy_scheme") or driver
        query = {key: str(value) for key, value in self.extra.items() if key != "sqlalchemy_scheme"}
        return sa.URL.create(
            driver, self.login or None, self.password or None, self.host or None, self.port, self.schema or None, query
        )


Connect: TypeAlias = Callable[[str], Connection]


def connection_from_env(conn_id: str) -> Connection:
    """The connection that AIRFLOW_CONN_<ID> holds, as JSON or as URI. Raises ConnectionMissing."""
    variable = f"AIRFLOW_CONN_{conn_id.upper()}"
    text = os.environ.get(variable, "").strip()
    if not text:
        raise ConnectionMissing(f"未配置平台连接 {conn_id}：请设置环境变量 {variable}，或在 Airflow 中建立该连接")
    try:
        return _from_json(conn_id, text) if text.startswith("{") else _from_uri(conn_id, text)
    except (ValueError, TypeError, AttributeError):
        raise ConnectionMissing(f"环境变量 {variable} 既不是 Airflow 连接的 JSON 也不是 URI") from None


def connection_from_airflow(conn: Any) -> Connection:
    """The same from Airflow's own connection object."""
    return Connection(
        conn_id=conn.conn_id,
        conn_type=_type(conn.conn_type),
        host=conn.host or "",
        port=conn.port,
        login=conn.login or "",
        password=conn.password or "",
        schema=conn.schema or "",
        extra=dict(conn.extra_dejson),
    )


def _type(name: str | None) -> str:
    kind = (name or "").lower().replace("-", "_")
    return "postgres" if kind == "postgresql" else kind


def _from_json(conn_id: str, text: str) -> Connection:
    fields = json.loads(text)
    extra = fields.get("extra") or {}
    port = fields.get("port")
    return Connection(
        conn_id=conn_id,
        conn_type=_type(fields.get("conn_type")),
        host=fields.get("host") or "",
        port=int(port) if port not in (None, "") else None,
        login=fields.get("login") or "",
        password=fields.get("password") or "",
        schema=fields.get("schema") or "",
        extra=json.loads(extra) if isinstance(extra, str) else dict(extra),
    )


def _from_uri(conn_id: str, text: str) -> Connection:
    """Airflow's URI form: type://login:password@host:port/schema?key=value; a host may carry its own protocol."""
    kind, separator, rest = text.partition("://")
    if not separator:
        raise ValueError("no ://")
    protocol = ""
    if "://" in rest.partition("?")[0]:
        protocol, _, rest = rest.partition("://")
    parts = urlsplit(f"x://{rest}")
    host = unquote(_host_of(parts.netloc))
    extra: dict[str, Any] = dict(parse_qsl(parts.query, keep_blank_values=True))
    if "__extra__" in extra:
        inner = json.loads(extra.pop("__extra__"))
        extra = {**inner, **extra} if isinstance(inner, dict) else extra
    return Connection(
        conn_id=conn_id,
        conn_type=_type(kind),
        host=f"{protocol}://{host}" if protocol else host,
        port=parts.port,
        login=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        schema=unquote(parts.path[1:]),
        extra=extra,
    )


def _host_of(netloc: str) -> str:
    """The host as written: urlsplit's own lowers its case."""
    host = netloc.rpartition("@")[2]
    name, colon, port = host.rpartition(":")
    return name if colon and (port.isdigit() or not port) and not host.endswith("]") else host
