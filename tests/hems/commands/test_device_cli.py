"""What `hems device` says of what cannot be: one sentence and the right exit code."""

import argparse
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.addresses import ModbusAddress
from der.discovery.found import Found, How
from der.discovery.scan import Progress
from hems.cli import main
from hems.commands import device_arguments, device_ask
from hems.commands.device import setting_of
from hems.commands.device_ask import AnswerError, ask
from hems.commands.device_scan import listed
from hems.commands.device_words import words
from hems.commands.progress import line
from hems.device_surface import DeviceDetail
from hems.settings.device_section import DeviceSection
from hems.settings.devices_file import Table, tables, write
from hems.setup import kept_scan
from hems.setup.kept_scan import ScanError

METER: Table = {
    "id": "meter", "kind": "meter", "name": "Meter", "driver": "sunspec", "host": "127.0.0.1",
    "port": 1,
}  # fmt: skip
IN_CONFIG = '[web]\nport = 1\n[[device]]\nid = "own"\nkind = "submeter"\nname = "Own"\n'
IN_CONFIG += 'driver = "sunspec"\nhost = "127.0.0.1"\nport = 1\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "hems.toml"
    path.write_text(IN_CONFIG, encoding="utf-8")
    write(tmp_path / "devices.toml", [METER])
    return path


Said = pytest.CaptureFixture[str]


def refused(capsys: Said, *arguments: str, config: Path) -> str:
    """Run a command that ends with code 1; returns its one sentence."""
    assert main(["device", *arguments, "--config", str(config)]) == 1
    said = capsys.readouterr()
    assert said.err.startswith("hems: ")
    assert len(said.err.splitlines()) == 1, said.err
    return said.err.removeprefix("hems: ").strip()


@pytest.mark.requirement("LC-TEST")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("show", "oven"), "this home has no device 'oven'; it has own, meter"),
        (("test", "oven"), "this home has no device 'oven'"),
        (("test", "meter"), "meter: a meter is only read: there is nothing to move"),
        (("remove", "oven"), "this home has no device 'oven'"),
        (("remove", "own", "--yes"), "hems.toml: whoever wrote it there must remove it"),
        (("show", "meter"), "meter: no Modbus connection to 127.0.0.1:1 unit 1"),
        (("add", "X"), "X: its kind is not known; give it with --kind (meter, "),
        (
            ("add", "X", "--kind", "pv"),
            "X: its driver is not known; give it with --driver (sunspec, ",
        ),
        (("add", "7", "--kind", "pv", "--driver", "sunspec"), "'7' has no letter for an id"),
        (
            ("add", "Meter", "--kind", "submeter", "--driver", "p1", "--host", "h", "--port", "1"),
            "devices.toml: two devices are called 'meter'",
        ),
        (
            ("add", "X", "--kind", "plug", "--driver", "mqtt", "--max", "1 kW"),
            "X: a mqtt device needs a profile",
        ),
        (
            ("add", "X", "--kind", "evse", "--driver", "ocpp16", "--station", "x", "--max", "1"),
            "X: max: '1' has no unit; a power is written with one of W, kW, MW",
        ),
        (
            ("add", "X", "--kind", "evse", "--driver", "ocpp16", "--station", "x"),
            "X: an evse needs a range of power: min, max or both",
        ),
        (
            ("add", "X", "--kind", "plug", "--driver", "smoke"),
            "X: driver: must be 'sunspec'",
        ),
        (
            ("add", "X", "--kind", "meter", "--driver", "p1", "--host", "h", "--port", "1"),
            "one meter is at the connection point, not 2",
        ),
        (("add", "X", "--found", "1"), "nothing was scanned yet: run `hems device scan` first"),
        (("scan", "--at", "8.8.8.8"), "8.8.8.8 is not in a local network of this machine"),
        (("scan", "--at", "127.0.0.1:x"), "'x' is no port"),
        (("scan", "--at", "no.such.host.invalid"), "is not an IPv4 address"),
        (("list", "--url", "x"), ""),
    ],
)
def test_what_cannot_be_is_one_sentence(
    config: Path, capsys: Said, arguments: tuple[str, ...], sentence: str
) -> None:
    if arguments[0] == "list":
        assert main(["device", *arguments, "--config", str(config)]) == 0, "no hub is needed"
        return
    assert sentence in refused(capsys, *arguments, config=config)
    assert len(tables(config.with_name("devices.toml"))) == 1, "nothing was added or removed"


