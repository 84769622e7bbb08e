"""Faults by name. Each is planted deterministically, in batches that no other scenario touched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from simulator import row_faults
from simulator.deliveries import Figure, FileFault, Submission, revised
from simulator.plan import SECOND, Foreign, Plan
from simulator.planting import Planter, ScenarioError, with_submission
from simulator.rest import RestFault

Scenario = Callable[[Planter], None]


def plant(plan: Plan, names: Sequence[str]) -> None:
    """Plant the scenarios, in this order. Raises ScenarioError for an unknown name or when nothing could be planted."""
    for name in names:
        if name == "clean":
            continue
        if name not in SCENARIOS:
            raise ScenarioError(f"no scenario {name!r}; known are clean, {', '.join(SCENARIOS)}")
        SCENARIOS[name](Planter(plan, name))
        if not plan.planted[name]:
            raise ScenarioError(
                f"scenario {name}: this world has no untouched batch for it; take more units or days"
            )


# --- what comes late, never, or again --------------------------------------------------------------------------


def late(planter: Planter) -> None:
    """Whole batches that are there only in the second phase, and units that follow in a second revision."""
    _withhold(planter, arrives=True)


def missing(planter: Planter) -> None:
    """The same, never to arrive."""
    _withhold(planter, arrives=False)


def _withhold(planter: Planter, arrives: bool) -> None:
    plan = planter.plan
    for batch in planter.batches("rest", most=1):
        empty = replace(batch, submissions=())
        plan.change(batch, empty, plan.received_late(batch) if arrives else empty)
        planter.count(1)
    for family in ("csv", "workbook"):
        victims = planter.batches(family, lambda each: len(each.submissions) > 1)
        for whole in victims[:1]:
            plan.change(whole, None, plan.received_late(whole) if arrives else None)
            planter.count(1)
        for batch in victims[1:]:
            absent = planter.rng.choice(batch.submissions)
            planter.keep(batch, with_submission(batch, absent, []))
            if arrives:
                sent = batch.submissions if family == "csv" else (absent,)
                plan.add(revised(batch, 2, plan.late(batch.received_at), sent), [SECOND])
            planter.count(1)
    for batch in planter.batches("database", most=1):
        absent = planter.rng.choice(batch.submissions)
        without = with_submission(batch, absent, [])
        follows = with_submission(batch, absent, [replace(absent, received_at=plan.late(absent.received_at))])
        plan.change(batch, without, follows if arrives else without)
        planter.count(1)


def restated(planter: Planter) -> None:
    """A second revision with a value changed, one added and one withdrawn.

    A township file leaves a unit out; a workbook brings only the villages that it restates; the hotline rewrites
    a row.
    """
    plan = planter.plan
    for batch in planter.batches("rest", planter.has_plain):
        victim = planter.victim(batch)
        again = replace(
            _other_content(planter, victim), revision=2, received_at=plan.late(victim.received_at)
        )
        plan.change(batch, batch, with_submission(batch, victim, [again]))
        planter.count(1)
    for family in ("csv", "workbook"):
        for batch in planter.batches(family, planter.has_plain):
            victim = planter.victim(batch)
            other = _other_content(planter, victim)
            sent = (
                [other] if family == "workbook" else [other if s is victim else s for s in batch.submissions]
            )
            left_out = [s for s in sent if s is not other and s.figures]
            if family == "csv" and left_out:
                sent.remove(planter.rng.choice(left_out))
            plan.change(batch, batch, batch)
            plan.add(revised(batch, 2, plan.late(batch.received_at), tuple(sent)), [SECOND])
            planter.count(1)
    for batch in planter.batches("database", most=1):
        victim = planter.rng.choice(batch.submissions)
        figures = _raised(victim)
        again = replace(victim, figures=figures, received_at=plan.late(victim.received_at))
        plan.change(batch, batch, with_submission(batch, victim, [again]))
        planter.count(1)


def older_revision(planter: Planter) -> None:
    """The second revision first, the first one after it."""
    plan = planter.plan
    for batch in planter.batches("rest", planter.has_plain):
        victim = planter.victim(batch)
        newer = replace(_other_content(planter, victim), revision=2)
        older = replace(victim, received_at=plan.late(victim.received_at))
        plan.change(
            batch, with_submission(batch, victim, [newer]), with_submission(batch, victim, [newer, older])
        )
        planter.count(1)
    for family in ("csv", "workbook"):
        for batch in planter.batches(family, planter.has_plain):
            victim = planter.victim(batch)
            changed = with_submission(batch, victim, [_other_content(planter, victim)])
            newer_file = revised(changed, 2, batch.received_at, changed.submissions)
            planter.keep(batch, newer_file)
            plan.add(revised(batch, 1, plan.late(batch.received_at), batch.submissions), [SECOND])
            planter.count(1)


def conflict_same_revision(planter: Planter) -> None:
    """The same revision again with a value changed and one added; in the hotline, two rows with one time."""
    plan = planter.plan
    for batch in planter.batches("rest", planter.has_plain):
        victim = planter.victim(batch)
        again = _other_content(planter, victim, withdraw=False)
        again = replace(again, received_at=plan.late(victim.received_at))
        plan.change(batch, batch, with_submission(batch, victim, [again]))
        planter.count(len(set(again.figures) - set(victim.figures)))
    for family in ("csv", "workbook"):
        for batch in planter.batches(family, planter.has_plain):
            victim = planter.victim(batch)
            again = _other_content(planter, victim, withdraw=False)
            changed = with_submission(batch, victim, [again])
            at = plan.late(batch.received_at)
            plan.change(batch, batch, revised(changed, 1, at, changed.submissions))
            planter.count(len(set(again.figures) - set(victim.figures)))
    for batch in planter.batches("database", most=1):
        victim = planter.rng.choice(batch.submissions)
        planter.keep(
            batch, with_submission(batch, victim, [victim, replace(victim, figures=_raised(victim))])
        )
        planter.count(2 * len(victim.figures))


def _other_content(planter: Planter, submission: Submission, withdraw: bool = True) -> Submission:
    """The submission with one value raised, one added where one is free, and one left out where there are several."""
    plain = planter.plain_figures(submission)
    ceiling = {code: measure.ceiling for code, measure in planter.plan.catalog.measures.items()}
    changed = planter.rng.choice([f for f in plain if int(f.value) + 2 <= ceiling[f.measure]] or plain)
    others = [figure for figure in plain if figure is not changed]
    gone = planter.rng.choice(others) if withdraw and others else None
    figures = [
        figure._replace(value=int(figure.value) + 2) if figure is changed else figure
        for figure in submission.figures
        if figure is not gone
    ]
    pair = planter.unused_pair(submission)
    added = () if pair is None else (Figure(*pair, 5),)
    return replace(submission, figures=(*figures, *added))


def _raised(submission: Submission) -> tuple[Figure, ...]:
    """Every figure of a hotline row raised, still in balance."""
    more = {
        "hotline_call": 9,
        "hotline_answered": 6,
        "consultation": 4,
        "survey_asked": 8,
        "survey_answered": 5,
    }
    return tuple(f._replace(value=int(f.value) + more.get(f.measure, 1)) for f in submission.figures)


# --- platforms and files that misbehave ------------------------------------------------------------------------


def _platform(fault: RestFault, heals_late: bool, most: int = 1) -> Scenario:
    def scenario(planter: Planter) -> None:
        for platform in planter.platforms(most):
            planter.plan.break_platform(platform, fault, heals_late)
            planter.count(1)

    return scenario


def _file(planter: Planter, family: str, faults: Sequence[FileFault]) -> None:
    """Files that are spoilt in the first phase and sent anew in the second."""
    for fault, batch in zip(faults, planter.batches(family, planter.has_plain, len(faults)), strict=False):
        planter.plan.change(batch, replace(batch, fault=fault), planter.plan.received_late(batch))
        planter.count(1)


def digest_mismatch(planter: Planter) -> None:
    """Township files whose .sha256 is another file's."""
    _file(planter, "csv", ["digest"])


