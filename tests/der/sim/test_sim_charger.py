"""The simulated charger over a real WebSocket, against a small central system that stands here."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

import pytest
from aiohttp import WSMsgType, web
from ocpp import routing
from ocpp.exceptions import OCPPError
from ocpp.v16 import ChargePoint, call, call_result

from der.sim.faults import FaultKind
from der.sim.options import Options
from der.sim.runner import SimulatedHome

Eventually = Callable[..., Awaitable[None]]

Handler = TypeVar("Handler", bound=Callable[..., Any])
on = cast("Callable[[str], Callable[[Handler], Handler]]", routing.on)


class Gone(Exception):  # noqa: N818 - an ending, not an error
    """The charger's connection has ended."""


class Socket:
    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self.bad: list[str] = []

    async def recv(self) -> str:
        while True:
            message = await self._socket.receive()
            if message.type is not WSMsgType.TEXT:
                raise Gone
            text = str(message.data)
            if text.startswith("["):
                return text
            self.bad.append(text)

    async def send(self, message: str) -> None:
        await self._socket.send_str(message)


class CentralSystem(ChargePoint):  # type: ignore[misc] # the library has no types
    """The hub's end of one connection."""

    def __init__(self, told: "Told", socket: Socket) -> None:
        super().__init__("ev", socket, response_timeout=2)
        self.socket = socket
        self._told = told

    @on("BootNotification")
    def boot(self, **_: object) -> object:
        self._told.counts["boot"] += 1
        now = "2026-01-01T00:00:00Z"
        return call_result.BootNotification(current_time=now, interval=60, status="Accepted")

    @on("StatusNotification")
    def status(self, status: str, **_: object) -> object:
        self._told.statuses.append(status)
        return call_result.StatusNotification()

    @on("StartTransaction")
    def start_transaction(self, meter_start: int, **_: object) -> object:
        self._told.counts["start"] += 1
        self._told.meter_start = meter_start
        return call_result.StartTransaction(
            transaction_id=40 + self._told.counts["start"],
            id_tag_info={"status": self._told.authorisation},
        )

    @on("StopTransaction")
    def stop_transaction(self, reason: str, **_: object) -> object:
        self._told.counts["stop"] += 1
        self._told.reasons.append(reason)
        return call_result.StopTransaction()

    @on("MeterValues")
    def meter_values(
        self, meter_value: list[dict[str, Any]], transaction_id: int | None = None, **_: object
    ) -> object:
        sampled = meter_value[0]["sampled_value"]
        values = {item["measurand"]: float(item["value"]) for item in sampled}
        self._told.values.append(values)
        self._told.contexts.append(sampled[0]["context"])
        self._told.transaction = transaction_id
        return call_result.MeterValues()

    @on("Heartbeat")
    def heartbeat(self) -> object:
        self._told.counts["heartbeat"] += 1
        return call_result.Heartbeat(current_time="2026-01-01T00:00:00Z")

    async def ask(self, name: str, **arguments: object) -> Any:
        return await self.call(getattr(call, name)(**arguments), suppress=False)

    async def limit(
        self,
        value: float,
        *,
        purpose: str = "TxDefaultProfile",
        unit: str = "W",
        **schedule: object,
    ) -> str:
        answer = await self.ask(
            "SetChargingProfile",
            connector_id=1,
            cs_charging_profiles={
                "charging_profile_id": 1,
                "stack_level": 0,
                "charging_profile_purpose": purpose,
                "charging_profile_kind": "Relative",
                "charging_schedule": {
                    "charging_rate_unit": unit,
                    "charging_schedule_period": [{"start_period": 0, "limit": value}],
                    **schedule,
                },
            },
        )
        return str(answer.status)


class Told:
    """What the charger has told, and its present connection."""

    def __init__(self) -> None:
        self.authorisation = "Accepted"
        self.counts: Counter[str] = Counter()
        self.statuses: list[str] = []
        self.reasons: list[str] = []
        self.values: list[dict[str, float]] = []
        self.contexts: list[str] = []
        self.transaction: int | None = None
        self.meter_start = -1
        self.port = 0
        self.system: CentralSystem | None = None

    @property
    def hub(self) -> CentralSystem:
        assert self.system is not None
        return self.system

    @property
    def power_w(self) -> float:
        return self.values[-1]["Power.Active.Import"] if self.values else -1.0


