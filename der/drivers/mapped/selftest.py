"""What a described device can be checked for without moving any power."""

from der.commands import SelfTestReport
from der.drivers.mapped.bus import PointBus
from der.drivers.mapped.device_map import DeviceMap
from der.drivers.mapped.points import Kind, Values
from der.drivers.mapped.reading import Standing, reading
from der.errors import DeviceError


async def self_test(device: DeviceMap, bus: PointBus, standing: Standing) -> SelfTestReport:
    """Read every point of the description, and look at what must be set by hand.

    Raises:
        TransientError: The device does not answer at all; a point that it refuses is a finding.
    """
    passed, findings = True, []
    values = Values()
    for name in device.readable:
        try:
            found = await bus.read([name])
        except DeviceError as error:
            if bus.bus.ended is not None:
                raise
            passed = False
            findings.append(str(error))
            continue
        values = _joined(values, found)
        if name in found.nonsense:
            passed = False
            findings.append(f"{name} of {found.nonsense[name]:g} makes no sense")
        elif name not in found.numbers and device.points[name].kind is not Kind.TEXT:
            findings.append(f"{name} has no value now")
    findings.append(f"{len(values.numbers) + len(values.texts)} of {len(device.readable)} points")
    try:
        power_w = reading(device.read, values, standing, 0.0).power_w
    except DeviceError as error:
        return SelfTestReport(False, (*findings, str(error)))
    findings.append(f"power {power_w:g} W")
    for requirement in () if device.control is None else device.control.require:
        if requirement.condition.holds(values) is not True:
            passed = False
            findings.append(requirement.why)
    return SelfTestReport(passed, tuple(findings))


def _joined(first: Values, second: Values) -> Values:
    return Values(
        {**first.numbers, **second.numbers},
        {**first.texts, **second.texts},
        {**first.nonsense, **second.nonsense},
    )
