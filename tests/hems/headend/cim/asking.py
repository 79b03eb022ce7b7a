"""What enterprise systems ask in these tests, and what a home tells."""

import time
from typing import Any

from hems.headend.cim.der import (
    CurvePoint,
    DERGroupDispatches,
    DERGroups,
    DeviceGroup,
    Direction,
    DispatchParameter,
    EndDevice,
    GroupAsked,
    GroupDispatch,
    Multiplier,
    Name,
    Parameter,
    Schedule,
    TimeUnit,
    Unit,
)
from hems.headend.cim.envelope import Identity, Request, Verb
from hems.headend.cim.nouns import Noun
from hems.sep2.resources import (
    DateTimeInterval,
    DERControlResponse,
    EndDeviceList,
    LogEvent,
    MirrorMeterReading,
    MirrorUsagePoint,
    Reading,
    ReadingType,
)
from tests.hems.headend.cim.conftest import Side, message
from tests.hems.headend.conftest import Home


def group(*homes: Home, mrid: str = "g1", name: str = "North") -> DeviceGroup:
    return DeviceGroup(
        mrid=mrid,
        names=(Name(name=name),),
        devices=tuple(EndDevice(mrid=home.lfdi) for home in homes),
    )


def groups(*items: DeviceGroup) -> DERGroups:
    return DERGroups(groups=items)


def dispatch(mrid: str | None = "d1", group: str = "g1", **more: Any) -> DERGroupDispatches:
    """10 kW to the grid from the group, for a quarter of an hour, in a minute."""
    values: dict[str, Any] = {
        "start": float(int(time.time()) + 60),
        "duration": 15,
        "unit": TimeUnit.MINUTE,
        "points": (CurvePoint(interval=1, nominal=10.0),),
    }
    asked = DispatchParameter(
        parameter=Parameter.ACTIVE_POWER,
        direction=Direction.REVERSE,
        multiplier=Multiplier.KILO,
        unit=Unit.WATT,
        schedules=(Schedule(**values | more),),
    )
    return DERGroupDispatches(
        dispatches=(GroupDispatch(mrid=mrid, group=GroupAsked(mrid=group, parameters=(asked,))),)
    )


def ids(*values: str, kind: str | None = None) -> Request:
    return Request(ids=tuple(Identity(value=value, object_type=kind) for value in values))


async def grouped(side: Side, *homes: Home) -> Side:
    got = await side.system().send(message(Verb.CREATE, Noun.GROUPS, groups(group(*homes))))
    assert got.status == 200, got.body
    return side


async def told_by(home: Home, event: str) -> None:
    """The home posts a reading, its answer to an event, and a log entry."""
    now = int(time.time())
    reading = MirrorMeterReading(
        mrid="01" * 16,
        reading=Reading(value=1234, time_period=DateTimeInterval(start=now, duration=0)),
        reading_type=ReadingType(uom=38, flow_direction=1, power_of_ten_multiplier=0),
    )
    point = MirrorUsagePoint(
        mrid="AB" * 16,
        description="meter",
        role_flags=3,
        service_category_kind=0,
        status=1,
        device_lfdi=home.lfdi,
        mirror_meter_reading=(reading,),
    )
    received = DERControlResponse(
        created_date_time=now, end_device_lfdi=home.lfdi, status=1, subject=event
    )
    entry = LogEvent(
        created_date_time=now,
        details="door opened",
        function_set=0,
        log_event_code=0,
        log_event_id=1,
        log_event_pen=0,
        profile_id=2,
    )
    own = (await home.get("/edev?l=1", EndDeviceList)).end_device[0].href or ""
    for path, body in (("/mup", point), ("/rsps/1/r", received), (f"{own}/lel", entry)):
        got = await home.ask("POST", path, body)
        assert got.status == 201, (path, got.text)
