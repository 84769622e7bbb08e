"""Frame: what every page is made with: the viewer, a snapshot of the warehouse, the language, the links."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from sqlalchemy.engine import Connection

from etl.portal import data, figures
from etl.portal.kept import Kept
from etl.portal.links import Links, LiveLinks
from etl.portal.reader import snapshot
from etl.portal.shield import PAGE_POLICY
from etl.portal.sign_in import viewer_of
from etl.portal.viewer import Viewer
from etl.portal.words import LANGUAGES, Language, Words, later
from etl.site import Site

TEMPLATES = Path(__file__).parent / "templates"
SOMEBODY, TOKEN = secrets.token_hex(16), secrets.token_hex(16)
"""What stands in a kept page for who looks at it, and for the token of their forms: no text that can be guessed."""


LEVELS = {
    "province": later("省"),
    "city": later("市"),
    "county": later("县（市、区）"),
    "township": later("乡镇（街道）"),
    "village": later("村（社区）"),
}
KINDS = {"month": later("月"), "quarter": later("季度"), "year": later("年")}
STATUSES = {
    "met": later("达标"),
    "not_met": later("未达标"),
    "no_data": later("无数据"),
    "not_applicable": later("不适用"),
}
STATES = {
    "drafted": later("已编制"),
    "awaiting_approval": later("待审批"),
    "approved": later("已批准"),
    "refused": later("未批准"),
    "delivered": later("已送达"),
    "failed": later("送达失败"),
}
CHILD_MEASURES = ("consultation", "mediation_accepted", "legal_aid_accepted", "publicity_event")
"""What is shown of divisions in a list: what data.children gives."""
NATURES = {"binding": later("约束性"), "expected": later("预期性")}


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
            "root": self.links.root,
            "policy": PAGE_POLICY,
            "named": self.named,
            "channels": self.site.catalog.channels,
            "child_measures": [
                self.site.catalog.measures[name]
                for name in CHILD_MEASURES
                if name in self.site.catalog.measures
            ],
        }
        return templates().get_template(template).render(known | dict(content))

    def named(self, kind: Literal["measures", "indicators", "channels"], code: str, chinese: str) -> str:
        """A declared thing's name in the reader's language; what is no longer declared keeps its Chinese one."""
        if self.language == "zh":
            return chinese
        declared = getattr(self.site.catalog, kind).get(code)
        return Words("en")("合计") if code == "all" else chinese if declared is None else declared.name_en

    def show(self, template: str, content: Mapping[str, Any], status: int = 200) -> HTMLResponse:
        """The page as an answer."""
        return HTMLResponse(self.render(template, content), status)


@dataclass(frozen=True, kw_only=True)
class Asked(Frame):
    """The surroundings of somebody who has signed in, and one snapshot of the warehouse. kept: pages made before, of a
    server."""

    viewer: Viewer
    conn: Connection
    kept: Kept | None = None

    def keep(
        self,
        template: str,
        content: Callable[[Asked], Mapping[str, Any]],
        *of: Hashable,
        live: object = None,
    ) -> Response:
        """The page as an answer, made anew unless it still holds: one of divisions, months, quarters and years.

        of: what the content depends on, beside the address, the language and the viewer's part of the tree. live: what
        it shows beside all this, asked for each time. The page is made for nobody in particular; who looks at it, and
        the token of their forms, are put in at the end.
        """
        assert self.kept is not None
        key = (self.here, self.links.root, self.language, self.viewer.division_code, *of)
        state = (data.state(self.conn), live)
        page = self.kept.get(key, state)
        if page is None:
            anybody = replace(self, viewer=Viewer(SOMEBODY, self.viewer.division_code), token=TOKEN)
            page = anybody.render(template, content(anybody)).encode()
            self.kept.put(key, state, page)
        for mark, words in ((SOMEBODY, self.viewer.user), (TOKEN, self.token)):
            page = page.replace(mark.encode(), str(escape(words)).encode())
        return HTMLResponse(page)


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
    found.globals.update(LEVELS=LEVELS, KINDS=KINDS, STATUSES=STATUSES, NATURES=NATURES, STATES=STATES)
    for name in (
        "count",
        "percent",
        "change",
        "points",
        "trend_of",
        "indicator",
        "score",
        "moment",
        "period_name",
    ):
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
        yield Asked(**surroundings, conn=conn, kept=request.app.state.kept)


class NotSignedIn(Exception):
    """Nobody has signed in: the answer is the form."""


Page = Annotated[Asked, Depends(_open)]
"""What a page function takes: `def page(asked: Page, …) -> HTMLResponse`."""
