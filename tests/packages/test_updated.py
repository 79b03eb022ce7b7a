"""The hub's software updated on a machine of its own, by its units in their sandbox; and back.

The next version is a real one: this wheel under another number, with all parts of the lock file.
"""

import asyncio
import base64
import hashlib
import os
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Final

import pytest

from hems.cli import main
from hems.headend.firmware.repository import FirmwareRepository
from tests.hems.software import mini
from tests.packages.machine import Machine
from tests.packages.test_life import built, house, installed
from tests.supply.parts import ROOT

pytestmark = [
    pytest.mark.deep,
    pytest.mark.timeout(5400),
    pytest.mark.requirement("LC-PATCH"),
    pytest.mark.skipif(os.geteuid() != 0, reason="a clean root can be made by root only"),
    pytest.mark.skipif(
        sys.version_info[:2] != (3, 11), reason="the parts are fetched for Debian 12's Python 3.11"
    ),
]

SETTINGS: Final = """
[firmware]
folder = "/srv/lists/repository"
root = "/srv/lists/root.json"
[updates]
window = "00:00-00:00"
"""
STATUS: Final = "hems update status"
INSTALL: Final = "hems update install --home /var/lib/hems --now"
STARTED_S: Final = 600.0
"""A minute until the hub looks, and its start."""
PROVED_S: Final = 1200.0
ENDS: Final = "import sys\n\ndef main():\n    print('{version}', *sys.argv[1:])\n    return 0\n"
"""A version that can be loaded, and reads a home; run, it ends at once."""


def _renumbered(wheel: Path, version: str, folder: Path) -> Path:
    """Return the same wheel under another version."""
    old = wheel.name.split("-")[1]
    made = folder / wheel.name.replace(f"-{old}-", f"-{version}-")
    former, following = f"hems-{old}.dist-info/", f"hems-{version}.dist-info/"
    record, lines = f"{following}RECORD", list[str]()
    with zipfile.ZipFile(wheel) as given, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as out:
        for each in given.infolist():
            name, octets = each.filename.replace(former, following), given.read(each)
            if name == record:
                continue
            if name == f"{following}METADATA":
                was, now = f"Version: {old}\n", f"Version: {version}\n"
                octets = octets.replace(was.encode(), now.encode())
            out.writestr(name, octets)
            digest = base64.urlsafe_b64encode(hashlib.sha256(octets).digest()).rstrip(b"=").decode()
            lines.append(f"{name},sha256={digest},{len(octets)}\n")
        out.writestr(record, "".join(lines) + f"{record},,\n")
    return made


async def _parts(folder: Path) -> None:
    """Fetch the wheel of each part of the lock file."""
    lock = folder / "runtime.lock"
    with lock.open("wb") as file:
        listing = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.supply.runtime", "headend", "pkcs11"), stdout=file
        )
        assert await listing.wait() == 0
    fetching = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--require-hashes"),
        *("-r", lock, "-w", folder),
    )
    assert await fetching.wait() == 0
    shutil.copy(mini.pip_wheel(), folder)


class Vendor:
    """Vendor and service provider, and where a machine finds their lists."""

    def __init__(self, folder: Path, machine: Machine) -> None:
        self._folder = folder
        self._there = machine.root / "srv/lists"
        self._repository = FirmwareRepository(folder / "lists")
        self._repository.make(root_keys=2, threshold=2)
        self._repository.add_vendor("hems", None)

    async def offer(self, version: str, wheels: Path) -> None:
        """Have both sign a version, and lay the lists down on the machine."""
        archive = self._folder / f"hems-{version}.tar"
        words = ("--version", version, "--least", "0.1.0", "--out", str(archive))
        assert await asyncio.to_thread(main, ["update", "pack", str(wheels), *words]) == 0
        where = ("--file", str(archive), "--folder", str(self._folder / "lists"))
        offer = ["headend", "firmware", "offer", "hems", version, *where]
        assert await asyncio.to_thread(main, offer) == 0
        self._repository.approve("hems")
        self._repository.publish()
        shutil.rmtree(self._there, ignore_errors=True)
        shutil.copytree(self._folder / "lists" / "repository", self._there / "repository")
        shutil.copy(self._repository.root_file, self._there / "root.json")
        for each in (self._there, *self._there.rglob("*")):
            each.chmod(0o755 if each.is_dir() else 0o644)


async def _runs_on_the_first_side(machine: Machine) -> None:
    process = await machine.shown("hems", "MainPID")
    assert "/var/lib/hems-software/a/" in await machine.run(f"cat /proc/{process}/cmdline")


async def test_a_version_is_kept_and_the_next_one_taken_back(tmp_path: Path) -> None:
    debs = await built("bookworm", tmp_path)
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    await _parts(wheels)
    (own,) = (ROOT / os.environ.get("HEMS_DEBS", "dist")).absolute().glob("hems-*.whl")
    _renumbered(own, "0.2.0", wheels)
    async with Machine("bookworm", tmp_path / "root") as machine:
        await installed(machine, debs)
        await house(machine)
        vendor = Vendor(tmp_path, machine)
        await vendor.offer("0.2.0", wheels)
        await machine.run("hems update trust /srv/lists/root.json --sides /var/lib/hems-software")
        with (machine.root / "var/lib/hems/hems.toml").open("a", encoding="utf-8") as file:
            file.write(SETTINGS)
        assert "0.2.0 is installed beside 0.1.0" in await machine.run(INSTALL, "hems")
        await machine.until(STATUS, "on trial", STARTED_S)
        await machine.until(STATUS, "before    0.1.0", PROVED_S)
        assert "runs      0.2.0" in await machine.run(STATUS)
        assert await machine.shown("hems", "ActiveState") == "active"
        await _runs_on_the_first_side(machine)

        bad = tmp_path / "bad"
        bad.mkdir()
        mini.wheel(bad, "0.3.0", main=ENDS)
        shutil.copy(mini.pip_wheel(), bad)
        await vendor.offer("0.3.0", bad)
        assert "0.3.0 is installed beside 0.2.0" in await machine.run(INSTALL, "hems")
        told = await machine.until(STATUS, "failed    0.3.0", STARTED_S)
        assert "runs      0.2.0" in told
        await machine.until("systemctl is-active hems", "active", 120.0)
        await _runs_on_the_first_side(machine)
        assert "taken back" in await machine.run("journalctl -u hems -o cat --no-pager")
