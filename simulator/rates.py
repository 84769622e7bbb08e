"""How busy the simulated units are: yearly figures of the whole province, and how figures hang together.

Sized on domain.md, "Scale to size the platforms by" (SD-2025): physical platforms 2,000,000 services a year
(county, township and city level together), village counsels 1,000,000, hotline 600,000 consultations,
network 16,000. Matters that are not platform services (lawyers, notaries, forensic cases) follow the
document's five-year volumes divided by five.

A measure that stands in no table here is drawn at DEFAULT_YEARLY in its first channel, so that a measure added
to the catalogue is reported without touching this file.
"""

from __future__ import annotations

from typing import NamedTuple


class Yearly(NamedTuple):
    """Figures a year over all units of one level of the province, by channel."""

    physical: float
    hotline: float = 0.0
    network: float = 0.0


class Part(NamedTuple):
    """A measure that is a part of another one of the same unit, day and channel."""

    whole: str
    share: float


class Multiple(NamedTuple):
    """A measure that is counted some times for every one of another measure."""

    of: str
    mean: float


DEFAULT_YEARLY = 1_500.0

YEARLY: dict[str, dict[str, Yearly]] = {
    "consultation": {
        "city": Yearly(40_000, 60_000, 500),
        "county": Yearly(520_000, 540_000, 2_500),
        "township": Yearly(590_000, 0, 1_500),
        "village": Yearly(520_000, 0, 1_500),
    },
    "publicity_event": {
        "city": Yearly(400, 0, 100),
        "county": Yearly(6_600, 0, 400),
        "township": Yearly(20_000, 0, 300),
        "village": Yearly(60_000, 0, 200),
    },
    "document_drafted": {
        "county": Yearly(50_000, 0, 500),
        "township": Yearly(120_000),
        "village": Yearly(80_000),
    },
    "advice_to_government": {"county": Yearly(4_000), "township": Yearly(16_000)},
    "advice_to_village": {"village": Yearly(100_000)},
    "counsel_duty_shift": {"village": Yearly(200_000)},
    "dispute_found": {
        "county": Yearly(26_000),
        "township": Yearly(278_000),
        "village": Yearly(50_000),
    },
    "legal_aid_application": {"county": Yearly(120_000, 0, 800), "township": Yearly(30_000)},
    "defence_notified": {"county": Yearly(40_000)},
    "undefended_suspect": {"county": Yearly(90_000)},
    "trial_case": {"county": Yearly(80_000)},
    "notary_consultation": {
        "city": Yearly(4_000, 0, 100),
        "county": Yearly(46_000, 0, 900),
        "township": Yearly(10_000),
        "village": Yearly(4_000),
    },
    "notary_case": {"county": Yearly(808_000)},
    "forensic_case": {"county": Yearly(127_600)},
    "arbitration_case": {"city": Yearly(8_000), "county": Yearly(14_260)},
    "grassroots_service": {"county": Yearly(50_000), "township": Yearly(130_000)},
    "lawyer_case": {"county": Yearly(793_800)},
    "hotline_call": {"city": Yearly(0, 80_000), "county": Yearly(0, 700_000)},
    "online_request": {"city": Yearly(0, 0, 1_000), "county": Yearly(0, 0, 6_000)},
    "workorder_received": {
        "city": Yearly(2_000, 6_000, 400),
        "county": Yearly(20_000, 60_000, 3_000),
        "township": Yearly(15_000),
    },
    "complaint_received": {
        "city": Yearly(200, 800, 100),
        "county": Yearly(1_500, 2_500, 500),
        "township": Yearly(800),
        "village": Yearly(600),
    },
    "case_bank_entry": {"county": Yearly(1_200)},
    "survey_asked": {
        "city": Yearly(3_000, 40_000, 300),
        "county": Yearly(60_000, 400_000, 3_000),
        "township": Yearly(80_000, 0, 500),
        "village": Yearly(20_000),
    },
}

DERIVED: dict[str, Part | Multiple] = {
    "consultation_on_the_spot": Part("consultation", 0.72),
    "publicity_audience": Multiple("publicity_event", 35.0),
    "mediation_accepted": Part("dispute_found", 0.8),
    "mediation_settled": Part("mediation_accepted", 0.97),
    "mediation_performed": Part("mediation_settled", 0.95),
    "legal_aid_accepted": Part("legal_aid_application", 0.87),
    "legal_aid_by_lawyer": Part("legal_aid_accepted", 0.85),
    "legal_aid_closed": Part("legal_aid_accepted", 0.8),
    "defence_assigned": Part("defence_notified", 0.98),
    "duty_lawyer_help": Part("undefended_suspect", 0.96),
    "trial_case_defended": Part("trial_case", 0.93),
    "hotline_answered": Part("hotline_call", 0.93),
    "online_completed": Part("online_request", 0.92),
    "workorder_completed": Part("workorder_received", 0.95),
    "workorder_on_time": Part("workorder_completed", 0.97),
    "complaint_resolved": Part("complaint_received", 0.9),
    "survey_answered": Part("survey_asked", 0.75),
    "aware": Part("survey_answered", 0.7),
    "first_choice": Part("survey_answered", 0.55),
}

ANSWERS: dict[str, float] = {
    "very_satisfied": 0.45,
    "satisfied": 0.33,
    "basically_satisfied": 0.17,
    "dissatisfied": 0.035,
    "very_dissatisfied": 0.015,
}
"""The five answers and how often each is given; they share out survey_answered without rest."""
ANSWERED = "survey_answered"

WEEKDAY = (1.15, 1.1, 1.05, 1.0, 0.95, 0.45, 0.4)
"""Monday to Sunday, for units that work every day."""
HOLIDAY = 0.25
"""A weekday that is a public holiday."""
SEASON = (0.85, 0.7, 1.2, 1.05, 1.05, 1.05, 0.95, 0.95, 1.05, 0.95, 1.1, 1.15)
"""January to December: the Spring Festival is quiet, March and the year's end are busy."""
PUBLICITY_DAYS = {(3, 5): 3.0, (3, 8): 3.0, (3, 15): 4.0, (4, 15): 3.0, (6, 26): 3.0, (12, 4): 6.0}
"""Days on which law is made known: volunteers, women, consumers, state security, drugs, the constitution."""
