"""What the hub does by itself about what it found: a table, and what it never does."""

from collections.abc import Collection
from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.model import DeviceKind
from der.sentence import say
from hems import bulletin
from hems.emg.firewall.wire import LONGEST_BARRED_S
from hems.emg.threats.answers import MOST_SHUT, NEVER_SHUT, kept_out, shuts
from hems.emg.threats.barrier import WARNED_S, Barred, Barrier
from hems.emg.threats.origin import origin
from hems.emg.threats.rules.finding import Finding, Threat
from hems.emg.threats.severity import ORDER, Severity, graver, severity
from hems.security.fencing import open_ports, walls
from hems.security_event import EventKind
from hems.settings.config import Config

pytestmark = pytest.mark.requirement("L2-EVENTS", "L2-BLOCK")

FOUND = Finding(
    Threat.GUESSING, Severity.ALARM, "It was.", say("Look at it."), "", "192.0.2.7", (), 1.0
)
HOUSE = {
    "meter": DeviceKind.METER,
    "tie": DeviceKind.TIE,
    "battery": DeviceKind.BATTERY,
    "ev": DeviceKind.EVSE,
    "pv": DeviceKind.PV,
    "tank": DeviceKind.WATER_HEATER,
}


@pytest.mark.parametrize(
    ("threat", "source", "device"),
    [
        (Threat.GUESSING, True, False),
        (Threat.SCAN, True, False),
        (Threat.FLOOD, True, False),
        (Threat.HOSTILE_DEVICE, False, True),
        (Threat.SETPOINT_STORM, False, True),
        (Threat.SETPOINT_TURNS, False, False),  # a hob that pulses does that to a battery
        (Threat.DEVICE, False, False),  # it is shut by the list of trusted devices
        (Threat.FIRMWARE, False, False),  # and by who watches the firmware
        (Threat.REPLAY, False, False),
        (Threat.SPREAD_GUESSING, False, False),
        (Threat.STRANGERS, False, False),
        (Threat.HANDSHAKES, False, False),
        (Threat.MEDDLED, False, False),  # the device is not who meddles
        (Threat.FALSE_SERVER, False, False),
        (Threat.HOSTILE_SERVER, False, False),
        (Threat.QUARANTINES, False, False),
        (Threat.ODD_HOUR, False, False),
        (Threat.CLOCK, False, False),
        (Threat.PACKAGE, False, False),
    ],
)
def test_what_is_done_about_each(threat: Threat, *, source: bool, device: bool) -> None:
    finding = replace(FOUND, threat=threat, about="battery")
    assert bool(kept_out(finding)) is source
    assert (shuts(finding, HOUSE, ()) is not None) is device


@given(
    st.sampled_from(Threat),
    st.sampled_from([*HOUSE, "", "gone"]),
    st.lists(st.sampled_from([*HOUSE]), unique=True),
)
def test_a_rule_never_takes_the_house_apart(
    threat: Threat, about: str, already: Collection[str]
) -> None:
    why = shuts(replace(FOUND, threat=threat, about=about), HOUSE, already)
    if why is not None:
        assert HOUSE[about] not in NEVER_SHUT
        assert about not in already
        assert len({*already, about}) <= MOST_SHUT


ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)


@given(
    st.lists(ADDRESSES, max_size=4),
    st.lists(ADDRESSES, max_size=30),
    st.lists(ADDRESSES.map(origin), max_size=5),
    st.floats(0, 1e9),
)
def test_the_hub_and_its_utilities_are_never_kept_out(
    spared: Collection[str], sources: Collection[str], warned: Collection[str], until: float
) -> None:
    barrier = Barrier(lambda: spared)
    barrier.shut_off([each for each in warned if "/" in each])
    for source in (*sources, *spared):
        barrier.close(source, until)
    for address in (*spared, "127.0.0.1", "::1"):
        assert barrier.wait_s(address, 0.0) == 0.0, address
    for source in sources:
        assert barrier.wait_s(source, 0.0) <= max(until, WARNED_S), "never for good"
        barrier.lift(source)
    assert not barrier.barred(0.0)


@given(
    st.lists(st.builds(Barred, ADDRESSES.map(origin), st.floats(0.1, 1e9)), max_size=300),
    st.lists(ADDRESSES, max_size=5),
)
def test_a_wall_has_an_end_and_stands_before_no_device(
    barred: list[Barred], known: Collection[str]
) -> None:
    for wall in walls(barred, known):
        assert 1 <= wall.seconds <= LONGEST_BARRED_S
        assert not any(ip_address(each) in wall.source for each in known)


def test_the_owners_page_and_the_utilities_way_stay_open() -> None:
    utility = {
        "url": "https://utility.example:8443/dcap",
        "certificate": "hub.pem",
        "key": "hub.key",
        "trust": "ca.pem",
        "crls": "crls.pem",
        "pin": "111115",
        "notify_port": 11443,
    }
    config = Config.model_validate({"web": {"port": 8081}, "utility": [utility]})
    assert open_ports(config) == (8081, 8443, 11443)


@pytest.mark.requirement("L2-FEED")
@given(st.sampled_from(EventKind), st.sampled_from(bulletin.Severity))
def test_the_service_provider_can_call_nothing_less_grave(
    kind: EventKind, said: bulletin.Severity
) -> None:
    own, after = severity(kind), severity(kind, {kind.value: said})
    assert ORDER.index(after) >= ORDER.index(own)
    if said is bulletin.Severity.CRITICAL:
        assert after is Severity.ALARM


def test_the_graver_of_two() -> None:
    assert graver(Severity.ALARM, Severity.INFO) is Severity.ALARM
    assert graver(Severity.NOTICE, Severity.WARNING) is Severity.WARNING
