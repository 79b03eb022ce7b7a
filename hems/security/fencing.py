"""Has the firewall's helper set what follows from the devices' standing, and says when it doesn't.

The firewall concerns what passes the hub. Addresses are those that the configuration names and
those from which devices have answered; names of places outside are looked up anew now and then,
for they move. Who answers to a device's name (mDNS) may be anybody of the home's network, so no
name has a rule made about the router, a utility or the hub itself.
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_address, ip_network
from math import ceil
from typing import Final

from pydantic import ValidationError

from der.sentence import say
from hems.emg.firewall.client import FirewallError, ask
from hems.emg.firewall.wire import (
    LONGEST_BARRED_S,
    MOST_BARRED,
    MOST_PLACES,
    DeviceRules,
    Order,
    Outside,
    Rules,
    State,
)
from hems.emg.firewall.wire import Barred as Wall
from hems.emg.threats.barrier import Barred
from hems.emg.trust.neighbours import mac_of
from hems.emg.trust.standing import TrustStanding
from hems.emg.trust.trust import StandingView, Trust
from hems.security.gateways import gateways
from hems.settings.config import Config
from hems.settings.firewall_section import host_port

_log = logging.getLogger(__name__)

EVERY_S: Final = 60.0
_SHUT: Final = frozenset({TrustStanding.BLOCKED, TrustStanding.QUARANTINED})
Kept = Callable[[], Sequence[Barred]]
Found = Mapping[str, tuple[str, ...]]
"""IP addresses of host names."""


class Fencing:
    """Keeps the firewall as the list of trusted devices has it.

    Args:
        config: The home's.
        trust: The list.
        alarm: Told in one sentence what the owner should know; None once it is over.
        every_s: How often it looks.
        barred: Returns who is kept out for a while.
        spared: Returns the addresses that no rule is about: the hub's own, and its utilities'.
    """

    def __init__(
        self,
        config: Config,
        trust: Trust,
        alarm: Callable[[str | None], None],
        every_s: float = EVERY_S,
        *,
        barred: Kept = tuple,
        spared: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._section = config.firewall
        self._hosts = {device.id: device.host for device in config.device if device.port}
        self._trust = trust
        self._alarm = alarm
        self._every_s = every_s
        self._barred = barred
        self._spared = spared
        # The page lets in who proves who they are, and 2030.5's listener knows its callers by
        # their certificates: neither owner nor utility is locked out by an address.
        self._open_ports = open_ports(config)
        self._news = asyncio.Event()
        self._state = State()
        self._walled: frozenset[str] = frozenset()

    @property
    def walled(self) -> Collection[str]:
        """Ids of the devices whose traffic through the hub is under rules now."""
        return self._walled

    @property
    def state(self) -> State:
        """What the helper told last."""
        return self._state

    def changed(self) -> None:
        """Look at once: devices stand otherwise than before."""
        self._news.set()

    async def run(self) -> None:
        """Keep the rules until cancelled; they stay when the hub ends."""
        while self._section.on:
            self._news.clear()
            await self.look()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every_s):
                    await self._news.wait()

    async def look(self) -> None:
        """Have the rules set as they should be now."""
        wanted = {host_port(p)[0] for places in self._section.outside.values() for p in places}
        found = await looked_up({*wanted, *self._hosts.values()})
        fenced = rules_of(
            self._trust.standings,
            self._hosts,
            self._section.outside,
            found,
            spared={*self._spared(), *gateways()},
        )
        known = {str(each) for device in fenced.devices for each in device.addresses}
        rules = fenced.model_copy(
            update={"barred": walls(self._barred(), known), "open_ports": self._open_ports}
        )
        try:
            self._state = await ask(self._section.socket, Order(ask="set", rules=rules))
        except FirewallError as error:
            self._walled = frozenset()
            self._alarm(
                say(
                    "The firewall's rules cannot be set: {error}. Devices that are shut are told "
                    "nothing and not let in, but what they send through the hub is not stopped.",
                    error=error,
                )
            )
            return
        self._walled = frozenset(d.device for d in rules.devices if d.macs or d.addresses)
        self._alarm(None)


def open_ports(config: Config) -> tuple[int, ...]:
    """Return the hub's TCP ports that are open to who is kept out too."""
    web = config.web
    ports = (web.port, web.https_port, *(each.notify_port for each in config.utility))
    return tuple(dict.fromkeys(port for port in ports if port))


