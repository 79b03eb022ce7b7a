"""What a simulated week holds: events of all kinds and faults, in slots of time; pure.

Each slot has one kind of event and, every other time, one fault that falls before, into or behind
it. A shorter run has fewer slots of the same length as a day's.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

MINUTE_S: Final = 60.0
DAY_S: Final = 86400.0
CHANGE: Final = datetime(2026, 10, 25, 1, tzinfo=UTC).timestamp()
"""When the clocks of Berlin are set back: within every run."""
_BEFORE: Final = 0.6
"""Share of a run that is over by then."""
_SLOTS: Final = 56
"""Of a week."""
_SHORTEST_S: Final = 45 * MINUTE_S
"""A slot of a shorter run."""
_UPGRADED: Final = 2 / 7
"""Share of a run after which the software is replaced."""
_JITTER_S: Final = 180

RECEIVED, STARTED, COMPLETED, CANCELLED, SUPERSEDED = 1, 2, 3, 6, 7
"""Responses of IEEE 2030.5 (10.10.4, table 27)."""
WHOLE: Final = (RECEIVED, STARTED, COMPLETED)
CUT: Final = (RECEIVED, STARTED, SUPERSEDED)


class Fault(StrEnum):
    """What goes wrong."""

    OFF = "off"
    SILENT = "silent"
    GARBLED = "garbled"
    STUCK = "stuck"
    UTILITY = "utility down"
    RESTART = "hub restart"
    CLOCK = "clock set"
    DISK = "full disk"


@dataclass(frozen=True, slots=True)
class Order:
    """An event that the utility dispatches.

    Attributes:
        name: For the report.
        told_at: When it is dispatched, UTC epoch seconds.
        starts_at: Its start.
        lasts_s: Its duration.
        program: Of which programme.
        asks: As the operator's door takes it.
        answers: What the utility must be answered, all of it, each once.
        cancelled_at: When it is cancelled; None if it is not.
        random_s: By how much its start and its duration are left to chance.
        cut_at: When another takes its place, for good (2018); None if none does.
    """

    name: str
    told_at: float
    starts_at: float
    lasts_s: float
    program: str
    asks: Mapping[str, float]
    answers: Sequence[int] = WHOLE
    cancelled_at: float | None = None
    random_s: int = 0
    cut_at: float | None = None

    @property
    def holds_until(self) -> float:
        """When it ceases to hold, UTC epoch seconds."""
        whole = self.starts_at + self.lasts_s
        return min(at for at in (whole, self.cancelled_at, self.cut_at) if at is not None)

    @property
    def limits_import(self) -> bool:
        """Whether it certainly holds a limit of import for a while."""
        return "limit_import_w" in self.asks and STARTED in self.answers and not self.random_s


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault.

    Attributes:
        fault: Which.
        begins_at: UTC epoch seconds.
        ends_at: The same.
        device: Of which device; "" where of none.
    """

    fault: Fault
    begins_at: float
    ends_at: float
    device: str = ""

    @property
    def loses_history(self) -> bool:
        """Whether nobody can know meanwhile what the meter says, or write it down."""
        return self.fault is Fault.DISK or self.device == "meter"


@dataclass(frozen=True, slots=True)
class Plan:
    """All of a run.

    Attributes:
        begins_at: UTC epoch seconds.
        ends_at: The same.
        upgraded_at: When the process ends and another one takes its files over.
        orders: What the utility dispatches.
        troubles: What goes wrong.
        prices_at: When the utility tells prices of the next day.
    """

    begins_at: float
    ends_at: float
    upgraded_at: float
    orders: Sequence[Order] = ()
    troubles: Sequence[Trouble] = ()
    prices_at: Sequence[float] = field(default_factory=tuple)


