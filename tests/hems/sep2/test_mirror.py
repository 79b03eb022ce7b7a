"""Readings reach their usage point: found or made, in order, over failures, none twice."""

import ssl
from dataclasses import replace
from typing import Any

import pytest

from certs.pki import Pki
from hems.sep2 import resources as res
from hems.sep2.enddevice.mirror import Mirror
from hems.sep2.enddevice.readings import MirrorSpec, Sample, Samples, SeriesSpec
from hems.sep2.errors import RejectedError, TransientError
from hems.sep2.rules.dialect import Dialect
from hems.sep2.transport.http import Transport
from hems.sep2.transport.troubles import Troubles
from tests.hems.sep2.kept_up import LFDI, RNG, assert_valid, running, transport_to
from tests.hems.sep2.utility import Utility

pytestmark = [pytest.mark.requirement("PRO-2030.5"), pytest.mark.requirement("BUC-13")]

POWER = SeriesSpec("0A", "Net active power", uom=38, interval_s=60)
REGISTER = SeriesSpec(
    "0B", "Register", uom=72, kind=12, accumulation=9, data_qualifier=12, latest=True, sure=False
)
PHASE = replace(POWER, mrid="0C", phase=128, sure=False)
SPEC = MirrorSpec("3A", "Connection point", (POWER, REGISTER, PHASE), post_s=60)


def samples(*values: float, series: str = "0A") -> list[Sample]:
    return [Sample(series, 60.0 * i, 60, value) for i, value in enumerate(values)]


def waiting(*readings: Sample, kept: int = 100) -> Samples:
    queue = Samples(kept)
    for reading in readings:
        queue.add(reading)
    return queue


def a_mirror(transport: Transport, queue: Samples, **changes: Any) -> Mirror:
    mirror = Mirror(
        SPEC,
        LFDI,
        transport,
        lambda: 1000.0,
        RNG,
        troubles=Troubles(),
        samples=queue,
        **changes,
    )
    mirror.use("/mup")
    return mirror


def told(utility: Utility) -> list[res.MirrorMeterReading]:
    return [r for _, _, r in utility.got if isinstance(r, res.MirrorMeterReading)]


def values(utility: Utility, series: str = "0A") -> list[int | None]:
    sets = [s for r in told(utility) if r.mrid.endswith(series) for s in r.mirror_reading_set]
    return [reading.value for each in sets for reading in each.reading]


@pytest.mark.parametrize("dialect", list(Dialect))
async def test_a_set_of_several_readings_and_the_latest_of_a_register(
    context: ssl.SSLContext, pki: Pki, dialect: Dialect
) -> None:
    utility = Utility(LFDI, 1)
    queue = waiting(*samples(5, 7.4, -3), *samples(10, 11, 12, series="0B"))
    async with transport_to(utility, context, pki, dialect) as transport:
        await a_mirror(transport, queue).post()
    assert_valid(utility, dialect)
    (point,) = utility.posted("/mup")
    assert (point.role_flags, point.device_lfdi) == (0b11, LFDI)
    assert [s.mrid.lstrip("0") for s in point.mirror_meter_reading] == ["A", "B"], (
        "what nobody measured is not announced"
    )
    power, register = told(utility)
    (readings,) = power.mirror_reading_set
    assert readings.time_period == res.DateTimeInterval(start=1000, duration=180)
    assert [(r.value, r.local_id) for r in readings.reading] == [(5, 0), (7, 1), (-3, 2)]
    assert register.reading is not None
    assert register.reading.value == 12
    for _, _, body in utility.bodies:
        assert (b"schemaVer" in body) is (dialect is Dialect.V2023)
        assert b"subscribable" not in body


