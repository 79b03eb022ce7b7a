"""What the home's devices are and hold goes on in the next process."""

from pathlib import Path

from der.model import Setpoint
from hems.scenarios.hub_side import hub_config
from hems.scenarios.parts import Held
from hems.scenarios.premises import Premises
from hems.scenarios.virtual_time import VirtualClock, VirtualLoop
from tests.endure.handover import hand_over, take_over
from tests.endure.home import home

STARTS = "2026-10-20T18:00:00"


def premises(folder: Path, loop: VirtualLoop) -> Premises:
    """A home whose clock begins at 0."""
    script = home(STARTS, cycle_s=5.0, seed=3).model_copy(update={"hub": {}})  # no utility here
    return Premises(script, hub_config(script, folder), VirtualClock(loop, script.begin), 3)


def test_the_home_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    loop = VirtualLoop()
    try:
        before, kept = premises(tmp_path, loop), tmp_path / "devices"
        assert len(before.parts) == 10
        take_over(kept, before)  # there is nothing to take over
        before.parts["battery"].setpoint = Held(Setpoint(-2000.0, 900.0, 0.0), until=600.0)
        for _ in range(50):
            before.step(5.0)
        hand_over(kept, before, passed_s=250.0)
        after = premises(tmp_path, loop)
        take_over(kept, after)
        assert after.now == before.now
        assert after.parts["battery"].setpoint == Held(Setpoint(-2000.0, 900.0, 0.0), until=350.0)
        assert after.step(5.0) == before.step(5.0)
    finally:
        loop.close()
