"""Looking through the home for devices: what the command and the page's scan do alike."""

import socket
from asyncio import get_running_loop
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Final

from der.discovery.found import Found, How
from der.discovery.interfaces import own_interfaces
from der.discovery.scan import LISTENS_S, Finder, Progress, Report, Tell, scan
from der.discovery.subnet import refusal, targets
from der.discovery.sweep import MODBUS, Place
from der.discovery.sweep import places as whole
from der.sentence import say
from hems import wiring
from hems.device_surface import CallerView
from hems.on_demand import load, on_demand
from hems.settings.config import Config
from hems.settings.device_section import DeviceSection, description
from hems.settings.device_table import places, where

if TYPE_CHECKING:
    from der.discovery import callins, finders
else:  # multicast DNS, MQTT and OCPP, for the few minutes in which a home looks for devices
    callins = on_demand("der.discovery.callins")
    finders = on_demand("der.discovery.finders")

WITHIN_S: Final = 120.0
"""A /24 takes about ten seconds; several networks with many silent hosts longer."""
_LAST_PORT: Final = 65535


class TargetError(Exception):
    """A place that may not be asked; `str()` says why."""


@dataclass(frozen=True, slots=True)
class Search:
    """Where to look, and how long.

    Attributes:
        at: Places ("HOST" or "HOST:PORT") to sweep instead of the local networks.
        listen_s: How long announcements are listened for, in s.
    """

    at: Sequence[str] = ()
    listen_s: float = LISTENS_S


async def look(
    config: Config,
    search: Search,
    *,
    running: bool,
    calls: Sequence[CallerView] | None,
    progress: Callable[[Progress], None],
) -> Report:
    """Look through the home; cancelling it ends all that looks.

    Args:
        config: The home's, whose devices are marked among what is found.
        search: Where to look.
        running: Whether a hub runs with it: what that holds is not asked.
        calls: The chargers that have called it; None where nobody listens for them.
        progress: Told several times a second how far it is; must not block.

    Raises:
        TargetError: A place of the search may not be asked.
    """
    await load(finders)
    await load(callins)
    known = await _resolved_all(config)
    held = [device for device in known if device.port is not None] if running else []
    network = finders.Network(own_interfaces(), held=frozenset((d.host, d.port or 0) for d in held))
    asked, said = await _targets(search.at, network)
    ways = [finders.sweeping(asked, network)] if asked else []
    ways += [_known(held)] if held else []
    if not search.at:
        ways.append(finders.announcing(network, search.listen_s))
    if config.mqtt.model_fields_set:
        ways.append(finders.behind_broker(wiring.shared(config).broker, search.listen_s))
    if calls is not None:
        ways.append(_told(calls))
    else:
        ways.append(callins.hearing(wiring.shared(config).central, search.listen_s))
    seen = config.model_copy(update={"device": tuple(known)})
    report = await scan(
        ways,
        within_s=WITHIN_S,
        configured=places(config) | places(seen),
        progress=progress,
    )
    return Report(report.found, (*said, *report.troubles))


async def _targets(
    named: Sequence[str], network: "finders.Network"
) -> tuple[Sequence[Place], Sequence[str]]:
    """Return whom to ask and what is to be said of it; raises TargetError."""
    if not named:
        found = targets(network.interfaces)
        return whole(found.addresses), found.said
    asked = []
    for text in named:
        host, _, port = text.partition(":")
        if port and not (port.isascii() and port.isdigit() and 0 < int(port) <= _LAST_PORT):
            raise TargetError(say("{place}: {port} is no port", place=text, port=repr(port)))
        address = await _resolved(host)
        why = refusal(address, network.interfaces)
        if why is not None:
            raise TargetError(say("{place}: {reason}", place=text, reason=why))
        asked.append((address, int(port) if port else MODBUS))
    return asked, ()


async def _resolved(host: str) -> str:
    """Return the address of a host; the host itself where it has none."""
    try:
        IPv4Address(host)
    except ValueError:
        try:
            found = await get_running_loop().getaddrinfo(host, None, family=socket.AF_INET)
        except (OSError, UnicodeError):
            return host
        return str(found[0][4][0])
    return host


async def _resolved_all(config: Config) -> Sequence[DeviceSection]:
    """Return the configured devices with the addresses of their hosts, as a scan sees them."""
    return [
        device.model_copy(update={"host": await _resolved(device.host)}) for device in config.device
    ]


def _known(held: Sequence[DeviceSection]) -> Finder:
    """Return the finder of devices that the running hub is connected to: they are not asked."""

    async def find(tell: Tell) -> AsyncGenerator[Found, None]:
        del tell
        for device in held:
            at = description(device, 0.0).at
            place = where(device)
            yield Found((How.HELD,), place, device.kind, device.driver, at, name=device.name)

    return Finder("the hub", find)


def _told(calls: Sequence[CallerView]) -> Finder:
    """Return the finder of what the running hub has been called by."""

    async def find(tell: Tell) -> AsyncGenerator[Found, None]:
        del tell
        for call in calls:
            yield callins.called(call.identity, call.remote, call.subprotocol)

    return Finder("OCPP call-ins", find)
