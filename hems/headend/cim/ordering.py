"""What enterprise systems ask, in the head-end's own terms: pure rules over records.

Way of the energy: where nothing is said, a power that is asked of a group is given to the grid, as
IEEE 2030.5 has it of a DER. Forward (from the grid to the home) turns the sign.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hems.headend.cim.der import (
    CurvePoint,
    CurveStyle,
    Direction,
    DispatchParameter,
    EndDevice,
    GroupDispatch,
    GroupNamed,
    Parameter,
    Schedule,
    Unit,
)
from hems.headend.cim.errors import CimError, Fault
from hems.headend.cim.metering import DemandResponse, EndDeviceControl
from hems.headend.dispatch import Order
from hems.headend.modes import Mode, Value

MOST_PARTS: Final = 288
"""Intervals of one message: a day of five minutes."""
SHARED: Final = frozenset(
    {
        Mode.IMPORT,
        Mode.EXPORT,
        Mode.GENERATION,
        Mode.LOAD,
        Mode.ABSORB_VAR,
        Mode.INJECT_VAR,
        Mode.TARGET_W,
        Mode.TARGET_VAR,
        Mode.STORAGE_W,
        Mode.SHED,
        Mode.ENERGY,
    }
)
"""What is asked of all homes together; all else is asked of each."""

_CONNECT: Final[Mapping[str, float]] = {"18": 1.0, "23": 0.0}
"""Action of an EndDeviceControlType of domain 31 (the switch of the service)."""
_TYPE: Final = re.compile(r"\d{1,3}\.(\d{1,3})\.\d{1,3}\.(\d{1,3})", re.ASCII)
_SWITCH: Final = "31"
_MINUTE_S: Final = 60.0

_TARGET: Final = {Parameter.ACTIVE_POWER: Mode.TARGET_W, Parameter.REACTIVE_POWER: Mode.TARGET_VAR}
_UNIT: Final = {Parameter.ACTIVE_POWER: Unit.WATT, Parameter.REACTIVE_POWER: Unit.VAR}
_LIMIT: Final = {
    (Parameter.ACTIVE_POWER, Direction.REVERSE): Mode.EXPORT,
    (Parameter.ACTIVE_POWER, Direction.FORWARD): Mode.IMPORT,
    (Parameter.REACTIVE_POWER, Direction.REVERSE): Mode.INJECT_VAR,
    (Parameter.REACTIVE_POWER, Direction.FORWARD): Mode.ABSORB_VAR,
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What one dispatch or control asks.

    Attributes:
        mrid: Its id as the sender gave it; None for none.
        groups: Of whom.
        devices: And of whom.
        orders: What, one after the other.
        mandatory: Whether owners may not leave it; None where that was not said.
    """

    mrid: str | None
    groups: Sequence[GroupNamed]
    devices: Sequence[EndDevice]
    orders: Sequence[Order]
    mandatory: bool | None = None


def wish_of_dispatch(item: GroupDispatch) -> Wish:
    """Return what a dispatch asks.

    Raises:
        CimError: It contradicts itself, or asks for what homes cannot be told.
    """
    where = "DERGroupDispatch/EndDeviceGroup/DERMonitorableParameter"
    asked: dict[tuple[float, int], dict[Mode, Value]] = {}
    for parameter in item.group.parameters:
        for schedule in parameter.schedules:
            for start, length, point in _intervals(schedule, where):
                values = asked.setdefault((start, length), {})
                for mode, value in _values(parameter, point, where).items():
                    if mode in values:
                        reason = f"two values of {mode.value} for the same time"
                        raise CimError(Fault.RELATION, reason, where)
                    values[mode] = value
            if len(asked) > MOST_PARTS:
                raise CimError(Fault.TOO_MANY, f"more than {MOST_PARTS} intervals", where)
    group = GroupNamed(mrid=item.group.mrid, names=item.group.names)
    orders = [Order(values, length, start=start) for (start, length), values in asked.items()]
    return Wish(item.mrid, (group,), (), orders)


def _intervals(schedule: Schedule, where: str) -> Sequence[tuple[float, int, CurvePoint]]:
    where = f"{where}/DispatchSchedule"
    if schedule.style is not CurveStyle.CONSTANT:
        reason = f"homes cannot follow {schedule.style.value}, only {CurveStyle.CONSTANT.value}"
        raise CimError(Fault.NOT_TRIED, reason, f"{where}/curveStyleKind")
    count = len(schedule.points)
    if schedule.intervals not in {None, count}:
        reason = f"{schedule.intervals} intervals are said, and {count} are there"
        raise CimError(Fault.RELATION, reason, f"{where}/numberOfIntervals")
    if sorted(point.interval for point in schedule.points) != list(range(1, count + 1)):
        reason = f"intervals are not counted from 1 to {count}"
        raise CimError(Fault.RELATION, reason, f"{where}/DERCurveData/intervalNumber")
    if schedule.duration <= 0:
        reason = f"{schedule.duration} is no length"
        raise CimError(Fault.PAYLOAD, reason, f"{where}/timeIntervalDuration")
    length = schedule.duration * schedule.unit.seconds
    return [
        (schedule.start + (point.interval - 1) * length, length, point) for point in schedule.points
    ]


