"""Issued tables reach folders, SFTP servers, object stores and mail boxes once each, with a receipt; a target that is
down is tried again by the next run."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pandas as pd
import pytest
from moto.server import ThreadedMotoServer
from pydantic import TypeAdapter, ValidationError

from etl.catalog.delivery import DeliveryTarget
from etl.catalog.models import Recipient
from etl.delivery import deliver_tables
from etl.issue import issue_table
from etl.site import Site
from simulator.sftp import SftpServer
from simulator.simulation import Simulation
from tests.alert_receivers import mail_server
from tests.integration.conftest import read_view
from tests.integration.issue_site import MONTH, bring_in, with_report
from tests.integration.test_pipeline_truth import small_world

pytestmark = pytest.mark.integration
OpenFor = Callable[[Simulation], Site]
SECRET = "s3cr3t-delivery-0123"
COUNTY = "371302000000"


def targets(**declared: dict[str, Any]) -> dict[str, Any]:
    adapter: TypeAdapter[Any] = TypeAdapter(DeliveryTarget)
    return {name: adapter.validate_python({"id": name, **each}) for name, each in declared.items()}


def delivering(site: Site, **declared: dict[str, Any]) -> Site:
    made = targets(**declared)
    site = with_report(site, deliveries=tuple(made))
    people = {
        "office": Recipient(id="office", name="办公室", email="office@example.org"),
        "duty": Recipient(id="duty", name="值班", email="duty@example.org"),
    }
    return replace(site, catalog=site.catalog.model_copy(update={"deliveries": made, "recipients": people}))


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What those on duty were told."""
    words: list[str] = []
    monkeypatch.setattr("etl.alerts.tell_duty", lambda site, subject, body: words.append(f"{subject} {body}"))
    return words


@pytest.fixture
def issued_site(tmp_path: Path, hotline_url: str, open_for: OpenFor) -> Iterator[Site]:
    with small_world(tmp_path, hotline_url, "clean") as simulation:
        site = with_report(open_for(simulation))
        bring_in(site)
        yield site


def connect_to(monkeypatch: pytest.MonkeyPatch, conn_id: str, **of: Any) -> None:
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(of))


@contextmanager
def object_store() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def issue(site: Site) -> dict[str, bytes]:
    done = issue_table(site, site.catalog.reports["test-month"], None, MONTH, "张三")
    return {file.name: file.read_bytes() for file in done.folder.iterdir()}


def deliveries(site: Site) -> pd.DataFrame:
    return read_view(site, "mart.delivery").sort_values("delivery_id", ignore_index=True)