def missing_sha256(planter: Planter) -> None:
    """Township files whose .sha256 comes only in the second phase."""
    _file(planter, "csv", ["no_digest"])


def oversized(planter: Planter) -> None:
    """A body and a township file over 50 MB, workbooks over 5 MB packed, 50 MB unpacked and 2,000 rows."""
    _platform("oversized", heals_late=True)(planter)
    _file(planter, "csv", ["oversized"])
    _file(planter, "workbook", ["oversized", "unpacks_oversized", "too_many_rows"])


def unreadable_workbook(planter: Planter) -> None:
    """Files that are whole but broken: a workbook, and a township file that its digest confirms."""
    _file(planter, "workbook", ["unreadable"])
    _file(planter, "csv", ["unreadable"])


def wrong_header(planter: Planter) -> None:
    """Files with another header than the one promised."""
    _file(planter, "csv", ["wrong_header"])
    _file(planter, "workbook", ["wrong_header"])


def missing_total_row(planter: Planter) -> None:
    """Workbooks without 合计: flagged, not refused."""
    for batch in planter.batches("workbook", planter.has_plain):
        planter.keep(batch, replace(batch, sums=False))
        planter.count(1)


def foreign_files(planter: Planter) -> None:
    """Other names in the day folders, and a link with a right name that leaves the root."""
    for family, link in (
        ("csv", "township_{}_{:%Y%m%d}_r9.csv.gz"),
        ("workbook", "village_{}_{:%Y%m%d}_r9.xlsx"),
    ):
        for batch in planter.batches(family, most=1):
            width = 6 if family == "csv" else 9
            things = [
                Foreign("说明.txt"),
                Foreign("Thumbs.db"),
                Foreign(f"~${batch.name}"),
                Foreign(f"{batch.name}.bak"),
                Foreign(link.format(batch.unit[:width], batch.stat_date), link=True),
            ]
            planter.plan.foreign[batch.platform, batch.stat_date] += things
            planter.count(len(things))


