"""The firewall for devices whose traffic passes the hub."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from hems.settings.section import Section

_MOST_PORT: Final = 65535
_PLACE: Final = re.compile(
    r"([A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]):(\d+)"
)


def _place(text: str) -> str:
    found = _PLACE.fullmatch(text)
    if found is None or not 1 <= int(found[3]) <= _MOST_PORT:
        raise ValueError(f"{text!r} is no HOST:PORT, such as updates.example:443")
    return text


OutsidePlace = Annotated[str, AfterValidator(_place)]


class FirewallSection(Section):
    """Rules for devices that reach other networks through the hub, set by `hems firewall serve`."""

    on: bool = False
    """Whether the hub has them set; they concern only what passes the hub or comes in at it."""
    socket: Path = Field(default=Path("/run/hems/firewall.sock"), validate_default=True)
    """Where the helper listens."""
    outside: Mapping[str, tuple[OutsidePlace, ...]] = Field(default_factory=dict)
    """Where each device, by its id, may go beside names (DNS) and time (NTP): HOST:PORT each."""


def host_port(place: str) -> tuple[str, int]:
    """Return host and port of a place; IPv6 without brackets."""
    host, _, port = place.rpartition(":")
    return host.strip("[]"), int(port)
