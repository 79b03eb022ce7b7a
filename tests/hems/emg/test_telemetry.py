"""What the home tells of its meter and its DER, by intervals; energy over gaps and restarts."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.model import DeviceKind, DeviceState, PhaseReading, Quality
from hems.emg.registers import Register, dump, load
from hems.emg.series import SITE, mirror_specs, series_mrid
from hems.emg.telemetry import Telemetry
from hems.sep2.enddevice.readings import Sample
from tests.hems.emg.home import BATTERY, EVSE, HEATER, LFDI, METER, PV, image, state

pytestmark = [pytest.mark.requirement("BUC-13")]

SPECS = (METER, PV, BATTERY, EVSE, HEATER)


def meter(at: float, power_w: float, **more: Any) -> DeviceState:
    return state(METER, power_w, at, **more)


class Told:
    """What telemetry told, and kept."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.kept: dict[str, Register] = {}
        self.telemetry = Telemetry(LFDI, 10, self.samples.append, self.kept.update)

    def see(self, *devices: DeviceState, at: float) -> None:
        self.telemetry.take_image(image(*devices, at=at))

    def of(self, name: str, point: str = SITE) -> list[tuple[float, int, float]]:
        wanted = series_mrid(LFDI, point, name)
        return [(s.start, s.duration_s, s.value) for s in self.samples if s.series == wanted]


@pytest.mark.requirement("TIME-STAMP", "PD-LOSSES")
def test_an_interval_is_the_mean_of_what_was_read_in_it() -> None:
    told = Told()
    for at in range(100, 111):
        more = {"voltage_v": 231.0, "frequency_hz": 50.01, "reactive_var": -7.0}
        told.see(meter(float(at), 10.0 * (at - 100), **more), at=float(at))
    assert told.of("power") == [(100.0, 10, 45.0)]
    assert told.of("voltage") == [(100.0, 10, 231.0)]
    assert told.of("reactive") == [(100.0, 10, -7.0)]
    assert told.of("frequency")[0][2] == pytest.approx(50.01)
    assert told.of("import") == []


def test_no_value_is_made_up_for_what_was_not_read() -> None:
    told = Told()
    for at in range(100, 121):
        quality = Quality.GOOD if at >= 110 else Quality.STALE
        told.see(state(METER, 500.0, float(at), quality), at=float(at))
    assert [start for start, _, _ in told.of("power")] == [110.0]
    assert told.of("reactive") == []


def test_each_der_and_charger_has_a_point_of_its_own() -> None:
    told = Told()
    for at in (100.0, 110.0):
        told.see(meter(at, 1.0), state(PV, -2000.0, at), state(HEATER, 9.0, at), at=at)
    assert told.of("power", "pv") == [(100.0, 10, -2000.0)]
    assert told.of("power", "heater") == []
    specs = {s.description: s.role_flags for s in mirror_specs(LFDI, SPECS, 10)}
    assert specs == {
        "Connection point": 0x03,
        "Solar": 0x49,
        "Battery": 0x49,
        "Charger": 0x45,
    }


def test_phases_are_told_where_the_meter_tells_them_apart() -> None:
    told = Told()
    three = tuple(PhaseReading(100.0 * i, 230.0 + i) for i in (1, 2, 3))
    for at in (100.0, 110.0):
        told.see(meter(at, 600.0, phases=three), at=at)
    assert [told.of(f"power_{p}")[0][2] for p in "abc"] == [100.0, 200.0, 300.0]
    assert [told.of(f"voltage_{p}")[0][2] for p in "abc"] == [231.0, 232.0, 233.0]
    single = Told()
    for at in (100.0, 110.0):
        single.see(meter(at, 600.0, phases=three[:1]), at=at)
    assert single.of("power_a") == [], "one phase is the whole"


