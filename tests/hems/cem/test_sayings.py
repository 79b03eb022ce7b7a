"""A device whose trouble comes and goes does not fill the log."""

import logging

import pytest

from hems.cem.sayings import OFTEN, WHILE_S, Sayings

pytestmark = pytest.mark.requirement("LC-TEST")


class Time:
    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


def test_a_day_of_answers_every_other_second(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    time = Time()
    sayings = Sayings(time)
    for second in range(86_400):
        time.at = float(second)
        if second % 2:
            sayings.trouble("pv: read: no usable answer")
        else:
            sayings.well("pv answers again")
    most = (86_400 / WHILE_S + 1) * OFTEN
    assert OFTEN <= len([r for r in caplog.records if r.levelno == logging.WARNING]) <= most
    assert len(caplog.records) <= 2 * most
    assert caplog.messages[0] == "pv: read: no usable answer"
    assert "pv: read: no usable answer; it comes and goes, and is not said again soon" in (
        caplog.messages
    )


def test_what_differs_in_figures_alone_is_the_same(caplog: pytest.LogCaptureFixture) -> None:
    sayings = Sayings(Time())
    for power_w in range(100):
        sayings.trouble(f"ev: limit of {power_w / 10:g} W refused")
    assert len(caplog.records) == OFTEN
    sayings.trouble("ev: no connection")
    assert len(caplog.records) == OFTEN + 1


def test_kinds_without_end_take_no_memory_without_end() -> None:
    sayings = Sayings(Time())
    for kind in range(1_000):
        sayings.trouble(f"pv: {chr(97 + kind % 26) * (1 + kind // 26)}")
    assert len(sayings._said) <= 16
