"""Schemes and evidence as declared: the ones that are shipped, and what is refused in words that name the mend."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from etl.catalog import CatalogError, Level, load_catalog
from etl.catalog.scheme import ALLOWED, Scheme
from etl.catalog.scheme_consistency import KnownIndicator, item_contradictions
from etl.catalog.scheme_file import load_scheme
from etl.catalog.scheme_indicators import known_indicators
from etl.periods import Period
from etl.settings import SHIPPED_CATALOG

ITEM = {
    "indicator": "reporting_rate",
    "category": "业务规范",
    "aspect": "业务开展",
    "weight": 100,
    "method": "target_ratio",
}
SCHEME = {
    "id": "ours-v1",
    "code": "ours",
    "name_zh": "试行方案",
    "valid_from": date(2026, 1, 1),
    "levels": ["county", "township"],
    "periods": ["month"],
    "missing": "zero",
    "most_bonus": 5,
    "items": [ITEM],
}
BODY = "表彰决定".encode()
EVIDENCE = {
    "id": "praise",
    "scheme": "ours",
    "division": "371302000000",
    "period": "2026-03",
    "kind": "bonus",
    "points": 2,
    "reason": "省级表彰",
    "file": "praise.pdf",
    "sha256": hashlib.sha256(BODY).hexdigest(),
}
STEPS = [{"at": 0.7, "points": 60}, {"at": 0.9, "points": 100}]
EFFICACY = {"method": "efficacy", "floor": 0.5}

Refuse = Callable[..., str]


def changed(entry: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The entry with some keys changed; a key changed to ... is left out."""
    return {key: value for key, value in (entry | changes).items() if value is not ...}


def items(*changes: dict[str, Any]) -> dict[str, Any]:
    """The scheme with these items, each the one above with some keys changed."""
    return changed(SCHEME, items=[changed(ITEM, **each) for each in changes])


def whole(**keys: Any) -> dict[str, Any]:
    """A scheme that the shipped indicators can be scored by, with some keys changed."""
    return changed(items({"direction": "higher", "target": 0.95}), **keys)


def write(folder: Path, schemes: list[Any], evidence: list[Any] | None = None) -> Path:
    for name, entries in (("schemes", schemes), ("evidence", evidence or [])):
        (folder / name).mkdir(exist_ok=True)
        text = yaml.safe_dump(entries, allow_unicode=True)
        (folder / name / "ours.yaml").write_text(text, encoding="utf-8")
    (folder / "evidence" / "praise.pdf").write_bytes(BODY)
    return folder


@pytest.fixture
def refuse(tmp_path: Path) -> Refuse:
    """The words in which schemes and evidence are refused."""

    def refused(schemes: list[Any], evidence: list[Any] | None = None) -> str:
        with pytest.raises(CatalogError) as words:
            load_catalog(write(tmp_path, schemes, evidence))
        return str(words.value)

    return refused


# --- what is shipped -----------------------------------------------------------------------------------------


def test_shandongs_scheme_weighs_its_28_indicators_in_three_categories_and_three_aspects() -> None:
    scheme = load_catalog(None).schemes["shandong-2025-v1"]
    assert len(scheme.items) == 28
    assert all(item.indicator.startswith("sd_") for item in scheme.items)
    assert len({(item.category, item.aspect) for item in scheme.items}) == 9
    assert sum(item.weight for item in scheme.items) == 100
    numbers = [n for n, item in enumerate(scheme.items, start=1) if item.levels == (Level.PROVINCE,)]
    assert numbers == [6, 7, 9, 10, 19, 21, 23], "their targets are numbers for the whole province"


def test_the_monthly_scheme_covers_activity_timeliness_and_satisfaction_by_all_methods() -> None:
    scheme = load_catalog(None).schemes["county-monthly-v1"]
    assert [item.indicator for item in scheme.items] == [
        "services_per_10000",
        "online_completion",
        "workorder_on_time",
        "hotline_answer",
        "reporting_rate",
        "on_time_reporting_rate",
        "satisfaction_rate",
        "awareness_rate",
        "complaint_resolution",
    ]
    assert {item.method for item in scheme.items} == set(ALLOWED)
    assert sum(item.weight for item in scheme.items) == 100


def test_weights_are_marked_as_defaults_in_every_shipped_scheme() -> None:
    files = sorted((SHIPPED_CATALOG / "schemes").glob("*.yaml"))
    assert len(files) == 2
    for file in files:
        assert "defaults" in file.read_text(encoding="utf-8").split("- id:")[0]
        assert "weights" in load_scheme(file).note


