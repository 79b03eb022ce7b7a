"""What is wanted of a device, and what stands behind it, in the configuration.

Each is a table of the device that it is about: `[device.car]` behind a charger's `[[device]]`.
"""

import re
from datetime import time
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field, model_validator

from hems import units
from hems.cem.local_time import EVERY_DAY
from hems.cem.needs import CarMode
from hems.settings.section import Consumption, Duration, Section
from hems.settings.tariff_section import Days, PerKwh

_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_LEAST_STEP_S: Final = 60.0
_MOST_STEPS: Final = 288
_LONGEST_RUN_S: Final = 86400.0


def _clock(text: object) -> time:
    match = _CLOCK.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a time of the day; write it like '07:00'")
    return time(int(match[1]), int(match[2]))


Clock = Annotated[time, BeforeValidator(_clock)]
Energy = Annotated[float, BeforeValidator(units.energy_wh), Field(gt=0)]
Volume = Annotated[float, BeforeValidator(units.volume_l), Field(gt=0)]
Share = Annotated[float, Field(gt=0, le=1)]


class CarSection(Section):
    """How the car at a charger is charged, unless its owner asks for something else."""

    mode: CarMode = CarMode.CHEAPEST
    """"cheapest": when it costs least, ready in time; "solar": what the sun leaves over; "now"."""
    ready_by: Clock | None = None
    """When it has to be ready, by the home's clock."""
    days: Days = EVERY_DAY
    """Days of the week on which it has to be."""
    energy: Energy | None = None
    """What it needs in a stay; without it, as much as it usually takes."""
    power: Annotated[Consumption, Field(gt=0)] | None = None
    """What the car takes at most, where that is less than its charger gives."""


class RunSection(Section):
    """What a run of an appliance is: a profile, or one power for a time."""

    profile: Annotated[tuple[Consumption, ...], Field(max_length=_MOST_STEPS)] = ()
    """What it draws, by `step` from its start."""
    step: Duration | None = None
    """Length of each step of the profile."""
    power: Annotated[Consumption, Field(gt=0)] | None = None
    """What it draws all the time, in place of a profile."""
    duration: Annotated[Duration, Field(le=_LONGEST_RUN_S)] | None = None
    """How long."""
    ready_by: Clock | None = None
    """When it has to be done where nobody says otherwise; without it, within a day."""

    @model_validator(mode="after")
    def _one_profile(self) -> Self:
        if bool(self.profile) is not (self.step is not None):
            raise ValueError("profile and step belong together")
        if (self.power is None) is not (self.duration is None):
            raise ValueError("power and duration belong together")
        if bool(self.profile) is (self.power is not None):
            raise ValueError("a run needs either profile and step, or power and duration")
        if self.profile and max(self.profile) <= 0:
            raise ValueError("a run that draws nothing is none")
        if not _LEAST_STEP_S <= self.length_s <= _LONGEST_RUN_S:
            raise ValueError("a run takes between a minute and a day")
        return self

    @property
    def profile_w(self) -> tuple[float, ...]:
        """What it draws, by `step_s` from its start, W."""
        return self.profile if self.power is None else (self.power,)

    @property
    def step_s(self) -> float:
        """Length of each step, s."""
        return self.step or self.duration or 0.0

    @property
    def length_s(self) -> float:
        """Length of the whole run, s."""
        return len(self.profile_w) * self.step_s


class HeatSection(Section):
    """What a heat pump or heater warms, or cools; its bounds are the device's comfort."""

    volume: Volume | None = None
    """Water in a tank."""
    per_kelvin: Energy | None = None
    """Heat that makes it one K warmer, where it is no tank: a house."""
    loss: Consumption
    """Heat that it loses for each K that it is warmer than its surroundings."""
    cop: Annotated[float, Field(gt=0, le=20)] = 1.0
    """Heat made, or taken away, for one unit of electricity."""
    surroundings: Annotated[float, Field(ge=-30, le=60)] | None = None
    """Their temperature, degC; leave it out for that outside."""
    draw: Annotated[float, BeforeValidator(units.energy_wh), Field(ge=0)] = 0.0
    """Heat drawn in a day (hot water), until its own history knows better."""

    @model_validator(mode="after")
    def _one_store(self) -> Self:
        if (self.volume is None) is (self.per_kelvin is None):
            raise ValueError("what it warms needs either volume or per_kelvin")
        return self


class StorageSection(Section):
    """What of a battery nobody measures."""

    capacity: Energy | None = None
    """Usable, where the battery does not tell."""
    charge_efficiency: Share = 0.95
    """Share of what it draws that is stored."""
    discharge_efficiency: Share = 0.95
    """Share of what it gives up that comes out."""
    wear: Annotated[PerKwh, Field(ge=0)] = 0.0
    """What one kWh through it costs."""
