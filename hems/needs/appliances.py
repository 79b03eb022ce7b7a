"""The appliances of the home: which run was asked for, when it begins, and when it is over."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final
from zoneinfo import ZoneInfo

from der.model import DeviceState, Quality
from der.sentence import say
from hems.cem import local_time
from hems.cem.needs import RunRequest
from hems.image import Image
from hems.needs.habits import RunHabit
from hems.needs.orders import RunOrder
from programs.economy import Step, step_at
from programs.runs import Run, due, planned_start

_DRAWS_W: Final = 10.0
_DRAWS_SHARE: Final = 0.02
"""An appliance that draws more than both, the share being of its greatest power, has begun."""
_NOTED_S: Final = 300.0
"""While its switch is held off, that is noted this often: it is written down each time."""


class Appliances:
    """All appliances that run when asked to.

    Args:
        habits: What their runs are.
        zone: The home's time zone.
    """

    def __init__(self, habits: Iterable[RunHabit], zone: ZoneInfo) -> None:
        self._habits = {habit.device: habit for habit in habits}
        self._zone = zone
        self._orders: dict[str, RunOrder] = {}
        self._reasons: dict[str, str] = {}

    @property
    def known(self) -> Mapping[str, RunHabit]:
        """What a run of each is, by device id."""
        return self._habits

    @property
    def orders(self) -> Mapping[str, RunOrder]:
        """The runs that were asked for and are not over, by device id."""
        return self._orders

    def order(self, device: str, order: RunOrder | None) -> None:
        """Take an order in place of any before, or none."""
        self._reasons.pop(device, None)
        self._orders.pop(device, None)
        if order is not None:
            self._orders[device] = order

    def take_image(
        self, image: Image, steps: Mapping[str, tuple[Step, ...]]
    ) -> Mapping[str, RunOrder | None]:
        """Follow the runs.

        Args:
            image: The last complete image.
            steps: What is planned, by device id.

        Returns:
            Those that have begun or are over (None), by device id.
        """
        changed: dict[str, RunOrder | None] = {}
        for name, order in tuple(self._orders.items()):
            planned = steps.get(name, ())
            step = step_at(planned, image.at)
            self._reasons[name] = "" if step is None else step.reason
            after = followed(
                order,
                self._habits[name],
                image.devices.get(name),
                planned_start(planned, order.earliest, image.at),
                image.at,
            )
            if after != order:
                self.order(name, after)
                changed[name] = after
        return changed

    def requests(self) -> tuple[RunRequest, ...]:
        """Return the runs that have not begun."""
        return tuple(
            RunRequest(name, habit.profile_w, habit.step_s, order.earliest, order.ready_by)
            for name, order in self._orders.items()
            if order.released_at is None and (habit := self._habits[name])
        )

    def under_way(self) -> tuple[RunRequest, ...]:
        """Return the runs that have begun, each with the time at which it did as its earliest."""
        found: list[RunRequest] = []
        for name in self._orders:
            habit, ends_at = self._habits[name], self.ends_at(name)
            if ends_at is not None:
                begun = ends_at - habit.length_s
                found.append(RunRequest(name, habit.profile_w, habit.step_s, begun, ends_at))
        return tuple(found)

    def runs(self, now: float) -> tuple[Run, ...]:
        """Return what the programme of runs is told."""
        return tuple(self._run(name, order, now) for name, order in self._orders.items())

    def ends_at(self, device: str) -> float | None:
        """Return when a run that has begun is over, UTC epoch seconds; None while it waits."""
        order = self._orders.get(device)
        begun = None if order is None else order.began_at or order.released_at
        return None if begun is None else begun + self._habits[device].length_s

    def _run(self, device: str, order: RunOrder, now: float) -> Run:
        ends_at = self.ends_at(device)
        if ends_at is not None:
            words = local_time.words(ends_at, self._zone, now)
            return Run(device, ends_at, say("Runs until {end}, without a break", end=words))
        by = local_time.words(order.ready_by, self._zone, now)
        return Run(
            device, None, self._reasons.get(device) or say("Waits to start; ready by {by}", by=by)
        )


def followed(
    order: RunOrder,
    habit: RunHabit,
    state: DeviceState | None,
    planned_at: float | None,
    now: float,
) -> RunOrder | None:
    """Return a run after an image; None once it is over.

    It begins once its switch was let on and it draws power. One that draws nothing for as long as
    a run takes was not made ready by anybody, and is over too; time in which its switch was held
    off all the same, by a limit, does not count. Nor does that by which a clock was wrong.

    Args:
        order: The run.
        habit: What a run of the appliance is.
        state: The appliance's switch; None if it is not there.
        planned_at: When the plan has it begin, UTC epoch seconds; None without a plan.
        now: UTC epoch seconds.
    """
    if order.released_at is None:
        begins = due(order.earliest, order.ready_by, habit.length_s, planned_at, now)
        return replace(order, released_at=now) if begins else order
    begun = order.released_at if order.began_at is None else order.began_at
    if begun > now:  # the clock was set back
        return replace(order, released_at=now, began_at=None if order.began_at is None else now)
    noted_s = min(_NOTED_S, habit.length_s / 2)
    if order.began_at is None and now >= begun + noted_s and _held_off(state):
        return replace(order, released_at=now)
    if now >= begun + habit.length_s:
        return None
    if order.began_at is None and _draws(state, max(habit.profile_w)):
        return replace(order, began_at=now)
    return order


def _held_off(state: DeviceState | None) -> bool:
    return state is not None and state.setpoint is not None and state.setpoint.power_w <= 0


def _draws(state: DeviceState | None, most_w: float) -> bool:
    if state is None or state.reading is None or state.quality is not Quality.GOOD:
        return False
    return state.reading.power_w > max(_DRAWS_W, _DRAWS_SHARE * most_w)
