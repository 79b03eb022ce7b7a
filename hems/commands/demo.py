"""`hems demo`: the main job on this machine, until Ctrl-C."""

import asyncio
import signal
from pathlib import Path
from typing import Final

from certs.errors import CertificateError
from hems.commands.child import ChildError
from hems.commands.folder import FolderError, claimed
from hems.commands.output import fail
from hems.commands.scene import Scene
from hems.commands.stage import Stage

_TARIFF: Final = (
    "[tariff]",
    'currency = "EUR"',
    'carbon = "380 g/kWh"',
    "[tariff.import]",
    'price = "0.31/kWh"',
    "[[tariff.import.window]]",
    'price = "0.22/kWh"',
    'begins = "22:00"',
    'ends = "06:00"',
    "[[tariff.import.window]]",
    'price = "0.46/kWh"',
    'begins = "17:00"',
    'ends = "21:00"',
    "[tariff.export]",
    'price = "0.08/kWh"',
)
_HOUSE: Final = ("--pv-style", "full")
"""The solar inverter carries the grid's functions: volt-var, volt-watt, frequency and the rest."""
_NEEDS: Final = {
    "battery": ("[device.storage]", 'wear = "0.02/kWh"'),
    "ev": ("[device.car]", 'ready_by = "07:00"', 'energy = "15 kWh"'),
    "water_heater": (
        "comfort_low = 42.0",
        "comfort_high = 62.0",
        "[device.heat]",
        'volume = "200 l"',
        'loss = "2 W"',
        "surroundings = 18.0",
        'draw = "5 kWh"',
    ),
}
"""What there is to plan for in the demo home."""


def demo(folder: Path, *, port: int, speed: float, seed: int) -> int:
    """Run the demo; returns the exit code.

    Args:
        folder: Where its keys, databases and logs go.
        port: The page's port; another is taken if it is in use.
        speed: How much faster the house lives than the wall clock.
        seed: Of the house's kettles and clouds.
    """
    scene = Scene(
        page_port=port,
        speed=speed,
        seed=seed,
        house=_HOUSE,
        economy=_TARIFF,
        tables=_NEEDS,
        agent=True,
        required=False,  # who tries out a change of the code is told so, and sees the home go on
    )
    try:
        with claimed(folder):
            return asyncio.run(_play(Stage(folder, scene)))
    except (FolderError, ChildError, CertificateError) as error:
        return fail(str(error))


async def _play(stage: Stage) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stopped.set)
    print("Starting a utility, a simulated house and its controller ...", flush=True)
    opening = asyncio.create_task(stage.open())
    waiting = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait({opening, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if stopped.is_set():
            return 0
        await opening
        _introduce(stage)
        return await _until_stopped(stage, waiting)
    finally:
        opening.cancel()
        waiting.cancel()
        await asyncio.wait({opening, waiting})
        print("\nStopping ...", flush=True)
        await stage.close()


async def _until_stopped(stage: Stage, waiting: "asyncio.Task[bool]") -> int:
    children = {
        asyncio.create_task(child.wait()): child
        for child in (stage.headend, stage.house, stage.hub)
    }
    done, pending = await asyncio.wait({waiting, *children}, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task, child in children.items():
        if task in done:
            return fail(f"{child.name} ended by itself:\n{child.log_end()}")
    return 0


def _introduce(stage: Stage) -> None:
    print(
        f"""
The home's page:  {stage.page}

Ask the home for something, as its utility (in another terminal, from this folder):
  .venv/bin/hems event --limit-import 1500W --minutes 10     at most 1.5 kW from the grid
  .venv/bin/hems event --shed 2kW --minutes 5                emergency: 2 kW less than now
  .venv/bin/hems event --reduce-energy 500Wh --minutes 15    so much less energy
  .venv/bin/hems event list                                  what the home answered
  .venv/bin/hems event cancel ID

Ask the home itself what it is going to do, and tell it what you want:
  .venv/bin/hems plan --url {stage.page}
  .venv/bin/hems car ev --mode now --url {stage.page}
  .venv/bin/hems money --url {stage.page}

Dispatch it from the utility's console, {stage.operator.url}/console/, once you have an account:
  .venv/bin/hems headend operator add Ada --role dispatcher --role engineer --role auditor

Logs are in {stage.folder}. Ctrl-C stops it all.""",
        flush=True,
    )
