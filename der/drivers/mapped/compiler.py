"""From a description's checked form to frozen records. What refers to what is `lint`'s matter."""

import math

from der.drivers.mapped import schema
from der.drivers.mapped.device_map import BusRules, DeviceMap, Names
from der.drivers.mapped.meaning import (
    BOUNDS,
    AlarmRule,
    Assumed,
    Condition,
    LimitRule,
    PhaseTerms,
    ReadingMap,
    StateRule,
    Term,
    Terms,
)
from der.drivers.mapped.points import Kind, Point
from der.drivers.mapped.steps import Control, ExpiryRule, Quantity, Requirement, Step, Steps
from der.model import Expiry

_EXPIRIES = {
    "reversion": Expiry.REVERSION,
    "auto-off": Expiry.AUTO_OFF,
    "watchdog": Expiry.FALLBACK,
    "guard": Expiry.GUARD,
    "holds": Expiry.NOTHING_TO_END,
}


def compiled(part: schema.FilePart, name: str) -> DeviceMap:
    """Return a description's records.

    Args:
        part: The file, each key of which is right by itself.
        name: Of the bundled file, or a path.
    """
    bus = part.bus
    return DeviceMap(
        name=name,
        title=part.title,
        manufacturer=part.manufacturer,
        model=part.model,
        kinds=frozenset(part.kinds),
        source=part.source,
        firmware=part.firmware,
        bus=BusRules(bus.port, bus.unit, bus.most, bus.gap, bus.single),
        points={key: _point(key, value, bus) for key, value in part.points.items()},
        read=_reading(part.read),
        names=Names(
            part.identify.manufacturer or "",
            part.identify.model or "",
            part.identify.serial or "",
            part.identify.firmware or "",
        ),
        control=None if part.control is None else _control(part.control),
    )


def _point(name: str, part: schema.PointPart, bus: schema.BusPart) -> Point:
    kind = part.type or Kind.BIT
    first, count = part.bits or (0, 0)
    least, most = part.takes or (-math.inf, math.inf)
    patterns = part.invalid if isinstance(part.invalid, tuple) else (part.invalid,)
    return Point(
        name=name,
        table=part.table,
        address=part.address,
        kind=kind,
        size=part.length or kind.size,
        scale=part.scale,
        offset=part.offset,
        exponent=part.exponent or "",
        little_words=(part.word_order or bus.word_order) == "little",
        little_bytes=(part.byte_order or bus.byte_order) == "little",
        shift=first,
        width=count,
        invalid=frozenset(patterns),
        absent=part.absent,
        low=-math.inf if part.low is None else part.low,
        high=math.inf if part.high is None else part.high,
        least=least,
        most=most,
    )


def _reading(part: schema.ReadPart) -> ReadingMap:
    power = part.power_w
    numbers = {name: _terms(getattr(part, name)) for name in BOUNDS}
    return ReadingMap(
        power=Assumed(_condition(power.when))
        if isinstance(power, schema.AssumedPart)
        else _terms(power),
        numbers={name: terms for name, terms in numbers.items() if terms},
        phases=tuple(
            PhaseTerms(_terms(phase.power_w), _terms(phase.voltage_v)) for phase in part.phases
        ),
        connected=_condition(part.connected),
        wants_power=_condition(part.wants_power),
        forming=_condition(part.forming),
        limits=tuple(_limit(limit) for limit in part.limit_w),
        state=None
        if part.state is None
        else StateRule(
            part.state.point, {float(key): state for key, state in part.state.states.items()}
        ),
        alarms=None
        if part.alarms is None
        else tuple(AlarmRule(alarm.alarm, condition(alarm.when)) for alarm in part.alarms),
    )


def _limit(part: schema.LimitPart) -> LimitRule:
    many = part.when if isinstance(part.when, tuple) else (part.when,)
    return LimitRule(
        terms=_terms(part.point),
        value=part.value or 0.0,
        factor=part.factor,
        unit=part.unit,
        of=part.of or "",
        when=tuple(condition(each) for each in many),
    )


def _terms(part: schema.TermsPart | None) -> Terms:
    if part is None:
        return ()
    names = part if isinstance(part, tuple) else (part,)
    return tuple(
        Term(name.removeprefix("-"), -1.0 if name.startswith("-") else 1.0) for name in names
    )


def _condition(part: schema.AnyCondition | None) -> Condition | None:
    return None if part is None else condition(part)


def condition(part: schema.AnyCondition) -> Condition:
    """Return a condition's record."""
    if isinstance(part, str):
        return Condition(part.removeprefix("!"), negated=part.startswith("!"))
    return Condition(part.point, frozenset(part.among), part.above, part.below)


def _control(part: schema.ControlPart) -> Control:
    expiry = part.expiry
    return Control(
        expiry=ExpiryRule(
            _EXPIRIES[expiry.kind],
            expiry.safe,
            expiry.risk,
            expiry.timeout_s,
            expiry.feed,
            expiry.every_s,
        ),
        set=_steps(part.set),
        safe=_steps(part.safe),
        prepare=_steps(part.prepare),
        require=tuple(Requirement(condition(each.when), each.why) for each in part.require),
        connect=_steps(part.connect),
        disconnect=_steps(part.disconnect),
        reset=_steps(part.reset),
        form=_steps(part.form),
        follow=_steps(part.follow),
    )


def _steps(parts: schema.Sequence) -> Steps:
    return tuple(
        Step(
            point=part.point,
            value=part.value if isinstance(part.value, Quantity) else float(part.value),
            factor=part.factor,
            per=part.per or "",
            when=part.when,
            below=part.below,
            otherwise=part.otherwise,
            only_changes=part.only_changes,
            verify=part.verify,
        )
        for part in parts
    )
