"""kill -9 in the middle of a round: what was not marked is sent again, and all is recorded once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from etl.alerts import run_rounds, send_alerts
from etl.warehouse import ServerAddress
from tests.alert_receivers import http_receiver
from tests.integration.alerts_site import COUNTY, OTHER, TOWN, AlertsSite, alerts_site, at

EVENING = at("03-06T18:30")


def send_and_die(alerts: AlertsSite, folder: Path, times: int) -> None:
    url = alerts.divisions.engine.url.render_as_string(hide_password=False)
    killed = subprocess.run(
        [sys.executable, "-m", "tests.integration.killed_sender", str(times), EVENING.isoformat()],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PLS_WAREHOUSE": url, "PLS_CATALOG": str(folder), "PLS_HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr


@pytest.mark.parametrize("times", [1, 7])
def test_a_sender_killed_in_mid_round_repeats_at_most_the_one_it_held(
    times: int, server: ServerAddress, tmp_path: Path
) -> None:
    catalog, home = tmp_path / "catalog", tmp_path / "home"
    catalog.mkdir()
    home.mkdir()
    contacts = {
        f"{name}-{n}": {"name": f"{name}{n}", "division": code}
        for code, name in ((TOWN, "town"), (OTHER, "other"), (COUNTY, "county"))
        for n in range(4)
    } | {"city-operator": {"name": "运维"}, "county-operator": {"name": "运维"}}
    with (
        http_receiver(EVENING) as receiver,
        alerts_site(server, catalog, contacts, {"webhook": f"{receiver.address}/hook"}) as alerts,
    ):
        alerts.expect()
        alerts.asked(EVENING)
        alerts.now = EVENING
        assert run_rounds(alerts.site.engine, alerts.site.catalog, EVENING).digests == 12
        send_and_die(alerts, catalog, times)
        assert len(alerts.alerts(state="sent")) == times - 1
        assert len(receiver.documents) == times
        assert send_alerts(alerts.site).sent == 12 - (times - 1)
        assert len(alerts.alerts(state="sent")) == 12
        arrived = Counter(each["alert_id"] for each in receiver.documents)
        assert len(arrived) == 12
        assert sorted(arrived.values()) == [1] * 11 + [2]
        marked = alerts.rows("SELECT alert_id FROM quality.alert_attempt WHERE outcome = 'sent'")
        assert len({row["alert_id"] for row in marked}) == len(marked) == 12
        assert send_alerts(alerts.site).sent == 0
