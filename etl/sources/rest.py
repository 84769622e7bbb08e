"""Family A, county and city platforms: submissions and stocks over REST, as JSON pages."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import itertools
import json
import math
import re
import ssl
from collections import Counter
from collections.abc import Callable, Container, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import itemgetter
from typing import Any, TypeVar

import httpx
import numpy as np
import orjson
import tenacity
from pydantic import Field

from etl.catalog import Catalog, Dataset, Platform
from etl.clock import SHANGHAI, Clock, utc_now
from etl.connections import Connection
from etl.sources.base import (
    MAX_BYTES,
    Failure,
    Listing,
    Options,
    Pulled,
    PullFailed,
    Reading,
    Seen,
    Unreadable,
    backoff,
    pulled_of,
    read_options,
)
from etl.sources.cells import (
    TOO_DEEP,
    day_text,
    is_day_of_reports,
    json_numbers,
    json_text,
    month_text,
    read_day,
    read_stamp,
)
from etl.sources.frames import Draft, Line, Submission
from etl.sources.personal import any_personal, find_personal, mask

T = TypeVar("T")
_NAME = "submissions"
_SINCE = "submissions-since-"
_STOCKS = "stocks"
_LONGEST_WAIT_S = 120
"""A platform that asks for a longer pause is left alone: the next run comes back to it."""
_SLOWEST = 10
"""A request may take so many times timeout_s in all, however steadily it trickles."""
_LONGEST_PULL = 60
"""A whole pull may take so many times timeout_s; then the platform is left for the next run."""
_PASSES = 3
_ERROR_BYTES = 65_536
_MAX_PULLED = 500_000_000
"""Bytes of the pages of one pull: some ten years of a city's units."""
_MAX_ITEMS = 1_000_000
_MAX_BRACKETS, _MAX_COMMAS = 1_000_000, 3_000_000
"""What a body of 50 MB with figures in it does not reach. JSON that is all brackets takes thirty times its bytes."""
_TWICE = "（重复的键）"
"""Under this key, which no platform uses, stands the key that an object has twice."""
_SHOWN_OTHERWISE = re.compile(rf"\\\\|[0-9]e|{TOO_DEEP}")
"""Where JSON written anew may not show a text or a number digit by digit."""
_MISWRITTEN = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError, UnicodeEncodeError)


class RestOptions(Options):
    """path of submissions and stocks_path of stocks, below the base URL; page_size; concurrency of requests; fields:
    the contract's name of a field or of a query parameter → the platform's."""

    path: str = "/api/v1/submissions"
    stocks_path: str = "/api/v1/stocks"
    page_size: int = Field(default=500, ge=1, le=500)
    concurrency: int = Field(default=4, ge=1, le=32)
    fields: dict[str, str] = Field(default_factory=dict)


class _TransientError(Exception):
    """Worth another try. after_s: the pause that the platform asks for."""

    def __init__(self, words: str, body: bytes | None = None, after_s: float | None = None) -> None:
        super().__init__(words)
        self.body = body
        self.after_s = after_s


class _CutError(Unreadable):
    """JSON that begins as promised and breaks off."""


class _MovedError(Exception):
    """The pages do not fit each other: the whole paging starts again."""


@dataclass(frozen=True)
class _Page:
    body: bytes
    items: list[Any]
    total: int
    number: int | None
    size: int | None


@dataclass(frozen=True)
class _Arrived:
    """A page that came: its bytes, how many items it has, their days, a digest of them, and whose they are (unit, date
    and revision as they were written)."""

    body: bytes
    count: int
    days: frozenset[date]
    digest: bytes
    senders: frozenset[tuple[str, str, str]]


