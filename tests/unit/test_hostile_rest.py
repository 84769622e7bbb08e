"""Hostile JSON, from contract.md, A: each body is read or refused in plain words, and no item is lost."""

from __future__ import annotations

import pytest

from etl.catalog import Catalog, load_catalog
from etl.sources import Reading, Unreadable
from tests.unit.hostile_inputs import json_body
from tests.unit.test_source_rest import read_pages

ITEM = (
    '{"unit":"371302000000","date":"2026-03-02","revision":1,"submitted_at":"2026-03-02T17:21:09+08:00",'
    '"values":[%s]}'
)
VALUE = '{"measure":"consultation","channel":"physical","value":%s}'


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(None)


def read(catalog: Catalog, items: str, total: int = 1) -> Reading:
    return read_pages(catalog, json_body(items.encode(), total))


def read_value(catalog: Catalog, value: str) -> Reading:
    return read(catalog, ITEM % (VALUE % value))


@pytest.mark.parametrize("value", ["1e400", "-1e999", "9" * 400, "1" * 5000])
def test_a_number_beyond_all_range_is_one_row_and_not_the_whole_body(catalog: Catalog, value: str) -> None:
    rows = read(catalog, ITEM % (VALUE % value + "," + VALUE % "2")).rows
    assert rows["value"].isna().tolist() == [True, False]
    assert rows["value_text"].tolist()[0].startswith(value[:100])


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "01", "+1", "0x10", "1_000"])
def test_what_is_no_json_number_makes_the_body_no_json(catalog: Catalog, value: str) -> None:
    with pytest.raises(Unreadable, match="JSON"):
        read_value(catalog, value)
    with pytest.raises(Unreadable, match="JSON"):
        read(catalog, ITEM % (VALUE % value + "," + VALUE % "1e400"))


def test_a_key_that_stands_twice_in_a_figure_is_a_problem_and_the_others_stay(catalog: Catalog) -> None:
    twice = '{"measure":"consultation","channel":"physical","value":1,"value" : 2}'
    rows = read(catalog, ITEM % (twice + "," + VALUE % "3")).rows
    assert rows["value"].tolist()[1] == 3.0
    assert "value 出现两次" in rows["problem"].tolist()[0]
    assert len(rows) == 2


def test_a_key_that_stands_twice_in_a_submission_is_one_problem_row(catalog: Catalog) -> None:
    item = ITEM % (VALUE % "1")
    reading = read(catalog, item[:-1] + ',"values":[]}')
    assert "values 出现两次" in reading.rows["problem"].tolist()[0]
    assert not reading.submissions["is_nil"].any()


@pytest.mark.parametrize("body", [
    b'{"code":0,"code":0,"data":{"total":0,"items":[]}}',
    b'{"code":0,"data":{"total":1,"items":[{}],"items":[]}}',
    b'{"code":0,"data":{"total":0,"items":[{}]},"data":{"total":0,"items":[]}}',
])  # fmt: skip
def test_a_key_that_stands_twice_around_the_items_makes_the_body_unreadable(
    catalog: Catalog, body: bytes
) -> None:
    with pytest.raises(Unreadable, match="出现两次"):
        read_pages(catalog, body)


def test_quotes_and_colons_within_texts_are_no_keys(catalog: Catalog) -> None:
    item = ITEM % '{"measure":"a\\":\\"b\\":","channel":"\\"\\":","value":1}'
    assert read(catalog, item).rows["problem"].isna().all()


@pytest.mark.parametrize("depth", [200, 900, 1_020])
def test_nesting_is_read_or_refused_and_never_a_crash(catalog: Catalog, depth: int) -> None:
    for items in ("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth):
        try:
            assert len(read(catalog, items).rows) == 1
        except Unreadable as error:
            assert "JSON" in str(error)  # noqa: PT017


def test_a_body_of_nothing_but_brackets_or_commas_is_refused_unread(catalog: Catalog) -> None:
    for items in ("[]" + ",[]" * 1_000_000, "1" + ",1" * 3_000_001):
        with pytest.raises(Unreadable, match="过多"):
            read(catalog, items)


def test_a_unit_sent_more_than_a_thousand_times_in_one_batch_is_refused(catalog: Catalog) -> None:
    item = ITEM % ""
    assert len(read(catalog, ",".join([item] * 1_000)).submissions) == 1_000
    with pytest.raises(Unreadable, match="371302000000 的同一版次出现 1,001 次"):
        read(catalog, ",".join([item] * 1_001))


def test_control_characters_of_a_platform_stay_out_of_the_words(catalog: Catalog) -> None:
    with pytest.raises(Unreadable) as refused:
        read_pages(catalog, b'{"code":7,"msg":"a\\u0000b\\u001b[31mc\\u202ed"}')
    assert all(
        character.isprintable() for character in str(refused.value).replace("\N{REPLACEMENT CHARACTER}", "")
    )


@pytest.mark.parametrize(
    "unit", ["null", "[]", "{}", "1e99", "-1", "true", '"\\u0000"', f'"{"9" * 100_000}"']
)
def test_a_unit_of_any_type_is_one_row(catalog: Catalog, unit: str) -> None:
    reading = read(catalog, ITEM.replace('"371302000000"', unit) % (VALUE % "1"))
    assert (len(reading.rows), len(reading.submissions)) == (1, 1)


@pytest.mark.parametrize("text", ['"\\u0022:\\u0022:"', '"\\"\\u003a"', '"\\"\\u003A\\":"', '"a\\":b\\":"'])
@pytest.mark.parametrize("space", ["", " ", "\n", "\t \r\n"])
def test_no_text_hides_a_key_that_stands_twice(catalog: Catalog, text: str, space: str) -> None:
    twice = f'{{"measure":"consultation","channel":{text},"value":1,"value"{space}:2}}'
    assert "value 出现两次" in read(catalog, ITEM % twice).rows["problem"].tolist()[0]
    once = f'{{"measure"{space}:"consultation","channel"{space}:{text},"value"{space}:1}}'
    assert read(catalog, ITEM % once).rows["problem"].isna().all()
