"""What is announced to Home Assistant, held against the keys that its documentation names."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.homeassistant.commands import (
    Acknowledge,
    Command,
    CommandError,
    EndWish,
    Lasting,
    TakePart,
    WishPower,
    parse,
)
from hems.homeassistant.entities import entities, groups
from hems.homeassistant.entity import UNKNOWN, Component, Entity, Places
from hems.surface import DeviceView, EventView, MessageView, PriceView, Snapshot, UtilityView

pytestmark = pytest.mark.requirement("ROLE-UI")

COMMON = {
    *("name", "unique_id", "device", "origin", "entity_category", "icon"),
    *("availability_topic", "payload_available", "payload_not_available"),
    *("json_attributes_topic",),
}
READ = {"state_topic", "value_template", "device_class", "expire_after", "force_update"}
TOLD = {"command_topic", "command_template", "optimistic", "qos", "retain"}
DOCUMENTED: Mapping[Component, set[str]] = {
    Component.SENSOR: COMMON
    | READ
    | {"unit_of_measurement", "state_class", "suggested_display_precision", "options"},
    Component.BINARY_SENSOR: COMMON | READ | {"payload_on", "payload_off", "off_delay"},
    Component.SWITCH: COMMON
    | TOLD
    | {"state_topic", "payload_on", "payload_off", "state_on", "state_off", "device_class"},
    Component.NUMBER: COMMON
    | TOLD
    | {"state_topic", "min", "max", "step", "mode", "unit_of_measurement", "device_class"},
    Component.SELECT: COMMON | TOLD | {"state_topic", "options"},
    Component.BUTTON: COMMON | TOLD | {"payload_press", "device_class"},
}
REQUIRED: Mapping[Component, set[str]] = {
    Component.SENSOR: {"state_topic"},
    Component.BINARY_SENSOR: {"state_topic"},
    Component.SWITCH: {"command_topic"},
    Component.NUMBER: {"command_topic"},
    Component.SELECT: {"command_topic", "options"},
    Component.BUTTON: {"command_topic"},
}
DEVICE = {"identifiers", "name", "model", "manufacturer", "via_device"}

PLACES = Places("0123456789ab")


def device(name: str, kind: str, control: str, low: float, high: float) -> DeviceView:
    return DeviceView(
        *(name, name.title(), kind, 1234.4, 0.5, 20.04, True, True, "good", 7.0, None),
        *("It runs by itself", None),
        control=control,
        min_w=low,
        max_w=high,
    )


EVENT = EventView(
    "0A1B", "Peak", "Import at most 1.5 kW", "", "running", 1000.0, 2000.0, False, True
)
HOME = Snapshot(
    1500.0,
    7,
    1600.0,
    1500.0,
    None,
    (
        device("meter", "meter", "none", -9000, 9000),
        device("car", "evse", "ceiling", 0, 7360),
        device("tank", "water_heater", "switch", 0, 2000),
        device("sun", "pv", "floor", -4000, 0),
        device("cell", "battery", "target", -5000, 5000),
    ),
    (
        EVENT,
        replace(EVENT, id="0A1C", may_opt_out=False),
        replace(EVENT, id="0D", state="completed"),
    ),
    UtilityView("connected", "All is well", "https://u", "AB", 1.0),
    ("The meter is lost",),
    (MessageView("M1", "Peak", "Hello", False, 0.0, 9e9, False, True),),
    PriceView("Tariff", "EUR", 0.3123, 1800.0, None),
)


def found(home: Snapshot = HOME) -> dict[str, Entity]:
    return {entity.id: entity for entity in entities(home, {})}


def test_each_configuration_has_only_documented_keys_and_all_required_ones() -> None:
    known = groups(HOME, PLACES, "Home")
    seen = set()
    for entity in found().values():
        config = json.loads(entity.config(PLACES, known[entity.about]))
        assert set(config) <= DOCUMENTED[entity.component], entity.id
        assert REQUIRED[entity.component] <= set(config), entity.id
        assert set(config["device"]) <= DEVICE
        assert config["availability_topic"] == "hems/0123456789ab/available"
        assert entity.topic(PLACES).startswith(
            f"homeassistant/{entity.component}/hems_0123456789ab/"
        )
        seen.add(config["unique_id"])
    assert len(seen) == len(entities(HOME, {})), "unique ids are unique"
    assert {e.component for e in found().values()} == set(Component)
    assert known["car"]["via_device"] == known[""]["identifiers"][0]  # type: ignore[index]


@pytest.mark.parametrize(
    ("entity", "state"),
    [
        ("home_net_power", "1600"),
        ("home_import_limit", "1500"),
        ("home_export_limit", UNKNOWN),
        ("home_event", "Import at most 1.5 kW"),
        ("home_event_until", "1970-01-01T00:33:20+00:00"),
        ("home_price", "0.31230"),
        ("home_utility", "connected"),
        ("home_problem", "ON"),
        ("home_unread", "1"),
        ("event_0A1B_part", "ON"),
        ("device_car_power", "1234"),
        ("device_car_soc", "50.0"),
        ("device_tank_temp", "20.0"),
        ("device_car_quality", "good"),
        ("device_car_age", "5"),
        ("device_car_limit", UNKNOWN),
        ("device_car_pause", "OFF"),
        ("device_car_until", UNKNOWN),
        ("device_tank_duration", "1 h"),
    ],
)
def test_states(entity: str, state: str) -> None:
    assert found()[entity].state == state


def test_only_what_may_be_left_has_a_switch_and_only_what_is_steered_has_controls() -> None:
    ids = set(found())
    assert {i for i in ids if i.startswith("event_")} == {"event_0A1B_part"}
    controls = {i for i, e in found().items() if e.told and i.startswith("device_")}
    assert not {i for i in controls if i.startswith("device_meter")}
    assert {i for i in controls if i.startswith("device_tank")} == {
        "device_tank_pause",
        "device_tank_duration",
        "device_tank_end",
    }
    assert "device_cell_pause" not in ids
    others = replace(HOME, devices=[replace(d, owned=False) for d in HOME.devices])
    assert not [i for i, e in found(others).items() if e.told and i.startswith("device_")]


@pytest.mark.parametrize("quality", ["stale", "lost"])
def test_what_is_not_known_is_unknown_and_never_zero(quality: str) -> None:
    blind = replace(
        HOME,
        net_w=None,
        price=None,
        events=(),
        devices=[replace(d, quality=quality, power_w=0.0, age_s=None) for d in HOME.devices],
    )
    states = {i: e.state for i, e in found(blind).items()}
    for unknown in ("home_net_power", "home_price", "home_event_until"):
        assert states[unknown] == UNKNOWN
    for name in ("power", "soc", "age"):
        assert states[f"device_car_{name}"] == UNKNOWN
    assert states["device_car_quality"] == quality


def test_a_wish_shows() -> None:
    car, tank = HOME.devices[1], HOME.devices[2]
    wished = [
        replace(car, wish_w=3000.0, wish_until=2000.0),
        replace(tank, wish_w=0.0, wish_until=2000.0),
    ]
    states = {i: e.state for i, e in found(replace(HOME, devices=wished)).items()}
    assert states["device_car_limit"] == "3000"
    assert states["device_car_pause"] == "OFF"
    assert states["device_tank_pause"] == "ON"
    assert states["device_car_until"] == "1970-01-01T00:33:20+00:00"


@given(
    st.text(max_size=300),
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(allow_nan=True, allow_infinity=True),
)
def test_whatever_the_home_holds_states_and_topics_are_fit(
    text: str, number: float, at: float
) -> None:
    odd_event = replace(EVENT, id=text, title=text, ends_at=at)
    odd_device = replace(
        HOME.devices[1],
        id=text or "x",
        name=text,
        kind=text,
        quality=text,
        reason=text,
        power_w=number,
        soc=number,
        age_s=abs(number),
        wish_w=number,
        wish_until=at,
    )
    home = replace(HOME, net_w=number, events=(odd_event,), devices=(odd_device,))
    known = groups(home, PLACES, text)
    for entity in entities(home, {}):
        json.loads(entity.config(PLACES, known[entity.about]))
        for topic, state in entity.states(PLACES).items():
            assert not set(topic) & set("+#\0")
            assert "nan" not in state.lower() or text
            if not topic.endswith("-facts"):
                assert len(state) <= 255


@pytest.mark.parametrize(
    ("topic", "payload", "command"),
    [
        ("event-0A1B/part", b"OFF", TakePart("0A1B", part=False)),
        ("event-0A1B/part", b"ON", TakePart("0A1B", part=True)),
        ("home/acknowledge", b"PRESS", Acknowledge(("M1",))),
        ("device-car/limit", b"3000", WishPower("car", 3000.0, 14_400.0)),
        ("device-sun/limit", b"-1500.5", WishPower("sun", -1500.5, 3600.0)),
        ("device-tank/pause", b"ON", WishPower("tank", 0.0, 3600.0)),
        ("device-tank/pause", b"OFF", EndWish("tank")),
        ("device-tank/end", b"PRESS", EndWish("tank")),
        ("device-tank/duration", b"1 day", Lasting("tank", "1 day")),
    ],
)
def test_commands(topic: str, payload: bytes, command: Command) -> None:
    durations = {"car": "4 h"}
    asked = parse(PLACES, f"hems/0123456789ab/{topic}/set", payload, HOME, durations)
    assert asked == command


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("hems/0123456789ab/event-0F/part/set", b"OFF"),
        ("hems/0123456789ab/event-0A1B/part/set", b"off "),
        ("hems/0123456789ab/event-0A1B/part/set", b"\xff"),
        ("hems/0123456789ab/event-0A1B/part/set", b"O" * 2_000_000),
        ("hems/0123456789ab/device-car/limit/set", b"nan"),
        ("hems/0123456789ab/device-car/limit/set", b"1e999"),
        ("hems/0123456789ab/device-car/limit/set", b""),
        ("hems/0123456789ab/device-car/limit/set", b"1_0"),
        ("hems/0123456789ab/device-boat/limit/set", b"1"),
        ("hems/0123456789ab/device-car/power/set", b"1"),
        ("hems/0123456789ab/device-car/duration/set", b"2 h"),
        ("hems/other/device-car/limit/set", b"1"),
        ("hems/0123456789ab/limit/set", b"1"),
        ("", b""),
    ],
)
def test_what_asks_nothing_is_one_clause(topic: str, payload: bytes) -> None:
    with pytest.raises(CommandError) as caught:
        parse(PLACES, topic, payload, HOME, {})
    assert 0 < len(str(caught.value)) < 200


@given(st.binary(max_size=80), st.sampled_from(["limit", "pause", "duration", "end", "part"]))
def test_no_payload_asks_for_a_power_that_is_none(payload: bytes, name: str) -> None:
    topic = f"hems/0123456789ab/device-car/{name}/set"
    try:
        command = parse(PLACES, topic, payload, HOME, {})
    except CommandError:
        return
    if isinstance(command, WishPower):
        assert math.isfinite(command.power_w)
