"""What befalls the pipeline is told to those on duty at once, by the first channel that takes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from etl import alerts, tasks
from etl.alerts import notice
from etl.alerts.message import ChannelFailed, Message
from etl.catalog.models import Recipient
from etl.site import Site
from simulator.simulation import Simulation
from tests.integration.test_pipeline_truth import small_world

pytestmark = pytest.mark.integration
NIGHT = datetime(2026, 3, 3, 15, tzinfo=UTC)  # 23:00 in Shanghai: quiet hours
ON_DUTY = {
    "first": Recipient(id="first", name="甲", email="a@example.org", webhook="https://example.org/x"),
    "second": Recipient(id="second", name="乙", email="b@example.org"),
}


@pytest.fixture
def site(tmp_path: Path, hotline_url: str, open_for: Callable[[Simulation], Site]) -> Site:
    with small_world(tmp_path, hotline_url, "clean") as simulation:
        site = open_for(simulation)
    delivery = site.catalog.delivery().model_copy(update={"duty": tuple(ON_DUTY)})
    catalog = site.catalog.model_copy(
        update={
            "recipients": dict(ON_DUTY),
            "alerts": site.catalog.alerts | {delivery.code: delivery},
        }
    )
    return replace(site, catalog=catalog, clock=lambda: NIGHT)


def test_everybody_on_duty_is_told_once_by_the_first_channel_that_takes_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, str, str]] = []

    def deliver(site: Site, recipient: Recipient, channel: str, message: Message, moment: datetime) -> None:
        if (recipient.id, channel) == ("first", "email"):
            raise ChannelFailed("邮件服务器无应答", is_final=False)
        sent.append((recipient.id, channel, message.text(1_000)))

    monkeypatch.setattr(notice, "deliver", deliver)
    assert alerts.tell_duty(site, "daily_statistics 2026-03-02 运行失败", "未取得：county-371302") == [
        "first", "second",
    ]  # fmt: skip
    assert sent == [
        ("first", "webhook", "未取得：county-371302"),
        ("second", "email", "未取得：county-371302"),
    ], "at night too, without a number of the outbox"


def test_nobody_on_duty_is_said_in_the_log(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    delivery = site.catalog.delivery().model_copy(update={"duty": ()})
    catalog = site.catalog.model_copy(update={"alerts": site.catalog.alerts | {delivery.code: delivery}})
    assert alerts.tell_duty(replace(site, catalog=catalog), "运行失败", "原因") == []
    assert "nobody on duty was reached: 运行失败: 原因" in caplog.text


def test_a_run_that_failed_is_told_with_what_it_could_not_bring_in(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with site.engine.begin() as conn:
        conn.execute(
            sa.text(
                "INSERT INTO landing.pull (run_key, platform_id, kind, stat_date, started_at, finished_at, outcome,"
                " message)"
                " SELECT 'run-1', platform_id, 'day', :day, now(), now(), 'failed', '连接超时' FROM core.platform"
                " WHERE platform = 'county-371302'"
            ),
            {"day": date(2026, 3, 2)},
        )
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(alerts, "tell_duty", lambda site, subject, body: told.append((subject, body)))
    tasks.tell_of_run("运行失败", "daily_statistics", "run-1", "2026-03-02")
    ((subject, body),) = told
    assert subject == "daily_statistics 2026-03-02 运行失败"
    assert body.startswith("运行：run-1\n未取得：county-371302")
    assert "连接超时" in body


def test_a_silent_watch_and_a_calendar_that_ends_are_found_out(site: Site) -> None:
    assert alerts.find_faults(site.engine, site.catalog, NIGHT) == [], "nothing was ever due"
    with site.engine.begin() as conn:
        conn.execute(
            sa.text(
                "INSERT INTO quality.alert_round (dataset, stat_date, round, round_at, last_run_at, is_done,"
                " units_missing, units_out, units_waiting)"
                " VALUES ('daily', '2026-03-02', 'due', :at, :at, true, 0, 0, 0)"
            ),
            {"at": NIGHT - timedelta(hours=25)},
        )
    assert alerts.find_faults(site.engine, site.catalog, NIGHT) == []
    (silent,) = alerts.find_faults(site.engine, site.catalog, NIGHT + timedelta(hours=2))
    assert "自 2026-03-02 22:00 起没有运行" in silent
    in_november = datetime(2026, 11, 3, 3, tzinfo=UTC)
    faults = alerts.find_faults(site.engine, site.catalog, in_november)
    assert len(faults) == 2
    assert "只到 2026-12-31" in faults[1]
