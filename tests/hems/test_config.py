"""The configuration file: every mistake is named by its place."""

from pathlib import Path

import pytest

from hems.settings.config import load
from hems.settings.toml_file import ConfigError

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
    (utility,) = config.utility
    assert utility.certificate == tmp_path / "hub.pem"
    assert utility.name == "utility", "as the ledger has called it since there was one only"
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
        (('driver = "sunspec"', 'driver = "ocpp16"'), "device[0]", "cannot drive a meter"),
        (('id = "meter"', 'id = "home"'), "device[0].id", "'home' means the home itself"),
        (('id = "meter"', 'id = "loads"'), "device[0].id", "'loads' means the home itself"),
        (('id = "meter"', 'id = "generation"'), "device[0].id", "means the home itself"),
        (('id = "meter"', 'id = "Meter 1"'), "device[0].id", "not allowed here"),
        (('kind = "meter"', 'kind = "pv"'), "device[0]", "needs a range of power"),
        (("port = 5020", 'port = 5020\nmin = "1 W"'), "device[0]", "min 1 W is above max 0 W"),
        (("port = 5020", 'port = 5020\nleast_on = "1 W"'), "device[0]", "least_on 1 W is above"),
        (("port = 5020", 'port = 5020\nleast_on = "-1 W"'), "device[0].least_on", "must be"),
        (("port = 5020", 'port = 5020\nmax_age = "0 s"'), "device[0].max_age", "greater than 0"),
        (("port = 5020", 'port = 5020\nmin_on = "-1 s"'), "device[0].min_on", "must be"),
        (("port = 5020", 'port = 5020\nhost = ""'), "device[0].host", "must not be empty"),
        (('"35 A"', '"0 A"'), "home.main_breaker", "must be greater than 0"),
        (("[home]", "home = 1\n[other]"), "home", "must be a table"),
        ((PIN, "pin = 111115"), "utility.pin", "must be text in quotation marks"),
        ((PIN, f'{PIN}\nurl = "https://"'), "utility.url", "is not a URL"),
        ((PIN, f'{PIN}\nurl = "https://a:99999/d"'), "utility.url", "Port out of range"),
        ((PIN, f'{PIN}\nurl = "https://a b/d"'), "utility.url", "is not a URL"),
        ((PIN, f'{PIN}\nnotify_host = "0.0.0.0"'), "utility.notify_host", "all addresses"),
        ((PIN, f'{PIN}\nmirror_interval = "0 s"'), "utility.mirror_interval", "whole number"),
        ((PIN, f'{PIN}\nmirror_interval = "1.5 s"'), "utility.mirror_interval", "whole number"),
        ((PIN, f'{PIN}\npoll_least = "-1 s"'), "utility.poll_least", "must be"),
        (('"hub.pem"', '"hub\\u0000.pem"'), "utility.certificate", "NUL"),
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
    lines = message.split("\n")
    assert lines[0].startswith(f"{path}: {place}: ")
    assert reason in lines[0]
    assert len(lines) == change[1].count("[other]") + 1  # a table renamed is unknown besides


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
    with pytest.raises(ConfigError, match="one meter is at the connection point, not 2"):
        load(write(tmp_path, GOOD + twin.replace('"meter"', '"main"', 1)))
    charger = '[[device]]\nid = "ID"\nkind = "evse"\nname = "Car"\ndriver = "ocpp16"\n'
    charger += 'station = "box"\nmax = "7 kW"\n'
    chargers = charger.replace("ID", "left") + charger.replace("ID", "right")
    with pytest.raises(ConfigError, match="two chargers have the station identity 'box'"):
        load(write(tmp_path, GOOD + chargers))
    policy = '[[utility.program]]\nname = "Peak Saver"\nbinding = BINDING\n'
    policies = policy.replace("BINDING", "true") + policy.replace("BINDING", "false")
    with pytest.raises(ConfigError, match="programme 'Peak Saver' has two policies"):
        load(write(tmp_path, GOOD + policies))


LFDI = "3e4f45ab31edfe5b67e343e5e4562e31984e23e5"
MEMBER = """
[[utility.member]]
name = "Roof"
lfdi = "3e4f45ab31edfe5b67e343e5e4562e31984e23e5"
pin = "111115"
devices = ["meter"]
"""
SECTION = GOOD[GOOD.index("[utility]") : GOOD.index("[[device]]")]
FIRST = SECTION.replace("[utility]", '[[utility]]\nname = "grid"\nnotify_port = 7001')
SECOND = SECTION.replace("[utility]", '[[utility]]\nname = "market"\nnotify_port = 7002')


def test_several_utilities_are_a_list_each_with_its_name(tmp_path: Path) -> None:
    config = load(write(tmp_path, GOOD.replace(SECTION, FIRST + SECOND)))
    assert [u.name for u in config.utility] == ["grid", "market"]
    assert config.utility[1].key == tmp_path / "hub.key"


def test_further_devices_are_members_of_their_utility(tmp_path: Path) -> None:
    config = load(write(tmp_path, GOOD.replace(SECTION, SECTION + MEMBER)))
    (member,) = config.utility[0].member
    assert member.lfdi == "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5"
    assert load(write(tmp_path, GOOD.replace(SECTION, ""))).utility == ()


@pytest.mark.requirement("LC-TEST")
@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        (FIRST + SECOND.replace('"market"', '"grid"'), "", "two utilities are called 'grid'"),
        (FIRST + SECOND.replace("7002", "7001"), "", "two utilities notify us at 127.0.0.1:7001"),
        (FIRST + SECOND.replace("111115", "1"), "utility[1].pin", "not a PIN"),
        (FIRST.replace('"grid"', '"The Grid"'), "utility[0].name", "not allowed here"),
        (FIRST.replace("[[utility]]", "[[utility.x]]"), "utility.x", "unknown key"),
        (SECTION + MEMBER.replace("3e4f", "zz"), "utility.member[0].lfdi", "not allowed here"),
        (SECTION + MEMBER.replace("111115", "111114"), "utility.member[0].pin", "not a PIN"),
        (SECTION + MEMBER + MEMBER, "utility.member", "two members have the LFDI 3E4F"),
        (SECTION + MEMBER.replace('"meter"', '"pv"'), "", "member 'Roof' stands for no device"),
        (
            SECTION.replace("pin =", f'lfdi = "{LFDI}"\npin =') + MEMBER,
            "utility",
            "member 'Roof' has the LFDI of the home itself",
        ),
        (SECTION.replace("pin =", 'lfdi = "12"\npin ='), "utility.lfdi", "not allowed here"),
    ],
)
def test_a_mistake_among_utilities_is_named_by_place(
    tmp_path: Path, text: str, place: str, reason: str
) -> None:
    path = write(tmp_path, GOOD.replace(SECTION, text))
    with pytest.raises(ConfigError) as caught:
        load(path)
    wanted = f"{path}: {place}: " if place else f"{path}: "
    assert [x for x in str(caught.value).split("\n") if x.startswith(wanted) and reason in x]