SCENARIOS: dict[str, Scenario] = {
    "late": late,
    "missing": missing,
    "restated": restated,
    "older_revision": older_revision,
    "conflict_same_revision": conflict_same_revision,
    "unit_unknown": row_faults.unit_unknown,
    "unit_outside_area": row_faults.unit_outside_area,
    "unit_inactive": row_faults.unit_inactive,
    "measure_unknown": row_faults.measure_unknown,
    "channel_unknown": row_faults.channel_unknown,
    "level": row_faults.level,
    "value_text": row_faults.value_text,
    "value_negative": row_faults.value_negative,
    "value_fraction": row_faults.value_fraction,
    "value_ceiling": row_faults.value_ceiling,
    "date_other": row_faults.date_other,
    "date_future": row_faults.date_future,
    "twice_equal": row_faults.twice_equal,
    "twice_different": row_faults.twice_different,
    "structure": row_faults.structure,
    "balance": row_faults.balance,
    "personal": row_faults.personal,
    "two_platforms": row_faults.two_platforms,
    "burst_429": _platform("burst_429", heals_late=False, most=2),
    "burst_5xx": _platform("burst_5xx", heals_late=False, most=2),
    "truncated_body": _platform("truncated", heals_late=False, most=2),
    "slow_pages": _platform("slow", heals_late=False, most=2),
    "outage": _platform("outage", heals_late=True),
    "missing_page": _platform("missing_page", heals_late=True),
    "html_answer": _platform("html", heals_late=True),
    "code_not_zero": _platform("code", heals_late=True),
    "unauthorised": _platform("unauthorised", heals_late=True),
    "digest_mismatch": digest_mismatch,
    "missing_sha256": missing_sha256,
    "oversized": oversized,
    "unreadable_workbook": unreadable_workbook,
    "wrong_header": wrong_header,
    "missing_total_row": missing_total_row,
    "foreign_files": foreign_files,
}
