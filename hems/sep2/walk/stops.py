"""The first stops of the walk: DeviceCapability, EndDevice, assignments, time."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hems.sep2 import resources as res
from hems.sep2.book.controls import Control
from hems.sep2.codec.reading import BadItem
from hems.sep2.enddevice.enrolment import Enrolment, Standing
from hems.sep2.enddevice.offers import safe_place
from hems.sep2.enddevice.registration import by_lfdi, check_pin
from hems.sep2.errors import (
    NotFoundError,
    PermanentError,
    PinError,
    Sep2Error,
    TransientError,
    TrustError,
)
from hems.sep2.walk.control_stops import DerProgramsStop, DrProgramsStop, retain
from hems.sep2.walk.flow_stops import flow_stops
from hems.sep2.walk.message_stops import MessagingProgramsStop
from hems.sep2.walk.price_stops import TariffProfilesStop
from hems.sep2.walk.side_stops import side_stops
from hems.sep2.walk.trip import BaseStop, Trip, seen, skip
from hems.sep2.walk.walker import Stop, Visit

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Offer:
    """A kind of events: the link that leads to its programme list, and the stop for that."""

    kind: type[Control]
    link: Callable[[res.FunctionSetAssignmentsBase], res.Link | None]
    stop: Callable[[Trip, str], Stop]


_OFFERS: Final = (
    _Offer(res.DERControl, lambda a: a.der_program_list_link, DerProgramsStop),
    _Offer(res.EndDeviceControl, lambda a: a.demand_response_program_list_link, DrProgramsStop),
    _Offer(res.TextMessage, lambda a: a.messaging_program_list_link, MessagingProgramsStop),
    _Offer(res.TimeTariffInterval, lambda a: a.tariff_profile_list_link, TariffProfilesStop),
)


@dataclass(frozen=True, slots=True)
class CapabilityStop(BaseStop):
    """DeviceCapability: the way in."""

    async def visit(self) -> Visit:
        """Find the end devices; without any, what the server offers to everybody."""
        trip = self.trip
        got = await trip.transport.get(self.href, res.DeviceCapability)
        trip.capability = got
        mirror = got.mirror_usage_point_list_link
        trip.tell.mirror(mirror.href if mirror else None)
        if got.end_device_list_link is not None:
            return Visit([DevicesStop(trip, got.end_device_list_link.href)], got.poll_rate)
        host = f"{trip.transport.host}{self.href}"
        if trip.home.member.settings.identity.pin is not None:
            raise PermanentError(
                f"{host}: no EndDeviceList, so its PIN for this home cannot be checked"
            )
        for other in trip.enrolments[1:]:
            trip.tell.trouble(
                other.member.lfdi,
                NotFoundError(f"{host}: no EndDeviceList, so not for {other.member.name}"),
            )
        _admit(trip, trip.home, None)
        return Visit(await _offer(trip, trip.home, [got]), got.poll_rate)


@dataclass(frozen=True, slots=True)
class DevicesStop(BaseStop):
    """EndDeviceList: finds the devices that the home answers for.

    It may be the list of an aggregator's thousands; it is read once a poll, and what is not ours
    is let go of.
    """

    async def visit(self) -> Visit:
        """Find ours in the list."""
        trip = self.trip
        listed = await trip.transport.get_list(self.href, res.EndDeviceList, on_bad=skip)
        theirs = by_lfdi(listed)
        if listed.results < listed.all and any(
            e.device is not None and e.member.lfdi not in theirs for e in trip.enrolments
        ):
            # What is not shown is not gone: unreadable, or counted only.
            raise TransientError(f"{trip.transport.host}{self.href}: a device cannot be seen now")
        trip.subscriptions = _subscriptions(theirs.get(trip.certificate))
        children = [self._met(each, theirs) for each in trip.enrolments]
        return seen(listed, children, listed.poll_rate)

    def _met(self, enrolment: Enrolment, theirs: Mapping[str, res.EndDevice]) -> Stop:
        trip, member = self.trip, enrolment.member
        before, device = enrolment.device, theirs.get(member.lfdi)
        enrolment.device = device
        if device is None:
            if before is not None:
                _dismiss(trip, enrolment, Standing.GONE, "is not among its end devices any more")
            return AbsentStop(trip, f"{self.href}?lfdi={member.lfdi}", enrolment, self.href)
        stop = DeviceStop(trip, device.href or self.href, enrolment)
        if before is not None and before != device:
            trip.tell.poke(stop.href)
        return stop


@dataclass(frozen=True, slots=True)
class AbsentStop(BaseStop):
    """A device that the EndDeviceList does not have; its href is a name and is never asked for."""

    enrolment: Enrolment
    devices: str

    async def visit(self) -> Visit:
        """Make it, where that was agreed."""
        trip, settings = self.trip, self.enrolment.member.settings
        made_before = self.enrolment.device
        if made_before is not None:  # the list has not been read since: it must not be made twice
            again = DeviceStop(trip, made_before.href or self.devices, self.enrolment)
            return Visit([again], asked=False)
        if self.enrolment is not trip.home:
            await trip.trusted.wait()
        if not settings.registers:
            raise NotFoundError(
                f"{trip.transport.host}{self.devices}: no EndDevice of LFDI "
                f"{settings.identity.lfdi}"
            )
        now = int(self.enrolment.engine.server_time())
        location = await trip.transport.post(self.devices, settings.identity.end_device(now))
        if location is not None:
            try:
                made = await trip.transport.get(location, res.EndDevice)
            except TrustError:
                raise
            except Sep2Error as error:  # it is made all the same, and must not be made twice
                _log.info("the list must tell where the new device is: %s", error)
            else:
                self.enrolment.device = made
                return Visit([DeviceStop(trip, location, self.enrolment)])
        trip.tell.poke(self.devices)
        return Visit()


@dataclass(frozen=True, slots=True)
class DeviceStop(BaseStop):
    """One EndDevice that the home answers for, as the list showed it: PIN, then assignments."""

    enrolment: Enrolment

    async def visit(self) -> Visit:
        """Check that the server knows this device's PIN, and go on to what it takes part in."""
        trip, enrolment = self.trip, self.enrolment
        member, device = enrolment.member, enrolment.device
        if enrolment is not trip.home:
            await trip.trusted.wait()
        if device is None or member.standing is Standing.REFUSED:
            return Visit(asked=False)
        asked = member.settings.identity.pin is not None
        try:
            await check_pin(trip.transport, device, member.settings.identity)
        except PinError:
            if enrolment is trip.home:
                raise
            why = "has another registration PIN there; nothing more is sent for it"
            _dismiss(trip, enrolment, Standing.REFUSED, why)
            return Visit()
        if device.enabled is False:
            _trusted(trip, enrolment)
            _dismiss(trip, enrolment, Standing.DISABLED, "is disabled there; its events do not run")
            return Visit(asked=asked)
        _admit(trip, enrolment, device)
        link = device.function_set_assignments_list_link
        if link is None:
            enrolment.assignments = ""
            return Visit(await _offer(trip, enrolment, [trip.capability]), asked=asked)
        enrolment.assignments = safe_place(link.href)
        trip.catch_up([link.href])
        return Visit([AssignmentsStop(trip, link.href)], asked=asked)


