"""The stops of the walk: DeviceCapability, EndDevice, assignments, programmes, controls."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from hems.clock import Clock
from hems.sep2 import resources as res
from hems.sep2.codec.reading import BadItem
from hems.sep2.controls import AnyProgram, Control, program_of
from hems.sep2.engine import Engine
from hems.sep2.errors import NotFoundError, PermanentError, Sep2Error, TransientError
from hems.sep2.events import Program
from hems.sep2.http import Transport
from hems.sep2.offers import Programs
from hems.sep2.registration import Identity, check_pin, own_device
from hems.sep2.walker import Stop, Visit

_log = logging.getLogger(__name__)

_SUBSCRIBABLE: Final = frozenset({1, 3})
_READINGS: Final = 3
"""How often something is read at once before it waits for its turn."""
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
        clocks: Where the server's clocks are.
        programs: What programmes the server offers.
    """

    transport: Transport
    engine: Engine
    identity: Identity
    clock: Clock
    on_offset: Callable[[float], Awaitable[None]]
    on_trusted: Callable[[res.EndDevice | None], None]
    on_mirror: Callable[[str | None], None]
    clocks: set[str] = field(default_factory=set)
    programs: Programs = field(default_factory=Programs)
    timed: bool = False

    async def sync_time(self, href: str) -> res.Time:
        """Read the server's clock and follow it."""
        sent = self.clock.monotonic()
        time = await self.transport.get(href, res.Time)
        self.engine.sync_time(time.current_time, sent, self.clock.monotonic())
        self.timed = True
        await self.on_offset(self.engine.offset_s)
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
        children = await _offered(self.trip, got, got)
        await _offer(self.trip, children)
        return Visit(children, got.poll_rate)


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
        children: list[Stop] = []
        if link is not None:
            children.append(AssignmentsStop(self.trip, link.href, self.capability))
        else:
            children += await _offered(self.trip, self.capability, self.capability)
            await _offer(self.trip, children)
        return Visit(children, listed.poll_rate, _subscribable(listed.subscribable))


@dataclass(frozen=True, slots=True)
class AssignmentsStop(_Stop):
    """FunctionSetAssignmentsList: what this home takes part in, and whose time it runs on."""

    capability: res.DeviceCapability

    async def visit(self) -> Visit:
        """Find the programmes."""
        bad: list[BadItem] = []
        got = await self.trip.transport.get_list(
            self.href, res.FunctionSetAssignmentsList, on_bad=bad.append
        )
        _skip(*bad)
        children: dict[tuple[str, str], Stop] = {}
        for assigned in got.function_set_assignments:
            for stop in await _offered(self.trip, assigned, self.capability):
                children[type(stop).__name__, stop.href] = stop
        if not bad:  # what cannot be read may offer more
            await _offer(self.trip, children.values())
        return Visit(list(children.values()), got.poll_rate, _subscribable(got.subscribable))


async def _offer(trip: Trip, stops: Iterable[Stop]) -> None:
    """Note which programme lists the server offers, and drop what came from others."""
    found = list(stops)
    for kind, stop in ((res.DERControl, DerProgramsStop), (res.EndDeviceControl, DrProgramsStop)):
        trip.programs.offer(kind, frozenset(s.href for s in found if isinstance(s, stop)))
        await _retain(trip, kind)


async def _retain(trip: Trip, kind: type[Control]) -> None:
    assigned = trip.programs.settled(kind)
    if assigned is not None:
        await trip.engine.retain(assigned, kind)


