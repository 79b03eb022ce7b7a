"""What a scripted utility's own meter of a home says, put among the utility's resources."""

import time
from dataclasses import replace

from hems.sep2 import resources as res
from tests.hems.sep2.utility import Utility

W, V, WH, VAR = 38, 29, 72, 63
FORWARD, REVERSE = 1, 19
MOMENT, SUMMATION, DELTA = 12, 9, 4
POINT = "/upt/1"
SERIES = {
    "w": (W, FORWARD, MOMENT, None, 0),
    "v": (V, None, MOMENT, None, -1),
    "wa": (W, FORWARD, MOMENT, 128, 0),
    "in": (WH, FORWARD, SUMMATION, None, 3),
    "out": (WH, REVERSE, SUMMATION, None, 3),
}
"""Unit, direction, accumulation, phase and power of ten by name."""


def link(href: str) -> res.Link:
    return res.Link(href=href)


def put(utility: Utility, path: str, kind: type[res.Record], name: str, *items: object) -> None:
    fields = {name: items, "all": len(items), "results": len(items)}
    utility.resources[path] = kind(href=path, **fields)


def add_meter(utility: Utility, *, roles: int = 0b10, lfdi: str | None = None) -> None:
    """Have a utility offer usage points to everybody; their readings are set by `tell`."""
    utility.change("/dcap", usage_point_list_link=res.Link(href="/upt", all=1))
    point = res.UsagePoint(
        href=POINT,
        mrid="0A",
        description="Meter 12",
        role_flags=roles,
        service_category_kind=0,
        status=1,
        device_lfdi=lfdi,
        meter_reading_list_link=link(f"{POINT}/mr"),
    )
    put(utility, "/upt", res.UsagePointList, "usage_point", point)
    utility.change("/upt", poll_rate=1)
    series = []
    for index, (name, (uom, direction, accumulation, phase, ten)) in enumerate(SERIES.items()):
        at = f"{POINT}/mr/{name}"
        utility.resources[f"{at}/rt"] = res.ReadingType(
            href=f"{at}/rt",
            uom=uom,
            commodity=1,
            flow_direction=direction,
            accumulation_behaviour=accumulation,
            phase=phase,
            power_of_ten_multiplier=ten,
        )
        series.append(
            res.MeterReading(
                href=at,
                mrid=f"{index + 1:02X}",
                reading_link=link(f"{at}/r"),
                reading_type_link=link(f"{at}/rt"),
            )
        )
    put(utility, f"{POINT}/mr", res.MeterReadingList, "meter_reading", *series)


def tell(utility: Utility, *, at: float | None = None, **values: int) -> None:
    """Have its meter say something; raw values by name of the series, taken now or at a time."""
    start = int(time.time() + utility.ahead_s if at is None else at)
    for name, value in values.items():
        href = f"{POINT}/mr/{name}/r"
        span = res.DateTimeInterval(start=start, duration=0)
        utility.resources[href] = res.Reading(href=href, value=value, time_period=span)


def tell_tiers(utility: Utility, name: str, *values: int) -> None:
    """Have a register told by tiers, in a reading set."""
    at = f"{POINT}/mr/{name}"
    listed = utility.resources[f"{POINT}/mr"]
    assert isinstance(listed, res.MeterReadingList)
    changed = [
        replace(s, reading_link=None, reading_set_list_link=link(f"{at}/rs")) if s.href == at else s
        for s in listed.meter_reading
    ]
    utility.change(f"{POINT}/mr", meter_reading=tuple(changed))
    now = int(time.time())
    sets = [
        res.ReadingSet(
            mrid=f"A{age}",
            time_period=res.DateTimeInterval(start=now - 900 * age, duration=900),
            reading_list_link=link(f"{at}/rs/{age}/r"),
        )
        for age in (1, 2)
    ]
    put(utility, f"{at}/rs", res.ReadingSetList, "reading_set", *sets)
    readings = [
        res.Reading(value=value, tou_tier=tier, local_id=tier)
        for tier, value in enumerate(values, start=1)
    ]
    put(utility, f"{at}/rs/1/r", res.ReadingList, "reading", *readings)
    put(utility, f"{at}/rs/2/r", res.ReadingList, "reading", res.Reading(value=1))
