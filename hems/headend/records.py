"""The utility's own records: homes, programmes, events and what homes sent. Frozen, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hems.headend.modes import EXPRESSIBLE, MODES_OF, Edition, Mode, ProgramKind, Value

__all__ = [
    "EXPRESSIBLE",
    "MODES_OF",
    "Default",
    "Edition",
    "Event",
    "Home",
    "Mode",
    "Program",
    "ProgramKind",
    "ReadingRecord",
    "ResponseRecord",
    "SubscriptionRecord",
    "Value",
]


@dataclass(frozen=True, slots=True)
class Program:
    """A programme that homes are assigned to.

    Attributes:
        index: Its place in the configuration, from 1; part of its hrefs.
        name: As operators and owners know it.
        mrid: 32 upper-case hex digits.
        primacy: Lower wins.
        kind: Which function set carries it.
        mandatory: drProgramMandatory of its events (drlc).
        defaults: Limits in force while no event is (der), by mode, W.
        group: Id of the group of homes that it is for; None for everybody.
        home: LFDI of the one home that it is for; None for all of those.
        twin_of: Index of the programme of which it is one home's copy; None for one that is none
            (see `hems.headend.aggregators.twins`).
    """

    index: int
    name: str
    mrid: str
    primacy: int
    kind: ProgramKind
    mandatory: bool = False
    defaults: Mapping[Mode, float] = field(default_factory=dict)
    group: str | None = None
    home: str | None = None
    twin_of: int | None = None

    @property
    def root(self) -> int:
        """Index of the programme that has its defaults, curves and events."""
        return self.index if self.twin_of is None else self.twin_of


@dataclass(frozen=True, slots=True)
class Default:
    """What holds in a der programme while none of its events does.

    Attributes:
        values: By mode.
        ramp_s: How long a device takes to go over; None for its default rate.
        set_grad_w: Default rate of change, per cent of setMaxW a second; None for the device's.
    """

    values: Mapping[Mode, Value] = field(default_factory=dict)
    ramp_s: float | None = None
    set_grad_w: float | None = None


@dataclass(frozen=True, slots=True)
class Home:
    """An EndDevice.

    Attributes:
        id: Number in its hrefs.
        lfdi: 40 upper-case hex digits.
        pin: Registration PIN, 6 digits with check digit.
        edition: Dialect it is spoken to in.
        registered_at: When it was entered, epoch s.
        in_band: Whether it was entered by POST, by itself or its aggregator.
        aggregator: LFDI of the aggregator that speaks for it; empty for none.
    """

    id: int
    lfdi: str
    pin: int
    edition: Edition
    registered_at: float
    in_band: bool = False
    aggregator: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """A dispatched event, as the operator ordered it.

    Attributes:
        mrid: 32 upper-case hex digits; greater for later ones of the same second.
        program: Index of its programme.
        values: What it asks, by mode.
        start: Scheduled start, epoch s.
        duration_s: Scheduled duration.
        randomize_start_s: Range of the start's shift, either sign, at most 3600.
        randomize_duration_s: Range of the duration's change.
        accepted_at: When it was durable, epoch s.
        cancelled_at: When it was cancelled, epoch s; None if it was not.
        cancel_randomized: Whether the cancellation is randomised.
        ramp_s: How long a device takes to go over to what is asked; None for its default rate.
        binding: Whether owners may not leave it even where its programme lets them (drlc).
    """

    mrid: str
    program: int
    values: Mapping[Mode, Value]
    start: int
    duration_s: int
    randomize_start_s: int
    randomize_duration_s: int
    accepted_at: float
    cancelled_at: float | None = None
    cancel_randomized: bool = False
    ramp_s: float | None = None
    binding: bool = False

    @property
    def created(self) -> int:
        """creationTime, whole seconds."""
        return int(self.accepted_at)

    @property
    def modes(self) -> frozenset[Mode]:
        """The modes it sets."""
        return frozenset(self.values)

    @property
    def earliest_start(self) -> int:
        """Start of the Effective Scheduled Period at its earliest, epoch s."""
        return self.start + min(0, self.randomize_start_s)

    @property
    def latest_end(self) -> int:
        """End of the Effective Scheduled Period at its latest, epoch s."""
        late = max(0, self.randomize_start_s) + max(0, self.randomize_duration_s)
        return self.start + self.duration_s + late


@dataclass(frozen=True, slots=True)
class SubscriptionRecord:
    """A home's wish to be told of a resource's changes.

    Attributes:
        id: Number in its href.
        lfdi: Whose it is.
        resource: Path of the subscribed resource, without query.
        uri: Where notifications go.
        limit: How many list items a notification holds at most; 0 for a bare notice.
        level: Schema level as the home gave it.
    """

    id: int
    lfdi: str
    resource: str
    uri: str
    limit: int
    level: str


@dataclass(frozen=True, slots=True)
class ResponseRecord:
    """What a home answered to an event.

    Attributes:
        id: Number in its href.
        lfdi: Who answered.
        subject: mRID of the event.
        status: Response code.
        modes: modesResponded as sent, empty if none.
        created: createdDateTime by the home, epoch s; 0 if it gave none.
        received_at: When it was stored, epoch s.
        kind: Resource type as posted.
        body: The posted XML.
        agent: LFDI of the aggregator that speaks for the home, or is it; None for none.
    """

    id: int
    lfdi: str
    subject: str
    status: int
    modes: str
    created: int
    received_at: float
    kind: str
    body: bytes
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class ReadingRecord:
    """A mirrored reading in SI units; sign and meaning as its ReadingType says.

    Attributes:
        lfdi: Whose it is.
        point: mRID of the MirrorUsagePoint.
        meter: mRID of the MirrorMeterReading.
        description: The meter reading's description.
        uom: Unit code (38 W, 72 Wh, 29 V, 33 Hz ...); None where never told.
        flow: flowDirection code (1 forward: from the grid, 19 reverse); None where never told.
        role: roleFlags of the usage point.
        start: Begin of its interval, or the time it was received, epoch s.
        duration_s: Length of its interval, 0 for a momentary value.
        value: Value times its power of ten; of a thinned one see `hems.headend.thinning.value_of`.
        least: The least that it stands for; None where it was not thinned.
        greatest: The greatest that it stands for; likewise.
    """

    lfdi: str
    point: str
    meter: str
    description: str
    uom: int | None
    flow: int | None
    role: str
    start: int
    duration_s: int
    value: float
    least: float | None = None
    greatest: float | None = None
