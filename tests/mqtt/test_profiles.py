"""What each profile makes of payloads, and of set-points; tables, and nonsense by hypothesis."""

import json
import math
import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.addresses import MqttAddress
from der.drivers.mqtt.payload import MOST_BYTES, PayloadError
from der.drivers.mqtt.points import Facts, Message, Point, Settings, possible
from der.drivers.mqtt.profile import Profile
from der.drivers.mqtt.profiles import profile_of
from der.drivers.mqtt.shelly1 import Shelly1Meter, Shelly1Plug
from der.drivers.mqtt.shelly2 import Shelly2Meter, Shelly2Plug
from der.drivers.mqtt.tasmota import TasmotaMeter, TasmotaPlug
from der.drivers.mqtt.zigbee import ZigbeeMeter, ZigbeePlug, ZigbeeThermostat
from der.errors import PermanentError
from der.model import Comfort, Control, DeviceKind, DeviceSpec

TASMOTA, SML = TasmotaPlug("t"), TasmotaMeter("t")
GEN1, EM1 = Shelly1Plug("t"), Shelly1Meter("t")
GEN2, EM2 = Shelly2Plug("t"), Shelly2Meter("t")
PLUG, ZMETER = ZigbeePlug("t"), ZigbeeMeter("t")
TRV = ZigbeeThermostat("t", Comfort(17, 23))
COOLER = ZigbeeThermostat("t", Comfort(17, 25, cools=True))
ALL: tuple[Profile, ...] = (TASMOTA, SML, GEN1, EM1, GEN2, EM2, PLUG, ZMETER, TRV, COOLER)

ON, OFF = Settings(on=True), Settings(on=False)


@pytest.mark.requirement("SVC-READ")
@pytest.mark.parametrize(
    ("profile", "topic", "payload", "facts"),
    [
        (TASMOTA, "tele/t/LWT", "Offline", Facts(online=False)),
        (TASMOTA, "stat/t/POWER", "ON", Facts(settings=ON, answer=True)),
        (TASMOTA, "tele/t/STATE", {"POWER": "OFF", "Uptime": "1T"}, Facts(settings=OFF)),
        (TASMOTA, "stat/t/RESULT", {"POWER1": "OFF"}, Facts(settings=OFF, answer=True)),
        (TASMOTA, "stat/t/RESULT", {"PulseTime1": {"Set": 0}}, Facts(answer=True)),
        (
            TASMOTA,
            "tele/t/SENSOR",
            {"ENERGY": {"Power": 23, "Voltage": 229, "Total": 1.234, "Current": 0.1}},
            Facts({Point.POWER: 23.0, Point.VOLTAGE: 229.0, Point.IMPORT: 1234.0}),
        ),
        (
            TASMOTA,
            "stat/t/STATUS10",
            {"StatusSNS": {"ENERGY": {"Power": [5, 7], "Total": [1, 2]}}},
            Facts({Point.POWER: 5.0, Point.IMPORT: 1000.0}),
        ),
        (
            SML,
            "tele/t/SENSOR",
            {"SML": {"Total_in": 12.5, "Total_out": 3, "Power_curr": -420, "Meter_id": "0a"}},
            Facts({Point.IMPORT: 12_500.0, Point.EXPORT: 3000.0, Point.POWER: -420.0}),
        ),
        (
            SML,
            "tele/t/SENSOR",
            {"ENERGY": {"Power": [1, 2, 3], "Voltage": [230, 231, 232], "Total": 1}},
            Facts(
                {
                    Point.POWER_A: 1.0,
                    Point.POWER_B: 2.0,
                    Point.POWER_C: 3.0,
                    Point.POWER: 6.0,
                    Point.VOLTAGE_A: 230.0,
                    Point.VOLTAGE_B: 231.0,
                    Point.VOLTAGE_C: 232.0,
                    Point.IMPORT: 1000.0,
                }
            ),
        ),
        (GEN1, "shellies/t/online", "false", Facts(online=False)),
        (GEN1, "shellies/t/relay/0", "on", Facts(settings=ON)),
        (GEN1, "shellies/t/relay/0/power", "12.34", Facts({Point.POWER: 12.34})),
        (GEN1, "shellies/t/relay/0/energy", "600", Facts({Point.IMPORT: 10.0})),
        (EM1, "shellies/t/emeter/1/power", "-7.5", Facts({Point.POWER_B: -7.5})),
        (EM1, "shellies/t/emeter/2/total_returned", "9", Facts({Point.EXPORT_C: 9.0})),
        (
            GEN2,
            "t/events/rpc",
            {"method": "NotifyStatus", "params": {"switch:0": {"id": 0, "output": False}}},
            Facts(settings=OFF),
        ),
        (GEN2, "t/events/rpc", {"method": "NotifyEvent", "params": {"events": []}}, Facts()),
        (
            GEN2,
            "t/status/switch:0",
            {"output": True, "apower": 8.1, "aenergy": {"total": 11.7}},
            Facts({Point.POWER: 8.1, Point.IMPORT: 11.7}, settings=ON),
        ),
        (
            GEN2,
            "hems/rpc/t/rpc",
            {"id": 1, "error": {"code": -103, "message": "busy"}},
            Facts(refused="busy", call=1),
        ),
        (
            EM2,
            "t/status/em:0",
            {"total_act_power": 6.0, "a_act_power": 1, "b_act_power": 2, "c_act_power": 3},
            Facts({Point.POWER: 6.0, Point.POWER_A: 1.0, Point.POWER_B: 2.0, Point.POWER_C: 3.0}),
        ),
        (PLUG, "zigbee2mqtt/t/availability", "offline", Facts(online=False)),
        (PLUG, "zigbee2mqtt/t/availability", {"state": "online"}, Facts(online=True)),
        (PLUG, "zigbee2mqtt/bridge/state", {"state": "offline"}, Facts(online=False)),
        (
            PLUG,
            "zigbee2mqtt/t",
            {"state": "ON", "power": 60, "energy": 1.5, "voltage": None},
            Facts({Point.POWER: 60.0, Point.IMPORT: 1500.0}, settings=ON),
        ),
        (
            ZMETER,
            "zigbee2mqtt/t",
            {"power": 1, "power_phase_b": 2, "power_phase_c": -3},
            Facts({Point.POWER_A: 1.0, Point.POWER_B: 2.0, Point.POWER_C: -3.0, Point.POWER: 0.0}),
        ),
        (
            TRV,
            "zigbee2mqtt/t",
            {"local_temperature": 19.5, "current_heating_setpoint": 21, "system_mode": "auto"},
            Facts(
                {Point.TEMPERATURE: 19.5, Point.DEMAND: 1.0},
                settings=Settings(None, 21.0, "auto", "current_heating_setpoint"),
            ),
        ),
        (
            TRV,
            "zigbee2mqtt/t",
            {"pi_heating_demand": 40, "running_state": "heat"},
            Facts({Point.DEMAND: 0.4}),
        ),
    ],
)
def test_payloads(
    profile: Profile, topic: str, payload: str | Mapping[str, object], facts: Facts
) -> None:
    assert topic in profile.topics
    raw = payload if isinstance(payload, str) else json.dumps(payload)
    assert profile.facts(topic, raw.encode()) == facts


