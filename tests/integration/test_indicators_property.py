"""Every declared indicator, at every level, against an independent recomputation over random facts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.indicators.plan import is_computed
from etl.periods.period import Period
from etl.warehouse import ServerAddress
from tests.integration.indicator_site import DEPTHS, Facts, IndicatorSite, Tree, indicator_site, reckon

pytestmark = pytest.mark.integration
PERIODS = ("2026-03", "2024-02", "2026Q1", "2024", "2026-03/to_date")


@pytest.fixture(scope="module")
def site(server: ServerAddress, tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndicatorSite]:
    with indicator_site(server, tmp_path_factory.mktemp("indicators")) as made:
        yield made


def draw_facts(site: IndicatorSite, tree: Tree, seed: int, density: float, zeros: float) -> Facts:
    """Facts of some units in some cells; how many, and how many of them are zero."""
    rng = random.Random(seed)
    facts = Facts()
    for unit, level in tree.level.items():
        if rng.random() < 0.2:
            facts.nil.add(unit)
        expected = rng.randrange(32)
        received = rng.randint(0, expected)
        facts.reports[unit] = (expected, received, rng.randint(0, received))
        for measure in site.site.catalog.measures.values():
            if level not in measure.levels:
                continue
            for channel in measure.channels or ("all",):
                if rng.random() >= density:
                    continue
                value = 0 if rng.random() < zeros else rng.randint(1, min(measure.ceiling, 10**6))
                if measure.kind == "stock":
                    facts.stocks.setdefault(unit, {})[measure.code] = value
                elif unit not in facts.nil:
                    facts.flows.setdefault(unit, {})[measure.code, channel] = value
    return facts


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    seed=st.integers(0, 2**32),
    density=st.sampled_from([0.02, 0.3, 0.9, 1.0]),
    zeros=st.sampled_from([0.0, 0.3, 1.0]),
    name=st.sampled_from(PERIODS),
)
def test_every_indicator_equals_its_recomputation_from_the_units_facts(
    site: IndicatorSite, seed: int, density: float, zeros: float, name: str
) -> None:
    period, catalog = Period.parse(name), site.site.catalog
    tree = site.tree(period.ends_on)
    facts = draw_facts(site, tree, seed, density, zeros)
    site.put(period, facts)
    site.compute(name)
    found = {
        (row.division_code, row.indicator): row
        for row in site.site.frame(
            "SELECT division_code, indicator, numerator, denominator, value, status FROM mart.indicator_figure"
            " JOIN mart.period USING (period_id) JOIN core.division USING (division_id)"
            " JOIN core.indicator USING (indicator_id) WHERE period = :name",
            name=name,
        )
        .astype(object)
        .itertuples()
    }
    compared = set()
    for indicator in catalog.indicators.values():
        for code, level in tree.level.items():
            if level not in indicator.levels or not is_computed(indicator, catalog, period.kind):
                continue
            numerator, denominator, value = reckon(indicator, code, period, facts, tree, catalog)
            row = found.pop((code, indicator.code))
            assert (row.numerator, row.denominator) == (numerator, denominator), (code, indicator.code)
            if value is None:
                assert row.value is None, (code, indicator.code)
                assert row.status == ("not_applicable" if denominator == 0 else "no_data"), (
                    code,
                    indicator.code,
                )
            else:
                assert abs(Fraction(row.value) - value) <= Fraction(1, 10**12) * abs(value), (
                    code,
                    indicator.code,
                )
            compared.add(DEPTHS[level])
    assert not found
    assert {1, 2, 3, 4} <= compared
