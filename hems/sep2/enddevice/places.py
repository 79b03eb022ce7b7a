"""Where on a server each part of a device's report goes: by the links of its EndDevice."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hems.sep2 import resources as res
from hems.sep2.enddevice.reports import Report, match
from hems.sep2.errors import MalformedError, NotFoundError, RejectedError
from hems.sep2.transport.http import Transport

_NO_LOAD: Final = res.ActivePower.of(0)


@dataclass(frozen=True, slots=True)
class Part:
    """One resource to keep up.

    Attributes:
        name: What it is and whose, for messages; unique in a report.
        href: Where it goes.
        resource: What goes there.
        ours: False where the server's own version stands, if it has one.
    """

    name: str
    href: str
    resource: res.Resource
    ours: bool = True


@dataclass(frozen=True, slots=True)
class DerPlace:
    """A DER of the server.

    Attributes:
        der: With its links.
        index: Which of the report's `ders` it is; None for all of them together.
    """

    der: res.DER
    index: int | None

    def parts(self, report: Report) -> Iterator[Part]:
        """Yield what goes there."""
        der = self.der
        told, name = report.der, ""
        if self.index is not None:
            told, name = report.ders[self.index], f" {self.index + 1}"
        for link, resource in (
            (der.der_capability_link, told.capability),
            (der.der_settings_link, told.settings),
            (der.der_status_link, told.status),
            (der.der_availability_link, told.availability),
        ):
            if link is not None and resource is not None:
                yield Part(f"{type(resource).__name__}{name}", link.href, resource)


async def find_ders(transport: Transport, href: str, report: Report) -> Sequence[DerPlace]:
    """Find out which DER of a server is which of the device's.

    Args:
        transport: Way to the server.
        href: Of the DERList.
        report: What is to be told.

    Raises:
        NotFoundError: The server has no DER for this device.
        Sep2Error: The list cannot be read.
    """
    listed = await transport.get_list(href, res.DERList)
    if not listed.der:
        raise NotFoundError(f"{transport.host}{href}: no DER for this device")
    if len(listed.der) == 1 or not report.ders:
        return [DerPlace(listed.der[0], None)]
    types = [await _type(transport, der) for der in listed.der]
    pairs = zip(listed.der, match(types, report.ders), strict=True)
    return [DerPlace(der, index) for der, index in pairs if index is not None]


async def _type(transport: Transport, der: res.DER) -> int | None:
    """Return the DERType that the server shows; None where nobody has told it yet."""
    if der.der_capability_link is None:
        return None
    try:
        return (await transport.get(der.der_capability_link.href, res.DERCapability)).type or None
    except (NotFoundError, MalformedError, RejectedError):
        return None


async def find_shed(
    transport: Transport, href: str, told: Sequence[res.LoadShedAvailability]
) -> Sequence[tuple[str, bool]]:
    """Return where each entry of the load that could be shed goes; what is missing is made.

    Entries belong together by their programme, or by order where they name none. One that is told
    no more stays in the list, as nothing there can be removed by a home: it is set to no load, or
    the same load would be counted twice.

    Args:
        transport: Way to the server.
        href: Of the LoadShedAvailabilityList.
        told: What is to be told.

    Returns:
        For each entry its href, and whether it was made just now and so is told already.

    Raises:
        Sep2Error: The list cannot be read or an entry not be made.
    """
    listed = await transport.get_list(href, res.LoadShedAvailabilityList)
    known = [e for e in listed.load_shed_availability if e.href is not None]
    places: list[tuple[str, bool]] = []
    for entry in told:
        same = (e for e in known if e.demand_response_program_link == _program(entry))
        found = next(same, None)
        if found is not None and found.href is not None:
            known.remove(found)
            places.append((found.href, False))
            continue
        location = await transport.post(href, entry)
        if location is None:
            raise NotFoundError(f"{transport.host}{href}: a new entry got no Location")
        places.append((location, True))
    for stale in known:
        if stale.href is not None and _tells_of_load(stale):
            none = replace(stale, href=None, sheddable_percent=0, sheddable_power=_NO_LOAD)
            await transport.put(stale.href, none)
    return places


def of_other_programs(
    told: Sequence[res.LoadShedAvailability], before: Sequence[res.LoadShedAvailability]
) -> bool:
    """Return whether what is told is of other programmes than before, so goes elsewhere."""
    return [_program(e) for e in told] != [_program(e) for e in before]


def _tells_of_load(entry: res.LoadShedAvailability) -> bool:
    power = entry.sheddable_power
    return bool(entry.sheddable_percent) or (power is not None and power.watts != 0)


def _program(entry: res.LoadShedAvailability) -> res.Link | None:
    return entry.demand_response_program_link


def device_parts(device: res.EndDevice, report: Report) -> Iterator[Part]:
    """Yield what goes to the links of the EndDevice itself."""
    for link, resource, ours in (
        (device.device_information_link, report.information, True),
        (device.device_status_link, report.status, True),
        (device.power_status_link, report.power, True),
        (device.configuration_link, report.configuration, False),
        (device.connection_point_link, report.connection_point, True),
    ):
        if link is not None and resource is not None:
            yield Part(type(resource).__name__, link.href, resource, ours)