@pytest.mark.requirement("LC-TEST")
@pytest.mark.parametrize(
    ("profile", "payload", "why"),
    [
        (PLUG, b"", "is not JSON"),
        (PLUG, b"\xff\xfe", "is not JSON"),
        (PLUG, b"[" * 60_000, "is not JSON"),
        (PLUG, b'"text"', "is no JSON object"),
        (PLUG, b"null", "is no JSON object"),
        (PLUG, b" " * (MOST_BYTES + 1), "are more than"),
        (PLUG, b"{" + b" " * 1_000_000, "are more than"),
        (TASMOTA, b"{}", "ENERGY is missing"),
    ],
)
def test_payloads_that_tell_nothing(profile: Profile, payload: bytes, why: str) -> None:
    with pytest.raises(PayloadError, match=why):
        profile.facts(profile.values, payload)


@pytest.mark.requirement("LC-TEST")
@pytest.mark.parametrize(
    "value",
    ["NaN", "Infinity", "-1e999", "1e9", '"60"', "true", "[60]", '{"w":60}', "1" + "0" * 400],
)
def test_a_power_that_is_none_is_a_fault_and_no_zero(value: str) -> None:
    facts = PLUG.facts("zigbee2mqtt/t", f'{{"state":"ON","power":{value}}}'.encode())
    assert facts.settings == ON
    assert Point.POWER not in facts.measured
    assert facts.faults["power_w"].startswith("power: ")


@pytest.mark.parametrize("state", [[], {}, 1, True, "on", "TOGGLE"])
def test_a_switch_that_is_neither_on_nor_off(state: object) -> None:
    facts = PLUG.facts("zigbee2mqtt/t", json.dumps({"state": state, "power": 1}).encode())
    assert facts.settings.on is None
    assert "neither" in facts.faults["state"]


@pytest.mark.parametrize("text", ["nan", "inf", "1e5", "0x10", "1_0", "", " ", "1.2.3", "9" * 70])
def test_a_text_that_is_no_number(text: str) -> None:
    with pytest.raises(PayloadError):
        GEN1.facts("shellies/t/relay/0/power", text.encode())


def backlog(commands: str) -> Message:
    return Message("cmnd/t/Backlog", commands)


def rpc(**params: object) -> str:
    return json.dumps({"src": "hems/rpc/t", "method": "Switch.Set", "params": params})


def unnumbered(message: Message) -> str:
    """Return the payload without the number of the call, which is another each time."""
    return re.sub(r'"id": \d+, "src"', '"src"', message.payload)


