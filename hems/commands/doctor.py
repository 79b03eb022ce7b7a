"""`hems doctor`: what is wrong with a home's installation, and what to do about it."""

import argparse
import asyncio
import time
from collections.abc import Iterator, Sequence

from certs.errors import CertificateError
from certs.keys.opening import key_store
from certs.keys.store import KeyStore
from hems.commands import doctor_home, doctor_hub
from hems.commands.first_start import Place
from hems.commands.way_in import HOME, PACKAGED, place_of
from hems.doctor.facts import StoreFacts
from hems.doctor.finding import Finding, as_json, ok, trouble, worst
from hems.doctor.probes import files, machine
from hems.doctor.probes import store as store_probe
from hems.doctor.rules import certificates, home
from hems.doctor.rules import machine as machine_rules
from hems.doctor.rules import store as store_rules
from hems.settings import settings_file
from hems.settings.config import Config, load, there
from hems.settings.toml_file import ConfigError


def run(options: argparse.Namespace) -> int:
    """Look, print what was found, and return how grave the gravest of it is."""
    place = place_of(options)
    now = time.time()
    try:
        config = load(place.path)
    except ConfigError as error:
        findings = list(_unusable(place, error))
        return tell([*findings, *of_machine(now)], as_json_=options.json)
    findings = asyncio.run(_looked(place, config, now))
    return tell(findings, as_json_=options.json)


def _unusable(place: Place, error: ConfigError) -> Iterator[Finding]:
    """Yield why the configuration cannot be used, or not be had, and what to do."""
    remedy = "mend it; docs/settings.md lists every setting"
    match error.__cause__:
        case FileNotFoundError() if not there(place.path):
            yield trouble(
                "settings",
                f"there is no home: neither {place.path.name} nor {settings_file.NAME}",
                str(place.path.parent.absolute()),
                f"name its folder by `hems doctor --home FOLDER` or in {HOME}, or run this there; "
                f"the Debian package has it in {PACKAGED}",
            )
            return
        case PermissionError():
            remedy = home.AS_ITS_USER
    for line in str(error).splitlines():
        yield trouble("settings", line, do=remedy)


def tell(findings: Sequence[Finding], *, as_json_: bool) -> int:
    """Print what was found; returns the exit code."""
    if as_json_:
        print(as_json(findings))
    else:
        for each in findings:
            print(each.line)
    return int(worst(findings))


def of_machine(now: float) -> Iterator[Finding]:
    """Yield what there is to say of the machine alone."""
    yield from machine_rules.of_clock(machine.clock(now))
    memory = machine.memory()
    if memory is None:
        yield ok("memory", "the kernel does not tell it here")
    else:
        yield machine_rules.of_memory(memory)
    yield from machine_rules.of_versions(machine.versions())


async def _looked(place: Place, config: Config, now: float) -> list[Finding]:
    seen = await asyncio.to_thread(doctor_hub.seen, config)
    written = place.path if place.path.exists() else settings_file.place(place.path)
    findings = [ok("settings", "can be read", str(written)), *home.of_hub(seen.hub)]
    findings += of_machine(now)
    for path in dict.fromkeys((config.store.path.parent, place.path.absolute().parent)):
        findings += machine_rules.of_disk(machine.disk(path))
    keys, unkept = _keys(config)
    findings += unkept
    findings += store_rules.of_store(await _store(config, keys), now)
    findings += machine_rules.of_files(doctor_home.files(place.path, config))
    pems = doctor_home.pems(config)
    found = await asyncio.to_thread(files.certificates, pems, keys)
    findings += certificates.of_certificates(found, now)
    crls = [pem.crls for pem in pems if pem.crls is not None]
    findings += certificates.of_lists(await asyncio.to_thread(files.lists, crls), now)
    if seen.hub.absent:
        findings += machine_rules.of_ports(doctor_home.ports(config))
    findings += home.of_devices(await doctor_home.devices(config, seen))
    for utility in await doctor_home.utilities(config, seen):
        findings += home.of_utility(utility, now)
    return findings


def _keys(config: Config) -> tuple[KeyStore, list[Finding]]:
    """Return what holds the keys; plain files where what is configured cannot be had."""
    try:
        return key_store(config.keys.settings), []
    except CertificateError as error:
        said = f"the key store cannot be used: {error}"
        return KeyStore(), [trouble("certificates", said, do="see [keys] in docs/operate.md")]


async def _store(config: Config, keys: KeyStore) -> StoreFacts:
    return await store_probe.store(config.store.path, keys)