@dataclass
class Rest:
    """County and city platforms (contract, A)."""

    clock: Clock = utc_now
    first_wait_s: float = 0.5

    def pull_day(
        self, platform: Platform, connection: Connection, day: date, known: Container[Seen]
    ) -> Listing:
        try:
            pages = self._pull(platform, connection, {"date": day.isoformat()}, own_day=day)
        except PullFailed as error:
            return Listing([pulled_of(day, _NAME, error.parts, failure=error.failure)])
        return Listing([pulled_of(day, _NAME, [page.body for page in pages])])

    def pull_month(self, platform: Platform, connection: Connection, last_day: date) -> Listing:
        """Bring the stocks of the month that ends on a day, as they stand."""
        try:
            pages = self._pull(
                platform, connection, {"month": f"{last_day:%Y-%m}"}, "stocks", own_day=last_day
            )
        except PullFailed as error:
            pulled = pulled_of(last_day, _STOCKS, error.parts, failure=error.failure, dataset="stocks")
            return Listing([pulled])
        return Listing([pulled_of(last_day, _STOCKS, [page.body for page in pages], dataset="stocks")])

    def pull_since(
        self, platform: Platform, connection: Connection, since: datetime, known: Container[Seen]
    ) -> Listing:
        """One batch per day found, all of the same pages; an item whose date cannot be read or reported on goes to
        today."""
        own_day = self.clock().astimezone(SHANGHAI).date()
        name = f"{_SINCE}{own_day.isoformat()}"
        asked = {"updated_since": since.astimezone(SHANGHAI).isoformat(timespec="seconds")}
        try:
            pages = self._pull(platform, connection, asked, own_day=own_day)
        except PullFailed as error:
            return Listing([pulled_of(own_day, name, error.parts, failure=error.failure)])
        days = frozenset[date]().union(*(page.days for page in pages))
        parts = [page.body for page in pages]
        return Listing([pulled_of(day, name, parts) for day in sorted(days)])

    def check(self, platform: Platform, connection: Connection) -> str:
        today = self.clock().astimezone(SHANGHAI).date()
        dataset: Dataset = "daily" if "daily" in platform.datasets else "stocks"
        asked = {"date": today.isoformat()} if dataset == "daily" else {"month": f"{today:%Y-%m}"}
        total = asyncio.run(self._client(platform, connection, asked, dataset, today).total())
        return f"可以连接，令牌有效，{next(iter(asked.values()))} 已有 {total} 份报送"

    def read(self, platform: Platform, catalog: Catalog, pulled: Pulled) -> Reading:
        field = _renamed(read_options(RestOptions, platform))
        own_day = read_day(pulled.name.removeprefix(_SINCE)) if pulled.name.startswith(_SINCE) else None
        reader = _Reader(catalog, field, pulled.dataset)
        for number, body in enumerate(pulled.parts, 1):
            items = enumerate(_page(body, field, looks_twice=True).items, 1)
            wanted = {
                at: item
                for at, item in items
                if own_day is None or _day_of(item, field, own_day) == pulled.stat_date
            }
            reader.add_page(f"第 {number} 页", wanted)
        return reader.draft.reading()

    def _pull(
        self,
        platform: Platform,
        connection: Connection,
        asked: dict[str, str],
        dataset: Dataset = "daily",
        *,
        own_day: date,
    ) -> list[_Arrived]:
        return asyncio.run(self._client(platform, connection, asked, dataset, own_day).pages())

    def _client(
        self,
        platform: Platform,
        connection: Connection,
        asked: dict[str, str],
        dataset: Dataset,
        own_day: date,
    ) -> _Client:
        try:
            options = read_options(RestOptions, platform)
            if not connection.password:
                raise Unreadable(f"连接 {connection.conn_id} 没有令牌（password）")
        except Unreadable as error:
            raise PullFailed(Failure("rejected", str(error))) from None
        path = options.stocks_path if dataset == "stocks" else options.path
        return _Client(platform, connection, options, path, asked, own_day, self.first_wait_s)