def test_numbers_are_decimal_as_written(tmp_path: Path) -> None:
    scheme = load_catalog(
        write(tmp_path, [items({"cap": 1.1, "target": 0.3, "direction": "higher"})])
    ).schemes["ours-v1"]
    assert (scheme.items[0].cap, scheme.items[0].target) == (Decimal("1.1"), Decimal("0.3"))
    assert [(grade.name, grade.at_least) for grade in scheme.grades] == [
        ("优秀", 90),
        ("良好", 80),
        ("合格", 60),
        ("不合格", 0),
    ]


@pytest.mark.parametrize(
    ("period", "is_in_force"),
    [
        ("2026-03", True),
        ("2025-12", False),
        ("2026-12", True),
        ("2027-01", False),
        ("2026Q1", False),
        ("2026", False),
    ],
)
def test_a_version_is_in_force_for_its_kinds_of_period_by_their_last_day(
    period: str, is_in_force: bool
) -> None:
    scheme = Scheme.model_validate(changed(SCHEME, valid_to=date(2026, 12, 31)))
    assert scheme.is_in_force(Period.parse(period)) == is_in_force


def test_the_examples_of_the_how_to_are_taken(tmp_path: Path) -> None:
    file = SHIPPED_CATALOG.parent.parent / "docs" / "howto" / "evaluation-scheme.md"
    blocks = file.read_text(encoding="utf-8").split("```yaml")[1:]
    schemes, evidence = (yaml.safe_load(block.split("```")[0]) for block in blocks)
    write(tmp_path, schemes, [entry | {"period": "2026-07"} for entry in evidence])
    (tmp_path / "evidence" / "2026-03-371302.pdf").write_bytes(b"0")
    catalog = load_catalog(tmp_path)
    assert list(catalog.schemes) == ["county-monthly-v2"]
    assert list(catalog.evidence) == ["commended-371302"]


# --- what is refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "words"),
    [
        (items({"weight": 99}), "the weights of the items sum to 99; 100 was expected, change them by 1"),
        (items({"weight": 60.5}, {"indicator": "other", "weight": 40}), "sum to 100.5"),
        (items(), "the weights of the items sum to 0"),
        (items({"weight": 50}, {"weight": 50}), "the same indicator twice: reporting_rate"),
        (items({"weight": -1}), "items.0.weight is -1"),
        (items({"method": "best"}), "items.0.method is 'best'"),
        (items({"category": "其他"}), "items.0.category is '其他'"),
        (items({"methd": "x"}), "did you mean method?"),
        (items({"method": "efficacy"}), "reporting_rate: method efficacy needs the key floor: add it"),
        (items({"method": "stepped"}), "reporting_rate: method stepped needs the key steps: add it"),
        (items({"method": "stepped", "steps": []}), "reporting_rate: at least one step was expected"),
        (
            items({"method": "pass_fail", "cap": 1.2}),
            "method pass_fail has no use for the key cap: delete it",
        ),
        (items({"method": "rank_percentile", "target": 1}), "rank_percentile has no use for the key target"),
        (items({**EFFICACY, "lowest": 100}), "lowest below highest was expected"),
        (items({"method": "stepped", "steps": STEPS[::-1]}), "from the worst to the best"),
        (
            items({"method": "stepped", "steps": [*STEPS, {"at": 0.95, "points": 100}]}),
            "from the worst to the best",
        ),
        (
            items({"method": "stepped", "steps": [*STEPS, {"at": 0.9, "points": 101}]}),
            "steps.2.points is 101",
        ),
        (
            items(
                {
                    "method": "stepped",
                    "steps": [*STEPS[:1], {"at": 0.9, "points": 80}, {"at": 0.8, "points": 90}],
                }
            ),
            "from the worst to the best",
        ),
        (items({"levels": ["village"]}), "reporting_rate: level village is not evaluated by this scheme"),
        (items({"levels": ["county"]}), "no item is for level township"),
        (items({"levels": ["county", "county"]}), "written twice: county"),
        (changed(SCHEME, valid_to=date(2025, 1, 1)), "valid_to 2025-01-01 lies before valid_from 2026-01-01"),
        (changed(SCHEME, missing="average"), "key missing is 'average'"),
        (changed(SCHEME, periods=["day"]), "periods.0 is 'day'"),
        (changed(SCHEME, most_bonus=...), "key most_bonus is missing: add it"),
        (changed(SCHEME, grades=[{"name": "合格", "at_least": 60}]), "the last one at_least 0"),
        (
            changed(SCHEME, grades=[{"name": "低", "at_least": 0}, {"name": "高", "at_least": 60}]),
            "from the best to the worst",
        ),
        (items({"weight": True}), "items.0.weight"),
        (items({"target": float("nan"), "method": "pass_fail"}), "items.0.target"),
    ],
)
def test_a_bad_scheme_is_refused_with_file_entry_and_mend(refuse: Refuse, scheme: Any, words: str) -> None:
    found = refuse([scheme])
    assert words in found
    assert "schemes/ours.yaml, entry 1 (id ours-v1)" in found


