"""What the loop would write, on held time: base, span, lapse, signal, slew, samples."""

from dataclasses import replace

import pytest

from der.addresses import BrokerSettings
from der.curves import Droop, GridFunction
from der.model import Reading, Setpoint
from hems.regulation.letters import Base, LoopSettings, Span
from hems.regulation.settings import Source
from hems.regulation.swing import Sampler, Swing

DROOP = Droop(GridFunction.FREQUENCY_DROOP, 0.02, 0.02, 0.01, 0.01)
SETTINGS = LoopSettings("battery", "battery", 2000.0, DROOP)
FOLLOWS = replace(SETTINGS, droop=None, source=Source(BrokerSettings(), "t"))


def based(settings: LoopSettings = SETTINGS, base_w: float | None = -500.0) -> Swing:
    swing = Swing(settings)
    swing.told(Base(1, base_w, 30.0, None, -5000.0, 5000.0), 0.0)
    return swing


def written(swing: Swing, now: float) -> float | None:
    """Write what is due, as the loop would; return the power, None if nothing was due."""
    swing.move(now)
    setpoint = swing.due(now)
    if setpoint is None:
        return None
    swing.wrote(setpoint, now)
    return setpoint.power_w


@pytest.mark.requirement("BUC-3")
def test_base_and_response_add_up() -> None:
    swing = based()
    swing.measured(49.73, 0.0)
    assert written(swing, 0.0) == -500 - 1000
    assert swing.added_w == -1000
    assert written(swing, 0.1) is None  # nothing new


@pytest.mark.requirement("BUC-3")
def test_what_is_written_stays_in_the_span() -> None:
    swing = based()
    swing.bound(Span(-800.0, 0.0), 0.0)
    swing.measured(49.5, 0.0)
    assert written(swing, 0.0) == -800
    swing.measured(50.4, 0.1)
    assert written(swing, 0.1) == 0


@pytest.mark.requirement("BUC-3")
def test_a_span_that_is_not_renewed_is_not_relied_on() -> None:
    swing = based()
    swing.measured(49.0, 0.0)
    assert written(swing, 0.0) == -2500
    swing.measured(49.01, 3.1)
    assert written(swing, 3.1) == -500
    swing.bound(Span(-5000.0, 5000.0), 3.2)
    assert written(swing, 3.2) == -2500


@pytest.mark.requirement("BUC-3")
def test_nothing_is_written_beyond_the_base_s_own_lapse() -> None:
    swing = based()
    swing.bound(Span(-5000.0, 5000.0), 29.0)
    swing.measured(49.0, 29.0)
    swing.move(29.0)
    setpoint = swing.due(29.0)
    assert setpoint is not None
    assert setpoint.lapse_s == pytest.approx(1.0)
    swing.bound(Span(-5000.0, 5000.0), 30.0)
    assert swing.due(30.0) is None


def test_a_battery_that_was_given_back_is_left_alone() -> None:
    swing = based(base_w=None)
    swing.measured(49.0, 0.0)
    assert written(swing, 0.0) is None
    assert swing.added_w == 0


def test_a_set_point_is_renewed_before_it_lapses() -> None:
    swing = based()
    swing.measured(50.0, 0.0)
    assert written(swing, 0.0) == -500
    assert written(swing, 9.9) is None
    assert written(swing, 10.1) == -500


def test_small_changes_are_not_written_but_the_way_back_to_the_base_is() -> None:
    swing = based()
    swing.measured(49.976, 0.0)
    assert written(swing, 0.0) == -516
    swing.measured(49.977, 0.1)
    assert written(swing, 0.1) is None
    swing.measured(49.99, 0.2)
    assert written(swing, 0.2) == -500


def test_who_does_not_know_what_the_battery_holds_writes() -> None:
    swing = based()
    swing.measured(50.0, 0.0)
    assert written(swing, 0.0) == -500
    swing.forget()
    assert written(swing, 0.1) == -500


@pytest.mark.requirement("BUC-3")
def test_no_frequency_leads_back_to_the_base_and_is_said() -> None:
    swing = based()
    swing.measured(49.0, 0.0)
    assert written(swing, 0.0) == -2500
    swing.bound(Span(-5000.0, 5000.0), 1.5)
    assert written(swing, 1.5) == -500
    assert swing.trouble(1.5) == "the frequency is no longer measured"


@pytest.mark.requirement("BUC-3")
def test_a_signal_is_followed_and_fades_when_it_stops() -> None:
    swing = based(FOLLOWS, base_w=0.0)
    swing.signalled(1, 1.0, 0.0)
    assert written(swing, 0.0) == -2000
    assert swing.follows(10.0)
    for now, power_w in ((5.0, None), (15.0, -1000), (19.0, -200), (20.0, 0)):
        swing.bound(Span(-5000.0, 5000.0), now)
        assert written(swing, now) == power_w
    assert swing.trouble(20.0) == "the regulation signal has stopped"


def test_a_signal_that_never_comes_is_said_in_time() -> None:
    swing = based(FOLLOWS)
    swing.move(0.0)
    assert not swing.trouble(9.0)
    assert swing.trouble(11.0) == "the regulation signal has not come yet"


def test_signal_and_response_together_keep_to_the_capacity() -> None:
    swing = based(replace(FOLLOWS, droop=DROOP), base_w=0.0)
    swing.signalled(1, 1.0, 0.0)
    swing.measured(49.4, 0.0)
    assert written(swing, 0.0) == -2000
    swing.measured(50.27, 0.1)  # half of it the other way
    assert written(swing, 0.1) == -1000


def test_the_swing_is_slewed() -> None:
    swing = based(replace(SETTINGS, slew_w_s=1000.0))
    swing.measured(50.0, 0.0)
    assert written(swing, 0.0) == -500
    swing.measured(49.0, 0.5)
    assert written(swing, 0.5) == -1000
    swing.measured(49.001, 1.0)
    assert written(swing, 1.0) == -1500


def test_the_base_alone_is_what_is_left_behind() -> None:
    swing = based()
    swing.measured(49.0, 0.0)
    assert written(swing, 0.0) == -2500
    assert swing.due(0.0, still=True) == Setpoint(-500.0, 30.0)


@pytest.mark.requirement("BUC-3")
def test_samples_are_means_of_what_was_asked_and_done() -> None:
    swing, sampler = based(), Sampler(2000.0)
    swing.measured(49.73, 0.0)
    swing.move(0.0)
    for tenth in range(101):
        power_w = -500.0 - (900.0 if tenth % 2 else 1100.0)
        sampler.add(swing, Reading(0.0, power_w), tenth / 10)
    (sample,) = sampler.taken()
    assert sample.asked == pytest.approx(-0.5)
    assert sample.done == pytest.approx(-0.5, abs=0.001)
    assert sampler.taken() == ()
