"""The catalogue that the project ships: what domain.md section 2 says, and nothing else."""

from __future__ import annotations

import pytest

from etl.catalog import AtMost, Catalog, Level, SenderTotal, SumEquals, load_catalog

FLOW = [
    "consultation",
    "consultation_on_the_spot",
    "publicity_event",
    "publicity_audience",
    "document_drafted",
    "advice_to_government",
    "advice_to_village",
    "counsel_duty_shift",
    "dispute_found",
    "mediation_accepted",
    "mediation_settled",
    "mediation_performed",
    "legal_aid_application",
    "legal_aid_accepted",
    "legal_aid_by_lawyer",
    "legal_aid_closed",
    "defence_notified",
    "defence_assigned",
    "undefended_suspect",
    "duty_lawyer_help",
    "trial_case",
    "trial_case_defended",
    "notary_consultation",
    "notary_case",
    "forensic_case",
    "arbitration_case",
    "grassroots_service",
    "lawyer_case",
    "hotline_call",
    "hotline_answered",
    "online_request",
    "online_completed",
    "workorder_received",
    "workorder_completed",
    "workorder_on_time",
    "complaint_received",
    "complaint_resolved",
    "case_bank_entry",
]
SURVEY = {
    "survey_asked": "测评份数",
    "survey_answered": "回答份数",
    "aware": "知晓",
    "first_choice": "首选",
    "very_satisfied": "很满意",
    "satisfied": "满意",
    "basically_satisfied": "基本满意",
    "dissatisfied": "不满意",
    "very_dissatisfied": "很不满意",
}
STOCK = [
    "population",
    "platform_built",
    "platform_standardised",
    "hotline_247",
    "online_item",
    "online_item_enabled",
    "village_with_counsel",
    "law_savvy_person",
    "rule_of_law_leader",
    "culture_site",
    "lawyer",
    "public_lawyer",
    "company_lawyer",
    "counsel_lawyer",
    "notary",
    "forensic_examiner",
    "arbitrator",
    "grassroots_worker",
    "mediator",
    "mediator_full_time",
    "mediation_committee",
    "mediation_committee_standardised",
    "legal_aid_agency",
    "legal_aid_in_budget",
    "judicial_office_staff",
    "judicial_office_purchased_staff",
    "counsel_fund",
    "demo_village_district",
    "demo_village_city",
    "demo_village_province",
    "demo_village_national",
    "foreign_service_institution",
    "first_class_law_firm",
    "high_level_forensic_institution",
    "forensic_institution",
    "forensic_institution_standardised",
    "arbitration_centre_international",
    "arbitration_institution_influential",
    "pretraining_required",
    "pretraining_attended",
    "town_without_law_office",
    "smart_legal_service",
    "party_government_organ",
    "organ_with_public_lawyer",
    "school",
    "school_with_vice_principal",
    "law_training_held",
    "law_quiz_held",
    "online_lecture_held",
]
"""The last eight are what ruling 21 asks indicators of."""
COUNTIES = [
    "371302",
    "371311",
    "371312",
    "371321",
    "371322",
    "371323",
    "371324",
    "371325",
    "371326",
    "371327",
    "371328",
    "371329",
    "371371",
]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(None)


def codes(catalog: Catalog, kind: str) -> list[str]:
    return [measure.code for measure in catalog.measures.values() if measure.kind == kind]


def test_every_measure_of_the_domain_page_is_declared_and_no_other(catalog: Catalog) -> None:
    assert codes(catalog, "flow") == FLOW
    assert codes(catalog, "survey") == list(SURVEY)
    assert codes(catalog, "stock") == STOCK
    assert (len(FLOW), len(SURVEY), len(STOCK)) == (38, 9, 49)


def test_the_survey_has_the_names_that_township_files_use(catalog: Catalog) -> None:
    assert {code: catalog.measures[code].name_zh for code in SURVEY} == SURVEY


def test_a_name_leads_back_to_its_code(catalog: Catalog) -> None:
    assert len(catalog.measure_by_name()) == len(catalog.measures) == 98
    assert catalog.measure_by_name()["解答法律咨询"] == "consultation"
    assert catalog.channel_by_name() == {"实体": "physical", "热线": "hotline", "网络": "network"}


@pytest.mark.parametrize(
    ("code", "levels", "channels"),
    [
        ("consultation", "province city county township village", "physical hotline network"),
        ("consultation_on_the_spot", "province city county township village", "physical"),
        ("document_drafted", "county township village", "physical hotline network"),
        ("advice_to_government", "county township", "physical hotline network"),
        ("advice_to_village", "village", "physical hotline network"),
        ("legal_aid_application", "county township", "physical hotline network"),
        ("legal_aid_accepted", "county", "physical hotline network"),
        ("arbitration_case", "city county", "physical hotline network"),
        ("hotline_call", "city county", "hotline"),
        ("hotline_answered", "city county", "hotline"),
        ("online_request", "city county", "network"),
        ("online_completed", "city county", "network"),
        ("workorder_on_time", "city county township", "physical hotline network"),
        ("aware", "province city county township village", "physical hotline network"),
        ("population", "township", ""),
        ("lawyer", "county", ""),
        ("village_with_counsel", "village", ""),
    ],
)
def test_a_measure_has_its_levels_and_channels(
    catalog: Catalog, code: str, levels: str, channels: str
) -> None:
    measure = catalog.measures[code]
    assert set(measure.levels) == {Level(level) for level in levels.split()}
    assert measure.channels == tuple(channels.split())


