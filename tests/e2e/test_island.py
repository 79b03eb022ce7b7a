"""The home without its grid, on the whole line: to an island and back, and what may go wrong."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from pydantic import BaseModel, ConfigDict

from hems.commands.scene import Scene
from hems.commands.stage import Stage
from tests.e2e.conftest import POLLED
from tests.e2e.rig import Home, Rig
from tests.waiting import until

pytestmark = [pytest.mark.timeout(240), pytest.mark.requirement("BUC-14")]

HOUSE = (
    *("--described", "tie,former", "--fixed-load", "1200", "--pv-w", "0", "--battery-soc", "0.7"),
    *("--ev-soc", "0.3", "--ev-max-a", "16", "--ev-arrive-hour", "7.5"),
    *("--tank-temp", "40", "--room-temp", "22"),
)
"""1.2 kW of its own, a car at 3.7 kW, hot water at 3 kW: more than an inverter of 5 kW carries."""
RATED_W = 5000.0
SOON_S = 45.0


def microgrid(permit: str = "outage", *more: str) -> Sequence[str]:
    """Return the section of a home that goes back to its grid soon."""
    return (
        "[microgrid]",
        f'permit = "{permit}"',
        'tie = "tie"',
        'forming = "battery"',
        'spacing = "2 s"',
        'delay = "8 s"',
        'ramp = "10 s"',
        'expected = "1 h"',
        *more,
    )


class Flow(BaseModel):
    """A part of the simulated home."""

    model_config = ConfigDict(extra="ignore")

    power_w: float


class House(BaseModel):
    """The simulated home, as it truly is."""

    model_config = ConfigDict(extra="ignore")

    bus: str
    tie_closed: bool
    voltage_v: float
    frequency_hz: float
    soc: float
    base: Flow
    battery: Flow
    ev: Flow
    water_heater: Flow
    heat_pump: Flow
    meter: Flow


class Faults(BaseModel):
    """What no hub may bring about, counted."""

    forming: bool
    trip: str
    backfeeds: int
    blackouts: int
    closings: list[float]


class Truth(BaseModel):
    """What the simulated home says of itself."""

    model_config = ConfigDict(extra="ignore")

    house: House
    island: Faults


class Street:
    """Hands on the street, and eyes on the home."""

    def __init__(self, rig: Rig, http: aiohttp.ClientSession) -> None:
        self.rig = rig
        self._http = http

    async def truth(self) -> Truth:
        """Return how the home truly is."""
        async with self._http.get(f"{self.rig.stage.control}/state") as response:
            return Truth.model_validate_json(await response.read())

    async def out(self, *, out: bool) -> None:
        """Take the street's voltage away, or give it back."""
        async with self._http.post(f"{self.rig.stage.control}/grid", json={"out": out}) as response:
            assert response.ok, await response.text()

    async def bus(self, bus: str, within_s: float = SOON_S) -> Truth:
        """Wait until the home is supplied so."""
        return await until(self.truth, lambda t: t.house.bus == bus, within_s, f"bus {bus}")

    async def alarm(self, part: str, within_s: float = SOON_S) -> Home:
        """Wait until the page says something."""
        return await until(
            self.rig.home,
            lambda home: any(part in alarm for alarm in home.alarms),
            within_s,
            f"the page says {part!r}",
        )


@asynccontextmanager
async def street(
    folder: Path, house: Sequence[str] = HOUSE, lines: Sequence[str] = ()
) -> AsyncIterator[Street]:
    """Return a home with a tie on a street, all parts of the line running."""
    scene = Scene(
        page_port=0, battery="hold", house=house, headend=POLLED, economy=lines or microgrid()
    )
    async with Rig(Stage(folder / "stage", scene)) as rig, aiohttp.ClientSession() as http:
        await until(
            rig.home,
            lambda home: home.net_w is not None and home.tile("battery").quality == "good",
            30.0,
            "all devices are read",
        )
        yield Street(rig, http)


