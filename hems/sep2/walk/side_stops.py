"""The stops of the walk that lead to no events: bills, metering, files, configuration."""

from collections.abc import Iterable
from dataclasses import dataclass

from hems.sep2 import resources as res
from hems.sep2.enddevice.billing import read_account
from hems.sep2.enddevice.configuration import read_configuration
from hems.sep2.enddevice.enrolment import Enrolment
from hems.sep2.enddevice.usage import MOST_POINTS, Usage, read_usage_point
from hems.sep2.walk.trip import BaseStop, Trip, skip
from hems.sep2.walk.walker import Stop, Visit


@dataclass(frozen=True, slots=True)
class BillingStop(BaseStop):
    """CustomerAccountList, with all that is billed below it; the bills are the home's."""

    async def visit(self) -> Visit:
        """Read the bills."""
        transport = self.trip.transport
        got = await transport.get_list(self.href, res.CustomerAccountList, on_bad=skip)
        accounts = {a.mrid: await read_account(transport, a) for a in got.customer_account}
        self.trip.home.member.services.billing.take(self.href, accounts)
        return Visit((), got.poll_rate)


@dataclass(frozen=True, slots=True)
class UsagePointsStop(BaseStop):
    """UsagePointList, with the latest readings of each point."""

    usage: Usage

    async def visit(self) -> Visit:
        """Read what the server has metered, all of one visit together.

        A subscription would tell of new points, not of new readings: it is always polled.
        """
        transport = self.trip.transport
        got = await transport.get_list(self.href, res.UsagePointList, on_bad=skip)
        shown = got.usage_point[:MOST_POINTS]
        points = [await read_usage_point(transport, point) for point in shown]
        self.usage.take(self.href, points)
        return Visit((), got.poll_rate)


@dataclass(frozen=True, slots=True)
class FilesStop(BaseStop):
    """FileList: what there is to load."""

    async def visit(self) -> Visit:
        """Tell all devices that load files; each takes what is meant for it."""
        got = await self.trip.transport.get_list(self.href, res.FileList, on_bad=skip)
        for enrolment in self.trip.enrolments:
            if enrolment.enrolled and enrolment.upkeep.loader is not None:
                enrolment.upkeep.loader.offered(got)
        return Visit((), got.poll_rate)


@dataclass(frozen=True, slots=True)
class ConfigurationStop(BaseStop):
    """Configuration of one device."""

    enrolment: Enrolment

    async def visit(self) -> Visit:
        """Take over what the server has set."""
        configured, poll_s = await read_configuration(self.trip.transport, self.href)
        self.enrolment.member.services.configure(configured)
        return Visit((), poll_s)


def side_stops(
    trip: Trip, enrolment: Enrolment, offers: Iterable[res.FunctionSetAssignmentsBase]
) -> list[Stop]:
    """Return the stops that lead to no events.

    Args:
        trip: See `Trip`.
        enrolment: Whose they are.
        offers: Its assignments.
    """
    device, found = enrolment.device, list(offers)
    stops: list[Stop] = []
    if device is not None and device.configuration_link is not None:
        stops.append(ConfigurationStop(trip, device.configuration_link.href, enrolment))
    bills = (o.customer_account_list_link for o in found)
    stops += [BillingStop(trip, href) for href in _hrefs(bills)]
    usage = enrolment.member.services.usage
    if usage is not None:
        metered = (o.usage_point_list_link or trip.capability.usage_point_list_link for o in found)
        hrefs = list(_hrefs(metered))
        usage.keep(hrefs)
        stops += [UsagePointsStop(trip, href, usage) for href in hrefs]
    if enrolment.upkeep.loader is not None:
        files = (o.file_list_link or trip.capability.file_list_link for o in found)
        stops += [FilesStop(trip, href) for href in _hrefs(files)]
    return stops


def _hrefs(links: Iterable[res.Link | None]) -> Iterable[str]:
    return dict.fromkeys(link.href for link in links if link is not None)
