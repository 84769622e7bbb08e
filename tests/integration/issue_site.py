"""A small site with a month to issue, for tests about issued tables and their delivery."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from etl.catalog.report import Report
from etl.daily import run_day
from etl.periodic import show_period, waiting_periods
from etl.periods import Period
from etl.site import Site
from tests.integration.test_pipeline_truth import DAY

MONTH = Period.parse("2026-03")
CITY = "371300000000"
REPORT = Report.model_validate(
    {
        "id": "test-month", "title": "测试汇总表", "number": "测1表", "period_kinds": ["month"],
        "of_levels": ["province", "city", "county"], "row_levels": ["city", "county", "township"],
        "columns": [
            {"kind": "reporting", "shows": ["expected", "received", "missing", "reporting_rate"]},
            {"kind": "measures", "measures": ["consultation", "mediation_accepted"], "channels": True,
             "shows": ["value", "mom", "ytd"]},
        ],
    }
)  # fmt: skip


def with_report(site: Site, **of: Any) -> Site:
    """The site, whose catalogue declares the report."""
    report = REPORT.model_copy(update=of)
    return replace(site, catalog=site.catalog.model_copy(update={"reports": {report.id: report}}))


def bring_in(site: Site) -> None:
    """The day from all platforms into everything that is shown."""
    run_day(site, DAY, list(site.catalog.platforms))
    show_all(site)


def show_all(site: Site) -> None:
    for period in waiting_periods(site):
        show_period(site, period)
