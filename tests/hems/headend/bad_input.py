"""A utility with something of everything in its database, and that database as one value.

Whoever sends it nonsense may look at the whole of it before and after.
"""

import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import pytest
from aiohttp import web
from sqlalchemy import text

from certs.pki import Pki
from hems.headend import server
from hems.headend.assembly import Assembly, assemble
from hems.headend.models import Base
from hems.headend.records import Edition
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from hems.sep2.resources import (
    ActivePower,
    DateTimeInterval,
    DERAvailability,
    DERCapability,
    DERControlResponse,
    DERSettings,
    DERStatus,
    DeviceInformation,
    DeviceStatus,
    EndDevice,
    FlowReservationRequest,
    LoadShedAvailability,
    LogEvent,
    MirrorMeterReading,
    MirrorUsagePoint,
    Reading,
    ReadingType,
    RequestStatus,
    Resource,
    SignedRealEnergy,
    Subscription,
)
from hems.sep2.xml import serialize
from tests.hems.headend.conftest import Home, Operator
from tests.hems.headend.street import Street

CHANGING: Final[Mapping[str, frozenset[str]]] = {
    "home": frozenset({"last_contact"}),
}
"""Columns that any request may change: a home was heard of, whatever it said."""
ASIDE: Final[Mapping[str, str]] = {
    "operator_trail": "it tells who asked for what, and was refused",
    "operator_attempt": "wrong tokens are counted",
    "monitor_fact": "refusals are counted by home",
    "monitor_signal": "who is refused too often is told of",
    "monitor_place": "from where homes come",
    "monitor_habit": "when they come",
    "monitor_round": "when the counts were looked at",
}
"""Tables that are there to tell of refusals, too."""

Dump = Mapping[str, Sequence[tuple[Any, ...]]]
Route = tuple[str, str]
"""A method, and a path with its parts in braces."""


async def dump(head_end: HeadEnd, leaving: Mapping[str, frozenset[str]] = CHANGING) -> Dump:
    """Return all that the database holds, by table; without columns that are to be left out."""
    found: dict[str, Sequence[tuple[Any, ...]]] = {}
    async with head_end.store.reading() as connection:
        for name, table in sorted(Base.metadata.tables.items()):
            if name in ASIDE:
                continue
            left = leaving.get(name, frozenset())
            columns = [column.name for column in table.columns if column.name not in left]
            if not columns:
                continue
            listed = ", ".join(f'"{column}"' for column in columns)
            rows = await connection.execute(text(f'SELECT {listed} FROM "{name}"'))  # noqa: S608 - names of our own tables
            found[name] = sorted((tuple(row) for row in rows), key=repr)
    return found


def differing(before: Dump, after: Dump) -> dict[str, object]:
    """Return what one of two dumps has and the other has not, by table."""
    return {
        name: (
            [row for row in before[name] if row not in after[name]],
            [row for row in after[name] if row not in before[name]],
        )
        for name in before
        if before[name] != after[name]
    }


@dataclass(frozen=True)
class Filled:
    """The utility, its homes, and where their things are.

    Attributes:
        head_end: It.
        homes: What homes can ask for.
        door: What its operator can ask for.
        operator: Its operator.
        home: A home.
        other: Another home, with the same things and in another group.
        stranger: With a good certificate, and entered by nobody.
        events: mRIDs: for everybody, a load reduction, one for the group of `other`.
    """

    head_end: HeadEnd
    homes: Sequence[Route]
    door: Sequence[Route]
    operator: Operator
    home: Home
    other: Home
    stranger: Home
    events: Sequence[str]

    async def dump(self) -> Dump:
        """Return all that the database holds."""
        return await dump(self.head_end)


def routes_of(app: web.Application) -> list[Route]:
    """Return what can be asked of an application."""
    found = [
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    ]
    return sorted(set(found), key=lambda route: (route[1], route[0]))


@asynccontextmanager
async def filled(
    settings: HeadEndSettings, pki: Pki, patch: pytest.MonkeyPatch
) -> AsyncIterator[Filled]:
    """Run a utility that has something of everything."""
    parts: list[Assembly] = []

    def seen(*given: Any, **named: Any) -> Assembly:
        parts.append(assemble(*given, **named))
        return parts[-1]

    patch.setattr(server, "assemble", seen)
    async with HeadEnd(settings) as head_end:
        operator = Operator(head_end)
        home, other, stranger = (
            Home(pki.identity(name), pki, head_end.addresses.base_url)
            for name in ("home-a", "home-b", "home-c")
        )
        try:
            await operator.enter(home)
            await operator.enter(other, Edition.Y2023)
            home.validator = other.validator = None
            events = await _order(operator, other)
            await own_things(home, 1, events[0])
            await own_things(other, 2, events[0])
            yield Filled(
                head_end,
                routes_of(parts[0].homes),
                routes_of(parts[0].operator),
                operator,
                home,
                other,
                stranger,
                events,
            )
        finally:
            for each in (home, other, stranger):
                await each.aclose()
            await operator.aclose()


