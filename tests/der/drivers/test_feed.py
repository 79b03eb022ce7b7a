"""A device that is only fed: the newest reading of its source, or one clear error."""

import math
import time
from dataclasses import replace

import pytest

from der.addresses import FeedAddress, P1Address
from der.commands import FirmwareVersion, Identify, Options, Reset
from der.drivers.feed import FEED_SERVICE, Feed
from der.errors import PermanentError, RejectedError, TransientError
from der.model import DeviceKind, PhaseReading, Reading, Setpoint
from der.registry import Registry, build
from der.service import Handle, Mode
from tests.der.described import described

pytestmark = [pytest.mark.requirement("ROLE-SM"), pytest.mark.requirement("SVC-READ")]

NOW = 1000.0


class Fed:
    """A home with one fed meter, and a clock that stands until it is set."""

    def __init__(self, *, inverted: bool = False) -> None:
        self.now = NOW
        description = described("meter", DeviceKind.METER, "feed", FeedAddress("grid"))
        description = replace(description, inverted=inverted)
        self.registry: Registry = build([description], now=lambda: self.now)

    @property
    def feed(self) -> Feed:
        feed = self.registry.services[FEED_SERVICE]
        assert isinstance(feed, Feed)
        return feed

    async def open(self) -> Handle:
        await self.registry.start()
        return await self.registry.devices["meter"].open(Mode.READ_WRITE)


async def test_the_newest_reading_of_its_own_source_is_read() -> None:
    fed = Fed()
    meter = await fed.open()
    with pytest.raises(TransientError, match="meter: grid has brought no reading yet"):
        await meter.read()
    fed.feed.put("market", Reading(NOW, 1.0))
    fed.feed.put("grid", Reading(NOW - 2, 500.0))
    fed.feed.put("grid", Reading(NOW - 3, 400.0))
    assert (await meter.read()).power_w == 500.0, "what comes late is no news"
    fed.feed.put("grid", Reading(NOW - 2, 600.0))
    assert (await meter.read()).power_w == 600.0
    assert fed.feed.newest("market") == Reading(NOW, 1.0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
async def test_no_number_never_becomes_a_reading(bad: float) -> None:
    fed = Fed()
    meter = await fed.open()
    fed.feed.put("grid", Reading(NOW, 500.0))
    fed.feed.put("grid", Reading(NOW, bad))
    fed.feed.put("grid", Reading(bad, 7.0))
    assert (await meter.read()).power_w == 500.0


async def test_silence_is_an_error_until_something_comes() -> None:
    fed = Fed()
    meter = await fed.open()
    fed.feed.put("grid", Reading(NOW, 500.0))
    fed.now += 5.0
    assert (await meter.read()).at == NOW
    fed.now += 0.1
    with pytest.raises(TransientError, match="meter: grid has brought nothing newer for more"):
        await meter.read()
    fed.feed.put("grid", Reading(fed.now, 700.0))
    assert (await meter.read()).power_w == 700.0


async def test_one_that_counts_the_other_way_round_is_turned() -> None:
    fed = Fed(inverted=True)
    meter = await fed.open()
    given = Reading(
        NOW, 500.0, 30.0, 231.0, energy_import_wh=9.0, energy_export_wh=4.0,
        phases=(PhaseReading(500.0, 231.0), PhaseReading(None, 230.0)),
    )  # fmt: skip
    fed.feed.put("grid", given)
    got = await meter.read()
    assert (got.power_w, got.reactive_var, got.voltage_v) == (-500.0, -30.0, 231.0)
    assert (got.energy_import_wh, got.energy_export_wh) == (4.0, 9.0)
    assert got.phases == (PhaseReading(-500.0, 231.0), PhaseReading(None, 230.0))


async def test_it_can_only_be_read() -> None:
    meter = await Fed().open()
    assert (await meter.ioctl(Identify())).address == "grid"
    assert (await meter.ioctl(Options())).details == ("readings from grid",)
    assert not await meter.ioctl(FirmwareVersion())
    for refused in (meter.write(Setpoint(1.0, 10.0)), meter.ioctl(Reset())):
        with pytest.raises(RejectedError, match="meter"):
            await refused


async def test_what_was_brought_before_a_pause_is_forgotten() -> None:
    fed = Fed()
    await fed.registry.start()
    fed.feed.put("grid", Reading(NOW, 500.0))
    await fed.registry.stop()
    assert fed.feed.newest("grid") is None


def test_a_meter_with_another_address_is_not_fed() -> None:
    with pytest.raises(PermanentError, match="meter"):
        build([described("meter", DeviceKind.METER, "feed", P1Address("127.0.0.1"))], now=time.time)
