"""What a signal is: a rule, whom it is about, how grave it is, since when, and for how much."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Severity(StrEnum):
    """How grave; in this order."""

    NOTICE = "notice"
    """Happens to everybody now and then."""
    WARNING = "warning"
    """Should be looked at in the course of the day."""
    ALARM = "alarm"
    """Should be looked at now."""


class About(StrEnum):
    """What the subject of a signal is."""

    HOME = "home"
    """The LFDI of a home."""
    GROUP = "group"
    """The id of a group; empty for the fleet as a whole."""
    EVENT = "event"
    """The mRID of an event."""
    SOURCE = "source"
    """An address."""
    CERTIFICATE = "certificate"
    """The LFDI of a certificate that is no home's."""
    REASON = "reason"
    """Why handshakes fail."""


class Rule(StrEnum):
    """What can be found."""

    SILENT = "silent"
    OUTAGE = "outage"
    HANDSHAKES = "handshakes"
    HANDSHAKE_WAVE = "handshake-wave"
    REFUSED_CERTIFICATE = "refused-certificate"
    STRANGER = "stranger"
    BARRED = "barred"
    CLONE = "clone"
    FLOOD = "flood"
    SCAN = "scan"
    CLOCK = "clock"
    CONTRADICTION = "contradiction"
    OVER_RATING = "over-rating"
    FROZEN = "frozen"
    SIGN = "sign"
    OPTED_OUT = "opted-out"
    CANNOT_COMPLY = "cannot-comply"
    UNDELIVERED = "undelivered"
    UNDELIVERED_WAVE = "undelivered-wave"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a rule finds.

    Attributes:
        severity: How grave that is.
        about: What its subject is.
        text: In one clause; `{who}` is the subject, `{count}` the evidence.
    """

    severity: Severity
    about: About
    text: str


MEANINGS: Final = {
    Rule.SILENT: Meaning(
        Severity.NOTICE, About.HOME, "home {who} has been silent for {count} minutes"
    ),
    Rule.OUTAGE: Meaning(
        Severity.ALARM, About.GROUP, "{count} homes of {who} fell silent: an outage, or their line"
    ),
    Rule.HANDSHAKES: Meaning(
        Severity.WARNING, About.SOURCE, "{count} TLS handshakes of {who} failed in ten minutes"
    ),
    Rule.HANDSHAKE_WAVE: Meaning(
        Severity.ALARM,
        About.REASON,
        "{count} TLS handshakes from many addresses failed in ten minutes: {who}",
    ),
    Rule.REFUSED_CERTIFICATE: Meaning(
        Severity.WARNING,
        About.CERTIFICATE,
        "certificate {who}, which is refused (revoked, or not as it must be), tried {count} times",
    ),
    Rule.STRANGER: Meaning(
        Severity.WARNING,
        About.CERTIFICATE,
        "certificate {who}, of no home that is known here, was refused {count} times",
    ),
    Rule.BARRED: Meaning(
        Severity.ALARM,
        About.HOME,
        "identity {who}, which was retired or replaced, was used {count} times",
    ),
    Rule.CLONE: Meaning(
        Severity.ALARM,
        About.HOME,
        "home {who} spoke from two addresses at once in {count} minutes: its key may be copied",
    ),
    Rule.FLOOD: Meaning(
        Severity.WARNING, About.HOME, "home {who} asked {count} times in one minute"
    ),
    Rule.SCAN: Meaning(
        Severity.WARNING, About.HOME, "home {who} looks around: {count} requests were refused"
    ),
    Rule.CLOCK: Meaning(Severity.NOTICE, About.HOME, "the clock of home {who} is {count} s ahead"),
    Rule.CONTRADICTION: Meaning(
        Severity.WARNING, About.HOME, "home {who} gave {count} responses that cannot be"
    ),
    Rule.OVER_RATING: Meaning(
        Severity.WARNING, About.HOME, "home {who} reported more power than its rating {count} times"
    ),
    Rule.FROZEN: Meaning(
        Severity.NOTICE, About.HOME, "home {who} has reported just the same for {count} minutes"
    ),
    Rule.SIGN: Meaning(
        Severity.WARNING, About.HOME, "home {who} reported power of the wrong sign {count} times"
    ),
    Rule.OPTED_OUT: Meaning(
        Severity.WARNING, About.EVENT, "{count} homes opted out of event {who}"
    ),
    Rule.CANNOT_COMPLY: Meaning(
        Severity.WARNING, About.EVENT, "{count} homes cannot carry out event {who}"
    ),
    Rule.UNDELIVERED: Meaning(
        Severity.NOTICE, About.HOME, "home {who} did not take {count} notifications"
    ),
    Rule.UNDELIVERED_WAVE: Meaning(
        Severity.ALARM, About.GROUP, "{count} notifications were not taken by {who}"
    ),
}
"""Of each rule."""

QUARANTINABLE: Final = frozenset(
    {Rule.CLONE, Rule.FLOOD, Rule.SCAN, Rule.CONTRADICTION, Rule.OVER_RATING, Rule.SIGN}
)
"""What one hub does by itself; never what befalls it, as an outage does."""

FLEET: Final = ""
"""Subject of what is about the fleet as a whole."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule finds now.

    Attributes:
        rule: Which.
        subject: Whom it is about.
        count: How much speaks for it.
    """

    rule: Rule
    subject: str
    count: int


@dataclass(frozen=True, slots=True)
class Signal:
    """Something that is, or was, not as it should be.

    Attributes:
        rule: What it is.
        subject: Whom it is about.
        since: When it was found first, epoch s.
        seen: When it was found last, epoch s.
        ended: When it was over, epoch s; None while it lasts.
        count: The most that spoke for it.
        number: Of its row; 0 while it has none.
    """

    rule: Rule
    subject: str
    since: float
    seen: float
    ended: float | None
    count: int
    number: int = 0

    @property
    def severity(self) -> Severity:
        """How grave it is."""
        return MEANINGS[self.rule].severity

    @property
    def text(self) -> str:
        """What it says, in one clause."""
        meaning = MEANINGS[self.rule]
        who = self.subject or "the fleet"
        return meaning.text.format(who=who, count=self.count)
