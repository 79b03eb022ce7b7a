from dataclasses import replace

import pytest

from der.model import Control, Ownership, Quality
from hems.cem.memory import DeviceMemory, Memory
from hems.cem.needs import CarMode, CarNeed, HeatStore, RunRequest, StorageFacts
from hems.cem.planner.question import Role
from hems.planning.gather import Known, Wanted, beside_w, gather, load_w, plugs, roles
from tests.hems.planning.home import BATTERY, CAR, METER, SPECS, T0, TANK, image, without

TANK_STORE = HeatStore("tank", 230.0, 2.0, 20.0, 1.0, 45.0, 60.0)
RUN = RunRequest("plug", (2_000.0, 200.0), 900.0, T0, T0 + 6 * 3600)
WANTED = Wanted((CarNeed("car", CarMode.CHEAPEST, T0 + 9 * 3600, 20_000.0),), (RUN,), (TANK_STORE,))
KNOWN = Known(
    roles(SPECS, [TANK_STORE], ["plug"]), {"battery": StorageFacts(wear_per_kwh=0.02)}, 0.2
)


def test_each_device_has_its_role() -> None:
    assert roles(SPECS, [TANK_STORE], ["plug"]) == {
        "meter": Role.METER,
        "pv": Role.SUN,
        "battery": Role.BATTERY,
        "car": Role.CAR,
        "tank": Role.HEAT,
        "plug": Role.RUN,
    }


def test_what_nothing_is_known_of_is_part_of_the_load() -> None:
    known = roles(SPECS, [], [])
    assert "tank" not in known
    assert "plug" not in known
    assert load_w(image(load_w=400, tank_w=2_000), known) == 2_400


@pytest.mark.requirement("ROLE-CEM")
def test_the_present_is_gathered() -> None:
    now = gather(image(), Memory(), WANTED, KNOWN)
    battery = now.batteries[0]
    assert (battery.energy_wh, battery.least_wh, battery.most_wh) == (5_000, 2_000, 10_000)
    assert (battery.charge_w, battery.discharge_w, battery.wear_per_kwh) == (5_000, 5_000, 0.02)
    assert now.cars[0].plugged is True
    assert now.cars[0].need == WANTED.cars[0]
    assert now.cars[0].least_w == 1_380
    assert now.runs == (RUN,)
    assert now.heats[0].temp_c == 50.0
    assert (now.load_w, now.sun_w) == (500.0, -2_000.0)
    assert now.curtailable
    assert now.unplanned == ()


@pytest.mark.parametrize("lost", ["battery", "car", "tank"])
def test_what_cannot_be_reached_is_not_planned_and_the_load_is_not_guessed(lost: str) -> None:
    now = gather(without(image(), lost), Memory(), WANTED, KNOWN)
    planned = [*(b.id for b in now.batteries), *(c.id for c in now.cars)]
    planned += [h.store.device for h in now.heats]
    assert lost not in planned
    assert len(planned) == 2
    assert now.load_w is None


def test_without_a_meter_there_is_a_plan_to_ask_for_all_the_same() -> None:
    now = gather(without(image(), "meter"), Memory(), WANTED, KNOWN)
    assert now.load_w is None
    assert now.batteries


def test_a_battery_that_does_not_tell_its_charge_is_named() -> None:
    now = gather(image(soc=None), Memory(), WANTED, KNOWN)
    assert now.batteries == ()
    assert now.unplanned == ("Battery does not tell its charge or capacity",)


def test_somebody_elses_battery_is_not_planned() -> None:
    seen = image()
    theirs = replace(BATTERY, ownership=Ownership.SERVICE_PROVIDER)
    battery = replace(seen.devices["battery"], spec=theirs)
    seen = replace(seen, devices={**seen.devices, "battery": battery})
    assert gather(seen, Memory(), WANTED, KNOWN).batteries == ()


@pytest.mark.parametrize(("power_w", "sign"), [(2_000.0, 1), (0.0, -1)])
def test_how_long_a_heater_has_been_on_or_off_is_told(power_w: float, sign: int) -> None:
    past = DeviceMemory(running=power_w > 0, running_since=T0 - 120)
    now = gather(image(tank_w=power_w), Memory(devices={"tank": past}), WANTED, KNOWN)
    assert now.heats[0].on_for_s == sign * 120


def test_what_the_sun_gives_while_held_back_is_not_what_it_could_give() -> None:
    assert gather(image(held_to_w=-1_000.0), Memory(), WANTED, KNOWN).sun_w is None
    assert gather(image(held_to_w=-6_000.0), Memory(), WANTED, KNOWN).sun_w == -2_000.0


@pytest.mark.parametrize("more", [{"control": Control.NONE}, {"ownership": Ownership.OTHER}])
def test_what_draws_and_cannot_be_planned_is_part_of_the_load(more: dict[str, object]) -> None:
    car, tank = replace(CAR, **more), replace(TANK, **more)  # type: ignore[arg-type]
    known = roles((METER, car, tank), [TANK_STORE], [])
    assert known == {"meter": Role.METER}
    assert load_w(image(load_w=400, car_w=3_000, tank_w=2_000, pv_w=0, battery_w=0), known) == 5_400


def test_a_heater_that_does_not_tell_its_temperature_is_named() -> None:
    now = gather(image(temp_c=None), Memory(), WANTED, KNOWN)
    assert now.heats == ()
    assert now.unplanned == ("Tank does not tell its temperature",)


@pytest.mark.parametrize(
    ("planned", "expected_w"),
    [({"battery", "car", "tank"}, -1_500.0), ({"battery"}, 5_500.0), ((), 6_500.0)],
)
def test_a_forecast_is_judged_by_all_that_the_plan_does_not_move(
    planned: set[str], expected_w: float
) -> None:
    """A car that charges at once is in the plan's load, and no device of the plan."""
    assert beside_w(image(car_w=7_000.0), planned) == expected_w


def test_a_forecast_is_not_judged_by_sun_that_is_held_back_or_by_what_is_not_known() -> None:
    assert beside_w(image(held_to_w=-1_000.0), ()) is None
    assert beside_w(without(image(), "meter"), ()) is None
    assert beside_w(without(image(), "battery"), {"battery"}) is None
    assert beside_w(without(image(), "pv"), {"battery"}) == -1_500.0, "the meter has it"


@pytest.mark.parametrize(
    ("device", "quality", "other"),
    [
        ("battery", Quality.ASLEEP, False),
        ("battery", Quality.STALE, True),
        ("car", Quality.LOST, True),
        ("pv", Quality.LOST, False),
        ("meter", Quality.STALE, False),
    ],
)
def test_a_plan_rests_on_who_is_there_and_not_on_who_is_awake(
    device: str, quality: Quality, other: bool
) -> None:
    seen = image()
    state = replace(seen.devices[device], quality=quality)
    then = replace(seen, devices={**seen.devices, device: state})
    assert (plugs(then, KNOWN.roles) != plugs(seen, KNOWN.roles)) is other
    assert plugs(image(plugged=False), KNOWN.roles) != plugs(seen, KNOWN.roles)


def test_a_device_that_sleeps_is_known_to_the_balance() -> None:
    seen = image()
    asleep = replace(seen.devices["battery"], quality=Quality.ASLEEP)
    seen = replace(seen, devices={**seen.devices, "battery": asleep})
    assert load_w(seen, KNOWN.roles) == 500.0
