"""What a guard reads of its forerunner's file, after a power cut that lost the time too."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from der.model import Sleep
from hems.cem.policy import AllocatorPolicy
from hems.commands.guard import LONGEST_S, held
from tests.hems.cem.plant import HEATER

pytestmark = pytest.mark.requirement("SVC-WRITE")
YEARS_S = 50 * 365 * 86400.0
SLEEPER = replace(HEATER, id="hall", sleep=Sleep(period_s=3_600.0, awake_s=10.0))


def written(path: Path, **until: float) -> Path:
    path.write_text(json.dumps({name: (at, False) for name, at in until.items()}))
    return path


def test_a_clock_that_begins_anew_holds_nothing_for_ever(tmp_path: Path) -> None:
    ahead = time.time() + YEARS_S
    vigil = held(written(tmp_path / "guard.json", heater=ahead, hall=ahead), [HEATER, SLEEPER])
    left_s = {name: hold.until - time.monotonic() for name, hold in vigil.holds.items()}
    assert left_s["heater"] <= LONGEST_S
    assert left_s["hall"] <= 3 * 3_610.0


@pytest.mark.parametrize("left_s", [-YEARS_S, -5.0, 60.0, LONGEST_S - 5.0])
def test_what_a_clock_that_is_right_says_stands(tmp_path: Path, left_s: float) -> None:
    vigil = held(written(tmp_path / "guard.json", heater=time.time() + left_s), [HEATER])
    assert vigil.holds["heater"].until - time.monotonic() == pytest.approx(left_s, abs=2.0)


def test_no_restriction_lasts_longer_than_the_guard_believes() -> None:
    assert AllocatorPolicy().restrict_lapse_s <= LONGEST_S
