"""The devices file: merged into the configuration, its mistakes named by its own name."""

import os
import stat
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.settings.config import load
from hems.settings.devices_file import (
    DEFAULT,
    DevicesFileError,
    Table,
    locked,
    place,
    tables,
    write,
)
from hems.settings.toml_file import ConfigError, read_toml

METER = '[[device]]\nid = "meter"\nkind = "meter"\nname = "Meter"\ndriver = "sunspec"\nport = 502\n'
OTHER = METER.replace('"meter"', '"m2"', 1)
PLUG: Table = {
    "id": "plug",
    "kind": "plug",
    "name": "Freezer",
    "driver": "mqtt",
    "profile": "shelly",
    "topic": "shellyplug-1",
    "max": "2500 W",
    "essentiality": 8,
}


def home(folder: Path, text: str = METER) -> Path:
    path = folder / "hems.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_devices_of_both_files_make_the_home(tmp_path: Path) -> None:
    path = home(tmp_path)
    assert [device.id for device in load(path).device] == ["meter"]
    write(tmp_path / DEFAULT, [PLUG])
    config = load(path)
    assert [device.id for device in config.device] == ["meter", "plug"]
    assert config.device[1].max == 2500
    assert config.home.devices == tmp_path / DEFAULT


def test_a_zigbee_name_may_have_blanks(tmp_path: Path) -> None:
    path = home(tmp_path)
    named = {**PLUG, "profile": "zigbee2mqtt", "topic": "Living room/desk lamp"}
    write(tmp_path / DEFAULT, [named])
    assert load(path).device[1].topic == "Living room/desk lamp"


@pytest.mark.parametrize("topic", ["", "a+", "#", "$SYS", "a\nb", "a\0b", "x" * 201])
def test_what_is_no_part_of_a_topic_is_refused(tmp_path: Path, topic: str) -> None:
    path = home(tmp_path)
    write(tmp_path / DEFAULT, [{**PLUG, "topic": topic}])
    with pytest.raises(ConfigError, match="topic"):
        load(path)


def test_another_name_may_be_given_to_it(tmp_path: Path) -> None:
    path = home(tmp_path, f'[home]\ndevices = "kept/mine.toml"\n{METER}')
    (tmp_path / "kept").mkdir()
    write(tmp_path / "kept" / "mine.toml", [PLUG])
    assert [device.id for device in load(path).device] == ["meter", "plug"]


@pytest.mark.requirement("LC-TEST")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[device", "devices.toml: is not TOML"),
        ("[home]\nname = 'x'", "devices.toml: home: unknown key"),
        ("device = 1", "devices.toml: device: must be a list of tables"),
        ("device = [1]", "devices.toml: device[0]: must be a table"),
        (OTHER.replace("502", "70000"), "devices.toml: device[0].port"),
        (METER, "devices.toml: two devices are called 'meter'"),
        (OTHER, "devices.toml: one meter is at the connection point"),
        (METER.replace("port = 502", ""), "devices.toml: device[0]: a sunspec device needs a port"),
        ("\xff", "devices.toml: is not UTF-8"),
    ],
)
def test_mistakes_are_named_by_the_file_that_they_are_in(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / DEFAULT).write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError) as caught:
        load(home(tmp_path))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_mistake_of_the_configuration_itself_is_not_blamed_on_it(tmp_path: Path) -> None:
    write(tmp_path / DEFAULT, [PLUG])
    with pytest.raises(ConfigError) as caught:
        load(home(tmp_path, METER + METER))
    assert str(caught.value).startswith(f"{tmp_path / 'hems.toml'}: two devices are called 'meter'")


def test_it_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / DEFAULT
    write(path, [PLUG])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "hems device add" in path.read_text()


def test_a_write_that_fails_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / DEFAULT
    write(path, [PLUG])
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DevicesFileError, match=r"devices\.toml: cannot be written: No space"):
        write(path, [])
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [DEFAULT], "no draft is left behind"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DevicesFileError, match="cannot be written: No such file"):
        write(tmp_path / "none" / DEFAULT, [])
    with (
        pytest.raises(DevicesFileError, match="cannot be used: No such file"),
        locked(tmp_path / "none" / DEFAULT),
    ):
        pass


def test_two_commands_do_not_change_it_at_once(tmp_path: Path) -> None:
    path = tmp_path / DEFAULT
    with (
        locked(path),
        pytest.raises(DevicesFileError, match="another command is changing it"),
        locked(path),
    ):
        pass
    with locked(path):
        pass


TEXT = st.text(max_size=20)
KEYS = st.from_regex(r"[a-z_]{1,12}", fullmatch=True)
VALUES = TEXT | st.integers(-(2**62), 2**62) | st.booleans() | st.lists(TEXT, max_size=3)


@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=5), max_size=4))
def test_what_was_written_is_read_again(devices: list[Table]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / DEFAULT
        write(path, devices)
        assert tables(path) == devices


@pytest.mark.requirement("LC-TEST")
@given(st.binary(max_size=200))
def test_garbage_ends_in_one_error(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / DEFAULT
        path.write_bytes(content)
        said = ""
        try:
            tables(path)
        except ConfigError as error:
            said = str(error)
        assert said == "" or said.startswith(f"{path}: ")


@pytest.mark.parametrize("home_said", [None, 1, {}, {"devices": 1}, {"devices": "a\0b"}])
def test_its_place_where_the_configuration_makes_no_sense(home_said: object) -> None:
    raw = {} if home_said is None else {"home": home_said}
    assert place(raw, Path("/etc/hems/hems.toml")) == Path("/etc/hems/devices.toml")


def test_no_file_is_no_mistake(tmp_path: Path) -> None:
    assert tables(tmp_path / DEFAULT) == []
    with pytest.raises(ConfigError, match="cannot be read"):
        read_toml(tmp_path / DEFAULT)
    (tmp_path / DEFAULT).mkdir()
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        tables(tmp_path / DEFAULT)
