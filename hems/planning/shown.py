"""The plan as the page and the command line see it; pure."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from der.sentence import say
from hems.cem import local_time
from hems.cem.planner.plan import GivenUp, Plan
from hems.cem.planner.problem import Battery, BySlot
from hems.cem.planner.question import Question
from hems.plan_surface import PlannedView, PlanView, StepView
from programs.economy import EconomyPolicy, Step


def shown(
    question: Question,
    plan: Plan,
    policy: EconomyPolicy,
    currency: str,
    zone: ZoneInfo,
    *,
    names: Mapping[str, str],
) -> PlanView:
    """Return a plan as shown.

    Args:
        question: What it answers.
        plan: The plan.
        policy: The same as steps, in words.
        currency: ISO 4217 letters.
        zone: In which times of the day are told.
        names: What the owner calls each device, by id.
    """
    batteries: Mapping[str, Battery] = {b.id: b for b in question.batteries}
    return PlanView(
        made_at=plan.made_at,
        start=plan.slots.start,
        step_s=plan.slots.step_s,
        import_per_kwh=question.prices.import_per_kwh,
        export_per_kwh=question.prices.export_per_kwh,
        load_w=plan.load_w,
        sun_w=plan.sun_w,
        net_w=plan.net_w,
        limit_import_w=question.limits.import_w,
        devices={
            name: PlannedView(
                planned.power_w,
                _level(planned.level, batteries.get(name)),
                tuple(_step(step) for step in policy.steps.get(name, ())),
            )
            for name, planned in plan.devices.items()
        },
        cost=plan.cost,
        currency=currency,
        given_up=tuple(
            sentence(each, names.get(each.device, each.device), zone, plan.made_at)
            for each in plan.given_up
        ),
        notes=tuple(_sentence(note) for note in plan.notes),
        took_s=plan.took_s,
    )


def sentence(given_up: GivenUp, name: str, zone: ZoneInfo, now: float) -> str:
    """Return what was given up for the owner: "EV 78 % of what it needs at 07:00: ...".

    Args:
        given_up: What was.
        name: What the owner calls the device; empty for the home.
        zone: In which the time of the day is told.
        now: UTC epoch seconds.
    """
    at = local_time.words(given_up.at, zone, now)
    what, why = given_up.words, given_up.because
    if not name:
        what = f"{what[:1].upper()}{what[1:]}"
        if why:
            return say("{what} at {time}: {why}.", what=what, time=at, why=why)
        return say("{what} at {time}.", what=what, time=at)
    name = f"{name[:1].upper()}{name[1:]}"
    if why:
        return say("{name} {what} at {time}: {why}.", name=name, what=what, time=at, why=why)
    return say("{name} {what} at {time}.", name=name, what=what, time=at)


def _level(level: BySlot, battery: Battery | None) -> BySlot:
    """Return a battery's energy as a share of what it holds; any other level as it is."""
    if battery is None or battery.most_wh <= 0:
        return level
    return tuple(energy_wh / battery.most_wh for energy_wh in level)


def _step(step: Step) -> StepView:
    use = "" if step.use is None else step.use.value
    return StepView(step.starts_at, step.ends_at, step.power_w, use, step.reason)


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
