"""The demo home as the use cases find it, and what one event's course on it is."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hems.commands.event import Event
from hems.commands.scene import Scene
from hems.commands.stage import Stage
from tests.benchmarks.programs_judge import Course
from tests.e2e.rig import Home, Part, Rig
from tests.waiting import until

SELDOM: Final = ("list_poll_s = 60", "time_poll_s = 60", "dcap_poll_s = 60", "post_rate_s = 5")
EVENING: Final = (
    *("--pv-w", "0", "--battery-soc", "0.7", "--battery-kwh", "10"),
    *("--ev-soc", "0.3", "--ev-max-a", "16", "--ev-arrive-hour", "7.5", "--ev-leave-hour", "7.5"),
    *("--tank-temp", "47", "--room-temp", "21"),
)
"""An evening with a house that is never still, a car, hot water and a heat pump."""
NOON: Final = (
    *("--start-hour", "12", "--pv-w", "3600", "--battery-soc", "0.5", "--battery-kwh", "10"),
    *("--ev-soc", "0.3", "--ev-arrive-hour", "18", "--ev-leave-hour", "7.5"),
    *("--tank-temp", "58", "--room-temp", "22", "--fixed-load", "400"),
)
"""A clear noon: the sun gives more than the house takes."""
COMFORT: Final[Mapping[str, tuple[float, float]]] = {
    "water_heater": (45.0, 65.0),
    "heat_pump": (19.0, 24.0),
}
"""Bounds of temperature in degC, as the hub is told them."""
AFTER_S: Final = 45.0


class _Tile(Part):
    id: str
    temp_c: float | None = None


class _Felt(Part):
    devices: list[_Tile]


@dataclass
class Bench:
    """One home on the stage; what is asked of it, and what it does then."""

    rig: Rig
    cold_s: float = 0.0
    _watching: asyncio.Task[None] | None = field(default=None)

    async def course(self, event: Event, *, after_s: float = AFTER_S) -> Course:
        """Wait for an event's end and the time after it; return what happened."""
        begin = max(event.accepted_at, float(event.start))
        return await self.between(begin, float(event.start + event.duration_s), after_s=after_s)

    async def between(self, begin: float, end: float, *, after_s: float = AFTER_S) -> Course:
        """Wait for the end of a time and what comes after; return what happened in it."""
        await asyncio.sleep(max(0.0, end + after_s - time.time()))
        trace = await self.rig.trace(begin - 60.0)
        writes = [w for w in await self.rig.writes() if w.at >= begin - 1.0]
        return Course(begin, end, trace, writes, self.cold_s)

    async def quiet(self, seconds: float) -> None:
        """Let time go by, so that there is a before."""
        await asyncio.sleep(seconds)

    async def watch(self) -> None:
        """Count the seconds in which a temperature is out of its bounds, until cancelled."""
        while True:
            felt = _Felt.model_validate_json(await self.rig.get_page("/api/home"))
            for tile in felt.devices:
                low, high = COMFORT.get(tile.id, (-100.0, 100.0))
                if tile.temp_c is not None and not low <= tile.temp_c <= high:
                    self.cold_s += 1.0
                    break
            await asyncio.sleep(1.0)


def scene(
    house: Sequence[str],
    *,
    battery: str = "self-consumption",
    utility: Sequence[str] = (),
    economy: Sequence[str] = (),
    headend: Sequence[str] = (),
    tables: Mapping[str, Sequence[str]] | None = None,
    seed: int = 1,
) -> Scene:
    """Return the stage of one use case."""
    felt = {
        name: (f"comfort_low = {low}", f"comfort_high = {high}")
        for name, (low, high) in COMFORT.items()
    }
    return Scene(
        page_port=0,
        battery=battery,
        house=house,
        headend=(*SELDOM, *headend),
        utility=utility,
        economy=economy,
        tables={**felt, **(tables or {})},
        seed=seed,
    )


@asynccontextmanager
async def at_home(folder: Path, played: Scene) -> AsyncIterator[Bench]:
    """Give a home that is connected, subscribed and at work."""
    async with Rig(Stage(folder, played)) as rig:
        await until(rig.home, _at_work, 40.0, "connected, all devices good")
        await until(
            lambda: rig.operator_get("/homes"), lambda text: b"derc" in text, 20.0, "subscribed"
        )
        bench = Bench(rig)
        watching = asyncio.create_task(bench.watch())
        try:
            yield bench
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching


def _at_work(home: Home) -> bool:
    return (
        home.utility.state == "connected"
        and home.net_w is not None
        and all(tile.quality == "good" for tile in home.devices)
    )
