"""Scenarios that spoil rows or submissions: what contract.md answers with quarantine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from simulator.deliveries import Batch, Figure, Submission
from simulator.handwriting import full_width, identity_card, mobile_number
from simulator.planting import PER_FAMILY, Planter, with_submission, without_sums
from simulator.platforms import HOTLINE_COLUMNS

ROW_FAMILIES = ("rest", "csv", "workbook")


def _spoil_figures(planter: Planter, spoil: Callable[[Batch, Submission, Figure], list[Figure]]) -> None:
    """In some submissions of each family, put other figures in the place of one; their senders add no sums up."""
    for family in ROW_FAMILIES:
        for batch in planter.batches(family, planter.has_plain):
            victim = planter.victim(batch)
            figure = planter.rng.choice(planter.plain_figures(victim))
            new = spoil(batch, victim, figure)
            figures = tuple(f for each in victim.figures for f in (new if each is figure else [each]))
            changed = with_submission(batch, victim, [replace(victim, figures=figures, totals=False)])
            planter.keep(batch, without_sums(changed, [figure, *new]))
            planter.count(1)


def value_text(planter: Planter) -> None:
    """A value that is no number."""
    _spoil_figures(planter, lambda batch, victim, figure: [figure._replace(value="十余件")])


def value_negative(planter: Planter) -> None:
    """A value below zero."""
    _spoil_figures(planter, lambda batch, victim, figure: [figure._replace(value=-3)])


def value_fraction(planter: Planter) -> None:
    """A value that is no whole number."""
    _spoil_figures(planter, lambda batch, victim, figure: [figure._replace(value=2.5)])


def value_ceiling(planter: Planter) -> None:
    """A value one above the measure's ceiling."""
    measures = planter.plan.catalog.measures
    _spoil_figures(
        planter, lambda batch, victim, figure: [figure._replace(value=measures[figure.measure].ceiling + 1)]
    )


def measure_unknown(planter: Planter) -> None:
    """One figure more, of a measure that nobody declared."""

    def spoil(batch: Batch, victim: Submission, figure: Figure) -> list[Figure]:
        return [figure, Figure("legal_lecture" if batch.family == "rest" else "法律讲座", figure.channel, 3)]

    _spoil_figures(planter, spoil)


def channel_unknown(planter: Planter) -> None:
    """One figure more, in a channel that nobody declared."""

    def spoil(batch: Batch, victim: Submission, figure: Figure) -> list[Figure]:
        return [figure, Figure(figure.measure, "wechat" if batch.family == "rest" else "微信", 2)]

    _spoil_figures(planter, spoil)


def level(planter: Planter) -> None:
    """One figure more, of a measure that the unit's level does not report."""
    world, dataset = planter.plan.world, planter.plan.dataset

    def spoil(batch: Batch, victim: Submission, figure: Figure) -> list[Figure]:
        own = {measure for measure, _ in world.pairs(world.level[victim.unit], dataset)}
        declared = world.catalog.measures_of(dataset)
        other = next(m for m in declared if m.kind != "survey" and m.code not in own)
        return [figure, Figure(other.code, other.reported_in[0], 4)]

    _spoil_figures(planter, spoil)


def twice_equal(planter: Planter) -> None:
    """The same figure twice; in a workbook, a village's whole row."""
    _repeat(planter, 0)


def twice_different(planter: Planter) -> None:
    """The same figure twice with different values; in a workbook, a village's row again with one of them changed."""
    _repeat(planter, 1)


def _repeat(planter: Planter, more: int) -> None:
    for family in ROW_FAMILIES:
        for batch in planter.batches(family, planter.has_plain):
            victim = planter.victim(batch)
            plain = planter.plain_figures(victim)
            figure = planter.rng.choice(plain)
            again = figure._replace(value=int(figure.value) + more)
            if family == "workbook":
                row = tuple(again if each is figure else each for each in plain)
                changed = with_submission(batch, victim, [victim, replace(victim, figures=row)])
                planter.keep(batch, without_sums(changed, plain))
            else:
                figures = (*victim.figures, again)
                planter.keep(
                    batch, with_submission(batch, victim, [replace(victim, figures=figures, totals=False)])
                )
            planter.count(1)


