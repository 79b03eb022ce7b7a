"""From what a device says to the record that a person is shown. Pure but for the asking."""

from dataclasses import replace

from der.commands import DeviceOptions, Options
from der.description import DeviceDescription
from der.errors import DeviceError, RejectedError
from der.model import DeviceState
from der.service import Handle
from hems.device_surface import DeviceDetail


def commissioned(description: DeviceDescription) -> DeviceDetail:
    """Return what is known of a device without asking it."""
    spec = description.spec
    return DeviceDetail(
        id=spec.id,
        name=spec.name,
        kind=spec.kind,
        driver=description.driver,
        min_w=spec.min_w,
        max_w=spec.max_w,
        essentiality=spec.essentiality,
        ownership=spec.ownership,
        phases=spec.phases,
        comfort_low_c=None if spec.comfort is None else spec.comfort.low_c,
        comfort_high_c=None if spec.comfort is None else spec.comfort.high_c,
    )


def with_state(detail: DeviceDetail, state: DeviceState, now: float) -> DeviceDetail:
    """Return a detail with what the device last said."""
    reading = state.reading
    if reading is None:
        return replace(detail, quality=state.quality, error=state.error)
    return replace(
        detail,
        power_w=reading.power_w,
        soc=reading.soc,
        temp_c=reading.temp_c,
        voltage_v=reading.voltage_v,
        limit_w=reading.limit_w,
        capacity_wh=reading.capacity_wh,
        age_s=max(now - reading.at, 0.0),
        quality=state.quality,
        error=state.error,
    )


async def asked(detail: DeviceDetail, handle: Handle) -> DeviceDetail:
    """Return a detail with who answers and what it can do, as its open handle tells.

    A device that does not tell is shown without: never raises DeviceError.
    """
    try:
        connection, safeguard = handle.connection, handle.safeguard
        told = replace(
            detail,
            address=connection.address,
            manufacturer=connection.manufacturer,
            model=connection.model,
            serial=connection.serial,
            firmware=connection.firmware,
            expiry=safeguard.expiry,
            safe=safeguard.safe,
            risk=safeguard.risk,
        )
    except DeviceError as error:  # closed meanwhile
        return replace(detail, error=detail.error or str(error))
    try:
        return _with_options(told, await handle.ioctl(Options()))
    except RejectedError:
        return told  # its driver need not have the command
    except DeviceError as error:
        return replace(told, error=told.error or str(error))


def _with_options(detail: DeviceDetail, options: DeviceOptions) -> DeviceDetail:
    return replace(
        detail,
        abilities=tuple(sorted(options.abilities)),
        functions=tuple(sorted(options.functions)),
        details=options.details,
    )
