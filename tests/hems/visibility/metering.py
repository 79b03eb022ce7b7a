"""Images with a meter only, for what is seen of the grid."""

from der.model import Control, DeviceKind, DeviceSpec, DeviceState, PhaseReading, Quality, Reading
from hems.image import Image

METER = DeviceSpec("meter", DeviceKind.METER, "Meter", Control.NONE, -14_490.0, 14_490.0)


def image(reading: Reading | None, at: float, quality: Quality = Quality.GOOD) -> Image:
    """Return what the hub has read of the meter."""
    return Image(at, round(at), {"meter": DeviceState(METER, reading, quality)})


def read(
    at: float,
    power_w: float = 0.0,
    *,
    voltage_v: float | None = 230.0,
    frequency_hz: float | None = 50.0,
    import_wh: float | None = None,
    export_wh: float | None = None,
    phases: tuple[PhaseReading, ...] = (),
) -> Image:
    """Return an image of a reading taken at `at`."""
    reading = Reading(
        at,
        power_w,
        reactive_var=power_w / 10,
        voltage_v=voltage_v,
        frequency_hz=frequency_hz,
        energy_import_wh=import_wh,
        energy_export_wh=export_wh,
        phases=phases,
    )
    return image(reading, at)
