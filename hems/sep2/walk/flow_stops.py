"""The stops of the walk for flow reservations: what a device asks for, and what is granted."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from hems.sep2 import resources as res
from hems.sep2.book.kinds import kind_of
from hems.sep2.book.requests import Request
from hems.sep2.enddevice.enrolment import Enrolment
from hems.sep2.errors import PermanentError, RejectedError, TrustError
from hems.sep2.rules.events import Program
from hems.sep2.walk.control_stops import ControlsStop, retain
from hems.sep2.walk.trip import BaseStop, Trip, skip
from hems.sep2.walk.walker import Stop, Visit

_GRANTS: Final = Program("", "flow reservation", 0)
"""Grants belong to no programme: each contends only with others for the same request."""


async def flow_stops(trip: Trip, enrolment: Enrolment) -> list[Stop]:
    """Return the stops for the flow reservations of a device, as its EndDevice links to them."""
    device = enrolment.device
    asked = device.flow_reservation_request_list_link if device is not None else None
    granted = device.flow_reservation_response_list_link if device is not None else None
    kind = kind_of(res.FlowReservationResponse)
    enrolment.programs.offer(kind.single, [granted.href] if granted is not None else [])
    await retain(enrolment, kind.single)
    stops: list[Stop] = []
    if granted is not None:
        stops.append(GrantsStop(trip, granted.href, _GRANTS, kind))
    if asked is not None:
        stops.append(RequestsStop(trip, asked.href, enrolment))
    return stops


@dataclass(frozen=True, slots=True)
class GrantsStop(ControlsStop):
    """FlowReservationResponseList."""

    async def visit(self) -> Visit:
        """Take the grants in."""
        visit = await ControlsStop.visit(self)
        for each in self.trip.audience(self.href):
            each.programs.listed(
                self.kind.single, self.href, frozenset({self.program.mrid}), whole=True
            )
            await retain(each, self.kind.single)
        return visit


@dataclass(frozen=True, slots=True)
class RequestsStop(BaseStop):
    """FlowReservationRequestList: where a device posts what it wants."""

    enrolment: Enrolment

    async def visit(self) -> Visit:
        """Tell the server what it does not know; nothing is sent where it knows all."""
        engine, trip = self.enrolment.engine, self.trip
        engine.on_request = lambda: trip.tell.poke(self.href)
        if not engine.owed_requests:
            return Visit(asked=False)
        got = await trip.transport.get_list(self.href, res.FlowReservationRequestList, on_bad=skip)
        theirs = {r.mrid.upper(): r for r in got.flow_reservation_request}
        for request in engine.owed_requests:
            try:
                href = await self._tell(request, theirs)
            except TrustError:
                raise
            except (PermanentError, RejectedError):
                await engine.request_placed(request, None)
                raise
            await engine.request_placed(request, href)
        return Visit((), got.poll_rate)

    async def _tell(
        self, request: Request, theirs: Mapping[str, res.FlowReservationRequest]
    ) -> str | None:
        """Post or change a request; returns where the server has it, None if it need not."""
        wire, known = self.trip.transport, theirs.get(request.mrid)
        if known is None:
            if request.cancelled:
                return None
            return await wire.post(self.href, request.resource) or self.href
        href = known.href or request.resource.href or self.href
        if known.request_status.request_status != request.resource.request_status.request_status:
            try:
                await wire.put(href, request.resource)
            except RejectedError as error:
                if error.status != HTTPStatus.METHOD_NOT_ALLOWED:
                    raise
                await wire.delete(href)
                return None
        return href
