"""Data Docs: Great Expectations' own pages on the validations of a day, opening without the internet.

The stock templates load style sheets, scripts, fonts and a logo from public hosts and invite to a newsletter. Here the
pages come from the stock renderers, and then every outside reference is turned to a file that the project ships
(expectations/data_docs_assets), and labels to Chinese. Nothing in a page names the moment it was built: the same
results give the same bytes.
"""

from __future__ import annotations

import fcntl
import filecmp
import itertools
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import great_expectations as gx
from great_expectations.core.expectation_validation_result import expectationSuiteValidationResultSchema
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.render.renderer.page_renderer import (
    ExpectationSuitePageRenderer,
    ValidationResultsPageRenderer,
)
from great_expectations.render.renderer.site_index_page_renderer import SiteIndexPageRenderer
from great_expectations.render.view.view import DefaultJinjaIndexPageView, DefaultJinjaPageView

from etl.archive import Archive
from etl.clock import SHANGHAI
from etl.settings import EXPECTATIONS_DIR

ASSETS_DIR = EXPECTATIONS_DIR / "data_docs_assets"
STOCK_IMAGES = Path(gx.__file__).parent / "render" / "view" / "static" / "images"
STOCK = f"great-expectations-{gx.__version__}"

# What the stock templates load, by the path after the outside host, and the shipped file that stands for it.
# A page that asks for anything else is refused.
SHIPPED_FOR = {
    "/ajax/libs/bootstrap-datepicker/1.9.0/css/bootstrap-datepicker.min.css": (
        "bootstrap-datepicker-1.9.0/bootstrap-datepicker.min.css"
    ),
    "/ajax/libs/bootstrap-datepicker/1.9.0/js/bootstrap-datepicker.min.js": (
        "bootstrap-datepicker-1.9.0/bootstrap-datepicker.min.js"
    ),
    "/ajax/libs/font-awesome/6.6.0/css/all.min.css": "fontawesome-free-6.6.0/css/all.min.css",
    "/ajax/libs/popper.js/1.12.9/umd/popper.min.js": "popper.js-1.12.9/popper.min.js",
    "/bootstrap-table@1.19.0/dist/extensions/filter-control/bootstrap-table-filter-control.css": (
        "bootstrap-table-1.19.0/bootstrap-table-filter-control.min.css"
    ),
    "/bootstrap-table@1.19.0/dist/extensions/filter-control/bootstrap-table-filter-control.min.css": (
        "bootstrap-table-1.19.0/bootstrap-table-filter-control.min.css"
    ),
    "/bootstrap-table@1.19.1/dist/bootstrap-table.min.css": "bootstrap-table-1.19.1/bootstrap-table.min.css",
    "/bootstrap-table@1.19.1/dist/bootstrap-table.min.js": "bootstrap-table-1.19.1/bootstrap-table.min.js",
    "/bootstrap-table@1.19.1/dist/extensions/filter-control/bootstrap-table-filter-control.min.js": (
        "bootstrap-table-1.19.1/bootstrap-table-filter-control.min.js"
    ),
    "/bootstrap/4.3.1/css/bootstrap.min.css": "bootstrap-4.3.1/bootstrap.min.css",
    "/bootstrap/4.3.1/js/bootstrap.min.js": "bootstrap-4.3.1/bootstrap.min.js",
    "/full_logo_dark.png": f"{STOCK}/logo-long.png",
    "/jquery-3.7.1.min.js": "jquery-3.7.1/jquery.min.js",
    "/logo-long.png": f"{STOCK}/logo-long.png",
    "/npm/@forevolve/bootstrap-dark@1.1.0/dist/css/bootstrap-prefers-dark.css": (
        "bootstrap-dark-1.1.0/bootstrap-prefers-dark.min.css"
    ),
    "/npm/vega-embed@6": "vega-embed-6.29.0/vega-embed.min.js",
    "/npm/vega-lite@5": "vega-lite-5.23.0/vega-lite.min.js",
    "/npm/vega@5": "vega-5.33.1/vega.min.js",
}
CHINESE_TABLES = "bootstrap-table-1.19.1/bootstrap-table-zh-CN.min.js"

