"""Satisfaction as declared, deadlines of the follow-up, and the arithmetic of ranks and weights."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from etl.catalog import Calendar, CalendarUnknown, CatalogError, load_catalog
from etl.satisfaction.rates import open_ranks, wilson
from etl.satisfaction.weighting import Cells, post_stratify
from etl.settings import SHIPPED_CATALOG

pytestmark = pytest.mark.unit
FILE = SHIPPED_CATALOG / "satisfaction" / "satisfaction.yaml"
(SHIPPED,) = yaml.safe_load(FILE.read_text(encoding="utf-8"))
WORKDAYS = Calendar(name="workdays", days="work")


def test_what_domain_asks_for_is_shipped() -> None:
    rule = load_catalog(None).satisfaction_rule()
    assert list(rule.score.values()) == [100, 80, 60, 30, 0]
    assert (rule.fewest_shown, rule.fewest_ranked, rule.confidence, rule.follow_up_workdays) == (
        5,
        30,
        0.95,
        15,
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"satisfied": ["glad"]}, "key satisfied names glad"),
        ({"score": SHIPPED["score"] | {"glad": 90}}, "key score names glad"),
        ({"score": SHIPPED["score"] | {"satisfied": 101}}, "key score.satisfied is 101"),
        ({"strictly_satisfied": ["dissatisfied"]}, "only answers of satisfied"),
        ({"dissatisfied": ["satisfied"]}, "either satisfied or dissatisfied"),
        ({"fewest_ranked": 3}, "at least fewest_shown"),
        ({"confidence": 95}, "key confidence is 95"),
        ({"weighting": "age"}, "key weighting is 'age'"),
        ({"calendar": "moon"}, "key calendar names moon"),
        ({"confidnce": 0.9}, "did you mean confidence?"),
    ],
)
def test_a_bad_declaration_is_refused_in_words(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    (tmp_path / "satisfaction").mkdir()
    file = tmp_path / "satisfaction" / "ours.yaml"
    file.write_text(yaml.safe_dump([SHIPPED | changes], allow_unicode=True), encoding="utf-8")
    with pytest.raises(CatalogError, match="satisfaction") as refused:
        load_catalog(tmp_path)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("day", "due"),
    [
        (date(2026, 3, 2), date(2026, 3, 23)),
        (date(2026, 4, 27), date(2026, 5, 20)),  # Labour Day off 1 to 5 May, Saturday 9 May worked
        (
            date(2026, 2, 13),
            date(2026, 3, 12),
        ),  # Spring Festival off 15 to 23 February, 14 and 28 February worked
        (date(2024, 2, 29), date(2024, 3, 21)),
    ],
)
def test_deadlines_count_working_days_across_holidays(day: date, due: date) -> None:
    found = WORKDAYS.workday_after(day, 15)
    assert found == due
    worked = [
        n
        for n in range(1, (due - day).days + 1)
        if WORKDAYS.is_workday(date.fromordinal(day.toordinal() + n))
    ]
    assert len(worked) == 15


def test_a_deadline_beyond_the_known_calendar_is_not_made_up() -> None:
    with pytest.raises(CalendarUnknown):
        WORKDAYS.workday_after(date(2026, 12, 21), 15)


def test_nothing_is_known_of_a_rate_without_answers() -> None:
    low, high = wilson(np.array([np.nan, 1.0]), np.array([0.0, 20.0]), 0.95)
    assert np.isnan([low[0], high[0]]).all()
    assert round(low[1], 3) == 0.839


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 100), st.integers(0, 30), st.integers(0, 30)),
        min_size=1,
        max_size=30,
    )
)
def test_open_ranks_are_those_counted_one_by_one(rows: list[tuple[int, int, int, int]]) -> None:
    group = np.array([row[0] for row in rows])
    rate = np.array([row[1] / 100 for row in rows])
    low = np.clip(rate - np.array([row[2] / 100 for row in rows]), 0, 1)
    high = np.clip(rate + np.array([row[3] / 100 for row in rows]), 0, 1)
    best, worst, leading = open_ranks(group, rate, low, high)
    low, high = np.round(low, 12), np.round(high, 12)
    for n in range(len(rows)):
        peers = [m for m in range(len(rows)) if group[m] == group[n]]
        assert best[n] == 1 + sum(low[m] > high[n] for m in peers)
        assert worst[n] == len(peers) - sum(high[m] < low[n] for m in peers)
        top = max(peers, key=lambda m: (rate[m], low[m]))
        assert leading[n] == (high[n] >= low[top])


def test_weights_by_hand() -> None:
    cells = Cells(np.array([0, 0]), np.array([100.0, 50.0]), np.array([80.0, 10.0]), np.array([300.0, 700.0]))
    found = post_stratify(cells, 1, 5)
    assert found.rate[0] == pytest.approx(0.3 * 0.8 + 0.7 * 0.2)
    assert found.effective_sample[0] == pytest.approx(1 / (0.09 / 100 + 0.49 / 50))
    assert not found.collapsed.any()


def test_kish_s_effective_sample_is_that_of_the_answers_own_weights() -> None:
    answered, weight = np.array([10.0, 40.0, 50.0]), np.array([50.0, 20.0, 30.0])
    found = post_stratify(Cells(np.zeros(3, dtype=np.int64), answered, answered / 2, weight), 1, 5)
    each = np.repeat(weight / answered, answered.astype(int))
    assert found.effective_sample[0] == pytest.approx(each.sum() ** 2 / (each**2).sum())


def test_cells_with_too_few_answers_or_no_weight_are_put_together() -> None:
    cells = Cells(
        np.array([0, 0, 0, 1, 1, 2]),
        np.array([50.0, 20.0, 0.0, 3.0, 3.0, 40.0]),
        np.array([50.0, 10.0, 0.0, 3.0, 0.0, 4.0]),
        np.array([100.0, 50.0, 50.0, 1.0, 9.0, 0.0]),
    )
    found = post_stratify(cells, 4, 5)
    assert found.collapsed.tolist() == [False, True, True, True, True, True]
    assert found.rate[:2].tolist() == [0.5 * 1 + 0.5 * 0.5, 0.5]
    assert np.isnan(found.rate[2:]).all(), "nothing weighs there"
