"""All counting rules, with their words. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from der.sentence import Sentence, Template, say
from hems.emg.threats.rules.counting import By, Counting, How, Words
from hems.emg.threats.rules.finding import Seen, Threat
from hems.emg.threats.rules.setpoints import way
from hems.emg.threats.severity import Severity
from hems.security_event import EventKind as Kind

_MINUTE_S: Final = 60.0
_HOUR_S: Final = 3600.0
_DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From how many on something is found; see `hems.settings.threats_section`.

    Attributes:
        guesses: Wrong passwords from one place within 10 min.
        guessers: Places from which passwords are wrong within an hour.
        scanned: Different doors that one source tries in vain within 10 min.
        refusals: Requests refused to one source within a minute.
        replays: Things said again within an hour.
        handshakes: Handshakes refused within 10 min.
        strangers: Different unknown devices within an hour.
        quarantines: Devices that are not as they were, within an hour.
        setpoints: Set-points to one device within a minute.
        turns: Set-points to one device by which it turns round, within a minute.
        clocks: Times that a clock is set within a day.
    """

    guesses: int = 10
    guessers: int = 5
    scanned: int = 15
    refusals: int = 120
    replays: int = 10
    handshakes: int = 20
    strangers: int = 8
    quarantines: int = 3
    setpoints: int = 240
    turns: int = 20
    clocks: int = 3


def about(seen: Seen) -> str:
    """Return what an event concerns."""
    return seen.event.about


def source(seen: Seen) -> str | None:
    """Return where an event comes from; None for nowhere."""
    return seen.event.source or None


def table(of: Thresholds) -> tuple[Counting, ...]:
    """Return all rules.

    Args:
        of: From how many on.
    """
    return (*_guessing(of), *_doors(of), *_servers(of), *_devices(of), *_self(of))


def _guessing(of: Thresholds) -> Iterable[Counting]:
    failed = frozenset({Kind.LOGIN_FAILED, Kind.LOGIN_BLOCKED})
    yield Counting(
        Threat.GUESSING,
        failed,
        By.SOURCE,
        of.guesses,
        10 * _MINUTE_S,
        Words(
            say("If that is none of you, find out which machine that is and disconnect it."),
            Template("Somebody at {who} tries passwords: {count} were wrong within 10 minutes."),
        ),
    )
    yield Counting(
        Threat.SPREAD_GUESSING,
        failed,
        By.ALL,
        of.guessers,
        _HOUR_S,
        Words(
            say("Change the owner's password, and let nobody reach this page from outside."),
            Template("Passwords are tried from {count} places at once."),
        ),
        How.DISTINCT,
        source,
    )


def _doors(of: Thresholds) -> Iterable[Counting]:
    refused = frozenset({Kind.REQUEST_REFUSED, Kind.REQUEST_MALFORMED})
    yield Counting(
        Threat.SCAN,
        refused | {Kind.CONNECTION},
        By.SOURCE,
        of.scanned,
        10 * _MINUTE_S,
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
        _MINUTE_S,
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
        _HOUR_S,
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
        10 * _MINUTE_S,
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
        _HOUR_S,
        Words(
            say("Admit only what you have in your hands; look who is in your network."),
            Template("{count} devices that are none of this home wanted to be let in."),
        ),
        How.DISTINCT,
        about,
    )
    yield _grave(
        Threat.LISTENER,
        {Kind.CONNECTION},
        say("If you did not install anything, have the hub looked at."),
        Severity.WARNING,
    )


def _servers(of: Thresholds) -> Iterable[Counting]:
    yield Counting(
        Threat.FALSE_SERVER,
        frozenset({Kind.SERVER_REFUSED}),
        By.ABOUT,
        3,
        _HOUR_S,
        Words(
            say("Nothing was sent to it. Ask your utility whether its certificate has changed."),
            Template("A server that says it is {who} could not prove it, {count} times."),
        ),
    )
    yield _grave(
        Threat.HOSTILE_SERVER,
        {Kind.SERVER_HOSTILE},
        say("The hub does not follow it. Tell your utility."),
    )
    yield Counting(
        Threat.FEED,
        frozenset({Kind.FEED_REFUSED}),
        By.ABOUT,
        3,
        _DAY_S,
        Words(
            say("Nothing was taken from it. Tell your service provider."),
            Template("News for the hub that is not from who it says was refused {count} times."),
        ),
    )
    yield Counting(
        Threat.CLOCK,
        frozenset({Kind.CLOCK_STEPPED}),
        By.ABOUT,
        of.clocks,
        _DAY_S,
        Words(
            say("Look who may set it: what is asked at a time depends on it."),
            Template("The clock of {who} was set {count} times within a day."),
        ),
    )


def _devices(of: Thresholds) -> Iterable[Counting]:
    yield _grave(
        Threat.DEVICE,
        {Kind.DEVICE_CHANGED},
        say("If you have not exchanged it, look at it before you trust it again."),
    )
    yield Counting(
        Threat.HOSTILE_DEVICE,
        frozenset({Kind.DEVICE_HOSTILE}),
        By.ABOUT,
        3,
        _HOUR_S,
        Words(
            say("Look at the device, or have it looked at."),
            Template("{who} says again and again what no such device can say."),
        ),
    )
    yield Counting(
        Threat.QUARANTINES,
        frozenset({Kind.DEVICE_CHANGED, Kind.DEVICE_QUARANTINED, Kind.DEVICE_BLOCKED}),
        By.ALL,
        of.quarantines,
        _HOUR_S,
        Words(
            say("Somebody may be in your network: ask for help before you trust them again."),
            Template("{count} devices at once are not as they were."),
        ),
        How.DISTINCT,
        about,
    )
    yield _grave(
        Threat.FIRMWARE,
        {Kind.FIRMWARE_UNTRUSTED},
        say("Have the device updated; until then it takes part in nothing."),
    )
    yield Counting(
        Threat.FIRMWARE_OFFERED,
        frozenset({Kind.FIRMWARE_REFUSED}),
        By.ALL,
        3,
        _DAY_S,
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
    yield Counting(Threat.SETPOINT_STORM, told, By.ABOUT, of.setpoints, _MINUTE_S, storm)
    yield Counting(
        Threat.SETPOINT_TURNS,
        told,
        By.ABOUT,
        of.turns,
        _MINUTE_S,
        Words(
            say("Look who steers it; end the programme or the wish behind it."),
            Template("{who} is sent to and fro, {count} times within a minute."),
        ),
        How.TURNS,
        way,
    )


def _self(of: Thresholds) -> Iterable[Counting]:
    del of  # what concerns the hub itself is found at once
    yield _grave(
        Threat.PACKAGE,
        {Kind.PACKAGE_TAMPERED, Kind.BOOT_CHANGED},
        say("Install it anew from its maker; until then the hub counts as unreliable."),
    )
    yield _grave(
        Threat.AGENT,
        {Kind.AGENT_SILENT},
        say("Start the hub again; if that does not help, have it looked at."),
    )
    yield _grave(
        Threat.RECORDS,
        {Kind.LOG_BROKEN},
        say("Somebody may have been at the disk: have the hub looked at."),
    )
    yield _grave(
        Threat.STORE,
        {Kind.STORE_DAMAGED},
        say("Somebody may have been at the disk: have the hub looked at."),
    )


def _grave(
    threat: Threat,
    kinds: Iterable[Kind],
    advice: Sentence,
    severity: Severity = Severity.ALARM,
) -> Counting:
    """Return a rule for what is found the first time."""
    return Counting(threat, frozenset(kinds), By.ABOUT, 1, _DAY_S, Words(advice), severity=severity)
