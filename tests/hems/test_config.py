"""The configuration file: every mistake is named by its place."""

from pathlib import Path

import pytest

from hems.config import ConfigError, load

GOOD = """
[home]
name = "Elm Street 4"
time_zone = "Europe/Berlin"
main_breaker = "35 A"

[utility]
certificate = "hub.pem"
key = "hub.key"
trust = "trust.pem"
crls = "crls.pem"
pin = "111115"

[[device]]
id = "meter"
kind = "meter"
name = "Grid meter"
driver = "sunspec"
port = 5020
"""


PIN = 'pin = "111115"'


def write(folder: Path, text: str) -> Path:
    path = folder / "hems.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_file_is_read_with_paths_relative_to_it(tmp_path: Path) -> None:
    config = load(write(tmp_path, GOOD))
    assert config.home.main_breaker == 35.0
    assert config.utility is not None
    assert config.utility.certificate == tmp_path / "hub.pem"
    assert config.store.path == tmp_path / "hems.db"
    assert config.device[0].id == "meter"


@pytest.mark.requirement("LC-TEST")
@pytest.mark.parametrize(
    ("change", "place", "reason"),
    [
        (('"35 A"', '"35 kW"'), "home.main_breaker", "'35 kW' is of the kind power, not current"),
        (('"35 A"', "35"), "home.main_breaker", "has no unit"),
        (('"35 A"', '"many"'), "home.main_breaker", "is not a current"),
        ((PIN, f"{PIN}\nstun = 1"), "utility.stun", "unknown key"),
        ((PIN, 'pin = "111114"'), "utility.pin", "not a PIN"),
        (('key = "hub.key"\n', ""), "utility.key", "is missing"),
        ((PIN, f'{PIN}\nurl = "http://a"'), "utility.url", "not an https"),
        (("Europe/Berlin", "Europe/Atlantis"), "home.time_zone", "not an IANA time zone"),
        (("port = 5020", ""), "device[0]", "needs a port"),
        (("port = 5020", "port = 70000"), "device[0].port", "65535"),
        (('driver = "sunspec"', 'driver = "smoke"'), "device[0].driver", "'sunspec'"),
    ],
)
def test_a_mistake_is_named_by_place_and_reason(
    tmp_path: Path, change: tuple[str, str], place: str, reason: str
) -> None:
    assert change[0] in GOOD
    path = write(tmp_path, GOOD.replace(*change))
    with pytest.raises(ConfigError) as caught:
        load(path)
    message = str(caught.value)
    assert message.count("\n") == 0
    assert message.startswith(f"{path}: {place}: ")
    assert reason in message


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    text = GOOD.replace('"35 A"', "35").replace(PIN, 'pin = "111116"')
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, text))
    assert str(caught.value).count("\n") == 1


@pytest.mark.requirement("LC-TEST")
def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read: No such file"):
        load(tmp_path / "none.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"binary\.toml: is not UTF-8 text"):
        load(binary)
    with pytest.raises(ConfigError, match=r"hems\.toml: is not TOML: .*line 1"):
        load(write(tmp_path, "[home\n"))


def test_twins_are_refused(tmp_path: Path) -> None:
    twin = GOOD[GOOD.index("[[device]]") :]
    with pytest.raises(ConfigError, match="two devices are called 'meter'"):
        load(write(tmp_path, GOOD + twin))