@asynccontextmanager
async def serving(told: Told) -> AsyncIterator[None]:
    """Serve on `told.port`, on any free one at first."""
    sockets: list[web.WebSocketResponse] = []

    async def connected(request: web.Request) -> web.WebSocketResponse:
        response = web.WebSocketResponse(protocols=("ocpp1.6",))
        await response.prepare(request)
        sockets.append(response)
        told.system = CentralSystem(told, Socket(response))
        try:
            await told.system.start()
        except Gone:
            told.system = None
        return response

    app = web.Application()
    app.router.add_get("/ocpp/ev", connected)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", told.port).start()
    told.port = runner.addresses[0][1]
    try:
        yield
    finally:
        await asyncio.gather(*(socket.close() for socket in sockets))
        await runner.cleanup()


@pytest.fixture
async def told() -> AsyncIterator[Told]:
    told = Told()
    async with serving(told):
        yield told


@pytest.fixture
async def home(told: Told, eventually: Eventually) -> AsyncIterator[SimulatedHome]:
    """A home whose car charges at full power."""
    async with SimulatedHome(options(told)) as home:
        await eventually(lambda: told.power_w == 7360)
        yield home


def options(told: Told, **more: object) -> Options:
    url = f"ws://127.0.0.1:{told.port}/ocpp/ev"
    return Options.model_validate({"ocpp": url, "fixed_load": 500, "pv_w": 0, **more})


@pytest.mark.requirement("PRO-IP")
async def test_charger_boots_starts_and_reports(told: Told, home: SimulatedHome) -> None:
    assert told.counts["boot"] == told.counts["start"] == 1
    assert told.statuses[0] == "Preparing"
    assert told.statuses[-1] == "Charging"
    assert told.transaction == 41
    assert told.meter_start == 0
    last = told.values[-1]
    assert last["Voltage"] == pytest.approx(224, abs=5)
    assert last["Current.Import"] == pytest.approx(7360 / last["Voltage"], abs=0.1)
    assert last["SoC"] == pytest.approx(40, abs=0.5)
    assert last["Energy.Active.Import.Register"] > 0
    assert home.house.now.meter.power_w > 7860


@pytest.mark.parametrize(
    ("limit", "drawn_w"),
    [
        ((2000, "W"), 2000),
        ((10, "A"), 2300),
        ((1379, "W"), 0),
        ((5.9, "A"), 0),
        ((6, "A"), 1380),
    ],
)
async def test_charger_obeys_and_tells_promptly(
    told: Told,
    home: SimulatedHome,
    eventually: Eventually,
    limit: tuple[float, str],
    drawn_w: float,
) -> None:
    assert await told.hub.limit(limit[0], unit=limit[1]) == "Accepted"
    await eventually(lambda: told.power_w == drawn_w, within_s=2.5)
    assert home.house.now.ev.power_w == drawn_w
    if drawn_w == 0:
        await eventually(lambda: told.statuses[-1] == "SuspendedEVSE")
    assert home.journal.writes()[-1].what == "SetChargingProfile"


async def test_limit_lapses_in_the_charger(
    told: Told, home: SimulatedHome, eventually: Eventually
) -> None:
    assert await told.hub.limit(0, duration=5) == "Accepted"
    await eventually(lambda: home.house.now.ev.power_w == 0)
    await eventually(lambda: home.house.now.ev.power_w == 7360)


