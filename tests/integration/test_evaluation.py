"""Evaluation: worked examples per scoring method, weights, ranks, evidence, and that a score can be made again."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.catalog import Catalog, CatalogError, load_catalog
from etl.catalog.scheme import Scheme
from etl.cli import main
from etl.divisions import load_divisions
from etl.evaluation import EvaluationError, KnownIndicator, evaluate, explain_evaluation
from etl.evaluation.terms import digest_of
from etl.periods import Period
from etl.warehouse import ServerAddress
from tests.integration.evaluation_site import (
    CITY,
    COUNTIES,
    DIVISIONS,
    OTHER_CITY,
    PERIOD,
    PROVINCE,
    TOWN,
    A,
    B,
    C,
    D,
    EvaluationSite,
    Figure,
    evaluation_site,
    indicator,
    item,
    known,
    scheme,
)

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def shared(server: ServerAddress, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EvaluationSite]:
    with evaluation_site(server, tmp_path_factory.mktemp("evaluation")) as made:
        yield made


@pytest.fixture
def site(shared: EvaluationSite) -> EvaluationSite:
    """The shared warehouse, emptied of figures, evaluations and declarations."""
    tables = ("run", "rule", "part", "score", "evidence")
    with shared.engine.begin() as conn:
        conn.execute(sa.text(f"TRUNCATE {', '.join(f'mart.evaluation_{each}' for each in tables)}"))
        conn.execute(sa.text("TRUNCATE core.scheme, core.scheme_version, mart.indicator_figure"))
        conn.execute(sa.text("UPDATE mart.period SET indicated_at = NULL"))
    for name in ("schemes", "evidence"):
        for file in (shared.folder / name).glob("*"):
            file.unlink()
    return shared


@pytest.fixture(scope="module")
def shipped() -> Catalog:
    return load_catalog(None)


def one_item(
    site: EvaluationSite, value: Figure, method: str, target: Any = None, **keys: Any
) -> dict[str, Any]:
    """County A scored by a scheme of one item."""
    site.figures({"xx": {A: value}})
    site.evaluate(site.catalog([scheme(item("xx", 100, method, **keys))]), known(xx=target))
    return site.item(A, "xx")


# --- the methods, by hand ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "keys", "points"),
    [
        ("0.9", {"target": 1.2}, "75"),  # 0.9 ÷ 1.2
        ("1.5", {"target": 1.2}, "100"),  # over the target, held at the cap of 1
        ("1.5", {"target": 1.2, "cap": 1.2}, "120"),  # 1.25, held at 1.2
        ("1.38", {"target": 1.2, "cap": 1.2}, "115"),
        ("0", {"target": 1.2}, "0"),
        ("-3", {"target": 1.2}, "0"),
        ("8", {"target": 2, "direction": "lower"}, "25"),  # 2 ÷ 8
        ("1", {"target": 2, "direction": "lower"}, "100"),
        ("0", {"target": 2, "direction": "lower"}, "100"),  # nothing is the best there can be
        ("3", {"target": 0, "direction": "lower"}, "0"),
        ("0", {"target": 0, "direction": "lower"}, "100"),
    ],
)
def test_target_ratio_is_value_by_target_up_to_the_cap(
    site: EvaluationSite, value: str, keys: dict[str, Any], points: str
) -> None:
    found = one_item(site, value, "target_ratio", **keys)
    assert found["points"] == Decimal(points)
    assert found["score"] == Decimal(points)
    assert site.column("score")[A] == Decimal(points)
    assert "目标值法" in found["reason"]


@pytest.mark.parametrize(
    ("value", "keys", "points"),
    [
        ("5.81", {"floor": 6, "target": 12}, "58.73"),  # 60 + 40 × (5.81 − 6) ÷ (12 − 6)
        ("6", {"floor": 6, "target": 12}, "60"),
        ("9", {"floor": 6, "target": 12}, "80"),
        ("12", {"floor": 6, "target": 12}, "100"),
        ("15", {"floor": 6, "target": 12}, "100"),  # 120, held at highest
        ("5.81", {"floor": 6, "target": 12, "lowest": 60}, "60"),
        ("-30", {"floor": 6, "target": 12}, "0"),
        ("4", {"floor": 5, "target": 1, "direction": "lower"}, "70"),  # 60 + 40 × (4 − 5) ÷ (1 − 5)
    ],
)
def test_efficacy_gives_60_at_the_floor_and_100_at_the_target(
    site: EvaluationSite, value: str, keys: dict[str, Any], points: str
) -> None:
    found = one_item(site, value, "efficacy", **keys)
    assert round(found["points"], 2) == Decimal(points)


def test_the_efficacy_example_is_shown_with_its_working(site: EvaluationSite) -> None:
    found = one_item(site, "5.81", "efficacy", floor=6, target=12)
    assert found["reason"] == "功效系数法：60+40×(5.81−6)÷(12−6)，限于0至100分，计58.7333分"
    assert site.column("score")[A] == Decimal("58.7333333333")
    assert site.column("grade")[A] == "不合格"


UP = [{"at": 0.7, "points": 60}, {"at": 0.8, "points": 80}, {"at": 0.95, "points": 100}]
DOWN = [{"at": 10, "points": 60}, {"at": 5, "points": 80}, {"at": 2, "points": 100}]


@pytest.mark.parametrize(
    ("value", "steps", "direction", "points"),
    [
        ("0.69", UP, "higher", 0),
        ("0.7", UP, "higher", 60),
        ("0.949", UP, "higher", 80),
        ("0.95", UP, "higher", 100),
        ("10.1", DOWN, "lower", 0),
        ("10", DOWN, "lower", 60),
        ("2", DOWN, "lower", 100),
        ("0", DOWN, "lower", 100),
    ],
)
def test_stepped_gives_the_points_of_the_best_step_reached(
    site: EvaluationSite, value: str, steps: list[dict[str, Any]], direction: str, points: int
) -> None:
    assert one_item(site, value, "stepped", steps=steps, direction=direction)["points"] == points


@pytest.mark.parametrize(
    ("value", "keys", "points"),
    [
        ("0.9", {"target": 0.9}, 100),
        ("0.8999", {"target": 0.9}, 0),
        ("2", {"target": 2, "direction": "lower"}, 100),
        ("2.01", {"target": 2, "direction": "lower"}, 0),
    ],
)
def test_pass_fail_is_all_or_nothing(
    site: EvaluationSite, value: str, keys: dict[str, Any], points: int
) -> None:
    assert one_item(site, value, "pass_fail", **keys)["points"] == points


def test_rank_percentile_is_the_share_of_the_others_that_are_not_better(site: EvaluationSite) -> None:
    """Four counties: 8, 5, 5, 1. Better than the first none of three, than the second and third one, than the last
    three."""
    site.figures({"xx": {A: 8, B: 5, C: 5, D: 1, TOWN: 99}})
    catalog = site.catalog([scheme(item("xx", 100, "rank_percentile"), levels=["county", "township"])])
    site.evaluate(catalog, known(xx=None))
    points = {code: round(site.item(code, "xx")["points"], 4) for code in COUNTIES}
    assert points == {A: 100, B: Decimal("66.6667"), C: Decimal("66.6667"), D: 0}
    assert site.item(C, "xx")["reason"] == "排名计分：指标值5，在4个同级单位中列第2位，计66.6667分"
    alone = site.item(TOWN, "xx")
    assert (alone["status"], alone["score"], alone["points"]) == ("not_applicable", None, None)
    assert "没有可比较的同级单位" in alone["reason"]
    assert site.column("score")[TOWN] is None


def test_rank_percentile_turns_round_where_lower_is_better(site: EvaluationSite) -> None:
    site.figures({"xx": {A: 8, B: 5, C: 5, D: 1}})
    site.evaluate(
        site.catalog([scheme(item("xx", 100, "rank_percentile", direction="lower"))]), known(xx=None)
    )
    assert {code: round(site.item(code, "xx")["points"], 2) for code in COUNTIES} == {
        A: 0,
        B: Decimal("66.67"),
        C: Decimal("66.67"),
        D: 100,
    }


def test_provisional_figures_are_no_measure_for_the_others(site: EvaluationSite) -> None:
    """B is provisional: A, C, D are held against each other, B against those three."""
    site.figures({"xx": {A: 8, B: 9, C: 5, D: 1}}, provisional=[B])
    site.evaluate(site.catalog([scheme(item("xx", 100, "rank_percentile"))]), known(xx=None))
    assert {code: site.item(code, "xx")["points"] for code in COUNTIES} == {A: 100, B: 100, C: 50, D: 0}


def test_direction_and_target_come_from_the_indicator_unless_stated(site: EvaluationSite) -> None:
    site.figures({"xx": {A: 4}, "yy": {A: 4}})
    catalog = site.catalog(
        [scheme(item("xx", 50, "target_ratio"), item("yy", 50, "target_ratio", target=8, direction="higher"))]
    )
    site.evaluate(catalog, {"xx": indicator(2, "lower"), "yy": indicator(2, "lower")})
    assert site.item(A, "xx")["points"] == 50
    assert site.item(A, "xx")["target"] == 2
    assert site.item(A, "yy")["points"] == 50
    assert site.item(A, "yy")["target"] == 8
    assert "越低越好" in site.item(A, "xx")["reason"]
    assert "越低越好" not in site.item(A, "yy")["reason"]


# --- weights -------------------------------------------------------------------------------------------------

THREE = (item("xx", 50, "target_ratio"), item("yy", 30, "target_ratio"), item("zz", 20, "target_ratio"))
TARGETS = known(xx=1, yy=1, zz=1)


def test_a_score_is_the_weighted_sum_of_its_parts(site: EvaluationSite) -> None:
    """0.9 × 50 + 0.8 × 30 + 1 × 20 = 45 + 24 + 20."""
    site.figures({"xx": {A: "0.9"}, "yy": {A: "0.8"}, "zz": {A: "1.7"}})
    assert site.evaluate(site.catalog([scheme(*THREE)]), TARGETS) == ["ours"]
    assert site.column("score")[A] == 89
    assert site.column("grade")[A] == "良好"
    assert [site.item(A, code)["score"] for code in ("xx", "yy", "zz")] == [45, 24, 20]
    assert [site.item(A, code)["effective_weight"] for code in ("xx", "yy", "zz")] == [50, 30, 20]


@pytest.mark.parametrize(
    ("rule", "score", "weights", "parts"),
    [
        ("zero", "65", ["50", "30", "20"], ["45", "0", "20"]),  # 45 + 0 + 20
        # (45 + 20) ÷ 70 × 100; 50 and 20 of 70
        ("spread", "92.8571", ["71.4286", "0", "28.5714"], ["64.2857", None, "28.5714"]),
    ],
)
def test_a_missing_indicator_scores_nothing_and_its_weight_follows_the_scheme(
    site: EvaluationSite, rule: str, score: str, weights: list[str], parts: list[str | None]
) -> None:
    site.figures({"xx": {A: "0.9"}, "yy": {A: None}, "zz": {A: 1}})
    site.evaluate(site.catalog([scheme(*THREE, missing=rule)]), TARGETS)
    rows = [site.item(A, code) for code in ("xx", "yy", "zz")]
    assert [row["status"] for row in rows] == ["scored", "missing", "scored"]
    assert round(site.column("score")[A], 4) == Decimal(score)
    assert [round(row["effective_weight"], 4) for row in rows] == list(map(Decimal, weights))
    assert [row["score"] if row["score"] is None else round(row["score"], 4) for row in rows] == [
        None if part is None else Decimal(part) for part in parts
    ]
    assert rows[1]["points"] is None
    assert rows[1]["reason"].startswith("缺少数据")
    assert ("不得分" in rows[1]["reason"]) == (rule == "zero")
    assert site.column("items_missing")[A] == 1


def test_a_figure_that_was_never_computed_is_missing_too(site: EvaluationSite) -> None:
    site.figures({"xx": {A: 1, B: 1}, "yy": {A: 1}, "zz": {A: 1, B: 1}})
    site.evaluate(site.catalog([scheme(*THREE)]), TARGETS)
    assert site.column("score") == {A: 100, B: 70}
    assert site.item(B, "yy")["status"] == "missing"


@pytest.mark.parametrize("rule", ["zero", "spread"])
def test_what_has_nothing_to_divide_by_is_neither_zero_nor_full_marks(
    site: EvaluationSite, rule: str
) -> None:
    """45 of 50 and 10 of 20 are 55 of 70; with zero it would be 55, with full marks 85."""
    site.figures({"xx": {A: "0.9"}, "yy": {A: "n/a"}, "zz": {A: "0.5"}})
    site.evaluate(site.catalog([scheme(*THREE, missing=rule)]), TARGETS)
    assert round(site.column("score")[A], 4) == Decimal("78.5714")
    row = site.item(A, "yy")
    assert (row["status"], row["score"], row["effective_weight"]) == ("not_applicable", None, 0)
    assert "分母为零" in row["reason"]
    assert site.column("items_not_applicable")[A] == 1


def test_an_item_for_other_levels_leaves_its_weight_to_the_rest(site: EvaluationSite) -> None:
    items = (item("xx", 50, "target_ratio"), item("yy", 50, "target_ratio", levels=["county"]))
    site.figures({"xx": {A: "0.6", TOWN: "0.6"}, "yy": {A: 1, TOWN: 1}})
    site.evaluate(site.catalog([scheme(*items, levels=["county", "township"])]), known(xx=1, yy=1))
    assert site.column("score") == {A: 80, TOWN: 60}
    assert site.item(TOWN, "yy")["status"] == "not_applicable"
    assert "不适用于该层级" in site.item(TOWN, "yy")["reason"]


def test_where_nothing_applies_there_is_no_score(site: EvaluationSite) -> None:
    site.figures({"xx": {A: "n/a", B: None}})
    site.evaluate(site.catalog([scheme(item("xx", 100, "target_ratio"))]), known(xx=1))
    assert site.column("score") == {A: None, B: 0}
    assert site.column("grade") == {A: None, B: "不合格"}
    assert site.column("rank_in_parent") == {A: None, B: 1}


def test_what_must_be_known_of_a_figure_stands_with_its_score(site: EvaluationSite) -> None:
    site.figures({"xx": {A: "0.5", B: "0.5", TOWN: "0.5"}, "yy": {}})
    with site.engine.begin() as conn:
        conn.execute(
            sa.text(
                "UPDATE mart.indicator_figure SET note_zh = '常住人口沿用2026年2月数' FROM core.division"
                " WHERE indicator_figure.division_id = division.division_id AND division_code IN (:a, :town)"
            ),
            {"a": A, "town": TOWN},
        )
    items = (item("xx", 50, "target_ratio", levels=["county"]), item("yy", 50, "target_ratio"))
    catalog = site.catalog([scheme(*items, levels=["county", "township"])])
    site.evaluate(catalog, known(xx=1, yy=1))
    assert (
        site.item(A, "xx")["reason"]
        == "目标值法：指标值0.5，目标值1，完成程度按50%计（上限100%）；常住人口沿用2026年2月数"
    )
    assert site.item(B, "xx")["reason"] == "目标值法：指标值0.5，目标值1，完成程度按50%计（上限100%）"
    assert site.item(TOWN, "xx")["reason"] == "本指标不适用于该层级，权重分摊到其他指标"


# --- grades and ranks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "grade"),
    [
        ("1", "优秀"),
        ("0.9", "优秀"),
        ("0.89995", "优秀"),  # 89.995 is published as 90.00
        ("0.89994", "良好"),
        ("0.8", "良好"),
        ("0.79", "合格"),
        ("0.6", "合格"),
        ("0.5999", "不合格"),
        ("0", "不合格"),
    ],
)
def test_grades_go_by_the_score_as_published(site: EvaluationSite, value: str, grade: str) -> None:
    one_item(site, value, "target_ratio", 1)
    assert site.column("grade")[A] == grade


def test_ties_share_a_rank_and_the_next_one_is_left_out(site: EvaluationSite) -> None:
    """A and B below one city, C and D below the other: 90, 90, 90, 70 over the province are 1, 1, 1, 4."""
    site.figures(
        {"xx": {A: "0.9", B: "0.9", C: "0.9", D: "0.7", TOWN: "0.1", CITY: "0.5", OTHER_CITY: "0.6"}}
    )
    levels = ["province", "city", "county", "township"]
    site.evaluate(site.catalog([scheme(item("xx", 100, "target_ratio"), levels=levels)]), known(xx=1))
    assert site.column("rank_in_province") == {A: 1, B: 1, C: 1, D: 4, TOWN: 1, CITY: 2, OTHER_CITY: 1}
    assert site.column("rank_in_parent") == {A: 1, B: 1, C: 1, D: 2, TOWN: 1, CITY: 2, OTHER_CITY: 1}


def test_1_1_3(site: EvaluationSite) -> None:
    site.figures({"xx": {A: "0.9", B: "0.9", C: "0.8", D: "0.7"}})
    site.evaluate(site.catalog([scheme(item("xx", 100, "target_ratio"))]), known(xx=1))
    assert site.column("rank_in_province") == {A: 1, B: 1, C: 3, D: 4}


def test_equal_sums_of_different_thirds_are_a_tie(site: EvaluationSite) -> None:
    """40 × ⅓ + 60 × ⅔ and 40 × 1 + 60 × ²⁄₉ are both 53⅓."""
    items = (item("xx", 40, "target_ratio"), item("yy", 60, "target_ratio"))
    site.figures({"xx": {A: 1, B: 3}, "yy": {A: 6, B: 2}})
    site.evaluate(site.catalog([scheme(*items)]), known(xx=3, yy=9))
    assert site.column("score")[A] == site.column("score")[B] == Decimal("53.3333333333")
    assert site.column("rank_in_parent") == {A: 1, B: 1}


def test_provisional_scores_are_shown_and_not_ranked(site: EvaluationSite) -> None:
    site.figures({"xx": {A: "0.9", B: "0.95", C: "0.8", D: "0.7"}}, provisional=[B])
    site.evaluate(site.catalog([scheme(item("xx", 100, "target_ratio"))]), known(xx=1))
    assert site.column("score")[B] == 95
    assert site.column("is_provisional") == {A: False, B: True, C: False, D: False}
    assert site.column("rank_in_province") == {A: 1, B: None, C: 2, D: 3}
    assert site.column("rank_in_parent") == {A: 1, B: None, C: 1, D: 2}
    assert site.item(B, "xx")["reason"].endswith("；初步数据")


def test_the_province_itself_has_a_score_and_no_rank(site: EvaluationSite) -> None:
    site.figures({"xx": {PROVINCE: "0.9"}})
    site.evaluate(site.catalog([scheme(item("xx", 100, "target_ratio"), levels=["province"])]), known(xx=1))
    assert site.column("score") == {PROVINCE: 90}
    assert site.column("rank_in_province") == {PROVINCE: None}


def test_divisions_are_those_of_the_periods_last_day(server: ServerAddress, tmp_path: Path) -> None:
    """In mid-month B is dissolved, and D comes to the city of A."""
    with evaluation_site(server, tmp_path) as site:
        kept = [line.strip() for line in DIVISIONS.strip().splitlines() if not line.strip().startswith(B)]
        moved = [line.replace(OTHER_CITY, CITY) if line.startswith(D) else line for line in kept]
        file = tmp_path / "later.csv"
        file.write_text("\n".join(["code,name,level,parent_code", *moved]) + "\n", encoding="utf-8")
        load_divisions(site.engine, file, date(2026, 3, 15), date(2026, 12, 31))
        site.figures({"xx": {A: "0.7", B: "0.99", C: "0.8", D: "0.9"}})
        site.evaluate(site.catalog([scheme(item("xx", 100, "target_ratio"))]), known(xx=1))
        assert site.column("rank_in_province") == {A: 3, C: 2, D: 1}
        assert site.column("rank_in_parent") == {A: 2, C: 1, D: 1}
        assert site.column("parent_code") == {A: CITY, C: OTHER_CITY, D: CITY}


# --- bonus, deduction, veto ----------------------------------------------------------------------------------


def test_bonus_and_deduction_move_the_score_and_stand_with_their_evidence(site: EvaluationSite) -> None:
    site.figures({"xx": {A: "0.8", B: "0.8", C: "0.01", D: "0.8"}})
    entries = [
        site.evidence("praise", A, "bonus", 2.5),
        site.evidence("late", A, "deduction", 1),
        site.evidence("prize_1", B, "bonus", 3),
        site.evidence("prize_2", B, "bonus", 4),
        site.evidence("fraud", C, "deduction", 20),
        site.evidence("other_month", D, "bonus", 3, period="2026-02"),
    ]
    site.evaluate(site.catalog([scheme(item("xx", 100, "target_ratio"))], entries), known(xx=1))
    assert site.column("score") == {
        A: Decimal("81.5"),
        B: 85,  # 7 points are held at most_bonus, 5
        C: 0,  # never below
        D: 80,
    }
    assert site.column("bonus") == {A: Decimal("2.5"), B: 5, C: 0, D: 0}
    assert site.column("deduction") == {A: 1, B: 0, C: 20, D: 0}
    assert site.column("rank_in_province") == {A: 2, B: 1, C: 4, D: 3}
    found = explain_evaluation(site.engine, A, PERIOD, "ours")
    assert [(row["evidence"], row["file"]) for row in found.evidence] == [
        ("late", "late.pdf"),
        ("praise", "praise.pdf"),
    ]
    assert all(len(row["sha256"]) == 64 for row in found.evidence)


def test_a_veto_gives_the_last_grade_and_the_last_rank_whatever_the_score(site: EvaluationSite) -> None:
    site.figures({"xx": {A: "0.99", B: "0.7", C: "0.1", D: "0.8"}})
    catalog = site.catalog(
        [scheme(item("xx", 100, "target_ratio"))], [site.evidence("accident", A, "veto", None)]
    )
    site.evaluate(catalog, known(xx=1))
    assert site.column("score")[A] == 99
    assert site.column("grade") == {A: "不合格", B: "合格", C: "不合格", D: "良好"}
    assert site.column("is_vetoed") == {A: True, B: False, C: False, D: False}
    assert site.column("rank_in_province") == {A: 4, B: 2, C: 3, D: 1}
    assert site.column("rank_in_parent") == {A: 2, B: 1, C: 2, D: 1}


def test_evidence_about_a_division_that_is_not_evaluated_is_refused(site: EvaluationSite) -> None:
    site.figures({"xx": {A: 1}})
    catalog = site.catalog(
        [scheme(item("xx", 100, "target_ratio"))], [site.evidence("late", TOWN, "deduction", 1)]
    )
    with pytest.raises(EvaluationError, match=f"evidence late: division {TOWN}"):
        site.evaluate(catalog, known(xx=1))
    assert site.column("score") == {}


# --- again ---------------------------------------------------------------------------------------------------


def stored(site: EvaluationSite) -> dict[str, str]:
    """Everything in core and mart as text, our own clock columns and surrogate numbers of versions left out."""
    with site.engine.connect() as conn:
        tables = conn.execute(
            sa.text(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('core', 'mart')"
            )
        ).scalars()
        return {
            table: conn.execute(
                sa.text(
                    f"SELECT coalesce(string_agg(line, E'\\n' ORDER BY line), '') FROM (SELECT (to_jsonb(t)"
                    f" - 'evaluated_at' - 'scheme_version_id')::text AS line FROM {table} AS t) AS lines"
                )
            ).scalar_one()
            for table in list(tables)
        }


def test_evaluated_again_every_digit_is_the_same(site: EvaluationSite) -> None:
    chance = random.Random(20260331)
    values = {code: {each: f"{chance.random():.6f}" for each in COUNTIES} for code in ("xx", "yy", "zz")}
    site.figures(values)
    catalog = site.catalog([scheme(*THREE)], [site.evidence("praise", B, "bonus", 1)])
    site.evaluate(catalog, TARGETS)
    first = stored(site)
    assert len(first["mart.evaluation_part"].splitlines()) == 12
    site.evaluate(catalog, TARGETS)
    assert stored(site) == first


def test_a_restated_figure_gives_another_score_and_nothing_of_the_old_one_stays(site: EvaluationSite) -> None:
    catalog = site.catalog([scheme(item("xx", 100, "target_ratio"))])
    site.figures({"xx": {A: "0.8", B: "0.9"}})
    site.evaluate(catalog, known(xx=1))
    site.figures({"xx": {A: "0.7"}})
    site.evaluate(catalog, known(xx=1))
    assert site.column("score") == {A: 70}
    assert len(site.read("mart.evaluation_part")) == 1


def test_a_scheme_is_kept_as_it_was_known_and_each_run_names_its_terms(site: EvaluationSite) -> None:
    site.figures({"xx": {A: "0.5"}})
    site.evaluate(site.catalog([scheme(item("xx", 100, "target_ratio"))]), known(xx=1))
    first = site.column("digest")[A]
    site.evaluate(site.catalog([scheme(item("xx", 100, "target_ratio", cap=1.1))]), known(xx=1))
    second = site.column("digest")[A]
    site.evaluate(site.catalog([scheme(item("xx", 100, "target_ratio", cap=1.1))]), known(xx=2))
    third = site.column("digest")[A]
    assert len({first, second, third}) == 3, "a target of the indicator is a term too"
    with site.engine.connect() as conn:
        versions = conn.execute(
            sa.text(
                "SELECT content, digest, known_to = 'infinity' FROM core.scheme_version ORDER BY scheme_version_id"
            )
        ).all()
        terms = conn.execute(sa.text("SELECT terms FROM mart.evaluation_run")).scalar_one()
    assert [(content["items"][0]["cap"], current) for content, _, current in versions] == [
        ("1", False),
        ("1.1", True),
    ]
    text = json.dumps(terms, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert digest_of(text) == third, "the terms that are kept are those that the digest is of"


def test_a_scheme_no_longer_in_force_leaves_no_scores_behind(site: EvaluationSite) -> None:
    site.figures({"xx": {A: 1}})
    ours = scheme(item("xx", 100, "target_ratio"))
    site.evaluate(site.catalog([ours]), known(xx=1))
    ended = ours | {"valid_from": PERIOD.starts_on.replace(month=1), "valid_to": PERIOD.starts_on}
    assert site.evaluate(site.catalog([ended]), known(xx=1)) == []
    assert site.column("score") == {}


def test_a_period_without_indicators_is_refused(site: EvaluationSite) -> None:
    catalog = site.catalog([scheme(item("xx", 100, "target_ratio"))])
    with pytest.raises(EvaluationError, match="python -m etl indicators --period 2026-03"):
        site.evaluate(catalog, known(xx=1))


def test_a_period_that_no_scheme_evaluates_needs_no_indicators(site: EvaluationSite) -> None:
    catalog = site.catalog([scheme(item("xx", 100, "target_ratio"))])
    assert evaluate(site.engine, catalog, Period.parse("2026-03-02"), known(xx=1)) == []


def test_a_target_that_ended_is_refused_when_the_period_is_evaluated(site: EvaluationSite) -> None:
    site.figures({"xx": {A: 1}})
    catalog = site.catalog([scheme(item("xx", 100, "target_ratio"))])
    with pytest.raises(EvaluationError, match="ours-v1, item xx: method target_ratio needs a target"):
        site.evaluate(catalog, known(xx=None))


# --- recomputed ----------------------------------------------------------------------------------------------

Value = Fraction | None | str
CODES = ("aa", "bb", "cc", "dd", "ee")
METHODS = ("target_ratio", "efficacy", "stepped", "rank_percentile", "pass_fail")
values = st.one_of(
    st.none(),
    st.just("n/a"),
    st.decimals(min_value=-2, max_value=20, places=3),
    st.sampled_from([0, 1, 5, 12]),
)


@st.composite
def schemes(draw: st.DrawFn) -> dict[str, Any]:
    shares = draw(st.lists(st.integers(1, 30), min_size=5, max_size=5))
    weights = [*shares[:4], 100 - sum(shares[:4])] if sum(shares[:4]) < 100 else [20] * 5
    items = []
    for code, method, weight in zip(CODES, METHODS, weights, strict=True):
        direction = draw(st.sampled_from(["higher", "lower"]))
        keys: dict[str, Any] = {"direction": direction}
        if method in ("target_ratio", "efficacy", "pass_fail"):
            keys["target"] = draw(st.integers(1, 12))
        if method == "target_ratio":
            keys["cap"] = draw(st.sampled_from([1, 1.1, 1.5]))
        if method == "efficacy":
            gap = draw(st.integers(1, 7))
            keys["floor"] = keys["target"] - gap if direction == "higher" else keys["target"] + gap
            keys["lowest"] = draw(st.sampled_from([0, 40]))
        if method == "stepped":
            at = draw(st.lists(st.integers(0, 15), min_size=1, max_size=4, unique=True))
            at.sort(reverse=direction == "lower")
            keys["steps"] = [{"at": each, "points": 25 * (n + 1)} for n, each in enumerate(at)]
        items.append(item(code, weight, method, **keys))
    return scheme(*items, missing=draw(st.sampled_from(["zero", "spread"])))


def exact(value: Any) -> Value:
    return value if value is None or value == "n/a" else Fraction(str(value))


def points_of(rule: Mapping[str, Any], value: Fraction, others: list[Fraction]) -> Fraction | None:
    sign = 1 if rule["direction"] == "higher" else -1
    number = {key: Fraction(str(rule[key])) for key in ("target", "floor", "cap", "lowest") if key in rule}
    match rule["method"]:
        case "target_ratio":
            if sign == -1 and value <= 0:
                return 100 * number["cap"]
            ratio = value / number["target"] if sign == 1 else number["target"] / value
            return 100 * max(Fraction(0), min(number["cap"], ratio))
        case "efficacy":
            share = (value - number["floor"]) / (number["target"] - number["floor"])
            return max(number["lowest"], min(Fraction(100), 60 + 40 * share))
        case "stepped":
            reached = [step["points"] for step in rule["steps"] if sign * value >= sign * step["at"]]
            return Fraction(max(reached, default=0))
        case "rank_percentile":
            if not others:
                return None
            return Fraction(100 * sum(sign * other <= sign * value for other in others), len(others))
        case _:
            return Fraction(100 if sign * value >= sign * number["target"] else 0)


def expected_score(
    entry: dict[str, Any], figures: dict[str, dict[str, Any]], division: str
) -> Fraction | None:
    total, weights = Fraction(0), Fraction(0)
    for rule in entry["items"]:
        by_division = {code: exact(value) for code, value in figures[rule["indicator"]].items()}
        value = by_division.pop(division)
        others = [each for each in by_division.values() if isinstance(each, Fraction)]
        points = points_of(rule, value, others) if isinstance(value, Fraction) else None
        if points is not None or (value is None and entry["missing"] == "zero"):
            weights += rule["weight"]
            total += rule["weight"] * (points or 0)
    return total / weights if weights else None


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    entry=schemes(),
    figures=st.fixed_dictionaries(
        {code: st.fixed_dictionaries(dict.fromkeys(COUNTIES, values)) for code in CODES}
    ),
)
def test_scores_are_those_of_an_independent_computation(
    site: EvaluationSite, shipped: Catalog, entry: dict[str, Any], figures: dict[str, dict[str, Any]]
) -> None:
    site.figures(figures)
    catalog = shipped.model_copy(update={"schemes": {"ours-v1": Scheme.model_validate(entry)}})
    site.evaluate(catalog, known(**dict.fromkeys(CODES)))
    scores, ranks = site.column("score"), site.column("rank_in_province")
    assert set(scores) == set(COUNTIES)
    wanted = {code: expected_score(entry, figures, code) for code in COUNTIES}
    for code in COUNTIES:
        expected = wanted[code]
        if expected is None:
            assert scores[code] is None
            assert ranks[code] is None
            continue
        assert abs(Fraction(scores[code]) - expected) < Fraction(1, 10**9)
        assert ranks[code] == 1 + sum(
            round(each, 2) > round(scores[code], 2) for each in scores.values() if each is not None
        )
        explain_evaluation(site.engine, code, PERIOD, "ours")


def test_a_score_can_be_made_again_from_what_is_kept_with_it(site: EvaluationSite) -> None:
    """Terms of the run and figures of the parts alone: no catalogue, no indicators."""
    entry = scheme(
        item("aa", 30, "target_ratio", cap=1.2),
        item("bb", 25, "efficacy", floor=2),
        item("cc", 20, "stepped", steps=[{"at": 3, "points": 50}, {"at": 6, "points": 100}]),
        item("dd", 15, "rank_percentile", direction="lower"),
        item("ee", 10, "pass_fail"),
    )
    chance = random.Random(7)
    site.figures(
        {code: {each: chance.randint(0, 12) for each in COUNTIES} for code in CODES} | {"bb": {A: None, B: 7}}
    )
    site.evaluate(
        site.catalog([entry], [site.evidence("praise", B, "bonus", 2)]), known(**dict.fromkeys(CODES, 9))
    )
    scores = site.column("score")
    site.figures({code: {A: 0} for code in CODES})
    with site.engine.connect() as conn:
        terms = conn.execute(sa.text("SELECT terms FROM mart.evaluation_run")).scalar_one()
        parts = conn.execute(
            sa.text(
                "SELECT division_code, indicator, status, value, peers, better FROM mart.evaluation_part"
                " JOIN core.indicator USING (indicator_id) JOIN core.division USING (division_id)"
            )
        ).all()
    rules = {rule["indicator"]: rule for rule in terms["rules"] if rule["level"] == "county"}
    assert len(parts) == 20
    for code in COUNTIES:
        total = Fraction(0)
        for part in (each for each in parts if each.division_code == code and each.value is not None):
            rule = {key: value for key, value in rules[part.indicator].items() if value is not None}
            rule["direction"] = "lower" if rule["is_lower_better"] else "higher"
            rule["steps"] = [{key: Fraction(value) for key, value in step.items()} for step in rule["steps"]]
            worse = Fraction(part.value) + (1 if rule["is_lower_better"] else -1)
            better = Fraction(part.value) - (1 if rule["is_lower_better"] else -1)
            others = [better] * (part.better or 0) + [worse] * ((part.peers or 0) - (part.better or 0))
            total += Fraction(rule["weight"]) * (points_of(rule, Fraction(part.value), others) or 0) / 100
        bonus = sum(Fraction(each["points"]) for each in terms["evidence"] if each["division"] == code)
        assert abs(Fraction(scores[code]) - total - bonus) < Fraction(1, 10**9)


# --- what if -------------------------------------------------------------------------------------------------


def test_what_if_shows_the_change_of_ranks_and_stores_nothing(site: EvaluationSite) -> None:
    """By x alone A, B, C, D; with y for half of it D, B, A = C."""
    site.figures({"xx": {A: "1", B: "0.9", C: "0.8", D: "0.7"}, "yy": {A: "0", B: "0.3", C: "0.2", D: "0.9"}})
    catalog = site.catalog([scheme(item("xx", 100, "target_ratio"))])
    site.evaluate(catalog, known(xx=1, yy=1))
    before = stored(site)
    other = scheme(
        item("xx", 50, "target_ratio"),
        item("yy", 50, "target_ratio"),
        id="ours-v2",
        valid_from=Period.parse("2030").starts_on,
    )
    changes = site.compare(catalog, other, known(xx=1, yy=1))
    assert [(each.division_code, each.scheme_before) for each in changes] == [
        (D, "ours"),
        (B, "ours"),
        (A, "ours"),
        (C, "ours"),
    ]
    assert [(each.rank_in_province_before, each.rank_in_province, each.rank_change) for each in changes] == [
        (4, 1, 3),
        (2, 2, 0),
        (1, 3, -2),
        (3, 3, 0),
    ]
    assert [(each.score_before, each.score) for each in changes] == [(70, 80), (90, 60), (100, 50), (80, 50)]
    assert (changes[0].grade_before, changes[0].grade) == ("合格", "良好")
    assert stored(site) == before


def test_what_if_needs_no_stored_evaluation_and_no_scheme_in_force(site: EvaluationSite) -> None:
    site.figures({"xx": {A: "1", TOWN: "0.5"}})
    catalog = site.catalog([scheme(item("xx", 100, "target_ratio"))])
    new = scheme(item("xx", 100, "pass_fail"), id="new-v1", code="new", levels=["county", "township"])
    changes = site.compare(catalog, new, known(xx=1))
    assert [(each.division_code, each.scheme_before, each.score_before, each.score) for each in changes] == [
        (A, "ours", 100, 100),
        (TOWN, None, None, 0),
    ]
    assert site.column("score") == {}


def test_a_what_if_scheme_is_checked_like_any_other(site: EvaluationSite) -> None:
    site.figures({"xx": {A: "1"}})
    catalog = site.catalog([scheme(item("xx", 100, "target_ratio"))])
    with pytest.raises(CatalogError, match=r"what_if\.txt: .*sum to 90"):
        site.compare(catalog, scheme(item("xx", 90, "target_ratio")), known(xx=1))
    with pytest.raises(CatalogError, match=r"what_if\.txt: item yy: the indicator is not declared"):
        site.compare(catalog, scheme(item("yy", 100, "target_ratio")), known(xx=1))
    with pytest.raises(EvaluationError, match="2026-03 is a month"):
        site.compare(catalog, scheme(item("xx", 100, "target_ratio"), periods=["year"]), known(xx=1))


# --- the shipped schemes, and the command line ---------------------------------------------------------------


def test_the_shipped_schemes_score_every_level_they_are_for(site: EvaluationSite) -> None:
    catalog = load_catalog(None)
    codes = {each.indicator for scheme in catalog.schemes.values() for each in scheme.items}
    assert len(codes) == 28 + 9
    indicators: dict[str, KnownIndicator] = known(**dict.fromkeys(codes, 1))
    everybody = (PROVINCE, CITY, OTHER_CITY, *COUNTIES, TOWN)
    site.figures({code: dict.fromkeys(everybody, 1) for code in codes})
    assert sorted(site.evaluate(catalog, indicators)) == ["county-monthly", "shandong-2025"]
    by_plan = site.column("score", scheme="shandong-2025")
    assert by_plan == dict.fromkeys((PROVINCE, CITY, OTHER_CITY, *COUNTIES), 100)
    assert site.column("items_not_applicable", scheme="shandong-2025")[A] == 8
    monthly = site.column("score", scheme="county-monthly")
    assert monthly == dict.fromkeys((*COUNTIES, TOWN), 100)
    assert evaluate(site.engine, catalog, PERIOD, indicators) == [
        each.code for each in catalog.schemes.values()
    ]


def test_a_score_is_explained_by_command(
    site: EvaluationSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    site.figures({"xx": {A: "0.9"}, "yy": {A: None}, "zz": {A: 1}})
    site.evaluate(site.catalog([scheme(*THREE)], [site.evidence("praise", A, "bonus", 2)]), TARGETS)
    monkeypatch.setenv("PLS_HOME", str(tmp_path))
    monkeypatch.setenv("PLS_WAREHOUSE", site.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("PLS_CATALOG", str(site.folder))
    words = ["explain", "mart.evaluation", "--division", A, "--period", "2026-03", "--scheme", "ours"]
    shown = CliRunner().invoke(main, words)
    assert shown.exit_code == 0, shown.output
    assert "甲县 2026-03 ours-v1: score 67, 合格, rank 1 below 371300000000" in shown.output
    assert "praise.pdf" in shown.output
    found = json.loads(CliRunner().invoke(main, [*words, "--json"]).stdout)
    assert [(each["indicator"], each["value"]) for each in found["items"]] == [
        ("xx", "0.9"),
        ("yy", None),
        ("zz", "1"),
    ]
    assert found["items"][1]["reason"] == "缺少数据，本项不得分"
    assert [each["file"] for each in found["evidence"]] == ["praise.pdf"]
    assert found["total"]["score"] == "67"
    short = ["explain", "evaluation", *words[2:]]
    assert (
        CliRunner().invoke(main, [*short, "--json"]).stdout
        == CliRunner().invoke(main, [*words, "--json"]).stdout
    )
    none = CliRunner().invoke(main, [*words[:-1], "other"])
    assert none.exit_code == 2
    assert "has no score" in none.output


def test_a_part_that_does_not_fit_its_score_is_a_defect(site: EvaluationSite) -> None:
    site.figures({"xx": {A: "0.9"}})
    site.evaluate(site.catalog([scheme(item("xx", 100, "target_ratio"))]), known(xx=1))
    with site.engine.begin() as conn:
        conn.execute(sa.text("UPDATE mart.evaluation_part SET score = 80"))
    with pytest.raises(RuntimeError, match="its parts add up to 80"):
        explain_evaluation(site.engine, A, PERIOD, "ours")
