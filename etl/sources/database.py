"""Family D, the 12348 hotline: a view in a database."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import psycopg
import sqlalchemy as sa
import tenacity
from psycopg.types.datetime import DateLoader, TimestamptzLoader
from pydantic import Field, field_validator
from sqlalchemy import exc

from etl.catalog import Catalog, Platform
from etl.clock import SHANGHAI, Clock, utc_now
from etl.connections import Connection
from etl.sources.base import (
    MAX_BYTES,
    Failure,
    Listing,
    Options,
    Pulled,
    PullFailed,
    Reading,
    Seen,
    Unreadable,
    backoff,
    pulled_of,
    read_options,
)
from etl.sources.cells import (
    day_text,
    is_day_of_reports,
    json_numbers,
    json_text,
    read_day,
    read_stamp,
    to_utc,
)
from etl.sources.frames import Draft, Submission
from etl.sources.personal import mask

_NAME = "hotline_daily"
_CHANNEL = "hotline"
_MEASURES = {
    "calls": "hotline_call",
    "answered": "hotline_answered",
    "consultations": "consultation",
    "asked": "survey_asked",
    "answered_survey": "survey_answered",
    "very_satisfied": "very_satisfied",
    "satisfied": "satisfied",
    "basically_satisfied": "basically_satisfied",
    "dissatisfied": "dissatisfied",
    "very_dissatisfied": "very_dissatisfied",
}
"""Column of the view → measure (contract, D); answered_in_20s is archived only."""
_COLUMNS = ("county_code", "stat_date", *_MEASURES, "answered_in_20s", "updated_at")
_LARGEST = 2**63
"""Numbers from here on, and what is no number, are kept as text: JSON holds neither."""
_MAX_ROWS = 200_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_IDENTIFIER = r"[^\W\d]\w*"


class DatabaseOptions(Options):
    """view: its name, with its schema where needed; columns: the contract's column → the view's."""

    view: str = Field(default=_NAME, pattern=rf"^{_IDENTIFIER}(\.{_IDENTIFIER})?$")
    columns: dict[str, str] = Field(default_factory=dict)

    @field_validator("columns")
    @classmethod
    def _of_contract(cls, columns: dict[str, str]) -> dict[str, str]:
        if unknown := set(columns) - set(_COLUMNS):
            raise ValueError(f"不是约定的列：{'、'.join(sorted(unknown))}")
        return columns


@dataclass
class Database:
    """The hotline's view (contract, D)."""

    clock: Clock = utc_now
    first_wait_s: float = 0.5

    def pull_day(
        self, platform: Platform, connection: Connection, day: date, known: Container[Seen]
    ) -> Listing:
        try:
            rows = self._rows(platform, connection, day=day)
        except PullFailed as error:
            return Listing([pulled_of(day, _NAME, (), failure=error.failure)])
        return Listing([pulled_of(day, _NAME, [_lines(rows)])])

    def pull_since(
        self, platform: Platform, connection: Connection, since: datetime, known: Container[Seen]
    ) -> Listing:
        """One batch per day found; a row whose day cannot be read or reported on goes to today."""
        own_day = self.clock().astimezone(SHANGHAI).date()
        try:
            rows = self._rows(platform, connection, since=since)
        except PullFailed as error:
            return Listing([pulled_of(own_day, _NAME, (), failure=error.failure)])
        by_day: dict[date, list[dict[str, Any]]] = {}
        for row in rows:
            day = read_day(str(row["stat_date"])) or own_day
            by_day.setdefault(day if is_day_of_reports(day, own_day) else own_day, []).append(row)
        return Listing([pulled_of(day, _NAME, [_lines(by_day[day])]) for day in sorted(by_day)])

    def check(self, platform: Platform, connection: Connection) -> str:
        today = self.clock().astimezone(SHANGHAI).date()
        rows = self._rows(platform, connection, day=today)
        options = read_options(DatabaseOptions, platform)
        return f"视图 {options.view} 可以读取，{today.isoformat()} 已有 {len(rows)} 行"

    def read(self, platform: Platform, catalog: Catalog, pulled: Pulled) -> Reading:
        draft = Draft()
        for number, line in enumerate(b"".join(pulled.parts).splitlines(), 1):
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError:
                row = None
            if not isinstance(row, dict) or not set(row) >= {"county_code", "stat_date", "updated_at"}:
                raise Unreadable(f"第 {number} 行不是热线视图的一行")
            _add(draft, row, number)
        return draft.reading()

    def _rows(
        self,
        platform: Platform,
        connection: Connection,
        day: date | None = None,
        since: datetime | None = None,
    ) -> list[dict[str, Any]]:
        """The view's rows of a day, or those updated since; the columns under the contract's names."""
        try:
            options = read_options(DatabaseOptions, platform)
        except Unreadable as error:
            raise PullFailed(Failure("rejected", str(error))) from None
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(options.attempts),
            wait=backoff(self.first_wait_s),
            retry=tenacity.retry_if_exception(_is_transient),
            reraise=True,
        )
        try:
            engine = _engine(connection, options.timeout_s)
            try:
                return retrying(_select, engine, options, day, since)
            finally:
                engine.dispose()
        except Unreadable as error:
            raise PullFailed(Failure("rejected", f"平台 {platform.id}：{options.view} {error}")) from None
        except (exc.SQLAlchemyError, ImportError, ValueError) as error:
            raise _failed(platform, connection, options, error) from None


def _engine(connection: Connection, timeout_s: float) -> sa.Engine:
    url = sa.make_url(connection.sqlalchemy_url())
    arguments: dict[str, Any] = {}
    if url.get_backend_name() == "postgresql":
        limit_ms = int(timeout_s * 1000)
        arguments = {
            "connect_timeout": max(2, math.ceil(timeout_s)),
            "options": f"-c default_transaction_read_only=on -c statement_timeout={limit_ms}",
        }
    engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args=arguments)
    if engine.driver == "psycopg":
        sa.event.listen(engine, "connect", _let_far_days_pass)
    return engine


