"""What announcements say; whatever a stranger's device says, nothing breaks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.addresses import ModbusAddress, MqttAddress
from der.discovery.announced import TYPES, Announcement, of, printable
from der.discovery.found import Found, How
from der.model import DeviceKind
from der.registry import Driver


def said(kind: str, name: str, **txt: str | None) -> Found | None:
    return of(Announcement(kind, name, "192.168.1.7", 80, txt))


@pytest.mark.parametrize(
    ("kind", "name", "txt", "at", "guess"),
    [
        ("_shelly._tcp", "shellyplugsg3-a8032ab12345", {"gen": "3"}, "shelly", DeviceKind.PLUG),
        ("_shelly._tcp", "ShellyPlus1PM-A8032AB12345", {}, "shelly", DeviceKind.PLUG),
        ("_shelly._tcp", "shellypro3em-a8032ab12345", {}, "shelly", DeviceKind.SUBMETER),
        ("_http._tcp", "shellyem3-AABBCC", {}, "shelly-gen1", DeviceKind.SUBMETER),
        ("_http._tcp", "shelly1pm-AABBCC", {"id": "x"}, "shelly-gen1", DeviceKind.PLUG),
        ("_http._tcp", "shellyplus1pm-a8032ab12345", {"gen": "2"}, "shelly", DeviceKind.PLUG),
        ("_http._tcp", "shellytrv-60A423DAA0EF", {}, "shelly-gen1", DeviceKind.THERMOSTAT),
    ],
)
def test_shellies_of_both_generations(
    kind: str, name: str, txt: dict[str, str], at: str, guess: DeviceKind
) -> None:
    found = said(kind, name, **txt)
    assert found is not None
    assert found.at == MqttAddress(at, name)
    assert (found.maker, found.kind, found.driver) == ("Shelly", guess, Driver.MQTT)
    assert found.serial == name.rpartition("-")[2].upper()


@pytest.mark.parametrize(
    ("name", "maker", "kind"),
    [
        ("tasmota-4A3B2C-1234", "Tasmota", DeviceKind.PLUG),
        ("go-eCharger_012345", "go-e", DeviceKind.EVSE),
        ("openevse-1a2b", "OpenEVSE", DeviceKind.EVSE),
        ("Fronius_240.12345", "Fronius", DeviceKind.PV),
        ("SMA3012345678", "SMA", DeviceKind.PV),
    ],
)
def test_web_servers_whose_name_tells_whose_they_are(
    name: str, maker: str, kind: DeviceKind
) -> None:
    found = said("_http._tcp", name)
    assert found is not None
    assert (found.maker, found.kind, found.driver) == (maker, kind, None)
    assert found.note, "it says what to do next"


@pytest.mark.parametrize("name", ["printer", "shelly", "shellyplug", "my tasmota", "smart tv"])
def test_other_web_servers_are_none_of_ours(name: str) -> None:
    assert said("_http._tcp", name) is None


@pytest.mark.parametrize(
    ("txt", "unit"), [({}, 1), ({"unit": "7"}, 7), ({"unit": "300"}, 1), ({"id": "x"}, 1)]
)
def test_sunspec_by_mdns(txt: dict[str, str | None], unit: int) -> None:
    found = said("_sunspec._tcp", "Inverter", mn="Acme", sn="9", **txt)
    assert found is not None
    assert found.at == ModbusAddress("192.168.1.7", 80, unit)
    assert (found.maker, found.serial, found.driver) == ("Acme", "9", Driver.SUNSPEC)


def test_plain_modbus_needs_a_map() -> None:
    found = said("_modbus._tcp", "Pump")
    assert found is not None
    assert found.driver is None
    assert "--map" in found.note


@pytest.mark.parametrize("kind", ["_mqtt._tcp", "_ocpp._tcp", "_hwenergy._tcp"])
def test_others_say_what_to_do_next(kind: str) -> None:
    found = said(kind, "thing", product_type="HWE-P1")
    assert found is not None
    assert found.driver is None
    assert found.note


TXT = st.dictionaries(st.text(max_size=12), st.none() | st.text(max_size=20), max_size=6)


@pytest.mark.requirement("LC-TEST")
@given(
    st.sampled_from([kind.removesuffix(".local.") for kind in TYPES]),
    st.text(max_size=60) | st.from_regex(r"shelly\w*-[0-9a-fA-F]*", fullmatch=True),
    st.ip_addresses().map(str),
    st.integers(1, 65535),
    TXT,
)
def test_any_announcement_is_read_or_passed_over(
    kind: str, name: str, host: str, port: int, txt: dict[str, str | None]
) -> None:
    found = of(Announcement(kind, name, host, port, txt))
    if found is None:
        return
    shown = printable(found)
    texts = (shown.where, shown.maker, shown.model, shown.serial, shown.name, shown.note)
    assert all(text.isprintable() for text in texts), "nothing that moves a terminal's cursor"
    assert found.how == (How.DNS_SD,)
    assert (found.driver is None) == (found.at is None)
