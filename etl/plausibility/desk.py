"""Desk: the queue of flags, and what people answer to them."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from sqlalchemy.engine import Connection, Engine

from etl.catalog import Catalog
from etl.catalog.rules import Queue
from etl.clock import Clock
from etl.failures import Refused
from etl.warehouse import act_as, run_sql

SYSTEM = "system"


class FlagRefused(Refused):
    """The flag cannot be explained or closed like this; the message says why and what to do."""


def list_flags(engine: Engine, day: date | None, state: str | None) -> list[dict[str, Any]]:
    """Flags that are not closed, or those in one state, of a day or of all, by their effect on the published total."""
    with engine.connect() as conn:
        return [
            dict(line._mapping) for line in run_sql(conn, "plausibility/list", {"day": day, "state": state})
        ]


def explain_flag(engine: Engine, catalog: Catalog, flag_id: int, name: str, text: str, clock: Clock) -> None:
    """Keep an explanation with the figure; it replaces an earlier one. Raises FlagRefused, also for 核实无误 alone."""
    queue = catalog.rule(Queue)
    assert queue is not None, "the catalogue refuses rules without a queue"
    if _says_nothing(text, queue):
        raise FlagRefused(
            f"“{text.strip()}”不是说明：请写明数据来源与变化原因，例如“3月2日集中开展送法下乡，咨询量增加”。"
            " (A bare confirmation is no explanation: say where the figure comes from and why it changed.)"
        )
    with engine.begin() as conn:
        act_as(conn, "pls_clerk")
        _take(conn, flag_id)
        slice_ = {"flag_id": flag_id, "name": _named(name), "text": text.strip(), "moment": clock()}
        run_sql(conn, "plausibility/explain", slice_)


def close_flag(engine: Engine, flag_id: int, name: str, text: str, clock: Clock) -> None:
    """Close a flag that was explained, with the reason. Raises FlagRefused."""
    if not text.strip():
        raise FlagRefused("关闭须写明理由。 (Say why it is closed.)")
    with engine.begin() as conn:
        act_as(conn, "pls_clerk")
        if _take(conn, flag_id) != "explained":
            raise FlagRefused(
                f"第 {flag_id} 号疑点尚无说明，不能关闭。先执行 (explain it first): "
                f"python -m etl flags explain {flag_id} --by NAME --why TEXT"
            )
        slice_ = {"flag_id": flag_id, "name": _named(name), "text": text.strip(), "moment": clock()}
        run_sql(conn, "plausibility/close", slice_)


def _take(conn: Connection, flag_id: int) -> str:
    """Lock the flag until the transaction ends; returns its state."""
    found = run_sql(conn, "plausibility/take", {"flag_id": flag_id}).one_or_none()
    if found is None:
        raise FlagRefused(
            f"没有第 {flag_id} 号疑点。 (There is no flag {flag_id}; see: python -m etl flags list)"
        )
    if not found.is_question:
        raise FlagRefused(
            f"第 {flag_id} 号是接收时的提示，不需要说明。 (Flag {flag_id} is a remark, not a question.)"
        )
    if found.state == "closed":
        raise FlagRefused(f"第 {flag_id} 号疑点已关闭。 (Flag {flag_id} is closed.)")
    return str(found.state)


def _named(name: str) -> str:
    if not name.strip() or name.strip() == SYSTEM:
        raise FlagRefused(f"须写明说明人姓名，且不得为 {SYSTEM}。 (Give the name of a person.)")
    return name.strip()


def _says_nothing(text: str, queue: Queue) -> bool:
    """Whether nothing is left of a text once what only confirms is struck out."""
    rest = text
    for words in sorted(queue.bare_words, key=len, reverse=True):
        rest = rest.replace(words, "")
    return len(re.sub(r"[\W_]+", "", rest)) < queue.fewest_characters
