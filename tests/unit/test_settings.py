"""Settings: what the environment says, and where the shipped files stand."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from etl import settings
from etl.settings import DIVISIONS_FILE, EXPECTATIONS_DIR, SHIPPED_CATALOG, SQL_DIR, Settings

VARIABLES = ("PLS_HOME", "PLS_WAREHOUSE", "PLS_ARCHIVE", "PLS_CATALOG")


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_without_variables_the_defaults_of_the_interface_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    home = tmp_path.resolve() / "var"
    assert Settings.from_env() == Settings(home, "embedded", str(home / "archive"), None)


def test_an_empty_variable_counts_as_not_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    expected = Settings.from_env()
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
    assert Settings.from_env() == expected


def test_variables_are_taken_and_folders_do_not_move_with_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLS_HOME", "site")
    monkeypatch.setenv("PLS_CATALOG", "ours")
    monkeypatch.setenv("PLS_WAREHOUSE", "postgresql+psycopg://pls@db/pls")
    monkeypatch.setenv("PLS_ARCHIVE", "s3://landing/pls")
    found = Settings.from_env()
    base = tmp_path.resolve()
    assert found == Settings(
        base / "site", "postgresql+psycopg://pls@db/pls", "s3://landing/pls", base / "ours"
    )


def test_a_home_below_the_users_own_folder_may_be_written_with_a_tilde(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PLS_HOME", "~/pls")
    assert Settings.from_env().home == tmp_path.resolve() / "pls"


def test_the_text_form_of_the_settings_hides_the_warehouse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLS_WAREHOUSE", "postgresql+psycopg://pls:s3cret@db/pls")
    text = repr(Settings.from_env())
    assert "s3cret" not in text
    assert "home=" in text


def test_what_the_project_ships_is_there() -> None:
    assert len(list((SQL_DIR / "schema").glob("*.sql"))) >= 5
    assert len(list(EXPECTATIONS_DIR.glob("*.json"))) >= 1
    assert len(list(SHIPPED_CATALOG.glob("*/*.yaml"))) >= 7
    with gzip.open(DIVISIONS_FILE, "rt", encoding="utf-8") as lines:
        assert next(lines).strip() == "code,name,level,parent_code"
        counties = [line for line in lines if line.rstrip().endswith(",county,371300000000")]
    assert len(counties) == 13


def test_an_installed_package_uses_its_own_copies_before_what_stands_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site-packages" / "etl"
    (package / "_shipped" / "sql").mkdir(parents=True)
    (package.parent / "sql").mkdir()
    (package.parent / "data").mkdir()
    monkeypatch.setattr(settings, "PACKAGE", package)
    assert settings.shipped("sql") == package / "_shipped" / "sql"
    assert settings.shipped("data") == package.parent / "data"
    with pytest.raises(
        FileNotFoundError, match="The installation is incomplete: there is no folder expectations/"
    ):
        settings.shipped("expectations")
