"""Family A over real HTTP: paging, retries, refusals."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest

from etl.catalog import Platform, load_catalog
from etl.connections import Connection
from etl.sources import Listing, Pulled, PullFailed
from etl.sources.base import MAX_BYTES
from etl.sources.rest import Rest

pytestmark = pytest.mark.integration

DAY = date(2026, 3, 2)
TOKEN = "right-token-8f3a"
SOURCE = Rest(clock=lambda: datetime(2026, 3, 2, 17, tzinfo=UTC), first_wait_s=0.01)


@dataclass
class Asked:
    path: str
    query: dict[str, str]
    raw_query: str
    headers: dict[str, str]
    at: float


Answer = tuple[int, dict[str, str], bytes]


@dataclass
class County:
    """A county platform on loopback. faults: answers given first, in turn; None lets the request through."""

    items: list[Any] = field(default_factory=list)
    faults: list[Callable[[Asked], Answer | None]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    largest_size: int = 500
    delay_s: float = 0.0
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    port: int = 0

    def answer(self, asked: Asked) -> Answer:
        with self.lock:
            self.asked.append(asked)
            fault = self.faults.pop(0) if self.faults else None
        given = fault(asked) if fault else None
        if given:
            return given
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {}, b'{"code": 401, "msg": "bad token"}'
        if asked.path != "/api/v1/submissions":
            return 404, {}, b"{}"
        return 200, {}, self.page(asked)

    def page(self, asked: Asked, **data: Any) -> bytes:
        page, size = int(asked.query["page"]), min(int(asked.query["size"]), self.largest_size)
        items = self.items[(page - 1) * size : page * size]
        return orjson.dumps(
            {
                "code": 0,
                "msg": "ok",
                "data": {"total": len(self.items), "page": page, "size": size, "items": items} | data,
            }
        )


@pytest.fixture
def county() -> Iterator[County]:
    county = County()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with county.lock:
                county.at_once += 1
                county.most_at_once = max(county.most_at_once, county.at_once)
            time.sleep(county.delay_s)
            url = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(url.path, dict(parse_qsl(url.query)), url.query, headers, time.monotonic())
            status, more, body = county.answer(asked)
            with county.lock:
                county.at_once -= 1
            if status == 0:
                self.close_connection = True
                return
            length = int(more.pop("cut-from", len(body)))
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                self.wfile.write(body)
            if length != len(body):
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    county.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield county
    server.shutdown()
    server.server_close()


def item(number: int, **change: Any) -> dict[str, Any]:
    return {
        "unit": f"3713020{number:05d}",
        "date": "2026-03-02",
        "revision": 1,
        "submitted_at": "2026-03-02T17:21:09+08:00",
        "values": [{"measure": "consultation", "channel": "physical", "value": number}],
    } | change


def platform(**options: Any) -> Platform:
    return Platform(
        id="county-371302",
        family="rest",
        level="county",
        datasets=["daily"],
        conn_id="pls_county_371302",
        area=["371302000000"],
        calendar="everyday",
        options=options,
    )


def connection(county: County, password: str = TOKEN) -> Connection:
    return Connection(
        conn_id="pls_county_371302",
        conn_type="http",
        host="127.0.0.1",
        port=county.port,
        password=password,
        schema="http",
        extra={},
    )


def pull(county: County, **options: Any) -> Pulled:
    listing = SOURCE.pull_day(platform(**options), connection(county), DAY, set())
    (pulled,) = listing.pulled
    return pulled


def units(pulled: Pulled) -> list[str]:
    assert pulled.failure is None, pulled.failure
    return list(SOURCE.read(platform(), load_catalog(None), pulled).submissions["unit"])


def give(status: int, body: bytes = b"{}", **headers: str) -> Callable[[Asked], Answer]:
    return lambda _: (status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def failed(pulled: Pulled) -> str:
    assert pulled.failure is not None
    assert pulled.failure.state == "failed"
    assert "county-371302" in pulled.failure.message
    return pulled.failure.message


def rejected(pulled: Pulled) -> str:
    assert pulled.failure is not None
    assert pulled.failure.state == "rejected"
    assert "county-371302" in pulled.failure.message
    return pulled.failure.message


def test_all_pages_come_in_order_and_few_at_once(county: County) -> None:
    county.items = [item(n) for n in range(23)]
    county.delay_s = 0.02
    pulled = pull(county, page_size=2, concurrency=3)
    assert units(pulled) == [each["unit"] for each in county.items]
    assert len(pulled.parts) == 12
    assert sorted(int(asked.query["page"]) for asked in county.asked) == list(range(1, 13))
    assert county.asked[0].query == {"date": "2026-03-02", "page": "1", "size": "2"}
    assert 2 <= county.most_at_once <= 3


def test_a_day_without_submissions_is_one_empty_batch(county: County) -> None:
    pulled = pull(county)
    assert units(pulled) == []
    assert (pulled.name, pulled.stat_date, len(pulled.parts), pulled.received_at) == (
        "submissions",
        DAY,
        1,
        None,
    )
    assert county.asked[0].query["size"] == "500"


def test_a_platform_that_gives_smaller_pages_is_followed(county: County) -> None:
    county.items, county.largest_size = [item(n) for n in range(7)], 3
    assert len(units(pull(county))) == 7
    assert [asked.query["size"] for asked in county.asked] == ["500", "3", "3"]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 408])
def test_a_passing_fault_is_tried_again(county: County, status: int) -> None:
    county.items = [item(1)]
    county.faults = [give(status)] * 3
    assert len(units(pull(county))) == 1
    assert len(county.asked) == 4


def test_retry_after_is_honoured_by_every_request(county: County) -> None:
    county.items, county.delay_s = [item(n) for n in range(8)], 0.05
    county.faults = [lambda _: None, give(429, Retry_After="1")]
    assert len(units(pull(county, page_size=1, concurrency=2))) == 8
    refused = county.asked[1].at
    later = sorted(asked.at - refused for asked in county.asked[3:])
    assert len(later) == 6
    assert later[1] >= 1.0, "one request may have been under way when the refusal came, no more"


def test_a_platform_that_asks_for_a_long_pause_is_left_alone(county: County) -> None:
    county.faults = [give(503, Retry_After="3600")]
    assert "3600 秒" in failed(pull(county))
    assert len(county.asked) == 1


def test_a_lasting_fault_fails_with_the_answers_words_and_bytes(county: County) -> None:
    county.faults = [give(503, b'{"code": 9, "msg": "maintenance, ask 13800138078"}')] * 9
    pulled = pull(county, attempts=3)
    message = failed(pulled)
    assert "503" in message
    assert "maintenance, ask 138******78" in message
    assert "3 次" in message
    assert pulled.parts == (b'{"code": 9, "msg": "maintenance, ask 13800138078"}',)
    assert len(county.asked) == 3


def test_pages_that_came_are_kept_when_a_later_one_fails(county: County) -> None:
    county.items = [item(n) for n in range(4)]

    def third_is_broken(asked: Asked) -> Answer | None:
        return (500, {}, b"oops") if asked.query["page"] == "3" else None

    county.faults = [third_is_broken] * 20
    pulled = pull(county, page_size=1, concurrency=1, attempts=2)
    assert "第 3 页" in failed(pulled)
    assert len(pulled.parts) == 3
    assert pulled.parts[2] == b"oops"


@pytest.mark.parametrize(
    "fault",
    [
        lambda asked: (200, {"cut-from": "5000"}, b'{"code": 0, "data"'),
        lambda asked: (200, {}, b'{"code": 0, "data": {"tot'),
        lambda asked: (0, {}, b""),
    ],
    ids=["content-length", "cut JSON", "closed connection"],
)
def test_a_truncated_body_is_tried_again_and_then_a_failed_batch(
    county: County, fault: Callable[[Asked], Answer]
) -> None:
    county.items = [item(1)]
    county.faults = [fault]
    assert len(units(pull(county))) == 1
    county.faults = [fault] * 9
    failed(pull(county, attempts=2))


def test_a_total_that_changes_between_pages_starts_the_paging_again(county: County) -> None:
    county.items = [item(n) for n in range(4)]

    def one_more(asked: Asked) -> None:
        if len(county.items) == 4:
            county.items.append(item(4))

    county.faults = [lambda _: None, one_more]
    assert len(units(pull(county, page_size=2, concurrency=1))) == 5
    assert [asked.query["page"] for asked in county.asked] == ["1", "2", "1", "2", "3"]


def test_a_unit_that_sends_again_while_pages_are_asked_for_hides_no_other(county: County) -> None:
    """It moves to the end, and what stood first on the second page stands on the first, which has come already."""
    county.items = [item(n) for n in range(4)]

    def moves(asked: Asked) -> None:
        if county.items[0] == item(0):
            county.items = [*county.items[1:], item(0, revision=2)]

    county.faults = [lambda _: None, moves]
    assert set(units(pull(county, page_size=2, concurrency=1))) == {item(n)["unit"] for n in range(4)}


def test_a_platform_that_lists_all_revisions_is_believed_the_second_time_whatever_else_comes(
    county: County,
) -> None:
    county.items = [item(0), item(1), item(2), item(0, revision=2)]

    def one_more(asked: Asked) -> None:
        county.items.append(item(3))

    county.faults = [lambda _: None, lambda _: None, one_more]
    assert len(units(pull(county, page_size=2, concurrency=1))) == 5
    assert [asked.query["page"] for asked in county.asked] == ["1", "2", "1", "2", "3"]


@pytest.mark.parametrize(
    "change", [{"items": []}, {"total": 9}, {"page": 1}], ids=["missing items", "other total", "other page"]
)
def test_pages_that_never_fit_each_other_are_a_failed_batch(county: County, change: dict[str, Any]) -> None:
    county.items = [item(n) for n in range(4)]

    def bad(asked: Asked) -> Answer | None:
        return (200, {}, county.page(asked, **change)) if asked.query["page"] == "2" else None

    county.faults = [bad] * 20
    assert "分页不一致" in failed(pull(county, page_size=2))
    assert len(county.asked) == 6


def test_fewer_items_than_the_total_says_are_a_failed_batch(county: County) -> None:
    county.items = [item(n) for n in range(2)]
    county.faults = [lambda asked: (200, {}, county.page(asked, total=3))] * 20
    failed(pull(county))


def test_a_total_beyond_belief_does_not_ask_for_its_pages_at_once(county: County) -> None:
    county.items = [item(n) for n in range(2)]
    county.faults = [lambda asked: (200, {}, county.page(asked, total=10**12))] * 50
    failed(pull(county, page_size=2))
    assert len(county.asked) < 30


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "令牌无效"), (403, "没有权限"), (404, "没有这个路径"), (422, "参数"), (400, "400")],
)
def test_a_refusal_is_never_tried_again(county: County, status: int, words: str) -> None:
    county.faults = [give(status, '{"code": 1, "msg": "坏请求"}'.encode())]
    message = rejected(pull(county))
    assert words in message
    assert "坏请求" in message
    assert len(county.asked) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html><body>login</body></html>", "HTML"),
        (b"", "空的"),
        (b"[]", "JSON"),
        (b'{"code": 17, "msg": "database closed"}', "code 17：database closed"),
        (b'{"code": 0, "msg": "ok"}', "data"),
    ],
)
def test_a_complete_answer_that_is_not_the_json_promised_is_rejected_with_its_bytes(
    county: County, body: bytes, words: str
) -> None:
    county.faults = [give(200, body)]
    pulled = pull(county)
    assert words in rejected(pulled)
    assert pulled.parts == (body,)
    assert len(county.asked) == 1


def test_an_oversized_body_is_rejected_and_not_read_to_its_end(county: County) -> None:
    county.faults = [give(200, b"x" * (MAX_BYTES + 3_000_000))]
    pulled = pull(county)
    assert "50 MB" in rejected(pulled)
    assert len(pulled.parts[0]) == MAX_BYTES + 1


def test_a_wrong_token_is_rejected_and_the_token_is_in_no_message(county: County) -> None:
    listing = SOURCE.pull_day(platform(), connection(county, "wrong-token-77"), DAY, set())
    (pulled,) = listing.pulled
    assert "401" in rejected(pulled)
    county.faults = [give(500, b'{"msg": "seen right-token-8f3a"}')] * 9
    assert TOKEN not in failed(pull(county, attempts=1))


def test_a_connection_without_a_token_is_rejected_before_anything_is_asked(county: County) -> None:
    (pulled,) = SOURCE.pull_day(platform(), connection(county, ""), DAY, set()).pulled
    assert pulled.failure is not None
    assert "令牌" in pulled.failure.message
    assert county.asked == []


def test_a_redirect_is_not_followed(county: County) -> None:
    county.faults = [give(302, Location=f"http://localhost:{county.port}/api/v1/submissions")]
    assert "302" in rejected(pull(county))
    assert len(county.asked) == 1


def test_an_answer_that_was_compressed_unasked_is_rejected(county: County) -> None:
    county.faults = [give(200, b"\x1f\x8b", Content_Encoding="gzip")]
    assert "压缩" in rejected(pull(county))
    assert county.asked[0].headers["accept-encoding"] == "identity"


def test_a_slow_platform_is_a_failed_batch_in_bounded_time(county: County) -> None:
    county.delay_s = 1.0
    started = time.monotonic()
    assert "超时" in failed(pull(county, timeout_s=0.2, attempts=2))
    assert time.monotonic() - started < 3


def test_an_unreachable_platform_is_a_failed_batch(county: County) -> None:
    county.port = 1
    pulled = pull(county, attempts=2)
    assert "连接不上" in failed(pulled)
    assert pulled.parts == ()


def test_a_proxy_of_the_environment_is_not_used(county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    county.items = [item(1)]
    assert len(units(pull(county))) == 1


def test_path_and_fields_follow_the_declaration(county: County) -> None:
    county.items = [item(1)]
    county.faults = [lambda asked: (200, {}, county.page(Asked("", {"page": "1", "size": "500"}, "", {}, 0)))]
    pull(county, path="/open/daily", fields={"date": "rq", "page": "ym", "size": "sl"})
    assert county.asked[0].path == "/open/daily"
    assert county.asked[0].query == {"rq": "2026-03-02", "ym": "1", "sl": "500"}


def since(county: County, **options: Any) -> Listing:
    moment = datetime(2026, 3, 1, 16, 0, 0, 999, tzinfo=UTC)
    return SOURCE.pull_since(platform(**options), connection(county), moment, set())


def test_what_changed_since_is_one_batch_per_day_of_the_same_pages(county: County) -> None:
    county.items = [item(1), item(2, date="2026-02-27"), item(3), item(4, date="gestern")]
    first, second, third = since(county, page_size=2).pulled
    assert [each.stat_date for each in (first, second, third)] == [
        date(2026, 2, 27),
        date(2026, 3, 2),
        date(2026, 3, 3),
    ]
    assert {each.sha256 for each in (first, second, third)} == {first.sha256}
    assert all(each.parts == first.parts for each in (second, third))
    assert [units(each) for each in (first, second, third)] == [
        ["371302000002"],
        ["371302000001", "371302000003"],
        ["371302000004"],
    ]
    assert "updated_since=2026-03-02T00%3A00%3A00%2B08%3A00" in county.asked[0].raw_query
    assert "date" not in county.asked[0].query


def test_a_day_to_come_or_of_another_age_is_no_batch_of_its_own(county: County) -> None:
    county.items = [
        item(1),
        item(2, date="2099-01-01"),
        item(3, date="0206-03-02"),
        item(4, date="2026-03-04"),
    ]
    first, second = since(county).pulled
    assert [each.stat_date for each in (first, second)] == [date(2026, 3, 2), date(2026, 3, 3)]
    assert units(second) == ["371302000002", "371302000003", "371302000004"]


def test_nothing_changed_since_is_no_batch(county: County) -> None:
    assert list(since(county).pulled) == []


def test_a_failure_since_stands_on_the_day_of_the_pull(county: County) -> None:
    county.faults = [give(401)]
    (pulled,) = since(county).pulled
    rejected(pulled)
    assert pulled.stat_date == date(2026, 3, 3)


def test_the_zone_of_since_does_not_matter(county: County) -> None:
    moment = datetime(2026, 3, 2, tzinfo=UTC) - timedelta(hours=8)
    SOURCE.pull_since(platform(), connection(county), moment, set())
    assert county.asked[0].query["updated_since"] == "2026-03-02T00:00:00+08:00"


def test_check_authenticates_and_says_what_it_found(county: County) -> None:
    county.items = [item(n) for n in range(3)]
    assert "3 份" in SOURCE.check(platform(page_size=1), connection(county))
    assert len(county.asked) == 1
    with pytest.raises(PullFailed, match="401"):
        SOURCE.check(platform(), connection(county, "wrong-token-77"))


@pytest.mark.parametrize("token", ["two\nlines", "全角"])
def test_a_token_that_no_header_can_carry_is_rejected(county: County, token: str) -> None:
    (pulled,) = SOURCE.pull_day(platform(), connection(county, token), DAY, set()).pulled
    assert "写法不对" in rejected(pulled)
    assert token not in rejected(pulled)
    assert county.asked == []


def test_a_wrong_option_is_rejected_by_name_in_every_pull(county: County) -> None:
    assert "page_sise" in rejected(pull(county, page_sise=5))
    (pulled,) = since(county, page_sise=5).pulled
    assert "page_sise" in rejected(pulled)
    with pytest.raises(PullFailed, match="page_sise"):
        SOURCE.check(platform(page_sise=5), connection(county))
