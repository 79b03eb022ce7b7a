"""Homes that measure and answer over TLS, and a clock that tests set."""

from collections.abc import Callable
from datetime import UTC, datetime

from hems.clock import SystemClock
from hems.sep2.resources import (
    DateTimeInterval,
    DERControlResponse,
    DrResponse,
    MirrorMeterReading,
    MirrorReadingSet,
    MirrorUsagePoint,
    Reading,
    ReadingType,
)
from tests.hems.headend.conftest import Home

STEP_S = 300
DAY_S = 86_400
EVENING = int(datetime(2030, 1, 16, 17, 0, tzinfo=UTC).timestamp())
"""A Wednesday."""


class SetClock(SystemClock):
    """UTC as a test says it."""

    def __init__(self, at: float) -> None:
        self.at = at

    def now(self) -> float:
        return self.at


async def point(home: Home, *, role: int = 0b11, mark: str = "AB") -> str:
    """Make a usage point; returns its path."""
    made = MirrorUsagePoint(
        mrid=mark * 16,
        role_flags=role,
        service_category_kind=0,
        status=1,
        device_lfdi=home.lfdi,
    )
    answer = await home.ask("POST", "/mup", made)
    assert answer.status in {201, 204}, answer.text
    return answer.location


def series(
    power: Callable[[int], float | None],
    begin: int,
    end: int,
    *,
    mark: str = "01",
    step_s: int = STEP_S,
    uom: int = 38,
    flow: int = 1,
) -> MirrorMeterReading:
    """Return readings of mean power by intervals; None for a gap."""
    readings = tuple(
        Reading(value=round(value), time_period=DateTimeInterval(start=start, duration=step_s))
        for start in range(begin, end, step_s)
        if (value := power(start)) is not None
    )
    kind = ReadingType(uom=uom, flow_direction=flow, data_qualifier=2)
    group = MirrorReadingSet(
        mrid="CD" * 16,
        time_period=DateTimeInterval(start=begin, duration=end - begin),
        reading=readings,
    )
    return MirrorMeterReading(mrid=mark * 16, reading_type=kind, mirror_reading_set=(group,))


async def measure(home: Home, place: str, told: MirrorMeterReading) -> None:
    answer = await home.ask("POST", place, told)
    assert answer.status in {201, 204}, answer.text


async def respond(home: Home, event: str, status: int, at: float, *, drlc: bool = False) -> None:
    kind = DrResponse if drlc else DERControlResponse
    said = kind(created_date_time=int(at), end_device_lfdi=home.lfdi, status=status, subject=event)
    answer = await home.ask("POST", "/rsps/1/r", said)
    assert answer.status == 201, answer.text
