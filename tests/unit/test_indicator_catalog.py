"""Indicators as declared: the formula language, what is refused and in which words, and that nothing is missing."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from etl.catalog import AtMost, Catalog, CatalogError, Level, load_catalog
from etl.catalog.formula import (
    Condition,
    Divisions,
    Figure,
    Formula,
    Reporting,
    Services,
    Units,
    parse_formula,
)
from etl.catalog.indicator import Indicator
from etl.indicators.page import indicator_page

SOURCE = {"key": "SD-2025", "quote": "每十万人提供法律援助量 260件", "place": "主要指标第 14 项"}
ENTRY = {
    "code": "aid",
    "name_zh": "每十万人提供法律援助量",
    "name_en": "Legal aid per 100,000 people",
    "formula": "legal_aid_accepted / population * 100000",
    "unit": "件",
    "kind": "volume",
    "levels": ["province", "city", "county"],
    "periods": ["month", "quarter", "year"],
    "direction": "higher",
    "targets": [{"by": "2025-12-31", "at_least": 260}],
    "source": SOURCE,
}
RATE = ENTRY | {
    "formula": "defence_assigned / defence_notified",
    "unit": "%",
    "kind": "rate",
    "targets": [{"at_least": 1}],
}

SD_2025 = {
    1: 1, 2: 1, 3: 1, 4: "0.95", 5: "0.95", 6: 30, 7: 30, 8: 5, 9: 5000, 10: 2000, 11: 1, 12: 1, 13: 1, 14: 260, 15: 1,
    16: 1, 17: 1, 18: "1.5", 19: 30, 20: 3, 21: 3, 22: "0.3", 23: 2, 24: 3, 25: 1, 26: "0.8", 27: "0.15", 28: 1,
}  # fmt: skip
"""Targets at the end of 2025 (domain.md section 3), ratios for percent."""
BINDING = {1, 2, 3, 12, 13, 25}
OTHERS = {
    "fj_county_platform": [("2017-12-31", "0.8"), ("2018-12-31", "1")],
    "fj_township_platform": [("2017-12-31", "0.9"), ("2018-12-31", "1")],
    "fj_village_counsel": [("2017-12-31", "0.95"), ("2018-12-31", "1")],
    "lyg_platform": [("2019-12-31", "1")],
    "lyg_professionals": [("2021-12-31", "3")],
    "lyg_village_counsel": [("2018-12-31", "1")],
    "lyg_purchased_staff": [("2018-12-31", "0.3")],
    "lyg_counsel_fund": [(None, "2000")],
    "lyg_mediation": "rising",
    "lyg_mediation_success": "rising",
    "lyg_mediation_performance": "rising",
    "lyg_smart_service": [("2019-12-31", "1")],
    "suz_counsel_fund": [(None, "10000")],
    "suz_standardised": [("2016-12-31", "0.7")],
    "suz_platform_built": [("2020-12-31", "0.9")],
    "suz_complaint": [],
    "suz_counsel_duty": [(None, "1")],
    "suz_town_without_law_office": [],
    "ly_legal_aid_by_lawyer": [(None, "0.8")],
    "ly_demo_village_district": [("2025-12-31", "0.9")],
    "ly_demo_village_city": [("2025-12-31", "0.6")],
    "ly_demo_village_province": [("2025-12-31", "0.1")],
    "ly_demo_village_national": [(None, "1")],
    "ly_village_counsel": [("2025-12-31", "1")],
    "ly_counsel_lawyer": [("2025-12-31", "100")],
    "ly_law_savvy": [("2025-12-31", "1")],
    "ly_case_bank": [(None, "50")],
    "ly_defence_assigned": [(None, "1")],
    "ly_trial_defence": [(None, "1")],
    "ly_lawyer": [("2025-12-31", "350")],
    "ly_awareness": "rising",
    "ly_first_choice": "rising",
    "ly_satisfaction": "rising",
    "ly_vice_principal": [(None, "1")],
    "ly_legal_aid_in_budget": [(None, "1")],
    "ly_training": [(None, "1")],
    "ly_quiz": [(None, "1")],
    "ly_online_lecture": [(None, "1")],
}
"""domain.md section 3, rulings 20 and 21."""
FIVE_YEARS = {
    "lawyer": 3_969_000,
    "notary": 4_040_000,
    "forensic": 638_000,
    "mediation": 1_415_200,
    "grassroots": 1_712_000,
    "legal_aid": 652_000,
    "arbitration": 111_300,
}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(None)


def refusal(folder: Path, *entries: dict[str, Any]) -> str:
    path = folder / "indicators" / "ours.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(list(entries), allow_unicode=True, sort_keys=False), encoding="utf-8")
    with pytest.raises(CatalogError) as refused:
        load_catalog(folder)
    return str(refused.value)


# --- the language --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        (
            "legal_aid_accepted / population * 100000",
            Formula((Figure("legal_aid_accepted"),), (Figure("population"),), 100000),
        ),
        ("(a + b) / c", Formula((Figure("a"), Figure("b")), (Figure("c"),), 1)),
        ("a + b", Formula((Figure("a"), Figure("b")), (), 1)),
        ("a / (b + c)", Formula((Figure("a"),), (Figure("b"), Figure("c")), 1)),
        ("services[network] / services", Formula((Services("network"),), (Services(),), 1)),
        (
            "units(village: a >= 1 and b >= 3) / divisions(village)",
            Formula(
                (Units((Level.VILLAGE,), (Condition("a", 1), Condition("b", 3))),),
                (Divisions((Level.VILLAGE,)),),
                1,
            ),
        ),
        ("reports_on_time / reports_expected", Formula((Reporting("on_time"),), (Reporting("expected"),), 1)),
    ],
)
def test_a_formula_means_its_parts_and_is_written_back_as_it_was_read(text: str, formula: Formula) -> None:
    assert parse_formula(text) == formula
    assert str(formula) == text


BAD_FORMULAS = {
    "": "a measure, services, units(…), divisions(…) or reports_… was expected, not the end",
    "a +": "was expected, not the end (character 4)",
    "a + b / c": "brackets around the sum were expected, not /",
    "a / b / c": "one division only: put sums in brackets",
    "a / b * 10 * 10": "one factor only, at the end",
    "a - b": "nothing is subtracted: name a measure for what is meant",
    "(a + b": ") was expected, not the end",
    "a b": "the end, + or / was expected, not b (character 3)",
    "a[all]": "a[all] is written a",
    "a + a": "a is added twice",
    "a / a": "a is divided by itself",
    "a / b * 0": "a factor of at least 1 was expected after *",
    "a / b * c": "a factor such as 10000 was expected, not c",
    "a ^ b": "^ means nothing in a formula (character 3)",
    "units(hamlet: a >= 1)": "hamlet is not a level; levels are province, city, county, township, village",
    "units(village, village: a >= 1)": "each was expected once, written twice: village",
    "units(village: a >= 0)": "a >= 0 is always so: at least 1 was expected",
    "units(village: a > 1)": ">= was expected, not >",
    "units(village)": ": was expected, not )",
    "divisions()": "a level was expected, not )",
    "__import__('os')": "_ means nothing in a formula (character 1)",
}


@pytest.mark.parametrize("text", BAD_FORMULAS)
def test_what_is_no_formula_is_refused_saying_what_was_expected_and_where(text: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the message is compared below
        parse_formula(text)
    assert BAD_FORMULAS[text] in str(refused.value)


# --- declarations that are refused -----------------------------------------------------------------------------


def changed(entry: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {key: value for key, value in (entry | changes).items() if value is not ...}


BAD_ENTRIES = {
    "formula that cannot be read": (changed(ENTRY, formula="a +"), "key formula is 'a +': a measure, services"),
    "unknown measure": (
        changed(ENTRY, formula="legal_aid_acepted / population * 100000"),
        "key formula names the measure legal_aid_acepted, which is not declared. Did you mean legal_aid_accepted?",
    ),
    "unknown measure in a condition": (
        changed(RATE, formula="units(village: platfrom_built >= 1) / divisions(village)"),
        "key formula names the measure platfrom_built, which is not declared. Did you mean platform_built?",
    ),
    "unknown channel": (
        changed(RATE, formula="consultation[netwrok] / consultation"),
        "key formula names the channel netwrok, which is not declared. Did you mean network?",
    ),
    "channel that nobody reports it in": (
        changed(RATE, formula="hotline_answered[network] / hotline_call"),
        "key formula: hotline_answered is not reported in channel network, only in hotline",
    ),
    "stock with a channel": (
        changed(ENTRY, formula="lawyer[network] / population * 10000"),
        "key formula: lawyer is a stock, and stocks have no channel: write lawyer",
    ),
    "stock summed over time": (
        changed(ENTRY, formula="(lawyer + legal_aid_accepted) / population * 10000"),
        "key formula adds lawyer, a stock at a month's end, to legal_aid_accepted, which is summed over the period",
    ),
    "stock of a day": (
        changed(ENTRY, periods=["day", "month"]),
        "key periods: population is known at the end of a month only: delete day",
    ),
    "annualised over a flow": (
        changed(ENTRY, formula="legal_aid_accepted / dispute_found * 1000", annualised=True),
        "key annualised: a whole year's numerator would be divided by dispute_found of the period alone",
    ),
    "annualised stock": (
        changed(ENTRY, formula="lawyer / population * 10000", annualised=True),
        "key annualised: lawyer is not summed over time and has nothing to scale",
    ),
    "measure that no level below reports": (
        changed(ENTRY, levels=["county", "township"]),
        "key levels: at or below level township nobody reports legal_aid_accepted: delete township",
    ),
    "count of levels above": (
        changed(RATE, formula="units(county: hotline_247 >= 1) / divisions(county)", levels=["county", "village"]),
        "key levels: at or below level village nobody is counted by units(county: hotline_247 >= 1)",
    ),
    "condition of villages for what villages do not report": (
        changed(RATE, formula="units(village: hotline_247 >= 1) / divisions(village)"),
        "key formula: hotline_247 is not reported by level village, only by county: units(village: …) counts nothing",
    ),
    "target above 1 in a rate": (
        changed(RATE, targets=[{"at_least": 95}]),
        "the target 95 of a rate is above 1, that is 100 %: write ratios (0.95 for 95 %), or give a reason",
    ),
    "rate with a factor": (
        changed(RATE, formula="defence_assigned / defence_notified * 100"),
        "a rate is kept as a ratio (1 = 100 %): delete the factor",
    ),
    "rate in another unit": (changed(RATE, unit="件"), "kind rate and unit % belong together"),
    "direction without targets": (
        changed(ENTRY, targets=...),
        "targets are missing: direction higher says that one is to be reached",
    ),
    "targets without direction": (
        changed(ENTRY, direction="none"),
        "direction is none, yet there are targets: say which way is better, or delete them",
    ),
    "target against the direction": (
        changed(ENTRY, direction="lower"),
        "direction is lower, yet a target says that higher is better",
    ),
    "target that says nothing": (
        changed(ENTRY, targets=[{"by": "2025-12-31"}]),
        "key targets.0: one of at_least, at_most and trend was expected",
    ),
    "schedule out of order": (
        changed(ENTRY, targets=[{"by": "2025-12-31", "at_least": 1}, {"by": "2024-12-31", "at_least": 2}]),
        "targets: each with a day in by was expected, in order of these days",
    ),
    "target of a level that has it not": (
        changed(ENTRY, targets=[{"at_least": 1, "levels": ["village"]}]),
        "targets name level village, which has not this indicator",
    ),
    "missing quote": (
        changed(ENTRY, source={"key": "SD-2025", "place": "主要指标"}),
        "key source.quote is missing: add it",
    ),
    "unknown source": (
        changed(ENTRY, source=SOURCE | {"key": "TJ-2018"}),
        "key source.key is 'TJ-2018': expected 'SD-2025'",
    ),
    "inferred without a word": (
        changed(ENTRY, source=SOURCE | {"is_inferred": True}),
        "a note that says what is inferred was expected",
    ),
    "unknown key": (changed(ENTRY, formular="a"), "key formular is not known: did you mean formula?"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_ENTRIES)
def test_an_indicator_that_cannot_be_taken_is_refused_with_file_entry_and_line(
    tmp_path: Path, name: str
) -> None:
    entry, words = BAD_ENTRIES[name]
    said = refusal(tmp_path, changed(ENTRY, code="good"), entry)
    assert words in said
    assert f"indicators/ours.yaml, entry 2 (code {entry['code']}), line " in said


def test_a_refusal_names_the_line_of_the_key_it_is_about(tmp_path: Path) -> None:
    said = refusal(tmp_path, changed(ENTRY, code="good"), changed(ENTRY, formula="nobody / population"))
    lines = (tmp_path / "indicators" / "ours.yaml").read_text().splitlines()
    number = next(n for n, line in enumerate(lines, start=1) if "nobody" in line)
    assert f"line {number}: key formula names the measure nobody" in said


def test_a_code_that_is_declared_twice_is_refused_naming_both_places(tmp_path: Path) -> None:
    said = refusal(tmp_path, ENTRY, ENTRY)
    assert "key code: aid is declared already in" in said
    assert "entry 1 (code aid), line 1" in said
    assert "entry 2 (code aid), line " in said


def test_a_target_above_one_is_taken_with_a_reason(tmp_path: Path) -> None:
    entry = changed(RATE, targets=[{"at_least": "1.2", "reason": "可超额完成"}])
    (tmp_path / "indicators").mkdir()
    (tmp_path / "indicators" / "ours.yaml").write_text(yaml.safe_dump([entry]), encoding="utf-8")
    assert load_catalog(tmp_path).indicators["aid"].targets[0].value == Decimal("1.2")


def test_a_measure_must_not_be_called_as_a_word_of_the_language(tmp_path: Path) -> None:
    (tmp_path / "measures").mkdir()
    for file in ("survey", "stock", "flow"):
        shipped = Path("etl/catalog/measures") / f"{file}.yaml"
        (tmp_path / "measures" / f"{file}.yaml").write_text(
            shipped.read_text(encoding="utf-8"), encoding="utf-8"
        )
    more = "- {code: services, name_zh: 服务, name_en: Services, unit: 件, ceiling: 9, kind: flow}\n"
    (tmp_path / "measures" / "more.yaml").write_text(more, encoding="utf-8")
    with pytest.raises(CatalogError, match="services is a word of the formula language"):
        load_catalog(tmp_path)


# --- what is shipped ---------------------------------------------------------------------------------------------


def schedule(indicator: Indicator) -> list[tuple[str | None, Decimal | None]]:
    return [(target.by and target.by.isoformat(), target.value) for target in indicator.targets]


def test_the_28_of_shandong_are_declared_with_their_targets_and_nature(catalog: Catalog) -> None:
    mine = {each.number: each for each in catalog.indicators.values() if each.number is not None}
    assert sorted(mine) == list(range(1, 29))
    for number, indicator in mine.items():
        assert indicator.source.key == "SD-2025"
        assert schedule(indicator) == [("2025-12-31", Decimal(SD_2025[number]))], number
        assert indicator.nature == ("binding" if number in BINDING else "expected"), number


def test_every_line_of_the_other_documents_is_declared_with_its_targets(catalog: Catalog) -> None:
    declared = {
        code: each
        for code, each in catalog.indicators.items()
        if each.source.key in ("FJ-2017", "LYG-2018", "SUZ-2016", "LY-2025")
    }
    assert declared.keys() == OTHERS.keys()
    for code, wanted in OTHERS.items():
        if wanted == "rising":
            assert [target.trend for target in declared[code].targets] == ["rising"], code
        else:
            assert schedule(declared[code]) == [(by, Decimal(value)) for by, value in wanted], code


def test_what_the_rulings_add_to_shandong_is_held_and_five_year_volumes_are_no_targets(
    catalog: Catalog,
) -> None:
    organs = catalog.indicators["sd_organ_lawyer"]
    assert organs.formula == "organ_with_public_lawyer / party_government_organ"
    assert schedule(organs) == [("2025-12-31", Decimal(1))]
    for name, amount in FIVE_YEARS.items():
        indicator = catalog.indicators[f"sd_volume_{name}"]
        assert f"{amount:,}" in (indicator.reference or "")
        assert indicator.targets == ()


def test_what_is_inferred_or_contradictory_says_so(catalog: Catalog) -> None:
    inferred = [code for code, each in catalog.indicators.items() if each.source.is_inferred]
    assert inferred == ["lyg_professionals"]
    assert "24%" in (catalog.indicators["ly_lawyer"].source.note or "")
    for code in ("suz_complaint", "suz_town_without_law_office"):
        assert catalog.indicators[code].direction == "none"
        assert catalog.indicators[code].source.note


def test_only_what_documents_ask_for_has_targets(catalog: Catalog) -> None:
    activity = [each for each in catalog.indicators.values() if each.source.key == "specification"]
    assert len(activity) == 16
    assert not any(each.targets for each in activity)
    assert Counter(each.source.key for each in catalog.indicators.values()) == {
        "SD-2025": 36, "FJ-2017": 3, "LYG-2018": 9, "SUZ-2016": 6, "LY-2025": 20, "specification": 16,
    }  # fmt: skip


def test_parts_of_services_are_not_counted_twice(catalog: Catalog) -> None:
    services = catalog.services()
    assert {"consultation", "mediation_accepted", "legal_aid_accepted", "lawyer_case"} <= set(services)
    assert not {"consultation_on_the_spot", "legal_aid_by_lawyer", "mediation_settled"} & set(services)
    assert not set(services) & {each.part for each in catalog.checks.values() if isinstance(each, AtMost)}


def test_the_page_of_indicators_is_the_catalogues_and_names_every_one(catalog: Catalog) -> None:
    page = (Path(__file__).parents[2] / "docs" / "indicators.md").read_text(encoding="utf-8")
    assert page == indicator_page(catalog), "stale: make indicators"
    assert len(catalog.indicators) == 90
    for code, indicator in catalog.indicators.items():
        assert f"`{code}`" in page
        assert f"`{indicator.formula}`" in page
        assert indicator.source.quote in page
