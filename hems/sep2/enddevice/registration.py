"""Who this home is to a server, and how it knows that the server is its own."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from hems.sep2 import resources as res
from hems.sep2.errors import NotFoundError, PinError
from hems.sep2.transport.http import Transport


@dataclass(frozen=True, slots=True)
class Identity:
    """An EndDevice as 2030.5 knows it.

    Attributes:
        lfdi: 40 upper-case hex digits: of the home's certificate, or as agreed with the utility
            for a device behind a gateway or an aggregator, which has no certificate of its own.
        sfdi: The short form, with the check digit.
        pin: Registration PIN, 6 digits with the check digit; None to trust any server that the
            certificates let through.
        device_category: Bits of `DeviceCategoryType`; bit 14 is an energy management system.
    """

    lfdi: str
    sfdi: int
    pin: int | None = None
    device_category: int = 1 << 14

    def end_device(self, changed: int) -> res.EndDevice:
        """Return the EndDevice with which it is registered; `changed` in server time."""
        return res.EndDevice(
            lfdi=self.lfdi,
            sfdi=self.sfdi,
            device_category=self.device_category,
            changed_time=changed,
            enabled=True,
        )


def by_lfdi(devices: res.EndDeviceList) -> Mapping[str, res.EndDevice]:
    """Return the devices of a list by LFDI in full length, the first of each; others are left."""
    found: dict[str, res.EndDevice] = {}
    for device in devices.end_device:
        if device.lfdi:
            found.setdefault(full(device.lfdi), device)
    return found


def full(lfdi: str) -> str:
    """Return an LFDI as 40 upper-case hex digits; on the wire leading zeros may be missing."""
    return lfdi.upper().zfill(40)


async def check_pin(transport: Transport, device: res.EndDevice, identity: Identity) -> None:
    """Compare the server's Registration with the device's PIN.

    Raises:
        PinError: It is another.
        NotFoundError: The server shows no registration, so it cannot be trusted yet.
        Sep2Error: It cannot be read now.
    """
    if identity.pin is None:
        return
    if device.registration_link is None:
        raise NotFoundError(f"{transport.host}{device.href}: no RegistrationLink to check the PIN")
    shown = await transport.get(device.registration_link.href, res.Registration)
    if not hmac.compare_digest(f"{shown.pin:06d}", f"{identity.pin:06d}"):
        raise PinError(
            f"{transport.host}: its registration PIN is not this home's; it is not trusted, and "
            "nothing more is sent to it"
        )
