"""What came earlier decides what becomes of what comes: revisions in any order, several platforms, files that leave
units out, rows that a person lets go, closed months."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from etl.batches import register_batch
from etl.clock import SHANGHAI
from etl.conform import Read
from etl.connections import connection_from_env
from etl.daily import load_and_roll_up
from etl.desk import Correction, discard, release
from etl.periods.lock import close_month, reopen_month
from etl.pull import pass_gate
from etl.site import Site, open_site
from etl.sources import SOURCES, pulled_of
from etl.verify import verify
from tests.integration.conftest import read_view, wait_for_a_lock

pytestmark = pytest.mark.integration
DAY, NEXT = date(2026, 3, 3), date(2026, 3, 4)
MONTH = date(2026, 3, 1)
ONE, TWO, THREE = (f"371302{number:03d}000" for number in (1, 2, 3))
FOUR = "371311001000"
"""Of the other county."""
ELSEWHERE = "370102001000"
"""In no platform's area."""
NAMES = {"consultation": "解答法律咨询", "document_drafted": "代写法律文书"}
TOO_MANY = 99_999
HEADER = "单位代码,统计日期,渠道,指标,数值,填报时间,版次"
Figures = Mapping[str, int]
"""By measure, all of channel physical; none is a nil report."""


@dataclass
class Senders:
    """Platforms whose files and pages are written by hand: `files` sends whole files of a county, `first` and `second`
    are asked over HTTP. What is sent waits until it is loaded."""

    site: Site
    waiting: list[tuple[date, Read]] = field(default_factory=list)

    def send_file(
        self,
        revision: int,
        at: str,
        units: Mapping[str, Figures],
        day: date = DAY,
        county: str = "371302",
        dated: Mapping[str, date] = MappingProxyType({}),
    ) -> None:
        """An edition of a county's file. dated: units whose lines bear another day."""
        lines = [HEADER]
        for unit, figures in units.items():
            on = dated.get(unit, day)
            lines += [
                f"{unit},{on},实体,{NAMES[name]},{value},,{revision}" for name, value in figures.items()
            ]
            lines += [] if figures else [f"{unit},{day},实体,零报告,0,,{revision}"]
        body = gzip.compress("\n".join(lines).encode("gb18030"), mtime=0)
        self._send("files", f"township_{county}_{day:%Y%m%d}_r{revision}.csv.gz", body, at, day)

    def send(
        self, platform: str, at: str, units: Mapping[str, Figures], revision: object = 1, day: date = DAY
    ) -> None:
        """A page of submissions."""
        items = [
            {
                "unit": unit,
                "date": day.isoformat(),
                "revision": revision,
                "submitted_at": f"{DAY}T{at}:00+08:00",
                "values": [
                    {"measure": name, "channel": "physical", "value": value}
                    for name, value in figures.items()
                ],
            }
            for unit, figures in units.items()
        ]
        data = {"total": len(items), "page": 1, "size": 500, "items": items}
        body = json.dumps({"code": 0, "msg": "ok", "data": data}).encode()
        self._send(platform, "submissions", body, at, DAY)

    def send_calls(self, at: str, consultations: int, updated_at: datetime, at_once: int = 1) -> None:
        """The hotline's view as it is pulled now: a row of ONE. at_once: calls answered in 20 s, of no measure."""
        row = {
            "county_code": ONE,
            "stat_date": DAY.isoformat(),
            "consultations": consultations,
            "answered_in_20s": at_once,
            "updated_at": updated_at.isoformat(),
        }
        self._send("hotline", "hotline_daily", json.dumps(row).encode(), at, DAY)

    def _send(self, platform: str, name: str, body: bytes, at: str, day: date) -> None:
        site, declared = self.site, self.site.catalog.platforms[platform]
        stamp = datetime.fromisoformat(f"{day}T{at}").replace(tzinfo=SHANGHAI)
        # Of a page and of a view, each submission has its own.
        pulled = pulled_of(day, name, (body,), stamp if declared.family == "csv" else None)
        batch = register_batch(site.engine, site.archive, declared, pulled, site.clock())
        assert batch.state == "registered", "it was sent before"
        reading = SOURCES[declared.family].read(declared, site.catalog, pulled)
        read = Read(batch.batch_id, declared, pulled.received_at, site.clock(), reading)
        self.waiting.append((day, read))

    def load(self, day: date = DAY) -> None:
        """Load all that was sent since, as one run does."""
        pass_gate(self.site, self.waiting)
        self.waiting = []
        load_and_roll_up(self.site, day, whole=False)

    def held(self, **where: object) -> list[int]:
        """Rows that wait for a decision."""
        return sorted(read_view(self.site, "quality.quarantine", state="held", **where)["quarantine_id"])

    def release(self, **correction: str) -> None:
        """Let the only row go that is held."""
        (row,) = self.held()
        release(self.site, [row], "李某", "电话核实", Correction(**correction) if correction else None)

    def shown(self, day: date = DAY) -> dict[str, dict[str, int]]:
        """Figures of the townships; what stands above them is proved to be their sum."""
        assert verify(self.site).differences == []
        ledger = read_view(self.site, "mart.ledger")
        ends = ["rows_loaded", "rows_quarantined", "rows_duplicate", "rows_superseded"]
        assert (ledger["rows_received"] == ledger[ends].sum(axis=1)).all()
        rows = read_view(self.site, "mart.daily_statistics", stat_date=day, channel="physical")
        rows = rows[rows["value"].notna() & rows["division_code"].isin([ONE, TWO, THREE, FOUR, ELSEWHERE])]
        found: dict[str, dict[str, int]] = {}
        for row in rows.itertuples():
            found.setdefault(str(row.division_code), {})[str(row.measure)] = int(float(str(row.value)))
        return found