async def test_session_limit_goes_before_the_default_and_can_be_cleared(
    told: Told, home: SimulatedHome, eventually: Eventually
) -> None:
    hub = told.hub
    assert await hub.limit(3000) == "Accepted"
    profile = {
        "charging_profile_id": 2,
        "stack_level": 1,
        "charging_profile_purpose": "TxProfile",
        "charging_profile_kind": "Absolute",
        "transaction_id": 41,
        "valid_to": "2999-01-01T00:00:00Z",
        "charging_schedule": {
            "charging_rate_unit": "W",
            "start_schedule": "2020-01-01T00:00:00Z",
            "charging_schedule_period": [{"start_period": 0, "limit": 1500.5}],
        },
    }
    answer = await hub.ask("SetChargingProfile", connector_id=1, cs_charging_profiles=profile)
    assert answer.status == "Accepted"
    await eventually(lambda: home.house.now.ev.power_w == 1500.5)
    plan = await hub.ask("GetCompositeSchedule", connector_id=1, duration=60)
    assert plan.charging_schedule["charging_schedule_period"] == [
        {"start_period": 0, "limit": 1500.5, "number_phases": 1}
    ]
    assert (await hub.ask("ClearChargingProfile", id=2)).status == "Accepted"
    await eventually(lambda: home.house.now.ev.power_w == 3000)
    assert (await hub.ask("ClearChargingProfile", id=2)).status == "Unknown"
    assert (await hub.ask("ClearChargingProfile")).status == "Accepted"
    await eventually(lambda: home.house.now.ev.power_w == 7360)


@pytest.mark.parametrize(
    "change",
    [
        {"transaction_id": 99, "charging_profile_purpose": "TxProfile"},
        {"charging_profile_purpose": "ChargePointMaxProfile"},  # is for connector 0
        {"stack_level": 99},
        {"valid_from": "yesterday"},
        {
            "charging_schedule": {
                "charging_rate_unit": "W",
                "charging_schedule_period": [{"start_period": 5, "limit": 1}],
            }
        },
    ],
)
async def test_profile_without_a_place_is_rejected(
    told: Told, home: SimulatedHome, change: dict[str, object]
) -> None:
    profile = {
        "charging_profile_id": 1,
        "stack_level": 0,
        "charging_profile_purpose": "TxDefaultProfile",
        "charging_profile_kind": "Absolute",
        "charging_schedule": {
            "charging_rate_unit": "W",
            "charging_schedule_period": [{"start_period": 0, "limit": 1}],
        },
        **change,
    }
    answer = await told.hub.ask("SetChargingProfile", connector_id=1, cs_charging_profiles=profile)
    assert answer.status == "Rejected"
    assert home.journal.writes() == []


@pytest.mark.usefixtures("home")
async def test_configuration_and_triggers(told: Told, eventually: Eventually) -> None:
    hub = told.hub
    change = await hub.ask("ChangeConfiguration", key="MeterValueSampleInterval", value="1")
    assert change.status == "Accepted"
    before = len(told.values)
    await eventually(lambda: len(told.values) > before, within_s=2)
    change = await hub.ask("ChangeConfiguration", key="NumberOfConnectors", value="2")
    assert change.status == "Rejected"
    change = await hub.ask("ChangeConfiguration", key="Colour", value="red")
    assert change.status == "NotSupported"
    got = await hub.ask("GetConfiguration", key=["MeterValueSampleInterval", "Colour"])
    assert got.configuration_key[0]["value"] == "1"
    assert got.unknown_key == ["Colour"]
    for message in ("MeterValues", "StatusNotification", "BootNotification", "Heartbeat"):
        assert (await hub.ask("TriggerMessage", requested_message=message)).status == "Accepted"
    await eventually(lambda: "Trigger" in told.contexts)
    await eventually(lambda: told.counts["heartbeat"] == 1 and told.counts["boot"] == 2)
    answer = await hub.ask("TriggerMessage", requested_message="FirmwareStatusNotification")
    assert answer.status == "NotImplemented"