@pytest.mark.requirement("SVC-WRITE")
@pytest.mark.parametrize(
    ("profile", "own", "lapse_s", "payload"),
    [
        (TASMOTA, ON, 30.0, "Power1 OFF; Delay 300; Power1 ON"),
        (TASMOTA, ON, 900.0, "Power1 OFF; Delay 3600; Delay 3600; Delay 1800; Power1 ON"),
        (TASMOTA, OFF, 30.0, "Power1 OFF"),
        (TASMOTA, ON, None, "Power1 OFF"),
        (GEN1, ON, 30.0, "off"),
        (GEN2, ON, 29.1, rpc(id=0, on=False, toggle_after=30)),
        (GEN2, OFF, 30.0, rpc(id=0, on=False)),
        (PLUG, ON, 30.0, '{"state": "OFF"}'),
        (
            TRV,
            Settings(None, 21.0, "auto", "occupied_heating_setpoint"),
            30.0,
            '{"system_mode": "heat", "occupied_heating_setpoint": 17}',
        ),
        (
            TRV,
            Settings(None, 21.0, None, "current_heating_setpoint"),
            30.0,
            '{"current_heating_setpoint": 17}',
        ),
        (COOLER, Settings(None, 22.0), 30.0, '{"occupied_cooling_setpoint": 25}'),
    ],
)
def test_restricting(profile: Profile, own: Settings, lapse_s: float | None, payload: str) -> None:
    assert payload in {unnumbered(message) for message in profile.restrict(own, lapse_s)}


@pytest.mark.parametrize(
    "own",
    [Settings(target_c=17.3), Settings(target_c=12.0), Settings(target_c=22.0, mode="off")],
)
def test_a_thermostat_that_is_set_back_already_is_told_nothing(own: Settings) -> None:
    assert TRV.restrict(own, 30.0) == ()


def test_a_tasmota_queue_is_never_longer_than_it_takes() -> None:
    (_, longest) = TASMOTA.restrict(ON, 1e6)
    assert len(longest.payload.split(";")) <= 30


@given(st.floats(0.1, 9000.0))
def test_a_tasmota_queue_waits_as_long_as_it_is_told(lapse_s: float) -> None:
    (_, queue) = TASMOTA.restrict(ON, lapse_s)
    waits = [int(c.split()[1]) for c in queue.payload.split("; ") if c.startswith("Delay")]
    assert all(2 <= wait <= 3600 for wait in waits)
    assert lapse_s - 1e-6 <= sum(waits) / 10 <= lapse_s + 0.3


@given(st.sampled_from(ALL[0:1] + ALL[2:3] + ALL[4:5] + ALL[6:7]), st.booleans(), st.booleans())
def test_a_released_switch_is_where_its_owner_had_it(
    profile: Profile, own: bool, now: bool
) -> None:
    assert profile.released(Settings(on=now), Settings(on=own)) is (now is own)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
KEYS = [
    *("ENERGY", "Power", "Voltage", "Total", "StatusSNS", "POWER", "SML", "power_curr"),
    *("switch:0", "apower", "aenergy", "total", "output", "params", "method", "result", "error"),
    *("em:0", "total_act_power", "a_act_power", "state", "power", "energy", "power_phase_b"),
    *("local_temperature", "occupied_heating_setpoint", "system_mode", "pi_heating_demand"),
]
objects = st.recursive(
    st.dictionaries(st.sampled_from(KEYS), json_values, max_size=6),
    lambda inner: st.dictionaries(st.sampled_from(KEYS), inner | json_values, max_size=5),
    max_leaves=8,
)


@pytest.mark.requirement("LC-TEST")
@given(st.sampled_from(ALL), st.data(), objects | json_values)
def test_no_payload_makes_a_value_that_cannot_be(
    profile: Profile, data: st.DataObject, body: object
) -> None:
    topic = data.draw(st.sampled_from(sorted(profile.topics)))
    try:
        facts = profile.facts(topic, json.dumps(body).encode())
    except PayloadError as error:
        assert len(str(error)) < 300  # noqa: PT017 - one of two good ends
        return
    for point, value in facts.measured.items():
        assert possible(point, value)
        assert math.isfinite(value)
    assert facts.settings.on in {None, True, False}
    assert facts.settings.target_c is None or math.isfinite(facts.settings.target_c)


@pytest.mark.parametrize(
    ("profile", "topic", "why"),
    [
        ("zwave", "t", "unknown MQTT profile 'zwave'"),
        ("tasmota", "", "cannot be a device's part"),
        ("tasmota", "a/+/b", "cannot be a device's part"),
        ("tasmota", "#", "cannot be a device's part"),
        ("tasmota", "$SYS/x", "cannot be a device's part"),
        ("tasmota", "a\0b", "cannot be a device's part"),
        ("tasmota", "a" * 201, "cannot be a device's part"),
    ],
)
def test_addresses_that_cannot_be(profile: str, topic: str, why: str) -> None:
    spec = DeviceSpec("it", DeviceKind.PLUG, "It", Control.SWITCH, 0, 100)
    with pytest.raises(PermanentError, match=f"^it: .*{why}"):
        profile_of(spec, MqttAddress(profile, topic))
