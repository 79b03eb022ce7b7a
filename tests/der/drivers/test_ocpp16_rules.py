"""Pure parts of the OCPP driver: profiles, meter values, frames."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.addresses import RateUnit, Wiring
from der.drivers.ocpp.frame import frame_fault
from der.drivers.ocpp.meter import MeterSample, MeterValue, SampledValue, parse_meter_values
from der.drivers.ocpp.profile import fallback_profile, limit_profile, rate
from der.model import Setpoint

ONE = Wiring()
THREE = Wiring(phases=3)
WATTS = Wiring(unit=RateUnit.WATTS)


@pytest.mark.parametrize(
    ("power_w", "wiring", "limit"),
    [
        (2300, ONE, 10.0),
        (2299, ONE, 9.9),
        (1380, ONE, 6.0),
        (1379, ONE, 0.0),
        (0, ONE, 0.0),
        (11040, THREE, 16.0),
        (4000, THREE, 0.0),
        (2299.94, WATTS, 2299.9),
        (1000, WATTS, 0.0),
    ],
)
def test_rates(power_w: float, wiring: Wiring, limit: float) -> None:
    assert rate(power_w, wiring) == limit


@given(st.floats(0, 50_000), st.sampled_from([ONE, THREE, WATTS]))
def test_a_rate_never_allows_more(power_w: float, wiring: Wiring) -> None:
    limit = rate(power_w, wiring)
    volts = wiring.voltage_v * wiring.phases if wiring.unit is RateUnit.AMPERES else 1
    assert limit * volts <= power_w + 0.01
    assert limit == 0 or limit * volts >= wiring.least_a * wiring.voltage_v - 0.1


def test_a_limit_began_before_now_and_ends_with_its_lapse() -> None:
    schedule = limit_profile(Setpoint(2300, 29.5), ONE, 1_700_000_000.7).charging_schedule
    assert (schedule.start_schedule, schedule.duration) == ("2023-11-14T22:12:20Z", 90)
    assert [(p.start_period, p.limit) for p in schedule.charging_schedule_period] == [(0, 10)]


def test_a_limit_may_be_followed_by_another() -> None:
    schedule = limit_profile(Setpoint(2300, 30, revert_w=1380), ONE, 0).charging_schedule
    assert schedule.duration is None
    assert [(p.start_period, p.limit) for p in schedule.charging_schedule_period] == [
        (0, 10),
        (90, 6),
    ]


def test_the_fallback_is_weaker_and_has_no_end() -> None:
    fallback, limit = fallback_profile(THREE), limit_profile(Setpoint(0, 1), THREE, 0)
    assert fallback.stack_level < limit.stack_level
    assert fallback.charging_profile_id != limit.charging_profile_id
    assert fallback.charging_schedule.duration is None
    assert fallback.charging_schedule.charging_schedule_period[0].limit == 6


def sampled(value: str, measurand: str = "", phase: str = "", unit: str = "") -> SampledValue:
    found = SampledValue(value=value)
    if measurand:
        found["measurand"] = measurand
    if phase:
        found["phase"] = phase
    if unit:
        found["unit"] = unit
    return found


POWER, CURRENT, VOLTAGE = "Power.Active.Import", "Current.Import", "Voltage"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([sampled("7.2", POWER, unit="kW")], MeterSample(5, power_w=7200)),
        ([sampled("100", POWER, "L1"), sampled("50", POWER, "L2")], MeterSample(5, power_w=150)),
        ([sampled("160", POWER), sampled("50", POWER, "L2")], MeterSample(5, power_w=160)),
        (
            [sampled("10", CURRENT, "L1"), sampled("6", CURRENT, "L2"), sampled("3", CURRENT, "N")],
            MeterSample(5, power_w=16 * 230),
        ),
        (
            [
                sampled("10", CURRENT),
                sampled("220", VOLTAGE, "L1-N"),
                sampled("222", VOLTAGE, "L2-N"),
            ],
            MeterSample(5, power_w=2210, voltage_v=221),
        ),
        ([sampled("0", POWER), sampled("1234")], MeterSample(5, power_w=0, energy_wh=1234)),
        ([sampled("0", POWER), sampled("1.5", unit="kWh")], MeterSample(5, 0, energy_wh=1500)),
        ([sampled("0", POWER), sampled("55", "SoC")], MeterSample(5, 0, soc=0.55)),
        ([sampled("0", POWER), sampled("55", "SoC", unit="Percent")], MeterSample(5, 0, soc=0.55)),
        ([sampled("0", POWER), sampled("155", "SoC")], MeterSample(5, 0, soc=1)),
        ([sampled("0", POWER), sampled("400", VOLTAGE, "L1-L2")], MeterSample(5, 0)),
        ([sampled("inf", POWER)], None),
        ([sampled("3PHABF==", POWER)], None),
        ([], None),
    ],
)
def test_meter_values(values: list[SampledValue], expected: MeterSample | None) -> None:
    message = [MeterValue(timestamp="", sampled_value=values)]
    assert parse_meter_values(message, 5, 230) == expected


def test_what_a_message_leaves_out_stays() -> None:
    before = MeterSample(1, power_w=10, energy_wh=20, soc=0.5)
    charge = [MeterValue(timestamp="", sampled_value=[sampled("60", "SoC")])]
    assert parse_meter_values(charge, 5, 230, before) == MeterSample(1, 10, 20, 0.6)
    power = [MeterValue(timestamp="", sampled_value=[sampled("11", POWER)])]
    assert parse_meter_values(power, 5, 230, before) == MeterSample(5, 11, 20, 0.5)


def test_the_last_of_several_times_counts() -> None:
    values = [MeterValue(timestamp="", sampled_value=[sampled(str(n), POWER)]) for n in range(3)]
    assert parse_meter_values(values, 5, 230) == MeterSample(5, power_w=2)


@given(
    st.lists(
        st.builds(
            sampled,
            st.text(max_size=8) | st.floats().map(str),
            st.sampled_from(["", POWER, CURRENT, VOLTAGE, "SoC", "Temperature"]),
            st.sampled_from(["", "L1", "L2", "N", "L1-L2"]),
            st.sampled_from(["", "kW", "Percent", "?"]),
        )
    )
)
def test_any_values_can_be_read(values: list[SampledValue]) -> None:
    sample = parse_meter_values([MeterValue(timestamp="", sampled_value=values)], 5, 230)
    assert sample is None or sample.soc is None or 0 <= sample.soc <= 1


@pytest.mark.parametrize(
    ("frame", "awaiting", "fault"),
    [
        ('[2,"1","Heartbeat",{}]', False, None),
        ('[3,"1",{}]', True, None),
        ('[4,"1","GenericError","",{}]', True, None),
        ('[4,"1","GenericError",""]', True, None),
        ('[3,"1",{}]', False, "an answer to nothing that was asked"),
        ('[2,"1","Heartbeat",{},{}]', False, "5 elements in a message of type 2"),
        ('[true,"1","Heartbeat",{}]', False, "unknown message type"),
        ("null", False, "not a JSON array"),
    ],
)
def test_frames(frame: str, *, awaiting: bool, fault: str | None) -> None:
    assert frame_fault(frame, awaiting=awaiting) == fault


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=3), children)
    ),
    max_leaves=20,
)


@given(json_values.map(json.dumps) | st.text(), st.booleans())
def test_any_frame_can_be_judged(text: str, awaiting: bool) -> None:
    fault = frame_fault(text, awaiting=awaiting)
    assert fault is None or fault
