"""The server's own metering, from its links to neutral records, over real TLS."""

import ssl
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from hems.sep2 import resources as res
from hems.sep2.client import Client
from hems.sep2.enddevice.usage import Metered, Usage, UsagePoint, UsageSeries
from tests.hems.metered import POINT, add_meter, put, tell, tell_tiers
from tests.hems.sep2.client_home import Home
from tests.hems.sep2.utility import Utility, serving

pytestmark = [pytest.mark.requirement("PRO-2030.5"), pytest.mark.requirement("ROLE-SMG")]


class Taker:
    """Takes what is read; counts how often."""

    def __init__(self, client: Client) -> None:
        self.reads: list[Sequence[UsagePoint]] = []
        self.usage = Usage(self.reads.append)
        client.members[0].services.usage = self.usage

    def series(self) -> dict[int | None, UsageSeries]:
        (point,) = self.usage.points
        return {s.uom: s for s in point.series if s.phase is None and s.flow_direction != 19}


def _made(home: Home) -> Utility:
    utility = home.utility()
    add_meter(utility)
    tell(utility, w=-1234, v=2305, wa=-400, out=7, **{"in": 12})
    return utility


async def test_every_series_is_read_and_followed(home: Home, context: ssl.SSLContext) -> None:
    utility = _made(home)
    async with serving(utility, context):
        client = home.make(utility.base + "/dcap")
        taker = Taker(client)
        async with home.following(client):
            await utility.until(lambda: taker.reads)
            (point,) = taker.usage.points
            assert (point.mrid, point.name, point.roles, point.on) == ("0A", "Meter 12", 2, True)
            found = {s.mrid: s for s in point.series}
            assert found["01"].latest[0].value == -1234
            assert found["02"].latest[0].value == Decimal("230.5")
            assert found["03"].phase == 128
            assert found["03"].latest[0].value == -400
            assert found["04"].latest[0].value == 12_000
            assert found["05"].flow_direction == 19
            assert found["05"].latest[0].value == 7000
            tell(utility, w=800)
            await utility.until(lambda: taker.series()[38].latest[0].value == 800, within_s=10)


async def test_nobody_asks_for_what_nobody_wants(home: Home, context: ssl.SSLContext) -> None:
    utility = _made(home)
    async with serving(utility, context), home.client(utility.base + "/dcap"):
        await utility.settled()
        assert not [a for a in utility.asked if "/upt" in a]


async def test_a_register_by_tiers_comes_from_the_latest_set(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = _made(home)
    tell_tiers(utility, "in", 10, 5)
    async with serving(utility, context):
        client = home.make(utility.base + "/dcap")
        taker = Taker(client)
        async with home.following(client):
            await utility.until(lambda: taker.reads)
            latest = taker.series()[72].latest
            assert [(int(m.value), m.tier) for m in latest] == [(10_000, 1), (5000, 2)]
            assert all(isinstance(m, Metered) and m.duration_s == 900 for m in latest)


async def test_what_is_missing_or_broken_costs_the_rest_nothing(
    home: Home, context: ssl.SSLContext
) -> None:
    utility = _made(home)
    del utility.resources[f"{POINT}/mr/v/r"]
    del utility.resources[f"{POINT}/mr/wa/rt"]
    utility.resources[f"{POINT}/mr/out/r"] = res.ReadingType(uom=1)
    bare = res.UsagePoint(mrid="0B", role_flags=2, service_category_kind=0, status=0)
    listed = utility.resources["/upt"]
    assert isinstance(listed, res.UsagePointList)
    put(utility, "/upt", res.UsagePointList, "usage_point", *listed.usage_point, bare)
    async with serving(utility, context):
        client = home.make(utility.base + "/dcap")
        taker = Taker(client)
        async with home.following(client):
            await utility.until(lambda: taker.reads)
            first, second = taker.usage.points
            assert (second.mrid, second.on, second.series) == ("0B", False, [])
            told = {s.mrid: len(s.latest) for s in first.series}
            assert told == {"01": 1, "02": 0, "04": 1, "05": 0}


async def test_a_point_of_endless_series_is_cut(
    home: Home, context: ssl.SSLContext, caplog: pytest.LogCaptureFixture
) -> None:
    utility = _made(home)
    listed = utility.resources[f"{POINT}/mr"]
    assert isinstance(listed, res.MeterReadingList)
    first, *_ = listed.meter_reading
    many = [replace(first, mrid=f"{n:02X}", href=f"{POINT}/mr/{n}") for n in range(70)]
    put(utility, f"{POINT}/mr", res.MeterReadingList, "meter_reading", *many)
    async with serving(utility, context):
        client = home.make(utility.base + "/dcap")
        taker = Taker(client)
        async with home.following(client):
            await utility.until(lambda: taker.reads, within_s=20)
            assert len(taker.usage.points[0].series) == 64
    assert "usage point 0A has 70 series; only 64 are read" in caplog.text


def test_who_follows_is_told_of_all_lists() -> None:
    told: list[Sequence[str]] = []
    usage = Usage(lambda points: told.append([point.mrid for point in points]))
    for href, mrid in (("/a", "A1"), ("/b", "B1"), ("/a", "A2")):
        usage.take(href, [UsagePoint(mrid, "", 2, 0, on=True, lfdi="")])
    assert told == [["A1"], ["A1", "B1"], ["A2", "B1"]]
    usage.keep(["/b"])
    assert [point.mrid for point in usage.points] == ["B1"]
