"""What lasts longer on the way to the utility: partitions, black holes, routers that forget."""

import asyncio
import time
from pathlib import Path

import pytest

from hems.commands.event import Event
from tests.machines import needs_namespaces
from tests.netfaults.conftest import Line, opened, watched
from tests.netfaults.names import Book
from tests.netfaults.town import BOOK, HUB, HUB6, KNOWN, NAME, ROUTER
from tests.netfaults.wire import Weather
from tests.waiting import until

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.requirement("LC-TEST", "PRO-2030.5"),
    pytest.mark.deep,
    pytest.mark.timeout(1500),
    needs_namespaces,
]

SLOW = [Weather(loss=0.3), Weather(delay_s=2.0), Weather(bits_per_s=32_000)]


async def _carried_out(line: Line, seconds: int = 30) -> Event:
    event = await line.event(seconds)
    await line.runs(event)
    await line.answered(event, [1, 2, 3])
    return event


@pytest.mark.parametrize("weather", SLOW, ids=["30 % lost", "2 s each way", "32 kbit/s"])
async def test_a_hub_that_starts_on_a_bad_line_gets_through(line: Line, weather: Weather) -> None:
    """Every connection is a new one, with its whole handshake, and all is to be read at once."""
    with line.town.patient(), line.town.bad("wan", weather):
        line.watching = False
        await line.rig.stage.hub.stop()
        await line.rig.stage.start_hub()
        line.watching = True
        await line.link("connected")
        event = await line.event(120)
        await line.runs(event)
        await line.rig.cancel(event.id)
        await line.answered(event, [1, 2, 6])


async def test_a_name_server_that_takes_ten_seconds(line: Line) -> None:
    line.town.book(Book(names=KNOWN, slow_s=10.0))
    line.town.new_flows()
    try:
        await _carried_out(line)
    finally:
        line.town.book(BOOK)


async def test_a_name_server_that_knows_no_name(line: Line) -> None:
    """That is an answer: connections that stand go on, new ones wait for the name."""
    line.town.book(Book(mood="none"))
    try:
        await line.link_of_new_flows("unreachable", "Name or service not known")
    finally:
        line.town.book(BOOK)


async def test_large_packets_vanish(line: Line) -> None:
    """Nobody says so, as where a router filters ICMP: handshakes stall, and end in time."""
    with line.town.bad("wan", Weather(mtu=600)):
        line.town.new_flows()
        home = await line.link("unreachable", " within ")  # 15 s a handshake, 30 s a request
        assert not {tile.id for tile in home.devices if tile.quality != "good"}
    await _carried_out(line)


async def test_a_router_forgets_its_connections(line: Line) -> None:
    """Nobody at either end is told; what is polled finds the next event all the same."""
    line.town.new_flows(silently=True)
    await _carried_out(line, seconds=90)


async def test_a_router_lets_nobody_in(line: Line) -> None:
    """As behind a NAT without a forwarded port: no notification comes, and polling does."""
    closed = f"""chain in_from_wan {{
        type filter hook forward priority 10;
        iifname "wan0" ip daddr {HUB} ct state new drop
    }}"""
    with line.town.rules(closed):
        line.town.new_flows()
        await line.link("connected")
        await _carried_out(line, seconds=60)


async def test_the_cable_is_pulled(line: Line) -> None:
    """The hub's own: neither utility nor devices are there."""
    line.town.hub.ip("link set net0 down")
    try:
        await line.link("unreachable")
        await until(
            line.rig.home,
            lambda home: all(tile.quality != "good" for tile in home.devices),
            60.0,
            "no device answers",
        )
    finally:
        line.town.hub.ip("link set net0 up")
        line.town.hub.ip(f"route replace default via {ROUTER}")
        line.town.hub.ip("-6 address replace 2001:db8:50::2/64 dev net0 nodad")
        line.town.hub.ip("-6 route replace default via 2001:db8:50::1")


async def test_the_hub_gets_another_address(line: Line) -> None:
    """The utility posts where the hub was; what is polled finds the event. Then it is back."""
    other = HUB.rpartition(".")[0] + ".77"
    hub = line.town.hub
    hub.ip(f"address add {other}/24 dev net0")
    hub.ip(f"address del {HUB}/24 dev net0")
    hub.ip(f"address replace {other}/24 dev net0")
    hub.ip(f"route replace default via {ROUTER}")
    try:
        await line.link("connected")
        event = await line.event(90)
        await line.begins(event)  # the charger calls in vain where the hub was
        await line.rig.cancel(event.id)
    finally:
        hub.ip(f"address replace {HUB}/24 dev net0")
        hub.ip(f"route replace default via {ROUTER}")
        hub.ip(f"address del {other}/24 dev net0")
        hub.ip(f"address replace {HUB}/24 dev net0")
        hub.ip(f"route replace default via {ROUTER}")
    await line.answered(event, [1, 2, 6])


async def test_a_name_with_a_dead_address_of_ipv6(line: Line) -> None:
    line.town.book(Book(names={**KNOWN, NAME: ("2001:db8:60::dead", *KNOWN[NAME])}))
    line.town.new_flows()
    try:
        await _carried_out(line)
    finally:
        line.town.book(BOOK)


@pytest.mark.parametrize(
    ("cut_s", "runs_on_s", "lost_after"),
    [(60, 45, '"20 s"'), (600, 300, '"15 min"')],
    ids=["a minute, with contact counted as lost", "10 min"],
)
async def test_a_partition(tmp_path: Path, cut_s: int, runs_on_s: int, lost_after: str) -> None:
    """The event under way goes on to its end, and one of meanwhile is found after the partition.

    Each is answered once; what was measured is posted.
    """
    async with opened(tmp_path, utility=(f"comms_loss = {lost_after}",)) as line, watched(line):
        early = await line.event(runs_on_s)
        await line.runs(early)
        line.town.weather("wan", Weather(cut=True))
        began = time.time()
        await line.link("unreachable")
        while time.time() < early.start + early.duration_s - 3:
            home = await line.rig.home()
            card = home.card(early.id)
            assert card is not None
            assert card.state == "running"
            await asyncio.sleep(0.5)
        missed = await line.event(cut_s + 540)
        await asyncio.sleep(max(0.0, began + cut_s - time.time()))
        assert (await line.rig.home()).card(missed.id) is None
        line.town.weather("wan")
        await line.link("connected")
        await line.runs(missed)
        await line.answered(early, [1, 2, 3])
        await line.rig.cancel(missed.id)
        await line.answered(missed, [1, 2, 6])
        await _posted(line, began, began + cut_s)


async def _posted(line: Line, since: float, until_at: float) -> None:
    """Wait until what was measured in a span is at the utility, without a gap."""

    async def gaps() -> float:
        readings = [
            r
            for r in await line.rig.readings("Net active power")
            if since - 10 <= r.start <= until_at
        ]
        spans = sorted((r.start, r.start + r.duration_s) for r in readings)
        at, missing = since, 0.0
        for begin, end in spans:
            missing += max(0.0, begin - at)
            at = max(at, end)
        return missing + max(0.0, until_at - at)

    await until(gaps, lambda missing: missing <= 0.0, 60.0, "all that was measured is posted")


async def test_ipv6_alone(tmp_path: Path) -> None:
    """The utility has no other address, and its notifications come in over IPv6, too."""
    async with opened(tmp_path, ipv6=True) as line, watched(line):
        event = await line.event(30)
        await line.runs(event)
        await line.answered(event, [1, 2, 3])
        log = line.rig.stage.hub.log.read_text(encoding="utf-8")
        assert f"https://[{HUB6}]:" in log