def test_reading_types_say_what_is_measured() -> None:
    (site, *_) = mirror_specs(LFDI, SPECS, 10)
    found = {s.mrid: s for s in site.series}
    table = {
        "power": (38, 1, 37, 12, 2, None, 10),
        "reactive": (63, 1, 37, 12, 2, None, 10),
        "voltage": (29, None, None, 12, 2, None, 10),
        "frequency": (33, None, None, 12, 2, None, 10),
        "import": (72, 1, 12, 9, 12, None, None),
        "export": (72, 19, 12, 9, 12, None, None),
        "imported": (72, 1, 12, 4, 12, None, 10),
        "exported": (72, 19, 12, 4, 12, None, 10),
        "power_b": (38, 1, 37, 12, 2, 64, 10),
        "voltage_c": (29, None, None, 12, 2, 33, 10),
    }
    for name, wanted in table.items():
        kind = found[series_mrid(LFDI, SITE, name)].announced().reading_type
        assert kind is not None
        assert (
            kind.uom,
            kind.flow_direction,
            kind.kind,
            kind.accumulation_behaviour,
            kind.data_qualifier,
            kind.phase,
            kind.interval_length,
        ) == wanted, name
    assert [s.mrid for s in site.series if s.sure] == [series_mrid(LFDI, SITE, "power")]


def test_points_keep_their_names_over_restarts_and_differ_between_homes_and_devices() -> None:
    specs = mirror_specs(LFDI, SPECS, 10)
    assert specs == mirror_specs(LFDI, SPECS, 10)
    other = mirror_specs("B" * 40, SPECS, 10)
    mrids = [m for each in (*specs, *other) for m in (each.mrid, *(s.mrid for s in each.series))]
    assert len(mrids) == len(set(mrids))


def counted(told: Told, at: float, imported: float | None, exported: float | None) -> None:
    told.see(meter(at, 1.0, energy_import_wh=imported, energy_export_wh=exported), at=at)


def test_energy_of_an_interval_is_what_the_meter_counted() -> None:
    told = Told()
    for at, wh in ((100.0, 5.0), (109.0, 6.0), (110.0, 6.5), (119.0, 9.0), (120.0, 9.0)):
        counted(told, at, wh, 1.0)
    assert told.of("import") == [(110.0, 0, 6.0), (120.0, 0, 9.0)]
    assert told.of("imported") == [(110.0, 10, 3.0)]
    assert told.of("exported") == [(110.0, 10, 0.0)]


def test_a_restart_loses_no_energy() -> None:
    first = Told()
    for at in (100.0, 110.0):
        counted(first, at, 50.0, None)
    again = Told()
    again.telemetry.resume(load(dump(first.kept)))
    for at in (205.0, 210.0):
        counted(again, at, 80.0, None)
    assert again.of("imported") == [(110.0, 100, 30.0)], "with the time in which the hub was away"
    assert again.of("export") == []


def test_a_replaced_meter_begins_anew() -> None:
    told = Told()
    for at, wh in ((100.0, 500.0), (110.0, 2.0), (120.0, 3.0), (130.0, 3.0)):
        counted(told, at, wh, None)
    assert told.of("imported") == [(120.0, 10, 1.0)]


@given(st.lists(st.tuples(st.integers(1, 60), st.floats(0, 100)), min_size=2, max_size=60))
def test_deltas_add_up_to_the_registers(steps: list[tuple[int, float]]) -> None:
    told = Told()
    at, total = 1000.0, 0.0
    for gap_s, wh in steps:
        at, total = at + gap_s, total + wh
        counted(told, at, total, None)
    registers, deltas = told.of("import"), told.of("imported")
    if registers:
        assert sum(d[2] for d in deltas) == pytest.approx(registers[-1][2] - registers[0][2])
        spans = [(start, start + duration) for start, duration, _ in deltas]
        assert all(a[1] == b[0] for a, b in pairwise(spans)), "no gap, no lap"


@pytest.mark.parametrize(
    "text", ["", "[]", '{"point": 1}', '{"point": [1, 2]}', '{"point": ["a", 1, 2]}', "{", "null"]
)
def test_a_text_that_holds_no_registers_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        load(text)


def test_the_meter_is_no_device_of_its_own() -> None:
    assert METER.kind is DeviceKind.METER
    assert len(mirror_specs(LFDI, [METER], 10)) == 1