def read_tree(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_every_kind_of_target_has_the_issued_bytes_once_and_a_receipt(
    issued_site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG, logger="etl")
    share, remote = tmp_path / "share", tmp_path / "remote"
    share.mkdir()
    (remote / "in").mkdir(parents=True)
    sftp = SftpServer(remote, {"province": SECRET}, "127.0.0.1")
    sftp.start()
    with object_store() as url, mail_server() as mail:
        connect_to(monkeypatch, "out_sftp", conn_type="sftp", host="127.0.0.1", port=sftp.port, login="province",
                   password=SECRET, extra={"host_key": sftp.host_key})  # fmt: skip
        connect_to(monkeypatch, "out_s3", conn_type="aws", login="AKIAEXAMPLE", password=SECRET,
                   extra={"endpoint_url": url, "region_name": "us-east-1"})  # fmt: skip
        connect_to(monkeypatch, "out_mail", conn_type="smtp", host="127.0.0.1", port=mail.port, login="pls",
                   password=mail.password,
                   extra={"from_email": "pls@example.org", "disable_ssl": True, "disable_tls": True})  # fmt: skip
        s3 = boto3.client("s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="AKIAEXAMPLE",
                          aws_secret_access_key=SECRET)  # fmt: skip
        s3.create_bucket(Bucket="tables")
        site = delivering(
            issued_site,
            share={"kind": "folder", "path": str(share)},
            server={"kind": "sftp", "conn_id": "out_sftp", "path": "/in"},
            store={"kind": "s3", "conn_id": "out_s3", "bucket": "tables", "prefix": "pls"},
            mailbox={"kind": "email", "conn_id": "out_mail", "to": ["office"]},
        )
        wanted = issue(site)
        done = deliver_tables(site, first_wait_s=0.01)
        assert (done.delivered, done.waiting, done.failed) == (4, (), ())
        assert read_tree(share) == read_tree(remote) == wanted
        keys = [each["Key"] for each in s3.list_objects_v2(Bucket="tables")["Contents"]]
        assert all(key.startswith("pls/test-month/2026-03/") for key in keys)
        stored = {Path(k).name: s3.get_object(Bucket="tables", Key=k)["Body"].read() for k in keys}
        assert stored == wanted
        (message,) = mail.messages
        (attached,) = message.iter_attachments()
        workbook = next(name for name in wanted if name.endswith(".xlsx"))
        assert attached.get_payload(decode=True) == wanted[workbook]
        rows = deliveries(site)
        assert list(rows["state"]) == ["delivered"] * 4
        for receipt in rows["receipt"][:3]:
            assert receipt["read_back"]
            assert {f["name"]: f["sha256"] for f in receipt["files"]} == {
                name: hashlib.sha256(body).hexdigest() for name, body in wanted.items()
            }
        assert rows["receipt"].iloc[3]["message_id"] == message["Message-ID"].strip()
        assert read_view(site, "mart.issued_table")["state"].tolist() == ["delivered"]
        again = deliver_tables(site, first_wait_s=0.01)
        assert again.delivered == 0
        assert len(mail.messages) == 1
    sftp.stop()
    said = caplog.text + rows.astype(str).to_string()
    assert SECRET not in said
    assert mail.password not in said
    assert told == []


def test_a_target_that_is_down_waits_is_told_once_and_gets_it_by_the_next_run(
    issued_site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: list[str]
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
    share, remote = tmp_path / "share", tmp_path / "remote"
    share.mkdir()
    remote.mkdir()
    sftp = SftpServer(remote, {"province": SECRET}, "127.0.0.1")
    of = {"conn_type": "sftp", "host": "127.0.0.1", "login": "province", "password": SECRET,
          "extra": {"host_key": sftp.host_key}}  # fmt: skip
    connect_to(monkeypatch, "out_sftp", **of, port=closed)
    connect_to(monkeypatch, "out_mail", conn_type="smtp", host="127.0.0.1", port=closed, login="pls", password=SECRET,
               extra={"from_email": "pls@example.org", "disable_ssl": True, "disable_tls": True})  # fmt: skip
    site = delivering(
        issued_site,
        server={"kind": "sftp", "conn_id": "out_sftp", "path": "/"},
        mailbox={"kind": "email", "conn_id": "out_mail", "to": ["office"]},
        unmounted={"kind": "folder", "path": str(tmp_path / "nowhere")},
        share={"kind": "folder", "path": str(share)},
    )
    wanted = issue(site)
    for number in (1, 2):
        done = deliver_tables(site, first_wait_s=0.01)
        assert (done.delivered, len(done.waiting), done.failed) == (2 - number, 3, ())
    assert len(told) == 3, "each fault once"
    assert SECRET not in " ".join(told)
    assert read_tree(share) == wanted, "what is down holds nobody up"
    rows = deliveries(site)
    assert list(rows["state"]) == ["waiting", "waiting", "waiting", "delivered"]
    assert list(rows["attempts"][:3]) == [6, 6, 6]
    assert read_view(site, "mart.issued_table")["state"].tolist() == ["approved"]
    sftp.start()
    connect_to(monkeypatch, "out_sftp", **of, port=sftp.port)
    (tmp_path / "nowhere").mkdir()
    done = deliver_tables(site, first_wait_s=0.01)
    assert (done.delivered, len(done.waiting)) == (2, 1)
    assert read_tree(remote) == read_tree(tmp_path / "nowhere") == wanted
    sftp.stop()


def test_what_is_refused_fails_for_good_until_a_person_lets_it_be_tried_again(
    issued_site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: list[str]
) -> None:
    remote = tmp_path / "remote"
    remote.mkdir()
    sftp = SftpServer(remote, {"province": SECRET}, "127.0.0.1")
    sftp.start()
    other = SftpServer(remote, {}, "127.0.0.1")
    of = {"conn_type": "sftp", "host": "127.0.0.1", "port": sftp.port, "login": "province"}
    connect_to(monkeypatch, "wrong", **of, password="wr0ng-password", extra={"host_key": sftp.host_key})
    connect_to(monkeypatch, "stranger", **of, password=SECRET, extra={"host_key": other.host_key})
    connect_to(monkeypatch, "unpinned", **of, password=SECRET)
    site = delivering(
        issued_site,
        **{
            name: {"kind": "sftp", "conn_id": name, "path": "/"} for name in ("wrong", "stranger", "unpinned")
        },
    )
    issue(site)
    done = deliver_tables(site, first_wait_s=0.01)
    assert (done.delivered, done.waiting, len(done.failed)) == (0, (), 3)
    assert read_tree(remote) == {}
    assert len(told) == 3
    assert list(deliveries(site)["attempts"]) == [1, 1, 1]
    assert read_view(site, "mart.issued_table")["state"].tolist() == ["failed"]
    assert deliver_tables(site, first_wait_s=0.01).failed == (), "not tried again by itself"
    sftp.stop()


def test_a_delivery_that_was_broken_off_goes_on_and_changed_files_are_not_delivered(
    issued_site: Site, tmp_path: Path, told: list[str]
) -> None:
    share = tmp_path / "share"
    share.mkdir()
    site = delivering(issued_site, share={"kind": "folder", "path": str(share)})
    wanted = issue(site)
    folder = next((site.settings.home / "reports" / "issued").rglob("manifest.json")).parent
    place = share / folder.relative_to(site.settings.home / "reports" / "issued")
    place.mkdir(parents=True)
    name = sorted(wanted)[0]
    (place / name).write_bytes(b"half")
    kept = shutil.copytree(folder, tmp_path / "kept")
    (folder / name).unlink()
    assert len(deliver_tables(site, first_wait_s=0.01).failed) == 1
    shutil.copy(kept / name, folder / name)
    with site.engine.begin() as conn:
        conn.exec_driver_sql("UPDATE mart.delivery SET state = 'waiting'")
        conn.exec_driver_sql("UPDATE mart.issue SET state = 'approved'")
    assert deliver_tables(site, first_wait_s=0.01).delivered == 1
    assert read_tree(share) == wanted


def test_a_workbook_that_is_too_large_stays_where_it_lies(
    issued_site: Site, monkeypatch: pytest.MonkeyPatch, told: list[str]
) -> None:
    with mail_server() as mail:
        connect_to(monkeypatch, "out_mail", conn_type="smtp", host="127.0.0.1", port=mail.port, login="pls",
                   password=mail.password,
                   extra={"from_email": "pls@example.org", "disable_ssl": True, "disable_tls": True})  # fmt: skip
        site = delivering(issued_site, mailbox={"kind": "email", "conn_id": "out_mail", "to": ["office"]})
        small = site.catalog.deliveries["mailbox"].model_copy(update={"largest_mb": 0})
        site = replace(site, catalog=site.catalog.model_copy(update={"deliveries": {"mailbox": small}}))
        issue(site)
        assert deliver_tables(site, first_wait_s=0.01).delivered == 1
        (message,) = mail.messages
        assert list(message.iter_attachments()) == []
        assert "未附" in message.get_body().get_content()  # type: ignore[union-attr]


def test_a_mail_goes_to_those_whose_table_it_is(
    issued_site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: list[str]
) -> None:
    share = tmp_path / "share"
    share.mkdir()
    where = {"office": None, "province": "370000000000", "county": COUNTY, "other": "371311000000"}
    with mail_server() as mail:
        connect_to(monkeypatch, "out_mail", conn_type="smtp", host="127.0.0.1", port=mail.port, login="pls",
                   password=mail.password,
                   extra={"from_email": "pls@example.org", "disable_ssl": True, "disable_tls": True})  # fmt: skip
        site = delivering(
            with_report(issued_site, recipients=tuple(where)),
            share={"kind": "folder", "path": str(share)},
            people={"kind": "email", "conn_id": "out_mail"},
            leaders={"kind": "email", "conn_id": "out_mail", "to": ["province"]},
        )
        people = {
            name: Recipient(id=name, name=name, division=code, email=f"{name}@example.org")
            for name, code in where.items()
        }
        report = site.catalog.reports["test-month"].model_copy(update={"recipients": tuple(where)})
        update = {"recipients": people, "reports": {report.id: report}}
        site = replace(site, catalog=site.catalog.model_copy(update=update))
        for division in (None, COUNTY):
            issue_table(site, report, division, MONTH, "张三")
        done = deliver_tables(site, first_wait_s=0.01)
        # The county's table is for nobody of the leaders: nothing is planned there, and nothing fails.
        assert (done.delivered, done.waiting, done.failed) == (5, (), ())
        sent = {each["Subject"]: sorted(each["To"].split(", ")) for each in mail.messages}
        whole, part = sorted(sent, key=lambda subject: "兰山" in subject)
        assert sorted(len(each["To"].split(", ")) for each in mail.messages) == [1, 1, 2]
        assert sent[part] == ["county@example.org"]
        assert {
            to for each in mail.messages if each["Subject"] == whole for to in each["To"].split(", ")
        } == {
            "office@example.org",
            "province@example.org",
        }
        assert len(list(share.rglob("manifest.json"))) == 2
        assert set(read_view(site, "mart.issued_table")["state"]) == {"delivered"}


@pytest.mark.parametrize("path", ["in", "/in/../../etc", "../in"])
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(ValidationError, match="path"):
        targets(share={"kind": "folder", "path": path})
