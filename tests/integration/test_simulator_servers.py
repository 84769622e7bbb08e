"""The simulated platforms as a client meets them: HTTP, SFTP, workbooks, the hotline's view, the command line."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import os
import re
import shlex
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncssh
import httpx
import openpyxl
import pytest
import sqlalchemy as sa

from etl.settings import DIVISIONS_FILE
from simulator.deliveries import Batch
from simulator.plan import FIRST, SECOND
from simulator.simulation import CONTROL_CONNECTION, Simulation

ROOT = Path(__file__).resolve().parents[2]
DAYS = [date(2026, 3, 2), date(2026, 3, 3)]
COUNTIES = ["371302000000", "371371000000"]
FULL_WIDTH = str.maketrans("０１２３４５６７８９", "0123456789")
Make = Callable[..., AbstractContextManager[Simulation]]


def small(home: Path, **more: Any) -> Simulation:
    return Simulation(home, DAYS, counties=COUNTIES, townships_per_county=2, **more)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    with small(tmp_path_factory.mktemp("clean")) as simulation:
        yield simulation


def connection(simulation: Simulation, conn_id: str) -> dict[str, Any]:
    variables = {**simulation.environment(), **simulation.control_environment()}
    return json.loads(variables[f"AIRFLOW_CONN_{conn_id.upper()}"])


def client(simulation: Simulation, platform: str) -> httpx.Client:
    known = connection(simulation, simulation.catalog.platforms[platform].conn_id)
    assert known["conn_type"] == "http"
    assert known["host"] == "127.0.0.1"
    return httpx.Client(
        base_url=f"{known['schema']}://{known['host']}:{known['port']}",
        headers={"Authorization": f"Bearer {known['password']}"},
        trust_env=False,
    )


def ask(simulation: Simulation, platform: str, **parameters: object) -> httpx.Response:
    with client(simulation, platform) as http:
        return http.get("/api/v1/submissions", params={"date": "2026-03-02", **parameters})


def broken(simulation: Simulation) -> str:
    (platform,) = simulation.plan.rest_faults
    return platform


def batches(simulation: Simulation, family: str, phase: int = FIRST) -> list[Batch]:
    found = [batch for batch in simulation.plan.batches(phase) if batch.family == family]
    assert found
    return found


# --- A ---------------------------------------------------------------------------------------------------------


def test_a_county_lists_its_submissions_of_a_day_as_promised(clean: Simulation) -> None:
    rest = batches(clean, "rest")
    assert len({batch.platform for batch in rest}) == 3
    for batch in rest:
        response = ask(clean, batch.platform, date=batch.stat_date, page=1, size=500)
        assert response.status_code == 200
        body = response.json()
        assert (body["code"], body["data"]["total"], len(body["data"]["items"])) == (0, 1, 1)
        (item,) = body["data"]["items"]
        (sent,) = batch.submissions
        figures = {(value["measure"], value["channel"]): value["value"] for value in item["values"]}
        keys = {"asked": "survey_asked", "answered": "survey_answered"}
        for entry in item.get("survey", ()):
            channel = entry.pop("channel")
            assert set(entry) >= {"asked", "answered", "very_satisfied", "very_dissatisfied"}
            figures |= {(keys.get(key, key), channel): value for key, value in entry.items()}
        assert figures == {(f.measure, f.channel): f.value for f in sent.figures}
        assert (item["unit"], item["date"], item["revision"]) == (sent.unit, str(batch.stat_date), 1)
        at = datetime.fromisoformat(item["submitted_at"])
        assert (at.date(), at.hour, at.utcoffset()) == (batch.stat_date, 17, timedelta(hours=8))
        for measure, total in item.get("totals", {}).items():
            assert total == sum(value["value"] for value in item["values"] if value["measure"] == measure)


def test_pages_run_until_the_total_is_reached(clean: Simulation) -> None:
    since = {"updated_since": "2026-03-02T00:00:00+08:00"}
    with client(clean, "county-371302") as http:
        pages = [
            http.get("/api/v1/submissions", params={**since, "page": page, "size": 1}).json()["data"]
            for page in (1, 2, 3)
        ]
    assert [page["total"] for page in pages] == [2, 2, 2]
    assert [[item["date"] for item in page["items"]] for page in pages] == [
        ["2026-03-02"],
        ["2026-03-03"],
        [],
    ]


def test_stocks_are_listed_by_the_month_without_a_channel(clean: Simulation) -> None:
    with client(clean, "county-371302") as http:
        answer = http.get("/api/v1/stocks", params={"month": "2026-03"}).json()
    assert (answer["code"], answer["data"]["total"]) == (0, 1)
    (item,) = answer["data"]["items"]
    (batch,) = clean.stocks.phases[FIRST]["county-371302", date(2026, 3, 31)]
    (sent,) = batch.submissions
    assert {key: item[key] for key in ("unit", "month", "revision")} == {
        "unit": "371302000000",
        "month": "2026-03",
        "revision": 1,
    }
    assert [(each["measure"], each["value"]) for each in item["values"]] == [
        (figure.measure, figure.value) for figure in sent.figures
    ]
    assert all(each.keys() == {"measure", "value"} for each in item["values"])
    assert datetime.fromisoformat(item["submitted_at"]).date() == date(2026, 4, 8), "the 5th working day"


def test_stocks_come_in_pages_and_a_bad_question_is_answered_as_the_contract_says(clean: Simulation) -> None:
    with client(clean, "stocks-371300") as http:
        whole = http.get("/api/v1/stocks", params={"month": "2026-03"}).json()["data"]
        pages = [
            http.get("/api/v1/stocks", params={"month": "2026-03", "page": page, "size": 20}).json()["data"]
            for page in range(1, -(-whole["total"] // 20) + 1)
        ]
        assert [item for page in pages for item in page["items"]] == whole["items"]
        assert http.get("/api/v1/stocks", params={"month": "2026-02"}).json()["data"]["total"] == 0
        for bad in ({}, {"month": "2026-03-01"}, {"month": "3"}, {"month": "2026-03", "date": "2026-03-02"}):
            assert http.get("/api/v1/stocks", params=bad).status_code == 422
        assert http.get("/api/v1/stock", params={"month": "2026-03"}).status_code == 404
        stranger = http.get(
            "/api/v1/stocks", params={"month": "2026-03"}, headers={"Authorization": "Bearer x"}
        )
        assert stranger.status_code == 401


def test_updated_since_lists_what_was_received_since(clean: Simulation) -> None:
    with client(clean, "county-371302") as http:
        for since, total in (("2026-03-03T00:00:00+08:00", 1), ("2026-03-03T12:00:00Z", 0)):
            answer = http.get("/api/v1/submissions", params={"updated_since": since})
            assert answer.json()["data"]["total"] == total


@pytest.mark.parametrize(
    "query",
    [
        "date=2026-13-01",
        "date=yesterday",
        "page=1",
        "date=2026-03-02&size=501",
        "date=2026-03-02&size=0",
        "date=2026-03-02&page=0",
        "date=2026-03-02&page=x",
        "date=2026-03-02&colour=red",
        "updated_since=2026-03-02T00:00:00",
        "updated_since=2026-03-02T00:00:00+08:00",
        "date=2026-03-02&updated_since=2026-03-02T00:00:00%2B08:00",
    ],
)
def test_a_bad_parameter_is_422(clean: Simulation, query: str) -> None:
    with client(clean, "county-371302") as http:
        assert http.get(f"/api/v1/submissions?{query}").status_code == 422


def test_a_bad_token_is_401_and_an_unknown_path_404(clean: Simulation) -> None:
    with client(clean, "county-371302") as http:
        assert http.get("/api/v1/submission").status_code == 404
        other = connection(clean, "pls_county_371371")["password"]
        for header in ({"Authorization": f"Bearer {other}"}, {"Authorization": ""}):
            answer = http.get("/api/v1/submissions?date=2026-03-02", headers=header)
            assert answer.status_code == 401


@pytest.mark.parametrize(
    ("scenario", "statuses"), [("burst_429", [429, 429, 200]), ("burst_5xx", [502, 500, 200])]
)
def test_a_burst_passes_by_itself(tmp_path: Path, scenario: str, statuses: list[int]) -> None:
    with small(tmp_path, scenario=scenario) as simulation:
        platform = next(iter(simulation.plan.rest_faults))
        answers = [ask(simulation, platform) for _ in range(3)]
        assert [answer.status_code for answer in answers] == statuses
        assert [asked.status for asked in simulation.asked] == statuses
        if scenario == "burst_429":
            assert answers[0].headers["Retry-After"] == "1"


def test_a_truncated_body_ends_early_once(tmp_path: Path) -> None:
    with small(tmp_path, scenario="truncated_body") as simulation:
        platform = next(iter(simulation.plan.rest_faults))
        with pytest.raises(httpx.RemoteProtocolError):
            ask(simulation, platform)
        assert ask(simulation, platform).json()["data"]["total"] == 1


def test_slow_pages_are_slow_and_right(tmp_path: Path) -> None:
    with small(tmp_path, scenario="slow_pages") as simulation:
        answer = ask(simulation, next(iter(simulation.plan.rest_faults)))
        assert answer.elapsed > timedelta(seconds=0.4)
        assert answer.json()["data"]["total"] == 1


@pytest.mark.parametrize(
    ("scenario", "is_planted"),
    [
        ("outage", lambda answer: answer.status_code == 503),
        ("unauthorised", lambda answer: answer.status_code == 401),
        ("html_answer", lambda answer: answer.status_code == 200 and answer.text.startswith("<html")),
        ("code_not_zero", lambda answer: answer.status_code == 200 and answer.json()["code"] != 0),
        (
            "missing_page",
            lambda answer: answer.json()["data"]["total"] == len(answer.json()["data"]["items"]) + 1,
        ),
        ("oversized", lambda answer: len(answer.content) > 50 * 1024 * 1024),
    ],
)
def test_a_platform_misbehaves_until_the_second_phase(
    tmp_path: Path, scenario: str, is_planted: Callable[[httpx.Response], bool]
) -> None:
    with small(tmp_path, scenario=scenario) as simulation:
        platform = broken(simulation)
        assert is_planted(ask(simulation, platform))
        assert is_planted(ask(simulation, platform)), "it does not heal by itself"
        simulation.advance()
        (item,) = ask(simulation, platform).json()["data"]["items"]
        assert datetime.fromisoformat(item["submitted_at"]) >= simulation.plan.since


def test_another_process_moves_the_phase_on_with_its_token(tmp_path: Path) -> None:
    with small(tmp_path, scenario="outage") as simulation:
        control = connection(simulation, CONTROL_CONNECTION)
        url = f"http://{control['host']}:{control['port']}/_control"
        right = {"Authorization": f"Bearer {control['password']}"}
        assert httpx.post(url, json={"phase": 2}, trust_env=False).status_code == 401
        assert httpx.post(url, json={"phase": 7}, headers=right, trust_env=False).status_code == 422
        assert simulation.phase == FIRST
        assert httpx.post(url, json={"phase": 2}, headers=right, trust_env=False).json()["phase"] == 2
        assert httpx.get(url, headers=right, trust_env=False).json()["phase"] == simulation.phase == SECOND
        assert ask(simulation, broken(simulation)).status_code == 200


# --- B and C ---------------------------------------------------------------------------------------------------


async def open_sftp(simulation: Simulation, platform: str, **other: Any) -> asyncssh.SSHClientConnection:
    known = connection(simulation, simulation.catalog.platforms[platform].conn_id)
    assert known["conn_type"] == "sftp"
    assert known["extra"]["root"] == f"/{platform}"
    host_key = asyncssh.import_public_key(known["extra"]["host_key"])
    login = {"username": known["login"], "password": known["password"], **other}
    return await asyncssh.connect(
        known["host"], known["port"], known_hosts=([host_key], [], []), config=None, client_keys=None, **login
    )


async def test_files_are_had_over_sftp_with_the_times_of_the_day(clean: Simulation) -> None:
    seen = 0
    for platform in ("township-371300", "village-371300"):
        async with await open_sftp(clean, platform) as ssh, ssh.start_sftp_client() as sftp:
            for day in DAYS:
                wanted = {
                    b.name: b
                    for b in clean.plan.batches(FIRST)
                    if (b.platform, b.stat_date) == (platform, day)
                }
                folder = f"/{platform}/{day:%Y%m%d}"
                found = {str(n) for n in await sftp.listdir(folder)} - {".", ".."}
                digests = {f"{name}.sha256" for name in wanted if name.endswith(".csv.gz")}
                assert found == set(wanted) | digests
                for name, batch in wanted.items():
                    seen += 1
                    stamped = f"{name}.sha256" if digests else name
                    attributes = await sftp.stat(f"{folder}/{stamped}")
                    received_at = datetime.fromtimestamp(attributes.mtime or 0, UTC)
                    assert received_at == batch.received_at
                    assert received_at.hour == 9, "17 o'clock in Shanghai"
                    if digests:
                        content = await (await sftp.open(f"{folder}/{name}", "rb")).read()
                        line = await (await sftp.open(f"{folder}/{stamped}", "rb")).read()
                        assert line.decode() == f"{hashlib.sha256(content).hexdigest()}  {name}\n"
    assert seen == 2 * (2 + 4)


async def test_a_wrong_password_is_refused(clean: Simulation) -> None:
    with pytest.raises(asyncssh.PermissionDenied):
        await open_sftp(clean, "township-371300", password="guess")
    with pytest.raises(asyncssh.PermissionDenied):
        await open_sftp(clean, "township-371300", username="nobody")


def path_of(simulation: Simulation, batch: Batch) -> Path:
    return simulation.files_root(batch.platform) / f"{batch.stat_date:%Y%m%d}" / batch.name


def test_a_township_file_holds_what_its_townships_report(clean: Simulation) -> None:
    catalog = clean.catalog
    measures, channels = catalog.measure_by_name(), catalog.channel_by_name()
    values = 0
    for batch in batches(clean, "csv"):
        text = gzip.decompress(path_of(clean, batch).read_bytes()).decode("gb18030")
        lines = list(csv.reader(io.StringIO(text, newline="")))
        assert lines[0] == ["单位代码", "统计日期", "渠道", "指标", "数值", "填报时间", "版次"]
        found: dict[tuple[str, str, str], int] = {}
        sums: dict[tuple[str, str], int] = {}
        nil = set()
        for unit, day, channel, measure, value, _, revision in lines[1:]:
            assert (day, revision) == (str(batch.stat_date), "1")
            if measure == "零报告":
                assert value == "0"
                nil.add(unit)
            elif value not in ("-", "—", ""):
                number = int(value.replace(",", "").translate(FULL_WIDTH))
                if measure == "合计":
                    sums[unit, channels[channel]] = number
                else:
                    found[unit, measures[measure], channels[channel]] = number
        sent = {(s.unit, f.measure, f.channel): f.value for s in batch.submissions for f in s.figures}
        assert found == sent
        assert nil == {s.unit for s in batch.submissions if not s.figures}
        for (unit, channel), total in sums.items():
            own = [
                v
                for (u, m, c), v in sent.items()
                if (u, c) == (unit, channel) and catalog.measures[m].kind != "survey"
            ]
            assert total == sum(own)
        values += len(found)
    assert values > 30


def number_in(cell: object) -> int | None:
    if cell is None or (isinstance(cell, str) and cell.strip() in ("", "-", "/")):
        return None
    return int(str(cell).translate(FULL_WIDTH))


def test_a_workbook_holds_what_its_villages_report(clean: Simulation) -> None:
    catalog = clean.catalog
    measures, channels = catalog.measure_by_name(), catalog.channel_by_name()
    values = forms = 0
    for batch in batches(clean, "workbook"):
        book = openpyxl.load_workbook(path_of(clean, batch), data_only=True)
        assert set(book.sheetnames) <= {"日报表", "满意度"}
        assert book.sheetnames[0] == "日报表"
        found: dict[tuple[str, str, str], int] = {}
        rows = set()
        for sheet in book:
            head = [cell.value for cell in sheet[2] if cell.value is not None]
            assert [text.split(":")[0] for text in head] == ["填报单位", "统计日期", "填报时间"]
            assert head[0] == f"填报单位:{clean.plan.world.name[batch.unit]}"
            assert head[1] == f"统计日期:{batch.stat_date}"
            merged = {str(area) for area in sheet.merged_cells.ranges}
            assert {"A3:A4", "B3:B4"} <= merged
            assert (sheet["A3"].value, sheet["B3"].value) == ("单位代码", "单位名称")
            columns: list[tuple[int, str, str]] = []
            channel = ""
            for column in range(3, sheet.max_column + 1):
                channel = sheet.cell(3, column).value or channel
                if sheet.cell(4, column).value:
                    columns.append((column, measures[sheet.cell(4, column).value], channels[channel]))
            sums = dict.fromkeys(columns, 0)
            for line in sheet.iter_rows(min_row=5):
                code, name = line[0].value, line[1].value
                if name == "合计":
                    for column in columns:
                        total = number_in(line[column[0] - 1].value)
                        assert total is None or total == sums[column]
                    break
                unit = str(code)
                assert re.fullmatch(r"\d{12}", unit)
                assert name == clean.plan.world.name[unit]
                rows.add(unit)
                forms |= 1 if isinstance(code, int) else 2
                for column in columns:
                    value = number_in(line[column[0] - 1].value)
                    if value is not None:
                        found[unit, *column[1:]] = value
                        sums[column] += value
            else:
                pytest.fail("no 合计 row")
            foot = [cell.value for cell in sheet[line[0].row + 1] if cell.value is not None]
            assert [text.split(":")[0] for text in foot] == ["单位负责人", "填表人", "报出日期"]
        assert found == {
            (s.unit, f.measure, f.channel): f.value for s in batch.submissions for f in s.figures
        }
        assert rows == {s.unit for s in batch.submissions}
        values += len(found)
    assert values > 10
    assert forms == 3, "codes come as numbers and as text"


def test_the_same_seed_writes_the_same_bytes(clean: Simulation, tmp_path: Path) -> None:
    with small(tmp_path, transport="file") as again:
        known = connection(again, "pls_township_371300")
        assert known == {
            "conn_type": "file",
            "extra": {"path": str(again.files_root("township-371300").resolve())},
        }
        compared = 0
        for batch in again.plan.batches(FIRST):
            if batch.family in ("csv", "workbook"):
                assert path_of(again, batch).read_bytes() == path_of(clean, batch).read_bytes()
                compared += 1
    assert compared == 2 * (2 + 4)


def test_files_that_are_wrong_are_wrong_and_mended_in_the_second_phase(tmp_path: Path) -> None:
    scenarios = ["digest_mismatch", "missing_sha256"]
    with small(tmp_path, scenario=scenarios) as simulation:
        before = {batch.fault: path_of(simulation, batch) for batch in batches(simulation, "csv")}
        bad, absent = before["digest"], before["no_digest"]
        digest = bad.with_name(bad.name + ".sha256")
        assert digest.read_text().split()[0] != hashlib.sha256(bad.read_bytes()).hexdigest()
        assert not absent.with_name(absent.name + ".sha256").exists()
        simulation.advance()
        for path in (bad, absent):
            line = path.with_name(path.name + ".sha256")
            assert line.read_text() == f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
            assert line.stat().st_mtime >= simulation.plan.since.timestamp()


def test_oversized_and_unreadable_files_are_that(tmp_path: Path) -> None:
    with small(tmp_path, scenario=["oversized", "unreadable_workbook", "wrong_header"]) as simulation:
        found = {
            (b.family, b.fault): path_of(simulation, b) for b in simulation.plan.batches(FIRST) if b.fault
        }
        assert len(found) == 8
        assert found["workbook", "oversized"].stat().st_size > 5 * 1024 * 1024
        assert found["workbook", "unpacks_oversized"].stat().st_size < 5 * 1024 * 1024
        rows = openpyxl.load_workbook(found["workbook", "too_many_rows"], read_only=True)["日报表"].max_row
        assert rows is not None
        assert rows > 2_000
        assert len(gzip.decompress(found["csv", "oversized"].read_bytes())) > 50 * 1024 * 1024
        with pytest.raises(EOFError):
            gzip.decompress(found["csv", "unreadable"].read_bytes())
        with pytest.raises(Exception, match="zip"):
            openpyxl.load_workbook(found["workbook", "unreadable"])
        assert (
            not gzip.decompress(found["csv", "wrong_header"].read_bytes())
            .decode("gb18030")
            .startswith("单位代码,")
        )
        assert openpyxl.load_workbook(found["workbook", "wrong_header"])["日报表"]["A3"].value == "序号"


async def test_foreign_files_stand_beside_the_deliveries(tmp_path: Path) -> None:
    with small(tmp_path, scenario="foreign_files") as simulation:
        counted = 0
        for (platform, day), things in simulation.plan.foreign.items():
            async with await open_sftp(simulation, platform) as ssh, ssh.start_sftp_client() as sftp:
                folder = f"/{platform}/{day:%Y%m%d}"
                names = {str(name) for name in await sftp.listdir(folder)}
                for thing in things:
                    assert thing.name in names
                    assert await sftp.islink(f"{folder}/{thing.name}") == thing.link
                    counted += 1
        assert counted == simulation.plan.planted["foreign_files"] == 10


def test_a_second_revision_stands_beside_the_first(tmp_path: Path) -> None:
    with small(tmp_path, scenario="restated") as simulation:
        later = [b for b in simulation.plan.batches(SECOND) if b.revision == 2]
        assert {batch.family for batch in later} == {"csv", "workbook"}
        assert not any(path_of(simulation, batch).exists() for batch in later)
        simulation.advance()
        for batch in later:
            assert re.search(r"_r2\.(csv\.gz|xlsx)$", batch.name)
            assert path_of(simulation, batch).exists()
        county = next(
            b for b in batches(simulation, "rest", SECOND) if any(s.revision == 2 for s in b.submissions)
        )
        (item,) = ask(simulation, county.platform, date=county.stat_date).json()["data"]["items"]
        assert item["revision"] == 2


# --- D ---------------------------------------------------------------------------------------------------------


def read_hotline(url: str) -> list[dict[str, Any]]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with closing(engine.connect()) as conn:
        return [dict(row) for row in conn.execute(sa.text("SELECT * FROM hotline_daily")).mappings()]


def test_the_hotline_view_has_a_row_for_each_county_and_day(tmp_path: Path, hotline_url: str) -> None:
    with small(tmp_path, hotline_url=hotline_url) as simulation:
        rows = read_hotline(hotline_url)
        assert {(row["county_code"], row["stat_date"]) for row in rows} == {
            (c, d) for c in COUNTIES for d in DAYS
        }
        assert len(rows) == 4
        sent = {(s.unit, b.stat_date): s for b in batches(simulation, "database") for s in b.submissions}
        for row in rows:
            submission = sent[row["county_code"], row["stat_date"]]
            assert [row["calls"], row["very_dissatisfied"]] == [
                submission.figures[0].value,
                submission.figures[-1].value,
            ]
            assert row["answered_in_20s"] <= row["answered"] <= row["calls"]
            assert row["updated_at"] == submission.received_at
        known = connection(simulation, "pls_hotline_371300")
        assert known["conn_type"] == "postgres"
        assert (known.get("host") or known["extra"].get("host")) == sa.make_url(hotline_url).query["host"]


def test_the_hotline_restates_a_row_and_sends_two_of_one_time(tmp_path: Path, hotline_url: str) -> None:
    with small(tmp_path / "a", hotline_url=hotline_url, scenario="restated") as simulation:
        before = read_hotline(hotline_url)
        simulation.advance()
        after = read_hotline(hotline_url)
        changed = [row for row in after if row not in before]
        assert len(after) == len(before) == 4
        assert len(changed) == 1
        assert changed[0]["updated_at"] >= simulation.plan.since
    with small(tmp_path / "b", hotline_url=hotline_url, scenario="conflict_same_revision"):
        rows = read_hotline(hotline_url)
        keys = [(row["county_code"], row["stat_date"], row["updated_at"]) for row in rows]
        assert len(keys) == 5
        assert len(set(keys)) == 4


# --- the command line ------------------------------------------------------------------------------------------


def test_serve_prints_ready_writes_connections_and_stops_on_sigterm(tmp_path: Path, hotline_url: str) -> None:
    command = [
        sys.executable,
        "-m",
        "simulator",
        "serve",
        "--home",
        str(tmp_path),
        "--prefix",
        "3713",
        "--seed",
        "7",
    ]
    command += ["--start", "2026-03-02", "--days", "1", "--scenario", "late", "--hotline-url", hotline_url]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready["ready"]
        assert ready["catalog"] is None, "the shipped catalogue declares Linyi"
        assert len(ready["platforms"]) == 18
        env_file = Path(ready["connections"])
        assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
        parsed = dict(shlex.split(line)[0].split("=", 1) for line in env_file.read_text().splitlines())
        shell = subprocess.run(
            ["sh", "-c", f'set -a; . "{env_file}"; env -0'],
            capture_output=True,
            check=True,
            env={"PATH": os.environ["PATH"]},
        )
        sourced = dict(pair.split("=", 1) for pair in shell.stdout.decode().split("\0") if pair)
        assert len(parsed) == 19, "18 platforms and the control"
        assert parsed == {name: sourced[name] for name in parsed}
        secrets = {json.loads(value).get("password") for value in parsed.values()} - {None}
        assert not any(secret in json.dumps(ready) for secret in secrets)
        county = json.loads(parsed["AIRFLOW_CONN_PLS_COUNTY_371302"])
        answer = httpx.get(
            f"http://127.0.0.1:{county['port']}/api/v1/submissions?date=2026-03-02",
            headers={"Authorization": f"Bearer {county['password']}"},
            trust_env=False,
        )
        assert answer.status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert len(list((tmp_path / "files" / "village-371300" / "20260302").iterdir())) in range(150, 157)


def test_truth_is_written_without_serving(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "simulator", "truth", "--home", str(tmp_path), "--start", "2026-03-07"]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    with (tmp_path / "truth-phase-2" / "daily_statistics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 100
    assert "371300000000" in {row["division_code"] for row in rows}
    assert DIVISIONS_FILE.exists()
