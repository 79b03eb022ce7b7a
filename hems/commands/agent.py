"""`hems agent`: the software agent run, asked, and had enrol the hub and its devices."""

import argparse
import os
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.error import HTTPError

from pydantic import BaseModel, ConfigDict, ValidationError

from certs.agent.opening import Opening
from certs.errors import CertificateError
from certs.manifest.installation import Installation
from hems.commands import enrol, enrol_device
from hems.commands.fetch import NoAnswerError, fetch
from hems.commands.first_start import Place
from hems.commands.output import fail
from hems.commands.reliance import shared_secret, socket_of
from hems.commands.way_in import credentials, hint
from hems.security.certificates import files
from hems.settings import settings_file
from hems.settings.config import Config, load
from hems.settings.toml_file import ConfigError

_LONGEST_SECRET: Final = 1_024
_MDNS: Final = 5353
_IDENTITY: Final = "identity"


def run(options: argparse.Namespace) -> int:
    """Run `hems agent`; returns the exit code."""
    try:
        match options.what:
            case "run":
                return _run(Place(options.config, options.home).path, child=options.child)
            case "enrol":
                return enrol.run(options)
            case "enrol-device":
                return enrol_device.run(options)
            case what:
                return _ask(what, options)
    except (ConfigError, CertificateError) as error:
        return fail(str(error))


def _run(path: Path, *, child: bool) -> int:
    """Become the agent: what reading the configuration took of memory is left behind.

    Returns:
        The exit code, where it does not.
    """
    config = load(path)
    if config.agent.manifest is None or config.agent.roots is None:
        return fail(f"{path}: [agent] names no manifest, so there is nothing to go by")
    if child:
        secret = sys.stdin.buffer.readline(_LONGEST_SECRET).decode("ascii", "replace").strip()
    elif config.agent.secret is None:
        return fail(f'{path}: [agent] start is "child": the hub starts the agent itself')
    else:
        secret = shared_secret(config.agent.secret).hex()
    opening = opening_of(config, path, secret, child=child)
    handed = os.memfd_create("opening", 0)
    os.write(handed, opening.written())
    os.lseek(handed, 0, os.SEEK_SET)
    os.dup2(handed, sys.stdin.fileno())
    os.close(handed)
    try:
        os.execv(sys.executable, [sys.executable, "-m", "certs.agent"])  # noqa: S606 - ourselves
    except OSError as error:
        return fail(f"the agent cannot be started: {error.strerror}")


def opening_of(config: Config, path: Path, secret: str, *, child: bool) -> Opening:
    """Return what the agent of a home is started with.

    Args:
        config: The home's settings.
        path: Their file.
        secret: Shared with the hub, hex digits.
        child: Whether the hub starts it.
    """
    installation = Installation.present()
    home = path.parent.absolute()
    return Opening(
        socket=str(socket_of(config).absolute()),
        secret=secret,
        manifest=str(config.agent.manifest),
        roots=str(config.agent.roots),
        root=str(installation.root),
        sites=tuple(str(site) for site in installation.sites),
        tcti=config.keys.tcti if config.agent.boot else "",
        files=tuple(dict.fromkeys(str(each.absolute()) for each in _watched(config, path))),
        folders=(str(home / _IDENTITY),),
        ports=tuple(sorted(_ports(config))),
        networks=config.agent.networks,
        child=child,
    )


def _watched(config: Config, path: Path) -> Iterator[Path]:
    """Yield the files that a configuration is made of."""
    yield path
    yield settings_file.place(path)
    yield config.home.devices
    for each in files(config):
        yield each.path
        if each.key is not None:
            yield each.key
    for utility in config.utility:
        yield utility.crls
    for place in (config.agent.manifest, config.agent.roots):
        if place is not None:
            yield place


def _ports(config: Config) -> set[int]:
    """Return where the hub is configured to listen."""
    own = {config.web.port, config.web.https_port, config.ocpp.port, _MDNS}
    return own | {utility.notify_port for utility in config.utility if utility.notify_port}


class _Told(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Agent(_Told):
    watched: bool
    checked: bool
    publisher: str
    version: str
    number: int
    files: list[str]
    troubles: list[str]
    excluded: bool


class _Part(_Told):
    id: str
    name: str
    maker: str
    model: str
    serial: str
    firmware: str


class _Inventory(_Told):
    software: str
    options: list[str]
    maker: str
    model: str
    hardware: str
    serial: str
    system: str
    kernel: str
    python: str
    openssl: str
    devices: list[_Part]


_ASKED: Final = {
    "status": ("GET", "/api/agent"),
    "inventory": ("GET", "/api/agent/inventory"),
    "measure": ("POST", "/api/agent/measure"),
    "accept-boot": ("POST", "/api/agent/boot"),
}


def _ask(what: str, options: argparse.Namespace) -> int:
    """Ask the running hub over its page."""
    url = options.url.rstrip("/")
    method, path = _ASKED[what]
    headers = {**credentials(url), "Origin": url, "Sec-Fetch-Site": "same-origin"}
    try:
        answer = fetch(f"{url}{path}", method=method, headers=headers)
        if method == "POST":
            return 0
        if options.json:
            print(answer.decode())
            return 0
        return _tell_agent(answer) if what == "status" else _tell_inventory(answer)
    except NoAnswerError as error:
        return fail(f"no home answers at {url}: {error}")
    except HTTPError as error:
        with error:
            said = f"{url} answers {error.code} {HTTPStatus(error.code).phrase}"
            return fail(said + hint(error.code))
    except ValidationError:
        return fail(f"{url} answers, but not as a home's page does")


def _tell_agent(answer: bytes) -> int:
    found = _Agent.model_validate_json(answer)
    if not found.watched:
        print("this hub has no software agent ([agent] names no manifest)")
        return 0
    if found.publisher:
        named = f"{found.version}, number {found.number}, signed by {found.publisher}"
        print(f"software  {named}{'' if found.checked else '; not all files are read yet'}")
    for trouble in found.troubles:
        print(f"trouble   {trouble}")
    for file in found.files:
        print(f"file      {file}")
    if found.excluded:
        print("          the home takes part in no programme until this is put right")
    elif not found.troubles:
        print("          all is as it should be")
    return 0


def _tell_inventory(answer: bytes) -> int:
    found = _Inventory.model_validate_json(answer)
    machine = " ".join(each for each in (found.maker, found.model, found.hardware) if each)
    print(f"software  hems {found.software}")
    print(f"options   {', '.join(found.options) or 'none'}")
    print(f"machine   {machine or '?'}{f', serial number {found.serial}' if found.serial else ''}")
    print(f"system    {found.system}, Linux {found.kernel}")
    print(f"with      Python {found.python}, {found.openssl}")
    for device in found.devices:
        made = " ".join(each for each in (device.maker, device.model) if each)
        print(f"{device.name:<20} {made or '?'}  firmware {device.firmware or '?'}")
    return 0
