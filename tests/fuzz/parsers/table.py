"""All targets of this folder: what each is made of, and which sources it is to go through."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Final

from tests.fuzz.parsers.parser import Parser

TARGETS: Final[Mapping[str, tuple[str, ...]]] = {
    "announced": ("der.discovery", "hems.sep2.transport.discovery"),
    "answers": ("hems.tariff", "hems.cem.forecast.weather_file", "hems.regulation.message"),
    "backup": ("hems.archive", "tarfile"),
    "cim": ("hems.headend.cim",),
    "browser_push": ("hems.push",),
    "enrolment_code": ("certs.est.code",),
    "est": ("certs", "hems.headend.est"),
    "letters": ("certs.manifest", "hems.agent.letters", "hems.emg.firewall"),
    "listener": ("hems.sep2.transport.listener", "web"),
    "ocsp": ("certs.ocsp", "hems.headend.ocsp", "hems.server_memory"),
    "operator": ("hems.headend",),
    "pem": ("certs",),
    "settings": ("hems.settings", "der.drivers.mapped", "tomllib"),
    "signed": ("certs.signed", "hems.bulletin"),
    "telecontrol": ("hems.headend.telecontrol",),
}
"""Name of a module beside this one, and the packages whose ways count."""


def parser(name: str) -> Parser:
    """Return a target by its name."""
    found = import_module(f"{__package__}.{name}").PARSER
    if not isinstance(found, Parser):
        raise TypeError(f"{name} has no parser")
    return found


def watched(name: str) -> str:
    """Return the part of a path by which the sources of a target are told."""
    return str(Path(*TARGETS[name][0].split(".")))
