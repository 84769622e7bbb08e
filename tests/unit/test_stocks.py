"""Stocks before the warehouse: how they are declared, read and judged."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from etl.catalog import Catalog, CatalogError, Platform, load_catalog
from etl.conform import Read
from etl.divisions import DayDivisions
from etl.gate import Gated, gate
from etl.sources import SOURCES, Reading, pulled_of

MARCH = date(2026, 3, 31)
PULLED = datetime(2026, 4, 8, 10, 30, tzinfo=UTC)
COUNTY = "371302000000"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(None)


def read(catalog: Catalog, *items: Any, **options: Any) -> Reading:
    declared = catalog.platforms["county-371302"].model_dump() | {"options": options}
    body = {"code": 0, "msg": "ok", "data": {"total": len(items), "page": 1, "size": 500, "items": items}}
    pulled = pulled_of(MARCH, "stocks", [json.dumps(body).encode()], dataset="stocks")
    return SOURCES["rest"].read(Platform(**declared), catalog, pulled)


def item(*values: tuple[str, object], **other: object) -> dict[str, object]:
    return {
        "unit": COUNTY,
        "month": "2026-03",
        "revision": 1,
        "submitted_at": "2026-04-08T17:00:00+08:00",
        "values": [{"measure": measure, "value": value} for measure, value in values],
    } | other


def judge(catalog: Catalog, reading: Reading) -> Gated:
    divisions = DayDivisions.__new__(DayDivisions)
    divisions.table = pd.DataFrame(
        {"division_id": [1, 2], "level": ["city", "county"], "parent_id": [0, 1]},
        index=pd.Index(["371300000000", COUNTY], name="division_code"),
    )
    stocks = catalog.measures_of("stocks")
    cells = {(each.code, "all"): number for number, each in enumerate(stocks, start=1)}
    one = Read(5, catalog.platforms["county-371302"], None, PULLED, reading, dataset="stocks")
    return gate([one], catalog, cells, divisions, MARCH, date(2026, 4, 8), "stocks")


def test_a_stock_is_read_as_of_its_months_last_day_under_the_total_over_channels(catalog: Catalog) -> None:
    reading = read(catalog, item(("lawyer", 31), ("notary", None)))
    rows = reading.rows[["unit", "date", "measure", "channel", "value"]].astype(object).to_numpy().tolist()
    assert rows == [[COUNTY, "2026-03-31", "lawyer", "all", 31.0]]
    assert reading.submissions[["unit", "date", "revision"]].to_numpy().tolist() == [
        [COUNTY, "2026-03-31", 1]
    ]


def test_a_platform_may_name_the_fields_of_its_stocks_otherwise(catalog: Catalog) -> None:
    renamed = {"unit": COUNTY, "yf": "2026-03", "revision": 1, "values": [{"zb": "lawyer", "value": 3}]}
    reading = read(catalog, renamed, fields={"month": "yf", "measure": "zb"})
    assert reading.rows["date"].tolist() == ["2026-03-31"]
    assert reading.rows["measure"].tolist() == ["lawyer"]


@pytest.mark.parametrize(
    ("month", "reason"),
    [
        ("2026-02", "date"),
        ("2036-03", "date"),
        ("2026-13", "date"),
        ("2026-03-31", "date"),
        ("三月", "date"),
        (None, "structure"),
        (202603, "structure"),
    ],
)
def test_a_month_other_than_the_one_asked_for_is_held_back(
    month: object, reason: str, catalog: Catalog
) -> None:
    gated = judge(catalog, read(catalog, item(("lawyer", 31), month=month)))
    assert gated.quarantine["reason_code"].tolist() == [reason]
    assert gated.staged["is_rejected"].tolist() == [True]


@pytest.mark.parametrize(
    ("measure", "value", "reason"),
    [
        ("consultation", 1, "measure"),
        ("heard_of_never", 1, "measure"),
        ("population", 9, "level"),
        ("platform_built", 2, "value"),
        ("lawyer", -1, "value"),
        ("lawyer", 1.5, "value"),
        ("lawyer", "许多", "value"),
    ],
)
def test_a_bad_stock_is_held_back_with_its_reason_and_the_good_one_beside_it_goes_on(
    measure: str, value: object, reason: str, catalog: Catalog
) -> None:
    gated = judge(catalog, read(catalog, item(("notary", 4), (measure, value))))
    assert gated.quarantine["reason_code"].tolist() == [reason]
    assert gated.figures["value"].tolist() == [4]
    tally = gated.tally[0]
    assert (tally["rows_received"], tally["rows_quarantined"]) == (2, 1)


def test_more_platforms_up_to_standard_than_built_are_flagged_and_loaded(catalog: Catalog) -> None:
    gated = judge(catalog, read(catalog, item(("platform_built", 0), ("platform_standardised", 1))))
    assert len(gated.quarantine) == 0
    assert len(gated.figures) == 2
    assert gated.flags[["unit_code", "check_code", "message"]].to_numpy().tolist() == [
        [COUNTY, "standardised_built", "规范化大于建成（公共法律服务平台规范化：1 / 0）"]
    ]
    fitting = judge(catalog, read(catalog, item(("platform_built", 1), ("platform_standardised", 1))))
    assert len(fitting.flags) == 0


def test_a_stock_of_a_daily_submission_is_no_measure_of_it(catalog: Catalog) -> None:
    assert {each.dataset for each in catalog.measures_of("stocks")} == {"stocks"}
    reported = {each.code for each in (*catalog.measures_of("stocks"), *catalog.measures_of("daily"))}
    assert reported == {code for code, each in catalog.measures.items() if each.kind != "carried"}


def refused(folder: Path, name: str, entry: dict[str, object]) -> str:
    (folder / name).mkdir()
    (folder / name / "flow.yaml").write_text(yaml.safe_dump([entry], allow_unicode=True))
    with pytest.raises(CatalogError) as error:
        load_catalog(folder)
    return str(error.value)


def test_only_a_rest_platform_may_be_declared_to_deliver_stocks(tmp_path: Path, catalog: Catalog) -> None:
    entry = catalog.platforms["township-371300"].model_dump(mode="json") | {"datasets": ["daily", "stocks"]}
    assert "only a platform of family rest delivers stocks" in refused(tmp_path, "platforms", entry)


def test_only_a_stock_may_be_declared_to_carry_forward(tmp_path: Path) -> None:
    entry: dict[str, object] = {
        "code": "visit",
        "name_zh": "来访",
        "name_en": "Visits",
        "unit": "人次",
        "ceiling": 9,
        "carry_months": 1,
    }
    assert "only a stock is carried forward" in refused(tmp_path, "measures", entry)
