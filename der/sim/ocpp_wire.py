"""OCPP 1.6 payloads in and out of the charger's own records, and the WebSocket it talks through."""

import asyncio
import json
from datetime import UTC, datetime
from typing import NotRequired, TypedDict

from aiohttp import ClientWebSocketResponse, WSMsgType

from der.sim.faults import Fault, FaultKind
from der.sim.house import Snapshot
from der.sim.profiles import RECURRENCE_S, Kind, Period, Profile, Purpose, Unit

CALL, CALL_ERROR = 2, 4
"""OCPP-J message types."""

LEAST_CALL_PARTS = 3


class PeriodJson(TypedDict):
    """ChargingSchedulePeriod as the library hands it over, in snake case."""

    start_period: int
    limit: float
    number_phases: NotRequired[int]


class ScheduleJson(TypedDict):
    """ChargingSchedule."""

    charging_rate_unit: str
    charging_schedule_period: list[PeriodJson]
    duration: NotRequired[int]
    start_schedule: NotRequired[str]


class ProfileJson(TypedDict):
    """ChargingProfile."""

    charging_profile_id: int
    stack_level: int
    charging_profile_purpose: str
    charging_profile_kind: str
    charging_schedule: ScheduleJson
    transaction_id: NotRequired[int]
    recurrency_kind: NotRequired[str]
    valid_from: NotRequired[str]
    valid_to: NotRequired[str]


def parse_profile(profile: ProfileJson, connector: int, now: float) -> Profile:
    """Read a ChargingProfile whose shape the OCPP schema has already vouched for.

    Args:
        profile: The payload.
        connector: The connector it is for.
        now: UTC epoch seconds.

    Raises:
        ValueError: A time is no ISO 8601 time, or the first period does not start at 0.
    """
    schedule = profile["charging_schedule"]
    periods = tuple(
        # The library parses limits as Decimal for its schema's sake.
        Period(item["start_period"], float(item["limit"]), item.get("number_phases", 1))
        for item in schedule["charging_schedule_period"]
    )
    starts = [period.start_s for period in periods]
    if not starts or starts[0] != 0 or starts != sorted(starts):
        raise ValueError("chargingSchedulePeriod must start at 0 and be in order")
    more = {"valid_from": profile.get("valid_from"), "valid_to": profile.get("valid_to")}
    bounds = {name: _epoch(text) for name, text in more.items() if text}
    start = schedule.get("start_schedule")
    return Profile(
        id=profile["charging_profile_id"],
        connector=connector,
        stack_level=profile["stack_level"],
        purpose=Purpose(profile["charging_profile_purpose"]),
        kind=Kind(profile["charging_profile_kind"]),
        unit=Unit(schedule["charging_rate_unit"]),
        periods=periods,
        start=_epoch(start) if start else None,
        duration_s=schedule.get("duration"),
        recurrence_s=RECURRENCE_S.get(profile.get("recurrency_kind", "")),
        transaction=profile.get("transaction_id"),
        accepted_at=now,
        **bounds,
    )


def timestamp(epoch_s: float) -> str:
    """Write a time as OCPP does, UTC with milliseconds."""
    text = datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _epoch(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def meter_value(home: Snapshot, now: float, context: str) -> dict[str, object]:
    """Return what the charger measures as one MeterValue.

    Args:
        home: The home now.
        now: UTC epoch seconds.
        context: ReadingContext, for example "Sample.Periodic".
    """
    power_w = home.ev.power_w
    measured = [
        ("Power.Active.Import", f"{power_w:.1f}", "W"),
        ("Energy.Active.Import.Register", f"{home.ev.import_wh:.1f}", "Wh"),
        ("Voltage", f"{home.voltage_v:.1f}", "V"),
        ("Current.Import", f"{power_w / home.voltage_v:.2f}", "A"),
        ("SoC", f"{home.ev_soc * 100:.1f}", "Percent"),
    ]
    if not home.ev_plugged:
        measured.pop()  # without a car there is no charge to tell
    sampled = [
        {"value": value, "context": context, "measurand": measurand, "unit": unit}
        for measurand, value, unit in measured
    ]
    return {"timestamp": timestamp(now), "sampled_value": sampled}


class ConnectionEndedError(Exception):
    """The WebSocket is closed; the charger begins anew."""


class FaultySocket:
    """The `recv` and `send` that the OCPP library asks for, over aiohttp, faults included."""

    def __init__(self, socket: ClientWebSocketResponse, fault: Fault) -> None:
        self._socket = socket
        self._fault = fault

    async def recv(self) -> str:
        """Return the next message that the charger takes notice of.

        Raises:
            ConnectionEndedError: There is none any more.
        """
        while True:
            # A hung charger reads nothing; it does not even answer a ping.
            while self._hung():
                await self._fault.until_changed()
            message = await self._socket.receive()
            if message.type is not WSMsgType.TEXT:
                raise ConnectionEndedError(str(message.type))
            if self._hung():
                continue  # it fell silent while waiting: the message is lost on it
            text = str(message.data)
            if self._fault.kind is not FaultKind.EXCEPTION or not await self._refused(text):
                return text

    async def send(self, message: str) -> None:
        """Send a message, or what the fault makes of it.

        Raises:
            ConnectionEndedError: The connection is gone.
        """
        kind = self._fault.kind
        if kind is FaultKind.SILENCE:
            return
        if kind is FaultKind.DELAY:
            await asyncio.sleep(self._fault.delay_s)
        garbled = kind is FaultKind.GARBAGE
        await self._push(self._fault.garbage().decode("latin-1") if garbled else message)

    async def _push(self, text: str) -> None:
        try:
            await self._socket.send_str(text)
        except (ConnectionError, RuntimeError) as error:  # the latter: it is closing
            raise ConnectionEndedError(str(error)) from error

    def _hung(self) -> bool:
        return self._fault.kind is FaultKind.SILENCE

    async def _refused(self, text: str) -> bool:
        """Answer a call with an error; an answer to our own call passes."""
        try:
            message = json.loads(text)
        except ValueError:
            return False  # no JSON: left to the library, which says so
        if not isinstance(message, list) or len(message) < LEAST_CALL_PARTS or message[0] != CALL:
            return False
        refusal = [CALL_ERROR, message[1], "InternalError", "simulated fault", {}]
        await self._push(json.dumps(refusal))
        return True