def test_a_village_owes_forty_cells_of_flow(catalog: Catalog) -> None:
    mine = [m for m in catalog.daily_measures() if m.kind == "flow" and Level.VILLAGE in m.levels]
    assert sum(len(measure.channels) for measure in mine) == 40


def test_the_cells_of_the_daily_data_set_are_flow_and_survey_in_declared_order(catalog: Catalog) -> None:
    pairs = catalog.pairs()
    assert len(pairs) == len(set(pairs)) == 131
    assert list(dict.fromkeys(measure for measure, _ in pairs)) == FLOW + list(SURVEY)
    assert pairs[:4] == [
        ("consultation", "physical"),
        ("consultation", "hotline"),
        ("consultation", "network"),
        ("consultation_on_the_spot", "physical"),
    ]


def test_ceilings_leave_room_for_a_busy_day_of_a_county(catalog: Catalog) -> None:
    assert catalog.measures["publicity_audience"].ceiling >= 100_000
    county = [
        m for m in catalog.daily_measures() if m.code.startswith(("hotline_", "survey_", "consultation"))
    ]
    assert len(county) == 6
    assert all(measure.ceiling >= 20_000 for measure in county)


def test_linyi_has_its_eighteen_platforms(catalog: Catalog) -> None:
    counties = [f"county-{code}" for code in COUNTIES]
    others = ["city-371300", "township-371300", "village-371300", "hotline-371300", "stocks-371300"]
    assert sorted(catalog.platforms) == sorted(counties + others)
    for code, platform_id in zip(COUNTIES, counties, strict=True):
        platform = catalog.platforms[platform_id]
        assert (platform.family, platform.level, platform.area) == (
            "rest",
            (Level.COUNTY,),
            (f"{code}000000",),
        )
        assert platform.conn_id == f"pls_county_{code}"
        assert (platform.datasets, platform.calendar) == (("daily", "stocks"), "everyday")
    facts = [
        ("city-371300", "rest", ["city"], ("daily", "stocks"), "everyday"),
        ("township-371300", "csv", ["township"], ("daily",), "workdays"),
        ("village-371300", "workbook", ["village"], ("daily",), "workdays"),
        ("hotline-371300", "database", ["county"], ("daily",), "everyday"),
        ("stocks-371300", "rest", ["township", "village"], ("stocks",), "workdays"),
    ]
    for platform_id, family, levels, datasets, calendar in facts:
        platform = catalog.platforms[platform_id]
        assert (platform.family, platform.level, platform.area) == (
            family,
            tuple(map(Level, levels)),
            ("371300000000",),
        )
        assert (platform.datasets, platform.calendar) == (datasets, calendar)
        assert platform.conn_id == f"pls_{platform_id.replace('-', '_')}"


def test_the_critical_checks_are_those_of_a_single_submission(catalog: Catalog) -> None:
    critical = [check for check in catalog.checks.values() if check.severity == "critical"]
    assert [(type(check), check.measures()) for check in critical] == [
        (SenderTotal, ()),
        (
            SumEquals,
            (
                "very_satisfied",
                "satisfied",
                "basically_satisfied",
                "dissatisfied",
                "very_dissatisfied",
                "survey_answered",
            ),
        ),
        (AtMost, ("survey_answered", "survey_asked")),
        (AtMost, ("hotline_answered", "hotline_call")),
    ]


def test_all_other_pairs_warn_about_the_year_to_date(catalog: Catalog) -> None:
    warnings = [check for check in catalog.checks.values() if check.severity == "warning"]
    assert {check.measures() for check in warnings} == {
        ("aware", "survey_answered"),
        ("first_choice", "survey_answered"),
        ("mediation_settled", "mediation_accepted"),
        ("mediation_performed", "mediation_settled"),
        ("workorder_on_time", "workorder_completed"),
        ("workorder_completed", "workorder_received"),
        ("legal_aid_by_lawyer", "legal_aid_accepted"),
        ("defence_assigned", "defence_notified"),
        ("trial_case_defended", "trial_case"),
        ("complaint_resolved", "complaint_received"),
        ("platform_standardised", "platform_built"),
    }
    scopes = {check.code: check.scope for check in warnings if isinstance(check, AtMost)}
    assert len(scopes) == len(warnings) == 11
    assert [code for code, scope in scopes.items() if scope != "year_to_date"] == ["standardised_built"]
