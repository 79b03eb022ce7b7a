"""From devices' standing to the firewall's rules, as a table; and a helper that is not there."""

import asyncio
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import cast

import pytest

from der.model import Connection
from hems.emg.firewall.wire import DeviceRules, Outside
from hems.emg.trust.identity import Identity
from hems.emg.trust.standing import TrustStanding
from hems.emg.trust.trust import StandingView, Trust
from hems.security.fencing import Fencing, rules_of
from hems.security.gateways import gateways
from hems.settings.config import Config
from hems.settings.firewall_section import FirewallSection

pytestmark = pytest.mark.requirement("L2-BLOCK")

MAC, OTHER_MAC = "02:00:00:00:00:40", "02:00:00:00:00:41"
WELL = StandingView("a", TrustStanding.TRUSTED, "", {}, {}, None, None, (), None)
SHUT = replace(WELL, standing=TrustStanding.BLOCKED, why="stolen")
A, B = "192.168.1.40", "192.168.1.41"


def no_mac(_: str) -> str:
    return ""


def test_each_device_has_what_is_known_of_it() -> None:
    keyed = replace(
        SHUT,
        identity=Identity(mac=OTHER_MAC),
        connection=Connection("x", host=B),
    )
    rules = rules_of(
        {"a": WELL, "b": keyed, "behind a broker": WELL},
        {"a": "battery.example"},
        {"a": ("cloud.example:443", "gone.example:443")},
        {"battery.example": (A, "127.0.0.1"), "cloud.example": ("203.0.113.9",)},
        mac=lambda host: MAC if host == A else "",
    )
    assert rules.devices == (
        DeviceRules(
            device="a",
            macs=(MAC,),
            addresses=(ip_address(A),),
            outside=(Outside(address=ip_address("203.0.113.9"), port=443),),
        ),
        DeviceRules(device="b", macs=(OTHER_MAC,), addresses=(ip_address(B),), shut=True),
    )


def test_what_is_shared_with_a_device_that_is_well_is_not_shut() -> None:
    hosts, found = {"a": "gateway", "b": "gateway"}, {"gateway": (A,)}
    rules = rules_of({"a": WELL, "b": SHUT}, hosts, {}, found, mac=lambda _: MAC)
    assert [(each.device, each.shut) for each in rules.devices] == [("a", False)]
    rules = rules_of({"a": SHUT, "b": SHUT}, hosts, {}, found, mac=lambda _: MAC)
    assert [each.shut for each in rules.devices] == [True, True]


@pytest.mark.parametrize("stands", [WELL, SHUT])
def test_who_answers_to_a_devices_name_gets_no_rule_made_about_router_or_utility(
    stands: StandingView,
) -> None:
    router, utility, router_mac = "192.168.1.1", "203.0.113.7", "02:00:00:00:00:01"
    lied = replace(stands, connection=Connection("x", host=router), identity=Identity(mac=MAC))
    rules = rules_of(
        {"a": lied},
        {"a": "battery.local"},
        {},
        {"battery.local": (router, utility, A)},
        spared={router, utility},
        mac=lambda host: {router: router_mac, A: OTHER_MAC}.get(host, ""),
    )
    (rule,) = rules.devices
    assert rule.addresses == (ip_address(A),)
    assert rule.macs == (MAC, OTHER_MAC)
    pinned = replace(stands, identity=Identity(mac=router_mac))
    rules = rules_of({"a": pinned}, {}, {}, {}, spared={router}, mac=lambda _: router_mac)
    assert rules.devices == ()


def test_routers_are_those_of_the_kernels_tables(tmp_path: Path) -> None:
    v4, v6 = tmp_path / "route", tmp_path / "ipv6_route"
    assert gateways(v4, v6) == frozenset()
    v4.write_text(
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
        "eth0\t0000000A\tzz\t0003\n\n"
    )
    none = "0" * 32
    v6.write_text(
        f"{none} 00 {none} 00 fd000000000000000000000000000001 00000400 3 0 00000003 eth0\n"
        f"{none} 00 {none} 00 {none} ffffffff 1 0 00200200 lo\nnonsense\n"
    )
    assert gateways(v4, v6) == {"192.168.1.1", "fd00::1"}


def test_new_ones_are_not_shut_but_fenced() -> None:
    new = replace(WELL, standing=TrustStanding.NEW, why="nobody has approved it yet")
    (rule,) = rules_of({"a": new}, {"a": A}, {}, {A: (A,)}, mac=no_mac).devices
    assert not rule.shut


class _List:
    """A list of one device that is shut."""

    standings = {"a": SHUT}  # noqa: RUF012 - read only


async def test_a_helper_that_is_not_there_is_said_once_it_is_looked_for(tmp_path: Path) -> None:
    said: asyncio.Queue[str | None] = asyncio.Queue()
    section = FirewallSection(on=True, socket=tmp_path / "none")
    fencing = Fencing(Config(firewall=section), cast("Trust", _List()), said.put_nowait)
    running = asyncio.create_task(fencing.run())
    async with asyncio.timeout(10):
        first = await said.get()
    running.cancel()
    assert first is not None
    assert "cannot be set" in first
    assert fencing.walled == frozenset()


async def test_it_does_nothing_where_it_is_off(tmp_path: Path) -> None:
    said: list[str | None] = []
    section = FirewallSection(socket=tmp_path / "none")
    await Fencing(Config(firewall=section), cast("Trust", _List()), said.append).run()
    assert said == []


@pytest.mark.parametrize(
    "place", ["", "host", "host:", "host:0", "host:65536", "a b:1", "-a:1", "host:1;drop", "::1:9"]
)
def test_what_is_no_place(place: str) -> None:
    with pytest.raises(ValueError, match="HOST:PORT"):
        FirewallSection(outside={"a": (place,)})
