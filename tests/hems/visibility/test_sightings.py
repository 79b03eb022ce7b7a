"""Dips, swells, interruptions, frequency and silence: each told once at its begin and its end."""

import pytest

from der.model import PhaseReading, Quality
from hems.visibility.sightings import Sight, Sighting, Sightings
from tests.hems.visibility.metering import image, read

pytestmark = [pytest.mark.requirement("BUC-13"), pytest.mark.requirement("PD-TOPOLOGY")]

T0 = 1_800_000_000.0


def _told(volts: list[float | None], **same: float) -> list[Sighting]:
    sightings = Sightings()
    return [
        said
        for i, v in enumerate(volts)
        for said in sightings.take(read(T0 + i, voltage_v=v, **same))  # type: ignore[arg-type]
    ]


def test_a_dip_has_its_times_and_its_depth() -> None:
    told = _told([230.0, 206.0, 190.0, 208.0, 215.0, 230.0])
    assert told == [
        Sighting(Sight.DIP, "", T0 + 1, None, 206.0),
        Sighting(Sight.DIP, "", T0 + 1, T0 + 4, 190.0),  # 208 V is not far enough back
    ]


def test_a_swell_is_the_same_upwards() -> None:
    told = _told([230.0, 254.0, 256.5, 252.0, 250.0])
    assert told[-1] == Sighting(Sight.SWELL, "", T0 + 1, T0 + 4, 256.5)


def test_an_interruption_is_no_dip() -> None:
    told = _told([230.0, 0.0, 0.0, 230.0])
    assert [(s.what, s.ended_at) for s in told] == [
        (Sight.INTERRUPTION, None),
        (Sight.INTERRUPTION, T0 + 3),
    ]


def test_a_dip_that_deepens_to_an_interruption_is_two_things() -> None:
    told = _told([230.0, 100.0, 5.0, 100.0, 230.0])
    assert [s.what for s in told if s.ended_at] == [Sight.DIP, Sight.INTERRUPTION, Sight.DIP]


def test_each_phase_is_looked_at_by_itself() -> None:
    sightings = Sightings()
    calm, low = PhaseReading(0.0, 230.0), PhaseReading(0.0, 200.0)
    sightings.take(read(T0, phases=(calm, calm, calm)))
    told = sightings.take(read(T0 + 1, phases=(calm, low, calm)))
    assert [(s.what, s.phase) for s in told] == [(Sight.DIP, "B")]


def test_what_lasts_over_a_restart_ends_with_the_first_reading_back() -> None:
    before = Sightings()
    (dip,) = before.take(read(T0, voltage_v=200.0))
    (silent,) = before.take(image(None, T0 + 1, Quality.LOST))
    after = Sightings()
    assert after.resume([dip, silent]) == []
    ended = after.take(read(T0 + 60, voltage_v=230.0))
    assert {(s.what, s.began_at, s.ended_at) for s in ended} == {
        (Sight.DIP, T0, T0 + 60),
        (Sight.NO_METER, T0 + 1, T0 + 60),
    }
    assert not after.present


def test_of_two_that_cannot_both_last_the_later_ends_the_earlier() -> None:
    dip, swell = Sighting(Sight.DIP, "", T0), Sighting(Sight.SWELL, "", T0 + 9)
    sightings = Sightings()
    assert [(s.what, s.ended_at) for s in sightings.resume([dip, swell])] == [(Sight.DIP, T0 + 9)]
    assert [s.what for s in sightings.present] == [Sight.SWELL]


def test_no_sighting_reaches_over_a_clock_that_was_set() -> None:
    sightings = Sightings()
    sightings.take(read(T0, voltage_v=200.0))
    sightings.take(read(T0 + 3, voltage_v=200.0))
    (ended,) = sightings.shift()
    assert (ended.began_at, ended.ended_at) == (T0, T0 + 3)
    (anew,) = sightings.take(read(T0 + 86_400, voltage_v=200.0))
    assert (anew.what, anew.began_at) == (Sight.DIP, T0 + 86_400)


def test_frequency_has_bounds_too() -> None:
    told = _told([230.0], frequency_hz=49.7)
    assert [(s.what, s.extreme) for s in told] == [(Sight.LOW_FREQUENCY, 49.7)]


def test_a_silent_meter_is_told_and_hides_nothing() -> None:
    sightings = Sightings()
    assert not sightings.take(read(T0))
    (silent,) = sightings.take(image(None, T0 + 1, Quality.LOST))
    assert silent.what is Sight.NO_METER
    assert not sightings.take(image(None, T0 + 2, Quality.LOST))
    (back,) = sightings.take(read(T0 + 3))
    assert (back.what, back.ended_at) == (Sight.NO_METER, T0 + 3)
