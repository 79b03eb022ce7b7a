"""`hems device scan`: what is in the home and could be added."""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

from der.discovery.callins import called, hearing
from der.discovery.finders import LISTENS_S, Network, announcing, behind_broker, sweeping
from der.discovery.found import Found, How
from der.discovery.interfaces import own_interfaces
from der.discovery.scan import Finder, Report, Tell, scan
from der.discovery.subnet import refusal, targets
from der.discovery.sweep import MODBUS, Place
from der.discovery.sweep import places as whole
from hems import wiring
from hems.commands.hub import HubError, running
from hems.commands.kept_scan import Row, ScanError, keep, numbered
from hems.commands.output import fail
from hems.commands.progress import bar
from hems.device_surface import CallerView
from hems.settings.config import Config, load
from hems.settings.device_section import DeviceSection, description
from hems.settings.device_table import places, where
from hems.settings.toml_file import ConfigError

WITHIN_S: Final = 120.0
"""A /24 takes about ten seconds; several networks with many silent hosts longer."""
_LAST_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """How to scan.

    Attributes:
        config: The configuration file; there need not be one.
        url: Where the running hub's page is; None for where the configuration has it.
        at: Places ("HOST" or "HOST:PORT") to sweep instead of the local networks.
        listen_s: How long announcements are listened for, in s.
        as_json: Whether to print JSON.
    """

    config: Path
    url: str | None = None
    at: Sequence[str] = ()
    listen_s: float = LISTENS_S
    as_json: bool = False


class TargetError(Exception):
    """A place that may not be asked; `str()` says why."""


def run(options: ScanOptions) -> int:
    """Scan and print what was found; returns the exit code."""
    try:
        # Whoever has no configuration yet may well look around first.
        config = load(options.config) if options.config.exists() else Config()
        report = asyncio.run(_scan(config, options))
    except (ConfigError, HubError, TargetError) as error:
        return fail(str(error))
    rows = numbered(report.found)
    try:
        keep(rows, config.home.devices)
    except ScanError as error:
        print(f"hems: {error}", file=sys.stderr)
    if options.as_json:
        found = [row.model_dump() for row in rows]
        print(json.dumps({"found": found, "troubles": report.troubles}, indent=2))
        return 0
    for trouble in report.troubles:
        print(f"hems: {trouble}", file=sys.stderr)
    for line in listed(rows):
        print(line)
    return 0


def listed(rows: Sequence[Row]) -> Sequence[str]:
    """Return results in lines; pure."""
    if not rows:
        return ["nothing found"]
    lines = []
    for row in rows:
        known = f"  [is {row.configured}]" if row.configured else ""
        how = ", ".join(row.how)
        lines.append(f"{row.number:>3}  {row.kind or '?':<13} {row.who or '-':<34} {row.where}")
        lines[-1] += f"  ({how}){known}"
        if row.note:
            lines.append(f"     {row.note}")
    if any(row.driver and not row.configured for row in rows):
        lines.append("add one with: hems device add NAME --found NUMBER")
    return lines


async def _scan(config: Config, options: ScanOptions) -> Report:
    hub = await asyncio.to_thread(running, config, options.url)
    calls = None if hub is None else await asyncio.to_thread(hub.callers)
    known = await _resolved_all(config)
    held = [] if hub is None else [d for d in known if d.port is not None]
    network = Network(own_interfaces(), held=frozenset((d.host, d.port or 0) for d in held))
    asked, said = await _targets(options.at, network)
    finders = [sweeping(asked, network)] if asked else []
    finders += [_known(held)] if held else []
    if not options.at:
        finders.append(announcing(network, options.listen_s))
    if config.mqtt.model_fields_set:
        finders.append(behind_broker(wiring.shared(config).broker, options.listen_s))
    if calls is not None:
        finders.append(_told(calls))
    else:
        finders.append(hearing(wiring.shared(config).central, options.listen_s))
    seen = config.model_copy(update={"device": tuple(known)})
    with bar() as progress:
        report = await scan(
            finders,
            within_s=WITHIN_S,
            configured=places(config) | places(seen),
            progress=progress.scan,
        )
    return Report(report.found, (*said, *report.troubles))


async def _targets(named: Sequence[str], network: Network) -> tuple[Sequence[Place], Sequence[str]]:
    """Return whom to ask and what is to be said of it; raises TargetError."""
    if not named:
        found = targets(network.interfaces)
        return whole(found.addresses), found.said
    asked = []
    for text in named:
        host, _, port = text.partition(":")
        if port and not (port.isdigit() and 0 < int(port) <= _LAST_PORT):
            raise TargetError(f"--at {text}: {port!r} is no port")
        address = await _resolved(host)
        why = refusal(address, network.interfaces)
        if why is not None:
            raise TargetError(f"--at {text}: {why}")
        asked.append((address, int(port) if port else MODBUS))
    return asked, ()


async def _resolved(host: str) -> str:
    """Return the address of a host; the host itself where it has none."""
    try:
        IPv4Address(host)
    except ValueError:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, None, family=socket.AF_INET)
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
            yield called(call.identity, call.remote, call.subprotocol)

    return Finder("OCPP call-ins", find)
