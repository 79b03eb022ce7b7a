"""Why the plan has a device do what it does: one sentence a step, for the owner. Pure.

It is read off the plan and its prices, in the home's local time. It names the one fact that
explains a step best, and nothing that the plan does not show.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from der.sentence import Sentence, say
from hems.cem import local_time
from hems.cem.needs import CarMode, CarNeed, RunRequest
from hems.cem.planner.plan import Plan, PlannedDevice
from hems.cem.planner.problem import Prices
from programs.economy import Use

_ACTS_W: Final = 20.0
"""Less than this is nothing."""
_SUN_SHARE: Final = 0.8
"""A stretch in which so much of what is drawn need not be imported runs on the sun."""
_CHEAPER: Final = 1e-4
"""Prices closer than this are the same to the owner."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring slots in which a device does the same.

    Attributes:
        first: The first of them.
        end: The one behind the last.
        power_w: Their mean power.
        use: How a battery behaves in them; `Use.KEEP` for a car that runs on the sun.
    """

    first: int
    end: int
    power_w: float
    use: Use | None = None

    @property
    def slots(self) -> range:
        """The numbers of its slots."""
        return range(self.first, self.end)


@dataclass(frozen=True, slots=True)
class Course:
    """The plan as the reasons look at it.

    Attributes:
        plan: The plan.
        prices: What it was made with.
        zone: The home's.
    """

    plan: Plan
    prices: Prices
    zone: ZoneInfo

    def starts_at(self, slot: int) -> float:
        """Return when a slot begins, UTC epoch seconds."""
        return self.plan.slots.start + slot * self.plan.slots.step_s

    def words(self, at: float) -> str:
        """Return an instant for the owner to read."""
        return local_time.words(at, self.zone, self.plan.made_at)

    def slot_words(self, slot: int) -> str:
        """Return when a slot begins, for the owner to read."""
        return self.words(self.starts_at(slot))

    def price(self, slots: Sequence[int]) -> float:
        """Return the mean price of a kWh taken in some slots."""
        return sum(self.prices.import_per_kwh[i] for i in slots) / len(slots)

    def sunny(
        self, slots: Sequence[int], power_w: Sequence[float], share: float = _SUN_SHARE
    ) -> bool:
        """Return whether what a device draws in some slots is left over by the sun.

        It is where the sun gives so much more than the house takes, and next to nothing is bought.

        Args:
            slots: Their numbers.
            power_w: What the device draws, by slot of the plan.
            share: How much of it at least must be the sun's.
        """
        plan = self.plan
        drawn_w = sum(max(power_w[i], 0.0) for i in slots)
        left_w = sum(
            min(max(-plan.load_w[i] - plan.sun_w[i], 0.0), max(power_w[i], 0.0)) for i in slots
        )
        bought_w = sum(min(max(plan.net_w[i], 0.0), max(power_w[i], 0.0)) for i in slots)
        return drawn_w > 0 and min(left_w, drawn_w - bought_w) >= share * drawn_w


def battery(planned: PlannedDevice, stretch: Stretch, course: Course) -> str:
    """Return why a battery behaves as it does."""
    match stretch.use:
        case Use.CHARGE:
            return _charges(stretch, course)
        case Use.KEEP:
            return _keeps(planned, stretch, course)
        case Use.SELL if _sells(stretch, course):
            paid = max(course.prices.export_per_kwh[i] for i in stretch.slots)
            return say("Sells to the grid, which pays {paid:.2f}", paid=paid)
        case Use.GIVE | Use.SELL:
            paid = sum(course.prices.export_per_kwh[i] for i in stretch.slots) / len(stretch.slots)
            return say(
                "Gives the house what it lacks; what the sun leaves over earns {paid:.2f}",
                paid=paid,
            )
        case Use.REST:
            return say("Rests: neither storing nor giving pays now")
        case _:
            return say("Takes what the sun leaves over and gives the house what it lacks")


def _sells(stretch: Stretch, course: Course) -> bool:
    """Return whether the home gives to the grid in a stretch, and not only less is taken."""
    return sum(course.plan.net_w[i] for i in stretch.slots) < -_ACTS_W * len(stretch.slots)


def _charges(stretch: Stretch, course: Course) -> str:
    price = course.price(stretch.slots)
    if price < 0:
        return say("Charges from the grid, which pays {price:.2f} for it", price=-price)
    later = range(stretch.end, course.plan.slots.count)
    dearest = max(later, key=lambda i: course.prices.import_per_kwh[i], default=None)
    if dearest is None or course.prices.import_per_kwh[dearest] <= price + _CHEAPER:
        return say("Charges from the grid: energy costs {price:.2f} now", price=price)
    dear = course.prices.import_per_kwh[dearest]
    when = course.slot_words(dearest)
    return say(
        "Charges from the grid at {price:.2f}: energy costs {dear:.2f} at {when}",
        price=price,
        dear=dear,
        when=when,
    )


def _keeps(planned: PlannedDevice, stretch: Stretch, course: Course) -> str:
    """Say for when the charge is kept: the dearest slot in which it is then given."""
    gives = [
        i
        for i in range(stretch.end, course.plan.slots.count)
        if planned.power_w[i] < -_ACTS_W and planned.uses[i] is not Use.KEEP
    ]
    if not gives:
        return say("Keeps its charge: it is worth more later")
    dearest = max(gives, key=lambda i: course.prices.import_per_kwh[i])
    dear, when = course.prices.import_per_kwh[dearest], course.slot_words(dearest)
    return say("Keeps its charge for {when}: energy costs {dear:.2f} then", when=when, dear=dear)


def car(planned: PlannedDevice, stretch: Stretch, course: Course, need: CarNeed | None) -> str:
    """Return why a car charges, or waits."""
    solar = need is not None and need.mode is CarMode.SOLAR
    if stretch.power_w <= _ACTS_W:
        if solar:
            return say("Waits: takes sun only")
        if _has_its_energy(need):
            return say("Has what it needs: takes sun only")
        words = _waits(planned, stretch, course)
        return _ready(words, need, course) if words else say("Has nothing to take")
    if solar:
        return say("Takes sun only")
    if stretch.use is Use.KEEP:
        return say("Charging: the sun leaves it over")
    price = course.price(stretch.slots)
    if need is None or need.ready_at is None:
        return say("Charging: energy costs {price:.2f}", price=price)
    by = course.words(need.ready_at)
    until = min(course.plan.slots.at(need.ready_at), course.plan.slots.count)
    usual = course.price(range(min(until, stretch.first), until)) if until > stretch.end else None
    if usual is not None and price < usual - _CHEAPER:
        return say("Charging: the cheapest hours before {by}", by=by)
    return say("Charging: to be ready by {by}", by=by)


def _has_its_energy(need: CarNeed | None) -> bool:
    """Return whether a car has drawn what its owner said that it needs."""
    if need is None or need.energy_wh is None or need.taken_wh is None:
        return False
    return need.taken_wh >= need.energy_wh


def _ready(waits: str, need: CarNeed | None, course: Course) -> str:
    if need is None or need.ready_at is None or need.ready_at <= course.plan.made_at:
        return waits
    return say("{waits}; ready by {time}", waits=waits, time=course.words(need.ready_at))


def _waits(
    planned: PlannedDevice, stretch: Stretch, course: Course, acts_w: float = _ACTS_W
) -> str:
    """Say what a device waits for: the next slots in which it draws; nothing if there are none."""
    later = range(stretch.end, course.plan.slots.count)
    begins = next((i for i in later if planned.power_w[i] > acts_w), None)
    if begins is None:
        return ""
    ends = next((i for i in later if i > begins and planned.power_w[i] <= acts_w), later.stop)
    slots, when = range(begins, ends), course.slot_words(begins)
    if course.sunny(slots, planned.power_w):
        return say("Waits: sun from {when}", when=when)
    if course.price(slots) < course.price(stretch.slots) - _CHEAPER:
        return say("Waits: cheaper from {when}", when=when)
    return say("Waits until {when}", when=when)


def heat(
    planned: PlannedDevice, stretch: Stretch, course: Course, *, on: float, cools: bool
) -> str:
    """Return why a heater or cooler runs, or does not.

    Args:
        planned: The device over the plan.
        stretch: What it is about.
        course: The plan.
        on: Mean power in W from which it is on.
        cools: Whether running makes it colder.
    """
    if stretch.power_w < on:
        enough = say("Cool enough") if cools else say("Warm enough")
        return _waits(planned, stretch, course, on - _ACTS_W) or enough
    does = say("Cools") if cools else say("Heats")
    if course.sunny(stretch.slots, planned.power_w):
        return say("{does}: the sun leaves it over", does=does)
    price, usual = course.price(stretch.slots), course.price(range(course.plan.slots.count))
    if price < usual - _CHEAPER:
        return say("{does}: energy costs {price:.2f}, less than on average", does=does, price=price)
    return say("{does}: it is needed now", does=does)


def run(
    planned: PlannedDevice, stretch: Stretch, course: Course, request: RunRequest | None
) -> str:
    """Return why an appliance starts when it does."""
    count = course.plan.slots.count
    if stretch.power_w > 0 and planned.power_w[stretch.first] > 0:
        return say("Runs until {end}, without a break", end=course.slot_words(stretch.end))
    begins = next((i for i in range(stretch.end, count) if planned.power_w[i] > 0), None)
    if begins is None:
        return say("Has no start within this plan")
    ends = next((i for i in range(begins, count) if planned.power_w[i] <= 0), count)
    slots, starts = range(begins, ends), say("Starts at {time}", time=course.slot_words(begins))
    if course.sunny(slots, planned.power_w):
        return say("{starts}: sun expected", starts=starts)
    until = count if request is None else min(course.plan.slots.at(request.ready_by), count)
    if (
        until > stretch.first
        and course.price(slots) < course.price(range(stretch.first, until)) - _CHEAPER
    ):
        return _cheapest(starts, request, course)
    return starts


def _cheapest(starts: Sentence, request: RunRequest | None, course: Course) -> Sentence:
    if request is None:
        return say("{starts}: the cheapest hours", starts=starts)
    by = course.words(request.ready_by)
    return say("{starts}: the cheapest hours before {by}", starts=starts, by=by)
