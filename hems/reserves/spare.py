"""For how long each load could stay off, from what people want of it: pure."""

import math
from collections.abc import Iterable
from typing import Final

from hems.cem.memory import Memory
from hems.cem.needs import CarMode, CarNeed, HeatStore
from hems.image import Image
from programs.capability import Spare, car_spare_s, heat_spare_s

_MILD_C: Final = 10.0
"""Temperature outside, where nobody knows it."""
_DAY_H: Final = 24.0


def spare(
    image: Image, cars: Iterable[CarNeed], heats: Iterable[HeatStore], memory: Memory
) -> Spare:
    """Return for how long loads could stay off.

    What is in nobody's way is not named: a plug that nobody asked to run, a car that has no time
    to be ready by. One that its owner wants charged at once, or that needs an amount that nobody
    knows, cannot wait.

    Args:
        image: The last complete image.
        cars: What is wanted of cars.
        heats: What heaters warm.
        memory: How long something has been on.
    """
    found = {need.device: _car_s(image, need) for need in cars}
    found |= {store.device: _heat_s(image, store) for store in heats}
    held_on = frozenset(
        name
        for name, state in image.devices.items()
        if (past := memory.devices.get(name)) is not None
        and past.running
        and image.at - past.running_since < state.spec.min_on_s
    )
    return Spare(found, held_on)


def _car_s(image: Image, need: CarNeed) -> float:
    state = image.devices.get(need.device)
    if state is None or need.mode is CarMode.NOW:
        return 0.0
    if need.ready_at is None or need.mode is CarMode.SOLAR:
        return math.inf
    if need.energy_wh is None:
        return 0.0
    left_wh = need.energy_wh - (need.taken_wh or 0.0)
    most_w = state.spec.max_w if need.power_w is None else min(need.power_w, state.spec.max_w)
    return car_spare_s(left_wh, most_w, need.ready_at - image.at)


def _heat_s(image: Image, store: HeatStore) -> float:
    state = image.devices.get(store.device)
    if state is None or state.reading is None or state.reading.temp_c is None:
        return 0.0
    temp_c = state.reading.temp_c
    around_c = _MILD_C if store.surroundings_c is None else store.surroundings_c
    draw_w = store.draw_wh_per_day / _DAY_H
    if store.cop < 0:  # running makes it colder
        return heat_spare_s(
            store.high_c - temp_c, store.wh_per_k, store.loss_w_per_k, around_c - temp_c
        )
    return heat_spare_s(
        temp_c - store.low_c, store.wh_per_k, store.loss_w_per_k, temp_c - around_c, draw_w
    )
