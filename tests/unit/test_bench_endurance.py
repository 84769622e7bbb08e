"""What endurance and the country are measured on: which periods are alike, whose days are meant, whose villages."""

from __future__ import annotations

from datetime import date

from bench.country import PROVINCES, VILLAGES, _divisions, _recoded, _shares
from bench.endurance.clock import Spent
from bench.endurance.days import GATED, LOADED, _on
from bench.endurance.make import MODEL, MONTHS, content, months
from bench.endurance.report import _compared
from etl.periods import Period


def test_the_history_is_the_months_before_the_model_and_nothing_twice() -> None:
    found = months()
    assert len(set(found)) == MONTHS
    assert found[0].ends_on < MODEL.starts_on
    assert found[-1].starts_on == date(2023, 2, 1)


def test_periods_are_alike_whose_months_have_the_same_days() -> None:
    def alike(one: str, other: str) -> bool:
        return content(Period.parse(one)) == content(Period.parse(other))

    assert alike("2025-03", "2025-05")
    assert not alike("2025-02", "2024-02")
    assert alike("2024Q2", "2025Q2")
    assert not alike("2024Q1", "2025Q1")
    assert not alike("2025-01/to_date", "2025-01")
    # January 2023 lies before the history.
    assert not alike("2023", "2025")


def test_files_of_the_day_say_another_day_in_names_and_lines() -> None:
    assert (
        _on(date(2026, 1, 31), "township_371302_20260302_r1.csv.gz") == "township_371302_20260131_r1.csv.gz"
    )
    assert _on(date(2026, 1, 31), "371302001001,2026-03-02,实体") == "371302001001,2026-01-31,实体"


def test_the_ratio_is_of_the_sums_of_the_best_steps() -> None:
    names = (GATED, LOADED, "roll-up", "flags", "which periods wait")
    periods = ("2026-01-30", "2026-01", "2026Q1", "2026", "2026-01/to_date")
    few = [{name: Spent(number, 9.0) for name in (*names, *periods)} for number in (1.0, 2.0)]
    many = [{name: Spent(2.0, 9.0) for name in (*names, *periods)}]
    lines = _compared(few, many, "few", "many", "1.1")
    assert len(lines) == 2 + len(names) + len(periods) + 2
    assert lines[-2].startswith("| all but flags and its month | 8.00 s (72.00 s) | 16.00 s (72.00 s)")
    assert lines[-1].endswith("| 10.00 s (90.00 s) | 20.00 s (90.00 s) | **2.00** |")


def test_the_country_has_all_its_villages_each_below_a_province_of_its_own() -> None:
    shares = _shares(VILLAGES)
    assert (len(shares), sum(shares.values())) == (31, VILLAGES)
    assert len(set(PROVINCES)) == 31
    few = _recoded(_divisions(40), "65")
    assert (few["level"] == "village").sum() == 40
    assert (few["level"] == "province").sum() == 1
    assert set(few["code"].str[:2]) == {"65"}
    assert set(few["parent_code"]) - {""} <= set(few["code"])
