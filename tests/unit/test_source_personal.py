"""Identity-card and mobile numbers, and what only looks like one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.sources.personal import any_personal, find_personal, mask

NUMBERS = {
    "13800138078": "138******78",
    "电话13800138078。": "电话138******78。",
    "138-0013-8078": "138******78",
    "138 0013 8078": "138******78",
    "138 00138078": "138******78",
    "１３８００１３８０７８": "138******78",
    "１３８－００１３－８０７８": "138******78",
    "+8613800138078": "+86138******78",
    "+86 138-0013-8078": "+86 138******78",
    "0086 13800138078": "0086 138******78",
    "（+86）13800138078": "（+86）138******78",
    "013800138078": "0138******78",
    "19912345678": "199******78",
    "13800138000.0": "138******00.0",
    "371302199003071234": "371*************34",
    "37130219900307123X": "371*************3X",
    "37130219900307123x": "371*************3x",
    "371302 19900307 123X": "371*************3X",
    "371302-1990-03-07-1234": "371*************34",
    "３７１３０２１９９００３０７１２３Ｘ": "371*************3X",
    "371302900307123": "371**********23",
    "证号371302199003071234，电话13800138078": "证号371*************34，电话138******78",
}

OTHERS = (
    "371302001201",
    "130102001001",
    "371302000000",
    "20260302174000",
    "2026-03-02 17:40:00",
    "2026-03-02T17:21:09.138123+08:00",
    "1772443269138",
    "123456789012345",
    "100000000000000",
    "999999999999999999",
    "371302009913450000",
    "1234567890123456789",
    "12345678901",
    "1380013807",
    "138001380789",
    "0.13800138078",
    "1,380,013,807",
    "138,0013,8078",
    "village_371302001_20260302.xlsx",
    "township_371302_20260302_r1.csv.gz",
    "12348",
    "",
)


@pytest.mark.parametrize(("text", "masked"), NUMBERS.items())
def test_a_personal_number_is_found_and_masked(text: str, masked: str) -> None:
    assert find_personal(text)
    assert mask(text) == masked


@pytest.mark.parametrize("text", OTHERS)
def test_what_only_looks_like_a_personal_number_stays(text: str) -> None:
    assert not find_personal(text)
    assert mask(text) == text


@given(st.text(alphabet="0123456789Xx+-－ 　１３年，.()", max_size=60))
@settings(max_examples=300, deadline=None)
def test_nothing_personal_is_left_after_masking(text: str) -> None:
    assert not find_personal(mask(text))


def test_a_text_full_of_numbers_is_masked_in_no_time() -> None:
    masked = mask("13800138078," * 50_000)
    assert masked == "138******78," * 50_000


DIGIT = st.sampled_from("0123456789")


@settings(max_examples=500, deadline=None)
@given(st.one_of(
    st.text(DIGIT, min_size=11, max_size=13),
    st.text(DIGIT, min_size=14, max_size=14).map(
        lambda text: f"{text[:4]}-{text[4:6]}-{text[6:8]} {text[8:10]}:{text[10:12]}:{text[12:]}"
    ),
    st.sampled_from(sorted(NUMBERS)),
))  # fmt: skip
def test_asked_together_texts_say_what_they_say_alone(text: str) -> None:
    assert any_personal(["解答法律咨询", text, "0"]) == find_personal(text)
