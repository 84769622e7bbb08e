"""The proof that the marts hold what the platforms delivered can fail, and each city's hotline shows its own alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from etl.daily import run_day
from etl.site import Site
from local.proof import prove_equal
from local.simulated import SimulatedError
from simulator.simulation import Simulation

pytestmark = pytest.mark.integration
DAY, MONTH_END = date(2026, 3, 2), date(2026, 3, 31)
JINAN, QINGDAO = "370102000000", "370202000000"


def test_marts_of_two_cities_are_proved_equal_until_one_figure_differs(
    tmp_path: Path, hotline_url: str, open_for: Callable[[Simulation], Site]
) -> None:
    with Simulation(
        tmp_path / "simulated",
        [DAY],
        prefix="37",
        hotline_url=hotline_url,
        counties=[JINAN, QINGDAO],
        townships_per_county=2,
    ) as simulation:
        site = open_for(simulation)
        everyone = list(site.catalog.platforms)
        assert {"hotline-370100", "hotline-370200"} <= set(everyone)
        assert run_day(site, DAY, everyone) == []
        assert run_day(site, MONTH_END, everyone, "stocks") == []
    with site.engine.begin() as conn:
        compared = prove_equal(conn, simulation, MONTH_END)
        assert set(compared) == {"province", "city", "county", "township", "village"}
        assert min(compared.values()) > 20
        for table, column in (
            ("daily_total", "value"),
            ("daily_reporting", "units_expected"),
            ("stock_total", "value"),
        ):
            other = conn.begin_nested()
            conn.execute(sa.text(f"UPDATE mart.{table} SET {column} = {column} + 1"))
            with pytest.raises(SimulatedError, match="not those delivered"):
                prove_equal(conn, simulation, MONTH_END)
            other.rollback()
