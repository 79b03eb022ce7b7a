"""What an attack is, and what is expected of the defence: plain records."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar


class Kind(StrEnum):
    """Classes of attacks, as the matrix groups them."""

    CERTIFICATES = "certificates"
    TLS = "tls"
    WEB = "web"
    ROLES = "roles"
    UTILITY = "utility"
    DEVICES = "devices"
    STORE = "store"
    AGENT = "agent"
    FIRMWARE = "firmware"
    ENROLMENT = "enrolment"


class Where(StrEnum):
    """Where the entry stands that an attack leaves."""

    HUB = "hub's log"
    HUB_RUN = "hub's log since its start"
    """For what the hub says once, however often it is met in turn."""
    HEAD_END = "head-end's log"
    SECURITY = "security log"
    TRAIL = "trail"
    RECORD = "record"
    """What a part says to its `Note`, or with what a command ends, where no hub runs."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What an attack must leave.

    Attributes:
        where: In which log.
        says: A regular expression that one line of it must match.
    """

    where: Where
    says: str


class Ground(Protocol):
    """Where attacks are carried out: running processes, their logs and their control cycle."""

    def mark(self) -> None:
        """Have `lines` return what is written from now on."""
        ...

    async def lines(self, where: Where) -> list[str]:
        """Return the lines of a log since the mark."""
        ...

    def logs(self) -> list[str]:
        """Return what our programs have written to their own logs since the mark."""
        ...

    async def cycle(self) -> "Cycle":
        """Return how the control cycle stands."""
        ...


@dataclass(frozen=True, slots=True)
class Cycle:
    """How a hub's control cycle stands.

    Attributes:
        seq: Number of the last cycle.
        at: When it was, UTC epoch seconds.
        run: Which run of the hub it belongs to: each counts anew.
    """

    seq: int
    at: float
    run: int = 0


G = TypeVar("G", bound=Ground)


@dataclass(frozen=True, slots=True)
class Attack(Generic[G]):
    """One row of the matrix.

    Attributes:
        id: Unlike any other row's.
        kind: Its class.
        does: What the attacker does, in words.
        attempt: Does it; returns in words what the attacker got. An `AssertionError` says that the
            attack got through.
        defence: A regular expression that what the attacker got must match.
        entry: What it must leave in a log; None where there is none to leave, and `silent` says
            why.
        rightly: The same done rightly, which must match `served`: it shows that the defence
            answers the attack and nothing else, and that the attacked part still works.
        served: A regular expression.
        silent: Why it leaves no entry.
        deep: Whether it takes too long for `make test`.
        errors: A regular expression of the errors that it may leave in our programs' own logs;
            none by default: what is refused is a warning at most.
    """

    id: str
    kind: Kind
    does: str
    attempt: Callable[[G], Awaitable[str]]
    defence: str
    entry: Entry | None
    rightly: Callable[[G], Awaitable[str]]
    served: str
    silent: str = ""
    deep: bool = False
    errors: str = ""

    def __post_init__(self) -> None:
        if (self.entry is None) is not bool(self.silent):
            raise ValueError(f"{self.id}: an attack leaves an entry, or a reason for none")
        re.compile(self.defence)
        re.compile(self.served)
        re.compile(self.errors)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attack ended.

    Attributes:
        id: The attack's.
        kind: Its class.
        does: What the attacker did.
        answer: What the attacker got.
        entry: The line that it left, or why there is none.
        where: In which log.
        cycles: Control cycles while it lasted; None where no hub was running.
        seconds: How long it lasted.
        longest_s: The longest time between two cycles.
        faults: In sentences what was not as it should be; none for an attack that was withstood.
    """

    id: str
    kind: Kind
    does: str
    answer: str
    entry: str
    where: str
    cycles: int | None
    seconds: float
    longest_s: float
    faults: tuple[str, ...]

    @property
    def withstood(self) -> bool:
        """Whether the defence did all that was expected of it."""
        return not self.faults
