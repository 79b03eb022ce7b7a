"""What the running hub says of itself, for `hems doctor`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from hems.commands.hub import Hub, HubError
from hems.commands.hub_answers import Device, HomeNow, Security, Trust, Utility
from hems.commands.presence import page_of, unseen
from hems.doctor.facts import HubFacts
from hems.settings.config import Config

_WITHIN_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What the hub says.

    Attributes:
        hub: Of itself.
        devices: Of its devices, by id; empty where none runs, or it does not answer.
        utilities: Of its utilities, by name; likewise.
        apart_s: Each utility's time less the hub's, by name, where it is known.
        standing: How far devices are trusted, and why not, by id; likewise.
    """

    hub: HubFacts
    devices: Mapping[str, Device] = field(default_factory=dict)
    utilities: Mapping[str, Utility] = field(default_factory=dict)
    apart_s: Mapping[str, float] = field(default_factory=dict)
    standing: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def seen(config: Config) -> Seen:
    """Ask the hub that runs a home, if one does; blocks."""
    page = page_of(config.home.devices)
    if page is None:
        return Seen(HubFacts(None, hidden=unseen(config.home.devices)))
    hub = Hub(page, config.home.devices)
    try:
        health = hub.health(_WITHIN_S)
        home = hub.ask("/api/home", HomeNow, within_s=_WITHIN_S)
    except HubError as error:
        return Seen(HubFacts(page, str(error)))
    unasked: list[str] = []
    trust, security = Trust(devices=()), Security(connections=())
    try:  # a token may hold the right to see the home and not these
        trust = hub.ask("/api/trust", Trust, within_s=_WITHIN_S)
        security = hub.ask("/api/security", Security, within_s=_WITHIN_S)
    except HubError as error:
        unasked.append(str(error))
    return Seen(
        HubFacts(page, "", health, home.alarms, tuple(unasked)),
        {each.id: each for each in home.devices},
        {each.name: each for each in home.utilities},
        {c.name: -c.clock_error_s for c in security.connections if c.clock_error_s is not None},
        {each.id: (each.standing, each.why) for each in trust.devices},
    )
