"""What the home tells of its meter and of itself."""

import pytest
from lxml import etree

from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading
from hems.emg import der_report
from hems.emg.telemetry import Telemetry, mirror_spec
from hems.image import Image
from hems.sep2 import resources as res
from hems.sep2.dialect import Dialect
from hems.sep2.mirror import Sample
from hems.sep2.xml import serialize
from tests.hems.sep2.schema import Edition, validator

LFDI = "A" * 40
METER = DeviceSpec("meter", DeviceKind.METER, "Meter", Control.NONE, 0.0, 0.0)
PV = DeviceSpec("pv", DeviceKind.PV, "Solar", Control.FLOOR, -4000.0, 0.0)
BATTERY = DeviceSpec("battery", DeviceKind.BATTERY, "Battery", Control.TARGET, -5000.0, 5000.0)


def image(at: float, *states: DeviceState) -> Image:
    return Image(at, int(at), {state.spec.id: state for state in states})


def meter(at: float, power_w: float, quality: Quality = Quality.GOOD) -> DeviceState:
    reading = Reading(
        at,
        power_w,
        voltage_v=231.0,
        frequency_hz=50.01,
        energy_import_wh=100.0 + at,
        energy_export_wh=5.0,
    )
    return DeviceState(METER, reading, quality)


def names() -> dict[str, str]:
    return {series.mrid: series.description for series in mirror_spec(LFDI, 10).series}


@pytest.mark.requirement("BUC-13", "TIME-STAMP", "PD-LOSSES")
def test_an_interval_is_the_mean_of_what_was_read_in_it() -> None:
    posted: list[Sample] = []
    telemetry = Telemetry(LFDI, 10, posted.append)
    for second in range(100, 111):
        telemetry.take_image(image(float(second), meter(float(second), 10.0 * (second - 100))))
    by_name = {names()[sample.series]: sample for sample in posted}
    power = by_name["Net active power"]
    assert (power.start, power.duration_s, power.value) == (100.0, 10, 45.0)
    assert by_name["Voltage"].value == 231.0
    assert by_name["Frequency"].value == pytest.approx(50.01)
    energy = by_name["Energy from the grid"]
    assert (energy.start, energy.value) == (110.0, 209.0)
    assert by_name["Energy to the grid"].value == 5.0


@pytest.mark.requirement("BUC-13")
def test_no_value_is_made_up_for_what_was_not_read() -> None:
    posted: list[Sample] = []
    telemetry = Telemetry(LFDI, 10, posted.append)
    for second in range(100, 121):
        quality = Quality.GOOD if second >= 110 else Quality.STALE
        telemetry.take_image(image(float(second), meter(float(second), 500.0, quality)))
    powers = [s for s in posted if names()[s.series] == "Net active power"]
    assert [s.start for s in powers] == [110.0]


def test_the_usage_point_keeps_its_names_over_restarts_and_differs_between_homes() -> None:
    assert mirror_spec(LFDI, 10) == mirror_spec(LFDI, 10)
    assert mirror_spec(LFDI, 10).mrid != mirror_spec("B" * 40, 10).mrid


@pytest.mark.requirement("ROLE-EMG", "PRO-2030.5")
def test_ratings_turn_the_sign_and_name_the_modes() -> None:
    capability = der_report.capability([METER, PV, BATTERY])
    assert capability.rtg_max_w.watts == 9000.0
    assert capability.rtg_max_charge_rate_w is not None
    assert capability.rtg_max_charge_rate_w.watts == 5000.0
    assert capability.modes_supported != 0
    assert capability.doe_modes_supported == 0b1111


@pytest.mark.requirement("ROLE-EMG", "PRO-2030.5")
@pytest.mark.parametrize(
    ("dialect", "schema"),
    [
        (Dialect.V2018, Edition.OF_2018),
        (Dialect.CSIP_AUS, Edition.CSIPAUS),
        (Dialect.V2023, Edition.OF_2023),
    ],
)
def test_ratings_and_settings_keep_to_the_schema_of_the_dialect(
    dialect: Dialect, schema: Edition
) -> None:
    devices = [METER, PV, BATTERY]
    battery = DeviceState(BATTERY, Reading(100.0, 1000.0, soc=0.5), Quality.GOOD)
    for record in (
        der_report.capability(devices, dialect),
        der_report.settings(devices, 100, dialect),
        der_report.status(image(100.0, battery), 0.0),
        der_report.availability(image(100.0, battery), 0.0),
    ):
        body = serialize(record, schema_ver=dialect.schema_ver)
        validator(schema).assertValid(etree.fromstring(body))
        if isinstance(record, res.DERCapability | res.DERSettings):
            assert (b"modes" in body and b"2>" in body) is (dialect is Dialect.V2023)
            assert (b"csipaus" in body) is (dialect is Dialect.CSIP_AUS)


@pytest.mark.parametrize(("power_w", "mode"), [(1000.0, 0), (-1000.0, 1), (5.0, 2)])
def test_the_status_is_what_the_battery_does(power_w: float, mode: int) -> None:
    battery = DeviceState(
        BATTERY, Reading(100.0, power_w, soc=0.5, capacity_wh=6400.0), Quality.GOOD
    )
    status = der_report.status(image(100.0, battery), offset_s=40.0)
    assert status.reading_time == 140
    assert status.storage_mode_status is not None
    assert status.storage_mode_status.value == mode
    assert status.state_of_charge_status is not None
    assert status.state_of_charge_status.value == 5000
    assert status.gen_connect_status is None


def test_a_lost_battery_is_not_reported_from_memory() -> None:
    battery = DeviceState(BATTERY, Reading(1.0, -5000.0, soc=0.5), Quality.LOST)
    status = der_report.status(image(100.0, battery), offset_s=0.0)
    assert status.storage_mode_status is None
    assert status.state_of_charge_status is None
    available = der_report.availability(image(100.0, battery), offset_s=0.0)
    assert available.stat_w_avail is not None
    assert available.stat_w_avail.watts == 0.0
