"""The tracking benchmark measures what it says, and its peers keep their own rules."""

from dataclasses import dataclass

import pytest

from tests.benchmarks.tracking import MARGIN_W, SETTLE_S, TASKS, TOLERANCE_W, Limit, Task, run
from tests.benchmarks.tracking_home import HOUR_S, STEP_S, STEPS_PER_S, Actuator, Home, trace
from tests.benchmarks.tracking_known import Known
from tests.benchmarks.tracking_peers import Aim, Evcc, Gains, Pi

ZERO_EXPORT, IMPORT, PHASE = TASKS


@dataclass
class Idle:
    """Tells nobody anything."""

    def act(self, home: Home) -> None:
        """Do nothing."""


def known(task: Task) -> Known:
    return Known(task.limit.power_w, MARGIN_W, export=task.limit.export)


@pytest.mark.parametrize("task", TASKS)
def test_the_same_seed_gives_the_same_hour_and_another_one_another(task: Task) -> None:
    assert run(task, known(task), 1) == run(task, known(task), 1)
    assert trace(task.setting, 1) != trace(task.setting, 2)


def test_time_and_energy_beyond_the_limit_are_those_of_the_course_where_nobody_acts() -> None:
    course = trace(ZERO_EXPORT.setting, 3)
    pairs = zip(course.base_w, course.sun_w, strict=True)
    beyond = [sun_w - sum(base_w) for base_w, sun_w in pairs][SETTLE_S * STEPS_PER_S :]
    score = run(ZERO_EXPORT, Idle(), 3)
    assert score.seconds_out == pytest.approx(STEP_S * sum(w > TOLERANCE_W for w in beyond))
    assert score.seconds_any == pytest.approx(STEP_S * sum(w > 0 for w in beyond))
    energy_wh = sum(max(w, 0.0) for w in beyond) * STEP_S / HOUR_S
    assert score.overshoot_wh == pytest.approx(energy_wh)
    assert (score.moves_per_h, score.fights, score.car_wh) == (0, 0, 0)


def test_the_worst_phase_counts() -> None:
    assert Limit(3_000.0).beyond_w((100.0, 3_200.0, 0.0)) == 200.0
    assert Limit(0.0, export=True).beyond_w((-70.0,)) == 70.0
    assert Limit(0.0, export=True).beyond_w((70.0,)) == -70.0


def test_a_device_waits_and_then_approaches_what_it_is_told() -> None:
    device = Actuator(0.5, 0.5, 20_000.0, 0.0, 0.0)
    assert device.tell(0, 1_000.0)
    assert not device.tell(0, 1_000.0)
    aim_w, powers = 0.0, []
    for step in range(40):
        aim_w = device.move(step, aim_w)
        powers.append(device.follow(aim_w))
    assert powers[4] == 0.0
    assert powers[9] == pytest.approx(632, abs=1)  # a time constant after it began
    assert powers[-1] == pytest.approx(1_000, abs=5)


def _told(evcc: Evcc, seconds: int) -> list[int]:
    """Return the current after each of evcc's cycles."""
    home = Home(IMPORT.setting, trace(IMPORT.setting, 5), 5)
    home.step = 100 * STEPS_PER_S  # the car is there
    told = []
    for _ in range(seconds * STEPS_PER_S):
        evcc.act(home)
        home.pass_step()
        if home.step % (30 * STEPS_PER_S) == 2:
            told.append(evcc.told_a)
    return told


def test_evcc_starts_a_minute_after_and_stops_three_minutes_after() -> None:
    still = Pi(Gains(0.0, 0.0, 0.0), Aim(0.0, export=True), ())
    evcc = Evcc(still, lambda _: 9.7, solar=True)
    assert _told(evcc, 150) == [0, 0, 9, 9, 9]
    evcc.allowed_a = lambda _: 2.0
    assert _told(evcc, 270) == [6, 6, 6, 6, 6, 6, 0, 0, 0]
    at_once = Evcc(still, lambda _: 5.9, solar=False)
    assert _told(at_once, 60) == [0, 0]
    at_once.allowed_a = lambda _: 99.0
    assert _told(at_once, 60) == [32, 32]


def test_the_pi_controller_brings_the_meter_to_its_aim() -> None:
    idle = run(IMPORT, Idle(), 4)
    tuned = run(IMPORT, Pi(Gains(0.3, 0.3, 50.0), Aim(1_450.0), ("battery",)), 4)
    assert tuned.seconds_out < idle.seconds_out / 3
    assert tuned.moves_per_h > 0