async def _order(operator: Operator, other: Home) -> Sequence[str]:
    """Order something of everything; returns events."""
    wishes = [
        ("POST", "/fleet/groups", {"groups": [{"id": "north", "kind": "feeder"}]}),
        ("PUT", "/fleet/sites/there", {"group": "north"}),
        ("POST", "/curves", {"mode": "volt_var", "points": [[0.95, 30], [1.05, -30]]}),
        ("POST", "/messages", {"text": "Storm tonight", "minutes": 600}),
        ("PUT", "/prices", {"currency": "EUR", "prices": [PRICE]}),
    ]  # fmt: skip
    for method, path, body in wishes:
        status, answer = await operator.ask(method, path, body)
        assert status in {200, 201}, (path, answer)
    await Street(operator, other, other).operate(other, "there")
    events = [
        await operator.event(limit_import_w=1500, minutes=600, program="Peak Saver"),
        await operator.event(shed_w=1000, minutes=600, program="Grid Emergency"),
        await operator.event(limit_import_w=900, minutes=600, group="north"),
    ]
    return [str(event["id"]) for event in events]


PRICE: Final = {"start": int(time.time()) + 3600, "minutes": 60, "price": 0.3}
_NOW: Final = int(time.time())


def sound_bodies(home: Home, number: int, event: str) -> Mapping[Route, Resource]:
    """Return what a home may well say, by where it says it.

    Args:
        home: It.
        number: Of its EndDevice.
        event: mRID of an event that it was told of.
    """
    edev = "/edev/{home}"
    der = edev + "/der/1/{kind}"
    own = edev + "/{kind}"
    watts = ActivePower.of
    flow = FlowReservationRequest(
        mrid=f"{number:X}" * 32,
        creation_time=_NOW,
        energy_requested=SignedRealEnergy.of(-4000),
        interval_requested=DateTimeInterval(start=_NOW, duration=7200),
        power_requested=watts(-2000),
        request_status=RequestStatus(date_time=_NOW, request_status=0),
    )
    load = LoadShedAvailability(sheddable_percent=1000, sheddable_power=watts(500))
    return {
        ("POST", "/edev"): EndDevice(lfdi=home.lfdi, sfdi=home.sfdi, changed_time=0),
        ("PUT", der + "#dercap"): DERCapability(modes_supported=0, rtg_max_w=watts(5000), type=4),
        ("PUT", der + "#derg"): DERSettings(
            set_grad_w=100, set_max_w=watts(5000), updated_time=_NOW
        ),
        ("PUT", der + "#ders"): DERStatus(reading_time=_NOW),
        ("PUT", der + "#dera"): DERAvailability(reading_time=_NOW),
        ("PUT", own + "#di"): DeviceInformation(
            lfdi=home.lfdi, mf_date=0, mf_hw_ver="1", mf_id=1, mf_model="m", mf_ser_num="s",
            primary_power=1, secondary_power=0, sw_act_time=0, sw_ver="1",
        ),
        ("PUT", own + "#ds"): DeviceStatus(changed_time=_NOW, op_state=1),
        ("POST", edev + "/lel"): LogEvent(
            created_date_time=_NOW, function_set=11, log_event_code=1, log_event_id=7,
            log_event_pen=40732, profile_id=2, details="door",
        ),
        ("POST", edev + "/frq"): flow,
        ("PUT", edev + "/frq/{request}"): flow,
        ("POST", edev + "/lsl"): load,
        ("PUT", edev + "/lsl/{entry}"): load,
        ("POST", edev + "/sub"): Subscription(
            subscribed_resource="/drp/3/edc", encoding=0, level="+S1", limit=10,
            notification_uri=f"https://127.0.0.1:{40000 + number}/n",
        ),
        ("POST", "/rsps/1/r"): DERControlResponse(
            created_date_time=_NOW, end_device_lfdi=home.lfdi, status=1, subject=event
        ),
        ("POST", "/mup"): MirrorUsagePoint(
            mrid=f"{number:X}A" * 16, device_lfdi=home.lfdi, role_flags=3,
            service_category_kind=0, status=1,
        ),
        ("POST", "/mup/{point}"): MirrorMeterReading(
            mrid=f"{number:X}B" * 16,
            description="meter",
            reading_type=ReadingType(uom=38, flow_direction=1, power_of_ten_multiplier=0),
            reading=Reading(value=1234, time_period=DateTimeInterval(start=_NOW, duration=60)),
        ),
    }  # fmt: skip


def address(path: str, number: int, **named: str) -> str:
    """Return a route's path with a home's own numbers in it; `#` says which of several kinds."""
    path, _, kind = path.partition("#")
    values = {"home": str(number), "point": str(number), "request": str(number)} | {
        "program": "1",
        "tariff": "1",
        "component": "1",
        "entry": "0",
        "subscription": str(number),
        "response": str(number),
        "log": str(number),
        "mrid": "00" * 16,
    }
    values["kind"] = kind or ("ders" if "/der/" in path else "di")
    values |= named
    return re.sub(r"{(\w+)}", lambda found: values.get(found[1], "1"), path)


async def own_things(home: Home, number: int, event: str) -> None:
    """Have a home say everything once."""
    for (method, path), body in sound_bodies(home, number, event).items():
        answer = await home.ask(method, address(path, number), serialize(body))
        assert answer.status in {201, 204}, (method, path, answer.text)
