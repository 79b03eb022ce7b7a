"""The whole home against the scripted utility: hub and simulated devices, each a process."""

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import aiohttp

from certs.identity import sfdi
from certs.pki import Pki
from certs.tls import client_context, server_context
from hems.commands.scene import Scene
from hems.commands.stage import START_WITHIN_S, HouseReady, Stage, free_port
from tests.conformance.scenario import Profile
from tests.e2e.rig import Home as Page
from tests.e2e.rig import Part
from tests.interop.grid.notify import notify
from tests.interop.grid.server import Grid, serving
from tests.interop.grid.tree import CAPABILITY
from tests.interop.lone import PIN
from tests.interop.utility_process import lfdi_of
from tests.waiting import until

EVENING: Final = (
    *("--fixed-load", "3000", "--pv-w", "0", "--battery-soc", "0.8"),
    *("--ev-soc", "0.2", "--ev-max-a", "16", "--ev-arrive-hour", "7.5"),
    *("--tank-temp", "40", "--room-temp", "22"),
)
"""3 kW that nobody controls, a car at 3.7 kW, hot water at 3 kW, a battery to help out."""
NOON: Final = (
    *("--fixed-load", "300", "--pv-w", "3500", "--battery-soc", "1.0"),
    *("--ev-soc", "1.0", "--tank-temp", "60", "--room-temp", "22"),
)
"""A sunny house with nothing left to fill: it feeds 3.2 kW into the grid."""
QUICK: Final = (
    'poll_least = "0.2 s"',
    'comms_loss = "6 s"',
    'connection_point = "4102001234"',
)
"""Settings of the hub: as quick as tests want, and where it is connected."""
SAMPLE_S: Final = 0.25
STEADY_S: Final = 1.0
"""How long powers must be as wanted before that counts as settled."""


class _Flow(Part):
    power_w: float


class _House(Part):
    pv: _Flow
    battery: _Flow
    ev: _Flow
    water_heater: _Flow
    heat_pump: _Flow
    meter: _Flow


class _State(Part):
    at: float
    house: _House


@dataclass(frozen=True, slots=True)
class PowerSample:
    """True powers in W, consumption positive, at a time in UTC epoch s."""

    at: float
    meter_w: float
    pv_w: float
    battery_w: float
    ev_w: float
    water_heater_w: float
    heat_pump_w: float

    @property
    def generation_w(self) -> float:
        """What PV and battery give, positive."""
        return max(0.0, -self.pv_w) + max(0.0, -self.battery_w)

    @property
    def load_w(self) -> float:
        """What all but PV and battery consume."""
        return self.meter_w - self.pv_w - self.battery_w


