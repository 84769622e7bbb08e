"""The ladder on a warehouse, by a clock that the test sets: who is told what and when, once, and what stops it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from etl.alerts import acknowledge, name_missing, run_rounds, send_alerts, try_again
from etl.alerts.acknowledgement import AlertUnknown, acknowledge_by_link
from etl.alerts.link import TokenRefused
from etl.connections import Connection
from etl.portal.app import create_app
from etl.portal.sign_in import Doors
from etl.warehouse import ServerAddress
from tests.alert_receivers import SECRET, TOKEN, Receiver, http_receiver
from tests.integration.alerts_site import (
    CONTACTS,
    COUNTY,
    FRIDAY,
    OTHER,
    TOWN,
    VILLAGES,
    AlertsSite,
    alerts_site,
    at,
    with_delivery,
)

EVENING, MORNING = at("03-06T18:30"), at("03-09T10:30")
"""Looks after the due time of Friday, and after the cut-off of the units that report on working days, on Monday."""
SATURDAY = at("03-07T10:30")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http_receiver(EVENING) as made:
        yield made


@pytest.fixture
def alerts(server: ServerAddress, tmp_path: Path, receiver: Receiver) -> Iterator[AlertsSite]:
    with alerts_site(server, tmp_path, channel={"webhook": f"{receiver.address}/hook"}) as made:
        made.expect()
        yield made


def test_a_whole_ladder_over_a_weekend_tells_each_level_once(alerts: AlertsSite) -> None:
    alerts.watch(EVENING)
    assert alerts.told() == {
        ("due", "county-371302", (COUNTY,)),
        ("due", "town-1", (TOWN, *VILLAGES[:2])),
        ("due", "town-2", (OTHER, *VILLAGES[2:])),
    }
    alerts.watch(SATURDAY)
    assert alerts.told(round="county_centre") == {("county_centre", "province", (COUNTY,))}
    alerts.watch(at("03-08T10:30"))
    alerts.watch(MORNING)
    assert alerts.told(round="cutoff") == {
        ("cutoff", "town-1", (TOWN, *VILLAGES[:2])),
        ("cutoff", "town-2", (OTHER, *VILLAGES[2:])),
    }
    # Saturday's cut-off of the county centre and one working day: Monday. Its own county is told again, as missing.
    assert alerts.told(round="workday_1") == {("workday_1", "county-371302", (COUNTY,))}
    alerts.watch(at("03-10T10:30"))
    both = (TOWN, *VILLAGES[:2], OTHER, *VILLAGES[2:])
    assert alerts.told(round="workday_1") == {
        ("workday_1", "county-371302", (COUNTY,)),
        ("workday_1", "county-371302", tuple(sorted(both))),
    }
    assert alerts.told(round="workday_2") == {("workday_2", "city", (COUNTY,))}
    alerts.watch(at("03-11T10:30"))
    alerts.watch(at("03-12T10:30"))
    assert alerts.told(round="workday_3") == {("workday_3", "province", tuple(sorted(both)))}
    written = alerts.alerts()
    assert {each["state"] for each in written} == {"sent"}
    for moment in ("03-12T11:00", "03-13T10:30", "03-20T10:30"):
        assert alerts.watch(at(moment))[0].digests == 0
    assert alerts.alerts() == written
    assert len(written) == 11


def test_a_rung_waits_until_every_platform_has_been_asked_since_its_moment(alerts: AlertsSite) -> None:
    alerts.asked(at("03-06T17:59"))
    ran, _ = alerts.watch(at("03-06T18:05"), asked=False)
    assert (ran.digests, ran.units_waiting) == (0, 7)
    alerts.asked(at("03-06T18:20"), "done", "county", "town")
    ran, _ = alerts.watch(EVENING, asked=False)
    assert (ran.digests, ran.units_waiting) == (3, 4)
    assert alerts.told() == {
        ("due", "county-371302", (COUNTY,)),
        ("due", "town-1", (TOWN,)),
        ("due", "town-2", (OTHER,)),
    }


def test_a_rung_waits_until_what_was_brought_is_loaded(alerts: AlertsSite) -> None:
    gated = (
        "INSERT INTO landing.batch (platform_id, dataset, stat_date, source_name, sha256, pulled_at, state)"
        " SELECT platform_id, 'daily', :day, 'x', repeat('a', 64), :at, 'gated' FROM core.platform"
        " WHERE platform = 'village'"
    )
    with alerts.divisions.engine.begin() as conn:
        conn.execute(sa.text(gated), {"day": FRIDAY, "at": EVENING})
    assert alerts.watch(EVENING)[0].units_waiting == 4
    assert not {code for _, _, codes in alerts.told() for code in codes} & set(VILLAGES)
    with alerts.divisions.engine.begin() as conn:
        conn.execute(sa.text("UPDATE landing.batch SET state = 'loaded'"))
    assert alerts.watch(at("03-06T19:00"))[0].units_waiting == 0


def test_who_has_reported_or_is_not_expected_is_left_in_peace(alerts: AlertsSite) -> None:
    for unit in (COUNTY, TOWN, OTHER, *VILLAGES[:3]):
        alerts.report(unit, at("03-06T17:00"))
    sunday = date(2026, 3, 8)
    alerts.expect(sunday)
    alerts.report(COUNTY, at("03-08T12:00"), sunday)
    alerts.watch(EVENING)
    alerts.watch(at("03-08T18:30"))
    assert alerts.told() == {("due", "town-2", (VILLAGES[3],))}


def test_a_withdrawn_submission_is_none(alerts: AlertsSite) -> None:
    for unit in (COUNTY, TOWN, OTHER, *VILLAGES):
        alerts.report(unit, at("03-06T17:00"))
    alerts.divisions.send(VILLAGES[0], FRIDAY, at("03-06T17:30"), None, platform="village", revision=2)
    alerts.watch(EVENING)
    assert alerts.told() == {("due", "town-1", (VILLAGES[0],))}


def test_what_came_and_is_held_back_is_marked_in_the_list(alerts: AlertsSite, receiver: Receiver) -> None:
    held = (
        "WITH batch AS (INSERT INTO landing.batch (platform_id, dataset, stat_date, source_name, sha256, pulled_at,"
        " state) SELECT platform_id, 'daily', :day, 'x', repeat('a', 64), :at, 'loaded' FROM core.platform"
        " WHERE platform = 'village' RETURNING batch_id)"
        " INSERT INTO quality.quarantine (batch_id, row_number, place, unit_code, stat_date, reason_code, reason,"
        " reason_en, raw) SELECT batch_id, 1, '', :unit, :day, 'value', '', '', '{}' FROM batch"
    )
    with alerts.divisions.engine.begin() as conn:
        conn.execute(sa.text(held), {"day": FRIDAY, "at": EVENING, "unit": VILLAGES[0]})
    alerts.watch(EVENING)
    (document,) = [each for each in receiver.documents if VILLAGES[0] in each["codes"]]
    assert document["text"].count("已报送但全部被退回") == 1
    assert f"甲村委会（兰山街道，{VILLAGES[0]}，已报送但全部被退回）" in document["text"]


def test_the_units_missing_yesterday_are_named_the_same_morning(alerts: AlertsSite) -> None:
    tuesday = date(2026, 3, 3)
    alerts.expect(tuesday)
    alerts.watch(at("03-04T10:30"))
    found = alerts.alerts(round="cutoff", stat_date=tuesday)
    assert {each["recipient"] for each in found} == {"town-1", "town-2"}
    assert {code for each in found for code in each["unit_codes"]} == {TOWN, OTHER, *VILLAGES}
    assert all(at("03-04T10:00") <= each["sent_at"] < at("03-04T11:00") for each in found)


def test_the_mornings_list_names_them_for_whoever_is_on_duty(alerts: AlertsSite) -> None:
    tuesday = date(2026, 3, 3)
    alerts.expect(tuesday)
    for unit in (OTHER, *VILLAGES[1:]):
        alerts.report(unit, at("03-03T17:00"), tuesday)

    def named(moment: str) -> list[str]:
        return name_missing(alerts.site.engine, alerts.site.catalog, at(moment))

    assert named("03-04T09:59") == []
    (text,) = named("03-04T10:30")
    assert text.splitlines() == [
        "2026-03-03日报：缺报3个单位（县级中心1个、乡镇（街道）工作站1个、村（社区）工作室1个）",
        f"· 兰山区（{COUNTY}）",
        f"· 兰山街道（兰山区，{TOWN}）",
        f"· 甲村委会（兰山街道，{VILLAGES[0]}）",
    ]
    for unit in (COUNTY, TOWN, VILLAGES[0]):
        alerts.report(unit, at("03-04T11:00"), tuesday)
    assert named("03-04T11:30") == ["2026-03-03日报：无缺报"]
    assert named("03-05T10:30") == []


def test_those_on_duty_get_all_that_is_missing_at_the_cut_off(alerts: AlertsSite) -> None:
    with_delivery(alerts, duty=("city-operator",))
    alerts.watch(MORNING)
    assert (
        "duty",
        "city-operator",
        (TOWN, *VILLAGES[:2], OTHER, *VILLAGES[2:]),
    ) in {(a, b, tuple(c)) for a, b, c in alerts.told(round="duty")}


def test_month_end_figures_have_a_ladder_of_their_own(alerts: AlertsSite) -> None:
    month_end = date(2026, 2, 28)
    alerts.expect(month_end, "stocks")
    # Due on the fifth working day of March, a Friday, cut off on the sixth.
    assert alerts.watch(EVENING)[0].digests == 3, "nobody has been asked for month-end figures"
    alerts.asked_for_stocks(EVENING, month_end)
    assert alerts.watch(EVENING)[0].digests == 3
    found = alerts.alerts(dataset="stocks")
    assert {each["recipient"] for each in found} == {"county-371302", "town-1", "town-2"}
    assert "2026年2月月末存量数据" in found[0]["subject"]


def test_a_missing_contact_is_visible_and_the_next_above_is_told(
    server: ServerAddress, tmp_path: Path, receiver: Receiver
) -> None:
    few = {name: keys for name, keys in CONTACTS.items() if name not in ("town-1", "county-371302")}
    with alerts_site(server, tmp_path, few, {"webhook": f"{receiver.address}/hook"}) as alerts:
        alerts.expect()
        alerts.watch(EVENING)
        assert ("due", "city", (COUNTY, TOWN, *VILLAGES[:2])) in alerts.told()
        gaps = alerts.rows("SELECT division_code, told_instead FROM mart.contact_gap ORDER BY division_code")
        assert [(row["division_code"], row["told_instead"]) for row in gaps] == [
            (COUNTY, "city"),
            (TOWN, "city"),
            *[(code, "city") for code in VILLAGES[:2]],
            *[(code, "town-2") for code in VILLAGES[2:]],
        ]


def test_where_nobody_is_declared_the_alert_is_there_and_says_so(
    server: ServerAddress, tmp_path: Path
) -> None:
    operators = {name: keys for name, keys in CONTACTS.items() if "operator" in name}
    with alerts_site(server, tmp_path, operators) as alerts:
        alerts.expect()
        for _ in range(2):
            alerts.watch(EVENING)
        (found,) = alerts.alerts()
        assert found["state"] == "no_contact"
        assert found["recipient"] is None
        assert len(found["unit_codes"]) == 7


# --- once -----------------------------------------------------------------------------------------------------


def test_two_schedulers_at_once_write_and_send_each_digest_once(
    alerts: AlertsSite, receiver: Receiver
) -> None:
    alerts.asked(EVENING)
    alerts.now = EVENING
    site = alerts.site
    with ThreadPoolExecutor(4) as pool:
        ran = list(pool.map(lambda _: run_rounds(site.engine, site.catalog, EVENING), range(4)))
        sent = list(pool.map(lambda _: send_alerts(site), range(4)))
    assert sum(each.digests for each in ran) == 3
    assert sum(each.sent for each in sent) == 3
    assert sorted(each["alert_id"] for each in receiver.documents) == [
        each["alert_id"] for each in alerts.alerts()
    ]


def test_a_second_digest_of_a_round_to_a_recipient_is_not_written(alerts: AlertsSite) -> None:
    alerts.asked(at("03-06T18:20"), "done", "town")
    alerts.watch(EVENING, asked=False)
    alerts.watch(at("03-06T19:00"))
    found = alerts.told()
    assert ("due", "town-1", (TOWN,)) in found
    assert not [each for each in found if each[1] == "town-1" and each[2] != (TOWN,)]
    # The villages are not lost: the cut-off tells of them.
    alerts.watch(MORNING)
    assert ("cutoff", "town-1", (TOWN, *VILLAGES[:2])) in alerts.told()


# --- outage ---------------------------------------------------------------------------------------------------


def test_an_outage_tells_its_operator_once_and_no_unit_and_ends_with_an_all_clear(
    alerts: AlertsSite,
) -> None:
    for unit in (COUNTY, TOWN, OTHER):
        alerts.report(unit, at("03-06T17:00"))
    alerts.asked(at("03-06T18:20"))
    alerts.asked(at("03-06T18:25"), "failed", "village")
    alerts.watch(EVENING, asked=False)
    (found,) = alerts.alerts()
    assert (found["recipient"], found["reason"], found["level"]) == ("city-operator", "outage", "operator")
    assert found["platforms"] == ["village"]
    assert found["unit_codes"] == []
    # It lasts until Monday: nothing more is said.
    for moment in ("03-06T19:30", "03-07T10:30", "03-09T10:30"):
        alerts.asked(at(moment))
        alerts.asked(at(moment), "failed", "village")
        alerts.watch(at(moment), asked=False)
    assert len(alerts.alerts()) == 1
    # It answers again, and the villages had indeed not reported.
    alerts.watch(at("03-09T11:30"))
    assert {(each["recipient"], each["reason"]) for each in alerts.alerts()} == {
        ("city-operator", "outage"),
        ("city-operator", "recovered"),
        ("town-1", "missing"),
        ("town-2", "missing"),
    }


def test_two_platforms_of_one_operator_out_are_one_message(alerts: AlertsSite) -> None:
    alerts.asked(at("03-06T18:20"))
    alerts.asked(at("03-06T18:25"), "failed", "village", "town")
    alerts.watch(EVENING, asked=False)
    assert [each["platforms"] for each in alerts.alerts(reason="outage")] == [["town", "village"]]
    assert alerts.told(reason="not_received") == {("due", "county-371302", (COUNTY,))}


def test_one_bad_file_among_many_is_no_outage(alerts: AlertsSite) -> None:
    alerts.asked(at("03-06T18:20"))
    rejected = (
        "INSERT INTO landing.pull (run_key, platform_id, kind, since, started_at, finished_at, outcome)"
        " SELECT 'bad', platform_id, 'since', :at, :at, :at, 'rejected' FROM core.platform"
        " WHERE platform = 'village' RETURNING 1"
    )
    with alerts.divisions.engine.begin() as conn:
        conn.execute(sa.text(rejected), {"at": at("03-06T18:25")})
    alerts.watch(EVENING, asked=False)
    assert alerts.alerts(reason="outage") == []
    assert ("due", "town-1", (TOWN, *VILLAGES[:2])) in alerts.told()


# --- arrivals -------------------------------------------------------------------------------------------------


def test_an_arrival_is_told_to_everybody_who_was_alerted(alerts: AlertsSite) -> None:
    alerts.watch(EVENING)
    alerts.watch(SATURDAY)
    alerts.report(COUNTY, at("03-07T11:00"))
    ran, sent = alerts.watch(at("03-07T11:30"))
    assert (ran.all_clears, sent.sent) == (2, 2)
    assert alerts.told(reason="cleared") == {
        ("all_clear", "county-371302", (COUNTY,)),
        ("all_clear", "province", (COUNTY,)),
    }
    assert alerts.watch(at("03-07T12:30"))[0].all_clears == 0
    assert [each["subjects_open"] for each in alerts.alerts(recipient="province")] == [0, 0]


def test_all_clears_come_at_most_once_between_two_declared_hours(alerts: AlertsSite) -> None:
    alerts.watch(EVENING)
    alerts.report(VILLAGES[0], at("03-06T18:40"))
    alerts.watch(at("03-06T19:00"))
    alerts.report(VILLAGES[1], at("03-06T19:10"))
    alerts.watch(at("03-06T19:30"))
    assert alerts.told(reason="cleared") == {("all_clear", "town-1", (VILLAGES[0],))}
    alerts.watch(at("03-07T07:30"))
    assert alerts.told(reason="cleared") == {
        ("all_clear", "town-1", (VILLAGES[0],)),
        ("all_clear", "town-1", (VILLAGES[1],)),
    }


def test_a_digest_that_was_not_sent_before_all_arrived_is_moot(
    alerts: AlertsSite, receiver: Receiver
) -> None:
    with_delivery(alerts, quiet_from=at("03-06T18:00").time())
    alerts.watch(EVENING)
    assert {each["state"] for each in alerts.alerts()} == {"pending"}
    for unit in (TOWN, *VILLAGES[:2], VILLAGES[2]):
        alerts.report(unit, at("03-06T20:00"))
    alerts.watch(at("03-07T07:30"))
    assert {(each["recipient"], each["state"]) for each in alerts.alerts(reason="not_received")} == {
        ("county-371302", "sent"),
        ("town-1", "moot"),
        ("town-2", "sent"),
    }
    assert {each["alert_id"] for each in receiver.documents} == {
        each["alert_id"] for each in alerts.alerts() if each["state"] == "sent"
    }
    # What arrived before the message went out is said to have arrived with the next all-clear.
    alerts.watch(at("03-07T12:00"))
    assert alerts.told(reason="cleared") == {("all_clear", "town-2", (VILLAGES[2],))}


# --- quiet hours, failures, channels --------------------------------------------------------------------------


def test_quiet_hours_delay_and_never_drop(alerts: AlertsSite, receiver: Receiver) -> None:
    with_delivery(alerts, quiet_from=at("03-06T18:00").time())
    _, sent = alerts.watch(EVENING)
    assert sent.sent == 0
    assert alerts.watch(at("03-07T07:29"), asked=False)[1].sent == 0
    assert receiver.requests == 0
    assert alerts.watch(at("03-07T07:30"), asked=False)[1].sent == 3


def test_what_a_standstill_left_over_waits_through_the_night_too(
    alerts: AlertsSite, receiver: Receiver
) -> None:
    alerts.asked(EVENING)
    run_rounds(alerts.site.engine, alerts.site.catalog, EVENING)
    alerts.now = at("03-06T23:00")
    assert send_alerts(alerts.site).sent == 0
    alerts.now = at("03-07T07:30")
    assert send_alerts(alerts.site).sent == 3
    assert receiver.requests == 3


def test_a_failed_channel_is_tried_again_with_growing_pauses_then_the_next_one(
    server: ServerAddress, tmp_path: Path, receiver: Receiver
) -> None:
    contacts = {"town-1": {**CONTACTS["town-1"], "robot": "wecom", "robot_conn_id": "pls_robot"}}
    operators = {name: keys for name, keys in CONTACTS.items() if "operator" in name}
    channel = {"webhook": f"{receiver.address}/hook"}
    with alerts_site(server, tmp_path, contacts | operators, channel) as alerts:
        alerts.expect()
        for unit in (COUNTY, OTHER, *VILLAGES):
            alerts.report(unit, at("03-06T12:00"))
        alerts.connections["pls_robot"] = Connection("pls_robot", "http", receiver.address, password=TOKEN)
        receiver.answers.extend([(503, {}, b"")] * 3)
        seen = []
        for minutes in (0, 4, 5, 14, 15):
            alerts.watch(EVENING + timedelta(minutes=minutes), asked=minutes == 0)
            (found,) = alerts.alerts()
            seen.append((minutes, receiver.requests, found["state"], found["channel"]))
        assert seen == [
            (0, 1, "pending", "robot"),
            (4, 1, "pending", "robot"),
            (5, 2, "pending", "robot"),
            (14, 2, "pending", "robot"),
            (15, 4, "sent", "webhook"),
        ]
        tries = alerts.rows("SELECT channel, outcome, error FROM quality.alert_attempt ORDER BY attempt_id")
        assert [(each["channel"], each["outcome"], each["error"]) for each in tries] == [
            *[("robot", "failed", "HTTP 503")] * 3,
            ("webhook", "sent", ""),
        ]


def test_the_wait_that_a_receiver_asks_for_is_kept(alerts: AlertsSite, receiver: Receiver) -> None:
    for unit in (TOWN, OTHER, *VILLAGES):
        alerts.report(unit, at("03-06T12:00"))
    receiver.answers.append((429, {"Retry-After": "1200"}, b""))
    alerts.watch(EVENING)
    (found,) = alerts.alerts()
    assert found["not_before"] == EVENING + timedelta(minutes=20)


def test_a_refusal_goes_to_the_next_channel_at_once_and_the_end_is_visible_without_secrets(
    server: ServerAddress, tmp_path: Path, receiver: Receiver
) -> None:
    contacts = {
        "county-371302": {**CONTACTS["county-371302"], "robot": "dingtalk", "robot_conn_id": "pls_robot"}
    }
    operators = {name: keys for name, keys in CONTACTS.items() if "operator" in name}
    with alerts_site(
        server, tmp_path, contacts | operators, {"webhook": f"{receiver.address}/nowhere"}
    ) as alerts:
        alerts.expect()
        for unit in (TOWN, OTHER, *VILLAGES):
            alerts.report(unit, at("03-06T12:00"))
        alerts.connections["pls_robot"] = Connection(
            "pls_robot", "http", receiver.address, password=TOKEN, extra={"secret": "SECwrong-secret"}
        )
        _, sent = alerts.watch(EVENING)
        assert (sent.sent, sent.failed) == (0, 1)
        (found,) = alerts.alerts()
        assert (found["state"], found["last_error"]) == ("failed", "webhook：HTTP 404")
        tries = alerts.rows("SELECT channel, error FROM quality.alert_attempt ORDER BY attempt_id")
        assert [each["channel"] for each in tries] == ["robot", "webhook"]
        assert "sign not match" in tries[0]["error"]
        for secret in (TOKEN, "SECwrong-secret", "nowhere"):
            assert secret not in str(tries) + str(found)
        # Mended and tried again by hand, it arrives by the first channel.
        alerts.connections["pls_robot"] = Connection(
            "pls_robot", "http", receiver.address, password=TOKEN, extra={"secret": SECRET}
        )
        assert try_again(alerts.site.engine, [found["alert_id"]], EVENING) == [found["alert_id"]]
        assert send_alerts(alerts.site).sent == 1
        assert receiver.received[0][0] == "dingtalk"


def test_a_connection_that_is_not_there_is_named(
    server: ServerAddress, tmp_path: Path, receiver: Receiver
) -> None:
    with alerts_site(server, tmp_path, channel={"email": "a@example.org"}) as alerts:
        alerts.expect()
        alerts.watch(EVENING)
        found = alerts.alerts()
        assert {each["state"] for each in found} == {"failed"}
        assert "未配置连接 pls_mail" in found[0]["last_error"]


def test_a_channel_that_keeps_failing_is_left_alone_for_the_rest_of_a_run(
    server: ServerAddress, tmp_path: Path, receiver: Receiver
) -> None:
    many = {f"town-{n}": {"name": f"站{n}", "division": TOWN} for n in range(8)}
    operators = {name: keys for name, keys in CONTACTS.items() if "operator" in name}
    with alerts_site(server, tmp_path, many | operators, {"webhook": f"{receiver.address}/hook"}) as alerts:
        alerts.expect()
        for unit in (COUNTY, OTHER, *VILLAGES):
            alerts.report(unit, at("03-06T12:00"))
        receiver.answers.extend([(503, {}, b"")] * 20)
        alerts.watch(EVENING)
        assert receiver.requests == 3
        assert len(alerts.alerts(state="pending", failures=1)) == 8


# --- acknowledgement ------------------------------------------------------------------------------------------


def test_taking_note_stops_the_ladder_for_that_recipient_alone(alerts: AlertsSite) -> None:
    alerts.watch(EVENING)
    (mine,) = alerts.alerts(recipient="town-1")
    acknowledge(alerts.site.engine, mine["alert_id"], "张三", at("03-06T18:40"))
    again = acknowledge(alerts.site.engine, mine["alert_id"], "李四", at("03-06T18:50"))
    assert (again.by, again.at) == ("张三", at("03-06T18:40"))
    alerts.watch(MORNING)
    assert alerts.told(round="cutoff") == {("cutoff", "town-2", (OTHER, *VILLAGES[2:]))}
    alerts.watch(at("03-10T10:30"))
    told = {codes for _, _, codes in alerts.told(round="workday_1")}
    assert tuple(sorted((TOWN, *VILLAGES[:2], OTHER, *VILLAGES[2:]))) in told


def test_what_is_acknowledged_before_it_is_sent_is_not_sent(alerts: AlertsSite, receiver: Receiver) -> None:
    with_delivery(alerts, quiet_from=at("03-06T18:00").time())
    alerts.watch(EVENING)
    (mine,) = alerts.alerts(recipient="town-1")
    acknowledge(alerts.site.engine, mine["alert_id"], "张三", EVENING)
    assert alerts.watch(at("03-07T07:30"), asked=False)[1].sent == 2
    assert mine["alert_id"] not in {each["alert_id"] for each in receiver.documents}
    assert alerts.alerts(recipient="town-1")[0]["state"] == "acknowledged"


def test_the_link_in_a_message_acknowledges_it(alerts: AlertsSite, receiver: Receiver) -> None:
    alerts.connections["pls_alert_link"] = Connection(
        "pls_alert_link", "https", "portal.example.org", password="k" * 32
    )
    alerts.watch(EVENING)
    document = receiver.documents[0]
    token = document["acknowledge"].partition("token=")[2]
    assert document["acknowledge"] in document["text"]
    with TestClient(create_app(alerts.site, Doors("http://127.0.0.1:1"))) as portal:
        asked = portal.get("/alerts/ack", params={"token": token})
        assert token in asked.text
        assert alerts.alerts(alert_id=document["alert_id"])[0]["acknowledged_by"] is None, (
            "opened is not noted"
        )
        assert portal.post("/alerts/ack", data={"token": f"{token}x"}).status_code == 400
        as_json = {"accept": "application/json"}
        noted = portal.post("/alerts/ack", data={"token": token}, headers=as_json).json()
        assert noted["alert_id"] == document["alert_id"]
        assert "已确认知悉" in portal.post("/alerts/ack", data={"token": token}).text
    assert alerts.alerts(alert_id=document["alert_id"])[0]["acknowledged_by"] == "链接确认"
    alerts.now += timedelta(days=8)
    with pytest.raises(TokenRefused):
        acknowledge_by_link(alerts.site, token)


def test_a_number_that_nobody_was_sent_cannot_be_acknowledged(alerts: AlertsSite) -> None:
    with pytest.raises(AlertUnknown, match="77"):
        acknowledge(alerts.site.engine, 77, "张三", EVENING)


# --- the record -----------------------------------------------------------------------------------------------


def test_the_record_says_who_was_reminded_when_how_and_what_came_of_it(alerts: AlertsSite) -> None:
    alerts.watch(EVENING)
    alerts.report(VILLAGES[0], at("03-06T20:30"))
    rows = {row["unit_code"]: row for row in alerts.rows("SELECT * FROM mart.reminder WHERE round = 'due'")}
    assert len(rows) == 7
    row = rows[VILLAGES[0]]
    assert (row["recipient"], row["channel"], row["sent_at"]) == ("town-1", "webhook", EVENING)
    assert (row["outcome"], row["hours_to_arrival"]) == ("arrived", 2)
    assert rows[VILLAGES[1]]["outcome"] == "open"


def test_the_profile_names_streaks_the_usual_hour_and_the_share_late(alerts: AlertsSite) -> None:
    days = [date(2026, 3, day) for day in (2, 3, 4, 5, 6)]
    for number, day in enumerate(days):
        alerts.expect(day)
        hour = 17 if number == 1 else 20
        if number != 3:
            moment = at(f"03-{day.day:02}T{hour}:00")
            alerts.report(VILLAGES[0], moment, day)
    alerts.report(VILLAGES[0], at("03-09T15:00"), days[3])
    profile = {
        row["unit_code"]: row
        for row in alerts.rows(
            "SELECT * FROM mart.lateness_between(:first, :last)", first=days[0], last=days[-1]
        )
    }
    late = profile[VILLAGES[0]]
    assert (late["days_expected"], late["days_on_time"], late["days_late"]) == (5, 1, 3)
    assert (late["days_after_cutoff"], late["days_missing"]) == (1, 0)
    assert float(late["share_late"]) == 0.8
    assert (late["current_streak"], late["longest_streak"]) == (3, 3)
    assert float(late["usual_hour"]) == 20
    silent = profile[VILLAGES[1]]
    assert (silent["days_missing"], silent["current_streak"], silent["usual_hour"]) == (5, 5, None)
    assert profile[COUNTY]["days_expected"] == 5
    window = alerts.rows("SELECT DISTINCT window_days FROM mart.lateness_profile")
    assert [row["window_days"] for row in window] in ([], [90])
