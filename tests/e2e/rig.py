"""The whole line for a test: the demo's own stage, with hands and eyes on every part of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiohttp
from pydantic import BaseModel, ConfigDict, TypeAdapter

from hems.commands.event import Event
from hems.commands.stage import Stage


class Part(BaseModel):
    """JSON from outside, as far as tests look at it."""

    model_config = ConfigDict(extra="ignore")


class Tile(Part):
    """A device on the page."""

    id: str
    power_w: float | None
    soc: float | None
    quality: str
    setpoint_w: float | None
    reason: str
    error: str | None
    functions: list[str]
    wish_w: float | None = None


class Card(Part):
    """An event on the page."""

    id: str
    program: str
    title: str
    effect: str
    state: str
    opted_out: bool
    may_opt_out: bool
    note: str = ""
    consequence: str = ""


class Link(Part):
    """The utility on the page."""

    state: str
    detail: str


class Home(Part):
    """The page's snapshot."""

    at: float
    seq: int
    net_w: float | None
    limit_import_w: float | None
    devices: list[Tile]
    events: list[Card]
    utility: Link
    alarms: list[str]

    def tile(self, device: str) -> Tile:
        """Return a device's tile."""
        return next(t for t in self.devices if t.id == device)

    def card(self, event: str) -> Card | None:
        """Return an event's card."""
        return next((c for c in self.events if c.id == event), None)


class Trace(Part):
    """What the simulated meter truly sees, every 100 ms; see `der.sim.journal.Sample`."""

    at: float
    meter_w: float
    meter_var: float = 0.0
    voltage_v: float = 0.0
    frequency_hz: float = 0.0
    soc: float = 0.0


class Write(Part):
    """A write that a simulated device accepted."""

    number: int
    device: str
    at: float
    what: str
    values: str


SITE = "0003"
"""roleFlags of the connection point: mirror, premises' aggregation point."""
ALL_READINGS = 10_000
"""As many as the operator's door tells at once."""


class MirroredReading(Part):
    """A reading that the head-end holds."""

    description: str
    role: str
    start: int
    duration_s: int
    value: float


class Flow(Part):
    """What flows somewhere in truth: W and var, taken positive."""

    power_w: float
    reactive_var: float


class Truth(Part):
    """The simulated house, as it is."""

    meter: Flow
    pv: Flow
    voltage_v: float


class _State(Part):
    house: Truth


class _Readings(Part):
    readings: list[MirroredReading]