class _Client:
    """One pull: its pages, each tried again while that may help."""

    def __init__(
        self,
        platform: Platform,
        connection: Connection,
        options: RestOptions,
        path: str,
        asked: dict[str, str],
        own_day: date,
        first_wait_s: float,
    ) -> None:
        self._platform = platform
        self._connection = connection
        self._options = options
        self._field = _renamed(options)
        self._own_day = own_day
        self._asked = {self._field(name): value for name, value in asked.items()}
        self._wait = backoff(first_wait_s)
        self._jitter = tenacity.wait_random(0, first_wait_s)
        self._url = connection.base_url().rstrip("/") + path
        self._http: httpx.AsyncClient
        self._size = options.page_size
        self._resume_at = 0.0
        self._arrived: dict[int, _Arrived] = {}
        self._twice: set[tuple[str, str, str]] = set()

    async def pages(self) -> list[_Arrived]:
        """All pages in order. Raises PullFailed with what arrived."""
        return await self._connected(self._all)

    async def total(self) -> int:
        """How many submissions there are. Raises PullFailed."""
        return (await self._connected(lambda: self._get(1))).total

    async def _connected(self, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        try:
            verify = ssl.create_default_context() if self._url.startswith("https:") else False
            async with httpx.AsyncClient(
                headers={
                    "Authorization": f"Bearer {self._connection.password}",
                    "Accept": "application/json",
                    "Accept-Encoding": "identity",
                },
                timeout=self._options.timeout_s,
                follow_redirects=False,
                trust_env=False,
                verify=verify,
            ) as self._http:
                async with asyncio.timeout(self._options.timeout_s * _LONGEST_PULL):
                    return await ask()
        except TimeoutError:
            seconds = self._options.timeout_s * _LONGEST_PULL
            raise self._failed("failed", f"{seconds:.0f} 秒内没有取完，下次再来") from None
        except _MISWRITTEN as error:
            raise self._failed("rejected", f"地址或令牌写法不对（{type(error).__name__}）") from None

    async def _all(self) -> list[_Arrived]:
        retrying = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(_PASSES),
            wait=self._wait,
            retry=tenacity.retry_if_exception_type(_MovedError),
            reraise=True,
        )
        try:
            return await retrying(self._one_pass)
        except _MovedError as error:
            raise self._failed("failed", f"分页不一致，已重取 {_PASSES} 次：{error}") from None

    async def _one_pass(self) -> list[_Arrived]:
        self._arrived = {}
        self._size = self._options.page_size
        first = await self._get(1)
        if first.size and 0 < first.size < self._size:
            self._size = first.size
        if first.total > _MAX_ITEMS:
            raise _MovedError(f"total 为 {first.total:,}，超过 {_MAX_ITEMS:,} 份，不可信")
        if len(first.items) == first.total:
            return [self._arrived[1]]
        self._check_page(1, first, first.total)
        count = math.ceil(first.total / self._size)
        numbers = iter(range(2, count + 1))
        workers = [
            asyncio.create_task(self._work(numbers, first.total))
            for _ in range(min(self._options.concurrency, count - 1))
        ]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        pages = [page for _, page in sorted(self._arrived.items())]
        self._check_senders(pages)
        return pages

    def _check_senders(self, pages: Sequence[_Arrived]) -> None:
        """A unit that stands on two pages with one day may have sent again meanwhile and moved to the end: then another
        slipped from a page that was still to come to one that had. Where the same stand so twice, it is how the
        platform lists revisions."""
        seen = Counter(sender for page in pages for sender in {each[:2] for each in page.senders})
        before = self._twice
        self._twice = {each for page in pages for each in page.senders if seen[each[:2]] > 1}
        if self._twice and self._twice != before:
            raise _MovedError("同一单位同一天的报送出现在两页上")

    async def _work(self, numbers: Iterator[int], total: int) -> None:
        for number in numbers:
            self._check_page(number, await self._get(number), total)

    def _check_page(self, number: int, page: _Page, total: int) -> None:
        expected = min(self._size, max(0, total - (number - 1) * self._size))
        if page.number not in (None, number):
            raise _MovedError(f"要的是第 {number} 页，收到第 {page.number} 页")
        if page.total != total:
            raise _MovedError(f"第 {number} 页的 total 由 {total} 变为 {page.total}")
        if len(page.items) != expected:
            raise _MovedError(f"第 {number} 页应有 {expected} 条，收到 {len(page.items)} 条（total {total}）")
        mine = self._arrived[number]
        for other, arrived in self._arrived.items():
            if other != number and arrived.digest == mine.digest and mine.count > 1:
                raise _MovedError(f"第 {other} 页与第 {number} 页的内容相同")

    async def _get(self, number: int) -> _Page:
        retrying = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(self._options.attempts),
            wait=self._pause,
            retry=tenacity.retry_if_exception_type(_TransientError),
            reraise=True,
        )
        try:
            page: _Page = await retrying(self._once, number)
        except _TransientError as error:
            words = f"第 {number} 页：{error}，已尝试 {self._options.attempts} 次"
            raise self._failed("failed", words, error.body) from None
        self._keep(number, page)
        return page

    def _keep(self, number: int, page: _Page) -> None:
        """Of a page that came, its bytes and what the paging asks; the items are read again when it is their turn."""
        days = frozenset(_day_of(item, self._field, self._own_day) for item in page.items)
        try:
            same = orjson.dumps(page.items)
        except TypeError:  # deeper than orjson writes
            same = page.body
        digest = hashlib.sha256(same).digest()
        unit, day, revision = map(self._field, ("unit", "date", "revision"))
        senders = frozenset(
            (json_text(item.get(unit)), json_text(item.get(day)), json_text(item.get(revision)))
            for item in page.items
            if isinstance(item, dict)
        )
        self._arrived[number] = _Arrived(page.body, len(page.items), days, digest, senders)
        if sum(len(each.body) for each in self._arrived.values()) > _MAX_PULLED:
            raise self._failed("rejected", "一次采集的正文合计超过 500 MB，请分日采集")

    def _pause(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.after_s if isinstance(error, _TransientError) else None
        return self._wait(state) if asked is None else asked + self._jitter(state)

    async def _once(self, number: int) -> _Page:
        loop = asyncio.get_running_loop()
        while (pause := self._resume_at - loop.time()) > 0:
            await asyncio.sleep(pause)
        params = self._asked | {self._field("page"): str(number), self._field("size"): str(self._size)}
        body = bytearray()
        try:
            async with (
                asyncio.timeout(self._options.timeout_s * _SLOWEST),
                self._http.stream("GET", self._url, params=params) as response,
            ):
                bound = MAX_BYTES if response.status_code == 200 else _ERROR_BYTES
                async for chunk in response.aiter_raw(65_536):
                    body += chunk[: bound + 1 - len(body)]
                    if len(body) > bound:
                        break
        except (TimeoutError, httpx.TimeoutException):
            raise _TransientError("超时", bytes(body) or None) from None
        except httpx.RemoteProtocolError:
            raise _TransientError("应答中断，正文不完整", bytes(body) or None) from None
        except _MISWRITTEN:
            raise
        except httpx.TransportError as error:
            raise _TransientError(f"连接不上（{type(error).__name__}）", bytes(body) or None) from None
        return self._judge(number, response, bytes(body))

    def _judge(self, number: int, response: httpx.Response, body: bytes) -> _Page:
        status = response.status_code
        if status in (408, 429) or status >= 500:
            after_s = _retry_after(response)
            if after_s is not None:
                if after_s > _LONGEST_WAIT_S:
                    words = f"平台应答 {status}，要求 {after_s:.0f} 秒后再来"
                    raise self._failed("failed", words, body)
                loop = asyncio.get_running_loop()
                self._resume_at = max(self._resume_at, loop.time() + after_s)
            raise _TransientError(f"平台应答 {status}{_reason(body)}", body, after_s)
        if status != 200:
            meaning = {401: "令牌无效", 403: "没有权限", 404: "没有这个路径", 422: "参数不被接受"}.get(
                status, ""
            )
            if 300 <= status < 400:
                meaning = "平台要求转到别的地址，未跟随：请在连接中填写最终地址"
            words = "".join((f"平台应答 {status}", meaning and f" {meaning}", _reason(body)))
            raise self._failed("rejected", words, body)
        if len(body) > MAX_BYTES:
            raise self._failed("rejected", f"第 {number} 页的正文超过 50 MB", body)
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise self._failed("rejected", "平台的应答用了没有约定的压缩", body)
        try:
            page = _page(body, self._field)
        except _CutError as error:
            raise _TransientError(str(error), body) from None
        except Unreadable as error:
            raise self._failed("rejected", str(error), body) from None
        return page

    def _failed(self, state: Any, words: str, body: bytes | None = None) -> PullFailed:
        parts = [page.body for _, page in sorted(self._arrived.items())]
        if body is not None:
            parts.append(body)
        secret = self._connection.password
        words = words.replace(secret, "***") if secret else words
        return PullFailed(Failure(state, f"平台 {self._platform.id}：{mask(words)}"), parts)


def _renamed(options: RestOptions) -> Callable[[str], str]:
    """From the contract's name of a field to the platform's."""
    return lambda name: options.fields.get(name, name)


def _retry_after(response: httpx.Response) -> float | None:
    """The pause asked for, in seconds; None when none is asked for in seconds."""
    text = response.headers.get("retry-after", "").strip()
    return float(text) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", text) else None


def _reason(body: bytes) -> str:
    """What the platform says of an error: the msg of its JSON."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return "（网页）" if _looks_like_html(body) else ""
    said = answer.get("msg") if isinstance(answer, dict) else None
    return f":{_short(said)}" if said else ""


def _short(said: object) -> str:
    return " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", mask(str(said))).split())[:200]


def _looks_like_html(body: bytes) -> bool:
    return body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<"


def _page(body: bytes, field: Callable[[str], str], looks_twice: bool = False) -> _Page:
    """The page in a body. Raises Unreadable when it is not the JSON promised, _CutError when it breaks off.

    looks_twice: objects that have a key twice are marked with it under _TWICE.
    """
    text = body.removeprefix(b"\xef\xbb\xbf")
    if _count(text, b"{[") > _MAX_BRACKETS or _count(text, b",") > _MAX_COMMAS:
        raise Unreadable("平台应答 200，正文的层次或数据项过多，不是约定的 JSON")
    try:
        answer = _loaded(text)
        if looks_twice and _may_repeat(text, answer):
            answer = _loaded_slowly(text, _marked)
    except RecursionError:
        raise Unreadable("平台应答 200，正文嵌套过深，不是约定的 JSON") from None
    except orjson.JSONDecodeError as error:
        if text.lstrip()[:1] == b"{" and (
            error.msg == "unexpected end of data" or _ends_in_a_character(text)
        ):
            raise _CutError("JSON 在中途断开，正文不完整") from None
        what = "空的" if not text.strip() else "网页（HTML）" if _looks_like_html(body) else "不合语法的 JSON"
        raise Unreadable(f"平台应答 200，正文却是{what}，不是约定的 JSON") from None
    data = answer.get(field("data")) if isinstance(answer, dict) else None
    for each in (answer, data):
        if isinstance(each, dict) and _TWICE in each:
            raise Unreadable(f"平台应答 200，正文中 {each[_TWICE]} 出现两次，不是约定的 JSON")
    code = answer.get(field("code")) if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or type(code) is not int:
        raise Unreadable("平台应答 200，正文没有整数 code，不是约定的 JSON")
    if code != 0:
        raise Unreadable(f"平台应答 code {code}：{_short(answer.get(field('msg')) or '没有说明')}")
    if not isinstance(data, dict):
        data = {}
    items, total = data.get(field("items")), data.get(field("total"))
    if not isinstance(items, list) or type(total) is not int or total < 0:
        raise Unreadable("平台应答 200，正文没有 data.items 和 data.total，不是约定的 JSON")
    number, size = (data.get(field(name)) for name in ("page", "size"))
    return _Page(
        body, items, total, number if type(number) is int else None, size if type(size) is int else None
    )


def _loaded(text: bytes) -> Any:
    """What orjson reads; a number beyond its range becomes a text. Raises orjson.JSONDecodeError, RecursionError."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if "infinity" not in error.msg:
            raise
    return orjson.loads(json.dumps(_loaded_slowly(text, dict)))


def _loaded_slowly(text: bytes, of_pairs: Callable[[list[tuple[str, Any]]], dict[str, Any]]) -> Any:
    def refuse(name: str) -> None:
        raise ValueError(f"{name} is no JSON")

    try:
        return json.loads(
            text, parse_int=_finite, parse_float=_finite, parse_constant=refuse, object_pairs_hook=of_pairs
        )
    except ValueError as error:
        raise orjson.JSONDecodeError(str(error), "", 0) from None


def _finite(text: str) -> int | float | str:
    number = float(text)
    if not math.isfinite(number):
        return text
    return int(text) if text.lstrip("-").isdigit() and abs(number) < 2**63 else number


def _marked(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object; when a key stands in it twice, marked with that key."""
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        made[_TWICE] = next(key for key in keys if keys.count(key) > 1)
    return made


def _may_repeat(text: bytes, answer: Any) -> bool:
    """Whether the text has more keys than what was read of it: read again, it shows the key that stands twice.

    Counted are colons, in texts too; only escapes could make a text count less than what was read.
    """
    try:
        read = _count(orjson.dumps(answer), b":")
    except TypeError:  # deeper than orjson writes
        return True
    return (b"\\" in text and b"\\u00" in text) or _count(text, b":") > read


def _count(text: bytes, characters: bytes) -> int:
    """How many of these characters the text has. Where there are many, bytes.count takes seven times as long."""
    codes = np.frombuffer(text, np.uint8)
    return sum(int(np.count_nonzero(codes == each)) for each in characters)


def _ends_in_a_character(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return False


def _day_of(item: Any, field: Callable[[str], str], own_day: date) -> date:
    """The day an item belongs to; the pull's own when it cannot be read or reported on."""
    text = item.get(field("date")) if isinstance(item, dict) else None
    day = (read_day(text) if isinstance(text, str) else None) or own_day
    return day if is_day_of_reports(day, own_day) else own_day


def _holds_personal(item: Any) -> bool:
    waiting, texts = [item], []
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, float) and value.is_integer():
            texts.append(str(int(value)))
        else:
            texts.append(str(value))
    return any_personal(texts)


def _whole(value: Any) -> int:
    """The revision in a JSON number, -1 when it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return -1
    return int(value) if 0 <= value < 2**63 and value == int(value) else -1


class _Reader:
    """Items to submissions and figures. A stock's date is the last day of its month, its channel the total."""

    def __init__(self, catalog: Catalog, field: Callable[[str], str], dataset: Dataset) -> None:
        self.draft = Draft()
        self._of_stocks = dataset == "stocks"
        self._when = "month" if self._of_stocks else "date"
        self._measure, self._channel, self._value = map(field, ("measure", "channel", "value"))
        read = (
            [self._value, self._measure] if self._of_stocks else [self._value, self._measure, self._channel]
        )
        self._of_value = [*map(itemgetter, read)]
        self._survey_key, self._totals_key = map(field, ("survey", "totals"))
        self._keys = [*map(field, ("unit", self._when, "revision", "submitted_at", "values"))]
        self._taken = set(self._keys)
        self._lines: list[Line] = []
        self._entries: list[Any] = []
        self._beside: list[str] = []
        self._day_text = functools.cache(month_text if self._of_stocks else day_text)
        measures = catalog.measures
        self._survey: dict[str, str] = {
            field(code.removeprefix(prefix)): code
            for prefix in ("", "survey_")
            for code, measure in measures.items()
            if measure.kind == "survey"
        }

    def add_page(self, part: str, items: Mapping[int, Any]) -> None:
        """The items of a page by their numbers. Personal data in what becomes neither text nor figure is looked for
        here: in all items at once, and one by one when there may be some."""
        first = len(self.draft.submissions)
        self._beside = []
        for at, item in items.items():
            self._add(item, (part, at))
        self._add_waiting()
        words = "\n".join(self._beside)
        if _SHOWN_OTHERWISE.search(words) or find_personal(words):
            for index, item in enumerate(items.values(), first):
                self.draft.submissions[index].personal |= _holds_personal(item)

    def _add(self, item: Any, place: tuple[str, int]) -> None:
        """One item: a problem row with all that is wrong with its shape, or its figures, which wait for those of the
        next ones."""
        draft = self.draft
        if not isinstance(item, dict):
            index = draft.submit(Submission("", "", -1, None))
            self._add_problem(index, place, "", item, "这一条不是 JSON 对象")
            return
        unit, date_, revision, stamp, values = map(item.get, self._keys)
        survey = None if self._of_stocks else item.get(self._survey_key)
        edition = _whole(revision)
        problems = self._problems(item, unit, date_, edition, values, survey)
        day = self._day_text(json_text(date_))
        received_at = read_stamp(stamp) if isinstance(stamp, str) else None
        is_nil = values == [] and not problems
        index = draft.submit(Submission(json_text(unit).strip(), day, edition, received_at, is_nil=is_nil))
        if problems:
            self._add_problem(index, place, day, item, ";".join(problems))
            return
        if values:
            self._lines.append((index, *place, day, len(values)))
            self._entries += values
        if survey:
            self._add_waiting()
            for entry in survey:
                self._add_survey(index, place, day, entry)
        if not self._of_stocks:
            self._add_totals(index, place, item.get(self._totals_key))
        others = item.keys() - self._taken
        rest = json_text({key: item[key] for key in others}) if others else ""
        self._beside.append(f"{date_}|{revision}|{stamp}|{rest}")

    def _add_problem(self, index: int, place: tuple[str, int], day: str, item: Any, words: str) -> None:
        self._add_waiting()
        self.draft.problem(index, place, day, json_text(item), words)
        self._beside.append(json_text(item))

    def _problems(
        self, item: dict[str, Any], unit: Any, day: Any, edition: int, values: Any, survey: Any
    ) -> list[str]:
        problems = []
        if _TWICE in item:
            problems.append(f"键 {item[_TWICE]} 出现两次，无从判断以哪个为准")
        if not isinstance(unit, (str, int)) or isinstance(unit, bool):
            problems.append("没有 unit")
        if not isinstance(day, str):
            problems.append(f"没有 {self._when}")
        if edition < 0:
            problems.append("revision 不是整数")
        if not isinstance(values, list) and not (values is None and survey):
            problems.append("values 不是列表")
        if survey is not None and not isinstance(survey, list):
            problems.append("survey 不是列表")
        return problems

    def _add_waiting(self) -> None:
        """The figures that wait: all at once when they are as promised, else one by one. What stands in them beside
        figures is left to be searched."""
        lines, entries = self._lines, self._entries
        self._lines, self._entries = [], []
        try:
            values, *texts = [[*map(get, entries)] for get in self._of_value]
            width = sum(map(len, entries)) - len(self._of_value) * len(entries)
            is_plain = None not in values and set[type]().union(*(map(type, each) for each in texts)) <= {str}
        except (KeyError, TypeError):
            is_plain = False
        if is_plain and not (width and any(_TWICE in entry for entry in entries)):
            numbers, shown = json_numbers(values)
            channels = ["all"] * len(values) if self._of_stocks else texts[1]
            self.draft.figures(lines, texts[0], channels, numbers, texts=shown)
            if not width and TOO_DEEP not in shown.values():
                return
        else:
            rest = iter(entries)
            for index, part, at, day, count in lines:
                for entry in itertools.islice(rest, count):
                    self._add_value(index, (part, at), day, entry)
        self._beside.append(json_text(entries))

    def _add_value(self, index: int, place: tuple[str, int], day: str, entry: Any) -> None:
        if not self._add_odd(index, place, day, entry):
            channel = "all" if self._of_stocks else json_text(entry.get(self._channel))
            given = [(json_text(entry.get(self._measure)), entry.get(self._value))]
            self._add_given(index, place, day, given, channel)

    def _add_survey(self, index: int, place: tuple[str, int], day: str, entry: Any) -> None:
        if not self._add_odd(index, place, day, entry):
            given = [
                (self._survey.get(key) or key, value)
                for key, value in entry.items()
                if key != self._channel and (key in self._survey or type(value) in (int, float))
            ]
            self._add_given(index, place, day, given, json_text(entry.get(self._channel)))

    def _add_odd(self, index: int, place: tuple[str, int], day: str, entry: Any) -> bool:
        """What is no object, or has a key twice; whether it was."""
        if not isinstance(entry, dict):
            line = (index, *place, day, 1)
            self.draft.figures([line], [""], [""], [math.nan], texts={0: json_text(entry)})
            return True
        if _TWICE in entry:
            words = f"键 {entry[_TWICE]} 出现两次，无从判断以哪个为准"
            self.draft.problem(index, place, day, json_text(entry), words)
        return _TWICE in entry

    def _add_given(
        self, index: int, place: tuple[str, int], day: str, given: Sequence[tuple[str, Any]], channel: str
    ) -> None:
        """The measures and values of one entry, as far as they are not null."""
        measures = [measure for measure, value in given if value is not None]
        values, texts = json_numbers([value for _, value in given if value is not None])
        line = (index, *place, day, len(measures))
        self.draft.figures([line], measures, [channel] * len(measures), values, texts=texts)

    def _add_totals(self, index: int, place: tuple[str, int], totals: Any) -> None:
        if not isinstance(totals, dict):
            return
        given = {measure: total for measure, total in totals.items() if total is not None}
        for measure, total in zip(given, json_numbers(list(given.values()))[0], strict=True):
            self.draft.total(index, measure, None, total, f"{place[0]}第 {place[1]} 条的 totals")
