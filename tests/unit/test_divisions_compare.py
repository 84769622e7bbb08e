"""What is concluded from two lists: by code, by name with level and parent, by the children; and what never is."""

from __future__ import annotations

from decimal import Decimal

import pytest

from etl.divisions.compare import Before, Change, compare
from etl.divisions.infer import Division, core_name
from etl.divisions.mapping import Stated

PROVINCE, CITY, COUNTY, ZONE = "370000000000", "371300000000", "371312000000", "371372000000"
UPPER = {
    PROVINCE: Division("山东省", "province", ""),
    CITY: Division("临沂市", "city", PROVINCE),
    COUNTY: Division("河东区", "county", CITY),
}
TOWN, TOWN_2 = "371312001000", "371312002000"


def town(name: str, parent: str = COUNTY) -> Division:
    return Division(name, "township", parent)


def village(name: str, parent: str = TOWN) -> Division:
    return Division(name, "village", parent)


def changes_of(
    old: dict[str, Division],
    new: dict[str, Division],
    stated: list[Stated] | None = None,
    gone: dict[str, str] | None = None,
) -> list[Change]:
    return compare(Before({**UPPER, **old}, gone or {}), {**UPPER, **new}, stated or [])


def facts(changes: list[Change]) -> list[tuple[str, str, str, bool]]:
    return [(each.kind, each.from_code, each.to_code, each.is_taken) for each in changes]


def stated(kind: str, from_code: str, to_code: str, share: str | None = None) -> Stated:
    return Stated(2, kind, from_code, to_code, Decimal(share) if share else None, "批复")


def test_equal_lists_have_no_changes() -> None:
    assert changes_of({TOWN: town("甲镇")}, {TOWN: town("甲镇")}) == []


def test_a_code_that_stays_is_renamed_or_moved_and_its_figures_stay() -> None:
    old = {TOWN: town("甲镇"), TOWN_2: town("乙镇"), "371312001001": village("一村")}
    new = {TOWN: town("甲街道"), TOWN_2: town("乙镇"), "371312001001": village("一村", TOWN_2)}
    found = changes_of(old, new)
    assert facts(found) == [("renamed", TOWN, TOWN, True), ("moved", "371312001001", "371312001001", True)]
    assert {(each.origin, each.share) for each in found} == {("listed", None)}


def test_a_division_under_a_new_code_with_the_same_name_level_and_parent_is_recoded() -> None:
    """Zone 370171 became 370176 (code only); all below it follow, by the parent and not by the digits."""
    old = {
        ZONE: Division("高新区", "county", CITY),
        "371372001000": town("甲街道", ZONE),
        "371372001009": village("一村委会", "371372001000"),
    }
    new = {
        "371376000000": Division("高新区", "county", CITY),
        "999999005000": town("甲街道", "371376000000"),
        "888888888001": village("一村委会", "999999005000"),
    }
    found = changes_of(old, new)
    assert facts(found) == [
        ("recoded", ZONE, "371376000000", True),
        ("recoded", "371372001000", "999999005000", True),
        ("recoded", "371372001009", "888888888001", True),
    ]
    assert {(each.origin, each.share, each.confidence) for each in found} == {("inferred", Decimal(1), 0.95)}


def test_a_town_that_becomes_a_street_under_a_new_code_goes_on_with_less_confidence() -> None:
    found = changes_of({TOWN: town("孝里镇")}, {TOWN_2: town("孝里街道")})
    assert facts(found) == [("recoded", TOWN, TOWN_2, True)]
    assert found[0].confidence == 0.9


@pytest.mark.parametrize(
    ("name", "level", "core"),
    [
        ("孝里镇", "township", "孝里"),
        ("嵩山街道办事处", "township", "嵩山"),
        ("西张村委会", "village", "西张"),
        ("西张村村民委员会", "village", "西张"),
        ("后十里堡社区居委会", "village", "后十里堡"),
        ("乐和村村名委员会", "village", "乐和"),
        ("村", "village", "村"),
        ("蓬莱市", "county", "蓬莱"),
        ("临沂市", "city", "临沂市"),
    ],
)
def test_the_core_of_a_name_is_without_what_the_division_is(name: str, level: str, core: str) -> None:
    assert core_name(name, level) == core


def test_a_street_that_leaves_a_zone_for_the_district_is_moved_and_the_zone_is_merged() -> None:
    """371372001 芝麻墩街道 became 371312009, of Hedong district."""
    old = {
        ZONE: Division("经济技术开发区", "county", CITY),
        "371372001000": town("芝麻墩街道", ZONE),
        "371372001001": village("芝麻墩社区居委会", "371372001000"),
    }
    new = {
        "371312009000": town("芝麻墩街道"),
        "371312009001": village("芝麻墩社区居委会", "371312009000"),
    }
    assert facts(changes_of(old, new)) == [
        ("merged", ZONE, COUNTY, True),
        ("moved", "371372001000", "371312009000", True),
        ("recoded", "371372001001", "371312009001", True),
    ]