def test_versions_of_a_scheme_that_overlap_are_refused(refuse: Refuse, tmp_path: Path) -> None:
    later = changed(SCHEME, id="ours-v2", valid_from=date(2026, 7, 1))
    found = refuse([SCHEME, later])
    assert "schemes/ours.yaml, entry 2 (id ours-v2)" in found
    assert "key valid_from: version ours-v1 of ours is in force" in found
    ended, follows = whole(valid_to=date(2026, 6, 30)), whole(id="ours-v2", valid_from=date(2026, 7, 1))
    assert len(load_catalog(write(tmp_path, [ended, follows])).schemes) == 2
    assert "in force from 2026-01-01 to 2026-07-01" in refuse(
        [changed(SCHEME, valid_to=date(2026, 7, 1)), later]
    )


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (changed(EVIDENCE, file="prize.pdf"), "file prize.pdf is not there: put it at "),
        (changed(EVIDENCE, sha256="0" * 64), "it is another file, or was changed"),
        (changed(EVIDENCE, file="../praise.pdf"), "without a path"),
        (changed(EVIDENCE, kind="veto"), "a veto has no points: delete the key points"),
        (changed(EVIDENCE, points=...), "a bonus says how many points"),
        (changed(EVIDENCE, points=0), "key points is 0"),
        (changed(EVIDENCE, kind="gift"), "key kind is 'gift'"),
        (changed(EVIDENCE, period="March"), "March is not a period"),
        (changed(EVIDENCE, period="2025-12"), "ours does not evaluate 2025-12"),
        (changed(EVIDENCE, period="2026Q1"), "ours does not evaluate 2026Q1"),
        (changed(EVIDENCE, scheme="our"), "key scheme names our, which is not declared. Did you mean ours?"),
        (changed(EVIDENCE, division="371302"), "a division code of 12 digits was expected"),
        (changed(EVIDENCE, reason=...), "key reason is missing"),
    ],
)
def test_bad_evidence_is_refused_with_file_entry_and_mend(refuse: Refuse, entry: Any, words: str) -> None:
    found = refuse([SCHEME], [entry])
    assert words in found
    assert "evidence/ours.yaml, entry 1 (id praise)" in found


def test_evidence_counts_once(refuse: Refuse, tmp_path: Path) -> None:
    assert list(load_catalog(write(tmp_path, [whole()], [EVIDENCE])).evidence) == ["praise"]
    assert "counts the file of praise once more" in refuse(
        [SCHEME], [EVIDENCE, changed(EVIDENCE, id="again")]
    )


def test_a_file_to_be_tried_holds_one_scheme(tmp_path: Path) -> None:
    file = tmp_path / "try.yaml"
    file.write_text(yaml.safe_dump([SCHEME, SCHEME], allow_unicode=True), encoding="utf-8")
    with pytest.raises(CatalogError, match=r"try\.yaml: a list of one scheme was expected"):
        load_scheme(file)


# --- what the indicators say ---------------------------------------------------------------------------------


def indicator(
    target: Any = 1, direction: Any = "higher", levels: Any = tuple(Level), periods: Any = ("month",)
) -> KnownIndicator:
    value = None if target is None else Decimal(str(target))
    return KnownIndicator(levels, periods, direction, lambda level, period: value)


