"""The stops of the walk: DeviceCapability, EndDevice, assignments, programmes, controls."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from hems.clock import Clock
from hems.sep2 import resources as res
from hems.sep2.codec.reading import BadItem
from hems.sep2.controls import AnyProgram, Control, program_of
from hems.sep2.engine import Engine
from hems.sep2.errors import NotFoundError, PermanentError, Sep2Error
from hems.sep2.events import Program
from hems.sep2.http import Transport
from hems.sep2.registration import Identity, check_pin, own_device
from hems.sep2.servertime import follow
from hems.sep2.walker import Stop, Visit

_log = logging.getLogger(__name__)

_SUBSCRIBABLE: Final = frozenset({1, 3})
L = TypeVar("L", res.DERControlList, res.EndDeviceControlList)


@dataclass(slots=True)
class Trip:
    """What all stops of one server share.

    Attributes:
        transport: Way to the server.
        engine: Takes in programmes and events.
        identity: Who the home is.
        clock: The home's clock.
        on_offset: Told of each new offset of the server's clock, to keep it.
        on_trusted: Told when the server is known to be the home's own, with its EndDevice; None
            where the server keeps none.
        on_mirror: Told where mirror usage points go; None if the server offers none.
        programs: mRIDs of the programmes of each programme list that was read.
    """

    transport: Transport
    engine: Engine
    identity: Identity
    clock: Clock
    on_offset: Callable[[float], Awaitable[None]]
    on_trusted: Callable[[res.EndDevice | None], None]
    on_mirror: Callable[[str | None], None]
    programs: dict[type[Control], dict[str, frozenset[str]]] = field(default_factory=dict)
    timed: bool = False

    async def sync_time(self, href: str) -> res.Time:
        """Read the server's clock and follow it."""
        sent = self.clock.now()
        time = await self.transport.get(href, res.Time)
        received = self.clock.now()
        offset_s = follow(self.engine.offset_s, time.current_time, sent, received)
        self.engine.set_offset(offset_s)
        self.timed = True
        await self.on_offset(offset_s)
        return time


@dataclass(frozen=True, slots=True)
class _Stop:
    trip: Trip
    href: str

    async def take(self, resource: res.Resource) -> bool:  # noqa: ARG002 - the protocol's default
        """Have the resource read: nothing of it is taken from a notification."""
        return False


@dataclass(frozen=True, slots=True)
class CapabilityStop(_Stop):
    """DeviceCapability: the way in."""

    async def visit(self) -> Visit:
        """Find the end devices; without any, what the server offers to everybody."""
        got = await self.trip.transport.get(self.href, res.DeviceCapability)
        mirror = got.mirror_usage_point_list_link
        self.trip.on_mirror(mirror.href if mirror else None)
        if got.end_device_list_link is not None:
            devices = DevicesStop(self.trip, got.end_device_list_link.href, got)
            return Visit([devices], got.poll_rate)
        if self.trip.identity.pin is not None:
            raise PermanentError(
                f"{self.trip.transport.host}{self.href}: no EndDeviceList, so its PIN for this "
                "home cannot be checked"
            )
        self.trip.on_trusted(None)
        return Visit(await _offered(self.trip, got, got), got.poll_rate)


@dataclass(frozen=True, slots=True)
class DevicesStop(_Stop):
    """EndDeviceList: finds the home's own EndDevice, or makes it; checks the PIN."""

    capability: res.DeviceCapability

    async def visit(self) -> Visit:
        """Find this home in the list and check that the server is its own."""
        wire, identity = self.trip.transport, self.trip.identity
        listed = await wire.get_list(self.href, res.EndDeviceList, on_bad=_skip)
        device = own_device(listed, identity)
        if device is None:
            await wire.post(self.href, identity.end_device(int(self.trip.engine.server_time())))
            listed = await wire.get_list(self.href, res.EndDeviceList, on_bad=_skip)
            device = own_device(listed, identity)
        if device is None:
            raise NotFoundError(f"{wire.host}{self.href}: no EndDevice of LFDI {identity.lfdi}")
        await check_pin(wire, device, identity)
        self.trip.on_trusted(device)
        link = device.function_set_assignments_list_link
        children: list[Stop] = (
            [AssignmentsStop(self.trip, link.href, self.capability)]
            if link is not None
            else await _offered(self.trip, self.capability, self.capability)
        )
        return Visit(children, listed.poll_rate, _subscribable(listed.subscribable))


@dataclass(frozen=True, slots=True)
class AssignmentsStop(_Stop):
    """FunctionSetAssignmentsList: what this home takes part in, and whose time it runs on."""

    capability: res.DeviceCapability

    async def visit(self) -> Visit:
        """Find the programmes."""
        got = await self.trip.transport.get_list(
            self.href, res.FunctionSetAssignmentsList, on_bad=_skip
        )
        children: dict[tuple[str, str], Stop] = {}
        for assigned in got.function_set_assignments:
            for stop in await _offered(self.trip, assigned, self.capability):
                children[type(stop).__name__, stop.href] = stop
        await _forget_lists(self.trip, frozenset(s.href for s in children.values()))
        return Visit(list(children.values()), got.poll_rate, _subscribable(got.subscribable))


async def _forget_lists(trip: Trip, offered: frozenset[str]) -> None:
    """Drop the programmes of lists that no assignment leads to any more."""
    for kind, lists in trip.programs.items():
        gone = [href for href in lists if href not in offered]
        for href in gone:
            del lists[href]
        if gone:
            await trip.engine.retain(frozenset[str]().union(*lists.values()), kind)