def test_a_name_alone_joins_nothing() -> None:
    """Another city has a village of the name; it is not the same."""
    other = {
        "371400000000": Division("德州市", "city", PROVINCE),
        "371402000000": Division("德城区", "county", "371400000000"),
        "371402001000": town("新湖街道", "371402000000"),
        TOWN: town("甲镇"),
    }
    old = {**other, "371312001001": village("王庄村委会")}
    new = {**other, "371402001005": village("王庄村委会", "371402001000")}
    assert facts(changes_of(old, new)) == [
        ("removed", "371312001001", TOWN, True),
        ("added", "", "371402001005", True),
    ]


@pytest.mark.parametrize("double", ["old", "new"])
def test_a_name_that_occurs_twice_in_the_county_joins_nothing_across_townships(double: str) -> None:
    towns = {TOWN: town("甲镇"), TOWN_2: town("乙镇"), "371312003000": town("丙镇")}
    old = {**towns, "371312001001": village("王庄村委会")}
    new = {**towns, "371312002001": village("王庄村委会", TOWN_2)}
    assert facts(changes_of(old, new)) == [("moved", "371312001001", "371312002001", True)]
    again = {"371312003001": village("王庄村委会", "371312003000")}
    for each in (old, new) if double == "old" else (new,):
        each.update(again)
    assert {each.kind for each in changes_of(old, new)} == {"removed", "added"}


def test_virtual_villages_of_one_name_are_not_taken_for_each_other_across_townships() -> None:
    """Codes that end in 498 and 598: their names say no more than that they are virtual."""
    towns = {TOWN: town("甲镇"), TOWN_2: town("乙镇")}
    old = {**towns, "371312001498": village("开发区虚拟社区")}
    new = {**towns, "371312002498": village("开发区虚拟社区", TOWN_2)}
    assert {each.kind for each in changes_of(old, new)} == {"removed", "added"}
    below_the_same = {**towns, "371312001598": village("开发区虚拟社区")}
    assert facts(changes_of(old, below_the_same)) == [("recoded", "371312001498", "371312001598", True)]


def test_two_of_one_name_below_one_parent_are_left_to_a_mapping() -> None:
    old = {TOWN: town("甲镇"), "371312001001": village("王庄村"), "371312001002": village("王庄村")}
    new = {TOWN: town("甲镇"), "371312001003": village("王庄村"), "371312001004": village("王庄村")}
    assert {each.kind for each in changes_of(old, new)} == {"removed", "added"}


def test_a_township_whose_villages_all_went_to_another_was_merged_into_it() -> None:
    names = ["孔庄", "孟庄", "颜庄", "曾庄", "闵庄"]
    old = {TOWN: town("甲镇"), TOWN_2: town("乙镇")}
    old |= {f"37131200100{n}": village(name) for n, name in enumerate(names, start=1)}
    new = {TOWN_2: town("乙镇")}
    new |= {f"37131200220{n}": village(name, TOWN_2) for n, name in enumerate(names, start=1)}
    found = changes_of(old, new)
    assert facts(found)[0] == ("merged", TOWN, TOWN_2, True)
    assert "5 of its 5" in found[0].reason
    assert {each.kind for each in found[1:]} == {"moved", "recoded"} or {each.kind for each in found[1:]} == {
        "moved"
    }


