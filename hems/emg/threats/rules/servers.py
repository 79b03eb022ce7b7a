"""Rules about servers that the hub calls, and what they say. Pure."""

from collections.abc import Iterable

from der.sentence import Template, say
from hems.emg.threats.rules.counting import By, Counting, Words
from hems.emg.threats.rules.finding import Threat
from hems.emg.threats.rules.shapes import DAY_S, HOUR_S, grave
from hems.emg.threats.rules.thresholds import Thresholds
from hems.security_event import EventKind as Kind


def servers(of: Thresholds) -> Iterable[Counting]:
    """Return the rules about servers, and what they say."""
    yield Counting(
        Threat.FALSE_SERVER,
        frozenset({Kind.SERVER_REFUSED}),
        By.ABOUT,
        3,
        HOUR_S,
        Words(
            say("Nothing was sent to it. Ask your utility whether its certificate has changed."),
            Template("A server that says it is {who} could not prove it, {count} times."),
        ),
    )
    yield grave(
        Threat.HOSTILE_SERVER,
        {Kind.SERVER_HOSTILE},
        say("The hub does not follow it. Tell your utility."),
    )
    yield Counting(
        Threat.FEED,
        frozenset({Kind.FEED_REFUSED}),
        By.ABOUT,
        3,
        DAY_S,
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
        DAY_S,
        Words(
            say("Look who may set it: what is asked at a time depends on it."),
            Template("The clock of {who} was set {count} times within a day."),
        ),
    )
