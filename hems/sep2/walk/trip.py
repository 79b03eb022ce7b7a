"""What all stops of the walk through one server share."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from hems.sep2 import resources as res
from hems.sep2.codec.reading import BadItem
from hems.sep2.enddevice.enrolment import Enrolment
from hems.sep2.enddevice.offers import Paths
from hems.sep2.errors import Sep2Error, TransientError
from hems.sep2.resources.base import SubscribableResource
from hems.sep2.transport.http import Transport
from hems.sep2.walk.clocks import Clocks
from hems.sep2.walk.notices import mark_of
from hems.sep2.walk.walker import Stop, Visit

_log = logging.getLogger(__name__)

_SUBSCRIBABLE: Final = frozenset({1, 3})
READINGS: Final = 3
"""How often something is read at once before it waits for its turn."""


@dataclass(frozen=True, slots=True)
class TripEvents:
    """Whom the walk tells.

    Attributes:
        trusted: That the server is known to be the home's own.
        mirror: Where mirror usage points go; None if the server offers none.
        standing: That a device came to stand otherwise with the server, and why, in a sentence.
        poke: Has a resource read now; returns False if nobody keeps up with it yet.
        trouble: Of what goes wrong apart from a stop, by its source; None when it is over.
    """

    trusted: Callable[[], None]
    mirror: Callable[[str | None], None]
    standing: Callable[[Enrolment, str], None]
    poke: Callable[[str], bool]
    trouble: Callable[[str, Sep2Error | None], None]


@dataclass(slots=True)
class Trip:
    """What all stops of one server share.

    Attributes:
        transport: Way to the server.
        enrolments: The devices that the home answers for, its own first.
        certificate: LFDI of the certificate that the server sees.
        clocks: The server's clocks.
        tell: See `TripEvents`.
        capability: What the server offers to everybody.
        trusted: Set once the server is known to be the home's own.
        subscriptions: SubscriptionList of the certificate's own EndDevice; None if it has none.
        paths: Which resource leads to which.
    """

    transport: Transport
    enrolments: Sequence[Enrolment]
    certificate: str
    clocks: Clocks
    tell: TripEvents
    capability: res.FunctionSetAssignmentsBase = field(
        default_factory=res.FunctionSetAssignmentsBase
    )
    trusted: asyncio.Event = field(default_factory=asyncio.Event)
    subscriptions: str | None = None
    paths: Paths = field(default_factory=Paths)

    @property
    def home(self) -> Enrolment:
        """The home's own enrolment."""
        return self.enrolments[0]

    def audience(self, href: str) -> Sequence[Enrolment]:
        """Return those who take part in what is at `href`.

        Args:
            href: Of a FunctionSetAssignmentsList, a programme list, or what is below one.
        """
        roots = self.paths.roots(href)
        return [
            e
            for e in self.enrolments
            if e.enrolled and not roots.isdisjoint({e.assignments, *e.programs.lists})
        ]

    def told(self, href: str, audience: Iterable[Enrolment]) -> None:
        """Note who was given what was read at `href`."""
        self.paths.told(href, [e.member.lfdi for e in audience])

    def lead(self, href: str, children: Sequence[str]) -> None:
        """Note where a resource leads, and have read anew what somebody joined too late for."""
        self.paths.lead(href, children)
        own = ({e.assignments, *e.programs.lists} for e in self.enrolments)
        self.paths.retain(place for places in own for place in places)
        self.catch_up(children)

    def catch_up(self, hrefs: Iterable[str]) -> None:
        """Have read anew those that were read before somebody of their audience joined."""
        audience = {href: [e.member.lfdi for e in self.audience(href)] for href in hrefs}
        for href in self.paths.missed(audience):
            self.tell.poke(href)


@dataclass(frozen=True, slots=True)
class BaseStop:
    """One resource to keep up with; see `hems.sep2.walk.walker.Stop`."""

    trip: Trip
    href: str

    async def take(self, resource: res.Resource) -> bool:  # noqa: ARG002 - the protocol's default
        """Have the resource read: nothing of it is taken from a notification."""
        return False


Marks = dict[str, int]
"""A mark of each engine, by LFDI: what it took in since then is newer than what was asked for."""


def marks(audience: Iterable[Enrolment]) -> Marks:
    """Return a mark of now for each engine, to be taken before the server is asked."""
    return {e.member.lfdi: e.engine.mark() for e in audience}


def seen(
    got: SubscribableResource | res.DefaultDERControl,
    children: Sequence[Stop] = (),
    poll_s: float | None = None,
) -> Visit:
    """Return what a visit found, with whether the server offers to tell of its changes."""
    return Visit(children, poll_s, got.subscribable in _SUBSCRIBABLE, mark_of(got))


def skip(*items: BadItem) -> None:
    """Log list items that cannot be read."""
    for item in items:
        _log.warning("an item is left out: %s", item.error)


def overtaken(stop: BaseStop) -> TransientError:
    """Return the error of a resource that notifications overtook each time it was read."""
    place = f"{stop.trip.transport.host}{stop.href}"
    return TransientError(f"{place}: notifications overtook it each time it was read")