def test_a_township_whose_villages_went_two_ways_is_proposed_as_a_split_and_moves_nothing() -> None:
    names = ["孔庄", "孟庄", "颜庄", "曾庄"]
    old = {TOWN: town("甲镇")} | {f"37131200100{n}": village(name) for n, name in enumerate(names, start=1)}
    heirs = {"371312007000": town("丙镇"), "371312008000": town("丁镇")}
    new = dict(heirs)
    for n, name in enumerate(names):
        heir = list(heirs)[n // 3]
        new[f"{heir[:9]}20{n}"] = village(name, heir)
    proposed = [each for each in changes_of(old, new) if each.from_code == TOWN]
    assert [(each.kind, each.to_code, each.share, each.is_taken) for each in proposed] == [
        ("removed", COUNTY, Decimal(1), True),
        ("split", "371312007000", Decimal("0.75"), False),
        ("split", "371312008000", Decimal("0.25"), False),
    ]


def test_a_village_whose_name_lives_on_in_a_neighbours_new_name_is_proposed_as_merged() -> None:
    """371726112217 东魏庄 became 魏闫冯村 in a merger and kept its code."""
    old = {
        TOWN: town("甲镇"),
        "371312001217": village("东魏庄村委会"),
        "371312001218": village("闫庄村委会"),
        "371312001219": village("冯庄村委会"),
        "371312001220": village("李庄村委会"),
    }
    new = {TOWN: town("甲镇"), "371312001217": village("魏闫冯村村民委员会")}
    found = changes_of(old, new)
    proposed = [(each.from_code, each.confidence) for each in found if not each.is_taken]
    assert proposed == [("371312001218", 0.6), ("371312001219", 0.6)]
    assert [each.from_code for each in found if each.kind == "removed"] == [
        "371312001218",
        "371312001219",
        "371312001220",
    ]
    assert [each.kind for each in found if each.from_code == "371312001217"] == ["renamed"]


def test_every_division_that_is_gone_hands_its_figures_on_exactly_once() -> None:
    old = {
        TOWN: town("甲镇"),
        TOWN_2: town("乙镇"),
        "371312001001": village("一村"),
        "371312002001": village("二村", TOWN_2),
    }
    found = changes_of(old, {TOWN_2: town("乙镇")})
    assert facts(found) == [
        ("removed", TOWN, COUNTY, True),
        ("removed", "371312001001", COUNTY, True),
        ("removed", "371312002001", TOWN_2, True),
    ]
    assert {each.share for each in found} == {Decimal(1)}


def test_the_figures_of_what_is_gone_go_where_the_division_above_it_went() -> None:
    found = changes_of({TOWN: town("孝里镇"), "371312001001": village("一村")}, {TOWN_2: town("孝里街道")})
    assert facts(found) == [("recoded", TOWN, TOWN_2, True), ("removed", "371312001001", TOWN_2, True)]


def test_a_code_that_was_in_force_earlier_returns_and_is_nobody_elses_successor() -> None:
    old = {TOWN: town("甲镇"), "371312001001": village("王庄村")}
    new = {TOWN: town("甲镇"), "371312001002": village("王庄村")}
    found = changes_of(old, new, gone={"371312001002": "李庄村"})
    assert facts(found) == [
        ("removed", "371312001001", TOWN, True),
        ("returned", "371312001002", "371312001002", True),
    ]
    assert found[1].reason == "王庄村 was in an earlier list as 李庄村: the same division"


# --- a mapping ------------------------------------------------------------------------------------------------


def test_what_a_mapping_states_is_taken_and_nothing_is_inferred_beside_it() -> None:
    old = {TOWN: town("甲镇"), "371312001001": village("王庄村"), "371312001003": village("李庄村")}
    new = {TOWN: town("甲镇"), "371312001002": village("王庄村"), "371312001003": village("李庄村")}
    assert facts(changes_of(old, new)) == [("recoded", "371312001001", "371312001002", True)]
    mapping = [stated("merged", "371312001001", "371312001003")]
    found = changes_of(old, new, mapping)
    assert facts(found) == [
        ("merged", "371312001001", "371312001003", True),
        ("added", "", "371312001002", True),
    ]
    assert (found[0].origin, found[0].reason, found[0].share) == ("stated", "批复", Decimal(1))


@pytest.mark.parametrize(
    "mapping", [[stated("removed", "371312001001", "")], [stated("added", "", "371312001002")]]
)
def test_a_mapping_can_state_that_there_is_no_successor(mapping: list[Stated]) -> None:
    old = {TOWN: town("甲镇"), "371312001001": village("王庄村")}
    new = {TOWN: town("甲镇"), "371312001002": village("王庄村")}
    found = changes_of(old, new, mapping)
    assert {each.kind for each in found} == {"removed", "added"}
    assert {each.kind for each in found if each.origin == "stated"} == {mapping[0].kind}


def test_a_stated_township_leads_its_villages() -> None:
    old = {TOWN: town("甲镇"), "371312001001": village("一村")}
    new = {TOWN_2: town("新名镇"), "371312002001": village("一村", TOWN_2)}
    found = changes_of(old, new, [stated("recoded", TOWN, TOWN_2)])
    assert facts(found) == [
        ("recoded", TOWN, TOWN_2, True),
        ("recoded", "371312001001", "371312002001", True),
    ]


def test_a_stated_split_is_taken_with_its_shares() -> None:
    old = {TOWN: town("甲镇"), "371312001001": village("王庄村")}
    new = old | {"371312001002": village("新王庄村")}
    mapping = [
        stated("split", "371312001001", "371312001001", "0.6"),
        stated("split", "371312001001", "371312001002", "0.4"),
    ]
    found = changes_of(old, new, mapping)
    assert [(each.kind, each.to_code, each.share) for each in found] == [
        ("split", "371312001001", Decimal("0.6")),
        ("split", "371312001002", Decimal("0.4")),
    ]
