"""The home as it is decided on while it is an island: its forming inverter in the meter's place.

An island takes nothing from the street, so its meter says nothing. What the rest of the home takes
comes from the inverter that forms it, whose power is thus the home's net power; it follows no
set-point, and so it is no device that can be controlled. All other rules hold as they are.
"""

from dataclasses import replace

from der.model import Control, DeviceKind, DeviceState, Reading
from hems.image import Image
from programs.microgrid import MicrogridPolicy


def as_decided_on(image: Image, policy: MicrogridPolicy) -> Image:
    """Return the image that is decided on; the same one unless the home is an island.

    Args:
        image: What the devices said.
        policy: Whether the home is an island, and who forms it.
    """
    if policy.island is None or policy.island.former not in image.devices:
        return image
    former = image.devices[policy.island.former]
    devices = dict(image.devices)
    devices[former.spec.id] = replace(
        former, spec=replace(former.spec, control=Control.NONE), setpoint=None
    )
    meter = image.meter
    if meter is not None:
        devices[meter.spec.id] = _instead_of(meter, former)
    return replace(image, devices=devices)


def _instead_of(meter: DeviceState, former: DeviceState) -> DeviceState:
    """Return the meter as it would be if the inverter was the home's grid.

    It is as trustworthy as the inverter's own reading, whatever the meter says.
    """
    reading = former.reading
    spec = replace(meter.spec, kind=DeviceKind.METER, max_age_s=former.spec.max_age_s)
    if reading is None:
        return DeviceState(spec, None, former.quality, former.error)
    net = Reading(
        at=reading.at,
        power_w=-reading.power_w + 0.0,
        voltage_v=reading.voltage_v,
        frequency_hz=reading.frequency_hz,
    )
    return DeviceState(spec, net, former.quality, former.error)