# Stands before received texts until a page is finished, so that none is taken for a label ("Count") and translated.
# A noncharacter, by which no sender means anything.
RECEIVED = "\ufdd0"

CHINESE = {
    "A collection of Expectations defined for batches of data.": "一套规则，每批数据都按它校验。",
    "Actions": "查看",
    "Batch Markers": "批次标记",
    "Batch Spec": "批次说明",
    "Clear Filters": "清除筛选",
    "Count": "个数",
    "Data Docs": "数据质量文档",
    "Evaluated Expectations": "校验的规则",
    "Evaluates whether a batch of data matches expectations.": "一批数据是否合乎规则。",
    "Expectation": "规则",
    "Expectation Suite": "规则集",
    "Expectation Suite Name": "规则集",
    "Expectation Suite:": "规则集：",
    "Expectation Suites": "规则集",
    "Expectation Validation Result": "校验结果",
    "Failed": "未通过",
    "Failed Only": "只看未通过",
    "Great Expectations Version": "Great Expectations 版本",
    "Home": "当日",
    "Info": "说明",
    "Notes": "备注",
    "Observed Value": "实际",
    "Overview": "概况",
    "Run Name": "校验",
    "Run Time": "校验时间",
    "Sampled Unexpected Values": "不合规则的值（部分）",
    "Show All": "全部",
    "Show more info...": "更多……",
    "Statistics": "统计",
    "Status": "结果",
    "Status:": "结果：",
    "Succeeded": "通过",
    "Success Percent": "通过率",
    "Successful Expectations": "通过的规则",
    "Table of Contents": "目录",
    "Table-Level Expectations": "多列规则",
    "Unexpected Value": "不合规则的值",
    "Unsuccessful Expectations": "未通过的规则",
    "Validation Filter:": "校验结果：",
    "Validation Results": "校验结果",
}
CHINESE_SENTENCES = {
    r"([\d,]+) unexpected values found\. (\S+) of ([\d,]+) total rows\.": r"\1 个值不合规则（\2），共 \3 行",
    r"(\S+) unexpected": r"\1 不合规则",
    r"(\S+) not null": r"\1 不为空",
    r"(\S+) null": r"\1 为空",
    r"Data asset: (\S+)": r"数据：\1",
    r"Data Docs autogenerated using\s+Great Expectations\.": "由 Great Expectations 生成。",
    r"This Expectation suite currently contains (\d+) total Expectations across (\d+) columns\.": (
        r"本规则集有 \1 条规则，涉及 \2 列。"
    ),
}
DAY_LIST = """<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="UTF-8">
<meta name="viewport" content="width=device-width, initial-scale=1.0">
<title>数据质量文档</title>
<link rel="stylesheet" href="assets/bootstrap-4.3.1/bootstrap.min.css">
<link rel="shortcut icon" href="assets/{stock}/favicon.ico">
</head>
<body>
<div class="container py-5" style="max-width: 48rem">
<h4>数据质量文档</h4>
<p class="text-secondary">每个统计日一份，由 Great Expectations 生成：当日各批数据按规则校验的结果。</p>
<table class="table table-hover">
<thead>
<tr>
<th>统计日</th>
<th class="text-right">校验次数</th>
<th class="text-right">规则条次</th>
<th class="text-right">未通过</th>
</tr>
</thead>
<tbody>
{rows}
</tbody>
</table>
</div>
</body>
</html>
"""


class DataDocsError(Exception):
    """The pages of a day cannot be built; the message says which file, what is wrong and what to do."""