class _Day(DateLoader):
    """A day that the calendar of Python holds, else its text: one such row must not hide the others."""

    def load(self, data: Any) -> Any:
        try:
            return super().load(data)
        except psycopg.DataError:
            return bytes(data).decode()


class _Moment(TimestamptzLoader):
    """The same for a moment."""

    def load(self, data: Any) -> Any:
        try:
            return super().load(data)
        except psycopg.DataError:
            return bytes(data).decode()


def _let_far_days_pass(connection: Any, _: object) -> None:
    connection.adapters.register_loader("date", _Day)
    connection.adapters.register_loader("timestamptz", _Moment)


def _select(
    engine: sa.Engine, options: DatabaseOptions, day: date | None, since: datetime | None
) -> list[dict[str, Any]]:
    schema, _, name = options.view.rpartition(".")
    view = sa.table(
        name,
        *(sa.column(options.columns.get(column, column), _type(column)) for column in _COLUMNS),
        schema=schema or None,
    )
    columns = {column: view.c[options.columns.get(column, column)] for column in _COLUMNS}
    asked = columns["stat_date"] == day if day else columns["updated_at"] >= since
    size = sum(sa.func.coalesce(sa.func.length(sa.cast(each, sa.Text)), 0) for each in columns.values())
    with engine.connect() as connection:
        rows, characters = connection.execute(
            sa.select(sa.func.count(), sa.func.sum(size)).select_from(view).where(asked)
        ).one()
        if rows > _MAX_ROWS or (characters or 0) > MAX_BYTES:
            raise Unreadable(
                f"有 {rows:,} 行、{characters or 0:,} 字，超过 {_MAX_ROWS:,} 行或 50 MB，整份退回"
            )
        query = sa.select(*(each.label(column) for column, each in columns.items())).where(asked)
        return [_plain(row) for row in connection.execute(query).mappings()]


def _type(column: str) -> sa.types.TypeEngine[Any]:
    if column == "stat_date":
        return sa.Date()
    return sa.DateTime(timezone=True) if column == "updated_at" else sa.types.NullType()


def _plain(row: sa.RowMapping) -> dict[str, Any]:
    """The row as JSON can hold it, the same however the session's time zone stands."""
    return {column: _plain_value(value) for column, value in row.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return to_utc(value).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal) and value.is_finite() and abs(value) < _LARGEST:
        return int(value) if value == value.to_integral_value() else float(value)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and abs(value) < _LARGEST:
        return value
    return str(value)


def _lines(rows: Sequence[dict[str, Any]]) -> bytes:
    """The rows as JSON lines in one order: county, time of update, then the line itself."""
    lines = [
        (str(row["county_code"]), str(row["updated_at"]), orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
        for row in rows
    ]
    return b"".join(line for *_, line in sorted(lines))


def _add(draft: Draft, row: dict[str, Any], number: int) -> None:
    """One row of the view is one submission; updated_at in microseconds orders the revisions."""
    place = (_NAME, number)
    county, day, stamp = (json_text(row[name]) for name in ("county_code", "stat_date", "updated_at"))
    day, updated_at = day_text(day), read_stamp(stamp)
    revision = -1 if updated_at is None else (updated_at - _EPOCH) // timedelta(microseconds=1)
    index = draft.submit(Submission(county.strip(), day, revision, updated_at))
    if revision < 0:
        draft.problem(index, place, day, json_text(row), f"updated_at 无法识别：{stamp or '空'}")
        return
    found = {measure: row[column] for column, measure in _MEASURES.items() if row.get(column) is not None}
    values, texts = json_numbers(list(found.values()))
    line = (index, *place, day, len(found))
    draft.figures([line], list(found), [_CHANNEL] * len(found), values, texts=texts)


def _is_transient(error: BaseException) -> bool:
    """Whether trying again may help: the database is away, not wrong about us or we about it."""
    if not isinstance(error, (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)):
        return False
    state = getattr(error.orig, "sqlstate", None) if isinstance(error, exc.DBAPIError) else None
    if state:
        return not state.startswith(("28", "3D", "42"))
    return _refusal(str(error).lower()) is None


def _refusal(words: str) -> str | None:
    """What a database that gives no state means by its words."""
    refusals = {
        "no such table": "视图不存在",
        "no such column": "视图缺少约定的列",
        "authentication failed": "用户名或口令不对",
        "no password supplied": "没有口令",
        "access denied": "用户名或口令不对",
        "does not exist": "数据库或用户不存在",
    }
    return next((meaning for said, meaning in refusals.items() if said in words), None)


def _failed(
    platform: Platform, connection: Connection, options: DatabaseOptions, error: Exception
) -> PullFailed:
    origin = error.orig if isinstance(error, exc.DBAPIError) and error.orig is not None else error
    state = getattr(origin, "sqlstate", None)
    meanings = {"42P01": "视图不存在", "42703": "视图缺少约定的列", "42501": "没有读取视图的权限"}
    meaning = meanings.get(state or "") or _refusal(str(error).lower())
    said = " ".join(str(origin).split())[:200]
    if connection.password:
        said = said.replace(connection.password, "***")
    if _is_transient(error):
        words = f"数据库连接不上或中断，已尝试 {options.attempts} 次：{said}"
        return PullFailed(Failure("failed", f"平台 {platform.id}：{mask(words)}"))
    words = f"{options.view}：{meaning or '数据库拒绝了查询'}({said})"
    return PullFailed(Failure("rejected", f"平台 {platform.id}：{mask(words)}"))
