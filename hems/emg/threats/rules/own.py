"""Rules about the hub itself. Pure."""

from collections.abc import Iterable

from der.sentence import say
from hems.emg.threats.rules.counting import Counting
from hems.emg.threats.rules.finding import Threat
from hems.emg.threats.rules.shapes import grave
from hems.security_event import EventKind as Kind


def own() -> Iterable[Counting]:
    """Return the rules about the hub itself."""
    yield grave(
        Threat.PACKAGE,
        {Kind.PACKAGE_TAMPERED, Kind.BOOT_CHANGED},
        say("Install it anew from its maker; until then the hub counts as unreliable."),
    )
    yield grave(
        Threat.AGENT,
        {Kind.AGENT_SILENT},
        say("Start the hub again; if that does not help, have it looked at."),
    )
    yield grave(
        Threat.RECORDS,
        {Kind.LOG_BROKEN},
        say("Somebody may have been at the disk: have the hub looked at."),
    )
    yield grave(
        Threat.STORE,
        {Kind.STORE_DAMAGED},
        say("Somebody may have been at the disk: have the hub looked at."),
    )
