"""County and city platforms as contract.md, A: one HTTP server, one port per platform, submissions and stocks."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

import anyio
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from etl.catalog import Dataset
from simulator.deliveries import Submission

BODY_LIMIT = 50 * 1024 * 1024
PAGE_LIMIT = 500
RETRY_AFTER_S = 1
SLOW_S = 0.4
"""Seconds that a slow platform takes for an answer; what is set meanwhile holds for those who wait, too."""

RestFault = Literal[
    "outage",
    "html",
    "code",
    "unauthorised",
    "missing_page",
    "oversized",
    "burst_429",
    "burst_5xx",
    "truncated",
    "slow",
]
HEALING: dict[RestFault, int] = {"burst_429": 2, "burst_5xx": 2, "truncated": 1}
"""Faults that pass by themselves: how many requests they spoil."""


@dataclass
class Asked:
    """One request as a platform saw it. at: seconds of the monotonic clock."""

    platform: str
    at: float
    query: dict[str, str]
    status: int


@dataclass
class RestPlatform:
    """What one platform answers with.

    token: what it accepts as Bearer. listed: the submissions of a data set that it would list now, of all days, asked
    anew for every request. fault: how it misbehaves now, asked for a data set. host: the address to listen on.
    """

    id: str
    token: str
    listed: Callable[[Dataset], Sequence[tuple[date, Submission]]]
    fault: Callable[[Dataset], RestFault | None]
    survey_measures: dict[str, str]
    host: str
    sock: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        self.sock = socket.create_server((self.host, 0))

    @property
    def port(self) -> int:
        return int(self.sock.getsockname()[1])


class RestServer:
    """Serves several platforms, each on its own port, from one thread; asked records every request."""

    def __init__(
        self, platforms: Sequence[RestPlatform], extra: Sequence[tuple[socket.socket, ASGIApp]] = ()
    ) -> None:
        self.asked: list[Asked] = []
        self._spoilt: Counter[tuple[str, Dataset, str]] = Counter()
        self._platforms = {platform.port: platform for platform in platforms}
        self._extra = {int(sock.getsockname()[1]): app for sock, app in extra}
        self._sockets = [platform.sock for platform in platforms] + [sock for sock, _ in extra]
        self._api = Starlette(
            routes=[
                Route("/api/v1/submissions", self._submissions),
                Route("/api/v1/stocks", self._stocks),
            ]
        )
        config = uvicorn.Config(
            self._app,
            http="h11",
            interface="asgi3",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=(self._sockets,), name="rest", daemon=True
        )

    def start(self) -> None:
        """Listen; returns once requests are answered."""
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)

    def stop(self) -> None:
        """Answer no more requests and free the ports."""
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(timeout=10)
        for sock in self._sockets:
            sock.close()

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        extra = self._extra.get(scope["server"][1])
        await (self._api if extra is None else extra)(scope, receive, send)

    async def _submissions(self, request: Request) -> Response:
        return await self._recorded(request, "daily")

    async def _stocks(self, request: Request) -> Response:
        return await self._recorded(request, "stocks")

    async def _recorded(self, request: Request, dataset: Dataset) -> Response:
        platform = self._platforms[request.scope["server"][1]]
        response = await self._answer(platform, request, dataset)
        self.asked.append(
            Asked(platform.id, time.monotonic(), dict(request.query_params), response.status_code)
        )
        return response

    async def _answer(self, platform: RestPlatform, request: Request, dataset: Dataset) -> Response:
        fault = platform.fault(dataset)
        if fault in HEALING and self._spoilt[platform.id, dataset, fault] >= HEALING[fault]:
            fault = None
        elif fault is not None:
            self._spoilt[platform.id, dataset, fault] += 1
        if fault == "outage":
            return _error(503, "service unavailable")
        if fault == "burst_429":
            return _error(429, "too many requests", {"Retry-After": str(RETRY_AFTER_S)})
        if fault == "burst_5xx":
            return _error((500, 502)[self._spoilt[platform.id, dataset, fault] % 2], "upstream failed")
        if fault == "unauthorised" or request.headers.get("Authorization") != f"Bearer {platform.token}":
            return _error(401, "bad token")
        if fault == "html":
            return HTMLResponse("<html><body>系统维护中</body></html>")
        if fault == "code":
            return _json({"code": 5001, "msg": "统计服务未启动", "data": None})
        if fault == "slow":
            came = time.monotonic()
            while (left := came + SLOW_S - time.monotonic()) > 0:
                await anyio.sleep(min(left, 0.1))
        try:
            choose = _choose_month if dataset == "stocks" else _choose
            chosen, page, size = choose(request.query_params.multi_items(), platform.listed(dataset))
        except ValueError as error:
            return _error(422, str(error))
        items = chosen[(page - 1) * size : page * size]
        total = len(chosen) + (1 if fault == "missing_page" else 0)
        body = _json(
            {
                "code": 0,
                "msg": "ok",
                "data": {
                    "total": total,
                    "page": page,
                    "size": size,
                    "items": [submission_json(each, platform.survey_measures) for each in items],
                },
            }
        )
        if fault == "oversized":
            body.body = bytes(body.body) + b" " * BODY_LIMIT
            body.headers["Content-Length"] = str(len(body.body))
        return _Truncated(body) if fault == "truncated" else body


class _Truncated(Response):
    """Promises a whole body and ends the connection in the middle of it."""

    def __init__(self, whole: Response) -> None:
        super().__init__(bytes(whole.body[: len(whole.body) // 2]), media_type="application/json")
        self.promised = str(len(whole.body))
        self.headers["Content-Length"] = self.promised


def submission_json(submission: Submission, survey_measures: dict[str, str]) -> dict[str, Any]:
    """One item of the list, as contract.md A spells it.

    survey_measures: measure code to its key in a survey entry.
    """
    values: list[dict[str, Any]] = []
    survey: dict[str, dict[str, Any]] = {}
    totals: dict[str, int] = {}
    is_stocks = len(submission.stat_date) == len("2026-03")
    for measure, channel, value in submission.figures:
        key = survey_measures.get(measure)
        if key is not None and key not in survey.get(channel, {}):
            survey.setdefault(channel, {"channel": channel})[key] = value
            continue
        values.append({"measure": measure} | ({} if is_stocks else {"channel": channel}) | {"value": value})
        if isinstance(value, int):
            totals[measure] = totals.get(measure, 0) + value
    item: dict[str, Any] = {
        "unit": submission.unit,
        "month" if is_stocks else "date": submission.stat_date,
        "revision": submission.revision,
        "submitted_at": submission.received_at.isoformat(timespec="seconds"),
        "values": "见附件" if submission.unreadable else values,
    }
    if survey:
        item["survey"] = list(survey.values())
    if submission.totals and totals:
        first = next(iter(totals))
        item["totals"] = {**totals, first: totals[first] + submission.total_off}
    if submission.note:
        item["remark"] = submission.note
    return item


def _choose(
    query: list[tuple[str, str]], listed: Sequence[tuple[date, Submission]]
) -> tuple[list[Submission], int, int]:
    """The submissions asked for, page and size. Raises ValueError naming the bad parameter."""
    asked, page, size = _asked(query, "date", "updated_since")
    if ("date" in asked) == ("updated_since" in asked):
        raise ValueError("give either date or updated_since")
    if "date" in asked:
        try:
            day = date.fromisoformat(asked["date"])
        except ValueError:
            raise ValueError("date must be YYYY-MM-DD") from None
        return [submission for stat_date, submission in listed if stat_date == day], page, size
    try:
        since = datetime.fromisoformat(asked["updated_since"])
    except ValueError:
        raise ValueError("updated_since must be ISO 8601") from None
    if since.tzinfo is None:
        raise ValueError("updated_since must carry its time zone")
    return [submission for _, submission in listed if submission.received_at >= since], page, size


def _choose_month(
    query: list[tuple[str, str]], listed: Sequence[tuple[date, Submission]]
) -> tuple[list[Submission], int, int]:
    """The stocks asked for, page and size. Raises ValueError naming the bad parameter."""
    asked, page, size = _asked(query, "month")
    try:
        month = date.fromisoformat(f"{asked.get('month', '')}-01")
    except ValueError:
        raise ValueError("month must be YYYY-MM") from None
    return [each for last_day, each in listed if last_day.replace(day=1) == month], page, size


def _asked(query: list[tuple[str, str]], *known: str) -> tuple[dict[str, str], int, int]:
    asked = dict(query)
    if len(asked) != len(query) or not asked.keys() <= {*known, "page", "size"}:
        raise ValueError(f"unknown or repeated parameter; known are {', '.join(known)}, page, size")
    page = _whole_number(asked, "page", 1, None)
    return asked, page, _whole_number(asked, "size", PAGE_LIMIT, PAGE_LIMIT)


def _whole_number(asked: dict[str, str], name: str, default: int, most: int | None) -> int:
    text = asked.get(name, str(default))
    if not text.isascii() or not text.isdigit() or int(text) < 1 or (most is not None and int(text) > most):
        raise ValueError(f"{name} must be a whole number from 1" + (f" to {most}" if most else ""))
    return int(text)


def _json(content: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, "application/json")


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return _json({"code": status, "msg": message, "data": None}, status, headers)
