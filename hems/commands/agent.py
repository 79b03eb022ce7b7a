"""`hems agent run`: reads the configuration, and becomes the agent."""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from certs.agent.opening import Opening
from certs.errors import CertificateError
from certs.manifest.installation import Installation
from hems.agent.place import SecretError, shared_secret, socket_of
from hems.commands.output import fail
from hems.commands.way_in import place_of
from hems.security.certificates import files
from hems.settings import settings_file
from hems.settings.config import Config, load
from hems.settings.toml_file import ConfigError

_LONGEST_SECRET: Final = 1_024
_MDNS: Final = 5353
_IDENTITY: Final = "identity"


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    try:
        return _run(place_of(options).path, child=options.child)
    except (ConfigError, CertificateError, SecretError) as error:
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
        socket=str(socket_of(config.store.path).absolute()),
        secret=secret,
        manifest=str(config.agent.manifest),
        roots=str(config.agent.roots),
        crls="" if config.agent.crls is None else str(config.agent.crls),
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
    for place in (config.agent.manifest, config.agent.roots, config.agent.crls):
        if place is not None:
            yield place


def _ports(config: Config) -> set[int]:
    """Return where the hub is configured to listen."""
    own = {config.web.port, config.web.https_port, config.ocpp.port, _MDNS}
    return own | {utility.notify_port for utility in config.utility if utility.notify_port}
