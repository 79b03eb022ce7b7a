"""The home's own network: the switch, the wireless, addresses; a limit holds meanwhile."""

import asyncio
import time

import pytest

from tests.machines import Machine, machine, needs_namespaces
from tests.netfaults.conftest import LIMIT_W, Line, bad
from tests.netfaults.names import Book
from tests.netfaults.town import BOOK, HOUSE, KNOWN, METER
from tests.netfaults.wire import Weather
from tests.waiting import until

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.requirement("LC-TEST"),
    pytest.mark.deep,
    pytest.mark.timeout(900),
    needs_namespaces,
]

MOVED = HOUSE.rpartition(".")[0] + ".11"
LEFT = f"""table ip left {{ chain inward {{
    type filter hook prerouting priority -300;
    ip daddr {HOUSE} drop
}}
}}"""


async def test_the_switch_starts_anew_in_an_event(line: Line) -> None:
    """All devices are gone for a minute; the event goes on, and holds again when they are back."""
    event = await line.event(150)
    await line.runs(event)
    began = time.time()
    with line.town.bad("lan", Weather(cut=True)):
        await until(line.rig.home, lambda home: len(bad(home)) == 6, 60.0, "all are gone")
        await asyncio.sleep(max(0.0, began + 60 - time.time()))
        home = await line.rig.home()
        card = home.card(event.id)
        assert card is not None
        assert card.state == "running"
        assert home.utility.state == "connected"
        assert all(tile.power_w != 0.0 for tile in home.devices if tile.id in {"meter", "ev"})
    await line.well()
    await line.runs(event)
    await line.rig.cancel(event.id)
    await line.answered(event, [1, 2, 6])


async def test_a_wireless_that_loses_30_percent(line: Line) -> None:
    """Devices come and go; a limit is reached all the same."""
    with line.town.bad("lan", Weather(loss=0.3)):
        event = await line.event(120)
        await until(
            lambda: line.rig.trace(time.time() - 5.0),
            lambda trace: bool(trace) and max(s.meter_w for s in trace) <= LIMIT_W + 100,
            90.0,
            "the limit is kept in truth",
        )
    await line.rig.cancel(event.id)
    await line.answered(event, [1, 2, 6])


async def test_a_meter_known_by_name_is_found_again_without_the_name_server(line: Line) -> None:
    line.town.book(Book(mood="silent"))
    try:
        with line.town.bad("lan", Weather(cut=True)):
            await until(line.rig.home, lambda home: "meter" in bad(home), 60.0, "it is gone")
        await line.well()
    finally:
        assert line.town.book(BOOK) > 0, "nobody was asked"


async def test_a_device_known_by_name_gets_another_address(line: Line) -> None:
    """The meter's name leads to the new one, and the hub to the meter; the others wait."""
    house = line.town.house
    house.ip(f"address add {MOVED}/24 dev net0")
    house.ip(f"address del {HOUSE}/24 dev net0")
    house.ip(f"address replace {MOVED}/24 dev net0")
    house.ip("route replace default via 192.168.50.1")
    # What was led in before would be led in still: connections are known by their old addresses.
    house.run("nft", "-f", "-", given=LEFT)
    line.town.book(Book(names={**KNOWN, METER: (MOVED,)}))
    try:
        await until(
            line.rig.home,
            lambda home: "meter" not in bad(home) and "pv" in bad(home),
            90.0,
            "the meter is found, and the others are not",
        )
    finally:
        line.town.book(BOOK)
        house.run("nft", "delete", "table", "ip", "left")
        house.ip(f"address replace {HOUSE}/24 dev net0")
        house.ip(f"address del {MOVED}/24 dev net0")
        house.ip(f"address replace {HOUSE}/24 dev net0")
        house.ip("route replace default via 192.168.50.1")


async def test_two_machines_have_the_devices_address(line: Line) -> None:
    """Somebody else answers for it, at whom nothing listens; then the right one is found again."""
    with machine() as other:
        line.town.router.ip(f"link add lan2 type veth peer name net0 netns {other.pid}")
        line.town.router.ip("link set lan2 master home up")
        other.ip(f"address add {HOUSE}/24 dev net0")
        other.ip("link set net0 up")
        line.town.hub.ip(f"neigh replace {HOUSE} lladdr {_mac(other)} dev net0")
        try:
            await until(line.rig.home, lambda home: len(bad(home)) >= 4, 60.0, "devices are gone")
        finally:
            line.town.hub.ip(f"neigh del {HOUSE} dev net0")
            other.ip("link set net0 down")


def _mac(where: Machine) -> str:
    return where.run("ip", "-o", "link", "show", "net0").split("link/ether ")[1].split()[0]
