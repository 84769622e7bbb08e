"""The commands of the alerts: run and send, list, take note, try again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from etl import clock
from etl.cli import main
from etl.warehouse import ServerAddress
from tests.alert_receivers import Receiver, http_receiver
from tests.integration.alerts_site import FRIDAY, AlertsSite, alerts_site, at

EVENING = at("03-06T18:30")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http_receiver(EVENING) as made:
        yield made


@pytest.fixture
def alerts(
    server: ServerAddress, tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> Iterator[AlertsSite]:
    catalog = tmp_path / "catalog"
    catalog.mkdir()
    with alerts_site(server, catalog, channel={"webhook": f"{receiver.address}/hook"}) as made:
        made.expect()
        made.asked(EVENING)
        url = made.divisions.engine.url.render_as_string(hide_password=False)
        monkeypatch.setenv("PLS_WAREHOUSE", url)
        monkeypatch.setenv("PLS_CATALOG", str(catalog))
        monkeypatch.setenv("PLS_HOME", str(tmp_path / "home"))
        yield made


def run(*words: str, status: int = 0) -> Any:
    result = CliRunner().invoke(main, ["alerts", *words, "--json"])
    assert result.exit_code == status, result.output
    return json.loads(result.stdout)


def set_clock(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    """What a site's clock says from now on: its field's default was bound when it was defined."""
    from etl.site import Site

    monkeypatch.setattr(clock, "utc_now", lambda: moment)
    monkeypatch.setitem(Site.__init__.__globals__, "utc_now", lambda: moment)
    defaults = list(Site.__init__.__defaults__ or ())
    monkeypatch.setattr(Site.__init__, "__defaults__", (*defaults[:-1], lambda: moment))


def test_send_runs_what_is_due_and_list_shows_it_and_ack_takes_note(
    alerts: AlertsSite, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, EVENING)
    first = run("send")
    assert (first["rounds"]["digests"], first["sent"], first["failed"]) == (3, 3, 0)
    assert run("send")["sent"] == 0
    rows = run("list", "--date", FRIDAY.isoformat(), "--state", "sent")
    assert {row["recipient"] for row in rows} == {"county-371302", "town-1", "town-2"}
    (mine,) = run("list", "--recipient", "county-371302")
    done = run("ack", str(mine["alert_id"]), "--by", "张三")
    assert (done["recipient"], done["by"]) == ("county-371302", "张三")
    (mine,) = run("list", "--state", "acknowledged")
    assert mine["acknowledged_by"] == "张三"
    assert len(receiver.documents) == 3


def test_what_failed_for_good_ends_with_1_and_is_tried_again_by_number(
    alerts: AlertsSite, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, EVENING)
    receiver.answers.extend([(404, {}, b"")] * 3)
    assert run("send", status=1)["failed"] == 3
    failed = run("list", "--state", "failed")
    assert {row["last_error"] for row in failed} == {"webhook：HTTP 404"}
    words = [word for row in failed for word in ("--again", str(row["alert_id"]))]
    again = run("send", *words)
    assert (len(again["repeated"]), again["sent"]) == (3, 3)


def test_a_number_that_is_not_there_is_refused_in_words(alerts: AlertsSite) -> None:
    result = CliRunner().invoke(main, ["alerts", "ack", "77", "--by", "张三"])
    assert result.exit_code == 2
    assert "No alert 77" in result.output


def test_the_tasks_of_the_dag_do_the_same(
    alerts: AlertsSite, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    from etl import tasks
    from etl.failures import AlertsFailed

    set_clock(monkeypatch, EVENING)
    assert tasks.run_rounds()["digests"] == 3
    assert tasks.run_rounds()["digests"] == 0
    receiver.answers.append((404, {}, b""))
    with pytest.raises(AlertsFailed, match="1 alert"):
        tasks.send_alerts()
    assert len(receiver.documents) == 2
    assert tasks.send_alerts() == {"sent": 0, "postponed": 0, "failed": 0}