async def _offered(
    trip: Trip, offer: res.FunctionSetAssignmentsBase, fallback: res.FunctionSetAssignmentsBase
) -> list[Stop]:
    """Return the stops that a set of assignments leads to, the time having been read first."""
    stops: list[Stop] = []
    time = offer.time_link or fallback.time_link
    if time is not None:
        stops.append(TimeStop(trip, time.href))
        trip.clocks.add(time.href)
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
        bad: list[BadItem] = []
        engine, since = self.trip.engine, self.trip.engine.mark()
        got = await self.trip.transport.get_list(self.href, res.DERProgramList, on_bad=bad.append)
        children: list[Stop] = []
        for resource in got.der_program:
            program = program_of(resource)
            if resource.der_control_list_link is not None:
                children.append(
                    ControlsStop(
                        self.trip, resource.der_control_list_link.href, program, DER_CONTROLS
                    )
                )
            else:
                await engine.update(program, (), kind=res.DERControl, complete=True, since=since)
            if resource.default_der_control_link is not None:
                children.append(
                    DefaultStop(self.trip, resource.default_der_control_link.href, program)
                )
            else:
                await engine.set_default(program, None, since)
        await _listed(self.trip, self.href, got.der_program, bad, res.DERControl)
        return Visit(children, got.poll_rate, _subscribable(got.subscribable))


@dataclass(frozen=True, slots=True)
class DrProgramsStop(_Stop):
    """DemandResponseProgramList."""

    async def visit(self) -> Visit:
        """Find the controls of each programme."""
        bad: list[BadItem] = []
        engine, since = self.trip.engine, self.trip.engine.mark()
        got = await self.trip.transport.get_list(
            self.href, res.DemandResponseProgramList, on_bad=bad.append
        )
        children: list[Stop] = []
        for resource in got.demand_response_program:
            program, link = program_of(resource), resource.end_device_control_list_link
            if link is not None:
                children.append(ControlsStop(self.trip, link.href, program, DR_CONTROLS))
            else:
                await engine.update(
                    program, (), kind=res.EndDeviceControl, complete=True, since=since
                )
        await _listed(self.trip, self.href, got.demand_response_program, bad, res.EndDeviceControl)
        return Visit(children, got.poll_rate, _subscribable(got.subscribable))


async def _listed(
    trip: Trip,
    href: str,
    programs: Sequence[AnyProgram],
    bad: Sequence[BadItem],
    kind: type[Control],
) -> None:
    """Note what a programme list names, and drop the programmes that no list names any more."""
    _skip(*bad)
    named = {p.mrid.upper() for p in programs} | {b.mrid for b in bad if b.mrid}
    trip.programs.listed(kind, href, frozenset(named), whole=all(b.mrid for b in bad))
    await _retain(trip, kind)


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
        """Take the whole list in; again, where a notification overtook it."""
        for _ in range(_READINGS):
            since = self.trip.engine.mark()
            bad: list[BadItem] = []
            got = await self.trip.transport.get_list(self.href, self.kind.listed, on_bad=bad.append)
            if await self._update(self.kind.items(got), complete=True, bad=bad, since=since):
                return Visit((), None, _subscribable(got.subscribable))
        raise _overtaken(self)

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
        self,
        controls: Sequence[Control],
        *,
        complete: bool,
        bad: Sequence[BadItem] = (),
        since: int | None = None,
    ) -> bool:
        return await self.trip.engine.update(
            self.program, controls, kind=self.kind.single, complete=complete, bad=bad, since=since
        )


@dataclass(frozen=True, slots=True)
class DefaultStop(_Stop):
    """DefaultDERControl of one programme."""

    program: Program

    async def visit(self) -> Visit:
        """Take it in; a server that has none any more answers 404."""
        engine = self.trip.engine
        for _ in range(_READINGS):
            since = engine.mark()
            got: res.DefaultDERControl | None
            try:
                got = await self.trip.transport.get(self.href, res.DefaultDERControl)
            except NotFoundError:
                got = None
            if await engine.set_default(self.program, got, since):
                return Visit((), None, got is not None and _subscribable(got.subscribable))
        raise _overtaken(self)

    async def take(self, resource: res.Resource) -> bool:
        """Take in what a notification brought."""
        if not isinstance(resource, res.DefaultDERControl):
            return False
        await self.trip.engine.set_default(self.program, resource)
        return True


def _subscribable(value: int | None) -> bool:
    return value in _SUBSCRIBABLE


def _skip(*items: BadItem) -> None:
    for item in items:
        _log.warning("an item is left out: %s", item.error)


def _overtaken(stop: _Stop) -> TransientError:
    place = f"{stop.trip.transport.host}{stop.href}"
    return TransientError(f"{place}: notifications overtook it each time it was read")


__all__ = ["CapabilityStop", "Trip"]
