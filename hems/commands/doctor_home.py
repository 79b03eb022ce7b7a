"""What a home's configuration leads to, for `hems doctor`: its files, ports, devices, utilities."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from certs.errors import CertificateError
from der.addresses import MappedAddress, ModbusAddress, P1Address
from der.model import DeviceKind
from der.registry import DRIVERS, Driver
from hems import wiring
from hems.commands.doctor_hub import Seen
from hems.doctor.facts import DeviceFacts, File, Listened, Step, UtilityFacts
from hems.doctor.probes import files as probe
from hems.doctor.probes import machine, network
from hems.doctor.probes.files import Pem
from hems.security.certificates import files as certificate_files
from hems.security.devices import trusted
from hems.security.surface import Renewal
from hems.settings import settings_file
from hems.settings.config import Config
from hems.settings.toml_file import ConfigError, read_toml
from hems.settings.utility_section import UtilitySection
from hems.store.key_file import key_path

_DIALLED: Final = (ModbusAddress, MappedAddress, P1Address)
"""Devices that take connections; all others call us, or are reached through somebody."""
_OCPP: Final = (Driver.OCPP16, Driver.OCPP201)
_CONNECTED: Final = "connected"
_TRUSTED: Final = "trusted"


def files(path: Path, config: Config) -> list[File]:
    """Return the files that a home cannot do without, or must not show, as far as they are."""
    store = config.store.path
    kept = (  # made by the program when there is something to keep
        (config.home.devices, "the devices file, with passwords", True),
        (settings_file.place(path), "what the page has set", True),
        (store, "the store", True),
        (key_path(store), "the store's key", True),
        (path, "the configuration", _has_password(_written(path))),
    )
    named = (
        (config.keys.secret, "the secret of the keys"),
        (config.threats.webhook_secret, "the secret of the webhook"),
        (config.agent.secret, "the secret shared with the agent"),
    )
    found = [probe.file(each, what, secret=secret) for each, what, secret in kept]
    needed = [probe.file(each, what, secret=True) for each, what in named if each is not None]
    return [*(each for each in found if each.there), *needed]


def _has_password(written: object) -> bool:
    """Return whether what is written in a configuration is not for everybody on this machine."""
    match written:
        case dict():
            return bool(written.get("password")) or any(map(_has_password, written.values()))
        case list():
            return any(map(_has_password, written))
    return False


def _written(path: Path) -> object:
    """Return what stands in the configuration's own file; nothing where that cannot be read."""
    try:
        return read_toml(path)
    except ConfigError:
        return None


def pems(config: Config) -> list[Pem]:
    """Return the certificates that a home uses, as far as they are made."""
    found = [
        Pem(
            f"the certificate for {each.use.value}{f' {each.of}' if each.of else ''}",
            each.path,
            each.key,
            each.crls,
            each.renewal is Renewal.ITSELF,
            each.key is not None,
        )
        for each in certificate_files(config)
    ]
    made = config.web.keys  # at the first start, with all that is in it
    return [each for each in found if each.path.parent != made or each.path.exists()]


def ports(config: Config) -> list[Listened]:
    """Return whether the addresses can be had at which the hub is to listen."""
    web = config.web
    places = {"the page": ((web.host, web.port), "web.port")}
    if not web.for_this_machine and web.https:
        places["the page by HTTPS"] = ((web.host, web.https_port), "web.https_port")
    if any(each.driver in _OCPP for each in config.device):
        places["chargers"] = ((config.ocpp.host, config.ocpp.port), "ocpp.port")
    if config.visibility.certificate is not None:
        seen_at = (config.visibility.host, config.visibility.port)
        places["who may see what is measured"] = (seen_at, "visibility.port")
    for each in config.utility:
        what = f"notifications of {each.name}"
        places[what] = ((each.notify_host, each.notify_port), "notify_port")
    return machine.listened(
        {what: place for what, (place, _) in places.items()},
        {what: setting for what, (_, setting) in places.items()},
    )


async def devices(config: Config, seen: Seen) -> list[DeviceFacts]:
    """Return how devices are: as the hub sees them, or else whether somebody answers there."""
    addresses = {each.id: each.address for each in trusted(config)}
    return list(
        await asyncio.gather(
            *(
                _device(
                    DeviceFacts(each.id, each.kind is DeviceKind.METER, addresses.get(each.id, "")),
                    seen,
                    None if DRIVERS[each.driver].address not in _DIALLED else each.port,
                    each.host,
                )
                for each in config.device
            )
        )
    )


async def _device(facts: DeviceFacts, seen: Seen, port: int | None, host: str) -> DeviceFacts:
    told = seen.devices.get(facts.id)
    if told is not None:
        standing, why = seen.standing.get(facts.id, ("", ""))
        return replace(
            facts,
            quality=told.quality,
            age_s=told.age_s,
            error=told.error or "",
            trusted=standing == _TRUSTED if standing else None,
            untrusted=why or standing,
            risk=told.risk,
        )
    if not seen.hub.absent or port is None:  # a second master would disturb the hub's
        return facts
    return replace(facts, unreachable=await network.to_device(host, port))


async def utilities(config: Config, seen: Seen) -> Sequence[UtilityFacts]:
    """Return how utilities are; where no hub is connected, the way to them is gone from here."""
    return await asyncio.gather(*(_utility(config, each, seen) for each in config.utility))


async def _utility(config: Config, section: UtilitySection, seen: Seen) -> UtilityFacts:
    told = seen.utilities.get(section.name)
    facts = UtilityFacts(section.name)
    if told is not None:
        facts = UtilityFacts(
            section.name,
            told.state,
            told.detail,
            told.last_contact,
            seen.apart_s.get(section.name),
        )
    if facts.state == _CONNECTED:
        return facts
    return replace(facts, steps=await _steps(config, section))


async def _steps(config: Config, section: UtilitySection) -> tuple[Step, ...]:
    try:
        identity, trust = wiring.identity_files(config, section)
        lfdi = section.lfdi or wiring.own_lfdi(section)
    except CertificateError as error:
        return (Step("answer", False, str(error)),)
    schema_ver = wiring.dialect(section).schema_ver
    return await network.to_utility(section.url, identity, trust, lfdi, schema_ver)
