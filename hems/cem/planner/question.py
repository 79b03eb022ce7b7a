"""What the controller's process asks of the planner's: the home now, and what is new of its past.

Plain records that can be written as JSON. Powers in W, passive sign; energies in Wh.
"""

from dataclasses import dataclass
from enum import StrEnum

from hems.cem.needs import CarNeed, HeatStore, RunRequest
from hems.cem.planner.problem import Battery, Limits, Prices
from hems.cem.slots import Slots


class Role(StrEnum):
    """What a device is to the balance of the home."""

    METER = "meter"
    SUN = "sun"
    BATTERY = "battery"
    CAR = "car"
    HEAT = "heat"
    """Whatever is switched by plan and warms something."""
    RUN = "run"
    """An appliance that runs when it is asked to."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a device measured over equal steps of time, all of them over.

    Attributes:
        device: Its id.
        role: What it is to the balance.
        start: Of the first step, UTC epoch seconds, a whole multiple of the step.
        power_w: Mean power by step; NaN where nothing was measured.
        held_back: By step, whether it was kept from giving all it could (PV under a limit); empty
            for never.
    """

    device: str
    role: Role
    start: float
    power_w: tuple[float, ...]
    held_back: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True)
class Stay:
    """A car's stay at its charger.

    Attributes:
        device: Id of the charger.
        came_at: UTC epoch seconds.
        left_at: The same; None while it is there.
    """

    device: str
    came_at: float
    left_at: float | None = None


@dataclass(frozen=True, slots=True)
class CarNow:
    """A charger and what is wanted of it.

    Attributes:
        id: Its id.
        least_w: Least power at which it charges at all.
        most_w: Greatest power.
        plugged: Whether a car is there; None if the charger does not tell.
        wants: Whether the car would take power now; None if the charger does not tell.
        need: What its owner wants; None for nothing in particular.
    """

    id: str
    least_w: float
    most_w: float
    plugged: bool | None
    wants: bool | None = None
    need: CarNeed | None = None


@dataclass(frozen=True, slots=True)
class HeatNow:
    """A heat pump or heater and what stands behind it.

    Attributes:
        store: As commissioned.
        power_w: What it draws when on.
        temp_c: Temperature now.
        modulates: Whether any power up to that can be asked.
        least_on_s: Once on it stays on this long.
        least_off_s: Once off it stays off this long.
        on_for_s: How long it has been on; negative for how long off.
    """

    store: HeatStore
    power_w: float
    temp_c: float
    modulates: bool = False
    least_on_s: float = 0.0
    least_off_s: float = 0.0
    on_for_s: float = -86400.0


@dataclass(frozen=True, slots=True)
class WeatherTold:
    """What a source of weather said, hour by hour or finer.

    Attributes:
        start: Of the first step, UTC epoch seconds.
        step_s: Length of each, s.
        irradiance_w_m2: On the horizontal plane, NaN where it is not told; may be empty.
        outdoor_c: Temperature outside, the same.
        told_at: When, UTC epoch seconds.
    """

    start: float
    step_s: float
    irradiance_w_m2: tuple[float, ...]
    outdoor_c: tuple[float, ...]
    told_at: float


@dataclass(frozen=True, slots=True)
class Question:
    """One question; the answer is a `Plan` of the same number.

    Attributes:
        number: Counts up.
        at: UTC epoch seconds.
        zone: IANA name of the home's time zone.
        slots: What is to be planned.
        prices: What energy costs, by slot.
        limits: What the connection point keeps to, by slot.
        past: What is new since the last question; all that is known in the first.
        stays: Of cars, the last weeks'.
        batteries: Those that can be controlled.
        cars: All chargers that can be.
        runs: Asked and not begun.
        heats: Those whose store is known.
        curtailable: Whether all PV can be held back.
        load_w: What cannot be controlled draws now; None if that is not known.
        sun_w: What PV gives now; None likewise.
        weather: What was told last; None without a source.
        under_way: Runs that have begun, each at its `earliest`: part of the load.
    """

    number: int
    at: float
    zone: str
    slots: Slots
    prices: Prices
    limits: Limits
    past: tuple[Stretch, ...] = ()
    stays: tuple[Stay, ...] = ()
    batteries: tuple[Battery, ...] = ()
    cars: tuple[CarNow, ...] = ()
    runs: tuple[RunRequest, ...] = ()
    heats: tuple[HeatNow, ...] = ()
    curtailable: bool = True
    load_w: float | None = None
    sun_w: float | None = None
    weather: WeatherTold | None = None
    under_way: tuple[RunRequest, ...] = ()
