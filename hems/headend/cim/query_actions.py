"""Questions: groups and how they stand, readings, what homes told."""

import math
from collections.abc import Sequence

from hems.headend.cim.actions import (
    Actions,
    Done,
    Letter,
    Means,
    device_named,
    group_named,
    ids_of,
)
from hems.headend.cim.der import (
    DERGroupQueries,
    DERGroups,
    DERGroupStatuses,
    DERGroupStatusQueries,
    EndDevice,
    GroupNamed,
    Name,
)
from hems.headend.cim.envelope import Identity, Level, Problem, Result, Verb
from hems.headend.cim.errors import CimError, Fault
from hems.headend.cim.metering import GetMeterReadings, Span
from hems.headend.cim.nouns import Noun
from hems.headend.cim.order_table import Key
from hems.headend.cim.ports import Group
from hems.headend.cim.telling import (
    device_group,
    end_device_events,
    meter_readings,
    reading_type,
    standing,
)
from hems.headend.records import ResponseRecord

MOST_TOLD = 1000
"""Readings or events in one answer; who wants more asks again from the last one's time."""
_GROUP_KINDS = frozenset({None, "EndDeviceGroup", "DERGroup"})
_DEVICE_KINDS = frozenset({None, "EndDevice", "Meter"})


async def groups(means: Means, letter: Letter) -> Done:
    """Return groups, all of them where none is named."""
    found = await _groups(means, letter)
    if not found:
        return Done()
    return Done(payload=DERGroups(groups=tuple(map(device_group, found))))


async def statuses(means: Means, letter: Letter) -> Done:
    """Return what groups' homes measured last, summed up."""
    found = []
    for group in await _groups(means, letter):
        latest = await means.fleet.latest(group.homes) if group.homes else ()
        found.append(standing(group, latest, letter.now))
    return Done(payload=DERGroupStatuses(groups=tuple(found)))


async def readings(means: Means, letter: Letter) -> Done:
    """Return readings of homes or groups in a time, the earliest first."""
    query = letter.message.query
    asked = query if isinstance(query, GetMeterReadings) else GetMeterReadings()
    homes = await _homes(means, letter, asked.devices, asked.groups)
    since, until = _span(letter, asked)
    found = await means.fleet.readings(homes, since, until, MOST_TOLD + 1)
    known = {reading_type(record) for record in found}
    wanted = {each.ref for each in asked.types}
    if found and wanted and not wanted & known:
        reason = f"nothing of {', '.join(sorted(wanted))[:200]} is read there"
        raise CimError(Fault.READING_TYPE, reason, "Request/GetMeterReadings/ReadingType")
    told = [r for r in found[:MOST_TOLD] if not wanted or reading_type(r) in wanted]
    return _told(meter_readings(told), complete=len(found) <= MOST_TOLD)


async def events(means: Means, letter: Letter) -> Done:
    """Return what homes answered to orders (by the orders' ids), or wrote into their logs."""
    ids = [each for each in ids_of(letter.message) if each.object_type not in _DEVICES_NAMED]
    devices = [each for each in ids_of(letter.message) if each.object_type in _DEVICES_NAMED]
    if ids and devices:
        raise CimError(Fault.REQUEST, "ask for orders or for devices", "Request/ID")
    if ids:
        return await _answers(means, letter, ids)
    homes = None
    if devices:
        homes = [device_named(means, EndDevice(mrid=each.value)) for each in devices]
    since, until = _span(letter, GetMeterReadings())
    logs = await means.fleet.logs(homes, since, until, MOST_TOLD + 1)
    complete = len(logs) <= MOST_TOLD
    return _told(end_device_events((), logs[:MOST_TOLD], {}), complete=complete)


_DEVICES_NAMED = _DEVICE_KINDS - {None}


async def _answers(means: Means, letter: Letter, ids: Sequence[Identity]) -> Done:
    found: list[ResponseRecord] = []
    asked: dict[str, str] = {}
    for each in ids:
        made = await means.orders.events(Key(letter.taken.peer, each.value))
        if not made:
            reason = f"{each.value} is none of your orders"
            raise CimError(Fault.UNKNOWN, reason, "Request/ID")
        for event in made:
            asked[event] = each.value
            found += await means.fleet.responses(event)
    found.sort(key=lambda record: record.id)
    complete = len(found) <= MOST_TOLD
    return _told(end_device_events(found[:MOST_TOLD], (), asked), complete=complete)


def _told(payload: object, *, complete: bool) -> Done:
    if complete:
        return Done(payload=payload)
    reason = f"these are the first {MOST_TOLD}; ask again from the last one's time on"
    problem = Problem(code="0.2", level=Level.INFORM, reason=reason)
    return Done(payload=payload, result=Result.PARTIAL, problems=(problem,))


def _span(letter: Letter, asked: GetMeterReadings) -> tuple[float, float]:
    request = letter.message.request
    spans = [each.span for each in asked.schedules]
    if request is not None and (request.start is not None or request.end is not None):
        spans.append(Span(start=request.start, end=request.end))
    if len(spans) > 1:
        raise CimError(Fault.REQUEST, "it asks for more than one time", "Request")
    since = spans[0].start if spans else None
    until = spans[0].end if spans else None
    since, until = since or 0.0, math.inf if until is None else until
    if until < since:
        raise CimError(Fault.REQUEST, "its end is before its start", "Request")
    return since, until


async def _groups(means: Means, letter: Letter) -> Sequence[Group]:
    message = letter.message
    named: list[GroupNamed] = []
    for part in (message.query, message.payload):
        if isinstance(part, DERGroupQueries | DERGroupStatusQueries):
            named += part.groups
    for each in ids_of(message):
        if each.object_type not in _GROUP_KINDS:
            reason = f"{each.object_type} is no kind of a group"
            raise CimError(Fault.REQUEST, reason, "Request/ID/@objectType")
        named.append(_group_of(each))
    if not named:
        return await means.groups.all()
    return [await group_named(means, each) for each in named]


def _group_of(each: Identity) -> GroupNamed:
    if each.kind == "name":
        return GroupNamed(names=(Name(name=each.value),))
    return GroupNamed(mrid=each.value)


async def _homes(
    means: Means, letter: Letter, devices: Sequence[EndDevice], named: Sequence[GroupNamed]
) -> Sequence[str] | None:
    """Return the LFDIs of homes that are asked about; None for all."""
    everything = list(devices)
    asked = list(named)
    for each in ids_of(letter.message):
        if each.object_type in _DEVICE_KINDS:
            everything.append(EndDevice(mrid=each.value))
        elif each.object_type in _GROUP_KINDS:
            asked.append(_group_of(each))
        else:
            reason = f"{each.object_type} has no readings"
            raise CimError(Fault.REQUEST, reason, "Request/ID/@objectType")
    if not everything and not asked:
        return None
    homes = dict.fromkeys(device_named(means, device) for device in everything)
    for group in asked:
        homes |= dict.fromkeys((await group_named(means, group)).homes)
    return tuple(homes)


ACTIONS: Actions = {
    (Noun.GROUPS, Verb.GET): groups,
    (Noun.GROUP_QUERIES, Verb.GET): groups,
    (Noun.STATUSES, Verb.GET): statuses,
    (Noun.STATUS_QUERIES, Verb.GET): statuses,
    (Noun.READINGS, Verb.GET): readings,
    (Noun.EVENTS, Verb.GET): events,
}
