"""Loading a catalogue: folders that override, and declarations that are refused in words that name the mend."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from etl.catalog import CatalogError, Level, load_catalog
from etl.settings import SHIPPED_CATALOG

PLATFORM = {
    "id": "county-371302",
    "family": "rest",
    "level": "county",
    "datasets": ["daily"],
    "conn_id": "pls_county_371302",
    "area": ["371302000000"],
    "calendar": "everyday",
}
MEASURE = {"code": "visit", "name_zh": "来访", "name_en": "Visits", "unit": "人次", "ceiling": 10}
CHECK = {
    "code": "settled_accepted",
    "kind": "at_most",
    "part": "mediation_settled",
    "whole": "mediation_accepted",
    "severity": "warning",
    "scope": "year_to_date",
    "message_zh": "调解成功大于受理",
    "message_en": "more settled than accepted",
}
SUM = CHECK | {"kind": "sum_equals", "parts": ["satisfied", "aware"], "whole": "survey_answered"}
del SUM["part"], SUM["scope"]
HISTORY = {"kind": "history", "days": 91, "fewest_days": 20, "large_from": 30, "peers": 20}
QUEUE = {
    "kind": "queue",
    "calendar": "workdays",
    "due_workdays": 3,
    "fewest_characters": 6,
    "bare_words": ["核实"],
}
RECIPIENT = {"id": "justice-371302", "name": "兰山区司法局"}

LETTERS = "abcdefghijklmnopqrstuv"
LAUGHTER = "- &a [x, x]\n" + "".join(f"- &{b} [*{a}, *{a}]\n" for a, b in pairwise(LETTERS))

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write one file of an overriding catalogue; returns the catalogue's folder."""

    def write(where: str, content: Any) -> Path:
        path = tmp_path / where
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else yaml.safe_dump(content, allow_unicode=True)
        path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


def refusal(folder: Path) -> str:
    with pytest.raises(CatalogError) as refused:
        load_catalog(folder)
    return str(refused.value)


