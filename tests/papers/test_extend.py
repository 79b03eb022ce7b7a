"""The worked examples of "Add a device" and "Add a programme" do what they say, as they stand."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from der.addresses import MappedAddress, ModbusAddress
from der.model import DeviceKind, Expiry, Setpoint
from der.registry import build
from der.service import Mode
from tests.der.described import described
from tests.papers.blocks import DOCS, blocks
from tests.traceability import ROOT
from tests.waiting import until

DEVICE = DOCS / "extend" / "device.md"
PROGRAMME = DOCS / "extend" / "programme.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the files of the example of a device."""
    (description,) = blocks(DEVICE, "toml")
    (stand_in,) = blocks(DEVICE, "python")
    (tmp_path / "boiler-box.toml").write_text(description.text)
    (tmp_path / "boiler_box.py").write_text(stand_in.text)
    (tmp_path / "hems.toml").touch()
    return tmp_path


def _environment(*folders: Path) -> Mapping[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (*folders, ROOT)))}


@asynccontextmanager
async def _box(folder: Path) -> AsyncIterator[int]:
    """Run the example's stand-in; yields its port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "boiler_box.py",
        "0",
        cwd=folder,
        env=_environment(),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        said = (await process.stdout.readline()).decode()
        yield int(said.removeprefix("port "))
    finally:
        process.kill()
        await process.wait()


async def test_the_described_device_is_read_obeys_and_lapses(folder: Path) -> None:
    async with _box(folder) as port:
        at = MappedAddress(ModbusAddress("127.0.0.1", port), str(folder / "boiler-box.toml"))
        what = described("boiler", DeviceKind.WATER_HEATER, "modbus", at, 2000.0)
        home = build([what], now=time.time)
        await home.start()
        try:
            handle = await home.devices["boiler"].open(Mode.READ_WRITE)
            reading = await handle.read()
            assert (reading.power_w, reading.temp_c, reading.limit_w) == (2000.0, 52.5, None)
            assert handle.safeguard.expiry is Expiry.AUTO_OFF
            await handle.write(Setpoint(0.0, lapse_s=5.0))
            assert (await handle.read()).power_w == 0.0

            why = "nobody tells it anything, and its own time has run out"
            await until(handle.read, lambda seen: seen.power_w == 2000.0, 60.0, why)
            await handle.close()
        finally:
            await home.stop()


async def test_the_commands_of_the_page_add_and_show_it(folder: Path) -> None:
    told = next(each.text for each in blocks(DEVICE, "") if each.text.startswith("hems device add"))
    async with _box(folder) as port:
        script = re.sub(r"^hems ", f"{sys.executable} -m hems ", told, flags=re.MULTILINE)
        script = script.replace("--port 5020", f"--port {port}")
        process = await asyncio.create_subprocess_exec(
            *("bash", "-e", "-c", script),
            cwd=folder,
            env=_environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said = (await process.communicate())[0].decode()
    assert process.returncode == 0, said
    assert "the boiler may run by its own thermostat" in said
    assert 'map = "boiler-box.toml"' in (folder / "devices.toml").read_text()


def test_the_programme_of_the_page_works_in_a_copy_of_the_programmes(tmp_path: Path) -> None:
    rule, imports, field, test = (each.text for each in blocks(PROGRAMME, "python"))
    (row,) = (each.text for each in blocks(PROGRAMME, ""))
    copy = tmp_path / "programs"
    shutil.copytree(ROOT / "programs", copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "quiet_hours.py").write_text(rule)
    registry = (copy / "registry.py").read_text()
    for place, more in (
        ("\n\n@dataclass(frozen=True, slots=True)\nclass Policies", f"{imports}\n\n"),
        ("    left: frozenset[str] = frozenset()\n", field),
        (')\n"""In order of what they are about', row),
    ):
        assert registry.count(place) == 1
        registry = registry.replace(place, more + place.lstrip("\n"))
    (copy / "registry.py").write_text(registry)
    (tmp_path / "test_quiet_hours.py").write_text(test)

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode"]
    ran = _run(tmp_path, *command, "importlib", "-c", os.devnull, "--rootdir", ".")
    assert ran.returncode == 0, ran.stdout
    assert "6 passed" in ran.stdout
    page = _run(tmp_path, sys.executable, "-m", "programs.page")
    assert "### Quiet hours (`quiet-hours`)" in page.stdout


def _run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=_environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )
