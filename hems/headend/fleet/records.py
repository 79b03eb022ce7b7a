"""Records of the fleet: groups, sites, hubs, tests and what was done to them. Frozen, no I/O."""

from dataclasses import dataclass, field
from enum import Enum, StrEnum


class GroupKind(StrEnum):
    """What a group is; the levels of CSIP's topology from the widest to the narrowest, or free.

    Attributes:
        level: 0 for the widest; None for a free group, which stands beside the topology.
    """

    SYSTEM = "system"
    SUBTRANSMISSION = "subtransmission"
    SUBSTATION = "substation"
    FEEDER = "feeder"
    SEGMENT = "segment"
    TRANSFORMER = "transformer"
    SITE = "site"
    FREE = "free"

    @property
    def level(self) -> int | None:
        """Place among the levels; None for a free group."""
        return None if self is GroupKind.FREE else _LEVELS.index(self)


_LEVELS = tuple(kind for kind in GroupKind if kind is not GroupKind.FREE)


class State(StrEnum):
    """How far a hub is in its life."""

    MADE = "made"
    """Known by its maker's identity; it has none of ours."""
    ENROLLED = "enrolled"
    """It has a certificate of ours."""
    COMMISSIONED = "commissioned"
    """It has passed a witnessed test at its site."""
    OPERATING = "operating"
    """It takes part."""
    QUARANTINED = "quarantined"
    """Something is wrong with it: it holds its defaults and is asked for nothing."""
    RETIRED = "retired"
    """It is gone for good; its history stays."""


class Role(Enum):
    """What somebody at the operator's door may be."""

    DISPATCHER = "dispatcher"
    ENGINEER = "engineer"
    AUDITOR = "auditor"
    SYSTEM = "system"
    """The server itself: enrolment, licences that end, revocation."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something.

    Attributes:
        name: As the history shows it.
        role: What he may do.
    """

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Place:
    """A place on the map, WGS 84.

    Attributes:
        lat: Degrees, north positive.
        lon: Degrees, east positive.
    """

    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class Group:
    """A group of sites.

    Attributes:
        id: Its name in orders and files; unique among groups and sites.
        name: For people.
        kind: Its level in the topology, or free.
        parent: Id of the group above; empty for none.
        place: Where it is on the map; None for nowhere.
    """

    id: str
    name: str
    kind: GroupKind
    parent: str = ""
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """A home's place in the grid.

    Attributes:
        id: Its name in orders and files; unique among groups and sites.
        group: The group that it hangs on, usually its transformer.
        name: For people; may be empty.
        address: For people; may be empty.
        connection_point: The grid operator's own number of the point; may be empty.
        place: Where it is on the map; None for nowhere.
    """

    id: str
    group: str
    name: str = ""
    address: str = ""
    connection_point: str = ""
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Licence:
    """The paper that lets a hub take part.

    Attributes:
        number: As issued.
        valid_from: Epoch s.
        valid_until: Epoch s, not included; None for no end.
    """

    number: str
    valid_from: float = 0.0
    valid_until: float | None = None

    def valid(self, now: float) -> bool:
        """Whether it holds at an epoch time."""
        return self.valid_from <= now and (self.valid_until is None or now < self.valid_until)


@dataclass(frozen=True, slots=True)
class HubPolicy:
    """What a hub's contract lets it be asked for.

    Attributes:
        largest_event_w: The largest change of power that an event may ask of it, W; None for any.
        may_disconnect: Whether it may be asked to leave the grid.
    """

    largest_event_w: int | None = None
    may_disconnect: bool = True


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub, from its making to its end.

    Attributes:
        id: Its maker's identity (`hub_id`), or its first LFDI where that is not known.
        lfdi: Its latest operational identity, 40 upper-case hex digits; empty while it has none.
        kind: hwType of its maker's identity, an object identifier; empty where not known.
        serial: hwSerialNum in it, lower-case hex; empty where not known.
        site: Id of its site; empty while it is in stock.
        state: How far it is.
        since: Since when, epoch s.
        before: The state that a quarantine has interrupted; None outside of one.
        identified_at: Since when it has its identity, epoch s; a renewal goes on with the same one.
        testing_until: Until when an enrolled hub is served all the same, for its test, epoch s.
        licence: None while it has none.
        policy: What it may be asked for.
        replaces: Id of the hub whose place it has taken; empty for none.
        replaced_by: Id of the hub that has taken its place; empty for none.
    """

    id: str
    state: State
    since: float
    lfdi: str = ""
    kind: str = ""
    serial: str = ""
    site: str = ""
    before: State | None = None
    identified_at: float = 0.0
    testing_until: float = 0.0
    licence: Licence | None = None
    policy: HubPolicy = field(default_factory=HubPolicy)
    replaces: str = ""
    replaced_by: str = ""


def hub_id(kind: str, serial: str, lfdi: str) -> str:
    """Return the id of a hub: its maker's identity if that is known, else its LFDI."""
    return f"{kind}-{serial}" if kind else lfdi


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a commissioning test.

    Attributes:
        name: Which.
        passed: How it went.
        note: What was seen or measured; may be empty.
    """

    name: str
    passed: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Commissioning:
    """The record of a commissioning test.

    Attributes:
        id: Its name.
        hub: Id of the hub that was tested.
        lfdi: The identity that it showed.
        site: Id of the site where it was tested.
        tested_by: Who tested.
        witnessed_by: Who watched; another person.
        checks: What was tested.
        at: When, epoch s.
        document: SHA-256 of the page that both have signed, hex; empty where there is none.
        entered_by: Who entered it here.
        entered_at: When, epoch s.
        seal: SHA-256 over all of the above, hex (`hems.headend.fleet.commissioning.seal_of`).
    """

    id: str
    hub: str
    lfdi: str
    site: str
    tested_by: str
    witnessed_by: str
    checks: tuple[Check, ...]
    at: float
    document: str
    entered_by: str
    entered_at: float
    seal: str = ""

    @property
    def passed(self) -> bool:
        """Whether every check was passed, and there was one."""
        return bool(self.checks) and all(check.passed for check in self.checks)


class Deed(StrEnum):
    """What may be done to a hub."""

    IMPORTED = "imported"
    STATE = "state"
    IDENTITY = "identity"
    SITE = "site"
    LICENCE = "licence"
    POLICY = "policy"
    TEST_WINDOW = "test-window"
    COMMISSIONING = "commissioning"
    REPLACED = "replaced"
    REPLACES = "replaces"


@dataclass(frozen=True, slots=True)
class Change:
    """A line of a hub's history; lines are added, never changed.

    Attributes:
        hub: Id of the hub.
        at: When, epoch s.
        who: Name of who did it.
        role: As what.
        deed: What was done.
        before: What was there; may be empty.
        after: What is there since; may be empty.
        why: The reason; may be empty.
        site: Where the hub was then; empty for in stock.
        id: Number of the line; 0 before it is kept.
    """

    hub: str
    at: float
    who: str
    role: Role
    deed: Deed
    before: str = ""
    after: str = ""
    why: str = ""
    site: str = ""
    id: int = 0
