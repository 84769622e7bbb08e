"""Pages that were made before: each holds in the state that it was made in, and there are never too many."""

from __future__ import annotations

from etl.portal.kept import Kept


def test_a_page_holds_in_the_state_it_was_made_in_and_in_no_other() -> None:
    kept = Kept()
    kept.put("county", ("written at 9", {"expected": 4}), b"page")
    assert kept.get("county", ("written at 9", {"expected": 4})) == b"page"
    for other in (("written at 10", {"expected": 4}), ("written at 9", {"expected": 5}), None):
        assert kept.get("county", other) is None
    assert kept.get("village", ("written at 9", {"expected": 4})) is None
    kept.put("county", "later", b"new page")
    assert kept.get("county", "later") == b"new page"


def test_what_was_asked_for_longest_ago_goes_first_and_no_more_is_kept_than_may_be() -> None:
    kept = Kept(most=100)
    for name in ("a", "b", "c"):
        kept.put(name, 1, b"x" * 30)
    assert kept.get("a", 1) is not None
    kept.put("d", 1, b"x" * 30)
    assert [kept.get(name, 1) is not None for name in ("a", "b", "c", "d")] == [True, False, True, True]
    kept.put("a", 2, b"x" * 100)
    assert [kept.get(name, 1) for name in ("a", "b", "c", "d")] == [None] * 4
    assert kept.get("a", 2) is not None
    kept.put("e", 1, b"x" * 101)
    assert kept.get("e", 1) is None