def _values(parameter: DispatchParameter, point: CurvePoint, where: str) -> dict[Mode, Value]:
    kind, factor = parameter.parameter, parameter.multiplier.factor
    target = _TARGET.get(kind)
    if target is None:
        reason = f"homes cannot be asked for {kind.value}"
        raise CimError(Fault.NOT_TRIED, reason, f"{where}/DERParameter")
    if parameter.unit is not _UNIT[kind]:
        reason = f"{kind.value} is in {_UNIT[kind].value}, not in {parameter.unit.value}"
        raise CimError(Fault.RELATION, reason, f"{where}/yUnit")
    where = f"{where}/DispatchSchedule/DERCurveData"
    if point.least is not None:
        raise CimError(Fault.NOT_TRIED, "homes cannot be asked for a least", f"{where}/minYValue")
    values: dict[Mode, Value] = {}
    direction = parameter.direction or Direction.REVERSE
    if point.most is not None:
        if point.most < 0 or (point.nominal is not None and point.nominal > point.most):
            reason = f"{point.most:g} is below nothing, or below the nominal value"
            raise CimError(Fault.RELATION, reason, f"{where}/maxYValue")
        values[_LIMIT[kind, direction]] = point.most * factor
    if point.nominal is not None:
        sign = 1.0 if direction is Direction.REVERSE else -1.0
        values[target] = sign * point.nominal * factor + 0.0
    if not values:
        raise CimError(Fault.PAYLOAD, "it asks for nothing", where)
    return values


def wish_of_control(item: EndDeviceControl, now: float) -> Wish:
    """Return what a control asks.

    Args:
        item: The control.
        now: Epoch s; it begins then where it does not say when.

    Raises:
        CimError: It contradicts itself, or asks for what homes cannot be told.
    """
    where = "EndDeviceControl"
    asked = item.demand_response
    values = _switch(item, where) if asked is None else _loads(asked, f"{where}/PanDemandResponse")
    if asked is not None and item.type is not None and _code(item)[0] == _SWITCH:
        raise CimError(Fault.RELATION, "it is a switch, and a demand response", where)
    if not item.groups and not item.devices:
        raise CimError(Fault.PAYLOAD, "it names no group and no device", where)
    start, duration = _when(item, now, where)
    order = Order(values, duration, start=start)
    return Wish(item.mrid, item.groups, item.devices, (order,), item.mandatory)


def _code(item: EndDeviceControl) -> tuple[str, str]:
    ref = "" if item.type is None else item.type.ref
    match = _TYPE.fullmatch(ref)
    if match is None:
        reason = "its ref is not of four numbers with dots between them"
        raise CimError(Fault.PAYLOAD, reason, "EndDeviceControl/EndDeviceControlType")
    return match[1], match[2]


def _switch(item: EndDeviceControl, where: str) -> dict[Mode, Value]:
    if item.type is None:
        raise CimError(Fault.PAYLOAD, "it asks for nothing", where)
    domain, action = _code(item)
    if domain != _SWITCH or action not in _CONNECT:
        reason = f"homes know nothing of {item.type.ref}; connect (*.31.0.18) and disconnect"
        raise CimError(Fault.NOT_TRIED, f"{reason} (*.31.0.23) they do", where)
    return {Mode.CONNECT: _CONNECT[action]}


def _loads(asked: DemandResponse, where: str) -> dict[Mode, Value]:
    values: dict[Mode, Value] = {}
    if asked.command is not None:
        raise CimError(Fault.NOT_TRIED, "homes know no commands", f"{where}/command")
    if asked.load_percent is not None:
        if asked.load_percent > 0:
            reason = "homes can be asked to use less (below 0), not more"
            raise CimError(Fault.NOT_TRIED, reason, f"{where}/avgLoadAdjustment")
        values[Mode.LOAD_PERCENT] = -asked.load_percent + 0.0
    others = {
        Mode.COOLING: asked.cooling_k,
        Mode.HEATING: asked.heating_k,
        Mode.DUTY: asked.duty_percent,
    }
    values |= {mode: value for mode, value in others.items() if value is not None}
    if not values:
        raise CimError(Fault.PAYLOAD, "it asks for nothing", where)
    return values


def _when(item: EndDeviceControl, now: float, where: str) -> tuple[float, float]:
    """Return start (epoch s) and duration (s), which two places may say, if they say the same."""
    span, asked = item.span, item.demand_response or DemandResponse()
    if asked.indefinite:
        reason = "homes follow nothing that has no end"
        raise CimError(Fault.NOT_TRIED, reason, f"{where}/durationIndefinite")
    starts = {at for at in (asked.start, None if span is None else span.start) if at is not None}
    if len(starts) > 1:
        raise CimError(Fault.RELATION, "it says two starts", where)
    start = starts.pop() if starts else float(int(now))
    durations = set[float]()
    if span is not None and span.end is not None:
        durations.add(span.end - start)
    if asked.duration_min is not None:
        durations.add(asked.duration_min * _MINUTE_S)
    if len(durations) != 1:
        reason = "it says two durations" if durations else "it does not say how long"
        raise CimError(Fault.RELATION if durations else Fault.PAYLOAD, reason, where)
    return start, durations.pop()
