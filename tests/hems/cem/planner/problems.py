"""Problems to plan: a plain one to vary, and any that may come up."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from hems.cem.planner.problem import (
    Appliance,
    Battery,
    Car,
    Deadline,
    Heat,
    Limits,
    Prices,
    Problem,
    Scenario,
)
from hems.cem.slots import Slots

START = 1_750_032_000.0
"""A midnight, UTC."""


def home(
    *,
    buy: tuple[float, ...],
    sell: tuple[float, ...] | float = 0.0,
    load_w: tuple[float, ...] | float = 0.0,
    sun_w: tuple[float, ...] | float = 0.0,
    import_w: tuple[float, ...] | float = 9000.0,
    export_w: tuple[float, ...] | float = 5000.0,
    step_s: float = 3600.0,
    **others: Any,
) -> Problem:
    """Return a problem with one scenario; a single figure stands for all slots."""

    def row(values: tuple[float, ...] | float) -> tuple[float, ...]:
        return values if isinstance(values, tuple) else (values,) * len(buy)

    others.setdefault("end_value_per_kwh", 0.0)
    return Problem(
        Slots(START, step_s, len(buy)),
        Prices(buy, row(sell)),
        Limits(row(import_w), row(export_w)),
        (Scenario(1.0, row(load_w), row(sun_w)),),
        **others,
    )


def heater(count: int, **changed: Any) -> Heat:
    """Return a tank of 200 l with a heater of 2 kW."""
    plain = Heat(
        id="tank",
        power_w=2000.0,
        gain=(1.0,) * count,
        temp_c=50.0,
        wh_per_k=230.0,
        loss_w_per_k=2.0,
        ambient_c=(20.0,) * count,
        draw_w=(300.0,) * count,
        low_c=(45.0,) * count,
        high_c=(60.0,) * count,
    )
    return replace(plain, **changed)


def _some(low: float, high: float) -> st.SearchStrategy[float]:
    """Draw a figure; those on the edges and nothing at all often, and none too fine."""
    return st.sampled_from([low, high, 0.0 if low <= 0.0 <= high else low]) | st.integers(
        0, 40
    ).map(lambda n: low + (high - low) * n / 40)


def _row(count: int, low: float, high: float) -> st.SearchStrategy[tuple[float, ...]]:
    return st.tuples(*[_some(low, high)] * count)


@st.composite
def _battery(draw: st.DrawFn, count: int, *, fine: bool) -> Battery:
    charge = draw(_some(0.0 if fine else 1000.0, 5000.0))
    return Battery(
        "battery",
        energy_wh=draw(_some(-500.0, 12000.0) if fine else _some(1000.0, 10000.0)),
        least_wh=draw(_some(0.0, 3000.0)) if fine else 1000.0,
        most_wh=10000.0,
        charge_w=charge,
        discharge_w=draw(_some(0.0, 5000.0)) if fine else charge,
        charge_efficiency=draw(st.sampled_from([1.0, 0.95, 0.6])),
        discharge_efficiency=draw(st.sampled_from([1.0, 0.95, 0.6])),
        wear_per_kwh=draw(st.sampled_from([0.0, 0.02])),
        committed_wh=draw(st.just(()) | _row(count, 0.0, 8000.0)) if fine else (),
    )


@st.composite
def _car(draw: st.DrawFn, count: int, span_s: float, *, fine: bool) -> Car:
    shares = [0.0, 1.0, 0.4] if fine else [0.0, 1.0]
    at = st.integers(-3600 if fine else 1800, int(span_s) + (3600 if fine else 0)).map(
        lambda seconds: START + seconds
    )
    deadlines = st.lists(st.builds(Deadline, at, _some(0.0, 9000.0)), max_size=2 if fine else 1)
    return Car(
        "car",
        least_w=draw(_some(0.0, 1400.0)) if fine else 1400.0,
        most_w=draw(_some(0.0, 7400.0)) if fine else 4200.0,
        present=draw(st.tuples(*[st.sampled_from(shares)] * count)),
        deadlines=tuple(draw(deadlines)),
        room_wh=draw(_some(0.0, 12000.0)) if fine else 20000.0,
        surplus_only=draw(st.booleans()) if fine else False,
        worth_per_kwh=draw(st.sampled_from([0.0, 0.1])),
        later_per_kwh_hour=draw(st.sampled_from([0.0, 0.01])),
    )


@st.composite
def _appliance(draw: st.DrawFn, span_s: float, *, fine: bool) -> Appliance:
    power = _some(0.0 if fine else 100.0, 3000.0)
    profile = draw(st.lists(power, min_size=1, max_size=30 if fine else 2))
    ready = draw(st.integers(-7200 if fine else int(span_s), int(span_s) + 7200))
    earliest = draw(st.integers(-7200, int(span_s) + 3600)) if fine else 0
    return Appliance("washer", tuple(profile), START + earliest, START + ready)


@st.composite
def _heater(draw: st.DrawFn, count: int, *, fine: bool) -> Heat:
    return heater(
        count,
        power_w=draw(_some(0.0, 3000.0)) if fine else 2000.0,
        gain=draw(_row(count, -3.0, 3.0)) if fine else (1.0,) * count,
        temp_c=draw(_some(30.0, 70.0)),
        loss_w_per_k=draw(st.sampled_from([0.0, 2.0, 300.0] if fine else [0.0, 2.0])),
        draw_w=draw(_row(count, 0.0, 2000.0)),
        low_c=draw(_row(count, 30.0, 50.0)),
        least_on_s=draw(st.sampled_from([0.0, 1200.0, 7200.0])) if fine else 0.0,
        least_off_s=draw(st.sampled_from([0.0, 1200.0, 7200.0])) if fine else 0.0,
        on_for_s=draw(st.sampled_from([600.0, -600.0, 86400.0, -86400.0])),
        modulates=draw(st.booleans()) if fine else False,
    )


@st.composite
def any_problem(
    draw: st.DrawFn, *, most_slots: int = 12, fine: bool = True, devices: int = 4
) -> Problem:
    """Draw a problem.

    Args:
        draw: Hypothesis's.
        most_slots: Of the plan.
        fine: Whether anything goes; else only what every coarse plan can be tried of.
        devices: How many at most.
    """
    count = draw(st.integers(1, most_slots))
    step_s = draw(st.sampled_from([300.0, 900.0, 3600.0] if fine else [3600.0]))
    span_s = count * step_s
    kinds: list[st.SearchStrategy[Any]] = [
        _battery(count, fine=fine),
        _car(count, span_s, fine=fine),
        _appliance(span_s, fine=fine),
        _heater(count, fine=fine),
    ]
    chosen = draw(st.lists(st.sampled_from(range(4)), unique=True, max_size=devices))
    if not fine and count < 2:
        chosen = [kind for kind in chosen if kind != 2]  # the plan is shorter than its run
    made = [draw(kinds[kind]) for kind in chosen]
    limit = _row(count, 0.0, 9000.0) if fine else st.just((20000.0,) * count)
    load_w = draw(_row(count, 0.0, 6000.0))
    problem = Problem(
        Slots(START, step_s, count),
        Prices(
            draw(_row(count, -0.3, 0.6)),
            draw(_row(count, -0.2, 0.7)),
            peak_per_kw=draw(st.sampled_from([0.0, 0.3])),
            peak_so_far_w=draw(st.sampled_from([0.0, 2000.0])),
        ),
        Limits(draw(limit), draw(limit)),
        (Scenario(1.0, load_w, draw(_row(count, -8000.0, 0.0))),),
        batteries=tuple(one for one in made if isinstance(one, Battery)),
        cars=tuple(one for one in made if isinstance(one, Car)),
        appliances=tuple(one for one in made if isinstance(one, Appliance)),
        heats=tuple(one for one in made if isinstance(one, Heat)),
        curtailable=draw(st.booleans()),
        charging_w=draw(st.sampled_from([(), tuple(w / 2 for w in load_w), load_w])),
        car_from_storage=draw(st.booleans()),
        end_value_per_kwh=draw(st.sampled_from([0.0, 0.2, None] if fine else [0.0, 0.2])),
    )
    keep = {
        one.id: draw(_row(count, -2000.0 if isinstance(one, Battery) else 0.0, 2000.0))
        for one in made
        if fine and draw(st.booleans())
    }
    return replace(problem, keep=keep)
