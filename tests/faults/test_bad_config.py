"""Configurations that cannot be used, given to the real programs: one error, exit code 1."""

import re
import sys
from pathlib import Path

import pytest

from certs.pki import Pki
from hems.commands.child import Child
from hems.commands.output import EXIT_CONFIGURATION, EXIT_ERROR
from hems.commands.scene import Scene, hub_config
from tests.faults.bench import run_to_end
from tests.faults.forks import forked
from tests.waiting import until

pytestmark = [pytest.mark.requirement("LC-TEST")]

PORTS = {"meter": 1, "pv": 2, "battery": 3, "water_heater": 4, "heat_pump": 5}


def good(pki: Pki) -> str:
    """Return a configuration with nothing wrong in it."""
    dcap = "https://127.0.0.1:9/dcap"
    return hub_config(Scene(), pki=pki, ports=PORTS, ocpp_port=0, dcap=dcap, page_port=0)


async def refused(text: str | bytes, folder: Path, wanted: int = EXIT_CONFIGURATION) -> str:
    """Run a hub on a configuration; returns its one error, without the program's name."""
    path = folder / "hems.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    code, out, error = await forked("run", "--config", str(path), cwd=folder)
    assert code == wanted
    assert out == ""
    assert "Traceback" not in error
    assert error.startswith("hems: ")
    assert error.endswith("\n")
    return error.removeprefix("hems: ").removesuffix("\n")


# A few of many: the others that concern reading alone are rows of tests/hems/test_config.py.
MISTAKES = [
    ('battery = "self', 'colour = "red"\nbattery = "self', r"toml: home\.colour: unknown key"),
    ('max = "3 kW"', 'max = "3 kWh"', r"device\[4\]\.max: '3 kWh' is of the kind energy, not"),
    ('max = "3 kW"', "max = 3000", r"device\[4\]\.max: 3000 has no unit; a power is written with"),
    ('driver = "modbus"', 'driver = "telepathy"', r"device\[4\]\.driver: must be 'sunspec', 'm"),
    ('id = "pv"', 'id = "meter"', r"two devices are called 'meter'"),
    ('id = "pv"', 'id = "loads"', r"device\[1\]\.id: 'loads' means the home itself"),
    ("[home]", "[home", r"hems\.toml: is not TOML: .*line 1"),
]

# What stands in files of others may be mended while the hub is started again and again.
FILES = [
    ("hub.pem", "none.pem", r"issued/none\.pem: the certificate file does not exist"),
    ("hub.key", "none.key", r"issued/none\.key: the private key file does not exist"),
    ("hub.key", "utility.key", r"utility\.key: the private key does not belong to the certificate"),
    ("crls.pem", "trust.pem", r"trust\.pem: no PEM revocation list in it"),
]


@pytest.mark.parametrize(("old", "new", "said"), MISTAKES, ids=[new for _, new, _ in MISTAKES])
async def test_a_mistake_ends_in_one_error(
    pki: Pki, tmp_path: Path, old: str, new: str, said: str
) -> None:
    text = good(pki)
    assert old in text
    error = await refused(text.replace(old, new, 1), tmp_path)
    assert re.search(said, error), error
    assert "\n" not in error


@pytest.mark.parametrize(("old", "new", "said"), FILES, ids=[new for _, new, _ in FILES])
async def test_a_file_that_cannot_be_used_ends_in_one_error(
    pki: Pki, tmp_path: Path, old: str, new: str, said: str
) -> None:
    error = await refused(good(pki).replace(old, new, 1), tmp_path, EXIT_ERROR)
    assert re.search(said, error), error
    assert "\n" not in error


async def test_several_mistakes_are_named_one_a_line(pki: Pki, tmp_path: Path) -> None:
    text = good(pki)
    for old, new in (('"10 s"', '"10"'), ('"3 kW"', '"3 kA"'), ("[web]", "[web]\nprot = 80")):
        text = text.replace(old, new, 1)
    lines = (await refused(text, tmp_path)).splitlines()
    places = ["utility.mirror_interval", "web.prot", "device[4].max"]
    assert [line.split(": ")[1] for line in lines] == places


