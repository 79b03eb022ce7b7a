"""A described Modbus device: frozen records, checked and ready for use."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from der.drivers.mapped.meaning import RATING, Assumed, Condition, ReadingMap, Terms
from der.drivers.mapped.points import Point
from der.drivers.mapped.steps import Control
from der.model import DeviceKind


@dataclass(frozen=True, slots=True)
class BusRules:
    """How a device wants to be asked.

    Attributes:
        port: TCP port that its maker chose.
        unit: Unit identifier that its maker chose.
        most: Most registers in one frame.
        gap: Most between two points that may be read along; None for any number.
        single: One register is written by function 6 and not by function 16.
    """

    port: int = 502
    unit: int = 1
    most: int = 125
    gap: int | None = None
    single: bool = False


@dataclass(frozen=True, slots=True)
class Names:
    """Text points that name a device; "" for none."""

    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""

    @property
    def points(self) -> tuple[str, ...]:
        """All that there are."""
        every = (self.manufacturer, self.model, self.serial, self.firmware)
        return tuple(name for name in every if name)


@dataclass(frozen=True, slots=True)
class DeviceMap:
    """A description.

    Attributes:
        name: Of the bundled file, or the path of one's own.
        title: What the device is, for people.
        manufacturer: Who makes it.
        model: Its type.
        kinds: What such a device can be in a home.
        source: Document that the facts are from.
        firmware: For which firmware they hold; "" if that is not known to matter.
        bus: How it wants to be asked.
        points: All points by name.
        read: What makes a reading.
        names: Points that name it.
        control: How it is controlled; None for a device that is only read.
    """

    name: str
    title: str
    manufacturer: str
    model: str
    kinds: frozenset[DeviceKind]
    source: str
    firmware: str
    bus: BusRules
    points: Mapping[str, Point]
    read: ReadingMap
    names: Names = field(default_factory=Names)
    control: Control | None = None

    @property
    def polled(self) -> tuple[str, ...]:
        """Points that each reading needs, in the order of the description."""
        return self._with_exponents(set(read_names(self.read)))

    @property
    def readable(self) -> tuple[str, ...]:
        """All points but those that can only be written."""
        known = {*self.polled, *self.settings, *self.names.points}
        blind: set[str] = set()
        for step in () if self.control is None else self.control.steps:
            (known if step.verify or step.only_changes else blind).add(step.point)
        return tuple(name for name in self.points if name in known or name not in blind)

    @property
    def settings(self) -> tuple[str, ...]:
        """Points that must be known before anything is written; they do not change meanwhile."""
        if self.control is None:
            return ()
        wanted = {rule.condition.point for rule in self.control.require}
        wanted |= {step.per for step in self.control.steps} - {"", RATING}
        wanted |= {self.points[step.point].exponent for step in self.control.steps} - {""}
        return self._with_exponents(wanted)

    def _with_exponents(self, wanted: set[str]) -> tuple[str, ...]:
        every = wanted | ({self.points[name].exponent for name in wanted} - {""})
        return tuple(name for name in self.points if name in every)


def read_names(rules: ReadingMap) -> Iterator[str]:
    """Yield the points that a reading is made of."""
    power = rules.power
    if isinstance(power, Assumed):
        yield from _of_condition(power.runs)
    else:
        yield from _of_terms(power)
    for terms in rules.numbers.values():
        yield from _of_terms(terms)
    for phase in rules.phases:
        yield from _of_terms(phase.power_w)
        yield from _of_terms(phase.voltage_v)
    yield from _of_condition(rules.connected)
    yield from _of_condition(rules.wants_power)
    yield from _of_condition(rules.forming)
    for limit in rules.limits:
        yield from _of_terms(limit.terms)
        if limit.of not in {"", RATING}:
            yield limit.of
        for condition in limit.when:
            yield condition.point
    if rules.state is not None:
        yield rules.state.point
    for alarm in rules.alarms or ():
        yield alarm.when.point


def _of_terms(terms: Terms) -> Iterator[str]:
    return (term.point for term in terms)


def _of_condition(condition: Condition | None) -> Iterator[str]:
    if condition is not None:
        yield condition.point
