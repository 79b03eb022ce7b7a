"""What homes told, in the words of IEC 61968-9 and -5: pure, from the head-end's records."""

from collections.abc import Mapping, Sequence
from typing import Final

from hems.headend.cim.der import (
    DeviceGroup,
    Direction,
    EndDevice,
    GroupStanding,
    Measured,
    Multiplier,
    Name,
    Parameter,
    Status,
    StatusParameter,
    Unit,
)
from hems.headend.cim.metering import (
    Asset,
    Detail,
    EndDeviceEvent,
    EndDeviceEvents,
    MeterReading,
    MeterReadings,
    Reading,
    Ref,
    Span,
)
from hems.headend.cim.ports import Group, Logged
from hems.headend.cim.scalars import LATEST
from hems.headend.operator_view import MEANINGS
from hems.headend.records import ReadingRecord, ResponseRecord

WATT: Final = 38
VAR: Final = 63
_WATT_HOUR: Final = frozenset({71, 72, 73})
_KINDS: Final[Mapping[int, int]] = {
    5: 4,
    29: 54,
    33: 15,
    38: 37,
    61: 37,
    63: 37,
    71: 12,
    72: 12,
    73: 12,
}
"""Kind of measurement by unit: current, voltage, frequency, power, energy."""
_ELECTRICITY: Final = 1
_INSTANTANEOUS: Final = 12
_CUMULATIVE: Final = 3
_DELTA: Final = 4
_REVERSE: Final = 19
_NO_TYPE: Final = ".".join("0" * 4)
"""Nothing of the list of types fits what IEEE 2030.5 tells; the details say it."""


def reading_type(record: ReadingRecord) -> str:
    """Return the ReadingType of a reading: 18 numbers, of which seven say something here.

    Unit and way of the energy have the same numbers in IEEE 2030.5, which took them from there.
    """
    unit = record.uom or 0
    accumulation = 0
    if unit in _WATT_HOUR:
        accumulation = _DELTA if record.duration_s else _CUMULATIVE
    elif unit and not record.duration_s:
        accumulation = _INSTANTANEOUS
    flow, kind = record.flow or 0, _KINDS.get(unit, 0)
    return f"0.0.0.{accumulation}.{flow}.{_ELECTRICITY}.{kind}.0.0.0.0.0.0.0.0.0.{unit}.0"


def moment(at: float) -> float:
    """Return a time that a home told, moved to where a date can be written, epoch s."""
    return min(max(float(at), 0.0), LATEST)


def meter_readings(records: Sequence[ReadingRecord]) -> MeterReadings:
    """Return readings, those of a home together."""
    by_home: dict[str, list[Reading]] = {}
    for record in records:
        by_home.setdefault(record.lfdi, []).append(_reading(record))
    return MeterReadings(
        readings=tuple(
            MeterReading(meter=EndDevice(mrid=lfdi), readings=tuple(found))
            for lfdi, found in by_home.items()
        )
    )


def _reading(record: ReadingRecord) -> Reading:
    start, end = moment(record.start), moment(record.start + record.duration_s)
    period = Span(start=start, end=end) if record.duration_s else None
    return Reading(at=end, value=record.value, period=period, type=Ref(ref=reading_type(record)))


def event_of_response(record: ResponseRecord, asked: str | None = None) -> EndDeviceEvent:
    """Return what a home answered to an event, as an event of the home.

    Args:
        record: The answer.
        asked: mRID of the dispatch or control that the event was made of; None for none.
    """
    return EndDeviceEvent(
        mrid=f"response-{record.id}",
        created=moment(record.created or record.received_at),
        issuer=record.lfdi,
        tracking=asked or record.subject,
        reason=MEANINGS.get(record.status, "unknown"),
        asset=Asset(mrid=record.lfdi),
        details=(Detail(name="responseStatus", value=str(record.status)),),
        type=Ref(ref=_NO_TYPE),
    )


def event_of_log(item: Logged) -> EndDeviceEvent:
    """Return what a home wrote into its log, as an event of the home."""
    event = item.event
    details = (
        ("functionSet", event.function_set),
        ("logEventCode", event.log_event_code),
        ("logEventPEN", event.log_event_pen),
        ("profileID", event.profile_id),
        ("extendedData", event.extended_data),
    )
    text = "".join(c for c in event.details or "" if c.isprintable()).strip()
    return EndDeviceEvent(
        mrid=f"log-{item.number}",
        created=moment(event.created_date_time),
        issuer=item.lfdi,
        reason=text or None,
        asset=Asset(mrid=item.lfdi),
        details=tuple(Detail(name=n, value=str(v)) for n, v in details if v is not None),
        type=Ref(ref=_NO_TYPE),
    )


def end_device_events(
    responses: Sequence[ResponseRecord], logs: Sequence[Logged], asked: Mapping[str, str]
) -> EndDeviceEvents:
    """Return both, the earliest first.

    Args:
        responses: What homes answered.
        logs: What they wrote into their logs.
        asked: mRID of the dispatch or control that an event was made of, by the event's.
    """
    answers = (event_of_response(each, asked.get(each.subject)) for each in responses)
    found = [*answers, *map(event_of_log, logs)]
    return EndDeviceEvents(events=tuple(sorted(found, key=lambda event: event.created)))


def device_group(group: Group) -> DeviceGroup:
    """Return a group in their words."""
    return DeviceGroup(
        mrid=group.mrid,
        description=group.description or None,
        devices=tuple(EndDevice(mrid=lfdi) for lfdi in group.homes),
        names=(Name(name=group.name),),
    )


def standing(group: Group, latest: Sequence[ReadingRecord], now: float) -> GroupStanding:
    """Return how a group stands: the sum of what its homes last measured.

    Args:
        group: The group.
        latest: The last reading of each meter of its homes.
        now: Epoch s.
    """
    told = {record.lfdi for record in latest if record.uom == WATT}
    sums = (
        (Parameter.ACTIVE_POWER, Unit.WATT, WATT),
        (Parameter.REACTIVE_POWER, Unit.VAR, VAR),
    )
    parameters = []
    for parameter, unit, code in sums:
        found = [record for record in latest if record.uom == code]
        if not found:
            continue
        # To the grid is positive here, as a dispatch asks for it.
        total = sum(r.value if r.flow == _REVERSE else -r.value for r in found) + 0.0
        at = moment(max(record.start + record.duration_s for record in found))
        parameters.append(
            StatusParameter(
                parameter=parameter,
                direction=Direction.REVERSE,
                multiplier=Multiplier.NONE,
                unit=unit,
                value=Measured(nominal=total, at=at),
            )
        )
    remark = f"{len(told)} of {len(group.homes)} homes have told their power"
    return GroupStanding(
        mrid=group.mrid,
        parameters=tuple(parameters),
        names=(Name(name=group.name),),
        status=Status(at=now, remark=remark),
    )