def planned(days: float, seed: int) -> Plan:
    """Return the plan of a run.

    Args:
        days: How long it is.
        seed: Decides by how much events come earlier or later, and what breaks.
    """
    whole_s = days * DAY_S
    count = max(2, min(_SLOTS, int(whole_s / _SHORTEST_S)))
    slot_s = whole_s / count
    begin = CHANGE - round(_BEFORE * whole_s / 3600) * 3600
    starts = [begin + number * slot_s for number in range(count)]
    chance = random.Random(f"{seed}/endure")  # noqa: S311 - no secret
    first_kind, first_fault = chance.randrange(len(_KINDS)), chance.randrange(len(_FAULTS))
    orders: list[Order] = []
    troubles: list[Trouble] = []
    for number, at in enumerate(starts):
        kind = _KINDS[(first_kind + number) % len(_KINDS)]
        orders += kind(number, at + 4 * MINUTE_S + chance.randrange(_JITTER_S))
        if number % 2:
            fault, device, after_m, lasts_m = _FAULTS[(first_fault + number // 2) % len(_FAULTS)]
            since = at + after_m * MINUTE_S
            troubles.append(Trouble(fault, since, since + lasts_m * MINUTE_S, device))
    return Plan(
        begins_at=begin,
        ends_at=begin + whole_s,
        upgraded_at=starts[max(1, round(_UPGRADED * count))] - MINUTE_S,
        orders=tuple(sorted(orders, key=lambda order: order.told_at)),
        troubles=tuple(troubles),
        prices_at=tuple(at + 2 * MINUTE_S for at in starts[:: max(1, round(DAY_S / slot_s))]),
    )


def parts(plan: Plan) -> Sequence[tuple[float, float]]:
    """Return from when to when each process of a run lives, UTC epoch seconds."""
    return ((plan.begins_at, plan.upgraded_at), (plan.upgraded_at, plan.ends_at))


_Kind = Callable[[int, float], Iterator[Order]]
"""Makes a slot's events from its number and the start of the first."""


def _plain(name: str, program: str, **asks: float) -> _Kind:
    def kind(number: int, at: float) -> Iterator[Order]:
        yield Order(f"{name} {number}", at - 180, at, 25 * MINUTE_S, program, asks)

    return kind


def _at_once(number: int, at: float) -> Iterator[Order]:
    yield Order(f"shed {number}", at, at, 12 * MINUTE_S, "Grid Emergency", {"shed_w": 2000})


def _called_off(number: int, at: float) -> Iterator[Order]:
    asks, before = {"limit_import_w": 3000.0}, (RECEIVED, CANCELLED)
    name, later = f"called off {number}", at + 15 * MINUTE_S
    yield Order(name, at, later, 10 * MINUTE_S, "Peak Saver", asks, before, at + 5 * MINUTE_S)


def _broken_off(number: int, at: float) -> Iterator[Order]:
    asks, within = {"limit_import_w": 3000.0}, (RECEIVED, STARTED, CANCELLED)
    name, then = f"broken off {number}", at + 9 * MINUTE_S
    yield Order(name, at - 120, at, 20 * MINUTE_S, "Peak Saver", asks, within, then)


def _superseded(number: int, at: float) -> Iterator[Order]:
    first, second = {"limit_import_w": 4000.0}, {"limit_import_w": 3500.0}
    later, name, by = at + 8 * MINUTE_S, f"superseded {number}", f"superseding {number}"
    yield Order(name, at - 120, at, 25 * MINUTE_S, "Peak Saver", first, CUT, cut_at=later)
    yield Order(by, later - 90, later, 10 * MINUTE_S, "Peak Saver", second)


def _overlapping(number: int, at: float) -> Iterator[Order]:
    first, second = {"limit_import_w": 5000.0}, {"limit_import_w": 2500.0}
    later, name, by = at + 6 * MINUTE_S, f"weaker {number}", f"stronger {number}"
    yield Order(name, at - 120, at, 25 * MINUTE_S, "Peak Saver", first, CUT, cut_at=later)
    yield Order(by, later - 90, later, 10 * MINUTE_S, "Feeder", second)


def _by_chance(number: int, at: float) -> Iterator[Order]:
    asks, name = {"limit_import_w": 3000.0}, f"by chance {number}"
    yield Order(name, at - 120, at, 15 * MINUTE_S, "Peak Saver", asks, random_s=120)


_KINDS: Final[Sequence[_Kind]] = (
    _plain("import", "Peak Saver", limit_import_w=3000),
    _plain("export", "Peak Saver", limit_export_w=1500),
    _at_once,
    _plain("energy", "Energy Support", reduce_energy_wh=300),
    _called_off,
    _superseded,
    _plain("reserve", "Reserve", shed_w=1500),
    _broken_off,
    _overlapping,
    _by_chance,
)
_FAULTS: Final = (
    (Fault.OFF, "battery", 6, 10),
    (Fault.UTILITY, "", 26, 12),
    (Fault.SILENT, "meter", 10, 3),
    (Fault.DISK, "", 2, 12),
    (Fault.RESTART, "", 9, 1),
    (Fault.GARBLED, "car", 7, 5),
    (Fault.CLOCK, "", 8, 9),
    (Fault.STUCK, "pv", 5, 15),
    (Fault.OFF, "circuit_ev", 3, 30),
)
"""What breaks, which device, minutes after the slot's beginning, and for how many minutes."""