async def test_remote_stop_reset_and_availability(
    told: Told, home: SimulatedHome, eventually: Eventually
) -> None:
    hub = told.hub
    assert (await hub.ask("RemoteStopTransaction", transaction_id=9)).status == "Rejected"
    assert (await hub.ask("RemoteStopTransaction", transaction_id=41)).status == "Accepted"
    await eventually(lambda: told.reasons == ["Remote"] and told.statuses[-1] == "Finishing")
    await eventually(lambda: home.house.now.ev.power_w == 0)
    answer = await hub.ask("RemoteStartTransaction", id_tag="OWNER")
    assert answer.status == "Accepted"
    await eventually(lambda: told.statuses[-1] == "Charging" and told.counts["start"] == 2)
    answer = await hub.ask("ChangeAvailability", connector_id=1, type="Inoperative")
    assert answer.status == "Accepted"
    await eventually(lambda: told.statuses[-1] == "Unavailable")
    await hub.ask("ChangeAvailability", connector_id=1, type="Operative")
    assert (await hub.ask("Reset", type="Soft")).status == "Accepted"
    await eventually(lambda: told.reasons[-1] == "SoftReset" and told.counts["boot"] == 2)
    await eventually(lambda: told.counts["start"] == 3)


async def test_car_that_leaves_ends_its_session(told: Told, eventually: Eventually) -> None:
    soon = options(told, start_hour=18, ev_leave_hour=18.25, ev_arrive_hour=18.5, speed=600)
    async with SimulatedHome(soon) as home:
        await eventually(lambda: told.reasons == ["EVDisconnected"])
        await eventually(lambda: "Available" in told.statuses)
        assert home.devices.charger.transaction is None
        await eventually(lambda: told.counts["start"] == 2)


async def test_refused_session_does_not_charge(told: Told, eventually: Eventually) -> None:
    told.authorisation = "Invalid"
    async with SimulatedHome(options(told)) as home:
        await eventually(lambda: told.counts["start"] == 1)
        await eventually(lambda: home.house.now.ev.power_w == 0 and bool(told.values))
        assert home.devices.charger.offer().power_w == 0


async def test_charger_finds_its_hub_again_and_keeps_its_limit(eventually: Eventually) -> None:
    told = Told()
    async with serving(told):
        home = SimulatedHome(options(told))
        await home.__aenter__()
        await eventually(lambda: told.power_w == 7360)
        assert await told.hub.limit(2000) == "Accepted"
        await eventually(lambda: told.power_w == 2000)
    try:
        await eventually(lambda: home.devices.link is not None and not home.devices.link.connected)
        assert home.house.now.ev.power_w == 2000
        again = Told()
        again.port = told.port
        async with serving(again):
            await eventually(lambda: again.power_w == 2000)
            # The session goes on: it is not started a second time.
            assert (again.counts["boot"], again.counts["start"]) == (1, 0)
            assert again.transaction == 41
    finally:
        await home.__aexit__()


async def test_each_fault_shows_on_the_wire(
    told: Told, home: SimulatedHome, eventually: Eventually
) -> None:
    fault = home.devices.faults["ev"]
    fault.set(FaultKind.EXCEPTION)
    with pytest.raises(OCPPError, match="simulated fault"):
        await told.hub.limit(0)
    fault.set(FaultKind.GARBAGE)
    bad = told.hub.socket.bad
    with pytest.raises(TimeoutError):
        await told.hub.limit(0, duration=1)
    assert bad
    fault.set(FaultKind.OFF)
    await eventually(lambda: told.system is None)
    fault.set(FaultKind.NONE)
    await eventually(lambda: told.system is not None and told.counts["boot"] >= 2)


async def test_silent_charger_answers_nothing_and_comes_back_by_itself(
    told: Told, home: SimulatedHome
) -> None:
    home.devices.faults["ev"].set(FaultKind.SILENCE, seconds=2.2)
    with pytest.raises(TimeoutError):
        await told.hub.limit(0)
    assert await told.hub.limit(2000) == "Accepted"


async def test_late_charger_answers_late(told: Told, home: SimulatedHome) -> None:
    home.devices.faults["ev"].set(FaultKind.DELAY, delay_s=0.5)
    loop = asyncio.get_running_loop()
    start = loop.time()
    assert await told.hub.limit(2000) == "Accepted"
    assert loop.time() - start >= 0.5