def changed(entry: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The entry with some keys changed; a key changed to ... is left out."""
    return {key: value for key, value in (entry | changes).items() if value is not ...}


def test_a_subfolder_replaces_the_projects_whole_subfolder_and_the_rest_stays(write: Write) -> None:
    shipped = load_catalog(None)
    ours = load_catalog(write("platforms/ours.yaml", [PLATFORM]))
    assert list(ours.platforms) == ["county-371302"]
    assert len(shipped.platforms) == 18
    assert ours.measures == shipped.measures
    assert ours.checks == shipped.checks


def test_an_empty_override_folder_changes_nothing(tmp_path: Path) -> None:
    assert load_catalog(tmp_path) == load_catalog(None)


def test_a_level_may_be_one_or_several(write: Write) -> None:
    several = changed(PLATFORM, level=["city", "township"])
    assert load_catalog(write("platforms/ours.yaml", [several])).platforms["county-371302"].level == (
        Level.CITY,
        Level.TOWNSHIP,
    )
    assert load_catalog(write("platforms/ours.yaml", [PLATFORM])).platforms["county-371302"].level == (
        Level.COUNTY,
    )


def test_a_measure_without_levels_and_channels_has_all_and_takes_its_kind_from_the_file(write: Write) -> None:
    write("measures/flow.yaml", [MEASURE])
    write("measures/stock.yaml", [changed(MEASURE, code="shelf", name_zh="书架", levels=["village"])])
    write(
        "checks/none.yaml",
        [{k: CHECK[k] for k in ("code", "severity", "message_zh", "message_en")} | {"kind": "sender_total"}],
    )
    write("plausibility/none.yaml", [HISTORY, QUEUE])
    answers = {"satisfied": ["visit"], "strictly_satisfied": ["visit"], "dissatisfied": ["shelf"]}
    shipped = load_catalog(None).satisfaction_rule().model_dump()
    write("satisfaction/ours.yaml", [shipped | answers | {"score": {"visit": 100, "shelf": 0}}])
    catalog = load_catalog(write("platforms/ours.yaml", [PLATFORM]))
    visit, shelf = catalog.measures["visit"], catalog.measures["shelf"]
    assert (visit.kind, visit.levels, visit.channels) == (
        "flow",
        tuple(Level),
        ("physical", "hotline", "network"),
    )
    assert (shelf.kind, shelf.levels, shelf.channels) == ("stock", (Level.VILLAGE,), ())
    assert catalog.pairs() == [("visit", "physical"), ("visit", "hotline"), ("visit", "network")]


def test_entries_written_by_a_program_with_aliases_are_read(write: Write) -> None:
    area = ["371302000000"]
    entries = [changed(PLATFORM, id=name, area=area) for name in ("a", "b")]
    folder = write("platforms/ours.yaml", entries)
    assert "*id001" in (folder / "platforms/ours.yaml").read_text()
    assert len(load_catalog(folder).platforms) == 2


def test_every_recipient_key_of_the_interface_is_read(write: Write) -> None:
    full = RECIPIENT | {
        "division": "371302000000",
        "email": "duty@example.org",
        "webhook": "https://example.org/hook?key=s3cret",
        "escalates_to": "justice-371300",
    }
    folder = write("recipients/ours.yaml", [full, {"id": "justice-371300", "name": "临沂市司法局"}])
    write("platforms/ours.yaml", [changed(PLATFORM, contact="justice-371302")])
    catalog = load_catalog(folder)
    assert catalog.recipients["justice-371302"].escalates_to == "justice-371300"
    assert "s3cret" not in repr(catalog)


BAD_PLATFORMS = {
    "unknown key": (
        changed(PLATFORM, calender="everyday"),
        "key calender is not known: did you mean calendar?",
    ),
    "stranger key": (changed(PLATFORM, zzz=1), "key zzz is not known: delete it. Known keys are id, family"),
    "missing key": (changed(PLATFORM, conn_id=...), "key conn_id is missing: add it"),
    "family": (
        changed(PLATFORM, family="soap"),
        "key family is 'soap': expected 'rest', 'csv', 'workbook' or 'database'",
    ),
    "level": (changed(PLATFORM, level="town"), "key level.0 is 'town': expected 'province', 'city'"),
    "no level": (changed(PLATFORM, level=[]), "key level is []"),
    "dataset": (
        changed(PLATFORM, datasets=["survey"]),
        "key datasets.0 is 'survey': expected 'daily' or 'stocks'",
    ),
    "number": (
        changed(PLATFORM, area=[371302000000]),
        "key area.0 is 371302000000: text was expected, write it in quotes",
    ),
    "short code": (
        changed(PLATFORM, area=["371302"]),
        "key area.0 is '371302': a division code of 12 digits was expected",
    ),
    "no area": (changed(PLATFORM, area=[]), "key area is []"),
    "area twice": (changed(PLATFORM, area=["371302000000"] * 2), "written twice: 371302000000"),
    "id": (changed(PLATFORM, id="县 1"), "key id is '县 1': letters, digits, _ . and - were expected"),
    "options": (changed(PLATFORM, options=[]), "key options is []"),
    "calendar": (
        changed(PLATFORM, calendar="every-day"),
        "every-day, which is not declared; declared are: everyday, workdays. Did you mean everyday?",
    ),
    "contact": (
        changed(PLATFORM, contact="nobody"),
        "key contact names nobody, which is not declared; declared are: none",
    ),
}


@pytest.mark.parametrize("case", BAD_PLATFORMS)
def test_a_bad_platform_is_refused_with_file_entry_key_and_mend(write: Write, case: str) -> None:
    entry, words = BAD_PLATFORMS[case]
    said = refusal(write("platforms/ours.yaml", [changed(PLATFORM, id="good"), entry]))
    assert words in said
    assert f"platforms/ours.yaml, entry 2 (id {entry['id']})" in said


BAD_MEASURES = {
    "unknown channel": (
        changed(MEASURE, channels=["fax"]),
        "fax, which is not declared; declared are: physical, hotline, network",
    ),
    "no channel": (changed(MEASURE, channels=[]), "at least one channel was expected"),
    "no level": (changed(MEASURE, levels=[]), "key levels is []"),
    "channel twice": (changed(MEASURE, channels=["hotline", "hotline"]), "written twice: hotline"),
    "stock with channel": (
        changed(MEASURE, kind="stock", channels=["hotline"]),
        "a stock has no channels: delete the key channels",
    ),
    "ceiling": (changed(MEASURE, ceiling=0), "key ceiling is 0"),
    "ceiling text": (changed(MEASURE, ceiling="20"), "key ceiling is '20'"),
    "kind": (
        changed(MEASURE, kind="rate"),
        "key kind is 'rate': expected 'flow', 'survey', 'stock' or 'carried'",
    ),
    "code": (
        changed(MEASURE, code="Visit"),
        "key code is 'Visit': small letters, digits and _ were expected",
    ),
    "carried of nothing": (
        changed(MEASURE, kind="carried"),
        "keys sums and carrying were expected of kind carried",
    ),
    "carried by a stock": (
        changed(MEASURE, kind="carried", sums="survey_answered", carrying="population"),
        "key carrying names population, which is not declared",
    ),
    "no name": (changed(MEASURE, name_zh=""), "key name_zh is ''"),
    "reserved name": (changed(MEASURE, name_zh="合 计"), "has a meaning of its own in township files"),
    "taken name": (changed(MEASURE, name_zh="１２３４８来电"), "is the name of hotline_call already"),
}


@pytest.mark.parametrize("case", BAD_MEASURES)
def test_a_bad_measure_is_refused(write: Write, case: str) -> None:
    entry, words = BAD_MEASURES[case]
    shipped = sorted((SHIPPED_CATALOG / "measures").glob("*.yaml"))
    assert len(shipped) == 3
    for file in shipped:
        write(f"measures/{file.name}", file.read_text(encoding="utf-8"))
    folder = write("measures/more.yaml", [{"kind": "flow"} | entry])
    said = refusal(folder)
    assert words in said
    assert f"measures/more.yaml, entry 1 (code {entry['code']})" in said
    write("measures/more.yaml", [{"kind": "flow"} | MEASURE])
    assert len(load_catalog(folder).measures) == 99


BAD_CHECKS = {
    "unknown kind": (
        changed(CHECK, kind="at_least"),
        "at_least; one of 'sender_total', 'sum_equals', 'at_most' was",
    ),
    "no kind": (changed(CHECK, kind=...), "key kind is missing"),
    "unknown measure": (
        changed(CHECK, whole="mediation_acepted"),
        "key part/whole names mediation_acepted, which is not declared",
    ),
    "key of another kind": (changed(CHECK, parts=["aware"]), "key parts is not known"),
    "severity": (changed(CHECK, severity="info"), "key severity is 'info': expected 'critical' or 'warning'"),
    "critical over the year": (changed(CHECK, severity="critical"), "severity warning was expected"),
    "one part": (changed(SUM, parts=["aware"]), "key parts is ['aware']"),
    "unknown part": (changed(SUM, parts=["aware", "happy"]), "key parts/whole names happy"),
    "itself": (changed(CHECK, whole="mediation_settled"), "compares a measure with itself"),
    "stock and flow": (changed(CHECK, whole="lawyer"), "compares a stock with what is counted by the day"),
    "levels apart": (
        changed(CHECK, part="advice_to_village", whole="legal_aid_accepted"),
        "no level reports all of",
    ),
    "channels apart": (changed(CHECK, part="hotline_call", whole="online_request"), "no channel has all of"),
    "stock over the year": (changed(CHECK, part="notary", whole="lawyer"), "stocks do not add up over time"),
}


@pytest.mark.parametrize("case", BAD_CHECKS)
def test_a_bad_check_is_refused(write: Write, case: str) -> None:
    entry, words = BAD_CHECKS[case]
    said = refusal(write("checks/ours.yaml", [entry]))
    assert words in said
    assert "checks/ours.yaml, entry 1 (code settled_accepted)" in said


def test_good_checks_are_accepted(write: Write) -> None:
    stocks = changed(CHECK, code="notary_lawyer", part="notary", whole="lawyer", scope="submission")
    catalog = load_catalog(write("checks/ours.yaml", [CHECK, changed(SUM, code="sum"), stocks]))
    assert list(catalog.checks) == ["settled_accepted", "sum", "notary_lawyer"]


def test_all_contradictions_are_told_at_once(write: Write) -> None:
    entries = [changed(PLATFORM, calendar="never"), changed(PLATFORM, id="second", contact="nobody")]
    said = refusal(write("platforms/ours.yaml", entries)).splitlines()
    assert len(said) == 2
    assert "entry 1" in said[0]
    assert "entry 2" in said[1]


def test_the_total_over_channels_is_no_channel_of_its_own(write: Write) -> None:
    channel = {"code": "all", "name_zh": "全部", "name_en": "All"}
    assert "all stands for the total over channels" in refusal(write("channels/ours.yaml", [channel]))


def test_recipients_that_escalate_to_each_other_are_refused(write: Write) -> None:
    ring = [RECIPIENT | {"escalates_to": "b"}, {"id": "b", "name": "市", "escalates_to": "justice-371302"}]
    folder = write("recipients/ours.yaml", ring)
    assert "leads back to the entry itself" in refusal(folder)
    write("recipients/ours.yaml", [RECIPIENT | {"escalates_to": "b"}, {"id": "b", "name": "市"}])
    assert len(load_catalog(folder).recipients) == 2


def test_the_same_id_in_two_files_names_both_places(write: Write) -> None:
    write("platforms/a.yaml", [PLATFORM])
    said = refusal(write("platforms/b.yaml", [PLATFORM]))
    assert "county-371302 is declared already in" in said
    assert "a.yaml, entry 1" in said
    assert "b.yaml, entry 1" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- {id: a, id: b}", "the key id is written twice: delete one"),
        ("- {id: a", "is not YAML"),
        ("id: a", "a list of entries was expected"),
        ("", "a list of entries was expected"),
        ("- word", "entry 1: keys and values were expected, not 'word'"),
        ("- {[1, 2]: a}", "a key is a word"),
        ("- !!python/object/apply:os.getcwd []", "is not YAML"),
        ("- {id: 2027-02-30}", "is not YAML"),
        ("[" * 5000, "is not YAML"),
        ("- " * 100_000, "is not YAML"),
        ("[]", "declares nothing"),
        ("- &a [*a]", "unfold to more than"),
        (LAUGHTER, "unfold to more than"),
        ("# " + "x" * 1_000_000, "at most 1,000,000 bytes"),
    ],
)
def test_a_file_that_is_not_a_list_of_entries_is_refused(write: Write, text: str, words: str) -> None:
    said = refusal(write("platforms/ours.yaml", text))
    assert words in said
    assert "platforms" in said


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "recipients").mkdir()
    (tmp_path / "recipients" / "ours.yaml").write_bytes("- {id: a, name: 司法局}".encode("gb18030"))
    assert "ours.yaml: is not YAML in UTF-8" in refusal(tmp_path)


@pytest.mark.parametrize("folder", ["channels", "measures", "platforms", "calendars", "checks"])
def test_an_empty_folder_that_replaces_what_is_needed_is_refused(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    assert f"{folder}: declares nothing; a *.yaml file with at least one entry was expected" in refusal(
        tmp_path
    )


def test_a_catalogue_needs_no_recipients(tmp_path: Path) -> None:
    (tmp_path / "recipients").mkdir()
    assert load_catalog(tmp_path).recipients == {}


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("platform/ours.yaml", "platform: not part of a catalogue; its folders are channels/, measures/"),
        ("ours.yaml", "ours.yaml: not part of a catalogue"),
        ("platforms/ours.yml", "ours.yml: would not be read. Move it to"),
        ("platforms/linyi/ours.yaml", "linyi/ours.yaml: would not be read. Move it to"),
    ],
)
def test_a_file_that_would_be_passed_over_is_refused(write: Write, where: str, words: str) -> None:
    assert words in refusal(write(where, [PLATFORM]))


def test_notes_and_hidden_files_are_left_alone(write: Write) -> None:
    write("README.md", "ours")
    write("platforms/.#ours.yaml", "{")
    write(".git/config.yaml", "{")
    write("platforms/..data/ours.yaml", "{")
    assert list(load_catalog(write("platforms/ours.yaml", [PLATFORM])).platforms) == ["county-371302"]


def test_a_folder_that_is_not_there_is_named_with_its_variable(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nowhere").startswith(
        f"PLS_CATALOG names {tmp_path / 'nowhere'}: a folder was expected"
    )
