"""The server as a program: settings, ready line, announcements, and what stops it from starting."""

import asyncio
import json
import signal
import socket
import sqlite3
import sys
from pathlib import Path

import pytest
from zeroconf import ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from certs.errors import CertificateError
from certs.identity import lfdi
from certs.pem import der, read_certificates
from certs.pki import Pki
from hems.cli import main
from hems.commands.output import EXIT_CONFIGURATION
from hems.headend.advertise import SERVICE, announced
from hems.headend.errors import HeadEndError, SettingsError, StoreError
from hems.headend.records import Edition
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings, load_settings
from hems.sep2.resources import DeviceCapability
from tests.hems.headend.conftest import Home

WAIT_S = 20.0


def toml(pki: Pki, extra: str = "") -> str:
    utility = pki.identity("utility")
    return f"""
database = "data.sqlite"
certificate = "{utility.certificate}"
key = "{utility.key}"
roots = "{pki.trust.roots}"
crls = "{pki.trust.crls}"
token_file = "token"
ready_file = "ready.json"
{extra}
"""


async def test_it_runs_as_a_program_and_stops_cleanly(pki: Pki, tmp_path: Path) -> None:
    config = tmp_path / "headend.toml"
    config.write_text(toml(pki))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hems", "headend", "run", "--config", str(config),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), WAIT_S)
    ready = json.loads(line)
    assert ready == json.loads((tmp_path / "ready.json").read_text())
    assert ready["lfdi"] == lfdi(der(read_certificates(pki.identity("utility").certificate)[0]))
    home = Home(pki.identity("home-a"), pki, ready["dcap"].removesuffix("/dcap"))
    await home.get("/dcap", DeviceCapability)
    assert (await home.ask("GET", "/edev/%0A1970-01-01 CRITICAL forged")).status == 403
    await home.aclose()
    process.send_signal(signal.SIGTERM)
    _, errors = await asyncio.wait_for(process.communicate(), WAIT_S)
    assert process.returncode == 0, errors.decode()
    assert b"Traceback" not in errors
    assert b"forged" in errors
    assert not any(line.startswith(b"1970") for line in errors.splitlines())


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ("colour = 'red'", "colour"),
        ("port = 70000", "port"),
        ("dcap_poll_s = '5min'", "dcap_poll_s"),
        ("port = ", "TOML"),
        ("operator_host = '0.0.0.0'", "loopback"),
        ("[[programs]]\nname='A'\nprimacy=1\nkind='der'\nmandatory=true", "mandatory"),
        ("[[programs]]\nname='A'\nprimacy=1\nkind='der'\ndefaults={shed_w=1}", "defaults"),
        ("[[programs]]\nname='A'\nprimacy=1\nkind='der'\n" * 2, "same name"),
    ],
)
def test_wrong_settings_end_in_one_line(
    pki: Pki, tmp_path: Path, extra: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "headend.toml"
    config.write_text(toml(pki, extra))
    assert main(["headend", "run", "--config", str(config)]) == EXIT_CONFIGURATION
    errors = capsys.readouterr().err
    assert errors.startswith(f"hems: {config}")
    assert said in errors
    assert errors.count("\n") == 1


def test_all_mistakes_are_named(
    pki: Pki, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "headend.toml"
    wrong = {"database": "databass", "token_file": "token_fill"}
    text = toml(pki, "port = 70000")
    for name, slip in wrong.items():
        text = text.replace(name, slip)
    config.write_text(text)
    assert main(["headend", "run", "--config", str(config)]) == EXIT_CONFIGURATION
    lines = capsys.readouterr().err.removeprefix("hems: ").splitlines()
    places = {line.removeprefix(f"{config}: ").split(":")[0] for line in lines}
    assert places == {"port", *wrong, *wrong.values()}
    assert all(line.startswith(f"{config}: ") for line in lines)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml"):
        load_settings(tmp_path / "none.toml")


async def start(settings: HeadEndSettings) -> None:
    async with HeadEnd(settings):
        pass


async def test_what_cannot_be_used_is_named(
    settings: HeadEndSettings, tmp_path: Path, file: Path
) -> None:
    garbage = tmp_path / "garbage"
    garbage.write_bytes(b"garbage" * 1000)
    with pytest.raises(StoreError, match="garbage"):
        await start(settings.model_copy(update={"database": garbage}))
    with pytest.raises(StoreError, match="nowhere"):
        await start(settings.model_copy(update={"database": tmp_path / "nowhere" / "db"}))
    with pytest.raises(CertificateError, match="garbage"):
        await start(settings.model_copy(update={"certificate": garbage}))
    with pytest.raises(SettingsError, match="ready_file"):
        await start(settings.model_copy(update={"ready_file": tmp_path / "no" / "ready"}))
    await start(settings)
    assert (await asyncio.to_thread(file.stat)).st_mode & 0o777 == 0o600
    connection = sqlite3.connect(file)
    connection.execute("UPDATE hems_revision SET version_num = 'zebra'")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="schema zebra"):
        await start(settings)


async def test_a_port_in_use_is_named_and_all_is_closed(settings: HeadEndSettings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=str(port)):
            await start(settings.model_copy(update={"operator_port": port}))
    await start(settings.model_copy(update={"operator_port": port}))


@pytest.mark.requirement("PRO-2030.5")
@pytest.mark.usefixtures("multicast_dns")
async def test_it_announces_itself_on_its_own_interface() -> None:
    found: asyncio.Queue[str] = asyncio.Queue()

    def changed(
        zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        assert zeroconf
        if state_change is ServiceStateChange.Added and service_type == SERVICE:
            found.put_nowait(name)

    async with announced("127.0.0.1", 8443, "utility-under-test", Edition.CSIP_AUS):
        zeroconf = AsyncZeroconf(interfaces=["127.0.0.1"])
        browser = AsyncServiceBrowser(zeroconf.zeroconf, SERVICE, handlers=[changed])
        async with asyncio.timeout(WAIT_S):
            name = await found.get()
            while not name.startswith("utility-under-test."):
                name = await found.get()
        info = AsyncServiceInfo(SERVICE, name)
        assert await info.async_request(zeroconf.zeroconf, 3000)
        await browser.async_cancel()
        await zeroconf.async_close()
    assert info.port == 8443
    assert info.parsed_addresses() == ["127.0.0.1"]
    assert info.decoded_properties == {
        "txtvers": "1",
        "dcap": "/dcap",
        "path": "/dcap",
        "https": "8443",
        "level": "+S1",
    }


@pytest.mark.parametrize("host", ["0.0.0.0", "utility.example"])  # noqa: S104 - refused
async def test_only_one_interface_can_be_announced(host: str) -> None:
    with pytest.raises(HeadEndError, match="advertise"):
        async with announced(host, 1, "x", Edition.Y2023):
            pass
