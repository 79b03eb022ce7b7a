"""The page's own file: beside a person's, never before it; whole after every power cut."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.settings import settings_file
from hems.settings.config import load
from hems.settings.settings_file import fixed, merged, place, versions, write
from hems.settings.toml_file import ConfigError
from hems.setup.editing import Editor

NOW = 1_780_000_000.0


def test_a_home_may_stand_on_it_alone(tmp_path: Path) -> None:
    path = tmp_path / "hems.toml"
    with pytest.raises(ConfigError, match="cannot be read"):
        load(path)
    write(place(path), {"home": {"name": "By page", "phases": 3}}, NOW)
    config = load(path)
    assert (config.home.name, config.home.phases) == ("By page", 3)
    assert config.store.path == tmp_path / "hems.db"


def test_what_a_person_wrote_holds_key_by_key(tmp_path: Path) -> None:
    path = tmp_path / "hems.toml"
    path.write_text('[home]\nname = "By hand"\n[tariff.import]\nprice = "0.5/kWh"\n')
    page: settings_file.Table = {
        "home": {"name": "By page", "main_breaker": "35 A"},
        "tariff": {"currency": "EUR", "import": {"price": "0.2/kWh"}},
    }
    write(place(path), page, NOW)
    config = load(path)
    assert config.home.name == "By hand"
    assert config.home.main_breaker == 35.0
    assert config.tariff.import_.price == 0.5
    assert config.tariff.currency == "", "a tariff is of one piece"


KEYS = st.sampled_from(["a", "b", "c"])
SECTIONS = st.dictionaries(
    st.sampled_from(["home", "peak", "tariff"]), st.dictionaries(KEYS, st.integers()), max_size=3
)


@given(SECTIONS, SECTIONS)
def test_each_key_is_the_persons_or_else_the_pages(
    by_hand: dict[str, dict[str, int]], page: dict[str, dict[str, int]]
) -> None:
    both = merged(by_hand, page)
    for section in {*by_hand, *page}:
        found = both[section]
        assert isinstance(found, dict)
        for key in "abc":
            own, other = by_hand.get(section, {}), page.get(section, {})
            if fixed(by_hand, f"{section}.{key}"):
                assert found.get(key) == own.get(key)
            else:
                assert found.get(key) == other.get(key)


def test_a_mistake_is_named_by_the_file_that_it_is_in(tmp_path: Path) -> None:
    path = tmp_path / "hems.toml"
    path.write_text('[home]\nname = ""\n')
    write(place(path), {"peak": {"limit": "many"}}, NOW)
    with pytest.raises(ConfigError) as refused:
        load(path)
    lines = str(refused.value).splitlines()
    assert any(line.startswith(f"{path}: home.name:") for line in lines)
    assert any(line.startswith(f"{place(path)}: peak.limit:") for line in lines)


def test_devices_do_not_belong_there(tmp_path: Path) -> None:
    place(tmp_path / "hems.toml").write_text("device = []\n")
    with pytest.raises(ConfigError, match="no setting"):
        load(tmp_path / "hems.toml")


def test_it_is_private_and_keeps_the_last_versions(tmp_path: Path) -> None:
    path = tmp_path / settings_file.NAME
    for number in range(15):
        write(path, {"home": {"name": str(number)}}, NOW + number)
    assert path.stat().st_mode & 0o777 == 0o600
    kept = versions(path)
    assert [each.number for each in kept] == list(range(14, 4, -1))
    assert settings_file.version(path, 14) == {"home": {"name": "13"}}
    assert settings_file.version(path, 3) is None
    assert all(each.stat().st_mode & 0o077 == 0 for each in tmp_path.rglob("*.toml"))


def test_a_write_that_fails_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / settings_file.NAME
    write(path, {"home": {"name": "old"}}, NOW)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(settings_file.SettingsFileError, match="No space left"):
        write(path, {"home": {"name": "new"}}, NOW)
    monkeypatch.undo()
    assert settings_file.read(path) == {"home": {"name": "old"}}
    assert not list(tmp_path.glob(".*"))


def test_the_editor_takes_all_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "hems.toml"
    path.write_text('[home]\nbattery = "hold"\n')
    editor = Editor(path)
    mistakes = editor.change(
        {
            "home.name": "Mill",
            "home.battery": "hold",
            "home.main_breaker": float("nan"),
            "web.port": 1.0,
        }
    )
    assert {each.key for each in mistakes} == {"home.battery", "home.main_breaker", "web.port"}
    assert not place(path).exists()
    assert editor.change({"home.name": "Mill", "peak.limit": 4500.0}) == []
    assert settings_file.read(place(path)) == {
        "home": {"name": "Mill"},
        "peak": {"limit": "4500 W"},
    }
    assert editor.change({"peak.limit": None}) == []
    assert settings_file.read(place(path)) == {"home": {"name": "Mill"}}


def test_a_mistake_of_the_whole_is_said_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "hems.toml"
    write(place(path), {}, NOW)
    (mistake,) = Editor(path).change({"reserve.enabled": True})
    assert "programs" in mistake.said
    (mistake,) = Editor(path).change({"home.time_zone": "Europe/Atlantis"})
    assert mistake.key == "home.time_zone"
    assert "Atlantis" in mistake.said
    assert settings_file.read(place(path)) == {}


def test_the_way_back_is_kept_too(tmp_path: Path) -> None:
    path = tmp_path / "hems.toml"
    write(place(path), {}, NOW)
    editor = Editor(path)
    editor.change({"home.name": "One"})
    editor.change({"home.name": "Two"})
    newest = editor.versions()[0]
    assert editor.go_back(newest.number) == []
    assert editor.config.home.name == "One"
    assert editor.go_back(editor.versions()[0].number) == []
    assert editor.config.home.name == "Two"
