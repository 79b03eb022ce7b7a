"""One device found in several ways is listed once."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from der.addresses import (
    Address,
    FeedAddress,
    MappedAddress,
    ModbusAddress,
    MqttAddress,
    P1Address,
    StationAddress,
)
from der.discovery.found import Found, How, collect, key
from der.model import DeviceKind
from der.registry import Driver

PV = Found(
    (How.SWEEP,),
    "192.168.1.5:502 unit 1",
    DeviceKind.PV,
    Driver.SUNSPEC,
    ModbusAddress("192.168.1.5"),
    "Acme",
    "Sun 5",
    "123",
    min_w=-5000.0,
    max_w=0.0,
)
SAID = Found((How.DNS_SD,), "192.168.1.5:80", maker="Acme", serial="123", name="Roof")
PLUG = Found((How.MQTT,), "plug", DeviceKind.PLUG, Driver.MQTT, MqttAddress("tasmota", "plug"))


def test_by_its_address() -> None:
    other = replace(PV, how=(How.DNS_SD,), at=ModbusAddress("192.168.1.5", timeout_s=9), name="x")
    (one,) = collect([PV, other]).all()
    assert one.how == (How.SWEEP, How.DNS_SD)
    assert one.name == "x"


def test_by_its_serial_number_in_either_order() -> None:
    for order in ([PV, SAID], [SAID, PV]):
        (one,) = collect(order).all()
        assert (one.at, one.name, one.kind) == (PV.at, "Roof", DeviceKind.PV)
        assert set(one.how) == {How.SWEEP, How.DNS_SD}


def test_a_meter_in_an_inverter_is_a_device_of_its_own() -> None:
    meter = replace(PV, kind=DeviceKind.METER, at=ModbusAddress("192.168.1.5", unit=240))
    assert len(collect([PV, meter])) == 2


def test_what_has_no_serial_number_is_not_taken_for_another() -> None:
    nameless = Found((How.DNS_SD,), "192.168.1.9:80", maker="Acme")
    assert len(collect([nameless, replace(nameless, where="192.168.1.8:80"), PV])) == 3


def test_configured_ones_are_marked_and_what_can_be_driven_comes_first() -> None:
    found = collect([SAID, PLUG], {key(MqttAddress("zigbee2mqtt", "plug")): "freezer"}).all()
    assert [f.configured for f in found] == ["freezer", ""]
    assert [f.driver for f in found] == [Driver.MQTT, None]


def test_every_kind_of_address_has_a_key_of_its_own() -> None:
    bus = ModbusAddress("Inverter.LAN", 502, 3)
    addresses: list[Address] = [
        bus,
        MqttAddress("shelly", "a"),
        StationAddress("a"),
        P1Address("a"),
        FeedAddress("a"),
    ]
    assert len({key(at) for at in addresses}) == len(addresses)
    assert (
        key(MappedAddress(bus, "sdm630")) == key(bus) == key(ModbusAddress("inverter.lan", 502, 3))
    )
    assert key(StationAddress("a", connector=2)) != key(StationAddress("a"))


TEXTS = st.sampled_from(["", "a", "b"])
FOUND = st.builds(
    Found,
    st.sampled_from([(how,) for how in How]),
    st.sampled_from(["here", "there", "elsewhere"]),
    st.none() | st.sampled_from(DeviceKind),
    st.none(),
    st.none() | st.sampled_from([MqttAddress("x", "1"), MqttAddress("x", "2")]),
    TEXTS,
    TEXTS,
    TEXTS,
    TEXTS,
)


@given(st.lists(FOUND, max_size=8))
def test_nothing_is_lost_and_nothing_is_twice(found: list[Found]) -> None:
    merged = collect(found).all()
    assert {how for f in found for how in f.how} == {how for f in merged for how in f.how}
    assert {f.at for f in found} - {None} == {f.at for f in merged} - {None}
    keys = [f.key for f in merged]
    assert len(keys) == len(set(keys))
