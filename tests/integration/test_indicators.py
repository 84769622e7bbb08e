"""Indicators: a worked example for every kind of formula, and what is said where there is no figure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from etl.periods.period import Period
from etl.warehouse import ServerAddress
from tests.integration.indicator_site import (
    CITY, COUNTY, COUNTY2, PROVINCE, TOWN, TOWN2, TOWN3, VILLAGE, VILLAGE2, VILLAGE3, VILLAGE4, Facts, IndicatorSite, indicator_site,
)

pytestmark = pytest.mark.integration
MARCH = Period.parse("2026-03")


@pytest.fixture
def site(server: ServerAddress, tmp_path: Path) -> Iterator[IndicatorSite]:
    with indicator_site(server, tmp_path) as made:
        yield made


def test_first(site: IndicatorSite) -> None:
    site.put(MARCH, Facts(flows={COUNTY: {("legal_aid_accepted", "physical"): 3}}, stocks={TOWN: {"population": 1000}}, reports={COUNTY: (31, 31, 30)}))
    site.compute("2026-03")
    print(site.values("2026-03").to_string())
    assert 0
