"""What can't be right in a description although each of its keys is: pure, one sentence each."""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from math import isfinite
from typing import Final

from der.drivers.mapped.device_map import DeviceMap, read_names
from der.drivers.mapped.meaning import RATING
from der.drivers.mapped.points import Kind, Point, Rounding, Table, encode, fit
from der.drivers.mapped.steps import Control, ExpiryRule, Quantity, Step, Steps, When
from der.model import DeviceKind, Expiry

_METERS: Final = frozenset({DeviceKind.METER, DeviceKind.SUBMETER})
_TIMED: Final = frozenset({Expiry.REVERSION, Expiry.AUTO_OFF})
_OF_FORMING: Final = frozenset({Quantity.FREQUENCY, Quantity.VOLTAGE})
_OF_A_SET_POINT: Final = frozenset({Quantity.POWER, Quantity.CURRENT, Quantity.REVERT})


def faults(device: DeviceMap) -> Iterator[str]:
    """Yield what is wrong, each as "place: reason"."""
    missing = list(_missing(device))
    yield from missing
    if missing:
        return  # what follows looks points up
    yield from _of_points(device)
    yield from _of_texts(device)
    if device.control is not None:
        if device.kinds <= _METERS:
            yield "control: a meter takes no set-points"
        yield from _of_expiry(device.control)
        for place, steps in _sequences(device.control):
            for number, step in enumerate(steps):
                for reason in _of_step(place, step, device.points):
                    yield f"control.{place}[{number}]: {reason}"
        yield from _of_reverts(device.control)


def _of_texts(device: DeviceMap) -> Iterator[str]:
    for name in read_names(device.read):
        if device.points[name].kind is Kind.TEXT:
            yield f"read: {name} is a text and not a number"
    for name in device.names.points:
        if device.points[name].kind is not Kind.TEXT:
            yield f"identify: {name} is no text"


def _missing(device: DeviceMap) -> Iterator[str]:
    wanted = [("read", name) for name in read_names(device.read)]
    wanted += [("identify", name) for name in device.names.points]
    wanted += [(f"points.{p.name}", p.exponent) for p in device.points.values() if p.exponent]
    if device.control is not None:
        for place, steps in _sequences(device.control):
            for number, step in enumerate(steps):
                wanted.append((f"control.{place}[{number}]", step.point))
                if step.per not in {"", RATING}:
                    wanted.append((f"control.{place}[{number}]", step.per))
        wanted += [("control.require", rule.condition.point) for rule in device.control.require]
    for place, name in wanted:
        if name not in device.points:
            yield f"{place}: there is no point {name!r}"
    used = {name for _, name in wanted}
    for name in device.points:
        if name not in used:
            yield f"points.{name}: nothing uses it"


def _of_points(device: DeviceMap) -> Iterator[str]:
    for point in device.points.values():
        place = f"points.{point.name}"
        if not point.table.of_bits and point.size > device.bus.most:
            yield f"{place}: it does not fit into a frame of {device.bus.most} registers"
        if point.exponent:
            power = device.points[point.exponent]
            if power.exponent or power.kind not in {Kind.S16, Kind.U16}:
                yield f"{place}: its exponent {power.name!r} is no plain u16 or s16"
    ordered = sorted(device.points.values(), key=lambda p: (p.table, p.address, p.size))
    for first, second in pairwise(ordered):
        apart = first.table is not second.table or first.address + first.size <= second.address
        one_word = (first.address, first.size) == (second.address, second.size)
        if not apart and not (one_word and (first.width or second.width)):
            yield f"points.{second.name}: it overlaps {first.name!r}"
    for name, count in Counter(
        (p.table, p.address, p.shift, p.width, p.kind) for p in device.points.values()
    ).items():
        if count > 1:
            yield f"points: {count} of them are the same {name[0]} {name[1]}"


def _of_expiry(control: Control) -> Iterator[str]:
    expiry: ExpiryRule = control.expiry
    place = "control.expiry"
    ends = any(step.value is Quantity.LAPSE for step in control.set)
    if expiry.kind in _TIMED and not ends:
        yield f"{place}: no step of set writes lapse_s, so nothing ends a set-point"
    if expiry.kind is Expiry.GUARD and not expiry.risk:
        yield f"{place}: a guard needs its risk written down"
    if expiry.kind is Expiry.FALLBACK:
        if not 0 < expiry.every_s <= expiry.timeout_s / 2:
            yield f"{place}: a watchdog has a timeout_s, and an every_s of at most half of it"
    elif expiry.timeout_s or expiry.every_s:
        yield f"{place}: timeout_s and every_s are of a watchdog"


def _of_reverts(control: Control) -> Iterator[str]:
    """Yield what would hold a device, once given back, to what it was to revert to."""
    written = {step.point for step in control.safe}
    for step in control.set:
        if step.value is Quantity.REVERT and step.point not in written:
            yield f"control.safe: does not take back {step.point}, where set writes revert_w"


def _of_step(place: str, step: Step, points: Mapping[str, Point]) -> Iterator[str]:
    point = points[step.point]
    if point.table not in {Table.HOLDING, Table.COIL}:
        yield f"{point.name} lies in the {point.table} table, which nobody can write"
    if point.kind is Kind.TEXT or point.width:
        yield f"{point.name} is a text or a bit field, which is not written"
        return
    if place != "set" and step.when is not When.ALWAYS:
        yield f"when {step.when} asks for a set-point, which only set has"
    if isinstance(step.value, Quantity):
        yield from _of_quantity(place, step, step.value, point)
    elif step.factor != 1 or step.per or step.below is not None or step.otherwise is not None:
        yield "factor, per, below and otherwise are for a quantity"
    constants = [step.below, step.otherwise]
    constants += [] if isinstance(step.value, Quantity) else [step.value]
    for constant in constants:
        if constant is None or point.exponent:
            continue
        if encode(point, fit(point, constant, 0.0, Rounding.NEAREST)) is None:
            yield f"{point.name} cannot hold {constant:g}"


def _of_quantity(place: str, step: Step, value: Quantity, point: Point) -> Iterator[str]:
    if place != "set" and value in _OF_A_SET_POINT:
        yield f"{value} is of a set-point, which only set has"
    if place != "form" and value in _OF_FORMING:
        yield f"{value} is of what is formed, which only form has"
    if value is Quantity.LAPSE and place not in {"set", "disconnect"}:
        yield "only set and disconnect have a lapse_s"
    if not (isfinite(point.least) and isfinite(point.most)):
        yield f"{point.name} needs `takes`, the least and the most that is written"
    if point.offset and (point.kind.floating or not (point.offset / point.scale).is_integer()):
        yield f"{point.name} has an offset by which 0 cannot be written"
    if step.otherwise is not None and value is not Quantity.REVERT:
        yield "otherwise is for revert_w, which a set-point may lack"
    if value is Quantity.REVERT and step.otherwise is None:
        yield "revert_w needs an otherwise, because a set-point may lack it"
    if step.factor == 0:
        yield "a factor of 0 writes nothing of the quantity"


def _sequences(control: Control) -> Iterator[tuple[str, Steps]]:
    yield "prepare", control.prepare
    yield "set", control.set
    yield "safe", control.safe
    yield "connect", control.connect
    yield "disconnect", control.disconnect
    yield "reset", control.reset
    yield "form", control.form
    yield "follow", control.follow
