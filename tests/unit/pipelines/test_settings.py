from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipelines import settings
from pipelines.errors import BadSettingsError


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    for name in [name for name in os.environ if name.startswith("RATEHOUSE_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("RATEHOUSE_PORT", "0"),
        ("RATEHOUSE_PORT", "many"),
        ("RATEHOUSE_THREADS", "0"),
        ("RATEHOUSE_LOCK_TIMEOUT_SECONDS", "-1"),
    ],
)
def test_a_bad_variable_is_named(monkeypatch, tmp_path, variable, value):
    monkeypatch.setenv(variable, value)
    for home in (None, tmp_path):
        with pytest.raises(BadSettingsError, match=f"^{variable}: "):
            settings.load(home)


def test_a_relative_home_becomes_absolute_and_stays(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    loaded = settings.load(Path("here/../house"))
    assert loaded.root == tmp_path / "house"
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert loaded.database == tmp_path / "house" / "warehouse.duckdb"


def test_the_home_is_given_or_in_the_environment_or_the_users(monkeypatch, tmp_path):
    assert settings.load().root.name == "ratehouse"
    monkeypatch.setenv("RATEHOUSE_HOME", str(tmp_path / "a"))
    assert settings.load().root == tmp_path / "a"
    assert settings.load(tmp_path / "b").root == tmp_path / "b"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert settings.load(Path("~/c")).root == tmp_path / "c"


def test_a_new_home_is_for_its_owner_alone(tmp_path):
    loaded = settings.load(tmp_path / "deep" / "home")
    loaded.create_home()
    loaded.create_home()
    assert loaded.root.stat().st_mode & 0o077 == 0
    assert loaded.inbox.is_dir()


def test_a_home_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadSettingsError, match=r"file/home cannot be made .*--home"):
        settings.load(tmp_path / "file" / "home").create_home()


def test_programs_we_start_get_the_same_home_and_no_telemetry(tmp_path):
    given = settings.child_environment(settings.load(tmp_path))
    assert given["RATEHOUSE_DATABASE"] == str(tmp_path / "warehouse.duckdb")
    assert given["DO_NOT_TRACK"] == "1"