@dataclass(frozen=True)
class Validated:
    """One saved validation: its file's name, its suite's name, when it ran (UTC), and Great Expectations' result."""

    name: str
    suite: str
    run_time: datetime
    result: Any

    @property
    def page(self) -> str:
        """Where Great Expectations' own links look for it."""
        return f"validations/{self.suite}/{self.name}/{self.run_time:%Y%m%dT%H%M%S.%fZ}/{self.suite}.html"


def build_data_docs(day: date, archive: Archive, home: Path) -> Path:
    """Build the pages of one statistical day anew, from all its saved validations, and list the day.

    Reads the archive's documents `validations/{day}/{suite}-*.json`, each an
    ExpectationSuiteValidationResult.to_json_dict(), and the suites under expectations/. Writes
    `{home}/data_docs/{day}/` and returns its index.html; what the days share is in
    `{home}/data_docs/assets/`, their list in `{home}/data_docs/index.html`. The pages open from a web
    server and from the file system, and load nothing else. Times are shown in Asia/Shanghai. The former
    pages of the day stay until the new ones are complete. A day without validations, as when no platform
    delivered, gets an index that says so. Raises DataDocsError when a result belongs to no suite or a page
    would load from outside.
    """
    root = home / "data_docs"
    root.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(root):
        results = archive.read_documents(f"validations/{day}")
        validated = [_read_one(name, body) for name, body in results.items()]
        _copy_assets(root / "assets")
        unfinished, former, site = (
            root / name for name in (f".{day}.unfinished", f".{day}.former", str(day))
        )
        for leftover in (unfinished, former):
            shutil.rmtree(leftover, ignore_errors=True)
        for page, text in _render(day, validated):
            file = unfinished / page
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        if site.exists():
            site.rename(former)
        unfinished.rename(site)
        shutil.rmtree(former, ignore_errors=True)
        _list_days(root)
    return site / "index.html"


