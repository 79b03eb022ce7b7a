"""Programmes and events as resources: pure functions from records, in each edition's words."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from hems.headend import hrefs
from hems.headend.paging import Page
from hems.headend.records import EXPRESSIBLE, Edition, Event, Mode, Program, ProgramKind
from hems.headend.status import EventState
from hems.sep2.resources import (
    ActivePower,
    DateTimeInterval,
    DefaultDERControl,
    DemandResponseProgram,
    DemandResponseProgramList,
    DERControl,
    DERControlBase,
    DERControlList,
    DERProgram,
    DERProgramList,
    EndDeviceControl,
    EndDeviceControlList,
    EventStatus,
    Link,
    TargetReduction,
    UnsignedActivePower,
)

RESPONSES_WANTED = 0b111
"""responseRequired: received, specific, customer's choice."""

LOADS = sum(1 << bit for bit in (3, 7, 10, 13, 14, 15, 16, 17, 18, 25))
"""deviceCategory of load reductions: water heater, smart appliance, simple loads, load switch,
energy management system, smart energy module, vehicle, EVSE, mixed DER, storage."""

_KWH, _KW, _WATT, _BTU, _MEGAJOULE = 0, 1, 2, 7, 11
_POWER_UNITS = {_WATT: 1.0, _KW: 1000.0}
_ENERGY_UNITS = {_KWH: 1000.0, _MEGAJOULE: 1e6 / 3600, _BTU: 1055.05585262 / 3600}
"""Size of each unit of TargetReduction in W or Wh, the plainest first."""
_UINT16 = 2**16 - 1
_UNSUBSCRIBABLE, _SUBSCRIBABLE = 0, 1

_P = TypeVar("_P", ActivePower, UnsignedActivePower)

Shown = tuple[Event, EventState]


def visible(shown: Sequence[Shown], edition: Edition) -> Sequence[Shown]:
    """Return the events that an edition has words for."""
    return [item for item in shown if item[0].modes <= EXPRESSIBLE[edition]]


def derived_mrid(mrid: str, role: str) -> str:
    """Return the lasting mRID of something that belongs to the object `mrid`; same PEN."""
    digest = hashlib.sha256(f"{role} of {mrid}".encode()).hexdigest()
    return digest[:24].upper() + mrid[24:]


def control_base(values: Mapping[Mode, float], edition: Edition) -> DERControlBase:
    """Write limits as control modes of an edition; what it has no word for is left out."""
    limits = {mode: value for mode, value in values.items() if mode in EXPRESSIBLE[edition]}
    if edition is Edition.Y2023:
        return DERControlBase(
            op_mod_max_lim_w_absorb=_limit(UnsignedActivePower, limits.get(Mode.IMPORT)),
            op_mod_max_lim_w_inject=_limit(UnsignedActivePower, limits.get(Mode.EXPORT)),
        )
    return DERControlBase(
        op_mod_imp_lim_w=_limit(ActivePower, limits.get(Mode.IMPORT)),
        op_mod_exp_lim_w=_limit(ActivePower, limits.get(Mode.EXPORT)),
        op_mod_gen_lim_w=_limit(ActivePower, limits.get(Mode.GENERATION)),
        op_mod_load_lim_w=_limit(ActivePower, limits.get(Mode.LOAD)),
    )


def _limit(kind: type[_P], watts: float | None) -> _P | None:
    """Write a limit in W, rounded down: what goes out is never looser than what was ordered."""
    if watts is None:
        return None
    quantity = kind.of(watts)
    if quantity.amount > watts:
        return replace(quantity, value=quantity.value - 1)
    return quantity


def target_reduction(values: Mapping[Mode, float]) -> TargetReduction | None:
    """Write a reduction in the unit that comes closest; of equal ones the plainest.

    The value is a whole number of 16 bits, and of energy the schema knows kWh, MJ and BTU: half a
    kWh can only be told as 1706 BTU.
    """
    if Mode.SHED in values:
        return _closest(values[Mode.SHED], _POWER_UNITS)
    if Mode.ENERGY in values:
        return _closest(values[Mode.ENERGY], _ENERGY_UNITS)
    return None


def _closest(amount: float, units: Mapping[int, float]) -> TargetReduction:
    def error(unit: int) -> float:
        return abs(_whole(amount, units[unit]) * units[unit] - amount)

    best = min(units, key=error)
    return TargetReduction(type=best, value=_whole(amount, units[best]))


def _whole(amount: float, size: float) -> int:
    return min(round(amount / size), _UINT16)


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
        der_control_base=control_base(event.values, edition),
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
        dr_program_mandatory=program.mandatory,
        load_shift_forward=False,
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


def default_control(program: Program, edition: Edition) -> DefaultDERControl:
    """Write what holds while no event of a der programme does."""
    return DefaultDERControl(
        href=hrefs.default_control(program.index),
        subscribable=_UNSUBSCRIBABLE,
        mrid=derived_mrid(program.mrid, "default control"),
        description="Default",
        der_control_base=control_base(program.defaults, edition),
    )


def der_program(program: Program, events: int) -> DERProgram:
    """Write a der programme that shows `events` events."""
    return DERProgram(
        href=hrefs.der_program(program.index),
        subscribable=_UNSUBSCRIBABLE,
        mrid=program.mrid,
        description=program.name,
        default_der_control_link=Link(href=hrefs.default_control(program.index)),
        der_control_list_link=Link(href=hrefs.der_controls(program.index), all=events),
        primacy=program.primacy,
    )


def dr_program(program: Program, events: int) -> DemandResponseProgram:
    """Write a drlc programme that shows `events` events."""
    return DemandResponseProgram(
        href=hrefs.dr_program(program.index),
        mrid=program.mrid,
        description=program.name,
        end_device_control_list_link=Link(href=hrefs.dr_controls(program.index), all=events),
        primacy=program.primacy,
    )


def der_program_list(part: Page[DERProgram], poll_s: int) -> DERProgramList:
    """Write a part of the der programmes."""
    return DERProgramList(
        href=hrefs.DER_PROGRAMS,
        subscribable=_UNSUBSCRIBABLE,
        all=part.all,
        results=len(part.items),
        poll_rate=poll_s,
        der_program=tuple(part.items),
    )


def dr_program_list(part: Page[DemandResponseProgram], poll_s: int) -> DemandResponseProgramList:
    """Write a part of the drlc programmes."""
    return DemandResponseProgramList(
        href=hrefs.DR_PROGRAMS,
        subscribable=_UNSUBSCRIBABLE,
        all=part.all,
        results=len(part.items),
        poll_rate=poll_s,
        demand_response_program=tuple(part.items),
    )