async def test_no_file_a_folder_and_no_text(tmp_path: Path) -> None:
    code, out, error = await run_to_end("run", "--config", "none.toml", cwd=tmp_path)
    assert (code, out) == (EXIT_CONFIGURATION, "")
    assert error == "hems: none.toml: cannot be read: No such file or directory\n"
    _, _, error = await forked("run", "--config", str(tmp_path), cwd=tmp_path)
    assert error == f"hems: {tmp_path}: cannot be read: Is a directory\n"
    assert "is not UTF-8 text (byte 0)" in await refused(b"\xff\xfe[\0h\0", tmp_path)


async def test_a_store_that_cannot_be_made(pki: Pki, tmp_path: Path) -> None:
    error = await refused(good(pki) + f'[store]\npath = "{tmp_path}"\n', tmp_path, EXIT_ERROR)
    assert error == f"{tmp_path}: not a file"
    away = '[store]\npath = "/proc/none/hems.db"\n'
    error = await refused(good(pki) + away, tmp_path, EXIT_ERROR)
    assert error == "/proc/none/hems.db: cannot be made: No such file or directory"


HEAD_END = """
database = "headend.db"
certificate = "{pki}/issued/utility.pem"
key = "{pki}/issued/utility.key"
roots = "{pki}/trust.pem"
crls = "{pki}/crls.pem"
token_file = "token"
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('token_file = "token"', "", r"headend\.toml: token_file: Field required"),
        ("database", "databass", r"headend\.toml: database: Field required"),
        ("database", 'colour = "red"\ndatabase', r"headend\.toml: colour: Extra inputs"),
        ("database", 'operator_host = "0.0.0.0"\ndatabase', r"'0\.0\.0\.0' is not a loopback"),
        ("database", "[database", r"headend\.toml: is not TOML"),
        ("utility.pem", "none.pem", r"none\.pem: the certificate file does not exist"),
        ("utility.key", "hub.key", r"hub\.key: the private key does not belong"),
    ],
)
async def test_a_mistake_in_the_head_end_s_settings(
    pki: Pki, tmp_path: Path, old: str, new: str, said: str
) -> None:
    text = HEAD_END.format(pki=pki.folder)
    assert old in text
    path = tmp_path / "headend.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    code, out, error = await forked("headend", "run", "--config", str(path), cwd=tmp_path)
    other = said.startswith(("none", "hub"))
    assert (code, out) == (EXIT_ERROR if other else EXIT_CONFIGURATION, "")
    assert error.startswith("hems: ")
    assert re.search(said, error), error


async def test_the_head_end_without_a_file(tmp_path: Path) -> None:
    code, _, error = await run_to_end("headend", "run", "--config", "none.toml", cwd=tmp_path)
    assert code == EXIT_CONFIGURATION
    assert error == "hems: none.toml: cannot be read: No such file or directory\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "--colour"), "unrecognized arguments: --colour"),
        (("walk",), "invalid choice: 'walk'"),
        ((), "the following arguments are required: COMMAND"),
        (("event", "--minutes", "many", "--shed", "1kW"), "invalid float value: 'many'"),
        (("event", "--shed", "1kW", "--limit-import", "1kW"), "say how long the event lasts"),
    ],
)
async def test_a_command_line_that_makes_no_sense(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    code, out, error = await forked(*arguments, cwd=tmp_path)
    assert (code, out) == (2, "")
    assert said in error.splitlines()[-1]
    assert "Traceback" not in error


async def test_a_folder_that_is_no_place_for_a_pki(pki: Pki, tmp_path: Path) -> None:
    code, _, error = await run_to_end("pki", "init", str(pki.folder), cwd=tmp_path)
    assert code == 1
    assert error == f"hems: {pki.folder}: there is something already; it is not overwritten\n"


async def test_a_ready_file_that_cannot_be_written_keeps_no_home_from_running(
    pki: Pki, tmp_path: Path
) -> None:
    path, log = tmp_path / "hems.toml", tmp_path / "hub.log"
    path.write_text(good(pki), encoding="utf-8")
    command = [sys.executable, "-m", "hems", "run", "--config", str(path)]
    child = Child("hub", [*command, "--ready", "/proc/none/ready.json"], log, tmp_path / "never")
    await child.start()

    async def lines() -> list[str]:
        return [line for line in log.read_text(encoding="utf-8").splitlines() if "--ready" in line]

    try:
        said = await until(lines, bool, 30.0, "it is said")
        assert "--ready /proc/none/ready.json: cannot be written: No such file" in said[0]
        assert child.running
    finally:
        assert await child.stop() == 0
    assert "Traceback" not in log.read_text(encoding="utf-8")
