"""The packages on a machine of their own: installed, enrolled, commanded, upgraded, gone.

Each release of Debian is booted with its own systemd, so units, watchdog and sandbox are the real
ones. `HEMS_DEBS=dist` takes packages that are built already.
"""

import asyncio
import os
import re
from pathlib import Path
from typing import Final

import pytest

from tests.packages.machine import Machine
from tests.supply.parts import ROOT

pytestmark = [
    pytest.mark.deep,
    pytest.mark.timeout(5400),
    pytest.mark.skipif(os.geteuid() != 0, reason="a clean root can be made by root only"),
]

RELEASES: Final = {"bookworm": "deb12", "trixie": "deb13"}
HEADEND: Final = """\
database = "/var/lib/hems-headend/headend.sqlite"
port = 18443
operator_port = 18444
certificate = "/var/lib/hems-headend/pki/issued/utility.pem"
key = "/var/lib/hems-headend/pki/issued/utility.key"
roots = "/var/lib/hems-headend/pki/trust.pem"
crls = "/var/lib/hems-headend/pki/crls.pem"
token_file = "/var/lib/hems-headend/operator.token"
list_poll_s = 10
dcap_poll_s = 10
[est]
pki = "/var/lib/hems-headend/pki"
"""
OPERATOR: Final = "--operator /var/lib/hems-headend/operator.json"
CONFIG: Final = "--config /var/lib/hems/hems.toml"
WATCHDOG_S: Final = 30.0
LATER: Final = "9.0.0-1"
PLAIN_SECRET: Final = "head -c 32 /dev/urandom | base64 > /etc/credstore/hems-keys"
TIME: Final = (
    "/opt/hems/bin/python -c 'from urllib.request import urlopen;"
    'print(urlopen("http://127.0.0.1:8080/api/time").read())\''
)


async def built(suite: str, folder: Path) -> dict[str, Path]:
    """Return the packages for a release by name."""
    kept = os.environ.get("HEMS_DEBS")
    if kept is None:
        process = await asyncio.create_subprocess_exec(ROOT / "packaging" / "packages", suite)
        assert await process.wait() == 0
    found = (ROOT / (kept or "dist")).absolute().glob(f"*~{RELEASES[suite]}_*.deb")
    debs = {each.name.partition("_")[0]: each for each in found}
    assert debs.keys() == {"hems-common", "hems", "hems-headend"}, folder
    return debs


async def later(deb: Path, folder: Path) -> Path:
    """Return the same package as a later version."""
    tree, made = folder / deb.stem, folder / f"later-{deb.name}"
    for command in (("-R", deb, tree), ("-b", "-Znone", tree, made)):
        process = await asyncio.create_subprocess_exec("dpkg-deb", *command)
        assert await process.wait() == 0
        control = tree / "DEBIAN" / "control"
        text = control.read_text(encoding="utf-8")
        text = re.sub(r"(?m)^Version: .*$", f"Version: {LATER}", text)
        text = re.sub(r"hems-common \([^)]*\)(, hems-common \([^)]*\))?", "hems-common", text)
        control.write_text(text, encoding="utf-8")
    return made


async def installed(machine: Machine, debs: dict[str, Path]) -> str:
    """Install the packages; returns what was said."""
    files = " ".join(machine.put(each) for each in debs.values())
    return await machine.run(f"dpkg -i {files} 2>&1")


async def utility(machine: Machine) -> None:
    """Make the demo utility of the installed head-end, with a test PKI."""
    assert await machine.shown("hems-headend", "ActiveState") == "inactive", "not configured yet"
    await machine.run("hems pki init /var/lib/hems-headend/pki", "hems-headend")
    file = machine.root / "etc/hems-headend/headend.toml"
    file.write_text(HEADEND, encoding="utf-8")
    await machine.run("systemctl start hems-headend")
    assert await machine.shown("hems-headend", "ActiveState") == "active"


async def house(machine: Machine) -> None:
    """Give the hub a meter and a battery of the simulated house."""
    await machine.run(
        "systemd-run --quiet --unit=house /opt/hems/bin/python -m der.sim --ready /run/house.json "
        "--fixed-load 1600 --pv-w 0 --battery-soc 0.7"
    )
    ready = await machine.until("cat /run/house.json", '"battery"', 60.0)
    for name in ("meter", "battery"):
        found = re.search(rf'"{name}": *{{[^}}]*"port": *(\d+)', ready)
        assert found is not None, ready
        await machine.run(
            f"hems device add {name} --kind {name} --driver sunspec --host 127.0.0.1 "
            f"--port {found[1]} --yes {CONFIG}",
            "hems",
        )