def walls(barred: Sequence[Barred], known: Collection[str]) -> tuple[Wall, ...]:
    """Return who may begin nothing new at the hub.

    A device of the home is none of them: it would be cut off from who speaks to it. What is wrong
    with a device is judged by its standing.

    Args:
        barred: Who is kept out, and for how long still.
        known: Addresses of the home's devices.
    """
    found = []
    for each in barred:
        seconds = min(ceil(each.left_s), LONGEST_BARRED_S)
        try:
            network = ip_network(each.source, strict=False)
            wall = Wall(source=network, seconds=seconds)
        except ValueError:  # no address, or none of a machine
            continue
        if not any(ip_address(address) in network for address in known):
            found.append(wall)
    return tuple(found[-MOST_BARRED:])


def rules_of(
    standings: Mapping[str, StandingView],
    hosts: Mapping[str, str],
    outside: Mapping[str, tuple[str, ...]],
    found: Found,
    *,
    spared: Collection[str] = (),
    mac: Callable[[str], str] = mac_of,
) -> Rules:
    """Return the rules that follow from how devices stand.

    Devices that share an address, such as those behind one gateway, share what holds: it is shut
    only when all of them are, for one that is well must not be lost with another.

    Args:
        standings: How each device stands.
        hosts: The host of each device that the hub calls, by id.
        outside: Where each may go, HOST:PORT, by id.
        found: IP addresses of host names.
        spared: IP addresses that no rule may be about, whoever's they seem to be.
        mac: Returns the MAC address behind an IP address.
    """
    shut = {name: view.standing in _SHUT for name, view in standings.items()}
    known = {n: _addresses(v, hosts.get(n, ""), found, spared) for n, v in standings.items()}
    cards_spared = {mac(address) for address in spared}
    macs = {n: _macs(standings[n], own, mac) - cards_spared for n, own in known.items()}
    well = {place for n in known if not shut[n] for place in (*known[n], *macs[n])}
    devices = []
    for name in standings:
        ours = [a for a in known[name] if not shut[name] or a not in well]
        cards = [m for m in sorted(macs[name]) if not shut[name] or m not in well]
        if ours or cards:
            devices.append(
                DeviceRules(
                    device=name,
                    macs=tuple(cards),
                    addresses=tuple(ip_address(a) for a in ours),
                    shut=shut[name],
                    outside=tuple(_outside(outside.get(name, ()), found))[:MOST_PLACES],
                )
            )
    return Rules(devices=tuple(devices))


def _macs(view: StandingView, addresses: Collection[str], mac: Callable[[str], str]) -> set[str]:
    seen = {found for each in addresses if (found := mac(each))}
    if view.identity is not None and view.identity.mac:
        seen.add(view.identity.mac)
    return seen


def _addresses(
    view: StandingView, host: str, found: Found, spared: Collection[str]
) -> tuple[str, ...]:
    answered = "" if view.connection is None else view.connection.host
    every = dict.fromkeys((*found.get(host, ()), *((answered,) if answered else ())))
    return tuple(a for a in every if a not in spared and _of_a_machine(a))


def _of_a_machine(text: str) -> bool:
    try:
        DeviceRules.model_validate_json(f'{{"device": "a", "addresses": ["{text}"]}}')
    except ValidationError:
        return False
    return True


def _outside(places: Collection[str], found: Found) -> Iterator[Outside]:
    for place in places:
        host, port = host_port(place)
        for address in found.get(host, ()):
            if _of_a_machine(address):
                yield Outside(address=ip_address(address), port=port)


async def looked_up(hosts: Collection[str]) -> Found:
    """Return the IP addresses of hosts; none of one that cannot be found now."""
    loop = asyncio.get_running_loop()
    found = {}
    for host in hosts:
        try:
            infos = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except OSError as error:
            _log.info("the firewall has no address of %s: %s", host, error)
            continue
        found[host] = tuple(dict.fromkeys(str(info[4][0]) for info in infos))
    return found
