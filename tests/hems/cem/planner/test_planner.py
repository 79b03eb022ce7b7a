"""The planner from question to plan: whatever is missing, there is a plan that is sound."""

import math
import subprocess
import sys
from dataclasses import replace

import pytest

from hems.cem.needs import CarMode, CarNeed, HeatStore, RunRequest
from hems.cem.planner.planner import Planner
from hems.cem.planner.problem import Battery, Limits, Prices
from hems.cem.planner.question import CarNow, HeatNow, Question, Role, Stretch
from hems.cem.slots import Slots
from programs.economy import Use

T0 = 1_792_400_400.0
SLOTS = Slots.around(T0, 900.0, 24 * 3600.0)
N = SLOTS.count
BATTERY = Battery("battery", 5_000, 1_000, 10_000, 5_000, 5_000)
NAN = math.nan


def question(**more: object) -> Question:
    """Return a question: energy is dear for four hours in the middle of the plan."""
    dear = [0.6 if N // 2 <= i < N // 2 + 16 else 0.2 for i in range(N)]
    asked = Question(
        1,
        T0,
        "Europe/Berlin",
        SLOTS,
        Prices(tuple(dear), (0.05,) * N),
        Limits((14e3,) * N, (14e3,) * N, ("breaker",) * N),
        past=(Stretch("meter", Role.METER, T0 - 96 * 900, (800.0,) * 96),),
        batteries=(BATTERY,),
        load_w=800.0,
        sun_w=0.0,
    )
    return replace(asked, **more)  # type: ignore[arg-type]


@pytest.mark.requirement("ROLE-CEM")
def test_a_battery_is_charged_for_the_dear_hours_and_gives_in_them() -> None:
    plan = Planner().answer(question())
    battery = plan.devices["battery"]
    assert Use.CHARGE in battery.uses[: N // 2]
    assert set(battery.uses[N // 2 : N // 2 + 16]) <= {Use.EVEN_OUT, Use.GIVE, Use.SELL}
    assert sum(battery.power_w[N // 2 : N // 2 + 16]) < 0
    assert battery.worth_per_kwh[0] > 0.2, "worth more than what it costs to fill it"


CASES: dict[str, dict[str, object]] = {
    "nothing known": {"past": (), "load_w": None, "sun_w": None},
    "no meter": {"past": (Stretch("meter", Role.METER, T0 - 9e4, (NAN,) * 96),), "load_w": None},
    "no devices": {"batteries": ()},
    "battery empty": {"batteries": (replace(BATTERY, energy_wh=0.0),)},
    "battery over full": {"batteries": (replace(BATTERY, energy_wh=11e3),)},
    "battery of no use": {"batteries": (replace(BATTERY, least_wh=10e3),)},
    "no import": {"limits": Limits((0.0,) * N, (0.0,) * N, ("import limit",) * N)},
    "negative": {"prices": Prices((-0.2,) * N, (-0.3,) * N)},
    "infinite": {"limits": Limits((math.inf,) * N, (math.inf,) * N)},
    "a clock set back": {"at": T0 - 3_600.0},
    "a clock set on": {"at": T0 + 3_600.0, "slots": Slots.around(T0 + 3_600, 900, 24 * 3600)},
    "two batteries": {"batteries": (BATTERY, replace(BATTERY, id="other", most_wh=4e3))},
    "a wish that cannot be met": {
        "cars": (
            CarNow(
                "car", 1_380, 7_400, True, True, CarNeed("car", ready_at=T0 + 60, energy_wh=5e4)
            ),
        )
    },
    "everything": {
        "cars": (
            CarNow("car", 1_380, 7_400, True, True, CarNeed("car", CarMode.SOLAR)),
            CarNow("away", 1_380, 7_400, False, None, None),
        ),
        "runs": (RunRequest("plug", (2_000.0, 100.0), 1_800.0, T0, T0 + 3_600),),
        "heats": (HeatNow(HeatStore("tank", 230, 2, 20.0, 1.0, 45, 60, 5e3), 2_000.0, 40.0),),
    },
}


@pytest.mark.requirement("ROLE-CEM")
@pytest.mark.parametrize("case", CASES)
def test_there_is_always_a_plan(case: str) -> None:
    asked = question(**CASES[case])
    planner = Planner()
    for _ in range(2):  # the second knows the first
        plan = planner.answer(asked)
        assert plan.slots == asked.slots
        assert len(plan.net_w) == plan.slots.count
        assert all(math.isfinite(w) for w in plan.net_w)
        for battery in asked.batteries:
            planned = plan.devices[battery.id]
            assert all(
                -battery.discharge_w - 1 <= w <= battery.charge_w + 1 for w in planned.power_w
            )
        for name, planned in plan.devices.items():
            assert len(planned.power_w) == plan.slots.count, name
            assert all(math.isfinite(w) for w in planned.power_w), name
        asked = replace(asked, number=2, past=())


WRONG: dict[str, dict[str, object]] = {
    "a price": {"prices": Prices((NAN, *(0.3,) * (N - 1)), (math.inf, *(0.1,) * (N - 1)))},
    "the peak's price": {"prices": Prices((0.3,) * N, (0.1,) * N, peak_per_kw=math.inf)},
    "no price": {"prices": Prices((NAN,) * N, (NAN,) * N)},
    "a limit": {"limits": Limits((NAN, *(9e3,) * (N - 1)), (-5.0, *(9e3,) * (N - 1)))},
    "a charge": {"batteries": (replace(BATTERY, energy_wh=NAN),)},
    "a power": {"batteries": (replace(BATTERY, discharge_w=NAN),)},
    "an efficiency": {"batteries": (replace(BATTERY, charge_efficiency=0.0),)},
    "a size": {"batteries": (replace(BATTERY, most_wh=math.inf), replace(BATTERY, id="other"))},
}


@pytest.mark.parametrize("case", WRONG)
def test_a_figure_that_is_none_does_not_cost_the_plan(case: str) -> None:
    plan = Planner().answer(question(**WRONG[case]))
    assert all(math.isfinite(w) for w in plan.net_w)
    assert any("no numbers" in note for note in plan.notes)
    assert ("other" in plan.devices) == (case == "a size")


def test_what_could_not_be_met_is_named() -> None:
    plan = Planner().answer(question(**CASES["a wish that cannot be met"]))
    assert [each.device for each in plan.given_up] == ["car"]


@pytest.mark.parametrize("day", [1_774_724_400.0, 1_792_875_600.0])
def test_days_of_23_and_25_hours_are_planned(day: float) -> None:
    slots = Slots.around(day, 900.0, 30 * 3600.0)
    n = slots.count
    asked = question(
        at=day,
        slots=slots,
        prices=Prices((0.3,) * n, (0.0,) * n),
        limits=Limits((9e3,) * n, (9e3,) * n),
        past=(Stretch("meter", Role.METER, day - 96 * 9_000, (500.0,) * 960),),
    )
    for zone in ("Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"):
        assert len(Planner().answer(replace(asked, zone=zone)).net_w) == n


def test_the_controller_loads_none_of_it() -> None:
    code = "import sys, hems.commands.run; print({'numpy', 'highspy'} & sys.modules.keys())"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert found.stdout.strip() == b"set()"