@dataclass
class Rig:
    """Hands and eyes on a running stage; an async context manager."""

    stage: Stage

    async def __aenter__(self) -> Self:
        await self.stage.__aenter__()
        bearer = {"Authorization": f"Bearer {self.stage.operator.token}"}
        self._operator = aiohttp.ClientSession(self.stage.operator.url, headers=bearer)
        self._http = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if hasattr(self, "_operator"):
            await self._operator.close()
            await self._http.close()
        await self.stage.close()
        if error is not None:
            for child in (self.stage.headend, self.stage.house, self.stage.hub):
                print(f"--- {child.name}\n{child.log_end(60)}")

    async def dispatch(self, **wish: object) -> Event:
        """Dispatch an event as the operator; the keys are the head-end's."""
        async with self._operator.post("/events", json=wish) as response:
            assert response.ok, await response.text()
            return Event.model_validate_json(await response.read())

    async def event(self, event: str) -> Event:
        """Return what the head-end knows of an event."""
        async with self._operator.get(f"/events/{event}") as response:
            return Event.model_validate_json(await response.read())

    async def cancel(self, event: str) -> None:
        """Cancel an event as the operator."""
        async with self._operator.post(f"/events/{event}/cancel", json={}) as response:
            assert response.ok, await response.text()

    async def operator_get(self, path: str) -> bytes:
        """Return an answer of the operator's door."""
        async with self._operator.get(path) as response:
            assert response.ok, await response.text()
            return await response.read()

    async def operator_post(self, path: str, order: Mapping[str, object]) -> bytes:
        """Ask something of the operator's door."""
        async with self._operator.post(path, json=order) as response:
            assert response.ok, await response.text()
            return await response.read()

    async def operator_delete(self, path: str) -> bytes:
        """Take something back at the operator's door."""
        async with self._operator.delete(path) as response:
            assert response.ok, await response.text()
            return await response.read()

    async def operator_put(self, path: str, order: Mapping[str, object]) -> bytes:
        """Set something at the operator's door."""
        async with self._operator.put(path, json=order) as response:
            assert response.ok, await response.text()
            return await response.read()

    async def readings(self, description: str) -> list[MirroredReading]:
        """Return the mirrored readings of one series of the connection point, oldest first."""
        found = _Readings.model_validate_json(
            await self.operator_get(f"/readings?limit={ALL_READINGS}")
        ).readings
        mine = [r for r in found if r.description == description and r.role == SITE]
        return sorted(mine, key=lambda reading: reading.start)

    async def statuses(self, event: str) -> list[int]:
        """Return the response codes that the head-end holds for an event, sorted."""
        homes = (await self.event(event)).homes
        return sorted(answer.status for home in homes for answer in home.responses)

    async def home(self) -> Home:
        """Return the page's snapshot."""
        async with self._http.get(f"{self.stage.page}/api/home") as response:
            return Home.model_validate_json(await response.read())

    async def post_page(self, path: str, order: Mapping[str, object] | None = None) -> int:
        """Post to the page's API as the page itself would; returns the status."""
        headers = {"Origin": self.stage.page, "Sec-Fetch-Site": "same-origin"}
        url = f"{self.stage.page}{path}"
        async with self._http.post(url, headers=headers, json=order) as response:
            return response.status

    async def delete_page(self, path: str) -> int:
        """Take something back by the page's API; returns the status."""
        headers = {"Origin": self.stage.page, "Sec-Fetch-Site": "same-origin"}
        async with self._http.delete(f"{self.stage.page}{path}", headers=headers) as response:
            return response.status

    async def get_page(self, path: str) -> bytes:
        """Return an answer of the page's API; empty where it has none."""
        async with self._http.get(f"{self.stage.page}{path}") as response:
            assert response.ok, await response.text()
            return await response.read()

    async def trace(self, since: float) -> list[Trace]:
        """Return the true meter power since a UTC time."""
        url = f"{self.stage.control}/trace"
        async with self._http.get(url, params={"since": str(since)}) as response:
            return TypeAdapter(list[Trace]).validate_json(await response.read())

    async def writes(self, after: int = 0) -> list[Write]:
        """Return the writes that devices accepted, numbered above `after`."""
        url = f"{self.stage.control}/writes"
        async with self._http.get(url, params={"after": str(after)}) as response:
            return TypeAdapter(list[Write]).validate_json(await response.read())

    async def truth(self) -> Truth:
        """Return what flows at the connection point in truth."""
        async with self._http.get(f"{self.stage.control}/state") as response:
            return _State.model_validate_json(await response.read()).house

    async def feeder(self, voltage_v: float, reactance_ohm: float = 0.8) -> None:
        """Hold the street's voltage, behind a line over which reactive power moves the home's."""
        order = {"feeder_v": voltage_v, "reactance_ohm": reactance_ohm}
        async with self._http.post(f"{self.stage.control}/load", json=order) as response:
            assert response.ok, await response.text()

    async def load(self, base_w: float) -> None:
        """Hold the house's uncontrolled load."""
        async with self._http.post(
            f"{self.stage.control}/load", json={"base_w": base_w}
        ) as response:
            assert response.ok, await response.text()

    async def fault(self, device: str, fault: str, seconds: float = 0.0) -> None:
        """Make a device misbehave on its real socket."""
        order = {"device": device, "fault": fault, "seconds": seconds}
        async with self._http.post(f"{self.stage.control}/fault", json=order) as response:
            assert response.ok, await response.text()
