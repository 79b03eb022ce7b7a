"""What in the home is worth telling those whose page is closed: a rule over what is shown."""

import hashlib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from der.sentence import Quantity, say
from hems.cem import local_time
from hems.plan_surface import PlanView
from hems.push.subscription import Subject
from hems.surface import EventView, MessageView, Snapshot

_HOUR_S: Final = 3600.0
_DAY_S: Final = 86_400.0
_STEADY_ALARM_S: Final = 30.0
_STEADY_CAR_S: Final = 300.0
_LEAST_SHORT_WH: Final = 500.0
_SHORT_SHARE: Final = 0.05
_WHOLE_WH: Final = 9_500.0
"""From here on a tenth of a kWh is not told."""
_FIGURE: Final = re.compile(r"\d+([.,]\d+)?")


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something to be told, once, as long as it holds.

    Attributes:
        key: The same for the same thing, over restarts too; begins with the subject.
        subject: What it is about.
        title: One line.
        text: One or two sentences.
        path: The view of the page that shows it.
        urgent: Whether a sleeping phone may be woken for it.
        until: After this it is worth nothing, UTC epoch seconds.
        steady_s: It must have held for so long.
        after: Key of what must have been told before; empty for nothing.
    """

    key: str
    subject: Subject
    title: str
    text: str
    path: str
    urgent: bool
    until: float
    steady_s: float = 0.0
    after: str = ""


@dataclass(frozen=True, slots=True)
class CarNeed:
    """What a car that is plugged in still needs.

    Attributes:
        device: Id of its charger.
        ready_at: When it has to be ready, UTC epoch seconds.
        left_wh: Energy that it still needs, Wh.
    """

    device: str
    ready_at: float
    left_wh: float


def occasions(
    home: Snapshot, cars: Iterable[CarNeed], plan: PlanView | None, zone: ZoneInfo
) -> list[Occasion]:
    """Return all that is worth telling now.

    Args:
        home: The home as shown.
        cars: The cars that are wanted ready at a time.
        plan: The plan in force, if there is one.
        zone: The home's time zone, by which times are told.
    """
    found = [_of_event(event, zone, home.at) for event in home.events]
    found += [_of_message(message, home.at) for message in home.messages]
    found += [_of_alarm(alarm, home.at) for alarm in home.alarms]
    found += [_of_car(need, home, plan, zone) for need in cars]
    return [occasion for occasion in found if occasion is not None and occasion.until > home.at]


def _of_event(event: EventView, zone: ZoneInfo, now: float) -> Occasion | None:
    asked = f"{Subject.EVENTS}:{event.id}"
    if event.state == "cancelled":
        return Occasion(
            key=f"{Subject.EVENTS}:cancelled {event.id}",
            subject=Subject.EVENTS,
            title=say("{program}: called off", program=event.program),
            text=say("{title}: this is no longer asked.", title=event.title),
            path="/",
            urgent=False,
            until=max(event.ends_at, now + _HOUR_S)
            if math.isfinite(event.ends_at)
            else now + _DAY_S,
            after=asked,
        )
    if event.state not in {"coming", "running"} or event.opted_out:
        return None
    start = local_time.words(event.starts_at, zone, now)
    return Occasion(
        key=asked,
        subject=Subject.EVENTS,
        title=say("{program} asks: {title}", program=event.program, title=event.title),
        text=(
            say(
                "From {start} to {end}. {effect}",
                start=start,
                end=local_time.words(event.ends_at, zone, now),
                effect=event.effect,
            )
            if math.isfinite(event.ends_at)
            else say("From {start} on. {effect}", start=start, effect=event.effect)
        ),
        path="/",
        urgent=event.starts_at - now < _HOUR_S,
        until=event.ends_at,
    )


def _of_message(message: MessageView, now: float) -> Occasion | None:
    if message.acknowledged or not message.starts_at <= now < message.ends_at:
        return None
    return Occasion(
        key=f"{Subject.MESSAGES}:{message.id}",
        subject=Subject.MESSAGES,
        title=say("Message from {program}", program=message.program),
        text=message.text,
        path="/",
        urgent=message.urgent,
        until=message.ends_at,
    )


def _of_alarm(alarm: str, now: float) -> Occasion:
    # Figures in it change while the trouble is the same.
    mark = hashlib.sha256(_FIGURE.sub("#", alarm).encode()).hexdigest()[:16]
    return Occasion(
        key=f"{Subject.ALARMS}:{mark}",
        subject=Subject.ALARMS,
        title=say("Your home needs a look"),
        text=alarm,
        path="/",
        urgent=True,
        until=now + _DAY_S,
        steady_s=_STEADY_ALARM_S,
    )


def _of_car(
    need: CarNeed, home: Snapshot, plan: PlanView | None, zone: ZoneInfo
) -> Occasion | None:
    device = next((each for each in home.devices if each.id == need.device), None)
    if device is None or device.connected is not True or need.ready_at <= home.at:
        return None
    possible = possible_wh(need, plan, max(device.max_w, 0.0), home.at)
    short = need.left_wh - possible
    if not short > max(_LEAST_SHORT_WH, _SHORT_SHARE * need.left_wh):
        return None
    return Occasion(
        key=f"{Subject.CAR}:{need.device} {need.ready_at:.0f}",
        subject=Subject.CAR,
        title=say("{car} will not be ready", car=device.name),
        text=say(
            "By {time} about {energy} of what it needs will be missing.",
            time=local_time.words(need.ready_at, zone, home.at),
            energy=_kwh(short),
        ),
        path="/car",
        urgent=need.ready_at - home.at < 2 * _HOUR_S,
        until=need.ready_at,
        steady_s=_STEADY_CAR_S,
    )


def _kwh(energy_wh: float) -> Quantity:
    kwh = energy_wh / 1000
    return Quantity(f"{kwh:.0f}" if energy_wh >= _WHOLE_WH else f"{kwh:.1f}", "kWh")


def possible_wh(need: CarNeed, plan: PlanView | None, max_w: float, now: float) -> float:
    """Return how much energy a car will have taken by the time, Wh.

    Args:
        need: Which car, and the time.
        plan: By which it is charged as far as it knows of it; beyond it the charger gives its all.
        max_w: What the charger can give, W.
        now: UTC epoch seconds.
    """
    powers: Sequence[float] = ()
    if plan is not None and need.device in plan.devices and plan.step_s > 0:
        powers = plan.devices[need.device].power_w
    if plan is None or not powers:
        return max_w * (need.ready_at - now) / 3600
    total_ws, known_until = 0.0, now
    for number, power_w in enumerate(powers):
        begins = max(now, plan.start + number * plan.step_s)
        ends = min(need.ready_at, plan.start + (number + 1) * plan.step_s)
        if ends > begins:
            total_ws += max(power_w, 0.0) * (ends - begins)
            known_until = ends
    return (total_ws + max_w * max(0.0, need.ready_at - known_until)) / 3600