def test_without_a_terminal_nothing_is_removed_unless_it_is_said(
    config: Path, capsys: Said
) -> None:
    assert main(["device", "remove", "meter", "--config", str(config)]) == 1
    assert "say --yes" in capsys.readouterr().err
    assert main(["device", "remove", "meter", "--yes", "--config", str(config)]) == 0
    assert tables(config.with_name("devices.toml")) == []


def test_a_device_that_a_utility_speaks_of_is_not_removed(tmp_path: Path, capsys: Said) -> None:
    path = tmp_path / "hems.toml"
    path.write_text(
        '[utility]\ncertificate = "a"\nkey = "a"\ntrust = "a"\ncrls = "a"\npin = "111115"\n'
        '[[utility.member]]\nname = "Cellar"\npin = "111115"\n'
        'lfdi = "167261211391A5B67E343E5E4562E31984E23E50"\ndevices = ["meter"]\n',
        encoding="utf-8",
    )
    write(tmp_path / "devices.toml", [METER])
    said = refused(capsys, "remove", "meter", "--yes", config=path)
    assert said.endswith("member 'Cellar' stands for no device 'meter'")
    assert len(tables(tmp_path / "devices.toml")) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("device",),
        ("device", "dance"),
        ("device", "add"),
        ("device", "add", "X", "--found", "one"),
        ("device", "add", "X", "--move", "1 h"),
        ("device", "add", "X", "--move", "2"),
        ("device", "scan", "--listen", "long"),
    ],
)
def test_wrong_usage_is_code_two(arguments: tuple[str, ...], capsys: Said) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "option",
    [
        ("--connected-to", "D"), ("--connected-to", "A,A"), ("--comfort", "warm"),
        ("--set", "least_on"), ("--set", "=1"), ("--set", "id_tags=[1]"), ("--set", "x={}"),
    ],
)  # fmt: skip
def test_options_that_mean_nothing_are_code_two(
    config: Path, capsys: Said, option: tuple[str, str]
) -> None:
    assert main(["device", "add", "X", *option, "--config", str(config)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_what_has_no_driver_yet_is_added_where_it_was_found(config: Path, capsys: Said) -> None:
    at = ModbusAddress("127.0.0.1", 1)
    found = Found((How.SWEEP,), "127.0.0.1:1", at=at, note="by its map")
    kept_scan.keep(kept_scan.numbered([found]), config.with_name("devices.toml"))
    arguments = ("add", "X", "--kind", "battery", "--driver", "modbus", "--found", "1")
    described = (*arguments, "--map", "victron-ess", "--max", "5kW")
    assert main(["device", *described, "--config", str(config)]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert "x: no Modbus connection to 127.0.0.1:1 unit 227" in last, "the map says the unit"
    said = refused(capsys, *arguments, config=config)
    assert "X: its map is not known; give it with --map (" in said
    said = refused(capsys, "add", "X", "--kind", "pv", "--driver", "sunspec", config=config)
    assert said == "X: its host is not known; give it with --host"


def test_without_a_configuration_it_is_said_how_to_begin(tmp_path: Path, capsys: Said) -> None:
    none = tmp_path / "hems.toml"
    assert "an empty file will do" in refused(capsys, "add", "X", config=none)
    none.touch()
    assert main(["device", "list", "--config", str(none)]) == 0


def test_a_command_leaves_the_drivers_logging_as_it_was(config: Path, capsys: Said) -> None:
    drivers = logging.getLogger("der")
    before = drivers.level
    refused(capsys, "show", "oven", config=config)
    assert main(["device", "list", "--config", str(config)]) == 0
    assert drivers.level == before


def test_listing_names_the_file_of_each(config: Path, capsys: Said) -> None:
    assert main(["device", "list", "--json", "--config", str(config)]) == 0
    files = {row["id"]: Path(row["file"]).name for row in json.loads(capsys.readouterr().out)}
    assert files == {"own": "hems.toml", "meter": "devices.toml"}
    assert main(["device", "list", "--config", str(config)]) == 0
    assert "(devices.toml)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("least_on=1380 W", "least_on", "1380 W"),
        ("inverted=true", "inverted", True),
        ("unit=7", "unit", 7),
        ("comfort_low = 18.5", "comfort_low", 18.5),
        ('id_tags=["a", "b"]', "id_tags", ["a", "b"]),
        ("password=a=b", "password", "a=b"),
        ('password="7"', "password", "7"),
    ],
)
def test_other_keys_are_set_as_toml_or_as_text(text: str, key: str, value: object) -> None:
    assert setting_of(text) == {key: value}


@pytest.mark.parametrize(("said", "keys"), [((), {}), (("--keep",), {"keep": True})])
def test_a_device_that_is_to_be_kept_is_said_so(
    said: tuple[str, ...], keys: dict[str, object]
) -> None:
    parser = argparse.ArgumentParser()
    device_arguments.add_to(parser.add_subparsers(), lambda _options: 0)
    options = parser.parse_args(["device", "add", "Oxygen", *said])
    assert device_arguments.given(options) == keys


def test_questions_are_asked_once_and_only_where_they_make_sense() -> None:
    asked: list[str] = []
    answers = iter(["fridge", "plug", "mqtt", "2 kWh", "2 kW", "11", "8", "", "shelly"])

    def answer(question: str) -> str:
        asked.append(question)
        return next(answers)

    table = ask({"id": "x", "name": "X", "topic": "t", "connected_to": ["A"]}, answer)
    assert table["kind"] == "plug"
    assert (table["max"], table["essentiality"], table["ownership"]) == ("2000 W", 8, "owner")
    assert table["profile"] == "shelly", "what its driver needs is asked, too"
    assert asked[1].startswith("'fridge' is none of meter, ")
    assert not any("Phases" in question or "give" in question for question in asked)
    DeviceSection.model_validate(table)


def test_a_meter_is_asked_for_its_place_only() -> None:
    answers = iter(["meter", "p1", "192.168.1.9", ""])
    table = ask({"id": "m", "name": "M"}, lambda _: next(answers))
    assert table == {
        "id": "m", "name": "M", "kind": "meter", "driver": "p1", "host": "192.168.1.9", "port": 502,
    }  # fmt: skip


@pytest.mark.parametrize("text", ["18", "18..x", "..", "a..b"])
def test_comfort_that_is_none(text: str) -> None:
    with pytest.raises(AnswerError):
        device_ask.comfort(text)


def test_the_bar_is_a_line_that_says_who_looks() -> None:
    shown = line(Progress(0.5, 3, ("mDNS", "MQTT")))
    assert shown == "[############............]  50%  3 found, looking: mDNS, MQTT"


@given(st.floats(-1, 2), st.integers(0, 999))
def test_the_bar_is_always_as_wide(share: float, found: int) -> None:
    assert line(Progress(share, found, ())).index("]") == 25


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff"])
def test_a_damaged_scan_is_scanned_again(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".devices.toml.scan").write_bytes(content)
    with pytest.raises(ScanError, match="run `hems device scan` again"):
        kept_scan.result(1, tmp_path / "devices.toml")


def test_a_result_that_is_not_there(tmp_path: Path) -> None:
    kept_scan.keep((), tmp_path / "devices.toml")
    with pytest.raises(ScanError, match="no result 1"):
        kept_scan.result(1, tmp_path / "devices.toml")
    assert listed(()) == ["nothing found"]


def detail(**said: object) -> DeviceDetail:
    base: dict[str, object] = {
        "id": "ev", "name": "Car", "kind": "evse", "driver": "ocpp16", "min_w": 0.0,
        "max_w": 7400.0, "essentiality": 2, "ownership": "owner",
    }  # fmt: skip
    return DeviceDetail(**{**base, **said})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, "not known while it does not answer"),
        ({"expiry": "guard", "risk": "power cut"}, "the hub's guard process writes the safe value"),
        ({"expiry": "guard", "risk": "power cut"}, "risk             power cut"),
        ({"expiry": "fallback", "safe": "charges with 6 A"}, "then it          charges with 6 A"),
        ({"power_w": -0.4, "quality": "good", "age_s": 2.0}, "0 W (good, 2 s old)"),
        ({"power_w": 5.0, "soc": 0.5, "temp_c": 21.0, "limit_w": 9.0}, "50% charged, 21.0 degC"),
        ({"comfort_low_c": 18.0, "comfort_high_c": 23.0}, "comfort 18 to 23 degC"),
        ({"phases": ("A", "B")}, "on phase A, B"),
        ({"error": "ev: gone"}, "trouble          ev: gone"),
        ({"address": "here"}, "without a name, here"),
    ],
)
def test_a_device_in_words(said: dict[str, object], expected: str) -> None:
    assert expected in "\n".join(words(detail(**said)))


@pytest.fixture(autouse=True)
def _nobody_watches(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give the commands a standard input that is no terminal, whoever runs the tests."""
    with Path("/dev/null").open(encoding="utf-8") as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        yield
