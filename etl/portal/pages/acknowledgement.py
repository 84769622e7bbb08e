"""The link in an alert: whoever has it takes note on behalf of its recipient. The page asks first, since mail programs
open links by themselves; its form, or a REST call with the same token, takes note."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import JSONResponse, Response

from etl.alerts import acknowledge_by_link
from etl.portal.frame import Frame, frame_of

router = APIRouter()
Surroundings = Annotated[Frame, Depends(frame_of)]


@router.get("/alerts/ack")
def ask(frame: Surroundings, token: str = "") -> Response:
    """What the button will do; the token is looked at when it is pressed."""
    return frame.show("acknowledgement.html", {"token": token, "done": None})


@router.post("/alerts/ack")
def acknowledge(request: Request, frame: Surroundings, token: Annotated[str, Form()] = "") -> Response:
    """Take note; as JSON for who asks for it."""
    done = acknowledge_by_link(request.app.state.site, token)
    if request.headers.get("accept") == "application/json":
        return JSONResponse(
            {"alert_id": done.alert_id, "recipient": done.recipient, "acknowledged_at": done.at.isoformat()}
        )
    return frame.show("acknowledgement.html", {"token": "", "done": done})
