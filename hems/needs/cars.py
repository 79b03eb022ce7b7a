"""The cars of the home: what is asked of them, what they have drawn, what they still need."""

from collections.abc import Iterable, Mapping
from typing import Final
from zoneinfo import ZoneInfo

from der.model import DeviceKind, DeviceState, Quality
from hems.cem import local_time
from hems.cem.needs import CarMode, CarNeed
from hems.image import Image
from hems.needs.habits import CarHabit
from hems.needs.orders import CarOrder
from hems.needs.stay import Stay, followed
from programs.ready_by import Departure

KEEP_S: Final = 300.0
"""What a car has drawn is written down this often while it draws."""


class Cars:
    """All cars; what changes is noted for whoever writes it down.

    Args:
        habits: How they are charged as a rule.
        zone: The home's time zone.
    """

    def __init__(self, habits: Iterable[CarHabit], zone: ZoneInfo) -> None:
        self._configured = {habit.device: habit for habit in habits}
        self._habits = dict(self._configured)
        self._zone = zone
        self._stays: dict[str, Stay] = {}
        self._orders: dict[str, CarOrder] = {}
        self._kept: dict[str, Stay] = {}

    @property
    def known(self) -> Mapping[str, CarHabit]:
        """How each car is charged as a rule, by device id."""
        return self._habits

    @property
    def orders(self) -> Mapping[str, CarOrder]:
        """What is asked besides, by device id."""
        return self._orders

    @property
    def own(self) -> Mapping[str, CarHabit]:
        """Those habits that the owner has told, in place of what is configured."""
        return {n: each for n, each in self._habits.items() if each is not self._configured[n]}

    def accustom(self, device: str, habit: CarHabit | None) -> None:
        """Charge a car by another habit as a rule; None for what is configured."""
        self._habits[device] = self._configured[device] if habit is None else habit

    def stay(self, device: str) -> Stay:
        """Return what is known of a car at its charger."""
        return self._stays.get(device, Stay())

    def restore(self, device: str, stay: Stay) -> None:
        """Take up a stay of before a restart."""
        self._stays[device] = self._kept[device] = stay

    def order(self, device: str, order: CarOrder | None) -> bool:
        """Take an order in place of any before, or none; returns whether that changes it."""
        before = self._orders.pop(device, None)
        if order is not None:
            self._orders[device] = order
        return order != before

    def take_image(self, image: Image) -> tuple[bool, frozenset[str]]:
        """Follow the cars.

        Returns:
            Whether one came or left, and the ids of those whose order is over by that.
        """
        moved, over = False, set[str]()
        for name in self._habits:
            state = image.devices.get(name)
            if state is None or state.reading is None or state.quality is not Quality.GOOD:
                continue
            before = self.stay(name)
            stay = followed(before, state.reading, free=_free(state))
            self._stays[name] = stay
            moved = moved or before.plugged is not stay.plugged
            order = self._orders.get(name)
            if before.plugged and not stay.plugged and order and order.ends_with_the_stay:
                over.add(name)
        over |= {name for name, order in self._orders.items() if order.over(image.at)}
        for name in over:
            del self._orders[name]
        return moved, frozenset(over)

    def unkept(self) -> Mapping[str, Stay]:
        """Return the stays that are to be written down now, and take them for written."""
        found = {name: stay for name, stay in self._stays.items() if self._worth_keeping(name)}
        self._kept |= found
        return found

    def _worth_keeping(self, device: str) -> bool:
        stay, kept = self._stays[device], self._kept.get(device, Stay())
        if stay.plugged is not kept.plugged:
            return True
        return stay.taken_wh != kept.taken_wh and abs(stay.at - kept.at) >= KEEP_S

    def mode(self, device: str) -> CarMode:
        """Return how a car is charged now."""
        order = self._orders.get(device)
        asked = None if order is None else order.mode
        return self._habits[device].mode if asked is None else asked

    def need(self, device: str, now: float) -> CarNeed:
        """Return what a car is to have."""
        habit, order = self._habits[device], self._orders.get(device, CarOrder())
        ready_at = order.ready_at
        if ready_at is None or ready_at <= now:
            ready_at = None
            if habit.ready_by is not None:
                ready_at = local_time.next_time(habit.ready_by, self._zone, now, habit.days)
        energy_wh = habit.energy_wh if order.energy_wh is None else order.energy_wh
        stay = self.stay(device)
        power_w = habit.power_w or stay.full_w or None
        return CarNeed(device, self.mode(device), ready_at, energy_wh, stay.known_wh, power_w)

    def departures(self, now: float) -> tuple[Departure, ...]:
        """Return what cars that may wait for cheap hours must have drawn by when."""
        found: list[Departure] = []
        for name in self._habits:
            need, stay = self.need(name, now), self.stay(name)
            wanted_wh = stay.usual_wh if need.energy_wh is None else need.energy_wh
            waits = need.mode is CarMode.CHEAPEST and stay.plugged is not False
            if not waits or need.ready_at is None or wanted_wh is None:
                continue
            missing_wh = wanted_wh - (need.taken_wh or 0.0)
            if missing_wh > 0:
                words = local_time.words(need.ready_at, self._zone, now)
                found.append(Departure(name, need.ready_at, missing_wh, need.power_w, words))
        return tuple(found)

    def solar(self) -> frozenset[str]:
        """Return the ids of the cars that charge from the sun alone."""
        return frozenset(name for name in self._habits if self.mode(name) is CarMode.SOLAR)


def _free(state: DeviceState) -> bool:
    """Return whether a charger is told nothing that holds its car back."""
    return state.setpoint is None or state.setpoint.power_w >= state.spec.max_w


def habits_of(kinds: Mapping[str, DeviceKind], given: Iterable[CarHabit]) -> tuple[CarHabit, ...]:
    """Return a habit for each charger of the home: the one given, or to charge as it comes.

    Args:
        kinds: What each device is, by id.
        given: As configured.
    """
    known = {habit.device: habit for habit in given}
    return tuple(
        known.get(name, CarHabit(name, CarMode.NOW))
        for name, kind in kinds.items()
        if kind is DeviceKind.EVSE
    )
