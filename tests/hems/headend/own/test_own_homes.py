"""The aggregator's view of its homes, by what real homes put and post to a real head-end."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest

from certs.pki import Pki
from hems.clock import SystemClock
from hems.headend.fleet.access import ALL, Access
from hems.headend.fleet.records import HubPolicy
from hems.headend.hrefs import RESPONSES
from hems.headend.records import Edition
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from hems.headend.sharing.model import Kind
from hems.headend.upstream.downstream import OwnHomes
from hems.headend.upstream.port import Answer, Order, Reading
from hems.headend.upstream.settings import UpstreamSettings
from hems.sep2.resources import (
    ActivePower,
    DateTimeInterval,
    LoadShedAvailability,
    MirrorMeterReading,
    MirrorUsagePoint,
    ReadingType,
    Response,
)
from hems.sep2.resources import (
    Reading as MirrorReading,
)
from tests.hems.headend.conftest import PIN, Home, Operator

pytestmark = pytest.mark.requirement("PRO-2030.5")

PREMISES, DER = 0b0011, 0b1001001
FORWARD, REVERSE = 1, 19


@dataclass
class Fleet:
    """What the fleet says of homes."""

    served: dict[str, Access] = field(default_factory=dict)
    largest: dict[str, int] = field(default_factory=dict)

    def access(self, lfdi: str, _now: float) -> Access:
        return self.served.get(lfdi, ALL)

    def policy(self, lfdi: str) -> HubPolicy:
        return HubPolicy(self.largest.get(lfdi))


@dataclass
class Scene:
    fleet: Fleet
    port: OwnHomes
    home: Home
    other: Home
    numbers: dict[str, int]

    async def shed(self, home: Home, power_w: int) -> None:
        entry = LoadShedAvailability(sheddable_power=ActivePower.of(power_w))
        answer = await home.ask("POST", f"/edev/{self.numbers[home.lfdi]}/lsl", entry)
        assert answer.status in {201, 204}, answer.text

    async def answer(self, home: Home, mrid: str, code: int, at: int) -> None:
        body = Response(created_date_time=at, end_device_lfdi=home.lfdi, status=code, subject=mrid)
        assert (await home.ask("POST", RESPONSES, body)).status == 201


@pytest.fixture
async def scene(settings: HeadEndSettings, pki: Pki) -> AsyncIterator[Scene]:
    identity = pki.identity("home-c")
    upstream = UpstreamSettings(
        url="https://127.0.0.1:9/dcap",
        certificate=identity.certificate,
        key=identity.key,
        roots=pki.trust.roots,
        crls=pki.trust.crls,
        pin=PIN,
        turn_s=3600,
    )
    async with AsyncExitStack() as stack:
        head_end = await stack.enter_async_context(
            HeadEnd(settings.model_copy(update={"upstream": upstream, "busy_timeout_s": 5.0}))
        )
        operator, fleet = Operator(head_end), Fleet()
        stack.push_async_callback(operator.aclose)
        homes: list[Home] = []
        for name, edition in (("home-a", Edition.CSIP_AUS), ("home-b", Edition.Y2018)):
            homes.append(Home(pki.identity(name), pki, head_end.addresses.base_url))
            stack.push_async_callback(homes[-1].aclose)
            await operator.enter(homes[-1], edition)
        book = head_end.book
        port = OwnHomes(book, head_end.store, fleet, SystemClock(), upstream)
        numbers = {home.lfdi: home.id for home in book.homes}
        yield Scene(fleet, port, homes[0], homes[1], numbers)


async def able(scene: Scene, kind: Kind) -> dict[str, tuple[int, bool, bool]]:
    found = await scene.port.availability(kind)
    return {each.home: (each.most_w, each.reachable, each.opted_out) for each in found}


def order(key: str, *homes: Home, kind: Kind = Kind.SHED, value_w: int = 500) -> Order:
    names = frozenset(home.lfdi for home in homes)
    return Order(key, "E", kind, value_w, int(time.time()), 600, names)


async def test_what_homes_put_is_what_they_can_do(scene: Scene) -> None:
    a, b = scene.home.lfdi, scene.other.lfdi
    assert await able(scene, Kind.SHED) == {a: (0, False, False), b: (0, False, False)}, "unheard"
    await scene.shed(scene.home, 1200)
    assert await able(scene, Kind.SHED) == {a: (1200, True, False), b: (0, False, False)}
    await scene.shed(scene.home, 900)
    await scene.shed(scene.other, 700)
    assert await able(scene, Kind.SHED) == {a: (900, True, False), b: (700, True, False)}
    assert await able(scene, Kind.IMPORT) == {a: (14000, True, False), b: (14000, False, False)}, (
        "2018 has no word for it"
    )
    scene.fleet.largest[a], scene.fleet.served[b] = 300, Access.OWN
    assert await able(scene, Kind.SHED) == {a: (300, True, False), b: (700, False, False)}


async def test_who_left_an_order_that_runs_is_not_asked_by_another(scene: Scene) -> None:
    for home in (scene.home, scene.other):
        await scene.shed(home, 1000)
    made = await scene.port.dispatch([order("1", scene.home, scene.other)])
    first = str(made["1"])
    assert await scene.port.dispatch([order("1", scene.home, scene.other)]) == made
    for code in (1, 2, 4):
        await scene.answer(scene.home, first, code, code)
    a, b = scene.home.lfdi, scene.other.lfdi
    assert await able(scene, Kind.SHED) == {a: (1000, True, True), b: (1000, True, False)}
    assert (await able(scene, Kind.GENERATE))[a][2] is False, "that is another thing"
    found = await scene.port.responses([first, "none"], 0.0)
    assert [(each.home, each.code) for each in found[first]] == [(a, 1), (a, 2), (a, 4)]
    assert found["none"] == []
    assert await scene.port.responses([first], time.time() + 60) == {first: []}
    await scene.answer(scene.home, first, 5, 5)
    assert (await able(scene, Kind.SHED))[a][2] is False
    await scene.answer(scene.home, first, 4, 6)
    await scene.port.cancel([first])
    assert (await able(scene, Kind.SHED))[a][2] is False, "it is over"
    assert isinstance(found[first][0], Answer)


Post = Callable[..., Awaitable[None]]


@pytest.fixture
def post(scene: Scene) -> Post:
    """Post a reading of one minute that ended some seconds ago."""

    async def reading(
        value: int,
        *,
        mrid: str = "01",
        point: str = "AA",
        role: int = PREMISES,
        flow: int = FORWARD,
        phase: int | None = None,
        uom: int = 38,
        ago_s: int = 0,
    ) -> None:
        meter = MirrorMeterReading(
            mrid=mrid * 16,
            description="power",
            reading_type=ReadingType(
                accumulation_behaviour=12, flow_direction=flow, phase=phase, uom=uom
            ),
            reading=MirrorReading(
                value=value,
                time_period=DateTimeInterval(start=int(time.time()) - 60 - ago_s, duration=60),
            ),
        )
        usage = MirrorUsagePoint(
            mrid=point * 16,
            description="point",
            role_flags=role,
            service_category_kind=0,
            status=1,
            device_lfdi=scene.home.lfdi,
            mirror_meter_reading=(meter,),
        )
        answer = await scene.home.ask("POST", "/mup", usage)
        assert answer.status in {201, 204}, answer.text

    return reading


async def net(scene: Scene) -> Reading:
    (found,) = [each for each in await scene.port.readings() if each.home == scene.home.lfdi]
    return found


async def test_a_homes_net_power_is_that_of_its_connection_point(scene: Scene, post: Post) -> None:
    await scene.shed(scene.home, 100)
    assert (await net(scene)).net_w is None, "a sign of life"
    await post(77, mrid="02", point="BB", role=DER)
    await post(78, mrid="03", phase=128)
    await post(79, mrid="04", uom=63)
    assert (await net(scene)).net_w is None, "a DER, a phase, reactive power"
    await post(1500, ago_s=600)
    await post(1600, ago_s=540)
    read = await net(scene)
    assert read.net_w == 1600
    assert read.measured_at == pytest.approx(time.time() - 540, abs=30)
    assert read.at == pytest.approx(time.time(), abs=30)
    await post(400, mrid="05", flow=REVERSE, ago_s=540)
    assert (await net(scene)).net_w == 1200, "what it gives is told apart"
    (first, _) = await scene.port.availability(Kind.IMPORT)
    assert (first.home, first.need_w) == (scene.home.lfdi, 1200)


async def test_old_readings_tell_nothing_of_what_it_needs(scene: Scene, post: Post) -> None:
    await post(1500, ago_s=3600)
    (first, _) = await scene.port.availability(Kind.IMPORT)
    assert first.need_w is None
    await post(900, ago_s=-3600)
    read = await net(scene)
    assert read.measured_at <= time.time(), "a home may say any time"