def unit_unknown(planter: Planter) -> None:
    """One more submission, under a code that the divisions list does not have."""

    def code(batch: Batch, victim: Submission) -> str:
        level = planter.plan.world.level[victim.unit]
        if level == "village":
            return f"{victim.unit[:9]}990"
        if level == "township":
            return f"{victim.unit[:6]}990000"
        return f"{victim.unit[:4]}99000000"

    _add_stranger(planter, code)


def unit_outside_area(planter: Planter) -> None:
    """One more submission, of a unit of the right level that belongs to another platform's area."""
    world = planter.plan.world

    def code(batch: Batch, victim: Submission) -> str:
        area = planter.plan.catalog.platforms[batch.platform].area
        inside = {unit for each in area for unit in world.below(each)}
        own = world.level[victim.unit]
        return next(unit for unit, level in world.level.items() if level == own and unit not in inside)

    _add_stranger(planter, code)


def _add_stranger(planter: Planter, code: Callable[[Batch, Submission], str]) -> None:
    for family in (*ROW_FAMILIES, "database"):
        for batch in planter.batches(family, lambda each: any(s.figures for s in each.submissions)):
            model = planter.rng.choice([each for each in batch.submissions if each.figures])
            stranger = replace(model, unit=code(batch, model), totals=False)
            changed = replace(batch, submissions=(*batch.submissions, stranger))
            planter.keep(batch, without_sums(changed, stranger.figures))
            planter.count(len(stranger.figures))


def unit_inactive(planter: Planter) -> None:
    """Villages that go on reporting after they were closed.

    The shipped list has no closed unit, so that this scenario brings a list without these villages, valid from the
    first day (Simulation.divisions_after_closing), which must be loaded after the shipped one.
    """
    for batch in planter.batches("workbook", planter.has_plain):
        victim = planter.victim(batch)
        planter.plan.closed_units.add(victim.unit)
        planter.keep(batch, without_sums(batch, victim.figures))
        planter.count(len(victim.figures))


def date_other(planter: Planter) -> None:
    """A submission of the day before among those of the day; of a workbook, all of it."""
    _redate(planter, lambda day: day - timedelta(days=31 if planter.plan.dataset == "stocks" else 1))


def date_future(planter: Planter) -> None:
    """A submission dated ten years on."""
    _redate(planter, lambda day: day + timedelta(days=3_653))


def _redate(planter: Planter, other: Callable[[date], date]) -> None:
    """A platform lists by time what came for any day: there it is one of the other day's, of which nothing else may be
    wrong."""
    plan = planter.plan
    named = {plan.written(day): day for day in plan.days}

    def meets_nothing(batch: Batch) -> bool:
        day = named.get(plan.written(other(batch.stat_date)))
        return planter.has_plain(batch) and (
            batch.family != "rest" or day is None or plan.is_free(batch.platform, day, batch.name)
        )

    for family in ROW_FAMILIES:
        for _ in range(PER_FAMILY):
            for batch in planter.batches(family, meets_nothing, 1):
                wrong = plan.written(other(batch.stat_date))
                victims = batch.submissions if family == "workbook" else (planter.victim(batch),)
                changed = tuple(replace(s, stat_date=wrong) if s in victims else s for s in batch.submissions)
                planter.keep(batch, replace(batch, submissions=changed))
                planter.count(sum(len(victim.figures) for victim in victims))
                if family == "rest" and wrong in named:
                    plan.take(batch.platform, named[wrong], batch.name)


def structure(planter: Planter) -> None:
    """A submission of a county platform whose values are no list."""
    for batch in planter.batches("rest"):
        victim = planter.rng.choice(batch.submissions)
        planter.keep(batch, with_submission(batch, victim, [replace(victim, unreadable=True)]))
        planter.count(1)


