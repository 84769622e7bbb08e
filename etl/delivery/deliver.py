"""Deliver: issued versions go to every target that their report names, once, with a receipt."""

from __future__ import annotations

import json
import logging
import traceback
from dataclasses import dataclass
from typing import Any

import tenacity
from sqlalchemy.engine import Row

from etl import alerts
from etl.alerts.message import without_secrets
from etl.catalog import Recipient
from etl.catalog.base import Declared
from etl.catalog.delivery import EmailTarget, FolderTarget, S3Target, SftpTarget
from etl.connections import Connection
from etl.delivery.mail import send_parcel
from etl.delivery.parcel import DeliveryFailed, Parcel
from etl.delivery.stores import is_refusal, put_in_bucket, put_in_folder, put_on_sftp
from etl.failures import Refused
from etl.issue.draft import issued
from etl.issue.files import MANIFEST, sha256_of
from etl.periods import Period
from etl.site import Site
from etl.warehouse import run_sql

log = logging.getLogger(__name__)
ATTEMPTS = 3


@dataclass(frozen=True)
class Delivered:
    """What was done: deliveries made, those that wait for their target, those that it refuses, by target and words."""

    delivered: int
    waiting: tuple[str, ...]
    failed: tuple[str, ...]


def deliver_tables(site: Site, first_wait_s: float = 2.0) -> Delivered:
    """Deliver every issued version that some target does not have yet; a target that is down leaves its deliveries
    waiting for the next run. Those on duty are told of each fault once."""
    with site.engine.begin() as conn:
        for row in run_sql(conn, "delivery/undelivered").all():
            report = site.catalog.reports.get(row.report)
            for name in report.deliveries if report else ():
                target = site.catalog.deliveries[name]
                if _is_for_others(conn, site, target, row):
                    continue
                run_sql(
                    conn, "delivery/plan", {"issue_id": row.issue_id, "target": name, "kind": target.kind}
                )
        ids = run_sql(conn, "delivery/waiting").scalars().all()
    done, waiting, failed = 0, [], []
    for delivery_id in ids:
        state, words = _deliver_one(site, delivery_id, first_wait_s)
        done += state == "delivered"
        if state == "waiting":
            waiting.append(words)
        elif state == "failed":
            failed.append(words)
    with site.engine.begin() as conn:
        run_sql(conn, "delivery/settle")
    return Delivered(done, tuple(waiting), tuple(failed))


def _deliver_one(site: Site, delivery_id: int, first_wait_s: float) -> tuple[str, str]:
    """The state that the delivery is left in, and the words of a fault. It is locked meanwhile; others pass it by."""
    with site.engine.begin() as conn:
        row = run_sql(conn, "delivery/take", {"delivery_id": delivery_id}).one_or_none()
        if row is None:
            return "taken", ""
        done: dict[str, Any] = {
            "delivery_id": delivery_id, "state": "delivered", "error": "", "receipt": None, "is_told": False,
            "attempts": 1,
        }  # fmt: skip
        words = ""
        try:
            receipt, done["attempts"] = _attempt(site, row, first_wait_s)
            done["receipt"] = json.dumps(receipt, ensure_ascii=False)
        except DeliveryFailed as error:
            done |= {"state": "failed" if error.is_final else "waiting", "error": str(error)}
            done["attempts"] = 1 if error.is_final else ATTEMPTS
            words = f"{row.target}：{row.title} {row.period} 第{row.version}版：{error}"
            if row.told_at is None:
                told = "被拒绝，须处理后重试" if error.is_final else "未送达，下次运行再试"
                alerts.tell_duty(site, f"报表{told}：{row.target}", words)
                done["is_told"] = True
        run_sql(conn, "delivery/record", done)
    return done["state"], words