class GridStage(Stage):
    """The demo's stage with another utility: hub and house alone are its processes."""

    async def open(self) -> None:
        """Start house and hub; `dcap` and the PKI in the folder must be there."""
        for name in ("house", "hub"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
            (self.folder / name).mkdir(parents=True)
        ocpp_port = free_port()
        await self._start_house(ocpp_port)
        house = HouseReady.model_validate(await self.house.wait_ready(START_WITHIN_S))
        self.control = f"http://{house.control.host}:{house.control.port}"
        self._write_hub_config(Pki(self.folder / "pki"), house.ports(), ocpp_port)
        await self.start_hub()


@dataclass(repr=False)
class Home:
    """A running home and its utility.

    Attributes:
        grid: The utility.
        stage: Hub and house.
        samples: What the devices drew since the start.
    """

    grid: Grid
    stage: GridStage
    pki: Pki
    samples: list[PowerSample] = field(default_factory=list)
    _http: aiohttp.ClientSession = field(init=False)

    async def page(self) -> Page:
        """Return what the owner's page shows."""
        async with self._http.get(f"{self.stage.page}/api/home") as answer:
            return Page.model_validate_json(await answer.read())

    async def load(self, **held_w: float | None) -> None:
        """Hold base_w and pv_w of the house; None frees one."""
        async with self._http.post(f"{self.stage.control}/load", json=held_w) as answer:
            assert answer.ok, await answer.text()

    async def fault(self, device: str, fault: str, seconds: float = 0.0) -> None:
        """Make a device misbehave on its real socket."""
        order = {"device": device, "fault": fault, "seconds": seconds}
        async with self._http.post(f"{self.stage.control}/fault", json=order) as answer:
            assert answer.ok, await answer.text()

    async def power(self) -> PowerSample:
        """Return the true powers now."""
        async with self._http.get(f"{self.stage.control}/state") as answer:
            state = _State.model_validate_json(await answer.read())
        house = state.house
        return PowerSample(
            state.at,
            house.meter.power_w,
            house.pv.power_w,
            house.battery.power_w,
            house.ev.power_w,
            house.water_heater.power_w,
            house.heat_pump.power_w,
        )

    async def comes_to(
        self, good: Callable[[PowerSample], bool], what: str, within_s: float = 5.0
    ) -> PowerSample:
        """Wait until the devices' true powers are as wanted, and are so for a second."""
        begin = time.time()

        async def look() -> Sequence[PowerSample]:
            return [s for s in self.samples if s.at >= max(begin, time.time() - STEADY_S)]

        def steady(seen: Sequence[PowerSample]) -> bool:
            return time.time() >= begin + STEADY_S and bool(seen) and all(map(good, seen))

        seen = await until(look, steady, within_s + STEADY_S, what)
        return seen[-1]

    async def holds(
        self, good: Callable[[PowerSample], bool], until_at: float, what: str
    ) -> Sequence[PowerSample]:
        """Watch that the powers stay as wanted until a time; return what was seen."""
        begin = time.time()
        await asyncio.sleep(max(0.0, until_at - begin))
        seen = [s for s in self.samples if begin <= s.at < until_at]
        wrong = [s for s in seen if not good(s)]
        assert seen, "nothing was sampled"
        assert not wrong, f"{what}: {len(wrong)} of {len(seen)} samples, first {wrong[0]}"
        return seen

    async def tell(self, path: str, **how: int | bool) -> int:
        """Notify the hub of a resource that it subscribed to."""
        tls = client_context(self.pki.identity("utility"), self.pki.trust)
        return await notify(self.grid, path, tls, **how)  # type: ignore[arg-type]

    async def connected(self) -> Page:
        """Wait until the hub keeps contact and reads all its devices."""
        return await until(
            self.page,
            lambda page: (
                page.utility.state == "connected"
                and all(tile.quality == "good" for tile in page.devices)
            ),
            30.0,
            "connected and all devices good",
        )

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession()
        self._watch = asyncio.create_task(self._sample())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._watch
        await self._http.close()

    async def _sample(self) -> None:
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                self.samples.append(await self.power())
            await asyncio.sleep(SAMPLE_S)


def _share(pki: Pki, folder: Path) -> None:
    """Let a stage find its PKI where it looks for it."""
    folder.mkdir(parents=True)
    (folder / "pki").symlink_to(pki.folder)


@asynccontextmanager
async def living(
    folder: Path,
    pki: Pki,
    profile: Profile,
    house: tuple[str, ...],
    utility: tuple[str, ...] = (),
) -> AsyncIterator[Home]:
    """Run a home against a utility of its own for as long as the context lasts."""
    lfdi = lfdi_of(pki, "hub")
    grid = Grid(lfdi, sfdi(lfdi), PIN)
    grid.home.post_s = 2
    grid.mirror_post_s = 2
    scene = Scene(
        page_port=0,
        battery="hold",
        house=house,
        utility=(*QUICK, *utility),
        edition=profile.edition,
    )
    _share(pki, folder)
    async with AsyncExitStack() as stack:
        tls = server_context(pki.identity("utility"), pki.trust)
        await stack.enter_async_context(serving(grid, tls))
        stage = GridStage(folder, scene)
        stage.dcap = grid.base + CAPABILITY
        await stack.enter_async_context(stage)
        home = await stack.enter_async_context(Home(grid, stage, pki))
        await home.connected()
        yield home
