"""Programmes and events as resources: pure functions from records, in each edition's words."""

import hashlib
from collections.abc import Sequence

from hems.headend import hrefs
from hems.headend.curves import Curve, curve_resource
from hems.headend.modes import EXPRESSIBLE, Edition, ProgramKind
from hems.headend.paging import Page
from hems.headend.records import Default, Event, Program
from hems.headend.render_controls import control_base, duty_cycle, offset, target_reduction
from hems.headend.status import EventState
from hems.sep2.resources import (
    DateTimeInterval,
    DefaultDERControl,
    DemandResponseProgram,
    DemandResponseProgramList,
    DERControl,
    DERControlList,
    DERCurve,
    DERCurveList,
    DERProgram,
    DERProgramList,
    EndDeviceControl,
    EndDeviceControlList,
    EventStatus,
    Link,
)

RESPONSES_WANTED = 0b111
"""responseRequired: received, specific, customer's choice."""

LOADS = sum(1 << bit for bit in (3, 7, 10, 13, 14, 15, 16, 17, 18, 25))
"""deviceCategory of load reductions: water heater, smart appliance, simple loads, load switch,
energy management system, smart energy module, vehicle, EVSE, mixed DER, storage."""

_UNSUBSCRIBABLE, _SUBSCRIBABLE = 0, 1

Shown = tuple[Event, EventState]


def visible(shown: Sequence[Shown], edition: Edition) -> Sequence[Shown]:
    """Return the events that an edition has words for."""
    return [item for item in shown if item[0].modes <= EXPRESSIBLE[edition]]


def derived_mrid(mrid: str, role: str) -> str:
    """Return the lasting mRID of something that belongs to the object `mrid`; same PEN."""
    digest = hashlib.sha256(f"{role} of {mrid}".encode()).hexdigest()
    return digest[:24].upper() + mrid[24:]


def event_status(state: EventState, edition: Edition) -> EventStatus:
    """Write a state; 2023 fixes potentiallySuperseded to true and drops its time."""
    new = edition is Edition.Y2023
    return EventStatus(
        current_status=int(state.status),
        date_time=state.since,
        potentially_superseded=new or state.overlapped_since is not None,
        potentially_superseded_time=None if new else state.overlapped_since,
    )


def der_control(event: Event, state: EventState, edition: Edition) -> DERControl:
    """Write an event of a der programme; without deviceCategory it is meant for any device."""
    return DERControl(
        href=f"{hrefs.der_controls(event.program)}/{event.mrid}",
        reply_to=hrefs.RESPONSES,
        response_required=RESPONSES_WANTED,
        subscribable=_UNSUBSCRIBABLE,
        mrid=event.mrid,
        creation_time=event.created,
        event_status=event_status(state, edition),
        interval=DateTimeInterval(duration=event.duration_s, start=event.start),
        randomize_duration=event.randomize_duration_s or None,
        randomize_start=event.randomize_start_s or None,
        der_control_base=control_base(event.values, edition, event.program, event.ramp_s),
    )


def end_device_control(
    event: Event, state: EventState, program: Program, edition: Edition
) -> EndDeviceControl:
    """Write an event of a drlc programme."""
    return EndDeviceControl(
        href=f"{hrefs.dr_controls(event.program)}/{event.mrid}",
        reply_to=hrefs.RESPONSES,
        response_required=RESPONSES_WANTED,
        subscribable=_UNSUBSCRIBABLE,
        mrid=event.mrid,
        creation_time=event.created,
        event_status=event_status(state, edition),
        interval=DateTimeInterval(duration=event.duration_s, start=event.start),
        randomize_duration=event.randomize_duration_s or None,
        randomize_start=event.randomize_start_s or None,
        device_category=LOADS,
        dr_program_mandatory=program.mandatory or event.binding,
        duty_cycle=duty_cycle(event.values),
        load_shift_forward=False,
        offset=offset(event.values),
        target_reduction=target_reduction(event.values),
    )


def control_list(
    program: Program, part: Page[Shown], edition: Edition
) -> DERControlList | EndDeviceControlList:
    """Write a part of a programme's events."""
    if program.kind is ProgramKind.DER:
        return DERControlList(
            href=hrefs.der_controls(program.index),
            subscribable=_SUBSCRIBABLE,
            all=part.all,
            results=len(part.items),
            der_control=tuple(der_control(e, s, edition) for e, s in part.items),
        )
    return EndDeviceControlList(
        href=hrefs.dr_controls(program.index),
        subscribable=_SUBSCRIBABLE,
        all=part.all,
        results=len(part.items),
        end_device_control=tuple(end_device_control(e, s, program, edition) for e, s in part.items),
    )


def default_control(program: Program, default: Default, edition: Edition) -> DefaultDERControl:
    """Write what holds while no event of a der programme does."""
    return DefaultDERControl(
        href=hrefs.default_control(program.index),
        subscribable=_SUBSCRIBABLE,
        mrid=derived_mrid(program.mrid, "default control"),
        description="Default",
        der_control_base=control_base(default.values, edition, program.index, default.ramp_s),
        set_grad_w=None if default.set_grad_w is None else round(default.set_grad_w * 100),
    )


def curve(item: Curve) -> DERCurve:
    """Write a curve of a der programme."""
    return curve_resource(item, hrefs.curve(item.program, item.mrid))


def curve_list(program: Program, part: Page[Curve]) -> DERCurveList:
    """Write a part of a programme's curves."""
    return DERCurveList(
        href=hrefs.curves(program.index),
        all=part.all,
        results=len(part.items),
        der_curve=tuple(curve(item) for item in part.items),
    )


def der_program(program: Program, events: int | None, curves: int) -> DERProgram:
    """Write a der programme that shows `events` events and `curves` curves; None: no events."""
    link = None if events is None else Link(href=hrefs.der_controls(program.index), all=events)
    return DERProgram(
        href=hrefs.der_program(program.index),
        subscribable=_UNSUBSCRIBABLE,
        mrid=program.mrid,
        description=program.name,
        default_der_control_link=Link(href=hrefs.default_control(program.index)),
        der_control_list_link=link,
        der_curve_list_link=Link(href=hrefs.curves(program.index), all=curves),
        primacy=program.primacy,
    )


def dr_program(program: Program, events: int | None) -> DemandResponseProgram:
    """Write a drlc programme that shows `events` events; None: no events."""
    link = None if events is None else Link(href=hrefs.dr_controls(program.index), all=events)
    return DemandResponseProgram(
        href=hrefs.dr_program(program.index),
        mrid=program.mrid,
        description=program.name,
        end_device_control_list_link=link,
        primacy=program.primacy,
    )


def der_program_list(href: str, part: Page[DERProgram], poll_s: int) -> DERProgramList:
    """Write a part of the der programmes."""
    return DERProgramList(
        href=href,
        subscribable=_UNSUBSCRIBABLE,
        all=part.all,
        results=len(part.items),
        poll_rate=poll_s,
        der_program=tuple(part.items),
    )


def dr_program_list(
    href: str, part: Page[DemandResponseProgram], poll_s: int
) -> DemandResponseProgramList:
    """Write a part of the drlc programmes."""
    return DemandResponseProgramList(
        href=href,
        subscribable=_UNSUBSCRIBABLE,
        all=part.all,
        results=len(part.items),
        poll_rate=poll_s,
        demand_response_program=tuple(part.items),
    )