@pytest.fixture
def senders(database: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Senders:
    catalog = tmp_path / "catalog"
    (catalog / "platforms").mkdir(parents=True)
    platforms = [
        _platform("files", "csv", ["371302000000", "371311000000"]),
        _platform("first", "rest", ["371302000000"]),
        _platform("second", "rest", ["371302000000"]),
        _platform("hotline", "database", ["371302000000"]),
    ]
    (catalog / "platforms" / "ours.yaml").write_text(yaml.safe_dump(platforms))
    monkeypatch.setenv("PLS_CATALOG", str(catalog))
    monkeypatch.setenv("PLS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PLS_WAREHOUSE", database())
    return Senders(open_site(connection_from_env))


def _platform(name: str, family: str, area: Sequence[str]) -> dict[str, Any]:
    return {
        "id": name,
        "family": family,
        "level": "township",
        "datasets": ["daily"],
        "conn_id": f"pls_{name}",
        "area": list(area),
        "calendar": "everyday",
    }


@pytest.mark.parametrize("others", [{}, {"document_drafted": 4}])
def test_a_file_that_leaves_a_unit_out_withdraws_it_also_after_a_release(
    senders: Senders, others: dict[str, int]
) -> None:
    senders.send_file(1, "17:30", {ONE: {"consultation": 2}, THREE: {"consultation": TOO_MANY} | others})
    senders.load()
    senders.release(value="9")
    assert senders.shown() == {ONE: {"consultation": 2}, THREE: {"consultation": 9} | others}
    senders.send_file(2, "17:50", {ONE: {"consultation": 3}})
    senders.load()
    assert senders.shown() == {ONE: {"consultation": 3}}


def test_a_row_of_an_older_file_is_not_let_in_where_the_newer_one_left_its_unit_out(senders: Senders) -> None:
    senders.send_file(2, "17:50", {ONE: {"consultation": 3}})
    senders.load()
    senders.send_file(1, "18:30", {ONE: {"consultation": 2}, THREE: {"consultation": TOO_MANY}})
    senders.load()
    senders.release()
    assert senders.shown() == {ONE: {"consultation": 3}}


def test_of_platforms_that_bring_several_revisions_at_once_the_first_to_arrive_keeps_the_cell(
    senders: Senders,
) -> None:
    senders.send_file(1, "17:10", {ONE: {"document_drafted": 1}})
    senders.send_file(2, "17:20", {ONE: {"document_drafted": 1, "consultation": 9}})
    senders.send("second", "17:30", {ONE: {"consultation": 5}})
    senders.load()
    assert senders.shown() == {ONE: {"document_drafted": 1, "consultation": 9}}
    assert len(senders.held(reason_code="conflict")) == 1


@pytest.mark.parametrize("at_once", [True, False])
def test_a_cell_that_one_platform_gives_up_is_free_for_another(senders: Senders, at_once: bool) -> None:
    senders.send("first", "17:00", {ONE: {"consultation": 5, "document_drafted": 1}})
    senders.send_file(1, "17:00", {TWO: {"consultation": 6}, THREE: {"consultation": 1}})
    senders.load()
    senders.send("first", "18:00", {ONE: {"document_drafted": 1}}, revision=2)
    senders.send_file(2, "18:00", {THREE: {"consultation": 1}})
    if not at_once:
        senders.load()
    senders.send("second", "18:30", {ONE: {"consultation": 9}, TWO: {"consultation": 7}})
    senders.load()
    expected = {"consultation": 9, "document_drafted": 1}
    assert senders.shown() == {ONE: expected, TWO: {"consultation": 7}, THREE: {"consultation": 1}}
    assert senders.held() == []


@pytest.mark.parametrize("figures", [{"consultation": 2}, {}])
def test_a_file_of_which_everything_is_held_withdraws_nobody_and_says_so(
    senders: Senders, figures: Figures
) -> None:
    units: dict[str, Figures] = {ONE: {"consultation": 2}, THREE: {"consultation": 7}}
    senders.send_file(1, "17:30", units)
    senders.load()
    senders.send_file(2, "17:50", {"371302901000": figures, "371302903000": figures})
    senders.load()
    assert senders.shown() == units
    (flag,) = read_view(senders.site, "quality.flag", check_code="revision_rejected").to_dict("records")
    assert "整份文件" in flag["message"]
    senders.send_file(3, "17:55", {})
    senders.load()
    assert senders.shown() == {}, "a file without any line says that there is nothing"
    assert senders.held() == []


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
@pytest.mark.parametrize("is_closed", [False, True])
def test_a_unit_wholly_held_in_the_newer_file_keeps_what_the_older_one_says(
    senders: Senders, order: tuple[int, int], is_closed: bool
) -> None:
    files: dict[int, dict[str, Figures]] = {
        1: {ONE: {"consultation": 2}, THREE: {"consultation": 7}},
        2: {ONE: {"consultation": 3}, THREE: {"consultation": TOO_MANY}},
    }
    if is_closed:
        close_month(senders.site, MONTH, "王某", "月报已报")
    for revision in order:
        senders.send_file(revision, "17:30" if revision == order[0] else "18:30", files[revision])
        senders.load()
    if is_closed:
        reopen_month(senders.site, MONTH, "王某", "补报")
    assert senders.shown() == {ONE: {"consultation": 3}, THREE: {"consultation": 7}}
    assert len(senders.held()) == 1, "asked of a person once"


def test_what_waited_for_its_month_is_loaded_in_the_order_in_which_it_arrived(senders: Senders) -> None:
    close_month(senders.site, MONTH, "王某", "月报已报")
    for platform, at, value in (("first", "12:00", 2), ("second", "10:00", 7)):
        senders.send(platform, at, {ONE: {"consultation": value}})
        senders.load()
    assert senders.shown() == {}
    reopen_month(senders.site, MONTH, "王某", "补报")
    assert senders.shown() == {ONE: {"consultation": 7}}


@pytest.mark.parametrize("sent", [1, 2])
def test_a_row_that_is_moved_to_its_right_unit_or_day_joins_what_stands_there(
    senders: Senders, sent: int
) -> None:
    standing = {"consultation": 5}
    senders.send("first", "17:00", {THREE: standing})
    senders.send("first", "17:10", {"371302999000": {"document_drafted": 3}}, revision=sent)
    senders.load()
    senders.release(unit=THREE)
    assert senders.shown() == {THREE: standing | {"document_drafted": 3}}

    senders.send("first", "17:20", {THREE: {"document_drafted": 4}}, revision=sent, day=NEXT)
    senders.load()
    (row,) = senders.held()
    release(senders.site, [row], "李某", "日期写错", Correction(date=NEXT.isoformat()))
    assert senders.shown(NEXT) == {THREE: {"document_drafted": 4}}
    assert senders.shown() == {THREE: standing | {"document_drafted": 3}}


def test_a_row_under_a_mistyped_unit_is_let_in_where_its_file_seemed_to_leave_the_unit_out(
    senders: Senders,
) -> None:
    senders.send_file(1, "17:30", {ONE: {"consultation": 2}, THREE: {"consultation": 7}})
    senders.load()
    senders.send_file(2, "17:50", {ONE: {"consultation": 3}, "371302993000": {"consultation": 8}})
    senders.load()
    senders.release(unit=THREE)
    assert senders.shown() == {ONE: {"consultation": 3}, THREE: {"consultation": 8}}


def test_a_row_moved_to_another_countys_unit_is_withdrawn_with_that_units_own_file_only(
    senders: Senders,
) -> None:
    own = {"consultation": 5}
    senders.send_file(1, "17:30", {ONE: {"consultation": 2}, "371302999000": {"document_drafted": 8}})
    senders.send_file(1, "17:30", {FOUR: own}, county="371311")
    senders.load()
    senders.release(unit=FOUR)
    senders.send_file(2, "17:50", {ONE: {"consultation": 3}})
    senders.load()
    assert senders.shown() == {ONE: {"consultation": 3}, FOUR: own | {"document_drafted": 8}}
    senders.send_file(2, "18:00", {}, county="371311")
    senders.load()
    assert senders.shown() == {ONE: {"consultation": 3}}


def test_a_row_moved_to_a_day_is_not_withdrawn_by_the_first_file_of_that_day(senders: Senders) -> None:
    units: dict[str, Figures] = {ONE: {"consultation": 2}, THREE: {"consultation": 8}}
    senders.send_file(1, "17:30", units, dated={THREE: NEXT})
    senders.load()
    (row,) = senders.held()
    release(senders.site, [row], "李某", "日期属实", Correction(date=NEXT.isoformat()))
    senders.send_file(1, "17:30", {ONE: {"consultation": 4}}, day=NEXT)
    senders.load(NEXT)
    assert senders.shown(NEXT) == {ONE: {"consultation": 4}, THREE: {"consultation": 8}}


def test_a_row_of_no_revision_is_let_in_where_it_belongs(senders: Senders) -> None:
    senders.send("first", "17:00", {THREE: {"consultation": 1}}, revision="x")
    senders.load()
    senders.release(measure="consultation", channel="physical", value="5")
    assert senders.shown() == {THREE: {"consultation": 5}}
    senders.send("first", "17:10", {TWO: {"consultation": 7}})
    senders.load()
    assert senders.shown() == {THREE: {"consultation": 5}, TWO: {"consultation": 7}}


def test_the_same_revision_sent_rightly_settles_what_was_held_of_it(senders: Senders) -> None:
    senders.send("first", "17:00", {THREE: {"consultation": TOO_MANY}})
    senders.load()
    senders.send("first", "17:10", {THREE: {"consultation": 9}})
    senders.load()
    assert senders.shown() == {THREE: {"consultation": 9}}
    assert senders.held() == []


def test_a_moved_row_that_is_held_again_is_settled_by_a_person_only(senders: Senders) -> None:
    senders.send("first", "17:00", {"371302999000": {"consultation": TOO_MANY + 1}})
    senders.load()
    (row,) = senders.held()
    release(senders.site, [row], "李某", "单位写错", Correction(unit=THREE))
    (again,) = senders.held()
    assert again != row
    senders.send("first", "17:10", {THREE: {"document_drafted": 1}})
    senders.load()
    assert senders.held() == [again]


def test_a_row_that_came_many_times_while_its_month_was_closed_is_asked_about_once(senders: Senders) -> None:
    close_month(senders.site, MONTH, "王某", "月报已报")
    units: dict[str, Figures] = {THREE: {"consultation": TOO_MANY, "document_drafted": 2}}
    more: list[dict[str, Figures]] = [{}, {ONE: {"consultation": 1}}, {ONE: {"consultation": 1}, TWO: {}}]
    for others in more:
        senders.send("first", "17:00", units | others)
        senders.load()
    assert len(senders.held(reason_code="value")) == 1
    reopen_month(senders.site, MONTH, "王某", "补报")
    assert len(senders.held()) == 1
    assert senders.shown() == {THREE: {"document_drafted": 2}, ONE: {"consultation": 1}}


def test_a_unit_that_had_nothing_to_do_with_the_day_counts_once_it_is_let_in(senders: Senders) -> None:
    senders.send("first", "17:00", {ELSEWHERE: {"consultation": 5}, ONE: {"consultation": 1}})
    senders.load()
    senders.release()
    assert senders.shown() == {ONE: {"consultation": 1}, ELSEWHERE: {"consultation": 5}}


def test_a_row_that_was_decided_is_not_asked_about_again(senders: Senders) -> None:
    unit: dict[str, Figures] = {ONE: {"consultation": 2, "document_drafted": TOO_MANY}}
    senders.send("first", "17:00", unit)
    senders.load()
    senders.release(value="4")
    senders.send("first", "17:00", unit | {TWO: {"consultation": TOO_MANY}})
    senders.load()
    expected = {ONE: {"consultation": 2, "document_drafted": 4}}
    assert senders.shown() == expected
    (of_two,) = senders.held()
    senders.send("first", "17:00", unit | {TWO: {"consultation": TOO_MANY}, THREE: {}})
    senders.load()
    (again,) = senders.held()
    assert again != of_two, "the later of two that are the same waits"
    discard(senders.site, [again], "李某", "单位确认误填")
    senders.send("first", "17:00", unit | {TWO: {"consultation": TOO_MANY}, "371302004000": {}})
    senders.load()
    assert senders.held() == []
    assert senders.shown() == expected
    senders.send("first", "17:30", {TWO: {"consultation": TOO_MANY}}, revision=2)
    senders.load()
    assert len(senders.held()) == 1, "what the unit says anew is asked about anew"


def test_a_held_row_stays_open_while_nothing_newer_of_its_unit_is_taken(senders: Senders) -> None:
    held = {"consultation": TOO_MANY}
    senders.send_file(1, "17:30", {ONE: held | {"document_drafted": 1}, TWO: {"consultation": 1}})
    senders.load()
    senders.send_file(2, "17:50", {ONE: held, TWO: {"consultation": 2}})
    senders.load()
    assert senders.shown() == {ONE: {"document_drafted": 1}, TWO: {"consultation": 2}}
    assert len(senders.held(unit_code=ONE)) == 2
    senders.send_file(3, "18:00", {TWO: {"consultation": 2}})
    senders.load()
    assert senders.held() == []


def test_a_day_that_is_left_without_any_figure_is_judged(senders: Senders) -> None:
    senders.send("first", "17:00", {ONE: {"consultation": 3}})
    senders.load()
    senders.send("first", "17:10", {ONE: {}}, revision=2)
    senders.load()
    assert senders.shown() == {}
    status = read_view(senders.site, "mart.submission_status", stat_date=DAY, unit_code=ONE)
    assert status["is_nil"].all()


def test_what_is_let_go_was_received_when_it_was_sent(senders: Senders) -> None:
    senders.send("second", "16:00", {TWO: {"consultation": 5}})
    senders.send("first", "17:00", {ONE: {"consultation": TOO_MANY}, TWO: {"consultation": 4}})
    senders.send("first", "17:05", {TWO: {"consultation": 4}}, revision=2)
    senders.load()
    release(senders.site, senders.held(unit_code=ONE), "李某", "电话核实")
    status = read_view(senders.site, "mart.submission_status", stat_date=DAY, unit_code=ONE)
    assert status["status"].tolist() == ["on_time"]
    assert [each.astimezone(SHANGHAI).strftime("%H:%M") for each in status["received_at"]] == ["17:00"]
    held = read_view(senders.site, "quality.quarantine", unit_code=TWO, reason_code="conflict")
    assert {each.astimezone(SHANGHAI).strftime("%H:%M") for each in held["received_at"]} == {"17:00", "17:05"}


@pytest.mark.parametrize("ahead", [timedelta(minutes=3), timedelta(days=26_000)])
def test_a_row_of_the_future_hides_none_that_comes_after_it(senders: Senders, ahead: timedelta) -> None:
    now = senders.site.clock()
    senders.send_calls("17:00", 3, now + ahead)
    senders.load()
    senders.send_calls("17:10", 4, now + timedelta(minutes=5))
    senders.load()
    senders.send_calls("17:20", 5, now - timedelta(hours=1))
    senders.load()
    (shown,) = read_view(senders.site, "mart.daily_statistics", division_code=ONE, channel="hotline")["value"]
    assert shown == 4
    assert read_view(senders.site, "quality.flag", check_code="bad_stamp")["unit_code"].tolist() == [ONE, ONE]


def test_a_row_of_a_clock_that_is_somewhat_ahead_is_known_when_it_comes_again(senders: Senders) -> None:
    updated_at = senders.site.clock() + timedelta(minutes=3)
    for at_once in (1, 2):
        senders.send_calls("17:00", 3, updated_at, at_once)
        senders.load()
    assert read_view(senders.site, "mart.ledger")["rows_duplicate"].tolist() == [0, 1]


def test_what_another_run_has_loaded_meanwhile_stays_as_it_is(senders: Senders) -> None:
    """The hour's restatements and the day's own run may fetch the same file."""
    senders.send("first", "17:00", {ONE: {"consultation": 3}, TWO: {"consultation": TOO_MANY}})
    read_twice = list(senders.waiting)
    senders.load()
    senders.send("second", "17:10", {THREE: {"consultation": 4}})
    senders.waiting += read_twice
    senders.load()
    assert senders.shown() == {ONE: {"consultation": 3}, THREE: {"consultation": 4}}
    assert len(senders.held()) == 1


def test_staging_holds_no_batch_while_a_months_partitions_are_made(senders: Senders) -> None:
    """Whoever makes them holds the table of batches, and writes into it later: both would wait for each other."""
    senders.send("first", "17:00", {ONE: {"consultation": 3}})
    with senders.site.engine.connect() as maker, ThreadPoolExecutor() as threads:
        maker.execute(sa.text("SELECT core.ensure_month('2031-05-01')"))
        loading = threads.submit(senders.load)
        wait_for_a_lock(senders.site)
        maker.execute(sa.text("SELECT FROM landing.batch FOR UPDATE NOWAIT"))
        maker.commit()
        loading.result()
    assert senders.shown() == {ONE: {"consultation": 3}}
