"""A device's description in one line."""

from der.addresses import Address
from der.description import DeviceDescription
from der.model import DeviceKind, DeviceSpec
from der.registry import CONTROLS


def described(
    device: str,
    kind: DeviceKind,
    driver: str,
    at: Address | None,
    max_w: float = 0.0,
    *,
    min_w: float = 0.0,
    deadline_s: float = 2.0,
) -> DeviceDescription:
    spec = DeviceSpec(device, kind, device.title(), CONTROLS[kind], min_w, max_w)
    return DeviceDescription(spec, driver, at, deadline_s=deadline_s)
