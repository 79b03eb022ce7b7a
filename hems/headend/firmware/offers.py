"""What a vendor's list says after an offer or a withdrawal. Pure."""

from dataclasses import dataclass

from pydantic import ValidationError

from hems.bulletin import Firmware, FirmwareList, Release, State, alike
from hems.headend.firmware.repository import FirmwareError


@dataclass(frozen=True, slots=True)
class Which:
    """A version of a model's firmware; without maker and model, of the hub's own software.

    Attributes:
        version: The version.
        manufacturer: Whose devices it is for.
        model: Which of them.
    """

    version: str
    manufacturer: str = ""
    model: str = ""


def listed(text: bytes | None, vendor: str) -> FirmwareList:
    """Read a vendor's list; an empty one where there is none yet.

    Raises:
        FirmwareError: It is damaged, or another vendor's.
    """
    if text is None:
        return FirmwareList(vendor=vendor)
    try:
        found = FirmwareList.model_validate_json(text)
    except ValidationError as error:
        raise FirmwareError(
            f"the list of {vendor} is damaged: {error.errors()[0]['msg']}"
        ) from error
    if found.vendor != vendor:
        raise FirmwareError(f"the list of {vendor} is that of {found.vendor}")
    return found


def offered(before: FirmwareList, entry: Firmware) -> FirmwareList:
    """Return the list with a version; what was the latest before is allowed from then on.

    Raises:
        FirmwareError: With it, it would be no list.
    """
    others = [
        _no_longer_latest(each) if entry.state is State.LATEST and each.of == entry.of else each
        for each in before.firmware
        if (each.of, alike(each.version)) != (entry.of, alike(entry.version))
    ]
    return _whole(before, firmware=(*others, entry), releases=before.releases)


def released(before: FirmwareList, entry: Release) -> FirmwareList:
    """Return the list with a version of the hub's own software; as `offered`.

    Raises:
        FirmwareError: With it, it would be no list.
    """
    latest = entry.state is State.LATEST
    others = [
        each.model_copy(update={"state": State.ALLOWED})
        if latest and each.state is State.LATEST
        else each
        for each in before.releases
        if alike(each.version) != alike(entry.version)
    ]
    return _whole(before, firmware=before.firmware, releases=(*others, entry))


def withdrawn(before: FirmwareList, which: Which, why: str) -> FirmwareList:
    """Return the list in which a version must not run any more.

    Args:
        before: The list.
        which: Which version; one that was never offered is listed too, for it may be out there.
        why: What is wrong with it.

    Raises:
        FirmwareError: A release that was never offered, or with it, it would be no list.
    """
    state = State.UNTRUSTED
    if which.manufacturer:
        entry = Firmware(
            manufacturer=which.manufacturer,
            model=which.model,
            version=which.version,
            state=state,
            advisory=why,
        )
        return offered(before, entry)
    for each in before.releases:
        if alike(each.version) == alike(which.version):
            return released(before, each.model_copy(update={"state": state, "advisory": why}))
    raise FirmwareError(f"{before.vendor} has offered no release {which.version}")


def _no_longer_latest(entry: Firmware) -> Firmware:
    latest = entry.state is State.LATEST
    return entry.model_copy(update={"state": State.ALLOWED}) if latest else entry


def _whole(
    before: FirmwareList, *, firmware: tuple[Firmware, ...], releases: tuple[Release, ...]
) -> FirmwareList:
    try:
        return FirmwareList(vendor=before.vendor, firmware=firmware, releases=releases)
    except ValidationError as error:
        raise FirmwareError(f"that makes no list: {error.errors()[0]['msg']}") from error
