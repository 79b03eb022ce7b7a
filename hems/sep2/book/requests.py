"""Flow reservations that the home asks for, durable from the wish to the server's answer.

A request is posted once, whatever happens in between: it carries an mRID of the home's own, by
which the server's list is searched before it is posted again. Charging is positive here, as in
the house.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hems.sep2 import resources as res
from hems.sep2.book.ledger import EventRow
from hems.sep2.book.receipts import KEEP_S
from hems.sep2.book.standing import HELD_PHASE, WITHDRAWN_PHASE
from hems.sep2.errors import UnknownEventError
from hems.sep2.xml import parse, serialize

REQUEST: Final = res.FlowReservationRequest.__name__
OWED_PHASE: Final = "owed"

_REQUESTED: Final = 0
_CANCELLED: Final = 1


@dataclass(frozen=True, slots=True)
class Wish:
    """Energy that an EV or a battery wants to take or give.

    Attributes:
        energy_wh: How much; negative to discharge.
        power_w: The power that it sustains; negative to discharge.
        start: First instant at which it may flow, server's clock.
        end: Last instant.
        takes_s: The least time that it takes; None for what energy and power make.
        description: What it is for, at most 32 characters.
    """

    energy_wh: float
    power_w: float
    start: int
    end: int
    takes_s: int | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the home keeps it.

    Attributes:
        resource: As posted, or to be posted; its href is None until the server has it.
        told: Whether the server knows its present status.
    """

    resource: res.FlowReservationRequest
    told: bool = False

    @property
    def mrid(self) -> str:
        """Its mRID."""
        return self.resource.mrid

    @property
    def cancelled(self) -> bool:
        """Whether the home does not want it any more."""
        return self.resource.request_status.request_status == _CANCELLED

    @property
    def end(self) -> int:
        """When it has no meaning any more."""
        asked = self.resource.interval_requested
        return asked.start + asked.duration


class Requests:
    """The flow reservations of one device at one server.

    Args:
        server: Name of the server, the ledger's key.
        lfdi: LFDI of the device.
        keep: Takes what the ledger is to have.
    """

    def __init__(self, server: str, lfdi: str, keep: Callable[[EventRow], None]) -> None:
        self._server = server
        self._lfdi = lfdi
        self._keep = keep
        self._all: dict[str, Request] = {}

    @property
    def all(self) -> Mapping[str, Request]:
        """All that are kept, by mRID."""
        return self._all

    @property
    def owed(self) -> Sequence[Request]:
        """Those of which the server is to be told."""
        return [r for r in self._all.values() if not r.told]

    def recall(self, row: EventRow) -> None:
        """Take up what the ledger kept.

        Raises:
            MalformedError: Its body cannot be read.
        """
        if row.phase != WITHDRAWN_PHASE:
            resource = parse(row.body, res.FlowReservationRequest)
            self._all[row.mrid] = Request(resource, told=row.phase == HELD_PHASE)

    def add(self, wish: Wish, now: float) -> str:
        """Note a wish; returns the mRID of the request for it.

        Raises:
            ValueError: Its window is empty, or a figure does not fit its type.
        """
        if not now < wish.end or wish.end <= wish.start:
            raise ValueError(f"no time is left between {wish.start} and {wish.end}")
        mrid = uuid.uuid4().hex.upper()
        resource = res.FlowReservationRequest(
            mrid=mrid,
            description=wish.description[:32] or None,
            creation_time=int(now),
            duration_requested=None if wish.takes_s is None else min(wish.takes_s, 0xFFFF),
            energy_requested=res.SignedRealEnergy.of(wish.energy_wh),
            interval_requested=res.DateTimeInterval(
                start=wish.start, duration=wish.end - wish.start
            ),
            power_requested=res.ActivePower.of(wish.power_w),
            request_status=res.RequestStatus(date_time=int(now), request_status=_REQUESTED),
        )
        self._set(Request(resource))
        return mrid

    def cancel(self, mrid: str, now: float) -> None:
        """Note that the home does not want it any more.

        Raises:
            UnknownEventError: No such request.
        """
        known = self._all.get(mrid)
        if known is None:
            raise UnknownEventError(f"reservation {mrid}: not known")
        if not known.cancelled:
            status = res.RequestStatus(date_time=int(now), request_status=_CANCELLED)
            self._set(Request(replace(known.resource, request_status=status)))

    def placed(self, request: Request, href: str | None) -> None:
        """Note where the server has a request, as it was sent; None if it never will, or need not.

        What was changed of it meanwhile is still to be told.
        """
        known = self._all.get(request.mrid)
        if known is None:
            return
        if href is None:
            self._drop(known)
        else:
            told = known.resource == request.resource
            self._set(Request(replace(known.resource, href=href), told))

    def forget(self, now: float) -> None:
        """Let go of what is over."""
        for request in list(self._all.values()):
            if request.end < now - KEEP_S:
                self._drop(request)

    def _set(self, request: Request) -> None:
        self._all[request.mrid] = request
        self._keep(self._row(request, HELD_PHASE if request.told else OWED_PHASE))

    def _drop(self, request: Request) -> None:
        del self._all[request.mrid]
        self._keep(self._row(request, WITHDRAWN_PHASE))

    def _row(self, request: Request, phase: str) -> EventRow:
        return EventRow(
            mrid=request.mrid,
            server=self._server,
            kind=REQUEST,
            program="",
            program_name="",
            primacy=0,
            mandatory=False,
            body=serialize(request.resource),
            draw_start_s=0,
            draw_duration_s=0,
            draw_cancel_s=0,
            phase=phase,
            lfdi=self._lfdi,
        )
