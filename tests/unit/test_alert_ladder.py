"""Who is told: levels, contacts that are missing, what was told or acknowledged already; the words; the signed link."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from etl.alerts.ladder import Contacts, Digest, Missing, Place, Told, digests
from etl.alerts.link import FEWEST_CHARACTERS, TokenRefused, link_of, secret_of, sign, verify
from etl.alerts.message import CUT_SHORT, Message, without_secrets
from etl.alerts.rounds import PlatformState, sort_out
from etl.alerts.text import Facts, fill, unit_lines
from etl.catalog import Catalog, Level, load_catalog
from etl.catalog.models import Recipient
from etl.connections import Connection, ConnectionMissing

PROVINCE, CITY, COUNTY, TOWN, OTHER = 1, 2, 3, 4, 5
VILLAGES = tuple(range(10, 14))
TREE = {
    place.division_id: place
    for place in (
        Place(PROVINCE, "370000000000", "山东省", Level.PROVINCE, None),
        Place(CITY, "371300000000", "临沂市", Level.CITY, PROVINCE),
        Place(COUNTY, "371302000000", "兰山区", Level.COUNTY, CITY),
        Place(TOWN, "371302001000", "兰山街道", Level.TOWNSHIP, COUNTY),
        Place(OTHER, "371302002000", "银雀山街道", Level.TOWNSHIP, COUNTY),
        *(Place(n, f"3713020010{n}", f"第{n}村", Level.VILLAGE, TOWN if n < 12 else OTHER) for n in VILLAGES),
    )
}
NOW = datetime(2026, 3, 9, 2, tzinfo=UTC)
SECRET = "s" * FEWEST_CHARACTERS


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(None)


def contact(name: str, division: int | None = None, **keys: str | None) -> Recipient:
    keys = {"email": f"{name}@example.org"} | keys
    return Recipient(id=name, name=name, division=TREE[division].code if division else None, **keys)


EVERYBODY = [
    contact("province", PROVINCE),
    contact("city", CITY),
    contact("county", COUNTY),
    contact("town", TOWN),
    contact("other", OTHER),
    *(contact(f"v{n}", n) for n in VILLAGES),
]


def tell(
    catalog: Catalog,
    code: str,
    units: tuple[int, ...],
    recipients: list[Recipient],
    told: Told | None = None,
    duty: tuple[str, ...] = (),
) -> dict[str | None, Digest]:
    delivery = catalog.delivery().model_copy(update={"duty": duty})
    by_id = {each.id: each for each in recipients}
    rung = next(each for each in catalog.rounds() if each.code == code)
    found = digests(rung, units, TREE, Contacts(by_id, TREE, delivery), delivery, told or Told())
    assert len({each.recipient for each in found}) == len(found)
    return {each.recipient: each for each in found}


def test_at_the_due_time_each_unit_is_told_of_itself(catalog: Catalog) -> None:
    found = tell(catalog, "due", (*VILLAGES, TOWN, COUNTY), EVERYBODY)
    assert {name: each.subject_ids for name, each in found.items()} == {
        **{f"v{n}": (n,) for n in VILLAGES},
        "town": (TOWN,),
        "county": (COUNTY,),
    }


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("cutoff", {"town": (10, 11, TOWN), "other": (12, 13)}),
        ("workday_1", {"county": (10, 11, 12, 13, TOWN, COUNTY)}),
        ("workday_2", {"city": (10, 11, 12, 13, TOWN, COUNTY, CITY)}),
        ("workday_3", {"province": (10, 11, 12, 13, TOWN, COUNTY, CITY)}),
        ("county_centre", {"province": (COUNTY,)}),
    ],
)
def test_each_rung_tells_its_level_once_of_all_at_or_below_it(
    catalog: Catalog, code: str, told: dict[str, tuple[int, ...]]
) -> None:
    found = tell(catalog, code, (*VILLAGES, TOWN, COUNTY, CITY), EVERYBODY)
    assert {name: each.subject_ids for name, each in found.items()} == told


def test_who_has_no_contact_is_stood_in_for_by_the_next_above_and_every_gap_is_named(
    catalog: Catalog,
) -> None:
    found = tell(catalog, "due", VILLAGES, [contact("other", OTHER), contact("city", CITY)])
    assert found["other"] == Digest("other", (12, 13), (12, 13))
    assert found["city"] == Digest("city", (10, 11), (10, TOWN, COUNTY, 11))


def test_a_contact_without_a_channel_is_none_but_names_who_stands_in(catalog: Catalog) -> None:
    silent = contact("town", TOWN, email=None)
    assert set(tell(catalog, "cutoff", (10,), [silent, contact("county", COUNTY)])) == {"county"}
    deputy = contact("deputy")
    handing_on = contact("town", TOWN, email=None, escalates_to="deputy")
    assert tell(catalog, "cutoff", (10,), [handing_on, deputy]) == {"deputy": Digest("deputy", (10,), ())}


def test_where_nobody_is_declared_the_digest_is_there_without_a_recipient(catalog: Catalog) -> None:
    found = tell(catalog, "cutoff", (10, 12), [])
    assert found == {None: Digest(None, (10, 12), (TOWN, COUNTY, CITY, PROVINCE, OTHER))}


def test_two_contacts_of_one_division_are_both_told(catalog: Catalog) -> None:
    assert set(tell(catalog, "cutoff", (10,), [contact("a", TOWN), contact("b", TOWN)])) == {"a", "b"}


def test_those_on_duty_are_told_everything_and_nobody_is_on_duty_as_shipped(catalog: Catalog) -> None:
    assert tell(catalog, "duty", VILLAGES, EVERYBODY) == {}
    found = tell(catalog, "duty", (*VILLAGES, COUNTY), [contact("watch")], duty=("watch",))
    assert found["watch"].subject_ids == (*VILLAGES, COUNTY)


def test_nobody_is_told_twice_for_the_same_reason(catalog: Catalog) -> None:
    told = Told()
    told.told["county", "missing"] |= {10, 11}
    assert tell(catalog, "workday_1", (10, 11), EVERYBODY, told) == {}
    assert tell(catalog, "workday_1", (10, 12), EVERYBODY, told)["county"].subject_ids == (12,)
    told.told["town", "not_received"] |= {TOWN}
    assert tell(catalog, "cutoff", (TOWN,), EVERYBODY, told)["town"].subject_ids == (TOWN,)


def test_what_was_acknowledged_is_not_told_again_for_any_reason_to_that_recipient_alone(
    catalog: Catalog,
) -> None:
    told = Told()
    told.noted["town"] |= {TOWN}
    assert tell(catalog, "cutoff", (TOWN, 10), EVERYBODY, told)["town"].subject_ids == (10,)
    assert tell(catalog, "workday_1", (TOWN,), EVERYBODY, told)["county"].subject_ids == (TOWN,)


def test_only_units_whose_platforms_were_all_asked_since_and_answered_are_certain() -> None:
    early, late = NOW - timedelta(seconds=1), NOW
    states = {
        1: PlatformState(1, "answered", late, False),
        2: PlatformState(2, "not asked since", early, False),
        3: PlatformState(3, "never asked", None, False),
        4: PlatformState(4, "out", late, True),
    }
    units = {
        platforms: Missing(NOW, NOW, platforms, (n,))
        for n, platforms in enumerate([(1,), (2,), (3,), (4,), (1, 4), (1, 2)])
    }
    certain, out, waiting = sort_out(units.values(), states, NOW)
    assert certain == [units[1,]]
    assert out == [units[4,], units[1, 4]]
    assert waiting == [units[2,], units[3,], units[1, 2]]


def test_a_long_list_is_cut_and_the_rest_counted_by_number_and_level() -> None:
    lines, levels = unit_lines([*VILLAGES, TOWN], TREE, {11}, 3)
    assert lines.splitlines() == [
        "· 兰山街道（兰山区，371302001000）",
        "· 第10村（兰山街道，371302001010）",
        "· 第11村（兰山街道，371302001011，已报送但全部被退回）",
        "……另有2个单位",
    ]
    assert levels == "乡镇（街道）工作站1个、村（社区）工作室4个"


def test_every_text_is_filled_in_whole(catalog: Catalog) -> None:
    facts = Facts("daily", date(2026, 3, 6), NOW, NOW, NOW, 7)
    for reason in ("not_received", "missing", "outage", "cleared", "recovered"):
        subject, body = fill(catalog.wording(reason), "兰山区司法局", facts, 3, "· 甲村", "村3个")
        assert "{" not in subject + body
        assert body.startswith("兰山区司法局：")
        assert "· 甲村" in body
        assert "3个" in subject
    subject, body = fill(catalog.wording("missing"), "省厅", facts, 3, "", "")
    assert subject == "【催报】2026年3月6日日报3个单位缺报"
    assert "已于3月9日10:00截止" in body
    stocks = Facts("stocks", date(2026, 2, 28), NOW, NOW, NOW)
    assert "2026年2月月末存量数据" in fill(catalog.wording("missing"), "省厅", stocks, 3, "", "")[0]


def message(body: str = "缺报", link: str | None = None) -> Message:
    return Message(7, "missing", "cutoff", "daily", date(2026, 3, 6), (), "【催报】", body, link, NOW)


def test_a_text_too_long_for_a_channel_keeps_whole_lines_and_its_footer() -> None:
    long = message("\n".join(f"· 第{n}村委会（兰山街道）" for n in range(200)), "https://portal/ack?token=x")
    text = long.text(2048)
    assert len(text.encode()) <= 2048
    head, cut, footer = text.partition(CUT_SHORT)
    assert head.endswith("（兰山街道）")
    assert cut
    assert footer == "\n编号：7\n知悉确认：https://portal/ack?token=x"
    assert message().text(2048) == "缺报\n编号：7"


def test_words_of_a_failure_hold_no_secret_and_no_personal_data() -> None:
    words = without_secrets("token abcd1234\nrefused for 13812345678", ["abcd1234", ""])
    assert "abcd1234" not in words
    assert "13812345678" not in words
    assert words.startswith("token *** refused")


def test_a_token_acknowledges_its_alert_until_it_ends() -> None:
    token = sign(42, NOW + timedelta(days=7), SECRET)
    assert verify(token, SECRET, NOW) == 42
    with pytest.raises(TokenRefused, match="过期"):
        verify(token, SECRET, NOW + timedelta(days=7, seconds=1))


@pytest.mark.parametrize(
    "altered",
    [
        lambda token: token.replace("42.", "43.", 1),
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: token.rpartition(".")[0],
        lambda token: "",
        lambda token: "密." + token,
        lambda token: sign(42, NOW + timedelta(days=7), "t" * FEWEST_CHARACTERS),
    ],
)
def test_an_altered_token_is_refused(altered: object) -> None:
    token = sign(42, NOW + timedelta(days=7), SECRET)
    with pytest.raises(TokenRefused, match="签名"):
        verify(altered(token), SECRET, NOW)  # type: ignore[operator]


def test_a_link_needs_a_portal_and_a_secret_that_is_one() -> None:
    portal = Connection("pls_alert_link", "https", host="portal.example.org", password=SECRET)
    link = link_of(42, NOW, 7, lambda _: portal, "pls_alert_link")
    assert link is not None
    assert link.startswith("https://portal.example.org/alerts/ack?token=42.")
    assert verify(link.partition("token=")[2], SECRET, NOW) == 42

    def missing(conn_id: str) -> Connection:
        raise ConnectionMissing(conn_id)

    assert link_of(42, NOW, 7, missing, "pls_alert_link") is None
    with pytest.raises(TokenRefused, match="32"):
        secret_of(Connection("pls_alert_link", "https", password="short"))
