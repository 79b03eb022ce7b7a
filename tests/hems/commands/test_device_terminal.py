"""`hems device` at a real terminal: the bar moves and goes, the questions are asked."""

import asyncio
import os
import pty
import sys
from pathlib import Path

import pytest

from der.sim.options import Options
from der.sim.runner import SimulatedHome
from hems.settings.devices_file import tables

ANSWERS = {
    "Most power it can take": "3 kW",
    "Phases of the home": "B",
    "Comfort": "45..60",
    "Essentiality": "2",
    "Whose is it": "",
}


async def at_terminal(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run `hems device ...` at a terminal and answer what it asks; returns code and screen."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hems", "device", *arguments),
        *("--config", str(folder / "hems.toml")),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.getcwd()},  # noqa: PTH109 - the checkout's
    )
    os.close(theirs)
    screen, answered = "", 0
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(90):
        while data := await loop.run_in_executor(None, read, ours):
            screen += data
            for question, answer in ANSWERS.items():
                if question in screen[answered:] and screen.endswith(": "):
                    answered = len(screen)
                    os.write(ours, f"{answer}\n".encode())
        code = await process.wait()
    os.close(ours)
    return code, screen


def read(number: int) -> str:
    try:
        return os.read(number, 4096).decode(errors="replace")
    except OSError:  # the other end is gone
        return ""


@pytest.mark.requirement("LC-COMMISSION")
async def test_a_device_is_asked_about_once_and_kept(tmp_path: Path) -> None:
    (tmp_path / "hems.toml").write_text("[home]\nphases = 3\n[web]\nport = 1\n")
    async with SimulatedHome(Options(ocpp="", tank_temp=40)) as home:
        port = home.devices.servers["water_heater"].port
        code, screen = await at_terminal(
            tmp_path,
            *("add", "Hot water", "--kind", "water_heater", "--driver", "modbus"),
            *("--host", "127.0.0.1", "--port", str(port), "--map", "relay-board", "--move", "1s"),
        )
    assert code == 0, screen
    (table,) = tables(tmp_path / "devices.toml")
    assert table == {
        "id": "hot_water",
        "name": "Hot water",
        "kind": "water_heater",
        "driver": "modbus",
        "host": "127.0.0.1",
        "map": "relay-board",
        "port": port,
        "max": "3000 W",
        "connected_to": ["B"],
        "comfort_low": 45.0,
        "comfort_high": 60.0,
        "essentiality": 2,
        "ownership": "owner",
    }
    assert "\x1b[K" in screen, "the bar is wiped away"
    assert "be off" in screen, "it says what it is doing"


async def test_a_scan_shows_how_far_it_is(tmp_path: Path) -> None:
    (tmp_path / "hems.toml").write_text("[web]\nport = 1\n[ocpp]\nport = 0\n")
    async with SimulatedHome(Options(ocpp="")) as home:
        port = home.devices.servers["meter"].port
        code, screen = await at_terminal(
            tmp_path, "scan", "--at", f"127.0.0.1:{port}", "--listen", "1s"
        )
    assert code == 0, screen
    assert "found, looking: " in screen
    assert "SIM-METER-1" in screen.rpartition("\x1b[K")[2], "the result stands below the bar"
