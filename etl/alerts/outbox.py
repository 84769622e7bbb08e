"""The outbox: what was written is sent, by the recipient's channels in the declared order.

Each digest is taken, sent and marked in one transaction, and locked meanwhile: two senders never take the same, and a
sender that dies between sending and marking leaves it to be sent again, under the same number (at least once as sent,
exactly once as recorded). Failures are repeated with growing pauses, then the next channel is tried; all of it stays
on record.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection, Engine, Row

from etl.alerts.deliver import deliver
from etl.alerts.hours import after_quiet
from etl.alerts.link import link_of
from etl.alerts.message import ChannelFailed, Message
from etl.catalog.alert import ChannelName
from etl.catalog.models import Recipient
from etl.failures import Refused
from etl.site import Site
from etl.warehouse import run_sql

log = logging.getLogger(__name__)

FAILURES_IN_A_ROW = 3
"""After so many of one channel's address, a run leaves the rest of its messages for the next."""


@dataclass
class Sent:
    """What a run of the sender did."""

    sent: int = 0
    postponed: int = 0
    failed: int = 0


def send_alerts(site: Site) -> Sent:
    """Send what is due, one digest after another; in quiet hours nothing. Never raises for what a channel does."""
    done = Sent()
    in_a_row: Counter[str] = Counter()
    while True:
        moment = site.clock()
        if after_quiet(moment, site.catalog.delivery()) > moment:
            return done
        with site.engine.begin() as conn:
            row = run_sql(conn, "alerts/take", {"moment": moment}).one_or_none()
            if row is None:
                return done
            _send(site, conn, row, moment, done, in_a_row)


def try_again(engine: Engine, ids: Sequence[int], moment: datetime) -> list[int]:
    """Put failed digests back, to be tried from the first channel on; returns those that had failed."""
    with engine.begin() as conn:
        return list(run_sql(conn, "alerts/again", {"ids": list(ids), "moment": moment}).scalars())


def _send(
    site: Site, conn: Connection, row: Row[Any], moment: datetime, done: Sent, in_a_row: Counter[str]
) -> None:
    delivery = site.catalog.delivery()
    recipient = site.catalog.recipients.get(row.recipient)
    channels = recipient.channels(delivery.channels) if recipient else []
    if recipient is None or not channels:
        words = f"接收人 {row.recipient} 已不在目录中，或没有登记任何通道"
        _settle(conn, row, "failed", row.channel, 0, moment, words, None)
        done.failed += 1
        return
    channel = row.channel if row.channel in channels else channels[0]
    address = _address(recipient, channel, delivery.mail_conn_id)
    try:
        if in_a_row[address] >= FAILURES_IN_A_ROW:
            raise ChannelFailed("同一通道刚刚连续失败，本轮不再尝试", is_final=False)
        deliver(site, recipient, channel, _message(site, conn, row, moment), moment)
    except ChannelFailed as error:
        in_a_row[address] += error.is_down
        log.warning("alert %s to %s by %s failed: %s", row.alert_id, row.recipient, channel, error)
        _record(conn, row, channel, moment, "failed", str(error))
        _postpone(site, conn, row, channels, channel, error, moment, done)
    else:
        in_a_row[address] = 0
        _record(conn, row, channel, moment, "sent", "")
        _settle(conn, row, "sent", channel, row.failures, moment, "", moment)
        done.sent += 1


def _postpone(
    site: Site,
    conn: Connection,
    row: Row[Any],
    channels: list[ChannelName],
    channel: ChannelName,
    error: ChannelFailed,
    moment: datetime,
    done: Sent,
) -> None:
    """Later by the same channel, now by the next, or never: then the digest has failed, and says why."""
    delivery = site.catalog.delivery()
    failures = row.failures + 1
    if not error.is_final and failures < delivery.attempts:
        pause = timedelta(minutes=delivery.first_wait_minutes * 2 ** (failures - 1))
        again = after_quiet(moment + max(pause, error.retry_after or pause), delivery)
        _settle(conn, row, "pending", channel, failures, again, str(error), None)
        done.postponed += 1
        return
    following = channels[channels.index(channel) + 1 :]
    if following:
        _settle(conn, row, "pending", following[0], 0, moment, f"{channel}：{error}", None)
        return
    _settle(conn, row, "failed", channel, failures, moment, f"{channel}：{error}", None)
    done.failed += 1


def _address(recipient: Recipient, channel: ChannelName, mail_conn_id: str) -> str:
    """What fails together: the mail server, a robot, a webhook."""
    owner = {"email": mail_conn_id, "robot": recipient.robot_conn_id, "webhook": recipient.webhook}
    return f"{channel} {owner[channel]}"


def _message(site: Site, conn: Connection, row: Row[Any], moment: datetime) -> Message:
    message = Message(
        alert_id=row.alert_id,
        reason=row.reason,
        round=row.round,
        dataset=row.dataset,
        stat_date=row.stat_date,
        codes=tuple(run_sql(conn, "alerts/codes", {"alert_id": row.alert_id}).scalars()),
        subject=row.subject,
        body=row.body,
        link=None,
        created_at=row.created_at,
    )
    if row.reason in ("cleared", "recovered"):
        return message
    delivery = site.catalog.delivery()
    try:
        link = link_of(row.alert_id, moment, delivery.link_days, site.connect, delivery.link_conn_id)
    except Refused as error:
        log.warning("alert %s goes without a link: %s", row.alert_id, error)
        return message
    return replace(message, link=link)


def _record(
    conn: Connection, row: Row[Any], channel: str, moment: datetime, outcome: str, error: str
) -> None:
    run_sql(
        conn,
        "alerts/attempt",
        {
            "alert_id": row.alert_id,
            "channel": channel,
            "tried_at": moment,
            "outcome": outcome,
            "error": error,
        },
    )


def _settle(
    conn: Connection,
    row: Row[Any],
    state: str,
    channel: str | None,
    failures: int,
    not_before: datetime,
    last_error: str,
    sent_at: datetime | None,
) -> None:
    run_sql(
        conn,
        "alerts/settle",
        {
            "alert_id": row.alert_id,
            "state": state,
            "channel": channel,
            "failures": failures,
            "not_before": not_before,
            "last_error": last_error,
            "sent_at": sent_at,
        },
    )
