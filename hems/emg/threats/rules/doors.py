"""Rules about who tries the hub's doors. Pure."""

from collections.abc import Iterable

from der.sentence import Template, say
from hems.emg.threats.rules.counting import By, Counting, How, Words
from hems.emg.threats.rules.finding import Threat
from hems.emg.threats.rules.shapes import HOUR_S, MINUTE_S, about, grave
from hems.emg.threats.rules.thresholds import Thresholds
from hems.emg.threats.severity import Severity
from hems.security_event import EventKind as Kind


def doors(of: Thresholds) -> Iterable[Counting]:
    """Return the rules about who tries the hub's doors."""
    refused = frozenset({Kind.REQUEST_REFUSED, Kind.REQUEST_MALFORMED})
    yield Counting(
        Threat.SCAN,
        refused | {Kind.CONNECTION, Kind.DEVICE_STRANGER, Kind.DEVICE_REFUSED},
        By.SOURCE,
        of.scanned,
        10 * MINUTE_S,
        Words(
            say("Find out which machine that is; if you do not know it, disconnect it."),
            Template("{who} looks for a way into the hub: {count} doors were tried in vain."),
        ),
        How.DISTINCT,
        about,
    )
    yield Counting(
        Threat.FLOOD,
        refused | {Kind.NOTIFICATION_REFUSED},
        By.SOURCE,
        of.refusals,
        MINUTE_S,
        Words(
            say("Find out which machine that is; if you do not know it, disconnect it."),
            Template("{who} floods the hub: {count} requests were refused within a minute."),
        ),
    )
    yield Counting(
        Threat.REPLAY,
        frozenset({Kind.REPLAY}),
        By.SOURCE,
        of.replays,
        HOUR_S,
        Words(
            say("Nothing was done twice. If it goes on, tell whoever runs that machine."),
            Template("{who} says again and again what was said before: {count} times in an hour."),
        ),
    )
    yield Counting(
        Threat.HANDSHAKES,
        frozenset({Kind.PEER_REFUSED}),
        By.ALL,
        of.handshakes,
        10 * MINUTE_S,
        Words(
            say("If you have no new device or service, somebody tries to get in: ask for help."),
            Template(
                "{count} callers whose certificates are no good were sent away in 10 minutes."
            ),
        ),
    )
    yield Counting(
        Threat.STRANGERS,
        frozenset({Kind.DEVICE_STRANGER}),
        By.ALL,
        of.strangers,
        HOUR_S,
        Words(
            say("Admit only what you have in your hands; look who is in your network."),
            Template("{count} devices that are none of this home wanted to be let in."),
        ),
        How.DISTINCT,
        about,
    )
    yield grave(
        Threat.LISTENER,
        {Kind.CONNECTION},
        say("If you did not install anything, have the hub looked at."),
        Severity.WARNING,
    )