async def settled(where: Street) -> Truth:
    """Wait until the island's inverter carries less than it is rated for, for some seconds."""
    low = 0
    for _ in range(60):
        truth = await where.truth()
        fine = truth.house.bus == "formed" and abs(truth.house.battery.power_w) <= RATED_W
        low = low + 1 if fine else 0
        if low >= 5:
            return truth
        await asyncio.sleep(1.0)
    raise AssertionError("the island did not settle")


async def test_an_outage_an_island_a_restart_and_back_in_step(tmp_path: Path) -> None:
    async with street(tmp_path) as where:
        await where.out(out=True)
        await where.bus("formed")
        home = await where.alarm("The home is an island")
        truth = await settled(where)
        assert not truth.house.tie_closed
        assert truth.house.base.power_w == pytest.approx(1200.0)
        truth = await until(
            where.truth, lambda t: t.house.ev.power_w > 1300, 60.0, "the car has what is left"
        )
        assert truth.house.water_heater.power_w == 0, "the least essential load does not fit"
        assert -truth.house.battery.power_w <= RATED_W
        assert home.net_w == 0.0
        assert 49.0 < truth.house.frequency_hz < 51.0

        await where.rig.stage.hub.kill()
        await asyncio.sleep(5.0)
        assert (await where.truth()).house.bus == "formed", "an island outlives its hub"
        await where.rig.stage.start_hub()
        await where.alarm("The home is an island")
        assert (await settled(where)).island.blackouts == 0

        await where.out(out=False)
        truth = await where.bus("grid", 90.0)
        assert truth.house.tie_closed
        await until(
            where.truth, lambda t: not t.island.forming, SOON_S, "the inverter follows again"
        )
        await until(
            where.rig.home,
            lambda home: not any("island" in a or "grid is back" in a for a in home.alarms),
            60.0,
            "all is as it was",
        )
        await until(
            where.truth, lambda t: t.house.water_heater.power_w > 0, 60.0, "hot water is back"
        )
        truth = await where.truth()
        assert truth.island.backfeeds == 0
        assert truth.island.blackouts == 0
        assert [abs(angle) <= 10.0 for angle in truth.island.closings] == [True]


@pytest.mark.deep
async def test_an_overload_is_dark_and_a_black_start_brings_it_back(tmp_path: Path) -> None:
    async with street(tmp_path) as where:
        await where.out(out=True)
        await where.bus("formed")
        await where.rig.load(11_000.0)  # far more than it bears for any time
        await where.bus("dead", 5.0)
        await where.alarm("The home is dark")
        await where.rig.load(800.0)
        truth = await where.bus("formed", 60.0)
        assert (truth.island.blackouts, truth.island.backfeeds) == (1, 0)
        assert truth.house.water_heater.power_w == 0, "loads get power one by one"
        await settled(where)
        await until(
            where.truth, lambda t: t.house.ev.power_w + t.house.water_heater.power_w > 0, 90.0, "on"
        )
        assert (await where.truth()).island.blackouts == 1


@pytest.mark.deep
async def test_without_a_permit_the_home_stays_dark_and_says_why(tmp_path: Path) -> None:
    async with street(tmp_path, lines=microgrid("none")) as where:
        await where.out(out=True)
        await where.alarm("no island is permitted")
        await asyncio.sleep(8.0)
        truth = await where.truth()
        assert (truth.house.bus, truth.house.tie_closed) == ("dead", True)
        writes = await where.rig.writes()
        assert not [w for w in writes if w.device == "tie" or w.what == "form"]
        await where.out(out=False)
        await where.bus("grid")
        await where.alarm("The grid is back")


# The rule is in tests/hems/microgrid; what is shown here once more is the inverter's own part.
@pytest.mark.deep
async def test_a_full_battery_holds_the_sun_back_and_keeps_the_island(tmp_path: Path) -> None:
    sunny = (
        *("--described", "tie,former", "--fixed-load", "400", "--pv-w", "3500"),
        *("--battery-soc", "0.995", "--ev-soc", "1", "--tank-temp", "60", "--room-temp", "23"),
    )
    async with street(tmp_path, house=sunny) as where:
        await where.out(out=True)
        await where.bus("formed")
        held = await until(
            where.truth,
            lambda t: t.house.bus == "formed" and abs(t.house.battery.power_w) < 400,
            60.0,
            "the sun gives what the home takes",
        )
        assert held.island.blackouts == 0
        await asyncio.sleep(10.0)
        truth = await where.truth()
        assert (truth.house.bus, truth.island.blackouts) == ("formed", 0)