async def _offered(
    trip: Trip, offer: res.FunctionSetAssignmentsBase, fallback: res.FunctionSetAssignmentsBase
) -> list[Stop]:
    """Return the stops that a set of assignments leads to, the time having been read first."""
    stops: list[Stop] = []
    time = offer.time_link or fallback.time_link
    if time is not None:
        stops.append(TimeStop(trip, time.href))
        if not trip.timed:  # before any event is judged
            try:
                await trip.sync_time(time.href)
            except Sep2Error as error:
                _log.warning("the server's clock cannot be read yet: %s", error)
    if offer.der_program_list_link is not None:
        stops.append(DerProgramsStop(trip, offer.der_program_list_link.href))
    if offer.demand_response_program_list_link is not None:
        stops.append(DrProgramsStop(trip, offer.demand_response_program_list_link.href))
    return stops


@dataclass(frozen=True, slots=True)
class TimeStop(_Stop):
    """Time: the clock that events run on."""

    async def visit(self) -> Visit:
        """Follow the server's clock."""
        time = await self.trip.sync_time(self.href)
        return Visit((), time.poll_rate)


@dataclass(frozen=True, slots=True)
class DerProgramsStop(_Stop):
    """DERProgramList."""

    async def visit(self) -> Visit:
        """Find the controls of each programme."""
        got = await self.trip.transport.get_list(self.href, res.DERProgramList, on_bad=_skip)
        children: list[Stop] = []
        for resource in got.der_program:
            program = program_of(resource)
            if resource.der_control_list_link is not None:
                children.append(
                    ControlsStop(
                        self.trip, resource.der_control_list_link.href, program, DER_CONTROLS
                    )
                )
            if resource.default_der_control_link is not None:
                children.append(
                    DefaultStop(self.trip, resource.default_der_control_link.href, program)
                )
            else:
                await self.trip.engine.set_default(program, None)
        await _retain(self.trip, self.href, got.der_program, res.DERControl)
        return Visit(children, got.poll_rate, _subscribable(got.subscribable))


@dataclass(frozen=True, slots=True)
class DrProgramsStop(_Stop):
    """DemandResponseProgramList."""

    async def visit(self) -> Visit:
        """Find the controls of each programme."""
        got = await self.trip.transport.get_list(
            self.href, res.DemandResponseProgramList, on_bad=_skip
        )
        children: list[Stop] = [
            ControlsStop(self.trip, p.end_device_control_list_link.href, program_of(p), DR_CONTROLS)
            for p in got.demand_response_program
            if p.end_device_control_list_link is not None
        ]
        await _retain(self.trip, self.href, got.demand_response_program, res.EndDeviceControl)
        return Visit(children, got.poll_rate, _subscribable(got.subscribable))


async def _retain(
    trip: Trip, href: str, programs: Sequence[AnyProgram], kind: type[Control]
) -> None:
    """Drop programmes that this list no longer names, unless another list does."""
    lists = trip.programs.setdefault(kind, {})
    before = lists.get(href)
    lists[href] = frozenset(p.mrid.upper() for p in programs)
    if before is None or before - lists[href]:
        await trip.engine.retain(frozenset[str]().union(*lists.values()), kind)


@dataclass(frozen=True, slots=True)
class _Controls(Generic[L]):
    """A kind of controls: their list, one of them, and what is in a list."""

    listed: type[L]
    single: type[Control]
    items: Callable[[L], Sequence[Control]]


DER_CONTROLS: Final = _Controls(res.DERControlList, res.DERControl, lambda got: got.der_control)
DR_CONTROLS: Final = _Controls(
    res.EndDeviceControlList, res.EndDeviceControl, lambda got: got.end_device_control
)


@dataclass(frozen=True, slots=True)
class ControlsStop(_Stop, Generic[L]):
    """The list of controls of one programme."""

    program: Program
    kind: _Controls[L]

    async def visit(self) -> Visit:
        """Take the whole list in."""
        bad: list[BadItem] = []
        got = await self.trip.transport.get_list(self.href, self.kind.listed, on_bad=bad.append)
        await self._update(self.kind.items(got), complete=True, bad=bad)
        return Visit((), None, _subscribable(got.subscribable))

    async def take(self, resource: res.Resource) -> bool:
        """Take in a list or a single control that a notification brought."""
        if isinstance(resource, self.kind.single):
            await self._update([resource], complete=False)
            return True
        if isinstance(resource, self.kind.listed):
            items = self.kind.items(resource)
            whole = len(items) >= resource.all
            await self._update(items, complete=whole)
            return whole
        return False

    async def _update(
        self, controls: Sequence[Control], *, complete: bool, bad: Sequence[BadItem] = ()
    ) -> None:
        await self.trip.engine.update(
            self.program, controls, kind=self.kind.single, complete=complete, bad=bad
        )


@dataclass(frozen=True, slots=True)
class DefaultStop(_Stop):
    """DefaultDERControl of one programme."""

    program: Program

    async def visit(self) -> Visit:
        """Take it in; a server that has none any more answers 404."""
        try:
            got = await self.trip.transport.get(self.href, res.DefaultDERControl)
        except NotFoundError:
            await self.trip.engine.set_default(self.program, None)
            return Visit()
        await self.trip.engine.set_default(self.program, got)
        return Visit((), None, _subscribable(got.subscribable))

    async def take(self, resource: res.Resource) -> bool:
        """Take in what a notification brought."""
        if not isinstance(resource, res.DefaultDERControl):
            return False
        await self.trip.engine.set_default(self.program, resource)
        return True


def _subscribable(value: int | None) -> bool:
    return value in _SUBSCRIBABLE


def _skip(item: BadItem) -> None:
    _log.warning("an item is left out: %s", item.error)


__all__ = ["CapabilityStop", "Trip"]
