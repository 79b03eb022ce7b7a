"""The finders of a home: which there are, from what is configured and what this machine is."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from der.addresses import BrokerSettings, ModbusAddress
from der.discovery import broker, dnssd
from der.discovery.found import Found, How
from der.discovery.scan import LISTENS_S, Finder, Tell
from der.discovery.subnet import Interface, refusal
from der.discovery.sunspec import ask
from der.discovery.sweep import Pace, Place, sweep
from der.sentence import say


@dataclass(frozen=True, slots=True)
class Network:
    """What is known of the networks that we are in.

    Attributes:
        interfaces: Our own addresses.
        pace: How hard hosts are asked.
        multicast_on: Own addresses on which announcements are listened for; None for all.
        held: Places that a running hub is connected to: many devices bear one connection only.
    """

    interfaces: Sequence[Interface]
    pace: Pace = field(default_factory=Pace)
    multicast_on: Sequence[str] | None = None
    held: frozenset[Place] = frozenset()


def sweeping(places: Sequence[Place], network: Network) -> Finder:
    """Return the finder that asks places for SunSpec devices, but for those that are held."""
    free = [place for place in places if place not in network.held]

    async def find(tell: Tell) -> AsyncGenerator[Found, None]:
        async for found in sweep(free, network.pace, lambda n: tell(n / len(free))):
            yield found

    return Finder("SunSpec sweep", find)


def announcing(network: Network, listens_s: float = LISTENS_S) -> Finder:
    """Return the finder of what announces itself by mDNS; SunSpec devices are asked who they are.

    An announcement may name any address: only hosts of our own networks are asked.
    """

    async def find(tell: Tell) -> AsyncGenerator[Found, None]:
        del tell
        async with aclosing(dnssd.announced(network.multicast_on)) as findings:
            async for found in findings:
                for each in await _asked(found, network):
                    yield each

    return Finder("mDNS", find, listens_s)


async def _asked(found: Found, network: Network) -> Sequence[Found]:
    at = found.at
    if not isinstance(at, ModbusAddress) or (at.host, at.port) in network.held:
        return [found]
    if refusal(at.host, network.interfaces) is not None:
        return [found]
    answered = await ask(
        at.host, at.port, replace(network.pace.probe, units=(at.unit,)), How.DNS_SD
    )
    return [replace(each, name=each.name or found.name) for each in answered] or [
        replace(found, driver=None, at=None, note=say("announces SunSpec, but does not answer"))
    ]


def behind_broker(settings: BrokerSettings, listens_s: float = LISTENS_S) -> Finder:
    """Return the finder of what has announced itself at the MQTT broker."""

    async def find(tell: Tell) -> AsyncGenerator[Found, None]:
        del tell
        async with aclosing(broker.announced(settings)) as findings:
            async for found in findings:
                yield found

    return Finder("MQTT", find, listens_s)