@dataclass(frozen=True, slots=True)
class AssignmentsStop(BaseStop):
    """FunctionSetAssignmentsList: what a device takes part in, and whose time that runs on."""

    async def visit(self) -> Visit:
        """Find the programmes."""
        trip = self.trip
        bad: list[BadItem] = []
        got = await trip.transport.get_list(
            self.href, res.FunctionSetAssignmentsList, on_bad=bad.append
        )
        skip(*bad)
        assigned = trip.audience(self.href)
        children: dict[tuple[str, str], Stop] = {}
        for enrolment in assigned:
            # What cannot be read may offer more.
            for stop in await _offer(trip, enrolment, got.function_set_assignments, whole=not bad):
                children[type(stop).__name__, stop.href] = stop
        trip.told(self.href, assigned)
        return seen(got, list(children.values()), got.poll_rate)


@dataclass(frozen=True, slots=True)
class TimeStop(BaseStop):
    """Time: the clock that events run on."""

    async def visit(self) -> Visit:
        """Follow the server's clock."""
        time = await self.trip.clocks.read(self.href)
        return Visit((), time.poll_rate)


async def _offer(
    trip: Trip,
    enrolment: Enrolment,
    offers: Sequence[res.FunctionSetAssignmentsBase],
    *,
    whole: bool = True,
) -> list[Stop]:
    """Note what a device takes part in, the time having been read first.

    Args:
        trip: See `Trip`.
        enrolment: The device's.
        offers: Its assignments.
        whole: Whether all of them could be read; else what it took part in before still counts.

    Returns:
        The stops that they lead to.
    """
    clocks = [
        link.href for offer in offers if (link := offer.time_link or trip.capability.time_link)
    ]
    clocks = list(dict.fromkeys(clocks))
    try:
        await trip.clocks.follow(enrolment, clocks)  # before any event is judged
    except Sep2Error as error:
        _log.warning("the server's clock cannot be read yet: %s", error)
    stops: list[Stop] = [TimeStop(trip, href) for href in clocks]
    before = enrolment.programs.lists
    for kind in _OFFERS:
        lists = dict.fromkeys(link.href for offer in offers if (link := kind.link(offer)))
        stops += [kind.stop(trip, href) for href in lists]
        if whole:
            enrolment.programs.offer(kind.kind, lists)
            await retain(enrolment, kind.kind)
        else:
            enrolment.programs.offer_also(kind.kind, lists)
    stops += side_stops(trip, enrolment, offers)
    stops += await flow_stops(trip, enrolment)
    if before - enrolment.programs.lists:
        trip.paths.forget(enrolment.member.lfdi)
    trip.catch_up(stop.href for stop in stops)
    return stops


def _admit(trip: Trip, enrolment: Enrolment, device: res.EndDevice | None) -> None:
    was = enrolment.member.standing
    enrolment.admit(device)
    _trusted(trip, enrolment)
    if was is not Standing.ENROLLED:
        trip.tell.standing(enrolment, "takes part again" if was is not Standing.UNKNOWN else "")


def _trusted(trip: Trip, enrolment: Enrolment) -> None:
    """Note that the server has proved to be the home's own, which it does by the home's PIN."""
    if enrolment is trip.home:
        trip.tell.trusted()
        trip.trusted.set()


def _dismiss(trip: Trip, enrolment: Enrolment, standing: Standing, why: str) -> None:
    if enrolment.member.standing is standing:
        return
    enrolment.dismiss(standing)
    trip.paths.forget(enrolment.member.lfdi)
    trip.tell.standing(enrolment, why)


def _subscriptions(device: res.EndDevice | None) -> str | None:
    link = None if device is None else device.subscription_list_link
    return None if link is None else link.href
