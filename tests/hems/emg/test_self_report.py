"""What the home says of itself: from its devices, valid in each dialect, dated by its changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from der.model import DeviceSpec, DeviceState
from hems.emg import der_report
from hems.emg.der_report import Ratings
from hems.emg.self_report import Maker, SelfReport, by_program, load_shed
from hems.sep2 import resources as res
from hems.sep2.enddevice.reports import DerReport, Report
from hems.sep2.rules.dialect import Dialect
from hems.sep2.xml import serialize
from programs.capability import Spare, StoreFacts
from tests.hems.emg.home import BATTERY, EVSE, HEATER, LFDI, METER, PV, image, lost, state
from tests.hems.sep2.kept_up import SCHEMAS
from tests.hems.sep2.schema import validator

pytestmark = [pytest.mark.requirement("ROLE-EMG"), pytest.mark.requirement("PRO-2030.5")]

MAKER = Maker(lfdi=LFDI, serial="167261211391", software="1.2", activated=5, pen=1)
HOME = (
    state(METER, -500.0),
    state(PV, -2000.0),
    state(BATTERY, 1000.0, soc=0.5, capacity_wh=6400.0),
    state(HEATER, 500.0),
)
MODES = frozenset({"opModConnect", "opModImpLimW"})


def reporting(dialect: Dialect = Dialect.CSIP_AUS) -> SelfReport:
    return SelfReport(MAKER, dialect, name="Our home", connection_point="NMI1", floor_soc=0.1)


def parts(report: Report) -> list[res.Resource]:
    ders = [r for d in (report.der, *report.ders) for r in der_parts(d)]
    own = (
        report.information,
        report.status,
        report.power,
        report.configuration,
        report.connection_point,
        *report.load_shed,
    )
    return [*ders, *(r for r in own if r is not None)]


def der_parts(der: DerReport) -> list[res.Resource]:
    found = (der.capability, der.settings, der.status, der.availability)
    return [r for r in found if r is not None]


@pytest.mark.parametrize("dialect", list(Dialect))
def test_each_part_keeps_to_the_schema_of_the_dialect(dialect: Dialect) -> None:
    found = parts(reporting(dialect).take(image(*HOME), 0.0, gradient=0.5))
    assert len(found) >= 15
    for record in found:
        body = serialize(record, schema_ver=dialect.schema_ver)
        validator(SCHEMAS[dialect]).assertValid(etree.fromstring(body))
        assert b"subscribable" not in body
        if isinstance(record, res.DERCapability | res.DERSettings):
            assert (b"Supported2" in body or b"Enabled2" in body) is (dialect is Dialect.V2023)
            assert (b"doeModes" in body) is (dialect is Dialect.CSIP_AUS)
        if isinstance(record, res.DERStatus):
            assert (b"genConnectStatus" in body or b"storConnectStatus" in body) is (
                dialect is not Dialect.V2023
            )


def test_the_connection_point_goes_where_the_dialect_has_it() -> None:
    at = image(*HOME)
    assert reporting(Dialect.V2018).take(at, 0.0).connection_point is None
    ours = reporting(Dialect.CSIP_AUS).take(at, 0.0)
    assert ours.connection_point is not None
    assert ours.connection_point.connection_point_id == "NMI1"
    modern = reporting(Dialect.V2023).take(at, 0.0)
    assert modern.connection_point is None
    assert modern.information is not None
    assert modern.information.connection_point_id == "NMI1"


@pytest.mark.parametrize(
    ("devices", "kind", "watts", "charge"),
    [
        ([PV, BATTERY, METER, EVSE], 83, 9000.0, 5000.0),
        ([PV], 4, 4000.0, None),
        ([BATTERY], 80, 5000.0, 5000.0),
    ],
)
def test_ratings_are_those_of_the_devices(
    devices: list[DeviceSpec], kind: int, watts: float, charge: float | None
) -> None:
    told = der_report.capability(Ratings.of(devices, 6400.0), MODES, Dialect.CSIP_AUS)
    assert (told.type, told.rtg_max_w.watts) == (kind, watts)
    assert (told.rtg_max_charge_rate_w and told.rtg_max_charge_rate_w.watts) == charge
    assert (told.rtg_max_wh is not None) is (charge is not None)
    assert told.modes_supported == 1 << 2
    assert told.doe_modes_supported == 0b0010, "the import limit is bit 1"


@pytest.mark.parametrize(
    ("devices", "doe"), [(HOME, 0b1111), (HOME[:2], 0b0101), ((HOME[0], HOME[3]), None)]
)
def test_modes_are_those_that_the_devices_can_carry_out(
    devices: tuple[DeviceState, ...], doe: int | None
) -> None:
    told = reporting().take(image(*devices), 0.0).der.capability
    assert (told and told.doe_modes_supported) == doe


@pytest.mark.parametrize(("gradient", "set_grad_w"), [(None, 0), (0.0, 0), (0.27, 27), (1.5, 150)])
def test_the_ramp_in_force_is_echoed_and_not_made_up(
    gradient: float | None, set_grad_w: int
) -> None:
    report = reporting().take(image(*HOME), 0.0, gradient=gradient)
    for der in (report.der, *report.ders):
        assert der.settings is not None
        assert der.settings.set_grad_w == set_grad_w


def available(*devices: DeviceState, floor: float = 0.1) -> res.DERAvailability:
    return der_report.availability(devices, 100, Dialect.V2023, floor_soc=floor)


def test_availability_is_what_storage_could_do_beyond_what_it_does() -> None:
    told = available(state(BATTERY, 1000.0, soc=0.5, capacity_wh=6400.0), state(PV, -900.0))
    assert told.stat_w_avail is not None
    assert told.stat_w_avail.watts == 5000.0, "charging adds nothing to what it could give"
    assert told.stat_w_absorb_avail is not None
    assert told.stat_w_absorb_avail.watts == 4000.0
    assert told.reserve_percent == round(5000 / 9000 * 10_000)
    assert told.reserve_charge_percent == 8000
    assert told.availability_duration == round(0.4 * 6400 * 3600 / 5000)
    taking_all = round(0.5 * 6400 * 3600 / 5000)
    assert told.max_charge_duration == taking_all, "4 kW more than the one that it takes already"


@pytest.mark.parametrize(
    ("device", "gives", "takes"),
    [
        (state(BATTERY, 0.0, soc=0.1, capacity_wh=6400.0), 0.0, 5000.0),
        (state(BATTERY, 0.0, soc=1.0, capacity_wh=6400.0), 5000.0, 0.0),
        (state(BATTERY, 0.0, soc=0.5, connected=False), 0.0, 0.0),
        (lost(BATTERY, soc=0.5), 0.0, 0.0),
    ],
)
def test_what_storage_cannot_do_is_not_available(
    device: DeviceState, gives: float, takes: float
) -> None:
    told = available(device)
    assert told.stat_w_avail is not None
    assert told.stat_w_absorb_avail is not None
    assert (told.stat_w_avail.watts, told.stat_w_absorb_avail.watts) == (gives, takes)


def test_durations_are_left_out_where_the_energy_is_not_known() -> None:
    told = available(state(BATTERY, 0.0, soc=0.5))
    assert told.availability_duration is None
    assert told.max_charge_duration is None


@given(
    power_w=st.floats(-5000, 5000),
    soc=st.floats(0, 1),
    capacity_wh=st.floats(1, 1e6),
    floor=st.floats(0, 0.99),
)
def test_reserves_keep_within_the_ratings(
    power_w: float, soc: float, capacity_wh: float, floor: float
) -> None:
    device = state(BATTERY, power_w, soc=soc, capacity_wh=capacity_wh)
    told = available(device, floor=floor)
    assert told.stat_w_avail is not None
    assert 0 <= told.stat_w_avail.watts <= 5000
    assert told.availability_duration is not None
    given_wh = told.stat_w_avail.watts * told.availability_duration / 3600
    # Both are rounded to whole numbers on the way: half a watt and half a second each.
    slack = 5000 / 7200 + 0.5 * told.availability_duration / 3600 + 1e-6
    assert given_wh <= max(soc - floor, 0) * capacity_wh + slack or told.stat_w_avail.watts == 0
    serialize(told)


@pytest.mark.requirement("BUC-8")
def test_what_is_lost_on_the_way_is_not_available() -> None:
    devices = [state(BATTERY, -1000.0, soc=0.6, capacity_wh=6400.0)]
    facts = {"battery": StoreFacts(taken=0.9, given=0.8)}
    told = der_report.availability(devices, 100, Dialect.V2023, floor_soc=0.1, facts=facts)
    assert told.stat_w_avail is not None
    assert told.stat_w_avail.watts == 4000.0
    assert told.availability_duration == round(0.5 * 6400 * 0.8 * 3600 / 5000)
    assert told.max_charge_duration == round(0.4 * 6400 / 0.9 * 3600 / 5000)


@pytest.mark.requirement("BUC-8")
@pytest.mark.parametrize(
    ("spare", "watts", "duration"),
    [
        (None, 3500.0, None),
        (Spare({"heater": 1800.0}), 3500.0, 1800),
        (Spare({"heater": 1800.0, "evse": 600.4}), 3500.0, 600),
        (Spare({"heater": 0.0}), 3000.0, None),  # it is needed now
        (Spare({}, frozenset({"evse"})), 500.0, None),
        (Spare({"heater": 0.0, "evse": 0.0}), 0.0, None),
    ],
)
def test_load_that_could_be_shed_is_told_with_its_time(
    spare: Spare | None, watts: float, duration: int | None
) -> None:
    (told,) = load_shed(image(*HOME, state(EVSE, 3000.0)), spare)
    assert told.sheddable_power is not None
    assert told.sheddable_power.watts == watts
    assert told.availability_duration == duration


@pytest.mark.requirement("BUC-8")
def test_it_is_told_for_each_programme_that_may_ask() -> None:
    told = load_shed(image(*HOME))
    assert by_program(told, ()) == told
    each = by_program(told, ["/dr/2", "/dr/1", "/dr/2"])
    links = [e.demand_response_program_link for e in each]
    assert links == [res.Link(href="/dr/1"), res.Link(href="/dr/2")]
    assert {e.sheddable_power for e in each} == {told[0].sheddable_power}
    for record in each:
        serialize(record)


def test_load_that_could_be_shed_is_that_of_flexible_loads() -> None:
    (told,) = load_shed(image(*HOME))
    assert told.sheddable_power is not None
    assert told.sheddable_power.watts == 500.0
    assert told.sheddable_percent == round(500 / 500 * 10_000), "the home uses 500 W in all"
    assert load_shed(image(state(METER, 5.0))) == ()


def test_parts_are_dated_by_their_last_change_in_the_servers_time() -> None:
    ours = reporting()
    first = ours.take(image(*HOME, at=100.0), 40.0)
    same = ours.take(image(*HOME, at=160.0), 40.0)
    assert same == first
    assert first.der.settings is not None
    assert first.der.settings.updated_time == 140
    drained = (*HOME[:2], state(BATTERY, 1000.0, soc=0.4, capacity_wh=6400.0), HOME[3])
    later = ours.take(image(*drained, at=200.0), 40.0, gradient=0.0)
    status = later.der.status
    assert status is not None
    assert status.reading_time == 240
    assert status.state_of_charge_status is not None
    assert status.state_of_charge_status.date_time == 240
    assert status.storage_mode_status is not None
    assert status.storage_mode_status.date_time == 140, "it charges as before"
    assert later.der.settings == first.der.settings
    assert later.status == first.status
    ramp = ours.take(image(*drained, at=300.0), 40.0, gradient=2.0)
    assert ramp.der.settings is not None
    assert ramp.der.settings.updated_time == 340
    assert ramp.der.status == later.der.status


def test_a_home_without_der_says_nothing_of_der() -> None:
    report = reporting().take(image(state(METER, 1.0), state(HEATER, 0.0)), 0.0)
    assert not report.tells_der
    assert report.status is not None
    assert report.status.op_state == 2


def test_long_words_are_cut_to_what_the_schema_carries() -> None:
    ours = SelfReport(MAKER, Dialect.CSIP_AUS, name="H\u00f6lderlinstra\u00dfe " * 4)
    told = ours.take(image(*HOME), 0.0).configuration
    assert told is not None
    assert len(told.user_device_name.encode()) <= 32
    serialize(told)
