"""Coming in and going out, and whether the portal is well."""

from __future__ import annotations

import secrets
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response

from etl.portal.frame import Frame, frame_of
from etl.portal.sign_in import SignInRefused, check_password, viewer_named

router = APIRouter()
Surroundings = Annotated[Frame, Depends(frame_of)]
Text = Annotated[str, Form()]


@router.get("/sign-in")
def form(request: Request, frame: Surroundings, next: str = "/") -> Response:
    """The form; its token is kept in the session, so that no other site can send it."""
    request.session.setdefault("token", secrets.token_urlsafe(24))
    return _form(request, frame, next)


@router.post("/sign-in")
def sign_in(
    request: Request,
    frame: Surroundings,
    user: Text = "",
    password: Text = "",
    token: Text = "",
    next: Text = "/",
) -> Response:
    """Let somebody in whom Airflow knows and viewers/ names."""
    state = request.app.state
    address = request.client.host if request.client else ""
    if not secrets.compare_digest(token.encode(), request.session.get("token", "-").encode()):
        return _form(request, frame, next, "登录页已过期，请重新输入。", 400)
    try:
        state.tries.refuse_too_many(address)
    except SignInRefused as error:
        return _form(request, frame, next, str(error), 429)
    try:
        check_password(state.doors, user, password)
        viewer_named(state.site.catalog, user)
    except SignInRefused as error:
        state.tries.note_failure(address)
        return _form(request, frame, next, str(error), 403)
    request.session.clear()
    request.session.update(
        user=user, since=int(state.site.clock().timestamp()), token=secrets.token_urlsafe(24)
    )
    return RedirectResponse(frame.links.page("/") if not _is_own(next) else next, 303)


@router.post("/sign-out")
def sign_out(request: Request, frame: Surroundings, token: Text = "") -> Response:
    """End the session."""
    if secrets.compare_digest(token.encode(), request.session.get("token", "-").encode()):
        request.session.clear()
    return RedirectResponse(frame.links.page("/sign-in"), 303)


@router.get("/health")
def health(request: Request) -> Response:
    """Whether the portal reads its warehouse; for the watch, without sign-in."""
    try:
        with request.app.state.reader.connect() as conn:
            conn.execute(sa.text("SELECT 1"))
    except sa.exc.SQLAlchemyError:
        return PlainTextResponse("warehouse", 503)
    return PlainTextResponse("healthy")


def _form(request: Request, frame: Frame, target: str, problem: str = "", status: int = 200) -> Response:
    content = {"next": target if _is_own(target) else "/", "problem": problem}
    content["token"] = request.session.setdefault("token", secrets.token_urlsafe(24))
    return frame.show("sign_in.html", content, status)


def _is_own(target: str) -> bool:
    """Only a path of the portal itself is gone to after signing in."""
    return target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
