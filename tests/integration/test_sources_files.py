"""Families B and C in folders and over a real SFTP server."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncssh
import fsspec
import openpyxl
import pytest

from etl.catalog import Platform, load_catalog
from etl.connections import Connection
from etl.sources import Listing, Pulled, PullFailed
from etl.sources.base import MAX_BYTES
from etl.sources.csv_files import CsvFiles
from etl.sources.files import FolderSource
from etl.sources.workbooks import Workbooks

pytestmark = pytest.mark.integration

DAY = date(2026, 3, 2)
STAMP = datetime(2026, 3, 2, 9, 45, tzinfo=UTC)
PASSWORD = "right-password-8f3a"
CSV, BOOKS = CsvFiles(first_wait_s=0.01), Workbooks(first_wait_s=0.01)
CSV_NAME = "township_371302_20260302_r1.csv.gz"
BOOK_NAME = "village_371302001_20260302.xlsx"


@dataclass
class Server:
    """An SFTP server on loopback; what it serves is the folder root. faults: told of every file opened."""

    root: Path
    port: int = 0
    host_key: str = ""
    opened: list[str] = field(default_factory=list)
    on_open: Callable[[str], None] | None = None
    logins: int = 0
    connections: list[Any] = field(default_factory=list)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("sftp"))
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    key = asyncssh.generate_private_key("ssh-ed25519")
    server.host_key = key.export_public_key().decode().strip()

    class Logins(asyncssh.SSHServer):
        def connection_made(self, conn: Any) -> None:
            server.connections.append(conn)

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            server.logins += 1
            return (username, password) == ("pls", PASSWORD)

    class Files(asyncssh.SFTPServer):
        def __init__(self, chan: Any) -> None:
            super().__init__(chan, chroot=os.fsencode(server.root))

        def open(self, path: bytes, pflags: int, attrs: Any) -> Any:
            server.opened.append(path.decode().rsplit("/", 1)[-1])
            if server.on_open:
                server.on_open(server.opened[-1])
            return super().open(path, pflags, attrs)

    listeners = []

    async def serve() -> None:
        listener = await asyncssh.create_server(
            Logins, "127.0.0.1", 0, server_host_keys=[key], sftp_factory=Files, allow_scp=False
        )
        listeners.append(listener)
        server.port = listener.get_port()
        loop.call_soon(ready.set)

    async def close() -> None:
        listeners[0].close()
        for each in server.connections:
            each.abort()
        await asyncio.sleep(0.1)

    started = loop.create_task(serve())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    assert ready.wait(10)
    started.result()
    yield server
    asyncio.run_coroutine_threadsafe(close(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


@pytest.fixture
def sftp(running: Server) -> Iterator[Server]:
    running.opened.clear()
    running.logins, running.on_open = 0, None
    yield running
    for child in sorted(running.root.rglob("*"), reverse=True):
        child.rmdir() if child.is_dir() and not child.is_symlink() else child.unlink()


@dataclass
class Place:
    """Where files lie and how they are reached, locally or over SFTP."""

    root: Path
    connection: Connection

    def write(self, name: str, data: bytes, day: str = "20260302", at: datetime = STAMP) -> Path:
        path = self.root / day / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (at.timestamp(), at.timestamp()))
        return path

    def deliver(
        self, name: str = CSV_NAME, data: bytes | None = None, day: str = "20260302", at: datetime = STAMP
    ) -> bytes:
        data = csv_file() if data is None else data
        self.write(name, data, day, at - timedelta(minutes=5))
        self.write(f"{name}.sha256", f"{hashlib.sha256(data).hexdigest()}  {name}\n".encode(), day, at)
        return data


def connect(kind: str, root: str, server: Server | None = None, **extra: Any) -> Connection:
    return Connection(
        conn_id="pls_files",
        conn_type=kind,
        host="127.0.0.1" if server else "",
        port=server.port if server else None,
        login="pls" if server else "",
        password=PASSWORD if server else "",
        extra={"root" if server else "path": root} | extra,
    )


def over_sftp(server: Server, root: str = "/in", **extra: Any) -> Connection:
    return connect("sftp", root, server, **({"host_key": server.host_key} | extra))


@pytest.fixture(params=["local", "sftp"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "local":
        (tmp_path / "in").mkdir()
        return Place(tmp_path / "in", connect("file", str(tmp_path / "in")))
    server: Server = request.getfixturevalue("sftp")
    (server.root / "in").mkdir()
    return Place(server.root / "in", over_sftp(server))


def platform(family: str, **options: Any) -> Platform:
    return Platform(
        id=f"{family}-371302",
        family=family,
        level="township" if family == "csv" else "village",
        datasets=["daily"],
        conn_id="pls_files",
        area=["371302000000"],
        calendar="workdays",
        options={"attempts": 2, "timeout_s": 5} | options,
    )


def csv_file(value: int = 12) -> bytes:
    text = (
        "单位代码,统计日期,渠道,指标,数值,填报时间,版次\n"
        f"371302001000,2026-03-02,实体,解答法律咨询,{value},2026-03-02 17:40:00,1\n"
    )
    return gzip.compress(text.encode("gb18030"), mtime=0)


def book_file() -> bytes:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "日报表"
    for row in (
        ["统计日期：2026-03-02"],
        ["单位代码", "单位名称", "实体"],
        [None, None, "解答法律咨询"],
        [371302001201, "甲村", 1],
        [None, "合计", 1],
    ):
        sheet.append(row)
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


BOOK = book_file()


def look(source: FolderSource, connection: Connection, **options: Any) -> tuple[list[Pulled], Listing]:
    listing = source.pull_day(
        platform("csv" if source is CSV else "workbook", **options), connection, DAY, set()
    )
    return list(listing.pulled), listing


def failure_of(pulled: list[Pulled], state: str) -> str:
    (one,) = pulled
    assert one.failure is not None
    assert one.failure.state == state, one.failure
    return one.failure.message


def test_a_file_with_its_digest_is_brought_whole(place: Place) -> None:
    data = place.deliver()
    (pulled,), listing = look(CSV, place.connection)
    assert (pulled.name, pulled.stat_date, pulled.failure) == (CSV_NAME, DAY, None)
    assert pulled.parts == (data,)
    assert pulled.sha256 == hashlib.sha256(data).hexdigest()
    assert pulled.received_at == STAMP
    assert (listing.ignored, listing.waiting) == ([], [])
    reading = CSV.read(platform("csv"), load_catalog(None), pulled)
    assert reading.rows["value"].tolist() == [12.0]


def test_a_workbook_is_brought_whole_with_its_own_time(place: Place) -> None:
    place.write(BOOK_NAME, BOOK)
    (pulled,), _ = look(BOOKS, place.connection)
    assert (pulled.name, pulled.parts, pulled.received_at, pulled.failure) == (
        BOOK_NAME,
        (BOOK,),
        STAMP,
        None,
    )
    reading = BOOKS.read(platform("workbook"), load_catalog(None), pulled)
    assert reading.rows["value"].tolist() == [1.0]


def test_a_day_without_a_folder_brings_nothing(place: Place) -> None:
    for source in (CSV, BOOKS):
        pulled, listing = look(source, place.connection)
        assert (pulled, listing.ignored, listing.waiting) == ([], [], [])


@pytest.mark.parametrize("source", [CSV, BOOKS])
def test_a_root_that_is_not_there_is_a_failed_day(place: Place, source: FolderSource) -> None:
    place.root.rmdir()
    pulled, _ = look(source, place.connection)
    assert "不存在" in failure_of(pulled, "failed")
    assert (pulled[0].name, pulled[0].parts, pulled[0].stat_date) == ("", (), DAY)
    place.root.mkdir()


def test_a_file_counts_only_once_its_digest_is_there(place: Place) -> None:
    place.write(CSV_NAME, csv_file())
    place.write("township_371311_20260302_r1.csv.gz.sha256", b"0" * 64)
    pulled, listing = look(CSV, place.connection)
    assert pulled == []
    assert listing.ignored == []
    assert [each.split("：")[0] for each in listing.waiting] == [
        CSV_NAME,
        "township_371311_20260302_r1.csv.gz.sha256",
    ]
    place.deliver()
    assert len(look(CSV, place.connection)[0]) == 1


def test_files_come_by_county_and_revision(place: Place) -> None:
    for name in ("371311_20260302_r1", "371302_20260302_r10", "371302_20260302_r2", "371302_20260302_r1"):
        place.deliver(f"township_{name}.csv.gz")
    pulled, _ = look(CSV, place.connection)
    assert [each.name.removeprefix("township_").split(".")[0] for each in pulled] == [
        "371302_20260302_r1",
        "371302_20260302_r2",
        "371302_20260302_r10",
        "371311_20260302_r1",
    ]


@pytest.mark.parametrize(
    ("digest", "words"),
    [(b"0" * 64 + b"  x\n", "不符"), (b"", "摘要"), (b"zz", "摘要"), (b"\xff" * 64, "摘要")],
)
def test_a_digest_that_does_not_match_is_read_again_and_then_failed(
    place: Place, digest: bytes, words: str
) -> None:
    data = place.deliver()
    place.write(f"{CSV_NAME}.sha256", digest)
    place.deliver("township_371311_20260302_r1.csv.gz")
    pulled, _ = look(CSV, place.connection, attempts=3)
    assert words in failure_of(pulled[:1], "failed")
    assert "3 次" in failure_of(pulled[:1], "failed")
    assert pulled[0].parts == (data,)
    assert pulled[1].failure is None


def test_a_transfer_that_is_right_the_second_time_is_whole(sftp: Server) -> None:
    place = Place(sftp.root / "in", over_sftp(sftp))
    place.root.mkdir()
    data = place.deliver()
    place.write(CSV_NAME, data[:-3])

    def mend(name: str) -> None:
        if sftp.opened.count(CSV_NAME) == 2:
            place.write(CSV_NAME, data)

    sftp.on_open = mend
    (pulled,), _ = look(CSV, place.connection)
    assert (pulled.parts, pulled.failure) == ((data,), None)


def test_an_upper_case_digest_with_a_star_counts(place: Place) -> None:
    data = place.deliver()
    place.write(f"{CSV_NAME}.sha256", f"{hashlib.sha256(data).hexdigest().upper()} *{CSV_NAME}\r\n".encode())
    (pulled,), _ = look(CSV, place.connection)
    assert pulled.failure is None


def test_other_names_are_ignored_and_listed(place: Place) -> None:
    place.deliver()
    place.write(BOOK_NAME, BOOK)
    for name in (
        "readme.txt",
        "township_371302_20260301_r1.csv.gz",
        "township_371302_20260302_r0.csv.gz",
        "~$village_371302001_20260302.xlsx",
        "village_371302001_20260301.xlsx",
        "xtownship_371302_20260302_r1.csv.gz",
    ):
        place.write(name, b"x")
    (place.root / "20260302" / "township_371399_20260302_r1.csv.gz").mkdir()
    for source, own, others in ((CSV, CSV_NAME, 8), (BOOKS, BOOK_NAME, 8)):
        pulled, listing = look(source, place.connection)
        assert [each.name for each in pulled] == [own]
        expected = others if source is CSV else others + 1
        assert len(listing.ignored) == expected, listing.ignored
    assert any("日期" in each for each in look(CSV, place.connection)[1].ignored)


def test_links_that_leave_the_root_are_ignored_and_others_followed(place: Place) -> None:
    outside = place.root.parent / "outside"
    outside.mkdir()
    secret = outside / CSV_NAME
    secret.write_bytes(csv_file())
    folder = place.root / "20260302"
    folder.mkdir()
    (folder / CSV_NAME).symlink_to("../../outside/" + CSV_NAME)
    (folder / f"{CSV_NAME}.sha256").write_text(hashlib.sha256(csv_file()).hexdigest())
    (folder / BOOK_NAME).symlink_to("../../outside/nothing")
    place.deliver("township_371311_20260302_r1.csv.gz", day="kept")
    for name in ("township_371311_20260302_r1.csv.gz", "township_371311_20260302_r1.csv.gz.sha256"):
        (folder / name).symlink_to(f"../kept/{name}")
    pulled, listing = look(CSV, place.connection)
    assert [(each.name, each.failure) for each in pulled] == [("township_371311_20260302_r1.csv.gz", None)]
    assert pulled[0].received_at == STAMP
    assert [each for each in listing.ignored if each.startswith(CSV_NAME)] == [
        f"{CSV_NAME}：符号链接指向根目录之外"
    ]
    assert len(listing.ignored) == 2


def test_what_is_no_file_is_ignored_and_a_name_with_a_number_is_masked(tmp_path: Path) -> None:
    place = Place(tmp_path, connect("file", str(tmp_path)))
    place.write("张三13800138078.xlsx", b"x")
    os.mkfifo(tmp_path / "20260302" / BOOK_NAME)
    pulled, listing = look(BOOKS, place.connection)
    assert pulled == []
    assert listing.ignored == [f"{BOOK_NAME}：不是普通文件", "张三138******78.xlsx：不是约定的文件名"]


def test_a_day_folder_that_is_a_link_out_of_the_root_is_ignored(place: Place) -> None:
    outside = place.root.parent / "outside"
    outside.mkdir()
    Place(place.root.parent, place.connection).deliver(day="outside")
    (place.root / "20260302").symlink_to("../outside")
    pulled, listing = look(CSV, place.connection)
    assert pulled == []
    assert listing.ignored == ["20260302：符号链接指向根目录之外"]
    assert list(CSV.pull_since(platform("csv"), place.connection, STAMP, set()).pulled) == []


def test_a_file_over_the_limit_is_rejected_and_not_brought_whole(place: Place) -> None:
    place.write(BOOK_NAME, bytes(6_000_000))
    pulled, _ = look(BOOKS, place.connection)
    assert "5 MB" in failure_of(pulled, "rejected")
    assert len(pulled[0].parts[0]) == 5_000_001


def test_a_packed_file_over_fifty_megabytes_is_rejected(tmp_path: Path) -> None:
    place = Place(tmp_path, connect("file", str(tmp_path)))
    place.deliver(data=bytes(MAX_BYTES + 2))
    pulled, _ = look(CSV, place.connection)
    assert "50 MB" in failure_of(pulled, "rejected")


def test_what_came_since_is_found_in_all_day_folders(place: Place) -> None:
    later = STAMP + timedelta(days=1)
    place.deliver()
    place.deliver("township_371302_20260302_r2.csv.gz", at=later)
    place.deliver("township_371302_20260227_r1.csv.gz", day="20260227", at=later)
    (place.root / "archive").mkdir()
    (place.root / "20269999").mkdir()
    for stray in ("20990101", "19000101"):
        place.deliver(f"township_371302_{stray}_r1.csv.gz", day=stray, at=later)
    listing = CSV.pull_since(platform("csv"), place.connection, later, set())
    pulled = list(listing.pulled)
    assert [words.partition("：")[0] for words in listing.ignored] == ["19000101/", "20990101/"]
    assert [(each.name, each.stat_date) for each in pulled] == [
        ("township_371302_20260227_r1.csv.gz", date(2026, 2, 27)),
        ("township_371302_20260302_r2.csv.gz", DAY),
    ]
    seen = {(each.name, len(each.parts[0]), each.received_at) for each in pulled}
    (other,) = CSV.pull_since(platform("csv"), place.connection, STAMP, seen).pulled
    assert other.name == CSV_NAME
    assert len(list(CSV.pull_since(platform("csv"), place.connection, later, seen).pulled)) == 0


def test_a_workbook_that_was_written_over_is_no_longer_known(place: Place) -> None:
    path = place.write(BOOK_NAME, BOOK)
    seen = {(BOOK_NAME, len(BOOK), STAMP)}
    assert list(BOOKS.pull_since(platform("workbook"), place.connection, STAMP, seen).pulled) == []
    os.utime(path, (STAMP.timestamp() + 60, STAMP.timestamp() + 60))
    (pulled,) = BOOKS.pull_since(platform("workbook"), place.connection, STAMP, seen).pulled
    assert pulled.received_at == STAMP + timedelta(seconds=60)


def test_a_workbook_still_being_written_is_left_for_the_next_time(place: Place) -> None:
    place.write(BOOK_NAME, BOOK[:100], at=datetime.now(UTC))
    other = "village_371302002_20260302.xlsx"
    place.write(other, BOOK, at=datetime.now(UTC))
    writer = threading.Timer(0.5, place.write, (BOOK_NAME, BOOK[:2000]), {"at": datetime.now(UTC)})
    writer.start()
    pulled, listing = look(BOOKS, place.connection)
    writer.join()
    assert [each.name for each in pulled] == [other]
    assert listing.waiting == [f"{BOOK_NAME}：仍在写入"]
    assert [each.name for each in look(BOOKS, place.connection)[0]] == [BOOK_NAME, other]


def test_old_workbooks_are_not_waited_for(tmp_path: Path) -> None:
    place = Place(tmp_path, connect("file", str(tmp_path)))
    place.write(BOOK_NAME, BOOK)
    started = time.monotonic()
    assert len(look(BOOKS, place.connection)[0]) == 1
    assert time.monotonic() - started < 0.5


def test_a_workbook_that_grows_while_it_is_read_is_left_for_the_next_time(sftp: Server) -> None:
    place = Place(sftp.root / "in", over_sftp(sftp))
    place.root.mkdir()
    place.write(BOOK_NAME, BOOK[:100])
    sftp.on_open = lambda name: place.write(BOOK_NAME, BOOK) and None
    pulled, listing = look(BOOKS, place.connection)
    assert pulled == []
    assert listing.waiting == [f"{BOOK_NAME}：仍在写入"]


def test_a_file_that_cannot_be_opened_does_not_stop_the_others(sftp: Server) -> None:
    place = Place(sftp.root / "in", over_sftp(sftp))
    place.root.mkdir()
    place.deliver()
    place.deliver("township_371311_20260302_r1.csv.gz")

    def refuse(name: str) -> None:
        if name == CSV_NAME:
            raise asyncssh.SFTPPermissionDenied("no")

    sftp.on_open = refuse
    first, second = look(CSV, place.connection)[0]
    assert "没有权限" in failure_of([first], "rejected")
    assert second.failure is None


def test_a_connection_that_breaks_is_made_again(sftp: Server) -> None:
    place = Place(sftp.root / "in", over_sftp(sftp))
    place.root.mkdir()
    data = place.deliver()

    def break_once(name: str) -> None:
        if len(sftp.opened) == 1:
            sftp.connections[-1].abort()

    sftp.on_open = break_once
    (pulled,), _ = look(CSV, place.connection)
    assert (pulled.parts, pulled.failure) == ((data,), None)
    assert sftp.logins == 2


def test_a_server_that_is_lost_fails_the_remaining_files_at_once(sftp: Server) -> None:
    place = Place(sftp.root / "in", over_sftp(sftp))
    place.root.mkdir()
    for county in range(371302, 371308):
        place.deliver(f"township_{county}_20260302_r1.csv.gz")
    sftp.on_open = lambda name: sftp.connections[-1].abort()
    pulled, _ = look(CSV, place.connection)
    assert len(pulled) == 6
    assert {failure_of([each], "failed") for each in pulled} == {
        pulled[0].failure and pulled[0].failure.message
    }
    assert len(sftp.opened) == 2


def test_a_wrong_password_is_rejected_at_once_and_not_shown(sftp: Server) -> None:
    wrong = over_sftp(sftp)
    wrong = Connection(
        **{
            name: getattr(wrong, name)
            for name in ("conn_id", "conn_type", "host", "port", "login", "schema", "extra")
        },
        password="wrong-77",
    )
    pulled, _ = look(CSV, wrong)
    message = failure_of(pulled, "rejected")
    assert "口令" in message
    assert "wrong-77" not in message
    assert sftp.logins == 1


def test_another_host_key_is_rejected(sftp: Server) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    rsa = asyncssh.generate_private_key("ssh-rsa", key_size=2048).export_public_key().decode().strip()
    for key in (other, rsa):
        pulled, _ = look(CSV, over_sftp(sftp, host_key=key))
        assert "主机密钥" in failure_of(pulled, "rejected")
    assert sftp.logins == 0


def test_a_host_key_that_is_no_key_is_rejected(sftp: Server) -> None:
    for key in (
        "nonsense",
        "ssh-ed25519 nonsense",
        "ssh-ed25519 AAAA",
        "AAAAB3NzaC1yc2EAAAAD",
        "AAAABXJhbmRv",
    ):
        assert "host_key" in failure_of(look(CSV, over_sftp(sftp, host_key=key))[0], "rejected")


def test_a_host_key_without_its_type_counts(sftp: Server) -> None:
    (sftp.root / "in").mkdir()
    pulled, _ = look(CSV, over_sftp(sftp, host_key=sftp.host_key.split()[1]))
    assert pulled == []


def test_without_a_pinned_host_key_the_server_is_trusted_with_a_warning(
    sftp: Server, caplog: pytest.LogCaptureFixture
) -> None:
    (sftp.root / "in").mkdir()
    assert look(CSV, over_sftp(sftp, host_key=None))[0] == []
    assert "not pinned" in caplog.text


def test_an_unreachable_server_is_a_failed_day(sftp: Server) -> None:
    gone = over_sftp(sftp)
    gone = Connection(
        **{
            name: getattr(gone, name)
            for name in ("conn_id", "conn_type", "host", "login", "password", "schema", "extra")
        },
        port=1,
    )
    for source in (CSV, BOOKS):
        pulled, _ = look(source, gone)
        assert "2 次" in failure_of(pulled, "failed")
        assert pulled[0].name == ""


def test_the_declared_root_overrides_the_connections(tmp_path: Path, sftp: Server) -> None:
    place = Place(tmp_path, connect("file", "/nowhere"))
    place.deliver()
    assert len(look(CSV, place.connection, root=f"file://{tmp_path}")[0]) == 1
    assert len(look(CSV, over_sftp(sftp, "/nowhere"), root=f"file://{tmp_path}")[0]) == 1
    other = Place(sftp.root / "other", over_sftp(sftp, "/nowhere"))
    other.root.mkdir()
    other.deliver()
    for root in ("sftp:///other", "sftp://elsewhere/other", "/other"):
        assert len(look(CSV, other.connection, root=root)[0]) == 1


def test_any_file_system_of_fsspec_serves_as_root() -> None:
    memory = fsspec.filesystem("memory")
    data = csv_file()
    memory.pipe(f"/bucket/20260302/{CSV_NAME}", data)
    memory.pipe(f"/bucket/20260302/{CSV_NAME}.sha256", hashlib.sha256(data).hexdigest().encode())
    try:
        (pulled,), _ = look(CSV, connect("generic", ""), root="memory://bucket")
        assert pulled.parts == (data,)
        assert pulled.received_at is not None
        assert look(BOOKS, connect("generic", ""), root="memory://elsewhere")[0] == []
    finally:
        memory.rm("/bucket", recursive=True)


@pytest.mark.parametrize(
    ("connection", "options", "words"),
    [
        (connect("file", ""), {}, "根目录"),
        (connect("generic", ""), {}, "根目录"),
        (connect("sftp", ""), {"root": "sftp:///in"}, "没有主机"),
        (connect("file", "/tmp"), {"root": "nosuch://bucket"}, "nosuch"),
        (connect("file", "/tmp"), {"rot": "/tmp"}, "options.rot"),
    ],
)
def test_a_wrong_declaration_is_rejected_in_words(connection: Connection, options: Any, words: str) -> None:
    pulled, _ = look(CSV, connection, **options)
    assert words in failure_of(pulled, "rejected")
    with pytest.raises(PullFailed, match=words):
        CSV.check(platform("csv", **options), connection)


def test_a_key_file_that_is_not_there_is_rejected(sftp: Server, tmp_path: Path) -> None:
    pulled, _ = look(CSV, over_sftp(sftp, key_file=str(tmp_path / "id")))
    assert "key_file" in failure_of(pulled, "rejected")


def test_check_says_what_it_found(place: Place) -> None:
    assert "还没有日期文件夹" in CSV.check(platform("csv"), place.connection)
    place.deliver()
    place.deliver("township_371302_20260227_r1.csv.gz", day="20260227")
    assert "2 个日期文件夹，最近一个 20260302" in BOOKS.check(platform("workbook"), place.connection)