@contextmanager
def _one_at_a_time(root: Path) -> Iterator[None]:
    """A daily job and a restatement may end at the same moment."""
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read_one(name: str, body: bytes) -> Validated:
    stem = name.removesuffix(".json")
    suite = stem.split("-")[0]
    if not (EXPECTATIONS_DIR / f"{suite}.json").exists():
        raise DataDocsError(
            f"{name}: there is no expectations/{suite}.json; name results {{suite}}-{{batches}}.json"
        )
    document = json.loads(body)
    for outcome in document["results"]:
        outcome["result"] = _harmless(outcome["result"])
        for each in outcome["result"].get("partial_unexpected_counts", []):
            if isinstance(each.get("value"), list):
                each["value"] = " ／ ".join(str(part) for part in each["value"])
    meta = document["meta"]
    load_time = meta["batch_markers"]["ge_load_time"]
    run_time = datetime.strptime(load_time, "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC)
    asset = meta["active_batch_definition"]["data_asset_name"]
    meta["run_id"] = RunIdentifier(run_name=stem, run_time=run_time)
    meta["batch_spec"]["data_asset_name"] = asset
    result = expectationSuiteValidationResultSchema.load(document | {"suite_name": suite})
    return Validated(stem, suite, run_time, result)


def _harmless(value: Any) -> Any:
    """Received texts as words only, and marked: Great Expectations' tables put values into the page as they are."""
    if isinstance(value, str):
        return RECEIVED + value.translate({ord("<"): "＜", ord(">"): "＞", ord("&"): "＆"})
    if isinstance(value, list):
        return [_harmless(each) for each in value]
    if isinstance(value, dict):
        return {key: _harmless(each) for key, each in value.items()}
    return value


def _render(day: date, validated: Sequence[Validated]) -> Iterator[tuple[str, str]]:
    """The files of a day's site: path below it, text."""
    view: Any = DefaultJinjaPageView()
    suite_renderer: Any = ExpectationSuitePageRenderer()
    suites = sorted({each.suite for each in validated})
    for suite in suites:
        declared = json.loads((EXPECTATIONS_DIR / f"{suite}.json").read_text(encoding="utf-8"))
        document = suite_renderer.render(gx.ExpectationSuite(**declared))
        document.page_title = f"{day} / {suite}"
        yield _suite_page(suite), _finish(_view(view, document), day, _suite_page(suite))
    for each in validated:
        document = ValidationResultsPageRenderer().render(each.result)
        document.page_title = f"{day} / {each.name}"
        yield each.page, _finish(_view(view, document), day, each.page)
    index_renderer: Any = _Index
    name = str(day) if validated else f"{day} | 当日没有校验结果"
    index = index_renderer.render({"site_name": name, **_links(suites, validated)})
    yield "index.html", _finish(_view(DefaultJinjaIndexPageView(), index), day, "index.html")
    counts = [each.result.statistics for each in validated]
    summary = {
        "validations": len(validated),
        "expectations": sum(each["evaluated_expectations"] for each in counts),
        "failed": sum(each["unsuccessful_expectations"] for each in counts),
    }
    yield "summary.json", json.dumps(summary)


def _suite_page(suite: str) -> str:
    return f"expectations/{suite}.html"


class _Index(SiteIndexPageRenderer):
    """The stock index; times in Asia/Shanghai whatever the server's zone, and only columns that tell runs apart."""

    @classmethod
    def _get_formatted_datetime(cls, moment: datetime) -> str:
        return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")

    @classmethod
    def _generate_validation_results_link_table(cls, index_links_dict: dict[str, Any]) -> Any:
        stock: Any = super()
        table = stock._generate_validation_results_link_table(index_links_dict)
        kept = ("validation_success", "run_time", "run_name", "expectation_suite_name")
        table.table_columns = [column for column in table.table_columns if column["field"] in kept]
        for row, link in zip(table.table_data, index_links_dict["validations_links"], strict=True):
            row["_validation_success_text"] = "通过" if link["validation_success"] else "未通过"
        return table


def _links(suites: Sequence[str], validated: Sequence[Validated]) -> dict[str, Any]:
    """The stock index's input, as Great Expectations' site builder makes it."""
    newest_first = sorted(validated, key=lambda each: (each.run_time, each.name), reverse=True)
    return {
        "expectations_links": [
            {"expectation_suite_name": suite, "filepath": _suite_page(suite)} for suite in suites
        ],
        "validations_links": [
            {
                "expectation_suite_name": each.suite,
                "expectation_suite_filepath": _suite_page(each.suite),
                "filepath": each.page,
                "run_id": each.name,
                "run_time": each.run_time,
                "run_name": each.name,
                "batch_identifier": each.name,
                "validation_success": each.result.success,
            }
            for each in newest_first
        ],
    }


def _view(view: Any, document: Any) -> str:
    """The stock page, without the random identifiers and the present moment that the stock filters put in."""
    numbers = itertools.count(1)
    view.env.filters["generate_html_element_uuid"] = lambda prefix: f"{prefix}{next(numbers)}"
    view.env.filters["add_data_context_id_to_url"] = lambda url: url
    text: str = view.render(document, show_how_to_buttons=False)
    return text


def _finish(page_text: str, day: date, page: str) -> str:
    """Outside references to shipped files, advertisements away, labels in Chinese.

    Received texts hold no `<` (see _harmless), so every tag here is the templates' own.
    """
    assets = os.path.relpath("assets", f"{day}/{page}/..")

    def shipped(url: str) -> str:
        file = f"{STOCK}/favicon.ico" if url.endswith("/favicon.ico") else SHIPPED_FOR.get(urlsplit(url).path)
        if file is None:
            raise DataDocsError(
                f"Data Docs would load {url}: ship that file and name it in etl/data_docs.py, SHIPPED_FOR"
            )
        return f"{assets}/{file}"

    def turn_tag(tag: re.Match[str]) -> str:
        # Browsers refuse integrity and crossorigin on file://; the shipped bytes are checked by the tests instead.
        text = re.sub(r'\s(?:integrity|crossorigin)="[^"]*"', "", tag[0])
        outside = r"""(\s(?:src|href)=")((?:https?:)?//[^"]+|[^"]+/favicon\.ico)(")"""
        return re.sub(outside, lambda found: f"{found[1]}{shipped(found[2])}{found[3]}", text)

    def turn_style(style: re.Match[str]) -> str:
        outside = r"""url\(\s*["']?((?:https?:)?//[^"')]+)["']?\s*\)"""
        return re.sub(outside, lambda found: f"url('{shipped(found[1])}')", style[0])

    text = re.sub(r"<footer\b.*?</footer>", "", page_text, flags=re.S)
    text = re.sub(r"<(?:link|script|img|source|iframe)\b[^>]*>", turn_tag, text)
    text = re.sub(r"<style\b.*?</style>", turn_style, text, flags=re.S)
    text = re.sub(r'<a\s[^>]*href="(?:https?:)?//[^>]*>(.*?)</a>', r"\1", text, flags=re.S)
    tables = f'<script src="{assets}/{SHIPPED_FOR["/bootstrap-table@1.19.1/dist/bootstrap-table.min.js"]}"></script>'
    text = text.replace(tables, f'{tables}\n<script src="{assets}/{CHINESE_TABLES}"></script>')
    text = text.replace("<html>", '<html lang="zh-CN">', 1)
    text = text.replace("<title></title>", "")
    text = re.sub(r"<title>.*?</title>", f"<title>数据质量文档 {day}</title>", text)
    text = text.replace('<a href="#">', '<a href="../index.html" title="所有统计日">', 1)
    text = re.sub(
        r"(>\s*)([^<>]*[^<>\s])(\s*<)", lambda found: found[1] + _chinese(found[2]) + found[3], text
    )
    text = re.sub(r"('title': ')([^']+)(')", lambda found: found[1] + _chinese(found[2]) + found[3], text)
    return text.replace(RECEIVED, "")


def _chinese(label: str) -> str:
    if label in CHINESE:
        return CHINESE[label]
    for sentence, chinese in CHINESE_SENTENCES.items():
        if found := re.fullmatch(sentence, label):
            return found.expand(chinese)
    return label


def _copy_assets(folder: Path) -> None:
    """What the pages of all days share; a file that is there already is left alone."""
    wanted = {file.relative_to(ASSETS_DIR): file for file in ASSETS_DIR.rglob("*") if file.is_file()}
    wanted |= {Path(STOCK, name): STOCK_IMAGES / name for name in ("logo-long.png", "favicon.ico")}
    for place, source in wanted.items():
        copy = folder / place
        if copy.exists() and filecmp.cmp(source, copy, shallow=False):
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        unfinished = copy.with_name(f".{copy.name}.unfinished")
        shutil.copyfile(source, unfinished)
        unfinished.replace(copy)


def _list_days(root: Path) -> None:
    rows = []
    for summary in sorted(root.glob("????-??-??/summary.json"), reverse=True):
        day = date.fromisoformat(summary.parent.name)
        counts = json.loads(summary.read_text(encoding="utf-8"))
        colour = "text-danger" if counts["failed"] else "text-success"
        rows.append(
            f'<tr><td><a href="{day}/index.html">{day}</a> 星期{"一二三四五六日"[day.weekday()]}</td>'
            f'<td class="text-right">{counts["validations"]}</td><td class="text-right">{counts["expectations"]}</td>'
            f'<td class="text-right {colour}">{counts["failed"]}</td></tr>'
        )
    unfinished = root / ".index.unfinished"
    unfinished.write_text(DAY_LIST.format(stock=STOCK, rows="\n".join(rows)), encoding="utf-8")
    unfinished.replace(root / "index.html")
