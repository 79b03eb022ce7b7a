"""A home with a car, a dishwasher and a tank, for tests of its needs."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from der.model import (
    Comfort,
    Control,
    DeviceKind,
    DeviceSpec,
    DeviceState,
    Ownership,
    Quality,
    Reading,
)
from hems.cem.needs import CarMode, HeatStore
from hems.image import Image
from hems.needs.habits import CarHabit, Habits, RunHabit
from hems.needs.needs import Needs
from hems.store.settings import Settings
from tests.web.surface import ScriptedClock

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 1, 12, 20, 0, tzinfo=UTC).timestamp()
"""A Monday, nine in the evening by the home's clock."""
SEVEN = datetime(2026, 1, 13, 6, 0, tzinfo=UTC).timestamp()

CAR = DeviceSpec("ev", DeviceKind.EVSE, "Car", Control.CEILING, 0, 11_000, least_on_w=4_140)
GUEST = DeviceSpec("guest", DeviceKind.EVSE, "Guest", Control.CEILING, 0, 11_000)
PLUG = DeviceSpec("dishwasher", DeviceKind.PLUG, "Dishwasher", Control.SWITCH, 0, 2_300)
TANK = DeviceSpec(
    "tank", DeviceKind.WATER_HEATER, "Tank", Control.SWITCH, 0, 2_000, comfort=Comfort(45, 65)
)
THEIRS = DeviceSpec(
    "theirs", DeviceKind.EVSE, "Tenant", Control.CEILING, 0, 11_000, ownership=Ownership.OTHER
)
SPECS = (CAR, GUEST, PLUG, TANK, THEIRS)
HEAT = HeatStore("tank", 232.6, 2.0, 18.0, 1.0, 45.0, 65.0)
HABITS = Habits(
    (CarHabit("ev", CarMode.CHEAPEST, time(7), energy_wh=12_000.0),),
    (RunHabit("dishwasher", (2_000.0, 100.0), 900.0, time(18)),),
    (HEAT,),
)


@dataclass
class Play:
    """A home's needs, and images played to them."""

    settings: Settings
    clock: ScriptedClock
    needs: Needs
    touched: int = 0
    seq: int = 0

    @classmethod
    def of(cls, settings: Settings, clock: ScriptedClock | None = None) -> "Play":
        clock = clock or ScriptedClock(NOW)

        def touch() -> None:
            play.touched += 1

        needs = Needs(settings, SPECS, HABITS, clock, ZONE, touched=touch)
        play = cls(settings, clock, needs)
        return play

    def image(
        self,
        car_w: float = 0.0,
        register_wh: float = 0.0,
        *,
        plugged: bool = True,
        plug_w: float = 0,
    ) -> Image:
        """Return an image of now."""
        self.seq += 1
        now = self.clock.at
        states = {
            "ev": Reading(now, car_w, energy_import_wh=register_wh, connected=plugged),
            "dishwasher": Reading(now, plug_w),
            "tank": Reading(now, 0.0, temp_c=50.0),
        }
        specs = {spec.id: spec for spec in SPECS}
        return Image(
            now,
            self.seq,
            {n: DeviceState(specs[n], reading, Quality.GOOD) for n, reading in states.items()},
        )
