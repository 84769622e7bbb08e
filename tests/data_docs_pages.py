"""Saved validations of a day, and what a browser would load of the pages made from them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pandas as pd

from etl.archive import Archive
from etl.validation import validate

DAY = date(2026, 11, 23)
HOSTILE = '<img src="http://elsewhere.example/x.png"><script>alert(1)</script>&amp; $x'
LOADING = {
    "audio": ("src",),
    "embed": ("src",),
    "iframe": ("src",),
    "image": ("href",),
    "img": ("src", "srcset"),
    "input": ("src",),
    "link": ("href",),
    "object": ("data",),
    "script": ("src",),
    "source": ("src", "srcset"),
    "use": ("href",),
    "video": ("src", "poster"),
}


def archive_of(home: Path) -> Archive:
    return Archive(str(home / "archive"))


def save_validations(home: Path) -> None:
    """Two results of the daily suite, one of them with failures and hostile text, and one of the balance suite."""
    clean = pd.DataFrame(
        {
            "problem": [None, None],
            "is_personal": [False, False],
            "division_id": [1.0, 2.0],
            "level": ["village", "village"],
            "is_in_area": [True, True],
            "date": ["2026-11-23", "2026-11-23"],
            "measure": ["mediation_accepted", "mediation_settled"],
            "channel": ["physical", "physical"],
            "measure_at_level": ["mediation_accepted@village", "mediation_settled@village"],
            "measure_in_channel": ["mediation_accepted@physical", "mediation_settled@physical"],
            "value": [3.0, 2.0],
            "ceiling": [1000.0, 1000.0],
            "figure_key": ["1", "2"],
            "is_ambiguous": [False, False],
        }
    )
    dirty = pd.concat([clean, clean, clean], ignore_index=True)
    dirty["figure_key"] = ["1", "2", "3", "4", "5", "5"]
    dirty["date"] = ["2026-11-23"] * 5 + ["2026-11-24"]
    dirty.loc[4, "measure"] = HOSTILE
    dirty["value"] = [1.0, -2.0, 1e9, 0.0, float("nan"), 7.0]
    parameters = {
        "days": ["2026-11-23"],
        "measures": ["mediation_accepted", "mediation_settled"],
        "channels": ["physical"],
        "measures_at_levels": ["mediation_accepted@village", "mediation_settled@village"],
        "measures_in_channels": ["mediation_accepted@physical", "mediation_settled@physical"],
    }
    nothing = float("nan")
    sums = pd.DataFrame(
        {"stated": [10.0, 5.0], "equal_to": [10.0, 6.0], "at_most": [nothing, nothing]}, dtype="float64"
    )
    folder = home / "archive/documents/validations" / DAY.isoformat()
    folder.mkdir(parents=True)
    for name, suite, frame in (
        ("daily-000000001-000000012", "daily", dirty),
        ("daily-000000013-000000013", "daily", clean),
        ("balance-000000001-000000012", "balance", sums),
    ):
        document = validate(suite, frame, parameters if suite == "daily" else {}).document
        (folder / f"{name}.json").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")


@dataclass
class Page(HTMLParser):
    """What a page would load, where its links lead, and its words."""

    text: str
    loads: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    inside: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        given = {name: value for name, value in attrs if value}
        for name in LOADING.get(tag, ()):
            if name in given:
                self.loads += given[name].split(", ") if name == "srcset" else [given[name]]
        self.loads += styles_load(given.get("style", ""))
        if tag == "a" and "href" in given:
            self.links.append(given["href"])

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "style":
            self.loads += styles_load(data)
        elif self.inside == "script":
            self.links += re.findall(r"'_table_row_link_path': '([^']+)'", data)
        elif data.strip():
            self.words.append(" ".join(data.split()))


def styles_load(style: str) -> list[str]:
    """What a style sheet would load; what it carries in itself (data:) is not loaded."""
    found = re.findall(r"""url\(\s*(?:"([^"]*)"|'([^']*)'|([^"')\s]*))\s*\)""", style)
    found += re.findall(r"""@import\s+(?:"([^"]*)"|'([^']*)')()""", style)
    return [url for url in ("".join(each) for each in found) if not url.startswith(("data:", "#"))]


def is_outside(url: str) -> bool:
    """Would a browser leave the site for it?"""
    return bool(urlsplit(url).netloc) or urlsplit(url).scheme not in ("", "data")


def file_of(page: Path, url: str) -> Path:
    """The file that a relative reference of a page means."""
    return (page.parent / unquote(urlsplit(url).path)).resolve() if urlsplit(url).path else page


def loaded_by(root: Path) -> Iterator[tuple[Path, str]]:
    """Every reference below a folder that a browser would load: of the pages, and of the style sheets."""
    for page in sorted(root.rglob("*.html")):
        yield from ((page, url) for url in Page(page.read_text(encoding="utf-8")).loads)
    for sheet in sorted(root.rglob("*.css")):
        yield from ((sheet, url) for url in styles_load(sheet.read_text(encoding="utf-8")))