def _attempt(site: Site, row: Row[Any], first_wait_s: float) -> tuple[dict[str, Any], int]:
    """The receipt, and how many attempts it took. Raises DeliveryFailed."""
    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        wait=tenacity.wait_exponential_jitter(multiplier=first_wait_s, jitter=first_wait_s),
        retry=tenacity.retry_if_exception(
            lambda error: isinstance(error, DeliveryFailed) and not error.is_final
        ),
        reraise=True,
    )
    receipt = retrying(_send, site, row)
    return receipt, int(retrying.statistics["attempt_number"])


def _send(site: Site, row: Row[Any]) -> dict[str, Any]:
    target = site.catalog.deliveries.get(row.target)
    if target is None:
        raise DeliveryFailed(f"目录中不再声明投递目标 {row.target}", is_final=True)
    connection: Connection | None = None
    try:
        parcel = _parcel(site, row)
        if not isinstance(target, FolderTarget):
            connection = site.connect(target.conn_id)
        match target:
            case FolderTarget():
                return put_in_folder(target, parcel)
            case SftpTarget():
                assert connection is not None
                return put_on_sftp(target, parcel, connection)
            case S3Target():
                assert connection is not None
                return put_in_bucket(target, parcel, connection)
            case EmailTarget():
                assert connection is not None
                with site.engine.connect() as conn:
                    return send_parcel(target, parcel, connection, _readers(conn, site, target, row))
    except DeliveryFailed:
        raise
    except Refused as error:
        raise DeliveryFailed(str(error), is_final=True) from None
    except Exception as error:
        # The log has where, not what: the words of a library may hold a secret.
        log.warning("delivery %s\n%s", row.delivery_id, "".join(traceback.format_tb(error.__traceback__)))
        secrets = [connection.password, connection.login] if connection else []
        words = f"{type(error).__name__}：{without_secrets(str(error), secrets)}"
        raise DeliveryFailed(words, is_final=is_refusal(error)) from None


def _is_for_others(conn: Any, site: Site, target: Declared, row: Row[Any]) -> bool:
    """Whether a target has recipients, and the table is for none of them."""
    return (
        isinstance(target, EmailTarget)
        and bool(_people(site, target, row.report))
        and not _readers(conn, site, target, row)
    )


def _people(site: Site, target: EmailTarget, report: str) -> dict[str, Recipient]:
    """Whom a target names, or the report, that has an address."""
    names = target.to or site.catalog.reports[report].recipients
    found = {name: site.catalog.recipients[name] for name in names if name in site.catalog.recipients}
    return {name: each for name, each in found.items() if each.email is not None}


def _readers(conn: Any, site: Site, target: EmailTarget, row: Row[Any]) -> dict[str, str]:
    """Addresses of those whom a table is for: those of its division; and where it is no part of another table of the
    same report and period, those of the divisions above, and those of none."""
    where = {"issue_id": row.issue_id, "day": Period.parse(row.period).ends_on}
    above = run_sql(conn, "delivery/above", where).all()
    divisions = {row.division_code}
    if not any(each.has_table for each in above):
        divisions |= {None, *(each.division_code for each in above)}
    people = _people(site, target, row.report)
    return {name: each.email for name, each in people.items() if each.email and each.division in divisions}


def _parcel(site: Site, row: Row[Any]) -> Parcel:
    """The version's files, each checked against what was issued. Raises DeliveryFailed."""
    names = {"report": row.report, "division": row.division_code, "period": row.period}
    folder = issued(site, names, row.version)
    manifest = folder / MANIFEST
    files = [*row.files]
    if manifest.is_file():
        files.append({"name": MANIFEST, "bytes": manifest.stat().st_size, "sha256": row.manifest_sha256})
    for each in files:
        file = folder / each["name"]
        if not manifest.is_file() or not file.is_file() or sha256_of(file) != each["sha256"]:
            raise DeliveryFailed(f"报出的文件缺失或被改动：{file}", is_final=True)
    place = (row.report, row.period, row.division_code, f"v{row.version}")
    return Parcel(
        row.issue_id, row.title, row.division_name, row.period, row.version, place, folder, tuple(files)
    )
