"""Requests and grants of all homes, durable first, then seen."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from hems.clock import Clock
from hems.headend.db.held import Changed
from hems.headend.dispatch import make_mrid
from hems.headend.errors import ConflictError, ForbiddenError, UnknownItemError
from hems.headend.flows import CANCELLED, FlowRequest, Grant, GrantOrder, make_grant
from hems.headend.keeping import kept_form
from hems.headend.shelf import Owned, Shelf
from hems.headend.spans import MEMORY_S, Calendar
from hems.sep2.resources import FlowReservationRequest
from hems.sep2.xml import parse

MAX_REQUESTS = 200
"""Requests of one home."""


def record_of(request: FlowRequest) -> FlowReservationRequest:
    """Return a request as it was posted."""
    return parse(request.body.encode(), FlowReservationRequest)


class FlowBook:
    """Flow reservations. `Store.load` reads them.

    Args:
        shelf: Where requests are kept.
        grants: What was granted.
        clock: The utility's time.
        pen: Private enterprise number for the mRIDs made here.

    Attributes:
        on_grants: Called with a home's LFDI, and the mRID of its grant that changed.
    """

    def __init__(
        self, shelf: Shelf[FlowRequest], grants: Calendar[Grant], clock: Clock, pen: int
    ) -> None:
        self._shelf = shelf
        self.grants = grants
        self._clock = clock
        self._pen = pen
        self._of: dict[str, dict[int, FlowRequest]] = {}
        self.on_grants: Callable[[str, str], None] = _nobody
        shelf.follow(self._take)
        grants.on_change = self._tell

    @property
    def requests(self) -> Sequence[FlowRequest]:
        """All homes' requests, the latest first."""
        return sorted(self._shelf.items, key=_age, reverse=True)

    def of(self, lfdi: str) -> Sequence[FlowRequest]:
        """Return a home's requests, the latest first, then by mRID descending."""
        return sorted(self._of.get(lfdi, {}).values(), key=_age, reverse=True)

    def request(self, lfdi: str, number: int) -> FlowRequest | None:
        """Return a home's request; None if it has none of this number."""
        return self._of.get(lfdi, {}).get(number)

    def of_mrid(self, mrid: str) -> FlowRequest:
        """Return a request of any home.

        Raises:
            UnknownItemError: There is none of this mRID.
            ConflictError: Several homes have one.
        """
        wanted = mrid.upper()
        found = [r for r in self._shelf.items if r.mrid == wanted]
        if not found:
            raise UnknownItemError(f"no reservation {mrid[:40]!r}")
        if len(found) > 1:  # homes make these mRIDs; what is meant for one goes to no other
            homes = " and ".join(r.lfdi for r in found)
            raise ConflictError(f"{homes} have asked under the same mRID {wanted}")
        return found[0]

    def answered_by(self, grant: Grant) -> FlowRequest:
        """Return the request of its home that a grant answers.

        Raises:
            UnknownItemError: The home has it no more.
        """
        for request in self.of(grant.lfdi):
            if request.mrid == grant.request:
                return request
        raise UnknownItemError(f"the home has reservation {grant.request} no more")

    def _present(self, request: FlowRequest) -> FlowRequest:
        found = self.request(request.lfdi, request.number)
        if found is None or found.mrid != request.mrid:
            raise UnknownItemError(f"the home has reservation {request.mrid} no more")
        return found

    async def post(self, lfdi: str, posted: FlowReservationRequest) -> tuple[FlowRequest, bool]:
        """Keep a request; one of an mRID that the home posted before is updated.

        Returns:
            The request, and whether it is new.

        Raises:
            ForbiddenError: The home has too many.
            BusyError: The database cannot take it.
        """
        async with self._shelf.database.changing():
            own = self.of(lfdi)
            known = next((r for r in own if r.mrid == posted.mrid.upper()), None)
            if known is None and len(own) >= MAX_REQUESTS:
                raise ForbiddenError(f"device {lfdi} has {MAX_REQUESTS} requests already")
            asked = posted.interval_requested
            made = FlowRequest(
                max((r.number for r in self._shelf.items), default=0) + 1
                if known is None
                else known.number,
                lfdi,
                posted.mrid.upper(),
                self._clock.now() if known is None else known.received_at,
                posted.creation_time,
                asked.start + asked.duration,
                kept_form(posted).decode(),
            )
            if made != known:
                await self._shelf.put((str(made.number), lfdi, made))
            if posted.request_status.request_status == CANCELLED:
                await self.cancel(made)
        return made, known is None

    async def remove(self, request: FlowRequest) -> None:
        """Forget a request; what was granted for it is cancelled."""
        async with self._shelf.database.changing():
            await self._shelf.drop(str(request.number))
            await self.cancel(request)

    async def grant(self, request: FlowRequest, order: GrantOrder) -> Grant:
        """Grant a request, in whole or in part; what was granted for the same time is cancelled.

        Raises:
            DispatchError: It makes no sense.
            UnknownItemError: The home has removed the request.
            BusyError: The database cannot take it; nothing changed.
        """
        now = self._clock.now()
        mrid = make_mrid(now, self._pen)
        async with self._shelf.database.changing():
            request = self._present(request)  # the home may have changed it, or taken it back
            made = make_grant(request.lfdi, record_of(request), order, now, mrid)
            replaced = [
                replace(other, span=other.span.cancelled(now))
                for other in self.open_of(request)
                if other.span.start < made.span.latest_end
                and made.span.start < other.span.latest_end
            ]
            await self.grants.keep(*replaced, made)
        return made

    async def cancel(self, request: FlowRequest) -> Sequence[Grant]:
        """Cancel all that was granted for a request and is not over.

        Raises:
            BusyError: The database cannot do it; nothing changed.
        """
        async with self._shelf.database.changing():
            now = self._clock.now()
            ended = [replace(g, span=g.span.cancelled(now)) for g in self.open_of(request)]
            await self.grants.keep(*ended)
        return ended

    async def cancel_grant(self, mrid: str) -> Grant:
        """Cancel one grant.

        Raises:
            UnknownItemError: There is none of this mRID.
            ConflictError: It is over, or cancelled already.
            BusyError: The database cannot do it; nothing changed.
        """
        async with self._shelf.database.changing():
            grant = self.grants.get(mrid)
            self.grants.check_open(grant)
            ended = replace(grant, span=grant.span.cancelled(self._clock.now()))
            await self.grants.keep(ended)
        return ended

    def open_of(self, request: FlowRequest) -> Sequence[Grant]:
        """Return what was granted for a request and is neither over nor cancelled."""
        return [g for g in self.grants.open(request.lfdi) if g.request == request.mrid]

    async def forget_old(self) -> None:
        """Let go of requests whose time is long over.

        Raises:
            BusyError: The database cannot do it now.
        """
        before = self._clock.now() - MEMORY_S
        old = [r.number for r in self._shelf.items if max(r.received_at, r.ends) < before]
        await self._shelf.drop(*map(str, old))

    def _take(self, changes: Sequence[Changed[Owned[FlowRequest]]]) -> None:
        for each in changes:
            if each.before is not None:
                self._of[each.before.item.lfdi].pop(each.before.item.number)
            if each.after is not None:
                request = each.after.item
                self._of.setdefault(request.lfdi, {})[request.number] = request

    def _tell(self, grants: Sequence[Grant]) -> None:
        for grant in grants:
            self.on_grants(grant.lfdi, grant.span.mrid)


def _age(request: FlowRequest) -> tuple[int, str]:
    return request.created, request.mrid


def _nobody(_lfdi: str, _mrid: str) -> None:
    """Stand in until someone listens."""