async def test_a_point_that_is_there_is_not_made_and_its_rate_holds(
    context: ssl.SSLContext, pki: Pki
) -> None:
    utility = Utility(LFDI, 1)
    there = SPEC.usage_point(LFDI, [])
    utility.append("/mup", replace(there, href="/mup/9", mrid="0" * 30 + "3A", post_rate=1))
    utility.append("/mup", replace(there, href="/mup/8", mrid="99"))
    queue = waiting(*samples(1))
    async with transport_to(utility, context, pki) as transport:
        mirror = a_mirror(transport, queue)
        async with running(mirror.run()):
            await utility.until(lambda: len(values(utility)) == 1)
            queue.add(samples(0, 2)[1])
            await utility.until(lambda: len(values(utility)) == 2)
    assert not utility.posted("/mup")
    assert {path for method, path, _ in utility.got if method == "POST"} == {"/mup/9"}
    first, second = told(utility)
    assert first.reading_type is not None, "a point made by another run may lack the series"
    assert second.reading_type is None


async def test_order_is_kept_and_nothing_doubled_over_failures(
    context: ssl.SSLContext, pki: Pki
) -> None:
    utility = Utility(LFDI, 1)
    queue = waiting(*samples(1, 2))
    async with transport_to(utility, context, pki) as transport:
        mirror = a_mirror(transport, queue)
        await mirror.post()
        (point,) = (r.href for r in utility.resources["/mup"].mirror_usage_point)  # type: ignore[attr-defined]
        utility.faults[f"POST {point}"] = [503]
        for sample in samples(0, 0, 3, 4)[2:]:
            queue.add(sample)
        with pytest.raises(TransientError):
            await mirror.post()
        queue.add(samples(0, 0, 0, 0, 5)[4])
        utility.cut.add(point)
        with pytest.raises(TransientError):
            await mirror.post()
        queue.add(samples(0, 0, 0, 0, 0, 6)[5])  # measured since the answer was lost
        await mirror.post()
    sets = [s for r in told(utility) for s in r.mirror_reading_set]
    once = {s.mrid: [r.value for r in s.reading] for s in sets}
    assert list(once.values()) == [[1, 2], [3, 4], [5, 6]], (
        "what was posted twice is known by its mRID"
    )


async def test_one_bad_reading_holds_up_no_other(context: ssl.SSLContext, pki: Pki) -> None:
    utility = Utility(LFDI, 1)
    queue = waiting(*samples(1, 2, 3), *samples(9, series="0C"))
    async with transport_to(utility, context, pki) as transport:
        mirror = a_mirror(transport, queue)
        await mirror.post()
        (point,) = (r.href for r in utility.resources["/mup"].mirror_usage_point)  # type: ignore[attr-defined]
        utility.got.clear()
        # the batch, its first reading alone, and that reading again after the point was found anew
        utility.faults[f"POST {point}"] = [400, 400]
        for sample in samples(4, 5):
            queue.add(sample)
        queue.add(samples(7, series="0C")[0])
        with pytest.raises(RejectedError):
            await mirror.post()
        assert values(utility, "0C") == [7], "another series goes on"
        utility.faults[f"POST {point}"] = [400, 400]
        await mirror.post()
    assert values(utility) == [5], "only the reading that was refused twice is given up"


async def test_a_forgotten_point_is_made_again_and_costs_no_reading(
    context: ssl.SSLContext, pki: Pki
) -> None:
    utility = Utility(LFDI, 1)
    queue = waiting(*samples(1))
    async with transport_to(utility, context, pki) as transport:
        mirror = a_mirror(transport, queue, least_post_s=0.05)
        async with running(mirror.run()):
            await utility.until(lambda: values(utility) == [1])
            (point,) = (r.href for r in utility.resources["/mup"].mirror_usage_point)  # type: ignore[attr-defined]
            utility.change("/mup", mirror_usage_point=(), all=0)
            utility.faults[f"POST {point}"] = [404]
            queue.add(samples(0, 2)[1])
            mirror.use(None)
            mirror.use("/mup")
            await utility.until(lambda: values(utility) == [1, 2])
    assert len(utility.posted("/mup")) == 2


def test_the_oldest_readings_give_way() -> None:
    queue = waiting(*samples(1, 2, 3, 4), kept=2)
    assert [s.value for s in queue.waiting("0A", 9)] == [3, 4]
    assert queue.latest("none") is None