@pytest.mark.parametrize(
    ("change", "known", "words"),
    [
        ({}, {}, "item reporting_rate: the indicator is not declared."),
        ({}, {"reporting_rates": indicator()}, "Did you mean reporting_rates?"),
        (
            {},
            {"reporting_rate": indicator(levels=(Level.COUNTY,))},
            "does not apply to level township, but to county: name the item's levels",
        ),
        (
            {},
            {"reporting_rate": indicator(None)},
            "needs a target, and the indicator has none for level county in 2026-01",
        ),
        ({}, {"reporting_rate": indicator(periods=("year",))}, "not computed for a month, but for: year"),
        ({"method": "pass_fail"}, {"reporting_rate": indicator(None)}, "method pass_fail needs a target"),
        (EFFICACY, {"reporting_rate": indicator(None)}, "method efficacy needs a target"),
        ({}, {"reporting_rate": indicator(direction=None)}, "has no direction: say direction: higher"),
        ({}, {"reporting_rate": indicator(0)}, "a target above 0 was expected"),
        (
            {"target": -1, "direction": "lower"},
            {"reporting_rate": indicator()},
            "a target above 0 was expected",
        ),
        (EFFICACY, {"reporting_rate": indicator(0.5)}, "target and floor are both 0.5"),
        (EFFICACY, {"reporting_rate": indicator(0.4)}, "a target above the floor 0.5 was expected, not 0.4"),
        (EFFICACY, {"reporting_rate": indicator(0.6, "lower")}, "a target below the floor 0.5 was expected"),
        (
            {"method": "stepped", "steps": STEPS},
            {"reporting_rate": indicator(direction="lower")},
            "direction is lower: steps are written from the worst to the best, their values falling",
        ),
        (
            {"method": "stepped", "steps": [{"at": 9, "points": 10}, {"at": 2, "points": 100}]},
            {"reporting_rate": indicator()},
            "their values rising",
        ),
    ],
)
def test_an_item_that_does_not_fit_its_indicator_is_named(
    change: dict[str, Any], known: dict[str, KnownIndicator], words: str
) -> None:
    scheme = Scheme.model_validate(items(change))
    found = list(item_contradictions({"ours-v1": scheme}, known))
    assert len(found) == 1
    folder, entry, complaint = found[0]
    assert (folder, entry) == ("schemes", "ours-v1")
    assert words in complaint


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"target": 0.9, "direction": "higher"},
        EFFICACY,
        {"method": "stepped", "steps": STEPS},
        {"method": "stepped", "steps": STEPS[:1]},
        {"method": "rank_percentile"},
        {"method": "pass_fail"},
    ],
)
def test_an_item_that_fits_its_indicator_is_taken(change: dict[str, Any]) -> None:
    scheme = Scheme.model_validate(items(change))
    assert list(item_contradictions({"ours-v1": scheme}, {"reporting_rate": indicator()})) == []


def test_a_stated_target_and_direction_need_none_of_the_indicator() -> None:
    scheme = Scheme.model_validate(items({"target": 0.9, "direction": "higher"}))
    bare = {"reporting_rate": indicator(None, None)}
    assert list(item_contradictions({"ours-v1": scheme}, bare)) == []


# --- the catalogue's indicators ------------------------------------------------------------------------------


def declared(*targets: tuple[date | None, Any], **keys: Any) -> SimpleNamespace:
    """An indicator as the catalogue declares it: targets by their days."""
    named = [
        SimpleNamespace(by=by, value=None if value is None else Decimal(str(value)), levels=keys.get("of"))
        for by, value in targets
    ]
    fields = {"levels": tuple(Level), "periods": ("month", "year"), "direction": "higher", "annualised": None}
    return SimpleNamespace(targets=tuple(named), **(fields | {k: v for k, v in keys.items() if k != "of"}))


@pytest.mark.parametrize(
    ("indicator", "period", "target"),
    [
        (declared((None, 5)), "2026-03", "5"),
        (declared((date(2017, 12, 31), 0.8), (date(2018, 12, 31), 1)), "2017-12", "0.8"),
        (declared((date(2017, 12, 31), 0.8), (date(2018, 12, 31), 1)), "2018-01", "1"),
        (declared((date(2017, 12, 31), 0.8), (date(2018, 12, 31), 1)), "2026-03", "1"),
        (declared((date(2025, 12, 31), 30), of=(Level.PROVINCE,)), "2025-03", None),
        (declared((date(2025, 12, 31), 30), of=(Level.COUNTY,)), "2025-03", "30"),
        (declared((None, None)), "2026-03", None),  # a trend
        (declared(), "2026-03", None),
        (declared((None, 50), annualised=False), "2026-03", None),
        (declared((None, 50), annualised=False), "2026", "50"),
        (declared((None, 260), annualised=True), "2026-03", "260"),
    ],
)
def test_the_target_of_a_period_is_the_next_that_falls_due(
    indicator: Any, period: str, target: str | None
) -> None:
    found = known_indicators({"x": indicator})["x"].target(Level.COUNTY, Period.parse(period))
    assert found == (None if target is None else Decimal(target))


def test_no_direction_of_an_indicator_is_none() -> None:
    known = known_indicators({name: declared(direction=name) for name in ("higher", "lower", "none")})
    assert [known[name].direction for name in ("higher", "lower", "none")] == ["higher", "lower", None]