def personal(planter: Planter) -> None:
    """An identity-card or mobile number beside the figures.

    In an extra key (A), behind the time of filling in (B), behind a village's name and in a workbook's foot (C).
    """
    written = [
        mobile_number(planter.rng),
        identity_card(planter.rng),
        full_width(int(mobile_number(planter.rng))),
    ]
    planter.plan.personal += written
    for family in ("rest", "csv"):
        for text, batch in zip(written, planter.batches(family, planter.has_plain), strict=False):
            victim = planter.victim(batch)
            planter.keep(batch, with_submission(batch, victim, [replace(victim, note=f" 联系人{text}")]))
            planter.count(len(victim.figures))
    books = planter.batches("workbook", planter.has_plain)
    for batch in books[:1]:
        victim = planter.victim(batch)
        noted = with_submission(batch, victim, [replace(victim, note=f"(电话{written[2]})")])
        planter.keep(batch, without_sums(noted, victim.figures))
        planter.count(len(victim.figures))
    for batch in books[1:]:
        planter.keep(batch, replace(batch, foot=f" {written[1]}"))
        planter.count(sum(len(submission.figures) for submission in batch.submissions))


def balance(planter: Planter) -> None:
    """Each critical check broken once: sums of the sender (A, B, C), the five answers, answered ≤ asked and ≤ call."""
    for family in ("rest", "csv"):
        for batch in planter.batches(family, planter.has_plain, 1):
            victim = planter.victim(batch)
            planter.keep(batch, with_submission(batch, victim, [replace(victim, totals=True, total_off=1)]))
            planter.count(len(victim.figures))
    for batch in planter.batches("workbook", planter.has_plain, 1):
        planter.keep(batch, replace(batch, sums_off=1))
        planter.count(sum(len(submission.figures) for submission in batch.submissions))
    for measure in ("very_satisfied", "survey_answered"):
        _break_survey(planter, measure)
    for batch in planter.batches("database", most=1):
        victim = planter.rng.choice(batch.submissions)
        calls = next(int(f.value) for f in victim.figures if f.measure == "hotline_call")
        figures = tuple(
            f._replace(value=calls + 1) if f.measure == "hotline_answered" else f for f in victim.figures
        )
        planter.keep(batch, with_submission(batch, victim, [replace(victim, figures=figures)]))
        planter.count(len(figures))


def _break_survey(planter: Planter, measure: str) -> None:
    """very_satisfied: one answer too many. survey_answered: more answered than asked, the five answers agreeing."""

    def surveyed(submission: Submission) -> bool:
        return {"survey_answered", "very_satisfied"} <= {figure.measure for figure in submission.figures}

    batches = planter.batches("rest", lambda each: any(surveyed(s) for s in each.submissions), 1)
    for batch in batches:
        victim = next(each for each in batch.submissions if surveyed(each))
        channel = next(figure.channel for figure in victim.figures if figure.measure == "survey_answered")
        values = {figure.measure: int(figure.value) for figure in victim.figures if figure.channel == channel}
        more = 1 if measure == "very_satisfied" else values["survey_asked"] - values["survey_answered"] + 1
        raised = {measure, "very_satisfied"}
        figures = tuple(
            f._replace(value=int(f.value) + more) if f.channel == channel and f.measure in raised else f
            for f in victim.figures
        )
        planter.keep(batch, with_submission(batch, victim, [replace(victim, figures=figures)]))
        planter.count(len(figures))


def two_platforms(planter: Planter) -> None:
    """County platforms send what the hotline delivers, too: one before the hotline's receipt, one after it."""
    sent = [HOTLINE_COLUMNS[column] for column in ("calls", "answered", "consultations")]
    hotline = {
        (submission.unit, batch.stat_date): submission.received_at
        for batch in planter.plan.free_batches("database")
        for submission in batch.submissions
    }

    def usable(batch: Batch) -> bool:
        return (batch.submissions[0].unit, batch.stat_date) in hotline

    for seconds, batch in zip((-90, 90), planter.batches("rest", usable), strict=False):
        victim = batch.submissions[0]
        figures = (*victim.figures, *(Figure(*pair, 7) for pair in sent))
        at = hotline[victim.unit, batch.stat_date] + timedelta(seconds=seconds)
        changed = replace(victim, figures=figures, received_at=at)
        planter.keep(batch, with_submission(batch, victim, [changed]))
        planter.count(len(sent))
