"""What every command shares: its options, its words on failure, and how it shows what it found."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import wraps
from getpass import getuser
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from etl.failures import Refused
from etl.periods import Period, PeriodUnknown

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)
DAY = click.DateTime(["%Y-%m-%d"])


class Moment(click.ParamType[datetime]):
    """A time in ISO 8601 with its zone."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value} is not a time such as 2026-03-02T00:00:00+08:00", param, ctx)
        if moment.tzinfo is None:
            self.fail(f"{value} has no zone; write it as {value}+08:00", param, ctx)
        return moment


class Month(click.ParamType[date]):
    """A month such as 2026-03; its value is the month's last day."""

    name = "month"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            period = Period.parse(value)
        except PeriodUnknown:
            period = None
        if period is None or period.kind != "month":
            self.fail(f"{value} is not a month such as 2026-03", param, ctx)
        return period.ends_on


def as_json(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option --json, and plain words with exit status 2 where what is asked cannot be done."""

    @click.option("--json", "json_", is_flag=True, help="Print one JSON document for machines.")
    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except Refused as error:
            raise click.UsageError(str(error)) from None

    return wrapped


def named(usual_reason: str | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The options of every decision that is kept: who (the login name if nobody is named), and why."""
    usual = {"required": True} if usual_reason is None else {"default": usual_reason, "show_default": True}

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        words = "The reason, kept with the decision."
        why = click.option("--why", "--reason", "reason", help=words, **usual)
        by = click.option("--by", default=getuser, help="Who decides, kept with the decision. Default: you.")
        return by(why(command))

    return decorate


def choose(declared: dict[str, Any], ids: Sequence[str]) -> list[str]:
    unknown = [name for name in ids if name not in declared]
    if unknown:
        raise click.BadParameter(
            f"no platform {', '.join(unknown)}; declared are {', '.join(declared)}", param_hint="--platform"
        )
    return list(dict.fromkeys(ids)) or list(declared)


def progress(json_: bool, words: str) -> Any:
    """A moving sign on a terminal, nothing elsewhere."""
    return Console(stderr=True, quiet=json_).status(words)


def make_table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def show_rows(json_: bool, rows: list[dict[str, Any]], columns: list[str]) -> None:
    table = make_table(*columns)
    for row in rows:
        table.add_row(*("" if row[name] is None else str(row[name]) for name in columns))
    show(json_, rows, table)
    if not json_:
        err.print(f"{len(rows):,} rows")


def show(json_: bool, document: Any, words: Any) -> None:
    if json_:
        click.echo(json.dumps(document, ensure_ascii=False, default=str))
    elif isinstance(words, str):
        out.print(words, markup=False)
    else:
        out.print(words)
