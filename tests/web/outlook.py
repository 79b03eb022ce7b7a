"""What the scripted home plans and what it has cost: figures computed from the hour alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hems.money.surface import MoneyView, Step
from hems.plan_surface import PlannedView, PlanView, StepView
from hems.surface import SurfaceError
from tests.web.judged import JudgedDevices
from tests.web.script import MIDNIGHT, SCRIPT_START, ZONE, day_series, first_snapshot
from web.money_api import MoneyApi
from web.operation import Part
from web.plan_api import PlanApi
from web.trust_api import TrustApi

SLOT_S = 900.0
SLOTS = 36 * 4
PLAN_START = SCRIPT_START // SLOT_S * SLOT_S
DAY_S = 86_400.0
TODAY = MoneyView(
    start=MIDNIGHT,
    end=MIDNIGHT + DAY_S,
    currency="EUR",
    import_wh=6100.0,
    export_wh=2300.0,
    sun_wh=21_400.0,
    used_wh=24_800.0,
    cost=1.61,
    revenue=0.18,
    charges=0.41,
    total=1.84,
    saved_no_control=0.93,
    saved_greedy=0.22,
    carbon_kg=2.31,
    self_consumption=0.87,
    autarky=0.74,
    measured=0.97,
)


def price(at: float) -> float:
    """Return what a kWh costs at an instant."""
    hour = ((at - MIDNIGHT) / 3600) % 24
    if hour < 6 or hour >= 22:
        return 0.214
    if 11 <= hour < 15:
        return 0.189
    return 0.398 if 17 <= hour < 20 else 0.312


def hours(first: float, last: float) -> tuple[float, float]:
    """Return two hours of the script's day as instants; above 24 they are of the next day."""
    return MIDNIGHT + first * 3600, MIDNIGHT + last * 3600


def _step(first: float, last: float, power_w: float, reason: str, use: str = "") -> StepView:
    starts_at, ends_at = hours(first, last)
    return StepView(starts_at, ends_at, power_w, use, reason)


STEPS: Mapping[str, Sequence[StepView]] = {
    "car": (
        _step(14.25, 15.0, 2760.0, "Charging: the cheapest hours before 07:00"),
        _step(15.0, 25.0, 0.0, "Waits until tomorrow 01:00: energy costs 0.21 then"),
        _step(25.0, 27.25, 7200.0, "Charging: the cheapest hours before 07:00"),
        _step(27.25, 50.25, 0.0, "Has what it needs: takes sun only"),
    ),
    "battery": (
        _step(14.25, 17.0, 0.0, "Keeps its charge for 17:00: energy costs 0.40 then", "keep"),
        _step(17.0, 22.0, -1400.0, "Gives the house what it lacks", "give"),
        _step(22.0, 26.0, 0.0, "Rests: neither storing nor giving pays now", "rest"),
        _step(26.0, 28.0, 2000.0, "Charges from the grid at 0.21", "charge"),
    ),
    "water": (
        _step(14.25, 14.75, 0.0, "Waits until 14:45: the sun leaves it over then"),
        _step(14.75, 15.75, 2000.0, "Heats now: the sun leaves it over"),
        _step(15.75, 50.25, 0.0, "Warm enough"),
    ),
}


def first_plan() -> PlanView:
    """Return the plan of the script's start: a day and a half by quarter-hours."""
    at = [PLAN_START + i * SLOT_S for i in range(SLOTS)]
    sun = _of("pv", at)
    load = [
        _first + _second for _first, _second in zip(_of("heatpump", at), _rest(at), strict=True)
    ]
    powers = {name: [_power(steps, t) for t in at] for name, steps in STEPS.items()}
    net = [sum(parts) for parts in zip(sun, load, *powers.values(), strict=True)]
    limited = hours(18.0, 19.0)
    return PlanView(
        made_at=SCRIPT_START - 120,
        start=PLAN_START,
        step_s=SLOT_S,
        import_per_kwh=[price(t) for t in at],
        export_per_kwh=[0.08] * SLOTS,
        load_w=load,
        sun_w=sun,
        net_w=net,
        limit_import_w=[2000.0 if limited[0] <= t < limited[1] else float("inf") for t in at],
        devices={
            name: PlannedView(
                power_w=powers[name],
                level=[0.3 + 0.4 * i / SLOTS for i in range(SLOTS)] if name == "battery" else (),
                steps=steps,
            )
            for name, steps in STEPS.items()
        },
        cost=3.1,
        currency="EUR",
        notes=("The forecast of the sun is of this morning.",),
    )


def _of(device: str, at: Sequence[float]) -> list[float]:
    series = day_series(first_snapshot(), at[0], at[-1] + SLOT_S, int(SLOT_S))
    power_w = next(each for each in series if each.device == device).power_w
    return [p or 0.0 for p in power_w]


def _rest(at: Sequence[float]) -> list[float]:
    return [380.0 + 120.0 * (i % 7) for i, _ in enumerate(at)]


def _power(steps: Sequence[StepView], at: float) -> float:
    return next((s.power_w for s in steps if s.starts_at <= at < s.ends_at), 0.0)


@dataclass
class ScriptedOutlook:
    """The planner, the books and the trusted devices of the scripted home.

    Attributes:
        view: The plan; None for none.
        today: Today's account; None for none.
        error: What the books say instead of an account; None if they answer.
        judged: How the devices stand.
    """

    view: PlanView | None = field(default_factory=first_plan)
    today: MoneyView | None = TODAY
    error: SurfaceError | None = None
    judged: JudgedDevices = field(default_factory=JudgedDevices)

    def plan(self) -> PlanView | None:
        return self.view

    async def money(self, start: float, end: float, step: Step) -> Sequence[MoneyView]:
        del step
        return [_quarter(start + i * SLOT_S) for i in range(int((end - start) // SLOT_S))]

    async def money_days(self, days: int) -> Sequence[MoneyView]:
        del days
        if self.error is not None:
            raise self.error
        return [] if self.today is None else [self.today]

    def parts(self) -> Sequence[Part]:
        """Return what serves it."""
        return (PlanApi(self, ZONE), MoneyApi(self, ZONE), TrustApi(lambda: self.judged))


def _quarter(start: float) -> MoneyView:
    """Return the account of a quarter-hour in which 250 Wh were taken."""
    return MoneyView(
        start=start,
        end=start + SLOT_S,
        currency="EUR",
        import_wh=250.0,
        export_wh=0.0,
        sun_wh=0.0,
        used_wh=250.0,
        cost=0.25 * price(start),
        revenue=0.0,
        charges=0.0,
        total=0.25 * price(start),
        saved_no_control=None,
        saved_greedy=None,
        carbon_kg=None,
        self_consumption=None,
        autarky=None,
        measured=1.0,
    )