# Who may order what is walked through in tests/hems/microgrid/test_island_states.py.
@pytest.mark.deep
async def test_a_tie_that_lies_is_not_obeyed_and_one_that_is_lost_neither(tmp_path: Path) -> None:
    async with street(tmp_path) as where:
        await where.rig.fault("tie", "off")
        await asyncio.sleep(3.0)
        await where.out(out=True)
        await asyncio.sleep(8.0)
        truth = await where.truth()
        assert (truth.house.bus, truth.house.tie_closed) == ("dead", True), "it cannot see the tie"
        assert not truth.island.forming
        await where.rig.fault("tie", "none")
        await where.bus("formed", 60.0)
        await where.rig.fault("tie", "off")
        await where.out(out=False)
        await asyncio.sleep(12.0)
        truth = await where.truth()
        assert truth.house.bus == "formed", "without the tie's word nothing is closed"
        await where.rig.fault("tie", "none")
        truth = await where.bus("grid", 90.0)
        assert [abs(angle) <= 10.0 for angle in truth.island.closings] == [True]
        assert truth.island.backfeeds == truth.island.blackouts == 0


# To an island and back is shown above; the utility's order, in tests/faults/test_disconnected.py.
@pytest.mark.deep
async def test_a_disconnection_by_the_utility_is_ridden_through_as_an_island(
    tmp_path: Path,
) -> None:
    async with street(tmp_path, lines=microgrid("scheduled")) as where:
        await until(
            where.rig.home, lambda home: home.utility.state == "connected", 20.0, "connected"
        )
        event = await where.rig.dispatch(connect=False, seconds=40)
        await where.bus("formed", 60.0)
        home = await where.alarm("asks the home to part from its grid")
        assert home.net_w == 0.0
        truth = await settled(where)
        assert truth.house.base.power_w == pytest.approx(1200.0), "the home goes on"
        truth = await where.bus("grid", 120.0)
        assert [abs(angle) <= 10.0 for angle in truth.island.closings] == [True]
        statuses = await where.rig.statuses(event.id)
        assert 2 in statuses
        assert 3 in statuses, "the event was carried through"


@pytest.mark.deep
async def test_the_owner_parts_the_home_softly_and_has_it_return(tmp_path: Path) -> None:
    async with street(tmp_path, lines=microgrid("scheduled", 'agreement = "IC-7"')) as where:
        await until(
            where.rig.home, lambda home: (home.net_w or 0.0) > 7000.0, 30.0, "car and hot water run"
        )
        told = await island_command(where, "leave")
        assert "scheduled (IC-7)" in told
        truth = await where.bus("formed", 90.0)
        assert truth.island.blackouts == 0
        trace = await where.rig.trace(0.0)
        dark = next(at for at, sample in enumerate(trace) if sample.frequency_hz == 0.0)
        flowed = [abs(sample.meter_w) for sample in trace[dark - 10 : dark]]
        assert max(flowed) <= 300.0, "next to nothing flowed in the second before the tie opened"
        await settled(where)
        told = await island_command(where, "return")
        assert "The home is an island" in told
        truth = await where.bus("grid", 90.0)
        assert [abs(angle) <= 10.0 for angle in truth.island.closings] == [True]
    async with street(tmp_path / "other", lines=microgrid("outage")) as where:
        assert "permits no island that is planned" in await island_command(where, "leave", code=1)
        assert "be dark for some seconds" in await island_command(where, "status")


async def island_command(where: Street, what: str, *, code: int = 0) -> str:
    """Return what the command says."""
    arguments = ("-m", "hems", "island", what, "--url", where.rig.stage.page)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == code, said.decode()
    return said.decode()
