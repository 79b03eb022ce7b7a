"""Rules about devices. Pure."""

from collections.abc import Iterable

from der.sentence import Template, say
from hems.emg.threats.rules.counting import By, Counting, How, Words
from hems.emg.threats.rules.finding import Threat
from hems.emg.threats.rules.setpoints import way
from hems.emg.threats.rules.shapes import DAY_S, HOUR_S, MINUTE_S, about, grave
from hems.emg.threats.rules.thresholds import Thresholds
from hems.security_event import EventKind as Kind


def devices(of: Thresholds) -> Iterable[Counting]:
    """Return the rules about devices."""
    yield grave(
        Threat.DEVICE,
        {Kind.DEVICE_CHANGED},
        say("If you have not exchanged it, look at it before you trust it again."),
    )
    yield Counting(
        Threat.HOSTILE_DEVICE,
        frozenset({Kind.DEVICE_HOSTILE}),
        By.ABOUT,
        3,
        HOUR_S,
        Words(
            say("Look at the device, or have it looked at."),
            Template("{who} says again and again what no such device can say."),
        ),
    )
    yield Counting(
        Threat.MEDDLED,
        frozenset({Kind.DEVICE_MEDDLED}),
        By.ABOUT,
        3,
        HOUR_S,
        Words(
            say("Look who may write at the broker, and give the hub a password of its own there."),
            Template("Somebody else writes what the hub keeps of {who}, {count} times in an hour."),
        ),
    )
    yield Counting(
        Threat.QUARANTINES,
        frozenset({Kind.DEVICE_CHANGED, Kind.DEVICE_QUARANTINED, Kind.DEVICE_BLOCKED}),
        By.ALL,
        of.quarantines,
        HOUR_S,
        Words(
            say("Somebody may be in your network: ask for help before you trust them again."),
            Template("{count} devices at once are not as they were."),
        ),
        How.DISTINCT,
        about,
    )
    yield grave(
        Threat.FIRMWARE,
        {Kind.FIRMWARE_UNTRUSTED},
        say("Have the device updated; until then it takes part in nothing."),
    )
    yield Counting(
        Threat.FIRMWARE_OFFERED,
        frozenset({Kind.FIRMWARE_REFUSED}),
        By.ALL,
        3,
        DAY_S,
        Words(
            say("Nothing of it was taken. Tell your service provider."),
            Template("Firmware that is not to be believed was offered {count} times."),
        ),
    )
    storm = Words(
        say("Look who steers it; end the programme or the wish behind it."),
        Template("{who} is told something new all the time: {count} times within a minute."),
    )
    told = frozenset({Kind.SETPOINT})
    yield Counting(Threat.SETPOINT_STORM, told, By.ABOUT, of.setpoints, MINUTE_S, storm)
    yield Counting(
        Threat.SETPOINT_TURNS,
        told,
        By.ABOUT,
        of.turns,
        MINUTE_S,
        Words(
            say("Look who steers it; end the programme or the wish behind it."),
            Template("{who} is sent to and fro, {count} times within a minute."),
        ),
        How.TURNS,
        way,
    )