async def enrolled(machine: Machine) -> None:
    """Enrol the running hub at the utility by one code."""
    code = (await machine.run(f"hems headend enrol-code {OPERATOR}")).splitlines()[0]
    await machine.run(f"hems enrol {code} --home /var/lib/hems", "hems")
    await machine.until("hems status", "connected", 120.0)


async def answered(machine: Machine) -> None:
    """Dispatch an event, and wait until the hub says that it has begun."""
    said = await machine.run(f"hems event --limit-import 1500W --minutes 1 {OPERATOR}")
    found = re.search(r"\b[0-9A-F]{32}\b|\bE?\d+\b", said)
    assert found is not None, said
    await machine.until(f"hems event list {OPERATOR}", "started", 120.0)


async def overlooked(machine: Machine) -> None:
    """Stop the hub's clock: the watchdog ends it, and it is started again."""
    before = await machine.shown("hems", "MainPID")
    await machine.run(f"kill -STOP {before}")
    await machine.until("systemctl show hems --value -p NRestarts", "1", WATCHDOG_S * 6)
    await machine.until("systemctl is-active hems", "active", 120.0)
    assert await machine.shown("hems", "MainPID") != before
    assert "watchdog" in (await machine.run("journalctl -u hems -o cat --no-pager")).lower()


async def refused_to_go_back(machine: Machine, debs: dict[str, Path], still: str) -> None:
    """Try to install a former version; hub and server are to stay what they were, as dpkg says."""
    files = " ".join(machine.put(each) for each in debs.values())
    refused = await machine.tell(f"dpkg -i {files} 2>&1")
    assert refused.code != 0
    assert "cannot read what a newer version has written" in refused.text
    for name in ("hems", "hems-headend"):
        stands = await machine.run(f"dpkg-query -W -f '${{db:Status-Abbrev}} ${{Version}}' {name}")
        assert stands == f"{still} {LATER}"


@pytest.mark.parametrize("suite", RELEASES)
async def test_from_the_package_to_an_answered_event_and_out_again(
    suite: str, tmp_path: Path
) -> None:
    debs = await built(suite, tmp_path)
    async with Machine(suite, tmp_path / "root") as machine:
        await machine.run(f"install -d -m 0700 /etc/credstore && {PLAIN_SECRET}")
        await installed(machine, debs)
        assert await machine.shown("hems", "ActiveState") == "active"
        assert re.fullmatch(r"\w{4}-\w{4}", (await machine.run("hems setup-code")).strip())
        assert '"kernel"' in await machine.until(TIME, "keepers", 60.0), "it may be asked"
        assert await machine.shown("hems-firewall", "ActiveState") == "inactive"
        await utility(machine)
        await house(machine)
        await enrolled(machine)
        await answered(machine)
        await machine.run("systemctl start hems-firewall && systemctl is-active hems-firewall")
        await machine.run("hems firewall show", "hems")
        await machine.run("systemctl reload hems")
        await overlooked(machine)

        newer = {n: await later(each, tmp_path) for n, each in debs.items()}
        await installed(machine, newer)
        await machine.until("hems status", "connected", 120.0)
        await refused_to_go_back(machine, debs, "ii ")
        assert await machine.shown("hems", "ActiveState") == "active"

        await machine.run("dpkg -r hems hems-headend hems-common 2>&1")
        assert "hems.db" in await machine.run("ls /var/lib/hems")
        assert (await machine.tell("ls -A /opt/hems")).text.startswith("ls: cannot access")
        await refused_to_go_back(machine, debs, "ic ")
        await machine.run("chown -R 4242:4242 /var/lib/hems")  # as copied from another machine
        await installed(machine, newer)
        await machine.until("hems status", "connected", 120.0)

        await machine.run("dpkg -r hems hems-headend hems-common 2>&1")
        await machine.run("dpkg -P hems hems-headend hems-common 2>&1")
        left = await machine.tell("ls -d /var/lib/hems* /etc/hems* /etc/default/hems* /opt/hems")
        assert set(re.findall(r"cannot access '([^']*)'", left.text)) == {
            "/var/lib/hems*",
            "/etc/hems*",
            "/etc/default/hems*",
            "/opt/hems",
        }
