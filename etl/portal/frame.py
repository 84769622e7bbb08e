"""Frame: what every page is made with: the viewer, a snapshot of the warehouse, the language, the links."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from sqlalchemy.engine import Connection

from etl.portal import figures
from etl.portal.links import Links, LiveLinks
from etl.portal.reader import snapshot
from etl.portal.sign_in import viewer_of
from etl.portal.viewer import Viewer
from etl.portal.words import LANGUAGES, Language, Words
from etl.site import Site

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A page's surroundings. viewer: None where nobody has signed in. here: path of the page. token: of its forms."""

    site: Site
    viewer: Viewer | None = None
    language: Language = "zh"
    links: Links
    token: str = ""
    here: str = "/"

    def render(self, template: str, content: Mapping[str, Any]) -> str:
        """The page as text. Templates know `_`, `link`, `file`, the filters of figures, and what is in content."""
        known = {
            "_": Words(self.language),
            "language": self.language,
            "viewer": self.viewer,
            "is_live": self.links.is_live,
            "link": self.links.page,
            "file": self.links.file,
            "token": self.token,
            "here": self.here,
        }
        return templates().get_template(template).render(known | dict(content))

    def show(self, template: str, content: Mapping[str, Any], status: int = 200) -> HTMLResponse:
        """The page as an answer."""
        return HTMLResponse(self.render(template, content), status)


@dataclass(frozen=True, kw_only=True)
class Asked(Frame):
    """The surroundings of somebody who has signed in, and one snapshot of the warehouse."""

    viewer: Viewer
    conn: Connection


@cache
def templates() -> Environment:
    """The templates: everything is escaped, and a name that a page forgot is an error."""
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("count", "percent", "change", "points", "trend_of", "indicator", "moment"):
        found.filters[name] = getattr(figures, name)
    found.filters["data"] = _data
    return found


def _data(value: Any) -> Markup:
    """JSON to stand in a <script type="application/json">, where only `<` and `&` could end it."""
    text = json.dumps(value, ensure_ascii=False, default=float)
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def frame_of(request: Request) -> Frame:
    """The frame of a request, whoever asks."""
    return Frame(**_surroundings(request))


def _surroundings(request: Request) -> dict[str, Any]:
    wanted = request.query_params.get("lang") or request.cookies.get("lang")
    return {
        "site": request.app.state.site,
        "viewer": viewer_of(request),
        "language": wanted if wanted in LANGUAGES else "zh",
        "links": LiveLinks(request.scope.get("root_path", "")),
        "token": request.session.get("token", ""),
        "here": request.url.path,
    }


def _open(request: Request) -> Iterator[Asked]:
    surroundings = _surroundings(request)
    if surroundings["viewer"] is None:
        raise NotSignedIn
    with snapshot(request.app.state.reader) as conn:
        yield Asked(**surroundings, conn=conn)


class NotSignedIn(Exception):
    """Nobody has signed in: the answer is the form."""


Page = Annotated[Asked, Depends(_open)]
"""What a page function takes: `def page(asked: Page, …) -> HTMLResponse`."""
