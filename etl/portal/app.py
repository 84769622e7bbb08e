"""App: the portal as a web application, made for one site."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.middleware.sessions import SessionMiddleware

from etl.failures import Refused
from etl.periods import PeriodUnknown
from etl.portal import data
from etl.portal.frame import Frame, NotSignedIn
from etl.portal.kept import Kept
from etl.portal.links import LiveLinks
from etl.portal.pages import PAGES
from etl.portal.reader import reader_of
from etl.portal.shield import Shield
from etl.portal.sign_in import SESSION_HOURS, Doors, SignInRefused, Tries, session_secret
from etl.portal.words import LANGUAGES
from etl.site import Site

STATIC = Path(__file__).parent / "static"
log = logging.getLogger(__name__)
YEAR_SECONDS = 365 * 24 * 3600


def create_app(site: Site, doors: Doors | None = None) -> FastAPI:
    """The portal of a site. doors: how people sign in; what the environment says by default."""
    doors = doors or Doors.from_env()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        app.state.reader.dispose()

    app = FastAPI(
        title="公共法律服务统计", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan
    )
    app.state.site = site
    app.state.doors = doors
    app.state.tries = Tries()
    app.state.reader = reader_of(site.engine)
    app.state.kept = Kept()
    for router in PAGES:
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_exception_handler(NotSignedIn, _to_sign_in)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(SQLAlchemyError, _not_readable)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(HTTPException, _not_there)

    @app.middleware("http")
    async def keep_language(request: Request, call_next):  # type: ignore[no-untyped-def]
        response = await call_next(request)
        wanted = request.query_params.get("lang")
        if wanted in LANGUAGES:
            response.set_cookie("lang", wanted, max_age=YEAR_SECONDS, samesite="lax", httponly=True)
        return response

    # A proxy that signs people in speaks TLS; on this machine alone there is none.
    app.add_middleware(
        SessionMiddleware,
        secret_key=session_secret(site.settings.home),
        session_cookie="pls_portal",
        max_age=SESSION_HOURS * 3600,
        same_site="lax",
        https_only=bool(doors.trusted_proxy),
    )
    app.add_middleware(Shield)
    return app


def _to_sign_in(request: Request, _: Exception) -> Response:
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    address = LiveLinks(request.scope.get("root_path", "")).page("/sign-in", next=target)
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)


def _refused(request: Request, error: Exception) -> Response:
    words = str(error)
    match error:
        case data.NotYours() | SignInRefused():
            status = 403
        case data.NotFound():
            status = 404
        case PeriodUnknown():
            status, words = 404, "没有这样的统计期，请写作 2026-03、2026Q1 或 2026。"
        case _:
            status = 400
    return _say(request, words, status)


def _not_readable(request: Request, _: Exception) -> Response:
    """The warehouse is down or took too long: said in words, the cause is in the log."""
    log.exception("A page could not be made: %s", request.url.path)
    return _say(request, "暂时无法读取数据，请稍后再试。", 503)


def _not_understood(request: Request, _: Exception) -> Response:
    return _say(request, "地址有误，无法打开这个页面。", 400)


def _not_there(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = {404: "没有这个页面。", 405: "这个页面只能查看。"}.get(error.status_code, "无法打开这个页面。")
    return _say(request, words, error.status_code)


def _say(request: Request, words: str, status: int) -> Response:
    wanted = request.query_params.get("lang") or request.cookies.get("lang")
    frame = Frame(
        site=request.app.state.site,
        language=wanted if wanted in LANGUAGES else "zh",
        links=LiveLinks(request.scope.get("root_path", "")),
        here=request.url.path,
    )
    return frame.show("message.html", {"words": words, "status": status}, status)
